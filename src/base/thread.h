/* Threads that a part of the program cannot do without. */
#ifndef SERVERY_BASE_THREAD_H
#define SERVERY_BASE_THREAD_H

#include <pthread.h>

/* Starts run(arg) under a name of at most 15 characters. Where the system has no room for one more
 * thread (EAGAIN), the process ends with a word, as it does out of memory (mem_fail). */
void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg);

#endif
