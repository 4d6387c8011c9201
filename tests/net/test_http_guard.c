/* What must not get past the guard: requests that two readers could end at different bytes. Each
 * case sends a second request behind the first; it must never be answered. */
#include "http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define SMUGGLED "GET /items/666 HTTP/1.1\r\n" HOST "\r\n"

static int set_up(void **state)
{
    int rc = rig_set_up(state);
    rig_start(*state);
    return rc;
}

/* Refused with 400, the connection closed, and nothing behind it answered. */
static void refused(struct rig *rig, const char *bytes, size_t len)
{
    char all[8192];
    int fd = client_connect(rig);
    client_send(fd, bytes, len);
    assert_false(client_reads_until(fd, "/items/{id} 666", all, sizeof all));
    if (strncmp(all, "HTTP/1.1 400 ", 13) != 0 && strncmp(all, "HTTP/1.0 400 ", 13) != 0)
        fail_msg("%s\nwas answered\n%s", bytes, all);
    assert_non_null(strstr(all, "Connection: close\r\n"));
    assert_null(strstr(all, "HTTP/1.1 2"));
    (void)close(fd);
}

static void test_http_guard__ambiguous_requests(void **state)
{
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"
        "\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
        "0\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5,5\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nabcde" SMUGGLED,
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nabcde" SMUGGLED,
        "HEAD /menu HTTP/1.1\r\n" HOST "Content-Length: 45\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "Host: b\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "X-A: a\r\n folded\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "X-A: a\x01b\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "X-A: a\rb\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "X A: a\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "X[]: a\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST ": a\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.1\r\n" HOST "no colon\r\n\r\n" SMUGGLED,
        "GET /menu HTTP/1.7\r\n" HOST "\r\n" SMUGGLED,
        "GET /menu HTTP/2.0\r\n" HOST "\r\n" SMUGGLED,
        "GET /me nu HTTP/1.1\r\n" HOST "\r\n" SMUGGLED,
        "GET /me\tnu HTTP/1.1\r\n" HOST "\r\n" SMUGGLED,
        "GET /menu\r\n" HOST "\r\n" SMUGGLED,
        " /menu HTTP/1.1\r\n" HOST "\r\n" SMUGGLED,
        "G@T /menu HTTP/1.1\r\n" HOST "\r\n" SMUGGLED,
        "GET /menu HTTP/\f1.1\r\n" HOST "\r\n" SMUGGLED,
        "GET /menu HTTP/01.01\r\n" HOST "\r\n" SMUGGLED,
        "nonsense\r\n\r\n" SMUGGLED,
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        refused(*state, requests[i], strlen(requests[i]));
}

/* evhttp takes these sizes as strtoll does, and needs no end of line behind a chunk. */
static void test_http_guard__chunk_sizes(void **state)
{
    static const char *const bodies[] = {
        "+5\r\nabcde\r\n0\r\n\r\n",     "0x5\r\nabcde\r\n0\r\n\r\n",
        " 5\r\nabcde\r\n0\r\n\r\n",     "\t5\r\nabcde\r\n0\r\n\r\n",
        "5 \r\nabcde\r\n0\r\n\r\n",     "5 6\r\nabcde\r\n0\r\n\r\n",
        "5 ;a=b\r\nabcde\r\n0\r\n\r\n", "5\nabcde\r\n0\r\n\r\n",
        "\r\n5\r\nabcde\r\n0\r\n\r\n",  "5\r\nabcde\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",          "5\r\nabcde\r\n\r\n0\r\n\r\n",
        "5\r\nabcde\r\n-0\r\n\r\n",     "5\r\nabcde\r\n+0\r\n\r\n",
        "5\r\nabcde\r\n0\n\r\n",        "0000000000000005\r\nabcde\r\n0\r\n\r\n",
    };
    char request[512];
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        (void)snprintf(request, sizeof request,
                       "POST /echo HTTP/1.1\r\n" HOST
                       "Transfer-Encoding: Chunked\r\n\r\n%s" SMUGGLED,
                       bodies[i]);
        refused(*state, request, strlen(request));
    }
    static const char nul[] = "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                              "5\0009\r\nabcde\r\n0\r\n\r\n" SMUGGLED;
    refused(*state, nul, sizeof nul - 1);
}

/* evhttp puts a trailer's lines behind the headers, where a proxy that appended to a header of that
 * name would not have seen them. */
static void test_http_guard__trailers_are_no_headers(void **state)
{
    struct answer answer = rig_ask(
        *state, "GET /headers HTTP/1.1\r\n" HOST "X-Many: head\r\nTransfer-Encoding: chunked"
                "\r\n\r\n0\r\nX-Many: trailer\r\nX-Other: trailer\r\n\r\n");
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "head");
    answer_finish(&answer);
    answer = rig_ask(*state, "GET /headers HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked"
                             "\r\n\r\n0\r\nX-Many: trailer\r\n\r\n");
    assert_string_equal(answer.body, "");
    answer_finish(&answer);
}

static void test_http_guard__nul(void **state)
{
    static const char target[] = "GET /menu\0x HTTP/1.1\r\n" HOST "\r\n" SMUGGLED;
    static const char value[] = "GET /menu HTTP/1.1\r\n" HOST "X-A: a\0b\r\n\r\n" SMUGGLED;
    static const char length[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\0000\r\n\r\nabcde" SMUGGLED;
    static const char name[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length\0: 5\r\n\r\nabcde" SMUGGLED;
    refused(*state, target, sizeof target - 1);
    refused(*state, value, sizeof value - 1);
    refused(*state, length, sizeof length - 1);
    refused(*state, name, sizeof name - 1);
}

/* The second request of a connection is watched like the first, pipelined or not. */
static void test_http_guard__second_request(void **state)
{
    static const char bad[] = "GET /menu HTTP/1.1\r\n" HOST "X-A: a\0b\r\n\r\n";
    struct rig *rig = *state;
    for (int pipelined = 0; pipelined < 2; pipelined++) {
        int fd = client_connect(rig);
        client_say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na\nb");
        if (pipelined)
            client_send(fd, bad, sizeof bad - 1);
        struct answer answer = client_receive(fd, false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
        if (!pipelined)
            client_send(fd, bad, sizeof bad - 1);
        answer = client_receive(fd, false);
        assert_int_equal(answer.status, 400);
        answer_finish(&answer);
        assert_true(client_is_closed(fd));
        (void)close(fd);
    }
}

/* Bytes one at a time must be judged as bytes at once. */
static void test_http_guard__scan_in_pieces(void **state)
{
#define BYTES(literal) literal, sizeof literal - 1
#define CHUNKED "P /\r\ntransfer-Encoding:x\r\n\r\n"
    static const struct {
        const char *bytes;
        size_t len;
        bool bad, done;
    } cases[] = {
        {BYTES("GET / HTTP/1.1\r\nA: b\r\n\r\n\0\0"), false, true},
        {BYTES("GET / HTTP/1.1\nA: b\n\n\0"), false, true},
        {BYTES("GET / HTTP/1.1\r\nA: b\r\n"), false, false},
        {BYTES("GET / HTTP/1.1\r\nA: \0\r\n\r\n"), true, true},
        {BYTES("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), true, true},
        {BYTES("\r\n"), true, true},
        {BYTES(" / HTTP/1.1\r\n\r\n"), true, true},
        {BYTES("G@T / HTTP/1.1\r\n\r\n"), true, true},
        {BYTES("G\rT / HTTP/1.1\r\n\r\n"), true, true},
        {BYTES("\tGET / HTTP/1.1\r\n\r\n"), true, true},
        {BYTES("BREW / HTTP/1.1\r\n\r\n"), false, true},
        {BYTES("P /\r\n\r\r\n"), false, false},
        {BYTES("P /\r\n\r\r\n\r\n"), false, true},
        {BYTES("P /\r\n\r A: b\r\n\r\n"), false, true},
        {BYTES(CHUNKED "B\r\n\0\r\n\0\0\0\0\0\0\0\0\r\n00\r\nA: b\r\n\r\n\0"), false, true},
        {BYTES(CHUNKED "1\r\na\r\n0\r\nA: b\r\n"), false, false},
        {BYTES(CHUNKED "1\r\na\r\n0\r\nA: b\r\n c\r\n\r\n"), true, true},
        {BYTES(CHUNKED "1\r\na\n"), true, true},
        {BYTES("P /\r\nX-Transfer-Encoding:x\r\n\r\n+1\r\n"), false, true},
        {BYTES("P /\r\nTransfer-Encodings:x\r\n\r\n+1\r\n"), false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step <= cases[i].len; step++) {
            struct http_scan scan = {0};
            for (size_t at = 0; at < cases[i].len; at += step) {
                size_t left = cases[i].len - at;
                http_scan_bytes(&scan, cases[i].bytes + at, left < step ? left : step);
            }
            assert_int_equal(scan.fault != NULL, cases[i].bad);
            assert_int_equal(scan.part == HTTP_SCAN_DONE, cases[i].done);
        }
    }
}

static void test_http_guard__sound_requests(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.1\r\nhOST: a\r\nX-A:\ta\r\n\r\n"), 200);
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.0\r\n\r\n"), 200);
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
                     200);
    assert_int_equal(rig_status(rig, "HEAD /menu HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
                     200);
    assert_int_equal(rig_status(rig, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                                     "\r\n05\r\nab\r\nc\r\nA\r\n0\r\n\r\n0\r\n\r\n\r\n00\r\n\r\n"),
                     200);
    assert_int_equal(rig_status(rig, "GET http://a/menu?x=1 HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.1\n"
                                     "Host: a\n\n"),
                     200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http_guard__ambiguous_requests, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_guard__chunk_sizes, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_guard__trailers_are_no_headers, set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_guard__nul, set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_guard__second_request, set_up, rig_tear_down),
        cmocka_unit_test(test_http_guard__scan_in_pieces),
        cmocka_unit_test_setup_teardown(test_http_guard__sound_requests, set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
