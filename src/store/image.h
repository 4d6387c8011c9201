/* Pictures of foods, by the hash of their bytes. A food names one in image_hash; several may name
 * the same. What no food names is swept, but not at once: pages that are open still show it. */
#ifndef SERVERY_STORE_IMAGE_H
#define SERVERY_STORE_IMAGE_H

#include "domain/image.h"
#include "store/food.h"

/* A transaction function: keeps the picture and makes the food name it. food_not_found. Emits
 * STORE_EVENT_FOOD. */
struct image_put {
    struct food_edit edit; /* with food_id, now_ms, problem; out: the food */
    struct str hash;       /* IMAGE_HASH_CHARS hex digits */
    struct image image;
    struct str bytes;
};
MUST_CHECK enum err image_put(struct tx *tx, void *put);

/* A transaction function with a struct food_edit: the food has no picture any more; nothing happens
 * to one that has none. food_not_found. Emits STORE_EVENT_FOOD. */
MUST_CHECK enum err image_remove(struct tx *tx, void *edit);

/* A food no longer names it: from now on the sweeper looks at it. STR_NONE: nothing to do. */
MUST_CHECK enum err image_release(struct tx *tx, struct str hash, int64_t now_ms);

/* A read: the picture of that hash. */
struct image_find {
    struct str hash;
    bool found; /* out */
    struct str type, bytes;
};
MUST_CHECK enum err image_find(struct tx *tx, void *find);

#endif
