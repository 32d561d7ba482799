#include "base/alloc.h"
#include "store/recorder.h"
#include "store/salvage.h"
#include "support/golden.h"
#include "unit/store/archive.h"

struct fixture {
	char dir[TMPDIR_MAX];
	char in[TMPDIR_MAX + 16], out[TMPDIR_MAX + 16];
	struct lt_buf lost; /* "name: why; " */
	struct lt_salvage_report report;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->in, sizeof(f->in), "%s/in.zip", f->dir);
	snprintf(f->out, sizeof(f->out), "%s/out.zip", f->dir);
	lt_buf_add_c(&f->lost, "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmpdir_remove(f->dir);
	lt_buf_finish(&f->lost);
	lt_free(f);
	return 0;
}

static void note_loss(void *arg, const char *where, const char *what)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->lost, "%s: %s; ", where, what);
}

static bool salvage(struct fixture *f)
{
	return lt_salvage(
			&(struct lt_salvage_opts){ f->in, f->out, false, NULL, note_loss, NULL, f },
			&f->report, &f->err);
}

/* archive_good without its last `cut` bytes and with a byte of the entry changed. */
static void write_damaged(struct fixture *f, size_t cut, const char *damage_in)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };

	archive_write(f->in, archive_good, LT_ARRAY_LEN(archive_good));
	bytes = file_bytes(f->in);
	if (damage_in) {
		char *name = memmem(bytes.p, bytes.n, damage_in, strlen(damage_in));

		name[strlen(damage_in) + 10] ^= (char)0x55;
	}
	file_write(f->in, (struct lt_str){ bytes.p, bytes.n - cut });
}

static void assert_names(const char *path, const char *expected)
{
	LT_AUTO(lt_free) char *names = archive_names(path);

	assert_string_equal(names, expected);
}

static void an_archive_without_its_directory_is_saved_whole(void **state)
{
	struct fixture *f = *state;
	write_damaged(f, 300, NULL);

	assert_true(salvage(f));

	assert_int_equal(f->report.kept, 4);
	assert_int_equal(f->report.lost, 0);
	assert_int_equal(f->report.manifest, LT_MANIFEST_FOUND);
	assert_string_equal(f->lost.p, "");
	assert_names(f->out,
			"01700000000.json 01700000001i.json 01700000002i.json "
			"01700000010.json manifest.json");
}

static void differences_behind_a_lost_frame_are_left_out_up_to_a_key_frame(void **state)
{
	struct fixture *f = *state;
	write_damaged(f, 0, "01700000001i.json");

	assert_true(salvage(f));

	assert_int_equal(f->report.kept, 2);
	assert_int_equal(f->report.lost, 2);
	assert_names(f->out, "01700000000.json 01700000010.json manifest.json");
	assert_non_null(strstr(f->lost.p, "01700000002i.json: follows a frame that is missing"));
}

static void a_frame_that_left_no_trace_is_noticed_by_what_follows_it(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };
	archive_write(f->in, archive_good, LT_ARRAY_LEN(archive_good));
	bytes = file_bytes(f->in);
	char *name = memmem(bytes.p, bytes.n, "01700000001i.json", 17);
	memset(name - 30, 0, 47);
	file_write(f->in, lt_buf_str(&bytes));

	assert_true(salvage(f));

	assert_names(f->out, "01700000000.json 01700000010.json manifest.json");
	assert_non_null(strstr(
			f->lost.p, "01700000002i.json: does not follow from the frame before"));
}

static void an_undamaged_archive_keeps_even_what_does_not_follow(void **state)
{
	static const struct archive_entry entries[] = {
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "01700000001i.json", ARCHIVE_DIFF(5, 6) },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_true(salvage(f));

	assert_int_equal(f->report.kept, 2);
}

static void entries_of_other_names_are_dropped(void **state)
{
	static const struct archive_entry entries[] = {
		{ "../../outside.json", "1" },
		{ "/etc/passwd", "1" },
		{ "01700000000.json", ARCHIVE_KEY(1) },
		{ "manifest.json", ARCHIVE_MANIFEST },
	};
	struct fixture *f = *state;
	archive_write(f->in, entries, LT_ARRAY_LEN(entries));

	assert_true(salvage(f));

	assert_names(f->out, "01700000000.json manifest.json");
	assert_non_null(strstr(f->lost.p, "\"../../outside.json\": does not belong"));
}

static void without_a_manifest_one_is_made(void **state)
{
	struct fixture *f = *state;
	archive_write(f->in, archive_good, 4);

	assert_true(salvage(f));

	assert_int_equal(f->report.manifest, LT_MANIFEST_MADE);
	struct lt_recording *recording = lt_recording_open(f->out, &f->err);
	assert_non_null(recording);
	assert_string_equal(
			lt_json_get(lt_recording_manifest(recording), "uuid")->valuestring, "in");
	lt_recording_close(recording);
}

static void a_given_manifest_is_used(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete) cJSON *manifest = json_of("{\"uuid\": \"mine\", \"version\": 1}");
	archive_write(f->in, archive_good, LT_ARRAY_LEN(archive_good));

	assert_true(lt_salvage(&(struct lt_salvage_opts){ f->in, f->out, false, manifest, note_loss,
					       NULL, f },
			&f->report, &f->err));

	LT_AUTO(lt_buf_finish) struct lt_buf text = archive_content(f->out, "manifest.json");
	assert_str_equal(lt_buf_str(&text), "{\"uuid\": \"mine\", \"version\": 1}");
}

static void what_holds_no_frame_is_refused_and_nothing_written(void **state)
{
	static const char *const contents[] = { "", "no archive at all", "PK\3\4",
		"LTJOURN\1 and no record" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(contents); i++) {
		file_write(f->in, lt_str_from(contents[i]));
		assert_false(salvage(f));
		assert_int_equal(f->err.code, LT_E_FORMAT);
	}
	LT_AUTO(lt_free) char *names = dir_names(f->dir);
	assert_string_equal(names, "in.zip");
}

static void an_existing_file_is_not_overwritten(void **state)
{
	struct fixture *f = *state;
	archive_write(f->in, archive_good, LT_ARRAY_LEN(archive_good));
	file_write(f->out, LT_STR("mine"));

	assert_false(salvage(f));

	assert_int_equal(f->err.code, LT_E_EXISTS);
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = file_bytes(f->out);
	assert_str_equal(lt_buf_str(&bytes), "mine");
}

/* --- journals --- */

static void write_journal(struct fixture *f)
{
	LT_AUTO(cJSON_Delete) cJSON *manifest = json_of("{\"uuid\": \"u\", \"name\": \"n\"}");
	LT_AUTO(cJSON_Delete) cJSON *first = json_of(ARCHIVE_KEY(1));
	LT_AUTO(cJSON_Delete) cJSON *second = json_of(ARCHIVE_KEY(2));
	struct lt_recorder *recorder = lt_recorder_begin(f->in, NULL, &f->err);

	assert_non_null(recorder);
	assert_true(lt_recorder_set_manifest(recorder, manifest, 1700000000, &f->err));
	assert_true(lt_recorder_add(recorder, 1700000000, first, &f->err));
	assert_true(lt_recorder_add(recorder, 1700000001, second, &f->err));
	lt_recorder_close(recorder);
}

static void a_journal_becomes_a_recording_and_stays(void **state)
{
	struct fixture *f = *state;
	write_journal(f);

	assert_true(lt_is_journal(f->in));
	assert_true(salvage(f));

	assert_names(f->out, "01700000000.json 01700000001i.json manifest.json");
	struct lt_recording *recording = lt_recording_open(f->out, &f->err);
	assert_non_null(recording);
	lt_recording_close(recording);
	assert_true(lt_is_journal(f->in));
}

static void a_journal_that_is_cut_off_gives_what_is_whole(void **state)
{
	struct fixture *f = *state;
	write_journal(f);
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = file_bytes(f->in);
	file_write(f->in, (struct lt_str){ bytes.p, bytes.n - 5 });

	assert_true(salvage(f));

	assert_names(f->out, "01700000000.json manifest.json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_archive_without_its_directory_is_saved_whole),
		TEST(differences_behind_a_lost_frame_are_left_out_up_to_a_key_frame),
		TEST(a_frame_that_left_no_trace_is_noticed_by_what_follows_it),
		TEST(an_undamaged_archive_keeps_even_what_does_not_follow),
		TEST(entries_of_other_names_are_dropped),
		TEST(without_a_manifest_one_is_made),
		TEST(a_given_manifest_is_used),
		TEST(what_holds_no_frame_is_refused_and_nothing_written),
		TEST(an_existing_file_is_not_overwritten),
		TEST(a_journal_becomes_a_recording_and_stays),
		TEST(a_journal_that_is_cut_off_gives_what_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
