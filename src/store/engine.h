/* What a database engine gives the store: a table of functions, so that handlers and aggregates
 * never know which one they run on. SQLite is sqlite.c. For src/store/ only. */
#ifndef SERVERY_STORE_ENGINE_H
#define SERVERY_STORE_ENGINE_H

#include "store/store.h"

struct engine;

/* One running transaction; an engine's own struct begins with it. */
struct tx {
    const struct engine_ops *ops;
    struct arena *arena;
    enum err failed;  /* of the first statement that failed; after it none is run any more */
    bool asked_ahead; /* and not answered yet */
};

/* In a migration's text each `name` is replaced by `text`, in this order. */
struct engine_token {
    const char *name, *text;
};

struct engine_ops {
    /* The verbs of a transaction, as in store.h; called only while tx->failed is ERR_OK. Values go
     * with their types, SQL_INT as int8, SQL_TEXT as text, SQL_BLOB as bytea (or what the engine
     * has instead), as `$5 < 0` and `$3 = ''` tell an engine of no type to guess by; an SQL_NULL
     * has none and takes its place's. A column that is read as a bool is a number. */
    enum err (*ask)(struct tx *tx, const char *sql, struct sql_args args,
                    struct sql_rows *ret_rows);
    enum err (*ask_ahead)(struct tx *tx, const char *sql, struct sql_args args,
                          struct sql_rows *ret_rows);
    enum err (*settle)(struct tx *tx);
    enum err (*post)(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args);
    enum err (*late)(struct tx *tx, int64_t key, const char *sql, struct sql_args args);
    enum err (*lock_user)(struct tx *tx, int64_t user_id);
    enum err (*lock_subject)(struct tx *tx, struct str scope, struct str subject);
    /* Held to the end of the transaction: of several servers that start at once one migrates. */
    enum err (*lock_migrations)(struct tx *tx);
    enum err (*script)(struct tx *tx, const char *text); /* statements without arguments */
    enum err (*analyze)(struct tx *tx); /* so that the planner knows what is in the shop's tables */
    void (*emit)(struct tx *tx, struct store_event event);

    /* No limit of time holds for this transaction. */
    enum err (*take_time)(struct tx *tx);
    /* For `servery copy`, of the tables whose ids the database makes. The largest id that it knows
     * to have given, also where that row is gone; 0: none, or it keeps no account of them. */
    enum err (*read_last_id)(struct tx *tx, const char *table, int64_t *ret_id);
    /* Gives no id up to this one any more, if it keeps an account of them. */
    enum err (*keep_last_id)(struct tx *tx, const char *table, int64_t id);
    /* Deletes all rows of a table, to which none may refer any more. */
    enum err (*empty)(struct tx *tx, const char *table);

    /* `once`: it asks no more than once. */
    enum err (*read)(struct engine *engine, struct arena *arena, bool once, tx_fn *fn, void *arg);
    enum err (*write)(struct engine *engine, struct arena *arena, tx_fn *fn, void *arg);
    void (*listen)(struct engine *engine, store_listener *listener, void *ctx);
    void (*stats)(struct engine *engine, struct store_stats *ret_stats);
    const char *(*path)(const struct engine *engine);
    /* Where a copy is not the program's affair, it logs whose, and refuses. */
    enum err (*backup)(struct engine *engine, struct store_backup *backup);
    enum err (*claim)(struct engine *engine); /* store_claim */
    void (*close)(struct engine *engine);

    int64_t overlap_ms;                /* see tx_overlap_ms */
    const struct engine_token *tokens; /* ends with a NULL name */
    const char *find_table_sql;        /* a row if there is a table called $1 */
};

/* An engine's own struct begins with it. */
struct engine {
    const struct engine_ops *ops;
};

MUST_CHECK enum err sqlite_engine_open(const struct store_options *options, const char *path,
                                       struct engine **ret_engine);
MUST_CHECK enum err postgres_engine_open(const struct store_options *options,
                                         struct engine **ret_engine);
bool postgres_is_url(const char *database);
bool postgres_knows(const char *url, char ret_error[static STORE_ERROR_SIZE]); /* as store_knows */
bool postgres_is_password(struct str parameter);

/* What a transaction function's answer comes to, given what happened to its statements. */
MUST_CHECK enum err tx_result(const struct tx *tx, enum err err);

struct migration {
    int64_t version; /* 1, 2, … without a gap */
    const char *name, *text;
};

/* migrations/ as built in. */
extern const struct migration store_migrations[];
extern const size_t store_n_migrations;

/* store_migrate and store_ready for any list of migrations. */
MUST_CHECK enum err migrate_apply(struct store *store, const struct migration *migrations,
                                  size_t n_migrations, int *ret_applied);
MUST_CHECK enum err migrate_check(struct store *store, int64_t version);
MUST_CHECK enum err migrate_read(struct store *store, int64_t *ret_version);
/* Logs that the database is newer than the program. */
MUST_CHECK enum err migrate_newer(int64_t version, size_t n_migrations);

#endif
