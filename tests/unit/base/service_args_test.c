#include "base/alloc.h"
#include "base/json.h"
#include "base/service_args.h"
#include "support/test.h"

static struct lt_service_args parse(const char *line)
{
	struct lt_args args = { 0 };
	struct lt_service_args parsed = { 0 };
	struct lt_err err = { 0 };

	if (!lt_args_split(&args, lt_str_from(line), &err) ||
			!lt_service_args_parse(&args, &parsed, &err)) {
		fail_msg("%s: %s", line, err.msg);
	}
	lt_args_finish(&args);
	return parsed;
}

static void expect_error(const char *line, const char *message)
{
	struct lt_args args = { 0 };
	struct lt_service_args parsed;
	struct lt_err err = { 0 };

	assert_true(lt_args_split(&args, lt_str_from(line), &err));
	assert_false(lt_service_args_parse(&args, &parsed, &err));

	assert_string_equal(err.msg, message);
	lt_args_finish(&args);
}

static void expect_text(const cJSON *options, const char *key, const char *actual)
{
	const cJSON *expected = lt_json_get(options, key);

	if (cJSON_IsString(expected)) {
		assert_non_null(actual);
		assert_string_equal(actual, expected->valuestring);
	} else {
		assert_null(actual);
	}
}

static void expect_flag(const cJSON *options, const char *key, bool actual)
{
	assert_int_equal(actual, cJSON_IsTrue(lt_json_get(options, key)));
}

static void expect_case(const cJSON *golden)
{
	const cJSON *options = lt_json_get(golden, "options"), *item;
	struct lt_args args = { 0 }, extra = { 0 };
	struct lt_service_args parsed;

	cJSON_ArrayForEach(item, lt_json_get(golden, "argv")) {
		lt_args_add(&args, lt_str_from(item->valuestring));
	}
	cJSON_ArrayForEach(item, lt_json_get(golden, "extra")) {
		lt_args_add(&extra, lt_str_from(item->valuestring));
	}

	assert_true(lt_service_args_parse(&args, &parsed, NULL));

	expect_text(options, "service_class", parsed.service_class);
	expect_text(options, "initial_state", parsed.initial_state);
	expect_text(options, "recording_file", parsed.recording_file);
	expect_text(options, "description", parsed.description);
	expect_text(options, "masquerade", parsed.masquerade);
	expect_text(options, "uuid", parsed.uuid);
	expect_flag(options, "verbose", parsed.verbose);
	expect_flag(options, "debug", parsed.debug);
	expect_flag(options, "disable_analysis", parsed.disable_analysis);
	expect_flag(options, "hidden", parsed.hidden);
	expect_flag(options, "do_not_record", parsed.do_not_record);
	expect_flag(options, "standalone", parsed.standalone);
	expect_flag(options, "no_write_state", parsed.no_write_state);
	expect_flag(options, "upnp", parsed.upnp);
	assert_true(lt_args_equal(&parsed.extra, &extra));
	lt_args_finish(&args);
	lt_args_finish(&extra);
	lt_service_args_finish(&parsed);
}

static void command_lines_are_read_as_the_original_reads_them(void **state)
{
	(void)state;
	char *path = shared_path("golden/service_cli.json");
	LT_AUTO(cJSON_Delete) cJSON *cases = lt_json_parse_file(path, 1 << 20, NULL);
	const cJSON *item;

	assert_true(cJSON_GetArraySize(cases) > 0);
	cJSON_ArrayForEach(item, cases) {
		expect_case(item);
	}
	free(path);
}

static void long_options_may_be_abbreviated(void **state)
{
	(void)state;
	struct lt_service_args args = parse("wec --hid --desc text --init=a/b.json --do");

	assert_true(args.hidden);
	assert_true(args.do_not_record);
	assert_string_equal(args.description, "text");
	assert_string_equal(args.initial_state, "a/b.json");
	lt_service_args_finish(&args);
}

static void short_options_may_be_joined_and_carry_their_value(void **state)
{
	(void)state;
	struct lt_service_args args = parse("-vHNdfoo wec");

	assert_true(args.verbose && args.hidden && args.do_not_record);
	assert_string_equal(args.description, "foo");
	assert_string_equal(args.service_class, "wec");
	lt_service_args_finish(&args);
}

static void a_value_option_before_another_option_stays_unset(void **state)
{
	(void)state;
	struct lt_service_args args = parse("wec -d -H -m -s");

	assert_null(args.description);
	assert_null(args.masquerade);
	assert_null(args.initial_state);
	assert_true(args.hidden);
	lt_service_args_finish(&args);
}

static void a_negative_number_is_a_value(void **state)
{
	(void)state;
	struct lt_service_args args = parse("wec --offset -5 -d -3");

	assert_string_equal(args.description, "-3");
	assert_int_equal(args.extra.n, 2);
	assert_string_equal(args.extra.v[1], "-5");
	lt_service_args_finish(&args);
}

static void joined_letters_with_a_foreign_one_go_to_the_plugin(void **state)
{
	(void)state;
	struct lt_service_args args = parse("wec -vx");

	assert_false(args.verbose);
	assert_string_equal(args.extra.v[0], "-vx");
	lt_service_args_finish(&args);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	expect_error("", "no service class: name a plugin");
	expect_error("-v", "no service class: name a plugin");
	expect_error("wec --uuid", "--uuid expects a value");
	expect_error("wec --hidden=yes", "--hidden takes no value");
	expect_error("wec --d x", "option \"d\" could mean --description or --debug");
}

static void a_line_is_split_at_spaces_outside_quotes(void **state)
{
	(void)state;
	struct lt_args args = { 0 };

	assert_true(lt_args_split(&args, LT_STR(" a  'b c' \"d \\\" e\" f\\ g '' "), NULL));

	assert_int_equal(args.n, 5);
	assert_string_equal(args.v[1], "b c");
	assert_string_equal(args.v[2], "d \" e");
	assert_string_equal(args.v[3], "f g");
	assert_string_equal(args.v[4], "");
	lt_args_finish(&args);
}

static void an_open_quote_is_refused(void **state)
{
	(void)state;
	struct lt_args args = { 0 };
	struct lt_err err;

	assert_false(lt_args_split(&args, LT_STR("a 'b"), &err));
	assert_string_equal(err.msg, "a quote (') that is not closed");
	assert_false(lt_args_split(&args, LT_STR("a \\"), &err));
	assert_string_equal(err.msg, "a backslash at the end of a command line");
	lt_args_finish(&args);
}

static void joining_and_splitting_give_the_same_arguments(void **state)
{
	(void)state;
	struct lt_args args = { 0 }, again = { 0 };
	struct lt_buf line = { 0 };

	assert_true(lt_args_split(&args, LT_STR("plain 'two words' '' 'a\"b' 'c\\d' 'e;f'"), NULL));
	lt_args_join(&line, &args);
	assert_true(lt_args_split(&again, lt_buf_str(&line), NULL));

	assert_true(lt_args_equal(&args, &again));
	lt_buf_finish(&line);
	lt_args_finish(&args);
	lt_args_finish(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_are_read_as_the_original_reads_them),
		cmocka_unit_test(long_options_may_be_abbreviated),
		cmocka_unit_test(short_options_may_be_joined_and_carry_their_value),
		cmocka_unit_test(a_value_option_before_another_option_stays_unset),
		cmocka_unit_test(a_negative_number_is_a_value),
		cmocka_unit_test(joined_letters_with_a_foreign_one_go_to_the_plugin),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_line_is_split_at_spaces_outside_quotes),
		cmocka_unit_test(an_open_quote_is_refused),
		cmocka_unit_test(joining_and_splitting_give_the_same_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
