#include "store/gauges.h"

static enum err ask_one(struct tx *tx, const char *sql, int64_t *ret_first)
{
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_NO_ARGS, &rows);

    if (!err)
        *ret_first = sql_get_int(&rows, 0, 0);
    return err;
}

static enum err read_mails(struct tx *tx, struct gauges *g)
{
    static const char waiting[] =
        "SELECT count(*), min(created_at) FROM outbox WHERE status = 'waiting'";
    struct sql_rows rows;
    enum err err = tx_ask(tx, waiting, SQL_NO_ARGS, &rows);

    if (err)
        return err;
    g->mails_waiting = sql_get_int(&rows, 0, 0);
    g->oldest_mail_ms = sql_get_int(&rows, 0, 1);
    return ERR_OK;
}

static enum err read_payments(struct tx *tx, struct gauges *g)
{
    static const char open[] =
        "SELECT count(*) FROM payments WHERE status IN ('creating', 'pending')";
    static const char attention[] =
        "SELECT count(*) FROM payments WHERE needs_attention IS NOT NULL";
    static const char refund[] = "SELECT count(*) FROM payments WHERE refund_due = 1";
    enum err err = ask_one(tx, open, &g->payments_open);

    if (!err)
        err = ask_one(tx, attention, &g->payments_attention);
    return err ? err : ask_one(tx, refund, &g->payments_refund);
}

static enum err read_orders(struct tx *tx, struct gauges *g)
{
    static const char open[] =
        "SELECT status, count(*), min(created_at) FROM orders WHERE status IN "
        "('pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery') GROUP BY status";
    struct sql_rows rows;
    enum err err = tx_ask(tx, open, SQL_NO_ARGS, &rows);

    for (size_t i = 0; !err && i < rows.n; i++) {
        enum order_status status;
        if (!order_status_parse(sql_get_str(&rows, i, 0), &status) || status >= ORDER_COMPLETED)
            continue;
        g->orders[status] = sql_get_int(&rows, i, 1);
        if (status == ORDER_PENDING)
            g->oldest_pending_order_ms = sql_get_int(&rows, i, 2);
    }
    return err;
}

enum err gauges_read(struct tx *tx, void *arg)
{
    struct gauges *g = arg;

    *g = (struct gauges){0};
    enum err err = read_mails(tx, g);
    if (!err)
        err = read_payments(tx, g);
    return err ? err : read_orders(tx, g);
}
