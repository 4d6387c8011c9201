/* What waits in the shop just now, for the metrics and the summary: counted along partial indexes
 * on what is open, so that it costs as much as there is to do and not as much as was ever done. */
#ifndef SERVERY_STORE_GAUGES_H
#define SERVERY_STORE_GAUGES_H

#include "domain/order.h"
#include "store/store.h"

struct gauges {
    int64_t mails_waiting, oldest_mail_ms; /* ms: when it was written; 0: none waits */
    int64_t payments_open;                 /* creating or pending */
    int64_t payments_attention, payments_refund;
    int64_t orders[ORDER_COMPLETED]; /* of each status before the final ones */
    int64_t oldest_pending_order_ms; /* when it was placed; 0: none waits */
};

/* A transaction function for store_read; the argument is a struct gauges. */
MUST_CHECK enum err gauges_read(struct tx *tx, void *gauges);

#endif
