#include "store/catalogue.h"
#include "support/golden.h"
#include "support/test.h"

#define ANY ((struct lt_str){ NULL, 0 })

static struct lt_catalogue *golden_catalogue(void)
{
	return lt_catalogue_create_take(golden_json("golden/index/index_after_reindex.json"));
}

static struct lt_str str_arg(const cJSON *args, int index)
{
	const cJSON *arg = cJSON_GetArrayItem(args, index);

	return cJSON_IsString(arg) ? lt_str_from(arg->valuestring) : ANY;
}

static void answers_are_those_of_the_original(void **state)
{
	struct lt_catalogue *catalogue = golden_catalogue();
	cJSON *result = golden_json("golden/index/result.json");
	const cJSON *call, *args;
	int count = 0;
	(void)state;

	cJSON_ArrayForEach(call, lt_json_get(result, "calls")) {
		const cJSON *expected = lt_json_get(call, "returned");
		cJSON *actual = NULL;

		if ((args = lt_json_get(call, "get_page"))) {
			actual = lt_catalogue_page(catalogue, args->child->valueint,
					str_arg(args, 1),
					cJSON_IsTrue(cJSON_GetArrayItem(args, 2)));
			assert_json_equal(actual, expected, "page");
		} else if ((args = lt_json_get(call, "get_names"))) {
			actual = lt_catalogue_names(catalogue, cJSON_IsTrue(args->child), false);
			assert_same_set(actual, lt_json_get(call, "returned_as_set"), "names");
		} else if ((args = lt_json_get(call, "get_manifest"))) {
			const cJSON *entry = lt_catalogue_manifest(catalogue, str_arg(args, 0));
			actual = entry ? cJSON_Duplicate(entry, true) : cJSON_CreateNull();
			assert_json_equal(actual, expected, "manifest");
		}
		assert_non_null(actual);
		cJSON_Delete(actual);
		count++;
	}
	assert_int_equal(count, 9);
	lt_catalogue_destroy(catalogue);
	cJSON_Delete(result);
}

/* u001 to u120 by start; every seventh is hidden, names N0 to N2. */
static struct lt_catalogue *of_120(void)
{
	cJSON *index = cJSON_CreateObject();

	for (int i = 1; i <= 120; i++) {
		cJSON *entry = cJSON_CreateObject();
		char text[32];

		snprintf(text, sizeof(text), "u%03d", i);
		lt_json_add_c(entry, "uuid", text);
		lt_json_add_int(entry, "startTime", 1700000000 + i);
		lt_json_add_float(entry, "duration", (i * 37) % 101);
		snprintf(text, sizeof(text), "Race %d at S\xC3\xA9pang", i);
		lt_json_add_c(entry, "description", text);
		snprintf(text, sizeof(text), "N%d", i % 3);
		lt_json_add_c(entry, "name", text);
		if (i % 7 == 0) {
			lt_json_add_bool(entry, "hidden", true);
		}
		lt_json_set_take(index, lt_json_get(entry, "uuid")->valuestring, entry);
	}
	return lt_catalogue_create_take(index);
}

/* "total pages first..last" of an answer, which is freed. */
static void assert_answer(cJSON *answer, const char *expected)
{
	const cJSON *list = lt_json_get(answer, "recordings");
	const cJSON *first = list->child;
	const cJSON *last = first ? first->prev : NULL;
	char text[64];

	snprintf(text, sizeof(text), "%d %d %s..%s", lt_json_get(answer, "total")->valueint,
			lt_json_get(answer, "pages")->valueint,
			first ? lt_json_get(first, "uuid")->valuestring : "",
			last ? lt_json_get(last, "uuid")->valuestring : "");
	assert_string_equal(text, expected);
	cJSON_Delete(answer);
}

static void pages_are_of_fifty_newest_first(void **state)
{
	struct lt_catalogue *catalogue = of_120();
	(void)state;

	assert_answer(lt_catalogue_page(catalogue, 1, ANY, false), "103 3 u120..u062");
	assert_answer(lt_catalogue_page(catalogue, 2, ANY, false), "103 3 u061..u004");
	assert_answer(lt_catalogue_page(catalogue, 3, ANY, false), "103 3 u003..u001");
	assert_answer(lt_catalogue_page(catalogue, 1, ANY, true), "120 3 u120..u071");
	assert_answer(lt_catalogue_page(catalogue, 1, LT_STR("N2"), true), "40 1 u119..u002");
	lt_catalogue_destroy(catalogue);
}

static void pages_that_are_not_there_are_empty(void **state)
{
	static const int64_t pages[] = { 4, 0, -1, INT64_MIN, INT64_MAX, INT64_MAX / 50 + 1 };
	struct lt_catalogue *catalogue = of_120();
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(pages); i++) {
		assert_answer(lt_catalogue_page(catalogue, pages[i], ANY, false), "103 3 ..");
	}
	lt_catalogue_destroy(catalogue);
}

static void every_word_has_to_occur_in_name_or_description(void **state)
{
	struct lt_catalogue *catalogue = of_120();
	struct lt_catalogue_query query = { .page = 1, .show_hidden = true };
	(void)state;

	query.text = LT_STR("  race 55  ");
	assert_answer(lt_catalogue_search(catalogue, &query), "1 1 u055..u055");
	query.text = LT_STR("S\xC3\x89PANG n1 100");
	assert_answer(lt_catalogue_search(catalogue, &query), "1 1 u100..u100");
	query.text = LT_STR("nothing");
	assert_answer(lt_catalogue_search(catalogue, &query), "0 0 ..");
	/* Words do not run from the name into the description. */
	query.text = LT_STR("1race");
	assert_answer(lt_catalogue_search(catalogue, &query), "0 0 ..");
	lt_catalogue_destroy(catalogue);
}

static void a_search_can_be_bounded_by_start(void **state)
{
	struct lt_catalogue *catalogue = of_120();
	struct lt_catalogue_query query = { .page = 1, .show_hidden = true };
	(void)state;

	query.from_s = 1700000010;
	query.until_s = 1700000020;
	assert_answer(lt_catalogue_search(catalogue, &query), "10 1 u019..u010");
	query.from_s = 0;
	assert_answer(lt_catalogue_search(catalogue, &query), "19 1 u019..u001");
	query = (struct lt_catalogue_query){ .page = 1, .show_hidden = true, .from_s = 1700000118 };
	assert_answer(lt_catalogue_search(catalogue, &query), "3 1 u120..u118");
	lt_catalogue_destroy(catalogue);
}

static void a_search_can_be_sorted(void **state)
{
	struct lt_catalogue *catalogue = of_120();
	struct lt_catalogue_query query = { .page = 1, .show_hidden = true, .per_page = 3 };
	(void)state;

	query.sort = LT_SORT_DURATION;
	assert_answer(lt_catalogue_search(catalogue, &query), "120 40 u030..u090");
	query.ascending = true;
	assert_answer(lt_catalogue_search(catalogue, &query), "120 40 u101..u041");
	query.sort = LT_SORT_NAME;
	assert_answer(lt_catalogue_search(catalogue, &query), "120 40 u003..u009");
	query.ascending = false;
	assert_answer(lt_catalogue_search(catalogue, &query), "120 40 u119..u113");
	lt_catalogue_destroy(catalogue);
}

static void the_words_of_sorting_are_the_members_of_an_entry(void **state)
{
	enum lt_catalogue_sort sort;
	struct lt_err err = { .code = LT_E_NONE };
	(void)state;

	assert_true(lt_catalogue_sort_parse(LT_STR("startTime"), &sort, NULL));
	assert_int_equal(sort, LT_SORT_START);
	assert_true(lt_catalogue_sort_parse(LT_STR("name"), &sort, NULL));
	assert_int_equal(sort, LT_SORT_NAME);
	assert_true(lt_catalogue_sort_parse(LT_STR("duration"), &sort, NULL));
	assert_int_equal(sort, LT_SORT_DURATION);
	assert_false(lt_catalogue_sort_parse(LT_STR("uuid"), &sort, &err));
	assert_string_equal(
			err.msg, "cannot sort by \"uuid\", only by startTime, name or duration");
}

static void entries_of_another_shape_do_no_harm(void **state)
{
	struct lt_catalogue *catalogue = lt_catalogue_create_take(json_of(
			"{\"a\":{},\"b\":7,\"c\":{\"name\":[],\"startTime\":\"x\",\"uuid\":1}}"));
	cJSON *names = lt_catalogue_names(catalogue, false, false);
	(void)state;

	assert_int_equal(lt_catalogue_count(catalogue), 3);
	assert_int_equal(cJSON_GetArraySize(names), 1);
	assert_null(lt_catalogue_manifest(catalogue, LT_STR("x")));
	cJSON_Delete(names);
	lt_catalogue_destroy(catalogue);
}

static void of_recordings_that_share_a_uuid_the_newest_is_given(void **state)
{
	struct lt_catalogue *catalogue = lt_catalogue_create_take(
			json_of("{\"a\":{\"uuid\":\"u\",\"startTime\":2},"
				"\"b\":{\"uuid\":\"u\",\"startTime\":3},"
				"\"c\":{\"uuid\":\"u\",\"startTime\":1}}"));
	(void)state;

	const cJSON *entry = lt_catalogue_manifest(catalogue, LT_STR("u"));

	assert_string_equal(entry->string, "b");
	lt_catalogue_destroy(catalogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_the_original),
		cmocka_unit_test(pages_are_of_fifty_newest_first),
		cmocka_unit_test(pages_that_are_not_there_are_empty),
		cmocka_unit_test(every_word_has_to_occur_in_name_or_description),
		cmocka_unit_test(a_search_can_be_bounded_by_start),
		cmocka_unit_test(a_search_can_be_sorted),
		cmocka_unit_test(the_words_of_sorting_are_the_members_of_an_entry),
		cmocka_unit_test(entries_of_another_shape_do_no_harm),
		cmocka_unit_test(of_recordings_that_share_a_uuid_the_newest_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
