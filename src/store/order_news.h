/* What the board's stream tells: every order's events, each with its whole order, and payments that
 * are flagged. */
#ifndef SERVERY_STORE_ORDER_NEWS_H
#define SERVERY_STORE_ORDER_NEWS_H

#include "store/order.h"

/* An event, and its order as it is when that is read: never older than the event. */
struct order_news {
    struct order_event event;
    struct order order;
};

/* A payment that needs an admin, or did until he resolved it. */
struct payment_flags {
    int64_t id, order_id; /* order_id 0: none */
    enum payment_status status;
    struct str needs_attention; /* the reason's code; STR_NONE: none */
    bool refund_due;
};

/* A transaction function: the events of these ids, and those of the payments that are flagged or
 * were resolved, both by id. Each id once, in any order. */
struct order_news_find {
    const int64_t *event_ids, *payment_ids;
    size_t n_events, n_payments;
    struct order_news *news; /* out */
    struct payment_flags *payments;
    size_t n_news, n_flagged;
};
MUST_CHECK enum err order_news_find(struct tx *tx, void *find);

/* A transaction function: what a reader may have missed who was given an event and whatever was
 * told before it. It answers only what it is sure of: the event is known (0 is the beginning), and
 * no more than `limit` may have been missed: those of higher ids, and where transactions overlap
 * (tx_overlap_ms) those of lower ids that may have shown up after it. So there it gives some again
 * that the reader knows. */
struct order_news_since {
    int64_t after_id; /* negative: nothing is asked for but last_id and in_order */
    int64_t limit;
    bool in_order;           /* out: transactions do not overlap, so nothing of a lower id comes */
    bool sure;               /* else there is no news */
    struct order_news *news; /* oldest first */
    size_t n;
    int64_t last_id; /* the newest event there is; 0: none */
};
MUST_CHECK enum err order_news_since(struct tx *tx, void *since);

#endif
