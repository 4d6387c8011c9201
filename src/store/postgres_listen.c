/* Hears what the other servers have committed, on a connection of its own that no pooler may stand
 * in (notifications and locks belong to a session). While it is lost nothing is heard; once it is
 * back, anything may have changed (STORE_EVENT_ALL). */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres.h"

enum {
    PING_MS = 10000,     /* a silent connection is asked whether it is alive */
    RECONNECT_MS = 1000, /* after an attempt that failed */
    ECHO_MS = 5000,      /* for the first notification to come back */
};

struct postgres_listen {
    struct postgres_target *target;
    struct postgres_tell *tell;
    struct postgres_conn *conn; /* its thread's; NULL: lost */
    int stop_fd;
    atomic_bool is_lost;
    bool heard_own;
    pthread_t thread;
};

/* LISTEN, and what lets others see that the shop is served. */
static enum err connect(struct postgres_listen *listen, struct postgres_conn **ret_conn)
{
    struct postgres_conn *conn;
    enum err err = postgres_conn_open(listen->target, &conn);

    if (err)
        return err;
    err = postgres_conn_script(conn, "LISTEN servery; "
                                     "SELECT pg_advisory_lock_shared(1397051990, 1)");
    if (err)
        postgres_conn_close(conn);
    else
        *ret_conn = conn;
    return err;
}

static void read_notifications(struct postgres_listen *listen)
{
    struct postgres_events events = {0};
    struct arena *arena = NULL;
    PGnotify *notify;

    while ((notify = PQnotifies(postgres_conn_pg(listen->conn)))) {
        if (!arena)
            arena = arena_create();
        if (postgres_tell_parse(listen->tell, notify->extra, arena, &events))
            listen->heard_own = true;
        PQfreemem(notify);
    }
    postgres_tell_here(listen->tell, events.items, events.n);
    arena_destroy(arena);
}

/* False: the connection is lost. */
static bool is_there(struct postgres_listen *listen, bool silent)
{
    if (silent)
        return postgres_conn_script(listen->conn, "SELECT 1") == ERR_OK;
    return postgres_conn_is_alive(listen->conn);
}

/* Until `timeout_ms` have passed or something came; false: it is time to stop. */
static bool wait_for(struct postgres_listen *listen, int timeout_ms, bool *ret_silent)
{
    struct pollfd fds[2] = {{.fd = listen->stop_fd, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    int rc;

    if (listen->conn)
        fds[1].fd = PQsocket(postgres_conn_pg(listen->conn));
    do
        rc = poll(fds, 2, timeout_ms);
    while (rc < 0 && errno == EINTR);
    *ret_silent = rc == 0;
    return !(fds[0].revents & POLLIN);
}

static void lose(struct postgres_listen *listen)
{
    log_line(LOG_WARN, "notifications_lost",
             LOG_CSTR("detail", "what other servers change is not heard until it is back"));
    atomic_store(&listen->is_lost, true);
    postgres_conn_close(listen->conn);
    listen->conn = NULL;
}

static void come_back(struct postgres_listen *listen)
{
    const struct store_event all = {.kind = STORE_EVENT_ALL};

    if (connect(listen, &listen->conn)) {
        listen->conn = NULL;
        return;
    }
    atomic_store(&listen->is_lost, false);
    log_line(LOG_INFO, "notifications_back");
    postgres_tell_here(listen->tell, &all, 1);
}

static void *run(void *arg)
{
    struct postgres_listen *listen = arg;
    bool silent = false, first = false;

    for (;;) {
        int timeout_ms = listen->conn ? PING_MS : first ? 0 : RECONNECT_MS;
        if (!wait_for(listen, timeout_ms, &silent))
            break;
        first = false;
        if (!listen->conn) {
            come_back(listen);
        } else {
            bool there = is_there(listen, silent);
            read_notifications(listen);
            if (!there) {
                lose(listen);
                first = true;
            }
        }
    }
    return NULL;
}

/* ---- Beginning and end ---- */

static enum err say_hello(struct postgres_pool *pool, struct postgres_tell *tell)
{
    static const char sql[] = "SELECT pg_notify('servery', $1)";
    struct str own = str_from(postgres_tell_own(tell));
    struct arena *arena = arena_create();
    struct postgres_conn *conn;
    struct sql_rows rows;
    enum err err = postgres_pool_take(pool, POSTGRES_WRITE, &conn);

    if (!err) {
        postgres_conn_queue(conn, POSTGRES_ASK, SQL_ANY_COUNT, sql, SQL_ARGS(sql_text(own)));
        err = postgres_conn_trip(conn, POSTGRES_TRIP_MAX_MS, arena, &rows);
        postgres_pool_return(pool, POSTGRES_WRITE, conn);
    }
    arena_destroy(arena);
    return err;
}

/* Whether what the pool's connections tell is heard by this one: not if a pooler stands between, or
 * if it is another database. */
static enum err hear_hello(struct postgres_listen *listen)
{
    int64_t end_ms = clock_mono_ms() + ECHO_MS;
    bool silent;

    while (!listen->heard_own && clock_mono_ms() < end_ms) {
        if (!wait_for(listen, 100, &silent) || !is_there(listen, false))
            break;
        read_notifications(listen);
    }
    if (listen->heard_own)
        return ERR_OK;
    log_line(LOG_ERROR, "notifications_not_heard",
             LOG_CSTR("hint", "set database_listen to the same database as in the setting "
                              "database, but without pgbouncer between"));
    return ERR_UNAVAILABLE;
}

enum err postgres_listen_start(const char *url, struct postgres_pool *pool,
                               struct postgres_tell *tell, struct postgres_listen **ret_listen)
{
    struct postgres_listen *listen = mem_zalloc(sizeof *listen);
    enum err err;

    listen->target = postgres_target_create(url, "servery listen", false);
    listen->tell = tell;
    listen->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert(listen->stop_fd >= 0);
    err = connect(listen, &listen->conn);
    if (!err)
        err = say_hello(pool, tell);
    if (!err)
        err = hear_hello(listen);
    if (err) {
        postgres_conn_close(listen->conn);
        postgres_target_destroy(listen->target);
        close(listen->stop_fd);
        free(listen);
        return err;
    }
    int rc = pthread_create(&listen->thread, NULL, run, listen);
    assert(rc == 0);
    pthread_setname_np(listen->thread, "listen");
    *ret_listen = listen;
    return ERR_OK;
}

void postgres_listen_stop(struct postgres_listen *listen)
{
    uint64_t one = 1;

    if (!listen)
        return;
    ssize_t len = write(listen->stop_fd, &one, sizeof one);
    assert(len == sizeof one);
    pthread_join(listen->thread, NULL);
    postgres_conn_close(listen->conn);
    postgres_target_destroy(listen->target);
    close(listen->stop_fd);
    free(listen);
}

bool postgres_listen_is_lost(const struct postgres_listen *listen)
{
    return atomic_load(&listen->is_lost);
}
