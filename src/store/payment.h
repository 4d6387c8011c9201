/* Payments: the rows, what holds stock for them, and what news about them does. Who may place what
 * is in store/place.h; the pure rules are in domain/payment.h. */
#ifndef SERVERY_STORE_PAYMENT_H
#define SERVERY_STORE_PAYMENT_H

#include "domain/limits.h"
#include "domain/order.h"
#include "domain/payment.h"
#include "store/store.h"

struct payment {
    int64_t id; /* 0: none */
    int64_t user_id;
    enum payment_status status; /* as stored; what it counts as: payment_status_now */
    int64_t amount_minor;
    struct str currency, provider;
    bool remote;                           /* its provider is called over HTTP */
    struct str provider_ref, provider_url; /* STR_NONE until the provider gave them */
    int64_t claimed_until_ms;              /* somebody is calling the provider until then */
    enum payment_status cancel_to;         /* what a cancelling one becomes: expired or cancelled */
    struct str nonce; /* the checkout token and the provider's key come from it */
    enum fulfilment fulfilment;
    struct str address, note;   /* STR_NONE: none */
    bool held;                  /* its lines hold stock */
    struct str outcome;         /* the test provider's; "refused": never created there */
    struct str needs_attention; /* the reason's code; STR_NONE: none */
    bool refund_due;
    int64_t expires_at_ms, created_at_ms;
    int64_t order_id; /* 0: none */
    int64_t version;  /* moves with each change of the row */
};

enum { PAYMENT_NONCE_BYTES = 16 };

/* A reason of needs_attention: past its time, and its provider is no longer configured. */
#define PAYMENT_PROVIDER_GONE STR("provider_gone")

/* What it counts as at now. */
enum payment_status payment_status_now(const struct payment *payment, int64_t now_ms);

/* What it finally counts as to its customer: a cancelling one is what it is going to be. */
enum payment_status payment_status_final(const struct payment *payment, int64_t now_ms);

/* The payment of that id; id 0 in *ret_payment if there is none. */
MUST_CHECK enum err payment_find(struct tx *tx, int64_t payment_id, struct payment *ret_payment);

/* The same for who is going to change it: locks its owner first, so that nothing of it is old. */
MUST_CHECK enum err payment_find_locked(struct tx *tx, int64_t payment_id,
                                        struct payment *ret_payment);

/* The user's payment stored as open (at most one); id 0 if there is none. It may have expired since
 * (payment_status_now), and then counts as none: its hold is released by the next write. */
MUST_CHECK enum err payment_find_open(struct tx *tx, int64_t user_id, struct payment *ret_payment);

/* A line of a payment, frozen. */
struct payment_line {
    int64_t food_id, unit_price, quantity, line_total;
    struct str name;
    bool taken; /* took its units off the stock */
};
/* By food_id. */
MUST_CHECK enum err payment_lines(struct tx *tx, int64_t payment_id,
                                  struct payment_line **ret_lines, size_t *ret_n);

/* ---- Endings ---- */

/* Ends an open payment that is no longer wanted: a local one goes to `to` (expired, failed or
 * cancelled) and gives its units back; a remote one to cancelling, its hold kept until the provider
 * confirms. The payment is updated. */
MUST_CHECK enum err payment_end(struct tx *tx, struct payment *payment, enum payment_status to,
                                int64_t now_ms);

/* If the payment is stored as open and past its time: ends it as expired. */
MUST_CHECK enum err payment_expire(struct tx *tx, struct payment *payment, int64_t now_ms);

/* Expires local payments past their time that hold units of this food, as many as `units` may need,
 * so that a forgotten hold never makes somebody else's sale fail. *ret_released: whether any did;
 * what was read of the food's stock before is then old. */
MUST_CHECK enum err payment_release_food(struct tx *tx, int64_t food_id, int64_t units,
                                         int64_t now_ms, bool *ret_released);

/* The owner gives up an open payment. ERR_PROBLEM with not_found or payment_not_open. */
struct payment_give_up {
    int64_t payment_id, user_id, now_ms;
    struct problem *problem;
    struct payment payment; /* out; cancelling: the provider is to be asked */
};
MUST_CHECK enum err payment_give_up(struct tx *tx, void *give_up);

/* A transaction function: the provider gave no answer. Others may ask it again from next_at_ms on,
 * unless somebody else has claimed the payment since. */
struct payment_unclaim {
    int64_t payment_id, user_id, claimed_until_ms, next_at_ms, now_ms;
};
MUST_CHECK enum err payment_unclaim(struct tx *tx, void *unclaim);

/* ---- News ---- */

enum payment_news_kind {
    PAYMENT_NEWS_OPEN, /* it is there and can be paid */
    PAYMENT_NEWS_PAID,
    PAYMENT_NEWS_CLOSED, /* it can no longer be paid */
};

/* What a provider (an admin, the test provider's page) says about a payment. */
struct payment_news {
    int64_t payment_id;
    enum payment_news_kind kind;
    struct str provider_ref, provider_url; /* STR_NONE: not said */
    int64_t amount_minor;                  /* what was paid */
    struct str currency;                   /* STR_NONE: amount and currency are the payment's */
    bool refused;                          /* with CLOSED: the provider would not create it */
    int64_t next_call_at_ms;               /* while it can be paid: not asked again before */
    int64_t now_ms;
    int64_t actor_id;        /* the admin who said so; 0: the provider */
    struct str provider;     /* with an admin: the remote provider that is configured,
                                              whose payments it alone tells about; "": none */
    struct problem *problem; /* not_found if there is none such; may be NULL */
    struct payment payment;  /* out: as it is after the news */
};

/* Applies the news, whatever the payment's state; the same news again changes nothing. Paid makes
 * the order in the same transaction, exactly once, or flags the payment. Refused is only an admin's
 * word about a payment whose remote provider can be asked: payment_conflict. */
MUST_CHECK enum err payment_news(struct tx *tx, void *news);

/* The test provider's checkout page. ERR_PROBLEM with not_found (of another provider too),
 * payment_conflict or invalid_value. */
struct payment_simulate {
    int64_t payment_id, now_ms;
    int64_t owner_id; /* of the payment, where that is known; else 0 */
    struct str outcome;
    struct problem *problem;
    struct payment payment; /* out */
};
MUST_CHECK enum err payment_simulate(struct tx *tx, void *simulate);

#endif
