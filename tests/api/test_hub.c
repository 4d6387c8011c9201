/* What the stream of one order is given: every event of it in its order and once, whatever arrives
 * in whatever order, and with what was missed when other servers were not heard. The linker wraps
 * the streams and store_read (see meson.build), so that what a stream is given is seen here. */
#include "../store/pay_fixture.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include <time.h>

#include "api/hub.h"

enum { STREAMS_MAX = 64, GIVEN_MAX = 16 };

struct http_stream {
    http_stream_closed *closed;
    void *arg;
    int64_t given[GIVEN_MAX];
    atomic_int n;
    int64_t replayed_id;
    atomic_bool ended;
};

static struct http_stream streams[STREAMS_MAX];
static int n_streams;
static sem_t given;
static atomic_bool reads_fail;
static struct hub *hub;

struct http_stream *__wrap_http_stream_open(struct http_call *call, int64_t deadline_ms,
                                            http_stream_closed *closed, void *arg);
void __wrap_http_stream_replayed(struct http_stream *stream, int64_t replayed_id);
void __wrap_http_stream_send(struct http_stream *stream, struct http_chunk *chunk, int64_t id);
void __wrap_http_stream_end(struct http_stream *stream);
enum err __real_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

struct http_stream *__wrap_http_stream_open(struct http_call *call, int64_t deadline_ms,
                                            http_stream_closed *closed, void *arg)
{
    struct http_stream *stream = &streams[n_streams++];
    (void)call;
    (void)deadline_ms;
    *stream = (struct http_stream){.closed = closed, .arg = arg};
    return stream;
}

void __wrap_http_stream_replayed(struct http_stream *stream, int64_t replayed_id)
{
    stream->replayed_id = replayed_id;
}

void __wrap_http_stream_send(struct http_stream *stream, struct http_chunk *chunk, int64_t id)
{
    (void)chunk;
    stream->given[stream->n++] = id;
    (void)sem_post(&given);
}

void __wrap_http_stream_end(struct http_stream *stream)
{
    if (!atomic_exchange(&stream->ended, true))
        (void)sem_post(&given);
}

enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    return atomic_load(&reads_fail) ? ERR_UNAVAILABLE : __real_store_read(store, arena, fn, arg);
}

static void wait_given(void)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60; /* against a hang */
    assert_int_equal(sem_timedwait(&given, &until), 0);
}

static int setup(void **state)
{
    int rc = shop_setup(state);
    const struct shop_fixture *s = *state;
    n_streams = 0;
    (void)sem_init(&given, 0, 0);
    hub = hub_create(s->store);
    return rc;
}

static int teardown(void **state)
{
    atomic_store(&reads_fail, false);
    hub_stop(hub);
    for (int i = 0; i < n_streams; i++)
        streams[i].closed(streams[i].arg);
    hub_destroy(hub);
    (void)sem_destroy(&given);
    return pay_teardown(state);
}

static int64_t session(struct shop_fixture *s, int64_t user_id)
{
    static const char sql[] = "INSERT INTO sessions (token_hash, user_id, created_at, used_at, "
                              "expires_at) VALUES ($1, $2, 0, 0, $3) RETURNING id";
    static int n;
    char token[] = {(char)(n / 100), (char)(n % 100)};
    n++;
    return shop_sql(s, sql,
                    SQL_ARGS(sql_blob((struct str){token, sizeof token}), sql_int(user_id),
                             sql_int(INT64_MAX)));
}

static struct http_stream *follow(struct shop_fixture *s, int64_t user_id, int64_t order_id)
{
    const struct hub_subscription on = {
        .user_id = user_id, .session_id = session(s, user_id), .order_id = order_id};
    struct http_stream *stream = NULL;
    assert_true(hub_open(hub, NULL, &on, &stream));
    return stream;
}

static int64_t go(struct shop_fixture *s, int64_t order_id, enum order_status to)
{
    struct order_set_status change = {.order_id = order_id,
                                      .to = to,
                                      .actor = ACTOR_ADMIN,
                                      .now_ms = SHOP_NOW_MS,
                                      .problem = &s->problem};
    assert_int_equal(shop_write(s, order_set_status, &change), ERR_OK);
    return change.order.events[change.order.n_events - 1].id;
}

static void tell(int64_t order_id, int64_t event_id)
{
    const struct store_event event = {
        .kind = STORE_EVENT_ORDER, .id = order_id, .event_id = event_id};
    hub_apply(hub, &event, 1);
}

static void tell_of_all(void)
{
    const struct store_event event = {.kind = STORE_EVENT_ALL};
    hub_apply(hub, &event, 1);
}

static int64_t make_order(struct shop_fixture *s, int64_t user_id)
{
    static int n;
    char name[16];
    (void)snprintf(name, sizeof name, "Rice %d", n++);
    return pay_order(s, user_id, shop_food(s, name, 500, -1), 1);
}

static void assert_given(const struct http_stream *stream, const int64_t *ids, int n)
{
    assert_int_equal(stream->n, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(stream->given[i], ids[i]);
}
#define ASSERT_GIVEN(stream, ...)                                                                  \
    assert_given(stream, (const int64_t[]){__VA_ARGS__},                                           \
                 sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static int64_t first_event(struct shop_fixture *s, int64_t order_id)
{
    return pay_read_order(s, order_id).events[0].id;
}

/* Event 8 is told before 7, 7 then late and once more. */
static void test_hub__told_in_another_order(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), order = make_order(s, user);
    struct http_stream *stream = follow(s, user, order);
    hub_replayed(hub, stream, order, first_event(s, order));
    int64_t seven = go(s, order, ORDER_CONFIRMED), eight = go(s, order, ORDER_PREPARING);
    tell(order, eight);
    ASSERT_GIVEN(stream, seven, eight);
    tell(order, seven);
    tell(order, eight);
    assert_int_equal(stream->n, 2);
    int64_t nine = go(s, order, ORDER_READY);
    tell(order, nine);
    ASSERT_GIVEN(stream, seven, eight, nine);
}

/* 7 is never told: it comes with 8. And what comes while the replay is read waits in the stream. */
static void test_hub__each_from_its_own_last(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), order = make_order(s, user);
    int64_t one = first_event(s, order);
    struct http_stream *old = follow(s, user, order), *fresh = follow(s, user, order);
    hub_replayed(hub, old, order, one);
    int64_t two = go(s, order, ORDER_CONFIRMED);
    tell(order, two);
    ASSERT_GIVEN(old, two);
    ASSERT_GIVEN(fresh, one, two);
    hub_replayed(hub, fresh, order, one); /* had read before two was there: two stays */
    assert_int_equal(fresh->replayed_id, one);
    (void)go(s, order, ORDER_PREPARING);
    int64_t four = go(s, order, ORDER_READY);
    tell(order, four);
    ASSERT_GIVEN(old, two, four - 1, four);
    ASSERT_GIVEN(fresh, one, two, four - 1, four);
}

static void test_hub__several_orders_in_one_commit(void **state)
{
    enum { N = ORDER_CHUNK + 3 };
    struct shop_fixture *s = *state;
    struct http_stream *of[N];
    struct store_event events[2 * N + 1];
    int64_t ids[N];
    for (int i = 0; i < N; i++) {
        char email[32];
        (void)snprintf(email, sizeof email, "u%d@example.org", i);
        int64_t user = shop_user(s, email), order = make_order(s, user);
        of[i] = follow(s, user, order);
        hub_replayed(hub, of[i], order, first_event(s, order));
        ids[i] = go(s, order, ORDER_CONFIRMED);
        events[i] = events[N + i] =
            (struct store_event){.kind = STORE_EVENT_ORDER, .id = order, .event_id = ids[i]};
    }
    events[2 * N] = (struct store_event){.kind = STORE_EVENT_ORDER, .id = 999999, .event_id = 1};
    hub_apply(hub, events, 2 * N + 1);
    for (int i = 0; i < N; i++)
        ASSERT_GIVEN(of[i], ids[i]);
}

/* Nobody told of anything: every followed order is looked at, and every session. */
static void test_hub__after_silence(void **state)
{
    enum { N = ORDER_CHUNK + 3 };
    struct shop_fixture *s = *state;
    struct http_stream *of[N];
    int64_t ids[N];
    for (int i = 0; i < N; i++) {
        char email[32];
        (void)snprintf(email, sizeof email, "u%d@example.org", i);
        int64_t user = shop_user(s, email), order = make_order(s, user);
        of[i] = follow(s, user, order);
        hub_replayed(hub, of[i], order, first_event(s, order));
        ids[i] = go(s, order, ORDER_CONFIRMED);
    }
    tell_of_all();
    for (int i = 0; i < N; i++)
        wait_given();
    for (int i = 0; i < N; i++)
        ASSERT_GIVEN(of[i], ids[i]);
}

/* Its reader comes again, and is told then. */
static void test_hub__unread_ends_the_stream(void **state)
{
    struct shop_fixture *s = *state;
    int64_t user = shop_user(s, "ada@example.org"), order = make_order(s, user);
    int64_t other = make_order(s, user);
    struct http_stream *stream = follow(s, user, order), *apart = follow(s, user, other);
    hub_replayed(hub, stream, order, first_event(s, order));
    int64_t id = go(s, order, ORDER_CONFIRMED);
    atomic_store(&reads_fail, true);
    tell(order, id);
    assert_true(stream->ended);
    assert_false(apart->ended);
    tell_of_all();
    wait_given(); /* `stream` */
    wait_given();
    assert_true(apart->ended);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hub__told_in_another_order),        TEST(test_hub__each_from_its_own_last),
        TEST(test_hub__several_orders_in_one_commit), TEST(test_hub__after_silence),
        TEST(test_hub__unread_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
