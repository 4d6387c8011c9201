/* Changes of a transaction on SQLite: run at once, or, in tests, kept as long as store.h allows, so
 * that a function which relies on less than the contract fails here too and not only on an engine
 * that sends them in one trip. */
#include <assert.h>

#include "store/sqlite.h"

struct sqlite_deferred {
    int64_t key, n_changed;
    const char *sql;
    struct sql_args args;
    struct sqlite_deferred *next;
};

enum err sqlite_tx_run(struct sqlite_tx *tx, int64_t n_changed, const char *sql,
                       struct sql_args args)
{
    int64_t changed = 0;
    enum err err = sqlite_conn_run(tx->conn, sql, args, &changed);

    if (err && err != ERR_UNIQUE)
        return err;
    if (!err && (n_changed == SQL_ANY_COUNT || changed == n_changed))
        return ERR_OK;
    tx->stale = (struct sqlite_stale){sql, n_changed, changed, err == ERR_UNIQUE};
    return ERR_STALE;
}

/* The caller's values and bytes may be gone by the time they are bound. */
static struct sql_args copy_args(struct arena *arena, struct sql_args args)
{
    struct sql_value *values = arena_alloc(arena, (args.n + 1) * sizeof(*values));

    for (size_t i = 0; i < args.n; i++) {
        values[i] = args.values[i];
        if (values[i].s.ptr)
            values[i].s = arena_dup(arena, values[i].s);
    }
    return (struct sql_args){values, args.n};
}

void sqlite_tx_defer(struct sqlite_tx *tx, struct sqlite_deferred **list, int64_t key,
                     int64_t n_changed, const char *sql, struct sql_args args)
{
    struct sqlite_deferred *deferred = arena_alloc(tx->tx.arena, sizeof(*deferred));

    while (*list && (*list)->key <= key)
        list = &(*list)->next;
    *deferred = (struct sqlite_deferred){key, n_changed, sql, copy_args(tx->tx.arena, args), *list};
    *list = deferred;
}

static enum err run_all(struct sqlite_tx *tx, struct sqlite_deferred **list)
{
    enum err err = ERR_OK;

    for (; *list && !err; *list = (*list)->next)
        err = sqlite_tx_run(tx, (*list)->n_changed, (*list)->sql, (*list)->args);
    return err;
}

enum err sqlite_tx_flush(struct sqlite_tx *tx)
{
    enum err err = run_all(tx, &tx->posts);

    return err ? err : run_all(tx, &tx->lates);
}
