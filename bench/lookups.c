/* How long the store needs to find who logs in, by email and by phone, in a database of USERS users
 * as grow.py makes them. Without the password's hash, which takes a thousand times as long.
 *
 * usage: lookups DATABASE USERS N      prints a JSON object; p50 and p99 are of those by email */
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

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The mean; ret_us gets each one's, sorted. */
static double time_us(struct store *store, int users, int n, bool by_phone, int64_t *ret_us)
{
    struct arena *arena = arena_create();
    struct problem problem;
    int64_t begin_us = clock_mono_us();

    for (int i = 0; i < n; i++) {
        int64_t from_us = clock_mono_us();
        problem_init(&problem, arena);
        struct login login =
            login_of(arena, &problem, (int)crypto_random_below((uint32_t)users), by_phone);
        if (store_read(store, arena, login_find, &login) || !login.user_id) {
            fprintf(stderr, "lookups: a user was not found\n");
            exit(1);
        }
        arena_reset(arena);
        ret_us[i] = clock_mono_us() - from_us;
    }
    arena_destroy(arena);
    double mean_us = (double)(clock_mono_us() - begin_us) / n;
    qsort(ret_us, (size_t)n, sizeof *ret_us, compare);
    return mean_us;
}

int main(int argc, char **argv)
{
    struct store_options options = {.database = argc == 4 ? argv[1] : "", .must_exist = true};
    struct store *store = NULL;

    if (argc != 4 || crypto_init() || store_open(&options, &store))
        return 2;
    int users = atoi(argv[2]), n = atoi(argv[3]);
    int64_t *us = calloc((size_t)n, sizeof *us);
    time_us(store, users, n, false, us); /* the pages are read once */
    double phone_us = time_us(store, users, n, true, us);
    double email_us = time_us(store, users, n, false, us);
    printf("{\"email_us\": %.2f, \"phone_us\": %.2f, \"p50_us\": %lld, \"p99_us\": %lld}\n",
           email_us, phone_us, (long long)us[n / 2], (long long)us[n * 99 / 100]);
    free(us);
    store_close(store);
    return 0;
}
