/* What people type about themselves. One phone has one form, which normalizes to itself; an email
 * that is taken can be mailed to; codes keep their alphabet. Lines: country code, phone, email,
 * referral code, one-time code. */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "domain/account.h"
#include "net/mail.h"

static bool has_only(struct str s, const char *chars)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || !strchr(chars, s.ptr[i]))
            return false;
    return true;
}

/* The digits of `part` stand in `whole` in this order. */
static bool is_subsequence(struct str part, struct str whole)
{
    size_t at = 0;
    for (size_t i = 0; i < whole.len && at < part.len; i++)
        at += whole.ptr[i] == part.ptr[at];
    return at == part.len;
}

static void check_phone(struct arena *arena, struct str country, struct str typed)
{
    struct str phone, again;
    if (!phone_normalize(arena, typed, country, &phone))
        return;
    struct str digits = str_slice(phone, 1, phone.len);
    CHECK(phone.ptr[0] == '+' && has_only(digits, "0123456789"));
    CHECK(digits.len >= PHONE_MIN_DIGITS && digits.len <= PHONE_MAX_DIGITS && digits.ptr[0] != '0');
    CHECK(phone_normalize(arena, phone, country, &again));
    CHECK_SAME(again, phone);
    CHECK(is_subsequence(digits,
                         arena_printf(arena, STR_FMT STR_FMT, STR_ARG(country), STR_ARG(typed))));
    /* What people put between digits changes nothing. */
    CHECK(phone_normalize(arena, arena_printf(arena, " " STR_FMT "-.", STR_ARG(typed)), country,
                          &again));
    CHECK_SAME(again, phone);
}

static void check_email(struct arena *arena, struct str typed)
{
    struct str email, key, again, key_again;
    if (!email_normalize(arena, typed, &email, &key))
        return;
    CHECK(str_contains(typed, email) && str_eq_nocase(email, key));
    CHECK(email.len <= EMAIL_MAX_CHARS && !has_only(email, "@"));
    for (size_t i = 0; i < email.len; i++) {
        CHECK(email.ptr[i] > ' ' && email.ptr[i] <= '~');
        CHECK(key.ptr[i] < 'A' || key.ptr[i] > 'Z');
    }
    CHECK(email_normalize(arena, key, &again, &key_again));
    CHECK_SAME(again, key);
    CHECK_SAME(key_again, key);
    const struct mail_message message = {.from = {STR_NONE, STR("shop@example.com")},
                                         .to = email,
                                         .subject = STR("Code"),
                                         .text = STR("123456")};
    CHECK(mail_message_fault(&message) == NULL);
}

static void check_codes(struct str referral, struct str otp)
{
    char text[REFERRAL_CODE_CHARS + 1], again[REFERRAL_CODE_CHARS + 1];
    if (referral_code_normalize(referral, text)) {
        CHECK(strlen(text) == REFERRAL_CODE_CHARS);
        CHECK(has_only(str_from(text), "23456789ABCDEFGHJKMNPQRSTUVWXYZ"));
        CHECK(referral_code_normalize(str_from(text), again) && strcmp(text, again) == 0);
        for (size_t i = 0, n = 0; i < referral.len; i++)
            if (referral.ptr[i] != ' ' && referral.ptr[i] != '-')
                CHECK(n < REFERRAL_CODE_CHARS && (referral.ptr[i] | 0x20) == (text[n++] | 0x20));
    }
    if (otp_is_well_formed(otp)) {
        char formatted[OTP_DIGITS + 1];
        int64_t value = 0;
        CHECK(str_to_int64(otp, &value) && value >= 0 && value < OTP_VALUES);
        CHECK_SAME(otp_format((uint32_t)value, formatted), otp);
    }
}

static void check_password(struct arena *arena, struct str password)
{
    struct problem *problem = arena_zalloc(arena, sizeof *problem);
    problem_init(problem, arena);
    bool good = password.len <= PASSWORD_MAX_BYTES && text_is_utf8(password) &&
                text_count(password) >= PASSWORD_MIN_CHARS;
    CHECK((password_check(password, "password", problem) == ERR_OK) == good);
    CHECK(problem->n_rows == (good ? 0 : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str rest = {(const char *)data, size};
    struct str country = fuzz_line(arena, &rest), phone = fuzz_line(arena, &rest);

    check_phone(arena, country, phone);
    check_email(arena, fuzz_line(arena, &rest));
    struct str referral = fuzz_line(arena, &rest), otp = fuzz_line(arena, &rest);
    check_codes(referral, otp);
    check_password(arena, fuzz_rest(arena, rest));
    arena_destroy(arena);
    return 0;
}
