/* Payment providers: who says that money came. `manual` (an admin says so) and `test` (the checkout
 * page says so) are local: nobody is called. A remote provider is called over HTTP between two
 * transactions, never inside one, by handlers and by the reconciler alike, always with the
 * payment's own key, so that a repeated call makes nothing twice. Blocking; any thread. */
#ifndef SERVERY_NET_PROVIDER_H
#define SERVERY_NET_PROVIDER_H

#include "base/arena.h"
#include "base/err.h"

struct payment_provider;

enum { PROVIDER_TIMEOUT_MS = 5000 }; /* of a call, at most */

/* What is told about a payment; `key` is the same in every call about it. */
struct provider_payment {
    int64_t payment_id;
    int64_t amount_minor;
    struct str currency;
    struct str key;
    struct str provider_ref; /* STR_NONE before it was created there */
    struct str return_url;   /* the checkout page, token included: where news may be posted */
    int64_t expires_at_ms;
};

enum provider_state { PROVIDER_OPEN, PROVIDER_PAID, PROVIDER_FAILED, PROVIDER_CLOSED };

struct provider_answer {
    enum provider_state state; /* CLOSED: it can no longer be paid */
    struct str provider_ref, url;
    int64_t amount_minor; /* what was paid, with PROVIDER_PAID */
    struct str currency;
};

struct payment_provider_ops {
    /* Each ERR_UNAVAILABLE when the provider gives no (usable) answer; strings in the arena. */
    enum err (*create)(const struct payment_provider *provider, struct arena *arena,
                       const struct provider_payment *payment, struct provider_answer *ret_answer);
    enum err (*cancel)(const struct payment_provider *provider, struct arena *arena,
                       const struct provider_payment *payment, struct provider_answer *ret_answer);
    enum err (*look)(const struct payment_provider *provider, struct arena *arena,
                     const struct provider_payment *payment, struct provider_answer *ret_answer);
};

struct payment_provider {
    const char *name;                       /* "manual", "test" */
    const struct payment_provider_ops *ops; /* NULL: local */
    const char *base_url;                   /* remote: without a trailing slash */
};

static inline bool provider_is_remote(const struct payment_provider *provider)
{
    return provider->ops != NULL;
}

/* `test` with a base_url is remote: the test provider as a process of its own, which can answer
 * late, twice, never and asynchronously (tests/lib/provider.mjs). False for an unknown name. */
bool provider_init(struct payment_provider *provider, const char *name, const char *base_url);

#endif
