/* Which system calls a server may make, as the kernel's filter; made by make_sandbox_filter.c. */
#ifndef SERVERY_APP_SANDBOX_FILTER_H
#define SERVERY_APP_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in one of its rows, as a number that no process has, for the server's own, which is known
 * only when it runs. */
#define SANDBOX_OWN_PID UINT32_C(0x7fffffff)

extern const struct sock_filter sandbox_filter[];
extern const size_t sandbox_filter_n;

#endif
