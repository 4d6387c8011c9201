/* The opaque cursors and the limit of a page: a foreign one is refused or means one place exactly,
 * ours come back as they went out. Lines: limit, cursor of a page, two numbers, cursor of the menu,
 * an id, a category, a name. */
#include "fuzz.h"

#include "api/call.h"
#include "api/menu.h"
#include "base/text.h"
#include "domain/limits.h"

static enum err read_page(struct call *c, struct str limit, struct str cursor, struct page *page)
{
    problem_reset(&c->problem);
    return call_page(c, limit, cursor, PAGE_DEFAULT, PAGE_MAX, page);
}

static void check_page(struct call *c, struct str limit, struct str cursor)
{
    struct page page = {0};
    if (read_page(c, limit, cursor, &page)) {
        CHECK(c->problem.n_rows > 0 && problem_code_status(c->problem.code) == 422);
        CHECK(page.limit == 0 && !page.has_cursor);
        return;
    }
    CHECK(page.limit >= 1 && page.limit <= PAGE_MAX && page.has_cursor);
    CHECK(page.cursor[0] >= 0 && page.cursor[1] >= 0);
    CHECK_SAME(call_cursor(c, page.cursor), cursor);
}

static void check_parts(struct call *c, int64_t a, int64_t b)
{
    const int64_t parts[CURSOR_PARTS] = {a & INT64_MAX, b & INT64_MAX};
    struct page page;
    CHECK(read_page(c, STR_NONE, call_cursor(c, parts), &page) == ERR_OK);
    CHECK(page.limit == PAGE_DEFAULT && page.has_cursor);
    CHECK(page.cursor[0] == parts[0] && page.cursor[1] == parts[1]);
    CHECK(read_page(c, STR_NONE, STR_NONE, &page) == ERR_OK && !page.has_cursor);
}

static void check_menu_cursor(struct arena *arena, struct str cursor)
{
    struct str category, name;
    int64_t id;
    if (!menu_cursor_parse(arena, cursor, &category, &name, &id))
        return;
    CHECK(text_is_utf8(category) && text_is_utf8(name));
    CHECK_SAME(text_fold(arena, category), category);
    CHECK_SAME(text_fold(arena, name), name);
}

/* A food's texts are one line of UTF-8 each. */
static void check_food(struct arena *arena, int64_t id, struct str category, struct str name)
{
    struct food food = {.id = id, .category = category, .name = name};
    struct str category_key, name_key;
    int64_t parsed;
    if (!text_is_utf8(category) || !text_is_utf8(name) || text_has_control(category, false) ||
        text_has_control(name, false))
        return;
    struct str cursor = menu_cursor(arena, &food);
    CHECK(menu_cursor_parse(arena, cursor, &category_key, &name_key, &parsed));
    CHECK(parsed == id);
    CHECK_SAME(category_key, text_fold(arena, category));
    CHECK_SAME(name_key, text_fold(arena, name));
    for (size_t i = 0; i < cursor.len; i++)
        CHECK(cursor.ptr[i] > ' ' && cursor.ptr[i] <= '~' && cursor.ptr[i] != '&');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct call *c = arena_zalloc(arena, sizeof *c);
    struct str rest = {(const char *)data, size};

    c->arena = arena;
    problem_init(&c->problem, arena);
    struct str limit = fuzz_line(arena, &rest), cursor = fuzz_line(arena, &rest);
    check_page(c, limit.len > 0 ? limit : STR_NONE, cursor);
    int64_t a = fuzz_int(fuzz_line(arena, &rest)), b = fuzz_int(fuzz_line(arena, &rest));
    check_parts(c, a, b);
    check_menu_cursor(arena, fuzz_line(arena, &rest));
    int64_t id = fuzz_int(fuzz_line(arena, &rest));
    struct str category = fuzz_line(arena, &rest), name = fuzz_line(arena, &rest);
    check_food(arena, id, category, name);
    arena_destroy(arena);
    return 0;
}
