/* Carts: one a user, always with the present prices. */
#ifndef SERVERY_STORE_CART_H
#define SERVERY_STORE_CART_H

#include "domain/cart.h"
#include "store/store.h"

/* The lines of a user's cart with their foods as they are now, sorted by food_id. `held` are the
 * units that his open payment took: creating or pending, and if it is local also past its
 * expiry. */
MUST_CHECK enum err cart_lines_read(struct tx *tx, int64_t user_id, int64_t now_ms,
                                    struct cart_line **ret_lines, size_t *ret_n);

struct cart {
    struct cart_line *lines; /* sorted by food_id */
    size_t n;
    bool no_payment; /* true: the user is known to have no open payment */
};

MUST_CHECK enum err cart_read(struct tx *tx, int64_t user_id, int64_t now_ms,
                              struct cart *ret_cart);

struct cart_edit {
    int64_t user_id, food_id;
    int64_t quantity; /* cart_add: 1 to QUANTITY_MAX; cart_set: 0 to QUANTITY_MAX */
    int64_t revision; /* random: marks the line as edited */
    int64_t now_ms;
    struct problem *problem;
    struct cart cart; /* out: as it is after the edit */
};

/* All lock the user. cart_add adds to what the cart has of the food: food_not_found,
 * food_unavailable, out_of_range on `quantity`, out_of_stock, cart_full, total_too_large. cart_set
 * sets it, 0 removes; food_not_found only if the food is in the cart neither, and the same quantity
 * again is no edit. cart_remove and cart_clear are content when there is nothing to remove. */
MUST_CHECK enum err cart_add(struct tx *tx, struct cart_edit *edit);
MUST_CHECK enum err cart_set(struct tx *tx, struct cart_edit *edit);
MUST_CHECK enum err cart_remove(struct tx *tx, struct cart_edit *edit);
MUST_CHECK enum err cart_clear(struct tx *tx, struct cart_edit *edit);

#endif
