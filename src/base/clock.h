/* Time is milliseconds since 1970 UTC in an int64_t named …_ms. Rules and transactions take it as
 * an argument; only handlers and jobs read the clock. */
#ifndef SERVERY_BASE_CLOCK_H
#define SERVERY_BASE_CLOCK_H

#include "base/str.h"

#include <time.h>

enum { CLOCK_TEXT_SIZE = 32 };
#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

int64_t clock_now_ms(void);  /* wall clock */
int64_t clock_mono_ms(void); /* for intervals and deadlines inside the process */
int64_t clock_mono_us(void);

/* The monotonic time in so many milliseconds, for pthread_cond_clockwait. */
struct timespec clock_mono_after(int64_t delay_ms);

/* RFC 3339 in UTC with milliseconds, as in 2026-11-22T18:40:00.000Z. Returns the view of text. */
struct str clock_format(int64_t time_ms, char text[static CLOCK_TEXT_SIZE]);

/* RFC 3339 date-time, any offset, or a plain date (midnight UTC). */
bool clock_parse(struct str s, int64_t *ret_ms);

/* ---- The calendar: days are counted from 1970-01-01 ---- */

int64_t clock_day(int64_t year, int64_t month, int64_t day);
void clock_date(int64_t days, int64_t *year, int64_t *month, int64_t *day);

/* 2026-11-22, of the years 0 to 9999, and nothing else. */
struct str clock_format_date(int64_t day, char text[static CLOCK_TEXT_SIZE]);
bool clock_parse_date(struct str s, int64_t *ret_day);

#endif
