#include "services/dvr/local_recording.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "services/dvr/recording_lane.h"
#include "store/recorder.h"

struct resume; /* looking for the journal of an earlier run, on a worker */

struct entry {
	struct lt_local_recordings *owner;
	char *path; /* of the archive */
	struct lt_lane *lane;
	struct resume *resume; /* NULL: done */
	struct entry *prev, *next;
};

struct resume {
	struct entry *entry; /* NULL: it has gone */
	char *journal;
	struct lt_recorder *recorder;
	struct lt_err err;
};

struct lt_local_recordings {
	struct lt_local_recordings_env env;
	struct entry *entries;
	bool is_draining;
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct lt_deferred stopped_call;
};

struct lt_local_recordings *lt_local_recordings_create(const struct lt_local_recordings_env *env)
{
	struct lt_local_recordings *recordings = lt_zalloc(sizeof(*recordings));

	recordings->env = *env;
	recordings->env.log.module = "recording";
	return recordings;
}

static void free_entry(struct entry *entry)
{
	if (entry->resume != NULL) {
		entry->resume->entry = NULL;
	}
	DL_DELETE(entry->owner->entries, entry);
	lt_free(entry->path);
	lt_free(entry);
}

void lt_local_recordings_destroy(struct lt_local_recordings *recordings)
{
	struct entry *entry, *next;

	if (recordings == NULL) {
		return;
	}
	lt_deferred_cancel(&recordings->stopped_call);
	DL_FOREACH_SAFE(recordings->entries, entry, next) {
		lt_lane_abandon(entry->lane);
		free_entry(entry);
	}
	lt_free(recordings);
}

static void all_stopped(void *arg)
{
	struct lt_local_recordings *recordings = arg;

	recordings->stopped(recordings->stopped_arg);
}

static void check_stopped(struct lt_local_recordings *recordings)
{
	if (recordings->stopped != NULL && recordings->entries == NULL) {
		lt_loop_defer(recordings->env.loop, &recordings->stopped_call, all_stopped,
				recordings);
	}
}

/* --- the journal of an earlier run --- */

static void resume_work(void *arg)
{
	struct resume *resume = arg;

	if (access(resume->journal, F_OK) == 0) {
		resume->recorder = lt_recorder_resume(resume->journal, NULL, &resume->err);
	}
}

static void resume_done(void *arg)
{
	struct resume *resume = arg;
	struct entry *entry = resume->entry;
	char quoted[LT_LOG_VALUE_MAX];

	if (entry != NULL) {
		entry->resume = NULL;
		if (resume->recorder != NULL) {
			lt_lane_resume_take(
					entry->lane, LT_STEAL(resume->recorder), resume->journal);
		} else if (resume->err.code != LT_E_NONE) {
			lt_log(&entry->owner->env.log, LT_WARN,
					"journal of an earlier run stays as it is", "reason=%s",
					lt_log_value(lt_str_from(resume->err.msg), quoted));
		}
		lt_lane_release(entry->lane);
	}
	lt_recorder_close(resume->recorder);
	lt_free(resume->journal);
	lt_free(resume);
}

static void look_for_journal(struct entry *entry, const char *dir, const char *stem)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	lt_buf_printf(&name, "%s%s", stem, LT_JOURNAL_SUFFIX);
	entry->resume = lt_zalloc(sizeof(*entry->resume));
	entry->resume->entry = entry;
	entry->resume->journal = lt_path_join(dir, name.p);
	lt_loop_work(entry->owner->env.loop, resume_work, resume_done, entry->resume);
}

/* --- what the service says --- */

static void on_described(void *arg, const cJSON *manifest)
{
	struct entry *entry = arg;

	lt_lane_set_manifest(entry->lane, manifest, lt_loop_wall(entry->owner->env.loop));
}

static void on_update(void *arg, const struct lt_timing_update *update)
{
	struct entry *entry = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf state = { 0 };

	lt_json_print(&state, update->new_state, LT_JSON_UTF8);
	lt_lane_add_state(entry->lane, lt_buf_str(&state), update->now);
}

static void on_stopped(void *arg)
{
	struct entry *entry = arg;

	if (entry->owner->is_draining) {
		lt_lane_leave(entry->lane);
	} else {
		lt_lane_finish(entry->lane);
	}
}

static void lane_ended(void *arg, struct lt_lane *lane, enum lt_lane_end end)
{
	struct entry *entry = arg;
	struct lt_local_recordings *recordings = entry->owner;

	(void)lane;
	(void)end;
	free_entry(entry);
	check_stopped(recordings);
}

/* --- entries --- */

static bool check_file(const struct lt_local_recordings *recordings, const char *path,
		const char *dir, struct lt_err *err)
{
	const struct entry *entry;

	if (access(dir, W_OK | X_OK) != 0) {
		return lt_err_errno(err, "--recording-file: %.150s", dir);
	}
	DL_FOREACH(recordings->entries, entry) {
		if (strcmp(entry->path, path) == 0) {
			return lt_err_set(err, LT_E_EXISTS,
					"--recording-file: %.120s is being recorded", path);
		}
	}
	return true;
}

static void make_entry(struct lt_local_recordings *recordings, const struct lt_timing_about *about,
		const char *path, const char *dir, struct lt_timing_observer *ret_observer)
{
	struct entry *entry = lt_zalloc(sizeof(*entry));
	struct lt_str stem = lt_str_from(lt_path_base(path));
	struct lt_lane_env env = { .loop = recordings->env.loop,
		.log = recordings->env.log,
		.temp_dir = dir,
		.done_dir = dir,
		.sync_interval_s = recordings->env.sync_interval_s,
		.ended = lane_ended,
		.arg = entry };

	stem.n -= strlen(".zip");
	LT_AUTO(lt_free) char *stem_text = lt_str_dup(stem);
	struct lt_lane_opts opts = { .uuid = about->uuid, .file_stem = stem_text, .is_held = true };

	entry->owner = recordings;
	entry->path = lt_strdup(path);
	entry->lane = lt_lane_create(&env, &opts);
	DL_APPEND(recordings->entries, entry);
	look_for_journal(entry, dir, stem_text);
	*ret_observer = (struct lt_timing_observer){
		.described = on_described, .update = on_update, .stopped = on_stopped, .arg = entry
	};
}

static bool attach(void *arg, const struct lt_timing_about *about,
		struct lt_timing_observer *ret_observer, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 };

	if (about->recording_file == NULL) {
		return true;
	}
	lt_buf_add_c(&path, about->recording_file);
	if (!lt_str_ends(lt_buf_str(&path), LT_STR(".zip"))) {
		lt_buf_add_c(&path, ".zip");
	}
	LT_AUTO(lt_free) char *dir = lt_path_parent(path.p);
	if (lt_path_base(path.p)[0] == '.') {
		return lt_err_set(err, LT_E_INVALID, "--recording-file: %.120s is no file name",
				about->recording_file);
	}
	if (!check_file(arg, path.p, dir, err)) {
		return false;
	}
	make_entry(arg, about, path.p, dir, ret_observer);
	return true;
}

struct lt_timing_watcher lt_local_recordings_watcher(struct lt_local_recordings *recordings)
{
	return (struct lt_timing_watcher){ .attach = attach, .arg = recordings };
}

void lt_local_recordings_drain(struct lt_local_recordings *recordings)
{
	recordings->is_draining = true;
}

void lt_local_recordings_stop(
		struct lt_local_recordings *recordings, void (*done)(void *arg), void *arg)
{
	recordings->stopped = done;
	recordings->stopped_arg = arg;
	check_stopped(recordings);
}
