/* Histograms, and the text that Prometheus reads. */
#include "base/exposition.h"
#include "support/test.h"

static void a_value_counts_for_the_first_bound_that_is_not_below_it(void **state)
{
	struct lt_histogram histogram = { 0 };

	(void)state;
	lt_histogram_add(&histogram, lt_histogram_us, 0);
	lt_histogram_add(&histogram, lt_histogram_us, 100);
	lt_histogram_add(&histogram, lt_histogram_us, 101);
	lt_histogram_add(&histogram, lt_histogram_us, INT64_C(3600000000));

	assert_int_equal(histogram.bucket[0], 2);
	assert_int_equal(histogram.bucket[1], 1);
	assert_int_equal(histogram.bucket[LT_HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(histogram.count, 4);
	assert_int_equal(histogram.sum, INT64_C(3600000201));
}

static void the_scales_ascend(void **state)
{
	(void)state;
	for (unsigned i = 1; i < LT_HISTOGRAM_BUCKETS - 1; i++) {
		assert_true(lt_histogram_us[i - 1] < lt_histogram_us[i]);
		assert_true(lt_histogram_bytes[i - 1] < lt_histogram_bytes[i]);
	}
}

static void a_quantile_is_the_bound_that_so_many_are_under(void **state)
{
	struct lt_histogram histogram = { 0 };

	(void)state;
	assert_int_equal(lt_histogram_quantile(&histogram, lt_histogram_us, 500), 0);
	for (int i = 0; i < 99; i++) {
		lt_histogram_add(&histogram, lt_histogram_us, 90);
	}
	lt_histogram_add(&histogram, lt_histogram_us, 4000);

	assert_int_equal(lt_histogram_quantile(&histogram, lt_histogram_us, 500), 100);
	assert_int_equal(lt_histogram_quantile(&histogram, lt_histogram_us, 990), 100);
	assert_int_equal(lt_histogram_quantile(&histogram, lt_histogram_us, 991), 5000);

	histogram = (struct lt_histogram){ 0 };
	lt_histogram_add(&histogram, lt_histogram_us, INT64_MAX);
	assert_int_equal(lt_histogram_quantile(&histogram, lt_histogram_us, 500), 10000000);
}

static void a_histogram_is_written_with_cumulative_buckets(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_histogram histogram = { 0 };
	const struct lt_expo_histogram head = { "t_seconds", "a test", lt_histogram_us, 1e6 };

	(void)state;
	lt_histogram_add(&histogram, lt_histogram_us, 200);
	lt_histogram_add(&histogram, lt_histogram_us, 2000000);
	lt_histogram_add(&histogram, lt_histogram_us, 20000000);
	lt_expo_histogram(&text, &head, &histogram);

	assert_string_equal(text.p,
			"# HELP t_seconds a test\n# TYPE t_seconds histogram\n"
			"t_seconds_bucket{le=\"0.0001\"} 0\nt_seconds_bucket{le=\"0.00025\"} 1\n"
			"t_seconds_bucket{le=\"0.0005\"} 1\nt_seconds_bucket{le=\"0.001\"} 1\n"
			"t_seconds_bucket{le=\"0.0025\"} 1\nt_seconds_bucket{le=\"0.005\"} 1\n"
			"t_seconds_bucket{le=\"0.01\"} 1\nt_seconds_bucket{le=\"0.025\"} 1\n"
			"t_seconds_bucket{le=\"0.05\"} 1\nt_seconds_bucket{le=\"0.1\"} 1\n"
			"t_seconds_bucket{le=\"0.5\"} 1\nt_seconds_bucket{le=\"1\"} 1\n"
			"t_seconds_bucket{le=\"10\"} 2\nt_seconds_bucket{le=\"+Inf\"} 3\n"
			"t_seconds_sum 22.0002\nt_seconds_count 3\n");
}

static void labels_are_escaped(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const char *const labels[] = { "a", "x\"y\\z\n", "b", "", NULL };

	(void)state;
	lt_expo_labelled(&text, "m", labels, 1.5);

	assert_string_equal(text.p, "m{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1.5\n");
}

static void a_counter_is_written_to_the_last_digit(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const struct lt_expo_figure figure = { "m_total", "counter", "a test", UINT64_MAX };

	(void)state;
	lt_expo_figures(&text, &figure, 1);

	assert_string_equal(text.p,
			"# HELP m_total a test\n# TYPE m_total counter\nm_total 18446744073709551615\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_counts_for_the_first_bound_that_is_not_below_it),
		cmocka_unit_test(the_scales_ascend),
		cmocka_unit_test(a_quantile_is_the_bound_that_so_many_are_under),
		cmocka_unit_test(a_histogram_is_written_with_cumulative_buckets),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(a_counter_is_written_to_the_last_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
