/* The pages and the API's description, inside the binary: generated at build time by
 * script/embed-assets.py from what web/build.mjs made. */
#ifndef SERVERY_API_ASSETS_H
#define SERVERY_API_ASSETS_H

#include <stdbool.h>

#include "base/str.h"

struct asset {
    const char *name;   /* if it is immutable with a hash of its content: /assets/{name} */
    const char *source; /* the name of the file that it was made from; "": of several */
    const char *type;
    bool immutable;
    struct str plain, gzip, brotli; /* plain alone, or gzip and perhaps brotli */
};

extern const struct asset ASSETS[];
extern const size_t ASSETS_N;

#endif
