/* A copy in memory of the last mails sent, for trying the server out without a mail account. */
#ifndef SERVERY_NET_MAILBOX_H
#define SERVERY_NET_MAILBOX_H

#include "base/arena.h"

struct mailbox;

enum { MAILBOX_MAX = 1000 };

struct mailbox_mail {
    int64_t id;
    struct str to, subject, text;
    int64_t sent_at_ms;
};

struct mailbox *mailbox_create(void);
void mailbox_destroy(struct mailbox *mailbox); /* NULL is fine */

/* Keeps a copy; the oldest one goes when there are MAILBOX_MAX. Any thread. */
void mailbox_add(struct mailbox *mailbox, const struct mailbox_mail *mail);

/* All of them, newest first, copied into the arena. Any thread. */
const struct mailbox_mail *mailbox_list(struct mailbox *mailbox, struct arena *arena,
                                        size_t *ret_n);

#endif
