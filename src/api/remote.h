/* A handler's call to a remote payment provider, between two transactions. */
#ifndef SERVERY_API_REMOTE_H
#define SERVERY_API_REMOTE_H

#include "api/call.h"
#include "store/payment.h"

/* Asks the provider to create the payment, which this caller has claimed, and applies its answer;
 * the payment is then as it is after that. ERR_PROBLEM with provider_unavailable if there was no
 * answer: the payment stays as it is, for the same call or the reconciler to try again. Other
 * errors as by remote_error. */
MUST_CHECK enum err remote_create(struct call *c, struct payment *payment);

/* What a transaction that failed after the payment was committed comes to: ERR_UNAVAILABLE, by
 * which a client hears that nothing was changed, becomes ERR_PROBLEM in words that are true. */
MUST_CHECK enum err remote_error(struct call *c, enum err err);

#endif
