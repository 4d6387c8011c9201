#include "api/health.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

struct health {
    struct store *store;
    int64_t wait_ms;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;  /* the thread: somebody asks, or it is to end */
    pthread_cond_t found; /* who asks: a look has ended */
    bool stop;
    /* Monotonic: what the latest question wants, and when the look under way (0: none is) and the
     * last one that ended began. */
    int64_t wanted_us, looking_us, looked_us;
    enum err result;
};

static void *run(void *arg)
{
    struct health *health = arg;

    pthread_mutex_lock(&health->lock);
    while (!health->stop) {
        if (health->wanted_us <= health->looked_us) {
            pthread_cond_wait(&health->wake, &health->lock);
            continue;
        }
        health->looking_us = clock_mono_us();
        pthread_mutex_unlock(&health->lock);
        enum err err = store_ready(health->store);
        pthread_mutex_lock(&health->lock);
        health->result = err;
        health->looked_us = health->looking_us;
        health->looking_us = 0;
        pthread_cond_broadcast(&health->found);
    }
    pthread_mutex_unlock(&health->lock);
    return NULL;
}

/* Under the lock. */
static bool is_silent(const struct health *health)
{
    return health->looking_us > 0 && clock_mono_us() - health->looking_us >= health->wait_ms * 1000;
}

enum health_found health_look(struct health *health, int64_t since_us)
{
    const struct timespec until = clock_mono_after(health->wait_ms);
    enum health_found found = HEALTH_SILENT;
    int rc = 0;

    pthread_mutex_lock(&health->lock);
    if (since_us > health->wanted_us)
        health->wanted_us = since_us;
    pthread_cond_signal(&health->wake);
    while (health->looked_us < since_us && rc == 0 && !is_silent(health))
        rc = pthread_cond_clockwait(&health->found, &health->lock, CLOCK_MONOTONIC, &until);
    if (health->looked_us >= since_us)
        found = health->result ? HEALTH_NOT_READY : HEALTH_READY;
    pthread_mutex_unlock(&health->lock);
    return found;
}

struct health *health_create(struct store *store, int64_t wait_ms)
{
    struct health *health = mem_zalloc(sizeof *health);

    health->store = store;
    health->wait_ms = wait_ms;
    pthread_mutex_init(&health->lock, NULL);
    pthread_cond_init(&health->wake, NULL);
    pthread_cond_init(&health->found, NULL);
    thread_start(&health->thread, "health", run, health);
    return health;
}

void health_stop(struct health *health)
{
    if (!health)
        return;
    pthread_mutex_lock(&health->lock);
    health->stop = true;
    pthread_cond_signal(&health->wake);
    pthread_mutex_unlock(&health->lock);
    pthread_join(health->thread, NULL);
}

void health_destroy(struct health *health)
{
    if (!health)
        return;
    pthread_cond_destroy(&health->found);
    pthread_cond_destroy(&health->wake);
    pthread_mutex_destroy(&health->lock);
    free(health);
}
