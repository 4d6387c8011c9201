#include "pay/pay.h"

#include "base/clock.h"
#include "store/checkout.h"

#include <stdatomic.h>

_Static_assert(PAYMENT_CLAIM_MS > PROVIDER_TIMEOUT_MS, "a claim outlives the call it is made for");

struct str pay_provider_name(const struct payment_provider *provider)
{
    return provider_is_remote(provider) ? str_from(provider->name) : STR("");
}

static enum err call(const struct pay *pay, struct arena *arena, const struct payment *payment,
                     struct provider_answer *ret_answer)
{
    const struct payment_provider *provider = pay->provider;
    const struct provider_payment asked = {
        .payment_id = payment->id,
        .amount_minor = payment->amount_minor,
        .currency = payment->currency,
        .key = checkout_provider_key(arena, payment),
        .provider_ref = payment->provider_ref,
        .return_url = checkout_page_url(pay->keys, arena, pay->public_url, payment),
        .expires_at_ms = payment->expires_at_ms,
    };

    if (!str_eq(payment->provider, pay_provider_name(provider)))
        return ERR_UNAVAILABLE;
    if (payment->status == PAYMENT_CREATING)
        return provider->ops->create(provider, arena, &asked, ret_answer);
    if (payment->status == PAYMENT_CANCELLING)
        return provider->ops->cancel(provider, arena, &asked, ret_answer);
    return provider->ops->look(provider, arena, &asked, ret_answer);
}

static enum err call_bounded(const struct pay *pay, struct arena *arena,
                             const struct payment *payment, struct provider_answer *ret_answer)
{
    enum err err = ERR_UNAVAILABLE;

    if (!pay->calls)
        return call(pay, arena, payment, ret_answer);
    if (atomic_fetch_add(pay->calls, 1) < PAY_CALLS_MAX)
        err = call(pay, arena, payment, ret_answer);
    atomic_fetch_sub(pay->calls, 1);
    return err;
}

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
        news.refused = payment->status == PAYMENT_CREATING;
        break;
    }
    return news;
}

/* Its customer may try at once to have it created; the others wait like those that are open. */
static enum err give_claim_back(const struct pay *pay, struct arena *arena,
                                const struct payment *payment, int64_t now_ms)
{
    bool creating = payment->status == PAYMENT_CREATING;
    struct payment_unclaim unclaim = {
        .payment_id = payment->id,
        .user_id = payment->user_id,
        .claimed_until_ms = payment->claimed_until_ms,
        .next_at_ms = creating ? now_ms : now_ms + PAYMENT_LOOK_MS,
        .now_ms = now_ms,
    };
    return store_write(pay->store, arena, payment_unclaim, &unclaim);
}

enum err pay_ask(const struct pay *pay, struct arena *arena, const struct payment *payment,
                 bool *ret_answered, struct payment *ret_payment)
{
    struct provider_answer answer;
    bool answered = call_bounded(pay, arena, payment, &answer) == ERR_OK;
    int64_t now_ms = clock_now_ms(); /* after the call, which takes its time */
    enum err err;

    if (answered) {
        struct payment_news news = news_of(payment, &answer, now_ms);
        err = store_write(pay->store, arena, payment_news, &news);
        if (!err)
            *ret_payment = news.payment;
    } else {
        err = give_claim_back(pay, arena, payment, now_ms);
    }
    if (!err)
        *ret_answered = answered;
    return err;
}
