/* Event streams. A stream's messages wait in the stream, under its loop's inbox lock, until the
 * loop delivers them; the loop delivers a bounded number of streams a tick, so that an event for
 * thousands of them does not hold up requests. */
#include "net/http_internal.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEARTBEATS_A_TICK = 256 };

struct http_chunk {
    int refs; /* atomic */
    size_t len;
    char bytes[];
};

struct http_chunk *http_chunk_create(struct str bytes)
{
    struct http_chunk *chunk = mem_alloc(sizeof *chunk + bytes.len);
    chunk->refs = 1;
    chunk->len = bytes.len;
    memcpy(chunk->bytes, bytes.ptr, bytes.len);
    return chunk;
}

void http_chunk_unref(struct http_chunk *chunk)
{
    if (chunk && __atomic_sub_fetch(&chunk->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(chunk);
}

struct http_stream *http_stream_open(struct http_call *call, int64_t deadline_ms,
                                     http_stream_closed *closed, void *arg)
{
    struct http_job *job = (struct http_job *)(void *)call;
    struct http_stream *stream = mem_zalloc(sizeof *stream);
    assert(!call->response.stream);
    stream->loop = job->loop;
    stream->closed = closed;
    stream->arg = arg;
    stream->deadline_ms = deadline_ms;
    STAILQ_INIT(&stream->messages);
    call->response.stream = stream;
    return stream;
}

void http_stream_coalesce(struct http_stream *stream, struct http_chunk *instead)
{
    __atomic_add_fetch(&instead->refs, 1, __ATOMIC_RELAXED);
    stream->instead = instead;
}

void http_stream_replayed(struct http_stream *stream, int64_t replayed_id)
{
    stream->replayed_id = replayed_id;
}

/* With the inbox lock. A stream whose answer has not begun is delivered when it begins. */
static void queue_locked(struct http_stream *stream)
{
    if (!stream->open || stream->queued)
        return;
    stream->queued = true;
    TAILQ_INSERT_TAIL(&stream->loop->stream_queue, stream, queue_link);
    http_loop_signal_locked(stream->loop);
}

void http_stream_send(struct http_stream *stream, struct http_chunk *chunk, int64_t id)
{
    struct http_message *message = mem_alloc(sizeof *message);
    __atomic_add_fetch(&chunk->refs, 1, __ATOMIC_RELAXED);
    message->chunk = chunk;
    message->id = id;

    (void)pthread_mutex_lock(&stream->loop->inbox_lock);
    stream->waiting_bytes += chunk->len;
    STAILQ_INSERT_TAIL(&stream->messages, message, link);
    bool refused = stream->ended || stream->overflow;
    if (!refused && stream->waiting_bytes > stream->loop->server->limits.stream_buffer_max_bytes)
        refused = stream->overflow = true;
    if (refused)
        STAILQ_REMOVE(&stream->messages, message, http_message, link);
    queue_locked(stream);
    (void)pthread_mutex_unlock(&stream->loop->inbox_lock);

    if (refused) {
        http_chunk_unref(chunk);
        free(message);
    }
}

void http_stream_end(struct http_stream *stream)
{
    (void)pthread_mutex_lock(&stream->loop->inbox_lock);
    stream->ended = true;
    queue_locked(stream);
    (void)pthread_mutex_unlock(&stream->loop->inbox_lock);
}

void http_stream_free_messages(struct http_messages *messages)
{
    struct http_message *message;
    while ((message = STAILQ_FIRST(messages))) {
        STAILQ_REMOVE_HEAD(messages, link);
        http_chunk_unref(message->chunk);
        free(message);
    }
}

void http_stream_close(struct http_stream *stream)
{
    struct http_loop *loop = stream->loop;
    if (stream->conn)
        atomic_fetch_sub_explicit(&loop->server->streams, 1, memory_order_relaxed);
    stream->closed(stream->arg); /* from here on nobody sends to it */

    (void)pthread_mutex_lock(&loop->inbox_lock);
    if (stream->queued)
        TAILQ_REMOVE(&loop->stream_queue, stream, queue_link);
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    http_stream_free_messages(&stream->messages);
    http_chunk_unref(stream->instead);
    if (stream->conn) {
        stream->conn->stream = NULL;
        TAILQ_REMOVE(&loop->streams, stream, link);
    }
    free(stream);
}

/* Ends the answer; the connection closes once all of it is written. */
static void finish(struct http_stream *stream)
{
    struct evhttp_request *req = stream->req;
    struct http_conn *conn = stream->conn;
    http_stream_close(stream);
    conn->state = HTTP_CONN_BUSY;
    evhttp_send_reply_end(req);
}

static void unref_chunk(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    http_chunk_unref(arg);
}

static void add_chunk(struct http_stream *stream, struct http_chunk *chunk)
{
    __atomic_add_fetch(&chunk->refs, 1, __ATOMIC_RELAXED);
    if (evbuffer_add_reference(stream->loop->scratch, chunk->bytes, chunk->len, unref_chunk, chunk))
        http_chunk_unref(chunk);
}

static size_t unwritten(const struct http_stream *stream)
{
    return evbuffer_get_length(bufferevent_get_output(stream->conn->bev));
}

/* The client has taken all: it hears that it has missed something, and what comes from here on. */
static void on_written(struct evhttp_connection *evcon, void *arg)
{
    struct http_stream *stream = arg;
    struct http_loop *loop = stream->loop;
    (void)evcon;

    (void)pthread_mutex_lock(&loop->inbox_lock);
    bool missed = stream->overflow && stream->instead && STAILQ_EMPTY(&stream->messages);
    if (missed) {
        stream->overflow = false;
        stream->waiting_bytes = 0;
    }
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    if (!missed)
        return;
    add_chunk(stream, stream->instead);
    evhttp_send_reply_chunk_with_cb(stream->req, loop->scratch, on_written, stream);
    http_conn_flush(stream->conn);
}

/* What was sent meanwhile, to the scratch. True: more came than may wait. */
static bool take_messages(struct http_stream *stream, bool *ret_ended)
{
    struct http_loop *loop = stream->loop;
    struct http_messages messages = STAILQ_HEAD_INITIALIZER(messages);
    struct http_message *message;

    (void)pthread_mutex_lock(&loop->inbox_lock);
    STAILQ_CONCAT(&messages, &stream->messages);
    stream->waiting_bytes = 0;
    if (stream->instead && unwritten(stream) > loop->server->limits.stream_buffer_max_bytes)
        stream->overflow = true;
    bool overflow = stream->overflow;
    *ret_ended = stream->ended;
    (void)pthread_mutex_unlock(&loop->inbox_lock);

    STAILQ_FOREACH (message, &messages, link)
        if (message->id == 0 || message->id > stream->replayed_id)
            add_chunk(stream, message->chunk);
    http_stream_free_messages(&messages);
    return overflow;
}

void http_stream_deliver(struct http_stream *stream)
{
    bool ended;
    bool overflow = take_messages(stream, &ended);
    evhttp_send_reply_chunk_with_cb(stream->req, stream->loop->scratch, on_written, stream);
    if (!stream->instead &&
        (overflow || unwritten(stream) > stream->loop->server->limits.stream_buffer_max_bytes)) {
        http_conn_kill(stream->conn);
    } else if (ended) {
        finish(stream);
    } else if (overflow && unwritten(stream) == 0) {
        on_written(NULL, stream); /* nothing is on its way that would tell */
    } else {
        http_conn_flush(stream->conn);
    }
}

/* Begins the answer: its head, the replay, and what was sent while that was read. */
void http_stream_start(struct http_job *job)
{
    struct http_call *call = &job->call;
    struct http_stream *stream = call->response.stream;
    struct http_loop *loop = job->loop;
    struct http_conn *conn = job->conn;
    struct evhttp_request *req = job->req;

    if (!call->response.content_type.ptr)
        call->response.content_type = STR("text/event-stream");
    http_reply_begin(job);
    if (call->response.body.len > 0 &&
        evbuffer_add(loop->scratch, call->response.body.ptr, call->response.body.len) == 0)
        evhttp_send_reply_chunk(req, loop->scratch);

    stream->conn = conn;
    stream->req = req;
    stream->heartbeat_ms = clock_mono_ms() + loop->server->limits.heartbeat_ms;
    conn->stream = stream;
    conn->state = HTTP_CONN_STREAM;
    TAILQ_INSERT_TAIL(&loop->streams, stream, link);
    atomic_fetch_add_explicit(&loop->server->streams, 1, memory_order_relaxed);
    http_job_release(job);

    (void)pthread_mutex_lock(&loop->inbox_lock);
    stream->open = true;
    stream->ended |= loop->stopping;
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    http_conn_arm_tick(loop);
    http_stream_deliver(stream);
}

static bool beat(struct http_stream *stream, int64_t mono_ms)
{
    static const char comment[] = ":\n\n";
    struct http_loop *loop = stream->loop;
    if (stream->heartbeat_ms > mono_ms)
        return false;
    stream->heartbeat_ms = mono_ms + loop->server->limits.heartbeat_ms;
    if (evbuffer_add(loop->scratch, comment, sizeof comment - 1) == 0)
        evhttp_send_reply_chunk_with_cb(stream->req, loop->scratch, on_written, stream);
    if (!stream->instead && unwritten(stream) > loop->server->limits.stream_buffer_max_bytes)
        http_conn_kill(stream->conn);
    else
        http_conn_flush(stream->conn);
    return true;
}

void http_stream_tick(struct http_loop *loop, int64_t mono_ms)
{
    int64_t now_ms = clock_now_ms();
    struct http_stream *stream, *next;
    int beats = 0;
    for (stream = TAILQ_FIRST(&loop->streams); stream; stream = next) {
        next = TAILQ_NEXT(stream, link);
        if (now_ms >= stream->deadline_ms)
            http_stream_end(stream);
        else if (beats < HEARTBEATS_A_TICK)
            beats += beat(stream, mono_ms);
    }
}
