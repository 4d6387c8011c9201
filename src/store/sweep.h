/* What time alone makes due: holds to release, providers to ask, old rows to forget. In slices, so
 * that a sweep never keeps the shop waiting; run again while `more`. */
#ifndef SERVERY_STORE_SWEEP_H
#define SERVERY_STORE_SWEEP_H

#include "store/payment.h"

enum {
    SWEEP_ROWS = 200,    /* deleted in one slice */
    SWEEP_PAYMENTS = 50, /* expired in one slice: each gives back up to CART_LINES_MAX foods */
    SWEEP_CALLS = 4,     /* payments to call a provider about, taken at once */
};

/* A read: whether a payment is past its time, or `provider` is to be asked about one. */
struct sweep_due {
    int64_t now_ms;
    struct str provider;
    bool payments, calls; /* out */
};
MUST_CHECK enum err sweep_due(struct tx *tx, void *due);

/* Expires payments past their time. */
struct sweep_payments {
    int64_t now_ms;
    bool more; /* out */
};
MUST_CHECK enum err sweep_payments(struct tx *tx, void *sweep);

/* Claims payments of this remote provider that nobody is calling about, those waiting longest
 * first: creating ones to be created, pending ones to be looked at, cancelling ones to be cancelled. */
struct sweep_calls {
    int64_t now_ms, claim_until_ms;
    struct str provider;
    struct payment payments[SWEEP_CALLS]; /* out */
    size_t n;
};
MUST_CHECK enum err sweep_calls(struct tx *tx, void *sweep);

/* Forgets old rows: sign-ups, sessions, resets, attempts, idempotency keys, mail that is done. */
struct sweep_old {
    int64_t now_ms;
    bool more; /* out */
};
MUST_CHECK enum err sweep_old(struct tx *tx, void *sweep);

#endif
