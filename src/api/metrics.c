#include "api/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/client.h"
#include "api/handlers.h"
#include "api/passwords.h"
#include "api/routes.h"
#include "base/clock.h"
#include "store/gauges.h"

/* Scrapes that come faster share what was read for one of them. */
enum { SAMPLE_MS = 1000 };

/* A row for each route, and for what none matches one a method. */
enum { CLASSES = 4, UNMATCHED = HTTP_OTHER + 1 };

static const struct metric_scale TIME = {
    {1000, 5000, 20000, 100000, 500000, 2500000, 10000000}, 7, 6};

struct row {
    _Atomic int64_t classes[CLASSES];
    struct metric_histogram time;
};

/* A loop's own counters: no other thread's writes slow its own down. */
struct shard {
    _Atomic int64_t rate_limited;
    struct row rows[];
};

/* What is not counted but read. */
struct sample {
    bool database_up;
    struct gauges gauges;
    int64_t resident_bytes, open_fds; /* -1: unknown */
};

struct metrics {
    int64_t started_ms;
    _Atomic int64_t login_failures;
    pthread_mutex_t lock; /* guards these three */
    struct sample sample;
    int64_t sampled_ms; /* monotonic; 0: never */
    bool sampling;
    int n_shards;
    struct shard *shards[];
};

/* ---- Counting ---- */

static size_t n_rows(void)
{
    return ROUTES_N + UNMATCHED;
}

struct metrics *metrics_create(int loops)
{
    struct metrics *metrics =
        mem_zalloc(sizeof *metrics + (size_t)loops * sizeof *metrics->shards);

    metrics->started_ms = clock_now_ms();
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->n_shards = loops;
    for (int i = 0; i < loops; i++)
        metrics->shards[i] = mem_zalloc(sizeof(struct shard) + n_rows() * sizeof(struct row));
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

    if (class >= 0 && class < CLASSES)
        atomic_fetch_add_explicit(&row->classes[class], 1, memory_order_relaxed);
    if (http->response.status == 429)
        atomic_fetch_add_explicit(&shard->rate_limited, 1, memory_order_relaxed);
    metric_observe(&row->time, &TIME, clock_mono_us() - http->started_us);
}

void metrics_login_failed(struct metrics *metrics)
{
    atomic_fetch_add_explicit(&metrics->login_failures, 1, memory_order_relaxed);
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

static void take_sample(struct call *c, struct sample *ret_sample)
{
    *ret_sample = (struct sample){.resident_bytes = resident_bytes(), .open_fds = count_fds()};
    ret_sample->database_up =
        store_read(c->api->store, c->arena, gauges_read, &ret_sample->gauges) == ERR_OK;
}

/* The last sample if it is fresh or somebody is taking one, else a new one. */
static struct sample sample(struct call *c)
{
    struct metrics *metrics = c->api->metrics;
    int64_t now_ms = clock_mono_ms();

    pthread_mutex_lock(&metrics->lock);
    struct sample sample = metrics->sample;
    bool usable = metrics->sampled_ms != 0 &&
                  (metrics->sampling || now_ms < metrics->sampled_ms + SAMPLE_MS);
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

/* ---- Showing ---- */

static const char *const METHODS[] = {
    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "other"};

static struct str row_labels(struct arena *arena, size_t i)
{
    const struct http_route *route = i < ROUTES_N ? &ROUTES[i].http : NULL;

    return arena_printf(arena, "route=\"%s\",method=\"%s\"", route ? route->pattern : "unmatched",
                        METHODS[route ? route->method : i - ROUTES_N]);
}

static void put_requests(struct call *c, struct buf *out)
{
    static const char name[] = "servery_http_requests_total";
    const struct metrics *metrics = c->api->metrics;

    metric_family(out, name, METRIC_COUNTER,
                  "Calls answered, by route, method and class of status. HEAD counts as its GET.");
    for (size_t i = 0; i < n_rows(); i++) {
        struct str labels = row_labels(c->arena, i);
        for (int class = 0; class < CLASSES; class++) {
            int64_t n = 0;
            for (int s = 0; s < metrics->n_shards; s++)
                n += atomic_load_explicit(&metrics->shards[s]->rows[i].classes[class],
                                          memory_order_relaxed);
            metric_sample(out, name,
                          arena_printf(c->arena, STR_FMT ",status=\"%dxx\"", STR_ARG(labels),
                                       class + 2).ptr,
                          n, 0);
        }
    }
}

static void put_durations(struct call *c, struct buf *out)
{
    static const char name[] = "servery_http_request_duration_seconds";
    const struct metrics *metrics = c->api->metrics;

    metric_family(out, name, METRIC_HISTOGRAM,
                  "Time from a whole request to its answer (of an event stream, to its begin).");
    for (size_t i = 0; i < n_rows(); i++) {
        struct metric_reading reading = {0};
        for (int s = 0; s < metrics->n_shards; s++)
            metric_read_add(&metrics->shards[s]->rows[i].time, &reading);
        metric_buckets(out, name, row_labels(c->arena, i).ptr, &TIME, &reading);
    }
}

static void put_lanes(struct buf *out, const char *name, enum metric_type type, const char *help,
                      const int64_t values[static HTTP_LANES])
{
    static const char *const labels[HTTP_LANES] = {[HTTP_LANE_READ] = "lane=\"read\"",
                                                   [HTTP_LANE_WRITE] = "lane=\"write\"",
                                                   [HTTP_LANE_HASH] = "lane=\"hash\""};

    metric_family(out, name, type, help);
    for (int lane = HTTP_LANE_READ; lane < HTTP_LANES; lane++)
        metric_sample(out, name, labels[lane], values[lane], 0);
}

static void put_server(struct call *c, struct buf *out)
{
    const struct metrics *metrics = c->api->metrics;
    struct http_stats stats;
    int64_t limited = 0;

    http_server_stats(c->http->server, &stats);
    for (int s = 0; s < metrics->n_shards; s++)
        limited += atomic_load_explicit(&metrics->shards[s]->rate_limited, memory_order_relaxed);
    metric_put(out, "servery_http_rate_limited_total", METRIC_COUNTER, "Calls answered 429.",
               limited);
    metric_put(out, "servery_http_requests_shed_total", METRIC_COUNTER,
               "Requests dropped half read, to make room for whole ones.", stats.shed);
    metric_put(out, "servery_http_connections", METRIC_GAUGE, "Open connections.",
               stats.connections);
    metric_put(out, "servery_http_event_streams", METRIC_GAUGE, "Open event streams.",
               stats.streams);
    put_lanes(out, "servery_http_queue_depth", METRIC_GAUGE, "Calls that wait for a worker.",
              stats.queued);
    put_lanes(out, "servery_http_running", METRIC_GAUGE, "Calls that a worker runs.",
              stats.running);
    put_lanes(out, "servery_http_queue_full_total", METRIC_COUNTER,
              "Calls answered 503 because too many waited for a worker.", stats.queue_full);
}

static void put_histogram(struct buf *out, const char *name, const char *help,
                          const struct metric_scale *scale, const struct metric_reading *reading)
{
    metric_family(out, name, METRIC_HISTOGRAM, help);
    metric_buckets(out, name, "", scale, reading);
}

static void put_store(struct call *c, struct buf *out, bool database_up)
{
    struct store_stats stats;

    store_stats(c->api->store, &stats);
    metric_put(out, "servery_database_up", METRIC_GAUGE,
               "1 if the database answered; else what is read from it is missing here.",
               database_up);
    if (stats.database_bytes >= 0)
        metric_put(out, "servery_database_size_bytes", METRIC_GAUGE,
                   "Size of the database file.", stats.database_bytes);
    if (stats.log_bytes >= 0)
        metric_put(out, "servery_database_log_size_bytes", METRIC_GAUGE,
                   "Size of the write-ahead log.", stats.log_bytes);
    metric_put(out, "servery_store_commits_total", METRIC_COUNTER,
               "Commits, each of all writes that waited.", stats.commits);
    metric_put(out, "servery_store_commits_failed_total", METRIC_COUNTER,
               "Batches of writes lost whole: full disk, I/O error.", stats.failed_commits);
    metric_put(out, "servery_store_writes_total", METRIC_COUNTER,
               "Write transactions run, refused ones included.", stats.jobs);
    metric_put(out, "servery_store_writes_refused_total", METRIC_COUNTER,
               "Writes answered 503 because too many waited for the writer.", stats.refused);
    put_histogram(out, "servery_store_commit_jobs", "Write transactions in a commit.",
                  &STORE_JOBS_SCALE, &stats.jobs_a_commit);
    put_histogram(out, "servery_store_commit_duration_seconds",
                  "Time that a commit took, until it was on the disk.", &STORE_COMMIT_SCALE,
                  &stats.commit_time);
    metric_put(out, "servery_store_write_queue_depth", METRIC_GAUGE,
               "Writes that wait for the writer.", stats.queue_depth);
    metric_put(out, "servery_store_reads_waiting", METRIC_GAUGE,
               "Reads that wait for a connection.", stats.reads_waiting);
}

static void put_passwords(struct call *c, struct buf *out)
{
    struct passwords_stats stats;

    passwords_stats(c->api->passwords, &stats);
    metric_put(out, "servery_password_queue_depth", METRIC_GAUGE,
               "Passwords that wait to be hashed.", stats.waiting);
    metric_put(out, "servery_password_running", METRIC_GAUGE, "Passwords being hashed.",
               stats.running);
    metric_put(out, "servery_password_refused_total", METRIC_COUNTER,
               "Calls answered 503 because too many passwords waited.", stats.refused);
    put_histogram(out, "servery_password_hash_duration_seconds",
                  "Time that a password's hash took, without the wait.", &PASSWORDS_SCALE,
                  &stats.time);
    metric_put(out, "servery_login_failures_total", METRIC_COUNTER,
               "Log-ins refused for a wrong password or an unknown user.",
               atomic_load_explicit(&c->api->metrics->login_failures, memory_order_relaxed));
}

static void put_age(struct buf *out, const char *name, const char *help, int64_t since_ms,
                    int64_t now_ms)
{
    metric_family(out, name, METRIC_GAUGE, help);
    metric_sample(out, name, "", since_ms > 0 && since_ms < now_ms ? now_ms - since_ms : 0, 3);
}

static void put_gauges(struct call *c, struct buf *out, const struct gauges *g)
{
    metric_put(out, "servery_mails_waiting", METRIC_GAUGE, "Mails not yet sent.",
               g->mails_waiting);
    put_age(out, "servery_mails_oldest_age_seconds", "Age of the oldest mail not yet sent.",
            g->oldest_mail_ms, c->now_ms);
    metric_put(out, "servery_payments_open", METRIC_GAUGE, "Payments that may still be paid.",
               g->payments_open);
    metric_put(out, "servery_payments_attention", METRIC_GAUGE,
               "Payments that need an admin's attention.", g->payments_attention);
    metric_put(out, "servery_payments_refund_due", METRIC_GAUGE,
               "Payments of cancelled orders, not yet given back.", g->payments_refund);
    metric_family(out, "servery_orders_open", METRIC_GAUGE,
                  "Orders neither completed nor cancelled, by status.");
    for (int status = 0; status < ORDER_COMPLETED; status++)
        metric_sample(out, "servery_orders_open",
                      arena_printf(c->arena, "status=\"%s\"",
                                   order_status_text((enum order_status)status).ptr).ptr,
                      g->orders[status], 0);
    put_age(out, "servery_orders_oldest_pending_age_seconds",
            "Age of the oldest order that nobody has confirmed.", g->oldest_pending_order_ms,
            c->now_ms);
}

/* The names and meanings that all Prometheus clients use. */
static void put_process(struct call *c, struct buf *out, const struct sample *sample)
{
    struct rusage usage;
    struct rlimit limit;

    metric_family(out, "servery_build_info", METRIC_GAUGE, "1; the label tells the version.");
    metric_sample(out, "servery_build_info", "version=\"" SERVERY_VERSION "\"", 1, 0);
    metric_family(out, "process_start_time_seconds", METRIC_GAUGE,
                  "When the process started, in seconds since 1970.");
    metric_sample(out, "process_start_time_seconds", "", c->api->metrics->started_ms, 3);
    getrusage(RUSAGE_SELF, &usage);
    metric_family(out, "process_cpu_seconds_total", METRIC_COUNTER,
                  "Processor time used, of user and system.");
    metric_sample(out, "process_cpu_seconds_total", "",
                  (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
                      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
                  6);
    if (sample->resident_bytes >= 0)
        metric_put(out, "process_resident_memory_bytes", METRIC_GAUGE, "Memory in use.",
                   sample->resident_bytes);
    if (sample->open_fds >= 0)
        metric_put(out, "process_open_fds", METRIC_GAUGE, "Open file descriptors.",
                   sample->open_fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_put(out, "process_max_fds", METRIC_GAUGE, "File descriptors that may be open.",
                   (int64_t)limit.rlim_cur);
}

/* ---- The handler ---- */

/* With a token it alone opens; without one, being on this machine does. */
static enum err authorize(struct call *c)
{
    const struct api_settings *settings = &c->api->settings;
    unsigned char given[CRYPTO_HASH_BYTES], wanted[CRYPTO_HASH_BYTES];

    if (settings->metrics_token.len == 0)
        return client_is_local(c->http, settings->trusted_proxies, settings->n_trusted_proxies)
                   ? ERR_OK
                   : problem_set(&c->problem, PROBLEM_FORBIDDEN,
                                 "Without a metrics_token only this machine may ask.");
    /* Hashes are equally long, so not even the token's length shows in the time. */
    struct str token = c->token.ptr && !c->token_from_cookie ? c->token : STR("");
    crypto_hash_into(&c->api->keys, "metrics", token, given);
    crypto_hash_into(&c->api->keys, "metrics", settings->metrics_token, wanted);
    return crypto_equal((struct str){(char *)given, sizeof given},
                        (struct str){(char *)wanted, sizeof wanted})
               ? ERR_OK
               : problem_set(&c->problem, PROBLEM_FORBIDDEN,
                             "Send the metrics_token as a bearer token.");
}

enum err metrics_get(struct call *c)
{
    struct buf *out = &c->http->response.body;

    enum err err = authorize(c);
    if (err)
        return err;
    const struct sample now = sample(c);
    put_process(c, out, &now);
    put_requests(c, out);
    put_durations(c, out);
    put_server(c, out);
    put_store(c, out, now.database_up);
    put_passwords(c, out);
    if (now.database_up)
        put_gauges(c, out, &now.gauges);
    if (c->api->job_metrics)
        c->api->job_metrics(c->api->job_metrics_ctx, out);
    c->http->response.status = 200;
    c->http->response.content_type = STR("text/plain; version=0.0.4; charset=utf-8");
    return ERR_OK;
}
