/* The worker threads, which run handlers that may block. One lock guards a queue for each lane; a
 * worker that waits is handed its job and woken by a semaphore of its own, so that a new job wakes
 * exactly one thread, which need not queue for the lock that others are woken under; the latest to
 * wait is woken first, while its stack is still warm. */
#include "net/http_internal.h"

#include "base/log.h"
#include "base/thread.h"

#include <semaphore.h>
#include <stdlib.h>

/* One that asks how the server is, beside one that reads what it has counted. */
enum { HEALTH_WORKERS = 2 };

struct worker {
    struct http_workers *workers;
    pthread_t thread;
    sem_t wake;
    struct http_job *job; /* what it was woken for; NULL: to stop */
    void *z;              /* its compressor */
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
    int slow_max; /* of writes and hashes together, so that reads always have a worker */
    int most;     /* of all but the health lane together, which so always has one */
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
    int slow = workers->lanes[HTTP_LANE_WRITE].running + workers->lanes[HTTP_LANE_HASH].running;

    if (l->queued == 0 || l->running >= l->running_max)
        return false;
    if (lane == HTTP_LANE_HEALTH)
        return true;
    if (slow + workers->lanes[HTTP_LANE_READ].running >= workers->most)
        return false;
    return lane == HTTP_LANE_READ || slow < workers->slow_max;
}

/* The job that has waited longest among those whose lane may run one. */
static struct http_job *take(struct http_workers *workers)
{
    struct http_job *oldest = NULL;
    for (enum http_lane lane = HTTP_LANE_READ; lane < HTTP_LANES; lane++) {
        struct http_job *first = STAILQ_FIRST(&workers->lanes[lane].queue);
        if (may_run(workers, lane) && (!oldest || first->queued_us < oldest->queued_us))
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

/* The next job, at once or when there is one; NULL when it is time to stop. `done` is the lane of
 * the job that the worker has ended, or HTTP_LANES. */
static struct http_job *next_job(struct worker *self, enum http_lane done)
{
    struct http_workers *workers = self->workers;
    (void)pthread_mutex_lock(&workers->lock);
    if (done != HTTP_LANES) {
        workers->lanes[done].running--;
        publish(workers, done);
    }
    struct http_job *job = take(workers);
    bool wait = !job && !workers->stopping;
    if (wait) {
        self->next_idle = workers->idle;
        workers->idle = self;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    if (!wait)
        return job;
    while (sem_wait(&self->wake) != 0) {
    }
    return self->job;
}

static void work(struct http_job *job, void **z)
{
    const struct http_pieces *pieces = job->call.response.pieces;
    if (pieces) { /* the answer has begun */
        http_pieces_make(job);
        return;
    }
    job->loop->server->options.handle(&job->call);
    http_reply_prepare(job, z);
}

static void *run(void *arg)
{
    struct worker *self = arg;
    enum http_lane lane = HTTP_LANES;
    struct http_job *job;

    while ((job = next_job(self, lane)) != NULL) {
        lane = job->call.route->lane;
        log_set_request_id(job->call.request_id);
        work(job, &self->z);
        log_set_request_id(STR_NONE);
        http_loop_push_reply(job);
    }
    http_reply_compress_finish(self->z);
    return NULL;
}

/* Gives the job to the worker that went idle last, which is then to be woken, without the lock. */
static struct worker *hand_over(struct http_workers *workers, struct http_job *job)
{
    struct worker *worker = workers->idle;
    workers->idle = worker->next_idle;
    worker->job = job;
    return worker;
}

bool http_workers_submit(struct http_workers *workers, struct http_job *job)
{
    struct lane *lane = &workers->lanes[job->call.route->lane];
    struct worker *worker = NULL;
    (void)pthread_mutex_lock(&workers->lock);
    bool accepted = lane->queued < lane->queue_max;
    if (accepted) {
        STAILQ_INSERT_TAIL(&lane->queue, job, link);
        lane->queued++;
        publish(workers, job->call.route->lane);
        /* A lane at its share needs no one: who ends one of its jobs takes the next. */
        if (workers->idle && may_run(workers, job->call.route->lane))
            worker = hand_over(workers, take(workers));
    }
    (void)pthread_mutex_unlock(&workers->lock);
    if (worker)
        (void)sem_post(&worker->wake);
    return accepted;
}

static int at_least_one(int n)
{
    return n < 1 ? 1 : n;
}

struct http_workers *http_workers_create(struct http_server *server, int n)
{
    struct http_workers *workers = mem_zalloc(sizeof *workers);

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
    workers->lanes[HTTP_LANE_HEALTH].running_max = HEALTH_WORKERS;
    workers->slow_max = at_least_one(n - at_least_one(n / 8));
    workers->most = n;
    workers->n = n + HEALTH_WORKERS;
    workers->all = mem_zalloc((size_t)workers->n * sizeof *workers->all);
    for (int i = 0; i < workers->n; i++) {
        struct worker *worker = &workers->all[i];
        worker->workers = workers;
        (void)sem_init(&worker->wake, 0, 0);
        thread_start_small(&worker->thread, "worker", run, worker);
    }
    return workers;
}

void http_workers_destroy(struct http_workers *workers)
{
    if (!workers)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    while (workers->idle)
        (void)sem_post(&hand_over(workers, NULL)->wake);
    (void)pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->n; i++) {
        (void)pthread_join(workers->all[i].thread, NULL);
        (void)sem_destroy(&workers->all[i].wake);
    }
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers->all);
    free(workers);
}
