#include "store/finalise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "store/journal.h"
#include "store/zip_writer.h"

#define MANIFEST_NAME   "manifest.json"
#define VERSION         1
#define UUID_MAX_BYTES  200 /* leaves room for suffixes in a file name */
#define COPIES_MAX      100000
#define PROGRESS_FRAMES 256
#define COMMENT         "livetiming frames sha256:"
#define COMMENT_BYTES   (sizeof(COMMENT) - 1 + 2 * LT_SHA256_BYTES)
#define END_BYTES       22 /* of a zip, before the comment */

struct job {
	const struct lt_finalise_opts *opts;
	const struct lt_fileops *ops;
	struct lt_journal *journal; /* kept open, so that nobody else writes to it */
	struct lt_journal_reader *reader;
	const struct lt_record *frames;
	size_t count;
	char *uuid;
	char comment[COMMENT_BYTES + 1];
};

static void job_finish(struct job *job)
{
	lt_journal_close(job->journal);
	lt_journal_reader_close(job->reader);
	lt_free(job->uuid);
}

static inline void lt_auto_job_finish(struct job *job)
{
	job_finish(job);
}

/* --- what is to be written --- */

/* Names the content: equal for the same frames, whatever happened to the manifest since. */
static void make_comment(struct job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	for (size_t i = 0; i < job->count; i++) {
		lt_buf_printf(&text, "%lld %d %u %u\n", (long long)job->frames[i].time_s,
				(int)job->frames[i].kind, job->frames[i].raw_bytes,
				job->frames[i].raw_crc);
	}
	lt_sha256(lt_buf_str(&text), digest);
	lt_hex_encode(&hex, digest, sizeof(digest));
	snprintf(job->comment, sizeof(job->comment), COMMENT "%s", hex.p);
}

/* The uuid of the manifest, or else the name of the journal. */
static bool find_uuid(struct job *job, struct lt_err *err)
{
	const char *base = lt_path_base(job->opts->journal_path);
	struct lt_str uuid = lt_str_from(base);
	char quoted[LT_QUOTE_MAX];

	if (lt_str_ends(uuid, LT_STR(LT_JOURNAL_SUFFIX))) {
		uuid.n -= strlen(LT_JOURNAL_SUFFIX);
	}
	if (!lt_json_opt_str(lt_journal_reader_manifest(job->reader), "uuid", &uuid, err)) {
		return lt_err_prefix(err, MANIFEST_NAME);
	}
	job->uuid = lt_str_dup(uuid);
	return (lt_name_is_safe(uuid) && uuid.p[0] != '.' && uuid.n <= UUID_MAX_BYTES) ||
			lt_err_set(err, LT_E_INVALID, "uuid %s cannot be the name of a file",
					lt_str_quote(uuid, quoted));
}

static bool open_reader(struct job *job, struct lt_err *err)
{
	job->frames = lt_journal_reader_frames(job->reader, &job->count);
	if (job->count == 0) {
		return lt_err_set(err, LT_E_INVALID, "no frames");
	}
	if (!lt_journal_reader_manifest(job->reader)) {
		return lt_err_set(err, LT_E_INVALID, "no manifest");
	}
	make_comment(job);
	return find_uuid(job, err);
}

/* "UUID:1" for the second recording of a service. */
static cJSON *uuid_of(const struct job *job, unsigned copy)
{
	LT_AUTO(lt_buf_finish) struct lt_buf uuid = { 0 };

	lt_buf_add_c(&uuid, job->uuid);
	if (copy > 0) {
		lt_buf_printf(&uuid, ":%u", copy);
	}
	return lt_json_new_str(lt_buf_str(&uuid));
}

/* As kept: with the uuid of the n-th recording of the service, startTime and version. */
static void print_manifest(const struct job *job, unsigned copy, struct lt_buf *buf)
{
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = cJSON_Duplicate(lt_journal_reader_manifest(job->reader), true);

	lt_json_set_take(manifest, "uuid", uuid_of(job, copy));
	if (!lt_json_get(manifest, "startTime")) {
		lt_json_add_int(manifest, "startTime", job->frames[0].time_s);
	}
	lt_json_set_take(manifest, "version", lt_json_new_int(VERSION));
	lt_json_print(buf, manifest, LT_JSON_SPACED);
}

/* --- names --- */

/* "UUID.zip", "UUID_1.zip"; colons would be taken for something else on other systems. */
static char *name_of(const struct job *job, unsigned copy)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	if (job->opts->file_name) {
		return lt_strdup(job->opts->file_name);
	}
	lt_buf_add_c(&name, job->uuid);
	for (size_t i = 0; i < name.n; i++) {
		name.p[i] = name.p[i] == ':' ? '_' : name.p[i];
	}
	if (copy > 0) {
		lt_buf_printf(&name, "_%u", copy);
	}
	lt_buf_add_c(&name, ".zip");
	return lt_buf_steal(&name);
}

/* Does the archive end in our comment? */
static bool has_comment(const char *path, const char *comment)
{
	char tail[END_BYTES + COMMENT_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool same;

	if (fd < 0) {
		return false;
	}
	same = fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(tail) &&
			pread(fd, tail, sizeof(tail), st.st_size - (off_t)sizeof(tail)) ==
					sizeof(tail) &&
			memcmp(tail, "PK\5\6", 4) == 0 &&
			memcmp(tail + END_BYTES, comment, COMMENT_BYTES) == 0;
	close(fd);
	return same;
}

enum name_state { NAME_FREE, NAME_OURS, NAME_TAKEN };

/* The first name that is free, or that our archive already has. */
static enum name_state choose_name(const struct job *job, unsigned *copy, char **ret_name)
{
	for (; *copy < COPIES_MAX; (*copy)++) {
		LT_AUTO(lt_free) char *name = name_of(job, *copy);
		LT_AUTO(lt_free) char *path = lt_path_join(job->opts->directory, name);
		struct stat st;
		bool is_there = lstat(path, &st) == 0;

		if (!is_there || has_comment(path, job->comment)) {
			*ret_name = LT_STEAL(name);
			return is_there ? NAME_OURS : NAME_FREE;
		}
		if (job->opts->file_name) {
			break;
		}
	}
	return NAME_TAKEN;
}

/* --- writing --- */

static bool go_on(const struct job *job, size_t done, struct lt_err *err)
{
	if (!job->opts->progress || (done % PROGRESS_FRAMES != 0 && done != job->count)) {
		return true;
	}
	return job->opts->progress(job->opts->arg, done, job->count) ||
			lt_err_set(err, LT_E_UNAVAILABLE, "cancelled");
}

static bool copy_frames(const struct job *job, struct lt_zip_writer *writer, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	char name[LT_FRAME_NAME_MAX];

	for (size_t i = 0; i < job->count; i++) {
		const struct lt_record *frame = &job->frames[i];

		lt_buf_clear(&packed);
		lt_frame_name(frame->time_s, frame->kind == LT_RECORD_KEY, name);
		struct lt_zip_entry entry = {
			.name = lt_str_from(name),
			.method = LT_ZIP_DEFLATED,
			.raw_crc = frame->raw_crc,
			.raw_bytes = frame->raw_bytes,
			.time_s = frame->time_s,
		};
		if (!go_on(job, i, err) ||
				!lt_journal_reader_packed(job->reader, frame, &packed, err)) {
			return false;
		}
		entry.packed = lt_buf_str(&packed);
		if (!lt_zip_writer_add(writer, &entry, err)) {
			return false;
		}
	}
	return go_on(job, job->count, err);
}

static bool add_manifest(const struct job *job, unsigned copy, struct lt_zip_writer *writer,
		struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	print_manifest(job, copy, &text);
	return lt_zip_writer_add_text(writer, LT_STR(MANIFEST_NAME), lt_buf_str(&text),
			job->frames[job->count - 1].time_s, err);
}

/* The whole archive under its hidden name. */
static bool write_archive(
		const struct job *job, unsigned copy, const char *part, struct lt_err *err)
{
	struct lt_zip_writer *writer = lt_zip_writer_open(part, LT_RECORDING_MODE, job->ops, err);
	bool ok = writer && copy_frames(job, writer, err) && add_manifest(job, copy, writer, err) &&
			lt_zip_writer_finish(writer, lt_str_from(job->comment), err);

	lt_zip_writer_destroy(writer);
	return ok;
}

/* Name the archive. When somebody took the name meanwhile, *ret_again is set. */
static bool publish(const struct job *job, const char *part, const char *path, bool *ret_again,
		struct lt_err *err)
{
	*ret_again = false;
	if (job->ops->publish(job->ops->arg, part, path) == 0) {
		return lt_fileops_sync_parent(job->ops, path, err);
	}
	*ret_again = errno == EEXIST && !job->opts->file_name;
	lt_err_errno(err, "cannot create %s", path);
	job->ops->unlink(job->ops->arg, part);
	return false;
}

/* The same for each attempt at a journal, so that what a crash left is written over. */
static char *part_path(const struct job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	lt_buf_printf(&name, ".%s.zip.part", lt_path_base(job->opts->journal_path));
	return lt_path_join(job->opts->directory, name.p);
}

/* Write and publish under the first free name. */
static bool make_archive(
		const struct job *job, unsigned *ret_copy, char **ret_name, struct lt_err *err)
{
	LT_AUTO(lt_free) char *part = part_path(job);
	bool again = true;

	*ret_copy = 0;
	while (again) {
		LT_AUTO(lt_free) char *name = NULL;
		enum name_state state = choose_name(job, ret_copy, &name);

		if (state == NAME_TAKEN) {
			return lt_err_set(err, LT_E_EXISTS, "%s exists",
					job->opts->file_name ? job->opts->file_name : "every name");
		}
		LT_AUTO(lt_free) char *path = lt_path_join(job->opts->directory, name);
		if (state == NAME_OURS) {
			*ret_name = LT_STEAL(name);
			/* Its name may not have reached the disk before the crash. */
			return lt_fileops_sync_parent(job->ops, path, err);
		}
		if (!write_archive(job, *ret_copy, part, err)) {
			return false;
		}
		if (publish(job, part, path, &again, err)) {
			*ret_name = LT_STEAL(name);
			return true;
		}
	}
	return false;
}

static bool write_analysis(
		const struct job *job, unsigned copy, const char *name, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf beside = { 0 }, text = { 0 };
	struct lt_str stem = lt_str_from(name);

	if (!job->opts->analysis) {
		return true;
	}
	LT_AUTO(cJSON_Delete) cJSON *analysis = cJSON_Duplicate(job->opts->analysis, true);
	cJSON *service = lt_json_get(analysis, "service");
	if (cJSON_IsObject(service)) {
		lt_json_set_take(service, "uuid", uuid_of(job, copy));
	}
	lt_json_print(&text, analysis, LT_JSON_COMPACT);
	stem.n -= lt_str_ends(stem, LT_STR(".zip")) ? strlen(".zip") : 0;
	lt_buf_add_str(&beside, stem);
	lt_buf_add_c(&beside, ".json");
	LT_AUTO(lt_free) char *path = lt_path_join(job->opts->directory, beside.p);
	return lt_fileops_replace(job->ops, path, lt_buf_str(&text), LT_RECORDING_MODE, err);
}

static bool remove_journal(const struct job *job, struct lt_err *err)
{
	const char *path = job->opts->journal_path;

	if (job->ops->unlink(job->ops->arg, path) < 0) {
		return lt_err_errno(err, "cannot remove %s", path);
	}
	/* Unsynced, a power cut can bring the journal back; its archive is recognised then. */
	lt_fileops_sync_parent(job->ops, path, NULL);
	return true;
}

static bool run(struct job *job, char **ret_name, struct lt_err *err)
{
	LT_AUTO(lt_free) char *name = NULL;
	unsigned copy;

	job->journal = lt_journal_open(job->opts->journal_path, job->ops, &job->reader, err);
	if (!job->journal) {
		return false;
	}
	if (!open_reader(job, err) || !make_archive(job, &copy, &name, err) ||
			!write_analysis(job, copy, name, err) || !remove_journal(job, err)) {
		return lt_err_prefix(err, "finalising %s", job->opts->journal_path);
	}
	if (ret_name) {
		*ret_name = LT_STEAL(name);
	}
	return true;
}

bool lt_finalise(const struct lt_finalise_opts *opts, char **ret_name, struct lt_err *err)
{
	LT_AUTO(job_finish)
	struct job job = { .opts = opts, .ops = opts->ops ? opts->ops : &lt_fileops_system };

	return run(&job, ret_name, err);
}

bool lt_finalise_is_published(const char *journal_path, const char *directory)
{
	struct lt_finalise_opts opts = { .journal_path = journal_path, .directory = directory };
	LT_AUTO(job_finish) struct job job = { .opts = &opts, .ops = &lt_fileops_system };
	LT_AUTO(lt_free) char *name = NULL;
	unsigned copy = 0;

	job.reader = lt_journal_reader_open(journal_path, NULL);
	return job.reader && open_reader(&job, NULL) &&
			choose_name(&job, &copy, &name) == NAME_OURS;
}
