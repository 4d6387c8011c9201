/* Orders: placing one, which asks for payment first; reading them; moving one on. */
#include "api/orders.h"

#include "api/handlers.h"
#include "api/payments.h"
#include "api/remote.h"
#include "domain/limits.h"
#include "net/provider.h"
#include "store/idempotency.h"
#include "store/place.h"

#include <assert.h>
#include <stddef.h>

static bool is_admin(const struct call *c)
{
    return c->session.role == ROLE_ADMIN;
}

/* ---- POST /api/orders: decode ---- */

struct orders_body {
    struct opt_int payment_id, expected_total;
    struct opt_str fulfilment, address, note;
};

static const struct json_field ORDERS[] = {
    {"payment_id", JSON_INT, 0, offsetof(struct orders_body, payment_id), 1, ID_MAX, PROBLEM_NONE},
    {"fulfilment", JSON_TEXT, 0, offsetof(struct orders_body, fulfilment), 0, 0, PROBLEM_NONE},
    {"address", JSON_LONG_TEXT, JSON_NULLABLE, offsetof(struct orders_body, address), 0,
     ADDRESS_MAX_CHARS, PROBLEM_NONE},
    {"note", JSON_LONG_TEXT, JSON_NULLABLE, offsetof(struct orders_body, note), 0, NOTE_MAX_CHARS,
     PROBLEM_NONE},
    {"expected_total", JSON_INT, 0, offsetof(struct orders_body, expected_total), 0, MONEY_MAX,
     PROBLEM_NONE},
};

/* One placing on its way; place is what the store works on. */
struct placing {
    struct call *c;
    int64_t payment_id; /* the {payment_id} form; 0: the placing form */
    struct idempotency key;
    struct place place;
    struct order_read order; /* of a paid payment, or free */
    bool replayed;           /* the key's stored answer is to be given */
    struct idempotency stored;
};

static enum err decode_placing(struct call *c, struct placing *p)
{
    struct orders_body in = {0};
    enum err err = call_body(c, ORDERS, FIELDS_N(ORDERS), &in);
    if (err)
        return err;
    if (in.payment_id.set) {
        if (in.fulfilment.set || in.address.set || in.note.set || in.expected_total.set)
            return problem_add(&c->problem, "payment_id", PROBLEM_INVALID_VALUE,
                               "Send it alone, or what places an order.");
        p->payment_id = in.payment_id.value;
        return ERR_OK;
    }
    struct place *place = &p->place;
    if (!in.fulfilment.set)
        return problem_add(&c->problem, "fulfilment", PROBLEM_REQUIRED, NULL);
    if (!fulfilment_parse(in.fulfilment.value, &place->fulfilment))
        return problem_add(&c->problem, "fulfilment", PROBLEM_INVALID_VALUE,
                           "It must be pickup or delivery.");
    bool delivery = place->fulfilment == FULFILMENT_DELIVERY;
    place->address = delivery ? call_trim_or_none(&in.address) : STR_NONE;
    if (delivery && !place->address.ptr)
        return problem_add(&c->problem, "address", PROBLEM_REQUIRED,
                           "A delivery needs an address.");
    place->note = call_trim_or_none(&in.note);
    place->has_expected_total = in.expected_total.set;
    place->expected_total = in.expected_total.value;
    return ERR_OK;
}

/* ---- POST /api/orders: the transaction ---- */

static void encode_order(struct call *c, int status, const struct order *order)
{
    order_encode(call_json(c, status), NULL, order, is_admin(c));
}

static struct str order_location(struct call *c, int64_t order_id)
{
    return arena_printf(c->arena, "/api/orders/%lld", (long long)order_id);
}

/* A payment is what the key stands for, whatever becomes of it; an order is a stored answer. */
static enum err save_key(struct tx *tx, struct placing *p)
{
    struct idempotency key = p->key;
    bool free = p->place.outcome == PLACE_ORDER;
    if (!key.key.ptr || (p->payment_id && !p->order.found))
        return ERR_OK;
    if (free || p->payment_id) {
        key.status = free ? 201 : 200;
        key.location = free ? order_location(p->c, p->place.order_id) : STR_NONE;
        encode_order(p->c, (int)key.status, &p->order.order);
        key.body = buf_str(&p->c->http->response.body);
    } else {
        key.payment_id = p->place.payment.id;
    }
    return idempotency_save(tx, &key);
}

static enum err run_placing(struct tx *tx, void *arg)
{
    struct placing *p = arg;
    struct place *place = &p->place;
    bool found;

    p->c->http->response.status = 0;
    p->order = (struct order_read){.user_id = place->user_id};
    p->stored = p->key;
    enum err err = idempotency_find(tx, &p->stored, &found, place->problem);
    p->replayed = !err && found && p->stored.status;
    if (err || p->replayed)
        return err;
    if (found)
        err = place_again(tx, p->stored.payment_id, place);
    else if (p->payment_id)
        err = place_again(tx, p->payment_id, place);
    else
        err = place_order(tx, place);
    if (err)
        return err;
    p->order.order_id = place->outcome == PLACE_ORDER ? place->order_id : place->payment.order_id;
    if (p->order.order_id)
        err = order_read(tx, &p->order);
    return err || found ? err : save_key(tx, p);
}

/* Who asks for the order of a paid payment changes nothing, and needs not wait for the writer. */
static enum err read_ordered(struct tx *tx, void *arg)
{
    struct placing *p = arg;
    struct payment payment;

    p->order = (struct order_read){.user_id = p->place.user_id};
    enum err err = payment_find(tx, p->payment_id, &payment);
    if (err || !payment.order_id || payment.user_id != p->place.user_id)
        return err;
    p->order.order_id = payment.order_id;
    return order_read(tx, &p->order);
}

/* ---- POST /api/orders: answer ---- */

static enum err ask_for_payment(struct call *c, const struct payment *payment)
{
    struct buf buf;
    struct json_writer w;

    buf_init(&buf, c->arena);
    json_init(&w, &buf);
    payment_encode(c, &w, NULL, payment);
    problem_extra_json(&c->problem, "payment", buf_str(&buf));
    return problem_set(&c->problem, PROBLEM_PAYMENT_REQUIRED, NULL);
}

/* The same for a payment that was just made and for one that a later call comes back to. */
static enum err answer_by_payment(struct placing *p)
{
    struct call *c = p->c;
    const struct payment *payment = &p->place.payment;
    switch (payment_status_final(payment, c->now_ms)) {
    case PAYMENT_CREATING:
    case PAYMENT_PENDING:
        return ask_for_payment(c, payment);
    case PAYMENT_PAID:
        assert(p->order.found);
        if (c->http->response.status == 0) /* else it was encoded to be stored */
            encode_order(c, 200, &p->order.order);
        return ERR_OK;
    case PAYMENT_EXPIRED:
        return problem_set(&c->problem, PROBLEM_PAYMENT_EXPIRED, NULL);
    case PAYMENT_FAILED:
        return problem_set(&c->problem, PROBLEM_PAYMENT_FAILED, NULL);
    case PAYMENT_CANCELLING:
    case PAYMENT_CANCELLED:
        return problem_set(&c->problem, PROBLEM_PAYMENT_CANCELLED, NULL);
    case PAYMENT_STATUSES:
        break;
    }
    assert(false);
    return ERR_INTERNAL;
}

static enum err create_then_answer(struct placing *p)
{
    enum err err = remote_create(p->c, &p->place.payment);
    p->order.order_id = p->place.payment.order_id;
    if (!err && p->order.order_id)
        err = remote_error(p->c, call_read(p->c, order_read, &p->order));
    return err ? err : answer_by_payment(p);
}

enum err orders_post(struct call *c)
{
    struct placing *p = arena_zalloc(c->arena, sizeof *p);
    const struct payment_provider *provider = c->api->provider;

    p->c = c;
    p->place = (struct place){
        .user_id = c->session.user_id,
        .now_ms = c->now_ms,
        .provider = str_from(provider->name),
        .remote = provider_is_remote(provider),
        .hold_ms = c->api->settings.payment_hold_ms,
        .problem = &c->problem,
    };
    crypto_random(p->place.nonce, sizeof p->place.nonce);
    enum err err = decode_placing(c, p);
    if (!err)
        err = call_idempotency(c, &p->key);
    if (!err && p->payment_id && !p->key.key.ptr) {
        err = call_read(c, read_ordered, p);
        if (!err && p->order.found) {
            encode_order(c, 200, &p->order.order);
            return ERR_OK;
        }
    }
    if (!err)
        err = call_transaction(c, run_placing, p);
    if (err)
        return err;
    if (p->replayed) {
        call_replay(c, &p->stored);
        return ERR_OK;
    }
    switch (p->place.outcome) {
    case PLACE_PAYMENT:
        return answer_by_payment(p);
    case PLACE_CREATE:
        return create_then_answer(p);
    case PLACE_ORDER:
        if (c->http->response.status == 0)
            encode_order(c, 201, &p->order.order);
        http_response_header(c->http, "Location", order_location(c, p->place.order_id));
        return ERR_OK;
    }
    assert(false);
    return ERR_INTERNAL;
}

/* ---- Reading ---- */

enum err orders_get(struct call *c)
{
    struct str limit, cursor;
    const struct query_field fields[] = {{"limit", &limit}, {"cursor", &cursor}};
    struct page page;
    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (!err)
        err = call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, &page);
    if (err)
        return err;
    struct order_list list = {
        .user_id = c->session.user_id,
        .to_ms = INT64_MAX,
        .before_at_ms = page.has_cursor ? page.cursor[0] : INT64_MAX,
        .before_id = page.has_cursor ? page.cursor[1] : INT64_MAX,
        .limit = page.limit,
    };
    err = call_read(c, order_list, &list);
    if (!err)
        orders_answer(c, &list);
    return err;
}

void orders_answer(struct call *c, const struct order_list *list)
{
    struct json_writer *w = call_list(c);
    for (size_t i = 0; i < list->n; i++)
        order_encode(w, NULL, &list->orders[i], is_admin(c));
    struct str next = STR_NONE;
    if (list->more) {
        const int64_t parts[CURSOR_PARTS] = {list->next_at_ms, list->next_id};
        next = call_cursor(c, parts);
    }
    call_end_list(c, next);
}

enum err order_get(struct call *c)
{
    struct order_read read = {
        .order_id = c->http->ids[0],
        .user_id = is_admin(c) ? 0 : c->session.user_id,
    };
    enum err err = call_read(c, order_read, &read);
    if (err)
        return err;
    if (!read.found)
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);
    encode_order(c, 200, &read.order);
    call_etag(c);
    return ERR_OK;
}

/* ---- PUT /api/orders/{id}/status ---- */

struct status_body {
    struct opt_str status, note;
    struct opt_int version;
};

static const struct json_field STATUS[] = {
    {"status", JSON_TEXT, JSON_REQUIRED, offsetof(struct status_body, status), 0, 0, PROBLEM_NONE},
    {"note", JSON_LONG_TEXT, JSON_NULLABLE, offsetof(struct status_body, note), 0, NOTE_MAX_CHARS,
     PROBLEM_NONE},
    {"version", JSON_INT, 0, offsetof(struct status_body, version), 1, ID_MAX, PROBLEM_NONE},
};

static void encode_changed(struct call *c, void *arg)
{
    const struct order_set_status *change = arg;
    encode_order(c, 200, &change->order);
}

enum err order_status_put(struct call *c)
{
    struct status_body in = {0};
    enum err err = call_body(c, STATUS, FIELDS_N(STATUS), &in);
    if (err)
        return err;
    struct order_set_status change = {
        .order_id = c->http->ids[0],
        .note = call_trim_or_none(&in.note),
        .version = in.version.value,
        .actor = ACTOR_ADMIN,
        .actor_id = c->session.user_id,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    if (!order_status_parse(in.status.value, &change.to))
        return problem_add(&c->problem, "status", PROBLEM_INVALID_VALUE, NULL);
    return call_write(c, order_set_status, encode_changed, &change);
}
