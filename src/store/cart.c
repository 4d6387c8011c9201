/* Carts: an edit reads the whole cart with its foods in one statement, judges, writes one row, and
 * answers with what it read, changed in memory. */
#include "store/cart.h"

#include <string.h>

#include "domain/limits.h"
#include "domain/money.h"
#include "store/payment.h"

#define COLUMNS                                                                                    \
    "f.id, f.name, f.image_hash, f.price, i.quantity, i.revision, f.archived, f.available, "       \
    "f.stock, h.quantity, p.id "
/* Past its time a remote payment is no longer open, and its hold is the provider's to confirm; a
 * local one's units come back as soon as somebody meets it. */
#define HOLD(now)                                                                                  \
    "LEFT JOIN payments p ON p.user_id = $1 AND p.status IN ('creating', 'pending') "              \
    "AND (p.remote = 0 OR p.expires_at > " now ") "                                                \
    "LEFT JOIN payment_items h ON h.payment_id = p.id AND h.food_id = f.id AND h.taken = 1 "

enum { COL_PAYMENT = 10 };

static void from_rows(struct tx *tx, const struct sql_rows *rows, struct cart *ret_cart)
{
    /* One more than there are: the line that an edit may add. */
    struct cart_line *lines = arena_alloc(tx_arena(tx), (rows->n + 1) * sizeof(*lines));
    for (size_t i = 0; i < rows->n; i++) {
        lines[i] = (struct cart_line){
            .food_id = sql_get_int(rows, i, 0),
            .name = sql_get_str(rows, i, 1),
            .image_hash = sql_get_str(rows, i, 2),
            .unit_price = sql_get_int(rows, i, 3),
            .quantity = sql_get_int(rows, i, 4),
            .revision = sql_get_int(rows, i, 5),
            .on_menu = !sql_get_bool(rows, i, 6),
            .available = sql_get_bool(rows, i, 7),
            .stock_counted = !sql_is_null(rows, i, 8),
            .stock = sql_get_int(rows, i, 8),
            .held = sql_get_int(rows, i, 9),
        };
    }
    *ret_cart = (struct cart){
        .lines = lines,
        .n = rows->n,
        .no_payment = rows->n > 0 && sql_is_null(rows, 0, COL_PAYMENT),
    };
}

enum err cart_read(struct tx *tx, int64_t user_id, int64_t now_ms, struct cart *ret_cart)
{
    static const char read[] =
        "SELECT " COLUMNS "FROM cart_items i JOIN foods f ON f.id = i.food_id " HOLD(
            "$2") "WHERE i.user_id = $1 ORDER BY i.food_id";

    struct sql_rows rows;
    enum err err = tx_ask(tx, read, SQL_ARGS(sql_int(user_id), sql_int(now_ms)), &rows);
    if (!err)
        from_rows(tx, &rows, ret_cart);
    return err;
}

enum err cart_lines_read(struct tx *tx, int64_t user_id, int64_t now_ms,
                         struct cart_line **ret_lines, size_t *ret_n)
{
    struct cart cart;
    enum err err = cart_read(tx, user_id, now_ms, &cart);
    if (err)
        return err;
    *ret_lines = cart.lines;
    *ret_n = cart.n;
    return ERR_OK;
}

/* The cart and, among its lines, the food to be edited: with quantity 0 if it is not in the cart.
 * *ret_line is NULL if there is no such food. */
static enum err read_with_food(struct tx *tx, struct cart_edit *edit, struct cart_line **ret_line)
{
    static const char read[] =
        "SELECT " COLUMNS "FROM foods f "
        "LEFT JOIN cart_items i ON i.user_id = $1 AND i.food_id = f.id " HOLD(
            "$3") "WHERE f.id IN (SELECT food_id FROM cart_items WHERE user_id = $1 "
                  "UNION ALL SELECT CAST($2 AS BIGINT)) ORDER BY f.id";

    enum err err = tx_lock_user(tx, edit->user_id);
    if (err)
        return err;
    struct sql_rows rows;
    err = tx_ask(tx, read,
                 SQL_ARGS(sql_int(edit->user_id), sql_int(edit->food_id), sql_int(edit->now_ms)),
                 &rows);
    if (err)
        return err;
    from_rows(tx, &rows, &edit->cart);
    *ret_line = NULL;
    for (size_t i = 0; i < edit->cart.n; i++) {
        if (edit->cart.lines[i].food_id == edit->food_id)
            *ret_line = &edit->cart.lines[i];
    }
    return ERR_OK;
}

static void drop_line(struct cart *cart, const struct cart_line *line)
{
    size_t at = (size_t)(line - cart->lines);
    memmove(&cart->lines[at], &cart->lines[at + 1], (cart->n - at - 1) * sizeof(*cart->lines));
    cart->n--;
}

/* What the lines come to, or more than MONEY_MAX when that is too much: 50 lines of 99 units at
 * MONEY_MAX stay far below INT64_MAX. */
static int64_t sum_of(const struct cart *cart)
{
    int64_t sum = 0;
    for (size_t i = 0; i < cart->n; i++)
        sum += cart->lines[i].unit_price * cart->lines[i].quantity;
    return sum;
}

static enum err check_line(const struct cart_edit *edit, const struct cart_line *line,
                           int64_t old_quantity)
{
    struct problem *problem = edit->problem;
    switch (cart_line_check(line)) {
    case LINE_OK:
        break;
    case LINE_UNAVAILABLE:
        return problem_set(problem, PROBLEM_FOOD_UNAVAILABLE, NULL);
    case LINE_OUT_OF_STOCK:
        if (line->stock + line->held <= 0)
            return problem_set(problem, PROBLEM_OUT_OF_STOCK, "It is sold out.");
        return problem_printf(problem, PROBLEM_OUT_OF_STOCK,
                              "Only %lld left, and the cart would have %lld.",
                              (long long)(line->stock + line->held), (long long)line->quantity);
    }
    if (old_quantity == 0 && edit->cart.n > CART_LINES_MAX)
        return problem_printf(problem, PROBLEM_CART_FULL, "A cart has at most %d lines.",
                              CART_LINES_MAX);
    /* A total that grew too large because prices rose may still be brought down. */
    if (line->quantity > old_quantity && sum_of(&edit->cart) > MONEY_MAX)
        return problem_set(problem, PROBLEM_TOTAL_TOO_LARGE, NULL);
    return ERR_OK;
}

/* Nobody is refused for a hold whose time is over. */
static enum err release_expired(struct tx *tx, struct cart_edit *edit, int64_t quantity,
                                struct cart_line **line)
{
    struct cart_line wanted = **line;
    bool released = false;

    wanted.quantity = quantity;
    if (cart_line_check(&wanted) != LINE_OUT_OF_STOCK)
        return ERR_OK;
    enum err err = payment_release_food(tx, edit->food_id, quantity, edit->now_ms, &released);
    return !err && released ? read_with_food(tx, edit, line) : err;
}

static enum err put_line(struct tx *tx, struct cart_edit *edit, struct cart_line *line,
                         int64_t quantity)
{
    static const char upsert[] =
        "INSERT INTO cart_items (user_id, food_id, quantity, revision, added_at) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, food_id) "
        "DO UPDATE SET quantity = excluded.quantity, revision = excluded.revision";

    enum err err = release_expired(tx, edit, quantity, &line);
    if (err)
        return err;
    int64_t old_quantity = line->quantity;
    line->quantity = quantity;
    line->revision = edit->revision;
    err = check_line(edit, line, old_quantity);
    if (err)
        return err;
    return tx_post(tx, 1, upsert,
                   SQL_ARGS(sql_int(edit->user_id), sql_int(edit->food_id), sql_int(quantity),
                            sql_int(edit->revision), sql_int(edit->now_ms)));
}

static enum err remove_line(struct tx *tx, struct cart_edit *edit, const struct cart_line *line)
{
    static const char remove[] = "DELETE FROM cart_items WHERE user_id = $1 AND food_id = $2";

    bool in_cart = line->quantity > 0;
    drop_line(&edit->cart, line);
    if (!in_cart)
        return ERR_OK;
    return tx_post(tx, 1, remove, SQL_ARGS(sql_int(edit->user_id), sql_int(edit->food_id)));
}

enum err cart_add(struct tx *tx, struct cart_edit *edit)
{
    struct cart_line *line;
    enum err err = read_with_food(tx, edit, &line);
    if (err)
        return err;
    if (!line || !line->on_menu)
        return problem_set(edit->problem, PROBLEM_FOOD_NOT_FOUND, NULL);
    int64_t quantity = line->quantity + edit->quantity;
    if (quantity > QUANTITY_MAX)
        return problem_add(edit->problem, "quantity", PROBLEM_OUT_OF_RANGE,
                           arena_printf(tx_arena(tx), "The cart has %lld of it; at most %d fit.",
                                        (long long)line->quantity, QUANTITY_MAX)
                               .ptr);
    return put_line(tx, edit, line, quantity);
}

enum err cart_set(struct tx *tx, struct cart_edit *edit)
{
    struct cart_line *line;
    enum err err = read_with_food(tx, edit, &line);
    if (err)
        return err;
    if (!line || (!line->on_menu && line->quantity == 0))
        return problem_set(edit->problem, PROBLEM_FOOD_NOT_FOUND, NULL);
    if (edit->quantity == 0)
        return remove_line(tx, edit, line);
    if (edit->quantity == line->quantity)
        return ERR_OK;
    return put_line(tx, edit, line, edit->quantity);
}

enum err cart_remove(struct tx *tx, struct cart_edit *edit)
{
    struct cart_line *line;
    enum err err = read_with_food(tx, edit, &line);
    if (err || !line)
        return err;
    return remove_line(tx, edit, line);
}

enum err cart_clear(struct tx *tx, struct cart_edit *edit)
{
    static const char clear[] = "DELETE FROM cart_items WHERE user_id = $1";

    edit->cart = (struct cart){0};
    enum err err = tx_lock_user(tx, edit->user_id);
    if (err)
        return err;
    return tx_post(tx, SQL_ANY_COUNT, clear, SQL_ARGS(sql_int(edit->user_id)));
}
