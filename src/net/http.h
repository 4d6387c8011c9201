/* The HTTP server as the rest of the program sees it: its own request, response and stream types,
 * with libevent's evhttp behind them (http_*.c), so that the transport can be replaced.
 *
 * The way of a call: a loop thread reads the request, the guard refuses bad framing, the router
 * matches the raw path; the call then runs in its route's lane: at once on the loop
 * (HTTP_LANE_LOOP, must never block), or on a worker thread. The answer goes back to the call's
 * loop through its inbox. Answers to requests that reach no handler (400, 404, 405, 413, 503) are
 * made by `refuse`. */
#ifndef SERVERY_NET_HTTP_H
#define SERVERY_NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"

#include <netinet/in.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD, /* routed as GET; the server drops the body and keeps its Content-Length */
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OTHER, /* answered 405, or 404 where the path is unknown */
};

/* Where a handler runs. Each worker lane has its own bounded queue (full: 503 with Retry-After) and
 * a share of the workers that it may hold at once, so that reads never wait behind slow writes. */
enum http_lane {
    HTTP_LANE_LOOP,   /* answers from memory */
    HTTP_LANE_READ,   /* may use all workers */
    HTTP_LANE_WRITE,  /* at most three quarters of them */
    HTTP_LANE_HASH,   /* waits for a password hash: at most a quarter */
    HTTP_LANE_HEALTH, /* has workers of its own beside those, and so is never behind them */
    HTTP_LANES,
};

/* A pattern is a path of literal segments and {id} (a positive integer below 2^53; anything else in
 * its place is 404) or {name} (any one segment, raw). Literals win over parameters. */
struct http_route {
    enum http_method method; /* GET also serves HEAD */
    const char *pattern;
    enum http_lane lane;
    size_t body_max_bytes; /* 0: a body is refused with 413 */
};

enum { HTTP_PARAMS_MAX = 2, HTTP_RESPONSE_HEADERS_MAX = 16 };

struct http_address {
    bool is_ipv6; /* an IPv4-mapped address is given as IPv4 */
    unsigned char bytes[16];
};

/* Immutable bytes that several answers share (the menu, static files): counted, thread-safe. */
struct http_content {
    int refs;            /* atomic */
    struct str type;     /* Content-Type */
    struct str etag;     /* with its quotes; STR_NONE: none */
    struct str identity; /* of packed content: its gzip */
    struct str brotli;   /* of packed content; STR_NONE: none */
    int gzip_level;
    int gzip_begun;    /* atomic */
    struct str *gzip;  /* atomic; made when the first client asks for it: http_content_gzip */
    struct str *plain; /* atomic; the same of packed content: http_content_plain */
};

/* How hard content is compressed: by how often it changes. HTTP_GZIP_PACKED: it is already, and
 * unpacked for the few clients that want it plain. */
enum { HTTP_GZIP_PACKED = -1, HTTP_GZIP_NEVER = 0, HTTP_GZIP_CHANGING = 4, HTTP_GZIP_STATIC = 9 };

struct http_header {
    struct str name, value;
};

struct http_stream;
struct http_pieces;

struct http_response {
    int status; /* 0 until set */
    struct str content_type;
    struct buf body;              /* in the call's arena */
    struct http_content *content; /* instead of body; the reference is the response's */
    struct str etag;              /* with quotes; If-None-Match then gives 304 by itself */
    struct str cache_control;     /* STR_NONE: no-store */
    struct str security_policy;   /* Content-Security-Policy; STR_NONE: the strict one */
    size_t n_headers;
    struct http_header headers[HTTP_RESPONSE_HEADERS_MAX];
    struct http_stream *stream; /* set by http_stream_open: the answer is an event stream */
    struct http_pieces *pieces; /* set by http_pieces_open: more of the body is to come */
    bool close;                 /* Connection: close */
};

struct http_call {
    struct http_server *server;
    void *ctx; /* http_options.ctx */
    struct arena *arena;
    enum http_method method;
    const struct http_route *route;
    struct str target; /* as sent */
    struct str path;   /* the target's path, raw */
    struct str query;  /* without '?', raw; STR_NONE: none */
    struct str params[HTTP_PARAMS_MAX];
    int64_t ids[HTTP_PARAMS_MAX]; /* for {id}, else 0 */
    struct str body;
    struct str request_id; /* made by the server, 16 characters */
    struct http_address peer;
    int64_t started_us; /* clock_mono_us when it was complete */
    int loop;           /* whose connection it came by: 0 to io_threads-1 */
    struct http_response response;
};

/* The value of a request header, surrounding space removed; STR_NONE if absent. Repeated headers
 * are joined by ", ". Valid as long as the call; any thread that owns the call. */
struct str http_header_get(const struct http_call *call, const char *name);

/* Takes the next parameter off *rest, which begins as call->query, decoded (percent, plus); false
 * at the end. Without '=' the value is empty; STR_NONE: it decodes to bad UTF-8 or NUL. A query has
 * at most HTTP_QUERY_PAIRS_MAX, more are refused before the handler. */
bool http_query_next(struct http_call *call, struct str *rest, struct str *ret_name,
                     struct str *ret_value);

/* Whether an Accept header names this media type, a range like text/any not counted: so browsers
 * ask for pages, and programs do not. */
bool http_accepts_type(const struct http_call *call, const char *type);

/* Adds a response header; name is a constant, value is copied (CR and LF are a bug: asserted). */
void http_response_header(struct http_call *call, const char *name, struct str value);

/* Heap-made content with one reference; the strings are copied. http_content_unref frees it at the
 * last. */
struct http_content *http_content_create(struct str type, struct str etag, struct str identity,
                                         int gzip_level);
/* The same of what was compressed when the program was built. gzip and brotli (STR_NONE: there is
 * none) are not copied: they outlive the content. */
struct http_content *http_content_create_packed(struct str type, struct str etag, struct str gzip,
                                                struct str brotli);
struct http_content *http_content_ref(struct http_content *content);
void http_content_unref(struct http_content *content); /* NULL is fine */

/* The content compressed; STR_NONE if that does not pay (up to HTTP_GZIP_MIN_BYTES, or not
 * smaller). Compresses once, in the first call: a menu that changes with every sale is not
 * compressed for clients that never ask. Any thread; STR_NONE to the others while one
 * compresses. */
struct str http_content_gzip(struct http_content *content);

/* The content as it is; packed content is unpacked at the first call, and kept so. Any thread. */
struct str http_content_plain(struct http_content *content);

/* ---- Event streams (text/event-stream) ----
 *
 * A handler opens the stream on its call, subscribes it wherever events come from, reads what was
 * missed, and returns. Its response's body (the replay) is sent first, then what was sent
 * meanwhile: events with an id up to `replayed_id` are dropped, so subscribe, then read, then
 * return loses and doubles nothing. The server sends a comment every 20 s, drops a stream whose
 * client reads too slowly (128 KB waiting) unless it coalesces, ends it at `deadline_ms` (wall
 * clock; INT64_MAX: never), and tells `closed` once, on the loop thread. A response with another
 * status than 200 is sent as a plain answer, and the stream closed. The handler may send to its
 * stream, and others may, before it returns. */
typedef void http_stream_closed(void *arg);

struct http_stream *http_stream_open(struct http_call *call, int64_t deadline_ms,
                                     http_stream_closed *closed, void *arg);
void http_stream_replayed(struct http_stream *stream, int64_t replayed_id);

/* Bytes shared by all the streams they go to. */
struct http_chunk *http_chunk_create(struct str bytes); /* one reference, the caller's */
void http_chunk_unref(struct http_chunk *chunk);

/* Before the handler returns. When more waits than a slow client may leave, nothing is added until
 * it has taken all that is on its way; then `instead` tells it that it has missed something, and
 * events go on. One that takes nothing is dropped after HTTP_IDLE_TIMEOUT_MS. */
void http_stream_coalesce(struct http_stream *stream, struct http_chunk *instead);

/* Any thread. `id` is the event's, 0 for one that is never dropped as replayed. The stream must not
 * have been told closed: whoever sends holds the lock under which `closed` unsubscribes. */
void http_stream_send(struct http_stream *stream, struct http_chunk *chunk, int64_t id);
void http_stream_end(struct http_stream *stream); /* any thread, same rule; the client sees EOF */

/* ---- Answers in pieces ----
 *
 * For a body that is too long to be made at once. The handler opens the pieces on its call and
 * returns as ever; its response's body is the first one. When a piece is written to the last byte,
 * `next` makes another one, in the route's lane; so one piece is in memory, however slowly it is
 * read, and between two of them no worker and nothing of the handler's is held. `closed` is told
 * once, on the loop thread, when `next` will not be called again: all is said, the client has left
 * or the system has taken nothing more for it for HTTP_IDLE_TIMEOUT_MS (by its buffers, so one that
 * reads a little may look as if it read nothing), or the server stops (HTTP_STOP_READING_MS later).
 * The connection ends with the body. One that is cut short has no last chunk, so its reader knows.
 * A response with another status than 200, and one to HEAD, is sent as a plain answer, and the
 * pieces closed. */
enum http_pieces_got {
    HTTP_PIECES_MORE,
    HTTP_PIECES_LAST,   /* this piece, which may be empty, is the last */
    HTTP_PIECES_FAILED, /* the connection is cut */
};
/* Appends to piece. What is taken from the arena is gone after the call. */
typedef enum http_pieces_got http_pieces_next(void *arg, struct arena *arena, struct buf *piece);
typedef void http_pieces_closed(void *arg);

void http_pieces_open(struct http_call *call, http_pieces_next *next, http_pieces_closed *closed,
                      void *arg);

/* ---- The server ---- */

struct http_options {
    const char *listen;  /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one */
    const int *bound_fd; /* what http_bind made of it, the server's from then on; NULL: not yet */
    int io_threads, workers, max_connections;
    const struct http_route *routes; /* the first one */
    size_t n_routes, route_size;     /* bytes from one route to the next */
    bool https;                      /* the public URL is https: adds HSTS */
    void *ctx;
    void (*handle)(struct http_call *call); /* in the route's lane; fills call->response */
    /* On the loop thread: fills the response to a call refused before its handler. status is 400,
     * 404, 405 (allow names the methods), 413 or 503. */
    void (*refuse)(struct http_call *call, int status, const char *detail, struct str allow);
    /* On the loop thread, once for each call, refused ones included, when its answer is about to be
     * sent: it may be counted, and is no longer changed. NULL: nobody counts. */
    void (*measure)(const struct http_call *call);
};

/* What /metrics and tests look at; each a relaxed atomic read, until http_server_destroy. */
struct http_stats {
    int64_t connections, streams, requests, refused;
    int64_t shed; /* requests dropped half read, to make room for whole ones */
    int64_t queued[HTTP_LANES], running[HTTP_LANES];
    int64_t queue_full[HTTP_LANES]; /* calls refused as their queue was full */
    int64_t pieces_deferred;        /* pieces that were made later for it */
};

struct http_server;

/* Takes the address (as in http_options) without listening yet: whoever connects is refused until a
 * server is created with it. An address in use is an error, logged. */
MUST_CHECK enum err http_bind(const char *listen, int *ret_fd);

/* Listens (an address in use is an error, logged) and starts the threads; serves at once. */
MUST_CHECK enum err http_server_create(const struct http_options *options,
                                       struct http_server **ret_server);
int http_server_port(const struct http_server *server);
void http_server_stats(const struct http_server *server, struct http_stats *ret_stats);

/* From now on every answer is the last of its connection, so that those who hold connections open
 * come to have none here. For some time before http_server_stop, which it does not begin. */
void http_server_leave(struct http_server *server);

/* Accepts nothing new (but who has connected is heard), ends streams, lets running calls finish and
 * gives requests that are half read HTTP_STOP_READING_MS. After timeout_ms the connections that are
 * left are closed; handlers that still run are waited for, their answers dropped. */
void http_server_stop(struct http_server *server, int64_t timeout_ms);
void http_server_destroy(struct http_server *server);

/* ---- The limits, in one place ---- */
enum {
    HTTP_HEADERS_MAX_BYTES = 16 * 1024,
    HTTP_QUERY_PAIRS_MAX = 64,
    HTTP_BODY_MAX_BYTES = 1024 * 1024, /* the largest any route takes */
    /* Of all requests of a loop together, from their first bytes to their answers. Beyond it the
     * one that has been read the longest is dropped, so that what comes whole is served. */
    HTTP_BUFFERED_MAX_BYTES = 32 * 1024 * 1024,
    HTTP_REQUEST_DEADLINE_MS = 10 * 1000, /* first byte to whole request; every request */
    HTTP_IDLE_TIMEOUT_MS = 60 * 1000,
    HTTP_STOP_READING_MS = 2 * 1000,
    HTTP_QUEUE_MAX = 1024,    /* a lane */
    HTTP_HASH_QUEUE_MAX = 64, /* of the lane that hashes: seconds of waiting */
    HTTP_STREAM_BUFFER_MAX_BYTES = 128 * 1024,
    HTTP_STREAM_HEARTBEAT_MS = 20 * 1000,
    HTTP_GZIP_MIN_BYTES = 1024,
};

#endif
