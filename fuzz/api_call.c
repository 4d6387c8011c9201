#include "api_call.h"

#include <event2/http.h>
#include <event2/http_struct.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "api/call.h"
#include "api/metrics.h"
#include "api/routes.h"
#include "csv_reference.h"
#include "domain/limits.h"
#include "fuzz.h"
#include "net/http_internal.h"

enum { STREAMS_MAX = 16, HEADERS_MAX = 40 };

static struct http_server server;
static struct http_loop loop;
static struct http_stream *streams[STREAMS_MAX];
static size_t n_streams;
static void *z;

/* ---- From text to a request ---- */

static enum http_method read_method(struct str word, enum evhttp_cmd_type *ret_type)
{
    static const struct {
        const char *name;
        enum http_method method;
        enum evhttp_cmd_type type;
    } all[] = {
        {"GET", HTTP_GET, EVHTTP_REQ_GET},          {"HEAD", HTTP_HEAD, EVHTTP_REQ_HEAD},
        {"POST", HTTP_POST, EVHTTP_REQ_POST},       {"PUT", HTTP_PUT, EVHTTP_REQ_PUT},
        {"DELETE", HTTP_DELETE, EVHTTP_REQ_DELETE},
    };
    *ret_type = EVHTTP_REQ_PATCH;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_is(word, all[i].name)) {
            *ret_type = all[i].type;
            return all[i].method;
        }
    return HTTP_OTHER;
}

/* evhttp gives strings that end at NUL. */
static void add_headers(struct arena *arena, struct http_job *job, struct str *rest)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(job->req);
    struct str line, name;
    (void)evhttp_add_header(headers, "Host", "127.0.0.1:8080");
    job->n_headers = 1;
    while (job->n_headers < HEADERS_MAX && str_split(rest, '\n', &line) && line.len > 0)
        if (str_split(&line, ':', &name) && line.ptr &&
            evhttp_add_header(headers, arena_cstr(arena, name),
                              arena_cstr(arena, str_trim(line))) == 0)
            job->n_headers++;
}

static bool has_too_many_pairs(struct str query)
{
    size_t n = query.len > 0;
    for (size_t i = 0; i < query.len; i++)
        n += query.ptr[i] == '&';
    return n > HTTP_QUERY_PAIRS_MAX;
}

/* False: the server itself refuses it, before it is a call. */
static bool read_request(struct api_shop *shop, struct str text, struct http_job *job)
{
    struct http_call *call = &job->call;
    struct str rest = api_shop_fill(shop, text), first, method;
    struct evhttp_request *req = job->req;

    (void)str_split(&rest, '\n', &first);
    (void)str_split(&first, ' ', &method);
    req->major = req->minor = 1;
    call->method = read_method(method, &req->type);
    req->uri = mem_dup_cstr(first.ptr ? arena_cstr(call->arena, first) : "");
    add_headers(call->arena, job, &rest);
    call->target = str_from(req->uri);
    call->query = call->target;
    (void)str_split(&call->query, '?', &call->path);
    call->body = rest.len > 0 ? fuzz_exact(call->arena, rest) : STR("");
    return http_guard_check(req) == NULL;
}

/* ---- The answer ---- */

static bool has_token(const struct api_shop *shop, const struct http_call *call)
{
    struct str sent = http_header_get(call, "Authorization");
    struct str cookie = http_header_get(call, "Cookie");
    for (size_t i = 0; i < shop->n_words; i++)
        if (shop->words[i].value.len > 0 && (str_contains(sent, shop->words[i].value) ||
                                             str_contains(cookie, shop->words[i].value)))
            return true;
    return false;
}

static bool has_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcmp(response->headers[i].name.ptr, name) == 0)
            return true;
    return false;
}

static enum problem_code code_of(const char *text)
{
    int code = PROBLEM_NONE + 1;
    while (code < PROBLEM_COUNT && strcmp(problem_code_text((enum problem_code)code), text) != 0)
        code++;
    CHECK(code < PROBLEM_COUNT);
    return (enum problem_code)code;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    CHECK(text != NULL);
    return text;
}

static void check_problem(const struct http_call *call, const json_t *problem)
{
    const struct http_response *response = &call->response;
    const char *code = text_of(problem, "code");
    const json_t *rows = json_object_get(problem, "errors"), *row;
    size_t i;

    CHECK(response->status == problem_code_status(code_of(code)));
    CHECK(json_integer_value(json_object_get(problem, "status")) == response->status);
    CHECK(strcmp(text_of(problem, "request_id"), call->request_id.ptr) == 0);
    CHECK(str_contains(str_from(text_of(problem, "type")), str_from(code)));
    CHECK(*text_of(problem, "title") && *text_of(problem, "detail") && json_is_array(rows));
    json_array_foreach (rows, i, row) {
        const char *row_code = text_of(row, "code");
        CHECK(code_of(row_code) && *text_of(row, "detail"));
        CHECK(i > 0 || response->status != 422 || strcmp(row_code, code) == 0);
    }
    CHECK(response->status != 422 || json_array_size(rows) > 0);
    CHECK(response->status != 429 || has_header(response, "Retry-After"));
    CHECK(response->status != 405 || has_header(response, "Allow"));
    CHECK(response->status != 401 || has_header(response, "WWW-Authenticate"));
}

static void learn_text(struct api_shop *shop, const char *name, const json_t *value)
{
    char number[STR_INT64_SIZE];
    if (json_is_string(value))
        api_shop_learn(shop, name, str_from(json_string_value(value)));
    else if (json_is_integer(value))
        api_shop_learn(shop, name, str_from_int64(json_integer_value(value), number));
}

static void learn_payment(struct api_shop *shop, const json_t *payment)
{
    const char *url = json_string_value(json_object_get(payment, "checkout_url"));
    const char *mark = url ? strchr(url, '#') : NULL;
    learn_text(shop, "payment", json_object_get(payment, "id"));
    if (mark)
        api_shop_learn(shop, "paytoken", str_from(mark + 1));
}

static void learn(struct api_shop *shop, const json_t *answer)
{
    learn_text(shop, "signup", json_object_get(answer, "signup_token"));
    learn_text(shop, "new", json_object_get(answer, "token"));
    learn_text(shop, "cursor", json_object_get(answer, "next_cursor"));
    learn_payment(shop, json_object_get(answer, "payment"));
    if (json_object_get(answer, "checkout_url"))
        learn_payment(shop, answer);
    if (json_object_get(answer, "fulfilment"))
        learn_text(shop, "order", json_object_get(answer, "id"));
    else if (json_object_get(answer, "available"))
        learn_text(shop, "food", json_object_get(answer, "id"));
    learn_text(shop, "referral", json_object_get(answer, "referral_code"));
    learn_text(shop, "image", json_object_get(answer, "image_url"));
}

static struct str body_of(const struct http_response *response)
{
    return response->content ? http_content_plain(response->content) : buf_str(&response->body);
}

/* Only browsers, and where no page is, are told so by a page. */
static bool is_page_for_unknown(const struct http_call *call)
{
    return call->response.status == 404 && !call->route && call->response.content &&
           http_accepts_type(call, "text/html") && !str_starts(call->path, STR("/api/"));
}

static void check_body(struct api_shop *shop, struct http_call *call)
{
    const struct http_response *response = &call->response;
    struct str body = body_of(response);
    struct str type = response->content ? response->content->type : response->content_type;
    bool is_problem = str_is(type, "application/problem+json");

    CHECK(is_problem == (response->status >= 400 && !is_page_for_unknown(call)));
    CHECK(response->status != 204 || body.len == 0);
    if (!is_problem && !str_is(type, "application/json"))
        return;
    json_error_t error;
    json_t *root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
    CHECK(root != NULL);
    if (is_problem)
        check_problem(call, root);
    learn(shop, root);
    json_decref(root);
    CHECK(!str_contains(body, STR("$argon2")) || str_contains(call->body, STR("argon2")) ||
          call->method == HTTP_GET);
}

static void check_answer(struct api_shop *shop, struct http_call *call)
{
    const struct http_response *response = &call->response;
    const struct route *route = (const struct route *)call->route;

    CHECK(response->status >= 200 && response->status < 500);
    check_body(shop, call);
    if (route && route->access != ACCESS_PUBLIC && response->status < 400)
        CHECK(has_token(shop, call));
    for (size_t i = 0; i < response->n_headers; i++)
        CHECK(!str_is(response->headers[i].name, "Set-Cookie") ||
              str_contains(response->headers[i].value, STR("; HttpOnly; SameSite=Lax")));
}

/* What was compressed is what was meant. */
static void check_gzip(struct http_job *job)
{
    struct str body = body_of(&job->call.response);
    if (!job->gzip.ptr)
        return;
    z_stream in = {.next_in = (unsigned char *)(uintptr_t)job->gzip.ptr,
                   .avail_in = (unsigned)job->gzip.len};
    char *plain = arena_alloc(job->call.arena, body.len + 1);
    CHECK(inflateInit2(&in, 15 + 16) == Z_OK);
    in.next_out = (unsigned char *)plain;
    in.avail_out = (unsigned)body.len + 1;
    CHECK(inflate(&in, Z_FINISH) == Z_STREAM_END && in.total_out == body.len);
    CHECK_SAME(((struct str){plain, body.len}), body);
    (void)inflateEnd(&in);
}

/* An answer in pieces is a table whose rows are equally long. Made as the server makes it, when
 * each piece is written; for HEAD none is. */
static void take_pieces(struct http_job *job)
{
    struct http_pieces *pieces = job->call.response.pieces;
    struct str rest, cell;
    size_t n = 0, n_columns = 0;
    bool ends_row;
    if (!pieces)
        return;
    if (job->call.response.status == 200 && job->call.method != HTTP_HEAD) {
        buf_put_str(&pieces->piece, buf_str(&job->call.response.body));
        while (pieces->got == HTTP_PIECES_MORE)
            http_pieces_make(job);
        CHECK(pieces->got == HTTP_PIECES_LAST);
        rest = buf_str(&pieces->piece);
        while (csv_reference_read(job->call.arena, &rest, &cell, &ends_row)) {
            n++;
            CHECK(n_columns == 0 || n <= n_columns);
            if (!ends_row)
                continue;
            CHECK(n_columns == 0 || n == n_columns);
            n_columns = n;
            n = 0;
        }
        CHECK(n == 0 && n_columns > 0);
    }
    http_pieces_close(pieces);
    job->call.response.pieces = NULL;
}

/* ---- Running ---- */

static void set_up_loop(void)
{
    if (loop.server)
        return;
    server.routes = http_routes_create(&ROUTES[0].http, ROUTES_N, sizeof *ROUTES);
    http_limits_default(&server.limits);
    loop.server = &server;
    loop.inbox_full = true; /* nobody has to be woken */
    (void)pthread_mutex_init(&loop.inbox_lock, NULL);
    TAILQ_INIT(&loop.pieces);
    TAILQ_INIT(&loop.stream_queue);
}

static void dispatch(struct http_call *call)
{
    struct str allow = STR_NONE;
    int status = http_routes_match(server.routes, call, &allow);
    if (status == 0 && has_too_many_pairs(call->query))
        status = 400;
    else if (status == 0 && call->body.len > call->route->body_max_bytes)
        status = 413;
    if (status == 0) {
        api_handle(call);
    } else {
        call->route = NULL;
        api_refuse(call, status, NULL, allow);
    }
}

/* As http_reply_send: one that another answer than 200 came of is closed again. */
static void keep_stream(const struct http_job *job)
{
    struct http_stream *stream = job->call.response.stream;
    if (stream && (job->call.response.status != 200 || job->call.method == HTTP_HEAD))
        http_stream_close(stream);
    else if (stream)
        streams[n_streams++] = stream;
    if (n_streams == STREAMS_MAX)
        api_call_end();
}

void api_call_run(struct api_shop *shop, struct str text)
{
    struct http_job job = {.call = {.server = &server,
                                    .ctx = &shop->api,
                                    .request_id = STR("0123456789abcdef"),
                                    .peer = {.bytes = {127, 0, 0, 1}}}};
    set_up_loop();
    job.loop = &loop;
    job.call.arena = arena_create();
    job.req = evhttp_request_new(NULL, NULL);
    buf_init(&job.call.response.body, job.call.arena);
    if (read_request(shop, text, &job)) {
        dispatch(&job.call);
        check_answer(shop, &job.call);
        http_reply_prepare(&job, &z);
        check_gzip(&job);
        take_pieces(&job);
        metrics_measure(&job.call);
        keep_stream(&job);
        api_shop_take_mails(shop);
    }
    http_content_unref(job.call.response.content);
    free((void *)(uintptr_t)job.gzip.ptr);
    evhttp_request_free(job.req);
    arena_destroy(job.call.arena);
}

void api_call_end(void)
{
    while (n_streams > 0)
        http_stream_close(streams[--n_streams]);
}
