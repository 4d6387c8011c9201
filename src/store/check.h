/* `servery check`: the invariants of the data, verified while the shop is open. */
#ifndef SERVERY_STORE_CHECK_H
#define SERVERY_STORE_CHECK_H

#include "store/store.h"

/* Called for each breach: the rule's name, the row (an order, a payment, a food), what is wrong. */
typedef void store_check_report(void *ctx, const char *rule, int64_t id, const char *detail);

struct store_check_counts {
    int64_t foods, payments, orders, breaches;
};

/* Reads the foods, payments and orders in slices of 1,000 ids, each with its lines and events in a
 * read of its own, so it can run beside a busy server for as long as it takes. One last read
 * compares the foods' counters, by sums: it looks at every food, every hold that is not released,
 * and the orders made or cancelled since the check began (and, where ids are not committed in their
 * order, the newest then), however many orders there are. Memory: 8
 * bytes for each order that could still be cancelled with its stock. is_cancelled is asked before
 * each slice (NULL: never). An error means that it could not be completed, not that something is
 * wrong. */
MUST_CHECK enum err store_check(struct store *store, store_check_report *report, void *ctx,
                                bool (*is_cancelled)(void), struct store_check_counts *ret_counts);

#endif
