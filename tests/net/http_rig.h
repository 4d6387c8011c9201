/* A server with a handful of routes, and a client that speaks raw bytes to it: what the tests of
 * the HTTP server share. Waiting is always for an event; SOCKET_TIMEOUT only ends a broken test. */
#ifndef SERVERY_TESTS_HTTP_RIG_H
#define SERVERY_TESTS_HTTP_RIG_H

#include "net/http_internal.h"

#include <semaphore.h>

struct rig_stream {
    struct http_stream *stream; /* NULL once told closed; under lock */
    sem_t closed;
};

struct rig {
    struct http_server *server;
    struct http_options options;
    struct http_limits limits;
    struct http_content *menu;
    pthread_mutex_t lock;
    struct rig_stream streams[16]; /* in the order they were opened */
    int n_streams;
    sem_t opened;               /* posted for each stream opened */
    int64_t stream_deadline_ms; /* for streams opened from now on */
    struct str stream_replay;   /* and what they answer first */
    int64_t stream_replayed_id;
    void (*answer_pieces)(struct rig *, struct http_call *); /* the route /pieces */
    void (*before_return)(struct rig *); /* runs in the stream's handler, at its end */
    sem_t entered, proceed;              /* of the route /block */
    _Atomic int finished;                /* handlers of /block that came to their end */
};

void rig_init(struct rig *rig); /* options and limits to change before rig_start */
void rig_start(struct rig *rig);
void rig_stop(struct rig *rig); /* stops, destroys, frees */

/* Sends to the i-th stream if it is still there. */
void rig_send(struct rig *rig, int i, const char *text, int64_t id);

struct answer {
    int status;       /* 0: the connection closed before an answer */
    char head[16384]; /* with its empty line, NUL-terminated */
    char *body;       /* decoded if chunked, NUL-terminated; from malloc */
    size_t body_len;
};

int client_connect(const struct rig *rig);
void client_send(int fd, const char *bytes, size_t len); /* fails the test if it cannot */
void client_say(int fd, const char *text);
struct answer client_receive(int fd, bool is_head);
void answer_finish(struct answer *answer);
const char *answer_header(const struct answer *answer, const char *name, char *value, size_t size);
bool client_is_closed(int fd); /* waits for the end; what comes before is dropped */
/* Reads until the text has come; false at the end of the connection. */
bool client_reads_until(int fd, const char *text, char *all, size_t size);

/* One request on a connection of its own, which is closed after. */
struct answer rig_ask(const struct rig *rig, const char *request);
int rig_status(const struct rig *rig, const char *request);

/* cmocka's fixture: a rig with its usual options, not yet started. */
int rig_set_up(void **state);
int rig_tear_down(void **state);

void expect_body(struct rig *rig, const char *request, int status, const char *body);
/* expected NULL: the header must be absent */
void expect_header(const struct answer *answer, const char *name, const char *expected);

#endif
