/* Logging in and out. Nothing in an answer, its words or its time, tells whether there is such a
 * user, until the password was right. */
#include "store/login.h"
#include "api/auth.h"
#include "api/handlers.h"
#include "api/menu.h"
#include "api/metrics.h"
#include "api/passwords.h"
#include "api/users.h"
#include "base/text.h"

struct login_body {
    struct opt_str identifier, password;
};

static enum err read_login(struct call *c, struct login_body *in)
{
    static const struct json_field fields[] = {
        {"identifier", JSON_TEXT, JSON_REQUIRED, offsetof(struct login_body, identifier), 0, 0,
         PROBLEM_NONE},
        {"password", JSON_RAW_TEXT, JSON_REQUIRED, offsetof(struct login_body, password), 0,
         PASSWORD_MAX_BYTES, PROBLEM_NONE},
    };
    return call_body(c, fields, FIELDS_N(fields), in);
}

/* An email, a phone, or what can be neither, which is counted as it is. */
static void identify(struct call *c, struct str identifier, struct login *login)
{
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);
    struct str email;

    if (email_normalize(c->arena, identifier, &email, &login->email_key))
        login->subject = subject_of(c, login->email_key);
    else if (phone_normalize(c->arena, identifier, shop.country_code, &login->phone))
        login->subject = subject_of(c, login->phone);
    else
        login->subject = subject_of(c, text_fold(c->arena, text_trim(identifier)));
}

static enum err refuse_login(struct call *c, const struct login *login)
{
    enum err err = count_wrong_password(c, &login->subject);

    if (!err || err == ERR_PROBLEM)
        metrics_login_failed(c->api->metrics);
    return err ? err : problem_set(&c->problem, PROBLEM_INVALID_CREDENTIALS, NULL);
}

enum err login_post(struct call *c)
{
    struct login_body in = {0};
    struct login login = {.now_ms = c->now_ms, .problem = &c->problem};
    struct str token = crypto_token(c->arena);
    bool right = false;

    enum err err = read_login(c, &in);
    if (err)
        return err;
    identify(c, in.identifier.value, &login);
    err = call_read(c, login_find, &login);
    if (err)
        return err;
    const char *hash = login.password_hash.ptr ? arena_cstr(c->arena, login.password_hash)
                                               : crypto_password_dummy();
    err = passwords_verify(c->api->passwords, hash, in.password.value, &right);
    if (err)
        return err;
    if (!right || !login.password_hash.ptr)
        return refuse_login(c, &login);
    if (login.pending)
        return problem_set(&c->problem, PROBLEM_ACCOUNT_NOT_VERIFIED,
                           "Type the code we mailed you, or sign up again to get a new one.");
    login.session_token_hash = auth_token_hash(c, token);
    err = call_transaction(c, login_complete, &login);
    if (!err)
        answer_session(c, &login.user, token, login.session_expires_at_ms);
    return err;
}

static enum err end_session(struct tx *tx, void *arg)
{
    const struct call *c = arg;
    return session_end(tx, c->session.id);
}

enum err logout_post(struct call *c)
{
    enum err err = call_body(c, NULL, 0, NULL);
    if (!err)
        err = call_transaction(c, end_session, c);
    if (err)
        return err;
    call_cookie(c, STR_NONE, 0);
    call_no_content(c);
    return ERR_OK;
}
