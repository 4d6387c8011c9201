#include "store/order_row.h"

#include "store/like.h"

#include <assert.h>

/* ---- Rows ---- */

struct order order_from_row(const struct sql_rows *rows, size_t row)
{
    struct order o = {
        .id = sql_get_int(rows, row, 0),
        .user_id = sql_get_int(rows, row, 1),
        .total = sql_get_int(rows, row, 3),
        .currency = sql_get_str(rows, row, 4),
        .address = sql_get_str(rows, row, 6),
        .note = sql_get_str(rows, row, 7),
        .payment_id = sql_get_int(rows, row, 8),
        .payment_status = sql_get_str(rows, row, 9),
        .payment_amount = sql_get_int(rows, row, 10),
        .customer_name = sql_get_str(rows, row, 11),
        .customer_email = sql_get_str(rows, row, 12),
        .customer_phone = sql_get_str(rows, row, 13),
        .version = sql_get_int(rows, row, 14),
        .created_at_ms = sql_get_int(rows, row, 15),
        .updated_at_ms = sql_get_int(rows, row, 16),
    };
    bool known = order_status_parse(sql_get_str(rows, row, 2), &o.status) &&
                 fulfilment_parse(sql_get_str(rows, row, 5), &o.fulfilment);
    assert(known); /* the schema checks them */
    return o;
}

/* Columns: order_id, food_id, name, unit_price, quantity, line_total, taken. */
static struct payment_line *lines_from_rows(struct tx *tx, const struct sql_rows *rows)
{
    struct payment_line *lines = arena_alloc(tx_arena(tx), (rows->n + 1) * sizeof *lines);
    for (size_t i = 0; i < rows->n; i++)
        lines[i] = (struct payment_line){
            .food_id = sql_get_int(rows, i, 1),
            .name = sql_get_str(rows, i, 2),
            .unit_price = sql_get_int(rows, i, 3),
            .quantity = sql_get_int(rows, i, 4),
            .line_total = sql_get_int(rows, i, 5),
            .taken = sql_get_bool(rows, i, 6),
        };
    return lines;
}

struct order_event *order_events_from_rows(struct tx *tx, const struct sql_rows *rows)
{
    struct order_event *events = arena_alloc(tx_arena(tx), (rows->n + 1) * sizeof *events);
    for (size_t i = 0; i < rows->n; i++)
        events[i] = (struct order_event){
            .id = sql_get_int(rows, i, 0),
            .order_id = sql_get_int(rows, i, 1),
            .from = sql_get_str(rows, i, 2),
            .to = sql_get_str(rows, i, 3),
            .actor = sql_get_str(rows, i, 4),
            .note = sql_get_str(rows, i, 5),
            .at_ms = sql_get_int(rows, i, 6),
        };
    return events;
}

/* ---- One order ---- */

enum err order_read(struct tx *tx, void *arg)
{
    static const char head[] = "SELECT " ORDER_COLUMNS ORDER_FROM "WHERE o.id = $1";
    static const char items[] =
        "SELECT order_id, food_id, name, unit_price, quantity, line_total, taken "
        "FROM order_items WHERE order_id = $1 ORDER BY food_id";
    static const char events[] = "SELECT " ORDER_EVENT_COLUMNS " FROM order_events "
                                 "WHERE order_id = $1 ORDER BY id";
    struct order_read *get = arg;
    struct sql_rows rows;

    struct sql_value id = sql_int(get->order_id);
    struct sql_rows item_rows, event_rows;

    get->found = false;
    enum err err = tx_ask_ahead(tx, items, SQL_ARGS(id), &item_rows);
    if (!err)
        err = tx_ask_ahead(tx, events, SQL_ARGS(id), &event_rows);
    if (!err)
        err = tx_ask(tx, head, SQL_ARGS(id), &rows);
    if (err || rows.n == 0 || (get->user_id && get->user_id != sql_get_int(&rows, 0, 1)))
        return err;
    get->order = order_from_row(&rows, 0);
    get->order.lines = lines_from_rows(tx, &item_rows);
    get->order.n_lines = item_rows.n;
    get->order.events = order_events_from_rows(tx, &event_rows);
    get->order.n_events = event_rows.n;
    get->found = true;
    return ERR_OK;
}

enum err order_owner(struct tx *tx, int64_t order_id, int64_t *ret_user_id)
{
    static const char sql[] = "SELECT user_id FROM orders WHERE id = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(order_id)), &rows);
    if (!err)
        *ret_user_id = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

enum err order_events_of(struct tx *tx, void *arg)
{
    static const char sql[] =
        "SELECT " ORDER_EVENT_COLUMNS " FROM order_events WHERE order_id IN " ORDER_CHUNK_IDS
        " AND id > $21 ORDER BY order_id, id";
    struct order_events_of *of = arg;
    struct sql_value values[ORDER_CHUNK + 1];
    struct sql_rows rows;

    assert(of->n_orders <= ORDER_CHUNK);
    for (size_t i = 0; i < ORDER_CHUNK; i++)
        values[i] = sql_int(i < of->n_orders ? of->order_ids[i] : 0);
    values[ORDER_CHUNK] = sql_int(of->after_id);
    enum err err = tx_ask(tx, sql, (struct sql_args){values, ORDER_CHUNK + 1}, &rows);
    if (err)
        return err;
    of->events = order_events_from_rows(tx, &rows);
    of->n = rows.n;
    return ERR_OK;
}

/* ---- Lists ---- */

/* The newest first: by created_at, and by id among those of one millisecond. */
#define BEFORE " AND o.created_at <= $1 AND (o.created_at < $1 OR o.id < $2)"
#define NEWEST_FIRST " ORDER BY o.created_at DESC, o.id DESC LIMIT $3"

/* By customer there are two ways: few orders are all looked at and sorted, many are met by walking
 * all orders, slice by slice, until the page is full. It is the orders that count: a till may place
 * each under one customer. */
enum { FEW_ORDERS = 1000 };

/* Where to begin: below (at, id). */
struct position {
    int64_t at_ms, id;
};

static struct position begin_of(const struct order_list *list)
{
    if (list->to_ms > list->before_at_ms)
        return (struct position){list->before_at_ms, list->before_id};
    return (struct position){list->to_ms > INT64_MIN ? list->to_ms - 1 : INT64_MIN, INT64_MAX};
}

static enum err count_orders(struct tx *tx, struct order_list *list, struct sql_value pattern)
{
    static const char sql[] =
        "SELECT count(*) FROM (SELECT 1 FROM users s CROSS JOIN orders o "
        "WHERE s.search_key LIKE $1 " LIKE_ESCAPE " AND o.user_id = s.id LIMIT $2) few";
    struct sql_rows rows;
    if (list->fit != ORDERS_UNCOUNTED)
        return ERR_OK;
    enum err err = tx_ask(tx, sql, SQL_ARGS(pattern, sql_int(FEW_ORDERS + 1)), &rows);
    if (!err)
        list->fit = sql_get_int(&rows, 0, 0) <= FEW_ORDERS ? ORDERS_FEW : ORDERS_MANY;
    return err;
}

/* The last order of the slice that begins there; *ret_found: whether there is one, with others that
 * may follow. */
static enum err find_slice_end(struct tx *tx, int64_t from_ms, struct position begin,
                               struct position *ret_end, bool *ret_found)
{
    static const char sql[] =
        "SELECT o.created_at, o.id FROM orders o WHERE o.created_at >= $4" BEFORE NEWEST_FIRST
        " OFFSET $5";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql,
                          SQL_ARGS(sql_int(begin.at_ms), sql_int(begin.id), sql_int(1),
                                   sql_int(from_ms), sql_int(ORDER_SLICE - 1)),
                          &rows);
    if (err)
        return err;
    *ret_found = rows.n > 0;
    if (rows.n > 0)
        *ret_end = (struct position){sql_get_int(&rows, 0, 0), sql_get_int(&rows, 0, 1)};
    return ERR_OK;
}

static enum err ask_found(struct tx *tx, struct order_list *list, struct sql_rows *ret_rows)
{
    static const char of_few[] =
        "SELECT " ORDER_COLUMNS ORDER_FROM
        "WHERE o.id IN (SELECT q.id FROM users s CROSS JOIN orders q "
        "WHERE s.search_key LIKE $6 " LIKE_ESCAPE " AND q.user_id = s.id "
        "AND q.created_at >= $4 AND q.created_at <= $1 UNION SELECT q.id FROM orders q "
        "WHERE q.id = $5 AND q.created_at >= $4) "
        "AND ($7 = '' OR o.status = $7)" BEFORE NEWEST_FIRST;
    static const char of_many[] = "SELECT " ORDER_COLUMNS ORDER_FROM
                                  "WHERE o.created_at >= $4 AND (o.created_at > $4 OR o.id >= $8) "
                                  "AND (o.id = $5 OR u.search_key LIKE $6 " LIKE_ESCAPE ") "
                                  "AND ($7 = '' OR o.status = $7)" BEFORE NEWEST_FIRST;
    struct sql_value pattern = sql_text(like_pattern(tx_arena(tx), list->needle));
    struct position begin = begin_of(list), end = {.at_ms = list->from_ms};
    enum err err = count_orders(tx, list, pattern);

    list->more = false;
    if (!err && list->fit == ORDERS_MANY)
        err = find_slice_end(tx, list->from_ms, begin, &end, &list->more);
    if (err)
        return err;
    list->next_at_ms = end.at_ms;
    list->next_id = end.id;
    struct sql_value v[] = {sql_int(begin.at_ms),
                            sql_int(begin.id),
                            sql_int(list->limit + 1),
                            sql_int(end.at_ms),
                            sql_int(list->order_id),
                            pattern,
                            sql_text(list->has_status ? order_status_text(list->status) : STR("")),
                            sql_int(end.id)};
    if (list->fit == ORDERS_FEW)
        return tx_ask(tx, of_few, (struct sql_args){v, 7}, ret_rows);
    return tx_ask(tx, of_many, (struct sql_args){v, 8}, ret_rows);
}

/* list->more: beyond the rows, which may be fewer than the page has. */
static enum err ask_heads(struct tx *tx, struct order_list *list, struct sql_rows *ret_rows)
{
    static const char of_user[] =
        "SELECT " ORDER_COLUMNS ORDER_FROM "WHERE o.user_id = $4" BEFORE NEWEST_FIRST;
    static const char all[] =
        "SELECT " ORDER_COLUMNS ORDER_FROM "WHERE o.created_at >= $4" BEFORE NEWEST_FIRST;
    static const char of_status[] =
        "SELECT " ORDER_COLUMNS ORDER_FROM
        "WHERE o.created_at >= $4 AND o.status = $5" BEFORE NEWEST_FIRST;
    struct position begin = begin_of(list);
    struct sql_value v[] = {sql_int(begin.at_ms), sql_int(begin.id), sql_int(list->limit + 1),
                            sql_int(list->user_id ? list->user_id : list->from_ms),
                            sql_text(order_status_text(list->status))};
    list->more = false;
    if (list->user_id)
        return tx_ask(tx, of_user, (struct sql_args){v, 4}, ret_rows);
    if (list->needle.ptr)
        return ask_found(tx, list, ret_rows);
    return list->has_status ? tx_ask(tx, of_status, (struct sql_args){v, 5}, ret_rows)
                            : tx_ask(tx, all, (struct sql_args){v, 4}, ret_rows);
}

/* Lines and events of so many orders with one statement each; what is missing is asked as 0. */
enum { CHUNK = ORDER_CHUNK };

static enum err fill_chunk(struct tx *tx, struct order *orders, size_t n)
{
    static const char items[] =
        "SELECT order_id, food_id, name, unit_price, quantity, line_total, taken FROM order_items "
        "WHERE order_id IN " ORDER_CHUNK_IDS " ORDER BY order_id, food_id";
    static const char events[] = "SELECT " ORDER_EVENT_COLUMNS " FROM order_events "
                                 "WHERE order_id IN " ORDER_CHUNK_IDS " ORDER BY order_id, id";
    struct sql_value ids[CHUNK];
    struct sql_rows items_rows, events_rows;

    for (size_t i = 0; i < CHUNK; i++)
        ids[i] = sql_int(i < n ? orders[i].id : 0);
    enum err err = tx_ask_ahead(tx, items, (struct sql_args){ids, CHUNK}, &items_rows);
    if (!err)
        err = tx_ask(tx, events, (struct sql_args){ids, CHUNK}, &events_rows);
    if (err)
        return err;
    const struct payment_line *line = lines_from_rows(tx, &items_rows);
    const struct order_event *event = order_events_from_rows(tx, &events_rows);
    for (size_t i = 0; i < items_rows.n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (orders[k].id != sql_get_int(&items_rows, i, 0))
                continue;
            if (orders[k].n_lines++ == 0)
                orders[k].lines = &line[i];
        }
    }
    for (size_t i = 0; i < events_rows.n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (orders[k].id != event[i].order_id)
                continue;
            if (orders[k].n_events++ == 0)
                orders[k].events = &event[i];
        }
    }
    return ERR_OK;
}

enum err order_fill(struct tx *tx, struct order *orders, size_t n)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err; i += CHUNK)
        err = fill_chunk(tx, &orders[i], n - i < CHUNK ? n - i : CHUNK);
    return err;
}

/* What people wrote; all else of an order is short. */
static size_t text_bytes(const struct order *order)
{
    size_t n = order->address.len + order->note.len;
    for (size_t i = 0; i < order->n_lines; i++)
        n += order->lines[i].name.len;
    for (size_t i = 0; i < order->n_events; i++)
        n += order->events[i].note.len;
    return n;
}

/* More follow the first n of its orders. */
static void end_with(struct order_list *list, size_t n)
{
    list->n = n;
    list->more = true;
    list->next_at_ms = list->orders[n - 1].created_at_ms;
    list->next_id = list->orders[n - 1].id;
}

/* As order_fill, but stops where the list is long enough: what is read beyond is a chunk at
 * most. */
static enum err fill_until_full(struct tx *tx, struct order_list *list)
{
    size_t n = 0, bytes = 0;
    while (n < list->n && bytes < list->max_bytes) {
        size_t end = list->n - n < CHUNK ? list->n : n + CHUNK;
        enum err err = fill_chunk(tx, &list->orders[n], end - n);
        if (err)
            return err;
        while (n < end && bytes < list->max_bytes)
            bytes += text_bytes(&list->orders[n++]);
    }
    if (n < list->n)
        end_with(list, n);
    return ERR_OK;
}

enum err order_list(struct tx *tx, void *arg)
{
    struct order_list *list = arg;
    struct sql_rows rows;

    assert(list->limit >= 1 && list->limit <= ORDERS_READ_MAX);
    enum err err = ask_heads(tx, list, &rows);
    if (err)
        return err;
    bool full = rows.n > (size_t)list->limit;
    list->n = full ? (size_t)list->limit : rows.n;
    list->orders = arena_alloc(tx_arena(tx), (list->n + 1) * sizeof *list->orders);
    for (size_t i = 0; i < list->n; i++)
        list->orders[i] = order_from_row(&rows, i);
    if (full)
        end_with(list, list->n);
    return list->max_bytes ? fill_until_full(tx, list) : order_fill(tx, list->orders, list->n);
}
