#include "base/text.h"

#include <string.h>

#include "check.h"

static void test_text__is_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "abc", "é", "日本", "🍛", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf",
    };
    static const char *const bad[] = {
        "\xff",
        "\x80",
        "\xc3",
        "a\xc3(",
        "\xe2\x82",
        "\xf0\x9f\x8d",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", /* past U+10FFFF */
    };
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(text_is_utf8(str_from(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(text_is_utf8(str_from(bad[i])));
    assert_true(text_is_utf8(STR_NONE));
    assert_true(text_is_utf8(STR("a\0b")));
}

static void test_text__count_is_code_points(void **state)
{
    (void)state;
    assert_int_equal(text_count(STR_NONE), 0);
    assert_int_equal(text_count(STR("")), 0);
    assert_int_equal(text_count(STR("abc")), 3);
    assert_int_equal(text_count(STR("jollòf")), 6);
    assert_int_equal(text_count(STR("🍛🍛")), 2);
    assert_int_equal(text_count(STR("e\xcc\x81")), 2); /* a combining accent counts */
}

static void test_text__has_control_at_both_sides_of_each_range(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x01", "a\x1f", "\x7f", "\t", "\r", "\n", "\xc2\x80", "x\xc2\x9f", "\x1b[0m",
    };
    static const char *const good[] = {
        "", " ", "~", "\xc2\xa0", "é", "\xc3\x80", "日本", "🍛", "שלום",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(text_has_control(str_from(bad[i]), false));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_false(text_has_control(str_from(good[i]), false));
    assert_true(text_has_control(STR("a\0b"), false));
    assert_false(text_has_control(STR_NONE, false));
}

static void test_text__has_control_with_newlines(void **state)
{
    (void)state;
    assert_false(text_has_control(STR("a\nb"), true));
    assert_false(text_has_control(STR("a\r\nb\r\n"), true));
    assert_true(text_has_control(STR("a\rb"), true));
    assert_true(text_has_control(STR("a\r"), true));
    assert_true(text_has_control(STR("a\tb"), true));
    assert_true(text_has_control(STR("\n\x7f"), true));
}

static void test_text__has_turning_at_both_sides_of_each_range(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\u202a", "a\u202e", "\u202bb", "\u2066", "a\u2069b", "\u2067",
    };
    static const char *const good[] = {
        "", "\u2029", "\u202f", "\u2065", "\u206a", "\u200e\u200f\u061c", "שלום", "\xe2\x80", "…",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(text_has_turning(str_from(bad[i])));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_false(text_has_turning(str_from(good[i])));
    assert_false(text_has_turning(STR_NONE));
}

static void test_text__fold(void **state)
{
    (void)state;
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"", ""},
        {"Jollof RICE @[`{", "jollof rice @[`{"},
        {"ÀÉÎ", "àéî"},
        {"Straße", "strasse"},
        {"e\xcc\x81", "é"}, /* combining accent and ready-made letter */
        {"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
        {"ﬁsh", "fish"},
        {"１２", "12"},
        {"\xe2\x84\x8c", "h"}, /* a styled capital */
        {"🍛", "🍛"},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str folded = text_fold(arena, str_from(cases[i].text));
        assert_str(folded, cases[i].folded);
        assert_str(text_fold(arena, folded), cases[i].folded);
    }
    arena_destroy(arena);
}

/* It may come from a URL's query before anybody looked. */
static void test_text__fold_replaces_bad_utf8(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    assert_str(text_fold(arena, STR("A\xff")), "a\uFFFD");
    arena_destroy(arena);
}

static void test_text__trim_is_unicode(void **state)
{
    (void)state;
    assert_str(text_trim(STR(" \t\r\n a b \n")), "a b");
    assert_str(text_trim(STR("\xc2\xa0\xe2\x80\x83x y\xe3\x80\x80")), "x y");
    assert_str(text_trim(STR("é")), "é");
    assert_str(text_trim(STR("\xe3\x80\x80")), "");
    assert_str(text_trim(STR("")), "");
    assert_absent(text_trim(STR_NONE));
}

static void test_text__gap(void **state)
{
    (void)state;
    assert_int_equal(text_gap(STR(" 1")), 1);
    assert_int_equal(text_gap(STR("-1")), 1);
    assert_int_equal(text_gap(STR("\xc2\xa0 ")), 2);
    assert_int_equal(text_gap(STR("\xe2\x80\x91")), 3);
    assert_int_equal(text_gap(STR("1 ")), 0);
    assert_int_equal(text_gap(STR("\t")), 0);
    assert_int_equal(text_gap(STR("\n")), 0);
    assert_int_equal(text_gap(STR("\0")), 0);
    assert_int_equal(text_gap(STR("\xe2\x80")), 0); /* broken off */
    assert_int_equal(text_gap(STR("\xff-")), 0);
    assert_int_equal(text_gap(STR("")), 0);
    assert_int_equal(text_gap(STR_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__is_utf8),
        cmocka_unit_test(test_text__count_is_code_points),
        cmocka_unit_test(test_text__has_control_at_both_sides_of_each_range),
        cmocka_unit_test(test_text__has_control_with_newlines),
        cmocka_unit_test(test_text__has_turning_at_both_sides_of_each_range),
        cmocka_unit_test(test_text__fold),
        cmocka_unit_test(test_text__fold_replaces_bad_utf8),
        cmocka_unit_test(test_text__trim_is_unicode),
        cmocka_unit_test(test_text__gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
