#include "base/json.h"

#include <jansson.h>

#include "check.h"

static struct buf out;
static struct json_writer w;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, NULL);
    json_init(&w, &out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_finish(&out);
    return 0;
}

static void test_json_write__empty_containers(void **state)
{
    (void)state;
    json_begin_object(&w, NULL);
    json_begin_object(&w, "o");
    json_end_object(&w);
    json_begin_array(&w, "a");
    json_end_array(&w);
    json_end_object(&w);
    assert_str(buf_str(&out), "{\"o\":{},\"a\":[]}");
}

static void test_json_write__commas_stand_between_values_only(void **state)
{
    (void)state;
    json_begin_array(&w, NULL);
    for (int i = 0; i < 2; i++) {
        json_begin_object(&w, NULL);
        json_int(&w, "a", i);
        json_begin_array(&w, "b");
        json_int(&w, NULL, 1);
        json_int(&w, NULL, 2);
        json_end_array(&w);
        json_bool(&w, "c", i == 0);
        json_end_object(&w);
    }
    json_end_array(&w);
    assert_str(buf_str(&out),
               "[{\"a\":0,\"b\":[1,2],\"c\":true},{\"a\":1,\"b\":[1,2],\"c\":false}]");
}

static void test_json_write__values(void **state)
{
    (void)state;
    json_begin_object(&w, NULL);
    json_int(&w, "min", INT64_MIN);
    json_int(&w, "max", INT64_MAX);
    json_put_null(&w, "null");
    json_str(&w, "none", STR_NONE);
    json_str(&w, "empty", STR(""));
    json_cstr(&w, "c", "x");
    json_cstr(&w, "no_c", NULL);
    json_time(&w, "at", 1795372800000);
    json_raw(&w, "raw", STR("{\"a\":1}"));
    json_raw(&w, "no_raw", STR_NONE);
    json_end_object(&w);
    assert_str(buf_str(&out),
               "{\"min\":-9223372036854775808,\"max\":9223372036854775807,\"null\":null,"
               "\"none\":null,\"empty\":\"\",\"c\":\"x\",\"no_c\":null,"
               "\"at\":\"2026-11-22T18:40:00.000Z\",\"raw\":{\"a\":1},\"no_raw\":null}");
}

static void test_json_write__appends_to_what_is_there(void **state)
{
    (void)state;
    buf_put_cstr(&out, "data: ");
    json_begin_object(&w, NULL);
    json_end_object(&w);
    assert_str(buf_str(&out), "data: {}");
}

static void test_json_write__escapes(void **state)
{
    (void)state;
    json_str(&w, NULL, STR("\"a\\b/\b\f\n\r\t\x01\x1f\x7f é🍛"));
    assert_str(buf_str(&out), "\"\\\"a\\\\b/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f é🍛\"");
}

static void test_json_write__jansson_reads_every_byte_back(void **state)
{
    (void)state;
    char text[2 * 128];
    for (size_t i = 0; i < 128; i++) {
        text[2 * i] = (char)i;
        text[2 * i + 1] = 'x';
    }
    json_begin_array(&w, NULL);
    json_str(&w, NULL, (struct str){text, sizeof(text)});
    json_end_array(&w);
    json_t *root = json_loadb(out.ptr, out.len, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    const json_t *value = json_array_get(root, 0);
    assert_int_equal(json_string_length(value), sizeof(text));
    assert_memory_equal(json_string_value(value), text, sizeof(text));
    json_decref(root);
}

static void test_json_write__long_texts(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, NULL);
    for (int i = 0; i < 20000; i++)
        buf_put_char(&text, i % 3 ? '"' : 'a');
    json_begin_array(&w, NULL);
    json_str(&w, NULL, buf_str(&text));
    json_end_array(&w);
    json_t *root = json_loadb(out.ptr, out.len, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_string_length(json_array_get(root, 0)), text.len);
    assert_memory_equal(json_string_value(json_array_get(root, 0)), text.ptr, text.len);
    json_decref(root);
    buf_finish(&text);
}

#define WRITE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITE_TEST(test_json_write__empty_containers),
        WRITE_TEST(test_json_write__commas_stand_between_values_only),
        WRITE_TEST(test_json_write__values),
        WRITE_TEST(test_json_write__appends_to_what_is_there),
        WRITE_TEST(test_json_write__escapes),
        WRITE_TEST(test_json_write__jansson_reads_every_byte_back),
        WRITE_TEST(test_json_write__long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
