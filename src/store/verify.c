#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/column.h"
#include "store/chain.h"
#include "store/entries.h"
#include "store/frame.h"
#include "store/journal.h"
#include "store/salvage.h"

#define PROGRESS_FRAMES 64

LT_DEFINE_AUTO(struct lt_journal_reader, lt_journal_reader_close);

struct check {
	const struct lt_verify_sink *sink;
	struct lt_verify_report *report;
	struct lt_chain chain;
	bool is_broken;   /* the frames that follow a broken one were told of */
	bool is_doubtful; /* since the last key frame there was one that does not follow */
};

static void problem(struct check *check, const char *where, const char *what)
{
	check->report->problems++;
	check->sink->problem(check->sink->arg, where, what);
}

static void remark(const struct check *check, const char *where, const char *what)
{
	check->sink->remark(check->sink->arg, where, what);
}

static bool go_on(const struct check *check, size_t done, size_t total, struct lt_err *err)
{
	if (!check->sink->progress || (done % PROGRESS_FRAMES != 0 && done != total)) {
		return true;
	}
	return check->sink->progress(check->sink->arg, done, total) ||
			lt_err_set(err, LT_E_UNAVAILABLE, "interrupted");
}

/* --- manifest --- */

static void check_manifest(struct check *check, const cJSON *manifest, bool has_version)
{
	static const char *const texts[] = { "uuid", "name", "description" };
	const cJSON *version = lt_json_get(manifest, "version");
	const cJSON *start = lt_json_get(manifest, "startTime");
	struct lt_str text;
	struct lt_err err;

	if (has_version && !version) {
		problem(check, LT_MANIFEST_NAME,
				"no version: a recording made before version 1 has to be converted");
	} else if (has_version &&
			(!cJSON_IsNumber(version) ||
					version->valuedouble != LT_RECORDING_VERSION)) {
		problem(check, LT_MANIFEST_NAME, "its version is not supported, only 1 is");
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		if (!lt_json_get_str(manifest, texts[i], &text, &err)) {
			problem(check, LT_MANIFEST_NAME, err.msg);
		}
	}
	if (!lt_col_spec_check(lt_json_get(manifest, "colSpec"), &err)) {
		lt_err_prefix(&err, "colSpec");
		problem(check, LT_MANIFEST_NAME, err.msg);
	}
	if (start && !cJSON_IsNumber(start)) {
		problem(check, LT_MANIFEST_NAME, "startTime: not a number");
	}
}

/* --- frames --- */

/* `json` is NULL when the frame could not be read, for the reason in err. */
static void check_frame(struct check *check, bool is_key, const char *where,
		const struct lt_buf *json, struct lt_err *err)
{
	bool ok;

	if (json) {
		ok = lt_chain_add(&check->chain, is_key, lt_buf_str(json), err);
	} else {
		lt_chain_break(&check->chain);
		err->code = LT_E_FORMAT;
		ok = false;
	}
	check->is_doubtful = check->is_doubtful && !is_key;
	if (ok) {
		check->is_broken = false;
		return;
	}
	/* What follows from a mistake is told of once. */
	if (err->code == LT_E_UNAVAILABLE) {
		check->report->unchecked++;
		if (check->is_broken) {
			return;
		}
		check->is_broken = true;
	} else if (err->code == LT_E_INVALID) {
		if (check->is_doubtful) {
			return;
		}
		check->is_doubtful = true;
	}
	problem(check, where, err->msg);
}

static void count_frame(struct check *check, int64_t time_s, bool is_key)
{
	struct lt_verify_report *report = check->report;

	report->first_s = report->frames ? report->first_s : time_s;
	report->last_s = time_s;
	report->frames++;
	report->keys += is_key;
}

/* --- archives --- */

static void check_names(struct check *check, const struct lt_entries *entries)
{
	size_t manifests = 0;
	int64_t time_s;
	bool is_key;

	for (int64_t i = 0; i < lt_zip_count(entries->zip); i++) {
		struct lt_str name = lt_zip_name(entries->zip, i);
		char quoted[LT_QUOTE_MAX];

		if (lt_frame_parse_name(name, &time_s, &is_key)) {
			continue;
		}
		if (lt_str_eq_c(name, LT_MANIFEST_NAME)) {
			if (++manifests == 2) {
				problem(check, LT_MANIFEST_NAME, "more than one in the archive");
			}
			continue;
		}
		lt_str_quote(name, quoted);
		if (lt_name_is_safe(name)) {
			remark(check, quoted, "does not belong to a recording; it is ignored");
		} else {
			problem(check, quoted,
					"not the name of a file in a recording; it is ignored");
		}
	}
}

static void check_archive_manifest(struct check *check, const struct lt_entries *entries)
{
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	struct lt_err err;

	manifest = lt_entries_manifest(entries, &err);
	if (manifest) {
		check_manifest(check, manifest, true);
	} else {
		problem(check, "", err.msg);
	}
}

static void check_entry(struct check *check, const struct lt_entries *entries, size_t index)
{
	const struct lt_entry_frame *frame = &entries->frames[index];
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };
	char where[LT_QUOTE_MAX];
	struct lt_err err = { 0 };
	bool ok;

	snprintf(where, sizeof(where), "%.*s", LT_STR_ARG(lt_zip_name(entries->zip, frame->entry)));
	count_frame(check, frame->time_s, frame->is_key);
	if (frame->is_hidden) {
		problem(check, where,
				"the archive has another frame of that time; the last counts");
		return;
	}
	ok = lt_zip_read(entries->zip, frame->entry, &json, &err);
	if (!frame->is_key && index + 1 < entries->count && frame[1].time_s == frame->time_s) {
		/* A clip has one of these at its start. */
		LT_AUTO(cJSON_Delete)
		cJSON *value = ok ? lt_json_parse(lt_buf_str(&json), &err) : NULL;

		remark(check, where, "there is a key frame of that time; no reader applies this");
		if (!value) {
			problem(check, where, err.msg);
		}
		return;
	}
	check_frame(check, frame->is_key, where, ok ? &json : NULL, &err);
}

static bool check_archive(struct check *check, const char *path, struct lt_err *err)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	struct lt_err broken;

	if (!lt_entries_open(path, &entries, &broken)) {
		problem(check, "", broken.msg);
		return true;
	}
	check_names(check, &entries);
	check_archive_manifest(check, &entries);
	if (entries.count == 0) {
		problem(check, "", "no frames");
	}
	for (size_t i = 0; i < entries.count; i++) {
		check_entry(check, &entries, i);
		if (!go_on(check, i + 1, entries.count, err)) {
			return false;
		}
	}
	return true;
}

/* --- journals --- */

static void check_journal_whole(
		struct check *check, const struct lt_journal_reader *reader, const char *path)
{
	const cJSON *manifest = lt_journal_reader_manifest(reader);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_journal_report report;
	struct stat st;

	lt_journal_reader_report(reader, &report);
	if (report.damaged_bytes > 0) {
		lt_buf_printf(&text, "%lld bytes between whole records are damaged",
				(long long)report.damaged_bytes);
		problem(check, "", text.p);
	}
	if (stat(path, &st) == 0 && st.st_size > report.good_bytes) {
		lt_buf_clear(&text);
		lt_buf_printf(&text, "%lld bytes at the end are no whole record",
				(long long)(st.st_size - report.good_bytes));
		problem(check, "", text.p);
	}
	if (report.dropped_frames > 0) {
		lt_buf_clear(&text);
		lt_buf_printf(&text, "%zu whole frames have no base or are out of order",
				report.dropped_frames);
		problem(check, "", text.p);
	}
	if (!report.ended) {
		remark(check, "", "the journal has not been ended");
	}
	if (manifest) {
		check_manifest(check, manifest, false);
	} else {
		problem(check, "", "no manifest");
	}
}

static bool check_journal(struct check *check, const char *path, struct lt_err *err)
{
	struct lt_err broken;
	LT_AUTO(lt_journal_reader_close)
	struct lt_journal_reader *reader = lt_journal_reader_open(path, &broken);
	size_t count;

	if (!reader) {
		problem(check, "", broken.msg);
		return true;
	}
	check_journal_whole(check, reader, path);
	const struct lt_record *frames = lt_journal_reader_frames(reader, &count);
	if (count == 0) {
		problem(check, "", "no frames");
	}
	for (size_t i = 0; i < count; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };
		bool is_key = frames[i].kind == LT_RECORD_KEY;
		char where[LT_QUOTE_MAX];
		bool ok = lt_journal_read_frame(reader, &frames[i], &json, &broken);

		snprintf(where, sizeof(where), "frame @%lld", (long long)frames[i].time_s);
		count_frame(check, frames[i].time_s, is_key);
		check_frame(check, is_key, where, ok ? &json : NULL, &broken);
		if (!go_on(check, i + 1, count, err)) {
			return false;
		}
	}
	return true;
}

bool lt_verify(const char *path, const struct lt_verify_sink *sink,
		struct lt_verify_report *ret_report, struct lt_err *err)
{
	struct check check = { .sink = sink, .report = ret_report };
	bool ok;

	*ret_report = (struct lt_verify_report){ 0 };
	ok = lt_is_journal(path) ? check_journal(&check, path, err)
				 : check_archive(&check, path, err);
	lt_chain_finish(&check.chain);
	return ok;
}
