#include "api/rate_limit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"

/* 64-bit keyed hashes stand for the clients: a collision would only share a limit, and without the
 * random key nobody can aim for one. */
enum { SETS = 4096, WAYS = 8, LOCKS = 64 };

struct slot {
    uint64_t client;    /* 0: empty */
    int64_t arrival_us; /* the theoretical arrival time */
};

struct rate_limit {
    const char *name;
    int64_t limit;
    int64_t interval_us; /* between calls at the steady rate */
    int64_t window_us;
    unsigned char key[crypto_shorthash_KEYBYTES];
    pthread_mutex_t locks[LOCKS];
    struct slot slots[SETS][WAYS];
};

struct rate_limit *rate_limit_create(const char *name, int64_t per_minute)
{
    struct rate_limit *limit = mem_zalloc(sizeof *limit);

    limit->name = name;
    limit->limit = per_minute;
    limit->window_us = MINUTE_MS * 1000;
    limit->interval_us = limit->window_us / per_minute > 0 ? limit->window_us / per_minute : 1;
    crypto_random(limit->key, sizeof limit->key);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&limit->locks[i], NULL);
    return limit;
}

void rate_limit_destroy(struct rate_limit *limit)
{
    if (!limit)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&limit->locks[i]);
    free(limit);
}

const char *rate_limit_name(const struct rate_limit *limit)
{
    return limit->name;
}

static struct slot *slot_of(struct slot *set, uint64_t client)
{
    struct slot *oldest = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].client == client)
            return &set[i];
        if (set[i].arrival_us < oldest->arrival_us)
            oldest = &set[i];
    }
    *oldest = (struct slot){.client = client};
    return oldest;
}

struct rate_state rate_limit_take(struct rate_limit *limit, struct str key, int64_t now_ms)
{
    uint64_t client;
    crypto_shorthash((unsigned char *)&client, (const unsigned char *)key.ptr, key.len, limit->key);
    client |= 1;
    size_t set = (size_t)(client >> 8) % SETS;
    int64_t now_us = now_ms * 1000;
    struct rate_state state = {.limit = limit->limit, .window_ms = limit->window_us / 1000};

    pthread_mutex_lock(&limit->locks[set % LOCKS]);
    struct slot *slot = slot_of(limit->slots[set], client);
    int64_t arrival_us = slot->arrival_us > now_us ? slot->arrival_us : now_us;
    int64_t next_us = arrival_us + limit->interval_us;
    state.allowed = next_us - now_us <= limit->interval_us * limit->limit;
    if (state.allowed)
        slot->arrival_us = arrival_us = next_us;
    pthread_mutex_unlock(&limit->locks[set % LOCKS]);

    state.remaining =
        limit->limit - (arrival_us - now_us + limit->interval_us - 1) / limit->interval_us;
    state.reset_ms = (arrival_us - now_us + 999) / 1000;
    if (!state.allowed)
        state.retry_ms = (next_us - now_us - limit->interval_us * limit->limit + 999) / 1000;
    return state;
}
