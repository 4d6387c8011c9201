/* What the board's streams are told: each event once with its order, flagged payments and no
 * others, and `resync` for what could not be read or was too much. */
#include "../store/pay_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "api/feed.h"

enum { MESSAGES_MAX = 512 };

static struct told {
    char *text;
    int64_t id;
} told[MESSAGES_MAX];
static atomic_int n_told;
static int n_taken;
static sem_t telling;
static struct feed *feed;

/* ---- Reads of the database that fail, and the bytes of messages ---- */

static atomic_bool reads_fail;

enum err __real_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    return atomic_load(&reads_fail) ? ERR_UNAVAILABLE : __real_store_read(store, arena, fn, arg);
}

struct http_chunk *__real_http_chunk_create(struct str bytes);
struct http_chunk *__wrap_http_chunk_create(struct str bytes);

struct http_chunk *__wrap_http_chunk_create(struct str bytes)
{
    told[n_told].text = strndup(bytes.ptr, bytes.len);
    return __real_http_chunk_create(bytes);
}

static void on_send(void *ctx, struct http_chunk *chunk, int64_t id)
{
    (void)ctx;
    (void)chunk;
    told[n_told++].id = id;
    (void)sem_post(&telling);
}

/* The next message. */
static const struct told *next(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    assert_int_equal(sem_timedwait(&telling, &until), 0);
    return &told[n_taken++];
}

static int setup(void **state)
{
    int rc = shop_setup(state);
    const struct shop_fixture *s = *state;
    n_told = 0;
    n_taken = 0;
    (void)sem_init(&telling, 0, 0);
    feed = feed_create(s->store, on_send, NULL);
    return rc;
}

static int teardown(void **state)
{
    atomic_store(&reads_fail, false);
    feed_destroy(feed);
    for (int i = 0; i < n_told; i++)
        free(told[i].text);
    (void)sem_destroy(&telling);
    return pay_teardown(state);
}

static void expect(const struct told *message, int64_t id, const char *part)
{
    assert_int_equal(message->id, id);
    if (!strstr(message->text, part))
        fail_msg("no %s in %s", part, message->text);
}

/* What the last writes have told is given to the feed. */
static void push(struct shop_fixture *s)
{
    feed_push(feed, s->events, s->n_events);
}

static int64_t event_of(const struct shop_fixture *s)
{
    for (size_t i = 0; i < s->n_events; i++)
        if (s->events[i].kind == STORE_EVENT_ORDER)
            return s->events[i].event_id;
    return 0;
}

static void cancel(struct shop_fixture *s, int64_t order_id)
{
    struct order_set_status change = {.order_id = order_id,
                                      .to = ORDER_CANCELLED,
                                      .actor = ACTOR_ADMIN,
                                      .now_ms = SHOP_NOW_MS,
                                      .problem = &s->problem};
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
}

/* A payment that is only paid is nobody's concern; one that is due back is. */
static void test_feed__events_and_flags(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), rice = shop_food(s, "Rice", 500, -1);
    int64_t order = pay_order(s, user, rice, 3);
    push(s);
    const struct told *made = next();
    expect(made, event_of(s), "event: status\ndata: {\"id\":");
    expect(made, event_of(s), "\"quantity\":3");
    expect(made, event_of(s), "\"email\":\"ada@example.org\"");
    cancel(s, order);
    push(s);
    expect(next(), event_of(s), "\"to\":\"cancelled\"");
    expect(next(), 0, "event: payment\ndata: {\"payment_id\":");
    assert_non_null(strstr(told[2].text, "\"refund_due\":true"));
    assert_int_equal(n_told, 3);
}

/* Many in one commit: in their order, each once, however they are read. */
static void test_feed__many_at_once(void **state)
{
    enum { N = 130 };
    struct shop_fixture *s = *state;
    struct store_event events[N];
    int64_t user = shop_user(s, "ada@example.org"), rice = shop_food(s, "Rice", 500, -1);
    for (int i = 0; i < N; i++) {
        (void)pay_order(s, user, rice, 1);
        events[i] = (struct store_event){.kind = STORE_EVENT_ORDER, .event_id = event_of(s)};
    }
    feed_push(feed, events, N);
    for (int i = 0; i < N; i++)
        expect(next(), events[i].event_id, "event: status");
    assert_int_equal(n_told, N);
}

static void test_feed__unread_is_resync(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), rice = shop_food(s, "Rice", 500, -1);
    int64_t order = pay_order(s, user, rice, 1);
    atomic_store(&reads_fail, true);
    push(s);
    const struct told *resync = next();
    assert_int_equal(resync->id, 0);
    assert_string_equal(resync->text, "event: resync\ndata: {}\n\n");
    atomic_store(&reads_fail, false);
    cancel(s, order);
    push(s);
    expect(next(), event_of(s), "\"to\":\"cancelled\"");
}

/* As many as may wait are told; with one more, all are told by one word. */
static void test_feed__too_many_is_resync(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), rice = shop_food(s, "Rice", 500, -1);
    static struct store_event events[FEED_MAX + 1];
    (void)pay_order(s, user, rice, 1);
    for (size_t i = 0; i <= FEED_MAX; i++)
        events[i] = (struct store_event){.kind = i == 7 ? STORE_EVENT_ORDER : STORE_EVENT_PAYMENT,
                                         .id = 999,
                                         .event_id = event_of(s)};
    feed_push(feed, events, FEED_MAX);
    expect(next(), event_of(s), "event: status");
    feed_push(feed, events, FEED_MAX + 1);
    expect(next(), 0, "event: resync");
    assert_int_equal(n_told, 2);
}

/* Not for long heard of other servers. */
static void test_feed__silence_is_resync(void **state)
{
    struct shop_fixture *s = *state;
    const struct store_event all = {.kind = STORE_EVENT_ALL};
    int64_t user = shop_user(s, "ada@example.org"), rice = shop_food(s, "Rice", 500, -1);
    feed_push(feed, &all, 1);
    expect(next(), 0, "event: resync");
    (void)pay_order(s, user, rice, 1);
    push(s);
    expect(next(), event_of(s), "event: status");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_feed__events_and_flags),  TEST(test_feed__many_at_once),
        TEST(test_feed__unread_is_resync),  TEST(test_feed__too_many_is_resync),
        TEST(test_feed__silence_is_resync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
