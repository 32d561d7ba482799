#include "services/plugin/plugin_options.h"
#include "support/plugin_fixture.h"
#include "support/test.h"

struct fixture {
	struct lt_plugins *plugins;
	const struct lt_plugin *probe;
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	char *path = plugin_file("probe");

	f->plugins = lt_plugins_create("", (struct lt_log){ 0 });
	f->probe = lt_plugins_load(f->plugins, path, NULL);
	lt_free(path);
	*state = f;
	return f->probe ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_plugins_destroy(f->plugins);
	lt_free(f);
	return 0;
}

static struct lt_option_values *parse(struct fixture *f, const char *line, struct lt_err *err)
{
	struct lt_args args = { 0 };

	assert_true(lt_args_split(&args, lt_str_from(line), NULL));
	struct lt_option_values *values = lt_option_values_parse(f->probe, &args, err);

	lt_args_finish(&args);
	return values;
}

static void expect_error(struct fixture *f, const char *line, const char *message)
{
	struct lt_err err = { 0 };

	assert_null(parse(f, line, &err));
	assert_string_equal(err.msg, message);
}

static void values_are_typed(void **state)
{
	struct lt_option_values *values = parse(
			*state, "--port=99 --ratio 0.25 --order race --url 'a b' --tcp", NULL);

	assert_int_equal(lt_option_values_get(values, "port")->i, 99);
	assert_true(lt_option_values_get(values, "ratio")->d == 0.25);
	assert_string_equal(lt_option_values_get(values, "order")->text, "race");
	assert_string_equal(lt_option_values_get(values, "url")->text, "a b");
	assert_true(lt_option_values_get(values, "tcp")->flag);
	assert_false(lt_option_values_get(values, "lines")->flag);
	assert_null(lt_option_values_get(values, "nothing"));
	lt_option_values_destroy(values);
}

static void defaults_are_filled_in(void **state)
{
	struct lt_option_values *values = parse(*state, "", NULL);

	assert_string_equal(lt_option_values_get(values, "order")->text, "auto");
	assert_true(lt_option_values_get(values, "ratio")->d == 0.5);
	assert_false(lt_option_values_get(values, "url")->given);
	lt_option_values_destroy(values);
}

static void names_may_be_abbreviated(void **state)
{
	struct lt_option_values *values = parse(*state, "--po 7 --race text", NULL);

	assert_int_equal(lt_option_values_get(values, "port")->i, 7);
	assert_string_equal(lt_option_values_get(values, "race-control")->text, "text");
	lt_option_values_destroy(values);
}

static void mistakes_name_the_option_and_what_it_expects(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "--port x", "--port: expected an integer from 0 to 65535, not \"x\"");
	expect_error(f, "--port 70000",
			"--port: expected an integer from 0 to 65535, not \"70000\"");
	expect_error(f, "--ratio nan", "--ratio: expected a number from 0 to 1, not \"nan\"");
	expect_error(f, "--order x", "--order: expected one of auto|race|practice, not \"x\"");
	expect_error(f, "--port", "--port expects a value (integer)");
	expect_error(f, "--tcp=perhaps", "--tcp takes no value");
	expect_error(f, "--file /nowhere/x",
			"--file: file \"/nowhere/x\" cannot be read: No such file or directory");
	expect_error(f, "--prot 1", "plugin probe has no option --prot (did you mean --port?)");
	expect_error(f, "--zebra", "plugin probe has no option --zebra");
	expect_error(f, "stray",
			"plugin probe does not take the argument \"stray\": options begin with --");
	expect_error(f, "--f 1", "option --f could mean --file or --fail-after");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_are_typed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(defaults_are_filled_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_may_be_abbreviated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
				mistakes_name_the_option_and_what_it_expects, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
