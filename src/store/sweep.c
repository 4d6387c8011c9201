#include "store/sweep.h"

#include "domain/limits.h"
#include "store/payment_event.h"
#include "store/payment_row.h"

/* ---- Payments ---- */

#define EXPIRED "p.status IN ('creating', 'pending') AND p.expires_at <= $1"
#define AT_A_PROVIDER "p.remote = 1 AND p.status IN ('creating', 'pending', 'cancelling') "
/* A creating one is its customer's to try again at once, and ours a little later. */
#define CALLABLE                                                                                   \
    AT_A_PROVIDER "AND p.claimed_until <= $1 AND p.provider = $2 "                                 \
                  "AND (p.status <> 'creating' OR p.updated_at <= $3)"
/* Past its time, and still to be flagged or (past its time at $4) to be closed. */
#define GONE                                                                                       \
    AT_A_PROVIDER "AND p.provider <> $2 AND p.expires_at <= $1 "                                   \
                  "AND (p.needs_attention IS NULL OR p.expires_at <= $4)"

/* One slice of a kind at a time. */
static enum err take_turn(struct tx *tx, struct str kind)
{
    return tx_lock_subject(tx, STR("sweep"), kind);
}

enum err sweep_due(struct tx *tx, void *arg)
{
    static const char sql[] =
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM payments p WHERE " EXPIRED ") THEN 1 ELSE 0 END, "
        "CASE WHEN EXISTS (SELECT 1 FROM payments p WHERE " CALLABLE ") THEN 1 ELSE 0 END, "
        "CASE WHEN EXISTS (SELECT 1 FROM payments p WHERE " GONE ") THEN 1 ELSE 0 END, "
        "CASE WHEN EXISTS (SELECT 1 FROM images WHERE released_at < $5) THEN 1 ELSE 0 END";
    struct sweep_due *due = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql,
                          SQL_ARGS(sql_int(due->now_ms), sql_text(due->provider),
                                   sql_int(due->now_ms - PAYMENT_LOOK_MS),
                                   sql_int(due->now_ms - PROVIDER_GONE_MS),
                                   sql_int(due->now_ms - IMAGE_KEPT_MS)),
                          &rows);
    if (err)
        return err;
    due->payments = sql_get_bool(&rows, 0, 0);
    due->calls = sql_get_bool(&rows, 0, 1);
    due->gone = sql_get_bool(&rows, 0, 2);
    due->images = sql_get_bool(&rows, 0, 3);
    return ERR_OK;
}

enum err sweep_payments(struct tx *tx, void *arg)
{
    static const char sql[] =
        "SELECT p.id, p.user_id FROM payments p WHERE " EXPIRED " ORDER BY p.expires_at LIMIT $2";
    struct sweep_payments *sweep = arg;
    struct sql_rows rows;
    enum err err = take_turn(tx, STR("payments"));
    if (!err)
        err = tx_ask(tx, sql, SQL_ARGS(sql_int(sweep->now_ms), sql_int(SWEEP_PAYMENTS)), &rows);
    if (err)
        return err;
    sweep->more = rows.n == SWEEP_PAYMENTS;
    return payment_expire_all(tx, &rows, sweep->now_ms);
}

/* ---- Calls ---- */

static bool is_at_a_provider(const struct payment *p)
{
    return p->remote && (payment_is_open(p->status) || p->status == PAYMENT_CANCELLING);
}

enum err sweep_calls(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT p.id, p.user_id FROM payments p WHERE " CALLABLE
                              " ORDER BY p.claimed_until LIMIT $4";
    struct sweep_calls *sweep = arg;
    struct payment *found;
    struct sql_rows rows;

    sweep->n = 0;
    enum err err = take_turn(tx, STR("calls"));
    if (!err)
        err = tx_ask(tx, sql,
                     SQL_ARGS(sql_int(sweep->now_ms), sql_text(sweep->provider),
                              sql_int(sweep->now_ms - PAYMENT_LOOK_MS), sql_int(SWEEP_CALLS)),
                     &rows);
    if (!err)
        err = payment_lock_all(tx, &rows, &found);
    for (size_t i = 0; !err && i < rows.n; i++) {
        struct payment *p = &found[i];
        if (!is_at_a_provider(p) || p->claimed_until_ms > sweep->now_ms)
            continue;
        p->claimed_until_ms = sweep->claim_until_ms;
        err = payment_save(tx, p, sweep->now_ms);
        sweep->payments[sweep->n++] = *p;
    }
    return err;
}

/* ---- Providers that are gone ---- */

enum err sweep_gone_count(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT p.provider, count(*) FROM payments p WHERE " AT_A_PROVIDER
                              "AND p.provider <> $1 GROUP BY p.provider ORDER BY p.provider "
                              "LIMIT $2";
    struct sweep_gone_count *count = arg;
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql, SQL_ARGS(sql_text(count->provider), sql_int(SWEEP_PROVIDERS)), &rows);
    if (err)
        return err;
    count->n = rows.n;
    for (size_t i = 0; i < rows.n; i++) {
        count->providers[i].name = sql_get_str(&rows, i, 0);
        count->providers[i].payments = sql_get_int(&rows, i, 1);
    }
    return ERR_OK;
}

/* Flags one that is past its time; *ret_over: nobody is waited for any longer. */
static enum err give_up_provider(struct tx *tx, struct payment *p, int64_t now_ms, bool *ret_over)
{
    if (payment_is_open(p->status)) {
        p->status = PAYMENT_CANCELLING;
        p->cancel_to = PAYMENT_EXPIRED;
    }
    *ret_over = p->expires_at_ms <= now_ms - PROVIDER_GONE_MS;
    if (p->needs_attention.ptr)
        return ERR_OK;
    p->needs_attention = PAYMENT_PROVIDER_GONE;
    return payment_event_add(tx, &(struct payment_event_new){
                                     .payment_id = p->id,
                                     .what = PAYMENT_EVENT_FLAGGED,
                                     .reason = p->needs_attention,
                                     .at_ms = now_ms,
                                 });
}

enum err sweep_gone(struct tx *tx, void *arg)
{
    static const char sql[] =
        "SELECT p.id, p.user_id FROM payments p WHERE " GONE " ORDER BY p.expires_at LIMIT $3";
    struct sweep_gone *sweep = arg;
    struct payment *found;
    struct sql_rows rows;
    size_t n_over = 0;

    sweep->n = 0;
    enum err err = take_turn(tx, STR("gone"));
    if (!err)
        err = tx_ask(tx, sql,
                     SQL_ARGS(sql_int(sweep->now_ms), sql_text(sweep->provider),
                              sql_int(SWEEP_PAYMENTS), sql_int(sweep->now_ms - PROVIDER_GONE_MS)),
                     &rows);
    if (!err)
        err = payment_lock_all(tx, &rows, &found);
    for (size_t i = 0; !err && i < rows.n; i++) {
        struct payment p = found[i];
        bool over;
        if (!is_at_a_provider(&p))
            continue;
        err = give_up_provider(tx, &p, sweep->now_ms, &over);
        if (!err && over) {
            found[n_over++] = p;
            continue;
        }
        if (!err)
            err = payment_save(tx, &p, sweep->now_ms);
        sweep->payments[sweep->n++] = p;
    }
    if (!err)
        err = payment_close_all(tx, found, n_over, sweep->now_ms);
    for (size_t i = 0; !err && i < n_over; i++)
        sweep->payments[sweep->n++] = found[i];
    sweep->more = !err && rows.n == SWEEP_PAYMENTS;
    return err;
}

/* ---- Pictures that foods have let go of ---- */

enum err sweep_images(struct tx *tx, void *arg)
{
    static const char due[] =
        "SELECT i.hash, CASE WHEN EXISTS (SELECT 1 FROM foods f WHERE f.image_hash = i.hash) "
        "THEN 1 ELSE 0 END FROM images i WHERE i.released_at < $1 "
        "ORDER BY i.released_at LIMIT $2";
    /* Both look again: on an engine with several writers a food may have taken it meanwhile. */
    static const char forget[] = "DELETE FROM images WHERE hash = $1 AND released_at < $2";
    static const char keep[] =
        "UPDATE images SET released_at = NULL WHERE hash = $1 AND released_at < $2";
    struct sweep_images *sweep = arg;
    int64_t before_ms = sweep->now_ms - IMAGE_KEPT_MS;
    struct sql_rows rows;
    enum err err = take_turn(tx, STR("images"));
    if (!err)
        err = tx_ask(tx, due, SQL_ARGS(sql_int(before_ms), sql_int(SWEEP_IMAGES)), &rows);
    sweep->n_forgotten = 0;
    for (size_t i = 0; !err && i < rows.n; i++) {
        bool is_shown = sql_get_bool(&rows, i, 1);
        err = tx_post(tx, SQL_ANY_COUNT, is_shown ? keep : forget,
                      SQL_ARGS(sql_text(sql_get_str(&rows, i, 0)), sql_int(before_ms)));
        sweep->n_forgotten += !is_shown;
    }
    sweep->more = !err && rows.n == SWEEP_IMAGES;
    return err;
}

/* ---- Old rows ---- */

/* Each deletes up to $2 rows that are older than $1. The number in it lets a planner that does not
 * know $2 expect few. The outermost one looks at the time again: where several write, a row that
 * somebody was renewing is waited for, and then only that condition is judged anew. Its + keeps it
 * out of the choice of an index. */
#define OLDEST(columns, table, time)                                                               \
    "SELECT " columns " FROM (SELECT " columns " FROM " table " WHERE " time                       \
    " < $1 ORDER BY " time " LIMIT 200) few LIMIT $2"
_Static_assert(SWEEP_ROWS == 200, "as in OLDEST");
#define DELETE_OLDEST(table, time)                                                                 \
    "DELETE FROM " table " WHERE id IN (" OLDEST("id", table, time) ") AND +" time                 \
                                                                    " < $1 RETURNING 1"

static const char SIGNUPS[] = DELETE_OLDEST("signups", "created_at");
static const char SESSIONS[] = DELETE_OLDEST("sessions", "expires_at");
static const char RESETS[] = DELETE_OLDEST("password_resets", "expires_at");
static const char ATTEMPTS[] = DELETE_OLDEST("attempts", "at");
static const char KEYS[] = "DELETE FROM idempotency_keys WHERE (user_id, path, key) IN (" OLDEST(
    "user_id, path, key", "idempotency_keys", "created_at") ") AND +created_at < $1 RETURNING 1";
static const char MAILS[] = DELETE_OLDEST("outbox", "done_at");

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
    enum err err = take_turn(tx, STR("old"));
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
