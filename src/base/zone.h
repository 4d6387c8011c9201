/* Local time of any zone of the tz database: where each day begins. The C library knows one zone a
 * process; here each is a value of its own, read by GLib, which any thread may use. */
#ifndef SERVERY_BASE_ZONE_H
#define SERVERY_BASE_ZONE_H

#include "base/str.h"

struct zone;

/* Once, before the first zone: what GLib cannot go on from, which is want of memory, ends the
 * process as that does everywhere. */
void zone_init(void);

/* NULL if this machine has no zone of that name, as in Africa/Lagos. UTC is always there. */
struct zone *zone_create(struct str name);
void zone_destroy(struct zone *zone); /* NULL is fine */

/* Seconds to add to UTC. */
int64_t zone_offset_s(const struct zone *zone, int64_t time_ms);

/* Days are counted from 1970-01-01. The day that it is there. */
int64_t zone_day(const struct zone *zone, int64_t time_ms);

/* The first moment of a day: midnight, or later where clocks are put forward at midnight; of a day
 * that a zone has left out, that of the next one. So a day lasts from here to the start of the next
 * one: 24 hours, or 23 or 25, or none. Times that occur twice about midnight belong to one day. */
int64_t zone_day_start_ms(const struct zone *zone, int64_t day);

#endif
