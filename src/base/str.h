/* A string with its length: a view, owned by whoever made the bytes. May hold NUL bytes.
 * An absent string is STR_NONE (ptr NULL); an empty one has a non-NULL ptr and len 0. */
#ifndef SERVERY_BASE_STR_H
#define SERVERY_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

struct str str_from(const char *cstr);          /* NULL gives STR_NONE */
bool str_eq(struct str a, struct str b);        /* by bytes: an absent one equals an empty one */
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_is(struct str s, const char *cstr);
bool str_starts(struct str s, struct str prefix);
bool str_contains(struct str s, struct str needle);
struct str str_trim(struct str s);                          /* spaces and tabs at both ends */
struct str str_slice(struct str s, size_t from, size_t to); /* clamped to s */

/* Splits off what stands before `sep` and moves *rest behind it; without `sep` all of it, and *rest
 * becomes STR_NONE. False when *rest is STR_NONE. */
bool str_split(struct str *rest, char sep, struct str *ret_part);

/* The whole of s as a decimal number: digits with at most a leading '-', nothing else, in range. */
bool str_to_int64(struct str s, int64_t *ret_value);

enum { STR_INT64_SIZE = 20 };
struct str str_from_int64(int64_t value, char text[static STR_INT64_SIZE]); /* a view of text */

#endif
