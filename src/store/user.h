/* Users: verified accounts, what they and the admins change in them, and whom they referred. */
#ifndef SERVERY_STORE_USER_H
#define SERVERY_STORE_USER_H

#include "base/json.h"
#include "domain/account.h"
#include "store/store.h"

struct user {
    int64_t id; /* 0: none */
    struct str email, email_key;
    struct str phone, name; /* STR_NONE: none */
    enum role role;
    struct str password_hash;
    struct str referral_code;
    bool disabled;
    int64_t created_at_ms;
};

/* id 0 if there is none. A key or phone that is STR_NONE finds nobody. */
MUST_CHECK enum err user_find(struct tx *tx, int64_t id, struct user *ret_user);
MUST_CHECK enum err user_find_by_email(struct tx *tx, struct str email_key, struct user *ret_user);
MUST_CHECK enum err user_find_by_phone(struct tx *tx, struct str phone, struct user *ret_user);
MUST_CHECK enum err user_find_by_referral_code(struct tx *tx, struct str code,
                                               struct user *ret_user);

/* email_taken and phone_taken, each as a row, if another user than except_id has them. A phone that
 * is STR_NONE is never taken. */
MUST_CHECK enum err user_check_free(struct tx *tx, struct str email_key, struct str phone,
                                    int64_t except_id, struct problem *problem);

/* A code that another user has is passed over for the next candidate. */
enum { USER_CODES = 4 };
struct user_codes {
    char texts[USER_CODES][REFERRAL_CODE_CHARS + 1];
};

/* Draws the candidates; outside the transaction, which may run twice. */
void user_codes_draw(struct user_codes *ret_codes);

struct user_new {
    struct str email, email_key, phone, name, password_hash;
    enum role role;
    int64_t referrer_id; /* 0: none */
    const struct user_codes *codes;
    int64_t now_ms;
};

/* email_taken or phone_taken if somebody has them. */
MUST_CHECK enum err user_insert(struct tx *tx, const struct user_new *user, struct problem *problem,
                                int64_t *ret_id);

/* Replaces the password, voids the reset links that are out, ends every session but keep_id (0:
 * none is kept). */
MUST_CHECK enum err user_set_password(struct tx *tx, int64_t user_id, struct str password_hash,
                                      int64_t keep_session_id);

/* ---- Transaction functions ---- */

struct user_get {
    int64_t user_id;
    struct user user; /* out; id 0: none */
};
MUST_CHECK enum err user_get(struct tx *tx, void *get);

/* What a user changes in his own account; null clears. phone_taken. */
struct user_edit {
    int64_t user_id;
    struct opt_str name, phone; /* the phone as E.164 */
    struct problem *problem;
    struct user user; /* out */
};
MUST_CHECK enum err user_edit(struct tx *tx, void *edit);

/* What an admin changes in anybody's. Ends the user's sessions when his role changes or he is
 * disabled. not_found; last_admin when no enabled admin would be left. */
struct user_manage {
    int64_t user_id;
    bool set_role, set_disabled, clear_phone;
    enum role role;
    bool disabled;
    struct problem *problem;
    struct user user; /* out */
};
MUST_CHECK enum err user_manage(struct tx *tx, void *manage);

/* Makes a verified admin, or makes the user of that email one: enabled, with the new password, and
 * his sessions ended. */
struct user_make_admin {
    struct str email, email_key, password_hash;
    const struct user_codes *codes;
    int64_t now_ms;
    struct problem *problem; /* only to be there: nothing is refused */
    bool created;            /* out */
    struct user user;
};
MUST_CHECK enum err user_make_admin(struct tx *tx, void *make);

/* One page of the users, newest first. */
struct user_list {
    struct str needle; /* folded; STR_NONE: all */
    int64_t before_id; /* only ids below; ID_MAX + 1: from the newest */
    size_t limit;
    size_t n; /* out */
    bool more;
    struct user *users;
};
MUST_CHECK enum err user_list(struct tx *tx, void *list);

/* One page of those who signed up with a user's referral code, newest first. */
struct user_referral {
    int64_t user_id;
    struct str name;
    int64_t joined_at_ms;
};
struct user_referrals {
    int64_t user_id;
    int64_t before_id;
    size_t limit;
    struct str referral_code; /* out */
    int64_t count;            /* of all */
    size_t n;
    bool more;
    struct user_referral *items;
};
MUST_CHECK enum err user_referrals(struct tx *tx, void *referrals);

#endif
