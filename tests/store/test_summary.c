/* What was sold, day by day: what counts, whole days and pieces of a day. */
#include "pay_fixture.h"

#include "store/summary.h"

static void set_made(struct shop_fixture *s, int64_t order_id, int64_t at_ms)
{
    static const char sql[] = "UPDATE orders SET created_at = $2 WHERE id = $1";
    shop_sql(s, sql, SQL_ARGS(sql_int(order_id), sql_int(at_ms)));
}

static void cancel(struct shop_fixture *s, int64_t order_id)
{
    struct order_set_status change = {.order_id = order_id,
                                      .to = ORDER_CANCELLED,
                                      .actor = ACTOR_ADMIN,
                                      .now_ms = SHOP_NOW_MS,
                                      .problem = &s->problem};
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
}

static struct summary summary_of(struct shop_fixture *s, struct summary_day *days, size_t n)
{
    struct summary summary = {.days = days, .n_days = n};
    assert_int_equal(summary_read(s->store, s->arena, &summary), ERR_OK);
    return summary;
}

static void assert_day(const struct summary_day *day, int64_t orders, int64_t cancelled,
                       int64_t revenue)
{
    assert_int_equal(day->orders, orders);
    assert_int_equal(day->cancelled, cancelled);
    assert_int_equal(day->revenue, revenue);
}

static void test_summary__empty(void **state)
{
    struct shop_fixture *s = *state;
    struct summary_day days[2] = {{.from_ms = 0, .to_ms = DAY_MS},
                                  {.from_ms = DAY_MS, .to_ms = DAY_MS}};
    struct summary summary = summary_of(s, days, 2);
    assert_day(&days[0], 0, 0, 0);
    assert_day(&days[1], 0, 0, 0); /* a day that a zone has left out */
    assert_int_equal(summary.n_foods, 0);
    assert_int_equal(summary.needs_attention + summary.refund_due, 0);
}

static void test_summary__counts(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 99), tea = shop_food(s, "Tea", 100, -1);
    int64_t t = SHOP_NOW_MS;
    struct summary_day days[2] = {{.from_ms = t, .to_ms = t + DAY_MS},
                                  {.from_ms = t + DAY_MS, .to_ms = t + 2 * DAY_MS}};

    /* Its first moment is the day's, its end is the next one's. */
    set_made(s, pay_order(s, user, rice, 2), t);
    set_made(s, pay_order(s, user, tea, 3), t + DAY_MS - 1);
    set_made(s, pay_order(s, user, rice, 1), t + DAY_MS);
    int64_t undone = pay_order(s, user, rice, 90);
    set_made(s, undone, t + DAY_MS + 5);
    cancel(s, undone);
    set_made(s, pay_order(s, user, tea, 50), t - 1);
    set_made(s, pay_order(s, user, tea, 50), t + 2 * DAY_MS);
    pay_cart(s, user, tea, 9);
    pay_pending(s, user); /* nobody has paid it */

    struct summary summary = summary_of(s, days, 2);
    assert_day(&days[0], 2, 0, 800);
    assert_day(&days[1], 2, 1, 250);
    assert_int_equal(summary.by_status[ORDER_PENDING], 3);
    assert_int_equal(summary.by_status[ORDER_CANCELLED], 1);
    assert_int_equal(summary.n_foods, 2);
    /* As many units: more money comes first. */
    assert_int_equal(summary.foods[0].food_id, rice);
    assert_int_equal(summary.foods[0].quantity, 3);
    assert_int_equal(summary.foods[0].revenue, 750);
    assert_true(str_is(summary.foods[0].name, "Rice"));
    assert_int_equal(summary.foods[1].quantity, 3);
    assert_int_equal(summary.foods[1].revenue, 300);
    /* Now is not of the period. */
    assert_int_equal(summary.open[ORDER_PENDING], 5);
    assert_int_equal(summary.open[ORDER_CANCELLED], 0);
    assert_int_equal(summary.refund_due, 1);
    assert_int_equal(summary.needs_attention, 0);
}

static void test_summary__the_ten_foods_that_sold_most(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), foods[SUMMARY_FOODS + 2];
    struct summary_day day = {.from_ms = SHOP_NOW_MS, .to_ms = SHOP_NOW_MS + 1};

    for (int i = 0; i < SUMMARY_FOODS + 2; i++)
        foods[i] = shop_food(s, "Food", 10, -1);
    /* In an order in which ids neither rise nor fall. */
    for (int i = 0; i < SUMMARY_FOODS + 2; i++)
        pay_order(s, user, foods[i * 5 % (SUMMARY_FOODS + 2)], i + 1);
    struct summary summary = summary_of(s, &day, 1);
    assert_int_equal(summary.n_foods, SUMMARY_FOODS);
    for (int i = 0; i < SUMMARY_FOODS; i++) {
        int sold = SUMMARY_FOODS + 2 - i;
        assert_int_equal(summary.foods[i].quantity, sold);
        assert_int_equal(summary.foods[i].food_id, foods[(sold - 1) * 5 % (SUMMARY_FOODS + 2)]);
    }
}

/* More orders than one read takes, many of them in one millisecond, come to the same. */
static void test_summary__a_busy_day_in_pieces(void **state)
{
    static const char orders[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3) "
        "INSERT INTO orders (user_id, status, total, currency, fulfilment, created_at, updated_at) "
        "SELECT $1, CASE WHEN i % 4 = 0 THEN 'cancelled' ELSE 'completed' END, 7, 'NGN', 'pickup', "
        "$2 + i / 8000 * 1000, $2 FROM n";
    static const char lines[] = "INSERT INTO order_items (order_id, food_id, name, unit_price, "
                                "quantity, line_total, taken) "
                                "SELECT o.id, $1, 'Rice', 7, 1, 7, 0 FROM orders o";
    enum { ORDERS = 20000 };
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 7, -1);
    struct summary_day day = {.from_ms = SHOP_NOW_MS, .to_ms = SHOP_NOW_MS + DAY_MS};

    shop_sql(s, orders, SQL_ARGS(sql_int(user), sql_int(SHOP_NOW_MS), sql_int(ORDERS)));
    shop_sql(s, lines, SQL_ARGS(sql_int(rice)));
    struct summary summary = summary_of(s, &day, 1);
    assert_day(&day, ORDERS, ORDERS / 4, 7 * ORDERS / 4 * 3);
    assert_int_equal(summary.by_status[ORDER_COMPLETED], ORDERS / 4 * 3);
    assert_int_equal(summary.foods[0].quantity, ORDERS / 4 * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_summary__empty),
        PAY_TEST(test_summary__counts),
        PAY_TEST(test_summary__the_ten_foods_that_sold_most),
        SHOP_TEST_AS(test_summary__a_busy_day_in_pieces, "", shop_setup, shop_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
