#include "api/feed.h"

#include "api/orders.h"
#include "base/log.h"
#include "base/thread.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* So many events are read at once: short reads, and no stream gets more at a time than it holds. */
enum { SLICE = 50 };

struct feed {
    struct store *store;
    feed_send *send;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* Under the lock. */
    struct store_event waiting[FEED_MAX];
    size_t n;
    bool lost; /* more came than could wait, or was not heard of */
    bool stop;
};

/* ---- Messages ---- */

void feed_news_message(struct buf *out, const struct order_news *news)
{
    struct json_writer w;

    buf_put_cstr(out, "id: ");
    buf_put_int(out, news->event.id);
    buf_put_cstr(out, "\nevent: status\ndata: ");
    json_init(&w, out); /* its newlines are escaped: the data is one line */
    json_begin_object(&w, NULL);
    order_event_members(&w, &news->event, true);
    order_encode(&w, "order", &news->order, true);
    json_end_object(&w);
    buf_put_cstr(out, "\n\n");
}

static void put_payment_message(struct buf *out, const struct payment_flags *payment)
{
    struct json_writer w;

    buf_put_cstr(out, "event: payment\ndata: ");
    json_init(&w, out);
    json_begin_object(&w, NULL);
    json_int(&w, "payment_id", payment->id);
    if (payment->order_id)
        json_int(&w, "order_id", payment->order_id);
    else
        json_put_null(&w, "order_id");
    json_str(&w, "status", payment_status_text(payment->status));
    json_str(&w, "needs_attention", payment->needs_attention);
    json_bool(&w, "refund_due", payment->refund_due);
    json_end_object(&w);
    buf_put_cstr(out, "\n\n");
}

void feed_resync_message(struct buf *out, int64_t last_id)
{
    if (last_id >= 0) {
        buf_put_cstr(out, "id: ");
        buf_put_int(out, last_id);
        buf_put_char(out, '\n');
    }
    buf_put_cstr(out, "event: resync\ndata: {}\n\n");
}

/* ---- The thread ---- */

static void give(struct feed *feed, struct buf *message, int64_t id)
{
    struct http_chunk *chunk = http_chunk_create(buf_str(message));
    feed->send(feed->ctx, chunk, id);
    http_chunk_unref(chunk);
    message->len = 0;
}

static void send_resync(struct feed *feed, struct arena *arena)
{
    struct buf message;
    buf_init(&message, arena);
    feed_resync_message(&message, -1);
    give(feed, &message, 0);
}

static enum err tell(struct feed *feed, struct arena *arena, const struct store_event *events,
                     size_t n)
{
    int64_t event_ids[SLICE], payment_ids[SLICE];
    struct order_news_find find = {.event_ids = event_ids, .payment_ids = payment_ids};
    struct buf message;

    for (size_t i = 0; i < n; i++) {
        if (events[i].kind == STORE_EVENT_ORDER)
            event_ids[find.n_events++] = events[i].event_id;
        else
            payment_ids[find.n_payments++] = events[i].id;
    }
    enum err err = store_read(feed->store, arena, order_news_find, &find);
    if (err)
        return err;
    buf_init(&message, arena);
    for (size_t i = 0; i < find.n_news; i++) {
        feed_news_message(&message, &find.news[i]);
        give(feed, &message, find.news[i].event.id);
    }
    for (size_t i = 0; i < find.n_flagged; i++) {
        put_payment_message(&message, &find.payments[i]);
        give(feed, &message, 0);
    }
    return ERR_OK;
}

static void tell_all(struct feed *feed, struct arena *arena, const struct store_event *events,
                     size_t n, bool lost)
{
    enum err err = ERR_OK;

    for (size_t from = 0; from < n && !err && !lost; from += SLICE) {
        err = tell(feed, arena, events + from, n - from < SLICE ? n - from : SLICE);
        arena_reset(arena);
    }
    if (err || lost) {
        log_line(LOG_WARN, "board_resync", LOG_INT("err", err), LOG_INT("events", n));
        send_resync(feed, arena);
        arena_reset(arena);
    }
}

static void *run(void *arg)
{
    struct feed *feed = arg;
    struct arena *arena = arena_create();
    struct store_event *events = mem_alloc(sizeof feed->waiting);

    (void)pthread_mutex_lock(&feed->lock);
    while (!feed->stop) {
        if (feed->n == 0 && !feed->lost) {
            (void)pthread_cond_wait(&feed->wake, &feed->lock);
            continue;
        }
        size_t n = feed->n;
        bool lost = feed->lost;
        for (size_t i = 0; i < n; i++)
            events[i] = feed->waiting[i];
        feed->n = 0;
        feed->lost = false;
        (void)pthread_mutex_unlock(&feed->lock);
        tell_all(feed, arena, events, n, lost);
        (void)pthread_mutex_lock(&feed->lock);
    }
    (void)pthread_mutex_unlock(&feed->lock);
    free(events);
    arena_destroy(arena);
    return NULL;
}

struct feed *feed_create(struct store *store, feed_send *send_fn, void *ctx)
{
    struct feed *feed = mem_zalloc(sizeof *feed);
    feed->store = store;
    feed->send = send_fn;
    feed->ctx = ctx;
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_cond_init(&feed->wake, NULL);
    thread_start(&feed->thread, "board", run, feed);
    return feed;
}

void feed_stop(struct feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    bool stopped = feed->stop;
    feed->stop = true;
    (void)pthread_cond_signal(&feed->wake);
    (void)pthread_mutex_unlock(&feed->lock);
    if (!stopped)
        (void)pthread_join(feed->thread, NULL);
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    feed_stop(feed);
    (void)pthread_cond_destroy(&feed->wake);
    (void)pthread_mutex_destroy(&feed->lock);
    free(feed);
}

void feed_push(struct feed *feed, const struct store_event *events, size_t n)
{
    (void)pthread_mutex_lock(&feed->lock);
    for (size_t i = 0; i < n; i++) {
        bool told = events[i].kind == STORE_EVENT_ORDER || events[i].kind == STORE_EVENT_PAYMENT;
        if (told && feed->n < FEED_MAX)
            feed->waiting[feed->n++] = events[i];
        else if (told || events[i].kind == STORE_EVENT_ALL)
            feed->lost = true;
    }
    if (feed->n > 0 || feed->lost)
        (void)pthread_cond_signal(&feed->wake);
    (void)pthread_mutex_unlock(&feed->lock);
}
