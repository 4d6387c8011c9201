/* The way of every call through the API, from the server's hands to the handler and back. */
#include "api/answer.h"
#include "api/auth.h"
#include "api/client.h"
#include "api/handlers.h"
#include "api/rate_limit.h"
#include "base/clock.h"
#include "base/log.h"

static const char *method_text(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OTHER:
        return "OTHER";
    }
    return "OTHER";
}

/* The RateLimit fields of draft-ietf-httpapi-ratelimit-headers. */
static void put_rate_headers(struct call *c, const char *name, const struct rate_state *state)
{
    http_response_header(c->http, "RateLimit-Policy",
                         arena_printf(c->arena, "\"%s\";q=%lld;w=%lld", name,
                                      (long long)state->limit,
                                      (long long)(state->window_ms / SECOND_MS)));
    http_response_header(c->http, "RateLimit",
                         arena_printf(c->arena, "\"%s\";r=%lld;t=%lld", name,
                                      (long long)state->remaining,
                                      (long long)((state->reset_ms + 999) / SECOND_MS)));
}

static enum err limit_rate(struct call *c)
{
    const struct api *api = c->api;
    bool auth = (c->route->flags & ROUTE_AUTH_LIMITED) != 0;
    struct rate_limit *limit = auth && api->auth_limit ? api->auth_limit : api->all_limit;

    if (!limit)
        return ERR_OK;
    struct str key = client_key(c->arena, &c->client);
    struct rate_state state = rate_limit_take(limit, key, clock_mono_ms());
    put_rate_headers(c, rate_limit_name(limit), &state);
    if (state.allowed)
        return ERR_OK;
    c->problem.retry_after_ms = state.retry_ms;
    return problem_set(&c->problem, PROBLEM_RATE_LIMITED, "Too many requests from this address.");
}

static enum err run(struct call *c)
{
    if (c->route->flags & ROUTE_DEMO_ONLY) {
        if (!c->api->settings.demo || !client_host_is_loopback(c->http))
            return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    }
    enum err err = limit_rate(c);
    if (!err && !(c->route->flags & ROUTE_QUERY) && str_starts(c->http->path, STR("/api/")))
        err = call_query(c, NULL, 0);
    if (!err && c->http->route->lane != HTTP_LANE_LOOP)
        auth_token(c);
    if (!err && c->route->access != ACCESS_PUBLIC)
        err = call_authenticate(c);
    if (!err)
        err = c->route->handler(c);
    return err;
}

/* Who asks while a server drains is told on purpose that it is not ready. */
static bool is_failure(const struct call *c)
{
    bool leaving = c->api->leaving && c->route->handler == readyz_get;

    return c->http->response.status >= 500 && !leaving;
}

/* Every call that may change something, and every failure of ours. Reads are counted by the
 * metrics: a line for each would cost more than the answer. */
static void log_call(const struct call *c)
{
    enum http_method method = c->http->method;
    int status = c->http->response.status;

    if ((method == HTTP_GET || method == HTTP_HEAD) && status < 500)
        return;
    log_line(is_failure(c) ? LOG_ERROR : LOG_INFO, "request",
             LOG_CSTR("method", method_text(method)), LOG_CSTR("route", c->route->http.pattern),
             LOG_INT("status", status), LOG_INT("user_id", c->session.user_id),
             LOG_STR("client", client_text(c->arena, &c->client)),
             LOG_INT("duration_us", clock_mono_us() - c->http->started_us));
}

void api_handle(struct http_call *http)
{
    struct call c;
    struct api *api = http->ctx;

    c.api = api;
    c.http = http;
    c.arena = http->arena;
    c.route = (const struct route *)http->route;
    c.now_ms = clock_now_ms();
    c.session = (struct session){0};
    c.token = STR_NONE;
    c.token_from_cookie = false;
    c.token_hash = STR_NONE;
    c.session_is_hint = false;
    c.other_user_id = 0;
    problem_init(&c.problem, c.arena);
    log_set_request_id(http->request_id);
    c.client = client_of(http, api->settings.trusted_proxies, api->settings.n_trusted_proxies);
    enum err err = run(&c);
    if (err)
        answer_error(&c, err);
    log_call(&c);
    log_set_request_id(STR_NONE);
}
