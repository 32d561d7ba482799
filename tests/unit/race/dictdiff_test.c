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

/* Both as text, since the order of entries and the kind of numbers count. */
static void assert_same_text(const cJSON *actual, const cJSON *expected, const char *what)
{
	struct lt_buf a = { 0 }, b = { 0 };

	lt_json_print(&a, actual, LT_JSON_SPACED);
	lt_json_print(&b, expected, LT_JSON_SPACED);
	if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0) {
		fail_msg("%s: %s instead of %s", what, a.p, b.p);
	}
	lt_buf_finish(&a);
	lt_buf_finish(&b);
}

static void differences_are_those_of_the_original_to_the_byte(void **state)
{
	cJSON *cases = golden_json("golden/dictdiff_cases.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		cJSON *diff = lt_dictdiff_make(
				lt_json_get(entry, "first"), lt_json_get(entry, "second"));

		assert_same_text(diff, lt_json_get(entry, "diff"),
				lt_json_get(entry, "note")->valuestring);
		cJSON_Delete(diff);
	}
	cJSON_Delete(cases);
}

static void assert_difference(const char *before, const char *after, const char *expected_text)
{
	cJSON *old_value = json_of(before), *new_value = json_of(after);
	cJSON *expected = json_of(expected_text);
	cJSON *diff = lt_dictdiff_make(old_value, new_value);

	assert_same_text(diff, expected, before);
	cJSON_Delete(old_value);
	cJSON_Delete(new_value);
	cJSON_Delete(expected);
	cJSON_Delete(diff);
}

static void a_value_of_another_kind_changes_as_a_whole(void **state)
{
	(void)state;
	assert_difference("1", "\"1\"", "[[\"change\",\"\",[1,\"1\"]]]");
	assert_difference("[]", "{}", "[[\"change\",\"\",[[],{}]]]");
	assert_difference("[null]", "[false]", "[[\"change\",[0],[null,false]]]");
}

static void numbers_within_the_tolerance_are_equal(void **state)
{
	(void)state;
	assert_difference("[1,true,0,-0.0]", "[true,1.0,false,0]", "[]");
	assert_difference("[9007199254740992]", "[9007199254740994]", "[]");
	assert_difference("[9007199254740992]", "[9007199254740996]",
			"[[\"change\",[0],[9007199254740992,9007199254740996]]]");
	assert_difference("[1]", "[\"1\"]", "[[\"change\",[0],[1,\"1\"]]]");
}

static void members_of_large_objects_are_found_by_name(void **state)
{
	cJSON *old_value = cJSON_CreateObject(), *new_value = cJSON_CreateObject();
	char name[16];
	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		lt_json_add_int(old_value, name, i);
		snprintf(name, sizeof(name), "k%d", 1000 - i);
		lt_json_add_int(new_value, name, 1000 - i + (i == 500));
	}

	cJSON *diff = lt_dictdiff_make(old_value, new_value);

	cJSON *expected = json_of("[[\"change\",\"k500\",[500,501]],"
				  "[\"add\",\"\",[[\"k1000\",1000]]],"
				  "[\"remove\",\"\",[[\"k0\",0]]]]");
	assert_same_text(diff, expected, "large objects");
	cJSON_Delete(old_value);
	cJSON_Delete(new_value);
	cJSON_Delete(expected);
	cJSON_Delete(diff);
}

static bool shortens(const char *before, const char *after)
{
	cJSON *old_value = json_of(before), *new_value = json_of(after);
	cJSON *diff = lt_dictdiff_make(old_value, new_value);
	bool result = lt_dictdiff_shortens_list(diff);

	cJSON_Delete(old_value);
	cJSON_Delete(new_value);
	cJSON_Delete(diff);
	return result;
}

static void differences_that_shorten_a_list_are_told(void **state)
{
	(void)state;
	assert_true(shortens("[[1],[2]]", "[[1]]"));
	assert_true(shortens("[[1,2]]", "[[1]]"));
	assert_true(shortens("{\"a\":1,\"b\":[1]}", "{\"a\":2,\"b\":[]}"));
	assert_false(shortens("{\"a\":1}", "{}"));
	assert_false(shortens("[[1]]", "[[1],[2]]"));
	assert_false(shortens("[[1,2]]", "[5]"));
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
		cmocka_unit_test(differences_are_those_of_the_original_to_the_byte),
		cmocka_unit_test(a_value_of_another_kind_changes_as_a_whole),
		cmocka_unit_test(numbers_within_the_tolerance_are_equal),
		cmocka_unit_test(members_of_large_objects_are_found_by_name),
		cmocka_unit_test(differences_that_shorten_a_list_are_told),
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
