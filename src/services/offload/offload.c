#include "services/offload/offload.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exposition.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"
#include "store/index.h"

#define STATE_NAME      "offload.json"
#define FILE_MAX_BYTES  (64u << 20)
#define SCAN_MS         5000
#define INDEX_WAIT_MS   1000
#define RETRY_MIN_MS    1000
#define RETRY_MAX_MS    300000
#define NAME_TRIES      1000
#define INDEX_MAX_BYTES (256u << 20)

enum step { ZIP, ANALYSIS, ENTRY };

/* A recording on its way into the bucket. */
struct lt_offload_upload {
	struct lt_offload *offload; /* NULL: stopped while a worker has it */
	char *name;                 /* "UUID.zip" */
	uint64_t bytes;
	int64_t mtime_ns;
	enum step step;
	cJSON *entry; /* of the index; NULL: not listed yet */
	char *directory;
	bool has_analysis, at_worker;
	char *new_name;
};

char *lt_offload_key(const struct lt_offload *offload, const char *folder, const char *name)
{
	struct lt_buf key = { 0 };

	lt_buf_printf(&key, "%s%s%s%s", offload->prefix, folder, name, *folder ? ".json" : "");
	return lt_buf_steal(&key);
}

/* --- what is confirmed --- */

struct lt_offload_done *lt_offload_find_done(struct lt_offload *offload, const char *name)
{
	struct lt_offload_done *found = NULL;

	HASH_FIND_STR(offload->done, name, found);
	return found;
}

static void drop_done(struct lt_offload *offload, struct lt_offload_done *done)
{
	HASH_DEL(offload->done, done);
	lt_free(done);
}

static void set_done(struct lt_offload *offload, const char *name, uint64_t bytes, int64_t mtime_ns)
{
	struct lt_offload_done *done = lt_offload_find_done(offload, name);

	if (!done) {
		done = lt_zalloc(sizeof(*done) + strlen(name) + 1);
		memcpy(done->name, name, strlen(name));
		HASH_ADD_STR(offload->done, name, done);
	}
	done->bytes = bytes;
	done->mtime_ns = mtime_ns;
}

static void load_done(struct lt_offload *offload)
{
	LT_AUTO(cJSON_Delete)
	cJSON *file = lt_json_parse_file(offload->state_path, FILE_MAX_BYTES, NULL);
	const cJSON *item;

	cJSON_ArrayForEach(item, lt_json_get(file, "files")) {
		int64_t bytes, mtime_s, mtime_ns;

		if (lt_json_get_int(item, "bytes", 0, INT64_MAX, &bytes, NULL) &&
				lt_json_get_int(item, "mtime", 0, INT32_MAX, &mtime_s, NULL) &&
				lt_json_get_int(item, "ns", 0, 999999999, &mtime_ns, NULL)) {
			set_done(offload, item->string, (uint64_t)bytes,
					mtime_s * INT64_C(1000000000) + mtime_ns);
		}
	}
}

static void save_done(struct lt_offload *offload)
{
	const struct lt_offload_done *done;
	struct lt_buf text = { 0 };
	struct lt_text *shared;

	lt_buf_add_c(&text, "{\"files\":{");
	for (done = offload->done; done; done = done->hh.next) {
		lt_buf_add_c(&text, done == offload->done ? "" : ",");
		lt_json_write_str(&text, lt_str_from(done->name));
		lt_buf_printf(&text, ":{\"bytes\":%llu,\"mtime\":%lld,\"ns\":%lld}",
				(unsigned long long)done->bytes,
				(long long)(done->mtime_ns / 1000000000),
				(long long)(done->mtime_ns % 1000000000));
	}
	lt_buf_add_c(&text, "}}");
	shared = lt_text_take(&text);
	lt_saver_write(offload->saver, offload->state_path, shared);
	lt_text_unref(shared);
}

void lt_offload_confirm(
		struct lt_offload *offload, const char *name, uint64_t bytes, int64_t mtime_ns)
{
	set_done(offload, name, bytes, mtime_ns);
	save_done(offload);
}

/* --- one upload --- */

static void free_upload(struct lt_offload_upload *upload)
{
	lt_free(upload->new_name);
	lt_free(upload->name);
	lt_free(upload->directory);
	cJSON_Delete(upload->entry);
	lt_free(upload);
}

static void end_upload(struct lt_offload *offload)
{
	free_upload(LT_STEAL(offload->upload));
}

/* "UUID.zip" without its ending, with another; owned. */
static char *with_ending(const char *name, const char *ending)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "%.*s%s", (int)(strlen(name) - strlen(".zip")), name, ending);
	return lt_buf_steal(&text);
}

static void on_failed(struct lt_offload *offload, struct lt_str why, bool is_denied)
{
	int64_t wait_ms = RETRY_MIN_MS;

	for (unsigned i = 0; i < offload->attempts && wait_ms < RETRY_MAX_MS; i++) {
		wait_ms *= 2;
	}
	offload->attempts++;
	offload->stats.failed++;
	offload->stats.in_trouble = true;
	lt_log(&offload->env.log, is_denied ? LT_ERROR : LT_WARN,
			"recording not uploaded; it stays here and is tried again",
			"name=%s reason=\"%.*s\" in_s=%lld", offload->upload->name, LT_STR_ARG(why),
			(long long)LT_MIN(wait_ms, RETRY_MAX_MS) / 1000);
	end_upload(offload);
	lt_timer_once(&offload->retry_timer, offload->env.loop, LT_MIN(wait_ms, RETRY_MAX_MS),
			lt_offload_look, offload);
}

static void send_step(struct lt_offload *offload);

static void on_sent(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload *offload = arg;
	struct lt_offload_upload *upload = offload->upload;

	if (!result->ok) {
		on_failed(offload, result->error, result->is_denied);
		return;
	}
	if (upload->step != ENTRY) {
		upload->step = upload->step == ZIP && upload->has_analysis ? ANALYSIS : ENTRY;
		send_step(offload);
		return;
	}
	offload->attempts = 0;
	offload->stats.in_trouble = false;
	offload->stats.uploaded++;
	lt_log(&offload->env.log, LT_INFO, "recording uploaded", "name=%s bytes=%llu", upload->name,
			(unsigned long long)upload->bytes);
	lt_offload_set_remote(offload, upload->name, upload->entry);
	lt_offload_confirm(offload, upload->name, upload->bytes, upload->mtime_ns);
	end_upload(offload);
	lt_offload_look(offload);
}

static void send_step(struct lt_offload *offload)
{
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(lt_free)
	char *name = with_ending(upload->name,
			upload->step == ZIP                        ? ".zip"
					: upload->step == ANALYSIS ? ".json"
								   : "");
	LT_AUTO(lt_free)
	char *key = lt_offload_key(offload, upload->step == ENTRY ? "catalogue/" : "", name);
	LT_AUTO(lt_free) char *path = lt_path_join(offload->directory, name);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (upload->step != ENTRY) {
		lt_s3_put(offload->s3, key, path, on_sent, offload);
		return;
	}
	lt_json_print(&text, upload->entry, LT_JSON_UTF8);
	lt_s3_put_bytes(offload->s3, key, lt_buf_str(&text), on_sent, offload);
}

/* Worker: what the index says of it, and whether an analysis is there. */
static void prepare(void *arg)
{
	struct lt_offload_upload *upload = arg;
	LT_AUTO(lt_free) char *index_path = lt_path_join(upload->directory, LT_INDEX_NAME);
	LT_AUTO(lt_free) char *analysis = with_ending(upload->name, ".json");
	LT_AUTO(lt_free) char *analysis_path = lt_path_join(upload->directory, analysis);
	LT_AUTO(cJSON_Delete)
	cJSON *index = lt_json_parse_file(index_path, INDEX_MAX_BYTES, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };

	lt_index_key(&key, lt_str_from(upload->name));
	lt_buf_add_char(&key, '\0');
	upload->entry = cJSON_Duplicate(lt_json_get(index, key.p), true);
	upload->has_analysis = access(analysis_path, R_OK) == 0;
}

/* Is the name taken in the bucket by another recording? */
static bool is_taken(const struct lt_offload *offload, const char *name, const cJSON *entry)
{
	const struct lt_offload_remote *remote = lt_offload_find_remote(offload, name);

	return remote &&
			(!remote->entry ||
					remote->start !=
							cJSON_GetNumberValue(lt_json_get(
									entry, "startTime")));
}

/* Worker: the next name that is free here and there. */
static void rename_files(void *arg)
{
	struct lt_offload_upload *upload = arg;
	LT_AUTO(lt_free) char *from = lt_path_join(upload->directory, upload->name);
	LT_AUTO(lt_free) char *analysis = with_ending(upload->name, ".json");
	LT_AUTO(lt_free) char *from_analysis = lt_path_join(upload->directory, analysis);
	LT_AUTO(lt_free) char *to = lt_path_join(upload->directory, upload->new_name);
	LT_AUTO(lt_free) char *new_analysis = with_ending(upload->new_name, ".json");
	LT_AUTO(lt_free) char *to_analysis = lt_path_join(upload->directory, new_analysis);

	/* link, not rename: what is there is never replaced */
	if (link(from, to) == 0) {
		rename(from_analysis, to_analysis); /* where it has one */
		unlink(from);
	}
}

static void renamed(void *arg)
{
	struct lt_offload_upload *upload = arg;
	struct lt_offload *offload = upload->offload;

	upload->at_worker = false;
	if (!offload) {
		free_upload(upload);
		return;
	}
	lt_log(&offload->env.log, LT_INFO, "recording renamed: its name is another's in the bucket",
			"name=%s new=%s", upload->name, upload->new_name);
	end_upload(offload);
	lt_offload_look(offload);
}

static void give_new_name(struct lt_offload *offload)
{
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(lt_free) char *base = with_ending(upload->name, "");
	char *underscore = strchr(base, '_');

	if (underscore) {
		*underscore = '\0';
	}
	for (int i = 1; i < NAME_TRIES && !upload->new_name; i++) {
		struct lt_buf name = { 0 };
		LT_AUTO(lt_free) char *path = NULL;

		lt_buf_printf(&name, "%s_%d.zip", base, i);
		path = lt_path_join(offload->directory, name.p);
		if (!lt_offload_find_remote(offload, name.p) && access(path, F_OK) != 0) {
			upload->new_name = lt_buf_steal(&name);
		}
		lt_buf_finish(&name);
	}
	if (!upload->new_name) {
		on_failed(offload, LT_STR("its name is taken, and so are all after it"), false);
		return;
	}
	upload->at_worker = true;
	lt_loop_work(offload->env.loop, rename_files, renamed, upload);
}

static void prepared(void *arg)
{
	struct lt_offload_upload *upload = arg;
	struct lt_offload *offload = upload->offload;

	upload->at_worker = false;
	if (!offload) {
		free_upload(upload);
	} else if (!upload->entry) { /* the index has not come to it yet */
		end_upload(offload);
		lt_timer_once(&offload->retry_timer, offload->env.loop, INDEX_WAIT_MS,
				lt_offload_look, offload);
	} else if (is_taken(offload, upload->name, upload->entry)) {
		give_new_name(offload);
	} else {
		send_step(offload);
	}
}

/* --- looking through the directory --- */

struct found {
	bool is_done; /* as it is, it is in the bucket */
	char *name;
	uint64_t bytes;
	int64_t mtime_ns;
};

struct lt_offload_scan {
	struct lt_offload *offload; /* NULL: stopped meanwhile */
	char *directory;
	struct found *files;
	size_t n;
	bool ok;
};

static int older_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->mtime_ns < y->mtime_ns ? -1 : x->mtime_ns > y->mtime_ns;
}

static void scan_directory(void *arg)
{
	struct lt_offload_scan *scan = arg;
	DIR *dir = opendir(scan->directory);
	const struct dirent *entry;
	struct stat info;

	scan->ok = dir != NULL;
	while (dir && (entry = readdir(dir)) != NULL) {
		struct lt_str name = lt_str_from(entry->d_name);

		if (name.p[0] == '.' || !lt_str_ends(name, LT_STR(".zip")) ||
				!lt_name_is_safe(name) ||
				fstatat(dirfd(dir), entry->d_name, &info, 0) != 0 ||
				!S_ISREG(info.st_mode)) {
			continue;
		}
		scan->files = lt_reallocarray(scan->files, scan->n + 1, sizeof(*scan->files));
		scan->files[scan->n++] = (struct found){ false, lt_str_dup(name),
			(uint64_t)info.st_size,
			info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec };
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
	lt_free(scan->directory);
	lt_free(scan);
}

static bool is_done(struct lt_offload *offload, const struct found *file)
{
	const struct lt_offload_done *done = lt_offload_find_done(offload, file->name);

	return done && done->bytes == file->bytes && done->mtime_ns == file->mtime_ns;
}

static void begin_upload(struct lt_offload *offload, const struct found *file)
{
	struct lt_offload_upload *upload = lt_zalloc(sizeof(*upload));

	upload->offload = offload;
	upload->name = lt_strdup(file->name);
	upload->directory = lt_strdup(offload->directory);
	upload->bytes = file->bytes;
	upload->mtime_ns = file->mtime_ns;
	upload->at_worker = true;
	offload->upload = upload;
	lt_loop_work(offload->env.loop, prepare, prepared, upload);
}

static void remove_copy(struct lt_offload *offload, const struct found *file)
{
	LT_AUTO(lt_free) char *path = lt_path_join(offload->directory, file->name);
	LT_AUTO(lt_free) char *analysis = with_ending(file->name, ".json");
	LT_AUTO(lt_free) char *analysis_path = lt_path_join(offload->directory, analysis);

	if (unlink(path) == 0) {
		unlink(analysis_path);
		offload->stats.removed++;
		lt_log(&offload->env.log, LT_INFO, "local copy removed; the bucket has it",
				"name=%s", file->name);
	}
}

/* The oldest ones that are confirmed go first. */
static void keep_bound(struct lt_offload *offload, const struct lt_offload_scan *scan)
{
	uint64_t bytes = 0;

	if (offload->env.conf.keep_bytes == 0) {
		return;
	}
	for (size_t i = 0; i < scan->n; i++) {
		bytes += scan->files[i].is_done ? scan->files[i].bytes : 0;
	}
	for (size_t i = 0; i < scan->n && bytes > offload->env.conf.keep_bytes; i++) {
		const struct lt_offload_remote *remote =
				lt_offload_find_remote(offload, scan->files[i].name);

		if (remote && remote->entry && scan->files[i].is_done) {
			remove_copy(offload, &scan->files[i]);
			bytes -= scan->files[i].bytes;
		}
	}
}

static void scanned(void *arg)
{
	struct lt_offload_scan *scan = arg;
	struct lt_offload *offload = scan->offload;
	const struct found *next = NULL;

	if (!offload) {
		free_scan(scan);
		return;
	}
	offload->scan = NULL;
	offload->stats.waiting = 0;
	for (size_t i = 0; i < scan->n; i++) {
		scan->files[i].is_done = is_done(offload, &scan->files[i]);
		if (!scan->files[i].is_done) {
			next = next ? next : &scan->files[i];
			offload->stats.waiting++;
		}
	}
	/* not before it is known which names are taken */
	if (next && offload->is_known && !offload->upload && offload->env.uploads &&
			!lt_timer_is_armed(&offload->retry_timer)) {
		begin_upload(offload, next);
	}
	keep_bound(offload, scan);
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
	offload->scan = scan;
	lt_loop_work(offload->env.loop, scan_directory, scanned, scan);
}

/* --- life --- */

struct lt_offload *lt_offload_create(const struct lt_offload_env *env)
{
	struct lt_offload *offload = lt_zalloc(sizeof(*offload));

	offload->env = *env;
	offload->env.log.module = "offload";
	offload->directory = lt_strdup(env->directory);
	offload->state_path = lt_path_join(env->state_dir, STATE_NAME);
	offload->remote_path = lt_path_join(env->directory, LT_REMOTE_NAME);
	offload->prefix = lt_strdup(env->conf.prefix ? env->conf.prefix : "");
	offload->saver = lt_saver_create(env->loop, offload->env.log);
	offload->s3 = lt_s3_create(&(struct lt_s3_env){
			.loop = env->loop,
			.requests = env->requests,
			.url = env->conf.url,
			.region = env->conf.region,
			.access_key = env->conf.access_key,
			.secret_key = env->conf.secret_key,
	});
	return offload;
}

void lt_offload_start(struct lt_offload *offload)
{
	load_done(offload);
	lt_offload_load_remote(offload);
	offload->is_started = true;
	lt_timer_every(&offload->scan_timer, offload->env.loop, SCAN_MS, lt_offload_look, offload);
	lt_timer_every(&offload->refresh_timer, offload->env.loop,
			offload->env.conf.refresh_s * 1000, lt_offload_refresh, offload);
	lt_offload_refresh(offload);
}

void lt_offload_stop(struct lt_offload *offload)
{
	offload->is_started = false;
	lt_timer_cancel(&offload->scan_timer);
	lt_timer_cancel(&offload->refresh_timer);
	lt_timer_cancel(&offload->retry_timer);
	lt_s3_destroy(LT_STEAL(offload->s3));
	lt_offload_free_fetches(offload);
	if (offload->upload && offload->upload->at_worker) {
		LT_STEAL(offload->upload)->offload = NULL;
	} else if (offload->upload) {
		end_upload(offload);
	}
	if (offload->scan) {
		LT_STEAL(offload->scan)->offload = NULL;
	}
}

void lt_offload_destroy(struct lt_offload *offload)
{
	struct lt_offload_done *done, *next;

	if (!offload) {
		return;
	}
	lt_offload_stop(offload);
	HASH_ITER(hh, offload->done, done, next) {
		drop_done(offload, done);
	}
	lt_offload_free_remote(offload);
	lt_saver_destroy(offload->saver);
	lt_free(offload->directory);
	lt_free(offload->state_path);
	lt_free(offload->remote_path);
	lt_free(offload->prefix);
	lt_free(offload);
}

void lt_offload_report(const struct lt_offload *offload, struct lt_offload_stats *ret)
{
	*ret = offload->stats;
	ret->remote = HASH_COUNT(offload->remote);
}

void lt_offload_write_metrics(const struct lt_offload *offload, struct lt_buf *buf)
{
	struct lt_offload_stats stats;

	lt_offload_report(offload, &stats);

	const struct lt_expo_figure figures[] = {
		{ "livetiming_offload_uploaded_total", "counter", "recordings uploaded",
				stats.uploaded },
		{ "livetiming_offload_failed_total", "counter",
				"uploads that failed, to be tried again", stats.failed },
		{ "livetiming_offload_waiting", "gauge", "recordings that are not uploaded yet",
				stats.waiting },
		{ "livetiming_offload_remote", "gauge", "recordings in the bucket", stats.remote },
		{ "livetiming_offload_fetched_total", "counter", "recordings fetched from it",
				stats.fetched },
		{ "livetiming_offload_removed_total", "counter", "local copies removed",
				stats.removed },
		{ "livetiming_offload_in_trouble", "gauge", "1: the last request to it failed",
				stats.in_trouble },
	};

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
}
