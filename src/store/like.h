/* Searching with LIKE: how a needle becomes a pattern, in one place with its escape. For src/store/
 * only. */
#ifndef SERVERY_STORE_LIKE_H
#define SERVERY_STORE_LIKE_H

#include "base/arena.h"

/* Goes after `LIKE $n`. No backslash: engines differ in what it means inside a text. */
#define LIKE_ESCAPE "ESCAPE '!'"

/* A pattern that finds the needle anywhere, its own % and _ taken literally; STR_NONE stays. The
 * case rule of LIKE differs between engines: fold both the needle and what is searched. */
struct str like_pattern(struct arena *arena, struct str needle);

#endif
