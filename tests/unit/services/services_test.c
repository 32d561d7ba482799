/* Timing services on the real loop and in the real router, seen as others see them. */
#include "base/clock.h"
#include "race/envelope.h"
#include "race/lzstring.h"
#include "router/local.h"
#include "router/router.h"
#include "services/manager/services.h"
#include "support/plugin_fixture.h"
#include "support/test.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_services *services;
	struct lt_local *viewer;
	char dir[32];
	char *plugin_path;
	cJSON *state;    /* last one that was published */
	cJSON *manifest; /* last one on the control channel */
	int states, manifests;
	bool stopped;
	cJSON *answer; /* of a call */
};

static void make_services(struct fixture *f, const char *autostart)
{
	f->services = lt_services_create(&(struct lt_services_env){ .loop = f->loop,
			.random = f->random,
			.router = f->router,
			.state_dir = f->dir,
			.log_dir = f->dir,
			.plugin_path = f->plugin_path,
			.autostart = autostart });
	assert_true(lt_services_start(f->services, NULL));
}

static void on_state(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_envelope envelope;

	assert_true(lt_envelope_read(args, (struct lt_wall){ 0 }, &envelope, NULL));
	assert_int_equal(envelope.msg_class, LT_MSG_SERVICE_DATA_COMPRESSED);
	assert_true(lt_lzstring_decompress(
			&text, lt_str_from(envelope.payload->valuestring), 1 << 20, NULL));
	cJSON_Delete(f->state);
	f->state = lt_json_parse(lt_buf_str(&text), NULL);
	f->states++;
}

static void on_control(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	struct lt_envelope envelope;

	assert_true(lt_envelope_read(args, (struct lt_wall){ 0 }, &envelope, NULL));
	if (envelope.msg_class == LT_MSG_SERVICE_REGISTRATION) {
		cJSON_Delete(f->manifest);
		f->manifest = cJSON_Duplicate(envelope.payload, true);
		f->manifests++;
	}
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/lt-services-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->plugin_path = plugin_folder();
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->viewer = lt_local_join(f->router, LT_STR(LT_REALM), "viewer", "services", NULL);
	assert_non_null(f->viewer);
	assert_true(lt_local_subscribe(f->viewer, LT_STR(LT_TOPIC_SERVICE), LT_MATCH_PREFIX, false,
			on_state, f, NULL));
	assert_true(lt_local_subscribe(f->viewer, LT_STR(LT_TOPIC_CONTROL), LT_MATCH_EXACT, false,
			on_control, f, NULL));
	make_services(f, NULL);
	*state = f;
	return 0;
}

static void on_stopped(void *arg)
{
	((struct fixture *)arg)->stopped = true;
}

static bool is_stopped(void *arg)
{
	return ((struct fixture *)arg)->stopped;
}

static void stop_services(struct fixture *f)
{
	f->stopped = false;
	lt_services_stop(f->services, on_stopped, f);
	wait_until(f->loop, is_stopped, f);
	lt_services_destroy(f->services);
	f->services = NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	stop_services(f);
	lt_local_leave(f->viewer);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	cJSON_Delete(f->state);
	cJSON_Delete(f->manifest);
	cJSON_Delete(f->answer);
	lt_free(f->plugin_path);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	lt_free(f);
	return 0;
}

static bool start(struct fixture *f, const char *line, struct lt_str *ret_uuid, struct lt_err *err)
{
	struct lt_args args = { 0 };

	assert_true(lt_args_split(&args, lt_str_from(line), NULL));
	bool ok = lt_services_start_service(f->services, &args, ret_uuid, err);

	lt_args_finish(&args);
	return ok;
}

static struct lt_str must_start(struct fixture *f, const char *line)
{
	struct lt_str uuid = { NULL, 0 };
	struct lt_err err = { 0 };

	if (!start(f, line, &uuid, &err)) {
		fail_msg("%s: %s", line, err.msg);
	}
	return uuid;
}

static bool has_cars(void *arg)
{
	struct fixture *f = arg;

	return cJSON_GetArraySize(lt_json_get(f->state, "cars")) > 0;
}

static void updates_reach_subscribers_compressed_with_their_time(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --count");
	wait_until(f->loop, has_cars, f);

	const cJSON *row = cJSON_GetArrayItem(lt_json_get(f->state, "cars"), 0);
	const cJSON *session = lt_json_get(f->state, "session");

	assert_string_equal(cJSON_GetArrayItem(row, 0)->valuestring, "update");
	assert_string_equal(lt_json_get(session, "flagState")->valuestring, "green");
	assert_true(lt_json_is_float(lt_json_get(session, "timeElapsed")));
	assert_true(cJSON_IsNumber(lt_json_get(f->state, "lastUpdated")));
	assert_null(lt_json_get(session, "stale"));
}

static bool has_manifest(void *arg)
{
	return ((struct fixture *)arg)->manifest != NULL;
}

static void the_manifest_says_what_the_command_line_asks(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	must_start(f, "probe -HN -d 'A text' -m other --disable-analysis --uuid abc");
	wait_until(f->loop, has_manifest, f);
	lt_json_print(&text, f->manifest, LT_JSON_COMPACT);

	assert_string_equal(text.p,
			"{\"uuid\":\"abc\",\"name\":\"Probe\",\"serviceClass\":\"other\","
			"\"description\":\"A text\",\"colSpec\":[[\"Num\",\"text\",\"Car number\"],"
			"[\"Value\",\"text\"]],\"trackDataSpec\":[],\"pollInterval\":1,"
			"\"hasAnalysis\":false,\"hidden\":true,\"livetimingVersion\":{\"core\":"
			"\"" LT_VERSION "\",\"plugin\":\"1.2\"},\"source\":[\"Probe Timing\","
			"\"https://example.org/\"],\"doNotRecord\":true}");
}

static bool has_two_manifests(void *arg)
{
	return ((struct fixture *)arg)->manifests >= 2;
}

static void a_new_directory_gets_the_manifest_again(void **state)
{
	struct fixture *f = *state;
	struct lt_buf args = { 0 };

	must_start(f, "probe");
	wait_until(f->loop, has_manifest, f);
	lt_envelope_write(&args, LT_MSG_INITIALISE_DIRECTORY, lt_loop_wall(f->loop), false,
			LT_STR("null"));
	assert_true(lt_local_publish(
			f->viewer, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&args), NULL));
	assert_true(lt_local_publish(
			f->viewer, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&args), NULL));
	wait_until(f->loop, has_two_manifests, f);

	assert_int_equal(f->manifests, 2);
	lt_buf_finish(&args);
}

static void on_answer(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	assert_true(result->ok);
	f->answer = lt_json_parse(result->args, NULL);
}

static bool has_answer(void *arg)
{
	return ((struct fixture *)arg)->answer != NULL;
}

static const cJSON *call(struct fixture *f, const char *procedure)
{
	cJSON_Delete(f->answer);
	f->answer = NULL;
	assert_true(lt_local_call(
			f->viewer, lt_str_from(procedure), LT_STR("[]"), 0, on_answer, f, NULL));
	wait_until(f->loop, has_answer, f);
	return cJSON_GetArrayItem(f->answer, 0);
}

static void the_procedures_answer(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --count --uuid abc");
	wait_until(f->loop, has_cars, f);

	assert_true(cJSON_IsTrue(call(f, LT_RPC_IS_ALIVE "abc")));
	assert_true(cJSON_IsArray(lt_json_get(call(f, LT_RPC_REQUEST_STATE "abc"), "cars")));
}

static void race_control_texts_become_messages(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --count --race-control 'Car 7 drive through'");
	wait_until(f->loop, has_cars, f);
	const cJSON *message = cJSON_GetArrayItem(lt_json_get(f->state, "messages"), 0);

	assert_string_equal(cJSON_GetArrayItem(message, 2)->valuestring, "CAR 7 DRIVE THROUGH");
	assert_string_equal(cJSON_GetArrayItem(lt_json_get(f->state, "highlight"), 0)->valuestring,
			"7");
}

static bool any_failed(void *arg)
{
	struct lt_services_stats stats;

	lt_services_report(((struct fixture *)arg)->services, &stats);
	return stats.failed > 0;
}

static void a_failed_service_is_stopped_and_keeps_its_reason(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --fail-after 1");
	wait_until(f->loop, any_failed, f);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);

	assert_string_equal(lt_json_get(shown, "status")->valuestring, "failed");
	assert_string_equal(lt_json_get(shown, "reason")->valuestring, "the feed ended");
}

static void expect_refusal(struct fixture *f, const char *line, const char *message)
{
	struct lt_str uuid;
	struct lt_err err = { 0 };

	assert_false(start(f, line, &uuid, &err));
	assert_string_equal(err.msg, message);
	LT_AUTO(cJSON_Delete) cJSON *list = lt_services_list(f->services);

	assert_int_equal(cJSON_GetArraySize(list), 0);
}

static void what_cannot_start_is_refused_with_its_reason(void **state)
{
	struct fixture *f = *state;

	expect_refusal(f, "prove", "no plugin is named \"prove\" (did you mean probe?)");
	expect_refusal(f, "probe --refuse", "plugin probe could not be set up: told to refuse");
	expect_refusal(f, "probe --fail-start", "plugin probe could not start: told to fail");
	expect_refusal(f, "probe --port x",
			"--port: expected an integer from 0 to 65535, not \"x\"");
	expect_refusal(f, "probe --uuid a/b", "a UUID has 1 to 64 characters and no slash");
	expect_refusal(f, "probe -s /nowhere/x.json",
			"--initial-state: /nowhere/x.json: No such file or directory");
}

static void one_uuid_runs_once(void **state)
{
	struct fixture *f = *state;
	struct lt_str uuid;
	struct lt_err err;

	must_start(f, "probe --uuid abc");

	assert_false(start(f, "probe --uuid abc", &uuid, &err));
	assert_string_equal(err.msg, "service abc exists already");
}

static void an_ambiguous_name_asks_for_a_uuid(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	must_start(f, "probe --uuid a");
	must_start(f, "probe --uuid b");

	assert_false(lt_services_stop_service(f->services, LT_STR("probe"), &err));
	assert_string_equal(
			err.msg, "several services are named \"probe\": give a UUID (a, b, ...)");
	assert_true(lt_services_stop_service(f->services, LT_STR("b"), NULL));
	assert_true(lt_services_stop_service(f->services, LT_STR("probe"), NULL));
	assert_false(lt_services_stop_service(f->services, LT_STR("probe"), &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
}

static void the_shown_name_is_a_name(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --uuid a");

	assert_true(lt_services_stop_service(f->services, LT_STR("Probe"), NULL));
}

static void services_come_back_with_uuid_and_state(void **state)
{
	struct fixture *f = *state;
	struct lt_state_json json = { 0 };

	char *uuid = lt_str_dup(must_start(f, "probe --count"));
	wait_until(f->loop, has_cars, f);
	stop_services(f);
	cJSON_Delete(LT_STEAL(f->state));
	make_services(f, NULL);
	wait_until(f->loop, has_cars, f);

	assert_true(lt_services_state_json(f->services, lt_str_from(uuid), &json));
	assert_true(json.etag[0] == '"');
	assert_true(cJSON_GetArraySize(lt_json_get(f->state, "cars")) == 1);
	lt_free(uuid);
}

static void a_configured_service_is_not_started_twice(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	make_services(f, "probe --count; ; probe -d 'a; b'");
	stop_services(f);
	make_services(f, "probe -d 'a; b'");
	LT_AUTO(cJSON_Delete) cJSON *list = lt_services_list(f->services);

	assert_int_equal(cJSON_GetArraySize(list), 1);
	assert_string_equal(lt_json_get(cJSON_GetArrayItem(list, 0), "description")->valuestring,
			"a; b");
}

static void a_configured_service_that_cannot_start_is_listed_as_failed(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	make_services(f, "nonesuch --x 1");
	LT_AUTO(cJSON_Delete) cJSON *list = lt_services_list(f->services);

	assert_string_equal(
			lt_json_get(cJSON_GetArrayItem(list, 0), "status")->valuestring, "failed");
}

static void a_broken_run_list_is_set_aside(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 };

	stop_services(f);
	lt_buf_printf(&path, "%s/services.json", f->dir);
	assert_true(lt_file_replace(path.p, LT_STR("{\"services\": [{"), 0644, NULL));
	make_services(f, NULL);
	lt_buf_add_c(&path, ".broken");

	assert_int_equal(access(path.p, R_OK), 0);
}

static void restarting_keeps_uuid_and_state_unless_fresh(void **state)
{
	struct fixture *f = *state;
	struct lt_str again;
	struct lt_state_json json;
	char *uuid = lt_str_dup(must_start(f, "probe --count"));

	wait_until(f->loop, has_cars, f);
	assert_true(lt_services_restart_service(f->services, LT_STR("probe"), false, &again, NULL));
	assert_true(lt_str_eq_c(again, uuid));
	assert_true(lt_services_state_json(f->services, again, &json));
	assert_non_null(strstr(json.json.p, "\"update\""));

	assert_true(lt_services_restart_service(f->services, LT_STR("probe"), true, &again, NULL));
	assert_false(lt_str_eq_c(again, uuid));
	assert_true(lt_services_state_json(f->services, again, &json));
	assert_non_null(strstr(json.json.p, "\"cars\": []"));
	lt_free(uuid);
}

static void an_initial_state_gives_uuid_and_cars(void **state)
{
	struct fixture *f = *state;
	char line[128], path[64];

	snprintf(path, sizeof(path), "%s/0123.json", f->dir);
	assert_true(lt_file_replace(path,
			LT_STR("{\"messages\": [], \"cars\": [[\"7\", \"x\"]], \"session\": "
			       "{\"flagState\": \"red\"}}"),
			0644, NULL));
	snprintf(line, sizeof(line), "probe -s %s --uuid other", path);
	struct lt_str uuid = must_start(f, line);
	wait_until(f->loop, has_cars, f);

	assert_str_equal(uuid, "0123");
	assert_string_equal(lt_json_get(lt_json_get(f->state, "session"), "flagState")->valuestring,
			"red");
}

static void a_broken_initial_state_fails_the_service(void **state)
{
	struct fixture *f = *state;
	char line[128], path[64];

	snprintf(path, sizeof(path), "%s/bad.json", f->dir);
	assert_true(lt_file_replace(path, LT_STR("{\"cars\": 3}"), 0644, NULL));
	snprintf(line, sizeof(line), "probe -s %s", path);
	must_start(f, line);
	wait_until(f->loop, any_failed, f);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("bad"), NULL);

	assert_non_null(strstr(lt_json_get(shown, "reason")->valuestring, "initial state"));
}

static void the_log_says_that_the_session_is_ready(void **state)
{
	struct fixture *f = *state;
	char path[64];
	struct lt_buf log = { 0 };

	must_start(f, "probe --uuid abc");
	snprintf(path, sizeof(path), "%s/abc.log", f->dir);
	assert_true(lt_file_read(path, 1 << 20, &log, NULL));

	assert_non_null(strstr(log.p, "Session ready for service abc"));
	lt_buf_finish(&log);
}

static void no_files_are_written_when_told_so(void **state)
{
	struct fixture *f = *state;
	char path[64];

	must_start(f, "probe --count --uuid abc --no-write-state");
	wait_until(f->loop, has_cars, f);
	stop_services(f);

	snprintf(path, sizeof(path), "%s/abc.log", f->dir);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/abc.json", f->dir);
	assert_int_not_equal(access(path, F_OK), 0);
	make_services(f, NULL);
}

static void the_saved_state_has_nothing_of_the_viewers(void **state)
{
	struct fixture *f = *state;
	char path[64];

	must_start(f, "probe --count --uuid abc");
	wait_until(f->loop, has_cars, f);
	stop_services(f);
	snprintf(path, sizeof(path), "%s/abc.json", f->dir);
	LT_AUTO(cJSON_Delete) cJSON *saved = lt_json_parse_file(path, 1 << 20, NULL);

	assert_int_equal(cJSON_GetArraySize(lt_json_get(saved, "cars")), 1);
	assert_null(lt_json_get(saved, "lastUpdated"));
	make_services(f, NULL);
}

static bool has_recording_ended(void *arg)
{
	struct fixture *f = arg;
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);

	return lt_json_get(lt_json_get(shown, "counters"), "recording ended") != NULL;
}

static void a_recording_is_published_as_it_was_recorded(void **state)
{
	struct fixture *f = *state;
	char *zip = shared_path("golden/s11-wec-8x5m/recording.zip"), line[512];
	char *last = shared_path("golden/s11-wec-8x5m/published_state.json");
	char *manifest = shared_path("golden/s11-wec-8x5m/manifest.json");
	LT_AUTO(cJSON_Delete) cJSON *expected = lt_json_parse_file(last, 1 << 20, NULL);
	LT_AUTO(cJSON_Delete) cJSON *recorded = lt_json_parse_file(manifest, 1 << 20, NULL);

	snprintf(line, sizeof(line), "probe --zip '%s'", zip);
	must_start(f, line);
	wait_until(f->loop, has_recording_ended, f);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);
	const cJSON *described = lt_json_get(shown, "manifest");

	assert_true(lt_json_equal(lt_json_get(f->state, "cars"), lt_json_get(expected, "cars")));
	assert_true(lt_json_equal(
			lt_json_get(f->state, "messages"), lt_json_get(expected, "messages")));
	assert_true(lt_json_equal(
			lt_json_get(described, "colSpec"), lt_json_get(recorded, "colSpec")));
	assert_true(lt_json_equal(
			lt_json_get(described, "source"), lt_json_get(recorded, "source")));
	assert_string_equal(lt_json_get(described, "serviceClass")->valuestring, "probe");
	free(zip);
	free(last);
	free(manifest);
}

static void a_recording_that_cannot_be_opened_fails_the_service(void **state)
{
	struct fixture *f = *state;

	must_start(f, "probe --zip /nowhere.zip");
	wait_until(f->loop, any_failed, f);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);

	assert_non_null(strstr(lt_json_get(shown, "reason")->valuestring, "/nowhere.zip"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(updates_reach_subscribers_compressed_with_their_time),
		TEST(the_manifest_says_what_the_command_line_asks),
		TEST(a_new_directory_gets_the_manifest_again),
		TEST(the_procedures_answer),
		TEST(race_control_texts_become_messages),
		TEST(a_failed_service_is_stopped_and_keeps_its_reason),
		TEST(what_cannot_start_is_refused_with_its_reason),
		TEST(one_uuid_runs_once),
		TEST(an_ambiguous_name_asks_for_a_uuid),
		TEST(the_shown_name_is_a_name),
		TEST(services_come_back_with_uuid_and_state),
		TEST(a_configured_service_is_not_started_twice),
		TEST(a_configured_service_that_cannot_start_is_listed_as_failed),
		TEST(a_broken_run_list_is_set_aside),
		TEST(restarting_keeps_uuid_and_state_unless_fresh),
		TEST(an_initial_state_gives_uuid_and_cars),
		TEST(a_broken_initial_state_fails_the_service),
		TEST(the_log_says_that_the_session_is_ready),
		TEST(no_files_are_written_when_told_so),
		TEST(the_saved_state_has_nothing_of_the_viewers),
		TEST(a_recording_is_published_as_it_was_recorded),
		TEST(a_recording_that_cannot_be_opened_fails_the_service),
	};

	lt_alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
