/* Fills a new database for the benchmarks, through the store's own functions: the 50 foods of the
 * peers in bench/peers with plenty of stock, USERS users u0@x.com … and ADMINS admins a0@x.com …,
 * all with one password.
 *
 * usage: seed DATABASE USERS [ADMINS] */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/food.h"
#include "store/user.h"

enum { FOODS = 50, STOCK = 1000000 };

struct seed {
    struct problem problem;
    struct str password_hash;
    char kind; /* 'u' or 'a', the first letter of the email */
    int first, upto;
    struct user_codes *codes;
    int64_t now_ms;
};

static enum err add_foods(struct tx *tx, void *arg)
{
    struct seed *seed = arg;

    for (int i = 1; i <= FOODS; i++) {
        struct food_edit edit = {.now_ms = seed->now_ms, .problem = &seed->problem};
        edit.name = (struct opt_str){true, false, arena_printf(tx_arena(tx), "Food %d", i)};
        edit.description = (struct opt_str){
            true, false,
            arena_printf(tx_arena(tx), "Dish number %d with rice and stew, served hot", i)};
        edit.price = (struct opt_int){true, false, 500 + 25 * i};
        edit.stock = (struct opt_int){true, false, STOCK};
        enum err err = food_create(tx, &edit);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err add_users(struct tx *tx, void *arg)
{
    struct seed *seed = arg;

    for (int i = seed->first; i < seed->upto; i++) {
        struct str email = arena_printf(tx_arena(tx), "%c%d@x.com", seed->kind, i);
        struct user_new user = {.email = email,
                                .email_key = email,
                                .password_hash = seed->password_hash,
                                .role = seed->kind == 'a' ? ROLE_ADMIN : ROLE_USER,
                                .codes = &seed->codes[i - seed->first],
                                .now_ms = seed->now_ms};
        int64_t id;
        enum err err = user_insert(tx, &user, &seed->problem, &id);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err add_all(struct store *store, struct seed *seed, char kind, int n)
{
    enum { BATCH = 200 };
    struct user_codes codes[BATCH];
    struct arena *arena = arena_create();
    enum err err = ERR_OK;

    seed->kind = kind;
    seed->codes = codes;
    for (int i = 0; !err && i < n; i += BATCH) {
        seed->first = i;
        seed->upto = i + BATCH < n ? i + BATCH : n;
        for (int k = 0; k < seed->upto - seed->first; k++)
            user_codes_draw(&codes[k]);
        err = store_write(store, arena, add_users, seed);
        arena_reset(arena);
    }
    arena_destroy(arena);
    return err;
}

int main(int argc, char **argv)
{
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    struct store *store = NULL;
    int applied;

    if (argc < 3 || argc > 4 || crypto_init())
        return 2;
    struct arena *arena = arena_create();
    struct store_options options = {.database = argv[1]};
    struct seed seed = {.now_ms = clock_now_ms()};

    problem_init(&seed.problem, arena);
    enum err err = crypto_password_hash(STR("pw123456"), hash);
    seed.password_hash = str_from(hash);
    if (!err)
        err = store_open(&options, &store);
    if (!err)
        err = store_migrate(store, &applied);
    if (!err)
        err = store_write(store, arena, add_foods, &seed);
    if (!err)
        err = add_all(store, &seed, 'u', atoi(argv[2]));
    if (!err)
        err = add_all(store, &seed, 'a', argc == 4 ? atoi(argv[3]) : 0);
    store_close(store);
    if (err)
        fprintf(stderr, "seed: failed\n");
    arena_destroy(arena);
    return err ? 1 : 0;
}
