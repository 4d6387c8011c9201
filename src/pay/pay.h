/* Asking a remote payment provider: the call, and what its answer means to the payment. The one
 * place where the network meets a payment, for the handlers who create one and for the reconciler
 * alike.
 *
 * A call stands between two transactions, never inside one: the caller has claimed the payment in
 * the first; the second applies the answer as news, or gives the claim back. */
#ifndef SERVERY_PAY_PAY_H
#define SERVERY_PAY_PAY_H

#include "base/crypto.h"
#include "net/provider.h"
#include "store/payment.h"

/* Calls that wait for the provider at once, on workers that local writes need too: a provider that
 * hangs costs its customers their checkout, and nobody else his. */
enum { PAY_CALLS_MAX = 8 };

/* What a call needs; views of what its owner keeps. */
struct pay {
    _Atomic int
        *calls; /* how many are under way, of all who share the counter; NULL: not bounded */
    struct store *store;
    const struct payment_provider *provider; /* the one that is configured */
    const struct crypto_keys *keys;
    struct str public_url;
};

/* The remote provider that is configured, as the store wants it: "" if none is. */
struct str pay_provider_name(const struct payment_provider *provider);

/* Asks the payment's provider what its status calls for: a creating one is created, a cancelling
 * one cancelled, a pending one looked at. *ret_answered false: no answer came, PAY_CALLS_MAX are
 * under way, or the provider is no longer configured; the claim is given back. Else *ret_payment is
 * the payment after the answer. An error is the second transaction's: what the provider did stands,
 * and the claim runs out by itself. */
MUST_CHECK enum err pay_ask(const struct pay *pay, struct arena *arena,
                            const struct payment *payment, bool *ret_answered,
                            struct payment *ret_payment);

#endif
