/* Payments as an admin sees them: what came in, what needs somebody, and what was done about it. */
#include "api/handlers.h"
#include "api/orders.h"
#include "api/payments.h"
#include "base/log.h"
#include "domain/limits.h"
#include "pay/pay.h"
#include "store/payment_admin.h"

#include <stddef.h>

/* ---- On the wire ---- */

static void put_person(struct json_writer *w, const char *key, int64_t id, struct str name,
                       struct str email)
{
    json_begin_object(w, key);
    json_int(w, "id", id);
    json_str(w, "name", name);
    json_str(w, "email", email);
}

static void put_by(struct json_writer *w, const struct payment_event *event)
{
    if (!event->actor_id) {
        json_put_null(w, "by");
        return;
    }
    put_person(w, "by", event->actor_id, event->actor_name, event->actor_email);
    json_end_object(w);
}

static void put_event(struct json_writer *w, const struct payment_event *event)
{
    json_begin_object(w, NULL);
    json_int(w, "id", event->id);
    json_str(w, "what", event->what);
    json_str(w, "reason", event->reason);
    json_bool(w, "refund_due", event->refund_due);
    if (event->paid_currency.ptr) {
        json_begin_object(w, "paid");
        json_int(w, "amount", event->paid_amount);
        json_str(w, "currency", event->paid_currency);
        json_end_object(w);
    } else {
        json_put_null(w, "paid");
    }
    json_str(w, "note", event->note);
    put_by(w, event);
    json_time(w, "at", event->at_ms);
    json_end_object(w);
}

static void put_resolved(struct json_writer *w, const struct payment_event *event)
{
    if (!event) {
        json_put_null(w, "resolved");
        return;
    }
    json_begin_object(w, "resolved");
    json_str(w, "reason", event->reason);
    json_bool(w, "refund_due", event->refund_due);
    json_str(w, "note", event->note);
    put_by(w, event);
    json_time(w, "at", event->at_ms);
    json_end_object(w);
}

static void case_encode(struct call *c, struct json_writer *w, const struct payment_case *found)
{
    const struct payment *p = &found->payment;

    json_begin_object(w, NULL);
    payment_encode_members(c, w, p);
    json_str(w, "provider_ref", p->provider_ref);
    json_begin_array(w, "items");
    for (size_t i = 0; i < found->n_lines; i++)
        order_line_encode(w, &found->lines[i]);
    json_end_array(w);
    json_str(w, "fulfilment", fulfilment_text(p->fulfilment));
    json_str(w, "address", p->address);
    json_str(w, "note", p->note);
    put_person(w, "customer", p->user_id, found->customer_name, found->customer_email);
    json_str(w, "phone", found->customer_phone);
    json_end_object(w);
    json_str(w, "needs_attention", p->needs_attention);
    json_bool(w, "refund_due", p->refund_due);
    put_resolved(w, found->resolved);
    json_int(w, "version", found->version);
    json_time(w, "created_at", p->created_at_ms);
    json_time(w, "updated_at", found->updated_at_ms);
    json_begin_array(w, "events");
    for (size_t i = 0; i < found->n_events; i++)
        put_event(w, &found->events[i]);
    json_end_array(w);
    json_end_object(w);
}

/* ---- The list ---- */

static void decode_wish(struct call *c, const char *name, struct str text,
                        enum payment_wish *ret_wish)
{
    *ret_wish = !text.ptr ? PAYMENT_ANY : str_is(text, "true") ? PAYMENT_WITH : PAYMENT_WITHOUT;
    if (*ret_wish == PAYMENT_WITHOUT && !str_is(text, "false"))
        problem_add(&c->problem, name, PROBLEM_INVALID_VALUE, "It must be true or false.");
}

enum err admin_payments_get(struct call *c)
{
    struct str attention, refund, status, q, limit, cursor;
    const struct query_field fields[] = {
        {"needs_attention", &attention},
        {"refund_due", &refund},
        {"status", &status},
        {"q", &q},
        {"limit", &limit},
        {"cursor", &cursor},
    };
    struct payment_case_list list = {.now_ms = c->now_ms};
    enum payment_status known;
    struct page page;
    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (err)
        return err;
    decode_wish(c, "needs_attention", attention, &list.attention);
    decode_wish(c, "refund_due", refund, &list.refund);
    if (status.ptr && !payment_status_parse(status, &known))
        problem_add(&c->problem, "status", PROBLEM_INVALID_VALUE, NULL);
    list.status = status;
    struct search search = call_search(c, q);
    list.needle = search.needle;
    list.number = search.number;
    err = call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, &page);
    if (err)
        return err;
    list.before_id = page.has_cursor ? page.cursor[0] : ID_MAX + 1;
    list.limit = page.limit;
    err = payment_case_list(c->api->store, c->arena, &list);
    if (err)
        return err;
    struct json_writer *w = call_list(c);
    for (size_t i = 0; i < list.n; i++)
        case_encode(c, w, &list.cases[i]);
    int64_t last[CURSOR_PARTS] = {list.n ? list.cases[list.n - 1].payment.id : 0};
    call_end_list(c, list.more ? call_cursor(c, last) : STR_NONE);
    return ERR_OK;
}

/* ---- Resolving ---- */

static void encode_resolved(struct call *c, void *arg)
{
    const struct payment_resolve *resolve = arg;
    case_encode(c, call_json(c, 200), &resolve->result);
}

enum err admin_payment_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"resolved", JSON_BOOL, 0, offsetof(struct payment_resolve, resolved), 0, 0, PROBLEM_NONE},
        {"note", JSON_LONG_TEXT, JSON_NULLABLE, offsetof(struct payment_resolve, note), 0,
         NOTE_MAX_CHARS, PROBLEM_NONE},
        {"version", JSON_INT, 0, offsetof(struct payment_resolve, version), 1, ID_MAX,
         PROBLEM_NONE},
    };
    struct payment_resolve resolve = {
        .payment_id = c->http->ids[0],
        .actor_id = c->session.user_id,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    enum err err = call_body(c, fields, FIELDS_N(fields), &resolve);
    resolve.note.value = call_trim_or_none(&resolve.note);
    if (!err)
        err = call_write(c, payment_resolve, encode_resolved, &resolve);
    if (!err && resolve.changed)
        log_line(LOG_INFO, "payment_resolution", LOG_INT("payment_id", resolve.payment_id),
                 LOG_INT("resolved", resolve.result.resolved != NULL),
                 LOG_INT("user_id", resolve.actor_id));
    return err;
}

/* ---- Received ---- */

static void encode_received(struct call *c, void *arg)
{
    const struct payment_news *news = arg;
    payment_encode(c, call_json(c, 200), NULL, &news->payment);
}

enum err admin_payment_received_post(struct call *c)
{
    enum err err = call_body(c, NULL, 0, NULL);
    if (err)
        return err;
    struct payment_news news = {
        .payment_id = c->http->ids[0],
        .kind = PAYMENT_NEWS_PAID,
        .now_ms = c->now_ms,
        .actor_id = c->session.user_id,
        .provider = pay_provider_name(c->api->provider),
        .problem = &c->problem,
    };
    err = call_write(c, payment_news, encode_received, &news);
    if (!err)
        payment_log_attention(&news.payment);
    return err;
}
