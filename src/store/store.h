/* The store: every read and write of the shop's data goes through here, and only files of this
 * folder hold SQL. The engine (SQLite or PostgreSQL) is behind it.
 *
 * A transaction is a function. store_write runs it inside a transaction, perhaps together with
 * others in one commit, perhaps more than once, and returns when it is durable (or refused). So a
 * transaction function
 *   - takes clock, randomness and ids as arguments, and resets its outputs at entry (but for the
 *     problem it may fill: who runs the function resets that before each run, as call_transaction
 *     does; a function that resets it itself does no harm);
 *   - has no effect outside the database; what must happen after the commit it states with tx_emit,
 *     dropped on rollback;
 *   - allocates what it returns from tx_arena, which is the caller's;
 *   - returns an error to have its own changes rolled back (its neighbours' are kept).
 * The writer is one thread on SQLite: never wait for anything inside.
 *
 * A function is run again when what it had read did not hold: a post or a late found another count
 * of rows, or a post a unique row that is there already (the checks by ask see both the next time),
 * it returned ERR_STALE itself, or the engine met a deadlock. How often is the engine's judgement.
 * On SQLite nobody writes in between, so it is run once more, and what does not fit then is logged
 * as a bug: ERR_INTERNAL. An engine with several writers runs it again alone, up to 8 times, then
 * gives ERR_UNAVAILABLE: others were always faster.
 *
 * SQL is one text for all engines: $1 parameters (numbered, each used at least once), RETURNING, ON
 * CONFLICT; no `::`, no FOR UPDATE. Statements are cached by the address of their text, so a text
 * is a static const char[] beside the function that runs it. */
#ifndef SERVERY_STORE_STORE_H
#define SERVERY_STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/metric.h"

struct store;
struct tx;

typedef enum err tx_fn(struct tx *tx, void *arg);

/* ---- Values ---- */

enum sql_type { SQL_NULL, SQL_INT, SQL_TEXT, SQL_BLOB };

struct sql_value {
    enum sql_type type;
    int64_t i;
    struct str s;
};

static inline struct sql_value sql_null(void)
{
    return (struct sql_value){SQL_NULL, 0, {0}};
}
static inline struct sql_value sql_int(int64_t i)
{
    return (struct sql_value){SQL_INT, i, {0}};
}
static inline struct sql_value sql_bool(bool b)
{
    return (struct sql_value){SQL_INT, b ? 1 : 0, {0}};
}
static inline struct sql_value sql_text(struct str s) /* STR_NONE: NULL */
{
    return (struct sql_value){s.ptr ? SQL_TEXT : SQL_NULL, 0, s};
}
static inline struct sql_value sql_blob(struct str s) /* STR_NONE: NULL */
{
    return (struct sql_value){s.ptr ? SQL_BLOB : SQL_NULL, 0, s};
}

/* The arguments of a statement: tx_ask(tx, sql, SQL_ARGS(sql_int(id), sql_text(name)), &rows). */
struct sql_args {
    const struct sql_value *values;
    size_t n;
};
#define SQL_ARGS(...)                                                                              \
    ((struct sql_args){(const struct sql_value[]){__VA_ARGS__},                                    \
                       sizeof((const struct sql_value[]){__VA_ARGS__}) /                           \
                           sizeof(struct sql_value)})
#define SQL_NO_ARGS ((struct sql_args){NULL, 0})

/* All rows of an answer, in the transaction's arena. */
struct sql_rows {
    size_t n, n_cols;
    const struct sql_value *cells;
};

int64_t sql_get_int(const struct sql_rows *rows, size_t row, size_t col); /* NULL: 0 */
bool sql_get_bool(const struct sql_rows *rows, size_t row, size_t col);
struct str sql_get_str(const struct sql_rows *rows, size_t row, size_t col); /* NULL: STR_NONE */
bool sql_is_null(const struct sql_rows *rows, size_t row, size_t col);

/* ---- Inside a transaction ---- */

enum { SQL_ANY_COUNT = -1 };

/* A transaction reads its own writes: what was posted, and then what is late, is run before the
 * statement of the next tx_ask, in the same trip. So tx_ask and store_write report the failures of
 * what they find pending, too. On SQLite nothing waits, unless store_options.defer says so. */

/* Runs a statement whose rows are needed now, after all that is pending. A conflict that is an
 * answer to the client is asked for (INSERT … ON CONFLICT DO NOTHING RETURNING id), never found by
 * a failing post. Only a unique row that an ask itself violates is ERR_UNIQUE. */
MUST_CHECK enum err tx_ask(struct tx *tx, const char *sql, struct sql_args args,
                           struct sql_rows *ret_rows);

/* The same with rows that are not needed before those of the next tx_ask: it travels with that one
 * (or with tx_settle), behind what was posted before it, and *ret_rows is filled then; until then
 * there are none. Each spares a trip. It may be answered although one behind it fails; a statement
 * that may violate a unique row is not asked ahead. The place of *ret_rows outlives whatever could
 * fill it: who returns ERR_PROBLEM before the rows are there has settled them first, or they are
 * not on its stack, because its caller may still ask or settle in this transaction (as
 * auth_run_checked does). */
MUST_CHECK enum err tx_ask_ahead(struct tx *tx, const char *sql, struct sql_args args,
                                 struct sql_rows *ret_rows);

/* Returns when all that was asked ahead is answered; a trip only where something is not. */
MUST_CHECK enum err tx_settle(struct tx *tx);

/* Runs a statement that needs no answer and must change exactly n_changed rows (or SQL_ANY_COUNT);
 * another count, or a unique row that is there already, fails the transaction with ERR_STALE: it is
 * rolled back and run again. May be deferred to the next ask or the commit; posts keep their order
 * among themselves. `args` are copied. It has no RETURNING: an engine may add its own. */
MUST_CHECK enum err tx_post(struct tx *tx, int64_t n_changed, const char *sql,
                            struct sql_args args);

/* A post that changes one contended row, named by `key`, exactly once. May be deferred to the next
 * ask or the commit, and runs after all posts that are pending then, also those stated after it (so
 * no post relies on a late that no ask has followed), in the order of the keys, those of one key in
 * the order they were stated. So locks are short, and never cross as long as a transaction states
 * all its lates without an ask in between. */
MUST_CHECK enum err tx_late(struct tx *tx, int64_t key, const char *sql, struct sql_args args);

/* ---- Locks, held to the end of the transaction; nothing to do where one thread writes ----
 *
 * All take theirs in one order, so that nobody waits in a circle: users by rising id, then
 * subjects, then lates. Where a second user is known only by a row that is read under the first
 * one's lock, the order may be broken: the engine finds the circle and runs one of them again. To
 * lock again what one holds is allowed. */

/* Every write of a user's data takes the user's row first. With two users: tx_lock_users, or the
 * lower id first. */
MUST_CHECK enum err tx_lock_user(struct tx *tx, int64_t user_id);
MUST_CHECK enum err tx_lock_users(struct tx *tx, int64_t user_id, int64_t other_user_id);

/* Who counts rows before adding one takes this first, or many at once would each count none.
 * `scope` names the rule, `subject` (a hash) whom it counts. Nothing in a read, which adds none. */
MUST_CHECK enum err tx_lock_subject(struct tx *tx, struct str scope, struct str subject);

struct arena *tx_arena(struct tx *tx);

/* What a committed transaction has changed, told to the listener after COMMIT and before the
 * transaction's caller is answered. Ids only (and the event, where this server made it), so that it
 * can travel to other servers. */
enum store_event_kind {
    STORE_EVENT_FOOD,        /* id: the food; added, edited, archived, or its stock moved */
    STORE_EVENT_SHOP,        /* shop settings changed */
    STORE_EVENT_ORDER,       /* id: the order; user_id: its owner; event_id: the order event's */
    STORE_EVENT_PAYMENT,     /* id: the payment; user_id */
    STORE_EVENT_SESSION_END, /* id: the session, ended by logout */
    STORE_EVENT_USER_END,    /* user_id: all his sessions ended; id: the one kept, or 0 */
    STORE_EVENT_OUTBOX,      /* a mail waits */
    STORE_EVENT_ALL,         /* anything: what other servers committed was not heard for a while */
};

struct store_event {
    enum store_event_kind kind;
    int64_t id, user_id, event_id;
};

void tx_emit(struct tx *tx, struct store_event event);

/* On an engine with several writers a row may become visible after one of a higher id. This is how
 * much older, by the clock that its transaction was given, it can be than one that is visible
 * already; 0 where rows are committed in the order of their ids. */
int64_t tx_overlap_ms(const struct tx *tx);

/* ---- Running transactions; any thread but the writer's ---- */

/* What store_read and store_write return besides the function's own error: ERR_UNAVAILABLE when the
 * database cannot do it now (full disk, I/O error, queue full: nothing was changed) and
 * ERR_INTERNAL. store_read gives the function one consistent snapshot and must be short; it may not
 * write, and is run again where its connection was lost: what adds to something is done after
 * store_read. Neither is called inside a transaction function: all other connections may be waiting
 * for just that. */
MUST_CHECK enum err store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
MUST_CHECK enum err store_write(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

/* store_read for a function that asks once and no more: one statement is a snapshot by itself, and
 * an engine across a network is spared the transaction around it. */
MUST_CHECK enum err store_ask(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

/* Called after each commit with what its transactions emitted, in order, on a thread that
 * committed, before any of their callers is answered; never twice at a time. With several servers
 * also with what another one committed, soon after, on a thread of the engine's own. It may
 * store_read (and waits for no other reader then), never store_write. Set once, before the first
 * write. */
typedef void store_listener(void *ctx, const struct store_event *events, size_t n);
void store_listen(struct store *store, store_listener *listener, void *ctx);

/* ---- Opening ---- */

struct store_options {
    const char *database; /* "sqlite:servery.db", "sqlite:/path", "postgresql://…" */
    int readers;          /* SQLite: read connections, opened as they are needed; 0: 8 */
    int connections;      /* PostgreSQL: for all reads and writes, opened as needed; 0: 16 */
    bool unnamed;         /* PostgreSQL: no prepared statements nor settings of a session */
    const char *listen;   /* PostgreSQL: where to hear of other servers' commits; NULL: nowhere */
    bool run_twice;       /* tests: each write is run, rolled back, and run again; each read, too */
    bool defer;           /* tests: posts and lates wait as long as they may */
    bool must_exist;      /* refuse a database that is not there */
    bool read_only;       /* for store_read alone: changes nothing, and asks for no right to */
    int queue_max;        /* writes that may wait before more are refused; 0: 4096 */
};

/* Opens without migrating. Errors are logged with what to do about them. */
MUST_CHECK enum err store_open(const struct store_options *options, struct store **ret_store);
void store_close(struct store *store); /* waits for what runs; NULL is fine */

/* Takes the database for this process alone until store_close: nobody serves it meanwhile, and
 * nobody copies it. ERR_PROBLEM if somebody does. Asked again it says whether that still holds.
 * Servers that share a database (store_is_shared) do not ask; while one of them serves, nobody gets
 * it. */
MUST_CHECK enum err store_claim(struct store *store);

/* These refuse half a copy (see copy.h) with ERR_INTERNAL and a line in the log. */

/* Applies the migrations that are missing, each in a transaction; a database that a newer servery
 * has migrated is refused. ret_applied counts them. */
MUST_CHECK enum err store_migrate(struct store *store, int *ret_applied);

/* ERR_OK if the database answers and is migrated to exactly this program's version. */
MUST_CHECK enum err store_ready(struct store *store);

/* The number of its newest migration, 0 without any; ERR_INTERNAL, with a line in the log, if it is
 * newer than the program. */
MUST_CHECK enum err store_version(struct store *store, int64_t *ret_version);
int64_t store_newest_version(void); /* the program's */

/* Writes a copy of the whole database, as it is at one moment after the call, into the file `path`,
 * which exists and is empty; while others read and write it, and without keeping them waiting. The
 * copy is on the disk and found to be in order as a database when this returns; what is in it is
 * store_check's to judge. What failed is logged, and half a copy is left for the caller to
 * remove. */
struct store_backup {
    const char *path;
    bool (*is_cancelled)(void); /* asked all the while; NULL: never */
    int64_t bytes, copied_ms;   /* out; the time in which the log could not be emptied */
};
MUST_CHECK enum err store_backup(struct store *store, struct store_backup *backup);

/* Whether a database of this name could be opened: it is sqlite:FILE or a URL of PostgreSQL. Else
 * ret_error says what it must be, and repeats nothing that could be a password. */
enum { STORE_ERROR_SIZE = 256 };
bool store_knows(const char *database, char ret_error[static STORE_ERROR_SIZE]);
bool store_is_shared(const char *database); /* several servers may use it: no SQLite */

/* Whether a parameter of such a URL, named as it is written there, holds a password. */
bool store_is_password(struct str parameter);

/* The path of an SQLite database's file, for its lock file; NULL for other engines. */
const char *store_path(const struct store *store);

/* Of jobs in a commit, and of microseconds that a commit (its fsync) took. */
extern const struct metric_scale STORE_JOBS_SCALE, STORE_COMMIT_SCALE;

struct store_stats {
    int64_t commits, jobs, failed_commits, queue_depth;     /* relaxed atomic reads */
    int64_t refused;                                        /* writes, because the queue was full */
    int64_t reads_waiting;                                  /* for a connection */
    int64_t reads_late, writes_late;                        /* given up: none became free in time */
    int64_t connections, connections_idle, connections_max; /* SQLite: that read */
    int64_t connections_lost;
    bool hears;                        /* of other servers' commits; or there can be none */
    int64_t notifications_lost;        /* times that it did not hear any more */
    int64_t database_bytes, log_bytes; /* of the file and of its write-ahead log; -1: unknown */
    struct metric_reading jobs_a_commit, commit_time;
};
void store_stats(const struct store *store, struct store_stats *ret_stats);

#endif
