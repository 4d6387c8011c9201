#include "app/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app/sandbox_filter.h"
#include "base/arena.h"
#include "base/log.h"

/* Sanitizers end by tracing their own process, from a helper that is no thread. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANDBOX_POSSIBLE = 0 };
#else
enum { SANDBOX_POSSIBLE = 1 };
#endif

static void put_own_pid(struct sock_filter *rows, size_t n)
{
    size_t n_put = 0;

    for (size_t i = 0; i < n; i++) {
        if (rows[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && rows[i].k == SANDBOX_OWN_PID) {
            rows[i].k = (uint32_t)getpid();
            n_put++;
        }
    }
    assert(n_put == 1);
}

void sandbox_enter(void)
{
    if (geteuid() == 0)
        log_line(LOG_WARN, "running_as_root",
                 LOG_CSTR("hint", "run the server as a user of its own"));
    if (!SANDBOX_POSSIBLE)
        return;
    size_t size = sandbox_filter_n * sizeof *sandbox_filter;
    struct sock_filter *rows = mem_alloc(size);
    memcpy(rows, sandbox_filter, size);
    put_own_pid(rows, sandbox_filter_n);
    const struct sock_fprog filter = {(unsigned short)sandbox_filter_n, rows};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        log_line(LOG_WARN, "sandbox_unavailable", LOG_CSTR("error", strerrordesc_np(errno)),
                 LOG_CSTR("hint", "the server runs without; see whether the kernel has seccomp"));
    free(rows);
}
