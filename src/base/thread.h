/* Threads that a part of the program cannot do without. */
#ifndef SERVERY_BASE_THREAD_H
#define SERVERY_BASE_THREAD_H

#include <pthread.h>

/* Starts run(arg) under a name of at most 15 characters. Where the system has no room for one more
 * thread (EAGAIN), the process ends with a word, as it does out of memory (mem_fail). */
void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg);

/* The same for one of many: its stack is THREAD_SMALL_STACK_BYTES and not the system's 8 MiB. */
enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    THREAD_SMALL_STACK_BYTES = 2 * 1024 * 1024,
#else
    THREAD_SMALL_STACK_BYTES = 256 * 1024,
#endif
};
void thread_start_small(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg);

#endif
