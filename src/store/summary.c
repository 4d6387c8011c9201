#include "store/summary.h"

#include "domain/money.h"
#include "store/gauges.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- A piece of a day ---- */

struct piece {
    int64_t from_ms, to_ms; /* in; to_ms out: as far as it was read */
    struct sql_rows statuses, foods;
};

/* Halves the time until few enough orders are in it: the count stops where it is too large, and
 * needs the index alone. */
static enum err shorten(struct tx *tx, int64_t from_ms, int64_t *to_ms, int64_t *ret_n)
{
    static const char sql[] = "SELECT count(*) FROM (SELECT 1 FROM orders WHERE created_at >= $1 "
                              "AND created_at < $2 LIMIT $3) found";
    struct sql_rows rows;
    for (;;) {
        enum err err =
            tx_ask(tx, sql, SQL_ARGS(sql_int(from_ms), sql_int(*to_ms), sql_int(SUMMARY_SLICE + 1)),
                   &rows);
        if (err)
            return err;
        *ret_n = sql_get_int(&rows, 0, 0);
        if (*ret_n <= SUMMARY_SLICE || *to_ms - from_ms <= 1)
            return ERR_OK;
        *to_ms = from_ms + (*to_ms - from_ms) / 2;
    }
}

static enum err read_piece(struct tx *tx, void *arg)
{
    static const char statuses[] =
        "SELECT status, count(*), CAST(SUM(total) AS BIGINT), MIN(id), MAX(id) FROM orders "
        "WHERE created_at >= $1 AND created_at < $2 GROUP BY status";
    /* Ids rise with time, so their bounds find the lines without looking at all there are. */
    static const char foods[] =
        "SELECT i.food_id, CAST(SUM(i.quantity) AS BIGINT), CAST(SUM(i.line_total) AS BIGINT) "
        "FROM orders o JOIN order_items i ON i.order_id = o.id "
        "WHERE o.created_at >= $1 AND o.created_at < $2 AND o.status <> 'cancelled' "
        "AND i.order_id >= $3 AND i.order_id <= $4 GROUP BY i.food_id";
    struct piece *piece = arg;
    int64_t n, to_ms = piece->to_ms, first_id = INT64_MAX, last_id = 0;

    piece->statuses = piece->foods = (struct sql_rows){0};
    enum err err = shorten(tx, piece->from_ms, &to_ms, &n);
    if (!err && n > 0)
        err = tx_ask(tx, statuses, SQL_ARGS(sql_int(piece->from_ms), sql_int(to_ms)),
                     &piece->statuses);
    for (size_t i = 0; !err && i < piece->statuses.n; i++) {
        int64_t low = sql_get_int(&piece->statuses, i, 3);
        int64_t high = sql_get_int(&piece->statuses, i, 4);
        first_id = low < first_id ? low : first_id;
        last_id = high > last_id ? high : last_id;
    }
    if (!err && n > 0)
        err = tx_ask(
            tx, foods,
            SQL_ARGS(sql_int(piece->from_ms), sql_int(to_ms), sql_int(first_id), sql_int(last_id)),
            &piece->foods);
    if (!err)
        piece->to_ms = to_ms;
    return err;
}

static void add_statuses(struct summary *summary, struct summary_day *day,
                         const struct sql_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        int64_t n = sql_get_int(rows, i, 1);
        enum order_status status;
        bool known = order_status_parse(sql_get_str(rows, i, 0), &status);
        assert(known); /* the schema checks it */
        summary->by_status[status] += n;
        day->orders += n;
        if (status == ORDER_CANCELLED)
            day->cancelled += n;
        else
            money_add_to(&day->revenue, sql_get_int(rows, i, 2));
    }
}

/* ---- Foods ---- */

struct foods {
    struct summary_food *items; /* by rising id */
    size_t n, cap;
};

static struct summary_food *food_of(struct foods *foods, int64_t food_id)
{
    size_t low = 0, high = foods->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (foods->items[middle].food_id < food_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < foods->n && foods->items[low].food_id == food_id)
        return &foods->items[low];
    if (foods->n == foods->cap) {
        foods->cap = foods->cap ? foods->cap * 2 : 64;
        foods->items = mem_realloc(foods->items, foods->cap * sizeof *foods->items);
    }
    memmove(&foods->items[low + 1], &foods->items[low], (foods->n - low) * sizeof *foods->items);
    foods->items[low] = (struct summary_food){.food_id = food_id};
    foods->n++;
    return &foods->items[low];
}

static void add_foods(struct foods *foods, const struct sql_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct summary_food *food = food_of(foods, sql_get_int(rows, i, 0));
        food->quantity += sql_get_int(rows, i, 1);
        money_add_to(&food->revenue, sql_get_int(rows, i, 2));
    }
}

static int by_quantity(const void *a, const void *b)
{
    const struct summary_food *x = a, *y = b;
    if (x->quantity != y->quantity)
        return x->quantity < y->quantity ? 1 : -1;
    if (x->revenue != y->revenue)
        return x->revenue < y->revenue ? 1 : -1;
    return (x->food_id > y->food_id) - (x->food_id < y->food_id);
}

static void keep_top(struct summary *summary, struct foods *foods)
{
    if (foods->n > 0)
        qsort(foods->items, foods->n, sizeof *foods->items, by_quantity);
    summary->n_foods = foods->n < SUMMARY_FOODS ? foods->n : SUMMARY_FOODS;
    for (size_t i = 0; i < summary->n_foods; i++)
        summary->foods[i] = foods->items[i];
}

/* ---- Now ---- */

static enum err read_now(struct tx *tx, void *arg)
{
    static const char name[] = "SELECT name FROM foods WHERE id = $1";
    struct summary *summary = arg;
    struct gauges gauges;
    enum err err = gauges_read(tx, &gauges);

    memset(summary->open, 0, sizeof summary->open);
    memcpy(summary->open, gauges.orders, sizeof gauges.orders);
    summary->needs_attention = gauges.payments_attention;
    summary->refund_due = gauges.payments_refund;
    for (size_t i = 0; i < summary->n_foods && !err; i++) {
        struct sql_rows rows;
        err = tx_ask(tx, name, SQL_ARGS(sql_int(summary->foods[i].food_id)), &rows);
        if (!err)
            summary->foods[i].name = sql_get_str(&rows, 0, 0);
    }
    return err;
}

/* ---- All of it ---- */

static enum err read_day(struct store *store, struct arena *arena, struct summary *summary,
                         struct summary_day *day, struct foods *foods)
{
    enum err err = ERR_OK;
    for (int64_t from_ms = day->from_ms; from_ms < day->to_ms && !err;) {
        struct piece piece = {.from_ms = from_ms, .to_ms = day->to_ms};
        err = store_read(store, arena, read_piece, &piece);
        if (err)
            break;
        add_statuses(summary, day, &piece.statuses);
        add_foods(foods, &piece.foods);
        arena_reset(arena);
        from_ms = piece.to_ms;
    }
    return err;
}

enum err summary_read(struct store *store, struct arena *arena, struct summary *summary)
{
    struct arena *scratch = arena_create();
    struct foods foods = {0};
    enum err err = ERR_OK;

    for (size_t i = 0; i < summary->n_days && !err; i++)
        err = read_day(store, scratch, summary, &summary->days[i], &foods);
    keep_top(summary, &foods);
    if (!err)
        err = store_read(store, arena, read_now, summary);
    free(foods.items);
    arena_destroy(scratch);
    return err;
}
