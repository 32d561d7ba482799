/* Recordings that are asked for, and only in the bucket; or newer there. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "services/offload/offload_priv.h"

#define FETCHES_MAX 8
#define WAITERS_MAX 1000

struct waiter {
	struct waiter *next;
	struct lt_http_req *req; /* NULL: its client has gone */
	lt_http_fn again;
	void *arg;
};

struct lt_offload_fetch {
	struct lt_offload_fetch *prev, *next;
	struct lt_offload *offload;
	char *name;        /* "UUID" */
	char *temp, *path; /* of the file that is being fetched */
	bool is_analysis;  /* the first one, so that the recording is complete when it is there */
	struct waiter *waiters;
	unsigned waiter_count;
};

static void on_gone(void *arg)
{
	((struct waiter *)arg)->req = NULL;
}

static void free_fetch(struct lt_offload_fetch *fetch)
{
	while (fetch->waiters) {
		struct waiter *waiter = fetch->waiters;

		LL_DELETE(fetch->waiters, waiter);
		if (waiter->req) {
			lt_http_on_gone(waiter->req, NULL, NULL);
			lt_http_reply_text(waiter->req, 503, "the daemon is stopping");
		}
		lt_free(waiter);
	}
	lt_free(fetch->name);
	lt_free(fetch->temp);
	lt_free(fetch->path);
	lt_free(fetch);
}

void lt_offload_free_fetches(struct lt_offload *offload)
{
	while (offload->fetches) {
		struct lt_offload_fetch *fetch = offload->fetches;

		DL_DELETE(offload->fetches, fetch);
		if (fetch->temp) {
			unlink(fetch->temp);
		}
		free_fetch(fetch);
	}
}

/* All who wait ask again, and find the file; or are told that there is none. */
static void finish(struct lt_offload_fetch *fetch, bool ok)
{
	struct lt_offload *offload = fetch->offload;

	DL_DELETE(offload->fetches, fetch);
	while (fetch->waiters) {
		struct waiter *waiter = fetch->waiters;

		LL_DELETE(fetch->waiters, waiter);
		if (waiter->req) {
			lt_http_on_gone(waiter->req, NULL, NULL);
		}
		if (waiter->req && ok) {
			waiter->again(waiter->arg, waiter->req);
		} else if (waiter->req) {
			lt_http_reply_text(waiter->req, 503,
					"the recording cannot be fetched from its store now");
		}
		lt_free(waiter);
	}
	free_fetch(fetch);
}

static void set_paths(struct lt_offload_fetch *fetch, const char *ending)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 }, temp = { 0 };
	char id[LT_UUID_TEXT]; /* other daemons may fetch into the same directory */

	lt_random_uuid(fetch->offload->env.random, id);
	lt_buf_printf(&name, "%s%s", fetch->name, ending);
	lt_buf_printf(&temp, LT_OFFLOAD_TEMP "%s-%s%s", fetch->name, id, ending);
	lt_free(fetch->path);
	lt_free(fetch->temp);
	fetch->path = lt_path_join(fetch->offload->directory, name.p);
	fetch->temp = lt_path_join(fetch->offload->directory, temp.p);
}

static void on_file(void *arg, const struct lt_s3_result *result);

static void ask(struct lt_offload_fetch *fetch, const char *ending)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	LT_AUTO(lt_free) char *key = NULL;

	set_paths(fetch, ending);
	lt_buf_printf(&name, "%s%s", fetch->name, ending);
	key = lt_offload_key(fetch->offload, "", name.p);
	lt_s3_get(fetch->offload->s3, key, fetch->temp, on_file, fetch);
}

static char *archive_name(const struct lt_offload_fetch *fetch)
{
	struct lt_buf name = { 0 };

	lt_buf_printf(&name, "%s.zip", fetch->name);
	return lt_buf_steal(&name);
}

/* A local file that is what the bucket has need not be uploaded. */
static void note_confirmed(struct lt_offload_fetch *fetch, struct lt_str etag)
{
	LT_AUTO(lt_free) char *name = archive_name(fetch);
	struct lt_offload_file file = { .name = name };

	if (lt_offload_stat(fetch->offload->directory, &file)) {
		lt_offload_set_done(fetch->offload, &file, etag);
	}
}

static void on_file(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload_fetch *fetch = arg;
	struct lt_offload *offload = fetch->offload;
	bool ok = result->ok && rename(fetch->temp, fetch->path) == 0;

	if (!ok && !(fetch->is_analysis && result->is_absent)) {
		unlink(fetch->temp);
		lt_log(&offload->env.log, LT_WARN, "a recording cannot be fetched",
				"name=%s reason=\"%.*s\"", fetch->name, LT_STR_ARG(result->error));
		finish(fetch, false);
		return;
	}
	if (fetch->is_analysis) {
		fetch->is_analysis = false;
		ask(fetch, ".zip");
		return;
	}
	note_confirmed(fetch, result->etag);
	offload->stats.fetched++;
	lt_log(&offload->env.log, LT_INFO, "recording fetched", "name=%s bytes=%llu", fetch->name,
			(unsigned long long)result->bytes);
	finish(fetch, true);
}

static struct lt_offload_fetch *find(struct lt_offload *offload, const char *name)
{
	struct lt_offload_fetch *fetch;

	DL_FOREACH(offload->fetches, fetch) {
		if (strcmp(fetch->name, name) == 0) {
			return fetch;
		}
	}
	return NULL;
}

static struct lt_offload_fetch *begin(struct lt_offload *offload, const char *name)
{
	struct lt_offload_fetch *fetch, *each;
	unsigned count = 0;

	DL_COUNT(offload->fetches, each, count);
	if (count >= FETCHES_MAX) {
		return NULL;
	}
	fetch = lt_zalloc(sizeof(*fetch));
	fetch->offload = offload;
	fetch->name = lt_strdup(name);
	fetch->is_analysis = true;
	DL_APPEND(offload->fetches, fetch);
	ask(fetch, ".json");
	return fetch;
}

/* Is it in the bucket, for this one, and not here? */
static bool is_away(const struct lt_offload *offload, const char *name, bool is_admitted)
{
	LT_AUTO(lt_buf_finish) struct lt_buf file = { 0 };
	LT_AUTO(lt_free) char *path = NULL;
	const struct lt_offload_remote *remote;

	lt_buf_printf(&file, "%s.zip", name);
	remote = lt_offload_find_remote(offload, file.p);
	path = lt_path_join(offload->directory, file.p);
	return remote && remote->text && (is_admitted || !remote->is_private) &&
			access(path, F_OK) != 0;
}

void lt_offload_renew(struct lt_offload *offload)
{
	const struct lt_offload_done *done;

	for (done = offload->done; done; done = done->hh.next) {
		LT_AUTO(lt_free) char *base = lt_offload_with_ending(done->name, "");
		LT_AUTO(lt_free) char *name = lt_strdup(done->name);
		struct lt_offload_file file = { .name = name };

		/* one that has been changed here, too, is uploaded instead */
		if (!done->etag[0] && lt_offload_stat(offload->directory, &file) &&
				lt_offload_has_archive(offload, &file) && !find(offload, base)) {
			begin(offload, base);
		}
	}
}

bool lt_offload_hold(struct lt_offload *offload, struct lt_http_req *req, struct lt_str name,
		bool is_admitted, lt_http_fn again, void *arg)
{
	LT_AUTO(lt_free) char *text = lt_str_dup(name);
	struct lt_offload_fetch *fetch;
	struct waiter *waiter;

	if (!offload->is_started || !lt_name_is_safe(name) ||
			!is_away(offload, text, is_admitted)) {
		return false;
	}
	fetch = find(offload, text);
	fetch = fetch ? fetch : begin(offload, text);
	if (!fetch || fetch->waiter_count == WAITERS_MAX) {
		lt_http_reply_text(req, 503, "too much is being fetched; ask again soon");
		return true;
	}
	waiter = lt_zalloc(sizeof(*waiter));
	waiter->req = req;
	waiter->again = again;
	waiter->arg = arg;
	LL_PREPEND(fetch->waiters, waiter);
	fetch->waiter_count++;
	lt_http_on_gone(req, on_gone, waiter);
	return true;
}
