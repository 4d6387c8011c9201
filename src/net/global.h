/* What libevent, libcurl and sockets need once in a process. */
#ifndef SERVERY_NET_GLOBAL_H
#define SERVERY_NET_GLOBAL_H

#include "base/err.h"

/* Before threads start and before anything else of net. libevent, too, ends the process when it is
 * out of memory. Also ignores SIGPIPE: a peer that leaves is an error where it is written to, not
 * the end of the process. */
MUST_CHECK enum err net_global_init(void);
void net_global_cleanup(void); /* after the last thread that used net has ended */

#endif
