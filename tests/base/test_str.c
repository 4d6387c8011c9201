#include <string.h>

#include "check.h"

static void test_str__from_keeps_absent_and_empty_apart(void **state)
{
    (void)state;
    assert_absent(str_from(NULL));
    assert_str(str_from(""), "");
    assert_str(str_from("abc"), "abc");
}

static void test_str__eq(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_false(str_eq(STR_NONE, STR("a")));
    assert_true(str_is(STR("abc"), "abc"));
    assert_false(str_is(STR("abc"), "ABC"));
}

static void test_str__eq_nocase_folds_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_eq_nocase(STR("abc"), STR("abcd")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
    assert_true(str_eq_nocase(STR_NONE, STR_NONE));
}

static void test_str__starts(void **state)
{
    (void)state;
    assert_true(str_starts(STR("/api/foods"), STR("/api/")));
    assert_true(str_starts(STR("/api/"), STR("/api/")));
    assert_false(str_starts(STR("/api"), STR("/api/")));
    assert_false(str_starts(STR("/apx/"), STR("/api/")));
    assert_true(str_starts(STR_NONE, STR("")));
}

static void test_str__contains(void **state)
{
    (void)state;
    assert_true(str_contains(STR("jollof rice"), STR("rice")));
    assert_true(str_contains(STR("jollof rice"), STR("jollof rice")));
    assert_true(str_contains(STR("aab"), STR("ab")));
    assert_true(str_contains(STR("ab"), STR("b")));
    assert_true(str_contains(STR("ab"), STR("")));
    assert_true(str_contains(STR_NONE, STR("")));
    assert_false(str_contains(STR("jollof ric"), STR("rice")));
    assert_false(str_contains(STR("ab"), STR("abc")));
    assert_false(str_contains(STR_NONE, STR("a")));
    /* Not past the view. */
    assert_false(str_contains((struct str){"abc", 2}, STR("c")));
}

static void test_str__trim(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_trim(STR("")), "");
    assert_str(str_trim(STR("a\n")), "a\n");
    assert_absent(str_trim(STR_NONE));
}

static void test_str__slice_is_clamped(void **state)
{
    (void)state;
    assert_str(str_slice(STR("abcd"), 1, 3), "bc");
    assert_str(str_slice(STR("abcd"), 0, 4), "abcd");
    assert_str(str_slice(STR("abcd"), 2, SIZE_MAX), "cd");
    assert_str(str_slice(STR("abcd"), 4, 5), "");
    assert_str(str_slice(STR("abcd"), 9, 12), "");
    assert_str(str_slice(STR("abcd"), 3, 1), "");
    assert_absent(str_slice(STR_NONE, 0, 1));
}

static void test_str__split_gives_every_part(void **state)
{
    (void)state;
    struct str rest = STR("a,,b,"), part;
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "");
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "b");
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "");
    assert_absent(rest);
    assert_false(str_split(&rest, ',', &part));
}

static void test_str__split_of_empty_is_one_empty_part(void **state)
{
    (void)state;
    struct str rest = STR(""), part;
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "");
    assert_false(str_split(&rest, ',', &part));
}

static void test_str__to_int64_accepts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-7", -7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 42;
        assert_true(str_to_int64(str_from(cases[i].text), &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void test_str__to_int64_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "--1",
        "1-",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
    };
    int64_t value = 42;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_false(str_to_int64(str_from(cases[i]), &value));
    assert_false(str_to_int64(STR_NONE, &value));
    assert_false(str_to_int64(STR("1\0"), &value));
    assert_int_equal(value, 42); /* untouched */
}

static void test_str__from_int64_and_back(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {-1, "-1"},
        {-10, "-10"},
        {1000000000000, "1000000000000"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[STR_INT64_SIZE];
        int64_t back;
        struct str s = str_from_int64(cases[i].value, text);
        assert_str(s, cases[i].text);
        assert_true(str_to_int64(s, &back));
        assert_int_equal(back, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str__from_keeps_absent_and_empty_apart),
        cmocka_unit_test(test_str__eq),
        cmocka_unit_test(test_str__eq_nocase_folds_ascii_only),
        cmocka_unit_test(test_str__starts),
        cmocka_unit_test(test_str__contains),
        cmocka_unit_test(test_str__trim),
        cmocka_unit_test(test_str__slice_is_clamped),
        cmocka_unit_test(test_str__split_gives_every_part),
        cmocka_unit_test(test_str__split_of_empty_is_one_empty_part),
        cmocka_unit_test(test_str__to_int64_accepts),
        cmocka_unit_test(test_str__to_int64_refuses),
        cmocka_unit_test(test_str__from_int64_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
