/*
 * The past of services and the content of recordings, for browsers
 * (docs/live-protocol.md, section 2).
 *
 *   GET /timeline/live/UUID/index.json, moments.json, messages.json, analysis.json?at=T
 *   GET /timeline/live/UUID/START/T.json                a chunk
 *   GET /timeline/recordings/ID/...                     the same, chunks as T.json
 *
 * Files are read on workers, one piece of work a recording at a time, long ones
 * in slices; requests that wait for the same document share one answer. Bounded:
 * recordings that are open, documents that are kept, and questions that wait.
 *
 * What is private is only there for requests with its code, and else looks as
 * if it did not exist.
 */
#ifndef LT_SERVICES_TIMELINE_TIMELINE_H
#define LT_SERVICES_TIMELINE_TIMELINE_H

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "services/dvr/live_recording.h"

struct lt_http_req;
struct lt_router;
struct lt_timelines;

/* Borrowed: loop, router. Texts are copied. */
struct lt_timelines_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router;
	const char *recordings_dir;
	const char *cache_dir;      /* of what was made of finished recordings; made when missing */
	lt_live_recording_fn *live; /* NULL: nothing is recorded */
	void *arg;
	/*
	 * Private services: is one closed now; the UUID that a file name belongs to,
	 * n 0: none; and 200, or the status to refuse a request with. NULL: private
	 * ones are there for nobody.
	 */
	bool (*is_closed)(void *arg, struct lt_str uuid);
	struct lt_str (*owner)(void *arg, struct lt_str name);
	int (*gate)(void *arg, struct lt_str uuid, struct lt_http_req *req);
	void *private_arg;
	/*
	 * A recording that is not here ("UUID_1"): true: the request was taken, and
	 * again(again_arg, req) is called when it is. is_admitted: it may be a private
	 * one. NULL: all are here.
	 */
	bool (*hold)(void *arg, struct lt_http_req *req, struct lt_str name, bool is_admitted,
			void (*again)(void *again_arg, struct lt_http_req *req), void *again_arg);
	void *hold_arg;
};

struct lt_timelines *lt_timelines_create(const struct lt_timelines_env *env);
void lt_timelines_destroy(struct lt_timelines *timelines); /* stops first; NULL is fine */

void lt_timelines_start(struct lt_timelines *timelines);
void lt_timelines_stop(struct lt_timelines *timelines);

#endif
