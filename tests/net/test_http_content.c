/* Conditional and compressed answers over real sockets. */
#include "http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_http_content__conditional(void **state)
{
    static const char *const matching[] = {"\"v1\"", "W/\"v1\"", "*", "\"x\", W/\"v1\" , \"y\""};
    static const char *const other[] = {"\"v2\"", "v1", "\"V1\"", ""};
    struct rig *rig = *state;
    char request[256];
    rig_start(rig);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(request, sizeof request,
                       "GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", matching[i]);
        struct answer answer = rig_ask(rig, request);
        assert_int_equal(answer.status, 304);
        expect_header(&answer, "ETag", "\"v1\"");
        expect_header(&answer, "Content-Type", NULL);
        answer_finish(&answer);
        (void)snprintf(request, sizeof request,
                       "GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", other[i]);
        expect_body(rig, request, 200, "tagged");
    }
    struct answer answer =
        rig_ask(rig, "GET /menu HTTP/1.1\r\n" HOST "If-None-Match: \"menu\"\r\n\r\n");
    assert_int_equal(answer.status, 304);
    expect_header(&answer, "Vary", "Accept-Encoding");
    expect_header(&answer, "Cache-Control", "no-cache");
    answer_finish(&answer);
}

/* Compressing for an answer without a body was work for nobody, and each new menu asked it anew. */
static void test_http_content__not_modified_compresses_nothing(void **state)
{
    struct rig *rig = *state;
    rig_start(rig);
    struct answer answer = rig_ask(rig, "GET /menu HTTP/1.1\r\n" HOST "If-None-Match: \"menu\"\r\n"
                                        "Accept-Encoding: gzip\r\n\r\n");
    assert_int_equal(answer.status, 304);
    expect_header(&answer, "ETag", "\"menu\"");
    expect_header(&answer, "Vary", "Accept-Encoding");
    expect_header(&answer, "Content-Encoding", NULL);
    assert_null(__atomic_load_n(&rig->menu->gzip, __ATOMIC_ACQUIRE));
    answer_finish(&answer);
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n"),
                     200);
    assert_non_null(__atomic_load_n(&rig->menu->gzip, __ATOMIC_ACQUIRE));
}

static void *compress_menu(void *arg)
{
    struct http_content *content = arg;
    struct str gzip = http_content_gzip(content);
    return gzip.ptr ? (void *)(uintptr_t)gzip.ptr : NULL;
}

/* However many ask at once, one compresses; the others do without. */
static void test_http_content__content_compressed_once(void **state)
{
    enum { THREADS = 8 };
    struct rig *rig = *state;
    pthread_t threads[THREADS];
    rig_start(rig);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compress_menu, rig->menu), 0);
    const char *made = NULL;
    for (int i = 0; i < THREADS; i++) {
        void *got;
        assert_int_equal(pthread_join(threads[i], &got), 0);
        assert_true(!got || !made || got == made);
        made = got ? got : made;
    }
    assert_non_null(made);
    assert_ptr_equal(http_content_gzip(rig->menu).ptr, made);
}

static size_t gunzip(const struct answer *answer, char *out, size_t size)
{
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)answer->body;
    z.avail_in = (uInt)answer->body_len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)size;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    (void)inflateEnd(&z);
    return z.total_out;
}

static void expect_coding(struct rig *rig, const char *accepted, const char *coding,
                          struct str bytes)
{
    char request[256];
    (void)snprintf(request, sizeof request,
                   "GET /menu HTTP/1.1\r\n" HOST "Accept-Encoding: %s\r\n\r\n", accepted);
    struct answer answer = rig_ask(rig, request);
    expect_header(&answer, "Content-Encoding", coding);
    expect_header(&answer, "Vary", "Accept-Encoding");
    expect_header(&answer, "ETag", coding ? "W/\"menu\"" : "\"menu\"");
    assert_int_equal(answer.body_len, bytes.len);
    assert_memory_equal(answer.body, bytes.ptr, bytes.len);
    answer_finish(&answer);
}

static void test_http_content__gzip(void **state)
{
    static const char *const accepting[] = {"gzip", "br, GZIP;q=0.5", "*", "gzip;q=1.0, *;q=0",
                                            "deflate , gzip ; q=0.001"};
    static const char *const refusing[] = {"",      "gzip;q=0", "identity", "*, gzip;q=0.000",
                                           "xgzip", "br",       "*;q=0"};
    static const char *const paths[] = {"/big", "/menu"};
    struct rig *rig = *state;
    static char plain[65536];
    char request[256];
    rig_start(rig);
    for (size_t p = 0; p < 2; p++) {
        struct answer bare = rig_ask(rig, p == 0 ? GET("/big") : GET("/menu"));
        expect_header(&bare, "Content-Encoding", NULL);
        expect_header(&bare, "Vary", "Accept-Encoding");
        for (size_t i = 0; i < 5; i++) {
            (void)snprintf(request, sizeof request,
                           "GET %s HTTP/1.1\r\n" HOST "Accept-Encoding: %s\r\n\r\n", paths[p],
                           accepting[i]);
            struct answer answer = rig_ask(rig, request);
            expect_header(&answer, "Content-Encoding", "gzip");
            expect_header(&answer, "Vary", "Accept-Encoding");
            expect_header(&answer, "ETag", p == 0 ? NULL : "W/\"menu\"");
            assert_int_equal(gunzip(&answer, plain, sizeof plain), bare.body_len);
            assert_memory_equal(plain, bare.body, bare.body_len);
            answer_finish(&answer);
        }
        for (size_t i = 0; i < 7; i++) {
            (void)snprintf(request, sizeof request,
                           "GET %s HTTP/1.1\r\n" HOST "Accept-Encoding: %s\r\n\r\n", paths[p],
                           refusing[i]);
            struct answer answer = rig_ask(rig, request);
            expect_header(&answer, "Content-Encoding", NULL);
            assert_int_equal(answer.body_len, bare.body_len);
            answer_finish(&answer);
        }
        answer_finish(&bare);
    }
    struct answer small =
        rig_ask(rig, "GET /read HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    expect_header(&small, "Content-Encoding", NULL);
    expect_header(&small, "Vary", NULL);
    answer_finish(&small);
}

/* Whatever was compressed at build time is sent as it is: the server itself knows no brotli. */
static void test_http_content__brotli_comes_first(void **state)
{
    static const char *const taking[] = {"br", "gzip, br",   "br;q=0.5, gzip",
                                         "*",  "BR;q=0.001", "gzip;q=0, *"};
    static const char *const gzipping[] = {"gzip", "br;q=0, gzip", "*, br;q=0", "xbr, gzip"};
    static const char *const refusing[] = {"", "identity", "*;q=0", "br;q=0",
                                           "br;q=0.000, gzip;q=0"};
    static char bytes[5000];
    struct rig *rig = *state;
    struct http_content *menu = rig->menu;
    memset(bytes, 'b', sizeof bytes);
    rig->menu = http_content_create_packed(menu->type, menu->etag, http_content_gzip(menu),
                                           (struct str){bytes, sizeof bytes});
    rig_start(rig);
    for (size_t i = 0; i < sizeof taking / sizeof *taking; i++)
        expect_coding(rig, taking[i], "br", (struct str){bytes, sizeof bytes});
    for (size_t i = 0; i < sizeof gzipping / sizeof *gzipping; i++)
        expect_coding(rig, gzipping[i], "gzip", http_content_gzip(menu));
    assert_null(__atomic_load_n(&rig->menu->plain, __ATOMIC_ACQUIRE)); /* nobody has needed it */
    for (size_t i = 0; i < sizeof refusing / sizeof *refusing; i++)
        expect_coding(rig, refusing[i], NULL, menu->identity);
    struct answer known = rig_ask(rig, "GET /menu HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\n"
                                       "If-None-Match: W/\"menu\"\r\n\r\n");
    assert_int_equal(known.status, 304);
    expect_header(&known, "Content-Encoding", NULL);
    expect_header(&known, "Vary", "Accept-Encoding");
    answer_finish(&known);
    http_content_unref(menu);
}

static void *unpack_menu(void *arg)
{
    return (void *)(uintptr_t)http_content_plain(arg).ptr;
}

/* Each client without gzip had the loop unpack for it alone. */
static void test_http_content__packed_content_is_unpacked_once(void **state)
{
    enum { THREADS = 8 };
    struct rig *rig = *state;
    struct http_content *menu = rig->menu;
    pthread_t threads[THREADS];
    char plain[65536];
    rig->menu =
        http_content_create_packed(menu->type, menu->etag, http_content_gzip(menu), STR_NONE);
    rig_start(rig);
    struct answer packed =
        rig_ask(rig, "GET /menu HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    expect_header(&packed, "Content-Encoding", "gzip");
    expect_header(&packed, "ETag", "W/\"menu\"");
    assert_int_equal(gunzip(&packed, plain, sizeof plain), menu->identity.len);
    answer_finish(&packed);
    assert_int_equal(rig_status(rig, "GET /menu HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n"),
                     304);
    assert_null(__atomic_load_n(&rig->menu->plain, __ATOMIC_ACQUIRE)); /* nobody has needed it */

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, unpack_menu, rig->menu), 0);
    for (int i = 0; i < THREADS; i++) {
        void *made;
        assert_int_equal(pthread_join(threads[i], &made), 0);
        assert_ptr_equal(made, http_content_plain(rig->menu).ptr);
    }
    struct answer bare = rig_ask(rig, GET("/menu"));
    expect_header(&bare, "Content-Encoding", NULL);
    expect_header(&bare, "Vary", "Accept-Encoding");
    expect_header(&bare, "ETag", "\"menu\"");
    assert_int_equal(bare.body_len, menu->identity.len);
    assert_memory_equal(bare.body, menu->identity.ptr, menu->identity.len);
    answer_finish(&bare);
    assert_ptr_equal(http_content_plain(menu).ptr, menu->identity.ptr); /* it is not packed */
    http_content_unref(menu);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_http_content__##name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(conditional),
        TEST(not_modified_compresses_nothing),
        TEST(content_compressed_once),
        TEST(gzip),
        TEST(brotli_comes_first),
        TEST(packed_content_is_unpacked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
