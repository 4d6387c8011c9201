/* Views of bytes: comparing, cutting, and decimal numbers in both directions. */
#include "base/str.h"

#include <string.h>

struct str str_from(const char *cstr)
{
    return cstr ? (struct str){cstr, strlen(cstr)} : STR_NONE;
}

bool str_eq(struct str a, struct str b)
{
    /* memcmp must not see the NULL of an absent string. */
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool str_is(struct str s, const char *cstr)
{
    return str_eq(s, str_from(cstr));
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq((struct str){s.ptr, prefix.len}, prefix);
}

bool str_contains(struct str s, struct str needle)
{
    if (needle.len == 0)
        return true;
    while (s.len >= needle.len) {
        const char *hit = memchr(s.ptr, needle.ptr[0], s.len - needle.len + 1);
        if (!hit)
            return false;
        if (memcmp(hit, needle.ptr, needle.len) == 0)
            return true;
        s.len -= (size_t)(hit + 1 - s.ptr);
        s.ptr = hit + 1;
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (!s.ptr)
        return STR_NONE;
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){s.ptr + from, to - from};
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    if (!rest->ptr)
        return false;
    const char *at = memchr(rest->ptr, sep, rest->len);
    if (!at) {
        *ret_part = *rest;
        *rest = STR_NONE;
        return true;
    }
    size_t len = (size_t)(at - rest->ptr);
    *ret_part = (struct str){rest->ptr, len};
    *rest = (struct str){at + 1, rest->len - len - 1};
    return true;
}

bool str_to_int64(struct str s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == s.len)
        return false;

    /* Summed below zero, where int64 reaches one further. */
    int64_t value = 0;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

struct str str_from_int64(int64_t value, char text[static STR_INT64_SIZE])
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *at = text + STR_INT64_SIZE;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    return (struct str){at, (size_t)(text + STR_INT64_SIZE - at)};
}
