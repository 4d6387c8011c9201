/* The server as a whole: it listens, runs one event loop a thread, passes what other threads have
 * for a loop through that loop's inbox, and stops. Nothing but the inbox touches a loop from
 * outside, so libevent needs no locks. */
#include "net/http_internal.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <netinet/tcp.h>

enum {
    STREAMS_A_TICK = 256,
    DESCRIPTORS_BESIDE = 256, /* for databases, mail and files */
    BACKLOG = 4096,
    ACCEPT_REST_MS = 100, /* at a stop, for those who have connected */
};

static const char CONSTANT_HEAD[] = "\r\nX-Content-Type-Options: nosniff"
                                    "\r\nReferrer-Policy: no-referrer"
                                    "\r\nCross-Origin-Opener-Policy: same-origin";
static const char CONSTANT_HEAD_HTTPS[] =
    "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains";

void http_limits_default(struct http_limits *limits)
{
    *limits = (struct http_limits){
        .request_deadline_ms = HTTP_REQUEST_DEADLINE_MS,
        .idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS,
        .heartbeat_ms = HTTP_STREAM_HEARTBEAT_MS,
        .stop_reading_ms = HTTP_STOP_READING_MS,
        .tick_ms = 250,
        .queue_max = HTTP_QUEUE_MAX,
        .stream_buffer_max_bytes = HTTP_STREAM_BUFFER_MAX_BYTES,
        .buffered_max_bytes = HTTP_BUFFERED_MAX_BYTES,
    };
}

/* ---- The inbox ---- */

void http_loop_signal_locked(struct http_loop *loop)
{
    const uint64_t one = 1;
    if (loop->inbox_full)
        return;
    loop->inbox_full = true;
    ssize_t n = write(loop->inbox_fd, &one, sizeof one);
    (void)n; /* fails only where the counter is not 0 anyway */
}

void http_loop_push_reply(struct http_job *job)
{
    struct http_loop *loop = job->loop;
    (void)pthread_mutex_lock(&loop->inbox_lock);
    STAILQ_INSERT_TAIL(&loop->replies, job, link);
    http_loop_signal_locked(loop);
    (void)pthread_mutex_unlock(&loop->inbox_lock);
}

void http_loop_want(struct http_loop *loop, unsigned want)
{
    (void)pthread_mutex_lock(&loop->inbox_lock);
    loop->wants |= want;
    http_loop_signal_locked(loop);
    (void)pthread_mutex_unlock(&loop->inbox_lock);
}

static struct http_stream *next_stream(struct http_loop *loop)
{
    (void)pthread_mutex_lock(&loop->inbox_lock);
    struct http_stream *stream = TAILQ_FIRST(&loop->stream_queue);
    if (stream) {
        TAILQ_REMOVE(&loop->stream_queue, stream, queue_link);
        stream->queued = false;
    }
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    return stream;
}

static void on_inbox(evutil_socket_t fd, short what, void *arg)
{
    struct http_loop *loop = arg;
    struct http_jobs replies = STAILQ_HEAD_INITIALIZER(replies);
    struct http_job *job;
    struct http_stream *stream;
    uint64_t count;
    (void)what;

    ssize_t n = read(fd, &count, sizeof count);
    (void)n; /* nothing to read when the rest of the streams brought us here */
    (void)pthread_mutex_lock(&loop->inbox_lock);
    loop->inbox_full = false;
    STAILQ_CONCAT(&replies, &loop->replies);
    unsigned wants = loop->wants;
    loop->wants = 0;
    (void)pthread_mutex_unlock(&loop->inbox_lock);

    if (wants & HTTP_WANT_STOP)
        http_conn_stop(loop);
    if (wants & HTTP_WANT_ACCEPT)
        http_conn_allow_accept(loop);
    while ((job = STAILQ_FIRST(&replies))) {
        STAILQ_REMOVE_HEAD(&replies, link);
        http_reply_send(job);
    }
    if (wants & HTTP_WANT_KILL)
        http_conn_kill_all(loop);
    for (int i = 0; i < STREAMS_A_TICK && (stream = next_stream(loop)); i++)
        http_stream_deliver(stream);

    (void)pthread_mutex_lock(&loop->inbox_lock);
    if (!TAILQ_EMPTY(&loop->stream_queue))
        http_loop_signal_locked(loop);
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    http_loop_check_done(loop);
}

void http_loop_check_done(struct http_loop *loop)
{
    if (loop->stopping && loop->n_conns == 0 && loop->n_jobs == 0)
        (void)event_base_loopbreak(loop->base);
}

/* ---- A loop ---- */

static void *run_loop(void *arg)
{
    struct http_loop *loop = arg;
    struct http_server *server = loop->server;
    (void)event_base_dispatch(loop->base);
    /* libevent frees a connection's buffers one turn after the connection. */
    (void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
    (void)pthread_mutex_lock(&server->stop_lock);
    server->loops_running--;
    (void)pthread_cond_signal(&server->stop_cond);
    (void)pthread_mutex_unlock(&server->stop_lock);
    return NULL;
}

static void set_up_evhttp(struct http_loop *loop)
{
    const struct http_limits *limits = &loop->server->limits;
    const struct timeval idle = {limits->idle_timeout_ms / 1000,
                                 limits->idle_timeout_ms % 1000 * 1000};
    struct evhttp *http = loop->evhttp;
    /* All connections wait equally long, so libevent can keep a queue instead of a heap. */
    const struct timeval *shared = event_base_init_common_timeout(loop->base, &idle);
    evhttp_set_timeout_tv(http, shared ? shared : &idle);
    evhttp_set_max_headers_size(http, HTTP_HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(http, HTTP_BODY_MAX_BYTES);
    evhttp_set_default_content_type(http, NULL);
    evhttp_set_allowed_methods(http, 0xffff); /* unknown ones get our answer, not evhttp's */
    (void)evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_bevcb(http, http_conn_on_bufferevent, loop);
    evhttp_set_gencb(http, http_conn_on_request, loop);
}

static bool loop_init(struct http_loop *loop, struct http_server *server)
{
    loop->server = server;
    loop->inbox_fd = -1;
    (void)pthread_mutex_init(&loop->inbox_lock, NULL);
    STAILQ_INIT(&loop->replies);
    STAILQ_INIT(&loop->spare);
    TAILQ_INIT(&loop->stream_queue);
    TAILQ_INIT(&loop->conns);
    TAILQ_INIT(&loop->reading);
    TAILQ_INIT(&loop->streams);
    TAILQ_INIT(&loop->pieces);
    buf_init(&loop->head, NULL);
    crypto_random(&loop->id_state, sizeof loop->id_state);

    struct event_config *config = event_config_new();
    if (!config)
        return false;
    (void)event_config_set_flag(config,
                                EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST | EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    loop->inbox_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = fcntl(server->listen_fd, F_DUPFD_CLOEXEC, 0);
    if (!loop->base || loop->inbox_fd < 0 || fd < 0 ||
        !(loop->listener = evconnlistener_new(
              loop->base, NULL, NULL,
              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd))) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    loop->evhttp = evhttp_new(loop->base);
    loop->scratch = evbuffer_new();
    loop->accepted = event_new(loop->base, -1, 0, http_conn_on_accepted, loop);
    loop->tick = event_new(loop->base, -1, 0, http_conn_on_tick, loop);
    loop->inbox = event_new(loop->base, loop->inbox_fd, EV_READ | EV_PERSIST, on_inbox, loop);
    if (!loop->evhttp || !loop->scratch || !loop->accepted || !loop->tick || !loop->inbox ||
        event_add(loop->inbox, NULL) != 0)
        return false;
    evconnlistener_set_error_cb(loop->listener, http_conn_accept_failed);
    set_up_evhttp(loop);
    return evhttp_bind_listener(loop->evhttp, loop->listener) != NULL;
}

static void loop_finish(struct http_loop *loop)
{
    struct http_job *job;
    if (!loop->server)
        return;
    if (loop->evhttp)
        evhttp_free(loop->evhttp); /* with the listener */
    if (loop->accepted)
        event_free(loop->accepted);
    if (loop->tick)
        event_free(loop->tick);
    if (loop->inbox)
        event_free(loop->inbox);
    if (loop->scratch)
        evbuffer_free(loop->scratch);
    http_reply_compress_finish(loop->z);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->inbox_fd >= 0)
        (void)close(loop->inbox_fd);
    while ((job = STAILQ_FIRST(&loop->spare))) {
        STAILQ_REMOVE_HEAD(&loop->spare, link);
        arena_destroy(job->call.arena);
        free(job);
    }
    buf_finish(&loop->head);
    free(loop->by_fd);
    (void)pthread_mutex_destroy(&loop->inbox_lock);
}

/* ---- Listening ---- */

static int bind_to(const struct addrinfo *address)
{
    static const int on = 1, off = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* TCP_NODELAY passes to the accepted sockets. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
                     : ((struct sockaddr_in *)(void *)&address)->sin_port);
}

static enum err listen_failed(const char *address, const char *error)
{
    log_line(LOG_ERROR, "listen_failed", LOG_CSTR("address", address), LOG_CSTR("error", error));
    return ERR_INTERNAL;
}

enum err http_bind(const char *listen, int *ret_fd)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *address = NULL;
    const char *colon = strrchr(listen, ':');
    char host[256];
    size_t len = colon ? (size_t)(colon - listen) : sizeof host;
    int fd = -1;

    if (len >= sizeof host)
        return listen_failed(listen, "not of the form host:port");
    bool brackets = len >= 2 && listen[0] == '[' && listen[len - 1] == ']';
    len -= brackets ? 2 : 0;
    memcpy(host, listen + (brackets ? 1 : 0), len);
    host[len] = 0;
    int rc = getaddrinfo(len > 0 ? host : NULL, colon + 1, &hints, &address);
    if (rc == 0)
        fd = bind_to(address);
    const char *error = rc != 0 ? gai_strerror(rc) : strerror(errno);
    if (address)
        freeaddrinfo(address);
    if (fd < 0)
        return listen_failed(listen, error);
    *ret_fd = fd;
    return ERR_OK;
}

static enum err open_listener(struct http_server *server)
{
    const struct http_options *options = &server->options;

    if (options->bound_fd)
        server->listen_fd = *options->bound_fd;
    else if (http_bind(options->listen, &server->listen_fd))
        return ERR_INTERNAL;
    if (listen(server->listen_fd, BACKLOG) != 0)
        return listen_failed(options->listen, strerror(errno));
    server->port = port_of(server->listen_fd);
    return ERR_OK;
}

/* Every connection is a descriptor; the usual soft limit of 1,024 is far too low. */
static void raise_descriptors(struct http_server *server)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)server->max_connections + DESCRIPTORS_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        int most = (int)limit.rlim_cur - DESCRIPTORS_BESIDE;
        server->max_connections = most < 16 ? 16 : most;
        log_line(LOG_WARN, "connections_capped", LOG_INT("max", server->max_connections));
    }
}

/* ---- Create, stop, destroy ---- */

static void on_libevent_log(int severity, const char *message)
{
    if (severity >= EVENT_LOG_WARN)
        log_line(LOG_WARN, "libevent", LOG_CSTR("message", message));
}

static void set_constant_head(struct http_server *server)
{
    struct buf head;
    buf_init(&head, NULL);
    buf_put(&head, CONSTANT_HEAD, sizeof CONSTANT_HEAD - 1);
    if (server->options.https)
        buf_put(&head, CONSTANT_HEAD_HTTPS, sizeof CONSTANT_HEAD_HTTPS - 1);
    server->constant_head = buf_str(&head);
}

/* The threads take no signals: those are the main thread's. */
static void start_threads(struct http_server *server)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    server->workers = http_workers_create(server, server->options.workers);
    server->loops_running = server->n_loops;
    for (int i = 0; i < server->n_loops; i++)
        thread_start(&server->loops[i].thread, "loop", run_loop, &server->loops[i]);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum err http_server_create_limited(const struct http_options *options,
                                    const struct http_limits *limits,
                                    struct http_server **ret_server)
{
    struct http_server *server = mem_zalloc(sizeof *server);

    assert(options->io_threads > 0 && options->workers > 0 && options->max_connections > 0);
    server->options = *options;
    server->limits = *limits;
    server->max_connections = options->max_connections;
    server->listen_fd = -1;
    (void)pthread_mutex_init(&server->accept_lock, NULL);
    (void)pthread_mutex_init(&server->stop_lock, NULL);
    (void)pthread_cond_init(&server->stop_cond, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* a client that leaves is no reason to end */
    event_set_log_callback(on_libevent_log);
    raise_descriptors(server);
    set_constant_head(server);
    server->routes = http_routes_create(options->routes, options->n_routes, options->route_size);

    enum err err = open_listener(server);
    if (err == ERR_OK) {
        server->loops = mem_zalloc((size_t)options->io_threads * sizeof *server->loops);
        for (int i = 0; i < options->io_threads && err == ERR_OK; i++, server->n_loops++)
            if (!loop_init(&server->loops[i], server))
                err = ERR_INTERNAL;
    }
    if (err == ERR_OK) {
        start_threads(server);
        http_loop_want(&server->loops[0], HTTP_WANT_ACCEPT);
        *ret_server = server;
    } else {
        http_server_destroy(server);
    }
    return err;
}

enum err http_server_create(const struct http_options *options, struct http_server **ret_server)
{
    struct http_limits limits;
    http_limits_default(&limits);
    return http_server_create_limited(options, &limits, ret_server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stats(const struct http_server *server, struct http_stats *ret_stats)
{
    *ret_stats = (struct http_stats){
        .connections = atomic_load_explicit(&server->connections, memory_order_relaxed),
        .streams = atomic_load_explicit(&server->streams, memory_order_relaxed),
        .requests = atomic_load_explicit(&server->requests, memory_order_relaxed),
        .refused = atomic_load_explicit(&server->refused, memory_order_relaxed),
        .shed = atomic_load_explicit(&server->shed, memory_order_relaxed),
        .pieces_deferred = atomic_load_explicit(&server->pieces_deferred, memory_order_relaxed),
    };
    for (int i = 0; i < HTTP_LANES; i++) {
        ret_stats->queued[i] = atomic_load_explicit(&server->queued[i], memory_order_relaxed);
        ret_stats->running[i] = atomic_load_explicit(&server->running[i], memory_order_relaxed);
        ret_stats->queue_full[i] =
            atomic_load_explicit(&server->queue_full[i], memory_order_relaxed);
    }
}

static void want_all(struct http_server *server, unsigned want)
{
    for (int i = 0; i < server->n_loops; i++)
        http_loop_want(&server->loops[i], want);
}

void http_server_leave(struct http_server *server)
{
    atomic_store(&server->leaving, true);
}

/* Who has connected may have sent his request: a proxy cannot tell a reset from a call that was
 * done. With connections at their most they are not waited for long. */
static void accept_rest(const struct http_server *server)
{
    static const struct timespec pause = {.tv_nsec = 1000 * 1000};
    struct pollfd waiting = {.fd = server->listen_fd, .events = POLLIN};
    for (int ms = 0; ms < ACCEPT_REST_MS && poll(&waiting, 1, 0) > 0; ms++)
        (void)nanosleep(&pause, NULL);
}

void http_server_stop(struct http_server *server, int64_t timeout_ms)
{
    if (server->stopped)
        return;
    server->stopped = true;
    atomic_store(&server->leaving, true);
    accept_rest(server);
    /* New connections are refused from here on. */
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    want_all(server, HTTP_WANT_STOP);

    const struct timespec until = clock_mono_after(timeout_ms);
    (void)pthread_mutex_lock(&server->stop_lock);
    int rc = 0;
    while (server->loops_running > 0 && rc == 0)
        rc =
            pthread_cond_clockwait(&server->stop_cond, &server->stop_lock, CLOCK_MONOTONIC, &until);
    bool late = server->loops_running > 0;
    (void)pthread_mutex_unlock(&server->stop_lock);
    if (late) {
        log_line(LOG_WARN, "stop_late", LOG_INT("connections", atomic_load(&server->connections)));
        want_all(server, HTTP_WANT_KILL);
    }
    for (int i = 0; i < server->n_loops; i++)
        (void)pthread_join(server->loops[i].thread, NULL);
    http_workers_destroy(server->workers);
    server->workers = NULL;
}

void http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    if (server->loops_running > 0)
        http_server_stop(server, 0);
    http_workers_destroy(server->workers);
    for (int i = 0; server->loops && i < server->options.io_threads; i++)
        loop_finish(&server->loops[i]);
    free(server->loops);
    if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    http_routes_destroy(server->routes);
    free((void *)(uintptr_t)server->constant_head.ptr);
    (void)pthread_cond_destroy(&server->stop_cond);
    (void)pthread_mutex_destroy(&server->stop_lock);
    (void)pthread_mutex_destroy(&server->accept_lock);
    free(server);
}
