/* What of a cart can be sold, and what it costs. */
#include "domain/cart.h"

#include "domain/money.h"

/* What this user can still buy: the units his own open payment took are his. */
static int64_t units_left(const struct cart_line *line)
{
    return line->stock + line->held;
}

enum line_problem cart_line_check(const struct cart_line *line)
{
    if (!line->on_menu || !line->available)
        return LINE_UNAVAILABLE;
    if (line->stock_counted && line->quantity > units_left(line))
        return LINE_OUT_OF_STOCK;
    return LINE_OK;
}

static enum err add_unavailable(const struct cart_line *line, struct problem *problem)
{
    struct str detail =
        arena_printf(problem->arena, STR_FMT ": not available", STR_ARG(line->name));
    return problem_add_food(problem, line->food_id, PROBLEM_FOOD_UNAVAILABLE, detail);
}

static enum err add_out_of_stock(const struct cart_line *line, struct problem *problem)
{
    int64_t left = units_left(line);
    struct str detail =
        left > 0 ? arena_printf(problem->arena, STR_FMT ": only %lld left", STR_ARG(line->name),
                                (long long)left)
                 : arena_printf(problem->arena, STR_FMT ": sold out", STR_ARG(line->name));
    return problem_add_food(problem, line->food_id, PROBLEM_OUT_OF_STOCK, detail);
}

enum err cart_check(const struct cart_line *lines, size_t n, struct problem *problem)
{
    if (n == 0)
        return problem_set(problem, PROBLEM_CART_EMPTY, NULL);
    enum err err = ERR_OK;
    for (size_t i = 0; i < n; i++) {
        switch (cart_line_check(&lines[i])) {
        case LINE_OK:
            break;
        case LINE_UNAVAILABLE:
            err = add_unavailable(&lines[i], problem);
            break;
        case LINE_OUT_OF_STOCK:
            err = add_out_of_stock(&lines[i], problem);
            break;
        }
    }
    return err;
}

bool cart_total(const struct cart_line *lines, size_t n, int64_t *ret_total_minor)
{
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t line_total;
        if (!money_multiply(lines[i].unit_price, lines[i].quantity, &line_total) ||
            !money_add(total, line_total, &total)) {
            return false;
        }
    }
    *ret_total_minor = total;
    return true;
}

bool cart_same(const struct cart_line *lines, size_t n, const struct cart_quantity *frozen,
               size_t n_frozen)
{
    if (n != n_frozen)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (lines[i].food_id != frozen[i].food_id || lines[i].quantity != frozen[i].quantity)
            return false;
    }
    return true;
}
