#include <sys/stat.h>
#include <unistd.h>

#include <zip.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "store/recording.h"
#include "store/recording_zip.h"
#include "support/golden.h"
#include "support/test.h"

#define MANIFEST "{\"version\": 1, \"name\": \"Test\", \"colSpec\": []}"
#define KEY(n)   "{\"cars\": [[\"7\", " #n "]], \"session\": {}, \"messages\": [], \"highlight\": []}"
#define DIFF(a, b)                                                                                 \
	"{\"cars\": [[\"change\", [0, 1], [" #a ", " #b "]]], \"session\": [], \"messages\": [], " \
	"\"highlight\": []}"

static const char *const sets[] = {
	"s11-wec-8x5m",
	"s22-club-14x12m",
	"s33-tsnl-10x8m",
	"s44-nonum-5x3m",
};

/* --- archives of our own --- */

struct fixture {
	char dir[64];
	char *path; /* of the archive */
	struct lt_err err;
};

struct entry {
	const char *name, *content;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/lt-recording-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_path_join(f->dir, "a.zip");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	lt_free(f->path);
	lt_free(f);
	return 0;
}

static void add_entry(zip_t *archive, const char *name, const void *content, size_t n)
{
	zip_source_t *source = zip_source_buffer(archive, content, n, 0);

	assert_true(zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8) >= 0);
}

static void write_zip(struct fixture *f, const struct entry *entries, size_t count)
{
	zip_t *archive = zip_open(f->path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	assert_non_null(archive);
	for (size_t i = 0; i < count; i++) {
		add_entry(archive, entries[i].name, entries[i].content, strlen(entries[i].content));
	}
	assert_int_equal(zip_close(archive), 0);
}

static void write_bytes(const char *path, struct lt_str bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
	assert_int_equal(fclose(file), 0);
}

static struct lt_buf read_bytes(const char *path)
{
	struct lt_buf bytes = { 0 };

	assert_true(lt_file_read(path, 64u << 20, &bytes, NULL));
	return bytes;
}

/* Replace every occurrence in the file by a text of the same length. */
static void patch(const char *path, const char *from, const char *to)
{
	struct lt_buf bytes = read_bytes(path);
	size_t n = strlen(from);
	int count = 0;

	assert_int_equal(n, strlen(to));
	for (size_t i = 0; i + n <= bytes.n; i++) {
		if (memcmp(bytes.p + i, from, n) == 0) {
			memcpy(bytes.p + i, to, n);
			count++;
		}
	}
	assert_int_equal(count, 2); /* local header and directory */
	write_bytes(path, lt_buf_str(&bytes));
	lt_buf_finish(&bytes);
}

static struct lt_recording *open_or_fail(const char *path)
{
	struct lt_err err = { .code = LT_E_NONE };
	struct lt_recording *recording = lt_recording_open(path, &err);

	if (!recording) {
		fail_msg("%s", err.msg);
	}
	return recording;
}

static struct lt_recording *open_golden(const char *name)
{
	char *path = shared_path(name);
	struct lt_recording *recording = open_or_fail(path);

	free(path);
	return recording;
}

/* Second cell of the first car, for archives of KEY and DIFF frames. */
static int value_at(struct lt_recording *recording, int64_t time_s)
{
	cJSON *state = lt_recording_state_at(recording, time_s, NULL);

	assert_non_null(state);
	int value = cJSON_GetArrayItem(lt_json_get(state, "cars")->child, 1)->valueint;
	cJSON_Delete(state);
	return value;
}

/* Refused, with a sentence that holds both parts. */
static void assert_refused(struct fixture *f, const char *reason)
{
	f->err = (struct lt_err){ .code = LT_E_NONE };

	assert_null(lt_recording_open(f->path, &f->err));

	if (!strstr(f->err.msg, reason) || strncmp(f->err.msg, "recording /", 11) != 0) {
		fail_msg("\"%s\" does not say \"%s\"", f->err.msg, reason);
	}
}

/* --- against the reference data --- */

static void assert_state(struct lt_recording *recording, const cJSON *expected, const char *what)
{
	struct lt_err err = { .code = LT_E_NONE };
	int64_t time_s = (int64_t)lt_json_get(expected, "t")->valuedouble;
	cJSON *state = lt_recording_state_at(recording, time_s, &err);
	cJSON *wanted = cJSON_Duplicate(lt_json_get(expected, "state"), true);

	if (!state) {
		fail_msg("%s: %s", what, err.msg);
	}
	assert_non_null(wanted);
	assert_same_set(lt_json_get(state, "highlight"), lt_json_get(wanted, "highlight"), what);
	lt_json_set_take(state, "highlight", cJSON_CreateArray());
	lt_json_set_take(wanted, "highlight", cJSON_CreateArray());
	assert_json_equal(state, wanted, what);
	cJSON_Delete(state);
	cJSON_Delete(wanted);
}

/* Forwards, which reuses the state before, and backwards, which cannot. */
static void check_states(struct lt_recording *recording, const cJSON *states, const char *what)
{
	int count = cJSON_GetArraySize(states);

	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		assert_state(recording, cJSON_GetArrayItem(states, i), what);
	}
	for (int i = count - 1; i >= 0; i--) {
		assert_state(recording, cJSON_GetArrayItem(states, i), what);
	}
}

static void states_of_both_recorders_are_those_of_the_original(void **state)
{
	static const char *const files[] = { "recording.zip", "dvr_recording.zip" };
	char name[128];
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(sets) * LT_ARRAY_LEN(files); i++) {
		const char *set = sets[i / LT_ARRAY_LEN(files)];

		snprintf(name, sizeof(name), "golden/%s/states.json", set);
		cJSON *states = golden_json(name);
		snprintf(name, sizeof(name), "golden/%s/info.json", set);
		cJSON *info = golden_json(name);
		snprintf(name, sizeof(name), "golden/%s/%s", set, files[i % LT_ARRAY_LEN(files)]);
		struct lt_recording *recording = open_golden(name);
		size_t count;
		const int64_t *times = lt_recording_times(recording, &count);

		check_states(recording, states, name);
		assert_int_equal(count, lt_json_get(info, "frames")->valueint);
		assert_int_equal(lt_recording_first(recording),
				lt_json_get(info, "first")->valueint);
		assert_int_equal(lt_recording_last(recording), lt_json_get(info, "last")->valueint);
		for (size_t k = 1; k < count; k++) {
			assert_true(times[k] > times[k - 1]);
		}
		lt_recording_close(recording);
		cJSON_Delete(states);
		cJSON_Delete(info);
	}
}

static void the_manifest_is_the_one_in_the_archive(void **state)
{
	struct lt_recording *recording = open_golden("golden/s11-wec-8x5m/recording.zip");
	cJSON *info = golden_json("golden/s11-wec-8x5m/info.json");
	(void)state;

	assert_json_equal(lt_json_get(lt_recording_manifest(recording), "uuid"),
			lt_json_get(info, "uuid"), "uuid");
	lt_recording_close(recording);
	cJSON_Delete(info);
}

static void hand_made_recordings_read_as_by_the_original(void **state)
{
	cJSON *cases = golden_json("golden/recorder/cases.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		const char *name = lt_json_get(entry, "name")->valuestring;
		char path[128];

		snprintf(path, sizeof(path), "golden/recorder/%s.zip", name);
		struct lt_recording *zip = open_golden(path);
		check_states(zip, lt_json_get(lt_json_get(entry, "zip"), "states"), path);
		lt_recording_close(zip);

		snprintf(path, sizeof(path), "golden/recorder/%s_dvr.zip", name);
		struct lt_recording *dvr = open_golden(path);
		check_states(dvr, lt_json_get(lt_json_get(entry, "dvr"), "states"), path);
		lt_recording_close(dvr);
	}
	cJSON_Delete(cases);
}

/* Parsed and printed again, every entry has the bytes that the original wrote. */
static void check_entry_bytes(const struct lt_zip *zip, int64_t index, const cJSON *expected)
{
	struct lt_buf text = { 0 }, printed = { 0 }, hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	assert_str_equal(lt_zip_name(zip, index), lt_json_get(expected, "name")->valuestring);
	assert_true(lt_zip_read(zip, index, &text, NULL));
	cJSON *tree = lt_json_parse(lt_buf_str(&text), NULL);
	lt_json_print(&printed, tree, LT_JSON_SPACED);

	lt_sha256(lt_buf_str(&printed), digest);
	lt_hex_encode(&hex, digest, sizeof(digest));
	assert_string_equal(hex.p, lt_json_get(expected, "sha256")->valuestring);
	cJSON_Delete(tree);
	lt_buf_finish(&text);
	lt_buf_finish(&printed);
	lt_buf_finish(&hex);
}

static void printed_entries_have_the_bytes_of_the_original(void **state)
{
	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(sets); i++) {
		const cJSON *expected;
		int64_t index = 0;
		char name[128];

		snprintf(name, sizeof(name), "golden/%s/recording_entries.json", sets[i]);
		cJSON *entries = golden_json(name);
		snprintf(name, sizeof(name), "golden/%s/recording.zip", sets[i]);
		char *path = shared_path(name);
		struct lt_zip *zip = lt_zip_open(path, NULL);

		assert_int_equal(lt_zip_count(zip), cJSON_GetArraySize(entries));
		cJSON_ArrayForEach(expected, entries) {
			check_entry_bytes(zip, index++, expected);
		}
		lt_zip_close(zip);
		free(path);
		cJSON_Delete(entries);
	}
}

static void archives_that_the_original_refuses_are_refused(void **state)
{
	static const struct {
		const char *name, *reason;
	} cases[] = {
		{ "golden/index/pre_v1.zip",
				"manifest.json: no version: recordings made before version 1 have "
				"to be converted" },
		{ "golden/index/nomanifest.zip", "no manifest.json" },
		{ "golden/index/v2.zip", "manifest.json: version 2 is not supported, only 1 is" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char *path = shared_path(cases[i].name);
		struct lt_err err = { .code = LT_E_NONE };

		assert_null(lt_recording_open(path, &err));

		if (!strstr(err.msg, cases[i].reason)) {
			fail_msg("\"%s\" does not say \"%s\"", err.msg, cases[i].reason);
		}
		free(path);
	}
}

/* --- names and order --- */

static void entries_in_any_order_are_read_by_time(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "01700000002i.json", DIFF(1, 2) },
		{ "01700000010.json", KEY(10) },
		{ "01700000001i.json", DIFF(0, 1) },
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));

	struct lt_recording *recording = open_or_fail(f->path);

	assert_int_equal(value_at(recording, 1700000002), 2);
	assert_int_equal(value_at(recording, 1700000001), 1);
	assert_int_equal(value_at(recording, 1700000009), 2);
	assert_int_equal(value_at(recording, 1700000010), 10);
	assert_int_equal(value_at(recording, INT64_MAX), 10);
	assert_int_equal(value_at(recording, INT64_MIN), 0);
	lt_recording_close(recording);
}

static void only_whole_names_are_frames(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
		{ "01700000001.json.bak", KEY(9) },
		{ "017000000001.json", KEY(9) },
		{ "1700.json", KEY(9) },
		{ "01700000002.txt", KEY(9) },
		{ "01700000003ii.json", KEY(9) },
		{ "../01700000004.json", KEY(9) },
		{ "/01700000005.json", KEY(9) },
		{ "a/../../manifest.json", "nonsense" },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));

	struct lt_recording *recording = open_or_fail(f->path);
	size_t count;
	lt_recording_times(recording, &count);

	assert_int_equal(count, 1);
	assert_int_equal(lt_recording_last(recording), 1700000000);
	lt_recording_close(recording);
}

static void frame_names_may_be_short(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "00000.json", KEY(0) },
		{ "00030i.json", DIFF(0, 3) },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));

	struct lt_recording *recording = open_or_fail(f->path);

	assert_int_equal(value_at(recording, 30), 3);
	lt_recording_close(recording);
}

static void of_entries_with_one_name_the_last_counts(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", "{\"version\": 1, \"name\": \"first\"}" },
		{ "01700000000.json", KEY(0) },
		{ "01700000001i.json", DIFF(0, 1) },
		{ "01700000002i.json", DIFF(0, 2) },
		{ "manifest.jsom", "{\"version\": 1, \"name\": \"last\"}" },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));
	patch(f->path, "01700000002i.json", "01700000001i.json");
	patch(f->path, "manifest.jsom", "manifest.json");

	struct lt_recording *recording = open_or_fail(f->path);

	assert_int_equal(value_at(recording, 1700000001), 2);
	assert_string_equal(
			lt_json_get(lt_recording_manifest(recording), "name")->valuestring, "last");
	lt_recording_close(recording);
}

static void a_difference_at_the_time_of_a_key_frame_is_never_applied(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
		{ "01700000000i.json", DIFF(0, 9) },
		{ "01700000001i.json", DIFF(0, 1) },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));

	struct lt_recording *recording = open_or_fail(f->path);

	assert_int_equal(value_at(recording, 1700000000), 0);
	assert_int_equal(value_at(recording, 1700000001), 1);
	lt_recording_close(recording);
}

static void reading_on_opens_no_frame_twice(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
		{ "01700000001i.json", "{\"cars\": [[\"add\", [0], [[2, 1]]]], \"session\": []}" },
		{ "01700000002i.json", "{\"cars\": [[\"add\", [0], [[3, 1]]]], \"session\": []}" },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));
	struct lt_recording *recording = open_or_fail(f->path);

	for (int64_t time_s = 1700000000; time_s <= 1700000002; time_s++) {
		/* twice: a frame applied again would add a cell too many */
		for (int twice = 0; twice < 2; twice++) {
			cJSON *value = lt_recording_state_at(recording, time_s, NULL);

			assert_int_equal(cJSON_GetArraySize(lt_json_get(value, "cars")->child),
					2 + time_s - 1700000000);
			/* the result is the caller's: changing it changes nothing here */
			lt_json_set_take(value, "cars", cJSON_CreateNull());
			cJSON_Delete(value);
		}
	}
	lt_recording_close(recording);
}

/* --- broken archives --- */

static void files_that_are_no_archives_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "cannot open");
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);

	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_refused(f, "not a regular file");
	remove(f->path);

	write_bytes(f->path, LT_STR(""));
	assert_refused(f, "");

	write_bytes(f->path, LT_STR("this is a text and no archive of any kind"));
	assert_refused(f, "not a readable zip archive");
}

static void every_cut_of_an_archive_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));
	struct lt_buf bytes = read_bytes(f->path);

	for (size_t n = 0; n < bytes.n; n++) {
		write_bytes(f->path, (struct lt_str){ bytes.p, n });
		assert_refused(f, "");
	}
	lt_buf_finish(&bytes);
}

/* Any byte may be wrong: an error or a state, but never worse. */
static void no_wrong_byte_does_harm(void **state)
{
	struct fixture *f = *state;
	const struct entry entries[] = {
		{ "manifest.json", MANIFEST },
		{ "01700000000.json", KEY(0) },
		{ "01700000001i.json", DIFF(0, 1) },
	};
	write_zip(f, entries, LT_ARRAY_LEN(entries));
	struct lt_buf bytes = read_bytes(f->path);

	for (size_t i = 0; i < bytes.n; i++) {
		struct lt_err err = { .code = LT_E_NONE };

		bytes.p[i] = (char)~bytes.p[i];
		write_bytes(f->path, lt_buf_str(&bytes));
		bytes.p[i] = (char)~bytes.p[i];
		struct lt_recording *recording = lt_recording_open(f->path, &err);
		if (recording) {
			cJSON_Delete(lt_recording_state_at(recording, 1700000001, &err));
		}
		assert_int_equal(err.code != LT_E_NONE, err.msg[0] != '\0');
		lt_recording_close(recording);
	}
	lt_buf_finish(&bytes);
}

static void archives_without_what_it_takes_are_refused(void **state)
{
	static const struct {
		struct entry entries[2];
		const char *reason;
	} cases[] = {
		{ { { "manifest.json", "nonsense" }, { "01700000000.json", KEY(0) } },
				"manifest.json: byte 1" },
		{ { { "manifest.json", "[]" }, { "01700000000.json", KEY(0) } },
				"manifest.json: not an object" },
		{ { { "manifest.json", "{\"version\":\"1\"}" }, { "01700000000.json", KEY(0) } },
				"manifest.json: the version is not a number" },
		{ { { "manifest.json", MANIFEST }, { "readme.txt", "" } }, "no frames" },
		{ { { "manifest.json", MANIFEST }, { "01700000000i.json", DIFF(0, 1) } },
				"no key frame" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		write_zip(f, cases[i].entries, 2);
		assert_refused(f, cases[i].reason);
	}
}

static void broken_frames_are_errors_that_name_the_frame(void **state)
{
	static const struct {
		const char *key, *difference, *error;
	} cases[] = {
		{ "{", DIFF(0, 1), "frame 01700000000.json: " },
		{ "{\"cars\": 7}", DIFF(0, 1), "frame 01700000000.json: cars: not a list" },
		{ KEY(0), "[1", "frame 01700000001i.json: " },
		{ KEY(0), "[]", "frame 01700000001i.json: a difference frame is not an object" },
		{ KEY(0), "{\"cars\": [[\"change\", [4, 1], [0, 1]]], \"session\": []}",
				"frame 01700000001i.json: cars: difference 0: change [4,1]: index 4 "
				"is out of range, the list has 1 elements" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		const struct entry entries[] = {
			{ "manifest.json", MANIFEST },
			{ "01700000000.json", cases[i].key },
			{ "01700000001i.json", cases[i].difference },
			{ "01700000009.json", KEY(9) },
		};
		struct lt_err err = { .code = LT_E_NONE };

		write_zip(f, entries, LT_ARRAY_LEN(entries));
		struct lt_recording *recording = open_or_fail(f->path);

		assert_null(lt_recording_state_at(recording, 1700000001, &err));
		if (strncmp(err.msg, cases[i].error, strlen(cases[i].error)) != 0) {
			fail_msg("\"%s\" does not begin with \"%s\"", err.msg, cases[i].error);
		}
		/* the rest can still be read, and the error comes again */
		assert_int_equal(value_at(recording, 1700000009), 9);
		assert_null(lt_recording_state_at(recording, 1700000001, NULL));
		lt_recording_close(recording);
	}
}

static void entries_over_the_limit_are_refused_before_they_are_unpacked(void **state)
{
	struct fixture *f = *state;
	size_t bytes = (size_t)LT_ZIP_ENTRY_MAX + 1;
	char *zeros = lt_zalloc(bytes);
	zip_t *archive = zip_open(f->path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	add_entry(archive, "manifest.json", MANIFEST, strlen(MANIFEST));
	add_entry(archive, "01700000000.json", zeros, bytes);
	assert_int_equal(zip_close(archive), 0);
	lt_free(zeros);

	assert_refused(f, "01700000000.json: over 67108864 bytes");
	assert_int_equal(f->err.code, LT_E_LIMIT);
}

/* The directory says 100 bytes where a megabyte comes out. */
static void entries_that_lie_about_their_size_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t bytes = 1024 * 1024;
	char *spaces = lt_alloc(bytes);
	zip_t *archive = zip_open(f->path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	memset(spaces, ' ', bytes);
	add_entry(archive, "01700000000.json", KEY(0), strlen(KEY(0)));
	add_entry(archive, "manifest.json", spaces, bytes);
	assert_int_equal(zip_close(archive), 0);
	lt_free(spaces);
	struct lt_buf content = read_bytes(f->path);
	for (size_t i = 0; i + 28 < content.n; i++) {
		if (memcmp(content.p + i, "PK\1\2", 4) == 0) {
			memcpy(content.p + i + 24, "\x64\0\0\0", 4);
		}
	}
	write_bytes(f->path, lt_buf_str(&content));
	lt_buf_finish(&content);

	assert_refused(f, "manifest.json: ");
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_of_both_recorders_are_those_of_the_original),
		cmocka_unit_test(the_manifest_is_the_one_in_the_archive),
		cmocka_unit_test(hand_made_recordings_read_as_by_the_original),
		cmocka_unit_test(printed_entries_have_the_bytes_of_the_original),
		cmocka_unit_test(archives_that_the_original_refuses_are_refused),
		OWN(entries_in_any_order_are_read_by_time),
		OWN(only_whole_names_are_frames),
		OWN(frame_names_may_be_short),
		OWN(of_entries_with_one_name_the_last_counts),
		OWN(a_difference_at_the_time_of_a_key_frame_is_never_applied),
		OWN(reading_on_opens_no_frame_twice),
		OWN(files_that_are_no_archives_are_refused),
		OWN(every_cut_of_an_archive_is_refused),
		OWN(no_wrong_byte_does_harm),
		OWN(archives_without_what_it_takes_are_refused),
		OWN(broken_frames_are_errors_that_name_the_frame),
		OWN(entries_over_the_limit_are_refused_before_they_are_unpacked),
		OWN(entries_that_lie_about_their_size_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
