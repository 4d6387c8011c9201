/* What a request must look like before it is routed. evhttp is lenient where a proxy in front of us
 * may read the same bytes differently (request smuggling), so whatever leaves any doubt about where
 * a request ends is refused, and its connection closed. */
#include "net/http_internal.h"

#include <event2/http_struct.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_DIGITS_MAX = 15, NO_MATCH = 255 };

static void fail(struct http_scan *scan, const char *fault)
{
    if (!scan->fault)
        scan->fault = fault;
}

static bool is_token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* evhttp takes any method, an empty one too, and reads the version as scanf does. The target is
 * http_guard_check's. */
static void check_request_line(struct http_scan *scan, const char *bytes, size_t len)
{
    static const char version[] = "HTTP/1.";
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        unsigned at = scan->word_at++;
        bool good = true;
        if (c == ' ' && scan->word < 2) {
            good = at > 0;
            scan->word++;
            scan->word_at = 0;
        } else if (scan->word == 0) {
            good = is_token_char((unsigned char)c);
        } else if (scan->word == 2) {
            good = at < sizeof version - 1    ? c == version[at]
                   : at == sizeof version - 1 ? c == '0' || c == '1'
                                              : at == sizeof version && c == '\r';
        }
        if (!good)
            fail(scan, "The request line must be a method, a target and HTTP/1.1 or HTTP/1.0.");
    }
}

/* The name is told from the line's first bytes; what it may hold is http_guard_check's. */
static void match_coding(struct http_scan *scan, const char *bytes, size_t len)
{
    static const char name[] = "transfer-encoding:";
    for (size_t i = 0; i < len && scan->matched < sizeof name - 1; i++)
        scan->matched = (bytes[i] | 0x20) == name[scan->matched] ? scan->matched + 1 : NO_MATCH;
    scan->chunked |= scan->matched == sizeof name - 1;
}

/* One line of the head or the trailer, or as much as there is of it. It ends at LF with or without
 * CR before it, as evhttp has it, and the whole ends at an empty line. Gives what it took. */
static size_t scan_line(struct http_scan *scan, const char *bytes, size_t len)
{
    const char *lf = memchr(bytes, '\n', len);
    size_t n = lf ? (size_t)(lf - bytes) : len;
    bool is_head = scan->part == HTTP_SCAN_HEAD;
    if (n > 0 && memchr(bytes, 0, n))
        fail(scan, "A header line holds NUL.");
    if (is_head && scan->n_lines == 0)
        check_request_line(scan, bytes, n);
    if (n > 0 && !scan->line_started) {
        if (scan->n_lines > 0 && !scan->line_begun && (*bytes == ' ' || *bytes == '\t'))
            fail(scan, "A header line is continued."); /* obsolete, and read in many ways */
        scan->line_started = scan->line_begun || *bytes != '\r' || n > 1;
        scan->line_begun = true;
    }
    if (is_head)
        match_coding(scan, bytes, n);
    if (!lf)
        return len;
    if (!scan->line_started)
        scan->part = is_head && scan->chunked ? HTTP_SCAN_SIZE : HTTP_SCAN_DONE;
    else if (is_head)
        scan->n_lines++;
    scan->line_begun = scan->line_started = false;
    scan->matched = 0;
    return n + 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits and CRLF, nothing else: no sign, no "0x", no space, no extension, no bare LF. */
static bool scan_framing(struct http_scan *scan, char c)
{
    int digit = hex_value(c);
    switch (scan->part) {
    case HTTP_SCAN_SIZE:
        if (digit >= 0) {
            scan->chunk_left = scan->chunk_left * 16 + (unsigned)digit;
            return ++scan->n_digits <= CHUNK_DIGITS_MAX;
        }
        scan->part = HTTP_SCAN_SIZE_LF;
        return c == '\r' && scan->n_digits > 0;
    case HTTP_SCAN_SIZE_LF:
        scan->part = scan->chunk_left > 0 ? HTTP_SCAN_CHUNK : HTTP_SCAN_TRAILER;
        return c == '\n';
    case HTTP_SCAN_CHUNK_CR:
        scan->part = HTTP_SCAN_CHUNK_LF;
        return c == '\r';
    case HTTP_SCAN_CHUNK_LF:
        scan->part = HTTP_SCAN_SIZE;
        scan->n_digits = 0;
        return c == '\n';
    case HTTP_SCAN_HEAD:
    case HTTP_SCAN_CHUNK:
    case HTTP_SCAN_TRAILER:
    case HTTP_SCAN_DONE:
        break;
    }
    return false;
}

/* Fed with the bytes as they come, in pieces of any size. */
void http_scan_bytes(struct http_scan *scan, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end && scan->part != HTTP_SCAN_DONE) {
        size_t left = (size_t)(end - bytes);
        if (scan->part == HTTP_SCAN_HEAD || scan->part == HTTP_SCAN_TRAILER) {
            bytes += scan_line(scan, bytes, left);
        } else if (scan->part == HTTP_SCAN_CHUNK) {
            size_t n = left < scan->chunk_left ? left : (size_t)scan->chunk_left;
            bytes += n;
            scan->chunk_left -= n;
            if (scan->chunk_left == 0)
                scan->part = HTTP_SCAN_CHUNK_CR;
        } else if (!scan_framing(scan, *bytes++)) {
            fail(scan, "A chunk is not framed by its size in hexadecimal digits and CRLF.");
            scan->part = HTTP_SCAN_DONE;
        }
    }
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
