#include "ac_packets.h"
#include "assettocorsa/ac_model.h"
#include "race/field/field.h"

struct game {
	struct ac_model *model;
	int64_t now_ms;
};

static struct game open_game(bool wants_chat)
{
	struct ac_opts opts = {
		.field = &lt_field_table, .class_is_model = true, .wants_chat = wants_chat
	};

	return (struct game){ .model = ac_model_create(&opts), .now_ms = 1000000 };
}

static enum ac_result give(struct game *game, struct datagram d)
{
	static struct ac_packet packet;

	assert_int_equal(ac_parse(lt_text_n(d.bytes, d.n), &packet), AC_OK);
	return ac_model_apply(game->model, &packet, game->now_ms);
}

/* A session of this kind that begins now, with cars 1 and 2. */
static struct game begun(uint8_t kind, uint16_t minutes, uint16_t laps)
{
	struct game game = open_game(false);

	give(&game, session_datagram(50, 1, kind, minutes, laps, 0));
	give(&game, entry_datagram(51, 1, "Ada Ash", "S1"));
	give(&game, entry_datagram(51, 2, "Bea Beech", "S2"));
	return game;
}

static bool has_row(struct game *game, const char *num, struct lt_field_row *ret)
{
	ac_model_view(game->model, game->now_ms);
	ret->size = sizeof(*ret);
	for (size_t i = 0; lt_field_table.row(ac_model_field(game->model), i, ret) == 0; i++) {
		if (ret->text[LT_TEXT_NUM].n == strlen(num) &&
				memcmp(ret->text[LT_TEXT_NUM].p, num, strlen(num)) == 0) {
			return true;
		}
	}
	return false;
}

static struct lt_field_row row_of(struct game *game, const char *num)
{
	struct lt_field_row row = { .size = sizeof(row) };

	if (!has_row(game, num, &row)) {
		fail_msg("car %s is not in the table", num);
	}
	return row;
}

static uint32_t flag(struct game *game)
{
	return ac_model_view(game->model, game->now_ms).flag;
}

static void laps_count_and_those_with_cuts_are_no_best_laps(void **state)
{
	struct game game = begun(1, 30, 0);

	(void)state;
	game.now_ms += 100000;
	give(&game, lap_datagram(1, 95000, 0, 8, 0));
	game.now_ms += 90000;
	give(&game, lap_datagram(1, 90000, 2, 8, 0));

	assert_int_equal(row_of(&game, "1").laps, 2);
	assert_int_equal(row_of(&game, "1").last.ms, 90000);
	assert_int_equal(row_of(&game, "1").best.ms, 95000);
	ac_model_destroy(game.model);
}

static void the_same_lap_again_is_ignored(void **state)
{
	struct game game = begun(3, 0, 10);
	struct datagram d = lap_datagram(1, 95000, 0, 8, 1, 1u, 95000u, 1u, 0u);

	(void)state;
	game.now_ms += 100000;
	assert_int_equal(give(&game, d), AC_OK);
	assert_int_equal(give(&game, d), AC_IGNORED);
	game.now_ms += 20000;
	assert_int_equal(give(&game, d), AC_IGNORED);

	assert_int_equal(row_of(&game, "1").laps, 1);
	ac_model_destroy(game.model);
}

static void in_a_race_the_table_gives_totals_and_gaps(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	game.now_ms += 95000;
	give(&game, lap_datagram(2, 94000, 0, 8, 1, 2u, 95500u, 1u, 0u));
	game.now_ms += 1250;
	give(&game, lap_datagram(1, 95000, 0, 8, 2, 2u, 95500u, 1u, 0u, 1u, 96750u, 1u, 0u));

	assert_int_equal(row_of(&game, "2").position, 1);
	assert_int_equal(row_of(&game, "1").total_ms, 96750);
	assert_int_equal(row_of(&game, "1").gap.ms, 1250);
	assert_int_equal(ac_model_view(game.model, game.now_ms).laps_remain, 9);
	ac_model_destroy(game.model);
}

static void in_practice_the_table_gives_best_laps(void **state)
{
	struct game game = begun(1, 30, 0);

	(void)state;
	game.now_ms += 100000;
	give(&game,
			lap_datagram(1, 95000, 0, 7, 3, 2u, 93000u, 6u, 1u, 95000u, 1u, 9u,
					AC_NO_TIME, 0u));

	assert_int_equal(row_of(&game, "2").laps, 6);
	assert_int_equal(row_of(&game, "2").best.ms, 93000);
	assert_int_equal(row_of(&game, "2").position, 1);
	assert_int_equal(row_of(&game, "1").gap.ms, 2000);
	struct lt_field_row none;

	assert_false(has_row(&game, "9", &none)); /* a slot without a lap */
	ac_model_destroy(game.model);
}

static void laps_that_were_lost_come_with_the_next_table(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	game.now_ms += 300000;
	give(&game, lap_datagram(1, 95000, 0, 8, 2, 1u, 290000u, 3u, 0u, 2u, 285000u, 3u, 0u));

	assert_int_equal(row_of(&game, "1").laps, 3);
	assert_int_equal(row_of(&game, "2").laps, 3);
	assert_int_equal(row_of(&game, "2").position, 1);
	ac_model_destroy(game.model);
}

static void a_late_table_takes_no_laps_away(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	game.now_ms += 190000;
	give(&game, lap_datagram(2, 95000, 0, 8, 1, 2u, 190000u, 2u, 0u));
	give(&game, lap_datagram(1, 95000, 0, 8, 2, 1u, 190000u, 2u, 0u, 2u, 95000u, 1u, 0u));

	assert_int_equal(row_of(&game, "2").laps, 2);
	ac_model_destroy(game.model);
}

static void the_flag_is_green_from_the_start_and_chequered_at_the_last_lap(void **state)
{
	struct game game = open_game(false);

	(void)state;
	assert_int_equal(flag(&game), LT_FLAG_NONE);
	give(&game, session_datagram(50, 1, 3, 0, 1, -10000));
	give(&game, entry_datagram(51, 1, "Ada Ash", "S1"));
	give(&game, entry_datagram(51, 2, "Bea Beech", "S2"));
	assert_int_equal(flag(&game), LT_FLAG_NONE);
	game.now_ms += 10000;
	assert_int_equal(flag(&game), LT_FLAG_GREEN);
	game.now_ms += 95000;
	give(&game, lap_datagram(1, 95000, 0, 7, 1, 1u, 95000u, 1u));
	assert_int_equal(flag(&game), LT_FLAG_CHEQUERED);
	assert_int_equal(row_of(&game, "1").state, LT_CAR_FIN);
	assert_int_equal(row_of(&game, "2").state, LT_CAR_RUN);
	game.now_ms += 2000;
	give(&game, lap_datagram(2, 97000, 0, 7, 2, 1u, 95000u, 1u, 2u, 97000u, 1u));
	assert_int_equal(row_of(&game, "2").state, LT_CAR_FIN);
	ac_model_destroy(game.model);
}

static void the_flag_is_chequered_when_the_time_is_up(void **state)
{
	struct game game = begun(2, 10, 0);

	(void)state;
	game.now_ms += 599999;
	assert_int_equal(flag(&game), LT_FLAG_GREEN);
	game.now_ms += 1;
	assert_int_equal(flag(&game), LT_FLAG_CHEQUERED);
	ac_model_destroy(game.model);
}

static void the_end_of_a_session_ends_it(void **state)
{
	struct game game = begun(2, 10, 0);

	(void)state;
	game.now_ms += 60000;
	give(&game, text_datagram(55, -1, "result.json"));
	assert_int_equal(flag(&game), LT_FLAG_CHEQUERED);
	assert_int_equal(row_of(&game, "1").state, LT_CAR_FIN);
	ac_model_destroy(game.model);
}

static void another_session_keeps_the_drivers_and_forgets_the_laps(void **state)
{
	struct game game = begun(2, 10, 0);

	(void)state;
	game.now_ms += 100000;
	give(&game, lap_datagram(1, 95000, 0, 8, 0));
	assert_false(ac_model_take_new_session(game.model));
	give(&game, session_datagram(50, 2, 3, 0, 10, -5000));

	assert_true(ac_model_take_new_session(game.model));
	assert_int_equal(row_of(&game, "1").laps, 0);
	assert_memory_equal(row_of(&game, "1").text[LT_TEXT_DRIVER].p, "Ada Ash", 8);
	assert_true(ac_model_view(game.model, game.now_ms).is_race);
	ac_model_destroy(game.model);
}

static void the_same_session_told_again_changes_nothing(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	game.now_ms += 100000;
	give(&game, lap_datagram(1, 95000, 0, 8, 0));
	give(&game, session_datagram(59, 1, 3, 0, 10, 100200));
	give(&game, session_datagram(50, 1, 3, 0, 10, 99000)); /* late */
	assert_false(ac_model_take_new_session(game.model));
	assert_int_equal(row_of(&game, "1").laps, 1);
	give(&game, session_datagram(50, 1, 3, 0, 10, -5000)); /* restarted */
	assert_true(ac_model_take_new_session(game.model));
	assert_int_equal(row_of(&game, "1").laps, 0);
	ac_model_destroy(game.model);
}

static void within_a_lap_the_order_is_that_on_the_track(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	for (int i = 0; i < 20; i++) {
		game.now_ms += 1000;
		give(&game, update_datagram(1, 0.0100f * (float)i));
		give(&game, update_datagram(2, 0.0125f * (float)i));
	}

	assert_int_equal(row_of(&game, "2").position, 1);
	assert_in_range(row_of(&game, "1").gap.ms, 2400, 2600); /* 0.125: after 10 s, and 12.5 s */
	ac_model_destroy(game.model);
}

static void a_grid_before_the_line_is_no_lap_ahead(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	for (int i = 0; i < 6; i++) { /* over the last line of the lap, then over start/finish */
		float where = 0.86f + 0.03f * (float)i;

		game.now_ms += 1000;
		give(&game, update_datagram(1, where >= 1 ? where - 1 : where));
		give(&game, update_datagram(2, 0.01f + 0.03f * (float)i));
	}

	assert_int_equal(row_of(&game, "2").position, 1);
	ac_model_destroy(game.model);
}

static void a_jump_to_the_pits_passes_no_lines(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	game.now_ms += 1000;
	give(&game, update_datagram(1, 0.10f));
	give(&game, update_datagram(2, 0.10f));
	game.now_ms += 1000;
	give(&game, update_datagram(1, 0.95f));
	give(&game, update_datagram(2, 0.13f));

	assert_int_equal(row_of(&game, "2").position, 1);
	ac_model_destroy(game.model);
}

static void who_leaves_without_a_lap_is_gone_and_with_one_is_out(void **state)
{
	struct game game = begun(1, 30, 0);
	struct lt_field_row row;

	(void)state;
	game.now_ms += 100000;
	give(&game, lap_datagram(1, 95000, 0, 8, 0));
	give(&game, entry_datagram(52, 1, "Ada Ash", "S1"));
	give(&game, entry_datagram(52, 2, "Bea Beech", "S2"));
	assert_int_equal(row_of(&game, "1").state, LT_CAR_RET);
	assert_false(has_row(&game, "2", &row));
	give(&game, entry_datagram(51, 1, "Ada Ash", "S1"));
	assert_int_equal(row_of(&game, "1").state, LT_CAR_RUN);
	assert_int_equal(row_of(&game, "1").laps, 1);
	ac_model_destroy(game.model);
}

static void another_driver_in_the_same_car_has_his_own_practice(void **state)
{
	struct game game = begun(1, 30, 0);

	(void)state;
	game.now_ms += 100000;
	give(&game, lap_datagram(1, 95000, 0, 8, 0));
	give(&game, entry_datagram(52, 1, "Ada Ash", "S1"));
	give(&game, entry_datagram(51, 1, "Cy Cedar", "S3"));

	assert_int_equal(row_of(&game, "1").laps, 0);
	assert_memory_equal(row_of(&game, "1").text[LT_TEXT_DRIVER].p, "Cy Cedar", 9);
	ac_model_destroy(game.model);
}

static void a_car_that_nobody_announced_is_asked_about_once(void **state)
{
	struct game game = begun(1, 30, 0);

	(void)state;
	assert_int_equal(ac_model_next_ask(game.model), -1);
	give(&game, update_datagram(9, 0.1f));
	give(&game, update_datagram(9, 0.2f));
	assert_int_equal(ac_model_next_ask(game.model), 9);
	assert_int_equal(ac_model_next_ask(game.model), -1);
	give(&game, info_datagram(9, 1, "Dee Dogwood"));
	assert_memory_equal(row_of(&game, "9").text[LT_TEXT_TEAM].p, "The Team", 9);
	ac_model_ask_all(game.model, 2);
	assert_int_equal(ac_model_next_ask(game.model), 0);
	assert_int_equal(ac_model_next_ask(game.model), 1);
	assert_int_equal(ac_model_next_ask(game.model), -1);
	ac_model_destroy(game.model);
}

static void empty_slots_make_no_cars(void **state)
{
	struct game game = begun(1, 30, 0);
	struct lt_field_row row;

	(void)state;
	assert_int_equal(give(&game, info_datagram(9, 0, "")), AC_IGNORED);
	assert_false(has_row(&game, "9", &row));
	ac_model_destroy(game.model);
}

static void chat_is_shown_when_it_is_wanted(void **state)
{
	struct game quiet = open_game(false), game = open_game(true);
	struct ac_message message;

	(void)state;
	assert_int_equal(give(&quiet, text_datagram(57, 1, "hello")), AC_IGNORED);
	give(&game, entry_datagram(51, 1, "Ada Ash", "S1"));
	give(&game, text_datagram(57, 1, "hello"));
	give(&game, text_datagram(60, -1, "bad command"));
	assert_true(ac_model_next_message(game.model, &message));
	assert_string_equal(message.text, "Ada Ash: hello");
	assert_string_equal(message.num, "1");
	assert_true(ac_model_next_message(game.model, &message));
	assert_true(message.is_error);
	assert_string_equal(message.text, "bad command");
	assert_false(ac_model_next_message(game.model, &message));
	ac_model_destroy(quiet.model);
	ac_model_destroy(game.model);
}

static void impossible_laps_are_damaged(void **state)
{
	struct game game = begun(3, 0, 10);

	(void)state;
	assert_int_equal(give(&game, lap_datagram(1, 0, 0, 8, 0)), AC_DAMAGED);
	assert_int_equal(give(&game, lap_datagram(1, AC_NO_TIME, 0, 8, 0)), AC_DAMAGED);
	assert_int_equal(give(&game, lap_datagram(1, 95000, 0, 7, 1, 2u, 1u, 65535u)), AC_DAMAGED);
	assert_int_equal(row_of(&game, "1").laps, 0);
	ac_model_destroy(game.model);
}

static void another_session_than_the_current_one_is_ignored(void **state)
{
	struct game game = begun(1, 30, 0);
	struct datagram d = session_datagram(59, 2, 3, 0, 10, 0);

	(void)state;
	d.bytes[3] = 1; /* the current one */
	assert_int_equal(give(&game, d), AC_IGNORED);
	assert_false(ac_model_view(game.model, game.now_ms).is_race);
	ac_model_destroy(game.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(laps_count_and_those_with_cuts_are_no_best_laps),
		cmocka_unit_test(the_same_lap_again_is_ignored),
		cmocka_unit_test(in_a_race_the_table_gives_totals_and_gaps),
		cmocka_unit_test(in_practice_the_table_gives_best_laps),
		cmocka_unit_test(laps_that_were_lost_come_with_the_next_table),
		cmocka_unit_test(a_late_table_takes_no_laps_away),
		cmocka_unit_test(the_flag_is_green_from_the_start_and_chequered_at_the_last_lap),
		cmocka_unit_test(the_flag_is_chequered_when_the_time_is_up),
		cmocka_unit_test(the_end_of_a_session_ends_it),
		cmocka_unit_test(another_session_keeps_the_drivers_and_forgets_the_laps),
		cmocka_unit_test(the_same_session_told_again_changes_nothing),
		cmocka_unit_test(within_a_lap_the_order_is_that_on_the_track),
		cmocka_unit_test(a_grid_before_the_line_is_no_lap_ahead),
		cmocka_unit_test(a_jump_to_the_pits_passes_no_lines),
		cmocka_unit_test(who_leaves_without_a_lap_is_gone_and_with_one_is_out),
		cmocka_unit_test(another_driver_in_the_same_car_has_his_own_practice),
		cmocka_unit_test(a_car_that_nobody_announced_is_asked_about_once),
		cmocka_unit_test(empty_slots_make_no_cars),
		cmocka_unit_test(chat_is_shown_when_it_is_wanted),
		cmocka_unit_test(impossible_laps_are_damaged),
		cmocka_unit_test(another_session_than_the_current_one_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
