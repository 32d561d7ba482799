#include "fake_host.h"

/* A recording with frames at 100, 110 and 130 s; the tests run one plugin at a time. */
static const int64_t frames[] = { 100, 110, 130 };
static struct lt_recording_opts recording_opts;
static int64_t asked[32];
static size_t asked_count;

static void *recording_open(struct lt_host *host, const struct lt_recording_opts *opts)
{
	recording_opts = *opts;
	asked_count = 0;
	return host;
}

static int64_t next_time(void *recording, int64_t time_s)
{
	(void)recording;
	for (size_t i = 0; i < 3; i++) {
		if (frames[i] >= time_s) {
			return frames[i];
		}
	}
	return INT64_MAX;
}

static int32_t request(void *recording, int64_t time_s)
{
	(void)recording;
	asked[asked_count++ % 32] = time_s;
	recording_opts.state(recording_opts.arg, time_s, LT_LITERAL("{}"));
	return 0;
}

static int32_t publish(void *recording)
{
	return fake_publish(recording);
}

static int32_t describe(void *recording)
{
	struct lt_host *host = recording;

	host->described++;
	return 0;
}

static void close_nothing(void *recording)
{
	(void)recording;
}

static const void *extension(const char *id)
{
	static const struct lt_recording_ext recording = { sizeof(recording), 0, recording_open,
		next_time, request, publish, close_nothing, describe };

	return strcmp(id, LT_EXT_RECORDING) == 0 ? &recording : NULL;
}

static void opened(void)
{
	struct lt_recording_info info = { .size = sizeof(info), .frames = 3 };

	info.first_s = 100;
	info.last_s = 130;
	recording_opts.opened(recording_opts.arg, &info);
}

static void frames_come_at_their_times(void **state)
{
	static const char *const options[] = { "file", "/tmp/race.zip", NULL };
	struct lt_host host = { .extension = extension, .generators = 7 };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	assert_string_equal(host.description, "race.zip");
	opened();
	assert_int_equal(host.generators, 0);
	assert_int_equal(host.published, 1);
	fake_run(&host, 9800);
	assert_int_equal(host.published, 1);
	fake_run(&host, 300);
	assert_int_equal(host.published, 2);
	fake_run(&host, 60000);

	assert_int_equal(host.published, 3);
	assert_int_equal(asked[2], 130);
	assert_int_equal(host.described, 2);
	assert_int_equal(host.sessions, 0);
	fake_end(&host);
}

static void a_fast_replay_skips_to_the_newest_frame_due(void **state)
{
	static const char *const options[] = { "file", "race.zip", "speed", "1000", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	opened();
	fake_run(&host, 1000);

	assert_int_equal(asked_count, 2);
	assert_int_equal(asked[1], 130);
	fake_end(&host);
}

static void a_loop_begins_again_as_a_new_session(void **state)
{
	static const char *const options[] = { "file", "race.zip", "speed", "10", "loop", "1",
		"start", "10", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	opened();
	fake_run(&host, 2500);

	assert_int_equal(asked[0], 110);
	assert_int_equal(asked[1], 130);
	assert_int_equal(asked[2], 100);
	assert_int_equal(host.sessions, 1);
	fake_end(&host);
}

static void a_start_behind_the_end_stops_the_service(void **state)
{
	static const char *const options[] = { "file", "race.zip", "start", "31", NULL };
	struct lt_host host = { .extension = extension };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	opened();

	assert_string_equal(host.reason, "--start lies behind the end of the recording");
	assert_int_equal(host.published, 0);
	fake_end(&host);
}

static void a_host_without_recordings_is_refused(void **state)
{
	static const char *const options[] = { "file", "race.zip", NULL };
	struct lt_host host = { 0 };

	(void)state;
	assert_int_equal(fake_start(&host, options), -1);
	assert_string_equal(host.reason, "this host cannot play recordings");
	fake_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_at_their_times),
		cmocka_unit_test(a_fast_replay_skips_to_the_newest_frame_due),
		cmocka_unit_test(a_loop_begins_again_as_a_new_session),
		cmocka_unit_test(a_start_behind_the_end_stops_the_service),
		cmocka_unit_test(a_host_without_recordings_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
