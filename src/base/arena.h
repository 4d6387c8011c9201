/* One arena a request: what is allocated from it lives until arena_reset or arena_destroy. Not
 * thread-safe, but may be handed from thread to thread by whoever waits meanwhile. Under
 * AddressSanitizer every allocation is its own malloc, so overruns are caught.
 *
 * Out of memory ends the process at once with one line in the log (see mem_alloc): every
 * acknowledged order is durable by then, and every size a client can ask for is bounded. */
#ifndef SERVERY_BASE_ARENA_H
#define SERVERY_BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena); /* NULL is fine */
void arena_reset(struct arena *arena);   /* frees all but the first block */

void *arena_alloc(struct arena *arena, size_t size);       /* aligned for any type; not zeroed */
void *arena_zalloc(struct arena *arena, size_t size);      /* zeroed */
struct str arena_dup(struct arena *arena, struct str s);   /* NUL-terminated copy; STR_NONE stays */
const char *arena_cstr(struct arena *arena, struct str s); /* NUL-terminated copy, never NULL */
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Logs the size that could not be had and ends the process; for libraries that report ENOMEM. */
_Noreturn void mem_fail(size_t size);

/* malloc, calloc and realloc that end the process when there is no memory. Freed with free(). */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *ptr, size_t size);
char *mem_dup_cstr(const char *cstr);

#endif
