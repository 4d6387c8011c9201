/* Migrations: the built-in ones on a new database, upgrades, and what is refused. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int setup(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    struct store_options options;

    fixture_dir(f);
    options = (struct store_options){.database = f->database};
    assert_int_equal(store_open(&options, &f->store), ERR_OK);
    *state = f;
    return 0;
}

struct number {
    const char *sql;
    int64_t value;
};

static enum err ask_number(struct tx *tx, void *arg)
{
    struct number *number = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, number->sql, SQL_NO_ARGS, &rows);

    if (err == ERR_OK)
        number->value = sql_get_int(&rows, 0, 0);
    return err;
}

static int64_t number(struct fixture *f, const char *sql)
{
    struct number n = {sql, -1};

    assert_int_equal(store_read(f->store, f->arena, ask_number, &n), ERR_OK);
    return n.value;
}

static enum err run_sql(struct tx *tx, void *arg)
{
    return tx_post(tx, SQL_ANY_COUNT, arg, SQL_NO_ARGS);
}

static const char count_migrations[] = "SELECT count(*) FROM schema_migrations";

static const char *on(const char *sqlite, const char *postgresql)
{
    return database_on_postgresql() ? postgresql : sqlite;
}

static int64_t count_tables(struct fixture *f)
{
    return number(
        f,
        on("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
           "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
}

static void test_migrate__fresh_then_again(void **state)
{
    static const char loose[] =
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND strict = 0 AND name NOT LIKE 'sqlite_%'";
    static const char dated[] =
        "SELECT count(*) FROM schema_migrations WHERE applied_at > 1700000000000 AND name = 'shop'";
    struct fixture *f = *state;
    int applied = -1;

    assert_int_equal(store_ready(f->store), ERR_UNAVAILABLE);
    assert_int_equal(store_migrate(f->store, &applied), ERR_OK);
    assert_int_equal(applied, store_n_migrations);
    assert_int_equal(store_ready(f->store), ERR_OK);
    assert_int_equal(number(f, count_migrations), store_n_migrations);
    assert_int_equal(number(f, dated), 1);
    assert_true(count_tables(f) > 10);
    if (!database_on_postgresql())
        assert_int_equal(number(f, loose), 0);

    assert_int_equal(store_migrate(f->store, &applied), ERR_OK);
    assert_int_equal(applied, 0);
    assert_int_equal(number(f, count_migrations), store_n_migrations);
}

static void test_migrate__fresh_run_twice(void **state)
{
    struct fixture *f = *state;
    struct store_options options = {.database = f->database, .run_twice = true};
    int applied;

    store_close(f->store);
    f->store = NULL;
    assert_int_equal(store_open(&options, &f->store), ERR_OK);
    assert_int_equal(store_migrate(f->store, &applied), ERR_OK);
    assert_int_equal(applied, store_n_migrations);
    assert_int_equal(store_ready(f->store), ERR_OK);
}

static void test_migrate__newer_is_refused(void **state)
{
    static char newer[] =
        "INSERT INTO schema_migrations (version, name, applied_at) VALUES (999, 'later', 1)";
    struct fixture *f = *state;
    int applied = -1;

    assert_int_equal(store_migrate(f->store, &applied), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, run_sql, newer), ERR_OK);
    applied = -1;
    assert_int_equal(store_migrate(f->store, &applied), ERR_INTERNAL);
    assert_int_equal(applied, -1);
    assert_int_equal(store_ready(f->store), ERR_UNAVAILABLE);
}

static const struct migration steps[] = {
    {1, "one",
     "CREATE TABLE one (id $ID$, data $BLOB$) $STRICT$;\n"
     "CREATE INDEX one_data ON one (data);\n"
     "INSERT INTO one (id) VALUES (7);\n"},
    {2, "two", "ALTER TABLE one ADD COLUMN size BIGINT NOT NULL DEFAULT 3; -- $ID$ in a comment\n"},
    {3, "wrong", "CREATE TABLE three (id $ID$) $STRICT$;\nINSERT INTO nowhere VALUES (1);\n"},
};

static void test_migrate__upgrade(void **state)
{
    struct fixture *f = *state;
    int applied;

    assert_int_equal(migrate_apply(f->store, steps, 1, &applied), ERR_OK);
    assert_int_equal(applied, 1);
    assert_int_equal(migrate_check(f->store, 2), ERR_UNAVAILABLE);
    assert_int_equal(number(f, on("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'",
                                  "SELECT count(*) FROM pg_stats WHERE tablename = 'one'")),
                     0);
    assert_int_equal(migrate_apply(f->store, steps, 2, &applied), ERR_OK);
    assert_int_equal(applied, 1);
    assert_int_equal(migrate_check(f->store, 2), ERR_OK);
    assert_int_equal(number(f, "SELECT size FROM one WHERE id = 7"), 3);
    /* Existing rows were counted for the planner. */
    assert_int_equal(number(f, on("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'one'",
                                  "SELECT CAST(reltuples AS BIGINT) FROM pg_class "
                                  "WHERE relname = 'one'")),
                     1);
}

static enum err insert_payments(struct tx *tx, void *arg)
{
    static const char sql[] =
        "INSERT INTO payments (id, user_id, status, amount, currency, provider, remote, nonce, "
        "fulfilment, held, needs_attention, refund_due, expires_at, created_at, updated_at) VALUES "
        "(1, 1, 'cancelled', 5, 'NGN', 'test', 0, $1, 'pickup', 0, 'paid_after_cancel', 0, 1, "
        "1, 7), "
        "(2, 1, 'paid', 5, 'NGN', 'test', 0, $1, 'pickup', 0, NULL, 1, 1, 1, 8), "
        "(3, 1, 'paid', 5, 'NGN', 'test', 0, $1, 'pickup', 0, NULL, 0, 1, 1, 9)";

    (void)arg;
    return tx_post(tx, 3, sql, SQL_ARGS(sql_blob(STR("nonce"))));
}

/* What was flagged before payments had a history gets one. */
static void test_migrate__flags_become_events(void **state)
{
    static char user[] =
        "INSERT INTO users (id, email, email_key, search_key, role, password_hash, referral_code, "
        "created_at) VALUES (1, 'a', 'a', 'a', 'user', '', 'a', 1)";
    struct fixture *f = *state;
    int applied;

    assert_int_equal(migrate_apply(f->store, store_migrations, 1, &applied), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, run_sql, user), ERR_OK);
    assert_int_equal(store_write(f->store, f->arena, insert_payments, NULL), ERR_OK);
    assert_int_equal(store_migrate(f->store, &applied), ERR_OK);
    assert_int_equal(number(f, "SELECT count(*) FROM payment_events"), 2);
    assert_int_equal(number(f, "SELECT at FROM payment_events WHERE payment_id = 1 "
                               "AND what = 'flagged' AND reason = 'paid_after_cancel'"),
                     7);
    assert_int_equal(number(f, "SELECT at FROM payment_events WHERE payment_id = 2 "
                               "AND what = 'refund_due' AND refund_due = 1"),
                     8);
}

static void test_migrate__a_failing_one_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int applied = -1;

    assert_int_equal(migrate_apply(f->store, steps, 3, &applied), ERR_INTERNAL);
    assert_int_equal(applied, -1);
    assert_int_equal(migrate_check(f->store, 2), ERR_OK);
    assert_int_equal(count_tables(f), 2); /* one, and the list of migrations */
}

/* Two processes may start at once. */
struct starting {
    struct fixture *f;
    enum err err;
    int applied;
};

static void *open_and_migrate(void *arg)
{
    struct starting *starting = arg;
    struct store_options options = {.database = starting->f->database};
    struct store *store;

    starting->err = store_open(&options, &store);
    if (starting->err)
        return NULL;
    starting->err = store_migrate(store, &starting->applied);
    store_close(store);
    return NULL;
}

static void test_migrate__two_at_once(void **state)
{
    struct fixture *f = *state;
    struct starting starting[2] = {{.f = f}, {.f = f}};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_migrate, &starting[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(starting[i].err, ERR_OK);
    }
    assert_int_equal(starting[0].applied + starting[1].applied, store_n_migrations);
    assert_int_equal(store_ready(f->store), ERR_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_migrate__##name, setup, fixture_teardown)
        T(fresh_then_again), T(fresh_run_twice),     T(newer_is_refused),
        T(upgrade),          T(flags_become_events), T(a_failing_one_leaves_nothing),
        T(two_at_once),
#undef T
    };

    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
