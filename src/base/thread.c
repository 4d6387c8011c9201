#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static void start(pthread_t *ret_thread, const char *name, const pthread_attr_t *attr,
                  void *(*run)(void *), void *arg)
{
    int rc = pthread_create(ret_thread, attr, run, arg);

    if (rc) {
        log_line(LOG_ERROR, "thread_failed", LOG_CSTR("thread", name),
                 LOG_CSTR("error", strerror(rc)));
        _exit(EXIT_FAILURE);
    }
    pthread_setname_np(*ret_thread, name);
}

void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
    start(ret_thread, name, NULL, run, arg);
}

void thread_start_small(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_SMALL_STACK_BYTES);
    start(ret_thread, name, &attr, run, arg);
    pthread_attr_destroy(&attr);
}
