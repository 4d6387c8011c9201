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

static void add(struct deferred_list *list, struct deferred *added)
{
    struct deferred **at = &list->first;

    if (list->last && list->last->key <= added->key)
        at = &list->last->next; /* nearly always */
    while (*at && (*at)->key <= added->key)
        at = &(*at)->next;
    added->next = *at;
    *at = added;
    if (!added->next)
        list->last = added;
}

void deferred_add(struct deferred_list *list, struct arena *arena, int64_t key, int64_t n_changed,
                  const char *sql, struct sql_args args)
{
    struct deferred *added = arena_alloc(arena, sizeof(*added));

    *added = (struct deferred){
        .key = key, .n_changed = n_changed, .sql = sql, .args = copy_args(arena, args)};
    add(list, added);
}

void deferred_ask(struct deferred_list *list, struct arena *arena, const char *sql,
                  struct sql_args args, struct sql_rows *ret_rows)
{
    struct deferred *added = arena_alloc(arena, sizeof(*added));

    *ret_rows = (struct sql_rows){0};
    *added = (struct deferred){.n_changed = SQL_ANY_COUNT,
                               .sql = sql,
                               .args = copy_args(arena, args),
                               .ret_rows = ret_rows};
    add(list, added);
}
