/* Idempotency keys: the first 2xx answer to an authenticated POST, stored in the transaction of its
 * effect and replayed for IDEMPOTENCY_LIFETIME_MS to the same user, path and body. */
#ifndef SERVERY_STORE_IDEMPOTENCY_H
#define SERVERY_STORE_IDEMPOTENCY_H

#include "base/problem.h"
#include "store/store.h"

struct idempotency {
    int64_t user_id;
    struct str path, key; /* key STR_NONE: none was sent, and find and save do nothing */
    struct str body_hash;
    int64_t now_ms;
    /* found, or to be saved */
    int64_t status;     /* 0: none stored, or payment_id stands for it */
    int64_t payment_id; /* 0: none */
    struct str location, body;
};

/* *ret_found tells whether a row not older than its lifetime is there, and fills status,
 * payment_id, location and body. ERR_PROBLEM with idempotency_key_reused if it was for another
 * body. */
MUST_CHECK enum err idempotency_find(struct tx *tx, struct idempotency *key, bool *ret_found,
                                     struct problem *problem);
MUST_CHECK enum err idempotency_save(struct tx *tx, const struct idempotency *key);

#endif
