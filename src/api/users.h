/* What the account routes share: a user on the wire, the answer with a new session, who is counted
 * when something fails, and what people type. */
#ifndef SERVERY_API_USERS_H
#define SERVERY_API_USERS_H

#include "api/call.h"
#include "store/attempts.h"
#include "store/user.h"

void user_encode(struct json_writer *w, const char *key, const struct user *user);

/* 200 {user, token, expires_at} and the session's cookie. */
void answer_session(struct call *c, const struct user *user, struct str token,
                    int64_t expires_at_ms);

/* `name` (an email's key, a phone, …), alone and together with the client's address, and that. */
struct attempt_subject subject_of(struct call *c, struct str name);

/* Counts a wrong password, in a transaction of its own; rate_limited if it was one too many. */
MUST_CHECK enum err count_wrong_password(struct call *c, const struct attempt_subject *subject);

/* An optional phone brought to E.164; phone_invalid. */
MUST_CHECK enum err phone_check(struct call *c, struct str country_code, struct opt_str *phone);

#endif
