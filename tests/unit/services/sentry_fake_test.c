/* Error reports on a loop whose clock the test moves, with answers that it gives. */
#include "base/alloc.h"
#include "services/sentry/sentry.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define SECONDS INT64_C(1000)

struct lt_fetch {
	int unused;
};

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *sink;
	struct lt_log log;
	struct lt_buf lines;
	struct lt_sentry *sentry;
	struct lt_fetch fetch;
	bool is_under_way, refuse;
	void (*result)(void *arg, const struct lt_fetch_result *result);
	void *arg;
	char *url, *body, *authorization;
	int sent;
};

static struct lt_fetch *start_request(
		void *arg, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	struct fixture *f = arg;

	if (f->refuse) {
		lt_err_set(err, LT_E_INVALID, "refused");
		return NULL;
	}
	assert_false(f->is_under_way);
	assert_true(opts->once);
	lt_free(f->url);
	lt_free(f->body);
	lt_free(f->authorization);
	f->url = lt_strdup(opts->url);
	f->body = lt_str_dup(opts->body);
	f->authorization = lt_strdup(opts->headers[1]);
	f->result = opts->result;
	f->arg = opts->arg;
	f->is_under_way = true;
	f->sent++;
	return &f->fetch;
}

static void cancel_request(void *arg, struct lt_fetch *fetch)
{
	struct fixture *f = arg;

	(void)fetch;
	f->is_under_way = false;
}

static void on_line(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	(void)level;
	lt_buf_add_str(&f->lines, line);
	lt_buf_add_char(&f->lines, '\n');
}

static void name_service(void *arg, struct lt_str uuid, struct lt_buf *ret_name)
{
	(void)arg;
	if (lt_str_eq_c(uuid, "0123")) {
		lt_buf_add_c(ret_name, "wec");
	}
}

static int setup(void **state)
{
	static const char *const secrets[] = { "hunter2!", NULL };
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(3, NULL);
	f->sink = lt_log_sink_fn(LT_INFO, on_line, f);
	f->log = (struct lt_log){ f->sink, "dvr" };
	f->sentry = lt_sentry_create(
			&(struct lt_sentry_env){
					.loop = f->loop,
					.random = f->random,
					.log = { f->sink, "sentry" },
					.requests = { f, start_request, cancel_request },
					.dsn = "https://key@sentry.example/42",
					.release = "livetimingd@1.0",
					.environment = "production",
					.server_name = "timing1",
					.secrets = secrets,
					.name_service = name_service,
			},
			NULL);
	lt_log_sink_tap(f->sink, lt_sentry_on_record, f->sentry);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_sentry_destroy(f->sentry);
	assert_false(f->is_under_way);
	lt_log_sink_destroy(f->sink);
	lt_loop_destroy(f->loop);
	lt_random_destroy(f->random);
	lt_buf_finish(&f->lines);
	lt_free(f->url);
	lt_free(f->body);
	lt_free(f->authorization);
	lt_free(f);
	return 0;
}

static void answer_with(struct fixture *f, long status, const char *headers)
{
	assert_true(f->is_under_way);
	f->is_under_way = false;
	f->result(f->arg,
			&(struct lt_fetch_result){
					.status = status, .headers = lt_str_from(headers) });
	lt_fake_settle(f->loop);
}

static void error(struct fixture *f, const char *phrase)
{
	lt_log(&f->log, LT_ERROR, phrase, "uuid=0123 reason=\"no space, hunter2!\"");
	lt_fake_settle(f->loop);
}

static void an_error_is_posted_as_an_envelope(void **state)
{
	struct fixture *f = *state;

	error(f, "not written");

	assert_string_equal(f->url, "https://sentry.example/api/42/envelope/");
	assert_string_equal(f->authorization,
			"X-Sentry-Auth: Sentry sentry_version=7, sentry_client=livetimingd/" LT_VERSION
			", sentry_key=key");
	assert_non_null(strstr(f->body, "\"service_name\":\"wec\""));
	assert_non_null(strstr(f->body, "\"uuid\":\"0123\""));
	assert_non_null(strstr(f->body, "\"formatted\":\"not written: no space, [secret]\""));
	assert_null(strstr(f->body, "hunter2"));
}

static void other_levels_are_not_reported(void **state)
{
	struct fixture *f = *state;

	lt_log(&f->log, LT_WARN, "degraded", NULL);
	lt_log(&f->log, LT_INFO, "started", NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(f->sent, 0);
}

static void the_same_record_goes_out_once_in_ten_seconds(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		error(f, "not written");
	}
	answer_with(f, 200, "");
	assert_int_equal(f->sent, 1);
	lt_fake_advance(f->loop, 10 * SECONDS);
	error(f, "not written");

	assert_int_equal(f->sent, 2);
	assert_non_null(strstr(f->body, "\"not_reported_before\":4"));
}

static void another_record_is_not_held_back_by_it(void **state)
{
	struct fixture *f = *state;

	error(f, "not written");
	answer_with(f, 200, "");
	error(f, "not read");

	assert_int_equal(f->sent, 2);
}

static void all_together_are_bounded_as_well(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		char phrase[32];

		snprintf(phrase, sizeof(phrase), "error %d", i);
		error(f, phrase);
		if (f->is_under_way) {
			answer_with(f, 200, "");
		}
	}
	assert_int_equal(f->sent, 20);
	lt_fake_advance(f->loop, 60 * SECONDS);
	for (int i = 0; i < 100; i++) {
		error(f, i % 2 ? "a" : "b");
		if (f->is_under_way) {
			answer_with(f, 200, "");
		}
	}

	assert_int_equal(f->sent, 22);
}

static void a_server_that_hangs_fills_only_a_short_queue(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf metrics = { 0 };

	for (int i = 0; i < 20; i++) {
		char phrase[32];

		snprintf(phrase, sizeof(phrase), "error %d", i);
		error(f, phrase);
	}
	lt_sentry_write_metrics(f->sentry, &metrics);

	assert_int_equal(f->sent, 1);
	assert_non_null(strstr(
			metrics.p, "livetiming_error_reports_total{result=\"dropped\"} 3\n"));
}

static void limits_of_the_server_are_kept(void **state)
{
	static const char *const cases[] = {
		"HTTP/1.1 429 x\r\nX-Sentry-Rate-Limits: 30:error:key\r\nRetry-After: 5\r\n",
		"HTTP/1.1 429 x\r\nRetry-After: 30\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		int before = f->sent;

		error(f, "not written");
		answer_with(f, 429, cases[i]);
		lt_fake_advance(f->loop, 29 * SECONDS);
		error(f, "not written");
		assert_int_equal(f->sent, before + 1);
		lt_fake_advance(f->loop, 2 * SECONDS);
		error(f, "not written");
		assert_int_equal(f->sent, before + 2);
		answer_with(f, 200, "");
		lt_fake_advance(f->loop, 20 * SECONDS);
	}
}

static void a_429_without_a_time_means_a_minute_and_a_200_may_limit_too(void **state)
{
	struct fixture *f = *state;

	error(f, "a");
	answer_with(f, 429, "");
	lt_fake_advance(f->loop, 59 * SECONDS);
	error(f, "b");
	assert_int_equal(f->sent, 1);
	lt_fake_advance(f->loop, 2 * SECONDS);
	error(f, "c");
	answer_with(f, 200, "HTTP/1.1 200 x\r\nx-sentry-rate-limits: 100::org\r\n");
	lt_fake_advance(f->loop, 50 * SECONDS);
	error(f, "d");

	assert_int_equal(f->sent, 2);
}

static void what_fails_is_dropped_and_said_once(void **state)
{
	struct fixture *f = *state;
	char *first;

	error(f, "a");
	answer_with(f, 500, "");
	error(f, "b");
	answer_with(f, 0, "");
	lt_fake_advance(f->loop, 600 * SECONDS);

	assert_int_equal(f->sent, 2);
	first = strstr(f->lines.p, "error reports are not taken, they are dropped");
	assert_non_null(first);
	assert_null(strstr(first + 1, "error reports are not taken"));
}

static void a_request_that_cannot_be_made_is_a_failure(void **state)
{
	struct fixture *f = *state;

	f->refuse = true;
	error(f, "a");

	assert_non_null(strstr(f->lines.p, "reason=refused"));
}

static void a_crash_is_tried_again_for_a_while(void **state)
{
	struct fixture *f = *state;

	lt_sentry_crash(f->sentry, LT_STR("signal: 11 SIGSEGV\nbacktrace:\nx(y+1) [0x1]\n"));
	lt_fake_settle(f->loop);
	assert_non_null(strstr(f->body, "\"type\":\"SIGSEGV\""));
	for (int i = 0; i < 3; i++) {
		answer_with(f, 0, "");
		lt_fake_advance(f->loop, 61 * SECONDS);
		assert_int_equal(f->sent, i + 2);
	}
	answer_with(f, 200, "");
	lt_fake_advance(f->loop, 600 * SECONDS);

	assert_int_equal(f->sent, 4);
}

static void a_crash_that_is_refused_is_dropped(void **state)
{
	struct fixture *f = *state;

	lt_sentry_crash(f->sentry, LT_STR("signal: 6 SIGABRT\n"));
	lt_fake_settle(f->loop);
	answer_with(f, 403, "");
	lt_fake_advance(f->loop, 600 * SECONDS);

	assert_int_equal(f->sent, 1);
}

static void the_log_of_a_crash_is_not_reported_beside_it(void **state)
{
	struct fixture *f = *state;
	struct lt_log log = { f->sink, "crash" };

	lt_log(&log, LT_ERROR, "the last run ended by a fatal signal", NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(f->sent, 0);
}

static void a_malformed_dsn_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	assert_null(lt_sentry_create(&(struct lt_sentry_env){ .loop = f->loop,
						     .dsn = "https://sentry.example/" },
			&err));
	assert_string_equal(err.msg, "the key is missing: https://KEY@HOST/PROJECT");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_error_is_posted_as_an_envelope),
		TEST(other_levels_are_not_reported),
		TEST(the_same_record_goes_out_once_in_ten_seconds),
		TEST(another_record_is_not_held_back_by_it),
		TEST(all_together_are_bounded_as_well),
		TEST(a_server_that_hangs_fills_only_a_short_queue),
		TEST(limits_of_the_server_are_kept),
		TEST(a_429_without_a_time_means_a_minute_and_a_200_may_limit_too),
		TEST(what_fails_is_dropped_and_said_once),
		TEST(a_request_that_cannot_be_made_is_a_failure),
		TEST(a_crash_is_tried_again_for_a_while),
		TEST(a_crash_that_is_refused_is_dropped),
		TEST(the_log_of_a_crash_is_not_reported_beside_it),
		TEST(a_malformed_dsn_is_refused),
	};

	return cmocka_run_group_tests_name("services/sentry", tests, NULL, NULL);
}
