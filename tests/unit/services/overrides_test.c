/* What the control desk lays over a service. */
#include "base/alloc.h"
#include "services/desk/overrides.h"
#include "support/test.h"

#define NOW_MS INT64_C(1779000000000)

static int set_up(void **state)
{
	*state = lt_overrides_create();
	return 0;
}

static int tear_down(void **state)
{
	lt_overrides_destroy(*state);
	return 0;
}

static cJSON *parse(const char *text)
{
	cJSON *json = lt_json_parse(lt_str_from(text), NULL);

	assert_non_null(json);
	return json;
}

static bool order(struct lt_overrides *overrides, const char *name, const char *params,
		struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = parse(params);

	return lt_overrides_order(overrides, name, json, NOW_MS, err);
}

static void assert_json(const cJSON *json, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, json, LT_JSON_COMPACT);
	lt_buf_add_char(&text, '\0');
	assert_string_equal(text.p, expected);
}

static void texts_and_visibility_are_laid_over_a_manifest(void **state)
{
	struct lt_overrides *o = *state;
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = parse("{\"uuid\":\"u\",\"name\":\"feed\",\"description\":\"d\","
				"\"hidden\":false,\"source\":[\"feed\",\"\"]}");

	assert_true(order(o, "rename", "{\"name\":\"Grand Prix\"}", NULL));
	assert_true(order(o, "describe", "{\"text\":\"Race 2\"}", NULL));
	assert_true(order(o, "attribute", "{\"text\":\"Timing Ltd\",\"url\":\"https://t.example\"}",
			NULL));
	assert_true(order(o, "hide", "{}", NULL));
	lt_overrides_on_manifest(o, manifest);

	assert_json(manifest,
			"{\"uuid\":\"u\",\"name\":\"Grand Prix\",\"description\":\"Race 2\","
			"\"hidden\":true,\"source\":[\"Timing Ltd\",\"https://t.example\"]}");
}

static void unhide_wins_over_a_service_that_was_started_hidden(void **state)
{
	struct lt_overrides *o = *state;
	LT_AUTO(cJSON_Delete) cJSON *manifest = parse("{\"hidden\":true}");

	assert_true(order(o, "unhide", "{}", NULL));
	lt_overrides_on_manifest(o, manifest);

	assert_json(manifest, "{\"hidden\":false}");
}

static void a_private_service_is_hidden_and_says_so(void **state)
{
	struct lt_overrides *o = *state;
	LT_AUTO(cJSON_Delete) cJSON *manifest = parse("{\"hidden\":false}");

	assert_true(order(o, "private", "{}", NULL));
	lt_overrides_on_manifest(o, manifest);

	assert_json(manifest, "{\"hidden\":true,\"private\":true}");
}

static void a_flag_is_laid_over_each_state_and_given_back(void **state)
{
	struct lt_overrides *o = *state;
	LT_AUTO(cJSON_Delete)
	cJSON *first = parse("{\"session\":{\"flagState\":\"green\",\"timeElapsed\":1}}");
	LT_AUTO(cJSON_Delete) cJSON *second = parse("{\"session\":{\"flagState\":\"yellow\"}}");

	assert_true(order(o, "flag", "{\"flag\":\"RED\"}", NULL));
	lt_overrides_on_state(o, first);
	assert_json(first, "{\"session\":{\"flagState\":\"red\",\"timeElapsed\":1}}");
	lt_overrides_on_state(o, second);
	assert_json(second, "{\"session\":{\"flagState\":\"red\"}}");

	lt_overrides_off_state(o, second);
	assert_true(order(o, "clear", "{\"what\":\"flag\"}", NULL));
	lt_overrides_on_state(o, second);

	assert_json(second, "{\"session\":{\"flagState\":\"yellow\"}}");
	assert_true(lt_overrides_is_empty(o));
}

static void penalties_stand_in_the_session_until_each_is_cleared(void **state)
{
	struct lt_overrides *o = *state;
	LT_AUTO(cJSON_Delete) cJSON *one = parse("{\"session\":{\"flagState\":\"green\"}}");

	assert_true(order(o, "penalty", "{\"car\":\"7\",\"text\":\"10 s\"}", NULL));
	assert_true(order(o, "penalty", "{\"car\":\"12A\",\"text\":\"drive through\"}", NULL));
	lt_overrides_on_state(o, one);
	assert_json(one,
			"{\"session\":{\"flagState\":\"green\",\"penalties\":{"
			"\"7\":{\"text\":\"10 s\",\"since\":1779000000000},"
			"\"12A\":{\"text\":\"drive through\",\"since\":1779000000000}}}}");

	lt_overrides_off_state(o, one);
	assert_true(order(o, "clearPenalty", "{\"car\":\"7\"}", NULL));
	assert_true(order(o, "clearPenalty", "{\"car\":\"12A\"}", NULL));
	lt_overrides_on_state(o, one);

	assert_json(one, "{\"session\":{\"flagState\":\"green\"}}");
	assert_true(lt_overrides_is_empty(o));
}

static void the_message_of_a_penalty_names_its_car(void **state)
{
	LT_AUTO(cJSON_Delete)
	cJSON *message = lt_overrides_penalty_message(LT_STR("12A"), LT_STR("10 s"), 1779000000);

	(void)state;
	assert_json(message,
			"[1779000000,\"Race Control\",\"CAR 12A: 10 S\",\"raceControl\",\"12A\"]");
}

static void the_end_of_a_session_takes_flag_and_penalties_away(void **state)
{
	struct lt_overrides *o = *state;

	assert_true(order(o, "rename", "{\"name\":\"x\"}", NULL));
	assert_true(order(o, "flag", "{\"flag\":\"red\"}", NULL));
	assert_true(order(o, "penalty", "{\"car\":\"7\",\"text\":\"10 s\"}", NULL));

	lt_overrides_end_session(o);

	assert_json(lt_overrides_json(o), "{\"name\":\"x\"}");
}

static void what_was_ordered_is_read_back_from_its_file(void **state)
{
	struct lt_overrides *o = *state, *other = lt_overrides_create();

	assert_true(order(o, "rename", "{\"name\":\"Grand Prix\"}", NULL));
	assert_true(order(o, "attribute", "{\"text\":\"Timing Ltd\"}", NULL));
	assert_true(order(o, "unhide", "{}", NULL));
	assert_true(order(o, "private", "{}", NULL));
	assert_true(order(o, "flag", "{\"flag\":\"sc\"}", NULL));
	assert_true(order(o, "penalty", "{\"car\":\"7\",\"text\":\"10 s\"}", NULL));
	assert_true(order(o, "option", "{\"name\":\"speed\",\"value\":\"5\"}", NULL));
	LT_AUTO(cJSON_Delete) cJSON *file = lt_overrides_file(o);

	assert_true(lt_overrides_read(other, file, NULL));

	assert_true(lt_json_equal(lt_overrides_json(o), lt_overrides_json(other)));
	lt_overrides_destroy(other);
}

static void clear_takes_all_but_privacy(void **state)
{
	struct lt_overrides *o = *state;

	assert_true(order(o, "rename", "{\"name\":\"x\"}", NULL));
	assert_true(order(o, "flag", "{\"flag\":\"red\"}", NULL));
	assert_true(order(o, "option", "{\"name\":\"speed\",\"value\":\"5\"}", NULL));
	assert_true(order(o, "private", "{}", NULL));

	assert_true(order(o, "clear", "{}", NULL));

	assert_json(lt_overrides_json(o), "{\"private\":true}");
}

static void bad_orders_say_what_is_wrong_and_change_nothing(void **state)
{
	static const struct {
		const char *name, *params, *sentence;
	} cases[] = {
		{ "rename", "{}", "name: a text is missing" },
		{ "rename", "{\"name\":5}", "name: a text is missing" },
		{ "rename", "{\"name\":\"  \"}", "name: a text is missing" },
		{ "rename", "{\"name\":\"a\\nb\"}", "name: control characters are not allowed" },
		{ "rename", "{\"name\":\"a\\u009bb\"}",
				"name: control characters are not allowed" },
		{ "rename", "{\"name\":\"a\\u202eb\"}",
				"name: control characters are not allowed" },
		{ "flag", "{\"flag\":\"purple\"}",
				"flag: expected one of none, green, white, chequered, yellow, fcy, "
				"code_60, vsc, sc, caution, red, slow_zone, code_60_zone; not "
				"\"purple\"" },
		{ "attribute", "{\"text\":\"x\",\"url\":\"javascript:alert(1)\"}",
				"url: expected http:// or https://" },
		{ "clearPenalty", "{\"car\":\"9\"}", "car \"9\" has no penalty" },
		{ "penalty", "{\"car\":\"12345678901234567\",\"text\":\"x\"}",
				"car: at most 16 bytes, not 17" },
		{ "clear", "{\"what\":\"everything\"}",
				"what: expected name, description, attribution, hidden, flag, "
				"penalties or options, not \"everything\"" },
		{ "option", "{\"name\":\"speed\"}",
				"value: expected a text of at most 1000 bytes" },
		{ "explode", "{}", "there is no order \"explode\"" },
	};
	struct lt_overrides *o = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(order(o, cases[i].name, cases[i].params, &err));
		assert_string_equal(err.msg, cases[i].sentence);
	}
	assert_true(lt_overrides_is_empty(o));
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	char params[400];
	struct lt_err err = { 0 };

	snprintf(params, sizeof(params), "{\"name\":\"%0201d\"}", 1);
	assert_false(order(*state, "rename", params, &err));

	assert_string_equal(err.msg, "name: at most 200 bytes, not 201");
}

static void broken_files_leave_what_is_there(void **state)
{
	static const char *const files[] = { "[]", "null", "5", "{\"name\":5}", "{\"name\":\"\"}",
		"{\"flag\":\"purple\"}", "{\"attribution\":[]}", "{\"attribution\":\"x\"}",
		"{\"penalties\":{\"7\":5}}", "{\"penalties\":[[1]]}", "{\"options\":{\"a\":5}}" };
	struct lt_overrides *o = *state;

	assert_true(order(o, "rename", "{\"name\":\"x\"}", NULL));
	for (size_t i = 0; i < LT_ARRAY_LEN(files); i++) {
		LT_AUTO(cJSON_Delete) cJSON *file = parse(files[i]);
		struct lt_err err = { 0 };

		if (lt_overrides_read(o, file, &err)) {
			fail_msg("%s", files[i]);
		}
		assert_true(err.msg[0] != '\0');
	}

	assert_json(lt_overrides_json(o), "{\"name\":\"x\"}");
}

static void states_of_odd_shapes_are_left_alone(void **state)
{
	static const char *const states[] = { "{}", "[]", "{\"session\":5}", "{\"session\":null}" };
	struct lt_overrides *o = *state;

	assert_true(order(o, "flag", "{\"flag\":\"red\"}", NULL));
	for (size_t i = 0; i < LT_ARRAY_LEN(states); i++) {
		LT_AUTO(cJSON_Delete) cJSON *json = parse(states[i]);

		lt_overrides_on_state(o, json);
		lt_overrides_off_state(o, json);
		assert_json(json, states[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_and_visibility_are_laid_over_a_manifest),
		TEST(unhide_wins_over_a_service_that_was_started_hidden),
		TEST(a_private_service_is_hidden_and_says_so),
		TEST(a_flag_is_laid_over_each_state_and_given_back),
		TEST(penalties_stand_in_the_session_until_each_is_cleared),
		TEST(the_message_of_a_penalty_names_its_car),
		TEST(the_end_of_a_session_takes_flag_and_penalties_away),
		TEST(what_was_ordered_is_read_back_from_its_file),
		TEST(clear_takes_all_but_privacy),
		TEST(bad_orders_say_what_is_wrong_and_change_nothing),
		TEST(a_text_that_is_too_long_is_refused),
		TEST(broken_files_leave_what_is_there),
		TEST(states_of_odd_shapes_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
