/* Stopping: what runs is finished, what waits for nothing is closed, and nothing new comes in. */
#include "http_rig.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

struct stopping {
    struct rig *rig;
    int64_t timeout_ms;
};

static void *stop(void *arg)
{
    const struct stopping *stopping = arg;
    http_server_stop(stopping->rig->server, stopping->timeout_ms);
    return NULL;
}

/* Running calls get their answer, idle connections are closed, new ones refused. */
static void test_http_stop__graceful(void **state)
{
    struct rig *rig = *state;
    struct stopping stopping = {rig, 10000};
    pthread_t thread;
    rig_start(rig);
    int idle = client_connect(rig), busy = client_connect(rig);
    client_say(idle, GET("/read"));
    struct answer answer = client_receive(idle, false);
    answer_finish(&answer);
    client_say(busy, GET("/block"));
    assert_int_equal(sem_wait(&rig->entered), 0);

    assert_int_equal(pthread_create(&thread, NULL, stop, &stopping), 0);
    assert_true(client_is_closed(idle));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(rig->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int late = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)sem_post(&rig->proceed);
    answer = client_receive(busy, false);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
    answer_finish(&answer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rig->finished, 1);
    (void)close(idle);
    (void)close(busy);
    (void)close(late);
}

/* Who connected before the stop and is only then heard gets his answer: a proxy opens a connection
 * to send a call, and cannot tell whether a call without an answer was done. */
static void test_http_stop__just_connected(void **state)
{
    struct rig *rig = *state;
    struct stopping stopping = {rig, 60000};
    pthread_t thread;
    rig_start(rig);
    int idle = client_connect(rig), fresh = client_connect(rig);
    client_say(idle, GET("/read"));
    struct answer answer = client_receive(idle, false);
    answer_finish(&answer);
    assert_int_equal(pthread_create(&thread, NULL, stop, &stopping), 0);
    assert_true(client_is_closed(idle)); /* it stops now */
    client_say(fresh, GET("/read"));
    answer = client_receive(fresh, false);
    assert_int_equal(answer.status, 200);
    answer_finish(&answer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(idle);
    (void)close(fresh);
}

static void test_http_stop__just_connected_and_silent(void **state)
{
    struct rig *rig = *state;
    rig->limits.stop_reading_ms = 100;
    rig_start(rig);
    int fresh = client_connect(rig);
    int64_t from = clock_mono_ms();
    http_server_stop(rig->server, 60000);
    assert_true(clock_mono_ms() - from < 5000);
    assert_true(client_is_closed(fresh));
    (void)close(fresh);
}

/* A server that is to be left serves on, and ends each connection with its next answer. */
static void test_http_stop__leave(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int kept = client_connect(rig);
    client_say(kept, GET("/read"));
    struct answer answer = client_receive(kept, false);
    assert_null(strstr(answer.head, "\r\nConnection: close\r\n"));
    answer_finish(&answer);
    http_server_leave(rig->server);
    int late = client_connect(rig);
    const int fds[] = {kept, late};
    for (int i = 0; i < 2; i++) {
        client_say(fds[i], GET("/read"));
        answer = client_receive(fds[i], false);
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
        answer_finish(&answer);
        assert_true(client_is_closed(fds[i]));
        (void)close(fds[i]);
    }
}

/* What does not end by itself is cut at the timeout. */
static void test_http_stop__timeout(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    int fd = client_connect(rig);
    client_say(fd, GET("/read") "GET /slow");
    struct answer answer = client_receive(fd, false);
    answer_finish(&answer);
    http_server_stop(rig->server, 50);
    assert_true(client_is_closed(fd));
    (void)close(fd);
}

/* Half a request once held the stop for as long as the stop would wait. */
static void test_http_stop__half_requests(void **state)
{
    static const char *const halves[] = {"GET /slow", "POST /echo HTTP/1.1\r\n" HOST
                                                      "Content-Length: 9\r\n\r\na"};
    struct rig *rig = *state;
    int fds[2];
    rig->limits.stop_reading_ms = 100;
    rig_start(rig);
    for (int i = 0; i < 2; i++) {
        fds[i] = client_connect(rig);
        client_say(fds[i], GET("/read"));
        client_say(fds[i], halves[i]);
        struct answer answer = client_receive(fds[i], false);
        answer_finish(&answer);
    }
    int64_t from = clock_mono_ms();
    http_server_stop(rig->server, 60000);
    assert_true(clock_mono_ms() - from < 5000);
    for (int i = 0; i < 2; i++) {
        assert_true(client_is_closed(fds[i]));
        (void)close(fds[i]);
    }
}

/* What was begun before the stop is still answered when its end comes in time. */
static void test_http_stop__half_request_completed(void **state)
{
    struct rig *rig = *state;
    struct stopping stopping = {rig, 60000};
    pthread_t thread;
    rig_start(rig);
    int idle = client_connect(rig), half = client_connect(rig);
    client_say(idle, GET("/read"));
    struct answer answer = client_receive(idle, false);
    answer_finish(&answer);
    client_say(half, GET("/read") "GET /re");
    answer = client_receive(half, false);
    answer_finish(&answer);
    assert_int_equal(pthread_create(&thread, NULL, stop, &stopping), 0);
    assert_true(client_is_closed(idle)); /* it stops now */
    client_say(half, "ad HTTP/1.1\r\n" HOST "\r\n");
    answer = client_receive(half, false);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
    answer_finish(&answer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(idle);
    (void)close(half);
}

/* The figures once came from the workers, which the stop frees. */
static void test_http_stop__stats_after(void **state)
{
    struct rig *rig = *state;
    struct http_stats stats;
    rig_start(rig);
    assert_int_equal(rig_status(rig, GET("/read")), 200);
    http_server_stop(rig->server, 1000);
    http_server_stats(rig->server, &stats);
    assert_int_equal(stats.requests, 1);
    assert_int_equal(stats.connections, 0);
    assert_int_equal(stats.running[HTTP_LANE_READ] + stats.queued[HTTP_LANE_READ], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_http_stop__just_connected, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__just_connected_and_silent, rig_set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__leave, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__graceful, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__timeout, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__half_requests, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__half_request_completed, rig_set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(test_http_stop__stats_after, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
