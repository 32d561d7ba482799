/* What the store answers, and what follows from it. */
#include <inttypes.h>

#include "net/s3_priv.h"
#include "net/s3_xml.h"

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

static bool broken(struct lt_s3_job *job, const char *what)
{
	return lt_err_set(&job->err, LT_E_FORMAT, "the store's answer has no %s", what);
}

static bool has(struct lt_str body, const char *text)
{
	return body.n > 0 && memmem(body.p, body.n, text, strlen(text)) != NULL;
}

/* Not all quote a tag in every answer; what stands between may call it weak. */
static struct lt_str bare(struct lt_str etag)
{
	etag = lt_str_starts(etag, LT_STR("W/")) ? lt_str_skip(etag, 2) : etag;
	if (etag.n > 1 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"') {
		etag = (struct lt_str){ etag.p + 1, etag.n - 2 };
	}
	return etag;
}

static void set_etag(struct lt_s3_job *job, struct lt_str etag)
{
	lt_buf_clear(&job->etag);
	lt_buf_add_str(&job->etag, etag);
}

static bool on_begun(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, id;

	if (!lt_s3_xml_next(&rest, "UploadId", &id) || id.n == 0) {
		return broken(job, "UploadId");
	}
	lt_s3_xml_text(&job->upload_id, id);
	lt_s3_next_step(job, SEND_PART);
	return true;
}

static bool on_part_sent(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	if (result->etag.n == 0) {
		return broken(job, "ETag");
	}
	job->done_bytes += job->part.n;
	if (job->upload_id.n == 0) {
		set_etag(job, result->etag);
		lt_s3_next_step(job, ASK_HEAD);
		return true;
	}
	lt_buf_printf(&job->etags, "<Part><PartNumber>%u</PartNumber><ETag>%.*s</ETag></Part>",
			++job->part_number, LT_STR_ARG(result->etag));
	lt_s3_next_step(job, job->done_bytes < job->size ? READ_PART : COMPLETE);
	return true;
}

/* An error may come with status 200: the answer begins before the parts are put together. */
static bool on_completed(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	struct lt_str rest = result->body, inside;

	if (!has(result->body, "<CompleteMultipartUploadResult")) {
		return broken(job, "CompleteMultipartUploadResult");
	}
	if (!lt_s3_xml_next(&rest, "ETag", &inside) || inside.n == 0) {
		return broken(job, "ETag");
	}
	lt_buf_clear(&job->etag);
	lt_s3_xml_text(&job->etag, inside);
	lt_buf_clear(&job->upload_id);
	lt_s3_next_step(job, ASK_HEAD);
	return true;
}

/* "bytes 0-0/1234" */
static bool read_size(const struct lt_fetch_result *result, uint64_t *ret)
{
	struct lt_str range = lt_fetch_header(result, "content-range");

	lt_str_split(&range, '/');
	return range.p && lt_parse_u64(range, INT64_MAX, ret, NULL);
}

static bool on_head(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	uint64_t size;

	if (!lt_parse_u64(lt_fetch_header(result, "content-length"), INT64_MAX, &size, NULL)) {
		return broken(job, "Content-Length");
	}
	if (job->kind == PUT && size != job->size) {
		return lt_err_set(&job->err, LT_E_FORMAT,
				"the store has %" PRIu64 " bytes of %" PRIu64, size, job->size);
	}
	if (job->kind == PUT && !lt_str_eq(bare(result->etag), bare(lt_buf_str(&job->etag)))) {
		return lt_err_set(&job->err, LT_E_FORMAT, "the store has something else there");
	}
	job->size = size;
	set_etag(job, result->etag);
	lt_s3_finish(job, true);
	return true;
}

static bool on_part_got(struct lt_s3_job *job, const struct lt_fetch_result *result)
{
	uint64_t size = result->body.n;

	if (result->status == 206 && !read_size(result, &size)) {
		return broken(job, "Content-Range");
	}
	if (job->done_bytes > 0 &&
			(size != job->size || !lt_str_eq(result->etag, lt_buf_str(&job->etag)))) {
		return lt_err_set(&job->err, LT_E_UNAVAILABLE, "the object has changed meanwhile");
	}
	if (result->body.n == 0 && size > 0) {
		return broken(job, "bytes");
	}
	job->size = size;
	set_etag(job, result->etag);
	lt_buf_clear(&job->part);
	lt_buf_add_str(&job->part, result->body);
	if (job->kind == GET_BYTES) {
		lt_s3_finish(job, true);
	} else {
		lt_s3_next_step(job, WRITE_PART);
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
	LT_AUTO(lt_buf_finish) struct lt_buf next = { 0 };
	struct lt_str rest = result->body, inside;

	if (!has(result->body, "<ListBucketResult") ||
			!lt_s3_xml_next(&rest, "IsTruncated", &inside)) {
		return broken(job, "ListBucketResult");
	}
	tell_objects(job, result->body);
	if (!lt_str_eq_c(inside, "true")) {
		lt_s3_finish(job, true);
		return true;
	}
	/* half a listing is none: what is not in it would be taken for gone */
	rest = result->body;
	if (lt_s3_xml_next(&rest, "NextContinuationToken", &inside)) {
		lt_s3_xml_text(&next, inside);
	}
	if (next.n == 0 || lt_str_eq(lt_buf_str(&next), lt_buf_str(&job->token))) {
		return broken(job, "new NextContinuationToken");
	}
	lt_buf_clear(&job->token);
	lt_buf_add_str(&job->token, lt_buf_str(&next));
	lt_s3_next_step(job, ASK_LIST);
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
	case ASK_HEAD:
		return on_head(job, result);
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

void lt_s3_on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_s3_job *job = arg;
	bool is_good = result->status == 200 || result->status == 204 || result->status == 206;

	job->fetch = NULL;
	if (job->step == ABORT) {
		lt_s3_finish(job, false);
	} else if (!is_good) {
		say_failure(job, result);
		lt_s3_fail(job);
	} else if (!take_answer(job, result)) {
		lt_s3_fail(job);
	}
}
