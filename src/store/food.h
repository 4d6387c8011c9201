/* Foods: what the menu offers, what is left of it, and how an order takes it. */
#ifndef SERVERY_STORE_FOOD_H
#define SERVERY_STORE_FOOD_H

#include "base/json.h"
#include "store/store.h"

struct food {
    int64_t id;
    struct str name, description, category;
    struct str image_hash; /* STR_NONE: no image */
    int64_t price;
    bool available; /* the kitchen's switch */
    bool archived;
    bool stock_counted;
    int64_t stock; /* what can still be sold, holds taken off; 0 where it is not counted */
    int64_t version;
    int64_t created_at_ms, updated_at_ms;
};

/* The category of a food that was given none. */
#define FOOD_CATEGORY_DEFAULT STR("Other")

/* A food by its id, an archived one too. */
MUST_CHECK enum err food_find(struct tx *tx, int64_t id, struct food *ret_food, bool *ret_found);

/* The same of many, in their order; one that is not there is told as archived. */
MUST_CHECK enum err food_find_all(struct tx *tx, const int64_t *ids, size_t n,
                                  struct food **ret_foods);

/* Every food on the menu, in no particular order. */
MUST_CHECK enum err food_read_all(struct tx *tx, struct food **ret_foods, size_t *ret_n);

/* True if there is any food, an archived one too. */
MUST_CHECK enum err food_exists(struct tx *tx, bool *ret_exists);

/* What an admin changes. Members that are not set stay as they are; the texts are valid, trimmed
 * and not empty where they must not be. */
struct food_edit {
    int64_t food_id; /* in for food_edit and food_archive */
    struct opt_str name, description, category;
    struct opt_int price;
    struct opt_bool available;
    struct opt_int stock;      /* null: not counted from now on */
    struct opt_int stock_add;  /* instead of stock: units added, or taken off */
    struct opt_str image_hash; /* null: no picture any more */
    struct opt_int version;    /* refused with version_conflict if the food has another one */
    int64_t now_ms;
    struct problem *problem;
    struct food food; /* out */
};

/* Transaction functions with a struct food_edit: POST, PUT and DELETE. All emit STORE_EVENT_FOOD.
 * food_create takes the defaults (no description, category Other, available, not counted) for what
 * is not set. food_edit and food_archive: food_not_found, version_conflict; food_edit:
 * stock_not_counted, and out_of_range on `add`. */
MUST_CHECK enum err food_create(struct tx *tx, void *edit);
MUST_CHECK enum err food_edit(struct tx *tx, void *edit);
MUST_CHECK enum err food_archive(struct tx *tx, void *edit);

/* ---- What an order does to the stock ----
 *
 * A line of a payment or an order takes units if its food is counted when it is placed
 * (cart_line.stock_counted), and remembers that in its own `taken`. Only the lines that took units
 * come here: foods.taken is the sum of their units, in holds and in orders whose stock has not come
 * back. Each call is one late update and emits STORE_EVENT_FOOD. */

/* A line takes units, which must be 1 or more: the food must be on the menu, available and counted,
 * with so many left; else the transaction fails with ERR_STALE and runs again. Check first. */
MUST_CHECK enum err food_take_late(struct tx *tx, int64_t food_id, int64_t units);

/* A line gives its units back: onto the stock, unless it is no longer counted. Never refused. */
MUST_CHECK enum err food_give_back_late(struct tx *tx, int64_t food_id, int64_t units);

/* Both at once, when a payment is replaced: of one food the new one takes `take` units and the old
 * one gives `give` back; 0 for a side that takes none. The stock changes by the net, so that what
 * the user held himself is his to take again. */
MUST_CHECK enum err food_move_late(struct tx *tx, int64_t food_id, int64_t take, int64_t give);

#endif
