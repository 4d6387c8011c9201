#include "postgres_fixture.h"

#include <stdlib.h>
#include <unistd.h>

static int set_up_with(void **state, struct store_options options)
{
    struct on_server *s = calloc(1, sizeof *s);

    *state = s;
    fixture_dir(&s->f);
    s->pg = PQconnectdb(s->f.database);
    assert_int_equal(PQstatus(s->pg), CONNECTION_OK);
    /* A deadlock is looked for after so long. */
    PQclear(PQexec(s->pg, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = "
                          "''20ms''', current_database()); END $$"));
    fixture_reopen(&s->f, options);
    return 0;
}

int on_server_setup(void **state)
{
    return set_up_with(state, (struct store_options){0});
}

int on_server_setup_unnamed(void **state)
{
    return set_up_with(state, (struct store_options){.unnamed = true});
}

int on_server_setup_small(void **state)
{
    return set_up_with(state, (struct store_options){.connections = 4});
}

int on_server_teardown(void **state)
{
    struct on_server *s = *state;

    PQfinish(s->pg);
    fixture_remove(&s->f);
    free(s);
    return 0;
}

int64_t number(struct on_server *s, const char *sql)
{
    PGresult *result = PQexec(s->pg, sql);
    int64_t value = 0;

    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
        value = atoll(PQgetvalue(result, 0, 0));
    else if (PQresultStatus(result) != PGRES_COMMAND_OK &&
             PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
    return value;
}

void wait_until(struct on_server *s, const char *sql)
{
    while (number(s, sql) == 0)
        usleep(2000);
}

void kill_all(struct on_server *s)
{
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS);
    wait_until(s, "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END " SERVERS_CONNS);
}

void hold_commits(struct on_server *s)
{
    number(s, "CREATE FUNCTION wait_for_us() RETURNS trigger LANGUAGE plpgsql AS "
              "$$ BEGIN PERFORM pg_advisory_xact_lock(-77); RETURN NULL; END $$");
    number(s, "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED "
              "FOR EACH ROW EXECUTE FUNCTION wait_for_us()");
    number(s, "SELECT pg_advisory_lock(-77)");
}
