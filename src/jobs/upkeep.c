#include "jobs/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/checkout.h"
#include "store/sweep.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PERIOD_MS SECOND_MS      /* the longest that a hold outlives its time */
#define OLD_PERIOD_MS MINUTE_MS

struct upkeep {
    struct upkeep_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under the lock */
    struct arena *arena;
    int64_t old_due_ms; /* monotonic */
};

static bool is_stopped(struct upkeep *u)
{
    pthread_mutex_lock(&u->lock);
    bool stop = u->stop;
    pthread_mutex_unlock(&u->lock);
    return stop;
}

/* True when it is time to stop. */
static bool wait_a_period(struct upkeep *u)
{
    const struct timespec until = clock_mono_after(PERIOD_MS);

    pthread_mutex_lock(&u->lock);
    while (!u->stop &&
           pthread_cond_clockwait(&u->wake, &u->lock, CLOCK_MONOTONIC, &until) == 0) {
    }
    bool stop = u->stop;
    pthread_mutex_unlock(&u->lock);
    return stop;
}

/* What fails is tried again a period later; a full disk is logged where it hurts somebody. */
static void log_failure(const char *what, enum err err)
{
    if (err)
        log_line(LOG_WARN, "upkeep_failed", LOG_CSTR("task", what), LOG_INT("err", err));
}

/* ---- The reconciler ---- */

static struct payment_news news_of(const struct payment *payment,
                                   const struct provider_answer *answer, int64_t now_ms)
{
    struct payment_news news = {
        .payment_id = payment->id,
        .kind = PAYMENT_NEWS_OPEN,
        .provider_ref = answer->provider_ref,
        .provider_url = answer->url,
        .amount_minor = answer->amount_minor,
        .currency = answer->currency,
        .next_call_at_ms = now_ms + PAYMENT_LOOK_MS,
        .now_ms = now_ms,
    };
    switch (answer->state) {
    case PROVIDER_OPEN:
        break;
    case PROVIDER_PAID:
        news.kind = PAYMENT_NEWS_PAID;
        break;
    case PROVIDER_FAILED:
    case PROVIDER_CLOSED:
        news.kind = PAYMENT_NEWS_CLOSED;
        news.refused = payment->status == PAYMENT_CREATING;
        break;
    }
    return news;
}

static enum err ask(const struct upkeep *u, const struct payment *payment,
                    struct provider_answer *ret_answer)
{
    const struct upkeep_options *o = &u->options;
    const struct provider_payment asked = {
        .payment_id = payment->id,
        .amount_minor = payment->amount_minor,
        .currency = payment->currency,
        .key = checkout_provider_key(u->arena, payment),
        .provider_ref = payment->provider_ref,
        .return_url = checkout_page_url(o->keys, u->arena, o->public_url, payment),
        .expires_at_ms = payment->expires_at_ms,
    };
    const struct payment_provider_ops *ops = o->provider->ops;
    if (payment->status == PAYMENT_CREATING)
        return ops->create(o->provider, u->arena, &asked, ret_answer);
    if (payment->status == PAYMENT_CANCELLING)
        return ops->cancel(o->provider, u->arena, &asked, ret_answer);
    return ops->look(o->provider, u->arena, &asked, ret_answer);
}

static enum err reconcile(struct upkeep *u, const struct payment *payment)
{
    struct provider_answer answer;
    enum err err = ask(u, payment, &answer);
    int64_t now_ms = clock_now_ms();

    if (err) {
        struct payment_unclaim unclaim = {
            .payment_id = payment->id,
            .claimed_until_ms = payment->claimed_until_ms,
            .next_at_ms =
                payment->status == PAYMENT_CREATING ? now_ms : now_ms + PAYMENT_LOOK_MS,
            .now_ms = now_ms,
        };
        log_line(LOG_WARN, "provider_unavailable", LOG_INT("payment_id", payment->id));
        return store_write(u->options.store, u->arena, payment_unclaim, &unclaim);
    }
    struct payment_news news = news_of(payment, &answer, now_ms);
    err = store_write(u->options.store, u->arena, payment_news, &news);
    if (!err && news.payment.status != payment->status)
        log_line(LOG_INFO, "payment_reconciled", LOG_INT("payment_id", payment->id),
                 LOG_STR("status", payment_status_text(news.payment.status)));
    if (!err && news.payment.needs_attention.ptr && !payment->needs_attention.ptr)
        log_line(LOG_WARN, "payment_needs_attention", LOG_INT("payment_id", payment->id),
                 LOG_STR("reason", news.payment.needs_attention));
    return err;
}

static void reconcile_due(struct upkeep *u)
{
    int64_t now_ms = clock_now_ms();
    struct sweep_calls calls = {
        .now_ms = now_ms,
        .claim_until_ms = now_ms + PAYMENT_CLAIM_MS,
        .provider = str_from(u->options.provider->name),
    };
    enum err err = store_write(u->options.store, u->arena, sweep_calls, &calls);
    log_failure("claim", err);
    for (size_t i = 0; !err && i < calls.n && !is_stopped(u); i++)
        log_failure("reconcile", reconcile(u, &calls.payments[i]));
}

/* ---- The sweeper ---- */

static void sweep_holds(struct upkeep *u)
{
    struct sweep_payments sweep = {.now_ms = clock_now_ms(), .more = true};
    enum err err = ERR_OK;
    while (sweep.more && !err && !is_stopped(u))
        err = store_write(u->options.store, u->arena, sweep_payments, &sweep);
    log_failure("holds", err);
}

static void sweep_old_rows(struct upkeep *u)
{
    struct sweep_old sweep = {.now_ms = clock_now_ms(), .more = true};
    enum err err = ERR_OK;
    while (sweep.more && !err && !is_stopped(u))
        err = store_write(u->options.store, u->arena, sweep_old, &sweep);
    log_failure("old_rows", err);
}

static void run_once(struct upkeep *u)
{
    struct sweep_due due = {
        .now_ms = clock_now_ms(),
        .provider = str_from(u->options.provider->name),
    };
    enum err err = store_read(u->options.store, u->arena, sweep_due, &due);
    log_failure("due", err);
    if (err)
        return;
    if (due.payments)
        sweep_holds(u);
    if (due.calls && provider_is_remote(u->options.provider))
        reconcile_due(u);
    if (clock_mono_ms() >= u->old_due_ms) {
        sweep_old_rows(u);
        u->old_due_ms = clock_mono_ms() + OLD_PERIOD_MS;
    }
}

static void *run(void *arg)
{
    struct upkeep *u = arg;
    do {
        run_once(u);
        arena_reset(u->arena);
    } while (!wait_a_period(u));
    return NULL;
}

enum err upkeep_create(const struct upkeep_options *options, struct upkeep **ret_upkeep)
{
    struct upkeep *u = mem_zalloc(sizeof *u);

    u->options = *options;
    u->arena = arena_create();
    u->old_due_ms = clock_mono_ms() + OLD_PERIOD_MS;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->wake, NULL);
    int rc = pthread_create(&u->thread, NULL, run, u);
    if (rc) {
        log_line(LOG_ERROR, "thread_failed", LOG_CSTR("thread", "upkeep"), LOG_INT("rc", rc));
        arena_destroy(u->arena);
        free(u);
        return ERR_INTERNAL;
    }
    pthread_setname_np(u->thread, "upkeep");
    *ret_upkeep = u;
    return ERR_OK;
}

void upkeep_destroy(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stop = true;
    pthread_cond_signal(&upkeep->wake);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->wake);
    pthread_mutex_destroy(&upkeep->lock);
    arena_destroy(upkeep->arena);
    free(upkeep);
}
