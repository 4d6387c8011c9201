/* Holds many event streams open and tells when an event has reached each of them.
 *
 * usage: streams PORT PATH STREAMS TOKENS      TOKENS: a file, a bearer token a line, used in turn
 * Prints "open" when every stream has its head. Then, for each line it reads: waits until each
 * stream has got one more event and prints a JSON object, the times in seconds of
 * CLOCK_MONOTONIC. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char HEAD[] = "HTTP/1.1 200", EVENT[] = "event: status";
enum { TAIL_MAX = sizeof EVENT - 2, OPENING_MAX = 100 };

struct stream {
    int fd;
    bool open, told;
    int events, seen;
    char tail[TAIL_MAX]; /* of what came: an event's name may come in two pieces */
    size_t tail_len;
    double at_s;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *words)
{
    perror(words);
    exit(1);
}

static void dial(struct stream *s, int poll, int port, const char *path, const char *token)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    char request[1024];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n",
                       path, port, token);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof to))
        die("connect");
    if (send(s->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    if (epoll_ctl(poll, EPOLL_CTL_ADD, s->fd, &event))
        die("epoll_ctl");
}

static void receive(struct stream *s)
{
    char bytes[16384];
    memcpy(bytes, s->tail, s->tail_len);
    ssize_t n = recv(s->fd, bytes + s->tail_len, sizeof bytes - 1 - s->tail_len, 0);
    if (n <= 0)
        die("a stream ended");
    size_t len = s->tail_len + (size_t)n;
    char *end = bytes + len;
    *end = '\0';
    if (!s->open && len >= sizeof HEAD - 1) {
        if (strncmp(bytes, HEAD, sizeof HEAD - 1) != 0) {
            fprintf(stderr, "streams: %s\n", bytes);
            exit(1);
        }
        s->open = true;
    }
    char *from = bytes;
    for (char *at; (at = strstr(from, EVENT)); from = at + sizeof EVENT - 1) {
        s->events++;
        s->at_s = now_s();
    }
    s->tail_len = (size_t)(end - from) < TAIL_MAX ? (size_t)(end - from) : TAIL_MAX;
    memcpy(s->tail, end - s->tail_len, s->tail_len);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(struct stream *streams, int n)
{
    double *times = calloc((size_t)n, sizeof *times);
    for (int i = 0; i < n; i++) {
        times[i] = streams[i].at_s;
        streams[i].seen = streams[i].events;
    }
    qsort(times, (size_t)n, sizeof *times, compare);
    printf("{\"first\": %.6f, \"median\": %.6f, \"last\": %.6f}\n", times[0], times[n / 2],
           times[n - 1]);
    fflush(stdout);
    free(times);
}

/* Receives until `done` of the streams says so for all. */
static void gather(struct stream *streams, int n, int poll, bool (*done)(struct stream *))
{
    struct epoll_event events[256];
    int left = 0;

    for (int i = 0; i < n; i++) {
        streams[i].told = done(&streams[i]);
        left += !streams[i].told;
    }
    while (left > 0) {
        int ready = epoll_wait(poll, events, 256, 30000);
        if (ready <= 0)
            die("nothing came for 30 s");
        for (int i = 0; i < ready; i++) {
            struct stream *s = events[i].data.ptr;
            receive(s);
            if (!s->told && done(s)) {
                s->told = true;
                left--;
            }
        }
    }
}

static bool is_open(struct stream *s)
{
    return s->open;
}

static bool has_event(struct stream *s)
{
    return s->events > s->seen;
}

int main(int argc, char **argv)
{
    struct rlimit files = {65536, 65536};
    char line[256];
    static char tokens[4096][128];
    int n_tokens = 0;

    if (argc != 5)
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    int port = atoi(argv[1]), n = atoi(argv[3]), poll = epoll_create1(0);
    FILE *file = fopen(argv[4], "r");
    if (!file)
        die(argv[4]);
    while (n_tokens < 4096 && fgets(line, sizeof line, file))
        snprintf(tokens[n_tokens++], sizeof tokens[0], "%.*s", (int)strcspn(line, "\n"), line);
    fclose(file);
    struct stream *streams = calloc((size_t)n, sizeof *streams);
    for (int i = 0; i < n; i++) {
        dial(&streams[i], poll, port, argv[2], tokens[i % n_tokens]);
        if (i % OPENING_MAX == OPENING_MAX - 1)
            gather(streams, i + 1, poll, is_open);
    }
    gather(streams, n, poll, is_open);
    puts("open");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        gather(streams, n, poll, has_event);
        report(streams, n);
    }
    return 0;
}
