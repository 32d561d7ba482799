#include "race/dictdiff.h"
#include "race/dictdiff_check.h"
#include "support/golden.h"
#include "support/test.h"

static bool check(const char *value, const char *diff, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *value_tree = json_of(value);
	LT_AUTO(cJSON_Delete) cJSON *diff_tree = json_of(diff);

	return lt_dictdiff_check(value_tree, diff_tree, err);
}

static void a_difference_belongs_to_the_value_that_it_was_made_of(void **state LT_UNUSED)
{
	LT_AUTO(cJSON_Delete) cJSON *cases = golden_json("golden/dictdiff_cases.json");
	const cJSON *item;
	int count = 0;

	cJSON_ArrayForEach(item, cases) {
		const cJSON *first = lt_json_get(item, "first");
		struct lt_err err = { 0 };

		if (!lt_dictdiff_check(first, lt_json_get(item, "diff"), &err)) {
			fail_msg("case %d: %s", count, err.msg);
		}
		count++;
	}
	assert_true(count > 100);
}

static void a_difference_of_another_value_is_told(void **state LT_UNUSED)
{
	static const struct {
		const char *value, *diff, *error;
	} cases[] = {
		{ "[[\"7\", 2]]", "[[\"change\", [0, 1], [1, 3]]]", "was something else before" },
		{ "[[\"7\", 2]]", "[[\"change\", [1, 1], [1, 3]]]", "was something else before" },
		{ "{\"a\": {\"b\": 1}}", "[[\"change\", \"a.b\", [2, 3]]]",
				"was something else before" },
		{ "[[\"7\"], [\"8\"]]", "[[\"remove\", \"\", [[1, [\"9\"]]]]]",
				"did not hold what is taken away" },
		{ "{\"a\": 1}", "[[\"remove\", \"\", [[\"b\", 1]]]]",
				"did not hold what is taken away" },
		{ "[[\"7\"], [\"8\"]]", "[[\"add\", \"\", [[1, [\"9\"]]]]]",
				"is added to where it has something" },
		{ "[[\"7\"]]", "[[\"add\", \"\", [[2, [\"9\"]]]]]",
				"is added to where it has something" },
		{ "{\"a\": 1}", "[[\"add\", \"\", [[\"a\", 2]]]]",
				"is added to where it has something" },
		{ "{}", "[[\"add\", \"x\", [[\"a\", 2]]]]", "was not there before" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(check(cases[i].value, cases[i].diff, &err));
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

static void numbers_that_a_writer_takes_for_equal_are(void **state LT_UNUSED)
{
	assert_true(check("{\"a\": 0.30000000000000004}", "[[\"change\", \"a\", [0.3, 1]]]", NULL));
	assert_true(check("{\"a\": 1}", "[[\"change\", \"a\", [true, 2]]]", NULL));
}

static void a_broken_difference_is_no_reason_to_crash(void **state LT_UNUSED)
{
	static const char *const diffs[] = { "{}", "[1]", "[[]]", "[[\"change\"]]",
		"[[\"change\", null, null]]", "[[\"remove\", [0], 5]]", "[[\"add\", \"\", [7]]]",
		"[[7, 7, 7]]", "[[\"change\", [[]], [1, 2]]]" };

	for (size_t i = 0; i < LT_ARRAY_LEN(diffs); i++) {
		check("{\"a\": [1]}", diffs[i], NULL);
		check("null", diffs[i], NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_belongs_to_the_value_that_it_was_made_of),
		cmocka_unit_test(a_difference_of_another_value_is_told),
		cmocka_unit_test(numbers_that_a_writer_takes_for_equal_are),
		cmocka_unit_test(a_broken_difference_is_no_reason_to_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
