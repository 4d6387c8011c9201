/* Raw bytes on a connection to the real server, beside a strict reading of them. What the server
 * takes to be its requests must be the first of those that the reference reads, byte for byte: so
 * nothing that was sent as part of one is ever answered as another. And what is plain must be
 * answered. The first line says where the bytes are cut apart when they are sent. */
#include "fuzz.h"
#include "http_reference.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "net/http_internal.h"

enum { RECORDS_MAX = 512, ANSWER_TIMEOUT_MS = 20 * 1000, BODY_MAX_BYTES = 65536 };

/* What the server saw, in its order; made on its loop's thread. */
struct record {
    int status;
    enum http_method method;
    struct str target, body;
};

static struct {
    struct http_server *server;
    pthread_mutex_t lock;
    struct arena *arena;
    size_t n;
    struct record all[RECORDS_MAX];
} g = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void record(const struct http_call *call)
{
    (void)pthread_mutex_lock(&g.lock);
    CHECK(g.n < RECORDS_MAX);
    g.all[g.n++] =
        (struct record){call->response.status, call->method, arena_dup(g.arena, call->target),
                        arena_dup(g.arena, call->body)};
    (void)pthread_mutex_unlock(&g.lock);
}

static void handle(struct http_call *call)
{
    call->response.status = 200;
    record(call);
}

static void refuse(struct http_call *call, int status, const char *detail, struct str allow)
{
    (void)detail;
    (void)allow;
    call->response.status = status;
    record(call);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct http_route routes[] = {
        {HTTP_GET, "/a", HTTP_LANE_LOOP, BODY_MAX_BYTES},
        {HTTP_POST, "/a", HTTP_LANE_LOOP, BODY_MAX_BYTES},
        {HTTP_PUT, "/{name}", HTTP_LANE_LOOP, 5},
    };
    const struct http_options options = {.listen = "127.0.0.1:0",
                                         .io_threads = 1,
                                         .workers = 1,
                                         .max_connections = 100,
                                         .routes = routes,
                                         .n_routes = sizeof routes / sizeof *routes,
                                         .route_size = sizeof *routes,
                                         .handle = handle,
                                         .refuse = refuse};
    (void)argc;
    (void)argv;
    log_set_level(LOG_ERROR);
    CHECK(crypto_init() == ERR_OK);
    CHECK(http_server_create(&options, &g.server) == ERR_OK);
    return 0;
}

/* ---- The scanner alone: bytes in pieces are judged as bytes at once ---- */

static void check_scan(struct str bytes, size_t step)
{
    struct http_scan whole = {0}, pieces = {0};
    http_scan_bytes(&whole, bytes.ptr, bytes.len);
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t left = bytes.len - at;
        http_scan_bytes(&pieces, bytes.ptr + at, left < step ? left : step);
    }
    CHECK(pieces.part == whole.part && !pieces.fault == !whole.fault); /* perhaps for another */
    CHECK(pieces.n_lines == whole.n_lines && pieces.chunked == whole.chunked);
    CHECK(pieces.chunk_left == whole.chunk_left);
}

/* ---- The server ---- */

/* From one loopback address after the other: a closed connection keeps its port for a minute, and
 * there are more connections in a minute than ports. */
static int connect_to_server(void)
{
    static const int on = 1;
    static uint32_t n;
    const struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + n++ / 4096 % 65536)};
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)http_server_port(g.server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0);
    CHECK(bind(fd, (const struct sockaddr *)&own, sizeof own) == 0);
    /* The fuzzer's timer may interrupt any call; a connect then goes on by itself. */
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        int failed = errno == EINTR ? 0 : errno;
        socklen_t size = sizeof failed;
        CHECK(failed == 0);
        CHECK(TEMP_FAILURE_RETRY(poll(&wait, 1, ANSWER_TIMEOUT_MS)) == 1);
        CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0);
    }
    return fd;
}

/* A server that has refused a request does not read what follows: not all may get through. */
static void send_bytes(int fd, struct str bytes, size_t cut)
{
    while (bytes.len > 0) {
        size_t n = cut > 0 && cut < bytes.len ? cut : bytes.len;
        ssize_t sent = TEMP_FAILURE_RETRY(send(fd, bytes.ptr, n, MSG_NOSIGNAL));
        if (sent <= 0)
            return;
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
        cut = 0;
    }
}

static size_t n_records(void)
{
    (void)pthread_mutex_lock(&g.lock);
    size_t n = g.n;
    (void)pthread_mutex_unlock(&g.lock);
    return n;
}

/* Reads answers until there are n of them or the server ends the connection; true at its end. */
static bool read_answers(int fd, size_t n)
{
    int64_t deadline_ms = clock_mono_ms() + ANSWER_TIMEOUT_MS;
    char bytes[65536];
    while (n_records() < n) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        CHECK(clock_mono_ms() < deadline_ms);
        if (poll(&wait, 1, 1) > 0 && TEMP_FAILURE_RETRY(recv(fd, bytes, sizeof bytes, 0)) <= 0)
            return true;
    }
    return false;
}

static void talk(struct str bytes, size_t cut, size_t n_sure)
{
    int fd = connect_to_server();
    send_bytes(fd, bytes, cut);
    bool ended = read_answers(fd, n_sure);
    (void)shutdown(fd, SHUT_WR);
    if (!ended)
        CHECK(read_answers(fd, RECORDS_MAX + 1));
    (void)close(fd);
}

static const char *method_text(enum http_method method)
{
    static const char *const texts[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = NULL};
    return texts[method];
}

static void check_same(const struct record *seen, const struct reference_request *request)
{
    const char *method = method_text(seen->method);
    CHECK(!method || str_is(request->method, method));
    CHECK_SAME(seen->target, request->target);
    CHECK(request->body_unread || str_eq(seen->body, buf_str(&request->body)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    g.arena = arena_create();
    g.n = 0;
    size_t cut = (size_t)(fuzz_int(fuzz_line(g.arena, &rest)) & 1023);
    struct str bytes = fuzz_rest(g.arena, rest);
    struct reference_request request = {.sure = true};
    size_t n_sure = 0, i = 0;

    check_scan(bytes, cut + 1);
    for (rest = bytes; request.sure && n_sure < RECORDS_MAX - 1;)
        if (reference_read(g.arena, &rest, &request) != REFERENCE_REQUEST)
            break;
        else
            n_sure += request.sure;
    talk(bytes, cut, n_sure);

    CHECK(g.n >= n_sure);
    for (rest = bytes; i < g.n && g.all[i].status != 400; i++) {
        enum reference_result result = reference_read(g.arena, &rest, &request);
        if (result != REFERENCE_REQUEST)
            fprintf(stderr, "request %zu is none\n", i);
        CHECK(result == REFERENCE_REQUEST);
        check_same(&g.all[i], &request);
        CHECK(!request.last || i + 1 == g.n);
    }
    CHECK(i >= n_sure && (i == g.n || i + 1 == g.n));
    arena_destroy(g.arena);
    return 0;
}
