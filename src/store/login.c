#include "store/login.h"

#include "store/session.h"
#include "store/signup.h"

enum err login_check(struct tx *tx, const struct attempt_subject *subject, int64_t now_ms,
                     struct problem *problem)
{
    int64_t free_at_ms;
    enum err err = attempts_check(tx, ATTEMPT_LOGIN, subject, now_ms, &free_at_ms);
    if (err || free_at_ms <= now_ms)
        return err;
    problem->retry_after_ms = free_at_ms - now_ms;
    return problem_set(problem, PROBLEM_RATE_LIMITED, "Too many wrong passwords.");
}

enum err login_find(struct tx *tx, void *arg)
{
    struct login *login = arg;
    struct user user;
    struct signup_find signup = {
        .email_key = login->email_key, .phone = login->phone, .now_ms = login->now_ms};

    problem_reset(login->problem);
    login->user_id = 0;
    login->pending = false;
    login->password_hash = STR_NONE;
    enum err err = login_check(tx, &login->subject, login->now_ms, login->problem);
    if (!err)
        err = login->email_key.ptr ? user_find_by_email(tx, login->email_key, &user)
                                   : user_find_by_phone(tx, login->phone, &user);
    /* Looked for even where it is not needed, so that all take the same time. */
    if (!err)
        err = signup_find(tx, &signup);
    if (err)
        return err;
    if (user.id != 0) {
        login->user_id = user.id;
        login->password_hash = user.password_hash;
    } else if (signup.id != 0) {
        login->pending = true;
        login->password_hash = signup.password_hash;
    }
    return ERR_OK;
}

enum err login_fail(struct tx *tx, void *arg)
{
    struct login_failure *failure = arg;
    int64_t free_at_ms;

    failure->retry_after_ms = 0;
    enum err err =
        attempts_check(tx, ATTEMPT_LOGIN, &failure->subject, failure->now_ms, &free_at_ms);
    if (err)
        return err;
    if (free_at_ms > failure->now_ms) {
        failure->retry_after_ms = free_at_ms - failure->now_ms;
        return ERR_OK;
    }
    return attempts_add(tx, ATTEMPT_LOGIN, &failure->subject, failure->now_ms);
}

enum err login_complete(struct tx *tx, void *arg)
{
    struct login *login = arg;
    struct user *user = &login->user;

    problem_reset(login->problem);
    login->session_expires_at_ms = 0;
    enum err err = tx_lock_user(tx, login->user_id);
    if (!err)
        err = login_check(tx, &login->subject, login->now_ms, login->problem);
    if (!err)
        err = user_find(tx, login->user_id, user);
    if (err)
        return err;
    if (user->id == 0 || !str_eq(user->password_hash, login->password_hash))
        return problem_set(login->problem, PROBLEM_INVALID_CREDENTIALS, NULL);
    if (user->disabled)
        return problem_set(login->problem, PROBLEM_ACCOUNT_DISABLED, NULL);
    return session_create(tx, user->id, login->session_token_hash, login->now_ms,
                          &login->session_expires_at_ms);
}
