/* Changes of a transaction on SQLite: run at once, or, in tests, kept as long as store.h allows, so
 * that a function which relies on less than the contract fails here too and not only on an engine
 * that sends them in one trip. */
#include "store/sqlite.h"

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

static enum err run_all(struct sqlite_tx *tx, struct deferred_list *list)
{
    enum err err = ERR_OK;

    for (const struct deferred *d = list->first; d && !err; d = d->next)
        err = d->ret_rows ? sqlite_conn_ask(tx->conn, tx->tx.arena, d->sql, d->args, d->ret_rows)
                          : sqlite_tx_run(tx, d->n_changed, d->sql, d->args);
    *list = (struct deferred_list){0};
    return err;
}

enum err sqlite_tx_flush(struct sqlite_tx *tx)
{
    enum err err = run_all(tx, &tx->posts);

    return err ? err : run_all(tx, &tx->lates);
}
