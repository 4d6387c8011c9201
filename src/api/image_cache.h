/* Pictures that were shown lately, in memory, so that a menu full of them asks the database for
 * each but once. A picture never changes under its hash, so nothing here goes stale; one that was
 * swept is at most shown a little longer. */
#ifndef SERVERY_API_IMAGE_CACHE_H
#define SERVERY_API_IMAGE_CACHE_H

#include "net/http.h"

struct image_cache;

enum { IMAGE_CACHE_MAX_BYTES = 16 * 1024 * 1024 };

struct image_cache *image_cache_create(size_t max_bytes);
void image_cache_destroy(struct image_cache *cache); /* NULL is fine */

/* Any thread, here and below. The hash has IMAGE_HASH_CHARS hex digits. NULL if it is not here;
 * else a reference for the caller. */
struct http_content *image_cache_find(struct image_cache *cache, struct str hash);

/* Keeps the content, whose reference the cache takes over, and lets go of those that were shown the
 * longest ago, as many as are needed to stay within max_bytes. Those that are being sent are passed
 * over: their bytes would stay, and the next one who asks would read them a second time. Gives a
 * reference to what is kept under the hash, which may be what another thread brought. */
struct http_content *image_cache_keep(struct image_cache *cache, struct str hash,
                                      struct http_content *content);

size_t image_cache_bytes(struct image_cache *cache);

#endif
