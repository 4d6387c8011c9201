/* Sign-ups that wait for their code. They block nobody: several may name the same email or phone;
 * who is first is settled when a code is verified. */
#ifndef SERVERY_STORE_SIGNUP_H
#define SERVERY_STORE_SIGNUP_H

#include "store/attempts.h"
#include "store/outbox.h"
#include "store/user.h"

/* Refused in this order: referral_code_invalid, email_taken or phone_taken, otp_cooldown. */
struct signup_create {
    struct str email, email_key, phone, name;
    struct str referral_code; /* normalized; STR_NONE: none given */
    struct str password_hash; /* for signup_create only */
    struct str token_hash, otp_hash;
    struct attempt_subject subject;
    struct outbox_mail mail;
    int64_t now_ms;
    struct problem *problem;
    int64_t otp_expires_at_ms; /* out */
    int64_t resend_at_ms;      /* out, with otp_cooldown as well: when the next code may go out */
};

/* What can refuse it, without changing anything: asked before the costly hash is made. */
MUST_CHECK enum err signup_check(struct tx *tx, void *signup);
MUST_CHECK enum err signup_create(struct tx *tx, void *signup);

/* A pending sign-up by its token; or the newest one of an email or phone (the other STR_NONE). */
struct signup_find {
    struct str token_hash, email_key, phone;
    int64_t now_ms;
    int64_t id; /* out; 0: none */
    struct str email, found_email_key, password_hash;
};
MUST_CHECK enum err signup_find(struct tx *tx, void *find);

/* A new code; the old one no longer works. not_found, email_taken or phone_taken, otp_cooldown. */
struct signup_resend {
    struct str token_hash, otp_hash;
    struct attempt_subject subject;
    struct outbox_mail mail;
    int64_t now_ms;
    struct problem *problem;
    int64_t otp_expires_at_ms, resend_at_ms; /* out, as in signup_create */
};
MUST_CHECK enum err signup_resend(struct tx *tx, void *resend);

/* One try. A wrong one must be committed, so it is an outcome and no error: the function returns
 * ERR_OK with it. email_taken and phone_taken (and nothing changed) if somebody was faster. When it
 * is verified the sign-up is a user with a session, and gone: its token is then unknown. */
enum signup_outcome {
    SIGNUP_VERIFIED,
    SIGNUP_UNKNOWN,
    SIGNUP_LOCKED, /* after OTP_ATTEMPTS_MAX wrong tries; resend_at_ms: when to get a new code */
    SIGNUP_EXPIRED,
    SIGNUP_WRONG, /* attempts_left says how many tries the code has */
};
struct signup_verify {
    struct str token_hash;
    struct str otp_hash; /* STR_NONE: not six digits, which is wrong but costs no try */
    struct str session_token_hash;
    const struct user_codes *codes;
    int64_t now_ms;
    struct problem *problem;
    enum signup_outcome outcome; /* out */
    int64_t attempts_left, resend_at_ms;
    struct user user;
    int64_t session_expires_at_ms;
};
MUST_CHECK enum err signup_verify(struct tx *tx, void *verify);

#endif
