/* Sends what waits in the outbox. A mail that cannot be sent is tried again, later and later, until
 * it is useless or a day old; one that was sent may, after a crash, be sent again with the same
 * Message-ID. Several servers share one outbox: each mail is leased by who sends it. */
#ifndef SERVERY_JOBS_MAILER_H
#define SERVERY_JOBS_MAILER_H

#include "base/crypto.h"
#include "net/mail.h"
#include "net/mailbox.h"
#include "store/store.h"

struct mailer;

enum {
    MAILER_THREADS = 2,          /* a server that hangs for one mail does not hold up all */
    MAILER_LEASE_MS = 50 * 1000, /* a server that dies leaves no mail unsent for a minute */
    MAILER_FIRST_DELAY_MS = 5 * 1000,
    MAILER_LAST_DELAY_MS = 60 * 60 * 1000,
    MAILER_GIVE_UP_MS = 24 * 60 * 60 * 1000,
};

struct mailer_options {
    struct store *store; /* must outlive it, as the keys and the mailbox must */
    const struct crypto_keys *keys;
    struct mail_target target; /* its total timeout must be shorter than the lease */
    struct mail_address from;  /* copied */
    struct mailbox *mailbox;   /* gets a copy of what was sent; NULL: none */
};

/* What happened since the start. */
struct mailer_stats {
    int64_t sent, retried;
    int64_t failed;  /* given up: refused, or tried for too long */
    int64_t expired; /* not sent because it was too late for it */
};

/* Starts the threads. */
struct mailer *mailer_create(const struct mailer_options *options);

/* A mail waits: look now. Any thread; ctx is the mailer. Signature of api.mail_waits. */
void mailer_wake(void *ctx);

void mailer_stats(const struct mailer *mailer, struct mailer_stats *ret_stats);

/* Waits up to timeout_ms for the mail that is being sent. A thread that still waits for the mail
 * server then is left behind, touches neither store nor mailbox any more, and its mail is sent
 * again when its lease is over. True if one was: it still uses libcurl and the options' texts, so
 * the process must end without cleaning these up. Before the store is closed; NULL is fine. */
bool mailer_stop(struct mailer *mailer, int64_t timeout_ms);
void mailer_destroy(struct mailer *mailer); /* stopped, never woken again; NULL is fine */

/* How long to wait after the attempts-th failure: doubled each time, then up to half of it taken
 * off by `random`, so that mails that failed together do not come back together. */
int64_t mailer_delay_ms(int64_t attempts, uint32_t random);

#endif
