#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/random.h"
#include "store/frame.h"
#include "store/journal.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define T0 INT64_C(1700000000)

struct fixture {
	char dir[TMPDIR_MAX];
	char path[128];
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/a" LT_JOURNAL_SUFFIX, f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void append(struct lt_journal *journal, enum lt_record_kind kind, int64_t time_s,
		const char *text)
{
	struct lt_packed packed;

	assert_true(lt_frame_pack(lt_str_from(text), &packed, NULL));
	assert_true(lt_journal_append(journal, kind, time_s, &packed, NULL));
	lt_buf_finish(&packed.bytes);
}

static void append_key(struct lt_journal *journal, int64_t time_s, int number)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"cars\":[[%d]],\"session\":{}}", number);
	append(journal, LT_RECORD_KEY, time_s, text);
}

static void append_difference(struct lt_journal *journal, int64_t time_s, int number)
{
	char text[160];

	snprintf(text, sizeof(text),
			"{\"cars\":[[\"change\",[0,0],[%d,%d]]],\"session\":[],\"messages\":[]}",
			number - 1, number);
	append(journal, LT_RECORD_DIFFERENCE, time_s, text);
}

/* A manifest, and frames 0 to 11 of which 0 and 10 are key frames. Returns where frame 5 begins. */
static int64_t write_sample(struct fixture *f)
{
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	int64_t middle = 0;

	assert_non_null(journal);
	append(journal, LT_RECORD_MANIFEST, T0, "{\"uuid\":\"a\"}");
	for (int i = 0; i < 12; i++) {
		middle = i == 5 ? lt_journal_bytes(journal) : middle;
		if (i % 10 == 0) {
			append_key(journal, T0 + i, i);
		} else {
			append_difference(journal, T0 + i, i);
		}
	}
	lt_journal_close(journal);
	return middle;
}

static struct lt_journal_reader *read_journal(struct fixture *f)
{
	struct lt_journal_reader *reader = lt_journal_reader_open(f->path, &f->err);

	if (!reader) {
		fail_msg("%s", f->err.msg);
	}
	return reader;
}

static size_t count_frames(struct fixture *f)
{
	struct lt_journal_reader *reader = read_journal(f);
	size_t count;

	lt_journal_reader_frames(reader, &count);
	lt_journal_reader_close(reader);
	return count;
}

/* The number in the state at a time, or -1. */
static int number_at(struct lt_journal_reader *reader, int64_t time_s)
{
	cJSON *value = lt_journal_reader_state_at(reader, time_s, NULL);
	int number = value ? lt_json_get(value, "cars")->child->child->valueint : -1;

	cJSON_Delete(value);
	return number;
}

static void flip(const char *path, int64_t offset)
{
	struct lt_buf bytes = file_bytes(path);

	assert_true(offset < (int64_t)bytes.n);
	bytes.p[offset] = (char)~bytes.p[offset];
	file_write(path, lt_buf_str(&bytes));
	lt_buf_finish(&bytes);
}

/* --- reading back --- */

static void what_was_appended_is_read_back(void **state)
{
	struct fixture *f = *state;
	write_sample(f);

	struct lt_journal_reader *reader = read_journal(f);

	size_t count;
	const struct lt_record *frames = lt_journal_reader_frames(reader, &count);
	assert_int_equal(count, 12);
	assert_int_equal(frames[10].kind, LT_RECORD_KEY);
	assert_int_equal(frames[11].time_s, T0 + 11);
	assert_string_equal(
			lt_json_get(lt_journal_reader_manifest(reader), "uuid")->valuestring, "a");
	for (int i = 11; i >= 0; i--) {
		assert_int_equal(number_at(reader, T0 + i), i);
	}
	lt_journal_reader_close(reader);
}

static void a_journal_without_frames_has_no_state(void **state)
{
	struct fixture *f = *state;
	lt_journal_close(lt_journal_create(f->path, &lt_fileops_system, NULL));

	struct lt_journal_reader *reader = read_journal(f);

	assert_null(lt_journal_reader_state_at(reader, T0, &f->err));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_null(lt_journal_reader_manifest(reader));
	lt_journal_reader_close(reader);
}

/* --- cut off --- */

static void a_journal_cut_at_any_byte_keeps_all_whole_records(void **state)
{
	struct fixture *f = *state;
	size_t last = 0;
	write_sample(f);
	struct lt_buf whole = file_bytes(f->path);

	for (size_t n = 0; n <= whole.n; n++) {
		file_write(f->path, (struct lt_str){ whole.p, n });
		size_t count = count_frames(f);

		/* No byte costs more than the record that it belongs to. */
		assert_true(count == last || count == last + 1);
		last = count;
	}
	assert_int_equal(last, 12);
	lt_buf_finish(&whole);
}

static void a_journal_cut_at_any_byte_can_be_gone_on_with(void **state)
{
	struct fixture *f = *state;
	write_sample(f);
	struct lt_buf whole = file_bytes(f->path);

	for (size_t n = 0; n <= whole.n; n += 7) {
		struct lt_journal_reader *reader = NULL;
		file_write(f->path, (struct lt_str){ whole.p, n });
		size_t before = count_frames(f);

		struct lt_journal *journal =
				lt_journal_open(f->path, &lt_fileops_system, &reader, &f->err);
		assert_non_null(journal);
		append_key(journal, T0 + 100, 100);

		assert_true(lt_journal_reader_refresh(reader, NULL));
		assert_int_equal(count_frames(f), before + 1);
		assert_int_equal(number_at(reader, T0 + 100), 100);
		lt_journal_reader_close(reader);
		lt_journal_close(journal);
	}
	lt_buf_finish(&whole);
}

/* --- damage --- */

static void damage_costs_the_frames_up_to_the_next_key_frame(void **state)
{
	struct fixture *f = *state;
	int64_t middle = write_sample(f);
	struct lt_journal_report report;

	flip(f->path, middle + LT_RECORD_HEADER + 3);

	struct lt_journal_reader *reader = read_journal(f);
	size_t count;
	lt_journal_reader_frames(reader, &count);
	lt_journal_reader_report(reader, &report);
	assert_int_equal(count, 12 - 5);
	assert_int_equal(report.dropped_frames, 4);
	assert_true(report.damaged_bytes > LT_RECORD_HEADER);
	assert_int_equal(number_at(reader, T0 + 9), 4);
	assert_int_equal(number_at(reader, T0 + 11), 11);
	lt_journal_reader_close(reader);
}

static void any_flipped_byte_leaves_right_states_alone(void **state)
{
	struct fixture *f = *state;
	write_sample(f);
	struct lt_buf whole = file_bytes(f->path);

	for (size_t at = 8; at < whole.n; at++) {
		file_write(f->path, lt_buf_str(&whole));
		flip(f->path, (int64_t)at);

		struct lt_journal_reader *reader = read_journal(f);
		size_t count;
		const struct lt_record *frames = lt_journal_reader_frames(reader, &count);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(
					number_at(reader, frames[i].time_s), frames[i].time_s - T0);
		}
		lt_journal_reader_close(reader);
	}
	lt_buf_finish(&whole);
}

static void damage_before_whole_records_is_not_cut_off(void **state)
{
	struct fixture *f = *state;
	int64_t middle = write_sample(f);
	struct stat before, after;
	flip(f->path, middle + 2);
	assert_int_equal(stat(f->path, &before), 0);

	lt_journal_close(lt_journal_open(f->path, &lt_fileops_system, NULL, NULL));

	assert_int_equal(stat(f->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

static void zeros_at_the_end_are_cut_off(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	write_sample(f);
	assert_int_equal(stat(f->path, &before), 0);
	/* What some file systems leave after a power cut. */
	assert_int_equal(truncate(f->path, before.st_size + 100000), 0);

	lt_journal_close(lt_journal_open(f->path, &lt_fileops_system, NULL, NULL));

	assert_int_equal(stat(f->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

static void random_bytes_behind_the_beginning_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct lt_random *random = lt_random_create(4, NULL);
	char bytes[8 + 4096] = "LTJOURN\1";

	for (int i = 0; i < 200; i++) {
		lt_random_bytes(random, bytes + 8, sizeof(bytes) - 8);
		memcpy(bytes + 8 + i, "LTR1", 4);
		file_write(f->path, (struct lt_str){ bytes, sizeof(bytes) });

		assert_int_equal(count_frames(f), 0);
	}
	lt_random_destroy(random);
}

static void other_files_are_refused(void **state)
{
	struct fixture *f = *state;

	file_write(f->path, LT_STR("PK\3\4 something else"));
	assert_null(lt_journal_reader_open(f->path, &f->err));
	assert_int_equal(f->err.code, LT_E_FORMAT);
	assert_non_null(strstr(f->err.msg, "is not a journal"));
	assert_null(lt_journal_reader_open(f->dir, &f->err));
	assert_non_null(strstr(f->err.msg, "is not a regular file"));
	assert_null(lt_journal_reader_open(in_dir(f->dir, "no"), &f->err));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_int_equal(mkfifo(in_dir(f->dir, "fifo"), 0600), 0);
	assert_null(lt_journal_reader_open(in_dir(f->dir, "fifo"), &f->err));
	assert_int_equal(f->err.code, LT_E_INVALID);
}

/* --- order --- */

static void frames_that_go_back_are_dropped_with_what_depends_on_them(void **state)
{
	struct fixture *f = *state;
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	append_key(journal, T0 + 5, 5);
	append_key(journal, T0 + 3, 3);
	append_difference(journal, T0 + 6, 4);
	append_key(journal, T0 + 7, 7);
	append_difference(journal, T0 + 8, 8);
	lt_journal_close(journal);

	struct lt_journal_reader *reader = read_journal(f);
	struct lt_journal_report report;
	lt_journal_reader_report(reader, &report);

	assert_int_equal(report.dropped_frames, 2);
	assert_int_equal(number_at(reader, T0 + 6), 5);
	assert_int_equal(number_at(reader, T0 + 8), 8);
	lt_journal_reader_close(reader);
}

static void the_last_of_frames_with_one_time_counts(void **state)
{
	struct fixture *f = *state;
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	append_key(journal, T0, 0);
	append_difference(journal, T0 + 1, 7);
	append_difference(journal, T0 + 1, 8);
	append_difference(journal, T0 + 2, 9);
	lt_journal_close(journal);

	struct lt_journal_reader *reader = read_journal(f);

	size_t count;
	lt_journal_reader_frames(reader, &count);
	assert_int_equal(count, 3);
	assert_int_equal(number_at(reader, T0 + 1), 8);
	assert_int_equal(number_at(reader, T0 + 2), 9);
	lt_journal_reader_close(reader);
}

static void differences_without_a_base_are_dropped(void **state)
{
	struct fixture *f = *state;
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	append_difference(journal, T0, 1);
	append_key(journal, T0 + 1, 5);
	append_difference(journal, T0 + 1, 6);
	append_key(journal, T0 + 2, 7);
	lt_journal_close(journal);

	struct lt_journal_reader *reader = read_journal(f);

	assert_int_equal(number_at(reader, T0 + 1), 5);
	assert_int_equal(number_at(reader, T0 + 2), 7);
	lt_journal_reader_close(reader);
}

static void frames_that_are_no_states_are_an_error_where_they_are_read(void **state)
{
	struct fixture *f = *state;
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	append_key(journal, T0, 0);
	append(journal, LT_RECORD_KEY, T0 + 1, "{\"cars\":7}");
	append(journal, LT_RECORD_KEY, T0 + 2, "{\"cars\":");
	append_key(journal, T0 + 3, 3);
	lt_journal_close(journal);

	struct lt_journal_reader *reader = read_journal(f);

	assert_int_equal(number_at(reader, T0), 0);
	assert_null(lt_journal_reader_state_at(reader, T0 + 1, &f->err));
	assert_non_null(strstr(f->err.msg, "frame at 1700000001: cars: not a list"));
	assert_int_equal(number_at(reader, T0 + 2), -1);
	assert_int_equal(number_at(reader, T0 + 3), 3);
	lt_journal_reader_close(reader);
}

/* --- syncing beside the loop --- */

static void a_descriptor_of_its_own_syncs_after_the_journal_was_closed(void **state)
{
	struct fixture *f = *state;
	struct lt_journal *journal = lt_journal_create(f->path, &lt_fileops_system, NULL);
	append_key(journal, T0, 0);

	int fd = lt_journal_dup_fd(journal);
	lt_journal_close(journal);

	assert_true(fd >= 0);
	assert_true(lt_journal_sync_fd(fd, NULL));
}

/* --- packed frames --- */

static void frame_names_are_those_of_the_original(void **state)
{
	char name[LT_FRAME_NAME_MAX];
	int64_t time_s;
	bool is_key;
	(void)state;

	lt_frame_name(1700000000, true, name);
	assert_string_equal(name, "01700000000.json");
	lt_frame_name(5, false, name);
	assert_string_equal(name, "00000000005i.json");
	assert_true(lt_frame_parse_name(lt_str_from(name), &time_s, &is_key));
	assert_int_equal(time_s, 5);
	assert_false(is_key);
	assert_false(lt_frame_parse_name(LT_STR("../01700000000.json"), &time_s, &is_key));
	assert_false(lt_frame_parse_name(LT_STR("01700000000.json.bak"), &time_s, &is_key));
	assert_false(lt_frame_parse_name(LT_STR("1700.json"), &time_s, &is_key));
}

static void a_frame_that_does_not_unpack_to_what_was_promised_is_refused(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_packed packed;
	struct lt_err err;
	(void)state;
	char *zeros = calloc(1 << 20, 1);
	assert_true(lt_frame_pack((struct lt_str){ zeros, 1 << 20 }, &packed, NULL));
	free(zeros);
	struct lt_str bytes = lt_buf_str(&packed.bytes);

	assert_false(lt_frame_unpack(bytes, 1000, packed.raw_crc, &text, &err));
	assert_string_equal(err.msg, "cannot be unpacked");
	assert_false(lt_frame_unpack(bytes, (1 << 20) + 1, packed.raw_crc, &text, &err));
	assert_false(lt_frame_unpack(bytes, 1 << 20, packed.raw_crc + 1, &text, &err));
	assert_string_equal(err.msg, "its checksum is wrong");
	assert_false(lt_frame_unpack(bytes, LT_FRAME_BYTES_MAX + 1, 0, &text, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	assert_true(text.cap < 4 << 20);
	assert_true(lt_frame_unpack(bytes, 1 << 20, packed.raw_crc, &text, &err));
	lt_buf_finish(&packed.bytes);
}

static void a_frame_that_readers_would_refuse_is_not_packed(void **state)
{
	struct lt_packed packed;
	struct lt_err err;
	(void)state;

	assert_false(lt_frame_pack((struct lt_str){ "", LT_FRAME_BYTES_MAX + 1 }, &packed, &err));

	assert_int_equal(err.code, LT_E_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_appended_is_read_back),
		TEST(a_journal_without_frames_has_no_state),
		TEST(a_journal_cut_at_any_byte_keeps_all_whole_records),
		TEST(a_journal_cut_at_any_byte_can_be_gone_on_with),
		TEST(damage_costs_the_frames_up_to_the_next_key_frame),
		TEST(any_flipped_byte_leaves_right_states_alone),
		TEST(damage_before_whole_records_is_not_cut_off),
		TEST(zeros_at_the_end_are_cut_off),
		TEST(random_bytes_behind_the_beginning_do_no_harm),
		TEST(other_files_are_refused),
		TEST(frames_that_go_back_are_dropped_with_what_depends_on_them),
		TEST(the_last_of_frames_with_one_time_counts),
		TEST(differences_without_a_base_are_dropped),
		TEST(frames_that_are_no_states_are_an_error_where_they_are_read),
		TEST(a_descriptor_of_its_own_syncs_after_the_journal_was_closed),
		TEST(frame_names_are_those_of_the_original),
		TEST(a_frame_that_does_not_unpack_to_what_was_promised_is_refused),
		TEST(a_frame_that_readers_would_refuse_is_not_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
