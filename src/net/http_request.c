/* What handlers ask of a request: its headers and the parameters of its query. */
#include "net/http_internal.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

static const struct http_job *job_of(const struct http_call *call)
{
    return (const struct http_job *)(const void *)call;
}

/* evhttp puts what a trailer holds behind the headers. Proxies do not check it as they check
 * headers, so it is not read. */
struct str http_header_get(const struct http_call *call, const char *name)
{
    const struct http_job *job = job_of(call);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(job->req);
    const struct evkeyval *header;
    struct str value = STR_NONE;
    struct buf joined;
    unsigned left = job->n_headers, n = 0;
    buf_init(&joined, call->arena);
    TAILQ_FOREACH (header, headers, next) {
        if (left-- == 0)
            break;
        if (strcasecmp(header->key, name) != 0)
            continue;
        struct str more = str_trim(str_from(header->value));
        if (n++ == 0) {
            value = more;
            continue;
        }
        if (n == 2)
            buf_put_str(&joined, value);
        buf_put(&joined, ", ", 2);
        buf_put_str(&joined, more);
    }
    return n > 1 ? buf_str(&joined) : value;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Form decoding. A '%' without two digits stays what it is, as in the URL standard. */
static struct str decode(struct arena *arena, struct str raw)
{
    char *out = arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < raw.len && hex_digit(raw.ptr[i + 1]) >= 0 &&
                   hex_digit(raw.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(raw.ptr[i + 1]) * 16 + hex_digit(raw.ptr[i + 2]));
            i += 2;
        }
        out[len++] = c;
    }
    out[len] = 0;
    return (struct str){out, len};
}

bool http_query_next(struct http_call *call, struct str *rest, struct str *ret_name,
                     struct str *ret_value)
{
    struct str pair, name;
    while (str_split(rest, '&', &pair)) {
        if (pair.len == 0)
            continue;
        struct str value = pair;
        (void)str_split(&value, '=', &name);
        value = value.ptr ? decode(call->arena, value) : STR("");
        *ret_name = decode(call->arena, name);
        *ret_value = text_is_utf8(value) && !memchr(value.ptr, 0, value.len) ? value : STR_NONE;
        return true;
    }
    return false;
}
