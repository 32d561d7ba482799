#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/finalise.h"
#include "store/index.h"
#include "store/recorder.h"
#include "store/recording.h"
#include "store/recording_zip.h"
#include "support/fault.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define C "cccccccccccccccccccccccccccccccc"

struct fixture {
	char dir[TMPDIR_MAX];
	struct lt_index_opts opts;
	struct lt_buf problems;
	int archives_read;
	struct lt_err err;
};

static void note_problem(void *arg, const char *sentence)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->problems, "%s\n", sentence);
}

static bool count_read(void *arg, size_t done LT_UNUSED, size_t all LT_UNUSED)
{
	struct fixture *f = arg;

	f->archives_read++;
	return true;
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	f->opts = (struct lt_index_opts){
		.directory = f->dir,
		.problem = note_problem,
		.progress = count_read,
		.arg = f,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmpdir_remove(f->dir);
	lt_buf_finish(&f->problems);
	lt_free(f);
	return 0;
}

static void copy_golden(struct fixture *f, const char *from, const char *to)
{
	char *path = shared_path(from);
	struct lt_buf bytes = file_bytes(path);

	file_write(in_dir(f->dir, to), lt_buf_str(&bytes));
	lt_buf_finish(&bytes);
	free(path);
}

/* The reference directory, with the index as it was before. */
static void copy_golden_dir(struct fixture *f)
{
	static const char *const names[] = { A ".json", A ".zip", A "_1.zip",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.zip", C ".zip", "nomanifest.zip", "pre_v1.zip",
		"v2.zip" };
	char from[128];

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		snprintf(from, sizeof(from), "golden/index/%s", names[i]);
		copy_golden(f, from, names[i]);
	}
	copy_golden(f, "golden/index/index_before.json", LT_INDEX_NAME);
}

static cJSON *update(struct fixture *f)
{
	cJSON *index = lt_index_update(&f->opts, &f->err);

	if (!index) {
		fail_msg("%s", f->err.msg);
	}
	return index;
}

static cJSON *index_in_file(struct fixture *f)
{
	return lt_json_parse_file(in_dir(f->dir, LT_INDEX_NAME), 1 << 20, NULL);
}

/* A recording of one frame, with this manifest. */
static void make_recording(struct fixture *f, const char *manifest_text)
{
	const char *journal = in_dir(f->dir, "x" LT_JOURNAL_SUFFIX);
	struct lt_finalise_opts opts = { .journal_path = journal, .directory = f->dir };
	struct lt_recorder *recorder = lt_recorder_begin(journal, NULL, NULL);
	cJSON *manifest = json_of(manifest_text);
	cJSON *frame = json_of("{\"cars\":[[\"7\"]],\"session\":{},\"messages\":[]}");

	assert_true(lt_recorder_set_manifest(recorder, manifest, 1700000000, NULL));
	assert_true(lt_recorder_add(recorder, 1700000000, frame, NULL));
	lt_recorder_close(recorder);
	assert_true(lt_finalise(&opts, NULL, NULL));
	cJSON_Delete(manifest);
	cJSON_Delete(frame);
}

/* --- against the reference data --- */

static void updates_are_those_of_the_original(void **state)
{
	struct fixture *f = *state;
	cJSON *after = golden_json("golden/index/index_after.json");
	cJSON *reindexed = golden_json("golden/index/index_after_reindex.json");
	copy_golden_dir(f);

	cJSON *first = update(f), *file = index_in_file(f);
	f->opts.reindex = true;
	cJSON *second = update(f);

	assert_json_equal(first, after, "after");
	assert_json_equal(file, after, "file");
	assert_json_equal(second, reindexed, "reindexed");
	cJSON_Delete(first);
	cJSON_Delete(second);
	cJSON_Delete(file);
	cJSON_Delete(after);
	cJSON_Delete(reindexed);
}

static void what_is_no_recording_is_told_and_left_out(void **state)
{
	struct fixture *f = *state;
	copy_golden_dir(f);

	cJSON_Delete(update(f));

	assert_non_null(strstr(f->problems.p, "nomanifest.zip: no manifest.json"));
	assert_non_null(strstr(f->problems.p, "pre_v1.zip: manifest.json: no version"));
	assert_non_null(strstr(f->problems.p, "v2.zip: manifest.json: version 2 is not"));
}

static void sets_are_listed_as_by_the_original(void **state)
{
	static const char *const sets[] = { "s11-wec-8x5m", "s22-club-14x12m", "s33-tsnl-10x8m",
		"s44-nonum-5x3m" };
	struct fixture *f = *state;
	cJSON *expected = golden_json("golden/index_of_sets.json");
	char from[128], to[128];

	for (size_t i = 0; i < LT_ARRAY_LEN(sets); i++) {
		snprintf(from, sizeof(from), "golden/%s/info.json", sets[i]);
		cJSON *info = golden_json(from);
		snprintf(from, sizeof(from), "golden/%s/recording.zip", sets[i]);
		snprintf(to, sizeof(to), "%s.zip", lt_json_get(info, "uuid")->valuestring);
		copy_golden(f, from, to);
		cJSON_Delete(info);
	}

	cJSON *index = update(f);

	assert_json_equal(index, expected, "index");
	cJSON_Delete(index);
	cJSON_Delete(expected);
}

/* --- rules --- */

static void the_file_is_compact_ascii_in_the_order_of_the_original(void **state)
{
	struct fixture *f = *state;
	make_recording(f,
			"{\"uuid\":\"a\",\"name\":\"S\xC3\xA9rie\",\"description\":\"d\","
			"\"hidden\":true,\"external\":{\"contact\":\"x\"}}");
	file_write(in_dir(f->dir, "a.json"), LT_STR("{}"));

	cJSON_Delete(update(f));

	struct lt_buf text = file_bytes(in_dir(f->dir, LT_INDEX_NAME));
	assert_str_equal(lt_buf_str(&text),
			"{\"a\":{\"description\":\"d\",\"duration\":0.0,\"filename\":\"a.zip\","
			"\"name\":\"S\\u00e9rie\",\"startTime\":1700000000,\"uuid\":\"a\","
			"\"hidden\":true,\"external\":{\"contact\":\"x\"},\"hasAnalysis\":true}}");
	lt_buf_finish(&text);
}

static void the_first_underscore_becomes_a_colon(void **state)
{
	static const struct {
		const char *file, *key;
	} cases[] = {
		{ "a.zip", "a" },
		{ "a_1.zip", "a:1" },
		{ "a_b_c.zip", "a:b_c" },
		{ "_.zip", ":" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };

		lt_index_key(&key, lt_str_from(cases[i].file));
		assert_string_equal(key.p, cases[i].key);
	}
}

static void files_that_are_listed_are_not_read_again(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	make_recording(f, "{\"uuid\":\"b\",\"name\":\"B\"}");
	cJSON_Delete(update(f));
	assert_int_equal(f->archives_read, 2);

	cJSON_Delete(update(f));

	assert_int_equal(f->archives_read, 2);
}

static void an_analysis_that_came_later_is_noticed(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	cJSON_Delete(update(f));
	file_write(in_dir(f->dir, "a.json"), LT_STR("{}"));

	cJSON *index = update(f);

	assert_true(cJSON_IsTrue(lt_json_get(lt_json_get(index, "a"), "hasAnalysis")));
	cJSON_Delete(index);
}

static bool make_analysis(void *arg, const char *recording_path, const char *analysis_path)
{
	struct fixture *f = arg;

	assert_string_equal(recording_path, in_dir(f->dir, "a.zip"));
	assert_string_equal(analysis_path, in_dir(f->dir, "a.json"));
	return false;
}

static void an_analysis_that_cannot_be_made_is_noted(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	f->opts.make_analysis = make_analysis;

	cJSON *index = update(f);

	assert_true(cJSON_IsFalse(lt_json_get(lt_json_get(index, "a"), "hasAnalysis")));
	cJSON_Delete(index);
}

static void a_broken_index_is_made_anew(void **state)
{
	static const char *const broken[] = { "", "{\"a\":", "[]", "{\"a\":7}" };
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");

	for (size_t i = 0; i < LT_ARRAY_LEN(broken); i++) {
		file_write(in_dir(f->dir, LT_INDEX_NAME), lt_str_from(broken[i]));

		cJSON *index = update(f);

		assert_int_equal(cJSON_GetArraySize(index), 1);
		assert_string_equal(lt_json_get(lt_json_get(index, "a"), "name")->valuestring, "A");
		cJSON_Delete(index);
	}
}

static void keys_that_lead_elsewhere_are_dropped(void **state)
{
	struct fixture *f = *state;
	file_write(in_dir(f->dir, LT_INDEX_NAME),
			LT_STR("{\"../../etc/passwd\":{\"uuid\":\"p\",\"filename\":\"a\"}}"));

	cJSON *index = update(f);

	assert_int_equal(cJSON_GetArraySize(index), 0);
	cJSON_Delete(index);
}

static void archives_that_are_cut_off_are_told(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	assert_int_equal(truncate(in_dir(f->dir, "a.zip"), 100), 0);

	cJSON *index = update(f);

	assert_int_equal(cJSON_GetArraySize(index), 0);
	assert_non_null(strstr(f->problems.p, "a.zip: not a readable zip archive"));
	cJSON_Delete(index);
}

static void an_index_that_cannot_be_written_is_told_and_right(void **state)
{
	struct fixture *f = *state;
	struct fault fault;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	fault_init(&fault, &lt_fileops_system);
	fault.kind = FAULT_FAIL;
	fault.code = EROFS;
	fault.from = 1;
	fault.count = 100;
	f->opts.ops = &fault.ops;

	cJSON *index = update(f);

	assert_int_equal(cJSON_GetArraySize(index), 1);
	assert_non_null(strstr(f->problems.p, "Read-only file system"));
	cJSON_Delete(index);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->opts.directory = "/nowhere/at/all";

	assert_null(lt_index_update(&f->opts, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

static void entries_of_elsewhere_are_added_where_there_are_none(void **state)
{
	cJSON *index = lt_json_parse(LT_STR("{\"a:1\":{\"name\":\"ours\"}}"), NULL);
	cJSON *more = lt_json_parse(
			LT_STR("{\"a_1.zip\":{\"name\":\"theirs\"},\"b.zip\":{},\"c.zip\":[1],"
			       "\"d_2_x.zip\":{}}"),
			NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	(void)state;
	lt_index_add_take(index, more);
	lt_index_add_take(index, NULL);

	lt_json_print(&text, index, LT_JSON_COMPACT);
	cJSON_Delete(index);
	assert_str_equal(lt_buf_str(&text), "{\"a:1\":{\"name\":\"ours\"},\"b\":{},\"d:2_x\":{}}");
}

static bool stop(void *arg LT_UNUSED, size_t done LT_UNUSED, size_t all LT_UNUSED)
{
	return false;
}

static void updating_can_be_cancelled(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
	f->opts.progress = stop;

	assert_null(lt_index_update(&f->opts, &f->err));

	assert_int_equal(f->err.code, LT_E_UNAVAILABLE);
}

/* --- changing a manifest --- */

static bool change(struct fixture *f, const char *text)
{
	cJSON *changes = json_of(text);
	cJSON *index = lt_index_change(&f->opts, changes, &f->err);
	bool ok = index != NULL;

	cJSON_Delete(changes);
	cJSON_Delete(index);
	return ok;
}

static void a_change_reaches_archive_index_and_analysis(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\",\"description\":\"old\"}");
	file_write(in_dir(f->dir, "a.json"),
			LT_STR("{\"state\":{},\"service\":{\"uuid\":\"a\",\"name\":\"A\"}}"));

	assert_true(change(f,
			"{\"uuid\":\"a\",\"name\":\"New\",\"hidden\":true,\"version\":9,"
			"\"startTime\":5,\"filename\":\"../x\",\"duration\":1}"));

	struct lt_recording *recording = lt_recording_open(in_dir(f->dir, "a.zip"), NULL);
	cJSON *manifest = json_of("{\"uuid\":\"a\",\"name\":\"New\",\"description\":\"old\","
				  "\"startTime\":1700000000,\"version\":1,\"hidden\":true}");
	cJSON *index = index_in_file(f);
	cJSON *analysis = lt_json_parse_file(in_dir(f->dir, "a.json"), 1 << 20, NULL);
	assert_json_equal(lt_recording_manifest(recording), manifest, "manifest");
	assert_string_equal(lt_json_get(lt_json_get(index, "a"), "name")->valuestring, "New");
	assert_true(cJSON_IsTrue(lt_json_get(lt_json_get(index, "a"), "hidden")));
	assert_string_equal(lt_json_get(lt_json_get(index, "a"), "filename")->valuestring, "a.zip");
	assert_string_equal(
			lt_json_get(lt_json_get(analysis, "service"), "name")->valuestring, "New");
	assert_null(lt_json_get(lt_json_get(analysis, "service"), "filename"));
	assert_int_equal(stat(in_dir(f->dir, "a.zip"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0664);
	lt_recording_close(recording);
	cJSON_Delete(manifest);
	cJSON_Delete(index);
	cJSON_Delete(analysis);
}

static void frames_of_a_changed_recording_of_the_original_stay(void **state)
{
	struct fixture *f = *state;
	copy_golden(f, "golden/s11-wec-8x5m/recording.zip", "x.zip");
	struct lt_recording *before = lt_recording_open(in_dir(f->dir, "x.zip"), NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	lt_buf_printf(&text, "{\"uuid\":\"%s\",\"name\":\"New\"}",
			lt_json_get(lt_recording_manifest(before), "uuid")->valuestring);

	assert_true(change(f, text.p));

	struct lt_recording *after = lt_recording_open(in_dir(f->dir, "x.zip"), NULL);
	size_t count, count_after;
	const int64_t *times = lt_recording_times(before, &count);
	lt_recording_times(after, &count_after);
	assert_int_equal(count, count_after);
	for (size_t i = 0; i < count; i++) {
		cJSON *a = lt_recording_state_at(before, times[i], NULL);
		cJSON *b = lt_recording_state_at(after, times[i], NULL);
		assert_true(a && b && lt_json_equal(a, b));
		cJSON_Delete(a);
		cJSON_Delete(b);
	}
	lt_recording_close(before);
	lt_recording_close(after);
}

static void an_archive_that_was_changed_still_is_recognised_as_published(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");

	assert_true(change(f, "{\"uuid\":\"a\",\"name\":\"New\"}"));

	struct lt_zip *zip = lt_zip_open(in_dir(f->dir, "a.zip"), NULL);
	assert_true(lt_str_starts(lt_zip_comment(zip), LT_STR("livetiming frames sha256:")));
	lt_zip_close(zip);
}

static void changes_of_nothing_are_refused(void **state)
{
	struct fixture *f = *state;
	make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");

	assert_false(change(f, "{\"uuid\":\"b\",\"name\":\"New\"}"));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_false(change(f, "{\"name\":\"New\"}"));
	assert_false(change(f, "[]"));
}

static void a_change_that_fails_leaves_everything_as_it_was(void **state)
{
	struct fixture *f = *state;
	bool failed = true;

	for (size_t call = 1; failed; call++) {
		struct fault fault;

		unlink(in_dir(f->dir, "a.zip"));
		make_recording(f, "{\"uuid\":\"a\",\"name\":\"A\"}");
		fault_init(&fault, &lt_fileops_system);
		fault.kind = FAULT_FAIL;
		fault.code = ENOSPC;
		fault.from = call;
		fault.count = 1;
		f->opts.ops = &fault.ops;

		failed = !change(f, "{\"uuid\":\"a\",\"name\":\"New\"}") || fault.calls >= call;

		/* Whatever failed: a whole archive, and an index that agrees with it. */
		f->opts.ops = NULL;
		struct lt_recording *recording = lt_recording_open(in_dir(f->dir, "a.zip"), NULL);
		cJSON *index = update(f);
		assert_non_null(recording);
		assert_json_equal(lt_json_get(lt_json_get(index, "a"), "name"),
				lt_json_get(lt_recording_manifest(recording), "name"), "name");
		lt_recording_close(recording);
		cJSON_Delete(index);
		LT_AUTO(lt_free) char *names = dir_names(f->dir);
		assert_string_equal(names, "a.zip index.json");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(updates_are_those_of_the_original),
		TEST(what_is_no_recording_is_told_and_left_out),
		TEST(sets_are_listed_as_by_the_original),
		TEST(the_file_is_compact_ascii_in_the_order_of_the_original),
		TEST(the_first_underscore_becomes_a_colon),
		TEST(files_that_are_listed_are_not_read_again),
		TEST(an_analysis_that_came_later_is_noticed),
		TEST(an_analysis_that_cannot_be_made_is_noted),
		TEST(a_broken_index_is_made_anew),
		TEST(keys_that_lead_elsewhere_are_dropped),
		TEST(archives_that_are_cut_off_are_told),
		TEST(an_index_that_cannot_be_written_is_told_and_right),
		TEST(a_directory_that_is_not_there_is_an_error),
		TEST(entries_of_elsewhere_are_added_where_there_are_none),
		TEST(updating_can_be_cancelled),
		TEST(a_change_reaches_archive_index_and_analysis),
		TEST(frames_of_a_changed_recording_of_the_original_stay),
		TEST(an_archive_that_was_changed_still_is_recognised_as_published),
		TEST(changes_of_nothing_are_refused),
		TEST(a_change_that_fails_leaves_everything_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
