#include "store/payment.h"

#include "base/sort.h"
#include "store/food.h"
#include "store/payment_row.h"

#include <assert.h>

/* ---- Rows ---- */

struct payment payment_from_row(const struct sql_rows *rows, size_t row, size_t col)
{
    struct payment p = {
        .id = sql_get_int(rows, row, col),
        .user_id = sql_get_int(rows, row, col + 1),
        .amount_minor = sql_get_int(rows, row, col + 3),
        .currency = sql_get_str(rows, row, col + 4),
        .provider = sql_get_str(rows, row, col + 5),
        .remote = sql_get_bool(rows, row, col + 6),
        .provider_ref = sql_get_str(rows, row, col + 7),
        .provider_url = sql_get_str(rows, row, col + 8),
        .claimed_until_ms = sql_get_int(rows, row, col + 9),
        .cancel_to = PAYMENT_CANCELLED,
        .nonce = sql_get_str(rows, row, col + 11),
        .address = sql_get_str(rows, row, col + 13),
        .note = sql_get_str(rows, row, col + 14),
        .held = sql_get_bool(rows, row, col + 15),
        .outcome = sql_get_str(rows, row, col + 16),
        .needs_attention = sql_get_str(rows, row, col + 17),
        .refund_due = sql_get_bool(rows, row, col + 18),
        .expires_at_ms = sql_get_int(rows, row, col + 19),
        .created_at_ms = sql_get_int(rows, row, col + 20),
        .version = sql_get_int(rows, row, col + 21),
        .order_id = sql_get_int(rows, row, col + 22),
    };
    bool known = payment_status_parse(sql_get_str(rows, row, col + 2), &p.status) &&
                 fulfilment_parse(sql_get_str(rows, row, col + 12), &p.fulfilment) &&
                 (sql_is_null(rows, row, col + 10) ||
                  payment_status_parse(sql_get_str(rows, row, col + 10), &p.cancel_to));
    assert(known); /* the schema checks them */
    return p;
}

enum payment_status payment_status_now(const struct payment *payment, int64_t now_ms)
{
    return payment_effective(payment->status, payment->expires_at_ms, now_ms, payment->remote);
}

enum payment_status payment_status_final(const struct payment *payment, int64_t now_ms)
{
    enum payment_status status = payment_status_now(payment, now_ms);
    if (status != PAYMENT_CANCELLING)
        return status;
    return payment->status == PAYMENT_CANCELLING ? payment->cancel_to : PAYMENT_EXPIRED;
}

static struct payment from_rows(const struct sql_rows *rows)
{
    return rows->n > 0 ? payment_from_row(rows, 0, 0) : (struct payment){0};
}

static enum err find_ahead(struct tx *tx, int64_t payment_id, struct sql_rows *ret_rows)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.id = $1";
    return tx_ask_ahead(tx, sql, SQL_ARGS(sql_int(payment_id)), ret_rows);
}

enum err payment_find(struct tx *tx, int64_t payment_id, struct payment *ret_payment)
{
    struct sql_rows rows;
    enum err err = find_ahead(tx, payment_id, &rows);
    if (!err)
        err = tx_settle(tx);
    if (!err)
        *ret_payment = from_rows(&rows);
    return err;
}

static enum err find_owner(struct tx *tx, int64_t payment_id, int64_t *ret_user_id)
{
    static const char sql[] = "SELECT user_id FROM payments WHERE id = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(payment_id)), &rows);
    if (!err)
        *ret_user_id = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

enum err payment_find_locked(struct tx *tx, int64_t payment_id, struct payment *ret_payment)
{
    int64_t user_id;
    enum err err = find_owner(tx, payment_id, &user_id);
    if (!err && user_id)
        err = tx_lock_user(tx, user_id);
    return err ? err : payment_find(tx, payment_id, ret_payment);
}

enum err payment_find_open(struct tx *tx, int64_t user_id, struct payment *ret_payment)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p "
                              "WHERE p.user_id = $1 AND p.status IN ('creating', 'pending')";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(user_id)), &rows);
    if (!err)
        *ret_payment = from_rows(&rows);
    return err;
}

#define LINES                                                                                      \
    "SELECT food_id, unit_price, quantity, line_total, name, taken FROM payment_items "            \
    "WHERE payment_id = "

static enum err ask_lines_ahead(struct tx *tx, int64_t payment_id, struct sql_rows *ret_rows)
{
    static const char sql[] = LINES "$1 ORDER BY food_id";
    return tx_ask_ahead(tx, sql, SQL_ARGS(sql_int(payment_id)), ret_rows);
}

enum err payment_lines_open_ahead(struct tx *tx, int64_t user_id, struct sql_rows *ret_rows)
{
    static const char sql[] = LINES "(SELECT p.id FROM payments p WHERE p.user_id = $1 "
                                    "AND p.status IN ('creating', 'pending')) ORDER BY food_id";
    return tx_ask_ahead(tx, sql, SQL_ARGS(sql_int(user_id)), ret_rows);
}

void payment_lines_from_rows(struct tx *tx, const struct sql_rows *rows,
                             struct payment_line **ret_lines, size_t *ret_n)
{
    struct payment_line *lines = arena_alloc(tx_arena(tx), (rows->n + 1) * sizeof *lines);
    for (size_t i = 0; i < rows->n; i++)
        lines[i] = (struct payment_line){
            .food_id = sql_get_int(rows, i, 0),
            .unit_price = sql_get_int(rows, i, 1),
            .quantity = sql_get_int(rows, i, 2),
            .line_total = sql_get_int(rows, i, 3),
            .name = sql_get_str(rows, i, 4),
            .taken = sql_get_bool(rows, i, 5),
        };
    *ret_lines = lines;
    *ret_n = rows->n;
}

enum err payment_lines(struct tx *tx, int64_t payment_id, struct payment_line **ret_lines,
                       size_t *ret_n)
{
    struct sql_rows rows;
    enum err err = ask_lines_ahead(tx, payment_id, &rows);
    if (!err)
        err = tx_settle(tx);
    if (!err)
        payment_lines_from_rows(tx, &rows, ret_lines, ret_n);
    return err;
}

enum err payment_save(struct tx *tx, struct payment *payment, int64_t now_ms)
{
    static const char sql[] =
        "UPDATE payments SET status = $3, provider_ref = $4, provider_url = $5, "
        "claimed_until = $6, cancel_to = $7, held = $8, outcome = $9, needs_attention = $10, "
        "refund_due = $11, updated_at = $12, version = version + 1 "
        "WHERE id = $1 AND version = $2";
    bool cancelling = payment->status == PAYMENT_CANCELLING;
    enum err err = tx_post(
        tx, 1, sql,
        SQL_ARGS(sql_int(payment->id), sql_int(payment->version),
                 sql_text(payment_status_text(payment->status)), sql_text(payment->provider_ref),
                 sql_text(payment->provider_url), sql_int(payment->claimed_until_ms),
                 cancelling ? sql_text(payment_status_text(payment->cancel_to)) : sql_null(),
                 sql_bool(payment->held), sql_text(payment->outcome),
                 sql_text(payment->needs_attention), sql_bool(payment->refund_due),
                 sql_int(now_ms)));
    if (err)
        return err;
    payment->version++;
    tx_emit(tx, (struct store_event){
                    .kind = STORE_EVENT_PAYMENT, .id = payment->id, .user_id = payment->user_id});
    return ERR_OK;
}

/* ---- Endings ---- */

static enum err give_back(struct tx *tx, const struct payment_line *lines, size_t n)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        if (lines[i].taken)
            err = food_give_back_late(tx, lines[i].food_id, lines[i].quantity);
    return err;
}

enum err payment_close(struct tx *tx, struct payment *payment, enum payment_status to,
                       int64_t now_ms)
{
    struct payment_line *lines = NULL;
    size_t n = 0;
    enum err err = payment->held ? payment_lines(tx, payment->id, &lines, &n) : ERR_OK;
    if (err)
        return err;
    payment->status = to;
    payment->held = false;
    err = payment_save(tx, payment, now_ms);
    return err ? err : give_back(tx, lines, n);
}

/* A remote one, whose hold is kept until the provider confirms. */
static enum err begin_cancel(struct tx *tx, struct payment *payment, enum payment_status to,
                             int64_t now_ms)
{
    if (payment->status == PAYMENT_PENDING)
        payment->claimed_until_ms = 0; /* it was only the time of the next look */
    payment->status = PAYMENT_CANCELLING;
    payment->cancel_to = to;
    return payment_save(tx, payment, now_ms);
}

enum err payment_end(struct tx *tx, struct payment *payment, enum payment_status to, int64_t now_ms)
{
    assert(payment_is_open(payment->status));
    return payment->remote ? begin_cancel(tx, payment, to, now_ms)
                           : payment_close(tx, payment, to, now_ms);
}

static bool is_due(const struct payment *payment, int64_t now_ms)
{
    return payment_is_open(payment->status) &&
           !payment_is_open(payment_status_now(payment, now_ms));
}

enum err payment_expire(struct tx *tx, struct payment *payment, int64_t now_ms)
{
    return is_due(payment, now_ms) ? payment_end(tx, payment, PAYMENT_EXPIRED, now_ms) : ERR_OK;
}

/* ---- Many at once ---- */

enum err payment_lock_all(struct tx *tx, const struct sql_rows *found,
                          struct payment **ret_payments)
{
    int64_t *owners = arena_alloc(tx_arena(tx), (found->n + 1) * sizeof *owners);
    struct payment *payments = arena_alloc(tx_arena(tx), (found->n + 1) * sizeof *payments);
    struct sql_rows *rows = arena_alloc(tx_arena(tx), (found->n + 1) * sizeof *rows);
    enum err err = ERR_OK;

    for (size_t i = 0; i < found->n; i++)
        owners[i] = sql_get_int(found, i, 1);
    sort_numbers(owners, found->n);
    for (size_t i = 0; i < found->n && !err; i++)
        if (i == 0 || owners[i] != owners[i - 1])
            err = tx_lock_user(tx, owners[i]);
    for (size_t i = 0; i < found->n && !err; i++)
        err = find_ahead(tx, sql_get_int(found, i, 0), &rows[i]);
    if (!err)
        err = tx_settle(tx);
    for (size_t i = 0; i < found->n && !err; i++)
        payments[i] = from_rows(&rows[i]);
    *ret_payments = payments;
    return err;
}

enum err payment_close_all(struct tx *tx, struct payment *payments, size_t n, int64_t now_ms)
{
    struct sql_rows *held = arena_zalloc(tx_arena(tx), (n + 1) * sizeof *held);
    enum err err = ERR_OK;

    for (size_t i = 0; i < n && !err; i++)
        if (payments[i].held)
            err = ask_lines_ahead(tx, payments[i].id, &held[i]);
    if (!err)
        err = tx_settle(tx);
    for (size_t i = 0; i < n && !err; i++) {
        payments[i].status = payment_status_final(&payments[i], now_ms);
        payments[i].held = false;
        err = payment_save(tx, &payments[i], now_ms);
    }
    for (size_t i = 0; i < n && !err; i++) {
        struct payment_line *lines;
        size_t n_lines;
        payment_lines_from_rows(tx, &held[i], &lines, &n_lines);
        err = give_back(tx, lines, n_lines);
    }
    return err;
}

enum err payment_expire_all(struct tx *tx, const struct sql_rows *found, int64_t now_ms)
{
    struct payment *payments;
    size_t n_local = 0;
    enum err err = payment_lock_all(tx, found, &payments);

    for (size_t i = 0; i < found->n && !err; i++) {
        if (!is_due(&payments[i], now_ms))
            continue;
        if (payments[i].remote)
            err = begin_cancel(tx, &payments[i], PAYMENT_EXPIRED, now_ms);
        else
            payments[n_local++] = payments[i];
    }
    return err ? err : payment_close_all(tx, payments, n_local, now_ms);
}

enum err payment_release_food(struct tx *tx, int64_t food_id, int64_t units, int64_t now_ms,
                              bool *ret_released)
{
    /* Each of these holds at least one unit. */
    static const char sql[] =
        "SELECT p.id, p.user_id FROM payments p "
        "WHERE p.status IN ('creating', 'pending') AND p.expires_at <= $1 AND p.remote = 0 "
        "AND EXISTS (SELECT 1 FROM payment_items i WHERE i.payment_id = p.id "
        "AND i.food_id = $2 AND i.taken = 1) ORDER BY p.expires_at LIMIT $3";
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql, SQL_ARGS(sql_int(now_ms), sql_int(food_id), sql_int(units)), &rows);
    if (err)
        return err;
    *ret_released = rows.n > 0;
    return payment_expire_all(tx, &rows, now_ms);
}

/* ---- Given up, given back ---- */

enum err payment_give_up(struct tx *tx, void *arg)
{
    struct payment_give_up *g = arg;
    enum err err = tx_lock_user(tx, g->user_id);
    if (!err)
        err = payment_find(tx, g->payment_id, &g->payment);
    if (err)
        return err;
    if (g->payment.user_id != g->user_id)
        return problem_set(g->problem, PROBLEM_NOT_FOUND, NULL);
    if (!payment_is_open(payment_status_now(&g->payment, g->now_ms)))
        return problem_set(g->problem, PROBLEM_PAYMENT_NOT_OPEN, NULL);
    return payment_end(tx, &g->payment, PAYMENT_CANCELLED, g->now_ms);
}

enum err payment_unclaim(struct tx *tx, void *arg)
{
    static const char sql[] = "UPDATE payments SET claimed_until = $3, updated_at = $4, "
                              "version = version + 1 WHERE id = $1 AND claimed_until = $2";
    const struct payment_unclaim *u = arg;
    enum err err = tx_lock_user(tx, u->user_id);
    if (err)
        return err;
    return tx_post(tx, SQL_ANY_COUNT, sql,
                   SQL_ARGS(sql_int(u->payment_id), sql_int(u->claimed_until_ms),
                            sql_int(u->next_at_ms), sql_int(u->now_ms)));
}
