#include "store/reset.h"

#include "domain/limits.h"
#include "store/login.h"

/* ---- By a mailed link ---- */

static enum err add_link(struct tx *tx, const struct reset_request *request, int64_t user_id,
                         struct str recipient)
{
    static const char insert[] =
        "INSERT INTO password_resets (token_hash, user_id, expires_at) VALUES ($1, $2, $3)";
    struct outbox_mail mail = request->mail;

    mail.recipient = recipient;
    enum err err = tx_post(tx, 1, insert,
                           SQL_ARGS(sql_blob(request->token_hash), sql_int(user_id),
                                    sql_int(request->now_ms + RESET_LIFETIME_MS)));
    return err ? err : outbox_add(tx, &mail, request->now_ms);
}

/* The link and the mail of a user are most of what the commit writes, and so of the answer's time.
 * So both are written for nobody too, as if for the first user there is, and taken back at once. */
static enum err pretend_link(struct tx *tx, const struct reset_request *request)
{
    static const char find_first[] = "SELECT MIN(id) FROM users";
    static const char unlink[] = "DELETE FROM password_resets WHERE token_hash = $1";
    static const char unmail[] =
        "DELETE FROM outbox "
        "WHERE status = 'waiting' AND next_at = $1 AND recipient = $2 AND body = $3";
    struct sql_rows rows;

    enum err err = tx_ask(tx, find_first, SQL_NO_ARGS, &rows);
    if (err || sql_get_int(&rows, 0, 0) == 0)
        return err;
    err = add_link(tx, request, sql_get_int(&rows, 0, 0), request->email_key);
    if (!err)
        err = tx_post(tx, 1, unlink, SQL_ARGS(sql_blob(request->token_hash)));
    if (!err)
        err = tx_post(tx, 1, unmail,
                      SQL_ARGS(sql_int(request->now_ms), sql_text(request->email_key),
                               sql_blob(request->mail.sealed_body)));
    return err;
}

enum err reset_request(struct tx *tx, void *arg)
{
    const struct reset_request *request = arg;
    struct user user;
    int64_t free_at_ms;

    /* Counted for an unknown email as for a known one. */
    enum err err =
        attempts_check(tx, ATTEMPT_RESET, &request->subject, request->now_ms, &free_at_ms);
    if (!err)
        err = user_find_by_email(tx, request->email_key, &user);
    if (err || free_at_ms > request->now_ms)
        return err;
    err = attempts_add(tx, ATTEMPT_RESET, &request->subject, request->now_ms);
    if (err)
        return err;
    return user.id ? add_link(tx, request, user.id, user.email) : pretend_link(tx, request);
}

enum err reset_find(struct tx *tx, void *arg)
{
    static const char find[] = "SELECT user_id FROM password_resets "
                               "WHERE token_hash = $1 AND used = 0 AND expires_at > $2";
    struct reset_find *f = arg;
    struct sql_rows rows;

    enum err err = tx_ask(tx, find, SQL_ARGS(sql_blob(f->token_hash), sql_int(f->now_ms)), &rows);
    if (!err)
        f->user_id = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

enum err reset_confirm(struct tx *tx, void *arg)
{
    static const char use[] = "UPDATE password_resets SET used = 1 WHERE token_hash = $1 "
                              "AND user_id = $2 AND used = 0 AND expires_at > $3 RETURNING id";
    const struct reset_confirm *confirm = arg;
    struct sql_rows rows;

    problem_reset(confirm->problem);
    enum err err = tx_lock_user(tx, confirm->user_id);
    if (!err)
        err = tx_ask(tx, use,
                     SQL_ARGS(sql_blob(confirm->token_hash), sql_int(confirm->user_id),
                              sql_int(confirm->now_ms)),
                     &rows);
    if (err)
        return err;
    if (rows.n == 0)
        return problem_set(confirm->problem, PROBLEM_TOKEN_EXPIRED, NULL);
    return user_set_password(tx, confirm->user_id, confirm->password_hash, 0);
}

/* ---- By who knows it ---- */

static enum err find_password(struct tx *tx, const struct password_change *change,
                              struct str *ret_hash)
{
    struct user user;

    problem_reset(change->problem);
    enum err err = login_check(tx, &change->subject, change->now_ms, change->problem);
    if (!err)
        err = user_find(tx, change->user_id, &user);
    if (err)
        return err;
    if (user.id == 0)
        return problem_set(change->problem, PROBLEM_UNAUTHENTICATED, NULL);
    *ret_hash = user.password_hash;
    return ERR_OK;
}

enum err password_find(struct tx *tx, void *arg)
{
    struct password_change *change = arg;

    change->password_hash = STR_NONE;
    return find_password(tx, change, &change->password_hash);
}

enum err password_change(struct tx *tx, void *arg)
{
    struct password_change *change = arg;
    struct str present;

    enum err err = tx_lock_user(tx, change->user_id);
    if (!err)
        err = find_password(tx, change, &present);
    if (err)
        return err;
    if (!str_eq(present, change->password_hash))
        return problem_add(change->problem, "current_password", PROBLEM_PASSWORD_WRONG, NULL);
    return user_set_password(tx, change->user_id, change->new_hash, change->session_id);
}
