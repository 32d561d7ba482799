#include "cli/progress.h"
#include "support/test.h"

static void assert_text(double part, double elapsed_s, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_cli_progress_text(&text, "working", part, elapsed_s);
	assert_string_equal(text.p, expected);
}

static void the_bar_shows_the_part_and_what_is_left(void **state LT_UNUSED)
{
	assert_text(0, 2, "working   0% [------------------------]");
	assert_text(0.5, 70, "working  50% [############------------]  1:10 left");
	assert_text(1, 10, "working 100% [########################]  0:00 left");
	assert_text(1.5, 10, "working 100% [########################]  0:00 left");
}

static void nothing_is_drawn_where_there_is_no_terminal(void **state LT_UNUSED)
{
	char *text = NULL;
	size_t n = 0;
	struct lt_cli cli = { .err = open_memstream(&text, &n) };
	struct lt_cli_progress progress;

	lt_cli_progress_init(&progress, &cli, "working");
	progress.started.us -= 5 * LT_US_PER_S;
	assert_true(lt_cli_progress_tick(&progress, 1, 2));
	lt_cli_progress_finish(&progress);

	fclose(cli.err);
	assert_int_equal(n, 0);
	free(text);
}

static void a_short_work_shows_nothing_and_a_long_one_is_cleaned_up(void **state LT_UNUSED)
{
	char *text = NULL;
	size_t n = 0;
	struct lt_cli cli = { .err = open_memstream(&text, &n) };
	struct lt_cli_progress progress;

	lt_cli_progress_init(&progress, &cli, "working");
	progress.is_terminal = true;
	lt_cli_progress_tick(&progress, 1, 2);
	fflush(cli.err);
	assert_int_equal(n, 0);
	progress.started.us -= 5 * LT_US_PER_S;
	lt_cli_progress_tick(&progress, 1, 2);
	lt_cli_progress_finish(&progress);

	fclose(cli.err);
	assert_non_null(strstr(text, "working  50%"));
	assert_string_equal(text + n - 4, "\r\x1b[K");
	free(text);
}

static void a_signal_stops_the_work_and_waits_for_its_end(void **state LT_UNUSED)
{
	struct lt_cli cli = { .err = stderr };
	struct lt_cli_progress progress;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	lt_cli_progress_init(&progress, &cli, "working");
	assert_true(lt_cli_progress_tick(&progress, 1, 2));
	raise(SIGTERM);
	assert_false(lt_cli_progress_tick(&progress, 1, 2));

	/* ignoring it drops what is pending, or it would end this program now */
	sigaction(SIGTERM, &ignore, &before);
	lt_cli_progress_finish(&progress);
	sigaction(SIGTERM, &before, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bar_shows_the_part_and_what_is_left),
		cmocka_unit_test(nothing_is_drawn_where_there_is_no_terminal),
		cmocka_unit_test(a_short_work_shows_nothing_and_a_long_one_is_cleaned_up),
		cmocka_unit_test(a_signal_stops_the_work_and_waits_for_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
