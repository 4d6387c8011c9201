#include "api/session_hints.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

/* A hash is uniform and keyed, so its first bytes choose the set. In a full set the hint that was
 * kept first makes room. */
enum { SETS = 1024, WAYS = 4, LOCKS = 32 };

struct hint {
    unsigned char token_hash[CRYPTO_HASH_BYTES];
    struct session session; /* id 0: empty */
};

struct set {
    struct hint ways[WAYS];
    unsigned next;
};

struct session_hints {
    pthread_mutex_t locks[LOCKS];
    struct set sets[SETS];
};

struct session_hints *session_hints_create(void)
{
    struct session_hints *hints = mem_zalloc(sizeof *hints);

    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&hints->locks[i], NULL);
    return hints;
}

void session_hints_destroy(struct session_hints *hints)
{
    if (!hints)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&hints->locks[i]);
    free(hints);
}

static size_t set_of(struct str token_hash)
{
    uint32_t first;
    memcpy(&first, token_hash.ptr, sizeof first);
    return first % SETS;
}

/* Under the set's lock; NULL if there is none. */
static struct hint *find(struct set *set, struct str token_hash)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct hint *hint = &set->ways[i];
        if (hint->session.id && memcmp(hint->token_hash, token_hash.ptr, CRYPTO_HASH_BYTES) == 0)
            return hint;
    }
    return NULL;
}

bool session_hints_find(struct session_hints *hints, struct str token_hash,
                        struct session *ret_session)
{
    size_t i = set_of(token_hash);

    pthread_mutex_lock(&hints->locks[i % LOCKS]);
    const struct hint *hint = find(&hints->sets[i], token_hash);
    if (hint)
        *ret_session = hint->session;
    pthread_mutex_unlock(&hints->locks[i % LOCKS]);
    return hint != NULL;
}

void session_hints_keep(struct session_hints *hints, struct str token_hash,
                        const struct session *session)
{
    size_t i = set_of(token_hash);
    struct set *set = &hints->sets[i];

    pthread_mutex_lock(&hints->locks[i % LOCKS]);
    struct hint *hint = find(set, token_hash);
    if (!hint)
        hint = &set->ways[set->next++ % WAYS];
    memcpy(hint->token_hash, token_hash.ptr, CRYPTO_HASH_BYTES);
    hint->session = *session;
    pthread_mutex_unlock(&hints->locks[i % LOCKS]);
}

void session_hints_drop(struct session_hints *hints, struct str token_hash)
{
    size_t i = set_of(token_hash);

    pthread_mutex_lock(&hints->locks[i % LOCKS]);
    struct hint *hint = find(&hints->sets[i], token_hash);
    if (hint)
        hint->session.id = 0;
    pthread_mutex_unlock(&hints->locks[i % LOCKS]);
}
