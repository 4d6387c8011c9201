/* How an order comes to be: its row, its lines, its first event, and the cart without them. */
#include "store/order_event.h"

enum err order_event_add_ahead(struct tx *tx, const struct order_event_new *event,
                               struct sql_rows *ret_rows)
{
    static const char sql[] =
        "INSERT INTO order_events (order_id, from_status, to_status, actor, actor_id, note, at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    return tx_ask_ahead(tx, sql,
                        SQL_ARGS(sql_int(event->order_id), sql_text(event->from),
                                 sql_text(order_status_text(event->to)),
                                 sql_text(actor_text(event->actor)),
                                 event->actor_id ? sql_int(event->actor_id) : sql_null(),
                                 sql_text(event->note), sql_int(event->at_ms)),
                        ret_rows);
}

void order_event_tell(struct tx *tx, const struct order_event_new *event,
                      const struct sql_rows *rows)
{
    tx_emit(tx, (struct store_event){.kind = STORE_EVENT_ORDER,
                                     .id = event->order_id,
                                     .user_id = event->user_id,
                                     .event_id = sql_get_int(rows, 0, 0)});
}

enum err order_event_add(struct tx *tx, const struct order_event_new *event)
{
    struct sql_rows rows;
    enum err err = order_event_add_ahead(tx, event, &rows);
    if (!err)
        err = tx_settle(tx);
    if (!err)
        order_event_tell(tx, event, &rows);
    return err;
}

static const char INSERT_ORDER[] =
    "INSERT INTO orders (user_id, payment_id, status, total, currency, fulfilment, address, note, "
    "created_at, updated_at) VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $8) RETURNING id";

enum err order_create_paid(struct tx *tx, const struct payment *payment, int64_t actor_id,
                           int64_t now_ms, int64_t *ret_order_id)
{
    static const char items[] =
        "INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, line_total, "
        "taken) "
        "SELECT $1, food_id, name, unit_price, quantity, line_total, taken FROM payment_items "
        "WHERE payment_id = $2";
    static const char uncart[] =
        "DELETE FROM cart_items WHERE user_id = $1 AND EXISTS (SELECT 1 FROM payment_items i "
        "WHERE i.payment_id = $2 AND i.food_id = cart_items.food_id "
        "AND i.cart_revision = cart_items.revision)";
    struct sql_rows rows;
    enum err err = tx_ask(
        tx, INSERT_ORDER,
        SQL_ARGS(sql_int(payment->user_id), sql_int(payment->id), sql_int(payment->amount_minor),
                 sql_text(payment->currency), sql_text(fulfilment_text(payment->fulfilment)),
                 sql_text(payment->address), sql_text(payment->note), sql_int(now_ms)),
        &rows);
    if (err)
        return err;
    int64_t order_id = sql_get_int(&rows, 0, 0);
    err = tx_post(tx, SQL_ANY_COUNT, items, SQL_ARGS(sql_int(order_id), sql_int(payment->id)));
    if (!err)
        err = tx_post(tx, SQL_ANY_COUNT, uncart,
                      SQL_ARGS(sql_int(payment->user_id), sql_int(payment->id)));
    if (!err)
        err = order_event_add(tx, &(struct order_event_new){
                                      .order_id = order_id,
                                      .user_id = payment->user_id,
                                      .to = ORDER_PENDING,
                                      .actor = actor_id ? ACTOR_ADMIN : ACTOR_SYSTEM,
                                      .actor_id = actor_id,
                                      .at_ms = now_ms,
                                  });
    if (!err)
        *ret_order_id = order_id;
    return err;
}

static enum err add_free_line(struct tx *tx, int64_t order_id, const struct cart_line *line)
{
    static const char sql[] = "INSERT INTO order_items (order_id, food_id, name, unit_price, "
                              "quantity, line_total, taken) "
                              "VALUES ($1, $2, $3, $4, $5, 0, $6)";
    return tx_post(tx, 1, sql,
                   SQL_ARGS(sql_int(order_id), sql_int(line->food_id), sql_text(line->name),
                            sql_int(line->unit_price), sql_int(line->quantity),
                            sql_bool(line->stock_counted)));
}

enum err order_create_free(struct tx *tx, const struct order_free *free, int64_t *ret_order_id)
{
    static const char uncart[] = "DELETE FROM cart_items WHERE user_id = $1";
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, INSERT_ORDER,
               SQL_ARGS(sql_int(free->user_id), sql_null(), sql_int(0), sql_text(free->currency),
                        sql_text(fulfilment_text(free->fulfilment)), sql_text(free->address),
                        sql_text(free->note), sql_int(free->now_ms)),
               &rows);
    if (err)
        return err;
    int64_t order_id = sql_get_int(&rows, 0, 0);
    for (size_t i = 0; i < free->n && !err; i++)
        err = add_free_line(tx, order_id, &free->lines[i]);
    if (!err)
        err = tx_post(tx, SQL_ANY_COUNT, uncart, SQL_ARGS(sql_int(free->user_id)));
    if (!err)
        err = order_event_add(tx, &(struct order_event_new){
                                      .order_id = order_id,
                                      .user_id = free->user_id,
                                      .to = ORDER_PENDING,
                                      .actor = ACTOR_CUSTOMER,
                                      .actor_id = free->user_id,
                                      .at_ms = free->now_ms,
                                  });
    if (!err)
        *ret_order_id = order_id;
    return err;
}
