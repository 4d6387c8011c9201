#include "api/passwords.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

const struct metric_scale PASSWORDS_SCALE = {
    {20000, 50000, 100000, 250000, 500000, 1000000, 5000000}, 7, 6};

enum { NICENESS = 10 };

/* On the stack of the worker that waits for it. */
struct job {
    struct job *next;
    struct str password;
    const char *verify; /* the hash to compare with; NULL: make one */
    char *made;
    bool right;
    enum err err;
    sem_t done;
};

struct passwords {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, **last;
    atomic_int waiting, running; /* read without the lock: metrics, not decisions */
    atomic_int_least64_t refused;
    struct metric_histogram time;
    bool stop;
    int n_threads;
    pthread_t threads[];
};

static void run(struct job *job)
{
    if (job->verify)
        job->err = crypto_password_verify(job->verify, job->password, &job->right);
    else
        job->err = crypto_password_hash(job->password, job->made);
}

static void *thread_main(void *arg)
{
    struct passwords *passwords = arg;

    /* On Linux niceness is a thread's own. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    pthread_mutex_lock(&passwords->lock);
    for (;;) {
        while (!passwords->first && !passwords->stop)
            pthread_cond_wait(&passwords->wake, &passwords->lock);
        struct job *job = passwords->first;
        if (!job)
            break;
        passwords->first = job->next;
        if (!passwords->first)
            passwords->last = &passwords->first;
        passwords->waiting--;
        passwords->running++;
        pthread_mutex_unlock(&passwords->lock);
        int64_t begun_us = clock_mono_us();
        run(job);
        metric_observe(&passwords->time, &PASSWORDS_SCALE, clock_mono_us() - begun_us);
        passwords->running--;
        sem_post(&job->done);
        pthread_mutex_lock(&passwords->lock);
    }
    pthread_mutex_unlock(&passwords->lock);
    return NULL;
}

struct passwords *passwords_create(int threads)
{
    struct passwords *passwords =
        mem_zalloc(sizeof *passwords + (size_t)threads * sizeof *passwords->threads);

    pthread_mutex_init(&passwords->lock, NULL);
    pthread_cond_init(&passwords->wake, NULL);
    passwords->last = &passwords->first;
    passwords->n_threads = threads;
    for (int i = 0; i < threads; i++)
        thread_start_small(&passwords->threads[i], "hash", thread_main, passwords);
    return passwords;
}

void passwords_destroy(struct passwords *passwords)
{
    if (!passwords)
        return;
    pthread_mutex_lock(&passwords->lock);
    passwords->stop = true;
    pthread_cond_broadcast(&passwords->wake);
    pthread_mutex_unlock(&passwords->lock);
    for (int i = 0; i < passwords->n_threads; i++)
        pthread_join(passwords->threads[i], NULL);
    pthread_cond_destroy(&passwords->wake);
    pthread_mutex_destroy(&passwords->lock);
    free(passwords);
}

static enum err submit(struct passwords *passwords, struct job *job)
{
    pthread_mutex_lock(&passwords->lock);
    bool full = passwords->waiting >= PASSWORDS_QUEUE_MAX || passwords->stop;
    if (!full) {
        sem_init(&job->done, 0, 0);
        *passwords->last = job;
        passwords->last = &job->next;
        passwords->waiting++;
        pthread_cond_signal(&passwords->wake);
    }
    pthread_mutex_unlock(&passwords->lock);
    if (full) {
        passwords->refused++;
        return ERR_UNAVAILABLE;
    }
    while (sem_wait(&job->done) != 0)
        ;
    sem_destroy(&job->done);
    return job->err;
}

enum err passwords_hash(struct passwords *passwords, struct str password,
                        char ret_hash[static CRYPTO_PASSWORD_HASH_SIZE])
{
    struct job job = {.password = password, .made = ret_hash};
    return submit(passwords, &job);
}

enum err passwords_verify(struct passwords *passwords, const char *hash, struct str password,
                          bool *ret_right)
{
    struct job job = {.password = password, .verify = hash};
    enum err err = submit(passwords, &job);
    if (!err)
        *ret_right = job.right;
    return err;
}

void passwords_stats(const struct passwords *passwords, struct passwords_stats *ret_stats)
{
    *ret_stats = (struct passwords_stats){
        .waiting = atomic_load_explicit(&passwords->waiting, memory_order_relaxed),
        .running = atomic_load_explicit(&passwords->running, memory_order_relaxed),
        .refused = atomic_load_explicit(&passwords->refused, memory_order_relaxed),
    };
    metric_read_add(&passwords->time, &ret_stats->time);
}
