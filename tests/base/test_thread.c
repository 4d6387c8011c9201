#include "base/thread.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

struct seen {
    pthread_mutex_t until_named;
    char name[16];
    size_t stack_bytes;
};

static void *look(void *arg)
{
    struct seen *seen = arg;
    pthread_attr_t attr;

    assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
    assert_int_equal(pthread_attr_getstacksize(&attr, &seen->stack_bytes), 0);
    pthread_attr_destroy(&attr);
    pthread_mutex_lock(&seen->until_named);
    pthread_mutex_unlock(&seen->until_named);
    return arg;
}

static void look_by(void (*start)(pthread_t *, const char *, void *(*)(void *), void *),
                    struct seen *ret_seen)
{
    pthread_t thread;
    void *back;

    pthread_mutex_init(&ret_seen->until_named, NULL);
    pthread_mutex_lock(&ret_seen->until_named);
    start(&thread, "a name", look, ret_seen);
    assert_int_equal(pthread_getname_np(thread, ret_seen->name, sizeof(ret_seen->name)), 0);
    pthread_mutex_unlock(&ret_seen->until_named);
    assert_int_equal(pthread_join(thread, &back), 0);
    assert_ptr_equal(back, ret_seen);
    pthread_mutex_destroy(&ret_seen->until_named);
}

static void test_thread_start__has_its_name_and_stack(void **state)
{
    struct seen one, one_of_many;

    (void)state;
    /* First: a thread may be given the stack of one that has ended, if not much larger. */
    look_by(thread_start_small, &one_of_many);
    assert_string_equal(one_of_many.name, "a name");
    look_by(thread_start, &one);
    assert_string_equal(one.name, "a name");
    assert_true(one_of_many.stack_bytes <= THREAD_SMALL_STACK_BYTES);
    assert_true(one.stack_bytes > one_of_many.stack_bytes);
}

#ifndef SANITIZED
static void test_thread_start__no_room_ends_the_process(void **state)
{
    int out[2], status;
    char text[512];

    (void)state;
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {4096, 4096};
        pthread_t thread;

        dup2(out[1], STDERR_FILENO);
        setrlimit(RLIMIT_AS, &none);
        thread_start(&thread, "a name", look, NULL);
        _exit(EXIT_SUCCESS);
    }
    close(out[1]);
    ssize_t n = read(out[0], text, sizeof(text) - 1);
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "\"event\":\"thread_failed\""));
    assert_non_null(strstr(text, "\"thread\":\"a name\""));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef SANITIZED
        /* First: the stack of a thread that has ended is kept for the next one. */
        cmocka_unit_test(test_thread_start__no_room_ends_the_process),
#endif
        cmocka_unit_test(test_thread_start__has_its_name_and_stack),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
