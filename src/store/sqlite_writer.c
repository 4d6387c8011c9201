/* The one thread that writes to an SQLite database. Everybody's transactions queue here; what waits
 * is run as one batch, each job in a savepoint of its own, and committed with a single fsync. That
 * is three times as many orders a second as one commit each, and nobody ever meets a locked
 * database. */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/sqlite.h"

enum {
    BATCH_JOBS_MAX = 256,
    BATCH_US_MAX = 5000,
    QUEUE_MAX = 4096,
    CHECKPOINT_PAGES = 1000, /* SQLite's own default */
};

/* On the caller's stack until `done` is posted. */
struct job {
    tx_fn *fn;
    void *arg;
    struct arena *arena;
    enum err result;
    sem_t done;
    struct job *next;
};

struct sqlite_writer {
    struct sqlite_conn *conn;
    bool run_twice, defer;
    int queue_max;
    store_listener *listener;
    void *listener_ctx;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows, up to the statistics */
    pthread_cond_t wake;
    struct job *first, **last;
    int queued;
    bool stopping;

    atomic_int_least64_t commits, jobs, failed_commits, queue_depth, refused;
    struct metric_histogram jobs_a_commit, commit_time;

    /* The thread's own. */
    struct job *batch[BATCH_JOBS_MAX];
    size_t n_batch;
    struct sqlite_events events;
    int wal_pages;
};

static const char begin_sql[] = "BEGIN IMMEDIATE";
static const char commit_sql[] = "COMMIT";
static const char savepoint_sql[] = "SAVEPOINT job";
static const char release_sql[] = "RELEASE job";
static const char rollback_to_sql[] = "ROLLBACK TO job";

/* ---- The queue ---- */

static enum err queue_put(struct sqlite_writer *writer, struct job *job)
{
    enum err err = ERR_OK;

    pthread_mutex_lock(&writer->mutex);
    if (writer->stopping || writer->queued >= writer->queue_max) {
        err = ERR_UNAVAILABLE;
        atomic_fetch_add_explicit(&writer->refused, 1, memory_order_relaxed);
    } else {
        *writer->last = job;
        writer->last = &job->next;
        /* The writer sleeps only while nothing is queued. */
        if (writer->queued++ == 0)
            pthread_cond_signal(&writer->wake);
        atomic_store_explicit(&writer->queue_depth, writer->queued, memory_order_relaxed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return err;
}

/* The next job; with `wait` NULL only when it is time to end. */
static struct job *queue_take(struct sqlite_writer *writer, bool wait)
{
    struct job *job;

    pthread_mutex_lock(&writer->mutex);
    while (wait && !writer->first && !writer->stopping)
        pthread_cond_wait(&writer->wake, &writer->mutex);
    job = writer->first;
    if (job) {
        writer->first = job->next;
        if (!writer->first)
            writer->last = &writer->first;
        writer->queued--;
    }
    atomic_store_explicit(&writer->queue_depth, writer->queued, memory_order_relaxed);
    pthread_mutex_unlock(&writer->mutex);
    return job;
}

/* ---- One job ---- */

/* Runs the job's function in a savepoint, and keeps what it did if it succeeds and `keep` is set.
 * False when the whole batch is lost. */
static bool attempt(struct sqlite_writer *writer, struct job *job, bool keep,
                    struct sqlite_stale *ret_stale)
{
    struct sqlite_tx tx = {
        .tx = {.ops = &sqlite_ops, .arena = job->arena},
        .conn = writer->conn,
        .events = &writer->events,
        .defer = writer->defer,
    };
    size_t events_before = writer->events.n;

    if (sqlite_conn_control(writer->conn, savepoint_sql))
        return false;
    job->result = job->fn(&tx.tx, job->arg);
    if (!job->result && !tx.tx.failed)
        tx.tx.failed = sqlite_tx_flush(&tx);
    job->result = tx_result(&tx.tx, job->result);
    *ret_stale = tx.stale;
    /* A full disk, an I/O error or missing memory may have ended the whole transaction. */
    if (tx.tx.failed == ERR_UNAVAILABLE || !sqlite_conn_in_transaction(writer->conn))
        return false;
    if (job->result || !keep) {
        writer->events.n = events_before;
        if (sqlite_conn_control(writer->conn, rollback_to_sql))
            return false;
    }
    return sqlite_conn_control(writer->conn, release_sql) == ERR_OK;
}

static bool run_job(struct sqlite_writer *writer, struct job *job)
{
    struct sqlite_stale stale;
    enum err first;

    if (writer->run_twice) {
        if (!attempt(writer, job, false, &stale))
            return false;
        first = job->result;
        if (!attempt(writer, job, true, &stale))
            return false;
        assert(job->result == first || !"a transaction gave another result when run again");
    } else if (!attempt(writer, job, true, &stale)) {
        return false;
    }
    /* Nobody writes in between, so once more is enough to tell a bug. */
    if (job->result == ERR_STALE && !attempt(writer, job, true, &stale))
        return false;
    if (job->result == ERR_STALE) {
        log_line(LOG_ERROR, "transaction_stale", LOG_INT("expected", stale.expected),
                 LOG_INT("changed", stale.changed), LOG_INT("unique", stale.unique),
                 LOG_CSTR("sql", stale.sql));
        job->result = ERR_INTERNAL;
    }
    return true;
}

/* ---- A batch ---- */

static bool run_jobs(struct sqlite_writer *writer, struct job *job, bool *ret_changed)
{
    int64_t end_us = clock_mono_us() + BATCH_US_MAX;
    bool begun = sqlite_conn_control(writer->conn, begin_sql) == ERR_OK;
    bool whole = begun;

    *ret_changed = false;
    while (job) {
        writer->batch[writer->n_batch++] = job;
        whole = whole && run_job(writer, job);
        if (whole && job->result == ERR_OK)
            *ret_changed = true;
        /* When nothing can begin, all that waits is told so at once. */
        if (writer->n_batch == BATCH_JOBS_MAX || (begun && !whole) ||
            (begun && clock_mono_us() >= end_us))
            break;
        job = queue_take(writer, false);
    }
    return whole;
}

/* After a failed fsync the refused commit stands complete in the log, where a crash would find and
 * revive it. Any later commit overwrites it; make one at once. (On a full disk its last frame is
 * missing, and there is nothing to bury.) */
static void bury(struct sqlite_writer *writer)
{
    bool full = sqlite3_errcode(sqlite_conn_db(writer->conn)) == SQLITE_FULL;

    sqlite_conn_rollback(writer->conn);
    if (!full && sqlite_conn_script(writer->conn, "PRAGMA user_version = 0"))
        log_line(LOG_ERROR, "database_in_doubt",
                 LOG_CSTR("detail", "a refused commit may reappear if the server ends now"));
}

static bool commit(struct sqlite_writer *writer)
{
    int64_t begun_us = clock_mono_us();

    if (sqlite_conn_control(writer->conn, commit_sql)) {
        bury(writer);
        return false;
    }
    metric_observe(&writer->commit_time, &STORE_COMMIT_SCALE, clock_mono_us() - begun_us);
    metric_observe(&writer->jobs_a_commit, &STORE_JOBS_SCALE, (int64_t)writer->n_batch);
    atomic_fetch_add_explicit(&writer->commits, 1, memory_order_relaxed);
    return true;
}

static void answer(struct sqlite_writer *writer, bool lost)
{
    atomic_fetch_add_explicit(&writer->jobs, (int64_t)writer->n_batch, memory_order_relaxed);
    for (size_t i = 0; i < writer->n_batch; i++) {
        /* A neighbour's refusal may rest on what was lost, so it is lost too. */
        if (lost)
            writer->batch[i]->result = ERR_UNAVAILABLE;
        sem_post(&writer->batch[i]->done);
    }
}

static void run_batch(struct sqlite_writer *writer, struct job *first)
{
    bool changed, whole;

    writer->n_batch = 0;
    writer->events.n = 0;
    whole = run_jobs(writer, first, &changed);
    if (whole && changed)
        whole = commit(writer);
    else
        sqlite_conn_rollback(writer->conn); /* refused jobs only: nothing worth an fsync */
    if (!whole)
        atomic_fetch_add_explicit(&writer->failed_commits, 1, memory_order_relaxed);
    else if (writer->events.n > 0 && writer->listener)
        writer->listener(writer->listener_ctx, writer->events.items, writer->events.n);
    answer(writer, !whole);
}

/* ---- The thread ---- */

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int n_pages)
{
    struct sqlite_writer *writer = arg;

    (void)db;
    (void)name;
    writer->wal_pages = n_pages;
    return SQLITE_OK;
}

/* Moves the log into the database file when it has grown, while no caller waits for an answer. What
 * fails here fails again or succeeds next time; the log keeps everything until then. */
static void checkpoint(struct sqlite_writer *writer)
{
    sqlite3 *db = sqlite_conn_db(writer->conn);
    int rc;

    if (writer->wal_pages < CHECKPOINT_PAGES)
        return;
    rc = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY)
        log_line(LOG_ERROR, "database_error", LOG_CSTR("detail", sqlite3_errmsg(db)),
                 LOG_INT("code", rc), LOG_INT("errno", sqlite3_system_errno(db)),
                 LOG_CSTR("sql", "a checkpoint"));
    writer->wal_pages = 0;
}

static void *write_loop(void *arg)
{
    struct sqlite_writer *writer = arg;
    struct job *job;

    while ((job = queue_take(writer, true))) {
        run_batch(writer, job);
        checkpoint(writer);
    }
    return NULL;
}

struct sqlite_writer *sqlite_writer_start(struct sqlite_conn *conn,
                                          const struct store_options *options)
{
    struct sqlite_writer *writer = mem_zalloc(sizeof(*writer));

    writer->conn = conn;
    writer->run_twice = options->run_twice;
    writer->defer = options->defer;
    writer->queue_max = options->queue_max > 0 ? options->queue_max : QUEUE_MAX;
    writer->last = &writer->first;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->wake, NULL);
    sqlite3_wal_hook(sqlite_conn_db(conn), note_wal_pages, writer);
    thread_start(&writer->thread, "writer", write_loop, writer);
    return writer;
}

void sqlite_writer_stop(struct sqlite_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    sqlite_conn_close(writer->conn);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->wake);
    free(writer->events.items);
    free(writer);
}

enum err sqlite_writer_write(struct sqlite_writer *writer, struct arena *arena, tx_fn *fn,
                             void *arg)
{
    struct job job = {.fn = fn, .arg = arg, .arena = arena};
    enum err err;

    assert(!pthread_equal(pthread_self(), writer->thread));
    sem_init(&job.done, 0, 0);
    err = queue_put(writer, &job);
    if (err == ERR_OK) {
        while (sem_wait(&job.done))
            ; /* interrupted by a signal */
        err = job.result;
    }
    sem_destroy(&job.done);
    return err;
}

struct sqlite_conn *sqlite_writer_own_conn(struct sqlite_writer *writer)
{
    if (!pthread_equal(pthread_self(), writer->thread))
        return NULL;
    assert(!sqlite_conn_in_transaction(writer->conn) || !"a read inside a transaction function");
    return writer->conn;
}

void sqlite_writer_listen(struct sqlite_writer *writer, store_listener *listener, void *ctx)
{
    writer->listener = listener;
    writer->listener_ctx = ctx;
}

void sqlite_writer_stats(const struct sqlite_writer *writer, struct store_stats *ret_stats)
{
    ret_stats->commits = atomic_load_explicit(&writer->commits, memory_order_relaxed);
    ret_stats->jobs = atomic_load_explicit(&writer->jobs, memory_order_relaxed);
    ret_stats->failed_commits = atomic_load_explicit(&writer->failed_commits, memory_order_relaxed);
    ret_stats->queue_depth = atomic_load_explicit(&writer->queue_depth, memory_order_relaxed);
    ret_stats->refused = atomic_load_explicit(&writer->refused, memory_order_relaxed);
    metric_read_add(&writer->jobs_a_commit, &ret_stats->jobs_a_commit);
    metric_read_add(&writer->commit_time, &ret_stats->commit_time);
}
