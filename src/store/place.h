/* Placing an order: from the user's cart to a payment that freezes it, in one transaction. */
#ifndef SERVERY_STORE_PLACE_H
#define SERVERY_STORE_PLACE_H

#include "store/payment.h"

enum place_outcome {
    PLACE_PAYMENT, /* `payment` is what to answer by: open, paid or ended */
    PLACE_CREATE,  /* the provider is to be asked to create `payment`, which is claimed for that */
    PLACE_ORDER,   /* it was free: `order_id` is made */
};

struct place {
    int64_t user_id, now_ms;
    enum fulfilment fulfilment;
    struct str address, note; /* STR_NONE: none; pickup has no address */
    bool has_expected_total;
    int64_t expected_total;
    struct str provider;
    bool remote;
    int64_t hold_ms;
    unsigned char nonce[PAYMENT_NONCE_BYTES]; /* random, of a new payment */
    struct problem *problem;
    /* out */
    enum place_outcome outcome;
    struct payment payment;
    int64_t order_id;
};

/* Both are for a caller who has locked the user. */

/* ERR_PROBLEM with cart_empty, food_unavailable or out_of_stock (a row for each food),
 * total_too_large, price_changed (with `total`) or too_many_payments; nothing has changed then. */
MUST_CHECK enum err place_order(struct tx *tx, struct place *place);

/* The outcome for a payment that was made before (by the same key, or named by its id):
 * PLACE_PAYMENT, or PLACE_CREATE if its provider is still to be asked and nobody is asking. What
 * it held is released if its time is over. ERR_PROBLEM with not_found if it is not the user's. */
MUST_CHECK enum err place_again(struct tx *tx, int64_t payment_id, struct place *place);

#endif
