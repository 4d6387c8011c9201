#include "base/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

/* The rule for times after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct change { /* when in each year the other time begins, in seconds of the local time before */
    enum { BY_WEEK, BY_DAY, BY_DAY_LEAP } kind;
    int month, week, weekday; /* BY_WEEK: week 5 is the last */
    int day;                  /* BY_DAY: 1 to 365, 29 February is none; BY_DAY_LEAP: 0 to 365 */
    int64_t at_s;
};

struct rule {
    int64_t standard_s, summer_s;
    bool has_summer;
    struct change begins, ends;
};

struct zone {
    size_t n;
    const int64_t *times;      /* transitions, rising, seconds since 1970 */
    const int64_t *offsets;    /* from each on */
    int64_t first_offset;      /* before all of them */
    bool has_rule;
    struct rule rule;
};

/* ---- The rule's text ---- */

/* The take_ functions cut what they understood off the front of *s. */
static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool take_number(struct str *s, int64_t max, int64_t *ret_value)
{
    int64_t value = 0;
    size_t n = 0;
    while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9' && value <= max)
        value = value * 10 + (s->ptr[n++] - '0');
    if (n == 0 || value > max)
        return false;
    *s = str_slice(*s, n, s->len);
    *ret_value = value;
    return true;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_time(struct str *s, int64_t *ret_s)
{
    int64_t hours, minutes = 0, seconds = 0;
    bool minus = take_char(s, '-');
    if (!minus)
        take_char(s, '+');
    if (!take_number(s, 167, &hours))
        return false;
    if (take_char(s, ':') && !take_number(s, 59, &minutes))
        return false;
    if (take_char(s, ':') && !take_number(s, 59, &seconds))
        return false;
    int64_t total = hours * HOUR_S + minutes * 60 + seconds;
    *ret_s = minus ? -total : total;
    return true;
}

/* CET, or <+03> */
static bool take_name(struct str *s)
{
    bool quoted = take_char(s, '<');
    size_t n = 0;
    while (n < s->len && (quoted ? s->ptr[n] != '>'
                                 : (s->ptr[n] | 32) >= 'a' && (s->ptr[n] | 32) <= 'z'))
        n++;
    *s = str_slice(*s, n, s->len);
    return n > 0 && (!quoted || take_char(s, '>'));
}

static bool take_week(struct str *s, struct change *change)
{
    int64_t month, week, weekday;
    if (!take_number(s, 12, &month) || !take_char(s, '.') || !take_number(s, 5, &week) ||
        !take_char(s, '.') || !take_number(s, 6, &weekday) || month < 1 || week < 1)
        return false;
    change->kind = BY_WEEK;
    change->month = (int)month;
    change->week = (int)week;
    change->weekday = (int)weekday;
    return true;
}

static bool take_change(struct str *s, struct change *change)
{
    int64_t day = 0;
    if (!take_char(s, ','))
        return false;
    if (take_char(s, 'M')) {
        if (!take_week(s, change))
            return false;
    } else {
        change->kind = take_char(s, 'J') ? BY_DAY : BY_DAY_LEAP;
        if (!take_number(s, 365, &day) || (change->kind == BY_DAY && day == 0))
            return false;
        change->day = (int)day;
    }
    change->at_s = 2 * HOUR_S;
    return !take_char(s, '/') || take_time(s, &change->at_s);
}

static bool parse_rule(struct str text, struct rule *ret_rule)
{
    struct rule rule = {0};
    int64_t west;
    if (!take_name(&text) || !take_time(&text, &west))
        return false;
    rule.standard_s = -west;
    rule.has_summer = text.len > 0;
    if (rule.has_summer) {
        if (!take_name(&text))
            return false;
        rule.summer_s = rule.standard_s + HOUR_S;
        if (text.len > 0 && text.ptr[0] != ',') {
            if (!take_time(&text, &west))
                return false;
            rule.summer_s = -west;
        }
        if (!take_change(&text, &rule.begins) || !take_change(&text, &rule.ends))
            return false;
    }
    *ret_rule = rule;
    return text.len == 0;
}

/* ---- The file ---- */

struct reader {
    const unsigned char *at;
    size_t left;
};

static bool skip(struct reader *r, uint64_t n)
{
    if (n > r->left)
        return false;
    r->at += n;
    r->left -= (size_t)n;
    return true;
}

static int64_t read_int(const unsigned char *at, size_t size)
{
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

enum { HEADER_BYTES = 44, TYPE_BYTES = 6 };
struct header {
    uint64_t version, is_ut, is_std, leaps, times, types, chars;
};

static bool read_header(struct reader *r, struct header *ret_header)
{
    const unsigned char *at = r->at;
    if (!skip(r, HEADER_BYTES) || memcmp(at, "TZif", 4) != 0)
        return false;
    uint64_t counts[6];
    for (size_t i = 0; i < 6; i++)
        counts[i] = (uint64_t)read_int(at + 20 + 4 * i, 4) & UINT32_MAX;
    *ret_header = (struct header){at[4],     counts[0], counts[1], counts[2],
                                  counts[3], counts[4], counts[5]};
    return counts[4] > 0;
}

static bool skip_rest(struct reader *r, const struct header *h, uint64_t time_bytes)
{
    return skip(r, h->chars) && skip(r, h->leaps * (time_bytes + 4)) && skip(r, h->is_std) &&
           skip(r, h->is_ut);
}

static bool read_transitions(struct reader *r, struct arena *arena, const struct header *h,
                             struct zone *zone)
{
    const unsigned char *times = r->at, *indexes, *types;
    if (!skip(r, h->times * 8))
        return false;
    indexes = r->at;
    if (!skip(r, h->times))
        return false;
    types = r->at;
    if (!skip(r, h->types * TYPE_BYTES))
        return false;
    int64_t *to_times = arena_alloc(arena, (size_t)(h->times + 1) * sizeof *to_times);
    int64_t *to_offsets = arena_alloc(arena, (size_t)(h->times + 1) * sizeof *to_offsets);
    for (size_t i = 0; i < h->times; i++) {
        if (indexes[i] >= h->types)
            return false;
        to_times[i] = read_int(times + 8 * i, 8);
        to_offsets[i] = read_int(types + TYPE_BYTES * (size_t)indexes[i], 4);
        if (i > 0 && to_times[i] <= to_times[i - 1])
            return false;
    }
    zone->n = (size_t)h->times;
    zone->times = to_times;
    zone->offsets = to_offsets;
    zone->first_offset = read_int(types, 4);
    return true;
}

/* A file holds the transitions twice; the second time with 64 bits, and with the rule behind. */
static bool parse_file(struct arena *arena, struct str bytes, struct zone *zone)
{
    struct reader r = {(const unsigned char *)bytes.ptr, bytes.len};
    struct header h;
    struct str footer;
    if (!read_header(&r, &h) || h.version < '2' ||
        !skip(&r, h.times * 5 + h.types * TYPE_BYTES) || !skip_rest(&r, &h, 4) ||
        !read_header(&r, &h) || !read_transitions(&r, arena, &h, zone) || !skip_rest(&r, &h, 8))
        return false;
    footer = (struct str){(const char *)r.at, r.left};
    if (!take_char(&footer, '\n') || footer.len == 0 || footer.ptr[footer.len - 1] != '\n')
        return false;
    footer.len--;
    zone->has_rule = footer.len > 0;
    return !zone->has_rule || parse_rule(footer, &zone->rule);
}

/* Only names can pass that stay inside the folder: no dot, no slash in front. */
static bool name_is_safe(struct str name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\0' || !strchr(allowed, name.ptr[i]))
            return false;
    }
    return name.len >= 1 && name.ptr[0] != '/';
}

static bool read_file(struct arena *arena, struct str name, struct str *ret_bytes)
{
    char path[128];
    struct buf buf;
    ssize_t n;

    int n_path = snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    if (n_path >= (int)sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    buf_init(&buf, arena);
    while ((n = read(fd, buf_reserve(&buf, 4096), 4096)) > 0 && buf.len <= ZONE_FILE_MAX_BYTES)
        buf.len += (size_t)n;
    close(fd);
    *ret_bytes = buf_str(&buf);
    return n == 0;
}

const struct zone *zone_load(struct arena *arena, struct str name)
{
    struct zone *zone = arena_zalloc(arena, sizeof *zone);
    struct str bytes;

    if (str_is(name, "UTC"))
        return zone;
    if (!name_is_safe(name) || !read_file(arena, name, &bytes) ||
        !parse_file(arena, bytes, zone))
        return NULL;
    return zone;
}

/* ---- The calendar ---- */

/* Rounded down. */
static int64_t divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* The day on which the change of this year falls. */
static int64_t change_day(const struct change *change, int64_t year)
{
    int64_t first = clock_day(year, 1, 1);
    bool leap = clock_day(year, 3, 1) - clock_day(year, 2, 1) == 29;

    switch (change->kind) {
    case BY_WEEK: {
        int64_t month = clock_day(year, change->month, 1);
        int64_t next = change->month == 12 ? clock_day(year + 1, 1, 1)
                                           : clock_day(year, change->month + 1, 1);
        int64_t weekday = ((month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        int64_t day = month + (change->weekday - weekday + 7) % 7 + 7 * (change->week - 1);
        return day < next ? day : day - 7;
    }
    case BY_DAY:
        return first + change->day - 1 + (leap && change->day >= 60);
    case BY_DAY_LEAP:
        return first + change->day;
    }
    return first;
}

/* A stretch of time with one offset: from begin (inclusive) to end (exclusive), in seconds. */
struct stretch {
    int64_t begin, end, offset;
};

/* By the rule: the last change at or before time_s, and the next one after it. Changes of two years
 * around are looked at, for local time may be in another year. */
static struct stretch by_rule(const struct rule *rule, int64_t time_s)
{
    struct stretch s = {INT64_MIN, INT64_MAX, rule->standard_s};
    int64_t year, month, day;

    if (!rule->has_summer)
        return s;
    clock_date(divide(time_s, DAY_S), &year, &month, &day);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct {
            int64_t at, offset;
        } changes[] = {
            {change_day(&rule->begins, y) * DAY_S + rule->begins.at_s - rule->standard_s,
             rule->summer_s},
            {change_day(&rule->ends, y) * DAY_S + rule->ends.at_s - rule->summer_s,
             rule->standard_s},
        };
        for (size_t i = 0; i < 2; i++) {
            if (changes[i].at <= time_s && changes[i].at >= s.begin) {
                s.begin = changes[i].at;
                s.offset = changes[i].offset;
            } else if (changes[i].at > time_s && changes[i].at < s.end) {
                s.end = changes[i].at;
            }
        }
    }
    return s;
}

static struct stretch stretch_at(const struct zone *zone, int64_t time_s)
{
    size_t low = 0, high = zone->n; /* how many transitions are at or before */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->times[middle] <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->n && zone->has_rule) {
        struct stretch s = by_rule(&zone->rule, time_s);
        if (zone->n > 0 && s.begin < zone->times[zone->n - 1])
            s.begin = zone->times[zone->n - 1];
        return s;
    }
    return (struct stretch){
        .begin = low > 0 ? zone->times[low - 1] : INT64_MIN,
        .end = low < zone->n ? zone->times[low] : INT64_MAX,
        .offset = low > 0 ? zone->offsets[low - 1] : zone->first_offset,
    };
}

int64_t zone_offset_s(const struct zone *zone, int64_t time_ms)
{
    return stretch_at(zone, divide(time_ms, SECOND_MS)).offset;
}

int64_t zone_day_start_ms(const struct zone *zone, int64_t day)
{
    /* Nowhere is local time more than a day and a few hours ahead. */
    int64_t at = (day - 2) * DAY_S;
    for (;;) {
        struct stretch s = stretch_at(zone, at);
        int64_t midnight = day * DAY_S - s.offset;
        if (midnight < at)
            midnight = at;
        if (midnight < s.end)
            return midnight * SECOND_MS;
        at = s.end;
    }
}

int64_t zone_day(const struct zone *zone, int64_t time_ms)
{
    int64_t day = divide(time_ms + zone_offset_s(zone, time_ms) * SECOND_MS, DAY_MS);
    /* About a midnight that comes twice the later day has begun already. */
    while (zone_day_start_ms(zone, day + 1) <= time_ms)
        day++;
    return day;
}
