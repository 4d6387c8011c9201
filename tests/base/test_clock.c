#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "check.h"

static int64_t parse(const char *text)
{
    int64_t ms = -1;
    assert_true(clock_parse(str_from(text), &ms));
    return ms;
}

static void test_clock__wall_agrees_with_the_system(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL);
    int64_t now = clock_now_ms();
    int64_t after = (int64_t)time(NULL);
    /* time() may lag the precise clock by one tick. */
    assert_true(now / SECOND_MS >= before - 1 && now / SECOND_MS <= after + 1);
}

static void test_clock__mono_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_mono_us();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_mono_us();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_mono_ms() >= last / 1000);
}

static void test_clock__format(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1795372800000, "2026-11-22T18:40:00.000Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {-62167219200001, "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLOCK_TEXT_SIZE];
        struct str s = clock_format(cases[i].ms, text);
        assert_str(s, cases[i].text);
        assert_ptr_equal(s.ptr, text);
        assert_int_equal(text[s.len], '\0');
    }
}

static void test_clock__format_agrees_with_libc_and_parses_back(void **state)
{
    (void)state;
    int64_t ms = -62167219200000;
    for (int64_t i = 0; ms < 253402300799999; i++, ms += 3 * DAY_MS + 12345678) {
        char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];
        struct str s = clock_format(ms, text);
        time_t seconds = (time_t)((ms - ((ms % 1000) + 1000) % 1000) / 1000);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        size_t len = strftime(expected, sizeof(expected), "-%m-%dT%H:%M:%S", &tm);
        assert_memory_equal(text + 4, expected, len);
        assert_int_equal(parse(s.ptr), ms);
    }
}

static void test_clock__parse_offsets(void **state)
{
    (void)state;
    int64_t expected = 1795372800000;
    assert_int_equal(parse("2026-11-22T18:40:00Z"), expected);
    assert_int_equal(parse("2026-11-22t18:40:00z"), expected);
    assert_int_equal(parse("2026-11-22 18:40:00Z"), expected);
    assert_int_equal(parse("2026-11-22T19:40:00+01:00"), expected);
    assert_int_equal(parse("2026-11-22T15:10:00-03:30"), expected);
    assert_int_equal(parse("2026-11-22T18:40:00-00:00"), expected);
    assert_int_equal(parse("2026-11-23T18:39:00+23:59"), expected);
}

static void test_clock__parse_fractions(void **state)
{
    (void)state;
    assert_int_equal(parse("1970-01-01T00:00:00.1Z"), 100);
    assert_int_equal(parse("1970-01-01T00:00:00.12Z"), 120);
    assert_int_equal(parse("1970-01-01T00:00:00.123Z"), 123);
    assert_int_equal(parse("1970-01-01T00:00:00.1239999999999999999999Z"), 123);
}

static void test_clock__parse_plain_date_is_midnight(void **state)
{
    (void)state;
    assert_int_equal(parse("1970-01-02"), DAY_MS);
    assert_int_equal(parse("2000-02-29"), 951782400000);
}

static void test_clock__parse_leap_second_is_the_next_minute(void **state)
{
    (void)state;
    assert_int_equal(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"));
}

static void test_clock__parse_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-1-22",
        "26-11-22",
        "2026/11/22",
        " 2026-11-22",
        "2026-11-22 ",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2026-02-29",
        "2100-02-29",
        "2026-11-22T",
        "2026-11-22T18:40Z",
        "2026-11-22T18:40:00",
        "2026-11-22T18:40:00.Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T18:60:00Z",
        "2026-11-22T18:40:60Z",
        "2026-11-22T18:59:61Z",
        "2026-11-22T18:40:00Zx",
        "2026-11-22T18:40:00+0100",
        "2026-11-22T18:40:00+24:00",
        "2026-11-22T18:40:00+01:60",
        "2026-11-22T18:40:00+1:00",
        "2026-11-22X18:40:00Z",
        "+026-11-22",
        "-026-11-22",
        "now",
    };
    int64_t ms = 42;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (clock_parse(str_from(cases[i]), &ms))
            fail_msg("accepted: %s", cases[i]);
    }
    assert_false(clock_parse(STR_NONE, &ms));
    assert_false(clock_parse(STR("2026-11-22\0"), &ms));
    assert_int_equal(ms, 42); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock__wall_agrees_with_the_system),
        cmocka_unit_test(test_clock__mono_never_goes_back),
        cmocka_unit_test(test_clock__format),
        cmocka_unit_test(test_clock__format_agrees_with_libc_and_parses_back),
        cmocka_unit_test(test_clock__parse_offsets),
        cmocka_unit_test(test_clock__parse_fractions),
        cmocka_unit_test(test_clock__parse_plain_date_is_midnight),
        cmocka_unit_test(test_clock__parse_leap_second_is_the_next_minute),
        cmocka_unit_test(test_clock__parse_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
