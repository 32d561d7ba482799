#include "services/timeline/timeline.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "base/table.h"
#include "router/http.h"
#include "router/router.h"
#include "services/timeline/timeline_target.h"
#include "services/timeline/timeline_work.h"
#include "services/web/web_doc.h"

#define SOURCES_MAX   16
#define SOURCE_IDLE_S 600
#define DOCS_MAX      1000
#define DOCS_BYTES    (48u * 1024 * 1024)
#define WAITING_MAX   200 /* questions of all recordings */
#define TIDY_MS       30000
#define GROWING       "public, max-age=1"
#define GROWING_MS    1000

/* A recording that is open. */
struct source {
	UT_hash_handle hh;              /* by key */
	struct lt_timelines *timelines; /* NULL: gone, while a worker is busy */
	char *key;
	struct lt_timeline_file file; /* the worker's while is_busy */
	bool is_busy;
	struct ask *asks; /* the first one is being answered */
	int64_t used_us;
};

/* A question on its way. */
struct ask {
	struct doc *doc; /* NULL: gone */
	struct source *source;
	struct lt_timeline_question question;
	bool is_awaited; /* a request waits; else it was told how far things are */
	struct ask *prev, *next;
};

struct doc {
	UT_hash_handle hh; /* by key */
	struct lt_timelines *timelines;
	char *key;
	char *name; /* of the target */
	struct lt_timeline_target target;
	struct lt_web_doc *content;
	struct ask *ask; /* under way; NULL: none */
	int64_t used_us;
};

struct lt_timelines {
	struct lt_timelines_env env;
	char *recordings_dir, *cache_dir;
	bool is_started;
	struct source *sources;
	struct doc *docs;
	size_t waiting;
	struct lt_timer tidy;
};

struct lt_timelines *lt_timelines_create(const struct lt_timelines_env *env)
{
	struct lt_timelines *timelines = lt_zalloc(sizeof(*timelines));

	timelines->env = *env;
	timelines->env.log.module = "timeline";
	timelines->recordings_dir = lt_strdup(env->recordings_dir);
	timelines->cache_dir = lt_strdup(env->cache_dir);
	return timelines;
}

static int64_t now_us(const struct lt_timelines *timelines)
{
	return lt_loop_now(timelines->env.loop).us;
}

/* --- documents --- */

static void free_doc(struct doc *doc)
{
	HASH_DEL(doc->timelines->docs, doc);
	if (doc->ask) {
		doc->ask->doc = NULL;
	}
	lt_web_doc_destroy(doc->content);
	lt_free(doc->key);
	lt_free(doc->name);
	lt_free(doc);
}

/* Those that were asked for longest ago go, until the rest is within the bounds. */
static void bound_docs(struct lt_timelines *timelines)
{
	for (;;) {
		struct doc *doc, *next, *oldest = NULL;
		size_t bytes = 0;

		HASH_ITER(hh, timelines->docs, doc, next) {
			bytes += lt_web_doc_bytes(doc->content);
			if (!doc->ask && !lt_web_doc_is_busy(doc->content) &&
					(!oldest || doc->used_us < oldest->used_us)) {
				oldest = doc;
			}
		}
		if (!oldest || (bytes <= DOCS_BYTES && HASH_COUNT(timelines->docs) < DOCS_MAX)) {
			return;
		}
		free_doc(oldest);
	}
}

static void refuse(struct doc *doc, int status, const char *code, const char *sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };

	lt_timeline_write_error(&json, code, sentence);
	lt_web_doc_refuse(doc->content, status, lt_buf_str(&json));
}

static void tell_progress(struct doc *doc)
{
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };

	lt_buf_printf(&json, "{\"progress\":%.3f}\n", doc->ask->question.share);
	doc->ask->is_awaited = false;
	lt_web_doc_refuse(doc->content, 202, lt_buf_str(&json));
}

/* --- sources --- */

static void free_source(struct source *source)
{
	lt_timeline_file_finish(&source->file);
	lt_free(source->key);
	lt_free(source);
}

static void free_ask(struct lt_timelines *timelines, struct ask *ask)
{
	timelines->waiting--;
	DL_DELETE(ask->source->asks, ask);
	if (ask->doc) {
		ask->doc->ask = NULL;
	}
	lt_timeline_question_finish(&ask->question);
	lt_free(ask);
}

/* Not called while it has questions, but at the end. */
static void remove_source(struct lt_timelines *timelines, struct source *source)
{
	HASH_DEL(timelines->sources, source);
	if (source->is_busy) {
		source->timelines = NULL; /* freed when the worker is done */
	} else {
		free_source(source);
	}
}

static struct source *find_source(const struct lt_timelines *timelines, const char *key)
{
	struct source *source;

	HASH_FIND_STR(timelines->sources, key, source);
	return source;
}

/* NULL: as many as may be are at work. Takes the members of file. */
static struct source *add_source(
		struct lt_timelines *timelines, const char *key, struct lt_timeline_file file_take)
{
	struct source *source, *next, *oldest = NULL;

	HASH_ITER(hh, timelines->sources, source, next) {
		if (!source->asks && !source->is_busy &&
				(!oldest || source->used_us < oldest->used_us)) {
			oldest = source;
		}
	}
	if (HASH_COUNT(timelines->sources) >= SOURCES_MAX) {
		if (!oldest) {
			lt_timeline_file_finish(&file_take);
			return NULL;
		}
		remove_source(timelines, oldest);
	}
	source = lt_zalloc(sizeof(*source));
	source->timelines = timelines;
	source->key = lt_strdup(key);
	source->file = file_take;
	HASH_ADD_KEYPTR(hh, timelines->sources, source->key, (unsigned)strlen(key), source);
	return source;
}

static struct source *recording_source(struct lt_timelines *timelines, const char *id)
{
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 }, name = { 0 };
	struct source *source;

	lt_buf_printf(&key, "recordings/%s", id);
	source = find_source(timelines, key.p);
	if (source) {
		return source;
	}
	lt_buf_printf(&name, "%s.zip", id);
	return add_source(timelines, key.p,
			(struct lt_timeline_file){ .name = lt_strdup(id),
					.path = lt_path_join(timelines->recordings_dir, name.p),
					.cache_path = lt_path_join(timelines->cache_dir, id) });
}

static struct source *live_source(struct lt_timelines *timelines, const struct doc *doc,
		const struct lt_live_recording *live)
{
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	int64_t start_s = doc->target.start_s >= 0 ? doc->target.start_s : live->start_s;
	struct source *source;

	lt_buf_printf(&key, "live/%s/%" PRId64, doc->name, start_s);
	source = find_source(timelines, key.p);
	if (source || !live->journal || live->start_s != start_s) {
		return source;
	}
	return add_source(timelines, key.p,
			(struct lt_timeline_file){ .is_live = true,
					.name = lt_strdup(doc->name),
					.path = lt_strdup(live->journal),
					.start_s = start_s });
}

/* --- work --- */

static void next_ask(struct source *source);

static void work(void *arg)
{
	struct source *source = arg;

	lt_timeline_work(&source->file, &source->asks->question);
}

static void answer(struct ask *ask)
{
	struct lt_timeline_question *question = &ask->question;

	/* what nobody waits for any more is made again quickly: the long part is kept */
	if (!ask->doc || !ask->is_awaited) {
		return;
	}
	if (question->status == 200) {
		lt_web_doc_take(ask->doc->content, &question->json, question->cache_control,
				question->fresh_ms);
	} else {
		lt_web_doc_refuse(ask->doc->content, question->status, lt_buf_str(&question->json));
	}
}

static void work_done(void *arg)
{
	struct source *source = arg;
	struct lt_timelines *timelines = source->timelines;
	struct ask *ask = source->asks;

	source->is_busy = false;
	if (!timelines) {
		while (source->asks) {
			ask = source->asks;
			DL_DELETE(source->asks, ask);
			lt_timeline_question_finish(&ask->question);
			lt_free(ask);
		}
		free_source(source);
		return;
	}
	source->used_us = now_us(timelines);
	if (ask->question.is_done) {
		answer(ask);
		free_ask(timelines, ask);
		if (!source->file.timeline && !source->asks) {
			remove_source(timelines,
					source); /* what is none must not displace others */
			return;
		}
	} else {
		if (ask->doc && ask->is_awaited) {
			tell_progress(ask->doc);
		}
		/* the others have their turn */
		DL_DELETE(source->asks, ask);
		if (ask->question.kind == LT_TIMELINE_ANALYSIS && source->asks) {
			DL_PREPEND_ELEM(source->asks, source->asks->next, ask);
		} else {
			DL_APPEND(source->asks, ask);
		}
	}
	next_ask(source);
}

static void next_ask(struct source *source)
{
	if (!source->is_busy && source->asks) {
		source->is_busy = true;
		lt_loop_work(source->timelines->env.loop, work, work_done, source);
	}
}

/* --- questions --- */

/* Adds nothing when there are none; of private times for those with the code alone. */
static void write_finished(
		const struct lt_live_recording *live, bool is_admitted, struct lt_buf *buf)
{
	bool is_first = true;

	for (size_t i = 0; i < live->finished_count; i++) {
		const struct lt_live_finished *finished = &live->finished[i];

		if (!is_admitted && !finished->is_public) {
			continue;
		}
		lt_buf_add_c(buf, is_first ? ",\"finished\":[{\"id\":" : ",{\"id\":");
		is_first = false;
		lt_json_write_str(buf, lt_str_from(finished->id));
		lt_buf_printf(buf, ",\"start\":%" PRId64 ",\"end\":%" PRId64 "}", finished->start_s,
				finished->end_s);
	}
	if (!is_first) {
		lt_buf_add_char(buf, ']');
	}
}

static void ask_source(struct doc *doc, struct source *source, const struct lt_live_recording *live)
{
	struct lt_timelines *timelines = doc->timelines;
	struct ask *ask;

	if (!source || timelines->waiting >= WAITING_MAX) {
		refuse(doc, 503, "busy", "too much is being asked for, ask again soon");
		return;
	}
	ask = lt_zalloc(sizeof(*ask));
	ask->doc = doc;
	ask->source = source;
	ask->is_awaited = true;
	ask->question.kind = doc->target.kind;
	ask->question.time_s = doc->target.time_s;
	ask->question.is_admitted = doc->target.is_admitted;
	if (live && doc->target.kind == LT_TIMELINE_INDEX) {
		write_finished(live, doc->target.is_admitted, &ask->question.finished);
	}
	doc->ask = ask;
	DL_APPEND(source->asks, ask);
	timelines->waiting++;
	source->used_us = now_us(timelines);
	next_ask(source);
}

/* A service without a recording in progress, perhaps with finished ones. */
static void answer_ended(struct doc *doc, const struct lt_live_recording *live)
{
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 }, finished = { 0 };

	write_finished(live, doc->target.is_admitted, &finished);
	if (finished.n == 0 || doc->target.kind != LT_TIMELINE_INDEX) {
		refuse(doc, 404, "not_recorded", "nothing of this service is being recorded");
		return;
	}
	lt_buf_add_c(&json, "{\"live\":false,\"uuid\":");
	lt_json_write_str(&json, lt_str_from(doc->name));
	lt_buf_add_str(&json, lt_buf_str(&finished));
	lt_buf_add_c(&json, "}\n");
	lt_web_doc_set_cached(doc->content, lt_buf_str(&json), GROWING, GROWING_MS);
}

/* A chunk of a recording that has been finished since the index was read. */
static const struct lt_live_finished *find_finished(
		const struct lt_live_recording *live, int64_t start_s)
{
	for (size_t i = 0; i < live->finished_count; i++) {
		if (live->finished[i].start_s == start_s) {
			return &live->finished[i];
		}
	}
	return NULL;
}

static void ask_live(struct doc *doc)
{
	struct lt_timelines *timelines = doc->timelines;
	struct lt_live_recording live = { 0 };
	const struct lt_live_finished *finished;
	struct source *source;

	if (!timelines->env.live ||
			!timelines->env.live(timelines->env.arg, lt_str_from(doc->name), &live)) {
		refuse(doc, 404, "not_recorded", "nothing of this service is being recorded");
		return;
	}
	if (live.do_not_record) {
		refuse(doc, 404, "do_not_record", "this service must not be recorded");
		return;
	}
	if (doc->target.start_s < 0 && !live.journal) {
		answer_ended(doc, &live);
		return;
	}
	finished = find_finished(&live, doc->target.start_s);
	if (finished) {
		ask_source(doc, recording_source(timelines, finished->id), NULL);
		return;
	}
	source = live_source(timelines, doc, &live);
	if (!source && (!live.journal || doc->target.start_s >= 0) &&
			live.start_s != doc->target.start_s) {
		refuse(doc, 404, "no_such_chunk", "the service has no such recording");
		return;
	}
	ask_source(doc, source, &live);
}

static void fetch(void *arg)
{
	struct doc *doc = arg;

	if (doc->ask && doc->ask->question.share > 0) {
		tell_progress(doc);
	} else if (doc->ask) {
		doc->ask->is_awaited = true;
	} else if (doc->target.is_live) {
		ask_live(doc);
	} else {
		ask_source(doc, recording_source(doc->timelines, doc->name), NULL);
	}
}

/* --- requests --- */

static struct doc *find_doc(struct lt_timelines *timelines, const struct lt_timeline_target *target)
{
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	struct doc *doc;

	lt_buf_printf(&key, "%d %d %d %" PRId64 " %" PRId64 " %.*s", (int)target->is_live,
			(int)target->is_admitted, (int)target->kind, target->start_s,
			target->time_s, LT_STR_ARG(target->name));
	HASH_FIND_STR(timelines->docs, key.p, doc);
	if (doc) {
		return doc;
	}
	bound_docs(timelines);
	if (HASH_COUNT(timelines->docs) >= 2 * DOCS_MAX) {
		return NULL;
	}
	doc = lt_zalloc(sizeof(*doc));
	doc->timelines = timelines;
	doc->key = lt_buf_steal(&key);
	doc->name = lt_str_dup(target->name);
	doc->target = *target;
	doc->target.name = lt_str_from(doc->name);
	doc->content = lt_web_doc_create(&(struct lt_web_doc_opts){
			.loop = timelines->env.loop, .fetch = fetch, .arg = doc });
	HASH_ADD_KEYPTR(hh, timelines->docs, doc->key, (unsigned)strlen(doc->key), doc);
	return doc;
}

/*
 * False: it was refused. Without a code a recording is tried nevertheless: its
 * manifest tells whether it is from before the service was closed.
 */
static bool admit(const struct lt_timelines *timelines, struct lt_http_req *req,
		struct lt_timeline_target *target)
{
	const struct lt_timelines_env *env = &timelines->env;
	LT_AUTO(lt_buf_finish) struct lt_buf file_name = { 0 };
	struct lt_str owner = { NULL, 0 };
	int status;

	lt_buf_printf(&file_name, "%.*s.zip", LT_STR_ARG(target->name));
	if (target->is_live) {
		/* its recordings from when it was closed do not close it now */
		owner = env->is_closed && env->is_closed(env->private_arg, target->name)
				? target->name
				: owner;
	} else if (env->owner) {
		owner = env->owner(env->private_arg, lt_buf_str(&file_name));
	}
	if (owner.n == 0) {
		return true;
	}
	status = env->gate ? env->gate(env->private_arg, owner, req) : 404;
	target->is_admitted = status == 200;
	if (status == 404 && target->is_live) {
		lt_timeline_refuse(req, 404, "not_recorded",
				"nothing of this service is being recorded");
		return false;
	}
	if (status != 200 && status != 404) {
		lt_timeline_refuse(req, status, "wrong_code", "this code does not fit");
		return false;
	}
	return true;
}

static void on_request(void *arg, struct lt_http_req *req)
{
	struct lt_timelines *timelines = arg;
	struct lt_timeline_target target;
	struct doc *doc;

	if (!lt_timeline_parse_target(req, &target) || !admit(timelines, req, &target)) {
		return;
	}
	if (!target.is_live && timelines->env.hold &&
			timelines->env.hold(timelines->env.hold_arg, req, target.name,
					target.is_admitted, on_request, timelines)) {
		return;
	}
	doc = find_doc(timelines, &target);
	if (!doc) {
		lt_timeline_refuse(req, 503, "busy", "too much is being asked for, ask again soon");
		return;
	}
	doc->used_us = now_us(timelines);
	lt_web_doc_set_private(doc->content, target.is_admitted);
	lt_web_doc_answer(doc->content, req);
}

/* --- time --- */

static void on_tidy(void *arg)
{
	struct lt_timelines *timelines = arg;
	int64_t before = now_us(timelines) - SOURCE_IDLE_S * LT_US_PER_S;
	struct source *source, *next;

	HASH_ITER(hh, timelines->sources, source, next) {
		if (!source->asks && !source->is_busy && source->used_us < before) {
			remove_source(timelines, source);
		}
	}
	bound_docs(timelines);
}

/* --- life --- */

struct sweep {
	char *cache_dir, *recordings_dir;
};

static void sweep(void *arg)
{
	const struct sweep *dirs = arg;

	lt_timeline_sweep(dirs->cache_dir, dirs->recordings_dir);
}

static void sweep_done(void *arg)
{
	struct sweep *dirs = arg;

	lt_free(dirs->cache_dir);
	lt_free(dirs->recordings_dir);
	lt_free(dirs);
}

void lt_timelines_start(struct lt_timelines *timelines)
{
	struct sweep *dirs = lt_zalloc(sizeof(*dirs));

	dirs->cache_dir = lt_strdup(timelines->cache_dir);
	dirs->recordings_dir = lt_strdup(timelines->recordings_dir);
	lt_loop_work(timelines->env.loop, sweep, sweep_done, dirs);
	timelines->is_started = true;
	lt_timer_every(&timelines->tidy, timelines->env.loop, TIDY_MS, on_tidy, timelines);
	lt_http_add(lt_router_http(timelines->env.router),
			&(struct lt_http_route){ .method = "GET",
					.path = LT_TIMELINE_PREFIX,
					.cors = true,
					.fn = on_request,
					.arg = timelines });
}

void lt_timelines_stop(struct lt_timelines *timelines)
{
	if (!timelines->is_started) {
		return;
	}
	timelines->is_started = false;
	lt_http_remove(lt_router_http(timelines->env.router), "GET", LT_TIMELINE_PREFIX);
	lt_timer_cancel(&timelines->tidy);
	while (timelines->docs) {
		free_doc(timelines->docs);
	}
	while (timelines->sources) {
		struct source *source = timelines->sources;

		while (source->asks && !source->is_busy) {
			free_ask(timelines, source->asks);
		}
		remove_source(timelines, source);
	}
}

void lt_timelines_destroy(struct lt_timelines *timelines)
{
	if (timelines) {
		lt_timelines_stop(timelines);
		lt_free(timelines->recordings_dir);
		lt_free(timelines->cache_dir);
		lt_free(timelines);
	}
}
