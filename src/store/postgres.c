/* The PostgreSQL engine: runs each transaction on a connection of the pool, and again where it met
 * others or lost its connection before anything was committed. Several servers may share one
 * database. */
#include "store/postgres.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

enum { CLAIM_TRIES = 20, CLAIM_PAUSE_MS = 50 };

struct postgres_engine {
    struct engine engine;
    struct postgres_target *target;
    struct postgres_pool *pool;
    struct postgres_tell *tell;
    struct postgres_listen *listen; /* NULL: it hears of no other server */
    struct postgres_conn *claim;    /* in a transaction all the while; NULL: others may serve it */
    bool run_twice, unnamed;
    int queue_max;

    atomic_int_least64_t commits, failed_commits, refused;
    struct metric_histogram jobs_a_commit, commit_time;
};

static struct postgres_engine *engine_of(struct engine *engine)
{
    return (struct postgres_engine *)engine;
}

/* ---- Reading ---- */

enum outcome { DONE, AGAIN, LOST };

static enum outcome read_on(struct postgres_engine *engine, struct postgres_conn *conn,
                            struct arena *arena, bool once, tx_fn *fn, void *arg, enum err *ret_err)
{
    struct postgres_tx tx = {.tx = {.ops = &postgres_ops, .arena = arena},
                             .conn = conn,
                             .once = once && !engine->unnamed,
                             .unnamed = engine->unnamed};
    enum err err = fn(&tx.tx, arg);

    if (engine->run_twice && !tx.tx.failed)
        err = fn(&tx.tx, arg);
    err = tx_result(&tx.tx, err);
    if (postgres_conn_is_lost(conn)) {
        *ret_err = ERR_UNAVAILABLE;
        return LOST;
    }
    postgres_tx_end_read(&tx);
    *ret_err = err;
    return err == ERR_STALE ? AGAIN : DONE;
}

static enum err engine_read(struct engine *base, struct arena *arena, bool once, tx_fn *fn,
                            void *arg)
{
    struct postgres_engine *engine = engine_of(base);
    struct postgres_conn *conn = postgres_tell_own_conn(engine->tell);
    enum outcome outcome;
    int runs = 0;
    enum err err;

    /* The listener, for whom all wait who have committed, waits for nobody. */
    if (conn) {
        outcome = read_on(engine, conn, arena, once, fn, arg, &err);
        return outcome == DONE ? err : ERR_UNAVAILABLE;
    }
    do {
        err = postgres_pool_take(engine->pool, POSTGRES_READ, &conn);
        if (err)
            return err;
        outcome = read_on(engine, conn, arena, once, fn, arg, &err);
        postgres_pool_return(engine->pool, POSTGRES_READ, conn);
    } while (outcome != DONE && ++runs <= POSTGRES_LOST_MAX);
    return outcome == DONE ? err : ERR_UNAVAILABLE;
}

/* ---- Writing ---- */

/* What is to be done about a statement that failed, or a connection. */
static enum outcome judge(const struct postgres_tx *tx, enum err *err)
{
    const struct postgres_failure *failure = postgres_conn_failure(tx->conn);

    if (postgres_conn_is_lost(tx->conn)) {
        /* COMMIT was sent and no answer came: it may have been done. */
        bool in_doubt = tx->committing && !failure->answered;
        *err = ERR_UNAVAILABLE;
        if (in_doubt)
            log_line(LOG_WARN, "commit_in_doubt",
                     LOG_CSTR("detail", "the connection was lost while it was committed"));
        return in_doubt ? DONE : LOST;
    }
    return *err == ERR_STALE ? AGAIN : DONE;
}

static enum outcome commit(struct postgres_engine *engine, struct postgres_tx *tx, enum err *err)
{
    int64_t begun_us = clock_mono_us();

    *err = postgres_tx_commit(tx);
    if (*err) {
        if (*err == ERR_UNAVAILABLE)
            atomic_fetch_add_explicit(&engine->failed_commits, 1, memory_order_relaxed);
        return judge(tx, err);
    }
    if (tx->committing) {
        metric_observe(&engine->commit_time, &STORE_COMMIT_SCALE, clock_mono_us() - begun_us);
        metric_observe(&engine->jobs_a_commit, &STORE_JOBS_SCALE, 1);
        atomic_fetch_add_explicit(&engine->commits, 1, memory_order_relaxed);
    }
    return DONE;
}

/* Runs the function once; `keep`: and commits what it did, if it succeeds. */
static enum outcome attempt(struct postgres_engine *engine, struct postgres_tx *tx, bool keep,
                            tx_fn *fn, void *arg, enum err *ret_err)
{
    enum outcome outcome;
    enum err err = fn(&tx->tx, arg);

    if (!err && !tx->tx.failed && !keep)
        tx->tx.failed = postgres_tx_flush(tx);
    err = tx_result(&tx->tx, err);
    if (err || !keep)
        outcome = err ? judge(tx, &err) : DONE;
    else
        outcome = commit(engine, tx, &err);
    if (postgres_conn_is_lost(tx->conn) || (!err && keep)) {
        /* nothing to roll back */
    } else {
        postgres_tx_rollback(tx);
    }
    *ret_err = err;
    return outcome;
}

static enum outcome run_once(struct postgres_engine *engine, struct arena *arena,
                             int64_t deadline_ms, tx_fn *fn, void *arg, enum err *ret_err,
                             struct postgres_failure *ret_failure)
{
    struct postgres_tx tx = {.tx = {.ops = &postgres_ops, .arena = arena},
                             .tell = engine->tell,
                             .write = true,
                             .unnamed = engine->unnamed,
                             .deadline_ms = deadline_ms};
    struct postgres_tx rehearsal;
    enum outcome outcome = DONE;

    *ret_err = postgres_pool_take(engine->pool, POSTGRES_WRITE, &tx.conn);
    if (*ret_err)
        return DONE;
    if (engine->run_twice) {
        rehearsal = tx;
        outcome = attempt(engine, &rehearsal, false, fn, arg, ret_err);
    }
    if (outcome == DONE) {
        /* It may come to something else than the rehearsal: others write in between. */
        outcome = attempt(engine, &tx, true, fn, arg, ret_err);
    }
    *ret_failure = *postgres_conn_failure(tx.conn);
    bool is_done = outcome == DONE && !*ret_err;
    bool is_in_doubt =
        !is_done && outcome == DONE && tx.committing && postgres_conn_is_lost(tx.conn);
    bool all_told = !is_done || postgres_tx_tell_late(&tx);
    postgres_pool_return(engine->pool, POSTGRES_WRITE, tx.conn);
    if (is_done)
        postgres_tell_here(engine->tell, tx.events.items, tx.events.n);
    if (is_in_doubt || !all_told)
        postgres_tell_doubt(engine->tell);
    return outcome;
}

/* Those who met each other must not meet again at once. */
static void pause_before(int run)
{
    struct timespec pause = {.tv_nsec = (long)crypto_random_below(UINT32_C(1) << run) * 500000};

    nanosleep(&pause, NULL);
}

static enum err engine_write(struct engine *base, struct arena *arena, tx_fn *fn, void *arg)
{
    struct postgres_engine *engine = engine_of(base);
    int64_t deadline_ms = clock_mono_ms() + POSTGRES_WRITE_MAX_MS;
    struct postgres_failure failure = {0};
    int runs = 0, lost = 0;
    enum outcome outcome;
    enum err err;

    if (postgres_pool_writes_waiting(engine->pool) >= engine->queue_max) {
        atomic_fetch_add_explicit(&engine->refused, 1, memory_order_relaxed);
        return ERR_UNAVAILABLE;
    }
    for (;;) {
        outcome = run_once(engine, arena, deadline_ms, fn, arg, &err, &failure);
        if (outcome == DONE)
            return err;
        if (clock_mono_ms() > deadline_ms ||
            (outcome == LOST ? ++lost > POSTGRES_LOST_MAX : ++runs == POSTGRES_RUNS_MAX))
            break;
        if (outcome == AGAIN)
            pause_before(runs);
    }
    if (outcome == AGAIN)
        log_line(LOG_WARN, "transaction_stale", LOG_INT("expected", failure.expected),
                 LOG_INT("changed", failure.changed), LOG_INT("unique", failure.unique),
                 LOG_CSTR("code", failure.state), LOG_CSTR("sql", failure.sql ? failure.sql : ""));
    return ERR_UNAVAILABLE;
}

/* ---- The rest ---- */

static void engine_listen(struct engine *engine, store_listener *listener, void *ctx)
{
    postgres_tell_listen(engine_of(engine)->tell, listener, ctx);
    /* Of what was heard until now, while caches were filled, nobody was told. */
    if (engine_of(engine)->listen)
        postgres_tell_all(engine_of(engine)->tell);
}

static void engine_stats(struct engine *base, struct store_stats *ret_stats)
{
    struct postgres_engine *engine = engine_of(base);
    struct postgres_pool_stats pool;

    postgres_pool_stats(engine->pool, &pool);
    *ret_stats = (struct store_stats){
        .commits = atomic_load_explicit(&engine->commits, memory_order_relaxed),
        .failed_commits = atomic_load_explicit(&engine->failed_commits, memory_order_relaxed),
        .queue_depth = pool.writes_waiting,
        .refused = atomic_load_explicit(&engine->refused, memory_order_relaxed),
        .reads_waiting = pool.reads_waiting,
        .reads_late = pool.reads_late,
        .writes_late = pool.writes_late,
        .connections = pool.open,
        .connections_idle = pool.idle,
        .connections_max = pool.max,
        .connections_lost = pool.lost,
        .hears = engine->listen && postgres_listen_hears(engine->listen),
        .notifications_lost = engine->listen ? postgres_listen_losses(engine->listen) : 0,
        .database_bytes = -1,
        .log_bytes = -1,
    };
    ret_stats->jobs = ret_stats->commits;
    metric_read_add(&engine->jobs_a_commit, &ret_stats->jobs_a_commit);
    metric_read_add(&engine->commit_time, &ret_stats->commit_time);
}

static const char *engine_path(const struct engine *engine)
{
    (void)engine;
    return NULL;
}

static enum err engine_backup(struct engine *engine, struct store_backup *backup)
{
    (void)engine;
    (void)backup;
    log_line(LOG_ERROR, "backup_elsewhere",
             LOG_CSTR("hint", "PostgreSQL brings its own: pg_dump, or pg_basebackup with its log; "
                              "see docs/scaling.md"));
    return ERR_INTERNAL;
}

/* Whose process was killed is noticed by the server a moment later. */
static enum err try_claim(struct postgres_conn *conn)
{
    static const char sql[] =
        "SELECT CASE WHEN pg_try_advisory_xact_lock(" POSTGRES_SERVING_LOCK ") THEN 1 ELSE 0 END";
    static const struct timespec moment = {.tv_nsec = CLAIM_PAUSE_MS * 1000000};
    struct arena *arena = arena_create();
    bool got = false;
    enum err err = ERR_OK;

    for (int i = 0; !err && !got && i < CLAIM_TRIES; i++) {
        struct sql_rows rows;
        if (i > 0)
            nanosleep(&moment, NULL);
        postgres_conn_queue(conn, POSTGRES_ASK, SQL_ANY_COUNT, sql, SQL_NO_ARGS);
        err = postgres_conn_trip(conn, POSTGRES_TRIP_MAX_MS, arena, &rows);
        got = !err && sql_get_bool(&rows, 0, 0);
    }
    arena_destroy(arena);
    return err || got ? err : ERR_PROBLEM;
}

/* A lock of a transaction that is left open, because behind pgbouncer there is no session. Servers
 * hold it, shared, on the connection on which they listen. */
static enum err engine_claim(struct engine *base)
{
    static const char begin_sql[] = "BEGIN";
    static const char stay_sql[] =
        "SELECT set_config('idle_in_transaction_session_timeout', '0', true)";
    struct postgres_engine *engine = engine_of(base);
    struct postgres_conn *conn;

    if (engine->claim)
        return postgres_conn_is_alive(engine->claim) ? ERR_OK : ERR_UNAVAILABLE;
    enum err err = postgres_conn_open(engine->target, &conn);
    if (err)
        return err;
    postgres_conn_queue(conn, POSTGRES_CONTROL, SQL_ANY_COUNT, begin_sql, SQL_NO_ARGS);
    postgres_conn_queue(conn, POSTGRES_CONTROL, SQL_ANY_COUNT, stay_sql, SQL_NO_ARGS);
    err = try_claim(conn);
    if (err)
        postgres_conn_close(conn);
    else
        engine->claim = conn;
    return err;
}

static void engine_close(struct engine *base)
{
    struct postgres_engine *engine = engine_of(base);

    postgres_conn_close(engine->claim);
    postgres_listen_stop(engine->listen);
    postgres_pool_destroy(engine->pool);
    postgres_tell_destroy(engine->tell);
    postgres_target_destroy(engine->target);
    free(engine);
}

/* Numbers of an identity never come back; BY DEFAULT, because a copied row brings its own. */
#define IDENTITY "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
static const struct engine_token tokens[] = {
    {"$ID$", IDENTITY}, {"$ID_NEVER_REUSED$", IDENTITY}, {"$BLOB$", "BYTEA"}, {"$STRICT$", ""},
    {NULL, NULL},
};

const struct engine_ops postgres_ops = {
    .ask = postgres_tx_ask,
    .ask_ahead = postgres_tx_ask_ahead,
    .settle = postgres_tx_settle,
    .post = postgres_tx_post,
    .late = postgres_tx_late,
    .lock_user = postgres_tx_lock_user,
    .lock_subject = postgres_tx_lock_subject,
    .lock_migrations = postgres_tx_lock_migrations,
    .script = postgres_tx_script,
    .analyze = postgres_tx_analyze,
    .emit = postgres_tx_emit,
    .take_time = postgres_tx_take_time,
    .read_last_id = postgres_tx_read_last_id,
    .keep_last_id = postgres_tx_keep_last_id,
    .empty = postgres_tx_empty,
    .read = engine_read,
    .write = engine_write,
    .listen = engine_listen,
    .stats = engine_stats,
    .path = engine_path,
    .backup = engine_backup,
    .claim = engine_claim,
    .close = engine_close,
    .overlap_ms = POSTGRES_OVERLAP_MS,
    .tokens = tokens,
    .find_table_sql =
        "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
};

enum err postgres_engine_open(const struct store_options *options, struct engine **ret_engine)
{
    struct postgres_engine *engine = mem_zalloc(sizeof *engine);
    struct postgres_conn *conn;
    int n_max = options->connections > 0 ? options->connections : POSTGRES_CONNECTIONS;

    engine->engine.ops = &postgres_ops;
    engine->run_twice = options->run_twice;
    engine->unnamed = options->unnamed;
    engine->queue_max = options->queue_max > 0 ? options->queue_max : 4096;
    engine->target =
        postgres_target_create(options->database, "database", "servery", options->unnamed);
    engine->pool = postgres_pool_create(engine->target, n_max);
    engine->tell = postgres_tell_create(engine->target);
    enum err err = postgres_pool_take(engine->pool, POSTGRES_WRITE, &conn); /* is anybody there? */
    if (!err)
        postgres_pool_return(engine->pool, POSTGRES_WRITE, conn);
    if (!err && options->listen)
        err = postgres_listen_start(options->listen, engine->pool, engine->tell, &engine->listen);
    if (err) {
        engine_close(&engine->engine);
        return err;
    }
    *ret_engine = &engine->engine;
    return ERR_OK;
}
