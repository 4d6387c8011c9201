/* The menu in memory: that it is the database's whatever is edited, that it never shows less than
 * was answered before, and that one that could not be read anew is mended without a further
 * edit. */
#include "../store/shop_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/menu.h"
#include "base/text.h"
#include "domain/limits.h"

struct menu_fixture {
    struct shop_fixture *shop;
    struct menu *menu;
};

/* ---- Reads of the database that fail ---- */

static atomic_bool reads_fail;
static _Thread_local int n_reads; /* of this thread */

/* Holds what the menu's own thread has read, until it may go on. */
static atomic_bool hold_mending;
static sem_t mending_read, mending_goes_on;

enum err __real_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

static bool is_mending(void)
{
    char name[16];
    assert_int_equal(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    return strcmp(name, "menu") == 0;
}

enum err __wrap_store_read(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    n_reads++;
    if (atomic_load(&reads_fail))
        return ERR_UNAVAILABLE;
    enum err err = __real_store_read(store, arena, fn, arg);
    if (atomic_load(&hold_mending) && is_mending()) {
        sem_post(&mending_read);
        sem_wait(&mending_goes_on);
    }
    return err;
}

/* ---- The menu following a store ---- */

static void follow(void *ctx, const struct store_event *events, size_t n)
{
    const struct menu_fixture *m = ctx;
    for (size_t i = 0; i < n; i++) {
        if (events[i].kind == STORE_EVENT_FOOD)
            menu_refresh_foods(m->menu, &events[i].id, 1);
        else if (events[i].kind == STORE_EVENT_SHOP)
            menu_refresh_shop(m->menu);
    }
}

static int setup(void **state)
{
    struct menu_fixture *m = calloc(1, sizeof(*m));
    void *shop;
    shop_setup(&shop);
    m->shop = shop;
    assert_int_equal(menu_create(m->shop->store, &m->menu), ERR_OK);
    store_listen(m->shop->store, follow, m);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct menu_fixture *m = *state;
    void *shop = m->shop;
    atomic_store(&reads_fail, false);
    menu_destroy(m->menu);
    shop_teardown(&shop);
    free(m);
    return 0;
}

static struct str list_json(struct menu_fixture *m, struct menu *menu)
{
    struct http_content *content = menu_list_content(menu);
    struct str json = arena_dup(m->shop->arena, content->identity);
    http_content_unref(content);
    return json;
}

/* What was patched is what is read anew. */
static void assert_fresh(struct menu_fixture *m)
{
    struct menu *anew;
    assert_int_equal(menu_create(m->shop->store, &anew), ERR_OK);
    struct str expected = list_json(m, anew), got = list_json(m, m->menu);
    assert_string_equal(got.ptr, expected.ptr);

    struct menu_foods *foods = menu_foods(anew);
    for (size_t i = 0; i < foods->n; i++) {
        struct http_content *content = menu_food_content(m->menu, foods->foods[i]->food.id);
        assert_non_null(content);
        assert_true(str_eq(content->identity, foods->foods[i]->json));
        http_content_unref(content);
    }
    menu_foods_unref(foods);
    menu_destroy(anew);
}

static enum err edit(struct menu_fixture *m, tx_fn *fn, struct food_edit edit)
{
    edit.now_ms = SHOP_NOW_MS;
    edit.problem = &m->shop->problem;
    return shop_write(m->shop, fn, &edit);
}

static struct opt_str text(const char *value)
{
    return (struct opt_str){.set = true, .value = str_from(value)};
}

static void add_foods(struct menu_fixture *m, int n)
{
    char name[32];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "Dish %03d", (i * 37) % n);
        shop_food(m->shop, name, 100 + i, i % 3 == 0 ? 50 : -1);
    }
}

/* ---- Content ---- */

static void test_menu__empty(void **state)
{
    struct menu_fixture *m = *state;

    assert_string_equal(list_json(m, m->menu).ptr, "{\"items\":[],\"next_cursor\":null}");
    assert_null(menu_food_content(m->menu, 1));
}

static void test_menu__food_on_the_wire(void **state)
{
    struct menu_fixture *m = *state;
    int64_t id = shop_food(m->shop, "Jollof \"rice\"", 250000, 3);

    struct http_content *content = menu_food_content(m->menu, id);
    assert_string_equal(content->identity.ptr,
                        "{\"id\":1,\"name\":\"Jollof \\\"rice\\\"\",\"description\":\"\","
                        "\"category\":\"Other\",\"price\":250000,\"available\":true,\"stock\":3,"
                        "\"image_url\":null,\"version\":1,"
                        "\"created_at\":\"2027-01-15T08:00:00.000Z\","
                        "\"updated_at\":\"2027-01-15T08:00:00.000Z\"}");
    assert_true(str_is(content->type, "application/json"));
    assert_int_equal(content->etag.len, 34);
    http_content_unref(content);
}

static void test_menu__sorted_by_folded_category_and_name(void **state)
{
    static const char *const names[][2] = {
        {"drinks", "zobo"}, {"Drinks", "Chapman"}, {"Grill", "asun"},
        {"Drinks", "ale"},  {"grill", "Asun"},
    };
    static const char *const expected[] = {"ale", "Chapman", "zobo", "asun", "Asun"};
    struct menu_fixture *m = *state;

    for (size_t i = 0; i < 5; i++)
        assert_int_equal(
            edit(m, food_create,
                 (struct food_edit){.category = text(names[i][0]), .name = text(names[i][1])}),
            ERR_OK);
    struct menu_foods *foods = menu_foods(m->menu);
    assert_int_equal(foods->n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(str_is(foods->foods[i]->food.name, expected[i]));
    menu_foods_unref(foods);
}

static void test_menu__follows_every_edit(void **state)
{
    struct menu_fixture *m = *state;
    struct opt_int stock = {.set = true, .value = 7};

    add_foods(m, 40); /* so many that one change is patched in */
    assert_fresh(m);
    for (int64_t id = 1; id < 40; id += 3) {
        assert_int_equal(edit(m, food_edit, (struct food_edit){.food_id = id, .stock = stock}),
                         ERR_OK);
        assert_int_equal(edit(m, food_edit,
                              (struct food_edit){.food_id = id + 1,
                                                 .name = text(id % 2 ? "A first" : "Z last")}),
                         ERR_OK);
        assert_fresh(m);
        assert_int_equal(edit(m, food_archive, (struct food_edit){.food_id = id}), ERR_OK);
        assert_fresh(m);
        shop_food(m->shop, "Dish 015", 5, 5);
        assert_fresh(m);
    }
}

static void test_menu__several_ids_at_once(void **state)
{
    struct menu_fixture *m = *state;

    add_foods(m, 40);
    struct menu_fixture other = {m->shop, NULL};
    assert_int_equal(menu_create(m->shop->store, &other.menu), ERR_OK);
    assert_int_equal(edit(m, food_archive, (struct food_edit){.food_id = 40}), ERR_OK);
    assert_int_equal(edit(m, food_archive, (struct food_edit){.food_id = 1}), ERR_OK);
    assert_int_equal(edit(m, food_edit, (struct food_edit){.food_id = 9, .category = text("Zz")}),
                     ERR_OK);
    int64_t first = shop_food(m->shop, "New", 1, -1), second = shop_food(m->shop, "New", 1, 1);
    const int64_t ids[] = {second, 40, 9, 1, first, 999};
    menu_refresh_foods(other.menu, ids, sizeof(ids) / sizeof(*ids));
    assert_string_equal(list_json(m, other.menu).ptr, list_json(m, m->menu).ptr);
    assert_fresh(&other);
    menu_destroy(other.menu);
}

static void test_menu__content_is_shared_until_it_changes(void **state)
{
    struct menu_fixture *m = *state;

    add_foods(m, 3);
    struct http_content *a = menu_list_content(m->menu), *b = menu_list_content(m->menu);
    assert_ptr_equal(a, b);
    assert_int_equal(
        edit(m, food_edit, (struct food_edit){.food_id = 1, .stock = {.set = true, .value = 4}}),
        ERR_OK);
    struct http_content *c = menu_list_content(m->menu);
    assert_ptr_not_equal(a, c);
    assert_false(str_eq(a->etag, c->etag));
    http_content_unref(a);
    http_content_unref(b);
    http_content_unref(c);
}

static void test_menu__first_page_ends_at_its_limit(void **state)
{
    struct menu_fixture *m = *state;

    add_foods(m, FOODS_PAGE_DEFAULT);
    struct str json = list_json(m, m->menu);
    assert_true(str_contains(json, STR("\"next_cursor\":null")));
    shop_food(m->shop, "Zzz", 1, -1);
    json = list_json(m, m->menu);
    assert_false(str_contains(json, STR("\"next_cursor\":null")));
    assert_false(str_contains(json, STR("Zzz")));
}

static void test_menu__cursor(void **state)
{
    struct menu_fixture *m = *state;
    struct arena *arena = m->shop->arena;
    struct food food = {.id = 42, .category = STR("Soups"), .name = STR("Ẹ̀fọ́ Rírò")};
    struct str category, name;
    int64_t id;

    struct str cursor = menu_cursor(arena, &food);
    assert_true(menu_cursor_parse(arena, cursor, &category, &name, &id));
    assert_int_equal(id, 42);
    assert_true(str_is(category, "soups"));
    assert_true(str_eq(name, text_fold(arena, food.name)));

    static const char *const foreign[] = {
        "", "x", "!!!!", "NDI", "NDIKU291cHM", "eAphCmI", "NDIKYQpiCmM", "NDIKYQr_",
    };
    for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
        assert_false(menu_cursor_parse(arena, str_from(foreign[i]), &category, &name, &id));
}

static void test_menu__shop(void **state)
{
    struct menu_fixture *m = *state;
    struct shop_edit shop_change = {
        .name = text("Mama Put"), .currency = text("JPY"), .problem = &m->shop->problem};

    struct menu_shop *before = menu_shop(m->menu);
    assert_int_equal(shop_write(m->shop, shop_edit, &shop_change), ERR_OK);
    struct menu_shop *after = menu_shop(m->menu);
    assert_true(str_is(before->shop.name, "Servery"));
    assert_true(str_is(after->shop.name, "Mama Put"));
    assert_string_equal(after->content->identity.ptr,
                        "{\"name\":\"Mama Put\",\"currency\":\"JPY\",\"currency_exponent\":0,"
                        "\"country_code\":\"234\",\"timezone\":\"Africa/Lagos\","
                        "\"payment_instructions\":\"Pay at the counter.\"}");
    menu_shop_unref(before);
    menu_shop_unref(after);
}

/* ---- Failures ---- */

static enum err rename_food(struct menu_fixture *m, const char *name)
{
    return edit(m, food_edit, (struct food_edit){.food_id = 1, .name = text(name)});
}

static bool shows(struct menu_fixture *m, const char *name)
{
    return str_contains(list_json(m, m->menu), str_from(name));
}

static bool shop_is(struct menu_fixture *m, const char *name)
{
    return str_is(menu_shop_copy(m->menu, m->shop->arena).name, name);
}

/* Its next reader read it, on a loop thread, for as long as the database took. */
static void test_menu__is_old_until_it_can_be_read(void **state)
{
    struct menu_fixture *m = *state;
    struct shop_edit shop_change = {.name = text("Mama Put"), .problem = &m->shop->problem};

    add_foods(m, 40);
    assert_int_equal(rename_food(m, "Oldest"), ERR_OK);
    atomic_store(&reads_fail, true);
    assert_int_equal(rename_food(m, "Newest"), ERR_OK);
    assert_int_equal(shop_write(m->shop, shop_edit, &shop_change), ERR_OK);
    int reads = n_reads;
    assert_true(shows(m, "Oldest"));
    assert_true(shop_is(m, "Servery"));
    http_content_unref(menu_food_content(m->menu, 1));
    menu_foods_unref(menu_foods(m->menu));
    menu_shop_unref(menu_shop(m->menu));
    assert_int_equal(n_reads, reads);

    /* Nobody edits or asks for anything else. */
    atomic_store(&reads_fail, false);
    while (!shows(m, "Newest") || !shop_is(m, "Mama Put"))
        usleep(1000);
    assert_int_equal(n_reads, reads);
    assert_fresh(m);
}

static void test_menu__a_refresh_mends_a_stale_menu(void **state)
{
    struct menu_fixture *m = *state;

    add_foods(m, 40);
    atomic_store(&reads_fail, true);
    assert_int_equal(rename_food(m, "Newest"), ERR_OK);
    atomic_store(&reads_fail, false);
    assert_int_equal(edit(m, food_edit, (struct food_edit){.food_id = 2, .name = text("Newer")}),
                     ERR_OK);
    assert_true(shows(m, "Newest"));
    assert_true(shows(m, "Newer"));
    assert_fresh(m);
}

static void test_menu__mending_does_not_undo_a_refresh(void **state)
{
    struct menu_fixture *m = *state;

    add_foods(m, 40);
    atomic_store(&reads_fail, true);
    assert_int_equal(rename_food(m, "Newer"), ERR_OK);
    sem_init(&mending_read, 0, 0);
    sem_init(&mending_goes_on, 0, 0);
    atomic_store(&hold_mending, true);
    atomic_store(&reads_fail, false);
    sem_wait(&mending_read);
    assert_int_equal(rename_food(m, "Newest"), ERR_OK);
    assert_true(shows(m, "Newest"));
    atomic_store(&hold_mending, false);
    sem_post(&mending_goes_on);
    menu_stop(m->menu);
    assert_true(shows(m, "Newest"));
    assert_fresh(m);
}

/* ---- Freshness under load ---- */

enum { SELLERS = 4, READERS = 3, SALES = 150, OTHER_FOODS = 30 };

struct market {
    struct menu_fixture *m;
    int64_t food_id;
    atomic_int_fast64_t sold; /* answered so far */
    atomic_bool over;
    atomic_int n_wrong, n_seen;
};

struct sale {
    int64_t food_id;
    int64_t stock; /* out: after it */
};

static enum err sell(struct tx *tx, void *arg)
{
    struct sale *sale = arg;
    struct food food;
    bool found;
    enum err err = food_take_late(tx, sale->food_id, 1);
    if (!err)
        err = food_find(tx, sale->food_id, &food, &found);
    sale->stock = err ? -1 : food.stock;
    return err;
}

/* Keeps the lowest stock that anybody was told. */
static void tell(struct market *market, int64_t stock)
{
    int_fast64_t told = SELLERS * SALES - stock, before = atomic_load(&market->sold);
    while (told > before && !atomic_compare_exchange_weak(&market->sold, &before, told))
        ;
}

static void *run_seller(void *arg)
{
    struct market *market = arg;
    struct arena *arena = arena_create();
    for (int i = 0; i < SALES; i++) {
        struct sale sale = {.food_id = market->food_id};
        if (store_write(market->m->shop->store, arena, sell, &sale))
            atomic_fetch_add(&market->n_wrong, 1);
        tell(market, sale.stock);
        arena_reset(arena);
    }
    arena_destroy(arena);
    return NULL;
}

static int64_t stock_in(struct str json, int64_t food_id)
{
    char key[32];
    long long stock = -1;
    snprintf(key, sizeof(key), "{\"id\":%lld,", (long long)food_id);
    const char *at = strstr(json.ptr, key);
    at = at ? strstr(at, "\"stock\":") : NULL;
    if (at)
        sscanf(at, "\"stock\":%lld", &stock);
    return stock;
}

static void *run_reader(void *arg)
{
    struct market *market = arg;
    while (!atomic_load(&market->over)) {
        int64_t at_most = SELLERS * SALES - atomic_load(&market->sold);
        struct http_content *list = menu_list_content(market->m->menu);
        struct http_content *food = menu_food_content(market->m->menu, market->food_id);
        if (!food) {
            atomic_fetch_add(&market->n_wrong, 1);
            http_content_unref(list);
            break;
        }
        int64_t in_list = stock_in(list->identity, market->food_id);
        int64_t alone = stock_in(food->identity, market->food_id);
        if (in_list < 0 || in_list > at_most || alone < 0 || alone > in_list)
            atomic_fetch_add(&market->n_wrong, 1);
        atomic_fetch_add(&market->n_seen, 1);
        http_content_unref(list);
        http_content_unref(food);
    }
    return NULL;
}

static void test_menu__never_older_than_an_answer(void **state)
{
    struct menu_fixture *m = *state;
    struct market market = {.m = m};
    pthread_t sellers[SELLERS], readers[READERS];

    add_foods(m, OTHER_FOODS);
    market.food_id = shop_food(m->shop, "Suya", 1, SELLERS * SALES);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, run_reader, &market), 0);
    for (int i = 0; i < SELLERS; i++)
        assert_int_equal(pthread_create(&sellers[i], NULL, run_seller, &market), 0);
    for (int i = 0; i < SELLERS; i++)
        pthread_join(sellers[i], NULL);
    atomic_store(&market.over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&market.n_wrong), 0);
    assert_true(atomic_load(&market.n_seen) > 0);
    assert_int_equal(stock_in(list_json(m, m->menu), market.food_id), 0);
    assert_int_equal(shop_stock(m->shop, market.food_id), 0);
    assert_fresh(m);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_menu__empty),
        T(test_menu__food_on_the_wire),
        T(test_menu__sorted_by_folded_category_and_name),
        T(test_menu__follows_every_edit),
        T(test_menu__several_ids_at_once),
        T(test_menu__content_is_shared_until_it_changes),
        T(test_menu__first_page_ends_at_its_limit),
        T(test_menu__cursor),
        T(test_menu__shop),
        T(test_menu__is_old_until_it_can_be_read),
        T(test_menu__a_refresh_mends_a_stale_menu),
        T(test_menu__mending_does_not_undo_a_refresh),
        T(test_menu__never_older_than_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
