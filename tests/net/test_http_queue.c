/* The queues before the workers: how much waits, who is refused, and what goes on beside it. */
#include "http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_http_queue__full(void **state)
{
    enum { WORKERS = 4, QUEUE = 3 };
    struct rig *rig = *state;
    struct http_stats stats;
    int fds[WORKERS + QUEUE];
    rig->limits.queue_max = QUEUE;
    rig->options.io_threads = 1;
    rig_start(rig);
    for (int i = 0; i < WORKERS + QUEUE; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], GET("/block"));
        if (i < WORKERS)
            assert_int_equal(sem_wait(&rig->entered), 0);
    }
    /* One loop takes them in order, but connects are accepted one a turn: ask till it is full. */
    struct answer answer;
    do {
        http_server_stats(rig->server, &stats);
    } while (stats.queued[HTTP_LANE_READ] < QUEUE);
    answer = rig_ask(rig, GET("/read"));
    assert_int_equal(answer.status, 503);
    char retry_after[16];
    assert_string_equal(answer_header(&answer, "Retry-After", retry_after, sizeof retry_after),
                        "1");
    answer_finish(&answer);
    /* Another lane has its own queue, and the loop answers as ever. */
    assert_int_equal(rig_status(rig, GET("/menu")), 200);
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.queue_full[HTTP_LANE_READ], 1);
    assert_int_equal(stats.queue_full[HTTP_LANE_WRITE], 0);
    assert_int_equal(stats.running[HTTP_LANE_READ], WORKERS);
    for (int i = 0; i < WORKERS + QUEUE; i++)
        (void)sem_post(&rig->proceed);
    for (int i = 0; i < WORKERS + QUEUE; i++) {
        answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
        (void)close(fds[i]);
    }
}

/* A thousand log-ins at once made each of them, and everybody else's, wait for half a minute. */
static void test_http_queue__hashes_wait_in_a_short_queue(void **state)
{
    struct rig *rig = *state;
    struct http_stats stats;
    int fds[1 + HTTP_HASH_QUEUE_MAX];
    rig->options.io_threads = 1;
    rig_start(rig);
    for (int i = 0; i < 1 + HTTP_HASH_QUEUE_MAX; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], "DELETE /block HTTP/1.1\r\n" HOST "\r\n");
        if (i == 0)
            assert_int_equal(sem_wait(&rig->entered), 0);
    }
    do {
        http_server_stats(rig->server, &stats);
    } while (stats.queued[HTTP_LANE_HASH] < HTTP_HASH_QUEUE_MAX);
    assert_int_equal(rig_status(rig, "DELETE /block HTTP/1.1\r\n" HOST "\r\n"), 503);
    assert_int_equal(rig_status(rig, GET("/read")), 200);
    for (int i = 0; i < 1 + HTTP_HASH_QUEUE_MAX; i++)
        (void)sem_post(&rig->proceed);
    for (int i = 0; i < 1 + HTTP_HASH_QUEUE_MAX; i++) {
        struct answer answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
        (void)close(fds[i]);
    }
}

/* Writes hold at most three of the four workers and hashes one, and never all: reads go on. */
static void test_http_queue__lanes(void **state)
{
    struct rig *rig = *state;
    struct http_stats stats;
    int fds[8];
    rig_start(rig);
    for (int i = 0; i < 8; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], i < 4 ? "POST /block HTTP/1.1\r\n" HOST "\r\n"
                                 : "DELETE /block HTTP/1.1\r\n" HOST "\r\n");
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(sem_wait(&rig->entered), 0);
    do {
        http_server_stats(rig->server, &stats);
    } while (stats.queued[HTTP_LANE_WRITE] + stats.queued[HTTP_LANE_HASH] < 5);
    assert_true(stats.running[HTTP_LANE_WRITE] <= 3);
    assert_true(stats.running[HTTP_LANE_HASH] <= 1);
    assert_int_equal(rig_status(rig, GET("/read")), 200);
    for (int i = 0; i < 8; i++)
        (void)sem_post(&rig->proceed);
    for (int i = 0; i < 8; i++) {
        struct answer answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
        (void)close(fds[i]);
    }
}

/* With every worker held, and more calls waiting for one, a proxy could not ask how it is. */
static void test_http_queue__health_has_workers_of_its_own(void **state)
{
    enum { WORKERS = 4, CALLS = 8 };
    static const char *const calls[] = {GET("/block"), "POST /block HTTP/1.1\r\n" HOST "\r\n",
                                        "DELETE /block HTTP/1.1\r\n" HOST "\r\n"};
    struct rig *rig = *state;
    struct http_stats stats;
    int fds[CALLS];
    rig_start(rig);
    for (int i = 0; i < CALLS; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], calls[i < WORKERS ? 0 : i % 3]);
        if (i < WORKERS)
            assert_int_equal(sem_wait(&rig->entered), 0);
    }
    do {
        http_server_stats(rig->server, &stats);
    } while (stats.queued[HTTP_LANE_READ] + stats.queued[HTTP_LANE_WRITE] +
                 stats.queued[HTTP_LANE_HASH] <
             CALLS - WORKERS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_status(rig, GET("/health")), 200);
    /* And takes no other's call meanwhile. */
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.running[HTTP_LANE_READ], WORKERS);
    assert_int_equal(stats.running[HTTP_LANE_WRITE] + stats.running[HTTP_LANE_HASH], 0);
    for (int i = 0; i < CALLS; i++)
        (void)sem_post(&rig->proceed);
    for (int i = 0; i < CALLS; i++) {
        struct answer answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        answer_finish(&answer);
        (void)close(fds[i]);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_http_queue__##name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full),
        TEST(hashes_wait_in_a_short_queue),
        TEST(lanes),
        TEST(health_has_workers_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
