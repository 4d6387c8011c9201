#include "base/metric.h"

#include <assert.h>
#include <stdatomic.h>

void metric_observe(struct metric_histogram *histogram, const struct metric_scale *scale,
                    int64_t value)
{
    size_t i = 0;

    assert(scale->n <= METRIC_BOUNDS_MAX);
    while (i < scale->n && value > scale->bounds[i])
        i++;
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void metric_read_add(const struct metric_histogram *histogram, struct metric_reading *reading)
{
    for (size_t i = 0; i <= METRIC_BOUNDS_MAX; i++)
        reading->counts[i] += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    reading->sum += atomic_load_explicit(&histogram->sum, memory_order_relaxed);
}

void metric_family(struct buf *out, const char *name, enum metric_type type, const char *help)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

/* Without zeros at the end of the decimals. */
static void put_number(struct buf *out, int64_t value, int decimals)
{
    int64_t unit = 1;

    for (int i = 0; i < decimals; i++)
        unit *= 10;
    if (value < 0) {
        buf_put_char(out, '-');
        value = -value;
    }
    buf_put_int(out, value / unit);
    int64_t rest = value % unit;
    if (rest == 0)
        return;
    for (; rest % 10 == 0; rest /= 10)
        decimals--;
    buf_printf(out, ".%0*lld", decimals, (long long)rest);
}

static void put_sample(struct buf *out, const char *name, const char *suffix, const char *labels,
                       int64_t value, int decimals)
{
    buf_put_cstr(out, name);
    buf_put_cstr(out, suffix);
    if (*labels)
        buf_printf(out, "{%s}", labels);
    buf_put_char(out, ' ');
    put_number(out, value, decimals);
    buf_put_char(out, '\n');
}

void metric_sample(struct buf *out, const char *name, const char *labels, int64_t value,
                   int decimals)
{
    put_sample(out, name, "", labels, value, decimals);
}

void metric_buckets(struct buf *out, const char *name, const char *labels,
                    const struct metric_scale *scale, const struct metric_reading *reading)
{
    int64_t count = 0;

    /* The count is made of the buckets, so that they agree whoever observes meanwhile. */
    for (size_t i = 0; i <= scale->n; i++) {
        count += reading->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"", name, labels, *labels ? "," : "");
        if (i < scale->n)
            put_number(out, scale->bounds[i], scale->decimals);
        else
            buf_put_cstr(out, "+Inf");
        buf_put_cstr(out, "\"} ");
        buf_put_int(out, count);
        buf_put_char(out, '\n');
    }
    put_sample(out, name, "_sum", labels, reading->sum, scale->decimals);
    put_sample(out, name, "_count", labels, count, 0);
}

void metric_put(struct buf *out, const char *name, enum metric_type type, const char *help,
                int64_t value)
{
    metric_family(out, name, type, help);
    metric_sample(out, name, "", value, 0);
}
