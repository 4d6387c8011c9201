/* The orders as a CSV file, newest first: the board's filters and none of its pages. The file is
 * sent in pieces of one page each, which is bounded in rows and in bytes, and read in a transaction
 * of its own only when the client has taken the one before; orders that are placed meanwhile come
 * before the first page, so no page moves. Each page looks at the session again: a file that an
 * admin who is none any more still reads is cut. */
#include "api/auth.h"
#include "api/handlers.h"
#include "api/orders.h"
#include "base/clock.h"
#include "base/log.h"
#include "domain/csv.h"
#include "domain/limits.h"
#include "domain/money.h"

/* Lives in the call's arena, as does what it points to. */
struct export
{
    struct api *api;
    int64_t session_id, user_id;
    struct order_list list; /* what is asked for, and where the next page begins */
    int64_t n_rows;
    bool done, sent; /* sent: the answer is a file */
    enum err err;    /* why it was cut; ERR_PROBLEM: the session */
};

struct page_read {
    struct export *export;
    int64_t now_ms;
    struct session session; /* out */
};

/* ---- Rows ---- */

static const char *const COLUMNS[] = {
    "id",          "created_at",    "updated_at",     "status",         "fulfilment",
    "customer_id", "customer_name", "customer_email", "customer_phone", "items",
    "total",       "currency",      "payment_id",     "payment_status", "address",
    "note",
};

static void put_time(struct csv *csv, int64_t time_ms)
{
    char text[CLOCK_TEXT_SIZE];
    csv_text(csv, clock_format(time_ms, text));
}

static void put_items(struct csv *csv, struct arena *arena, const struct order *order)
{
    struct buf items;
    buf_init(&items, arena);
    for (size_t i = 0; i < order->n_lines; i++)
        buf_printf(&items, "%s%lld x " STR_FMT, i ? "; " : "", (long long)order->lines[i].quantity,
                   STR_ARG(order->lines[i].name));
    csv_text(csv, buf_str(&items));
}

static void put_row(struct csv *csv, struct arena *arena, const struct order *order)
{
    struct buf total;

    csv_int(csv, order->id);
    put_time(csv, order->created_at_ms);
    put_time(csv, order->updated_at_ms);
    csv_text(csv, order_status_text(order->status));
    csv_text(csv, fulfilment_text(order->fulfilment));
    csv_int(csv, order->user_id);
    csv_text(csv, order->customer_name);
    csv_text(csv, order->customer_email);
    csv_text(csv, order->customer_phone);
    put_items(csv, arena, order);
    buf_init(&total, arena);
    money_put_decimal(&total, order->total, currency_exponent(order->currency));
    csv_text(csv, buf_str(&total));
    csv_text(csv, order->currency);
    if (order->payment_id)
        csv_int(csv, order->payment_id);
    else
        csv_text(csv, STR_NONE);
    csv_text(csv, order->payment_status);
    csv_text(csv, order->address);
    csv_text(csv, order->note);
    csv_end_row(csv);
}

static void put_columns(struct buf *out)
{
    struct csv csv;
    csv_init(&csv, out);
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++)
        csv_text(&csv, str_from(COLUMNS[i]));
    csv_end_row(&csv);
}

/* ---- Pages ---- */

static enum err read_page(struct tx *tx, void *arg)
{
    struct page_read *read = arg;
    struct export *export = read->export;
    enum err err =
        session_find_by_id(tx, export->session_id, export->user_id, read->now_ms, &read->session);
    return err ? err : order_list(tx, &export->list);
}

static bool is_live_admin(const struct session *session)
{
    return session->id && !session->disabled && session->role == ROLE_ADMIN;
}

/* The rows of the list's orders; the list then asks for those that follow, up to twice as many:
 * where orders are long, and pages short, little is read that finds no room. */
static void put_page(struct export *export, struct arena *arena, struct buf *out)
{
    struct order_list *list = &export->list;
    struct csv csv;

    csv_init(&csv, out);
    for (size_t i = 0; i < list->n; i++)
        put_row(&csv, arena, &list->orders[i]);
    export->n_rows += (int64_t)list->n;
    export->done = !list->more;
    if (list->more) {
        list->before_at_ms = list->next_at_ms;
        list->before_id = list->next_id;
    }
    int64_t twice = 2 * (int64_t)list->n;
    if (twice > 0)
        list->limit = twice < EXPORT_PAGE_ROWS ? twice : EXPORT_PAGE_ROWS;
    list->orders = NULL; /* the arena's */
    list->n = 0;
}

static enum http_pieces_got next_page(void *arg, struct arena *arena, struct buf *piece)
{
    struct export *export = arg;
    struct page_read read = {.export = export, .now_ms = clock_now_ms()};

    if (export->done)
        return HTTP_PIECES_LAST;
    enum err err = store_read(export->api->store, arena, read_page, &read);
    export->err = err || is_live_admin(&read.session) ? err : ERR_PROBLEM;
    if (export->err)
        return HTTP_PIECES_FAILED;
    put_page(export, arena, piece);
    return export->done ? HTTP_PIECES_LAST : HTTP_PIECES_MORE;
}

/* Who has taken the customers' addresses out of the shop is worth a line. */
static void on_closed(void *arg)
{
    struct export *export = arg;
    if (export->sent)
        log_line(export->err ? LOG_WARN : LOG_INFO, "orders_exported",
                 LOG_INT("user_id", export->user_id), LOG_INT("rows", export->n_rows),
                 LOG_INT("whole", export->done), LOG_INT("err", export->err));
    export->api->exports--;
}

/* The first page is read here, so that what goes wrong with it is told as usual. It stays in memory
 * as long as the call, and so has one row. */
static enum err begin(struct call *c, struct export *export)
{
    struct arena *arena = arena_create();
    struct page_read read = {.export = export, .now_ms = c->now_ms};

    enum err err = store_read(c->api->store, arena, read_page, &read);
    if (!err)
        err = auth_check(c, &read.session);
    if (!err) {
        put_columns(&c->http->response.body);
        put_page(export, arena, &c->http->response.body);
    }
    arena_destroy(arena);
    return err;
}

static struct str file_name(struct call *c)
{
    char text[CLOCK_TEXT_SIZE];
    struct str now = clock_format(c->now_ms, text);
    return arena_printf(c->arena, "attachment; filename=\"orders-%.10s.csv\"", now.ptr);
}

enum err admin_orders_csv_get(struct call *c)
{
    struct export *export = arena_zalloc(c->arena, sizeof *export);
    struct orders_filter filter;
    const struct query_field fields[] = {
        {"status", &filter.status},
        {"q", &filter.q},
        {"from", &filter.from},
        {"to", &filter.to},
    };
    enum err err = call_query(c, fields, sizeof fields / sizeof *fields);
    if (err)
        return err;
    export->api = c->api;
    export->session_id = c->session.id;
    export->user_id = c->session.user_id;
    orders_filter_apply(c, &filter, &export->list);
    export->list.limit = 1;
    export->list.max_bytes = EXPORT_PAGE_MAX_BYTES;
    if (c->problem.n_rows > 0)
        return ERR_PROBLEM;
    if (c->api->exports++ >= EXPORTS_MAX) {
        c->api->exports--;
        return problem_set(&c->problem, PROBLEM_TOO_MANY_STREAMS,
                           "Too many files of orders are being read.");
    }
    http_pieces_open(c->http, next_page, on_closed, export);
    err = begin(c, export);
    if (err)
        return err;
    export->sent = c->http->method != HTTP_HEAD;
    c->http->response.status = 200;
    c->http->response.content_type = STR("text/csv; charset=utf-8");
    http_response_header(c->http, "Content-Disposition", file_name(c));
    return ERR_OK;
}
