/* The lifecycle of an order: one table of transitions, used by the one function that changes a
 * status (store/order.c) and by whoever wants to know what is allowed. */
#ifndef SERVERY_DOMAIN_ORDER_H
#define SERVERY_DOMAIN_ORDER_H

#include "base/str.h"

enum order_status {
    ORDER_PENDING,
    ORDER_CONFIRMED,
    ORDER_PREPARING,
    ORDER_READY,
    ORDER_OUT_FOR_DELIVERY,
    ORDER_COMPLETED,
    ORDER_CANCELLED,
    ORDER_STATUSES,
};

enum fulfilment { FULFILMENT_PICKUP, FULFILMENT_DELIVERY };
enum actor { ACTOR_CUSTOMER, ACTOR_ADMIN, ACTOR_SYSTEM };

struct str order_status_text(enum order_status status);
bool order_status_parse(struct str text, enum order_status *ret_status);
struct str fulfilment_text(enum fulfilment fulfilment);
bool fulfilment_parse(struct str text, enum fulfilment *ret_fulfilment);
struct str actor_text(enum actor actor);

bool order_may_go(enum order_status from, enum order_status to, enum fulfilment fulfilment);

/* The statuses that may follow, in the order of the enum; returns how many. */
size_t order_allowed(enum order_status from, enum fulfilment fulfilment,
                     enum order_status ret_allowed[static ORDER_STATUSES]);

/* Whether cancelling from this status gives the units back (later the food is cooked). */
bool order_cancel_returns_stock(enum order_status from);

#endif
