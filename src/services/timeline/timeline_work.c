#include "services/timeline/timeline_work.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "store/timeline.h"

#define GROWING   "public, max-age=1"
#define FINISHED  "public, max-age=60"
#define IMMUTABLE "public, max-age=31536000, immutable"

#define GROWING_MS      1000
#define WALK_FRAMES     400
#define ANALYSIS_FRAMES 200
#define ANALYSIS_STEP_S 10
#define CACHE_BYTES_MAX (64u * 1024 * 1024)
#define STAMP_MAX       64

void lt_timeline_file_finish(struct lt_timeline_file *file)
{
	lt_timeline_close(LT_STEAL(file->timeline));
	lt_free(file->name);
	lt_free(file->path);
	lt_free(file->cache_path);
}

void lt_timeline_question_finish(struct lt_timeline_question *question)
{
	lt_buf_finish(&question->finished);
	lt_buf_finish(&question->json);
}

void lt_timeline_write_error(struct lt_buf *buf, const char *code, const char *sentence)
{
	lt_buf_add_c(buf, "{\"error\":");
	lt_json_write_str(buf, lt_str_from(sentence));
	lt_buf_printf(buf, ",\"code\":\"%s\"}\n", code);
}

/* --- answers --- */

static void fail(struct lt_timeline_question *question, int status, const char *code,
		const char *sentence)
{
	question->is_done = true;
	question->status = status;
	lt_buf_clear(&question->json);
	lt_timeline_write_error(&question->json, code, sentence);
}

static void fail_err(struct lt_timeline_question *question, const struct lt_err *err)
{
	fail(question, 422, "damaged", err->msg);
}

static void succeed(
		struct lt_timeline_question *question, const char *cache_control, int64_t fresh_ms)
{
	question->is_done = true;
	question->status = 200;
	question->cache_control = cache_control;
	question->fresh_ms = fresh_ms;
}

static void succeed_growing(
		const struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	succeed(question, file->is_live ? GROWING : FINISHED, GROWING_MS);
}

/* --- opening --- */

static void fail_open(const struct lt_timeline_file *file, struct lt_timeline_question *question,
		const struct lt_err *err)
{
	if (file->is_live) { /* being finished at this moment, or lost */
		fail(question, 503, "busy", "the recording cannot be read now");
	} else if (err->code == LT_E_NOT_FOUND) {
		fail(question, 404, "no_such_recording", "no such recording");
	} else if (err->code == LT_E_INVALID) {
		fail(question, 422, "old_format", err->msg);
	} else {
		fail_err(question, err);
	}
}

static bool open_file(struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	struct lt_err err = { 0 };

	if (!file->timeline) {
		file->timeline = file->is_live ? lt_timeline_open_journal(file->path, &err)
					       : lt_timeline_open_recording(file->path, &err);
		if (!file->timeline) {
			fail_open(file, question, &err);
			return false;
		}
	} else if (!lt_timeline_refresh(file->timeline, &err)) {
		fail_open(file, question, &err);
		return false;
	}
	if (!question->is_admitted &&
			cJSON_IsTrue(lt_json_get(
					lt_timeline_manifest(file->timeline), "private"))) {
		fail(question, 404, file->is_live ? "not_recorded" : "no_such_recording",
				file->is_live ? "nothing of this service is being recorded"
					      : "no such recording");
		return false;
	}
	return true;
}

/* --- index and chunks --- */

static void add_encoded(struct lt_buf *url, const char *name)
{
	for (const char *c = name; *c; c++) {
		bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
				(*c >= '0' && *c <= '9') || strchr("-._~:", *c);

		if (is_plain) {
			lt_buf_add_char(url, *c);
		} else {
			lt_buf_printf(url, "%%%02X", (unsigned char)*c);
		}
	}
}

static void write_chunks(const struct lt_timeline_file *file, int64_t first_s, struct lt_buf *buf)
{
	size_t count;
	const int64_t *starts = lt_timeline_starts(file->timeline, &count);
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };

	lt_buf_add_c(&url, file->is_live ? "/timeline/live/" : "/timeline/recordings/");
	add_encoded(&url, file->name);
	lt_buf_add_char(&url, '/');
	if (file->is_live) {
		lt_buf_printf(&url, "%" PRId64 "/", file->start_s);
	}
	lt_buf_add_c(buf, ",\"chunks\":{\"url\":");
	lt_json_write_str(buf, lt_buf_str(&url));
	lt_buf_add_c(buf, ",\"starts\":[");
	for (size_t i = 0; i < count; i++) {
		lt_buf_printf(buf, "%s%" PRId64, i ? "," : "", starts[i] - first_s);
	}
	lt_buf_printf(buf, "],\"open\":%s}", file->is_live ? "true" : "false");
}

static void answer_index(const struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	struct lt_timeline_span span = lt_timeline_span(file->timeline);
	const cJSON *manifest = lt_timeline_manifest(file->timeline);
	LT_AUTO(cJSON_Delete) cJSON *none = cJSON_CreateObject();
	struct lt_str uuid = lt_str_from(file->name);
	struct lt_buf *buf = &question->json;

	lt_json_opt_str(manifest, "uuid", &uuid, NULL);
	lt_buf_printf(buf, "{\"live\":%s,\"uuid\":", file->is_live ? "true" : "false");
	lt_json_write_str(buf, uuid);
	lt_buf_add_c(buf, ",\"recording\":");
	if (file->is_live) {
		lt_buf_printf(buf, "\"%" PRId64 "\"", file->start_s);
	} else {
		lt_json_write_str(buf, lt_str_from(file->name));
	}
	lt_buf_add_c(buf, ",\"manifest\":");
	lt_json_print(buf, manifest ? manifest : none, LT_JSON_UTF8);
	lt_buf_printf(buf, ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"frames\":%zu",
			span.first_s, span.last_s, span.frames);
	write_chunks(file, span.first_s, buf);
	lt_buf_add_str(buf, lt_buf_str(&question->finished));
	lt_buf_add_c(buf, "}\n");
	succeed_growing(file, question);
}

static void answer_chunk(const struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	struct lt_err err = { 0 };
	bool is_closed;

	if (!lt_timeline_write_chunk(
			    file->timeline, question->time_s, &is_closed, &question->json, &err)) {
		if (err.code == LT_E_NOT_FOUND) {
			fail(question, 404, "no_such_chunk", err.msg);
		} else {
			fail_err(question, &err);
		}
		return;
	}
	succeed(question, is_closed ? IMMUTABLE : GROWING, is_closed ? 0 : GROWING_MS);
}

/* --- what happened --- */

/* The archive that a cached text was made of. */
static bool stamp_of(const struct lt_timeline_file *file, char ret[STAMP_MAX])
{
	struct stat status;

	if (stat(file->path, &status) != 0) {
		return false;
	}
	snprintf(ret, STAMP_MAX, "1 %lld %lld.%09ld\n", (long long)status.st_size,
			(long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	return true;
}

static const char *const suffixes[] = {
	[LT_TIMELINE_MOMENTS] = ".moments",
	[LT_TIMELINE_MESSAGES] = ".messages",
	[LT_TIMELINE_ANALYSIS] = ".analysis", /* as of the end */
};

static bool answer_from_cache(
		const struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 }, content = { 0 };
	char stamp[STAMP_MAX];
	struct lt_err ignored;
	struct lt_str body;

	lt_buf_printf(&path, "%s%s", file->cache_path, suffixes[question->kind]);
	if (!stamp_of(file, stamp) || !lt_file_read(path.p, CACHE_BYTES_MAX, &content, &ignored) ||
			!lt_str_starts(lt_buf_str(&content), lt_str_from(stamp))) {
		return false;
	}
	body = lt_str_skip(lt_buf_str(&content), strlen(stamp));
	lt_buf_add_str(&question->json, body);
	succeed_growing(file, question);
	return true;
}

/* Best effort: without it the recording is read again next time. */
static void keep_in_cache(
		const struct lt_timeline_file *file, enum lt_timeline_kind kind, struct lt_str body)
{
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 }, content = { 0 };
	char stamp[STAMP_MAX];
	struct lt_err ignored;

	if (stamp_of(file, stamp)) {
		lt_buf_printf(&path, "%s%s", file->cache_path, suffixes[kind]);
		lt_buf_add_c(&content, stamp);
		lt_buf_add_str(&content, body);
		lt_file_replace(path.p, lt_buf_str(&content), 0600, &ignored);
	}
}

static void write_document(
		const struct lt_timeline_file *file, enum lt_timeline_kind kind, struct lt_buf *buf)
{
	lt_buf_add_char(buf, '{');
	if (kind == LT_TIMELINE_MOMENTS) {
		lt_timeline_write_moments(file->timeline, buf);
	} else {
		lt_timeline_write_messages(file->timeline, buf);
	}
	lt_buf_add_c(buf, "}\n");
}

static void fill_cache(const struct lt_timeline_file *file)
{
	for (int kind = LT_TIMELINE_MOMENTS; kind <= LT_TIMELINE_MESSAGES; kind++) {
		LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

		write_document(file, kind, &body);
		keep_in_cache(file, kind, lt_buf_str(&body));
	}
}

static void answer_walk(struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	struct lt_timeline_progress progress;
	struct lt_err err = { 0 };

	if (!file->is_live && !file->has_looked) {
		if (answer_from_cache(file, question)) {
			return;
		}
		file->has_looked = true;
	}
	if (!lt_timeline_walk(file->timeline, WALK_FRAMES, &progress, &err)) {
		fail_err(question, &err);
		return;
	}
	question->share = progress.share;
	if (progress.done) {
		if (!file->is_live) {
			fill_cache(file);
		}
		write_document(file, question->kind, &question->json);
		succeed_growing(file, question);
	}
}

/* --- analysis --- */

/* The time that is answered for; -1: before the start. */
static int64_t settle_time(const struct lt_timeline_file *file, int64_t time_s)
{
	struct lt_timeline_span span = lt_timeline_span(file->timeline);
	int64_t last_s = file->is_live ? span.last_s - 1 : span.last_s;

	if (span.frames == 0 || time_s < span.first_s - ANALYSIS_STEP_S) {
		return -1;
	}
	if (time_s >= last_s) {
		time_s = file->is_live ? last_s - last_s % ANALYSIS_STEP_S : last_s;
	}
	return LT_MAX(time_s, span.first_s);
}

static void write_analysis(int64_t at_s, struct lt_str parts, struct lt_buf *json)
{
	lt_buf_printf(json, "{\"at\":%" PRId64 ",\"analysis\":", at_s);
	lt_buf_add_str(json, parts);
	lt_buf_add_c(json, "}\n");
}

static void answer_analysis(struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	int64_t at_s = settle_time(file, question->time_s);
	struct lt_timeline_progress progress = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf parts = { 0 };
	struct lt_err err = { 0 };
	bool is_whole = !file->is_live && at_s == lt_timeline_span(file->timeline).last_s;
	bool is_fixed;

	if (is_whole && question->share == 0 && answer_from_cache(file, question)) {
		return;
	}
	if (at_s < 0 ||
			!lt_timeline_analyse(file->timeline, at_s, ANALYSIS_FRAMES, &progress,
					&parts, &err)) {
		if (at_s < 0 || err.code == LT_E_NOT_FOUND) {
			fail(question, 404, "out_of_range", "the time is before the start");
		} else {
			fail_err(question, &err);
		}
		return;
	}
	question->share = progress.share;
	if (progress.done) {
		is_fixed = at_s == question->time_s &&
				at_s < lt_timeline_span(file->timeline).last_s - 1;
		write_analysis(at_s, lt_buf_str(&parts), &question->json);
		if (is_whole) {
			keep_in_cache(file, LT_TIMELINE_ANALYSIS, lt_buf_str(&question->json));
		}
		succeed(question, is_fixed ? IMMUTABLE : GROWING, is_fixed ? 0 : GROWING_MS);
	}
}

void lt_timeline_work(struct lt_timeline_file *file, struct lt_timeline_question *question)
{
	if (!open_file(file, question)) {
		return;
	}
	if (lt_timeline_span(file->timeline).frames == 0) {
		fail(question, 404, "not_recorded",
				"no state of this service has been recorded yet");
		return;
	}
	switch (question->kind) {
	case LT_TIMELINE_INDEX:
		answer_index(file, question);
		return;
	case LT_TIMELINE_CHUNK:
		answer_chunk(file, question);
		return;
	case LT_TIMELINE_MOMENTS:
	case LT_TIMELINE_MESSAGES:
		answer_walk(file, question);
		return;
	case LT_TIMELINE_ANALYSIS:
		answer_analysis(file, question);
		return;
	}
}

/* --- the cache --- */

static bool is_of_cache(struct lt_str name)
{
	for (int kind = LT_TIMELINE_MOMENTS; kind <= LT_TIMELINE_ANALYSIS; kind++) {
		if (lt_str_ends(name, lt_str_from(suffixes[kind]))) {
			return true;
		}
	}
	return false;
}

void lt_timeline_sweep(const char *cache_dir, const char *recordings_dir)
{
	struct lt_err ignored;
	DIR *dir;

	lt_dir_make(cache_dir, &ignored);
	dir = opendir(cache_dir);
	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		struct lt_str name = lt_str_from(entry->d_name);
		LT_AUTO(lt_buf_finish) struct lt_buf archive = { 0 };

		if (!is_of_cache(name)) {
			continue;
		}
		lt_buf_printf(&archive, "%s/%.*s.zip", recordings_dir,
				(int)(strrchr(name.p, '.') - name.p), name.p);
		if (access(archive.p, F_OK) != 0) {
			LT_AUTO(lt_free) char *path = lt_path_join(cache_dir, name.p);

			unlink(path);
		}
	}
	if (dir) {
		closedir(dir);
	}
}
