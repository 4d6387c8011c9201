/* Changes and questions of a transaction that wait for its next ask or the commit, in the order in
 * which they will run. For the engines. */
#ifndef SERVERY_STORE_DEFERRED_H
#define SERVERY_STORE_DEFERRED_H

#include "store/store.h"

struct deferred {
    int64_t key, n_changed;
    const char *sql;
    struct sql_args args;
    struct sql_rows *ret_rows; /* of a question; NULL: a change */
    struct deferred *next;
};

/* All zero: empty. */
struct deferred_list {
    struct deferred *first, *last;
};

/* Keeps a change behind those of the list whose keys are not larger; its values are copied into the
 * arena. */
void deferred_add(struct deferred_list *list, struct arena *arena, int64_t key, int64_t n_changed,
                  const char *sql, struct sql_args args);

/* Keeps a question behind the changes of the list whose key is 0. Its rows are none until then. */
void deferred_ask(struct deferred_list *list, struct arena *arena, const char *sql,
                  struct sql_args args, struct sql_rows *ret_rows);

#endif
