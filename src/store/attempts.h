/* What is counted over a sliding window, so that nobody can guess passwords or have mails sent
 * without end. Counted in the database, so that all servers of a shop count together. */
#ifndef SERVERY_STORE_ATTEMPTS_H
#define SERVERY_STORE_ATTEMPTS_H

#include "store/store.h"

enum attempt_kind {
    ATTEMPT_CODE,  /* a one-time code mailed, to sign up */
    ATTEMPT_RESET, /* a link mailed, to choose a new password */
    ATTEMPT_LOGIN, /* a wrong password */
};

/* Keyed hashes of who is counted: an email, a phone or a user; the same together with the client's
 * address; and that address. */
struct attempt_subject {
    struct str alone, with_client, client;
};

/* When one more is allowed: now_ms or before if at once. An attempt at t leaves a window of w at
 * exactly t + w. In a write nobody else can count the same subject until the transaction ends. */
MUST_CHECK enum err attempts_check(struct tx *tx, enum attempt_kind kind,
                                   const struct attempt_subject *subject, int64_t now_ms,
                                   int64_t *ret_free_at_ms);

MUST_CHECK enum err attempts_add(struct tx *tx, enum attempt_kind kind,
                                 const struct attempt_subject *subject, int64_t now_ms);

#endif
