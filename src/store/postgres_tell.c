/* What is told after a commit. Here: the listener, one thread at a time, with all that has been
 * committed since it was told last; whoever committed waits until that includes his own. To the
 * other servers: notifications, part of the transaction, which PostgreSQL passes on when it is
 * committed. A notification names its sender, who has told himself already.
 *
 *   5f2c… f12.0.0 o77.3.401        the sender, then what, the id, the user's and the event's
 *   5f2c…                          the sender begins to listen
 *   5f2c… k90ab…                   the sender has heard that 90ab… does
 *   5f2c… -                        nothing: an echo for the sender himself */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/postgres.h"

enum {
    SENDER_LEN = 16,
    PAYLOAD_MAX = 7900, /* PostgreSQL takes less than 8,000 bytes */
    EVENT_MAX = 80,     /* of one event in it */
};

struct postgres_tell {
    const struct postgres_target *target;
    char sender[SENDER_LEN + 1];
    atomic_bool is_alone; /* no other server listens */
    store_listener *listener;
    void *ctx;

    pthread_mutex_t mutex;
    pthread_cond_t told;
    struct store_event *waiting; /* to be told */
    size_t n, cap;
    uint64_t n_queued, n_told; /* of all there ever were */
    int n_waiting;             /* threads */
    bool is_telling;
    atomic_int_least64_t doubt_until_ms; /* monotonic */

    /* Of the thread that tells. */
    struct store_event *telling;
    size_t telling_cap;
    struct postgres_conn *conn;
    _Atomic(pthread_t) teller; /* 0: nobody */
};

static const struct {
    enum store_event_kind kind;
    char letter;
} LETTERS[] = {
    {STORE_EVENT_FOOD, 'f'},    {STORE_EVENT_SHOP, 's'},        {STORE_EVENT_ORDER, 'o'},
    {STORE_EVENT_PAYMENT, 'p'}, {STORE_EVENT_SESSION_END, 'e'}, {STORE_EVENT_USER_END, 'u'},
    {STORE_EVENT_OUTBOX, 'm'},  {STORE_EVENT_ALL, 'a'},
};
enum { N_LETTERS = sizeof LETTERS / sizeof *LETTERS };

struct postgres_tell *postgres_tell_create(const struct postgres_target *target)
{
    struct postgres_tell *tell = mem_zalloc(sizeof *tell);
    uint64_t id;

    crypto_random(&id, sizeof id);
    snprintf(tell->sender, sizeof tell->sender, "%016llx", (unsigned long long)id);
    tell->target = target;
    pthread_mutex_init(&tell->mutex, NULL);
    pthread_cond_init(&tell->told, NULL);
    return tell;
}

void postgres_tell_destroy(struct postgres_tell *tell)
{
    if (!tell)
        return;
    postgres_conn_close(tell->conn);
    pthread_mutex_destroy(&tell->mutex);
    pthread_cond_destroy(&tell->told);
    free(tell->waiting);
    free(tell->telling);
    free(tell);
}

void postgres_tell_listen(struct postgres_tell *tell, store_listener *listener, void *ctx)
{
    pthread_mutex_lock(&tell->mutex);
    tell->listener = listener;
    tell->ctx = ctx;
    pthread_mutex_unlock(&tell->mutex);
}

void postgres_events_add(struct postgres_events *events, struct arena *arena,
                         struct store_event event)
{
    if (events->n == events->cap) {
        size_t cap = events->cap ? events->cap * 2 : 16;
        struct store_event *items = arena_alloc(arena, cap * sizeof *items);
        if (events->n > 0)
            memcpy(items, events->items, events->n * sizeof *items);
        events->items = items;
        events->cap = cap;
    }
    events->items[events->n++] = event;
}

/* ---- Here ---- */

/* A connection of its own: where the pool is busy, all who have committed would wait for it. */
static void look_after_conn(struct postgres_tell *tell)
{
    if (tell->conn && (!postgres_conn_is_alive(tell->conn) || postgres_conn_is_lost(tell->conn))) {
        postgres_conn_close(tell->conn);
        tell->conn = NULL;
    }
    if (!tell->conn && postgres_conn_open(tell->target, &tell->conn))
        tell->conn = NULL; /* logged; what cannot be read now is stale until it can */
}

/* With the mutex held, which is released meanwhile. */
static void tell_all(struct postgres_tell *tell)
{
    struct store_event *events = tell->waiting;
    size_t n = tell->n, cap = tell->cap;

    tell->waiting = tell->telling;
    tell->cap = tell->telling_cap;
    tell->n = 0;
    tell->telling = events;
    tell->telling_cap = cap;
    uint64_t upto = tell->n_queued;
    store_listener *listener = tell->listener;
    pthread_mutex_unlock(&tell->mutex);

    if (listener) {
        look_after_conn(tell);
        atomic_store(&tell->teller, pthread_self());
        listener(tell->ctx, events, n);
        atomic_store(&tell->teller, 0);
    }

    pthread_mutex_lock(&tell->mutex);
    tell->n_told = upto;
    tell->is_telling = false;
    pthread_cond_broadcast(&tell->told);
}

/* Under the mutex. Where nobody waits for what is left, who tells goes on. */
static bool is_to_be_told(const struct postgres_tell *tell, uint64_t mine)
{
    return tell->n_told < mine || (!tell->is_telling && tell->n > 0 && tell->n_waiting == 0);
}

void postgres_tell_here(struct postgres_tell *tell, const struct store_event *events, size_t n)
{
    const struct timespec until = clock_mono_after(POSTGRES_TELL_MAX_MS);
    int rc = 0;

    if (n == 0)
        return;
    pthread_mutex_lock(&tell->mutex);
    if (tell->n + n > tell->cap) {
        tell->cap = (tell->n + n) * 2;
        tell->waiting = mem_realloc(tell->waiting, tell->cap * sizeof *tell->waiting);
    }
    memcpy(tell->waiting + tell->n, events, n * sizeof *events);
    tell->n += n;
    tell->n_queued += n;
    uint64_t mine = tell->n_queued;
    while (is_to_be_told(tell, mine)) {
        if (!tell->is_telling) {
            tell->is_telling = true;
            tell_all(tell);
        } else if (rc == 0) {
            tell->n_waiting++;
            rc = pthread_cond_clockwait(&tell->told, &tell->mutex, CLOCK_MONOTONIC, &until);
            tell->n_waiting--;
        } else {
            break; /* who tells goes on with what is left */
        }
    }
    pthread_mutex_unlock(&tell->mutex);
}

void postgres_tell_all(struct postgres_tell *tell)
{
    const struct store_event all = {.kind = STORE_EVENT_ALL};

    postgres_tell_here(tell, &all, 1);
}

void postgres_tell_doubt(struct postgres_tell *tell)
{
    atomic_store(&tell->doubt_until_ms, clock_mono_ms() + POSTGRES_OVERLAP_MS);
    postgres_tell_all(tell);
}

bool postgres_tell_is_in_doubt(const struct postgres_tell *tell)
{
    return clock_mono_ms() < atomic_load(&tell->doubt_until_ms);
}

struct postgres_conn *postgres_tell_own_conn(struct postgres_tell *tell)
{
    pthread_t teller = atomic_load(&tell->teller);

    return teller && pthread_equal(teller, pthread_self()) ? tell->conn : NULL;
}

/* ---- To the other servers ---- */

const char *postgres_tell_own(const struct postgres_tell *tell)
{
    return tell->sender;
}

void postgres_tell_set_alone(struct postgres_tell *tell, bool alone)
{
    atomic_store(&tell->is_alone, alone);
}

bool postgres_tell_is_alone(const struct postgres_tell *tell)
{
    return atomic_load(&tell->is_alone);
}

static void send(struct postgres_conn *conn, struct buf *payload)
{
    static const char sql[] = "SELECT pg_notify('" POSTGRES_CHANNEL "', $1)";

    postgres_conn_queue(conn, POSTGRES_CONTROL, SQL_ANY_COUNT, sql,
                        SQL_ARGS(sql_text(buf_str(payload))));
}

static void put(struct buf *payload, const struct store_event *event)
{
    size_t i = 0;

    while (LETTERS[i].kind != event->kind)
        i++;
    buf_put_char(payload, ' ');
    buf_put_char(payload, LETTERS[i].letter);
    buf_put_int(payload, event->id);
    buf_put_char(payload, '.');
    buf_put_int(payload, event->user_id);
    buf_put_char(payload, '.');
    buf_put_int(payload, event->event_id);
}

static bool is_said(const struct postgres_events *events, size_t i)
{
    /* The same food moves with each line, and nobody needs to hear twice of a mail. */
    const struct store_event *event = &events->items[i];
    if (i == 0 || (event->kind != STORE_EVENT_FOOD && event->kind != STORE_EVENT_OUTBOX))
        return false;
    return events->items[i - 1].kind == event->kind && events->items[i - 1].id == event->id;
}

void postgres_tell_notify(struct postgres_tell *tell, struct postgres_conn *conn,
                          struct arena *arena, const struct postgres_events *events)
{
    struct buf payload;

    if (events->n == 0)
        return;
    buf_init(&payload, arena);
    buf_put_cstr(&payload, tell->sender);
    for (size_t i = 0; i < events->n; i++) {
        if (is_said(events, i))
            continue;
        if (payload.len > PAYLOAD_MAX - EVENT_MAX) {
            send(conn, &payload);
            payload.len = SENDER_LEN;
        }
        put(&payload, &events->items[i]);
    }
    send(conn, &payload);
}

/* "f12.0.0"; false: it is nothing we know. */
static bool parse(struct str word, struct store_event *ret_event)
{
    struct str rest, part;
    int64_t numbers[3];
    size_t n = 0, i = 0;

    while (i < N_LETTERS && word.len > 0 && LETTERS[i].letter != *word.ptr)
        i++;
    if (i == N_LETTERS || word.len == 0)
        return false;
    rest = str_slice(word, 1, word.len);
    while (n < 3 && str_split(&rest, '.', &part))
        if (!str_to_int64(part, &numbers[n++]))
            return false;
    if (n != 3)
        return false;
    *ret_event = (struct store_event){LETTERS[i].kind, numbers[0], numbers[1], numbers[2]};
    return true;
}

enum postgres_said postgres_tell_parse(struct postgres_tell *tell, const char *payload,
                                       struct arena *arena, struct postgres_events *events)
{
    struct str rest = str_from(payload), word;
    struct store_event event;

    if (strncmp(payload, tell->sender, SENDER_LEN) == 0)
        return POSTGRES_SAID_OURS;
    atomic_store(&tell->is_alone, false);
    bool known = str_split(&rest, ' ', &word) && word.len == SENDER_LEN;
    if (known && !rest.ptr)
        return POSTGRES_SAID_HELLO;
    if (known && rest.len == SENDER_LEN + 1 && *rest.ptr == 'k')
        return strcmp(rest.ptr + 1, tell->sender) == 0 ? POSTGRES_SAID_HEARD : POSTGRES_SAID_EVENTS;
    if (known && rest.len == 1 && *rest.ptr == '-')
        return POSTGRES_SAID_EVENTS;
    while (known && str_split(&rest, ' ', &word)) {
        known = parse(word, &event);
        if (known)
            postgres_events_add(events, arena, event);
    }
    /* A newer servery tells of what this one does not know. */
    if (!known)
        postgres_events_add(events, arena, (struct store_event){.kind = STORE_EVENT_ALL});
    return POSTGRES_SAID_EVENTS;
}
