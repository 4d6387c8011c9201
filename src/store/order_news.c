#include "store/order_news.h"

#include "base/sort.h"
#include "store/order_row.h"

#include <assert.h>
#include <string.h>

enum { CHUNK = ORDER_CHUNK };

static int64_t *sorted(struct arena *arena, const int64_t *ids, size_t n)
{
    int64_t *copy = arena_alloc(arena, (n + 1) * sizeof *copy);
    if (n > 0)
        memcpy(copy, ids, n * sizeof *copy);
    sort_numbers(copy, n);
    return copy;
}

static void set_chunk(struct sql_value values[static CHUNK], const int64_t *ids, size_t n)
{
    for (size_t i = 0; i < CHUNK; i++)
        values[i] = sql_int(i < n ? ids[i] : 0);
}

/* Of up to CHUNK events: their orders without lines and events. */
static enum err find_heads(struct tx *tx, struct order_news *news, struct order *orders, size_t n)
{
    static const char sql[] = "SELECT " ORDER_COLUMNS ORDER_FROM "WHERE o.id IN " ORDER_CHUNK_IDS;
    struct sql_value values[CHUNK];
    struct sql_rows rows;

    for (size_t i = 0; i < CHUNK; i++)
        values[i] = sql_int(i < n ? news[i].event.order_id : 0);
    enum err err = tx_ask(tx, sql, (struct sql_args){values, CHUNK}, &rows);
    for (size_t row = 0; row < rows.n && !err; row++)
        for (size_t i = 0; i < n; i++)
            if (news[i].event.order_id == sql_get_int(&rows, row, 0))
                orders[i] = order_from_row(&rows, row);
    return err;
}

static enum err add_orders(struct tx *tx, struct order_news *news, size_t n)
{
    struct order *orders = arena_zalloc(tx_arena(tx), (n + 1) * sizeof *orders);
    enum err err = ERR_OK;

    for (size_t from = 0; from < n && !err; from += CHUNK)
        err = find_heads(tx, news + from, orders + from, n - from < CHUNK ? n - from : CHUNK);
    if (!err)
        err = order_fill(tx, orders, n);
    for (size_t i = 0; i < n && !err; i++)
        news[i].order = orders[i];
    return err;
}

static void add_events(struct tx *tx, const struct sql_rows *rows, struct order_news *news)
{
    const struct order_event *events = order_events_from_rows(tx, rows);
    for (size_t i = 0; i < rows->n; i++)
        news[i] = (struct order_news){.event = events[i]};
}

static enum err find_events(struct tx *tx, struct order_news_find *find)
{
    static const char sql[] = "SELECT " ORDER_EVENT_COLUMNS " FROM order_events "
                              "WHERE id IN " ORDER_CHUNK_IDS " ORDER BY id";
    const int64_t *ids = sorted(tx_arena(tx), find->event_ids, find->n_events);
    struct sql_value values[CHUNK];
    struct sql_rows rows;
    enum err err = ERR_OK;

    for (size_t from = 0; from < find->n_events && !err; from += CHUNK) {
        set_chunk(values, ids + from, find->n_events - from);
        err = tx_ask(tx, sql, (struct sql_args){values, CHUNK}, &rows);
        if (err)
            break;
        add_events(tx, &rows, find->news + find->n_news);
        find->n_news += rows.n;
    }
    return err;
}

static struct payment_flags flags_from_row(const struct sql_rows *rows, size_t row)
{
    struct payment_flags flags = {
        .id = sql_get_int(rows, row, 0),
        .needs_attention = sql_get_str(rows, row, 2),
        .refund_due = sql_get_bool(rows, row, 3),
        .order_id = sql_get_int(rows, row, 4),
    };
    bool known = payment_status_parse(sql_get_str(rows, row, 1), &flags.status);
    assert(known); /* the schema checks it */
    return flags;
}

static enum err find_payments(struct tx *tx, struct order_news_find *find)
{
    static const char sql[] =
        "SELECT p.id, p.status, p.needs_attention, p.refund_due, "
        "(SELECT o.id FROM orders o WHERE o.payment_id = p.id) FROM payments p "
        "WHERE p.id IN " ORDER_CHUNK_IDS " AND (p.needs_attention IS NOT NULL "
        "OR p.refund_due = 1 OR EXISTS (SELECT 1 FROM payment_events e "
        "WHERE e.payment_id = p.id)) ORDER BY p.id";
    const int64_t *ids = sorted(tx_arena(tx), find->payment_ids, find->n_payments);
    struct sql_value values[CHUNK];
    struct sql_rows rows;
    enum err err = ERR_OK;

    for (size_t from = 0; from < find->n_payments && !err; from += CHUNK) {
        set_chunk(values, ids + from, find->n_payments - from);
        err = tx_ask(tx, sql, (struct sql_args){values, CHUNK}, &rows);
        for (size_t i = 0; i < rows.n && !err; i++)
            find->payments[find->n_flagged++] = flags_from_row(&rows, i);
    }
    return err;
}

enum err order_news_find(struct tx *tx, void *arg)
{
    struct order_news_find *find = arg;
    struct arena *arena = tx_arena(tx);

    find->n_news = 0;
    find->n_flagged = 0;
    find->news = arena_alloc(arena, (find->n_events + 1) * sizeof *find->news);
    find->payments = arena_alloc(arena, (find->n_payments + 1) * sizeof *find->payments);
    enum err err = find_events(tx, find);
    if (!err)
        err = add_orders(tx, find->news, find->n_news);
    return err ? err : find_payments(tx, find);
}

/* When the event was; 0 is the beginning. */
static enum err find_at(struct tx *tx, int64_t event_id, bool *ret_known, int64_t *ret_at_ms)
{
    static const char sql[] = "SELECT at FROM order_events WHERE id = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(event_id)), &rows);
    if (err)
        return err;
    *ret_known = rows.n > 0 || event_id == 0;
    *ret_at_ms = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return ERR_OK;
}

/* Appends the events of lower ids that may have become visible after the one at `at_ms` was;
 * since->sure: these are all.
 *
 * A transaction is over `overlap` after its `at` at the latest. So who showed up after an event of
 * that `at` is no older than at - overlap. And whoever has a lower id than some event L was
 * inserted before it, so he is no younger than L's at + overlap: once an L is older than at - 2
 * overlaps, all below it are too old. */
static enum err add_overlapping(struct tx *tx, struct order_news_since *since, int64_t at_ms)
{
    static const char sql[] = "SELECT " ORDER_EVENT_COLUMNS " FROM order_events "
                              "WHERE id < $1 ORDER BY id DESC LIMIT $2";
    int64_t overlap_ms = tx_overlap_ms(tx);
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql, SQL_ARGS(sql_int(since->after_id), sql_int(since->limit + 1)), &rows);
    if (err)
        return err;
    const struct order_event *events = order_events_from_rows(tx, &rows);
    bool all = rows.n <= (size_t)since->limit;
    for (size_t i = 0; i < rows.n; i++)
        all = all || events[i].at_ms < at_ms - 2 * overlap_ms;
    for (size_t i = rows.n; i-- > 0;)
        if (events[i].at_ms >= at_ms - overlap_ms)
            since->news[since->n++] = (struct order_news){.event = events[i]};
    since->sure = all;
    return ERR_OK;
}

static enum err add_after(struct tx *tx, struct order_news_since *since)
{
    static const char sql[] = "SELECT " ORDER_EVENT_COLUMNS " FROM order_events "
                              "WHERE id > $1 ORDER BY id LIMIT $2";
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, sql, SQL_ARGS(sql_int(since->after_id), sql_int(since->limit + 1)), &rows);
    if (err)
        return err;
    add_events(tx, &rows, since->news + since->n);
    since->n += rows.n;
    since->sure = since->n <= (size_t)since->limit;
    return ERR_OK;
}

enum err order_news_since(struct tx *tx, void *arg)
{
    static const char newest[] = "SELECT COALESCE(MAX(id), 0) FROM order_events";
    struct order_news_since *since = arg;
    struct sql_rows rows;
    int64_t at_ms;

    since->in_order = tx_overlap_ms(tx) == 0;
    since->sure = false;
    since->n = 0;
    enum err err = tx_ask(tx, newest, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    since->last_id = sql_get_int(&rows, 0, 0);
    if (since->after_id < 0)
        return ERR_OK;
    err = find_at(tx, since->after_id, &since->sure, &at_ms);
    since->news = arena_alloc(tx_arena(tx), 2 * ((size_t)since->limit + 1) * sizeof *since->news);
    if (!err && since->sure && !since->in_order && since->after_id > 0)
        err = add_overlapping(tx, since, at_ms);
    if (!err && since->sure)
        err = add_after(tx, since);
    if (!err && since->sure)
        return add_orders(tx, since->news, since->n);
    since->n = 0;
    return err;
}
