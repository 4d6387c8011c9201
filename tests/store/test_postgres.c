/* What only PostgreSQL has: several writers, connections that are lost, and waiting that ends. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "postgres_fixture.h"
#include "store/postgres.h"

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
    struct on_server *s = *state;
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
        assert_int_equal(store_write(s->f.store, s->f.arena, round_trip, rows[i]), ERR_OK);
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
        adders[i] = (struct adder){s->f.store, fn, 0};
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
    struct on_server *s = *state;

    /* Without a lock some give up after eight runs; what was acknowledged is there, once. */
    int done = add_by_all(s, add_one);
    assert_in_range(done, 1, WRITERS * STEPS);
    assert_int_equal(number(s, "SELECT amount FROM things WHERE name = 'sum'"), done);
}

static void test_postgres__who_locks_is_never_disturbed(void **state)
{
    struct on_server *s = *state;

    assert_int_equal(add_by_all(s, add_one_locked), WRITERS * STEPS);
    assert_int_equal(number(s, "SELECT amount FROM things WHERE name = 'sum'"), WRITERS * STEPS);
}

static void test_postgres__its_defaults_of_isolation_do_not_matter(void **state)
{
    struct on_server *s = *state;

    number(s, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = "
              "''repeatable read''', current_database()); END $$");
    fixture_reopen(&s->f, (struct store_options){0});
    assert_int_equal(add_by_all(s, add_one_locked), WRITERS * STEPS);
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
    struct on_server *s = *state;
    pthread_barrier_t met;
    struct crossing a = {1, 2, &met, 0}, b = {2, 1, &met, 0};
    struct writing one = {.store = s->f.store, .fn = cross, .arg = &a};
    struct writing two = {.store = s->f.store, .fn = cross, .arg = &b};

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
    struct on_server *s = *state;
    int runs = 0;

    assert_int_equal(thing_add(&s->f, "same"), ERR_OK);
    assert_int_equal(store_write(s->f.store, s->f.arena, add_twice, &runs), ERR_UNAVAILABLE);
    assert_int_equal(runs, POSTGRES_RUNS_MAX);
    assert_false(thing_exists(s->f.store, "new"));
}

/* ---- Connections that are lost ---- */

struct losing {
    struct on_server *s;
    int kills, runs;
};

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
    struct on_server *s = *state;
    struct losing losing = {s, 2, 0};

    assert_int_equal(store_write(s->f.store, s->f.arena, lose_it, &losing), ERR_OK);
    assert_int_equal(losing.runs, 3);
    assert_int_equal(thing_count(s->f.store), 2);
}

static enum err post_one(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name) VALUES ($1)";

    return tx_post(tx, 1, sql, SQL_ARGS(sql_text(str_from(arg))));
}

static void test_postgres__idle_connections_that_were_cut_harm_nobody(void **state)
{
    struct on_server *s = *state;
    char after[] = "after";

    assert_int_equal(thing_add(&s->f, "before"), ERR_OK);
    kill_all(s);
    /* In one trip with its COMMIT: had it been sent, nobody could know. */
    assert_int_equal(store_write(s->f.store, s->f.arena, post_one, after), ERR_OK);
    kill_all(s);
    assert_int_equal(thing_count(s->f.store), 2);
}

static void test_postgres__a_commit_without_an_answer_is_not_run_again(void **state)
{
    struct on_server *s = *state;
    struct thing thing = {.name = "doubtful"};
    struct writing writing = {.store = s->f.store, .fn = thing_insert, .arg = &thing};

    hold_commits(s);
    writing_start(&writing);
    wait_until(s, "SELECT count(*) " SERVERS_CONNS "AND wait_event = 'advisory'");
    kill_all(s);
    assert_int_equal(writing_finish(&writing), ERR_UNAVAILABLE);
    assert_int_equal(thing.runs, 1);
    number(s, "SELECT pg_advisory_unlock(-77)");
    assert_int_equal(thing_add(&s->f, "next"), ERR_OK);
    assert_false(thing_exists(s->f.store, "doubtful"));
}

/* ---- A server that ends right after it has committed ----
 *
 * Its answer to COMMIT is there, and behind it that it ends. A relay says so in its stead: nobody
 * can kill it in just that moment. */

struct relay {
    int listening, port, to; /* to: the server's port */
    bool armed;              /* atomic: the next answer to a COMMIT is the last */
    pthread_t thread;
};

static const char COMMITTED[] = "C\0\0\0\x0b"
                                "COMMIT"; /* and its NUL */
static const char ENDS[] = "E\0\0\0\x21"
                           "SFATAL\0VFATAL\0C57P01\0Mit ends\0";

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* False: the connection is over. */
static bool pass_on(struct relay *relay, int from, int to, bool is_answer)
{
    char bytes[65536];
    ssize_t len = read(from, bytes, sizeof bytes);

    if (len <= 0)
        return false;
    char *found = is_answer && __atomic_load_n(&relay->armed, __ATOMIC_ACQUIRE)
                      ? memmem(bytes, (size_t)len, COMMITTED, sizeof COMMITTED)
                      : NULL;
    if (found) {
        len = found + sizeof COMMITTED - bytes;
        __atomic_store_n(&relay->armed, false, __ATOMIC_RELEASE);
    }
    if (write(to, bytes, (size_t)len) != len)
        return false;
    if (found && write(to, ENDS, sizeof ENDS) != (ssize_t)sizeof ENDS)
        return false;
    return !found;
}

/* One connection after the other: the store has only one. Ends when the listening socket does. */
static void *run_relay(void *arg)
{
    struct relay *relay = arg;
    int client;

    while ((client = accept(relay->listening, NULL, NULL)) >= 0) {
        struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.events = POLLIN}};
        bool open = true;

        fds[1].fd = connect_to(relay->to);
        while (open && poll(fds, 2, -1) > 0)
            for (int i = 0; i < 2; i++)
                if (open && fds[i].revents)
                    open = pass_on(relay, fds[i].fd, fds[1 - i].fd, i == 1);
        close(fds[1].fd);
        close(client);
    }
    return NULL;
}

static void relay_start(struct relay *relay, int to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    *relay = (struct relay){.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .to = to};
    assert_int_equal(bind(relay->listening, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(relay->listening, 8), 0);
    assert_int_equal(getsockname(relay->listening, (struct sockaddr *)&address, &len), 0);
    relay->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&relay->thread, NULL, run_relay, relay), 0);
}

static void test_postgres__what_is_committed_is_not_run_again(void **state)
{
    struct on_server *s = *state;
    struct thing thing = {.name = "once"};
    struct relay relay;
    struct store *store;
    char url[300];

    relay_start(&relay, atoi(PQport(s->pg)));
    snprintf(url, sizeof url, "postgresql://postgres@127.0.0.1:%d/%s?sslmode=disable", relay.port,
             PQdb(s->pg));
    struct store_options options = {.database = url, .connections = 1};
    assert_int_equal(store_open(&options, &store), ERR_OK);
    __atomic_store_n(&relay.armed, true, __ATOMIC_RELEASE);
    assert_int_equal(store_write(store, s->f.arena, thing_insert, &thing), ERR_OK);
    assert_false(__atomic_load_n(&relay.armed, __ATOMIC_ACQUIRE));
    assert_int_equal(thing.runs, 1);
    assert_true(thing_exists(s->f.store, "once"));
    store_close(store);
    shutdown(relay.listening, SHUT_RDWR);
    pthread_join(relay.thread, NULL);
    close(relay.listening);
}

/* ---- Waiting, but not for ever ---- */

static void test_postgres__writes_leave_connections_to_reads(void **state)
{
    struct on_server *s = *state;
    struct writing writings[4];
    struct gate gates[4];
    struct store_stats stats;

    /* Of four connections writes may have three. */
    for (int i = 0; i < 4; i++) {
        gate_init(&gates[i]);
        writings[i] = (struct writing){.store = s->f.store, .fn = gate_hold, .arg = &gates[i]};
        writing_start(&writings[i]);
        if (i < 3)
            while (sem_wait(&gates[i].entered))
                ;
    }
    wait_queued(s->f.store, 1);
    assert_int_equal(thing_count(s->f.store), 0);
    store_stats(s->f.store, &stats);
    assert_int_equal(stats.connections_max, 4);
    assert_int_equal(stats.connections - stats.connections_idle, 3);
    assert_int_equal(stats.writes_late, 0);
    /* The fourth waits for POSTGRES_POOL_WAIT_MS. */
    assert_int_equal(writing_finish(&writings[3]), ERR_UNAVAILABLE);
    store_stats(s->f.store, &stats);
    assert_int_equal(stats.writes_late, 1);
    assert_int_equal(stats.reads_late, 0);
    assert_int_equal(stats.refused, 0); /* it was let into the queue */
    for (int i = 0; i < 3; i++) {
        sem_post(&gates[i].leave);
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
    }
    store_stats(s->f.store, &stats);
    assert_int_equal(stats.connections_idle, stats.connections);
    assert_int_equal(stats.connections_lost, 0);
}

/* PostgreSQL has no connection left for us before the pool is as large as it may be: every third
 * call was answered 503 at once, though others would have been done soon. */
static void test_postgres__fewer_connections_than_wanted_will_do(void **state)
{
    struct on_server *s = *state;
    struct writing writings[3];
    struct gate gates[3];
    struct store *store;
    char url[300];

    number(s, "CREATE ROLE two LOGIN CONNECTION LIMIT 2");
    number(s, "GRANT ALL ON ALL TABLES IN SCHEMA public TO two");
    snprintf(url, sizeof url, "postgresql://two%s", strchr(s->f.database, '@'));
    struct store_options options = {.database = url, .connections = 8};
    assert_int_equal(store_open(&options, &store), ERR_OK);
    for (int i = 0; i < 3; i++) {
        gate_init(&gates[i]);
        writings[i] = (struct writing){.store = store, .fn = gate_hold, .arg = &gates[i]};
        writing_start(&writings[i]);
        if (i < 2)
            while (sem_wait(&gates[i].entered))
                ;
    }
    wait_queued(store, 1);
    for (int i = 0; i < 3; i++)
        sem_post(&gates[i].leave);
    for (int i = 0; i < 3; i++)
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
    store_close(store);
    wait_until(s, "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END " SERVERS_CONNS
                  "AND usename = 'two'");
    number(s, "DROP OWNED BY two");
    number(s, "DROP ROLE two");
}

static void test_postgres__a_lock_that_is_held_for_long_is_told(void **state)
{
    struct on_server *s = *state;
    struct thing thing = {.name = "x"};

    number(s, "BEGIN");
    number(s, "LOCK TABLE things IN ACCESS EXCLUSIVE MODE");
    assert_int_equal(store_write(s->f.store, s->f.arena, thing_insert, &thing), ERR_UNAVAILABLE);
    assert_int_equal(thing.runs, 1);
    number(s, "ROLLBACK");
    assert_int_equal(thing_add(&s->f, "x"), ERR_OK);
}

int main(void)
{
    if (!database_on_postgresql()) {
        puts("1..0 # SKIP there is no PostgreSQL: script/with-postgres");
        return 0;
    }
#define ON_SERVER(test, with) cmocka_unit_test_setup_teardown(test, with, on_server_teardown)
    const struct CMUnitTest tests[] = {
        ON_SERVER(test_postgres__values_come_back_as_they_were, on_server_setup),
        ON_SERVER(test_postgres__values_come_back_as_they_were, on_server_setup_unnamed),
        ON_SERVER(test_postgres__a_post_that_does_not_fit_commits_nothing, on_server_setup),
        ON_SERVER(test_postgres__a_post_that_does_not_fit_commits_nothing, on_server_setup_unnamed),
        ON_SERVER(test_postgres__who_locks_is_never_disturbed, on_server_setup),
        ON_SERVER(test_postgres__its_defaults_of_isolation_do_not_matter, on_server_setup),
        ON_SERVER(test_postgres__a_deadlock_is_run_again, on_server_setup),
        ON_SERVER(test_postgres__a_unique_row_in_a_post_is_run_again, on_server_setup),
        ON_SERVER(test_postgres__a_connection_lost_before_the_commit_is_run_again, on_server_setup),
        ON_SERVER(test_postgres__idle_connections_that_were_cut_harm_nobody, on_server_setup),
        ON_SERVER(test_postgres__a_commit_without_an_answer_is_not_run_again, on_server_setup),
        ON_SERVER(test_postgres__what_is_committed_is_not_run_again, on_server_setup),
        ON_SERVER(test_postgres__writes_leave_connections_to_reads, on_server_setup_small),
        ON_SERVER(test_postgres__fewer_connections_than_wanted_will_do, on_server_setup),
        ON_SERVER(test_postgres__a_lock_that_is_held_for_long_is_told, on_server_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
