/* What time alone makes due, in slices. */
#include "pay_fixture.h"

#include <stdio.h>

#include "store/sweep.h"

#define AFTER_MS (SHOP_NOW_MS + PAY_HOLD_MS)

static void sweep_all(struct shop_fixture *s, int64_t now_ms, int slices)
{
    struct sweep_payments sweep = {.now_ms = now_ms, .more = true};
    int n = 0;
    for (; sweep.more; n++)
        assert_int_equal(shop_write(s, sweep_payments, &sweep), ERR_OK);
    assert_int_equal(n, slices);
}

static bool is_due(struct shop_fixture *s, int64_t now_ms, bool calls)
{
    struct sweep_due due = {.now_ms = now_ms, .provider = STR("test")};
    assert_int_equal(shop_read_tx(s, sweep_due, &due), ERR_OK);
    return calls ? due.calls : due.payments;
}

static void test_sweep__releases_expired_holds(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 1000), ids[SWEEP_PAYMENTS + 1];

    for (size_t i = 0; i < SWEEP_PAYMENTS + 1; i++) {
        char email[40];
        snprintf(email, sizeof email, "u%zu@example.com", i);
        int64_t user = shop_user(s, email);
        pay_cart(s, user, rice, 2);
        ids[i] = pay_pending(s, user);
    }
    assert_false(is_due(s, SHOP_NOW_MS + PAY_HOLD_MS - 1, false));
    sweep_all(s, SHOP_NOW_MS + PAY_HOLD_MS - 1, 1);
    assert_int_equal(shop_taken(s, rice), 2 * (SWEEP_PAYMENTS + 1));
    assert_true(is_due(s, SHOP_NOW_MS + PAY_HOLD_MS, false));
    sweep_all(s, SHOP_NOW_MS + PAY_HOLD_MS, 2);
    assert_false(is_due(s, SHOP_NOW_MS + PAY_HOLD_MS, false));
    assert_int_equal(shop_stock(s, rice), 1000);
    assert_int_equal(shop_taken(s, rice), 0);
    for (size_t i = 0; i < SWEEP_PAYMENTS + 1; i++)
        assert_status(pay_read(s, ids[i]), PAYMENT_EXPIRED);
}

static void test_sweep__remote_ones_wait_for_their_provider(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 5);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_remote(s, user);
    pay_news(s, id, PAYMENT_NEWS_OPEN, SHOP_NOW_MS);
    sweep_all(s, SHOP_NOW_MS + PAY_HOLD_MS, 1);
    assert_status(pay_read(s, id), PAYMENT_CANCELLING);
    assert_int_equal(pay_read(s, id).cancel_to, PAYMENT_EXPIRED);
    assert_int_equal(shop_stock(s, rice), 3);
    assert_int_not_equal(pay_remote(s, user), id);
    pay_news(s, id, PAYMENT_NEWS_CLOSED, SHOP_NOW_MS + PAY_HOLD_MS);
    assert_status(pay_read(s, id), PAYMENT_EXPIRED);
    assert_int_equal(shop_stock(s, rice), 3);
}

static size_t claim(struct shop_fixture *s, int64_t now_ms, int64_t ret_ids[static SWEEP_CALLS])
{
    struct sweep_calls calls = {
        .now_ms = now_ms,
        .claim_until_ms = now_ms + PAYMENT_CLAIM_MS,
        .provider = STR("test"),
    };
    assert_int_equal(shop_write(s, sweep_calls, &calls), ERR_OK);
    for (size_t i = 0; i < calls.n; i++) {
        assert_true(calls.payments[i].claimed_until_ms == now_ms + PAYMENT_CLAIM_MS);
        ret_ids[i] = calls.payments[i].id;
    }
    return calls.n;
}

static void test_sweep__claims_calls(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 50), ids[SWEEP_CALLS];
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t c = shop_user(s, "c@example.com"), now_ms = SHOP_NOW_MS;

    pay_cart(s, a, rice, 1);
    pay_cart(s, b, rice, 1);
    pay_cart(s, c, rice, 1);
    pay_pending(s, c); /* local: nobody is to be asked */
    int64_t creating = pay_remote(s, a), pending = pay_remote(s, b);
    struct payment_news news = {
        .payment_id = pending,
        .kind = PAYMENT_NEWS_OPEN,
        .now_ms = now_ms,
        .next_call_at_ms = now_ms + PAYMENT_LOOK_MS,
    };
    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);

    assert_false(is_due(s, now_ms, true));
    assert_int_equal(claim(s, now_ms, ids), 0); /* one is being created, one was heard of */
    now_ms += PAYMENT_LOOK_MS;
    assert_true(is_due(s, now_ms, true));
    assert_int_equal(claim(s, now_ms, ids), 1);
    assert_int_equal(ids[0], pending);
    assert_int_equal(claim(s, now_ms, ids), 0);

    /* The one who was creating has died: his claim runs out. */
    now_ms = SHOP_NOW_MS + PAYMENT_CLAIM_MS;
    assert_int_equal(claim(s, now_ms, ids), 1);
    assert_int_equal(ids[0], creating);
    now_ms += PAYMENT_LOOK_MS;
    assert_int_equal(claim(s, now_ms, ids), 1);
    assert_int_equal(ids[0], pending);

    /* Given up: it is asked to be cancelled at once. */
    struct payment_unclaim unclaim = {
        .payment_id = pending,
        .claimed_until_ms = now_ms + PAYMENT_CLAIM_MS,
        .next_at_ms = now_ms,
        .now_ms = now_ms,
    };
    assert_int_equal(shop_write(s, payment_unclaim, &unclaim), ERR_OK);
    assert_int_equal(pay_give_up(s, pending, b, now_ms), ERR_OK);
    assert_int_equal(claim(s, now_ms, ids), 1);
    assert_int_equal(ids[0], pending);
    assert_status(pay_read(s, pending), PAYMENT_CANCELLING);
}

/* ---- Old rows ---- */

static int64_t count(struct shop_fixture *s, const char *sql)
{
    return shop_sql(s, sql, SQL_NO_ARGS);
}

static void test_sweep__forgets_old_rows(void **state)
{
    static const char keys[] = "INSERT INTO idempotency_keys (user_id, path, key, body_hash, "
                               "created_at) VALUES ($1, '/', $2, $3, $4)";
    static const char sessions[] = "INSERT INTO sessions (token_hash, user_id, created_at, "
                                   "used_at, expires_at) VALUES ($1, $2, 0, 0, $3)";
    static const char attempts[] = "INSERT INTO attempts (scope, subject, at) VALUES "
                                   "('x', $1, $2)";
    static const char mails[] =
        "INSERT INTO outbox (recipient, subject, status, next_at, created_at, done_at) "
        "VALUES ('', '', $1, 0, 0, $2)";
    static const char n_keys[] = "SELECT count(*) FROM idempotency_keys",
                      n_sessions[] = "SELECT count(*) FROM sessions",
                      n_attempts[] = "SELECT count(*) FROM attempts",
                      n_mails[] = "SELECT count(*) FROM outbox";
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), now_ms = SHOP_NOW_MS;
    struct sql_value blob = sql_blob(STR("x"));

    for (int i = 0; i < SWEEP_ROWS + 1; i++) {
        char key[20];
        snprintf(key, sizeof key, "k%d", i);
        shop_sql(
            s, keys,
            SQL_ARGS(sql_int(user), sql_text(str_from(key)), blob, sql_int(now_ms - DAY_MS - 1)));
    }
    shop_sql(s, keys,
             SQL_ARGS(sql_int(user), sql_text(STR("live")), blob, sql_int(now_ms - DAY_MS)));
    shop_sql(s, sessions, SQL_ARGS(sql_blob(STR("1")), sql_int(user), sql_int(now_ms - 1)));
    shop_sql(s, sessions, SQL_ARGS(sql_blob(STR("2")), sql_int(user), sql_int(now_ms + 1)));
    shop_sql(s, attempts, SQL_ARGS(blob, sql_int(now_ms - HOUR_MS - 1)));
    shop_sql(s, attempts, SQL_ARGS(blob, sql_int(now_ms - HOUR_MS)));
    shop_sql(s, mails, SQL_ARGS(sql_text(STR("sent")), sql_int(now_ms - 8 * DAY_MS)));
    shop_sql(s, mails, SQL_ARGS(sql_text(STR("sent")), sql_int(now_ms - 6 * DAY_MS)));
    shop_sql(s, mails, SQL_ARGS(sql_text(STR("waiting")), sql_null()));

    struct sweep_old sweep = {.now_ms = now_ms};
    assert_int_equal(shop_write(s, sweep_old, &sweep), ERR_OK);
    assert_true(sweep.more);
    while (sweep.more)
        assert_int_equal(shop_write(s, sweep_old, &sweep), ERR_OK);
    assert_int_equal(count(s, n_keys), 1);
    assert_int_equal(count(s, n_sessions), 1);
    assert_int_equal(count(s, n_attempts), 1);
    assert_int_equal(count(s, n_mails), 2);
}

/* Changes one row and holds it until it is told to go on. */
struct renewal {
    struct gate gate;
    const char *sql;
};

static enum err renew(struct tx *tx, void *arg)
{
    struct renewal *renewal = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, renewal->sql, SQL_ARGS(sql_int(SHOP_NOW_MS + 1)), &rows);
    sem_post(&renewal->gate.entered);
    sem_wait(&renewal->gate.leave);
    return err;
}

static enum err is_anybody_waiting(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT count(*) FROM pg_stat_activity WHERE "
                              "datname = current_database() AND wait_event_type = 'Lock'";
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_NO_ARGS, &rows);
    *(int64_t *)arg = err ? 0 : sql_get_int(&rows, 0, 0);
    return err;
}

static void sweep_while_renewed(struct shop_fixture *s, const char *renew_sql)
{
    struct renewal renewal = {.sql = renew_sql};
    struct sweep_old sweep = {.now_ms = SHOP_NOW_MS};
    struct writing renewing = {s->store, renew, &renewal, ERR_INTERNAL, 0};
    struct writing sweeping = {s->store, sweep_old, &sweep, ERR_INTERNAL, 0};
    int64_t waiting = 0;

    gate_init(&renewal.gate);
    writing_start(&renewing);
    sem_wait(&renewal.gate.entered);
    writing_start(&sweeping);
    while (waiting == 0)
        assert_int_equal(shop_read_tx(s, is_anybody_waiting, &waiting), ERR_OK);
    sem_post(&renewal.gate.leave);
    assert_int_equal(writing_finish(&renewing), ERR_OK);
    assert_int_equal(writing_finish(&sweeping), ERR_OK);
}

/* A session that was just prolonged ended, and an order that was sent again came twice. */
static void test_sweep__keeps_what_is_renewed_meanwhile(void **state)
{
    static const char session[] = "INSERT INTO sessions (token_hash, user_id, created_at, used_at, "
                                  "expires_at) VALUES ($1, $2, 0, 0, $3)";
    static const char key[] = "INSERT INTO idempotency_keys (user_id, path, key, body_hash, "
                              "created_at) VALUES ($1, '/', 'k', $2, 0)";
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com");
    struct sql_value blob = sql_blob(STR("x"));

    if (!database_on_postgresql())
        return; /* nobody writes meanwhile */
    shop_sql(s, session, SQL_ARGS(blob, sql_int(user), sql_int(SHOP_NOW_MS - 1)));
    sweep_while_renewed(s, "UPDATE sessions SET expires_at = $1 RETURNING id");
    assert_int_equal(count(s, "SELECT count(*) FROM sessions"), 1);
    shop_sql(s, key, SQL_ARGS(sql_int(user), blob));
    sweep_while_renewed(s, "UPDATE idempotency_keys SET created_at = $1 RETURNING 1");
    assert_int_equal(count(s, "SELECT count(*) FROM idempotency_keys"), 1);
}

/* ---- A provider that is no longer configured ---- */

/* What is done now, without a remote provider; how many payments it flagged or closed. */
static size_t give_up(struct shop_fixture *s, int64_t now_ms)
{
    struct sweep_gone sweep = {.now_ms = now_ms, .provider = STR(""), .more = true};
    size_t n = 0;
    while (sweep.more) {
        assert_int_equal(shop_write(s, sweep_gone, &sweep), ERR_OK);
        n += sweep.n;
    }
    return n;
}

static bool any_gone(struct shop_fixture *s, const char *provider, int64_t now_ms)
{
    struct sweep_due due = {.now_ms = now_ms, .provider = str_from(provider)};
    assert_int_equal(shop_read_tx(s, sweep_due, &due), ERR_OK);
    return due.gone;
}

static int64_t count_gone(struct shop_fixture *s, const char *provider)
{
    struct sweep_gone_count count = {.provider = str_from(provider)};
    assert_int_equal(shop_read_tx(s, sweep_gone_count, &count), ERR_OK);
    return count.n > 0 ? count.providers[0].payments : 0;
}

/* Their holds were kept for ever, in cancelling, without a line in the log. */
static void test_sweep__holds_of_a_provider_that_is_gone_end(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t c = shop_user(s, "c@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, a, rice, 1);
    pay_cart(s, b, rice, 2);
    pay_cart(s, c, rice, 3);
    int64_t local = pay_pending(s, c);
    int64_t given_up = pay_remote(s, a), pending = pay_remote(s, b);
    pay_news(s, pending, PAYMENT_NEWS_OPEN, SHOP_NOW_MS);
    assert_int_equal(pay_give_up(s, given_up, a, SHOP_NOW_MS), ERR_OK);
    assert_int_equal(count_gone(s, "test"), 0);
    assert_int_equal(count_gone(s, ""), 2);
    assert_false(any_gone(s, "", AFTER_MS - 1));
    assert_int_equal(give_up(s, AFTER_MS - 1), 0);

    assert_false(any_gone(s, "test", AFTER_MS));
    assert_true(any_gone(s, "", AFTER_MS));
    assert_int_equal(give_up(s, AFTER_MS), 2);
    assert_int_equal(give_up(s, AFTER_MS), 0); /* said once */
    assert_false(any_gone(s, "", AFTER_MS));
    assert_status(pay_read(s, pending), PAYMENT_CANCELLING);
    assert_true(str_is(pay_read(s, pending).needs_attention, "provider_gone"));
    assert_true(str_is(pay_read(s, given_up).needs_attention, "provider_gone"));
    assert_int_equal(shop_taken(s, rice), 6);

    assert_false(any_gone(s, "", AFTER_MS + PROVIDER_GONE_MS - 1));
    assert_true(any_gone(s, "", AFTER_MS + PROVIDER_GONE_MS));
    assert_int_equal(give_up(s, AFTER_MS + PROVIDER_GONE_MS), 2);
    assert_status(pay_read(s, pending), PAYMENT_EXPIRED);
    assert_status(pay_read(s, given_up), PAYMENT_CANCELLED);
    assert_true(str_is(pay_read(s, pending).needs_attention, "provider_gone"));
    assert_status(pay_read(s, local), PAYMENT_PENDING); /* not its business */
    assert_int_equal(shop_taken(s, rice), 3);
    assert_int_equal(shop_stock(s, rice), 6);
}

/* Whether the shop was shut or busy meanwhile: one that is long over is closed at once. */
static void test_sweep__a_provider_long_gone(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t id = pay_remote(s, user);
    assert_int_equal(give_up(s, AFTER_MS + PROVIDER_GONE_MS), 1);
    assert_status(pay_read(s, id), PAYMENT_EXPIRED);
    assert_true(str_is(pay_read(s, id).needs_attention, "provider_gone"));
    assert_int_equal(shop_stock(s, rice), 9);
}

static void test_sweep__a_provider_that_comes_back_has_the_word(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);
    int64_t ids[SWEEP_CALLS];

    pay_cart(s, user, rice, 2);
    int64_t id = pay_remote(s, user);
    assert_int_equal(give_up(s, AFTER_MS), 1);
    assert_int_equal(claim(s, AFTER_MS + PAYMENT_CLAIM_MS, ids), 1);
    assert_int_equal(ids[0], id);
    struct payment p = pay_news(s, id, PAYMENT_NEWS_CLOSED, AFTER_MS + PAYMENT_CLAIM_MS);
    assert_status(p, PAYMENT_EXPIRED);
    assert_null(p.needs_attention.ptr);
    assert_int_equal(shop_stock(s, rice), 9);
}

/* Placing again where nobody can be asked gave the customer the dead payment again. */
static void test_sweep__a_payment_of_another_provider_is_replaced(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 9);

    pay_cart(s, user, rice, 2);
    int64_t old = pay_remote(s, user);
    int64_t next = pay_pending(s, user);
    assert_int_not_equal(next, old);
    assert_status(pay_read(s, old), PAYMENT_CANCELLING);
    struct place place = pay_placing(s, user);
    place.provider = STR("manual");
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_not_equal(place.payment.id, next);
    assert_status(pay_read(s, next), PAYMENT_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_sweep__releases_expired_holds),
        PAY_TEST(test_sweep__remote_ones_wait_for_their_provider),
        PAY_TEST(test_sweep__claims_calls),
        PAY_TEST(test_sweep__forgets_old_rows),
        SHOP_TEST_AS(test_sweep__keeps_what_is_renewed_meanwhile, "", shop_setup, pay_teardown),
        PAY_TEST(test_sweep__holds_of_a_provider_that_is_gone_end),
        PAY_TEST(test_sweep__a_provider_long_gone),
        PAY_TEST(test_sweep__a_provider_that_comes_back_has_the_word),
        PAY_TEST(test_sweep__a_payment_of_another_provider_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
