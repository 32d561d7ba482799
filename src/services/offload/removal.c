/* Local copies of what is in the bucket: none goes before the bucket was asked. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"

struct lt_offload_removal {
	struct lt_offload *offload; /* NULL: stopped while a worker has it */
	struct lt_offload_file file;
	char *directory;
	bool at_worker, is_removed;
};

static void free_removal(struct lt_offload_removal *removal)
{
	lt_free(removal->file.name);
	lt_free(removal->directory);
	lt_free(removal);
}

/* Worker: unless it has changed since. */
static void unlink_files(void *arg)
{
	struct lt_offload_removal *removal = arg;
	struct lt_offload_file now = { .name = removal->file.name };
	LT_AUTO(lt_free) char *path = lt_path_join(removal->directory, now.name);
	LT_AUTO(lt_free) char *analysis = lt_offload_with_ending(now.name, ".json");
	LT_AUTO(lt_free) char *analysis_path = lt_path_join(removal->directory, analysis);

	removal->is_removed = lt_offload_stat(removal->directory, &now) &&
			now.bytes == removal->file.bytes &&
			now.mtime_ns == removal->file.mtime_ns &&
			now.analysis_ns == removal->file.analysis_ns && unlink(path) == 0;
	if (removal->is_removed) {
		unlink(analysis_path);
	}
}

static void unlinked(void *arg)
{
	struct lt_offload_removal *removal = arg;
	struct lt_offload *offload = removal->offload;

	if (!offload) {
		free_removal(removal);
		return;
	}
	offload->removal = NULL;
	if (removal->is_removed) {
		offload->stats.removed++;
		lt_log(&offload->env.log, LT_INFO, "local copy removed; the bucket has it",
				"name=%s", removal->file.name);
		lt_offload_look(offload); /* further ones */
	}
	free_removal(removal);
}

static void on_head(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload_removal *removal = arg;
	struct lt_offload *offload = removal->offload;
	const struct lt_offload_done *done = lt_offload_find_done(offload, removal->file.name);

	if (result->ok && done && result->bytes == done->bytes &&
			lt_str_eq_c(result->etag, done->etag)) {
		removal->at_worker = true;
		lt_loop_work(offload->env.loop, unlink_files, unlinked, removal);
		return;
	}
	offload->removal = NULL;
	if (result->ok || result->is_absent) {
		lt_log(&offload->env.log, LT_WARN,
				"the bucket does not have the recording any more; it is uploaded again",
				"name=%s", removal->file.name);
		lt_offload_drop_done(offload, removal->file.name);
		lt_offload_look(offload);
	}
	free_removal(removal);
}

void lt_offload_remove(struct lt_offload *offload, const struct lt_offload_file *file)
{
	struct lt_offload_removal *removal = lt_zalloc(sizeof(*removal));
	LT_AUTO(lt_free) char *key = lt_offload_key(offload, "", file->name);

	removal->offload = offload;
	removal->file = *file;
	removal->file.name = lt_strdup(file->name);
	removal->directory = lt_strdup(offload->directory);
	offload->removal = removal;
	lt_s3_head(offload->s3, key, on_head, removal);
}

void lt_offload_stop_removal(struct lt_offload *offload)
{
	if (offload->removal && offload->removal->at_worker) {
		LT_STEAL(offload->removal)->offload = NULL;
	} else if (offload->removal) {
		free_removal(LT_STEAL(offload->removal));
	}
}
