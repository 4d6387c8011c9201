/* The board: everybody's orders. `from` is inclusive and `to` exclusive, both a time or a date (its
 * midnight in UTC); `q` is an order's id, or part of its customer's email, name or phone. */
#include "api/handlers.h"
#include "api/orders.h"
#include "domain/limits.h"

#include <string.h>

static void decode_time(struct call *c, const char *name, struct str text, int64_t *time_ms)
{
    if (text.ptr && !clock_parse(text, time_ms))
        problem_add(&c->problem, name, PROBLEM_INVALID_VALUE, "It must be a time or a date.");
}

void orders_filter_apply(struct call *c, const struct orders_filter *filter,
                         struct order_list *ret_list)
{
    struct search search = call_search(c, filter->q);

    *ret_list = (struct order_list){
        .order_id = search.number,
        .needle = search.needle,
        .has_status = filter->status.ptr != NULL,
        .from_ms = INT64_MIN,
        .to_ms = INT64_MAX,
        .before_at_ms = INT64_MAX,
        .before_id = INT64_MAX,
    };
    if (filter->status.ptr && !order_status_parse(filter->status, &ret_list->status))
        problem_add(&c->problem, "status", PROBLEM_INVALID_VALUE, NULL);
    decode_time(c, "from", filter->from, &ret_list->from_ms);
    decode_time(c, "to", filter->to, &ret_list->to_ms);
}

/* A full page, or what there is, by as many reads as it takes: `more` then is certain. */
static enum err read_page(struct call *c, struct order_list *list)
{
    size_t limit = (size_t)list->limit, n = 0;
    struct order *orders = arena_alloc(c->arena, (limit + 1) * sizeof *orders);
    enum err err;

    do {
        list->limit = (int64_t)(limit + 1 - n);
        err = call_read(c, order_list, list);
        if (err)
            return err;
        memcpy(orders + n, list->orders, list->n * sizeof *orders);
        n += list->n;
        list->before_at_ms = list->next_at_ms;
        list->before_id = list->next_id;
    } while (list->more && n <= limit);
    list->limit = (int64_t)limit;
    list->orders = orders;
    list->more = n > limit;
    list->n = list->more ? limit : n;
    if (list->more) {
        list->next_at_ms = orders[limit - 1].created_at_ms;
        list->next_id = orders[limit - 1].id;
    }
    return ERR_OK;
}

enum err admin_orders_get(struct call *c)
{
    struct orders_filter filter;
    struct str limit, cursor;
    const struct query_field fields[] = {
        {"status", &filter.status}, {"q", &filter.q},  {"from", &filter.from},
        {"to", &filter.to},         {"limit", &limit}, {"cursor", &cursor},
    };
    struct order_list list;
    struct page page;
    enum err err = call_query(c, fields, sizeof fields / sizeof *fields);
    if (err)
        return err;
    orders_filter_apply(c, &filter, &list);
    err = call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, &page);
    if (err)
        return err;
    if (page.has_cursor) {
        list.before_at_ms = page.cursor[0];
        list.before_id = page.cursor[1];
    }
    list.limit = page.limit;
    err = read_page(c, &list);
    if (!err)
        orders_answer(c, &list);
    return err;
}
