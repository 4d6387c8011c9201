/* Snapshots of the menu and the shop: making them from the database, changing one for the next,
 * handing them out.
 *
 * Two locks. `refresh` is held from the read of the database to the exchange of the snapshot, so
 * that of two refreshes the one that read later also ends up in place. `lock` guards only what is
 * exchanged; readers take nothing else. The thread that mends what is stale reads without
 * `refresh`, for which commits would wait, and drops what it read if a refresh has begun since. */
#include "api/menu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/menu_food.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "domain/limits.h"
#include "domain/money.h"

/* Between two attempts to mend. */
enum { MEND_PAUSE_MS = 250 };

struct freshness {
    int64_t refreshes; /* begun */
    bool stale;        /* the last one failed, and nothing has been read since */
};

struct menu {
    struct store *store;
    pthread_mutex_t refresh;
    struct arena *arena; /* of who holds `refresh` */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the thread: something is stale, or it is to end */
    bool stop;
    struct snapshot *foods; /* never NULL, and as little the shop, once the menu is made */
    struct menu_shop *shop;
    struct freshness of_foods, of_shop;
};

/* What is behind a struct menu_foods: it owns one reference to each of its foods. */
struct snapshot {
    struct menu_foods head; /* first; its `foods` are `sorted` */
    struct menu_food **sorted;
    struct menu_food **by_id;
    struct http_content *list; /* atomic; made when asked for */
};

/* One of so many foods changed: re-reading all of them in one statement is quicker than each. */
enum { REREAD_ALL_SHARE = 4 };

/* ---- Snapshots ---- */

static int compare_sorted(const void *a, const void *b)
{
    const struct menu_food *food = *(struct menu_food *const *)a;
    return menu_compare(food->category_key, food->name_key, food->food.id,
                        *(struct menu_food *const *)b);
}

static int compare_id(const void *a, const void *b)
{
    int64_t x = (*(struct menu_food *const *)a)->food.id;
    int64_t y = (*(struct menu_food *const *)b)->food.id;
    return (x > y) - (x < y);
}

static void sort(struct menu_food **foods, size_t n, int (*compare)(const void *, const void *))
{
    /* Most changes move the stock and leave the order as it is. */
    for (size_t i = 1; i < n; i++) {
        if (compare(&foods[i - 1], &foods[i]) > 0) {
            qsort(foods, n, sizeof(struct menu_food *), compare);
            return;
        }
    }
}

/* Room for up to `max` foods; nothing in it yet. */
static struct snapshot *snapshot_create(size_t max)
{
    struct snapshot *made = mem_zalloc(sizeof(*made) + 2 * max * sizeof(struct menu_food *));
    made->head.refs = 1;
    made->sorted = (struct menu_food **)(made + 1);
    made->by_id = made->sorted + max;
    made->head.foods = (const struct menu_food *const *)made->sorted;
    return made;
}

static void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || __atomic_sub_fetch(&snapshot->head.refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < snapshot->head.n; i++)
        menu_food_unref(snapshot->sorted[i]);
    http_content_unref(snapshot->list);
    free(snapshot);
}

static struct menu_food **find_by_id(const struct snapshot *snapshot, int64_t id)
{
    struct menu_food key = {.food = {.id = id}};
    const struct menu_food *key_ptr = &key;
    return bsearch(&key_ptr, snapshot->by_id, snapshot->head.n, sizeof(struct menu_food *),
                   compare_id);
}

static struct menu_food **find_sorted(const struct snapshot *snapshot, const struct menu_food *food)
{
    return bsearch(&food, snapshot->sorted, snapshot->head.n, sizeof(struct menu_food *),
                   compare_sorted);
}

/* ---- Fresh or stale ---- */

static struct freshness look(struct menu *menu, const struct freshness *freshness)
{
    pthread_mutex_lock(&menu->lock);
    struct freshness seen = *freshness;
    pthread_mutex_unlock(&menu->lock);
    return seen;
}

static struct freshness begin_refresh(struct menu *menu, struct freshness *freshness)
{
    pthread_mutex_lock(&menu->lock);
    freshness->refreshes++;
    struct freshness seen = *freshness;
    pthread_mutex_unlock(&menu->lock);
    return seen;
}

/* Under `lock`; whether it was otherwise before. */
static bool set_stale(struct menu *menu, struct freshness *freshness, bool stale)
{
    bool changed = freshness->stale != stale;
    freshness->stale = stale;
    if (stale)
        pthread_cond_signal(&menu->wake);
    return changed;
}

static void tell(const char *what, bool stale)
{
    if (stale)
        log_line(LOG_ERROR, "menu_stale", LOG_CSTR("what", what));
    else
        log_line(LOG_INFO, "menu_fresh", LOG_CSTR("what", what));
}

/* ---- Reading the database ---- */

struct read_foods {
    const int64_t *ids; /* NULL: all on the menu */
    size_t n;
    struct food *foods; /* out; of an id that is not on the menu one that is archived */
};

static enum err read_foods(struct tx *tx, void *arg)
{
    struct read_foods *read = arg;
    return read->ids ? food_find_all(tx, read->ids, read->n, &read->foods)
                     : food_read_all(tx, &read->foods, &read->n);
}

static struct snapshot *load_all(struct menu *menu, struct arena *arena)
{
    struct read_foods read = {0};
    if (store_read(menu->store, arena, read_foods, &read))
        return NULL;
    struct snapshot *made = snapshot_create(read.n);
    for (size_t i = 0; i < read.n; i++)
        made->sorted[i] = made->by_id[i] = menu_food_create(arena, &read.foods[i]);
    made->head.n = read.n;
    sort(made->sorted, read.n, compare_sorted);
    sort(made->by_id, read.n, compare_id);
    return made;
}

/* Leaves out those whose place was emptied. */
static size_t compact(struct menu_food **foods, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (foods[i])
            foods[kept++] = foods[i];
    }
    return kept;
}

/* The old snapshot with these foods as they are now; under `refresh`. */
static struct snapshot *load_changed(struct menu *menu, const struct snapshot *old,
                                     const int64_t *ids, size_t n_ids)
{
    struct read_foods read = {.ids = ids, .n = n_ids};
    if (store_read(menu->store, menu->arena, read_foods, &read))
        return NULL;

    size_t n_old = old->head.n, n = n_old;
    struct snapshot *made = snapshot_create(n_old + n_ids);
    memcpy(made->sorted, old->sorted, n_old * sizeof(struct menu_food *));
    memcpy(made->by_id, old->by_id, n_old * sizeof(struct menu_food *));
    for (size_t i = 0; i < n_ids; i++) {
        const struct food *now = &read.foods[i];
        struct menu_food *food = now->archived ? NULL : menu_food_create(menu->arena, now);
        struct menu_food **found = find_by_id(old, ids[i]);
        if (found) {
            made->by_id[found - old->by_id] = food;
            made->sorted[find_sorted(old, *found) - old->sorted] = food;
        } else if (food) {
            made->by_id[n] = made->sorted[n] = food;
            n++;
        }
    }
    for (size_t i = 0; i < n_old; i++) {
        if (made->sorted[i] == old->sorted[i])
            menu_food_ref(made->sorted[i]);
    }
    made->head.n = compact(made->sorted, n);
    compact(made->by_id, n);
    sort(made->sorted, made->head.n, compare_sorted);
    sort(made->by_id, made->head.n, compare_id);
    return made;
}

/* With a reference for the caller. */
static struct snapshot *take_foods(struct menu *menu)
{
    pthread_mutex_lock(&menu->lock);
    struct snapshot *foods = menu->foods;
    __atomic_add_fetch(&foods->head.refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&menu->lock);
    return foods;
}

/* Takes over the reference to `foods`, which were read after so many refreshes had begun; NULL:
 * they could not be read. */
static void put_foods(struct menu *menu, struct snapshot *foods, int64_t refreshes)
{
    bool stale = !foods;
    pthread_mutex_lock(&menu->lock);
    bool newest = refreshes == menu->of_foods.refreshes;
    bool changed = newest && set_stale(menu, &menu->of_foods, stale);
    if (newest && foods) {
        struct snapshot *old = menu->foods;
        menu->foods = foods;
        foods = old;
    }
    pthread_mutex_unlock(&menu->lock);
    snapshot_unref(foods);
    if (changed)
        tell("foods", stale);
}

/* ids NULL: all. */
static void refresh_foods(struct menu *menu, const int64_t *ids, size_t n)
{
    pthread_mutex_lock(&menu->refresh);
    struct freshness seen = begin_refresh(menu, &menu->of_foods);
    struct snapshot *old = take_foods(menu);
    bool some = ids && !seen.stale && n < old->head.n / REREAD_ALL_SHARE;
    put_foods(menu, some ? load_changed(menu, old, ids, n) : load_all(menu, menu->arena),
              seen.refreshes);
    snapshot_unref(old);
    arena_reset(menu->arena);
    pthread_mutex_unlock(&menu->refresh);
}

void menu_refresh_foods(struct menu *menu, const int64_t *ids, size_t n)
{
    refresh_foods(menu, ids, n);
}

void menu_refresh_all(struct menu *menu)
{
    refresh_foods(menu, NULL, 0);
}

/* ---- Foods for readers ---- */

struct menu_foods *menu_foods(struct menu *menu)
{
    return &take_foods(menu)->head;
}

void menu_foods_unref(struct menu_foods *foods)
{
    snapshot_unref((struct snapshot *)foods);
}

static struct http_content *make_list(const struct snapshot *foods)
{
    struct arena *arena = arena_create();
    struct buf json;
    struct json_writer w;
    size_t n = foods->head.n < FOODS_PAGE_DEFAULT ? foods->head.n : FOODS_PAGE_DEFAULT;

    buf_init(&json, arena);
    json_init(&w, &json);
    json_begin_object(&w, NULL);
    json_begin_array(&w, "items");
    for (size_t i = 0; i < n; i++)
        json_raw(&w, NULL, foods->sorted[i]->json);
    json_end_array(&w);
    json_str(&w, "next_cursor",
             n < foods->head.n ? menu_cursor(arena, &foods->sorted[n - 1]->food) : STR_NONE);
    json_end_object(&w);
    struct http_content *content = menu_json_content(arena, buf_str(&json));
    arena_destroy(arena);
    return content;
}

struct http_content *menu_list_content(struct menu *menu)
{
    struct snapshot *foods = take_foods(menu);
    struct http_content *content = __atomic_load_n(&foods->list, __ATOMIC_ACQUIRE);
    if (!content)
        content = menu_publish_content(&foods->list, make_list(foods));
    http_content_ref(content);
    snapshot_unref(foods);
    return content;
}

static struct http_content *make_food(const struct menu_food *food)
{
    struct arena *arena = arena_create();
    struct http_content *content = menu_json_content(arena, food->json);
    arena_destroy(arena);
    return content;
}

struct http_content *menu_food_content(struct menu *menu, int64_t id)
{
    struct snapshot *foods = take_foods(menu);
    struct menu_food **found = find_by_id(foods, id);
    struct http_content *content = NULL;
    if (found) {
        content = __atomic_load_n(&(*found)->content, __ATOMIC_ACQUIRE);
        if (!content)
            content = menu_publish_content(&(*found)->content, make_food(*found));
        http_content_ref(content);
    }
    snapshot_unref(foods);
    return content;
}

/* ---- The shop ---- */

void shop_encode(struct json_writer *w, const char *key, const struct shop *shop)
{
    json_begin_object(w, key);
    json_str(w, "name", shop->name);
    json_str(w, "currency", shop->currency);
    json_int(w, "currency_exponent", currency_exponent(shop->currency));
    json_str(w, "country_code", shop->country_code);
    json_str(w, "timezone", shop->timezone);
    json_str(w, "payment_instructions", shop->payment_instructions);
    json_end_object(w);
}

static enum err read_shop(struct tx *tx, void *arg)
{
    return shop_read(tx, arg);
}

static struct str copy(struct str s)
{
    char *bytes = mem_alloc(s.len + 1);
    memcpy(bytes, s.ptr, s.len);
    bytes[s.len] = '\0';
    return (struct str){bytes, s.len};
}

static void release(struct str s)
{
    free((void *)(uintptr_t)s.ptr);
}

static struct menu_shop *load_shop(struct menu *menu, struct arena *arena)
{
    struct shop shop;
    if (store_read(menu->store, arena, read_shop, &shop))
        return NULL;
    struct buf json;
    struct json_writer w;
    buf_init(&json, arena);
    json_init(&w, &json);
    shop_encode(&w, NULL, &shop);
    struct menu_shop *made = mem_alloc(sizeof(*made));
    *made = (struct menu_shop){
        .refs = 1,
        .shop = {copy(shop.name), copy(shop.currency), copy(shop.country_code), copy(shop.timezone),
                 copy(shop.payment_instructions)},
        .content = menu_json_content(arena, buf_str(&json)),
    };
    return made;
}

void menu_shop_unref(struct menu_shop *shop)
{
    if (!shop || __atomic_sub_fetch(&shop->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    release(shop->shop.name);
    release(shop->shop.currency);
    release(shop->shop.country_code);
    release(shop->shop.timezone);
    release(shop->shop.payment_instructions);
    http_content_unref(shop->content);
    free(shop);
}

static void put_shop(struct menu *menu, struct menu_shop *shop, int64_t refreshes)
{
    bool stale = !shop;
    pthread_mutex_lock(&menu->lock);
    bool newest = refreshes == menu->of_shop.refreshes;
    bool changed = newest && set_stale(menu, &menu->of_shop, stale);
    if (newest && shop) {
        struct menu_shop *old = menu->shop;
        menu->shop = shop;
        shop = old;
    }
    pthread_mutex_unlock(&menu->lock);
    menu_shop_unref(shop);
    if (changed)
        tell("shop", stale);
}

void menu_refresh_shop(struct menu *menu)
{
    pthread_mutex_lock(&menu->refresh);
    struct freshness seen = begin_refresh(menu, &menu->of_shop);
    put_shop(menu, load_shop(menu, menu->arena), seen.refreshes);
    arena_reset(menu->arena);
    pthread_mutex_unlock(&menu->refresh);
}

struct menu_shop *menu_shop(struct menu *menu)
{
    pthread_mutex_lock(&menu->lock);
    struct menu_shop *shop = menu->shop;
    __atomic_add_fetch(&shop->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&menu->lock);
    return shop;
}

struct shop menu_shop_copy(struct menu *menu, struct arena *arena)
{
    struct menu_shop *shop = menu_shop(menu);
    struct shop copied = {
        .name = arena_dup(arena, shop->shop.name),
        .currency = arena_dup(arena, shop->shop.currency),
        .country_code = arena_dup(arena, shop->shop.country_code),
        .timezone = arena_dup(arena, shop->shop.timezone),
        .payment_instructions = arena_dup(arena, shop->shop.payment_instructions),
    };
    menu_shop_unref(shop);
    return copied;
}

/* ---- Mending ---- */

static void mend_foods(struct menu *menu, struct arena *arena)
{
    struct freshness seen = look(menu, &menu->of_foods);
    if (seen.stale)
        put_foods(menu, load_all(menu, arena), seen.refreshes);
}

static void mend_shop(struct menu *menu, struct arena *arena)
{
    struct freshness seen = look(menu, &menu->of_shop);
    if (seen.stale)
        put_shop(menu, load_shop(menu, arena), seen.refreshes);
}

static bool is_stale(const struct menu *menu)
{
    return menu->of_foods.stale || menu->of_shop.stale;
}

/* The thread: nobody waits for it, so it may wait for a database that does not answer. */
static void *mend(void *arg)
{
    struct menu *menu = arg;
    struct arena *arena = arena_create();

    pthread_mutex_lock(&menu->lock);
    while (!menu->stop) {
        if (!is_stale(menu)) {
            pthread_cond_wait(&menu->wake, &menu->lock);
            continue;
        }
        pthread_mutex_unlock(&menu->lock);
        mend_foods(menu, arena);
        mend_shop(menu, arena);
        arena_reset(arena);
        const struct timespec until = clock_mono_after(MEND_PAUSE_MS);
        pthread_mutex_lock(&menu->lock);
        while (!menu->stop && is_stale(menu) &&
               pthread_cond_clockwait(&menu->wake, &menu->lock, CLOCK_MONOTONIC, &until) == 0) {
        }
    }
    pthread_mutex_unlock(&menu->lock);
    arena_destroy(arena);
    return NULL;
}

/* ---- Beginning and end ---- */

static void free_menu(struct menu *menu)
{
    snapshot_unref(menu->foods);
    menu_shop_unref(menu->shop);
    pthread_cond_destroy(&menu->wake);
    pthread_mutex_destroy(&menu->refresh);
    pthread_mutex_destroy(&menu->lock);
    arena_destroy(menu->arena);
    free(menu);
}

enum err menu_create(struct store *store, struct menu **ret_menu)
{
    struct menu *menu = mem_zalloc(sizeof(*menu));

    menu->store = store;
    menu->arena = arena_create();
    pthread_mutex_init(&menu->refresh, NULL);
    pthread_mutex_init(&menu->lock, NULL);
    pthread_cond_init(&menu->wake, NULL);
    menu->foods = load_all(menu, menu->arena);
    menu->shop = load_shop(menu, menu->arena);
    arena_reset(menu->arena);
    if (!menu->foods || !menu->shop) {
        free_menu(menu);
        return ERR_UNAVAILABLE;
    }
    thread_start(&menu->thread, "menu", mend, menu);
    *ret_menu = menu;
    return ERR_OK;
}

void menu_stop(struct menu *menu)
{
    if (!menu)
        return;
    pthread_mutex_lock(&menu->lock);
    bool stopped = menu->stop;
    menu->stop = true;
    pthread_cond_signal(&menu->wake);
    pthread_mutex_unlock(&menu->lock);
    if (!stopped)
        pthread_join(menu->thread, NULL);
}

void menu_destroy(struct menu *menu)
{
    if (!menu)
        return;
    menu_stop(menu);
    free_menu(menu);
}
