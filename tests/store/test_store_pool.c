/* Who waits for whom: the writer for no reader, and readers for each other in turn. */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* One read on a thread of its own. */
struct reading {
    struct store *store;
    tx_fn *fn;
    void *arg;
    enum err result;
    pthread_t thread;
};

static void *run_reading(void *arg)
{
    struct reading *reading = arg;
    struct arena *arena = arena_create();

    reading->result = store_read(reading->store, arena, reading->fn, reading->arg);
    arena_destroy(arena);
    return NULL;
}

static void reading_start(struct reading *reading)
{
    assert_int_equal(pthread_create(&reading->thread, NULL, run_reading, reading), 0);
}

static void reading_finish(struct reading *reading)
{
    assert_int_equal(pthread_join(reading->thread, NULL), 0);
    assert_int_equal(reading->result, ERR_OK);
}

static void wait_reads_waiting(struct store *store, int64_t n)
{
    struct store_stats stats;

    do {
        sched_yield();
        store_stats(store, &stats);
    } while (stats.reads_waiting != n);
}

/* ---- The writer ---- */

static enum err insert_and_emit(struct tx *tx, void *arg)
{
    tx_emit(tx, (struct store_event){STORE_EVENT_FOOD, 1, 0, 0});
    return thing_insert(tx, arg);
}

struct listening {
    struct store *store;
    int64_t seen;
};

static void count_after_commit(void *ctx, const struct store_event *events, size_t n)
{
    struct listening *listening = ctx;

    (void)events;
    (void)n;
    listening->seen = thing_count(listening->store);
}

/* With every read connection taken by a slow search, no write was answered any more. */
static void test_pool__a_slow_read_stops_no_write(void **state)
{
    struct fixture *f = *state;
    struct gate gate;
    struct thing things[2] = {{.name = "a"}, {.name = "b"}};
    struct reading slow, waits;
    struct listening listening;

    fixture_reopen(f, (struct store_options){.readers = 1});
    listening = (struct listening){f->store, -1};
    store_listen(f->store, count_after_commit, &listening);
    gate_init(&gate);
    slow = (struct reading){f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    reading_start(&slow);
    sem_wait(&gate.entered);
    waits = (struct reading){f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    reading_start(&waits);
    wait_reads_waiting(f->store, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_write(f->store, f->arena, insert_and_emit, &things[i]), ERR_OK);
        assert_int_equal(listening.seen, i + 1);
    }
    sem_post(&gate.leave);
    sem_post(&gate.leave);
    reading_finish(&slow);
    reading_finish(&waits);
}

static enum err ask_to_write(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name) VALUES ('x') RETURNING id";

    return tx_ask(tx, sql, SQL_NO_ARGS, arg);
}

static void write_in_a_read(void *ctx, const struct store_event *events, size_t n)
{
    struct arena *arena = arena_create();
    struct sql_rows rows;

    (void)events;
    (void)n;
    if (store_read(ctx, arena, ask_to_write, &rows))
        _exit(1);
    _exit(0);
}

static void test_pool__the_listeners_read_cannot_write(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t pid;

    store_close(f->store); /* SQLite's connections must not cross a fork */
    f->store = NULL;
    pid = fork();
    if (pid == 0) {
        struct thing thing = {.name = "a"};
        enum err err;

        signal(SIGABRT, SIG_DFL);
        fclose(stderr);
        fixture_reopen(f, (struct store_options){0});
        store_listen(f->store, write_in_a_read, f->store);
        err = store_write(f->store, f->arena, insert_and_emit, &thing);
        _exit(err ? 2 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (database_on_postgresql()) /* the database refuses it */
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    else
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- The readers ---- */

enum { N_READERS = 12 };

struct turns {
    int n;
    int order[N_READERS];
};

struct turn {
    struct turns *turns;
    int number;
};

/* One connection, so one at a time. */
static enum err note_turn(struct tx *tx, void *arg)
{
    const struct turn *turn = arg;

    (void)tx;
    turn->turns->order[turn->turns->n++] = turn->number;
    return ERR_OK;
}

static void test_pool__readers_are_served_in_turn(void **state)
{
    struct fixture *f = *state;
    struct gate gate;
    struct turns turns = {0};
    struct turn turn[N_READERS];
    struct reading first, readings[N_READERS];

    fixture_reopen(f, (struct store_options){.readers = 1, .connections = 1});
    gate_init(&gate);
    first = (struct reading){f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    reading_start(&first);
    sem_wait(&gate.entered);
    for (int i = 0; i < N_READERS; i++) {
        turn[i] = (struct turn){&turns, i};
        readings[i] = (struct reading){f->store, note_turn, &turn[i], ERR_INTERNAL, 0};
        reading_start(&readings[i]);
        wait_reads_waiting(f->store, i + 1);
    }
    sem_post(&gate.leave);
    reading_finish(&first);
    for (int i = 0; i < N_READERS; i++)
        reading_finish(&readings[i]);
    assert_int_equal(turns.n, N_READERS);
    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(turns.order[i], i);
    wait_reads_waiting(f->store, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T_AS(name, engine)                                                                         \
    {"test_pool__" #name engine, test_pool__##name, fixture_setup, fixture_teardown, NULL}
        T_AS(a_slow_read_stops_no_write, SQLITE_ONLY),
        T_AS(the_listeners_read_cannot_write, ""),
        T_AS(readers_are_served_in_turn, ""),
#undef T_AS
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
