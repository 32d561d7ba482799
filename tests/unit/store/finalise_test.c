#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/finalise.h"
#include "store/journal.h"
#include "store/recorder.h"
#include "store/recording.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define T0 INT64_C(1700000000)

struct fixture {
	char dir[TMPDIR_MAX];
	char journal[128];
	struct lt_finalise_opts opts;
	char *name;
	struct lt_err err;
	size_t steps;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->journal, sizeof(f->journal), "%s/journal" LT_JOURNAL_SUFFIX, f->dir);
	f->opts = (struct lt_finalise_opts){ .journal_path = f->journal, .directory = f->dir };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_free(f->name);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

/* A journal of `frames` frames from a time on; manifest NULL: none. */
static void make_journal(struct fixture *f, const char *manifest_text, int64_t time_s, int frames)
{
	struct lt_recorder *recorder = lt_recorder_begin(f->journal, NULL, NULL);
	char text[128];

	assert_non_null(recorder);
	if (manifest_text) {
		cJSON *manifest = json_of(manifest_text);
		assert_true(lt_recorder_set_manifest(recorder, manifest, time_s, NULL));
		cJSON_Delete(manifest);
	}
	for (int i = 0; i < frames; i++) {
		snprintf(text, sizeof(text), "{\"cars\":[[%d]],\"session\":{}}", i);
		cJSON *value = json_of(text);
		assert_true(lt_recorder_add(recorder, time_s + i, value, NULL));
		cJSON_Delete(value);
	}
	lt_recorder_close(recorder);
}

static bool finalise(struct fixture *f)
{
	lt_free(f->name);
	f->name = NULL;
	return lt_finalise(&f->opts, &f->name, &f->err);
}

static void assert_refused(struct fixture *f, enum lt_errc code, const char *reason)
{
	assert_false(finalise(f));

	assert_int_equal(f->err.code, code);
	if (!strstr(f->err.msg, reason)) {
		fail_msg("\"%s\" does not say \"%s\"", f->err.msg, reason);
	}
	assert_null(f->name);
}

static void assert_uuid(struct fixture *f, const char *name, const char *uuid)
{
	struct lt_recording *recording = lt_recording_open(in_dir(f->dir, name), NULL);

	assert_non_null(recording);
	assert_string_equal(
			lt_json_get(lt_recording_manifest(recording), "uuid")->valuestring, uuid);
	lt_recording_close(recording);
}

/* --- names --- */

static void recordings_of_a_service_are_numbered_and_none_is_replaced(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "a.zip", "a_1.zip", "a_2.zip" };
	static const char *const uuids[] = { "a", "a:1", "a:2" };

	for (int i = 0; i < 3; i++) {
		make_journal(f, "{\"uuid\":\"a\",\"name\":\"A\"}", T0 + 1000 * i, 3);
		assert_true(finalise(f));
		assert_string_equal(f->name, names[i]);
	}

	for (int i = 0; i < 3; i++) {
		assert_uuid(f, names[i], uuids[i]);
	}
	LT_AUTO(lt_free) char *all = dir_names(f->dir);
	assert_string_equal(all, "a.zip a_1.zip a_2.zip");
}

static void a_file_of_somebody_else_is_left_alone(void **state)
{
	struct fixture *f = *state;
	file_write(in_dir(f->dir, "a.zip"), LT_STR("not a zip"));
	make_journal(f, "{\"uuid\":\"a\"}", T0, 1);

	assert_true(finalise(f));

	assert_string_equal(f->name, "a_1.zip");
	struct lt_buf text = file_bytes(in_dir(f->dir, "a.zip"));
	assert_str_equal(lt_buf_str(&text), "not a zip");
	lt_buf_finish(&text);
}

static void a_dangling_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(symlink("elsewhere.zip", in_dir(f->dir, "a.zip")), 0);
	make_journal(f, "{\"uuid\":\"a\"}", T0, 1);

	assert_true(finalise(f));

	assert_string_equal(f->name, "a_1.zip");
}

static void colons_of_a_uuid_become_underscores_in_the_name(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"uuid\":\"a:b\"}", T0, 1);

	assert_true(finalise(f));

	assert_string_equal(f->name, "a_b.zip");
	assert_uuid(f, "a_b.zip", "a:b");
}

static void without_a_uuid_the_name_of_the_journal_counts(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"name\":\"A\"}", T0, 1);

	assert_true(finalise(f));

	assert_uuid(f, "journal.zip", "journal");
}

static void a_name_can_be_given_and_is_not_replaced_either(void **state)
{
	struct fixture *f = *state;
	f->opts.file_name = "local.zip";
	make_journal(f, "{\"uuid\":\"a\"}", T0, 1);
	assert_true(finalise(f));
	assert_string_equal(f->name, "local.zip");

	make_journal(f, "{\"uuid\":\"a\"}", T0 + 50, 1);

	assert_refused(f, LT_E_EXISTS, "local.zip exists");
	assert_uuid(f, "local.zip", "a");
}

static void uuids_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const manifests[] = {
		"{\"uuid\":\"../a\"}",
		"{\"uuid\":\"/etc/a\"}",
		"{\"uuid\":\"..\"}",
		"{\"uuid\":\".hidden\"}",
		"{\"uuid\":\"a\\nb\"}",
		"{\"uuid\":\"\"}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(manifests); i++) {
		make_journal(f, manifests[i], T0, 1);
		assert_refused(f, LT_E_INVALID, "cannot be the name of a file");
		LT_AUTO(lt_free) char *names = dir_names(f->dir);
		assert_string_equal(names, "journal" LT_JOURNAL_SUFFIX);
		unlink(f->journal);
	}
	make_journal(f, "{\"uuid\":7}", T0, 1);
	assert_refused(f, LT_E_FORMAT, "manifest.json: ");
}

/* --- what can and cannot be finalised --- */

static void without_frames_or_manifest_the_journal_stays(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"uuid\":\"a\"}", T0, 0);
	assert_refused(f, LT_E_INVALID, "no frames");
	unlink(f->journal);
	make_journal(f, NULL, T0, 3);

	assert_refused(f, LT_E_INVALID, "no manifest");

	LT_AUTO(lt_free) char *names = dir_names(f->dir);
	assert_string_equal(names, "journal" LT_JOURNAL_SUFFIX);
}

static void a_journal_that_is_written_or_is_none_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_refused(f, LT_E_NOT_FOUND, "cannot open");
	struct lt_recorder *recorder = lt_recorder_begin(f->journal, NULL, NULL);

	assert_refused(f, LT_E_UNAVAILABLE, "is being written");

	lt_recorder_close(recorder);
	file_write(f->journal, LT_STR("something else"));
	assert_refused(f, LT_E_FORMAT, "is not a journal");
}

/* --- cancelling and repeating --- */

static bool stop_at_second(void *arg, size_t done, size_t all)
{
	struct fixture *f = arg;

	assert_true(done <= all);
	return ++f->steps < 2;
}

static void cancelling_leaves_the_journal_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"uuid\":\"a\"}", T0, 600);
	f->opts.progress = stop_at_second;
	f->opts.arg = f;

	assert_refused(f, LT_E_UNAVAILABLE, "cancelled");

	LT_AUTO(lt_free) char *names = dir_names(f->dir);
	assert_string_equal(names, "journal" LT_JOURNAL_SUFFIX);
	f->opts.progress = NULL;
	assert_true(finalise(f));
}

static void a_journal_that_is_finalised_twice_makes_one_recording(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"uuid\":\"a\"}", T0, 30);
	struct lt_buf journal = file_bytes(f->journal);
	assert_false(lt_finalise_is_published(f->journal, f->dir));
	assert_true(finalise(f));

	/* As if the removal had not reached the disk. */
	file_write(f->journal, lt_buf_str(&journal));
	assert_true(lt_finalise_is_published(f->journal, f->dir));
	assert_true(finalise(f));

	assert_string_equal(f->name, "a.zip");
	LT_AUTO(lt_free) char *names = dir_names(f->dir);
	assert_string_equal(names, "a.zip");
	lt_buf_finish(&journal);
}

/* --- what is in it --- */

static void mode_and_analysis_are_those_of_the_original(void **state)
{
	struct fixture *f = *state;
	cJSON *analysis = json_of("{\"service\":{\"uuid\":\"a\",\"name\":\"A\"},\"lap\":{}}");
	struct stat st;
	f->opts.analysis = analysis;
	mode_t old = umask(077);

	for (int i = 0; i < 2; i++) {
		make_journal(f, "{\"uuid\":\"a\"}", T0 + 100 * i, 1);
		assert_true(finalise(f));
	}

	umask(old);
	struct lt_buf first = file_bytes(in_dir(f->dir, "a.json"));
	struct lt_buf second = file_bytes(in_dir(f->dir, "a_1.json"));
	assert_str_equal(lt_buf_str(&first),
			"{\"service\":{\"uuid\":\"a\",\"name\":\"A\"},\"lap\":{}}");
	assert_str_equal(lt_buf_str(&second),
			"{\"service\":{\"uuid\":\"a:1\",\"name\":\"A\"},\"lap\":{}}");
	assert_int_equal(stat(in_dir(f->dir, "a.zip"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
	assert_int_equal(stat(in_dir(f->dir, "a_1.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
	lt_buf_finish(&first);
	lt_buf_finish(&second);
	cJSON_Delete(analysis);
}

static void a_day_at_a_frame_a_second_can_be_read(void **state)
{
	struct fixture *f = *state;
	make_journal(f, "{\"uuid\":\"a\"}", T0, 86400);

	assert_true(finalise(f));

	struct lt_recording *recording = lt_recording_open(in_dir(f->dir, "a.zip"), &f->err);
	if (!recording) {
		fail_msg("%s", f->err.msg);
	}
	assert_int_equal(lt_recording_last(recording), T0 + 86399);
	cJSON *value = lt_recording_state_at(recording, T0 + 77777, NULL);
	assert_int_equal(lt_json_get(value, "cars")->child->child->valueint, 77777);
	cJSON_Delete(value);
	lt_recording_close(recording);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recordings_of_a_service_are_numbered_and_none_is_replaced),
		TEST(a_file_of_somebody_else_is_left_alone),
		TEST(a_dangling_link_is_not_followed),
		TEST(colons_of_a_uuid_become_underscores_in_the_name),
		TEST(without_a_uuid_the_name_of_the_journal_counts),
		TEST(a_name_can_be_given_and_is_not_replaced_either),
		TEST(uuids_that_lead_elsewhere_are_refused),
		TEST(without_frames_or_manifest_the_journal_stays),
		TEST(a_journal_that_is_written_or_is_none_is_refused),
		TEST(cancelling_leaves_the_journal_and_nothing_else),
		TEST(a_journal_that_is_finalised_twice_makes_one_recording),
		TEST(mode_and_analysis_are_those_of_the_original),
		TEST(a_day_at_a_frame_a_second_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
