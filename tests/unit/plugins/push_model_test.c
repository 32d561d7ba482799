/* Messages, as senders write them, into the table of a pushed race. */
#include "push/ps_model.h"
#include "race/feed_json.h"
#include "race/field/field.h"
#include "support/test.h"

struct fixture {
	struct ps_model *model;
	int64_t now_ms;
	struct ps_change change;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct ps_opts opts = { .field = &lt_field_table, .json = &lt_json_table, .sectors = 3 };

	f = (struct fixture){ .model = ps_model_create(&opts), .now_ms = 1000 };
	*state = &f;
	return f.model == NULL;
}

static int tear_down(void **state)
{
	ps_model_destroy(((struct fixture *)*state)->model);
	return 0;
}

/* Half a second later. The error, or NULL. */
static const char *push(struct fixture *f, const char *message)
{
	char error[200];
	struct lt_value *value = lt_json_table.parse(
			lt_text_n(message, strlen(message)), error, sizeof(error));
	bool ok;

	assert_non_null(value);
	f->now_ms += 500;
	ok = ps_model_push(f->model, value, f->now_ms, &f->change);
	lt_json_table.free(value);
	return ok ? NULL : ps_model_error(f->model);
}

static struct lt_field_row row_of(struct fixture *f, const char *num)
{
	struct lt_field_row row = { .size = sizeof(row) };

	ps_model_view(f->model, f->now_ms);
	for (size_t i = 0; lt_field_table.row(ps_model_field(f->model), i, &row) == 0; i++) {
		if (row.text[LT_TEXT_NUM].n == strlen(num) &&
				memcmp(row.text[LT_TEXT_NUM].p, num, strlen(num)) == 0) {
			return row;
		}
	}
	fail_msg("there is no car %s", num);
	return row;
}

static void a_lap_count_that_grew_is_a_lap(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":1,\"lastLap\":62,\"totalTime\":62}]}");
	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":2,\"lastLap\":60.5,\"totalTime\":122.5}]}");
	struct lt_field_row row = row_of(f, "7");

	assert_int_equal(row.laps, 2);
	assert_int_equal(row.last.ms, 60500);
	assert_int_equal(row.best.ms, 60500);
	assert_int_equal(row.best_lap, 2);
	assert_int_equal(row.total_ms, 122500);
}

static void the_same_said_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *message =
			"{\"cars\":[{\"num\":\"7\",\"laps\":3,\"lastLap\":61,\"totalTime\":183,"
			"\"inPits\":true,\"sectors\":[20,20.5,20.5]}]}";

	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":2}]}");
	for (int i = 0; i < 5; i++) {
		assert_null(push(f, message));
	}
	struct lt_field_row row = row_of(f, "7");

	assert_int_equal(row.laps, 3);
	assert_int_equal(row.pits, 1);
	assert_int_equal(row.best_lap, 3);
}

static void a_count_that_fell_takes_laps_back(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"cars\":[{\"num\":\"1\",\"laps\":1}]}");
	push(f, "{\"cars\":[{\"num\":\"7\",\"driver\":\"Ada\",\"laps\":4,\"lastLap\":60}]}");
	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":3}]}");
	assert_int_equal(row_of(f, "7").laps, 3);
	push(f, "{\"cars\":[{\"num\":\"1\",\"removed\":true},{\"num\":\"7\",\"laps\":0}]}");
	struct lt_field_row row = row_of(f, "7");

	assert_int_equal(row.laps, 0);
	assert_int_equal(row.last.ms, LT_NO_TIME);
	assert_memory_equal(row.text[LT_TEXT_DRIVER].p, "Ada", 3);
	assert_int_equal(ps_model_cars(f->model), 1);
}

static void gaps_come_of_total_times_or_of_the_clock(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"session\":{\"elapsed\":100},\"cars\":[{\"num\":\"1\",\"laps\":1},{\"num\":\"2\",\"laps\":1}]}");
	push(f, "{\"cars\":[{\"num\":\"1\",\"laps\":2}]}");
	push(f, "{\"cars\":[{\"num\":\"2\",\"laps\":2}]}");
	assert_int_equal(row_of(f, "2").gap.ms, 500);
	push(f, "{\"cars\":[{\"num\":\"2\",\"gap\":{\"laps\":2},\"interval\":1.25}]}");
	assert_int_equal(row_of(f, "2").gap.laps, 2);
	assert_int_equal(row_of(f, "2").interval.ms, 1250);
	push(f, "{\"cars\":[{\"num\":\"2\",\"gap\":null}]}");
	assert_int_equal(row_of(f, "2").gap.ms, 500);
	assert_int_equal(row_of(f, "2").interval.ms, 1250);
}

static void a_sector_that_vanished_begins_a_lap(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":1,\"sectors\":[20,21,null]}]}");
	push(f, "{\"cars\":[{\"num\":\"7\",\"laps\":2,\"lastLap\":63,\"sectors\":[20,21,22]}]}");
	push(f, "{\"cars\":[{\"num\":\"7\",\"sectors\":[20,null,null]}]}");
	struct lt_field_row row = row_of(f, "7");

	assert_int_equal(row.sector[0].ms, 20000);
	assert_int_not_equal(row.sector[0].mark, LT_TIME_OLD);
	assert_int_equal(row.sector[1].mark, LT_TIME_OLD);
}

static void a_full_update_removes_and_a_partial_one_does_not(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"cars\":[{\"num\":\"1\"},{\"num\":\"2\"}]}");
	push(f, "{\"cars\":[{\"num\":\"3\"}]}");
	assert_int_equal(ps_model_cars(f->model), 3);
	push(f, "{\"update\":\"full\",\"cars\":[{\"num\":\"2\"}]}");
	assert_int_equal(ps_model_cars(f->model), 1);
	row_of(f, "2");
}

static void a_message_with_a_mistake_changes_nothing(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"session\":{\"flag\":\"green\"},\"cars\":[{\"num\":\"1\",\"laps\":1}]}");
	assert_string_equal(
			push(f,
					"{\"session\":{\"flag\":\"red\"},\"columns\":[\"Num\"],"
					"\"cars\":[{\"num\":\"1\",\"laps\":2},{\"num\":\"2\",\"laps\":true}]}"),
			"cars[1].laps: expected a whole number from 0 to 100000");
	assert_int_equal(row_of(f, "1").laps, 1);
	assert_int_equal(ps_model_cars(f->model), 1);
	assert_int_equal(ps_model_view(f->model, f->now_ms).flag, LT_FLAG_GREEN);
	assert_true(ps_model_view(f->model, f->now_ms).columns->n > 1);
}

static void more_cars_than_there_is_room_for_are_refused(void **state)
{
	struct fixture *f = *state;
	char message[48];

	for (int i = 0; i < PS_CARS_MAX; i++) {
		snprintf(message, sizeof(message), "{\"cars\":[{\"num\":\"%d\"}]}", i);
		assert_null(push(f, message));
	}
	assert_string_equal(push(f, "{\"cars\":[{\"num\":\"x\"}]}"),
			"cars[0]: there are 400 cars already");
	assert_null(push(f, "{\"cars\":[{\"num\":\"399\",\"laps\":1}]}"));
	assert_null(push(f, "{\"update\":\"full\",\"cars\":[{\"num\":\"x\"}]}"));
	assert_int_equal(ps_model_cars(f->model), 1);
}

static void another_session_forgets_results_and_keeps_the_cars(void **state)
{
	struct fixture *f = *state;

	push(f, "{\"session\":{\"id\":\"a\",\"flag\":\"chequered\"},\"cars\":[{\"num\":\"7\",\"driver\":\"Ada\",\"laps\":9}]}");
	assert_false(f->change.is_new_session);
	push(f, "{\"session\":{\"id\":\"b\"}}");

	assert_true(f->change.is_new_session);
	assert_int_equal(row_of(f, "7").laps, 0);
	assert_memory_equal(row_of(f, "7").text[LT_TEXT_DRIVER].p, "Ada", 3);
	assert_int_equal(ps_model_view(f->model, f->now_ms).flag, LT_FLAG_NONE);
}

static void clocks_go_on_until_they_are_stopped(void **state)
{
	struct fixture *f = *state;
	struct lt_field *field = ps_model_field(f->model);

	push(f, "{\"session\":{\"elapsed\":10,\"remain\":100}}");
	assert_int_equal(lt_field_table.clock(field, LT_CLOCK_ELAPSED, f->now_ms + 2000), 12000);
	assert_int_equal(lt_field_table.clock(field, LT_CLOCK_REMAIN, f->now_ms + 2000), 98000);
	push(f, "{\"session\":{\"running\":false}}");
	assert_int_equal(lt_field_table.clock(field, LT_CLOCK_ELAPSED, f->now_ms + 9000), 10500);
	assert_false(ps_model_view(f->model, f->now_ms).runs);
}

static void own_columns_have_values_until_the_columns_change(void **state)
{
	struct fixture *f = *state;
	int32_t car;

	push(f,
			"{\"columns\":[\"Num\",\"Spd\",{\"title\":\"Fuel\",\"type\":\"numeric\"}],"
			"\"cars\":[{\"num\":\"7\",\"values\":{\"Fuel\":40,\"Spd\":\"n/a\"}}]}");
	assert_int_equal(ps_model_cars(f->model), 0); /* Spd is a number */
	push(f,
			"{\"columns\":[\"Num\",\"Spd\",{\"title\":\"Fuel\",\"type\":\"numeric\"}],"
			"\"cars\":[{\"num\":\"7\",\"values\":{\"Fuel\":40}}]}");
	car = row_of(f, "7").car;
	assert_true(ps_model_value(f->model, car, 1)->number == 40);
	assert_int_equal(ps_model_value(f->model, car, 0)->kind, LT_VALUE_NONE);
	push(f, "{\"columns\":[\"Num\",{\"title\":\"Weight\"}]}");
	assert_true(f->change.is_redescribed);
	assert_int_equal(ps_model_value(f->model, car, 0)->kind, LT_VALUE_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lap_count_that_grew_is_a_lap),
		TEST(the_same_said_again_changes_nothing),
		TEST(a_count_that_fell_takes_laps_back),
		TEST(gaps_come_of_total_times_or_of_the_clock),
		TEST(a_sector_that_vanished_begins_a_lap),
		TEST(a_full_update_removes_and_a_partial_one_does_not),
		TEST(a_message_with_a_mistake_changes_nothing),
		TEST(more_cars_than_there_is_room_for_are_refused),
		TEST(another_session_forgets_results_and_keeps_the_cars),
		TEST(clocks_go_on_until_they_are_stopped),
		TEST(own_columns_have_values_until_the_columns_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
