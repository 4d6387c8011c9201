/* What comes back from PostgreSQL: rows in binary, and errors by their SQLSTATE
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/postgres.h"

/* ---- Rows ---- */

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_VARCHAR = 1043,
    OID_VOID = 2278,
};

static int64_t read_int(const char *bytes, int len)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (len) {
    case 1:
        return *bytes != 0;
    case 2:
        memcpy(&two, bytes, sizeof two);
        return (int16_t)be16toh(two);
    case 4:
        memcpy(&four, bytes, sizeof four);
        return (int32_t)be32toh(four);
    }
    assert(len == 8);
    memcpy(&eight, bytes, sizeof eight);
    return (int64_t)be64toh(eight);
}

static enum sql_type type_of(const PGresult *result, int col)
{
    switch (PQftype(result, col)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return SQL_INT;
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_NAME:
    case OID_VOID:
        return SQL_TEXT;
    case OID_BYTEA:
        return SQL_BLOB;
    }
    assert(!"a column of another type: CAST it");
    return SQL_NULL;
}

void postgres_rows_read(const PGresult *result, struct arena *arena, struct sql_rows *ret_rows)
{
    int n = PQntuples(result), n_cols = PQnfields(result);
    struct sql_value *cells =
        arena_alloc(arena, ((size_t)n * (size_t)n_cols + 1) * sizeof(struct sql_value));

    for (int col = 0; col < n_cols; col++) {
        enum sql_type type = type_of(result, col);
        for (int row = 0; row < n; row++) {
            struct sql_value *cell = &cells[(size_t)row * (size_t)n_cols + (size_t)col];
            const char *bytes = PQgetvalue(result, row, col);
            int len = PQgetlength(result, row, col);
            *cell = (struct sql_value){SQL_NULL, 0, {0}};
            if (PQgetisnull(result, row, col))
                continue;
            cell->type = type;
            if (type == SQL_INT)
                cell->i = read_int(bytes, len);
            else
                cell->s = arena_dup(arena, (struct str){bytes, (size_t)len});
        }
    }
    *ret_rows = (struct sql_rows){(size_t)n, (size_t)n_cols, cells};
}

/* ---- Errors ---- */

struct meaning {
    const char *state; /* or its beginning */
    enum err err;
    bool unexpected; /* logged */
    const char *hint;
};

static const struct meaning MEANINGS[] = {
    {"23505", ERR_UNIQUE, false, NULL},
    {"22012", ERR_STALE, false, NULL}, /* a checked post; we divide nowhere else */
    {"40001", ERR_STALE, false, NULL},
    {"40P01", ERR_STALE, false, NULL},
    {"55P03", ERR_UNAVAILABLE, true, "somebody holds a lock for long: see pg_stat_activity"},
    {"57014", ERR_UNAVAILABLE, true, "a statement took too long, or somebody cancelled it"},
    {"25006", ERR_UNAVAILABLE, true, "this server takes no writes: a standby?"},
    {"25P03", ERR_UNAVAILABLE, true, NULL},
    {"57P0", ERR_UNAVAILABLE, true, NULL}, /* it shuts down, starts, or has crashed */
    {"08", ERR_UNAVAILABLE, true, NULL},
    {"53", ERR_UNAVAILABLE, true, "PostgreSQL is out of connections, memory or disk"},
    {"58", ERR_UNAVAILABLE, true, "PostgreSQL cannot read or write its files"},
    {"26000", ERR_INTERNAL, true,
     "behind pgbouncer in transaction mode, set prepared_statements = off"},
    {"42P05", ERR_INTERNAL, true,
     "behind pgbouncer in transaction mode, set prepared_statements = off"},
    {"", ERR_INTERNAL, true, NULL},
};

static const struct meaning *meaning_of(const char *state)
{
    const struct meaning *meaning = MEANINGS;

    while (strncmp(state, meaning->state, strlen(meaning->state)) != 0)
        meaning++;
    return meaning;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text ? text : "";
}

struct postgres_failure postgres_failure_of(const PGresult *result, enum postgres_kind kind,
                                            const char *sql)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    /* libpq's own errors have none: the connection is gone. */
    const struct meaning *meaning = meaning_of(*state ? state : "08");
    struct postgres_failure failure = {
        .err = meaning->err,
        /* A server that ends while it commits may have done so. */
        .answered = *state && !(kind == POSTGRES_COMMIT && meaning->err == ERR_UNAVAILABLE),
        .sql = sql,
        .changed = -1,
    };

    strncpy(failure.state, state, sizeof failure.state - 1);
    if (failure.err == ERR_UNIQUE && kind != POSTGRES_ASK) {
        failure.err = ERR_STALE;
        failure.unique = true;
    }
    if (meaning->unexpected && *state)
        log_line(failure.err == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "database_error",
                 LOG_CSTR("detail", field(result, PG_DIAG_MESSAGE_PRIMARY)),
                 LOG_CSTR("code", state), LOG_CSTR("sql", sql ? sql : ""),
                 LOG_CSTR("hint", meaning->hint ? meaning->hint : ""));
    return failure;
}

void postgres_log_lost(const PGconn *pg)
{
    const char *message = PQerrorMessage(pg);
    size_t len = strcspn(message, "\n");

    log_line(LOG_WARN, "database_connection_lost", LOG_STR("detail", ((struct str){message, len})));
}
