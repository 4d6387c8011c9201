#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_check(bool condition, const char *file, int line, const char *words)
{
    if (condition)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, words);
    abort();
}

void fuzz_check_same(struct str a, struct str b, const char *file, int line, const char *words)
{
    if (str_eq(a, b) && !a.ptr == !b.ptr)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n[" STR_FMT "]\n[" STR_FMT "]\n", file, line, words,
            STR_ARG(a), STR_ARG(b));
    abort();
}

struct str fuzz_exact(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len > 0 ? s.len : 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return (struct str){copy, s.len};
}

struct str fuzz_line(struct arena *arena, struct str *rest)
{
    struct str line;
    if (!str_split(rest, '\n', &line))
        return fuzz_exact(arena, STR(""));
    return fuzz_exact(arena, line);
}

struct str fuzz_rest(struct arena *arena, struct str rest)
{
    return fuzz_exact(arena, rest);
}

int64_t fuzz_int(struct str s)
{
    int64_t value;
    if (str_to_int64(s, &value))
        return value;
    uint64_t bits = 0;
    for (size_t i = 0; i < s.len; i++)
        bits = bits << 8 | (unsigned char)s.ptr[i];
    return (int64_t)bits;
}
