/* A new password: by who knows the old one, or by a mailed link that works once. */
#ifndef SERVERY_STORE_RESET_H
#define SERVERY_STORE_RESET_H

#include "store/attempts.h"
#include "store/outbox.h"
#include "store/user.h"

/* Mails a link if the email is a user's and the limits allow it. Refuses nothing and tells nothing:
 * whether there is such a user must not show, in
 * the time either, so as much is written for nobody, and deleted in the same transaction. */
struct reset_request {
    struct str email_key;
    struct str token_hash;
    struct attempt_subject subject;
    struct outbox_mail mail; /* without its recipient, which is the user's email as he wrote it */
    int64_t now_ms;
};
MUST_CHECK enum err reset_request(struct tx *tx, void *request);

/* Whose link it is; 0: unknown, used or expired. */
struct reset_find {
    struct str token_hash;
    int64_t now_ms;
    int64_t user_id; /* out */
};
MUST_CHECK enum err reset_find(struct tx *tx, void *find);

/* Uses the link: the new password, all sessions end. token_expired if it is no longer good. */
struct reset_confirm {
    int64_t user_id; /* as found */
    struct str token_hash, password_hash;
    int64_t now_ms;
    struct problem *problem;
};
MUST_CHECK enum err reset_confirm(struct tx *tx, void *confirm);

/* The change by who knows the password: what to compare with; rate_limited after too many wrong
 * ones (counted by login_fail). */
struct password_change {
    int64_t user_id, session_id;
    struct attempt_subject subject;
    struct str new_hash; /* for password_change */
    int64_t now_ms;
    struct problem *problem;
    struct str password_hash; /* out of password_find */
};
MUST_CHECK enum err password_find(struct tx *tx, void *change);

/* Keeps the session, ends the user's others. rate_limited as above; password_wrong if it was
 * changed since it was compared. */
MUST_CHECK enum err password_change(struct tx *tx, void *change);

#endif
