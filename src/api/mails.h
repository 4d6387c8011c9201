/* The mails people get: their words, as text and as HTML, sealed for the outbox. The subjects hold
 * no secret, because telephones show them while they are locked. */
#ifndef SERVERY_API_MAILS_H
#define SERVERY_API_MAILS_H

#include "store/outbox.h"

/* The code of a sign-up; no use after useless_at_ms. */
struct outbox_mail mails_code(const struct crypto_keys *keys, struct arena *arena,
                              struct str shop_name, struct str recipient, struct str otp,
                              int64_t useless_at_ms);

/* The link to choose a new password. The recipient is set by who finds him. */
struct outbox_mail mails_reset(const struct crypto_keys *keys, struct arena *arena,
                               struct str shop_name, struct str link, int64_t useless_at_ms);

#endif
