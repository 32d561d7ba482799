/*
 * The DVR in the real router, on a clock that the tests move: the reference
 * scenarios step by step, and what ours does better.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/dvr/dvr.h"
#include "store/recording.h"
#include "support/golden.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define UUID "aaaa1111bbbb2222cccc3333dddd4444"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_local *peer;
	struct lt_log_sink *sink;
	struct lt_buf log;
	char dir[40], temp[48], done[48];
	struct lt_dvr *dvr;
	bool stopped;
};

static void take_line(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	(void)level;
	lt_buf_add_str(&f->log, line);
	lt_buf_add_char(&f->log, '\n');
}

static void make_dvr(struct fixture *f)
{
	f->dvr = lt_dvr_create(&(struct lt_dvr_env){ .loop = f->loop,
			.log = { f->sink, "dvr" },
			.router = f->router,
			.temp_dir = f->temp,
			.done_dir = f->done,
			.thresholds = { LT_DVR_MIN_DURATION_S, LT_DVR_IDLE_S, LT_DVR_SCAN_S,
					LT_DVR_RESUME_S, LT_DVR_SYNC_S } });
}

static void make_dirs(struct fixture *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/lt-dvr-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->temp, sizeof(f->temp), "%s/temp", f->dir);
	snprintf(f->done, sizeof(f->done), "%s/done", f->dir);
	assert_int_equal(mkdir(f->temp, 0755) | mkdir(f->done, 0755), 0);
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	make_dirs(f);
	f->loop = lt_loop_create(NULL);
	f->sink = lt_log_sink_fn(LT_INFO, take_line, f);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->peer = lt_local_join(f->router, LT_STR(LT_REALM), "peer", "services", NULL);
	make_dvr(f);
	*state = f;
	return 0;
}

static void on_stopped(void *arg)
{
	((struct fixture *)arg)->stopped = true;
}

static void stop_dvr(struct fixture *f)
{
	f->stopped = false;
	lt_dvr_stop(f->dvr, on_stopped, f);
	lt_fake_settle(f->loop);
	assert_true(f->stopped);
	lt_dvr_destroy(f->dvr);
	lt_fake_settle(f->loop);
	f->dvr = NULL;
}

static void remove_dirs(struct fixture *f)
{
	char command[128];

	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s", f->dir, f->dir);
	assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_dvr_destroy(f->dvr);
	lt_local_leave(f->peer);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_log_sink_destroy(f->sink);
	lt_buf_finish(&f->log);
	remove_dirs(f);
	lt_free(f);
	return 0;
}

/* --- steps --- */

static int64_t wall_ms(const struct fixture *f)
{
	return lt_wall_ms(lt_loop_wall(f->loop));
}

static void start_at(struct fixture *f, int64_t s)
{
	lt_fake_set_wall(f->loop, (struct lt_wall){ s * LT_US_PER_S });
	assert_true(lt_dvr_start(f->dvr, NULL));
	lt_fake_settle(f->loop);
}

static void publish(struct fixture *f, const char *topic, struct lt_str args)
{
	assert_true(lt_local_publish(f->peer, lt_str_from(topic), false, args, NULL));
	lt_fake_settle(f->loop);
}

static void send_manifest(struct fixture *f, const char *description)
{
	char args[512];

	snprintf(args, sizeof(args),
			"[{\"msgClass\":2,\"date\":1,\"payload\":{\"uuid\":\"" UUID
			"\",\"name\":\"Race\",\"description\":\"%s\",\"colSpec\":[[\"Num\",\"text\"]],"
			"\"trackDataSpec\":[],\"pollInterval\":10}}]",
			description);
	publish(f, LT_TOPIC_CONTROL, lt_str_from(args));
}

/* A plain state of now. */
static void send_state(struct fixture *f, int lap)
{
	char args[512];

	snprintf(args, sizeof(args),
			"[{\"msgClass\":4,\"date\":%lld,\"payload\":{\"cars\":[[\"%d\"]],\"session\":"
			"{\"flagState\":\"green\"},\"messages\":[],\"lastUpdated\":5}}]",
			(long long)wall_ms(f), lap);
	publish(f, LT_TOPIC_SERVICE UUID, lt_str_from(args));
}

static void send_states(struct fixture *f, int seconds, int step)
{
	for (int t = 0; t < seconds; t += step) {
		send_state(f, t);
		lt_fake_advance(f->loop, step * 1000);
	}
}

static bool is_done(const struct fixture *f, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", f->done, name);
	return access(path, F_OK) == 0;
}

static int count_files(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		n += entry->d_name[0] != '.';
	}
	closedir(d);
	return n;
}

static struct lt_recording *open_done(const struct fixture *f, const char *name)
{
	char path[160];
	struct lt_err err;
	struct lt_recording *recording;

	snprintf(path, sizeof(path), "%s/%s", f->done, name);
	recording = lt_recording_open(path, &err);
	if (recording == NULL) {
		fail_msg("%s: %s", name, err.msg);
	}
	return recording;
}

/* --- the reference scenarios --- */

static void take_step(struct fixture *f, const cJSON *step)
{
	int64_t at_ms = (int64_t)(lt_json_get(step, "at")->valuedouble * 1000 + 0.5);
	const cJSON *topic = lt_json_get(step, "topic");
	const char *what = lt_json_get(step, "do")->valuestring;
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_fake_advance(f->loop, at_ms - wall_ms(f));
	if (strcmp(what, "scan") == 0) {
		return; /* the timer's */
	}
	lt_buf_add_char(&args, '[');
	lt_json_print(&args, lt_json_get(step, "message"), LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	publish(f, topic ? topic->valuestring : LT_TOPIC_CONTROL, lt_buf_str(&args));
}

/* A scan that falls on the first of those of the scenario, before its first step. */
static int64_t start_ms_of(const cJSON *steps)
{
	int64_t first_ms = (int64_t)(steps->child->child->valuedouble * 1000) - 1000, at_ms = 0;
	const cJSON *step;

	cJSON_ArrayForEach(step, steps) {
		if (strcmp(lt_json_get(step, "do")->valuestring, "scan") == 0) {
			at_ms = (int64_t)(lt_json_get(step, "at")->valuedouble * 1000 + 0.5);
			break;
		}
	}
	while (at_ms > first_ms) {
		at_ms -= LT_DVR_SCAN_S * 1000;
	}
	return at_ms;
}

static void expect_zip(const struct fixture *f, const char *name, const cJSON *expected)
{
	struct lt_recording *recording = open_done(f, name);
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = cJSON_Duplicate(lt_recording_manifest(recording), true);
	LT_AUTO(cJSON_Delete)
	cJSON *wanted = cJSON_Duplicate(lt_json_get(expected, "manifest"), true);
	const cJSON *frames = lt_json_get(expected, "frames"), *frame;
	size_t n, i = 0;
	const int64_t *times = lt_recording_times(recording, &n);

	/* ours is not written again when the uuid gets its number; readers use the first frame */
	cJSON_DeleteItemFromObject(manifest, "startTime");
	cJSON_DeleteItemFromObject(wanted, "startTime");
	assert_json_equal(manifest, wanted, name);
	assert_int_equal(n, cJSON_GetArraySize(frames));
	cJSON_ArrayForEach(frame, frames) {
		assert_int_equal(times[i++], strtoll(frame->valuestring, NULL, 10));
	}
	lt_recording_close(recording);
}

static void expect_analysis(const struct fixture *f, const char *name, const cJSON *expected)
{
	char path[160];
	LT_AUTO(cJSON_Delete) cJSON *wanted = cJSON_Duplicate(expected, true);
	cJSON *service = lt_json_get(wanted, "service");

	snprintf(path, sizeof(path), "%s/%s", f->done, name);
	LT_AUTO(cJSON_Delete) cJSON *analysis = lt_json_parse_file(path, 1 << 20, NULL);
	assert_non_null(analysis);
	/* the original has these two only where it has changed the uuid */
	cJSON_DeleteItemFromObject(service, "startTime");
	cJSON_DeleteItemFromObject(service, "version");
	assert_json_equal(analysis, wanted, name);
}

static void expect_files(struct fixture *f, const cJSON *finished)
{
	const cJSON *file;

	assert_int_equal(count_files(f->done), cJSON_GetArraySize(finished));
	cJSON_ArrayForEach(file, finished) {
		if (lt_str_ends(lt_str_from(file->string), LT_STR(".zip"))) {
			expect_zip(f, file->string, file);
		} else {
			expect_analysis(f, file->string, file);
		}
	}
}

static void play(struct fixture *f, const char *name)
{
	LT_AUTO(cJSON_Delete) cJSON *scenarios = golden_json("golden/dvr_scenarios.json");
	const cJSON *scenario, *step;

	cJSON_ArrayForEach(scenario, scenarios) {
		if (strcmp(lt_json_get(scenario, "name")->valuestring, name) == 0) {
			break;
		}
	}
	assert_non_null(scenario);
	lt_fake_set_wall(f->loop,
			(struct lt_wall){ start_ms_of(lt_json_get(scenario, "steps")) *
					LT_US_PER_MS });
	assert_true(lt_dvr_start(f->dvr, NULL));
	cJSON_ArrayForEach(step, lt_json_get(scenario, "steps")) {
		take_step(f, step);
	}
	/* where ours differs on purpose the test itself says what is there */
	if (strcmp(name, "frames_without_manifest") != 0 && strcmp(name, "gap_no_manifest") != 0) {
		expect_files(f, lt_json_get(scenario, "finished"));
		assert_int_equal(count_files(f->temp), 0);
	}
}

static void reference_scenarios_end_with_the_files_of_the_original(void **state)
{
	static const char *const names[] = { "kept", "short", "exact", "description_change",
		"other_manifest_change", "do_not_record", "manifest_without_frames" };

	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		play(f, names[i]);
		lt_dvr_destroy(f->dvr);
		lt_fake_settle(f->loop);
		remove_dirs(f);
		make_dirs(f);
		make_dvr(f);
	}
}

/* The original leaves it in the temporary directory for somebody to solve by hand. */
static void a_recording_without_a_manifest_is_kept_as_hidden(void **state)
{
	struct fixture *f = *state;

	play(f, "frames_without_manifest");

	struct lt_recording *recording = open_done(f, UUID ".zip");
	size_t n;

	assert_true(cJSON_IsTrue(lt_json_get(lt_recording_manifest(recording), "hidden")));
	lt_recording_times(recording, &n);
	assert_int_equal(n, 25);
	lt_recording_close(recording);
}

/* In the original it waits for the next listing, and is lost when the service has ended. */
static void the_second_part_of_a_split_recording_has_a_manifest_at_once(void **state)
{
	struct fixture *f = *state;

	play(f, "gap_no_manifest");

	struct lt_recording *recording = open_done(f, UUID "_1.zip");
	struct lt_str uuid;
	size_t n;

	assert_true(lt_json_get_str(lt_recording_manifest(recording), "uuid", &uuid, NULL));
	assert_str_equal(uuid, UUID ":1");
	lt_recording_times(recording, &n);
	assert_int_equal(n, 24);
	lt_recording_close(recording);
	assert_int_equal(count_files(f->temp), 0);
}

/* --- better than the original --- */

static void plain_states_are_recorded_without_what_only_viewers_need(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	lt_fake_advance(f->loop, 130000);

	struct lt_recording *recording = open_done(f, UUID ".zip");
	LT_AUTO(cJSON_Delete)
	cJSON *first = lt_recording_state_at(recording, 1700000000, NULL);

	assert_non_null(lt_json_get(first, "cars"));
	assert_null(lt_json_get(first, "lastUpdated"));
	lt_recording_close(recording);
}

static void a_restart_goes_on_with_the_recording(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 310, 10);
	stop_dvr(f);
	assert_int_equal(count_files(f->temp), 1);
	make_dvr(f);
	lt_fake_advance(f->loop, 20000);
	assert_true(lt_dvr_start(f->dvr, NULL));
	send_manifest(f, "one"); /* before the old journal is found */
	send_states(f, 310, 10);
	lt_fake_advance(f->loop, 130000);

	struct lt_recording *recording = open_done(f, UUID ".zip");
	size_t n;

	lt_recording_times(recording, &n);
	assert_int_equal(n, 62);
	assert_int_equal(lt_recording_first(recording), 1700000000);
	lt_recording_close(recording);
	assert_int_equal(count_files(f->temp), 0);
	assert_true(is_done(f, UUID ".json"));
}

static void what_nobody_goes_on_with_is_finished_after_a_restart(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	stop_dvr(f);
	make_dvr(f);
	assert_true(lt_dvr_start(f->dvr, NULL));
	lt_fake_advance(f->loop, 130000);

	assert_true(is_done(f, UUID ".zip"));
	assert_true(is_done(f, UUID ".json"));
	assert_int_equal(count_files(f->temp), 0);
}

static void a_service_of_another_name_does_not_go_on_with_an_old_recording(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	stop_dvr(f);
	make_dvr(f);
	assert_true(lt_dvr_start(f->dvr, NULL));
	lt_fake_settle(f->loop);
	send_manifest(f, "two");
	send_states(f, 20, 10);

	struct lt_recording *recording = open_done(f, UUID ".zip");
	size_t n;

	lt_recording_times(recording, &n);
	assert_int_equal(n, 61);
	lt_recording_close(recording);
}

static void a_journal_that_is_too_old_is_finished_at_once(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	stop_dvr(f);
	make_dvr(f);
	start_at(f, 1700000600 + LT_DVR_RESUME_S + 1);

	assert_true(is_done(f, UUID ".zip"));
}

static void a_clock_that_goes_back_begins_a_new_recording(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	lt_fake_set_wall(f->loop, (struct lt_wall){ INT64_C(1699990000) * LT_US_PER_S });
	send_states(f, 610, 10);
	lt_fake_advance(f->loop, 130000);

	assert_true(is_done(f, UUID ".zip"));
	assert_true(is_done(f, UUID "_1.zip"));
}

static void a_sender_with_a_slow_clock_is_one_recording(void **state)
{
	struct fixture *f = *state;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	for (int t = 0; t < 620; t += 10) {
		char args[256];

		snprintf(args, sizeof(args),
				"[{\"msgClass\":4,\"date\":%lld,\"payload\":{\"cars\":[],\"session\":{"
				"\"flagState\":\"green\"},\"messages\":[]}}]",
				(long long)wall_ms(f) - 7200000);
		publish(f, LT_TOPIC_SERVICE UUID, lt_str_from(args));
		lt_fake_advance(f->loop, 10000);
	}
	lt_fake_advance(f->loop, 130000);

	assert_true(is_done(f, UUID ".zip"));
	assert_int_equal(count_files(f->done), 2);
}

static void a_directory_that_cannot_be_written_is_said_once_and_recording_resumes(void **state)
{
	struct fixture *f = *state;
	char aside[64];
	struct lt_dvr_stats stats;

	snprintf(aside, sizeof(aside), "%s.aside", f->temp);
	start_at(f, 1700000000);
	send_manifest(f, "one");
	assert_int_equal(rename(f->temp, aside), 0);
	send_states(f, 50, 10);
	lt_dvr_report(f->dvr, &stats);
	assert_int_equal(stats.in_trouble, 1);
	assert_int_equal(stats.lost, 5);
	const char *said = strstr(f->log.p, "cannot be written");

	assert_non_null(said);
	assert_null(strstr(said + 1, "cannot be written"));
	assert_int_equal(rename(aside, f->temp), 0);
	send_states(f, 20, 10);

	lt_dvr_report(f->dvr, &stats);
	assert_int_equal(stats.in_trouble, 0);
	assert_int_equal(stats.frames, 2);
	assert_non_null(strstr(f->log.p, "written again"));
}

static void a_recordings_directory_that_is_away_is_tried_again_at_each_scan(void **state)
{
	struct fixture *f = *state;
	char aside[64];

	snprintf(aside, sizeof(aside), "%s.aside", f->done);
	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	assert_int_equal(rename(f->done, aside), 0);
	lt_fake_advance(f->loop, 130000);
	assert_int_equal(count_files(f->temp), 1);
	assert_int_equal(rename(aside, f->done), 0);
	lt_fake_advance(f->loop, 60000);

	assert_true(is_done(f, UUID ".zip"));
	assert_int_equal(count_files(f->temp), 0);
}

static void an_unreadable_state_costs_nothing_but_itself(void **state)
{
	struct fixture *f = *state;
	struct lt_dvr_stats stats;

	start_at(f, 1700000000);
	send_manifest(f, "one");
	send_state(f, 1);
	lt_fake_advance(f->loop, 1000);
	publish(f, LT_TOPIC_SERVICE UUID, LT_STR("[{\"msgClass\":8,\"payload\":\"xx\"}]"));
	publish(f, LT_TOPIC_SERVICE UUID, LT_STR("[{\"msgClass\":8,\"payload\":5}]"));
	publish(f, LT_TOPIC_SERVICE UUID, LT_STR("[{\"msgClass\":4,\"payload\":{\"cars\":1}}]"));
	publish(f, LT_TOPIC_SERVICE UUID, LT_STR("[]"));
	publish(f, LT_TOPIC_SERVICE "a/b", LT_STR("[]"));
	send_state(f, 2);

	lt_dvr_report(f->dvr, &stats);
	assert_int_equal(stats.recording, 1);
	assert_int_equal(stats.frames, 2);
	assert_int_equal(stats.lost, 4);
	assert_int_equal(stats.in_trouble, 0);
}

static void a_directory_of_the_original_goes_on(void **state)
{
	struct fixture *f = *state;
	char path[160];

	snprintf(path, sizeof(path), "%s/" UUID, f->temp);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/" UUID "/01700000000.json", f->temp);
	assert_true(lt_file_replace(path,
			LT_STR("{\"cars\":[],\"session\":{\"flagState\":\"green\"},\"messages\":[]}"),
			0644, NULL));
	snprintf(path, sizeof(path), "%s/" UUID "/manifest.json", f->temp);
	assert_true(lt_file_replace(path,
			LT_STR("{\"uuid\":\"" UUID "\",\"name\":\"Race\",\"description\":\"one\"}"),
			0644, NULL));
	start_at(f, 1700000030);
	send_manifest(f, "one");
	send_states(f, 610, 10);
	lt_fake_advance(f->loop, 130000);

	struct lt_recording *recording = open_done(f, UUID ".zip");

	assert_int_equal(lt_recording_first(recording), 1700000000);
	assert_int_equal(lt_recording_last(recording), 1700000630);
	lt_recording_close(recording);
}

int main(void)
{
	lt_alloc_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(reference_scenarios_end_with_the_files_of_the_original),
		TEST(a_recording_without_a_manifest_is_kept_as_hidden),
		TEST(the_second_part_of_a_split_recording_has_a_manifest_at_once),
		TEST(plain_states_are_recorded_without_what_only_viewers_need),
		TEST(a_restart_goes_on_with_the_recording),
		TEST(what_nobody_goes_on_with_is_finished_after_a_restart),
		TEST(a_service_of_another_name_does_not_go_on_with_an_old_recording),
		TEST(a_journal_that_is_too_old_is_finished_at_once),
		TEST(a_clock_that_goes_back_begins_a_new_recording),
		TEST(a_sender_with_a_slow_clock_is_one_recording),
		TEST(a_directory_that_cannot_be_written_is_said_once_and_recording_resumes),
		TEST(a_recordings_directory_that_is_away_is_tried_again_at_each_scan),
		TEST(an_unreadable_state_costs_nothing_but_itself),
		TEST(a_directory_of_the_original_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
