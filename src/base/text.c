/* Texts that people type. What is a letter, a space or the same word in other letters is Unicode's
 * to say, so libunistring answers. */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

static const uint8_t *bytes_of(struct str s)
{
    return (const uint8_t *)(s.ptr ? s.ptr : "");
}

bool text_is_utf8(struct str s)
{
    return u8_check(bytes_of(s), s.len) == NULL;
}

size_t text_count(struct str s)
{
    return u8_mbsnlen(bytes_of(s), s.len);
}

bool text_has_control(struct str s, bool allow_newline)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        unsigned char next = i + 1 < s.len ? (unsigned char)s.ptr[i + 1] : 0;
        if (allow_newline && (c == '\n' || (c == '\r' && next == '\n')))
            continue;
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f))
            return true;
    }
    return false;
}

bool text_has_turning(struct str s)
{
    for (size_t i = 0; i + 2 < s.len; i++) {
        unsigned char second = (unsigned char)s.ptr[i + 1], third = (unsigned char)s.ptr[i + 2];
        /* U+202A to U+202E are E2 80 AA to E2 80 AE, U+2066 to U+2069 are E2 81 A6 to E2 81 A9. */
        if ((unsigned char)s.ptr[i] == 0xe2 &&
            ((second == 0x80 && third >= 0xaa && third <= 0xae) ||
             (second == 0x81 && third >= 0xa6 && third <= 0xa9)))
            return true;
    }
    return false;
}

static bool is_ascii(struct str s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.ptr[i];
    return all < 0x80;
}

static struct str fold_ascii(struct arena *arena, struct str s)
{
    char *folded = arena_alloc(arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    folded[s.len] = '\0';
    return (struct str){folded, s.len};
}

struct str text_fold(struct arena *arena, struct str s)
{
    if (is_ascii(s))
        return fold_ascii(arena, s);

    /* Normalized before folding as well: a styled capital becomes a plain one only by that. */
    size_t plain_len = 0, folded_len = 0;
    uint8_t *folded = NULL;
    uint8_t *plain = u8_normalize(UNINORM_NFKC, bytes_of(s), s.len, NULL, &plain_len);
    if (plain)
        folded = u8_casefold(plain, plain_len, NULL, UNINORM_NFKC, NULL, &folded_len);
    if (!folded && errno == ENOMEM)
        mem_fail(s.len);
    struct str ret = folded ? arena_dup(arena, (struct str){(const char *)folded, folded_len})
                            : fold_ascii(arena, s);
    free(folded);
    free(plain);
    return ret;
}

struct str text_trim(struct str s)
{
    const uint8_t *start = bytes_of(s);
    const uint8_t *end = start + s.len;
    ucs4_t c;
    while (start < end) {
        int len = u8_mbtouc(&c, start, (size_t)(end - start));
        if (!uc_is_property_white_space(c))
            break;
        start += len;
    }
    while (start < end) {
        const uint8_t *last = u8_prev(&c, end, start);
        if (!last || !uc_is_property_white_space(c))
            break;
        end = last;
    }
    return s.ptr ? (struct str){(const char *)start, (size_t)(end - start)} : STR_NONE;
}

size_t text_gap(struct str s)
{
    ucs4_t c;
    if (s.len == 0)
        return 0;
    int len = u8_mbtouc(&c, bytes_of(s), s.len);
    bool is_gap = uc_is_general_category(c, UC_SPACE_SEPARATOR) || uc_is_property_dash(c);
    return is_gap ? (size_t)len : 0;
}
