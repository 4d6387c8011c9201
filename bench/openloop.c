/* Asks for one path at a fixed rate, whether or not the answers come: each request has its time,
 * and its latency counts from then, so that a server that falls behind is seen to.
 *
 * usage: openloop PORT PATH RATE SECONDS CONNECTIONS      prints a JSON object */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 20 };

struct connection {
    pthread_t thread;
    int fd, index;
    long n, failed;
    double *latencies_ms;
};

static struct {
    const char *path;
    int port, connections;
    double interval_s; /* of one connection */
    double begin_s;
    long n; /* requests of one connection */
} plan;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_until(double time_s)
{
    struct timespec t = {.tv_sec = (time_t)time_s};
    t.tv_nsec = (long)((time_s - (double)t.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
        ;
}

static bool dial(struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)plan.port)};
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0;
}

/* One request and its whole answer, which must be a 200 with a Content-Length. */
static bool ask(struct connection *c, char *answer)
{
    char request[1024];
    size_t got = 0, whole = 0;
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                       plan.path, plan.port);

    if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    while (!whole || got < whole) {
        ssize_t n = recv(c->fd, answer + got, ANSWER_MAX - 1 - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
        answer[got] = '\0';
        char *end = strstr(answer, "\r\n\r\n");
        char *length = end ? strcasestr(answer, "\r\ncontent-length:") : NULL;
        if (end && !length)
            return false;
        if (length)
            whole = (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
    }
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void *run(void *arg)
{
    struct connection *c = arg;
    char *answer = malloc(ANSWER_MAX);
    double first = plan.begin_s + plan.interval_s * c->index / plan.connections;

    for (long i = 0; i < plan.n; i++) {
        double due = first + plan.interval_s * (double)i;
        wait_until(due);
        if ((c->fd < 0 && !dial(c)) || !ask(c, answer)) {
            c->failed++;
            close(c->fd);
            c->fd = -1;
        }
        c->latencies_ms[c->n++] = (now_s() - due) * 1e3;
    }
    free(answer);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    plan.port = atoi(argv[1]);
    plan.path = argv[2];
    plan.connections = atoi(argv[5]);
    plan.interval_s = plan.connections / atof(argv[3]);
    plan.n = (long)(atof(argv[4]) / plan.interval_s);
    plan.begin_s = now_s() + 0.2;

    struct connection *all = calloc((size_t)plan.connections, sizeof *all);
    double *latencies_ms = calloc((size_t)(plan.connections * plan.n), sizeof *latencies_ms);
    size_t n = (size_t)(plan.connections * plan.n);
    long failed = 0;
    for (int i = 0; i < plan.connections; i++) {
        all[i] =
            (struct connection){.fd = -1, .index = i, .latencies_ms = latencies_ms + i * plan.n};
        pthread_create(&all[i].thread, NULL, run, &all[i]);
    }
    for (int i = 0; i < plan.connections; i++) {
        pthread_join(all[i].thread, NULL);
        failed += all[i].failed;
    }
    qsort(latencies_ms, n, sizeof *latencies_ms, compare);
    printf("{\"n\": %zu, \"failed\": %ld, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           n, failed, latencies_ms[n / 2], latencies_ms[n * 99 / 100], latencies_ms[n - 1]);
    return failed ? 1 : 0;
}
