/* Clocks, and RFC 3339 in both directions. The calendar is computed here because gmtime_r and
 * timegm cost more than the rest of a line, and strptime knows neither fractions nor offsets. */
#include "base/clock.h"

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

struct timespec clock_mono_after(int64_t delay_ms)
{
    int64_t at_us = read_us(CLOCK_MONOTONIC) + delay_ms * 1000;
    return (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
}

/* The Gregorian calendar repeats every 400 years, or 146,097 days; counting years from 1 March puts
 * the leap day last. Day 0 is 1 January 1970, which is day 719,468 from 1 March of the year 0. */
enum { ERA_DAYS = 146097, EPOCH_DAY = 719468 };

int64_t clock_day(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2)
        year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_DAY;
}

void clock_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += EPOCH_DAY;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static char *put_digits(char *at, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static char *put_date(char *at, int64_t days)
{
    int64_t year, month, day;
    clock_date(days, &year, &month, &day);
    at = put_digits(at, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, day, 2);
}

struct str clock_format_date(int64_t day, char text[static CLOCK_TEXT_SIZE])
{
    char *end = put_date(text, day);
    *end = '\0';
    return (struct str){text, (size_t)(end - text)};
}

struct str clock_format(int64_t time_ms, char text[static CLOCK_TEXT_SIZE])
{
    /* RFC 3339 has four digits for the year. */
    static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;
    if (time_ms < first_ms)
        time_ms = first_ms;
    if (time_ms > last_ms)
        time_ms = last_ms;

    int64_t days = time_ms / DAY_MS;
    int64_t rest = time_ms % DAY_MS;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    char *at = put_date(text, days);
    *at++ = 'T';
    at = put_digits(at, rest / HOUR_MS, 2);
    *at++ = ':';
    at = put_digits(at, rest / MINUTE_MS % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest / SECOND_MS % 60, 2);
    *at++ = '.';
    at = put_digits(at, rest % SECOND_MS, 3);
    *at++ = 'Z';
    *at = '\0';
    return (struct str){text, (size_t)(at - text)};
}

/* The take_ functions cut what they understood off the front of *s. */
static bool take_char(struct str *s, const char *allowed, char *ret_taken)
{
    if (s->len == 0)
        return false;
    for (; *allowed; allowed++) {
        if (s->ptr[0] == *allowed) {
            *ret_taken = *allowed;
            *s = (struct str){s->ptr + 1, s->len - 1};
            return true;
        }
    }
    return false;
}

static bool take_digits(struct str *s, size_t count, int64_t *ret_value)
{
    if (s->len < count)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        value = value * 10 + (s->ptr[i] - '0');
    }
    *s = (struct str){s->ptr + count, s->len - count};
    *ret_value = value;
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct str *s, int64_t *ret_days)
{
    int64_t year, month, day;
    char dash;
    if (!take_digits(s, 4, &year) || !take_char(s, "-", &dash) || !take_digits(s, 2, &month) ||
        !take_char(s, "-", &dash) || !take_digits(s, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = clock_day(year, month, day);
    return true;
}

/* Any number of digits, of which three count. */
static bool take_fraction(struct str *s, int64_t *ret_ms)
{
    int64_t ms = 0, unit = 100, digit;
    size_t before = s->len;
    while (take_digits(s, 1, &digit)) {
        ms += digit * unit;
        unit /= 10;
    }
    *ret_ms = ms;
    return s->len < before;
}

static bool take_time(struct str *s, int64_t *ret_ms)
{
    int64_t hour, minute, second, fraction_ms = 0;
    char mark;
    if (!take_digits(s, 2, &hour) || !take_char(s, ":", &mark) || !take_digits(s, 2, &minute) ||
        !take_char(s, ":", &mark) || !take_digits(s, 2, &second))
        return false;
    /* A leap second is the first of the next minute, as for the kernel. */
    if (hour > 23 || minute > 59 || second > (minute == 59 ? 60 : 59))
        return false;
    if (take_char(s, ".", &mark) && !take_fraction(s, &fraction_ms))
        return false;
    *ret_ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction_ms;
    return true;
}

static bool take_offset(struct str *s, int64_t *ret_ms)
{
    char sign, colon;
    int64_t hours, minutes;
    if (!take_char(s, "Zz+-", &sign))
        return false;
    if (sign == 'Z' || sign == 'z') {
        *ret_ms = 0;
        return true;
    }
    if (!take_digits(s, 2, &hours) || !take_char(s, ":", &colon) || !take_digits(s, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (sign == '-' ? -1 : 1);
    return true;
}

bool clock_parse(struct str s, int64_t *ret_ms)
{
    int64_t days, time_ms = 0, offset_ms = 0;
    char mark;
    if (!take_date(&s, &days))
        return false;
    if (s.len > 0 && (!take_char(&s, "Tt ", &mark) || !take_time(&s, &time_ms) ||
                      !take_offset(&s, &offset_ms) || s.len > 0))
        return false;
    *ret_ms = days * DAY_MS + time_ms - offset_ms;
    return true;
}

bool clock_parse_date(struct str s, int64_t *ret_day)
{
    int64_t day;
    if (!take_date(&s, &day) || s.len > 0)
        return false;
    *ret_day = day;
    return true;
}
