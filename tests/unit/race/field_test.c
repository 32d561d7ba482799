#include <string.h>

#include "base/str.h"
#include "race/field/field.h"
#include "support/test.h"

static const struct lt_field_ext *const api = &lt_field_table;

static struct lt_field *open_field(uint32_t kind, uint32_t sectors)
{
	return api->open(&(struct lt_field_opts){
			.size = sizeof(struct lt_field_opts), .kind = kind, .sectors = sectors });
}

static int32_t add(struct lt_field *field, const char *key, const char *class_name)
{
	int32_t car = api->car(field, lt_str_from(key));

	api->set_text(field, car, LT_TEXT_NUM, lt_str_from(key));
	api->set_text(field, car, LT_TEXT_CLASS, lt_str_from(class_name));
	return car;
}

static void lap(struct lt_field *field, int32_t car, int64_t lap_ms, int64_t total_ms)
{
	api->lap(field, car,
			&(struct lt_field_lap){ .size = sizeof(struct lt_field_lap),
					.lap_ms = lap_ms,
					.total_ms = total_ms },
			total_ms);
}

static struct lt_field_row row_at(struct lt_field *field, size_t index, int64_t now_ms)
{
	struct lt_field_row row = { .size = sizeof(row) };

	assert_true(index < api->order(field, now_ms));
	assert_int_equal(api->row(field, index, &row), 0);
	return row;
}

static void a_race_is_ordered_by_laps_and_total_time(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X"), c = add(field, "c", "Y");
	(void)state;

	lap(field, b, 60000, 60000);
	lap(field, a, 61500, 61500);
	lap(field, b, 60000, 120000);
	(void)c;

	assert_int_equal(row_at(field, 0, 120000).car, b);
	assert_int_equal(row_at(field, 1, 120000).car, a);
	assert_int_equal(row_at(field, 2, 120000).car, c);
	api->close(field);
}

static void of_two_that_cross_at_the_same_time_the_one_told_first_leads(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, b, 60000, 60000);
	lap(field, a, 60000, 60000);

	assert_int_equal(row_at(field, 0, 60000).car, b);
	assert_int_equal(row_at(field, 1, 60000).gap.ms, 0);
	api->close(field);
}

static void a_car_that_has_not_crossed_yet_is_not_a_lap_down(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	lap(field, b, 61500, 61500);
	lap(field, a, 60000, 120000);

	assert_int_equal(row_at(field, 1, 120500).gap.ms, 1500);
	assert_int_equal(row_at(field, 1, 120500).gap.laps, 0);
	assert_int_equal(row_at(field, 0, 120500).gap.ms, LT_NO_TIME);
	api->close(field);
}

static void a_lapped_car_is_behind_by_laps(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	char text[24];
	(void)state;

	for (int i = 1; i <= 4; i++) {
		lap(field, a, 60000, i * 60000);
	}
	lap(field, b, 130000, 130000);
	struct lt_field_row row = row_at(field, 1, 240000);

	assert_int_equal(row.gap.laps, 2);
	assert_true(lt_str_eq_c(api->gap_cell(&row.gap, text).s, "2 laps"));
	api->close(field);
}

static void practice_is_ordered_by_best_lap_with_gaps_between_best_laps(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_TIMED, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 61000, LT_NO_TIME);
	lap(field, b, 60000, LT_NO_TIME);
	lap(field, b, 65000, LT_NO_TIME);

	assert_int_equal(row_at(field, 0, 1).car, b);
	assert_int_equal(row_at(field, 1, 1).gap.ms, 1000);
	api->close(field);
}

static void positions_and_gaps_in_class_leave_other_classes_out(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_TIMED, 0);
	int32_t cars[] = { add(field, "a", "X"), add(field, "b", "Y"), add(field, "c", "X"),
		add(field, "d", "X") };
	(void)state;

	for (size_t i = 0; i < 4; i++) {
		lap(field, cars[i], 60000 + (int64_t)i * 1000, LT_NO_TIME);
	}
	struct lt_field_row row = row_at(field, 3, 1);

	assert_int_equal(row.position, 4);
	assert_int_equal(row.position_in_class, 3);
	assert_int_equal(row.class_gap.ms, 3000);
	assert_int_equal(row.class_interval.ms, 1000);
	assert_int_equal(row_at(field, 1, 1).position_in_class, 1);
	assert_int_equal(row_at(field, 1, 1).class_gap.ms, LT_NO_TIME);
	api->close(field);
}

static void best_laps_are_marked_for_a_car_and_for_the_session(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_TIMED, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 60000, LT_NO_TIME);
	lap(field, b, 61000, LT_NO_TIME);
	assert_int_equal(row_at(field, 0, 1).last.mark, LT_TIME_SB_NEW);
	assert_int_equal(row_at(field, 0, 1).best.mark, LT_TIME_SB);
	assert_int_equal(row_at(field, 1, 1).last.mark, LT_TIME_PB);
	lap(field, a, 62000, LT_NO_TIME);

	assert_int_equal(row_at(field, 0, 1).last.mark, LT_TIME_PLAIN);
	assert_int_equal(row_at(field, 0, 1).best.mark, LT_TIME_SB);
	api->close(field);
}

static void a_void_lap_counts_as_a_lap_but_not_for_best_times(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_TIMED, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	lap(field, a, 62000, LT_NO_TIME);
	lap(field, a, 60000, LT_NO_TIME);
	api->void_lap(field, a, 2);
	struct lt_field_row row = row_at(field, 0, 1);

	assert_int_equal(row.laps, 2);
	assert_int_equal(row.best.ms, 62000);
	assert_int_equal(row.best_lap, 1);
	assert_int_equal(row.last.mark, LT_TIME_PLAIN);
	api->close(field);
}

static void sectors_of_the_lap_before_are_old_once_a_new_one_came(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 3);
	int32_t a = add(field, "a", "X");
	(void)state;

	api->sector(field, a, 1, 20000, 20000, 20000);
	api->sector(field, a, 2, 21000, 41000, 41000);
	api->sector(field, a, 3, 19000, 60000, 60000);
	lap(field, a, 60000, 60000);
	api->sector(field, a, 1, 20500, 80500, 80500);
	struct lt_field_row row = row_at(field, 0, 80500);

	assert_int_equal(row.sector[0].ms, 20500);
	assert_int_equal(row.sector[0].mark, LT_TIME_PLAIN);
	assert_int_equal(row.sector[1].mark, LT_TIME_OLD);
	assert_int_equal(row.best_sector[0].ms, 20000);
	assert_int_equal(row.best_sector[0].mark, LT_TIME_SB);
	api->close(field);
}

static void gaps_are_taken_at_the_last_line_of_the_car_behind(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 2);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	lap(field, b, 61000, 61000);
	api->sector(field, a, 1, 30000, 90000, 90000);
	api->sector(field, b, 1, 32000, 93000, 93000);

	assert_int_equal(row_at(field, 1, 93000).gap.ms, 3000);
	api->close(field);
}

static void a_gap_grows_while_the_next_line_is_overdue(void **state)
{
	struct lt_field *field = api->open(&(struct lt_field_opts){
			.size = sizeof(struct lt_field_opts), .sectors = 2, .live_gaps = 1 });
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	lap(field, b, 61000, 61000);
	api->sector(field, a, 1, 30000, 90000, 90000);

	assert_int_equal(row_at(field, 1, 90500).gap.ms, 1000);
	assert_int_equal(row_at(field, 1, 97000).gap.ms, 7000);
	api->set_state(field, b, LT_CAR_RET); /* nothing is to be expected of it */
	assert_int_equal(row_at(field, 1, 99000).gap.ms, 1000);
	api->close(field);
}

static void a_car_that_leaves_the_pits_unseen_is_on_its_out_lap(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	api->pit(field, a, LT_PIT_LEFT, 70000);
	struct lt_field_row row = row_at(field, 0, 70000);

	assert_int_equal(row.state, LT_CAR_OUT);
	assert_int_equal(row.pits, 0);
	lap(field, a, 65000, 125000);
	assert_int_equal(row_at(field, 0, 125000).state, LT_CAR_RUN);
	api->close(field);
}

static void a_stated_count_is_neither_a_crossing_nor_a_lap_time(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	api->set_flag(field, LT_FLAG_CHEQUERED, 70000);
	api->set_count(field, a, 5, 300000);
	api->set_count(field, b, 4, 250000);
	struct lt_field_row row = row_at(field, 0, 80000);

	assert_int_equal(row.car, a);
	assert_int_equal(row.laps, 5);
	assert_int_equal(row.best.ms, 60000);
	assert_int_equal(row.state, LT_CAR_RUN);
	assert_int_equal(row_at(field, 1, 80000).gap.laps, 1);
	api->close(field);
}

static void counts_below_zero_are_shown_as_the_feed_has_them(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	api->set_count(field, a, -1, LT_NO_TIME);
	assert_int_equal(row_at(field, 0, 60000).laps, -1);
	api->set_count(field, a, 1, 60000);

	assert_int_equal(row_at(field, 0, 60000).laps, 1);
	assert_int_equal(row_at(field, 0, 60000).best.ms, 60000);
	api->close(field);
}

static void a_stated_gap_that_cannot_be_is_none(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	struct lt_field_gap wrong = { .ms = -5, .laps = -2 };
	(void)state;

	api->set_gap(field, a, &wrong, &wrong);
	struct lt_field_row row = row_at(field, 0, 1000);

	assert_int_equal(row.gap.ms, LT_NO_TIME);
	assert_int_equal(row.interval.laps, 0);
	api->close(field);
}

static void a_pit_claim_counts_once_it_has_lasted(void **state)
{
	struct lt_field *field = api->open(&(struct lt_field_opts){
			.size = sizeof(struct lt_field_opts), .pit_settle_ms = 2000 });
	int32_t a = add(field, "a", "X");
	(void)state;

	api->pit(field, a, 1, 10000);
	api->pit(field, a, 0, 10500); /* flickers */
	assert_int_equal(row_at(field, 0, 20000).pits, 0);
	api->pit(field, a, 1, 30000);
	assert_int_equal(row_at(field, 0, 31000).state, LT_CAR_RUN);
	struct lt_field_row row = row_at(field, 0, 32000);

	assert_int_equal(row.pits, 1);
	assert_int_equal(row.state, LT_CAR_PIT);
	api->pit(field, a, 0, 60000);
	assert_int_equal(row_at(field, 0, 62000).state, LT_CAR_OUT);
	lap(field, a, 90000, 90000);
	assert_int_equal(row_at(field, 0, 90000).state, LT_CAR_RUN);
	api->close(field);
}

static void a_car_without_a_sign_of_life_has_stopped_but_only_under_green(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	api->set_flag(field, LT_FLAG_GREEN, 1000);
	lap(field, a, 60000, 60000);
	api->set_flag(field, LT_FLAG_RED, 61000);
	assert_int_equal(row_at(field, 0, 1000000).state, LT_CAR_RUN);
	api->set_flag(field, LT_FLAG_GREEN, 1000000);

	assert_int_equal(row_at(field, 0, 1178000).state, LT_CAR_RUN);
	assert_int_equal(row_at(field, 0, 1181000).state, LT_CAR_STOP);
	api->close(field);
}

static void cars_finish_at_their_crossings_behind_the_leader(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X"), c = add(field, "c", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	lap(field, b, 62000, 62000);
	lap(field, c, 63000, 63000);
	api->set_flag(field, LT_FLAG_CHEQUERED, 110000);
	lap(field, a, 60000, 120000);
	lap(field, b, 62000, 124000);
	api->set_over(field, 1);

	assert_int_equal(row_at(field, 0, 130000).state, LT_CAR_FIN);
	assert_int_equal(row_at(field, 1, 130000).state, LT_CAR_FIN);
	assert_int_equal(row_at(field, 2, 130000).state, LT_CAR_STOP);
	api->close(field);
}

static void a_driver_changes_only_with_another_name(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	api->set_text(field, a, LT_TEXT_DRIVER, LT_STR("Ada Ash"));
	api->set_text(field, a, LT_TEXT_DRIVER, LT_STR(""));
	api->set_text(field, a, LT_TEXT_DRIVER, LT_STR("ADA  ASH"));
	assert_int_equal(row_at(field, 0, 1).driver_changes, 0);
	assert_true(lt_str_eq_c(row_at(field, 0, 1).text[LT_TEXT_DRIVER], "Ada Ash"));
	api->set_text(field, a, LT_TEXT_DRIVER, LT_STR("Bea Beech"));

	assert_int_equal(row_at(field, 0, 1).driver_changes, 1);
	api->close(field);
}

static void clocks_run_between_what_the_feed_says(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	(void)state;

	assert_int_equal(api->clock(field, LT_CLOCK_ELAPSED, 5), LT_NO_TIME);
	api->set_clock(field, LT_CLOCK_ELAPSED, 10000, 1, 1000);
	api->set_clock(field, LT_CLOCK_REMAIN, 2000, 1, 1000);

	assert_int_equal(api->clock(field, LT_CLOCK_ELAPSED, 3500), 12500);
	assert_int_equal(api->clock(field, LT_CLOCK_REMAIN, 1500), 1500);
	assert_int_equal(api->clock(field, LT_CLOCK_REMAIN, 9000), 0);
	api->set_clock(field, LT_CLOCK_ELAPSED, 10000, 0, 1000);
	assert_int_equal(api->clock(field, LT_CLOCK_ELAPSED, 3500), 10000);
	api->close(field);
}

static void a_corrected_lap_count_forgets_the_laps_beyond_it(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	struct lt_field_lap found = { .size = sizeof(found) };
	(void)state;

	lap(field, a, 60000, 60000);
	lap(field, a, 60000, 120000);
	assert_int_equal(api->lap_of(field, a, 2, &found), 0);
	api->set_lap(field, a,
			&(struct lt_field_lap){ .size = sizeof(found),
					.lap = 1,
					.lap_ms = LT_NO_TIME,
					.total_ms = 60000 });

	assert_int_equal(row_at(field, 0, 1).laps, 1);
	assert_int_equal(api->lap_of(field, a, 2, &found), -1);
	assert_int_equal(api->lap_of(field, a, 1, &found), 0);
	assert_int_equal(found.lap_ms, 60000);
	api->close(field);
}

static void what_the_feed_says_better_wins(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X"), b = add(field, "b", "X");
	const struct lt_field_gap gap = { .ms = 1234 }, interval = { .ms = LT_NO_TIME, .laps = 3 };
	(void)state;

	lap(field, a, 60000, 60000);
	api->set_position(field, b, 1);
	api->set_position(field, a, 2);
	api->set_gap(field, a, &gap, &interval);
	api->set_state(field, a, LT_CAR_RET);
	struct lt_field_row row = row_at(field, 1, 1);

	assert_int_equal(row.car, a);
	assert_int_equal(row.gap.ms, 1234);
	assert_int_equal(row.interval.laps, 3);
	assert_int_equal(row.state, LT_CAR_RET);
	api->close(field);
}

static void bounds_hold_whatever_a_plugin_says(void **state)
{
	struct lt_field *field = api->open(&(struct lt_field_opts){
			.size = sizeof(struct lt_field_opts), .cars_max = 2, .sectors = 99 });
	char key[80];
	(void)state;

	memset(key, 'k', sizeof(key));
	assert_int_equal(api->car(field, LT_STR("")), LT_NO_CAR);
	assert_int_equal(api->car(field, (struct lt_str){ key, sizeof(key) }), LT_NO_CAR);
	int32_t a = add(field, "a", "X");

	add(field, "b", "X");
	assert_int_equal(api->car(field, LT_STR("c")), LT_NO_CAR);
	api->set_lap(field, a,
			&(struct lt_field_lap){ .size = sizeof(struct lt_field_lap),
					.lap = INT32_MAX / 16,
					.lap_ms = INT64_MAX,
					.total_ms = INT64_MAX });
	api->sector(field, a, 0, 1, 1, 1);
	api->sector(field, a, UINT32_MAX, 1, 1, 1);
	api->set_text(field, a, 99, LT_STR("x"));
	api->pit(field, -7, 1, 1);
	api->lap(field, 4711, &(struct lt_field_lap){ .size = 8 }, 1);
	row_at(field, 0, 1);
	api->remove(field, a);
	assert_int_equal(api->find(field, LT_STR("a")), LT_NO_CAR);
	assert_int_not_equal(api->car(field, LT_STR("c")), LT_NO_CAR);
	api->close(field);
}

static void a_new_session_keeps_the_cars_and_forgets_what_they_did(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	int32_t a = add(field, "a", "X");
	(void)state;

	lap(field, a, 60000, 60000);
	api->clear(field, 1);
	assert_int_equal(row_at(field, 0, 1).laps, 0);
	assert_int_equal(row_at(field, 0, 1).best.ms, LT_NO_TIME);
	api->clear(field, 0);

	assert_int_equal(api->order(field, 1), 0);
	api->close(field);
}

static void a_shorter_row_of_an_older_plugin_is_filled_as_far_as_it_goes(void **state)
{
	struct lt_field *field = open_field(LT_FIELD_RACE, 0);
	struct lt_field_row row;
	(void)state;

	add(field, "a", "X");
	api->order(field, 1);
	memset(&row, 0xee, sizeof(row));
	row.size = offsetof(struct lt_field_row, best_lap);

	assert_int_equal(api->row(field, 0, &row), 0);
	assert_int_equal(row.position, 1);
	assert_int_equal(row.best_lap, (int32_t)0xeeeeeeee);
	api->close(field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_race_is_ordered_by_laps_and_total_time),
		cmocka_unit_test(of_two_that_cross_at_the_same_time_the_one_told_first_leads),
		cmocka_unit_test(a_car_that_has_not_crossed_yet_is_not_a_lap_down),
		cmocka_unit_test(a_lapped_car_is_behind_by_laps),
		cmocka_unit_test(practice_is_ordered_by_best_lap_with_gaps_between_best_laps),
		cmocka_unit_test(positions_and_gaps_in_class_leave_other_classes_out),
		cmocka_unit_test(best_laps_are_marked_for_a_car_and_for_the_session),
		cmocka_unit_test(a_void_lap_counts_as_a_lap_but_not_for_best_times),
		cmocka_unit_test(sectors_of_the_lap_before_are_old_once_a_new_one_came),
		cmocka_unit_test(gaps_are_taken_at_the_last_line_of_the_car_behind),
		cmocka_unit_test(a_gap_grows_while_the_next_line_is_overdue),
		cmocka_unit_test(a_car_that_leaves_the_pits_unseen_is_on_its_out_lap),
		cmocka_unit_test(a_stated_count_is_neither_a_crossing_nor_a_lap_time),
		cmocka_unit_test(counts_below_zero_are_shown_as_the_feed_has_them),
		cmocka_unit_test(a_stated_gap_that_cannot_be_is_none),
		cmocka_unit_test(a_pit_claim_counts_once_it_has_lasted),
		cmocka_unit_test(a_car_without_a_sign_of_life_has_stopped_but_only_under_green),
		cmocka_unit_test(cars_finish_at_their_crossings_behind_the_leader),
		cmocka_unit_test(a_driver_changes_only_with_another_name),
		cmocka_unit_test(clocks_run_between_what_the_feed_says),
		cmocka_unit_test(a_corrected_lap_count_forgets_the_laps_beyond_it),
		cmocka_unit_test(what_the_feed_says_better_wins),
		cmocka_unit_test(bounds_hold_whatever_a_plugin_says),
		cmocka_unit_test(a_new_session_keeps_the_cars_and_forgets_what_they_did),
		cmocka_unit_test(a_shorter_row_of_an_older_plugin_is_filled_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
