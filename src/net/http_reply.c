/* From a filled response to bytes on the connection. evhttp writes the status line, the framing and
 * the connection headers; all other lines are built here as one block, because a header in evhttp
 * costs three allocations and a pass through printf each. */
#include "net/http_internal.h"

#include <assert.h>
#include <event2/http_struct.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"

#define SECURITY_POLICY                                                                            \
    STR("default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "           \
        "form-action 'self'; frame-ancestors 'none'")

enum { COPIED_MAX_BYTES = 4096 }; /* up to here copying is cheaper than referring */

void http_response_header(struct http_call *call, const char *name, struct str value)
{
    struct http_response *response = &call->response;
    assert(response->n_headers < HTTP_RESPONSE_HEADERS_MAX);
    for (size_t i = 0; i < value.len; i++)
        assert(value.ptr[i] != '\r' && value.ptr[i] != '\n' && value.ptr[i] != 0);
    response->headers[response->n_headers++] =
        (struct http_header){str_from(name), arena_dup(call->arena, value)};
}

/* evhttp's own table for the rest. */
const char *http_reply_reason(int status)
{
    switch (status) {
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    default:
        return NULL;
    }
}

static bool is_compressible(struct str type)
{
    return str_starts(type, STR("application/json")) ||
           str_starts(type, STR("application/problem+json")) ||
           str_starts(type, STR("application/manifest+json")) || str_starts(type, STR("text/"));
}

static bool has_header(const struct http_response *response, struct str name)
{
    for (size_t i = 0; i < response->n_headers; i++)
        if (str_eq_nocase(response->headers[i].name, name))
            return true;
    return false;
}

/* A small window: answers are small, and zlib clears and touches all that it is given. */
static z_stream *compressor(void **z)
{
    if (*z)
        return deflateReset(*z) == Z_OK ? *z : NULL;
    z_stream *made = mem_zalloc(sizeof *made);
    if (deflateInit2(made, 1, Z_DEFLATED, 13 + 16, 7, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(made);
        return NULL;
    }
    *z = made;
    return made;
}

void http_reply_compress_finish(void *z)
{
    if (z)
        (void)deflateEnd(z);
    free(z);
}

static bool is_known_to_client(struct http_job *job)
{
    const struct http_response *response = &job->call.response;
    struct str etag = response->content ? response->content->etag : response->etag;
    if (response->status != 200 || !etag.ptr ||
        (job->call.method != HTTP_GET && job->call.method != HTTP_HEAD))
        return false;
    struct str known = http_header_get(&job->call, "If-None-Match");
    return known.ptr && http_etag_listed(known, etag);
}

void http_reply_prepare(struct http_job *job, void **z)
{
    struct http_response *response = &job->call.response;
    struct buf *body = &response->body;
    if (is_known_to_client(job))
        response->status = 304;
    if (response->content || response->stream || response->pieces ||
        body->len <= HTTP_GZIP_MIN_BYTES || body->len > UINT32_MAX / 2 ||
        !is_compressible(response->content_type) || has_header(response, STR("Content-Encoding")))
        return;
    job->vary = true;
    z_stream *stream =
        response->status != 304 && http_accepts(&job->call, "gzip") ? compressor(z) : NULL;
    if (!stream)
        return;
    size_t bound = deflateBound(stream, (uLong)body->len);
    unsigned char *out = mem_alloc(bound);
    stream->next_in = (unsigned char *)body->ptr;
    stream->avail_in = (uInt)body->len;
    stream->next_out = out;
    stream->avail_out = (uInt)bound;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END || stream->total_out >= body->len)
        free(out);
    else
        job->gzip = (struct str){mem_realloc(out, stream->total_out), stream->total_out};
}

/* By the clock itself: libevent's own is up to 5 s behind one that was set. */
static struct str date_of(struct http_loop *loop)
{
    time_t now_s = clock_now_ms() / 1000;
    if (now_s != loop->date_s) {
        struct tm tm;
        loop->date_s = now_s;
        (void)gmtime_r(&now_s, &tm);
        (void)strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return str_from(loop->date);
}

static void put_line(struct buf *head, struct str name, struct str value)
{
    buf_put(head, "\r\n", 2);
    buf_put_str(head, name);
    buf_put(head, ": ", 2);
    buf_put_str(head, value);
}

/* Builds loop->head: the value of Date, and after it all lines that evhttp need not know of. A tag
 * names the plain bytes, so beside a coding it is a weak one. */
void http_reply_head(struct http_job *job, struct str etag, struct str encoding, bool vary)
{
    struct http_response *response = &job->call.response;
    struct buf *head = &job->loop->head;
    struct str type = response->content ? response->content->type : response->content_type;

    head->len = 0;
    buf_put_str(head, date_of(job->loop));
    if (type.len > 0 && response->status != 204 && response->status != 304)
        put_line(head, STR("Content-Type"), type);
    if (encoding.ptr)
        put_line(head, STR("Content-Encoding"), encoding);
    put_line(head, STR("Cache-Control"),
             response->cache_control.ptr ? response->cache_control : STR("no-store"));
    if (etag.ptr) {
        buf_put_cstr(head, "\r\nETag: ");
        if (encoding.ptr && !str_starts(etag, STR("W/")))
            buf_put(head, "W/", 2);
        buf_put_str(head, etag);
    }
    if (vary)
        put_line(head, STR("Vary"), STR("Accept-Encoding"));
    put_line(head, STR("X-Request-Id"), job->call.request_id);
    put_line(head, STR("Content-Security-Policy"),
             response->security_policy.ptr ? response->security_policy : SECURITY_POLICY);
    for (size_t i = 0; i < response->n_headers; i++)
        put_line(head, response->headers[i].name, response->headers[i].value);
    buf_put_str(head, job->loop->server->constant_head);
    buf_put_char(head, 0);
}

static struct str choose_packed(struct http_job *job, struct str *ret_encoding)
{
    struct http_content *content = job->call.response.content;
    if (job->call.response.status == 304)
        return STR_NONE;
    if (content->brotli.ptr && http_accepts(&job->call, "br")) {
        *ret_encoding = STR("br");
        return content->brotli;
    }
    if (!http_accepts(&job->call, "gzip"))
        return http_content_plain(content);
    *ret_encoding = STR("gzip");
    return content->identity;
}

/* What of the content or the body is sent. */
static struct str choose(struct http_job *job, struct str *ret_encoding, bool *ret_vary)
{
    struct http_response *response = &job->call.response;
    struct http_content *content = response->content;
    *ret_encoding = STR_NONE;
    *ret_vary = job->vary;
    if (content && content->gzip_level == HTTP_GZIP_PACKED) {
        *ret_vary = true;
        return choose_packed(job, ret_encoding);
    }
    if (content) {
        *ret_vary =
            content->gzip_level != HTTP_GZIP_NEVER && content->identity.len > HTTP_GZIP_MIN_BYTES;
        struct str gzip = *ret_vary && response->status != 304 && http_accepts(&job->call, "gzip")
                              ? http_content_gzip(content)
                              : STR_NONE;
        if (gzip.ptr)
            *ret_encoding = STR("gzip");
        return gzip.ptr ? gzip : content->identity;
    }
    if (job->gzip.ptr) {
        *ret_encoding = STR("gzip");
        return job->gzip;
    }
    return buf_str(&response->body);
}

static void unref_content(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    http_content_unref(arg);
}

static void free_bytes(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    free(arg);
}

/* Large bodies are not copied: the evbuffer holds the content, or the compressed bytes, till they
 * are written. */
static void add_body(struct http_job *job, struct str body)
{
    struct http_response *response = &job->call.response;
    struct evbuffer *out = evhttp_request_get_output_buffer(job->req);
    int rc = 0;
    if (response->content && body.len > COPIED_MAX_BYTES) {
        rc = evbuffer_add_reference(out, body.ptr, body.len, unref_content, response->content);
        response->content = NULL;
    } else if (job->gzip.ptr && body.len > COPIED_MAX_BYTES) {
        rc = evbuffer_add_reference(out, body.ptr, body.len, free_bytes,
                                    (void *)(uintptr_t)job->gzip.ptr);
        job->gzip = STR_NONE;
    } else if (body.len > 0) {
        rc = evbuffer_add(out, body.ptr, body.len);
    }
    assert(rc == 0);
}

static void send_whole(struct http_job *job)
{
    struct http_response *response = &job->call.response;
    struct evhttp_request *req = job->req;
    struct http_conn *conn = job->conn;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct str etag = response->content ? response->content->etag : response->etag;
    struct str encoding;
    char length[STR_INT64_SIZE + 1] = {0};
    bool vary;

    assert(response->status >= 200);
    struct str body = choose(job, &encoding, &vary);
    bool has_body = response->status != 204 && response->status != 304;
    http_reply_head(job, etag, encoding, vary);

    /* evhttp copies these while it sends, so they can live here and are taken out after. */
    struct evkeyval date = {.key = (char *)(uintptr_t) "Date", .value = job->loop->head.ptr};
    struct evkeyval size = {.key = (char *)(uintptr_t) "Content-Length"};
    TAILQ_INSERT_TAIL(headers, &date, next);
    if (has_body && !job->unsized) {
        size.value = (char *)(uintptr_t)str_from_int64((int64_t)body.len, length).ptr;
        TAILQ_INSERT_TAIL(headers, &size, next);
    }
    if (has_body && job->call.method != HTTP_HEAD)
        add_body(job, body);
    if (response->close || atomic_load(&job->loop->server->leaving))
        evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply(req, response->status, http_reply_reason(response->status), NULL);
    TAILQ_REMOVE(headers, &date, next);
    if (has_body && !job->unsized)
        TAILQ_REMOVE(headers, &size, next);

    http_job_release(job);
    http_conn_flush(conn);
}

void http_reply_begin(struct http_job *job)
{
    struct evhttp_request *req = job->req;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    int64_t ms = job->loop->server->limits.idle_timeout_ms;
    const struct timeval write_timeout = {ms / 1000, ms % 1000 * 1000};

    http_reply_head(job, STR_NONE, STR_NONE, false);
    struct evkeyval date = {.key = (char *)(uintptr_t) "Date", .value = job->loop->head.ptr};
    /* The end of the answer is the end of the connection, whatever the client asked for. */
    evhttp_remove_header(evhttp_request_get_input_headers(req), "Connection");
    TAILQ_INSERT_TAIL(headers, &date, next);
    evhttp_add_header(headers, "Connection", "close");
    /* A client may be silent for as long as it likes; what is written to it must get on. */
    bufferevent_set_timeouts(job->conn->bev, NULL, &write_timeout);
    evhttp_send_reply_start(req, 200, NULL);
    TAILQ_REMOVE(headers, &date, next);
}

/* Whatever was opened for more than the answer itself. */
static void close_rest(struct http_job *job)
{
    struct http_response *response = &job->call.response;
    if (response->stream)
        http_stream_close(response->stream);
    if (response->pieces)
        http_pieces_close(response->pieces);
    response->stream = NULL;
    response->pieces = NULL;
}

/* The client left while its request was handled: evhttp has let go of the request. */
static void drop(struct http_job *job)
{
    close_rest(job);
    evhttp_request_free(job->req);
    http_job_release(job);
}

void http_reply_send(struct http_job *job)
{
    struct http_response *response = &job->call.response;
    bool begun = response->pieces && response->pieces->state != HTTP_PIECES_UNSENT;
    if (!begun && job->loop->server->options.measure)
        job->loop->server->options.measure(&job->call);
    if (!job->conn) {
        drop(job);
        return;
    }
    if (begun) {
        http_pieces_write(job);
        return;
    }
    job->conn->job = NULL;
    bool has_rest = response->stream || response->pieces;
    if (has_rest && (response->status != 200 || job->call.method == HTTP_HEAD)) {
        job->unsized = response->status == 200;
        close_rest(job);
    }
    if (response->stream)
        http_stream_start(job);
    else if (response->pieces)
        http_pieces_start(job);
    else
        send_whole(job);
}
