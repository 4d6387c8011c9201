#include "base/thread.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
    int rc = pthread_create(ret_thread, NULL, run, arg);

    if (rc) {
        log_line(LOG_ERROR, "thread_failed", LOG_CSTR("thread", name), LOG_INT("rc", rc));
        _exit(EXIT_FAILURE);
    }
    pthread_setname_np(*ret_thread, name);
}
