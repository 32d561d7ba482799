#include "base/str.h"
#include "race/feed_text.h"
#include "support/test.h"

static void expect_decoded(const char *bytes, size_t n, uint32_t encoding, const char *wanted)
{
	char text[64];

	assert_int_equal(lt_text_table.decode(
					 (struct lt_str){ bytes, n }, encoding, text, sizeof(text)),
			strlen(wanted));
	assert_string_equal(text, wanted);
}

static void valid_utf8_stays_and_everything_else_is_windows_1252(void **state)
{
	(void)state;

	expect_decoded("Zo\xc3\xab", 4, LT_ENCODING_AUTO, "Zo\u00eb");
	expect_decoded("Zo\xeb \x80", 5, LT_ENCODING_AUTO, "Zo\u00eb \u20ac");
	expect_decoded("\xc3\xab", 2, LT_ENCODING_WINDOWS_1252, "\u00c3\u00ab");
}

static void broken_utf8_is_replaced_and_controls_are_spaces(void **state)
{
	(void)state;

	expect_decoded("a\xff\xc3", 3, LT_ENCODING_UTF8, "a\ufffd\ufffd");
	expect_decoded("a\tb\0c\x7f", 6, LT_ENCODING_AUTO, "a b c ");
	expect_decoded("", 0, LT_ENCODING_AUTO, "");
}

static void what_does_not_fit_is_left_out_at_a_whole_character(void **state)
{
	char text[4];
	(void)state;

	assert_int_equal(lt_text_table.decode(LT_STR("ab\xc3\xab"), LT_ENCODING_AUTO, text,
					 sizeof(text)),
			2);
	assert_string_equal(text, "ab");
	assert_int_equal(lt_text_table.decode(LT_STR("a"), LT_ENCODING_AUTO, text, 0), 0);
}

static const struct {
	const char *text;
	uint32_t kind, flag, seconds, sector;
	const char *car;
} messages[] = {
	/* shown from now on */
	{ "GREEN FLAG", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "GREEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "Green, green, green!", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "Track clear", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "TRACK IS GREEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "GREEN LIGHT - PIT EXIT OPEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "RACE RESUMED", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "SESSION STARTED", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "SAFETY CAR DEPLOYED", LT_CONTROL_FLAG, LT_FLAG_SC, 0, 0, "" },
	{ "SAFETY CAR - CAR 12 STOPPED AT TURN 4", LT_CONTROL_FLAG, LT_FLAG_SC, 0, 0, "12" },
	{ "Pace car is out", LT_CONTROL_FLAG, LT_FLAG_SC, 0, 0, "" },
	{ "SC", LT_CONTROL_FLAG, LT_FLAG_SC, 0, 0, "" },
	{ "VSC DEPLOYED", LT_CONTROL_FLAG, LT_FLAG_VSC, 0, 0, "" },
	{ "Virtual Safety Car", LT_CONTROL_FLAG, LT_FLAG_VSC, 0, 0, "" },
	{ "FULL COURSE YELLOW", LT_CONTROL_FLAG, LT_FLAG_FCY, 0, 0, "" },
	{ "FCY - debris turn 7", LT_CONTROL_FLAG, LT_FLAG_FCY, 0, 0, "" },
	{ "CODE 60", LT_CONTROL_FLAG, LT_FLAG_CODE_60, 0, 0, "" },
	{ "CODE60", LT_CONTROL_FLAG, LT_FLAG_CODE_60, 0, 0, "" },
	{ "FULL COURSE CAUTION", LT_CONTROL_FLAG, LT_FLAG_CAUTION, 0, 0, "" },
	{ "Red Flag - session stopped", LT_CONTROL_FLAG, LT_FLAG_RED, 0, 0, "" },
	{ "RED FLAG - CAR 12 STOPPED AT TURN 4", LT_CONTROL_FLAG, LT_FLAG_RED, 0, 0, "12" },
	{ "RACE SUSPENDED", LT_CONTROL_FLAG, LT_FLAG_RED, 0, 0, "" },
	{ "CHEQUERED FLAG", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, 0, 0, "" },
	{ "Checkered flag", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, 0, 0, "" },
	{ "YELLOW FLAG", LT_CONTROL_FLAG, LT_FLAG_YELLOW, 0, 0, "" },
	{ "WHITE FLAG", LT_CONTROL_FLAG, LT_FLAG_WHITE, 0, 0, "" },
	/* shown no more */
	{ "VSC ENDED", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "End of FCY", LT_CONTROL_FLAG, LT_FLAG_GREEN, 0, 0, "" },
	{ "Slow zone 3 lifted", LT_CONTROL_LOCAL_FLAG, LT_FLAG_GREEN, 0, 3, "" },
	/* in one place, or for one car */
	{ "YELLOW IN TRACK SECTOR 7", LT_CONTROL_LOCAL_FLAG, LT_FLAG_YELLOW, 0, 7, "" },
	{ "DOUBLE YELLOW IN TRACK SECTOR 12", LT_CONTROL_LOCAL_FLAG, LT_FLAG_YELLOW, 0, 12, "" },
	{ "YELLOW FLAG TURN 3", LT_CONTROL_LOCAL_FLAG, LT_FLAG_YELLOW, 0, 0, "" },
	{ "Yellow S2", LT_CONTROL_LOCAL_FLAG, LT_FLAG_YELLOW, 0, 2, "" },
	{ "CLEAR IN TRACK SECTOR 7", LT_CONTROL_LOCAL_FLAG, LT_FLAG_GREEN, 0, 7, "" },
	{ "SECTOR 3 CLEAR", LT_CONTROL_LOCAL_FLAG, LT_FLAG_GREEN, 0, 3, "" },
	{ "SLOW ZONE 4 TO 6", LT_CONTROL_LOCAL_FLAG, LT_FLAG_SLOW_ZONE, 0, 4, "" },
	{ "CODE 60 AT TURN 9", LT_CONTROL_LOCAL_FLAG, LT_FLAG_CODE_60_ZONE, 0, 0, "" },
	{ "WAVED BLUE FLAG FOR CAR 22 (TSU)", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, 0, 0, "22" },
	{ "BLACK AND WHITE FLAG FOR CAR 5 - TRACK LIMITS", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, 0,
			0, "5" },
	/* announced, asked for, or said of the past */
	{ "SAFETY CAR IN THIS LAP", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "Virtual Safety Car ending", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "Full Course Yellow in 10 seconds", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "FCY in 5, 4, 3, 2, 1", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "GREEN LIGHT WILL BE SHOWN AT 15:30", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "PREPARE FOR RED FLAG", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "CAR 7 OVERTOOK UNDER SAFETY CAR", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "7" },
	{ "RED FLAG INFRINGEMENT CAR 3", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "3" },
	{ "THE SESSION CAN BE RESUMED", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	/* stewards */
	{ "Car 7: 5 second time penalty - speeding in the pit lane", LT_CONTROL_PENALTY,
			LT_FLAG_NONE, 5, 0, "7" },
	{ "FIA STEWARDS: 10s TIME PENALTY FOR CAR 44", LT_CONTROL_PENALTY, LT_FLAG_NONE, 10, 0,
			"44" },
	{ "1 minute penalty for #31", LT_CONTROL_PENALTY, LT_FLAG_NONE, 60, 0, "31" },
	{ "Drive-through for #023", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "023" },
	{ "DRIVE THROUGH PENALTY CAR 8 TO BE SERVED WITHIN 3 LAPS", LT_CONTROL_PENALTY,
			LT_FLAG_NONE, 0, 0, "8" },
	{ "Stop and Go car 5", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "5" },
	{ "10 SECOND STOP AND HOLD FOR CAR 9", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "9" },
	{ "CAR 12 DISQUALIFIED", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "12" },
	{ "BLACK FLAG CAR 66", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "66" },
	{ "30 seconds added to car 4", LT_CONTROL_PENALTY, LT_FLAG_NONE, 30, 0, "4" },
	{ "CAR 31 PENALTY SERVED", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "31" },
	{ "CAR 31 PENALTY NOT SERVED", LT_CONTROL_PENALTY, LT_FLAG_NONE, 0, 0, "31" },
	{ "Penalty for car 8 cancelled", LT_CONTROL_CLEARED, LT_FLAG_NONE, 0, 0, "8" },
	{ "CAR 8 PENALTY CANCELLED", LT_CONTROL_CLEARED, LT_FLAG_NONE, 0, 0, "8" },
	{ "CAR 3 NOTED - TRACK LIMITS", LT_CONTROL_INVESTIGATION, LT_FLAG_NONE, 0, 0, "3" },
	{ "Incident involving cars 4 and 9 under investigation", LT_CONTROL_INVESTIGATION,
			LT_FLAG_NONE, 0, 0, "4" },
	{ "TURN 1 INCIDENT WILL BE INVESTIGATED AFTER THE RACE", LT_CONTROL_INVESTIGATION,
			LT_FLAG_NONE, 0, 0, "" },
	{ "CAR 12 UNDER INVESTIGATION - SAFETY CAR INFRINGEMENT", LT_CONTROL_INVESTIGATION,
			LT_FLAG_NONE, 0, 0, "12" },
	{ "Incident involving car 4: no further action", LT_CONTROL_CLEARED, LT_FLAG_NONE, 0, 0,
			"4" },
	{ "REVIEWED - NO INVESTIGATION NECESSARY - CAR 20", LT_CONTROL_CLEARED, LT_FLAG_NONE, 0, 0,
			"20" },
	{ "CAR 10 TIME 1:20.1 DELETED - TRACK LIMITS AT TURN 4", LT_CONTROL_LAP_DELETED,
			LT_FLAG_NONE, 0, 0, "10" },
	{ "Lap 14 of car 10 disallowed", LT_CONTROL_LAP_DELETED, LT_FLAG_NONE, 0, 0, "10" },
	{ "CAR 10 LAP TIME REINSTATED", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "10" },
	/* nothing of the kind */
	{ "Pit lane open", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "evergreen redefined yellowish", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
	{ "Car 66 in the garage", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "66" },
	{ "Medical car to turn 5", LT_CONTROL_INFO, LT_FLAG_NONE, 0, 0, "" },
};

static void race_control_messages_are_understood_by_their_words(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(messages); i++) {
		struct lt_control_text found = { .size = sizeof(found) };

		lt_text_table.parse_control(lt_str_from(messages[i].text), &found);

		if (found.kind != messages[i].kind || found.flag != messages[i].flag ||
				found.seconds != messages[i].seconds ||
				found.sector != messages[i].sector ||
				!lt_str_eq_c(found.car, messages[i].car)) {
			wrong++;
			print_error("%s: kind %u flag %u seconds %u sector %u car %.*s\n",
					messages[i].text, found.kind, found.flag, found.seconds,
					found.sector, LT_STR_ARG(found.car));
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_utf8_stays_and_everything_else_is_windows_1252),
		cmocka_unit_test(broken_utf8_is_replaced_and_controls_are_spaces),
		cmocka_unit_test(what_does_not_fit_is_left_out_at_a_whole_character),
		cmocka_unit_test(race_control_messages_are_understood_by_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
