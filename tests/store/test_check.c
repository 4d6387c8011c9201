/* `servery check` beside a busy shop: right about what changes while it runs, and short in each
 * read. The linker wraps store_read, tx_ask and tx_overlap_ms (see meson.build): between two reads
 * something happens, the statements of a read are counted, and ids may be committed in any
 * order. */
#include "pay_fixture.h"

#include "store/check.h"

enum { READS_MAX = 16 };

static struct {
    void (*between)(void); /* before the read that `at` counts */
    int at, reads;
    int asks[READS_MAX]; /* of each read */
    bool counting;
} watch;

enum err __real_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __real_tx_ask(struct tx *tx, const char *sql, struct sql_args args,
                       struct sql_rows *ret_rows);
enum err __wrap_tx_ask(struct tx *tx, const char *sql, struct sql_args args,
                       struct sql_rows *ret_rows);

enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    void (*between)(void) = watch.between;
    if (watch.counting && watch.reads == watch.at && between) {
        watch.counting = false; /* its own reads are not the check's */
        between();
        watch.counting = true;
    }
    enum err err = __real_store_read(store, arena, fn, arg);
    if (watch.counting)
        watch.reads++;
    return err;
}

enum err __wrap_tx_ask(struct tx *tx, const char *sql, struct sql_args args,
                       struct sql_rows *ret_rows)
{
    if (watch.counting && watch.reads < READS_MAX)
        watch.asks[watch.reads]++;
    return __real_tx_ask(tx, sql, args, ret_rows);
}

static int64_t overlap_ms;

int64_t __wrap_tx_overlap_ms(const struct tx *tx);

int64_t __wrap_tx_overlap_ms(const struct tx *tx)
{
    (void)tx;
    return overlap_ms;
}

static void report(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)ctx;
    print_error("breach of %s by %lld: %s\n", rule, (long long)id, detail);
}

static int64_t breaches(struct shop_fixture *s, int at, void (*between)(void))
{
    struct store_check_counts counts;

    watch.between = between;
    watch.at = at;
    watch.reads = 0;
    for (int i = 0; i < READS_MAX; i++)
        watch.asks[i] = 0;
    watch.counting = true;
    enum err err = store_check(s->store, report, NULL, NULL, &counts);
    watch.counting = false;
    assert_int_equal(err, ERR_OK);
    return counts.breaches;
}

static struct {
    struct shop_fixture *s;
    int64_t user, rice, order_id, cooked_id;
} busy;

static void cancel(int64_t order_id)
{
    struct order_set_status change = {
        .order_id = order_id,
        .to = ORDER_CANCELLED,
        .actor = ACTOR_ADMIN,
        .now_ms = SHOP_NOW_MS + 1,
        .problem = &busy.s->problem,
    };
    assert_int_equal(shop_write(busy.s, order_set_status, &change), ERR_OK);
}

/* One order gives its units back, one is cooked and keeps them, one is new, one more is held. */
static void go_on(void)
{
    cancel(busy.order_id);
    cancel(busy.cooked_id);
    pay_order(busy.s, busy.user, busy.rice, 1);
    pay_cart(busy.s, busy.user, busy.rice, 2);
    pay_pending(busy.s, busy.user);
}

static int64_t cooked(struct shop_fixture *s, int64_t user, int64_t rice)
{
    int64_t id = pay_order(s, user, rice, 4);
    for (int to = ORDER_CONFIRMED; to <= ORDER_PREPARING; to++) {
        struct order_set_status change = {
            .order_id = id,
            .to = (enum order_status)to,
            .actor = ACTOR_ADMIN,
            .now_ms = SHOP_NOW_MS,
            .problem = &s->problem,
        };
        assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
    }
    return id;
}

static void test_check__while_orders_come_and_go(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 1000);

    /* At each of its reads in turn; the last time, after all of them. */
    for (int at = 0, reads = 1; at <= reads; at++) {
        busy.s = s;
        busy.user = user;
        busy.rice = rice;
        busy.order_id = pay_order(s, user, rice, 3);
        busy.cooked_id = cooked(s, user, rice);
        assert_int_equal(breaches(s, at, go_on), 0);
        reads = watch.reads;
    }
}

static void test_check__a_wrong_counter(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 1000);
    static const char more[] = "UPDATE foods SET taken = taken + 1 WHERE id = $1";
    static const char less[] = "UPDATE foods SET taken = taken - 1 WHERE id = $1";

    pay_order(s, user, rice, 3);
    shop_sql(s, more, SQL_ARGS(sql_int(rice)));
    assert_int_equal(breaches(s, 0, NULL), 1);
    shop_sql(s, less, SQL_ARGS(sql_int(rice)));
    assert_int_equal(breaches(s, 0, NULL), 0);
}

/* An order for nothing that took one of the food, with an id of its own. */
static void put_order(int64_t id)
{
    static const char orders[] =
        "INSERT INTO orders (id, user_id, status, total, currency, fulfilment, created_at, "
        "updated_at) VALUES ($1, $2, 'pending', 0, 'NGN', 'pickup', $3, $3)";
    static const char items[] = "INSERT INTO order_items (order_id, food_id, name, unit_price, "
                                "quantity, line_total, taken) VALUES ($1, $2, 'Rice', 0, 1, 0, 1)";
    static const char events[] = "INSERT INTO order_events (order_id, to_status, actor, at) "
                                 "VALUES ($1, 'pending', 'customer', $2)";
    static const char take[] = "UPDATE foods SET taken = taken + 1 WHERE id = $1";
    struct shop_fixture *s = busy.s;
    shop_sql(s, orders, SQL_ARGS(sql_int(id), sql_int(busy.user), sql_int(SHOP_NOW_MS)));
    shop_sql(s, items, SQL_ARGS(sql_int(id), sql_int(busy.rice)));
    shop_sql(s, events, SQL_ARGS(sql_int(id), sql_int(SHOP_NOW_MS)));
    shop_sql(s, take, SQL_ARGS(sql_int(busy.rice)));
}

enum { NEWEST = 30000 };

static void commit_below_the_newest(void)
{
    put_order(NEWEST - 1);
    put_order(NEWEST - 9999);
}

/* It was missed, and the counter called wrong. */
static void test_check__an_order_that_commits_below_the_newest(void **state)
{
    struct shop_fixture *s = *state;

    busy.s = s;
    busy.user = shop_user(s, "a@example.com");
    busy.rice = shop_food(s, "Rice", 0, 1000);
    overlap_ms = MINUTE_MS;
    put_order(NEWEST);
    put_order(NEWEST - 10000);
    put_order(NEWEST - 10001);
    assert_int_equal(breaches(s, 0, NULL), 0);
    int before_last = watch.reads - 1;
    assert_int_equal(breaches(s, before_last, commit_below_the_newest), 0);
    assert_int_equal(watch.reads, before_last + 1);
    overlap_ms = 0;
}

/* Its last read ran one statement for each open order. */
static void test_check__reads_no_longer_with_more_open_orders(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 1000);
    int asks[READS_MAX];

    pay_order(s, user, rice, 1);
    assert_int_equal(breaches(s, 0, NULL), 0);
    int reads = watch.reads;
    assert_true(reads <= READS_MAX);
    for (int i = 0; i < reads; i++)
        asks[i] = watch.asks[i];
    for (int i = 0; i < 30; i++)
        pay_order(s, user, rice, 1);
    assert_int_equal(breaches(s, 0, NULL), 0);
    assert_int_equal(watch.reads, reads);
    for (int i = 0; i < reads; i++)
        assert_int_equal(watch.asks[i], asks[i]);
}

static bool at_once(void)
{
    return true;
}

/* A backup that was stopped went on verifying till the end. */
static void test_check__is_cancelled(void **state)
{
    struct shop_fixture *s = *state;
    struct store_check_counts counts;

    shop_food(s, "Rice", 250, 1000);
    watch.between = NULL;
    watch.reads = 0;
    watch.counting = true;
    enum err err = store_check(s->store, report, NULL, at_once, &counts);
    watch.counting = false;
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_int_equal(watch.reads, 1); /* of how many there are */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_check__while_orders_come_and_go),
        PAY_TEST(test_check__a_wrong_counter),
        PAY_TEST(test_check__reads_no_longer_with_more_open_orders),
        PAY_TEST(test_check__an_order_that_commits_below_the_newest),
        PAY_TEST(test_check__is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
