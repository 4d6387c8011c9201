/* GET /metrics: all that the program counts, in the Prometheus text format, to those who may see
 * it. */
#include <sys/resource.h>

#include "api/client.h"
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/passwords.h"
#include "api/routes.h"

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

    metric_family(out, name, METRIC_COUNTER,
                  "Calls answered, by route, method and class of status. HEAD counts as its GET.");
    for (size_t i = 0; i < metrics_rows(); i++) {
        struct str labels = row_labels(c->arena, i);
        struct metrics_row row;
        metrics_read_row(c->api->metrics, i, &row);
        for (int class = 0; class < METRICS_CLASSES; class ++)
            metric_sample(
                out, name,
                arena_printf(c->arena, STR_FMT ",status=\"%dxx\"", STR_ARG(labels), class + 2).ptr,
                row.classes[class], 0);
    }
}

static void put_durations(struct call *c, struct buf *out)
{
    static const char name[] = "servery_http_request_duration_seconds";

    metric_family(out, name, METRIC_HISTOGRAM,
                  "Time from a whole request to its answer (of an event stream, to its begin).");
    for (size_t i = 0; i < metrics_rows(); i++) {
        struct metrics_row row;
        metrics_read_row(c->api->metrics, i, &row);
        metric_buckets(out, name, row_labels(c->arena, i).ptr, &METRICS_SCALE, &row.time);
    }
}

static void put_lanes(struct buf *out, const char *name, enum metric_type type, const char *help,
                      const int64_t values[static HTTP_LANES])
{
    static const char *const labels[HTTP_LANES] = {[HTTP_LANE_READ] = "lane=\"read\"",
                                                   [HTTP_LANE_WRITE] = "lane=\"write\"",
                                                   [HTTP_LANE_HASH] = "lane=\"hash\"",
                                                   [HTTP_LANE_HEALTH] = "lane=\"health\""};

    metric_family(out, name, type, help);
    for (int lane = HTTP_LANE_READ; lane < HTTP_LANES; lane++)
        metric_sample(out, name, labels[lane], values[lane], 0);
}

static void put_server(struct call *c, struct buf *out, const struct metrics_totals *totals)
{
    struct http_stats stats;

    http_server_stats(c->http->server, &stats);
    metric_put(out, "servery_http_rate_limited_total", METRIC_COUNTER, "Calls answered 429.",
               totals->rate_limited);
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
    metric_put(out, "servery_http_pieces_deferred_total", METRIC_COUNTER,
               "Pieces of a CSV file made later because too many calls waited for a worker.",
               stats.pieces_deferred);
}

static void put_histogram(struct buf *out, const char *name, const char *help,
                          const struct metric_scale *scale, const struct metric_reading *reading)
{
    metric_family(out, name, METRIC_HISTOGRAM, help);
    metric_buckets(out, name, "", scale, reading);
}

static void put_connections(struct buf *out, const struct store_stats *stats)
{
    static const char open[] = "servery_store_connections";
    static const char late[] = "servery_store_connection_timeouts_total";

    metric_family(out, open, METRIC_GAUGE,
                  "Open connections to the database; with SQLite those that read.");
    metric_sample(out, open, "state=\"in_use\"", stats->connections - stats->connections_idle, 0);
    metric_sample(out, open, "state=\"idle\"", stats->connections_idle, 0);
    metric_put(out, "servery_store_connections_max", METRIC_GAUGE, "As many there may be.",
               stats->connections_max);
    metric_put(out, "servery_store_connections_lost_total", METRIC_COUNTER,
               "Connections that broke, or that the database ended.", stats->connections_lost);
    metric_family(out, late, METRIC_COUNTER,
                  "Reads and writes answered 503 because no connection became free in time.");
    metric_sample(out, late, "use=\"read\"", stats->reads_late, 0);
    metric_sample(out, late, "use=\"write\"", stats->writes_late, 0);
    metric_put(out, "servery_notifications_up", METRIC_GAUGE,
               "1 if what other servers change is heard; always with SQLite, where there are none.",
               stats->hears);
    metric_put(out, "servery_notifications_lost_total", METRIC_COUNTER,
               "Times that what other servers change was no longer heard.",
               stats->notifications_lost);
}

static void put_store(struct call *c, struct buf *out, bool database_up)
{
    struct store_stats stats;

    store_stats(c->api->store, &stats);
    metric_put(out, "servery_database_up", METRIC_GAUGE,
               "1 if the database answered; else what is read from it is missing here.",
               database_up);
    if (stats.database_bytes >= 0)
        metric_put(out, "servery_database_size_bytes", METRIC_GAUGE, "Size of the database file.",
                   stats.database_bytes);
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
    put_connections(out, &stats);
}

static void put_passwords(struct call *c, struct buf *out, const struct metrics_totals *totals)
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
               "Log-ins refused for a wrong password or an unknown user.", totals->login_failures);
}

static void put_age(struct buf *out, const char *name, const char *help, int64_t since_ms,
                    int64_t now_ms)
{
    metric_family(out, name, METRIC_GAUGE, help);
    metric_sample(out, name, "", since_ms > 0 && since_ms < now_ms ? now_ms - since_ms : 0, 3);
}

static void put_gauges(struct call *c, struct buf *out, const struct gauges *g)
{
    metric_put(out, "servery_mails_waiting", METRIC_GAUGE, "Mails not yet sent.", g->mails_waiting);
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
                                   order_status_text((enum order_status)status).ptr)
                          .ptr,
                      g->orders[status], 0);
    put_age(out, "servery_orders_oldest_pending_age_seconds",
            "Age of the oldest order that nobody has confirmed.", g->oldest_pending_order_ms,
            c->now_ms);
}

/* The names and meanings that all Prometheus clients use. */
static void put_process(struct buf *out, const struct metrics_totals *totals,
                        const struct metrics_sample *sample)
{
    struct rusage usage;
    struct rlimit limit;

    metric_family(out, "servery_build_info", METRIC_GAUGE, "1; the label tells the version.");
    metric_sample(out, "servery_build_info", "version=\"" SERVERY_VERSION "\"", 1, 0);
    metric_family(out, "process_start_time_seconds", METRIC_GAUGE,
                  "When the process started, in seconds since 1970.");
    metric_sample(out, "process_start_time_seconds", "", totals->started_ms, 3);
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

/* With a token it alone opens. Without one being on this machine does, unless the shop is elsewhere
 * for its customers: then a proxy that says nothing of whom it asks for looks like this machine. */
static enum err authorize(struct call *c)
{
    const struct api_settings *settings = &c->api->settings;
    unsigned char given[CRYPTO_HASH_BYTES], wanted[CRYPTO_HASH_BYTES];

    if (settings->metrics_token.len == 0) {
        if (!settings->is_local)
            return problem_set(&c->problem, PROBLEM_FORBIDDEN,
                               "Under a public_url other than this machine's own, nobody may ask "
                               "without a metrics_token.");
        return client_is_local(c->http, settings->trusted_proxies, settings->n_trusted_proxies)
                   ? ERR_OK
                   : problem_set(&c->problem, PROBLEM_FORBIDDEN,
                                 "Without a metrics_token only this machine may ask.");
    }
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
    struct metrics_totals totals;
    metrics_read_totals(c->api->metrics, &totals);
    const struct metrics_sample now = metrics_sample(c);
    put_process(out, &totals, &now);
    put_requests(c, out);
    put_durations(c, out);
    put_server(c, out, &totals);
    put_store(c, out, now.database_up);
    put_passwords(c, out, &totals);
    if (now.database_up)
        put_gauges(c, out, &now.gauges);
    if (c->api->job_metrics)
        c->api->job_metrics(c->api->job_metrics_ctx, out);
    c->http->response.status = 200;
    c->http->response.content_type = STR("text/plain; version=0.0.4; charset=utf-8");
    return ERR_OK;
}
