#include "api/mails.h"

#include "base/buf.h"
#include "domain/limits.h"

/* One text makes both forms: `before`, then the code or link on its own, then `after`; a blank line
 * between paragraphs. */
struct letter {
    struct str subject, before, after;
    struct str code; /* or */
    struct str link;
};

static struct str as_text(struct arena *arena, const struct letter *letter)
{
    struct str key = letter->code.ptr ? letter->code : letter->link;
    return arena_printf(arena, "Hello,\n\n" STR_FMT "\n\n" STR_FMT "\n\n" STR_FMT "\n",
                        STR_ARG(letter->before), STR_ARG(key), STR_ARG(letter->after));
}

/* A blank line ends a paragraph. */
static void put_paragraphs(struct buf *buf, struct str text)
{
    struct str line;

    buf_put_cstr(buf, "<p>");
    while (str_split(&text, '\n', &line)) {
        if (line.len == 0)
            buf_put_cstr(buf, "</p>\n<p>");
        buf_put_html(buf, line);
    }
    buf_put_cstr(buf, "</p>\n");
}

static struct str as_html(struct arena *arena, const struct letter *letter)
{
    struct buf buf;

    buf_init(&buf, arena);
    buf_put_cstr(&buf, "<!doctype html>\n<html lang=\"en\">\n"
                       "<body style=\"font:16px/1.5 sans-serif;max-width:32em\">\n"
                       "<p>Hello,</p>\n");
    put_paragraphs(&buf, letter->before);
    if (letter->code.ptr) {
        buf_put_cstr(&buf, "<p style=\"font-size:32px;letter-spacing:4px\"><strong>");
        buf_put_html(&buf, letter->code);
        buf_put_cstr(&buf, "</strong></p>\n");
    } else {
        buf_put_cstr(&buf, "<p><a href=\"");
        buf_put_html(&buf, letter->link);
        buf_put_cstr(&buf, "\">");
        buf_put_html(&buf, letter->link);
        buf_put_cstr(&buf, "</a></p>\n");
    }
    put_paragraphs(&buf, letter->after);
    buf_put_cstr(&buf, "</body>\n</html>\n");
    return buf_str(&buf);
}

static struct outbox_mail seal(const struct crypto_keys *keys, struct arena *arena,
                               const struct letter *letter, int64_t useless_at_ms)
{
    return (struct outbox_mail){
        .subject = letter->subject,
        .sealed_body = outbox_seal(keys, arena, as_text(arena, letter), as_html(arena, letter)),
        .useless_at_ms = useless_at_ms,
    };
}

struct outbox_mail mails_code(const struct crypto_keys *keys, struct arena *arena,
                              struct str shop_name, struct str recipient, struct str otp,
                              int64_t useless_at_ms)
{
    struct letter letter = {
        .subject = arena_printf(arena, "Your code for " STR_FMT, STR_ARG(shop_name)),
        .before =
            arena_printf(arena, "this is your code to sign up at " STR_FMT ":", STR_ARG(shop_name)),
        .code = otp,
        .after = arena_printf(arena,
                              "It works once, within %lld minutes. Type it on the page where you "
                              "signed up, and tell it to nobody.\n\nIf you did not sign up, you "
                              "need do nothing: without the code there will be no account.",
                              (long long)(OTP_LIFETIME_MS / MINUTE_MS)),
    };
    struct outbox_mail mail = seal(keys, arena, &letter, useless_at_ms);
    mail.recipient = recipient;
    return mail;
}

struct outbox_mail mails_reset(const struct crypto_keys *keys, struct arena *arena,
                               struct str shop_name, struct str link, int64_t useless_at_ms)
{
    struct letter letter = {
        .subject = arena_printf(arena, "A new password for " STR_FMT, STR_ARG(shop_name)),
        .before = arena_printf(arena,
                               "somebody asked for a new password for your account at " STR_FMT
                               ". If it was you, open this page to choose one:",
                               STR_ARG(shop_name)),
        .link = link,
        .after = arena_printf(arena,
                              "The link works once, within %lld minutes.\n\nIf it was not you, you "
                              "need do nothing: your password stays as it is.",
                              (long long)(RESET_LIFETIME_MS / MINUTE_MS)),
    };
    return seal(keys, arena, &letter, useless_at_ms);
}
