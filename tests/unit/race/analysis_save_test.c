#include "base/alloc.h"
#include "race/analysis/analysis.h"
#include "support/analysis_golden.h"
#include "support/golden.h"
#include "support/test.h"

static struct lt_buf saved_text(const struct lt_analysis *analysis)
{
	struct lt_buf text = { 0 };

	lt_analysis_save(analysis, &text);
	return text;
}

/* What a restart makes of an analysis. */
static struct lt_analysis *reload(struct lt_analysis *analysis, const cJSON *col_spec)
{
	struct lt_buf text = saved_text(analysis);
	struct lt_err err = { .code = LT_E_NONE };
	cJSON *saved = lt_json_parse(lt_buf_str(&text), &err);
	struct lt_analysis *loaded = lt_analysis_create(col_spec);

	if (!saved || !lt_analysis_load(loaded, saved, &err)) {
		fail_msg("%s", err.msg);
	}
	cJSON_Delete(saved);
	lt_buf_finish(&text);
	lt_analysis_destroy(analysis);
	return loaded;
}

/* A live race, interrupted before every `restart_every`th frame; 0: never. */
static struct lt_analysis *run(const cJSON *manifest, const cJSON *frames, const cJSON *messages,
		int restart_every)
{
	const cJSON *col_spec = lt_json_get(manifest, "colSpec");
	struct lt_analysis *analysis = lt_analysis_create(col_spec);
	const cJSON *frame, *step = messages->child;
	int index = 0;

	cJSON_ArrayForEach(frame, frames) {
		struct lt_number time = lt_number_from_json(lt_json_get(frame, "t"));

		time.value += 0.5;
		time.is_float = true;
		if (restart_every && index++ % restart_every == 0) {
			analysis = reload(analysis, col_spec);
		}
		assert_true(lt_analysis_update(analysis, lt_json_get(frame, "state"), time,
				lt_json_get(step, "messages"), NULL));
		step = step->next;
	}
	return analysis;
}

static void assert_same(const struct lt_analysis *actual, const struct lt_analysis *expected,
		const char *what)
{
	struct lt_buf mine = { 0 }, wanted = { 0 };

	lt_analysis_write_whole(actual, &mine);
	lt_analysis_write_whole(expected, &wanted);
	if (strcmp(mine.p, wanted.p) != 0) {
		fail_msg("%s: the data differs", what);
	}
	lt_buf_clear(&mine);
	lt_buf_clear(&wanted);
	lt_analysis_save(actual, &mine);
	lt_analysis_save(expected, &wanted);
	if (strcmp(mine.p, wanted.p) != 0) {
		fail_msg("%s: the saved state differs", what);
	}
	lt_buf_finish(&mine);
	lt_buf_finish(&wanted);
}

static void a_race_with_restarts_is_analysed_as_one_without(void **state)
{
	static const int every[] = { 1, 7, 40 };
	char name[GOLDEN_NAME_MAX];
	(void)state;

	for (const char *const *set = golden_sets; *set; set++) {
		cJSON *manifest = golden_json(golden_name(name, *set, "manifest.json"));
		cJSON *frames = golden_lines(golden_name(name, *set, "frames.jsonl"));
		cJSON *messages = golden_lines(golden_name(name, *set, "messages.jsonl"));
		struct lt_analysis *expected = run(manifest, frames, messages, 0);

		for (size_t i = 0; i < LT_ARRAY_LEN(every); i++) {
			struct lt_analysis *actual = run(manifest, frames, messages, every[i]);

			assert_same(actual, expected, *set);
			lt_analysis_destroy(actual);
		}
		lt_analysis_destroy(expected);
		cJSON_Delete(manifest);
		cJSON_Delete(frames);
		cJSON_Delete(messages);
	}
}

#define COL_SPEC                                                                                   \
	"[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Class\",\"class\"],[\"Last\",\"time\"]]"

static void cars_of_one_number_are_still_two_after_a_restart(void **state)
{
	cJSON *spec = json_of(COL_SPEC);
	cJSON *first = json_of(
			"{\"cars\":[[\"7\",\"RUN\",\"A\",\"\"],[\"7\",\"RUN\",\"B\",\"\"]]}");
	cJSON *second = json_of("{\"cars\":[[\"7\",\"RUN\",\"B\",81.5]]}");
	struct lt_analysis *analysis = lt_analysis_create(spec);
	(void)state;

	assert_true(lt_analysis_update(analysis, first, lt_number_from_s(1), NULL, NULL));
	analysis = reload(analysis, spec);
	assert_true(lt_analysis_update(analysis, second, lt_number_from_s(2), NULL, NULL));

	cJSON *lap = lt_analysis_get(analysis, LT_STR("lap/7-B"));
	assert_true(cJSON_GetArrayItem(lap->child, 1)->valuedouble == 2);
	cJSON_Delete(lap);
	lt_analysis_destroy(analysis);
	cJSON_Delete(spec);
	cJSON_Delete(first);
	cJSON_Delete(second);
}

/* --- broken files --- */

#define HEAD "{\"version\":1,\"updates\":3,\"time\":5,\"flag\":1,\"leaderLap\":2,"
#define CAR_HEAD                                                                                   \
	HEAD "\"flagStats\":[],\"messages\":[],\"cars\":[{\"number\":\"7\",\"key\":\"7\","         \
	     "\"static\":[],\"drivers\":[],\"messages\":[],\"currentLap\":1,"                      \
	     "\"lapsRecorded\":0,\"worstFlag\":0,\"seenIn\":2,\"old\":[],\"stints\":"
#define CAR CAR_HEAD "[]}]}"

static void broken_saved_data_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "[]", "expected an object with \"version\", found an array" },
		{ "{\"version\":2}", "\"version\": 2 is not between 1 and 1" },
		{ HEAD "\"flagStats\":{}}", "\"flagStats\": not a list" },
		{ HEAD "\"flagStats\":[[99,0,1]]}", "\"flagStats\": a period is malformed" },
		{ HEAD "\"flagStats\":[7]}", "\"flagStats\": a period is malformed" },
		{ HEAD "\"flagStats\":[],\"messages\":[7]}", "\"messages\": a block is malformed" },
		{ HEAD "\"flagStats\":[],\"messages\":[],\"cars\":[7]}",
				"cars[0]: expected an object with \"number\", found a number" },
		{ CAR_HEAD "[7]}]}", "cars[0]: stint 1 is malformed" },
		{ CAR_HEAD "[[1,2,3,4,0,true,[]]]}]}", "cars[0]: stint 1 is malformed" },
		{ CAR_HEAD "[[1,2,3,4,-1,true,[[\"x\",1]]]]}]}", "cars[0]: stint 1 is malformed" },
		{ CAR_HEAD "[[1.5,2,3,4,-1,true,[]]]}]}", "cars[0]: stint 1 is malformed" },
		{ CAR_HEAD "[[1,2,3,4,-1,true,[]],[1,2,3,4,-1,true,[]]]}]}",
				"cars[0]: stint 1 is malformed" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		cJSON *saved = json_of(cases[i].text);
		struct lt_analysis *analysis = lt_analysis_create(NULL);
		struct lt_err err = { .code = LT_E_NONE };

		assert_false(lt_analysis_load(analysis, saved, &err));
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_string_equal(err.msg, cases[i].error);
		lt_analysis_destroy(analysis);
		cJSON_Delete(saved);
	}
}

static void every_member_of_saved_data_is_needed(void **state)
{
	cJSON *whole = json_of(CAR);
	const cJSON *member;
	(void)state;

	cJSON_ArrayForEach(member, whole) {
		cJSON *saved = cJSON_Duplicate(whole, true);
		struct lt_analysis *analysis = lt_analysis_create(NULL);

		cJSON_DeleteItemFromObjectCaseSensitive(saved, member->string);
		/* The time of an analysis without an update is null. */
		assert_int_equal(lt_analysis_load(analysis, saved, NULL),
				strcmp(member->string, "time") == 0);
		lt_analysis_destroy(analysis);
		cJSON_Delete(saved);
	}
	cJSON_Delete(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_race_with_restarts_is_analysed_as_one_without),
		cmocka_unit_test(cars_of_one_number_are_still_two_after_a_restart),
		cmocka_unit_test(broken_saved_data_is_refused_with_a_reason),
		cmocka_unit_test(every_member_of_saved_data_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
