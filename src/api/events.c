/* The event stream of an order: first what was missed, then what happens. */
#include "api/auth.h"
#include "api/handlers.h"
#include "api/hub.h"
#include "api/orders.h"

struct replay {
    struct call *c;
    struct session session;
    int64_t owner_id; /* 0: no such order */
    struct order_events_after missed;
};

static enum err read_missed(struct tx *tx, void *arg)
{
    struct replay *replay = arg;
    struct call *c = replay->c;
    enum err err =
        session_find_by_id(tx, c->session.id, c->session.user_id, c->now_ms, &replay->session);
    if (!err)
        err = order_owner(tx, replay->missed.order_id, &replay->owner_id);
    if (!err)
        err = order_events_after(tx, &replay->missed);
    return err;
}

/* What is no id of ours replays everything. */
static int64_t last_event_id(const struct call *c)
{
    int64_t id;
    struct str header = http_header_get(c->http, "Last-Event-ID");
    return header.ptr && str_to_int64(header, &id) && id > 0 ? id : 0;
}

/* The session is looked at again after subscribing: a logout before that was not told to the hub,
 * one after it is. An answer other than 200 closes the stream unopened. */
enum err order_events_get(struct call *c)
{
    const struct hub_subscription on = {
        .user_id = c->session.user_id,
        .session_id = c->session.id,
        .order_id = c->http->ids[0],
        .deadline_ms = c->session.expires_at_ms,
    };
    struct replay replay = {
        .c = c,
        .missed = {.order_id = c->http->ids[0], .after_id = last_event_id(c)},
    };
    struct http_stream *stream;

    if (!hub_open(c->api->hub, c->http, &on, &stream))
        return problem_set(&c->problem, PROBLEM_TOO_MANY_STREAMS, NULL);
    enum err err = call_read(c, read_missed, &replay);
    if (!err)
        err = auth_check(c, &replay.session);
    if (err)
        return err;
    if (!replay.owner_id ||
        (replay.owner_id != c->session.user_id && replay.session.role != ROLE_ADMIN))
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);

    struct buf *out = call_events(c);
    for (size_t i = 0; i < replay.missed.n; i++)
        order_event_message(out, &replay.missed.events[i]);
    if (replay.missed.n > 0)
        http_stream_replayed(stream, replay.missed.events[replay.missed.n - 1].id);
    return ERR_OK;
}
