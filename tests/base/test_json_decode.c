#include "base/json.h"

#include "check.h"

struct body {
    struct opt_int quantity;
    struct opt_bool available;
    struct opt_str name, note, password;
    struct opt_int stock;
};

static const struct json_field fields[] = {
    {"quantity", JSON_INT, JSON_REQUIRED, offsetof(struct body, quantity), 1, 99, PROBLEM_NONE},
    {"available", JSON_BOOL, 0, offsetof(struct body, available), 0, 0, PROBLEM_NONE},
    {"name", JSON_TEXT, 0, offsetof(struct body, name), 2, 5, PROBLEM_NONE},
    {"note", JSON_LONG_TEXT, JSON_NULLABLE, offsetof(struct body, note), 0, 8, PROBLEM_NONE},
    {"password", JSON_RAW_TEXT, 0, offsetof(struct body, password), 3, 4,
     PROBLEM_PASSWORD_TOO_SHORT},
    {"stock", JSON_INT, JSON_NULLABLE, offsetof(struct body, stock), 0, 0, PROBLEM_NONE},
};

static struct arena *arena;
static struct problem problem;
static struct body body;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create();
    problem_init(&problem, arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static enum err decode_str(struct str json)
{
    body = (struct body){0};
    problem_reset(&problem);
    return json_decode(arena, json, fields, COUNT(fields), &body, &problem);
}

static enum err decode(const char *json)
{
    return decode_str(str_from(json));
}

/* Exactly one row, on this field with this code. */
static void assert_row(const char *json, const char *field, enum problem_code code)
{
    assert_int_equal(decode(json), ERR_PROBLEM);
    assert_int_equal(problem.n_rows, 1);
    assert_string_equal(problem.rows[0].field, field);
    assert_string_equal(problem_code_text(problem.rows[0].code), problem_code_text(code));
    assert_int_equal(problem.code, code);
}

static void assert_malformed(struct str json, const char *detail_part)
{
    assert_int_equal(decode_str(json), ERR_PROBLEM);
    assert_int_equal(problem.code, PROBLEM_MALFORMED_JSON);
    assert_int_equal(problem.n_rows, 0);
    assert_non_null(problem.detail.ptr);
    if (!str_contains(problem.detail, str_from(detail_part)))
        fail_msg("\"%s\" is not in \"%s\"", detail_part, problem.detail.ptr);
}

static void test_json_decode__fills_every_type(void **state)
{
    (void)state;
    assert_int_equal(decode(" {\"quantity\" : 2, \"available\": true, \"name\": \"J\\u00f2l\", "
                            "\"note\": \"a\\nb\", \"password\": \"\\u0001\\t\\n\", "
                            "\"stock\": -9223372036854775808}\n"),
                     ERR_OK);
    assert_true(body.quantity.set && !body.quantity.null);
    assert_int_equal(body.quantity.value, 2);
    assert_true(body.available.set && body.available.value && !body.available.null);
    assert_str(body.name.value, "Jòl");
    assert_int_equal(body.name.value.ptr[body.name.value.len], '\0');
    assert_str(body.note.value, "a\nb");
    assert_str(body.password.value, "\x01\t\n");
    assert_int_equal(body.stock.value, INT64_MIN);
    assert_int_equal(problem.code, PROBLEM_NONE);
}

static void test_json_decode__missing_members_stay_unset(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"quantity\":1}"), ERR_OK);
    assert_false(body.available.set);
    assert_false(body.name.set);
    assert_false(body.stock.set);
    assert_absent(body.name.value);
}

static void test_json_decode__null(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"quantity\":1,\"note\":null,\"stock\":null}"), ERR_OK);
    assert_true(body.note.set && body.note.null);
    assert_absent(body.note.value);
    assert_true(body.stock.set && body.stock.null);
    assert_row("{\"quantity\":null}", "quantity", PROBLEM_WRONG_TYPE);
    assert_row("{\"quantity\":1,\"name\":null}", "name", PROBLEM_WRONG_TYPE);
    assert_row("{\"quantity\":1,\"available\":null}", "available", PROBLEM_WRONG_TYPE);
}

static void test_json_decode__false_is_set(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"quantity\":1,\"available\":false}"), ERR_OK);
    assert_true(body.available.set);
    assert_false(body.available.value);
}

static void test_json_decode__required(void **state)
{
    (void)state;
    assert_row("{}", "quantity", PROBLEM_REQUIRED);
}

static void test_json_decode__unknown_member(void **state)
{
    (void)state;
    assert_row("{\"quantity\":1,\"price\":5}", "price", PROBLEM_UNKNOWN_FIELD);
    assert_row("{\"quantity\":1,\"Name\":\"abc\"}", "Name", PROBLEM_UNKNOWN_FIELD);
    assert_row("{\"quantity\":1,\"\":1}", "", PROBLEM_UNKNOWN_FIELD);
}

static void test_json_decode__long_unknown_name_is_cut_between_characters(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, arena);
    buf_put_cstr(&json, "{\"quantity\":1,\"x");
    for (int i = 0; i < 1000; i++)
        buf_put_cstr(&json, "é");
    buf_put_cstr(&json, "\":1}");
    assert_int_equal(decode_str(buf_str(&json)), ERR_PROBLEM);
    assert_int_equal(problem.rows[0].code, PROBLEM_UNKNOWN_FIELD);
    /* One byte of x and 49 times two: a hundredth would cut the next one. */
    assert_int_equal(strlen(problem.rows[0].field), 99);
}

static void test_json_decode__integer_bounds(void **state)
{
    (void)state;
    assert_row("{\"quantity\":0}", "quantity", PROBLEM_OUT_OF_RANGE);
    assert_row("{\"quantity\":-1}", "quantity", PROBLEM_OUT_OF_RANGE);
    assert_int_equal(decode("{\"quantity\":1}"), ERR_OK);
    assert_int_equal(decode("{\"quantity\":99}"), ERR_OK);
    assert_row("{\"quantity\":100}", "quantity", PROBLEM_OUT_OF_RANGE);
    assert_str(problem.rows[0].detail, "It must be from 1 to 99.");
    assert_int_equal(decode("{\"quantity\":1,\"stock\":9223372036854775807}"), ERR_OK);
    assert_int_equal(body.stock.value, INT64_MAX);
}

static void test_json_decode__wrong_types(void **state)
{
    (void)state;
    static const char *const values[] = {"1.5",  "1.0", "1e0", "\"1\"",
                                         "true", "[]",  "{}",  "1e-400"};
    for (size_t i = 0; i < COUNT(values); i++) {
        struct str json = arena_printf(arena, "{\"quantity\":%s}", values[i]);
        assert_row(json.ptr, "quantity", PROBLEM_WRONG_TYPE);
    }
    assert_row("{\"quantity\":1,\"available\":1}", "available", PROBLEM_WRONG_TYPE);
    assert_row("{\"quantity\":1,\"available\":\"true\"}", "available", PROBLEM_WRONG_TYPE);
    assert_row("{\"quantity\":1,\"name\":12}", "name", PROBLEM_WRONG_TYPE);
    assert_row("{\"quantity\":1,\"note\":[\"a\"]}", "note", PROBLEM_WRONG_TYPE);
    assert_str(problem.rows[0].detail, "It must be a string, or null.");
}

static void test_json_decode__text_lengths_are_code_points(void **state)
{
    (void)state;
    assert_row("{\"quantity\":1,\"name\":\"\"}", "name", PROBLEM_TOO_SHORT);
    assert_row("{\"quantity\":1,\"name\":\"é\"}", "name", PROBLEM_TOO_SHORT);
    assert_str(problem.rows[0].detail, "It must have at least 2 characters.");
    assert_int_equal(decode("{\"quantity\":1,\"name\":\"éé\"}"), ERR_OK);
    assert_int_equal(decode("{\"quantity\":1,\"name\":\"🍛🍛🍛🍛🍛\"}"), ERR_OK);
    assert_row("{\"quantity\":1,\"name\":\"🍛🍛🍛🍛🍛🍛\"}", "name", PROBLEM_TOO_LONG);
    assert_str(problem.rows[0].detail, "It must have at most 5 characters.");
    assert_int_equal(decode("{\"quantity\":1,\"note\":\"\"}"), ERR_OK);
    assert_str(body.note.value, "");
}

static void test_json_decode__raw_text_counts_bytes_and_names_its_code(void **state)
{
    (void)state;
    assert_row("{\"quantity\":1,\"password\":\"ab\"}", "password", PROBLEM_PASSWORD_TOO_SHORT);
    assert_int_equal(decode("{\"quantity\":1,\"password\":\"abc\"}"), ERR_OK);
    assert_int_equal(decode("{\"quantity\":1,\"password\":\"éé\"}"), ERR_OK);
    assert_row("{\"quantity\":1,\"password\":\"ééé\"}", "password", PROBLEM_PASSWORD_TOO_SHORT);
}

static void test_json_decode__control_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\\u0001", "a\\nb", "a\\tb", "a\\u007f", "a\\u0085"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str json = arena_printf(arena, "{\"quantity\":1,\"name\":\"%s\"}", bad[i]);
        assert_row(json.ptr, "name", PROBLEM_CONTROL_CHARACTER);
    }
    assert_int_equal(decode("{\"quantity\":1,\"name\":\"a\\u00a0\"}"), ERR_OK);
    assert_int_equal(decode("{\"quantity\":1,\"note\":\"a\\r\\nb\\n\"}"), ERR_OK);
    assert_row("{\"quantity\":1,\"note\":\"a\\rb\"}", "note", PROBLEM_CONTROL_CHARACTER);
    assert_row("{\"quantity\":1,\"note\":\"a\\tb\"}", "note", PROBLEM_CONTROL_CHARACTER);
}

static void test_json_decode__characters_that_turn_the_direction(void **state)
{
    (void)state;
    assert_row("{\"quantity\":1,\"name\":\"a\\u202eb\"}", "name", PROBLEM_CONTROL_CHARACTER);
    assert_row("{\"quantity\":1,\"note\":\"a\\u2066b\"}", "note", PROBLEM_CONTROL_CHARACTER);
    assert_int_equal(decode("{\"quantity\":1,\"password\":\"a\\u202e\"}"), ERR_OK);
    assert_int_equal(decode("{\"quantity\":1,\"name\":\"a\\u200eb\\u200f\"}"), ERR_OK);
}

static void test_json_decode__one_row_for_every_mistake(void **state)
{
    (void)state;
    assert_int_equal(decode("{\"total\":1,\"available\":3,\"name\":\"x\",\"note\":7,\"price\":2}"),
                     ERR_PROBLEM);
    static const struct {
        const char *field;
        enum problem_code code;
    } expected[] = {
        {"quantity", PROBLEM_REQUIRED},   {"available", PROBLEM_WRONG_TYPE},
        {"name", PROBLEM_TOO_SHORT},      {"note", PROBLEM_WRONG_TYPE},
        {"total", PROBLEM_UNKNOWN_FIELD}, {"price", PROBLEM_UNKNOWN_FIELD},
    };
    assert_int_equal(problem.n_rows, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_string_equal(problem.rows[i].field, expected[i].field);
        assert_int_equal(problem.rows[i].code, expected[i].code);
    }
    assert_int_equal(problem.code, PROBLEM_REQUIRED);
}

static void test_json_decode__a_thousand_unknown_members(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, arena);
    buf_put_cstr(&json, "{\"quantity\":1");
    for (int i = 0; i < 1000; i++)
        buf_printf(&json, ",\"x%d\":0", i);
    buf_put_cstr(&json, "}");
    assert_int_equal(decode_str(buf_str(&json)), ERR_PROBLEM);
    assert_int_equal(problem.n_rows, PROBLEM_ROWS_MAX);
}

static void test_json_decode__malformed(void **state)
{
    (void)state;
    assert_malformed(STR_NONE, "is empty");
    assert_malformed(STR(""), "is empty");
    assert_malformed(STR("   "), "is empty");
    assert_malformed(STR(" \n"), "ends too early");
    assert_malformed(STR("{"), "ends too early");
    assert_malformed(STR("{\"a\":\"b"), "ends too early");
    assert_malformed(STR("{\"a\":1,}"), "line 1, column 8");
    assert_malformed(STR("{\n\"a\":\n nope}"), "line 3, column 5");
    assert_malformed(STR("{'a':1}"), "syntax");
    assert_malformed(STR("{\"a\":01}"), "line 1");
    assert_malformed(STR("{\"a\":NaN}"), "syntax");
    assert_malformed(STR("{} {}"), "follows its end");
    assert_malformed(STR("{\"a\":\"\t\"}"), "syntax");
    assert_malformed(STR("\xef\xbb\xbf{}"), "line 1");
}

static void test_json_decode__no_object(void **state)
{
    (void)state;
    static const char *const cases[] = {"[]", "[{\"quantity\":1}]", "1", "\"a\"", "null", "true"};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_malformed(str_from(cases[i]), "must be a JSON object");
}

static void test_json_decode__duplicate_keys(void **state)
{
    (void)state;
    assert_malformed(STR("{\"quantity\":1,\"quantity\":1}"), "twice");
    assert_malformed(STR("{\"quantity\":1,\"qu\\u0061ntity\":2}"), "twice");
    assert_malformed(STR("{\"x\":{\"a\":1,\"a\":2}}"), "twice");
}

static void test_json_decode__nul(void **state)
{
    (void)state;
    assert_malformed(STR("{\"name\":\"ab\\u0000\"}"), "\\u0000");
    assert_malformed(STR("{\"na\\u0000me\":1}"), "\\u0000");
    assert_malformed(STR("{\"name\":\"a\0b\"}"), "line 1");
    assert_malformed(STR("{\"quantity\":1}\0"), "follows its end");
    assert_malformed(STR("\0{\"quantity\":1}"), "line 1");
}

static void test_json_decode__bad_utf8(void **state)
{
    (void)state;
    assert_malformed(STR("{\"name\":\"\xff\"}"), "UTF-8");
    assert_malformed(STR("{\"name\":\"\xc3\"}"), "UTF-8");
    assert_malformed(STR("{\"name\":\"\xed\xa0\x80\"}"), "UTF-8");
    assert_malformed(STR("{\"\xc0\x80\":1}"), "UTF-8");
    assert_malformed(STR("{\"name\":\"\\ud800\"}"), "line 1");
    assert_malformed(STR("{\"name\":\"\\udc00\"}"), "line 1");
}

static void test_json_decode__numbers_past_their_range(void **state)
{
    (void)state;
    assert_malformed(STR("{\"stock\":9223372036854775808}"), "too large");
    assert_malformed(STR("{\"stock\":-9223372036854775809}"), "too large");
    assert_malformed(STR("{\"quantity\":1e400}"), "too large");
    assert_malformed(STR("{\"unknown\":-1e400}"), "too large");
    assert_malformed(STR("{\"unknown\":99999999999999999999999999}"), "too large");
}

/* An object with an array in it, `depth` levels in all. */
static struct str nested(size_t depth)
{
    struct buf json;
    buf_init(&json, arena);
    buf_put_cstr(&json, "{\"quantity\":1,\"x\":");
    for (size_t i = 1; i < depth; i++)
        buf_put_char(&json, '[');
    for (size_t i = 1; i < depth; i++)
        buf_put_char(&json, ']');
    buf_put_char(&json, '}');
    return buf_str(&json);
}

static void test_json_decode__nesting(void **state)
{
    (void)state;
    assert_int_equal(decode_str(nested(32)), ERR_PROBLEM);
    assert_int_equal(problem.code, PROBLEM_UNKNOWN_FIELD);
    assert_malformed(nested(33), "nested deeper than 32");
    assert_malformed(nested(10000), "nested deeper");
    /* Also never closed. */
    struct str deep = nested(10000);
    assert_malformed(str_slice(deep, 0, deep.len / 2), "nested deeper");
}

static void test_json_decode__brackets_in_strings_are_no_nesting(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, arena);
    buf_put_cstr(&json, "{\"quantity\":1,\"x\":\"\\\"");
    for (int i = 0; i < 100; i++)
        buf_put_cstr(&json, "[{");
    buf_put_cstr(&json, "\"}");
    assert_int_equal(decode_str(buf_str(&json)), ERR_PROBLEM);
    assert_int_equal(problem.code, PROBLEM_UNKNOWN_FIELD);
}

static void test_json_decode__texts_outlive_the_body(void **state)
{
    (void)state;
    char json[] = "{\"quantity\":1,\"name\":\"abc\"}";
    assert_int_equal(decode(json), ERR_OK);
    memset(json, 'x', sizeof(json) - 1);
    assert_str(body.name.value, "abc");
}

#define DECODE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DECODE_TEST(test_json_decode__fills_every_type),
        DECODE_TEST(test_json_decode__missing_members_stay_unset),
        DECODE_TEST(test_json_decode__null),
        DECODE_TEST(test_json_decode__false_is_set),
        DECODE_TEST(test_json_decode__required),
        DECODE_TEST(test_json_decode__unknown_member),
        DECODE_TEST(test_json_decode__long_unknown_name_is_cut_between_characters),
        DECODE_TEST(test_json_decode__integer_bounds),
        DECODE_TEST(test_json_decode__wrong_types),
        DECODE_TEST(test_json_decode__text_lengths_are_code_points),
        DECODE_TEST(test_json_decode__raw_text_counts_bytes_and_names_its_code),
        DECODE_TEST(test_json_decode__control_characters),
        DECODE_TEST(test_json_decode__characters_that_turn_the_direction),
        DECODE_TEST(test_json_decode__one_row_for_every_mistake),
        DECODE_TEST(test_json_decode__a_thousand_unknown_members),
        DECODE_TEST(test_json_decode__malformed),
        DECODE_TEST(test_json_decode__no_object),
        DECODE_TEST(test_json_decode__duplicate_keys),
        DECODE_TEST(test_json_decode__nul),
        DECODE_TEST(test_json_decode__bad_utf8),
        DECODE_TEST(test_json_decode__numbers_past_their_range),
        DECODE_TEST(test_json_decode__nesting),
        DECODE_TEST(test_json_decode__brackets_in_strings_are_no_nesting),
        DECODE_TEST(test_json_decode__texts_outlive_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
