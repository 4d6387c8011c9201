/* Writing JSON straight into a buffer; no tree, no printf. */
#include "base/json.h"

#include <string.h>

#include "base/clock.h"

/* What stands behind the backslash: 0 for a byte that goes as it is, 'u' for \u00XX. */
static const char escapes[256] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u',  [0x04] = 'u', [0x05] = 'u',
    [0x06] = 'u', [0x07] = 'u', [0x08] = 'b', [0x09] = 't',  [0x0a] = 'n', [0x0b] = 'u',
    [0x0c] = 'f', [0x0d] = 'r', [0x0e] = 'u', [0x0f] = 'u',  [0x10] = 'u', [0x11] = 'u',
    [0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u',  [0x16] = 'u', [0x17] = 'u',
    [0x18] = 'u', [0x19] = 'u', [0x1a] = 'u', [0x1b] = 'u',  [0x1c] = 'u', [0x1d] = 'u',
    [0x1e] = 'u', [0x1f] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

void json_init(struct json_writer *w, struct buf *out)
{
    w->out = out;
    w->comma = false;
}

/* The comma and the key before a value of about `more` bytes. */
static void begin_value(struct json_writer *w, const char *key, size_t more)
{
    size_t key_len = key ? strlen(key) : 0;
    char *start = buf_reserve(w->out, key_len + 4 + more);
    char *at = start;
    if (w->comma)
        *at++ = ',';
    if (key) {
        *at++ = '"';
        memcpy(at, key, key_len);
        at += key_len;
        *at++ = '"';
        *at++ = ':';
    }
    w->out->len += (size_t)(at - start);
    w->comma = true;
}

void json_begin_object(struct json_writer *w, const char *key)
{
    begin_value(w, key, 1);
    buf_put_char(w->out, '{');
    w->comma = false;
}

void json_end_object(struct json_writer *w)
{
    buf_put_char(w->out, '}');
    w->comma = true;
}

void json_begin_array(struct json_writer *w, const char *key)
{
    begin_value(w, key, 1);
    buf_put_char(w->out, '[');
    w->comma = false;
}

void json_end_array(struct json_writer *w)
{
    buf_put_char(w->out, ']');
    w->comma = true;
}

void json_int(struct json_writer *w, const char *key, int64_t value)
{
    begin_value(w, key, STR_INT64_SIZE);
    buf_put_int(w->out, value);
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
    json_raw(w, key, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *w, const char *key)
{
    json_raw(w, key, STR("null"));
}

static void put_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = {'\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15]};
    buf_put(out, text, escapes[c] == 'u' ? 6 : 2);
}

void json_str(struct json_writer *w, const char *key, struct str value)
{
    if (!value.ptr) {
        json_put_null(w, key);
        return;
    }
    begin_value(w, key, value.len + 2);
    buf_put_char(w->out, '"');
    size_t done = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (escapes[c] == 0)
            continue;
        buf_put(w->out, value.ptr + done, i - done);
        put_escape(w->out, c);
        done = i + 1;
    }
    buf_put(w->out, value.ptr + done, value.len - done);
    buf_put_char(w->out, '"');
}

void json_cstr(struct json_writer *w, const char *key, const char *value)
{
    json_str(w, key, str_from(value));
}

void json_time(struct json_writer *w, const char *key, int64_t time_ms)
{
    char text[CLOCK_TEXT_SIZE + 2];
    struct str formatted = clock_format(time_ms, text + 1);
    text[0] = '"';
    text[formatted.len + 1] = '"';
    json_raw(w, key, (struct str){text, formatted.len + 2});
}

void json_raw(struct json_writer *w, const char *key, struct str json)
{
    if (!json.ptr)
        json = STR("null");
    begin_value(w, key, json.len);
    buf_put_str(w->out, json);
}
