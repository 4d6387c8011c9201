/* The front of the store: finds the engine for a database's name and hands everything on to it. */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/copy.h"
#include "store/engine.h"

struct store {
    struct engine *engine;
};

/* ---- Rows ---- */

static const struct sql_value *cell(const struct sql_rows *rows, size_t row, size_t col)
{
    assert(row < rows->n && col < rows->n_cols);
    return &rows->cells[row * rows->n_cols + col];
}

int64_t sql_get_int(const struct sql_rows *rows, size_t row, size_t col)
{
    const struct sql_value *value = cell(rows, row, col);

    assert(value->type == SQL_INT || value->type == SQL_NULL);
    return value->i;
}

bool sql_get_bool(const struct sql_rows *rows, size_t row, size_t col)
{
    return sql_get_int(rows, row, col) != 0;
}

struct str sql_get_str(const struct sql_rows *rows, size_t row, size_t col)
{
    const struct sql_value *value = cell(rows, row, col);

    assert(value->type != SQL_INT);
    return value->s;
}

bool sql_is_null(const struct sql_rows *rows, size_t row, size_t col)
{
    return cell(rows, row, col)->type == SQL_NULL;
}

/* ---- Inside a transaction ---- */

/* Some engines can run nothing more after a failed statement, so none does. */
static enum err note(struct tx *tx, enum err err)
{
    if (err)
        tx->failed = err;
    return err;
}

enum err tx_ask(struct tx *tx, const char *sql, struct sql_args args, struct sql_rows *ret_rows)
{
    if (tx->failed)
        return tx->failed;
    tx->asked_ahead = false;
    return note(tx, tx->ops->ask(tx, sql, args, ret_rows));
}

enum err tx_ask_ahead(struct tx *tx, const char *sql, struct sql_args args,
                      struct sql_rows *ret_rows)
{
    if (tx->failed)
        return tx->failed;
    tx->asked_ahead = true;
    return note(tx, tx->ops->ask_ahead(tx, sql, args, ret_rows));
}

enum err tx_settle(struct tx *tx)
{
    if (tx->failed || !tx->asked_ahead)
        return tx->failed;
    tx->asked_ahead = false;
    return note(tx, tx->ops->settle(tx));
}

enum err tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args)
{
    if (tx->failed)
        return tx->failed;
    return note(tx, tx->ops->post(tx, n_changed, sql, args));
}

enum err tx_late(struct tx *tx, int64_t key, const char *sql, struct sql_args args)
{
    if (tx->failed)
        return tx->failed;
    return note(tx, tx->ops->late(tx, key, sql, args));
}

enum err tx_lock_user(struct tx *tx, int64_t user_id)
{
    if (tx->failed)
        return tx->failed;
    return note(tx, tx->ops->lock_user(tx, user_id));
}

enum err tx_lock_users(struct tx *tx, int64_t user_id, int64_t other_user_id)
{
    bool ordered = user_id <= other_user_id;
    enum err err = tx_lock_user(tx, ordered ? user_id : other_user_id);

    return err || user_id == other_user_id ? err
                                           : tx_lock_user(tx, ordered ? other_user_id : user_id);
}

enum err tx_lock_subject(struct tx *tx, struct str scope, struct str subject)
{
    if (tx->failed)
        return tx->failed;
    return note(tx, tx->ops->lock_subject(tx, scope, subject));
}

struct arena *tx_arena(struct tx *tx)
{
    return tx->arena;
}

void tx_emit(struct tx *tx, struct store_event event)
{
    tx->ops->emit(tx, event);
}

int64_t tx_overlap_ms(const struct tx *tx)
{
    return tx->ops->overlap_ms;
}

enum err tx_result(const struct tx *tx, enum err err)
{
    /* Only after a refused unique row may the function say itself what that means. */
    if (!tx->failed || (tx->failed == ERR_UNIQUE && err))
        return err;
    return tx->failed;
}

/* ---- Running ---- */

enum err store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    return store->engine->ops->read(store->engine, arena, false, fn, arg);
}

enum err store_ask(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    return store->engine->ops->read(store->engine, arena, true, fn, arg);
}

enum err store_write(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    return store->engine->ops->write(store->engine, arena, fn, arg);
}

void store_listen(struct store *store, store_listener *listener, void *ctx)
{
    store->engine->ops->listen(store->engine, listener, ctx);
}

const struct metric_scale STORE_JOBS_SCALE = {{1, 2, 4, 8, 16, 64, 128, 256}, 8, 0};
const struct metric_scale STORE_COMMIT_SCALE = {
    {500, 2000, 5000, 20000, 100000, 500000, 2500000}, 7, 6};

void store_stats(const struct store *store, struct store_stats *ret_stats)
{
    store->engine->ops->stats(store->engine, ret_stats);
}

enum err store_backup(struct store *store, struct store_backup *backup)
{
    return store->engine->ops->backup(store->engine, backup);
}

enum err store_claim(struct store *store)
{
    return store->engine->ops->claim(store->engine);
}

const char *store_path(const struct store *store)
{
    return store->engine->ops->path(store->engine);
}

/* ---- Opening ---- */

static const char SQLITE_SCHEME[] = "sqlite:";

static bool is_sqlite(const char *database)
{
    size_t scheme_len = sizeof(SQLITE_SCHEME) - 1;

    return strncmp(database, SQLITE_SCHEME, scheme_len) == 0 && database[scheme_len] != '\0';
}

bool store_knows(const char *database, char ret_error[static STORE_ERROR_SIZE])
{
    if (postgres_is_url(database))
        return postgres_knows(database, ret_error);
    if (!is_sqlite(database)) {
        snprintf(ret_error, STORE_ERROR_SIZE,
                 "must be sqlite:FILE or a URL such as postgresql://user:password@host/name");
        return false;
    }
    /* A file of that name would be made, and the password in it shown wherever its path is. */
    if (postgres_is_url(database + sizeof(SQLITE_SCHEME) - 1)) {
        snprintf(ret_error, STORE_ERROR_SIZE, "sqlite: is followed by a file, not by a URL");
        return false;
    }
    return true;
}

bool store_is_shared(const char *database)
{
    return postgres_is_url(database);
}

bool store_is_password(struct str parameter)
{
    return postgres_is_password(parameter);
}

enum err store_open(const struct store_options *options, struct store **ret_store)
{
    char error[STORE_ERROR_SIZE];
    struct engine *engine;
    struct store *store;
    enum err err;

    if (!store_knows(options->database, error)) {
        log_line(LOG_ERROR, "database_unknown", LOG_CSTR("hint", error));
        err = ERR_INTERNAL;
    } else if (is_sqlite(options->database)) {
        err = sqlite_engine_open(options, options->database + sizeof(SQLITE_SCHEME) - 1, &engine);
    } else {
        err = postgres_engine_open(options, &engine);
    }
    if (err)
        return err;
    store = mem_zalloc(sizeof(*store));
    store->engine = engine;
    *ret_store = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store->engine->ops->close(store->engine);
    free(store);
}

enum err store_migrate(struct store *store, int *ret_applied)
{
    enum err err = copy_refuse_half(store);

    return err ? err : migrate_apply(store, store_migrations, store_n_migrations, ret_applied);
}

enum err store_ready(struct store *store)
{
    enum err err = migrate_check(store, store_newest_version());

    return err ? err : copy_refuse_half(store);
}

int64_t store_newest_version(void)
{
    return store_migrations[store_n_migrations - 1].version;
}

enum err store_version(struct store *store, int64_t *ret_version)
{
    int64_t version;
    enum err err = migrate_read(store, &version);

    if (!err && version > (int64_t)store_n_migrations)
        err = migrate_newer(version, store_n_migrations);
    if (!err)
        err = copy_refuse_half(store);
    if (!err)
        *ret_version = version;
    return err;
}
