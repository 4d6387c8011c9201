#include "api/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/call.h"
#include "api/health.h"
#include "api/routes.h"
#include "base/clock.h"

/* Scrapes that come faster share what was read for one of them. */
enum { SAMPLE_MS = 1000 };

enum { UNMATCHED = HTTP_OTHER + 1 };

const struct metric_scale METRICS_SCALE = {
    {1000, 5000, 20000, 100000, 500000, 2500000, 10000000}, 7, 6};

struct row {
    _Atomic int64_t classes[METRICS_CLASSES];
    struct metric_histogram time;
};

/* A loop's own counters: no other thread's writes slow its own down. */
struct shard {
    _Atomic int64_t rate_limited;
    struct row rows[];
};

struct metrics {
    int64_t started_ms;
    _Atomic int64_t login_failures;
    pthread_mutex_t lock; /* guards these three */
    struct metrics_sample sample;
    int64_t sampled_ms; /* monotonic; 0: never */
    bool sampling;
    int n_shards;
    struct shard *shards[];
};

/* ---- Counting ---- */

size_t metrics_rows(void)
{
    return ROUTES_N + UNMATCHED;
}

struct metrics *metrics_create(int loops)
{
    struct metrics *metrics = mem_zalloc(sizeof *metrics + (size_t)loops * sizeof *metrics->shards);

    metrics->started_ms = clock_now_ms();
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->n_shards = loops;
    for (int i = 0; i < loops; i++)
        metrics->shards[i] = mem_zalloc(sizeof(struct shard) + metrics_rows() * sizeof(struct row));
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (int i = 0; i < metrics->n_shards; i++)
        free(metrics->shards[i]);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

void metrics_measure(const struct http_call *http)
{
    const struct api *api = http->ctx;
    struct shard *shard = api->metrics->shards[http->loop];
    size_t i = http->route ? (size_t)((const struct route *)http->route - ROUTES)
                           : ROUTES_N + (size_t)http->method;
    struct row *row = &shard->rows[i];
    int class = http->response.status / 100 - 2;

    if (class >= 0 && class < METRICS_CLASSES)
        atomic_fetch_add_explicit(&row->classes[class], 1, memory_order_relaxed);
    if (http->response.status == 429)
        atomic_fetch_add_explicit(&shard->rate_limited, 1, memory_order_relaxed);
    metric_observe(&row->time, &METRICS_SCALE, clock_mono_us() - http->started_us);
}

void metrics_login_failed(struct metrics *metrics)
{
    atomic_fetch_add_explicit(&metrics->login_failures, 1, memory_order_relaxed);
}

/* ---- Reading ---- */

void metrics_read_row(const struct metrics *metrics, size_t i, struct metrics_row *ret_row)
{
    *ret_row = (struct metrics_row){0};
    for (int s = 0; s < metrics->n_shards; s++) {
        const struct row *row = &metrics->shards[s]->rows[i];
        for (int class = 0; class < METRICS_CLASSES; class ++)
            ret_row->classes[class] +=
                atomic_load_explicit(&row->classes[class], memory_order_relaxed);
        metric_read_add(&row->time, &ret_row->time);
    }
}

void metrics_read_totals(const struct metrics *metrics, struct metrics_totals *ret_totals)
{
    *ret_totals = (struct metrics_totals){
        .started_ms = metrics->started_ms,
        .login_failures = atomic_load_explicit(&metrics->login_failures, memory_order_relaxed),
    };
    for (int s = 0; s < metrics->n_shards; s++)
        ret_totals->rate_limited +=
            atomic_load_explicit(&metrics->shards[s]->rate_limited, memory_order_relaxed);
}

/* ---- Sampling ---- */

static int64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int64_t n = 0;

    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 3; /* ".", ".." and the directory's own */
}

static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long pages = -1;

    if (!file)
        return -1;
    if (fscanf(file, "%*s %lld", &pages) != 1)
        pages = -1;
    fclose(file);
    return pages < 0 ? -1 : (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void take_sample(struct call *c, struct metrics_sample *ret_sample)
{
    *ret_sample =
        (struct metrics_sample){.resident_bytes = resident_bytes(), .open_fds = count_fds()};
    /* A scrape waits no longer for a silent database than a proxy. */
    ret_sample->database_up =
        health_look(c->api->health, c->http->started_us) != HEALTH_SILENT &&
        store_read(c->api->store, c->arena, gauges_read, &ret_sample->gauges) == ERR_OK;
}

struct metrics_sample metrics_sample(struct call *c)
{
    struct metrics *metrics = c->api->metrics;
    int64_t now_ms = clock_mono_ms();

    pthread_mutex_lock(&metrics->lock);
    struct metrics_sample sample = metrics->sample;
    bool usable =
        metrics->sampled_ms != 0 && (metrics->sampling || now_ms < metrics->sampled_ms + SAMPLE_MS);
    if (!usable)
        metrics->sampling = true;
    pthread_mutex_unlock(&metrics->lock);
    if (usable)
        return sample;
    take_sample(c, &sample);
    pthread_mutex_lock(&metrics->lock);
    metrics->sample = sample;
    metrics->sampled_ms = clock_mono_ms();
    metrics->sampling = false;
    pthread_mutex_unlock(&metrics->lock);
    return sample;
}
