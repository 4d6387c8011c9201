/* Counts calls as they are answered, and shows under /metrics all that the program counts, in the
 * Prometheus text format. The series are as many as the route table has rows, whatever clients send. */
#ifndef SERVERY_API_METRICS_H
#define SERVERY_API_METRICS_H

#include "net/http.h"

struct metrics;

struct metrics *metrics_create(int loops); /* http_options.io_threads */
void metrics_destroy(struct metrics *metrics); /* NULL is fine */

/* http_options.measure; ctx is the api. Neither locks nor allocates. */
void metrics_measure(const struct http_call *http);

void metrics_login_failed(struct metrics *metrics); /* any thread */

#endif
