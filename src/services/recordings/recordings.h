/*
 * The recordings that are there: index.json kept up to date (store/index.h),
 * and questions about it answered from memory (store/catalogue.h).
 *
 *   livetiming.recordings.page(page_number=1, filter_name=null, show_hidden=false)
 *   livetiming.recordings.names(show_hidden=false)
 *   livetiming.recordings.manifest(uuid)            entry or null
 *   livetiming.recordings.updateManifest(manifest, authcode)   true
 *   livetiming.recordings.search(text, name=null, since=null, until=null,
 *       sort="startTime", ascending=false, page_number=1, per_page=50, show_hidden=false)
 *
 * All take positional or keyword arguments. GET /recordings/NAME.zip and .json
 * serve the files, with ranges.
 *
 * The directory is watched (inotify), and looked through every 600 s besides;
 * both on a worker. Whoever is to change manifests needs the code of
 * LIVETIMING_ADMIN_AUTHCODE; without one nobody can.
 */
#ifndef LT_SERVICES_RECORDINGS_RECORDINGS_H
#define LT_SERVICES_RECORDINGS_RECORDINGS_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_http_req;
struct lt_recordings;
struct lt_router;

/* Borrowed: loop, router. Texts are copied. */
struct lt_recordings_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router;
	const char *directory;
	const char *authcode;   /* NULL or empty: no changes */
	bool reindex;           /* read every archive again at the start */
	bool generate_analysis; /* make the analysis files that are missing */
	/*
	 * Recordings of private services. owner: the private UUID that a file name
	 * begins with, n 0: none; gate: 200, or the status to refuse a request with.
	 * Both NULL: such recordings are served to nobody.
	 */
	struct lt_str (*owner)(void *arg, struct lt_str file_name);
	int (*gate)(void *arg, struct lt_str uuid, struct lt_http_req *req);
	void *owner_arg;
	/*
	 * A recording that is not here ("UUID_1"): true: the request was taken, and
	 * again(again_arg, req) is called when it is. is_admitted: it may be a private
	 * one. NULL: all are here.
	 */
	bool (*hold)(void *arg, struct lt_http_req *req, struct lt_str name, bool is_admitted,
			void (*again)(void *again_arg, struct lt_http_req *req), void *again_arg);
	void *hold_arg;
};

struct lt_recordings *lt_recordings_create(const struct lt_recordings_env *env);
void lt_recordings_destroy(struct lt_recordings *recordings); /* stops first; NULL is fine */

bool lt_recordings_start(struct lt_recordings *recordings, struct lt_err *err);
void lt_recordings_stop(struct lt_recordings *recordings);

/* What was asked for on the control socket; each may be empty. Owned by the caller. */
cJSON *lt_recordings_list(const struct lt_recordings *recordings, struct lt_str text, int64_t page,
		bool show_hidden);
/* By uuid or file name, with or without ".zip"; NULL with err. Owned by the caller. */
cJSON *lt_recordings_show(
		const struct lt_recordings *recordings, struct lt_str name, struct lt_err *err);

size_t lt_recordings_count(const struct lt_recordings *recordings);

#endif
