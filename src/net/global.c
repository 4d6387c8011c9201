#include "net/global.h"

#include "base/arena.h"
#include "base/log.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

enum err net_global_init(void)
{
    /* Where libevent could go on without what it has not got, a client waited for ever. */
    event_set_mem_functions(mem_alloc, mem_realloc, free);
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (rc != CURLE_OK) {
        log_line(LOG_ERROR, "curl_init_failed", LOG_CSTR("error", curl_easy_strerror(rc)));
        return ERR_INTERNAL;
    }
    signal(SIGPIPE, SIG_IGN);
    return ERR_OK;
}

void net_global_cleanup(void)
{
    curl_global_cleanup();
}
