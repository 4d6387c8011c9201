/* What was sold, day by day, and what is open now. */
#ifndef SERVERY_STORE_SUMMARY_H
#define SERVERY_STORE_SUMMARY_H

#include "domain/limits.h"
#include "domain/order.h"
#include "store/store.h"

struct summary_day {
    int64_t from_ms, to_ms; /* in: orders made in [from, to) */
    int64_t orders;         /* out: all of them */
    int64_t cancelled;      /* of which are cancelled now */
    int64_t revenue;        /* the totals of those that are not */
};

struct summary_food {
    int64_t food_id, quantity, revenue; /* in orders that are not cancelled */
    struct str name;                    /* its present one */
};

struct summary {
    struct summary_day *days; /* each [from, to) in */
    size_t n_days;
    int64_t by_status[ORDER_STATUSES];        /* out: of the days' orders */
    struct summary_food foods[SUMMARY_FOODS]; /* the most units first */
    size_t n_foods;
    int64_t open[ORDER_STATUSES]; /* of all orders, now; 0 for those that are final */
    int64_t needs_attention, refund_due;
};

/* Reads each day on its own, and a day of more than SUMMARY_SLICE orders in pieces: no snapshot is
 * held for long, whatever is asked for. So an order that is cancelled meanwhile is counted as it
 * was when its piece was read. */
enum { SUMMARY_SLICE = 5000 };
MUST_CHECK enum err summary_read(struct store *store, struct arena *arena, struct summary *summary);

#endif
