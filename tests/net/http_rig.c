#include "http_rig.h"

#include "base/crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOCKET_TIMEOUT_S = 20 };

static const struct http_route ROUTES[] = {
    {HTTP_GET, "/", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/menu", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/read", HTTP_LANE_READ, 0},
    {HTTP_GET, "/big", HTTP_LANE_READ, 0},
    {HTTP_GET, "/tagged", HTTP_LANE_READ, 0},
    {HTTP_GET, "/empty", HTTP_LANE_LOOP, 0},
    {HTTP_POST, "/echo", HTTP_LANE_WRITE, HTTP_BODY_MAX_BYTES},
    {HTTP_PUT, "/echo", HTTP_LANE_LOOP, 16},
    {HTTP_GET, "/items/{id}", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/items/best", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/items/{id}/parts/{name}", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/headers", HTTP_LANE_READ, 0},
    {HTTP_GET, "/health", HTTP_LANE_HEALTH, 0},
    {HTTP_GET, "/query", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/peer", HTTP_LANE_LOOP, 0},
    {HTTP_GET, "/stream", HTTP_LANE_READ, 0},
    {HTTP_GET, "/pieces", HTTP_LANE_READ, 0},
    {HTTP_GET, "/block", HTTP_LANE_READ, 0},
    {HTTP_POST, "/block", HTTP_LANE_WRITE, 0},
    {HTTP_DELETE, "/block", HTTP_LANE_HASH, 0},
};

static void on_stream_closed(void *arg)
{
    struct rig_stream *stream = arg;
    stream->stream = NULL;
    (void)sem_post(&stream->closed);
}

/* The lock of the rig is what real code's list of subscribers is: held while sending, and while
 * `closed` unsubscribes. */
struct closing {
    struct rig *rig;
    int i;
};

static void on_closed(void *arg)
{
    struct closing *closing = arg;
    struct rig *rig = closing->rig;
    (void)pthread_mutex_lock(&rig->lock);
    on_stream_closed(&rig->streams[closing->i]);
    (void)pthread_mutex_unlock(&rig->lock);
    free(closing);
}

static void open_stream(struct rig *rig, struct http_call *call)
{
    struct closing *closing = malloc(sizeof *closing);
    (void)pthread_mutex_lock(&rig->lock);
    int i = rig->n_streams++;
    *closing = (struct closing){rig, i};
    rig->streams[i].stream = http_stream_open(call, rig->stream_deadline_ms, on_closed, closing);
    (void)pthread_mutex_unlock(&rig->lock);
    if (rig->before_return)
        rig->before_return(rig);
    buf_put_str(&call->response.body, rig->stream_replay);
    http_stream_replayed(call->response.stream, rig->stream_replayed_id);
    call->response.status = 200;
    (void)sem_post(&rig->opened);
}

static void answer_query(struct http_call *call)
{
    struct str rest = call->query, name, value;
    while (http_query_next(call, &rest, &name, &value))
        buf_printf(&call->response.body, STR_FMT "[" STR_FMT "]", STR_ARG(name),
                   STR_ARG(value.ptr ? value : STR("bad")));
}

static void answer_big(struct http_call *call)
{
    call->response.content_type = STR("application/json");
    buf_put_char(&call->response.body, '[');
    for (int i = 0; i < 1000; i++)
        buf_printf(&call->response.body, "{\"id\":%d},", i);
    buf_put_cstr(&call->response.body, "0]");
}

static void block(struct rig *rig)
{
    (void)sem_post(&rig->entered);
    while (sem_wait(&rig->proceed) != 0)
        ;
    rig->finished++;
}

static void handle(struct http_call *call)
{
    struct rig *rig = call->ctx;
    struct str pattern = str_from(call->route->pattern);
    struct buf *body = &call->response.body;

    call->response.status = 200;
    call->response.content_type = STR("text/plain");
    if (str_is(pattern, "/menu")) {
        call->response.content = http_content_ref(rig->menu);
        call->response.cache_control = STR("no-cache");
    } else if (str_is(pattern, "/big")) {
        answer_big(call);
    } else if (str_is(pattern, "/tagged")) {
        call->response.etag = STR("\"v1\"");
        buf_put_cstr(body, "tagged");
    } else if (str_is(pattern, "/empty")) {
        call->response.status = 204;
    } else if (str_is(pattern, "/echo")) {
        buf_put_str(body, call->body);
    } else if (str_starts(pattern, STR("/items/"))) {
        buf_printf(body, "%s %lld " STR_FMT, call->route->pattern, (long long)call->ids[0],
                   STR_ARG(call->params[1].ptr ? call->params[1] : STR("-")));
    } else if (str_is(pattern, "/headers")) {
        buf_put_str(body, http_header_get(call, "x-many"));
        http_response_header(call, "X-Mine", STR("mine"));
    } else if (str_is(pattern, "/query")) {
        answer_query(call);
    } else if (str_is(pattern, "/peer")) {
        const unsigned char *bytes = call->peer.bytes;
        buf_printf(body, "%d %d.%d.%d.%d", call->peer.is_ipv6 ? 6 : 4, bytes[0], bytes[1], bytes[2],
                   bytes[3]);
    } else if (str_is(pattern, "/stream")) {
        call->response.content_type = STR_NONE;
        open_stream(rig, call);
    } else if (str_is(pattern, "/pieces")) {
        rig->answer_pieces(rig, call);
    } else if (str_is(pattern, "/block")) {
        block(rig);
        buf_put_cstr(body, "done");
    } else {
        buf_put_cstr(body, "ok");
    }
}

static void refuse(struct http_call *call, int status, const char *detail, struct str allow)
{
    call->response.status = status;
    call->response.content_type = STR("text/plain");
    buf_printf(&call->response.body, "refused: %s", detail ? detail : "");
    if (allow.ptr)
        http_response_header(call, "Allow", allow);
    if (status == 503)
        http_response_header(call, "Retry-After", STR("1"));
}

void rig_init(struct rig *rig)
{
    static char menu[3000];
    memset(menu, 'm', sizeof menu);
    assert_int_equal(crypto_init(), ERR_OK);
    memset(rig, 0, sizeof *rig);
    rig->options = (struct http_options){
        .listen = "127.0.0.1:0",
        .io_threads = 2,
        .workers = 4,
        .max_connections = 100,
        .routes = ROUTES,
        .n_routes = sizeof ROUTES / sizeof *ROUTES,
        .route_size = sizeof *ROUTES,
        .ctx = rig,
        .handle = handle,
        .refuse = refuse,
    };
    http_limits_default(&rig->limits);
    rig->limits.tick_ms = 20;
    rig->stream_deadline_ms = INT64_MAX;
    rig->stream_replay = STR("");
    rig->menu = http_content_create(STR("application/json"), STR("\"menu\""),
                                    (struct str){menu, sizeof menu}, HTTP_GZIP_CHANGING);
    (void)pthread_mutex_init(&rig->lock, NULL);
    (void)sem_init(&rig->opened, 0, 0);
    (void)sem_init(&rig->entered, 0, 0);
    (void)sem_init(&rig->proceed, 0, 0);
    for (size_t i = 0; i < sizeof rig->streams / sizeof *rig->streams; i++)
        (void)sem_init(&rig->streams[i].closed, 0, 0);
}

void rig_start(struct rig *rig)
{
    assert_int_equal(http_server_create_limited(&rig->options, &rig->limits, &rig->server), ERR_OK);
}

void rig_stop(struct rig *rig)
{
    http_server_stop(rig->server, 5000);
    http_server_destroy(rig->server);
    http_content_unref(rig->menu);
    (void)pthread_mutex_destroy(&rig->lock);
}

void rig_send(struct rig *rig, int i, const char *text, int64_t id)
{
    struct http_chunk *chunk = http_chunk_create(str_from(text));
    (void)pthread_mutex_lock(&rig->lock);
    if (rig->streams[i].stream)
        http_stream_send(rig->streams[i].stream, chunk, id);
    (void)pthread_mutex_unlock(&rig->lock);
    http_chunk_unref(chunk);
}

/* ---- The client ---- */

int client_connect(const struct rig *rig)
{
    const struct timeval timeout = {SOCKET_TIMEOUT_S, 0};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(rig->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void client_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
}

void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

/* One byte, so that nothing of the next answer is taken; -1 at the end. */
static int read_byte(int fd)
{
    unsigned char c;
    ssize_t n = recv(fd, &c, 1, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        fail_msg("no answer in %d s", SOCKET_TIMEOUT_S);
    return n == 1 ? c : -1;
}

static bool read_exact(int fd, char *to, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(fd, to + got, len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void read_chunked(int fd, struct answer *answer)
{
    for (;;) {
        char line[32] = "";
        for (size_t i = 0; i < sizeof line - 1; i++) {
            int c = read_byte(fd);
            assert_true(c >= 0);
            line[i] = (char)c;
            if (c == '\n')
                break;
        }
        size_t len = strtoul(line, NULL, 16);
        answer->body = realloc(answer->body, answer->body_len + len + 3);
        assert_true(read_exact(fd, answer->body + answer->body_len, len + 2));
        answer->body_len += len;
        if (len == 0)
            break;
    }
    answer->body[answer->body_len] = 0;
}

const char *answer_header(const struct answer *answer, const char *name, char *value, size_t size)
{
    size_t len = strlen(name);
    for (const char *line = strstr(answer->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
            continue;
        const char *from = line + 2 + len + 1 + (line[3 + len] == ' ');
        size_t n = strcspn(from, "\r");
        assert_true(n < size);
        memcpy(value, from, n);
        value[n] = 0;
        return value;
    }
    return NULL;
}

struct answer client_receive(int fd, bool is_head)
{
    struct answer answer = {0};
    char value[64];
    size_t len = 0;
    int c;
    answer.body = calloc(1, 1);
    while ((c = read_byte(fd)) >= 0) {
        assert_true(len < sizeof answer.head - 1);
        answer.head[len++] = (char)c;
        if (len >= 4 && memcmp(answer.head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    if (c < 0)
        return answer;
    answer.status = atoi(answer.head + 9);
    if (is_head || answer.status == 204 || answer.status == 304 || answer.status < 200)
        return answer;
    if (answer_header(&answer, "Content-Length", value, sizeof value)) {
        answer.body_len = strtoul(value, NULL, 10);
        answer.body = realloc(answer.body, answer.body_len + 1);
        assert_true(read_exact(fd, answer.body, answer.body_len));
        answer.body[answer.body_len] = 0;
    } else if (answer_header(&answer, "Transfer-Encoding", value, sizeof value)) {
        read_chunked(fd, &answer);
    }
    return answer;
}

void answer_finish(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

bool client_is_closed(int fd)
{
    int c;
    errno = 0;
    while ((c = read_byte(fd)) >= 0)
        ;
    return true; /* read_byte fails the test when nothing comes */
}

bool client_reads_until(int fd, const char *text, char *all, size_t size)
{
    size_t len = 0, n = strlen(text);
    int c;
    while ((c = read_byte(fd)) >= 0) {
        assert_true(len < size - 1);
        all[len++] = (char)c;
        all[len] = 0;
        if (len >= n && memcmp(all + len - n, text, n) == 0)
            return true;
    }
    all[len] = 0;
    return false;
}

struct answer rig_ask(const struct rig *rig, const char *request)
{
    int fd = client_connect(rig);
    client_say(fd, request);
    struct answer answer = client_receive(fd, strncmp(request, "HEAD", 4) == 0);
    (void)close(fd);
    return answer;
}

int rig_status(const struct rig *rig, const char *request)
{
    struct answer answer = rig_ask(rig, request);
    answer_finish(&answer);
    return answer.status;
}

int rig_set_up(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    rig_init(rig);
    *state = rig;
    return 0;
}

int rig_tear_down(void **state)
{
    rig_stop(*state);
    free(*state);
    return 0;
}

void expect_body(struct rig *rig, const char *request, int status, const char *body)
{
    struct answer answer = rig_ask(rig, request);
    assert_int_equal(answer.status, status);
    assert_string_equal(answer.body, body);
    answer_finish(&answer);
}

void expect_header(const struct answer *answer, const char *name, const char *expected)
{
    char value[512];
    const char *got = answer_header(answer, name, value, sizeof value);
    if (!expected) {
        assert_null(got);
        return;
    }
    if (!got)
        fail_msg("no %s in\n%s", name, answer->head);
    assert_string_equal(got, expected);
}
