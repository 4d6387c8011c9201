/* What the shop sold, by days of its own time zone, and what waits for somebody now. */
#include "api/handlers.h"
#include "api/menu.h"
#include "base/log.h"
#include "base/zone.h"
#include "domain/limits.h"
#include "domain/money.h"
#include "store/summary.h"

/* A zone that was checked when it was set, but whose file is gone since. */
static struct zone *zone_of(struct shop *shop)
{
    struct zone *zone = zone_create(shop->timezone);
    if (zone)
        return zone;
    log_line(LOG_WARN, "timezone_unknown", LOG_STR("timezone", shop->timezone));
    shop->timezone = STR("UTC");
    return zone_create(shop->timezone);
}

struct period {
    int64_t first, last; /* days, both in it */
};

static void decode_day(struct call *c, const char *name, struct str text, int64_t *ret_day)
{
    if (text.ptr && !clock_parse_date(text, ret_day))
        problem_add(&c->problem, name, PROBLEM_INVALID_VALUE,
                    "It must be a date, as in 2026-11-22.");
}

static enum err decode_period(struct call *c, struct str from, struct str to, int64_t today,
                              struct period *ret_period)
{
    struct period period = {.last = today};
    decode_day(c, "to", to, &period.last);
    period.first = period.last - SUMMARY_DAYS_DEFAULT + 1;
    decode_day(c, "from", from, &period.first);
    if (c->problem.n_rows > 0)
        return ERR_PROBLEM;
    if (period.first < clock_day(1, 1, 1)) /* dates have no sign */
        return problem_add(&c->problem, from.ptr ? "from" : "to", PROBLEM_OUT_OF_RANGE,
                           "No day before the year 1.");
    if (period.first > period.last)
        return problem_add(&c->problem, "from", PROBLEM_INVALID_VALUE,
                           "It must not be after the last day.");
    if (period.last - period.first >= SUMMARY_DAYS_MAX)
        return problem_add(&c->problem, "from", PROBLEM_OUT_OF_RANGE, "At most 366 days.");
    *ret_period = period;
    return ERR_OK;
}

static void make_days(struct call *c, const struct zone *zone, const struct period *period,
                      struct summary *summary)
{
    summary->n_days = (size_t)(period->last - period->first + 1);
    summary->days = arena_zalloc(c->arena, summary->n_days * sizeof *summary->days);
    for (size_t i = 0; i < summary->n_days; i++) {
        int64_t day = period->first + (int64_t)i;
        summary->days[i].from_ms = zone_day_start_ms(zone, day);
        summary->days[i].to_ms = zone_day_start_ms(zone, day + 1);
    }
}

/* ---- On the wire ---- */

static void put_date(struct json_writer *w, const char *key, int64_t day)
{
    char text[CLOCK_TEXT_SIZE];
    json_str(w, key, clock_format_date(day, text));
}

static void put_sales(struct json_writer *w, const struct summary_day *day)
{
    json_int(w, "orders", day->orders);
    json_int(w, "cancelled", day->cancelled);
    json_int(w, "revenue", day->revenue);
}

static void put_days(struct json_writer *w, const struct summary *summary, int64_t first_day)
{
    json_begin_array(w, "days");
    for (size_t i = 0; i < summary->n_days; i++) {
        json_begin_object(w, NULL);
        put_date(w, "date", first_day + (int64_t)i);
        put_sales(w, &summary->days[i]);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_totals(struct json_writer *w, const struct summary *summary)
{
    struct summary_day sum = {0};
    for (size_t i = 0; i < summary->n_days; i++) {
        sum.orders += summary->days[i].orders;
        sum.cancelled += summary->days[i].cancelled;
        money_add_to(&sum.revenue, summary->days[i].revenue);
    }
    json_begin_object(w, "totals");
    put_sales(w, &sum);
    json_end_object(w);
}

static void put_statuses(struct json_writer *w, const int64_t *counts, bool open_only)
{
    json_begin_object(w, "by_status");
    for (int i = 0; i < ORDER_STATUSES; i++) {
        bool final = i == ORDER_COMPLETED || i == ORDER_CANCELLED;
        if (!open_only || !final)
            json_int(w, order_status_text((enum order_status)i).ptr, counts[i]);
    }
    json_end_object(w);
}

static void put_foods(struct json_writer *w, const struct summary *summary)
{
    json_begin_array(w, "top_foods");
    for (size_t i = 0; i < summary->n_foods; i++) {
        json_begin_object(w, NULL);
        json_int(w, "food_id", summary->foods[i].food_id);
        json_str(w, "name", summary->foods[i].name);
        json_int(w, "quantity", summary->foods[i].quantity);
        json_int(w, "revenue", summary->foods[i].revenue);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_now(struct json_writer *w, const struct summary *summary)
{
    int64_t open = 0;
    for (int i = 0; i < ORDER_STATUSES; i++)
        open += summary->open[i];
    json_begin_object(w, "now");
    json_int(w, "open_orders", open);
    put_statuses(w, summary->open, true);
    json_int(w, "needs_attention", summary->needs_attention);
    json_int(w, "refund_due", summary->refund_due);
    json_end_object(w);
}

enum err admin_summary_get(struct call *c)
{
    struct str from, to;
    const struct query_field fields[] = {{"from", &from}, {"to", &to}};
    struct summary summary = {0};
    struct period period = {0};
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);

    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (err)
        return err;
    struct zone *zone = zone_of(&shop);
    err = decode_period(c, from, to, zone_day(zone, c->now_ms), &period);
    if (!err)
        make_days(c, zone, &period, &summary);
    zone_destroy(zone);
    if (!err)
        err = summary_read(c->api->store, c->arena, &summary);
    if (err)
        return err;
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    put_date(w, "from", period.first);
    put_date(w, "to", period.last);
    json_str(w, "timezone", shop.timezone);
    json_str(w, "currency", shop.currency);
    put_totals(w, &summary);
    put_days(w, &summary, period.first);
    put_statuses(w, summary.by_status, false);
    put_foods(w, &summary);
    put_now(w, &summary);
    json_end_object(w);
    return ERR_OK;
}
