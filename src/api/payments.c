/* Payments on the wire. Two keys open one: its owner's session, and the token of its checkout
 * page, which works without a session and for this payment alone. */
#include "api/payments.h"

#include "api/handlers.h"
#include "base/log.h"
#include "pay/pay.h"
#include "store/checkout.h"

#include <stddef.h>
#include <string.h>

void payment_encode_members(struct call *c, struct json_writer *w, const struct payment *payment)
{
    json_int(w, "id", payment->id);
    json_str(w, "status", payment_status_text(payment_status_now(payment, c->now_ms)));
    json_int(w, "amount", payment->amount_minor);
    json_str(w, "currency", payment->currency);
    json_str(w, "provider", payment->provider);
    json_str(w, "checkout_url",
             checkout_url(&c->api->keys, c->arena, c->api->settings.public_url, payment));
    json_time(w, "expires_at", payment->expires_at_ms);
    if (payment->order_id)
        json_int(w, "order_id", payment->order_id);
    else
        json_put_null(w, "order_id");
}

void payment_encode(struct call *c, struct json_writer *w, const char *key,
                    const struct payment *payment)
{
    json_begin_object(w, key);
    payment_encode_members(c, w, payment);
    json_bool(w, "in_question",
              payment->needs_attention.ptr &&
                  !str_eq(payment->needs_attention, PAYMENT_PROVIDER_GONE));
    json_end_object(w);
}

struct lookup {
    int64_t payment_id;
    struct payment payment;
};

static enum err find(struct tx *tx, void *arg)
{
    struct lookup *lookup = arg;
    return payment_find(tx, lookup->payment_id, &lookup->payment);
}

/* 401 for a token that is neither a session's nor this payment's, whether there is such a payment
 * or not; 404 for what is not the owner's. */
static enum err authorize(struct call *c, struct payment *ret_payment)
{
    struct lookup lookup = {.payment_id = c->http->ids[0]};
    enum err err = c->token.ptr ? call_read(c, find, &lookup) : ERR_OK;
    if (err)
        return err;
    *ret_payment = lookup.payment;
    if (lookup.payment.id && !c->token_from_cookie &&
        checkout_token_is(&c->api->keys, c->arena, &lookup.payment, c->token))
        return ERR_OK;
    err = call_authenticate(c);
    if (!err && (!lookup.payment.id || lookup.payment.user_id != c->session.user_id))
        err = problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    return err;
}

void payment_log_attention(const struct payment *payment)
{
    if (payment->needs_attention.ptr)
        log_line(LOG_WARN, "payment_needs_attention", LOG_INT("payment_id", payment->id),
                 LOG_STR("reason", payment->needs_attention));
}

enum err payment_get(struct call *c)
{
    struct payment payment;
    enum err err = authorize(c, &payment);
    if (!err)
        payment_encode(c, call_json(c, 200), NULL, &payment);
    return err;
}

enum err payment_delete(struct call *c)
{
    struct payment_give_up give_up = {
        .payment_id = c->http->ids[0],
        .user_id = c->session.user_id,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    return call_write(c, payment_give_up, NULL, &give_up);
}

struct simulate_body {
    struct opt_str outcome;
};

static const struct json_field SIMULATE[] = {
    {"outcome", JSON_TEXT, JSON_REQUIRED, offsetof(struct simulate_body, outcome), 0, 0,
     PROBLEM_NONE},
};

static void encode_simulated(struct call *c, void *arg)
{
    const struct payment_simulate *simulate = arg;
    payment_encode(c, call_json(c, 200), NULL, &simulate->payment);
}

/* Once the shop takes real money, nobody pays what is left of its test payments with nothing. */
static enum err check_test_provider(struct call *c)
{
    if (strcmp(c->api->provider->name, "test") == 0)
        return ERR_OK;
    return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
}

enum err payment_simulate_post(struct call *c)
{
    struct simulate_body in = {0};
    struct payment payment;
    enum err err = authorize(c, &payment);
    if (!err)
        err = check_test_provider(c);
    if (!err)
        err = call_body(c, SIMULATE, FIELDS_N(SIMULATE), &in);
    if (err)
        return err;
    struct payment_simulate simulate = {
        .payment_id = payment.id,
        .owner_id = payment.user_id,
        .now_ms = c->now_ms,
        .outcome = in.outcome.value,
        .problem = &c->problem,
    };
    err = call_write(c, payment_simulate, encode_simulated, &simulate);
    if (!err)
        payment_log_attention(&simulate.payment);
    return err;
}
