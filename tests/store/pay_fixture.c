#include "pay_fixture.h"

#include "store/check.h"

#include <stdio.h>

static void report(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)ctx;
    fprintf(stderr, "breach of %s by %lld: %s\n", rule, (long long)id, detail);
}

int pay_teardown(void **state)
{
    struct shop_fixture *s = *state;
    struct store_check_counts counts;
    enum err err = store_check(s->store, report, NULL, NULL, &counts);
    int rc = shop_teardown(state);
    return err || counts.breaches > 0 ? -1 : rc;
}

/* ---- Carts ---- */

static enum err run_cart_set(struct tx *tx, void *arg)
{
    return cart_set(tx, arg);
}

void pay_cart(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity)
{
    static int64_t revision;
    static const char touch[] =
        "UPDATE cart_items SET revision = $3 WHERE user_id = $1 AND food_id = $2";
    struct cart_edit edit = {
        .user_id = user_id,
        .food_id = food_id,
        .quantity = quantity,
        .revision = ++revision,
        .now_ms = SHOP_NOW_MS,
        .problem = &s->problem,
    };
    assert_int_equal(shop_write(s, run_cart_set, &edit), ERR_OK);
    shop_sql(s, touch, SQL_ARGS(sql_int(user_id), sql_int(food_id), sql_int(revision)));
}

int64_t pay_cart_quantity(struct shop_fixture *s, int64_t user_id, int64_t food_id)
{
    static const char sql[] = "SELECT quantity FROM cart_items WHERE user_id = $1 AND food_id = $2";
    return shop_sql(s, sql, SQL_ARGS(sql_int(user_id), sql_int(food_id)));
}

/* ---- Placing ---- */

struct place pay_placing(struct shop_fixture *s, int64_t user_id)
{
    return (struct place){
        .user_id = user_id,
        .now_ms = SHOP_NOW_MS,
        .provider = STR("test"),
        .hold_ms = PAY_HOLD_MS,
        .nonce = "0123456789abcde",
        .problem = &s->problem,
    };
}

static enum err run_place(struct tx *tx, void *arg)
{
    return place_order(tx, arg);
}

enum err pay_place(struct shop_fixture *s, struct place *place)
{
    return shop_write(s, run_place, place);
}

struct again {
    int64_t payment_id;
    struct place *place;
};

static enum err run_again(struct tx *tx, void *arg)
{
    const struct again *again = arg;
    return place_again(tx, again->payment_id, again->place);
}

enum err pay_again(struct shop_fixture *s, int64_t payment_id, struct place *place)
{
    struct again again = {payment_id, place};
    return shop_write(s, run_again, &again);
}

int64_t pay_pending(struct shop_fixture *s, int64_t user_id)
{
    struct place place = pay_placing(s, user_id);
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_PAYMENT);
    assert_status(place.payment, PAYMENT_PENDING);
    return place.payment.id;
}

int64_t pay_remote(struct shop_fixture *s, int64_t user_id)
{
    struct place place = pay_placing(s, user_id);
    place.remote = true;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    assert_int_equal(place.outcome, PLACE_CREATE);
    assert_status(place.payment, PAYMENT_CREATING);
    return place.payment.id;
}

/* ---- Payments ---- */

struct found {
    int64_t id;
    struct payment payment;
};

static enum err run_find(struct tx *tx, void *arg)
{
    struct found *found = arg;
    return payment_find(tx, found->id, &found->payment);
}

struct payment pay_read(struct shop_fixture *s, int64_t payment_id)
{
    struct found found = {.id = payment_id};
    assert_int_equal(shop_read_tx(s, run_find, &found), ERR_OK);
    assert_int_equal(found.payment.id, payment_id);
    return found.payment;
}

struct payment pay_news(struct shop_fixture *s, int64_t payment_id, enum payment_news_kind kind,
                        int64_t now_ms)
{
    struct payment_news news = {
        .payment_id = payment_id,
        .kind = kind,
        .now_ms = now_ms,
        .problem = &s->problem,
    };
    assert_int_equal(shop_write(s, payment_news, &news), ERR_OK);
    struct payment stored = pay_read(s, payment_id);
    assert_status(stored, news.payment.status);
    assert_int_equal(stored.order_id, news.payment.order_id);
    return stored;
}

struct payment pay_paid(struct shop_fixture *s, int64_t payment_id)
{
    return pay_news(s, payment_id, PAYMENT_NEWS_PAID, SHOP_NOW_MS);
}

enum err pay_give_up(struct shop_fixture *s, int64_t payment_id, int64_t user_id, int64_t now_ms)
{
    struct payment_give_up give_up = {
        .payment_id = payment_id,
        .user_id = user_id,
        .now_ms = now_ms,
        .problem = &s->problem,
    };
    return shop_write(s, payment_give_up, &give_up);
}

/* ---- Orders ---- */

int64_t pay_order(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity)
{
    pay_cart(s, user_id, food_id, quantity);
    struct payment payment = pay_paid(s, pay_pending(s, user_id));
    assert_status(payment, PAYMENT_PAID);
    assert_true(payment.order_id > 0);
    return payment.order_id;
}

struct order pay_read_order(struct shop_fixture *s, int64_t order_id)
{
    struct order_read read = {.order_id = order_id};
    assert_int_equal(shop_read_tx(s, order_read, &read), ERR_OK);
    assert_true(read.found);
    return read.order;
}

int64_t pay_count_orders(struct shop_fixture *s)
{
    static const char sql[] = "SELECT count(*) FROM orders";
    return shop_sql(s, sql, SQL_NO_ARGS);
}

void pay_at_once(struct shop_fixture *s, tx_fn *fn, void *args, size_t arg_size, size_t n,
                 enum err *ret_results)
{
    struct writing *writings = calloc(n, sizeof *writings);
    struct gate gate;
    /* On SQLite all wait behind one transaction, so that they come in one group; on PostgreSQL each
     * is on a connection of its own. */
    struct writing holder = {.store = s->store, .fn = gate_hold, .arg = &gate};
    bool grouped = !database_on_postgresql();

    gate_init(&gate);
    if (grouped) {
        writing_start(&holder);
        sem_wait(&gate.entered);
    }
    for (size_t i = 0; i < n; i++) {
        writings[i] =
            (struct writing){.store = s->store, .fn = fn, .arg = (char *)args + i * arg_size};
        writing_start(&writings[i]);
    }
    if (grouped) {
        wait_queued(s->store, (int64_t)n);
        sem_post(&gate.leave);
        sem_post(&gate.leave); /* it may run twice */
        assert_int_equal(writing_finish(&holder), ERR_OK);
    }
    for (size_t i = 0; i < n; i++)
        ret_results[i] = writing_finish(&writings[i]);
    free(writings);
}
