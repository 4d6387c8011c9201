/* So many calls a minute for each client, by the generic cell rate algorithm (ITU-T I.371): one
 * timestamp a client. The table has a fixed size; when a set is full, the client that has waited
 * longest is forgotten first, so a flood of addresses forgives only those who did little. */
#ifndef SERVERY_API_RATE_LIMIT_H
#define SERVERY_API_RATE_LIMIT_H

#include "base/str.h"

struct rate_limit;

struct rate_state {
    bool allowed;
    int64_t limit;     /* calls in window_ms */
    int64_t remaining; /* how many more at once */
    int64_t window_ms;
    int64_t reset_ms; /* until all are available again */
    int64_t retry_ms; /* until the next one is allowed; 0 if allowed */
};

/* `name` is the policy's in the RateLimit headers; per_minute at least 1. */
struct rate_limit *rate_limit_create(const char *name, int64_t per_minute);
void rate_limit_destroy(struct rate_limit *limit);
const char *rate_limit_name(const struct rate_limit *limit);

/* Counts one call of `key` (client_key) at the monotonic time now_ms. Any thread. */
struct rate_state rate_limit_take(struct rate_limit *limit, struct str key, int64_t now_ms);

#endif
