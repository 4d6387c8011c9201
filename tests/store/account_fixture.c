#include "account_fixture.h"

#include "base/crypto.h"

#include <stdio.h>

const char account_n_users[] = "SELECT COUNT(*) FROM users";
const char account_n_signups[] = "SELECT COUNT(*) FROM signups";
const char account_n_mails[] = "SELECT COUNT(*) FROM outbox";
const char account_n_sessions[] = "SELECT COUNT(*) FROM sessions";
const char account_n_attempts[] = "SELECT COUNT(*) FROM attempts";

struct str account_secret(struct shop_fixture *s, const char *text)
{
    static const struct crypto_keys keys = {{1}, {2}};
    return crypto_hash_str(&keys, s->arena, "test", str_from(text));
}

struct attempt_subject account_subject(struct shop_fixture *s, const char *who, const char *client)
{
    struct str both = arena_printf(s->arena, "%s %s", who, client);
    return (struct attempt_subject){account_secret(s, who), account_secret(s, both.ptr),
                                    account_secret(s, client)};
}

struct user_codes account_codes(const char *first)
{
    struct user_codes codes;
    for (size_t i = 0; i < USER_CODES; i++)
        snprintf(codes.texts[i], sizeof(codes.texts[i]), "%.7s%c", first, (char)('2' + i));
    return codes;
}

struct signup_create account_signup(struct shop_fixture *s, const char *email, const char *client,
                                    int64_t now_ms)
{
    static int n;
    char token[32];
    snprintf(token, sizeof(token), "token %d", ++n);
    return (struct signup_create){
        .email = str_from(email),
        .email_key = str_from(email),
        .password_hash = STR("hash of the sign-up"),
        .token_hash = account_secret(s, token),
        .otp_hash = account_secret(s, "123456"),
        .subject = account_subject(s, email, client),
        .mail = {.recipient = str_from(email), .subject = STR("code"), .sealed_body = STR("x")},
        .now_ms = now_ms,
        .problem = &s->problem,
    };
}

struct signup_verify account_verify(struct shop_fixture *s, struct str token_hash, const char *otp,
                                    const struct user_codes *codes, int64_t now_ms)
{
    static int n;
    char session[32];
    snprintf(session, sizeof(session), "session %d", ++n);
    return (struct signup_verify){
        .token_hash = token_hash,
        .otp_hash = otp ? account_secret(s, otp) : STR_NONE,
        .session_token_hash = account_secret(s, session),
        .codes = codes,
        .now_ms = now_ms,
        .problem = &s->problem,
    };
}

struct user account_make(struct shop_fixture *s, const char *email, const char *phone,
                         const char *code)
{
    struct signup_create signup = account_signup(s, email, "setup", T0);
    signup.phone = str_from(phone);
    assert_int_equal(shop_write(s, signup_create, &signup), ERR_OK);
    struct user_codes codes = account_codes(code);
    struct signup_verify verify = account_verify(s, signup.token_hash, "123456", &codes, T0);
    assert_int_equal(shop_write(s, signup_verify, &verify), ERR_OK);
    assert_int_equal(verify.outcome, SIGNUP_VERIFIED);
    return verify.user;
}

int64_t account_count(struct shop_fixture *s, const char *sql)
{
    return shop_sql(s, sql, SQL_NO_ARGS);
}

bool account_has_event(const struct shop_fixture *s, enum store_event_kind kind, int64_t user_id)
{
    for (size_t i = 0; i < s->n_events; i++)
        if (s->events[i].kind == kind && s->events[i].user_id == user_id)
            return true;
    return false;
}

struct user account_get(struct shop_fixture *s, int64_t id)
{
    struct user_get get = {.user_id = id};
    assert_int_equal(shop_read_tx(s, user_get, &get), ERR_OK);
    return get.user;
}

static enum err find_session(struct tx *tx, void *arg)
{
    struct account_session *l = arg;
    return session_find(tx, l->token_hash, l->now_ms, &l->session);
}

static enum err make_session(struct tx *tx, void *arg)
{
    struct account_session *l = arg;
    int64_t expires_at_ms;
    enum err err = session_create(tx, l->user_id, l->token_hash, l->now_ms, &expires_at_ms);
    if (!err)
        err = session_find(tx, l->token_hash, l->now_ms, &l->session);
    l->id = l->session.id;
    return err;
}

struct account_session account_session_make(struct shop_fixture *s, int64_t user_id,
                                            const char *token)
{
    struct account_session l = {
        .token_hash = account_secret(s, token), .user_id = user_id, .now_ms = T0};
    assert_int_equal(shop_write(s, make_session, &l), ERR_OK);
    return l;
}

bool account_is_live(struct shop_fixture *s, struct account_session *l)
{
    assert_int_equal(shop_read_tx(s, find_session, l), ERR_OK);
    return l->session.id != 0;
}
