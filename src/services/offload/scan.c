/* What is in the directory: the next one to upload, and copies that are too many. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"

#define LEFT_S 3600 /* what is half fetched, and was not touched that long, is of the dead */

struct lt_offload_scan {
	struct lt_offload *offload; /* NULL: stopped meanwhile */
	char *directory;
	struct lt_offload_file *files;
	size_t n;
	struct lt_offload_listing *listing;
};

/* --- on the worker --- */

static int64_t ns_of(struct timespec at)
{
	return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

bool lt_offload_stat(const char *directory, struct lt_offload_file *file)
{
	LT_AUTO(lt_free) char *path = lt_path_join(directory, file->name);
	LT_AUTO(lt_free) char *analysis = lt_offload_with_ending(file->name, ".json");
	LT_AUTO(lt_free) char *analysis_path = lt_path_join(directory, analysis);
	struct stat info;

	if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
		return false;
	}
	file->bytes = (uint64_t)info.st_size;
	file->mtime_ns = ns_of(info.st_mtim);
	file->analysis_ns = stat(analysis_path, &info) == 0 ? ns_of(info.st_mtim) : 0;
	return true;
}

static void add_file(struct lt_offload_scan *scan, struct lt_str name)
{
	struct lt_offload_file file = { .name = lt_str_dup(name) };

	if (!lt_offload_stat(scan->directory, &file)) {
		lt_free(file.name);
		return;
	}
	file.listed = lt_offload_listing_find(scan->listing, file.name);
	scan->files = lt_reallocarray(scan->files, scan->n + 1, sizeof(*scan->files));
	scan->files[scan->n++] = file;
}

/* Daemons that share the directory may be fetching: what is young stays. */
static void remove_left(int dir, const char *name)
{
	struct stat info;

	if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
			time(NULL) - info.st_mtim.tv_sec > LEFT_S) {
		unlinkat(dir, name, 0);
	}
}

static int older_first(const void *a, const void *b)
{
	const struct lt_offload_file *x = a, *y = b;

	if (x->mtime_ns != y->mtime_ns) {
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

static void scan_directory(void *arg)
{
	struct lt_offload_scan *scan = arg;
	DIR *dir = opendir(scan->directory);
	const struct dirent *entry;

	scan->listing = lt_offload_listing_read_take(scan->directory, scan->listing);
	while (dir && (entry = readdir(dir)) != NULL) {
		struct lt_str name = lt_str_from(entry->d_name);

		if (lt_str_starts(name, LT_STR(LT_OFFLOAD_TEMP))) {
			remove_left(dirfd(dir), entry->d_name);
		} else if (name.p[0] != '.' && lt_str_ends(name, LT_STR(".zip")) &&
				lt_name_is_safe(name)) {
			add_file(scan, name);
		}
	}
	if (dir) {
		closedir(dir);
	}
	if (scan->n > 0) {
		qsort(scan->files, scan->n, sizeof(*scan->files), older_first);
	}
}

static void free_scan(struct lt_offload_scan *scan)
{
	for (size_t i = 0; i < scan->n; i++) {
		lt_free(scan->files[i].name);
	}
	lt_free(scan->files);
	lt_offload_listing_free(scan->listing);
	lt_free(scan->directory);
	lt_free(scan);
}

/* --- on the loop --- */

static bool is_behind_tried(const struct lt_offload *offload, const struct lt_offload_file *file)
{
	const struct lt_offload_file tried = { .name = offload->tried,
		.mtime_ns = offload->tried_ns };

	return !offload->tried || older_first(file, &tried) > 0;
}

/* The oldest one behind the last that was tried, or the oldest of all. */
static const struct lt_offload_file *choose(
		struct lt_offload *offload, const struct lt_offload_scan *scan)
{
	const struct lt_offload_file *first = NULL, *next = NULL;

	offload->stats.waiting = 0;
	for (size_t i = 0; i < scan->n && offload->env.uploads; i++) {
		const struct lt_offload_file *file = &scan->files[i];

		if (lt_offload_is_done(offload, file)) {
			continue;
		}
		offload->stats.waiting++;
		if (!file->listed) { /* not yet, or it is no recording */
			continue;
		}
		first = first ? first : file;
		next = !next && is_behind_tried(offload, file) ? file : next;
	}
	return next ? next : first;
}

/* May the copy go? Where nothing is uploaded it is enough that the archive came from there. */
static bool is_spare(const struct lt_offload *offload, const struct lt_offload_file *file)
{
	return offload->env.uploads ? lt_offload_is_done(offload, file)
				    : lt_offload_has_archive(offload, file);
}

/* The oldest ones that are confirmed go first; the newest is in use, if any is, and stays. */
static const struct lt_offload_file *choose_to_remove(
		const struct lt_offload *offload, const struct lt_offload_scan *scan)
{
	uint64_t bytes = 0;

	if (offload->env.conf.keep_bytes == 0) {
		return NULL;
	}
	for (size_t i = 0; i < scan->n; i++) {
		bytes += is_spare(offload, &scan->files[i]) ? scan->files[i].bytes : 0;
	}
	for (size_t i = 0; i + 1 < scan->n && bytes > offload->env.conf.keep_bytes; i++) {
		const struct lt_offload_file *file = &scan->files[i];
		const struct lt_offload_remote *remote =
				lt_offload_find_remote(offload, file->name);
		const struct lt_offload_done *done = lt_offload_find_done(offload, file->name);

		if (remote && remote->text && is_spare(offload, file) && done->etag[0]) {
			return file;
		}
	}
	return NULL;
}

static void scanned(void *arg)
{
	struct lt_offload_scan *scan = arg;
	struct lt_offload *offload = scan->offload;
	const struct lt_offload_file *next, *surplus;

	if (!offload) {
		free_scan(scan);
		return;
	}
	offload->scan = NULL;
	next = choose(offload, scan);
	if (offload->stats.waiting == 0) {
		offload->attempts = 0;
	}
	/* not before it is known which names are taken */
	if (next && offload->is_known && !offload->upload &&
			!lt_timer_is_armed(&offload->retry_timer)) {
		lt_offload_upload(offload, next);
	}
	surplus = offload->is_known ? choose_to_remove(offload, scan) : NULL;
	if (surplus && !offload->removal) {
		lt_offload_remove(offload, surplus);
	}
	offload->listing = LT_STEAL(scan->listing);
	free_scan(scan);
}

void lt_offload_look(void *arg)
{
	struct lt_offload *offload = arg;
	struct lt_offload_scan *scan;

	if (!offload->is_started || offload->scan || offload->upload) {
		return;
	}
	scan = lt_zalloc(sizeof(*scan));
	scan->offload = offload;
	scan->directory = lt_strdup(offload->directory);
	scan->listing = LT_STEAL(offload->listing);
	offload->scan = scan;
	lt_loop_work(offload->env.loop, scan_directory, scanned, scan);
}

void lt_offload_stop_scan(struct lt_offload *offload)
{
	if (offload->scan) {
		LT_STEAL(offload->scan)->offload = NULL;
	}
}
