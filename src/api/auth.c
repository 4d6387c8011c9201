#include "api/auth.h"

#include "api/session_hints.h"
#include "base/clock.h"
#include "domain/limits.h"

static struct str cookie_name(const struct call *c)
{
    return c->api->settings.https ? STR("__Host-servery_session") : STR("servery_session");
}

static struct str cookie_token(struct call *c)
{
    struct str rest = http_header_get(c->http, "Cookie"), part, name;

    while (str_split(&rest, ';', &part)) {
        part = str_trim(part);
        if (str_split(&part, '=', &name) && str_eq(name, cookie_name(c)) && part.len > 0)
            return part;
    }
    return STR_NONE;
}

static struct str authorization(struct call *c)
{
    return str_trim(http_header_get(c->http, "Authorization"));
}

void auth_token(struct call *c)
{
    struct str header = authorization(c);

    c->token = STR_NONE;
    c->token_from_cookie = false;
    if (header.len > 0) {
        if (str_eq_nocase(str_slice(header, 0, 7), STR("Bearer ")))
            c->token = str_trim(str_slice(header, 7, header.len));
        return;
    }
    c->token = cookie_token(c);
    c->token_from_cookie = c->token.ptr != NULL;
}

/* A browser says where a request comes from; what says nothing is no browser. */
static bool is_cross_site(const struct call *c)
{
    struct str site = http_header_get(c->http, "Sec-Fetch-Site");
    if (site.ptr)
        return !str_is(site, "same-origin") && !str_is(site, "none");
    struct str origin = http_header_get(c->http, "Origin");
    return origin.ptr && !str_eq_nocase(origin, c->api->settings.origin);
}

static bool changes_something(enum http_method method)
{
    return method == HTTP_POST || method == HTTP_PUT || method == HTTP_DELETE;
}

struct str auth_token_hash(struct call *c, struct str token)
{
    return crypto_hash_str(&c->api->keys, c->arena, "session", token);
}

enum err auth_check(struct call *c, const struct session *session)
{
    if (session->id == 0)
        return problem_set(&c->problem, PROBLEM_UNAUTHENTICATED,
                           "The session is over. Please log in again.");
    if (session->disabled)
        return problem_set(&c->problem, PROBLEM_ACCOUNT_DISABLED, NULL);
    if (c->route->access == ACCESS_ADMIN && session->role != ROLE_ADMIN)
        return problem_set(&c->problem, PROBLEM_FORBIDDEN, "Only an admin may do this.");
    return ERR_OK;
}

struct lookup {
    struct str token_hash;
    int64_t now_ms;
    struct session session;
};

static enum err find(struct tx *tx, void *arg)
{
    struct lookup *lookup = arg;
    return session_find(tx, lookup->token_hash, lookup->now_ms, &lookup->session);
}

static enum err touch(struct tx *tx, void *arg)
{
    const struct lookup *lookup = arg;
    return session_touch(tx, lookup->session.id, lookup->now_ms);
}

/* A write looks its session up again in its own transaction, so a hint will do before that; not one
 * that is due to be prolonged. */
static bool use_hint(struct call *c)
{
    struct session session;

    if (c->http->route->lane != HTTP_LANE_WRITE ||
        !session_hints_find(c->api->session_hints, c->token_hash, &session) ||
        session.expires_at_ms <= c->now_ms || c->now_ms - session.used_at_ms > SESSION_TOUCH_MS)
        return false;
    c->session = session;
    c->session_is_hint = true;
    return true;
}

static enum err recheck(struct call *c, const struct session_look *look)
{
    struct session session;
    enum err err = session_look_read(look, &session);
    if (err)
        return err;
    if (session.id == 0)
        session_hints_drop(c->api->session_hints, c->token_hash);
    return auth_check(c, &session);
}

enum err auth_run_checked(struct call *c, struct tx *tx, tx_fn *fn, void *arg)
{
    struct session_look look;
    enum err err = session_look_ahead(tx, c->session.id, c->session.user_id, c->now_ms, &look);
    if (!err)
        err = fn(tx, arg);
    if (err && err != ERR_PROBLEM)
        return err;
    /* A unique row that fn met, and told of, ended the trips; the session was answered before
     * it. */
    enum err settled = tx_settle(tx);
    if (settled && settled != ERR_UNIQUE)
        return settled;
    enum err allowed = recheck(c, &look);
    if (!allowed)
        return err;
    problem_reset(&c->problem);
    return recheck(c, &look);
}

enum err call_authenticate(struct call *c)
{
    if (!c->token.ptr)
        return problem_set(&c->problem, PROBLEM_UNAUTHENTICATED,
                           authorization(c).len > 0
                               ? "The Authorization header must be \"Bearer\" and a token."
                               : NULL);
    if (c->token_from_cookie && changes_something(c->http->method) && is_cross_site(c))
        return problem_set(&c->problem, PROBLEM_CROSS_SITE, NULL);

    c->token_hash = auth_token_hash(c, c->token);
    if (use_hint(c))
        return auth_check(c, &c->session);
    struct lookup lookup = {.token_hash = c->token_hash, .now_ms = c->now_ms};
    enum err err = store_ask(c->api->store, c->arena, find, &lookup);
    if (!err)
        err = auth_check(c, &lookup.session);
    if (err)
        return err;
    c->session = lookup.session;
    session_hints_keep(c->api->session_hints, c->token_hash, &c->session);
    if (c->now_ms - c->session.used_at_ms > SESSION_TOUCH_MS) {
        err = store_write(c->api->store, c->arena, touch, &lookup);
        if (err == ERR_UNAVAILABLE)
            return ERR_OK; /* reads go on where nothing can be written; a later call prolongs it */
        if (err)
            return err;
        if (c->token_from_cookie)
            call_cookie(c, c->token, c->now_ms + SESSION_LIFETIME_MS);
    }
    return ERR_OK;
}

void call_cookie(struct call *c, struct str token, int64_t expires_at_ms)
{
    const char *secure = c->api->settings.https ? "; Secure" : "";
    int64_t max_age_s = token.ptr ? (expires_at_ms - c->now_ms) / SECOND_MS : 0;

    http_response_header(
        c->http, "Set-Cookie",
        arena_printf(c->arena,
                     STR_FMT "=" STR_FMT "; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
                     STR_ARG(cookie_name(c)), STR_ARG(token), (long long)max_age_s, secure));
}
