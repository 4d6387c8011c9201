/* The upkeep thread: what time alone makes due. It releases holds whose time is over, asks a remote
 * payment provider about payments it has told nothing about (the reconciler), gives up those whose
 * provider is no longer configured, and forgets old rows. */
#ifndef SERVERY_JOBS_UPKEEP_H
#define SERVERY_JOBS_UPKEEP_H

#include "pay/pay.h"

struct upkeep;

struct upkeep_options {
    struct pay pay;
};

/* Starts the thread; what the options point to outlives it. */
struct upkeep *upkeep_create(const struct upkeep_options *options);

/* Stops and joins; waits at most for the call to a provider that is under way. NULL is fine. */
void upkeep_destroy(struct upkeep *upkeep);

#endif
