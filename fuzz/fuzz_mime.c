/* The headers of a mail. Whatever a text holds, its header is one header: ASCII, folded as RFC 5322
 * has it, its words no longer than RFC 2047 lets them be; and a reader gets the text back. Lines: a
 * name and address as in the setting mail_from, the recipient; the rest is the subject. */
#include "fuzz.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/mime.h"

#define WORD_START "=?UTF-8?B?"
#define WORD_END "?="

enum { LINE_MAX_BYTES = 998, WORD_MAX_BYTES = 75 };

/* Unfolds it while checking that nothing but a fold ends a line. */
static struct str unfold(struct arena *arena, struct str header)
{
    struct buf out;
    size_t line = 0;
    buf_init(&out, arena);
    for (size_t i = 0; i < header.len; i++) {
        char c = header.ptr[i];
        if (c == '\r') {
            CHECK(i + 2 < header.len && header.ptr[i + 1] == '\n' && header.ptr[i + 2] == ' ');
            i++;
            line = 0;
            continue;
        }
        CHECK(c >= ' ' && c <= '~');
        CHECK(++line <= LINE_MAX_BYTES);
        buf_put_char(&out, c);
    }
    CHECK(header.ptr[header.len] == '\0');
    return buf_str(&out);
}

/* Takes one encoded word off the text; false: there is none at its beginning. */
static bool take_word(struct arena *arena, struct str *text, struct str *ret_plain)
{
    size_t start = sizeof WORD_START - 1, end = start, len;
    if (!str_starts(*text, STR(WORD_START)))
        return false;
    while (end < text->len && text->ptr[end] != '?')
        end++;
    CHECK(str_starts(str_slice(*text, end, text->len), STR(WORD_END)) && end + 2 <= WORD_MAX_BYTES);
    unsigned char *plain = arena_alloc(arena, end);
    CHECK(sodium_base642bin(plain, end, text->ptr + start, end - start, NULL, &len, NULL,
                            sodium_base64_VARIANT_ORIGINAL) == 0);
    *ret_plain = (struct str){(char *)plain, len};
    CHECK(text_is_utf8(*ret_plain)); /* of whole characters */
    *text = str_slice(*text, end + 2, text->len);
    return true;
}

/* As a mail reader does: space between two encoded words is no part of the text. */
static struct str decode(struct arena *arena, struct str value)
{
    struct buf out;
    struct str word;
    buf_init(&out, arena);
    if (!str_starts(value, STR(WORD_START))) {
        CHECK(!str_contains(value, STR("=?")));
        return value;
    }
    while (take_word(arena, &value, &word)) {
        buf_put_str(&out, word);
        if (value.len > 0)
            CHECK(value.ptr[0] == ' ');
        value = str_trim(value);
    }
    CHECK(value.len == 0);
    return buf_str(&out);
}

static void check_subject(struct arena *arena, struct str subject)
{
    if (!text_is_utf8(subject))
        return;
    struct str header = unfold(arena, mime_header(arena, "Subject", subject));
    CHECK(str_starts(header, STR("Subject: ")));
    struct str value = str_slice(header, sizeof "Subject: " - 1, header.len);
    CHECK(str_eq(decode(arena, value), subject));
}

/* A quoted or an encoded name, without its quotes. */
static struct str shown(struct arena *arena, struct str name)
{
    struct buf out;
    if (name.len < 2 || name.ptr[0] != '"')
        return decode(arena, name);
    buf_init(&out, arena);
    CHECK(name.ptr[name.len - 1] == '"');
    for (size_t i = 1; i < name.len - 1; i++) {
        i += name.ptr[i] == '\\';
        buf_put_char(&out, name.ptr[i]);
    }
    return buf_str(&out);
}

static void check_address(struct arena *arena, struct str text)
{
    struct mail_address address, again;
    if (!mail_address_parse(arena, text, &address))
        return;
    struct str value = unfold(arena, mime_header_address(arena, "From", &address));
    CHECK(str_starts(value, STR("From: ")));
    value = str_slice(value, sizeof "From: " - 1, value.len);
    if (address.name.len > 0) {
        struct str path = arena_printf(arena, " <" STR_FMT ">", STR_ARG(address.addr));
        CHECK(value.len > path.len);
        CHECK_SAME(str_slice(value, value.len - path.len, value.len), path);
        struct str name = shown(arena, str_trim(str_slice(value, 0, value.len - path.len)));
        CHECK_SAME(name, address.name);
    } else {
        CHECK_SAME(value, address.addr);
    }
    CHECK(mail_address_parse(arena, address.addr, &again) && again.name.len == 0);
    CHECK_SAME(again.addr, address.addr);
}

static void check_message(struct arena *arena, struct str from, struct str to, struct str subject)
{
    struct mail_message message = {
        .to = to, .subject = subject, .text = STR("x"), .date_ms = (int64_t)subject.len * 86399999};
    struct str headers[MIME_HEADERS];
    if (!mail_address_parse(arena, from, &message.from) || mail_message_fault(&message))
        return;
    /* A recipient of another alphabet goes as it is to a server that takes such. */
    for (size_t i = 0; i < to.len; i++)
        if ((unsigned char)to.ptr[i] > '~')
            return;
    mime_headers(arena, &message, headers);
    for (size_t i = 0; i < MIME_HEADERS; i++)
        CHECK(str_contains(unfold(arena, headers[i]), STR(": ")));
    CHECK_SAME(headers[2], arena_printf(arena, "To: " STR_FMT, STR_ARG(to)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str rest = {(const char *)data, size};
    struct str from = fuzz_line(arena, &rest), to = fuzz_line(arena, &rest);
    struct str subject = fuzz_rest(arena, rest);

    check_subject(arena, subject);
    check_address(arena, from);
    check_message(arena, from, to, subject);
    arena_destroy(arena);
    return 0;
}
