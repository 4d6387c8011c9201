/* The connections that all reads and writes share. Whoever finds none waits in turn, and not for
 * long. Writes leave a quarter to reads: they may be waiting for locks, all of them. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres.h"

/* After a failed attempt to connect nobody else tries for so long: a server that is down would keep
 * each of them waiting. */
enum { CONNECT_PAUSE_MS = 250 };

/* On its own stack. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    sem_t served;
    enum postgres_use use;
    struct postgres_conn *conn; /* NULL: it may open one, which is counted already */
    bool is_served;
};

struct postgres_pool {
    const struct postgres_target *target;
    pthread_mutex_t mutex;
    struct postgres_conn **idle; /* the last one back is the first one out */
    int n_idle, n_open, n_max, n_writing, n_writing_max;
    int n_opening; /* of the open ones: not connected yet */
    TAILQ_HEAD(, waiter) waiters;
    int64_t no_connect_until_ms;
    atomic_int_least64_t waiting[2], late[2], lost;
};

struct postgres_pool *postgres_pool_create(const struct postgres_target *target, int n_max)
{
    struct postgres_pool *pool = mem_zalloc(sizeof *pool);

    pool->target = target;
    pool->n_max = n_max;
    pool->n_writing_max = n_max - n_max / 4;
    pool->idle = mem_zalloc((size_t)n_max * sizeof(struct postgres_conn *));
    pthread_mutex_init(&pool->mutex, NULL);
    TAILQ_INIT(&pool->waiters);
    return pool;
}

void postgres_pool_destroy(struct postgres_pool *pool)
{
    if (!pool)
        return;
    assert(pool->n_idle == pool->n_open);
    while (pool->n_idle > 0)
        postgres_conn_close(pool->idle[--pool->n_idle]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->idle);
    free(pool);
}

/* ---- Under the mutex ---- */

static bool has_any(const struct postgres_pool *pool)
{
    return pool->n_open > pool->n_opening;
}

/* Where the server has just refused one more (it has as many as it takes), those that there are
 * do. */
static bool may_open(const struct postgres_pool *pool)
{
    return pool->n_open < pool->n_max &&
           (!has_any(pool) || clock_mono_ms() >= pool->no_connect_until_ms);
}

static bool may_have(const struct postgres_pool *pool, enum postgres_use use)
{
    return (pool->n_idle > 0 || may_open(pool)) &&
           (use == POSTGRES_READ || pool->n_writing < pool->n_writing_max);
}

/* An idle connection, or NULL with the right to open one. */
static struct postgres_conn *give(struct postgres_pool *pool, enum postgres_use use)
{
    pool->n_writing += use == POSTGRES_WRITE;
    if (pool->n_idle > 0)
        return pool->idle[--pool->n_idle];
    pool->n_open++;
    pool->n_opening++;
    return NULL;
}

static void serve_waiters(struct postgres_pool *pool)
{
    struct waiter *waiter, *next;

    for (waiter = TAILQ_FIRST(&pool->waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        if (!may_have(pool, waiter->use))
            continue;
        TAILQ_REMOVE(&pool->waiters, waiter, link);
        waiter->conn = give(pool, waiter->use);
        waiter->is_served = true;
        sem_post(&waiter->served);
    }
}

/* ---- Taking ---- */

/* With the mutex held; it is released. False: the time is over. */
static bool wait_in_turn(struct postgres_pool *pool, enum postgres_use use,
                         const struct timespec *until, struct postgres_conn **ret_conn)
{
    struct waiter waiter = {.use = use};

    sem_init(&waiter.served, 0, 0);
    TAILQ_INSERT_TAIL(&pool->waiters, &waiter, link);
    atomic_fetch_add_explicit(&pool->waiting[use], 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
    while (sem_clockwait(&waiter.served, CLOCK_MONOTONIC, until) && errno == EINTR)
        ;
    pthread_mutex_lock(&pool->mutex);
    if (!waiter.is_served)
        TAILQ_REMOVE(&pool->waiters, &waiter, link);
    pthread_mutex_unlock(&pool->mutex);
    atomic_fetch_sub_explicit(&pool->waiting[use], 1, memory_order_relaxed);
    sem_destroy(&waiter.served);
    *ret_conn = waiter.conn;
    return waiter.is_served;
}

static void give_back(struct postgres_pool *pool, enum postgres_use use, struct postgres_conn *conn)
{
    pthread_mutex_lock(&pool->mutex);
    pool->n_writing -= use == POSTGRES_WRITE;
    if (conn)
        pool->idle[pool->n_idle++] = conn;
    else
        pool->n_open--;
    serve_waiters(pool);
    pthread_mutex_unlock(&pool->mutex);
}

static enum err open_conn(struct postgres_pool *pool, struct postgres_conn **ret_conn)
{
    pthread_mutex_lock(&pool->mutex);
    bool paused = clock_mono_ms() < pool->no_connect_until_ms;
    pthread_mutex_unlock(&pool->mutex);
    enum err err = paused ? ERR_UNAVAILABLE : postgres_conn_open(pool->target, ret_conn);
    pthread_mutex_lock(&pool->mutex);
    if (err && !paused)
        pool->no_connect_until_ms = clock_mono_ms() + CONNECT_PAUSE_MS;
    pool->n_opening--;
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

/* One that broke while it was idle is opened anew. */
static void look_alive(struct postgres_pool *pool, struct postgres_conn **conn)
{
    if (!*conn || postgres_conn_is_alive(*conn))
        return;
    atomic_fetch_add_explicit(&pool->lost, 1, memory_order_relaxed);
    postgres_conn_close(*conn);
    *conn = NULL;
    pthread_mutex_lock(&pool->mutex);
    pool->n_opening++;
    pthread_mutex_unlock(&pool->mutex);
}

/* True: others have one each, which come back. */
static bool go_without(struct postgres_pool *pool, enum postgres_use use)
{
    give_back(pool, use, NULL);
    pthread_mutex_lock(&pool->mutex);
    bool is_any = has_any(pool);
    pthread_mutex_unlock(&pool->mutex);
    return is_any;
}

enum err postgres_pool_take(struct postgres_pool *pool, enum postgres_use use,
                            struct postgres_conn **ret_conn)
{
    const struct timespec until = clock_mono_after(POSTGRES_POOL_WAIT_MS);
    struct postgres_conn *conn;
    enum err err;

    do {
        pthread_mutex_lock(&pool->mutex);
        if (may_have(pool, use)) {
            conn = give(pool, use);
            pthread_mutex_unlock(&pool->mutex);
        } else if (!wait_in_turn(pool, use, &until, &conn)) {
            atomic_fetch_add_explicit(&pool->late[use], 1, memory_order_relaxed);
            return ERR_UNAVAILABLE;
        }
        look_alive(pool, &conn);
        err = conn ? ERR_OK : open_conn(pool, &conn);
    } while (err && go_without(pool, use));
    if (!err)
        *ret_conn = conn;
    return err;
}

/* ---- Giving back ---- */

static void close_idle(struct postgres_pool *pool)
{
    struct postgres_conn *gone[16];
    size_t n;

    do {
        n = 0;
        pthread_mutex_lock(&pool->mutex);
        while (pool->n_idle > 0 && n < sizeof gone / sizeof *gone) {
            gone[n++] = pool->idle[--pool->n_idle];
            pool->n_open--;
        }
        pthread_mutex_unlock(&pool->mutex);
        for (size_t i = 0; i < n; i++)
            postgres_conn_close(gone[i]);
    } while (n > 0);
}

void postgres_pool_return(struct postgres_pool *pool, enum postgres_use use,
                          struct postgres_conn *conn)
{
    if (postgres_conn_is_lost(conn)) {
        atomic_fetch_add_explicit(&pool->lost, 1, memory_order_relaxed);
        postgres_conn_close(conn);
        close_idle(pool);
        conn = NULL;
    }
    give_back(pool, use, conn);
}

static int64_t read_count(const atomic_int_least64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void postgres_pool_stats(struct postgres_pool *pool, struct postgres_pool_stats *ret_stats)
{
    pthread_mutex_lock(&pool->mutex);
    int n_open = pool->n_open, n_idle = pool->n_idle;
    pthread_mutex_unlock(&pool->mutex);
    *ret_stats = (struct postgres_pool_stats){
        .reads_waiting = read_count(&pool->waiting[POSTGRES_READ]),
        .writes_waiting = read_count(&pool->waiting[POSTGRES_WRITE]),
        .reads_late = read_count(&pool->late[POSTGRES_READ]),
        .writes_late = read_count(&pool->late[POSTGRES_WRITE]),
        .open = n_open,
        .idle = n_idle,
        .max = pool->n_max,
        .lost = read_count(&pool->lost),
    };
}

int64_t postgres_pool_writes_waiting(const struct postgres_pool *pool)
{
    return read_count(&pool->waiting[POSTGRES_WRITE]);
}
