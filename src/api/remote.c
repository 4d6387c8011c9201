#include "api/remote.h"

#include "base/log.h"
#include "pay/pay.h"

#define RETRY_AFTER_MS (2 * SECOND_MS)

enum err remote_create(struct call *c, struct payment *payment)
{
    const struct pay pay = {
        .calls = &c->api->provider_calls,
        .store = c->api->store,
        .provider = c->api->provider,
        .keys = &c->api->keys,
        .public_url = c->api->settings.public_url,
    };
    bool answered;
    enum err err = pay_ask(&pay, c->arena, payment, &answered, payment);

    if (err)
        return remote_error(c, err);
    if (answered)
        return ERR_OK;
    log_line(LOG_WARN, "provider_unavailable", LOG_INT("payment_id", payment->id));
    c->problem.retry_after_ms = RETRY_AFTER_MS;
    return problem_set(&c->problem, PROBLEM_PROVIDER_UNAVAILABLE,
                       "The payment is kept. Please try again in a moment.");
}

enum err remote_error(struct call *c, enum err err)
{
    if (err != ERR_UNAVAILABLE)
        return err;
    c->problem.retry_after_ms = RETRY_AFTER_MS;
    return problem_set(&c->problem, PROBLEM_UNAVAILABLE,
                       "The payment is made and kept, but what the provider said could not be "
                       "stored yet. Please send the same call again in a moment.");
}
