/* Placing an order: what it freezes and holds, what it refuses, and what it replaces. */
#include "pay_fixture.h"

#include <stdio.h>

#include "domain/limits.h"

static int64_t count_payments(struct shop_fixture *s)
{
    static const char sql[] = "SELECT count(*) FROM payments";
    return shop_sql(s, sql, SQL_NO_ARGS);
}

static void set_food(struct shop_fixture *s, int64_t food_id, struct food_edit edit)
{
    edit.food_id = food_id;
    edit.now_ms = SHOP_NOW_MS;
    edit.problem = &s->problem;
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
}

static void test_place__freezes_and_holds(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5), tea = shop_food(s, "Tea", 100, -1);

    pay_cart(s, user, rice, 2);
    pay_cart(s, user, tea, 3);
    struct place place = pay_placing(s, user);
    place.fulfilment = FULFILMENT_DELIVERY;
    place.address = STR("12 Marina");
    place.note = STR("ring twice");
    place.has_expected_total = true;
    place.expected_total = 800;
    assert_int_equal(pay_place(s, &place), ERR_OK);

    struct payment p = pay_read(s, place.payment.id);
    assert_status(p, PAYMENT_PENDING);
    assert_int_equal(p.user_id, user);
    assert_int_equal(p.amount_minor, 800);
    assert_true(str_is(p.currency, "NGN"));
    assert_true(str_is(p.provider, "test"));
    assert_true(p.held);
    assert_false(p.remote);
    assert_int_equal(p.fulfilment, FULFILMENT_DELIVERY);
    assert_true(str_is(p.address, "12 Marina"));
    assert_true(str_is(p.note, "ring twice"));
    assert_int_equal(p.expires_at_ms, SHOP_NOW_MS + PAY_HOLD_MS);
    assert_int_equal(p.nonce.len, PAYMENT_NONCE_BYTES);
    assert_int_equal(shop_stock(s, rice), 3);
    assert_int_equal(shop_taken(s, rice), 2);
    assert_int_equal(shop_stock(s, tea), -1);
    assert_int_equal(shop_taken(s, tea), 0);
    assert_int_equal(pay_cart_quantity(s, user, rice), 2);
    assert_int_equal(pay_count_orders(s), 0);
}

static void test_place__same_again_is_the_same_payment(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);

    pay_cart(s, user, rice, 2);
    int64_t first = pay_pending(s, user);
    /* Neither the price nor the food is looked at again. */
    set_food(s, rice,
             (struct food_edit){.price = {.set = true, .value = 300},
                                .available = {.set = true, .value = false}});
    assert_int_equal(pay_pending(s, user), first);
    struct place place = pay_placing(s, user);
    place.has_expected_total = true;
    place.expected_total = 500;
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS - 1;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.payment.id, first);
    assert_int_equal(count_payments(s), 1);
    assert_int_equal(shop_stock(s, rice), 0);
}

static void test_place__another_expected_total_is_checked(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);

    pay_cart(s, user, rice, 2);
    int64_t first = pay_pending(s, user);
    struct place place = pay_placing(s, user);
    place.has_expected_total = true;
    place.expected_total = 600;
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PRICE_CHANGED);
    assert_string_equal(s->problem.extras[0].key, "total");
    assert_true(str_is(s->problem.extras[0].json, "500"));
    assert_status(pay_read(s, first), PAYMENT_PENDING);

    set_food(s, rice, (struct food_edit){.price = {.set = true, .value = 300}});
    place = pay_placing(s, user);
    place.has_expected_total = true;
    place.expected_total = 600;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_not_equal(place.payment.id, first);
    assert_int_equal(place.payment.amount_minor, 600);
    assert_status(pay_read(s, first), PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 0);
}

static void test_place__other_words_replace(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);
    struct place place = pay_placing(s, user);

    pay_cart(s, user, rice, 2);
    int64_t last = pay_pending(s, user);
    for (int i = 0; i < 3; i++) {
        place = pay_placing(s, user);
        place.note = STR("no onions");
        if (i > 0) {
            place.fulfilment = FULFILMENT_DELIVERY;
            place.address = i == 1 ? STR("here") : STR("there");
        }
        assert_int_equal(pay_place(s, &place), ERR_OK);
        assert_int_not_equal(place.payment.id, last);
        assert_status(pay_read(s, last), PAYMENT_CANCELLED);
        assert_false(pay_read(s, last).held);
        last = place.payment.id;
        assert_int_equal(shop_stock(s, rice), 0);
        assert_int_equal(shop_taken(s, rice), 2);
    }
}

static void test_place__replacement_moves_the_net(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5), suya = shop_food(s, "Suya", 100, 3);
    int64_t tea = shop_food(s, "Tea", 100, 1);

    pay_cart(s, user, rice, 4);
    pay_cart(s, user, tea, 1);
    pay_pending(s, user);
    assert_int_equal(shop_stock(s, rice), 1);
    pay_cart(s, user, rice, 5); /* only with the four that he holds himself */
    pay_cart(s, user, tea, 0);
    pay_cart(s, user, suya, 2);
    pay_pending(s, user);
    assert_int_equal(shop_stock(s, rice), 0);
    assert_int_equal(shop_taken(s, rice), 5);
    assert_int_equal(shop_stock(s, tea), 1);
    assert_int_equal(shop_taken(s, tea), 0);
    assert_int_equal(shop_stock(s, suya), 1);
    pay_cart(s, user, rice, 2);
    pay_pending(s, user);
    assert_int_equal(shop_stock(s, rice), 3);
    assert_int_equal(shop_taken(s, rice), 2);
}

/* A line that took nothing gives nothing back, and the other way round. */
static void test_place__counting_begins_and_ends_meanwhile(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, -1), tea = shop_food(s, "Tea", 100, 5);

    pay_cart(s, user, rice, 2);
    pay_cart(s, user, tea, 2);
    int64_t first = pay_pending(s, user);
    set_food(s, rice, (struct food_edit){.stock = {.set = true, .value = 7}});
    set_food(s, tea, (struct food_edit){.stock = {.set = true, .null = true}});
    pay_cart(s, user, rice, 3);
    int64_t second = pay_pending(s, user);
    assert_status(pay_read(s, first), PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 4);
    assert_int_equal(shop_taken(s, rice), 3);
    assert_int_equal(shop_stock(s, tea), -1);
    assert_int_equal(shop_taken(s, tea), 0);
    assert_int_equal(pay_give_up(s, second, user, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(shop_stock(s, rice), 7);
    assert_int_equal(shop_stock(s, tea), -1);
}

static void test_place__refused_changes_nothing(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5), tea = shop_food(s, "Tea", 100, 9);
    int64_t soup = shop_food(s, "Soup", 100, -1);

    pay_cart(s, user, rice, 4);
    pay_cart(s, user, tea, 3);
    pay_cart(s, user, soup, 1);
    int64_t first = pay_pending(s, user);
    set_food(s, rice, (struct food_edit){.stock = {.set = true, .value = 0}});
    set_food(s, tea, (struct food_edit){.available = {.set = true, .value = false}});
    struct place place = pay_placing(s, user);
    place.note = STR("other");
    pay_cart(s, user, soup, 2);
    static const char more[] = "UPDATE cart_items SET quantity = 5 WHERE food_id = $1";
    shop_sql(s, more, SQL_ARGS(sql_int(rice)));
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_int_equal(s->problem.n_rows, 2);
    assert_int_equal(s->problem.rows[0].food_id, rice);
    assert_int_equal(s->problem.rows[0].code, PROBLEM_OUT_OF_STOCK);
    assert_int_equal(s->problem.rows[1].food_id, tea);
    assert_int_equal(s->problem.rows[1].code, PROBLEM_FOOD_UNAVAILABLE);
    assert_status(pay_read(s, first), PAYMENT_PENDING);
    assert_true(pay_read(s, first).held);
    assert_int_equal(count_payments(s), 1);
    assert_int_equal(shop_stock(s, rice), 0);
    assert_int_equal(shop_taken(s, rice), 4);
}

static void test_place__empty(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);
    struct place place = pay_placing(s, user);

    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_CART_EMPTY);
    pay_cart(s, user, rice, 1);
    int64_t first = pay_pending(s, user);
    pay_cart(s, user, rice, 0);
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_CART_EMPTY);
    assert_status(pay_read(s, first), PAYMENT_PENDING);
}

static void test_place__total_limit(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t cake = shop_food(s, "Cake", MONEY_MAX / 2, -1), crumb = shop_food(s, "Crumb", 0, -1);

    pay_cart(s, user, cake, 2);
    pay_cart(s, user, crumb, 1);
    int64_t first = pay_pending(s, user);
    assert_true(pay_read(s, first).amount_minor == MONEY_MAX);
    set_food(s, crumb, (struct food_edit){.price = {.set = true, .value = 1}});
    struct place place = pay_placing(s, user);
    place.note = STR("other");
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOTAL_TOO_LARGE);
    assert_status(pay_read(s, first), PAYMENT_PENDING);
}

/* ---- The last unit ---- */

/* As every call of a user's does. */
static enum err run_place(struct tx *tx, void *arg)
{
    struct place *place = arg;
    enum err err = tx_lock_user(tx, place->user_id);
    return err ? err : place_order(tx, place);
}

enum { BUYERS = 50, TIMES = 20 };

static void test_place__last_unit_is_held_once(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 1);
    struct place places[BUYERS];
    struct problem *problems = shop_problems(s, BUYERS);
    enum err results[BUYERS];
    int held = 0;

    for (size_t i = 0; i < BUYERS; i++) {
        char email[40];
        snprintf(email, sizeof email, "u%zu@example.com", i);
        int64_t user = shop_user(s, email);
        pay_cart(s, user, rice, 1);
        places[i] = pay_placing(s, user);
        places[i].problem = &problems[i];
    }
    pay_at_once(s, run_place, places, sizeof *places, BUYERS, results);
    for (size_t i = 0; i < BUYERS; i++) {
        held += results[i] == ERR_OK;
        if (results[i]) {
            assert_int_equal(results[i], ERR_PROBLEM);
            assert_int_equal(problems[i].code, PROBLEM_OUT_OF_STOCK);
        }
    }
    assert_int_equal(held, 1);
    assert_int_equal(count_payments(s), 1);
    assert_int_equal(shop_stock(s, rice), 0);
    assert_int_equal(shop_taken(s, rice), 1);
}

static void test_place__one_cart_at_once_is_one_payment(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 10);
    struct place places[TIMES];
    enum err results[TIMES];

    pay_cart(s, user, rice, 3);
    for (size_t i = 0; i < TIMES; i++)
        places[i] = pay_placing(s, user);
    pay_at_once(s, run_place, places, sizeof *places, TIMES, results);
    for (size_t i = 0; i < TIMES; i++) {
        assert_int_equal(results[i], ERR_OK);
        assert_int_equal(places[i].payment.id, places[0].payment.id);
    }
    assert_int_equal(count_payments(s), 1);
    assert_int_equal(shop_stock(s, rice), 7);
}

/* ---- Expired holds ---- */

static void test_place__expired_holds_refuse_nobody(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t c = shop_user(s, "c@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 4);

    pay_cart(s, a, rice, 2);
    pay_cart(s, b, rice, 2);
    pay_cart(s, c, rice, 3);
    int64_t of_a = pay_pending(s, a);
    struct place late = pay_placing(s, b);
    late.now_ms = SHOP_NOW_MS + 1;
    assert_int_equal(pay_place(s, &late), ERR_OK);

    struct place place = pay_placing(s, c);
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS; /* a's is over, b's is not */
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    place.now_ms++;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_status(pay_read(s, of_a), PAYMENT_EXPIRED);
    assert_status(pay_read(s, late.payment.id), PAYMENT_EXPIRED);
    assert_int_equal(shop_stock(s, rice), 1);
    assert_int_equal(shop_taken(s, rice), 3);
}

static void test_place__own_expired_payment_is_replaced(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);

    pay_cart(s, user, rice, 2);
    int64_t first = pay_pending(s, user);
    struct place place = pay_placing(s, user);
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_not_equal(place.payment.id, first);
    assert_status(pay_read(s, first), PAYMENT_EXPIRED);
    assert_int_equal(shop_stock(s, rice), 0);
}

/* ---- Too many ---- */

static void end_unpaid(struct shop_fixture *s, int64_t user, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pay_give_up(s, pay_pending(s, user), user, SHOP_NOW_MS), ERR_OK);
}

static void test_place__too_many_unpaid(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), other = shop_user(s, "b@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 1);
    pay_cart(s, other, rice, 1);
    end_unpaid(s, user, UNPAID_PAYMENTS_PER_HOUR - 1);
    int64_t open = pay_pending(s, user); /* the 20th is still open: not ended */
    assert_int_equal(pay_pending(s, user), open);
    assert_int_equal(pay_give_up(s, open, user, SHOP_NOW_MS), ERR_OK);

    struct place place = pay_placing(s, user);
    place.now_ms = SHOP_NOW_MS + 1000;
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_TOO_MANY_PAYMENTS);
    assert_int_equal(s->problem.retry_after_ms, HOUR_MS - 1000);
    pay_pending(s, other);
    place.now_ms = SHOP_NOW_MS + HOUR_MS;
    assert_int_equal(pay_place(s, &place), ERR_OK);
}

static void test_place__refused_creations_are_not_counted(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 1);
    for (int i = 0; i < UNPAID_PAYMENTS_PER_HOUR + 1; i++) {
        struct payment_news news = {
            .payment_id = pay_remote(s, user),
            .kind = PAYMENT_NEWS_CLOSED,
            .refused = true,
            .now_ms = SHOP_NOW_MS,
        };
        assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
        assert_status(news.payment, PAYMENT_FAILED);
    }
    assert_int_equal(shop_stock(s, rice), 5);
}

/* ---- For nothing ---- */

static void test_place__free(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5), water = shop_food(s, "Water", 0, 3);

    pay_cart(s, user, rice, 1);
    int64_t open = pay_pending(s, user);
    pay_cart(s, user, rice, 0);
    pay_cart(s, user, water, 2);
    struct place place = pay_placing(s, user);
    place.note = STR("cold");
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_ORDER);
    struct order order = pay_read_order(s, place.order_id);
    assert_int_equal(order.total, 0);
    assert_int_equal(order.payment_id, 0);
    assert_int_equal(order.n_lines, 1);
    assert_int_equal(order.lines[0].quantity, 2);
    assert_true(str_is(order.note, "cold"));
    assert_int_equal(order.n_events, 1);
    assert_true(str_is(order.events[0].actor, "customer"));
    assert_status(pay_read(s, open), PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 5);
    assert_int_equal(shop_stock(s, water), 1);
    assert_int_equal(pay_cart_quantity(s, user, water), 0);
}

/* ---- A remote provider ---- */

static void test_place__one_caller_creates(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 1);
    int64_t id = pay_remote(s, user);
    struct place place = pay_placing(s, user);
    place.remote = true;
    place.now_ms = SHOP_NOW_MS + PAYMENT_CLAIM_MS - 1;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_PAYMENT); /* 402 with checkout_url null */
    assert_int_equal(place.payment.id, id);
    assert_null(place.payment.provider_url.ptr);

    struct payment_unclaim unclaim = {
        .payment_id = id,
        .claimed_until_ms = SHOP_NOW_MS + PAYMENT_CLAIM_MS,
        .next_at_ms = SHOP_NOW_MS,
        .now_ms = SHOP_NOW_MS,
    };
    assert_int_equal(shop_write(s, payment_unclaim, &unclaim), ERR_OK);
    place.now_ms = SHOP_NOW_MS;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_CREATE);
    assert_int_equal(place.payment.id, id);
    assert_int_equal(pay_again(s, id, &place), ERR_OK); /* the same call, by its key */
    assert_int_equal(place.outcome, PLACE_PAYMENT);
    place.now_ms += PAYMENT_CLAIM_MS;
    assert_int_equal(pay_again(s, id, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_CREATE);
    /* The first one's claim is over: what it says now is not about the second one's. */
    assert_int_equal(shop_write(s, payment_unclaim, &unclaim), ERR_OK);
    assert_true(pay_read(s, id).claimed_until_ms > place.now_ms);
}

static void test_place__replaced_remote_keeps_its_hold(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 3);

    pay_cart(s, user, rice, 1);
    int64_t first = pay_remote(s, user);
    pay_news(s, first, PAYMENT_NEWS_OPEN, SHOP_NOW_MS);
    struct place place = pay_placing(s, user);
    place.remote = true;
    pay_cart(s, user, rice, 3); /* the unit that is held may still be paid for */
    assert_int_equal(pay_place(s, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_OUT_OF_STOCK);
    assert_status(pay_read(s, first), PAYMENT_PENDING);
    pay_cart(s, user, rice, 2);
    assert_int_equal(pay_place(s, &place), ERR_OK);
    struct payment old = pay_read(s, first);
    assert_status(old, PAYMENT_CANCELLING);
    assert_int_equal(old.cancel_to, PAYMENT_CANCELLED);
    assert_true(old.held);
    assert_int_equal(shop_stock(s, rice), 0);
    assert_int_equal(shop_taken(s, rice), 3);
    pay_news(s, first, PAYMENT_NEWS_CLOSED, SHOP_NOW_MS);
    assert_status(pay_read(s, first), PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 1);
}

static void test_place__again_is_the_owners(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), other = shop_user(s, "b@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 3);

    pay_cart(s, user, rice, 1);
    int64_t id = pay_pending(s, user);
    struct place place = pay_placing(s, other);
    assert_int_equal(pay_again(s, id, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
    assert_int_equal(pay_again(s, id + 1, &place), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
    place = pay_placing(s, user);
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
    assert_int_equal(pay_again(s, id, &place), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_EXPIRED);
    assert_int_equal(shop_stock(s, rice), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_place__freezes_and_holds),
        PAY_TEST(test_place__same_again_is_the_same_payment),
        PAY_TEST(test_place__another_expected_total_is_checked),
        PAY_TEST(test_place__other_words_replace),
        PAY_TEST(test_place__replacement_moves_the_net),
        PAY_TEST(test_place__counting_begins_and_ends_meanwhile),
        PAY_TEST(test_place__refused_changes_nothing),
        PAY_TEST(test_place__empty),
        PAY_TEST(test_place__total_limit),
        PAY_TEST(test_place__last_unit_is_held_once),
        PAY_TEST(test_place__one_cart_at_once_is_one_payment),
        PAY_TEST(test_place__expired_holds_refuse_nobody),
        PAY_TEST(test_place__own_expired_payment_is_replaced),
        PAY_TEST(test_place__too_many_unpaid),
        PAY_TEST(test_place__refused_creations_are_not_counted),
        PAY_TEST(test_place__free),
        PAY_TEST(test_place__one_caller_creates),
        PAY_TEST(test_place__replaced_remote_keeps_its_hold),
        PAY_TEST(test_place__again_is_the_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
