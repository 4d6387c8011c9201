/* What servers on one PostgreSQL tell each other, and what they do not. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_fixture.h"

enum { HEARD_MAX = 5000 };

struct hearing {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct store_event events[HEARD_MAX];
    size_t n;
};

static void hear(void *ctx, const struct store_event *events, size_t n)
{
    struct hearing *hearing = ctx;

    pthread_mutex_lock(&hearing->lock);
    for (size_t i = 0; i < n && hearing->n < HEARD_MAX; i++)
        hearing->events[hearing->n++] = events[i];
    pthread_cond_broadcast(&hearing->more);
    pthread_mutex_unlock(&hearing->lock);
}

static void wait_heard(struct hearing *hearing, size_t n)
{
    pthread_mutex_lock(&hearing->lock);
    while (hearing->n < n)
        pthread_cond_wait(&hearing->more, &hearing->lock);
    pthread_mutex_unlock(&hearing->lock);
}

static struct hearing *hearing_of(struct store *store)
{
    struct hearing *hearing = calloc(1, sizeof *hearing);

    pthread_mutex_init(&hearing->lock, NULL);
    pthread_cond_init(&hearing->more, NULL);
    store_listen(store, hear, hearing);
    /* What was heard before it had a listener may have been anything. */
    assert_int_equal(hearing->n, 1);
    assert_int_equal(hearing->events[0].kind, STORE_EVENT_ALL);
    hearing->n = 0;
    return hearing;
}

struct telling {
    int64_t from, n;
    enum err result;
};

static enum err tell(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT 1";
    const struct telling *telling = arg;
    struct sql_rows rows;

    for (int64_t i = 0; i < telling->n; i++)
        tx_emit(tx, (struct store_event){STORE_EVENT_ORDER, telling->from + i, -i, INT64_MAX - i});
    enum err err = tx_ask(tx, sql, SQL_NO_ARGS, &rows);
    return err ? err : telling->result;
}

/* Two servers, a and b, both with ears. */
struct servers {
    struct store *a, *b;
    struct hearing *at_a, *at_b;
};

static void open_both(struct on_server *s, struct servers *servers)
{
    struct store_options options = {.database = s->f.database, .listen = s->f.database};

    assert_int_equal(store_open(&options, &servers->a), ERR_OK);
    assert_int_equal(store_open(&options, &servers->b), ERR_OK);
    servers->at_a = hearing_of(servers->a);
    servers->at_b = hearing_of(servers->b);
}

static void close_both(struct servers *servers)
{
    store_close(servers->a);
    store_close(servers->b);
    free(servers->at_a);
    free(servers->at_b);
}

static void test_postgres_listen__servers_hear_each_other(void **state)
{
    struct on_server *s = *state;
    struct telling first = {1000, 3000, ERR_OK}, refused = {1, 5, ERR_PROBLEM},
                   last = {5000, 1, ERR_OK};
    struct servers servers;

    open_both(s, &servers);
    /* Longer than one notification can be. */
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &first), ERR_OK);
    assert_int_equal(servers.at_a->n, 3000); /* told before its caller was answered */
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &refused), ERR_PROBLEM);
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &last), ERR_OK);
    wait_heard(servers.at_b, 3001);
    assert_int_equal(servers.at_a->n, 3001);
    for (size_t i = 0; i < 3001; i++) {
        const struct store_event *event = &servers.at_b->events[i];
        int64_t k = i < 3000 ? (int64_t)i : 0;
        assert_int_equal(event->kind, STORE_EVENT_ORDER);
        assert_int_equal(event->id, i < 3000 ? 1000 + k : 5000);
        assert_int_equal(event->user_id, -k);
        assert_int_equal(event->event_id, INT64_MAX - k);
    }
    close_both(&servers);
}

static void test_postgres_listen__what_is_not_understood_may_be_anything(void **state)
{
    struct on_server *s = *state;
    static const char *const odd[] = {
        "NOTIFY servery, ''",
        "NOTIFY servery, 'nonsense'",
        "NOTIFY servery, '0123456789abcdef x1.2.3'",
        "NOTIFY servery, '0123456789abcdef o1.2'",
        "NOTIFY servery, '0123456789abcdef o1.2.99999999999999999999'",
        "NOTIFY servery, '0123456789abcdef o1.2.3 '",
    };
    struct servers servers;

    open_both(s, &servers);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        size_t before = servers.at_a->n;
        number(s, odd[i]);
        wait_heard(servers.at_a, before + 1);
        assert_int_equal(servers.at_a->events[servers.at_a->n - 1].kind, STORE_EVENT_ALL);
    }
    close_both(&servers);
}

static void test_postgres_listen__ears_that_were_cut_hear_of_all(void **state)
{
    struct on_server *s = *state;
    struct telling unheard = {1, 1, ERR_OK}, heard = {2, 1, ERR_OK};
    struct servers servers;
    struct store_stats stats;

    open_both(s, &servers);
    store_stats(servers.b, &stats);
    assert_true(stats.hears);
    assert_int_equal(stats.notifications_lost, 0);
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS
              "AND application_name = 'servery listen'");
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &unheard), ERR_OK);
    wait_heard(servers.at_b, 1);
    while (servers.at_b->events[servers.at_b->n - 1].kind != STORE_EVENT_ALL)
        wait_heard(servers.at_b, servers.at_b->n + 1);
    size_t n = servers.at_b->n;
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &heard), ERR_OK);
    wait_heard(servers.at_b, n + 1);
    assert_int_equal(servers.at_b->events[n].id, 2);
    store_stats(servers.b, &stats);
    assert_int_equal(stats.notifications_lost, 1);
    do
        store_stats(servers.b, &stats);
    while (!stats.hears);
    close_both(&servers);
}

/* So many notifications of events that somebody who is no server has heard since. */
static int count_heard(struct on_server *s)
{
    PGnotify *notify;
    int n = 0;

    number(s, "SELECT 1");
    while ((notify = PQnotifies(s->pg))) {
        n += strlen(notify->extra) > 34; /* neither a hello nor its answer */
        PQfreemem(notify);
    }
    return n;
}

static void test_postgres_listen__nobody_is_told_where_nobody_listens(void **state)
{
    struct on_server *s = *state;
    struct telling first = {1, 3, ERR_OK}, second = {2, 3, ERR_OK};
    struct store_options options = {.database = s->f.database, .listen = s->f.database};
    struct servers servers;

    number(s, "LISTEN servery");
    assert_int_equal(store_open(&options, &servers.a), ERR_OK);
    servers.at_a = hearing_of(servers.a);
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &first), ERR_OK);
    assert_int_equal(count_heard(s), 0);
    assert_int_equal(servers.at_a->n, 3);
    /* From the moment on at which another one is open. */
    assert_int_equal(store_open(&options, &servers.b), ERR_OK);
    servers.at_b = hearing_of(servers.b);
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &second), ERR_OK);
    assert_int_equal(count_heard(s), 1);
    wait_heard(servers.at_b, 3);
    close_both(&servers);
}

static void test_postgres_listen__what_may_be_committed_is_told_as_anything(void **state)
{
    struct on_server *s = *state;
    struct store_options options = {.database = s->f.database, .listen = s->f.database};
    struct thing thing = {.name = "doubtful"};
    struct writing writing = {.fn = thing_insert, .arg = &thing};
    struct hearing *hearing;

    assert_int_equal(store_open(&options, &writing.store), ERR_OK);
    hearing = hearing_of(writing.store);
    hold_commits(s);
    writing_start(&writing);
    wait_until(s, "SELECT count(*) " SERVERS_CONNS "AND wait_event = 'advisory' "
                  "AND query = 'COMMIT'");
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS
              "AND wait_event = 'advisory' AND query = 'COMMIT'");
    assert_int_equal(writing_finish(&writing), ERR_UNAVAILABLE);
    assert_int_equal(hearing->n, 1);
    assert_int_equal(hearing->events[0].kind, STORE_EVENT_ALL);
    store_close(writing.store);
    free(hearing);
}

/* A URL by which somebody of his own role comes to the test's database. */
static void url_of(struct on_server *s, const char *role, char *url, size_t size)
{
    snprintf(url, size, "postgresql://%s%s", role, strchr(s->f.database, '@'));
}

static void test_postgres_listen__a_deaf_server_does_not_know_that_it_is_alone(void **state)
{
    struct on_server *s = *state;
    struct telling told = {1, 1, ERR_OK};
    char ears[300];
    struct servers servers;
    struct store_stats stats;

    number(s, "CREATE ROLE ears LOGIN SUPERUSER");
    url_of(s, "ears", ears, sizeof ears);
    struct store_options deaf = {.database = s->f.database, .listen = ears};
    struct store_options other = {.database = s->f.database, .listen = s->f.database};
    assert_int_equal(store_open(&deaf, &servers.a), ERR_OK);
    servers.at_a = hearing_of(servers.a);
    number(s, "ALTER ROLE ears NOLOGIN");
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS "AND usename = 'ears'");
    wait_until(s, "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END " SERVERS_CONNS
                  "AND usename = 'ears'");
    do
        store_stats(servers.a, &stats);
    while (stats.hears);
    assert_int_equal(stats.notifications_lost, 1);
    assert_int_equal(store_open(&other, &servers.b), ERR_OK);
    servers.at_b = hearing_of(servers.b);
    /* At once, where it has noticed; or when it hears again. */
    assert_int_equal(store_write(servers.a, s->f.arena, tell, &told), ERR_OK);
    number(s, "ALTER ROLE ears LOGIN");
    wait_heard(servers.at_b, 1);
    close_both(&servers);
    number(s, "DROP ROLE ears");
}

static void test_postgres_listen__ears_at_another_database_are_refused(void **state)
{
    struct on_server *s = *state;
    struct store_options options = {.database = s->f.database,
                                    .listen = getenv("SERVERY_TEST_POSTGRESQL")};
    struct store *store;

    assert_int_equal(store_open(&options, &store), ERR_UNAVAILABLE);
}

int main(void)
{
    if (!database_on_postgresql()) {
        puts("1..0 # SKIP there is no PostgreSQL: script/with-postgres");
        return 0;
    }
#define ON_SERVER(test, with) cmocka_unit_test_setup_teardown(test, with, on_server_teardown)
    const struct CMUnitTest tests[] = {
        ON_SERVER(test_postgres_listen__servers_hear_each_other, on_server_setup),
        ON_SERVER(test_postgres_listen__nobody_is_told_where_nobody_listens, on_server_setup),
        ON_SERVER(test_postgres_listen__what_is_not_understood_may_be_anything, on_server_setup),
        ON_SERVER(test_postgres_listen__ears_that_were_cut_hear_of_all, on_server_setup),
        ON_SERVER(test_postgres_listen__what_may_be_committed_is_told_as_anything, on_server_setup),
        ON_SERVER(test_postgres_listen__a_deaf_server_does_not_know_that_it_is_alone,
                  on_server_setup),
        ON_SERVER(test_postgres_listen__ears_at_another_database_are_refused, on_server_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
