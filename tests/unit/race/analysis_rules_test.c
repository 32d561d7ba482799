/*
 * Rules of the analysis one by one, where it does better than the original, and
 * broken data.
 */
#include "base/alloc.h"
#include "race/analysis/analysis.h"
#include "support/golden.h"
#include "support/test.h"

#define COL_SPEC                                                                                   \
	"[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Class\",\"class\"],[\"Driver\",\"text\"],"    \
	"[\"Laps\",\"numeric\"],[\"Gap\",\"delta\"],[\"Last\",\"time\"]]"
#define START 1000

struct fixture {
	struct lt_analysis *analysis;
	int64_t time_s;
	struct lt_buf changes; /* keys, each followed by a space */
};

static void note_change(void *arg, struct lt_str key)
{
	struct fixture *f = arg;

	lt_buf_add_str(&f->changes, key);
	lt_buf_add_char(&f->changes, ' ');
}

static int set_up(void **state)
{
	static struct fixture f;
	cJSON *spec = json_of(COL_SPEC);

	f = (struct fixture){ .analysis = lt_analysis_create(spec), .time_s = START };
	lt_analysis_on_change(f.analysis, note_change, &f);
	cJSON_Delete(spec);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_analysis_destroy(f->analysis);
	lt_buf_finish(&f->changes);
	return 0;
}

/* An update ten seconds after the one before; *changes* are those of this update. */
static bool try_state(struct fixture *f, const char *state_text, const char *messages_text,
		struct lt_err *err)
{
	cJSON *state = json_of(state_text), *messages = json_of(messages_text);
	bool ok;

	lt_buf_clear(&f->changes);
	ok = lt_analysis_update(f->analysis, state, lt_number_from_s(f->time_s), messages, err);
	f->time_s += 10;
	cJSON_Delete(state);
	cJSON_Delete(messages);
	return ok;
}

static void show_flag(struct fixture *f, const char *flag, const char *cars)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "{\"cars\":[%s],\"session\":{\"flagState\":\"%s\"}}", cars, flag);
	assert_true(try_state(f, text.p, "[]", NULL));
	lt_buf_finish(&text);
}

static void show(struct fixture *f, const char *cars)
{
	show_flag(f, "green", cars);
}

static void show_messages(struct fixture *f, const char *cars, const char *messages)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "{\"cars\":[%s],\"session\":{\"flagState\":\"green\"}}", cars);
	assert_true(try_state(f, text.p, messages, NULL));
	lt_buf_finish(&text);
}

static void assert_key(struct fixture *f, const char *key, const char *expected)
{
	struct lt_buf text = { 0 };

	if (!lt_analysis_write(f->analysis, lt_str_from(key), &text)) {
		fail_msg("no key %s", key);
	}
	assert_string_equal(text.p, expected);
	lt_buf_finish(&text);
}

static bool changed(const struct fixture *f, const char *key)
{
	struct lt_buf wanted = { 0 };
	bool found;

	lt_buf_printf(&wanted, "%s ", key);
	found = f->changes.n > 0 && strstr(f->changes.p, wanted.p);
	lt_buf_finish(&wanted);
	return found;
}

/* --- keys --- */

static void unknown_keys_are_refused(void **state)
{
	static const char *const keys[] = { "", "laps", "lap/9", "static/7", "lap/", "/7",
		"messages/7" };
	struct fixture *f = *state;
	struct lt_buf text = { 0 };
	show(f, "[\"7\",\"RUN\"]");

	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		assert_false(lt_analysis_write(f->analysis, lt_str_from(keys[i]), &text));
		assert_null(lt_analysis_get(f->analysis, lt_str_from(keys[i])));
	}

	assert_int_equal(text.n, 0);
}

static void only_what_changed_is_told(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\",\"RUN\",\"A\",\"Ann\",1]");
	assert_string_equal(f->changes.p, "static driver stint/7 session ");
	show(f, "[\"7\",\"RUN\",\"A\",\"Ann\",1]");
	assert_int_equal(f->changes.n, 0);
	show(f, "[\"7\",\"RUN\",\"A\",\"Ann\",2,\"\",[80.5,\"\"]]");

	assert_string_equal(f->changes.p, "lap/7 session ");
}

/* --- cars --- */

static void cars_without_a_number_are_skipped(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"\",\"RUN\"],[0,\"RUN\"],[null,\"RUN\"],[],[\"8\",\"RUN\",\"B\"]");

	assert_key(f, "static", "{\"8\":[\"B\",null,null]}");
}

static void numbers_and_texts_of_them_are_one_car(void **state)
{
	struct fixture *f = *state;

	show(f, "[7,\"RUN\",\"A\"]");
	show(f, "[\"7\",\"RUN\",\"A\"],[\"07\",\"RUN\",\"A\"]");

	assert_key(f, "static", "{\"7\":[\"A\",null,null],\"07\":[\"A\",null,null]}");
}

static void two_cars_of_one_number_are_kept_apart_by_class(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\",\"RUN\",\"A\",\"\",1],[\"7\",\"RUN\",\"B\",\"\",1]");
	show(f, "[\"7\",\"RUN\",\"B\",\"\",2,\"\",[91.5,\"\"]],[\"7\",\"RUN\",\"A\",\"\",1]");
	show(f,
			"[\"7\",\"RUN\",\"A\",\"\",2,\"\",[80.5,\"\"]],"
			"[\"7\",\"RUN\",\"B\",\"\",2,\"\",[91.5,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[[1,1000,2,1020,true,0,80.5,0,null,[[80.5,1]]],1020]}");
	assert_key(f, "lap/7-B", "{\"7-B\":[[1,1000,2,1020,true,0,91.5,0,null,[[91.5,1]]],1010]}");
}

static void a_second_car_that_shows_up_first_gets_its_own_data(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",1]");

	show(f, "[\"7\",\"RUN\",\"B\",\"\",1],[\"7\",\"RUN\",\"A\",\"\",1]");

	assert_key(f, "static", "{\"7\":[\"A\",null,null],\"7-B\":[\"B\",null,null]}");
	assert_false(changed(f, "stint/7"));
}

static void cars_of_one_number_and_class_are_numbered(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\",\"RUN\"],[\"7\",\"RUN\"],[\"7\",\"RUN\"]");

	assert_key(f, "driver", "{\"7\":[],\"7-2\":[],\"7-3\":[]}");
}

static void a_lone_car_keeps_its_data_when_its_class_is_corrected(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"\"]");

	show(f, "[\"7\",\"RUN\",\"A\"]");

	assert_key(f, "static", "{\"7\":[\"\",null,null]}");
}

/* --- drivers --- */

static void drivers_are_listed_as_they_appear(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\",\"RUN\",\"A\",null]");
	assert_key(f, "driver", "{\"7\":[]}");
	show(f, "[\"7\",\"RUN\",\"A\",\"Ann\"]");
	show(f, "[\"7\",\"RUN\",\"A\",null]");
	show(f, "[\"7\",\"RUN\",\"A\",\"Ann\"]");
	show(f, "[\"7\",\"RUN\",\"A\",\"Bo\"]");

	assert_key(f, "driver", "{\"7\":[\"Ann\",null,\"Bo\"]}");
}

/* --- laps --- */

static void the_first_row_of_a_car_completes_no_lap(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",[80.5,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[[1,1000,1,1000,true,0,null,0,0.0,[]],null]}");
}

static void a_new_lap_count_alone_is_a_lap(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",[80.5,\"\"]]");

	show(f, "[\"7\",\"RUN\",\"A\",\"\",6,\"\",[80.5,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[[1,1000,6,1010,true,0,80.5,0,null,[[80.5,1]]],1010]}");
}

static void integers_stay_integers(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",[\"\",\"\"]]");

	show(f, "[\"7\",\"RUN\",\"A\",\"\",6,\"\",[90,\"\"]]");
	show(f, "[\"7\",\"RUN\",\"A\",\"\",7,\"\",[95.0,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[[1,1000,7,1020,true,0,90,0,95.0,[[90,1],[95.0,1]]],1020]}");
}

static void a_lap_time_may_be_a_number_or_the_text_of_one(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",\"\"]");

	show(f, "[\"7\",\"RUN\",\"A\",\"\",6,\"\",80.5]");
	show(f, "[\"7\",\"RUN\",\"A\",\"\",7,\"\",\" 81.5\"]");
	show(f, "[\"7\",\"RUN\",\"A\",\"\",8,\"\",\"IN PIT\"]");

	assert_key(f, "lap/7",
			"{\"7\":[[1,1000,7,1030,true,0,80.5,0,81.5,[[80.5,1],[81.5,1]]],1020]}");
}

static void the_lap_count_comes_from_the_gap_when_there_is_no_other(void **state)
{
	struct fixture *f = *state;
	show(f,
			"[\"1\",\"RUN\",\"\",\"\",\"\",\"(20 laps)\",\"\"],"
			"[\"2\",\"RUN\",\"\",\"\",\"\",\"+1.0\",\"\"],"
			"[\"3\",\"RUN\",\"\",\"\",\"\",\"(18 laps)\",\"\"]");

	show(f,
			"[\"1\",\"RUN\",\"\",\"\",\"\",\"(21 laps)\",[80.5,\"\"]],"
			"[\"2\",\"RUN\",\"\",\"\",\"\",\"+1.0\",[80.5,\"\"]],"
			"[\"3\",\"RUN\",\"\",\"\",\"\",\"(19 laps)\",[80.5,\"\"]]");

	cJSON *two = lt_analysis_get(f->analysis, LT_STR("lap/2"));
	cJSON *three = lt_analysis_get(f->analysis, LT_STR("lap/3"));
	assert_int_equal(cJSON_GetArrayItem(two->child->child, 2)->valueint, 21);
	assert_int_equal(cJSON_GetArrayItem(three->child->child, 2)->valueint, 19);
	cJSON_Delete(two);
	cJSON_Delete(three);
}

static void the_leaders_lap_never_goes_back(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",\"\"]");
	show(f, "[\"7\",\"RUN\",\"A\",\"\",6,\"\",[80.5,\"\"]]");

	show(f, "[\"7\",\"RUN\",\"A\",\"\",4,\"\",[80.5,\"\"]]");

	assert_key(f, "session",
			"{\"currentTimestamp\":1020,\"flagStats\":[[1,0,1000,null,null]],"
			"\"leaderLap\":6}");
}

static void a_lap_has_the_worst_flag_that_was_shown_during_it(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",\"\"]");

	show_flag(f, "red", "[\"7\",\"RUN\",\"A\",\"\",5,\"\",\"\"]");
	show_flag(f, "sc", "[\"7\",\"RUN\",\"A\",\"\",6,\"\",[80.5,\"\"]]");
	show_flag(f, "green", "[\"7\",\"RUN\",\"A\",\"\",7,\"\",[81.5,\"\"]]");
	show_flag(f, "green", "[\"7\",\"RUN\",\"A\",\"\",8,\"\",[82.5,\"\"]]");

	assert_key(f, "lap/7",
			"{\"7\":[[1,1000,8,1040,true,0,80.5,2,82.0,"
			"[[80.5,10],[81.5,8],[82.5,1]]],1040]}");
}

/* --- stints --- */

static void a_car_that_vanishes_and_comes_back_keeps_its_stint(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\",\"A\",\"\",5,\"\",[80.5,\"\"]]");
	show(f, "[\"8\",\"RUN\"]");

	show(f, "[\"7\",\"RUN\",\"A\",\"\",6,\"\",[81.5,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[[1,1000,1,1020,true,0,null,0,0.0,[]],null]}");
}

static void a_car_that_comes_back_in_the_pits_ends_its_stint_again(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\"]");
	show(f, "[\"7\",\"PIT\"]");
	show(f, "");

	show(f, "[\"7\",\"PIT\"]");

	assert_key(f, "stint/7", "{\"7\":[[1,1000,1,1030,false,-1,null,0,0.0,[]]]}");
}

static void a_lap_in_the_pits_before_any_stint_belongs_to_none(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"PIT\",\"A\",\"\",0,\"\",[\"\",\"\"]]");

	show(f, "[\"7\",\"PIT\",\"A\",\"\",1,\"\",[80.5,\"\"]]");

	assert_key(f, "lap/7", "{\"7\":[null,1010]}");
	assert_key(f, "stint/7", "{\"7\":[]}");
}

static void without_states_one_stint_is_told_once(void **state)
{
	struct fixture *f = *state;

	show(f, "[\"7\"]");
	assert_true(changed(f, "stint/7"));
	show(f, "[\"7\"]");

	assert_false(changed(f, "stint/7"));
}

/* --- messages --- */

static void messages_about_a_car_go_to_it(void **state)
{
	struct fixture *f = *state;
	show(f, "[7,\"RUN\",\"A\"],[\"7\",\"RUN\",\"B\"]");

	show_messages(f, "[7,\"RUN\",\"A\"],[\"7\",\"RUN\",\"B\"]",
			"[[1,\"A\",\"one\",\"pb\",7],[1,\"B\",\"two\",\"pb\",\"7\"],"
			"[1,\"B\",\"three\",\"pit\",\"7\"]]");

	assert_key(f, "car_messages/7-B", "{\"7-B\":[[1,\"B\",\"two\",\"pb\",\"7\"]]}");
}

static void newer_messages_of_the_race_come_first(void **state)
{
	struct fixture *f = *state;

	show_messages(f, "", "[[1,\"Track\",\"a\",\"\"],[1,\"Track\",\"b\",\"\",null]]");
	show_messages(f, "", "[[2,\"Track\",\"c\",\"\"],[2,\"A\",\"#7 Driver change (x)\",null]]");
	show_messages(f, "", "[]");

	assert_key(f, "messages",
			"{\"messages\":[[2,\"Track\",\"c\",\"\"],[1,\"Track\",\"a\",\"\"],"
			"[1,\"Track\",\"b\",\"\",null]]}");
	assert_false(changed(f, "messages"));
}

/* --- broken data --- */

static void a_broken_row_affects_no_other_car(void **state)
{
	static const char *const rows[] = { "null", "7", "\"x\"", "{}", "[]", "[[]]", "[{}]",
		"[true,1]", "[\"7\",[],{},[1],{},[],{}]", "[\"7\",true,false,7,[],9,[[]]]",
		"[\"7\",\"RUN\",null,null,1e300,\"(99999999999999999999 laps)\",[-5,\"\"]]",
		"[\"7\",\"RUN\",null,null,\"x\",\"(5 lap\",[{},[]]]" };
	struct fixture *f = *state;
	char cars[256];

	for (size_t i = 0; i < 2 * LT_ARRAY_LEN(rows); i++) {
		snprintf(cars, sizeof(cars), "%s,[\"8\",\"RUN\",\"\",\"\",%zu,\"\",[80.5,\"\"]]",
				rows[i % LT_ARRAY_LEN(rows)], i + 1);
		show(f, cars);
	}

	cJSON *lap = lt_analysis_get(f->analysis, LT_STR("lap/8"));
	const cJSON *laps = cJSON_GetArrayItem(lap->child->child, 9);
	assert_int_equal(cJSON_GetArraySize(laps), 2 * LT_ARRAY_LEN(rows) - 1);
	cJSON_Delete(lap);
}

/* Three cars over four frames; one cell of the second car is damaged in the third. */
static struct lt_buf race_with_damage(int column, const char *damage)
{
	static const char *const cells[] = { "\"2\"", "\"RUN\"", "\"A\"", "\"Ann\"", "3",
		"\"+1.0\"", "[80.5,\"\"]" };
	struct fixture *f;
	void *state;
	struct lt_buf row = { 0 }, result = { 0 };
	set_up(&state);
	f = state;

	for (int frame = 0; frame < 4; frame++) {
		lt_buf_clear(&row);
		lt_buf_printf(&row, "[\"1\",\"RUN\",\"A\",\"Cy\",%d,\"\",[81.5,\"\"]],[", frame);
		for (int i = 0; i < (int)LT_ARRAY_LEN(cells); i++) {
			bool is_damaged = frame == 2 && i == column;

			lt_buf_printf(&row, "%s%s", i > 0 ? "," : "",
					is_damaged ? damage : cells[i]);
		}
		lt_buf_printf(&row, "],[\"3\",\"RUN\",\"A\",\"Di\",%d,\"\",[82.5,\"\"]]", frame);
		show(f, row.p);
	}
	assert_true(lt_analysis_write(f->analysis, LT_STR("lap/1"), &result));
	assert_true(lt_analysis_write(f->analysis, LT_STR("lap/3"), &result));
	lt_buf_finish(&row);
	tear_down(&state);
	return result;
}

static void a_damaged_cell_changes_nothing_for_the_others(void **state)
{
	static const char *const damages[] = { "null", "true", "-1", "0", "1e308", "[]", "{}",
		"[[[]]]", "[null,7]", "[{\"a\":1}]", "{\"a\":[1]}", "\"\"", "\"(9 laps)\"",
		"\"\\u0001\\ud83c\\udfce/%#\"" };
	struct lt_buf expected = race_with_damage(-1, "");
	(void)state;

	for (int column = 0; column < 7; column++) {
		for (size_t i = 0; i < LT_ARRAY_LEN(damages); i++) {
			struct lt_buf actual = race_with_damage(column, damages[i]);

			assert_string_equal(actual.p, expected.p);
			lt_buf_finish(&actual);
		}
	}
	lt_buf_finish(&expected);
}

static void broken_messages_are_ignored(void **state)
{
	struct fixture *f = *state;
	show(f, "[\"7\",\"RUN\"]");

	show_messages(f, "[\"7\",\"RUN\"]",
			"[null,1,\"x\",{\"a\":1},[1,2,3,4,[5]],[1,2,[],{},\"7\"],[]]");
	assert_true(try_state(f, "{\"cars\":[],\"session\":{}}", "{\"x\":[1]}", NULL));

	assert_key(f, "car_messages/7", "{\"7\":[[1,2,[],{},\"7\"]]}");
	assert_key(f, "messages", "{\"messages\":[]}");
}

static void broken_states_lose_their_update_with_a_reason(void **state)
{
	static const struct {
		const char *state, *error;
	} cases[] = {
		{ "null", "cars: missing" },
		{ "{\"cars\":7}", "cars: not a list" },
		{ "{\"cars\":[],\"session\":{\"flagState\":null}}",
				"session: flagState: not a text" },
		{ "{\"cars\":[],\"session\":{\"flagState\":\"purple\"}}",
				"session: flagState: \"purple\" is not a flag" },
	};
	struct fixture *f = *state;
	struct lt_err err;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_false(try_state(f, cases[i].state, "[[1,\"Track\",\"a\",\"\"]]", &err));
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_string_equal(err.msg, cases[i].error);
	}
	assert_key(f, "messages", "{\"messages\":[]}");
	assert_int_equal(f->changes.n, 0);
}

static void a_missing_flag_is_none(void **state)
{
	struct fixture *f = *state;

	assert_true(try_state(f, "{\"cars\":[]}", "[]", NULL));

	assert_key(f, "session",
			"{\"currentTimestamp\":1000,\"flagStats\":[[0,0,1000,null,null]],"
			"\"leaderLap\":0}");
}

static void a_column_specification_may_be_anything(void **state)
{
	static const char *const specs[] = { "null", "{}", "[]", "[7,null,[]]", "[[\"Num\"]]" };
	cJSON *state_json = json_of("{\"cars\":[[\"7\"],[]]}");
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(specs); i++) {
		cJSON *spec = json_of(specs[i]);
		struct lt_analysis *analysis = lt_analysis_create(spec);

		assert_true(lt_analysis_update(
				analysis, state_json, lt_number_from_s(1), NULL, NULL));
		lt_analysis_destroy(analysis);
		cJSON_Delete(spec);
	}
	cJSON_Delete(state_json);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(unknown_keys_are_refused),
		RULE(only_what_changed_is_told),
		RULE(cars_without_a_number_are_skipped),
		RULE(numbers_and_texts_of_them_are_one_car),
		RULE(two_cars_of_one_number_are_kept_apart_by_class),
		RULE(a_second_car_that_shows_up_first_gets_its_own_data),
		RULE(cars_of_one_number_and_class_are_numbered),
		RULE(a_lone_car_keeps_its_data_when_its_class_is_corrected),
		RULE(drivers_are_listed_as_they_appear),
		RULE(the_first_row_of_a_car_completes_no_lap),
		RULE(a_new_lap_count_alone_is_a_lap),
		RULE(integers_stay_integers),
		RULE(a_lap_time_may_be_a_number_or_the_text_of_one),
		RULE(the_lap_count_comes_from_the_gap_when_there_is_no_other),
		RULE(the_leaders_lap_never_goes_back),
		RULE(a_lap_has_the_worst_flag_that_was_shown_during_it),
		RULE(a_car_that_vanishes_and_comes_back_keeps_its_stint),
		RULE(a_car_that_comes_back_in_the_pits_ends_its_stint_again),
		RULE(a_lap_in_the_pits_before_any_stint_belongs_to_none),
		RULE(without_states_one_stint_is_told_once),
		RULE(messages_about_a_car_go_to_it),
		RULE(newer_messages_of_the_race_come_first),
		RULE(a_broken_row_affects_no_other_car),
		cmocka_unit_test(a_damaged_cell_changes_nothing_for_the_others),
		RULE(broken_messages_are_ignored),
		RULE(broken_states_lose_their_update_with_a_reason),
		RULE(a_missing_flag_is_none),
		RULE(a_column_specification_may_be_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
