/* Rows of comma-separated values (RFC 4180) that a spreadsheet may open: what would begin a formula
 * there is made text. Pure. */
#ifndef SERVERY_DOMAIN_CSV_H
#define SERVERY_DOMAIN_CSV_H

#include "base/buf.h"

struct csv {
    struct buf *out;
    bool begun; /* the row has a cell */
};

void csv_init(struct csv *csv, struct buf *out);

/* A cell of the row; STR_NONE is an empty one. A text that begins with = + - @, a tab or a carriage
 * return gets an apostrophe before it, by which spreadsheets know a text. */
void csv_text(struct csv *csv, struct str text);
void csv_int(struct csv *csv, int64_t value); /* as it is; 0 or more */
void csv_end_row(struct csv *csv);

#endif
