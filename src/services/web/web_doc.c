#include "services/web/web_doc.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/table.h"
#include "router/http.h"
#include "services/web/gzip.h"

#define CACHE_CONTROL  "public, max-age=1, s-maxage=1, stale-while-revalidate=5"
#define JSON_TYPE      "application/json; charset=utf-8"
#define GZIP_MIN_BYTES 512 /* below it the header eats the gain */
#define ETAG_BYTES     12
#define ETAG_MAX       (2 * ETAG_BYTES + sizeof("\"-gz\""))

struct waiter {
	struct lt_web_doc *doc;
	struct lt_http_req *req;
	struct waiter *prev, *next;
};

struct content {
	struct lt_buf body;
	struct lt_buf gzip; /* empty: not worth it */
	char etag[ETAG_MAX], gzip_etag[ETAG_MAX];
	const char *cache_control;
	int64_t fresh_ms;
};

/* What the worker gets and returns. The document may be gone when it comes back. */
struct job {
	struct lt_web_doc *doc; /* NULL: gone */
	uint64_t generation;
	struct content content;
};

struct lt_web_doc {
	struct lt_web_doc_opts opts;
	struct content content;
	bool has_content, is_private;
	bool is_busy;        /* between fetch and the end of its job */
	uint64_t generation; /* counts the calls of mark_stale */
	uint64_t content_generation;
	struct lt_mono made;
	struct job *job;
	struct waiter *waiters;
};

struct lt_web_doc *lt_web_doc_create(const struct lt_web_doc_opts *opts)
{
	struct lt_web_doc *doc = lt_zalloc(sizeof(*doc));

	doc->opts = *opts;
	return doc;
}

static void finish_content(struct content *content)
{
	lt_buf_finish(&content->body);
	lt_buf_finish(&content->gzip);
}

static bool is_fresh(const struct lt_web_doc *doc)
{
	int64_t age_us = lt_loop_now(doc->opts.loop).us - doc->made.us;

	return doc->has_content && doc->content_generation == doc->generation &&
			(doc->content.fresh_ms == 0 ||
					age_us < doc->content.fresh_ms * LT_US_PER_MS);
}

/* --- answers --- */

void lt_web_doc_reply_error(struct lt_http_req *req, int status, const char *sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	struct lt_http_reply reply = { .status = status, .content_type = JSON_TYPE };

	lt_buf_add_c(&body, "{\"error\":");
	lt_json_write_str(&body, lt_str_from(sentence));
	lt_buf_add_c(&body, "}\n");
	reply.body = lt_buf_str(&body);
	lt_http_reply(req, &reply);
}

static void reply_content(const struct lt_web_doc *doc, struct lt_http_req *req)
{
	static const char *const vary[] = { "Vary", "Accept-Encoding", NULL };
	bool gzip = doc->content.gzip.n > 0 &&
			lt_gzip_is_accepted(lt_http_header(req, "accept-encoding"));

	lt_http_reply(req,
			&(struct lt_http_reply){
					.status = 200,
					.content_type = JSON_TYPE,
					.cache_control = doc->is_private
							? "private, no-store"
							: doc->content.cache_control,
					.etag = gzip ? doc->content.gzip_etag : doc->content.etag,
					.encoding = gzip ? "gzip" : NULL,
					.headers = vary,
					.body = lt_buf_str(gzip ? &doc->content.gzip
								: &doc->content.body),
			});
}

void lt_web_doc_set_private(struct lt_web_doc *doc, bool is_private)
{
	doc->is_private = is_private;
}

static void on_waiter_gone(void *arg)
{
	struct waiter *waiter = arg;

	DL_DELETE(waiter->doc->waiters, waiter);
	lt_free(waiter);
}

/* Take the first one out; NULL when nobody waits. The caller answers it. */
static struct lt_http_req *next_waiting(struct lt_web_doc *doc)
{
	struct waiter *waiter = doc->waiters;
	struct lt_http_req *req;

	if (!waiter) {
		return NULL;
	}
	req = waiter->req;
	DL_DELETE(doc->waiters, waiter);
	lt_free(waiter);
	return req;
}

void lt_web_doc_answer(struct lt_web_doc *doc, struct lt_http_req *req)
{
	struct waiter *waiter;

	if (is_fresh(doc)) {
		reply_content(doc, req);
		return;
	}
	waiter = lt_zalloc(sizeof(*waiter));
	waiter->doc = doc;
	waiter->req = req;
	DL_APPEND(doc->waiters, waiter);
	lt_http_on_gone(req, on_waiter_gone, waiter);
	if (!doc->is_busy) {
		doc->is_busy = true;
		doc->opts.fetch(doc->opts.arg);
	}
}

/* --- content --- */

static void work(void *arg)
{
	struct job *job = arg;
	struct content *content = &job->content;
	uint8_t digest[LT_SHA256_BYTES];
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };

	lt_sha256(lt_buf_str(&content->body), digest);
	lt_hex_encode(&hex, digest, ETAG_BYTES);
	snprintf(content->etag, sizeof(content->etag), "\"%s\"", hex.p);
	snprintf(content->gzip_etag, sizeof(content->gzip_etag), "\"%s-gz\"", hex.p);
	if (content->body.n >= GZIP_MIN_BYTES) {
		lt_gzip(&content->gzip, lt_buf_str(&content->body));
	}
}

static void work_done(void *arg)
{
	struct job *job = arg;
	struct lt_web_doc *doc = job->doc;
	struct lt_http_req *req;

	if (!doc) {
		finish_content(&job->content);
		lt_free(job);
		return;
	}
	finish_content(&doc->content);
	doc->content = job->content;
	doc->content_generation = job->generation;
	doc->has_content = true;
	doc->made = lt_loop_now(doc->opts.loop);
	doc->job = NULL;
	doc->is_busy = false;
	lt_free(job);
	if (doc->waiters && doc->content_generation != doc->generation) {
		/* changed meanwhile, and somebody may have asked because of that change */
		doc->is_busy = true;
		doc->opts.fetch(doc->opts.arg);
		return;
	}
	while ((req = next_waiting(doc))) {
		reply_content(doc, req);
	}
}

void lt_web_doc_set(struct lt_web_doc *doc, struct lt_str json)
{
	lt_web_doc_set_cached(doc, json, CACHE_CONTROL, doc->opts.fresh_ms);
}

void lt_web_doc_set_cached(struct lt_web_doc *doc, struct lt_str json, const char *cache_control,
		int64_t fresh_ms)
{
	struct lt_buf copy = { 0 };

	lt_buf_add_str(&copy, json);
	lt_web_doc_take(doc, &copy, cache_control, fresh_ms);
}

void lt_web_doc_take(struct lt_web_doc *doc, struct lt_buf *json, const char *cache_control,
		int64_t fresh_ms)
{
	struct job *job = lt_zalloc(sizeof(*job));

	job->doc = doc;
	job->generation = doc->generation;
	job->content.cache_control = cache_control;
	job->content.fresh_ms = fresh_ms;
	job->content.body = *json;
	*json = (struct lt_buf){ 0 };
	doc->job = job;
	lt_loop_work(doc->opts.loop, work, work_done, job);
}

static void fail_waiting(struct lt_web_doc *doc, int status, const char *sentence)
{
	struct lt_http_req *req;

	while ((req = next_waiting(doc))) {
		lt_web_doc_reply_error(req, status, sentence);
	}
}

void lt_web_doc_fail(struct lt_web_doc *doc, int status, const char *sentence)
{
	doc->is_busy = false;
	fail_waiting(doc, status, sentence);
}

void lt_web_doc_refuse(struct lt_web_doc *doc, int status, struct lt_str json)
{
	static const char *const again[] = { "Retry-After", "1", NULL };
	struct lt_http_req *req;

	doc->is_busy = false;
	while ((req = next_waiting(doc))) {
		lt_http_reply(req,
				&(struct lt_http_reply){
						.status = status,
						.content_type = JSON_TYPE,
						.headers = status == 202 || status == 503 ? again
											  : NULL,
						.body = json,
				});
	}
}

size_t lt_web_doc_bytes(const struct lt_web_doc *doc)
{
	return doc->content.body.n + doc->content.gzip.n;
}

bool lt_web_doc_is_busy(const struct lt_web_doc *doc)
{
	return doc->is_busy || doc->waiters;
}

void lt_web_doc_mark_stale(struct lt_web_doc *doc)
{
	doc->generation++;
}

void lt_web_doc_destroy(struct lt_web_doc *doc)
{
	if (!doc) {
		return;
	}
	if (doc->job) {
		doc->job->doc = NULL;
	}
	fail_waiting(doc, 404, "the service has ended");
	finish_content(&doc->content);
	lt_free(doc);
}
