#include "store/idempotency.h"

#include "domain/limits.h"

enum err idempotency_find(struct tx *tx, struct idempotency *key, bool *ret_found,
                          struct problem *problem)
{
    static const char find[] = "SELECT body_hash, status, payment_id, location, body "
                               "FROM idempotency_keys "
                               "WHERE user_id = $1 AND path = $2 AND key = $3 AND created_at > $4";

    *ret_found = false;
    if (!key->key.ptr)
        return ERR_OK;
    struct sql_rows rows;
    enum err err = tx_ask(tx, find,
                          SQL_ARGS(sql_int(key->user_id), sql_text(key->path), sql_text(key->key),
                                   sql_int(key->now_ms - IDEMPOTENCY_LIFETIME_MS)),
                          &rows);
    if (err || rows.n == 0)
        return err;
    if (!str_eq(sql_get_str(&rows, 0, 0), key->body_hash))
        return problem_add(problem, "Idempotency-Key", PROBLEM_IDEMPOTENCY_KEY_REUSED,
                           "The key was sent before with another body.");
    key->status = sql_get_int(&rows, 0, 1);
    key->payment_id = sql_get_int(&rows, 0, 2);
    key->location = sql_get_str(&rows, 0, 3);
    key->body = sql_get_str(&rows, 0, 4);
    *ret_found = true;
    return ERR_OK;
}

enum err idempotency_save(struct tx *tx, const struct idempotency *key)
{
    /* A row that is still there is past its lifetime: find saw none, and the user's writes come one
     * after the other. */
    static const char save[] =
        "INSERT INTO idempotency_keys "
        "(user_id, path, key, body_hash, status, payment_id, location, body, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (user_id, path, key) DO UPDATE SET body_hash = excluded.body_hash, "
        "status = excluded.status, payment_id = excluded.payment_id, "
        "location = excluded.location, body = excluded.body, created_at = excluded.created_at";

    if (!key->key.ptr)
        return ERR_OK;
    return tx_post(tx, 1, save,
                   SQL_ARGS(sql_int(key->user_id), sql_text(key->path), sql_text(key->key),
                            sql_blob(key->body_hash),
                            key->status ? sql_int(key->status) : sql_null(),
                            key->payment_id ? sql_int(key->payment_id) : sql_null(),
                            sql_text(key->location), sql_text(key->body), sql_int(key->now_ms)));
}
