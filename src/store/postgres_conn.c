/* One connection to PostgreSQL. It is always in libpq's pipeline mode, without waiting: what is
 * queued goes out when somebody needs an answer, and comes back in the same order. */
#include <assert.h>
#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres.h"

/* A statement as it is prepared in this connection: one for each set of types that its values come
 * with, since a NULL has none. */
struct stmt {
    const char *sql;   /* the caller's; NULL: a free place of the cache */
    int64_t n_checked; /* the server checks that so many rows change; SQL_ANY_COUNT: it does not */
    char *checked_sql; /* the text then, else NULL */
    unsigned name;
    bool is_prepared; /* or will be when what is queued has run */
    size_t n_types;
    enum sql_type *types;
    struct stmt *next; /* the same with other types */
};

struct item {
    enum postgres_kind kind;
    bool left, seen; /* left: whoever queued it is gone; seen: its answer was here */
    int64_t n_changed;
    const char *sql;
    struct stmt *stmt;
    struct sql_rows *ret_rows; /* of a question asked ahead; else the trip's */
};

struct postgres_conn {
    PGconn *pg;
    bool unnamed, lost;
    bool committed; /* in this trip: what fails behind that does not matter any more */
    struct postgres_failure failure;

    struct stmt **cache; /* open addressing */
    size_t cache_cap, n_cached;
    unsigned n_names;

    struct item *items; /* in the pipeline, oldest first */
    size_t n_items, items_cap;

    /* Of one statement's values, for libpq. */
    size_t params_cap;
    Oid *oids;
    const char **values;
    int *lengths, *formats;
    uint64_t *numbers;
};

enum { OID_INT8 = 20, OID_TEXT = 25, OID_BYTEA = 17, OID_UNKNOWN = 0 };

/* ---- Statements ---- */

static size_t place_of(const struct postgres_conn *conn, const char *sql, int64_t n_checked)
{
    uint64_t hash =
        ((uint64_t)(uintptr_t)sql ^ (uint64_t)(n_checked + 1)) * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = (size_t)(hash >> 32) & (conn->cache_cap - 1);

    while (conn->cache[place] &&
           (conn->cache[place]->sql != sql || conn->cache[place]->n_checked != n_checked))
        place = (place + 1) & (conn->cache_cap - 1);
    return place;
}

static void grow_cache(struct postgres_conn *conn)
{
    struct stmt **old = conn->cache;
    size_t old_cap = conn->cache_cap;

    conn->cache_cap = old_cap ? old_cap * 2 : 128;
    conn->cache = mem_zalloc(conn->cache_cap * sizeof(struct stmt *));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            conn->cache[place_of(conn, old[i]->sql, old[i]->n_checked)] = old[i];
    free(old);
}

/* Prepared with the types of these values? */
static bool has_types(const struct stmt *stmt, struct sql_args args)
{
    assert(stmt->n_types == args.n);
    for (size_t i = 0; i < args.n; i++)
        if (args.values[i].type != SQL_NULL && args.values[i].type != stmt->types[i])
            return false;
    return true;
}

/* The server itself refuses to go on if the count is another: it divides by zero. */
static char *make_checked(const char *sql, int64_t n_checked)
{
    char *text;
    int len = asprintf(&text,
                       "WITH changed AS (%s RETURNING 1) "
                       "SELECT 1 / CASE WHEN count(*) = %lld THEN 1 ELSE 0 END FROM changed",
                       sql, (long long)n_checked);

    assert(len > 0 || !"out of memory");
    return text;
}

static struct stmt *find_stmt(struct postgres_conn *conn, const char *sql, int64_t n_checked,
                              struct sql_args args)
{
    size_t place = place_of(conn, sql, n_checked);
    struct stmt *stmt;

    for (stmt = conn->cache[place]; stmt; stmt = stmt->next)
        if (has_types(stmt, args))
            return stmt;
    if (conn->n_cached * 2 >= conn->cache_cap) {
        grow_cache(conn);
        place = place_of(conn, sql, n_checked);
    }
    stmt = mem_zalloc(sizeof *stmt);
    stmt->sql = sql;
    stmt->n_checked = n_checked;
    stmt->checked_sql = n_checked == SQL_ANY_COUNT ? NULL : make_checked(sql, n_checked);
    stmt->name = ++conn->n_names;
    stmt->n_types = args.n;
    stmt->types = mem_alloc((args.n + 1) * sizeof *stmt->types);
    for (size_t i = 0; i < args.n; i++)
        stmt->types[i] = args.values[i].type;
    stmt->next = conn->cache[place];
    conn->n_cached += !stmt->next;
    conn->cache[place] = stmt;
    return stmt;
}

static void free_stmts(struct stmt *stmt)
{
    while (stmt) {
        struct stmt *next = stmt->next;

        free(stmt->checked_sql);
        free(stmt->types);
        free(stmt);
        stmt = next;
    }
}

static const char *text_of(const struct stmt *stmt)
{
    return stmt->checked_sql ? stmt->checked_sql : stmt->sql;
}

/* ---- Values ---- */

static void want_params(struct postgres_conn *conn, size_t n)
{
    if (n <= conn->params_cap)
        return;
    conn->params_cap = n * 2;
    conn->oids = mem_realloc(conn->oids, conn->params_cap * sizeof *conn->oids);
    conn->values = mem_realloc(conn->values, conn->params_cap * sizeof *conn->values);
    conn->lengths = mem_realloc(conn->lengths, conn->params_cap * sizeof *conn->lengths);
    conn->formats = mem_realloc(conn->formats, conn->params_cap * sizeof *conn->formats);
    conn->numbers = mem_realloc(conn->numbers, conn->params_cap * sizeof *conn->numbers);
}

static Oid oid_of(enum sql_type type)
{
    switch (type) {
    case SQL_INT:
        return OID_INT8;
    case SQL_TEXT:
        return OID_TEXT;
    case SQL_BLOB:
        return OID_BYTEA;
    case SQL_NULL:
        break;
    }
    return OID_UNKNOWN;
}

static void set_params(struct postgres_conn *conn, struct sql_args args)
{
    want_params(conn, args.n);
    for (size_t i = 0; i < args.n; i++) {
        const struct sql_value *value = &args.values[i];

        conn->formats[i] = 1;
        conn->values[i] = NULL;
        conn->lengths[i] = 0;
        switch (value->type) {
        case SQL_NULL:
            break;
        case SQL_INT:
            conn->numbers[i] = htobe64((uint64_t)value->i);
            conn->values[i] = (const char *)&conn->numbers[i];
            conn->lengths[i] = sizeof conn->numbers[i];
            break;
        case SQL_TEXT:
        case SQL_BLOB:
            conn->values[i] = value->s.ptr;
            conn->lengths[i] = (int)value->s.len;
            break;
        }
    }
}

/* ---- The pipeline ---- */

static void lose(struct postgres_conn *conn)
{
    if (!conn->lost)
        postgres_log_lost(conn->pg);
    conn->lost = true;
}

static struct item *push(struct postgres_conn *conn, enum postgres_kind kind, int64_t n_changed,
                         const char *sql, struct stmt *stmt)
{
    if (conn->n_items == conn->items_cap) {
        conn->items_cap = conn->items_cap ? conn->items_cap * 2 : 32;
        conn->items = mem_realloc(conn->items, conn->items_cap * sizeof *conn->items);
    }
    struct item *item = &conn->items[conn->n_items++];
    *item = (struct item){.kind = kind, .n_changed = n_changed, .sql = sql, .stmt = stmt};
    return item;
}

static void queue_prepare(struct postgres_conn *conn, struct stmt *stmt, const char *name)
{
    want_params(conn, stmt->n_types);
    for (size_t i = 0; i < stmt->n_types; i++)
        conn->oids[i] = oid_of(stmt->types[i]);
    if (!PQsendPrepare(conn->pg, name, text_of(stmt), (int)stmt->n_types, conn->oids))
        lose(conn);
    push(conn, POSTGRES_PREPARE, 0, stmt->sql, stmt);
    stmt->is_prepared = true;
}

void postgres_conn_queue(struct postgres_conn *conn, enum postgres_kind kind, int64_t n_changed,
                         const char *sql, struct sql_args args)
{
    int64_t n_checked = kind == POSTGRES_CHECKED ? n_changed : SQL_ANY_COUNT;
    char name[16];

    if (conn->lost)
        return;
    struct stmt *stmt = find_stmt(conn, sql, n_checked, args);
    snprintf(name, sizeof name, "s%u", stmt->name);
    if (!conn->unnamed && !stmt->is_prepared)
        queue_prepare(conn, stmt, name);
    set_params(conn, args);
    if (conn->unnamed) {
        for (size_t i = 0; i < args.n; i++)
            conn->oids[i] = oid_of(stmt->types[i]);
        if (!PQsendQueryParams(conn->pg, text_of(stmt), (int)args.n, conn->oids, conn->values,
                               conn->lengths, conn->formats, 1))
            lose(conn);
    } else if (!PQsendQueryPrepared(conn->pg, name, (int)args.n, conn->values, conn->lengths,
                                    conn->formats, 1)) {
        lose(conn);
    }
    push(conn, kind, n_changed, sql, NULL);
}

void postgres_conn_ask_ahead(struct postgres_conn *conn, const char *sql, struct sql_args args,
                             struct sql_rows *ret_rows)
{
    size_t n_items = conn->n_items;

    postgres_conn_queue(conn, POSTGRES_ASK, SQL_ANY_COUNT, sql, args);
    if (conn->n_items > n_items)
        conn->items[conn->n_items - 1].ret_rows = ret_rows;
}

static void fail(struct postgres_conn *conn, const struct item *item,
                 const struct postgres_failure *failure)
{
    if (!conn->failure.err && !item->left && !conn->committed)
        conn->failure = *failure;
}

static void fail_stale(struct postgres_conn *conn, const struct item *item, int64_t changed)
{
    fail(conn, item,
         &(struct postgres_failure){.err = ERR_STALE,
                                    .answered = true,
                                    .sql = item->sql,
                                    .expected = item->n_changed,
                                    .changed = changed});
}

static void on_done(struct postgres_conn *conn, const struct item *item, const PGresult *result)
{
    if (item->kind == POSTGRES_POST && item->n_changed != SQL_ANY_COUNT) {
        int64_t changed = atoll(PQcmdTuples((PGresult *)(uintptr_t)result));
        if (changed != item->n_changed)
            fail_stale(conn, item, changed);
    }
    if (item->kind != POSTGRES_COMMIT)
        return;
    /* The COMMIT of a transaction that has failed succeeds as ROLLBACK. */
    if (strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0)
        conn->committed = true;
    else
        fail(conn, item, &(struct postgres_failure){.err = ERR_UNAVAILABLE, .answered = true});
}

static void on_error(struct postgres_conn *conn, const struct item *item, const PGresult *result)
{
    if (item->kind == POSTGRES_PREPARE)
        item->stmt->is_prepared = false;
    if (conn->failure.err || item->left || conn->committed)
        return;
    struct postgres_failure failure = postgres_failure_of(result, item->kind, item->sql);
    failure.expected = item->n_changed;
    fail(conn, item, &failure);
}

static void on_result(struct postgres_conn *conn, struct item *item, const PGresult *result,
                      struct arena *arena, struct sql_rows *ret_rows)
{
    item->seen = true;
    if (item->ret_rows)
        ret_rows = item->ret_rows;
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        if (item->kind == POSTGRES_ASK && !item->left)
            postgres_rows_read(result, arena, ret_rows);
        break;
    case PGRES_COMMAND_OK:
        if (item->kind == POSTGRES_ASK && !item->left)
            *ret_rows = (struct sql_rows){0};
        on_done(conn, item, result);
        break;
    case PGRES_PIPELINE_ABORTED:
        if (item->kind == POSTGRES_PREPARE)
            item->stmt->is_prepared = false;
        break;
    case PGRES_PIPELINE_SYNC:
        assert(item->kind == POSTGRES_SYNC);
        break;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_NONFATAL_ERROR:
    case PGRES_SINGLE_TUPLE:
        on_error(conn, item, result);
        break;
    }
}

/* Reads the answers of all that is queued. */
static void drain(struct postgres_conn *conn, int64_t end_ms, struct arena *arena,
                  struct sql_rows *ret_rows)
{
    size_t at = 0;

    while (at < conn->n_items && !conn->lost) {
        struct item *item = &conn->items[at];
        if (!postgres_wait(conn->pg, end_ms)) {
            lose(conn);
            break;
        }
        PGresult *result = PQgetResult(conn->pg);
        if (result)
            on_result(conn, item, result, arena, ret_rows);
        else if (!item->seen && PQstatus(conn->pg) == CONNECTION_BAD)
            lose(conn);
        /* A statement's results end with none; a sync is alone. */
        if (item->seen && (!result || item->kind == POSTGRES_SYNC))
            at++;
        PQclear(result);
    }
    conn->n_items = 0;
    if (PQstatus(conn->pg) == CONNECTION_BAD)
        lose(conn);
}

static void queue_sync(struct postgres_conn *conn)
{
    if (!conn->lost && !PQpipelineSync(conn->pg))
        lose(conn);
    push(conn, POSTGRES_SYNC, 0, NULL, NULL);
}

enum err postgres_conn_trip(struct postgres_conn *conn, int64_t timeout_ms, struct arena *arena,
                            struct sql_rows *ret_rows)
{
    int64_t end_ms = postgres_end_of(timeout_ms);

    conn->failure = (struct postgres_failure){0};
    conn->committed = false;
    queue_sync(conn);
    drain(conn, end_ms, arena, ret_rows);
    if (!conn->failure.err && conn->lost && !conn->committed)
        conn->failure = (struct postgres_failure){.err = ERR_UNAVAILABLE};
    /* It has become a standby: the next connection goes to whoever takes writes now. */
    if (strcmp(conn->failure.state, "25006") == 0)
        conn->lost = true;
    return conn->failure.err;
}

void postgres_conn_leave(struct postgres_conn *conn)
{
    queue_sync(conn);
    for (size_t i = 0; i < conn->n_items; i++)
        conn->items[i].left = true;
    if (!conn->lost && PQflush(conn->pg) < 0)
        lose(conn);
}

/* ---- Outside the pipeline ---- */

enum err postgres_conn_script(struct postgres_conn *conn, int64_t timeout_ms, const char *text)
{
    enum err err = ERR_OK;

    assert(conn->n_items == 0);
    conn->failure = (struct postgres_failure){0};
    if (conn->lost || !PQexitPipelineMode(conn->pg)) {
        lose(conn);
        conn->failure = (struct postgres_failure){.err = ERR_UNAVAILABLE};
        return ERR_UNAVAILABLE;
    }
    PGresult *result = postgres_exec(conn->pg, postgres_end_of(timeout_ms), text);
    ExecStatusType status = PQresultStatus(result);
    if (!result) {
        lose(conn);
        conn->failure = (struct postgres_failure){.err = ERR_UNAVAILABLE};
        return ERR_UNAVAILABLE;
    }
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        conn->failure = postgres_failure_of(result, POSTGRES_CONTROL, "a script");
        err = conn->failure.err;
    }
    PQclear(result);
    if (PQstatus(conn->pg) == CONNECTION_BAD || !PQenterPipelineMode(conn->pg))
        lose(conn);
    return err;
}

bool postgres_conn_is_alive(struct postgres_conn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

    while (!conn->lost && poll(&fd, 1, 0) > 0)
        if (!PQconsumeInput(conn->pg) || PQstatus(conn->pg) == CONNECTION_BAD)
            conn->lost = true; /* while nobody used it: nothing is lost with it */
    return !conn->lost;
}

bool postgres_conn_is_lost(const struct postgres_conn *conn)
{
    return conn->lost;
}

PGconn *postgres_conn_pg(struct postgres_conn *conn)
{
    return conn->pg;
}

const struct postgres_failure *postgres_conn_failure(const struct postgres_conn *conn)
{
    return &conn->failure;
}

/* ---- Opening and closing ---- */

enum err postgres_conn_open(const struct postgres_target *target, struct postgres_conn **ret_conn)
{
    struct postgres_conn *conn = mem_zalloc(sizeof *conn);

    conn->unnamed = postgres_target_is_unnamed(target);
    enum err err = postgres_target_connect(target, &conn->pg);
    if (err) {
        postgres_conn_close(conn);
        return err;
    }
    grow_cache(conn);
    *ret_conn = conn;
    return ERR_OK;
}

void postgres_conn_close(struct postgres_conn *conn)
{
    if (!conn)
        return;
    PQfinish(conn->pg);
    for (size_t i = 0; i < conn->cache_cap; i++)
        free_stmts(conn->cache[i]);
    free(conn->cache);
    free(conn->items);
    free(conn->oids);
    free(conn->values);
    free(conn->lengths);
    free(conn->formats);
    free(conn->numbers);
    free(conn);
}
