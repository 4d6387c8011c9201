/* The one function that changes an order's status, and what goes with a change. */
#include "base/json.h"
#include "store/food.h"
#include "store/order_event.h"
#include "store/payment_event.h"

static enum err illegal(struct order_set_status *change, enum order_status from,
                        enum fulfilment fulfilment)
{
    enum order_status allowed[ORDER_STATUSES];
    size_t n = order_allowed(from, fulfilment, allowed);
    struct buf buf;
    struct json_writer w;

    buf_init(&buf, change->problem->arena);
    json_init(&w, &buf);
    json_begin_array(&w, NULL);
    for (size_t i = 0; i < n; i++)
        json_str(&w, NULL, order_status_text(allowed[i]));
    json_end_array(&w);
    problem_extra_json(change->problem, "allowed", buf_str(&buf));
    return problem_printf(change->problem, PROBLEM_ILLEGAL_TRANSITION,
                          "An order that is " STR_FMT " cannot become " STR_FMT ".",
                          STR_ARG(order_status_text(from)), STR_ARG(order_status_text(change->to)));
}

static enum err give_back(struct tx *tx, const struct order_set_status *change)
{
    static const char sql[] = "SELECT food_id, quantity FROM order_items "
                              "WHERE order_id = $1 AND taken = 1 ORDER BY food_id";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(change->order_id)), &rows);
    if (err)
        return err;
    for (size_t i = 0; i < rows.n && !err; i++)
        err = food_give_back_late(tx, sql_get_int(&rows, i, 0), sql_get_int(&rows, i, 1));
    return err;
}

/* An order with a payment was paid, and something. */
static enum err owe_refund(struct tx *tx, const struct order_set_status *change,
                           const struct order *order)
{
    static const char sql[] = "UPDATE payments SET refund_due = 1, updated_at = $2, "
                              "version = version + 1 WHERE id = $1";
    enum err err =
        tx_post(tx, 1, sql, SQL_ARGS(sql_int(order->payment_id), sql_int(change->now_ms)));
    if (err)
        return err;
    tx_emit(tx, (struct store_event){.kind = STORE_EVENT_PAYMENT,
                                     .id = order->payment_id,
                                     .user_id = order->user_id});
    return payment_event_add(tx, &(struct payment_event_new){
                                     .payment_id = order->payment_id,
                                     .what = PAYMENT_EVENT_REFUND_DUE,
                                     .refund_due = true,
                                     .note = change->note,
                                     .actor_id = change->actor_id,
                                     .at_ms = change->now_ms,
                                 });
}

/* ... and reads the order as it is then, in the trip that adds the event. */
static enum err apply(struct tx *tx, const struct order_set_status *change,
                      const struct order *order, struct order_read *get)
{
    static const char sql[] =
        "UPDATE orders SET status = $3, version = version + 1, stock_returned = $4, "
        "updated_at = $5 WHERE id = $1 AND status = $2";
    bool returns = change->to == ORDER_CANCELLED && order_cancel_returns_stock(order->status);
    enum err err = tx_post(tx, 1, sql,
                           SQL_ARGS(sql_int(order->id), sql_text(order_status_text(order->status)),
                                    sql_text(order_status_text(change->to)), sql_bool(returns),
                                    sql_int(change->now_ms)));
    if (!err && change->to == ORDER_CANCELLED && order->payment_id)
        err = owe_refund(tx, change, order);
    struct order_event_new event = {
        .order_id = order->id,
        .user_id = order->user_id,
        .from = order_status_text(order->status),
        .to = change->to,
        .actor = change->actor,
        .actor_id = change->actor_id,
        .note = change->note,
        .at_ms = change->now_ms,
    };
    struct sql_rows event_rows;
    if (!err)
        err = order_event_add_ahead(tx, &event, &event_rows);
    if (!err && returns)
        err = give_back(tx, change);
    if (!err)
        err = order_read(tx, get);
    if (!err)
        order_event_tell(tx, &event, &event_rows);
    return err;
}

enum err order_set_status(struct tx *tx, void *arg)
{
    struct order_set_status *change = arg;
    struct order_read get = {.order_id = change->order_id};
    int64_t owner_id;

    enum err err = order_owner(tx, change->order_id, &owner_id);
    if (!err && owner_id)
        err = tx_lock_user(tx, owner_id);
    if (!err)
        err = order_read(tx, &get);
    if (err)
        return err;
    if (!get.found)
        return problem_set(change->problem, PROBLEM_NOT_FOUND, NULL);
    if (change->version && change->version != get.order.version)
        return problem_set(change->problem, PROBLEM_VERSION_CONFLICT, NULL);
    if (!order_may_go(get.order.status, change->to, get.order.fulfilment))
        return illegal(change, get.order.status, get.order.fulfilment);
    struct order before = get.order;
    err = apply(tx, change, &before, &get);
    if (!err)
        change->order = get.order;
    return err;
}
