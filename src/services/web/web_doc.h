/*
 * A JSON document served over HTTP that changes while it is read by many:
 * made when somebody asks and it is not fresh, hashed and compressed once on a
 * worker, then the same bytes for everybody. Requests that come meanwhile wait
 * for the one that is being made.
 */
#ifndef LT_SERVICES_WEB_WEB_DOC_H
#define LT_SERVICES_WEB_WEB_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"

struct lt_web_doc;
struct lt_http_req;

struct lt_web_doc_opts {
	struct lt_loop *loop;
	/* How long content stays fresh; 0: until lt_web_doc_mark_stale. */
	int64_t fresh_ms;
	/* New content is wanted: end in exactly one lt_web_doc_set or lt_web_doc_fail, at once or
	 * later. */
	void (*fetch)(void *arg);
	void *arg;
};

struct lt_web_doc *lt_web_doc_create(const struct lt_web_doc_opts *opts);
/* Whoever still waits gets 404. NULL is fine. */
void lt_web_doc_destroy(struct lt_web_doc *doc);

/* Answer a request, now or when the content is there. */
void lt_web_doc_answer(struct lt_web_doc *doc, struct lt_http_req *req);
/* From now on only for who asked (true): no cache may keep it. */
void lt_web_doc_set_private(struct lt_web_doc *doc, bool is_private);

void lt_web_doc_set(struct lt_web_doc *doc, struct lt_str json); /* copied */
/* The same with a Cache-Control of its own (static), and fresh for so long; 0: for good. */
void lt_web_doc_set_cached(struct lt_web_doc *doc, struct lt_str json, const char *cache_control,
		int64_t fresh_ms);
/* The same again, for large texts: json is left empty. */
void lt_web_doc_take(struct lt_web_doc *doc, struct lt_buf *json, const char *cache_control,
		int64_t fresh_ms);
void lt_web_doc_fail(struct lt_web_doc *doc, int status, const char *sentence);
/* Answer those who wait with this JSON; the next one to ask is a new start. */
void lt_web_doc_refuse(struct lt_web_doc *doc, int status, struct lt_str json);
void lt_web_doc_mark_stale(struct lt_web_doc *doc);

/* What the content takes, packed and plain. A busy document must not be destroyed lightly. */
size_t lt_web_doc_bytes(const struct lt_web_doc *doc);
bool lt_web_doc_is_busy(const struct lt_web_doc *doc);

/* {"error": sentence} with this status, for the routes of such documents. */
void lt_web_doc_reply_error(struct lt_http_req *req, int status, const char *sentence);

#endif
