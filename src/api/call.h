/* One call of the API: decode → authorize → store → encode. A handler is named after its route
 * (`POST /api/orders` is orders_post in api/orders.c) and returns an enum err; with ERR_PROBLEM
 * the call's problem is the answer. The route table is in api/routes.c.
 *
 * A handler that changes something looks like this:
 *
 *     enum err cart_items_post(struct call *c)
 *     {
 *         struct body in = {0};
 *         enum err err = call_body(c, FIELDS, FIELDS_N(FIELDS), &in);
 *         if (err)
 *             return err;
 *         struct cart_add add = {.user_id = c->session.user_id, …, .problem = &c->problem};
 *         return call_write(c, cart_add, encode_cart, &add);
 *     }
 */
#ifndef SERVERY_API_CALL_H
#define SERVERY_API_CALL_H

#include "api/api.h"
#include "base/json.h"
#include "store/session.h"

struct call {
    struct api *api;
    struct http_call *http;
    struct arena *arena;
    const struct route *route;
    int64_t now_ms;         /* one clock reading for the whole call */
    struct session session; /* with ACCESS_USER and ACCESS_ADMIN; else id 0 */
    int64_t other_user_id;  /* whom a call changes besides its own user; 0: nobody */
    struct str token;       /* the bearer token or the cookie's; STR_NONE */
    bool token_from_cookie;
    struct str token_hash;      /* once authenticated */
    bool session_is_hint;       /* the session was found lately; what uses it checks it again */
    struct http_address client; /* the client's address, a trusted proxy's word included */
    struct problem problem;
    struct json_writer json; /* of the answer, after call_json */
};

enum access {
    ACCESS_PUBLIC, /* no session needed; none is looked up */
    ACCESS_USER,   /* 401 without a live session, 403 account_disabled */
    ACCESS_ADMIN,  /* and 403 forbidden unless admin */
};

enum {
    ROUTE_AUTH_LIMITED = 1, /* counts against auth_rate_per_minute */
    ROUTE_DEMO_ONLY = 2,    /* 404 unless demo, and only for a loopback Host */
    ROUTE_QUERY = 4,        /* takes query parameters; elsewhere under /api they are refused */
};

struct route {
    struct http_route http; /* first: the server's pointer to it is a pointer to this */
    enum access access;
    unsigned flags;
    enum err (*handler)(struct call *c);
};

/* ---- Decode ---- */

/* The JSON body by a table of fields. An empty body is an empty object. */
MUST_CHECK enum err call_body(struct call *c, const struct json_field *fields, size_t n_fields,
                              void *out);

/* A text that was sent, without the space at its ends; too_short where nothing is left. */
MUST_CHECK enum err call_trim(struct call *c, const char *field, struct opt_str *text);

/* The same of one that may be empty: STR_NONE where nothing is left, or nothing was sent. */
struct str call_trim_or_none(const struct opt_str *text);

/* For other bodies: the Content-Type without its parameters, "" if there is none; 415 for a body
 * with a Content-Encoding. */
MUST_CHECK enum err call_body_type(struct call *c, struct str *ret_type);

/* Query parameters: unknown names, repeats and bad values are 422 rows. */
enum { QUERY_MAX = 10 };
struct query_field {
    const char *name;
    struct str *ret_value; /* STR_NONE if absent */
};
MUST_CHECK enum err call_query(struct call *c, const struct query_field *fields, size_t n);

/* What the parameter `q` looks for. Nothing, if it is longer than anything that could be found,
 * which is a row. */
struct search {
    struct str text;   /* without the space around it; STR_NONE: nothing */
    struct str needle; /* folded; STR_NONE: nothing */
    int64_t number;    /* the id that it may be; 0: none */
};
struct search call_search(struct call *c, struct str q);

/* `limit` and `cursor` as asked (STR_NONE: the default, the beginning). A cursor is a list of up to
 * CURSOR_PARTS integers, opaque to clients; a foreign one is 422 invalid_value. */
enum { CURSOR_PARTS = 2 };
struct page {
    int64_t limit;
    bool has_cursor;
    int64_t cursor[CURSOR_PARTS];
};
MUST_CHECK enum err call_page(struct call *c, struct str limit, struct str cursor,
                              int64_t default_limit, int64_t max_limit, struct page *ret_page);
struct str call_cursor(struct call *c, const int64_t parts[static CURSOR_PARTS]);

/* ---- Authorize ---- */

/* Looks the token up (done already for ACCESS_USER and ACCESS_ADMIN): 401, 403 or the session.
 * For routes that also take other tokens. */
MUST_CHECK enum err call_authenticate(struct call *c);

/* ---- Store ---- */

MUST_CHECK enum err call_read(struct call *c, tx_fn *fn, void *arg);

/* The same, with the caller's session checked again first, in the same snapshot. For streams: a
 * log-out is told to those that are open, so who opens one looks again after that. */
MUST_CHECK enum err call_read_checked(struct call *c, tx_fn *fn, void *arg);

/* Runs fn in a write transaction in which the problem was reset and the caller's session is checked
 * again, with his user row locked (and the other user's, the lower id first). If the session is
 * over fn may have run, and is undone. */
MUST_CHECK enum err call_transaction(struct call *c, tx_fn *fn, void *arg);

/* The same for a handler whose whole effect is one transaction: with an Idempotency-Key on an
 * authenticated POST the stored answer is replayed, or the new one stored with the effect. encode
 * fills the answer from arg; NULL gives 204. */
typedef void call_encode(struct call *c, void *arg);
MUST_CHECK enum err call_write(struct call *c, tx_fn *fn, call_encode *encode, void *arg);

/* The call's Idempotency-Key with its path and body hash, checked (422 idempotency_key_invalid);
 * key STR_NONE if none was sent. For handlers that keep their own row (orders). */
struct idempotency;
MUST_CHECK enum err call_idempotency(struct call *c, struct idempotency *ret_key);

/* Answers with what was stored under the key. */
void call_replay(struct call *c, const struct idempotency *stored);

/* ---- Encode ---- */

/* Starts a JSON answer with this status; the writer stands at the outermost value. */
struct json_writer *call_json(struct call *c, int status);
void call_no_content(struct call *c); /* 204 */
/* Starts an event stream's answer: what was missed goes into the returned body. */
struct buf *call_events(struct call *c);
/* Gives the finished 200 answer an ETag of its content. */
void call_etag(struct call *c);
/* Sets the session cookie (token STR_NONE: clears it). */
void call_cookie(struct call *c, struct str token, int64_t expires_at_ms);
/* {"items":[…],"next_cursor":…}: begin, write the items, end. next STR_NONE: null. */
struct json_writer *call_list(struct call *c);
void call_end_list(struct call *c, struct str next_cursor);

#endif
