#include "services/schedule/schedule_source.h"

#include <ctype.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"

#define BODY_MAX_BYTES (8 * 1024 * 1024)
#define COPY_MODE      0600 /* a calendar may be private */
#define HASH_BYTES     8
#define FILE_SCHEME    "file://"

/* A reading on a worker: nothing of the source is touched there. */
struct job {
	struct lt_schedule_source *source; /* NULL: destroyed meanwhile */
	struct lt_buf text;                /* of the source; unused when is_copy */
	char *file;                        /* to read the text from first; NULL: it is there */
	char *copy;
	char *local_zone;
	bool is_copy;    /* the copy itself is read */
	bool is_priming; /* before the first request */
	int64_t now_s;
	struct lt_schedule_calendar calendar;
	bool ok, is_stored;
	int64_t copy_s; /* when the copy was written, unix time */
	struct lt_err err, store_err;
};

struct lt_schedule_source {
	struct lt_schedule_source_env env;
	char *url, *shown, *copy_name, *copy;
	struct lt_schedule_calendar calendar;
	bool is_known, is_from_copy, is_reading, is_primed;
	bool is_store_failing;
	char *problem; /* NULL: the last reading went well */
	char *etag, *last_modified;
	int64_t read_s;
	struct lt_fetch *fetch; /* NULL: none under way */
	struct job *job;        /* NULL: none under way */
	struct lt_deferred defer;
};

/* --- URLs --- */

static bool has_scheme(struct lt_str url, const char *scheme)
{
	size_t n = strlen(scheme);

	return url.n > n && strncasecmp(url.p, scheme, n) == 0;
}

static bool is_url(struct lt_str url)
{
	return has_scheme(url, "https://") || has_scheme(url, "http://") ||
			has_scheme(url, FILE_SCHEME);
}

static bool check_url(struct lt_str url, struct lt_err *err)
{
	if (!is_url(url)) {
		return lt_err_set(err, LT_E_INVALID,
				"expected URLs that begin with https://, http:// or file://, separated by commas");
	}
	for (size_t i = 0; i < url.n; i++) {
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == '\x7f') {
			return lt_err_set(err, LT_E_INVALID,
					"a URL with a blank or control character in it");
		}
	}
	return true;
}

bool lt_schedule_urls(struct lt_str setting, void (*fn)(void *arg, struct lt_str url), void *arg,
		struct lt_err *err)
{
	struct lt_str rest = lt_str_trim(setting);

	while (rest.n) {
		size_t n = 0;

		while (n < rest.n &&
				(rest.p[n] != ',' ||
						!is_url(lt_str_trim(lt_str_skip(rest, n + 1))))) {
			n++;
		}
		struct lt_str url = lt_str_trim((struct lt_str){ rest.p, n });

		while (url.n && url.p[url.n - 1] == ',') { /* one at the end of the setting */
			url = lt_str_trim((struct lt_str){ url.p, url.n - 1 });
		}
		if (!check_url(url, err)) {
			return false;
		}
		if (fn) {
			fn(arg, url);
		}
		rest = n < rest.n ? lt_str_trim(lt_str_skip(rest, n + 1)) : (struct lt_str){ 0 };
	}
	return true;
}

/* Scheme and host, without user, path and query; of a file its name alone. */
static char *shown_of(struct lt_str url)
{
	LT_AUTO(lt_buf_finish) struct lt_buf shown = { 0 };
	size_t begin = 0, end;

	if (has_scheme(url, FILE_SCHEME)) {
		for (size_t i = 0; i < url.n; i++) {
			begin = url.p[i] == '/' ? i + 1 : begin;
		}
		lt_buf_printf(&shown, "file %.*s", LT_STR_ARG(lt_str_skip(url, begin)));
		return lt_buf_steal(&shown);
	}
	while (url.p[begin] != '/' || url.p[begin + 1] != '/') {
		begin++; /* there is one: is_url */
	}
	begin += 2;
	lt_buf_add(&shown, url.p, begin);
	for (end = begin; end < url.n && !strchr("/?#", url.p[end]); end++) {
		if (url.p[end] == '@') {
			begin = end + 1;
		}
	}
	lt_buf_add(&shown, url.p + begin, end - begin);
	return lt_buf_steal(&shown);
}

/* The path of a file: URL, %XX decoded. NULL: it names another machine. */
static char *file_path(struct lt_str url)
{
	struct lt_str rest = lt_str_skip(url, strlen(FILE_SCHEME));
	struct lt_buf path = { 0 };

	if (lt_str_starts(rest, LT_STR("localhost/"))) {
		rest = lt_str_skip(rest, strlen("localhost"));
	}
	if (!rest.n || rest.p[0] != '/') {
		return NULL;
	}
	for (size_t i = 0; i < rest.n; i++) {
		const char *digits = "0123456789abcdef";
		const char *high, *low;

		if (rest.p[i] == '%' && i + 2 < rest.n && isxdigit((unsigned char)rest.p[i + 1]) &&
				isxdigit((unsigned char)rest.p[i + 2])) {
			high = strchr(digits, tolower((unsigned char)rest.p[i + 1]));
			low = strchr(digits, tolower((unsigned char)rest.p[i + 2]));
			lt_buf_add_char(&path, (char)((high - digits) * 16 + (low - digits)));
			i += 2;
		} else {
			lt_buf_add_char(&path, rest.p[i]);
		}
	}
	return lt_buf_steal(&path);
}

/* --- life --- */

struct lt_schedule_source *lt_schedule_source_create(
		const struct lt_schedule_source_env *env, struct lt_str url)
{
	struct lt_schedule_source *source = lt_zalloc(sizeof(*source));
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	source->env = *env;
	source->url = lt_str_dup(url);
	source->shown = shown_of(url);
	lt_sha256(url, digest);
	lt_buf_add_c(&name, "calendar-");
	lt_hex_encode(&name, digest, HASH_BYTES);
	lt_buf_add_c(&name, ".ics");
	source->copy_name = lt_buf_steal(&name);
	source->copy = lt_path_join(env->state_dir, source->copy_name);
	return source;
}

void lt_schedule_source_destroy(struct lt_schedule_source *source)
{
	if (!source) {
		return;
	}
	if (source->fetch) {
		source->env.requests.cancel(source->env.requests.arg, source->fetch);
	}
	lt_deferred_cancel(&source->defer);
	if (source->job) {
		source->job->source = NULL;
	}
	lt_schedule_calendar_finish(&source->calendar);
	lt_free(source->url);
	lt_free(source->shown);
	lt_free(source->copy_name);
	lt_free(source->copy);
	lt_free(source->problem);
	lt_free(source->etag);
	lt_free(source->last_modified);
	lt_free(source);
}

bool lt_schedule_source_has_url(const struct lt_schedule_source *source, struct lt_str url)
{
	return lt_str_eq_c(url, source->url);
}

const char *lt_schedule_source_copy(const struct lt_schedule_source *source)
{
	return source->copy_name;
}

void lt_schedule_source_report(
		const struct lt_schedule_source *source, struct lt_schedule_source_state *ret)
{
	*ret = (struct lt_schedule_source_state){
		.shown = source->shown,
		.is_reading = source->is_reading,
		.is_known = source->is_known,
		.is_from_copy = source->is_from_copy,
		.problem = source->problem,
		.read_s = source->read_s,
		.calendar = &source->calendar,
	};
}

/* --- the end of a reading --- */

static void set_text(char **slot, struct lt_str text)
{
	lt_free(*slot);
	*slot = text.n ? lt_str_dup(text) : NULL;
}

/* Told when it changes; problem NULL: the reading went well. */
static void set_problem(struct lt_schedule_source *source, const char *problem)
{
	char text[LT_LOG_VALUE_MAX];

	if (problem && (!source->problem || strcmp(problem, source->problem) != 0)) {
		lt_log(&source->env.log, LT_WARN,
				source->is_known
						? "calendar cannot be read, its last copy is used"
						: "calendar cannot be read, and there is no copy of it",
				"from=\"%s\" reason=%s", source->shown,
				lt_log_value(lt_str_from(problem), text));
	} else if (!problem && source->problem) {
		lt_log(&source->env.log, LT_INFO, "calendar is read again", "from=\"%s\"",
				source->shown);
	}
	if (problem != source->problem) {
		lt_free(source->problem);
		source->problem = problem ? lt_strdup(problem) : NULL;
	}
}

static void end_reading(struct lt_schedule_source *source)
{
	source->is_reading = false;
	source->env.done(source->env.arg, source);
}

/* --- understanding it, on a worker --- */

static void run_job(void *arg)
{
	struct job *job = arg;
	const char *file = job->is_copy ? job->copy : job->file;
	struct stat stat_of_copy;

	if (file && !lt_file_read(file, BODY_MAX_BYTES, &job->text, &job->err)) {
		return;
	}
	job->ok = lt_schedule_calendar_read(lt_buf_str(&job->text), job->now_s, job->local_zone,
			&job->calendar, &job->err);
	if (job->ok && !job->is_copy) {
		job->is_stored = lt_file_replace(
				job->copy, lt_buf_str(&job->text), COPY_MODE, &job->store_err);
	} else if (job->ok && stat(job->copy, &stat_of_copy) == 0) {
		job->copy_s = (int64_t)stat_of_copy.st_mtim.tv_sec;
	}
}

static void free_job(struct job *job)
{
	lt_schedule_calendar_finish(&job->calendar);
	lt_buf_finish(&job->text);
	lt_free(job->file);
	lt_free(job->copy);
	lt_free(job->local_zone);
	lt_free(job);
}

static void start_job(struct lt_schedule_source *source, bool is_copy, struct lt_str text,
		char *file_take);
static void begin(void *arg);

static void use_calendar(struct lt_schedule_source *source, struct job *job)
{
	struct lt_schedule_calendar old = source->calendar;

	source->calendar = job->calendar;
	job->calendar = (struct lt_schedule_calendar){ 0 };
	lt_schedule_calendar_finish(&old);
	source->is_from_copy = job->is_copy && (source->is_from_copy || !source->is_known);
	source->is_known = true;
	if (job->is_copy && source->read_s == 0) {
		source->read_s = job->copy_s;
	}
}

/* A copy that is not on disk cannot stand in: have the whole text sent again next time. */
static void note_storing(struct lt_schedule_source *source, const struct job *job)
{
	if (!job->is_stored) {
		set_text(&source->etag, (struct lt_str){ 0 });
		set_text(&source->last_modified, (struct lt_str){ 0 });
	}
	if (!job->is_stored && !source->is_store_failing) {
		lt_log(&source->env.log, LT_ERROR, "copy of the calendar not written",
				"from=\"%s\" reason=\"%s\"", source->shown, job->store_err.msg);
	}
	source->is_store_failing = !job->is_stored;
}

static void job_done(void *arg)
{
	struct job *job = arg;
	struct lt_schedule_source *source = job->source;

	if (!source) {
		free_job(job);
		return;
	}
	source->job = NULL;
	if (job->ok) {
		use_calendar(source, job);
	}
	if (job->ok && !job->is_copy) {
		source->read_s = job->now_s;
		set_problem(source, NULL);
		note_storing(source, job);
	} else if (!job->ok && !job->is_copy) {
		/* broken text: what it was unchanged against must not be believed, either */
		set_text(&source->etag, (struct lt_str){ 0 });
		set_text(&source->last_modified, (struct lt_str){ 0 });
		set_problem(source, job->err.msg);
		free_job(job);
		start_job(source, true, (struct lt_str){ 0 }, NULL);
		return;
	}
	if (!job->ok) { /* the copy is gone: have the whole text sent again */
		set_text(&source->etag, (struct lt_str){ 0 });
		set_text(&source->last_modified, (struct lt_str){ 0 });
	}
	bool is_priming = job->is_priming, ok = job->ok;

	free_job(job);
	if (!is_priming) {
		end_reading(source);
		return;
	}
	if (ok) {
		source->env.done(source->env.arg, source);
	}
	lt_loop_defer(source->env.loop, &source->defer, begin, source);
}

/* file_take: the text is in that file; else `text` is copied, or the copy is read. */
static void start_job(struct lt_schedule_source *source, bool is_copy, struct lt_str text,
		char *file_take)
{
	struct job *job = lt_zalloc(sizeof(*job));

	job->source = source;
	job->is_copy = is_copy;
	job->file = file_take;
	job->copy = lt_strdup(source->copy);
	job->local_zone = source->env.local_zone ? lt_strdup(source->env.local_zone) : NULL;
	job->now_s = lt_wall_s(lt_loop_wall(source->env.loop));
	lt_buf_add_str(&job->text, text);
	source->job = job;
	lt_loop_work(source->env.loop, run_job, job_done, job);
}

/* --- asking for it --- */

static void fail(struct lt_schedule_source *source, const char *problem)
{
	set_problem(source, problem);
	start_job(source, true, (struct lt_str){ 0 }, NULL);
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_schedule_source *source = arg;
	struct lt_err err;

	source->fetch = NULL;
	if (result->status == 200) {
		set_text(&source->etag, result->etag);
		set_text(&source->last_modified, result->last_modified);
		start_job(source, false, result->body, NULL);
	} else if (result->status == 304 && source->is_known) {
		source->read_s = lt_wall_s(lt_loop_wall(source->env.loop));
		set_problem(source, NULL);
		start_job(source, true, (struct lt_str){ 0 }, NULL);
	} else if (result->status != 0) {
		lt_err_set(&err, LT_E_UNAVAILABLE, "the server answers with status %ld",
				result->status);
		fail(source, err.msg);
	} else {
		/* libcurl's sentences name the host at most, but not all are ours to know */
		lt_err_set(&err, LT_E_UNAVAILABLE, "%s",
				result->code == LT_E_TIMEOUT ? "it does not answer in time"
						: result->code == LT_E_LIMIT
						? "it is too large"
						: "the server cannot be reached");
		fail(source, err.msg);
	}
}

static void start_fetch(struct lt_schedule_source *source)
{
	static const char *const headers[] = { "Accept: text/calendar, */*;q=0.1", NULL };
	struct lt_err err = { 0 };

	source->fetch = source->env.requests.start(source->env.requests.arg,
			&(struct lt_fetch_opts){
					.url = source->url,
					.headers = headers,
					.timeout_ms = source->env.timeout_ms,
					.body_max = BODY_MAX_BYTES,
					.etag = lt_str_from(source->etag),
					.last_modified = lt_str_from(source->last_modified),
					.result = on_result,
					.arg = source,
			},
			&err);
	if (!source->fetch) {
		fail(source, "the request cannot be sent");
	}
}

/* Off the caller's stack, so that `done` never comes from inside read. */
static void begin(void *arg)
{
	struct lt_schedule_source *source = arg;
	struct lt_str url = lt_str_from(source->url);
	char *path;

	if (!source->is_primed) { /* the source may be slow, and an event may be due */
		source->is_primed = true;
		start_job(source, true, (struct lt_str){ 0 }, NULL);
		source->job->is_priming = true;
		return;
	}
	if (!has_scheme(url, FILE_SCHEME)) {
		start_fetch(source);
		return;
	}
	path = file_path(url);
	if (path) {
		start_job(source, false, (struct lt_str){ 0 }, path);
	} else {
		fail(source, "a file of another machine");
	}
}

void lt_schedule_source_read(struct lt_schedule_source *source)
{
	if (source->is_reading) {
		return;
	}
	source->is_reading = true;
	lt_loop_defer(source->env.loop, &source->defer, begin, source);
}
