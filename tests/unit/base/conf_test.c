#include <unistd.h>

#include "base/alloc.h"
#include "base/conf.h"
#include "base/fsutil.h"
#include "support/test.h"

static bool check_number(struct lt_str value, struct lt_err *err)
{
	int64_t number;

	return lt_parse_i64(value, 0, 100, &number, NULL) ||
			lt_err_set(err, LT_E_INVALID, "%.*s is not 0 to 100", LT_STR_ARG(value));
}

static const struct lt_conf_key keys[] = {
	{ "LIVETIMING_LISTEN", "127.0.0.1:8080", "address", false, NULL },
	{ "LIVETIMING_RATE", "5", "number", false, check_number },
	{ "LIVETIMING_SHARED_SECRET", NULL, "secret", true, check_number },
	{ "LIVETIMING_TEXT", NULL, "text", false, NULL },
	{ 0 },
};

struct fixture {
	struct lt_conf *conf;
	char dir[64];
	char *path;
	struct lt_err err;
	char reports[1024]; /* "E sentence\n" or "W sentence\n" */
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->conf = lt_conf_create(keys);
	strcpy(f->dir, "/tmp/lt-conf-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_path_join(f->dir, "livetiming.env");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_conf_destroy(f->conf);
	unlink(f->path);
	rmdir(f->dir);
	lt_free(f->path);
	lt_free(f);
	return 0;
}

static bool load(struct fixture *f, struct lt_str text)
{
	assert_true(lt_file_replace(f->path, text, 0644, &f->err));
	return lt_conf_load_file(f->conf, f->path, &f->err);
}

/* A sentence or origin without the name of the temporary directory. */
static const char *without_dir(struct fixture *f, const char *text)
{
	return strncmp(text, f->dir, strlen(f->dir)) == 0 ? text + strlen(f->dir) + 1 : text;
}

static void keep_report(void *arg, bool is_error, const char *sentence)
{
	struct fixture *f = arg;
	size_t n = strlen(f->reports);

	snprintf(f->reports + n, sizeof(f->reports) - n, "%c %s\n", is_error ? 'E' : 'W',
			without_dir(f, sentence));
}

static void a_setting_nobody_made_has_its_default(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(lt_conf_get(f->conf, "LIVETIMING_LISTEN"), "127.0.0.1:8080");
	assert_string_equal(lt_conf_origin(f->conf, "LIVETIMING_LISTEN"), "default");
	assert_null(lt_conf_get(f->conf, "LIVETIMING_TEXT"));
}

static void values_are_read_as_dotenv_files_write_them(void **state)
{
	static const char *const cases[][2] = {
		{ "LIVETIMING_TEXT=plain", "plain" },
		{ "  export   LIVETIMING_TEXT = spaced out  ", "spaced out" },
		{ "LIVETIMING_TEXT=a#b # comment", "a#b" },
		{ "LIVETIMING_TEXT=\"a # b\" # comment", "a # b" },
		{ "LIVETIMING_TEXT='$HOME \"x\" \\n'", "$HOME \"x\" \\n" },
		{ "LIVETIMING_TEXT='it\\'s'", "it's" },
		{ "LIVETIMING_TEXT=\"a\\n\\t\\\"q\\\" \\\\\"", "a\n\t\"q\" \\" },
		{ "LIVETIMING_TEXT=first\nLIVETIMING_TEXT=last", "last" },
		{ "\xef\xbb\xbfLIVETIMING_TEXT=bom", "bom" },
		{ "# only\n\n  # comments\r\nLIVETIMING_TEXT=crlf\r\n", "crlf" },
		{ "OTHER=1\nLIVETIMING_TEXT=caf\xc3\xa9=", "caf\xc3\xa9=" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_true(load(f, lt_str_from(cases[i][0])));
		assert_string_equal(lt_conf_get(f->conf, "LIVETIMING_TEXT"), cases[i][1]);
	}
}

static void a_syntax_error_names_file_and_line_and_loads_nothing(void **state)
{
	static const struct {
		struct lt_str text;
		const char *error;
	} cases[] = {
		{ LT_STR("LIVETIMING_TEXT=x\nnonsense\n"),
				"livetiming.env:2: expected NAME=value" },
		{ LT_STR("=x"), "livetiming.env:1: expected NAME=value" },
		{ LT_STR("1A=x"), "livetiming.env:1: expected NAME=value" },
		{ LT_STR("A B=x"), "livetiming.env:1: expected NAME=value" },
		{ LT_STR("\n\nA=\"x"),
				"livetiming.env:3: the quote \" is not closed on this line" },
		{ LT_STR("A='x\n'"), "livetiming.env:1: the quote ' is not closed on this line" },
		{ LT_STR("A=\"x\\\""),
				"livetiming.env:1: the quote \" is not closed on this line" },
		{ LT_STR("A='x'y"), "livetiming.env:1: text after the closing quote" },
		{ LT_STR("A=\xff"), "livetiming.env: not a text file in UTF-8" },
		{ LT_STR("A=\0"), "livetiming.env: not a text file in UTF-8" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_false(load(f, cases[i].text));
		assert_string_equal(without_dir(f, f->err.msg), cases[i].error);
		assert_null(lt_conf_get(f->conf, "LIVETIMING_TEXT"));
	}
}

static void an_unreadable_file_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;

	assert_false(lt_conf_load_file(f->conf, f->path, &f->err));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_non_null(strstr(f->err.msg, "livetiming.env"));
	assert_false(lt_conf_load_file(f->conf, f->dir, &f->err));
}

static void the_environment_wins_over_files(void **state)
{
	static char listen[] = "LIVETIMING_LISTEN=env";
	static char other[] = "PATH=/bin";
	char *environment[] = { listen, other, NULL };
	struct fixture *f = *state;

	lt_conf_load_environment(f->conf, environment);
	assert_true(load(f, LT_STR("LIVETIMING_LISTEN=file\nLIVETIMING_TEXT=file")));

	assert_string_equal(lt_conf_get(f->conf, "LIVETIMING_LISTEN"), "env");
	assert_string_equal(lt_conf_origin(f->conf, "LIVETIMING_LISTEN"), "environment");
	assert_string_equal(lt_conf_get(f->conf, "LIVETIMING_TEXT"), "file");
	assert_string_equal(without_dir(f, lt_conf_origin(f->conf, "LIVETIMING_TEXT")),
			"livetiming.env:2");
}

static void an_empty_value_is_unset(void **state)
{
	static char listen[] = "LIVETIMING_LISTEN=";
	char *environment[] = { listen, NULL };
	struct fixture *f = *state;

	assert_true(load(f, LT_STR("LIVETIMING_LISTEN=file\nLIVETIMING_TEXT=\n")));
	lt_conf_load_environment(f->conf, environment);

	assert_null(lt_conf_get(f->conf, "LIVETIMING_TEXT"));
	assert_string_equal(lt_conf_get(f->conf, "LIVETIMING_LISTEN"), "127.0.0.1:8080");
	assert_string_equal(lt_conf_origin(f->conf, "LIVETIMING_LISTEN"), "default");
}

static void unknown_names_are_warnings_with_a_suggestion(void **state)
{
	static char environment_name[] = "LIVETIMING_QQQQQQQQ=1";
	static char foreign[] = "PATH=/bin";
	char *environment[] = { environment_name, foreign, NULL };
	struct fixture *f = *state;

	assert_true(load(f, LT_STR("OTHER=1\nLIVETIMING_LISTNE=1")));
	lt_conf_load_environment(f->conf, environment);

	assert_int_equal(lt_conf_check(f->conf, keep_report, f), 0);
	assert_string_equal(f->reports,
			"W livetiming.env:2: LIVETIMING_LISTNE: unknown setting "
			"(did you mean LIVETIMING_LISTEN?)\n"
			"W environment: LIVETIMING_QQQQQQQQ: unknown setting\n");
}

static void bad_values_are_errors_but_only_where_they_count(void **state)
{
	struct fixture *f = *state;

	assert_true(load(f, LT_STR("LIVETIMING_RATE=overwritten\nLIVETIMING_RATE=500")));

	assert_int_equal(lt_conf_check(f->conf, keep_report, f), 1);
	assert_string_equal(
			f->reports, "E livetiming.env:2: LIVETIMING_RATE: 500 is not 0 to 100\n");
}

static void a_bad_secret_is_not_shown(void **state)
{
	struct fixture *f = *state;

	assert_true(load(f, LT_STR("LIVETIMING_SHARED_SECRET=hunter2")));

	assert_int_equal(lt_conf_check(f->conf, keep_report, f), 1);
	assert_null(strstr(f->reports, "hunter2"));
	assert_non_null(strstr(f->reports, "LIVETIMING_SHARED_SECRET: bad value"));
}

static void the_file_is_found_in_a_directory_above(void **state)
{
	struct fixture *f = *state;
	char *deep = lt_path_join(f->dir, "a/b");

	assert_true(lt_dir_make(deep, &f->err));
	char *found = lt_conf_find_file(deep);
	assert_null(found);
	assert_true(load(f, LT_STR("")));
	found = lt_conf_find_file(deep);

	assert_non_null(found);
	assert_string_equal(without_dir(f, found), "livetiming.env");
	assert_null(lt_conf_find_file("/nonexistent/place"));
	lt_free(found);
	rmdir(deep);
	deep[strlen(deep) - 2] = '\0';
	rmdir(deep);
	lt_free(deep);
}

static void very_long_names_are_reported_and_not_guessed(void **state)
{
	struct fixture *f = *state;
	char name[600] = "LIVETIMING_";
	char *environment[] = { name, NULL };

	memset(name + 11, 'X', 500);
	name[511] = '=';
	lt_conf_load_environment(f->conf, environment);

	assert_int_equal(lt_conf_check(f->conf, keep_report, f), 0);
	assert_non_null(strstr(f->reports, "XXX: unknown setting\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_setting_nobody_made_has_its_default),
		TEST(values_are_read_as_dotenv_files_write_them),
		TEST(a_syntax_error_names_file_and_line_and_loads_nothing),
		TEST(an_unreadable_file_is_an_error_that_names_it),
		TEST(the_environment_wins_over_files),
		TEST(an_empty_value_is_unset),
		TEST(unknown_names_are_warnings_with_a_suggestion),
		TEST(bad_values_are_errors_but_only_where_they_count),
		TEST(a_bad_secret_is_not_shown),
		TEST(the_file_is_found_in_a_directory_above),
		TEST(very_long_names_are_reported_and_not_guessed),
	};

	return cmocka_run_group_tests_name("base/conf", tests, NULL, NULL);
}
