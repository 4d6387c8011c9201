#include "csv_reference.h"

#include <string.h>

#include "base/buf.h"
#include "fuzz.h"

static bool is_one_of(char c, const char *chars)
{
    return c != '\0' && strchr(chars, c);
}

bool csv_reference_read(struct arena *arena, struct str *rest, struct str *ret_cell,
                        bool *ret_ends_row)
{
    struct str s = *rest;
    struct buf cell;
    size_t at = 0;
    if (s.len == 0)
        return false;
    buf_init(&cell, arena);
    if (s.ptr[0] == '"') {
        for (at = 1;; at++) {
            CHECK(at < s.len);
            if (s.ptr[at] == '"' && ++at < s.len && s.ptr[at] != '"')
                break;
            CHECK(at < s.len);
            buf_put_char(&cell, s.ptr[at]);
        }
    } else {
        for (; at < s.len && !is_one_of(s.ptr[at], ",\r\n\""); at++)
            buf_put_char(&cell, s.ptr[at]);
    }
    CHECK(at < s.len);
    *ret_ends_row = s.ptr[at] == '\r';
    CHECK(*ret_ends_row ? at + 1 < s.len && s.ptr[at + 1] == '\n' : s.ptr[at] == ',');
    *rest = str_slice(s, at + (*ret_ends_row ? 2 : 1), s.len);
    *ret_cell = cell.len > 0 ? buf_str(&cell) : STR("");
    return true;
}
