/* The tables of a shop, as `servery copy` reads and writes them. For src/store/ and its tests. */
#ifndef SERVERY_STORE_COPY_TABLES_H
#define SERVERY_STORE_COPY_TABLES_H

#include "store/copy.h"

enum { COPY_KEYS_MAX = 3 };

struct copy_table {
    const char *name;
    const char
        *columns;     /* all of them, those of the primary key first, as page gives and add takes */
    const char *keys; /* of the primary key's columns: i a number, t a text */
    bool generated;   /* the key is a number that the database makes */
    int64_t page_rows; /* read and written at a time */
    const char *count;
    const char *page; /* $1 …: rows after this key; the last parameter: how many */
    const char *add;
};

/* Every row refers to rows of tables before its own, or to earlier ones of its own. The shop's one
 * row is the last: a database without it is half a copy. */
extern const struct copy_table copy_tables[COPY_TABLES_N];

#endif
