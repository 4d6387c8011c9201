#include "api/users.h"

#include "api/client.h"
#include "store/login.h"

void user_encode(struct json_writer *w, const char *key, const struct user *user)
{
    json_begin_object(w, key);
    json_int(w, "id", user->id);
    json_str(w, "email", user->email);
    json_str(w, "phone", user->phone);
    json_str(w, "name", user->name);
    json_str(w, "role", role_text(user->role));
    json_str(w, "referral_code", user->referral_code);
    json_bool(w, "disabled", user->disabled);
    json_time(w, "created_at", user->created_at_ms);
    json_end_object(w);
}

void answer_session(struct call *c, const struct user *user, struct str token,
                    int64_t expires_at_ms)
{
    struct json_writer *w = call_json(c, 200);

    json_begin_object(w, NULL);
    user_encode(w, "user", user);
    json_str(w, "token", token);
    json_time(w, "expires_at", expires_at_ms);
    json_end_object(w);
    call_cookie(c, token, expires_at_ms);
}

struct attempt_subject subject_of(struct call *c, struct str name)
{
    struct str client = client_key(c->arena, &c->client); /* bytes, zeros among them */
    struct buf both;

    buf_init(&both, c->arena);
    buf_put_str(&both, name);
    buf_put_char(&both, '\n');
    buf_put_str(&both, client);
    return (struct attempt_subject){
        .alone = crypto_hash_str(&c->api->keys, c->arena, "attempt", name),
        .with_client = crypto_hash_str(&c->api->keys, c->arena, "attempt_client", buf_str(&both)),
        .client = crypto_hash_str(&c->api->keys, c->arena, "attempt_address", client),
    };
}

enum err count_wrong_password(struct call *c, const struct attempt_subject *subject)
{
    struct login_failure failure = {.subject = *subject, .now_ms = c->now_ms};

    enum err err = call_transaction(c, login_fail, &failure);
    if (err || failure.retry_after_ms == 0)
        return err;
    c->problem.retry_after_ms = failure.retry_after_ms;
    return problem_set(&c->problem, PROBLEM_RATE_LIMITED, "Too many wrong passwords.");
}

enum err phone_check(struct call *c, struct str country_code, struct opt_str *phone)
{
    if (!phone->set || phone->null)
        return ERR_OK;
    return phone_normalize(c->arena, phone->value, country_code, &phone->value)
               ? ERR_OK
               : problem_add(&c->problem, "phone", PROBLEM_PHONE_INVALID, NULL);
}
