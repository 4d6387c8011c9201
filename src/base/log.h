/* The log: one JSON object a line on standard error, written with one write(2). Never give it a
 * password, a code, a token or a mail. */
#ifndef SERVERY_BASE_LOG_H
#define SERVERY_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_type { LOG_TYPE_INT, LOG_TYPE_STR };

struct log_field {
    const char *name;
    enum log_type type;
    int64_t i;
    struct str s;
};

#define LOG_INT(name, value) ((struct log_field){(name), LOG_TYPE_INT, (int64_t)(value), {0}})
#define LOG_STR(name, value) ((struct log_field){(name), LOG_TYPE_STR, 0, (value)})
#define LOG_CSTR(name, value) LOG_STR(name, str_from(value))

/* log_line(LOG_INFO, "listening", LOG_CSTR("address", "127.0.0.1:8080")) writes
 * {"time":"…","level":"info","event":"listening","address":"127.0.0.1:8080"}; inside a request the
 * line also carries its request_id. `event` is a short constant, documented in docs. */
#define log_line(level, event, ...)                                                                \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                           \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
void log_set_level(enum log_level lowest); /* default LOG_INFO */

/* The id that this thread's lines carry until it is set again; STR_NONE for none. Not copied. */
void log_set_request_id(struct str request_id);

#endif
