/* The checkout page's address and its token: a keyed hash of the payment's id and nonce, so that
 * the same payment always has the same address, nothing more has to be stored, and the token of one
 * payment says nothing about another's. */
#ifndef SERVERY_STORE_CHECKOUT_H
#define SERVERY_STORE_CHECKOUT_H

#include "base/crypto.h"
#include "store/payment.h"

struct str checkout_token(const struct crypto_keys *keys, struct arena *arena, int64_t payment_id,
                          struct str nonce);

/* {public_url}/pay/{id}#{token} */
struct str checkout_page_url(const struct crypto_keys *keys, struct arena *arena,
                             struct str public_url, const struct payment *payment);

/* Where the customer pays: the page above, or the remote provider's own; STR_NONE while a remote
 * provider has not created it. */
struct str checkout_url(const struct crypto_keys *keys, struct arena *arena, struct str public_url,
                        const struct payment *payment);

/* In constant time. */
bool checkout_token_is(const struct crypto_keys *keys, struct arena *arena,
                       const struct payment *payment, struct str token);

/* The key by which a remote provider knows the payment: the same in every call about it. */
struct str checkout_provider_key(struct arena *arena, const struct payment *payment);

#endif
