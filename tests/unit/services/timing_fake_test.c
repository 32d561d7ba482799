/* What a timing service does over time, on a clock that the tests move. */
#include "race/envelope.h"
#include "race/lzstring.h"
#include "router/local.h"
#include "router/router.h"
#include "services/manager/services.h"
#include "support/plugin_fixture.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_services *services;
	struct lt_local *viewer;
	char dir[32];
	cJSON *state;
	int states;
};

static void on_state(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_envelope envelope;

	assert_true(lt_envelope_read(args, (struct lt_wall){ 0 }, &envelope, NULL));
	assert_true(lt_lzstring_decompress(
			&text, lt_str_from(envelope.payload->valuestring), 1 << 20, NULL));
	cJSON_Delete(f->state);
	f->state = lt_json_parse(lt_buf_str(&text), NULL);
	f->states++;
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	char *plugins = plugin_folder();

	snprintf(f->dir, sizeof(f->dir), "/tmp/lt-timing-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->viewer = lt_local_join(f->router, LT_STR(LT_REALM), "viewer", "services", NULL);
	assert_true(lt_local_subscribe(f->viewer, LT_STR(LT_TOPIC_SERVICE), LT_MATCH_PREFIX, false,
			on_state, f, NULL));
	f->services = lt_services_create(&(struct lt_services_env){ .loop = f->loop,
			.random = f->random,
			.router = f->router,
			.state_dir = f->dir,
			.log_dir = f->dir,
			.plugin_path = plugins });
	assert_true(lt_services_start(f->services, NULL));
	lt_free(plugins);
	*state = f;
	return 0;
}

static void nothing(void *arg)
{
	(void)arg;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	lt_services_stop(f->services, nothing, NULL);
	lt_fake_settle(f->loop);
	lt_services_destroy(f->services);
	lt_local_leave(f->viewer);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	cJSON_Delete(f->state);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	lt_free(f);
	return 0;
}

static void start(struct fixture *f, const char *line)
{
	struct lt_args args = { 0 };
	struct lt_str uuid;
	struct lt_err err = { 0 };

	assert_true(lt_args_split(&args, lt_str_from(line), NULL));
	if (!lt_services_start_service(f->services, &args, &uuid, &err)) {
		fail_msg("%s: %s", line, err.msg);
	}
	lt_args_finish(&args);
	lt_fake_settle(f->loop);
}

static const char *first_row(const struct fixture *f)
{
	const cJSON *row = cJSON_GetArrayItem(lt_json_get(f->state, "cars"), 0);

	return row ? cJSON_GetArrayItem(row, 0)->valuestring : "none";
}

static void what_is_due_goes_out_once_a_second_and_the_newest_wins(void **state)
{
	struct fixture *f = *state;
	char line[128], path[64];

	snprintf(path, sizeof(path), "%s/lines", f->dir);
	assert_true(lt_file_replace(path, LT_STR("a\nb\nc\n"), 0644, NULL));
	snprintf(line, sizeof(line), "probe --due --file %s", path);
	start(f, line);
	lt_fake_advance(f->loop, 500);
	int before = f->states;

	assert_string_equal(first_row(f), "none");
	lt_fake_advance(f->loop, 600);

	assert_int_equal(f->states, before + 1);
	assert_string_equal(first_row(f), "end of file");
}

static void an_unchanged_state_is_published_each_minute(void **state)
{
	struct fixture *f = *state;

	start(f, "probe");
	int before = f->states;

	lt_fake_advance(f->loop, 50000);
	assert_int_equal(f->states, before);
	lt_fake_advance(f->loop, 10000);

	assert_int_equal(f->states, before + 1);
}

static void a_silent_feed_is_shown_to_viewers_and_operators(void **state)
{
	struct fixture *f = *state;

	start(f, "probe --lines --port 1");
	assert_null(lt_json_get(lt_json_get(f->state, "session"), "stale"));
	lt_fake_advance(f->loop, 11000);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);

	assert_true(cJSON_IsTrue(lt_json_get(lt_json_get(f->state, "session"), "stale")));
	assert_true(cJSON_IsTrue(lt_json_get(shown, "stale")));
	assert_string_equal(lt_json_get(shown, "staleReason")->valuestring,
			"nothing comes from 127.0.0.1:1");
}

static void the_plugin_is_asked_at_start_and_every_poll_interval(void **state)
{
	struct fixture *f = *state;

	start(f, "probe --count");
	lt_fake_advance(f->loop, 3500);
	LT_AUTO(cJSON_Delete) cJSON *shown = lt_services_show(f->services, LT_STR("probe"), NULL);

	assert_int_equal(lt_json_get(shown, "updates")->valueint, 4);
	assert_int_equal(lt_json_get(lt_json_get(shown, "counters"), "update")->valueint, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_due_goes_out_once_a_second_and_the_newest_wins),
		TEST(an_unchanged_state_is_published_each_minute),
		TEST(a_silent_feed_is_shown_to_viewers_and_operators),
		TEST(the_plugin_is_asked_at_start_and_every_poll_interval),
	};

	lt_alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
