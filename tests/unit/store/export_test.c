#include "base/alloc.h"
#include "store/export.h"
#include "support/golden.h"
#include "unit/store/archive.h"

struct fixture {
	char dir[TMPDIR_MAX];
	struct lt_recording *recording;
	cJSON *rows;
	size_t stop_after; /* 0: never */
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	archive_write(in_dir(f->dir, "a.zip"), archive_good, LT_ARRAY_LEN(archive_good));
	f->recording = lt_recording_open(in_dir(f->dir, "a.zip"), &f->err);
	assert_non_null(f->recording);
	f->rows = cJSON_CreateArray();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_recording_close(f->recording);
	cJSON_Delete(f->rows);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static bool keep_row(void *arg, const cJSON *row, struct lt_err *err)
{
	struct fixture *f = arg;

	cJSON_AddItemToArray(f->rows, cJSON_Duplicate(row, true));
	return f->stop_after == 0 || (size_t)cJSON_GetArraySize(f->rows) < f->stop_after ||
			lt_err_set(err, LT_E_IO, "full");
}

static bool export(struct fixture *f, enum lt_export_table table)
{
	return lt_export(f->recording, &(struct lt_export_opts){ table, keep_row, NULL, f },
			&f->err);
}

/* Use a race of the reference data; skips without. */
static void open_golden(struct fixture *f)
{
	char *path = shared_path("golden/s11-wec-8x5m/recording.zip");

	lt_recording_close(f->recording);
	f->recording = lt_recording_open(path, &f->err);
	free(path);
	assert_non_null(f->recording);
}

static void cars_are_a_row_for_each_car_and_frame(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete)
	cJSON *expected = json_of("{\"time\": 1700000001, \"flag\": \"green\", \"position\": 1, "
				  "\"Num\": \"7\", \"Laps\": 2}");

	assert_true(export(f, LT_EXPORT_CARS));

	assert_int_equal(cJSON_GetArraySize(f->rows), 4);
	assert_json_equal(cJSON_GetArrayItem(f->rows, 1), expected, "second row");
}

static void states_are_a_row_for_each_frame(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete)
	cJSON *expected =
			json_of("{\"time\": 1700000010, \"cars\": [[\"7\", 4]], \"session\": "
				"{\"flagState\": \"green\"}, \"messages\": [], \"highlight\": []}");

	assert_true(export(f, LT_EXPORT_STATES));

	assert_int_equal(cJSON_GetArraySize(f->rows), 4);
	assert_json_equal(cJSON_GetArrayItem(f->rows, 3), expected, "last row");
}

static void columns_name_the_members_of_every_row(void **state)
{
	struct fixture *f = *state;
	open_golden(f);

	for (int table = LT_EXPORT_LAPS; table <= LT_EXPORT_CARS; table++) {
		LT_AUTO(cJSON_Delete)
		cJSON *columns = lt_export_columns(f->recording, (enum lt_export_table)table);
		const cJSON *row, *column, *member;

		cJSON_Delete(f->rows);
		f->rows = cJSON_CreateArray();
		assert_true(export(f, (enum lt_export_table)table));
		assert_non_null(f->rows->child);
		cJSON_ArrayForEach(row, f->rows) {
			member = row->child;
			cJSON_ArrayForEach(column, columns) {
				assert_non_null(member);
				assert_string_equal(member->string, column->valuestring);
				member = member->next;
			}
			assert_null(member);
		}
	}
}

/* Number of laps in all stints of the reference analysis, finished and running. */
static int laps_expected(int *ret_stints)
{
	LT_AUTO(cJSON_Delete) cJSON *analysis = golden_json("golden/s11-wec-8x5m/analysis.json");
	const cJSON *car, *stint;
	int laps = 0;

	*ret_stints = 0;
	cJSON_ArrayForEach(car, lt_json_get(analysis, "stint")) {
		cJSON_ArrayForEach(stint, car) {
			laps += cJSON_GetArraySize(cJSON_GetArrayItem(stint, 9));
			(*ret_stints)++;
		}
	}
	cJSON_ArrayForEach(car, lt_json_get(analysis, "lap")) {
		stint = cJSON_GetArrayItem(car, 0);
		laps += cJSON_GetArraySize(cJSON_GetArrayItem(stint, 9));
		*ret_stints += cJSON_IsArray(stint);
	}
	return laps;
}

static void every_lap_and_stint_of_the_analysis_is_a_row(void **state)
{
	struct fixture *f = *state;
	int stints, laps = laps_expected(&stints);
	open_golden(f);

	assert_true(export(f, LT_EXPORT_LAPS));
	assert_int_equal(cJSON_GetArraySize(f->rows), laps);
	LT_AUTO(cJSON_Delete)
	cJSON *first = json_of("{\"number\": \"007\", \"class\": \"HYPERCAR\", \"team\": \"Vélo "
			       "Rapide\", \"car\": \"Volt-X LMH\", \"driver\": \"山田 太郎\", "
			       "\"stint\": 1, \"lap\": 1, \"laptime\": 39.023, \"flag\": "
			       "\"caution\"}");
	assert_json_equal(f->rows->child, first, "first lap");

	assert_true(export(f, LT_EXPORT_STINTS));
	assert_int_equal(cJSON_GetArraySize(f->rows), laps + stints);
}

static void an_error_of_the_receiver_ends_it(void **state)
{
	struct fixture *f = *state;
	f->stop_after = 2;

	assert_false(export(f, LT_EXPORT_STATES));

	assert_int_equal(f->err.code, LT_E_IO);
	assert_int_equal(cJSON_GetArraySize(f->rows), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cars_are_a_row_for_each_car_and_frame),
		TEST(states_are_a_row_for_each_frame),
		TEST(columns_name_the_members_of_every_row),
		TEST(every_lap_and_stint_of_the_analysis_is_a_row),
		TEST(an_error_of_the_receiver_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
