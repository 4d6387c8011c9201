/* How a payment looks on the wire. */
#ifndef SERVERY_API_PAYMENTS_H
#define SERVERY_API_PAYMENTS_H

#include "api/call.h"
#include "store/payment.h"

/* Writes {id, status, amount, currency, provider, checkout_url, expires_at, order_id, in_question}
 * under `key`, with the status it counts as at c->now_ms. */
void payment_encode(struct call *c, struct json_writer *w, const char *key,
                    const struct payment *payment);

/* The same members, into an object that is begun. */
void payment_encode_members(struct call *c, struct json_writer *w, const struct payment *payment);

/* A line in the log if it needs attention, for after news. */
void payment_log_attention(const struct payment *payment);

#endif
