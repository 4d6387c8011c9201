/* Foods: edits by admins with both sides of every limit, and the stock that orders move. */
#include "shop_fixture.h"

#include "domain/limits.h"
#include "store/shop.h"

struct found {
    int64_t id;
    struct food food;
    bool found;
};

static enum err find(struct tx *tx, void *arg)
{
    struct found *found = arg;
    return food_find(tx, found->id, &found->food, &found->found);
}

static struct food get(struct shop_fixture *s, int64_t id)
{
    struct found found = {.id = id};
    assert_int_equal(shop_read_tx(s, find, &found), ERR_OK);
    assert_true(found.found);
    return found.food;
}

static struct food_edit edit_of(struct shop_fixture *s, int64_t id)
{
    return (struct food_edit){.food_id = id, .now_ms = SHOP_NOW_MS + 1, .problem = &s->problem};
}

static void assert_food_event(const struct shop_fixture *s, int64_t id)
{
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_FOOD);
    assert_int_equal(s->events[0].id, id);
}

static void test_food__create_defaults(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Jollof rice", 250000, -1);

    assert_food_event(s, id);
    struct food food = get(s, id);
    assert_true(str_is(food.name, "Jollof rice"));
    assert_true(str_is(food.description, ""));
    assert_true(str_eq(food.category, FOOD_CATEGORY_DEFAULT));
    assert_null(food.image_hash.ptr);
    assert_int_equal(food.price, 250000);
    assert_true(food.available);
    assert_false(food.archived);
    assert_false(food.stock_counted);
    assert_int_equal(food.version, 1);
    assert_int_equal(food.created_at_ms, SHOP_NOW_MS);
    assert_int_equal(food.updated_at_ms, SHOP_NOW_MS);
}

static void test_food__create_limits(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Dear", MONEY_MAX, STOCK_MAX);
    struct food food = get(s, id);

    assert_int_equal(food.price, MONEY_MAX);
    assert_true(food.stock_counted);
    assert_int_equal(food.stock, STOCK_MAX);
    id = shop_food(s, "Free and sold out", 0, 0);
    food = get(s, id);
    assert_int_equal(food.price, 0);
    assert_true(food.stock_counted);
    assert_int_equal(food.stock, 0);
}

static void test_food__edit_changes_only_what_is_set(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 200000, 7);
    struct food_edit edit = edit_of(s, id);

    edit.description = (struct opt_str){.set = true, .value = STR("Off the charcoal")};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_food_event(s, id);
    struct food food = get(s, id);
    assert_true(str_is(food.description, "Off the charcoal"));
    assert_true(str_is(food.name, "Suya"));
    assert_int_equal(food.price, 200000);
    assert_int_equal(food.stock, 7);
    assert_true(food.available);
    assert_int_equal(food.version, 2);
    assert_int_equal(food.updated_at_ms, SHOP_NOW_MS + 1);
    assert_int_equal(edit.food.version, 2);
    assert_int_equal(edit.food.stock, 7);
}

static void test_food__edit_of_nothing_is_none(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 200000, -1);
    struct food_edit edit = edit_of(s, id);

    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(s->n_events, 0);
    assert_int_equal(get(s, id).version, 1);
    assert_int_equal(edit.food.id, id);
}

static void test_food__version(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 200000, 5);
    struct food_edit edit = edit_of(s, id);

    edit.price = (struct opt_int){.set = true, .value = 1};
    edit.version = (struct opt_int){.set = true, .value = 2};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_VERSION_CONFLICT);
    assert_int_equal(get(s, id).price, 200000);
    assert_int_equal(s->n_events, 0);
    edit.version.value = 1;
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(get(s, id).price, 1);
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_VERSION_CONFLICT);
}

static void test_food__stock_set_and_uncount(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);
    struct food_edit edit = edit_of(s, id);

    edit.stock = (struct opt_int){.set = true, .value = 0};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(shop_stock(s, id), 0);
    edit.stock = (struct opt_int){.set = true, .null = true};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(shop_stock(s, id), -1);
    assert_false(edit.food.stock_counted);
    edit.stock = (struct opt_int){.set = true, .value = STOCK_MAX};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(shop_stock(s, id), STOCK_MAX);
}

static enum err add(struct shop_fixture *s, int64_t id, int64_t units)
{
    struct food_edit edit = edit_of(s, id);
    edit.stock_add = (struct opt_int){.set = true, .value = units};
    return shop_write(s, food_edit, &edit);
}

static void test_food__stock_add_limits(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);

    assert_int_equal(add(s, id, -6), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_RANGE);
    assert_string_equal(s->problem.rows[0].field, "add");
    assert_int_equal(shop_stock(s, id), 5);
    assert_int_equal(add(s, id, -5), ERR_OK);
    assert_int_equal(shop_stock(s, id), 0);
    assert_int_equal(add(s, id, STOCK_MAX), ERR_OK);
    assert_int_equal(shop_stock(s, id), STOCK_MAX);
    assert_int_equal(add(s, id, 1), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_RANGE);
    assert_int_equal(shop_stock(s, id), STOCK_MAX);
}

static void test_food__stock_add_needs_a_count(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, -1);

    assert_int_equal(add(s, id, 1), ERR_PROBLEM);
    assert_problem(s, PROBLEM_STOCK_NOT_COUNTED);
    assert_int_equal(shop_stock(s, id), -1);
}

static void test_food__archived_is_gone(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);
    struct food_edit edit = edit_of(s, id);

    assert_int_equal(shop_write(s, food_archive, &edit), ERR_OK);
    assert_food_event(s, id);
    assert_true(get(s, id).archived);
    assert_int_equal(shop_write(s, food_archive, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    edit.price = (struct opt_int){.set = true, .value = 1};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    edit.food_id = id + 1;
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
}

static enum err read_all(struct tx *tx, void *arg)
{
    size_t *n = arg;
    struct food *foods;
    return food_read_all(tx, &foods, n);
}

static enum err read_exists(struct tx *tx, void *arg)
{
    return food_exists(tx, arg);
}

static void test_food__read_all_leaves_archived_out(void **state)
{
    struct shop_fixture *s = *state;
    bool exists = true;
    size_t n = 9;

    assert_int_equal(shop_read_tx(s, read_exists, &exists), ERR_OK);
    assert_false(exists);
    assert_int_equal(shop_read_tx(s, read_all, &n), ERR_OK);
    assert_int_equal(n, 0);
    struct food_edit edit = edit_of(s, shop_food(s, "Suya", 1, 5));
    assert_int_equal(shop_read_tx(s, read_all, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(shop_write(s, food_archive, &edit), ERR_OK);
    assert_int_equal(shop_read_tx(s, read_all, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(shop_read_tx(s, read_exists, &exists), ERR_OK);
    assert_true(exists);
}

/* ---- What orders do ---- */

struct move {
    int64_t food_id, take, give;
};

static enum err move_units(struct tx *tx, void *arg)
{
    const struct move *move = arg;
    return food_move_late(tx, move->food_id, move->take, move->give);
}

static enum err move(struct shop_fixture *s, int64_t id, int64_t take, int64_t give)
{
    struct move arg = {id, take, give};
    return shop_write(s, move_units, &arg);
}

static void test_food__take_and_give_back(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);

    assert_int_equal(move(s, id, 5, 0), ERR_OK);
    assert_food_event(s, id);
    assert_int_equal(shop_stock(s, id), 0);
    assert_int_equal(shop_taken(s, id), 5);
    assert_int_equal(get(s, id).version, 1);
    assert_int_equal(move(s, id, 1, 0), fixture_always_stale());
    assert_int_equal(shop_stock(s, id), 0);
    assert_int_equal(shop_taken(s, id), 5);
    assert_int_equal(move(s, id, 0, 5), ERR_OK);
    assert_int_equal(shop_stock(s, id), 5);
    assert_int_equal(shop_taken(s, id), 0);
    assert_int_equal(move(s, id, 0, 1), fixture_always_stale());
}

static void test_food__move_by_the_net(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);

    assert_int_equal(move(s, id, 4, 0), ERR_OK);
    /* One is left, and four of the five wanted are his own. */
    assert_int_equal(move(s, id, 5, 4), ERR_OK);
    assert_int_equal(shop_stock(s, id), 0);
    assert_int_equal(shop_taken(s, id), 5);
    assert_int_equal(move(s, id, 6, 5), fixture_always_stale());
    assert_int_equal(move(s, id, 2, 5), ERR_OK);
    assert_int_equal(shop_stock(s, id), 3);
    assert_int_equal(shop_taken(s, id), 2);
    assert_int_equal(move(s, id, 2, 2), ERR_OK);
    assert_int_equal(s->n_events, 0);
    assert_int_equal(shop_stock(s, id), 3);
}

static void test_food__units_come_back_to_what_is_no_longer_counted(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);
    struct food_edit edit = edit_of(s, id);

    assert_int_equal(move(s, id, 2, 0), ERR_OK);
    edit.stock = (struct opt_int){.set = true, .null = true};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(shop_taken(s, id), 2);
    assert_int_equal(move(s, id, 1, 0), fixture_always_stale());
    assert_int_equal(move(s, id, 0, 2), ERR_OK);
    assert_int_equal(shop_stock(s, id), -1);
    assert_int_equal(shop_taken(s, id), 0);
}

static void test_food__nothing_is_taken_from_what_is_off(void **state)
{
    struct shop_fixture *s = *state;
    int64_t id = shop_food(s, "Suya", 1, 5);
    struct food_edit edit = edit_of(s, id);

    assert_int_equal(move(s, id, 2, 0), ERR_OK);
    edit.available = (struct opt_bool){.set = true, .value = false};
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_int_equal(move(s, id, 1, 0), fixture_always_stale());
    assert_int_equal(shop_write(s, food_archive, &edit), ERR_OK);
    assert_int_equal(move(s, id, 1, 0), fixture_always_stale());
    /* But what was taken comes back. */
    assert_int_equal(move(s, id, 0, 2), ERR_OK);
    assert_int_equal(shop_stock(s, id), 5);
}

/* ---- The shop ---- */

static void test_shop__edit(void **state)
{
    struct shop_fixture *s = *state;
    struct shop_edit edit = {
        .name = {.set = true, .value = STR("Mama Put")},
        .currency = {.set = true, .value = STR("GHS")},
        .problem = &s->problem,
    };

    assert_int_equal(shop_write(s, shop_edit, &edit), ERR_OK);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_SHOP);
    assert_true(str_is(edit.shop.name, "Mama Put"));
    assert_true(str_is(edit.shop.currency, "GHS"));
    assert_true(str_is(edit.shop.timezone, "Africa/Lagos"));
    assert_true(str_is(edit.shop.country_code, "234"));
}

static void test_shop__currency_in_use(void **state)
{
    struct shop_fixture *s = *state;
    struct shop_edit edit = {
        .name = {.set = true, .value = STR("Mama Put")},
        .currency = {.set = true, .value = STR("GHS")},
        .problem = &s->problem,
    };

    shop_hold(s, shop_user(s, "a@example.com"), shop_food(s, "Suya", 1, -1), 1, "failed", false);
    assert_int_equal(shop_write(s, shop_edit, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_CURRENCY_IN_USE);
    /* The same one is no change. */
    edit.currency.value = STR("NGN");
    assert_int_equal(shop_write(s, shop_edit, &edit), ERR_OK);
    assert_true(str_is(edit.shop.name, "Mama Put"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_food__create_defaults),
        SHOP_TEST(test_food__create_limits),
        SHOP_TEST(test_food__edit_changes_only_what_is_set),
        SHOP_TEST(test_food__edit_of_nothing_is_none),
        SHOP_TEST(test_food__version),
        SHOP_TEST(test_food__stock_set_and_uncount),
        SHOP_TEST(test_food__stock_add_limits),
        SHOP_TEST(test_food__stock_add_needs_a_count),
        SHOP_TEST(test_food__archived_is_gone),
        SHOP_TEST(test_food__read_all_leaves_archived_out),
        SHOP_TEST(test_food__take_and_give_back),
        SHOP_TEST(test_food__move_by_the_net),
        SHOP_TEST(test_food__units_come_back_to_what_is_no_longer_counted),
        SHOP_TEST(test_food__nothing_is_taken_from_what_is_off),
        SHOP_TEST(test_shop__edit),
        SHOP_TEST(test_shop__currency_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
