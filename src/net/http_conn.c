/* A connection from accept to close, and a request from its first byte to its lane.
 *
 * evhttp knows no deadline for a request, no cap on connections and no way to see a connection
 * before its first request. So every bufferevent is made here: its input is watched for the first
 * byte of a request, which starts that request's deadline, and evhttp's connection object is found
 * behind it as the argument of its callbacks. */
#include "net/http_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    JOBS_SPARE_MAX = 256,
    AHEAD_MAX_BYTES = 64 * 1024, /* what a client may send before it has its answer */
    CHUNK_COST_BYTES = 1024,     /* libevent keeps a block for the piece of a body in each read */
    SHED_LOG_MS = 10 * 1000,
};

/* As if the client had closed, a moment later: so evhttp frees all in its own order, and this may
 * be called from any callback. Shutting the socket down would not do, as what the client has sent
 * and goes on sending can still be read. */
void http_conn_kill(struct http_conn *conn)
{
    (void)bufferevent_disable(conn->bev, EV_READ);
    bufferevent_trigger_event(conn->bev, BEV_EVENT_EOF, BEV_TRIG_DEFER_CALLBACKS);
}

/* evhttp would wait for the loop to report the socket writable, which costs two epoll_ctl and an
 * epoll_wait for every answer. Nearly always it is writable, so write at once, and when all is
 * written run evhttp's callback, which goes on to the next request or frees the connection. */
void http_conn_flush(struct http_conn *conn)
{
    struct bufferevent *bev = conn->bev;
    struct evbuffer *output = bufferevent_get_output(bev);
    evbuffer_unfreeze(output, 1);
    (void)evbuffer_write(output, bufferevent_getfd(bev));
    evbuffer_freeze(output, 1);
    if (evbuffer_get_length(output) == 0)
        bufferevent_trigger(bev, EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS);
}

/* ---- Deadlines ---- */

void http_conn_arm_tick(struct http_loop *loop)
{
    int64_t ms = loop->server->limits.tick_ms;
    const struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    if (loop->tick_armed)
        return;
    loop->tick_armed = true;
    (void)event_add(loop->tick, &tv);
}

void http_conn_on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http_loop *loop = arg;
    struct http_conn *conn, *next;
    int64_t now_ms = clock_mono_ms();
    (void)fd;
    (void)what;

    loop->tick_armed = false;
    for (conn = TAILQ_FIRST(&loop->reading); conn && conn->deadline_ms <= now_ms; conn = next) {
        next = TAILQ_NEXT(conn, reading_link);
        http_conn_kill(conn);
    }
    http_stream_tick(loop, now_ms);
    http_pieces_tick(loop, now_ms);
    if (!TAILQ_EMPTY(&loop->reading) || !TAILQ_EMPTY(&loop->streams) || !TAILQ_EMPTY(&loop->pieces))
        http_conn_arm_tick(loop);
}

/* ---- Input ---- */

static void scan_input(struct http_conn *conn, struct evbuffer *input, size_t from)
{
    struct evbuffer_iovec pieces[4];
    struct evbuffer_ptr at;
    size_t len = evbuffer_get_length(input);
    while (from < len && conn->scan.part != HTTP_SCAN_DONE) {
        int n = 1;
        if (from == 0) {
            n = evbuffer_peek(input, -1, NULL, pieces, 4);
        } else {
            (void)evbuffer_ptr_set(input, &at, from, EVBUFFER_PTR_SET);
            n = evbuffer_peek(input, -1, &at, pieces, 4);
        }
        for (int i = 0; i < n && i < 4; i++) {
            http_scan_bytes(&conn->scan, pieces[i].iov_base, pieces[i].iov_len);
            from += pieces[i].iov_len;
        }
    }
}

/* The first byte of a request is there, or must be soon. */
static void begin_request(struct http_conn *conn)
{
    struct http_loop *loop = conn->loop;
    conn->state = HTTP_CONN_READING;
    conn->fresh = false;
    conn->scan = (struct http_scan){0};
    conn->deadline_ms =
        clock_mono_ms() + (loop->stopping ? loop->server->limits.stop_reading_ms
                                          : loop->server->limits.request_deadline_ms);
    TAILQ_INSERT_TAIL(&loop->reading, conn, reading_link);
    http_conn_arm_tick(loop);
}

static void hold(struct http_conn *conn, size_t bytes)
{
    conn->loop->buffered += bytes - conn->buffered;
    conn->buffered = bytes;
}

static bool is_full(const struct http_loop *loop)
{
    return loop->buffered > loop->server->limits.buffered_max_bytes;
}

/* Makes room by the requests that have been read the longest: one that comes whole never waits, and
 * so goes through however many others hold what they will not finish. Their memory is free in the
 * loop's next turn. */
static void shed(struct http_loop *loop, struct http_conn *last)
{
    struct http_conn *conn;
    int64_t now_ms = clock_mono_ms();
    if (now_ms >= loop->shed_log_ms) {
        loop->shed_log_ms = now_ms + SHED_LOG_MS;
        log_line(LOG_WARN, "requests_shed", LOG_INT("buffered_bytes", (int64_t)loop->buffered));
    }
    while (is_full(loop) && (conn = TAILQ_FIRST(&loop->reading)) && !conn->shed) {
        conn->shed = true;
        TAILQ_REMOVE(&loop->reading, conn, reading_link);
        TAILQ_INSERT_TAIL(&loop->reading, conn, reading_link);
        hold(conn, 0);
        http_conn_kill(conn);
        atomic_fetch_add_explicit(&loop->server->shed, 1, memory_order_relaxed);
    }
    if (is_full(loop))
        http_conn_kill(last);
}

static void limit_input(struct http_conn *conn, size_t len)
{
    if (conn->state == HTTP_CONN_BUSY)
        (void)bufferevent_disable(conn->bev, EV_READ); /* evhttp enables it after the answer */
    else if (conn->state == HTTP_CONN_STREAM ||
             len > HTTP_BODY_MAX_BYTES + HTTP_HEADERS_MAX_BYTES + AHEAD_MAX_BYTES)
        http_conn_kill(conn);
    else if (is_full(conn->loop))
        shed(conn->loop, conn);
}

/* Runs for every change of the input, also when evhttp takes something out of it. What it takes out
 * of a request that is being read it keeps elsewhere, so all that came counts until the request is
 * whole. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct http_conn *conn = arg;
    size_t len = info->orig_size + info->n_added - info->n_deleted;
    if (conn->state == HTTP_CONN_IDLE && info->n_added > 0)
        begin_request(conn);
    if (conn->state != HTTP_CONN_READING) {
        hold(conn, len);
    } else if (info->n_added > 0) {
        scan_input(conn, input, len - info->n_added);
        hold(conn, conn->buffered + info->n_added + (conn->scan.chunked ? CHUNK_COST_BYTES : 0));
    }
    if (info->n_added > 0 && (len > AHEAD_MAX_BYTES || is_full(conn->loop)))
        limit_input(conn, len);
}

/* The answer is written. What the client sent ahead is the beginning of its next request. */
static void on_complete(struct evhttp_request *req, void *arg)
{
    struct http_conn *conn = arg;
    struct evbuffer *input = bufferevent_get_input(conn->bev);
    (void)req;
    conn->state = HTTP_CONN_IDLE;
    if (evbuffer_get_length(input) > 0) {
        begin_request(conn);
        scan_input(conn, input, 0);
    } else if (conn->loop->stopping) {
        http_conn_kill(conn);
    }
}

/* ---- Accepting ---- */

/* A turn passes from loop to loop: the one that holds it accepts one connection and gives the turn
 * to the loop with the fewest. So connections spread evenly, no two loops wake for the same one,
 * and at the cap the turn simply rests until a connection leaves. */
void http_conn_allow_accept(struct http_loop *loop)
{
    struct http_server *server = loop->server;
    (void)pthread_mutex_lock(&server->accept_lock);
    bool may = !loop->stopping && atomic_load(&server->connections) < server->max_connections;
    server->accept_parked = !may;
    (void)pthread_mutex_unlock(&server->accept_lock);
    if (may)
        (void)evconnlistener_enable(loop->listener);
}

static void pass_turn(struct http_loop *loop)
{
    struct http_server *server = loop->server;
    struct http_loop *least = loop;
    for (int i = 0; i < server->n_loops; i++)
        if (atomic_load_explicit(&server->loops[i].load, memory_order_relaxed) <
            atomic_load_explicit(&least->load, memory_order_relaxed))
            least = &server->loops[i];
    if (least == loop)
        http_conn_allow_accept(loop);
    else
        http_loop_want(least, HTTP_WANT_ACCEPT);
}

static void accept_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)evconnlistener_enable(arg);
}

/* No descriptor or no memory: try again in a while rather than at once and for ever. The argument
 * is evhttp's, so all is done with the listener. */
void http_conn_accept_failed(struct evconnlistener *listener, void *arg)
{
    static const struct timeval pause = {0, 100 * 1000};
    int error = errno;
    (void)arg;
    (void)evconnlistener_disable(listener);
    if (error == EINVAL)
        return; /* shut down by http_server_stop */
    log_line(LOG_ERROR, "accept_failed", LOG_CSTR("error", strerror(error)));
    (void)event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, accept_again, listener,
                          &pause);
}

struct bufferevent *http_conn_on_bufferevent(struct event_base *base, void *arg)
{
    struct http_loop *loop = arg;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    (void)evconnlistener_disable(loop->listener);
    event_active(loop->accepted, 0, 0);
    if (!bev)
        return NULL;
    struct http_conn *conn = mem_zalloc(sizeof *conn);
    conn->loop = loop;
    conn->bev = bev;
    bufferevent_incref(bev); /* until on_accepted */
    loop->accepting = conn;
    return bev;
}

static void set_peer(struct http_address *peer, const struct sockaddr *addr)
{
    *peer = (struct http_address){0};
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
        memcpy(peer->bytes, &in->sin_addr, 4);
    } else if (addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)addr;
        peer->is_ipv6 = !IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
        if (peer->is_ipv6)
            memcpy(peer->bytes, &in->sin6_addr, 16);
        else
            memcpy(peer->bytes, in->sin6_addr.s6_addr + 12, 4);
    }
}

static void on_closed(struct evhttp_connection *evcon, void *arg)
{
    struct http_conn *conn = arg;
    struct http_loop *loop = conn->loop;
    struct http_server *server = loop->server;
    (void)evcon;

    if (conn->stream) {
        struct evhttp_request *req = conn->stream->req;
        http_stream_close(conn->stream);
        if (!evhttp_request_get_connection(req))
            evhttp_request_free(req); /* evhttp has let go of it */
    }
    if (conn->pieces)
        http_pieces_lost(conn->pieces);
    if (conn->job)
        conn->job->conn = NULL;
    if (conn->state == HTTP_CONN_READING)
        TAILQ_REMOVE(&loop->reading, conn, reading_link);
    TAILQ_REMOVE(&loop->conns, conn, link);
    (void)evbuffer_remove_cb(bufferevent_get_input(conn->bev), on_input, conn);
    /* evhttp closes the descriptor at once, but the bufferevent lives on while a callback holds it:
     * its events must not stay behind for whoever gets that descriptor next. */
    (void)bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
    loop->buffered -= conn->buffered;
    loop->by_fd[bufferevent_getfd(conn->bev)] = NULL;
    loop->n_conns--;
    atomic_store_explicit(&loop->load, loop->n_conns, memory_order_relaxed);
    atomic_fetch_sub(&server->connections, 1);
    free(conn);

    (void)pthread_mutex_lock(&server->accept_lock);
    bool parked = server->accept_parked && !loop->stopping;
    server->accept_parked = false;
    (void)pthread_mutex_unlock(&server->accept_lock);
    if (parked)
        http_conn_allow_accept(loop);
    http_loop_check_done(loop);
}

static void adopt(struct http_conn *conn)
{
    struct http_loop *loop = conn->loop;
    size_t fd = (size_t)bufferevent_getfd(conn->bev);
    if (fd >= loop->by_fd_size) {
        size_t size = fd * 2 + 64;
        loop->by_fd = mem_realloc(loop->by_fd, size * sizeof *loop->by_fd);
        memset(loop->by_fd + loop->by_fd_size, 0, (size - loop->by_fd_size) * sizeof *loop->by_fd);
        loop->by_fd_size = size;
    }
    loop->by_fd[fd] = conn;
    TAILQ_INSERT_TAIL(&loop->conns, conn, link);
    loop->n_conns++;
    atomic_store_explicit(&loop->load, loop->n_conns, memory_order_relaxed);
    atomic_fetch_add(&loop->server->connections, 1);
    set_peer(&conn->peer, evhttp_connection_get_addr(conn->evcon));
    evhttp_connection_set_closecb(conn->evcon, on_closed, conn);
    (void)evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn);
    conn->fresh = true;
    if (loop->stopping)
        begin_request(conn);
}

/* Runs right after evhttp has made its own connection object for the accepted socket. */
void http_conn_on_accepted(evutil_socket_t fd, short what, void *arg)
{
    struct http_loop *loop = arg;
    struct http_conn *conn = loop->accepting;
    (void)fd;
    (void)what;

    loop->accepting = NULL;
    if (conn) {
        struct bufferevent *bev = conn->bev;
        void *evcon = NULL;
        bufferevent_getcb(bev, NULL, NULL, NULL, &evcon);
        conn->evcon = evcon;
        if (evcon)
            adopt(conn);
        else
            free(conn);
        bufferevent_decref(bev);
    }
    pass_turn(loop);
}

void http_conn_stop(struct http_loop *loop)
{
    struct http_conn *conn;
    struct http_stream *stream;
    int64_t deadline_ms = clock_mono_ms() + loop->server->limits.stop_reading_ms;
    loop->stopping = true;
    loop->stop_cut_ms = deadline_ms;
    (void)evconnlistener_disable(loop->listener);
    TAILQ_FOREACH (stream, &loop->streams, link)
        http_stream_end(stream);
    TAILQ_FOREACH (conn, &loop->conns, link)
        if (conn->fresh)
            begin_request(conn);
        else if (conn->state == HTTP_CONN_IDLE)
            http_conn_kill(conn);
    TAILQ_FOREACH (conn, &loop->reading, reading_link)
        if (conn->deadline_ms > deadline_ms)
            conn->deadline_ms = deadline_ms;
}

void http_conn_kill_all(struct http_loop *loop)
{
    struct http_conn *conn;
    TAILQ_FOREACH (conn, &loop->conns, link)
        http_conn_kill(conn);
}

/* ---- Requests ---- */

static struct http_job *job_new(struct http_loop *loop)
{
    struct http_job *job = STAILQ_FIRST(&loop->spare);
    struct arena *arena;
    if (job) {
        STAILQ_REMOVE_HEAD(&loop->spare, link);
        loop->n_spare--;
        arena = job->call.arena;
    } else {
        job = mem_alloc(sizeof *job);
        arena = arena_create();
    }
    memset(job, 0, sizeof *job);
    job->call.arena = arena;
    job->loop = loop;
    loop->n_jobs++;
    return job;
}

void http_job_release(struct http_job *job)
{
    struct http_loop *loop = job->loop;
    http_content_unref(job->call.response.content);
    free((void *)(uintptr_t)job->gzip.ptr);
    loop->buffered -= job->counted;
    loop->n_jobs--;
    if (loop->n_spare < JOBS_SPARE_MAX) {
        arena_reset(job->call.arena);
        STAILQ_INSERT_HEAD(&loop->spare, job, link);
        loop->n_spare++;
    } else {
        arena_destroy(job->call.arena);
        free(job);
    }
}

/* Sixteen hexadecimal digits, from a generator (splitmix64) seeded once a loop: ids tell requests
 * apart and are no secret. */
static struct str make_request_id(struct http_loop *loop, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t z = loop->id_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    char *id = arena_alloc(arena, 17);
    for (int i = 0; i < 16; i++)
        id[i] = digits[(z >> (4 * i)) & 15];
    id[16] = 0;
    return (struct str){id, 16};
}

static enum http_method method_of(const struct evhttp_request *req)
{
    switch ((int)evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return HTTP_GET;
    case EVHTTP_REQ_HEAD:
        return HTTP_HEAD;
    case EVHTTP_REQ_POST:
        return HTTP_POST;
    case EVHTTP_REQ_PUT:
        return HTTP_PUT;
    case EVHTTP_REQ_DELETE:
        return HTTP_DELETE;
    default:
        return HTTP_OTHER;
    }
}

/* A target may also be absolute ("http://host/path"), as proxies send it. */
static void set_target(struct http_call *call, struct str target)
{
    struct str query = target;
    call->target = target;
    (void)str_split(&query, '?', &call->path);
    call->query = query;
    if (str_starts(call->path, STR("http://")) || str_starts(call->path, STR("https://"))) {
        struct str rest = str_slice(call->path, call->path.ptr[4] == 's' ? 8 : 7, call->path.len);
        const char *slash = memchr(rest.ptr, '/', rest.len);
        call->path = slash ? str_slice(rest, (size_t)(slash - rest.ptr), rest.len) : STR("/");
    }
}

static void refuse(struct http_job *job, int status, const char *detail, struct str allow)
{
    struct http_server *server = job->loop->server;
    atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
    server->options.refuse(&job->call, status, detail, allow);
    http_reply_send(job);
}

static bool has_too_many_pairs(struct str query)
{
    size_t n = query.len > 0;
    for (size_t i = 0; i < query.len; i++)
        n += query.ptr[i] == '&';
    return n > HTTP_QUERY_PAIRS_MAX;
}

static void set_body(struct http_job *job)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(job->req);
    size_t len = evbuffer_get_length(input);
    job->counted = len;
    job->loop->buffered += len;
    job->call.body = len > 0 ? (struct str){(char *)evbuffer_pullup(input, -1), len} : STR("");
}

static struct http_job *job_for(struct http_loop *loop, struct http_conn *conn,
                                struct evhttp_request *req)
{
    struct http_job *job = job_new(loop);
    struct http_call *call = &job->call;
    job->conn = conn;
    job->req = req;
    job->n_headers = conn->scan.n_lines - 1;
    conn->job = job;
    call->server = loop->server;
    call->loop = (int)(loop - loop->server->loops);
    call->ctx = loop->server->options.ctx;
    call->method = method_of(req);
    call->request_id = make_request_id(loop, call->arena);
    call->peer = conn->peer;
    call->started_us = clock_mono_us();
    job->queued_us = call->started_us;
    buf_init(&call->response.body, call->arena);
    set_target(call, str_from(evhttp_request_get_uri(req)));
    set_body(job);
    return job;
}

static void dispatch(struct http_job *job)
{
    struct http_call *call = &job->call;
    struct http_server *server = job->loop->server;
    struct str allow = STR_NONE;
    int status = http_routes_match(server->routes, call, &allow);
    /* evhttp reads no body for a method it does not know. */
    if (call->method == HTTP_OTHER)
        call->response.close = http_guard_has_body(evhttp_request_get_input_headers(job->req));
    if (status != 0) {
        refuse(job, status, NULL, allow);
    } else if (has_too_many_pairs(call->query)) {
        refuse(job, 400, "The query has too many parameters.", STR_NONE);
    } else if (call->body.len > call->route->body_max_bytes) {
        refuse(job, 413, NULL, STR_NONE);
    } else if (call->route->lane == HTTP_LANE_LOOP) {
        log_set_request_id(call->request_id);
        server->options.handle(call);
        http_reply_prepare(job, &job->loop->z);
        log_set_request_id(STR_NONE);
        http_reply_send(job);
    } else if (!http_workers_submit(server->workers, job)) {
        atomic_fetch_add_explicit(&server->queue_full[call->route->lane], 1, memory_order_relaxed);
        refuse(job, 503, "Too many requests are waiting.", STR_NONE);
    }
}

void http_conn_on_request(struct evhttp_request *req, void *arg)
{
    struct http_loop *loop = arg;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
    struct http_conn *conn = loop->by_fd[bufferevent_getfd(bev)];

    assert(conn->state == HTTP_CONN_READING);
    TAILQ_REMOVE(&loop->reading, conn, reading_link);
    conn->state = HTTP_CONN_BUSY;
    hold(conn, evbuffer_get_length(bufferevent_get_input(bev))); /* the job counts the rest */
    evhttp_request_set_on_complete_cb(req, on_complete, conn);
    atomic_fetch_add_explicit(&loop->server->requests, 1, memory_order_relaxed);

    struct http_job *job = job_for(loop, conn, req);
    const char *fault = http_guard_check(req);
    fault = fault ? fault : conn->scan.fault;
    if (fault) {
        job->call.response.close = true;
        refuse(job, 400, fault, STR_NONE);
    } else {
        dispatch(job);
    }
}
