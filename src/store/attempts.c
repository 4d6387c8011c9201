#include "store/attempts.h"

#include "domain/limits.h"

enum counted { ALONE, WITH_CLIENT, CLIENT };

struct limit {
    enum attempt_kind kind;
    const char *scope; /* as stored */
    enum counted counted;
    int64_t max, window_ms;
};

static const struct limit limits[] = {
    {ATTEMPT_CODE, "code_client", WITH_CLIENT, 1, OTP_COOLDOWN_MS},
    {ATTEMPT_CODE, "code_client", WITH_CLIENT, OTP_HOURLY_PER_EMAIL_AND_ADDRESS, HOUR_MS},
    {ATTEMPT_CODE, "code", ALONE, OTP_HOURLY_PER_EMAIL, HOUR_MS},
    {ATTEMPT_RESET, "reset_client", WITH_CLIENT, 1, OTP_COOLDOWN_MS},
    {ATTEMPT_RESET, "reset_client", WITH_CLIENT, OTP_HOURLY_PER_EMAIL_AND_ADDRESS, HOUR_MS},
    {ATTEMPT_RESET, "reset", ALONE, OTP_HOURLY_PER_EMAIL, HOUR_MS},
    {ATTEMPT_LOGIN, "login_client", WITH_CLIENT, LOGIN_FAILURES_PER_MINUTE, MINUTE_MS},
    {ATTEMPT_LOGIN, "login", ALONE, LOGIN_FAILURES_PER_HOUR, HOUR_MS},
    {ATTEMPT_LOGIN, "login_address", CLIENT, LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE, MINUTE_MS},
};
enum { N_LIMITS = sizeof(limits) / sizeof(*limits) };

static struct str subject_of(const struct limit *limit, const struct attempt_subject *subject)
{
    switch (limit->counted) {
    case ALONE:
        return subject->alone;
    case WITH_CLIENT:
        return subject->with_client;
    case CLIENT:
        break;
    }
    return subject->client;
}

/* One limit: the time of the max-th newest attempt says when there is room for another. */
static enum err ask_limit(struct tx *tx, const struct limit *limit, struct str subject,
                          int64_t now_ms, struct sql_rows *ret_rows)
{
    static const char find[] = "SELECT at FROM attempts "
                               "WHERE scope = $1 AND subject = $2 AND at > $3 "
                               "ORDER BY at DESC LIMIT 1 OFFSET $4";
    return tx_ask_ahead(tx, find,
                        SQL_ARGS(sql_text(str_from(limit->scope)), sql_blob(subject),
                                 sql_int(now_ms - limit->window_ms), sql_int(limit->max - 1)),
                        ret_rows);
}

/* In the order of the limits, so that no two wait for each other. Whoever is counted together with
 * a client's address is counted alone as well, and that lock serves both. */
static enum err lock(struct tx *tx, enum attempt_kind kind, const struct attempt_subject *subject)
{
    for (size_t i = 0; i < N_LIMITS; i++) {
        if (limits[i].kind != kind || limits[i].counted == WITH_CLIENT)
            continue;
        enum err err =
            tx_lock_subject(tx, str_from(limits[i].scope), subject_of(&limits[i], subject));
        if (err)
            return err;
    }
    return ERR_OK;
}

enum err attempts_check(struct tx *tx, enum attempt_kind kind,
                        const struct attempt_subject *subject, int64_t now_ms,
                        int64_t *ret_free_at_ms)
{
    struct sql_rows rows[N_LIMITS] = {0};
    int64_t free_at_ms = now_ms;
    enum err err = lock(tx, kind, subject);

    for (size_t i = 0; i < N_LIMITS && !err; i++)
        if (limits[i].kind == kind)
            err = ask_limit(tx, &limits[i], subject_of(&limits[i], subject), now_ms, &rows[i]);
    if (!err)
        err = tx_settle(tx);
    if (err)
        return err;
    for (size_t i = 0; i < N_LIMITS; i++) {
        if (rows[i].n == 0)
            continue;
        int64_t at = sql_get_int(&rows[i], 0, 0) + limits[i].window_ms;
        if (at > free_at_ms)
            free_at_ms = at;
    }
    *ret_free_at_ms = free_at_ms;
    return ERR_OK;
}

enum err attempts_add(struct tx *tx, enum attempt_kind kind, const struct attempt_subject *subject,
                      int64_t now_ms)
{
    static const char add[] = "INSERT INTO attempts (scope, subject, at) VALUES ($1, $2, $3)";
    const char *added = NULL;

    for (size_t i = 0; i < N_LIMITS; i++) {
        /* Limits of one scope stand together and count the same rows. */
        if (limits[i].kind != kind || (added && str_is(str_from(limits[i].scope), added)))
            continue;
        added = limits[i].scope;
        enum err err =
            tx_post(tx, 1, add,
                    SQL_ARGS(sql_text(str_from(limits[i].scope)),
                             sql_blob(subject_of(&limits[i], subject)), sql_int(now_ms)));
        if (err)
            return err;
    }
    return ERR_OK;
}
