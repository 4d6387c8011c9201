#include "net/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A ring. The texts of a mail stand in one block of the heap, at `to`. */
struct mailbox {
    pthread_mutex_t lock;
    size_t n_added; /* since the start; the next goes to n_added % MAILBOX_MAX */
    struct {
        char *block;
        struct mailbox_mail mail;
    } slots[MAILBOX_MAX];
};

struct mailbox *mailbox_create(void)
{
    struct mailbox *mailbox = mem_zalloc(sizeof(*mailbox));
    pthread_mutex_init(&mailbox->lock, NULL);
    return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    for (size_t i = 0; i < MAILBOX_MAX; i++)
        free(mailbox->slots[i].block);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

static struct str put(char **at, struct str text)
{
    struct str copy = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

void mailbox_add(struct mailbox *mailbox, const struct mailbox_mail *mail)
{
    char *block = mem_alloc(mail->to.len + mail->subject.len + mail->text.len + 1);
    char *at = block;
    struct mailbox_mail copy = *mail;

    copy.to = put(&at, mail->to);
    copy.subject = put(&at, mail->subject);
    copy.text = put(&at, mail->text);
    pthread_mutex_lock(&mailbox->lock);
    size_t slot = mailbox->n_added++ % MAILBOX_MAX;
    char *oldest = mailbox->slots[slot].block;
    mailbox->slots[slot].block = block;
    mailbox->slots[slot].mail = copy;
    pthread_mutex_unlock(&mailbox->lock);
    free(oldest);
}

const struct mailbox_mail *mailbox_list(struct mailbox *mailbox, struct arena *arena, size_t *ret_n)
{
    pthread_mutex_lock(&mailbox->lock);
    size_t n = mailbox->n_added < MAILBOX_MAX ? mailbox->n_added : MAILBOX_MAX;
    struct mailbox_mail *mails = arena_alloc(arena, (n + 1) * sizeof(*mails));
    for (size_t i = 0; i < n; i++) {
        size_t at = (mailbox->n_added - 1 - i) % MAILBOX_MAX;
        mails[i] = mailbox->slots[at].mail;
        mails[i].to = arena_dup(arena, mails[i].to);
        mails[i].subject = arena_dup(arena, mails[i].subject);
        mails[i].text = arena_dup(arena, mails[i].text);
    }
    pthread_mutex_unlock(&mailbox->lock);
    *ret_n = n;
    return mails;
}
