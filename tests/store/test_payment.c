/* Payments: what each piece of news does in each state, written out from the contract as a table,
 * and that money becomes an order exactly once. */
#include "pay_fixture.h"

#include <stdio.h>

/* ---- State and news ---- */

/* Every state a payment can be in when news comes, expired but not swept included. */
enum situation {
    CREATING,
    PENDING,
    PENDING_REMOTE,
    DUE,        /* pending, past its time, local */
    DUE_REMOTE, /* the same, remote */
    PAID,
    FAILED,
    EXPIRED,
    CANCELLING,         /* given up */
    CANCELLING_EXPIRED, /* its time over */
    CANCELLED,
    SITUATIONS,
};

static const char *const SITUATION_NAMES[SITUATIONS] = {
    "creating", "pending",    "pending, remote",      "due",       "due, remote", "paid", "failed",
    "expired",  "cancelling", "cancelling (expired)", "cancelled",
};

enum piece { OPEN, PAID_RIGHT, PAID_LESS, PAID_IN_OTHER_MONEY, CLOSED, PIECES };

struct expected {
    enum payment_status status;
    bool order, held;
    const char *attention; /* NULL: none */
};

#define AMOUNT "paid_amount_mismatch"
#define CURRENCY "paid_currency_mismatch"
#define GIVEN_UP "paid_after_cancel"

/* Held, no order, not flagged. */
#define STAYS(status)                                                                              \
    {                                                                                              \
        status, false, true, NULL                                                                  \
    }
#define ENDS(status)                                                                               \
    {                                                                                              \
        status, false, false, NULL                                                                 \
    }
#define ORDERED                                                                                    \
    {                                                                                              \
        PAYMENT_PAID, true, false, NULL                                                            \
    }
#define FLAGGED(status, held, reason)                                                              \
    {                                                                                              \
        status, false, held, reason                                                                \
    }

static const struct expected TABLE[SITUATIONS][PIECES] = {
    [CREATING] = {[OPEN] = STAYS(PAYMENT_PENDING),
                  [PAID_RIGHT] = ORDERED,
                  [PAID_LESS] = FLAGGED(PAYMENT_CREATING, true, AMOUNT),
                  [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_CREATING, true, CURRENCY),
                  [CLOSED] = ENDS(PAYMENT_FAILED)},
    [PENDING] = {[OPEN] = STAYS(PAYMENT_PENDING),
                 [PAID_RIGHT] = ORDERED,
                 [PAID_LESS] = FLAGGED(PAYMENT_PENDING, true, AMOUNT),
                 [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_PENDING, true, CURRENCY),
                 [CLOSED] = ENDS(PAYMENT_FAILED)},
    [PENDING_REMOTE] = {[OPEN] = STAYS(PAYMENT_PENDING),
                        [PAID_RIGHT] = ORDERED,
                        [PAID_LESS] = FLAGGED(PAYMENT_PENDING, true, AMOUNT),
                        [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_PENDING, true, CURRENCY),
                        [CLOSED] = ENDS(PAYMENT_FAILED)},
    [DUE] = {[OPEN] = ENDS(PAYMENT_EXPIRED),
             [PAID_RIGHT] = ORDERED, /* late, and everything is there */
             [PAID_LESS] = FLAGGED(PAYMENT_EXPIRED, false, AMOUNT),
             [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_EXPIRED, false, CURRENCY),
             [CLOSED] = ENDS(PAYMENT_EXPIRED)},
    [DUE_REMOTE] = {[OPEN] = STAYS(PAYMENT_PENDING),
                    [PAID_RIGHT] = ORDERED,
                    [PAID_LESS] = FLAGGED(PAYMENT_PENDING, true, AMOUNT),
                    [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_PENDING, true, CURRENCY),
                    [CLOSED] = ENDS(PAYMENT_EXPIRED)},
    [PAID] = {[OPEN] = ORDERED,
              [PAID_RIGHT] = ORDERED,
              [PAID_LESS] = {PAYMENT_PAID, true, false, AMOUNT},
              [PAID_IN_OTHER_MONEY] = {PAYMENT_PAID, true, false, CURRENCY},
              [CLOSED] = ORDERED},
    [FAILED] = {[OPEN] = ENDS(PAYMENT_FAILED),
                [PAID_RIGHT] = ORDERED,
                [PAID_LESS] = FLAGGED(PAYMENT_FAILED, false, AMOUNT),
                [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_FAILED, false, CURRENCY),
                [CLOSED] = ENDS(PAYMENT_FAILED)},
    [EXPIRED] = {[OPEN] = ENDS(PAYMENT_EXPIRED),
                 [PAID_RIGHT] = ORDERED,
                 [PAID_LESS] = FLAGGED(PAYMENT_EXPIRED, false, AMOUNT),
                 [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_EXPIRED, false, CURRENCY),
                 [CLOSED] = ENDS(PAYMENT_EXPIRED)},
    [CANCELLING] = {[OPEN] = STAYS(PAYMENT_CANCELLING),
                    [PAID_RIGHT] = ORDERED,
                    [PAID_LESS] = FLAGGED(PAYMENT_CANCELLING, true, AMOUNT),
                    [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_CANCELLING, true, CURRENCY),
                    [CLOSED] = ENDS(PAYMENT_CANCELLED)},
    [CANCELLING_EXPIRED] = {[OPEN] = STAYS(PAYMENT_CANCELLING),
                            [PAID_RIGHT] = ORDERED,
                            [PAID_LESS] = FLAGGED(PAYMENT_CANCELLING, true, AMOUNT),
                            [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_CANCELLING, true, CURRENCY),
                            [CLOSED] = ENDS(PAYMENT_EXPIRED)},
    [CANCELLED] = {[OPEN] = ENDS(PAYMENT_CANCELLED),
                   [PAID_RIGHT] = FLAGGED(PAYMENT_CANCELLED, false, GIVEN_UP),
                   [PAID_LESS] = FLAGGED(PAYMENT_CANCELLED, false, AMOUNT),
                   [PAID_IN_OTHER_MONEY] = FLAGGED(PAYMENT_CANCELLED, false, CURRENCY),
                   [CLOSED] = ENDS(PAYMENT_CANCELLED)},
};

struct expiring {
    int64_t id, now_ms;
};

static enum err run_expire(struct tx *tx, void *arg)
{
    const struct expiring *expiring = arg;
    struct payment payment;
    enum err err = payment_find(tx, expiring->id, &payment);
    return err ? err : payment_expire(tx, &payment, expiring->now_ms);
}

static void expire(struct shop_fixture *s, int64_t id)
{
    struct expiring expiring = {id, SHOP_NOW_MS + PAY_HOLD_MS};
    assert_int_equal(shop_write(s, run_expire, &expiring), ERR_OK);
}

/* Brings a payment into the situation by the real ways; *ret_now_ms is when the news comes. */
static int64_t bring(struct shop_fixture *s, enum situation situation, int64_t user,
                     int64_t *ret_now_ms)
{
    bool remote = situation == CREATING || situation == PENDING_REMOTE || situation == DUE_REMOTE ||
                  situation == CANCELLING || situation == CANCELLING_EXPIRED;
    int64_t id = remote ? pay_remote(s, user) : pay_pending(s, user);
    *ret_now_ms = SHOP_NOW_MS;
    if (remote && situation != CREATING)
        pay_news(s, id, PAYMENT_NEWS_OPEN, SHOP_NOW_MS);
    switch (situation) {
    case CREATING:
    case PENDING:
    case PENDING_REMOTE:
        break;
    case DUE:
    case DUE_REMOTE:
        *ret_now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
        break;
    case PAID:
        assert_status(pay_paid(s, id), PAYMENT_PAID);
        break;
    case FAILED:
        assert_status(pay_news(s, id, PAYMENT_NEWS_CLOSED, SHOP_NOW_MS), PAYMENT_FAILED);
        break;
    case EXPIRED:
    case CANCELLING_EXPIRED:
        expire(s, id);
        *ret_now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
        break;
    case CANCELLING:
    case CANCELLED:
        assert_int_equal(pay_give_up(s, id, user, SHOP_NOW_MS), ERR_OK);
        break;
    case SITUATIONS:
        fail();
    }
    return id;
}

static struct payment_news piece_of_news(enum piece piece, int64_t id, int64_t now_ms)
{
    struct payment_news news = {.payment_id = id, .now_ms = now_ms};
    switch (piece) {
    case OPEN:
        news.kind = PAYMENT_NEWS_OPEN;
        break;
    case PAID_RIGHT:
    case PAID_LESS:
    case PAID_IN_OTHER_MONEY:
        news.kind = PAYMENT_NEWS_PAID;
        news.amount_minor = piece == PAID_LESS ? 499 : 500;
        news.currency = piece == PAID_IN_OTHER_MONEY ? STR("GHS") : STR("NGN");
        break;
    case CLOSED:
        news.kind = PAYMENT_NEWS_CLOSED;
        break;
    case PIECES:
        fail();
    }
    return news;
}

static void check_row(struct shop_fixture *s, enum situation situation, enum piece piece)
{
    const struct expected *expected = &TABLE[situation][piece];
    char email[64];
    snprintf(email, sizeof email, "u%d-%d@example.com", (int)situation, (int)piece);
    int64_t user = shop_user(s, email), rice = shop_food(s, "Rice", 250, 5), now_ms;
    pay_cart(s, user, rice, 2);
    int64_t id = bring(s, situation, user, &now_ms);

    for (int times = 0; times < 2; times++) { /* the same again changes nothing */
        struct payment_news news = piece_of_news(piece, id, now_ms);
        assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
        struct payment p = pay_read(s, id);
        if (p.status != expected->status)
            print_error("%s, news %d\n", SITUATION_NAMES[situation], (int)piece);
        assert_status(p, expected->status);
        assert_int_equal(p.held, expected->held);
        assert_int_equal(p.order_id != 0, expected->order);
        assert_true(str_eq(p.needs_attention, str_from(expected->attention)));
        bool taken = expected->held || expected->order;
        assert_int_equal(shop_stock(s, rice), taken ? 3 : 5);
        assert_int_equal(shop_taken(s, rice), taken ? 2 : 0);
        assert_int_equal(pay_cart_quantity(s, user, rice), expected->order ? 0 : 2);
    }
}

static void test_payment__every_news_in_every_state(void **state)
{
    for (size_t i = 0; i < SITUATIONS; i++)
        for (size_t k = 0; k < PIECES; k++)
            check_row(*state, (enum situation)i, (enum piece)k);
}

static void test_payment__unknown(void **state)
{
    struct shop_fixture *s = *state;
    struct payment_news news = {.payment_id = 7, .kind = PAYMENT_NEWS_PAID};

    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    assert_int_equal(news.payment.id, 0);
    news.problem = &s->problem;
    assert_int_equal(shop_write(s, payment_news, &news), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

/* ---- Exactly once ---- */

enum { TIMES = 10 };

static void test_payment__ten_times_at_once_is_one_order(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);
    struct payment_news news[TIMES];
    enum err results[TIMES];

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    for (size_t i = 0; i < TIMES; i++)
        news[i] = piece_of_news(PAID_RIGHT, id, SHOP_NOW_MS);
    pay_at_once(s, payment_news, news, sizeof *news, TIMES, results);
    for (size_t i = 0; i < TIMES; i++) {
        assert_int_equal(results[i], ERR_OK);
        assert_status(news[i].payment, PAYMENT_PAID);
        assert_true(news[i].payment.order_id > 0);
    }
    assert_int_equal(pay_count_orders(s), 1);
    assert_int_equal(shop_stock(s, rice), 3);
    assert_int_equal(shop_taken(s, rice), 2);
}

static void test_payment__the_order_is_the_frozen_cart(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5), tea = shop_food(s, "Tea", 100, -1);
    struct food_edit dearer = {.food_id = rice,
                               .name = {.set = true, .value = STR("Fried rice")},
                               .price = {.set = true, .value = 900},
                               .available = {.set = true, .value = false},
                               .problem = &s->problem};
    struct food_edit gone = {.food_id = tea, .problem = &s->problem};
    static const char disable[] = "UPDATE users SET disabled = 1 WHERE id = $1";

    pay_cart(s, user, rice, 2);
    pay_cart(s, user, tea, 1);
    struct place place = pay_placing(s, user);
    place.fulfilment = FULFILMENT_DELIVERY;
    place.address = STR("12 Marina");
    place.note = STR("ring");
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(shop_write(s, food_edit, &dearer), ERR_OK);
    assert_int_equal(shop_write(s, food_archive, &gone), ERR_OK);
    shop_sql(s, disable, SQL_ARGS(sql_int(user)));

    struct payment p = pay_paid(s, place.payment.id);
    struct order order = pay_read_order(s, p.order_id);
    assert_int_equal(order.user_id, user);
    assert_int_equal(order.status, ORDER_PENDING);
    assert_int_equal(order.total, 600);
    assert_int_equal(order.payment_id, p.id);
    assert_true(str_is(order.payment_status, "paid"));
    assert_true(str_is(order.address, "12 Marina"));
    assert_true(str_is(order.note, "ring"));
    assert_int_equal(order.version, 1);
    assert_int_equal(order.n_lines, 2);
    assert_true(str_is(order.lines[0].name, "Rice"));
    assert_int_equal(order.lines[0].unit_price, 250);
    assert_int_equal(order.lines[0].line_total, 500);
    assert_int_equal(order.n_events, 1);
    assert_null(order.events[0].from.ptr);
    assert_true(str_is(order.events[0].to, "pending"));
    assert_true(str_is(order.events[0].actor, "system"));
}

static void test_payment__tells_the_listener(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 2);
    struct payment_news news = piece_of_news(PAID_RIGHT, pay_pending(s, user), SHOP_NOW_MS);
    news.amount_minor = 500;
    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    size_t told = 0;
    for (size_t i = 0; i < s->n_events; i++) {
        if (s->events[i].kind != STORE_EVENT_ORDER)
            continue;
        told++;
        assert_int_equal(s->events[i].id, news.payment.order_id);
        assert_int_equal(s->events[i].user_id, user);
        assert_true(s->events[i].event_id > 0);
    }
    assert_int_equal(told, 1);
}

static void test_payment__edited_lines_stay_in_the_cart(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 9), tea = shop_food(s, "Tea", 100, -1);
    int64_t soup = shop_food(s, "Soup", 100, -1);

    pay_cart(s, user, rice, 2);
    pay_cart(s, user, tea, 1);
    int64_t id = pay_pending(s, user);
    pay_cart(s, user, rice, 3); /* on a second device */
    pay_cart(s, user, soup, 1);
    assert_status(pay_paid(s, id), PAYMENT_PAID);
    assert_int_equal(pay_cart_quantity(s, user, rice), 3);
    assert_int_equal(pay_cart_quantity(s, user, soup), 1);
    assert_int_equal(pay_cart_quantity(s, user, tea), 0);
}

/* Edited there and back, and placed again: he has seen what he pays. */
static void test_payment__placing_again_takes_the_lines_as_they_are(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    pay_cart(s, user, rice, 3);
    pay_cart(s, user, rice, 2);
    assert_int_equal(pay_pending(s, user), id);
    assert_status(pay_paid(s, id), PAYMENT_PAID);
    assert_int_equal(pay_cart_quantity(s, user, rice), 0);
}

/* ---- Late ---- */

/* A payment of two of the rice that expired, its units back. */
static int64_t bring_expired(struct shop_fixture *s, int64_t user, int64_t rice)
{
    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    expire(s, id);
    return id;
}

static void assert_late(struct shop_fixture *s, int64_t id, const char *reason)
{
    struct payment p = pay_news(s, id, PAYMENT_NEWS_PAID, SHOP_NOW_MS + PAY_HOLD_MS);
    assert_status(p, reason ? PAYMENT_EXPIRED : PAYMENT_PAID);
    assert_int_equal(p.order_id != 0, reason == NULL);
    assert_true(str_eq(p.needs_attention, str_from(reason)));
}

static void test_payment__late_and_sold_out(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);
    struct food_edit more = {
        .food_id = rice, .stock_add = {.set = true, .value = 1}, .problem = &s->problem};

    int64_t id = bring_expired(s, user, rice);
    pay_order(s, shop_user(s, "b@example.com"), rice, 1);
    assert_late(s, id, "paid_late_unavailable");
    assert_int_equal(shop_stock(s, rice), 1);
    /* With one more on the shelf, the admin says again that the money is there. */
    assert_int_equal(shop_write(s, food_edit, &more), ERR_OK);
    assert_late(s, id, NULL);
    assert_int_equal(shop_stock(s, rice), 0);
}

static void test_payment__late_and_not_for_sale(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 9), tea = shop_food(s, "Tea", 100, -1);
    struct food_edit off = {
        .food_id = rice, .available = {.set = true, .value = false}, .problem = &s->problem};
    struct food_edit gone = {.food_id = tea, .problem = &s->problem};

    int64_t of_rice = bring_expired(s, shop_user(s, "a@example.com"), rice);
    int64_t of_tea = bring_expired(s, shop_user(s, "b@example.com"), tea);
    assert_int_equal(shop_write(s, food_edit, &off), ERR_OK);
    assert_int_equal(shop_write(s, food_archive, &gone), ERR_OK);
    assert_late(s, of_rice, "paid_late_unavailable");
    assert_late(s, of_tea, "paid_late_unavailable");
    assert_int_equal(shop_stock(s, rice), 9);
}

static void test_payment__late_and_a_newer_one_is_open(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    int64_t id = bring_expired(s, user, rice);
    struct place place = pay_placing(s, user);
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_late(s, id, "paid_late_newer_payment");
    assert_status(pay_read(s, place.payment.id), PAYMENT_PENDING);
    assert_int_equal(shop_stock(s, rice), 7);
}

/* Neither the user's own newer payment nor another's hold counts once its time is over. */
static void test_payment__late_and_expired_holds(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), other = shop_user(s, "b@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 4);

    int64_t id = bring_expired(s, user, rice);
    int64_t newer = pay_pending(s, user);
    pay_cart(s, other, rice, 2);
    int64_t of_other = pay_pending(s, other);
    assert_int_equal(shop_stock(s, rice), 0);
    assert_late(s, id, NULL);
    assert_status(pay_read(s, newer), PAYMENT_EXPIRED);
    assert_int_equal(shop_taken(s, rice), 2 + (pay_read(s, of_other).held ? 2 : 0));
}

/* What is counted now may not have been counted then. */
static void test_payment__late_takes_by_the_present_count(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 9), tea = shop_food(s, "Tea", 100, -1);
    struct food_edit off = {
        .food_id = rice, .stock = {.set = true, .null = true}, .problem = &s->problem};
    struct food_edit on = {
        .food_id = tea, .stock = {.set = true, .value = 5}, .problem = &s->problem};

    int64_t of_rice = bring_expired(s, shop_user(s, "a@example.com"), rice);
    int64_t of_tea = bring_expired(s, shop_user(s, "b@example.com"), tea);
    assert_int_equal(shop_write(s, food_edit, &off), ERR_OK);
    assert_int_equal(shop_write(s, food_edit, &on), ERR_OK);
    assert_late(s, of_rice, NULL);
    assert_late(s, of_tea, NULL);
    assert_int_equal(shop_taken(s, rice), 0);
    assert_int_equal(shop_taken(s, tea), 2);
    assert_int_equal(shop_stock(s, tea), 3);
}

/* ---- Giving up ---- */

static void test_payment__give_up(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), other = shop_user(s, "b@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    assert_int_equal(pay_give_up(s, id, other, SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
    assert_int_equal(pay_give_up(s, id + 1, user, SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
    assert_int_equal(pay_give_up(s, id, user, SHOP_NOW_MS + PAY_HOLD_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PAYMENT_NOT_OPEN);
    assert_int_equal(pay_give_up(s, id, user, SHOP_NOW_MS + PAY_HOLD_MS - 1), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 5);
    assert_int_equal(pay_give_up(s, id, user, SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PAYMENT_NOT_OPEN);
    assert_int_equal(shop_stock(s, rice), 5);
}

static void test_payment__give_up_remote(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_remote(s, user);
    assert_int_equal(pay_give_up(s, id, user, SHOP_NOW_MS), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_CANCELLING);
    assert_int_equal(shop_stock(s, rice), 3);
    /* Whoever was creating it tells what the provider calls it, so that it can be cancelled. */
    struct payment_news news = {
        .payment_id = id,
        .kind = PAYMENT_NEWS_OPEN,
        .provider_ref = STR("ref-1"),
        .provider_url = STR("http://provider/1"),
        .now_ms = SHOP_NOW_MS,
    };
    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_CANCELLING);
    assert_true(str_is(pay_read(s, id).provider_ref, "ref-1"));
    int64_t next = pay_remote(s, user); /* it is no longer open */
    assert_int_not_equal(next, id);
}

/* ---- The test provider ---- */

static enum err simulate(struct shop_fixture *s, int64_t id, const char *outcome, int64_t now_ms)
{
    struct payment_simulate sim = {
        .payment_id = id,
        .now_ms = now_ms,
        .outcome = str_from(outcome),
        .problem = &s->problem,
    };
    return shop_write(s, payment_simulate, &sim);
}

static void test_payment__simulate(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    assert_int_equal(simulate(s, id, "maybe", SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_INVALID_VALUE);
    assert_int_equal(simulate(s, id + 1, "paid", SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
    for (int i = 0; i < 2; i++)
        assert_int_equal(simulate(s, id, "paid", SHOP_NOW_MS), ERR_OK);
    assert_int_equal(simulate(s, id, "failed", SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PAYMENT_CONFLICT);
    assert_int_equal(pay_count_orders(s), 1);

    pay_cart(s, user, rice, 1);
    id = pay_pending(s, user);
    for (int i = 0; i < 2; i++)
        assert_int_equal(simulate(s, id, "failed", SHOP_NOW_MS), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_FAILED);
    assert_int_equal(simulate(s, id, "paid", SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PAYMENT_CONFLICT);
    assert_int_equal(shop_stock(s, rice), 7);
}

static void test_payment__simulate_late(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t given_up = pay_pending(s, user);
    assert_int_equal(pay_give_up(s, given_up, user, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(simulate(s, given_up, "failed", SHOP_NOW_MS), ERR_OK);
    assert_status(pay_read(s, given_up), PAYMENT_CANCELLED);
    assert_true(str_is(pay_read(s, given_up).outcome, "failed"));
    assert_int_equal(simulate(s, given_up, "paid", SHOP_NOW_MS), ERR_OK);
    assert_status(pay_read(s, given_up), PAYMENT_CANCELLED);
    assert_true(str_is(pay_read(s, given_up).needs_attention, "paid_after_cancel"));

    int64_t due = pay_pending(s, user);
    assert_int_equal(simulate(s, due, "paid", SHOP_NOW_MS + PAY_HOLD_MS), ERR_OK);
    assert_status(pay_read(s, due), PAYMENT_PAID);
    assert_int_equal(pay_count_orders(s), 1);
}

static void test_payment__only_test_payments_are_simulated(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    struct place place = pay_placing(s, user);

    pay_cart(s, user, rice, 2);
    place.provider = STR("manual");
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(simulate(s, place.payment.id, "paid", SHOP_NOW_MS), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

static void test_payment__received(void **state)
{
    struct shop_fixture *s = *state;
    int64_t admin = shop_user(s, "admin@example.com"), user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    struct payment_news news = {
        .payment_id = pay_pending(s, user),
        .kind = PAYMENT_NEWS_PAID,
        .now_ms = SHOP_NOW_MS,
        .actor_id = admin,
        .problem = &s->problem,
    };
    for (int i = 0; i < 2; i++)
        assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    struct order order = pay_read_order(s, news.payment.order_id);
    assert_true(str_is(order.events[0].actor, "admin"));
    assert_int_equal(order.user_id, user);

    pay_cart(s, user, rice, 1);
    news.payment_id = pay_remote(s, user);
    news.provider = STR("test");
    assert_int_equal(shop_write(s, payment_news, &news), ERR_PROBLEM);
    assert_problem(s, PROBLEM_PAYMENT_CONFLICT);
    /* Once nobody asks that provider any more, the admin is the only one who can tell. */
    news.provider = STR("");
    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    assert_status(news.payment, PAYMENT_PAID);
    assert_int_equal(pay_count_orders(s), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_payment__every_news_in_every_state),
        PAY_TEST(test_payment__unknown),
        PAY_TEST(test_payment__ten_times_at_once_is_one_order),
        PAY_TEST(test_payment__the_order_is_the_frozen_cart),
        PAY_TEST(test_payment__tells_the_listener),
        PAY_TEST(test_payment__edited_lines_stay_in_the_cart),
        PAY_TEST(test_payment__placing_again_takes_the_lines_as_they_are),
        PAY_TEST(test_payment__late_and_sold_out),
        PAY_TEST(test_payment__late_and_not_for_sale),
        PAY_TEST(test_payment__late_and_a_newer_one_is_open),
        PAY_TEST(test_payment__late_and_expired_holds),
        PAY_TEST(test_payment__late_takes_by_the_present_count),
        PAY_TEST(test_payment__give_up),
        PAY_TEST(test_payment__give_up_remote),
        PAY_TEST(test_payment__simulate),
        PAY_TEST(test_payment__simulate_late),
        PAY_TEST(test_payment__only_test_payments_are_simulated),
        PAY_TEST(test_payment__received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
