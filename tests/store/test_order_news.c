/* What the board is told that comes back after an event: on an engine that commits in the order of
 * the ids (as SQLite is), and where transactions overlap. The linker wraps tx_overlap_ms (see
 * meson.build), so that both are tried on every engine. */
#include "pay_fixture.h"

#include "store/order_news.h"

#define OVERLAP_MS MINUTE_MS
enum { LIMIT = 4 };

static int64_t overlap_ms;

int64_t __wrap_tx_overlap_ms(const struct tx *tx);

int64_t __wrap_tx_overlap_ms(const struct tx *tx)
{
    (void)tx;
    return overlap_ms;
}

/* An event of that id, so many milliseconds before now. */
static void put(struct shop_fixture *s, int64_t order_id, int64_t id, int64_t ago_ms)
{
    static const char sql[] =
        "INSERT INTO order_events (id, order_id, from_status, to_status, actor, "
        "at) VALUES ($1, $2, 'pending', 'confirmed', 'admin', $3)";
    shop_sql(s, sql, SQL_ARGS(sql_int(id), sql_int(order_id), sql_int(SHOP_NOW_MS - ago_ms)));
}

/* An order whose own event is long ago, and none near. */
static int64_t begin(struct shop_fixture *s)
{
    static const char sql[] = "UPDATE order_events SET at = 0";
    int64_t rice = shop_food(s, "Rice", 250, -1);
    int64_t id = pay_order(s, shop_user(s, "a@example.com"), rice, 1);
    shop_sql(s, sql, SQL_NO_ARGS);
    return id;
}

static struct order_news_since since(struct shop_fixture *s, int64_t after_id)
{
    struct order_news_since since = {.after_id = after_id, .limit = LIMIT};
    assert_int_equal(shop_read_tx(s, order_news_since, &since), ERR_OK);
    return since;
}

static void assert_ids(const struct order_news_since *since, const int64_t *ids, size_t n)
{
    assert_true(since->sure);
    assert_int_equal(since->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(since->news[i].event.id, ids[i]);
        assert_int_equal(since->news[i].order.id, since->news[i].event.order_id);
        assert_int_equal(since->news[i].order.n_lines, 1);
    }
}
#define ASSERT_IDS(since, ...)                                                                     \
    assert_ids(&(since), (const int64_t[]){__VA_ARGS__},                                           \
               sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void test_order_news__in_order(void **state)
{
    struct shop_fixture *s = *state;
    int64_t order = begin(s);
    overlap_ms = 0;
    for (int64_t id = 101; id <= 105; id++)
        put(s, order, id, 1);
    struct order_news_since got = since(s, 102);
    assert_true(got.in_order);
    assert_int_equal(got.last_id, 105);
    ASSERT_IDS(got, 103, 104, 105);
    got = since(s, 101);
    ASSERT_IDS(got, 102, 103, 104, 105);
    put(s, order, 106, 1); /* one more than may be told */
    assert_false(since(s, 101).sure);
    assert_false(since(s, 107).sure);
}

/* 41 shows up after 42 was told. */
static void test_order_news__lower_ids_that_overlap(void **state)
{
    struct shop_fixture *s = *state;
    int64_t order = begin(s);
    overlap_ms = OVERLAP_MS;
    put(s, order, 141, 5 * SECOND_MS);
    put(s, order, 142, 0);
    put(s, order, 143, 0);
    struct order_news_since got = since(s, 142);
    assert_false(got.in_order);
    ASSERT_IDS(got, 141, 143);
    got = since(s, 143);
    ASSERT_IDS(got, 141, 142);
}

/* As old as it may be, and a millisecond older; however many are. */
static void test_order_news__older_than_the_overlap(void **state)
{
    struct shop_fixture *s = *state;
    int64_t order = begin(s);
    overlap_ms = OVERLAP_MS;
    for (int64_t id = 101; id <= 110; id++)
        put(s, order, id, 4 * OVERLAP_MS);
    put(s, order, 139, OVERLAP_MS + 1);
    put(s, order, 140, OVERLAP_MS);
    put(s, order, 142, 0);
    struct order_news_since got = since(s, 142);
    ASSERT_IDS(got, 140);
    /* By its clock 139 is no younger than 140, and it may have come before all of these. */
    got = since(s, 140);
    ASSERT_IDS(got, 139, 142);
}

/* Who looks back at so many and sees none that is old enough cannot say what is below. */
static void test_order_news__too_many_overlap(void **state)
{
    struct shop_fixture *s = *state;
    int64_t order = begin(s);
    overlap_ms = OVERLAP_MS;
    for (int64_t id = 101; id <= 104; id++)
        put(s, order, id, 0);
    put(s, order, 105, 0);
    struct order_news_since got = since(s, 105);
    ASSERT_IDS(got, 101, 102, 103, 104);
    got = since(s, 104);
    ASSERT_IDS(got, 101, 102, 103, 105);
    put(s, order, 106, 0);
    assert_false(since(s, 106).sure);
    assert_int_equal(since(s, 106).n, 0);
    assert_int_equal(since(s, 106).last_id, 106);
    assert_false(since(s, 104).sure); /* three before it and two after */
}

/* One that looks back at LIMIT + 1 events is sure by the last of them. */
static void test_order_news__how_far_back(void **state)
{
    struct shop_fixture *s = *state;
    int64_t order = begin(s);
    overlap_ms = OVERLAP_MS;
    put(s, order, 100, 2 * OVERLAP_MS);
    for (int64_t id = 101; id <= 104; id++)
        put(s, order, id, OVERLAP_MS + 1);
    put(s, order, 105, 0);
    struct order_news_since got = since(s, 105);
    assert_false(got.sure);
    put(s, order, 106, -1); /* a millisecond younger: 100 is old enough for it, and not for 105 */
    assert_false(since(s, 106).sure);
    static const char remove[] = "DELETE FROM order_events WHERE id = 101";
    shop_sql(s, remove, SQL_NO_ARGS);
    got = since(s, 106);
    ASSERT_IDS(got, 105);
}

static void test_order_news__the_beginning(void **state)
{
    struct shop_fixture *s = *state;
    overlap_ms = OVERLAP_MS;
    struct order_news_since got = since(s, 0);
    assert_true(got.sure);
    assert_int_equal(got.n, 0);
    put(s, begin(s), 150, 0);
    got = since(s, 0);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.news[1].event.id, 150);
}

#define TEST(test) SHOP_TEST_AS(test, "", shop_setup, shop_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order_news__in_order),
        TEST(test_order_news__lower_ids_that_overlap),
        TEST(test_order_news__older_than_the_overlap),
        TEST(test_order_news__too_many_overlap),
        TEST(test_order_news__how_far_back),
        TEST(test_order_news__the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
