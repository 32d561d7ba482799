#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/finalise.h"
#include "store/journal.h"
#include "store/recording.h"
#include "store/recording_zip.h"
#include "store/tempdir.h"
#include "support/fault.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define KEY(n)     "{\"cars\": [[" #n "]], \"session\": {}, \"messages\": []}"
#define DIFF(a, b) "{\"cars\":[[\"change\",[0,0],[" #a "," #b "]]],\"session\":[],\"messages\":[]}"

struct fixture {
	char dir[TMPDIR_MAX];
	char frames[128]; /* a directory of the original */
	struct lt_buf found, problems;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->frames, sizeof(f->frames), "%s/abc", f->dir);
	assert_int_equal(mkdir(f->frames, 0755), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_buf_finish(&f->found);
	lt_buf_finish(&f->problems);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *content)
{
	file_write(in_dir(f->frames, name), lt_str_from(content));
}

static void put_sample(struct fixture *f)
{
	put(f, "manifest.json", "{\"uuid\":\"abc\",\"name\":\"A\",\"startTime\":1700000000}");
	put(f, "01700000002i.json", DIFF(1, 2));
	put(f, "01700000000.json", KEY(0));
	put(f, "01700000001i.json", DIFF(0, 1));
	put(f, "01700000010.json", KEY(10));
	put(f, "01700000011i.json", DIFF(10, 11));
}

static void note_found(void *arg, const char *journal_path)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->found, "%s ", lt_path_base(journal_path));
}

static void note_problem(void *arg, const char *sentence)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->problems, "%s\n", sentence);
}

static void scan(struct fixture *f)
{
	lt_buf_clear(&f->found);
	lt_buf_add_c(&f->found, "");
	assert_true(lt_tempdir_scan(f->dir, NULL, note_found, note_problem, f, &f->err));
}

static void assert_names(struct fixture *f, const char *expected)
{
	LT_AUTO(lt_free) char *names = dir_names(f->dir);

	assert_string_equal(names, expected);
}

/* The number at a time in the journal abc. */
static int number_at(struct fixture *f, int64_t time_s)
{
	struct lt_journal_reader *reader =
			lt_journal_reader_open(in_dir(f->dir, "abc" LT_JOURNAL_SUFFIX), NULL);
	assert_non_null(reader);
	cJSON *value = lt_journal_reader_state_at(reader, time_s, NULL);
	assert_non_null(value);
	int number = lt_json_get(value, "cars")->child->child->valueint;

	cJSON_Delete(value);
	lt_journal_reader_close(reader);
	return number;
}

/* --- names --- */

static void journals_get_the_first_name_that_is_free(void **state)
{
	struct fixture *f = *state;
	char *first = lt_tempdir_journal(f->dir, LT_STR("x"), NULL);
	assert_string_equal(first, in_dir(f->dir, "x.journal"));
	file_write(first, LT_STR(""));

	char *second = lt_tempdir_journal(f->dir, LT_STR("x"), NULL);

	assert_string_equal(second, in_dir(f->dir, "x_1.journal"));
	lt_free(first);
	lt_free(second);
}

static void uuids_that_lead_elsewhere_get_no_name(void **state)
{
	static const char *const uuids[] = { "", ".", "..", "../x", "a/b", ".x", "a\nb" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(uuids); i++) {
		assert_null(lt_tempdir_journal(f->dir, lt_str_from(uuids[i]), &f->err));
		assert_int_equal(f->err.code, LT_E_INVALID);
	}
}

/* --- adopting --- */

static void a_directory_of_the_original_becomes_the_recording_that_it_would_have_become(
		void **state)
{
	struct fixture *f = *state;
	char *path = shared_path("golden/s22-club-14x12m/dvr_recording.zip");
	struct lt_zip *zip = lt_zip_open(path, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	for (int64_t i = 0; i < lt_zip_count(zip); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		assert_true(lt_zip_read(zip, i, &text, NULL));
		lt_buf_clear(&name);
		lt_buf_add_str(&name, lt_zip_name(zip, i));
		file_write(in_dir(f->frames, name.p), lt_buf_str(&text));
	}
	lt_zip_close(zip);
	struct lt_finalise_opts opts = { .journal_path = in_dir(f->dir, "abc" LT_JOURNAL_SUFFIX),
		.directory = f->dir };
	size_t skipped;

	assert_true(lt_tempdir_adopt(f->frames, NULL, &skipped, NULL));
	char *made;
	assert_true(lt_finalise(&opts, &made, NULL));

	struct lt_recording *theirs = lt_recording_open(path, NULL);
	struct lt_recording *ours = lt_recording_open(in_dir(f->dir, made), NULL);
	size_t count, count_ours;
	const int64_t *times = lt_recording_times(theirs, &count);
	lt_recording_times(ours, &count_ours);
	assert_int_equal(skipped, 0);
	assert_int_equal(count_ours, count);
	assert_json_equal(lt_recording_manifest(ours), lt_recording_manifest(theirs), "manifest");
	for (size_t i = 0; i < count; i++) {
		cJSON *a = lt_recording_state_at(theirs, times[i], NULL);
		cJSON *b = lt_recording_state_at(ours, times[i], NULL);
		assert_true(lt_json_equal(a, b));
		cJSON_Delete(a);
		cJSON_Delete(b);
	}
	assert_names(f, made);
	lt_recording_close(theirs);
	lt_recording_close(ours);
	lt_free(made);
	free(path);
}

static void frames_are_taken_in_the_order_of_their_times(void **state)
{
	struct fixture *f = *state;
	put_sample(f);

	assert_true(lt_tempdir_adopt(f->frames, NULL, NULL, NULL));

	assert_int_equal(number_at(f, 1700000002), 2);
	assert_int_equal(number_at(f, 1700000011), 11);
	assert_names(f, "abc.journal");
}

static void broken_frames_cost_what_depends_on_them(void **state)
{
	struct fixture *f = *state;
	size_t skipped;
	put_sample(f);
	put(f, "01700000001i.json", "{\"cars\": [[\"change\"");
	put(f, "01700000020.json", "{\"cars\": 7}");
	put(f, "01700000021i.json", DIFF(20, 21));

	assert_true(lt_tempdir_adopt(f->frames, NULL, &skipped, NULL));

	assert_int_equal(skipped, 4);
	assert_int_equal(number_at(f, 1700000009), 0);
	assert_int_equal(number_at(f, 1700000099), 11);
}

static void a_difference_at_the_time_of_a_key_frame_is_not_taken(void **state)
{
	struct fixture *f = *state;
	put_sample(f);
	put(f, "01700000010i.json", DIFF(10, 99));

	assert_true(lt_tempdir_adopt(f->frames, NULL, NULL, NULL));

	assert_int_equal(number_at(f, 1700000010), 10);
}

static void directories_without_frames_stay_and_are_told(void **state)
{
	struct fixture *f = *state;
	put(f, "notes.txt", "something else");

	scan(f);

	assert_string_equal(f->found.p, "");
	assert_non_null(strstr(f->problems.p, "/abc has no readable frames"));
	assert_names(f, "abc");
}

static void files_that_are_no_frames_are_never_removed(void **state)
{
	struct fixture *f = *state;
	put_sample(f);
	put(f, "notes.txt", "something else");

	assert_true(lt_tempdir_adopt(f->frames, NULL, NULL, NULL));

	LT_AUTO(lt_free) char *left = dir_names(in_dir(f->dir, ".abc.adopted"));
	assert_string_equal(left, "notes.txt");
}

static void a_directory_that_could_not_be_removed_is_told_until_somebody_does(void **state)
{
	struct fixture *f = *state;
	put_sample(f);
	put(f, "notes.txt", "something else");
	assert_true(lt_tempdir_adopt(f->frames, NULL, NULL, NULL));

	scan(f);
	assert_string_equal(f->found.p, "abc.journal ");
	assert_non_null(strstr(f->problems.p, ".abc.adopted holds files that are no frames"));

	assert_int_equal(unlink(in_dir(f->dir, ".abc.adopted/notes.txt")), 0);
	scan(f);
	assert_names(f, "abc.journal");
}

/* --- scanning --- */

static void a_scan_finds_journals_and_adopts_directories(void **state)
{
	struct fixture *f = *state;
	put_sample(f);
	lt_journal_close(lt_journal_create(in_dir(f->dir, "b.journal"), &lt_fileops_system, NULL));
	file_write(in_dir(f->dir, ".c.journal.part"), LT_STR("LTJOURN\1"));
	file_write(in_dir(f->dir, "other"), LT_STR(""));

	scan(f);

	assert_string_equal(f->found.p, "abc.journal b.journal ");
	assert_null(f->problems.p);
}

static void an_adopted_directory_does_not_replace_a_journal(void **state)
{
	struct fixture *f = *state;
	put_sample(f);
	file_write(in_dir(f->dir, "abc.journal"), LT_STR("LTJOURN\1"));

	scan(f);

	assert_string_equal(f->found.p, "abc.journal abc_1.journal ");
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_false(lt_tempdir_scan(
			in_dir(f->dir, "no"), NULL, note_found, note_problem, f, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

static void an_adoption_cut_off_at_any_call_is_completed_by_the_next_scan(void **state)
{
	struct fixture *f = *state;
	bool ended = false;

	for (size_t call = 1; !ended; call++) {
		struct fault fault;
		int status;

		teardown((void **)&f);
		setup((void **)&f);
		put_sample(f);
		fault_init(&fault, &lt_fileops_system);
		fault.kind = call % 2 ? FAULT_DIE_HALF : FAULT_DIE_AFTER;
		fault.from = call;
		fault.count = 1;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(lt_tempdir_adopt(f->frames, &fault.ops, NULL, NULL) ? 7 : 9);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ended = WEXITSTATUS(status) == 7;
		assert_true(ended || WEXITSTATUS(status) == 0);

		scan(f);

		assert_string_equal(f->found.p, "abc.journal ");
		assert_int_equal(number_at(f, 1700000002), 2);
		assert_int_equal(number_at(f, 1700000011), 11);
		assert_names(f, "abc.journal");
	}
	*state = f;
}

static void a_full_disk_leaves_the_directory_and_can_be_repeated(void **state)
{
	struct fixture *f = *state;
	struct fault fault;
	put_sample(f);
	fault_init(&fault, &lt_fileops_system);
	fault.kind = FAULT_FAIL;
	fault.code = ENOSPC;
	fault.from = 7;
	fault.count = 1;

	assert_false(lt_tempdir_adopt(f->frames, &fault.ops, NULL, &f->err));

	assert_non_null(strstr(f->err.msg, "No space left on device"));
	assert_names(f, "abc");
	assert_true(lt_tempdir_adopt(f->frames, NULL, NULL, NULL));
	assert_int_equal(number_at(f, 1700000011), 11);
}

static void parts_of_files_are_swept_away_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mkdir(in_dir(f->dir, ".d.part"), 0755), 0);
	file_write(in_dir(f->dir, ".a.zip.part"), LT_STR("x"));
	file_write(in_dir(f->dir, ".a.journal.zip.part"), LT_STR("x"));
	file_write(in_dir(f->dir, ".e.journal.part"), LT_STR("x"));
	file_write(in_dir(f->dir, "b.part"), LT_STR("x"));
	file_write(in_dir(f->dir, ".c"), LT_STR("x"));

	assert_true(lt_tempdir_sweep(f->dir, NULL, NULL));

	assert_names(f, ".c .d.part .e.journal.part abc b.part");
	assert_false(lt_tempdir_sweep(in_dir(f->dir, "no"), NULL, &f->err));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(journals_get_the_first_name_that_is_free),
		TEST(uuids_that_lead_elsewhere_get_no_name),
		TEST(a_directory_of_the_original_becomes_the_recording_that_it_would_have_become),
		TEST(frames_are_taken_in_the_order_of_their_times),
		TEST(broken_frames_cost_what_depends_on_them),
		TEST(a_difference_at_the_time_of_a_key_frame_is_not_taken),
		TEST(directories_without_frames_stay_and_are_told),
		TEST(files_that_are_no_frames_are_never_removed),
		TEST(a_directory_that_could_not_be_removed_is_told_until_somebody_does),
		TEST(a_scan_finds_journals_and_adopts_directories),
		TEST(an_adopted_directory_does_not_replace_a_journal),
		TEST(a_directory_that_is_not_there_is_an_error),
		TEST(an_adoption_cut_off_at_any_call_is_completed_by_the_next_scan),
		TEST(a_full_disk_leaves_the_directory_and_can_be_repeated),
		TEST(parts_of_files_are_swept_away_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
