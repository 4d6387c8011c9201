#include "api/answer.h"

#include "api/pages.h"
#include "base/log.h"

enum { RETRY_AFTER_S = 1 };

static void put_rows(struct json_writer *w, const struct problem *problem)
{
    json_begin_array(w, "errors");
    for (size_t i = 0; i < problem->n_rows; i++) {
        const struct problem_row *row = &problem->rows[i];
        json_begin_object(w, NULL);
        json_cstr(w, "field", row->field);
        if (row->food_id)
            json_int(w, "food_id", row->food_id);
        json_cstr(w, "code", problem_code_text(row->code));
        json_str(w, "detail",
                 row->detail.ptr ? row->detail : str_from(problem_code_title(row->code)));
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_retry_after(struct http_call *http, enum problem_code code, int64_t retry_after_ms)
{
    int status = problem_code_status(code);
    if (retry_after_ms <= 0 && status != 429 && status != 503)
        return;
    int64_t seconds = (retry_after_ms + 999) / 1000;
    if (seconds < RETRY_AFTER_S)
        seconds = RETRY_AFTER_S;
    http_response_header(http, "Retry-After",
                         arena_printf(http->arena, "%lld", (long long)seconds));
}

/* Without a struct call: what the server refuses before a route is known has none. */
static void answer_problem(struct http_call *http, const struct api *api,
                           const struct problem *problem)
{
    struct http_response *response = &http->response;
    struct json_writer w;
    const char *code = problem_code_text(problem->code);
    int status = problem_code_status(problem->code);

    response->status = status;
    response->content_type = STR("application/problem+json");
    response->body.len = 0;
    response->content = NULL;
    response->etag = STR_NONE;
    response->cache_control = STR_NONE;
    put_retry_after(http, problem->code, problem->retry_after_ms);
    if (status == 401)
        http_response_header(http, "WWW-Authenticate", STR("Bearer realm=\"servery\""));

    json_init(&w, &response->body);
    json_begin_object(&w, NULL);
    json_str(
        &w, "type",
        arena_printf(http->arena, STR_FMT "/errors#%s", STR_ARG(api->settings.public_url), code));
    json_cstr(&w, "title", problem_code_title(problem->code));
    json_int(&w, "status", status);
    json_cstr(&w, "code", code);
    json_str(&w, "detail",
             problem->detail.ptr ? problem->detail : str_from(problem_code_title(problem->code)));
    put_rows(&w, problem);
    for (size_t i = 0; i < problem->n_extras; i++)
        json_raw(&w, problem->extras[i].key, problem->extras[i].json);
    json_str(&w, "request_id", http->request_id);
    json_end_object(&w);
}

void answer_error(struct call *c, enum err err)
{
    switch (err) {
    case ERR_OK:
    case ERR_PROBLEM:
        /* A cookie that is worth nothing any more only stands in the browser's way. */
        if (c->problem.code == PROBLEM_UNAUTHENTICATED && c->token_from_cookie)
            call_cookie(c, STR_NONE, 0);
        break;
    case ERR_UNAVAILABLE:
        problem_reset(&c->problem);
        problem_set(&c->problem, PROBLEM_UNAVAILABLE, "Nothing was changed. Please try again.");
        break;
    case ERR_UNIQUE:
    case ERR_STALE:
    case ERR_INTERNAL:
        log_line(LOG_ERROR, "request_failed", LOG_CSTR("route", c->route->http.pattern),
                 LOG_INT("err", err));
        problem_reset(&c->problem);
        problem_set(&c->problem, PROBLEM_INTERNAL, NULL);
        break;
    }
    answer_problem(c->http, c->api, &c->problem);
}

static enum problem_code code_of_status(int status)
{
    switch (status) {
    case 404:
        return PROBLEM_NOT_FOUND;
    case 405:
    case 501:
        return PROBLEM_METHOD_NOT_ALLOWED;
    case 413:
        return PROBLEM_BODY_TOO_LARGE;
    case 503:
        return PROBLEM_UNAVAILABLE;
    default:
        return PROBLEM_MALFORMED_REQUEST;
    }
}

void api_refuse(struct http_call *http, int status, const char *detail, struct str allow)
{
    const struct api *api = http->ctx;
    struct problem problem;

    if (status == 404 && pages_answer_unknown(api->pages, http))
        return;
    problem_init(&problem, http->arena);
    problem_set(&problem, code_of_status(status), detail);
    if (allow.ptr)
        http_response_header(http, "Allow", allow);
    answer_problem(http, api, &problem);
}
