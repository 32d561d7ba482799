#include "base/alloc.h"
#include "calendar/summary.h"
#include "support/golden.h"
#include "support/test.h"

static bool parse(const char *title, struct lt_summary *ret, struct lt_err *err)
{
	return lt_summary_parse(lt_str_from(title), ret, err);
}

static cJSON *summary_json(const char *title)
{
	struct lt_summary summary;
	cJSON *json, *args;

	if (!parse(title, &summary, NULL)) {
		return cJSON_CreateNull();
	}
	json = cJSON_CreateObject();
	args = cJSON_CreateArray();
	lt_json_add_c(json, "name", summary.name);
	lt_json_add_c(json, "service", summary.service);
	for (size_t i = 0; i < summary.args.n; i++) {
		cJSON_AddItemToArray(args, cJSON_CreateString(summary.args.v[i]));
	}
	lt_json_set_take(json, "args", args);
	lt_json_add_bool(json, "hidden", summary.is_hidden);
	lt_summary_finish(&summary);
	return json;
}

static void titles_are_read_as_the_original_reads_them(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *cases = golden_json("golden/calendar/summaries.json");
	const cJSON *item;

	(void)state;
	cJSON_ArrayForEach(item, cases) {
		const char *title = lt_json_get(item, "summary")->valuestring;
		LT_AUTO(cJSON_Delete) cJSON *actual = summary_json(title);
		LT_AUTO(cJSON_Delete)
		cJSON *expected = cJSON_Duplicate(lt_json_get(item, "event"), true);

		if (cJSON_IsObject(expected)) {
			cJSON_DeleteItemFromObject(expected, "listed_service");
		}
		assert_json_equal(actual, expected, title);
	}
}

static void assert_link(const char *title, const char *expected)
{
	struct lt_summary summary;

	assert_true(parse(title, &summary, NULL));
	assert_string_equal(lt_summary_link(&summary), expected);
	lt_summary_finish(&summary);
}

static void a_masquerade_is_found_in_every_form(void **state)
{
	(void)state;
	assert_link("Race [wec]", "wec");
	assert_link("Race [wec, --masquerade a]", "a");
	assert_link("Race [wec, -m a -m b]", "a");
	assert_link("Race [wec, --masquerade=a -v]", "a");
	assert_link("Race [wec, -m]", "wec");
}

static void assert_refused(const char *title, const char *expected)
{
	struct lt_summary summary;
	struct lt_err err = { 0 };

	assert_false(parse(title, &summary, &err));
	assert_string_equal(err.msg, expected);
}

static void a_refused_title_says_what_is_missing(void **state)
{
	(void)state;
	assert_refused("Race", "no service in brackets, as in \"Race [class]\"");
	assert_refused("", "no service in brackets, as in \"Race [class]\"");
	assert_refused("[wec]", "no name before the bracket");
	assert_refused("Race  [wec]", "more than one space before the bracket");
	assert_refused("A [wec]", "a name needs two characters at least");
	assert_refused("\xC3\x89 [wec]", "a name needs two characters at least");
	assert_refused("Race [wec", "the bracket is not closed");
	assert_refused("Race [wec, -v", "the bracket is not closed");
	assert_refused("Race [we*c]", "a service class cannot have a \"*\"");
	assert_refused("Race [wec,]", "a comma without arguments behind it");
	assert_refused("Race []", "no service class in the brackets");
}

static void the_last_character_of_a_name_may_be_a_bracket(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *actual = summary_json("Race [[wec]");
	LT_AUTO(cJSON_Delete)
	cJSON *expected = json_of("{\"name\":\"Race [\",\"service\":\"wec\",\"args\":[],"
				  "\"hidden\":false}");

	(void)state;
	assert_json_equal(actual, expected, "bracket");
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const titles[] = { "Race [wec]", "Race [wec, --hidden]",
		"Race [wec, -d Hello\\ World --x]", "Race [wec,  -v]",
		"\xC3\x89t\xC3\xA9 [a, --url http://x/?a,b]" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(titles); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
		struct lt_summary summary;

		assert_true(parse(titles[i], &summary, NULL));
		assert_true(lt_summary_write(&buf, &summary, NULL));
		assert_string_equal(buf.p, titles[i]);
		lt_summary_finish(&summary);
	}
}

static void an_argument_that_a_title_cannot_hold_is_refused(void **state)
{
	struct lt_summary summary = { .name = lt_strdup("Race"), .service = lt_strdup("wec") };
	struct lt_buf buf = { 0 };
	struct lt_err err = { 0 };

	(void)state;
	lt_args_add(&summary.args, LT_STR("a]b"));
	assert_false(lt_summary_write(&buf, &summary, &err));
	assert_string_equal(err.msg, "the argument \"a]b\" cannot stand in a title");
	assert_int_equal(buf.n, 0);
	lt_summary_finish(&summary);
	summary.name = lt_strdup("[");
	summary.service = lt_strdup("wec");
	assert_false(lt_summary_write(&buf, &summary, &err));
	assert_string_equal(err.msg, "\"[ [wec]\" is no title that can be read again");
	lt_summary_finish(&summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles_are_read_as_the_original_reads_them),
		cmocka_unit_test(a_masquerade_is_found_in_every_form),
		cmocka_unit_test(a_refused_title_says_what_is_missing),
		cmocka_unit_test(the_last_character_of_a_name_may_be_a_bracket),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(an_argument_that_a_title_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
