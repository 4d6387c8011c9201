/* A new password: by who knows the old one, or by a mailed link. Each is checked first and hashed
 * then; the transaction checks again. */
#include "api/handlers.h"
#include "api/mails.h"
#include "api/menu.h"
#include "api/passwords.h"
#include "api/users.h"
#include "store/login.h"
#include "store/reset.h"

enum { RESET_TOKEN_BYTES = 16 }; /* 128 bits */

static enum err hash_password(struct call *c, struct str password, struct str *ret_hash)
{
    char hash[CRYPTO_PASSWORD_HASH_SIZE];

    enum err err = passwords_hash(c->api->passwords, password, hash);
    if (!err)
        *ret_hash = arena_dup(c->arena, str_from(hash));
    return err;
}

/* ---- PUT /api/me/password ---- */

struct change_body {
    struct opt_str current_password, new_password;
};

static enum err read_change(struct call *c, struct change_body *in)
{
    static const struct json_field fields[] = {
        {"current_password", JSON_RAW_TEXT, JSON_REQUIRED,
         offsetof(struct change_body, current_password), 0, PASSWORD_MAX_BYTES,
         PROBLEM_PASSWORD_TOO_LONG},
        {"new_password", JSON_RAW_TEXT, JSON_REQUIRED, offsetof(struct change_body, new_password),
         0, 0, PROBLEM_NONE},
    };
    enum err err = call_body(c, fields, FIELDS_N(fields), in);
    return err ? err : password_check(in->new_password.value, "new_password", &c->problem);
}

/* Compares the present password. A wrong one is counted like a failed log-in, so that a stolen
 * session is no way to guess it. */
static enum err prove_password(struct call *c, struct str typed, struct password_change *change)
{
    bool right;

    enum err err = call_read(c, password_find, change);
    if (!err)
        err = passwords_verify(c->api->passwords, arena_cstr(c->arena, change->password_hash),
                               typed, &right);
    if (err || right)
        return err;
    err = count_wrong_password(c, &change->subject);
    return err ? err : problem_add(&c->problem, "current_password", PROBLEM_PASSWORD_WRONG, NULL);
}

enum err me_password_put(struct call *c)
{
    struct change_body in = {0};
    struct password_change change = {
        .user_id = c->session.user_id,
        .session_id = c->session.id,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };

    enum err err = read_change(c, &in);
    if (err)
        return err;
    change.subject =
        subject_of(c, arena_printf(c->arena, "user %lld", (long long)c->session.user_id));
    err = prove_password(c, in.current_password.value, &change);
    if (!err)
        err = hash_password(c, in.new_password.value, &change.new_hash);
    if (!err)
        err = call_write(c, password_change, NULL, &change);
    return err;
}

/* ---- POST /api/password-reset ---- */

static struct str hash_reset_token(struct call *c, struct str token)
{
    return crypto_hash_str(&c->api->keys, c->arena, "reset", token);
}

/* The link is drawn and the mail written for everybody, and reset_request takes them back where
 * there is no such user: both take the same time. */
enum err password_reset_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"email", JSON_TEXT, JSON_REQUIRED, 0, 0, 0, PROBLEM_NONE},
    };
    struct opt_str typed = {0};
    struct reset_request request = {.now_ms = c->now_ms};
    struct str email;
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);
    char random[RESET_TOKEN_BYTES];

    enum err err = call_body(c, fields, 1, &typed);
    if (!err && !email_normalize(c->arena, typed.value, &email, &request.email_key))
        err = problem_add(&c->problem, "email", PROBLEM_EMAIL_INVALID, NULL);
    if (err)
        return err;
    crypto_random(random, sizeof(random));
    struct str token = crypto_base64url(c->arena, (struct str){random, sizeof(random)});
    struct str link = arena_printf(c->arena, STR_FMT "/reset#token=" STR_FMT,
                                   STR_ARG(c->api->settings.public_url), STR_ARG(token));
    request.token_hash = hash_reset_token(c, token);
    request.subject = subject_of(c, request.email_key);
    request.mail =
        mails_reset(&c->api->keys, c->arena, shop.name, link, c->now_ms + RESET_LIFETIME_MS);
    err = call_transaction(c, reset_request, &request);
    if (err)
        return err;
    struct json_writer *w = call_json(c, 202);
    json_begin_object(w, NULL);
    json_end_object(w);
    return ERR_OK;
}

/* ---- POST /api/password-reset/confirm ---- */

struct confirm_body {
    struct opt_str token, new_password;
};

enum err password_reset_confirm_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"token", JSON_TEXT, JSON_REQUIRED, offsetof(struct confirm_body, token), 0, 0,
         PROBLEM_NONE},
        {"new_password", JSON_RAW_TEXT, JSON_REQUIRED, offsetof(struct confirm_body, new_password),
         0, 0, PROBLEM_NONE},
    };
    struct confirm_body in = {0};

    enum err err = call_body(c, fields, FIELDS_N(fields), &in);
    if (!err)
        err = password_check(in.new_password.value, "new_password", &c->problem);
    if (err)
        return err;
    struct str token_hash = hash_reset_token(c, in.token.value);
    struct reset_find find = {.token_hash = token_hash, .now_ms = c->now_ms};
    err = call_read(c, reset_find, &find);
    if (!err && find.user_id == 0)
        err = problem_set(&c->problem, PROBLEM_TOKEN_EXPIRED, "Please ask for a new link.");
    if (err)
        return err;
    struct reset_confirm confirm = {
        .user_id = find.user_id,
        .token_hash = token_hash,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    err = hash_password(c, in.new_password.value, &confirm.password_hash);
    if (!err)
        err = call_write(c, reset_confirm, NULL, &confirm);
    return err;
}
