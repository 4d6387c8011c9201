/* One call of the API without a socket: routed, run and judged as the server would. */
#ifndef SERVERY_FUZZ_API_CALL_H
#define SERVERY_FUZZ_API_CALL_H

#include "api_shop.h"

/* "METHOD target", header lines, an empty line, the body; all with $words. What it learns from the
 * answer goes to the shop. The event streams that are opened stay open until api_call_end. */
void api_call_run(struct api_shop *shop, struct str text);
void api_call_end(void);

#endif
