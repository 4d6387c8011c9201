/* Who calls: the token of a request, its session, and what a route lets pass. */
#ifndef SERVERY_API_AUTH_H
#define SERVERY_API_AUTH_H

#include "api/call.h"

/* Finds the bearer token or the session cookie; the call's token stays STR_NONE without one. An
 * Authorization of another scheme is none of ours and no error where nobody has to log in. */
void auth_token(struct call *c);

/* A session as a transaction found it: 401 if it is gone, 403 if disabled or (admin) not an
 * admin. */
MUST_CHECK enum err auth_check(struct call *c, const struct session *session);

/* Runs fn in the transaction with the call's session checked again. The session is asked ahead, so
 * it costs no trip: fn may have run for one that is over, and is then refused all the same,
 * whatever it said. */
MUST_CHECK enum err auth_run_checked(struct call *c, struct tx *tx, tx_fn *fn, void *arg);

/* The stored form of a session's token. */
struct str auth_token_hash(struct call *c, struct str token);

#endif
