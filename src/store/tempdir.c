#include "store/tempdir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/state.h"
#include "store/dirlist.h"
#include "store/journal.h"

#define MANIFEST_NAME  "manifest.json"
#define PART_SUFFIX    ".part"
#define ADOPTED_SUFFIX ".adopted" /* of a directory whose journal is complete */
#define UUID_MAX_BYTES 200
#define COPIES_MAX     100000

/* --- names --- */

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *lt_tempdir_journal(const char *directory, struct lt_str uuid, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!lt_name_is_safe(uuid) || uuid.p[0] == '.' || uuid.n > UUID_MAX_BYTES) {
		lt_err_set(err, LT_E_INVALID, "uuid %s cannot be the name of a file",
				lt_str_quote(uuid, quoted));
		return NULL;
	}
	for (unsigned copy = 0; copy < COPIES_MAX; copy++) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_add_str(&name, uuid);
		if (copy > 0) {
			lt_buf_printf(&name, "_%u", copy);
		}
		lt_buf_add_c(&name, LT_JOURNAL_SUFFIX);
		char *path = lt_path_join(directory, name.p);
		if (!is_there(path)) {
			return path;
		}
		lt_free(path);
	}
	lt_err_set(err, LT_E_EXISTS, "every name for %s is taken in %s", lt_str_quote(uuid, quoted),
			directory);
	return NULL;
}

/* --- a directory of the original --- */

struct frame_file {
	const char *name;
	int64_t time_s;
	bool is_key;
};

/* By time; a key frame before the difference of its time, which is never applied. */
static int compare_frames(const void *a, const void *b)
{
	const struct frame_file *left = a, *right = b;

	if (left->time_s != right->time_s) {
		return left->time_s < right->time_s ? -1 : 1;
	}
	return (int)right->is_key - (int)left->is_key;
}

/* Owned, freed with lt_free. */
static struct frame_file *list_frames(const struct lt_dirlist *list, size_t *ret_count)
{
	struct frame_file *files = lt_calloc(list->count + 1, sizeof(*files));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct frame_file *file = &files[count];

		file->name = list->names[i];
		count += lt_frame_parse_name(lt_str_from(file->name), &file->time_s, &file->is_key);
	}
	if (count > 0) {
		qsort(files, count, sizeof(*files), compare_frames);
	}
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || files[kept - 1].time_s != files[i].time_s) {
			files[kept++] = files[i];
		}
	}
	*ret_count = kept;
	return files;
}

static bool append_file(struct lt_journal *journal, const char *directory,
		const struct frame_file *file, enum lt_record_kind kind, struct lt_err *err)
{
	LT_AUTO(lt_free) char *path = lt_path_join(directory, file->name);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_packed packed;
	bool ok;

	if (!lt_file_read(path, LT_FRAME_BYTES_MAX, &text, err) ||
			!lt_frame_pack(lt_buf_str(&text), &packed, err)) {
		return false;
	}
	ok = lt_journal_append(journal, kind, file->time_s, &packed, err);
	lt_buf_finish(&packed.bytes);
	return ok;
}

/* What a crash of the original left half written is no JSON. */
static bool is_readable(const char *directory, const struct frame_file *file)
{
	LT_AUTO(lt_free) char *path = lt_path_join(directory, file->name);
	LT_AUTO(cJSON_Delete) cJSON *content = lt_json_parse_file(path, LT_FRAME_BYTES_MAX, NULL);

	return content && (!file->is_key || lt_state_check(content, NULL));
}

static bool copy_directory(struct lt_journal *journal, const char *directory,
		const struct lt_dirlist *list, size_t *ret_skipped, struct lt_err *err)
{
	size_t count, written = 0;
	LT_AUTO(lt_free) struct frame_file *files = list_frames(list, &count);
	bool chain_is_broken = true;

	if (lt_dirlist_has(list, MANIFEST_NAME)) {
		struct frame_file manifest = { MANIFEST_NAME, 0, false };

		if (is_readable(directory, &manifest) &&
				!append_file(journal, directory, &manifest, LT_RECORD_MANIFEST,
						err)) {
			return false;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct frame_file *file = &files[i];

		if ((chain_is_broken && !file->is_key) || !is_readable(directory, file)) {
			chain_is_broken = true;
			continue;
		}
		if (!append_file(journal, directory, file,
				    file->is_key ? LT_RECORD_KEY : LT_RECORD_DIFFERENCE, err)) {
			return false;
		}
		chain_is_broken = false;
		written++;
	}
	*ret_skipped = count - written;
	return written > 0 || lt_err_set(err, LT_E_INVALID, "%s has no readable frames", directory);
}

/* The journal under a hidden name, complete and synced. */
static bool build_journal(const char *directory, const char *part, const struct lt_fileops *ops,
		size_t *ret_skipped, struct lt_err *err)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist list = { NULL, 0 };
	struct lt_journal *journal;
	bool ok;

	if (!lt_dirlist_read(directory, &list, err)) {
		return false;
	}
	ops->unlink(ops->arg, part);
	journal = lt_journal_create(part, ops, err);
	ok = journal && copy_directory(journal, directory, &list, ret_skipped, err) &&
			lt_journal_sync(journal, err);
	lt_journal_close(journal);
	if (!ok) {
		ops->unlink(ops->arg, part);
	}
	return ok;
}

/* Only what the original writes is in there; anything else stays, and the directory with it. */
static void remove_directory(const char *path, const struct lt_fileops *ops)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist list = { NULL, 0 };
	struct frame_file file;

	if (!lt_dirlist_read(path, &list, NULL)) {
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		struct lt_str name = lt_str_from(list.names[i]);

		if (lt_str_eq_c(name, MANIFEST_NAME) ||
				lt_frame_parse_name(name, &file.time_s, &file.is_key)) {
			LT_AUTO(lt_free) char *inside = lt_path_join(path, list.names[i]);

			ops->unlink(ops->arg, inside);
		}
	}
	rmdir(path);
}

/*
 * The directory is renamed before the journal gets its name: a directory of
 * that name with its hidden journal beside it is complete, without is garbage.
 */
static bool finish_adoption(const char *adopted, const char *part, const char *parent,
		const char *base, const struct lt_fileops *ops, struct lt_err *err)
{
	if (is_there(part)) {
		LT_AUTO(lt_free)
		char *path = lt_tempdir_journal(parent, lt_str_from(base), err);

		if (!path) {
			return false;
		}
		if (ops->publish(ops->arg, part, path) < 0) {
			return lt_err_errno(err, "cannot create %s", path);
		}
		if (!lt_fileops_sync_parent(ops, path, err)) {
			return false;
		}
	}
	remove_directory(adopted, ops);
	return true;
}

static char *hidden_name(const char *parent, const char *base, const char *suffix)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	lt_buf_printf(&name, ".%s%s", base, suffix);
	return lt_path_join(parent, name.p);
}

bool lt_tempdir_adopt(const char *frames_directory, const struct lt_fileops *ops,
		size_t *ret_skipped, struct lt_err *err)
{
	LT_AUTO(lt_free) char *parent = lt_path_parent(frames_directory);
	const char *base = lt_path_base(frames_directory);
	LT_AUTO(lt_free) char *part = hidden_name(parent, base, LT_JOURNAL_SUFFIX PART_SUFFIX);
	LT_AUTO(lt_free) char *adopted = hidden_name(parent, base, ADOPTED_SUFFIX);
	size_t skipped = 0;

	ops = ops ? ops : &lt_fileops_system;
	/* What an earlier run began. */
	if (is_directory(adopted) && !finish_adoption(adopted, part, parent, base, ops, err)) {
		return false;
	}
	if (is_directory(adopted)) {
		return lt_err_set(err, LT_E_EXISTS, "%s holds files that are no frames", adopted);
	}
	if (is_directory(frames_directory)) {
		if (!build_journal(frames_directory, part, ops, &skipped, err)) {
			return false;
		}
		if (ops->rename(ops->arg, frames_directory, adopted) < 0) {
			return lt_err_errno(err, "cannot rename %s", frames_directory);
		}
		if (!lt_fileops_sync_parent(ops, adopted, err) ||
				!finish_adoption(adopted, part, parent, base, ops, err)) {
			return false;
		}
	}
	if (ret_skipped) {
		*ret_skipped = skipped;
	}
	return true;
}

/* --- at start --- */

/* "UUID" of a hidden ".UUID.adopted", which an interrupted adoption left. */
static bool adopted_base(struct lt_str name, struct lt_str *ret_base)
{
	if (name.n <= 1 + strlen(ADOPTED_SUFFIX) || name.p[0] != '.' ||
			!lt_str_ends(name, LT_STR(ADOPTED_SUFFIX))) {
		return false;
	}
	*ret_base = (struct lt_str){ name.p + 1, name.n - 1 - strlen(ADOPTED_SUFFIX) };
	return true;
}

static void adopt_all(const char *directory, const struct lt_dirlist *list,
		const struct lt_fileops *ops, void (*problem)(void *arg, const char *sentence),
		void *arg)
{
	for (size_t i = 0; i < list->count; i++) {
		struct lt_str base = lt_str_from(list->names[i]);
		LT_AUTO(lt_free) char *path = lt_path_join(directory, list->names[i]);
		struct lt_err err = { .code = LT_E_NONE };

		if (!is_directory(path) || (base.p[0] == '.' && !adopted_base(base, &base))) {
			continue;
		}
		LT_AUTO(lt_free) char *name = lt_str_dup(base);
		LT_AUTO(lt_free) char *original = lt_path_join(directory, name);
		if (!lt_tempdir_adopt(original, ops, NULL, &err)) {
			problem(arg, err.msg);
		}
	}
}

bool lt_tempdir_scan(const char *directory, const struct lt_fileops *ops,
		void (*found)(void *arg, const char *journal_path),
		void (*problem)(void *arg, const char *sentence), void *arg, struct lt_err *err)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist before = { NULL, 0 }, after = { NULL, 0 };

	if (!lt_dirlist_read(directory, &before, err)) {
		return false;
	}
	adopt_all(directory, &before, ops, problem, arg);
	if (!lt_dirlist_read(directory, &after, err)) {
		return false;
	}
	for (size_t i = 0; i < after.count; i++) {
		struct lt_str name = lt_str_from(after.names[i]);
		LT_AUTO(lt_free) char *path = lt_path_join(directory, after.names[i]);

		if (name.p[0] != '.' && lt_str_ends(name, LT_STR(LT_JOURNAL_SUFFIX)) &&
				!is_directory(path)) {
			found(arg, path);
		}
	}
	return true;
}

bool lt_tempdir_sweep(const char *directory, const struct lt_fileops *ops, struct lt_err *err)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist list = { NULL, 0 };
	bool ok = true;

	ops = ops ? ops : &lt_fileops_system;
	if (!lt_dirlist_read(directory, &list, err)) {
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		struct lt_str name = lt_str_from(list.names[i]);
		LT_AUTO(lt_free) char *path = lt_path_join(directory, list.names[i]);

		/* A part of a journal can be all there is of an adopted directory. */
		if (name.p[0] == '.' && lt_str_ends(name, LT_STR(PART_SUFFIX)) &&
				!lt_str_ends(name, LT_STR(LT_JOURNAL_SUFFIX PART_SUFFIX)) &&
				!is_directory(path) && ops->unlink(ops->arg, path) < 0) {
			ok = lt_err_errno(err, "cannot remove %s", path);
		}
	}
	return ok;
}
