#include "base/buf.h"

#include <string.h>

#include "check.h"

/* Every test runs on the heap and in an arena. */
struct bufs {
    struct arena *arena;
    struct buf all[2];
};

static struct bufs bufs;

static int set_up(void **state)
{
    bufs.arena = arena_create();
    buf_init(&bufs.all[0], NULL);
    buf_init(&bufs.all[1], bufs.arena);
    *state = &bufs;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_finish(&bufs.all[0]);
    buf_finish(&bufs.all[1]);
    arena_destroy(bufs.arena);
    return 0;
}

static void test_buf__empty_is_no_null(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        assert_str(buf_str(&b->all[i]), "");
        buf_put(&b->all[i], NULL, 0);
        buf_put_str(&b->all[i], STR_NONE);
        assert_null(b->all[i].ptr); /* nothing allocated yet */
    }
}

static void test_buf__puts_in_order(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        struct buf *buf = &b->all[i];
        buf_put(buf, "ab", 2);
        buf_put_str(buf, STR("cd"));
        buf_put_cstr(buf, "ef");
        buf_put_char(buf, 'g');
        buf_put_int(buf, -12);
        buf_printf(buf, "%s%d", "h", 3);
        assert_str(buf_str(buf), "abcdefg-12h3");
    }
}

static void test_buf__keeps_nul_bytes(void **state)
{
    struct bufs *b = *state;
    buf_put_str(&b->all[0], STR("a\0b"));
    assert_int_equal(b->all[0].len, 3);
    assert_memory_equal(b->all[0].ptr, "a\0b", 3);
}

static void test_buf__grows_byte_by_byte(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        struct buf *buf = &b->all[i];
        for (size_t n = 0; n < 100000; n++)
            buf_put_char(buf, (char)('a' + n % 26));
        assert_int_equal(buf->len, 100000);
        for (size_t n = 0; n < 100000; n++)
            assert_int_equal(buf->ptr[n], 'a' + n % 26);
    }
}

static void test_buf__printf_of_every_length(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        struct buf *buf = &b->all[i];
        size_t sum = 0;
        for (int width = 1; width < 600; width++) {
            buf_printf(buf, "%*d", width, 7);
            sum += (size_t)width;
            assert_int_equal(buf->len, sum);
            assert_int_equal(buf->ptr[sum - 1], '7');
        }
        buf_printf(buf, "%s", "");
        assert_int_equal(buf->len, sum);
    }
}

static void test_buf__html_is_text_everywhere(void **state)
{
    struct bufs *b = *state;
    buf_put_html(&b->all[0], STR("<b a=\"1\" c='2'>&amp; Zo\xc3\xab</b>"));
    assert_str(buf_str(&b->all[0]),
               "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp; Zo\xc3\xab&lt;/b&gt;");
    buf_put_html(&b->all[1], STR_NONE);
    assert_int_equal(b->all[1].len, 0);
}

static void test_buf__int_limits(void **state)
{
    struct bufs *b = *state;
    buf_put_int(&b->all[0], INT64_MIN);
    buf_put_char(&b->all[0], ' ');
    buf_put_int(&b->all[0], INT64_MAX);
    assert_str(buf_str(&b->all[0]), "-9223372036854775808 9223372036854775807");
}

static void test_buf__reserve_makes_room_without_moving_len(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        struct buf *buf = &b->all[i];
        buf_put_cstr(buf, "ab");
        memset(buf_reserve(buf, 5000), 'x', 5000);
        assert_int_equal(buf->len, 2);
        assert_true(buf->cap >= 5002);
        buf->len += 5000;
        assert_int_equal(buf->ptr[5001], 'x');
        assert_non_null(buf_reserve(buf, 0));
    }
}

static void test_buf__can_be_used_again_after_finish(void **state)
{
    struct bufs *b = *state;
    for (size_t i = 0; i < COUNT(b->all); i++) {
        buf_put_cstr(&b->all[i], "old");
        buf_finish(&b->all[i]);
        buf_put_cstr(&b->all[i], "new");
        assert_str(buf_str(&b->all[i]), "new");
    }
}

#define BUF_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUF_TEST(test_buf__empty_is_no_null),
        BUF_TEST(test_buf__puts_in_order),
        BUF_TEST(test_buf__keeps_nul_bytes),
        BUF_TEST(test_buf__grows_byte_by_byte),
        BUF_TEST(test_buf__printf_of_every_length),
        BUF_TEST(test_buf__html_is_text_everywhere),
        BUF_TEST(test_buf__int_limits),
        BUF_TEST(test_buf__reserve_makes_room_without_moving_len),
        BUF_TEST(test_buf__can_be_used_again_after_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
