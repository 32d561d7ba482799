#include "fake_host.h"
#include "race/feed_text.h"
#include "race/field/field.h"

/* One line source; the tests run one plugin at a time. */
static struct lt_lines_opts lines_opts;
static const char *const *file_lines;

static void *lines_open(struct lt_host *host, const struct lt_lines_opts *opts)
{
	lines_opts = *opts;
	return host;
}

static void close_nothing(void *input)
{
	(void)input;
}

static void *file_open(struct lt_host *host, const char *path)
{
	(void)path;
	return host;
}

static int32_t file_next(void *file, struct lt_str *ret_line)
{
	(void)file;
	if (*file_lines == NULL) {
		return 0;
	}
	*ret_line = lt_text_n(*file_lines, strlen(*file_lines));
	file_lines++;
	return 1;
}

static const void *extension(const char *id)
{
	static const struct lt_lines_ext lines = { sizeof(lines), 0, lines_open, close_nothing };
	static const struct lt_file_ext file = { sizeof(file), 0, file_open, file_next,
		close_nothing };

	return strcmp(id, LT_EXT_LINES) == 0            ? (const void *)&lines
			: strcmp(id, LT_EXT_FILE) == 0  ? (const void *)&file
			: strcmp(id, LT_EXT_FIELD) == 0 ? (const void *)&lt_field_table
			: strcmp(id, LT_EXT_TEXT) == 0  ? (const void *)&lt_text_table
							: NULL;
}

static void line(const char *text)
{
	lines_opts.line(lines_opts.arg, lt_text_n(text, strlen(text)));
}

static void a_server_is_read_and_published_after_250_ms(void **state)
{
	static const char *const options[] = { "host", "timing.example", "stale", "12",
		"yellow-means", "fcy", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	assert_string_equal(lines_opts.host, "timing.example");
	assert_int_equal(lines_opts.port, 50000);
	assert_int_equal(lines_opts.stale_ms, 12000);
	line("$B,5,\"Race 1\"");
	line("$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
	line("$F,9999,\"00:10:00\",\"12:00:00\",\"00:00:01\",\"Yellow\"");
	line("$G,1,\"A1");
	fake_run(&host, 249);
	assert_int_equal(host.published, 0);
	fake_run(&host, 1);

	assert_int_equal(host.published, 1);
	assert_string_equal(host.description, "Race 1");
	assert_string_equal(host.first_row, "1|RUN||1|Ann Able||0|||-1.000|-1.000|");
	assert_int_equal(host.flag, LT_FLAG_FCY);
	assert_int_equal(host.damaged, 1);
	assert_int_equal(host.records, 3);
	assert_int_equal(host.short_rows, 0);
	fake_end(&host);
}

static void a_feed_joined_between_refreshes_waits_for_the_entries(void **state)
{
	static const char *const options[] = { "host", "timing.example", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	line("$G,1,\"A1\",5,\"00:05:00.000\"");
	fake_run(&host, 300);
	assert_int_equal(host.published, 0);
	line("$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"NED\",1");
	fake_run(&host, 300);

	assert_int_equal(host.published, 1);
	assert_string_equal(host.first_row, "1|RUN||1|Ann Able||5|||-1.000|-1.000|");
	fake_end(&host);
}

static void a_feed_without_entries_is_shown_after_35_seconds(void **state)
{
	static const char *const options[] = { "host", "timing.example", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	line("$G,1,\"A1\",5,\"00:05:00.000\"");
	fake_run(&host, 300);
	fake_run(&host, 34900);
	line("$G,1,\"A1\",6,\"00:06:00.000\"");
	fake_run(&host, 300);

	assert_int_equal(host.published, 1);
	fake_end(&host);
}

static void pit_lines_add_a_column(void **state)
{
	static const char *const options[] = { "host", "h", "nationality-as", "car", NULL };
	struct lt_host host = { .extension = extension };
	size_t columns;

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	columns = host.columns;
	line("$A,\"A1\",\"1\",1001,\"Ann\",\"Able\",\"Saloon\",1");
	line("$L,\"1\",\"P3\",\"PIP\",\"01/27/2009\",\"10:10:20.589\"");
	fake_run(&host, 300);

	assert_int_equal(host.columns, columns + 1);
	assert_string_equal(host.first_row, "1|PIT||1|Ann Able||Saloon|0|||-1.000|-1.000|1|");
	fake_end(&host);
}

static void a_capture_runs_on_its_heartbeats(void **state)
{
	static const char *const lines[] = { "$B,5,\"Race 1\"", "noise", "$G,1,\"A\",1,\"x\"",
		"$F,9999,\"00:10:00\",\"23:59:59\",\"00:00:01\",\"Green \"",
		"$F,9999,\"00:10:00\",\"00:00:00\",\"00:00:02\",\"Green \"",
		"$F,9999,\"00:10:00\",\"00:00:03\",\"00:00:05\",\"Red   \"", NULL };
	static const char *const options[] = { "file", "capture.txt", "speed", "2", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	file_lines = lines;
	assert_int_equal(fake_start(&host, options), 0);
	fake_run(&host, 1900);
	assert_int_equal(host.flag, LT_FLAG_GREEN);
	fake_run(&host, 400);

	assert_int_equal(host.flag, LT_FLAG_RED);
	assert_int_equal(host.records, 4);
	assert_int_equal(host.damaged, 1);
	fake_end(&host);
}

static void a_stamped_capture_runs_on_its_stamps(void **state)
{
	static const char *const lines[] = { "##2025-04-26 13:00:00.000", "$B,5,\"Race 1\"",
		"##2025-04-26 13:00:01.500",
		"$F,9999,\"00:10:00\",\"09:00:00\",\"00:00:01\",\"Green \"",
		"##2025-04-26 20:00:00.000",
		"$F,9999,\"00:10:00\",\"16:00:00\",\"07:00:00\",\"Finish\"", NULL };
	static const char *const options[] = { "file", "capture.txt", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	file_lines = lines;
	assert_int_equal(fake_start(&host, options), 0);
	fake_run(&host, 1400);
	assert_int_equal(host.flag, LT_FLAG_NONE);
	fake_run(&host, 500);
	assert_int_equal(host.flag, LT_FLAG_GREEN);
	/* Hours of silence are cut to five seconds. */
	fake_run(&host, 5000);
	assert_int_equal(host.flag, LT_FLAG_CHEQUERED);
	fake_end(&host);
}

static void the_fixture_plays_to_its_end(void **state)
{
	static const char *lines[64];
	static char text[8192];
	static const char *const options[] = { "file", "short-race.txt", NULL };
	FILE *file = fopen("plugins/rmonitor/fixtures/short-race.txt", "r");
	struct lt_host host = { .extension = extension };
	size_t n = 0;
	char *rest = NULL;

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (char *l = strtok_r(text, "\n", &rest); l != NULL; l = strtok_r(NULL, "\n", &rest)) {
		lines[n++] = l;
	}
	file_lines = lines;
	assert_int_equal(fake_start(&host, options), 0);
	fake_run(&host, 10000);

	assert_int_equal(host.records, n);
	assert_int_equal(host.rows, 3);
	assert_string_equal(host.first_row,
			"11|FIN|GT3, Pro-Am|1|Ana Arden|Team Arden|4|||57.900|58.100|0|");
	fake_end(&host);
}

static void options_that_cannot_work_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *options[5];
		const char *reason;
	} cases[] = {
		{ { NULL }, "give --host or --file" },
		{ { "host", "h", "rename-driver", "(=x", NULL }, "--rename-driver: \"(\"" },
		{ { "host", "h", "transponders", "12", NULL }, "--transponders: \"12\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lt_host host = { .extension = extension };

		assert_int_equal(fake_start(&host, cases[i].options), -1);
		assert_non_null(strstr(host.reason, cases[i].reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_read_and_published_after_250_ms),
		cmocka_unit_test(a_feed_joined_between_refreshes_waits_for_the_entries),
		cmocka_unit_test(a_feed_without_entries_is_shown_after_35_seconds),
		cmocka_unit_test(pit_lines_add_a_column),
		cmocka_unit_test(a_capture_runs_on_its_heartbeats),
		cmocka_unit_test(a_stamped_capture_runs_on_its_stamps),
		cmocka_unit_test(the_fixture_plays_to_its_end),
		cmocka_unit_test(options_that_cannot_work_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
