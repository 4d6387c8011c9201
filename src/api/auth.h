/* Who calls: the token of a request, its session, and what a route lets pass. */
#ifndef SERVERY_API_AUTH_H
#define SERVERY_API_AUTH_H

#include "api/call.h"

/* Finds the bearer token or the session cookie; the call's token stays STR_NONE without one. An
 * Authorization of another scheme is none of ours and no error where nobody has to log in. */
void auth_token(struct call *c);

/* A session as a transaction found it: 401 if it is gone, 403 if disabled or (admin) not an admin. */
MUST_CHECK enum err auth_check(struct call *c, const struct session *session);

/* Checks the call's session again as it is in this transaction. */
MUST_CHECK enum err auth_recheck(struct call *c, struct tx *tx);

/* The stored form of a session's token. */
struct str auth_token_hash(struct call *c, struct str token);

#endif
