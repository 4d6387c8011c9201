/* Makes one call by http_client_call and prints what came of it; net/http_client.test.mjs drives it
 * against a real HTTP server. Arguments: METHOD URL BODY|- CA_FILE|- TIMEOUT_MS [NAME VALUE]…
 *
 * Prints `answer STATUS TYPE BYTES` and the body, or `unavailable ERROR`, or `internal ERROR`. */
#include "net/global.h"
#include "net/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 8 };

static enum http_method method_from(const char *name)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

static void print_call(struct arena *arena, const struct http_client_request *request)
{
    struct http_client_answer answer;
    struct str error;

    switch (http_client_call(arena, request, &answer, &error)) {
    case ERR_OK:
        printf("answer %d %s %zu\n", answer.status, arena_cstr(arena, answer.content_type),
               answer.body.len);
        fwrite(answer.body.ptr, 1, answer.body.len, stdout);
        break;
    case ERR_UNAVAILABLE:
        printf("unavailable " STR_FMT "\n", STR_ARG(error));
        break;
    case ERR_PROBLEM:
    case ERR_UNIQUE:
    case ERR_STALE:
    case ERR_INTERNAL:
        printf("internal " STR_FMT "\n", STR_ARG(error));
        break;
    }
}

int main(int argc, char **argv)
{
    struct http_header headers[HEADERS_MAX];
    size_t n = 0;

    if (argc < 6 || net_global_init() != ERR_OK)
        return 2;
    for (int i = 6; i + 1 < argc && n < HEADERS_MAX; i += 2)
        headers[n++] = (struct http_header){str_from(argv[i]), str_from(argv[i + 1])};
    struct http_client_request request = {
        .method = method_from(argv[1]),
        .url = argv[2],
        .headers = headers,
        .n_headers = n,
        .body = strcmp(argv[3], "-") == 0 ? STR_NONE : str_from(argv[3]),
        .ca_file = strcmp(argv[4], "-") == 0 ? NULL : argv[4],
        .total_timeout_ms = atoi(argv[5]),
    };
    struct arena *arena = arena_create();
    print_call(arena, &request);
    arena_destroy(arena);
    net_global_cleanup();
    return 0;
}
