/* Every zone of this machine's tz database, against the C library's own reading of it. */
#include "base/zone.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check.h"

static struct zone *load(const char *name)
{
    struct zone *zone = zone_create(str_from(name));
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
    struct zone *zone = load(name);
    int64_t start = zone_day_start_ms(zone, day_of(day));
    zone_destroy(zone);
    clock_format(start, text);
    assert_memory_equal(text, expected, strlen(expected));
}

static void test_zone__days_begin(void **state)
{
    (void)state;
    /* Years that are past, where no law changes the clocks any more. */
    assert_starts("Africa/Lagos", "2018-11-22", "2018-11-21T23:00");
    assert_starts("UTC", "2018-11-22", "2018-11-22T00:00");
    assert_starts("Asia/Kathmandu", "2018-11-22", "2018-11-21T18:15");
    assert_starts("Europe/Berlin", "2018-03-25", "2018-03-24T23:00");
    assert_starts("Europe/Berlin", "2018-03-26", "2018-03-25T22:00"); /* after 23 hours */
    assert_starts("Europe/Berlin", "2018-10-28", "2018-10-27T22:00");
    assert_starts("Europe/Berlin", "2018-10-29", "2018-10-28T23:00"); /* after 25 hours */
    assert_starts("America/New_York", "2018-11-04", "2018-11-04T04:00");
    assert_starts("America/New_York", "2018-11-05", "2018-11-05T05:00");
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
    assert_starts("America/Havana", "2018-11-04", "2018-11-04T04:00");
    assert_starts("America/Havana", "2018-11-05", "2018-11-05T05:00");
    /* A day that was left out. */
    assert_starts("Pacific/Apia", "2011-12-29", "2011-12-29T10:00");
    assert_starts("Pacific/Apia", "2011-12-30", "2011-12-30T10:00");
    assert_starts("Pacific/Apia", "2011-12-31", "2011-12-30T10:00");
    struct zone *apia = load("Pacific/Apia");
    assert_int_equal(zone_day(apia, at("2011-12-30T09:59:59Z")), day_of("2011-12-29"));
    assert_int_equal(zone_day(apia, at("2011-12-30T10:00:00Z")), day_of("2011-12-31"));
    zone_destroy(apia);
}

static void test_zone__names(void **state)
{
    static const char *const none[] = {"",
                                       "Africa",
                                       "Africa/Nowhere",
                                       "../etc/passwd",
                                       "/etc/localtime",
                                       "zone.tab",
                                       "tzdata.zi",
                                       "Africa/Lagos ",
                                       "leapseconds",
                                       "right/Europe/Berlin",
                                       "EST5",
                                       "Z",
                                       "UTC0",
                                       "+05:30",
                                       ":Africa/Lagos",
                                       "CET-1CEST,M3.5.0,M10.5.0/3"};
    char longest[1000];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(zone_create(str_from(none[i])));
    memset(longest, 'A', sizeof longest);
    for (size_t len = 1; len <= sizeof longest; len++)
        assert_null(zone_create((struct str){longest, len}));
    assert_null(zone_create((struct str){"UTC\0x", 5}));
    zone_destroy(load("EST5EDT")); /* a rule's beginning, and a name */
    zone_destroy(load("Etc/GMT-14"));
    zone_destroy(NULL);
}

static void *use_zones(void *arg)
{
    static const char *const names[] = {"Africa/Lagos", "Europe/Berlin", "UTC", "Africa/Nowhere"};
    bool *ret_right = arg;

    *ret_right = true;
    for (int i = 0; i < 400; i++) {
        struct zone *zone = zone_create(str_from(names[i % 4]));
        int64_t expected = i % 4 < 2 ? -HOUR_MS : 0;
        if (i % 4 == 3 ? zone != NULL : zone_day_start_ms(zone, 200) != 200 * DAY_MS + expected)
            *ret_right = false;
        zone_destroy(zone);
    }
    return NULL;
}

static void test_zone__threads_share_them(void **state)
{
    pthread_t threads[4];
    bool right[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_zones, &right[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(right[i]);
    }
}

/* ---- Against the C library ---- */

static int64_t libc_offset(int64_t time_s)
{
    time_t t = (time_t)time_s;
    struct tm tm;
    assert_non_null(localtime_r(&t, &tm));
    return tm.tm_gmtoff;
}

/* Up to where GLib is right: it takes the 0 in Dublin's rule, "IST-1GMT0,M10.5.0,M3.5.0/1", for no
 * offset at all. The rule counts after the transitions that are written out, which end in 2037. */
static int64_t last_year(const char *name)
{
    return strcmp(name, "Europe/Dublin") == 0 || strcmp(name, "Eire") == 0 ? 2037 : 2119;
}

/* Offsets a prime number of hours apart, and the days around each. */
static void check_zone(const char *name)
{
    int64_t end_s = clock_day(last_year(name) + 1, 1, 1) * 86400;
    struct zone *zone = load(name);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = clock_day(1960, 1, 1) * 86400; t < end_s; t += 457 * 3600 + 1801) {
        if (zone_offset_s(zone, t * 1000) != libc_offset(t))
            fail_msg("%s at %lld: %lld, not %lld", name, (long long)t,
                     (long long)zone_offset_s(zone, t * 1000), (long long)libc_offset(t));
        int64_t day = zone_day(zone, t * 1000);
        int64_t start = zone_day_start_ms(zone, day), end = zone_day_start_ms(zone, day + 1);
        if (start > t * 1000 || end <= t * 1000 || end - start > 26 * HOUR_MS)
            fail_msg("%s at %lld: the day %lld does not hold it", name, (long long)t,
                     (long long)day);
    }
    zone_destroy(zone);
}

static bool is_zone(const char *name)
{
    struct zone *zone = zone_create(str_from(name));
    bool found = zone != NULL;
    zone_destroy(zone);
    return found;
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
        } else if (is_zone(name)) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone__days_begin),
        cmocka_unit_test(test_zone__odd_midnights),
        cmocka_unit_test(test_zone__names),
        cmocka_unit_test(test_zone__threads_share_them),
        cmocka_unit_test(test_zone__agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
