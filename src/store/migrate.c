/* Brings a database to the version this program was built for. Each migration runs as a
 * transaction of its own together with its row in schema_migrations, so a kill in between leaves
 * either all of it or nothing. */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/engine.h"

static const char version_sql[] = "SELECT COALESCE(MAX(version), 0) FROM schema_migrations";
static const char create_sql[] = "CREATE TABLE schema_migrations (\n"
                                 "    version BIGINT PRIMARY KEY,\n"
                                 "    name TEXT NOT NULL,\n"
                                 "    applied_at BIGINT NOT NULL\n"
                                 ") $STRICT$";

/* The newest version the database has; 0 for one that has none. */
static enum err read_version(struct tx *tx, void *arg)
{
    int64_t *ret_version = arg;
    struct sql_rows rows;
    enum err err;

    *ret_version = 0;
    err = tx_ask(tx, tx->ops->find_table_sql, SQL_ARGS(sql_text(STR("schema_migrations"))), &rows);
    if (err || rows.n == 0)
        return err;
    err = tx_ask(tx, version_sql, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    *ret_version = sql_get_int(&rows, 0, 0);
    return ERR_OK;
}

static enum err run_script(struct tx *tx, const char *text)
{
    struct buf out;

    buf_init(&out, tx->arena);
    while (*text) {
        const struct engine_token *token = tx->ops->tokens;

        while (token->name && strncmp(text, token->name, strlen(token->name)) != 0)
            token++;
        if (token->name) {
            buf_put_cstr(&out, token->text);
            text += strlen(token->name);
        } else {
            buf_put_char(&out, *text++);
        }
    }
    buf_put_char(&out, '\0');
    return tx->ops->script(tx, buf_str(&out).ptr);
}

struct apply {
    const struct migration *migration;
    int64_t now_ms;
    bool applied;
};

static enum err apply_one(struct tx *tx, void *arg)
{
    static const char insert_sql[] =
        "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";
    struct apply *apply = arg;
    const struct migration *migration = apply->migration;
    int64_t version;
    enum err err;

    apply->applied = false;
    err = tx->ops->lock_migrations(tx);
    if (err)
        return err;
    /* Another process may have been faster. */
    err = read_version(tx, &version);
    if (err || version >= migration->version)
        return err;
    if (migration->version == 1) {
        err = run_script(tx, create_sql);
        if (err)
            return err;
    }
    err = run_script(tx, migration->text);
    if (err)
        return err;
    err = tx_post(tx, 1, insert_sql,
                  SQL_ARGS(sql_int(migration->version), sql_text(str_from(migration->name)),
                           sql_int(apply->now_ms)));
    apply->applied = err == ERR_OK;
    return err;
}

/* A new database has no rows worth counting, and counts of none mislead the planner later. */
static enum err analyze(struct tx *tx, void *arg)
{
    (void)arg;
    return tx->ops->analyze(tx);
}

static enum err apply_missing(struct store *store, struct arena *arena, int64_t version,
                              const struct migration *migrations, size_t n_migrations,
                              int *ret_applied)
{
    int applied = 0;
    enum err err;

    for (size_t i = (size_t)version; i < n_migrations; i++) {
        struct apply apply = {&migrations[i], clock_now_ms(), false};

        assert(migrations[i].version == (int64_t)i + 1);
        err = store_write(store, arena, apply_one, &apply);
        if (err) {
            log_line(LOG_ERROR, "migration_failed", LOG_INT("version", migrations[i].version),
                     LOG_CSTR("name", migrations[i].name),
                     LOG_CSTR("hint", "nothing of it was kept; see the line before"));
            return err;
        }
        applied += apply.applied ? 1 : 0;
        arena_reset(arena);
    }
    *ret_applied = applied;
    return version > 0 && applied > 0 ? store_write(store, arena, analyze, NULL) : ERR_OK;
}

enum err migrate_newer(int64_t version, size_t n_migrations)
{
    log_line(LOG_ERROR, "database_newer", LOG_INT("database_version", version),
             LOG_INT("program_version", n_migrations),
             LOG_CSTR("hint", "a newer servery has migrated this database; use that one"));
    return ERR_INTERNAL;
}

enum err migrate_apply(struct store *store, const struct migration *migrations, size_t n_migrations,
                       int *ret_applied)
{
    struct arena *arena = arena_create();
    int64_t version;
    int applied;
    enum err err;

    err = store_read(store, arena, read_version, &version);
    if (err)
        goto out;
    if (version > (int64_t)n_migrations) {
        err = migrate_newer(version, n_migrations);
        goto out;
    }
    err = apply_missing(store, arena, version, migrations, n_migrations, &applied);
    if (err == ERR_OK)
        *ret_applied = applied;
out:
    arena_destroy(arena);
    return err;
}

enum err migrate_read(struct store *store, int64_t *ret_version)
{
    struct arena *arena = arena_create();
    int64_t version;
    enum err err = store_read(store, arena, read_version, &version);

    arena_destroy(arena);
    if (!err)
        *ret_version = version;
    return err;
}

enum err migrate_check(struct store *store, int64_t version)
{
    int64_t found;
    enum err err = migrate_read(store, &found);

    if (err)
        return err;
    return found == version ? ERR_OK : ERR_UNAVAILABLE;
}
