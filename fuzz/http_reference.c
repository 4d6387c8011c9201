#include "http_reference.h"

#include <string.h>

struct head {
    bool old; /* HTTP/1.0 */
    int hosts, lengths, codings;
    int64_t length;
};

static bool is_token(struct str s)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || !strchr(chars, s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool is_any_of(struct str s, const char *const *words)
{
    while (*words && !str_is(s, *words))
        words++;
    return *words != NULL;
}

/* A line ends with LF, before which one CR may stand; *plain tells whether it does. */
static bool take_line(struct str *rest, struct str *ret_line, bool *plain)
{
    const char *lf = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!lf)
        return false;
    size_t len = (size_t)(lf - rest->ptr);
    *ret_line = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len + 1, rest->len);
    if (len > 0 && ret_line->ptr[len - 1] == '\r')
        ret_line->len--;
    else
        *plain = false;
    return true;
}

static enum reference_result read_first_line(struct str line, struct reference_request *request,
                                             struct head *head)
{
    struct str version = line;
    if (!str_split(&version, ' ', &request->method) || !version.ptr ||
        !str_split(&version, ' ', &request->target) || !version.ptr)
        return REFERENCE_BAD;
    head->old = str_is(version, "HTTP/1.0");
    if (!is_token(request->method) || request->target.len == 0 || has_control(request->target) ||
        memchr(request->target.ptr, '\t', request->target.len) ||
        (!head->old && !str_is(version, "HTTP/1.1")))
        return REFERENCE_BAD;
    for (size_t i = 0; i < request->target.len; i++)
        request->sure &= request->target.ptr[i] == '/' ||
                         (request->target.ptr[i] >= 'a' && request->target.ptr[i] <= 'z');
    request->sure &= request->target.ptr[0] == '/' && !head->old;
    return REFERENCE_REQUEST;
}

static bool read_header(struct str line, struct reference_request *request, struct head *head)
{
    struct str value = line, name;
    if (!str_split(&value, ':', &name) || !value.ptr || !is_token(name) || has_control(value))
        return false;
    value = str_trim(value);
    if (str_eq_nocase(name, STR("host"))) {
        head->hosts++;
    } else if (str_eq_nocase(name, STR("content-length"))) {
        head->lengths++;
        if (value.len > 18 || value.len == 0 || value.ptr[0] == '-' ||
            !str_to_int64(value, &head->length))
            return false;
    } else if (str_eq_nocase(name, STR("transfer-encoding"))) {
        head->codings++;
        if (!str_eq_nocase(value, STR("chunked")))
            return false;
    } else if (!str_starts(name, STR("X-"))) {
        request->sure = false; /* Connection, Expect and whatever else may change its course */
    }
    return true;
}

/* Header lines up to an empty one. */
static enum reference_result read_lines(struct str *rest, struct reference_request *request,
                                        struct head *head)
{
    struct str line;
    for (;;) {
        if (!take_line(rest, &line, &request->sure))
            return REFERENCE_MORE;
        if (line.len == 0)
            return REFERENCE_REQUEST;
        if (!read_header(line, request, head))
            return REFERENCE_BAD;
    }
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool read_size(struct str line, size_t *ret_size)
{
    size_t size = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (hex_value(line.ptr[i]) < 0)
            return false;
        size = size * 16 + (size_t)hex_value(line.ptr[i]);
    }
    *ret_size = size;
    return line.len > 0 && line.len <= 15;
}

static enum reference_result read_chunks(struct str *rest, struct reference_request *request)
{
    struct str line;
    size_t size;
    for (;;) {
        bool plain = true;
        if (!take_line(rest, &line, &plain))
            return REFERENCE_MORE;
        if (!plain || !read_size(line, &size))
            return REFERENCE_BAD;
        if (size == 0)
            break;
        if (rest->len < 2 || rest->len - 2 < size)
            return REFERENCE_MORE;
        buf_put(&request->body, rest->ptr, size);
        if (memcmp(rest->ptr + size, "\r\n", 2) != 0)
            return REFERENCE_BAD;
        *rest = str_slice(*rest, size + 2, rest->len);
    }
    /* What a trailer says is not read; but only an empty line may end it. */
    while (take_line(rest, &line, &request->sure)) {
        if (line.len == 0)
            return REFERENCE_REQUEST;
        request->sure = false;
        if (memchr(line.ptr, '\0', line.len) || *line.ptr == ' ' || *line.ptr == '\t')
            return REFERENCE_BAD;
    }
    return REFERENCE_MORE;
}

enum reference_result reference_read(struct arena *arena, struct str *rest,
                                     struct reference_request *request)
{
    static const char *const known[] = {"GET",   "POST",    "PUT",     "DELETE",
                                        "PATCH", "OPTIONS", "CONNECT", NULL};
    static const char *const bodyless[] = {"HEAD", "TRACE", NULL};
    static const char *const plain[] = {"GET", "POST", "PUT", "DELETE", "HEAD", NULL};
    struct head head = {0};
    struct str line;

    *request = (struct reference_request){.sure = true};
    buf_init(&request->body, arena);
    if (!take_line(rest, &line, &request->sure))
        return REFERENCE_MORE;
    enum reference_result result = read_first_line(line, request, &head);
    if (result == REFERENCE_REQUEST)
        result = read_lines(rest, request, &head);
    if (result != REFERENCE_REQUEST)
        return result;
    bool has_body = head.codings > 0 || head.length > 0;
    if (head.hosts > 1 || (head.hosts == 0 && !head.old) || head.lengths > 1 || head.codings > 1 ||
        (head.lengths > 0 && head.codings > 0) ||
        (has_body && is_any_of(request->method, bodyless)))
        return REFERENCE_BAD;
    request->sure &= is_any_of(request->method, plain);
    request->last = head.old && head.codings > 0;
    if (has_body && !is_any_of(request->method, known)) {
        request->body_unread = request->last = true;
        return REFERENCE_REQUEST;
    }
    if (head.codings > 0)
        return read_chunks(rest, request);
    if (rest->len < (size_t)head.length)
        return REFERENCE_MORE;
    buf_put(&request->body, rest->ptr, (size_t)head.length);
    *rest = str_slice(*rest, (size_t)head.length, rest->len);
    return REFERENCE_REQUEST;
}
