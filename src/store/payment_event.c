#include "store/payment_event.h"

static const char *const TEXTS[] = {
    [PAYMENT_EVENT_FLAGGED] = "flagged",   [PAYMENT_EVENT_REFUND_DUE] = "refund_due",
    [PAYMENT_EVENT_CLEARED] = "cleared",   [PAYMENT_EVENT_RESOLVED] = "resolved",
    [PAYMENT_EVENT_REOPENED] = "reopened", [PAYMENT_EVENT_NOTED] = "noted",
};

enum err payment_event_add(struct tx *tx, const struct payment_event_new *event)
{
    static const char sql[] = "INSERT INTO payment_events (payment_id, what, reason, refund_due, "
                              "paid_amount, paid_currency, note, actor_id, at) "
                              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    return tx_post(tx, 1, sql,
                   SQL_ARGS(sql_int(event->payment_id), sql_text(str_from(TEXTS[event->what])),
                            sql_text(event->reason), sql_bool(event->refund_due),
                            event->paid_currency.ptr ? sql_int(event->paid_amount) : sql_null(),
                            sql_text(event->paid_currency), sql_text(event->note),
                            event->actor_id ? sql_int(event->actor_id) : sql_null(),
                            sql_int(event->at_ms)));
}

enum err payment_event_add_news(struct tx *tx, const struct payment_event_new *event)
{
    static const char sql[] =
        "INSERT INTO payment_events (payment_id, what, reason, paid_amount, paid_currency, "
        "actor_id, at) SELECT p.id, 'flagged', CAST($2 AS TEXT), CAST($3 AS BIGINT), "
        "CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) FROM payments p WHERE p.id = $1 "
        "AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.id = "
        "(SELECT max(l.id) FROM payment_events l WHERE l.payment_id = $1) "
        "AND e.what = 'flagged' AND e.reason = $2 AND e.paid_amount = $3 "
        "AND e.paid_currency = $4)";
    return tx_post(tx, SQL_ANY_COUNT, sql,
                   SQL_ARGS(sql_int(event->payment_id), sql_text(event->reason),
                            sql_int(event->paid_amount), sql_text(event->paid_currency),
                            event->actor_id ? sql_int(event->actor_id) : sql_null(),
                            sql_int(event->at_ms)));
}

enum err payment_event_resolution(struct tx *tx, int64_t payment_id,
                                  struct payment_resolution *ret_resolution)
{
    static const char sql[] =
        "SELECT what, reason, refund_due, note FROM payment_events WHERE payment_id = $1 "
        "AND what IN ('resolved', 'reopened') ORDER BY id DESC LIMIT 1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(payment_id)), &rows);
    if (err)
        return err;
    *ret_resolution = (struct payment_resolution){0};
    if (rows.n > 0)
        *ret_resolution = (struct payment_resolution){
            .resolved = str_is(sql_get_str(&rows, 0, 0), "resolved"),
            .reason = sql_get_str(&rows, 0, 1),
            .refund_due = sql_get_bool(&rows, 0, 2),
            .note = sql_get_str(&rows, 0, 3),
        };
    return ERR_OK;
}
