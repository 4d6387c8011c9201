#include "store/signup.h"

#include "domain/limits.h"
#include "store/session.h"

/* ---- Creating ---- */

/* When the next code may go out; otp_cooldown if that is not now. */
static enum err check_cooldown(struct tx *tx, const struct attempt_subject *subject, int64_t now_ms,
                               struct problem *problem, int64_t *resend_at_ms)
{
    enum err err = attempts_check(tx, ATTEMPT_CODE, subject, now_ms, resend_at_ms);
    if (err || *resend_at_ms <= now_ms)
        return err;
    problem->retry_after_ms = *resend_at_ms - now_ms;
    return problem_set(problem, PROBLEM_OTP_COOLDOWN, NULL);
}

/* Counts the code and posts its mail; *resend_at_ms is when the next one may follow. */
static enum err send_code(struct tx *tx, const struct attempt_subject *subject,
                          const struct outbox_mail *mail, int64_t now_ms, int64_t *resend_at_ms)
{
    enum err err = attempts_add(tx, ATTEMPT_CODE, subject, now_ms);
    if (!err)
        err = outbox_add(tx, mail, now_ms);
    return err ? err : attempts_check(tx, ATTEMPT_CODE, subject, now_ms, resend_at_ms);
}

static enum err check(struct tx *tx, struct signup_create *s, int64_t *ret_referrer_id)
{
    struct user referrer;

    problem_reset(s->problem);
    s->resend_at_ms = 0;
    s->otp_expires_at_ms = 0;
    enum err err = user_find_by_referral_code(tx, s->referral_code, &referrer);
    if (err)
        return err;
    if (s->referral_code.ptr && referrer.id == 0)
        return problem_add(s->problem, "referral_code", PROBLEM_REFERRAL_CODE_INVALID, NULL);
    err = user_check_free(tx, s->email_key, s->phone, 0, s->problem);
    if (!err)
        err = check_cooldown(tx, &s->subject, s->now_ms, s->problem, &s->resend_at_ms);
    if (!err)
        *ret_referrer_id = referrer.id;
    return err;
}

enum err signup_check(struct tx *tx, void *arg)
{
    int64_t referrer_id;
    return check(tx, arg, &referrer_id);
}

enum err signup_create(struct tx *tx, void *arg)
{
    static const char insert[] =
        "INSERT INTO signups (token_hash, email, email_key, phone, name, password_hash, "
        "referrer_id, otp_hash, otp_expires_at, resend_at, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    struct signup_create *s = arg;
    int64_t referrer_id = 0;

    enum err err = check(tx, s, &referrer_id);
    if (!err)
        err = send_code(tx, &s->subject, &s->mail, s->now_ms, &s->resend_at_ms);
    if (err)
        return err;
    s->otp_expires_at_ms = s->now_ms + OTP_LIFETIME_MS;
    return tx_post(tx, 1, insert,
                   SQL_ARGS(sql_blob(s->token_hash), sql_text(s->email), sql_text(s->email_key),
                            sql_text(s->phone), sql_text(s->name), sql_text(s->password_hash),
                            referrer_id ? sql_int(referrer_id) : sql_null(), sql_blob(s->otp_hash),
                            sql_int(s->otp_expires_at_ms), sql_int(s->resend_at_ms),
                            sql_int(s->now_ms)));
}

/* ---- Finding ---- */

#define FIND_SIGNUP "SELECT id, email, email_key, password_hash FROM signups "

enum err signup_find(struct tx *tx, void *arg)
{
    static const char by_token[] = FIND_SIGNUP "WHERE token_hash = $1 AND created_at > $2";
    static const char by_email[] =
        FIND_SIGNUP "WHERE email_key = $1 AND created_at > $2 ORDER BY id DESC LIMIT 1";
    static const char by_phone[] =
        FIND_SIGNUP "WHERE phone = $1 AND created_at > $2 ORDER BY id DESC LIMIT 1";
    struct signup_find *find = arg;
    struct sql_value since = sql_int(find->now_ms - SIGNUP_LIFETIME_MS);
    struct sql_rows rows = {0};
    enum err err = ERR_OK;

    if (find->token_hash.ptr)
        err = tx_ask(tx, by_token, SQL_ARGS(sql_blob(find->token_hash), since), &rows);
    else if (find->email_key.ptr)
        err = tx_ask(tx, by_email, SQL_ARGS(sql_text(find->email_key), since), &rows);
    else if (find->phone.ptr)
        err = tx_ask(tx, by_phone, SQL_ARGS(sql_text(find->phone), since), &rows);
    if (err)
        return err;
    find->id = 0;
    if (rows.n > 0) {
        find->id = sql_get_int(&rows, 0, 0);
        find->email = sql_get_str(&rows, 0, 1);
        find->found_email_key = sql_get_str(&rows, 0, 2);
        find->password_hash = sql_get_str(&rows, 0, 3);
    }
    return ERR_OK;
}

/* ---- Sending again ---- */

enum err signup_resend(struct tx *tx, void *arg)
{
    static const char renew[] =
        "UPDATE signups SET otp_hash = $3, otp_expires_at = $4, otp_attempts = 0 "
        "WHERE token_hash = $1 AND created_at > $2 RETURNING id, email_key, phone";
    static const char note[] = "UPDATE signups SET resend_at = $2 WHERE id = $1";
    struct signup_resend *s = arg;
    struct sql_rows rows;

    problem_reset(s->problem);
    s->resend_at_ms = 0;
    s->otp_expires_at_ms = s->now_ms + OTP_LIFETIME_MS;
    enum err err = tx_ask(tx, renew,
                          SQL_ARGS(sql_blob(s->token_hash), sql_int(s->now_ms - SIGNUP_LIFETIME_MS),
                                   sql_blob(s->otp_hash), sql_int(s->otp_expires_at_ms)),
                          &rows);
    if (err)
        return err;
    if (rows.n == 0)
        return problem_set(s->problem, PROBLEM_NOT_FOUND, "There is no such sign-up.");
    err = user_check_free(tx, sql_get_str(&rows, 0, 1), sql_get_str(&rows, 0, 2), 0, s->problem);
    if (!err)
        err = check_cooldown(tx, &s->subject, s->now_ms, s->problem, &s->resend_at_ms);
    if (!err)
        err = send_code(tx, &s->subject, &s->mail, s->now_ms, &s->resend_at_ms);
    if (err)
        return err;
    return tx_post(tx, 1, note,
                   SQL_ARGS(sql_int(sql_get_int(&rows, 0, 0)), sql_int(s->resend_at_ms)));
}

/* ---- Verifying ---- */

/* Why a code is not tried. */
static enum err explain(struct tx *tx, struct signup_verify *v)
{
    static const char find[] =
        "SELECT otp_attempts, resend_at FROM signups WHERE token_hash = $1 AND created_at > $2";
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, find, SQL_ARGS(sql_blob(v->token_hash), sql_int(v->now_ms - SIGNUP_LIFETIME_MS)),
               &rows);
    if (err)
        return err;
    if (rows.n == 0)
        v->outcome = SIGNUP_UNKNOWN;
    else if (sql_get_int(&rows, 0, 0) >= OTP_ATTEMPTS_MAX)
        v->outcome = SIGNUP_LOCKED;
    else
        v->outcome = SIGNUP_EXPIRED;
    if (v->outcome == SIGNUP_LOCKED)
        v->resend_at_ms = sql_get_int(&rows, 0, 1);
    return ERR_OK;
}

static enum err make_user(struct tx *tx, struct signup_verify *v, const struct sql_rows *signup)
{
    static const char delete[] = "DELETE FROM signups WHERE id = $1";
    struct user_new new = {
        .email = sql_get_str(signup, 0, 3),
        .email_key = sql_get_str(signup, 0, 4),
        .phone = sql_get_str(signup, 0, 5),
        .name = sql_get_str(signup, 0, 6),
        .password_hash = sql_get_str(signup, 0, 7),
        .referrer_id = sql_get_int(signup, 0, 8),
        .role = ROLE_USER,
        .codes = v->codes,
        .now_ms = v->now_ms,
    };
    int64_t user_id;

    enum err err = user_insert(tx, &new, v->problem, &user_id);
    if (!err)
        err = tx_post(tx, 1, delete, SQL_ARGS(sql_int(sql_get_int(signup, 0, 0))));
    if (!err)
        err = session_create(tx, user_id, v->session_token_hash, v->now_ms,
                             &v->session_expires_at_ms);
    return err ? err : user_find(tx, user_id, &v->user);
}

enum err signup_verify(struct tx *tx, void *arg)
{
    /* The try is counted before the codes are compared, by the statement that finds the row: so
     * never more than the limit are compared, however many come at once. */
    static const char count[] =
        "UPDATE signups SET otp_attempts = otp_attempts + $5 "
        "WHERE token_hash = $1 AND created_at > $2 AND otp_expires_at > $3 AND otp_attempts < $4 "
        "RETURNING id, otp_hash, otp_attempts, email, email_key, phone, name, password_hash, "
        "referrer_id";
    struct signup_verify *v = arg;
    struct sql_rows rows;

    problem_reset(v->problem);
    v->outcome = SIGNUP_UNKNOWN;
    v->attempts_left = 0;
    v->resend_at_ms = 0;
    v->user = (struct user){0};
    v->session_expires_at_ms = 0;
    enum err err = tx_ask(tx, count,
                          SQL_ARGS(sql_blob(v->token_hash), sql_int(v->now_ms - SIGNUP_LIFETIME_MS),
                                   sql_int(v->now_ms), sql_int(OTP_ATTEMPTS_MAX),
                                   sql_int(v->otp_hash.ptr ? 1 : 0)),
                          &rows);
    if (err)
        return err;
    if (rows.n == 0)
        return explain(tx, v);
    if (!v->otp_hash.ptr || !crypto_equal(sql_get_str(&rows, 0, 1), v->otp_hash)) {
        v->outcome = SIGNUP_WRONG;
        v->attempts_left = OTP_ATTEMPTS_MAX - sql_get_int(&rows, 0, 2);
        return ERR_OK;
    }
    v->outcome = SIGNUP_VERIFIED;
    return make_user(tx, v, &rows);
}
