/* The one place that writes a payment's history: what made it need somebody, and what was done
 * about it. For src/store/ only. */
#ifndef SERVERY_STORE_PAYMENT_EVENT_H
#define SERVERY_STORE_PAYMENT_EVENT_H

#include "store/payment.h"

enum payment_event_kind {
    PAYMENT_EVENT_FLAGGED,    /* needs_attention was raised, or raised again */
    PAYMENT_EVENT_REFUND_DUE, /* its order was cancelled */
    PAYMENT_EVENT_CLEARED,    /* what was flagged came right by itself */
    PAYMENT_EVENT_RESOLVED,   /* by an admin */
    PAYMENT_EVENT_REOPENED,
    PAYMENT_EVENT_NOTED,
};

struct payment_event_new {
    int64_t payment_id;
    enum payment_event_kind what;
    struct str reason; /* STR_NONE: none */
    bool refund_due;
    struct str paid_currency; /* STR_NONE: no money came */
    int64_t paid_amount;
    struct str note;  /* STR_NONE: none */
    int64_t actor_id; /* 0: none */
    int64_t at_ms;
};

MUST_CHECK enum err payment_event_add(struct tx *tx, const struct payment_event_new *event);

/* The same of FLAGGED with money, unless the last event says just that: news that is told over and
 * over is one event. */
MUST_CHECK enum err payment_event_add_news(struct tx *tx, const struct payment_event_new *event);

/* The last word of an admin: whether what was flagged is resolved (and not reopened since), and
 * what it was. Nothing was ever resolved: false. */
struct payment_resolution {
    bool resolved;
    struct str reason; /* STR_NONE: none */
    bool refund_due;
    struct str note;
};
MUST_CHECK enum err payment_event_resolution(struct tx *tx, int64_t payment_id,
                                             struct payment_resolution *ret_resolution);

#endif
