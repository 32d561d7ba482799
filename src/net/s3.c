#include "net/s3.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "base/loop.h"
#include "base/table.h"
#include "net/percent.h"
#include "net/s3_xml.h"

#define TIMEOUT_MS  120000
#define SMALL_BYTES ((size_t)4 << 20) /* of a listing, of an object into memory */
#define HEADER_MAX  100
#define PARTS_MAX   10000

enum kind { PUT, GET, GET_BYTES, LIST };
enum step { READ_PART, BEGIN, SEND_PART, COMPLETE, CONFIRM, ABORT, ASK_PART, WRITE_PART, ASK_LIST };

struct lt_s3 {
	struct lt_s3_env env;
	char *url, *login, *sigv4;
	struct lt_s3_job *jobs;
};

struct lt_s3_job {
	struct lt_s3_job *prev, *next;
	struct lt_s3 *s3; /* NULL: cancelled while a worker has it */
	enum kind kind;
	enum step step;
	char *key, *path;
	struct lt_fetch *fetch;
	bool at_worker;
	/* the worker's */
	int fd;
	struct lt_buf part;
	char hash[2 * LT_SHA256_BYTES + 1]; /* of the part */
	uint64_t size, done_bytes;
	struct lt_err err;
	/* of an upload in parts */
	struct lt_buf upload_id, etags; /* etags: the XML that completes it */
	unsigned part_number;
	struct lt_buf token; /* of a listing: where it goes on */
	bool is_denied, is_absent;
	void (*each)(void *arg, const struct lt_s3_object *object);
	lt_s3_done_fn done;
	void *arg;
};

static void next_step(struct lt_s3_job *job, enum step step);

/* --- life of a job --- */

static void free_job(struct lt_s3_job *job)
{
	if (job->fd >= 0) {
		close(job->fd);
	}
	lt_buf_finish(&job->part);
	lt_buf_finish(&job->upload_id);
	lt_buf_finish(&job->etags);
	lt_buf_finish(&job->token);
	lt_free(job->key);
	lt_free(job->path);
	lt_free(job);
}

static void leave(struct lt_s3_job *job)
{
	DL_DELETE(job->s3->jobs, job);
	job->s3 = NULL;
}

void lt_s3_cancel(struct lt_s3_job *job)
{
	if (!job) {
		return;
	}
	if (job->fetch) {
		job->s3->env.requests.cancel(job->s3->env.requests.arg, job->fetch);
	}
	leave(job);
	if (!job->at_worker) {
		free_job(job);
	}
}

static void finish(struct lt_s3_job *job, bool ok)
{
	const struct lt_s3_result result = { .ok = ok,
		.is_denied = job->is_denied,
		.is_absent = job->is_absent,
		.bytes = job->size,
		.body = lt_buf_str(&job->part),
		.error = lt_str_from(ok ? "" : job->err.msg) };

	if (!ok && job->kind == GET) {
		unlink(job->path);
	}
	leave(job);
	job->done(job->arg, &result);
	free_job(job);
}

/* An upload in parts that fails is taken back, as far as that works. */
static void fail(struct lt_s3_job *job)
{
	if (job->upload_id.n > 0 && job->step != ABORT) {
		next_step(job, ABORT);
	} else {
		finish(job, false);
	}
}

/* --- requests --- */

struct request {
	const char *method;
	const char *query; /* "a=b&c=d", sorted and encoded; NULL: none */
	struct lt_str body;
	const char *range; /* "0-7"; NULL: all */
	size_t body_max;
};

static void on_result(void *arg, const struct lt_fetch_result *result);

static void hash_of(struct lt_str bytes, char ret[2 * LT_SHA256_BYTES + 1])
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	lt_sha256(bytes, digest);
	lt_hex_encode(&hex, digest, sizeof(digest));
	snprintf(ret, 2 * LT_SHA256_BYTES + 1, "%.*s", LT_STR_ARG(lt_buf_str(&hex)));
}

static void write_url(const struct lt_s3_job *job, const char *query, struct lt_buf *url)
{
	struct lt_str key = lt_str_from(job->key);

	lt_buf_add_c(url, job->s3->url);
	lt_buf_add_char(url, '/');
	while (key.n > 0 && job->kind != LIST) {
		lt_percent_encode(url, lt_str_split(&key, '/'));
		lt_buf_add_c(url, key.p ? "/" : "");
	}
	if (query) {
		lt_buf_printf(url, "?%s", query);
	}
	lt_buf_add_char(url, '\0');
}

static void ask(struct lt_s3_job *job, const struct request *request)
{
	struct lt_s3 *s3 = job->s3;
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };
	char hash[HEADER_MAX], range[HEADER_MAX], digest[2 * LT_SHA256_BYTES + 1];
	const char *headers[] = { hash, NULL, NULL, NULL, NULL };
	size_t n = 1;

	write_url(job, request->query, &url);
	if (request->body.n > 0 && job->step == SEND_PART) {
		snprintf(hash, sizeof(hash), "x-amz-content-sha256: %s", job->hash);
	} else {
		hash_of(request->body, digest);
		snprintf(hash, sizeof(hash), "x-amz-content-sha256: %s", digest);
	}
	if (request->range) {
		snprintf(range, sizeof(range), "Range: bytes=%s", request->range);
		headers[n++] = range;
	}
	if (request->body.p) {
		headers[n++] = "Content-Type: application/octet-stream";
	}
	job->fetch = s3->env.requests.start(s3->env.requests.arg,
			&(struct lt_fetch_opts){
					.url = url.p,
					.method = request->method,
					.headers = headers,
					.body = request->body,
					.timeout_ms = s3->env.timeout_ms ? s3->env.timeout_ms
									 : TIMEOUT_MS,
					.body_max = request->body_max ? request->body_max
								      : SMALL_BYTES,
					.sigv4 = s3->sigv4,
					.sigv4_login = s3->login,
					.result = on_result,
					.arg = job,
			},
			&job->err);
	if (!job->fetch) {
		fail(job);
	}
}

/* "Code" of the answer, or its status. */
static bool say_failure(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, code = LT_STR("");
	enum lt_errc errc = LT_E_UNAVAILABLE;

	if (result->status == 0) {
		lt_err_set(&job->err, result->code, "%.*s", LT_STR_ARG(result->error));
		return false;
	}
	lt_s3_xml_next(&rest, "Code", &code);
	job->is_denied = result->status == 401 || result->status == 403;
	job->is_absent = result->status == 404 && !lt_str_eq_c(code, "NoSuchBucket");
	if (job->is_denied) {
		errc = LT_E_DENIED;
	} else if (job->is_absent) {
		errc = LT_E_NOT_FOUND;
	}
	lt_err_set(&job->err, errc, "the store answers %ld%s%.*s", result->status,
			code.n ? " " : "", (int)LT_MIN(code.n, 60), code.p ? code.p : "");
	return false;
}

/* --- workers: parts of files --- */

static void read_part(void *arg)
{
	struct lt_s3_job *job = arg;
	size_t want = (size_t)LT_MIN(job->size - job->done_bytes, LT_S3_PART_BYTES);
	ssize_t n = 0;

	lt_buf_clear(&job->part);
	lt_buf_reserve(&job->part, want + 1);
	while (job->part.n < want &&
			(n = pread(job->fd, job->part.p + job->part.n, want - job->part.n,
					 (off_t)(job->done_bytes + job->part.n))) > 0) {
		job->part.n += (size_t)n;
	}
	if (job->part.n < want) {
		lt_err_set(&job->err, LT_E_IO, "%s: %s", job->path,
				n < 0 ? strerror(errno) : "it became shorter");
		return;
	}
	hash_of(lt_buf_str(&job->part), job->hash);
}

/* The first read finds out how large the file is. */
static void open_and_read(void *arg)
{
	struct lt_s3_job *job = arg;
	struct stat info;

	if (job->fd < 0 && job->path) {
		job->fd = open(job->path, O_RDONLY | O_CLOEXEC);
		if (job->fd < 0 || fstat(job->fd, &info) != 0) {
			lt_err_errno(&job->err, "%s", job->path);
			return;
		}
		job->size = (uint64_t)info.st_size;
		if (job->size > (uint64_t)PARTS_MAX * LT_S3_PART_BYTES) {
			lt_err_set(&job->err, LT_E_LIMIT, "%s: too large for the store", job->path);
			return;
		}
	}
	if (job->path) {
		read_part(job);
	} else {
		hash_of(lt_buf_str(&job->part), job->hash);
	}
}

static void write_part(void *arg)
{
	struct lt_s3_job *job = arg;
	size_t at = 0;

	if (job->fd < 0) {
		job->fd = open(job->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0664);
	}
	while (job->fd >= 0 && at < job->part.n) {
		ssize_t n = write(job->fd, job->part.p + at, job->part.n - at);

		if (n < 0) {
			break;
		}
		at += (size_t)n;
	}
	job->done_bytes += at;
	if (job->fd < 0 || at < job->part.n ||
			(job->done_bytes >= job->size && fsync(job->fd) != 0)) {
		lt_err_errno(&job->err, "%s", job->path);
	}
	lt_buf_clear(&job->part);
}

static void worker_done(void *arg)
{
	struct lt_s3_job *job = arg;
	bool is_small = job->size <= LT_S3_PART_BYTES;

	job->at_worker = false;
	if (!job->s3) { /* cancelled meanwhile */
		if (job->kind == GET) {
			unlink(job->path);
		}
		free_job(job);
	} else if (job->err.code != LT_E_NONE) {
		fail(job);
	} else if (job->step == READ_PART) {
		next_step(job, job->upload_id.n > 0 || is_small ? SEND_PART : BEGIN);
	} else if (job->done_bytes < job->size) {
		next_step(job, ASK_PART);
	} else {
		finish(job, true);
	}
}

/* --- steps --- */

static void send_part(struct lt_s3_job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf query = { 0 };

	if (job->upload_id.n > 0) {
		lt_buf_printf(&query, "partNumber=%u&uploadId=", job->part_number + 1);
		lt_percent_encode(&query, lt_buf_str(&job->upload_id));
		lt_buf_add_char(&query, '\0');
	}
	ask(job, &(struct request){ "PUT", query.p, lt_buf_str(&job->part), NULL, 0 });
}

static void ask_of_upload(struct lt_s3_job *job, const char *method, struct lt_str body)
{
	LT_AUTO(lt_buf_finish) struct lt_buf query = { 0 };

	lt_buf_add_c(&query, "uploadId=");
	lt_percent_encode(&query, lt_buf_str(&job->upload_id));
	lt_buf_add_char(&query, '\0');
	ask(job, &(struct request){ method, query.p, body, NULL, 0 });
}

static void complete(struct lt_s3_job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

	lt_buf_printf(&body, "<CompleteMultipartUpload>%.*s</CompleteMultipartUpload>",
			LT_STR_ARG(lt_buf_str(&job->etags)));
	ask_of_upload(job, "POST", lt_buf_str(&body));
}

static void ask_part(struct lt_s3_job *job)
{
	char range[HEADER_MAX];

	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, job->done_bytes,
			job->done_bytes + LT_S3_PART_BYTES - 1);
	ask(job, &(struct request){ "GET", NULL, { NULL, 0 }, range, LT_S3_PART_BYTES });
}

static void ask_list(struct lt_s3_job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf query = { 0 };

	if (job->token.n > 0) {
		lt_buf_add_c(&query, "continuation-token=");
		lt_percent_encode(&query, lt_buf_str(&job->token));
		lt_buf_add_char(&query, '&');
	}
	lt_buf_add_c(&query, "list-type=2&prefix=");
	lt_percent_encode(&query, lt_str_from(job->key));
	lt_buf_add_char(&query, '\0');
	ask(job, &(struct request){ "GET", query.p, { NULL, 0 }, NULL, 0 });
}

static void next_step(struct lt_s3_job *job, enum step step)
{
	job->step = step;
	switch (step) {
	case READ_PART:
		job->at_worker = true;
		lt_loop_work(job->s3->env.loop, open_and_read, worker_done, job);
		break;
	case WRITE_PART:
		job->at_worker = true;
		lt_loop_work(job->s3->env.loop, write_part, worker_done, job);
		break;
	case BEGIN:
		ask(job, &(struct request){ "POST", "uploads=", LT_STR(""), NULL, 0 });
		break;
	case SEND_PART:
		send_part(job);
		break;
	case COMPLETE:
		complete(job);
		break;
	case CONFIRM:
		ask(job, &(struct request){ "GET", NULL, { NULL, 0 }, "0-0", 0 });
		break;
	case ABORT:
		ask_of_upload(job, "DELETE", (struct lt_str){ NULL, 0 });
		break;
	case ASK_PART:
		ask_part(job);
		break;
	case ASK_LIST:
		ask_list(job);
		break;
	}
}

/* --- answers --- */

static bool broken(struct lt_s3_job *job, const char *what)
{
	return lt_err_set(&job->err, LT_E_FORMAT, "the store's answer has no %s", what);
}

static bool on_begun(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, id;

	if (!lt_s3_xml_next(&rest, "UploadId", &id) || id.n == 0) {
		return broken(job, "UploadId");
	}
	lt_s3_xml_text(&job->upload_id, id);
	next_step(job, SEND_PART);
	return true;
}

static bool on_part_sent(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	job->done_bytes += job->part.n;
	if (job->upload_id.n == 0) {
		next_step(job, CONFIRM);
		return true;
	}
	if (result->etag.n == 0) {
		return broken(job, "ETag");
	}
	lt_buf_printf(&job->etags, "<Part><PartNumber>%u</PartNumber><ETag>%.*s</ETag></Part>",
			++job->part_number, LT_STR_ARG(result->etag));
	next_step(job, job->done_bytes < job->size ? READ_PART : COMPLETE);
	return true;
}

/* An error may come with status 200: the answer begins before the parts are put together. */
static bool on_completed(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, inside;

	if (!lt_s3_xml_next(&rest, "CompleteMultipartUploadResult", &inside) &&
			!memmem(result->body.p ? result->body.p : "", result->body.n,
					"<CompleteMultipartUploadResult ",
					strlen("<CompleteMultipartUploadResult "))) {
		return broken(job, "CompleteMultipartUploadResult");
	}
	lt_buf_clear(&job->upload_id);
	next_step(job, CONFIRM);
	return true;
}

/* "bytes 0-0/1234" */
static bool read_size(const struct lt_fetch_result *result, uint64_t *ret)
{
	struct lt_str range = lt_fetch_header(result, "content-range");

	lt_str_split(&range, '/');
	return range.p && lt_parse_u64(range, INT64_MAX, ret, NULL);
}

static bool on_confirmed(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	uint64_t size = 0;

	if (job->size > 0 && (!read_size(result, &size) || size != job->size)) {
		return lt_err_set(&job->err, LT_E_FORMAT,
				"the store has %" PRIu64 " bytes of %" PRIu64, size, job->size);
	}
	finish(job, true);
	return true;
}

static bool on_part_got(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	uint64_t size = result->body.n;

	if (result->status == 206 && !read_size(result, &size)) {
		return broken(job, "Content-Range");
	}
	if (job->done_bytes > 0 && size != job->size) {
		return lt_err_set(&job->err, LT_E_UNAVAILABLE, "the object has changed meanwhile");
	}
	if (result->body.n == 0 && size > 0) {
		return broken(job, "bytes");
	}
	job->size = size;
	lt_buf_clear(&job->part);
	lt_buf_add_str(&job->part, result->body);
	if (job->kind == GET_BYTES) {
		finish(job, true);
	} else {
		next_step(job, WRITE_PART);
	}
	return true;
}

static void tell_objects(struct lt_s3_job *job, struct lt_str rest)
{
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 }, etag = { 0 };
	struct lt_str contents, inside, at;

	while (job->s3 && lt_s3_xml_next(&rest, "Contents", &contents)) {
		struct lt_s3_object object = { 0 };

		lt_buf_clear(&key);
		lt_buf_clear(&etag);
		at = contents;
		if (!lt_s3_xml_next(&at, "Key", &inside)) {
			continue;
		}
		lt_s3_xml_text(&key, inside);
		at = contents;
		if (lt_s3_xml_next(&at, "ETag", &inside)) {
			lt_s3_xml_text(&etag, inside);
		}
		at = contents;
		if (lt_s3_xml_next(&at, "Size", &inside)) {
			lt_parse_u64(inside, INT64_MAX, &object.bytes, NULL);
		}
		object.key = lt_buf_str(&key);
		object.etag = lt_buf_str(&etag);
		job->each(job->arg, &object);
	}
}

static bool on_listed(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, truncated, token;

	if (!memmem(result->body.p ? result->body.p : "", result->body.n, "<ListBucketResult",
			    strlen("<ListBucketResult")) ||
			!lt_s3_xml_next(&rest, "IsTruncated", &truncated)) {
		return broken(job, "ListBucketResult");
	}
	tell_objects(job, result->body);
	lt_buf_clear(&job->token);
	rest = result->body;
	if (lt_str_eq_c(truncated, "true") &&
			lt_s3_xml_next(&rest, "NextContinuationToken", &token)) {
		lt_s3_xml_text(&job->token, token);
		next_step(job, ASK_LIST);
	} else {
		finish(job, true);
	}
	return true;
}

static bool take_answer(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	switch (job->step) {
	case BEGIN:
		return on_begun(job, result);
	case SEND_PART:
		return on_part_sent(job, result);
	case COMPLETE:
		return on_completed(job, result);
	case CONFIRM:
		return on_confirmed(job, result);
	case ASK_PART:
		return on_part_got(job, result);
	case ASK_LIST:
		return on_listed(job, result);
	case ABORT:
	case READ_PART:
	case WRITE_PART:
		break;
	}
	return false;
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_s3_job *job = arg;
	bool is_good = result->status == 200 || result->status == 204 || result->status == 206;
	/* an empty object has no range */
	bool is_empty = job->step == CONFIRM && job->size == 0 && result->status == 416;

	job->fetch = NULL;
	if (job->step == ABORT) {
		finish(job, false);
	} else if (!is_good && !is_empty) {
		say_failure(job, result);
		fail(job);
	} else if (!take_answer(job, result)) {
		fail(job);
	}
}

/* --- the bucket --- */

struct lt_s3 *lt_s3_create(const struct lt_s3_env *env)
{
	struct lt_s3 *s3 = lt_zalloc(sizeof(*s3));
	struct lt_str url = lt_str_from(env->url);
	struct lt_buf login = { 0 }, sigv4 = { 0 };

	while (url.n > 0 && url.p[url.n - 1] == '/') {
		url.n--;
	}
	s3->env = *env;
	s3->url = lt_str_dup(url);
	lt_buf_printf(&login, "%s:%s", env->access_key, env->secret_key);
	s3->login = lt_buf_steal(&login);
	lt_buf_printf(&sigv4, "aws:amz:%s:s3", env->region);
	s3->sigv4 = lt_buf_steal(&sigv4);
	return s3;
}

void lt_s3_destroy(struct lt_s3 *s3)
{
	if (!s3) {
		return;
	}
	while (s3->jobs) {
		lt_s3_cancel(s3->jobs);
	}
	lt_free(s3->url);
	lt_free(s3->login);
	lt_free(s3->sigv4);
	lt_free(s3);
}

static struct lt_s3_job *start(struct lt_s3 *s3, const struct lt_s3_job *model, const char *key,
		const char *path, enum step step)
{
	struct lt_s3_job *job = lt_zalloc(sizeof(*job));

	*job = *model;
	job->s3 = s3;
	job->fd = -1;
	job->key = lt_strdup(key);
	job->path = path ? lt_strdup(path) : NULL;
	DL_APPEND(s3->jobs, job);
	next_step(job, step);
	return job;
}

struct lt_s3_job *lt_s3_put(
		struct lt_s3 *s3, const char *key, const char *path, lt_s3_done_fn done, void *arg)
{
	const struct lt_s3_job model = { .kind = PUT, .done = done, .arg = arg };

	return start(s3, &model, key, path, READ_PART);
}

struct lt_s3_job *lt_s3_put_bytes(struct lt_s3 *s3, const char *key, struct lt_str bytes,
		lt_s3_done_fn done, void *arg)
{
	struct lt_s3_job model = { .kind = PUT, .size = bytes.n, .done = done, .arg = arg };

	lt_buf_add_str(&model.part, bytes);
	return start(s3, &model, key, NULL, READ_PART);
}

struct lt_s3_job *lt_s3_get(
		struct lt_s3 *s3, const char *key, const char *path, lt_s3_done_fn done, void *arg)
{
	const struct lt_s3_job model = { .kind = GET, .done = done, .arg = arg };

	return start(s3, &model, key, path, ASK_PART);
}

struct lt_s3_job *lt_s3_get_bytes(struct lt_s3 *s3, const char *key, lt_s3_done_fn done, void *arg)
{
	const struct lt_s3_job model = { .kind = GET_BYTES, .done = done, .arg = arg };

	return start(s3, &model, key, NULL, ASK_PART);
}

struct lt_s3_job *lt_s3_list(struct lt_s3 *s3, const char *prefix,
		void (*each)(void *arg, const struct lt_s3_object *object), lt_s3_done_fn done,
		void *arg)
{
	const struct lt_s3_job model = { .kind = LIST, .each = each, .done = done, .arg = arg };

	return start(s3, &model, prefix, NULL, ASK_LIST);
}
