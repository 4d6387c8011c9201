/* The pictures of the sample menu, inside the binary: drawn at build time from web/pictures, and
 * written as a table by script/embed-pictures.py. */
#ifndef SERVERY_APP_DEMO_PICTURES_H
#define SERVERY_APP_DEMO_PICTURES_H

#include "base/str.h"

struct demo_picture {
    const char *name;
    struct str bytes; /* a whole WebP file */
};

extern const struct demo_picture DEMO_PICTURES[];
extern const size_t DEMO_PICTURES_N;

#endif
