/* Where to connect to, and a connection as it must be: what the settings say, what they leave out,
 * and what the server has to be. */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres.h"

struct postgres_target {
    const char **keywords, **values; /* end with NULL */
    PQconninfoOption *options;       /* own the values */
    const char *setting;             /* that names it, for who reads the log */
    bool unnamed;
    atomic_int_least64_t *quiet_until_ms; /* what fails is not said again before; 0: it worked */
};

/* What a URL leaves out. A dead peer is noticed by the network within seconds. */
static const struct default_option {
    const char *keyword, *value;
} DEFAULTS[] = {
    {"client_encoding", "UTF8"},   {"target_session_attrs", "read-write"},
    {"connect_timeout", "5"},      {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},  {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},
};
enum { N_DEFAULTS = sizeof DEFAULTS / sizeof *DEFAULTS };
_Static_assert(POSTGRES_CONNECT_MAX_S == 5, "as the default above");

enum { PARAMETER_MAX_BYTES = 40 }; /* of a name that is repeated */
#define PARAMETER_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static PQconninfoOption *parse_url(const char *url)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &error);

    PQfreemem(error); /* it repeats the URL, and with it the password */
    return options;
}

bool postgres_is_url(const char *database)
{
    return strncmp(database, "postgresql://", 13) == 0 || strncmp(database, "postgres://", 11) == 0;
}

/* libpq itself is asked what a parameter is; NULL: it knows none of this name, or no such value. */
static PQconninfoOption *parse_parameter(struct str name, const char *value)
{
    char *url;
    int len = asprintf(&url, "postgresql://?" STR_FMT "=%s", STR_ARG(name), value);

    assert(len > 0 || !"out of memory");
    PQconninfoOption *options = parse_url(url);
    free(url);
    return options;
}

/* The first one that libpq does not know; STR_NONE if what is written may be a piece of a password,
 * because a character of that is not escaped. */
static struct str find_unknown(const char *url)
{
    const char *mark = strchr(url, '?');
    struct str rest = mark ? str_from(mark + 1) : STR_NONE, pair, name;

    if (!mark || strchr(mark, '@'))
        return STR_NONE;
    while (str_split(&rest, '&', &pair)) {
        str_split(&pair, '=', &name);
        if (name.len == 0 || name.len > PARAMETER_MAX_BYTES || postgres_is_password(name))
            return STR_NONE;
        for (size_t i = 0; i < name.len; i++)
            if (!strchr(PARAMETER_CHARS, name.ptr[i]))
                return STR_NONE;
        PQconninfoOption *options = parse_parameter(name, "true"); /* one takes no other value */
        PQconninfoFree(options);
        if (!options)
            return name;
    }
    return STR_NONE;
}

/* A `/` or an `@` in the password ends it for libpq: what follows is taken for a host, a port or a
 * name, which are no secrets. */
static bool is_split_well(const char *url, const PQconninfoOption *options)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');

    if (path && memchr(path, '@', strcspn(path, "?")))
        return false;
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (!o->val)
            continue;
        if (strcmp(o->keyword, "port") == 0 && o->val[strspn(o->val, "0123456789,")] != '\0')
            return false;
        if (strcmp(o->keyword, "host") == 0 && strchr(o->val, '@'))
            return false;
    }
    return true;
}

bool postgres_knows(const char *url, char ret_error[static STORE_ERROR_SIZE])
{
    PQconninfoOption *options = parse_url(url);
    bool sound = options && is_split_well(url, options);
    struct str unknown = options ? STR_NONE : find_unknown(url);

    PQconninfoFree(options);
    if (unknown.ptr)
        snprintf(ret_error, STORE_ERROR_SIZE, "PostgreSQL knows no parameter " STR_FMT,
                 STR_ARG(unknown));
    else if (!sound)
        snprintf(ret_error, STORE_ERROR_SIZE,
                 "must be a URL such as postgresql://user:password@host/name; "
                 "special characters of a password are written as %%2F (/), %%40 (@), "
                 "%%3A (:), %%3F (?), %%23 (#), %%25 (%%)");
    return sound;
}

/* libpq knows what it hides. */
bool postgres_is_password(struct str parameter)
{
    PQconninfoOption *options = parse_parameter(parameter, "x");
    bool is_password = false;

    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        is_password |= o->val && strchr(o->dispchar, '*');
    PQconninfoFree(options);
    return is_password;
}

static const char *default_of(const char *keyword)
{
    for (size_t i = 0; i < N_DEFAULTS; i++)
        if (strcmp(DEFAULTS[i].keyword, keyword) == 0)
            return DEFAULTS[i].value;
    return NULL;
}

struct postgres_target *postgres_target_create(const char *url, const char *setting,
                                               const char *application, bool unnamed)
{
    PQconninfoOption *options = parse_url(url);
    size_t n = 0, max = 2;

    assert(options || !"postgres_knows was not asked");
    for (const PQconninfoOption *o = options; o->keyword; o++)
        max++;
    struct postgres_target *target = mem_zalloc(sizeof *target);
    target->options = options;
    target->setting = setting;
    target->unnamed = unnamed;
    target->quiet_until_ms = mem_zalloc(sizeof *target->quiet_until_ms);
    target->keywords = mem_zalloc(max * sizeof(char *));
    target->values = mem_zalloc(max * sizeof(char *));
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        const char *value = o->val ? o->val : default_of(o->keyword);
        if (!value && strcmp(o->keyword, "application_name") == 0)
            value = application;
        if (!value)
            continue;
        target->keywords[n] = o->keyword;
        target->values[n++] = value;
    }
    return target;
}

void postgres_target_destroy(struct postgres_target *target)
{
    if (!target)
        return;
    PQconninfoFree(target->options);
    free(target->keywords);
    free(target->values);
    free(target->quiet_until_ms);
    free(target);
}

/* ---- Connecting ---- */

enum { QUIET_MS = 10000 };

/* It is tried again many times a second, by several threads. */
static bool is_said_already(const struct postgres_target *target)
{
    int64_t now_ms = clock_mono_ms(), until_ms = atomic_load(target->quiet_until_ms);

    return now_ms < until_ms ||
           !atomic_compare_exchange_strong(target->quiet_until_ms, &until_ms, now_ms + QUIET_MS);
}

static enum err refuse(const struct postgres_target *target, PGconn *pg, const char *detail,
                       const char *hint)
{
    if (is_said_already(target))
        return ERR_UNAVAILABLE;
    log_line(LOG_ERROR, "database_cannot_open", LOG_CSTR("host", PQhost(pg) ? PQhost(pg) : ""),
             LOG_CSTR("port", PQport(pg) ? PQport(pg) : ""), LOG_CSTR("detail", detail),
             LOG_CSTR("hint", hint));
    return ERR_UNAVAILABLE;
}

enum { SERVER_VERSION_MIN = 120000 };

/* The plans that tests/store/plans_postgresql.py looks at, and no others; what they read is over
 * before other processes or a compiler have begun. */
#define PLANNED                                                                                    \
    "SET plan_cache_mode = force_generic_plan; SET jit = off; "                                    \
    "SET max_parallel_workers_per_gather = 0; "

static enum err refuse_setting(const struct postgres_target *target, PGconn *pg)
{
    char hint[160];

    snprintf(hint, sizeof hint, "check the setting %s, and that PostgreSQL runs and lets us in",
             target->setting);
    return refuse(target, pg, PQerrorMessage(pg), hint);
}

static enum err set_up(const struct postgres_target *target, PGconn *pg)
{
    const char *encoding = PQparameterStatus(pg, "server_encoding");
    char settings[320];

    if (PQserverVersion(pg) < SERVER_VERSION_MIN)
        return refuse(target, pg, "this PostgreSQL is too old", "version 12 or newer is needed");
    if (!encoding || strcmp(encoding, "UTF8") != 0)
        return refuse(target, pg, "this database does not keep its texts in UTF-8",
                      "make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0");
    /* Behind pgbouncer there is no session: each transaction brings them along. */
    if (!target->unnamed) {
        snprintf(settings, sizeof settings,
                 "SET statement_timeout = %d; SET lock_timeout = %d; "
                 "SET idle_in_transaction_session_timeout = %d; " PLANNED "SELECT pg_backend_pid()",
                 POSTGRES_STATEMENT_MAX_MS, POSTGRES_LOCK_MAX_MS, POSTGRES_IDLE_TX_MAX_MS);
        PGresult *result = postgres_exec(pg, postgres_end_of(POSTGRES_TRIP_MAX_MS), settings);
        bool set = PQresultStatus(result) == PGRES_TUPLES_OK;
        /* A pooler gives its clients process ids of its own making. */
        bool direct = set && atoi(PQgetvalue(result, 0, 0)) == PQbackendPID(pg);
        PQclear(result);
        if (!set)
            return refuse(target, pg, PQerrorMessage(pg),
                          "the connection was lost again, or refused SET");
        if (!direct)
            return refuse(
                target, pg, "a pooler such as pgbouncer stands between",
                "set prepared_statements = off, and database_listen to PostgreSQL itself");
    }
    if (PQsetnonblocking(pg, 1) || !PQenterPipelineMode(pg))
        return refuse_setting(target, pg);
    return ERR_OK;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text ? text : "";
}

/* What PostgreSQL only remarks is nothing to us, but for a warning: a COMMIT whose synchronous
 * standby was not waited for has one, and no error. */
static void on_notice(void *arg, const PGresult *result)
{
    (void)arg;
    if (strcmp(field(result, PG_DIAG_SEVERITY_NONLOCALIZED), "WARNING") == 0)
        log_line(LOG_WARN, "database_warning",
                 LOG_CSTR("detail", field(result, PG_DIAG_MESSAGE_PRIMARY)),
                 LOG_CSTR("code", field(result, PG_DIAG_SQLSTATE)));
}

bool postgres_target_is_unnamed(const struct postgres_target *target)
{
    return target->unnamed;
}

enum err postgres_target_connect(const struct postgres_target *target, PGconn **ret_pg)
{
    PGconn *pg = PQconnectdbParams(target->keywords, target->values, 0);
    enum err err;

    assert(pg || !"out of memory");
    PQsetNoticeReceiver(pg, on_notice, NULL);
    if (PQstatus(pg) == CONNECTION_OK)
        err = set_up(target, pg);
    else
        err = refuse_setting(target, pg);
    if (err) {
        PQfinish(pg);
        return err;
    }
    atomic_store(target->quiet_until_ms, 0);
    *ret_pg = pg;
    return ERR_OK;
}
