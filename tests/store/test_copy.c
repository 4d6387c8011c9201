/* A shop in another database: the same rows under the same ids, and nothing that is half of it. */
#include "pay_fixture.h"

#include <stdio.h>
#include <string.h>

#include "store/check.h"
#include "store/copy.h"
#include "store/copy_tables.h"

/* A shop to copy, and a database to copy it into. */
struct both {
    struct shop_fixture *s;
    struct fixture to;
    struct copy copy;
};

static void open_target(struct both *b, struct store_options options)
{
    options.database = b->to.database;
    assert_int_equal(store_open(&options, &b->to.store), ERR_OK);
    b->copy = (struct copy){.from = b->s->store, .to = b->to.store};
}

static int set_up(void **state, int (*shop)(void **), struct store_options options)
{
    struct both *b = calloc(1, sizeof *b);
    void *s;

    assert_int_equal(shop(&s), 0);
    b->s = s;
    fixture_dir(&b->to);
    open_target(b, options);
    *state = b;
    return 0;
}

static int setup(void **state)
{
    return set_up(state, shop_setup, (struct store_options){0});
}

static int setup_deferred(void **state)
{
    return set_up(state, shop_setup_deferred,
                  (struct store_options){.run_twice = true, .defer = true});
}

static int teardown(void **state)
{
    struct both *b = *state;
    void *s = b->s;

    shop_teardown(&s);
    fixture_remove(&b->to);
    free(b);
    return 0;
}

static enum copy_target prepare(struct both *b)
{
    enum copy_target target = COPY_TARGET_SHOP;

    assert_int_equal(copy_prepare(b->to.store, &target), ERR_OK);
    return target;
}

static void copy_all(struct both *b)
{
    assert_int_not_equal(prepare(b), COPY_TARGET_SHOP);
    assert_int_equal(copy_rows(&b->copy), ERR_OK);
    assert_int_equal(copy_compare(&b->copy), ERR_OK);
    assert_int_equal(copy_finish(&b->copy), ERR_OK);
}

struct statement {
    const char *sql;
    struct sql_args args;
    struct sql_rows rows;
};

static enum err ask(struct tx *tx, void *arg)
{
    struct statement *statement = arg;

    return tx_ask(tx, statement->sql, statement->args, &statement->rows);
}

/* Bytes as no text has them; $1 of a statement that names it. */
static const struct sql_value BYTES = {SQL_BLOB, 0, {"\x89PNG\0", 5}};
static const struct sql_value OTHERS = {SQL_BLOB, 0, {"\x89PNG\1", 5}};

static struct sql_args args_of(const char *sql)
{
    return (struct sql_args){&BYTES, strstr(sql, "$1") ? 1 : 0};
}

/* In the target: the first column of the first row. */
static int64_t there(struct both *b, const char *sql)
{
    struct statement statement = {.sql = sql, .args = args_of(sql)};

    assert_int_equal(store_write(b->to.store, b->to.arena, ask, &statement), ERR_OK);
    return statement.rows.n > 0 ? sql_get_int(&statement.rows, 0, 0) : 0;
}

static int64_t here(struct both *b, const char *sql)
{
    return shop_sql(b->s, sql, args_of(sql));
}

/* More rows than a page in tables of each kind of key, pages that end with the table, and the
 * values at the ends of each type. */
static void fill(struct both *b)
{
    static const char *const statements[] = {
        "INSERT INTO users (id, email, email_key, search_key, role, password_hash, referral_code, "
        "referrer_id, created_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 30) SELECT i * 7, 'e' || i, 'e' || i, '', 'user', '', 'r' || i, "
        "CASE WHEN i > 1 THEN i * 7 - 7 END, 5 FROM n",
        "INSERT INTO foods (id, name, description, category, price, available, created_at, "
        "updated_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 50) SELECT i, 'Food', '', '', 1000000000000, 1, 9223372036854775807, "
        "-9223372036854775807 FROM n",
        "INSERT INTO cart_items (user_id, food_id, quantity, revision, added_at) "
        "SELECT u.id, f.id, 1, u.id, f.id FROM users u CROSS JOIN foods f",
        "INSERT INTO attempts (id, scope, subject, at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n WHERE i < 2000) SELECT i, '', $1, i FROM n",
        "INSERT INTO idempotency_keys (user_id, path, key, body_hash, created_at) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) "
        "SELECT 7, '/api/Orders', CASE WHEN i % 2 = 0 THEN 'k' ELSE 'K' END || i, $1, 1 FROM n",
        "INSERT INTO images (hash, type, width, height, created_at, bytes) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
        "SELECT 'ab' || i, 'image/png', 1, 4096, 1, $1 FROM n",
        "UPDATE shop SET name = 'Mama''s', secret_print = $1, currency = 'GHS'",
    };

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        here(b, statements[i]);
}

static void test_copy__everything(void **state)
{
    struct both *b = *state;

    fill(b);
    assert_int_equal(prepare(b), COPY_TARGET_EMPTY);
    copy_all(b);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM users WHERE id % 7 = 0 AND phone IS NULL"), 30);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM users u JOIN users r ON r.id = u.referrer_id"),
                     29);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM cart_items WHERE revision = user_id"), 1500);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM attempts WHERE subject = $1 AND at = id"),
                     2000);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM idempotency_keys WHERE body_hash = $1"), 250);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM images WHERE bytes = $1"), 20);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM foods WHERE created_at = 9223372036854775807 "
                              "AND updated_at = -9223372036854775807"),
                     50);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM shop WHERE name = 'Mama''s' AND "
                              "currency = 'GHS' AND secret_print = $1"),
                     1);
    assert_int_equal(store_ready(b->to.store), ERR_OK);
    assert_int_equal(prepare(b), COPY_TARGET_SHOP);
}

static void test_copy__counts(void **state)
{
    struct both *b = *state;

    fill(b);
    copy_all(b);
    for (size_t i = 0; i < COPY_TABLES_N; i++) {
        assert_string_equal(b->copy.counts[i].table, copy_tables[i].name);
        assert_int_equal(b->copy.counts[i].rows, b->copy.counts[i].expected);
        assert_int_equal(b->copy.counts[i].rows, there(b, copy_tables[i].count));
    }
    assert_int_equal(b->copy.counts[0].rows, 30);
    assert_int_equal(b->copy.counts[0].last_id, 210);
}

static void test_copy__of_orders_passes_the_check(void **state)
{
    struct both *b = *state;
    int64_t user = shop_user(b->s, "a@example.com"), rice = shop_food(b->s, "Rice", 250, 100);
    struct store_check_counts counts;

    pay_order(b->s, user, rice, 2);
    pay_cart(b->s, user, rice, 3);
    pay_pending(b->s, user);
    copy_all(b);
    assert_int_equal(store_check(b->to.store, NULL, NULL, NULL, &counts), ERR_OK);
    assert_int_equal(counts.breaches, 0);
    assert_int_equal(counts.orders, 1);
    assert_int_equal(counts.payments, 2);
    assert_int_equal(there(b, "SELECT taken FROM foods"), 5);
}

/* A migration that adds a table or a column has to add it to the copy, too. */
static void test_copy__knows_the_whole_schema(void **state)
{
    static const char tables[] =
        "SELECT CASE WHEN name = $1 THEN 1 ELSE 0 END FROM sqlite_schema WHERE type = 'table' AND "
        "name NOT LIKE 'sqlite_%' AND name NOT LIKE 'schema_%' ORDER BY 1 DESC LIMIT 1";
    static const char n_tables[] = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND "
                                   "name NOT LIKE 'sqlite_%' AND name NOT LIKE 'schema_%'";
    static const char n_columns[] = "SELECT COUNT(*) FROM pragma_table_info($1)";
    static const char missing[] =
        "SELECT COUNT(*) FROM pragma_table_info($1) WHERE instr(', ' || $2 || ',', "
        "', ' || name || ',') = 0";
    static const char keys[] =
        "SELECT CASE WHEN group_concat(name, ', ') || ', ' = substr($2, 1, "
        "length(group_concat(name, ', ')) + 2) THEN COUNT(*) ELSE -1 END "
        "FROM (SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk)";
    static const char type[] =
        "SELECT CASE type WHEN 'TEXT' THEN 116 ELSE 105 END FROM pragma_table_info($1) "
        "WHERE pk = $2";
    struct both *b = *state;

    assert_int_equal(here(b, n_tables), COPY_TABLES_N);
    for (size_t i = 0; i < COPY_TABLES_N; i++) {
        const struct copy_table *table = &copy_tables[i];
        struct sql_value name = sql_text(str_from(table->name));
        struct sql_value columns = sql_text(str_from(table->columns));
        int64_t n = 1;

        for (const char *p = table->columns; *p; p++)
            n += *p == ',';
        assert_int_equal(shop_sql(b->s, tables, SQL_ARGS(name)), 1);
        assert_int_equal(shop_sql(b->s, missing, SQL_ARGS(name, columns)), 0);
        assert_int_equal(shop_sql(b->s, n_columns, SQL_ARGS(name)), n);
        assert_int_equal(shop_sql(b->s, keys, SQL_ARGS(name, columns)), strlen(table->keys));
        for (int64_t k = 0; table->keys[k]; k++)
            assert_int_equal(shop_sql(b->s, type, SQL_ARGS(name, sql_int(k + 1))), table->keys[k]);
        assert_non_null(strstr(table->page, table->columns));
        assert_non_null(strstr(table->add, table->columns));
    }
}

/* ---- Ids ---- */

static const char new_session[] =
    "INSERT INTO sessions (token_hash, user_id, created_at, used_at, expires_at) "
    "SELECT $1, min(id), 1, 1, 1 FROM users RETURNING id";
static const char new_user[] =
    "INSERT INTO users (email, email_key, search_key, role, password_hash, referral_code, "
    "created_at) VALUES ('z', 'z', 'z', 'user', '', 'z', 1) RETURNING id";

static void test_copy__ids_go_on(void **state)
{
    struct both *b = *state;

    int64_t last = 0;

    fill(b);
    for (char token = 'a'; token <= 'e'; token++)
        last = shop_sql(b->s, new_session, SQL_ARGS(sql_blob((struct str){&token, 1})));
    shop_sql(b->s, "DELETE FROM sessions WHERE id >= $1", SQL_ARGS(sql_int(last - 1)));
    copy_all(b);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM sessions"), 3);
    assert_int_equal(there(b, new_session), last + 1);
    assert_int_equal(there(b, new_user), 211);
}

/* All sessions had ended, and the first one in the new database had the id of one that had been. */
static void test_copy__ids_of_no_row_go_on(void **state)
{
    struct both *b = *state;

    fill(b);
    int64_t last = here(b, new_session);
    here(b, "DELETE FROM sessions");
    copy_all(b);
    assert_true(there(b, new_session) > last);
}

/* ---- Half copies ---- */

static int pages_left;

static bool is_enough(void)
{
    return pages_left-- <= 0;
}

static void assert_half(struct both *b)
{
    int64_t version;
    int applied;

    assert_int_equal(store_migrate(b->to.store, &applied), ERR_INTERNAL);
    assert_int_equal(store_ready(b->to.store), ERR_INTERNAL);
    assert_int_equal(store_version(b->to.store, &version), ERR_INTERNAL);
    assert_int_equal(prepare(b), COPY_TARGET_HALF);
}

static void test_copy__anew_from_wherever_it_ended(void **state)
{
    struct both *b = *state;
    bool done = false;

    fill(b);
    assert_int_equal(prepare(b), COPY_TARGET_EMPTY);
    b->copy.is_cancelled = is_enough;
    for (int pages = 0; !done; pages += 5) {
        pages_left = pages;
        enum err err = copy_rows(&b->copy);

        done = err == ERR_OK;
        if (!done)
            assert_int_equal(err, ERR_UNAVAILABLE);
        assert_half(b);
        assert_true(pages < 1000);
    }
    b->copy.is_cancelled = NULL;
    assert_int_equal(copy_compare(&b->copy), ERR_OK);
    assert_half(b);
    assert_int_equal(copy_finish(&b->copy), ERR_OK);
    assert_int_equal(store_ready(b->to.store), ERR_OK);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM attempts"), 2000);
}

static void test_copy__anew_of_another_shop(void **state)
{
    struct both *b = *state;

    fill(b);
    assert_int_equal(prepare(b), COPY_TARGET_EMPTY);
    assert_int_equal(copy_rows(&b->copy), ERR_OK);
    here(b, "DELETE FROM cart_items");
    here(b, "DELETE FROM idempotency_keys");
    here(b, "DELETE FROM users WHERE id > 7");
    copy_all(b);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM users"), 1);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM cart_items"), 0);
}

static void test_copy__never_over_a_shop(void **state)
{
    struct both *b = *state;

    assert_int_equal(prepare(b), COPY_TARGET_EMPTY);
    there(b, "INSERT INTO attempts (scope, subject, at) VALUES ('a', $1, 1)");
    assert_int_equal(prepare(b), COPY_TARGET_SHOP);
    assert_int_equal(copy_rows(&b->copy), ERR_PROBLEM);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM attempts"), 1);
    assert_int_equal(there(b, "SELECT COUNT(*) FROM shop"), 1);
    there(b, "DELETE FROM attempts");
    there(b, new_user);
    assert_int_equal(prepare(b), COPY_TARGET_SHOP);
}

/* ---- What does not match ---- */

static void test_copy__compares_every_value(void **state)
{
    static const char *const changes[][2] = {
        {"users", "UPDATE users SET referrer_id = NULL WHERE id = 210"},
        {"attempts", "UPDATE attempts SET scope = '0' WHERE id = 1000"},
        {"attempts", "DELETE FROM attempts WHERE id = 2000"},
        {"attempts", "INSERT INTO attempts (id, scope, subject, at) VALUES (2001, '', $1, 1)"},
        {"attempts", "UPDATE attempts SET at = at + 1 WHERE id = 7"},
        {"cart_items", "UPDATE cart_items SET quantity = 2 WHERE user_id = 210 AND food_id = 50"},
        {"idempotency_keys", "UPDATE idempotency_keys SET key = 'L1' WHERE key = 'K1'"},
        {"idempotency_keys", "UPDATE idempotency_keys SET body = '' WHERE key = 'k2'"},
    };
    struct both *b = *state;

    fill(b);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        prepare(b);
        assert_int_equal(copy_rows(&b->copy), ERR_OK);
        there(b, changes[i][1]);
        b->copy.differs = NULL;
        assert_int_equal(copy_compare(&b->copy), ERR_PROBLEM);
        assert_string_equal(b->copy.differs, changes[i][0]);
        assert_half(b);
    }
}

static enum err change_bytes(struct tx *tx, void *arg)
{
    static const char sql[] = "UPDATE images SET bytes = $1 WHERE hash = 'ab9'";

    (void)arg;
    return tx_post(tx, 1, sql, SQL_ARGS(OTHERS));
}

static void test_copy__compares_bytes(void **state)
{
    struct both *b = *state;

    fill(b);
    prepare(b);
    assert_int_equal(copy_rows(&b->copy), ERR_OK);
    assert_int_equal(store_write(b->to.store, b->to.arena, change_bytes, NULL), ERR_OK);
    assert_int_equal(copy_compare(&b->copy), ERR_PROBLEM);
    assert_string_equal(b->copy.differs, "images");
}

static struct both *written;

static bool write_to_source(void)
{
    struct both *b = written;

    written = NULL;
    if (b)
        here(b, new_user);
    return false;
}

static void test_copy__of_what_changes_is_none(void **state)
{
    struct both *b = *state;

    fill(b);
    prepare(b);
    written = b;
    b->copy.is_cancelled = write_to_source;
    assert_int_equal(copy_rows(&b->copy), ERR_PROBLEM);
    assert_string_equal(b->copy.differs, "users");
    assert_half(b);
}

static void test_copy__of_a_shop_that_was_renamed_meanwhile_is_none(void **state)
{
    struct both *b = *state;

    prepare(b);
    assert_int_equal(copy_rows(&b->copy), ERR_OK);
    here(b, "UPDATE shop SET name = 'Another'");
    assert_int_equal(copy_finish(&b->copy), ERR_PROBLEM);
    assert_string_equal(b->copy.differs, "shop");
    assert_half(b);
}

/* ---- Progress ---- */

static void note_progress(void *ctx, const struct copy_progress *progress)
{
    struct copy_progress *last = ctx;

    assert_true(progress->rows >= last->rows && progress->rows <= progress->expected);
    assert_true(progress->table_rows <= progress->table_expected);
    *last = *progress;
}

static void test_copy__tells_how_far_it_is(void **state)
{
    struct both *b = *state;
    struct copy_progress last = {0};

    fill(b);
    prepare(b);
    b->copy.tell = note_progress;
    b->copy.ctx = &last;
    assert_int_equal(copy_rows(&b->copy), ERR_OK);
    assert_int_equal(last.rows, last.expected);
    assert_int_equal(last.rows, 30 + 50 + 1500 + 2000 + 250 + 20 + 1);
    assert_string_equal(last.doing, "copying");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_copy__##name, setup, teardown)
        T(everything),
        T(counts),
        T(of_orders_passes_the_check),
        T(ids_go_on),
        T(ids_of_no_row_go_on),
        T(anew_from_wherever_it_ended),
        T(anew_of_another_shop),
        T(never_over_a_shop),
        T(compares_every_value),
        T(compares_bytes),
        T(of_what_changes_is_none),
        T(of_a_shop_that_was_renamed_meanwhile_is_none),
        T(tells_how_far_it_is),
#undef T
        {"knows the whole schema" SQLITE_ONLY, test_copy__knows_the_whole_schema, setup, teardown,
         NULL},
        {"everything, run twice and deferred", test_copy__everything, setup_deferred, teardown,
         NULL},
        {"anew, run twice and deferred", test_copy__anew_of_another_shop, setup_deferred, teardown,
         NULL},
        {"ids, run twice and deferred", test_copy__ids_of_no_row_go_on, setup_deferred, teardown,
         NULL},
    };

    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
