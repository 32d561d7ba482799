#include "rm_feed.h"

static struct feed feed;

static int open_race(void **state)
{
	struct rm_opts opts = { .kind = RM_SESSION_AUTO };

	(void)state;
	feed_open(&feed, &opts);
	feed_line(&feed, "$B,5,\"Race 1\"");
	feed_line(&feed, "$C,1,\"GT3\"");
	feed_line(&feed, "$C,2,\"GT4\"");
	feed_line(&feed, "$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
	feed_line(&feed, "$A,\"B2\",\"2\",1002,\"Bob\",\"Best\",\"\",2");
	feed_line(&feed, "$F,9999,\"01:00:00\",\"12:00:00\",\"00:00:01\",\"Green \"");
	return 0;
}

static int close_race(void **state)
{
	(void)state;
	feed_close(&feed);
	return 0;
}

static bool has_row(const char *reg)
{
	return row_of(rm_model_view(feed.model), reg) != NULL;
}

/* The row of that car; an empty one, which fits no expectation, when there is none. */
static const struct rm_row *row(const char *reg)
{
	static const struct rm_row none = {
		.reg = "", .num = "none", .in_field = { .laps = -1, .pits = -1 }
	};
	const struct rm_row *found = row_of(rm_model_view(feed.model), reg);

	return found != NULL ? found : &none;
}

static void lead_lap(const char *reg, int pos, int laps, const char *lap, const char *total)
{
	char line[160];

	snprintf(line, sizeof(line), "$J,\"%s\",\"%s\",\"%s\"", reg, lap, total);
	feed_line(&feed, line);
	snprintf(line, sizeof(line), "$G,%d,\"%s\",%d,\"%s\"", pos, reg, laps, total);
	feed_line(&feed, line);
}

static void the_entry_list_is_built_and_the_later_record_wins(void **state)
{
	(void)state;
	feed_line(&feed, "$COMP,\"A1\",\"11\",2,\"Anna\",\"Able\",\"GER\",\"Team Able\"");

	assert_string_equal(row("A1")->num, "11");
	assert_string_equal(row("A1")->driver, "Anna Able");
	assert_string_equal(row("A1")->class_name, "GT4");
	assert_string_equal(row("A1")->nationality, "GER");
	assert_string_equal(row("A1")->additional, "Team Able");
}

static void an_unknown_competitor_gets_its_registration_number(void **state)
{
	(void)state;
	feed_line(&feed, "$G,1,\"Z9\",3,\"00:05:00.000\"");

	assert_string_equal(row("Z9")->num, "Z9");
	assert_int_equal(row("Z9")->in_field.laps, 3);
}

static void updates_are_due_250_ms_after_the_last_change_and_after_1_s_at_most(void **state)
{
	bool due;

	(void)state;
	assert_int_equal(feed_wait(&feed, 200), 0);
	assert_int_equal(feed_wait(&feed, 50), 1);
	assert_int_equal(rm_model_tick(feed.model, feed.now_ms, &due), RM_NEVER);
	for (int i = 0; i < 9; i++) {
		feed_line(&feed, "$G,1,\"A1\",,\"00:00:00.000\"");
		assert_int_equal(feed_wait(&feed, 100), 0);
	}
	feed_line(&feed, "$G,1,\"A1\",,\"00:00:00.000\"");
	assert_int_equal(feed_wait(&feed, 100), 1);
}

static void placeholders_are_no_times(void **state)
{
	(void)state;
	feed_line(&feed, "$G,1,\"A1\",,\"00:59:59.999\"");
	feed_line(&feed, "$H,1,\"A1\",0,\"00:59:59.999\"");
	feed_line(&feed, "$J,\"A1\",\"00:00:00.000\",\"00:00:02.051\"");

	assert_int_equal(row("A1")->in_field.laps, 0);
	assert_int_equal(row("A1")->in_field.total_ms, -1);
	assert_int_equal(row("A1")->in_field.best.ms, -1);
	assert_int_equal(row("A1")->in_field.last.ms, -1);
}

static void a_gap_is_taken_at_the_same_lap(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	lead_lap("B2", 2, 1, "00:01:02.500", "00:01:02.500");
	lead_lap("A1", 1, 2, "00:01:00.000", "00:02:00.000");

	assert_int_equal(row("B2")->in_field.gap.laps, 0);
	assert_int_equal(row("B2")->in_field.gap.ms, 2500);
	assert_int_equal(row("B2")->in_field.interval.ms, 2500);
}

static void a_car_that_was_passed_again_is_laps_down(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	lead_lap("A1", 1, 2, "00:01:00.000", "00:02:00.000");
	lead_lap("B2", 2, 1, "00:02:10.000", "00:02:10.000");

	assert_int_equal(row("B2")->in_field.gap.laps, 1);
	assert_int_equal(row("B2")->in_field.gap.ms, -1);
}

static void class_positions_follow_the_order(void **state)
{
	(void)state;
	feed_line(&feed, "$A,\"C3\",\"3\",1003,\"Cid\",\"Cole\",\"\",1");
	feed_line(&feed, "$G,1,\"B2\",1,\"00:01:00.000\"");
	feed_line(&feed, "$G,2,\"C3\",1,\"00:01:01.000\"");
	feed_line(&feed, "$G,3,\"A1\",1,\"00:01:02.000\"");

	assert_int_equal(row("B2")->in_field.position_in_class, 1);
	assert_int_equal(row("C3")->in_field.position_in_class, 1);
	assert_int_equal(row("A1")->in_field.position_in_class, 2);
}

static void two_cars_on_one_position_are_sorted_by_laps(void **state)
{
	(void)state;
	feed_line(&feed, "$G,1,\"A1\",4,\"00:04:01.000\"");
	feed_line(&feed, "$G,1,\"B2\",5,\"00:05:00.000\"");

	assert_string_equal(rm_model_view(feed.model)->rows[0].reg, "B2");
}

static void best_laps_are_marked(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$H,1,\"A1\",1,\"00:01:00.000\"");
	lead_lap("B2", 2, 1, "00:01:02.000", "00:01:02.000");
	feed_line(&feed, "$H,2,\"B2\",1,\"00:01:02.000\"");

	assert_int_equal(row("A1")->in_field.last.mark, LT_TIME_SB_NEW);
	assert_int_equal(row("A1")->in_field.best.mark, LT_TIME_SB);
	assert_int_equal(row("B2")->in_field.last.mark, LT_TIME_PB);
	assert_int_equal(row("B2")->in_field.best.mark, LT_TIME_PLAIN);
}

static void init_in_the_middle_of_a_race_holds_the_state_and_keeps_last_laps(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	lead_lap("B2", 2, 1, "00:01:02.000", "00:01:02.000");
	feed_wait(&feed, 1000);
	feed_line(&feed, "$I, \"00:00:00\", \"0/0/0000\"");
	feed_line(&feed, "$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
	feed_line(&feed, "$B,5,\"Race 1\"");
	feed_line(&feed, "$G,1,\"A1\",1,\"00:01:00.000\"");

	assert_int_equal(feed_wait(&feed, 900), 0);
	assert_true(has_row("B2"));
	assert_true(feed_wait(&feed, 500) > 0);
	assert_false(has_row("B2"));
	assert_int_equal(row("A1")->in_field.last.ms, 60000);
	assert_int_equal(feed.sessions, 0);
}

static void init_is_held_three_seconds_at_most(void **state)
{
	int due = 0;

	(void)state;
	feed_wait(&feed, 1000);
	feed_line(&feed, "$I,\"10:03:08\",\"27 Jan 09\"");
	for (int i = 0; i < 7; i++) {
		feed_line(&feed, "$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
		due += feed_wait(&feed, 500);
	}

	assert_true(due > 0);
}

static void a_lone_init_is_ignored(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	for (int i = 0; i < 3; i++) {
		feed_line(&feed, "$I,\"10:03:08\",\"27 Jan 09\"");
	}
	feed_wait(&feed, 4000);

	assert_int_equal(row("A1")->in_field.laps, 1);
	assert_true(has_row("B2"));
}

static void the_same_run_from_the_start_again_is_a_new_session(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$I,\"10:03:08\",\"27 Jan 09\"");
	feed_line(&feed, "$G,1,\"A1\",,\"00:00:00.000\"");
	feed_wait(&feed, 2000);

	assert_true(rm_model_take_new_session(feed.model));
	assert_int_equal(row("A1")->in_field.last.ms, -1);
}

static void another_run_begins_a_new_session(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$B,6,\"Race 2\"");

	assert_int_equal(feed.sessions, 1);
	assert_int_equal(row("A1")->in_field.laps, 0);
	assert_int_equal(row("A1")->in_field.last.ms, -1);
	assert_string_equal(row("A1")->driver, "Ann Able");
}

static void run_95_keeps_the_final_state(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$B,95,\"Race 1\"");
	feed_line(&feed, "$F,0,\"00:00:00\",\"13:00:00\",\"00:00:00\",\"      \"");

	assert_true(rm_model_view(feed.model)->is_over);
	assert_int_equal(row("A1")->in_field.laps, 1);
	assert_int_equal(feed.sessions, 0);
	assert_int_equal(rm_model_view(feed.model)->laps_remain, -1);
}

static void laps_to_go_9999_is_no_number_of_laps(void **state)
{
	(void)state;
	assert_int_equal(rm_model_view(feed.model)->laps_remain, -1);
	assert_int_equal(rm_model_view(feed.model)->remain_ms, 3600000);
	feed_line(&feed, "$B,6,\"Heat\"");
	feed_line(&feed, "$F,14,\"00:00:00\",\"12:00:00\",\"00:00:01\",\"Green \"");
	assert_int_equal(rm_model_view(feed.model)->laps_remain, 14);
	assert_int_equal(rm_model_view(feed.model)->remain_ms, -1);
}

static void flags_go_by_their_first_three_letters(void **state)
{
	static const struct {
		const char *text;
		enum rm_flag flag;
	} cases[] = { { "Green ", RM_FLAG_GREEN }, { "YELLOW", RM_FLAG_YELLOW },
		{ "Red   ", RM_FLAG_RED }, { "Finish", RM_FLAG_FINISH },
		{ "Checke", RM_FLAG_FINISH }, { "White ", RM_FLAG_WHITE },
		{ "Purple", RM_FLAG_PURPLE }, { "      ", RM_FLAG_NONE },
		{ "Blue", RM_FLAG_NONE } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[120];

		snprintf(line, sizeof(line), "$F,1,\"00:00:00\",\"12:00:00\",\"00:00:01\",\"%s\"",
				cases[i].text);
		feed_line(&feed, line);
		assert_int_equal(rm_model_view(feed.model)->flag, cases[i].flag);
	}
	assert_string_equal(rm_model_view(feed.model)->flag_text, "Blue");
}

static void the_time_before_the_start_is_a_placeholder(void **state)
{
	(void)state;
	feed_line(&feed, "$F,9999,\"00:00:00\",\"07:59:36\",\"00:59:59\",\"      \"");

	assert_int_equal(rm_model_view(feed.model)->elapsed_ms, 0);
}

static void cars_finish_after_the_leader(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	lead_lap("B2", 2, 1, "00:01:02.000", "00:01:02.000");
	feed_wait(&feed, 30000);
	feed_line(&feed, "$F,9999,\"00:00:00\",\"12:01:40\",\"00:01:40\",\"Finish\"");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_RUN);
	lead_lap("B2", 2, 2, "00:00:50.000", "00:01:52.000");
	assert_int_equal(row("B2")->in_field.state, LT_CAR_RUN);
	lead_lap("A1", 1, 2, "00:01:00.000", "00:02:00.000");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_FIN);
	lead_lap("B2", 2, 3, "00:01:02.000", "00:02:54.000");
	assert_int_equal(row("B2")->in_field.state, LT_CAR_FIN);
}

static void a_car_that_never_saw_the_flag_has_stopped_when_the_race_is_over(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	lead_lap("B2", 2, 1, "00:01:02.000", "00:01:02.000");
	feed_line(&feed, "$F,9999,\"00:00:00\",\"12:01:40\",\"00:01:59\",\"Finish\"");
	lead_lap("A1", 1, 2, "00:01:00.000", "00:02:00.000");
	assert_int_equal(row("B2")->in_field.state, LT_CAR_RUN);
	feed_line(&feed, "$B,95,\"Heat 1 - 10 laps\"");

	assert_int_equal(row("A1")->in_field.state, LT_CAR_FIN);
	assert_int_equal(row("B2")->in_field.state, LT_CAR_STOP);
}

static void all_have_finished_when_nobody_was_seen_to(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$B,95,\"Heat 1 - 10 laps\"");

	assert_int_equal(row("A1")->in_field.state, LT_CAR_FIN);
}

static void a_car_that_does_not_come_round_under_green_has_stopped(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_wait(&feed, 170000);
	assert_int_equal(row("A1")->in_field.state, LT_CAR_RUN);
	feed_wait(&feed, 11000);
	assert_int_equal(row("A1")->in_field.state, LT_CAR_STOP);
	lead_lap("A1", 1, 2, "00:03:20.000", "00:04:20.000");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_RUN);
}

static void nobody_stops_under_yellow(void **state)
{
	(void)state;
	lead_lap("A1", 1, 1, "00:01:00.000", "00:01:00.000");
	feed_line(&feed, "$F,9999,\"00:30:00\",\"12:01:40\",\"00:01:40\",\"Yellow\"");
	feed_wait(&feed, 600000);

	assert_int_equal(row("A1")->in_field.state, LT_CAR_RUN);
}

static void line_crossings_tell_pit_stops(void **state)
{
	(void)state;
	assert_false(rm_model_view(feed.model)->has_pits);
	feed_line(&feed, "$L,\"1\",\"P3\",\"PIP\",\"01/27/2009\",\"10:10:20.589\"");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_PIT);
	feed_line(&feed, "$L,\"1\",\"P1\",\"SFP\",\"01/27/2009\",\"10:10:30.589\"");
	assert_int_equal(row("A1")->in_field.pits, 1);
	feed_line(&feed, "$L,\"1\",\"P2\",\"POP\",\"01/27/2009\",\"10:11:20.589\",1,\"PC\"");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_OUT);
	feed_line(&feed, "$L,\"1\",\"T1\",\"SFT\",\"01/27/2009\",\"10:13:20.589\"");
	assert_int_equal(row("A1")->in_field.state, LT_CAR_RUN);
	assert_true(rm_model_view(feed.model)->has_pits);
	assert_false(has_row("Tx339393"));
}

static void a_status_in_the_nationality_retires_a_car(void **state)
{
	(void)state;
	feed_line(&feed, "$COMP,\"A1\",\"1\",1,\"Ann\",\"Able\",\"Retired\",\"\"");

	assert_int_equal(row("A1")->in_field.state, LT_CAR_RET);
	assert_string_equal(row("A1")->nationality, "");
}

static void a_correction_replaces_the_total_and_says_so(void **state)
{
	struct rm_message message;

	(void)state;
	lead_lap("A1", 1, 2, "00:00:35.000", "00:01:10.000");
	feed_line(&feed, "$COR,\"A1\",\"1\",2,\"00:01:10.012\",\"+00:00:00.012\"");

	assert_int_equal(row("A1")->in_field.total_ms, 70012);
	assert_true(rm_model_next_message(feed.model, &message));
	assert_string_equal(message.text, "#1 time corrected by +0.012 s");
	assert_false(rm_model_next_message(feed.model, &message));
}

static void practice_is_ordered_by_best_laps(void **state)
{
	const struct rm_view *view;

	(void)state;
	feed_line(&feed, "$B,7,\"Friday practice\"");
	feed_line(&feed, "$G,1,\"A1\",5,\"00:06:00.000\"");
	feed_line(&feed, "$H,1,\"B2\",3,\"00:01:01.000\"");
	feed_line(&feed, "$H,2,\"A1\",2,\"00:01:01.750\"");
	view = rm_model_view(feed.model);

	assert_false(view->is_race);
	assert_string_equal(view->rows[0].reg, "B2");
	assert_int_equal(view->rows[1].in_field.gap.ms, 750);
}

static void descriptions_tell_races(void **state)
{
	static const struct {
		const char *text;
		bool race;
	} cases[] = { { "Race 1", true }, { "Heat 3", true }, { "Saturday 8 Hour", true },
		{ "24h Series", true }, { "10 Laps", true }, { "Grand Final", true },
		{ "Practice", false }, { "FP2", false }, { "Qual 1", false }, { "Q3", false },
		{ "Warm-up", false }, { "Test Session 4", false }, { "Sunday", true }, { "", true },
		{ "Qualifying race", true }, { "Timed session", false },
		{ "Gpx track day", true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(rm_is_race(RM_SESSION_AUTO, cases[i].text), cases[i].race);
	}
	assert_true(rm_is_race(RM_SESSION_RACE, "Practice"));
	assert_false(rm_is_race(RM_SESSION_QUALIFYING, "Race"));
}

static void records_that_make_no_sense_change_nothing(void **state)
{
	static const char *const lines[] = { "$G,x,\"A1\",1,\"00:01:00.000\"", "$G,1,\"\",1,\"\"",
		"$G,1,\"A1\",1,\"noon\"", "$H,1,\"A1\",one,\"00:01:00.000\"", "$J,\"A1\"",
		"$J,\"A1\",\"\",\"\"", "$B", "$B,x,\"y\"", "$C,,\"GT3\"", "$E", "$A", "$COMP,\"\"",
		"$COR,\"A1\"", "$L,\"1\"", "$F" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int damaged = feed.damaged;

		feed_line(&feed, lines[i]);
		assert_int_equal(feed.damaged, damaged + 1);
	}
	assert_int_equal(rm_model_view(feed.model)->row_count, 2);
	assert_int_equal(row("A1")->in_field.laps, 0);
}

static void every_field_may_be_missing_or_strange(void **state)
{
	static const char *const commands[] = { "$F", "$A", "$COMP", "$B", "$C", "$E", "$G", "$H",
		"$I", "$J", "$COR", "$L", "$T" };
	static const char *const values[] = { "", "1", "\"A1\"", "-5", "999999999",
		"\"00:01:00.000\"", "\"Green \"", "99999999999999999999" };

	(void)state;
	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
		for (int n = 0; n < 10; n++) {
			for (size_t v = 0; v < 64; v++) {
				char line[400];

				snprintf(line, sizeof(line), "%s", commands[c]);
				for (int i = 0; i < n; i++) {
					strcat(line, ",");
					strcat(line, values[(i % 2 == 0 ? v : v / 8) % 8]);
				}
				feed_line(&feed, line);
			}
			feed_wait(&feed, 4000);
			rm_model_view(feed.model);
		}
	}
	assert_true(feed.damaged > 0);
}

static void entries_are_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < RM_CARS_MAX + 50; i++) {
		char line[80];

		snprintf(line, sizeof(line), "$G,%d,\"R%d\",5000000,\"00:01:00.000\"", i + 1, i);
		feed_line(&feed, line);
	}

	assert_int_equal(rm_model_view(feed.model)->row_count, RM_CARS_MAX);
	assert_int_equal(feed.damaged, 52);
}

static void names_follow_the_operators_rules(void **state)
{
	char error[160];
	struct rm_rules *drivers = rm_rules_create("^Ann=Anna;A[bB]le=Adams", true, error, 160);
	struct rm_rules *classes = rm_rules_create("GT=Grand ", true, error, 160);
	struct rm_rules *transponders = rm_rules_create("1002=Zoe Zander", false, error, 160);
	struct rm_opts opts = {
		.driver_rules = drivers, .class_rules = classes, .transponders = transponders
	};

	close_race(state);
	feed_open(&feed, &opts);
	feed_line(&feed, "$C,1,\"GT3\"");
	feed_line(&feed, "$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
	feed_line(&feed, "$A,\"B2\",\"2\",1002,\"Bob\",\"Best\",\"\",2");

	assert_string_equal(row("A1")->driver, "Anna Adams");
	assert_string_equal(row("A1")->class_name, "Grand 3");
	assert_string_equal(row("B2")->driver, "Zoe Zander");
	rm_rules_destroy(drivers);
	rm_rules_destroy(classes);
	rm_rules_destroy(transponders);
}

static void bad_rules_are_refused_with_a_reason(void **state)
{
	char error[160] = "";

	(void)state;
	assert_null(rm_rules_create("a(=b", true, error, sizeof(error)));
	assert_non_null(strstr(error, "a("));
	assert_null(rm_rules_create("no equals sign", true, error, sizeof(error)));
	assert_string_equal(error, "\"no equals sign\": write it as left=right, at most 200 times");
}

#define RACE_TEST(test) cmocka_unit_test_setup_teardown(test, open_race, close_race)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(the_entry_list_is_built_and_the_later_record_wins),
		RACE_TEST(an_unknown_competitor_gets_its_registration_number),
		RACE_TEST(updates_are_due_250_ms_after_the_last_change_and_after_1_s_at_most),
		RACE_TEST(placeholders_are_no_times),
		RACE_TEST(a_gap_is_taken_at_the_same_lap),
		RACE_TEST(a_car_that_was_passed_again_is_laps_down),
		RACE_TEST(class_positions_follow_the_order),
		RACE_TEST(two_cars_on_one_position_are_sorted_by_laps),
		RACE_TEST(best_laps_are_marked),
		RACE_TEST(init_in_the_middle_of_a_race_holds_the_state_and_keeps_last_laps),
		RACE_TEST(init_is_held_three_seconds_at_most),
		RACE_TEST(a_lone_init_is_ignored),
		RACE_TEST(the_same_run_from_the_start_again_is_a_new_session),
		RACE_TEST(another_run_begins_a_new_session),
		RACE_TEST(run_95_keeps_the_final_state),
		RACE_TEST(laps_to_go_9999_is_no_number_of_laps),
		RACE_TEST(flags_go_by_their_first_three_letters),
		RACE_TEST(the_time_before_the_start_is_a_placeholder),
		RACE_TEST(cars_finish_after_the_leader),
		RACE_TEST(a_car_that_never_saw_the_flag_has_stopped_when_the_race_is_over),
		RACE_TEST(all_have_finished_when_nobody_was_seen_to),
		RACE_TEST(a_car_that_does_not_come_round_under_green_has_stopped),
		RACE_TEST(nobody_stops_under_yellow),
		RACE_TEST(line_crossings_tell_pit_stops),
		RACE_TEST(a_status_in_the_nationality_retires_a_car),
		RACE_TEST(a_correction_replaces_the_total_and_says_so),
		RACE_TEST(practice_is_ordered_by_best_laps),
		cmocka_unit_test(descriptions_tell_races),
		RACE_TEST(records_that_make_no_sense_change_nothing),
		RACE_TEST(every_field_may_be_missing_or_strange),
		RACE_TEST(entries_are_bounded),
		RACE_TEST(names_follow_the_operators_rules),
		cmocka_unit_test(bad_rules_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
