/* What the files of the HTTP server share. Nothing outside http_*.c and its tests includes this.
 *
 * Threads: a struct http_loop and its connections, jobs and streams belong to the loop's thread.
 * Another thread only puts something into the loop's inbox (under inbox_lock); a job belongs to a
 * worker from http_workers_submit until http_loop_push_reply. */
#ifndef SERVERY_NET_HTTP_INTERNAL_H
#define SERVERY_NET_HTTP_INTERNAL_H

#include "net/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct evkeyvalq;
struct http_routes;
struct http_workers;

/* The limits of http.h, as values so that tests can wait less. */
struct http_limits {
    int64_t request_deadline_ms, idle_timeout_ms, heartbeat_ms, stop_reading_ms, tick_ms;
    int queue_max;
    size_t stream_buffer_max_bytes;
    size_t buffered_max_bytes;
};

enum http_scan_part {
    HTTP_SCAN_HEAD,
    HTTP_SCAN_SIZE, /* of a chunk, in hexadecimal digits */
    HTTP_SCAN_SIZE_LF,
    HTTP_SCAN_CHUNK,
    HTTP_SCAN_CHUNK_CR,
    HTTP_SCAN_CHUNK_LF,
    HTTP_SCAN_TRAILER,
    HTTP_SCAN_DONE, /* the rest is not looked at: a body with a length, or the next request */
};

/* Watches the raw bytes of a request's head and of how its chunks are framed, because evhttp cuts
 * lines at NUL, folds continued ones and reads a chunk's size as strtoll does, before anybody else
 * sees them. */
struct http_scan {
    enum http_scan_part part;
    const char *fault;      /* what is wrong with the request, or NULL */
    unsigned word, word_at; /* of the request line, and the place in it */
    bool line_begun;        /* the line that is being read has a byte */
    bool line_started;      /* it has one besides the CR of its end */
    unsigned n_lines;       /* whole ones of the head, the request line included */
    size_t matched;         /* so many bytes of this line are those of "Transfer-Encoding:" */
    bool chunked;
    unsigned n_digits;
    uint64_t chunk_left;
};

enum http_conn_state {
    HTTP_CONN_IDLE,    /* waits for a request's first byte */
    HTTP_CONN_READING, /* on the loop's deadline list */
    HTTP_CONN_BUSY,    /* a request is being handled or its answer written */
    HTTP_CONN_STREAM,
};

struct http_conn {
    struct http_loop *loop;
    struct bufferevent *bev;
    struct evhttp_connection *evcon;
    enum http_conn_state state;
    struct http_scan scan;
    int64_t deadline_ms; /* monotonic, while READING */
    struct http_address peer;
    bool fresh;           /* nothing has come on it yet */
    bool shed;            /* being closed, to make room */
    size_t buffered;      /* its share of loop->buffered: see on_input */
    struct http_job *job; /* being handled */
    struct http_stream *stream;
    struct http_pieces *pieces; /* once its answer has begun */
    TAILQ_ENTRY(http_conn) link, reading_link;
};
TAILQ_HEAD(http_conns, http_conn);

/* One request on its way. The call comes first: a handler's call is its job. */
struct http_job {
    struct http_call call;
    struct http_loop *loop;
    struct http_conn *conn;
    struct evhttp_request *req;
    int64_t queued_us;  /* monotonic: since when a worker is waited for */
    unsigned n_headers; /* in the request's head: those after came in its trailer */
    size_t counted;     /* body bytes counted in loop->buffered */
    bool head;
    bool vary;       /* the body could have been compressed */
    bool unsized;    /* an answer to HEAD that would have no Content-Length */
    struct str gzip; /* the body compressed, malloc'd; STR_NONE: sent as it is */
    STAILQ_ENTRY(http_job) link;
};
STAILQ_HEAD(http_jobs, http_job);

enum http_pieces_state {
    HTTP_PIECES_UNSENT,  /* the answer has not begun */
    HTTP_PIECES_MAKING,  /* the job is a worker's */
    HTTP_PIECES_WRITING, /* the loop's, as in all others */
    HTTP_PIECES_WAITING, /* for room in the lane's queue */
    HTTP_PIECES_CUT,     /* the connection is being closed */
};

struct http_pieces {
    struct http_job *job;
    http_pieces_next
        *next; /* this, what it gives and the arena are a worker's while it makes one */
    http_pieces_closed *closed;
    void *arg;
    enum http_pieces_state state;
    enum http_pieces_got got; /* with the piece */
    struct buf piece;         /* on the heap */
    struct arena *arena;      /* for making one */
    TAILQ_ENTRY(http_pieces) link;
};
TAILQ_HEAD(http_pieces_list, http_pieces);

struct http_message {
    struct http_chunk *chunk;
    int64_t id;
    STAILQ_ENTRY(http_message) link;
};
STAILQ_HEAD(http_messages, http_message);

struct http_stream {
    struct http_loop *loop;
    http_stream_closed *closed;
    void *arg;
    int64_t deadline_ms; /* wall clock */
    int64_t replayed_id;
    struct http_chunk *instead; /* of what its client is too slow for; NULL: it is dropped */
    int64_t heartbeat_ms;       /* monotonic: when the next one is due */
    struct http_conn *conn;     /* NULL until the answer has begun */
    struct evhttp_request *req;
    TAILQ_ENTRY(http_stream) link;

    /* Under the loop's inbox_lock. */
    struct http_messages messages;
    size_t waiting_bytes;
    bool open, queued, ended, overflow;
    TAILQ_ENTRY(http_stream) queue_link;
};
TAILQ_HEAD(http_streams, http_stream);

enum { HTTP_WANT_ACCEPT = 1, HTTP_WANT_STOP = 2, HTTP_WANT_KILL = 4 };

struct http_loop {
    struct http_server *server;
    pthread_t thread;
    struct event_base *base;
    struct evhttp *evhttp;
    struct evconnlistener *listener;
    struct event *accepted, *inbox, *tick;
    int inbox_fd;
    bool tick_armed, stopping;
    struct http_conn *accepting; /* made by on_bufferevent, finished by on_accepted */
    struct http_conns conns, reading;
    struct http_conn **by_fd; /* the connection of each descriptor */
    size_t by_fd_size;
    int n_conns; /* own thread's; `load` is its copy for the others */
    atomic_int load;
    int n_jobs;
    size_t buffered;     /* memory for requests: what is read of them, bodies being handled */
    int64_t shed_log_ms; /* monotonic: no line about it before */
    int64_t stop_cut_ms; /* monotonic, while stopping: what is written in pieces is cut then */
    struct http_streams streams;
    struct http_pieces_list pieces;
    struct http_jobs spare; /* jobs to use again, arenas included */
    int n_spare;
    struct buf head; /* the answer's header lines, built here */
    void *z;         /* http_reply_prepare's */
    struct evbuffer *scratch;
    time_t date_s;
    char date[32];
    uint64_t id_state;

    pthread_mutex_t inbox_lock;
    struct http_jobs replies;
    struct http_streams stream_queue;
    unsigned wants;
    bool inbox_full; /* its eventfd was written and not yet read */
};

struct http_server {
    struct http_options options;
    struct http_limits limits;
    struct http_routes *routes;
    struct http_workers *workers;
    struct str constant_head; /* header lines of every answer */
    int listen_fd, port, n_loops, max_connections;
    struct http_loop *loops;
    atomic_bool leaving; /* every answer is its connection's last */
    bool stopped;

    /* Who may accept: exactly one loop at a time has its listener enabled. */
    pthread_mutex_t accept_lock;
    bool accept_parked; /* none has: the connections are at their most */

    pthread_mutex_t stop_lock;
    pthread_cond_t stop_cond;
    int loops_running; /* under stop_lock */

    _Atomic int64_t connections, streams, requests, refused, shed, pieces_deferred;
    _Atomic int64_t queue_full[HTTP_LANES];
    _Atomic int64_t queued[HTTP_LANES], running[HTTP_LANES]; /* copies of the workers' own */
};

/* ---- http_server.c ---- */
void http_limits_default(struct http_limits *limits);
MUST_CHECK enum err http_server_create_limited(const struct http_options *options,
                                               const struct http_limits *limits,
                                               struct http_server **ret_server);
void http_loop_push_reply(struct http_job *job);            /* any thread */
void http_loop_want(struct http_loop *loop, unsigned want); /* any thread */
void http_loop_signal_locked(struct http_loop *loop);       /* with inbox_lock; after adding */
void http_loop_check_done(struct http_loop *loop); /* leaves the loop when nothing is left */

/* ---- http_conn.c ---- */
struct bufferevent *http_conn_on_bufferevent(struct event_base *base, void *arg);
void http_conn_on_accepted(evutil_socket_t fd, short what, void *arg);
void http_conn_on_request(struct evhttp_request *req, void *arg);
void http_conn_on_tick(evutil_socket_t fd, short what, void *arg);
void http_conn_accept_failed(struct evconnlistener *listener, void *arg);
void http_conn_allow_accept(struct http_loop *loop); /* it is this loop's turn */
void http_conn_stop(struct http_loop *loop);         /* ends what waits for nothing */
void http_conn_kill_all(struct http_loop *loop);
void http_conn_kill(struct http_conn *conn);
void http_conn_flush(struct http_conn *conn);
void http_conn_arm_tick(struct http_loop *loop);
void http_job_release(struct http_job *job);

/* ---- http_guard.c ---- */
void http_scan_bytes(struct http_scan *scan, const char *bytes, size_t len);
/* NULL if the request is framed soundly, else what is wrong with it. */
const char *http_guard_check(struct evhttp_request *req);
bool http_guard_has_body(const struct evkeyvalq *headers); /* by its framing headers */

/* ---- http_route.c ---- */
struct http_routes *http_routes_create(const struct http_route *first, size_t n, size_t size);
void http_routes_destroy(struct http_routes *routes);
/* Fills route, params and ids. 0, 404, or 405 with *ret_allow set. */
int http_routes_match(const struct http_routes *routes, struct http_call *call,
                      struct str *ret_allow);

/* ---- http_reply.c ---- */
/* What can be done in the handler's thread: 304 where the client has the answer, compression where
 * it has not. *z is the thread's own. */
void http_reply_prepare(struct http_job *job, void **z);
void http_reply_compress_finish(void *z);
void http_reply_send(struct http_job *job);
void http_reply_head(struct http_job *job, struct str etag, struct str encoding, bool vary);
/* Sends the head of an answer whose end is that of its connection, and which may last as long as
 * its client goes on reading. */
void http_reply_begin(struct http_job *job);
const char *http_reply_reason(int status);

/* ---- http_content.c ---- */
bool http_accepts(const struct http_call *call, const char *coding);
bool http_etag_listed(struct str list, struct str etag); /* weak comparison, '*' */

/* ---- http_stream.c ---- */
void http_stream_start(struct http_job *job);
void http_stream_close(struct http_stream *stream); /* tells `closed` and frees */
void http_stream_deliver(struct http_stream *stream);
void http_stream_tick(struct http_loop *loop, int64_t mono_ms);
void http_stream_free_messages(struct http_messages *messages);

/* ---- http_pieces.c ---- */
void http_pieces_start(struct http_job *job);
void http_pieces_make(struct http_job *job);        /* on a worker */
void http_pieces_write(struct http_job *job);       /* what that made */
void http_pieces_lost(struct http_pieces *pieces);  /* their connection is gone */
void http_pieces_close(struct http_pieces *pieces); /* tells `closed` and frees */
void http_pieces_tick(struct http_loop *loop, int64_t mono_ms);

/* ---- http_worker.c ---- */
struct http_workers *http_workers_create(struct http_server *server, int n);
bool http_workers_submit(struct http_workers *workers, struct http_job *job); /* false: full */
void http_workers_destroy(struct http_workers *workers); /* runs what is queued, joins */

#endif
