/* Which of many sessions are still alive: for event streams, which outlive the call that opened
 * them. */
#ifndef SERVERY_STORE_SESSION_ALIVE_H
#define SERVERY_STORE_SESSION_ALIVE_H

#include "store/store.h"

/* A transaction function: alive[i] tells whether the session ids[i] is there and has not
 * expired. */
struct session_alive {
    const int64_t *ids; /* sorted, each once */
    size_t n;
    int64_t now_ms;
    bool *alive; /* out; n of them, the caller's */
};
MUST_CHECK enum err session_alive(struct tx *tx, void *alive);

#endif
