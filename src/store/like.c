#include "store/like.h"

#include "base/buf.h"

struct str like_pattern(struct arena *arena, struct str needle)
{
    struct buf buf;

    if (!needle.ptr)
        return STR_NONE;
    buf_init(&buf, arena);
    buf_put_char(&buf, '%');
    for (size_t i = 0; i < needle.len; i++) {
        char c = needle.ptr[i];
        if (c == '%' || c == '_' || c == '!')
            buf_put_char(&buf, '!');
        buf_put_char(&buf, c);
    }
    buf_put_char(&buf, '%');
    return buf_str(&buf);
}
