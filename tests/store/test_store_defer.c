/* What store.h promises of posts and lates, where they really wait: a transaction reads its own
 * writes, the order is fixed, and nothing that does not fit is kept. */
#include "fixture.h"

#include <string.h>

static const char insert_sql[] = "INSERT INTO things (name) VALUES ($1)";
static const char add_sql[] = "UPDATE things SET amount = COALESCE(amount, 0) + $2 WHERE name = $1";
static const char amount_sql[] = "SELECT COALESCE(amount, 0) FROM things WHERE name = $1";

/* With each mode of the store. */
static void in_both_modes(struct fixture *f, void (*check)(struct fixture *f))
{
    check(f);
    fixture_reopen(f, (struct store_options){.defer = true});
    check(f);
    fixture_reopen(f, (struct store_options){.defer = true, .run_twice = true});
    check(f);
}

static enum err post_insert(struct tx *tx, const char *name)
{
    return tx_post(tx, 1, insert_sql, SQL_ARGS(sql_text(str_from(name))));
}

static enum err late_insert(struct tx *tx, int64_t key, const char *name)
{
    return tx_late(tx, key, insert_sql, SQL_ARGS(sql_text(str_from(name))));
}

/* ---- When ---- */

struct wrong {
    enum err post, ask;
    int runs;
};

static enum err post_wrong_once(struct tx *tx, void *arg)
{
    struct wrong *wrong = arg;
    struct sql_args args = SQL_ARGS(sql_text(STR("a")), sql_int(1));
    struct sql_rows rows;

    if (wrong->runs++ > 0)
        return tx_post(tx, 1, add_sql, args);
    wrong->post = tx_post(tx, 2, add_sql, args);
    wrong->ask = tx_ask(tx, amount_sql, SQL_ARGS(sql_text(STR("a"))), &rows);
    return wrong->ask;
}

static void test_defer__a_post_fails_at_the_next_ask(void **state)
{
    struct fixture *f = *state;
    struct wrong wrong = {ERR_INTERNAL, ERR_OK, 0};

    assert_int_equal(thing_add(f, "a"), ERR_OK);
    fixture_reopen(f, (struct store_options){.defer = true});
    assert_int_equal(store_write(f->store, f->arena, post_wrong_once, &wrong), ERR_OK);
    assert_int_equal(wrong.post, ERR_OK);
    assert_int_equal(wrong.ask, ERR_STALE);
    assert_int_equal(wrong.runs, 2);
}

static enum err late_wrong(struct tx *tx, void *arg)
{
    enum err err = post_insert(tx, "kept");

    (void)arg;
    if (!err)
        err = tx_late(tx, 1, add_sql, SQL_ARGS(sql_text(STR("nobody")), sql_int(1)));
    return err;
}

static void check_late_wrong(struct fixture *f)
{
    assert_int_equal(store_write(f->store, f->arena, late_wrong, NULL), fixture_always_stale());
    assert_int_equal(thing_count(f->store), 0);
}

static void test_defer__a_late_that_fits_nothing_fails_the_commit(void **state)
{
    in_both_modes(*state, check_late_wrong);
}

static enum err post_wrong_and_refuse(struct tx *tx, void *arg)
{
    bool *deferred = arg;
    enum err err = tx_post(tx, 2, insert_sql, SQL_ARGS(sql_text(STR("a"))));

    *deferred = err == ERR_OK;
    return ERR_PROBLEM;
}

static void test_defer__a_refusal_drops_what_waits(void **state)
{
    struct fixture *f = *state;
    bool deferred;

    fixture_reopen(f, (struct store_options){.defer = true});
    assert_int_equal(store_write(f->store, f->arena, post_wrong_and_refuse, &deferred),
                     ERR_PROBLEM);
    assert_true(deferred);
    assert_int_equal(thing_count(f->store), 0);
}

/* ---- Reading its own writes ---- */

static enum err write_and_read(struct tx *tx, void *arg)
{
    int64_t *amounts = arg;
    struct sql_args one = SQL_ARGS(sql_text(STR("mine")), sql_int(1));
    struct sql_args ten = SQL_ARGS(sql_text(STR("mine")), sql_int(10));
    struct sql_rows rows;
    enum err err = post_insert(tx, "mine");

    for (int i = 0; i < 2 && !err; i++) {
        err = tx_late(tx, 1, add_sql, one);
        if (!err)
            err = tx_post(tx, 1, add_sql, ten);
        if (!err)
            err = tx_ask(tx, amount_sql, SQL_ARGS(sql_text(STR("mine"))), &rows);
        if (!err)
            amounts[i] = sql_get_int(&rows, 0, 0);
    }
    return err ? err : tx_post(tx, 1, "DELETE FROM things WHERE amount = 22", SQL_NO_ARGS);
}

static void check_own_writes(struct fixture *f)
{
    int64_t amounts[2] = {-1, -1};

    assert_int_equal(store_write(f->store, f->arena, write_and_read, amounts), ERR_OK);
    assert_int_equal(amounts[0], 11);
    assert_int_equal(amounts[1], 22);
    assert_int_equal(thing_count(f->store), 0);
}

static void test_defer__an_ask_sees_what_was_posted_and_is_late(void **state)
{
    in_both_modes(*state, check_own_writes);
}

/* ---- The order ---- */

static enum err insert_in_disorder(struct tx *tx, void *arg)
{
    struct sql_rows rows;
    enum err err = late_insert(tx, 30, "l");

    (void)arg;
    if (!err)
        err = late_insert(tx, -5, "e");
    if (!err)
        err = post_insert(tx, "a");
    if (!err)
        err = late_insert(tx, 7, "f");
    if (!err)
        err = post_insert(tx, "b");
    if (!err)
        err = late_insert(tx, 7, "g");
    if (!err)
        err = late_insert(tx, 30, "m");
    if (!err)
        err = late_insert(tx, 7, "h");
    if (!err)
        err = tx_ask(tx, "SELECT 1", SQL_NO_ARGS, &rows);
    if (!err)
        err = late_insert(tx, 1, "z");
    return err ? err : post_insert(tx, "y");
}

static enum err read_order(struct tx *tx, void *arg)
{
    char *names = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, "SELECT name FROM things ORDER BY id", SQL_NO_ARGS, &rows);

    if (err)
        return err;
    for (size_t i = 0; i < rows.n; i++)
        names[i] = sql_get_str(&rows, i, 0).ptr[0];
    return ERR_OK;
}

static void test_defer__posts_in_their_order_then_lates_by_key(void **state)
{
    struct fixture *f = *state;
    char names[16] = "";

    fixture_reopen(f, (struct store_options){.defer = true});
    assert_int_equal(store_write(f->store, f->arena, insert_in_disorder, NULL), ERR_OK);
    assert_int_equal(store_read(f->store, f->arena, read_order, names), ERR_OK);
    assert_string_equal(names, "abefghlmyz");
}

/* ---- Arguments ---- */

static enum err post_from_the_stack(struct tx *tx, void *arg)
{
    char name[] = "first";
    struct sql_value value = sql_text((struct str){name, 5});
    enum err err = tx_post(tx, 1, insert_sql, (struct sql_args){&value, 1});

    (void)arg;
    memcpy(name, "other", 5);
    value = sql_null();
    return err;
}

static void test_defer__arguments_are_copied(void **state)
{
    struct fixture *f = *state;

    fixture_reopen(f, (struct store_options){.defer = true});
    assert_int_equal(store_write(f->store, f->arena, post_from_the_stack, NULL), ERR_OK);
    assert_true(thing_exists(f->store, "first"));
}

/* ---- A unique row that is there already ---- */

struct unique {
    bool never_asks;
    int runs;
};

/* As if another server had inserted the row between the check and the post. */
static enum err post_what_is_there(struct tx *tx, void *arg)
{
    static const char find[] = "SELECT id FROM things WHERE name = $1";
    struct unique *unique = arg;
    struct sql_rows rows;

    if (unique->runs++ > 0 && !unique->never_asks) {
        enum err err = tx_ask(tx, find, SQL_ARGS(sql_text(STR("a"))), &rows);
        if (err || rows.n > 0)
            return err ? err : ERR_PROBLEM;
    }
    return post_insert(tx, "a");
}

static void check_unique(struct fixture *f)
{
    struct unique asks = {0}, never_asks = {.never_asks = true};

    if (!thing_exists(f->store, "a"))
        assert_int_equal(thing_add(f, "a"), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, post_what_is_there, &asks), ERR_PROBLEM);
    assert_int_equal(asks.runs, 2);
    assert_int_equal(store_write(f->store, f->arena, post_what_is_there, &never_asks),
                     fixture_always_stale());
    assert_int_equal(never_asks.runs, fixture_runs_max());
    assert_int_equal(thing_count(f->store), 1);
}

static void test_defer__a_posted_unique_row_is_run_again(void **state)
{
    struct fixture *f = *state;

    check_unique(f);
    fixture_reopen(f, (struct store_options){.defer = true});
    check_unique(f);
}

/* ---- Asked ahead ---- */

struct ahead {
    int64_t before, between, settled;
    size_t n_before; /* rows that were there before the next ask */
};

static enum err ask_ahead(struct tx *tx, void *arg)
{
    struct ahead *ahead = arg;
    struct sql_args a = SQL_ARGS(sql_text(STR("a")));
    struct sql_rows first, second, third;

    enum err err = post_insert(tx, "a");
    if (!err)
        err = tx_post(tx, 1, add_sql, SQL_ARGS(sql_text(STR("a")), sql_int(5)));
    if (!err)
        err = tx_ask_ahead(tx, amount_sql, a, &first);
    ahead->n_before = first.n;
    if (!err)
        err = tx_post(tx, 1, add_sql, SQL_ARGS(sql_text(STR("a")), sql_int(7)));
    if (!err)
        err = tx_ask(tx, amount_sql, a, &second);
    if (err)
        return err;
    ahead->before = sql_get_int(&first, 0, 0);
    ahead->between = sql_get_int(&second, 0, 0);
    err = tx_post(tx, 1, add_sql, SQL_ARGS(sql_text(STR("a")), sql_int(8)));
    if (!err)
        err = tx_ask_ahead(tx, amount_sql, a, &third);
    if (!err)
        err = tx_settle(tx);
    if (!err)
        ahead->settled = sql_get_int(&third, 0, 0);
    return err ? err : tx_settle(tx); /* nothing is left to answer */
}

static void check_ask_ahead(struct fixture *f)
{
    struct ahead ahead = {0};
    assert_int_equal(store_write(f->store, f->arena, ask_ahead, &ahead), ERR_OK);
    assert_int_equal(ahead.before, 5);
    assert_int_equal(ahead.between, 12);
    assert_int_equal(ahead.settled, 20);
}

static void test_defer__what_is_asked_ahead_is_answered_in_its_place(void **state)
{
    check_ask_ahead(*state);
}

static void test_defer__what_is_asked_ahead_waits_for_the_next(void **state)
{
    struct fixture *f = *state;
    struct ahead ahead = {.n_before = 9};

    fixture_reopen(f, (struct store_options){.defer = true, .run_twice = true});
    check_ask_ahead(f);
    fixture_reopen(f, (struct store_options){.defer = true});
    assert_int_equal(store_write(f->store, f->arena, ask_ahead, &ahead),
                     fixture_always_stale()); /* twice "a" */
    assert_int_equal(ahead.n_before, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_defer__##name, fixture_setup, fixture_teardown)
        T(a_post_fails_at_the_next_ask),
        T(a_late_that_fits_nothing_fails_the_commit),
        T(a_refusal_drops_what_waits),
        T(an_ask_sees_what_was_posted_and_is_late),
        T(posts_in_their_order_then_lates_by_key),
        T(arguments_are_copied),
        T(a_posted_unique_row_is_run_again),
        T(what_is_asked_ahead_is_answered_in_its_place),
        T(what_is_asked_ahead_waits_for_the_next),
#undef T
    };

    return cmocka_run_group_tests_name("defer", tests, NULL, NULL);
}
