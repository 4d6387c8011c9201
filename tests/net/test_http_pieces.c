/* Answers in pieces: whole and in order for who reads them, one piece in memory and no worker held
 * for who does not, and visibly broken where they break. */
#include "http_rig.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define GET "GET /pieces HTTP/1.1\r\n" HOST "\r\n"

enum { ENDLESS = 1000000, BIG = 256 * 1024 };

/* What the route answers: "[first]", then so many pieces, of `size` bytes or numbered lines. */
static struct plan {
    int n, fail_at, block_at, empty_at;
    size_t size;
    int status;
    struct rig *rig;
    _Atomic int made;
    sem_t closed;
} plan;

static enum http_pieces_got next(void *arg, struct arena *arena, struct buf *piece)
{
    struct plan *p = arg;
    int i = ++p->made;
    if (i == p->block_at) {
        (void)sem_post(&p->rig->entered);
        while (sem_wait(&p->rig->proceed) != 0)
            ;
    }
    if (i == p->fail_at)
        return HTTP_PIECES_FAILED;
    if (i > p->n)
        return HTTP_PIECES_LAST;
    if (i == p->empty_at)
        return HTTP_PIECES_MORE;
    if (p->size > 0) {
        memset(buf_reserve(piece, p->size), 'x', p->size);
        piece->len += p->size;
    } else {
        buf_put_str(piece, arena_printf(arena, "[%d]", i));
    }
    return i == p->n && i % 2 ? HTTP_PIECES_LAST : HTTP_PIECES_MORE;
}

static void on_closed(void *arg)
{
    struct plan *p = arg;
    (void)sem_post(&p->closed);
}

static void answer(struct rig *rig, struct http_call *call)
{
    (void)rig;
    http_pieces_open(call, next, on_closed, &plan);
    call->response.status = plan.status;
    buf_put_cstr(&call->response.body, "[first]");
}

static struct rig *prepare(void **state, int n, size_t size)
{
    struct rig *rig = *state;
    plan = (struct plan){.n = n, .size = size, .status = 200, .rig = rig};
    (void)sem_init(&plan.closed, 0, 0);
    rig->answer_pieces = answer;
    return rig;
}

static void wait_closed(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    assert_int_equal(sem_timedwait(&plan.closed, &until), 0);
    assert_int_equal(sem_trywait(&plan.closed), -1);
}

static void expect_numbers(const char *body, int n)
{
    char expected[8192];
    size_t len = (size_t)snprintf(expected, sizeof expected, "[first]");
    for (int i = 1; i <= n; i++)
        if (i != plan.empty_at)
            len += (size_t)snprintf(expected + len, sizeof expected - len, "[%d]", i);
    assert_string_equal(body, expected);
}

/* A last piece with bytes and one without, and an empty one in between. */
static void test_http_pieces__whole_and_in_order(void **state)
{
    struct rig *rig = prepare(state, 0, 0);
    rig_start(rig);
    for (int n = 0; n < 500; n += 99) {
        plan.n = n;
        plan.made = 0;
        plan.empty_at = n == 99 ? 50 : 0;
        struct answer got = rig_ask(rig, GET);
        assert_int_equal(got.status, 200);
        expect_header(&got, "Transfer-Encoding", "chunked");
        expect_header(&got, "Content-Length", NULL);
        expect_header(&got, "Connection", "close");
        expect_header(&got, "X-Content-Type-Options", "nosniff");
        expect_numbers(got.body, n);
        answer_finish(&got);
        wait_closed();
    }
}

static void test_http_pieces__http_1_0(void **state)
{
    struct rig *rig = prepare(state, 3, 0);
    char all[4096];
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, "GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_false(client_reads_until(fd, "nothing", all, sizeof all));
    expect_numbers(strstr(all, "\r\n\r\n") + 4, 3);
    wait_closed();
    (void)close(fd);
}

static void test_http_pieces__large(void **state)
{
    struct rig *rig = prepare(state, 64, BIG);
    rig_start(rig);
    struct answer got = rig_ask(rig, GET);
    assert_int_equal(got.body_len, 7 + 64 * (size_t)BIG);
    answer_finish(&got);
    wait_closed();
}

/* Nothing is compressed: the bytes of a piece are not the answer's. */
static void test_http_pieces__plain_though_gzip_is_accepted(void **state)
{
    struct rig *rig = prepare(state, 2, 4096);
    rig_start(rig);
    struct answer got =
        rig_ask(rig, "GET /pieces HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    expect_header(&got, "Content-Encoding", NULL);
    assert_int_equal(got.body_len, 7 + 2 * 4096);
    answer_finish(&got);
    wait_closed();
}

static void test_http_pieces__head_and_other_status(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, 0);
    rig_start(rig);
    struct answer head = rig_ask(rig, "HEAD /pieces HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(head.status, 200);
    expect_header(&head, "Content-Length", NULL);
    answer_finish(&head);
    wait_closed();
    plan.status = 409;
    struct answer refused = rig_ask(rig, GET);
    assert_int_equal(refused.status, 409);
    expect_header(&refused, "Content-Length", "7");
    assert_string_equal(refused.body, "[first]");
    answer_finish(&refused);
    wait_closed();
    assert_int_equal(plan.made, 0);
}

/* The connection ends without the last chunk. */
static void test_http_pieces__failure_is_seen(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, 0);
    char all[4096];
    plan.fail_at = 5;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, GET);
    assert_false(client_reads_until(fd, "\r\n0\r\n", all, sizeof all));
    assert_non_null(strstr(all, "[4]"));
    assert_int_equal(plan.made, 5);
    wait_closed();
    (void)close(fd);
}

/* Who reads nothing has what fits into the system's buffers and one piece more, then is dropped. */
static void test_http_pieces__client_reads_nothing(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, BIG);
    rig->limits.idle_timeout_ms = 500;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, GET);
    wait_closed();
    assert_true(plan.made > 0 && plan.made < 256);
    (void)close(fd);
}

static void test_http_pieces__no_worker_waits_for_a_client(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, BIG);
    int fds[8];
    rig->options.workers = 1;
    rig_start(rig);
    for (int i = 0; i < 8; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], GET);
    }
    expect_body(rig, "GET /read HTTP/1.1\r\n" HOST "\r\n", 200, "ok");
    for (int i = 0; i < 8; i++)
        (void)close(fds[i]);
    for (int i = 0; i < 8; i++) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 10;
        assert_int_equal(sem_timedwait(&plan.closed, &until), 0);
    }
}

static void test_http_pieces__client_leaves(void **state)
{
    const struct linger reset = {1, 0};
    struct rig *rig = prepare(state, ENDLESS, BIG);
    char some[4096];
    rig_start(rig);
    for (int i = 0; i < 4; i++) {
        int fd = client_connect(rig);
        client_say(fd, GET);
        assert_true(client_reads_until(fd, "[first]", some, sizeof some));
        if (i % 2)
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        (void)close(fd);
        wait_closed();
    }
    assert_true(plan.made < ENDLESS);
    struct http_stats stats;
    do
        http_server_stats(rig->server, &stats);
    while (stats.running[HTTP_LANE_READ] > 0 || stats.connections > 0);
}

static void test_http_pieces__client_leaves_while_one_is_made(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, 0);
    struct http_stats stats;
    char some[4096];
    plan.block_at = 3;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, GET);
    assert_true(client_reads_until(fd, "[2]", some, sizeof some));
    assert_int_equal(sem_wait(&rig->entered), 0);
    (void)close(fd);
    do
        http_server_stats(rig->server, &stats);
    while (stats.connections > 0);
    assert_int_equal(sem_trywait(&plan.closed), -1);
    (void)sem_post(&rig->proceed);
    wait_closed();
    assert_int_equal(plan.made, 3);
}

/* So many bytes and whatever else has come with them. */
static void read_bytes(int fd, size_t len)
{
    static char bytes[64 * 1024];
    while (len > 0) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        assert_true(n > 0);
        len -= (size_t)n < len ? (size_t)n : len;
    }
}

/* No room in the queue for the next piece: it is asked for again, and the answer comes whole. */
static void test_http_pieces__full_queue(void **state)
{
    enum { HUGE = 32 * 1024 * 1024 }; /* more than the system takes */
    struct rig *rig = prepare(state, 3, HUGE);
    struct http_stats stats;
    char all[4096];
    rig->options.workers = 1;
    rig->options.io_threads = 1;
    rig->limits.queue_max = 1;
    rig_start(rig);
    int fd = client_connect(rig), blocker = client_connect(rig), waiter = client_connect(rig);
    client_say(fd, GET);
    assert_true(client_reads_until(fd, "[first]", all, sizeof all));
    while (plan.made < 1)
        ;
    client_say(blocker, "GET /block HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(sem_wait(&rig->entered), 0);
    client_say(waiter, "GET /read HTTP/1.1\r\n" HOST "\r\n");
    do
        http_server_stats(rig->server, &stats);
    while (stats.queued[HTTP_LANE_READ] < 1);
    read_bytes(fd, HUGE);
    do
        http_server_stats(rig->server, &stats);
    while (stats.pieces_deferred < 1);
    assert_int_equal(stats.queue_full[HTTP_LANE_READ], 0); /* nobody was refused */
    (void)sem_post(&rig->proceed);
    read_bytes(fd, 2 * (size_t)HUGE);
    wait_closed();
    assert_int_equal(plan.made, 3);
    struct answer got = client_receive(waiter, false);
    assert_int_equal(got.status, 200);
    answer_finish(&got);
    (void)close(fd);
    (void)close(blocker);
    (void)close(waiter);
}

/* Half read when the server stops: cut, so that the stop does not wait for a client. */
static void test_http_pieces__server_stops(void **state)
{
    struct rig *rig = prepare(state, ENDLESS, BIG);
    char some[4096];
    rig->limits.stop_reading_ms = 100;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, GET);
    assert_true(client_reads_until(fd, "[first]", some, sizeof some));
    int64_t before_ms = clock_mono_ms();
    http_server_stop(rig->server, 60 * 1000);
    assert_true(clock_mono_ms() - before_ms < 60 * 1000);
    wait_closed();
    (void)close(fd);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_http_pieces__##name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_and_in_order),
        TEST(http_1_0),
        TEST(large),
        TEST(plain_though_gzip_is_accepted),
        TEST(head_and_other_status),
        TEST(failure_is_seen),
        TEST(client_reads_nothing),
        TEST(no_worker_waits_for_a_client),
        TEST(client_leaves),
        TEST(client_leaves_while_one_is_made),
        TEST(full_queue),
        TEST(server_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
