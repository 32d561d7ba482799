#include <sys/stat.h>
#include <sys/time.h>

#include "listener_fixture.h"

#define BIG_BYTES (3 * 1024 * 1024)

static char small_path[64], big_path[64];

static void send_file(void *arg, struct lt_http_req *req)
{
	lt_http_reply_file(req,
			&(struct lt_http_file){
					.path = arg,
					.content_type = "application/zip",
					.download_name = "race \"7\"\r\nX: y.zip",
					.cache_control = "max-age=60",
			});
}

static void add(struct server *server, const char *route, const char *path)
{
	lt_http_add(lt_listeners_http(server->listeners),
			&(struct lt_http_route){ .method = "GET",
					.path = route,
					.fn = send_file,
					.arg = (void *)(uintptr_t)path });
}

static int files_setup(void **state)
{
	struct server *server = server_create();

	*state = server;
	snprintf(small_path, sizeof(small_path), "/tmp/lt_file_small.%d", (int)getpid());
	snprintf(big_path, sizeof(big_path), "/tmp/lt_file_big.%d", (int)getpid());
	FILE *file = fopen(small_path, "w");
	fputs("0123456789", file);
	fclose(file);
	file = fopen(big_path, "w");
	for (unsigned i = 0; i < BIG_BYTES / 4; i++) {
		fwrite(&i, 4, 1, file);
	}
	fclose(file);
	add(server, "/small", small_path);
	add(server, "/big", big_path);
	add(server, "/none", "/nowhere/at/all");
	add(server, "/folder", "/tmp");
	server_start(server, "127.0.0.1:0");
	return 0;
}

static int files_teardown(void **state)
{
	unlink(small_path);
	unlink(big_path);
	return server_teardown(state);
}

struct answer {
	struct lt_buf head, body;
};

static void ask(struct server *server, const char *line, const char *headers, struct answer *ret)
{
	struct lt_buf request = { 0 };
	int fd = wire_connect(server->address);

	lt_buf_printf(&request, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line, headers);
	wire_send(fd, request.p, request.n);
	wire_read_response(fd, strncmp(line, "HEAD", 4) == 0 || strstr(headers, "If-None"),
			&ret->head, &ret->body);
	close(fd);
	lt_buf_finish(&request);
}

static void finish(struct answer *answer)
{
	lt_buf_finish(&answer->head);
	lt_buf_finish(&answer->body);
}

static void expect_head(const struct answer *answer, const char *text)
{
	if (!strstr(answer->head.p, text)) {
		fail_msg("no %s in %s", text, answer->head.p);
	}
}

/* Status, body and Content-Range (NULL: none) of a request for the small file. */
static void expect_range(struct server *server, const char *headers, const char *status,
		const char *body, const char *content_range)
{
	struct answer answer = { 0 };

	ask(server, "GET /small", headers, &answer);

	expect_head(&answer, status);
	assert_str_equal(lt_buf_str(&answer.body), body);
	if (content_range) {
		expect_head(&answer, content_range);
	} else {
		assert_null(strstr(answer.head.p, "Content-Range"));
	}
	finish(&answer);
}

static void a_file_is_sent_with_its_headers(void **state)
{
	struct answer answer = { 0 };

	ask(*state, "GET /small", "", &answer);

	expect_head(&answer, " 200 OK\r\n");
	expect_head(&answer, "Content-Type: application/zip\r\n");
	expect_head(&answer, "Content-Length: 10\r\n");
	expect_head(&answer, "Accept-Ranges: bytes\r\n");
	expect_head(&answer, "Last-Modified: ");
	expect_head(&answer, "ETag: \"a-");
	expect_head(&answer, "Cache-Control: max-age=60\r\n");
	expect_head(&answer,
			"Content-Disposition: attachment; filename=\"race _7___X: y.zip\"\r\n");
	assert_str_equal(lt_buf_str(&answer.body), "0123456789");
	finish(&answer);
}

static void head_tells_the_length_and_sends_nothing(void **state)
{
	struct answer answer = { 0 };

	ask(*state, "HEAD /small", "Range: bytes=2-3\r\n", &answer);

	expect_head(&answer, " 200 OK\r\n");
	expect_head(&answer, "Content-Length: 10\r\n");
	finish(&answer);
}

static void a_single_range_is_sent(void **state)
{
	expect_range(*state, "Range: bytes=2-4\r\n", " 206 ", "234", "Content-Range: bytes 2-4/10");
	expect_range(*state, "Range: bytes=0-0\r\n", " 206 ", "0", "Content-Range: bytes 0-0/10");
	expect_range(*state, "Range: bytes=7-\r\n", " 206 ", "789", "Content-Range: bytes 7-9/10");
	expect_range(*state, "Range: bytes=7-999\r\n", " 206 ", "789",
			"Content-Range: bytes 7-9/10");
	expect_range(*state, "Range: bytes=-3\r\n", " 206 ", "789", "Content-Range: bytes 7-9/10");
	expect_range(*state, "Range: bytes=-99\r\n", " 206 ", "0123456789",
			"Content-Range: bytes 0-9/10");
}

static void a_range_outside_is_416(void **state)
{
	expect_range(*state, "Range: bytes=10-\r\n", " 416 ", "", "Content-Range: bytes */10");
	expect_range(*state, "Range: bytes=-0\r\n", " 416 ", "", "Content-Range: bytes */10");
}

static void what_is_no_single_range_gets_the_whole_file(void **state)
{
	static const char *const ranges[] = {
		"bytes=0-1,3-4",
		"bytes=4-2",
		"bytes=-",
		"bytes=a-b",
		"bytes=99999999999999999999-",
		"lines=1-2",
		"bytes",
	};
	char header[80];

	for (size_t i = 0; i < LT_ARRAY_LEN(ranges); i++) {
		snprintf(header, sizeof(header), "Range: %s\r\n", ranges[i]);
		expect_range(*state, header, " 200 ", "0123456789", NULL);
	}
}

/* The value of a header of the small file, in `ret`. */
static void get_value(struct server *server, const char *name, char ret[100])
{
	struct answer answer = { 0 };
	char pattern[60];

	ask(server, "GET /small", "", &answer);
	snprintf(pattern, sizeof(pattern), "%s: ", name);
	const char *at = strstr(answer.head.p, pattern);
	assert_non_null(at);
	at += strlen(pattern);
	snprintf(ret, 100, "%.*s", (int)strcspn(at, "\r"), at);
	finish(&answer);
}

static void if_range_decides_between_part_and_whole(void **state)
{
	char etag[100], changed[100], headers[300];

	get_value(*state, "ETag", etag);
	get_value(*state, "Last-Modified", changed);
	snprintf(headers, sizeof(headers), "Range: bytes=1-1\r\nIf-Range: %s\r\n", etag);
	expect_range(*state, headers, " 206 ", "1", "Content-Range: bytes 1-1/10");
	snprintf(headers, sizeof(headers), "Range: bytes=1-1\r\nIf-Range: %s\r\n", changed);
	expect_range(*state, headers, " 206 ", "1", "Content-Range: bytes 1-1/10");
	expect_range(*state, "Range: bytes=1-1\r\nIf-Range: \"other\"\r\n", " 200 ", "0123456789",
			NULL);
}

static void a_known_etag_is_answered_with_304_until_the_file_changes(void **state)
{
	char etag[100], headers[200];
	struct answer answer = { 0 };
	struct timeval times[2] = { { 1000, 0 }, { 1000, 0 } };

	get_value(*state, "ETag", etag);
	snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", etag);
	ask(*state, "GET /small", headers, &answer);
	expect_head(&answer, " 304 ");
	utimes(small_path, times);
	ask(*state, "GET /small", headers, &answer);

	expect_head(&answer, " 200 ");
	finish(&answer);
}

static void what_is_no_regular_file_is_404(void **state)
{
	struct answer answer = { 0 };

	ask(*state, "GET /none", "", &answer);
	expect_head(&answer, " 404 ");
	ask(*state, "GET /folder", "", &answer);
	expect_head(&answer, " 404 ");
	finish(&answer);
}

static void a_large_file_and_a_part_of_it_arrive_whole(void **state)
{
	struct answer answer = { 0 };
	unsigned number;

	ask(*state, "GET /big", "", &answer);
	assert_int_equal(answer.body.n, BIG_BYTES);
	memcpy(&number, answer.body.p + BIG_BYTES - 4, 4);
	assert_int_equal(number, BIG_BYTES / 4 - 1);
	ask(*state, "GET /big", "Range: bytes=400000-2399999\r\n", &answer);
	assert_int_equal(answer.body.n, 2000000);
	for (unsigned i = 0; i < 500000; i++) {
		memcpy(&number, answer.body.p + (size_t)i * 4, 4);
		assert_int_equal(number, 100000 + i);
	}
	finish(&answer);
}

static void a_client_that_goes_in_the_middle_of_a_file_leaves_nothing_open(void **state)
{
	struct server *server = *state;

	for (int i = 0; i < 5; i++) {
		int fd = wire_connect(server->address);
		wire_send(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n", 30);
		close(fd);
	}
	a_file_is_sent_with_its_headers(state);
}

int main(void)
{
#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
	const struct CMUnitTest tests[] = {
		FILES_TEST(a_file_is_sent_with_its_headers),
		FILES_TEST(head_tells_the_length_and_sends_nothing),
		FILES_TEST(a_single_range_is_sent),
		FILES_TEST(a_range_outside_is_416),
		FILES_TEST(what_is_no_single_range_gets_the_whole_file),
		FILES_TEST(if_range_decides_between_part_and_whole),
		FILES_TEST(a_known_etag_is_answered_with_304_until_the_file_changes),
		FILES_TEST(what_is_no_regular_file_is_404),
		FILES_TEST(a_large_file_and_a_part_of_it_arrive_whole),
		FILES_TEST(a_client_that_goes_in_the_middle_of_a_file_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
