#include "store/place.h"

#include "domain/limits.h"
#include "store/cart.h"
#include "store/food.h"
#include "store/order.h"
#include "store/payment_row.h"
#include "store/shop.h"

/* What placing goes by, besides the cart. */
struct context {
    struct str currency;
    int64_t unpaid;              /* payments of the last hour that ended unpaid */
    struct payment open;         /* id 0: none */
    struct payment_line *frozen; /* of the open one */
    size_t n_frozen;
    struct cart_line *lines;
    size_t n;
    int64_t total;
};

/* Ended unpaid; those that the provider refused to create are not the customer's doing. */
#define UNPAID                                                                                     \
    "FROM payments u WHERE u.user_id = $1 AND u.created_at > $2 "                                  \
    "AND u.status IN ('failed', 'expired', 'cancelling', 'cancelled') "                            \
    "AND COALESCE(u.outcome, '') <> 'refused'"

/* A remote payment that is replaced keeps its hold until its provider confirms that it can no
 * longer be paid, so its units are not there for the new one. */
static void leave_remote_hold(struct context *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->open.id && x->open.remote)
            x->lines[i].held = 0;
}

static enum err read_lines(struct tx *tx, const struct place *place, struct context *x)
{
    enum err err = cart_lines_read(tx, place->user_id, place->now_ms, &x->lines, &x->n);
    if (!err)
        leave_remote_hold(x);
    return err;
}

/* The first that a shop sells ends the time in which its currency may change: whoever comes while
 * it is being changed takes the new one. From then on nobody changes it, and nobody needs the
 * lock. */
static enum err settle_currency(struct tx *tx, struct context *x)
{
    struct shop shop;
    enum err err = shop_read_locked(tx, &shop);
    if (!err)
        x->currency = shop.currency;
    return err;
}

/* In one trip, but for the shop's first order. */
static enum err read_context(struct tx *tx, const struct place *place, struct context *x)
{
    static const char sql[] = "SELECT s.currency, (SELECT count(*) " UNPAID "), " PAYMENT_COLUMNS
                              " FROM shop s LEFT JOIN payments p "
                              "ON p.user_id = $1 AND p.status IN ('creating', 'pending')";
    struct sql_rows rows, frozen, sold;

    *x = (struct context){0};
    enum err err = tx_ask_ahead(
        tx, sql, SQL_ARGS(sql_int(place->user_id), sql_int(place->now_ms - PAYMENT_WINDOW_MS)),
        &rows);
    if (!err)
        err = shop_sold_ahead(tx, &sold);
    if (!err)
        err = payment_lines_open_ahead(tx, place->user_id, &frozen);
    if (!err)
        err = cart_lines_read(tx, place->user_id, place->now_ms, &x->lines, &x->n);
    if (err)
        return err;
    x->currency = sql_get_str(&rows, 0, 0);
    x->unpaid = sql_get_int(&rows, 0, 1);
    if (sold.n == 0)
        err = settle_currency(tx, x);
    if (err)
        return err;
    if (sql_is_null(&rows, 0, 2))
        return ERR_OK;
    x->open = payment_from_row(&rows, 0, 2);
    err = payment_expire(tx, &x->open, place->now_ms);
    if (err)
        return err;
    if (payment_is_open(x->open.status)) {
        payment_lines_from_rows(tx, &frozen, &x->frozen, &x->n_frozen);
        leave_remote_hold(x);
        return ERR_OK;
    }
    x->unpaid += x->open.created_at_ms > place->now_ms - PAYMENT_WINDOW_MS;
    x->open = (struct payment){0};
    return read_lines(tx, place, x); /* without the hold */
}

/* ---- The same again ---- */

/* With another provider it is none: nobody hears of what is paid at one that is gone. */
static bool is_same(struct tx *tx, const struct place *place, const struct context *x)
{
    const struct payment *open = &x->open;
    if (!open->id || open->remote != place->remote || !str_eq(open->provider, place->provider) ||
        open->fulfilment != place->fulfilment || !str_eq(open->address, place->address) ||
        !str_eq(open->note, place->note) ||
        (place->has_expected_total && place->expected_total != open->amount_minor))
        return false;
    struct cart_quantity *frozen = arena_alloc(tx_arena(tx), (x->n_frozen + 1) * sizeof *frozen);
    for (size_t i = 0; i < x->n_frozen; i++)
        frozen[i] = (struct cart_quantity){x->frozen[i].food_id, x->frozen[i].quantity};
    return cart_same(x->lines, x->n, frozen, x->n_frozen);
}

/* Who edits a line back and forth and places again has seen it: it leaves the cart once paid. */
static enum err refresh_revisions(struct tx *tx, int64_t payment_id, int64_t user_id)
{
    static const char sql[] =
        "UPDATE payment_items SET cart_revision = (SELECT c.revision FROM cart_items c "
        "WHERE c.user_id = $2 AND c.food_id = payment_items.food_id) WHERE payment_id = $1 "
        "AND EXISTS (SELECT 1 FROM cart_items c WHERE c.user_id = $2 "
        "AND c.food_id = payment_items.food_id AND c.revision <> payment_items.cart_revision)";
    return tx_post(tx, SQL_ANY_COUNT, sql, SQL_ARGS(sql_int(payment_id), sql_int(user_id)));
}

/* One caller at a time asks the provider to create it. */
static enum err claim(struct tx *tx, struct place *place)
{
    struct payment *p = &place->payment;
    place->outcome = PLACE_PAYMENT;
    if (!p->remote || p->status != PAYMENT_CREATING || p->claimed_until_ms > place->now_ms)
        return ERR_OK;
    p->claimed_until_ms = place->now_ms + PAYMENT_CLAIM_MS;
    place->outcome = PLACE_CREATE;
    return payment_save(tx, p, place->now_ms);
}

enum err place_again(struct tx *tx, int64_t payment_id, struct place *place)
{
    place->outcome = PLACE_PAYMENT;
    enum err err = payment_find(tx, payment_id, &place->payment);
    if (err)
        return err;
    if (place->payment.user_id != place->user_id)
        return problem_set(place->problem, PROBLEM_NOT_FOUND, NULL);
    err = payment_expire(tx, &place->payment, place->now_ms);
    return err ? err : claim(tx, place);
}

/* ---- The checks ---- */

/* Nobody is refused for a hold whose time is over. */
static enum err release_expired(struct tx *tx, const struct place *place, struct context *x)
{
    bool any = false;
    enum err err = ERR_OK;
    for (size_t i = 0; i < x->n && !err; i++) {
        bool released = false;
        if (cart_line_check(&x->lines[i]) == LINE_OUT_OF_STOCK)
            err = payment_release_food(tx, x->lines[i].food_id, x->lines[i].quantity, place->now_ms,
                                       &released);
        any = any || released;
    }
    return !err && any ? read_lines(tx, place, x) : err;
}

static enum err refuse_too_many(struct tx *tx, const struct place *place)
{
    static const char sql[] = "SELECT min(u.created_at) " UNPAID;
    struct sql_rows rows;
    int64_t since_ms = place->now_ms - PAYMENT_WINDOW_MS;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(place->user_id), sql_int(since_ms)), &rows);
    if (err)
        return err;
    place->problem->retry_after_ms = sql_get_int(&rows, 0, 0) - since_ms;
    return problem_set(place->problem, PROBLEM_TOO_MANY_PAYMENTS,
                       "Too many payments of the last hour ended unpaid.");
}

static enum err check(struct tx *tx, const struct place *place, struct context *x)
{
    enum err err = release_expired(tx, place, x);
    if (!err)
        err = cart_check(x->lines, x->n, place->problem);
    if (err)
        return err;
    if (!cart_total(x->lines, x->n, &x->total))
        return problem_set(place->problem, PROBLEM_TOTAL_TOO_LARGE, NULL);
    if (place->has_expected_total && place->expected_total != x->total) {
        problem_extra_int(place->problem, "total", x->total);
        return problem_set(place->problem, PROBLEM_PRICE_CHANGED, NULL);
    }
    if (x->total > 0 && x->unpaid >= UNPAID_PAYMENTS_PER_HOUR)
        return refuse_too_many(tx, place);
    return ERR_OK;
}

/* ---- The changes ---- */

/* The open payment makes room: a local one is cancelled, its units left to move_stock. */
static enum err retire_open(struct tx *tx, const struct place *place, struct context *x)
{
    if (!x->open.id)
        return ERR_OK;
    if (x->open.remote) {
        x->n_frozen = 0;
        return payment_end(tx, &x->open, PAYMENT_CANCELLED, place->now_ms);
    }
    x->open.status = PAYMENT_CANCELLED;
    x->open.held = false;
    return payment_save(tx, &x->open, place->now_ms);
}

/* Both lists are sorted by food: each food once, by its net. */
static enum err move_stock(struct tx *tx, const struct context *x)
{
    enum err err = ERR_OK;
    size_t i = 0, k = 0;
    while ((i < x->n || k < x->n_frozen) && !err) {
        const struct cart_line *line = i < x->n ? &x->lines[i] : NULL;
        const struct payment_line *old = k < x->n_frozen ? &x->frozen[k] : NULL;
        if (line && old && line->food_id != old->food_id) {
            if (line->food_id < old->food_id)
                old = NULL;
            else
                line = NULL;
        }
        int64_t take = line && line->stock_counted ? line->quantity : 0;
        int64_t give = old && old->taken ? old->quantity : 0;
        if (take > 0 || give > 0)
            err = food_move_late(tx, line ? line->food_id : old->food_id, take, give);
        i += line != NULL;
        k += old != NULL;
    }
    return err;
}

static enum err insert_payment(struct tx *tx, struct place *place, const struct context *x)
{
    static const char sql[] =
        "INSERT INTO payments (user_id, status, amount, currency, provider, remote, "
        "claimed_until, nonce, fulfilment, address, note, held, expires_at, created_at, "
        "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $13) "
        "RETURNING id";
    struct payment p = {
        .user_id = place->user_id,
        .status = place->remote ? PAYMENT_CREATING : PAYMENT_PENDING,
        .amount_minor = x->total,
        .currency = x->currency,
        .provider = place->provider,
        .remote = place->remote,
        .claimed_until_ms = place->remote ? place->now_ms + PAYMENT_CLAIM_MS : 0,
        .cancel_to = PAYMENT_CANCELLED,
        .nonce = {(const char *)place->nonce, sizeof place->nonce},
        .fulfilment = place->fulfilment,
        .address = place->address,
        .note = place->note,
        .held = true,
        .expires_at_ms = place->now_ms + place->hold_ms,
        .created_at_ms = place->now_ms,
        .version = 1,
    };
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql,
               SQL_ARGS(sql_int(p.user_id), sql_text(payment_status_text(p.status)),
                        sql_int(p.amount_minor), sql_text(p.currency), sql_text(p.provider),
                        sql_bool(p.remote), sql_int(p.claimed_until_ms), sql_blob(p.nonce),
                        sql_text(fulfilment_text(p.fulfilment)), sql_text(p.address),
                        sql_text(p.note), sql_int(p.expires_at_ms), sql_int(p.created_at_ms)),
               &rows);
    if (err)
        return err;
    p.id = sql_get_int(&rows, 0, 0);
    place->payment = p;
    place->outcome = p.remote ? PLACE_CREATE : PLACE_PAYMENT;
    tx_emit(tx,
            (struct store_event){.kind = STORE_EVENT_PAYMENT, .id = p.id, .user_id = p.user_id});
    return ERR_OK;
}

static enum err insert_lines(struct tx *tx, int64_t payment_id, const struct context *x)
{
    static const char sql[] =
        "INSERT INTO payment_items (payment_id, food_id, name, unit_price, quantity, line_total, "
        "taken, cart_revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    enum err err = ERR_OK;
    for (size_t i = 0; i < x->n && !err; i++) {
        const struct cart_line *line = &x->lines[i];
        err = tx_post(tx, 1, sql,
                      SQL_ARGS(sql_int(payment_id), sql_int(line->food_id), sql_text(line->name),
                               sql_int(line->unit_price), sql_int(line->quantity),
                               sql_int(line->unit_price * line->quantity),
                               sql_bool(line->stock_counted), sql_int(line->revision)));
    }
    return err;
}

/* Nothing to pay. */
static enum err order_for_nothing(struct tx *tx, struct place *place, const struct context *x)
{
    struct order_free free = {
        .user_id = place->user_id,
        .lines = x->lines,
        .n = x->n,
        .currency = x->currency,
        .fulfilment = place->fulfilment,
        .address = place->address,
        .note = place->note,
        .now_ms = place->now_ms,
    };
    place->outcome = PLACE_ORDER;
    return order_create_free(tx, &free, &place->order_id);
}

static enum err make_payment(struct tx *tx, struct place *place, const struct context *x)
{
    enum err err = insert_payment(tx, place, x);
    return err ? err : insert_lines(tx, place->payment.id, x);
}

enum err place_order(struct tx *tx, struct place *place)
{
    struct context x;
    enum err err = read_context(tx, place, &x);
    if (err)
        return err;
    if (is_same(tx, place, &x)) {
        place->payment = x.open;
        err = refresh_revisions(tx, x.open.id, place->user_id);
        return err ? err : claim(tx, place);
    }
    err = check(tx, place, &x);
    if (!err)
        err = retire_open(tx, place, &x);
    if (!err)
        err = x.total > 0 ? make_payment(tx, place, &x) : order_for_nothing(tx, place, &x);
    return err ? err : move_stock(tx, &x); /* last: nothing is asked while foods are locked */
}
