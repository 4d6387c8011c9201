/* The event stream of an order: first what was missed, then what happens. */
#include "api/handlers.h"
#include "api/hub.h"
#include "api/orders.h"

struct replay {
    int64_t order_id;
    int64_t owner_id; /* 0: no such order */
    struct order_events_of all;
};

static enum err read_all(struct tx *tx, void *arg)
{
    struct replay *replay = arg;
    enum err err = order_owner(tx, replay->order_id, &replay->owner_id);
    return err ? err : order_events_of(tx, &replay->all);
}

/* What is no id of ours replays everything; so does one that the order has not come to. */
static int64_t last_event_id(const struct call *c, int64_t newest_id)
{
    int64_t id;
    struct str header = http_header_get(c->http, "Last-Event-ID");
    return header.ptr && str_to_int64(header, &id) && id > 0 && id <= newest_id ? id : 0;
}

/* The session is looked at again after subscribing: a logout before that was not told to the hub,
 * one after it is. An answer other than 200 closes the stream unopened. */
enum err order_events_get(struct call *c)
{
    int64_t order_id = c->http->ids[0];
    const struct hub_subscription on = {
        .user_id = c->session.user_id,
        .session_id = c->session.id,
        .order_id = order_id,
        .deadline_ms = c->session.expires_at_ms,
    };
    struct replay replay = {.order_id = order_id, .all = {.order_ids = &order_id, .n_orders = 1}};
    struct http_stream *stream;

    if (!hub_open(c->api->hub, c->http, &on, &stream))
        return problem_set(&c->problem, PROBLEM_TOO_MANY_STREAMS, NULL);
    enum err err = call_read_checked(c, read_all, &replay);
    if (err)
        return err;
    if (!replay.owner_id ||
        (replay.owner_id != c->session.user_id && c->session.role != ROLE_ADMIN))
        return problem_set(&c->problem, PROBLEM_NOT_FOUND, NULL);

    const struct order_events_of *all = &replay.all;
    struct buf *out = call_events(c);
    int64_t newest_id = all->n > 0 ? all->events[all->n - 1].id : 0;
    int64_t seen_id = last_event_id(c, newest_id);
    for (size_t i = 0; i < all->n; i++)
        if (all->events[i].id > seen_id)
            order_event_message(out, &all->events[i]);
    hub_replayed(c->api->hub, stream, order_id, newest_id);
    return ERR_OK;
}
