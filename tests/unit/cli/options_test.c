#include "base/alloc.h"
#include "cli/options.h"
#include "support/test.h"

#define WORDS_MAX 8

struct fixture {
	struct lt_cli cli;
	char *errors;
	size_t errors_n;
	const char *output;
	bool force;
	char *argv[WORDS_MAX], *order[WORDS_MAX];
	struct lt_cli_words words;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->cli.err = open_memstream(&f->errors, &f->errors_n);
	f->cli.out = f->cli.err;
	f->cli.program = "prog";
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		lt_free(f->argv[i]);
	}
	fclose(f->cli.err);
	free(f->errors);
	lt_free(f);
	return 0;
}

/* Takes the options out of a line; words are kept in f->argv for teardown. */
static bool parse(struct fixture *f, const char *line)
{
	static const struct lt_cli_cmd cmd = { .noun = "thing", .verb = "do", .args = "FILE" };
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &f->output },
		{ "force", 'f', &f->force, NULL },
		{ 0 },
	};
	struct lt_str rest = lt_str_from(line);
	int argc = 0;
	bool ok;

	while (rest.p) {
		f->argv[argc] = lt_str_dup(lt_str_split(&rest, ' '));
		f->order[argc] = f->argv[argc];
		argc++;
	}
	f->words = (struct lt_cli_words){ argc, f->order };
	ok = lt_cli_options(&f->cli, &cmd, &f->words, options, 1, 2);
	fflush(f->cli.err);
	return ok;
}

static void options_may_stand_anywhere(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, "-f a -o out b"));

	assert_int_equal(f->words.argc, 2);
	assert_string_equal(f->words.argv[0], "a");
	assert_string_equal(f->words.argv[1], "b");
	assert_true(f->force);
	assert_string_equal(f->output, "out");
	assert_false(f->cli.is_json);
}

static void values_may_be_attached(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, "a --output=x=y"));

	assert_string_equal(f->output, "x=y");
}

static void json_is_always_known(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, "a -j"));

	assert_true(f->cli.is_json);
}

static void two_dashes_end_the_options(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, "a -- -f"));

	assert_int_equal(f->words.argc, 2);
	assert_string_equal(f->words.argv[1], "-f");
	assert_false(f->force);
}

static void a_dash_alone_is_a_word(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, "a -o -"));

	assert_string_equal(f->output, "-");
}

static void an_unknown_option_is_told_with_the_nearest(void **state)
{
	struct fixture *f = *state;

	assert_false(parse(f, "a --outptu x"));

	assert_string_equal(f->errors,
			"prog: do: unknown option \"--outptu\"; did you mean --output?\n");
}

static void a_missing_value_is_told(void **state)
{
	struct fixture *f = *state;

	assert_false(parse(f, "a -o"));

	assert_string_equal(f->errors, "prog: \"-o\": a value is missing\n");
}

static void a_flag_takes_no_value(void **state)
{
	struct fixture *f = *state;

	assert_false(parse(f, "a --force=yes"));

	assert_string_equal(f->errors, "prog: \"--force=yes\": --force takes no value\n");
}

static void too_many_words_are_a_usage_error(void **state)
{
	struct fixture *f = *state;

	assert_false(parse(f, "a b c"));

	assert_string_equal(f->errors, "prog: usage: prog thing do FILE\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_may_stand_anywhere),
		TEST(values_may_be_attached),
		TEST(json_is_always_known),
		TEST(two_dashes_end_the_options),
		TEST(a_dash_alone_is_a_word),
		TEST(an_unknown_option_is_told_with_the_nearest),
		TEST(a_missing_value_is_told),
		TEST(a_flag_takes_no_value),
		TEST(too_many_words_are_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
