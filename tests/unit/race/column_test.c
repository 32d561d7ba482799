#include "race/column.h"
#include "support/golden.h"
#include "support/test.h"

static struct lt_columns find(const char *text)
{
	struct lt_columns columns;
	cJSON *spec = json_of(text);

	lt_columns_find(spec, &columns);
	cJSON_Delete(spec);
	return columns;
}

static void columns_are_found_by_title(void **state)
{
	struct lt_columns c = find("[[\"Class\",\"class\"],[\"Num\",\"text\"],[\"State\",\"text\"],"
				   "[\"Team\",\"text\"],[\"Driver\",\"text\"],[\"Car\",\"text\"],"
				   "[\"Laps\",\"numeric\"],[\"Gap\",\"delta\"],[\"Int\",\"delta\"],"
				   "[\"Last\",\"laptime\",\"Last lap\"],[\"Best\",\"time\"],"
				   "[\"Pits\",\"numeric\"]]");
	(void)state;

	assert_int_equal(c.class_, 0);
	assert_int_equal(c.num, 1);
	assert_int_equal(c.state, 2);
	assert_int_equal(c.team, 3);
	assert_int_equal(c.driver, 4);
	assert_int_equal(c.car, 5);
	assert_int_equal(c.laps, 6);
	assert_int_equal(c.gap, 7);
	assert_int_equal(c.interval, 8);
	assert_int_equal(c.last_lap, 9);
	assert_int_equal(c.best_lap, 10);
	assert_int_equal(c.pits, 11);
}

static void lap_counts_as_laps(void **state)
{
	(void)state;
	assert_int_equal(find("[[\"Num\",\"text\"],[\"Lap\",\"numeric\"]]").laps, 1);
}

static void unknown_and_missing_columns_are_minus_one(void **state)
{
	struct lt_columns c = find("[[\"num\",\"text\"],[\"Weather\",\"text\"],[],7]");
	(void)state;

	assert_int_equal(c.num, -1);
	assert_int_equal(c.pits, -1);
	assert_int_equal(find("{\"Num\":1}").num, -1);
}

static void cells_outside_of_a_row_are_missing(void **state)
{
	cJSON *row = json_of("[\"7\",\"RUN\"]"), *object = json_of("{\"a\":1}");
	(void)state;

	assert_string_equal(lt_cell_at(row, 1)->valuestring, "RUN");
	assert_null(lt_cell_at(row, 2));
	assert_null(lt_cell_at(row, -1));
	assert_null(lt_cell_at(object, 0));
	assert_null(lt_cell_at(NULL, 0));
	cJSON_Delete(row);
	cJSON_Delete(object);
}

static void column_specifications_are_checked(void **state)
{
	static const struct {
		const char *spec;
		const char *error; /* NULL: good */
	} cases[] = {
		{ "[]", NULL },
		{ "[[\"Num\",\"text\"],[\"Gap\",\"delta\",\"Gap to leader\"]]", NULL },
		{ "{}", "column specification: not a list" },
		{ "[[\"Num\",\"text\"],[\"Gap\"]]",
				"column 1: not a list of title, type and perhaps a description" },
		{ "[[\"a\",\"b\",\"c\",\"d\"]]",
				"column 0: not a list of title, type and perhaps a description" },
		{ "[\"Num\"]", "column 0: not a list of title, type and perhaps a description" },
		{ "[[\"Num\",7]]", "column 0: title, type and description must be texts" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		cJSON *spec = json_of(cases[i].spec);

		assert_int_equal(lt_col_spec_check(spec, &err), !cases[i].error);
		if (cases[i].error) {
			assert_string_equal(err.msg, cases[i].error);
		}
		cJSON_Delete(spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_title),
		cmocka_unit_test(lap_counts_as_laps),
		cmocka_unit_test(unknown_and_missing_columns_are_minus_one),
		cmocka_unit_test(cells_outside_of_a_row_are_missing),
		cmocka_unit_test(column_specifications_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
