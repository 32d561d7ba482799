/* Procedures over the list of recordings: what is asked wrongly, too early, or without the code. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/recordings/recordings.h"
#include "support/golden.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define RPC "livetiming.recordings."

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_local *caller;
	struct lt_recordings *recordings;
	char dir[32];
	cJSON *answer;
	char error[80];
};

/* An entry whose file is there is kept as it is listed. */
static void write_index(struct fixture *f)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/a.zip", f->dir);
	assert_true(lt_file_replace(path, LT_STR("not looked at"), 0644, NULL));
	snprintf(path, sizeof(path), "%s/index.json", f->dir);
	assert_true(lt_file_replace(path,
			LT_STR("{\"a\":{\"description\":\"One\",\"duration\":60.0,\"filename\":"
			       "\"a.zip\",\"name\":\"Race\",\"startTime\":1700000000,\"uuid\":\"a\"}}"),
			0644, NULL));
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/lt-recordings-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	write_index(f);
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->caller = lt_local_join(f->router, LT_STR(LT_REALM), "caller", "anonymous", NULL);
	f->recordings = lt_recordings_create(&(struct lt_recordings_env){ .loop = f->loop,
			.router = f->router,
			.directory = f->dir,
			.authcode = "code" });
	assert_true(lt_recordings_start(f->recordings, NULL));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];

	lt_recordings_destroy(f->recordings);
	lt_local_leave(f->caller);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	cJSON_Delete(f->answer);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	lt_free(f);
	return 0;
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	cJSON_Delete(f->answer);
	f->answer = result->ok ? lt_json_parse(result->args, NULL) : NULL;
	snprintf(f->error, sizeof(f->error), "%s", result->ok ? "" : result->error);
}

static const cJSON *ask(struct fixture *f, const char *procedure, const char *args)
{
	assert_true(lt_local_call(f->caller, lt_str_from(procedure), lt_str_from(args), 1000,
			on_result, f, NULL));
	lt_fake_settle(f->loop);
	return cJSON_GetArrayItem(f->answer, 0);
}

static void the_list_of_before_serves_at_once(void **state)
{
	struct fixture *f = *state;
	struct lt_str name;

	lt_fake_settle(f->loop);
	const cJSON *page = ask(f, RPC "page", "[]");

	assert_int_equal(lt_json_get(page, "total")->valueint, 1);
	assert_true(lt_json_get_str(ask(f, RPC "manifest", "[\"a\"]"), "name", &name, NULL));
	assert_str_equal(name, "Race");
	assert_true(cJSON_IsNull(ask(f, RPC "manifest", "[\"b\"]")));
}

static void wrong_arguments_are_refused(void **state)
{
	static const char *const calls[][2] = { { RPC "page", "[\"one\"]" },
		{ RPC "page", "[1, 2]" }, { RPC "names", "[1]" }, { RPC "manifest", "[7]" },
		{ RPC "search", "[1]" }, { RPC "search", "[\"\", null, null, null, \"size\"]" },
		{ RPC "search", "[\"\", null, null, null, null, null, 1, 501]" },
		{ RPC "updateManifest", "[7, \"code\"]" } };

	struct fixture *f = *state;

	lt_fake_settle(f->loop);
	for (size_t i = 0; i < LT_ARRAY_LEN(calls); i++) {
		assert_null(ask(f, calls[i][0], calls[i][1]));
		assert_string_equal(f->error, "wamp.error.invalid_argument");
	}
}

static void pages_that_are_not_there_are_empty(void **state)
{
	struct fixture *f = *state;

	lt_fake_settle(f->loop);
	for (int page = -1; page < 4; page++) {
		char args[16];

		snprintf(args, sizeof(args), "[%d]", page);
		const cJSON *list = lt_json_get(ask(f, RPC "page", args), "recordings");

		assert_int_equal(cJSON_GetArraySize(list), page == 1);
	}
}

static void a_manifest_is_not_changed_without_the_code(void **state)
{
	static const char *const args[] = { "[{\"uuid\": \"a\"}]", "[{\"uuid\": \"a\"}, null]",
		"[{\"uuid\": \"a\"}, \"\"]", "[{\"uuid\": \"a\"}, \"cod\"]",
		"[{\"uuid\": \"a\"}, \"codes\"]" };

	struct fixture *f = *state;

	lt_fake_settle(f->loop);
	for (size_t i = 0; i < LT_ARRAY_LEN(args); i++) {
		assert_null(ask(f, RPC "updateManifest", args[i]));
		assert_string_equal(f->error, "wamp.error.not_authorized");
	}
}

static void a_change_that_fails_is_answered(void **state)
{
	struct fixture *f = *state;

	lt_fake_settle(f->loop);
	/* a.zip is no archive */
	assert_null(ask(f, RPC "updateManifest", "[{\"uuid\": \"a\", \"name\": \"x\"}, \"code\"]"));
	assert_true(f->error[0] != '\0');
	assert_null(ask(f, RPC "updateManifest", "[{\"uuid\": \"b\"}, \"code\"]"));
	assert_string_equal(f->error, "livetiming.error.recordings");
}

static void a_file_that_has_gone_is_dropped_at_the_next_look(void **state)
{
	struct fixture *f = *state;
	char path[64];

	lt_fake_settle(f->loop);
	snprintf(path, sizeof(path), "%s/a.zip", f->dir);
	unlink(path);
	lt_fake_advance(f->loop, 601000);

	assert_int_equal(lt_json_get(ask(f, RPC "page", "[]"), "total")->valueint, 0);
}

int main(void)
{
	lt_alloc_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_list_of_before_serves_at_once),
		TEST(wrong_arguments_are_refused),
		TEST(pages_that_are_not_there_are_empty),
		TEST(a_manifest_is_not_changed_without_the_code),
		TEST(a_change_that_fails_is_answered),
		TEST(a_file_that_has_gone_is_dropped_at_the_next_look),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
