#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int set_up(void **state)
{
    *state = arena_create();
    return 0;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static void test_arena__allocations_are_aligned_and_apart(void **state)
{
    enum { N = 2000 };
    unsigned char *ptrs[N];
    for (size_t i = 0; i < N; i++) {
        size_t size = i * 37 % 300;
        ptrs[i] = arena_alloc(*state, size);
        assert_int_equal((uintptr_t)ptrs[i] % _Alignof(max_align_t), 0);
        memset(ptrs[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < i * 37 % 300; k++)
            assert_int_equal(ptrs[i][k], i & 0xff);
    }
}

static void test_arena__sizes_around_the_blocks(void **state)
{
    static const size_t sizes[] = {8191, 8192, 8193, 32767, 32768, 32769, 1000000, 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *ptr = arena_alloc(*state, sizes[i]);
        memset(ptr, 0xab, sizes[i]);
        unsigned char *next = arena_alloc(*state, 16);
        memset(next, 0xcd, 16);
        assert_int_equal(ptr[sizes[i] - 1], 0xab);
    }
}

static void test_arena__size_zero_is_no_null(void **state)
{
    assert_non_null(arena_alloc(*state, 0));
    assert_non_null(arena_zalloc(*state, 0));
}

static void test_arena__zalloc_clears_used_memory(void **state)
{
    memset(arena_alloc(*state, 4000), 0xff, 4000);
    arena_reset(*state);
    const unsigned char *ptr = arena_zalloc(*state, 4000);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(ptr[i], 0);
}

static void test_arena__reset_can_be_repeated(void **state)
{
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++)
            memset(arena_alloc(*state, 1000), round, 1000);
        arena_reset(*state);
        arena_reset(*state);
    }
}

static void test_arena__destroy_takes_null(void **state)
{
    (void)state;
    arena_destroy(NULL);
}

static void test_arena__dup(void **state)
{
    char original[] = "ab";
    struct str copy = arena_dup(*state, str_from(original));
    original[0] = 'x';
    assert_str(copy, "ab");
    assert_int_equal(copy.ptr[2], '\0');
    assert_str(arena_dup(*state, STR("")), "");
    assert_absent(arena_dup(*state, STR_NONE));
    copy = arena_dup(*state, STR("a\0b"));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
}

static void test_arena__cstr_is_never_null(void **state)
{
    assert_string_equal(arena_cstr(*state, (struct str){"abc", 2}), "ab");
    assert_string_equal(arena_cstr(*state, STR_NONE), "");
}

static void test_arena__printf(void **state)
{
    assert_str(arena_printf(*state, "%d-%s", 7, "x"), "7-x");
    assert_str(arena_printf(*state, "%s", ""), "");
    struct str s = arena_printf(*state, "%20000d", 1);
    assert_int_equal(s.len, 20000);
    assert_int_equal(s.ptr[19999], '1');
    assert_int_equal(s.ptr[20000], '\0');
}

static void test_mem__sizes_of_zero(void **state)
{
    (void)state;
    free(mem_alloc(0));
    free(mem_zalloc(0));
    char *text = mem_dup_cstr("abc");
    assert_string_equal(text, "abc");
    text = mem_realloc(text, 1000);
    assert_string_equal(text, "abc");
    free(mem_realloc(text, 0));
}

/* Runs `act` in a child; returns its exit status, and what it wrote on standard error. */
static int run_child(void (*act)(struct arena *), struct arena *arena, char *err, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        act(arena);
        _exit(0);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t got;
    while (len < size - 1 && (got = read(fds[0], err + len, size - 1 - len)) > 0)
        len += (size_t)got;
    err[len] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void ask_for_everything(struct arena *arena)
{
    arena_alloc(arena, SIZE_MAX);
}

static void test_arena__out_of_memory_ends_the_process_with_a_line(void **state)
{
    char err[4096];
    assert_int_equal(run_child(ask_for_everything, *state, err, sizeof(err)), EXIT_FAILURE);
    assert_non_null(strstr(err, "\"event\":\"out_of_memory\""));
}

#ifdef __SANITIZE_ADDRESS__
static void overrun(struct arena *arena)
{
    volatile char *bytes = arena_alloc(arena, 10);
    arena_alloc(arena, 10);
    bytes[10] = 'x';
}

static void test_arena__overrun_is_caught_by_the_sanitizer(void **state)
{
    char err[8192];
    assert_int_not_equal(run_child(overrun, *state, err, sizeof(err)), 0);
    assert_non_null(strstr(err, "heap-buffer-overflow"));
}
#endif

#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_arena__allocations_are_aligned_and_apart),
        ARENA_TEST(test_arena__sizes_around_the_blocks),
        ARENA_TEST(test_arena__size_zero_is_no_null),
        ARENA_TEST(test_arena__zalloc_clears_used_memory),
        ARENA_TEST(test_arena__reset_can_be_repeated),
        ARENA_TEST(test_arena__destroy_takes_null),
        ARENA_TEST(test_arena__dup),
        ARENA_TEST(test_arena__cstr_is_never_null),
        ARENA_TEST(test_arena__printf),
        ARENA_TEST(test_mem__sizes_of_zero),
        ARENA_TEST(test_arena__out_of_memory_ends_the_process_with_a_line),
#ifdef __SANITIZE_ADDRESS__
        ARENA_TEST(test_arena__overrun_is_caught_by_the_sanitizer),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
