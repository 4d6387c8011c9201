/* A shop in a temporary folder, for tests of what is stored: the real schema, and short ways to put
 * things there. */
#ifndef SERVERY_TESTS_STORE_SHOP_FIXTURE_H
#define SERVERY_TESTS_STORE_SHOP_FIXTURE_H

#include "fixture.h"
#include "store/cart.h"
#include "store/food.h"

#define SHOP_NOW_MS INT64_C(1800000000000)

struct shop_fixture {
    struct fixture base; /* first */
    struct problem problem;
    struct arena *arena;
    struct store *store;
    struct arena *arenas[64]; /* of shop_problems */
    size_t n_arenas;
    size_t n_events;
    struct store_event events[64]; /* what the last commits have told; reset by shop_write */
};

/* For cmocka. Every write runs once, or (…_twice) is run, rolled back and run again, or
 * (…_deferred) that with its posts and lates deferred as long as they may be. */
int shop_setup(void **state);
int shop_setup_twice(void **state);
int shop_setup_deferred(void **state);
int shop_teardown(void **state);

/* store_write with the problem and the events reset. */
enum err shop_write(struct shop_fixture *s, tx_fn *fn, void *arg);
enum err shop_read_tx(struct shop_fixture *s, tx_fn *fn, void *arg);

/* So many problems, for threads: each with an arena of its own. They live as long as the shop. */
struct problem *shop_problems(struct shop_fixture *s, size_t n);

/* One statement that must succeed; the first column of its first row, 0 if there is none. */
int64_t shop_sql(struct shop_fixture *s, const char *sql, struct sql_args args);

int64_t shop_user(struct shop_fixture *s, const char *email);

/* A food called `name`; stock -1: not counted. */
int64_t shop_food(struct shop_fixture *s, const char *name, int64_t price, int64_t stock);
int64_t shop_stock(struct shop_fixture *s, int64_t food_id); /* -1: not counted */
int64_t shop_taken(struct shop_fixture *s, int64_t food_id);

/* A payment of that status that holds `quantity` units of the food; changes no stock itself. */
int64_t shop_hold(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity,
                  const char *status, bool taken);

/* A test as three: with writes that run once, that run twice, and that are deferred (on PostgreSQL
 * all are). */
#define SHOP_TEST_AS(test, name, setup, teardown)                                                  \
    {                                                                                              \
#test name, test, setup, teardown, NULL                                                    \
    }
#define SHOP_TEST_WITH(test, teardown)                                                             \
    SHOP_TEST_AS(test, "", shop_setup, teardown),                                                  \
        SHOP_TEST_AS(test, ", run twice", shop_setup_twice, teardown),                             \
        SHOP_TEST_AS(test, ", deferred" SQLITE_ONLY, shop_setup_deferred, teardown)
#define SHOP_TEST(test) SHOP_TEST_WITH(test, shop_teardown)

#define assert_problem(s, expected) assert_int_equal((s)->problem.code, (expected))

#endif
