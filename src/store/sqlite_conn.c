/* One SQLite connection: its settings, and a cache of prepared statements so that a statement costs
 * a lookup by address, its bindings and its steps. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "store/sqlite.h"

enum {
    PARAMS_MAX = 64,
    STMTS_FIRST = 128,      /* slots of the cache at first; always a power of two */
    CELLS_KEEP = 2048,      /* a larger scratch is given back after use */
    BUSY_TIMEOUT_MS = 5000, /* another process (servery admin, backup) holds the lock */
};

struct stmt {
    const char *sql; /* the key, by address; NULL: an empty slot */
    sqlite3_stmt *handle;
    size_t n_params;
    unsigned char index[PARAMS_MAX]; /* SQLite numbers $n by first appearance */
};

struct sqlite_conn {
    sqlite3 *db;
    struct stmt *stmts; /* open addressing */
    size_t n_stmts, stmts_cap;
    struct sql_value *cells; /* rows are gathered here, then copied to the arena in one piece */
    size_t cells_cap;
    bool reading;
};

/* ---- Errors ---- */

/* Logs what SQLite says of the call that just failed, and names who acts next. */
static enum err conn_failed(struct sqlite_conn *conn, const char *sql)
{
    int rc = sqlite3_extended_errcode(conn->db);

    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
        rc == SQLITE_CONSTRAINT_ROWID)
        return ERR_UNIQUE;
    log_line(LOG_ERROR, "database_error", LOG_CSTR("detail", sqlite3_errmsg(conn->db)),
             LOG_INT("code", rc), LOG_INT("errno", sqlite3_system_errno(conn->db)),
             LOG_CSTR("sql", sql));
    switch (rc & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
    case SQLITE_AUTH:
        return ERR_INTERNAL; /* the statement is wrong, not the database */
    }
    return ERR_UNAVAILABLE;
}

/* ---- The statement cache ---- */

static size_t slot_of(const struct sqlite_conn *conn, const char *sql)
{
    size_t slot = (size_t)(((uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15U) >> 32);

    slot &= conn->stmts_cap - 1;
    while (conn->stmts[slot].sql && conn->stmts[slot].sql != sql)
        slot = (slot + 1) & (conn->stmts_cap - 1);
    return slot;
}

static void grow_cache(struct sqlite_conn *conn)
{
    struct stmt *old = conn->stmts;
    size_t old_cap = conn->stmts_cap;

    conn->stmts_cap = old_cap ? old_cap * 2 : STMTS_FIRST;
    conn->stmts = mem_zalloc(conn->stmts_cap * sizeof(*conn->stmts));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].sql)
            conn->stmts[slot_of(conn, old[i].sql)] = old[i];
    free(old);
}

/* Parameters are $1 to $n, each used. */
static void map_params(struct stmt *stmt)
{
    int n = sqlite3_bind_parameter_count(stmt->handle);

    assert(n <= PARAMS_MAX);
    stmt->n_params = (size_t)n;
    for (int i = 1; i <= n; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt->handle, i);
        char *end = NULL;
        long number = name && name[0] == '$' ? strtol(name + 1, &end, 10) : 0;

        assert(end && *end == '\0' && number >= 1 && number <= n);
        stmt->index[number - 1] = (unsigned char)i;
    }
}

static enum err prepare(struct sqlite_conn *conn, const char *sql, struct stmt *ret_stmt)
{
    struct stmt stmt = {.sql = sql};
    const char *tail;

    /* SQLite takes `$1::bigint` for a parameter of that name, which nobody binds. */
    assert(!strstr(sql, "::"));
    if (sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt.handle, &tail))
        return conn_failed(conn, sql);
    assert(stmt.handle && tail[strspn(tail, "; \n\t")] == '\0');
    map_params(&stmt);
    *ret_stmt = stmt;
    return ERR_OK;
}

static enum err find_stmt(struct sqlite_conn *conn, const char *sql, struct stmt **ret_stmt)
{
    size_t slot = slot_of(conn, sql);
    enum err err;

    if (!conn->stmts[slot].sql) {
        if (conn->n_stmts * 2 >= conn->stmts_cap) {
            grow_cache(conn);
            slot = slot_of(conn, sql);
        }
        err = prepare(conn, sql, &conn->stmts[slot]);
        if (err)
            return err;
        conn->n_stmts++;
    }
    *ret_stmt = &conn->stmts[slot];
    /* A text on the stack or the heap may have taken the address of another. */
    assert(strcmp(sqlite3_sql((*ret_stmt)->handle), sql) == 0);
    return ERR_OK;
}

/* The bound bytes stay the caller's: the statement is reset before he gets his answer, and every
 * parameter is bound anew before it runs again. */
static enum err bind(struct sqlite_conn *conn, const struct stmt *stmt, struct sql_args args)
{
    int rc = SQLITE_OK;

    assert(args.n == stmt->n_params);
    for (size_t i = 0; i < args.n && rc == SQLITE_OK; i++) {
        const struct sql_value *value = &args.values[i];
        int index = stmt->index[i];

        switch (value->type) {
        case SQL_NULL:
            rc = sqlite3_bind_null(stmt->handle, index);
            break;
        case SQL_INT:
            rc = sqlite3_bind_int64(stmt->handle, index, value->i);
            break;
        case SQL_TEXT:
            rc = sqlite3_bind_text64(stmt->handle, index, value->s.ptr, value->s.len, SQLITE_STATIC,
                                     SQLITE_UTF8);
            break;
        case SQL_BLOB:
            rc =
                sqlite3_bind_blob64(stmt->handle, index, value->s.ptr, value->s.len, SQLITE_STATIC);
            break;
        }
    }
    return rc ? conn_failed(conn, stmt->sql) : ERR_OK;
}

/* ---- Rows ---- */

static struct str copy_bytes(struct arena *arena, const void *bytes, int len)
{
    /* SQLite gives NULL for the bytes of an empty value. */
    return arena_dup(arena, (struct str){bytes ? bytes : "", (size_t)len});
}

static struct sql_value read_cell(struct arena *arena, sqlite3_stmt *handle, int col)
{
    struct sql_value value = {SQL_NULL, 0, {0}};
    const void *bytes;

    switch (sqlite3_column_type(handle, col)) {
    case SQLITE_NULL:
        break;
    case SQLITE_INTEGER:
        value.type = SQL_INT;
        value.i = sqlite3_column_int64(handle, col);
        break;
    case SQLITE_TEXT:
        value.type = SQL_TEXT;
        bytes = sqlite3_column_text(handle, col);
        value.s = copy_bytes(arena, bytes, sqlite3_column_bytes(handle, col));
        break;
    case SQLITE_BLOB:
        value.type = SQL_BLOB;
        bytes = sqlite3_column_blob(handle, col);
        value.s = copy_bytes(arena, bytes, sqlite3_column_bytes(handle, col));
        break;
    default:
        assert(!"a real number: CAST it");
    }
    return value;
}

static void read_row(struct sqlite_conn *conn, struct arena *arena, sqlite3_stmt *handle,
                     struct sql_rows *rows)
{
    size_t used;

    if (rows->n == 0)
        rows->n_cols = (size_t)sqlite3_column_count(handle);
    used = rows->n * rows->n_cols;
    if (used + rows->n_cols > conn->cells_cap) {
        conn->cells_cap = (used + rows->n_cols) * 2;
        conn->cells = mem_realloc(conn->cells, conn->cells_cap * sizeof(*conn->cells));
    }
    for (size_t col = 0; col < rows->n_cols; col++)
        conn->cells[used + col] = read_cell(arena, handle, (int)col);
    rows->n++;
}

static void keep_rows(struct sqlite_conn *conn, struct arena *arena, struct sql_rows *rows)
{
    size_t size = rows->n * rows->n_cols * sizeof(struct sql_value);
    struct sql_value *cells;

    if (rows->n == 0)
        return;
    cells = arena_alloc(arena, size);
    memcpy(cells, conn->cells, size);
    rows->cells = cells;
    if (conn->cells_cap > CELLS_KEEP) {
        free(conn->cells);
        conn->cells = NULL;
        conn->cells_cap = 0;
    }
}

/* ---- Running ---- */

enum err sqlite_conn_ask(struct sqlite_conn *conn, struct arena *arena, const char *sql,
                         struct sql_args args, struct sql_rows *ret_rows)
{
    struct sql_rows rows = {0};
    struct stmt *stmt;
    enum err err;
    int rc;

    err = find_stmt(conn, sql, &stmt);
    if (err)
        return err;
    assert(!conn->reading || sqlite3_stmt_readonly(stmt->handle) || !"a read may not write");
    err = bind(conn, stmt, args);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt->handle)) == SQLITE_ROW)
        read_row(conn, arena, stmt->handle, &rows);
    if (rc != SQLITE_DONE)
        err = conn_failed(conn, sql);
    sqlite3_reset(stmt->handle);
    if (err)
        return err;
    keep_rows(conn, arena, &rows);
    *ret_rows = rows;
    return ERR_OK;
}

enum err sqlite_conn_run(struct sqlite_conn *conn, const char *sql, struct sql_args args,
                         int64_t *ret_changed)
{
    struct stmt *stmt;
    enum err err;
    int rc;

    err = find_stmt(conn, sql, &stmt);
    if (err)
        return err;
    err = bind(conn, stmt, args);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt->handle)) == SQLITE_ROW)
        ;
    if (rc != SQLITE_DONE)
        err = conn_failed(conn, sql);
    sqlite3_reset(stmt->handle);
    if (err)
        return err;
    /* What has no count of its own leaves the last one standing. */
    *ret_changed = sqlite3_stmt_readonly(stmt->handle) ? 0 : sqlite3_changes64(conn->db);
    return ERR_OK;
}

enum err sqlite_conn_control(struct sqlite_conn *conn, const char *sql)
{
    int64_t changed;

    return sqlite_conn_run(conn, sql, SQL_NO_ARGS, &changed);
}

enum err sqlite_conn_script(struct sqlite_conn *conn, const char *text)
{
    return sqlite3_exec(conn->db, text, NULL, NULL, NULL) ? conn_failed(conn, "a script") : ERR_OK;
}

void sqlite_conn_rollback(struct sqlite_conn *conn)
{
    static const char rollback[] = "ROLLBACK";

    if (!sqlite_conn_in_transaction(conn))
        return;
    /* A failed rollback is logged; SQLite has then rolled back what it could. */
    if (sqlite_conn_control(conn, rollback))
        return;
}

bool sqlite_conn_in_transaction(struct sqlite_conn *conn)
{
    return sqlite3_get_autocommit(conn->db) == 0;
}

void sqlite_conn_set_reading(struct sqlite_conn *conn, bool reading)
{
    conn->reading = reading;
}

sqlite3 *sqlite_conn_db(struct sqlite_conn *conn)
{
    return conn->db;
}

/* ---- Opening ---- */

static const char DISK_FULL[] = "the disk is full; make space";

static enum err open_failed(struct sqlite_conn *conn, const char *path)
{
    int rc = conn->db ? sqlite3_extended_errcode(conn->db) : SQLITE_NOMEM;
    const char *hint = "the file or its folder cannot be used";

    switch (rc & 0xff) {
    case SQLITE_NOTADB:
        hint = "this file is no SQLite database; name another one";
        break;
    case SQLITE_CORRUPT:
        hint = "this database is damaged; restore it from a backup";
        break;
    case SQLITE_BUSY:
        hint = "another program has locked this database";
        break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        hint = "the file and its folder must be writable for this user";
        break;
    case SQLITE_FULL:
        hint = DISK_FULL;
        break;
    case SQLITE_IOERR:
        /* So it calls a shared memory file, which lies beside the database, that cannot grow. */
        if (sqlite3_system_errno(conn->db) == ENOSPC)
            hint = DISK_FULL;
        break;
    }
    log_line(LOG_ERROR, "database_cannot_open", LOG_CSTR("path", path),
             LOG_CSTR("detail", conn->db ? sqlite3_errmsg(conn->db) : "out of memory"),
             LOG_INT("code", rc), LOG_CSTR("hint", hint));
    return ERR_UNAVAILABLE;
}

/* The sub-journal of each savepoint stays in memory (temp_store), so that a full /tmp harms nobody.
 * The writer's checkpoints are its own affair: it runs them after its callers are answered. */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA secure_delete = FAST;"
                               "PRAGMA journal_size_limit = 67108864;";
static const char writer_settings[] = "PRAGMA wal_autocheckpoint = 0;"
                                      "PRAGMA cache_size = -16384;";
static const char reader_settings[] = "PRAGMA query_only = ON;";

/* SQLite answers with the mode that it is in then; it succeeds also where there can be no WAL. */
static bool set_wal(struct sqlite_conn *conn)
{
    sqlite3_stmt *stmt;
    const char *mode = NULL;
    bool wal;

    if (sqlite3_prepare_v2(conn->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL))
        return false;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        mode = (const char *)sqlite3_column_text(stmt, 0);
    wal = mode && strcmp(mode, "wal") == 0;
    return sqlite3_finalize(stmt) == SQLITE_OK && wal;
}

/* A log that may only be read shows as late as here. Who finds the lock taken could write too. */
static bool can_write(struct sqlite_conn *conn)
{
    int rc = sqlite3_exec(conn->db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY;
}

static bool set_up(struct sqlite_conn *conn, enum sqlite_role role)
{
    const char *more = role == SQLITE_ROLE_WRITER ? writer_settings : reader_settings;

    if (sqlite3_busy_timeout(conn->db, BUSY_TIMEOUT_MS) ||
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) ||
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) ||
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL) ||
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL))
        return false;
    if (role == SQLITE_ROLE_WRITER && !set_wal(conn))
        return false;
    return !sqlite3_exec(conn->db, settings, NULL, NULL, NULL) &&
           !sqlite3_exec(conn->db, more, NULL, NULL, NULL) &&
           /* The first look at the content: a file that is no database shows here at the latest. */
           !sqlite3_exec(conn->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL) &&
           (role == SQLITE_ROLE_READER || can_write(conn));
}

/* A database whose log is a file of its own needs its folder to be writable even to be read, but
 * for the promise that nobody changes it: kept by a medium that is read-only, if no log is left
 * there. */
static bool is_immutable(const char *path)
{
    struct statvfs medium;
    struct stat status;
    char *log = NULL;
    bool immutable;

    if (statvfs(path, &medium) || !(medium.f_flag & ST_RDONLY))
        return false;
    if (asprintf(&log, "%s-wal", path) < 0)
        return false;
    immutable = stat(log, &status) != 0 || status.st_size == 0;
    free(log);
    return immutable;
}

static int open_db(const char *path, enum sqlite_role role, sqlite3 **ret_db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    char *uri, *end;
    int rc;

    if (role == SQLITE_ROLE_WRITER || !is_immutable(path))
        return sqlite3_open_v2(path, ret_db, flags, NULL);
    uri = mem_alloc(3 * strlen(path) + sizeof("file:?immutable=1"));
    end = uri + sprintf(uri, "file:");
    for (; *path; path++)
        end += sprintf(end, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
    strcpy(end, "?immutable=1");
    flags = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    rc = sqlite3_open_v2(uri, ret_db, flags, NULL);
    free(uri);
    return rc;
}

enum err sqlite_conn_open(const char *path, enum sqlite_role role, struct sqlite_conn **ret_conn)
{
    struct sqlite_conn *conn = mem_zalloc(sizeof(*conn));
    enum err err;

    if (open_db(path, role, &conn->db) || !set_up(conn, role)) {
        err = open_failed(conn, path);
        sqlite_conn_close(conn);
        return err;
    }
    if (role == SQLITE_ROLE_WRITER && sqlite3_db_readonly(conn->db, "main") != 0) {
        log_line(LOG_ERROR, "database_cannot_open", LOG_CSTR("path", path),
                 LOG_CSTR("detail", "the file is not writable"),
                 LOG_CSTR("hint", "the file and its folder must be writable for this user"));
        sqlite_conn_close(conn);
        return ERR_UNAVAILABLE;
    }
    grow_cache(conn);
    *ret_conn = conn;
    return ERR_OK;
}

void sqlite_conn_close(struct sqlite_conn *conn)
{
    if (!conn)
        return;
    for (size_t i = 0; i < conn->stmts_cap; i++)
        sqlite3_finalize(conn->stmts[i].handle);
    sqlite3_close(conn->db);
    free(conn->stmts);
    free(conn->cells);
    free(conn);
}
