#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/raw_capture.h"
#include "store/raw_filter.h"
#include "support/test.h"

struct fixture {
	char path[64];
	struct lt_buf file;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	LT_AUTO(cJSON_Delete) cJSON *header = cJSON_CreateObject();

	strcpy(f->path, "/tmp/lt-raw-XXXXXX");
	close(mkstemp(f->path));
	lt_json_add_c(header, "plugin", "rmonitor");
	lt_raw_write_header(&f->file, header);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	lt_buf_finish(&f->file);
	free(f);
	return 0;
}

static void add(struct fixture *f, int64_t at_us, enum lt_raw_kind kind, const char *bytes)
{
	lt_raw_write_record(&f->file,
			&(struct lt_raw_record){ .at_us = at_us,
					.stream = 1,
					.kind = kind,
					.bytes = lt_str_from(bytes) });
}

static struct lt_raw_reader *open_file(const struct fixture *f, struct lt_err *err)
{
	FILE *file = fopen(f->path, "w");

	fwrite(f->file.p, 1, f->file.n, file);
	fclose(file);
	return lt_raw_open(f->path, err);
}

static void records_are_read_as_they_were_written(void **state)
{
	static const char bytes[] = "a\nb\0+1 1 data 3\n";
	struct fixture *f = *state;
	struct lt_raw_record record,
			written = { .at_us = 1500000,
				.stream = 3,
				.kind = LT_RAW_FROM,
				.attribute = LT_STR("10.0.0.5:9600"),
				.bytes = { bytes, sizeof(bytes) } };

	lt_raw_write_record(&f->file, &written);
	struct lt_raw_reader *reader = open_file(f, NULL);

	assert_string_equal(lt_json_get(lt_raw_header(reader), "plugin")->valuestring, "rmonitor");
	assert_int_equal(lt_raw_next(reader, &record, NULL), LT_RAW_GOT);
	assert_int_equal(record.at_us, written.at_us);
	assert_int_equal(record.stream, 3);
	assert_int_equal(record.kind, LT_RAW_FROM);
	assert_true(lt_str_eq(record.attribute, written.attribute));
	assert_true(lt_str_eq(record.bytes, written.bytes));
	assert_int_equal(lt_raw_next(reader, &record, NULL), LT_RAW_END);
	lt_raw_close(reader);
}

static void a_file_cut_at_any_byte_gives_all_whole_records(void **state)
{
	struct fixture *f = *state;
	size_t header = f->file.n, first, whole;

	add(f, 1, LT_RAW_DATA, "one\n");
	first = f->file.n;
	add(f, 2, LT_RAW_DATA, "two\n");
	whole = f->file.n;
	for (f->file.n = header; f->file.n <= whole; f->file.n++) {
		struct lt_raw_reader *reader = open_file(f, NULL);
		struct lt_raw_record record;
		enum lt_raw_result result;
		size_t n = 0;

		while ((result = lt_raw_next(reader, &record, NULL)) == LT_RAW_GOT) {
			n++;
		}

		assert_int_equal(n, (f->file.n >= first) + (f->file.n >= whole));
		assert_int_equal(result,
				f->file.n == header || f->file.n == first || f->file.n == whole
						? LT_RAW_END
						: LT_RAW_CUT);
		lt_raw_close(reader);
	}
}

static void what_is_no_capture_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "is no raw capture" },
		{ "$F,9999\n", "is no raw capture" },
		{ "LTRAW 2 {}\n", "is a raw capture of another version" },
		{ "LTRAW 1 {\n", "header: " },
		{ "LTRAW 1 []\n", "header: not an object" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		lt_buf_clear(&f->file);
		lt_buf_add_c(&f->file, cases[i].text);
		assert_null(open_file(f, &err));
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

static void damaged_records_are_named_by_their_place(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "nonsense\n", "record 1 at byte 30: its line has no time" },
		{ "+1 0 data 0\n\n", "stream: " },
		{ "+1 65 data 0\n\n", "stream: " },
		{ "+1 1 dato 0\n\n", "unknown kind" },
		{ "+1 1 data 99999999999\n\n", "size: " },
		{ "+1 1 data -1\n\n", "size: " },
		{ "+1 1 data 1\nabc\n", "it does not end where its line says" },
	};
	struct fixture *f = *state;
	size_t header = f->file.n;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		struct lt_raw_record record;

		f->file.n = header;
		lt_buf_add_c(&f->file, cases[i].text);
		struct lt_raw_reader *reader = open_file(f, &err);

		assert_int_equal(lt_raw_next(reader, &record, &err), LT_RAW_BAD);
		assert_non_null(strstr(err.msg, cases[i].error));
		lt_raw_close(reader);
	}
}

/* --- filters --- */

static char *filtered(const char *rules, const struct lt_raw_record *records, size_t n)
{
	struct lt_err err = { 0 };
	struct lt_raw_filter *filter = lt_raw_filter_create(lt_str_from(rules), &err);
	struct lt_buf out = { 0 };

	if (!filter) {
		fail_msg("%s", err.msg);
	}
	for (size_t i = 0; i < n; i++) {
		lt_raw_filter_apply(filter, &records[i], &out);
	}
	lt_raw_filter_end(filter, 9, &out);
	lt_raw_filter_destroy(filter);
	return lt_buf_steal(&out);
}

static struct lt_raw_record data(int64_t at_us, const char *bytes)
{
	return (struct lt_raw_record){
		.at_us = at_us, .stream = 1, .kind = LT_RAW_DATA, .bytes = lt_str_from(bytes)
	};
}

static void a_rule_replaces_every_match_with_its_groups(void **state)
{
	struct lt_raw_record record = data(1, "$A,\"7\",\"Ada\"\r\n$A,\"8\",\"Bea\"\r\n");
	char *out = filtered(
			"# names\n^(\\$A,\"[0-9]+\"),\"[^\"]*\" => \\1,\"D\\\\\"\n", &record, 1);
	(void)state;

	assert_string_equal(out, "+1 1 data 26\n$A,\"7\",\"D\\\"\r\n$A,\"8\",\"D\\\"\r\n\n");
	lt_free(out);
}

static void a_line_that_came_in_pieces_is_filtered_whole(void **state)
{
	struct lt_raw_record records[] = { data(1, "first\nsec"), data(2, "ret"),
		data(3, " line\nrest secret") };
	char *out = filtered("secret => x", records, 3);
	(void)state;

	assert_string_equal(
			out, "+1 1 data 6\nfirst\n\n+3 1 data 7\nx line\n\n+9 1 data 6\nrest x\n");
	lt_free(out);
}

static void records_of_a_kind_can_be_dropped(void **state)
{
	struct lt_raw_record records[] = { data(1, "a\n"),
		{ .at_us = 2, .stream = 2, .kind = LT_RAW_BINARY, .bytes = LT_STR("b") } };
	char *out = filtered("drop binary", records, 2);
	(void)state;

	assert_string_equal(out, "+1 1 data 2\na\n\n");
	lt_free(out);
}

static void an_empty_match_ends_and_bytes_of_zero_stay(void **state)
{
	struct lt_raw_record record = {
		.at_us = 1, .stream = 1, .kind = LT_RAW_TEXT, .bytes = { "ab\0ab", 5 }
	};
	char *out = filtered("x* => -", &record, 1);
	(void)state;

	assert_memory_equal(out, "+1 1 text 11\n-a-b-\0-a-b-\n", 25);
	lt_free(out);
}

static void wrong_rules_are_named_by_their_line(void **state)
{
	static const struct {
		const char *rules, *error;
	} cases[] = {
		{ "a => b\n( => c", "line 2: the pattern is wrong: " },
		{ "\n\njust words", "line 3: expected PATTERN => TEXT" },
		{ "drop everything", "line 1: there are no records of kind \"everything\"" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_null(lt_raw_filter_create(lt_str_from(cases[i].rules), &err));
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(records_are_read_as_they_were_written),
		TEST(a_file_cut_at_any_byte_gives_all_whole_records),
		TEST(what_is_no_capture_is_refused_with_a_sentence),
		TEST(damaged_records_are_named_by_their_place),
		cmocka_unit_test(a_rule_replaces_every_match_with_its_groups),
		cmocka_unit_test(a_line_that_came_in_pieces_is_filtered_whole),
		cmocka_unit_test(records_of_a_kind_can_be_dropped),
		cmocka_unit_test(an_empty_match_ends_and_bytes_of_zero_stay),
		cmocka_unit_test(wrong_rules_are_named_by_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
