#include "base/alloc.h"
#include "race/delta.h"
#include "support/golden.h"
#include "support/test.h"

/* The examples that readers in other languages are tested with as well. */
#define FIXTURES "tests/fixtures/delta/"

static void assert_json(const cJSON *value, const cJSON *expected, const char *what)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, wanted = { 0 };

	if (!lt_json_equal(value, expected)) {
		lt_json_print(&text, value, LT_JSON_COMPACT);
		lt_json_print(&wanted, expected, LT_JSON_COMPACT);
		fail_msg("%s:\n%.*s\ninstead of\n%.*s", what, LT_STR_ARG(lt_buf_str(&text)),
				LT_STR_ARG(lt_buf_str(&wanted)));
	}
}

static cJSON *read_fixture(const char *path)
{
	struct lt_err err = { 0 };
	cJSON *list = lt_json_parse_file(path, 4u << 20, &err);

	if (!list) {
		fail_msg("%s", err.msg);
	}
	return list;
}

static void check_example(const cJSON *example)
{
	const char *name = lt_json_get(example, "name")->valuestring;
	const cJSON *result = lt_json_get(example, "result");
	struct lt_err err = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *state = cJSON_Duplicate(lt_json_get(example, "state"), true);
	bool ok = lt_delta_apply(state, lt_json_get(example, "diff"), &err);

	if (ok != (result != NULL)) {
		fail_msg("%s: %s", name, ok ? "was applied" : err.msg);
	}
	if (result) {
		assert_json(state, result, name);
	} else {
		assert_true(err.msg[0] != '\0');
	}
}

static void the_examples_of_the_protocol_are_applied_or_refused(void **state)
{
	static const char *const files[] = { FIXTURES "rules.json", FIXTURES "race.json" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(files); i++) {
		LT_AUTO(cJSON_Delete) cJSON *list = read_fixture(files[i]);
		const cJSON *example;

		assert_true(cJSON_GetArraySize(list) >= 10);
		cJSON_ArrayForEach(example, list) {
			check_example(example);
		}
	}
}

static void the_difference_that_is_made_leads_to_the_state(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *list = read_fixture(FIXTURES "race.json");
	const cJSON *example;
	int differences = 0;

	(void)state;
	cJSON_ArrayForEach(example, list) {
		const cJSON *result = lt_json_get(example, "result");
		LT_AUTO(cJSON_Delete)
		cJSON *reader = cJSON_Duplicate(lt_json_get(example, "state"), true);
		cJSON *shown = cJSON_Duplicate(reader, true);
		LT_AUTO(cJSON_Delete)
		cJSON *diff = lt_delta_step_take(&shown, cJSON_Duplicate(result, true));

		assert_json(shown, result, "what is shown");
		cJSON_Delete(shown);
		if (diff) {
			differences++;
			assert_true(lt_delta_apply(reader, diff, &(struct lt_err){ 0 }));
			assert_json(reader, result, "what a reader has");
		}
	}
	assert_true(differences > 5);
}

/* The text of the step between two states; "key" for a whole one. */
static void assert_step(const char *before, const char *after, const char *expected)
{
	cJSON *shown = json_of(before);
	LT_AUTO(cJSON_Delete) cJSON *diff = lt_delta_step_take(&shown, json_of(after));
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (diff) {
		lt_json_print(&text, diff, LT_JSON_COMPACT);
	} else {
		lt_buf_add_c(&text, "key");
	}
	lt_buf_add_char(&text, '\0');
	assert_string_equal(text.p, expected);
	cJSON_Delete(shown);
}

#define STATE(car, session, rest)                                                                  \
	"{\"cars\":[" car "],\"session\":{" session "},\"messages\":[],\"highlight\":[]" rest "}"

static void what_did_not_change_and_old_values_are_left_out(void **state)
{
	(void)state;
	assert_step(STATE("[1,2]", "\"a\":1", ""), STATE("[1,2]", "\"a\":1", ""), "{}");
	assert_step(STATE("[1,2]", "\"a\":1", ""), STATE("[1,3]", "\"a\":1", ""),
			"{\"cars\":[[\"change\",[0,1],[null,3]]]}");
	assert_step(STATE("[1]", "\"a\":1,\"b\":2", ""), STATE("[1]", "\"a\":1", ""),
			"{\"session\":[[\"remove\",\"\",[[\"b\",null]]]]}");
}

static void other_members_of_a_state_come_and_go(void **state)
{
	(void)state;
	assert_step(STATE("[1]", "", ",\"x\":1,\"y\":[2]"), STATE("[1]", "", ",\"x\":3,\"z\":{}"),
			"{\"set\":{\"x\":3,\"z\":{}},\"unset\":[\"y\"]}");
}

static void a_shorter_list_needs_the_whole_state(void **state)
{
	(void)state;
	assert_step(STATE("[1,2]", "", ""), STATE("[1]", "", ""), "key");
	assert_step(STATE("[1],[2]", "", ""), STATE("[1]", "", ""), "key");
}

static void what_differences_take_for_equal_needs_the_whole_state(void **state)
{
	(void)state;
	assert_step(STATE("[1]", "", ""), STATE("[true]", "", ""), "key");
	assert_step(STATE("[1]", "\"a\":{\"b\":0}", ""), STATE("[1]", "\"a\":{\"b\":false}", ""),
			"key");
}

static void the_first_state_is_whole(void **state)
{
	cJSON *shown = NULL;

	(void)state;
	assert_null(lt_delta_step_take(&shown, json_of(STATE("[1]", "", ""))));
	assert_non_null(shown);
	cJSON_Delete(shown);
}

static void a_completed_state_has_its_lists(void **state)
{
	LT_AUTO(cJSON_Delete)
	cJSON *value = json_of("{\"cars\":[],\"session\":{},\"messages\":null}");
	LT_AUTO(cJSON_Delete) cJSON *expected = json_of(STATE("", "", ""));

	(void)state;
	lt_delta_complete(value);
	assert_json(value, expected, "completed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_protocol_are_applied_or_refused),
		cmocka_unit_test(the_difference_that_is_made_leads_to_the_state),
		cmocka_unit_test(what_did_not_change_and_old_values_are_left_out),
		cmocka_unit_test(other_members_of_a_state_come_and_go),
		cmocka_unit_test(a_shorter_list_needs_the_whole_state),
		cmocka_unit_test(what_differences_take_for_equal_needs_the_whole_state),
		cmocka_unit_test(the_first_state_is_whole),
		cmocka_unit_test(a_completed_state_has_its_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
