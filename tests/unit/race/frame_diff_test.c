#include "race/frame_diff.h"
#include "race/message.h"
#include "race/state.h"
#include "support/golden.h"
#include "support/test.h"

#define STATE(messages)                                                                            \
	"{\"cars\":[[\"7\",1]],\"session\":{\"flagState\":\"sc\"},\"messages\":" messages          \
	",\"highlight\":[]}"
#define M(time, text) "[" #time ",\"Track\",\"" text "\",\"\"]"

static cJSON *diff_of(const char *before, const char *after)
{
	cJSON *old_state = json_of(before), *new_state = json_of(after);
	cJSON *frame = lt_frame_diff(old_state, new_state);

	cJSON_Delete(old_state);
	cJSON_Delete(new_state);
	return frame;
}

static void assert_frame(const char *before, const char *after, const char *expected_text)
{
	cJSON *frame = diff_of(before, after), *expected = json_of(expected_text);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, wanted = { 0 };

	assert_non_null(frame);
	lt_json_print(&text, frame, LT_JSON_COMPACT);
	lt_json_print(&wanted, expected, LT_JSON_COMPACT);
	assert_string_equal(text.p, wanted.p);
	cJSON_Delete(frame);
	cJSON_Delete(expected);
}

static void assert_key_frame_needed(const char *before, const char *after)
{
	assert_null(diff_of(before, after));
}

static void a_frame_has_the_four_parts_in_the_order_of_the_original(void **state)
{
	(void)state;
	assert_frame("{\"cars\":[[\"7\",1]],\"session\":{\"flagState\":\"sc\"},\"messages\":[],"
		     "\"highlight\":[]}",
			"{\"messages\":[" M(5,
					"a") "],\"highlight\":[\"7\"],"
					     "\"cars\":[[\"7\",2]],\"session\":{\"flagState\":\"red\"}}",
			"{\"cars\":[[\"change\",[0,1],[1,2]]],"
			"\"session\":[[\"change\",\"flagState\",[\"sc\",\"red\"]]],"
			"\"messages\":[" M(5, "a") "],\"highlight\":[\"7\"]}");
}

static void messages_and_highlight_may_be_absent(void **state)
{
	(void)state;
	assert_frame("{\"cars\":[],\"session\":{}}", "{\"cars\":[],\"session\":{}}",
			"{\"cars\":[],\"session\":[],\"messages\":[],\"highlight\":[]}");
}

static void a_message_of_the_second_of_the_newest_is_not_lost(void **state)
{
	(void)state;
	assert_frame(STATE("[" M(5, "a") "]"), STATE("[" M(5, "b") "," M(5, "a") "]"),
			"{\"cars\":[],\"session\":[],\"messages\":[" M(
					5, "b") "],\"highlight\":[]}");
}

static void messages_that_were_taken_back_need_a_key_frame(void **state)
{
	(void)state;
	assert_key_frame_needed(STATE("[" M(5, "a") "]"), STATE("[]"));
	assert_key_frame_needed(STATE("[" M(5, "a") "]"), STATE("[" M(5, "b") "]"));
	assert_key_frame_needed(STATE("[" M(5, "a") "," M(4, "c") "]"),
			STATE("[" M(6, "b") "," M(5, "a") "]"));
}

static void lists_that_became_shorter_need_a_key_frame(void **state)
{
	(void)state;
	assert_key_frame_needed(
			"{\"cars\":[[1],[2]],\"session\":{}}", "{\"cars\":[[1]],\"session\":{}}");
	assert_key_frame_needed("{\"cars\":[],\"session\":{\"trackData\":[1,2]}}",
			"{\"cars\":[],\"session\":{\"trackData\":[1]}}");
}

/* A state with messages at the times from - 1 down to to. */
static cJSON *state_with_messages(int from, int to)
{
	cJSON *value = json_of("{\"cars\":[],\"session\":{},\"messages\":[],\"highlight\":[]}");

	for (int time = from - 1; time >= to; time--) {
		cJSON *message = json_of("[\"Track\",\"a\",\"\"]");

		cJSON_InsertItemInArray(message, 0, lt_json_new_int(time));
		cJSON_AddItemToArray(lt_json_get(value, "messages"), message);
	}
	return value;
}

static void messages_beyond_the_bound_are_pushed_out(void **state)
{
	cJSON *before = state_with_messages(LT_MESSAGES_MAX, 0);
	cJSON *after = state_with_messages(LT_MESSAGES_MAX + 3, 3);
	cJSON *all_new = state_with_messages(3 * LT_MESSAGES_MAX, 2 * LT_MESSAGES_MAX);
	(void)state;

	cJSON *few = lt_frame_diff(before, after), *all = lt_frame_diff(before, all_new);

	assert_int_equal(cJSON_GetArraySize(lt_json_get(few, "messages")), 3);
	assert_int_equal(cJSON_GetArraySize(lt_json_get(all, "messages")), LT_MESSAGES_MAX);
	assert_true(lt_state_apply(before, few, NULL));
	assert_json_equal(before, after, "applied");
	cJSON_Delete(before);
	cJSON_Delete(after);
	cJSON_Delete(all_new);
	cJSON_Delete(few);
	cJSON_Delete(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_has_the_four_parts_in_the_order_of_the_original),
		cmocka_unit_test(messages_and_highlight_may_be_absent),
		cmocka_unit_test(a_message_of_the_second_of_the_newest_is_not_lost),
		cmocka_unit_test(messages_that_were_taken_back_need_a_key_frame),
		cmocka_unit_test(lists_that_became_shorter_need_a_key_frame),
		cmocka_unit_test(messages_beyond_the_bound_are_pushed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
