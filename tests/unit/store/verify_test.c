#include "base/alloc.h"
#include "store/recorder.h"
#include "store/verify.h"
#include "support/golden.h"
#include "unit/store/archive.h"

struct fixture {
	char dir[TMPDIR_MAX];
	char path[TMPDIR_MAX + 16];
	struct lt_buf problems, remarks; /* "entry: what; " */
	struct lt_verify_report report;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/a.zip", f->dir);
	lt_buf_add_c(&f->problems, "");
	lt_buf_add_c(&f->remarks, "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmpdir_remove(f->dir);
	lt_buf_finish(&f->problems);
	lt_buf_finish(&f->remarks);
	lt_free(f);
	return 0;
}

static void note_problem(void *arg, const char *where, const char *what)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->problems, "%s: %s; ", where, what);
}

static void note_remark(void *arg, const char *where, const char *what)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->remarks, "%s: %s; ", where, what);
}

static void verify(struct fixture *f, const char *path)
{
	assert_true(lt_verify(path, &(struct lt_verify_sink){ note_problem, note_remark, NULL, f },
			&f->report, &f->err));
}

static void verify_entries(struct fixture *f, const struct archive_entry *entries, size_t n)
{
	archive_write(f->path, entries, n);
	verify(f, f->path);
}

static void assert_problem(const struct fixture *f, const char *expected)
{
	if (!strstr(f->problems.p, expected)) {
		fail_msg("expected \"%s\", got \"%s\"", expected, f->problems.p);
	}
}

static void a_good_recording_has_no_problems(void **state)
{
	struct fixture *f = *state;

	verify_entries(f, archive_good, LT_ARRAY_LEN(archive_good));

	assert_string_equal(f->problems.p, "");
	assert_string_equal(f->remarks.p, "");
	assert_int_equal(f->report.frames, 4);
	assert_int_equal(f->report.keys, 2);
	assert_int_equal(f->report.first_s, 1700000000);
	assert_int_equal(f->report.last_s, 1700000010);
}

static void the_order_of_the_entries_does_not_matter(void **state)
{
	struct archive_entry entries[LT_ARRAY_LEN(archive_good)];
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(entries); i++) {
		entries[i] = archive_good[LT_ARRAY_LEN(entries) - 1 - i];
	}
	verify_entries(f, entries, LT_ARRAY_LEN(entries));

	assert_string_equal(f->problems.p, "");
}

static void the_recordings_of_the_original_have_no_problems(void **state)
{
	static const char *const names[] = { "s11-wec-8x5m", "s22-club-14x12m", "s33-tsnl-10x8m",
		"s44-nonum-5x3m" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		char name[128];

		snprintf(name, sizeof(name), "golden/%s/dvr_recording.zip", names[i]);
		char *path = shared_path(name);
		verify(f, path);
		free(path);
		assert_string_equal(f->problems.p, "");
	}
}

static void frames_lost_in_one_second_are_noticed(void **state)
{
	struct fixture *f = *state;
	char *path = shared_path("golden/recorder/same_second_frames_dvr.zip");

	verify(f, path);

	free(path);
	assert_problem(f, "01700000002i.json: does not follow from the frame before it: cars");
	assert_int_equal(f->report.problems, 1);
}

/* One bad thing each, and the sentence for it. */
static void each_problem_has_its_sentence(void **state)
{
	static const struct {
		struct archive_entry entries[4];
		const char *expected;
	} cases[] = {
		{ { { "01700000000.json", ARCHIVE_KEY(1) } }, "no manifest.json" },
		{ { { "manifest.json", ARCHIVE_MANIFEST } }, "no frames" },
		{ { { "manifest.json", "{}" } }, "manifest.json: no version" },
		{ { { "manifest.json", "[]" } }, "manifest.json: not an object" },
		{ { { "manifest.json", "{" } }, "manifest.json: " },
		{ { { "manifest.json", "{\"version\": 2}" } }, "its version is not supported" },
		{ { { "manifest.json", "{\"version\": 1, \"colSpec\": 5}" } }, "colSpec" },
		{ { { "manifest.json", "{\"version\": 1, \"uuid\": 5}" } }, "uuid" },
		{ { { "manifest.json", ARCHIVE_MANIFEST }, { "manifest.json", ARCHIVE_MANIFEST } },
				"manifest.json: more than one" },
		{ { { "01700000001i.json", ARCHIVE_DIFF(1, 2) } },
				"01700000001i.json: no key frame before it" },
		{ { { "01700000000.json", "{" } }, "01700000000.json: " },
		{ { { "01700000000.json", "{\"cars\": 5}" } }, "01700000000.json: " },
		{ { { "01700000000.json", ARCHIVE_KEY(1) },
				  { "01700000001i.json", ARCHIVE_DIFF(7, 8) } },
				"01700000001i.json: does not follow from the frame before it" },
		{ { { "01700000000.json", ARCHIVE_KEY(1) },
				  { "01700000001i.json",
						  "{\"cars\": [[\"change\", [9, 9], "
						  "[1, 2]]], \"session\": []}" } },
				"01700000001i.json: " },
		{ { { "01700000000.json", ARCHIVE_KEY(1) },
				  { "01700000000.json", ARCHIVE_KEY(2) } },
				"01700000000.json: the archive has another frame of that time" },
		{ { { "../evil.json", "1" } },
				"\"../evil.json\": not the name of a file in a recording" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		size_t n = 0;

		while (n < LT_ARRAY_LEN(cases[i].entries) && cases[i].entries[n].name) {
			n++;
		}
		lt_buf_clear(&f->problems);
		verify_entries(f, cases[i].entries, n);
		assert_problem(f, cases[i].expected);
	}
}

static void what_follows_a_broken_frame_is_told_of_once(void **state)
{
	static const struct archive_entry entries[] = {
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "01700000001i.json", "{" },
		{ "01700000002i.json", ARCHIVE_DIFF(2, 3) },
		{ "01700000003i.json", ARCHIVE_DIFF(3, 4) },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;

	verify_entries(f, entries, LT_ARRAY_LEN(entries));

	assert_int_equal(f->report.problems, 2);
	assert_int_equal(f->report.unchecked, 2);
}

static void a_difference_beside_a_key_frame_is_a_remark(void **state)
{
	static const struct archive_entry entries[] = {
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "01700000000i.json", ARCHIVE_DIFF(0, 1) },
		{ "notes.txt", "hello" },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;

	verify_entries(f, entries, LT_ARRAY_LEN(entries));

	assert_string_equal(f->problems.p, "");
	assert_non_null(strstr(f->remarks.p, "01700000000i.json: there is a key frame"));
	assert_non_null(strstr(f->remarks.p, "\"notes.txt\": does not belong"));
}

static void what_is_no_archive_is_a_problem(void **state)
{
	struct fixture *f = *state;

	file_write(f->path, LT_STR("no archive"));
	verify(f, f->path);
	assert_problem(f, "not a readable zip archive");
	verify(f, in_dir(f->dir, "nothing"));
	assert_problem(f, "cannot open");
	verify(f, f->dir);
	assert_problem(f, "not a regular file");
}

static void a_journal_is_checked_too(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete) cJSON *manifest = json_of(ARCHIVE_MANIFEST);
	LT_AUTO(cJSON_Delete) cJSON *first = json_of(ARCHIVE_KEY(1));
	struct lt_recorder *recorder = lt_recorder_begin(f->path, NULL, &f->err);
	assert_true(lt_recorder_set_manifest(recorder, manifest, 1700000000, &f->err));
	assert_true(lt_recorder_add(recorder, 1700000000, first, &f->err));
	lt_recorder_close(recorder);

	verify(f, f->path);

	assert_string_equal(f->problems.p, "");
	assert_int_equal(f->report.frames, 1);
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = file_bytes(f->path);
	file_write(f->path, (struct lt_str){ bytes.p, bytes.n - 3 });
	verify(f, f->path);
	assert_problem(f, "bytes at the end are no whole record");
	assert_problem(f, "no frames");
}

static bool stop(void *arg LT_UNUSED, size_t done LT_UNUSED, size_t total LT_UNUSED)
{
	return false;
}

static void verifying_can_be_interrupted(void **state)
{
	struct fixture *f = *state;
	archive_write(f->path, archive_good, LT_ARRAY_LEN(archive_good));

	assert_false(lt_verify(f->path,
			&(struct lt_verify_sink){ note_problem, note_remark, stop, f }, &f->report,
			&f->err));

	assert_int_equal(f->err.code, LT_E_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_recording_has_no_problems),
		TEST(the_order_of_the_entries_does_not_matter),
		TEST(the_recordings_of_the_original_have_no_problems),
		TEST(frames_lost_in_one_second_are_noticed),
		TEST(each_problem_has_its_sentence),
		TEST(what_follows_a_broken_frame_is_told_of_once),
		TEST(a_difference_beside_a_key_frame_is_a_remark),
		TEST(what_is_no_archive_is_a_problem),
		TEST(a_journal_is_checked_too),
		TEST(verifying_can_be_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
