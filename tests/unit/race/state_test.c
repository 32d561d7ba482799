#include "race/state.h"
#include "support/golden.h"
#include "support/test.h"

static void the_first_state_is_that_of_the_original(void **state)
{
	cJSON *initial = lt_state_initial();
	struct lt_buf text = { 0 };
	(void)state;

	lt_json_print(&text, initial, LT_JSON_SPACED);

	assert_str_equal(lt_buf_str(&text),
			"{\"messages\": [], \"cars\": [], \"session\": {\"flagState\": \"green\", "
			"\"timeElapsed\": 0, \"timeRemain\": 0}}");
	assert_true(lt_state_check(initial, NULL));
	lt_buf_finish(&text);
	cJSON_Delete(initial);
}

static void states_of_another_shape_are_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "[]", "a state is not an object" },
		{ "{\"session\":{}}", "cars: missing" },
		{ "{\"cars\":{},\"session\":{}}", "cars: not a list" },
		{ "{\"cars\":[[],7],\"session\":{}}", "cars[1]: not a list" },
		{ "{\"cars\":[]}", "session: missing" },
		{ "{\"cars\":[],\"session\":[]}", "session: not an object" },
		{ "{\"cars\":[],\"session\":{},\"messages\":{}}", "messages: not a list" },
		{ "{\"cars\":[],\"session\":{},\"messages\":[\"a\"]}", "messages[0]: not a list" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		cJSON *value = json_of(cases[i].text);

		assert_false(lt_state_check(value, &err));
		assert_string_equal(err.msg, cases[i].error);
		cJSON_Delete(value);
	}
}

static void a_difference_frame_changes_all_four_parts(void **state)
{
	cJSON *value = json_of("{\"cars\":[[\"7\",1]],\"session\":{\"flagState\":\"sc\"},"
			       "\"messages\":[[1,\"a\",\"b\",\"\"]],\"highlight\":[\"7\"]}");
	cJSON *frame = json_of("{\"cars\":[[\"change\",[0,1],[1,2]]],"
			       "\"session\":[[\"change\",\"flagState\",[\"sc\",\"green\"]]],"
			       "\"messages\":[[2,\"c\",\"d\",\"\"]],\"highlight\":[\"8\"]}");
	struct lt_buf text = { 0 };
	(void)state;

	assert_true(lt_state_apply(value, frame, NULL));

	lt_json_print(&text, value, LT_JSON_COMPACT);
	assert_str_equal(lt_buf_str(&text),
			"{\"cars\":[[\"7\",2]],\"session\":{\"flagState\":\"green\"},"
			"\"messages\":[[2,\"c\",\"d\",\"\"],[1,\"a\",\"b\",\"\"]],"
			"\"highlight\":[\"8\"]}");
	lt_buf_finish(&text);
	cJSON_Delete(value);
	cJSON_Delete(frame);
}

static void a_frame_without_highlight_clears_it(void **state)
{
	cJSON *value = json_of("{\"cars\":[],\"session\":{},\"highlight\":[\"7\"]}");
	cJSON *frame = json_of("{\"cars\":[],\"session\":[],\"messages\":[]}");
	(void)state;

	assert_true(lt_state_apply(value, frame, NULL));

	assert_int_equal(cJSON_GetArraySize(lt_json_get(value, "highlight")), 0);
	cJSON_Delete(value);
	cJSON_Delete(frame);
}

static void broken_difference_frames_are_refused(void **state)
{
	static const struct {
		const char *frame, *error;
	} cases[] = {
		{ "[]", "a difference frame is not an object" },
		{ "{\"session\":[]}", "cars: missing in the difference" },
		{ "{\"cars\":[]}", "session: missing in the difference" },
		{ "{\"cars\":{},\"session\":[]}", "cars: a difference is not a list" },
		{ "{\"cars\":[],\"session\":[],\"messages\":{}}", "messages: not a list" },
		{ "{\"cars\":[],\"session\":[],\"highlight\":7}", "highlight: not a list" },
		{ "{\"cars\":[[\"change\",\"\",[0,{}]]],\"session\":[]}", "cars: not a list" },
		{ "{\"cars\":[[\"change\",[0],[0,7]]],\"session\":[]}", "cars[0]: not a list" },
		{ "{\"cars\":[[\"change\",[9],[0,7]]],\"session\":[]}",
				"cars: difference 0: change [9]: index 9 is out of range, the list "
				"has 1 elements" },
		{ "{\"cars\":[],\"session\":[[\"change\",\"\",[0,7]]]}", "session: not an object" },
		{ "{\"cars\":[],\"session\":[],\"messages\":[7]}", "messages[0]: not a list" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		cJSON *value = json_of("{\"cars\":[[\"7\"]],\"session\":{}}");
		cJSON *frame = json_of(cases[i].frame);

		assert_false(lt_state_apply(value, frame, &err));
		assert_string_equal(err.msg, cases[i].error);
		cJSON_Delete(value);
		cJSON_Delete(frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_state_is_that_of_the_original),
		cmocka_unit_test(states_of_another_shape_are_refused),
		cmocka_unit_test(a_difference_frame_changes_all_four_parts),
		cmocka_unit_test(a_frame_without_highlight_clears_it),
		cmocka_unit_test(broken_difference_frames_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
