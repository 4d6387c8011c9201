#include "database.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

enum { URL_MAX = 256, SQL_MAX = 512 };

static const char *cluster(void)
{
    const char *url = getenv("SERVERY_TEST_POSTGRESQL");
    return url && *url ? url : NULL;
}

bool database_on_postgresql(void)
{
    return cluster() != NULL;
}

/* The URL of the cluster, with another database's name. */
static void url_of(const char *name, char *ret_url, size_t size)
{
    const char *slash = strrchr(cluster(), '/');
    snprintf(ret_url, size, "%.*s/%s", (int)(slash - cluster()), cluster(), name);
}

/* The name of a folder that mkdtemp made is like no other one. */
static const char *name_of(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    return slash ? slash + 1 : dir;
}

void database_url(const char *dir, char *ret_url, size_t size)
{
    if (database_on_postgresql())
        url_of(name_of(dir), ret_url, size);
    else
        snprintf(ret_url, size, "sqlite:%s/shop.db", dir);
}

void database_run(const char *url, const char *sql)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
}

__attribute__((constructor)) static void leave_out(void)
{
    if (database_on_postgresql())
        cmocka_set_skip_filter("*" SQLITE_ONLY);
}

/* ---- The database that those of the shop are copies of; one a process ---- */

static char template_name[32];
static pid_t template_owner;

static void drop_template(void)
{
    char sql[SQL_MAX];

    if (getpid() != template_owner)
        return;
    snprintf(sql, sizeof sql, "DROP DATABASE \"%s\"", template_name);
    database_run(cluster(), sql);
}

static void make_template(void)
{
    char url[URL_MAX], sql[SQL_MAX];
    struct store_options options = {.database = url};
    struct store *store;
    int applied;

    if (template_owner)
        return;
    snprintf(template_name, sizeof template_name, "servery-template-%d", (int)getpid());
    snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\"", template_name);
    database_run(cluster(), sql);
    template_owner = getpid();
    atexit(drop_template);
    url_of(template_name, url, sizeof url);
    assert_int_equal(store_open(&options, &store), ERR_OK);
    assert_int_equal(store_migrate(store, &applied), ERR_OK);
    store_close(store);
}

void database_create(const char *dir, bool migrated)
{
    char sql[SQL_MAX];

    if (!database_on_postgresql())
        return;
    if (migrated)
        make_template();
    snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", name_of(dir),
             migrated ? template_name : "template1");
    database_run(cluster(), sql);
}

void database_drop(const char *dir)
{
    char sql[SQL_MAX];

    if (!database_on_postgresql())
        return;
    snprintf(sql, sizeof sql, "DROP DATABASE \"%s\" WITH (FORCE)", name_of(dir));
    database_run(cluster(), sql);
}
