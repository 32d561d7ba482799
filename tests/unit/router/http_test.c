#include <sys/socket.h>

#include "listener_fixture.h"
#define BIG_BYTES (5 * 1024 * 1024)

struct reply_seen {
	struct lt_buf head, body;
};

/* --- handlers; they run on the loop's thread --- */

static void say_hello(void *arg, struct lt_http_req *req)
{
	struct lt_http_reply reply = {
		.status = 200,
		.content_type = "text/plain",
		.cache_control = "max-age=5",
		.etag = "\"v1\"",
		.body = LT_STR("hello"),
	};

	(void)arg;
	lt_http_reply(req, &reply);
}

/* Path, one query, one header and the body of the request. */
static void describe(void *arg, struct lt_http_req *req)
{
	struct lt_buf text = { 0 };
	struct lt_str q = lt_http_query(req, "q"), host = lt_http_header(req, "host");

	(void)arg;
	lt_buf_printf(&text, "path=%.*s q=%.*s host=%.*s body=%.*s", LT_STR_ARG(lt_http_path(req)),
			LT_STR_ARG(q), LT_STR_ARG(host), LT_STR_ARG(lt_http_body(req)));
	struct lt_http_reply reply = { .status = 200, .body = lt_buf_str(&text) };
	lt_http_reply(req, &reply);
	lt_buf_finish(&text);
}

static void send_big(void *arg, struct lt_http_req *req)
{
	char *bytes = lt_alloc(BIG_BYTES);

	(void)arg;
	for (size_t i = 0; i < BIG_BYTES; i++) {
		bytes[i] = (char)('a' + i % 23);
	}
	struct lt_http_reply reply = { .status = 200, .body = { bytes, BIG_BYTES } };
	lt_http_reply(req, &reply);
	lt_free(bytes);
}

static void forge(void *arg, struct lt_http_req *req)
{
	const char *const headers[] = { "X-Good", "1", "X-Bad", "1\r\nX-Forged: 1", NULL };
	struct lt_http_reply reply = { .status = 200, .headers = headers, .body = LT_STR("x") };

	(void)arg;
	lt_http_reply(req, &reply);
}

/* Keeps the request until the next one comes to /release. */
struct kept {
	struct lt_http_req *req;
	sem_t kept, gone;
};

static struct kept kept;

static void on_kept_gone(void *arg)
{
	struct kept *mine = arg;

	mine->req = NULL;
	sem_post(&mine->gone);
}

static void keep(void *arg, struct lt_http_req *req)
{
	struct kept *mine = arg;

	mine->req = req;
	lt_http_on_gone(req, on_kept_gone, mine);
	sem_post(&mine->kept);
}

static void keep_deaf(void *arg, struct lt_http_req *req)
{
	struct kept *mine = arg;

	mine->req = req;
	sem_post(&mine->kept);
}

static void answer_kept(void *arg)
{
	struct kept *mine = arg;

	lt_http_reply_text(LT_STEAL(mine->req), 200, "at last");
}

static int setup(void **state)
{
	struct server *server = server_create();
	struct lt_http *http = lt_listeners_http(server->listeners);
	const struct lt_http_route routes[] = {
		{ .method = "GET", .path = "/hello", .cors = true, .fn = say_hello },
		{ .method = "GET", .path = "/tree/", .fn = describe },
		{ .method = "GET", .path = "/tree/deep/", .fn = say_hello },
		{ .method = "POST", .path = "/post", .body_max = 100, .fn = describe },
		{ .method = "GET", .path = "/big", .fn = send_big },
		{ .method = "GET", .path = "/forge", .fn = forge },
		{ .method = "GET", .path = "/keep", .fn = keep, .arg = &kept },
		{ .method = "GET", .path = "/deaf", .fn = keep_deaf, .arg = &kept },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(routes); i++) {
		lt_http_add(http, &routes[i]);
	}
	sem_init(&kept.kept, 0, 0);
	sem_init(&kept.gone, 0, 0);
	server_start(server, "127.0.0.1:0");
	*state = server;
	return 0;
}

/* --- helpers --- */

static void ask(int fd, const char *line, const char *more, struct reply_seen *ret)
{
	struct lt_buf request = { 0 };

	const char *body = more ? strstr(more, "\r\n\r\n") : NULL; /* `more` may have it all */
	lt_buf_printf(&request, "%s HTTP/1.1\r\nHost: example.org\r\n%s%s", line, more ? more : "",
			body ? "" : "\r\n");
	wire_send(fd, request.p, request.n);
	wire_read_response(fd, strncmp(line, "HEAD", 4) == 0, &ret->head, &ret->body);
	lt_buf_finish(&request);
}

static void expect_head(const struct reply_seen *reply, const char *text)
{
	if (!reply->head.p || !strstr(reply->head.p, text)) {
		fail_msg("no \"%s\" in: %s", text, reply->head.p ? reply->head.p : "(nothing)");
	}
}

static void expect_not_in_head(const struct reply_seen *reply, const char *text)
{
	assert_null(strstr(reply->head.p, text));
}

static void expect_body(const struct reply_seen *reply, const char *text)
{
	assert_string_equal(reply->body.p, text);
}

static void finish(struct reply_seen *reply)
{
	lt_buf_finish(&reply->head);
	lt_buf_finish(&reply->body);
}

/* One request on a connection of its own. */
static void expect_answer(struct server *server, const char *line, const char *more,
		const char *status, const char *body)
{
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, line, more, &reply);

	expect_head(&reply, status);
	if (body) {
		expect_body(&reply, body);
	}
	close(fd);
	finish(&reply);
}

/* --- tests --- */

static void a_route_answers_with_its_headers(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "GET /hello", NULL, &reply);

	expect_head(&reply, "HTTP/1.1 200 OK\r\n");
	expect_head(&reply, "Content-Type: text/plain\r\n");
	expect_head(&reply, "Content-Length: 5\r\n");
	expect_head(&reply, "Cache-Control: max-age=5\r\n");
	expect_head(&reply, "ETag: \"v1\"\r\n");
	expect_head(&reply, "X-Content-Type-Options: nosniff\r\n");
	expect_head(&reply, "Referrer-Policy: same-origin\r\n");
	expect_head(&reply, "Date: ");
	expect_head(&reply, "Access-Control-Allow-Origin: *\r\n");
	expect_body(&reply, "hello");
	close(fd);
	finish(&reply);
}

static void a_connection_carries_one_request(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	char byte;
	int fd = wire_connect(server->address);

	ask(fd, "GET /hello", NULL, &reply);

	expect_body(&reply, "hello");
	expect_head(&reply, "Connection: close\r\n");
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	finish(&reply);
}

/* libwebsockets 4.1 would hand out freed memory as the body of the second one. */
static void a_request_behind_another_is_not_looked_at(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	char byte;
	int fd = wire_connect(server->address);
	static const char requests[] =
			"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
			"POST /post HTTP/1.1\r\nContent-Length: 66\r\n\r\nhalf of it";

	wire_send(fd, requests, strlen(requests));

	wire_read_response(fd, false, &reply.head, &reply.body);
	expect_body(&reply, "hello");
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	finish(&reply);
}

static void a_connection_that_sends_no_request_is_closed_in_time(void **state)
{
	struct server *server = server_create();
	struct lt_buf rest = { 0 };

	server->env.limits.hello_timeout_ms = 30;
	server_start(server, "127.0.0.1:0");
	int silent = wire_connect(server->address), slow = wire_connect(server->address);
	wire_send(slow, "GET / HTTP/1.1\r\nHo", 18);

	wire_read_all(silent, &rest);
	wire_read_all(slow, &rest);

	assert_int_equal(rest.n, 0);
	close(silent);
	close(slow);
	*state = server;
	server_teardown(state);
}

static void head_is_answered_without_a_body(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "HEAD /hello", NULL, &reply);

	expect_head(&reply, "Content-Length: 5\r\n");
	close(fd);
	fd = wire_connect(server->address);
	ask(fd, "GET /hello", NULL, &reply);
	expect_body(&reply, "hello");
	close(fd);
	finish(&reply);
}

static void a_matching_etag_is_answered_with_304(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "GET /hello", "If-None-Match: \"v0\", W/\"v1\"\r\n", &reply);

	expect_head(&reply, "HTTP/1.1 304 ");
	expect_head(&reply, "ETag: \"v1\"\r\n");
	expect_not_in_head(&reply, "Content-Length");
	close(fd);
	fd = wire_connect(server->address);
	ask(fd, "GET /hello", "If-None-Match: \"v2\"\r\n", &reply);
	expect_head(&reply, "HTTP/1.1 200 ");
	close(fd);
	finish(&reply);
}

static void an_unknown_path_is_404(void **state)
{
	expect_answer(*state, "GET /nothing", NULL, " 404 ", "there is nothing at this address\n");
	expect_answer(*state, "POST /", NULL, " 404 ", NULL);
	expect_answer(*state, "GET /hello/", NULL, " 404 ", NULL);
}

static void a_method_that_a_path_does_not_have_is_405_with_allow(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "DELETE /hello", NULL, &reply);
	expect_head(&reply, "HTTP/1.1 405 ");
	expect_head(&reply, "Allow: GET, HEAD, OPTIONS\r\n");
	close(fd);
	fd = wire_connect(server->address);
	ask(fd, "GET /post", NULL, &reply);
	expect_head(&reply, "HTTP/1.1 405 ");
	expect_head(&reply, "Allow: POST, OPTIONS\r\n");
	close(fd);
	finish(&reply);
}

static void a_preflight_of_a_route_with_cors_is_answered(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "OPTIONS /hello",
			"Origin: https://x.example\r\nAccess-Control-Request-Method: GET\r\n",
			&reply);

	expect_head(&reply, "HTTP/1.1 204 ");
	expect_head(&reply, "Access-Control-Allow-Origin: *\r\n");
	expect_head(&reply, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n");
	ask(fd, "OPTIONS /tree/x", NULL, &reply);
	expect_not_in_head(&reply, "Access-Control");
	close(fd);
	finish(&reply);
}

static void a_prefix_route_gets_decoded_path_query_and_headers(void **state)
{
	expect_answer(*state, "GET /tree/a%20b/c?x=1&q=two%2bthree%26", NULL, " 200 ",
			"path=/tree/a b/c q=two+three& host=example.org body=");
}

static void the_longest_matching_route_wins(void **state)
{
	expect_answer(*state, "GET /tree/deep/x", NULL, " 200 ", "hello");
}

static void dot_segments_never_reach_a_handler(void **state)
{
	static const char *const lines[] = {
		"GET /tree/../../etc/passwd",
		"GET /tree/%2e%2e/%2e%2e/etc/passwd",
		"GET /tree/..%2f..%2fetc/passwd",
		"GET /tree/x/./../../y",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(lines); i++) {
		struct server *server = *state;
		struct reply_seen reply = { 0 };
		int fd = wire_connect(server->address);

		ask(fd, lines[i], NULL, &reply);

		assert_null(strstr(reply.body.p, ".."));
		assert_null(strstr(reply.body.p, "path=/tree"));
		close(fd);
		finish(&reply);
	}
}

static void a_body_reaches_the_handler_whole(void **state)
{
	expect_answer(*state, "POST /post", "Content-Length: 5\r\n\r\n12345", " 200 ",
			"path=/post q= host=example.org body=12345");
}

static void a_body_byte_by_byte_reaches_the_handler_whole(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);
	static const char request[] =
			"POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";

	for (const char *at = request; *at; at++) {
		wire_send(fd, at, 1);
	}
	wire_read_response(fd, false, &reply.head, &reply.body);

	expect_body(&reply, "path=/post q= host=h body=abc");
	close(fd);
	finish(&reply);
}

static void an_empty_body_reaches_the_handler(void **state)
{
	expect_answer(*state, "POST /post", "Content-Length: 0\r\n", " 200 ",
			"path=/post q= host=example.org body=");
}

static void a_body_over_the_bound_is_refused_with_413(void **state)
{
	expect_answer(*state, "POST /post", "Content-Length: 101\r\n", " 413 ",
			"the body of this request is too large\n");
}

static void a_chunked_body_is_refused_with_411(void **state)
{
	expect_answer(*state, "POST /post", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
			" 411 ", NULL);
}

static void a_content_length_that_is_no_number_is_refused(void **state)
{
	struct server *server = *state;
	struct lt_buf rest = { 0 };
	int fd = wire_connect(server->address);
	static const char request[] =
			"POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nabc";

	wire_send(fd, request, strlen(request));
	wire_read_all(fd, &rest);

	assert_true(rest.n == 0 || strstr(rest.p, " 200 ") == NULL);
	close(fd);
	lt_buf_finish(&rest);
}

static void garbage_ends_the_connection_and_nothing_else(void **state)
{
	static const char *const garbage[] = {
		"\x7f\xf1\x00\x00 hello",
		"GET\r\n\r\n",
		"NONSENSE / HTTP/1.1\r\n\r\n",
		"GET /hello HTTP/9\r\n\r\n",
	};

	int long_fd = wire_connect(((struct server *)*state)->address);
	struct lt_buf rest = { 0 };
	lt_buf_add_c(&rest, "GET /hello HTTP/1.1\r\nX-Long: ");
	for (int i = 0; i < 20000; i++) {
		lt_buf_add_char(&rest, 'x');
	}
	lt_buf_add_c(&rest, "\r\n\r\n");
	wire_send(long_fd, rest.p, rest.n);
	lt_buf_clear(&rest);
	wire_read_all(long_fd, &rest);
	close(long_fd);
	lt_buf_finish(&rest);
	for (size_t i = 0; i < LT_ARRAY_LEN(garbage); i++) {
		struct server *server = *state;
		int fd = wire_connect(server->address);

		wire_send(fd, garbage[i], strlen(garbage[i]));
		close(fd);
	}
	expect_answer(*state, "GET /hello", NULL, " 200 ", "hello");
}

static void a_large_reply_arrives_whole_at_a_client_that_reads_late(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "GET /big", NULL, &reply);

	assert_int_equal(reply.body.n, BIG_BYTES);
	for (size_t i = 0; i < BIG_BYTES; i++) {
		if (reply.body.p[i] != (char)('a' + i % 23)) {
			fail_msg("byte %zu differs", i);
		}
	}
	close(fd);
	fd = wire_connect(server->address);
	ask(fd, "GET /hello", NULL, &reply);
	expect_body(&reply, "hello");
	close(fd);
	finish(&reply);
}

static void a_header_value_with_a_line_end_is_left_out(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);

	ask(fd, "GET /forge", NULL, &reply);

	expect_head(&reply, "X-Good: 1\r\n");
	expect_not_in_head(&reply, "X-Forged");
	close(fd);
	finish(&reply);
}

static void a_handler_may_answer_later(void **state)
{
	struct server *server = *state;
	struct reply_seen reply = { 0 };
	int fd = wire_connect(server->address);
	static const char request[] = "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n";

	wire_send(fd, request, strlen(request));
	sem_wait(&kept.kept);
	on_loop(server, answer_kept, &kept);
	wire_read_response(fd, false, &reply.head, &reply.body);

	expect_body(&reply, "at last\n");
	close(fd);
	finish(&reply);
}

static void a_handler_that_asked_is_told_that_the_client_has_gone(void **state)
{
	struct server *server = *state;
	int fd = wire_connect(server->address);
	static const char request[] = "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n";

	wire_send(fd, request, strlen(request));
	sem_wait(&kept.kept);
	close(fd);
	sem_wait(&kept.gone);

	assert_null(kept.req);
}

static void an_answer_to_a_client_that_has_gone_is_harmless(void **state)
{
	struct server *server = *state;
	int fd = wire_connect(server->address);
	static const char request[] = "GET /deaf HTTP/1.1\r\nHost: h\r\n\r\n";

	wire_send(fd, request, strlen(request));
	sem_wait(&kept.kept);
	close(fd);
	while (server_report(server).connections > 0) {
	}
	on_loop(server, answer_kept, &kept);

	expect_answer(server, "GET /hello", NULL, " 200 ", "hello");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_route_answers_with_its_headers),
		TEST(a_connection_carries_one_request),
		TEST(a_request_behind_another_is_not_looked_at),
		cmocka_unit_test(a_connection_that_sends_no_request_is_closed_in_time),
		TEST(head_is_answered_without_a_body),
		TEST(a_matching_etag_is_answered_with_304),
		TEST(an_unknown_path_is_404),
		TEST(a_method_that_a_path_does_not_have_is_405_with_allow),
		TEST(a_preflight_of_a_route_with_cors_is_answered),
		TEST(a_prefix_route_gets_decoded_path_query_and_headers),
		TEST(the_longest_matching_route_wins),
		TEST(dot_segments_never_reach_a_handler),
		TEST(a_body_reaches_the_handler_whole),
		TEST(a_body_byte_by_byte_reaches_the_handler_whole),
		TEST(an_empty_body_reaches_the_handler),
		TEST(a_body_over_the_bound_is_refused_with_413),
		TEST(a_chunked_body_is_refused_with_411),
		TEST(a_content_length_that_is_no_number_is_refused),
		TEST(garbage_ends_the_connection_and_nothing_else),
		TEST(a_large_reply_arrives_whole_at_a_client_that_reads_late),
		TEST(a_header_value_with_a_line_end_is_left_out),
		TEST(a_handler_may_answer_later),
		TEST(a_handler_that_asked_is_told_that_the_client_has_gone),
		TEST(an_answer_to_a_client_that_has_gone_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
