#include "fake_host.h"
#include "race/feed_text.h"
#include "race/field/field.h"

/* One line source; the tests run one plugin at a time. */
static struct lt_lines_opts lines_opts;
static FILE *file;

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

static int32_t file_next(void *input, struct lt_str *ret_line)
{
	static char text[512];

	(void)input;
	if (fgets(text, sizeof(text), file) == NULL) {
		return 0;
	}
	*ret_line = lt_text_n(text, strcspn(text, "\r\n"));
	return 1;
}

static const void *extension(const char *id)
{
	static const struct lt_lines_ext lines = { sizeof(lines), 0, lines_open, close_nothing };
	static const struct lt_file_ext files = { sizeof(files), 0, file_open, file_next,
		close_nothing };

	return strcmp(id, LT_EXT_LINES) == 0            ? (const void *)&lines
			: strcmp(id, LT_EXT_FILE) == 0  ? (const void *)&files
			: strcmp(id, LT_EXT_FIELD) == 0 ? (const void *)&lt_field_table
			: strcmp(id, LT_EXT_TEXT) == 0  ? (const void *)&lt_text_table
							: NULL;
}

static void line(const char *text)
{
	char copy[512];
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		copy[i] = text[i] == '|' ? '\xA6' : text[i];
	}
	lines_opts.line(lines_opts.arg, lt_text_n(copy, n));
}

/* What the host was told last about staleness. */
static uint32_t is_stale;

static void keep_stale(struct lt_host *host, uint32_t stale, struct lt_str reason)
{
	(void)host;
	(void)reason;
	is_stale = stale;
}

static void a_server_is_read_and_published_after_250_ms(void **state)
{
	static const char *const options[] = { "host", "timing.example", "stale", "12",
		"yellow-means", "sc", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	assert_string_equal(lines_opts.host, "timing.example");
	assert_int_equal(lines_opts.port, 50003);
	assert_int_equal(lines_opts.stale_ms, 12000);
	line("$R|N|1|R1|Spring Cup|SC|Heat 1|R|6A086A50");
	line("$E|N|1|R1|11|A1|Ada Ash|1|3|GT|Saloon|Team Ash|1");
	line("$H|N|1|R1|Y|6A086A51|3E8|0|927C0");
	line("$C|U|1|R1|1|11|A1|1|EE48|EA60");
	fake_run(&host, 249);
	assert_int_equal(host.published, 0);
	fake_run(&host, 1);

	assert_int_equal(host.published, 1);
	assert_string_equal(host.description, "Spring Cup - Heat 1");
	assert_string_equal(host.first_row,
			"11|RUN|GT|1|Ada Ash||Saloon|0|||-1.000|-1.000|-1.000|-1.000|-1.000|0|");
	assert_int_equal(host.flag, LT_FLAG_SC);
	assert_int_equal(host.records, 3);
	assert_int_equal(host.damaged, 1);
	assert_int_equal(host.short_rows, 0);
	fake_end(&host);
}

static void practice_has_its_own_columns_and_a_trap_adds_two(void **state)
{
	static const char *const options[] = { "host", "h", "sectors", "0", "speed-unit", "mph",
		NULL };
	struct lt_host host = { .extension = extension };
	size_t columns;

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	columns = host.columns;
	line("$E|N|1|P1|11|A1|Ada Ash|1|3|GT|Saloon|Team Ash|1");
	line("$T|R|1|P1|Glen|WGI|3.4|1|VMAX|1438|V1|V2");
	line("$S|N|1|P1|11|A1|VMAX|EE48|7D0|0");
	fake_run(&host, 300);

	assert_int_equal(host.columns, columns + 2);
	assert_string_equal(host.first_row,
			"11|RUN|GT|1|Ada Ash||Saloon|0|-1.000|||-1.000|147.000|147.000|0|");
	fake_end(&host);
}

static void bytes_without_records_are_shown_as_stale(void **state)
{
	static const char *const options[] = { "host", "h", "stale", "5", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	host.api.set_stale = keep_stale;
	is_stale = 0;
	lines_opts.connected(lines_opts.arg);
	for (int i = 0; i < 4; i++) {
		fake_run(&host, 1000);
		line("garbage");
	}
	assert_int_equal(is_stale, 0);
	for (int i = 0; i < 4; i++) {
		fake_run(&host, 1000);
		line("garbage");
	}
	assert_int_equal(is_stale, 1);
	line("$H|N|1|R1|Y|6A086A51|3E8|0|927C0");
	assert_int_equal(is_stale, 0);
	fake_end(&host);
}

static void another_run_closes_the_one_before(void **state)
{
	static const char *const options[] = { "host", "h", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	line("$H|N|1|R1|G|6A086A51|3E8|0|927C0");
	fake_run(&host, 300);
	line("$H|N|1|Q2|G|6A086A51|3E8|0|927C0");
	line("$H|N|2|Q2|G|6A086A51|3E8|0|927C0");
	fake_run(&host, 300);

	assert_int_equal(host.sessions, 1);
	fake_end(&host);
}

static void a_capture_runs_on_the_dates_of_its_heartbeats(void **state)
{
	static const char *const options[] = { "file", "short-race.txt", "speed", "1000", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	file = fopen("plugins/multiloop/fixtures/short-race.txt", "rb");
	assert_non_null(file);
	assert_int_equal(fake_start(&host, options), 0);
	fake_run(&host, 100);
	assert_true(host.records < 255); /* not all at once */
	fake_run(&host, 400);

	assert_int_equal(host.records, 256);
	assert_int_equal(host.damaged, 0);
	assert_true(host.published > 100);
	assert_int_equal(host.rows, 2);
	assert_int_equal(host.messages, 1);
	assert_string_equal(host.first_row,
			"11|FIN|GT|1|Ada Ash||Saloon|3|||20.100|20.800|19.600|60.500|59.700|262.900|"
			"295.800|0|");
	fake_end(&host);
	fclose(file);
}

static void mistakes_in_options_are_refused_with_a_sentence(void **state)
{
	static const char *const nothing[] = { NULL };
	static const char *const lead[] = { "host", "h", "lead", "$$", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, nothing), -1);
	assert_string_equal(host.reason, "give --host or --file");
	assert_int_equal(fake_start(&host, lead), -1);
	assert_string_equal(host.reason, "--lead: expected one character or none");
}

static void yellow_can_change_while_it_runs(void **state)
{
	const char *options[] = { "host", "h", "yellow-means", "yellow", NULL };
	struct lt_host host = { .extension = extension };
	struct lt_str reason = { NULL, 0 };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	line("$H|N|1|R1|Y|6A086A51|3E8|0|927C0");
	fake_run(&host, 300);
	assert_int_equal(host.flag, LT_FLAG_YELLOW);
	options[3] = "fcy";
	assert_int_equal(host.desc->ops->option_changed(host.self, "yellow-means", &reason), 0);
	fake_run(&host, 300);

	assert_int_equal(host.flag, LT_FLAG_FCY);
	assert_int_equal(host.desc->ops->option_changed(host.self, "speed", &reason), -1);
	fake_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_read_and_published_after_250_ms),
		cmocka_unit_test(practice_has_its_own_columns_and_a_trap_adds_two),
		cmocka_unit_test(bytes_without_records_are_shown_as_stale),
		cmocka_unit_test(another_run_closes_the_one_before),
		cmocka_unit_test(a_capture_runs_on_the_dates_of_its_heartbeats),
		cmocka_unit_test(mistakes_in_options_are_refused_with_a_sentence),
		cmocka_unit_test(yellow_can_change_while_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
