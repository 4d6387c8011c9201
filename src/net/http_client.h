/* A small blocking HTTP client, for payment providers: short requests, bounded answers, no
 * redirects, nothing but http and https, certificates always verified. Thread-safe. */
#ifndef SERVERY_NET_HTTP_CLIENT_H
#define SERVERY_NET_HTTP_CLIENT_H

#include "net/http.h"

enum {
    HTTP_CLIENT_BODY_MAX_BYTES = 256 * 1024,
    HTTP_CLIENT_CONNECT_TIMEOUT_MS = 5 * 1000,
    HTTP_CLIENT_TOTAL_TIMEOUT_MS = 10 * 1000,
};

struct http_client_request {
    enum http_method method; /* not HTTP_OTHER */
    const char *url;
    const struct http_header *headers; /* Content-Type of the body among them */
    size_t n_headers;
    struct str body;                              /* STR_NONE: none */
    int64_t connect_timeout_ms, total_timeout_ms; /* 0: the defaults above */
    const char *ca_file;                          /* PEM; NULL: the system's authorities */
};

struct http_client_answer {
    int status;
    struct str content_type; /* STR_NONE: not said */
    struct str body;
};

/* ERR_OK: there is an answer, whatever its status. ERR_UNAVAILABLE: none came, or not all of it, or
 * more than the limit; whether the request was carried out is then unknown. ERR_INTERNAL: a header
 * with a control character, or a URL that is none, is not sent at all; logged. After an error
 * *ret_error (in the arena) says why, for the log; it holds neither headers nor bodies. */
MUST_CHECK enum err http_client_call(struct arena *arena, const struct http_client_request *request,
                                     struct http_client_answer *ret_answer, struct str *ret_error);

#endif
