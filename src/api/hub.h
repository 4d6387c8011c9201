/* The open event streams, and who gets which event. The store's listener feeds it after each
 * commit; a thread of its own ends streams whose session another process has ended, and looks at
 * all that is followed when other servers were not heard for a while. What streams of all orders
 * get is made elsewhere (api/feed.h).
 *
 * A stream of one order. Several servers tell of their commits each when it can, so what arrives
 * here says only that something has become of an order: event 8 of it may be told before 7, or 7
 * never. So what is sent is always read: the order's events after the last one that the stream was
 * given, which makes them come in their order, none twice, and one that was missed with the next.
 * The beginning:
 *   1. hub_open subscribes; from here on the stream is given events, and they wait in it.
 *   2. The caller reads what to replay, all events up to one of id R.
 *   3. hub_replayed(R). What waits up to R is dropped when the answer begins; nothing up to R is
 *      given from here on.
 * What was committed before 2 is in the replay. What was committed later is told to the hub after
 * 1, is read above R or a lower id, and is given once: above R it was not replayed, and no event of
 * the order comes to be later below one that was read (order_events_of). Two that read at the same
 * time (a commit's thread and the hub's own) may each find the same events: whoever gives them
 * first moves the stream's last id, and the other gives only what is above it.
 *
 * Locking: one mutex. Who sends to a stream, or ends it, holds it; the server's word that a stream
 * is closed takes it too, so nobody ever sends to one that is gone (net/http.h). */
#ifndef SERVERY_API_HUB_H
#define SERVERY_API_HUB_H

#include "net/http.h"
#include "store/store.h"

struct hub;

struct hub *hub_create(struct store *store);
void hub_stop(struct hub *hub);    /* before the store is closed: it reads no more; NULL is fine */
void hub_destroy(struct hub *hub); /* after the server is stopped; NULL is fine */

/* Opens an event stream on the call and subscribes it to an order, or to all, before what was
 * missed is read. It ends with the session. False, and nothing is opened: the user has
 * STREAMS_PER_USER already. */
enum { HUB_ALL_ORDERS = 0 };
struct hub_subscription {
    int64_t user_id, session_id, order_id;
    int64_t deadline_ms; /* wall clock: the session's expiry */
};
MUST_CHECK bool hub_open(struct hub *hub, struct http_call *call,
                         const struct hub_subscription *subscription,
                         struct http_stream **ret_stream);

/* The events of its order up to this id are in the answer, or known to the reader. */
void hub_replayed(struct hub *hub, struct http_stream *stream, int64_t order_id, int64_t event_id);

/* What a commit has changed; on the thread that committed, or that heard of it. Cheap when nobody
 * listens. */
void hub_apply(struct hub *hub, const struct store_event *events, size_t n);

#endif
