/* The board's event stream: every order's events. A reader opens it, reads the board, and then
 * changes it by what comes; it reads the board again when it is told `resync`. The stream says so
 * whenever it is not sure that it can replay all that the reader has missed. */
#include "api/feed.h"
#include "api/handlers.h"
#include "api/hub.h"
#include "domain/limits.h"

enum { FRESH = -1 };

/* FRESH without the header; what is no id of ours is one that no event has. */
static int64_t last_event_id(const struct call *c)
{
    struct str header = http_header_get(c->http, "Last-Event-ID");
    int64_t id;

    if (header.len == 0)
        return FRESH;
    return str_to_int64(header, &id) && id >= 0 ? id : INT64_MAX;
}

/* What was missed; false if that is too long: a stream is dropped whose client lags so far
 * behind. */
static bool put_missed(struct buf *out, const struct order_news_since *since)
{
    size_t start = out->len;

    for (size_t i = 0; i < since->n && out->len - start <= BOARD_REPLAY_MAX_BYTES; i++)
        feed_news_message(out, &since->news[i]);
    bool fits = out->len - start <= BOARD_REPLAY_MAX_BYTES;
    if (!fits)
        out->len = start;
    return fits;
}

/* A reader that comes for the first time learns where it stands, so that it can come back. */
static void put_beginning(struct buf *out, const struct order_news_since *since)
{
    if (since->after_id == FRESH) {
        buf_put_cstr(out, "id: ");
        buf_put_int(out, since->last_id);
        buf_put_cstr(out, "\n\n");
    } else if (!since->sure || !put_missed(out, since)) {
        feed_resync_message(out, since->last_id);
    }
}

/* As order_events_get: subscribe, look at the session again, read. All up to the newest event is
 * then the replay's, or in the board that the reader is going to read; but for those of lower ids
 * that may still show up where transactions overlap: there nothing is dropped by its id. */
enum err admin_orders_events_get(struct call *c)
{
    const struct hub_subscription on = {
        .user_id = c->session.user_id,
        .session_id = c->session.id,
        .order_id = HUB_ALL_ORDERS,
        .deadline_ms = c->session.expires_at_ms,
    };
    struct order_news_since since = {.after_id = last_event_id(c), .limit = BOARD_REPLAY_MAX};
    struct http_stream *stream;

    if (!hub_open(c->api->hub, c->http, &on, &stream))
        return problem_set(&c->problem, PROBLEM_TOO_MANY_STREAMS, NULL);
    enum err err = call_read_checked(c, order_news_since, &since);
    if (err)
        return err;
    put_beginning(call_events(c), &since);
    if (since.in_order)
        http_stream_replayed(stream, since.last_id);
    return ERR_OK;
}
