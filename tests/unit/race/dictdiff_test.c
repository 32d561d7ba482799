#include "race/dictdiff.h"
#include "support/golden.h"
#include "support/test.h"

static void differences_of_the_original_apply(void **state)
{
	cJSON *cases = golden_json("golden/dictdiff_cases.json");
	const cJSON *entry;
	int count = 0;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		bool exact = cJSON_IsTrue(lt_json_get(entry, "patched_equals_second"));
		const char *note = lt_json_get(entry, "note")->valuestring;
		cJSON *value = cJSON_Duplicate(lt_json_get(entry, "first"), true);
		struct lt_err err = { .code = LT_E_NONE };

		if (!lt_dictdiff_apply(&value, lt_json_get(entry, "diff"), &err)) {
			fail_msg("%s: %s", note, err.msg);
		}
		/* Differences below the tolerance are no differences: 1 and true, say, stay. */
		if (!lt_json_equal(value, lt_json_get(entry, exact ? "second" : "patched"))) {
			assert_json_equal(value, lt_json_get(entry, "second"), note);
		}
		cJSON_Delete(value);
		count++;
	}
	assert_int_equal(count, 176);
	cJSON_Delete(cases);
}

static void assert_applies(const char *before, const char *diff_text, const char *after)
{
	cJSON *value = json_of(before), *diff = json_of(diff_text), *expected = json_of(after);
	struct lt_err err = { .code = LT_E_NONE };

	if (!lt_dictdiff_apply(&value, diff, &err)) {
		fail_msg("%s: %s", diff_text, err.msg);
	}
	assert_json_equal(value, expected, diff_text);
	cJSON_Delete(value);
	cJSON_Delete(diff);
	cJSON_Delete(expected);
}

static void a_change_of_the_root_replaces_it(void **state)
{
	(void)state;
	assert_applies("[1]", "[[\"change\",\"\",[[1],{\"a\":2}]]]", "{\"a\":2}");
	assert_applies("[1]", "[[\"change\",[],[[1],5]]]", "5");
}

static void the_empty_path_of_a_change_can_be_the_empty_key(void **state)
{
	(void)state;
	assert_applies("{\"\":1,\"a\":2}", "[[\"change\",\"\",[1,3]]]", "{\"\":3,\"a\":2}");
}

static void an_addition_to_a_list_inserts(void **state)
{
	(void)state;
	assert_applies("[1,3]", "[[\"add\",\"\",[[1,2],[3,4]]]]", "[1,2,3,4]");
}

static void numeric_parts_of_a_text_path_index_lists(void **state)
{
	(void)state;
	assert_applies("{\"a\":[{\"1\":0}]}", "[[\"change\",\"a.0.1\",[0,5]]]",
			"{\"a\":[{\"1\":5}]}");
}

static void a_change_ignores_the_old_value_and_sets_new_members(void **state)
{
	(void)state;
	assert_applies("{\"a\":1}", "[[\"change\",\"a\",[7,2]],[\"change\",\"b\",[0,3]]]",
			"{\"a\":2,\"b\":3}");
}

static void keys_are_told_apart_by_case(void **state)
{
	(void)state;
	assert_applies("{\"a\":1,\"A\":2}",
			"[[\"change\",\"A\",[2,3]],[\"remove\",\"\",[[\"a\",1]]]]", "{\"A\":3}");
}

static void broken_differences_are_refused_with_the_path(void **state)
{
	static const struct {
		const char *value, *diff, *error;
	} cases[] = {
		{ "[]", "{}", "a difference is not a list" },
		{ "[]", "[7]", "difference 0: not a list of action, path and changes" },
		{ "[]", "[[\"add\",\"\"]]",
				"difference 0: not a list of action, path and changes" },
		{ "[]", "[[\"move\",\"\",[]]]",
				"difference 0: move \"\": unknown action \"move\"" },
		{ "[]", "[[\"change\",7,[0,1]]]",
				"difference 0: change 7: the path is neither a text nor a list" },
		{ "[[1]]", "[[\"change\",[0,-1],[1,2]]]",
				"difference 0: change [0,-1]: a part of the path is neither a text "
				"nor an index" },
		{ "[[1]]", "[[\"change\",[0,0.5],[1,2]]]",
				"difference 0: change [0,0.5]: a part of the path is neither a "
				"text nor an index" },
		{ "[[1]]", "[[\"change\",[0,0],[1,2]],[\"change\",[0,3],[1,2]]]",
				"difference 1: change [0,3]: index 3 is out of range, the list has "
				"1 elements" },
		{ "[[1]]", "[[\"change\",[2,0],[1,2]]]",
				"difference 0: change [2,0]: index 2 is out of range, the list has "
				"1 elements" },
		{ "[[1]]", "[[\"change\",\"x\",[1,2]]]",
				"difference 0: change \"x\": a list has no element \"x\"" },
		{ "{\"a\":1}", "[[\"change\",\"b.c\",[1,2]]]",
				"difference 0: change \"b.c\": no member \"b\"" },
		{ "{\"a\":1}", "[[\"change\",\"a.c\",[1,2]]]",
				"difference 0: change \"a.c\": \"c\" inside of a number" },
		{ "{\"a\":1}", "[[\"change\",[0],[1,2]]]",
				"difference 0: change [0]: 0 inside of an object" },
		{ "{\"a\":1}", "[[\"change\",\"a\",[1]]]",
				"difference 0: change \"a\": a change is not [old, new]" },
		{ "{\"a\":1}", "[[\"change\",\"a\",5]]",
				"difference 0: change \"a\": a change is not [old, new]" },
		{ "[1]", "[[\"add\",\"\",[[3,2]]]]",
				"difference 0: add \"\": cannot add at index 3, the list has 1 "
				"elements" },
		{ "{}", "[[\"add\",\"\",[[3,2]]]]",
				"difference 0: add \"\": index 3 in an object" },
		{ "{\"a\":1}", "[[\"add\",\"a\",[[\"b\",2]]]]",
				"difference 0: add \"a\": a number is not a container" },
		{ "[]", "[[\"add\",\"\",5]]",
				"difference 0: add \"\": not a list of [key, value]" },
		{ "[]", "[[\"add\",\"\",[[0]]]]",
				"difference 0: add \"\": not a list of [key, value]" },
		{ "[]", "[[\"add\",\"\",[[null,1]]]]",
				"difference 0: add \"\": a key is neither a text nor an index" },
		{ "[1]", "[[\"remove\",\"\",[[1,2]]]]",
				"difference 0: remove \"\": index 1 is out of range, the list has 1 "
				"elements" },
		{ "{}", "[[\"remove\",\"\",[[\"a\",2]]]]",
				"difference 0: remove \"\": no member \"a\"" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		cJSON *value = json_of(cases[i].value), *diff = json_of(cases[i].diff);
		struct lt_err err = { .code = LT_E_NONE };

		assert_false(lt_dictdiff_apply(&value, diff, &err));
		assert_string_equal(err.msg, cases[i].error);
		cJSON_Delete(value);
		cJSON_Delete(diff);
	}
}

static void a_path_of_too_many_parts_is_refused(void **state)
{
	struct lt_buf text = { 0 };
	struct lt_err err = { .code = LT_E_NONE };
	cJSON *value = json_of("{}");
	(void)state;

	lt_buf_add_c(&text, "[[\"change\",\"a");
	for (int i = 0; i < 600; i++) {
		lt_buf_add_c(&text, ".a");
	}
	lt_buf_add_c(&text, "\",[0,1]]]");
	cJSON *diff = json_of(text.p);

	assert_false(lt_dictdiff_apply(&value, diff, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	cJSON_Delete(value);
	cJSON_Delete(diff);
	lt_buf_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_of_the_original_apply),
		cmocka_unit_test(a_change_of_the_root_replaces_it),
		cmocka_unit_test(the_empty_path_of_a_change_can_be_the_empty_key),
		cmocka_unit_test(an_addition_to_a_list_inserts),
		cmocka_unit_test(numeric_parts_of_a_text_path_index_lists),
		cmocka_unit_test(a_change_ignores_the_old_value_and_sets_new_members),
		cmocka_unit_test(keys_are_told_apart_by_case),
		cmocka_unit_test(broken_differences_are_refused_with_the_path),
		cmocka_unit_test(a_path_of_too_many_parts_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
