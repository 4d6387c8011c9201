/* Orders: made from a paid payment (or for nothing), read, listed, and moved through their
 * lifecycle. */
#ifndef SERVERY_STORE_ORDER_H
#define SERVERY_STORE_ORDER_H

#include "domain/cart.h"
#include "domain/order.h"
#include "store/payment.h"

struct order_event {
    int64_t id, order_id;
    struct str from; /* a status; STR_NONE for the first */
    struct str to, actor, note;
    int64_t at_ms;
};

struct order {
    int64_t id, user_id;
    enum order_status status;
    int64_t total;
    struct str currency;
    enum fulfilment fulfilment;
    struct str address, note;
    int64_t payment_id; /* 0: it was free */
    struct str payment_status;
    int64_t payment_amount;
    struct str customer_name, customer_email, customer_phone;
    int64_t version, created_at_ms, updated_at_ms;
    const struct payment_line *lines; /* by food_id */
    size_t n_lines;
    const struct order_event *events; /* oldest first */
    size_t n_events;
};

/* ---- Reading ---- */

/* A transaction function. The order if it is `user_id`'s (0: anybody's); found tells. */
struct order_read {
    int64_t order_id, user_id;
    bool found;
    struct order order;
};
MUST_CHECK enum err order_read(struct tx *tx, void *get);

/* A transaction function: orders, the newest first, that came before (before_at_ms, before_id);
 * INT64_MAX twice begins. One more than `limit` is looked at, to tell whether more may follow. A
 * `needle` that many orders have is looked for in ORDER_SLICE of them at a time: the page may then
 * be short, or empty, with more to follow. Whoever asks on moves `before` to `next`, and leaves the
 * rest of it as it is. */
enum { ORDER_SLICE = 20000 };
struct order_list {
    int64_t user_id; /* 0: anybody's, and the filters below */
    bool has_status;
    enum order_status status;
    int64_t order_id;       /* with `needle`: the order of that id is found too; 0: none */
    struct str needle;      /* folded; in the customer's email, name or phone; STR_NONE: any */
    int64_t from_ms, to_ms; /* created_at in [from, to) */
    int64_t before_at_ms, before_id;
    int64_t limit;    /* 1 to ORDERS_READ_MAX */
    size_t max_bytes; /* the order whose texts reach it is the last; 0: no such bound */
    enum { ORDERS_UNCOUNTED, ORDERS_FEW, ORDERS_MANY } fit; /* the store's own: begins as 0 */
    struct order *orders;                                   /* out */
    size_t n;
    bool more;
    int64_t next_at_ms, next_id; /* with `more` */
};
MUST_CHECK enum err order_list(struct tx *tx, void *list);

/* A transaction function: the events of up to ORDER_CHUNK orders after one of that id, oldest first
 * within each order. Who writes an event of an order holds its owner's lock, so on every engine
 * those of one order are committed in the order of their ids: none shows up later below one that
 * was read. Of two orders that is not so. */
enum { ORDER_CHUNK = 20 };
struct order_events_of {
    const int64_t *order_ids;
    size_t n_orders;
    int64_t after_id;
    struct order_event *events; /* out */
    size_t n;
};
MUST_CHECK enum err order_events_of(struct tx *tx, void *of);

/* Whose the order is; 0 if there is none such. */
MUST_CHECK enum err order_owner(struct tx *tx, int64_t order_id, int64_t *ret_user_id);

/* ---- Making ---- */

/* From a payment's frozen lines, which keep their units; takes those out of the cart that were not
 * edited since. actor_id: the admin who said that it was paid, or 0. */
MUST_CHECK enum err order_create_paid(struct tx *tx, const struct payment *payment,
                                      int64_t actor_id, int64_t now_ms, int64_t *ret_order_id);

/* From the cart, for nothing: empties the cart. The units of its counted lines are the caller's to
 * take. */
struct order_free {
    int64_t user_id;
    const struct cart_line *lines;
    size_t n;
    struct str currency;
    enum fulfilment fulfilment;
    struct str address, note;
    int64_t now_ms;
};
MUST_CHECK enum err order_create_free(struct tx *tx, const struct order_free *free,
                                      int64_t *ret_order_id);

/* ---- The lifecycle ---- */

/* A transaction function, and the only one that changes an order's status. ERR_PROBLEM with
 * not_found, version_conflict, or illegal_transition with `allowed`. */
struct order_set_status {
    int64_t order_id;
    enum order_status to;
    struct str note; /* STR_NONE: none */
    int64_t version; /* 0: whatever it is */
    enum actor actor;
    int64_t actor_id; /* 0: none */
    int64_t now_ms;
    struct problem *problem;
    struct order order; /* out: as it is then */
};
MUST_CHECK enum err order_set_status(struct tx *tx, void *change);

#endif
