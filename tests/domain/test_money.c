/* Amounts stay inside 0 … MONEY_MAX, whatever is added or multiplied; currencies have ISO's
 * exponents. */
#include "domain/money.h"

#include "domain/limits.h"
#include "domain_test.h"

static const int64_t untouched = -77;

static void check_add(int64_t a, int64_t b, bool expected, int64_t expected_sum)
{
    int64_t sum = untouched;
    assert_int_equal(money_add(a, b, &sum), expected);
    assert_int_equal(sum, expected ? expected_sum : untouched);
    sum = untouched;
    assert_int_equal(money_add(b, a, &sum), expected);
    assert_int_equal(sum, expected ? expected_sum : untouched);
}

static void test_money__a_sum_of_many_stays_the_largest(void **state)
{
    (void)state;
    int64_t sum = MONEY_MAX;
    money_add_to(&sum, MONEY_MAX);
    assert_int_equal(sum, 2 * MONEY_MAX);
    sum = INT64_MAX - 1;
    money_add_to(&sum, 1);
    assert_int_equal(sum, INT64_MAX);
    money_add_to(&sum, 1);
    assert_int_equal(sum, INT64_MAX);
}

static void test_money__add(void **state)
{
    (void)state;
    check_add(0, 0, true, 0);
    check_add(1, 2, true, 3);
    check_add(MONEY_MAX, 0, true, MONEY_MAX);
    check_add(MONEY_MAX - 1, 1, true, MONEY_MAX);
}

static void test_money__add_overflow(void **state)
{
    (void)state;
    check_add(MONEY_MAX, 1, false, 0);
    check_add(MONEY_MAX, MONEY_MAX, false, 0);
    check_add(MONEY_MAX + 1, 0, false, 0);
    check_add(INT64_MAX, INT64_MAX, false, 0);
    check_add(INT64_MAX, 1, false, 0);
}

static void test_money__add_refuses_negative_amounts(void **state)
{
    (void)state;
    check_add(-1, 0, false, 0);
    check_add(-1, 1, false, 0);
    check_add(-1, MONEY_MAX, false, 0);
    check_add(INT64_MIN, 0, false, 0);
    check_add(INT64_MIN, INT64_MIN, false, 0);
}

static void check_multiply(int64_t unit, int64_t quantity, bool expected, int64_t expected_product)
{
    int64_t product = untouched;
    assert_int_equal(money_multiply(unit, quantity, &product), expected);
    assert_int_equal(product, expected ? expected_product : untouched);
}

static void test_money__multiply(void **state)
{
    (void)state;
    check_multiply(250000, 3, true, 750000);
    check_multiply(0, 99, true, 0);
    check_multiply(250000, 0, true, 0);
    check_multiply(0, INT64_MAX, true, 0);
    check_multiply(MONEY_MAX, 1, true, MONEY_MAX);
    check_multiply(1, MONEY_MAX, true, MONEY_MAX);
    check_multiply(MONEY_MAX / 2, 2, true, MONEY_MAX);
    check_multiply(MONEY_MAX / 99, 99, true, MONEY_MAX / 99 * 99);
}

static void test_money__multiply_overflow(void **state)
{
    (void)state;
    check_multiply(MONEY_MAX, 2, false, 0);
    check_multiply(MONEY_MAX / 2 + 1, 2, false, 0);
    check_multiply(MONEY_MAX / 99 + 1, 99, false, 0);
    check_multiply(MONEY_MAX + 1, 1, false, 0);
    check_multiply(MONEY_MAX + 1, 0, false, 0);
    check_multiply(1, MONEY_MAX + 1, false, 0);
    check_multiply(2, INT64_MAX, false, 0);
    check_multiply(MONEY_MAX, INT64_MAX, false, 0);
    check_multiply(INT64_MAX, INT64_MAX, false, 0);
}

static void test_money__multiply_refuses_negative_amounts(void **state)
{
    (void)state;
    check_multiply(-1, 1, false, 0);
    check_multiply(1, -1, false, 0);
    check_multiply(-1, -1, false, 0);
    check_multiply(0, -1, false, 0);
    check_multiply(INT64_MIN, 1, false, 0);
    check_multiply(1, INT64_MIN, false, 0);
}

static void test_money__currency_exponents(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int exponent;
    } known[] = {
        {"NGN", 2}, {"USD", 2}, {"EUR", 2}, {"GBP", 2}, {"GHS", 2}, {"KES", 2}, {"ZAR", 2},
        {"AED", 2}, {"ZWG", 2}, {"IDR", 2}, {"HUF", 2}, {"MGA", 2}, {"MRU", 2}, {"XCG", 2},
        {"JPY", 0}, {"KRW", 0}, {"UGX", 0}, {"RWF", 0}, {"XOF", 0}, {"XAF", 0}, {"BIF", 0},
        {"VND", 0}, {"ISK", 0}, {"CLP", 0}, {"XPF", 0}, {"KWD", 3}, {"BHD", 3}, {"TND", 3},
        {"LYD", 3}, {"IQD", 3}, {"JOD", 3}, {"OMR", 3}, {"CLF", 4}, {"UYW", 4},
    };
    for (size_t i = 0; i < N_OF(known); i++)
        assert_int_equal(currency_exponent(str_from(known[i].code)), known[i].exponent);
}

static void test_money__unknown_currencies(void **state)
{
    (void)state;
    static const char *const unknown[] = {
        "",    "N",   "NG",  "NGNN", "ngn",     "Ngn",  "XXX",  "XTS", "XAU",
        "XDR", "DEM", "HRK", "BGN",  "ZWL",     "ANG",  "SLL",  "CUC", "AAA",
        "ZZZ", "   ", "ED ", "D A",  "AED AFN", "NGN ", " NGN", "₦",   "GN ",
    };
    for (size_t i = 0; i < N_OF(unknown); i++)
        assert_int_equal(currency_exponent(str_from(unknown[i])), -1);
    assert_int_equal(currency_exponent(STR_NONE), -1);
    assert_int_equal(currency_exponent(STR("\0\0\0")), -1);
}

/* A slip in the table's spacing would hide every code behind it. */
static void test_money__every_currency_is_reached(void **state)
{
    (void)state;
    int count[5] = {0};
    char code[4] = "AAA";
    for (code[0] = 'A'; code[0] <= 'Z'; code[0]++) {
        for (code[1] = 'A'; code[1] <= 'Z'; code[1]++) {
            for (code[2] = 'A'; code[2] <= 'Z'; code[2]++) {
                int exponent = currency_exponent(str_from(code));
                assert_in_range(exponent + 1, 0, 5);
                if (exponent >= 0)
                    count[exponent]++;
            }
        }
    }
    assert_int_equal(count[0], 17);
    assert_int_equal(count[1], 0);
    assert_int_equal(count[2], 139);
    assert_int_equal(count[3], 7);
    assert_int_equal(count[4], 2);
}

static void test_money__decimal(void **state)
{
    static const struct {
        int64_t minor;
        int exponent;
        const char *text;
    } cases[] = {
        {0, 2, "0.00"},     {5, 2, "0.05"},   {150000, 2, "1500.00"},           {1234, 0, "1234"},
        {1234, 3, "1.234"}, {7, 4, "0.0007"}, {MONEY_MAX, 2, "10000000000.00"}, {12, -1, "12"},
    };
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct buf out;
        buf_init(&out, NULL);
        money_put_decimal(&out, cases[i].minor, cases[i].exponent);
        assert_str(buf_str(&out), cases[i].text);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money__add),
        cmocka_unit_test(test_money__a_sum_of_many_stays_the_largest),
        cmocka_unit_test(test_money__add_overflow),
        cmocka_unit_test(test_money__add_refuses_negative_amounts),
        cmocka_unit_test(test_money__multiply),
        cmocka_unit_test(test_money__multiply_overflow),
        cmocka_unit_test(test_money__multiply_refuses_negative_amounts),
        cmocka_unit_test(test_money__decimal),
        cmocka_unit_test(test_money__currency_exponents),
        cmocka_unit_test(test_money__unknown_currencies),
        cmocka_unit_test(test_money__every_currency_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
