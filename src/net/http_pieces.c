/* Answers in pieces. One piece is on its way at a time: a worker makes it, the loop writes it, and
 * only when the last byte of it is with the system does it ask for the next. */
#include "net/http_internal.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

void http_pieces_open(struct http_call *call, http_pieces_next *next, http_pieces_closed *closed,
                      void *arg)
{
    struct http_job *job = (struct http_job *)(void *)call;
    struct http_pieces *pieces = mem_zalloc(sizeof *pieces);
    assert(!call->response.pieces && !call->response.stream);
    pieces->job = job;
    pieces->next = next;
    pieces->closed = closed;
    pieces->arg = arg;
    pieces->got = HTTP_PIECES_MORE;
    buf_init(&pieces->piece, NULL);
    call->response.pieces = pieces;
}

void http_pieces_close(struct http_pieces *pieces)
{
    if (pieces->state != HTTP_PIECES_UNSENT)
        TAILQ_REMOVE(&pieces->job->loop->pieces, pieces, link);
    pieces->closed(pieces->arg);
    buf_finish(&pieces->piece);
    arena_destroy(pieces->arena);
    free(pieces);
}

void http_pieces_make(struct http_job *job)
{
    struct http_pieces *pieces = job->call.response.pieces;
    if (!pieces->arena)
        pieces->arena = arena_create();
    pieces->got = pieces->next(pieces->arg, pieces->arena, &pieces->piece);
    arena_reset(pieces->arena);
}

/* A full queue is tried again with the next tick. */
static void ask(struct http_pieces *pieces)
{
    struct http_job *job = pieces->job;
    struct http_server *server = job->loop->server;
    bool again = pieces->state == HTTP_PIECES_WAITING;
    pieces->state = HTTP_PIECES_MAKING;
    job->queued_us = clock_mono_us();
    if (http_workers_submit(server->workers, job))
        return;
    pieces->state = HTTP_PIECES_WAITING;
    if (!again)
        atomic_fetch_add_explicit(&server->pieces_deferred, 1, memory_order_relaxed);
}

/* Called whenever nothing is left to write, also once more than needed. */
static void on_written(struct evhttp_connection *evcon, void *arg)
{
    struct http_pieces *pieces = arg;
    (void)evcon;
    if (pieces->state == HTTP_PIECES_WRITING)
        ask(pieces);
}

static void free_bytes(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    free(arg);
}

/* The answer's end; the connection closes once all of it is written. */
static void finish(struct http_pieces *pieces)
{
    struct http_job *job = pieces->job;
    struct evhttp_request *req = job->req;
    job->conn->pieces = NULL;
    http_pieces_close(pieces);
    job->call.response.pieces = NULL;
    http_job_release(job);
    evhttp_send_reply_end(req);
}

void http_pieces_write(struct http_job *job)
{
    struct http_pieces *pieces = job->call.response.pieces;
    struct http_conn *conn = job->conn;
    struct evbuffer *scratch = job->loop->scratch;
    struct buf *piece = &pieces->piece;

    pieces->state = HTTP_PIECES_WRITING;
    if (pieces->got == HTTP_PIECES_FAILED) {
        pieces->state = HTTP_PIECES_CUT;
        http_conn_kill(conn);
        return;
    }
    if (piece->len == 0 && pieces->got == HTTP_PIECES_MORE) {
        ask(pieces);
        return;
    }
    if (piece->len > 0) {
        int rc = evbuffer_add_reference(scratch, piece->ptr, piece->len, free_bytes, piece->ptr);
        assert(rc == 0);
        buf_init(piece, NULL);
    }
    if (pieces->got == HTTP_PIECES_LAST) {
        evhttp_send_reply_chunk(job->req, scratch);
        finish(pieces);
    } else {
        evhttp_send_reply_chunk_with_cb(job->req, scratch, on_written, pieces);
        http_conn_flush(conn);
    }
}

void http_pieces_start(struct http_job *job)
{
    struct http_pieces *pieces = job->call.response.pieces;
    struct str first = buf_str(&job->call.response.body);

    http_reply_begin(job);
    job->conn->pieces = pieces;
    buf_put_str(&pieces->piece, first);
    TAILQ_INSERT_TAIL(&job->loop->pieces, pieces, link);
    http_conn_arm_tick(job->loop);
    http_pieces_write(job);
}

void http_pieces_lost(struct http_pieces *pieces)
{
    struct http_job *job = pieces->job;
    struct evhttp_request *req = job->req;
    job->conn = NULL;
    if (pieces->state == HTTP_PIECES_MAKING)
        return; /* the job is a worker's, and http_reply_send drops it */
    http_pieces_close(pieces);
    job->call.response.pieces = NULL;
    if (!evhttp_request_get_connection(req))
        evhttp_request_free(req); /* evhttp has let go of it */
    http_job_release(job);
}

void http_pieces_tick(struct http_loop *loop, int64_t mono_ms)
{
    struct http_pieces *pieces, *next;
    for (pieces = TAILQ_FIRST(&loop->pieces); pieces; pieces = next) {
        next = TAILQ_NEXT(pieces, link);
        if (!pieces->job->conn)
            continue;
        if (loop->stopping && mono_ms >= loop->stop_cut_ms)
            http_conn_kill(pieces->job->conn);
        else if (pieces->state == HTTP_PIECES_WAITING)
            ask(pieces);
    }
}
