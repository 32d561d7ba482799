#include "race/column.h"
#include "race/message.h"
#include "support/golden.h"
#include "support/test.h"

#define COL_SPEC                                                                                   \
	"[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Class\",\"class\"],[\"Driver\",\"text\"],"    \
	"[\"Car\",\"text\"],[\"Last\",\"time\"]]"

/* What lt_messages_generate told of failures. */
struct failures {
	int count;
	char generator[32];
	char why[240];
};

static void note_failure(void *arg, const char *generator, const char *why)
{
	struct failures *failures = arg;

	failures->count++;
	snprintf(failures->generator, sizeof(failures->generator), "%s", generator);
	snprintf(failures->why, sizeof(failures->why), "%s", why);
}

/* Messages of the default generators for a step between states written as JSON. */
static cJSON *generate(const char *old_text, const char *new_text, struct failures *failures)
{
	cJSON *old_state = json_of(old_text), *new_state = json_of(new_text);
	cJSON *spec = json_of(COL_SPEC);
	cJSON *block = lt_messages_generate(old_state, new_state, spec, 100, LT_MESSAGES_DEFAULT,
			failures ? note_failure : NULL, failures);

	cJSON_Delete(old_state);
	cJSON_Delete(new_state);
	cJSON_Delete(spec);
	return block;
}

static void assert_messages(const char *old_text, const char *new_text, const char *expected_text)
{
	cJSON *block = generate(old_text, new_text, NULL), *expected = json_of(expected_text);

	assert_json_equal(block, expected, new_text);
	cJSON_Delete(block);
	cJSON_Delete(expected);
}

#define STATE_OF(cars) "{\"cars\":" cars ",\"session\":{\"flagState\":\"green\"}}"

static void times_are_written_as_the_original_does(void **state)
{
	cJSON *cases = golden_json("golden/format_time.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		struct lt_buf out = { 0 };

		lt_format_time(&out, lt_json_get(entry, "seconds")->valuedouble);

		assert_string_equal(out.p, lt_json_get(entry, "text")->valuestring);
		lt_buf_finish(&out);
	}
	cJSON_Delete(cases);
}

static void negative_times_come_out_of_the_floor(void **state)
{
	struct lt_buf out = { 0 };
	(void)state;

	lt_format_time(&out, -1.5);

	assert_str_equal(lt_buf_str(&out), "-1:58.500");
	lt_buf_finish(&out);
}

/*
 * Two groups of cases differ in what is reported, not in the messages: a bare
 * number as a time lost the original all fast laps of the update, and loses us
 * that car alone; so only the flag generator may fail.
 */
static void every_step_of_the_original_gives_its_messages(void **state)
{
	cJSON *cases = golden_json("golden/messages/message_cases.json");
	const cJSON *entry;
	int index = 0;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		unsigned generators = LT_MESSAGES_DEFAULT;
		struct failures failures = { 0 };
		const cJSON *raised;
		int expected_failures = 0;
		char what[128];

		if (cJSON_IsTrue(lt_json_get(entry, "slow_zone_generator"))) {
			generators |= LT_MESSAGES_SLOW_ZONE;
		}
		cJSON *block = lt_messages_generate(lt_json_get(entry, "old"),
				lt_json_get(entry, "new"), lt_json_get(entry, "colSpec"),
				(int64_t)lt_json_get(entry, "now")->valuedouble, generators,
				note_failure, &failures);

		snprintf(what, sizeof(what), "case %d, %s", index++,
				lt_json_get(entry, "note")->valuestring);
		assert_json_equal(block, lt_json_get(entry, "messages"), what);
		cJSON_ArrayForEach(raised, lt_json_get(entry, "generators_that_raised")) {
			expected_failures += strcmp(cJSON_GetArrayItem(raised, 0)->valuestring,
							     "FastLapMessage") != 0;
		}
		assert_int_equal(failures.count, expected_failures);
		cJSON_Delete(block);
	}
	assert_int_equal(index, 396);
	cJSON_Delete(cases);
}

static void a_bare_number_as_lap_time_loses_no_other_fast_lap(void **state)
{
	(void)state;
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",88.5],"
				 "[\"8\",\"RUN\",\"GT3\",\"\",\"\",[90.5,\"\"]]]"),
			STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",87.5],"
				 "[\"8\",\"RUN\",\"GT3\",\"\",\"\",[89.5,\"pb\"]]]"),
			"[[100,\"GT3\",\"#8 set a new personal best: 1:29.500\",\"pb\",\"8\"]]");
}

static void an_integer_lap_time_is_no_fast_lap_but_a_whole_float_is(void **state)
{
	(void)state;
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",[91.5,\"\"]]]"),
			STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",[90,\"pb\"]]]"), "[]");
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",[91.5,\"\"]]]"),
			STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\",\"\",[90.0,\"pb\"]]]"),
			"[[100,\"GT3\",\"#7 set a new personal best: 1:30.000\",\"pb\",\"7\"]]");
}

static void equal_rows_of_the_new_state_give_a_message_each(void **state)
{
	(void)state;
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\"]]"),
			STATE_OF("[[\"7\",\"RET\",\"GT3\"],[\"7\",\"RET\",\"GT3\"]]"),
			"[[100,\"GT3\",\"#7 has retired\",\"\",\"7\"],"
			"[100,\"GT3\",\"#7 has retired\",\"\",\"7\"]]");
}

static void numbers_and_texts_are_different_cars_and_equal_numbers_are_not(void **state)
{
	(void)state;
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\"],[7,\"RUN\",null]]"),
			STATE_OF("[[7.0,\"PIT\",null]]"),
			"[[100,null,\"#7.0 has entered the pits\",\"pit\",7.0]]");
}

static void the_null_driver_reads_none(void **state)
{
	(void)state;
	assert_messages(STATE_OF("[[\"7\",\"RUN\",\"GT3\",\"\"]]"),
			STATE_OF("[[\"7\",\"RUN\",\"GT3\",null]]"),
			"[[100,\"GT3\",\"#7 Driver change (to None)\",null,\"7\"]]");
}

static void the_flag_generator_names_what_it_cannot_read(void **state)
{
	static const struct {
		const char *session, *why;
	} cases[] = {
		{ "{\"flagState\":\"purple\"}", "unknown flag \"purple\"" },
		{ "{\"flagState\":null}", "flagState is not a text" },
		{ "{\"flagState\":1}", "flagState is not a text" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct failures failures = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "{\"cars\":[],\"session\":%s}", cases[i].session);
		cJSON *block = generate(STATE_OF("[]"), text, &failures);

		assert_int_equal(failures.count, 1);
		assert_string_equal(failures.generator, "flag");
		assert_string_equal(failures.why, cases[i].why);
		cJSON_Delete(block);
	}
}

static void car_generators_refuse_cars_of_another_shape(void **state)
{
	static const struct {
		const char *cars, *why;
	} cases[] = {
		{ "{}", "new state: cars is not a list" },
		{ "[[\"7\"],\"8\"]", "new state: car 1 is not a list" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct failures failures = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "{\"cars\":%s,\"session\":{\"flagState\":\"red\"}}",
				cases[i].cars);
		cJSON *block = generate(STATE_OF("[]"), text, &failures);

		assert_int_equal(failures.count, 3);
		assert_string_equal(failures.why, cases[i].why);
		assert_int_equal(cJSON_GetArraySize(block), 1); /* the flag, all the same */
		cJSON_Delete(block);
	}
}

/* Drive a whole race through generation and application, as the service does. */
static void replay_set(const char *set)
{
	char name[128];

	snprintf(name, sizeof(name), "golden/%s/frames.jsonl", set);
	cJSON *frames = golden_lines(name);
	snprintf(name, sizeof(name), "golden/%s/messages.jsonl", set);
	cJSON *expected = golden_lines(name);
	snprintf(name, sizeof(name), "golden/%s/manifest.json", set);
	cJSON *manifest = golden_json(name);
	snprintf(name, sizeof(name), "golden/%s/published_state.json", set);
	cJSON *published = golden_json(name);
	cJSON *before = json_of(
			"{\"messages\":[],\"cars\":[],\"session\":{\"flagState\":\"green\"}}");
	const cJSON *frame, *step = expected->child;

	cJSON_ArrayForEach(frame, frames) {
		cJSON *now = cJSON_Duplicate(lt_json_get(frame, "state"), true);
		cJSON *block = lt_messages_generate(before, now, lt_json_get(manifest, "colSpec"),
				(int64_t)lt_json_get(frame, "t")->valuedouble, LT_MESSAGES_DEFAULT,
				NULL, NULL);

		assert_json_equal(block, lt_json_get(step, "messages"), set);
		lt_messages_apply_take(now, before, block);
		assert_same_set(lt_json_get(now, "highlight"), lt_json_get(step, "highlight"), set);
		cJSON_Delete(before);
		before = now;
		step = step->next;
	}
	assert_null(step);
	assert_json_equal(lt_json_get(before, "messages"), lt_json_get(published, "messages"), set);
	cJSON_Delete(before);
	cJSON_Delete(frames);
	cJSON_Delete(expected);
	cJSON_Delete(manifest);
	cJSON_Delete(published);
}

static void whole_races_give_the_messages_of_the_original(void **state)
{
	(void)state;
	replay_set("s11-wec-8x5m");
	replay_set("s22-club-14x12m");
	replay_set("s33-tsnl-10x8m");
	replay_set("s44-nonum-5x3m");
}

/* Texts are taken from the end of the queue; that is the caller's part. */
static void race_control_messages_are_those_of_the_original(void **state)
{
	cJSON *cases = golden_json("golden/messages/race_control.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		const cJSON *queue = lt_json_get(entry, "queue");
		cJSON *messages = cJSON_CreateArray();

		for (int i = cJSON_GetArraySize(queue) - 1; i >= 0; i--) {
			const char *text = cJSON_GetArrayItem(queue, i)->valuestring;

			cJSON_AddItemToArray(messages,
					lt_message_race_control(lt_str_from(text), 1700000123));
		}
		assert_json_equal(messages, lt_json_get(entry, "messages"), "race control");
		cJSON_Delete(messages);
	}
	cJSON_Delete(cases);
}

static void race_control_finds_the_car_in_every_spelling(void **state)
{
	static const struct {
		const char *text, *car; /* NULL: none */
	} cases[] = {
		{ "car 7", "7" },
		{ "CaR #12 and car 13", "12" },
		{ "car # 5", "5" },
		{ "car  5", "5" },
		{ "car   5", NULL },
		{ "car #  5", NULL },
		{ "car##5", NULL },
		{ "car5", NULL },
		{ "car ", NULL },
		{ "car #", NULL },
		{ "", NULL },
		{ "car x car 007!", "007" },
		{ "Safety car 1 lap", "1" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		cJSON *message = lt_message_race_control(lt_str_from(cases[i].text), 1);
		const cJSON *car = cJSON_GetArrayItem(message, 4);

		assert_int_equal(car != NULL, cases[i].car != NULL);
		if (cases[i].car) {
			assert_string_equal(car->valuestring, cases[i].car);
		}
		cJSON_Delete(message);
	}
}

static void the_message_list_is_cut_to_a_hundred(void **state)
{
	cJSON *old_state = cJSON_CreateObject(), *new_state = cJSON_CreateObject();
	cJSON *old_messages = cJSON_CreateArray(), *block = cJSON_CreateArray();
	(void)state;
	for (int i = 0; i < 100; i++) {
		cJSON_AddItemToArray(old_messages, json_of("[1,\"Track\",\"old\",\"\"]"));
	}
	lt_json_set_take(old_state, "messages", old_messages);
	cJSON_AddItemToArray(block, json_of("[2,\"Track\",\"new\",\"\"]"));

	lt_messages_apply_take(new_state, old_state, block);

	const cJSON *messages = lt_json_get(new_state, "messages");
	assert_int_equal(cJSON_GetArraySize(messages), LT_MESSAGES_MAX);
	assert_string_equal(lt_cell_at(cJSON_GetArrayItem(messages, 0), 2)->valuestring, "new");
	cJSON_Delete(old_state);
	cJSON_Delete(new_state);
}

static void a_block_over_a_hundred_keeps_its_first_but_highlights_all(void **state)
{
	cJSON *new_state = cJSON_CreateObject(), *block = cJSON_CreateArray();
	(void)state;
	for (int i = 0; i < 120; i++) {
		char text[64];

		snprintf(text, sizeof(text), "[1,\"GT3\",\"m\",\"\",%d]", i);
		cJSON_AddItemToArray(block, json_of(text));
	}

	lt_messages_apply_take(new_state, NULL, block);

	assert_int_equal(cJSON_GetArraySize(lt_json_get(new_state, "messages")), 100);
	assert_int_equal(cJSON_GetArraySize(lt_json_get(new_state, "highlight")), 120);
	cJSON_Delete(new_state);
}

static void the_highlight_names_each_car_once(void **state)
{
	cJSON *new_state = json_of("{\"messages\":[],\"highlight\":[\"stale\"]}");
	cJSON *expected = json_of("[\"7\",7]");
	(void)state;

	lt_messages_apply_take(new_state, NULL,
			json_of("[[1,\"\",\"\",\"\",\"7\"],[1,\"\",\"\",\"\"],"
				"[1,\"\",\"\",\"\",7],[1,\"\",\"\",\"\",\"7\"]]"));

	assert_json_equal(lt_json_get(new_state, "highlight"), expected, "highlight");
	cJSON_Delete(new_state);
	cJSON_Delete(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_as_the_original_does),
		cmocka_unit_test(negative_times_come_out_of_the_floor),
		cmocka_unit_test(every_step_of_the_original_gives_its_messages),
		cmocka_unit_test(a_bare_number_as_lap_time_loses_no_other_fast_lap),
		cmocka_unit_test(an_integer_lap_time_is_no_fast_lap_but_a_whole_float_is),
		cmocka_unit_test(equal_rows_of_the_new_state_give_a_message_each),
		cmocka_unit_test(numbers_and_texts_are_different_cars_and_equal_numbers_are_not),
		cmocka_unit_test(the_null_driver_reads_none),
		cmocka_unit_test(the_flag_generator_names_what_it_cannot_read),
		cmocka_unit_test(car_generators_refuse_cars_of_another_shape),
		cmocka_unit_test(whole_races_give_the_messages_of_the_original),
		cmocka_unit_test(race_control_messages_are_those_of_the_original),
		cmocka_unit_test(race_control_finds_the_car_in_every_spelling),
		cmocka_unit_test(the_message_list_is_cut_to_a_hundred),
		cmocka_unit_test(a_block_over_a_hundred_keeps_its_first_but_highlights_all),
		cmocka_unit_test(the_highlight_names_each_car_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
