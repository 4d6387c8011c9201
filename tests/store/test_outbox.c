/* The outbox: what is taken when, by one sender only, and what becomes of it. */
#include "shop_fixture.h"

#include "base/clock.h"
#include "store/outbox.h"

#define T0 SHOP_NOW_MS
#define LEASE_MS (90 * SECOND_MS)

static const struct crypto_keys keys = {{1}, {2}};

struct added {
    struct outbox_mail mail;
    int64_t now_ms;
};

static enum err add_mail(struct tx *tx, void *arg)
{
    const struct added *added = arg;
    return outbox_add(tx, &added->mail, added->now_ms);
}

static void add(struct shop_fixture *s, const char *recipient, int64_t now_ms,
                int64_t useless_at_ms)
{
    struct added added = {.mail = {.recipient = str_from(recipient),
                                   .subject = STR("Your code"),
                                   .sealed_body = STR("sealed"),
                                   .useless_at_ms = useless_at_ms},
                          .now_ms = now_ms};
    assert_int_equal(shop_write(s, add_mail, &added), ERR_OK);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_OUTBOX);
}

static struct outbox_take take(struct shop_fixture *s, int64_t now_ms, size_t max)
{
    struct outbox_take take = {.now_ms = now_ms, .lease_ms = LEASE_MS, .max = max};
    assert_int_equal(shop_write(s, outbox_take, &take), ERR_OK);
    return take;
}

static void finish(struct shop_fixture *s, int64_t id, enum outbox_result result, int64_t now_ms,
                   int64_t next_at_ms)
{
    struct outbox_finish finish = {id, result, now_ms, next_at_ms};
    assert_int_equal(shop_write(s, outbox_finish, &finish), ERR_OK);
}

static int64_t count(struct shop_fixture *s, const char *status)
{
    static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE status = $1";
    return shop_sql(s, sql, SQL_ARGS(sql_text(str_from(status))));
}

static int64_t count_bodies(struct shop_fixture *s)
{
    static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE body IS NOT NULL";
    return shop_sql(s, sql, SQL_NO_ARGS);
}

static void test_outbox__oldest_first_and_leased(void **state)
{
    struct shop_fixture *s = *state;

    add(s, "b@example.com", T0 + 1, 0);
    add(s, "a@example.com", T0, 0);
    add(s, "c@example.com", T0 + 2, 0);
    struct outbox_take none = take(s, T0 - 1, 10);
    assert_int_equal(none.n, 0);
    assert_int_equal(none.next_at_ms, T0);
    struct outbox_take first = take(s, T0 + 2, 2);
    assert_int_equal(first.n, 2);
    assert_true(str_is(first.mails[0].recipient, "a@example.com"));
    assert_true(str_is(first.mails[1].recipient, "b@example.com"));
    assert_true(str_is(first.mails[0].sealed_body, "sealed"));
    assert_int_equal(first.mails[0].attempts, 1);
    assert_int_equal(first.mails[0].created_at_ms, T0);
    assert_int_equal(first.next_at_ms, T0 + 2);
    struct outbox_take second = take(s, T0 + 2, 10);
    assert_int_equal(second.n, 1);
    assert_true(str_is(second.mails[0].recipient, "c@example.com"));
    assert_int_equal(second.next_at_ms, T0 + 2 + LEASE_MS);
    assert_int_equal(take(s, T0 + 2 + LEASE_MS - 1, 10).n, 0);
    struct outbox_take again = take(s, T0 + 2 + LEASE_MS, 10);
    assert_int_equal(again.n, 3);
    assert_int_equal(again.mails[0].attempts, 2);
}

static void test_outbox__sent_is_blanked(void **state)
{
    struct shop_fixture *s = *state;

    add(s, "a@example.com", T0, 0);
    struct outbox_take taken = take(s, T0, 1);
    finish(s, taken.mails[0].id, OUTBOX_SENT, T0 + 5, 0);
    assert_int_equal(count(s, "sent"), 1);
    assert_int_equal(count_bodies(s), 0);
    struct outbox_take none = take(s, T0 + LEASE_MS, 1);
    assert_int_equal(none.n, 0);
    assert_int_equal(none.next_at_ms, 0);
    /* A second sender whose lease ran out says something else, too late. */
    finish(s, taken.mails[0].id, OUTBOX_FAILED, T0 + 6, 0);
    assert_int_equal(count(s, "sent"), 1);
    finish(s, taken.mails[0].id, OUTBOX_RETRY, T0 + 6, T0 + 7);
    assert_int_equal(take(s, T0 + 7, 1).n, 0);
}

static void test_outbox__retry_is_due_when_told(void **state)
{
    struct shop_fixture *s = *state;

    add(s, "a@example.com", T0, 0);
    struct outbox_take taken = take(s, T0, 1);
    finish(s, taken.mails[0].id, OUTBOX_RETRY, T0 + 1, T0 + 5000);
    assert_int_equal(count_bodies(s), 1);
    struct outbox_take early = take(s, T0 + 4999, 1);
    assert_int_equal(early.n, 0);
    assert_int_equal(early.next_at_ms, T0 + 5000);
    struct outbox_take due = take(s, T0 + 5000, 1);
    assert_int_equal(due.n, 1);
    assert_int_equal(due.mails[0].attempts, 2);
    finish(s, due.mails[0].id, OUTBOX_FAILED, T0 + 5001, 0);
    assert_int_equal(count(s, "failed"), 1);
    assert_int_equal(count_bodies(s), 0);
}

static void test_outbox__useless_is_not_sent(void **state)
{
    struct shop_fixture *s = *state;

    add(s, "a@example.com", T0, T0 + 100);
    add(s, "b@example.com", T0, T0 + 101);
    struct outbox_take taken = take(s, T0 + 100, 10);
    assert_int_equal(taken.n_expired, 1);
    assert_int_equal(taken.n, 1);
    assert_true(str_is(taken.mails[0].recipient, "b@example.com"));
    assert_int_equal(taken.mails[0].useless_at_ms, T0 + 101);
    assert_int_equal(count(s, "expired"), 1);
    assert_int_equal(count_bodies(s), 1);
}

static void test_outbox__two_senders_share(void **state)
{
    enum { N = 8 };
    struct shop_fixture *s = *state;
    struct outbox_take takes[N];
    struct writing writings[N];
    size_t n = 0;

    for (int i = 0; i < N - 1; i++)
        add(s, "a@example.com", T0, 0);
    for (int i = 0; i < N; i++) {
        takes[i] = (struct outbox_take){.now_ms = T0, .lease_ms = LEASE_MS, .max = 1};
        writings[i] = (struct writing){.store = s->store, .fn = outbox_take, .arg = &takes[i]};
        writing_start(&writings[i]);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(writing_finish(&writings[i]), ERR_OK);
        n += takes[i].n;
    }
    /* Where both looked at once, one of them has none; the other goes on. */
    size_t left = take(s, T0, 10).n;
    assert_int_equal(n + left, N - 1);
    if (!database_on_postgresql())
        assert_int_equal(left, 0);
}

static void test_outbox__body_is_sealed(void **state)
{
    static const struct crypto_keys other = {{1}, {3}};
    struct shop_fixture *s = *state;
    struct str text, html;

    struct str sealed = outbox_seal(&keys, s->arena, STR("the code is 123456\n"), STR("<p>ü"));
    assert_false(str_contains(sealed, STR("123456")));
    assert_true(outbox_open(&keys, s->arena, sealed, &text, &html));
    assert_true(str_is(text, "the code is 123456\n"));
    assert_true(str_is(html, "<p>ü"));
    assert_false(outbox_open(&other, s->arena, sealed, &text, &html));
    sealed = outbox_seal(&keys, s->arena, STR("text only"), STR_NONE);
    assert_true(outbox_open(&keys, s->arena, sealed, &text, &html));
    assert_null(html.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_outbox__oldest_first_and_leased),
        SHOP_TEST(test_outbox__sent_is_blanked),
        SHOP_TEST(test_outbox__retry_is_due_when_told),
        SHOP_TEST(test_outbox__useless_is_not_sent),
        SHOP_TEST(test_outbox__two_senders_share),
        SHOP_TEST(test_outbox__body_is_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
