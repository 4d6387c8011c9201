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
#include "base/thread.h"
#include "store/postgres.h"

enum {
    LOOK_MS = 10000,     /* so often it is looked who listens, and whether this connection lives */
    RECONNECT_MS = 1000, /* after an attempt that failed */
    ECHO_MS = 5000,      /* for the first notification to come back */
    ANSWER_MS = 2000,    /* for the others' answers to it */
    CLOCK_MAX_MS = 5000, /* that a clock may differ from the database's */
};

struct postgres_listen {
    struct postgres_target *target;
    struct postgres_tell *tell;
    struct postgres_conn *conn; /* its thread's; NULL: lost */
    int stop_fd;
    bool heard_own;
    bool is_meeting; /* waits for answers to its hello */
    bool was_alone;  /* when the connection was lost: what it committed meanwhile it told nobody */
    int64_t n_answers;
    int64_t look_at_ms;
    bool clock_differs; /* and has been told so */
    atomic_bool hears;  /* for who looks from outside */
    atomic_int_least64_t losses;
    pthread_t thread;
};

/* LISTEN, and then what lets others see that the shop is served: whoever is seen hears. */
static enum err connect(struct postgres_listen *listen, struct postgres_conn **ret_conn)
{
    struct postgres_conn *conn;
    enum err err = postgres_conn_open(listen->target, &conn);

    if (err)
        return err;
    err = postgres_conn_script(conn, POSTGRES_TRIP_MAX_MS, "LISTEN " POSTGRES_CHANNEL);
    if (!err)
        err = postgres_conn_script(conn, POSTGRES_TRIP_MAX_MS,
                                   "SELECT pg_advisory_lock_shared(" POSTGRES_SERVING_LOCK ")");
    if (err)
        postgres_conn_close(conn);
    else
        *ret_conn = conn;
    return err;
}

static enum err notify(struct postgres_listen *listen, struct str payload)
{
    static const char sql[] = "SELECT pg_notify('" POSTGRES_CHANNEL "', $1)";
    struct sql_rows rows;

    postgres_conn_queue(listen->conn, POSTGRES_CONTROL, SQL_ANY_COUNT, sql,
                        SQL_ARGS(sql_text(payload)));
    return postgres_conn_trip(listen->conn, POSTGRES_TRIP_MAX_MS, NULL, &rows);
}

/* Who says hello may rely on hearing all that is committed after this answer. */
static void answer_hello(struct postgres_listen *listen, struct arena *arena, const char *hello)
{
    struct str answer = arena_printf(arena, "%s k%s", postgres_tell_own(listen->tell), hello);

    if (notify(listen, answer))
        return; /* the connection is lost, which the loop finds out; the other one waits in vain */
}

static void read_notifications(struct postgres_listen *listen)
{
    struct postgres_events events = {0};
    struct arena *arena = NULL;
    PGnotify *heard;

    while ((heard = PQnotifies(postgres_conn_pg(listen->conn)))) {
        if (!arena)
            arena = arena_create();
        switch (postgres_tell_parse(listen->tell, heard->extra, arena, &events)) {
        case POSTGRES_SAID_OURS:
            listen->heard_own = true;
            break;
        case POSTGRES_SAID_HELLO:
            answer_hello(listen, arena, heard->extra);
            break;
        case POSTGRES_SAID_HEARD:
            listen->n_answers++;
            /* Until now it has told us nothing, and we have not waited for it. */
            if (!listen->is_meeting)
                postgres_events_add(&events, arena, (struct store_event){.kind = STORE_EVENT_ALL});
            break;
        case POSTGRES_SAID_EVENTS:
            break;
        }
        PQfreemem(heard);
    }
    postgres_tell_here(listen->tell, events.items, events.n);
    arena_destroy(arena);
}

/* Codes, holds and leases go by the clock of the server that looks at them: those of all must
 * agree, and the database's is the one that all see. */
static void compare_clocks(struct postgres_listen *listen, int64_t asked_ms, int64_t database_ms)
{
    int64_t now_ms = clock_now_ms();
    bool differs = database_ms < asked_ms - CLOCK_MAX_MS || database_ms > now_ms + CLOCK_MAX_MS;

    if (differs && !listen->clock_differs)
        log_line(LOG_WARN, "clock_differs", LOG_INT("ahead_ms", now_ms - database_ms),
                 LOG_CSTR("hint", "set this machine's clock and the database's by NTP"));
    listen->clock_differs = differs;
}

/* How many listen, this one too; negative: the connection is lost. */
static int64_t count_listeners(struct postgres_listen *listen)
{
    static const char sql[] =
        "SELECT count(*), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) "
        "FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE l.locktype = 'advisory' AND l.classid = " POSTGRES_SERVING_CLASS
        " AND l.objid = " POSTGRES_SERVING_OBJECT " "
        "AND l.objsubid = 2 AND l.granted AND d.datname = current_database()";
    struct arena *arena = arena_create();
    struct sql_rows rows;
    int64_t n = -1, asked_ms = clock_now_ms();

    postgres_conn_queue(listen->conn, POSTGRES_ASK, SQL_ANY_COUNT, sql, SQL_NO_ARGS);
    if (!postgres_conn_trip(listen->conn, POSTGRES_TRIP_MAX_MS, arena, &rows)) {
        n = sql_get_int(&rows, 0, 0);
        compare_clocks(listen, asked_ms, sql_get_int(&rows, 0, 1));
    }
    arena_destroy(arena);
    return n;
}

/* The answer is older than all that is heard after it: what another server says then stands. */
static bool look_around(struct postgres_listen *listen)
{
    int64_t n = count_listeners(listen);

    if (n >= 0)
        postgres_tell_set_alone(listen->tell, n == 1);
    listen->look_at_ms = clock_mono_ms() + LOOK_MS;
    return n >= 0;
}

/* Here and everywhere. */
static enum err tell_all(struct postgres_listen *listen)
{
    struct arena *arena = arena_create();
    enum err err =
        notify(listen, arena_printf(arena, "%s a0.0.0", postgres_tell_own(listen->tell)));

    arena_destroy(arena);
    postgres_tell_all(listen->tell);
    return err;
}

/* False: the connection is lost. */
static bool is_there(struct postgres_listen *listen)
{
    if (clock_mono_ms() >= listen->look_at_ms)
        return look_around(listen) &&
               (!postgres_tell_is_in_doubt(listen->tell) || !tell_all(listen));
    return postgres_conn_is_alive(listen->conn);
}

/* Until `timeout_ms` have passed or something came; false: it is time to stop. */
static bool wait_for(struct postgres_listen *listen, int64_t timeout_ms)
{
    struct pollfd fds[2] = {{.fd = listen->stop_fd, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    int rc;

    if (listen->conn)
        fds[1].fd = PQsocket(postgres_conn_pg(listen->conn));
    do
        rc = poll(fds, 2, timeout_ms > 0 ? (int)timeout_ms : 0);
    while (rc < 0 && errno == EINTR);
    return !(fds[0].revents & POLLIN);
}

static void lose(struct postgres_listen *listen)
{
    atomic_store(&listen->hears, false);
    atomic_fetch_add(&listen->losses, 1);
    log_line(LOG_WARN, "notifications_lost",
             LOG_CSTR("detail", "what other servers change is not heard until it is back"));
    listen->was_alone |= postgres_tell_is_alone(listen->tell);
    postgres_tell_set_alone(listen->tell, false);
    postgres_conn_close(listen->conn);
    listen->conn = NULL;
}

/* Returns when all others know that this one listens, or should know by now. */
static enum err meet_others(struct postgres_listen *listen)
{
    int64_t end_ms = clock_mono_ms() + ANSWER_MS;
    int64_t n_others = count_listeners(listen) - 1;

    listen->n_answers = 0;
    listen->is_meeting = true;
    enum err err = notify(listen, str_from(postgres_tell_own(listen->tell)));
    read_notifications(listen); /* what has come with that trip is not waited for */
    while (!err && listen->n_answers < n_others && clock_mono_ms() < end_ms) {
        if (!wait_for(listen, end_ms - clock_mono_ms()))
            break; /* to be stopped: the loop hears it, too */
        if (!postgres_conn_is_alive(listen->conn))
            err = ERR_UNAVAILABLE;
        read_notifications(listen);
    }
    if (!err && !look_around(listen))
        err = ERR_UNAVAILABLE;
    read_notifications(listen);
    listen->is_meeting = false;
    return err;
}

static void come_back(struct postgres_listen *listen)
{
    enum err err = connect(listen, &listen->conn);

    if (err) {
        listen->conn = NULL;
        return;
    }
    err = meet_others(listen);
    if (!err && listen->was_alone)
        err = tell_all(listen);
    if (err) {
        postgres_conn_close(listen->conn);
        listen->conn = NULL;
        return;
    }
    listen->was_alone = false;
    log_line(LOG_INFO, "notifications_back");
    postgres_tell_all(listen->tell);
    atomic_store(&listen->hears, true);
}

static void *run(void *arg)
{
    struct postgres_listen *listen = arg;
    bool at_once = false;

    for (;;) {
        int64_t timeout_ms = listen->look_at_ms - clock_mono_ms();
        if (!listen->conn)
            timeout_ms = at_once ? 0 : RECONNECT_MS;
        if (!wait_for(listen, timeout_ms))
            break;
        at_once = false;
        if (!listen->conn) {
            come_back(listen);
        } else {
            bool there = is_there(listen);
            read_notifications(listen);
            if (!there) {
                lose(listen);
                at_once = true;
            }
        }
    }
    return NULL;
}

/* ---- Beginning and end ---- */

static enum err send_echo(struct postgres_pool *pool, struct postgres_tell *tell)
{
    static const char sql[] = "SELECT pg_notify('" POSTGRES_CHANNEL "', $1)";
    struct arena *arena = arena_create();
    struct str own = arena_printf(arena, "%s -", postgres_tell_own(tell));
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
static enum err hear_echo(struct postgres_listen *listen)
{
    int64_t end_ms = clock_mono_ms() + ECHO_MS;

    while (!listen->heard_own && clock_mono_ms() < end_ms) {
        if (!wait_for(listen, end_ms - clock_mono_ms()) || !postgres_conn_is_alive(listen->conn))
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

    listen->target = postgres_target_create(
        url, "database_listen (or database, if that is not set)", "servery listen", false);
    listen->tell = tell;
    listen->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert(listen->stop_fd >= 0);
    err = connect(listen, &listen->conn);
    if (!err)
        err = send_echo(pool, tell);
    if (!err)
        err = hear_echo(listen);
    if (!err)
        err = meet_others(listen);
    if (err) {
        postgres_conn_close(listen->conn);
        postgres_target_destroy(listen->target);
        close(listen->stop_fd);
        free(listen);
        return err;
    }
    atomic_store(&listen->hears, true);
    thread_start(&listen->thread, "listen", run, listen);
    *ret_listen = listen;
    return ERR_OK;
}

bool postgres_listen_hears(const struct postgres_listen *listen)
{
    return atomic_load(&listen->hears);
}

int64_t postgres_listen_losses(const struct postgres_listen *listen)
{
    return atomic_load(&listen->losses);
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
