/* The worker threads, which run handlers that may block. One lock guards a queue for each lane; a
 * worker that waits has a condition of its own and the latest to wait is woken first, so that a
 * new job wakes exactly one thread, and one whose stack is still warm. */
#include "net/http_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STACK_BYTES = 2 * 1024 * 1024 };
#else
enum { STACK_BYTES = 256 * 1024 };
#endif

struct worker {
    struct http_workers *workers;
    pthread_t thread;
    pthread_cond_t wake;
    bool woken;
    void *z; /* its compressor */
    struct worker *next_idle;
};

struct lane {
    struct http_jobs queue;
    int queued, running, queue_max, running_max;
};

struct http_workers {
    struct http_server *server;
    pthread_mutex_t lock;
    struct lane lanes[HTTP_LANES];
    int slow_max; /* of all but reads together, so that reads always have a worker */
    struct worker *idle;
    bool stopping;
    int n;
    struct worker *all;
};

static void publish(const struct http_workers *workers, enum http_lane lane)
{
    struct http_server *server = workers->server;
    const struct lane *l = &workers->lanes[lane];
    atomic_store_explicit(&server->queued[lane], l->queued, memory_order_relaxed);
    atomic_store_explicit(&server->running[lane], l->running, memory_order_relaxed);
}

static bool may_run(const struct http_workers *workers, enum http_lane lane)
{
    const struct lane *l = &workers->lanes[lane];
    if (l->queued == 0 || l->running >= l->running_max)
        return false;
    return lane == HTTP_LANE_READ ||
           workers->lanes[HTTP_LANE_WRITE].running + workers->lanes[HTTP_LANE_HASH].running <
               workers->slow_max;
}

/* The job that has waited longest among those whose lane may run one. */
static struct http_job *take(struct http_workers *workers)
{
    struct http_job *oldest = NULL;
    for (enum http_lane lane = HTTP_LANE_READ; lane < HTTP_LANES; lane++) {
        struct http_job *first = STAILQ_FIRST(&workers->lanes[lane].queue);
        if (may_run(workers, lane) && (!oldest || first->call.started_us < oldest->call.started_us))
            oldest = first;
    }
    if (oldest) {
        struct lane *lane = &workers->lanes[oldest->call.route->lane];
        STAILQ_REMOVE_HEAD(&lane->queue, link);
        lane->queued--;
        lane->running++;
        publish(workers, oldest->call.route->lane);
    }
    return oldest;
}

static void *run(void *arg)
{
    struct worker *self = arg;
    struct http_workers *workers = self->workers;
    (void)pthread_mutex_lock(&workers->lock);
    for (;;) {
        struct http_job *job = take(workers);
        if (!job) {
            if (workers->stopping)
                break;
            self->next_idle = workers->idle;
            workers->idle = self;
            self->woken = false;
            while (!self->woken)
                (void)pthread_cond_wait(&self->wake, &workers->lock);
            continue;
        }
        enum http_lane lane = job->call.route->lane;
        (void)pthread_mutex_unlock(&workers->lock);

        log_set_request_id(job->call.request_id);
        workers->server->options.handle(&job->call);
        http_reply_prepare(job, &self->z);
        log_set_request_id(STR_NONE);
        http_loop_push_reply(job);

        (void)pthread_mutex_lock(&workers->lock);
        workers->lanes[lane].running--;
        publish(workers, lane);
    }
    (void)pthread_mutex_unlock(&workers->lock);
    http_reply_compress_finish(self->z);
    return NULL;
}

static void wake_one(struct http_workers *workers)
{
    struct worker *worker = workers->idle;
    workers->idle = worker->next_idle;
    worker->woken = true;
    (void)pthread_cond_signal(&worker->wake);
}

bool http_workers_submit(struct http_workers *workers, struct http_job *job)
{
    struct lane *lane = &workers->lanes[job->call.route->lane];
    (void)pthread_mutex_lock(&workers->lock);
    bool accepted = lane->queued < lane->queue_max;
    if (accepted) {
        STAILQ_INSERT_TAIL(&lane->queue, job, link);
        lane->queued++;
        publish(workers, job->call.route->lane);
        /* A lane at its share needs no one: who ends one of its jobs takes the next. */
        if (workers->idle && may_run(workers, job->call.route->lane))
            wake_one(workers);
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return accepted;
}

static int at_least_one(int n)
{
    return n < 1 ? 1 : n;
}

enum err http_workers_create(struct http_server *server, int n, struct http_workers **ret_workers)
{
    struct http_workers *workers = mem_zalloc(sizeof *workers);
    pthread_attr_t attr;
    enum err err = ERR_OK;

    workers->server = server;
    (void)pthread_mutex_init(&workers->lock, NULL);
    for (int lane = 0; lane < HTTP_LANES; lane++) {
        STAILQ_INIT(&workers->lanes[lane].queue);
        workers->lanes[lane].queue_max = server->limits.queue_max;
    }
    if (server->limits.queue_max > HTTP_HASH_QUEUE_MAX)
        workers->lanes[HTTP_LANE_HASH].queue_max = HTTP_HASH_QUEUE_MAX;
    workers->lanes[HTTP_LANE_READ].running_max = n;
    workers->lanes[HTTP_LANE_WRITE].running_max = at_least_one(n * 3 / 4);
    workers->lanes[HTTP_LANE_HASH].running_max = at_least_one(n / 4);
    workers->slow_max = at_least_one(n - at_least_one(n / 8));
    workers->all = mem_zalloc((size_t)n * sizeof *workers->all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (int i = 0; i < n && err == ERR_OK; i++) {
        struct worker *worker = &workers->all[i];
        worker->workers = workers;
        (void)pthread_cond_init(&worker->wake, NULL);
        int rc = pthread_create(&worker->thread, &attr, run, worker);
        if (rc != 0) {
            log_line(LOG_ERROR, "thread_failed", LOG_CSTR("error", strerror(rc)));
            (void)pthread_cond_destroy(&worker->wake);
            err = ERR_INTERNAL;
        } else {
            workers->n++;
        }
    }
    (void)pthread_attr_destroy(&attr);
    if (err == ERR_OK)
        *ret_workers = workers;
    else
        http_workers_destroy(workers);
    return err;
}

void http_workers_destroy(struct http_workers *workers)
{
    if (!workers)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    while (workers->idle)
        wake_one(workers);
    (void)pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->n; i++) {
        (void)pthread_join(workers->all[i].thread, NULL);
        (void)pthread_cond_destroy(&workers->all[i].wake);
    }
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers->all);
    free(workers);
}
