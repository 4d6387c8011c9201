/* The outbox: a mail is a row written in the transaction that causes it, sent later by a job. */
#ifndef SERVERY_STORE_OUTBOX_H
#define SERVERY_STORE_OUTBOX_H

#include "base/crypto.h"
#include "store/store.h"

struct outbox_mail {
    int64_t id;
    struct str recipient, subject;
    struct str sealed_body; /* made by outbox_seal */
    int64_t attempts;       /* the one it was just taken for included */
    int64_t useless_at_ms;  /* 0: never */
    int64_t created_at_ms;
};

/* A mail's text and HTML, unreadable without the shop's key. Open fails if they were sealed with
 * another one. */
struct str outbox_seal(const struct crypto_keys *keys, struct arena *arena, struct str text,
                       struct str html);
MUST_CHECK bool outbox_open(const struct crypto_keys *keys, struct arena *arena, struct str sealed,
                            struct str *ret_text, struct str *ret_html);

/* Emits STORE_EVENT_OUTBOX. */
MUST_CHECK enum err outbox_add(struct tx *tx, const struct outbox_mail *mail, int64_t now_ms);

/* Up to `max` mails due at now, oldest first; those past useless_at are marked expired instead.
 * Each one returned is leased: not due again before now + lease_ms, so that two senders never take
 * one. */
struct outbox_take {
    int64_t now_ms, lease_ms;
    size_t max;
    size_t n; /* out */
    struct outbox_mail *mails;
    size_t n_expired;   /* out: how many were not sent because it was too late */
    int64_t next_at_ms; /* out: when the next one is due; 0: none waits */
};
MUST_CHECK enum err outbox_take(struct tx *tx, void *take);

/* The result: sent and failed blank the body; a retry is due at next_at_ms. A mail that is done
 * stays as it is. */
enum outbox_result { OUTBOX_SENT, OUTBOX_RETRY, OUTBOX_FAILED };
struct outbox_finish {
    int64_t id;
    enum outbox_result result;
    int64_t now_ms, next_at_ms;
};
MUST_CHECK enum err outbox_finish(struct tx *tx, void *finish);

#endif
