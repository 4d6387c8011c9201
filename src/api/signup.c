/* Signing up: a pending sign-up, its code by mail, and the account once the code came back. */
#include "store/signup.h"
#include "api/auth.h"
#include "api/handlers.h"
#include "api/mails.h"
#include "api/menu.h"
#include "api/passwords.h"
#include "api/users.h"

/* A fresh code: what is mailed, and what is stored of it. */
struct code {
    char text[OTP_DIGITS + 1];
    struct str hash;
};

/* A code's hash is bound to its sign-up's token: stolen from the table it opens no other one. */
static struct str hash_code(struct call *c, struct str signup_token, struct str otp)
{
    struct str bound =
        arena_printf(c->arena, STR_FMT ":" STR_FMT, STR_ARG(otp), STR_ARG(signup_token));
    return crypto_hash_str(&c->api->keys, c->arena, "otp", bound);
}

static struct code draw_code(struct call *c, struct str signup_token)
{
    struct code code;
    struct str otp = otp_format(crypto_random_below(OTP_VALUES), code.text);
    code.hash = hash_code(c, signup_token, otp);
    return code;
}

static struct outbox_mail code_mail(struct call *c, const struct shop *shop, struct str recipient,
                                    const struct code *code)
{
    return mails_code(&c->api->keys, c->arena, shop->name, recipient, str_from(code->text),
                      c->now_ms + OTP_LIFETIME_MS);
}

static struct str hash_signup_token(struct call *c, struct str token)
{
    return crypto_hash_str(&c->api->keys, c->arena, "signup", token);
}

/* otp_cooldown tells when to come back, in the place where a success does. */
static void add_resend_at(struct call *c, int64_t resend_at_ms)
{
    struct json_writer w;
    struct buf buf;

    if (c->problem.code != PROBLEM_OTP_COOLDOWN)
        return;
    buf_init(&buf, c->arena);
    json_init(&w, &buf);
    json_begin_object(&w, NULL);
    json_time(&w, "resend_at", resend_at_ms);
    json_end_object(&w);
    problem_extra_json(&c->problem, "otp", buf_str(&buf));
}

static void put_otp(struct json_writer *w, int64_t expires_at_ms, int64_t resend_at_ms)
{
    json_begin_object(w, "otp");
    json_time(w, "expires_at", expires_at_ms);
    json_time(w, "resend_at", resend_at_ms);
    json_end_object(w);
}

/* ---- POST /api/signup ---- */

struct signup_body {
    struct opt_str email, password, phone, name, referral_code;
};

static enum err read_signup(struct call *c, struct signup_body *in)
{
    static const struct json_field fields[] = {
        {"email", JSON_TEXT, JSON_REQUIRED, offsetof(struct signup_body, email), 0, 0,
         PROBLEM_NONE},
        {"password", JSON_RAW_TEXT, JSON_REQUIRED, offsetof(struct signup_body, password), 0, 0,
         PROBLEM_NONE},
        {"phone", JSON_TEXT, JSON_NULLABLE, offsetof(struct signup_body, phone), 0, 0,
         PROBLEM_NONE},
        {"name", JSON_TEXT, JSON_NULLABLE, offsetof(struct signup_body, name), 1, NAME_MAX_CHARS,
         PROBLEM_NONE},
        {"referral_code", JSON_TEXT, JSON_NULLABLE, offsetof(struct signup_body, referral_code), 0,
         0, PROBLEM_NONE},
    };
    return call_body(c, fields, FIELDS_N(fields), in);
}

/* The rules that need no database, each with its row. */
static enum err check_signup(struct call *c, struct str country_code, struct signup_body *in,
                             struct signup_create *s)
{
    bool refused = false;

    if (!email_normalize(c->arena, in->email.value, &s->email, &s->email_key))
        refused |= problem_add(&c->problem, "email", PROBLEM_EMAIL_INVALID, NULL) != ERR_OK;
    refused |= password_check(in->password.value, "password", &c->problem) != ERR_OK;
    refused |= phone_check(c, country_code, &in->phone) != ERR_OK;
    refused |= call_trim(c, "name", &in->name) != ERR_OK;
    s->phone = in->phone.value;
    s->name = in->name.value;
    if (in->referral_code.set && !in->referral_code.null) {
        char *code = arena_alloc(c->arena, REFERRAL_CODE_CHARS + 1);
        if (referral_code_normalize(in->referral_code.value, code))
            s->referral_code = str_from(code);
        else
            refused |= problem_add(&c->problem, "referral_code", PROBLEM_REFERRAL_CODE_INVALID,
                                   NULL) != ERR_OK;
    }
    return refused ? ERR_PROBLEM : ERR_OK;
}

/* What would be refused is refused before the hash, which costs 64 MiB and tens of milliseconds;
 * the transaction then settles it again. */
static enum err create_signup(struct call *c, const struct shop *shop, struct str password,
                              struct signup_create *s, struct str token)
{
    char password_hash[CRYPTO_PASSWORD_HASH_SIZE];

    s->subject = subject_of(c, s->email_key);
    enum err err = call_read(c, signup_check, s);
    if (!err)
        err = passwords_hash(c->api->passwords, password, password_hash);
    if (err)
        return err;
    struct code code = draw_code(c, token);
    s->password_hash = arena_dup(c->arena, str_from(password_hash));
    s->token_hash = hash_signup_token(c, token);
    s->otp_hash = code.hash;
    s->mail = code_mail(c, shop, s->email, &code);
    return call_transaction(c, signup_create, s);
}

enum err signup_post(struct call *c)
{
    struct signup_body in = {0};
    struct signup_create s = {.now_ms = c->now_ms, .problem = &c->problem};
    struct str token = crypto_token(c->arena);
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);

    enum err err = read_signup(c, &in);
    if (!err)
        err = check_signup(c, shop.country_code, &in, &s);
    if (!err)
        err = create_signup(c, &shop, in.password.value, &s, token);
    if (err) {
        add_resend_at(c, s.resend_at_ms);
        return err;
    }
    struct json_writer *w = call_json(c, 201);
    json_begin_object(w, NULL);
    json_str(w, "signup_token", token);
    json_str(w, "email", s.email);
    put_otp(w, s.otp_expires_at_ms, s.resend_at_ms);
    json_end_object(w);
    return ERR_OK;
}

/* ---- POST /api/verify-otp ---- */

struct verify_body {
    struct opt_str signup_token, otp;
};

/* Six digits as a mail program copies them, perhaps in two groups; STR_NONE: something else. */
static struct str clean_otp(struct arena *arena, struct str typed)
{
    struct buf digits;

    buf_init(&digits, arena);
    for (size_t i = 0; i < typed.len; i++)
        if (typed.ptr[i] != ' ' && typed.ptr[i] != '-')
            buf_put_char(&digits, typed.ptr[i]);
    return otp_is_well_formed(buf_str(&digits)) ? buf_str(&digits) : STR_NONE;
}

static enum err explain_verify(struct call *c, const struct signup_verify *v)
{
    switch (v->outcome) {
    case SIGNUP_VERIFIED:
        return ERR_OK;
    case SIGNUP_UNKNOWN:
        return problem_set(&c->problem, PROBLEM_NOT_FOUND,
                           "There is no such sign-up. Please sign up again.");
    case SIGNUP_LOCKED:
        if (v->resend_at_ms > c->now_ms)
            c->problem.retry_after_ms = v->resend_at_ms - c->now_ms;
        return problem_set(&c->problem, PROBLEM_OTP_LOCKED, "Please ask for a new code.");
    case SIGNUP_EXPIRED:
        return problem_set(&c->problem, PROBLEM_OTP_EXPIRED, "Please ask for a new code.");
    case SIGNUP_WRONG:
        break;
    }
    problem_extra_int(&c->problem, "attempts_left", v->attempts_left);
    return problem_add(&c->problem, "otp", PROBLEM_OTP_INVALID, NULL);
}

enum err verify_otp_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"signup_token", JSON_TEXT, JSON_REQUIRED, offsetof(struct verify_body, signup_token), 0, 0,
         PROBLEM_NONE},
        {"otp", JSON_TEXT, JSON_REQUIRED, offsetof(struct verify_body, otp), 0, 0, PROBLEM_NONE},
    };
    struct verify_body in = {0};
    struct user_codes codes;

    enum err err = call_body(c, fields, FIELDS_N(fields), &in);
    if (err)
        return err;
    struct str session_token = crypto_token(c->arena);
    struct str otp = clean_otp(c->arena, in.otp.value);
    struct signup_verify v = {
        .token_hash = hash_signup_token(c, in.signup_token.value),
        .otp_hash = otp.ptr ? hash_code(c, in.signup_token.value, otp) : STR_NONE,
        .session_token_hash = auth_token_hash(c, session_token),
        .codes = &codes,
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    user_codes_draw(&codes);
    err = call_transaction(c, signup_verify, &v);
    if (!err)
        err = explain_verify(c, &v);
    if (!err)
        answer_session(c, &v.user, session_token, v.session_expires_at_ms);
    return err;
}

/* ---- POST /api/resend-otp ---- */

enum err resend_otp_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"signup_token", JSON_TEXT, JSON_REQUIRED, 0, 0, 0, PROBLEM_NONE},
    };
    struct opt_str token = {0};
    struct shop shop = menu_shop_copy(c->api->menu, c->arena);

    enum err err = call_body(c, fields, 1, &token);
    if (err)
        return err;
    struct signup_find find = {.token_hash = hash_signup_token(c, token.value),
                               .now_ms = c->now_ms};
    err = call_read(c, signup_find, &find);
    if (!err && find.id == 0)
        err = problem_set(&c->problem, PROBLEM_NOT_FOUND,
                          "There is no such sign-up. Please sign up again.");
    if (err)
        return err;
    struct code code = draw_code(c, token.value);
    struct signup_resend s = {
        .token_hash = find.token_hash,
        .otp_hash = code.hash,
        .subject = subject_of(c, find.found_email_key),
        .mail = code_mail(c, &shop, find.email, &code),
        .now_ms = c->now_ms,
        .problem = &c->problem,
    };
    err = call_transaction(c, signup_resend, &s);
    if (err) {
        add_resend_at(c, s.resend_at_ms);
        return err;
    }
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    put_otp(w, s.otp_expires_at_ms, s.resend_at_ms);
    json_end_object(w);
    return ERR_OK;
}
