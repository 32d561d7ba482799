#include "base/alloc.h"
#include "services/sentry/sentry_event.h"
#include "support/test.h"

static const char *const secrets[] = { "hunter2!", "abc", "longer-hunter2!", NULL };
static const struct lt_sentry_origin origin = { "livetimingd@1.0", "production", "timing1",
	secrets };

/* --- DSN --- */

static void a_dsn_names_endpoint_and_key(void **state)
{
	static const char *const cases[][3] = {
		{ "https://public@o1.ingest.sentry.io/42",
				"https://o1.ingest.sentry.io/api/42/envelope/", "public" },
		{ "https://public:secret@sentry.example:8443/42",
				"https://sentry.example:8443/api/42/envelope/", "public" },
		{ "http://k@127.0.0.1:9000/with/a/path/7",
				"http://127.0.0.1:9000/with/a/path/api/7/envelope/", "k" },
		{ "http://k@[::1]:9000/7", "http://[::1]:9000/api/7/envelope/", "k" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_sentry_dsn dsn = { 0 };

		assert_true(lt_sentry_dsn_parse(lt_str_from(cases[i][0]), &dsn, NULL));
		assert_string_equal(dsn.endpoint, cases[i][1]);
		assert_string_equal(dsn.key, cases[i][2]);
		assert_string_equal(dsn.text, cases[i][0]);
		lt_sentry_dsn_finish(&dsn);
	}
}

static void a_broken_dsn_is_refused_with_what_is_missing(void **state)
{
	static const char *const cases[][2] = {
		{ "", "expected https://KEY@HOST/PROJECT" },
		{ "sentry.io/42", "expected https://KEY@HOST/PROJECT" },
		{ "ftp://k@h/1", "expected https://KEY@HOST/PROJECT" },
		{ "https://k@h/1\nX: y", "expected https://KEY@HOST/PROJECT" },
		{ "https://sentry.io/42", "the key is missing: https://KEY@HOST/PROJECT" },
		{ "https://sentry.io/a@b", "the key is missing: https://KEY@HOST/PROJECT" },
		{ "https://@sentry.io/42", "the key is missing: https://KEY@HOST/PROJECT" },
		{ "https://k@/42", "the host is missing: https://KEY@HOST/PROJECT" },
		{ "https://k@sentry.io", "the project is missing: https://KEY@HOST/PROJECT" },
		{ "https://k@sentry.io/", "the project is missing: https://KEY@HOST/PROJECT" },
		{ "https://k@sentry.io/x/", "the project is missing: https://KEY@HOST/PROJECT" },
		{ "https://k@sentry.io/4?a=b", "the project is missing: https://KEY@HOST/PROJECT" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_sentry_dsn dsn = { 0 };
		struct lt_err err = { 0 };

		assert_false(lt_sentry_dsn_parse(lt_str_from(cases[i][0]), &dsn, &err));
		assert_string_equal(err.msg, cases[i][1]);
		assert_null(dsn.endpoint);
	}
}

/* --- what stays here --- */

static void urls_addresses_and_secrets_are_replaced(void **state)
{
	static const char *const cases[][2] = {
		{ "nothing to see", "nothing to see" },
		{ "get https://calendar.example/private-0123/basic.ics failed",
				"get [url] failed" },
		{ "(webcal://x/y)", "([url]" },
		{ "peer 192.0.2.7:51234 left, 192.0.2.8.", "peer [address] left, [address]." },
		{ "[2001:db8::7]:443 and ::1", "[[address]]:443 and [address]" },
		{ "at 13:00:05, version 1.2.3, lap 1.23", "at 13:00:05, version 1.2.3, lap 1.23" },
		{ "key=hunter2!x longer-hunter2!", "key=[secret]x [secret]" },
		{ "abc is too short to be one", "abc is too short to be one" },
		{ "car10.0.0.1", "car10.0.0.1" },
		{ "", "" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

		lt_sentry_scrub(&buf, lt_str_from(cases[i][0]), secrets);

		assert_str_equal(lt_buf_str(&buf), cases[i][1]);
	}
}

/* --- events --- */

static struct lt_str at(const cJSON *object, const char *first, const char *second)
{
	struct lt_str text = LT_STR("(missing)");

	lt_json_opt_str(second ? lt_json_get(object, first) : object, second ? second : first,
			&text, NULL);
	return text;
}

static void a_record_becomes_an_event_with_tags(void **state)
{
	const struct lt_log_record record = { LT_ERROR, "timing", "service failed, stopped",
		LT_STR("uuid=0123abcd service=wec reason=\"no answer from http://f.example/x\" "
		       "address=192.0.2.1"),
		{ INT64_C(1778936400123) * LT_US_PER_MS } };
	LT_AUTO(cJSON_Delete) cJSON *event = lt_sentry_record_event(&origin, &record);
	(void)state;

	assert_str_equal(at(event, "timestamp", NULL), "2026-05-16T13:00:00.123Z");
	assert_str_equal(at(event, "platform", NULL), "c");
	assert_str_equal(at(event, "level", NULL), "error");
	assert_str_equal(at(event, "logger", NULL), "timing");
	assert_str_equal(at(event, "server_name", NULL), "timing1");
	assert_str_equal(at(event, "release", NULL), "livetimingd@1.0");
	assert_str_equal(at(event, "environment", NULL), "production");
	assert_str_equal(at(event, "tags", "uuid"), "0123abcd");
	assert_str_equal(at(event, "tags", "service_name"), "wec");
	assert_str_equal(at(event, "logentry", "message"), "service failed, stopped");
	assert_str_equal(at(event, "logentry", "formatted"),
			"service failed, stopped: no answer from [url]");
	assert_str_equal(at(event, "extra", "reason"), "no answer from [url]");
	assert_str_equal(at(event, "extra", "address"), "(missing)");
}

static void a_crash_becomes_an_exception_with_frames_oldest_first(void **state)
{
	LT_AUTO(cJSON_Delete)
	cJSON *event = lt_sentry_crash_event(&origin,
			LT_STR("program: livetimingd 1.0\nsignal: 11 SIGSEGV\ncode: 1\naddress: 0x10\n"
			       "time: 1778936400\npid: 7\nbacktrace:\n"
			       "/usr/bin/livetimingd(lt_x+0x1c) [0x55d0c2a41c2f]\n"
			       "/lib/libc.so.6(+0x3bfd0) [0x7f2a]\nnot a frame\n"));
	const cJSON *exception = cJSON_GetArrayItem(
			lt_json_get(lt_json_get(event, "exception"), "values"), 0);
	const cJSON *frames = lt_json_get(lt_json_get(exception, "stacktrace"), "frames");
	(void)state;

	assert_str_equal(at(event, "level", NULL), "fatal");
	assert_str_equal(at(event, "timestamp", NULL), "2026-05-16T13:00:00.000Z");
	assert_str_equal(at(exception, "type", NULL), "SIGSEGV");
	assert_str_equal(at(exception, "value", NULL), "ended by signal 11 SIGSEGV at 0x10");
	assert_int_equal(cJSON_GetArraySize(frames), 2);
	assert_str_equal(at(cJSON_GetArrayItem(frames, 1), "function", NULL), "lt_x");
	assert_str_equal(at(cJSON_GetArrayItem(frames, 1), "instruction_addr", NULL),
			"0x55d0c2a41c2f");
	assert_str_equal(at(cJSON_GetArrayItem(frames, 0), "function", NULL), "(missing)");
	assert_non_null(strstr(at(event, "extra", "backtrace").p, "not a frame"));
}

static void a_crash_text_that_is_none_is_still_an_event(void **state)
{
	static const char *const odd[] = { "", "\xff\xfe", "backtrace:\n(((\n[]\n()[", "signal: " };
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(odd); i++) {
		LT_AUTO(cJSON_Delete)
		cJSON *event = lt_sentry_crash_event(&origin, lt_str_from(odd[i]));

		assert_str_equal(at(event, "level", NULL), "fatal");
	}
}

static void an_envelope_is_three_lines_with_the_length_of_the_last(void **state)
{
	struct lt_sentry_dsn dsn = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	cJSON *event = cJSON_CreateObject();
	(void)state;

	assert_true(lt_sentry_dsn_parse(LT_STR("https://k@h/1"), &dsn, NULL));
	lt_json_add_c(event, "text", "N\xc3\xbcrburg\n");
	lt_sentry_envelope(&buf, &dsn, event, "0123456789abcdef0123456789abcdef",
			(struct lt_wall){ INT64_C(1778936400) * LT_US_PER_S });

	assert_str_equal(lt_buf_str(&buf),
			"{\"event_id\":\"0123456789abcdef0123456789abcdef\",\"sent_at\":\"2026-05-"
			"16T13:00:00.000Z\",\"dsn\":\"https://k@h/1\"}\n"
			"{\"type\":\"event\",\"length\":71,\"content_type\":\"application/json\"}\n"
			"{\"text\":\"N\\u00fcrburg\\n\",\"event_id\":\"0123456789abcdef0123456789abcdef"
			"\"}\n");
	cJSON_Delete(event);
	lt_sentry_dsn_finish(&dsn);
}

/* --- limits --- */

static void rate_limits_that_concern_errors_are_read(void **state)
{
	static const struct {
		const char *header;
		int64_t seconds;
	} cases[] = {
		{ "", 0 },
		{ "60:error:organization", 60 },
		{ "60:transaction:key", 0 },
		{ "60:transaction;error:key", 60 },
		{ "60::organization", 60 },
		{ "60:transaction:key, 2700:default;error:organization:reason", 2700 },
		{ "5:error, 7:error", 7 },
		{ "1.5:error", 2 },
		{ "1e300:error", 86400 },
		{ "soon:error,-3:error,60", 0 },
		{ ",,:::", 0 },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_int_equal(lt_sentry_rate_limit_s(lt_str_from(cases[i].header)),
				cases[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dsn_names_endpoint_and_key),
		cmocka_unit_test(a_broken_dsn_is_refused_with_what_is_missing),
		cmocka_unit_test(urls_addresses_and_secrets_are_replaced),
		cmocka_unit_test(a_record_becomes_an_event_with_tags),
		cmocka_unit_test(a_crash_becomes_an_exception_with_frames_oldest_first),
		cmocka_unit_test(a_crash_text_that_is_none_is_still_an_event),
		cmocka_unit_test(an_envelope_is_three_lines_with_the_length_of_the_last),
		cmocka_unit_test(rate_limits_that_concern_errors_are_read),
	};

	return cmocka_run_group_tests_name("services/sentry_event", tests, NULL, NULL);
}
