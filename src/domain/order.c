/* The lifecycle of an order as a table, the only place that knows what may follow what. */
#include "domain/order.h"

#include <assert.h>

/* Which fulfilment a transition is for, as bits. */
enum { PICKUP = 1, DELIVERY = 2, ANY = PICKUP | DELIVERY };

/* A cell that is not named is 0: the transition does not exist. */
static const unsigned char transitions[ORDER_STATUSES][ORDER_STATUSES] = {
    [ORDER_PENDING] = {[ORDER_CONFIRMED] = ANY, [ORDER_CANCELLED] = ANY},
    [ORDER_CONFIRMED] = {[ORDER_PREPARING] = ANY, [ORDER_CANCELLED] = ANY},
    [ORDER_PREPARING] = {[ORDER_READY] = ANY, [ORDER_CANCELLED] = ANY},
    [ORDER_READY] =
        {[ORDER_OUT_FOR_DELIVERY] = DELIVERY, [ORDER_COMPLETED] = PICKUP, [ORDER_CANCELLED] = ANY},
    [ORDER_OUT_FOR_DELIVERY] = {[ORDER_COMPLETED] = ANY, [ORDER_CANCELLED] = ANY},
};

static const char *const status_texts[ORDER_STATUSES] = {
    [ORDER_PENDING] = "pending",
    [ORDER_CONFIRMED] = "confirmed",
    [ORDER_PREPARING] = "preparing",
    [ORDER_READY] = "ready",
    [ORDER_OUT_FOR_DELIVERY] = "out_for_delivery",
    [ORDER_COMPLETED] = "completed",
    [ORDER_CANCELLED] = "cancelled",
};

struct str order_status_text(enum order_status status)
{
    assert(status < ORDER_STATUSES);
    return str_from(status_texts[status]);
}

bool order_status_parse(struct str text, enum order_status *ret_status)
{
    for (size_t i = 0; i < ORDER_STATUSES; i++) {
        if (str_is(text, status_texts[i])) {
            *ret_status = (enum order_status)i;
            return true;
        }
    }
    return false;
}

struct str fulfilment_text(enum fulfilment fulfilment)
{
    return fulfilment == FULFILMENT_DELIVERY ? STR("delivery") : STR("pickup");
}

bool fulfilment_parse(struct str text, enum fulfilment *ret_fulfilment)
{
    if (str_is(text, "pickup")) {
        *ret_fulfilment = FULFILMENT_PICKUP;
        return true;
    }
    if (str_is(text, "delivery")) {
        *ret_fulfilment = FULFILMENT_DELIVERY;
        return true;
    }
    return false;
}

struct str actor_text(enum actor actor)
{
    switch (actor) {
    case ACTOR_CUSTOMER:
        return STR("customer");
    case ACTOR_ADMIN:
        return STR("admin");
    case ACTOR_SYSTEM:
        return STR("system");
    }
    assert(false);
    return STR_NONE;
}

bool order_may_go(enum order_status from, enum order_status to, enum fulfilment fulfilment)
{
    assert(from < ORDER_STATUSES && to < ORDER_STATUSES);
    unsigned way = fulfilment == FULFILMENT_DELIVERY ? DELIVERY : PICKUP;
    return (transitions[from][to] & way) != 0;
}

size_t order_allowed(enum order_status from, enum fulfilment fulfilment,
                     enum order_status ret_allowed[static ORDER_STATUSES])
{
    size_t n = 0;
    for (size_t to = 0; to < ORDER_STATUSES; to++) {
        if (order_may_go(from, (enum order_status)to, fulfilment))
            ret_allowed[n++] = (enum order_status)to;
    }
    return n;
}

bool order_cancel_returns_stock(enum order_status from)
{
    return from == ORDER_PENDING || from == ORDER_CONFIRMED;
}
