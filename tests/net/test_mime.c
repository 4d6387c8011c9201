/* Headers of a mail, the check of a message and the setting `mail`; sending is in mail.test.mjs. */
#include "net/mime.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium/utils.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    return crypto_init() == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static void expect_str(struct str got, const char *want)
{
    assert_string_equal(arena_cstr(arena, got), want);
}

/* n times the text. */
static struct str repeat(const char *text, size_t n)
{
    struct buf buf;

    buf_init(&buf, arena);
    buf_put_cstr(&buf, "");
    for (size_t i = 0; i < n; i++)
        buf_put_cstr(&buf, text);
    return n > 0 ? buf_str(&buf) : STR("");
}

/* Undoes the encoded words of a header's value; each must be a whole text by itself, and no line
 * longer than RFC 2047 allows. */
static struct str decode_words(struct str header, const char *name)
{
    struct str rest = str_slice(header, strlen(name) + 2, header.len), line;
    struct str lines = header;
    struct buf buf;

    assert_true(str_starts(header, str_from(name)));
    while (str_split(&lines, '\n', &line))
        assert_in_range(line.len, 1, MIME_LINE_MAX + 1); /* with its CR */
    buf_init(&buf, arena);
    while (str_split(&rest, '\n', &line)) {
        unsigned char bytes[128];
        size_t len = 0;
        struct str word = str_trim(line);
        if (word.ptr[word.len - 1] == '\r')
            word.len--;
        assert_true(str_starts(word, STR("=?UTF-8?B?")));
        assert_in_range(word.len, 13, 75);
        assert_memory_equal(word.ptr + word.len - 2, "?=", 2);
        assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), word.ptr + 10, word.len - 12, NULL,
                                           &len, NULL, sodium_base64_VARIANT_ORIGINAL),
                         0);
        assert_true(text_is_utf8((struct str){(const char *)bytes, len}));
        buf_put(&buf, bytes, len);
    }
    return buf_str(&buf);
}

static void test_mime__ascii_header_stays(void **state)
{
    (void)state;
    expect_str(mime_header(arena, "Subject", STR("Your code")), "Subject: Your code");
    expect_str(mime_header(arena, "Subject", STR("")), "Subject: ");
    /* 76 columns stay, one more is encoded. */
    struct str fits = repeat("x", 67), longer = repeat("x", 68);
    assert_int_equal(mime_header(arena, "Subject", fits).len, 76);
    assert_true(str_eq(str_slice(mime_header(arena, "Subject", fits), 9, 76), fits));
    assert_true(str_eq(decode_words(mime_header(arena, "Subject", longer), "Subject"), longer));
}

static void test_mime__what_a_reader_would_change_is_encoded(void **state)
{
    static const char *const texts[] = {"=?UTF-8?B?eA==?=", " x", "x ", "é", "x =?"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_str(decode_words(mime_header(arena, "Subject", str_from(texts[i])), "Subject"),
                   texts[i]);
}

static void test_mime__words_hold_whole_characters(void **state)
{
    static const char *const texts[] = {"é", "ü€", "🍕", "x🍕", "xx🍕", "xxx🍕", "שלום ", "مرحبا"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t n = 1; n <= 60; n++) {
            struct str text = repeat(texts[i], n);
            assert_true(str_eq(decode_words(mime_header(arena, "Subject", text), "Subject"), text));
        }
    }
}

static struct str from_header(const char *name, const char *addr)
{
    const struct mail_address address = {str_from(name), str_from(addr)};
    return mime_header_address(arena, "From", &address);
}

static void test_mime__address(void **state)
{
    (void)state;
    expect_str(from_header(NULL, "a@b.de"), "From: a@b.de");
    expect_str(from_header("", "a@b.de"), "From: a@b.de");
    expect_str(from_header("The Shop, Ltd.", "a@b.de"), "From: \"The Shop, Ltd.\" <a@b.de>");
    expect_str(from_header("a \"b\" \\ <c@d>", "a@b.de"),
               "From: \"a \\\"b\\\" \\\\ <c@d>\" <a@b.de>");
    expect_str(from_header("Büro", "a@b.de"), "From: =?UTF-8?B?QsO8cm8=?= <a@b.de>");
    expect_str(from_header("نخيل", "a@b.de"), "From: =?UTF-8?B?2YbYrtmK2YQ=?= <a@b.de>");
}

static void test_mime__address_folds_before_a_long_address(void **state)
{
    struct str addr = arena_printf(arena, "a@" STR_FMT ".de", STR_ARG(repeat("x", 60)));
    const struct mail_address address = {STR("The Shop"), addr};

    (void)state;
    expect_str(mime_header_address(arena, "From", &address),
               arena_printf(arena, "From: \"The Shop\"\r\n <" STR_FMT ">", STR_ARG(addr)).ptr);
}

static void test_mime__date(void **state)
{
    char text[MIME_DATE_SIZE];

    (void)state;
    expect_str(mime_date(0, text), "Thu, 01 Jan 1970 00:00:00 +0000");
    expect_str(mime_date(1795370399999, text), "Sun, 22 Nov 2026 17:59:59 +0000");
    expect_str(mime_date(1709164800000, text), "Thu, 29 Feb 2024 00:00:00 +0000");
}

static struct mail_message good_message(void)
{
    return (struct mail_message){
        .from = {STR("The Shop"), STR("shop@example.com")},
        .to = STR("ann@example.org"),
        .subject = STR("Your code"),
        .text = STR("It is 123456.\n"),
        .date_ms = 1795370400000,
    };
}

static void test_mime__headers(void **state)
{
    static const char *const starts[MIME_HEADERS] = {
        "Date: Sun, 22 Nov 2026 18:00:00 +0000",
        "From: \"The Shop\" <shop@example.com>",
        "To: ann@example.org",
        "Subject: Your code",
        "Message-ID: <",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative",
    };
    struct mail_message message = good_message();
    struct str headers[MIME_HEADERS], again[MIME_HEADERS];

    (void)state;
    mime_headers(arena, &message, headers);
    mime_headers(arena, &message, again);
    for (size_t i = 0; i < MIME_HEADERS; i++) {
        assert_true(str_starts(headers[i], str_from(starts[i])));
        assert_int_equal(headers[i].ptr[headers[i].len], '\0');
    }
    assert_true(str_contains(headers[4], STR("@example.com>")));
    assert_false(str_eq(headers[4], again[4]));
    message.id = STR("outbox-42");
    mime_headers(arena, &message, headers);
    expect_str(headers[4], "Message-ID: <outbox-42@example.com>");
}

static void test_mail__message_without_fault(void **state)
{
    struct mail_message message = good_message();

    (void)state;
    assert_null(mail_message_fault(&message));
    message.subject = repeat("x", MAIL_SUBJECT_MAX_BYTES);
    message.from.name = repeat("é", MAIL_NAME_MAX_BYTES / 2);
    message.html = STR("<p>x</p>");
    message.to = STR("jürgen@bücher.example");
    assert_null(mail_message_fault(&message));
    message.to = arena_printf(arena, STR_FMT "@" STR_FMT, STR_ARG(repeat("a", 64)),
                              STR_ARG(repeat("b", 189)));
    assert_int_equal(message.to.len, MAIL_ADDRESS_MAX_BYTES);
    assert_null(mail_message_fault(&message));
    message.id = repeat("a", 64);
    assert_null(mail_message_fault(&message));
}

/* Line breaks, NUL and the like in each place that becomes a header or a command. */
static void test_mail__injection_refused(void **state)
{
    static const struct str bad[] = {
        {"x\rBcc: a@b", 11}, {"x\nBcc: a@b", 11}, {"x\r\n y", 5},    {"x\0y", 3},
        {"x\x7f", 2},        {"x\xff", 2},        {"x\xc2\x85y", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct mail_message message = good_message();
        message.subject = bad[i];
        assert_non_null(mail_message_fault(&message));
        message = good_message();
        message.from.name = bad[i];
        assert_non_null(mail_message_fault(&message));
        message = good_message();
        message.id = bad[i];
        assert_non_null(mail_message_fault(&message));
        message = good_message();
        struct buf to;
        buf_init(&to, arena);
        buf_put_str(&to, bad[i]);
        buf_put_cstr(&to, "@example.org");
        message.to = buf_str(&to);
        assert_non_null(mail_message_fault(&message));
        message = good_message();
        message.from.addr = buf_str(&to);
        assert_non_null(mail_message_fault(&message));
    }
}

static void test_mail__bad_address_refused(void **state)
{
    static const char *const bad[] = {
        "",        "a",     "@b",      "a@",     "a@b@c", "a b@c",         "a@b>",   "<a@b>",
        "a@b,c@d", "a;b@c", "\"a\"@b", "a(b)@c", "a\\@b", "a@[127.0.0.1]", "a@b:25",
    };
    struct mail_message message = good_message();

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        message.to = str_from(bad[i]);
        assert_non_null(mail_message_fault(&message));
    }
    message.to = STR_NONE;
    assert_non_null(mail_message_fault(&message));
    message.to = arena_printf(arena, "a@" STR_FMT, STR_ARG(repeat("b", 253)));
    assert_non_null(mail_message_fault(&message));
    message.to = arena_printf(arena, STR_FMT "@b", STR_ARG(repeat("a", 65)));
    assert_non_null(mail_message_fault(&message));
}

static void test_mail__too_long_refused(void **state)
{
    struct mail_message message = good_message();

    (void)state;
    message.subject = repeat("x", MAIL_SUBJECT_MAX_BYTES + 1);
    assert_non_null(mail_message_fault(&message));
    message = good_message();
    message.from.name = repeat("x", MAIL_NAME_MAX_BYTES + 1);
    assert_non_null(mail_message_fault(&message));
    message = good_message();
    message.id = repeat("a", 65);
    assert_non_null(mail_message_fault(&message));
    message = good_message();
    message.text = STR("a\0b");
    assert_non_null(mail_message_fault(&message));
    message = good_message();
    message.html = STR("\xff");
    assert_non_null(mail_message_fault(&message));
}

static void test_mail__address_parse(void **state)
{
    static const struct {
        const char *text, *name, *addr;
    } good[] = {
        {"a@b.de", NULL, "a@b.de"},
        {"  <a@b.de> ", NULL, "a@b.de"},
        {"The Shop <a@b.de>", "The Shop", "a@b.de"},
        {"\"Shop \\\"x\\\\y\\\"\" <a@b.de>", "Shop \"x\\y\"", "a@b.de"},
        {"Büro 🍕<a@b.de>", "Büro 🍕", "a@b.de"},
        {"a <b> <a@b.de>", "a <b>", "a@b.de"},
    };
    static const char *const bad[] = {"",          "shop",       "<>",          "Shop",
                                      "Shop <a@b", "Shop a@b>",  "a@b <c>",     "ü@b.de",
                                      "a@ü.de",    "x\ny <a@b>", "Shop <a@b> x"};
    struct mail_address address = {STR_NONE, STR_NONE};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(mail_address_parse(arena, str_from(good[i].text), &address));
        expect_str(address.addr, good[i].addr);
        if (good[i].name == NULL)
            assert_null(address.name.ptr);
        else
            expect_str(address.name, good[i].name);
    }
    address.addr = STR("kept");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mail_address_parse(arena, str_from(bad[i]), &address));
    expect_str(address.addr, "kept");
}

static void test_mail__target_parse(void **state)
{
    static const struct {
        const char *setting;
        enum mail_scheme scheme;
        const char *host;
        int port;
        const char *user, *password;
    } good[] = {
        {"log", MAIL_LOG, "", 0, "", ""},
        {"smtp://mail.example.com", MAIL_STARTTLS, "mail.example.com", 587, "", ""},
        {"smtps://mail.example.com/", MAIL_TLS, "mail.example.com", 465, "", ""},
        {"smtp+plain://127.0.0.1", MAIL_PLAIN, "127.0.0.1", 25, "", ""},
        {"smtp://u:p@h:2525", MAIL_STARTTLS, "h", 2525, "u", "p"},
        {"smtp+plain://u:p@h:1", MAIL_PLAIN, "h", 1, "u", "p"},
        {"smtps://h:65535", MAIL_TLS, "h", 65535, "", ""},
        {"smtp://a%40b.de:p%3A%2F%40%25%C3%BC%3B@h", MAIL_STARTTLS, "h", 587, "a@b.de", "p:/@%ü;"},
        {"smtps://u:p@[::1]:465", MAIL_TLS, "[::1]", 465, "u", "p"},
    };
    struct mail_target target;
    char error[MAIL_ERROR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(mail_target_parse(good[i].setting, &target, error));
        assert_int_equal(target.scheme, good[i].scheme);
        assert_string_equal(target.host, good[i].host);
        assert_int_equal(target.port, good[i].port);
        assert_string_equal(target.user, good[i].user);
        assert_string_equal(target.password, good[i].password);
        assert_null(target.ca_file);
        assert_int_equal(target.connect_timeout_ms, MAIL_CONNECT_TIMEOUT_MS);
        assert_int_equal(target.total_timeout_ms, MAIL_TOTAL_TIMEOUT_MS);
    }
}

static void test_mail__target_parse_limits(void **state)
{
    struct mail_target target;
    char error[MAIL_ERROR_SIZE];
    struct str fits = repeat("s", 255), longer = repeat("s", 256);

    (void)state;
    assert_true(mail_target_parse(
        arena_printf(arena, "smtp://" STR_FMT ":" STR_FMT "@h", STR_ARG(fits), STR_ARG(fits)).ptr,
        &target, error));
    assert_int_equal(strlen(target.password), 255);
    assert_false(mail_target_parse(
        arena_printf(arena, "smtp://u:" STR_FMT "@h", STR_ARG(longer)).ptr, &target, error));
    assert_false(mail_target_parse(
        arena_printf(arena, "smtp://" STR_FMT ":p@h", STR_ARG(longer)).ptr, &target, error));
    assert_false(mail_target_parse(arena_printf(arena, "smtp://" STR_FMT, STR_ARG(longer)).ptr,
                                   &target, error));
}

static void test_mail__target_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "Log",
        "log ",
        "smtp",
        "smtp:",
        "smtp://",
        "smtp://:25",
        "smtp+plain://",
        "smtp+plain://:25",
        "smtps://u:secret@",
        "http://u:secret@h",
        "mailto:u:secret@h",
        "smtp+tls://u:secret@h",
        "smtp://u:secret@h:0",
        "smtp://u:secret@h:65536",
        "smtp://u:secret@h:x",
        "smtp+plain://u:secret@h:0",
        "smtp://u@h",
        "smtp://:secret@h",
        "smtp://u:secret@h/path",
        "smtp://u:secret@h?x",
        "smtp://u:secret@h#x",
        "smtp://u;AUTH=PLAIN:secret@h",
        "smtp://u:secret%0Ax@h",
        "smtp://u:secret%00@h",
        "smtp://u:secret%FF@h",
        "smtp://u:secret @h",
        "smtp://u:secret@h h",
        " smtp://u:secret@h",
        "smtp://u:secret\n@h",
    };
    struct mail_target target = {.port = -1};
    char error[MAIL_ERROR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        strcpy(error, "");
        if (mail_target_parse(bad[i], &target, error))
            fail_msg("taken: %s", bad[i]);
        assert_true(strlen(error) > 0);
        assert_false(str_contains(str_from(error), STR("secret")));
    }
    assert_int_equal(target.port, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mime__ascii_header_stays),
        cmocka_unit_test(test_mime__what_a_reader_would_change_is_encoded),
        cmocka_unit_test(test_mime__words_hold_whole_characters),
        cmocka_unit_test(test_mime__address),
        cmocka_unit_test(test_mime__address_folds_before_a_long_address),
        cmocka_unit_test(test_mime__date),
        cmocka_unit_test(test_mime__headers),
        cmocka_unit_test(test_mail__message_without_fault),
        cmocka_unit_test(test_mail__injection_refused),
        cmocka_unit_test(test_mail__bad_address_refused),
        cmocka_unit_test(test_mail__too_long_refused),
        cmocka_unit_test(test_mail__address_parse),
        cmocka_unit_test(test_mail__target_parse),
        cmocka_unit_test(test_mail__target_parse_limits),
        cmocka_unit_test(test_mail__target_parse_refuses),
    };
    return cmocka_run_group_tests_name("mime", tests, setup, teardown);
}
