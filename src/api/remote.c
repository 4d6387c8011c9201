#include "api/remote.h"

#include "base/log.h"
#include "net/provider.h"
#include "store/checkout.h"

#define RETRY_AFTER_MS (2 * SECOND_MS)

static struct payment_news news_of(const struct payment *payment,
                                   const struct provider_answer *answer, int64_t now_ms)
{
    struct payment_news news = {
        .payment_id = payment->id,
        .kind = PAYMENT_NEWS_OPEN,
        .provider_ref = answer->provider_ref,
        .provider_url = answer->url,
        .amount_minor = answer->amount_minor,
        .currency = answer->currency,
        .next_call_at_ms = now_ms + PAYMENT_LOOK_MS,
        .now_ms = now_ms,
    };
    switch (answer->state) {
    case PROVIDER_OPEN:
        break;
    case PROVIDER_PAID:
        news.kind = PAYMENT_NEWS_PAID;
        break;
    case PROVIDER_FAILED:
    case PROVIDER_CLOSED:
        news.kind = PAYMENT_NEWS_CLOSED;
        news.refused = true;
        break;
    }
    return news;
}

static enum err give_up(struct call *c, const struct payment *payment)
{
    int64_t now_ms = clock_now_ms();
    struct payment_unclaim unclaim = {
        .payment_id = payment->id,
        .claimed_until_ms = payment->claimed_until_ms,
        .next_at_ms = now_ms,
        .now_ms = now_ms,
    };
    log_line(LOG_WARN, "provider_unavailable", LOG_INT("payment_id", payment->id));
    enum err err = store_write(c->api->store, c->arena, payment_unclaim, &unclaim);
    if (err)
        return err;
    c->problem.retry_after_ms = RETRY_AFTER_MS;
    return problem_set(&c->problem, PROBLEM_PROVIDER_UNAVAILABLE,
                       "The payment is kept. Please try again in a moment.");
}

enum err remote_create(struct call *c, struct payment *payment)
{
    const struct payment_provider *provider = c->api->provider;
    const struct provider_payment asked = {
        .payment_id = payment->id,
        .amount_minor = payment->amount_minor,
        .currency = payment->currency,
        .key = checkout_provider_key(c->arena, payment),
        .return_url =
            checkout_page_url(&c->api->keys, c->arena, c->api->settings.public_url, payment),
        .expires_at_ms = payment->expires_at_ms,
    };
    struct provider_answer answer;

    if (!provider_is_remote(provider) || !str_is(payment->provider, provider->name) ||
        provider->ops->create(provider, c->arena, &asked, &answer))
        return give_up(c, payment);
    struct payment_news news = news_of(payment, &answer, clock_now_ms());
    enum err err = store_write(c->api->store, c->arena, payment_news, &news);
    if (!err)
        *payment = news.payment;
    return err;
}
