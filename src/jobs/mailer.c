#include "jobs/mailer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/outbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    POLL_MS = 60 * 1000,       /* what another server's crash left behind is seen by then */
    STORE_PAUSE_MS = 5 * 1000, /* after the database gave no answer */
};

struct mailer {
    struct mailer_options options;
    struct arena *arena; /* of the options' texts */
    atomic_int refs;     /* the threads, and whoever made it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    int busy;                          /* threads that hold store or mailbox */
    int running;                       /* threads that have not ended */
    pthread_t threads[MAILER_THREADS]; /* of whoever made it */
    int n_threads;                     /* not yet joined or left behind */
    uint64_t n_wakes;
    atomic_int_least64_t sent, retried, failed, expired;
};

static void unref(struct mailer *mailer)
{
    if (atomic_fetch_sub(&mailer->refs, 1) > 1)
        return;
    pthread_cond_destroy(&mailer->changed);
    pthread_mutex_destroy(&mailer->lock);
    arena_destroy(mailer->arena);
    free(mailer);
}

int64_t mailer_delay_ms(int64_t attempts, uint32_t random)
{
    int64_t delay = MAILER_FIRST_DELAY_MS;
    for (int64_t i = 1; i < attempts && delay < MAILER_LAST_DELAY_MS; i++)
        delay *= 2;
    if (delay > MAILER_LAST_DELAY_MS)
        delay = MAILER_LAST_DELAY_MS;
    return delay - (int64_t)(random % (uint64_t)(delay / 2 + 1));
}

/* Between these two a thread may use store and mailbox; false: it must end. */
static bool enter(struct mailer *mailer)
{
    pthread_mutex_lock(&mailer->lock);
    bool go = !mailer->stop;
    mailer->busy += go;
    pthread_mutex_unlock(&mailer->lock);
    return go;
}

static void leave(struct mailer *mailer)
{
    pthread_mutex_lock(&mailer->lock);
    mailer->busy--;
    pthread_cond_broadcast(&mailer->changed);
    pthread_mutex_unlock(&mailer->lock);
}

static void log_mail(enum log_level level, const char *event, const struct outbox_mail *mail,
                     const struct mail_result *result)
{
    log_line(level, event, LOG_INT("mail_id", mail->id), LOG_INT("attempts", mail->attempts),
             LOG_INT("code", result->code), LOG_CSTR("error", result->error));
}

/* ---- One mail ---- */

/* What is written down of an attempt, and said of it in the log. */
static struct outbox_finish judge(struct mailer *mailer, const struct outbox_mail *mail,
                                  const struct mail_result *result)
{
    int64_t now_ms = clock_now_ms();
    int64_t next_at_ms = now_ms + mailer_delay_ms(mail->attempts, crypto_random_below(UINT32_MAX));
    bool too_old = next_at_ms >= mail->created_at_ms + MAILER_GIVE_UP_MS;
    struct outbox_finish finish = {.id = mail->id, .now_ms = now_ms, .next_at_ms = next_at_ms};

    switch (result->outcome) {
    case MAIL_SENT:
        atomic_fetch_add(&mailer->sent, 1);
        finish.result = OUTBOX_SENT;
        return finish;
    case MAIL_RETRY:
        if (!too_old) {
            atomic_fetch_add(&mailer->retried, 1);
            log_mail(LOG_WARN, "mail_retried", mail, result);
            finish.result = OUTBOX_RETRY;
            return finish;
        }
        break;
    case MAIL_REFUSED:
        break;
    }
    atomic_fetch_add(&mailer->failed, 1);
    log_mail(LOG_ERROR, "mail_given_up", mail, result);
    finish.result = OUTBOX_FAILED;
    return finish;
}

static void keep_copy(struct mailer *mailer, const struct outbox_mail *mail,
                      const struct mail_message *message)
{
    if (mailer->options.mailbox)
        mailbox_add(mailer->options.mailbox, &(struct mailbox_mail){.id = mail->id,
                                                                    .to = message->to,
                                                                    .subject = message->subject,
                                                                    .text = message->text,
                                                                    .sent_at_ms = clock_now_ms()});
}

/* A mail that was taken. */
struct delivery {
    struct outbox_mail mail;
    struct mail_message message;
    bool readable;
};

static void prepare(struct mailer *mailer, struct arena *arena, const struct outbox_mail *mail,
                    struct delivery *ret_delivery)
{
    struct delivery d = {.mail = *mail};

    d.message.from = mailer->options.from;
    d.message.to = mail->recipient;
    d.message.subject = mail->subject;
    d.message.id = arena_printf(arena, "servery-%lld-%lld", (long long)mail->created_at_ms,
                                (long long)mail->id);
    d.message.date_ms = mail->created_at_ms;
    d.readable = outbox_open(mailer->options.keys, arena, mail->sealed_body, &d.message.text,
                             &d.message.html);
    *ret_delivery = d;
}

/* Not between enter and leave, because the mail server may hang. False: it stopped meanwhile. */
static bool deliver(struct mailer *mailer, struct arena *arena, const struct delivery *d)
{
    struct mail_result result = {.outcome = MAIL_REFUSED, .error = "sealed with another key"};

    if (d->readable)
        mail_send(&mailer->options.target, &d->message, &result);
    if (!enter(mailer))
        return false;
    struct outbox_finish finish = judge(mailer, &d->mail, &result);
    if (finish.result == OUTBOX_SENT)
        keep_copy(mailer, &d->mail, &d->message);
    /* If this cannot be written the lease runs out and the mail is sent again. */
    enum err err = store_write(mailer->options.store, arena, outbox_finish, &finish);
    if (err)
        log_line(LOG_ERROR, "mail_result_not_written", LOG_INT("mail_id", d->mail.id));
    leave(mailer);
    return true;
}

_Static_assert((int)MAILER_LEASE_MS > (int)MAIL_TOTAL_TIMEOUT_MS,
               "a mail is sent within its lease");

/* ---- The threads ---- */

/* Takes one mail: at a stop or a crash no more than one a thread waits for its lease to end.
 * *ret_delay_ms is how long to wait when none is due (the delivery's mail then has no id). */
static void take_mail(struct mailer *mailer, struct arena *arena, struct delivery *ret_delivery,
                      int64_t *ret_delay_ms)
{
    struct outbox_take take = {.now_ms = clock_now_ms(), .lease_ms = MAILER_LEASE_MS, .max = 1};

    ret_delivery->mail.id = 0;
    *ret_delay_ms = STORE_PAUSE_MS;
    if (store_write(mailer->options.store, arena, outbox_take, &take) != ERR_OK) {
        log_line(LOG_ERROR, "outbox_not_read");
        return;
    }
    if (take.n_expired > 0) {
        atomic_fetch_add(&mailer->expired, (int64_t)take.n_expired);
        log_line(LOG_WARN, "mail_expired", LOG_INT("count", take.n_expired));
    }
    if (take.n > 0)
        prepare(mailer, arena, &take.mails[0], ret_delivery);
    *ret_delay_ms = POLL_MS;
    if (take.next_at_ms != 0 && take.next_at_ms < take.now_ms + POLL_MS)
        *ret_delay_ms = take.next_at_ms > take.now_ms ? take.next_at_ms - take.now_ms : 0;
}

/* Until woken after `n_wakes`, or for delay_ms. */
static void wait_for_mail(struct mailer *mailer, uint64_t n_wakes, int64_t delay_ms)
{
    const struct timespec until = clock_mono_after(delay_ms);
    int rc = 0;

    pthread_mutex_lock(&mailer->lock);
    while (!mailer->stop && mailer->n_wakes == n_wakes && rc == 0)
        rc = pthread_cond_clockwait(&mailer->changed, &mailer->lock, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&mailer->lock);
}

static void *run(void *arg)
{
    struct mailer *mailer = arg;
    struct arena *arena = arena_create();

    for (;;) {
        struct delivery delivery;
        int64_t delay_ms;
        pthread_mutex_lock(&mailer->lock);
        uint64_t n_wakes = mailer->n_wakes;
        pthread_mutex_unlock(&mailer->lock);
        if (!enter(mailer))
            break;
        take_mail(mailer, arena, &delivery, &delay_ms);
        leave(mailer);
        if (delivery.mail.id == 0)
            wait_for_mail(mailer, n_wakes, delay_ms);
        else if (!deliver(mailer, arena, &delivery))
            break;
        arena_reset(arena);
    }
    arena_destroy(arena);
    pthread_mutex_lock(&mailer->lock);
    mailer->running--;
    pthread_cond_broadcast(&mailer->changed);
    pthread_mutex_unlock(&mailer->lock);
    unref(mailer);
    return NULL;
}

struct mailer *mailer_create(const struct mailer_options *options)
{
    struct mailer *mailer = mem_zalloc(sizeof(*mailer));

    mailer->arena = arena_create();
    mailer->options = *options;
    mailer->options.from.name = arena_dup(mailer->arena, options->from.name);
    mailer->options.from.addr = arena_dup(mailer->arena, options->from.addr);
    atomic_init(&mailer->refs, 1 + MAILER_THREADS);
    mailer->running = mailer->n_threads = MAILER_THREADS;
    pthread_mutex_init(&mailer->lock, NULL);
    pthread_cond_init(&mailer->changed, NULL);
    for (int i = 0; i < MAILER_THREADS; i++)
        thread_start(&mailer->threads[i], "mailer", run, mailer);
    return mailer;
}

void mailer_wake(void *ctx)
{
    struct mailer *mailer = ctx;

    pthread_mutex_lock(&mailer->lock);
    mailer->n_wakes++;
    pthread_cond_broadcast(&mailer->changed);
    pthread_mutex_unlock(&mailer->lock);
}

void mailer_stats(const struct mailer *mailer, struct mailer_stats *ret_stats)
{
    ret_stats->sent = atomic_load_explicit(&mailer->sent, memory_order_relaxed);
    ret_stats->retried = atomic_load_explicit(&mailer->retried, memory_order_relaxed);
    ret_stats->failed = atomic_load_explicit(&mailer->failed, memory_order_relaxed);
    ret_stats->expired = atomic_load_explicit(&mailer->expired, memory_order_relaxed);
}

/* A thread that is still ending while the process does would meet libraries that have cleaned up
 * (OpenSSL frees what the end of a thread needs): it is waited for, unless it hangs in a mail. */
static void end_threads(struct mailer *mailer, bool is_left)
{
    for (; mailer->n_threads > 0; mailer->n_threads--) {
        pthread_t thread = mailer->threads[mailer->n_threads - 1];
        if (is_left)
            pthread_detach(thread);
        else
            pthread_join(thread, NULL);
    }
}

bool mailer_stop(struct mailer *mailer, int64_t timeout_ms)
{
    if (!mailer)
        return false;
    const struct timespec until = clock_mono_after(timeout_ms);
    int rc = 0;

    pthread_mutex_lock(&mailer->lock);
    mailer->stop = true;
    pthread_cond_broadcast(&mailer->changed);
    while (mailer->running > 0 && rc == 0)
        rc = pthread_cond_clockwait(&mailer->changed, &mailer->lock, CLOCK_MONOTONIC, &until);
    /* Who holds the store finishes with it, however long; a write is short. */
    while (mailer->busy > 0)
        pthread_cond_wait(&mailer->changed, &mailer->lock);
    bool is_left = mailer->running > 0;
    if (is_left)
        log_line(LOG_WARN, "mail_left_unsent", LOG_INT("count", mailer->running));
    pthread_mutex_unlock(&mailer->lock);
    end_threads(mailer, is_left);
    return is_left;
}

void mailer_destroy(struct mailer *mailer)
{
    if (mailer)
        unref(mailer);
}
