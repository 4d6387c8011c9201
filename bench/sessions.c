/* Logs users in without their passwords, whose hashes would take most of a benchmark's time:
 * sessions as the program makes them, in a database that is served.
 *
 * usage: sessions DATABASE SECRET_FILE < USER_IDS      prints a token for each id */
#include <stdio.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/session.h"

enum { BATCH = 200 };

struct batch {
    const int64_t *user_ids;
    const struct str *hashes;
    int n;
};

static enum err add_sessions(struct tx *tx, void *arg)
{
    const struct batch *batch = arg;
    int64_t expires_at_ms;
    enum err err = ERR_OK;

    for (int i = 0; i < batch->n && !err; i++)
        err = session_create(tx, batch->user_ids[i], batch->hashes[i], clock_now_ms(),
                             &expires_at_ms);
    return err;
}

static int read_ids(int64_t *ids)
{
    long long id;
    int n = 0;

    while (n < BATCH && scanf("%lld", &id) == 1)
        ids[n++] = id;
    return n;
}

int main(int argc, char **argv)
{
    struct store_options options = {.database = argc == 3 ? argv[1] : "", .must_exist = true};
    struct arena *arena = arena_create();
    struct crypto_keys keys;
    struct store *store = NULL;
    int64_t ids[BATCH];
    struct str tokens[BATCH], hashes[BATCH];
    struct batch batch = {.user_ids = ids, .hashes = hashes};

    if (argc != 3 || crypto_init() || crypto_keys_load(argv[2], &keys, NULL) ||
        store_open(&options, &store))
        return 2;
    enum err err = ERR_OK;
    while (!err && (batch.n = read_ids(ids)) > 0) {
        for (int i = 0; i < batch.n; i++) {
            tokens[i] = crypto_token(arena);
            hashes[i] = crypto_hash_str(&keys, arena, "session", tokens[i]);
        }
        err = store_write(store, arena, add_sessions, &batch);
        for (int i = 0; i < batch.n && !err; i++)
            printf(STR_FMT "\n", STR_ARG(tokens[i]));
        arena_reset(arena);
    }
    store_close(store);
    arena_destroy(arena);
    return err ? 1 : 0;
}
