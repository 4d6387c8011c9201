/* Payments as admins see them: with customer, lines and history; and how an admin resolves what a
 * payment needs. The rows themselves are in store/payment.h. */
#ifndef SERVERY_STORE_PAYMENT_ADMIN_H
#define SERVERY_STORE_PAYMENT_ADMIN_H

#include "base/json.h"
#include "store/payment.h"

struct payment_event {
    int64_t id, payment_id;
    struct str what, reason; /* reason, note: STR_NONE: none */
    bool refund_due;
    struct str paid_currency; /* STR_NONE: no money came */
    int64_t paid_amount;
    struct str note;
    int64_t actor_id; /* 0: the shop itself, or a provider */
    struct str actor_name, actor_email;
    int64_t at_ms;
};

struct payment_case {
    struct payment payment;
    int64_t updated_at_ms;
    struct str customer_name, customer_email, customer_phone;
    const struct payment_line *lines; /* by food_id */
    size_t n_lines;
    const struct payment_event *events; /* oldest first */
    size_t n_events;
    const struct payment_event *resolved; /* the event that says so; NULL: it is not */
    int64_t version; /* moves with each event; the row's own moves whenever its provider is asked */
};

/* The payment of that id, which there is. */
MUST_CHECK enum err payment_case_find(struct tx *tx, int64_t payment_id,
                                      struct payment_case *ret_case);

/* A filter that is absent, or wants one of two. */
enum payment_wish { PAYMENT_ANY, PAYMENT_WITHOUT, PAYMENT_WITH };

/* A page of payments, the newest first. */
struct payment_case_list {
    int64_t before_id; /* only ids below; ID_MAX + 1: from the newest */
    int64_t limit;     /* 1 to PAGE_MAX */
    int64_t now_ms;
    struct str status; /* what it counts as at now_ms; STR_NONE: any */
    enum payment_wish attention, refund;
    struct str needle; /* folded; in the customer's email, name or phone; STR_NONE: any */
    int64_t number;    /* with `needle`: the payment or order of this id is found too; 0: none */
    struct payment_case *cases; /* out */
    size_t n;
    bool more;
};

/* Payments are looked through in reads of their own, of PAYMENT_SLICE ids each, so that a filter
 * that finds few among many holds no snapshot for long. */
enum { PAYMENT_SLICE = 20000 };
MUST_CHECK enum err payment_case_list(struct store *store, struct arena *arena,
                                      struct payment_case_list *list);

/* A transaction function. Resolved: the flag and refund_due are taken off, and stay in the events
 * with the note; a payment still at a remote provider is closed, for that provider says that it was
 * paid, if wrongly, or is gone, and nobody else would ever end it. Not resolved: they are put back.
 * What is as it is asked to be stays; another note is added. ERR_PROBLEM with not_found,
 * version_conflict, or nothing_to_resolve if it never needed anybody. */
struct payment_resolve {
    int64_t payment_id, actor_id, now_ms;
    struct opt_bool resolved; /* not set: as it is */
    struct opt_str note;
    struct opt_int version; /* of the payment_case that the admin saw; not set: whatever there is */
    struct problem *problem;
    bool changed;               /* out */
    struct payment_case result; /* out */
};
MUST_CHECK enum err payment_resolve(struct tx *tx, void *resolve);

#endif
