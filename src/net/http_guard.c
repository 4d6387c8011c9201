/* What a request must look like before it is routed. evhttp is lenient where a proxy in front of us
 * may read the same bytes differently (request smuggling), so whatever leaves any doubt about where
 * a request ends is refused, and its connection closed. */
#include "net/http_internal.h"

#include <event2/http_struct.h>
#include <string.h>
#include <strings.h>

/* Fed with the bytes as they come, in pieces of any size. A line ends at LF with or without CR
 * before it, as evhttp has it, and the head ends at an empty line. */
void http_head_scan_bytes(struct http_head_scan *scan, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end && !scan->done) {
        const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = lf ? lf : end;
        size_t n = (size_t)(stop - bytes);
        if (n > 0 && memchr(bytes, 0, n))
            scan->bad = true;
        if (n > 0 && !scan->line_started) {
            if (scan->any_line && (*bytes == ' ' || *bytes == '\t'))
                scan->bad = true; /* a continued line: obsolete, and read in many ways */
            scan->line_started = *bytes != '\r' || n > 1;
        }
        if (!lf)
            return;
        scan->done = !scan->line_started;
        scan->line_started = false;
        scan->any_line = true;
        bytes = lf + 1;
    }
}

static bool is_token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *name)
{
    const unsigned char *p = (const unsigned char *)name;
    while (is_token_char(*p))
        p++;
    return *p == 0 && p != (const unsigned char *)name;
}

static bool is_clean_value(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
            return false;
    return true;
}

static bool is_digits(const char *value)
{
    size_t n = strspn(value, "0123456789");
    return n > 0 && n <= 18 && value[n] == 0;
}

/* Printable ASCII or UTF-8 without spaces, and no fragment. */
static bool is_clean_target(const char *target)
{
    for (const unsigned char *p = (const unsigned char *)target; *p; p++)
        if (*p <= 0x20 || *p == 0x7f || *p == '#')
            return false;
    return *target != 0;
}

bool http_guard_has_body(const struct evkeyvalq *headers)
{
    const char *length = evhttp_find_header(headers, "Content-Length");
    return evhttp_find_header(headers, "Transfer-Encoding") != NULL ||
           (length && strcmp(length, "0") != 0);
}

/* evhttp reads no body for these, so one that is announced would be taken as the next request. */
static bool is_bodyless(enum evhttp_cmd_type method)
{
    return method == EVHTTP_REQ_HEAD || method == EVHTTP_REQ_TRACE;
}

const char *http_guard_check(struct evhttp_request *req)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    const struct evkeyval *header;
    int hosts = 0, lengths = 0, codings = 0;

    if (req->major != 1 || (req->minor != 0 && req->minor != 1)) {
        req->minor = 1; /* evhttp answers in the version it was asked in */
        return "This server speaks HTTP/1.1 and HTTP/1.0.";
    }
    if (!is_clean_target(evhttp_request_get_uri(req)))
        return "The request target holds a character that must be escaped.";
    TAILQ_FOREACH (header, headers, next) {
        if (!is_token(header->key))
            return "A header name is not a token.";
        if (!is_clean_value(header->value))
            return "A header value holds a control character.";
        switch (header->key[0] | 0x20) {
        case 'h':
            hosts += strcasecmp(header->key, "Host") == 0;
            break;
        case 'c':
            if (strcasecmp(header->key, "Content-Length") == 0 &&
                (++lengths > 1 || !is_digits(header->value)))
                return "Content-Length must be given once and in digits.";
            break;
        case 't':
            if (strcasecmp(header->key, "Transfer-Encoding") == 0 &&
                (++codings > 1 || strcasecmp(header->value, "chunked") != 0))
                return "The only Transfer-Encoding understood is chunked.";
            break;
        default:
            break;
        }
    }
    if (codings > 0 && lengths > 0)
        return "Transfer-Encoding and Content-Length exclude each other.";
    if (hosts > 1 || (hosts == 0 && req->minor == 1))
        return "There must be exactly one Host header.";
    if (is_bodyless(evhttp_request_get_command(req)) && http_guard_has_body(headers))
        return "This method takes no body.";
    return NULL;
}
