/* One food of the menu in memory: immutable, in one block, with the folded keys it is sorted and
 * found by and its JSON, so that a list is put together by copying. */
#include "api/menu_food.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "domain/limits.h"

/* ---- On the wire ---- */

void image_url_encode(struct json_writer *w, struct str image_hash)
{
    char url[sizeof IMAGE_PATH + IMAGE_HASH_CHARS];

    if (!image_hash.ptr) {
        json_put_null(w, "image_url");
        return;
    }
    int len = snprintf(url, sizeof url, IMAGE_PATH STR_FMT, STR_ARG(image_hash));
    json_str(w, "image_url", (struct str){url, (size_t)len});
}

void food_encode(struct json_writer *w, const char *key, const struct food *food)
{
    json_begin_object(w, key);
    json_int(w, "id", food->id);
    json_str(w, "name", food->name);
    json_str(w, "description", food->description);
    json_str(w, "category", food->category);
    json_int(w, "price", food->price);
    json_bool(w, "available", food->available);
    if (food->stock_counted)
        json_int(w, "stock", food->stock);
    else
        json_put_null(w, "stock");
    image_url_encode(w, food->image_hash);
    json_int(w, "version", food->version);
    json_time(w, "created_at", food->created_at_ms);
    json_time(w, "updated_at", food->updated_at_ms);
    json_end_object(w);
}

struct http_content *menu_json_content(struct arena *arena, struct str json)
{
    struct str hash = crypto_content_hash(arena, json);
    struct str etag = arena_printf(arena, "\"" STR_FMT "\"", STR_ARG(hash));
    return http_content_create(STR("application/json"), etag, json, HTTP_GZIP_CHANGING);
}

/* The sort key as people wrote it, not as it is folded, which may be many times longer. No name
 * holds a newline. */
struct str menu_cursor(struct arena *arena, const struct food *last)
{
    struct str plain = arena_printf(arena, "%lld\n" STR_FMT "\n" STR_FMT, (long long)last->id,
                                    STR_ARG(last->category), STR_ARG(last->name));
    return crypto_base64url(arena, plain);
}

bool menu_cursor_parse(struct arena *arena, struct str cursor, struct str *ret_category_key,
                       struct str *ret_name_key, int64_t *ret_id)
{
    struct str plain, id, category, name;
    if (!crypto_base64url_parse(arena, cursor, &plain) || !text_is_utf8(plain) ||
        !str_split(&plain, '\n', &id) || !str_to_int64(id, ret_id) ||
        !str_split(&plain, '\n', &category) || !str_split(&plain, '\n', &name) || plain.ptr)
        return false;
    *ret_category_key = text_fold(arena, category);
    *ret_name_key = text_fold(arena, name);
    return true;
}

/* ---- In memory ---- */

static struct str place(char **at, struct str s)
{
    if (!s.ptr)
        return STR_NONE;
    struct str placed = {*at, s.len};
    memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return placed;
}

struct menu_food *menu_food_create(struct arena *arena, const struct food *food)
{
    struct buf json;
    struct json_writer w;
    buf_init(&json, arena);
    json_init(&w, &json);
    food_encode(&w, NULL, food);

    struct str name_key = text_fold(arena, food->name);
    struct str category_key = text_fold(arena, food->category);
    struct str description_key = text_fold(arena, food->description);
    struct str search_key =
        arena_printf(arena, STR_FMT "\n" STR_FMT, STR_ARG(name_key), STR_ARG(description_key));
    size_t texts_len = food->name.len + food->description.len + food->category.len +
                       food->image_hash.len + category_key.len + name_key.len + search_key.len +
                       json.len;

    struct menu_food *made = mem_alloc(sizeof(*made) + texts_len);
    char *at = (char *)(made + 1);
    *made = (struct menu_food){.refs = 1, .food = *food};
    made->food.name = place(&at, food->name);
    made->food.description = place(&at, food->description);
    made->food.category = place(&at, food->category);
    made->food.image_hash = place(&at, food->image_hash);
    made->category_key = place(&at, category_key);
    made->name_key = place(&at, name_key);
    made->search_key = place(&at, search_key);
    made->json = place(&at, buf_str(&json));
    return made;
}

struct menu_food *menu_food_ref(struct menu_food *food)
{
    __atomic_add_fetch(&food->refs, 1, __ATOMIC_RELAXED);
    return food;
}

void menu_food_unref(struct menu_food *food)
{
    if (!food || __atomic_sub_fetch(&food->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    http_content_unref(food->content);
    free(food);
}

struct http_content *menu_publish_content(struct http_content **slot, struct http_content *made)
{
    struct http_content *present = NULL;
    if (__atomic_compare_exchange_n(slot, &present, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    http_content_unref(made);
    return present;
}

static int compare_str(struct str a, struct str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

int menu_compare(struct str category_key, struct str name_key, int64_t id,
                 const struct menu_food *food)
{
    int order = compare_str(category_key, food->category_key);
    if (order == 0)
        order = compare_str(name_key, food->name_key);
    if (order == 0)
        order = (id > food->food.id) - (id < food->food.id);
    return order;
}
