/* What the streams of the board are told: every order's new event with its whole order, and
 * payments that are flagged. The thread that committed only notes the ids; a thread of the feed's
 * own reads what belongs to them and makes each message once, for all streams. */
#ifndef SERVERY_API_FEED_H
#define SERVERY_API_FEED_H

#include "net/http.h"
#include "store/order_news.h"

struct feed;

/* Sends to all streams of the board; on the feed's thread. id: the order event's, or 0. */
typedef void feed_send(void *ctx, struct http_chunk *chunk, int64_t id);

struct feed *feed_create(struct store *store, feed_send *send, void *ctx);
void feed_stop(struct feed *feed);    /* before the store is closed: it reads no more */
void feed_destroy(struct feed *feed); /* NULL is fine */

/* Takes note of the orders and payments among what a commit has changed; any thread, waits for
 * nothing. When more wait than FEED_MAX, or they cannot be read, or other servers were not heard
 * for a while, the streams are told to read everything again (`resync`). */
enum { FEED_MAX = 4096 };
void feed_push(struct feed *feed, const struct store_event *events, size_t n);

/* The messages, appended to out. */
void feed_news_message(struct buf *out, const struct order_news *news);
/* last_id: the newest event there is, so that the next connection goes on from there; negative: not
 * known. */
void feed_resync_message(struct buf *out, int64_t last_id);

#endif
