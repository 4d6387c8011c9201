/* Finding the payments that admins look for. */
#include "store/payment_admin.h"

#include "store/like.h"
#include "store/payment_row.h"

#include <assert.h>

/* ---- Rows ---- */

#define CASE_COLUMNS PAYMENT_COLUMNS ", p.updated_at, u.name, u.email, u.phone"
#define CASE_FROM " FROM payments p JOIN users u ON u.id = p.user_id "

static struct payment_case case_from_row(const struct sql_rows *rows, size_t row)
{
    return (struct payment_case){
        .payment = payment_from_row(rows, row, 0),
        .updated_at_ms = sql_get_int(rows, row, PAYMENT_N_COLUMNS),
        .customer_name = sql_get_str(rows, row, PAYMENT_N_COLUMNS + 1),
        .customer_email = sql_get_str(rows, row, PAYMENT_N_COLUMNS + 2),
        .customer_phone = sql_get_str(rows, row, PAYMENT_N_COLUMNS + 3),
    };
}

static enum err read_events(struct tx *tx, struct payment_case *found)
{
    static const char sql[] =
        "SELECT e.id, e.payment_id, e.what, e.reason, e.refund_due, e.paid_amount, "
        "e.paid_currency, e.note, e.actor_id, a.name, a.email, e.at FROM payment_events e "
        "LEFT JOIN users a ON a.id = e.actor_id WHERE e.payment_id = $1 ORDER BY e.id";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(found->payment.id)), &rows);
    if (err)
        return err;
    struct payment_event *events = arena_alloc(tx_arena(tx), (rows.n + 1) * sizeof *events);
    bool open = found->payment.needs_attention.ptr || found->payment.refund_due;
    for (size_t i = 0; i < rows.n; i++) {
        events[i] = (struct payment_event){
            .id = sql_get_int(&rows, i, 0),
            .payment_id = sql_get_int(&rows, i, 1),
            .what = sql_get_str(&rows, i, 2),
            .reason = sql_get_str(&rows, i, 3),
            .refund_due = sql_get_bool(&rows, i, 4),
            .paid_amount = sql_get_int(&rows, i, 5),
            .paid_currency = sql_get_str(&rows, i, 6),
            .note = sql_get_str(&rows, i, 7),
            .actor_id = sql_get_int(&rows, i, 8),
            .actor_name = sql_get_str(&rows, i, 9),
            .actor_email = sql_get_str(&rows, i, 10),
            .at_ms = sql_get_int(&rows, i, 11),
        };
        if (!open && str_is(events[i].what, "resolved"))
            found->resolved = &events[i];
        else if (str_is(events[i].what, "reopened"))
            found->resolved = NULL;
    }
    found->events = events;
    found->n_events = rows.n;
    found->version = 1 + (int64_t)rows.n;
    return ERR_OK;
}

static enum err read_details(struct tx *tx, struct payment_case *found)
{
    struct payment_line *lines = NULL;
    enum err err = payment_lines(tx, found->payment.id, &lines, &found->n_lines);
    found->lines = lines;
    return err ? err : read_events(tx, found);
}

enum err payment_case_find(struct tx *tx, int64_t payment_id, struct payment_case *ret_case)
{
    static const char sql[] = "SELECT " CASE_COLUMNS CASE_FROM "WHERE p.id = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(payment_id)), &rows);
    if (err)
        return err;
    *ret_case = case_from_row(&rows, 0);
    return read_details(tx, ret_case);
}

/* ---- Lists ---- */

/* What a payment counts as at $4, as payment_status_now has it. */
#define STATUS_NOW                                                                                 \
    "CASE WHEN p.status NOT IN ('creating', 'pending') OR p.expires_at > $4 THEN p.status "        \
    "WHEN p.remote = 1 THEN 'cancelling' ELSE 'expired' END"
#define FILTERS                                                                                    \
    "AND ($3 = '' OR " STATUS_NOW " = $3) "                                                        \
    "AND (CAST($5 AS BIGINT) < 0 OR "                                                              \
    "CASE WHEN p.needs_attention IS NULL THEN 0 ELSE 1 END = $5) "                                 \
    "AND (CAST($6 AS BIGINT) < 0 OR p.refund_due = $6) "
#define FOUND "AND ($7 = '' OR p.id IN ($8, $9) OR u.search_key LIKE $7 " LIKE_ESCAPE ") "
#define NEWEST_FIRST "ORDER BY p.id DESC LIMIT $2"

/* By customer there are two ways: few payments are all looked at, many are met by looking through
 * all of them until the page is full. It is the payments that count: a till may have a million of
 * them. */
enum { FEW_PAYMENTS = 1000 };

static struct sql_value wish(enum payment_wish wish)
{
    return sql_int(wish == PAYMENT_ANY ? -1 : wish == PAYMENT_WITH);
}

struct slice {
    struct payment_case_list *list;
    int64_t before_id;   /* the slice ends below */
    int64_t next_id;     /* out: and the next one below this */
    struct str pattern;  /* of the needle, "" without one */
    bool found_fit, few; /* out: how many payments fit the pattern, found out in the first one */
    struct payment_case cases[PAGE_MAX + 1]; /* out: of this slice */
    size_t n, wanted;
    bool last; /* out: nothing is below */
};

static enum err payment_of_order(struct tx *tx, int64_t order_id, int64_t *ret_payment_id)
{
    static const char sql[] = "SELECT payment_id FROM orders WHERE id = $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(order_id)), &rows);
    if (!err)
        *ret_payment_id = rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

static enum err find_fit(struct tx *tx, struct slice *slice)
{
    static const char sql[] =
        "SELECT count(*) FROM (SELECT 1 FROM users s CROSS JOIN payments q "
        "WHERE s.search_key LIKE $1 " LIKE_ESCAPE " AND q.user_id = s.id LIMIT $2) few";
    struct sql_rows rows;
    if (slice->found_fit || !slice->list->needle.ptr)
        return ERR_OK;
    enum err err =
        tx_ask(tx, sql, SQL_ARGS(sql_text(slice->pattern), sql_int(FEW_PAYMENTS + 1)), &rows);
    slice->found_fit = !err;
    if (!err)
        slice->few = sql_get_int(&rows, 0, 0) <= FEW_PAYMENTS;
    return err;
}

/* So many ids below the newest one that is there. */
static enum err find_floor(struct tx *tx, int64_t before_id, int64_t *ret_floor)
{
    static const char sql[] = "SELECT COALESCE(MAX(id), 0) FROM payments WHERE id < $1";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_int(before_id)), &rows);
    if (!err)
        *ret_floor = sql_get_int(&rows, 0, 0) - PAYMENT_SLICE;
    return err;
}

static enum err ask_slice(struct tx *tx, struct slice *slice, struct sql_rows *ret_rows)
{
    /* What is open is read out of its index first: with statistics of a time when nothing was, the
     * planner walks through all payments instead. */
    static const char attention[] =
        "SELECT " CASE_COLUMNS CASE_FROM "WHERE p.id IN (SELECT q.id FROM payments q "
        "WHERE q.needs_attention IS NOT NULL) AND p.id < $1 " FILTERS FOUND NEWEST_FIRST;
    static const char refund[] =
        "SELECT " CASE_COLUMNS CASE_FROM "WHERE p.id IN (SELECT q.id FROM payments q "
        "WHERE q.refund_due = 1) AND p.id < $1 " FILTERS FOUND NEWEST_FIRST;
    /* $1 bounds what is found and not p, or a planner walks through all payments below it. */
    static const char of_few[] =
        "SELECT " CASE_COLUMNS CASE_FROM
        "WHERE p.id IN (SELECT q.id FROM payments q WHERE q.user_id IN (SELECT s.id FROM users s "
        "WHERE s.search_key LIKE $7 " LIKE_ESCAPE ") AND q.id < $1 UNION SELECT q.id "
        "FROM payments q WHERE q.id IN ($8, $9) AND q.id < $1) " FILTERS NEWEST_FIRST;
    static const char all[] = "SELECT " CASE_COLUMNS CASE_FROM
                              "WHERE p.id > $10 AND p.id < $1 " FILTERS FOUND NEWEST_FIRST;
    const struct payment_case_list *list = slice->list;
    int64_t of_order = 0, floor = 0;

    enum err err = list->number ? payment_of_order(tx, list->number, &of_order) : ERR_OK;
    if (!err)
        err = find_fit(tx, slice);
    if (!err)
        err = find_floor(tx, slice->before_id, &floor);
    if (err)
        return err;
    struct sql_value v[] = {sql_int(slice->before_id),
                            sql_int((int64_t)slice->wanted),
                            sql_text(list->status.ptr ? list->status : STR("")),
                            sql_int(list->now_ms),
                            wish(list->attention),
                            wish(list->refund),
                            sql_text(slice->pattern),
                            sql_int(list->number),
                            sql_int(of_order),
                            sql_int(floor)};
    slice->last = true;
    if (list->attention == PAYMENT_WITH)
        return tx_ask(tx, attention, (struct sql_args){v, 9}, ret_rows);
    if (list->refund == PAYMENT_WITH)
        return tx_ask(tx, refund, (struct sql_args){v, 9}, ret_rows);
    if (slice->few)
        return tx_ask(tx, of_few, (struct sql_args){v, 9}, ret_rows);
    slice->last = floor <= 0;
    slice->next_id = floor + 1;
    return tx_ask(tx, all, (struct sql_args){v, 10}, ret_rows);
}

static enum err read_slice(struct tx *tx, void *arg)
{
    struct slice *slice = arg;
    struct sql_rows rows;
    enum err err = ask_slice(tx, slice, &rows);

    slice->n = err ? 0 : rows.n;
    for (size_t i = 0; i < slice->n && !err; i++) {
        slice->cases[i] = case_from_row(&rows, i);
        err = read_details(tx, &slice->cases[i]);
    }
    return err;
}

enum err payment_case_list(struct store *store, struct arena *arena, struct payment_case_list *list)
{
    struct slice *slice = arena_alloc(arena, sizeof *slice);
    size_t limit = (size_t)list->limit;
    enum err err = ERR_OK;

    assert(limit >= 1 && limit <= PAGE_MAX);
    *slice = (struct slice){
        .list = list,
        .before_id = list->before_id,
        .pattern = list->needle.ptr ? like_pattern(arena, list->needle) : STR(""),
    };
    list->cases = arena_alloc(arena, (limit + 1) * sizeof *list->cases);
    list->n = 0;
    while (!err && !slice->last && list->n <= limit) {
        slice->wanted = limit + 1 - list->n;
        err = store_read(store, arena, read_slice, slice);
        for (size_t i = 0; i < slice->n && !err; i++)
            list->cases[list->n++] = slice->cases[i];
        slice->before_id = slice->next_id;
    }
    list->more = list->n > limit;
    if (list->more)
        list->n = limit;
    return err;
}
