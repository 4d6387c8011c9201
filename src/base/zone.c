#include "base/zone.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

enum { DAY_S = 86400 };

struct zone {
    GTimeZone *tz;
};

/* GLib also takes offsets, rules and paths for zones. Names of the tz database begin with a
 * capital, which its other files and folders (right/, posix/, leapseconds) do not, and have no
 * dots. */
static bool name_is_safe(struct str name)
{
    if (name.len == 0 || !g_ascii_isupper(name.ptr[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!g_ascii_isalnum(name.ptr[i]) && !memchr("_+-/", name.ptr[i], 4))
            return false;
    }
    return true;
}

static void on_message(const char *domain, GLogLevelFlags level, const char *message, void *arg)
{
    (void)domain;
    (void)message;
    (void)arg;
    if (level & G_LOG_FLAG_FATAL)
        mem_fail(0);
}

void zone_init(void)
{
    g_log_set_default_handler(on_message, NULL);
}

struct zone *zone_create(struct str name)
{
    GTimeZone *tz = NULL;

    if (str_is(name, "UTC")) {
        tz = g_time_zone_new_utc();
    } else if (name_is_safe(name)) {
        /* As a path it cannot be read as "EST5" or "Z", and the environment has no say. */
        char *path = g_strdup_printf("/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
        tz = g_time_zone_new_identifier(path);
        g_free(path);
    }
    if (!tz)
        return NULL;
    struct zone *zone = mem_alloc(sizeof *zone);
    zone->tz = tz;
    return zone;
}

void zone_destroy(struct zone *zone)
{
    if (!zone)
        return;
    g_time_zone_unref(zone->tz);
    free(zone);
}

/* Rounded down. */
static int64_t divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int64_t zone_offset_s(const struct zone *zone, int64_t time_ms)
{
    int at = g_time_zone_find_interval(zone->tz, G_TIME_TYPE_UNIVERSAL, divide(time_ms, SECOND_MS));
    return g_time_zone_get_offset(zone->tz, at);
}

int64_t zone_day_start_ms(const struct zone *zone, int64_t day)
{
    int64_t local = day * DAY_S;
    /* Moves a midnight that was skipped to where the clocks went on. */
    int at = g_time_zone_adjust_time(zone->tz, G_TIME_TYPE_STANDARD, &local);
    int64_t start = local - g_time_zone_get_offset(zone->tz, at);

    if (at > 0) { /* of a midnight that comes twice, the first */
        int64_t first = local - g_time_zone_get_offset(zone->tz, at - 1);
        if (g_time_zone_find_interval(zone->tz, G_TIME_TYPE_UNIVERSAL, first) == at - 1)
            start = first;
    }
    return start * SECOND_MS;
}

int64_t zone_day(const struct zone *zone, int64_t time_ms)
{
    int64_t day = divide(time_ms + zone_offset_s(zone, time_ms) * SECOND_MS, DAY_MS);
    /* About a midnight that comes twice the later day has begun already. */
    while (zone_day_start_ms(zone, day + 1) <= time_ms)
        day++;
    return day;
}
