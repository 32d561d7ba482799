/* The template of new plugins: names, and what becomes of its files. */
#include "base/alloc.h"
#include "cli/plugin_template.h"
#include "support/test.h"

static void names_are_letters_digits_and_underscores(void **state)
{
	static const struct {
		const char *name, *error; /* NULL: it is fine */
	} cases[] = {
		{ "a", NULL },
		{ "my_feed2", NULL },
		{ "int", NULL },
		{ "", "a name of a plugin has 1 to 48 characters" },
		{ "9lives", "\"9lives\" is no name for a plugin: a letter of a-z, then a-z, 0-9 and _" },
		{ "MyFeed", "\"MyFeed\" is no name for a plugin: a letter of a-z, then a-z, 0-9 and _" },
		{ "../x", "\"../x\" is no name for a plugin: a letter of a-z, then a-z, 0-9 and _" },
		{ "a b", "\"a b\" is no name for a plugin: a letter of a-z, then a-z, 0-9 and _" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				"a name of a plugin has 1 to 48 characters" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_int_equal(lt_plugin_name_check(lt_str_from(cases[i].name), &err),
				cases[i].error == NULL);
		assert_string_equal(err.msg, cases[i].error ? cases[i].error : "");
	}
}

static void the_name_takes_the_place_of_the_templates(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	(void)state;

	lt_template_fill(&text, LT_STR("NAME := template\n# Template, template.c"),
			LT_STR("my_feed"));

	assert_string_equal(text.p, "NAME := my_feed\n# My feed, my_feed.c");
}

static void the_files_are_all_there_and_know_no_template_once_filled(void **state)
{
	size_t n = 0;
	(void)state;

	for (struct lt_template_file file; file = lt_template_file_at(n), file.text.p != NULL;
			n++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_template_fill(&text, file.text, LT_STR("laps"));

		assert_true(file.text.n > 50);
		assert_null(strstr(text.p, "emplate"));
	}
	assert_int_equal(n, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_letters_digits_and_underscores),
		cmocka_unit_test(the_name_takes_the_place_of_the_templates),
		cmocka_unit_test(the_files_are_all_there_and_know_no_template_once_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
