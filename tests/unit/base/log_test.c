#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "base/log.h"
#include "support/test.h"

struct fixture {
	struct lt_log_sink *sink;
	struct lt_log log;
	struct lt_buf line; /* the last one, without its time */
	int lines;
	enum lt_level level;
	char dir[64];
	char *path;
};

static void keep(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	assert_true(line.n > LT_LOG_VALUE_MAX / 16);
	assert_int_equal(line.p[23], 'Z');
	lt_buf_clear(&f->line);
	lt_buf_add_str(&f->line, lt_str_skip(line, 25));
	f->level = level;
	f->lines++;
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->sink = lt_log_sink_fn(LT_INFO, keep, f);
	f->log = (struct lt_log){ f->sink, "router" };
	strcpy(f->dir, "/tmp/lt-log-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_path_join(f->dir, "service.log");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_log_sink_destroy(f->sink);
	lt_buf_finish(&f->line);
	unlink(f->path);
	rmdir(f->dir);
	lt_free(f->path);
	lt_free(f);
	return 0;
}

static void a_record_is_time_level_module_phrase_and_fields(void **state)
{
	struct fixture *f = *state;

	lt_log(&f->log, LT_INFO, "session joined", "realm=%s session=%d", "timing", 7);

	assert_string_equal(f->line.p, "info  router: session joined realm=timing session=7");
	assert_int_equal(f->level, LT_INFO);
}

static void a_record_without_fields_is_its_phrase(void **state)
{
	struct fixture *f = *state;

	lt_log(&f->log, LT_ERROR, "no listener", NULL);

	assert_string_equal(f->line.p, "error router: no listener");
}

static void records_above_the_level_are_dropped(void **state)
{
	struct fixture *f = *state;

	lt_log(&f->log, LT_DEBUG, "detail", NULL);
	assert_int_equal(f->lines, 0);
	lt_log_sink_set_level(f->sink, LT_DEBUG);
	lt_log(&f->log, LT_DEBUG, "detail", NULL);

	assert_int_equal(f->lines, 1);
}

static void a_logger_without_a_sink_swallows_everything(void **state)
{
	struct lt_log nowhere = { NULL, "x" };

	(void)state;
	lt_log(&nowhere, LT_ERROR, "lost", "a=%d", 1);
	lt_log(NULL, LT_ERROR, "lost", NULL);
}

static void no_control_byte_reaches_the_line(void **state)
{
	struct fixture *f = *state;

	lt_log(&f->log, LT_INFO, "said", "a=%s",
			"1\n2026 error \x1b[2J\x7f \xc2\x9b \xe2\x80\xa8 \xff \xc3\xa9");

	assert_string_equal(f->line.p,
			"info  router: said a=1\\x0a2026 error \\x1b[2J\\x7f \\xc2\\x9b "
			"\\xe2\\x80\\xa8 \\xff \xc3\xa9");
}

static void very_long_fields_are_cut(void **state)
{
	struct fixture *f = *state;
	char *text = lt_alloc(20001);

	memset(text, 'a', 20000);
	text[20000] = '\0';
	lt_log(&f->log, LT_INFO, "said", "text=%s", text);

	assert_true(f->line.n < 5000);
	lt_free(text);
}

static void a_value_is_quoted_only_when_it_must_be(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "nl\n", "\"nl\\x0a\"" },
		{ "\xff", "\"\\xff\"" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
	};
	char buf[LT_LOG_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_string_equal(lt_log_value(lt_str_from(cases[i][0]), buf), cases[i][1]);
	}
}

static void a_cut_off_utf8_character_at_the_end_is_escaped(void **state)
{
	char buf[LT_LOG_VALUE_MAX];
	char exact[2] = { 'a', (char)0xe2 }; /* nothing may be read behind it */

	(void)state;
	assert_string_equal(lt_log_value((struct lt_str){ exact, 2 }, buf), "\"a\\xe2\"");
}

static void a_long_value_is_cut_and_says_so(void **state)
{
	char text[1000];
	char buf[LT_LOG_VALUE_MAX];

	(void)state;
	memset(text, '\n', sizeof(text));
	lt_log_value((struct lt_str){ text, sizeof(text) }, buf);

	assert_true(strlen(buf) < LT_LOG_VALUE_MAX);
	assert_string_equal(buf + strlen(buf) - 4, "...\"");
}

static char *read_log(struct fixture *f)
{
	struct lt_buf content = { 0 };
	struct lt_err err;

	assert_true(lt_file_read(f->path, 10000, &content, &err));
	return lt_buf_steal(&content);
}

static void a_file_sink_appends_and_passes_on(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	for (int i = 0; i < 2; i++) {
		struct lt_log_sink *sink =
				lt_log_sink_file(f->path, LT_DEBUG, LT_LOG_TEXT, f->sink, &err);
		struct lt_log log = { sink, "svc" };

		assert_non_null(sink);
		lt_log(&log, LT_INFO, "started", "n=%d", i);
		lt_log(&log, LT_DEBUG, "only in the file", NULL);
		lt_log_sink_destroy(sink);
	}
	char *text = read_log(f);
	struct stat st;

	assert_int_equal(f->lines, 2);
	assert_string_equal(f->line.p, "info  svc: started n=1");
	assert_non_null(strstr(text, "info  svc: started n=0\n"));
	assert_non_null(strstr(text, "debug svc: only in the file\n"));
	assert_non_null(strstr(text, "info  svc: started n=1\n"));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0022, 0644);
	lt_free(text);
}

static void a_file_that_was_moved_away_is_opened_anew(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_log_sink *sink = lt_log_sink_file(f->path, LT_INFO, LT_LOG_TEXT, NULL, &err);
	struct lt_log log = { sink, "svc" };
	char moved[sizeof(f->path) + 8];

	snprintf(moved, sizeof(moved), "%s.1", f->path);
	lt_log(&log, LT_INFO, "before", NULL);
	assert_int_equal(rename(f->path, moved), 0);
	assert_true(lt_log_sink_reopen(sink, &err));
	lt_log(&log, LT_INFO, "after", NULL);
	char *text = read_log(f);

	assert_null(strstr(text, "before"));
	assert_non_null(strstr(text, "after"));
	lt_free(text);
	lt_log_sink_destroy(sink);
	unlink(moved);
}

static void a_file_that_cannot_be_opened_anew_goes_on(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_log_sink *sink = lt_log_sink_file(f->path, LT_INFO, LT_LOG_TEXT, NULL, &err);
	struct lt_log log = { sink, "svc" };

	unlink(f->path);
	assert_int_equal(mkdir(f->path, 0755), 0);
	assert_false(lt_log_sink_reopen(sink, &err));
	assert_non_null(strstr(err.msg, "cannot open log file"));
	lt_log(&log, LT_INFO, "into the old one", NULL);

	rmdir(f->path);
	lt_log_sink_destroy(sink);
}

static void there_is_nothing_to_open_anew_without_a_file(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	assert_true(lt_log_sink_reopen(f->sink, &err));
}

static void a_log_file_that_cannot_be_opened_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	assert_null(lt_log_sink_file(f->dir, LT_INFO, LT_LOG_TEXT, NULL, &err));

	assert_non_null(strstr(err.msg, "cannot open log file "));
}

static cJSON *log_json(struct fixture *f, const char *fields)
{
	struct lt_err err;
	struct lt_log_sink *sink = lt_log_sink_file(f->path, LT_DEBUG, LT_LOG_JSON, NULL, &err);
	struct lt_log log = { sink, "svc" };

	lt_log(&log, LT_WARN, "feed \"x\"", fields ? "%s" : NULL, fields);
	lt_log_sink_destroy(sink);
	char *text = read_log(f);
	cJSON *record = lt_json_parse(lt_str_from(text), &err);

	assert_non_null(record);
	lt_free(text);
	return record;
}

static void a_json_record_has_its_fields_as_members(void **state)
{
	struct fixture *f = *state;
	char value[LT_LOG_VALUE_MAX];
	char fields[512];

	snprintf(fields, sizeof(fields), "a=1 text=%s why=it was so b=",
			lt_log_value(LT_STR("say \"x=y\" \\"), value));
	cJSON *record = log_json(f, fields);
	cJSON *members = lt_json_get(record, "fields");

	assert_string_equal(lt_json_get(record, "level")->valuestring, "warn");
	assert_string_equal(lt_json_get(record, "module")->valuestring, "svc");
	assert_string_equal(lt_json_get(record, "message")->valuestring, "feed \"x\"");
	assert_int_equal(strlen(lt_json_get(record, "time")->valuestring), 24);
	assert_string_equal(lt_json_get(members, "a")->valuestring, "1");
	assert_string_equal(lt_json_get(members, "text")->valuestring, "say \"x=y\" \\");
	assert_string_equal(lt_json_get(members, "why")->valuestring, "it was so");
	assert_string_equal(lt_json_get(members, "b")->valuestring, "");
	cJSON_Delete(record);
}

static void a_json_record_survives_fields_that_are_none(void **state)
{
	struct fixture *f = *state;
	cJSON *record = log_json(f, "=odd \"open quote\n");

	assert_non_null(lt_json_get(lt_json_get(record, "fields"), "text"));

	cJSON_Delete(record);
}

static void collect(void *arg, const struct lt_log_record *record)
{
	struct lt_buf *buf = arg;
	struct lt_str fields = record->fields, key;
	LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };

	lt_buf_printf(buf, "[%d %s %s", (int)record->level, record->module, record->phrase);
	while (lt_log_next_field(&fields, &key, &value)) {
		lt_buf_printf(buf, " %.*s<%.*s>", LT_STR_ARG(key), LT_STR_ARG(lt_buf_str(&value)));
	}
	lt_buf_add_c(buf, "]");
}

static void a_tap_gets_records_with_their_fields_taken_apart(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf seen = { 0 };

	lt_log_sink_tap(f->sink, collect, &seen);
	lt_log(&f->log, LT_ERROR, "no disk", "path=/x why=\"a \\\"b\\\"\" as said");
	lt_log(&f->log, LT_INFO, "well", NULL);
	lt_log(&f->log, LT_DEBUG, "below the level", NULL);
	lt_log_sink_tap(f->sink, NULL, NULL);
	lt_log(&f->log, LT_ERROR, "after it", NULL);

	assert_string_equal(
			seen.p, "[0 router no disk path</x> why<a \"b\" as said>][2 router well]");
}

static void a_tap_hears_file_sinks_that_pass_on(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf seen = { 0 };
	struct lt_log_sink *file = lt_log_sink_file(f->path, LT_ERROR, LT_LOG_TEXT, f->sink, NULL);
	struct lt_log log = { file, "svc" };

	lt_log_sink_tap(f->sink, collect, &seen);
	lt_log(&log, LT_ERROR, "failed", NULL);

	assert_string_equal(seen.p, "[0 svc failed]");
	lt_log_sink_destroy(file);
}

static void levels_are_parsed_by_name(void **state)
{
	enum lt_level level = LT_ERROR;
	struct lt_err err;

	(void)state;
	assert_true(lt_level_parse(LT_STR("debug"), &level, &err));
	assert_int_equal(level, LT_DEBUG);
	assert_false(lt_level_parse(LT_STR("lo ud"), &level, &err));

	assert_string_equal(
			err.msg, "unknown log level \"lo ud\": one of error, warn, info, debug");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_time_level_module_phrase_and_fields),
		TEST(a_record_without_fields_is_its_phrase),
		TEST(records_above_the_level_are_dropped),
		TEST(a_logger_without_a_sink_swallows_everything),
		TEST(no_control_byte_reaches_the_line),
		TEST(very_long_fields_are_cut),
		TEST(a_value_is_quoted_only_when_it_must_be),
		TEST(a_cut_off_utf8_character_at_the_end_is_escaped),
		TEST(a_long_value_is_cut_and_says_so),
		TEST(a_file_sink_appends_and_passes_on),
		TEST(a_file_that_was_moved_away_is_opened_anew),
		TEST(a_file_that_cannot_be_opened_anew_goes_on),
		TEST(there_is_nothing_to_open_anew_without_a_file),
		TEST(a_log_file_that_cannot_be_opened_is_an_error),
		TEST(a_json_record_has_its_fields_as_members),
		TEST(a_json_record_survives_fields_that_are_none),
		TEST(a_tap_gets_records_with_their_fields_taken_apart),
		TEST(a_tap_hears_file_sinks_that_pass_on),
		TEST(levels_are_parsed_by_name),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
