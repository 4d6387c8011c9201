/* What people type about themselves, brought to the one form in which it is stored and compared. */
#include "domain/account.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

struct str role_text(enum role role)
{
    return role == ROLE_ADMIN ? STR("admin") : STR("user");
}

bool role_parse(struct str text, enum role *ret_role)
{
    if (str_is(text, "user")) {
        *ret_role = ROLE_USER;
        return true;
    }
    if (str_is(text, "admin")) {
        *ret_role = ROLE_ADMIN;
        return true;
    }
    return false;
}

/* The rules below are about ASCII in every locale, so <ctype.h> is no help. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_local_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

static bool local_is_valid(struct str local)
{
    if (local.len < 1 || local.len > EMAIL_LOCAL_MAX_CHARS)
        return false;
    for (size_t i = 0; i < local.len; i++) {
        if (!is_local_char(local.ptr[i]))
            return false;
    }
    return true;
}

static bool label_is_valid(struct str label)
{
    if (label.len < 1 || label.len > DOMAIN_LABEL_MAX_CHARS)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    }
    return label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

static bool domain_is_valid(struct str domain)
{
    struct str label;
    while (str_split(&domain, '.', &label)) {
        if (!label_is_valid(label))
            return false;
    }
    return true;
}

bool email_normalize(struct arena *arena, struct str typed, struct str *ret_email,
                     struct str *ret_key)
{
    struct str email = str_trim(typed);
    if (email.len > EMAIL_MAX_CHARS)
        return false;
    struct str local, domain = email;
    /* Without an @ there is nothing behind it. */
    if (!str_split(&domain, '@', &local) || !domain.ptr)
        return false;
    if (!local_is_valid(local) || !domain_is_valid(domain))
        return false;
    char *key = arena_alloc(arena, email.len + 1);
    for (size_t i = 0; i < email.len; i++) {
        char c = email.ptr[i];
        key[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    key[email.len] = '\0';
    *ret_email = arena_dup(arena, email);
    *ret_key = (struct str){key, email.len};
    return true;
}

bool country_code_is_well_formed(struct str country_code)
{
    if (country_code.len < 1 || country_code.len > COUNTRY_CODE_MAX_DIGITS ||
        country_code.ptr[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < country_code.len; i++) {
        if (!is_digit(country_code.ptr[i]))
            return false;
    }
    return true;
}

enum { DIALLED_MAX_CHARS = PHONE_MAX_DIGITS + 3 }; /* with 00 in front and a national 0 inside */

/* Countries without a 0 to dial before a national number, whose numbers may begin with one: there
 * it is a digit like any other. (By the metadata of libphonenumber.) */
static bool begins_with_zero(struct str country_code)
{
    static const char *const codes[] = {
        "39",  /* Italy, Vatican City */
        "225", /* Côte d'Ivoire */
        "226", /* Burkina Faso */
        "229", /* Benin */
        "242", /* Congo */
        "378", /* San Marino */
        "992", /* Tajikistan */
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        if (str_is(country_code, codes[i]))
            return true;
    }
    return false;
}

/* What follows the + or 00 in front; STR_NONE: a national number. */
static struct str after_plus(struct str dialled)
{
    if (str_starts(dialled, STR("+")))
        return str_slice(dialled, 1, dialled.len);
    if (str_starts(dialled, STR("00")))
        return str_slice(dialled, 2, dialled.len);
    return STR_NONE;
}

/* What is left of a number without what people put between its digits: a "+" at most in front, and
 * digits. False for anything else, and for more than fits. */
static bool phone_strip(struct str typed, char dialled[static DIALLED_MAX_CHARS], size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0, step; i < typed.len; i += step) {
        char c = typed.ptr[i];
        struct str rest = str_slice(typed, i, typed.len);
        struct str country = after_plus((struct str){dialled, len});
        if (country.len > 0 && !begins_with_zero(country) && str_starts(rest, STR("(0)"))) {
            step = 3;
            continue;
        }
        step = text_gap(rest);
        if (step > 0)
            continue;
        step = 1;
        if (c != '\0' && strchr(".()", c))
            continue;
        if (!is_digit(c) && !(c == '+' && len == 0))
            return false;
        if (len == DIALLED_MAX_CHARS)
            return false;
        dialled[len++] = c;
    }
    *ret_len = len;
    return true;
}

bool phone_normalize(struct arena *arena, struct str typed, struct str country_code,
                     struct str *ret_e164)
{
    char dialled[DIALLED_MAX_CHARS];
    size_t len;
    if (!phone_strip(typed, dialled, &len))
        return false;
    struct str number = after_plus((struct str){dialled, len}), prefix = STR("");
    bool ours = country_code_is_well_formed(country_code);
    bool keep_zero = ours && begins_with_zero(country_code);
    if (!number.ptr) {
        number = (struct str){dialled, len};
        if (!ours || !str_starts(number, STR("0")))
            return false;
        prefix = country_code;
    } else if (ours && str_starts(number, country_code)) {
        number = str_slice(number, country_code.len, number.len);
        prefix = country_code;
    }
    if (prefix.len > 0 && !keep_zero && str_starts(number, STR("0")))
        number = str_slice(number, 1, number.len);
    size_t digits = prefix.len + number.len;
    if (digits < PHONE_MIN_DIGITS || digits > PHONE_MAX_DIGITS)
        return false;
    if (number.ptr[0] == '0' && !(prefix.len > 0 && keep_zero))
        return false;
    *ret_e164 = arena_printf(arena, "+" STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(number));
    return true;
}

enum err password_check(struct str password, const char *field, struct problem *problem)
{
    if (password.len > PASSWORD_MAX_BYTES)
        return problem_add(problem, field, PROBLEM_PASSWORD_TOO_LONG, "at most 1,024 bytes");
    if (!text_is_utf8(password))
        return problem_add(problem, field, PROBLEM_INVALID_VALUE, "not UTF-8");
    if (text_count(password) < PASSWORD_MIN_CHARS)
        return problem_add(problem, field, PROBLEM_PASSWORD_TOO_SHORT, "at least 8 characters");
    return ERR_OK;
}

struct str otp_format(uint32_t random, char text[static OTP_DIGITS + 1])
{
    assert(random < OTP_VALUES);
    for (size_t i = OTP_DIGITS; i > 0; i--) {
        text[i - 1] = (char)('0' + random % 10);
        random /= 10;
    }
    text[OTP_DIGITS] = '\0';
    return (struct str){text, OTP_DIGITS};
}

bool otp_is_well_formed(struct str otp)
{
    if (otp.len != OTP_DIGITS)
        return false;
    for (size_t i = 0; i < otp.len; i++) {
        if (!is_digit(otp.ptr[i]))
            return false;
    }
    return true;
}

static const char referral_alphabet[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
_Static_assert(sizeof referral_alphabet == REFERRAL_ALPHABET_CHARS + 1,
               "the alphabet has as many letters as its limit says");

struct str referral_code_format(const uint32_t random[static REFERRAL_CODE_CHARS],
                                char text[static REFERRAL_CODE_CHARS + 1])
{
    for (size_t i = 0; i < REFERRAL_CODE_CHARS; i++) {
        assert(random[i] < REFERRAL_ALPHABET_CHARS);
        text[i] = referral_alphabet[random[i]];
    }
    text[REFERRAL_CODE_CHARS] = '\0';
    return (struct str){text, REFERRAL_CODE_CHARS};
}

bool referral_code_normalize(struct str typed, char text[static REFERRAL_CODE_CHARS + 1])
{
    size_t len = 0;
    for (size_t i = 0, step; i < typed.len; i += step) {
        char c = typed.ptr[i];
        step = text_gap(str_slice(typed, i, typed.len));
        if (step > 0)
            continue;
        step = 1;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c == '\0' || !strchr(referral_alphabet, c) || len == REFERRAL_CODE_CHARS)
            return false;
        text[len++] = c;
    }
    text[len] = '\0';
    return len == REFERRAL_CODE_CHARS;
}
