/* The providers: `manual` and `test` are local and call nobody; `test` with an address of its own
 * is the remote one, a small JSON protocol in which every call names the payment by its key:
 *
 *     PUT  {base}/payments/{key}          {amount, currency, return_url, expires_at}
 *     GET  {base}/payments/{key}
 *     POST {base}/payments/{key}/cancel
 *
 * each answered 200 {id, state: open|paid|failed|closed, url, amount, currency}. */
#include "net/provider.h"

#include "base/json.h"
#include "net/http_client.h"

#include <stddef.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 2000

struct answer_body {
    struct opt_str id, state, url, currency;
    struct opt_int amount;
};

static const struct json_field ANSWER[] = {
    {"id", JSON_TEXT, JSON_REQUIRED, offsetof(struct answer_body, id), 1, 255, PROBLEM_NONE},
    {"state", JSON_TEXT, JSON_REQUIRED, offsetof(struct answer_body, state), 0, 0, PROBLEM_NONE},
    {"url", JSON_TEXT, JSON_NULLABLE, offsetof(struct answer_body, url), 0, 2000, PROBLEM_NONE},
    {"amount", JSON_INT, JSON_REQUIRED, offsetof(struct answer_body, amount), 0, 0, PROBLEM_NONE},
    {"currency", JSON_TEXT, JSON_REQUIRED, offsetof(struct answer_body, currency), 1, 3,
     PROBLEM_NONE},
};

static bool state_parse(struct str text, enum provider_state *ret_state)
{
    static const char *const texts[] = {
        [PROVIDER_OPEN] = "open",
        [PROVIDER_PAID] = "paid",
        [PROVIDER_FAILED] = "failed",
        [PROVIDER_CLOSED] = "closed",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_is(text, texts[i])) {
            *ret_state = (enum provider_state)i;
            return true;
        }
    }
    return false;
}

static enum err read_answer(struct arena *arena, const struct http_client_answer *http,
                            struct provider_answer *ret_answer)
{
    struct answer_body body = {0};
    struct problem *problem = arena_alloc(arena, sizeof *problem);
    enum provider_state state;

    if (http->status != 200 && http->status != 201)
        return ERR_UNAVAILABLE;
    problem_init(problem, arena);
    if (json_decode(arena, http->body, ANSWER, FIELDS_N(ANSWER), &body, problem) ||
        !state_parse(body.state.value, &state))
        return ERR_UNAVAILABLE;
    *ret_answer = (struct provider_answer){
        .state = state,
        .provider_ref = body.id.value,
        .url = body.url.set && !body.url.null ? body.url.value : STR_NONE,
        .amount_minor = body.amount.value,
        .currency = body.currency.value,
    };
    return ERR_OK;
}

static enum err call(const struct payment_provider *provider, struct arena *arena,
                     const struct provider_payment *payment, enum http_method method,
                     const char *suffix, struct str body, struct provider_answer *ret_answer)
{
    const struct http_header headers[] = {{STR("Content-Type"), STR("application/json")}};
    struct str url = arena_printf(arena, "%s/payments/" STR_FMT "%s", provider->base_url,
                                  STR_ARG(payment->key), suffix);
    const struct http_client_request request = {
        .method = method,
        .url = arena_cstr(arena, url),
        .headers = headers,
        .n_headers = body.ptr ? 1 : 0,
        .body = body,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .total_timeout_ms = PROVIDER_TIMEOUT_MS,
    };
    struct http_client_answer answer;
    struct str error;
    enum err err = http_client_call(arena, &request, &answer, &error);
    return err ? ERR_UNAVAILABLE : read_answer(arena, &answer, ret_answer);
}

static enum err test_create(const struct payment_provider *provider, struct arena *arena,
                            const struct provider_payment *payment,
                            struct provider_answer *ret_answer)
{
    struct buf buf;
    struct json_writer w;

    buf_init(&buf, arena);
    json_init(&w, &buf);
    json_begin_object(&w, NULL);
    json_int(&w, "amount", payment->amount_minor);
    json_str(&w, "currency", payment->currency);
    json_str(&w, "return_url", payment->return_url);
    json_time(&w, "expires_at", payment->expires_at_ms);
    json_end_object(&w);
    return call(provider, arena, payment, HTTP_PUT, "", buf_str(&buf), ret_answer);
}

static enum err test_cancel(const struct payment_provider *provider, struct arena *arena,
                            const struct provider_payment *payment,
                            struct provider_answer *ret_answer)
{
    return call(provider, arena, payment, HTTP_POST, "/cancel", STR("{}"), ret_answer);
}

static enum err test_look(const struct payment_provider *provider, struct arena *arena,
                          const struct provider_payment *payment,
                          struct provider_answer *ret_answer)
{
    return call(provider, arena, payment, HTTP_GET, "", STR_NONE, ret_answer);
}

static const struct payment_provider_ops TEST_REMOTE = {test_create, test_cancel, test_look};

bool provider_init(struct payment_provider *provider, const char *name, const char *base_url)
{
    bool test = strcmp(name, "test") == 0;
    if (!test && strcmp(name, "manual") != 0)
        return false;
    bool remote = test && base_url && base_url[0];
    *provider = (struct payment_provider){
        .name = test ? "test" : "manual",
        .ops = remote ? &TEST_REMOTE : NULL,
        .base_url = remote ? base_url : NULL,
    };
    return true;
}
