/* A growing byte buffer, in an arena or on the heap. */
#ifndef SERVERY_BASE_BUF_H
#define SERVERY_BASE_BUF_H

#include "base/arena.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    struct arena *arena; /* NULL: the heap, freed by buf_finish */
};

void buf_init(struct buf *buf, struct arena *arena); /* allocates nothing yet */
void buf_finish(struct buf *buf);
/* Makes room for `more` bytes and returns where they go; the caller then adds them to buf->len. */
char *buf_reserve(struct buf *buf, size_t more);
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_str(struct buf *buf, struct str s);
void buf_put_cstr(struct buf *buf, const char *cstr);
void buf_put_char(struct buf *buf, char c);
/* For an element's text or a quoted attribute's value. */
void buf_put_html(struct buf *buf, struct str text);
void buf_put_int(struct buf *buf, int64_t value); /* decimal */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str buf_str(const struct buf *buf); /* a view, valid until the next put */

#endif
