/* The open event streams, and who gets which event. The store's listener feeds it after each
 * commit; a thread of its own ends streams whose session another process has ended. What streams of
 * all orders get is made elsewhere (api/feed.h).
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

/* Opens an event stream on the call and subscribes it to an order, or to all, before what was missed
 * is read. It ends with the session. False, and nothing is opened: the user has STREAMS_PER_USER
 * already. */
enum { HUB_ALL_ORDERS = 0 };
struct hub_subscription {
    int64_t user_id, session_id, order_id;
    int64_t deadline_ms; /* wall clock: the session's expiry */
};
MUST_CHECK bool hub_open(struct hub *hub, struct http_call *call,
                         const struct hub_subscription *subscription,
                         struct http_stream **ret_stream);

/* What a commit has changed; on the thread that committed. Cheap when nobody listens. */
void hub_apply(struct hub *hub, const struct store_event *events, size_t n);

#endif
