/* A single connection to PostgreSQL: what it waits for, and what it tells of warnings. Skipped
 * where script/with-postgres did not start one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "store/postgres.h"

struct connected {
    struct fixture f;
    struct postgres_target *target;
    struct postgres_conn *conn;
};

static int set_up(void **state)
{
    struct connected *c = calloc(1, sizeof *c);

    fixture_dir(&c->f);
    c->target = postgres_target_create(c->f.database, "database", "test", false);
    *state = c;
    return postgres_conn_open(c->target, &c->conn) ? -1 : 0;
}

static int tear_down(void **state)
{
    struct connected *c = *state;

    postgres_conn_close(c->conn);
    postgres_target_destroy(c->target);
    fixture_remove(&c->f);
    free(c);
    return 0;
}

static void test_postgres_conn__a_script_is_not_waited_for_for_ever(void **state)
{
    struct connected *c = *state;

    assert_int_equal(postgres_conn_script(c->conn, 50, "SELECT pg_sleep(3600)"), ERR_UNAVAILABLE);
    assert_true(postgres_conn_is_lost(c->conn));
    assert_int_equal(postgres_conn_script(c->conn, 50, "SELECT 1"), ERR_UNAVAILABLE);
}

static void test_postgres_conn__a_script_runs_to_its_end_or_to_what_fails(void **state)
{
    struct connected *c = *state;
    static const char count[] = "SELECT count(*) FROM seen";
    struct sql_rows rows;

    assert_int_equal(postgres_conn_script(c->conn, 0, "CREATE TABLE seen (n INTEGER)"), ERR_OK);
    assert_int_equal(postgres_conn_script(c->conn, POSTGRES_TRIP_MAX_MS,
                                          "INSERT INTO seen VALUES (1); SELECT pg_sleep(0.1); "
                                          "INSERT INTO seen VALUES (2)"),
                     ERR_OK);
    assert_int_equal(postgres_conn_script(c->conn, POSTGRES_TRIP_MAX_MS,
                                          "INSERT INTO seen VALUES (3); SELECT 1 / 0; "
                                          "INSERT INTO seen VALUES (4)"),
                     ERR_STALE);
    assert_string_equal(postgres_conn_failure(c->conn)->state, "22012");
    /* And the pipeline goes on. */
    postgres_conn_queue(c->conn, POSTGRES_ASK, SQL_ANY_COUNT, count, SQL_NO_ARGS);
    assert_int_equal(postgres_conn_trip(c->conn, POSTGRES_TRIP_MAX_MS, c->f.arena, &rows), ERR_OK);
    assert_int_equal(sql_get_int(&rows, 0, 0), 2);
}

/* What a trip writes to standard error. */
static enum err trip(struct connected *c, char *log, size_t size)
{
    struct sql_rows rows;
    FILE *file = tmpfile();
    int saved_fd = dup(STDERR_FILENO);

    assert_true(file && saved_fd >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    enum err err = postgres_conn_trip(c->conn, POSTGRES_TRIP_MAX_MS, c->f.arena, &rows);
    assert_true(dup2(saved_fd, STDERR_FILENO) >= 0);
    close(saved_fd);
    rewind(file);
    log[fread(log, 1, size - 1, file)] = '\0';
    fclose(file);
    return err;
}

static void test_postgres_conn__a_warning_of_the_commit_is_logged(void **state)
{
    static const char begin[] = "BEGIN", insert[] = "INSERT INTO watched VALUES (1)";
    static const char commit[] = "COMMIT";
    struct connected *c = *state;
    char log[4096];

    assert_int_equal(
        postgres_conn_script(
            c->conn, POSTGRES_TRIP_MAX_MS,
            "CREATE TABLE watched (n INTEGER);"
            "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE NOTICE ''no matter''; RAISE WARNING ''not replicated''; RETURN NULL; "
            "END';"
            "CREATE CONSTRAINT TRIGGER watched_warn AFTER INSERT ON watched "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn()"),
        ERR_OK);
    postgres_conn_queue(c->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, begin, SQL_NO_ARGS);
    postgres_conn_queue(c->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, insert, SQL_NO_ARGS);
    postgres_conn_queue(c->conn, POSTGRES_COMMIT, SQL_ANY_COUNT, commit, SQL_NO_ARGS);
    assert_int_equal(trip(c, log, sizeof log), ERR_OK);
    assert_non_null(strstr(log, "\"database_warning\""));
    assert_non_null(strstr(log, "\"not replicated\""));
    assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1); /* one line */
}

int main(void)
{
    if (!database_on_postgresql()) {
        puts("1..0 # SKIP there is no PostgreSQL: script/with-postgres");
        return 0;
    }
#define CONNECTED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CONNECTED(test_postgres_conn__a_script_is_not_waited_for_for_ever),
        CONNECTED(test_postgres_conn__a_script_runs_to_its_end_or_to_what_fails),
        CONNECTED(test_postgres_conn__a_warning_of_the_commit_is_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
