/*
 * The analysis against what the original made of the same states.
 */
#include "race/analysis/analysis.h"
#include "support/analysis_golden.h"
#include "support/golden.h"
#include "support/test.h"

/* All updates of a case; those that fail are counted. */
static int run_frames(struct lt_analysis *analysis, const cJSON *frames)
{
	const cJSON *frame;
	int failed = 0;

	cJSON_ArrayForEach(frame, frames) {
		struct lt_number time = lt_number_from_json(lt_json_get(frame, "t"));

		failed += !lt_analysis_update(analysis, lt_json_get(frame, "state"), time,
				lt_json_get(frame, "new_messages"), NULL);
	}
	return failed;
}

static void hand_made_cases_give_the_results_of_the_original(void **state)
{
	cJSON *cases = golden_json("golden/analysis_cases.json");
	const cJSON *entry;
	(void)state;

	assert_true(cJSON_GetArraySize(cases) >= 7);
	cJSON_ArrayForEach(entry, cases) {
		const char *name = lt_json_get(entry, "name")->valuestring;
		struct lt_analysis *analysis = lt_analysis_create(lt_json_get(entry, "colSpec"));

		int failed = run_frames(analysis, lt_json_get(entry, "frames"));

		cJSON *whole = lt_analysis_whole(analysis);
		assert_analysis_equal(whole, lt_json_get(entry, "result"), name);
		assert_int_equal(failed, cJSON_GetArraySize(lt_json_get(entry, "raised")));
		cJSON_Delete(whole);
		lt_analysis_destroy(analysis);
	}
	cJSON_Delete(cases);
}

/* A race as the live service sees it: the clock is half a second after the frame. */
static void run_live(struct lt_analysis *analysis, const cJSON *frames, const cJSON *messages)
{
	const cJSON *frame, *step = messages->child;

	cJSON_ArrayForEach(frame, frames) {
		struct lt_number time = lt_number_from_json(lt_json_get(frame, "t"));

		time.value += 0.5;
		time.is_float = true;
		assert_true(lt_analysis_update(analysis, lt_json_get(frame, "state"), time,
				lt_json_get(step, "messages"), NULL));
		step = step->next;
	}
}

static void a_live_race_is_analysed_as_by_the_original(void **state)
{
	char name[GOLDEN_NAME_MAX];
	(void)state;

	for (const char *const *set = golden_sets; *set; set++) {
		cJSON *manifest = golden_json(golden_name(name, *set, "manifest.json"));
		cJSON *frames = golden_lines(golden_name(name, *set, "frames.jsonl"));
		cJSON *messages = golden_lines(golden_name(name, *set, "messages.jsonl"));
		cJSON *expected = golden_json(golden_name(name, *set, "analysis_live.json"));
		struct lt_analysis *analysis = lt_analysis_create(lt_json_get(manifest, "colSpec"));

		run_live(analysis, frames, messages);

		cJSON *whole = lt_analysis_whole(analysis);
		assert_analysis_equal(whole, expected, *set);
		cJSON_Delete(whole);
		lt_analysis_destroy(analysis);
		cJSON_Delete(manifest);
		cJSON_Delete(frames);
		cJSON_Delete(messages);
		cJSON_Delete(expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_made_cases_give_the_results_of_the_original),
		cmocka_unit_test(a_live_race_is_analysed_as_by_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
