/* Pictures in the store: kept once, named by foods, forgotten when nobody names them any more, and
 * never while somebody does. */
#include "shop_fixture.h"

#include "domain/limits.h"
#include "store/check.h"
#include "store/image.h"
#include "store/sweep.h"

#include <string.h>

static const char N_IMAGES[] = "SELECT count(*) FROM images";

/* A hash of 64 equal digits. */
static struct str hash_of(struct shop_fixture *s, char digit)
{
    char *hash = arena_alloc(s->arena, IMAGE_HASH_CHARS);
    memset(hash, digit, IMAGE_HASH_CHARS);
    return (struct str){hash, IMAGE_HASH_CHARS};
}

static enum err put_at(struct shop_fixture *s, int64_t food_id, char digit, int64_t now_ms,
                       struct food *ret_food)
{
    struct image_put put = {
        .edit = {.food_id = food_id, .now_ms = now_ms, .problem = &s->problem},
        .hash = hash_of(s, digit),
        .image = {.type = IMAGE_PNG, .width = 4, .height = IMAGE_SIDE_MAX},
        .bytes = {"a\0b", 3},
    };
    enum err err = shop_write(s, image_put, &put);
    if (ret_food)
        *ret_food = put.edit.food;
    return err;
}

static void put(struct shop_fixture *s, int64_t food_id, char digit, int64_t now_ms)
{
    assert_int_equal(put_at(s, food_id, digit, now_ms, NULL), ERR_OK);
}

static void take_away(struct shop_fixture *s, int64_t food_id, int64_t now_ms)
{
    struct food_edit edit = {.food_id = food_id, .now_ms = now_ms, .problem = &s->problem};
    assert_int_equal(shop_write(s, image_remove, &edit), ERR_OK);
    assert_null(edit.food.image_hash.ptr);
}

static bool exists(struct shop_fixture *s, char digit)
{
    struct image_find find = {.hash = hash_of(s, digit)};
    assert_int_equal(shop_read_tx(s, image_find, &find), ERR_OK);
    return find.found;
}

static bool is_due(struct shop_fixture *s, int64_t now_ms)
{
    struct sweep_due due = {.now_ms = now_ms, .provider = STR("")};
    assert_int_equal(shop_read_tx(s, sweep_due, &due), ERR_OK);
    return due.images;
}

static size_t sweep(struct shop_fixture *s, int64_t now_ms)
{
    struct sweep_images sweep = {.now_ms = now_ms, .more = true};
    size_t n = 0;
    while (sweep.more) {
        assert_int_equal(shop_write(s, sweep_images, &sweep), ERR_OK);
        n += sweep.n_forgotten;
    }
    return n;
}

static void report(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)id;
    (void)detail;
    *(const char **)ctx = rule;
}

static const char *breach(struct shop_fixture *s)
{
    const char *rule = NULL;
    struct store_check_counts counts;
    assert_int_equal(store_check(s->store, report, &rule, NULL, &counts), ERR_OK);
    return rule;
}

enum { SOON = 1000 };
#define LATER_MS (SHOP_NOW_MS + SOON + IMAGE_KEPT_MS)

static void test_image__put_and_find(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, 7);
    struct food food;

    assert_int_equal(put_at(s, rice, 'a', SHOP_NOW_MS + 1, &food), ERR_OK);
    assert_int_equal(s->n_events, 1);
    assert_int_equal(s->events[0].kind, STORE_EVENT_FOOD);
    assert_int_equal(s->events[0].id, rice);
    assert_true(str_eq(food.image_hash, hash_of(s, 'a')));
    assert_int_equal(food.version, 2);
    assert_int_equal(food.updated_at_ms, SHOP_NOW_MS + 1);
    assert_int_equal(food.stock, 7);
    struct image_find find = {.hash = hash_of(s, 'a')};
    assert_int_equal(shop_read_tx(s, image_find, &find), ERR_OK);
    assert_true(find.found);
    assert_true(str_is(find.type, "image/png"));
    assert_int_equal(find.bytes.len, 3);
    assert_memory_equal(find.bytes.ptr, "a\0b", 3);
    assert_false(exists(s, 'b'));
}

static void test_image__refused_for_no_food(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);
    struct food_edit edit = {.food_id = rice, .now_ms = SHOP_NOW_MS, .problem = &s->problem};

    assert_int_equal(put_at(s, rice + 1, 'a', SHOP_NOW_MS, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(shop_write(s, food_archive, &edit), ERR_OK);
    assert_int_equal(put_at(s, rice, 'a', SHOP_NOW_MS, NULL), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(shop_write(s, image_remove, &edit), ERR_PROBLEM);
    assert_problem(s, PROBLEM_FOOD_NOT_FOUND);
    assert_int_equal(shop_sql(s, N_IMAGES, SQL_NO_ARGS), 0);
}

static void test_image__other_edits_keep_it(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);
    struct food_edit edit = {.food_id = rice,
                             .now_ms = SHOP_NOW_MS,
                             .problem = &s->problem,
                             .price = {.set = true, .value = 1}};

    put(s, rice, 'a', SHOP_NOW_MS);
    assert_int_equal(shop_write(s, food_edit, &edit), ERR_OK);
    assert_true(str_eq(edit.food.image_hash, hash_of(s, 'a')));
    assert_false(is_due(s, INT64_MAX));
}

static void test_image__nothing_to_take_away(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);
    struct food_edit edit = {.food_id = rice, .now_ms = SHOP_NOW_MS, .problem = &s->problem};

    assert_int_equal(shop_write(s, image_remove, &edit), ERR_OK);
    assert_int_equal(edit.food.version, 1);
    assert_int_equal(s->n_events, 0);
}

static void test_image__forgotten_a_while_after_the_last_food(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1), suya = shop_food(s, "Suya", 250, -1);

    put(s, rice, 'a', SHOP_NOW_MS);
    put(s, suya, 'b', SHOP_NOW_MS);
    put(s, rice, 'c', SHOP_NOW_MS + SOON);
    take_away(s, suya, SHOP_NOW_MS + SOON);
    assert_int_equal(shop_sql(s, N_IMAGES, SQL_NO_ARGS), 3);
    assert_false(is_due(s, LATER_MS));
    assert_int_equal(sweep(s, LATER_MS), 0);
    assert_true(is_due(s, LATER_MS + 1));
    assert_int_equal(sweep(s, LATER_MS + 1), 2);
    assert_false(exists(s, 'a') || exists(s, 'b'));
    assert_true(exists(s, 'c'));
    assert_false(is_due(s, INT64_MAX));
    assert_null(breach(s));
}

static void test_image__forgotten_with_an_archived_food(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);
    struct food_edit edit = {.food_id = rice, .now_ms = SHOP_NOW_MS + SOON, .problem = &s->problem};

    put(s, rice, 'a', SHOP_NOW_MS);
    assert_int_equal(shop_write(s, food_archive, &edit), ERR_OK);
    assert_int_equal(sweep(s, LATER_MS + 1), 1);
    assert_null(breach(s));
}

static void test_image__kept_for_another_food(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1), suya = shop_food(s, "Suya", 250, -1);

    put(s, rice, 'a', SHOP_NOW_MS);
    put(s, suya, 'a', SHOP_NOW_MS);
    take_away(s, rice, SHOP_NOW_MS + SOON);
    assert_true(is_due(s, LATER_MS + 1));
    assert_int_equal(sweep(s, LATER_MS + 1), 0);
    assert_true(exists(s, 'a'));
    assert_false(is_due(s, INT64_MAX)); /* and not looked at again */
    take_away(s, suya, LATER_MS);
    assert_int_equal(sweep(s, LATER_MS + IMAGE_KEPT_MS + 1), 1);
}

/* The same bytes again, at the last moment: the sweeper has nothing to take. */
static void test_image__kept_when_it_comes_back(void **state)
{
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);

    put(s, rice, 'a', SHOP_NOW_MS);
    put(s, rice, 'a', SHOP_NOW_MS + SOON); /* the same lets go of nothing */
    assert_false(is_due(s, INT64_MAX));
    take_away(s, rice, SHOP_NOW_MS + SOON);
    put(s, rice, 'a', LATER_MS + 1);
    assert_false(is_due(s, INT64_MAX)); /* nothing to look at, whoever writes beside it */
    assert_int_equal(shop_sql(s, N_IMAGES, SQL_NO_ARGS), 1);
    assert_int_equal(sweep(s, LATER_MS + 2), 0);
    assert_true(exists(s, 'a'));
    take_away(s, rice, LATER_MS + 1);
    assert_int_equal(sweep(s, LATER_MS + IMAGE_KEPT_MS + 2), 1);
    put(s, rice, 'a', LATER_MS + IMAGE_KEPT_MS + 2); /* and a moment after it */
    assert_true(exists(s, 'a'));
    assert_null(breach(s));
}

static void test_image__forgotten_in_slices(void **state)
{
    static const char insert[] =
        "INSERT INTO images (hash, type, width, height, created_at, released_at, bytes) "
        "VALUES ($1, 'image/png', 1, 1, 0, 1, $2)";
    struct shop_fixture *s = *state;

    for (int i = 0; i < SWEEP_IMAGES + 1; i++)
        shop_sql(s, insert, SQL_ARGS(sql_text(hash_of(s, (char)('a' + i))), sql_blob(STR("x"))));
    struct sweep_images sweep = {.now_ms = SHOP_NOW_MS};
    assert_int_equal(shop_write(s, sweep_images, &sweep), ERR_OK);
    assert_int_equal(sweep.n_forgotten, SWEEP_IMAGES);
    assert_true(sweep.more);
    assert_int_equal(shop_write(s, sweep_images, &sweep), ERR_OK);
    assert_int_equal(sweep.n_forgotten, 1);
    assert_false(sweep.more);
}

static void test_image__check_finds_a_missing_one(void **state)
{
    static const char lose[] = "DELETE FROM images";
    struct shop_fixture *s = *state;
    int64_t rice = shop_food(s, "Rice", 250, -1);

    put(s, rice, 'a', SHOP_NOW_MS);
    assert_null(breach(s));
    shop_sql(s, lose, SQL_NO_ARGS);
    assert_string_equal(breach(s), "food_image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_image__put_and_find),
        SHOP_TEST(test_image__refused_for_no_food),
        SHOP_TEST(test_image__other_edits_keep_it),
        SHOP_TEST(test_image__nothing_to_take_away),
        SHOP_TEST(test_image__forgotten_a_while_after_the_last_food),
        SHOP_TEST(test_image__forgotten_with_an_archived_food),
        SHOP_TEST(test_image__kept_for_another_food),
        SHOP_TEST(test_image__kept_when_it_comes_back),
        SHOP_TEST(test_image__forgotten_in_slices),
        SHOP_TEST(test_image__check_finds_a_missing_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
