/* Orders: the lifecycle as it is stored, what goes with a change, and the lists. */
#include "pay_fixture.h"

#include "store/order_news.h"

#include <stdio.h>
#include <string.h>

/* ---- The lifecycle ---- */

static struct order_set_status change_to(struct shop_fixture *s, int64_t order_id,
                                         enum order_status to)
{
    return (struct order_set_status){
        .order_id = order_id,
        .to = to,
        .actor = ACTOR_ADMIN,
        .now_ms = SHOP_NOW_MS + 1,
        .problem = &s->problem,
    };
}

static void go(struct shop_fixture *s, int64_t order_id, enum order_status to)
{
    struct order_set_status change = change_to(s, order_id, to);
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
    assert_int_equal(change.order.status, to);
}

/* An order of two of the rice that has come to this status. */
static int64_t bring(struct shop_fixture *s, int64_t user, int64_t rice, enum fulfilment fulfilment,
                     enum order_status status)
{
    static const enum order_status way[] = {ORDER_CONFIRMED, ORDER_PREPARING, ORDER_READY};
    struct place place = pay_placing(s, user);

    pay_cart(s, user, rice, 2);
    place.fulfilment = fulfilment;
    place.address = fulfilment == FULFILMENT_DELIVERY ? STR("here") : STR_NONE;
    assert_int_equal(pay_place(s, &place), ERR_OK);
    int64_t id = pay_paid(s, place.payment.id).order_id;
    if (status == ORDER_CANCELLED) {
        go(s, id, ORDER_CANCELLED);
        return id;
    }
    for (size_t i = 0; i < 3 && status >= way[i]; i++)
        go(s, id, way[i]);
    if (fulfilment == FULFILMENT_DELIVERY && status >= ORDER_OUT_FOR_DELIVERY)
        go(s, id, ORDER_OUT_FOR_DELIVERY);
    if (status == ORDER_COMPLETED)
        go(s, id, ORDER_COMPLETED);
    return id;
}

static void check_pair(struct shop_fixture *s, int64_t user, int64_t rice, enum fulfilment way,
                       enum order_status from, enum order_status to)
{
    static const char drop[] = "UPDATE foods SET stock = 100 WHERE id = $1";
    shop_sql(s, drop, SQL_ARGS(sql_int(rice)));
    int64_t id = bring(s, user, rice, way, from);
    int64_t stock = shop_stock(s, rice), taken = shop_taken(s, rice);
    struct order before = pay_read_order(s, id);
    struct order_set_status change = change_to(s, id, to);
    bool allowed = order_may_go(from, to, way);
    bool returns = allowed && to == ORDER_CANCELLED && from <= ORDER_CONFIRMED;

    assert_int_equal(before.status, from);
    assert_int_equal(shop_write(s, order_set_status, &change), allowed ? ERR_OK : ERR_PROBLEM);
    if (!allowed) {
        assert_problem(s, PROBLEM_ILLEGAL_TRANSITION);
        assert_string_equal(s->problem.extras[0].key, "allowed");
    }
    struct order after = pay_read_order(s, id);
    assert_int_equal(after.status, allowed ? to : from);
    assert_int_equal(after.version, before.version + allowed);
    assert_int_equal(after.n_events, before.n_events + allowed);
    assert_int_equal(shop_stock(s, rice), stock + (returns ? 2 : 0));
    assert_int_equal(shop_taken(s, rice), taken - (returns ? 2 : 0));
    assert_int_equal(pay_read(s, after.payment_id).refund_due, after.status == ORDER_CANCELLED);
}

static void test_order__every_pair_of_statuses(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 100);

    for (size_t from = 0; from < ORDER_STATUSES; from++) {
        for (size_t to = 0; to < ORDER_STATUSES; to++) {
            check_pair(s, user, rice, FULFILMENT_DELIVERY, (enum order_status)from,
                       (enum order_status)to);
            if (from != ORDER_OUT_FOR_DELIVERY)
                check_pair(s, user, rice, FULFILMENT_PICKUP, (enum order_status)from,
                           (enum order_status)to);
        }
    }
}

static void test_order__says_what_is_allowed(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 100);
    int64_t id = bring(s, user, rice, FULFILMENT_PICKUP, ORDER_READY);
    struct order_set_status change = change_to(s, id, ORDER_OUT_FOR_DELIVERY);

    assert_int_equal(shop_write(s, order_set_status, &change), ERR_PROBLEM);
    assert_true(str_is(s->problem.extras[0].json, "[\"completed\",\"cancelled\"]"));
    go(s, id, ORDER_COMPLETED);
    change = change_to(s, id, ORDER_CANCELLED);
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_PROBLEM);
    assert_true(str_is(s->problem.extras[0].json, "[]"));
}

static void test_order__event_and_note(void **state)
{
    struct shop_fixture *s = *state;
    int64_t admin = shop_user(s, "admin@example.com"), user = shop_user(s, "a@example.com");
    int64_t rice = shop_food(s, "Rice", 250, 100);
    int64_t id = pay_order(s, user, rice, 1);
    struct order_set_status change = change_to(s, id, ORDER_CONFIRMED);

    change.note = STR("ten minutes");
    change.actor_id = admin;
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
    assert_int_equal(change.order.n_events, 2);
    const struct order_event *event = &change.order.events[1];
    assert_true(str_is(event->from, "pending"));
    assert_true(str_is(event->to, "confirmed"));
    assert_true(str_is(event->actor, "admin"));
    assert_true(str_is(event->note, "ten minutes"));
    assert_true(event->at_ms == SHOP_NOW_MS + 1);
    assert_true(change.order.updated_at_ms == SHOP_NOW_MS + 1);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_ORDER);
    assert_int_equal(s->events[0].id, id);
    assert_int_equal(s->events[0].user_id, user);
    assert_int_equal(s->events[0].event_id, event->id);
}

static void test_order__version(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 100);
    int64_t id = pay_order(s, user, rice, 1);
    struct order_set_status first = change_to(s, id, ORDER_CONFIRMED), second = first;

    first.version = second.version = 1;
    assert_int_equal(shop_write(s, order_set_status, &first), ERR_OK);
    assert_int_equal(first.order.version, 2);
    second.to = ORDER_CANCELLED;
    assert_int_equal(shop_write(s, order_set_status, &second), ERR_PROBLEM);
    assert_problem(s, PROBLEM_VERSION_CONFLICT);
    second.version = 2;
    assert_int_equal(shop_write(s, order_set_status, &second), ERR_OK);
    second.order_id = id + 1;
    assert_int_equal(shop_write(s, order_set_status, &second), ERR_PROBLEM);
    assert_problem(s, PROBLEM_NOT_FOUND);
}

enum { ADMINS = 10 };

static void test_order__two_admins_at_once(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), rice = shop_food(s, "Rice", 250, 100);
    int64_t id = pay_order(s, user, rice, 3);
    struct order_set_status changes[ADMINS];
    struct problem *problems = shop_problems(s, ADMINS);
    enum err results[ADMINS];
    int won = 0;

    for (size_t i = 0; i < ADMINS; i++) {
        changes[i] = change_to(s, id, ORDER_CANCELLED);
        changes[i].version = i % 2;
        changes[i].problem = &problems[i];
    }
    pay_at_once(s, order_set_status, changes, sizeof *changes, ADMINS, results);
    for (size_t i = 0; i < ADMINS; i++) {
        won += results[i] == ERR_OK;
        if (results[i])
            assert_int_equal(problems[i].code,
                             i % 2 ? PROBLEM_VERSION_CONFLICT : PROBLEM_ILLEGAL_TRANSITION);
    }
    assert_int_equal(won, 1);
    assert_int_equal(shop_stock(s, rice), 100);
    assert_int_equal(shop_taken(s, rice), 0);
    assert_int_equal(pay_read_order(s, id).n_events, 2);
}

static void test_order__free_one_owes_nothing(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), water = shop_food(s, "Water", 0, 5);
    static const char due[] = "SELECT count(*) FROM payments WHERE refund_due = 1";
    struct place place = pay_placing(s, user);

    pay_cart(s, user, water, 2);
    assert_int_equal(pay_place(s, &place), ERR_OK);
    go(s, place.order_id, ORDER_CANCELLED);
    assert_int_equal(shop_stock(s, water), 5);
    assert_int_equal(shop_sql(s, due, SQL_NO_ARGS), 0);
}

/* ---- Reading ---- */

static void test_order__is_its_owners(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "a@example.com"), other = shop_user(s, "b@example.com");
    struct order_read read = {.order_id = pay_order(s, user, shop_food(s, "Rice", 250, 9), 1)};

    read.user_id = other;
    assert_int_equal(shop_read_tx(s, order_read, &read), ERR_OK);
    assert_false(read.found);
    read.user_id = user;
    assert_int_equal(shop_read_tx(s, order_read, &read), ERR_OK);
    assert_true(read.found);
    read.user_id = 0;
    assert_int_equal(shop_read_tx(s, order_read, &read), ERR_OK);
    assert_true(read.found);
    assert_true(str_is(read.order.customer_email, "a@example.com"));
    read.order_id++;
    assert_int_equal(shop_read_tx(s, order_read, &read), ERR_OK);
    assert_false(read.found);
}

static void test_order__events_of(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 9);
    int64_t id = pay_order(s, shop_user(s, "a@example.com"), rice, 1);
    int64_t other = pay_order(s, shop_user(s, "b@example.com"), rice, 1);
    go(s, id, ORDER_CONFIRMED);
    go(s, id, ORDER_PREPARING);
    struct order_events_of of = {.order_ids = &id, .n_orders = 1};

    assert_int_equal(shop_read_tx(s, order_events_of, &of), ERR_OK);
    assert_int_equal(of.n, 3);
    assert_true(str_is(of.events[2].to, "preparing"));
    of.after_id = of.events[1].id;
    assert_int_equal(shop_read_tx(s, order_events_of, &of), ERR_OK);
    assert_int_equal(of.n, 1);
    assert_true(str_is(of.events[0].to, "preparing"));
    of.after_id = of.events[0].id;
    assert_int_equal(shop_read_tx(s, order_events_of, &of), ERR_OK);
    assert_int_equal(of.n, 0);

    /* As many as fit into one statement. */
    int64_t ids[ORDER_CHUNK] = {0};
    ids[0] = other;
    ids[ORDER_CHUNK - 1] = id;
    of = (struct order_events_of){.order_ids = ids, .n_orders = ORDER_CHUNK};
    assert_int_equal(shop_read_tx(s, order_events_of, &of), ERR_OK);
    assert_int_equal(of.n, 4);
    assert_int_equal(of.events[0].order_id, id);
    assert_true(str_is(of.events[2].to, "preparing"));
    assert_int_equal(of.events[3].order_id, other);
}

/* ---- Lists ---- */

enum { LISTED = 47 };

/* Orders of two users in turn, three in each millisecond; the ids oldest first. */
static void fill(struct shop_fixture *s, int64_t a, int64_t b, int64_t ids[static LISTED])
{
    static const char at[] = "UPDATE orders SET created_at = $2 WHERE id = $1";
    int64_t rice = shop_food(s, "Rice", 250, -1);
    for (size_t i = 0; i < LISTED; i++) {
        ids[i] = pay_order(s, i % 2 ? b : a, rice, 1 + (int64_t)(i % 9));
        shop_sql(s, at, SQL_ARGS(sql_int(ids[i]), sql_int(SHOP_NOW_MS + (int64_t)i / 3)));
    }
}

static struct order_list first_page(int64_t user_id, int64_t limit)
{
    return (struct order_list){
        .user_id = user_id,
        .from_ms = INT64_MIN,
        .to_ms = INT64_MAX,
        .before_at_ms = INT64_MAX,
        .before_id = INT64_MAX,
        .limit = limit,
    };
}

/* Walks all pages and gives the ids in the order they came. */
static size_t walk(struct shop_fixture *s, struct order_list list, int64_t ret_ids[static LISTED])
{
    size_t n = 0;
    do {
        assert_int_equal(shop_read_tx(s, order_list, &list), ERR_OK);
        assert_true(list.n <= (size_t)list.limit);
        for (size_t i = 0; i < list.n; i++) {
            const struct order *order = &list.orders[i];
            assert_true(n < LISTED);
            ret_ids[n++] = order->id;
            assert_int_equal(order->n_lines, 1);
            assert_int_equal(order->lines[0].line_total, order->total);
            assert_true(order->n_events >= 1);
            assert_int_equal(order->events[0].order_id, order->id);
        }
        list.before_at_ms = list.next_at_ms;
        list.before_id = list.next_id;
    } while (list.more);
    return n;
}

static void test_order__pages(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), b = shop_user(s, "b@example.com");
    int64_t ids[LISTED], seen[LISTED];
    static const int64_t limits[] = {1, 7, 20, 21, LISTED - 1, LISTED, 100};

    fill(s, a, b, ids);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_int_equal(walk(s, first_page(0, limits[i]), seen), LISTED);
        for (size_t k = 0; k < LISTED; k++)
            assert_int_equal(seen[k], ids[LISTED - 1 - k]);
        assert_int_equal(walk(s, first_page(a, limits[i]), seen), LISTED / 2 + 1);
        for (size_t k = 0; k < LISTED / 2 + 1; k++)
            assert_int_equal(seen[k], ids[LISTED - 1 - 2 * k]);
    }
    assert_int_equal(walk(s, first_page(b + 1, 20), seen), 0);
}

/* A page ends with the order that reaches its bytes, and has one at least. */
static void test_order__page_bytes(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), ids[LISTED], seen[LISTED];

    fill(s, a, a, ids);
    shop_sql(s, "UPDATE orders SET note = '12345678', address = '12'", SQL_NO_ARGS);
    const size_t each = 8 + 2 + strlen("Rice");
    static const size_t n[] = {1, 19, 20, 21};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        struct order_list list = first_page(0, LISTED);
        list.max_bytes = n[i] * each;
        assert_int_equal(walk(s, list, seen), LISTED);
        for (size_t k = 0; k < LISTED; k++)
            assert_int_equal(seen[k], ids[LISTED - 1 - k]);
        assert_int_equal(shop_read_tx(s, order_list, &list), ERR_OK);
        assert_int_equal(list.n, n[i]);
        list.max_bytes = n[i] * each + 1;
        assert_int_equal(shop_read_tx(s, order_list, &list), ERR_OK);
        assert_int_equal(list.n, n[i] + 1);
        assert_true(list.more);
    }
    struct order_list all = first_page(0, LISTED);
    all.max_bytes = LISTED * each;
    assert_int_equal(shop_read_tx(s, order_list, &all), ERR_OK);
    assert_int_equal(all.n, LISTED);
    assert_false(all.more);
}

static void test_order__filters(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "ada@example.com"), b = shop_user(s, "b_b@example.com");
    int64_t ids[LISTED], seen[LISTED];

    fill(s, a, b, ids);
    go(s, ids[3], ORDER_CONFIRMED);
    go(s, ids[8], ORDER_CONFIRMED);
    struct order_list list = first_page(0, 3);
    list.has_status = true;
    list.status = ORDER_CONFIRMED;
    assert_int_equal(walk(s, list, seen), 2);
    assert_int_equal(seen[0], ids[8]);
    list.status = ORDER_PENDING;
    assert_int_equal(walk(s, list, seen), LISTED - 2);
    list.from_ms = SHOP_NOW_MS + 2;
    assert_int_equal(walk(s, list, seen), LISTED - 6 - 1);

    list = first_page(0, 4);
    list.from_ms = SHOP_NOW_MS + 1;
    list.to_ms = SHOP_NOW_MS + 3; /* not in it */
    assert_int_equal(walk(s, list, seen), 6);
    assert_int_equal(seen[0], ids[8]);
    assert_int_equal(seen[5], ids[3]);

    list = first_page(0, 5);
    list.needle = STR("ada@");
    assert_int_equal(walk(s, list, seen), LISTED / 2 + 1);
    list.order_id = ids[1]; /* b's */
    assert_int_equal(walk(s, list, seen), LISTED / 2 + 2);
    list.has_status = true;
    list.status = ORDER_CONFIRMED;
    assert_int_equal(walk(s, list, seen), 1);
    assert_int_equal(seen[0], ids[8]);
    list = first_page(0, 5);
    list.needle = STR("b_b");
    assert_int_equal(walk(s, list, seen), LISTED / 2);
    list.needle = STR("a_a");
    assert_int_equal(walk(s, list, seen), 0);
}

/* Of more than one statement takes, in whichever order they are asked for. */
static void test_order__news_by_id(void **state)
{
    struct shop_fixture *s = *state;
    int64_t a = shop_user(s, "a@example.com"), ids[LISTED], event_ids[LISTED], payment_ids[LISTED];

    fill(s, a, a, ids);
    for (size_t i = 0; i < LISTED; i++) {
        go(s, ids[i], ORDER_CANCELLED);
        event_ids[LISTED - 1 - i] = pay_read_order(s, ids[i]).events[0].id;
        payment_ids[LISTED - 1 - i] = pay_read_order(s, ids[i]).payment_id;
    }
    struct order_news_find find = {.event_ids = event_ids,
                                   .payment_ids = payment_ids,
                                   .n_events = LISTED,
                                   .n_payments = LISTED};
    assert_int_equal(shop_read_tx(s, order_news_find, &find), ERR_OK);
    assert_int_equal(find.n_news, LISTED);
    assert_int_equal(find.n_flagged, LISTED);
    for (size_t i = 0; i < LISTED; i++) {
        assert_int_equal(find.news[i].event.id, event_ids[LISTED - 1 - i]);
        assert_int_equal(find.news[i].order.id, ids[i]);
        assert_int_equal(find.payments[i].id, payment_ids[LISTED - 1 - i]);
    }
}

/* A thousand free orders of the user, before all others. */
static void add_thousand(struct shop_fixture *s, int64_t user, int64_t food)
{
    static const char orders[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO orders (user_id, status, total, currency, fulfilment, created_at, updated_at) "
        "SELECT $1, 'pending', 0, 'NGN', 'pickup', $2 - i, $2 - i FROM n";
    static const char items[] =
        "INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, line_total, "
        "taken) "
        "SELECT id, $1, 'Rice', 0, 1, 0, 0 FROM orders WHERE payment_id IS NULL";
    static const char events[] =
        "INSERT INTO order_events (order_id, to_status, actor, at) "
        "SELECT id, 'pending', 'customer', created_at FROM orders WHERE payment_id IS NULL";
    (void)shop_sql(s, orders, SQL_ARGS(sql_int(user), sql_int(SHOP_NOW_MS)));
    (void)shop_sql(s, items, SQL_ARGS(sql_int(food)));
    (void)shop_sql(s, events, SQL_NO_ARGS);
}

/* Found by sorting them while the word fits few orders, and by walking all orders when it fits
 * many: the same either way. */
static void test_order__a_word_of_few_orders_and_of_many(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1), seen[LISTED];
    int64_t user = shop_user(s, "u1@example.com");
    int64_t first = pay_order(s, user, rice, 1);
    int64_t other = pay_order(s, shop_user(s, "boss@shop.org"), rice, 1);
    int64_t last = pay_order(s, shop_user(s, "u2@example.com"), rice, 2);

    go(s, first, ORDER_CONFIRMED);
    go(s, last, ORDER_CONFIRMED);
    go(s, other, ORDER_CONFIRMED);
    for (int many = 0; many < 2; many++) {
        struct order_list list = first_page(0, 1);
        list.needle = STR("example");
        list.has_status = true;
        list.status = ORDER_CONFIRMED;
        assert_int_equal(walk(s, list, seen), 2);
        assert_int_equal(seen[0], last);
        assert_int_equal(seen[1], first);
        list.order_id = other;
        assert_int_equal(walk(s, list, seen), 3);
        list.order_id = 0;
        list.status = ORDER_READY;
        assert_int_equal(walk(s, list, seen), 0);
        if (!many)
            add_thousand(s, user, rice);
    }
}

/* One read looks at a slice of them, however far away the next one is. */
static void test_order__looks_through_slices(void **state)
{
    static const char more[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3) "
        "INSERT INTO orders (user_id, status, total, currency, fulfilment, created_at, updated_at) "
        "SELECT $1, 'completed', 0, 'NGN', 'pickup', $2 + i / 3, $2 FROM n";
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1), user = shop_user(s, "u1@example.com");
    int64_t old[] = {pay_order(s, user, rice, 1), pay_order(s, user, rice, 1)};
    struct order_list list = first_page(0, 1);
    int reads = 0;
    size_t n = 0;

    shop_sql(s, more,
             SQL_ARGS(sql_int(user), sql_int(SHOP_NOW_MS + 1), sql_int(2 * ORDER_SLICE + 10)));
    list.needle = STR("example");
    list.has_status = true;
    list.status = ORDER_PENDING;
    do {
        assert_int_equal(shop_read_tx(s, order_list, &list), ERR_OK);
        assert_true(list.n == 0 || list.orders[0].id == old[1 - n]);
        n += list.n;
        list.before_at_ms = list.next_at_ms;
        list.before_id = list.next_id;
        reads++;
    } while (list.more);
    assert_int_equal(n, 2);
    assert_int_equal(reads, 2 + 2);
    shop_sql(s, "DELETE FROM orders WHERE status = 'completed'", SQL_NO_ARGS);
}

/* No list sorts or scans a whole table. */
static enum err explain(struct tx *tx, void *arg)
{
    struct sql_rows rows;
    const char *sql = arg;
    enum err err = tx_ask(tx, sql, SQL_NO_ARGS, &rows);
    for (size_t i = 0; i < rows.n && !err; i++) {
        struct str detail = sql_get_str(&rows, i, 3);
        assert_false(str_starts(detail, STR("SCAN")));
        assert_false(str_contains(detail, STR("TEMP B-TREE")));
    }
    return err;
}

static void test_order__lists_go_by_an_index(void **state)
{
    struct shop_fixture *s = *state;
#define LIST(where)                                                                                \
    "EXPLAIN QUERY PLAN SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id "               \
    "LEFT JOIN payments p ON p.id = o.payment_id WHERE " where                                     \
    " AND o.created_at <= 5 AND (o.created_at < 5 OR o.id < 9) "                                   \
    "ORDER BY o.created_at DESC, o.id DESC LIMIT 21"
    static char all[] = LIST("o.created_at >= 1"), of_user[] = LIST("o.user_id = 1"),
                of_status[] = LIST("o.created_at >= 1 AND o.status = 'ready'");

    assert_int_equal(shop_read_tx(s, explain, all), ERR_OK);
    assert_int_equal(shop_read_tx(s, explain, of_user), ERR_OK);
    assert_int_equal(shop_read_tx(s, explain, of_status), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAY_TEST(test_order__every_pair_of_statuses),
        PAY_TEST(test_order__says_what_is_allowed),
        PAY_TEST(test_order__event_and_note),
        PAY_TEST(test_order__version),
        PAY_TEST(test_order__two_admins_at_once),
        PAY_TEST(test_order__free_one_owes_nothing),
        PAY_TEST(test_order__is_its_owners),
        PAY_TEST(test_order__events_of),
        PAY_TEST(test_order__pages),
        PAY_TEST(test_order__page_bytes),
        PAY_TEST(test_order__filters),
        PAY_TEST(test_order__news_by_id),
        PAY_TEST(test_order__a_word_of_few_orders_and_of_many),
        PAY_TEST(test_order__looks_through_slices),
        SHOP_TEST_AS(test_order__lists_go_by_an_index, SQLITE_ONLY, shop_setup, pay_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
