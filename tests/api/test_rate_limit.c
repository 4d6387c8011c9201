#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/rate_limit.h"

#include "base/clock.h"
#include "base/crypto.h"

static const int64_t NOW_MS = 1000000;

static int set_up(void **state)
{
    (void)state;
    return crypto_init() ? -1 : 0;
}

static void test_rate_limit__the_limit_and_one_more(void **state)
{
    struct rate_limit *limit = rate_limit_create("auth", 10);
    (void)state;

    for (int i = 0; i < 10; i++) {
        struct rate_state taken = rate_limit_take(limit, STR("a"), NOW_MS);
        assert_true(taken.allowed);
        assert_int_equal(taken.remaining, 9 - i);
        assert_int_equal(taken.retry_ms, 0);
    }
    struct rate_state refused = rate_limit_take(limit, STR("a"), NOW_MS);
    assert_false(refused.allowed);
    assert_int_equal(refused.remaining, 0);
    assert_int_equal(refused.retry_ms, 6 * SECOND_MS);
    assert_int_equal(refused.reset_ms, MINUTE_MS);
    rate_limit_destroy(limit);
}

static void test_rate_limit__one_comes_back_after_its_interval(void **state)
{
    struct rate_limit *limit = rate_limit_create("auth", 10);
    (void)state;

    for (int i = 0; i < 10; i++)
        assert_true(rate_limit_take(limit, STR("a"), NOW_MS).allowed);
    assert_false(rate_limit_take(limit, STR("a"), NOW_MS + 6 * SECOND_MS - 1).allowed);
    assert_true(rate_limit_take(limit, STR("a"), NOW_MS + 6 * SECOND_MS).allowed);
    assert_false(rate_limit_take(limit, STR("a"), NOW_MS + 6 * SECOND_MS).allowed);
    rate_limit_destroy(limit);
}

static void test_rate_limit__a_refused_call_costs_nothing(void **state)
{
    struct rate_limit *limit = rate_limit_create("auth", 1);
    (void)state;

    assert_true(rate_limit_take(limit, STR("a"), NOW_MS).allowed);
    for (int i = 0; i < 100; i++)
        assert_false(rate_limit_take(limit, STR("a"), NOW_MS + i).allowed);
    assert_true(rate_limit_take(limit, STR("a"), NOW_MS + MINUTE_MS).allowed);
    rate_limit_destroy(limit);
}

static void test_rate_limit__clients_are_counted_apart(void **state)
{
    struct rate_limit *limit = rate_limit_create("all", 1);
    (void)state;

    assert_true(rate_limit_take(limit, STR("a"), NOW_MS).allowed);
    assert_true(rate_limit_take(limit, STR("b"), NOW_MS).allowed);
    assert_false(rate_limit_take(limit, STR("a"), NOW_MS).allowed);
    assert_false(rate_limit_take(limit, STR("b"), NOW_MS).allowed);
    rate_limit_destroy(limit);
}

/* A flood of other clients must not let one that is over its limit start anew. */
static void test_rate_limit__a_flood_does_not_forgive(void **state)
{
    struct rate_limit *limit = rate_limit_create("all", 10);
    (void)state;

    for (int i = 0; i < 10; i++)
        assert_true(rate_limit_take(limit, STR("guilty"), NOW_MS).allowed);
    for (int64_t i = 0; i < 100000; i++)
        (void)rate_limit_take(limit, (struct str){(const char *)&i, sizeof i}, NOW_MS);
    assert_false(rate_limit_take(limit, STR("guilty"), NOW_MS).allowed);
    rate_limit_destroy(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_limit__the_limit_and_one_more),
        cmocka_unit_test(test_rate_limit__one_comes_back_after_its_interval),
        cmocka_unit_test(test_rate_limit__a_refused_call_costs_nothing),
        cmocka_unit_test(test_rate_limit__clients_are_counted_apart),
        cmocka_unit_test(test_rate_limit__a_flood_does_not_forgive),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
