/* Carts: what an edit refuses, on both sides of every limit, and the answer it gives without
 * reading again, compared each time with what is stored. */
#include "shop_fixture.h"

#include <stdio.h>

#include "domain/limits.h"

typedef enum err cart_fn(struct tx *tx, struct cart_edit *edit);

struct run {
    cart_fn *fn;
    struct cart_edit edit;
};

static enum err run_edit(struct tx *tx, void *arg)
{
    struct run *run = arg;
    return run->fn(tx, &run->edit);
}

struct stored {
    int64_t user_id;
    struct cart cart;
};

static enum err run_read(struct tx *tx, void *arg)
{
    struct stored *stored = arg;
    return cart_read(tx, stored->user_id, SHOP_NOW_MS, &stored->cart);
}

static struct cart read_cart(struct shop_fixture *s, int64_t user_id)
{
    struct stored stored = {.user_id = user_id};
    assert_int_equal(shop_read_tx(s, run_read, &stored), ERR_OK);
    return stored.cart;
}

static void assert_same_cart(const struct cart *a, const struct cart *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct cart_line *x = &a->lines[i], *y = &b->lines[i];
        assert_int_equal(x->food_id, y->food_id);
        assert_true(str_eq(x->name, y->name));
        assert_int_equal(x->unit_price, y->unit_price);
        assert_int_equal(x->quantity, y->quantity);
        assert_int_equal(x->revision, y->revision);
        assert_int_equal(x->on_menu, y->on_menu);
        assert_int_equal(x->available, y->available);
        assert_int_equal(x->stock_counted, y->stock_counted);
        assert_int_equal(x->stock, y->stock);
        assert_int_equal(x->held, y->held);
    }
}

static int64_t next_revision = 1000;

/* Returns the cart of the answer; with ERR_OK it is what is stored. */
static enum err change(struct shop_fixture *s, cart_fn *fn, int64_t user_id, int64_t food_id,
                       int64_t quantity, struct cart *ret_cart)
{
    struct run run = {
        fn,
        {.user_id = user_id,
         .food_id = food_id,
         .quantity = quantity,
         .revision = next_revision++,
         .now_ms = SHOP_NOW_MS,
         .problem = &s->problem},
    };
    enum err err = shop_write(s, run_edit, &run);
    if (!err) {
        struct cart stored = read_cart(s, user_id);
        assert_same_cart(&run.edit.cart, &stored);
        if (ret_cart)
            *ret_cart = stored;
    }
    return err;
}

static void test_cart__add_adds(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t jollof = shop_food(s, "Jollof rice", 250000, -1);
    int64_t suya = shop_food(s, "Suya", 200000, -1);
    struct cart cart;

    assert_int_equal(change(s, cart_add, user, suya, 2, &cart), ERR_OK);
    assert_int_equal(s->n_events, 0);
    assert_int_equal(cart.n, 1);
    assert_true(cart.no_payment);
    int64_t revision = cart.lines[0].revision;
    assert_int_equal(change(s, cart_add, user, jollof, 1, &cart), ERR_OK);
    assert_int_equal(change(s, cart_add, user, suya, 3, &cart), ERR_OK);
    assert_int_equal(cart.n, 2);
    assert_int_equal(cart.lines[0].food_id, jollof);
    assert_int_equal(cart.lines[1].food_id, suya);
    assert_int_equal(cart.lines[1].quantity, 5);
    assert_int_not_equal(cart.lines[1].revision, revision);
}

static void test_cart__carts_are_apart(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t suya = shop_food(s, "Suya", 200000, -1);

    assert_int_equal(change(s, cart_add, a, suya, 2, NULL), ERR_OK);
    assert_int_equal(read_cart(s, b).n, 0);
    assert_int_equal(change(s, cart_clear, b, 0, 0, NULL), ERR_OK);
    assert_int_equal(change(s, cart_remove, b, suya, 0, NULL), ERR_OK);
    assert_int_equal(read_cart(s, a).n, 1);
}

static void test_cart__quantity_limit(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 1, -1);

    assert_int_equal(change(s, cart_add, user, suya, QUANTITY_MAX - 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, suya, 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_RANGE);
    assert_string_equal(s->problem.rows[0].field, "quantity");
    assert_int_equal(read_cart(s, user).lines[0].quantity, QUANTITY_MAX);
}

static void test_cart__lines_limit(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), first = 0, last = 0;

    for (int i = 0; i < CART_LINES_MAX; i++) {
        last = shop_food(s, "Dish", 1, -1);
        first = first ? first : last;
        assert_int_equal(change(s, cart_add, user, last, 1, NULL), ERR_OK);
    }
    int64_t more = shop_food(s, "One more", 1, -1);
    assert_int_equal(change(s, cart_add, user, more, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_CART_FULL);
    assert_int_equal(change(s, cart_set, user, more, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_CART_FULL);
    assert_int_equal(read_cart(s, user).n, CART_LINES_MAX);
    /* More of what is in it fits. */
    assert_int_equal(change(s, cart_add, user, last, 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_remove, user, first, 0, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, more, 1, NULL), ERR_OK);
}

static enum err switch_off(struct shop_fixture *s, int64_t food_id, bool archive)
{
    struct food_edit edit = {
        .food_id = food_id,
        .available = {.set = true, .value = false},
        .problem = &s->problem,
    };
    return shop_write(s, archive ? food_archive : food_edit, &edit);
}

static void test_cart__unavailable(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 1, 9);
    struct cart cart;

    assert_int_equal(change(s, cart_add, user, suya, 2, NULL), ERR_OK);
    assert_int_equal(switch_off(s, suya, false), ERR_OK);
    assert_int_equal(change(s, cart_add, user, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_UNAVAILABLE);
    assert_int_equal(change(s, cart_set, user, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_UNAVAILABLE);
    cart = read_cart(s, user);
    assert_int_equal(cart_line_check(&cart.lines[0]), LINE_UNAVAILABLE);
    assert_int_equal(change(s, cart_set, user, suya, 0, &cart), ERR_OK);
    assert_int_equal(cart.n, 0);
}

static void test_cart__archived(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t suya = shop_food(s, "Suya", 1, 9);
    struct cart cart;

    assert_int_equal(change(s, cart_add, a, suya, 2, NULL), ERR_OK);
    assert_int_equal(switch_off(s, suya, true), ERR_OK);
    cart = read_cart(s, a);
    assert_int_equal(cart.n, 1);
    assert_int_equal(cart_line_check(&cart.lines[0]), LINE_UNAVAILABLE);
    assert_int_equal(change(s, cart_add, a, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(change(s, cart_set, a, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_UNAVAILABLE);
    /* Who has it not in his cart sees nothing of it. */
    assert_int_equal(change(s, cart_set, b, suya, 0, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(change(s, cart_remove, a, suya, 0, &cart), ERR_OK);
    assert_int_equal(cart.n, 0);
    assert_int_equal(change(s, cart_set, a, suya, 0, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
}

static void test_cart__no_such_food(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");

    assert_int_equal(change(s, cart_add, user, 1, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(change(s, cart_set, user, ID_MAX, 0, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(change(s, cart_remove, user, 1, 0, NULL), ERR_OK);
}

static void test_cart__out_of_stock(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 1, 3);

    assert_int_equal(change(s, cart_add, user, suya, 4, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    assert_int_equal(change(s, cart_add, user, suya, 3, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, suya, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    assert_int_equal(change(s, cart_set, user, suya, 4, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    /* A cart reserves nothing. */
    assert_int_equal(shop_stock(s, suya), 3);
    assert_int_equal(s->n_events, 0);
}

static void test_cart__own_hold_does_not_count(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t suya = shop_food(s, "Suya", 1, 1);
    struct cart cart;

    shop_hold(s, a, suya, 2, "pending", true);
    assert_int_equal(change(s, cart_add, a, suya, 4, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    assert_int_equal(change(s, cart_add, a, suya, 3, &cart), ERR_OK);
    assert_int_equal(cart.lines[0].held, 2);
    assert_int_equal(cart.lines[0].stock, 1);
    assert_false(cart.no_payment);
    assert_int_equal(cart_line_check(&cart.lines[0]), LINE_OK);
    assert_int_equal(change(s, cart_add, b, suya, 2, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
}

static void test_cart__only_open_holds_that_took_units_count(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 1, 1);
    struct cart cart;

    shop_hold(s, user, suya, 5, "cancelling", true);
    shop_hold(s, user, suya, 5, "expired", true);
    shop_hold(s, user, suya, 5, "paid", true);
    assert_int_equal(change(s, cart_add, user, suya, 1, &cart), ERR_OK);
    assert_int_equal(cart.lines[0].held, 0);
    assert_true(cart.no_payment);
    shop_hold(s, user, suya, 5, "creating", false);
    assert_int_equal(change(s, cart_set, user, suya, 2, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    cart = read_cart(s, user);
    assert_int_equal(cart.n, 1);
    assert_int_equal(cart.lines[0].held, 0);
    assert_false(cart.no_payment);
}

static void test_cart__total_limit(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t half = shop_food(s, "Half", MONEY_MAX / 2, -1), one = shop_food(s, "One", 1, -1);
    struct food_edit edit = {
        .food_id = half,
        .price = {.set = true, .value = MONEY_MAX},
        .problem = &s->problem,
    };

    assert_int_equal(change(s, cart_add, user, half, 3, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOTAL_TOO_LARGE);
    assert_int_equal(change(s, cart_add, user, half, 2, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, one, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOTAL_TOO_LARGE);
    /* A price rose: the cart is too dear as it stands, and may only shrink. */
    assert_int_equal(change(s, cart_set, user, half, 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, one, 2, NULL), ERR_OK);
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(change(s, cart_add, user, one, 1, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOTAL_TOO_LARGE);
    assert_int_equal(change(s, cart_set, user, one, 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_set, user, one, 0, NULL), ERR_OK);
}

static void test_cart__set(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 1, -1);
    struct cart cart;

    assert_int_equal(change(s, cart_set, user, suya, 0, &cart), ERR_OK);
    assert_int_equal(cart.n, 0);
    assert_int_equal(change(s, cart_set, user, suya, QUANTITY_MAX, &cart), ERR_OK);
    assert_int_equal(cart.lines[0].quantity, QUANTITY_MAX);
    int64_t revision = cart.lines[0].revision;
    assert_int_equal(change(s, cart_set, user, suya, QUANTITY_MAX, &cart), ERR_OK);
    assert_int_equal(cart.lines[0].revision, revision);
    assert_int_equal(change(s, cart_set, user, suya, 1, &cart), ERR_OK);
    assert_int_equal(cart.lines[0].quantity, 1);
    assert_int_not_equal(cart.lines[0].revision, revision);
    assert_int_equal(change(s, cart_set, user, suya, 0, &cart), ERR_OK);
    assert_int_equal(cart.n, 0);
}

static void test_cart__clear(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    struct cart cart;

    assert_int_equal(change(s, cart_add, user, shop_food(s, "A", 1, -1), 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_add, user, shop_food(s, "B", 1, -1), 1, NULL), ERR_OK);
    assert_int_equal(change(s, cart_clear, user, 0, 0, &cart), ERR_OK);
    assert_int_equal(cart.n, 0);
    assert_int_equal(change(s, cart_clear, user, 0, 0, &cart), ERR_OK);
}

static void test_cart__prices_are_the_present_ones(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), suya = shop_food(s, "Suya", 100, -1);
    struct food_edit edit = {
        .food_id = suya,
        .price = {.set = true, .value = 150},
        .problem = &s->problem,
    };

    assert_int_equal(change(s, cart_add, user, suya, 1, NULL), ERR_OK);
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(read_cart(s, user).lines[0].unit_price, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_cart__add_adds),
        SHOP_TEST(test_cart__carts_are_apart),
        SHOP_TEST(test_cart__quantity_limit),
        SHOP_TEST(test_cart__lines_limit),
        SHOP_TEST(test_cart__unavailable),
        SHOP_TEST(test_cart__archived),
        SHOP_TEST(test_cart__no_such_food),
        SHOP_TEST(test_cart__out_of_stock),
        SHOP_TEST(test_cart__own_hold_does_not_count),
        SHOP_TEST(test_cart__only_open_holds_that_took_units_count),
        SHOP_TEST(test_cart__total_limit),
        SHOP_TEST(test_cart__set),
        SHOP_TEST(test_cart__clear),
        SHOP_TEST(test_cart__prices_are_the_present_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
