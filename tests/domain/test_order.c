/* Every pair of statuses for both fulfilments, written out from the contract and not from the table
 * under test. */
#include "domain/order.h"

#include "domain_test.h"

/* Row: from, column: to, in the order of the enum; '.' no, 'x' yes, 'd' delivery, 'p' pickup
 * only. */
static const char *const expected[ORDER_STATUSES] = {
    ".x....x", /* pending */
    "..x...x", /* confirmed */
    "...x..x", /* preparing */
    "....dpx", /* ready */
    ".....xx", /* out_for_delivery */
    ".......", /* completed */
    ".......", /* cancelled */
};

static bool is_expected(size_t from, size_t to, enum fulfilment fulfilment)
{
    char way = fulfilment == FULFILMENT_DELIVERY ? 'd' : 'p';
    return expected[from][to] == 'x' || expected[from][to] == way;
}

static void test_order__every_pair_of_statuses(void **state)
{
    (void)state;
    static const enum fulfilment ways[] = {FULFILMENT_PICKUP, FULFILMENT_DELIVERY};
    for (size_t w = 0; w < N_OF(ways); w++) {
        for (size_t from = 0; from < ORDER_STATUSES; from++) {
            for (size_t to = 0; to < ORDER_STATUSES; to++) {
                bool may = order_may_go((enum order_status)from, (enum order_status)to, ways[w]);
                if (may != is_expected(from, to, ways[w]))
                    fail_msg("from %zu to %zu, fulfilment %zu: %d", from, to, w, may);
            }
        }
    }
}

static void test_order__allowed_lists_what_may_go(void **state)
{
    (void)state;
    static const enum fulfilment ways[] = {FULFILMENT_PICKUP, FULFILMENT_DELIVERY};
    for (size_t w = 0; w < N_OF(ways); w++) {
        for (size_t from = 0; from < ORDER_STATUSES; from++) {
            enum order_status allowed[ORDER_STATUSES];
            size_t n = order_allowed((enum order_status)from, ways[w], allowed), at = 0;
            for (size_t to = 0; to < ORDER_STATUSES; to++) {
                if (is_expected(from, to, ways[w])) {
                    assert_true(at < n);
                    assert_int_equal(allowed[at++], to);
                }
            }
            assert_int_equal(at, n);
        }
    }
}

static void test_order__final_statuses_allow_nothing(void **state)
{
    (void)state;
    enum order_status allowed[ORDER_STATUSES];
    assert_int_equal(order_allowed(ORDER_COMPLETED, FULFILMENT_PICKUP, allowed), 0);
    assert_int_equal(order_allowed(ORDER_COMPLETED, FULFILMENT_DELIVERY, allowed), 0);
    assert_int_equal(order_allowed(ORDER_CANCELLED, FULFILMENT_PICKUP, allowed), 0);
    assert_int_equal(order_allowed(ORDER_CANCELLED, FULFILMENT_DELIVERY, allowed), 0);
}

static void test_order__stock_comes_back_only_before_cooking(void **state)
{
    (void)state;
    assert_true(order_cancel_returns_stock(ORDER_PENDING));
    assert_true(order_cancel_returns_stock(ORDER_CONFIRMED));
    assert_false(order_cancel_returns_stock(ORDER_PREPARING));
    assert_false(order_cancel_returns_stock(ORDER_READY));
    assert_false(order_cancel_returns_stock(ORDER_OUT_FOR_DELIVERY));
    assert_false(order_cancel_returns_stock(ORDER_COMPLETED));
    assert_false(order_cancel_returns_stock(ORDER_CANCELLED));
}

static void test_order__status_texts(void **state)
{
    (void)state;
    static const char *const texts[ORDER_STATUSES] = {
        "pending", "confirmed", "preparing", "ready", "out_for_delivery", "completed", "cancelled",
    };
    for (size_t i = 0; i < ORDER_STATUSES; i++) {
        enum order_status status = ORDER_STATUSES;
        assert_str(order_status_text((enum order_status)i), texts[i]);
        assert_true(order_status_parse(str_from(texts[i]), &status));
        assert_int_equal(status, i);
    }
}

static void test_order__unknown_status_texts(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",         "Pending",   "PENDING",  "pending ",
                                          " pending", "pendin",    "pendingg", "canceled",
                                          "paid",     "delivered", "ready\n",  "out for delivery"};
    for (size_t i = 0; i < N_OF(unknown); i++) {
        enum order_status status = ORDER_READY;
        assert_false(order_status_parse(str_from(unknown[i]), &status));
        assert_int_equal(status, ORDER_READY);
    }
    enum order_status status = ORDER_READY;
    assert_false(order_status_parse(STR_NONE, &status));
    assert_false(order_status_parse(STR("ready\0"), &status));
    assert_int_equal(status, ORDER_READY);
}

static void test_order__fulfilment_and_actor_texts(void **state)
{
    (void)state;
    enum fulfilment fulfilment = FULFILMENT_DELIVERY;
    assert_true(fulfilment_parse(STR("pickup"), &fulfilment));
    assert_int_equal(fulfilment, FULFILMENT_PICKUP);
    assert_true(fulfilment_parse(STR("delivery"), &fulfilment));
    assert_int_equal(fulfilment, FULFILMENT_DELIVERY);
    assert_false(fulfilment_parse(STR("Pickup"), &fulfilment));
    assert_false(fulfilment_parse(STR("drone"), &fulfilment));
    assert_false(fulfilment_parse(STR(""), &fulfilment));
    assert_false(fulfilment_parse(STR_NONE, &fulfilment));
    assert_int_equal(fulfilment, FULFILMENT_DELIVERY);
    assert_str(fulfilment_text(FULFILMENT_PICKUP), "pickup");
    assert_str(fulfilment_text(FULFILMENT_DELIVERY), "delivery");
    assert_str(actor_text(ACTOR_CUSTOMER), "customer");
    assert_str(actor_text(ACTOR_ADMIN), "admin");
    assert_str(actor_text(ACTOR_SYSTEM), "system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order__every_pair_of_statuses),
        cmocka_unit_test(test_order__allowed_lists_what_may_go),
        cmocka_unit_test(test_order__final_statuses_allow_nothing),
        cmocka_unit_test(test_order__stock_comes_back_only_before_cooking),
        cmocka_unit_test(test_order__status_texts),
        cmocka_unit_test(test_order__unknown_status_texts),
        cmocka_unit_test(test_order__fulfilment_and_actor_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
