/* The cart and its prices: what can be sold, what it costs. Pure; lines come from the database. */
#ifndef SERVERY_DOMAIN_CART_H
#define SERVERY_DOMAIN_CART_H

#include "base/problem.h"

/* A line of a cart with its food as it is now. */
struct cart_line {
    int64_t food_id;
    struct str name;
    struct str image_hash; /* STR_NONE: no image */
    int64_t unit_price;
    int64_t quantity;
    int64_t revision;
    bool on_menu; /* not archived */
    bool available;
    bool stock_counted;
    int64_t stock; /* what anybody can still buy */
    int64_t held;  /* units of this food that the user's own open payment took */
};

enum line_problem { LINE_OK, LINE_UNAVAILABLE, LINE_OUT_OF_STOCK };

/* The user's own hold does not count against him. */
enum line_problem cart_line_check(const struct cart_line *line);

/* Checks all lines for placing an order: ERR_OK, or ERR_PROBLEM with cart_empty, or one row for
 * each food that cannot be sold. */
MUST_CHECK enum err cart_check(const struct cart_line *lines, size_t n, struct problem *problem);

/* The total at the present prices; false when it (or a line) passes MONEY_MAX. */
bool cart_total(const struct cart_line *lines, size_t n, int64_t *ret_total_minor);

/* Whether a payment's frozen lines are of the same foods and quantities. Both sorted by food_id. */
struct cart_quantity {
    int64_t food_id, quantity;
};
bool cart_same(const struct cart_line *lines, size_t n, const struct cart_quantity *frozen,
               size_t n_frozen);

#endif
