/* Event streams: what is sent arrives once and in order, and a stream ends for every reason it can
 * end for, telling its owner once. */
#include "http_rig.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define STREAM "GET /stream HTTP/1.1\r\n" HOST "\r\n"

static void wait_closed(struct rig *rig, int i)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    assert_int_equal(sem_timedwait(&rig->streams[i].closed, &until), 0);
    assert_null(rig->streams[i].stream);
}

/* A stream that is open, its head read. */
static int open_stream(struct rig *rig, const char *request)
{
    char head[4096];
    int fd = client_connect(rig);
    client_say(fd, request);
    assert_true(client_reads_until(fd, "\r\n\r\n", head, sizeof head));
    assert_int_equal(sem_wait(&rig->opened), 0);
    return fd;
}

static void test_http_stream__head_and_events(void **state)
{
    struct rig *rig = *state;
    char all[4096];
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, STREAM);
    assert_true(client_reads_until(fd, "\r\n\r\n", all, sizeof all));
    assert_non_null(strstr(all, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(all, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(all, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(all, "X-Content-Type-Options: nosniff\r\n"));
    for (int i = 1; i <= 100; i++) {
        char event[64];
        (void)snprintf(event, sizeof event, "id: %d\n\n", i);
        rig_send(rig, 0, event, i);
    }
    assert_true(client_reads_until(fd, "id: 100\n\n", all, sizeof all));
    const char *at = all;
    for (int i = 1; i <= 100; i++) {
        char event[64];
        (void)snprintf(event, sizeof event, "id: %d\n", i);
        at = strstr(at, event);
        assert_non_null(at++);
    }
    struct http_stats stats;
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.streams, 1);
    (void)close(fd);
    wait_closed(rig, 0);
}

static void send_while_replaying(struct rig *rig)
{
    rig_send(rig, 0, "[live 4]", 4);
    rig_send(rig, 0, "[live 5]", 5);
    rig_send(rig, 0, "[live 6]", 6);
    rig_send(rig, 0, "[live 0]", 0);
}

/* Subscribed, then read: what came meanwhile is in the replay already, up to the id it names. */
static void test_http_stream__replay_drops_duplicates(void **state)
{
    struct rig *rig = *state;
    char all[4096];
    rig->before_return = send_while_replaying;
    rig->stream_replay = STR("[old 3][old 4][old 5]");
    rig->stream_replayed_id = 5;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    rig_send(rig, 0, "[live 7]", 7);
    assert_true(client_reads_until(fd, "[live 7]", all, sizeof all));
    const char *replay = strstr(all, "[old 3][old 4][old 5]");
    assert_non_null(replay);
    assert_null(strstr(all, "[live 4]"));
    assert_null(strstr(all, "[live 5]"));
    const char *first = strstr(replay, "[live 6]");
    assert_non_null(first);
    assert_non_null(strstr(first, "[live 0]"));
    (void)close(fd);
    wait_closed(rig, 0);
}

static void end_while_replaying(struct rig *rig)
{
    rig_send(rig, 0, "[last]", 1);
    (void)pthread_mutex_lock(&rig->lock);
    http_stream_end(rig->streams[0].stream);
    (void)pthread_mutex_unlock(&rig->lock);
    rig_send(rig, 0, "[too late]", 2);
}

static void test_http_stream__ended_by_us(void **state)
{
    static const char *const requests[] = {STREAM,
                                           "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                                           "GET /stream HTTP/1.0\r\n\r\n"};
    struct rig *rig = *state;
    char all[4096];
    rig->before_return = end_while_replaying;
    rig_start(rig);
    for (int i = 0; i < 3; i++) {
        rig->n_streams = 0;
        int fd = client_connect(rig);
        client_say(fd, requests[i]);
        assert_false(client_reads_until(fd, "[too late]", all, sizeof all));
        assert_non_null(strstr(all, "[last]"));
        assert_null(strstr(all, "Content-Length"));
        wait_closed(rig, 0);
        (void)close(fd);
    }
}

static void test_http_stream__ended_later(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    (void)pthread_mutex_lock(&rig->lock);
    http_stream_end(rig->streams[0].stream);
    http_stream_end(rig->streams[0].stream);
    (void)pthread_mutex_unlock(&rig->lock);
    assert_true(client_is_closed(fd));
    wait_closed(rig, 0);
    (void)close(fd);
}

static void test_http_stream__client_leaves(void **state)
{
    const struct linger reset = {1, 0};
    struct rig *rig = *state;
    rig_start(rig);
    for (int i = 0; i < 4; i++) {
        int fd = open_stream(rig, STREAM);
        if (i % 2)
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        (void)close(fd);
        wait_closed(rig, i);
    }
    struct http_stats stats;
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.streams, 0);
}

static void test_http_stream__deadline(void **state)
{
    struct rig *rig = *state;
    rig->stream_deadline_ms = clock_now_ms() + 100;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    assert_true(client_is_closed(fd));
    assert_true(clock_now_ms() >= rig->stream_deadline_ms);
    wait_closed(rig, 0);
    (void)close(fd);
}

/* Heartbeats come, and neither the request's deadline nor the idle timeout ends a stream. */
static void test_http_stream__heartbeat(void **state)
{
    struct rig *rig = *state;
    char all[4096];
    rig->limits.heartbeat_ms = 300;
    rig->limits.idle_timeout_ms = 100;
    rig->limits.request_deadline_ms = 100;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    assert_true(client_reads_until(fd, ":\n\n", all, sizeof all));
    assert_true(client_reads_until(fd, ":\n\n", all, sizeof all));
    rig_send(rig, 0, "[still here]", 1);
    assert_true(client_reads_until(fd, "[still here]", all, sizeof all));
    (void)close(fd);
    wait_closed(rig, 0);
}

/* A client that does not read is dropped instead of filling our memory. */
static void test_http_stream__slow_reader(void **state)
{
    struct rig *rig = *state;
    static char big[32 * 1024];
    const int small = 4096;
    memset(big, 'e', sizeof big - 1);
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    bool there = true;
    for (int i = 0; i < 100000 && there; i++) {
        rig_send(rig, 0, big, i + 1);
        (void)pthread_mutex_lock(&rig->lock);
        there = rig->streams[0].stream != NULL;
        (void)pthread_mutex_unlock(&rig->lock);
    }
    assert_false(there);
    wait_closed(rig, 0);
    (void)close(fd);
}

static void coalesce(struct rig *rig)
{
    struct http_chunk *chunk = http_chunk_create(STR("[missed]"));
    http_stream_coalesce(rig->streams[0].stream, chunk);
    http_chunk_unref(chunk);
}

/* As client_reads_until, for megabytes: reads on until one of the two has come, and drops what has
 * come behind it. True: `text` did. */
static bool skip_until(int fd, const char *text, const char *other)
{
    static char piece[64 * 1024];
    size_t kept = 0, most = strlen(text) > strlen(other) ? strlen(text) : strlen(other);
    for (;;) {
        ssize_t got = recv(fd, piece + kept, sizeof piece - kept, 0);
        assert_true(got > 0);
        kept += (size_t)got;
        if (memmem(piece, kept, text, strlen(text)))
            return true;
        if (memmem(piece, kept, other, strlen(other)))
            return false;
        size_t rest = kept < most ? kept : most;
        memmove(piece, piece + kept - rest, rest);
        kept = rest;
    }
}

/* One that is told so is not dropped: it reads on when it will, and learns what it has not got. */
static void test_http_stream__slow_reader_is_told(void **state)
{
    struct rig *rig = *state;
    static char big[32 * 1024];
    memset(big, 'e', sizeof big - 1);
    rig->before_return = coalesce;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 4000; k++)
            rig_send(rig, 0, big, i * 5000 + k + 1);
        assert_true(skip_until(fd, "[missed]", "[never]"));
    }
    /* It may have missed something more than twice, and then this as well; it is told each time. */
    do {
        rig_send(rig, 0, "[live]", 10000);
    } while (!skip_until(fd, "[live]", "[missed]"));
    (void)close(fd);
    wait_closed(rig, 0);
}

/* A message that is longer than what may wait is missed by itself. */
static void test_http_stream__huge_message_is_told(void **state)
{
    struct rig *rig = *state;
    static char huge[256 * 1024];
    char all[4096];
    memset(huge, 'e', sizeof huge - 1);
    rig->before_return = coalesce;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    rig_send(rig, 0, huge, 1);
    assert_true(client_reads_until(fd, "[missed]", all, sizeof all));
    (void)close(fd);
    wait_closed(rig, 0);
}

/* A client that talks on its stream is not listened to for ever. */
static void test_http_stream__client_floods(void **state)
{
    struct rig *rig = *state;
    static char flood[64 * 1024];
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    for (int i = 0; i < 1000; i++)
        if (send(fd, flood, sizeof flood, MSG_NOSIGNAL) < 0)
            break;
    wait_closed(rig, 0);
    (void)close(fd);
}

static void test_http_stream__head_request(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct answer answer = rig_ask(rig, "HEAD /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    answer_finish(&answer);
    wait_closed(rig, 0);
}

static void test_http_stream__one_chunk_for_many(void **state)
{
    enum { N = 16 };
    struct rig *rig = *state;
    char all[4096];
    int fds[N];
    rig_start(rig);
    for (int i = 0; i < N; i++)
        fds[i] = open_stream(rig, STREAM);
    struct http_chunk *chunk = http_chunk_create(STR("[to all]"));
    (void)pthread_mutex_lock(&rig->lock);
    for (int i = 0; i < N; i++)
        http_stream_send(rig->streams[i].stream, chunk, 1);
    (void)pthread_mutex_unlock(&rig->lock);
    http_chunk_unref(chunk);
    for (int i = 0; i < N; i++) {
        assert_true(client_reads_until(fds[i], "[to all]", all, sizeof all));
        (void)close(fds[i]);
        wait_closed(rig, i);
    }
}

static void test_http_stream__server_stops(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int fd = open_stream(rig, STREAM);
    rig_send(rig, 0, "[before]", 1);
    http_server_stop(rig->server, 5000);
    wait_closed(rig, 0);
    char all[4096];
    assert_false(client_reads_until(fd, "[after]", all, sizeof all));
    assert_non_null(strstr(all, "[before]"));
    assert_non_null(strstr(all, "\r\n0\r\n\r\n"));
    (void)close(fd);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_http_stream__##name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(head_and_events),     TEST(replay_drops_duplicates),
        TEST(ended_by_us),         TEST(ended_later),
        TEST(client_leaves),       TEST(deadline),
        TEST(heartbeat),           TEST(slow_reader),
        TEST(slow_reader_is_told), TEST(huge_message_is_told),
        TEST(client_floods),       TEST(head_request),
        TEST(one_chunk_for_many),  TEST(server_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
