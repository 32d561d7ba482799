#include "peer.h"
#include "router/http_call.h"
#include "router/http_req.h"
#include "router/local.h"

/* A bridge, and a module that offers "slow", "fail" and "echo". */
struct bridged {
	struct fixture *f;
	struct lt_http_call *bridge;
	struct lt_local *callee;
	uint64_t invocation; /* of "slow" */
	struct lt_buf answer;
};

static void on_echo(void *arg, const struct lt_invocation *invocation)
{
	struct bridged *b = arg;
	struct lt_buf args = { 0 };

	lt_buf_printf(&args, "[%.*s,%.*s,\"%.*s\"]",
			LT_STR_ARG(invocation->args.n ? invocation->args : LT_STR("null")),
			LT_STR_ARG(invocation->kwargs.n ? invocation->kwargs : LT_STR("null")),
			LT_STR_ARG(invocation->caller_role));
	lt_local_yield(b->callee, invocation->id, lt_buf_str(&args));
	lt_buf_finish(&args);
}

static void on_fail(void *arg, const struct lt_invocation *invocation)
{
	struct bridged *b = arg;

	lt_local_error(b->callee, invocation->id, "com.example.error", "as \"told\"");
}

static void on_slow(void *arg, const struct lt_invocation *invocation)
{
	((struct bridged *)arg)->invocation = invocation->id;
}

static struct bridged *begin(struct fixture *f)
{
	struct bridged *b = lt_zalloc(sizeof(*b));
	struct lt_err err;

	b->f = f;
	b->callee = lt_local_join(f->router, REALM, "callee", "services", &err);
	lt_local_register(b->callee, LT_STR("echo"), false, on_echo, b, NULL, NULL);
	lt_local_register(b->callee, LT_STR("fail"), false, on_fail, b, NULL, NULL);
	lt_local_register(b->callee, LT_STR("slow"), false, on_slow, b, NULL, NULL);
	b->bridge = lt_http_call_create(&(struct lt_http_call_opts){
			.router = f->router,
			.realm = "timing",
			.body_bytes = 1000,
			.timeout_ms = 50,
	});
	assert_true(lt_http_call_start(b->bridge, &err));
	return b;
}

static void end(struct bridged *b)
{
	lt_http_call_destroy(b->bridge);
	lt_local_leave(b->callee);
	lt_buf_finish(&b->answer);
	lt_free(b);
}

struct asked {
	struct bridged *b;
	struct lt_http_req *req;
};

static void on_ready(void *arg)
{
	struct asked *asked = arg;

	lt_buf_clear(&asked->b->answer);
	lt_buf_add_str(&asked->b->answer, lt_buf_str(&asked->req->out));
	lt_http_req_free(LT_STEAL(asked->req));
}

/* The answer, if it comes, is in b->answer. */
static void post(struct asked *asked, const char *content_type, const char *body)
{
	struct lt_http *http = lt_router_http(asked->b->f->router);
	struct lt_http_req *req = asked->req = lt_http_req_create(http, 0);

	lt_buf_clear(&asked->b->answer);
	lt_buf_add_c(&asked->b->answer, "");
	req->method = LT_HTTP_POST;
	req->path = lt_strdup("/call");
	req->path_n = strlen(req->path);
	req->ready = on_ready;
	req->ready_arg = asked;
	lt_buf_add_c(&req->body, body);
	if (content_type) {
		lt_http_req_add(&req->headers, &req->headers_n, LT_STR("content-type"),
				lt_str_from(content_type));
	}
	if (!lt_http_route_find(http, req)) {
		return;
	}
	assert_int_equal(req->body_max, 1000);
	req->handed = true;
	req->fn(req->fn_arg, req);
	lt_fake_settle(asked->b->f->loop);
}

static void expect_answer(struct bridged *b, const char *status, const char *body)
{
	const char *end_of_head = b->answer.p ? strstr(b->answer.p, "\r\n\r\n") : NULL;

	assert_non_null(end_of_head);
	assert_int_equal(strncmp(b->answer.p, "HTTP/1.1 ", 9), 0);
	assert_int_equal(strncmp(b->answer.p + 9, status, strlen(status)), 0);
	if (body && strcmp(end_of_head + 4, body) != 0) {
		fail_msg("%s is not %s", end_of_head + 4, body);
	}
}

static void expect_call(struct fixture *f, const char *type, const char *request,
		const char *status, const char *body)
{
	struct bridged *b = begin(f);
	struct asked asked = { .b = b };

	post(&asked, type, request);

	expect_answer(b, status, body);
	end(b);
}

static void a_call_passes_its_arguments_and_is_made_as_anonymous(void **state)
{
	expect_call(*state, "application/json",
			"{\"procedure\":\"echo\",\"args\":[1, 12345678901234567890],"
			"\"kwargs\":{\"a\":\"b\"}}",
			"200",
			"{\"args\":[[1, 12345678901234567890],{\"a\":\"b\"},\"anonymous\"],"
			"\"kwargs\":{}}");
}

static void arguments_may_be_absent_or_null(void **state)
{
	expect_call(*state, NULL, "{\"procedure\":\"echo\"}", "200",
			"{\"args\":[null,null,\"anonymous\"],\"kwargs\":{}}");
	expect_call(*state, "application/json; charset=utf-8",
			" {\"args\":null, \"kwargs\":null, \"procedure\":\"ech\\u006f\", \"x\":[]} ",
			"200", "{\"args\":[null,null,\"anonymous\"],\"kwargs\":{}}");
}

static void an_error_of_the_callee_is_an_answer(void **state)
{
	expect_call(*state, NULL, "{\"procedure\":\"fail\"}", "200",
			"{\"error\":\"com.example.error\",\"args\":[\"as \\\"told\\\"\"],\"kwargs\":{}}");
}

static void what_the_router_refuses_is_an_answer(void **state)
{
	struct bridged *b = begin(*state);
	struct asked asked = { .b = b };

	post(&asked, NULL, "{\"procedure\":\"nobody\"}");
	expect_answer(b, "200", NULL);
	assert_non_null(strstr(b->answer.p, "{\"error\":\"wamp.error.no_such_procedure\","));
	post(&asked, NULL, "{\"procedure\":\"a..b\"}");
	assert_non_null(strstr(b->answer.p, "{\"error\":\"wamp.error.invalid_uri\","));
	post(&asked, NULL, "{\"procedure\":\"wamp.session.kill_all\"}");
	assert_non_null(strstr(b->answer.p, "{\"error\":\"wamp.error.not_authorized\","));
	end(b);
}

static void a_request_that_is_no_call_is_400(void **state)
{
	static const char *const bodies[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"procedure\":1}",
		"{\"procedure\":\"echo\",\"args\":{}}",
		"{\"procedure\":\"echo\",\"args\":1}",
		"{\"procedure\":\"echo\",\"kwargs\":[]}",
		"{\"procedure\":\"echo\"} x",
		"{\"procedure\":\"echo\",}",
		"{\"procedure\":\"\xff\"}",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(bodies); i++) {
		expect_call(*state, NULL, bodies[i], "400", NULL);
	}
	expect_call(*state, "text/plain", "{\"procedure\":\"echo\"}", "400", NULL);
}

static void a_call_that_takes_too_long_is_answered_with_a_timeout(void **state)
{
	struct bridged *b = begin(*state);
	struct asked asked = { .b = b };

	post(&asked, NULL, "{\"procedure\":\"slow\"}");
	assert_string_equal(b->answer.p, "");
	lt_fake_advance(b->f->loop, 100);

	expect_answer(b, "200", NULL);
	assert_non_null(strstr(b->answer.p, "wamp.error.timeout"));
	end(b);
}

static void a_client_that_goes_ends_the_call_alone(void **state)
{
	struct bridged *b = begin(*state);
	struct asked asked = { .b = b };

	post(&asked, NULL, "{\"procedure\":\"slow\"}");
	lt_http_req_abandon(LT_STEAL(asked.req));
	lt_local_yield(b->callee, b->invocation, LT_STR("[1]"));
	lt_fake_settle(b->f->loop);

	assert_string_equal(b->answer.p, "");
	end(b);
}

static void stopping_answers_the_calls_that_run(void **state)
{
	struct bridged *b = begin(*state);
	struct asked asked = { .b = b };

	post(&asked, NULL, "{\"procedure\":\"slow\"}");
	lt_http_call_stop(b->bridge);

	expect_answer(b, "503", NULL);
	post(&asked, NULL, "{\"procedure\":\"echo\"}");
	expect_answer(b, "404", NULL);
	end(b);
}

int main(void)
{
#define BRIDGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_default, teardown)
	const struct CMUnitTest tests[] = {
		BRIDGE_TEST(a_call_passes_its_arguments_and_is_made_as_anonymous),
		BRIDGE_TEST(arguments_may_be_absent_or_null),
		BRIDGE_TEST(an_error_of_the_callee_is_an_answer),
		BRIDGE_TEST(what_the_router_refuses_is_an_answer),
		BRIDGE_TEST(a_request_that_is_no_call_is_400),
		BRIDGE_TEST(a_call_that_takes_too_long_is_answered_with_a_timeout),
		BRIDGE_TEST(a_client_that_goes_ends_the_call_alone),
		BRIDGE_TEST(stopping_answers_the_calls_that_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
