/* The menu that `servery demo` begins with. */
#ifndef SERVERY_APP_DEMO_MENU_H
#define SERVERY_APP_DEMO_MENU_H

#include "base/problem.h"
#include "store/store.h"

struct demo_menu {
    int64_t now_ms;
    struct problem *problem;
    size_t n_added; /* out: 0 if there was a food already, an archived one too */
};

/* A transaction function with a struct demo_menu: fills an empty menu, leaves any other as it
 * is. */
MUST_CHECK enum err demo_menu_fill(struct tx *tx, void *menu);

#endif
