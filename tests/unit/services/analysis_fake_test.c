/* Live analysis of a service, on a clock that the tests move. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/analysis/analysis.h"
#include "support/golden.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define TOPIC "livetiming.analysis/abc/"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_local *viewer;
	char dir[32];
	struct lt_analyses *analyses;
	struct lt_timing_observer service;
	struct lt_buf seen; /* a line for each event: topic, retain, args */
	cJSON *answer;
	char error[80];
	bool stopped;
};

static void on_event(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->seen, "%.*s %.*s\n", LT_STR_ARG(event->topic), LT_STR_ARG(event->args));
}

static void make_analyses(struct fixture *f)
{
	f->analyses = lt_analyses_create(&(struct lt_analyses_env){
			.loop = f->loop, .router = f->router, .analysis_dir = f->dir });
	assert_true(lt_analyses_start(f->analyses, NULL));
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/lt-analysis-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->viewer = lt_local_join(f->router, LT_STR(LT_REALM), "viewer", "anonymous", NULL);
	assert_true(lt_local_subscribe(f->viewer, LT_STR("livetiming.analysis"), LT_MATCH_PREFIX,
			false, on_event, f, NULL));
	make_analyses(f);
	*state = f;
	return 0;
}

static void on_stopped(void *arg)
{
	((struct fixture *)arg)->stopped = true;
}

static void stop_service(struct fixture *f)
{
	if (f->service.stopped != NULL) {
		f->service.stopped(f->service.arg);
		f->service = (struct lt_timing_observer){ 0 };
	}
}

static void stop_analyses(struct fixture *f)
{
	stop_service(f);
	f->stopped = false;
	lt_analyses_stop(f->analyses, on_stopped, f);
	lt_fake_settle(f->loop);
	assert_true(f->stopped);
	lt_analyses_destroy(f->analyses);
	f->analyses = NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	if (f->analyses != NULL) {
		stop_service(f);
		lt_analyses_destroy(f->analyses);
	}
	lt_local_leave(f->viewer);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_buf_finish(&f->seen);
	cJSON_Delete(f->answer);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	lt_free(f);
	return 0;
}

static void start_service(struct fixture *f, bool has_analysis, bool continues)
{
	struct lt_timing_watcher watcher = lt_analyses_watcher(f->analyses);
	struct lt_timing_about about = { .uuid = LT_STR("abc"),
		.has_analysis = has_analysis,
		.continues = continues,
		.keeps_files = true };
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = json_of(
			"{\"uuid\": \"abc\", \"pollInterval\": 1, \"colSpec\": "
			"[[\"Num\", \"text\"], [\"State\", \"text\"], [\"Last\", \"time\"], "
			"[\"Laps\", \"numeric\"]]}");

	assert_true(watcher.attach(watcher.arg, &about, &f->service, NULL));
	f->service.described(f->service.arg, manifest);
	lt_fake_settle(f->loop);
}

static void update(struct fixture *f, int laps)
{
	char text[256];

	snprintf(text, sizeof(text),
			"{\"cars\": [[\"7\", \"RUN\", [%d.5, \"\"], %d]], \"session\": {\"flagState\": "
			"\"green\"}, \"messages\": []}",
			90 + laps, laps);
	LT_AUTO(cJSON_Delete) cJSON *state = json_of(text);
	LT_AUTO(cJSON_Delete) cJSON *none = cJSON_CreateArray();

	f->service.update(f->service.arg,
			&(struct lt_timing_update){ .new_state = state,
					.messages = none,
					.now = lt_loop_wall(f->loop) });
	lt_fake_settle(f->loop);
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	cJSON_Delete(f->answer);
	f->answer = result->ok ? lt_json_parse(result->args, NULL) : NULL;
	snprintf(f->error, sizeof(f->error), "%s", result->ok ? "" : result->error);
}

static const cJSON *ask(struct fixture *f, const char *procedure)
{
	assert_true(lt_local_call(
			f->viewer, lt_str_from(procedure), LT_STR("[]"), 1000, on_result, f, NULL));
	lt_fake_settle(f->loop);
	return cJSON_GetArrayItem(f->answer, 0);
}

static size_t laps_of_car(struct fixture *f)
{
	const cJSON *whole = ask(f, LT_RPC_REQUEST_ANALYSIS "abc");
	const cJSON *lap = lt_json_get(lt_json_get(whole, "lap"), "7");
	const cJSON *stint = cJSON_GetArrayItem(lap, 0);

	return (size_t)cJSON_GetArraySize(cJSON_GetArrayItem(stint, 9));
}

static void the_first_update_publishes_everything(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	assert_int_equal(f->seen.n, 0);
	update(f, 1);

	assert_non_null(strstr(f->seen.p,
			TOPIC "static [{\"msgClass\":7,\"date\":true,\"payload\":"
			      "{\"7\":"));
	assert_non_null(strstr(f->seen.p, TOPIC "lap ["));
	assert_non_null(strstr(f->seen.p, TOPIC "session ["));
}

static void changes_go_out_every_ten_seconds_at_most(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	lt_buf_clear(&f->seen);
	for (int lap = 2; lap < 8; lap++) {
		lt_fake_advance(f->loop, 1000);
		update(f, lap);
	}
	assert_true(f->seen.n == 0 || strstr(f->seen.p, TOPIC "session") == NULL);
	lt_fake_advance(f->loop, 6000);

	assert_non_null(strstr(f->seen.p, TOPIC "session"));
	assert_non_null(strstr(f->seen.p, TOPIC "lap/7"));
}

static void the_procedures_answer(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);

	assert_int_equal(laps_of_car(f), 1);
	assert_int_equal(cJSON_GetArraySize(
					 ask(f, "livetiming.service.requestAnalysisManifest.abc")),
			7);
	assert_string_equal(
			cJSON_GetArrayItem(
					ask(f, "livetiming.service.requestAnalysisCarList.abc"), 0)
					->valuestring,
			"7");
}

static void a_service_without_analysis_answers_null_and_publishes_nothing(void **state)
{
	struct fixture *f = *state;

	start_service(f, false, false);
	update(f, 1);
	lt_fake_advance(f->loop, 20000);

	assert_true(cJSON_IsNull(ask(f, LT_RPC_REQUEST_ANALYSIS "abc")));
	assert_int_equal(f->seen.n, 0);
}

static void the_data_survives_a_restart_of_the_daemon(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	update(f, 3);
	stop_analyses(f);
	make_analyses(f);
	start_service(f, true, true);
	update(f, 3);
	update(f, 4);

	assert_int_equal(laps_of_car(f), 3);
}

static void a_crash_costs_a_minute_at_most(void **state)
{
	struct fixture *f = *state;
	char path[80];

	snprintf(path, sizeof(path), "%s/abc.analysis.json", f->dir);
	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	lt_fake_advance(f->loop, 61000);

	assert_int_equal(access(path, F_OK), 0);
}

static void a_service_that_starts_anew_does_not_go_on_with_old_data(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	stop_analyses(f);
	make_analyses(f);
	start_service(f, true, false);
	update(f, 1);

	assert_int_equal(laps_of_car(f), 0);
}

static void a_restart_of_the_service_goes_on_before_the_file_is_written(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	stop_service(f); /* nothing settles here: the file is still to be written */
	start_service(f, true, true);
	update(f, 3);

	assert_int_equal(laps_of_car(f), 2);
}

static void updates_that_come_while_the_data_is_read_are_not_lost(void **state)
{
	struct fixture *f = *state;
	struct lt_timing_watcher watcher;
	struct lt_timing_about about = {
		.uuid = LT_STR("abc"), .has_analysis = true, .continues = true, .keeps_files = true
	};
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = json_of("{\"colSpec\": [[\"Num\", \"text\"], [\"State\", \"text\"], "
				  "[\"Last\", \"time\"], [\"Laps\", \"numeric\"]]}");

	start_service(f, true, false);
	update(f, 1);
	stop_analyses(f);
	make_analyses(f);
	watcher = lt_analyses_watcher(f->analyses);
	assert_true(watcher.attach(watcher.arg, &about, &f->service, NULL));
	f->service.described(f->service.arg, manifest); /* begins to read; nothing settles yet */
	update(f, 2);

	assert_int_equal(laps_of_car(f), 1);
}

static void a_new_session_begins_with_nothing(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	f->service.new_session(f->service.arg);
	lt_fake_settle(f->loop);
	lt_buf_clear(&f->seen);

	assert_int_equal(laps_of_car(f), 0);
	assert_int_equal(
			cJSON_GetArraySize(ask(f, "livetiming.service.requestAnalysisCarList.abc")),
			0);
}

static void what_waits_goes_out_when_the_service_ends(void **state)
{
	struct fixture *f = *state;

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	lt_buf_clear(&f->seen);
	update(f, 3);
	assert_true(f->seen.n == 0 || strstr(f->seen.p, TOPIC "lap/7") == NULL);
	stop_service(f);
	lt_fake_settle(f->loop);

	assert_non_null(strstr(f->seen.p, TOPIC "lap/7"));
	assert_null(ask(f, LT_RPC_REQUEST_ANALYSIS "abc"));
	assert_string_equal(f->error, "wamp.error.no_such_procedure");
}

static void a_changed_column_specification_goes_on_with_the_data(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = json_of("{\"colSpec\": [[\"State\", \"text\"], [\"Num\", \"text\"], "
				  "[\"Last\", \"time\"], [\"Laps\", \"numeric\"]]}");
	LT_AUTO(cJSON_Delete)
	cJSON *moved = json_of("{\"cars\": [[\"RUN\", \"7\", [99, \"\"], 3]], \"session\": "
			       "{\"flagState\": \"green\"}, \"messages\": []}");

	start_service(f, true, false);
	update(f, 1);
	update(f, 2);
	f->service.described(f->service.arg, manifest);
	f->service.update(f->service.arg,
			&(struct lt_timing_update){
					.new_state = moved, .now = lt_loop_wall(f->loop) });
	lt_fake_settle(f->loop);

	assert_int_equal(laps_of_car(f), 2);
}

int main(void)
{
	lt_alloc_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_update_publishes_everything),
		TEST(changes_go_out_every_ten_seconds_at_most),
		TEST(the_procedures_answer),
		TEST(a_service_without_analysis_answers_null_and_publishes_nothing),
		TEST(the_data_survives_a_restart_of_the_daemon),
		TEST(a_crash_costs_a_minute_at_most),
		TEST(a_service_that_starts_anew_does_not_go_on_with_old_data),
		TEST(a_restart_of_the_service_goes_on_before_the_file_is_written),
		TEST(updates_that_come_while_the_data_is_read_are_not_lost),
		TEST(a_new_session_begins_with_nothing),
		TEST(what_waits_goes_out_when_the_service_ends),
		TEST(a_changed_column_specification_goes_on_with_the_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
