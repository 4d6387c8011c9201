#include "app/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app/sandbox_filter.h"
#include "base/log.h"

/* Sanitizers end by tracing their own process, from a helper that is no thread. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANDBOX_POSSIBLE = 0 };
#else
enum { SANDBOX_POSSIBLE = 1 };
#endif

void sandbox_enter(void)
{
    if (geteuid() == 0)
        log_line(LOG_WARN, "running_as_root",
                 LOG_CSTR("hint", "run the server as a user of its own"));
    if (!SANDBOX_POSSIBLE)
        return;
    const struct sock_fprog filter = {(unsigned short)sandbox_filter_n,
                                      (struct sock_filter *)(uintptr_t)sandbox_filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        log_line(LOG_WARN, "sandbox_unavailable", LOG_CSTR("error", strerrordesc_np(errno)),
                 LOG_CSTR("hint", "the server runs without; see whether the kernel has seccomp"));
}
