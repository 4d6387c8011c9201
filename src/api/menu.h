/* The menu and the shop's settings in memory, as they are in the database: what most calls read
 * most, answered without a worker and without a statement.
 *
 * The store's listener refreshes them after each commit that changed a food and before the writers
 * are answered, so nobody is shown less than he was told before. Snapshots are immutable and
 * counted: a reader takes the present one under a short lock and keeps it while he needs it; none
 * ever waits for the database. A refresh that could not read leaves the menu stale: the old one is
 * shown (whoever orders is told what holds), while a thread of the menu's own reads it again and
 * again until it is fresh. */
#ifndef SERVERY_API_MENU_H
#define SERVERY_API_MENU_H

#include "net/http.h"
#include "store/food.h"
#include "store/shop.h"

struct menu;

/* Reads both, and starts the thread. */
MUST_CHECK enum err menu_create(struct store *store, struct menu **ret_menu);
void menu_stop(struct menu *menu);    /* the thread, before the store is closed; NULL is fine */
void menu_destroy(struct menu *menu); /* NULL is fine; no snapshot may be out */

/* After a commit; any thread but never inside a transaction. The ids are distinct. */
void menu_refresh_foods(struct menu *menu, const int64_t *ids, size_t n);
void menu_refresh_all(struct menu *menu); /* all foods */
void menu_refresh_shop(struct menu *menu);

/* ---- The shop ---- */

struct menu_shop {
    int refs; /* atomic */
    struct shop shop;
    struct http_content *content; /* the answer to GET /api/shop */
};

/* A reference to the present settings. */
struct menu_shop *menu_shop(struct menu *menu);
void menu_shop_unref(struct menu_shop *shop); /* NULL is fine */

/* The present settings, copied into the arena. */
struct shop menu_shop_copy(struct menu *menu, struct arena *arena);

/* ---- The foods ---- */

/* A food with what lists need of it. */
struct menu_food {
    int refs; /* atomic */
    struct food food;
    struct str category_key, name_key; /* folded: what the menu is sorted by, then the id */
    struct str search_key;             /* folded name and description */
    struct str json;
    struct http_content *content; /* atomic; the answer to GET /api/foods/{id}, made on demand */
};

struct menu_foods {
    int refs; /* atomic */
    size_t n;
    const struct menu_food *const *foods; /* sorted by category, name and id */
};

/* A reference to the present foods. */
struct menu_foods *menu_foods(struct menu *menu);
void menu_foods_unref(struct menu_foods *foods); /* NULL is fine */

/* Compares as the menu is sorted; both keys are folded. */
int menu_compare(struct str category_key, struct str name_key, int64_t id,
                 const struct menu_food *food);

/* The answer to GET /api/foods without parameters, and to GET /api/foods/{id}: a reference for the
 * caller, made once a version. NULL: there is no such food. */
struct http_content *menu_list_content(struct menu *menu);
struct http_content *menu_food_content(struct menu *menu, int64_t id);

/* ---- On the wire ---- */

/* `image_url`: the path of a picture, or null (STR_NONE). */
#define IMAGE_PATH "/images/"
void image_url_encode(struct json_writer *w, struct str image_hash);

void food_encode(struct json_writer *w, const char *key, const struct food *food);
void shop_encode(struct json_writer *w, const char *key, const struct shop *shop);

/* The opaque cursor of a list of foods that ended with this one. */
struct str menu_cursor(struct arena *arena, const struct food *last);

/* False if it is none of ours. */
bool menu_cursor_parse(struct arena *arena, struct str cursor, struct str *ret_category_key,
                       struct str *ret_name_key, int64_t *ret_id);

#endif
