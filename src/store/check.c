#include "store/check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "domain/order.h"

enum {
    SLICE_ROWS = 1000,
    /* Where transactions overlap (tx_overlap_ms) one that was under way when the check began may
     * commit later, with lower ids than the newest then: so many ids are left to the last read,
     * more than come to be while a transaction runs. */
    IDS_AGAIN = 10000,
};

/* Units of each food that holds and orders have taken; found by its id. */
struct units {
    int64_t *by_food; /* index: the food's id */
    size_t cap;
};

struct finding {
    const char *rule, *detail;
    int64_t id;
    struct finding *next;
};

enum { TAKEN_MAX = 3 };

/* What a read comes to, in the check's arena: made anew by each run of its function, which may be
 * run again, and told and summed once, after it. */
struct found {
    struct finding *first, **end;
    struct sql_rows taken[TAKEN_MAX]; /* (food, units) */
    size_t n_taken;
    struct sql_rows returnable; /* (order) */
    struct sql_rows returned;   /* (order, food, units) */
    struct sql_rows foods;      /* (food, its counter) */
};

struct check {
    struct store *store;
    struct arena *arena; /* reset after each slice */
    store_check_report *report;
    void *ctx;
    bool (*is_cancelled)(void);
    struct store_check_counts counts;
    int64_t after, upto; /* the slice: after < id <= upto */
    struct units taken;
    /* Orders that were counted and could still give their units back when their slice was read; by
     * rising id. Those that have are found at the end by the events since first_event. */
    int64_t *returnable;
    size_t n_returnable, cap_returnable;
    int64_t first_event;
    int64_t settled; /* in the slices: none of an id up to it shows up later */
    struct found found;
};

static void begin(struct check *check)
{
    check->found = (struct found){0};
    check->found.end = &check->found.first;
}

/* In a read. */
static void find(struct check *check, const char *rule, int64_t id, const char *detail)
{
    struct finding *finding = arena_alloc(check->arena, sizeof *finding);
    *finding = (struct finding){.rule = rule, .detail = detail, .id = id};
    *check->found.end = finding;
    check->found.end = &finding->next;
}

/* After one. */
static void breach(struct check *check, const char *rule, int64_t id, const char *detail)
{
    check->counts.breaches++;
    check->report(check->ctx, rule, id, detail);
}

static void add_units(struct units *units, int64_t food_id, int64_t quantity)
{
    size_t index = (size_t)food_id;
    if (index >= units->cap) {
        size_t cap = (index + 1) * 2;
        units->by_food = mem_realloc(units->by_food, cap * sizeof *units->by_food);
        memset(units->by_food + units->cap, 0, (cap - units->cap) * sizeof *units->by_food);
        units->cap = cap;
    }
    units->by_food[index] += quantity;
}

/* ---- Rules that one statement tells, over a slice of ids ---- */

struct rule {
    const char *name;
    const char *detail;
    const char *sql; /* $1 < id <= $2; the ids that break it */
};

static const struct rule PAYMENT_RULES[] = {
    {"payment_total", "the amount is not the sum of its lines",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 AND p.amount <> "
     "(SELECT COALESCE(CAST(SUM(i.line_total) AS BIGINT), -1) FROM payment_items i "
     "WHERE i.payment_id = p.id)"},
    {"payment_line", "a line's total is not its price times its quantity",
     "SELECT DISTINCT i.payment_id FROM payment_items i WHERE i.payment_id > $1 "
     "AND i.payment_id <= $2 AND i.line_total <> i.unit_price * i.quantity"},
    {"payment_hold", "it holds stock although it is over",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 AND p.held = 1 "
     "AND p.status NOT IN ('creating', 'pending', 'cancelling')"},
    {"payment_order", "it is paid and has not exactly one order",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 AND p.status = 'paid' "
     "AND (SELECT COUNT(*) FROM orders o WHERE o.payment_id = p.id) <> 1"},
    {"payment_open", "its user has another open payment",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 "
     "AND p.status IN ('creating', 'pending') AND EXISTS (SELECT 1 FROM payments q "
     "WHERE q.user_id = p.user_id AND q.status IN ('creating', 'pending') AND q.id <> p.id)"},
    {"payment_attention", "it needs attention and its events do not say why",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 AND p.needs_attention IS NOT NULL "
     "AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.payment_id = p.id "
     "AND e.reason = p.needs_attention)"},
    {"payment_refund", "it is to be refunded and its events do not say so",
     "SELECT p.id FROM payments p WHERE p.id > $1 AND p.id <= $2 AND p.refund_due = 1 "
     "AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.payment_id = p.id "
     "AND e.refund_due = 1)"},
};

static const struct rule ORDER_RULES[] = {
    {"order_total", "the total is not the sum of its lines",
     "SELECT o.id FROM orders o WHERE o.id > $1 AND o.id <= $2 AND o.total <> "
     "(SELECT COALESCE(CAST(SUM(i.line_total) AS BIGINT), -1) FROM order_items i "
     "WHERE i.order_id = o.id)"},
    {"order_line", "a line's total is not its price times its quantity",
     "SELECT DISTINCT i.order_id FROM order_items i WHERE i.order_id > $1 AND i.order_id <= $2 "
     "AND i.line_total <> i.unit_price * i.quantity"},
    {"order_free", "it costs something and has no payment",
     "SELECT o.id FROM orders o WHERE o.id > $1 AND o.id <= $2 AND o.payment_id IS NULL "
     "AND o.total <> 0"},
    {"order_paid", "its payment is not paid, or of another amount",
     "SELECT o.id FROM orders o JOIN payments p ON p.id = o.payment_id WHERE o.id > $1 "
     "AND o.id <= $2 AND (p.status <> 'paid' OR p.amount <> o.total "
     "OR p.currency <> o.currency OR p.user_id <> o.user_id)"},
};

static const struct rule FOOD_RULES[] = {
    {"food_stock", "the stock is negative",
     "SELECT f.id FROM foods f WHERE f.id > $1 AND f.id <= $2 "
     "AND (f.stock < 0 OR f.taken < 0)"},
    {"food_image", "its picture is missing",
     "SELECT f.id FROM foods f WHERE f.id > $1 AND f.id <= $2 AND f.image_hash IS NOT NULL "
     "AND NOT EXISTS (SELECT 1 FROM images i WHERE i.hash = f.image_hash)"},
};

static enum err run_rules(struct tx *tx, struct check *check, const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sql_rows rows;
        enum err err =
            tx_ask(tx, rules[i].sql, SQL_ARGS(sql_int(check->after), sql_int(check->upto)), &rows);
        if (err)
            return err;
        for (size_t row = 0; row < rows.n; row++)
            find(check, rules[i].name, sql_get_int(&rows, row, 0), rules[i].detail);
    }
    return ERR_OK;
}

static enum err check_payments(struct tx *tx, void *arg)
{
    begin(arg);
    return run_rules(tx, arg, PAYMENT_RULES, sizeof PAYMENT_RULES / sizeof *PAYMENT_RULES);
}

static enum err check_foods(struct tx *tx, void *arg)
{
    begin(arg);
    return run_rules(tx, arg, FOOD_RULES, sizeof FOOD_RULES / sizeof *FOOD_RULES);
}

/* ---- Orders: the way of each through its statuses, and the units they took ---- */

static void remember(struct check *check, int64_t order_id)
{
    if (check->n_returnable == check->cap_returnable) {
        check->cap_returnable = check->cap_returnable ? check->cap_returnable * 2 : 64;
        check->returnable =
            mem_realloc(check->returnable, check->cap_returnable * sizeof *check->returnable);
    }
    check->returnable[check->n_returnable++] = order_id;
}

static bool is_remembered(const struct check *check, int64_t order_id)
{
    return check->n_returnable > 0 && bsearch(&order_id, check->returnable, check->n_returnable,
                                              sizeof *check->returnable, sort_by_number);
}

/* Walks the events of one order, rows[from … to-1]; returns what is wrong with them, or NULL. */
static const char *walk(const struct sql_rows *rows, size_t from, size_t to,
                        enum order_status status, enum fulfilment fulfilment, bool stock_returned)
{
    enum order_status at = ORDER_PENDING;
    bool returns = false;

    for (size_t i = from; i < to; i++) {
        enum order_status before, after;
        if (!order_status_parse(sql_get_str(rows, i, 2), &after))
            return "an event has no known status";
        if (i == from) {
            if (!sql_is_null(rows, i, 1) || after != ORDER_PENDING)
                return "its first event is not its placing";
        } else {
            if (!order_status_parse(sql_get_str(rows, i, 1), &before) || before != at)
                return "its events do not follow from each other";
            if (!order_may_go(before, after, fulfilment))
                return "it took a way that is not allowed";
            if (after == ORDER_CANCELLED)
                returns = order_cancel_returns_stock(before);
        }
        at = after;
    }
    if (from == to)
        return "it has no event";
    if (at != status)
        return "its status is not that of its last event";
    if (returns != stock_returned)
        return "its units were given back, or kept, wrongly";
    return NULL;
}

static enum err check_events(struct tx *tx, struct check *check)
{
    static const char orders[] = "SELECT id, status, fulfilment, stock_returned FROM orders "
                                 "WHERE id > $1 AND id <= $2 ORDER BY id";
    static const char events[] = "SELECT order_id, from_status, to_status FROM order_events "
                                 "WHERE order_id > $1 AND order_id <= $2 ORDER BY order_id, id";
    struct sql_args slice = SQL_ARGS(sql_int(check->after), sql_int(check->upto));
    struct sql_rows order_rows, event_rows;

    enum err err = tx_ask(tx, orders, slice, &order_rows);
    if (!err)
        err = tx_ask(tx, events, slice, &event_rows);
    if (err)
        return err;
    size_t from = 0;
    for (size_t i = 0; i < order_rows.n; i++) {
        int64_t id = sql_get_int(&order_rows, i, 0);
        enum order_status status;
        enum fulfilment fulfilment;
        while (from < event_rows.n && sql_get_int(&event_rows, from, 0) < id)
            from++;
        size_t to = from;
        while (to < event_rows.n && sql_get_int(&event_rows, to, 0) == id)
            to++;
        const char *wrong = "its status or fulfilment is unknown";
        if (order_status_parse(sql_get_str(&order_rows, i, 1), &status) &&
            fulfilment_parse(sql_get_str(&order_rows, i, 2), &fulfilment))
            wrong =
                walk(&event_rows, from, to, status, fulfilment, sql_get_bool(&order_rows, i, 3));
        if (wrong)
            find(check, "order_events", id, wrong);
        from = to;
    }
    return ERR_OK;
}

/* Rows of (food, units). */
static enum err find_taken(struct tx *tx, struct check *check, const char *sql,
                           struct sql_args args)
{
    struct found *found = &check->found;
    assert(found->n_taken < TAKEN_MAX);
    return tx_ask(tx, sql, args, &found->taken[found->n_taken++]);
}

static enum err check_orders(struct tx *tx, void *arg)
{
    static const char taken[] = "SELECT i.food_id, CAST(SUM(i.quantity) AS BIGINT) FROM orders o "
                                "JOIN order_items i ON i.order_id = o.id WHERE o.id > $1 "
                                "AND o.id <= $2 AND i.order_id > $1 AND i.order_id <= $2 "
                                "AND o.stock_returned = 0 AND i.taken = 1 GROUP BY i.food_id";
    static const char returnable[] =
        "SELECT id FROM orders WHERE id > $1 AND id <= $2 AND stock_returned = 0 "
        "AND status IN ('pending', 'confirmed') ORDER BY id"; /* order_cancel_returns_stock */
    struct check *check = arg;
    int64_t summed = check->upto < check->settled ? check->upto : check->settled;
    struct sql_args slice = SQL_ARGS(sql_int(check->after), sql_int(summed));

    begin(check);
    enum err err = run_rules(tx, check, ORDER_RULES, sizeof ORDER_RULES / sizeof *ORDER_RULES);
    if (!err)
        err = check_events(tx, check);
    if (err || summed <= check->after)
        return err;
    err = find_taken(tx, check, taken, slice);
    return err ? err : tx_ask(tx, returnable, slice, &check->found.returnable);
}

/* ---- The foods' counters against all that is taken, in one snapshot ----
 *
 * The slices have summed what orders took, up to the last settled one. What has changed since is
 * little: newer orders, and those that gave their units back. Holds and foods are as many as there
 * are now. */

/* In what follows an upper end keeps a planner that does not know $1 from expecting a third of all
 * rows. */
static enum err find_returned(struct tx *tx, struct check *check)
{
    static const char sql[] =
        "SELECT o.id, i.food_id, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id "
        "WHERE o.id IN (SELECT e.order_id FROM order_events e WHERE e.id > $1 "
        "AND e.id <= (SELECT MAX(m.id) FROM order_events m) AND e.to_status = 'cancelled') "
        "AND o.id <= $2 AND o.stock_returned = 1 AND i.taken = 1";
    return tx_ask(tx, sql, SQL_ARGS(sql_int(check->first_event), sql_int(check->settled)),
                  &check->found.returned);
}

static enum err check_taken(struct tx *tx, void *arg)
{
    static const char newer[] = "SELECT i.food_id, CAST(SUM(i.quantity) AS BIGINT) FROM orders o "
                                "JOIN order_items i ON i.order_id = o.id WHERE i.order_id > $1 "
                                "AND i.order_id <= (SELECT MAX(m.id) FROM orders m) "
                                "AND o.stock_returned = 0 AND i.taken = 1 GROUP BY i.food_id";
    /* CROSS, or SQLite walks through all lines ever sold to find the few payments' that are
     * open. */
    static const char held_open[] =
        "SELECT i.food_id, CAST(SUM(i.quantity) AS BIGINT) FROM payments p "
        "CROSS JOIN payment_items i WHERE i.payment_id = p.id "
        "AND p.status IN ('creating', 'pending') AND p.held = 1 AND i.taken = 1 "
        "GROUP BY i.food_id";
    static const char held_cancelling[] =
        "SELECT i.food_id, CAST(SUM(i.quantity) AS BIGINT) FROM payments p "
        "CROSS JOIN payment_items i WHERE i.payment_id = p.id AND p.remote = 1 "
        "AND p.status IN ('creating', 'pending', 'cancelling') "
        "AND p.status = 'cancelling' AND p.held = 1 AND i.taken = 1 GROUP BY i.food_id";
    static const char foods[] = "SELECT id, taken FROM foods";
    struct check *check = arg;

    begin(check);
    enum err err = find_returned(tx, check);
    if (!err)
        err = find_taken(tx, check, newer, SQL_ARGS(sql_int(check->settled)));
    if (!err)
        err = find_taken(tx, check, held_open, SQL_NO_ARGS);
    if (!err)
        err = find_taken(tx, check, held_cancelling, SQL_NO_ARGS);
    return err ? err : tx_ask(tx, foods, SQL_NO_ARGS, &check->found.foods);
}

/* ---- After a read ---- */

static void compare(struct check *check, int64_t food_id, int64_t counter)
{
    add_units(&check->taken, food_id, 0);
    int64_t taken = check->taken.by_food[food_id];
    if (taken == counter)
        return;
    struct str detail =
        arena_printf(check->arena, "its counter says %lld units taken, holds and orders say %lld",
                     (long long)counter, (long long)taken);
    breach(check, "food_taken", food_id, detail.ptr);
}

static void take_in(struct check *check)
{
    const struct found *found = &check->found;

    for (const struct finding *f = found->first; f; f = f->next)
        breach(check, f->rule, f->id, f->detail);
    for (size_t k = 0; k < found->n_taken; k++)
        for (size_t i = 0; i < found->taken[k].n; i++)
            add_units(&check->taken, sql_get_int(&found->taken[k], i, 0),
                      sql_get_int(&found->taken[k], i, 1));
    for (size_t i = 0; i < found->returnable.n; i++)
        remember(check, sql_get_int(&found->returnable, i, 0));
    for (size_t i = 0; i < found->returned.n; i++)
        if (is_remembered(check, sql_get_int(&found->returned, i, 0)))
            add_units(&check->taken, sql_get_int(&found->returned, i, 1),
                      -sql_get_int(&found->returned, i, 2));
    for (size_t i = 0; i < found->foods.n; i++)
        compare(check, sql_get_int(&found->foods, i, 0), sql_get_int(&found->foods, i, 1));
}

static enum err read_part(struct check *check, tx_fn *fn)
{
    enum err err = store_read(check->store, check->arena, fn, check);
    if (!err)
        take_in(check);
    arena_reset(check->arena);
    return err;
}

/* ---- Slices ---- */

struct bounds {
    const char *sql;
    int64_t count, newest, settled;
};

static enum err read_bounds(struct tx *tx, void *arg)
{
    struct bounds *bounds = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, bounds->sql, SQL_NO_ARGS, &rows);
    if (!err) {
        bounds->count = sql_get_int(&rows, 0, 0);
        bounds->newest = sql_get_int(&rows, 0, 1);
        bounds->settled = bounds->newest - (tx_overlap_ms(tx) > 0 ? IDS_AGAIN : 0);
        if (bounds->settled < 0)
            bounds->settled = 0;
    }
    return err;
}

static enum err run_slices(struct check *check, const char *bounds_sql, tx_fn *fn,
                           int64_t *ret_count)
{
    struct bounds bounds = {.sql = bounds_sql};
    enum err err = store_read(check->store, check->arena, read_bounds, &bounds);

    check->settled = bounds.settled;
    for (int64_t after = 0; !err && after < bounds.newest; after += SLICE_ROWS) {
        check->after = after;
        check->upto = after + SLICE_ROWS < bounds.newest ? after + SLICE_ROWS : bounds.newest;
        if (check->is_cancelled && check->is_cancelled())
            err = ERR_UNAVAILABLE;
        else
            err = read_part(check, fn);
    }
    *ret_count = bounds.count;
    return err;
}

enum err store_check(struct store *store, store_check_report *report, void *ctx,
                     bool (*is_cancelled)(void), struct store_check_counts *ret_counts)
{
    static const char foods[] = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM foods";
    static const char payments[] = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM payments";
    static const char orders[] = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM orders";
    static const char events[] = "SELECT 0, COALESCE(MAX(id), 0) FROM order_events";
    struct check check = {.store = store,
                          .arena = arena_create(),
                          .report = report,
                          .ctx = ctx,
                          .is_cancelled = is_cancelled};
    struct bounds begun = {.sql = events};

    enum err err = run_slices(&check, foods, check_foods, &check.counts.foods);
    if (!err)
        err = run_slices(&check, payments, check_payments, &check.counts.payments);
    if (!err)
        err = store_read(store, check.arena, read_bounds, &begun);
    check.first_event = begun.settled;
    if (!err)
        err = run_slices(&check, orders, check_orders, &check.counts.orders);
    if (!err)
        err = read_part(&check, check_taken);
    *ret_counts = check.counts;
    free(check.taken.by_food);
    free(check.returnable);
    arena_destroy(check.arena);
    return err;
}
