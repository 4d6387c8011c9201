#include "store/session.h"

static enum err read_session(const struct sql_rows *rows, struct session *ret_session)
{
    struct session session = {0};

    if (rows->n > 0) {
        session.id = sql_get_int(rows, 0, 0);
        session.user_id = sql_get_int(rows, 0, 1);
        session.disabled = sql_get_bool(rows, 0, 3);
        session.used_at_ms = sql_get_int(rows, 0, 4);
        session.expires_at_ms = sql_get_int(rows, 0, 5);
        if (!role_parse(sql_get_str(rows, 0, 2), &session.role))
            return ERR_INTERNAL;
    }
    *ret_session = session;
    return ERR_OK;
}

#define FIND_SESSION                                                                               \
    "SELECT s.id, s.user_id, u.role, u.disabled, s.used_at, s.expires_at "                         \
    "FROM sessions s JOIN users u ON u.id = s.user_id "

enum err session_find(struct tx *tx, struct str token_hash, int64_t now_ms,
                      struct session *ret_session)
{
    static const char find[] = FIND_SESSION "WHERE s.token_hash = $1 AND s.expires_at > $2";
    struct sql_rows rows;
    enum err err = tx_ask(tx, find, SQL_ARGS(sql_blob(token_hash), sql_int(now_ms)), &rows);
    return err ? err : read_session(&rows, ret_session);
}

enum err session_look_ahead(struct tx *tx, int64_t session_id, int64_t user_id, int64_t now_ms,
                            struct session_look *look)
{
    static const char find[] =
        FIND_SESSION "WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > $3";
    return tx_ask_ahead(tx, find, SQL_ARGS(sql_int(session_id), sql_int(user_id), sql_int(now_ms)),
                        &look->rows);
}

enum err session_look_read(const struct session_look *look, struct session *ret_session)
{
    return read_session(&look->rows, ret_session);
}

enum err session_find_by_id(struct tx *tx, int64_t session_id, int64_t user_id, int64_t now_ms,
                            struct session *ret_session)
{
    struct session_look look;
    enum err err = session_look_ahead(tx, session_id, user_id, now_ms, &look);
    if (!err)
        err = tx_settle(tx);
    return err ? err : session_look_read(&look, ret_session);
}

enum err session_create(struct tx *tx, int64_t user_id, struct str token_hash, int64_t now_ms,
                        int64_t *ret_expires_at_ms)
{
    static const char create[] =
        "INSERT INTO sessions (token_hash, user_id, created_at, used_at, expires_at) "
        "VALUES ($1, $2, $3, $3, $4)";
    int64_t expires_at_ms = now_ms + SESSION_LIFETIME_MS;
    enum err err = tx_post(
        tx, 1, create,
        SQL_ARGS(sql_blob(token_hash), sql_int(user_id), sql_int(now_ms), sql_int(expires_at_ms)));
    if (!err)
        *ret_expires_at_ms = expires_at_ms;
    return err;
}

enum err session_touch(struct tx *tx, int64_t session_id, int64_t now_ms)
{
    /* It may have ended since it was found. */
    static const char touch[] = "UPDATE sessions SET used_at = $2, expires_at = $3 WHERE id = $1";
    return tx_post(
        tx, SQL_ANY_COUNT, touch,
        SQL_ARGS(sql_int(session_id), sql_int(now_ms), sql_int(now_ms + SESSION_LIFETIME_MS)));
}

enum err session_end(struct tx *tx, int64_t session_id)
{
    static const char end[] = "DELETE FROM sessions WHERE id = $1";
    enum err err = tx_post(tx, SQL_ANY_COUNT, end, SQL_ARGS(sql_int(session_id)));
    if (!err)
        tx_emit(tx, (struct store_event){.kind = STORE_EVENT_SESSION_END, .id = session_id});
    return err;
}

enum err session_end_all(struct tx *tx, int64_t user_id, int64_t keep_id)
{
    static const char end[] = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    enum err err = tx_post(tx, SQL_ANY_COUNT, end, SQL_ARGS(sql_int(user_id), sql_int(keep_id)));
    if (!err)
        tx_emit(tx, (struct store_event){
                        .kind = STORE_EVENT_USER_END, .id = keep_id, .user_id = user_id});
    return err;
}
