/* Pictures judged by their bytes: what kind of file it is, whether it is there from its first to
 * its last part, and how large the picture is. Nothing is decoded. */
#ifndef SERVERY_DOMAIN_IMAGE_H
#define SERVERY_DOMAIN_IMAGE_H

#include "base/str.h"

enum image_type { IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP };

struct image {
    enum image_type type;
    int64_t width, height; /* pixels, 1 or more; of an animation its canvas */
};

/* False for anything but a whole JPEG, PNG or WebP: every length in it must hold, and its end must
 * be there. Any bytes will do. */
bool image_read(struct str bytes, struct image *ret_image);

bool image_fits(const struct image *image); /* IMAGE_SIDE_MAX */

struct str image_type_text(enum image_type type);                  /* "image/png" */
bool image_type_parse(struct str text, enum image_type *ret_type); /* without case */

#endif
