/* How orders and their events look on the wire. */
#ifndef SERVERY_API_ORDERS_H
#define SERVERY_API_ORDERS_H

#include "base/json.h"
#include "store/order.h"

struct call;

void order_encode(struct json_writer *w, const char *key, const struct order *order,
                  bool with_customer);

/* A line, of an order or of the payment that it comes from. */
void order_line_encode(struct json_writer *w, const struct payment_line *line);

/* The event's members; `with_order` adds what a stream's reader needs: order_id and status. */
void order_event_encode(struct json_writer *w, const char *key, const struct order_event *event,
                        bool with_order);

/* The same members within an object that is begun already. */
void order_event_members(struct json_writer *w, const struct order_event *event, bool with_order);

/* One message of an event stream, appended to out. */
void order_event_message(struct buf *out, const struct order_event *event);

/* The board's filters, as they came in the query, into list (api/admin_orders.c). What is wrong is
 * added to the call's problem. */
struct orders_filter {
    struct str status, q, from, to; /* STR_NONE: not given */
};
void orders_filter_apply(struct call *c, const struct orders_filter *filter,
                         struct order_list *ret_list);

/* A page of orders as the call's answer (api/orders.c). */
void orders_answer(struct call *c, const struct order_list *list);

#endif
