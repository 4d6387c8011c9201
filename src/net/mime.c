/* Headers by RFC 5322 and 2047, body by libcurl. A header is written as it stands only where it is
 * printable ASCII and fits its line; everything else goes into encoded words, so that one rule
 * covers every alphabet and every length. */
#include "net/mime.h"

#include "base/buf.h"
#include "base/crypto.h"

#include <assert.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WORD_START "=?UTF-8?B?"
#define WORD_END "?="

enum {
    WORD_FRAME = sizeof(WORD_START WORD_END) - 1,
    WORD_MAX = 75, /* RFC 2047, section 2 */
    WORD_BYTES = (WORD_MAX - WORD_FRAME) / 4 * 3,
};

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    }
    /* What looks like an encoded word would be decoded by the reader. Space at an end gets lost. */
    return !str_contains(s, STR("=?")) &&
           (s.len == 0 || (s.ptr[0] != ' ' && s.ptr[s.len - 1] != ' '));
}

/* As many bytes of s as end with a whole character and are at most max. */
static size_t whole_chars(struct str s, size_t max)
{
    if (s.len <= max)
        return s.len;
    size_t len = max;
    while (len > 0 && ((unsigned char)s.ptr[len] & 0xc0) == 0x80)
        len--;
    return len;
}

/* Encoded words for s, the first on a line of which `used` columns are taken. */
static void put_words(struct buf *buf, size_t used, struct str s)
{
    size_t room = ((size_t)MIME_LINE_MAX - used - WORD_FRAME) / 4 * 3;

    for (bool first = true; s.len > 0; first = false) {
        size_t len = whole_chars(s, first && room < WORD_BYTES ? room : WORD_BYTES);
        char base64[WORD_MAX + 1];

        if (!first)
            buf_put_cstr(buf, "\r\n ");
        sodium_bin2base64(base64, sizeof(base64), (const unsigned char *)s.ptr, len,
                          sodium_base64_VARIANT_ORIGINAL);
        buf_put_cstr(buf, WORD_START);
        buf_put_cstr(buf, base64);
        buf_put_cstr(buf, WORD_END);
        s = str_slice(s, len, s.len);
    }
}

static struct str finish_header(struct buf *buf)
{
    buf_put_char(buf, '\0');
    struct str s = buf_str(buf);
    return str_slice(s, 0, s.len - 1);
}

struct str mime_header(struct arena *arena, const char *name, struct str value)
{
    struct buf buf;

    buf_init(&buf, arena);
    buf_printf(&buf, "%s: ", name);
    if (is_plain(value) && buf.len + value.len <= MIME_LINE_MAX)
        buf_put_str(&buf, value);
    else
        put_words(&buf, buf.len, value);
    return finish_header(&buf);
}

static void put_quoted(struct buf *buf, struct str s)
{
    buf_put_char(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_put_char(buf, '\\');
        buf_put_char(buf, s.ptr[i]);
    }
    buf_put_char(buf, '"');
}

struct str mime_header_address(struct arena *arena, const char *name,
                               const struct mail_address *address)
{
    struct str shown = address->name;
    struct buf buf;

    buf_init(&buf, arena);
    buf_printf(&buf, "%s: ", name);
    if (shown.len == 0) {
        buf_put_str(&buf, address->addr);
        return finish_header(&buf);
    }
    /* Quoting at most doubles the name; the address goes on a line of its own when it must. */
    if (is_plain(shown) && buf.len + 2 * shown.len + 2 <= MIME_LINE_MAX)
        put_quoted(&buf, shown);
    else
        put_words(&buf, buf.len, shown);
    size_t line = buf.len;
    for (size_t i = 0; i < buf.len; i++) {
        if (buf.ptr[i] == '\n')
            line = buf.len - i - 1;
    }
    bool fits = line + address->addr.len + 3 <= MIME_LINE_MAX;
    buf_printf(&buf, "%s<" STR_FMT ">", fits ? " " : "\r\n ", STR_ARG(address->addr));
    return finish_header(&buf);
}

struct str mime_date(int64_t time_ms, char text[static MIME_DATE_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;

    /* Not strftime: its names follow the locale. */
    struct tm *utc = gmtime_r(&seconds, &tm);
    assert(utc != NULL);
    int len = snprintf(text, MIME_DATE_SIZE, "%s, %02d %s %d %02d:%02d:%02d +0000",
                       days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
                       tm.tm_hour, tm.tm_min, tm.tm_sec);
    assert(len > 0 && len < MIME_DATE_SIZE);
    return (struct str){text, (size_t)len};
}

static struct str message_id(struct arena *arena, const struct mail_message *message)
{
    struct str domain = message->from.addr, local;
    struct str id = message->id.len > 0 ? message->id : crypto_token(arena);

    bool split = str_split(&domain, '@', &local);
    assert(split && domain.ptr != NULL);
    return arena_printf(arena, "Message-ID: <" STR_FMT "@" STR_FMT ">", STR_ARG(id),
                        STR_ARG(domain));
}

void mime_headers(struct arena *arena, const struct mail_message *message,
                  struct str ret_headers[static MIME_HEADERS])
{
    char date[MIME_DATE_SIZE];
    const struct mail_address to = {STR_NONE, message->to};

    ret_headers[0] = mime_header(arena, "Date", mime_date(message->date_ms, date));
    ret_headers[1] = mime_header_address(arena, "From", &message->from);
    ret_headers[2] = mime_header_address(arena, "To", &to);
    ret_headers[3] = mime_header(arena, "Subject", message->subject);
    ret_headers[4] = message_id(arena, message);
    ret_headers[5] = STR("Auto-Submitted: auto-generated");
    ret_headers[6] = STR("Content-Type: multipart/alternative");
}

/* Lines end with CRLF on the wire; libcurl would keep a bare LF as a byte of the text. */
static struct str with_crlf(struct arena *arena, struct str s)
{
    struct buf buf;

    buf_init(&buf, arena);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\n' && (i == 0 || s.ptr[i - 1] != '\r'))
            buf_put_char(&buf, '\r');
        buf_put_char(&buf, s.ptr[i]);
    }
    return buf_str(&buf);
}

static CURLcode add_part(curl_mime *mime, struct arena *arena, const char *type, struct str text)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    struct str lines = with_crlf(arena, text);

    if (part == NULL)
        return CURLE_OUT_OF_MEMORY;
    CURLcode rc = curl_mime_data(part, lines.len > 0 ? lines.ptr : "", lines.len);
    if (rc == CURLE_OK)
        rc = curl_mime_type(part, type);
    if (rc == CURLE_OK)
        rc = curl_mime_encoder(part, "quoted-printable");
    return rc;
}

curl_mime *mime_body(CURL *curl, struct arena *arena, const struct mail_message *message)
{
    curl_mime *mime = curl_mime_init(curl);

    if (mime == NULL)
        return NULL;
    /* The plain text first: a reader shows the last part it understands. */
    CURLcode rc = add_part(mime, arena, "text/plain; charset=utf-8", message->text);
    if (rc == CURLE_OK && message->html.ptr != NULL)
        rc = add_part(mime, arena, "text/html; charset=utf-8", message->html);
    if (rc != CURLE_OK) {
        curl_mime_free(mime);
        return NULL;
    }
    return mime;
}
