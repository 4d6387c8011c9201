/* The parts of the PostgreSQL engine:
 *   postgres_target.c  where to connect to, and what the server has to be
 *   postgres_wait.c    waits for answers, and not for ever
 *   postgres_conn.c    one connection: statements go into its pipeline, a trip sends them and reads
 *   postgres_result.c  what comes back: rows, and what an error means
 *   postgres_pool.c    the connections that reads and writes share
 *   postgres_tx.c      a transaction: the verbs, and which of them travel together
 *   postgres_tell.c    what is told after a commit: here, and to the other servers
 *   postgres_listen.c  what the other servers have committed
 *   postgres.c         the engine: runs transactions, again where that helps
 *
 * A trip is one message to the server and its answers: BEGIN goes with the first ask, posts and
 * lates with the next ask or with COMMIT. Values travel in binary, with their types. */
#ifndef SERVERY_STORE_POSTGRES_H
#define SERVERY_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/deferred.h"
#include "store/engine.h"

enum {
    POSTGRES_CONNECTIONS = 16,         /* of the pool, if nothing else is said */
    POSTGRES_CONNECT_MAX_S = 5,        /* to connect to one host */
    POSTGRES_POOL_WAIT_MS = 5000,      /* for a free connection */
    POSTGRES_LOCK_MAX_MS = 5000,       /* for another's lock */
    POSTGRES_STATEMENT_MAX_MS = 10000, /* for one statement */
    POSTGRES_IDLE_TX_MAX_MS = 20000,   /* the server ends a transaction that nobody goes on with */
    POSTGRES_TRIP_MAX_MS = 15000,      /* for an answer; then the connection counts as lost */
    /* From store_write to COMMIT, with all that is run again. With the wait for a connection and
     * the trip of the COMMIT itself it stays below POSTGRES_OVERLAP_MS. */
    POSTGRES_WRITE_MAX_MS = 30000,
    POSTGRES_OVERLAP_MS = 60000,
    POSTGRES_TELL_MAX_MS = 5000, /* that a caller waits for his commit to be told */
    POSTGRES_RUNS_MAX = 8,       /* of one transaction that meets others */
    POSTGRES_LOST_MAX = 3,       /* connections that one transaction may lose and go on */
};

/* Parts of SQL. A server that serves holds this advisory lock, shared, on the connection on which
 * it listens; and what servers tell each other goes through this channel. Both are the
 * database's. */
#define POSTGRES_SERVING_CLASS "1397051990"
#define POSTGRES_SERVING_OBJECT "1"
#define POSTGRES_SERVING_LOCK POSTGRES_SERVING_CLASS ", " POSTGRES_SERVING_OBJECT
#define POSTGRES_CHANNEL "servery"

/* ---- Where to connect to ---- */

/* A URL with what it does not say itself: timeouts, that the server must take writes, our name. */
struct postgres_target;

struct postgres_target *postgres_target_create(const char *url, /* postgres_knows it */
                                               const char *setting, const char *application,
                                               bool unnamed);
void postgres_target_destroy(struct postgres_target *target); /* NULL is fine */
bool postgres_target_is_unnamed(const struct postgres_target *target);
/* In pipeline mode, without waiting, with its settings made; from now on its warnings are logged.
 * Errors are logged, while they last every 10 s. */
MUST_CHECK enum err postgres_target_connect(const struct postgres_target *target, PGconn **ret_pg);

/* ---- Waiting; an end is a monotonic time, 0: none ---- */

int64_t postgres_end_of(int64_t timeout_ms); /* 0: none */

/* Sends what can be sent, and waits until there is a result, or the end of a statement's. False:
 * the connection is of no more use. */
MUST_CHECK bool postgres_wait(PGconn *pg, int64_t end_ms);

/* Statements without arguments, outside the pipeline: the result of the last one, or of the first
 * that failed. NULL: no answer came, and the connection is of no more use. */
PGresult *postgres_exec(PGconn *pg, int64_t end_ms, const char *text);

/* ---- A connection; used by one thread at a time ---- */

struct postgres_conn;

/* Errors are logged. */
MUST_CHECK enum err postgres_conn_open(const struct postgres_target *target,
                                       struct postgres_conn **ret_conn);
void postgres_conn_close(struct postgres_conn *conn); /* NULL is fine */

enum postgres_kind {
    POSTGRES_CONTROL, /* its answer does not matter */
    POSTGRES_ASK,     /* its rows are the trip's, but for those asked ahead; one a trip */
    POSTGRES_POST,    /* must change n_changed rows; looked at when the answer is here */
    POSTGRES_CHECKED, /* the same, but the server itself looks: what follows is not run */
    POSTGRES_COMMIT,
    POSTGRES_PREPARE, /* the connection's own */
    POSTGRES_SYNC,
};

/* Puts a statement into the pipeline. Its text is static. */
void postgres_conn_queue(struct postgres_conn *conn, enum postgres_kind kind, int64_t n_changed,
                         const char *sql, struct sql_args args);

/* A question that has rows of its own. */
void postgres_conn_ask_ahead(struct postgres_conn *conn, const char *sql, struct sql_args args,
                             struct sql_rows *ret_rows);

/* Sends all that is queued and reads the answers; rows (of the ask, if there was one) into the
 * arena. `timeout_ms` 0: none. The first thing that failed is what it returns:
 *   ERR_UNIQUE       an ask violated a unique index
 *   ERR_STALE        a post did not change what it should; or a deadlock, a conflict
 *   ERR_UNAVAILABLE  a timeout, a full disk, …; or the connection is lost
 *   ERR_INTERNAL     logged */
MUST_CHECK enum err postgres_conn_trip(struct postgres_conn *conn, int64_t timeout_ms,
                                       struct arena *arena, struct sql_rows *ret_rows);

/* Sends all that is queued; whoever uses the connection next reads the answers. */
void postgres_conn_leave(struct postgres_conn *conn);

/* Statements without arguments, not in the pipeline; nothing may be queued. `timeout_ms` as
 * above. */
MUST_CHECK enum err postgres_conn_script(struct postgres_conn *conn, int64_t timeout_ms,
                                         const char *text);

/* Looks whether the server has hung up meanwhile; costs no trip. */
bool postgres_conn_is_alive(struct postgres_conn *conn);
bool postgres_conn_is_lost(const struct postgres_conn *conn);
PGconn *postgres_conn_pg(struct postgres_conn *conn);

/* What failed in the last trip. */
struct postgres_failure {
    enum err err;
    bool answered;             /* a statement failed: COMMIT behind it was not run */
    const char *sql;           /* NULL: none */
    int64_t expected, changed; /* of a post; changed -1: unknown */
    bool unique;
    char state[6]; /* SQLSTATE */
};
const struct postgres_failure *postgres_conn_failure(const struct postgres_conn *conn);

/* ---- Answers (postgres_result.c) ---- */

void postgres_rows_read(const PGresult *result, struct arena *arena, struct sql_rows *ret_rows);

/* What an error means for who asked; logs what nobody expects. */
struct postgres_failure postgres_failure_of(const PGresult *result, enum postgres_kind kind,
                                            const char *sql);

/* The same of a connection that is gone, or was never there. */
void postgres_log_lost(const PGconn *pg);

/* ---- The pool ---- */

struct postgres_pool;

struct postgres_pool *postgres_pool_create(const struct postgres_target *target, int n_max);
void postgres_pool_destroy(struct postgres_pool *pool); /* all connections are back */

enum postgres_use { POSTGRES_READ, POSTGRES_WRITE };

/* Waits for at most POSTGRES_POOL_WAIT_MS; writes never take the last quarter. */
MUST_CHECK enum err postgres_pool_take(struct postgres_pool *pool, enum postgres_use use,
                                       struct postgres_conn **ret_conn);
/* Closes a lost one, and all that are idle with it: their server is gone, too, or another one
 * now. */
void postgres_pool_return(struct postgres_pool *pool, enum postgres_use use,
                          struct postgres_conn *conn);

struct postgres_pool_stats {
    int64_t reads_waiting, writes_waiting;
    int64_t reads_late, writes_late; /* none became free in time */
    int64_t open, idle, max, lost;
};
void postgres_pool_stats(struct postgres_pool *pool, struct postgres_pool_stats *ret_stats);
int64_t postgres_pool_writes_waiting(const struct postgres_pool *pool); /* takes no lock */

/* ---- A transaction ---- */

struct postgres_events {
    struct store_event *items; /* in an arena */
    size_t n, cap;
};
void postgres_events_add(struct postgres_events *events, struct arena *arena,
                         struct store_event event);

struct postgres_tx {
    struct tx tx;
    struct postgres_conn *conn;
    struct postgres_tell *tell;
    bool write, unnamed;
    bool untold; /* the other servers, because there were none */
    bool once;   /* one ask, without a transaction around it */
    bool begun, committing;
    bool slow;           /* takes the time it takes */
    int64_t deadline_ms; /* monotonic; no COMMIT is sent after it */
    struct deferred_list posts, lates;
    struct postgres_events events;
    int64_t locked_user; /* the last one; 0: none */
};

extern const struct engine_ops postgres_ops;

enum err postgres_tx_ask(struct tx *tx, const char *sql, struct sql_args args,
                         struct sql_rows *ret_rows);
enum err postgres_tx_ask_ahead(struct tx *tx, const char *sql, struct sql_args args,
                               struct sql_rows *ret_rows);
enum err postgres_tx_settle(struct tx *tx);
enum err postgres_tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args);
enum err postgres_tx_late(struct tx *tx, int64_t key, const char *sql, struct sql_args args);
enum err postgres_tx_lock_user(struct tx *tx, int64_t user_id);
enum err postgres_tx_lock_subject(struct tx *tx, struct str scope, struct str subject);
enum err postgres_tx_lock_migrations(struct tx *tx);
enum err postgres_tx_take_time(struct tx *tx);
enum err postgres_tx_read_last_id(struct tx *tx, const char *table, int64_t *ret_id);
enum err postgres_tx_keep_last_id(struct tx *tx, const char *table, int64_t id);
enum err postgres_tx_empty(struct tx *tx, const char *table);
enum err postgres_tx_script(struct tx *tx, const char *text);
enum err postgres_tx_analyze(struct tx *tx);
void postgres_tx_emit(struct tx *tx, struct store_event event);

/* Runs what is pending, without the COMMIT. */
MUST_CHECK enum err postgres_tx_flush(struct postgres_tx *tx);
MUST_CHECK enum err postgres_tx_commit(struct postgres_tx *tx);
void postgres_tx_rollback(struct postgres_tx *tx); /* nothing to do where nothing was begun */
void postgres_tx_end_read(struct postgres_tx *tx);
/* After the commit: those who were not there yet when it was sent. False: they are not told. */
MUST_CHECK bool postgres_tx_tell_late(struct postgres_tx *tx);

/* ---- Telling ---- */

struct postgres_tell;

/* `target`: for a connection of its own, from which the listener reads. */
struct postgres_tell *postgres_tell_create(const struct postgres_target *target);
void postgres_tell_destroy(struct postgres_tell *tell);
void postgres_tell_listen(struct postgres_tell *tell, store_listener *listener, void *ctx);

/* Whether nobody else listens. A NOTIFY is dear (commits with one do not share an fsync), so none
 * is sent then: set by who looks, and unset by whatever another server says, which begins with a
 * hello. */
void postgres_tell_set_alone(struct postgres_tell *tell, bool alone);
bool postgres_tell_is_alone(const struct postgres_tell *tell);
/* Queues what tells the other servers, in the transaction. */
void postgres_tell_notify(struct postgres_tell *tell, struct postgres_conn *conn,
                          struct arena *arena, const struct postgres_events *events);
/* Tells the listener, and returns when it has been told, or soon will be: not later than after
 * POSTGRES_TELL_MAX_MS, where it is another thread that tells. */
void postgres_tell_here(struct postgres_tell *tell, const struct store_event *events, size_t n);
void postgres_tell_all(struct postgres_tell *tell); /* that anything may have changed */
/* Something may have been committed, or may yet be, of which nobody was told: everybody is told so
 * now and, for POSTGRES_OVERLAP_MS, again and again by the thread that listens. */
void postgres_tell_doubt(struct postgres_tell *tell);
bool postgres_tell_is_in_doubt(const struct postgres_tell *tell);
/* What a notification says; events are added. */
enum postgres_said {
    POSTGRES_SAID_EVENTS,
    POSTGRES_SAID_OURS,  /* this server's own */
    POSTGRES_SAID_HELLO, /* another one begins to listen */
    POSTGRES_SAID_HEARD, /* another one has heard our hello */
};
enum postgres_said postgres_tell_parse(struct postgres_tell *tell, const char *payload,
                                       struct arena *arena, struct postgres_events *events);
/* What says hello. */
const char *postgres_tell_own(const struct postgres_tell *tell);

/* The connection from which the listener reads, on the thread that runs it; else NULL. */
struct postgres_conn *postgres_tell_own_conn(struct postgres_tell *tell);

/* ---- Listening ---- */

struct postgres_listen;

/* Connects, and sees that what is told by a connection of the pool is heard. */
MUST_CHECK enum err postgres_listen_start(const char *url, struct postgres_pool *pool,
                                          struct postgres_tell *tell,
                                          struct postgres_listen **ret_listen);
void postgres_listen_stop(struct postgres_listen *listen); /* NULL is fine */

/* Whether it hears, and how often it ceased to; any thread. */
bool postgres_listen_hears(const struct postgres_listen *listen);
int64_t postgres_listen_losses(const struct postgres_listen *listen);

#endif
