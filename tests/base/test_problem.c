#include "base/problem.h"

#include <string.h>

#include "check.h"

struct fixture {
    struct arena *arena;
    struct problem problem;
};

static struct fixture fixture;

static int set_up(void **state)
{
    fixture.arena = arena_create();
    memset(&fixture.problem, 0xee, sizeof(fixture.problem)); /* init must not rely on zeroes */
    problem_init(&fixture.problem, fixture.arena);
    *state = &fixture.problem;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(fixture.arena);
    return 0;
}

static void assert_fresh(const struct problem *problem)
{
    assert_int_equal(problem->code, PROBLEM_NONE);
    assert_absent(problem->detail);
    assert_int_equal(problem->retry_after_ms, 0);
    assert_int_equal(problem->n_rows, 0);
    assert_int_equal(problem->n_extras, 0);
    assert_ptr_equal(problem->arena, fixture.arena);
}

static void test_problem__init_and_reset(void **state)
{
    struct problem *problem = *state;
    assert_fresh(problem);
    problem_add(problem, "name", PROBLEM_REQUIRED, "x");
    problem_extra_int(problem, "left", 1);
    problem->detail = STR("d");
    problem->retry_after_ms = 5;
    problem_reset(problem);
    assert_fresh(problem);
}

static void test_problem__set_copies_its_detail(void **state)
{
    struct problem *problem = *state;
    char detail[] = "because";
    assert_int_equal(problem_set(problem, PROBLEM_FORBIDDEN, detail), ERR_PROBLEM);
    detail[0] = 'x';
    assert_int_equal(problem->code, PROBLEM_FORBIDDEN);
    assert_str(problem->detail, "because");
    problem_set(problem, PROBLEM_NOT_FOUND, NULL);
    assert_int_equal(problem->code, PROBLEM_NOT_FOUND);
    assert_absent(problem->detail);
}

static void test_problem__printf_formats_and_cuts(void **state)
{
    struct problem *problem = *state;
    assert_int_equal(problem_printf(problem, PROBLEM_RATE_LIMITED, "%d of %s", 3, "x"),
                     ERR_PROBLEM);
    assert_str(problem->detail, "3 of x");
    problem_printf(problem, PROBLEM_RATE_LIMITED, "%5000d", 1);
    assert_int_equal(problem->detail.len, 511);
}

static void test_problem__first_row_gives_the_code(void **state)
{
    struct problem *problem = *state;
    assert_int_equal(problem_add(problem, "name", PROBLEM_TOO_LONG, "at most 3"), ERR_PROBLEM);
    assert_int_equal(problem_add(problem, "price", PROBLEM_UNKNOWN_FIELD, NULL), ERR_PROBLEM);
    assert_int_equal(problem->code, PROBLEM_TOO_LONG);
    assert_int_equal(problem->n_rows, 2);
    assert_string_equal(problem->rows[0].field, "name");
    assert_str(problem->rows[0].detail, "at most 3");
    assert_int_equal(problem->rows[0].food_id, 0);
    assert_int_equal(problem->rows[1].code, PROBLEM_UNKNOWN_FIELD);
    assert_absent(problem->rows[1].detail);
}

static void test_problem__add_food(void **state)
{
    struct problem *problem = *state;
    assert_int_equal(problem_add_food(problem, 7, PROBLEM_OUT_OF_STOCK, STR("2 left")),
                     ERR_PROBLEM);
    assert_int_equal(problem->code, PROBLEM_OUT_OF_STOCK);
    assert_null(problem->rows[0].field);
    assert_int_equal(problem->rows[0].food_id, 7);
    assert_str(problem->rows[0].detail, "2 left");
}

static void test_problem__rows_past_the_limit_are_dropped(void **state)
{
    struct problem *problem = *state;
    for (int i = 0; i < PROBLEM_ROWS_MAX; i++)
        problem_add(problem, "a", PROBLEM_REQUIRED, NULL);
    assert_int_equal(problem->n_rows, PROBLEM_ROWS_MAX);
    assert_int_equal(problem_add(problem, "b", PROBLEM_WRONG_TYPE, NULL), ERR_PROBLEM);
    assert_int_equal(problem->n_rows, PROBLEM_ROWS_MAX);
    assert_string_equal(problem->rows[PROBLEM_ROWS_MAX - 1].field, "a");
    assert_int_equal(problem->n_extras, 0);
}

static void test_problem__extras(void **state)
{
    struct problem *problem = *state;
    char json[] = "{\"id\":1}";
    problem_extra_int(problem, "attempts_left", -3);
    problem_extra_json(problem, "payment", str_from(json));
    json[0] = 'x';
    assert_int_equal(problem->n_extras, 2);
    assert_string_equal(problem->extras[0].key, "attempts_left");
    assert_str(problem->extras[0].json, "-3");
    assert_str(problem->extras[1].json, "{\"id\":1}");
    problem_extra_int(problem, "c", 1);
    problem_extra_int(problem, "d", 2);
    assert_int_equal(problem->n_extras, PROBLEM_EXTRAS_MAX);
}

static void test_problem__every_code_has_a_name_a_title_and_a_status(void **state)
{
    (void)state;
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        enum problem_code code = (enum problem_code)i;
        const char *text = problem_code_text(code);
        assert_true(strlen(text) > 0);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz_"), strlen(text));
        assert_true(strlen(problem_code_title(code)) > 0);
        int status = problem_code_status(code);
        assert_true((status >= 400 && status < 430) || status == 500 || status == 503);
        for (int k = PROBLEM_NONE + 1; k < i; k++)
            assert_string_not_equal(text, problem_code_text((enum problem_code)k));
    }
}

static void test_problem__statuses_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        enum problem_code code;
        const char *text;
        int status;
    } cases[] = {
        {PROBLEM_MALFORMED_JSON, "malformed_json", 400},
        {PROBLEM_INVALID_CREDENTIALS, "invalid_credentials", 401},
        {PROBLEM_PAYMENT_REQUIRED, "payment_required", 402},
        {PROBLEM_CROSS_SITE, "cross_site", 403},
        {PROBLEM_FOOD_NOT_FOUND, "food_not_found", 404},
        {PROBLEM_METHOD_NOT_ALLOWED, "method_not_allowed", 405},
        {PROBLEM_EMAIL_TAKEN, "email_taken", 409},
        {PROBLEM_OTP_EXPIRED, "otp_expired", 410},
        {PROBLEM_BODY_TOO_LARGE, "body_too_large", 413},
        {PROBLEM_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415},
        {PROBLEM_UNKNOWN_FIELD, "unknown_field", 422},
        {PROBLEM_OTP_LOCKED, "otp_locked", 429},
        {PROBLEM_INTERNAL, "internal", 500},
        {PROBLEM_UNAVAILABLE, "unavailable", 503},
        {PROBLEM_NONE, "internal", 500},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(problem_code_text(cases[i].code), cases[i].text);
        assert_int_equal(problem_code_status(cases[i].code), cases[i].status);
    }
}

#define PROBLEM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBLEM_TEST(test_problem__init_and_reset),
        PROBLEM_TEST(test_problem__set_copies_its_detail),
        PROBLEM_TEST(test_problem__printf_formats_and_cuts),
        PROBLEM_TEST(test_problem__first_row_gives_the_code),
        PROBLEM_TEST(test_problem__add_food),
        PROBLEM_TEST(test_problem__rows_past_the_limit_are_dropped),
        PROBLEM_TEST(test_problem__extras),
        PROBLEM_TEST(test_problem__every_code_has_a_name_a_title_and_a_status),
        PROBLEM_TEST(test_problem__statuses_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
