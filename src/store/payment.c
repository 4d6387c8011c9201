#include "store/payment.h"

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
        .order_id = sql_get_int(rows, row, col + 21),
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

static enum err find(struct tx *tx, const char *sql, int64_t id, struct payment *ret_payment)
{
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(id)), &rows);
    if (err)
        return err;
    *ret_payment = rows.n > 0 ? payment_from_row(&rows, 0, 0) : (struct payment){0};
    return ERR_OK;
}

enum err payment_find(struct tx *tx, int64_t payment_id, struct payment *ret_payment)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.id = $1";
    return find(tx, sql, payment_id, ret_payment);
}

enum err payment_find_open(struct tx *tx, int64_t user_id, struct payment *ret_payment)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p "
                              "WHERE p.user_id = $1 AND p.status IN ('creating', 'pending')";
    return find(tx, sql, user_id, ret_payment);
}

enum err payment_lines(struct tx *tx, int64_t payment_id, struct payment_line **ret_lines,
                       size_t *ret_n)
{
    static const char sql[] =
        "SELECT food_id, unit_price, quantity, line_total, name, taken FROM payment_items "
        "WHERE payment_id = $1 ORDER BY food_id";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(payment_id)), &rows);
    if (err)
        return err;
    struct payment_line *lines = arena_alloc(tx_arena(tx), (rows.n + 1) * sizeof *lines);
    for (size_t i = 0; i < rows.n; i++)
        lines[i] = (struct payment_line){
            .food_id = sql_get_int(&rows, i, 0),
            .unit_price = sql_get_int(&rows, i, 1),
            .quantity = sql_get_int(&rows, i, 2),
            .line_total = sql_get_int(&rows, i, 3),
            .name = sql_get_str(&rows, i, 4),
            .taken = sql_get_bool(&rows, i, 5),
        };
    *ret_lines = lines;
    *ret_n = rows.n;
    return ERR_OK;
}

enum err payment_save(struct tx *tx, const struct payment *payment, enum payment_status from,
                      int64_t now_ms)
{
    static const char sql[] =
        "UPDATE payments SET status = $3, provider_ref = $4, provider_url = $5, "
        "claimed_until = $6, cancel_to = $7, held = $8, outcome = $9, needs_attention = $10, "
        "refund_due = $11, updated_at = $12 WHERE id = $1 AND status = $2";
    bool cancelling = payment->status == PAYMENT_CANCELLING;
    enum err err =
        tx_post(tx, 1, sql,
                SQL_ARGS(sql_int(payment->id), sql_text(payment_status_text(from)),
                         sql_text(payment_status_text(payment->status)),
                         sql_text(payment->provider_ref), sql_text(payment->provider_url),
                         sql_int(payment->claimed_until_ms),
                         cancelling ? sql_text(payment_status_text(payment->cancel_to))
                                    : sql_null(),
                         sql_bool(payment->held), sql_text(payment->outcome),
                         sql_text(payment->needs_attention), sql_bool(payment->refund_due),
                         sql_int(now_ms)));
    if (!err)
        tx_emit(tx, (struct store_event){.kind = STORE_EVENT_PAYMENT,
                                         .id = payment->id,
                                         .user_id = payment->user_id});
    return err;
}

/* ---- Endings ---- */

static enum err give_back(struct tx *tx, int64_t payment_id)
{
    struct payment_line *lines;
    size_t n;
    enum err err = payment_lines(tx, payment_id, &lines, &n);
    for (size_t i = 0; i < n && !err; i++)
        if (lines[i].taken)
            err = food_give_back_late(tx, lines[i].food_id, lines[i].quantity);
    return err;
}

enum err payment_close(struct tx *tx, struct payment *payment, enum payment_status to,
                       int64_t now_ms)
{
    enum payment_status from = payment->status;
    enum err err = payment->held ? give_back(tx, payment->id) : ERR_OK;
    if (err)
        return err;
    payment->status = to;
    payment->held = false;
    return payment_save(tx, payment, from, now_ms);
}

enum err payment_end(struct tx *tx, struct payment *payment, enum payment_status to,
                     int64_t now_ms)
{
    assert(payment_is_open(payment->status));
    if (!payment->remote)
        return payment_close(tx, payment, to, now_ms);
    enum payment_status from = payment->status;
    payment->status = PAYMENT_CANCELLING;
    payment->cancel_to = to;
    if (from == PAYMENT_PENDING)
        payment->claimed_until_ms = 0; /* it was only the time of the next look */
    return payment_save(tx, payment, from, now_ms);
}

enum err payment_expire(struct tx *tx, struct payment *payment, int64_t now_ms)
{
    if (!payment_is_open(payment->status) ||
        payment_is_open(payment_status_now(payment, now_ms)))
        return ERR_OK;
    return payment_end(tx, payment, PAYMENT_EXPIRED, now_ms);
}

enum err payment_release_food(struct tx *tx, int64_t food_id, int64_t units, int64_t now_ms,
                              bool *ret_released)
{
    /* Each of these holds at least one unit. */
    static const char sql[] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p "
        "WHERE p.status IN ('creating', 'pending') AND p.expires_at <= $1 AND p.remote = 0 "
        "AND EXISTS (SELECT 1 FROM payment_items i WHERE i.payment_id = p.id "
        "AND i.food_id = $2 AND i.taken = 1) ORDER BY p.expires_at LIMIT $3";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(now_ms), sql_int(food_id), sql_int(units)),
                          &rows);
    if (err)
        return err;
    for (size_t i = 0; i < rows.n && !err; i++) {
        struct payment payment = payment_from_row(&rows, i, 0);
        err = payment_expire(tx, &payment, now_ms);
    }
    *ret_released = rows.n > 0;
    return err;
}

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
    static const char sql[] = "UPDATE payments SET claimed_until = $3, updated_at = $4 "
                              "WHERE id = $1 AND claimed_until = $2";
    const struct payment_unclaim *u = arg;
    return tx_post(tx, SQL_ANY_COUNT, sql,
                   SQL_ARGS(sql_int(u->payment_id), sql_int(u->claimed_until_ms),
                            sql_int(u->next_at_ms), sql_int(u->now_ms)));
}
