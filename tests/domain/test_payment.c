/* What news does to a payment, for every status: the tables are written out from the contract. */
#include "domain/payment.h"

#include "domain_test.h"

static void test_payment__status_texts(void **state)
{
    (void)state;
    static const char *const texts[PAYMENT_STATUSES] = {
        "creating", "pending", "paid", "failed", "expired", "cancelling", "cancelled",
    };
    for (size_t i = 0; i < PAYMENT_STATUSES; i++) {
        enum payment_status status = PAYMENT_STATUSES;
        assert_str(payment_status_text((enum payment_status)i), texts[i]);
        assert_true(payment_status_parse(str_from(texts[i]), &status));
        assert_int_equal(status, i);
    }
}

static void test_payment__unknown_status_texts(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",         "Paid",     "paid ", "pai",
                                          "canceled", "refunded", "open"};
    enum payment_status status = PAYMENT_PENDING;
    for (size_t i = 0; i < N_OF(unknown); i++)
        assert_false(payment_status_parse(str_from(unknown[i]), &status));
    assert_false(payment_status_parse(STR_NONE, &status));
    assert_int_equal(status, PAYMENT_PENDING);
}

static void test_payment__open(void **state)
{
    (void)state;
    static const bool open[PAYMENT_STATUSES] = {
        [PAYMENT_CREATING] = true, [PAYMENT_PENDING] = true};
    for (size_t i = 0; i < PAYMENT_STATUSES; i++)
        assert_int_equal(payment_is_open((enum payment_status)i), open[i]);
}

static void test_payment__effective_before_it_expires(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAYMENT_STATUSES; i++) {
        enum payment_status stored = (enum payment_status)i;
        assert_int_equal(payment_effective(stored, 1000, 999, false), stored);
        assert_int_equal(payment_effective(stored, 1000, 999, true), stored);
        assert_int_equal(payment_effective(stored, 1000, 0, true), stored);
    }
}

static void test_payment__effective_once_it_expired(void **state)
{
    (void)state;
    static const enum payment_status local[PAYMENT_STATUSES] = {
        [PAYMENT_CREATING] = PAYMENT_EXPIRED,    [PAYMENT_PENDING] = PAYMENT_EXPIRED,
        [PAYMENT_PAID] = PAYMENT_PAID,           [PAYMENT_FAILED] = PAYMENT_FAILED,
        [PAYMENT_EXPIRED] = PAYMENT_EXPIRED,     [PAYMENT_CANCELLING] = PAYMENT_CANCELLING,
        [PAYMENT_CANCELLED] = PAYMENT_CANCELLED,
    };
    for (size_t i = 0; i < PAYMENT_STATUSES; i++) {
        enum payment_status stored = (enum payment_status)i;
        /* With a remote provider the hold must stay until he confirms the end. */
        enum payment_status remote = payment_is_open(stored) ? PAYMENT_CANCELLING : local[i];
        for (int64_t late_ms = 0; late_ms < 3; late_ms++) {
            assert_int_equal(payment_effective(stored, 1000, 1000 + late_ms, false), local[i]);
            assert_int_equal(payment_effective(stored, 1000, 1000 + late_ms, true), remote);
        }
        assert_int_equal(payment_effective(stored, 1000, INT64_MAX, false), local[i]);
    }
}

static void test_payment__paid_news_in_every_status(void **state)
{
    (void)state;
    static const enum payment_action actions[PAYMENT_STATUSES] = {
        [PAYMENT_CREATING] = PAYMENT_ORDER,
        [PAYMENT_PENDING] = PAYMENT_ORDER,
        [PAYMENT_PAID] = PAYMENT_IGNORE,
        [PAYMENT_FAILED] = PAYMENT_ORDER_IF_POSSIBLE,
        [PAYMENT_EXPIRED] = PAYMENT_ORDER_IF_POSSIBLE,
        [PAYMENT_CANCELLING] = PAYMENT_ORDER,
        [PAYMENT_CANCELLED] = PAYMENT_FLAG,
    };
    for (size_t i = 0; i < PAYMENT_STATUSES; i++)
        assert_int_equal(payment_on_paid((enum payment_status)i, true), actions[i]);
}

/* Money is never dropped silently: another amount or currency is flagged from every status. */
static void test_payment__paid_news_that_does_not_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAYMENT_STATUSES; i++)
        assert_int_equal(payment_on_paid((enum payment_status)i, false), PAYMENT_FLAG);
}

static void test_payment__failed_news_in_every_status(void **state)
{
    (void)state;
    static const enum payment_action actions[PAYMENT_STATUSES] = {
        [PAYMENT_CREATING] = PAYMENT_FAIL,    [PAYMENT_PENDING] = PAYMENT_FAIL,
        [PAYMENT_PAID] = PAYMENT_IGNORE,      [PAYMENT_FAILED] = PAYMENT_IGNORE,
        [PAYMENT_EXPIRED] = PAYMENT_IGNORE,   [PAYMENT_CANCELLING] = PAYMENT_CONFIRM_CANCEL,
        [PAYMENT_CANCELLED] = PAYMENT_IGNORE,
    };
    for (size_t i = 0; i < PAYMENT_STATUSES; i++)
        assert_int_equal(payment_on_failed((enum payment_status)i), actions[i]);
}

/* One letter a call of simulate: n it is news, a the same again, ! payment_conflict. Columns:
 * the outcome before (none, paid, failed), for each the outcome given now (paid, failed). */
static const char *const simulated[PAYMENT_STATUSES] = {
    [PAYMENT_CREATING] = "nn a! !a",  [PAYMENT_PENDING] = "nn a! !a",
    [PAYMENT_PAID] = "a! a! aa",      [PAYMENT_FAILED] = "!a aa !a",
    [PAYMENT_EXPIRED] = "nn an na",   [PAYMENT_CANCELLING] = "nn an na",
    [PAYMENT_CANCELLED] = "nn an na",
};

static void check_simulate(enum payment_status status, struct str before, struct str outcome,
                           char answer)
{
    struct arena *arena = arena_create();
    struct problem *problem = problem_for_test(arena);
    bool again = answer != 'a';
    enum err err = payment_simulate_check(status, before, outcome, &again, problem);
    char got = err != ERR_OK ? '!' : again ? 'a' : 'n';
    if (got != answer) {
        fail_msg("%s after %s in status %d: %c, not %c", outcome.ptr,
                 before.ptr ? before.ptr : "none", (int)status, got, answer);
    }
    assert_int_equal(problem->code, answer == '!' ? PROBLEM_PAYMENT_CONFLICT : PROBLEM_NONE);
    arena_destroy(arena);
}

static void test_payment__simulate_in_every_status(void **state)
{
    (void)state;
    const struct str before[] = {STR_NONE, STR("paid"), STR("failed")};
    for (size_t i = 0; i < PAYMENT_STATUSES; i++) {
        for (size_t b = 0; b < N_OF(before); b++) {
            enum payment_status status = (enum payment_status)i;
            check_simulate(status, before[b], STR("paid"), simulated[i][b * 3]);
            check_simulate(status, before[b], STR("failed"), simulated[i][b * 3 + 1]);
        }
    }
}

static void test_payment__simulate_unknown_outcome(void **state)
{
    (void)state;
    const struct str bad[] = {STR(""), STR("Paid"), STR("paid "), STR("expired"), STR("cancelled")};
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct arena *arena = arena_create();
        struct problem *problem = problem_for_test(arena);
        bool again = false;
        assert_int_equal(payment_simulate_check(PAYMENT_PENDING, STR_NONE, bad[i], &again, problem),
                         ERR_PROBLEM);
        assert_int_equal(problem->code, PROBLEM_INVALID_VALUE);
        assert_int_equal(problem->n_rows, 1);
        assert_string_equal(problem->rows[0].field, "outcome");
        arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payment__status_texts),
        cmocka_unit_test(test_payment__unknown_status_texts),
        cmocka_unit_test(test_payment__open),
        cmocka_unit_test(test_payment__effective_before_it_expires),
        cmocka_unit_test(test_payment__effective_once_it_expired),
        cmocka_unit_test(test_payment__paid_news_in_every_status),
        cmocka_unit_test(test_payment__paid_news_that_does_not_match),
        cmocka_unit_test(test_payment__failed_news_in_every_status),
        cmocka_unit_test(test_payment__simulate_in_every_status),
        cmocka_unit_test(test_payment__simulate_unknown_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
