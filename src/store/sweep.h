/* What time alone makes due: holds to release, providers to ask, old rows to forget. In slices, so
 * that a sweep never keeps the shop waiting; run again while `more`.
 *
 * Several servers sweep side by side, and none waits for one that has died. Each slice of a kind
 * holds a lock of that kind to its end (the first that it takes), so that another server's next
 * slice finds what is left, and not the same rows. */
#ifndef SERVERY_STORE_SWEEP_H
#define SERVERY_STORE_SWEEP_H

#include "store/payment.h"

enum {
    SWEEP_ROWS = 200,    /* deleted in one slice */
    SWEEP_PAYMENTS = 50, /* expired in one slice: each gives back up to CART_LINES_MAX foods */
    SWEEP_IMAGES = 16,   /* deleted in one slice: each may be 1 MiB */
    SWEEP_CALLS = 4,     /* payments to call a provider about, taken at once */
    SWEEP_PROVIDERS = 8, /* told of when they are gone */
};

/* `provider`, here and below: the remote provider that is configured; "" if none is. */

/* A read: whether a payment is past its time, the provider is to be asked about one, one waits in
 * vain for a provider that is gone, or there may be a picture to forget. */
struct sweep_due {
    int64_t now_ms;
    struct str provider;
    bool payments, calls, gone, images; /* out */
};
MUST_CHECK enum err sweep_due(struct tx *tx, void *due);

/* Expires payments past their time. */
struct sweep_payments {
    int64_t now_ms;
    bool more; /* out */
};
MUST_CHECK enum err sweep_payments(struct tx *tx, void *sweep);

/* Claims payments of the provider that nobody is calling about, those waiting longest first:
 * creating ones to be created, pending ones to be looked at, cancelling ones to be cancelled. */
struct sweep_calls {
    int64_t now_ms, claim_until_ms;
    struct str provider;
    struct payment payments[SWEEP_CALLS]; /* out */
    size_t n;
};
MUST_CHECK enum err sweep_calls(struct tx *tx, void *sweep);

/* A read: the other remote providers that open and cancelling payments were made with. Nobody asks
 * them any more. */
struct sweep_gone_count {
    struct str provider;
    struct {
        struct str name;
        int64_t payments;
    } providers[SWEEP_PROVIDERS]; /* out */
    size_t n;
};
MUST_CHECK enum err sweep_gone_count(struct tx *tx, void *count);

/* Payments of providers that are gone: past their time they are flagged, so that somebody looks
 * there himself; PROVIDER_GONE_MS later they count as closed, and give their units back. */
struct sweep_gone {
    int64_t now_ms;
    struct str provider;
    struct payment payments[SWEEP_PAYMENTS]; /* out: flagged, or (no longer cancelling) closed */
    size_t n;
    bool more;
};
MUST_CHECK enum err sweep_gone(struct tx *tx, void *sweep);

/* Forgets pictures that no food names, IMAGE_KEPT_MS after the last one let go of them. */
struct sweep_images {
    int64_t now_ms;
    size_t n_forgotten; /* out */
    bool more;
};
MUST_CHECK enum err sweep_images(struct tx *tx, void *sweep);

/* Forgets old rows: sign-ups, sessions, resets, attempts, idempotency keys, mail that is done. */
struct sweep_old {
    int64_t now_ms;
    bool more; /* out */
};
MUST_CHECK enum err sweep_old(struct tx *tx, void *sweep);

#endif
