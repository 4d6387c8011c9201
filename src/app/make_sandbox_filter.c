/* Run while the program is built: prints the sandbox's filter as C (sandbox_filter.h). So the
 * server needs neither libseccomp nor its memory at its start.
 *
 * A list of what is allowed, and not of what is forbidden: kernels learn new calls every year. It
 * is what the program and its libraries use on the machines we know, by what it is for, with the
 * siblings of each that another version of a library may prefer. What is not on it fails with
 * ENOSYS, as on an older kernel, because libraries have an answer to that; an intruder's tools,
 * which nobody falls back from, with EPERM. Nothing is killed: a forgotten call costs a function,
 * not the shop. */
#include <asm/termbits.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "app/sandbox_filter.h"

static const char *const ALLOWED[] = {
    /* memory */
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mlock",
    "munlock",
    "mlock2",
    "msync",
    "mincore",
    "membarrier",
    /* threads, and the process's view of itself */
    "futex",
    "futex_waitv",
    "set_robust_list",
    "get_robust_list",
    "set_tid_address",
    "rseq",
    "gettid",
    "getpid",
    "getppid",
    "getpgrp",
    "getpgid",
    "getsid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getgroups",
    "getresuid",
    "getresgid",
    "sched_yield",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getcpu",
    "getpriority",
    "setpriority",
    "getrlimit",
    "setrlimit",
    "getrusage",
    "times",
    "uname",
    "sysinfo",
    "umask",
    "arch_prctl",
    "exit",
    "exit_group",
    "restart_syscall",
    /* signals, but for tgkill */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "sigaltstack",
    "pause",
    "signalfd4",
    /* time, and random numbers */
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "gettimeofday",
    "time",
    "nanosleep",
    "getitimer",
    "setitimer",
    "alarm",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    "getrandom",
    /* waiting */
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd",
    "eventfd2",
    "pipe",
    "pipe2",
    /* files */
    "open",
    "openat",
    "openat2",
    "creat",
    "close",
    "close_range",
    "read",
    "readv",
    "pread64",
    "preadv",
    "preadv2",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "lseek",
    "sendfile",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "ftruncate",
    "truncate",
    "fallocate",
    "fadvise64",
    "readahead",
    "stat",
    "lstat",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "chdir",
    "fchdir",
    "getdents",
    "getdents64",
    "mkdir",
    "mkdirat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "lchown",
    "utimensat",
    "flock",
    "fcntl",
    "dup",
    "dup2",
    "dup3",
    /* sockets, but for socket and socketpair */
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
};

/* Whether a descriptor is a terminal (isatty), what can be read from it, not to wait for it; and an
 * interface by its name, as in the address of a name server. */
static const uint32_t IOCTLS[] = {TCGETS,  TCGETS2,  FIONREAD,    FIONBIO,
                                  FIOCLEX, FIONCLEX, SIOCGIFINDEX};

/* A tool of an intruder. Without this table each would be ENOSYS, which looks like an old
 * kernel. */
static const char *const FORBIDDEN[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "kill",
    "tkill",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "kcmp",
    "mount",
    "umount2",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fspick",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "keyctl",
    "add_key",
    "request_key",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "setgroups",
    "capset",
    "mknod",
    "mknodat",
    "open_by_handle_at",
    "name_to_handle_at",
    "personality",
    "acct",
    "quotactl",
    "reboot",
    "swapon",
    "swapoff",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "iopl",
    "ioperm",
    "modify_ldt",
    "syslog",
    "vhangup",
    "seccomp",
    "memfd_create",
    "memfd_secret",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
};

/* A call that another architecture has not is no failure. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int n,
               const struct scmp_arg_cmp *args)
{
    int call = seccomp_syscall_resolve_name(name);

    return call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, action, call, n, args);
}

/* The kinds of sockets that HTTP, mail, names and logs need; nothing raw but netlink, by which libc
 * asks for the machine's own addresses. */
static int allow_sockets(scmp_filter_ctx filter)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    const unsigned int type_bits = ~(unsigned int)(SOCK_CLOEXEC | SOCK_NONBLOCK);
    int rc = 0;

    for (size_t i = 0; i < 3 && !rc; i++) {
        for (size_t k = 0; k < 2 && !rc; k++) {
            const struct scmp_arg_cmp args[] = {
                SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)families[i]),
                SCMP_A1_32(SCMP_CMP_MASKED_EQ, type_bits, (uint32_t)types[k])};
            rc = add(filter, SCMP_ACT_ALLOW, "socket", 2, args);
            if (!rc && families[i] == AF_UNIX)
                rc = add(filter, SCMP_ACT_ALLOW, "socketpair", 2, args);
        }
    }
    const struct scmp_arg_cmp routes[] = {SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                                          SCMP_A2_32(SCMP_CMP_EQ, 0)};
    return rc ? rc : add(filter, SCMP_ACT_ALLOW, "socket", 2, routes);
}

static int allow_some(scmp_filter_ctx filter)
{
    /* A thread; a new process, or one in namespaces of its own, has not all of these. clone3 hides
     * its flags, and libc falls back to clone. */
    const unsigned int thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const unsigned int spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    const struct scmp_arg_cmp clone[] = {SCMP_A0(SCMP_CMP_MASKED_EQ, thread | spaces, thread)};
    const struct scmp_arg_cmp own_threads[] = {SCMP_A0_32(SCMP_CMP_EQ, SANDBOX_OWN_PID)};
    const struct scmp_arg_cmp own_limits[] = {SCMP_A0_32(SCMP_CMP_EQ, 0)};
    static const int options[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ};
    int rc = add(filter, SCMP_ACT_ALLOW, "clone", 1, clone);

    if (!rc)
        rc = add(filter, SCMP_ACT_ALLOW, "tgkill", 1, own_threads);
    for (size_t i = 0; i < sizeof IOCTLS / sizeof *IOCTLS && !rc; i++) {
        const struct scmp_arg_cmp request[] = {SCMP_A1_32(SCMP_CMP_EQ, IOCTLS[i])};
        rc = add(filter, SCMP_ACT_ALLOW, "ioctl", 1, request);
    }
    if (!rc)
        rc = add(filter, SCMP_ACT_ALLOW, "prlimit64", 1, own_limits);
    for (size_t i = 0; i < sizeof options / sizeof *options && !rc; i++) {
        const struct scmp_arg_cmp option[] = {SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)options[i])};
        rc = add(filter, SCMP_ACT_ALLOW, "prctl", 1, option);
    }
    return rc ? rc : allow_sockets(filter);
}

static int make_filter(scmp_filter_ctx filter)
{
    /* A tracer may skip a call, which the kernel then shows as number -1. */
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_API_TSKIP, 1);

    if (!rc)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, -1, 0);
    if (!rc)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < sizeof ALLOWED / sizeof *ALLOWED && !rc; i++)
        rc = add(filter, SCMP_ACT_ALLOW, ALLOWED[i], 0, NULL);
    for (size_t i = 0; i < sizeof FORBIDDEN / sizeof *FORBIDDEN && !rc; i++)
        rc = add(filter, SCMP_ACT_ERRNO(EPERM), FORBIDDEN[i], 0, NULL);
    return rc ? rc : allow_some(filter);
}

/* The filter's instructions, as the rows of an array. */
static int print_filter(FILE *program)
{
    struct sock_filter row;

    rewind(program);
    while (fread(&row, sizeof row, 1, program) == 1)
        printf("    {0x%x, %u, %u, 0x%x},\n", row.code, row.jt, row.jf, row.k);
    return ferror(program) || fflush(stdout) ? -EIO : 0;
}

int main(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    FILE *program = tmpfile();
    int rc = filter && program ? make_filter(filter) : -ENOMEM;

    if (!rc)
        rc = seccomp_export_bpf(filter, fileno(program));
    puts("/* Made by make_sandbox_filter.c. */\n"
         "#include \"app/sandbox_filter.h\"\n\n"
         "const struct sock_filter sandbox_filter[] = {");
    if (!rc)
        rc = print_filter(program);
    puts("};\n\nconst size_t sandbox_filter_n = sizeof sandbox_filter / sizeof *sandbox_filter;");
    if (rc)
        fprintf(stderr, "make_sandbox_filter: %s\n", strerror(-rc));
    seccomp_release(filter);
    return rc ? 1 : 0;
}
