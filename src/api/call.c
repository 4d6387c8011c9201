#include "api/call.h"

#include <assert.h>

#include "api/auth.h"
#include "base/text.h"
#include "domain/limits.h"
#include "store/idempotency.h"

/* ---- Decode ---- */

enum err call_body_type(struct call *c, struct str *ret_type)
{
    struct str header = http_header_get(c->http, "Content-Type"), type = STR("");
    struct str coding = http_header_get(c->http, "Content-Encoding");

    if (coding.len > 0 && !str_eq_nocase(coding, STR("identity")))
        return problem_set(&c->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           "The body must be sent without Content-Encoding.");
    (void)str_split(&header, ';', &type);
    *ret_type = str_trim(type);
    return ERR_OK;
}

enum err call_body(struct call *c, const struct json_field *fields, size_t n_fields, void *out)
{
    struct str body = c->http->body, type = STR_NONE;

    if (body.len == 0) {
        body = STR("{}");
    } else {
        enum err err = call_body_type(c, &type);
        if (err)
            return err;
        if (!str_eq_nocase(type, STR("application/json")))
            return problem_set(&c->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                               "The body must be application/json.");
    }
    return json_decode(c->arena, body, fields, n_fields, out, &c->problem);
}

enum err call_trim(struct call *c, const char *field, struct opt_str *text)
{
    if (!text->set || text->null)
        return ERR_OK;
    text->value = text_trim(text->value);
    return text->value.len > 0
               ? ERR_OK
               : problem_add(&c->problem, field, PROBLEM_TOO_SHORT, "It must not be empty.");
}

struct str call_trim_or_none(const struct opt_str *text)
{
    struct str trimmed = text->set && !text->null ? text_trim(text->value) : STR_NONE;
    return trimmed.len > 0 ? trimmed : STR_NONE;
}

static void add_unknown(struct call *c, struct str name)
{
    bool is_text = text_is_utf8(name) && !text_has_control(name, false);
    problem_add(&c->problem, is_text ? arena_cstr(c->arena, name) : NULL, PROBLEM_UNKNOWN_FIELD,
                NULL);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Each % begins a byte in two hexadecimal digits. */
static bool is_percent_encoded(struct str query)
{
    for (size_t i = 0; i < query.len; i++)
        if (query.ptr[i] == '%' &&
            (query.len - i < 3 || !is_hex(query.ptr[i + 1]) || !is_hex(query.ptr[i + 2])))
            return false;
    return true;
}

enum err call_query(struct call *c, const struct query_field *fields, size_t n)
{
    struct str rest = c->http->query, name, value;
    bool is_refused[QUERY_MAX] = {false};

    assert(n <= QUERY_MAX);
    for (size_t i = 0; i < n; i++)
        *fields[i].ret_value = STR_NONE;
    if (!is_percent_encoded(rest))
        return problem_set(&c->problem, PROBLEM_MALFORMED_REQUEST,
                           "A % in the query must begin a byte in two hexadecimal digits.");
    while (http_query_next(c->http, &rest, &name, &value)) {
        size_t i = 0;
        while (i < n && !str_is(name, fields[i].name))
            i++;
        if (i == n)
            add_unknown(c, name);
        else if (value.ptr && !fields[i].ret_value->ptr)
            *fields[i].ret_value = value;
        else if (!is_refused[i])
            is_refused[i] = problem_add(&c->problem, fields[i].name, PROBLEM_INVALID_VALUE,
                                        "It must be given once, in UTF-8.") != ERR_OK;
    }
    return c->problem.n_rows > 0 ? ERR_PROBLEM : ERR_OK;
}

/* A cursor on the wire: two numbers of 16 hex digits. */
enum { CURSOR_DIGITS = 16 };

static bool parse_hex(struct str digits, int64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char d = digits.ptr[i];
        if (d >= '0' && d <= '9')
            value = value << 4 | (uint64_t)(d - '0');
        else if (d >= 'a' && d <= 'f')
            value = value << 4 | (uint64_t)(d - 'a' + 10);
        else
            return false;
    }
    if (value > INT64_MAX)
        return false;
    *ret_value = (int64_t)value;
    return true;
}

struct search call_search(struct call *c, struct str q)
{
    struct search search = {0};

    q = q.ptr ? text_trim(q) : STR_NONE;
    if (text_count(q) > EMAIL_MAX_CHARS)
        problem_add(&c->problem, "q", PROBLEM_TOO_LONG, NULL);
    else if (q.len > 0)
        search = (struct search){.text = q, .needle = text_fold(c->arena, q)};
    if (!str_to_int64(search.text, &search.number) || search.number < 0)
        search.number = 0;
    return search;
}

enum err call_page(struct call *c, struct str limit, struct str cursor, int64_t default_limit,
                   int64_t max_limit, struct page *ret_page)
{
    struct page page = {.limit = default_limit};

    if (limit.ptr &&
        (!str_to_int64(limit, &page.limit) || page.limit < 1 || page.limit > max_limit))
        problem_add(&c->problem, "limit", PROBLEM_OUT_OF_RANGE,
                    arena_printf(c->arena, "It must be 1 to %lld.", (long long)max_limit).ptr);
    if (cursor.ptr) {
        bool good = cursor.len == CURSOR_PARTS * CURSOR_DIGITS;
        for (size_t i = 0; i < CURSOR_PARTS && good; i++)
            good = parse_hex(str_slice(cursor, i * CURSOR_DIGITS, (i + 1) * CURSOR_DIGITS),
                             &page.cursor[i]);
        if (!good)
            problem_add(&c->problem, "cursor", PROBLEM_INVALID_VALUE,
                        "Send the next_cursor of the page before.");
        page.has_cursor = good;
    }
    if (c->problem.n_rows > 0)
        return ERR_PROBLEM;
    *ret_page = page;
    return ERR_OK;
}

struct str call_cursor(struct call *c, const int64_t parts[static CURSOR_PARTS])
{
    return arena_printf(c->arena, "%016llx%016llx", (unsigned long long)parts[0],
                        (unsigned long long)parts[1]);
}

/* ---- Store ---- */

struct transaction {
    struct call *c;
    tx_fn *fn;
    void *arg;
};

static enum err read_checked(struct tx *tx, void *arg)
{
    const struct transaction *t = arg;
    return auth_run_checked(t->c, tx, t->fn, t->arg);
}

enum err call_read_checked(struct call *c, tx_fn *fn, void *arg)
{
    struct transaction t = {c, fn, arg};
    return store_read(c->api->store, c->arena, read_checked, &t);
}

enum err call_read(struct call *c, tx_fn *fn, void *arg)
{
    if (c->session_is_hint)
        return call_read_checked(c, fn, arg);
    return store_read(c->api->store, c->arena, fn, arg);
}

static enum err run_checked(struct tx *tx, void *arg)
{
    const struct transaction *t = arg;
    struct call *c = t->c;

    problem_reset(&c->problem);
    if (!c->session.id)
        return t->fn(tx, t->arg);
    int64_t user_id = c->session.user_id;
    enum err err = tx_lock_users(tx, user_id, c->other_user_id ? c->other_user_id : user_id);
    return err ? err : auth_run_checked(c, tx, t->fn, t->arg);
}

enum err call_transaction(struct call *c, tx_fn *fn, void *arg)
{
    struct transaction t = {c, fn, arg};
    return store_write(c->api->store, c->arena, run_checked, &t);
}

enum err call_idempotency(struct call *c, struct idempotency *ret_key)
{
    struct str key = http_header_get(c->http, "Idempotency-Key");

    *ret_key = (struct idempotency){
        .user_id = c->session.user_id, .path = c->http->path, .now_ms = c->now_ms};
    if (!key.ptr)
        return ERR_OK;
    bool good = key.len >= 1 && key.len <= IDEMPOTENCY_KEY_MAX_CHARS;
    for (size_t i = 0; i < key.len && good; i++)
        good = key.ptr[i] > ' ' && key.ptr[i] <= '~';
    if (!good)
        return problem_add(&c->problem, "Idempotency-Key", PROBLEM_IDEMPOTENCY_KEY_INVALID,
                           "It must be 1 to 255 visible ASCII characters.");
    ret_key->key = key;
    ret_key->body_hash = crypto_hash_str(&c->api->keys, c->arena, "idempotency", c->http->body);
    return ERR_OK;
}

void call_replay(struct call *c, const struct idempotency *stored)
{
    struct http_response *response = &c->http->response;

    response->status = (int)stored->status;
    response->body.len = 0;
    if (stored->body.ptr) {
        response->content_type = STR("application/json");
        buf_put_str(&response->body, stored->body);
    }
    if (stored->location.ptr)
        http_response_header(c->http, "Location", stored->location);
    http_response_header(c->http, "Idempotency-Replayed", STR("true"));
}

struct keyed_write {
    struct call *c;
    tx_fn *fn;
    call_encode *encode;
    void *arg;
    size_t n_headers; /* of the response before the transaction */
    struct idempotency key;
};

static void encode(const struct keyed_write *write)
{
    if (write->encode)
        write->encode(write->c, write->arg);
    else
        call_no_content(write->c);
}

static struct str response_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->n_headers; i++)
        if (str_eq_nocase(response->headers[i].name, str_from(name)))
            return response->headers[i].value;
    return STR_NONE;
}

/* The answer is made inside the transaction only when it is stored there. */
static enum err run_keyed(struct tx *tx, void *arg)
{
    struct keyed_write *write = arg;
    struct http_response *response = &write->c->http->response;
    bool found;

    response->status = 0;
    response->body.len = 0;
    response->n_headers = write->n_headers;
    enum err err = idempotency_find(tx, &write->key, &found, &write->c->problem);
    if (err)
        return err;
    if (found) {
        call_replay(write->c, &write->key);
        return ERR_OK;
    }
    err = write->fn(tx, write->arg);
    if (err || !write->key.key.ptr)
        return err;
    encode(write);
    if (response->status < 200 || response->status > 299)
        return ERR_OK;
    write->key.status = response->status;
    write->key.payment_id = 0;
    write->key.location = response_header(response, "Location");
    write->key.body = response->body.len > 0 ? buf_str(&response->body) : STR_NONE;
    return idempotency_save(tx, &write->key);
}

enum err call_write(struct call *c, tx_fn *fn, call_encode *encode_fn, void *arg)
{
    struct keyed_write write = {.c = c,
                                .fn = fn,
                                .encode = encode_fn,
                                .arg = arg,
                                .n_headers = c->http->response.n_headers};

    if (c->http->method == HTTP_POST && c->session.id) {
        enum err err = call_idempotency(c, &write.key);
        if (err)
            return err;
    }
    enum err err = call_transaction(c, run_keyed, &write);
    if (err)
        c->http->response.n_headers = write.n_headers; /* without those not committed */
    else if (c->http->response.status == 0)
        encode(&write);
    return err;
}

/* ---- Encode ---- */

struct json_writer *call_json(struct call *c, int status)
{
    struct http_response *response = &c->http->response;

    response->status = status;
    response->content_type = STR("application/json");
    response->body.len = 0;
    json_init(&c->json, &response->body);
    return &c->json;
}

struct buf *call_events(struct call *c)
{
    struct http_response *response = &c->http->response;

    response->status = 200;
    response->content_type = STR("text/event-stream");
    http_response_header(c->http, "X-Accel-Buffering", STR("no")); /* nginx passes it on at once */
    buf_put_cstr(&response->body, "retry: 2000\n\n");
    return &response->body;
}

void call_no_content(struct call *c)
{
    c->http->response.status = 204;
    c->http->response.body.len = 0;
}

void call_etag(struct call *c)
{
    struct http_response *response = &c->http->response;
    struct str hash = crypto_content_hash(c->arena, buf_str(&response->body));

    response->etag = arena_printf(c->arena, "\"" STR_FMT "\"", STR_ARG(hash));
    response->cache_control = STR("private, no-cache");
}

struct json_writer *call_list(struct call *c)
{
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    return w;
}

void call_end_list(struct call *c, struct str next_cursor)
{
    json_end_array(&c->json);
    json_str(&c->json, "next_cursor", next_cursor);
    json_end_object(&c->json);
}
