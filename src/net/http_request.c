/* What handlers ask of a request: its headers and the parameters of its query. */
#include "net/http_internal.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

static const struct http_job *job_of(const struct http_call *call)
{
    return (const struct http_job *)(const void *)call;
}

struct str http_header_get(const struct http_call *call, const char *name)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(job_of(call)->req);
    const struct evkeyval *header;
    struct str value = STR_NONE;
    TAILQ_FOREACH (header, headers, next) {
        if (strcasecmp(header->key, name) != 0)
            continue;
        struct str more = str_trim(str_from(header->value));
        value = value.ptr
                    ? arena_printf(call->arena, STR_FMT ", " STR_FMT, STR_ARG(value), STR_ARG(more))
                    : more;
    }
    return value;
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

/* The next "name=value" of *rest, empty ones left out; without '=' the value is empty. */
static bool next_pair(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str pair;
    while (str_split(rest, '&', &pair)) {
        if (pair.len == 0)
            continue;
        struct str value = pair;
        (void)str_split(&value, '=', ret_name);
        *ret_value = value.ptr ? value : STR("");
        return true;
    }
    return false;
}

bool http_query_get(struct http_call *call, const char *name, struct str *ret_value)
{
    struct str rest = call->query, raw_name, raw_value, value = STR_NONE;
    while (next_pair(&rest, &raw_name, &raw_value)) {
        if (!str_is(decode(call->arena, raw_name), name))
            continue;
        if (value.ptr)
            return false;
        value = decode(call->arena, raw_value);
        if (!text_is_utf8(value) || memchr(value.ptr, 0, value.len))
            return false;
    }
    *ret_value = value;
    return true;
}

struct str http_query_name(struct http_call *call, size_t i)
{
    struct str rest = call->query, raw_name, raw_value;
    while (next_pair(&rest, &raw_name, &raw_value))
        if (i-- == 0)
            return decode(call->arena, raw_name);
    return STR_NONE;
}
