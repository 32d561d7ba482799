#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/loop.h"
#include "net/percent.h"
#include "net/s3_priv.h"

#define TIMEOUT_MS  120000
#define SMALL_BYTES ((size_t)4 << 20) /* of a listing, of an object into memory */
#define HEADER_MAX  100
#define PARTS_MAX   10000
#define SLOWEST     16 /* bytes a millisecond that a body may take at least */

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
	lt_buf_finish(&job->etag);
	lt_free(job->key);
	lt_free(job->path);
	lt_free(job);
}

static void leave(struct lt_s3_job *job)
{
	assert(job->s3 && job->s3->jobs);
	DL_DELETE(job->s3->jobs, job);
	job->s3 = NULL;
}

void lt_s3_cancel(struct lt_s3_job *job)
{
	if (!job) {
		return;
	}
	assert(job->s3);
	if (job->fetch) {
		job->s3->env.requests.cancel(job->s3->env.requests.arg, job->fetch);
	}
	leave(job);
	if (!job->at_worker) {
		free_job(job);
	}
}

void lt_s3_finish(struct lt_s3_job *job, bool ok)
{
	const struct lt_s3_result result = { .ok = ok,
		.is_denied = job->is_denied,
		.is_absent = job->is_absent,
		.bytes = job->size,
		.etag = lt_buf_str(&job->etag),
		.body = lt_buf_str(&job->part),
		.error = lt_str_from(ok ? "" : job->err.msg) };

	if (!ok && job->kind == GET) {
		unlink(job->path);
	}
	leave(job);
	job->done(job->arg, &result);
	free_job(job);
}

void lt_s3_fail(struct lt_s3_job *job)
{
	if (job->upload_id.n > 0 && job->step != ABORT) {
		lt_s3_next_step(job, ABORT);
	} else {
		lt_s3_finish(job, false);
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

/* A large part may take long where the line is slow. */
static uint32_t timeout_of(const struct lt_s3 *s3, size_t bytes)
{
	return (s3->env.timeout_ms ? s3->env.timeout_ms : TIMEOUT_MS) + (uint32_t)(bytes / SLOWEST);
}

static void ask(struct lt_s3_job *job, const struct request *request)
{
	struct lt_s3 *s3 = job->s3;
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };
	char hash[HEADER_MAX], range[HEADER_MAX], digest[2 * LT_SHA256_BYTES + 1];
	const char *headers[] = { hash, NULL, NULL, NULL, NULL };
	size_t n = 1, bytes = request->body_max ? request->body_max : SMALL_BYTES;

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
					.timeout_ms = timeout_of(
							s3, LT_MAX(bytes, request->body.n)),
					.body_max = bytes,
					.sigv4 = s3->sigv4,
					.sigv4_login = s3->login,
					.result = lt_s3_on_result,
					.arg = job,
			},
			&job->err);
	if (!job->fetch) {
		lt_s3_fail(job);
	}
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
		lt_s3_fail(job);
	} else if (job->step == READ_PART) {
		lt_s3_next_step(job, job->upload_id.n > 0 || is_small ? SEND_PART : BEGIN);
	} else if (job->done_bytes < job->size) {
		lt_s3_next_step(job, ASK_PART);
	} else {
		lt_s3_finish(job, true);
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

void lt_s3_next_step(struct lt_s3_job *job, enum lt_s3_step step)
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
	case ASK_HEAD:
		ask(job, &(struct request){ "HEAD", NULL, { NULL, 0 }, NULL, 0 });
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
		const char *path, enum lt_s3_step step)
{
	struct lt_s3_job *job = lt_zalloc(sizeof(*job));

	*job = *model;
	job->s3 = s3;
	job->fd = -1;
	job->key = lt_strdup(key);
	job->path = path ? lt_strdup(path) : NULL;
	DL_APPEND(s3->jobs, job);
	lt_s3_next_step(job, step);
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

struct lt_s3_job *lt_s3_head(struct lt_s3 *s3, const char *key, lt_s3_done_fn done, void *arg)
{
	const struct lt_s3_job model = { .kind = HEAD, .done = done, .arg = arg };

	return start(s3, &model, key, NULL, ASK_HEAD);
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
