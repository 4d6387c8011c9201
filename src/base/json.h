/* JSON: decoding a body by a table of fields (on jansson), and writing answers straight into a
 * buffer. The writer is ours because building and dumping a tree for each answer costs more than
 * the rest of a menu read; the parser is jansson's. */
#ifndef SERVERY_BASE_JSON_H
#define SERVERY_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/problem.h"

/* ---- Decoding ---- */

/* A member that may be missing (set false) or null (set and null true). */
struct opt_int {
    bool set, null;
    int64_t value;
};
struct opt_bool {
    bool set, null, value;
};
struct opt_str {
    bool set, null;
    struct str value; /* in the arena, NUL-terminated, UTF-8 */
};

enum json_type {
    JSON_INT,       /* struct opt_int; an integer without fraction or exponent */
    JSON_BOOL,      /* struct opt_bool */
    JSON_TEXT,      /* struct opt_str; one line: nothing that controls or turns it */
    JSON_LONG_TEXT, /* struct opt_str; newline allowed */
    JSON_RAW_TEXT,  /* struct opt_str; anything UTF-8 (passwords); limits count bytes */
};

enum { JSON_REQUIRED = 1, JSON_NULLABLE = 2 };

/* One member of a body. `min` and `max` bound an integer's value or a text's length in code points
 * (bytes for JSON_RAW_TEXT); both 0: no bound. A string that breaks a bound is refused with
 * `too_long` or `too_short`, an integer with `out_of_range`, unless `code` names another. */
struct json_field {
    const char *name;
    enum json_type type;
    unsigned flags;
    size_t offset; /* of the opt_… in the struct filled */
    int64_t min, max;
    enum problem_code code; /* PROBLEM_NONE: the standard one */
};

/* The number of rows of a table of fields, which must be an array. */
#define FIELDS_N(fields) (sizeof(fields) / sizeof *(fields))

/* Decodes `body` into `out` (zeroed by the caller). ERR_PROBLEM with 400 malformed_json for what is
 * no JSON object (duplicate keys, NUL, bad UTF-8, numbers past int64 or double, deep nesting), or
 * with 422 and one row for every member that is wrong, missing or unknown. All texts are copied. */
MUST_CHECK enum err json_decode(struct arena *arena, struct str body,
                                const struct json_field *fields, size_t n_fields, void *out,
                                struct problem *problem);

/* Once, before the first decoding: jansson, too, ends the process when it is out of memory, for it
 * could not tell that from a malformed body. */
void json_decode_init(void);

/* ---- Writing ---- */

/* Appends to `out`. Texts must be UTF-8. `key` is NULL for an array's element and for the outermost
 * value; keys are constants that need no escaping. (jansson owns the names json_object, json_array
 * and json_null.) */
struct json_writer {
    struct buf *out;
    bool comma;
};

void json_init(struct json_writer *w, struct buf *out);
void json_begin_object(struct json_writer *w, const char *key);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w, const char *key);
void json_end_array(struct json_writer *w);
void json_int(struct json_writer *w, const char *key, int64_t value);
void json_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_str(struct json_writer *w, const char *key, struct str value);   /* STR_NONE: null */
void json_cstr(struct json_writer *w, const char *key, const char *value); /* NULL: null */
void json_time(struct json_writer *w, const char *key, int64_t time_ms);   /* RFC 3339 */
void json_raw(struct json_writer *w, const char *key, struct str json);    /* already JSON */

#endif
