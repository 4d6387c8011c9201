#include "api/hub.h"

#include "api/feed.h"
#include "api/orders.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sort.h"
#include "base/thread.h"
#include "domain/limits.h"
#include "store/session_alive.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { BUCKETS = 1024 };

struct member {
    struct hub *hub;
    struct hub_subscription on;
    struct http_stream *stream;
    int64_t last_id; /* the newest event that a stream of one order was given; under the lock */
    LIST_ENTRY(member) of_order, of_user;
};
LIST_HEAD(members, member);

struct hub {
    struct store *store;
    struct feed *feed;
    struct http_chunk *resync; /* for those of all orders that are too slow for each event */
    atomic_size_t n, n_all;    /* changed under the lock; n_all: how many follow all orders */
    pthread_mutex_t lock;
    struct members all, orders[BUCKETS], users[BUCKETS];

    pthread_t thread;
    pthread_cond_t wake;
    bool stop;     /* under the lock */
    bool all_anew; /* so are these: anything may have happened */
};

static struct members *order_bucket(struct hub *hub, int64_t order_id)
{
    if (order_id == HUB_ALL_ORDERS)
        return &hub->all;
    return &hub->orders[(uint64_t)order_id % BUCKETS];
}

static struct members *user_bucket(struct hub *hub, int64_t user_id)
{
    return &hub->users[(uint64_t)user_id % BUCKETS];
}

static void lock(struct hub *hub)
{
    int rc = pthread_mutex_lock(&hub->lock);
    assert(rc == 0);
}

static void unlock(struct hub *hub)
{
    int rc = pthread_mutex_unlock(&hub->lock);
    assert(rc == 0);
}

static void *look_after(void *arg);
static void send_to_all(void *ctx, struct http_chunk *chunk, int64_t id);

static struct http_chunk *make_resync(void)
{
    struct buf message;
    buf_init(&message, NULL);
    feed_resync_message(&message, -1);
    struct http_chunk *chunk = http_chunk_create(buf_str(&message));
    buf_finish(&message);
    return chunk;
}

struct hub *hub_create(struct store *store)
{
    struct hub *hub = mem_zalloc(sizeof *hub);
    hub->store = store;
    hub->resync = make_resync();
    int rc = pthread_mutex_init(&hub->lock, NULL);
    assert(rc == 0);
    pthread_cond_init(&hub->wake, NULL);
    LIST_INIT(&hub->all);
    for (size_t i = 0; i < BUCKETS; i++) {
        LIST_INIT(&hub->orders[i]);
        LIST_INIT(&hub->users[i]);
    }
    thread_start(&hub->thread, "streams", look_after, hub);
    hub->feed = feed_create(store, send_to_all, hub);
    return hub;
}

void hub_stop(struct hub *hub)
{
    if (!hub)
        return;
    lock(hub);
    bool stopped = hub->stop;
    hub->stop = true;
    pthread_cond_signal(&hub->wake);
    unlock(hub);
    if (!stopped)
        pthread_join(hub->thread, NULL);
    feed_stop(hub->feed);
}

void hub_destroy(struct hub *hub)
{
    if (!hub)
        return;
    hub_stop(hub);
    assert(atomic_load(&hub->n) == 0);
    feed_destroy(hub->feed);
    http_chunk_unref(hub->resync);
    pthread_cond_destroy(&hub->wake);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

/* ---- Members ---- */

static void on_closed(void *arg)
{
    struct member *member = arg;
    struct hub *hub = member->hub;

    lock(hub);
    LIST_REMOVE(member, of_order);
    LIST_REMOVE(member, of_user);
    atomic_fetch_sub(&hub->n, 1);
    if (member->on.order_id == HUB_ALL_ORDERS)
        atomic_fetch_sub(&hub->n_all, 1);
    unlock(hub);
    free(member);
}

static size_t count_of_user(struct hub *hub, int64_t user_id)
{
    const struct member *member;
    size_t n = 0;

    LIST_FOREACH (member, user_bucket(hub, user_id), of_user)
        n += member->on.user_id == user_id;
    return n;
}

bool hub_open(struct hub *hub, struct http_call *call, const struct hub_subscription *subscription,
              struct http_stream **ret_stream)
{
    struct member *member = NULL;

    lock(hub);
    if (count_of_user(hub, subscription->user_id) < STREAMS_PER_USER) {
        member = mem_zalloc(sizeof *member);
        member->hub = hub;
        member->on = *subscription;
        member->stream = http_stream_open(call, subscription->deadline_ms, on_closed, member);
        LIST_INSERT_HEAD(order_bucket(hub, subscription->order_id), member, of_order);
        LIST_INSERT_HEAD(user_bucket(hub, subscription->user_id), member, of_user);
        if (subscription->order_id == HUB_ALL_ORDERS) {
            http_stream_coalesce(member->stream, hub->resync);
            atomic_fetch_add(&hub->n_all, 1);
        }
        if (atomic_fetch_add(&hub->n, 1) == 0)
            pthread_cond_signal(&hub->wake);
        *ret_stream = member->stream;
    }
    unlock(hub);
    return member != NULL;
}

void hub_replayed(struct hub *hub, struct http_stream *stream, int64_t order_id, int64_t event_id)
{
    struct member *member;

    http_stream_replayed(stream, event_id);
    lock(hub);
    LIST_FOREACH (member, order_bucket(hub, order_id), of_order)
        if (member->stream == stream && member->last_id < event_id)
            member->last_id = event_id;
    unlock(hub);
}

/* ---- Events ---- */

static bool is_followed(struct hub *hub, int64_t order_id)
{
    const struct member *member;
    bool found = false;

    lock(hub);
    LIST_FOREACH (member, order_bucket(hub, order_id), of_order)
        found = found || member->on.order_id == order_id;
    unlock(hub);
    return found;
}

static struct http_chunk *make_chunk(struct arena *arena, const struct order_event *event)
{
    struct buf message;
    buf_init(&message, arena);
    order_event_message(&message, event);
    return http_chunk_create(buf_str(&message));
}

/* To those who were not given it yet. */
static void send_to_order(struct hub *hub, struct arena *arena, const struct order_event *event)
{
    struct http_chunk *chunk = NULL;
    struct member *member;

    lock(hub);
    LIST_FOREACH (member, order_bucket(hub, event->order_id), of_order) {
        if (member->on.order_id != event->order_id || member->last_id >= event->id)
            continue;
        if (!chunk)
            chunk = make_chunk(arena, event);
        http_stream_send(member->stream, chunk, event->id);
        member->last_id = event->id;
    }
    unlock(hub);
    http_chunk_unref(chunk);
}

static void send_to_all(void *ctx, struct http_chunk *chunk, int64_t id)
{
    struct hub *hub = ctx;
    struct member *member;

    lock(hub);
    LIST_FOREACH (member, &hub->all, of_order)
        http_stream_send(member->stream, chunk, id);
    unlock(hub);
}

/* Their readers come again with Last-Event-ID, and then miss nothing. */
static void end_order(struct hub *hub, int64_t order_id)
{
    struct member *member;

    lock(hub);
    LIST_FOREACH (member, order_bucket(hub, order_id), of_order)
        if (member->on.order_id == order_id)
            http_stream_end(member->stream);
    unlock(hub);
}

static void end_session(struct hub *hub, int64_t session_id)
{
    struct member *member;

    lock(hub);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH (member, &hub->users[i], of_user)
            if (member->on.session_id == session_id)
                http_stream_end(member->stream);
    unlock(hub);
}

static void end_user(struct hub *hub, int64_t user_id, int64_t kept_session_id)
{
    struct member *member;

    lock(hub);
    LIST_FOREACH (member, user_bucket(hub, user_id), of_user)
        if (member->on.user_id == user_id && member->on.session_id != kept_session_id)
            http_stream_end(member->stream);
    unlock(hub);
}

/* The last id of the stream of these orders that was given the least. */
static int64_t smallest_last_id(struct hub *hub, const int64_t *order_ids, size_t n)
{
    const struct member *member;
    int64_t smallest = INT64_MAX;

    lock(hub);
    for (size_t i = 0; i < n; i++)
        LIST_FOREACH (member, order_bucket(hub, order_ids[i]), of_order)
            if (member->on.order_id == order_ids[i] && member->last_id < smallest)
                smallest = member->last_id;
    unlock(hub);
    return smallest;
}

/* Reads the news of so many orders, each once, and gives them to whom they are new. */
static void tell_orders(struct hub *hub, struct arena *arena, const int64_t *order_ids, size_t n)
{
    for (size_t from = 0; from < n; from += ORDER_CHUNK) {
        struct order_events_of of = {
            .order_ids = order_ids + from,
            .n_orders = n - from < ORDER_CHUNK ? n - from : ORDER_CHUNK,
        };
        of.after_id = smallest_last_id(hub, of.order_ids, of.n_orders);
        enum err err = store_read(hub->store, arena, order_events_of, &of);
        if (err)
            log_line(LOG_WARN, "stream_events_unread", LOG_INT("err", err));
        for (size_t i = 0; i < of.n_orders && err; i++)
            end_order(hub, of.order_ids[i]);
        for (size_t i = 0; i < of.n && !err; i++)
            send_to_order(hub, arena, &of.events[i]);
    }
}

/* Sorts them and leaves each once. */
static size_t make_set(int64_t *ids, size_t n)
{
    size_t n_ids = 0;
    sort_numbers(ids, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || ids[i] != ids[n_ids - 1])
            ids[n_ids++] = ids[i];
    return n_ids;
}

/* The hub's own thread has the time to look at everything; a commit's has not. */
static void look_at_all(struct hub *hub)
{
    lock(hub);
    hub->all_anew = true;
    pthread_cond_signal(&hub->wake);
    unlock(hub);
}

void hub_apply(struct hub *hub, const struct store_event *events, size_t n)
{
    struct arena *arena = NULL;
    int64_t *followed = NULL;
    size_t n_followed = 0;

    if (atomic_load(&hub->n) == 0)
        return;
    if (atomic_load(&hub->n_all) > 0)
        feed_push(hub->feed, events, n);
    for (size_t i = 0; i < n; i++) {
        switch (events[i].kind) {
        case STORE_EVENT_ORDER:
            if (!is_followed(hub, events[i].id))
                break;
            if (!arena) {
                arena = arena_create();
                followed = arena_alloc(arena, (n - i) * sizeof *followed);
            }
            followed[n_followed++] = events[i].id;
            break;
        case STORE_EVENT_SESSION_END:
            end_session(hub, events[i].id);
            break;
        case STORE_EVENT_USER_END:
            end_user(hub, events[i].user_id, events[i].id);
            break;
        case STORE_EVENT_ALL:
            look_at_all(hub);
            break;
        case STORE_EVENT_FOOD:
        case STORE_EVENT_SHOP:
        case STORE_EVENT_PAYMENT:
        case STORE_EVENT_OUTBOX:
            break;
        }
    }
    if (n_followed > 0)
        tell_orders(hub, arena, followed, make_set(followed, n_followed));
    arena_destroy(arena);
}

/* ---- What happened elsewhere ----
 *
 * What this process commits is told by events. A session that another one ends (`servery admin
 * create` beside the server) is missed when its row is: while streams are open, all their sessions
 * are looked up in one short read. Where other servers could not be heard for a while, that is done
 * at once, and all orders that are followed are looked at. */

/* Each once, sorted. Under the lock. */
static size_t list_sessions(struct hub *hub, struct arena *arena, int64_t **ret_ids)
{
    const struct member *member;
    size_t n = 0;
    int64_t *ids = arena_alloc(arena, (atomic_load(&hub->n) + 1) * sizeof *ids);

    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH (member, &hub->users[i], of_user)
            ids[n++] = member->on.session_id;
    *ret_ids = ids;
    return make_set(ids, n);
}

static size_t list_orders(struct hub *hub, struct arena *arena, int64_t **ret_ids)
{
    const struct member *member;
    size_t n = 0;

    lock(hub);
    int64_t *ids = arena_alloc(arena, (atomic_load(&hub->n) + 1) * sizeof *ids);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH (member, &hub->orders[i], of_order)
            ids[n++] = member->on.order_id;
    unlock(hub);
    *ret_ids = ids;
    return make_set(ids, n);
}

/* Those without a session. One that was opened meanwhile is not listed, and left alone. */
static void end_dead(struct hub *hub, const struct session_alive *look)
{
    struct member *member;

    lock(hub);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_FOREACH (member, &hub->users[i], of_user) {
            const int64_t *id = bsearch(&member->on.session_id, look->ids, look->n,
                                        sizeof *look->ids, sort_by_number);
            if (id && !look->alive[id - look->ids])
                http_stream_end(member->stream);
        }
    unlock(hub);
}

static bool any_dead(const struct session_alive *look)
{
    for (size_t i = 0; i < look->n; i++)
        if (!look->alive[i])
            return true;
    return false;
}

/* Takes the lock and leaves without it. A read that fails is tried again at the next look. */
static void look_at_sessions(struct hub *hub, struct arena *arena, bool *failed)
{
    int64_t *ids;
    struct session_alive look = {.now_ms = clock_now_ms()};

    look.n = list_sessions(hub, arena, &ids);
    unlock(hub);
    look.ids = ids;
    look.alive = arena_alloc(arena, look.n * sizeof *look.alive);
    enum err err = store_read(hub->store, arena, session_alive, &look);
    if (err && !*failed)
        log_line(LOG_WARN, "stream_sessions_unread", LOG_INT("err", err));
    *failed = err != ERR_OK;
    if (!err && any_dead(&look))
        end_dead(hub, &look);
}

static void look_at_orders(struct hub *hub, struct arena *arena)
{
    int64_t *ids;
    size_t n = list_orders(hub, arena, &ids);
    tell_orders(hub, arena, ids, n);
}

/* The thread. */
static void *look_after(void *arg)
{
    struct hub *hub = arg;
    struct arena *arena = arena_create();
    bool failed = false;

    lock(hub);
    while (!hub->stop) {
        bool all_anew = hub->all_anew;
        hub->all_anew = false;
        if (atomic_load(&hub->n) == 0) {
            pthread_cond_wait(&hub->wake, &hub->lock);
            continue;
        }
        look_at_sessions(hub, arena, &failed);
        if (all_anew)
            look_at_orders(hub, arena);
        arena_reset(arena);
        const struct timespec until = clock_mono_after(SESSION_LOOK_MS);
        lock(hub);
        while (!hub->stop && !hub->all_anew &&
               pthread_cond_clockwait(&hub->wake, &hub->lock, CLOCK_MONOTONIC, &until) == 0) {
        }
    }
    unlock(hub);
    arena_destroy(arena);
    return NULL;
}
