/* The SQLite engine: a pool of read connections beside the one writer thread. In WAL mode readers
 * see a committed snapshot and wait for nobody. */
#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { READERS_DEFAULT = 8 };

/* A reader in the queue for a connection, on its own stack. */
struct waiter {
    sem_t served;
    struct sqlite_conn *conn; /* NULL: it may open one, which is counted already */
    struct waiter *next;
};

struct sqlite_engine {
    struct engine engine;
    char *path;                   /* absolute */
    struct sqlite_writer *writer; /* NULL: read-only */
    int claim_fd;                 /* -1: others may serve it */
    bool run_twice;

    pthread_mutex_t mutex;     /* guards the pool */
    struct sqlite_conn **idle; /* the last one back is the first one out: its cache is warm */
    int n_idle, n_open, n_max;
    struct waiter *first, **last; /* only while none is idle; served in turn */
    atomic_int_least64_t n_waiting;
};

static struct sqlite_engine *engine_of(struct engine *engine)
{
    return (struct sqlite_engine *)engine;
}

static struct sqlite_tx *tx_of(struct tx *tx)
{
    return (struct sqlite_tx *)tx;
}

static enum err refuse(const char *path, const char *hint)
{
    log_line(LOG_ERROR, "database_cannot_open", LOG_CSTR("path", path),
             LOG_CSTR("detail", strerrordesc_np(errno)), LOG_CSTR("hint", hint));
    return ERR_UNAVAILABLE;
}

/* ---- The verbs: on SQLite all of them just run, unless a test defers them ---- */

static enum err verb_ask(struct tx *tx, const char *sql, struct sql_args args,
                         struct sql_rows *ret_rows)
{
    enum err err = sqlite_tx_flush(tx_of(tx));

    return err ? err : sqlite_conn_ask(tx_of(tx)->conn, tx->arena, sql, args, ret_rows);
}

static enum err verb_ask_ahead(struct tx *tx, const char *sql, struct sql_args args,
                               struct sql_rows *ret_rows)
{
    struct sqlite_tx *own = tx_of(tx);

    if (!own->defer)
        return sqlite_conn_ask(own->conn, tx->arena, sql, args, ret_rows);
    deferred_ask(&own->posts, tx->arena, sql, args, ret_rows);
    return ERR_OK;
}

static enum err verb_settle(struct tx *tx)
{
    return sqlite_tx_flush(tx_of(tx));
}

static enum err verb_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args)
{
    struct sqlite_tx *own = tx_of(tx);

    assert(own->events || !"a read may not write");
    if (!own->defer)
        return sqlite_tx_run(own, n_changed, sql, args);
    deferred_add(&own->posts, tx->arena, 0, n_changed, sql, args);
    return ERR_OK;
}

static enum err verb_late(struct tx *tx, int64_t key, const char *sql, struct sql_args args)
{
    struct sqlite_tx *own = tx_of(tx);

    if (!own->defer)
        return verb_post(tx, 1, sql, args);
    assert(own->events || !"a read may not write");
    deferred_add(&own->lates, tx->arena, key, 1, sql, args);
    return ERR_OK;
}

static enum err verb_lock_user(struct tx *tx, int64_t user_id)
{
    (void)tx;
    (void)user_id;
    return ERR_OK;
}

static enum err verb_lock_subject(struct tx *tx, struct str scope, struct str subject)
{
    (void)tx;
    (void)scope;
    (void)subject;
    return ERR_OK;
}

/* A write begins with the lock that only one process gets. */
static enum err verb_lock_migrations(struct tx *tx)
{
    (void)tx;
    return ERR_OK;
}

static enum err verb_script(struct tx *tx, const char *text)
{
    enum err err = sqlite_tx_flush(tx_of(tx));

    return err ? err : sqlite_conn_script(tx_of(tx)->conn, text);
}

static enum err verb_analyze(struct tx *tx)
{
    return verb_script(tx, "ANALYZE");
}

static void verb_emit(struct tx *tx, struct store_event event)
{
    struct sqlite_events *events = tx_of(tx)->events;

    assert(events || !"a read has no events");
    if (events->n == events->cap) {
        events->cap = events->cap ? events->cap * 2 : 64;
        events->items = mem_realloc(events->items, events->cap * sizeof(*events->items));
    }
    events->items[events->n++] = event;
}

/* ---- For a copy ---- */

/* One thread writes, and nothing ends a transaction. */
static enum err verb_take_time(struct tx *tx)
{
    (void)tx;
    return ERR_OK;
}

/* What SQLite keeps of those with AUTOINCREMENT; of the others it gives the largest that is
 * there. */
static enum err verb_read_last_id(struct tx *tx, const char *table, int64_t *ret_id)
{
    static const char read[] = "SELECT seq FROM sqlite_sequence WHERE name = $1";
    struct sql_rows rows;
    enum err err = verb_ask(tx, read, SQL_ARGS(sql_text(str_from(table))), &rows);

    if (!err)
        *ret_id = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

static enum err verb_keep_last_id(struct tx *tx, const char *table, int64_t id)
{
    static const char raise[] = "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1 AND seq < $2";
    static const char add[] =
        "INSERT INTO sqlite_sequence (name, seq) SELECT t.name, $2 FROM sqlite_schema t "
        "WHERE t.type = 'table' AND t.name = $1 AND t.sql LIKE '%AUTOINCREMENT%' "
        "AND NOT EXISTS (SELECT 1 FROM sqlite_sequence s WHERE s.name = $1)";
    struct sql_args args = SQL_ARGS(sql_text(str_from(table)), sql_int(id));
    enum err err = verb_post(tx, SQL_ANY_COUNT, raise, args);

    return err ? err : verb_post(tx, SQL_ANY_COUNT, add, args);
}

static enum err verb_empty(struct tx *tx, const char *table)
{
    return verb_script(tx, arena_printf(tx->arena, "DELETE FROM %s", table).ptr);
}

/* ---- Reading ---- */

/* Waits for its turn, with the mutex held; it is released. */
static struct sqlite_conn *wait_for_reader(struct sqlite_engine *engine)
{
    struct waiter waiter = {0};

    sem_init(&waiter.served, 0, 0);
    *engine->last = &waiter;
    engine->last = &waiter.next;
    atomic_fetch_add_explicit(&engine->n_waiting, 1, memory_order_relaxed);
    pthread_mutex_unlock(&engine->mutex);
    while (sem_wait(&waiter.served))
        ; /* interrupted by a signal */
    sem_destroy(&waiter.served);
    return waiter.conn;
}

/* Hands a connection back, or with NULL the right to open one. */
static void return_reader(struct sqlite_engine *engine, struct sqlite_conn *conn)
{
    struct waiter *waiter;

    pthread_mutex_lock(&engine->mutex);
    waiter = engine->first;
    if (waiter) {
        engine->first = waiter->next;
        if (!engine->first)
            engine->last = &engine->first;
        atomic_fetch_sub_explicit(&engine->n_waiting, 1, memory_order_relaxed);
        waiter->conn = conn;
        sem_post(&waiter->served);
    } else if (conn) {
        engine->idle[engine->n_idle++] = conn;
    } else {
        engine->n_open--;
    }
    pthread_mutex_unlock(&engine->mutex);
}

static enum err take_reader(struct sqlite_engine *engine, struct sqlite_conn **ret_conn)
{
    struct sqlite_conn *conn = NULL;
    enum err err = ERR_OK;

    pthread_mutex_lock(&engine->mutex);
    if (engine->n_idle == 0 && engine->n_open == engine->n_max) {
        conn = wait_for_reader(engine);
    } else {
        if (engine->n_idle > 0)
            conn = engine->idle[--engine->n_idle];
        else
            engine->n_open++;
        pthread_mutex_unlock(&engine->mutex);
    }
    if (!conn)
        err = sqlite_conn_open(engine->path, SQLITE_ROLE_READER, &conn);
    if (err)
        return_reader(engine, NULL);
    else
        *ret_conn = conn;
    return err;
}

/* In one snapshot, so that it comes to the same. */
static enum err run_twice(struct tx *tx, tx_fn *fn, void *arg)
{
    enum err first = fn(tx, arg);

    if (tx->failed)
        return first;
    enum err second = fn(tx, arg);
    assert(tx->failed || second == first || !"a read gave another result when run again");
    return second;
}

static enum err read_on(const struct sqlite_engine *engine, struct sqlite_conn *conn,
                        struct arena *arena, tx_fn *fn, void *arg)
{
    static const char begin_sql[] = "BEGIN";
    static const char commit_sql[] = "COMMIT";
    struct sqlite_tx tx = {.tx = {.ops = &sqlite_ops, .arena = arena}, .conn = conn};
    enum err err = sqlite_conn_control(conn, begin_sql);

    if (err)
        return err;
    err = engine->run_twice ? run_twice(&tx.tx, fn, arg) : fn(&tx.tx, arg);
    err = tx_result(&tx.tx, err);
    /* Ends the snapshot; a read has nothing that could fail to commit. */
    if (sqlite_conn_control(conn, commit_sql))
        sqlite_conn_rollback(conn);
    return err;
}

static enum err engine_read(struct engine *base, struct arena *arena, bool once, tx_fn *fn,
                            void *arg)
{
    struct sqlite_engine *engine = engine_of(base);
    struct sqlite_conn *conn = engine->writer ? sqlite_writer_own_conn(engine->writer) : NULL;
    enum err err;

    (void)once; /* BEGIN and COMMIT cost next to nothing */
    /* The listener between two batches: if it waited for a slow reader, so would every write. */
    if (conn) {
        sqlite_conn_set_reading(conn, true);
        err = read_on(engine, conn, arena, fn, arg);
        sqlite_conn_set_reading(conn, false);
        return err;
    }
    err = take_reader(engine, &conn);
    if (err)
        return err;
    err = read_on(engine, conn, arena, fn, arg);
    return_reader(engine, conn);
    return err;
}

/* ---- The rest goes to the writer ---- */

static enum err engine_write(struct engine *engine, struct arena *arena, tx_fn *fn, void *arg)
{
    assert(engine_of(engine)->writer || !"a write to a store that was opened read-only");
    return sqlite_writer_write(engine_of(engine)->writer, arena, fn, arg);
}

static void engine_listen(struct engine *engine, store_listener *listener, void *ctx)
{
    sqlite_writer_listen(engine_of(engine)->writer, listener, ctx);
}

static int64_t size_of(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    struct stat status;
    int len = snprintf(name, sizeof(name), "%s%s", path, suffix);

    return len < (int)sizeof(name) && stat(name, &status) == 0 ? (int64_t)status.st_size : -1;
}

static void engine_stats(struct engine *base, struct store_stats *ret_stats)
{
    struct sqlite_engine *engine = engine_of(base);

    pthread_mutex_lock(&engine->mutex);
    int n_open = engine->n_open, n_idle = engine->n_idle;
    pthread_mutex_unlock(&engine->mutex);
    *ret_stats = (struct store_stats){.database_bytes = size_of(engine->path, ""),
                                      .log_bytes = size_of(engine->path, "-wal"),
                                      .connections = n_open,
                                      .connections_idle = n_idle,
                                      .connections_max = engine->n_max,
                                      .hears = true};
    if (engine->writer)
        sqlite_writer_stats(engine->writer, ret_stats);
    ret_stats->reads_waiting = atomic_load_explicit(&engine->n_waiting, memory_order_relaxed);
}

static const char *engine_path(const struct engine *engine)
{
    return ((const struct sqlite_engine *)engine)->path;
}

static enum err engine_backup(struct engine *engine, struct store_backup *backup)
{
    return sqlite_backup(engine_of(engine)->path, backup);
}

/* Two servers on one file would not see each other's changes. The lock is on a file of its own:
 * closing any descriptor of the database would drop SQLite's locks on it. */
static enum err engine_claim(struct engine *base)
{
    struct sqlite_engine *engine = engine_of(base);
    char name[PATH_MAX];

    if (engine->claim_fd >= 0)
        return ERR_OK;
    snprintf(name, sizeof name, "%s.lock", engine->path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EROFS && !engine->writer)
        return ERR_OK; /* nobody can serve what lies on such a medium */
    if (fd < 0)
        return refuse(name, "this file must be writable for this user");
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        bool taken = errno == EWOULDBLOCK;
        enum err err = taken ? ERR_PROBLEM : refuse(name, "this file must take a lock");
        close(fd);
        return err;
    }
    engine->claim_fd = fd;
    return ERR_OK;
}

static void engine_close(struct engine *base)
{
    struct sqlite_engine *engine = engine_of(base);

    /* Readers first: the last connection to close, the writer's, moves the log into the file. */
    assert(engine->n_idle == engine->n_open);
    while (engine->n_idle > 0)
        sqlite_conn_close(engine->idle[--engine->n_idle]);
    if (engine->writer)
        sqlite_writer_stop(engine->writer);
    if (engine->claim_fd >= 0)
        close(engine->claim_fd);
    pthread_mutex_destroy(&engine->mutex);
    free(engine->idle);
    free(engine->path);
    free(engine);
}

/* STRICT tables know no BIGINT; their INTEGER has 64 bits. */
static const struct engine_token tokens[] = {
    {"$ID$", "INTEGER PRIMARY KEY"},
    {"$ID_NEVER_REUSED$", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"$BLOB$", "BLOB"},
    {"$STRICT$", "STRICT"},
    {"BIGINT", "INTEGER"},
    {NULL, NULL},
};

const struct engine_ops sqlite_ops = {
    .ask = verb_ask,
    .ask_ahead = verb_ask_ahead,
    .settle = verb_settle,
    .post = verb_post,
    .late = verb_late,
    .lock_user = verb_lock_user,
    .lock_subject = verb_lock_subject,
    .lock_migrations = verb_lock_migrations,
    .script = verb_script,
    .analyze = verb_analyze,
    .emit = verb_emit,
    .read_last_id = verb_read_last_id,
    .keep_last_id = verb_keep_last_id,
    .empty = verb_empty,
    .take_time = verb_take_time,
    .read = engine_read,
    .write = engine_write,
    .listen = engine_listen,
    .stats = engine_stats,
    .path = engine_path,
    .backup = engine_backup,
    .claim = engine_claim,
    .close = engine_close,
    .overlap_ms = 0,
    .tokens = tokens,
    .find_table_sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
};

/* ---- Opening ---- */

/* Makes sure that there is a file, readable by its owner only: SQLite gives its log the same mode.
 * One that exists is never opened here, because closing it would drop the locks that other
 * connections of this process hold on it. */
static enum err find_file(const char *path, const struct store_options *options, char **ret_path)
{
    bool must_exist = options->must_exist || options->read_only;
    int fd;

    /* SQLite's own names for what is no file would make one that is called so. */
    if (strncmp(path, ":memory:", 8) == 0 || strncmp(path, "file:", 5) == 0) {
        errno = EINVAL;
        return refuse(path, "name a file, as in sqlite:servery.db; a shop in memory would forget "
                            "its orders");
    }
    if (must_exist && access(path, F_OK))
        return refuse(path, "there is no such database; check the setting database");
    if (!must_exist) {
        fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
        else if (errno != EEXIST)
            return refuse(path, "the file's folder must exist and be writable for this user");
    }
    /* Asked before SQLite opens it, which would leave a log behind that is as read-only. */
    if (options->read_only && access(path, R_OK))
        return refuse(path, "the file must be readable for this user");
    if (!options->read_only && access(path, R_OK | W_OK))
        return refuse(path, "the file and its folder must be writable for this user");
    *ret_path = realpath(path, NULL);
    return *ret_path ? ERR_OK : refuse(path, "check the setting database");
}

enum err sqlite_engine_open(const struct store_options *options, const char *path,
                            struct engine **ret_engine)
{
    struct sqlite_engine *engine;
    struct sqlite_conn *conn;
    enum sqlite_role role;
    char *full;
    enum err err;

    /* Neither a lock nor a count at every allocation; refused, without harm, once SQLite runs. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    err = find_file(path, options, &full);
    if (err)
        return err;
    role = options->read_only ? SQLITE_ROLE_READER : SQLITE_ROLE_WRITER;
    err = sqlite_conn_open(full, role, &conn);
    if (err) {
        free(full);
        return err;
    }
    engine = mem_zalloc(sizeof(*engine));
    engine->engine.ops = &sqlite_ops;
    engine->path = full;
    engine->claim_fd = -1;
    engine->run_twice = options->run_twice;
    engine->n_max = options->readers > 0 ? options->readers : READERS_DEFAULT;
    engine->idle = mem_zalloc((size_t)engine->n_max * sizeof(struct sqlite_conn *));
    pthread_mutex_init(&engine->mutex, NULL);
    engine->last = &engine->first;
    if (options->read_only)
        engine->idle[engine->n_idle++] = conn;
    else
        engine->writer = sqlite_writer_start(conn, options);
    engine->n_open = engine->n_idle;
    *ret_engine = &engine->engine;
    return ERR_OK;
}
