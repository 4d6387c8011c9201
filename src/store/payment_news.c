/* What news about a payment does: the one place where money becomes an order. */
#include "store/food.h"
#include "store/order.h"
#include "store/payment_event.h"
#include "store/payment_row.h"

#include <assert.h>

/* The reasons of needs_attention. */
#define REASON_AMOUNT STR("paid_amount_mismatch")
#define REASON_CURRENCY STR("paid_currency_mismatch")
#define REASON_CANCELLED STR("paid_after_cancel")
#define REASON_UNSELLABLE STR("paid_late_unavailable")
#define REASON_NEWER STR("paid_late_newer_payment")
#define REASON_RESOLVED STR("paid_after_resolution")

/* The first reason stays until somebody has looked, and all are in the events; money says more than
 * a provider that is gone. It may still be paid as it should. */
static enum err flag(struct tx *tx, struct payment *p, struct str reason,
                     const struct payment_news *news)
{
    bool told = news->currency.ptr != NULL;
    struct payment_event_new event = {
        .payment_id = p->id,
        .reason = reason,
        .paid_amount = told ? news->amount_minor : p->amount_minor,
        .paid_currency = told ? news->currency : p->currency,
        .actor_id = news->actor_id,
        .at_ms = news->now_ms,
    };
    if (!p->needs_attention.ptr || str_eq(p->needs_attention, PAYMENT_PROVIDER_GONE))
        p->needs_attention = reason;
    if (news->next_call_at_ms)
        p->claimed_until_ms = news->next_call_at_ms;
    enum err err = payment_save(tx, p, news->now_ms);
    return err ? err : payment_event_add_news(tx, &event);
}

static enum err make_order(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    p->status = PAYMENT_PAID;
    p->held = false; /* the order's lines have the units now */
    if (str_eq(p->needs_attention, REASON_UNSELLABLE) || str_eq(p->needs_attention, REASON_NEWER) ||
        str_eq(p->needs_attention, PAYMENT_PROVIDER_GONE))
        p->needs_attention = STR_NONE;
    enum err err = payment_save(tx, p, news->now_ms);
    if (!err)
        err = order_create_paid(tx, p, news->actor_id, news->now_ms, &p->order_id);
    return err;
}

/* ---- Paid late: its hold is gone ---- */

/* A frozen line with its food as it is now. */
struct late_line {
    int64_t food_id, quantity;
    bool sellable, counted, enough, taken;
};

static enum err read_late_lines(struct tx *tx, int64_t payment_id, struct late_line **ret_lines,
                                size_t *ret_n)
{
    static const char sql[] =
        "SELECT i.food_id, i.quantity, f.available * (1 - f.archived), f.stock, i.taken "
        "FROM payment_items i JOIN foods f ON f.id = i.food_id "
        "WHERE i.payment_id = $1 ORDER BY i.food_id";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(payment_id)), &rows);
    if (err)
        return err;
    struct late_line *lines = arena_alloc(tx_arena(tx), (rows.n + 1) * sizeof *lines);
    for (size_t i = 0; i < rows.n; i++) {
        bool counted = !sql_is_null(&rows, i, 3);
        int64_t quantity = sql_get_int(&rows, i, 1);
        lines[i] = (struct late_line){
            .food_id = sql_get_int(&rows, i, 0),
            .quantity = quantity,
            .sellable = sql_get_bool(&rows, i, 2),
            .counted = counted,
            .enough = !counted || sql_get_int(&rows, i, 3) >= quantity,
            .taken = sql_get_bool(&rows, i, 4),
        };
    }
    *ret_lines = lines;
    *ret_n = rows.n;
    return ERR_OK;
}

/* Whether every line can be sold now; expired holds of others do not stand in the way. */
static enum err check_late_lines(struct tx *tx, const struct payment *p, int64_t now_ms,
                                 struct late_line **ret_lines, size_t *ret_n, bool *ret_sellable)
{
    bool any_released = false;
    enum err err = read_late_lines(tx, p->id, ret_lines, ret_n);
    for (size_t i = 0; i < *ret_n && !err; i++) {
        const struct late_line *line = &(*ret_lines)[i];
        bool released = false;
        if (!line->enough)
            err = payment_release_food(tx, line->food_id, line->quantity, now_ms, &released);
        any_released = any_released || released;
    }
    if (!err && any_released)
        err = read_late_lines(tx, p->id, ret_lines, ret_n);
    *ret_sellable = true;
    for (size_t i = 0; i < *ret_n && !err; i++)
        if (!(*ret_lines)[i].sellable || !(*ret_lines)[i].enough)
            *ret_sellable = false;
    return err;
}

/* Its lines take what is counted now, as they say from now on. */
static enum err mark_late_lines(struct tx *tx, int64_t payment_id, const struct late_line *lines,
                                size_t n)
{
    static const char sql[] = "UPDATE payment_items SET taken = $3 "
                              "WHERE payment_id = $1 AND food_id = $2";
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        if (lines[i].taken != lines[i].counted)
            err = tx_post(tx, 1, sql,
                          SQL_ARGS(sql_int(payment_id), sql_int(lines[i].food_id),
                                   sql_bool(lines[i].counted)));
    return err;
}

static enum err take_late_lines(struct tx *tx, const struct late_line *lines, size_t n)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        if (lines[i].counted)
            err = food_take_late(tx, lines[i].food_id, lines[i].quantity);
    return err;
}

/* What came before was dealt with, perhaps sent back: an order now could be a meal for nothing. */
static enum err was_resolved(struct tx *tx, const struct payment *p, bool *ret_resolved)
{
    struct payment_resolution last;
    enum err err = payment_event_resolution(tx, p->id, &last);
    if (!err)
        *ret_resolved = last.resolved && !str_eq(last.reason, PAYMENT_PROVIDER_GONE);
    return err;
}

static enum err order_if_possible(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    struct payment open;
    struct late_line *lines = NULL;
    size_t n = 0;
    bool sellable = false, resolved = false;

    enum err err = was_resolved(tx, p, &resolved);
    if (!err && resolved)
        return flag(tx, p, REASON_RESOLVED, news);
    if (!err)
        err = payment_find_open(tx, p->user_id, &open);
    if (!err && open.id)
        err = payment_expire(tx, &open, news->now_ms);
    if (err)
        return err;
    if (open.id && payment_is_open(open.status))
        return flag(tx, p, REASON_NEWER, news);
    err = check_late_lines(tx, p, news->now_ms, &lines, &n, &sellable);
    if (err)
        return err;
    if (!sellable)
        return flag(tx, p, REASON_UNSELLABLE, news);
    err = mark_late_lines(tx, p->id, lines, n);
    if (!err)
        err = make_order(tx, p, news);
    return err ? err : take_late_lines(tx, lines, n);
}

/* ---- The news ---- */

static enum err apply_paid(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    bool same_currency = !news->currency.ptr || str_eq(news->currency, p->currency);
    bool matches = same_currency && (!news->currency.ptr || news->amount_minor == p->amount_minor);

    switch (payment_on_paid(payment_status_now(p, news->now_ms), matches)) {
    case PAYMENT_ORDER:
        return make_order(tx, p, news);
    case PAYMENT_ORDER_IF_POSSIBLE:
        return order_if_possible(tx, p, news);
    case PAYMENT_FLAG:
        return flag(tx, p,
                    matches         ? REASON_CANCELLED
                    : same_currency ? REASON_AMOUNT
                                    : REASON_CURRENCY,
                    news);
    case PAYMENT_IGNORE:
        return ERR_OK;
    case PAYMENT_FAIL:
    case PAYMENT_CONFIRM_CANCEL:
        break;
    }
    assert(false);
    return ERR_INTERNAL;
}

static enum err apply_closed(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    switch (payment_on_failed(payment_status_now(p, news->now_ms))) {
    case PAYMENT_FAIL:
        if (news->refused)
            p->outcome = STR("refused");
        return payment_close(tx, p, PAYMENT_FAILED, news->now_ms);
    case PAYMENT_CONFIRM_CANCEL:
        return payment_close(tx, p, payment_status_final(p, news->now_ms), news->now_ms);
    case PAYMENT_IGNORE:
        return ERR_OK;
    case PAYMENT_ORDER:
    case PAYMENT_ORDER_IF_POSSIBLE:
    case PAYMENT_FLAG:
        break;
    }
    assert(false);
    return ERR_INTERNAL;
}

/* What the provider calls it is kept in every state that can still be paid. */
static enum err apply_open(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    if (!payment_is_open(p->status) && p->status != PAYMENT_CANCELLING)
        return ERR_OK;
    if (p->status == PAYMENT_CREATING)
        p->status = PAYMENT_PENDING;
    p->claimed_until_ms = news->next_call_at_ms;
    return payment_save(tx, p, news->now_ms);
}

static enum err apply_kind(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    if (!news->actor_id && str_eq(p->needs_attention, PAYMENT_PROVIDER_GONE))
        p->needs_attention = STR_NONE; /* it is there again */
    if (!p->provider_ref.ptr)
        p->provider_ref = news->provider_ref;
    if (!p->provider_url.ptr)
        p->provider_url = news->provider_url;
    switch (news->kind) {
    case PAYMENT_NEWS_OPEN:
        return apply_open(tx, p, news);
    case PAYMENT_NEWS_PAID:
        return apply_paid(tx, p, news);
    case PAYMENT_NEWS_CLOSED:
        return apply_closed(tx, p, news);
    }
    assert(false);
    return ERR_INTERNAL;
}

static enum err apply(struct tx *tx, struct payment *p, const struct payment_news *news)
{
    enum err err = p->remote ? ERR_OK : payment_expire(tx, p, news->now_ms);
    struct str before = p->needs_attention;
    int64_t version = p->version;
    if (!err)
        err = apply_kind(tx, p, news);
    if (err || !before.ptr || p->needs_attention.ptr || p->version == version)
        return err;
    return payment_event_add(tx, &(struct payment_event_new){
                                     .payment_id = p->id,
                                     .what = PAYMENT_EVENT_CLEARED,
                                     .reason = before,
                                     .actor_id = news->actor_id,
                                     .at_ms = news->now_ms,
                                 });
}

enum err payment_news(struct tx *tx, void *arg)
{
    struct payment_news *news = arg;
    enum err err = payment_find_locked(tx, news->payment_id, &news->payment);
    if (err)
        return err;
    if (!news->payment.id)
        return news->problem ? problem_set(news->problem, PROBLEM_NOT_FOUND, NULL) : ERR_OK;
    if (news->actor_id && news->payment.remote && str_eq(news->payment.provider, news->provider))
        return problem_set(news->problem, PROBLEM_PAYMENT_CONFLICT,
                           "The payment's provider tells when it is paid.");
    return apply(tx, &news->payment, news);
}

enum err payment_simulate(struct tx *tx, void *arg)
{
    struct payment_simulate *s = arg;
    struct payment *p = &s->payment;
    enum err err = s->owner_id ? tx_lock_user(tx, s->owner_id) : ERR_OK;
    if (!err)
        err = s->owner_id ? payment_find(tx, s->payment_id, p)
                          : payment_find_locked(tx, s->payment_id, p);
    if (err)
        return err;
    if (!p->id || !str_is(p->provider, "test"))
        return problem_set(s->problem, PROBLEM_NOT_FOUND, NULL);

    bool again;
    enum payment_status now = payment_status_now(p, s->now_ms);
    err = payment_simulate_check(now, p->outcome, s->outcome, &again, s->problem);
    if (err || again)
        return err;
    enum payment_status from = p->status;
    struct payment_news news = {
        .kind = str_is(s->outcome, "paid") ? PAYMENT_NEWS_PAID : PAYMENT_NEWS_CLOSED,
        .now_ms = s->now_ms,
    };
    p->outcome = s->outcome;
    err = apply(tx, p, &news);
    if (!err && p->status == from) /* nothing came of it, but the outcome is known now */
        err = payment_save(tx, p, s->now_ms);
    return err;
}
