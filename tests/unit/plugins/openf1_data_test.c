/* Answers of OpenF1 into events, and events into a table. */
#include "openf1/f1_model.h"
#include "race/feed_json.h"
#include "race/feed_text.h"
#include "race/field/field.h"
#include "support/test.h"

#define T0 INT64_C(1714824000000) /* 2024-05-04T12:00:00Z */

static bool read_rows(struct f1_data *data, enum f1_collection collection, const char *rows)
{
	char error[F1_ERROR_LEN] = "";
	bool ok = f1_read(data, &lt_json_table, collection, lt_text_n(rows, strlen(rows)), error);

	assert_true(ok || error[0] != '\0');
	return ok;
}

static struct f1_data *race(void)
{
	struct f1_data *data = f1_data_create();

	assert_true(read_rows(data, F1_SESSIONS,
			"[{\"session_key\":1,\"session_type\":\"Race\",\"session_name\":\"Race\","
			"\"date_start\":\"2024-05-04T12:00:00+00:00\",\"date_end\":null}]"));
	return data;
}

static size_t count_of(const struct f1_data *data, enum f1_kind kind)
{
	size_t n, found = 0;
	const struct f1_event *events = f1_events(data, &n);

	for (size_t i = 0; i < n; i++) {
		found += events[i].kind == kind;
	}
	return found;
}

static const struct f1_event *find(const struct f1_data *data, enum f1_kind kind, int32_t n)
{
	size_t count;
	const struct f1_event *events = f1_events(data, &count);

	for (size_t i = 0; i < count; i++) {
		if (events[i].kind == kind && events[i].n == n) {
			return &events[i];
		}
	}
	fail_msg("there is no such event");
	return NULL;
}

static int64_t date(const char *text)
{
	return f1_date(lt_text_n(text, strlen(text)));
}

static void dates_are_read_in_every_form_that_occurs(void **state)
{
	(void)state;
	assert_int_equal(date("2024-05-04T12:00:00+00:00"), T0);
	assert_int_equal(date("2024-05-04T12:00:00"), T0);
	assert_int_equal(date("2024-05-04 12:00:00Z"), T0);
	assert_int_equal(date("2024-05-04T12:00:00.250000+00:00"), T0 + 250);
	assert_int_equal(date("2024-05-04T14:00:00.25+02:00"), T0 + 250);
	assert_int_equal(date("2024-02-29T00:00:00Z"), INT64_C(1709164800000));
}

static void what_is_no_date_is_none(void **state)
{
	static const char *const bad[] = { "", "2024", "2024-13-01T00:00:00Z",
		"2024-05-04T24:00:00Z", "2024-05-04T12:00:00+0000", "2024-05-04T12:00:00+99:00",
		"2024-05-04T12:00:00 x", "1969-05-04T12:00:00Z", "9999-05-04T12:00:00Z",
		"2024-05-04T12-00-00Z" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(date(bad[i]), F1_NO_DATE);
	}
}

static void laps_out_of_order_and_repeated_are_one_each(void **state)
{
	struct f1_data *data = race();

	(void)state;
	read_rows(data, F1_LAPS,
			"[{\"driver_number\":7,\"lap_number\":2,\"date_start\":\"2024-05-04T12:01:10Z\","
			"\"lap_duration\":60.5},"
			"{\"driver_number\":7,\"lap_number\":1,\"lap_duration\":null},"
			"{\"driver_number\":7,\"lap_number\":2,\"lap_duration\":null,"
			"\"duration_sector_1\":20}]");
	f1_finish(data);

	assert_int_equal(count_of(data, F1_EV_LAP), 2);
	assert_int_equal(find(data, F1_EV_LAP, 1)->at_ms, T0 + 70000); /* where lap 2 begins */
	assert_int_equal(find(data, F1_EV_LAP, 1)->v[0], F1_NONE);
	assert_int_equal(find(data, F1_EV_LAP, 2)->at_ms, T0 + 130500);
	assert_int_equal(find(data, F1_EV_LAP, 2)->v[0], 60500);
	assert_int_equal(find(data, F1_EV_SECTOR, 2)->at_ms, T0 + 90000);
	assert_int_equal(f1_counts(data).repeated, 1);
	f1_data_destroy(data);
}

static void the_first_lap_is_placed_by_the_second(void **state)
{
	struct f1_data *data = race();

	(void)state;
	read_rows(data, F1_LAPS,
			"[{\"driver_number\":7,\"lap_number\":1,\"lap_duration\":62,"
			"\"duration_sector_1\":21,\"duration_sector_2\":null,\"duration_sector_3\":20},"
			"{\"driver_number\":7,\"lap_number\":2,\"date_start\":\"2024-05-04T12:01:10Z\"}]");
	f1_finish(data);

	assert_int_equal(find(data, F1_EV_LAP, 1)->at_ms, T0 + 70000);
	assert_int_equal(find(data, F1_EV_SECTOR, 1)->at_ms, T0 + 29000);
	assert_int_equal(count_of(data, F1_EV_LAP), 1); /* the second one never ended */
	assert_int_equal(count_of(data, F1_EV_SECTOR), 2);
	f1_data_destroy(data);
}

static void rows_of_no_use_are_counted_and_left_out(void **state)
{
	struct f1_data *data = race();

	(void)state;
	assert_true(read_rows(data, F1_POSITION,
			"[null, 7, \"x\", [], {}, {\"driver_number\":7,\"position\":1},"
			"{\"driver_number\":\"7\",\"position\":1,\"date\":\"2024-05-04T12:00:00Z\"},"
			"{\"driver_number\":7,\"position\":0,\"date\":\"2024-05-04T12:00:00Z\"},"
			"{\"driver_number\":7,\"position\":1.5,\"date\":\"2024-05-04T12:00:00Z\"},"
			"{\"driver_number\":7,\"position\":1,\"date\":\"2024-05-04T12:00:00Z\"}]"));
	f1_finish(data);

	assert_int_equal(f1_counts(data).damaged, 9);
	assert_int_equal(count_of(data, F1_EV_POSITION), 1);
	f1_data_destroy(data);
}

static void an_answer_of_another_shape_is_refused(void **state)
{
	struct f1_data *data = race();

	(void)state;
	for (unsigned c = 0; c < F1_COLLECTIONS; c++) {
		assert_false(read_rows(data, (enum f1_collection)c, "{\"detail\":\"x\"}"));
		assert_false(read_rows(data, (enum f1_collection)c, "[{\"a\":1},"));
		assert_false(read_rows(data, (enum f1_collection)c, "<html>"));
		assert_true(read_rows(data, (enum f1_collection)c, "[]"));
	}
	f1_data_destroy(data);
}

static void gaps_are_seconds_or_laps_or_nothing(void **state)
{
	struct f1_data *data = race();
	size_t n;

	(void)state;
	read_rows(data, F1_INTERVALS,
			"[{\"date\":\"2024-05-04T12:00:01Z\",\"driver_number\":1,\"gap_to_leader\":null,\"interval\":0.0},"
			"{\"date\":\"2024-05-04T12:00:02Z\",\"driver_number\":2,\"gap_to_leader\":\"+2 LAPS\",\"interval\":1.25},"
			"{\"date\":\"2024-05-04T12:00:03Z\",\"driver_number\":3,\"gap_to_leader\":\"LAP\",\"interval\":1e300}]");
	f1_finish(data);
	const struct f1_event *events = f1_events(data, &n);

	assert_int_equal(n, 3);
	assert_int_equal(events[0].v[0], F1_NONE);
	assert_int_equal(events[1].v[1], 2);
	assert_int_equal(events[1].v[2], 1250);
	assert_int_equal(events[2].v[1], F1_NONE);
	assert_int_equal(events[2].v[2], F1_NONE);
	f1_data_destroy(data);
}

static void tyres_are_those_of_the_lap(void **state)
{
	struct f1_data *data = race();

	(void)state;
	read_rows(data, F1_STINTS,
			"[{\"driver_number\":7,\"stint_number\":2,\"lap_start\":11,\"compound\":\"HARD\",\"tyre_age_at_start\":3},"
			"{\"driver_number\":7,\"stint_number\":1,\"lap_start\":1,\"compound\":null}]");

	assert_string_equal(f1_stint(data, 7, 10)->compound, "");
	assert_string_equal(f1_stint(data, 7, 11)->compound, "HARD");
	assert_int_equal(f1_stint(data, 7, 30)->age, 3);
	assert_null(f1_stint(data, 8, 11));
	f1_data_destroy(data);
}

static void flags_are_those_of_the_whole_track(void **state)
{
	struct f1_data *data = race();
	struct f1_model *model = f1_model_create(&lt_field_table, &lt_text_table);
	struct f1_message message;
	int64_t flag_ms;

	(void)state;
	read_rows(data, F1_RACE_CONTROL,
			"[{\"date\":\"2024-05-04T12:00:20Z\",\"scope\":\"Sector\",\"message\":\"YELLOW\"},"
			"{\"date\":\"2024-05-04T12:00:10Z\",\"scope\":\"Track\",\"message\":\"GREEN LIGHT\"},"
			"{\"date\":\"2024-05-04T12:00:30Z\",\"category\":\"SafetyCar\",\"message\":\"SAFETY CAR DEPLOYED\"},"
			"{\"date\":\"2024-05-04T12:00:40Z\",\"category\":\"SafetyCar\",\"message\":\"SAFETY CAR IN THIS LAP\"}]");
	read_rows(data, F1_LAPS,
			"[{\"driver_number\":7,\"lap_number\":1,\"date_start\":\"2024-05-04T12:00:05Z\",\"lap_duration\":60}]");
	f1_finish(data);
	f1_model_begin(model, data);

	assert_false(f1_model_play(model, INT64_MAX, 100, &flag_ms)); /* it stops at each flag */
	assert_int_equal(flag_ms, T0 + 10000);
	assert_false(f1_model_play(model, INT64_MAX, 100, &flag_ms));
	assert_int_equal(flag_ms, T0 + 30000);
	assert_int_equal(f1_model_view(model, flag_ms).flag, LT_FLAG_SC);
	f1_model_play(model, INT64_MAX, 100, &flag_ms);
	assert_int_equal(flag_ms, T0 + 65000); /* when the lap is over */
	assert_int_equal(f1_model_view(model, flag_ms).flag, LT_FLAG_GREEN);
	for (int i = 0; i < 4; i++) {
		assert_true(f1_model_next_message(model, &message));
	}
	assert_false(f1_model_next_message(model, &message));
	f1_model_destroy(model);
	f1_data_destroy(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read_in_every_form_that_occurs),
		cmocka_unit_test(what_is_no_date_is_none),
		cmocka_unit_test(laps_out_of_order_and_repeated_are_one_each),
		cmocka_unit_test(the_first_lap_is_placed_by_the_second),
		cmocka_unit_test(rows_of_no_use_are_counted_and_left_out),
		cmocka_unit_test(an_answer_of_another_shape_is_refused),
		cmocka_unit_test(gaps_are_seconds_or_laps_or_nothing),
		cmocka_unit_test(tyres_are_those_of_the_lap),
		cmocka_unit_test(flags_are_those_of_the_whole_track),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
