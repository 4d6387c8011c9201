#include "store/outbox.h"

#include "base/json.h"

#include <stddef.h>

/* ---- The body ---- */

struct body {
    struct opt_str text, html;
};

struct str outbox_seal(const struct crypto_keys *keys, struct arena *arena, struct str text,
                       struct str html)
{
    struct buf plain;
    struct json_writer w;

    buf_init(&plain, arena);
    json_init(&w, &plain);
    json_begin_object(&w, NULL);
    json_str(&w, "text", text);
    json_str(&w, "html", html);
    json_end_object(&w);
    return crypto_seal(keys, arena, buf_str(&plain));
}

bool outbox_open(const struct crypto_keys *keys, struct arena *arena, struct str sealed,
                 struct str *ret_text, struct str *ret_html)
{
    static const struct json_field fields[] = {
        {"text", JSON_RAW_TEXT, JSON_REQUIRED, offsetof(struct body, text), 0, 0, PROBLEM_NONE},
        {"html", JSON_RAW_TEXT, JSON_REQUIRED | JSON_NULLABLE, offsetof(struct body, html), 0, 0,
         PROBLEM_NONE},
    };
    struct problem *problem = arena_alloc(arena, sizeof(*problem));
    struct body body = {0};
    struct str plain;

    problem_init(problem, arena);
    if (!crypto_open(keys, arena, sealed, &plain) ||
        json_decode(arena, plain, fields, FIELDS_N(fields), &body, problem))
        return false;
    *ret_text = body.text.value;
    *ret_html = body.html.null ? STR_NONE : body.html.value;
    return true;
}

/* ---- The rows ---- */

enum err outbox_add(struct tx *tx, const struct outbox_mail *mail, int64_t now_ms)
{
    static const char add[] =
        "INSERT INTO outbox (recipient, subject, body, status, next_at, useless_at, created_at) "
        "VALUES ($1, $2, $3, 'waiting', $4, $5, $4)";
    enum err err = tx_post(
        tx, 1, add,
        SQL_ARGS(sql_text(mail->recipient), sql_text(mail->subject), sql_blob(mail->sealed_body),
                 sql_int(now_ms), mail->useless_at_ms ? sql_int(mail->useless_at_ms) : sql_null()));
    if (!err)
        tx_emit(tx, (struct store_event){.kind = STORE_EVENT_OUTBOX});
    return err;
}

/* Takes one due mail. */
static enum err lease_ahead(struct tx *tx, const struct outbox_take *take, int64_t id,
                            struct sql_rows *ret_rows)
{
    static const char lease_one[] =
        "UPDATE outbox SET next_at = $3, attempts = attempts + 1 "
        "WHERE id = $1 AND status = 'waiting' AND next_at <= $2 "
        "RETURNING id, recipient, subject, body, attempts, useless_at, created_at";
    return tx_ask_ahead(
        tx, lease_one,
        SQL_ARGS(sql_int(id), sql_int(take->now_ms), sql_int(take->now_ms + take->lease_ms)),
        ret_rows);
}

static void add_mail(struct outbox_take *take, const struct sql_rows *rows)
{
    if (rows->n == 0)
        return; /* whoever had it has finished it */
    take->mails[take->n++] = (struct outbox_mail){
        .id = sql_get_int(rows, 0, 0),
        .recipient = sql_get_str(rows, 0, 1),
        .subject = sql_get_str(rows, 0, 2),
        .sealed_body = sql_get_str(rows, 0, 3),
        .attempts = sql_get_int(rows, 0, 4),
        .useless_at_ms = sql_get_int(rows, 0, 5),
        .created_at_ms = sql_get_int(rows, 0, 6),
    };
}

/* Those of all servers take one after the other, so that they do not all wait for the same row, and
 * then find that it is gone. */
enum err outbox_take(struct tx *tx, void *arg)
{
    static const char expire_due[] =
        "UPDATE outbox SET status = 'expired', body = NULL, done_at = $1 "
        "WHERE status = 'waiting' AND next_at <= $1 AND useless_at <= $1 RETURNING id";
    static const char find_due[] = "SELECT id FROM outbox WHERE status = 'waiting' "
                                   "AND next_at <= $1 ORDER BY next_at, id LIMIT $2";
    static const char find_next[] = "SELECT next_at FROM outbox WHERE status = 'waiting' "
                                    "ORDER BY next_at, id LIMIT 1";
    struct outbox_take *take = arg;
    struct sql_rows expired, due, next;

    take->n = 0;
    take->n_expired = 0;
    take->next_at_ms = 0;
    take->mails = arena_zalloc(tx_arena(tx), take->max * sizeof(*take->mails));
    struct sql_rows *leased = arena_alloc(tx_arena(tx), take->max * sizeof(*leased));
    enum err err = tx_lock_subject(tx, STR("outbox"), STR("take"));
    if (!err)
        err = tx_ask_ahead(tx, expire_due, SQL_ARGS(sql_int(take->now_ms)), &expired);
    if (!err)
        err = tx_ask(tx, find_due, SQL_ARGS(sql_int(take->now_ms), sql_int((int64_t)take->max)),
                     &due);
    for (size_t i = 0; !err && i < due.n; i++)
        err = lease_ahead(tx, take, sql_get_int(&due, i, 0), &leased[i]);
    if (!err)
        err = tx_ask(tx, find_next, SQL_NO_ARGS, &next);
    if (err)
        return err;
    take->n_expired = expired.n;
    for (size_t i = 0; i < due.n; i++)
        add_mail(take, &leased[i]);
    if (next.n > 0)
        take->next_at_ms = sql_get_int(&next, 0, 0);
    return ERR_OK;
}

static enum err finish(struct tx *tx, const struct outbox_finish *f, const char *status)
{
    static const char finish_one[] = "UPDATE outbox SET status = $2, body = NULL, done_at = $3 "
                                     "WHERE id = $1 AND status = 'waiting'";
    return tx_post(tx, SQL_ANY_COUNT, finish_one,
                   SQL_ARGS(sql_int(f->id), sql_text(str_from(status)), sql_int(f->now_ms)));
}

enum err outbox_finish(struct tx *tx, void *arg)
{
    static const char retry[] =
        "UPDATE outbox SET next_at = $2 WHERE id = $1 AND status = 'waiting'";
    const struct outbox_finish *f = arg;

    switch (f->result) {
    case OUTBOX_SENT:
        return finish(tx, f, "sent");
    case OUTBOX_FAILED:
        return finish(tx, f, "failed");
    case OUTBOX_RETRY:
        return tx_post(tx, SQL_ANY_COUNT, retry, SQL_ARGS(sql_int(f->id), sql_int(f->next_at_ms)));
    }
    return ERR_INTERNAL;
}
