/* A growing byte buffer: answers, mails and everything else of a length not known before. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256, PRINTF_ROOM = 64 };

void buf_init(struct buf *buf, struct arena *arena)
{
    *buf = (struct buf){.arena = arena};
}

void buf_finish(struct buf *buf)
{
    if (!buf->arena)
        free(buf->ptr);
    *buf = (struct buf){.arena = buf->arena};
}

static void grow(struct buf *buf, size_t more)
{
    if (more > PTRDIFF_MAX - buf->len)
        mem_fail(more);
    size_t cap = buf->cap < FIRST_CAP ? FIRST_CAP : buf->cap * 2;
    if (cap < buf->len + more)
        cap = buf->len + more;
    if (!buf->arena) {
        buf->ptr = mem_realloc(buf->ptr, cap);
    } else {
        char *moved = arena_alloc(buf->arena, cap);
        if (buf->len > 0)
            memcpy(moved, buf->ptr, buf->len);
        buf->ptr = moved;
    }
    buf->cap = cap;
}

char *buf_reserve(struct buf *buf, size_t more)
{
    if (!buf->ptr || more > buf->cap - buf->len)
        grow(buf, more);
    return buf->ptr + buf->len;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(buf, len), bytes, len);
    buf->len += len;
}

void buf_put_str(struct buf *buf, struct str s)
{
    buf_put(buf, s.ptr, s.len);
}

void buf_put_cstr(struct buf *buf, const char *cstr)
{
    buf_put(buf, cstr, strlen(cstr));
}

void buf_put_char(struct buf *buf, char c)
{
    *buf_reserve(buf, 1) = c;
    buf->len++;
}

void buf_put_html(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            buf_put_cstr(buf, "&amp;");
            break;
        case '<':
            buf_put_cstr(buf, "&lt;");
            break;
        case '>':
            buf_put_cstr(buf, "&gt;");
            break;
        case '"':
            buf_put_cstr(buf, "&quot;");
            break;
        case '\'':
            buf_put_cstr(buf, "&#39;");
            break;
        default:
            buf_put_char(buf, text.ptr[i]);
        }
    }
}

void buf_put_int(struct buf *buf, int64_t value)
{
    char text[STR_INT64_SIZE];
    buf_put_str(buf, str_from_int64(value, text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    /* vsnprintf also writes a NUL, which is not counted. */
    char *room = buf_reserve(buf, PRINTF_ROOM);
    int len = vsnprintf(room, buf->cap - buf->len, format, args);
    va_end(args);
    if (len > 0 && (size_t)len >= buf->cap - buf->len)
        vsnprintf(buf_reserve(buf, (size_t)len + 1), (size_t)len + 1, format, again);
    if (len > 0)
        buf->len += (size_t)len;
    va_end(again);
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->ptr ? buf->ptr : "", buf->len};
}
