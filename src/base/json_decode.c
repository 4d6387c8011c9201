/* Decoding a request's body by a table of its members, so that every handler gets checked values
 * and every client hears of all its mistakes at once. */
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"

enum {
    DEPTH_MAX = 32,      /* no body of ours is nested deeper than 3 */
    NAME_ECHO_MAX = 100, /* bytes of an unknown member's name that go back to the client */
    DETAIL_SIZE = 128,
};

/* jansson recurses up to 2,048 deep, which is more than a worker's stack should have to bear. */
static bool is_too_deep(struct str body)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

/* jansson's own words quote the body, possibly cut inside a character; ours do not. */
static enum err refuse_syntax(const json_error_t *error, struct problem *problem)
{
    static const char *const reasons[] = {
        [json_error_invalid_utf8] = "it is not UTF-8",
        [json_error_premature_end_of_input] = "it ends too early",
        [json_error_end_of_input_expected] = "something follows its end",
        [json_error_null_character] = "a text holds \\u0000",
        [json_error_null_byte_in_key] = "a member's name holds \\u0000",
        [json_error_duplicate_key] = "an object names a member twice",
        [json_error_numeric_overflow] = "a number is too large",
    };
    size_t code = (size_t)json_error_code(error);
    const char *reason = code < sizeof(reasons) / sizeof(reasons[0]) ? reasons[code] : NULL;
    if (code == json_error_out_of_memory)
        mem_fail(0);
    if (!reason)
        reason = "it has a syntax error";
    if (error->line < 1)
        return problem_printf(problem, PROBLEM_MALFORMED_JSON, "The body is no JSON: %s.", reason);
    return problem_printf(problem, PROBLEM_MALFORMED_JSON,
                          "The body is no JSON: %s, at line %d, column %d.", reason, error->line,
                          error->column);
}

static enum err parse(struct str body, json_t **ret_root, struct problem *problem)
{
    if (str_trim(body).len == 0)
        return problem_set(problem, PROBLEM_MALFORMED_JSON, "The body is empty.");
    if (is_too_deep(body))
        return problem_printf(problem, PROBLEM_MALFORMED_JSON,
                              "The body is nested deeper than %d levels.", DEPTH_MAX);
    json_error_t error;
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root)
        return refuse_syntax(&error, problem);
    if (!json_is_object(root)) {
        json_decref(root);
        return problem_set(problem, PROBLEM_MALFORMED_JSON, "The body must be a JSON object.");
    }
    *ret_root = root;
    return ERR_OK;
}

static const char *type_words(enum json_type type)
{
    switch (type) {
    case JSON_INT:
        return "an integer, without fraction and exponent";
    case JSON_BOOL:
        return "true or false";
    case JSON_TEXT:
    case JSON_LONG_TEXT:
    case JSON_RAW_TEXT:
        return "a string";
    }
    return "";
}

static void refuse_type(const struct json_field *field, struct problem *problem)
{
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof(detail), "It must be %s%s.", type_words(field->type),
             field->flags & JSON_NULLABLE ? ", or null" : "");
    problem_add(problem, field->name, PROBLEM_WRONG_TYPE, detail);
}

static bool is_bounded(const struct json_field *field)
{
    return field->min != 0 || field->max != 0;
}

static void decode_int(const struct json_field *field, const json_t *value, struct opt_int *out,
                       struct problem *problem)
{
    if (!json_is_integer(value)) {
        refuse_type(field, problem);
        return;
    }
    out->value = json_integer_value(value);
    if (is_bounded(field) && (out->value < field->min || out->value > field->max)) {
        char detail[DETAIL_SIZE];
        snprintf(detail, sizeof(detail), "It must be from %" PRId64 " to %" PRId64 ".", field->min,
                 field->max);
        problem_add(problem, field->name, field->code ? field->code : PROBLEM_OUT_OF_RANGE, detail);
    }
}

static void decode_bool(const struct json_field *field, const json_t *value, struct opt_bool *out,
                        struct problem *problem)
{
    if (json_is_boolean(value))
        out->value = json_is_true(value);
    else
        refuse_type(field, problem);
}

/* Adds a row and returns true if the text breaks a bound. */
static bool refuse_length(const struct json_field *field, struct str text, struct problem *problem)
{
    bool raw = field->type == JSON_RAW_TEXT;
    int64_t len = (int64_t)(raw ? text.len : text_count(text));
    if (!is_bounded(field) || (len >= field->min && len <= field->max))
        return false;
    bool is_long = len > field->max;
    int64_t bound = is_long ? field->max : field->min;
    enum problem_code standard = is_long ? PROBLEM_TOO_LONG : PROBLEM_TOO_SHORT;
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof(detail), "It must have at %s %" PRId64 " %s%s.",
             is_long ? "most" : "least", bound, raw ? "byte" : "character", bound == 1 ? "" : "s");
    problem_add(problem, field->name, field->code ? field->code : standard, detail);
    return true;
}

/* Adds a row and returns true if there are characters in the text that nobody sees. */
static bool refuse_hidden(const struct json_field *field, struct str text, struct problem *problem)
{
    bool allow_newline = field->type == JSON_LONG_TEXT;
    const char *detail = NULL;
    if (text_has_turning(text))
        detail = "It must not hold characters that turn the direction of the text around them.";
    else if (!text_has_control(text, allow_newline))
        return false;
    else if (allow_newline)
        detail = "It must not hold control characters other than newlines.";
    problem_add(problem, field->name, PROBLEM_CONTROL_CHARACTER, detail);
    return true;
}

static void decode_text(struct arena *arena, const struct json_field *field, const json_t *value,
                        struct opt_str *out, struct problem *problem)
{
    if (!json_is_string(value)) {
        refuse_type(field, problem);
        return;
    }
    struct str text = {json_string_value(value), json_string_length(value)};
    if (refuse_length(field, text, problem))
        return;
    if (field->type != JSON_RAW_TEXT && refuse_hidden(field, text, problem))
        return;
    out->value = arena_dup(arena, text);
}

static void decode_member(struct arena *arena, const struct json_field *field, const json_t *value,
                          void *member, struct problem *problem)
{
    bool is_null = json_is_null(value);
    if (is_null && !(field->flags & JSON_NULLABLE)) {
        refuse_type(field, problem);
        return;
    }
    switch (field->type) {
    case JSON_INT: {
        struct opt_int *out = member;
        *out = (struct opt_int){.set = true, .null = is_null};
        if (!is_null)
            decode_int(field, value, out, problem);
        break;
    }
    case JSON_BOOL: {
        struct opt_bool *out = member;
        *out = (struct opt_bool){.set = true, .null = is_null};
        if (!is_null)
            decode_bool(field, value, out, problem);
        break;
    }
    case JSON_TEXT:
    case JSON_LONG_TEXT:
    case JSON_RAW_TEXT: {
        struct opt_str *out = member;
        *out = (struct opt_str){.set = true, .null = is_null};
        if (!is_null)
            decode_text(arena, field, value, out, problem);
        break;
    }
    }
}

static bool is_known(const char *name, const struct json_field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (strcmp(name, fields[i].name) == 0)
            return true;
    }
    return false;
}

static void refuse_unknown(const char *name, struct problem *problem)
{
    struct str echo = str_from(name);
    if (echo.len > NAME_ECHO_MAX) {
        echo.len = NAME_ECHO_MAX;
        while (!text_is_utf8(echo)) /* cut inside a character */
            echo.len--;
    }
    problem_add(problem, arena_cstr(problem->arena, echo), PROBLEM_UNKNOWN_FIELD, NULL);
}

enum err json_decode(struct arena *arena, struct str body, const struct json_field *fields,
                     size_t n_fields, void *out, struct problem *problem)
{
    json_t *root;
    enum err err = parse(body, &root, problem);
    if (err != ERR_OK)
        return err;

    size_t rows_before = problem->n_rows;
    for (size_t i = 0; i < n_fields; i++) {
        const json_t *value = json_object_get(root, fields[i].name);
        if (value)
            decode_member(arena, &fields[i], value, (char *)out + fields[i].offset, problem);
        else if (fields[i].flags & JSON_REQUIRED)
            problem_add(problem, fields[i].name, PROBLEM_REQUIRED, NULL);
    }

    const char *name;
    json_t *value;
    json_object_foreach (root, name, value) {
        if (!is_known(name, fields, n_fields))
            refuse_unknown(name, problem);
    }
    json_decref(root);
    return problem->n_rows > rows_before ? ERR_PROBLEM : ERR_OK;
}

void json_decode_init(void)
{
    json_set_alloc_funcs(mem_alloc, free);
}
