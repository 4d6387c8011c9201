/* `servery copy`: all rows of a shop, with their ids, from one database into another, of the same
 * engine or another. Nobody may write to either meanwhile.
 *
 * Until the last step the target has no row in `shop`, and is refused as half a copy by all that
 * opens it (store_migrate, store_ready, store_version). Steps, in this order: copy_prepare,
 * copy_rows, copy_compare, whatever else is to be verified, copy_finish. */
#ifndef SERVERY_STORE_COPY_H
#define SERVERY_STORE_COPY_H

#include "store/store.h"

enum { COPY_TABLES_N = 17 };

enum copy_target {
    COPY_TARGET_EMPTY, /* no row but those that the migrations make */
    COPY_TARGET_HALF,  /* what a copy has left that came to no end */
    COPY_TARGET_SHOP,  /* somebody's data */
};

struct copy_count {
    const char *table;
    int64_t expected; /* rows, counted before the first was read */
    int64_t rows;     /* that were read and written */
    int64_t last_id;  /* the largest that was ever given, where the database makes them */
    uint64_t sum;     /* of the rows' hashes */
};

struct copy_progress {
    const char *doing, *table;
    int64_t table_rows, table_expected;
    int64_t rows, expected; /* of all tables together */
};

struct copy {
    struct store *from, *to;    /* `from` may be read-only */
    bool (*is_cancelled)(void); /* asked before each page; NULL: never */
    void (*tell)(void *ctx, const struct copy_progress *progress); /* after each page; or NULL */
    void *ctx;
    struct copy_count counts[COPY_TABLES_N]; /* out, of copy_rows */
    const char *differs; /* out: the table by which a step was ended with ERR_PROBLEM */
};

/* Brings the target to this program's version, and says what is in it. */
MUST_CHECK enum err copy_prepare(struct store *to, enum copy_target *ret_target);

/* Empties a half copy and copies the rows into the target, in transactions of a page. ERR_PROBLEM
 * if another number of rows was read than counted: somebody writes to the source. Also if the
 * target is a shop's. ERR_UNAVAILABLE when cancelled. */
MUST_CHECK enum err copy_rows(struct copy *copy);

/* Reads all rows of the target again: ERR_PROBLEM unless they are, value for value, those that were
 * read from the source. */
MUST_CHECK enum err copy_compare(struct copy *copy);

/* Lets the target's ids go on after those of the source, and makes it a shop. */
MUST_CHECK enum err copy_finish(struct copy *copy);

/* For store.c: ERR_INTERNAL, with a line in the log, if the database is half a copy. */
MUST_CHECK enum err copy_refuse_half(struct store *store);

#endif
