#include "base/metric.h"

#include "check.h"

static const struct metric_scale SECONDS = {{500, 20000, 1500000}, 3, 6};
static const struct metric_scale JOBS = {{1, 4}, 2, 0};

static void observe(struct metric_histogram *h, const struct metric_scale *scale, int64_t value)
{
    metric_observe(h, scale, value);
}

static void test_metric__a_value_on_a_bound_belongs_to_it(void **state)
{
    struct metric_histogram h = {0};
    struct metric_reading r = {0};
    (void)state;

    observe(&h, &JOBS, 1);
    observe(&h, &JOBS, 2);
    observe(&h, &JOBS, 4);
    observe(&h, &JOBS, 5);
    observe(&h, &JOBS, 0);
    metric_read_add(&h, &r);
    assert_int_equal(r.counts[0], 2);
    assert_int_equal(r.counts[1], 2);
    assert_int_equal(r.counts[2], 1);
    assert_int_equal(r.sum, 12);
    metric_read_add(&h, &r);
    assert_int_equal(r.counts[0], 4);
    assert_int_equal(r.sum, 24);
}

static void assert_text(struct buf *out, const char *expected)
{
    buf_put_char(out, '\0');
    assert_string_equal(out->ptr, expected);
    buf_finish(out);
}

static void test_metric__text_of_a_histogram(void **state)
{
    struct metric_histogram h = {0};
    struct metric_reading r = {0};
    struct buf out;
    (void)state;

    observe(&h, &SECONDS, 500);
    observe(&h, &SECONDS, 501);
    observe(&h, &SECONDS, 2000000);
    metric_read_add(&h, &r);
    buf_init(&out, NULL);
    metric_family(&out, "x_seconds", METRIC_HISTOGRAM, "Time.");
    metric_buckets(&out, "x_seconds", "a=\"b\"", &SECONDS, &r);
    metric_buckets(&out, "y", "", &JOBS, &(struct metric_reading){.counts = {1}, .sum = 1});
    assert_text(&out, "# HELP x_seconds Time.\n# TYPE x_seconds histogram\n"
                      "x_seconds_bucket{a=\"b\",le=\"0.0005\"} 1\n"
                      "x_seconds_bucket{a=\"b\",le=\"0.02\"} 2\n"
                      "x_seconds_bucket{a=\"b\",le=\"1.5\"} 2\n"
                      "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"
                      "x_seconds_sum{a=\"b\"} 2.001001\n"
                      "x_seconds_count{a=\"b\"} 3\n"
                      "y_bucket{le=\"1\"} 1\ny_bucket{le=\"4\"} 1\ny_bucket{le=\"+Inf\"} 1\n"
                      "y_sum 1\ny_count 1\n");
}

static void test_metric__text_of_numbers(void **state)
{
    struct buf out;
    (void)state;

    buf_init(&out, NULL);
    metric_put(&out, "n_total", METRIC_COUNTER, "Number.", 10);
    metric_sample(&out, "s", "", 1000000, 6);
    metric_sample(&out, "s", "", 1, 6);
    metric_sample(&out, "s", "l=\"1\"", -1200, 3);
    metric_sample(&out, "s", "", 0, 3);
    assert_text(&out, "# HELP n_total Number.\n# TYPE n_total counter\nn_total 10\n"
                      "s 1\ns 0.000001\ns{l=\"1\"} -1.2\ns 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metric__a_value_on_a_bound_belongs_to_it),
        cmocka_unit_test(test_metric__text_of_a_histogram),
        cmocka_unit_test(test_metric__text_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
