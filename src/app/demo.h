/* The sample shop of `servery demo`. */
#ifndef SERVERY_APP_DEMO_H
#define SERVERY_APP_DEMO_H

#include "store/store.h"

#define DEMO_ADMIN_EMAIL "admin@example.com"
#define DEMO_ADMIN_PASSWORD "servery-demo"

/* Fills an empty database (no user, no food) with the sample menu and the admin; leaves any other
 * as it is. */
MUST_CHECK enum err demo_fill(struct store *store, struct arena *arena);

#endif
