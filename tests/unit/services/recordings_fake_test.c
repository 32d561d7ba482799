/* The list of recordings and its files: what is asked wrongly, too early, or without the code. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/http_req.h"
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
	char held[40]; /* the recording that was asked for elsewhere, and whether for who may */
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

/* --- recordings that are elsewhere --- */

static bool hold(void *arg, struct lt_http_req *req, struct lt_str name, bool is_admitted,
		void (*again)(void *again_arg, struct lt_http_req *req), void *again_arg)
{
	struct fixture *f = arg;

	(void)again;
	(void)again_arg;
	snprintf(f->held, sizeof(f->held), "%.*s%s", LT_STR_ARG(name),
			is_admitted ? " admitted" : "");
	lt_http_reply_text(req, 202, "held");
	return true;
}

static struct lt_str owner(void *arg, struct lt_str file_name)
{
	(void)arg;
	return lt_str_starts(file_name, LT_STR("secret")) ? LT_STR("secret")
							  : (struct lt_str){ NULL, 0 };
}

static int gate(void *arg, struct lt_str uuid, struct lt_http_req *req)
{
	(void)arg;
	(void)uuid;
	return lt_http_header(req, "x-access-code").n > 0 ? 200 : 404;
}

/* The same, on a node that has recordings elsewhere: one of them private. */
static void begin_again(struct fixture *f)
{
	char path[64];

	lt_recordings_destroy(f->recordings);
	lt_fake_settle(f->loop);
	snprintf(path, sizeof(path), "%s/remote.json", f->dir);
	assert_true(lt_file_replace(path,
			LT_STR("{\"entries\":{\"secret.zip\":{\"duration\":1.0,\"filename\":"
			       "\"secret.zip\",\"startTime\":1,\"uuid\":\"secret\",\"private\":"
			       "true}}}"),
			0644, NULL));
	f->recordings = lt_recordings_create(&(struct lt_recordings_env){ .loop = f->loop,
			.router = f->router,
			.directory = f->dir,
			.owner = owner,
			.gate = gate,
			.hold = hold,
			.hold_arg = f });
	assert_true(lt_recordings_start(f->recordings, NULL));
}

static void on_ready(void *arg)
{
	(void)arg;
}

/* The status of the answer. */
static int get(struct fixture *f, const char *target, const char *code)
{
	struct lt_http *http = lt_router_http(f->router);
	struct lt_http_req *req = lt_http_req_create(http, 0);
	int status;

	req->method = LT_HTTP_GET;
	req->ready = on_ready;
	req->path = lt_strdup(target);
	req->path_n = strlen(target);
	if (code) {
		lt_http_req_add(&req->headers, &req->headers_n, LT_STR("x-access-code"),
				lt_str_from(code));
	}
	f->held[0] = '\0';
	assert_true(lt_http_route_find(http, req));
	req->handed = true;
	req->fn(req->fn_arg, req);
	lt_fake_settle(f->loop);
	assert_true(req->answered);
	assert_int_equal(sscanf(req->out.p, "HTTP/1.1 %d", &status), 1);
	lt_http_req_free(req);
	return status;
}

static void no_file_is_served_before_it_is_known_which_are_private(void **state)
{
	struct fixture *f = *state;
	struct lt_http *http = lt_router_http(f->router);
	struct lt_http_req *req;

	begin_again(f);
	req = lt_http_req_create(http, 0);
	req->method = LT_HTTP_GET;
	req->ready = on_ready;
	req->path = lt_strdup("/recordings/a.zip");
	req->path_n = strlen(req->path);
	assert_true(lt_http_route_find(http, req));
	req->handed = true;
	req->fn(req->fn_arg, req); /* and the list is not read yet */
	assert_int_equal(strncmp(req->out.p, "HTTP/1.1 503 ", 13), 0);
	assert_string_equal(f->held, "");
	lt_http_req_free(req);

	lt_fake_settle(f->loop);
	assert_int_equal(get(f, "/recordings/a.zip", NULL), 202);
	assert_string_equal(f->held, "a");
}

static void a_private_recording_elsewhere_is_asked_for_with_its_code_alone(void **state)
{
	struct fixture *f = *state;

	begin_again(f);
	lt_fake_settle(f->loop);
	assert_int_equal(get(f, "/recordings/secret.zip", NULL), 404);
	assert_string_equal(f->held, "");
	assert_int_equal(get(f, "/recordings/secret.zip", "code"), 202);
	assert_string_equal(f->held, "secret admitted");
	assert_int_equal(get(f, "/recordings/other.zip", "code"), 202);
	assert_string_equal(f->held, "other");
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
		TEST(no_file_is_served_before_it_is_known_which_are_private),
		TEST(a_private_recording_elsewhere_is_asked_for_with_its_code_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
