/* What /metrics is made of: histograms that any thread adds to (relaxed atomics: no lock, no
 * memory), and the text that they and plain numbers are shown in (Prometheus text format 0.0.4).
 * Counters are atomic integers of whoever counts. */
#ifndef SERVERY_BASE_METRIC_H
#define SERVERY_BASE_METRIC_H

#include "base/buf.h"

enum { METRIC_BOUNDS_MAX = 8 };

/* Observed and kept are integers; `decimals` of their digits are shown behind the point: 6 shows
 * microseconds as seconds. */
struct metric_scale {
    int64_t bounds[METRIC_BOUNDS_MAX]; /* rising; a value equal to one belongs to it */
    size_t n;
    int decimals;
};

struct metric_histogram {
    _Atomic int64_t counts[METRIC_BOUNDS_MAX + 1]; /* the last used one: above all bounds */
    _Atomic int64_t sum;
};

/* What a histogram held when it was read; several of one scale add up. */
struct metric_reading {
    int64_t counts[METRIC_BOUNDS_MAX + 1], sum;
};

void metric_observe(struct metric_histogram *histogram, const struct metric_scale *scale,
                    int64_t value);
void metric_read_add(const struct metric_histogram *histogram, struct metric_reading *reading);

/* ---- The text ---- */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* HELP and TYPE, once before a family's samples. Names, helps and labels are constants of the
 * program: without a quote, a backslash or a newline beyond those of the label syntax. */
void metric_family(struct buf *out, const char *name, enum metric_type type, const char *help);

/* labels: `a="x",b="y"`; "" is none. */
void metric_sample(struct buf *out, const char *name, const char *labels, int64_t value,
                   int decimals);
void metric_buckets(struct buf *out, const char *name, const char *labels,
                    const struct metric_scale *scale, const struct metric_reading *reading);

/* A family of one sample without labels. */
void metric_put(struct buf *out, const char *name, enum metric_type type, const char *help,
                int64_t value);

#endif
