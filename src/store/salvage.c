#include "store/salvage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/chain.h"
#include "store/entries.h"
#include "store/finalise.h"
#include "store/journal_record.h"
#include "store/new_archive.h"
#include "store/zip_scan.h"

#define PROGRESS_PIECES 64
#define OLD_NUMBER_MAX  99999999 /* larger ones are unix times */

/* A frame that was found, whole or not. */
struct piece {
	int64_t time_s;
	bool is_key, is_whole;
	size_t order; /* in the file */
	struct lt_zip_found found;
	const struct lt_record *record; /* of a journal; NULL: `found` is it */
};

struct salvage {
	const struct lt_salvage_opts *opts;
	struct lt_salvage_report *report;
	struct lt_str bytes; /* of an archive, mapped */
	struct lt_journal_reader *reader;
	struct piece *pieces;
	size_t count, capacity;
	size_t whole_entries; /* of an archive, whatever their names */
	bool is_intact;       /* nothing can be missing */
	cJSON *manifest;
	struct lt_chain chain;
	struct lt_new_archive out;
};

static void salvage_finish(struct salvage *salvage)
{
	if (salvage->bytes.p) {
		union {
			const char *from;
			void *to;
		} map = { .from = salvage->bytes.p };

		munmap(map.to, salvage->bytes.n);
	}
	lt_journal_reader_close(salvage->reader);
	lt_free(salvage->pieces);
	cJSON_Delete(salvage->manifest);
	lt_chain_finish(&salvage->chain);
	lt_new_archive_finish(&salvage->out);
}

static inline void lt_auto_salvage_finish(struct salvage *salvage)
{
	salvage_finish(salvage);
}

static void lose(struct salvage *salvage, const struct piece *piece, const char *why)
{
	char name[LT_FRAME_NAME_MAX];

	lt_frame_name(piece->time_s, piece->is_key, name);
	salvage->report->lost++;
	salvage->opts->lost(salvage->opts->arg, name, why);
}

static bool go_on(const struct salvage *salvage, size_t done, size_t total, struct lt_err *err)
{
	if (!salvage->opts->progress || (done % PROGRESS_PIECES != 0 && done != total)) {
		return true;
	}
	return salvage->opts->progress(salvage->opts->arg, done, total) ||
			lt_err_set(err, LT_E_UNAVAILABLE, "interrupted");
}

static struct piece *add_piece(struct salvage *salvage)
{
	if (salvage->count == salvage->capacity) {
		salvage->capacity = LT_MAX(salvage->capacity * 2, (size_t)256);
		salvage->pieces = lt_reallocarray(
				salvage->pieces, salvage->capacity, sizeof(*salvage->pieces));
	}
	salvage->pieces[salvage->count] = (struct piece){ .order = salvage->count };
	return &salvage->pieces[salvage->count++];
}

/* --- what an archive has --- */

static bool map_file(struct salvage *salvage, struct lt_err *err)
{
	const char *path = salvage->opts->in_path;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	void *map;
	bool ok;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ok = lt_err_errno(err, "cannot open %s", path);
	} else if (!S_ISREG(st.st_mode)) {
		ok = lt_err_set(err, LT_E_INVALID, "%s is not a regular file", path);
	} else if (st.st_size == 0) {
		ok = lt_err_set(err, LT_E_FORMAT, "%s is empty", path);
	} else {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		ok = map != MAP_FAILED || lt_err_errno(err, "cannot read %s", path);
		if (ok) {
			salvage->bytes = (struct lt_str){ map, (size_t)st.st_size };
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

/* The last whole one counts, as for every reader. */
static void take_manifest(struct salvage *salvage, const struct lt_zip_found *found)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	struct lt_err err = found->why;

	if (found->is_whole && lt_zip_found_unpack(found, &text, &err)) {
		manifest = lt_json_parse(lt_buf_str(&text), &err);
	}
	if (!cJSON_IsObject(manifest)) {
		salvage->opts->lost(salvage->opts->arg, LT_MANIFEST_NAME,
				manifest ? "not an object" : err.msg);
		return;
	}
	cJSON_Delete(salvage->manifest);
	salvage->manifest = LT_STEAL(manifest);
}

static void take_found(struct salvage *salvage, const struct lt_zip_found *found)
{
	struct piece *piece;
	char quoted[LT_QUOTE_MAX];
	int64_t time_s;
	bool is_key;

	if (lt_str_eq_c(found->name, LT_MANIFEST_NAME)) {
		take_manifest(salvage, found);
		return;
	}
	if (!lt_frame_parse_name(found->name, &time_s, &is_key)) {
		lt_str_quote(found->name, quoted);
		salvage->opts->lost(salvage->opts->arg, quoted, "does not belong to a recording");
		return;
	}
	piece = add_piece(salvage);
	piece->time_s = time_s;
	piece->is_key = is_key;
	piece->is_whole = found->is_whole;
	piece->found = *found;
}

/* Does the directory of the archive know of nothing else? */
static bool has_all(const struct salvage *salvage)
{
	struct lt_zip *zip = lt_zip_open(salvage->opts->in_path, NULL);
	bool same = zip && (size_t)lt_zip_count(zip) == salvage->whole_entries;

	lt_zip_close(zip);
	return same;
}

static bool find_in_archive(struct salvage *salvage, struct lt_err *err)
{
	struct lt_zip_scan scan = { 0 };
	struct lt_zip_found found;

	if (!map_file(salvage, err)) {
		return false;
	}
	scan.bytes = salvage->bytes;
	while (lt_zip_scan_next(&scan, &found)) {
		take_found(salvage, &found);
		salvage->whole_entries += found.is_whole;
		if (!go_on(salvage, salvage->count, 0, err)) {
			return false;
		}
	}
	salvage->is_intact = has_all(salvage);
	return true;
}

/* --- what a journal has --- */

bool lt_is_journal(const char *path)
{
	char magic[LT_JOURNAL_MAGIC_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is_one;

	if (fd < 0) {
		return false;
	}
	is_one = pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
			memcmp(magic, LT_JOURNAL_MAGIC, sizeof(magic)) == 0;
	close(fd);
	return is_one;
}

bool lt_journal_read_frame(const struct lt_journal_reader *reader, const struct lt_record *frame,
		struct lt_buf *buf, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };

	return lt_journal_reader_packed(reader, frame, &packed, err) &&
			lt_frame_unpack(lt_buf_str(&packed), frame->raw_bytes, frame->raw_crc, buf,
					err);
}

static bool find_in_journal(struct salvage *salvage, struct lt_err *err)
{
	const struct lt_record *frames;
	struct lt_journal_report report;
	size_t count;

	salvage->reader = lt_journal_reader_open(salvage->opts->in_path, err);
	if (!salvage->reader) {
		return false;
	}
	frames = lt_journal_reader_frames(salvage->reader, &count);
	for (size_t i = 0; i < count; i++) {
		struct piece *piece = add_piece(salvage);

		piece->time_s = frames[i].time_s;
		piece->is_key = frames[i].kind == LT_RECORD_KEY;
		piece->is_whole = true;
		piece->record = &frames[i];
	}
	salvage->manifest = cJSON_Duplicate(lt_journal_reader_manifest(salvage->reader), true);
	if (salvage->manifest) {
		lt_json_set_take(salvage->manifest, "version",
				lt_json_new_int(LT_RECORDING_VERSION));
	}
	lt_journal_reader_report(salvage->reader, &report);
	salvage->is_intact = report.dropped_frames == 0 && report.damaged_bytes == 0;
	salvage->report->lost += report.dropped_frames;
	return true;
}

/* --- the new archive --- */

/* By time; of one time differences first, and what is lost before what is whole. */
static int compare_pieces(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	if (left->time_s != right->time_s) {
		return left->time_s < right->time_s ? -1 : 1;
	}
	if (left->is_key != right->is_key) {
		return left->is_key ? 1 : -1;
	}
	if (left->is_whole != right->is_whole) {
		return left->is_whole ? 1 : -1;
	}
	return left->order < right->order ? -1 : left->order > right->order;
}

/* Something to be recognised by, when the file has nothing. Owned. */
static cJSON *make_manifest(const struct salvage *salvage)
{
	cJSON *manifest = cJSON_CreateObject();
	struct lt_str stem = lt_str_from(lt_path_base(salvage->opts->in_path));
	const char *dot = memrchr(stem.p, '.', stem.n);
	const struct piece *last = salvage->count ? &salvage->pieces[salvage->count - 1] : NULL;

	stem.n = dot ? (size_t)(dot - stem.p) : stem.n;
	lt_json_add_str(manifest, "uuid", stem);
	lt_json_add_c(manifest, "name", "Unknown");
	lt_json_add_c(manifest, "description", "Repaired recording");
	lt_json_set_take(manifest, "colSpec", cJSON_CreateArray());
	if (last && last->time_s > OLD_NUMBER_MAX) {
		lt_json_add_int(manifest, "version", LT_RECORDING_VERSION);
	}
	return manifest;
}

static void choose_manifest(struct salvage *salvage)
{
	if (salvage->opts->manifest) {
		cJSON_Delete(salvage->manifest);
		salvage->manifest = cJSON_Duplicate(salvage->opts->manifest, true);
		salvage->report->manifest = LT_MANIFEST_GIVEN;
	} else if (!salvage->manifest) {
		salvage->manifest = make_manifest(salvage);
		salvage->report->manifest = LT_MANIFEST_MADE;
	}
}

static bool write_piece(struct salvage *salvage, const struct piece *piece, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_zip_entry entry = {
		.name = piece->found.name,
		.method = piece->found.method,
		.raw_crc = piece->found.raw_crc,
		.raw_bytes = piece->found.raw_bytes,
		.packed = piece->found.packed,
		.time_s = piece->found.time_s,
	};
	char name[LT_FRAME_NAME_MAX];

	if (piece->record) {
		if (!lt_journal_reader_packed(salvage->reader, piece->record, &packed, err)) {
			return false;
		}
		lt_frame_name(piece->time_s, piece->is_key, name);
		entry = (struct lt_zip_entry){
			.name = lt_str_from(name),
			.method = LT_ZIP_DEFLATED,
			.raw_crc = piece->record->raw_crc,
			.raw_bytes = piece->record->raw_bytes,
			.packed = lt_buf_str(&packed),
			.time_s = piece->time_s,
		};
	}
	if (!lt_zip_writer_add(salvage->out.writer, &entry, err)) {
		return false;
	}
	salvage->report->first_s = salvage->report->kept ? salvage->report->first_s : piece->time_s;
	salvage->report->last_s = piece->time_s;
	salvage->report->kept++;
	return true;
}

/* Keep the frame if its content is right; false only when it cannot be written. */
static bool keep_piece(struct salvage *salvage, const struct piece *piece, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };
	struct lt_err why = piece->found.why;
	bool ok = piece->is_whole;

	if (ok && piece->record) {
		ok = lt_journal_read_frame(salvage->reader, piece->record, &json, &why);
	} else if (ok) {
		ok = lt_zip_found_unpack(&piece->found, &json, &why);
	}
	if (!ok) {
		lt_chain_break(&salvage->chain);
	} else {
		ok = lt_chain_add(&salvage->chain, piece->is_key, lt_buf_str(&json), &why);
		if (!ok && why.code == LT_E_INVALID) {
			/* Nobody else would notice, so without damage it stays as it was. */
			ok = salvage->is_intact;
			if (!ok) {
				lt_chain_break(&salvage->chain);
			}
		}
	}
	if (!ok) {
		lose(salvage, piece, why.msg);
		return true;
	}
	return write_piece(salvage, piece, err);
}

static bool write_frames(struct salvage *salvage, struct lt_err *err)
{
	for (size_t i = 0; i < salvage->count; i++) {
		const struct piece *piece = &salvage->pieces[i];
		bool has_next = i + 1 < salvage->count && piece[1].time_s == piece->time_s;

		if (has_next && piece[1].is_key == piece->is_key && piece[1].is_whole) {
			lose(salvage, piece, "the archive has another frame of that time");
		} else if (has_next && !piece->is_key && piece[1].is_key && piece[1].is_whole) {
			/* No reader applies a difference of the time of a key frame. */
			continue;
		} else if (!keep_piece(salvage, piece, err)) {
			return false;
		}
		if (!go_on(salvage, i + 1, salvage->count, err)) {
			return false;
		}
	}
	return salvage->report->kept > 0 ||
			lt_err_set(err, LT_E_FORMAT, "%s: there is no frame in it to be saved",
					salvage->opts->in_path);
}

bool lt_salvage(const struct lt_salvage_opts *opts, struct lt_salvage_report *ret_report,
		struct lt_err *err)
{
	LT_AUTO(salvage_finish) struct salvage salvage = { .opts = opts, .report = ret_report };
	bool is_journal = lt_is_journal(opts->in_path);

	*ret_report = (struct lt_salvage_report){ 0 };
	if (!lt_new_file_check(opts->out_path, opts->replace, err) ||
			!(is_journal ? find_in_journal(&salvage, err)
				     : find_in_archive(&salvage, err))) {
		return false;
	}
	if (salvage.count > 0) {
		qsort(salvage.pieces, salvage.count, sizeof(*salvage.pieces), compare_pieces);
	}
	choose_manifest(&salvage);
	return lt_new_archive_open(&salvage.out, opts->out_path, LT_RECORDING_MODE, opts->replace,
			       err) &&
			write_frames(&salvage, err) &&
			lt_new_archive_add_json(&salvage.out, LT_MANIFEST_NAME, salvage.manifest,
					ret_report->last_s, err) &&
			lt_new_archive_commit(&salvage.out, err);
}
