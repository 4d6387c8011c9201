/* What only PostgreSQL has: several writers, connections that are lost, and other servers that hear.
 * Skipped where script/with-postgres did not start one. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "store/postgres.h"

/* ---- The other side: somebody who looks at the same database, and may kill ---- */

struct on_server {
    struct fixture *f;
    PGconn *pg;
};

static int set_up_with(void **state, struct store_options options)
{
    struct on_server *s = calloc(1, sizeof *s);

    *state = s;
    if (!getenv("SERVERY_TEST_POSTGRESQL"))
        return 0;
    s->f = calloc(1, sizeof *s->f);
    fixture_dir(s->f);
    s->pg = PQconnectdb(s->f->database);
    assert_int_equal(PQstatus(s->pg), CONNECTION_OK);
    /* A deadlock is looked for after so long. */
    PQclear(PQexec(s->pg, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = "
                          "''20ms''', current_database()); END $$"));
    fixture_reopen(s->f, options);
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, (struct store_options){0});
}

static int set_up_unnamed(void **state)
{
    return set_up_with(state, (struct store_options){.unnamed = true});
}

static int set_up_small(void **state)
{
    return set_up_with(state, (struct store_options){.connections = 4});
}

static int tear_down(void **state)
{
    struct on_server *s = *state;

    if (s->f) {
        PQfinish(s->pg);
        fixture_remove(s->f);
        free(s->f);
    }
    free(s);
    return 0;
}

static struct on_server *need_server(void **state)
{
    struct on_server *s = *state;

    if (!s->f)
        skip();
    return s;
}

/* The first column of the first row, as a number; 0 without one. */
static int64_t number(struct on_server *s, const char *sql)
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

static void wait_until(struct on_server *s, const char *sql)
{
    while (number(s, sql) == 0)
        usleep(2000);
}

#define SERVERS_CONNS                                                                              \
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "        \
    "AND application_name LIKE 'servery%' "

/* ---- Values ---- */

static enum err round_trip(struct tx *tx, void *arg)
{
    static const char insert_sql[] =
        "INSERT INTO things (name, amount, data) VALUES ($1, $2, $3) RETURNING id";
    static const char find_sql[] = "SELECT name, amount, data FROM things WHERE id = $1";
    struct sql_value *values = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, insert_sql, (struct sql_args){values, 3}, &rows);

    if (err)
        return err;
    err = tx_ask(tx, find_sql, SQL_ARGS(sql_int(sql_get_int(&rows, 0, 0))), &rows);
    if (err)
        return err;
    assert_int_equal(rows.n, 1);
    for (size_t i = 0; i < 3; i++) {
        const struct sql_value *cell = &rows.cells[i];
        assert_int_equal(cell->type, values[i].type);
        assert_int_equal(cell->i, values[i].i);
        assert_true(str_eq(cell->s, values[i].s));
    }
    return ERR_OK;
}

static void test_postgres__values_come_back_as_they_were(void **state)
{
    struct on_server *s = need_server(state);
    size_t big_len = (size_t)3 << 20;
    char *big = malloc(big_len);

    for (size_t i = 0; i < big_len; i++)
        big[i] = (char)(i * 7);
    struct sql_value rows[][3] = {
        {sql_text(STR("a")), sql_int(INT64_MIN), sql_null()},
        {sql_text(STR("b")), sql_null(), sql_blob(STR(""))},
        {sql_text(STR("Jollof á 🍛")), sql_int(INT64_MAX), sql_blob(((struct str){big, big_len}))},
        {sql_text(STR("")), sql_int(-1), sql_blob(((struct str){"\0\1\0", 3}))},
        {sql_text(STR("d")), sql_null(), sql_null()},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(store_write(s->f->store, s->f->arena, round_trip, rows[i]), ERR_OK);
    free(big);
}

/* ---- Several writers ---- */

enum { WRITERS = 8, STEPS = 25 };

/* Reads and writes back, as nobody should who shares: the row's lock is its condition. */
static enum err add_one(struct tx *tx, void *arg)
{
    static const char find_sql[] = "SELECT amount FROM things WHERE name = 'sum'";
    static const char save_sql[] =
        "UPDATE things SET amount = $2 WHERE name = 'sum' AND amount = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, find_sql, SQL_NO_ARGS, &rows);

    (void)arg;
    if (err)
        return err;
    int64_t amount = sql_get_int(&rows, 0, 0);
    return tx_post(tx, 1, save_sql, SQL_ARGS(sql_int(amount), sql_int(amount + 1)));
}

static enum err add_one_locked(struct tx *tx, void *arg)
{
    enum err err = tx_lock_user(tx, 7);
    return err ? err : add_one(tx, arg);
}

struct adder {
    struct store *store;
    tx_fn *fn;
    int done;
};

static void *add_many(void *arg)
{
    struct adder *adder = arg;
    struct arena *arena = arena_create();

    for (int i = 0; i < STEPS; i++)
        adder->done += store_write(adder->store, arena, adder->fn, NULL) == ERR_OK;
    arena_destroy(arena);
    return NULL;
}

static int add_by_all(struct on_server *s, tx_fn *fn)
{
    struct adder adders[WRITERS];
    pthread_t threads[WRITERS];
    int done = 0;

    number(s, "DELETE FROM things");
    number(s, "INSERT INTO things (name, amount) VALUES ('sum', 0)");
    for (int i = 0; i < WRITERS; i++) {
        adders[i] = (struct adder){s->f->store, fn, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        done += adders[i].done;
    }
    return done;
}

static void test_postgres__a_post_that_does_not_fit_commits_nothing(void **state)
{
    struct on_server *s = need_server(state);

    /* Without a lock some give up after eight runs; what was acknowledged is there, once. */
    int done = add_by_all(s, add_one);
    assert_in_range(done, 1, WRITERS * STEPS);
    assert_int_equal(number(s, "SELECT amount FROM things WHERE name = 'sum'"), done);
}

static void test_postgres__who_locks_is_never_disturbed(void **state)
{
    struct on_server *s = need_server(state);

    assert_int_equal(add_by_all(s, add_one_locked), WRITERS * STEPS);
    assert_int_equal(number(s, "SELECT amount FROM things WHERE name = 'sum'"), WRITERS * STEPS);
}

/* Two that lock in opposite order, and meet. */
struct crossing {
    int64_t first, second;
    pthread_barrier_t *met; /* both hold their first one */
    int runs;
};

static enum err cross(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT 1";
    struct crossing *crossing = arg;
    struct sql_rows rows;

    crossing->runs++;
    enum err err = tx_lock_user(tx, crossing->first);
    if (!err)
        err = tx_ask(tx, sql, SQL_NO_ARGS, &rows);
    if (!err && crossing->runs == 1)
        pthread_barrier_wait(crossing->met);
    if (!err)
        err = tx_lock_user(tx, crossing->second);
    return err ? err : tx_ask(tx, sql, SQL_NO_ARGS, &rows);
}

static void test_postgres__a_deadlock_is_run_again(void **state)
{
    struct on_server *s = need_server(state);
    pthread_barrier_t met;
    struct crossing a = {1, 2, &met, 0}, b = {2, 1, &met, 0};
    struct writing one = {.store = s->f->store, .fn = cross, .arg = &a};
    struct writing two = {.store = s->f->store, .fn = cross, .arg = &b};

    pthread_barrier_init(&met, NULL, 2);
    writing_start(&one);
    writing_start(&two);
    assert_int_equal(writing_finish(&one), ERR_OK);
    assert_int_equal(writing_finish(&two), ERR_OK);
    assert_int_equal(a.runs + b.runs, 3);
    pthread_barrier_destroy(&met);
}

static enum err add_twice(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name) VALUES ($1)";
    int *runs = arg;
    enum err err = tx_post(tx, 1, sql, SQL_ARGS(sql_text(STR("new"))));

    (*runs)++;
    return err ? err : tx_post(tx, 1, sql, SQL_ARGS(sql_text(STR("same"))));
}

static void test_postgres__a_unique_row_in_a_post_is_run_again(void **state)
{
    struct on_server *s = need_server(state);
    int runs = 0;

    assert_int_equal(thing_add(s->f, "same"), ERR_OK);
    assert_int_equal(store_write(s->f->store, s->f->arena, add_twice, &runs), ERR_UNAVAILABLE);
    assert_int_equal(runs, POSTGRES_RUNS_MAX);
    assert_false(thing_exists(s->f->store, "new"));
}

/* ---- Connections that are lost ---- */

struct losing {
    struct on_server *s;
    int kills, runs;
};

static void kill_all(struct on_server *s)
{
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS);
    wait_until(s, "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END " SERVERS_CONNS);
}

static enum err lose_it(struct tx *tx, void *arg)
{
    struct losing *losing = arg;
    struct thing thing = {.name = "one"};
    enum err err = thing_insert(tx, &thing);

    losing->runs++;
    if (!err && losing->runs <= losing->kills)
        kill_all(losing->s);
    struct thing other = {.name = "two"};
    return err ? err : thing_insert(tx, &other);
}

static void test_postgres__a_connection_lost_before_the_commit_is_run_again(void **state)
{
    struct on_server *s = need_server(state);
    struct losing losing = {s, 2, 0};

    assert_int_equal(store_write(s->f->store, s->f->arena, lose_it, &losing), ERR_OK);
    assert_int_equal(losing.runs, 3);
    assert_int_equal(thing_count(s->f->store), 2);
}

static enum err post_one(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name) VALUES ($1)";

    return tx_post(tx, 1, sql, SQL_ARGS(sql_text(str_from(arg))));
}

static void test_postgres__idle_connections_that_were_cut_harm_nobody(void **state)
{
    struct on_server *s = need_server(state);
    char after[] = "after";

    assert_int_equal(thing_add(s->f, "before"), ERR_OK);
    kill_all(s);
    /* In one trip with its COMMIT: had it been sent, nobody could know. */
    assert_int_equal(store_write(s->f->store, s->f->arena, post_one, after), ERR_OK);
    kill_all(s);
    assert_int_equal(thing_count(s->f->store), 2);
}

/* COMMIT waits for a lock that we hold. */
static void hold_commits(struct on_server *s)
{
    number(s, "CREATE FUNCTION wait_for_us() RETURNS trigger LANGUAGE plpgsql AS "
              "$$ BEGIN PERFORM pg_advisory_xact_lock(-77); RETURN NULL; END $$");
    number(s, "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED "
              "FOR EACH ROW EXECUTE FUNCTION wait_for_us()");
    number(s, "SELECT pg_advisory_lock(-77)");
}

static void test_postgres__a_commit_without_an_answer_is_not_run_again(void **state)
{
    struct on_server *s = need_server(state);
    struct thing thing = {.name = "doubtful"};
    struct writing writing = {.store = s->f->store, .fn = thing_insert, .arg = &thing};

    hold_commits(s);
    writing_start(&writing);
    wait_until(s, "SELECT count(*) " SERVERS_CONNS "AND wait_event = 'advisory'");
    kill_all(s);
    assert_int_equal(writing_finish(&writing), ERR_UNAVAILABLE);
    assert_int_equal(thing.runs, 1);
    number(s, "SELECT pg_advisory_unlock(-77)");
    assert_int_equal(thing_add(s->f, "next"), ERR_OK);
    assert_false(thing_exists(s->f->store, "doubtful"));
}

/* ---- Waiting, but not for ever ---- */

static void test_postgres__writes_leave_connections_to_reads(void **state)
{
    struct on_server *s = need_server(state);
    struct writing writings[4];
    struct gate gates[4];
    struct store_stats stats;

    /* Of four connections writes may have three. */
    for (int i = 0; i < 4; i++) {
        gate_init(&gates[i]);
        writings[i] = (struct writing){.store = s->f->store, .fn = gate_hold, .arg = &gates[i]};
        writing_start(&writings[i]);
        if (i < 3)
            while (sem_wait(&gates[i].entered))
                ;
    }
    wait_queued(s->f->store, 1);
    assert_int_equal(thing_count(s->f->store), 0);
    /* The fourth waits for POSTGRES_POOL_WAIT_MS. */
    assert_int_equal(writing_finish(&writings[3]), ERR_UNAVAILABLE);
    store_stats(s->f->store, &stats);
    assert_int_equal(stats.refused, 1);
    for (int i = 0; i < 3; i++) {
        sem_post(&gates[i].leave);
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
    }
}

static void test_postgres__a_lock_that_is_held_for_long_is_told(void **state)
{
    struct on_server *s = need_server(state);
    struct thing thing = {.name = "x"};

    number(s, "BEGIN");
    number(s, "LOCK TABLE things IN ACCESS EXCLUSIVE MODE");
    assert_int_equal(store_write(s->f->store, s->f->arena, thing_insert, &thing), ERR_UNAVAILABLE);
    assert_int_equal(thing.runs, 1);
    number(s, "ROLLBACK");
    assert_int_equal(thing_add(s->f, "x"), ERR_OK);
}

/* ---- Other servers ---- */

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
    struct store_options options = {.database = s->f->database, .listen = s->f->database};

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

static void test_postgres__servers_hear_each_other(void **state)
{
    struct on_server *s = need_server(state);
    struct telling first = {1000, 3000, ERR_OK}, refused = {1, 5, ERR_PROBLEM},
                   last = {5000, 1, ERR_OK};
    struct servers servers;

    open_both(s, &servers);
    /* Longer than one notification can be. */
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &first), ERR_OK);
    assert_int_equal(servers.at_a->n, 3000); /* told before its caller was answered */
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &refused), ERR_PROBLEM);
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &last), ERR_OK);
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

static void test_postgres__what_is_not_understood_may_be_anything(void **state)
{
    struct on_server *s = need_server(state);
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

static void test_postgres__ears_that_were_cut_hear_of_all(void **state)
{
    struct on_server *s = need_server(state);
    struct telling unheard = {1, 1, ERR_OK}, heard = {2, 1, ERR_OK};
    struct servers servers;

    open_both(s, &servers);
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS
              "AND application_name = 'servery listen'");
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &unheard), ERR_OK);
    wait_heard(servers.at_b, 1);
    while (servers.at_b->events[servers.at_b->n - 1].kind != STORE_EVENT_ALL)
        wait_heard(servers.at_b, servers.at_b->n + 1);
    size_t n = servers.at_b->n;
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &heard), ERR_OK);
    wait_heard(servers.at_b, n + 1);
    assert_int_equal(servers.at_b->events[n].id, 2);
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

static void test_postgres__nobody_is_told_where_nobody_listens(void **state)
{
    struct on_server *s = need_server(state);
    struct telling first = {1, 3, ERR_OK}, second = {2, 3, ERR_OK};
    struct store_options options = {.database = s->f->database, .listen = s->f->database};
    struct servers servers;

    number(s, "LISTEN servery");
    assert_int_equal(store_open(&options, &servers.a), ERR_OK);
    servers.at_a = hearing_of(servers.a);
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &first), ERR_OK);
    assert_int_equal(count_heard(s), 0);
    assert_int_equal(servers.at_a->n, 3);
    /* From the moment on at which another one is open. */
    assert_int_equal(store_open(&options, &servers.b), ERR_OK);
    servers.at_b = hearing_of(servers.b);
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &second), ERR_OK);
    assert_int_equal(count_heard(s), 1);
    wait_heard(servers.at_b, 3);
    close_both(&servers);
}

static void test_postgres__what_may_be_committed_is_told_as_anything(void **state)
{
    struct on_server *s = need_server(state);
    struct store_options options = {.database = s->f->database, .listen = s->f->database};
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
    snprintf(url, size, "postgresql://%s%s", role, strchr(s->f->database, '@'));
}

static void test_postgres__a_deaf_server_does_not_know_that_it_is_alone(void **state)
{
    struct on_server *s = need_server(state);
    struct telling told = {1, 1, ERR_OK};
    char ears[300];
    struct servers servers;

    number(s, "CREATE ROLE ears LOGIN SUPERUSER");
    url_of(s, "ears", ears, sizeof ears);
    struct store_options deaf = {.database = s->f->database, .listen = ears};
    struct store_options other = {.database = s->f->database, .listen = s->f->database};
    assert_int_equal(store_open(&deaf, &servers.a), ERR_OK);
    servers.at_a = hearing_of(servers.a);
    number(s, "ALTER ROLE ears NOLOGIN");
    number(s, "SELECT count(pg_terminate_backend(pid)) " SERVERS_CONNS "AND usename = 'ears'");
    wait_until(s, "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END " SERVERS_CONNS
                  "AND usename = 'ears'");
    assert_int_equal(store_open(&other, &servers.b), ERR_OK);
    servers.at_b = hearing_of(servers.b);
    /* At once, where it has noticed; or when it hears again. */
    assert_int_equal(store_write(servers.a, s->f->arena, tell, &told), ERR_OK);
    number(s, "ALTER ROLE ears LOGIN");
    wait_heard(servers.at_b, 1);
    close_both(&servers);
    number(s, "DROP ROLE ears");
}

static void test_postgres__ears_at_another_database_are_refused(void **state)
{
    struct on_server *s = need_server(state);
    struct store_options options = {.database = s->f->database,
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
#define ON_SERVER(test, with) cmocka_unit_test_setup_teardown(test, with, tear_down)
    const struct CMUnitTest tests[] = {
        ON_SERVER(test_postgres__values_come_back_as_they_were, set_up),
        ON_SERVER(test_postgres__values_come_back_as_they_were, set_up_unnamed),
        ON_SERVER(test_postgres__a_post_that_does_not_fit_commits_nothing, set_up),
        ON_SERVER(test_postgres__a_post_that_does_not_fit_commits_nothing, set_up_unnamed),
        ON_SERVER(test_postgres__who_locks_is_never_disturbed, set_up),
        ON_SERVER(test_postgres__a_deadlock_is_run_again, set_up),
        ON_SERVER(test_postgres__a_unique_row_in_a_post_is_run_again, set_up),
        ON_SERVER(test_postgres__a_connection_lost_before_the_commit_is_run_again, set_up),
        ON_SERVER(test_postgres__idle_connections_that_were_cut_harm_nobody, set_up),
        ON_SERVER(test_postgres__a_commit_without_an_answer_is_not_run_again, set_up),
        ON_SERVER(test_postgres__writes_leave_connections_to_reads, set_up_small),
        ON_SERVER(test_postgres__a_lock_that_is_held_for_long_is_told, set_up),
        ON_SERVER(test_postgres__servers_hear_each_other, set_up),
        ON_SERVER(test_postgres__nobody_is_told_where_nobody_listens, set_up),
        ON_SERVER(test_postgres__what_is_not_understood_may_be_anything, set_up),
        ON_SERVER(test_postgres__ears_that_were_cut_hear_of_all, set_up),
        ON_SERVER(test_postgres__what_may_be_committed_is_told_as_anything, set_up),
        ON_SERVER(test_postgres__a_deaf_server_does_not_know_that_it_is_alone, set_up),
        ON_SERVER(test_postgres__ears_at_another_database_are_refused, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
