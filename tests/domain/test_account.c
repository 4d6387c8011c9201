/* What people type: long lists of what must pass and what must not, and both sides of every
 * limit. */
#include "domain/account.h"

#include <stdlib.h>
#include <string.h>

#include "domain_test.h"

static int make_arena(void **state)
{
    *state = arena_create();
    return 0;
}

static int drop_arena(void **state)
{
    arena_destroy(*state);
    return 0;
}

/* n times the character. */
static struct str repeat(struct arena *arena, char c, size_t n)
{
    char *text = arena_alloc(arena, n + 1);
    memset(text, c, n);
    text[n] = '\0';
    return (struct str){text, n};
}

static void test_account__roles(void **state)
{
    (void)state;
    enum role role = ROLE_ADMIN;
    assert_true(role_parse(STR("user"), &role));
    assert_int_equal(role, ROLE_USER);
    assert_true(role_parse(STR("admin"), &role));
    assert_int_equal(role, ROLE_ADMIN);
    assert_false(role_parse(STR("root"), &role));
    assert_false(role_parse(STR("Admin"), &role));
    assert_false(role_parse(STR("user "), &role));
    assert_false(role_parse(STR(""), &role));
    assert_false(role_parse(STR_NONE, &role));
    assert_int_equal(role, ROLE_ADMIN);
    assert_str(role_text(ROLE_USER), "user");
    assert_str(role_text(ROLE_ADMIN), "admin");
}

/* ---- Email ---- */

static bool email_passes(struct arena *arena, struct str typed)
{
    struct str email, key;
    return email_normalize(arena, typed, &email, &key);
}

static void test_account__good_emails(void **state)
{
    static const char *const good[] = {
        "ada@example.com",
        "a@b",
        "root@localhost",
        "ADA@EXAMPLE.COM",
        "first.last@example.co.uk",
        "first+tag@example.com",
        "o'neil@example.com",
        "!#$%&'*+/=?^_`{|}~-@example.com",
        ".leading.dot@example.com",
        "trailing.@example.com",
        "two..dots@example.com",
        "-@example.com",
        "123@456.789",
        "user@1.2.3.4",
        "user@sub-domain.example.com",
        "user@a--b.example.com",
        "user@xn--bcher-kva.example",
        "user@example.museum",
        "user@ex-ample",
        "_@a.b.c.d.e.f.g",
    };
    for (size_t i = 0; i < N_OF(good); i++) {
        struct str email = STR_NONE, key = STR_NONE;
        if (!email_normalize(*state, str_from(good[i]), &email, &key))
            fail_msg("refused: %s", good[i]);
        assert_str(email, good[i]);
    }
}

static void test_account__bad_emails(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "@",
        "ada",
        "ada.example.com",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@exa@mple.com",
        "ada@example.com@",
        "ada@.example.com",
        "ada@example.com.",
        "ada@example..com",
        "ada@.",
        "ada@-example.com",
        "ada@example-.com",
        "ada@example.-com",
        "ada@example.com-",
        "ada@-",
        "ada@exa_mple.com",
        "ada@exam ple.com",
        "a da@example.com",
        "ada @example.com",
        "ada@ example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "mailto:ada@example.com",
        "\"ada\"@example.com",
        "\"a b\"@example.com",
        "ada(comment)@example.com",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "ada@example.com:25",
        "ada@example.com/x",
        "ada\\@example.com",
        "ada[at]example.com",
        "ada,eve@example.com",
        "ada\n@example.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\t@example.com",
        "ada\x01@example.com",
        "ada\x7f@example.com",
        "äda@example.com",
        "ada@bücher.example",
        "ada@例子.测试",
        "ada@example。com",
        "\u200bada@example.com",
        "ada@example.com\u00a0",
        "ada\xff@example.com",
        "🍔@example.com",
    };
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct str email = STR("before"), key = STR("before");
        if (email_normalize(*state, str_from(bad[i]), &email, &key))
            fail_msg("accepted: %s", bad[i]);
        assert_str(email, "before");
        assert_str(key, "before");
    }
    assert_false(email_passes(*state, STR_NONE));
    assert_false(email_passes(*state, STR("ada\0@example.com")));
    assert_false(email_passes(*state, STR("ada@example.com\0")));
    assert_false(email_passes(*state, STR("ada@exam\0ple.com")));
}

/* Every byte, in the local part and inside a label of the domain, against the standard's own
 * sets. */
static void test_account__every_byte_of_an_email(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int byte = 0; byte < 256; byte++) {
        char in_local[] = "ada?da@example.com", in_domain[] = "ada@exa?mple.com";
        in_local[3] = in_domain[7] = (char)byte;
        bool letter = byte != 0 && strchr(letters, byte);
        bool local = letter || (byte != 0 && strchr(".!#$%&'*+/=?^_`{|}~-", byte));
        bool domain = letter || byte == '.' || byte == '-';
        assert_int_equal(email_passes(*state, (struct str){in_local, sizeof in_local - 1}), local);
        assert_int_equal(email_passes(*state, (struct str){in_domain, sizeof in_domain - 1}),
                         domain);
    }
}

static void test_account__email_is_trimmed_and_folded(void **state)
{
    struct str email, key;
    assert_true(email_normalize(*state, STR(" \t Ada.Lovelace+X@Example.COM \t"), &email, &key));
    assert_str(email, "Ada.Lovelace+X@Example.COM");
    assert_str(key, "ada.lovelace+x@example.com");
    assert_int_equal(email.ptr[email.len], '\0');
    assert_int_equal(key.ptr[key.len], '\0');

    /* Only letters are folded: the characters around them in ASCII stay. */
    assert_true(email_normalize(*state, STR("AZ^_`{|}~@AZ.az09"), &email, &key));
    assert_str(key, "az^_`{|}~@az.az09");
}

static void test_account__email_outlives_what_was_typed(void **state)
{
    char typed[] = "Ada@example.com";
    struct str email, key;
    assert_true(email_normalize(*state, str_from(typed), &email, &key));
    memset(typed, 'x', sizeof typed - 1);
    assert_str(email, "Ada@example.com");
    assert_str(key, "ada@example.com");
}

static void test_account__email_local_part_limit(void **state)
{
    for (size_t len = 63; len <= 66; len++) {
        struct str typed =
            arena_printf(*state, STR_FMT "@example.com", STR_ARG(repeat(*state, 'a', len)));
        assert_int_equal(email_passes(*state, typed), len <= 64);
    }
}

static void test_account__email_domain_label_limit(void **state)
{
    for (size_t len = 62; len <= 65; len++) {
        struct str label = repeat(*state, 'b', len);
        struct str first = arena_printf(*state, "ada@" STR_FMT ".com", STR_ARG(label));
        struct str last = arena_printf(*state, "ada@example." STR_FMT, STR_ARG(label));
        assert_int_equal(email_passes(*state, first), len <= 63);
        assert_int_equal(email_passes(*state, last), len <= 63);
    }
}

static void test_account__email_total_limit(void **state)
{
    struct str local = repeat(*state, 'a', 64), label = repeat(*state, 'b', 61);
    for (size_t last = 1; last <= 5; last++) {
        /* 64 + 1 + 3 * 62 = 251 before the last label */
        struct str typed = arena_printf(
            *state, STR_FMT "@" STR_FMT "." STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(local),
            STR_ARG(label), STR_ARG(label), STR_ARG(label), STR_ARG(repeat(*state, 'c', last)));
        assert_int_equal(typed.len, 251 + last);
        assert_int_equal(email_passes(*state, typed), typed.len <= 254);
        /* What is trimmed does not count. */
        struct str padded = arena_printf(*state, "  " STR_FMT "  ", STR_ARG(typed));
        assert_int_equal(email_passes(*state, padded), typed.len <= 254);
    }
    assert_false(email_passes(*state, repeat(*state, 'a', 1000000)));
}

/* ---- Phone ---- */

static void test_account__good_phones(void **state)
{
    static const struct {
        const char *typed, *e164;
    } good[] = {
        {"+2348031234567", "+2348031234567"},
        {"08031234567", "+2348031234567"},
        {"0803 123 4567", "+2348031234567"},
        {"0803-123-4567", "+2348031234567"},
        {"0803.123.4567", "+2348031234567"},
        {"(0803) 123 4567", "+2348031234567"},
        {"(0)803 123 4567", "+2348031234567"},
        {"  08031234567  ", "+2348031234567"},
        {"+234 803 123 4567", "+2348031234567"},
        {"+234-803-123-4567", "+2348031234567"},
        {"+234 (803) 123-4567", "+2348031234567"},
        {"+234 (0) 803 123 4567", "+2348031234567"},
        {"+234(0)8031234567", "+2348031234567"},
        {"002348031234567", "+2348031234567"},
        {"00 234 803 123 4567", "+2348031234567"},
        {"00234 (0)803 123 4567", "+2348031234567"},
        {"(+234) 803 123 4567", "+2348031234567"},
        {" + 234 803 123 4567", "+2348031234567"},
        {"0803\u00a0123\u202f4567", "+2348031234567"},    /* spaces that do not break, */
        {"+234\u2009803\u20111234567", "+2348031234567"}, /* thin ones, hyphens that do not, */
        {"0803\u2013123\u20144567", "+2348031234567"},    /* dashes, */
        {"\u3000+234\u2212803\uff0d1234567", "+2348031234567"}, /* a minus, and wide ones */
        {"+1 212 555 0123", "+12125550123"},
        {"+44 20 7946 0958", "+442079460958"},
        {"+39 06 1234 5678", "+390612345678"},
        {"+12345678", "+12345678"},
        {"+123456789012345", "+123456789012345"},
        {"00123456789012345", "+123456789012345"},
        {"012345", "+23412345"},
        {"0123456789012", "+234123456789012"},
    };
    for (size_t i = 0; i < N_OF(good); i++) {
        struct str e164 = STR_NONE;
        if (!phone_normalize(*state, str_from(good[i].typed), STR("234"), &e164))
            fail_msg("refused: %s", good[i].typed);
        assert_str(e164, good[i].e164);
        /* The stored form is its own normal form, also in a shop of another country. */
        assert_true(phone_normalize(*state, e164, STR("49"), &e164));
        assert_str(e164, good[i].e164);
    }
}

static void test_account__bad_phones(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "+",
        "0",
        "00",
        "000",
        "()",
        "(0)",
        "+1234567",           /* 7 digits */
        "+1234567890123456",  /* 16 */
        "001234567",          /* 7 */
        "001234567890123456", /* 16 */
        "01234",              /* 234 and 4: 7 */
        "01234567890123",     /* 234 and 13: 16 */
        "+08031234567",
        "+0",
        "0008031234567",
        "00000000000",
        "8031234567", /* neither + nor 0 in front: only to be guessed */
        "2348031234567",
        "++2348031234567",
        "+234+8031234567",
        "0803+1234567",
        "2348031234567+",
        "+(0)8031234567",
        "+234803123456a",
        "+234 803 CALL NOW",
        "0803/123/4567",
        "0803,1234567",
        "0803_1234567",
        "tel:+2348031234567",
        "+234 803 123 4567 ext 5",
        "+234 803 123 4567;5",
        "+234803123456#",
        "*123#08031234567",
        "ada@example.com",
        "0803\t1234567",
        "0803\n1234567",
        "08031234567\n",
        "0803\u200b1234567", /* no space, whatever its name says */
        "0803\u20281234567", /* a new line */
        "\u00a0\u2011",
        "０８031234567", /* full-width digits */
        "٠٨٠٣1234567",   /* Arabic digits */
        "0803\xff-1234567",
        "-2348031234567",
        "' OR 1=1 --",
    };
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct str e164 = STR("before");
        if (phone_normalize(*state, str_from(bad[i]), STR("234"), &e164))
            fail_msg("accepted: %s as %s", bad[i], e164.ptr);
        assert_str(e164, "before");
    }
    struct str e164 = STR_NONE;
    assert_false(phone_normalize(*state, STR_NONE, STR("234"), &e164));
    assert_false(phone_normalize(*state, STR("0803\0-1234567"), STR("234"), &e164));
    assert_false(phone_normalize(*state, repeat(*state, '1', 1000000), STR("234"), &e164));
    assert_false(phone_normalize(*state, repeat(*state, '0', 1000000), STR("234"), &e164));
    assert_false(phone_normalize(*state, repeat(*state, ' ', 1000000), STR("234"), &e164));
}

static void test_account__country_codes(void **state)
{
    struct str e164;
    assert_true(phone_normalize(*state, STR("0212 555 0123"), STR("1"), &e164));
    assert_str(e164, "+12125550123");
    assert_true(phone_normalize(*state, STR("030 901820"), STR("49"), &e164));
    assert_str(e164, "+4930901820");

    static const char *const good[] = {"1", "7", "44", "49", "234", "999"};
    for (size_t i = 0; i < N_OF(good); i++)
        assert_true(country_code_is_well_formed(str_from(good[i])));
    static const char *const bad[] = {"", "0", "01", "+234", "1234", "23a", "NG", " 1", "1 ", "-1"};
    for (size_t i = 0; i < N_OF(bad); i++) {
        assert_false(country_code_is_well_formed(str_from(bad[i])));
        /* Without a country the national form has no meaning; the international one keeps its
         * own. */
        assert_false(phone_normalize(*state, STR("08031234567"), str_from(bad[i]), &e164));
        assert_true(phone_normalize(*state, STR("+2348031234567"), str_from(bad[i]), &e164));
    }
    assert_false(country_code_is_well_formed(STR_NONE));
}

/* The 0 left in behind the country's own code made two users of one telephone. */
static void test_account__one_telephone_one_form(void **state)
{
    static const struct {
        const char *country, *typed, *e164; /* NULL: refused */
    } rows[] = {
        {"234", "+234 0803 123 4567", "+2348031234567"},
        {"234", "00234 0803 123 4567", "+2348031234567"},
        {"234", "+234 (0803) 123 4567", "+2348031234567"},
        {"234", "+234 (0) 0803 123 4567", "+2348031234567"},
        {"234", "+234 00803 123 4567", NULL},
        {"234", "+234 0 12345", "+23412345"},
        {"234", "+234 0 1234", NULL},
        {"234", "00234 0 123456789012", "+234123456789012"},
        {"234", "00234 0 1234567890123", NULL},
        {"49", "+49 030 901820", "+4930901820"},
        /* Of another country only that country knows. */
        {"49", "+234 0803 123 4567", "+23408031234567"},
        {"234", "+39 06 1234 5678", "+390612345678"},
        {"234", "+39 (0)6 1234 5678", "+390612345678"},
        /* Where numbers begin with 0 it is theirs. */
        {"39", "+39 06 1234 5678", "+390612345678"},
        {"39", "0039 06 1234 5678", "+390612345678"},
        {"39", "+39 (0)6 1234 5678", "+390612345678"},
        {"39", "06 1234 5678", "+390612345678"},
        {"39", "(06) 1234 5678", "+390612345678"},
        {"39", "+39 335 123 4567", "+393351234567"},
        {"39", "+234 (0)803 123 4567", "+2348031234567"},
        {"225", "07 08 12 34 56", "+2250708123456"},
        {"225", "+225 07 08 12 34 56", "+2250708123456"},
        {"226", "01 23 45 67", "+22601234567"},
        {"229", "01 97 12 34 56", "+2290197123456"},
        {"242", "06 612 3456", "+242066123456"},
        {"378", "0549 886 377", "+3780549886377"},
        {"992", "+992 002 544 168", "+992002544168"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct str e164 = STR_NONE;
        bool good =
            phone_normalize(*state, str_from(rows[i].typed), str_from(rows[i].country), &e164);
        if (good != (rows[i].e164 != NULL))
            fail_msg("%s: %s", good ? "accepted" : "refused", rows[i].typed);
        if (!good)
            continue;
        assert_str(e164, rows[i].e164);
        assert_true(phone_normalize(*state, e164, str_from(rows[i].country), &e164));
        assert_str(e164, rows[i].e164);
    }
}

/* ---- Password ---- */

static void check_password(struct arena *arena, struct str password, enum problem_code expected)
{
    struct problem *problem = problem_for_test(arena);
    enum err err = password_check(password, "new_password", problem);
    assert_int_equal(err, expected == PROBLEM_NONE ? ERR_OK : ERR_PROBLEM);
    assert_int_equal(problem->code, expected);
    assert_int_equal(problem->n_rows, expected == PROBLEM_NONE ? 0 : 1);
    if (expected != PROBLEM_NONE) {
        assert_string_equal(problem->rows[0].field, "new_password");
        assert_int_equal(problem->rows[0].code, expected);
    }
}

static void test_account__password_limits(void **state)
{
    check_password(*state, STR(""), PROBLEM_PASSWORD_TOO_SHORT);
    check_password(*state, repeat(*state, 'a', 7), PROBLEM_PASSWORD_TOO_SHORT);
    check_password(*state, repeat(*state, 'a', 8), PROBLEM_NONE);
    check_password(*state, repeat(*state, 'a', 9), PROBLEM_NONE);
    check_password(*state, repeat(*state, 'a', 1023), PROBLEM_NONE);
    check_password(*state, repeat(*state, 'a', 1024), PROBLEM_NONE);
    check_password(*state, repeat(*state, 'a', 1025), PROBLEM_PASSWORD_TOO_LONG);
    check_password(*state, STR("        "), PROBLEM_NONE); /* not trimmed */
}

/* The lower limit counts characters, the upper one bytes. */
static void test_account__password_beyond_ascii(void **state)
{
    check_password(*state, STR("pässwör"), PROBLEM_PASSWORD_TOO_SHORT); /* 7 in 9 bytes */
    check_password(*state, STR("pässwörd"), PROBLEM_NONE);
    check_password(*state, STR("🍔🍔🍔🍔🍔🍔🍔"), PROBLEM_PASSWORD_TOO_SHORT); /* 7 in 28 bytes */
    check_password(*state, STR("🍔🍔🍔🍔🍔🍔🍔🍔"), PROBLEM_NONE);

    struct str hamburger = STR("🍔"); /* 4 bytes: 256 of them are 1,024 */
    char *text = arena_alloc(*state, 257 * hamburger.len);
    for (size_t i = 0; i < 257; i++)
        memcpy(text + i * hamburger.len, hamburger.ptr, hamburger.len);
    check_password(*state, (struct str){text, 1024}, PROBLEM_NONE);
    check_password(*state, (struct str){text, 1028}, PROBLEM_PASSWORD_TOO_LONG);

    check_password(*state, STR("password\xff"), PROBLEM_INVALID_VALUE);
    check_password(*state, STR("\xf0\x9f\x8d"), PROBLEM_INVALID_VALUE);
}

/* ---- Codes ---- */

/* One code for each value: uniform for a uniform value. */
static void test_account__otp_is_the_number_itself(void **state)
{
    (void)state;
    for (uint32_t random = 0; random < OTP_VALUES; random++) {
        char text[OTP_DIGITS + 1];
        struct str otp = otp_format(random, text);
        if (otp.len != 6 || text[6] != '\0' || !otp_is_well_formed(otp) ||
            strtoul(text, NULL, 10) != random) {
            fail_msg("%u gives %s", random, text);
        }
    }
    char text[OTP_DIGITS + 1];
    assert_str(otp_format(0, text), "000000");
    assert_str(otp_format(42, text), "000042");
    assert_str(otp_format(999999, text), "999999");
}

static void test_account__otp_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "12345",  "1234567", "12345a", " 12345", "12345 ",
                                      "123 456", "-12345", "+12345",  "1e5000", "0x1234", "12.345"};
    for (size_t i = 0; i < N_OF(bad); i++)
        assert_false(otp_is_well_formed(str_from(bad[i])));
    assert_false(otp_is_well_formed(STR_NONE));
    assert_false(otp_is_well_formed(STR("12345\0")));
    assert_false(otp_is_well_formed(STR("١٢٣"))); /* three Arabic digits */
    assert_true(otp_is_well_formed(STR("000000")));
    assert_true(otp_is_well_formed(STR("999999")));
}

static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/* In every place each value has a character of its own, so a uniform draw makes a uniform code. */
static void test_account__referral_code_has_no_bias(void **state)
{
    (void)state;
    assert_int_equal(strlen(alphabet), REFERRAL_ALPHABET_CHARS);
    for (size_t place = 0; place < REFERRAL_CODE_CHARS; place++) {
        unsigned seen[256] = {0};
        for (uint32_t value = 0; value < REFERRAL_ALPHABET_CHARS; value++) {
            uint32_t random[REFERRAL_CODE_CHARS] = {0};
            char text[REFERRAL_CODE_CHARS + 1];
            random[place] = value;
            struct str code = referral_code_format(random, text);
            assert_int_equal(code.len, REFERRAL_CODE_CHARS);
            assert_int_equal(text[REFERRAL_CODE_CHARS], '\0');
            seen[(unsigned char)text[place]]++;
            for (size_t other = 0; other < REFERRAL_CODE_CHARS; other++)
                assert_true(other == place || text[other] == alphabet[0]);
        }
        for (int byte = 0; byte < 256; byte++)
            assert_int_equal(seen[byte], byte != 0 && strchr(alphabet, byte) ? 1 : 0);
    }
}

static void test_account__good_referral_codes(void **state)
{
    (void)state;
    static const char *const good[] = {"ABCD2345",        "abcd2345",     "AbCd2345",
                                       "ABCD-2345",       "ABCD 2345",    " abcd 2345 ",
                                       "A-B-C-D-2-3-4-5", "--ABCD2345--", "ABCD\u00a02345\u2011"};
    for (size_t i = 0; i < N_OF(good); i++) {
        char text[REFERRAL_CODE_CHARS + 1] = "";
        assert_true(referral_code_normalize(str_from(good[i]), text));
        assert_string_equal(text, "ABCD2345");
    }
    for (size_t i = 0; alphabet[i]; i++) {
        char code[] = "ABCDEFG?", text[REFERRAL_CODE_CHARS + 1];
        code[7] = alphabet[i];
        assert_true(referral_code_normalize(str_from(code), text));
        assert_string_equal(text, code);
    }
}

static void test_account__bad_referral_codes(void **state)
{
    static const char *const bad[] = {
        "",         " ",        "-",           "ABCD234",   "ABCD23456",  "ABCD-23456",
        "ABCD234O", "ABCD2340", "ABCD2341",    "ABCD234I",  "ABCD234L",   "abcd234o",
        "abcd234i", "abcd234l", "ABCD_2345",   "ABCD.2345", "ABCD\t2345", "ABCD2345\n",
        "ABCD234$", "ABCD234Ä", "\xffGHJK234", "' OR 1=1",  "ABCD234@",   "ABCD234[",
        "ABCD234`",
    };
    char text[REFERRAL_CODE_CHARS + 1];
    for (size_t i = 0; i < N_OF(bad); i++) {
        if (referral_code_normalize(str_from(bad[i]), text))
            fail_msg("accepted: %s as %s", bad[i], text);
    }
    assert_false(referral_code_normalize(STR_NONE, text));
    assert_false(referral_code_normalize(STR("ABCD234\0"), text));
    assert_false(referral_code_normalize(repeat(*state, 'A', 1000000), text));
}

/* A stream ends within a second of its session; half of that is for the looking itself. */
static void test_account__sessions_of_streams_are_looked_at_twice_a_second(void **state)
{
    (void)state;
    assert_in_range(SESSION_LOOK_MS, 1, SECOND_MS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account__roles),
        cmocka_unit_test(test_account__good_emails),
        cmocka_unit_test(test_account__bad_emails),
        cmocka_unit_test(test_account__every_byte_of_an_email),
        cmocka_unit_test(test_account__email_is_trimmed_and_folded),
        cmocka_unit_test(test_account__email_outlives_what_was_typed),
        cmocka_unit_test(test_account__email_local_part_limit),
        cmocka_unit_test(test_account__email_domain_label_limit),
        cmocka_unit_test(test_account__email_total_limit),
        cmocka_unit_test(test_account__good_phones),
        cmocka_unit_test(test_account__bad_phones),
        cmocka_unit_test(test_account__one_telephone_one_form),
        cmocka_unit_test(test_account__country_codes),
        cmocka_unit_test(test_account__password_limits),
        cmocka_unit_test(test_account__password_beyond_ascii),
        cmocka_unit_test(test_account__otp_is_the_number_itself),
        cmocka_unit_test(test_account__otp_form),
        cmocka_unit_test(test_account__referral_code_has_no_bias),
        cmocka_unit_test(test_account__good_referral_codes),
        cmocka_unit_test(test_account__bad_referral_codes),
        cmocka_unit_test(test_account__sessions_of_streams_are_looked_at_twice_a_second),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
