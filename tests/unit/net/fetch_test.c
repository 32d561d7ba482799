#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/loop.h"
#include "net/fetch.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_fetcher *fetcher;
	struct lt_timer guard;
	struct server server;
	char url[64];
	struct lt_fetch_opts opts;
	struct lt_fetch *fetch;
	char request[4096]; /* what the server read last */
	char *answer;       /* what it says; redirects and bodies are made by the test */
	size_t answer_n;
	/* the last result */
	int results;
	long status;
	struct lt_buf body, error, etag, last_modified, content_type;
	enum lt_errc code;
	bool was_sent;
	int64_t retry_after_s;
	struct lt_buf header; /* X-Limit of the answer */
	void (*in_callback)(struct fixture *f);
};

static void too_late(void *arg)
{
	(void)arg;
	fail_msg("what the test waits for did not happen in 20 s");
}

static void copy(struct lt_buf *to, struct lt_str from)
{
	lt_buf_clear(to);
	lt_buf_add_str(to, from);
	lt_buf_add_c(to, "");
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct fixture *f = arg;

	f->results++;
	f->status = result->status;
	f->code = result->code;
	f->was_sent = result->was_sent;
	f->retry_after_s = lt_fetch_retry_after_s(
			result, (struct lt_wall){ INT64_C(1778936400) * LT_US_PER_S });
	copy(&f->header, lt_fetch_header(result, "X-Limit"));
	copy(&f->body, result->body);
	copy(&f->error, result->error);
	copy(&f->etag, result->etag);
	copy(&f->last_modified, result->last_modified);
	copy(&f->content_type, result->content_type);
	lt_loop_stop(f->loop);
	if (f->in_callback) {
		f->in_callback(f);
	}
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	unsetenv("http_proxy");
	f->loop = lt_loop_create(NULL);
	f->fetcher = lt_fetcher_create(f->loop, NULL, NULL);
	assert_non_null(f->fetcher);
	f->opts = (struct lt_fetch_opts){ .url = f->url, .result = on_result, .arg = f };
	lt_timer_once(&f->guard, f->loop, 20000, too_late, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_fetcher_destroy(f->fetcher);
	lt_timer_cancel(&f->guard);
	lt_loop_destroy(f->loop);
	if (f->server.serve) {
		server_stop(&f->server);
	}
	lt_buf_finish(&f->body);
	lt_buf_finish(&f->error);
	lt_buf_finish(&f->etag);
	lt_buf_finish(&f->last_modified);
	lt_buf_finish(&f->content_type);
	lt_buf_finish(&f->header);
	lt_free(f->answer);
	lt_free(f);
	return 0;
}

static void serve_answer(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	(void)nth;
	server_read_until(fd, "\r\n\r\n", f->request, sizeof(f->request));
	assert_true(send(fd, f->answer, f->answer_n, MSG_NOSIGNAL) >= 0);
}

static void serve(struct fixture *f, void (*fn)(int fd, int nth, void *arg), const char *answer)
{
	f->answer = lt_strdup(answer);
	f->answer_n = strlen(answer);
	server_start(&f->server, fn, f);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/x?y=1", f->server.port);
}

static void start(struct fixture *f)
{
	struct lt_err err = { 0 };

	f->fetch = lt_fetch_start(f->fetcher, &f->opts, &err);
	if (!f->fetch) {
		fail_msg("%s", err.msg);
	}
}

static void fetch(struct fixture *f)
{
	start(f);
	assert_int_equal(f->results, 0); /* never from within start */
	lt_loop_run(f->loop);
	assert_int_equal(f->results, 1);
}

static void a_head_gives_headers_and_waits_for_no_body(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_answer, "HTTP/1.1 200 OK\r\nX-Limit: 7\r\nContent-Length: 1000\r\n\r\n");
	f->opts.method = "HEAD";
	fetch(f);

	assert_int_equal(f->status, 200);
	assert_int_equal(strncmp(f->request, "HEAD /x?y=1 HTTP/1.1\r\n", 22), 0);
	assert_string_equal(f->header.p, "7");
	assert_string_equal(f->body.p, "");
}

static void a_get_gives_status_body_and_headers(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_answer,
			"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nlast-modified:  Sat, 16 May 2026 13:00:00 "
			"GMT\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	fetch(f);

	assert_int_equal(f->status, 200);
	assert_string_equal(f->body.p, "{}");
	assert_string_equal(f->etag.p, "\"v1\"");
	assert_string_equal(f->last_modified.p, "Sat, 16 May 2026 13:00:00 GMT");
	assert_string_equal(f->content_type.p, "application/json");
	assert_string_equal(f->error.p, "");
	assert_memory_equal(f->request, "GET /x?y=1 HTTP/1.1\r\n", 21);
	assert_non_null(strstr(f->request, "User-Agent: livetimingd/"));
}

static void a_request_carries_headers_and_conditions(void **state)
{
	static const char *const headers[] = { "X-Key: abc", "Accept: text/plain", NULL };
	struct fixture *f = *state;

	f->opts.headers = headers;
	f->opts.etag = LT_STR("\"v1\"");
	f->opts.last_modified = LT_STR("Sat, 16 May 2026 13:00:00 GMT");
	serve(f, serve_answer, "HTTP/1.1 304 Not Modified\r\n\r\n");
	fetch(f);

	assert_int_equal(f->status, 304);
	assert_non_null(strstr(f->request, "\r\nX-Key: abc\r\n"));
	assert_non_null(strstr(f->request, "\r\nAccept: text/plain\r\n"));
	assert_non_null(strstr(f->request, "\r\nIf-None-Match: \"v1\"\r\n"));
	assert_non_null(strstr(f->request, "\r\nIf-Modified-Since: Sat, 16 May 2026 13:00:00 GMT"));
}

static void serve_post(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	(void)nth;
	server_read_until(fd, "a=1&b=2", f->request, sizeof(f->request));
	server_say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
}

static void a_body_is_posted_and_any_status_is_an_answer(void **state)
{
	struct fixture *f = *state;

	f->opts.body = LT_STR("a=1&b=2");
	serve(f, serve_post, "");
	fetch(f);

	assert_memory_equal(f->request, "POST /x?y=1 ", 12);
	assert_int_equal(f->status, 404);
	assert_string_equal(f->body.p, "gone");
}

/* A gzip answer of n times 'x'. */
static void serve_gzip(struct fixture *f, size_t n)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: "
				   "close\r\n\r\n";
	unsigned char *plain = lt_alloc(n);
	z_stream z = { 0 };

	serve(f, serve_answer, "");
	memset(plain, 'x', n);
	lt_free(f->answer);
	f->answer = lt_alloc(n + 1000);
	memcpy(f->answer, head, sizeof(head) - 1);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.avail_in = (unsigned)n;
	z.next_out = (unsigned char *)f->answer + sizeof(head) - 1;
	z.avail_out = (unsigned)n;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	f->answer_n = sizeof(head) - 1 + z.total_out;
	deflateEnd(&z);
	lt_free(plain);
}

static void a_compressed_answer_is_decoded(void **state)
{
	struct fixture *f = *state;

	serve_gzip(f, 5000);
	fetch(f);

	assert_int_equal(f->status, 200);
	assert_int_equal(f->body.n, 5000);
	assert_non_null(strstr(f->request, "Accept-Encoding: gzip"));
}

static void the_limit_of_the_body_counts_decoded_bytes(void **state)
{
	struct fixture *f = *state;

	f->opts.body_max = 10000;
	serve_gzip(f, 10000000);
	assert_true(f->answer_n < 20000);
	fetch(f);

	assert_int_equal(f->status, 0);
	assert_int_equal(f->code, LT_E_LIMIT);
	assert_string_equal(f->error.p, "the answer is over 10000 bytes");
}

static void a_body_of_just_the_limit_is_fine(void **state)
{
	struct fixture *f = *state;

	f->opts.body_max = 2;
	serve(f, serve_answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}");
	fetch(f);

	assert_int_equal(f->status, 200);
}

static void serve_nothing(int fd, int nth, void *arg)
{
	(void)nth;
	(void)arg;
	server_wait_for_close(fd);
}

static void a_server_that_does_not_answer_times_out(void **state)
{
	struct fixture *f = *state;

	f->opts.timeout_ms = 50;
	serve(f, serve_nothing, "");
	fetch(f);

	assert_int_equal(f->status, 0);
	assert_int_equal(f->code, LT_E_TIMEOUT);
	assert_memory_equal(f->error.p, "operation timed out", 19);
}

static void a_refused_connection_is_an_error_sentence(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/", server_free_port());
	fetch(f);

	assert_int_equal(f->code, LT_E_UNAVAILABLE);
	assert_memory_equal(f->error.p, "failed to connect", 17);
}

static void garbage_for_an_answer_is_an_error(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_answer, "\x01\x02 not http\r\n\r\n");
	fetch(f);

	assert_int_equal(f->status, 0);
	assert_true(f->error.n > 0);
}

static void serve_redirect(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	server_read_until(fd, "\r\n\r\n", f->request, sizeof(f->request));
	if (nth == 0 || !strcmp(f->answer, "for ever")) {
		server_say(fd,
				"HTTP/1.1 302 Found\r\nETag: \"redirect\"\r\nLocation: /there\r\n"
				"Content-Length: 0\r\nConnection: close\r\n\r\n");
	} else {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
}

static void a_redirect_is_followed_and_its_own_headers_forgotten(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_redirect, "once");
	fetch(f);

	assert_int_equal(f->status, 200);
	assert_string_equal(f->body.p, "ok");
	assert_string_equal(f->etag.p, "");
	assert_memory_equal(f->request, "GET /there ", 11);
}

static void endless_redirects_are_an_error(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_redirect, "for ever");
	fetch(f);

	assert_int_equal(f->status, 0);
	assert_int_equal(f->code, LT_E_LIMIT);
}

static void a_redirect_to_a_file_is_refused(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_answer,
			"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
			"Content-Length: 0\r\n\r\n");
	fetch(f);

	assert_int_equal(f->status, 0);
	assert_int_equal(f->code, LT_E_INVALID);
}

static void files_are_read_only_when_allowed(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/lt-fetch-XXXXXX";
	const struct lt_fetcher_opts allow = { .allow_file = true };

	close(mkstemp(path));
	assert_true(lt_file_replace(path, LT_STR("content"), 0600, NULL));
	snprintf(f->url, sizeof(f->url), "file://%s", path);
	fetch(f);
	assert_int_equal(f->code, LT_E_INVALID);
	lt_fetcher_destroy(f->fetcher);
	f->fetcher = lt_fetcher_create(f->loop, &allow, NULL);
	f->results = 0;
	fetch(f);

	assert_int_equal(f->status, 200);
	assert_string_equal(f->body.p, "content");
	unlink(path);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
	static const char *const split_header[] = { "X: a\r\nY: b", NULL };
	static const char *const no_colon[] = { "X", NULL };
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	f->opts.headers = split_header;
	assert_null(lt_fetch_start(f->fetcher, &f->opts, &err));
	assert_string_equal(err.msg, "a header contains control characters");
	f->opts.headers = no_colon;
	assert_null(lt_fetch_start(f->fetcher, &f->opts, &err));
	f->opts.headers = NULL;
	f->opts.method = "BREW";
	assert_null(lt_fetch_start(f->fetcher, &f->opts, &err));
	assert_int_equal(err.code, LT_E_INVALID);
}

static void a_malformed_url_is_an_error_result(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "http://[bad/");
	fetch(f);

	assert_int_equal(f->code, LT_E_INVALID);
}

static void stop_loop(void *arg)
{
	lt_loop_stop(arg);
}

static void a_cancelled_request_has_no_result(void **state)
{
	struct fixture *f = *state;
	struct lt_timer timer = { 0 };

	serve(f, serve_nothing, "");
	f->opts.timeout_ms = 30;
	start(f);
	lt_fetch_cancel(f->fetch);
	lt_fetch_cancel(NULL);
	lt_timer_once(&timer, f->loop, 60, stop_loop, f->loop);
	lt_loop_run(f->loop);

	assert_int_equal(f->results, 0);
}

static void cancel_self(struct fixture *f)
{
	lt_fetch_cancel(f->fetch);
}

static void cancelling_in_the_result_is_harmless(void **state)
{
	struct fixture *f = *state;

	f->in_callback = cancel_self;
	serve(f, serve_answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	fetch(f);

	assert_int_equal(f->status, 200);
}

static void destroy_fetcher(struct fixture *f)
{
	lt_fetcher_destroy(LT_STEAL(f->fetcher));
}

static void the_fetcher_may_be_destroyed_in_a_result_while_others_run(void **state)
{
	struct fixture *f = *state;

	f->in_callback = destroy_fetcher;
	serve(f, serve_answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	start(f);
	start(f);
	start(f);
	lt_loop_run(f->loop);

	assert_int_equal(f->results, 1);
	lt_fetcher_destroy(NULL);
}

static void start_again(struct fixture *f)
{
	f->in_callback = NULL;
	start(f);
}

static void a_result_may_start_the_next_request(void **state)
{
	struct fixture *f = *state;

	f->in_callback = start_again;
	serve(f, serve_answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	fetch(f);
	lt_loop_run(f->loop);

	assert_int_equal(f->results, 2);
	assert_int_equal(f->status, 200);
}

static void any_header_of_the_answer_can_be_read(void **state)
{
	struct fixture *f = *state;

	serve(f, serve_answer,
			"HTTP/1.1 429 Slow down\r\nx-LIMIT:  60:error:key \r\nX-Limits: no\r\n"
			"Content-Length: 0\r\n\r\n");
	fetch(f);

	assert_string_equal(f->header.p, "60:error:key");
	assert_int_equal(f->retry_after_s, -1);
}

static void retry_after_is_seconds_or_a_date_and_bounded(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} cases[] = {
		{ "7", 7 },
		{ "0.2", 1 },
		{ "1e300", 86400 },
		{ "-3", -1 },
		{ "soon", -1 },
		{ "", -1 },
		{ "Sat, 16 May 2026 13:01:30 GMT", 90 },
		{ "Sat, 16 May 2026 12:00:00 GMT", 0 },
		{ "Sat, 16 May 2037 12:00:00 GMT", 86400 },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf headers = { 0 };
		struct lt_fetch_result result = { .status = 429 };

		lt_buf_printf(&headers, "HTTP/1.1 429 x\r\nRetry-After: %s\r\n", cases[i].value);
		result.headers = lt_buf_str(&headers);

		assert_int_equal(lt_fetch_retry_after_s(&result,
						 (struct lt_wall){ INT64_C(1778936400) *
								 LT_US_PER_S }),
				cases[i].seconds);
	}
}

static void a_request_that_is_sent_once_follows_no_redirect(void **state)
{
	struct fixture *f = *state;

	f->opts.once = true;
	serve(f, serve_redirect, "once");
	fetch(f);

	assert_int_equal(f->status, 302);
	assert_memory_equal(f->request, "GET /x?y=1 ", 11);
}

/* Two answers on the first connection would be taken if it were used again. */
static void serve_kept_open(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	server_read_until(fd, "\r\n\r\n", f->request, sizeof(f->request));
	server_say(fd,
			nth == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
				 : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
	server_wait_for_close(fd);
}

static void a_request_that_is_sent_once_has_a_connection_of_its_own(void **state)
{
	struct fixture *f = *state;

	f->opts.once = true;
	serve(f, serve_kept_open, "");
	fetch(f);
	start(f);
	lt_loop_run(f->loop);

	assert_string_equal(f->body.p, "second");
}

static void without_an_answer_it_is_known_whether_the_request_left(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/", server_free_port());
	fetch(f);
	assert_false(f->was_sent);

	f->results = 0;
	f->opts.timeout_ms = 1000;
	serve(f, serve_nothing, "");
	fetch(f);
	assert_int_equal(f->status, 0);
	assert_true(f->was_sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_get_gives_status_body_and_headers),
		TEST(a_head_gives_headers_and_waits_for_no_body),
		TEST(a_request_carries_headers_and_conditions),
		TEST(a_body_is_posted_and_any_status_is_an_answer),
		TEST(a_compressed_answer_is_decoded),
		TEST(the_limit_of_the_body_counts_decoded_bytes),
		TEST(a_body_of_just_the_limit_is_fine),
		TEST(a_server_that_does_not_answer_times_out),
		TEST(a_refused_connection_is_an_error_sentence),
		TEST(garbage_for_an_answer_is_an_error),
		TEST(a_redirect_is_followed_and_its_own_headers_forgotten),
		TEST(endless_redirects_are_an_error),
		TEST(a_redirect_to_a_file_is_refused),
		TEST(files_are_read_only_when_allowed),
		TEST(what_cannot_be_sent_is_refused_at_once),
		TEST(a_malformed_url_is_an_error_result),
		TEST(a_cancelled_request_has_no_result),
		TEST(cancelling_in_the_result_is_harmless),
		TEST(the_fetcher_may_be_destroyed_in_a_result_while_others_run),
		TEST(a_result_may_start_the_next_request),
		TEST(any_header_of_the_answer_can_be_read),
		TEST(retry_after_is_seconds_or_a_date_and_bounded),
		TEST(a_request_that_is_sent_once_follows_no_redirect),
		TEST(a_request_that_is_sent_once_has_a_connection_of_its_own),
		TEST(without_an_answer_it_is_known_whether_the_request_left),
	};

	return cmocka_run_group_tests_name("net/fetch", tests, NULL, NULL);
}
