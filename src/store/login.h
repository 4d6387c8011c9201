/* Logging in: whose password is compared, who may not even try, and the session at the end. The
 * comparing itself is the caller's, between login_find and one of the other two. */
#ifndef SERVERY_STORE_LOGIN_H
#define SERVERY_STORE_LOGIN_H

#include "store/attempts.h"
#include "store/user.h"

struct login {
    struct str email_key, phone; /* the identifier: one of them, or none if it can be nobody's */
    struct attempt_subject subject;
    struct str session_token_hash; /* for login_complete */
    int64_t now_ms;
    struct problem *problem;
    /* out of login_find */
    int64_t user_id;          /* 0: no user */
    bool pending;             /* no user, but a sign-up that waits for its code */
    struct str password_hash; /* of the user or the sign-up; STR_NONE: of nobody */
    /* out of login_complete */
    struct user user;
    int64_t session_expires_at_ms;
};

/* Reads. rate_limited after too many wrong passwords for the identifier or from the address. */
MUST_CHECK enum err login_find(struct tx *tx, void *login);

/* A wrong password, which is counted, and so must be committed: the limit is an outcome and no
 * error. Those who were compared at the same time as others hear that they were too many. */
struct login_failure {
    struct attempt_subject subject;
    int64_t now_ms;
    int64_t retry_after_ms; /* out; 0: it was not one too many */
};
MUST_CHECK enum err login_fail(struct tx *tx, void *failure);

/* A right password of a user. rate_limited as above, so that a guess made beside many others is
 * worth nothing; invalid_credentials if the password was changed meanwhile; account_disabled. */
MUST_CHECK enum err login_complete(struct tx *tx, void *login);

/* rate_limited if the subject had too many wrong passwords. */
MUST_CHECK enum err login_check(struct tx *tx, const struct attempt_subject *subject,
                                int64_t now_ms, struct problem *problem);

#endif
