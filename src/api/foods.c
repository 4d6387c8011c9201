/* The menu on the wire: read from memory on the loop, edited by admins. */
#include <stddef.h>

#include "api/handlers.h"
#include "api/menu.h"
#include "base/text.h"
#include "domain/limits.h"

/* ---- Reading ---- */

static enum err put_content(struct call *c, struct http_content *content)
{
    c->http->response.status = 200;
    c->http->response.content = content;
    c->http->response.cache_control = STR("no-cache");
    return ERR_OK;
}

struct filter {
    struct str category_key, search_key; /* STR_NONE: any */
    struct str available;                /* STR_NONE: any; else true or false */
    bool has_cursor;
    struct str cursor_category_key, cursor_name_key;
    int64_t cursor_id;
    int64_t limit;
};

static enum err decode_filter(struct call *c, struct filter *filter)
{
    struct str category, q, limit, cursor;
    const struct query_field fields[] = {
        {"category", &category}, {"q", &q},           {"available", &filter->available},
        {"limit", &limit},       {"cursor", &cursor},
    };
    enum err err = call_query(c, fields, FIELDS_N(fields));
    if (err)
        return err;
    struct page page;
    err = call_page(c, limit, STR_NONE, FOODS_PAGE_DEFAULT, FOODS_PAGE_MAX, &page);
    if (err)
        return err;
    filter->limit = page.limit;
    if (filter->available.ptr && !str_is(filter->available, "true") &&
        !str_is(filter->available, "false"))
        return problem_add(&c->problem, "available", PROBLEM_INVALID_VALUE,
                           "It must be true or false.");
    if (cursor.ptr && !menu_cursor_parse(c->arena, cursor, &filter->cursor_category_key,
                                         &filter->cursor_name_key, &filter->cursor_id))
        return problem_add(&c->problem, "cursor", PROBLEM_INVALID_VALUE,
                           "Send the next_cursor of the page before.");
    filter->has_cursor = cursor.ptr != NULL;
    if (category.ptr)
        filter->category_key = text_fold(c->arena, text_trim(category));
    if (q.ptr)
        filter->search_key = text_fold(c->arena, text_trim(q));
    return ERR_OK;
}

static bool passes(const struct filter *filter, const struct menu_food *food)
{
    if (filter->category_key.ptr && !str_eq(filter->category_key, food->category_key))
        return false;
    if (filter->available.ptr && str_is(filter->available, "true") != food->food.available)
        return false;
    if (filter->search_key.ptr && !str_contains(food->search_key, filter->search_key))
        return false;
    return !filter->has_cursor || menu_compare(filter->cursor_category_key, filter->cursor_name_key,
                                               filter->cursor_id, food) < 0;
}

static void put_filtered(struct call *c, const struct filter *filter,
                         const struct menu_foods *foods)
{
    struct json_writer *w = call_list(c);
    const struct menu_food *last = NULL;
    int64_t n = 0;
    bool more = false;
    for (size_t i = 0; i < foods->n && !more; i++) {
        if (!passes(filter, foods->foods[i]))
            continue;
        more = n == filter->limit;
        if (more)
            break;
        last = foods->foods[i];
        json_raw(w, NULL, last->json);
        n++;
    }
    call_end_list(c, more ? menu_cursor(c->arena, &last->food) : STR_NONE);
    call_etag(c);
}

enum err foods_get(struct call *c)
{
    /* The common case takes no step that it can do without: it is what a shop serves most. */
    if (c->http->query.len == 0)
        return put_content(c, menu_list_content(c->api->menu));
    struct filter filter = {0};
    enum err err = decode_filter(c, &filter);
    if (err)
        return err;
    struct menu_foods *foods = menu_foods(c->api->menu);
    put_filtered(c, &filter, foods);
    menu_foods_unref(foods);
    return ERR_OK;
}

enum err food_get(struct call *c)
{
    struct http_content *content = menu_food_content(c->api->menu, c->http->ids[0]);
    if (!content)
        return problem_set(&c->problem, PROBLEM_FOOD_NOT_FOUND, NULL);
    return put_content(c, content);
}

enum err categories_get(struct call *c)
{
    struct menu_foods *foods = menu_foods(c->api->menu);
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < foods->n;) {
        const struct menu_food *first = foods->foods[i];
        size_t begin = i;
        while (i < foods->n && str_eq(foods->foods[i]->category_key, first->category_key))
            i++;
        json_begin_object(w, NULL);
        json_str(w, "name", first->food.category);
        json_int(w, "count", (int64_t)(i - begin));
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
    menu_foods_unref(foods);
    call_etag(c);
    return ERR_OK;
}

/* ---- Editing ---- */

#define FIELD(member) offsetof(struct food_edit, member)
#define FIELDS(fields) (fields), FIELDS_N(fields)
#define VERSION_FIELD                                                                              \
    {                                                                                              \
        "version", JSON_INT, 0, FIELD(version), 1, ID_MAX, PROBLEM_NONE                            \
    }

/* Decodes into an edit of the food in the path. */
static enum err decode_edit(struct call *c, const struct json_field *fields, size_t n,
                            struct food_edit *ret_edit)
{
    *ret_edit =
        (struct food_edit){.food_id = c->http->ids[0], .now_ms = c->now_ms, .problem = &c->problem};
    return call_body(c, fields, n, ret_edit);
}

static enum err trim_texts(struct call *c, struct food_edit *edit)
{
    if (edit->description.set)
        edit->description.value = text_trim(edit->description.value);
    enum err name = call_trim(c, "name", &edit->name);
    enum err category = call_trim(c, "category", &edit->category);
    return name ? name : category;
}

static void encode_food(struct call *c, void *arg)
{
    const struct food_edit *edit = arg;
    food_encode(call_json(c, 200), NULL, &edit->food);
}

static void encode_new_food(struct call *c, void *arg)
{
    const struct food_edit *edit = arg;
    food_encode(call_json(c, 201), NULL, &edit->food);
    http_response_header(c->http, "Location",
                         arena_printf(c->arena, "/api/foods/%lld", (long long)edit->food.id));
}

enum err foods_post(struct call *c)
{
    static const struct json_field fields[] = {
        {"name", JSON_TEXT, JSON_REQUIRED, FIELD(name), 1, NAME_MAX_CHARS, PROBLEM_NONE},
        {"price", JSON_INT, JSON_REQUIRED, FIELD(price), 0, MONEY_MAX, PROBLEM_NONE},
        {"description", JSON_LONG_TEXT, 0, FIELD(description), 0, DESCRIPTION_MAX_CHARS,
         PROBLEM_NONE},
        {"category", JSON_TEXT, 0, FIELD(category), 1, CATEGORY_MAX_CHARS, PROBLEM_NONE},
        {"available", JSON_BOOL, 0, FIELD(available), 0, 0, PROBLEM_NONE},
        {"stock", JSON_INT, JSON_NULLABLE, FIELD(stock), 0, STOCK_MAX, PROBLEM_NONE},
    };
    struct food_edit edit;
    enum err err = decode_edit(c, FIELDS(fields), &edit);
    if (!err)
        err = trim_texts(c, &edit);
    return err ? err : call_write(c, food_create, encode_new_food, &edit);
}

enum err food_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"name", JSON_TEXT, 0, FIELD(name), 1, NAME_MAX_CHARS, PROBLEM_NONE},
        {"price", JSON_INT, 0, FIELD(price), 0, MONEY_MAX, PROBLEM_NONE},
        {"description", JSON_LONG_TEXT, 0, FIELD(description), 0, DESCRIPTION_MAX_CHARS,
         PROBLEM_NONE},
        {"category", JSON_TEXT, 0, FIELD(category), 1, CATEGORY_MAX_CHARS, PROBLEM_NONE},
        {"available", JSON_BOOL, 0, FIELD(available), 0, 0, PROBLEM_NONE},
        {"stock", JSON_INT, JSON_NULLABLE, FIELD(stock), 0, STOCK_MAX, PROBLEM_NONE},
        VERSION_FIELD,
    };
    struct food_edit edit;
    enum err err = decode_edit(c, FIELDS(fields), &edit);
    if (!err)
        err = trim_texts(c, &edit);
    return err ? err : call_write(c, food_edit, encode_food, &edit);
}

enum err food_price_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"price", JSON_INT, JSON_REQUIRED, FIELD(price), 0, MONEY_MAX, PROBLEM_NONE},
        VERSION_FIELD,
    };
    struct food_edit edit;
    enum err err = decode_edit(c, FIELDS(fields), &edit);
    return err ? err : call_write(c, food_edit, encode_food, &edit);
}

enum err food_availability_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"available", JSON_BOOL, JSON_REQUIRED, FIELD(available), 0, 0, PROBLEM_NONE},
        VERSION_FIELD,
    };
    struct food_edit edit;
    enum err err = decode_edit(c, FIELDS(fields), &edit);
    return err ? err : call_write(c, food_edit, encode_food, &edit);
}

enum err food_stock_put(struct call *c)
{
    static const struct json_field fields[] = {
        {"stock", JSON_INT, JSON_NULLABLE, FIELD(stock), 0, STOCK_MAX, PROBLEM_NONE},
        {"add", JSON_INT, 0, FIELD(stock_add), -STOCK_MAX, STOCK_MAX, PROBLEM_NONE},
        VERSION_FIELD,
    };
    struct food_edit edit;
    enum err err = decode_edit(c, FIELDS(fields), &edit);
    if (err)
        return err;
    if (!edit.stock.set && !edit.stock_add.set)
        return problem_add(&c->problem, "stock", PROBLEM_REQUIRED, "Send stock or add.");
    if (edit.stock.set && edit.stock_add.set)
        return problem_add(&c->problem, "add", PROBLEM_INVALID_VALUE,
                           "Send stock or add, not both.");
    return call_write(c, food_edit, encode_food, &edit);
}

enum err food_delete(struct call *c)
{
    struct food_edit edit = {
        .food_id = c->http->ids[0], .now_ms = c->now_ms, .problem = &c->problem};
    return call_write(c, food_archive, NULL, &edit);
}
