/* The parts of the SQLite engine: one connection (sqlite_conn.c), the writer thread
 * (sqlite_writer.c), the engine with its read connections (sqlite.c), and a copy of the database
 * while it is written (sqlite_backup.c). */
#ifndef SERVERY_STORE_SQLITE_H
#define SERVERY_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/deferred.h"
#include "store/engine.h"

/* ---- A connection; used by one thread at a time ---- */

struct sqlite_conn;

enum sqlite_role { SQLITE_ROLE_WRITER, SQLITE_ROLE_READER };

/* Opens and sets up `path`, which exists. A reader takes it also where it may only be read. Errors
 * are logged. */
MUST_CHECK enum err sqlite_conn_open(const char *path, enum sqlite_role role,
                                     struct sqlite_conn **ret_conn);
void sqlite_conn_close(struct sqlite_conn *conn); /* NULL is fine */

sqlite3 *sqlite_conn_db(struct sqlite_conn *conn);

/* Runs a cached statement. Rows go to the arena; rows and arena may be NULL where none are wanted.
 * A unique violation is ERR_UNIQUE; all else that fails is logged. */
MUST_CHECK enum err sqlite_conn_ask(struct sqlite_conn *conn, struct arena *arena, const char *sql,
                                    struct sql_args args, struct sql_rows *ret_rows);

/* The same without rows; ret_changed counts what a change has changed. */
MUST_CHECK enum err sqlite_conn_run(struct sqlite_conn *conn, const char *sql, struct sql_args args,
                                    int64_t *ret_changed);

/* Runs statements without arguments, not cached. */
MUST_CHECK enum err sqlite_conn_script(struct sqlite_conn *conn, const char *text);

/* BEGIN, COMMIT and their like. */
MUST_CHECK enum err sqlite_conn_control(struct sqlite_conn *conn, const char *sql);
void sqlite_conn_rollback(struct sqlite_conn *conn); /* nothing to do without a transaction */
bool sqlite_conn_in_transaction(struct sqlite_conn *conn);

/* While set, an ask that would write is a bug. Readers cannot write anyway; the writer's own
 * connection is read from, too. */
void sqlite_conn_set_reading(struct sqlite_conn *conn, bool reading);

/* ---- A transaction ---- */

struct sqlite_events {
    struct store_event *items;
    size_t n, cap;
};

struct sqlite_tx {
    struct tx tx;
    struct sqlite_conn *conn;
    struct sqlite_events *events; /* NULL in a read */
    struct sqlite_stale {         /* the post that did not fit, for the log */
        const char *sql;
        int64_t expected, changed;
        bool unique; /* it violated a unique index */
    } stale;
    bool defer;
    struct deferred_list posts, lates;
};

extern const struct engine_ops sqlite_ops;

/* Runs a change now; a count or a unique row that does not fit is ERR_STALE. */
MUST_CHECK enum err sqlite_tx_run(struct sqlite_tx *tx, int64_t n_changed, const char *sql,
                                  struct sql_args args);
MUST_CHECK enum err sqlite_tx_flush(struct sqlite_tx *tx); /* runs what was kept */

/* ---- The writer thread ---- */

struct sqlite_writer;

/* Takes conn over. */
struct sqlite_writer *sqlite_writer_start(struct sqlite_conn *conn,
                                          const struct store_options *options);
void sqlite_writer_stop(struct sqlite_writer *writer); /* runs what waits, then ends */
MUST_CHECK enum err sqlite_writer_write(struct sqlite_writer *writer, struct arena *arena,
                                        tx_fn *fn, void *arg);
/* The writer's connection on its own thread, which is in no transaction then; else NULL. */
struct sqlite_conn *sqlite_writer_own_conn(struct sqlite_writer *writer);
void sqlite_writer_listen(struct sqlite_writer *writer, store_listener *listener, void *ctx);
void sqlite_writer_stats(const struct sqlite_writer *writer, struct store_stats *ret_stats);

/* ---- A copy (sqlite_backup.c) ---- */

MUST_CHECK enum err sqlite_backup(const char *source, struct store_backup *backup);

#endif
