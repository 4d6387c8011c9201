#include "jobs/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/sweep.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PERIOD_MS SECOND_MS /* the longest that a hold outlives its time */
#define OLD_PERIOD_MS MINUTE_MS
#define QUIET_MS (10 * SECOND_MS) /* while the database is away, that is said so often */

struct upkeep {
    struct upkeep_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;           /* under the lock */
    struct arena *arena; /* reset after each transaction and what was done with its rows */
    struct str provider; /* see store/sweep.h */
    int64_t old_due_ms;  /* monotonic */
    int64_t quiet_until_ms;
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
    while (!u->stop && pthread_cond_clockwait(&u->wake, &u->lock, CLOCK_MONOTONIC, &until) == 0) {
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

/* One thread asks about all of its payments in turn. */
_Static_assert(PAYMENT_CLAIM_MS > SWEEP_CALLS * PROVIDER_TIMEOUT_MS,
               "the claims of a round outlive its calls");

static enum err reconcile(struct upkeep *u, const struct payment *payment)
{
    struct payment after;
    bool answered;
    enum err err = pay_ask(&u->options.pay, u->arena, payment, &answered, &after);

    if (err)
        return err;
    if (!answered) {
        log_line(LOG_WARN, "provider_unavailable", LOG_INT("payment_id", payment->id));
        return ERR_OK;
    }
    if (after.status != payment->status)
        log_line(LOG_INFO, "payment_reconciled", LOG_INT("payment_id", payment->id),
                 LOG_STR("status", payment_status_text(after.status)));
    if (after.needs_attention.ptr && !str_eq(after.needs_attention, payment->needs_attention))
        log_line(LOG_WARN, "payment_needs_attention", LOG_INT("payment_id", payment->id),
                 LOG_STR("reason", after.needs_attention));
    return ERR_OK;
}

static void reconcile_due(struct upkeep *u)
{
    int64_t now_ms = clock_now_ms();
    struct sweep_calls calls = {
        .now_ms = now_ms,
        .claim_until_ms = now_ms + PAYMENT_CLAIM_MS,
        .provider = u->provider,
    };
    enum err err = store_write(u->options.pay.store, u->arena, sweep_calls, &calls);
    log_failure("claim", err);
    for (size_t i = 0; !err && i < calls.n && !is_stopped(u); i++)
        log_failure("reconcile", reconcile(u, &calls.payments[i]));
    arena_reset(u->arena);
}

/* ---- Providers that are gone ---- */

static void tell_gone(struct upkeep *u)
{
    struct sweep_gone_count gone = {.provider = u->provider};
    enum err err = store_ask(u->options.pay.store, u->arena, sweep_gone_count, &gone);

    log_failure("providers", err);
    for (size_t i = 0; !err && i < gone.n; i++)
        log_line(LOG_WARN, "provider_gone", LOG_STR("provider", gone.providers[i].name),
                 LOG_INT("payments", gone.providers[i].payments),
                 LOG_CSTR("hint", "payments that were made with it are no longer asked about"));
    arena_reset(u->arena);
}

static void log_gone(const struct payment *p)
{
    if (p->status == PAYMENT_CANCELLING)
        log_line(LOG_WARN, "payment_needs_attention", LOG_INT("payment_id", p->id),
                 LOG_STR("reason", p->needs_attention));
    else
        log_line(LOG_WARN, "payment_closed_unasked", LOG_INT("payment_id", p->id),
                 LOG_STR("provider", p->provider),
                 LOG_STR("status", payment_status_text(p->status)));
}

static void sweep_providers(struct upkeep *u)
{
    struct sweep_gone *sweep = mem_alloc(sizeof *sweep);
    enum err err = ERR_OK;

    *sweep = (struct sweep_gone){.now_ms = clock_now_ms(), .provider = u->provider, .more = true};
    while (sweep->more && !err && !is_stopped(u)) {
        err = store_write(u->options.pay.store, u->arena, sweep_gone, sweep);
        for (size_t i = 0; !err && i < sweep->n; i++)
            log_gone(&sweep->payments[i]);
        arena_reset(u->arena);
    }
    log_failure("providers", err);
    free(sweep);
}

/* ---- The sweeper ---- */

static void sweep_holds(struct upkeep *u)
{
    struct sweep_payments sweep = {.now_ms = clock_now_ms(), .more = true};
    enum err err = ERR_OK;
    while (sweep.more && !err && !is_stopped(u)) {
        err = store_write(u->options.pay.store, u->arena, sweep_payments, &sweep);
        arena_reset(u->arena);
    }
    log_failure("holds", err);
}

static void sweep_old_rows(struct upkeep *u)
{
    struct sweep_old sweep = {.now_ms = clock_now_ms(), .more = true};
    enum err err = ERR_OK;
    while (sweep.more && !err && !is_stopped(u)) {
        err = store_write(u->options.pay.store, u->arena, sweep_old, &sweep);
        arena_reset(u->arena);
    }
    log_failure("old_rows", err);
}

static void sweep_pictures(struct upkeep *u)
{
    struct sweep_images sweep = {.now_ms = clock_now_ms(), .more = true};
    enum err err = ERR_OK;
    while (sweep.more && !err && !is_stopped(u)) {
        err = store_write(u->options.pay.store, u->arena, sweep_images, &sweep);
        if (!err && sweep.n_forgotten > 0)
            log_line(LOG_INFO, "images_forgotten", LOG_INT("images", sweep.n_forgotten));
        arena_reset(u->arena);
    }
    log_failure("images", err);
}

static void run_once(struct upkeep *u)
{
    struct sweep_due due = {.now_ms = clock_now_ms(), .provider = u->provider};
    enum err err = store_ask(u->options.pay.store, u->arena, sweep_due, &due);
    arena_reset(u->arena);
    if (err) {
        if (clock_mono_ms() >= u->quiet_until_ms) {
            log_failure("due", err);
            u->quiet_until_ms = clock_mono_ms() + QUIET_MS;
        }
        return;
    }
    u->quiet_until_ms = 0;
    if (due.payments)
        sweep_holds(u);
    if (due.gone)
        sweep_providers(u);
    if (due.images)
        sweep_pictures(u);
    if (due.calls)
        reconcile_due(u);
    if (clock_mono_ms() >= u->old_due_ms) {
        sweep_old_rows(u);
        u->old_due_ms = clock_mono_ms() + OLD_PERIOD_MS;
    }
}

static void *run(void *arg)
{
    struct upkeep *u = arg;
    tell_gone(u);
    do
        run_once(u);
    while (!wait_a_period(u));
    return NULL;
}

struct upkeep *upkeep_create(const struct upkeep_options *options)
{
    struct upkeep *u = mem_zalloc(sizeof *u);

    u->options = *options;
    u->provider = pay_provider_name(options->pay.provider);
    u->arena = arena_create();
    u->old_due_ms = clock_mono_ms(); /* at once: a server may be ended before a period is over */
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->wake, NULL);
    thread_start(&u->thread, "upkeep", run, u);
    return u;
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
