/* The payment state machine, pure: what a status means, and what news about it must do.
 *
 *     creating → pending → paid | failed | expired | cancelled
 *
 * and with a remote provider through `cancelling` before expired or cancelled. */
#ifndef SERVERY_DOMAIN_PAYMENT_H
#define SERVERY_DOMAIN_PAYMENT_H

#include "base/problem.h"

enum payment_status {
    PAYMENT_CREATING,
    PAYMENT_PENDING,
    PAYMENT_PAID,
    PAYMENT_FAILED,
    PAYMENT_EXPIRED,
    PAYMENT_CANCELLING,
    PAYMENT_CANCELLED,
    PAYMENT_STATUSES,
};

struct str payment_status_text(enum payment_status status);
bool payment_status_parse(struct str text, enum payment_status *ret_status);

/* Open: creating or pending. At most one a user. */
bool payment_is_open(enum payment_status status);

/* What the status counts as now: an open payment is expired from `expires_at_ms` on (cancelling, if
 * the provider is remote and must confirm first), whether or not it was swept. */
enum payment_status payment_effective(enum payment_status stored, int64_t expires_at_ms,
                                      int64_t now_ms, bool remote);

enum payment_action {
    PAYMENT_IGNORE,            /* nothing changes: the news is old, or the same again */
    PAYMENT_ORDER,             /* paid: make the order from the hold */
    PAYMENT_ORDER_IF_POSSIBLE, /* paid late: make it if every line can still be sold and the user
                                   has no newer open payment; else flag */
    PAYMENT_FLAG,              /* money that fits no order: needs_attention */
    PAYMENT_FAIL,              /* failed: release the hold */
    PAYMENT_CONFIRM_CANCEL,    /* a cancelling one is now known unpayable: release the hold */
};

/* The provider says paid. matches: amount and currency of the news are the payment's; money that
 * does not match is flagged whatever the status, that of a paid payment too: it was sent again. */
enum payment_action payment_on_paid(enum payment_status effective, bool matches);

/* The provider says that it can no longer be paid. Never undoes anything. */
enum payment_action payment_on_failed(enum payment_status effective);

/* The test provider's rule for simulate. `outcome` is "paid" or "failed" (anything else: a row
 * invalid_value), `outcome_before` the one given before, or STR_NONE. ERR_OK: *ret_again tells
 * whether it is the same one again, and nothing is to be done. ERR_PROBLEM with payment_conflict:
 * another outcome was given already, or the payment is paid or failed without one. Once the payment
 * has expired or was given up, any outcome is late news and never in conflict. */
MUST_CHECK enum err payment_simulate_check(enum payment_status effective, struct str outcome_before,
                                           struct str outcome, bool *ret_again,
                                           struct problem *problem);

#endif
