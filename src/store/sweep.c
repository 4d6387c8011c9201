#include "store/sweep.h"

#include "domain/limits.h"
#include "store/payment_row.h"

/* ---- Payments ---- */

#define EXPIRED "p.status IN ('creating', 'pending') AND p.expires_at <= $1"
/* A creating one is its customer's to try again at once, and ours a little later. */
#define CALLABLE                                                                                  \
    "p.remote = 1 AND p.status IN ('creating', 'pending', 'cancelling') "                         \
    "AND p.claimed_until <= $1 AND p.provider = $2 "                                              \
    "AND (p.status <> 'creating' OR p.updated_at <= $3)"

enum err sweep_due(struct tx *tx, void *arg)
{
    static const char sql[] =
        "SELECT EXISTS (SELECT 1 FROM payments p WHERE " EXPIRED "), "
        "EXISTS (SELECT 1 FROM payments p WHERE " CALLABLE ")";
    struct sweep_due *due = arg;
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql,
               SQL_ARGS(sql_int(due->now_ms), sql_text(due->provider),
                        sql_int(due->now_ms - PAYMENT_LOOK_MS)),
               &rows);
    if (err)
        return err;
    due->payments = sql_get_bool(&rows, 0, 0);
    due->calls = sql_get_bool(&rows, 0, 1);
    return ERR_OK;
}

enum err sweep_payments(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE " EXPIRED
                              " ORDER BY p.expires_at LIMIT $2";
    struct sweep_payments *sweep = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(sweep->now_ms), sql_int(SWEEP_PAYMENTS)),
                          &rows);
    if (err)
        return err;
    for (size_t i = 0; i < rows.n && !err; i++) {
        struct payment payment = payment_from_row(&rows, i, 0);
        err = payment_expire(tx, &payment, sweep->now_ms);
    }
    sweep->more = rows.n == SWEEP_PAYMENTS;
    return err;
}

enum err sweep_calls(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE " CALLABLE
                              " ORDER BY p.claimed_until LIMIT $4";
    struct sweep_calls *sweep = arg;
    struct sql_rows rows;

    sweep->n = 0;
    enum err err = tx_ask(tx, sql,
                          SQL_ARGS(sql_int(sweep->now_ms), sql_text(sweep->provider),
                                   sql_int(sweep->now_ms - PAYMENT_LOOK_MS),
                                   sql_int(SWEEP_CALLS)),
                          &rows);
    for (size_t i = 0; !err && i < rows.n; i++) {
        struct payment *payment = &sweep->payments[sweep->n++];
        *payment = payment_from_row(&rows, i, 0);
        payment->claimed_until_ms = sweep->claim_until_ms;
        err = payment_save(tx, payment, payment->status, sweep->now_ms);
    }
    return err;
}

/* ---- Old rows ---- */

/* Each deletes up to $2 rows that are older than $1. */
static const char SIGNUPS[] = "DELETE FROM signups WHERE id IN (SELECT id FROM signups "
                              "WHERE created_at < $1 ORDER BY created_at LIMIT $2) RETURNING 1";
static const char SESSIONS[] = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions "
                               "WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING 1";
static const char RESETS[] =
    "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets "
    "WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING 1";
static const char ATTEMPTS[] = "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts "
                               "WHERE at < $1 ORDER BY at LIMIT $2) RETURNING 1";
static const char KEYS[] =
    "DELETE FROM idempotency_keys WHERE (user_id, path, key) IN (SELECT user_id, path, key "
    "FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2) RETURNING 1";
static const char MAILS[] = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox "
                            "WHERE done_at < $1 ORDER BY done_at LIMIT $2) RETURNING 1";

static const struct {
    const char *sql;
    int64_t kept_ms;
} OLD[] = {
    {SIGNUPS, SIGNUP_LIFETIME_MS},
    {SESSIONS, 0},       /* past their expiry */
    {RESETS, DAY_MS},    /* past their expiry; until then the link says that it has expired */
    {ATTEMPTS, HOUR_MS}, /* the longest window */
    {KEYS, IDEMPOTENCY_LIFETIME_MS},
    {MAILS, MAIL_KEPT_MS},
};

enum err sweep_old(struct tx *tx, void *arg)
{
    struct sweep_old *sweep = arg;
    int64_t left = SWEEP_ROWS;
    enum err err = ERR_OK;
    for (size_t i = 0; i < sizeof OLD / sizeof *OLD && left > 0 && !err; i++) {
        struct sql_rows rows;
        err = tx_ask(tx, OLD[i].sql,
                     SQL_ARGS(sql_int(sweep->now_ms - OLD[i].kept_ms), sql_int(left)), &rows);
        if (!err)
            left -= (int64_t)rows.n;
    }
    sweep->more = left <= 0;
    return err;
}
