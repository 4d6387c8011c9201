#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "check.h"

/* Standard error is a file while a test runs, and cmocka's again before anything is asserted that
 * might want to print. */
struct capture {
    int saved_fd;
    FILE *file;
};

static void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->saved_fd = dup(STDERR_FILENO);
    assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

/* Returns what was written, to be freed. */
static char *capture_end(struct capture *capture)
{
    dup2(capture->saved_fd, STDERR_FILENO);
    close(capture->saved_fd);
    fseek(capture->file, 0, SEEK_END);
    long size = ftell(capture->file);
    char *text = calloc(1, (size_t)size + 1);
    rewind(capture->file);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, capture->file), size);
    fclose(capture->file);
    return text;
}

/* The one line in `text` as an object; frees the text. */
static json_t *parse_line(char *text)
{
    size_t len = strlen(text);
    assert_true(len > 0 && len <= 4096);
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("%s in %s", error.text, text);
    free(text);
    return root;
}

static const char *member(const json_t *root, const char *key)
{
    const char *value = json_string_value(json_object_get(root, key));
    assert_non_null(value);
    return value;
}

static void test_log__line_holds_its_fields(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_line(LOG_WARN, "listening", LOG_CSTR("address", "127.0.0.1"), LOG_INT("port", -8080),
             LOG_STR("none", STR_NONE));
    json_t *root = parse_line(capture_end(&capture));
    int64_t ms = 0;
    assert_true(clock_parse(str_from(member(root, "time")), &ms));
    assert_true(clock_now_ms() - ms < MINUTE_MS);
    assert_string_equal(member(root, "level"), "warn");
    assert_string_equal(member(root, "event"), "listening");
    assert_string_equal(member(root, "address"), "127.0.0.1");
    assert_int_equal(json_integer_value(json_object_get(root, "port")), -8080);
    assert_true(json_is_null(json_object_get(root, "none")));
    assert_null(json_object_get(root, "request_id"));
    json_decref(root);
}

static void test_log__line_without_fields(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_line(LOG_ERROR, "stopped");
    json_t *root = parse_line(capture_end(&capture));
    assert_string_equal(member(root, "level"), "error");
    assert_int_equal(json_object_size(root), 3);
    json_decref(root);
}

static void test_log__request_id_until_set_again(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_set_request_id(STR("abc"));
    log_line(LOG_INFO, "x");
    json_t *root = parse_line(capture_end(&capture));
    assert_string_equal(member(root, "request_id"), "abc");
    json_decref(root);

    capture_begin(&capture);
    log_set_request_id(STR_NONE);
    log_line(LOG_INFO, "x");
    root = parse_line(capture_end(&capture));
    assert_null(json_object_get(root, "request_id"));
    json_decref(root);
}

static void test_log__levels_below_the_lowest_are_silent(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_line(LOG_DEBUG, "a");
    log_set_level(LOG_WARN);
    log_line(LOG_INFO, "b");
    log_line(LOG_WARN, "c");
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "d");
    log_set_level(LOG_INFO);
    char *text = capture_end(&capture);
    assert_null(strstr(text, "\"a\""));
    assert_null(strstr(text, "\"b\""));
    assert_non_null(strstr(text, "\"c\""));
    assert_non_null(strstr(text, "\"d\""));
    free(text);
}

static void test_log__escapes_so_that_no_line_can_be_forged(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_line(LOG_INFO, "x", LOG_CSTR("a", "q\"\\\n{\"level\":\"error\"}\r\t\x1b[0m\x7f é🍛"));
    json_t *root = parse_line(capture_end(&capture));
    assert_string_equal(member(root, "a"), "q\"\\\n{\"level\":\"error\"}\r\t\x1b[0m\x7f é🍛");
    json_decref(root);
}

static void test_log__bad_utf8_is_replaced(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_line(LOG_INFO, "x",
             LOG_CSTR("a", "b\xff"
                           "c\xc3"),
             LOG_CSTR("s", "\xed\xa0\x80"));
    json_t *root = parse_line(capture_end(&capture));
    assert_string_equal(member(root, "a"), "b\uFFFDc\uFFFD");
    assert_int_equal(strncmp(member(root, "s"), "\uFFFD", strlen("\uFFFD")), 0);
    json_decref(root);
}

static void test_log__long_values_are_cut(void **state)
{
    (void)state;
    /* Characters of one to six bytes of output, so that the cut falls everywhere. */
    static const char *const units[] = {"a", "é", "日", "🍛", "\"", "\x01", "\xff"};
    for (size_t i = 0; i < COUNT(units); i++) {
        for (size_t shift = 0; shift < 6; shift++) {
            char value[8200] = "xxxxxx";
            size_t len = shift;
            while (len + strlen(units[i]) < sizeof(value)) {
                memcpy(value + len, units[i], strlen(units[i]));
                len += strlen(units[i]);
            }
            struct capture capture;
            capture_begin(&capture);
            log_line(LOG_INFO, "x", LOG_STR("a", ((struct str){value, len})), LOG_INT("after", 1));
            json_t *root = parse_line(capture_end(&capture));
            const char *a = member(root, "a");
            assert_true(strlen(a) > 100 && strlen(a) <= 1024);
            assert_string_equal(a + strlen(a) - strlen("…"), "…");
            assert_int_equal(json_integer_value(json_object_get(root, "after")), 1);
            json_decref(root);
        }
    }
}

static void test_log__full_line_stays_json(void **state)
{
    (void)state;
    char value[1000];
    memset(value, 'v', sizeof(value));
    for (size_t len = 600; len <= sizeof(value); len++) {
        struct str s = {value, len};
        struct capture capture;
        capture_begin(&capture);
        log_line(LOG_INFO, "x", LOG_STR("a", s), LOG_STR("b", s), LOG_STR("c", s), LOG_STR("d", s),
                 LOG_STR("e", s), LOG_STR("f", s), LOG_INT("g", INT64_MIN));
        json_t *root = parse_line(capture_end(&capture));
        assert_int_equal(strlen(member(root, "a")), len);
        json_decref(root);
    }
}

static void test_log__leaves_errno_alone(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOENT;
    log_line(LOG_INFO, "x");
    int after = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(after, ENOENT);
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *arg)
{
    char id[2] = {*(const char *)arg, '\0'};
    log_set_request_id((struct str){id, 1});
    for (int i = 0; i < LINES; i++)
        log_line(LOG_INFO, "x", LOG_CSTR("thread", id), LOG_INT("i", i));
    return NULL;
}

static void test_log__lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static const char ids[] = "abcd";
    pthread_t threads[THREADS];
    struct capture capture;
    capture_begin(&capture);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&ids[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *text = capture_end(&capture);
    int count = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) && *line; count++) {
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        assert_string_equal(member(root, "thread"), member(root, "request_id"));
        json_decref(root);
    }
    assert_int_equal(count, THREADS * LINES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__line_holds_its_fields),
        cmocka_unit_test(test_log__line_without_fields),
        cmocka_unit_test(test_log__request_id_until_set_again),
        cmocka_unit_test(test_log__levels_below_the_lowest_are_silent),
        cmocka_unit_test(test_log__escapes_so_that_no_line_can_be_forged),
        cmocka_unit_test(test_log__bad_utf8_is_replaced),
        cmocka_unit_test(test_log__long_values_are_cut),
        cmocka_unit_test(test_log__full_line_stays_json),
        cmocka_unit_test(test_log__leaves_errno_alone),
        cmocka_unit_test(test_log__lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
