/* What a bucket is asked, in which order, and what becomes of its answers. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/s3.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_s3 *s3;
	char dir[TMPDIR_MAX];
	/* the request that waits for its answer: "PUT /bucket/x?y body=3 range=0-7" */
	char asked[600], body[600];
	uint32_t timeout_ms;
	void (*result)(void *arg, const struct lt_fetch_result *result);
	void *arg;
	int cancelled;
	/* how the job ended */
	int ended;
	bool ok, is_denied, is_absent;
	uint64_t bytes;
	char text[300]; /* its error, or its body */
	struct lt_buf objects;
};

static const char *value_of(const struct lt_fetch_opts *opts, const char *name)
{
	for (const char *const *header = opts->headers; *header; header++) {
		if (strncmp(*header, name, strlen(name)) == 0) {
			return *header + strlen(name);
		}
	}
	return NULL;
}

static struct lt_fetch *start_request(
		void *arg, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	struct fixture *f = arg;
	const char *range = value_of(opts, "Range: bytes=");

	(void)err;
	assert_null(f->result); /* one thing at a time */
	assert_non_null(value_of(opts, "x-amz-content-sha256: "));
	assert_string_equal(opts->sigv4, "aws:amz:eu-test-1:s3");
	assert_string_equal(opts->sigv4_login, "key:secret");
	snprintf(f->asked, sizeof(f->asked), "%s %s", opts->method,
			opts->url + strlen("http://store"));
	if (opts->body.n > 0) {
		size_t n = strlen(f->asked);

		snprintf(f->asked + n, sizeof(f->asked) - n, " body=%zu", opts->body.n);
	}
	if (range) {
		size_t n = strlen(f->asked);

		snprintf(f->asked + n, sizeof(f->asked) - n, " range=%s", range);
	}
	snprintf(f->body, sizeof(f->body), "%.*s", (int)LT_MIN(opts->body.n, 500),
			opts->body.n ? opts->body.p : "");
	f->timeout_ms = opts->timeout_ms;
	f->result = opts->result;
	f->arg = opts->arg;
	return (struct lt_fetch *)f;
}

static void cancel_request(void *arg, struct lt_fetch *fetch)
{
	struct fixture *f = arg;

	(void)fetch;
	f->cancelled++;
	f->result = NULL;
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	f->loop = lt_loop_create(NULL);
	f->s3 = lt_s3_create(&(struct lt_s3_env){
			.loop = f->loop,
			.requests = { f, start_request, cancel_request },
			.url = "http://store/bucket/",
			.region = "eu-test-1",
			.access_key = "key",
			.secret_key = "secret",
	});
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_s3_destroy(f->s3);
	lt_fake_settle(f->loop);
	lt_loop_destroy(f->loop);
	tmpdir_remove(f->dir);
	lt_buf_finish(&f->objects);
	lt_free(f);
	return 0;
}

static void on_done(void *arg, const struct lt_s3_result *result)
{
	struct fixture *f = arg;

	f->ended++;
	f->ok = result->ok;
	f->is_denied = result->is_denied;
	f->is_absent = result->is_absent;
	f->bytes = result->bytes;
	snprintf(f->text, sizeof(f->text), "%.*s",
			(int)LT_MIN(result->ok ? result->body.n : result->error.n, 290),
			result->ok && result->body.n == 0 ? ""
					: result->ok      ? result->body.p
							  : result->error.p);
}

static void on_object(void *arg, const struct lt_s3_object *object)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->objects, "%.*s %.*s %llu\n", LT_STR_ARG(object->key),
			LT_STR_ARG(object->etag), (unsigned long long)object->bytes);
}

/* headers: "Name: value\r\n" ...; an ETag among them is found there. */
static void answer(struct fixture *f, long status, const char *headers, const char *body)
{
	struct lt_fetch_result result = { .status = status,
		.headers = lt_str_from(headers),
		.body = lt_str_from(body),
		.error = lt_str_from(status ? "" : "connection reset") };
	void (*fn)(void *arg, const struct lt_fetch_result *result) = f->result;

	assert_non_null(fn);
	f->result = NULL;
	result.etag = lt_fetch_header(&result, "ETag");
	fn(f->arg, &result);
	lt_fake_settle(f->loop);
}

#define ETAG(tag) "ETag: \"" tag "\"\r\n"

static const char *make_file(struct fixture *f, size_t bytes)
{
	const char *path = in_dir(f->dir, "recording.zip");
	char *content = lt_calloc(bytes + 1, 1);

	memset(content, 'x', bytes);
	file_write(path, (struct lt_str){ content, bytes });
	lt_free(content);
	return path;
}

static void put(struct fixture *f, size_t bytes)
{
	lt_s3_put(f->s3, "a.zip", make_file(f, bytes), on_done, f);
	lt_fake_settle(f->loop);
}

/* --- names --- */

static void names_are_escaped_byte_by_byte_and_slashes_stay(void **state)
{
	static const char *const cases[][2] = {
		{ "a.zip", "a.zip" },
		{ "races/2026/a_1.zip", "races/2026/a_1.zip" },
		{ "a b+c&d=e?f#g%h", "a%20b%2Bc%26d%3De%3Ff%23g%25h" },
		{ "(a)!'*", "%28a%29%21%27%2A" },
		{ "\xc3\xa9~-._", "%C3%A9~-._" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char wanted[200];
		struct lt_s3_job *job = lt_s3_head(f->s3, cases[i][0], on_done, f);

		snprintf(wanted, sizeof(wanted), "HEAD /bucket/%s", cases[i][1]);
		assert_string_equal(f->asked, wanted);
		lt_s3_cancel(job);
	}
	assert_int_equal(f->ended, 0);
}

/* --- uploads --- */

static void a_file_that_fits_into_a_part_is_sent_at_once_and_confirmed(void **state)
{
	struct fixture *f = *state;

	put(f, LT_S3_PART_BYTES);
	assert_string_equal(f->asked, "PUT /bucket/a.zip body=8388608");
	answer(f, 200, ETAG("1"), "");
	assert_string_equal(f->asked, "HEAD /bucket/a.zip");
	assert_int_equal(f->ended, 0);
	answer(f, 200, ETAG("1") "Content-Length: 8388608\r\n", "");

	assert_int_equal(f->ended, 1);
	assert_true(f->ok);
	assert_int_equal(f->bytes, 8388608);
}

static void a_larger_one_goes_in_parts(void **state)
{
	struct fixture *f = *state;

	put(f, 2 * LT_S3_PART_BYTES + 1);
	assert_string_equal(f->asked, "POST /bucket/a.zip?uploads=");
	answer(f, 200, "", "<R><UploadId>i&amp;d/1</UploadId></R>");
	assert_string_equal(
			f->asked, "PUT /bucket/a.zip?partNumber=1&uploadId=i%26d%2F1 body=8388608");
	answer(f, 200, ETAG("a"), "");
	assert_string_equal(
			f->asked, "PUT /bucket/a.zip?partNumber=2&uploadId=i%26d%2F1 body=8388608");
	answer(f, 200, ETAG("b"), "");
	assert_string_equal(f->asked, "PUT /bucket/a.zip?partNumber=3&uploadId=i%26d%2F1 body=1");
	answer(f, 200, ETAG("c"), "");
	assert_int_equal(strncmp(f->asked, "POST /bucket/a.zip?uploadId=i%26d%2F1 ", 38), 0);
	assert_string_equal(f->body,
			"<CompleteMultipartUpload>"
			"<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
			"<Part><PartNumber>2</PartNumber><ETag>\"b\"</ETag></Part>"
			"<Part><PartNumber>3</PartNumber><ETag>\"c\"</ETag></Part>"
			"</CompleteMultipartUpload>");
	answer(f, 200, "",
			"<CompleteMultipartUploadResult xmlns=\"x\"><ETag>&quot;abc-3&quot;</ETag>"
			"</CompleteMultipartUploadResult>");
	assert_string_equal(f->asked, "HEAD /bucket/a.zip");
	answer(f, 200, "ETag: abc-3\r\nContent-Length: 16777217\r\n", "");

	assert_true(f->ok);
}

static void a_part_that_fails_takes_back_what_was_begun(void **state)
{
	struct fixture *f = *state;

	put(f, LT_S3_PART_BYTES + 1);
	answer(f, 200, "", "<UploadId>1</UploadId>");
	answer(f, 500, "", "<Error><Code>InternalError</Code></Error>");
	assert_string_equal(f->asked, "DELETE /bucket/a.zip?uploadId=1");
	assert_int_equal(f->ended, 0);
	answer(f, 0, "", "");

	assert_int_equal(f->ended, 1);
	assert_false(f->ok);
	assert_string_equal(f->text, "the store answers 500 InternalError");
}

static void a_large_part_may_take_long(void **state)
{
	struct fixture *f = *state;

	put(f, LT_S3_PART_BYTES);
	assert_true(f->timeout_ms >= 500000); /* 128 kbit/s */
}

static void what_was_confirmed_is_what_was_sent(void **state)
{
	static const char *const cases[][2] = {
		{ ETAG("1") "Content-Length: 2\r\n", "the store has 2 bytes of 3" },
		{ ETAG("2") "Content-Length: 3\r\n", "the store has something else there" },
		{ "Content-Length: 3\r\n", "the store has something else there" },
		{ ETAG("1"), "the store's answer has no Content-Length" },
		{ ETAG("1") "Content-Length: -3\r\n", "the store's answer has no Content-Length" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		put(f, 3);
		answer(f, 200, ETAG("1"), "");
		answer(f, 200, cases[i][0], "");
		assert_int_equal(f->ended, (int)i + 1);
		assert_false(f->ok);
		assert_string_equal(f->text, cases[i][1]);
	}
}

static void a_weak_tag_is_the_same_one(void **state)
{
	struct fixture *f = *state;

	put(f, 3);
	answer(f, 200, ETAG("1"), "");
	answer(f, 200, "ETag: W/\"1\"\r\nContent-Length: 3\r\n", "");
	assert_true(f->ok);
}

static void a_file_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	lt_s3_put(f->s3, "a.zip", in_dir(f->dir, "none.zip"), on_done, f);
	lt_fake_settle(f->loop);
	assert_int_equal(f->ended, 1);
	assert_false(f->ok);
	assert_non_null(strstr(f->text, "none.zip: No such file"));
	assert_string_equal(f->asked, "");
}

static void what_is_no_answer_to_a_large_upload_is_told(void **state)
{
	struct fixture *f = *state;

	put(f, LT_S3_PART_BYTES + 1);
	answer(f, 200, "", "<html>");
	assert_string_equal(f->text, "the store's answer has no UploadId");

	put(f, LT_S3_PART_BYTES + 1);
	answer(f, 200, "", "<UploadId>1</UploadId>");
	answer(f, 200, "", "");
	answer(f, 204, "", "");
	assert_string_equal(f->text, "the store's answer has no ETag");
	assert_int_equal(f->ended, 2);
}

/* --- refusals --- */

static void refusals_are_told_apart(void **state)
{
	static const struct {
		long status;
		const char *body;
		bool is_denied, is_absent;
		const char *says;
	} cases[] = {
		{ 403, "<Code>RequestTimeTooSkewed</Code>", true, false,
				"the store answers 403 RequestTimeTooSkewed" },
		{ 401, "", true, false, "the store answers 401" },
		{ 404, "<Code>NoSuchKey</Code>", false, true, "the store answers 404 NoSuchKey" },
		{ 404, "<Code>NoSuchBucket</Code>", false, false,
				"the store answers 404 NoSuchBucket" },
		{ 503, "\xff<Code>", false, false, "the store answers 503" },
		{ 304, "", false, false, "the store answers 304" },
		{ 0, "", false, false, "connection reset" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		lt_s3_get_bytes(f->s3, "a", on_done, f);
		answer(f, cases[i].status, "", cases[i].body);
		assert_false(f->ok);
		assert_int_equal(f->is_denied, cases[i].is_denied);
		assert_int_equal(f->is_absent, cases[i].is_absent);
		assert_string_equal(f->text, cases[i].says);
		assert_null(strstr(f->text, "secret"));
	}
}

/* --- downloads --- */

static void a_large_object_is_fetched_in_parts_into_a_file(void **state)
{
	struct fixture *f = *state;
	char *part = lt_calloc(LT_S3_PART_BYTES + 1, 1);
	struct stat info;
	const char *path = in_dir(f->dir, "got");

	memset(part, 'y', LT_S3_PART_BYTES);
	lt_s3_get(f->s3, "a", path, on_done, f);
	assert_string_equal(f->asked, "GET /bucket/a range=0-8388607");
	answer(f, 206, ETAG("1") "Content-Range: bytes 0-8388607/8388611\r\n", part);
	assert_string_equal(f->asked, "GET /bucket/a range=8388608-16777215");
	answer(f, 206, ETAG("1") "Content-Range: bytes 8388608-8388610/8388611\r\n", "end");

	assert_true(f->ok);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_size, 8388611);
	lt_free(part);
}

static void an_object_that_changes_meanwhile_is_not_kept(void **state)
{
	static const char *const seconds[] = {
		ETAG("2") "Content-Range: bytes 4-5/6\r\n",
		ETAG("1") "Content-Range: bytes 4-5/7\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(seconds); i++) {
		lt_s3_get(f->s3, "a", in_dir(f->dir, "got"), on_done, f);
		answer(f, 206, ETAG("1") "Content-Range: bytes 0-3/6\r\n", "0123");
		assert_string_equal(f->asked, "GET /bucket/a range=4-8388611");
		answer(f, 206, seconds[i], "45");
		assert_false(f->ok);
		assert_string_equal(f->text, "the object has changed meanwhile");
		assert_int_not_equal(access(in_dir(f->dir, "got"), F_OK), 0);
	}
}

static void a_part_without_bytes_or_range_is_none(void **state)
{
	struct fixture *f = *state;

	lt_s3_get(f->s3, "a", in_dir(f->dir, "got"), on_done, f);
	answer(f, 206, ETAG("1") "Content-Range: bytes 0-3/6\r\n", "");
	assert_string_equal(f->text, "the store's answer has no bytes");
	lt_s3_get(f->s3, "a", in_dir(f->dir, "got"), on_done, f);
	answer(f, 206, ETAG("1"), "0123");
	assert_string_equal(f->text, "the store's answer has no Content-Range");
	assert_int_equal(f->ended, 2);
}

static void a_cancelled_job_says_nothing_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct lt_s3_job *job = lt_s3_get(f->s3, "a", in_dir(f->dir, "got"), on_done, f);

	lt_s3_cancel(job);
	assert_int_equal(f->cancelled, 1);
	job = lt_s3_put(f->s3, "a", make_file(f, 3), on_done, f);
	lt_s3_cancel(job); /* at a worker */
	lt_fake_settle(f->loop);
	assert_int_equal(f->ended, 0);
}

/* --- listings --- */

static void a_listing_goes_on_until_it_is_whole(void **state)
{
	struct fixture *f = *state;

	lt_s3_list(f->s3, "races/x&y/", on_object, on_done, f);
	assert_string_equal(f->asked, "GET /bucket/?list-type=2&prefix=races%2Fx%26y%2F");
	answer(f, 200, "",
			"<ListBucketResult xmlns=\"x\"><IsTruncated>true</IsTruncated>"
			"<Contents><Key>a&amp;b</Key><ETag>&quot;1&quot;</ETag><Size>5</Size></Contents>"
			"<Contents><Size>7</Size></Contents>"
			"<NextContinuationToken>n/1</NextContinuationToken></ListBucketResult>");
	assert_string_equal(f->asked,
			"GET /bucket/?continuation-token=n%2F1&list-type=2&prefix="
			"races%2Fx%26y%2F");
	answer(f, 200, "",
			"<ListBucketResult><IsTruncated>false</IsTruncated>"
			"<Contents><Key>c</Key><Size>none</Size></Contents></ListBucketResult>");

	assert_true(f->ok);
	assert_str_equal(lt_buf_str(&f->objects), "a&b \"1\" 5\nc  0\n");
}

static void half_a_listing_is_none(void **state)
{
	static const char *const halves[] = { "", "<html>", "<ListBucketResult>",
		"<IsTruncated>false</IsTruncated>",
		"<ListBucketResult><IsTruncated>true</IsTruncated>",
		("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>"
		 "</NextContinuationToken>") };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(halves); i++) {
		lt_s3_list(f->s3, "", on_object, on_done, f);
		answer(f, 200, "", halves[i]);
		assert_int_equal(f->ended, (int)i + 1);
		assert_false(f->ok);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(names_are_escaped_byte_by_byte_and_slashes_stay),
		TEST(a_file_that_fits_into_a_part_is_sent_at_once_and_confirmed),
		TEST(a_larger_one_goes_in_parts),
		TEST(a_part_that_fails_takes_back_what_was_begun),
		TEST(a_large_part_may_take_long),
		TEST(what_was_confirmed_is_what_was_sent),
		TEST(a_weak_tag_is_the_same_one),
		TEST(a_file_that_is_not_there_is_told),
		TEST(what_is_no_answer_to_a_large_upload_is_told),
		TEST(refusals_are_told_apart),
		TEST(a_large_object_is_fetched_in_parts_into_a_file),
		TEST(an_object_that_changes_meanwhile_is_not_kept),
		TEST(a_part_without_bytes_or_range_is_none),
		TEST(a_cancelled_job_says_nothing_and_leaves_nothing),
		TEST(a_listing_goes_on_until_it_is_whole),
		TEST(half_a_listing_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
