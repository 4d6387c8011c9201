/* The pictures in memory: how many stay, which go, and what many threads at once see. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/image_cache.h"
#include "domain/limits.h"

enum { PICTURE = 1000, MAX = 10 * PICTURE };

struct name {
    char text[IMAGE_HASH_CHARS + 1];
};

static struct str hash_of(struct name *name, int i)
{
    (void)snprintf(name->text, sizeof name->text, "%064x", (unsigned)i);
    return (struct str){name->text, IMAGE_HASH_CHARS};
}

/* A picture that says which one it is, of PICTURE bytes. */
static struct http_content *make(int i)
{
    char bytes[PICTURE];
    (void)snprintf(bytes, sizeof bytes, "%d", i);
    return http_content_create(STR("image/png"), STR_NONE, (struct str){bytes, sizeof bytes},
                               HTTP_GZIP_NEVER);
}

static void keep(struct image_cache *cache, int i)
{
    struct name name;
    http_content_unref(image_cache_keep(cache, hash_of(&name, i), make(i)));
}

static struct http_content *find(struct image_cache *cache, int i)
{
    struct name name;
    return image_cache_find(cache, hash_of(&name, i));
}

static bool has(struct image_cache *cache, int i)
{
    struct http_content *content = find(cache, i);
    http_content_unref(content);
    return content != NULL;
}

static void test_image_cache__finds_what_was_kept(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    assert_false(has(cache, 1));
    keep(cache, 1);
    keep(cache, 2);
    struct http_content *content = find(cache, 1);
    assert_non_null(content);
    assert_string_equal(content->identity.ptr, "1");
    http_content_unref(content);
    assert_true(has(cache, 2));
    assert_false(has(cache, 3));
    image_cache_destroy(cache);
    image_cache_destroy(NULL);
}

static void test_image_cache__one_of_a_kind(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    struct name name;
    struct http_content *first = image_cache_keep(cache, hash_of(&name, 1), make(1));
    size_t bytes = image_cache_bytes(cache);
    struct http_content *second = image_cache_keep(cache, hash_of(&name, 1), make(1));
    assert_ptr_equal(first, second);
    assert_int_equal(image_cache_bytes(cache), bytes);
    http_content_unref(first);
    http_content_unref(second);
    image_cache_destroy(cache);
}

static void test_image_cache__is_bounded(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    for (int i = 0; i < 1000; i++) {
        keep(cache, i);
        assert_true(image_cache_bytes(cache) <= MAX);
        assert_true(has(cache, i));
        assert_true(i < 1 || has(cache, i - 1));
    }
    assert_true(image_cache_bytes(cache) > MAX / 2);
    assert_false(has(cache, 0));
    image_cache_destroy(cache);
}

static void test_image_cache__what_was_shown_lately_stays(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    for (int i = 0; i < 100; i++) {
        keep(cache, i);
        assert_true(has(cache, 0));
    }
    assert_false(has(cache, 50));
    image_cache_destroy(cache);
}

/* It was let go of, and each client that read slowly made the next one read the same again. */
static void test_image_cache__what_is_being_sent_is_not_read_twice(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    struct name name;
    struct http_content *sent = image_cache_keep(cache, hash_of(&name, 0), make(0));
    for (int i = 1; i < 100; i++)
        keep(cache, i);
    struct http_content *again = find(cache, 0);
    assert_ptr_equal(again, sent);
    http_content_unref(sent);
    http_content_unref(again);
    for (int i = 1; i < 100; i++)
        keep(cache, i);
    assert_false(has(cache, 0));
    assert_true(image_cache_bytes(cache) <= MAX);
    image_cache_destroy(cache);
}

static void test_image_cache__one_larger_than_all_room(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(PICTURE / 2);
    struct name name;
    struct http_content *sent = image_cache_keep(cache, hash_of(&name, 1), make(1));
    assert_string_equal(sent->identity.ptr, "1");
    http_content_unref(sent);
    keep(cache, 2);
    assert_false(has(cache, 1));
    image_cache_destroy(cache);
}

enum { THREADS = 8, ROUNDS = 4000, PICTURES = 40 };

/* Gives a picture that is not the one that was asked for. */
static void *show(void *arg)
{
    struct image_cache *cache = arg;
    for (int round = 0; round < ROUNDS; round++) {
        int i = round * 7 % PICTURES;
        struct name name;
        struct http_content *content = find(cache, i);
        if (!content)
            content = image_cache_keep(cache, hash_of(&name, i), make(i));
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        if (strcmp(content->identity.ptr, text) != 0)
            return content;
        http_content_unref(content);
    }
    return NULL;
}

static void test_image_cache__many_threads(void **state)
{
    (void)state;
    struct image_cache *cache = image_cache_create(MAX);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, show, cache), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    keep(cache, PICTURES);
    assert_true(image_cache_bytes(cache) <= MAX);
    image_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_cache__finds_what_was_kept),
        cmocka_unit_test(test_image_cache__one_of_a_kind),
        cmocka_unit_test(test_image_cache__is_bounded),
        cmocka_unit_test(test_image_cache__what_was_shown_lately_stays),
        cmocka_unit_test(test_image_cache__what_is_being_sent_is_not_read_twice),
        cmocka_unit_test(test_image_cache__one_larger_than_all_room),
        cmocka_unit_test(test_image_cache__many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
