#include "ml_feed.h"

/* A $C of car A1 or B2 in run R1. */
static void lap_of(struct ml_feed *feed, const char *type, const char *num, const char *id,
		int laps, int64_t elapsed_ms, int64_t lap_ms, int64_t best_ms, int best_lap,
		int rank, int pits)
{
	char line[256];

	snprintf(line, sizeof(line),
			"$C|%s|1|R1|%X|%s|%s|%X|%llX|%llX|T|%llX|%X|0|0|0|0|%X|%llX|Active|G|%X|0|1|0",
			type, (unsigned)rank, num, id, (unsigned)laps,
			(unsigned long long)elapsed_ms, (unsigned long long)lap_ms,
			(unsigned long long)best_ms, (unsigned)best_lap, (unsigned)rank,
			(unsigned long long)best_ms, (unsigned)pits);
	ml_feed_line(feed, line);
}

static const struct ml_counts *counts(const struct ml_feed *feed)
{
	return ml_model_counts(feed->model);
}

static void a_repeated_lap_is_no_new_lap(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "R", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "R", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	row = ml_need_row(&feed, "11");

	assert_int_equal(row.laps, 1);
	assert_int_equal(row.last.ms, 60000);
	ml_feed_close(&feed);
}

static void a_repeated_lap_that_was_missed_counts(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "R", "11", "A1", 2, 122000, 61000, 60000, 1, 1, 0);

	assert_int_equal(ml_need_row(&feed, "11").laps, 2);
	ml_feed_close(&feed);
}

static void cars_are_told_by_their_unique_id(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	ml_feed_line(&feed, "$E|U|3|R1|111|A1|Ada Ash|1|3|GT|Saloon|Team Ash|1");

	assert_int_equal(ml_need_row(&feed, "111").laps, 1);
	assert_false(ml_row_of(&feed, "11", &row));
	ml_feed_close(&feed);
}

static void an_invalidated_lap_is_taken_back_with_its_best_time(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "U", "11", "A1", 2, 111000, 50000, 50000, 2, 1, 0);
	ml_feed_line(&feed, "$I|N|1|R1|11|A1|1B198");
	row = ml_need_row(&feed, "11");

	assert_int_equal(row.laps, 1);
	assert_int_equal(row.best.ms, 60000);
	assert_int_equal(row.best_lap, 1);
	assert_int_equal(row.last.ms, 60000);
	ml_feed_close(&feed);
}

static void an_invalidated_lap_does_not_come_back_by_repetition(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "U", "11", "A1", 2, 111000, 50000, 50000, 2, 1, 0);
	ml_feed_line(&feed, "$I|N|1|R1|11|A1|1B198");
	lap_of(&feed, "R", "11", "A1", 2, 111000, 50000, 50000, 2, 1, 0);
	ml_feed_line(&feed, "$I|R|1|R1|11|A1|1B198");

	assert_int_equal(ml_need_row(&feed, "11").laps, 1);
	assert_int_equal(ml_need_row(&feed, "11").best.ms, 60000);
	lap_of(&feed, "U", "11", "A1", 2, 125000, 64000, 60000, 1, 1, 0);
	assert_int_equal(ml_need_row(&feed, "11").laps, 2);
	ml_feed_close(&feed);
}

static void the_only_lap_of_a_car_can_be_invalidated(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 2);
	ml_feed_line(&feed, "$I|N|1|R1|11|A1|EE48");
	row = ml_need_row(&feed, "11");

	assert_int_equal(row.laps, 0);
	assert_int_equal(row.best.ms, LT_NO_TIME);
	assert_int_equal(row.pits, 2);
	assert_memory_equal(row.text[LT_TEXT_DRIVER].p, "Ada Ash", 8);
	ml_feed_close(&feed);
}

static void a_lower_count_is_believed_the_second_time(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 2, 121000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	assert_int_equal(ml_need_row(&feed, "11").laps, 2);
	lap_of(&feed, "R", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	assert_int_equal(ml_need_row(&feed, "11").laps, 1);
	assert_int_equal(counts(&feed)->ignored, 1);
	ml_feed_close(&feed);
}

static void pit_lines_put_a_car_in_and_out(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	ml_feed_line(&feed, "$L|N|1|R1|11|A1|PIN|A|EE50|G|P");
	assert_int_equal(ml_need_row(&feed, "11").state, LT_CAR_PIT);
	assert_int_equal(ml_need_row(&feed, "11").pits, 1);
	ml_feed_line(&feed, "$L|N|2|R1|11|A1|SFPIT|A|EE60|G|P");
	assert_int_equal(ml_need_row(&feed, "11").pits, 1);
	ml_feed_line(&feed, "$L|N|3|R1|11|A1|POUT|A|FE60|G|P");
	assert_int_equal(ml_need_row(&feed, "11").state, LT_CAR_OUT);
	lap_of(&feed, "U", "11", "A1", 2, 141000, 80000, 60000, 1, 1, 1);
	assert_int_equal(ml_need_row(&feed, "11").pits, 1);
	assert_int_equal(ml_need_row(&feed, "11").state, LT_CAR_RUN);
	ml_feed_close(&feed);
}

static void stops_that_were_missed_come_with_the_lap(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "R", "11", "A1", 30, 1861000, 60000, 60000, 1, 1, 3);

	assert_int_equal(ml_need_row(&feed, "11").pits, 3);
	ml_feed_close(&feed);
}

static void sections_are_sectors_and_speed_traps(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;
	const struct ml_car *car;

	(void)state;
	ml_feed_line(&feed,
			"$T|R|1|R1|Glen|WGI|3.4|3|S1|0|SF|IM1|Spd|1438|IM1|IM2|PIT|400|PIN|POUT");
	ml_feed_line(&feed, "$S|N|1|R1|11|A1|S1|4E20|4A38|0");
	ml_feed_line(&feed, "$S|N|2|R1|11|A1|Spd|4E84|7D0|0");
	ml_feed_line(&feed, "$S|N|3|R1|11|A1|S3b|4E84|7D0|0"); /* a virtual loop */
	row = ml_need_row(&feed, "11");
	car = ml_model_car(feed.model, row.car);

	assert_int_equal(row.sector[0].ms, 19000);
	assert_int_equal(row.sector[2].ms, LT_NO_TIME);
	assert_true(car->speed == 2588); /* 5176 inches in 2 s */
	assert_true(ml_model_view(feed.model, feed.now_ms).has_speed);
	ml_feed_close(&feed);
}

static void sections_timed_by_the_time_of_day_keep_the_order(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	ml_feed_line(&feed, "$S|N|1|R1|12|B2|S1|2DF3C0E|4A38|0");
	ml_feed_line(&feed, "$S|N|1|R1|11|A1|S1|2DF3C18|4A42|0");

	assert_int_equal(ml_need_row(&feed, "12").position, 1);
	assert_int_equal(ml_need_row(&feed, "11").gap.ms, 10);
	ml_feed_close(&feed);
}

static void flags_of_the_feed_become_flags(void **state)
{
	static const struct {
		const char *line;
		uint32_t flag;
	} cases[] = { { "$H|N|1|R1|U|6A086A51|0|0|927C0", LT_FLAG_NONE },
		{ "$H|N|1|R1|G|6A086A51|3E8|0|927C0", LT_FLAG_GREEN },
		{ "$H|N|1|R1|Y|6A086A51|3E8|0|927C0", LT_FLAG_FCY },
		{ "$H|N|1|R1|R|6A086A51|3E8|0|927C0", LT_FLAG_RED },
		{ "$H|N|1|R1|W|6A086A51|3E8|0|927C0", LT_FLAG_WHITE },
		{ "$H|N|1|R1|K|6A086A51|3E8|0|927C0", LT_FLAG_CHEQUERED },
		{ "$H|N|1|R1|C|6A086A51|3E8|0|927C0", LT_FLAG_NONE } };
	struct ml_opts opts = ml_test_opts();
	struct ml_feed feed;

	(void)state;
	opts.yellow = LT_FLAG_FCY;
	feed = ml_feed_open(&opts);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ml_feed_line(&feed, cases[i].line);
		assert_int_equal(ml_model_view(feed.model, feed.now_ms).flag, cases[i].flag);
	}
	ml_feed_close(&feed);
}

static void laps_to_go_are_shown_where_there_are_any(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	assert_int_equal(ml_model_view(feed.model, feed.now_ms).laps_remain, -1);
	ml_feed_line(&feed, "$H|N|2|R1|G|6A086A52|7D0|91|0");
	assert_int_equal(ml_model_view(feed.model, feed.now_ms).laps_remain, 145);
	ml_feed_line(&feed, "$H|N|2|R1|G|6A086A53|BB8|0|0");
	assert_int_equal(ml_model_view(feed.model, feed.now_ms).laps_remain, 0);
	ml_feed_close(&feed);
}

static void another_preamble_is_another_run_when_it_comes_twice(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	ml_feed_line(&feed, "$E|N|1|Q2|77|C3|Cy Cedar|1|1|GT|9");
	assert_int_equal(feed.sessions, 0);
	assert_true(ml_row_of(&feed, "11", &row));
	ml_feed_line(&feed, "$H|N|1|Q2|G|6A086A51|3E8|0|927C0");

	assert_int_equal(feed.sessions, 1);
	assert_false(ml_row_of(&feed, "11", &row));
	assert_true(ml_row_of(&feed, "77", &row));
	assert_false(ml_model_view(feed.model, feed.now_ms).is_race);
	ml_feed_close(&feed);
}

static void one_damaged_preamble_empties_no_table(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	ml_feed_line(&feed, "$H|N|1|R!|R|6A086A51|3E8|0|927C0");
	ml_feed_line(&feed, "$H|N|2|R1|G|6A086A52|3E8|0|927C0");
	ml_feed_line(&feed, "$H|N|3|R!|R|6A086A53|3E8|0|927C0");
	ml_model_reconnected(feed.model);

	assert_int_equal(feed.sessions, 0);
	assert_int_equal(ml_need_row(&feed, "11").laps, 1);
	assert_int_equal(ml_model_view(feed.model, feed.now_ms).flag, LT_FLAG_GREEN);
	assert_int_equal(counts(&feed)->damaged, 2);
	ml_feed_close(&feed);
}

static void another_name_and_start_is_another_run(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	ml_feed_line(&feed,
			"$R|U|1|R1|Spring Cup|SC|Heat One|R|6A086A50"); /* its name was mended */
	assert_int_equal(feed.sessions, 0);
	ml_feed_line(&feed, "$R|N|1|R1|Spring Cup|SC|Heat 2|R|6A08FFFF");
	assert_int_equal(feed.sessions, 1);
	ml_feed_close(&feed);
}

static void next_is(struct ml_feed *feed, const char *text, const char *num)
{
	struct ml_message message;

	assert_true(ml_model_next_message(feed->model, &message));
	assert_string_equal(message.text, text);
	assert_string_equal(message.num, num);
	assert_true(message.is_race_control);
}

static void announcements_are_added_changed_and_withdrawn(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct ml_message message;

	(void)state;
	ml_feed_line(&feed, "$A|N|1|R1|1|A|U|6A086A51|Drive through for car 12");
	ml_feed_line(&feed, "$A|R|1|R1|1|A|U|6A086A51|Drive through for car 12");
	ml_feed_line(&feed, "$A|U|2|R1|1|M|U|6A086A51|Stop and go for car 12");
	ml_feed_line(&feed, "$A|U|3|R1|1|D|U|6A086A51|");
	ml_feed_line(&feed, "$A|R|3|R1|1|D|U|6A086A51|");
	ml_feed_line(&feed, "$A|N|4|R1|2|D|U|6A086A51|");

	next_is(&feed, "Drive through for car 12", "12");
	next_is(&feed, "Changed: Stop and go for car 12", "12");
	next_is(&feed, "Withdrawn: Stop and go for car 12", "12");
	assert_false(ml_model_next_message(feed.model, &message));
	ml_feed_close(&feed);
}

static void an_announcement_has_the_time_of_the_feed_when_it_is_of_today(void **state)
{
	struct ml_feed feed = ml_feed_race(); /* at 1795600800 */
	struct ml_message message;

	(void)state;
	ml_feed_line(&feed, "$A|N|1|R1|1|A|U|6B06B164|a minute ago");
	ml_feed_line(&feed, "$A|N|1|R1|2|A|U|6A086A51|long ago");
	ml_feed_line(&feed, "$A|N|1|R1|3|A|U|FFFFFFFFFF|by another epoch");

	assert_true(ml_model_next_message(feed.model, &message));
	assert_int_equal(message.time_s, 0x6B06B164);
	assert_true(ml_model_next_message(feed.model, &message));
	assert_int_equal(message.time_s, 0);
	assert_true(ml_model_next_message(feed.model, &message));
	assert_int_equal(message.time_s, 0);
	ml_feed_close(&feed);
}

static void a_new_leader_is_told_once(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct ml_message message;

	(void)state;
	ml_feed_line(&feed, "$N|N|1|R1|11|A1|1|E759|1"); /* who leads at first is no change */
	ml_feed_line(&feed, "$N|N|2|R1|12|B2|3|E759|2");
	ml_feed_line(&feed, "$N|R|2|R1|12|B2|3|E759|2");

	assert_true(ml_model_next_message(feed.model, &message));
	assert_string_equal(message.text, "#12 takes the lead on lap 3");
	assert_false(ml_model_next_message(feed.model, &message));
	ml_feed_close(&feed);
}

static void cars_without_an_entry_are_waited_for(void **state)
{
	struct ml_opts opts = ml_test_opts();
	struct ml_feed feed = ml_feed_open(&opts);

	(void)state;
	assert_true(ml_model_view(feed.model, 0).is_waiting);
	lap_of(&feed, "R", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	assert_true(ml_model_view(feed.model, 0).is_waiting);
	assert_int_equal(ml_need_row(&feed, "11").laps, 1);
	ml_feed_line(&feed, "$E|R|1|R1|11|A1|Ada Ash|1|1|GT|1");
	assert_false(ml_model_view(feed.model, 0).is_waiting);
	ml_feed_close(&feed);
}

static void an_unknown_transponder_makes_no_car(void **state)
{
	struct ml_feed feed = ml_feed_race();
	struct lt_field_row row;

	(void)state;
	ml_feed_line(&feed, "$L|N|1|R1|??|FF|SF|A|EE50|G|T");
	ml_feed_line(&feed, "$S|N|1|R1|??|FF|S1|EE50|4A38|0");

	assert_false(ml_row_of(&feed, "??", &row));
	assert_int_equal(counts(&feed)->ignored, 2);
	ml_feed_close(&feed);
}

static void penalties_at_the_end_are_those_of_the_feed(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "U", "12", "B2", 1, 62000, 61000, 61000, 1, 2, 0);
	ml_feed_line(&feed, "$H|N|2|R1|K|6A086A52|F618|0|0");
	lap_of(&feed, "R", "11", "A1", 1, 61000, 60000, 60000, 1, 2, 0);
	lap_of(&feed, "R", "12", "B2", 1, 62000, 61000, 61000, 1, 1, 0);

	assert_int_equal(ml_need_row(&feed, "12").position, 1);
	ml_feed_close(&feed);
}

static void ranks_that_contradict_each_other_are_not_taken(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 1, 61000, 60000, 60000, 1, 2, 0);
	lap_of(&feed, "U", "12", "B2", 1, 62000, 61000, 61000, 1, 2, 0);
	ml_feed_line(&feed, "$H|N|2|R1|K|6A086A52|F618|0|0");

	assert_int_equal(ml_need_row(&feed, "11").position, 1);
	ml_feed_close(&feed);
}

static void updates_are_due_250_ms_after_the_first_change(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	assert_int_equal(ml_model_due_ms(feed.model), feed.now_ms + 250);
	assert_false(ml_model_take_due(feed.model, feed.now_ms + 249));
	assert_true(ml_model_take_due(feed.model, feed.now_ms + 250));
	assert_int_equal(ml_model_due_ms(feed.model), ML_NEVER);
	ml_feed_close(&feed);
}

static void numbers_beyond_reason_are_damaged(void **state)
{
	struct ml_feed feed = ml_feed_race();

	(void)state;
	lap_of(&feed, "U", "11", "A1", 5001, 61000, 60000, 60000, 1, 1, 0);
	lap_of(&feed, "U", "11", "A1", 1, 0xFFFFFFFFFFF, 60000, 60000, 1, 1, 0);
	ml_feed_line(&feed, "$H|N|2|R1|R|6A086A52|FFFFFFFFFFFF|0|0");
	ml_feed_line(&feed, "$S|N|1|R1|11|A1|S1|EE50|0|0");

	assert_int_equal(counts(&feed)->damaged, 4);
	assert_int_equal(ml_need_row(&feed, "11").laps, 0);
	assert_int_equal(ml_model_view(feed.model, feed.now_ms).flag, LT_FLAG_GREEN);
	ml_feed_close(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_lap_is_no_new_lap),
		cmocka_unit_test(a_repeated_lap_that_was_missed_counts),
		cmocka_unit_test(cars_are_told_by_their_unique_id),
		cmocka_unit_test(an_invalidated_lap_is_taken_back_with_its_best_time),
		cmocka_unit_test(an_invalidated_lap_does_not_come_back_by_repetition),
		cmocka_unit_test(the_only_lap_of_a_car_can_be_invalidated),
		cmocka_unit_test(a_lower_count_is_believed_the_second_time),
		cmocka_unit_test(pit_lines_put_a_car_in_and_out),
		cmocka_unit_test(stops_that_were_missed_come_with_the_lap),
		cmocka_unit_test(sections_are_sectors_and_speed_traps),
		cmocka_unit_test(sections_timed_by_the_time_of_day_keep_the_order),
		cmocka_unit_test(flags_of_the_feed_become_flags),
		cmocka_unit_test(laps_to_go_are_shown_where_there_are_any),
		cmocka_unit_test(another_preamble_is_another_run_when_it_comes_twice),
		cmocka_unit_test(one_damaged_preamble_empties_no_table),
		cmocka_unit_test(another_name_and_start_is_another_run),
		cmocka_unit_test(announcements_are_added_changed_and_withdrawn),
		cmocka_unit_test(an_announcement_has_the_time_of_the_feed_when_it_is_of_today),
		cmocka_unit_test(a_new_leader_is_told_once),
		cmocka_unit_test(cars_without_an_entry_are_waited_for),
		cmocka_unit_test(an_unknown_transponder_makes_no_car),
		cmocka_unit_test(penalties_at_the_end_are_those_of_the_feed),
		cmocka_unit_test(ranks_that_contradict_each_other_are_not_taken),
		cmocka_unit_test(updates_are_due_250_ms_after_the_first_change),
		cmocka_unit_test(numbers_beyond_reason_are_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
