/* What can be sold and what it costs: each reason to refuse a line, and both sides of each
 * limit. */
#include "domain/cart.h"

#include "domain/limits.h"
#include "domain_test.h"

/* A line that nothing is wrong with; each test spoils one thing. */
static struct cart_line good_line(int64_t food_id)
{
    return (struct cart_line){
        .food_id = food_id,
        .name = STR("Jollof rice"),
        .unit_price = 250000,
        .quantity = 2,
        .on_menu = true,
        .available = true,
    };
}

static struct cart_line counted_line(int64_t stock, int64_t held, int64_t quantity)
{
    struct cart_line line = good_line(1);
    line.stock_counted = true;
    line.stock = stock;
    line.held = held;
    line.quantity = quantity;
    return line;
}

static void test_cart__line_without_counted_stock(void **state)
{
    (void)state;
    struct cart_line line = good_line(1);
    line.quantity = QUANTITY_MAX;
    assert_int_equal(cart_line_check(&line), LINE_OK);
}

static void test_cart__line_unavailable(void **state)
{
    (void)state;
    struct cart_line archived = good_line(1), switched_off = good_line(1);
    archived.on_menu = false;
    switched_off.available = false;
    assert_int_equal(cart_line_check(&archived), LINE_UNAVAILABLE);
    assert_int_equal(cart_line_check(&switched_off), LINE_UNAVAILABLE);

    struct cart_line also_out = counted_line(0, 0, 1);
    also_out.available = false;
    assert_int_equal(cart_line_check(&also_out), LINE_UNAVAILABLE);
}

static void test_cart__line_stock_limit(void **state)
{
    (void)state;
    static const struct {
        int64_t stock, held, quantity;
        enum line_problem expected;
    } cases[] = {
        {5, 0, 4, LINE_OK},           {5, 0, 5, LINE_OK}, {5, 0, 6, LINE_OUT_OF_STOCK},
        {0, 0, 1, LINE_OUT_OF_STOCK}, {1, 0, 1, LINE_OK}, {STOCK_MAX, 0, QUANTITY_MAX, LINE_OK},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct cart_line line = counted_line(cases[i].stock, cases[i].held, cases[i].quantity);
        assert_int_equal(cart_line_check(&line), cases[i].expected);
    }
}

/* The last two units are in this user's own open payment: his cart of two is still fine. */
static void test_cart__own_hold_does_not_count_against_him(void **state)
{
    (void)state;
    struct cart_line same = counted_line(0, 2, 2), more = counted_line(0, 2, 3),
                     both = counted_line(1, 2, 3), beyond = counted_line(1, 2, 4);
    assert_int_equal(cart_line_check(&same), LINE_OK);
    assert_int_equal(cart_line_check(&more), LINE_OUT_OF_STOCK);
    assert_int_equal(cart_line_check(&both), LINE_OK);
    assert_int_equal(cart_line_check(&beyond), LINE_OUT_OF_STOCK);
}

static void test_cart__check_empty(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    assert_int_equal(cart_check(NULL, 0, problem), ERR_PROBLEM);
    assert_int_equal(problem->code, PROBLEM_CART_EMPTY);
    assert_int_equal(problem->n_rows, 0);
    arena_destroy(arena);
}

static void test_cart__check_good(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    struct cart_line lines[] = {good_line(1), counted_line(2, 0, 2)};
    assert_int_equal(cart_check(lines, 2, problem), ERR_OK);
    assert_int_equal(problem->code, PROBLEM_NONE);
    assert_int_equal(problem->n_rows, 0);
    arena_destroy(arena);
}

static void test_cart__check_names_every_bad_food(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    struct cart_line lines[] = {good_line(3), good_line(4), good_line(5), good_line(6),
                                good_line(7)};
    lines[1].available = false;
    lines[2].stock_counted = true;
    lines[2].stock = 1;
    lines[4].stock_counted = true;
    lines[4].stock = 0;
    assert_int_equal(cart_check(lines, N_OF(lines), problem), ERR_PROBLEM);
    assert_int_equal(problem->code, PROBLEM_FOOD_UNAVAILABLE);
    assert_int_equal(problem->n_rows, 3);
    assert_int_equal(problem->rows[0].food_id, 4);
    assert_int_equal(problem->rows[0].code, PROBLEM_FOOD_UNAVAILABLE);
    assert_str(problem->rows[0].detail, "Jollof rice: not available");
    assert_int_equal(problem->rows[1].food_id, 5);
    assert_int_equal(problem->rows[1].code, PROBLEM_OUT_OF_STOCK);
    assert_str(problem->rows[1].detail, "Jollof rice: only 1 left");
    assert_int_equal(problem->rows[2].food_id, 7);
    assert_int_equal(problem->rows[2].code, PROBLEM_OUT_OF_STOCK);
    assert_str(problem->rows[2].detail, "Jollof rice: sold out");
    arena_destroy(arena);
}

/* A good line after a bad one must not make the whole cart good. */
static void test_cart__check_remembers_the_first_bad_line(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    struct cart_line lines[] = {counted_line(0, 0, 1), good_line(2)};
    assert_int_equal(cart_check(lines, 2, problem), ERR_PROBLEM);
    assert_int_equal(problem->code, PROBLEM_OUT_OF_STOCK);
    assert_int_equal(problem->n_rows, 1);
    arena_destroy(arena);
}

static void test_cart__check_full_cart_of_bad_lines(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    struct cart_line lines[CART_LINES_MAX];
    for (size_t i = 0; i < CART_LINES_MAX; i++) {
        lines[i] = good_line((int64_t)i + 1);
        lines[i].available = false;
    }
    assert_int_equal(cart_check(lines, CART_LINES_MAX, problem), ERR_PROBLEM);
    assert_int_equal(problem->n_rows, CART_LINES_MAX);
    arena_destroy(arena);
}

static void test_cart__total(void **state)
{
    (void)state;
    int64_t total = -1;
    assert_true(cart_total(NULL, 0, &total));
    assert_int_equal(total, 0);

    struct cart_line lines[] = {good_line(1), good_line(2), good_line(3)};
    lines[1].unit_price = 0;
    lines[1].quantity = QUANTITY_MAX;
    lines[2].unit_price = 99;
    lines[2].quantity = 1;
    assert_true(cart_total(lines, 3, &total));
    assert_int_equal(total, 500099);
}

static void test_cart__total_limit(void **state)
{
    (void)state;
    struct cart_line lines[] = {good_line(1), good_line(2)};
    lines[0].unit_price = MONEY_MAX - 1;
    lines[0].quantity = 1;
    lines[1].unit_price = 1;
    lines[1].quantity = 1;
    int64_t total = -1;
    assert_true(cart_total(lines, 2, &total));
    assert_int_equal(total, MONEY_MAX);

    lines[1].quantity = 2;
    total = -1;
    assert_false(cart_total(lines, 2, &total));
    assert_int_equal(total, -1);

    lines[0].unit_price = MONEY_MAX / 2 + 1;
    lines[0].quantity = 2;
    assert_false(cart_total(lines, 1, &total)); /* one line alone is too much */
    assert_int_equal(total, -1);
}

/* Fifty lines of the dearest food: the sum must be refused, not wrap round. */
static void test_cart__total_of_the_dearest_cart(void **state)
{
    (void)state;
    struct cart_line lines[CART_LINES_MAX];
    for (size_t i = 0; i < CART_LINES_MAX; i++) {
        lines[i] = good_line((int64_t)i + 1);
        lines[i].unit_price = MONEY_MAX;
        lines[i].quantity = QUANTITY_MAX;
    }
    int64_t total = -1;
    assert_false(cart_total(lines, CART_LINES_MAX, &total));
    assert_int_equal(total, -1);
}

static void test_cart__same(void **state)
{
    (void)state;
    struct cart_line lines[] = {good_line(1), good_line(5)};
    const struct cart_quantity same[] = {{1, 2}, {5, 2}}, other_food[] = {{1, 2}, {6, 2}},
                               other_quantity[] = {{1, 2}, {5, 3}},
                               first_differs[] = {{1, 1}, {5, 2}};
    assert_true(cart_same(lines, 2, same, 2));
    assert_true(cart_same(NULL, 0, NULL, 0));
    assert_false(cart_same(lines, 2, other_food, 2));
    assert_false(cart_same(lines, 2, other_quantity, 2));
    assert_false(cart_same(lines, 2, first_differs, 2));
    assert_false(cart_same(lines, 2, same, 1));
    assert_false(cart_same(lines, 1, same, 2));
    assert_false(cart_same(lines, 2, NULL, 0));
}

/* A new price, name or stock is no edit: the payment froze them. */
static void test_cart__same_ignores_what_the_customer_did_not_edit(void **state)
{
    (void)state;
    struct cart_line line = good_line(1);
    line.unit_price = 1;
    line.name = STR("Renamed");
    line.available = false;
    line.revision = 99;
    assert_true(cart_same(&line, 1, &(const struct cart_quantity){1, 2}, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cart__line_without_counted_stock),
        cmocka_unit_test(test_cart__line_unavailable),
        cmocka_unit_test(test_cart__line_stock_limit),
        cmocka_unit_test(test_cart__own_hold_does_not_count_against_him),
        cmocka_unit_test(test_cart__check_empty),
        cmocka_unit_test(test_cart__check_good),
        cmocka_unit_test(test_cart__check_names_every_bad_food),
        cmocka_unit_test(test_cart__check_remembers_the_first_bad_line),
        cmocka_unit_test(test_cart__check_full_cart_of_bad_lines),
        cmocka_unit_test(test_cart__total),
        cmocka_unit_test(test_cart__total_limit),
        cmocka_unit_test(test_cart__total_of_the_dearest_cart),
        cmocka_unit_test(test_cart__same),
        cmocka_unit_test(test_cart__same_ignores_what_the_customer_did_not_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
