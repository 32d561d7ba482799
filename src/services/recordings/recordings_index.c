#include "services/recordings/recordings_index.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "store/catalogue.h"
#include "store/finalise.h"
#include "store/index.h"
#include "store/recording.h"
#include "store/recording_analysis.h"

#define RESCAN_MS       600000
#define SETTLE_MS       300 /* a file comes as several events, and seldom alone */
#define INDEX_MAX_BYTES (256u * 1024 * 1024)
#define CHANGES_MAX     64
#define NAMES_MAX       1000 /* more changed files than these are found by the next rescan */

struct name {
	UT_hash_handle hh;
	char *text; /* of the archive */
};

struct change {
	cJSON *changes;
	uint64_t id;
	struct change *prev, *next;
};

struct sentence {
	char *text;
	struct sentence *next;
};

/* One piece of work; outlives an index that is destroyed meanwhile. */
struct job {
	struct lt_rec_index *owner; /* NULL: gone */
	atomic_bool is_cancelled;
	char *directory;
	bool reindex, generate_analysis;
	struct name *names;    /* files that are to be read again */
	struct change *change; /* NULL: only looked through */
	struct lt_catalogue *catalogue;
	struct sentence *problems;
	struct lt_err err;
};

struct lt_rec_index {
	struct lt_rec_index_env env;
	char *directory;
	struct lt_catalogue *catalogue; /* NULL: not read yet */
	struct job *job;
	bool is_due; /* looked through once more after the job */
	struct name *names;
	struct change *changes;
	size_t change_count;
	struct lt_timer rescan, settle;
	struct lt_watch watch;
	int fd; /* of inotify; -1: none */
	bool was_refused;
};

struct lt_rec_index *lt_rec_index_create(const struct lt_rec_index_env *env)
{
	struct lt_rec_index *index = lt_zalloc(sizeof(*index));

	index->env = *env;
	index->directory = lt_strdup(env->directory);
	index->fd = -1;
	return index;
}

static void add_name(struct name **names, struct lt_str text)
{
	struct name *name;

	HASH_FIND(hh, *names, text.p, text.n, name);
	if (name == NULL && HASH_COUNT(*names) < NAMES_MAX) {
		name = lt_zalloc(sizeof(*name));
		name->text = lt_str_dup(text);
		HASH_ADD_KEYPTR(hh, *names, name->text, text.n, name);
	}
}

static void free_names(struct name **names)
{
	struct name *name, *next;

	HASH_ITER(hh, *names, name, next) {
		HASH_DEL(*names, name);
		lt_free(name->text);
		lt_free(name);
	}
}

static void free_change(struct change *change)
{
	if (change != NULL) {
		cJSON_Delete(change->changes);
		lt_free(change);
	}
}

/* --- on the worker --- */

static void add_problem(void *arg, const char *text)
{
	struct job *job = arg;
	struct sentence *sentence = lt_zalloc(sizeof(*sentence));

	sentence->text = lt_strdup(text);
	LL_APPEND(job->problems, sentence);
}

static bool may_go_on(void *arg, size_t done, size_t all)
{
	const struct job *job = arg;

	(void)done;
	(void)all;
	return !atomic_load(&job->is_cancelled);
}

static bool make_analysis(void *arg, const char *recording_path, const char *analysis_path)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	struct lt_recording *recording = lt_recording_open(recording_path, &err);
	bool ok = recording != NULL &&
			lt_recording_analyse(recording, NULL, NULL, &text, NULL, &err) &&
			lt_fileops_replace(&lt_fileops_system, analysis_path, lt_buf_str(&text),
					LT_RECORDING_MODE, &err);

	lt_recording_close(recording);
	if (!ok) {
		add_problem(arg, err.msg);
	}
	return ok;
}

/* Files whose time has changed are not read again by themselves: their entries are dropped. */
static void drop_entries(const struct job *job)
{
	LT_AUTO(lt_free) char *path = lt_path_join(job->directory, LT_INDEX_NAME);
	LT_AUTO(cJSON_Delete) cJSON *index = lt_json_parse_file(path, INDEX_MAX_BYTES, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	cJSON *entry = index ? index->child : NULL;
	bool any = false;

	while (entry != NULL) {
		cJSON *next = entry->next;
		struct lt_str file = { "", 0 };
		struct name *name;

		lt_json_opt_str(entry, "filename", &file, NULL);
		HASH_FIND(hh, job->names, file.p, file.n, name);
		if (name != NULL) {
			cJSON_Delete(cJSON_DetachItemViaPointer(index, entry));
			any = true;
		}
		entry = next;
	}
	if (any) {
		lt_json_print(&text, index, LT_JSON_COMPACT);
		/* if this fails, so will the update, which says so */
		lt_fileops_replace(&lt_fileops_system, path, lt_buf_str(&text), 0644, NULL);
	}
}

/* Recordings of a bucket that are not here (services/offload), as if they were. */
static void add_remote(cJSON *index, const char *directory)
{
	LT_AUTO(lt_free) char *path = lt_path_join(directory, LT_REMOTE_NAME);
	LT_AUTO(cJSON_Delete) cJSON *file = lt_json_parse_file(path, INDEX_MAX_BYTES, NULL);
	cJSON *entries = lt_json_get(file, "entries");

	if (entries) {
		lt_index_add_take(index, cJSON_DetachItemViaPointer(file, entries));
	}
}

static void run_job(void *arg)
{
	struct job *job = arg;
	struct lt_index_opts opts = { .directory = job->directory,
		.reindex = job->reindex,
		.problem = add_problem,
		.progress = may_go_on,
		.make_analysis = job->generate_analysis ? make_analysis : NULL,
		.arg = job };

	if (job->names != NULL) {
		drop_entries(job);
	}
	cJSON *index = job->change ? lt_index_change(&opts, job->change->changes, &job->err)
				   : lt_index_update(&opts, &job->err);

	if (index != NULL) {
		add_remote(index, job->directory);
		job->catalogue = lt_catalogue_create_take(index);
	}
}

static void free_old(void *arg)
{
	lt_catalogue_destroy(arg);
}

static void nothing(void *arg)
{
	(void)arg;
}

/* --- on the loop --- */

static void free_job(struct job *job)
{
	struct sentence *sentence, *next;

	LL_FOREACH_SAFE(job->problems, sentence, next) {
		lt_free(sentence->text);
		lt_free(sentence);
	}
	free_names(&job->names);
	free_change(job->change);
	lt_free(job->directory);
	lt_free(job);
}

static void report(struct lt_rec_index *index, const struct job *job)
{
	const struct sentence *sentence;
	char quoted[LT_LOG_VALUE_MAX];

	LL_FOREACH(job->problems, sentence) {
		lt_log(&index->env.log, LT_WARN, "recording left out of the list", "reason=%s",
				lt_log_value(lt_str_from(sentence->text), quoted));
	}
	if (job->change != NULL) {
		return;
	}
	bool is_refused = job->err.code != LT_E_NONE;

	if (is_refused && !index->was_refused) {
		lt_log(&index->env.log, LT_ERROR, "recordings cannot be listed, tried again",
				"reason=%s", lt_log_value(lt_str_from(job->err.msg), quoted));
	}
	index->was_refused = is_refused;
}

static void begin_job(struct lt_rec_index *index);

static void job_done(void *arg)
{
	struct job *job = arg;
	struct lt_rec_index *index = job->owner;

	if (index == NULL) {
		lt_catalogue_destroy(job->catalogue);
		free_job(job);
		return;
	}
	index->job = NULL;
	report(index, job);
	if (job->catalogue != NULL) {
		struct lt_catalogue *old = index->catalogue;

		index->catalogue = job->catalogue;
		index->env.renewed(index->env.arg, index->catalogue);
		if (old != NULL) {
			lt_loop_work(index->env.loop, free_old, nothing, old);
		}
	}
	if (job->change != NULL) {
		index->env.changed(index->env.arg, job->change->id,
				job->err.code != LT_E_NONE ? &job->err : NULL);
	}
	free_job(job);
	begin_job(index);
}

static void begin_job(struct lt_rec_index *index)
{
	if (index->job != NULL || (!index->is_due && index->changes == NULL)) {
		return;
	}
	struct job *job = lt_zalloc(sizeof(*job));

	job->owner = index;
	job->directory = lt_strdup(index->directory);
	job->reindex = index->env.reindex;
	job->generate_analysis = index->env.generate_analysis;
	job->names = LT_STEAL(index->names);
	if (index->changes != NULL) {
		job->change = index->changes;
		DL_DELETE(index->changes, job->change);
		index->change_count--;
	} else {
		index->is_due = false;
		index->env.reindex = false; /* once */
	}
	index->job = job;
	lt_loop_work(index->env.loop, run_job, job_done, job);
}

static void look_through(void *arg)
{
	struct lt_rec_index *index = arg;

	index->is_due = true;
	begin_job(index);
}

void lt_rec_index_change(struct lt_rec_index *index, const cJSON *changes, uint64_t id)
{
	struct change *change;

	if (index->change_count == CHANGES_MAX) {
		struct lt_err err;

		lt_err_set(&err, LT_E_LIMIT, "too many changes wait already");
		index->env.changed(index->env.arg, id, &err);
		return;
	}
	change = lt_zalloc(sizeof(*change));
	change->changes = cJSON_Duplicate(changes, true);
	change->id = id;
	DL_APPEND(index->changes, change);
	index->change_count++;
	begin_job(index);
}

/* --- inotify --- */

/* An archive, or the analysis beside it: the archive is what is read again. */
static void take_event(struct lt_rec_index *index, const struct inotify_event *event)
{
	struct lt_str name = lt_str_from(event->len > 0 ? event->name : "");
	LT_AUTO(lt_buf_finish) struct lt_buf archive = { 0 };

	if (name.n == 0 || name.p[0] == '.' || lt_str_eq_c(name, LT_INDEX_NAME)) {
		return;
	}
	if (lt_str_ends(name, LT_STR(".zip"))) {
		lt_buf_add_str(&archive, name);
	} else if (lt_str_ends(name, LT_STR(".json"))) {
		name.n -= strlen(".json");
		lt_buf_add_str(&archive, name);
		lt_buf_add_c(&archive, ".zip");
	} else {
		return;
	}
	add_name(&index->names, lt_buf_str(&archive));
	if (!lt_timer_is_armed(&index->settle)) {
		lt_timer_once(&index->settle, index->env.loop, SETTLE_MS, look_through, index);
	}
}

static void on_inotify(void *arg, int events)
{
	struct lt_rec_index *index = arg;
	_Alignas(struct inotify_event) char buf[8192];
	ssize_t n;

	(void)events;
	while ((n = read(index->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct inotify_event event;

			memcpy(&event, buf + at, sizeof(event));
			take_event(index, (const struct inotify_event *)(const void *)(buf + at));
			at += (ssize_t)(sizeof(event) + event.len);
		}
	}
}

static bool watch(struct lt_rec_index *index, struct lt_err *err)
{
	index->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (index->fd < 0 ||
			inotify_add_watch(index->fd, index->directory,
					IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM |
							IN_MOVED_TO | IN_ONLYDIR) < 0) {
		return lt_err_errno(err, "%s", index->directory);
	}
	return lt_watch_start(&index->watch, index->env.loop, index->fd, LT_READABLE, on_inotify,
			index, err);
}

void lt_rec_index_start(struct lt_rec_index *index)
{
	struct lt_err err;

	if (!watch(index, &err)) {
		lt_log(&index->env.log, LT_WARN,
				"recordings are not watched, changes show after ten minutes",
				"reason=\"%s\"", err.msg);
	}
	lt_timer_every(&index->rescan, index->env.loop, RESCAN_MS, look_through, index);
	look_through(index);
}

void lt_rec_index_destroy(struct lt_rec_index *index)
{
	struct change *change, *next;

	if (index == NULL) {
		return;
	}
	lt_timer_cancel(&index->rescan);
	lt_timer_cancel(&index->settle);
	lt_watch_stop(&index->watch);
	if (index->fd >= 0) {
		close(index->fd);
	}
	if (index->job != NULL) {
		atomic_store(&index->job->is_cancelled, true);
		index->job->owner = NULL;
	}
	DL_FOREACH_SAFE(index->changes, change, next) {
		DL_DELETE(index->changes, change);
		free_change(change);
	}
	free_names(&index->names);
	lt_catalogue_destroy(index->catalogue);
	lt_free(index->directory);
	lt_free(index);
}
