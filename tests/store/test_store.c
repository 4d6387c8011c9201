/* The store's promises on a real file: verbs, values, rollback, group commit, events, reads. */
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Values ---- */

struct values {
    struct sql_value in[6];
    struct sql_rows rows;
};

static enum err echo_values(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT $1, $2, $3, $4, $5, $6";
    struct values *values = arg;

    return tx_ask(tx, sql, (struct sql_args){values->in, 6}, &values->rows);
}

static void test_store__values_roundtrip(void **state)
{
    struct fixture *f = *state;
    char bytes[256];
    struct values values;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    values.in[0] = sql_null();
    values.in[1] = sql_int(INT64_MIN);
    values.in[2] = sql_text((struct str){"a\0b\xc3\xa9", 5});
    values.in[3] = sql_text(STR(""));
    values.in[4] = sql_blob((struct str){bytes, sizeof(bytes)});
    values.in[5] = sql_blob(STR(""));
    assert_int_equal(store_read(f->store, f->arena, echo_values, &values), ERR_OK);

    assert_int_equal(values.rows.n, 1);
    assert_int_equal(values.rows.n_cols, 6);
    assert_true(sql_is_null(&values.rows, 0, 0));
    assert_null(sql_get_str(&values.rows, 0, 0).ptr);
    assert_int_equal(sql_get_int(&values.rows, 0, 0), 0);
    assert_true(sql_get_int(&values.rows, 0, 1) == INT64_MIN);
    assert_true(str_eq(sql_get_str(&values.rows, 0, 2), values.in[2].s));
    assert_non_null(sql_get_str(&values.rows, 0, 3).ptr);
    assert_int_equal(sql_get_str(&values.rows, 0, 3).len, 0);
    assert_true(str_eq(sql_get_str(&values.rows, 0, 4), values.in[4].s));
    assert_false(sql_is_null(&values.rows, 0, 5));
    assert_non_null(sql_get_str(&values.rows, 0, 5).ptr);
    assert_int_equal(values.rows.cells[5].type, SQL_BLOB);
}

static enum err ask_mixed(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT $3, $1, $2, $1";

    return tx_ask(tx, sql, SQL_ARGS(sql_int(1), sql_int(2), sql_int(3)), arg);
}

static void test_store__parameters_by_number_not_by_appearance(void **state)
{
    static const int64_t expected[] = {3, 1, 2, 1};
    struct fixture *f = *state;
    struct sql_rows rows;

    assert_int_equal(store_read(f->store, f->arena, ask_mixed, &rows), ERR_OK);
    for (size_t col = 0; col < 4; col++)
        assert_int_equal(sql_get_int(&rows, 0, col), expected[col]);
}

static enum err ask_many(struct tx *tx, void *arg)
{
    static const char sql[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)\n"
        "SELECT i, 'row ' || i FROM n";

    return tx_ask(tx, sql, SQL_ARGS(sql_int(3000)), arg);
}

static void test_store__many_rows(void **state)
{
    struct fixture *f = *state;
    struct sql_rows rows;

    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_read(f->store, f->arena, ask_many, &rows), ERR_OK);
        assert_int_equal(rows.n, 3000);
        assert_int_equal(sql_get_int(&rows, 0, 0), 1);
        assert_true(str_is(sql_get_str(&rows, 2999, 1), "row 3000"));
    }
}

/* More texts than the cache has slots at first; each keeps its own statement. */
static enum err ask_distinct(struct tx *tx, void *arg)
{
    static char texts[300][32];
    struct sql_rows rows;
    enum err err;

    (void)arg;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            snprintf(texts[i], sizeof(texts[i]), "SELECT %d", i);
            err = tx_ask(tx, texts[i], SQL_NO_ARGS, &rows);
            if (err)
                return err;
            assert_int_equal(sql_get_int(&rows, 0, 0), i);
        }
    return ERR_OK;
}

static void test_store__statement_cache_grows(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(store_read(f->store, f->arena, ask_distinct, NULL), ERR_OK);
}

static enum err ask_cast(struct tx *tx, void *arg)
{
    return tx_ask(tx, "SELECT $1::bigint", SQL_ARGS(sql_int(1)), arg);
}

static void test_store__double_colon_is_a_bug(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t pid;

    store_close(f->store); /* SQLite's connections must not cross a fork */
    f->store = NULL;
    pid = fork();
    if (pid == 0) {
        struct store_options options = {.database = f->database};
        struct sql_rows rows;

        signal(SIGABRT, SIG_DFL);
        fclose(stderr);
        if (store_open(&options, &f->store) || store_read(f->store, f->arena, ask_cast, &rows))
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- Changes ---- */

struct change {
    int64_t n_changed; /* what is stated */
    bool late, swallow;
    int wrong_runs; /* so often the stated count does not fit */
    int runs;
};

static enum err change_things(struct tx *tx, void *arg)
{
    static const char sql[] = "UPDATE things SET amount = COALESCE(amount, 0) + 1 WHERE name <> $1";
    struct change *change = arg;
    struct sql_args args = SQL_ARGS(sql_text(STR("none")));
    enum err err;

    err = tx_lock_user(tx, 1);
    if (err)
        return err;
    if (change->runs++ < change->wrong_runs)
        err = tx_post(tx, change->n_changed + 1, sql, args);
    else if (change->late)
        err = tx_late(tx, 7, sql, args);
    else
        err = tx_post(tx, change->n_changed, sql, args);
    return change->swallow ? ERR_OK : err;
}

static enum err sum_amounts(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT COALESCE(CAST(sum(amount) AS BIGINT), 0) FROM things";

    return tx_ask(tx, sql, SQL_NO_ARGS, arg);
}

static int64_t amount_of_all(struct fixture *f)
{
    struct sql_rows rows;

    assert_int_equal(store_read(f->store, f->arena, sum_amounts, &rows), ERR_OK);
    return sql_get_int(&rows, 0, 0);
}

static void test_store__post_states_its_count(void **state)
{
    struct fixture *f = *state;
    struct change one = {.n_changed = 1}, two = {.n_changed = 2}, any = {.n_changed = -1};

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(thing_add(f, "b"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, change_things, &two), ERR_OK);
    assert_int_equal(two.runs, 1);
    assert_int_equal(amount_of_all(f), 2);
    assert_int_equal(store_write(f->store, f->arena, change_things, &any), ERR_OK);
    assert_int_equal(amount_of_all(f), 4);
    /* Nothing of it stays. */
    assert_int_equal(store_write(f->store, f->arena, change_things, &one), fixture_always_stale());
    assert_int_equal(one.runs, fixture_runs_max());
    assert_int_equal(amount_of_all(f), 4);
}

static void test_store__stale_once_is_run_again(void **state)
{
    struct fixture *f = *state;
    struct change change = {.n_changed = 1, .wrong_runs = 1};

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, change_things, &change), ERR_OK);
    assert_int_equal(change.runs, 2);
    assert_int_equal(amount_of_all(f), 1);
}

static void test_store__late_changes_one_row(void **state)
{
    struct fixture *f = *state;
    struct change fits = {.late = true}, not = {.late = true};

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, change_things, &fits), ERR_OK);
    assert_int_equal(thing_add(f, "b"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, change_things, &not ), fixture_always_stale());
    assert_int_equal(amount_of_all(f), 1);
}

static void test_store__swallowed_failure_still_fails(void **state)
{
    struct fixture *f = *state;
    struct change change = {.n_changed = 5, .swallow = true};

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, change_things, &change),
                     fixture_always_stale());
    assert_int_equal(amount_of_all(f), 0);
}

static void test_store__refusal_rolls_back(void **state)
{
    struct fixture *f = *state;
    struct thing thing = {.name = "a", .refusal = ERR_PROBLEM};
    struct store_stats before, after;

    store_stats(f->store, &before);
    assert_int_equal(store_write(f->store, f->arena, thing_insert, &thing), ERR_PROBLEM);
    store_stats(f->store, &after);
    assert_int_equal(thing.runs, 1);
    assert_int_equal(thing_count(f->store), 0);
    if (!database_on_postgresql()) /* which counts what it committed */
        assert_int_equal(after.jobs - before.jobs, 1);
    assert_int_equal(after.commits - before.commits, 0); /* nothing worth an fsync */
    assert_int_equal(after.failed_commits, 0);
}

static void test_store__unique(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(thing_add(f, "a"), ERR_UNIQUE);
    assert_int_equal(thing_count(f->store), 1);
}

static enum err run_sql(struct tx *tx, void *arg)
{
    return tx_post(tx, SQL_ANY_COUNT, arg, SQL_NO_ARGS);
}

static void test_store__constraints(void **state)
{
    static char foreign[] = "INSERT INTO things (name, parent_id) VALUES ('x', 99)";
    static char strict[] = "INSERT INTO things (name, amount) VALUES ('x', '12abc')";
    static char null[] = "INSERT INTO things (name) VALUES (NULL)";
    static char syntax[] = "INSERT OUTTO things";
    static char *const texts[] = {foreign, strict, null, syntax};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(store_write(f->store, f->arena, run_sql, texts[i]), ERR_INTERNAL);
    assert_int_equal(thing_count(f->store), 0);
    assert_int_equal(thing_add(f, "x"), ERR_OK);
}

static void test_store__run_twice(void **state)
{
    struct fixture *f = *state;
    struct thing kept = {.name = "a"}, refused = {.name = "b", .refusal = ERR_PROBLEM};

    fixture_reopen(f, (struct store_options){.run_twice = true});
    assert_int_equal(store_write(f->store, f->arena, thing_insert, &kept), ERR_OK);
    assert_int_equal(kept.runs, 2);
    assert_int_equal(store_write(f->store, f->arena, thing_insert, &refused), ERR_PROBLEM);
    assert_int_equal(refused.runs, 2);
    assert_int_equal(thing_count(f->store), 1);
}

/* ---- Many callers ---- */

enum { N_CALLERS = 40 };

static void test_store__one_commit_for_all_that_wait(void **state)
{
    struct fixture *f = *state;
    struct gate gate;
    struct writing holder = {f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    struct writing writings[N_CALLERS];
    struct thing things[N_CALLERS];
    char names[N_CALLERS][24];
    struct store_stats before, after;

    gate_init(&gate);
    writing_start(&holder);
    sem_wait(&gate.entered);
    store_stats(f->store, &before);
    for (int i = 0; i < N_CALLERS; i++) {
        snprintf(names[i], sizeof(names[i]), "thing %d", i);
        things[i] = (struct thing){.name = names[i]};
        writings[i] = (struct writing){f->store, thing_insert, &things[i], ERR_INTERNAL, 0};
        writing_start(&writings[i]);
    }
    wait_queued(f->store, N_CALLERS);
    sem_post(&gate.leave);
    assert_int_equal(writing_finish(&holder), ERR_OK);
    for (int i = 0; i < N_CALLERS; i++)
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
    store_stats(f->store, &after);
    assert_int_equal(after.jobs - before.jobs, N_CALLERS + 1);
    assert_true(after.commits - before.commits < N_CALLERS);
    assert_int_equal(thing_count(f->store), N_CALLERS);
}

static void test_store__a_refusal_leaves_its_neighbours(void **state)
{
    struct fixture *f = *state;
    struct gate gate;
    struct thing good = {.name = "good"}, refused = {.name = "bad", .refusal = ERR_PROBLEM};
    struct thing same = {.name = "old"}, last = {.name = "last"};
    struct change stale = {.n_changed = 100};
    struct writing holder = {f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    struct writing writings[] = {
        {f->store, thing_insert, &good, ERR_OK, 0}, {f->store, thing_insert, &refused, ERR_OK, 0},
        {f->store, thing_insert, &same, ERR_OK, 0}, {f->store, change_things, &stale, ERR_OK, 0},
        {f->store, thing_insert, &last, ERR_OK, 0},
    };
    static const enum err expected[] = {ERR_OK, ERR_PROBLEM, ERR_UNIQUE, ERR_INTERNAL, ERR_OK};

    assert_int_equal(thing_add(f, "old"), ERR_OK);
    gate_init(&gate);
    writing_start(&holder);
    sem_wait(&gate.entered);
    for (int i = 0; i < 5; i++) {
        writing_start(&writings[i]);
        wait_queued(f->store, i + 1); /* so that they run in this order */
    }
    sem_post(&gate.leave);
    assert_int_equal(writing_finish(&holder), ERR_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(writing_finish(&writings[i]), expected[i]);
    assert_int_equal(thing_count(f->store), 3);
    assert_true(thing_exists(f->store, "good") && thing_exists(f->store, "last"));
    assert_int_equal(amount_of_all(f), 0);
}

static void test_store__full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct gate gate;
    struct thing things[2] = {{.name = "a"}, {.name = "b"}};
    struct writing holder, writings[2];

    fixture_reopen(f, (struct store_options){.queue_max = 2, .connections = 1});
    gate_init(&gate);
    holder = (struct writing){f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    writing_start(&holder);
    sem_wait(&gate.entered);
    for (int i = 0; i < 2; i++) {
        writings[i] = (struct writing){f->store, thing_insert, &things[i], ERR_INTERNAL, 0};
        writing_start(&writings[i]);
    }
    wait_queued(f->store, 2);
    assert_int_equal(thing_add(f, "c"), ERR_UNAVAILABLE);
    sem_post(&gate.leave);
    assert_int_equal(writing_finish(&holder), ERR_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
    assert_int_equal(thing_add(f, "c"), ERR_OK);
    assert_int_equal(thing_count(f->store), 3);
}

/* ---- Events ---- */

struct listening {
    struct fixture *f;
    struct arena *arena;
    atomic_bool returned; /* the caller has its answer */
    int calls;
    size_t n;
    struct store_event events[8];
    int64_t seen; /* things the listener could read */
};

static void listen(void *ctx, const struct store_event *events, size_t n)
{
    struct listening *listening = ctx;

    assert_false(atomic_load(&listening->returned));
    listening->calls++;
    for (size_t i = 0; i < n; i++)
        listening->events[listening->n++] = events[i];
    listening->seen = thing_count(listening->f->store);
}

static enum err insert_and_emit(struct tx *tx, void *arg)
{
    struct thing *thing = arg;
    enum err err;

    tx_emit(tx, (struct store_event){STORE_EVENT_FOOD, 1, 0, 0});
    err = thing_insert(tx, thing);
    if (thing->id)
        tx_emit(tx, (struct store_event){STORE_EVENT_ORDER, thing->id, 2, 3});
    return err;
}

static void check_events(struct fixture *f)
{
    struct listening listening = {.f = f};
    struct thing bad = {.name = "a", .refusal = ERR_PROBLEM}, good = {.name = "a"};

    store_listen(f->store, listen, &listening);
    assert_int_equal(store_write(f->store, f->arena, insert_and_emit, &bad), ERR_PROBLEM);
    assert_int_equal(listening.calls, 0);
    assert_int_equal(thing_add(f, "silent"), ERR_OK);
    assert_int_equal(listening.calls, 0);
    assert_int_equal(store_write(f->store, f->arena, insert_and_emit, &good), ERR_OK);
    atomic_store(&listening.returned, true);
    assert_int_equal(listening.calls, 1);
    assert_int_equal(listening.n, 2);
    assert_int_equal(listening.events[0].kind, STORE_EVENT_FOOD);
    assert_int_equal(listening.events[1].kind, STORE_EVENT_ORDER);
    assert_int_equal(listening.events[1].id, good.id);
    assert_int_equal(listening.events[1].event_id, 3);
    assert_int_equal(listening.seen, 2);
}

static void test_store__events_after_commit_before_the_answer(void **state)
{
    check_events(*state);
}

static void test_store__events_once_when_run_twice(void **state)
{
    fixture_reopen(*state, (struct store_options){.run_twice = true});
    check_events(*state);
}

/* ---- Reading ---- */

static enum err read_around_a_write(struct tx *tx, void *arg)
{
    struct fixture *f = arg;
    struct sql_rows before, after;
    enum err err;

    err = tx_ask(tx, "SELECT name FROM things", SQL_NO_ARGS, &before);
    if (err)
        return err;
    assert_int_equal(thing_add(f, "b"), ERR_OK);
    assert_int_equal(thing_count(f->store), 2);
    err = tx_ask(tx, "SELECT id FROM things", SQL_NO_ARGS, &after);
    assert_int_equal(before.n, 1);
    assert_int_equal(after.n, 1);
    return err;
}

static void test_store__a_read_is_one_snapshot(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(store_read(f->store, f->arena, read_around_a_write, f), ERR_OK);
    assert_int_equal(thing_count(f->store), 2);
}

static enum err read_and_refuse(struct tx *tx, void *arg)
{
    struct sql_rows rows;
    enum err err = tx_ask(tx, "SELECT 1", SQL_NO_ARGS, &rows);

    (void)arg;
    return err ? err : ERR_PROBLEM;
}

static void *read_often(void *arg)
{
    struct fixture *f = arg;
    struct arena *arena = arena_create();

    for (int i = 0; i < 200; i++) {
        assert_int_equal(thing_count(f->store), 1);
        assert_int_equal(store_read(f->store, arena, read_and_refuse, NULL), ERR_PROBLEM);
        arena_reset(arena);
    }
    arena_destroy(arena);
    return NULL;
}

static void test_store__more_readers_than_connections(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[8];

    fixture_reopen(f, (struct store_options){.readers = 2, .connections = 2});
    assert_int_equal(thing_add(f, "a"), ERR_OK);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, f), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T_AS(name, mode, setup)                                                                    \
    {"test_store__" #name mode, test_store__##name, setup, fixture_teardown, NULL}
#define T(name)                                                                                    \
    T_AS(name, "", fixture_setup), T_AS(name, ", deferred" SQLITE_ONLY, fixture_setup_deferred)
#define SQLITE(name)                                                                               \
    T_AS(name, SQLITE_ONLY, fixture_setup),                                                        \
        T_AS(name, ", deferred" SQLITE_ONLY, fixture_setup_deferred)
        SQLITE(values_roundtrip),
        T(parameters_by_number_not_by_appearance),
        T(many_rows),
        T(statement_cache_grows),
        SQLITE(double_colon_is_a_bug),
        T(post_states_its_count),
        T(stale_once_is_run_again),
        T(late_changes_one_row),
        T(swallowed_failure_still_fails),
        T(refusal_rolls_back),
        T(unique),
        T(constraints),
        T(run_twice),
        SQLITE(one_commit_for_all_that_wait),
        SQLITE(a_refusal_leaves_its_neighbours),
        T(full_queue_refuses),
        T(events_after_commit_before_the_answer),
        T(events_once_when_run_twice),
        T(a_read_is_one_snapshot),
        T(more_readers_than_connections),
#undef SQLITE
#undef T
#undef T_AS
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
