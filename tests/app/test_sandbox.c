/* Inside the sandbox: what is refused, and what must go on working. Each test in a child of its
 * own, which can do nothing afterwards but tell how it went. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/sandbox.h"
#include "base/log.h"

/* Runs `fn` in the sandbox; it gives the number of what failed, 0 if nothing did. */
static int inside(int (*fn)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        log_set_level(LOG_ERROR);
        sandbox_enter();
        _exit(fn());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void skip_under_sanitizers(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#endif
}

static int refused_calls(void)
{
    static const struct {
        const char *name;
        long number, a, b, c;
    } calls[] = {
#define CALL(name, ...) {#name, SYS_##name, __VA_ARGS__}
        CALL(ptrace, PTRACE_TRACEME, 0, 0),
#ifdef SYS_fork
        CALL(fork, 0, 0, 0),
        CALL(vfork, 0, 0, 0),
#endif
        CALL(kill, 0, 0, 0),
        CALL(mount, 0, 0, 0),
        CALL(umount2, 0, 0, 0),
        CALL(chroot, (long)"/", 0, 0),
        CALL(unshare, CLONE_NEWUSER, 0, 0),
        CALL(setns, -1, 0, 0),
        CALL(bpf, 0, 0, 0),
        CALL(init_module, 0, 0, 0),
        CALL(finit_module, -1, 0, 0),
        CALL(delete_module, 0, 0, 0),
        CALL(keyctl, 0, 0, 0),
        CALL(add_key, 0, 0, 0),
        CALL(setuid, 0, 0, 0),
        CALL(setgid, 0, 0, 0),
        CALL(setresuid, -1, -1, -1),
        CALL(setgroups, 0, 0, 0),
        CALL(capset, 0, 0, 0),
        CALL(perf_event_open, 0, 0, -1),
        CALL(userfaultfd, 0, 0, 0),
        CALL(io_uring_setup, 1, 0, 0),
        CALL(io_uring_enter, -1, 0, 0),
        CALL(process_vm_readv, 0, 0, 0),
        CALL(pidfd_open, 1, 0, 0),
        CALL(seccomp, 0, 0, 0),
        CALL(memfd_create, (long)"x", 0, 0),
#undef CALL
    };
    char *const no_words[] = {NULL};

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        errno = 0;
        if (syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0, 0) != -1 ||
            errno != EPERM) {
            fprintf(stderr, "%s: %s\n", calls[i].name, strerror(errno));
            return 1;
        }
    }
    if (execve("/bin/true", no_words, no_words) != -1 || errno != EPERM)
        return 2;
    if (execveat(AT_FDCWD, "/bin/true", no_words, no_words, 0) != -1 || errno != EPERM)
        return 3;
    return 0;
}

static void test_sandbox__refuses_an_intruders_tools(void **state)
{
    (void)state;
    skip_under_sanitizers();
    assert_int_equal(inside(refused_calls), 0);
}

/* The kernel looks at the lower half of a request only, so what is in the upper one opens
 * nothing. */
static bool refuses_ioctls(void)
{
    static const unsigned long requests[] = {TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCSETD, SIOCGIFCONF};

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        for (unsigned long above = 0; above < 2; above++)
            if (syscall(SYS_ioctl, STDIN_FILENO, requests[i] | above << 32, "\3") != -1 ||
                errno != ENOSYS)
                return false;
    return true;
}

static int refused_arguments(void)
{
    static const struct {
        int family, type, protocol;
    } sockets[] = {
        {AF_INET, SOCK_RAW, IPPROTO_ICMP},
        {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
        {AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP},
        {AF_PACKET, SOCK_RAW, 0},
        {AF_PACKET, SOCK_DGRAM, 0},
        {AF_NETLINK, SOCK_RAW, 9},
        {AF_VSOCK, SOCK_STREAM, 0},
        {AF_ALG, SOCK_SEQPACKET, 0},
    };
    struct rlimit limit;

    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
        if (socket(sockets[i].family, sockets[i].type, sockets[i].protocol) != -1)
            return 1;
    if (!refuses_ioctls())
        return 2;
    if (prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit) != -1 || errno != ENOSYS)
        return 3;
    /* A process, also one that shares all but is no thread, and one in a namespace. */
    for (int i = 0; i < 3; i++) {
        static const unsigned long flags[] = {SIGCHLD, CLONE_VM | CLONE_VFORK | SIGCHLD,
                                              CLONE_NEWUSER | SIGCHLD};
        long pid = syscall(SYS_clone, flags[i], 0, 0, 0, 0);
        if (pid != -1)
            return 4;
    }
    if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
        return 5;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != -1)
        return 6;
    /* The process that started it, and all of them. */
    if (syscall(SYS_tgkill, getppid(), getppid(), 0) != -1 || errno != ENOSYS ||
        syscall(SYS_tgkill, 1, 1, 0) != -1 || errno != ENOSYS ||
        syscall(SYS_tgkill, -1, getppid(), 0) != -1 || errno != ENOSYS)
        return 8;
    /* What nobody has heard of yet looks as on an older kernel. */
    return syscall(4000) != -1 || errno != ENOSYS ? 7 : 0;
}

static void test_sandbox__refuses_by_arguments(void **state)
{
    (void)state;
    skip_under_sanitizers();
    assert_int_equal(inside(refused_arguments), 0);
}

static int status_lines(void)
{
    char line[256];
    int found = 0;
    FILE *file = fopen("/proc/self/status", "re");

    if (!file)
        return 9;
    while (fgets(line, sizeof line, file))
        found += strcmp(line, "NoNewPrivs:\t1\n") == 0 || strcmp(line, "Seccomp:\t2\n") == 0;
    fclose(file);
    return found == 2 ? 0 : 8;
}

static void test_sandbox__shows_in_the_status(void **state)
{
    (void)state;
    skip_under_sanitizers();
    assert_int_equal(inside(status_lines), 0);
}

/* ---- What goes on ---- */

static void *say_name(void *arg)
{
    *(int *)arg = pthread_setname_np(pthread_self(), "named");
    return NULL;
}

static int go_on(void)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    struct rlimit limit;
    pthread_t thread;
    int named = -1;
    char path[] = "/tmp/servery-sandbox-XXXXXX";

    if (pthread_create(&thread, NULL, say_name, &named) || pthread_join(thread, NULL) || named)
        return 1;
    if (getaddrinfo("localhost", "80", &hints, &found))
        return 2;
    freeaddrinfo(found);
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) || unlink(path) || close(fd))
        return 3;
    if (getrlimit(RLIMIT_NOFILE, &limit) || setrlimit(RLIMIT_NOFILE, &limit))
        return 4;
    if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP) < 0 ||
        socket(AF_UNIX, SOCK_DGRAM, 0) < 0)
        return 5;
    int waiting[2], n = -1, on = 1;
    if (pipe(waiting) || write(waiting[1], "xyz", 3) != 3 || ioctl(waiting[0], FIONREAD, &n) ||
        n != 3 || ioctl(waiting[0], FIONBIO, &on))
        return 7;
    errno = 0;
    if (isatty(waiting[0]) || errno != ENOTTY)
        return 8;
    if (pthread_kill(pthread_self(), SIGCHLD))
        return 9;
    return raise(SIGCHLD) ? 6 : 0;
}

static void test_sandbox__lets_a_server_work(void **state)
{
    (void)state;
    assert_int_equal(inside(go_on), 0);
}

/* A failed assertion ends it as anywhere, with its signal. */
static void test_sandbox__can_abort(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        log_set_level(LOG_ERROR);
        (void)setrlimit(RLIMIT_CORE, &no_core);
        sandbox_enter();
        (void)signal(SIGABRT, SIG_DFL);
        abort();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox__refuses_an_intruders_tools),
        cmocka_unit_test(test_sandbox__refuses_by_arguments),
        cmocka_unit_test(test_sandbox__shows_in_the_status),
        cmocka_unit_test(test_sandbox__lets_a_server_work),
        cmocka_unit_test(test_sandbox__can_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
