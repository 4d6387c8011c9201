#include "store/checkout.h"

#include <string.h>

struct str checkout_token(const struct crypto_keys *keys, struct arena *arena, int64_t payment_id,
                          struct str nonce)
{
    unsigned char subject[8 + PAYMENT_NONCE_BYTES] = {0};
    for (size_t i = 0; i < 8; i++)
        subject[i] = (unsigned char)((uint64_t)payment_id >> (56 - 8 * i));
    memcpy(subject + 8, nonce.ptr,
           nonce.len < PAYMENT_NONCE_BYTES ? nonce.len : PAYMENT_NONCE_BYTES);
    struct str hash = crypto_hash_str(keys, arena, "checkout",
                                      (struct str){(const char *)subject, sizeof subject});
    return crypto_base64url(arena, hash);
}

struct str checkout_page_url(const struct crypto_keys *keys, struct arena *arena,
                             struct str public_url, const struct payment *payment)
{
    struct str token = checkout_token(keys, arena, payment->id, payment->nonce);
    return arena_printf(arena, STR_FMT "/pay/%lld#" STR_FMT, STR_ARG(public_url),
                        (long long)payment->id, STR_ARG(token));
}

struct str checkout_url(const struct crypto_keys *keys, struct arena *arena, struct str public_url,
                        const struct payment *payment)
{
    if (payment->remote)
        return payment->provider_url;
    return checkout_page_url(keys, arena, public_url, payment);
}

bool checkout_token_is(const struct crypto_keys *keys, struct arena *arena,
                       const struct payment *payment, struct str token)
{
    return crypto_equal(checkout_token(keys, arena, payment->id, payment->nonce), token);
}

struct str checkout_provider_key(struct arena *arena, const struct payment *payment)
{
    return arena_printf(arena, "servery-%lld-" STR_FMT, (long long)payment->id,
                        STR_ARG(crypto_base64url(arena, payment->nonce)));
}
