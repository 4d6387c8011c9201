/* Whether the shop can be served, for who asks /readyz: a thread of its own looks at the database
 * when somebody asks. However long that says nothing, who asks has his answer within `wait_ms`: a
 * proxy does not wait for ever either. */
#ifndef SERVERY_API_HEALTH_H
#define SERVERY_API_HEALTH_H

#include "store/store.h"

struct health;

struct health *health_create(struct store *store, int64_t wait_ms);
void health_stop(struct health *health);    /* before the store is closed; NULL is fine */
void health_destroy(struct health *health); /* NULL is fine */

enum health_found {
    HEALTH_READY,     /* it answers, and has the program's version */
    HEALTH_NOT_READY, /* it refuses, or has another */
    HEALTH_SILENT,    /* it has given no answer in time */
};

/* By a look that began at `since_us` (monotonic: when the question came) or later, which all share
 * who ask meanwhile. Any thread but a loop's. */
enum health_found health_look(struct health *health, int64_t since_us);

#endif
