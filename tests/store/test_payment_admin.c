/* Payments that need somebody: how flags are resolved and reopened, that nothing of them is lost,
 * and how admins find payments. */
#include "pay_fixture.h"

#include "store/payment_admin.h"

static struct payment_resolve resolve_of(struct shop_fixture *s, int64_t payment_id, bool resolved,
                                         const char *note)
{
    return (struct payment_resolve){
        .payment_id = payment_id,
        .actor_id = shop_sql(s, "SELECT min(id) FROM users", SQL_NO_ARGS),
        .now_ms = SHOP_NOW_MS + 5,
        .resolved = {.set = true, .value = resolved},
        .note = {.set = note != NULL, .value = str_from(note)},
        .problem = &s->problem,
    };
}

static struct payment_case resolve(struct shop_fixture *s, int64_t payment_id, bool resolved,
                                   const char *note)
{
    struct payment_resolve r = resolve_of(s, payment_id, resolved, note);
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_OK);
    return r.result;
}

/* Of the payment's own money. */
static enum err paid_news(struct shop_fixture *s, int64_t payment_id, int64_t amount_minor)
{
    struct payment_news news = {
        .payment_id = payment_id,
        .kind = PAYMENT_NEWS_PAID,
        .amount_minor = amount_minor,
        .currency = amount_minor ? STR("NGN") : STR_NONE,
        .now_ms = SHOP_NOW_MS + 1,
        .problem = &s->problem,
    };
    return shop_write(s, payment_news, &news);
}

/* Given up, and paid all the same. */
static int64_t flagged(struct shop_fixture *s, int64_t user_id, int64_t food_id)
{
    pay_cart(s, user_id, food_id, 2);
    int64_t id = pay_pending(s, user_id);
    assert_int_equal(pay_give_up(s, id, user_id, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_true(str_is(pay_read(s, id).needs_attention, "paid_after_cancel"));
    return id;
}

static void assert_events(const struct payment_case *found, const char *const *expected, size_t n)
{
    assert_int_equal(found->n_events, n);
    for (size_t i = 0; i < n; i++)
        assert_true(str_is(found->events[i].what, expected[i]));
}
#define assert_whats(found, ...)                                                                   \
    assert_events(found, (const char *const[]){__VA_ARGS__},                                       \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* ---- Resolving ---- */

static void test_resolve__keeps_the_reason_and_gives_it_back(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t id = flagged(s, user, rice);

    struct payment_case c = resolve(s, id, true, "Sent back by transfer");
    assert_null(c.payment.needs_attention.ptr);
    assert_null(pay_read(s, id).needs_attention.ptr);
    assert_non_null(c.resolved);
    assert_true(str_is(c.resolved->reason, "paid_after_cancel"));
    assert_true(str_is(c.resolved->note, "Sent back by transfer"));
    assert_true(str_is(c.resolved->actor_email, "a@example.com"));
    assert_int_equal(c.resolved->at_ms, SHOP_NOW_MS + 5);
    assert_int_equal(c.events[0].paid_amount, 500);
    assert_true(str_is(c.events[0].paid_currency, "NGN"));

    c = resolve(s, id, false, NULL);
    assert_true(str_is(c.payment.needs_attention, "paid_after_cancel"));
    assert_null(c.resolved);
    assert_whats(&c, "flagged", "resolved", "reopened");
}

static void test_resolve__said_again_changes_nothing(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t id = flagged(s, user, rice);

    resolve(s, id, true, "Done");
    int64_t version = pay_read(s, id).version;
    struct payment_resolve again = resolve_of(s, id, true, "Done");
    assert_int_equal(shop_write(s, payment_resolve, &again), ERR_OK);
    assert_false(again.changed);
    again = resolve_of(s, id, true, NULL);
    assert_int_equal(shop_write(s, payment_resolve, &again), ERR_OK);
    assert_false(again.changed);
    assert_whats(&again.result, "flagged", "resolved");
    assert_int_equal(pay_read(s, id).version, version);

    /* Another note is another word of an admin; the first one stays in the history. */
    struct payment_case c = resolve(s, id, true, "Done, receipt 17");
    assert_whats(&c, "flagged", "resolved", "resolved");
    assert_true(str_is(c.resolved->note, "Done, receipt 17"));
    assert_true(str_is(c.resolved->reason, "paid_after_cancel"));
    resolve(s, id, false, NULL);
    again = resolve_of(s, id, false, NULL);
    assert_int_equal(shop_write(s, payment_resolve, &again), ERR_OK);
    assert_false(again.changed);
}

static void test_resolve__a_note_alone_resolves_nothing(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t id = flagged(s, user, rice);
    struct payment_resolve note = resolve_of(s, id, false, "Called him, no answer");

    for (int i = 0; i < 2; i++) {
        note.resolved.set = i == 1; /* not said, or said as it is */
        assert_int_equal(shop_write(s, payment_resolve, &note), ERR_OK);
        assert_int_equal(note.changed, i == 0);
    }
    assert_whats(&note.result, "flagged", "noted");
    assert_true(str_is(note.result.payment.needs_attention, "paid_after_cancel"));
    note = resolve_of(s, id, false, NULL);
    note.resolved.set = false;
    assert_int_equal(shop_write(s, payment_resolve, &note), ERR_OK);
    assert_false(note.changed);
}

static void test_resolve__not_what_came_since_it_was_seen(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t id = flagged(s, user, rice);

    struct payment_resolve r = resolve_of(s, id, true, "Sent back 500");
    r.version = (struct opt_int){.set = true, .value = 2};
    assert_int_equal(paid_news(s, id, 900), ERR_OK);
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_PROBLEM);
    assert_int_equal(s->problem.code, PROBLEM_VERSION_CONFLICT);
    assert_true(str_is(pay_read(s, id).needs_attention, "paid_after_cancel"));

    /* The same told again is nothing new. */
    assert_int_equal(paid_news(s, id, 900), ERR_OK);
    r.version.value = 3;
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_OK);
    assert_int_equal(r.result.version, 4);
    assert_whats(&r.result, "flagged", "flagged", "resolved");
}

static void test_resolve__nothing_to_resolve(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t order_id = pay_order(s, user, rice, 1);
    struct payment_resolve r = resolve_of(s, pay_read_order(s, order_id).payment_id, true, "What?");

    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOTHING_TO_RESOLVE);
    r.resolved.value = false;
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOTHING_TO_RESOLVE);
    r.payment_id = 999;
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

static void test_resolve__a_refund(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t order_id = pay_order(s, user, rice, 2);
    int64_t id = pay_read_order(s, order_id).payment_id;
    struct order_set_status cancel = {
        .order_id = order_id,
        .to = ORDER_CANCELLED,
        .note = STR("Kitchen closed"),
        .actor = ACTOR_ADMIN,
        .actor_id = user,
        .now_ms = SHOP_NOW_MS + 1,
        .problem = &s->problem,
    };

    assert_int_equal(shop_write(s, order_set_status, &cancel), ERR_OK);
    /* Somebody pays it once more, too little: both are open, and both are resolved at once. */
    assert_int_equal(paid_news(s, id, 100), ERR_OK);
    struct payment_case c = resolve(s, id, true, NULL);
    assert_false(pay_read(s, id).refund_due);
    assert_true(c.resolved->refund_due);
    assert_true(str_is(c.resolved->reason, "paid_amount_mismatch"));
    assert_whats(&c, "refund_due", "flagged", "resolved");
    assert_true(str_is(c.events[0].note, "Kitchen closed"));
    assert_int_equal(c.events[1].paid_amount, 100);
    c = resolve(s, id, false, NULL);
    assert_true(pay_read(s, id).refund_due);
    assert_true(str_is(c.payment.needs_attention, "paid_amount_mismatch"));
}

/* ---- News after the resolution ---- */

static void test_resolve__money_again_is_flagged_again(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t id = flagged(s, user, rice);

    assert_int_equal(paid_news(s, id, 0), ERR_OK); /* the same news: one event */
    resolve(s, id, true, NULL);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_true(str_is(pay_read(s, id).needs_attention, "paid_after_cancel"));
    struct payment_case c = resolve(s, id, false, NULL);
    assert_whats(&c, "flagged", "resolved", "flagged");
    assert_null(c.resolved);
    /* Another amount is other news, and the first reason stays. */
    assert_int_equal(paid_news(s, id, 7), ERR_OK);
    c = resolve(s, id, true, NULL);
    assert_whats(&c, "flagged", "resolved", "flagged", "flagged", "resolved");
    assert_true(str_is(c.events[3].reason, "paid_amount_mismatch"));
    assert_int_equal(c.events[3].paid_amount, 7);
    assert_true(str_is(c.resolved->reason, "paid_after_cancel"));
}

/* The money was sent back: an order now would be a meal for nothing. */
static void test_resolve__late_money_makes_no_order_after_it(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);
    int64_t other = shop_user(s, "b@example.com");

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    pay_news(s, id, PAYMENT_NEWS_CLOSED, SHOP_NOW_MS);
    pay_cart(s, other, rice, 1);
    int64_t held = pay_pending(s, other);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_true(str_is(pay_read(s, id).needs_attention, "paid_late_unavailable"));
    resolve(s, id, true, "Sent back");
    assert_int_equal(pay_give_up(s, held, other, SHOP_NOW_MS), ERR_OK);

    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_int_equal(pay_count_orders(s), 0);
    assert_true(str_is(pay_read(s, id).needs_attention, "paid_after_resolution"));
    resolve(s, id, true, NULL);
    /* Reopened, it is as if nobody had touched it. */
    resolve(s, id, false, NULL);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_status(pay_read(s, id), PAYMENT_PAID);
    assert_int_equal(pay_count_orders(s), 1);
}

/* What came right by itself says so. */
static void test_resolve__an_order_after_all_clears_the_flag(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);
    int64_t other = shop_user(s, "b@example.com");

    pay_cart(s, user, rice, 2);
    int64_t id = pay_pending(s, user);
    pay_news(s, id, PAYMENT_NEWS_CLOSED, SHOP_NOW_MS);
    pay_cart(s, other, rice, 1);
    int64_t held = pay_pending(s, other);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_int_equal(pay_give_up(s, held, other, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(paid_news(s, id, 0), ERR_OK);
    assert_null(pay_read(s, id).needs_attention.ptr);
    struct payment_case_list list = {.before_id = ID_MAX + 1, .limit = 20};
    assert_int_equal(payment_case_list(s->store, s->arena, &list), ERR_OK);
    assert_int_equal(list.cases[1].payment.id, id);
    assert_whats(&list.cases[1], "flagged", "cleared");
    struct payment_resolve r = resolve_of(s, id, true, NULL);
    assert_int_equal(shop_write(s, payment_resolve, &r), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOTHING_TO_RESOLVE);
}

/* Its provider says for ever that it was paid too little: nobody else would end it. */
static void test_resolve__ends_one_that_is_at_a_provider(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t open = pay_remote(s, user);
    assert_int_equal(paid_news(s, open, 7), ERR_OK);
    assert_int_equal(shop_stock(s, rice), 7);
    struct payment_case c = resolve(s, open, true, NULL);
    assert_status(c.payment, PAYMENT_FAILED);
    assert_int_equal(shop_stock(s, rice), 9);

    int64_t given_up = pay_remote(s, user);
    assert_int_equal(pay_give_up(s, given_up, user, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(paid_news(s, given_up, 7), ERR_OK);
    assert_status(pay_read(s, given_up), PAYMENT_CANCELLING);
    assert_status(resolve(s, given_up, true, NULL).payment, PAYMENT_CANCELLED);
    assert_int_equal(shop_stock(s, rice), 9);
}

/* ---- The list ---- */

static size_t found(struct shop_fixture *s, struct payment_case_list list, int64_t *ret_first)
{
    list.before_id = ID_MAX + 1;
    list.limit = 20;
    assert_int_equal(payment_case_list(s->store, s->arena, &list), ERR_OK);
    *ret_first = list.n ? list.cases[0].payment.id : 0;
    return list.n;
}

static void test_list__filters(void **state)
{
    struct shop_fixture *s = *state;
    int64_t ada = shop_user(s, "ada@example.com"), bo = shop_user(s, "bo@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 99), first;
    int64_t bad = flagged(s, ada, rice);
    int64_t order_id = pay_order(s, bo, rice, 1);
    int64_t paid = pay_read_order(s, order_id).payment_id;
    struct order_set_status cancel = {.order_id = order_id,
                                      .to = ORDER_CANCELLED,
                                      .actor = ACTOR_ADMIN,
                                      .now_ms = SHOP_NOW_MS,
                                      .problem = &s->problem};
    assert_int_equal(shop_write(s, order_set_status, &cancel), ERR_OK);
    pay_cart(s, ada, rice, 1);
    int64_t open = pay_pending(s, ada);

    assert_int_equal(found(s, (struct payment_case_list){0}, &first), 3);
    assert_int_equal(first, open);
    assert_int_equal(found(s, (struct payment_case_list){.attention = PAYMENT_WITH}, &first), 1);
    assert_int_equal(first, bad);
    assert_int_equal(found(s, (struct payment_case_list){.attention = PAYMENT_WITHOUT}, &first), 2);
    assert_int_equal(found(s, (struct payment_case_list){.refund = PAYMENT_WITH}, &first), 1);
    assert_int_equal(first, paid);
    assert_int_equal(found(s, (struct payment_case_list){.refund = PAYMENT_WITHOUT}, &first), 2);
    assert_int_equal(
        found(s, (struct payment_case_list){.refund = PAYMENT_WITH, .attention = PAYMENT_WITH},
              &first),
        0);
    assert_int_equal(found(s, (struct payment_case_list){.needle = STR("ada@")}, &first), 2);
    assert_int_equal(
        found(s, (struct payment_case_list){.needle = STR("ada@"), .attention = PAYMENT_WITH},
              &first),
        1);
    assert_int_equal(
        found(s, (struct payment_case_list){.needle = STR("bo@"), .attention = PAYMENT_WITH},
              &first),
        0);
    /* By the payment's id and by the order's, which may be two payments. */
    assert_true(
        found(s, (struct payment_case_list){.needle = STR("99999"), .number = paid}, &first) >= 1);
    assert_int_equal(first, paid);

    struct payment_case_list pending = {.status = STR("pending"), .now_ms = SHOP_NOW_MS};
    struct payment_case_list expired = {.status = STR("expired"), .now_ms = SHOP_NOW_MS};
    assert_int_equal(found(s, pending, &first), 1);
    assert_int_equal(found(s, expired, &first), 0);
    /* It counts as expired at once, swept or not. */
    pending.now_ms = expired.now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
    assert_int_equal(found(s, pending, &first), 0);
    assert_int_equal(found(s, expired, &first), 1);
    assert_int_equal(first, open);
}

/* What is asked for may be slices away from the newest. */
static void test_list__looks_through_slices(void **state)
{
    static const char more[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3) "
        "INSERT INTO payments (user_id, status, amount, currency, provider, remote, nonce, "
        "fulfilment, held, expires_at, created_at, updated_at) SELECT $1, 'failed', 0, 'NGN', "
        "'test', 0, $4, 'pickup', 0, $2, $2, $2 FROM n";
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.com"), rice = shop_food(s, "Rice", 250, 99);
    int64_t old[3];

    for (int i = 0; i < 3; i++) {
        pay_cart(s, user, rice, 1);
        old[i] = pay_pending(s, user);
        assert_int_equal(pay_give_up(s, old[i], user, SHOP_NOW_MS), ERR_OK);
    }
    shop_sql(s, more,
             SQL_ARGS(sql_int(user), sql_int(SHOP_NOW_MS), sql_int(2 * PAYMENT_SLICE + 10),
                      sql_blob(STR("nonce"))));
    struct payment_case_list list = {
        .before_id = ID_MAX + 1, .limit = 2, .status = STR("cancelled")};
    assert_int_equal(payment_case_list(s->store, s->arena, &list), ERR_OK);
    assert_int_equal(list.n, 2);
    assert_true(list.more);
    assert_int_equal(list.cases[0].payment.id, old[2]);
    assert_int_equal(list.cases[1].payment.id, old[1]);
    assert_int_equal(list.cases[1].n_lines, 1);
    list.before_id = old[1];
    assert_int_equal(payment_case_list(s->store, s->arena, &list), ERR_OK);
    assert_int_equal(list.n, 1);
    assert_false(list.more);
    list.status = STR("paid");
    list.before_id = ID_MAX + 1;
    assert_int_equal(payment_case_list(s->store, s->arena, &list), ERR_OK);
    assert_int_equal(list.n, 0);
    shop_sql(s, "DELETE FROM payments WHERE status = 'failed'", SQL_NO_ARGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_resolve__keeps_the_reason_and_gives_it_back),
        PAY_TEST(test_resolve__said_again_changes_nothing),
        PAY_TEST(test_resolve__a_note_alone_resolves_nothing),
        PAY_TEST(test_resolve__not_what_came_since_it_was_seen),
        PAY_TEST(test_resolve__nothing_to_resolve),
        PAY_TEST(test_resolve__a_refund),
        PAY_TEST(test_resolve__money_again_is_flagged_again),
        PAY_TEST(test_resolve__late_money_makes_no_order_after_it),
        PAY_TEST(test_resolve__an_order_after_all_clears_the_flag),
        PAY_TEST(test_resolve__ends_one_that_is_at_a_provider),
        PAY_TEST(test_list__filters),
        PAY_TEST(test_list__looks_through_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
