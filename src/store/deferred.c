#include "store/deferred.h"

/* The caller's values and bytes may be gone by the time they are bound. */
static struct sql_args copy_args(struct arena *arena, struct sql_args args)
{
    struct sql_value *values = arena_alloc(arena, (args.n + 1) * sizeof(*values));

    for (size_t i = 0; i < args.n; i++) {
        values[i] = args.values[i];
        if (values[i].s.ptr)
            values[i].s = arena_dup(arena, values[i].s);
    }
    return (struct sql_args){values, args.n};
}

void deferred_add(struct deferred_list *list, struct arena *arena, int64_t key, int64_t n_changed,
                  const char *sql, struct sql_args args)
{
    struct deferred *added = arena_alloc(arena, sizeof(*added));
    struct deferred **at = &list->first;

    if (list->last && list->last->key <= key)
        at = &list->last->next; /* nearly always */
    while (*at && (*at)->key <= key)
        at = &(*at)->next;
    *added = (struct deferred){key, n_changed, sql, copy_args(arena, args), *at};
    *at = added;
    if (!added->next)
        list->last = added;
}
