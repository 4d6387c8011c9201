/* Every zone of this machine's tz database, against the C library's own reading of it. */
#include "base/zone.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check.h"

static struct arena *arena;

static const struct zone *load(const char *name)
{
    const struct zone *zone = zone_load(arena, str_from(name));
    assert_non_null(zone);
    return zone;
}

static int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_true(clock_parse(str_from(text), &ms));
    return ms;
}

static int64_t day_of(const char *text)
{
    int64_t day = 0;
    assert_true(clock_parse_date(str_from(text), &day));
    return day;
}

static void assert_starts(const char *name, const char *day, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t start = zone_day_start_ms(load(name), day_of(day));
    clock_format(start, text);
    assert_memory_equal(text, expected, strlen(expected));
}

static void test_zone__days_begin(void **state)
{
    (void)state;
    assert_starts("Africa/Lagos", "2026-11-22", "2026-11-21T23:00");
    assert_starts("UTC", "2026-11-22", "2026-11-22T00:00");
    assert_starts("Asia/Kathmandu", "2026-11-22", "2026-11-21T18:15");
    assert_starts("Europe/Berlin", "2026-03-29", "2026-03-28T23:00");
    assert_starts("Europe/Berlin", "2026-03-30", "2026-03-29T22:00"); /* after 23 hours */
    assert_starts("Europe/Berlin", "2026-10-25", "2026-10-24T22:00");
    assert_starts("Europe/Berlin", "2026-10-26", "2026-10-25T23:00"); /* after 25 hours */
    assert_starts("America/New_York", "2026-11-01", "2026-11-01T04:00");
    assert_starts("America/New_York", "2026-11-02", "2026-11-02T05:00");
    /* By the rule, long after the last transition that is written out. */
    assert_starts("Europe/Berlin", "2099-07-01", "2099-06-30T22:00");
    assert_starts("Europe/Berlin", "2099-12-01", "2099-11-30T23:00");
    assert_starts("Australia/Lord_Howe", "2099-07-01", "2099-06-30T13:30");
    assert_starts("Australia/Lord_Howe", "2099-12-31", "2099-12-30T13:00");
}

static void test_zone__odd_midnights(void **state)
{
    (void)state;
    /* Clocks went from 00:00 to 01:00: the day began at 01:00, and had 23 hours. */
    assert_starts("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00");
    assert_starts("America/Sao_Paulo", "2018-11-05", "2018-11-05T02:00");
    /* Clocks went from 24:00 back to 23:00: the hour before midnight came twice. */
    assert_starts("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00");
    assert_starts("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00");
    /* Midnight itself came twice: the day begins with the first one. */
    assert_starts("America/Havana", "2026-11-01", "2026-11-01T04:00");
    assert_starts("America/Havana", "2026-11-02", "2026-11-02T05:00");
    /* A day that was left out. */
    assert_starts("Pacific/Apia", "2011-12-29", "2011-12-29T10:00");
    assert_starts("Pacific/Apia", "2011-12-30", "2011-12-30T10:00");
    assert_starts("Pacific/Apia", "2011-12-31", "2011-12-30T10:00");
    assert_int_equal(zone_day(load("Pacific/Apia"), at("2011-12-30T09:59:59Z")),
                     day_of("2011-12-29"));
    assert_int_equal(zone_day(load("Pacific/Apia"), at("2011-12-30T10:00:00Z")),
                     day_of("2011-12-31"));
}

static void test_zone__names(void **state)
{
    static const char *const none[] = {"",        "Africa",      "Africa/Nowhere", "../etc/passwd",
                                       "/etc/localtime", "zone.tab", "tzdata.zi",  "Africa/Lagos ",
                                       "leapseconds"};
    char longest[1000];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(zone_load(arena, str_from(none[i])));
    memset(longest, 'a', sizeof longest);
    for (size_t len = 1; len <= sizeof longest; len++)
        assert_null(zone_load(arena, (struct str){longest, len}));
    assert_null(zone_load(arena, (struct str){"UTC\0x", 5}));
}

/* ---- Against the C library ---- */

static int64_t libc_offset(int64_t time_s)
{
    time_t t = (time_t)time_s;
    struct tm tm;
    assert_non_null(localtime_r(&t, &tm));
    return tm.tm_gmtoff;
}

/* Offsets a prime number of hours apart, and the days around each. */
static void check_zone(const char *name)
{
    const struct zone *zone = load(name);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = clock_day(1960, 1, 1) * 86400; t < clock_day(2120, 1, 1) * 86400;
         t += 457 * 3600 + 1801) {
        if (zone_offset_s(zone, t * 1000) != libc_offset(t))
            fail_msg("%s at %lld: %lld, not %lld", name, (long long)t,
                     (long long)zone_offset_s(zone, t * 1000), (long long)libc_offset(t));
        int64_t day = zone_day(zone, t * 1000);
        int64_t start = zone_day_start_ms(zone, day), end = zone_day_start_ms(zone, day + 1);
        if (start > t * 1000 || end <= t * 1000 || end - start > 26 * HOUR_MS)
            fail_msg("%s at %lld: the day %lld does not hold it", name, (long long)t,
                     (long long)day);
    }
    arena_reset(arena);
}

static int check_folder(const char *folder)
{
    char path[512], name[300];
    int n = 0;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(name, sizeof name, "%s%s%.200s", folder, *folder ? "/" : "", entry->d_name);
        /* right/ and posix/ are copies; the first with leap seconds, which no computer has. */
        if (strchr(name, '.') || strncmp(name, "right", 5) == 0 || strncmp(name, "posix", 5) == 0)
            continue;
        if (entry->d_type == DT_DIR) {
            n += check_folder(name);
        } else if (zone_load(arena, str_from(name))) {
            check_zone(name);
            n++;
        }
    }
    closedir(dir);
    return n;
}

static void test_zone__agrees_with_the_c_library(void **state)
{
    (void)state;
    assert_true(check_folder("") > 400);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone__days_begin),
        cmocka_unit_test(test_zone__odd_midnights),
        cmocka_unit_test(test_zone__names),
        cmocka_unit_test(test_zone__agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
