/* A transaction on PostgreSQL. Nothing goes out before somebody needs an answer: BEGIN travels with
 * the first ask, what is posted or late with the next ask or with COMMIT.
 *
 * What travels with an ask is counted here, before anything else is done. What travels with COMMIT
 * the server has to count itself, because nobody could stop the COMMIT behind it: such a statement
 * is put into another that fails when the count is wrong (POSTGRES_CHECKED). */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/postgres.h"

static struct postgres_tx *own(struct tx *tx)
{
    return (struct postgres_tx *)tx;
}

/* ---- Beginning ---- */

static void begin(struct postgres_tx *tx)
{
    /* Said, because a database or a role may have other defaults. */
    static const char write_sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    static const char read_sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    static const char settings_sql[] =
        "SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), "
        "set_config('idle_in_transaction_session_timeout', $3, true)";
    char text[3][16];

    assert(!tx->once || !tx->begun || !"store_ask asks once");
    if (tx->begun)
        return;
    tx->begun = true;
    if (tx->once)
        return;
    postgres_conn_queue(tx->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, tx->write ? write_sql : read_sql,
                        SQL_NO_ARGS);
    if (!tx->unnamed)
        return;
    snprintf(text[0], sizeof text[0], "%d", POSTGRES_STATEMENT_MAX_MS);
    snprintf(text[1], sizeof text[1], "%d", POSTGRES_LOCK_MAX_MS);
    snprintf(text[2], sizeof text[2], "%d", POSTGRES_IDLE_TX_MAX_MS);
    postgres_conn_queue(tx->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, settings_sql,
                        SQL_ARGS(sql_text(str_from(text[0])), sql_text(str_from(text[1])),
                                 sql_text(str_from(text[2]))));
}

/* ---- What is pending ---- */

/* One plain row more cannot be another number of rows. */
static bool counts_itself(const struct deferred *d)
{
    return d->n_changed == 1 && strncasecmp(d->sql, "INSERT", 6) == 0 && strstr(d->sql, "VALUES") &&
           !strstr(d->sql, "ON CONFLICT");
}

static void queue_list(struct postgres_tx *tx, struct deferred_list *list, bool commits)
{
    for (const struct deferred *d = list->first; d; d = d->next) {
        enum postgres_kind kind = POSTGRES_POST;
        if (d->ret_rows) {
            postgres_conn_ask_ahead(tx->conn, d->sql, d->args, d->ret_rows);
            continue;
        }
        if (d->n_changed == SQL_ANY_COUNT || counts_itself(d))
            kind = POSTGRES_CONTROL;
        else if (commits)
            kind = POSTGRES_CHECKED;
        postgres_conn_queue(tx->conn, kind, d->n_changed, d->sql, d->args);
    }
    *list = (struct deferred_list){0};
}

static void queue_pending(struct postgres_tx *tx, bool commits)
{
    begin(tx);
    queue_list(tx, &tx->posts, commits);
    queue_list(tx, &tx->lates, commits);
}

static bool is_pending(const struct postgres_tx *tx)
{
    return tx->posts.first || tx->lates.first;
}

static enum err trip(struct postgres_tx *tx, struct sql_rows *ret_rows)
{
    return postgres_conn_trip(tx->conn, tx->slow ? 0 : POSTGRES_TRIP_MAX_MS, tx->tx.arena,
                              ret_rows);
}

/* ---- The verbs ---- */

enum err postgres_tx_ask(struct tx *base, const char *sql, struct sql_args args,
                         struct sql_rows *ret_rows)
{
    struct postgres_tx *tx = own(base);
    struct sql_rows rows = {0};

    queue_pending(tx, false);
    postgres_conn_queue(tx->conn, POSTGRES_ASK, SQL_ANY_COUNT, sql, args);
    enum err err = trip(tx, &rows);
    if (!err)
        *ret_rows = rows;
    return err;
}

enum err postgres_tx_ask_ahead(struct tx *tx, const char *sql, struct sql_args args,
                               struct sql_rows *ret_rows)
{
    deferred_ask(&own(tx)->posts, tx->arena, sql, args, ret_rows);
    return ERR_OK;
}

enum err postgres_tx_settle(struct tx *tx)
{
    return postgres_tx_flush(own(tx));
}

enum err postgres_tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args)
{
    assert(own(tx)->write || !"a read may not write");
    deferred_add(&own(tx)->posts, tx->arena, 0, n_changed, sql, args);
    return ERR_OK;
}

enum err postgres_tx_late(struct tx *tx, int64_t key, const char *sql, struct sql_args args)
{
    assert(own(tx)->write || !"a read may not write");
    deferred_add(&own(tx)->lates, tx->arena, key, 1, sql, args);
    return ERR_OK;
}

/* ---- Locks: advisory ones, of which a user's has his id, and a subject's is negative ---- */

static enum err lock(struct tx *tx, int64_t key)
{
    static const char sql[] = "SELECT pg_advisory_xact_lock($1)";

    if (own(tx)->write)
        deferred_add(&own(tx)->posts, tx->arena, 0, SQL_ANY_COUNT, sql, SQL_ARGS(sql_int(key)));
    return ERR_OK;
}

enum err postgres_tx_lock_user(struct tx *tx, int64_t user_id)
{
    if (own(tx)->locked_user == user_id)
        return ERR_OK;
    own(tx)->locked_user = user_id;
    return lock(tx, user_id);
}

/* Two that have one hash wait for each other without need. */
static uint64_t fnv1a(uint64_t hash, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

enum err postgres_tx_lock_subject(struct tx *tx, struct str scope, struct str subject)
{
    uint64_t hash = fnv1a(fnv1a(UINT64_C(0xcbf29ce484222325), scope), subject);

    return lock(tx, (int64_t)(hash | UINT64_C(1) << 63));
}

enum err postgres_tx_take_time(struct tx *tx)
{
    static const char patience[] = "SELECT set_config('statement_timeout', '0', true), "
                                   "set_config('lock_timeout', '0', true), "
                                   "set_config('idle_in_transaction_session_timeout', '0', true)";

    own(tx)->slow = true;
    deferred_add(&own(tx)->posts, tx->arena, 0, SQL_ANY_COUNT, patience, SQL_NO_ARGS);
    return ERR_OK;
}

enum err postgres_tx_lock_migrations(struct tx *tx)
{
    static const char nothing[] = "SELECT 1";
    struct sql_rows rows;
    enum err err = postgres_tx_take_time(tx);

    if (!err)
        err = lock(tx, INT64_C(0)); /* nobody has this id */
    return err ? err : postgres_tx_ask(tx, nothing, SQL_NO_ARGS, &rows);
}

enum err postgres_tx_script(struct tx *base, const char *text)
{
    struct postgres_tx *tx = own(base);
    enum err err = postgres_tx_flush(tx);

    return err ? err : postgres_conn_script(tx->conn, tx->slow ? 0 : POSTGRES_TRIP_MAX_MS, text);
}

/* Without their names it would be the catalog, too, and a warning for each table of that which is
 * not the role's. */
enum err postgres_tx_analyze(struct tx *base)
{
    static const char sql[] = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
                              "WHERE schemaname = current_schema()";
    struct sql_rows rows;
    enum err err = postgres_tx_ask(base, sql, SQL_NO_ARGS, &rows);

    if (err || sql_is_null(&rows, 0, 0))
        return err;
    struct str tables = sql_get_str(&rows, 0, 0);
    return postgres_tx_script(base,
                              arena_printf(base->arena, "ANALYZE " STR_FMT, STR_ARG(tables)).ptr);
}

void postgres_tx_emit(struct tx *tx, struct store_event event)
{
    assert(own(tx)->write || !"a read has no events");
    postgres_events_add(&own(tx)->events, tx->arena, event);
}

/* ---- For a copy ---- */

enum err postgres_tx_read_last_id(struct tx *tx, const char *table, int64_t *ret_id)
{
    static const char sql[] = "SELECT COALESCE(pg_sequence_last_value(CAST("
                              "pg_get_serial_sequence($1, 'id') AS regclass)), 0)";
    struct sql_rows rows;
    enum err err = postgres_tx_ask(tx, sql, SQL_ARGS(sql_text(str_from(table))), &rows);

    if (!err)
        *ret_id = sql_get_int(&rows, 0, 0);
    return err;
}

enum err postgres_tx_keep_last_id(struct tx *tx, const char *table, int64_t id)
{
    static const char sql[] =
        "SELECT setval(CAST(pg_get_serial_sequence($1, 'id') AS regclass), $2)";

    return postgres_tx_post(tx, SQL_ANY_COUNT, sql,
                            SQL_ARGS(sql_text(str_from(table)), sql_int(id)));
}

/* Deleted rows would stay in the way of every look for those that refer to them. */
enum err postgres_tx_empty(struct tx *tx, const char *table)
{
    return postgres_tx_script(tx, arena_printf(tx->arena, "TRUNCATE %s CASCADE", table).ptr);
}

/* ---- Ending ---- */

enum err postgres_tx_flush(struct postgres_tx *tx)
{
    struct sql_rows rows;

    if (tx->begun && !is_pending(tx))
        return ERR_OK;
    queue_pending(tx, false);
    return trip(tx, &rows);
}

enum err postgres_tx_commit(struct postgres_tx *tx)
{
    static const char sql[] = "COMMIT";
    struct sql_rows rows;

    if (!tx->begun && !is_pending(tx))
        return ERR_OK;
    if (!tx->slow && clock_mono_ms() > tx->deadline_ms)
        return ERR_UNAVAILABLE;
    queue_pending(tx, true);
    tx->untold = tx->events.n > 0 && postgres_tell_is_alone(tx->tell);
    if (!tx->untold)
        postgres_tell_notify(tx->tell, tx->conn, tx->tx.arena, &tx->events);
    postgres_conn_queue(tx->conn, POSTGRES_COMMIT, SQL_ANY_COUNT, sql, SQL_NO_ARGS);
    tx->committing = true;
    return trip(tx, &rows);
}

static void leave(struct postgres_tx *tx, const char *sql)
{
    if (!tx->begun || tx->once)
        return;
    tx->begun = false;
    postgres_conn_queue(tx->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, sql, SQL_NO_ARGS);
    postgres_conn_leave(tx->conn);
}

void postgres_tx_rollback(struct postgres_tx *tx)
{
    static const char sql[] = "ROLLBACK";

    leave(tx, sql);
}

void postgres_tx_end_read(struct postgres_tx *tx)
{
    static const char sql[] = "COMMIT";

    leave(tx, sql);
}

/* Another server came while this was committed. */
bool postgres_tx_tell_late(struct postgres_tx *tx)
{
    struct sql_rows rows;

    if (!tx->untold || postgres_tell_is_alone(tx->tell))
        return true;
    postgres_tell_notify(tx->tell, tx->conn, tx->tx.arena, &tx->events);
    return trip(tx, &rows) == ERR_OK;
}
