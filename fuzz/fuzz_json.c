/* Bodies through the decoder with tables of any shape, beside jansson's own tree of the same bytes:
 * each value taken is the one that was sent and keeps its bounds, each refusal has a reason. And
 * the writer: what it writes is read back as what it was given. The first line is the table. */
#include "fuzz.h"

#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/text.h"

enum { FIELDS_MAX = 6 };

union member {
    struct opt_int i;
    struct opt_bool b;
    struct opt_str s;
};

struct table {
    size_t n;
    struct json_field fields[FIELDS_MAX];
    union member members[FIELDS_MAX];
};

/* "i!3,9 t? r": a letter for the type of a, b, c…; '!' required, '?' nullable, then the bounds. */
static void read_table(struct table *table, struct str spec)
{
    static const char *const names[FIELDS_MAX] = {"a", "b", "c", "d", "e", "f"};
    static const char letters[] = "ibtlr";
    static const enum json_type types[] = {JSON_INT, JSON_BOOL, JSON_TEXT, JSON_LONG_TEXT,
                                           JSON_RAW_TEXT};
    struct str word;
    while (table->n < FIELDS_MAX && str_split(&spec, ' ', &word)) {
        const char *letter = word.len > 0 && word.ptr[0] ? strchr(letters, word.ptr[0]) : NULL;
        struct json_field *field = &table->fields[table->n];
        if (!letter)
            continue;
        *field = (struct json_field){.name = names[table->n], .type = types[letter - letters]};
        field->offset = offsetof(struct table, members) + table->n++ * sizeof(union member);
        word = str_slice(word, 1, word.len);
        for (; word.len > 0; word = str_slice(word, 1, word.len)) {
            if (word.ptr[0] == '!')
                field->flags |= JSON_REQUIRED;
            else if (word.ptr[0] == '?')
                field->flags |= JSON_NULLABLE;
            else
                break;
        }
        struct str max = word, min;
        if (str_split(&max, ',', &min) && max.ptr) {
            field->min = fuzz_int(min);
            field->max = fuzz_int(max);
        }
    }
}

static bool is_within(const struct json_field *field, int64_t value)
{
    return (field->min == 0 && field->max == 0) || (value >= field->min && value <= field->max);
}

static void check_text(const struct json_field *field, const struct opt_str *text,
                       const json_t *sent)
{
    struct str bytes = {json_string_value(sent), json_string_length(sent)};
    bool raw = field->type == JSON_RAW_TEXT;
    CHECK_SAME(text->value, bytes);
    CHECK(text->value.ptr[text->value.len] == '\0' && !memchr(bytes.ptr, 0, bytes.len));
    CHECK(text_is_utf8(text->value));
    CHECK(is_within(field, (int64_t)(raw ? bytes.len : text_count(bytes))));
    CHECK(raw || !text_has_control(bytes, field->type == JSON_LONG_TEXT));
    CHECK(raw || !text_has_turning(bytes));
}

/* A member that was taken is the one that was sent. */
static void check_member(const struct json_field *field, const union member *m, const json_t *sent)
{
    bool set = field->type == JSON_INT ? m->i.set : field->type == JSON_BOOL ? m->b.set : m->s.set;
    bool null = field->type == JSON_INT    ? m->i.null
                : field->type == JSON_BOOL ? m->b.null
                                           : m->s.null;
    CHECK(set == (sent != NULL));
    CHECK(sent || !(field->flags & JSON_REQUIRED));
    CHECK(null == json_is_null(sent));
    CHECK(!null || field->flags & JSON_NULLABLE);
    if (!sent || null)
        return;
    if (field->type == JSON_INT) {
        CHECK(json_is_integer(sent) && json_integer_value(sent) == m->i.value);
        CHECK(is_within(field, m->i.value));
    } else if (field->type == JSON_BOOL) {
        CHECK(json_is_boolean(sent) && json_is_true(sent) == m->b.value);
    } else {
        check_text(field, &m->s, sent);
    }
}

static void check_refusal(const struct problem *problem, const json_t *root)
{
    if (problem->code == PROBLEM_MALFORMED_JSON) {
        CHECK(problem->n_rows == 0 && text_is_utf8(problem->detail));
        return;
    }
    CHECK(json_is_object(root));
    CHECK(problem->n_rows > 0 && problem->code == problem->rows[0].code);
    for (size_t i = 0; i < problem->n_rows; i++) {
        CHECK(problem_code_status(problem->rows[i].code) == 422);
        CHECK(problem->rows[i].field && text_is_utf8(str_from(problem->rows[i].field)));
    }
}

static void check_decoding(struct arena *arena, struct str spec, struct str body,
                           const json_t *root)
{
    struct table *table = arena_zalloc(arena, sizeof *table);
    struct problem *problem = arena_zalloc(arena, sizeof *problem);
    read_table(table, spec);
    problem_init(problem, arena);
    enum err err = json_decode(arena, body, table->fields, table->n, table, problem);
    CHECK(err == ERR_OK || err == ERR_PROBLEM);
    if (err) {
        check_refusal(problem, root);
        return;
    }
    CHECK(json_is_object(root) && problem->n_rows == 0);
    size_t n_set = 0;
    for (size_t i = 0; i < table->n; i++) {
        const json_t *sent = json_object_get(root, table->fields[i].name);
        check_member(&table->fields[i], &table->members[i], sent);
        n_set += sent != NULL;
    }
    CHECK(n_set == json_object_size(root));
}

/* The same tree but for its objects, which become arrays of their values, and its reals. */
static void write_tree(struct json_writer *w, const char *key, json_t *value)
{
    if (json_is_object(value) || json_is_array(value)) {
        size_t i;
        json_t *item;
        const char *name;
        json_begin_array(w, key);
        json_array_foreach (value, i, item)
            write_tree(w, NULL, item);
        json_object_foreach (value, name, item) {
            json_str(w, NULL, str_from(name));
            json_begin_object(w, NULL);
            write_tree(w, "value", item);
            json_end_object(w);
        }
        json_end_array(w);
    } else if (json_is_string(value)) {
        json_str(w, key, (struct str){json_string_value(value), json_string_length(value)});
    } else if (json_is_integer(value)) {
        json_int(w, key, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        json_bool(w, key, json_is_true(value));
    } else {
        json_put_null(w, key);
    }
}

static json_t *rebuild(json_t *value)
{
    if (!json_is_object(value) && !json_is_array(value))
        return json_is_real(value) ? json_null() : json_incref(value);
    json_t *array = json_array(), *item;
    const char *name;
    size_t i;
    json_array_foreach (value, i, item)
        json_array_append_new(array, rebuild(item));
    json_object_foreach (value, name, item) {
        json_array_append_new(array, json_string(name));
        json_array_append_new(array, json_pack("{s:o}", "value", rebuild(item)));
    }
    return array;
}

static void check_writer(struct arena *arena, json_t *root)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, arena);
    json_init(&w, &out);
    write_tree(&w, NULL, root);
    json_t *expected = rebuild(root);
    json_t *read = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CHECK(json_equal(read, expected));
    json_decref(read);
    json_decref(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str rest = {(const char *)data, size};
    struct str spec = fuzz_line(arena, &rest), body = fuzz_rest(arena, rest);
    json_t *root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    check_decoding(arena, spec, body, root);
    if (root)
        check_writer(arena, root);
    json_decref(root);
    arena_destroy(arena);
    return 0;
}
