/* Requests and answers over real sockets: routing, bodies, deadlines. */
#include "http_rig.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_http_server__routes(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    expect_body(rig, GET("/"), 200, "ok");
    expect_body(rig, GET("/items/7"), 200, "/items/{id} 7 -");
    expect_body(rig, GET("/items/7?x=/items/8"), 200, "/items/{id} 7 -");
    expect_body(rig, GET("/items/9007199254740991"), 200, "/items/{id} 9007199254740991 -");
    expect_body(rig, GET("/items/best"), 200, "/items/best 0 -");
    expect_body(rig, GET("/items/7/parts/a%2Fb"), 200, "/items/{id}/parts/{name} 7 a%2Fb");
    static const char *const unknown[] = {
        GET("/items/0"),
        GET("/items/07"),
        GET("/items/-1"),
        GET("/items/+1"),
        GET("/items/1.0"),
        GET("/items/9007199254740992"),
        GET("/items/"),
        GET("/items"),
        GET("/items/7/"),
        GET("//items/7"),
        GET("/items/7/parts/"),
        GET("/items/7/parts/.."),
        GET("/x/../items/7"),
        GET("/items/7%00"),
        GET("/menu%00"),
        GET("/%6denu"),
        GET("/menu/"),
        GET("/menu/.."),
        GET("/MENU"),
        GET("menu"),
        GET("*"),
        GET("/items/7/parts/a/b"),
        "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
        "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n",
        GET("/items/18446744073709551617"),
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (rig_status(rig, unknown[i]) != 404)
            fail_msg("not 404: %s", unknown[i]);
}

static void test_http_server__method_not_allowed(void **state)
{
    static const char *const methods[] = {"DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"};
    struct rig *rig = *state;
    char request[128];
    rig_start(rig);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        (void)snprintf(request, sizeof request, "%s /echo HTTP/1.1\r\n" HOST "\r\n", methods[i]);
        struct answer answer = rig_ask(rig, request);
        assert_int_equal(answer.status, 405);
        expect_header(&answer, "Allow", "POST, PUT");
        answer_finish(&answer);
    }
    struct answer answer = rig_ask(rig, "POST /menu HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 405);
    expect_header(&answer, "Allow", "GET, HEAD");
    answer_finish(&answer);
    assert_int_equal(rig_status(rig, "BREW /nothing HTTP/1.1\r\n" HOST "\r\n"), 404);
}

/* evhttp reads no body for such a method: what follows must not be taken as a request. */
static void test_http_server__unknown_method_with_body(void **state)
{
    struct rig *rig = *state;
    char all[4096];
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, "BREW /echo HTTP/1.1\r\n" HOST "Content-Length: 50\r\n\r\n" GET("/items/666"));
    assert_false(client_reads_until(fd, "/items/{id} 666", all, sizeof all));
    assert_non_null(strstr(all, "HTTP/1.1 405 "));
    (void)close(fd);
}

static void test_http_server__headers_of_every_answer(void **state)
{
    static const char *const requests[] = {GET("/menu"), GET("/read"), GET("/nowhere"),
                                           "GET /menu HTTP/1.1\r\n\r\n"};
    struct rig *rig = *state;
    char id[64], other[64];
    rig->options.https = true;
    rig_start(rig);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct answer answer = rig_ask(rig, requests[i]);
        expect_header(&answer, "Content-Security-Policy",
                      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri "
                      "'none'; form-action 'self'; frame-ancestors 'none'");
        expect_header(&answer, "X-Content-Type-Options", "nosniff");
        expect_header(&answer, "Referrer-Policy", "no-referrer");
        expect_header(&answer, "Cross-Origin-Opener-Policy", "same-origin");
        expect_header(&answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        expect_header(&answer, "Cache-Control", i == 0 ? "no-cache" : "no-store");
        expect_header(&answer, "Server", NULL);
        assert_non_null(answer_header(&answer, "Date", other, sizeof other));
        assert_non_null(answer_header(&answer, "X-Request-Id", other, sizeof other));
        assert_int_equal(strlen(other), 16);
        assert_true(i == 0 || strcmp(id, other) != 0);
        memcpy(id, other, sizeof id);
        answer_finish(&answer);
    }
}

static void test_http_server__head(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, "HEAD /menu HTTP/1.1\r\n" HOST "\r\n");
    struct answer answer = client_receive(fd, true);
    assert_int_equal(answer.status, 200);
    expect_header(&answer, "Content-Length", "3000");
    answer_finish(&answer);
    /* Had a body come, it would stand before this answer. */
    client_say(fd, GET("/read"));
    answer = client_receive(fd, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "ok");
    answer_finish(&answer);
    client_say(fd, "HEAD /nowhere HTTP/1.1\r\n" HOST "\r\n" GET("/empty"));
    answer = client_receive(fd, true);
    assert_int_equal(answer.status, 404);
    answer_finish(&answer);
    answer = client_receive(fd, false);
    assert_int_equal(answer.status, 204);
    expect_header(&answer, "Content-Length", NULL);
    answer_finish(&answer);
    (void)close(fd);
}

static void test_http_server__pipelining(void **state)
{
    struct rig *rig = *state;
    char path[64], body[64];
    rig_start(rig);
    int fd = client_connect(rig);
    for (int i = 1; i <= 200; i++) {
        (void)snprintf(path, sizeof path, "GET /items/%d HTTP/1.1\r\n" HOST "\r\n", i);
        client_say(fd, path);
        client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n\n\n");
    }
    for (int i = 1; i <= 200; i++) {
        struct answer answer = client_receive(fd, false);
        (void)snprintf(body, sizeof body, "/items/{id} %d -", i);
        assert_string_equal(answer.body, body);
        answer_finish(&answer);
        answer = client_receive(fd, false);
        assert_string_equal(answer.body, "\n\n");
        answer_finish(&answer);
    }
    (void)close(fd);
}

static void test_http_server__bodies(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    expect_body(rig,
                "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n1\r\n\n\r\n0\r\nX-Trailer: x\r\n\r\n",
                200, "abc\n");
    expect_body(rig, "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 16\r\n\r\n0123456789abcdef",
                200, "0123456789abcdef");
    assert_int_equal(rig_status(rig, "PUT /echo HTTP/1.1\r\n" HOST
                                     "Content-Length: 17\r\n\r\n0123456789abcdefg"),
                     413);
    assert_int_equal(rig_status(rig, "GET /read HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"),
                     413);
    /* 413 leaves the connection usable, as the body was read. */
    int fd = client_connect(rig);
    client_say(fd, "GET /read HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" GET("/read"));
    for (int i = 0; i < 2; i++) {
        struct answer answer = client_receive(fd, false);
        assert_int_equal(answer.status, i == 0 ? 413 : 200);
        answer_finish(&answer);
    }
    (void)close(fd);
}

static void test_http_server__body_of_1_mib_and_one_more(void **state)
{
    struct rig *rig = *state;
    char head[128];
    rig_start(rig);
    for (size_t more = 0; more < 2; more++) {
        size_t len = HTTP_BODY_MAX_BYTES + more;
        char *body = malloc(len);
        memset(body, 'b', len);
        int fd = client_connect(rig);
        (void)snprintf(head, sizeof head,
                       "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);
        client_say(fd, head);
        client_send(fd, body, len);
        struct answer answer = client_receive(fd, false);
        assert_int_equal(answer.status, more ? 413 : 200);
        if (more)
            assert_true(client_is_closed(fd));
        else
            assert_true(answer.body_len == len && memcmp(answer.body, body, len) == 0);
        answer_finish(&answer);
        (void)close(fd);
        free(body);
    }
}

static void test_http_server__expect_continue(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd,
               "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    struct answer answer = client_receive(fd, false);
    assert_int_equal(answer.status, 100);
    answer_finish(&answer);
    client_say(fd, "abc");
    answer = client_receive(fd, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "abc");
    answer_finish(&answer);
    (void)close(fd);
}

static void test_http_server__request_values(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct answer answer =
        rig_ask(rig, "GET /headers HTTP/1.1\r\n" HOST "X-Many:  one \r\nx-many: two\r\n\r\n");
    assert_string_equal(answer.body, "one, two");
    expect_header(&answer, "X-Mine", "mine");
    answer_finish(&answer);
    /* A header sent a thousand times is joined in one go. */
    enum { TIMES = 1000 };
    static char request[16 * TIMES], joined[4 * TIMES];
    strcpy(request, "GET /headers HTTP/1.1\r\n" HOST "X-Many:\r\n");
    size_t at = strlen(request);
    for (int i = 0; i < TIMES; i++) {
        memcpy(request + at + 11 * (size_t)i, "X-Many: a\r\n", 11);
        memcpy(joined + 3 * (size_t)i, ", a", 3);
    }
    strcpy(request + at + 11 * TIMES, "\r\n");
    expect_body(rig, request, 200, joined);
    expect_body(rig, GET("/query"), 200, "");
    expect_body(rig, GET("/query?"), 200, "");
    expect_body(rig, GET("/query?q=a%20b+c%2B&&r"), 200, "q[a b c+]r[]");
    expect_body(rig, GET("/query?%71=%E2%82%AC%"), 200, "q[\xe2\x82\xac%]");
    expect_body(rig, GET("/query?q&=x&q=1=2"), 200, "q[][x]q[1=2]");
    expect_body(rig, GET("/query?q=%00&r=%ff&s=1"), 200, "q[bad]r[bad]s[1]");
}

/* Thousands of pairs once held a loop for half a second, as the walk began anew for each. */
static void test_http_server__query_of_many_pairs(void **state)
{
    struct rig *rig = *state;
    char request[HTTP_HEADERS_MAX_BYTES] = "GET /query?a", body[HTTP_QUERY_PAIRS_MAX * 3 + 1];
    rig_start(rig);
    for (int pairs = 1; pairs <= HTTP_QUERY_PAIRS_MAX; pairs++) {
        memcpy(body + (pairs - 1) * 3, "a[]", 4);
        if (pairs > 1)
            strcat(request, "&a");
    }
    size_t len = strlen(request);
    strcat(request, " HTTP/1.1\r\n" HOST "\r\n");
    expect_body(rig, request, 200, body);
    strcpy(request + len, "& HTTP/1.1\r\n" HOST "\r\n");
    expect_body(rig, request, 400, "refused: The query has too many parameters.");
    for (; len < 15000; len += 2)
        memcpy(request + len, "&a", 2);
    strcpy(request + len, " HTTP/1.1\r\n" HOST "\r\n");
    int fd = client_connect(rig);
    client_say(fd, request);
    client_say(fd, GET("/read")); /* the connection goes on */
    for (int i = 0; i < 2; i++) {
        struct answer answer = client_receive(fd, false);
        assert_int_equal(answer.status, i == 0 ? 400 : 200);
        answer_finish(&answer);
    }
    (void)close(fd);
}

static void test_http_server__long_headers(void **state)
{
    struct rig *rig = *state;
    const size_t len = 100 * 1024;
    char *headers = malloc(len + 64);
    rig_start(rig);
    for (int one_line = 0; one_line < 2; one_line++) {
        size_t at = (size_t)sprintf(headers, "GET /menu HTTP/1.1\r\n" HOST "X-Long: ");
        while (at < len) {
            memcpy(headers + at, "aaaaaaaaa\r\nB: bb", 16);
            if (one_line)
                memset(headers + at, 'a', 16);
            at += 16;
        }
        int fd = client_connect(rig);
        (void)send(fd, headers, at, MSG_NOSIGNAL); /* may be cut short by the refusal */
        /* An answer may be lost to the reset that follows it; a 200 it must not be. */
        char c[13] = "";
        ssize_t n = recv(fd, c, 12, MSG_WAITALL);
        if (n == 12)
            assert_string_equal(c, "HTTP/1.1 400");
        (void)close(fd);
    }
    assert_int_equal(rig_status(rig, GET("/menu")), 200);
    free(headers);
}

static int64_t closed_after(int fd)
{
    int64_t from = clock_mono_ms();
    assert_true(client_is_closed(fd));
    (void)close(fd);
    return clock_mono_ms() - from;
}

/* A request that does not come to its end is cut, whichever of the connection it is. */
static void test_http_server__deadlines(void **state)
{
    static const char *const slow[] = {
        "GET /me",
        "GET /menu HTTP/1.1\r\nHost",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nff\r\nabc",
    };
    struct rig *rig = *state;
    rig->limits.request_deadline_ms = 100;
    rig_start(rig);
    for (size_t i = 0; i < 4; i++) {
        for (int second = 0; second < 3; second++) {
            int fd = client_connect(rig);
            if (second > 0) {
                client_say(fd, GET("/read"));
                if (second == 2)
                    client_say(fd, slow[i]); /* already there when the first is answered */
                struct answer answer = client_receive(fd, false);
                assert_int_equal(answer.status, 200);
                answer_finish(&answer);
            }
            if (second < 2)
                client_say(fd, slow[i]);
            assert_true(closed_after(fd) < 5000);
        }
    }
    /* The deadline is of the request, not of its bytes: a trickle does not extend it. */
    int fd = client_connect(rig);
    char c = 'G';
    int64_t from = clock_mono_ms();
    while (send(fd, &c, 1, MSG_NOSIGNAL) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK))
        assert_true(clock_mono_ms() - from < 5000);
    (void)close(fd);
}

/* Of an unfinished request evhttp takes whole chunks out of the input and keeps them, which did not
 * count: 600 connections held 438 MB. */
static void test_http_server__unfinished_requests_are_bounded(void **state)
{
    enum { CONNECTIONS = 20, CHUNK = 0xa000 };
    static char chunk[CHUNK + 9] = "a000\r\n";
    struct rig *rig = *state;
    int fds[CONNECTIONS];
    memset(chunk + 6, 'x', CHUNK);
    memcpy(chunk + 6 + CHUNK, "\r\n", 3);
    rig->options.io_threads = 1;
    rig->limits.buffered_max_bytes = 256 * 1024;
    rig->limits.request_deadline_ms = 60 * 1000;
    rig_start(rig);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], "GET /read HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        client_say(fds[i], chunk);
    }
    assert_true(client_is_closed(fds[0])); /* the oldest makes room */
    assert_int_equal(rig_status(rig, GET("/read")), 200);
    client_say(fds[CONNECTIONS - 1], "0\r\n\r\n"); /* the youngest may go on */
    struct answer answer = client_receive(fds[CONNECTIONS - 1], false);
    assert_int_equal(answer.status, 413);
    answer_finish(&answer);
    for (int i = 0; i < CONNECTIONS; i++)
        (void)close(fds[i]);
}

/* A block of memory was kept for every chunk of one byte. */
static void test_http_server__tiny_chunks_count(void **state)
{
    struct rig *rig = *state;
    rig->options.io_threads = 1;
    rig->limits.buffered_max_bytes = 64 * 1024;
    rig->limits.request_deadline_ms = 60 * 1000;
    rig_start(rig);
    int fd = client_connect(rig), other = client_connect(rig);
    client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        (void)send(fd, "1\r\na\r\n", 6, MSG_NOSIGNAL);
        client_say(other, GET("/")); /* answered by the loop, so each chunk has its own read */
        struct answer answer = client_receive(other, false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
    }
    assert_true(client_is_closed(fd));
    (void)close(fd);
    (void)close(other);
}

/* What was counted for a request is given back with it, whatever became of it. */
static void test_http_server__counts_return_to_zero(void **state)
{
    static char body[20000];
    struct rig *rig = *state;
    char head[128];
    rig->options.io_threads = 1;
    rig_start(rig);
    memset(body, 'b', sizeof body);
    (void)snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
                   sizeof body);
    int fd = client_connect(rig);
    for (int i = 0; i < 3; i++) {
        client_say(fd, head);
        client_send(fd, body, sizeof body);
    }
    for (int i = 0; i < 3; i++) {
        struct answer answer = client_receive(fd, false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
    }
    assert_int_equal(rig_status(rig,
                                "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                "2\r\nab\r\n0\r\n\r\n"),
                     200);
    int half = client_connect(rig);
    client_say(half, head);
    client_send(half, body, sizeof body / 2);
    (void)close(half);
    (void)close(fd);
    http_server_stop(rig->server, 60000);
    assert_int_equal(rig->server->loops[0].buffered, 0);
}

static void test_http_server__idle_timeout(void **state)
{
    struct rig *rig = *state;
    rig->limits.idle_timeout_ms = 100;
    rig_start(rig);
    int fd = client_connect(rig);
    assert_true(closed_after(fd) < 5000);
    fd = client_connect(rig);
    client_say(fd, GET("/read"));
    struct answer answer = client_receive(fd, false);
    assert_int_equal(answer.status, 200);
    answer_finish(&answer);
    assert_true(closed_after(fd) < 5000);
}

static void test_http_server__client_leaves_mid_job(void **state)
{
    struct rig *rig = *state;
    const struct linger reset = {1, 0};
    rig_start(rig);
    for (int i = 0; i < 2; i++) {
        int fd = client_connect(rig);
        client_say(fd, GET("/block"));
        assert_int_equal(sem_wait(&rig->entered), 0);
        if (i == 1)
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        (void)close(fd);
        (void)sem_post(&rig->proceed);
    }
    assert_int_equal(rig_status(rig, GET("/read")), 200);
}

static void test_http_server__connection_cap(void **state)
{
    struct rig *rig = *state;
    int fds[4];
    rig->options.max_connections = 4;
    rig_start(rig);
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], GET("/read"));
        struct answer answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
    }
    /* The fifth waits, and is served when another leaves. */
    struct http_stats stats;
    int fd = client_connect(rig);
    client_say(fd, GET("/read"));
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.connections, 4);
    (void)close(fds[0]);
    struct answer answer = client_receive(fd, false);
    assert_int_equal(answer.status, 200);
    answer_finish(&answer);
    (void)close(fd);
    for (int i = 1; i < 4; i++)
        (void)close(fds[i]);
}

static void test_http_server__address_in_use(void **state)
{
    struct rig *rig = *state;
    struct http_server *second = NULL;
    char address[64];
    rig_start(rig);
    (void)snprintf(address, sizeof address, "127.0.0.1:%d", http_server_port(rig->server));
    struct http_options options = rig->options;
    options.listen = address;
    assert_int_equal(http_server_create(&options, &second), ERR_INTERNAL);
    options.listen = "nonsense";
    assert_int_equal(http_server_create(&options, &second), ERR_INTERNAL);
    options.listen = "127.0.0.1:http:";
    assert_int_equal(http_server_create(&options, &second), ERR_INTERNAL);
    assert_null(second);
}

/* Bound, an address refuses whoever connects; only the server that is given it listens. */
static void test_http_server__bound_before(void **state)
{
    struct rig *rig = *state;
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int fd = -1, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(http_bind("127.0.0.1:0", &fd), ERR_OK);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(client);
    rig->options.bound_fd = &fd;
    rig_start(rig);
    assert_int_equal(http_server_port(rig->server), ntohs(address.sin_port));
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, len), 0);
    (void)close(client);
}

static void test_http_server__ipv4_mapped_peer(void **state)
{
    struct rig *rig = *state;
    rig->options.listen = "[::]:0";
    rig_start(rig);
    expect_body(rig, GET("/peer"), 200, "4 127.0.0.1");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_http_server__##name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(routes),
        TEST(method_not_allowed),
        TEST(unknown_method_with_body),
        TEST(headers_of_every_answer),
        TEST(head),
        TEST(pipelining),
        TEST(bodies),
        TEST(body_of_1_mib_and_one_more),
        TEST(expect_continue),
        TEST(request_values),
        TEST(query_of_many_pairs),
        TEST(long_headers),
        TEST(deadlines),
        TEST(unfinished_requests_are_bounded),
        TEST(tiny_chunks_count),
        TEST(counts_return_to_zero),
        TEST(idle_timeout),
        TEST(client_leaves_mid_job),
        TEST(connection_cap),
        TEST(address_in_use),
        TEST(bound_before),
        TEST(ipv4_mapped_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
