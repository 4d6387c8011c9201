/* The one place that writes an order's history. For src/store/ only. */
#ifndef SERVERY_STORE_ORDER_EVENT_H
#define SERVERY_STORE_ORDER_EVENT_H

#include "store/order.h"

struct order_event_new {
    int64_t order_id;
    int64_t user_id; /* the order's owner */
    struct str from; /* a status; STR_NONE for the first */
    enum order_status to;
    enum actor actor;
    int64_t actor_id; /* 0: none */
    struct str note;  /* STR_NONE: none */
    int64_t at_ms;
};

/* Adds the event, and emits it. */
MUST_CHECK enum err order_event_add(struct tx *tx, const struct order_event_new *event);

/* The same with the event's id asked ahead: order_event_tell, which emits, when that is
 * answered. */
MUST_CHECK enum err order_event_add_ahead(struct tx *tx, const struct order_event_new *event,
                                          struct sql_rows *ret_rows);
void order_event_tell(struct tx *tx, const struct order_event_new *event,
                      const struct sql_rows *rows);

#endif
