#include <sys/stat.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "store/recording_edit.h"
#include "support/golden.h"
#include "unit/store/archive.h"

#define START INT64_C(1700000000)

struct fixture {
	char dir[TMPDIR_MAX];
	char in[TMPDIR_MAX + 16], out[TMPDIR_MAX + 16];
	struct lt_edit_opts opts;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->in, sizeof(f->in), "%s/in.zip", f->dir);
	snprintf(f->out, sizeof(f->out), "%s/out.zip", f->dir);
	f->opts = (struct lt_edit_opts){ .in_path = f->in, .out_path = f->out };
	archive_write(f->in, archive_good, LT_ARRAY_LEN(archive_good));
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

static void assert_names(const char *path, const char *expected)
{
	LT_AUTO(lt_free) char *names = archive_names(path);

	assert_string_equal(names, expected);
}

static void assert_only_input(const struct fixture *f)
{
	LT_AUTO(lt_free) char *names = dir_names(f->dir);

	assert_string_equal(names, "in.zip");
}

/* --- set --- */

static cJSON *text(const char *value)
{
	return lt_json_new_str(lt_str_from(value));
}

static void set_replaces_a_text_where_it_stands(void **state)
{
	struct fixture *f = *state;
	chmod(f->in, 0640);

	assert_true(lt_recording_set_take(f->in, "name", text("Série"), &f->err));

	LT_AUTO(lt_buf_finish) struct lt_buf manifest = archive_content(f->in, "manifest.json");
	assert_non_null(strstr(manifest.p, "{\"uuid\": \"u\", \"name\": \"S\\u00e9rie\", "));
	assert_names(f->in,
			"01700000000.json 01700000001i.json 01700000002i.json "
			"01700000010.json manifest.json");
	struct stat st;
	assert_int_equal(stat(f->in, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_only_input(f);
}

static void set_adds_what_is_not_there(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_recording_set_take(f->in, "hidden", cJSON_CreateTrue(), &f->err));

	LT_AUTO(lt_buf_finish) struct lt_buf manifest = archive_content(f->in, "manifest.json");
	assert_non_null(strstr(manifest.p, "\"version\": 1, \"hidden\": true}"));
}

static void set_refuses_what_would_break_the_recording(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf before = file_bytes(f->in);

	assert_false(lt_recording_set_take(f->in, "version", text("1"), &f->err));
	assert_int_equal(f->err.code, LT_E_INVALID);
	assert_false(lt_recording_set_take(f->in, "colSpec", text("x"), &f->err));
	assert_int_equal(f->err.code, LT_E_INVALID);

	LT_AUTO(lt_buf_finish) struct lt_buf after = file_bytes(f->in);
	assert_int_equal(after.n, before.n);
	assert_memory_equal(after.p, before.p, after.n);
}

static void set_refuses_names_that_lead_elsewhere(void **state)
{
	static const struct archive_entry entries[] = {
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "../../x", "1" },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_false(lt_recording_set_take(f->in, "name", text("x"), &f->err));

	assert_non_null(strstr(f->err.msg, "\"../../x\""));
}

/* --- clip --- */

static void a_clip_begins_with_a_key_frame_of_its_own(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_recording_clip(&f->opts, START + 1, START + 10, &f->err));

	assert_names(f->out, "01700000001.json 01700000001i.json 01700000002i.json manifest.json");
	LT_AUTO(lt_buf_finish) struct lt_buf key = archive_content(f->out, "01700000001.json");
	assert_str_equal(lt_buf_str(&key), ARCHIVE_KEY(2));
	LT_AUTO(lt_buf_finish) struct lt_buf manifest = archive_content(f->out, "manifest.json");
	assert_non_null(strstr(manifest.p, "\"startTime\": 1700000000, \"version\": 1}"));
}

static void a_clip_between_frames_shows_the_state_of_its_start(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_recording_clip(&f->opts, START + 5, INT64_MAX, &f->err));

	assert_names(f->out, "01700000005.json 01700000010.json manifest.json");
	LT_AUTO(lt_buf_finish) struct lt_buf key = archive_content(f->out, "01700000005.json");
	assert_str_equal(lt_buf_str(&key), ARCHIVE_KEY(3));
}

static void a_clip_from_before_the_start_adds_nothing(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_recording_clip(&f->opts, 0, INT64_MAX, &f->err));

	assert_names(f->out,
			"01700000000.json 01700000010.json 01700000001i.json "
			"01700000002i.json manifest.json");
}

static void a_clip_without_frames_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(lt_recording_clip(&f->opts, START + 11, INT64_MAX, &f->err));
	assert_int_equal(f->err.code, LT_E_INVALID);
	assert_false(lt_recording_clip(&f->opts, START + 5, START + 5, &f->err));
	assert_non_null(strstr(f->err.msg, "from @1700000000 to @1700000010"));

	assert_only_input(f);
}

static void a_clip_overwrites_only_when_told_to(void **state)
{
	struct fixture *f = *state;
	file_write(f->out, LT_STR("mine"));

	assert_false(lt_recording_clip(&f->opts, START, INT64_MAX, &f->err));
	assert_int_equal(f->err.code, LT_E_EXISTS);
	LT_AUTO(lt_buf_finish) struct lt_buf kept = file_bytes(f->out);
	assert_str_equal(lt_buf_str(&kept), "mine");

	f->opts.replace = true;
	assert_true(lt_recording_clip(&f->opts, START, INT64_MAX, &f->err));
}

static void a_broken_frame_fails_the_clip_and_leaves_nothing(void **state)
{
	static const struct archive_entry entries[] = {
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "01700000001i.json", "{" },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_false(lt_recording_clip(&f->opts, START + 1, INT64_MAX, &f->err));

	assert_only_input(f);
}

static void assert_clip_equals(struct fixture *f, const cJSON *entries)
{
	struct lt_zip *zip = lt_zip_open(f->out, &f->err);
	const cJSON *expected = entries->child;

	assert_non_null(zip);
	assert_int_equal(lt_zip_count(zip), cJSON_GetArraySize(entries));
	for (int64_t i = 0; i < lt_zip_count(zip); i++, expected = expected->next) {
		LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 }, hex = { 0 };
		uint8_t digest[LT_SHA256_BYTES];

		assert_true(lt_zip_read(zip, i, &content, &f->err));
		lt_sha256(lt_buf_str(&content), digest);
		lt_hex_encode(&hex, digest, sizeof(digest));
		assert_str_equal(lt_zip_name(zip, i), lt_json_get(expected, "name")->valuestring);
		assert_string_equal(hex.p, lt_json_get(expected, "sha256")->valuestring);
	}
	lt_zip_close(zip);
}

static int64_t moment(const cJSON *args, int index, int64_t first_s, int64_t otherwise)
{
	const cJSON *word = cJSON_GetArrayItem(args, index);

	if (!word) {
		return otherwise;
	}
	return word->valuestring[0] == '@' ? strtoll(word->valuestring + 1, NULL, 10)
					   : first_s + strtoll(word->valuestring, NULL, 10);
}

/* Without a start the original adds a frame of the year 1970: there we do better. */
static void clip_set(struct fixture *f, const char *set, int *count)
{
	char name[128];
	const cJSON *command;

	snprintf(name, sizeof(name), "golden/%s/rectool/commands.json", set);
	LT_AUTO(cJSON_Delete) cJSON *commands = golden_json(name);
	snprintf(name, sizeof(name), "golden/%s/recording.zip", set);
	char *path = shared_path(name);
	struct lt_recording *recording = lt_recording_open(path, &f->err);
	int64_t first_s = lt_recording_first(recording);
	lt_recording_close(recording);
	f->opts.in_path = path;
	f->opts.replace = true;
	cJSON_ArrayForEach(command, commands) {
		const cJSON *args = lt_json_get(command, "args");
		const cJSON *entries = lt_json_get(command, "entries");

		if (entries && cJSON_GetArraySize(args) > 2) {
			assert_true(lt_recording_clip(&f->opts, moment(args, 2, first_s, 0),
					moment(args, 3, first_s, INT64_MAX), &f->err));
			assert_clip_equals(f, entries);
			(*count)++;
		}
	}
	free(path);
}

static void clips_are_those_of_the_original(void **state)
{
	static const char *const sets[] = { "s11-wec-8x5m", "s22-club-14x12m", "s33-tsnl-10x8m",
		"s44-nonum-5x3m" };
	struct fixture *f = *state;
	int count = 0;

	for (size_t i = 0; i < LT_ARRAY_LEN(sets); i++) {
		clip_set(f, sets[i], &count);
	}
	assert_int_equal(count, 12);
}

/* --- convert --- */

static bool convert(struct fixture *f, int64_t *ret_start_s, enum lt_start_source *ret_source)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;

	assert_true(lt_entries_open(f->opts.in_path, &entries, &f->err));
	manifest = lt_entries_manifest(&entries, &f->err);
	assert_non_null(manifest);
	return lt_convert_start(&entries, manifest, ret_start_s, ret_source, &f->err) &&
			lt_convert(&f->opts, &entries, manifest, *ret_start_s, &f->err);
}

static void an_old_recording_starts_by_the_date_of_its_first_key_frame(void **state)
{
	static const struct archive_entry entries[] = {
		{ "00010i.json", ARCHIVE_DIFF(1, 2) },
		{ "00004.json", ARCHIVE_KEY(1) },
		{ "manifest.json", "{\"name\": \"x\", \"startTime\": 5.5}" },
	};
	struct fixture *f = *state;
	enum lt_start_source source;
	int64_t start_s;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_true(convert(f, &start_s, &source));

	assert_int_equal(source, LT_START_ARCHIVE);
	assert_int_equal(start_s, 1700000000 - 4);
	assert_names(f->out, "01700000000.json 01700000006i.json manifest.json");
	LT_AUTO(lt_buf_finish) struct lt_buf manifest = archive_content(f->out, "manifest.json");
	assert_str_equal(lt_buf_str(&manifest), "{\"name\": \"x\", \"version\": 1}");
}

static void a_late_first_frame_is_not_taken_for_a_unix_time(void **state)
{
	static const struct archive_entry entries[] = {
		{ "00070.json", ARCHIVE_KEY(1) },
		{ "manifest.json", "{\"startTime\": 1600000000.25}" },
	};
	struct fixture *f = *state;
	enum lt_start_source source;
	int64_t start_s;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_true(convert(f, &start_s, &source));

	assert_int_equal(source, LT_START_MANIFEST);
	assert_names(f->out, "01600000070.json manifest.json");
}

static void a_recording_of_version_1_is_not_converted(void **state)
{
	struct fixture *f = *state;
	enum lt_start_source source;
	int64_t start_s;

	assert_false(convert(f, &start_s, &source));

	assert_int_equal(f->err.code, LT_E_INVALID);
	assert_only_input(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_replaces_a_text_where_it_stands),
		TEST(set_adds_what_is_not_there),
		TEST(set_refuses_what_would_break_the_recording),
		TEST(set_refuses_names_that_lead_elsewhere),
		TEST(a_clip_begins_with_a_key_frame_of_its_own),
		TEST(a_clip_between_frames_shows_the_state_of_its_start),
		TEST(a_clip_from_before_the_start_adds_nothing),
		TEST(a_clip_without_frames_is_refused),
		TEST(a_clip_overwrites_only_when_told_to),
		TEST(a_broken_frame_fails_the_clip_and_leaves_nothing),
		TEST(clips_are_those_of_the_original),
		TEST(an_old_recording_starts_by_the_date_of_its_first_key_frame),
		TEST(a_late_first_frame_is_not_taken_for_a_unix_time),
		TEST(a_recording_of_version_1_is_not_converted),
	};

	/* archives have dates in local time */
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
