/* The log. A line is built on the stack and written with one write(2), so that lines of many
 * threads, or of several processes on one pipe, never mix. */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <unistr.h>

#include "base/clock.h"

enum {
    LINE_SIZE = 4096, /* PIPE_BUF: up to here a write to a pipe is atomic */
    VALUE_MAX = 1024, /* of one string, so that it leaves room for the others */
    ESCAPE_MAX = 6,   /* \u001f */
    TAIL_SIZE = 6,    /* "…", the quote, the brace and the newline */
    CUT_AT = VALUE_MAX - ESCAPE_MAX - 3,
};

struct line {
    size_t len;
    char text[LINE_SIZE];
};

static atomic_int lowest_level = LOG_INFO;
static _Thread_local struct str current_request_id;

void log_set_level(enum log_level lowest)
{
    atomic_store_explicit(&lowest_level, (int)lowest, memory_order_relaxed);
}

void log_set_request_id(struct str request_id)
{
    current_request_id = request_id;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

static bool has_room(const struct line *line, size_t more)
{
    return line->len + more + TAIL_SIZE <= LINE_SIZE;
}

static void put(struct line *line, const char *bytes, size_t len)
{
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

/* One code point, which takes at most ESCAPE_MAX bytes here. */
static void put_escaped(struct line *line, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)bytes[0];
    if (len == 1 && (c == '"' || c == '\\')) {
        put(line, "\\", 1);
        put(line, bytes, 1);
    } else if (len == 1 && c == '\n') {
        put(line, "\\n", 2);
    } else if (len == 1 && (c < 0x20 || c == 0x7f)) {
        const char escape[ESCAPE_MAX] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        put(line, escape, sizeof(escape));
    } else {
        put(line, bytes, len);
    }
}

static void put_string(struct line *line, struct str s)
{
    put(line, "\"", 1);
    size_t start = line->len;
    for (size_t i = 0; i < s.len;) {
        if (!has_room(line, ESCAPE_MAX) || line->len - start > CUT_AT) {
            put(line, "…", strlen("…"));
            break;
        }
        ucs4_t c;
        const uint8_t *at = (const uint8_t *)s.ptr + i;
        int len = u8_mbtoucr(&c, at, s.len - i);
        if (len > 0) {
            put_escaped(line, s.ptr + i, (size_t)len);
            i += (size_t)len;
        } else {
            put(line, "\uFFFD", strlen("\uFFFD"));
            i++;
        }
    }
    put(line, "\"", 1);
}

static void put_field(struct line *line, const struct log_field *field)
{
    /* The comma, the quotes, the colon and the longest number, or the start of a string. */
    enum { AROUND = 4 + STR_INT64_SIZE };
    size_t name_len = strlen(field->name);
    if (!has_room(line, name_len + AROUND))
        return;
    put(line, line->len > 1 ? ",\"" : "\"", line->len > 1 ? 2 : 1);
    put(line, field->name, name_len);
    put(line, "\":", 2);
    char number[STR_INT64_SIZE];
    struct str text;
    switch (field->type) {
    case LOG_TYPE_INT:
        text = str_from_int64(field->i, number);
        put(line, text.ptr, text.len);
        break;
    case LOG_TYPE_STR:
        if (field->s.ptr)
            put_string(line, field->s);
        else
            put(line, "null", 4);
        break;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    int saved_errno = errno;
    char time_text[CLOCK_TEXT_SIZE];
    struct line line;
    line.len = 0;

    put(&line, "{", 1);
    put_field(&line, &LOG_STR("time", clock_format(clock_now_ms(), time_text)));
    put_field(&line, &LOG_CSTR("level", level_name(level)));
    put_field(&line, &LOG_CSTR("event", event));
    if (current_request_id.ptr)
        put_field(&line, &LOG_STR("request_id", current_request_id));
    for (size_t i = 0; i < n; i++)
        put_field(&line, &fields[i]);
    put(&line, "}\n", 2);

    /* A log that cannot be written has nobody to be told to; only an interruption is retried. */
    while (write(STDERR_FILENO, line.text, line.len) < 0 && errno == EINTR)
        continue;
    errno = saved_errno;
}
