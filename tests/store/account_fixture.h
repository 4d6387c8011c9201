/* What the tests of accounts share: short ways to a sign-up, a user, a session. */
#ifndef SERVERY_TESTS_STORE_ACCOUNT_FIXTURE_H
#define SERVERY_TESTS_STORE_ACCOUNT_FIXTURE_H

#include "shop_fixture.h"

#include "domain/limits.h"
#include "store/session.h"
#include "store/signup.h"

#define T0 SHOP_NOW_MS

/* What is stored of a text that is a secret outside. */
struct str account_secret(struct shop_fixture *s, const char *text);
struct attempt_subject account_subject(struct shop_fixture *s, const char *who, const char *client);

/* The first seven letters, then 2, 3, 4, 5. */
struct user_codes account_codes(const char *first);

/* Each with a token of its own; the code is 123456. */
struct signup_create account_signup(struct shop_fixture *s, const char *email, const char *client,
                                    int64_t now_ms);
/* otp NULL: what was typed is no code. */
struct signup_verify account_verify(struct shop_fixture *s, struct str token_hash, const char *otp,
                                    const struct user_codes *codes, int64_t now_ms);

/* A user who signed up and verified, from the client "setup". He has a session already. */
struct user account_make(struct shop_fixture *s, const char *email, const char *phone,
                         const char *code);
struct user account_get(struct shop_fixture *s, int64_t id);

struct account_session {
    struct str token_hash;
    int64_t id, user_id, now_ms;
    struct session session; /* as found */
};
struct account_session account_session_make(struct shop_fixture *s, int64_t user_id,
                                            const char *token);
bool account_is_live(struct shop_fixture *s, struct account_session *session);

/* One of these statements. */
int64_t account_count(struct shop_fixture *s, const char *sql);
extern const char account_n_users[], account_n_signups[], account_n_mails[];
extern const char account_n_sessions[], account_n_attempts[];

/* The last write has told this of that user. */
bool account_has_event(const struct shop_fixture *s, enum store_event_kind kind, int64_t user_id);

#endif
