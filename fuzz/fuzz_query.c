/* The parameters of a query, beside libevent's decoder: the same pairs with the same bytes, values
 * that are text or refused, and names and values that survive being encoded and decoded again. */
#include "fuzz.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/http.h"

static void put_encoded(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_printf(out, "%%%02X", (unsigned)(unsigned char)s.ptr[i]);
}

/* As libevent decodes a part of it; NUL cannot come in a target, but can be decoded. */
static struct str reference(struct arena *arena, struct str raw)
{
    size_t len = 0;
    char *decoded = evhttp_uridecode(arena_cstr(arena, raw), 1, &len);
    CHECK(decoded != NULL);
    struct str copy = arena_dup(arena, (struct str){decoded, len});
    free(decoded);
    return copy;
}

static bool is_text(struct str s)
{
    return text_is_utf8(s) && !memchr(s.ptr, 0, s.len);
}

static void check_pair(struct arena *arena, struct str raw, struct str name, struct str value)
{
    const char *equals = memchr(raw.ptr, '=', raw.len);
    size_t at = equals ? (size_t)(equals - raw.ptr) : raw.len;
    struct str expected = equals ? reference(arena, str_slice(raw, at + 1, raw.len)) : STR("");

    CHECK_SAME(name, reference(arena, str_slice(raw, 0, at)));
    CHECK_SAME(value, is_text(expected) ? expected : STR_NONE);
}

static void check_again(struct http_call *call, struct str name, struct str value)
{
    struct buf query;
    struct str rest, name_again, value_again;

    buf_init(&query, call->arena);
    put_encoded(&query, name);
    buf_put_char(&query, '=');
    put_encoded(&query, value);
    rest = buf_str(&query);
    CHECK(http_query_next(call, &rest, &name_again, &value_again));
    CHECK_SAME(name_again, name);
    CHECK_SAME(value_again, value);
    CHECK(!http_query_next(call, &rest, &name_again, &value_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct http_call call = {.arena = arena};
    const char *nul = memchr(data, 0, size);
    size_t len = nul ? (size_t)(nul - (const char *)data) : size;
    struct str query = fuzz_exact(arena, (struct str){(const char *)data, len});
    struct str rest = query, pairs = query, raw, name, value;

    while (http_query_next(&call, &rest, &name, &value)) {
        do
            CHECK(str_split(&pairs, '&', &raw));
        while (raw.len == 0);
        check_pair(arena, raw, name, value);
        if (value.ptr)
            check_again(&call, name, value);
    }
    while (str_split(&pairs, '&', &raw))
        CHECK(raw.len == 0);
    arena_destroy(arena);
    return 0;
}
