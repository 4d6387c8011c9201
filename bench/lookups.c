/* How long the store needs to find who logs in, by email and by phone, in a database of USERS users
 * as grow.py makes them. Without the password's hash, which takes a thousand times as long.
 *
 * usage: lookups DATABASE USERS N      prints a JSON object */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/login.h"

static struct login login_of(struct arena *arena, struct problem *problem, int user, bool by_phone)
{
    struct login login = {.now_ms = clock_now_ms(), .problem = problem};
    struct str email = arena_printf(arena, "u%d@x.com", user);

    if (by_phone)
        login.phone = arena_printf(arena, "+234803%07d", user);
    else
        login.email_key = email;
    login.subject = (struct attempt_subject){email, email, email};
    return login;
}

static double time_us(struct store *store, int users, int n, bool by_phone)
{
    struct arena *arena = arena_create();
    struct problem problem;
    int64_t begin_us = clock_mono_us();

    for (int i = 0; i < n; i++) {
        problem_init(&problem, arena);
        struct login login =
            login_of(arena, &problem, (int)crypto_random_below((uint32_t)users), by_phone);
        if (store_read(store, arena, login_find, &login) || !login.user_id) {
            fprintf(stderr, "lookups: a user was not found\n");
            exit(1);
        }
        arena_reset(arena);
    }
    arena_destroy(arena);
    return (double)(clock_mono_us() - begin_us) / n;
}

int main(int argc, char **argv)
{
    struct store_options options = {.database = argc == 4 ? argv[1] : "", .must_exist = true};
    struct store *store = NULL;

    if (argc != 4 || crypto_init() || store_open(&options, &store))
        return 2;
    int users = atoi(argv[2]), n = atoi(argv[3]);
    time_us(store, users, n, false); /* the pages are read once */
    printf("{\"email_us\": %.2f, \"phone_us\": %.2f}\n", time_us(store, users, n, false),
           time_us(store, users, n, true));
    store_close(store);
    return 0;
}
