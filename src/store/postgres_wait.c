/* Waits for PostgreSQL's answers, and never longer than somebody is ready to: libpq itself would
 * wait for a server that hangs for ever. */
#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres.h"

int64_t postgres_end_of(int64_t timeout_ms)
{
    return timeout_ms ? clock_mono_ms() + timeout_ms : 0;
}

/* False: the time is over, or the connection. */
static bool wait_for(PGconn *pg, short events, int64_t end_ms)
{
    struct pollfd fd = {.fd = PQsocket(pg), .events = events};
    int64_t left_ms = end_ms - clock_mono_ms();
    int rc;

    do
        rc = poll(&fd, 1, end_ms == 0 ? -1 : left_ms > 0 ? (int)left_ms : 0);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        log_line(LOG_WARN, "database_silent", LOG_INT("timeout_ms", POSTGRES_TRIP_MAX_MS));
    return rc > 0;
}

bool postgres_wait(PGconn *pg, int64_t end_ms)
{
    for (;;) {
        int unsent = PQflush(pg);
        if (unsent < 0)
            return false;
        if (!unsent && !PQisBusy(pg))
            return true;
        if (!wait_for(pg, unsent ? POLLIN | POLLOUT : POLLIN, end_ms) || !PQconsumeInput(pg))
            return false;
    }
}

PGresult *postgres_exec(PGconn *pg, int64_t end_ms, const char *text)
{
    PGresult *result, *last = NULL;

    if (!PQsendQuery(pg, text))
        return NULL;
    for (;;) {
        if (!postgres_wait(pg, end_ms)) {
            PQclear(last);
            return NULL;
        }
        result = PQgetResult(pg);
        if (!result)
            return last;
        PQclear(last);
        last = result;
    }
}
