#include "base/alloc.h"
#include "base/crypto.h"
#include "store/finalise.h"
#include "store/recorder.h"
#include "store/recording.h"
#include "store/recording_zip.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define MANIFEST "{\"uuid\":\"abc\",\"name\":\"Test\",\"colSpec\":[]}"
#define T0       INT64_C(1700000000)

static const char *const sets[] = {
	"s11-wec-8x5m",
	"s22-club-14x12m",
	"s33-tsnl-10x8m",
	"s44-nonum-5x3m",
};

struct fixture {
	char dir[TMPDIR_MAX];
	char journal[128];
	struct lt_recorder *recorder;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->journal, sizeof(f->journal), "%s/abc" LT_JOURNAL_SUFFIX, f->dir);
	f->recorder = lt_recorder_begin(f->journal, NULL, NULL);
	assert_non_null(f->recorder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_recorder_close(f->recorder);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void set_manifest(struct fixture *f, const char *text, int64_t now_s)
{
	cJSON *manifest = json_of(text);

	assert_true(lt_recorder_set_manifest(f->recorder, manifest, now_s, NULL));
	cJSON_Delete(manifest);
}

static bool add(struct fixture *f, int64_t time_s, const char *text)
{
	cJSON *value = json_of(text);
	bool ok = lt_recorder_add(f->recorder, time_s, value, &f->err);

	cJSON_Delete(value);
	return ok;
}

/* A state of one car with a number and one message of that time. */
static void add_number(struct fixture *f, int64_t time_s, int number)
{
	char text[256];

	snprintf(text, sizeof(text),
			"{\"cars\":[[\"7\",%d]],\"session\":{},\"messages\":[],\"highlight\":[]}",
			number);
	if (!add(f, time_s, text)) {
		fail_msg("%s", f->err.msg);
	}
}

/* The archive that the journal becomes. */
static struct lt_recording *finished(struct fixture *f)
{
	struct lt_finalise_opts opts = { .journal_path = f->journal, .directory = f->dir };
	struct lt_recording *recording;

	if (f->recorder) {
		assert_true(lt_recorder_end(f->recorder, NULL));
		lt_recorder_close(f->recorder);
		f->recorder = NULL;
	}
	if (!lt_finalise(&opts, NULL, &f->err)) {
		fail_msg("%s", f->err.msg);
	}
	recording = lt_recording_open(in_dir(f->dir, "abc.zip"), &f->err);
	if (!recording) {
		fail_msg("%s", f->err.msg);
	}
	return recording;
}

static int number_at(struct lt_recording *recording, int64_t time_s)
{
	cJSON *value = lt_recording_state_at(recording, time_s, NULL);

	assert_non_null(value);
	int number = cJSON_GetArrayItem(lt_json_get(value, "cars")->child, 1)->valueint;
	cJSON_Delete(value);
	return number;
}

/* "k", "d" by time, one letter a frame of the journal. */
static char *kinds(const struct fixture *f)
{
	struct lt_journal_reader *reader = lt_journal_reader_open(f->journal, NULL);
	struct lt_buf text = { 0 };
	size_t count;

	assert_non_null(reader);
	const struct lt_record *frames = lt_journal_reader_frames(reader, &count);
	for (size_t i = 0; i < count; i++) {
		lt_buf_add_char(&text, frames[i].kind == LT_RECORD_KEY ? 'k' : 'd');
	}
	lt_journal_reader_close(reader);
	return lt_buf_steal(&text);
}

static void assert_kinds(const struct fixture *f, const char *expected)
{
	LT_AUTO(lt_free) char *actual = kinds(f);

	assert_string_equal(actual, expected);
}

/* --- against the reference data --- */

/* Input of a set: the manifest and the states that the service published. */
static void record_set(struct fixture *f, const char *set)
{
	char name[128];

	snprintf(name, sizeof(name), "golden/%s/frames.jsonl", set);
	cJSON *frames = golden_lines(name);
	snprintf(name, sizeof(name), "golden/%s/messages.jsonl", set);
	cJSON *messages = golden_lines(name);
	snprintf(name, sizeof(name), "golden/%s/manifest.json", set);
	cJSON *manifest = golden_json(name);
	cJSON *all = cJSON_CreateArray();
	const cJSON *added = messages->child;
	const cJSON *frame;

	lt_json_set_take(manifest, "uuid", lt_json_new_str(LT_STR("abc")));
	assert_true(lt_recorder_set_manifest(f->recorder, manifest, 1, NULL));
	cJSON_ArrayForEach(frame, frames) {
		cJSON *value = cJSON_CreateObject();
		cJSON *block = cJSON_Duplicate(lt_json_get(added, "messages"), true);
		const cJSON *old;

		cJSON_ArrayForEach(old, all) {
			if (cJSON_GetArraySize(block) < 100) {
				cJSON_AddItemToArray(block, cJSON_Duplicate(old, true));
			}
		}
		cJSON_Delete(all);
		all = block;
		const cJSON *given = lt_json_get(frame, "state");
		lt_json_set_take(value, "cars", cJSON_Duplicate(lt_json_get(given, "cars"), true));
		lt_json_set_take(value, "session",
				cJSON_Duplicate(lt_json_get(given, "session"), true));
		lt_json_set_take(value, "messages", cJSON_Duplicate(all, true));
		lt_json_set_take(value, "highlight",
				cJSON_Duplicate(lt_json_get(added, "highlight"), true));
		assert_true(lt_recorder_add(f->recorder,
				(int64_t)lt_json_get(frame, "t")->valuedouble, value, NULL));
		cJSON_Delete(value);
		added = added->next;
	}
	cJSON_Delete(all);
	cJSON_Delete(frames);
	cJSON_Delete(messages);
	cJSON_Delete(manifest);
}

/*
 * Highlight is a set, whose order the input does not tell. Of a difference the
 * bytes have to be those of the original; the members of a key frame are in the
 * order in which the service made them.
 */
static bool same_entry(cJSON *ours, const cJSON *theirs, bool is_difference)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, wanted = { 0 };
	const cJSON *highlight = lt_json_get(theirs, "highlight");

	assert_same_set(lt_json_get(ours, "highlight"), highlight, "highlight");
	lt_json_set_take(ours, "highlight", cJSON_Duplicate(highlight, true));
	if (!is_difference) {
		return lt_json_equal(ours, theirs);
	}
	lt_json_print(&text, ours, LT_JSON_SPACED);
	lt_json_print(&wanted, theirs, LT_JSON_SPACED);
	return text.n == wanted.n && memcmp(text.p, wanted.p, text.n) == 0;
}

static cJSON *entry_json(const struct lt_zip *zip, const char *name)
{
	for (int64_t i = 0; i < lt_zip_count(zip); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		if (lt_str_eq_c(lt_zip_name(zip, i), name)) {
			assert_true(lt_zip_read(zip, i, &text, NULL));
			return lt_json_parse(lt_buf_str(&text), NULL);
		}
	}
	return NULL;
}

static void entries_are_those_of_the_original_but_for_shrinking_lists(void **state)
{
	static const int shrinking[] = { 1, 0, 2, 0 }; /* not at a key frame anyway */
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(sets); i++) {
		char name[128];
		int others = 0;

		record_set(f, sets[i]);
		lt_recording_close(finished(f));
		snprintf(name, sizeof(name), "golden/%s/recording.zip", sets[i]);
		char *path = shared_path(name);
		struct lt_zip *theirs = lt_zip_open(path, NULL);
		struct lt_zip *ours = lt_zip_open(in_dir(f->dir, "abc.zip"), NULL);

		assert_int_equal(lt_zip_count(ours), lt_zip_count(theirs));
		for (int64_t k = 0; k < lt_zip_count(theirs); k++) {
			LT_AUTO(lt_free) char *entry = lt_str_dup(lt_zip_name(theirs, k));
			cJSON *actual = entry_json(ours, entry);
			cJSON *expected = entry_json(theirs, entry);

			if (!actual) {
				others++;
			} else if (strcmp(entry, "manifest.json") != 0 &&
					!same_entry(actual, expected,
							lt_str_ends(lt_str_from(entry),
									LT_STR("i.json")))) {
				fail_msg("%s: %s differs", sets[i], entry);
			}
			cJSON_Delete(actual);
			cJSON_Delete(expected);
		}
		assert_int_equal(others, shrinking[i]);
		lt_zip_close(ours);
		lt_zip_close(theirs);
		free(path);
		teardown((void **)&f);
		setup((void **)&f);
	}
	*state = f;
}

static void states_read_back_are_those_that_went_in(void **state)
{
	struct fixture *f = *state;
	cJSON *cases = golden_json("golden/recorder/cases.json");
	const cJSON *entry, *input;

	cJSON_ArrayForEach(entry, cases) {
		set_manifest(f, MANIFEST, T0);
		cJSON_ArrayForEach(input, lt_json_get(entry, "input")) {
			assert_true(lt_recorder_add(f->recorder,
					(int64_t)lt_json_get(input, "t")->valuedouble,
					lt_json_get(input, "state"), NULL));
		}
		struct lt_recording *recording = finished(f);
		cJSON_ArrayForEach(input, lt_json_get(entry, "input")) {
			const cJSON *t = lt_json_get(input, "t");

			/* Of two states of one time the later one counts. */
			if (input->next && lt_json_equal(lt_json_get(input->next, "t"), t)) {
				continue;
			}
			cJSON *value = lt_recording_state_at(
					recording, (int64_t)t->valuedouble, NULL);
			assert_json_equal(value, lt_json_get(input, "state"),
					lt_json_get(entry, "name")->valuestring);
			cJSON_Delete(value);
		}
		lt_recording_close(recording);
		teardown((void **)&f);
		setup((void **)&f);
	}
	*state = f;
	cJSON_Delete(cases);
}

/* --- frames --- */

static void every_tenth_frame_is_a_key_frame(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 22; i++) {
		add_number(f, T0 + i, i);
	}

	assert_kinds(f, "kdddddddddkdddddddddkd");
}

static void a_shrinking_list_gets_a_key_frame_that_does_not_move_the_others(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 11; i++) {
		assert_true(add(f, T0 + i,
				i < 5 ? "{\"cars\":[[1],[2]],\"session\":{}}"
				      : "{\"cars\":[[1]],\"session\":{}}"));
	}

	assert_kinds(f, "kddddkddddk");
}

static void a_later_state_of_a_second_replaces_the_earlier_one(void **state)
{
	struct fixture *f = *state;
	set_manifest(f, MANIFEST, T0);

	add_number(f, T0, 1);
	add_number(f, T0, 2);
	add_number(f, T0 + 1, 3);
	add_number(f, T0 + 1, 4);
	add_number(f, T0 + 1, 5);
	add_number(f, T0 + 2, 6);

	assert_kinds(f, "kdd");
	struct lt_recording *recording = finished(f);
	assert_int_equal(number_at(recording, T0), 2);
	assert_int_equal(number_at(recording, T0 + 1), 5);
	assert_int_equal(number_at(recording, T0 + 2), 6);
	lt_recording_close(recording);
}

static void small_steps_back_take_the_time_of_the_frame_before(void **state)
{
	struct fixture *f = *state;
	set_manifest(f, MANIFEST, T0);

	add_number(f, T0, 1);
	add_number(f, T0 + 100, 2);
	add_number(f, T0 + 100 - LT_RECORDER_BACK_MAX_S, 3);
	add_number(f, T0 + 101, 4);

	struct lt_recording *recording = finished(f);
	assert_int_equal(number_at(recording, T0 + 99), 1);
	assert_int_equal(number_at(recording, T0 + 100), 3);
	assert_int_equal(number_at(recording, T0 + 101), 4);
	lt_recording_close(recording);
}

static void large_steps_back_are_refused(void **state)
{
	struct fixture *f = *state;
	add_number(f, T0, 1);

	assert_false(add(f, T0 - LT_RECORDER_BACK_MAX_S - 1, "{\"cars\":[],\"session\":{}}"));

	assert_int_equal(f->err.code, LT_E_INVALID);
	assert_string_equal(f->err.msg, "the time went back by 61 s");
}

static void what_is_no_state_or_no_time_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(add(f, T0, "{\"cars\":[]}"));
	assert_string_equal(f->err.msg, "session: missing");
	assert_false(add(f, -1, "{\"cars\":[],\"session\":{}}"));
	assert_string_equal(f->err.msg, "-1 is not the time of a frame");
	assert_false(add(f, LT_FRAME_TIME_MAX + 1, "{\"cars\":[],\"session\":{}}"));

	assert_kinds(f, "");
}

/* --- manifest --- */

static void start_time_is_the_first_frame_or_else_the_clock(void **state)
{
	struct fixture *f = *state;
	struct lt_recorder_report report;
	int64_t start_s;

	set_manifest(f, MANIFEST, T0 - 7);
	lt_recorder_report(f->recorder, &report);
	assert_true(lt_json_get_int(report.manifest, "startTime", 0, INT64_MAX, &start_s, NULL));
	assert_int_equal(start_s, T0 - 7);

	add_number(f, T0, 1);
	add_number(f, T0 + 1, 1);
	set_manifest(f, MANIFEST, T0 + 50);
	lt_recorder_report(f->recorder, &report);
	assert_true(lt_json_get_int(report.manifest, "startTime", 0, INT64_MAX, &start_s, NULL));
	assert_int_equal(start_s, T0);
}

static void a_manifest_that_did_not_change_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	struct lt_recorder_report before, after;
	set_manifest(f, MANIFEST, T0);
	lt_recorder_report(f->recorder, &before);

	set_manifest(f, MANIFEST, T0);

	lt_recorder_report(f->recorder, &after);
	assert_int_equal(after.bytes, before.bytes);
}

static void the_last_manifest_counts_and_gets_version_and_start(void **state)
{
	struct fixture *f = *state;
	set_manifest(f, MANIFEST, T0 - 7);
	add_number(f, T0, 1);
	set_manifest(f, "{\"uuid\":\"abc\",\"name\":\"New\"}", T0 + 5);

	struct lt_recording *recording = finished(f);

	cJSON *expected = json_of("{\"uuid\":\"abc\",\"name\":\"New\",\"startTime\":1700000000,"
				  "\"version\":1}");
	assert_json_equal(lt_recording_manifest(recording), expected, "manifest");
	cJSON_Delete(expected);
	lt_recording_close(recording);
}

/* --- going on after a restart --- */

static void a_resumed_recording_goes_on_with_a_key_frame(void **state)
{
	struct fixture *f = *state;
	struct lt_recorder_report report;
	set_manifest(f, MANIFEST, T0);
	add_number(f, T0, 1);
	add_number(f, T0 + 1, 2);
	add_number(f, T0 + 2, 3);
	lt_recorder_close(f->recorder);

	f->recorder = lt_recorder_resume(f->journal, NULL, NULL);

	lt_recorder_report(f->recorder, &report);
	assert_int_equal(report.frames, 3);
	assert_int_equal(report.first_s, T0);
	assert_int_equal(report.last_s, T0 + 2);
	assert_string_equal(lt_json_get(report.manifest, "name")->valuestring, "Test");
	add_number(f, T0 + 2, 4);
	add_number(f, T0 + 3, 5);
	add_number(f, T0 + 4, 6);
	assert_kinds(f, "kdkdd");
	struct lt_recording *recording = finished(f);
	assert_int_equal(number_at(recording, T0 + 1), 2);
	assert_int_equal(number_at(recording, T0 + 2), 4);
	assert_int_equal(number_at(recording, T0 + 4), 6);
	lt_recording_close(recording);
}

static void a_complete_recording_is_not_resumed(void **state)
{
	struct fixture *f = *state;
	add_number(f, T0, 1);
	assert_true(lt_recorder_end(f->recorder, NULL));
	lt_recorder_close(f->recorder);

	f->recorder = lt_recorder_resume(f->journal, NULL, &f->err);

	assert_null(f->recorder);
	assert_int_equal(f->err.code, LT_E_INVALID);
}

static void two_recorders_do_not_share_a_journal(void **state)
{
	struct fixture *f = *state;

	assert_null(lt_recorder_begin(f->journal, NULL, &f->err));
	assert_int_equal(f->err.code, LT_E_EXISTS);
	assert_null(lt_recorder_resume(f->journal, NULL, &f->err));
	assert_int_equal(f->err.code, LT_E_UNAVAILABLE);
}

/* --- reading while it grows --- */

static void the_journal_gives_states_while_it_is_written(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 12; i++) {
		add_number(f, T0 + i, i);
	}
	struct lt_journal_reader *reader = lt_journal_reader_open(f->journal, NULL);
	add_number(f, T0 + 12, 12);

	cJSON *before = lt_journal_reader_state_at(reader, T0 + 100, NULL);
	assert_true(lt_journal_reader_refresh(reader, NULL));
	cJSON *after = lt_journal_reader_state_at(reader, T0 + 100, NULL);
	cJSON *middle = lt_journal_reader_state_at(reader, T0 + 5, NULL);
	cJSON *early = lt_journal_reader_state_at(reader, 0, NULL);

	assert_int_equal(lt_json_get(before, "cars")->child->child->next->valueint, 11);
	assert_int_equal(lt_json_get(after, "cars")->child->child->next->valueint, 12);
	assert_int_equal(lt_json_get(middle, "cars")->child->child->next->valueint, 5);
	assert_int_equal(lt_json_get(early, "cars")->child->child->next->valueint, 0);
	cJSON_Delete(before);
	cJSON_Delete(after);
	cJSON_Delete(middle);
	cJSON_Delete(early);
	lt_journal_reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_are_those_of_the_original_but_for_shrinking_lists),
		TEST(states_read_back_are_those_that_went_in),
		TEST(every_tenth_frame_is_a_key_frame),
		TEST(a_shrinking_list_gets_a_key_frame_that_does_not_move_the_others),
		TEST(a_later_state_of_a_second_replaces_the_earlier_one),
		TEST(small_steps_back_take_the_time_of_the_frame_before),
		TEST(large_steps_back_are_refused),
		TEST(what_is_no_state_or_no_time_is_refused),
		TEST(start_time_is_the_first_frame_or_else_the_clock),
		TEST(a_manifest_that_did_not_change_is_not_written_again),
		TEST(the_last_manifest_counts_and_gets_version_and_start),
		TEST(a_resumed_recording_goes_on_with_a_key_frame),
		TEST(a_complete_recording_is_not_resumed),
		TEST(two_recorders_do_not_share_a_journal),
		TEST(the_journal_gives_states_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
