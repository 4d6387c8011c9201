/* Counts calls as they are answered, and samples what is not counted but read, for /metrics
 * (metrics_text.c). The series are as many as the route table has rows, whatever clients send. */
#ifndef SERVERY_API_METRICS_H
#define SERVERY_API_METRICS_H

#include "base/metric.h"
#include "net/http.h"
#include "store/gauges.h"

struct call;
struct metrics;

struct metrics *metrics_create(int loops);     /* http_options.io_threads */
void metrics_destroy(struct metrics *metrics); /* NULL is fine */

/* http_options.measure; ctx is the api. Neither locks nor allocates. */
void metrics_measure(const struct http_call *http);

void metrics_login_failed(struct metrics *metrics); /* any thread */

/* ---- What was counted; any thread, while it goes on ---- */

enum { METRICS_CLASSES = 4 }; /* of status: 2xx, 3xx, 4xx, 5xx */

extern const struct metric_scale METRICS_SCALE; /* of the time that calls took, in microseconds */

struct metrics_row {
    int64_t classes[METRICS_CLASSES];
    struct metric_reading time;
};

/* A row for each of ROUTES, then for what none matches one a method. */
size_t metrics_rows(void);
void metrics_read_row(const struct metrics *metrics, size_t i, struct metrics_row *ret_row);

struct metrics_totals {
    int64_t started_ms; /* when the server began */
    int64_t rate_limited, login_failures;
};
void metrics_read_totals(const struct metrics *metrics, struct metrics_totals *ret_totals);

/* What is not counted but read: the last sample if it is fresh or somebody is taking one, else a
 * new one. */
struct metrics_sample {
    bool database_up; /* else nothing is in gauges */
    struct gauges gauges;
    int64_t resident_bytes, open_fds; /* -1: unknown */
};
struct metrics_sample metrics_sample(struct call *c);

#endif
