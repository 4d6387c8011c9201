/* `servery check`: the invariants of the data, verified while the shop is open. */
#ifndef SERVERY_STORE_CHECK_H
#define SERVERY_STORE_CHECK_H

#include "store/store.h"

/* Called for each breach: the rule's name, the row (an order, a payment, a food), what is wrong. */
typedef void store_check_report(void *ctx, const char *rule, int64_t id, const char *detail);

struct store_check_counts {
    int64_t foods, payments, orders, breaches;
};

/* Reads in slices of at most 1,000 rows, so it can run beside a busy server for as long as it takes.
 * An error means that it could not be completed, not that something is wrong. */
MUST_CHECK enum err store_check(struct store *store, store_check_report *report, void *ctx,
                                struct store_check_counts *ret_counts);

#endif
