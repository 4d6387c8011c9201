/* Two who write one payment at the same time, as an engine with several writers lets them: a copy
 * that is old is never written, and every change is made under its owner's lock. The linker wraps
 * the verbs (see meson.build), so that locks can be seen on an engine that needs none. */
#include "pay_fixture.h"

#include "store/payment_event.h"
#include "store/payment_row.h"
#include "store/sweep.h"

#include <string.h>

/* ---- An old copy ---- */

struct flagging {
    struct payment old; /* read by another transaction, some time ago */
    int runs;
};

/* What flags a duplicate payment: the first time it still has the old copy. */
static enum err run_flag(struct tx *tx, void *arg)
{
    struct flagging *flagging = arg;
    struct payment p = flagging->old;
    enum err err = ERR_OK;
    if (flagging->runs++ > 0)
        err = payment_find(tx, flagging->old.id, &p);
    p.needs_attention = STR("paid_amount_mismatch");
    if (!err)
        err = payment_save(tx, &p, SHOP_NOW_MS + 2);
    return err ? err
               : payment_event_add(tx, &(struct payment_event_new){
                                           .payment_id = p.id,
                                           .reason = p.needs_attention,
                                           .at_ms = SHOP_NOW_MS + 2,
                                       });
}

static void test_payment__a_refund_is_not_overwritten_by_an_older_copy(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t order_id = pay_order(s, user, rice, 2);
    struct flagging flagging = {.old = pay_read(s, pay_read_order(s, order_id).payment_id)};
    struct order_set_status cancel = {
        .order_id = order_id,
        .to = ORDER_CANCELLED,
        .actor = ACTOR_ADMIN,
        .now_ms = SHOP_NOW_MS + 1,
        .problem = &s->problem,
    };

    assert_int_equal(shop_write(s, order_set_status, &cancel), ERR_OK);
    assert_int_equal(shop_write(s, run_flag, &flagging), ERR_OK);
    assert_int_equal(flagging.runs, 2);
    struct payment p = pay_read(s, flagging.old.id);
    assert_true(p.refund_due);
    assert_true(str_is(p.needs_attention, "paid_amount_mismatch"));
    assert_int_equal(p.version, flagging.old.version + 2);
}

/* Who has lost his claim meanwhile does not write over the one of another. */
static void test_payment__unclaiming_makes_copies_old(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    struct payment p = pay_read(s, pay_remote(s, user));
    struct payment_unclaim unclaim = {
        .payment_id = p.id,
        .user_id = user,
        .claimed_until_ms = p.claimed_until_ms,
        .next_at_ms = SHOP_NOW_MS + 7,
        .now_ms = SHOP_NOW_MS,
    };
    assert_int_equal(shop_write(s, payment_unclaim, &unclaim), ERR_OK);
    assert_int_equal(pay_read(s, p.id).claimed_until_ms, SHOP_NOW_MS + 7);
    assert_int_equal(pay_read(s, p.id).version, p.version + 1);
}

/* ---- Locks ---- */

enum { LOCKS_MAX = 200 };

static struct {
    const struct tx *tx;
    int64_t users[LOCKS_MAX];
    size_t n;
    int64_t last;
    bool falling; /* not by rising id */
    int changes, unlocked;
    bool watching;
} locks;

enum err __real_tx_lock_user(struct tx *tx, int64_t user_id);
enum err __wrap_tx_lock_user(struct tx *tx, int64_t user_id);
enum err __real_tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args);
enum err __wrap_tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args);

enum err __wrap_tx_lock_user(struct tx *tx, int64_t user_id)
{
    if (locks.watching) {
        assert_true(locks.n < LOCKS_MAX);
        locks.falling = locks.falling || user_id < locks.last;
        locks.last = user_id;
        locks.users[locks.n++] = user_id;
    }
    return __real_tx_lock_user(tx, user_id);
}

static bool is_locked(int64_t user_id)
{
    for (size_t i = 0; i < locks.n; i++)
        if (locks.users[i] == user_id)
            return true;
    return false;
}

/* $1 of every such statement is the row's id. */
static enum err check_lock(struct tx *tx, const char *owner_sql, const struct sql_args *args)
{
    struct sql_rows rows;
    enum err err = tx_ask(tx, owner_sql, SQL_ARGS(args->values[0]), &rows);
    if (err || rows.n == 0)
        return err;
    locks.changes++;
    locks.unlocked += !is_locked(sql_get_int(&rows, 0, 0));
    return ERR_OK;
}

enum err __wrap_tx_post(struct tx *tx, int64_t n_changed, const char *sql, struct sql_args args)
{
    static const char of_payment[] = "SELECT user_id FROM payments WHERE id = $1";
    static const char of_order[] = "SELECT user_id FROM orders WHERE id = $1";
    enum err err = ERR_OK;
    if (locks.watching && strncmp(sql, "UPDATE payments ", 16) == 0)
        err = check_lock(tx, of_payment, &args);
    if (locks.watching && strncmp(sql, "UPDATE orders ", 14) == 0)
        err = check_lock(tx, of_order, &args);
    return err ? err : __real_tx_post(tx, n_changed, sql, args);
}

struct watched {
    tx_fn *fn;
    void *arg;
    int64_t caller_id; /* locked already, as by every call of the API; 0: none */
};

static enum err run_watched(struct tx *tx, void *arg)
{
    const struct watched *watched = arg;
    locks.n = 0;
    locks.last = 0;
    locks.watching = true;
    enum err err = watched->caller_id ? tx_lock_user(tx, watched->caller_id) : ERR_OK;
    locks.last = 0;
    if (!err)
        err = watched->fn(tx, watched->arg);
    locks.watching = false;
    return err;
}

/* Changes that many payments and orders (in each of its runs), all of them locked. */
static void assert_locked(struct shop_fixture *s, tx_fn *fn, void *arg, int64_t caller_id,
                          int changes)
{
    struct watched watched = {fn, arg, caller_id};
    locks.changes = locks.unlocked = 0;
    locks.falling = false;
    assert_int_equal(shop_write(s, run_watched, &watched), ERR_OK);
    assert_true(locks.changes > 0 && locks.changes % changes == 0);
    assert_int_equal(locks.unlocked, 0);
    assert_false(locks.falling);
}

static void test_payment__news_lock_the_owner(void **state)
{
    struct shop_fixture *s = *state;
    int64_t admin = shop_user(s, "admin@example.com"), user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 9);
    struct payment_news paid = {.kind = PAYMENT_NEWS_PAID, .now_ms = SHOP_NOW_MS};
    struct payment_simulate simulate = {
        .now_ms = SHOP_NOW_MS, .outcome = STR("failed"), .problem = &s->problem};
    struct order_set_status cancel = {.to = ORDER_CANCELLED,
                                      .actor = ACTOR_ADMIN,
                                      .actor_id = admin,
                                      .now_ms = SHOP_NOW_MS,
                                      .problem = &s->problem};

    pay_cart(s, user, rice, 2);
    paid.payment_id = pay_pending(s, user);
    assert_locked(s, payment_news, &paid, 0, 1);
    cancel.order_id = paid.payment.order_id;
    assert_locked(s, order_set_status, &cancel, admin, 2);
    pay_cart(s, user, rice, 2);
    simulate.payment_id = pay_pending(s, user);
    assert_locked(s, payment_simulate, &simulate, admin, 1);
}

static void test_payment__the_sweeper_locks_the_owners_in_order(void **state)
{
    struct shop_fixture *s = *state;
    int64_t b = shop_user(s, "b@example.com"), a = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 9);
    struct sweep_calls calls = {.now_ms = SHOP_NOW_MS + PAYMENT_CLAIM_MS,
                                .claim_until_ms = SHOP_NOW_MS + 2 * PAYMENT_CLAIM_MS,
                                .provider = STR("test")};
    struct sweep_payments sweep = {.now_ms = SHOP_NOW_MS + PAY_HOLD_MS};
    struct sweep_gone gone = {.now_ms = SHOP_NOW_MS + PAY_HOLD_MS, .provider = STR("")};

    pay_cart(s, a, rice, 1);
    pay_cart(s, b, rice, 1);
    int64_t id = pay_remote(s, a); /* the first payment is of the later user */
    pay_remote(s, b);
    assert_locked(s, sweep_calls, &calls, 0, 2);
    struct payment_unclaim unclaim = {.payment_id = id,
                                      .user_id = a,
                                      .claimed_until_ms = calls.claim_until_ms,
                                      .now_ms = SHOP_NOW_MS};
    assert_locked(s, payment_unclaim, &unclaim, 0, 1);
    assert_locked(s, sweep_payments, &sweep, 0, 2);
    assert_locked(s, sweep_gone, &gone, 0, 2);
    gone.now_ms += PROVIDER_GONE_MS;
    assert_locked(s, sweep_gone, &gone, 0, 2);
}

static enum err run_place(struct tx *tx, void *arg)
{
    return place_order(tx, arg);
}

/* Whoever needs the units of others' forgotten holds. */
static void test_payment__releasing_others_locks_them(void **state)
{
    struct shop_fixture *s = *state;
    int64_t c = shop_user(s, "c@example.com"), b = shop_user(s, "b@example.com");
    int64_t a = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 2);

    pay_cart(s, a, rice, 1);
    pay_cart(s, b, rice, 1);
    pay_cart(s, c, rice, 2);
    pay_pending(s, a);
    pay_pending(s, b);
    struct place place = pay_placing(s, c);
    place.now_ms = SHOP_NOW_MS + PAY_HOLD_MS;
    assert_locked(s, run_place, &place, c, 2);
    assert_int_equal(shop_stock(s, rice), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* It counts its runs: once only. */
        SHOP_TEST_AS(test_payment__a_refund_is_not_overwritten_by_an_older_copy, "", shop_setup,
                     pay_teardown),
        PAY_TEST(test_payment__unclaiming_makes_copies_old),
        PAY_TEST(test_payment__news_lock_the_owner),
        PAY_TEST(test_payment__the_sweeper_locks_the_owners_in_order),
        PAY_TEST(test_payment__releasing_others_locks_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
