/* What a server gives away at its start because it never needs it, so that who breaks in gets
 * less. */
#ifndef SERVERY_APP_SANDBOX_H
#define SERVERY_APP_SANDBOX_H

#include "base/err.h"

/* For this thread and all that it starts: no new privileges, and no system calls but those that
 * serving takes. What the kernel does not offer is logged, and gone without. To be called before
 * the first thread is started. */
void sandbox_enter(void);

#endif
