#include <unistd.h>

#include <zip.h>

#include "base/alloc.h"
#include "store/recording_analysis.h"
#include "support/analysis_golden.h"
#include "support/golden.h"
#include "support/test.h"

#define MANIFEST                                                                                   \
	"{\"uuid\":\"x\",\"version\":1,\"startTime\":5,"                                           \
	"\"colSpec\":[[\"Num\",\"text\"],[\"Laps\",\"numeric\"],[\"Last\",\"time\"]]}"

struct fixture {
	char path[64];
	zip_t *zip;
	struct lt_err err;
	struct lt_buf text;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	int fd;

	strcpy(f->path, "/tmp/lt-recording-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	f->zip = zip_open(f->path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
	assert_non_null(f->zip);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->zip) {
		zip_discard(f->zip);
	}
	unlink(f->path);
	lt_buf_finish(&f->text);
	lt_free(f);
	return 0;
}

/* The text must be static: libzip reads it when the archive is closed. */
static void add_entry(struct fixture *f, const char *name, const char *text)
{
	zip_source_t *source = zip_source_buffer(f->zip, text, strlen(text), 0);

	assert_true(zip_file_add(f->zip, name, source, ZIP_FL_OVERWRITE) >= 0);
}

static struct lt_recording *open_written(struct fixture *f)
{
	struct lt_recording *recording;

	assert_int_equal(zip_close(f->zip), 0);
	f->zip = NULL;
	recording = lt_recording_open(f->path, &f->err);
	if (!recording) {
		fail_msg("%s", f->err.msg);
	}
	return recording;
}

static bool analyse_file(const char *path, struct lt_buf *text, struct lt_err *err)
{
	struct lt_recording *recording = lt_recording_open(path, err);
	bool ok = recording && lt_recording_analyse(recording, NULL, NULL, text, NULL, err);

	lt_recording_close(recording);
	return ok;
}

static void a_recording_gives_the_analysis_of_the_original(void **state)
{
	char name[GOLDEN_NAME_MAX];
	(void)state;

	for (const char *const *set = golden_sets; *set; set++) {
		cJSON *expected = golden_json(golden_name(name, *set, "analysis.json"));
		char *path = shared_path(golden_name(name, *set, "recording.zip"));
		struct lt_buf text = { 0 };
		struct lt_err err;

		if (!analyse_file(path, &text, &err)) {
			fail_msg("%s", err.msg);
		}

		cJSON *actual = lt_json_parse(lt_buf_str(&text), &err);
		assert_analysis_equal(actual, expected, *set);
		cJSON_Delete(actual);
		cJSON_Delete(expected);
		lt_buf_finish(&text);
		free(path);
	}
}

static void the_text_is_compact_and_ascii(void **state)
{
	char name[GOLDEN_NAME_MAX];
	char *path = shared_path(golden_name(name, golden_sets[0], "recording.zip"));
	struct lt_buf text = { 0 };
	(void)state;

	assert_true(analyse_file(path, &text, NULL));

	for (size_t i = 0; i < text.n; i++) {
		assert_true(text.p[i] >= ' ' && text.p[i] < 0x7f);
	}
	assert_true(lt_str_starts(lt_buf_str(&text), LT_STR("{\"state\":{\"messages\":[[17")));
	assert_non_null(strstr(
			text.p, ",\"static\":{\"007\":[\"HYPERCAR\",\"V\\u00e9lo Rapide\","));
	lt_buf_finish(&text);
	free(path);
}

struct progress {
	size_t calls, last_done, total, stop_at;
};

static bool note_progress(void *arg, size_t done, size_t total)
{
	struct progress *progress = arg;

	progress->calls++;
	progress->last_done = done;
	progress->total = total;
	return done != progress->stop_at;
}

static void add_three_frames(struct fixture *f)
{
	add_entry(f, "manifest.json", MANIFEST);
	add_entry(f, "00000000100.json",
			"{\"cars\":[[\"7\",1,[\"\",\"\"]]],\"session\":{\"flagState\":\"green\"},"
			"\"messages\":[[100,\"Track\",\"a\",\"\"]]}");
	add_entry(f, "00000000190i.json",
			"{\"cars\":[[\"change\",[0,1],[1,2]],[\"change\",[0,2,0],[\"\",90]]],"
			"\"session\":[[\"change\",\"flagState\",[\"green\",\"purple\"]]],"
			"\"messages\":[],\"highlight\":[]}");
	add_entry(f, "00000000280i.json",
			"{\"cars\":[[\"change\",[0,1],[2,3]],[\"change\",[0,2,0],[90,91]]],"
			"\"session\":[[\"change\",\"flagState\",[\"purple\",\"green\"]]],"
			"\"messages\":[[100,\"Track\",\"old\",\"\"],[101,\"Track\",\"b\",\"\"]],"
			"\"highlight\":[]}");
}

static void progress_is_told_frame_by_frame(void **state)
{
	struct fixture *f = *state;
	struct progress progress = { 0 };
	add_three_frames(f);
	struct lt_recording *recording = open_written(f);

	assert_true(lt_recording_analyse(
			recording, note_progress, &progress, &f->text, NULL, &f->err));

	assert_int_equal(progress.calls, 3);
	assert_int_equal(progress.last_done, 3);
	assert_int_equal(progress.total, 3);
	lt_recording_close(recording);
}

static void an_analysis_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct progress progress = { .stop_at = 2 };
	add_three_frames(f);
	struct lt_recording *recording = open_written(f);

	assert_false(lt_recording_analyse(
			recording, note_progress, &progress, &f->text, NULL, &f->err));

	assert_int_equal(f->err.code, LT_E_UNAVAILABLE);
	assert_int_equal(progress.calls, 2);
	assert_int_equal(f->text.n, 0);
	lt_recording_close(recording);
}

static void a_lost_update_is_reported_and_the_rest_analysed(void **state)
{
	struct fixture *f = *state;
	struct lt_recording_losses losses;
	add_three_frames(f);
	struct lt_recording *recording = open_written(f);

	assert_true(lt_recording_analyse(recording, NULL, NULL, &f->text, &losses, &f->err));

	assert_int_equal(losses.count, 1);
	assert_int_equal(losses.first_s, 190);
	assert_string_equal(losses.first.msg, "session: flagState: \"purple\" is not a flag");
	assert_non_null(strstr(f->text.p,
			"\"lap\":{\"7\":[[1,100,3,280,true,-1,91,0,null,[[91,1]]],280]}"));
	lt_recording_close(recording);
}

static void only_messages_newer_than_all_before_are_new(void **state)
{
	struct fixture *f = *state;
	add_three_frames(f);
	struct lt_recording *recording = open_written(f);

	assert_true(lt_recording_analyse(recording, NULL, NULL, &f->text, NULL, &f->err));

	assert_non_null(strstr(f->text.p,
			"\"messages\":{\"messages\":[[101,\"Track\",\"b\",\"\"],"
			"[100,\"Track\",\"a\",\"\"]]}"));
	lt_recording_close(recording);
}

static void service_is_the_manifest_with_start_and_duration(void **state)
{
	struct fixture *f = *state;
	add_three_frames(f);
	struct lt_recording *recording = open_written(f);

	assert_true(lt_recording_analyse(recording, NULL, NULL, &f->text, NULL, &f->err));

	cJSON *whole = lt_json_parse(lt_buf_str(&f->text), NULL);
	const cJSON *service = lt_json_get(whole, "service");
	assert_true(lt_json_get(service, "startTime")->valuedouble == 100);
	assert_true(lt_json_is_float(lt_json_get(service, "duration")));
	assert_true(lt_json_get(service, "duration")->valuedouble == 180);
	assert_string_equal(lt_json_get(service, "uuid")->valuestring, "x");
	cJSON_Delete(whole);
	lt_recording_close(recording);
}

static void a_broken_frame_ends_the_analysis_and_is_named(void **state)
{
	struct fixture *f = *state;
	add_three_frames(f);
	add_entry(f, "00000000300i.json", "{\"cars\":[");
	struct lt_recording *recording = open_written(f);

	assert_false(lt_recording_analyse(recording, NULL, NULL, &f->text, NULL, &f->err));

	assert_int_equal(f->text.n, 0);
	assert_non_null(strstr(f->err.msg, "frame 00000000300i.json: "));
	lt_recording_close(recording);
}

static void frames_before_the_first_key_frame_show_it(void **state)
{
	struct fixture *f = *state;
	add_three_frames(f);
	add_entry(f, "00000000050i.json", "{}");
	struct lt_recording *recording = open_written(f);

	const cJSON *frame = lt_recording_frame(recording, 0, &f->err);
	bool is_there = cJSON_GetArraySize(lt_json_get(frame, "cars")) == 1;

	assert_true(is_there);
	assert_true(lt_recording_analyse(recording, NULL, NULL, &f->text, NULL, &f->err));
	lt_recording_close(recording);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_gives_the_analysis_of_the_original),
		cmocka_unit_test(the_text_is_compact_and_ascii),
		WITH_FILE(progress_is_told_frame_by_frame),
		WITH_FILE(an_analysis_can_be_stopped),
		WITH_FILE(a_lost_update_is_reported_and_the_rest_analysed),
		WITH_FILE(only_messages_newer_than_all_before_are_new),
		WITH_FILE(service_is_the_manifest_with_start_and_duration),
		WITH_FILE(a_broken_frame_ends_the_analysis_and_is_named),
		WITH_FILE(frames_before_the_first_key_frame_show_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
