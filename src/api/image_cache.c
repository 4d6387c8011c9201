#include "api/image_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "domain/limits.h"

enum { BUCKETS = 1024 };

struct entry {
    LIST_ENTRY(entry) in_bucket;
    TAILQ_ENTRY(entry) in_order;
    char hash[IMAGE_HASH_CHARS];
    struct http_content *content;
};

struct image_cache {
    pthread_mutex_t lock;
    size_t bytes, max_bytes;
    TAILQ_HEAD(order, entry) order; /* shown last, first */
    LIST_HEAD(bucket, entry) buckets[BUCKETS];
};

struct image_cache *image_cache_create(size_t max_bytes)
{
    struct image_cache *cache = mem_zalloc(sizeof *cache);

    cache->max_bytes = max_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    TAILQ_INIT(&cache->order);
    return cache;
}

static size_t size_of(const struct entry *entry)
{
    return sizeof *entry + sizeof *entry->content + entry->content->identity.len;
}

/* Under the lock, as all below. */
static void drop(struct image_cache *cache, struct entry *entry)
{
    cache->bytes -= size_of(entry);
    LIST_REMOVE(entry, in_bucket);
    TAILQ_REMOVE(&cache->order, entry, in_order);
    http_content_unref(entry->content);
    free(entry);
}

void image_cache_destroy(struct image_cache *cache)
{
    struct entry *entry;

    if (!cache)
        return;
    while ((entry = TAILQ_FIRST(&cache->order)))
        drop(cache, entry);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Hashes are uniform, but not keyed: who makes pictures for one bucket on purpose is an admin, and
 * slows down his own shop. */
static struct bucket *bucket_of(struct image_cache *cache, struct str hash)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 4; i++)
        number = number * 31 + (unsigned char)hash.ptr[i];
    return &cache->buckets[number % BUCKETS];
}

static struct entry *find(struct image_cache *cache, struct str hash)
{
    struct entry *entry;

    LIST_FOREACH (entry, bucket_of(cache, hash), in_bucket)
        if (memcmp(entry->hash, hash.ptr, IMAGE_HASH_CHARS) == 0)
            break;
    if (entry) {
        TAILQ_REMOVE(&cache->order, entry, in_order);
        TAILQ_INSERT_HEAD(&cache->order, entry, in_order);
    }
    return entry;
}

/* Who else refers to it took that from here, under the lock, or from another holder. */
static bool is_being_sent(const struct entry *entry)
{
    return __atomic_load_n(&entry->content->refs, __ATOMIC_ACQUIRE) > 1;
}

static void make_room(struct image_cache *cache)
{
    struct entry *entry = TAILQ_LAST(&cache->order, order);

    while (entry && cache->bytes > cache->max_bytes) {
        struct entry *before = TAILQ_PREV(entry, order, in_order);
        if (!is_being_sent(entry))
            drop(cache, entry);
        entry = before;
    }
}

struct http_content *image_cache_find(struct image_cache *cache, struct str hash)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, hash);
    struct http_content *content = entry ? http_content_ref(entry->content) : NULL;
    pthread_mutex_unlock(&cache->lock);
    return content;
}

struct http_content *image_cache_keep(struct image_cache *cache, struct str hash,
                                      struct http_content *content)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, hash);
    if (entry) {
        http_content_unref(content);
    } else {
        entry = mem_alloc(sizeof *entry);
        memcpy(entry->hash, hash.ptr, IMAGE_HASH_CHARS);
        entry->content = content;
        LIST_INSERT_HEAD(bucket_of(cache, hash), entry, in_bucket);
        TAILQ_INSERT_HEAD(&cache->order, entry, in_order);
        cache->bytes += size_of(entry);
    }
    struct http_content *kept = http_content_ref(entry->content);
    make_room(cache);
    pthread_mutex_unlock(&cache->lock);
    return kept;
}

size_t image_cache_bytes(struct image_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    size_t bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}
