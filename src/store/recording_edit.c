#include "store/recording_edit.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/finalise.h"
#include "store/frame.h"
#include "store/new_archive.h"
#include "store/zip_edit.h"

#define PROGRESS_ENTRIES     64
#define MISUNDERSTOOD_NUMBER 60 /* the original takes such a first number for a unix time */

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

static bool go_on(const struct lt_edit_opts *opts, size_t done, size_t total, struct lt_err *err)
{
	if (!opts->progress || (done % PROGRESS_ENTRIES != 0 && done != total)) {
		return true;
	}
	return opts->progress(opts->arg, done, total) ||
			lt_err_set(err, LT_E_UNAVAILABLE, "interrupted");
}

/* --- set --- */

static bool check_names(const struct lt_zip *zip, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (int64_t i = 0; i < lt_zip_count(zip); i++) {
		struct lt_str name = lt_zip_name(zip, i);

		if (!lt_name_is_safe(name)) {
			return lt_err_set(err, LT_E_FORMAT,
					"entry %s: not the name of a file in a recording",
					lt_str_quote(name, quoted));
		}
	}
	return true;
}

/* A text where readers need something else would make the recording useless. */
static bool check_member(
		const cJSON *manifest, const char *key, const cJSON *value, struct lt_err *err)
{
	const cJSON *old = lt_json_get(manifest, key);
	char quoted[LT_QUOTE_MAX];
	bool was_other = cJSON_IsNumber(old) || cJSON_IsArray(old) || cJSON_IsObject(old);

	if (strcmp(key, "version") == 0) {
		return lt_err_set(err, LT_E_INVALID, "the version is not to be changed");
	}
	if (was_other && cJSON_IsString(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s is not a text in this manifest",
				lt_str_quote(lt_str_from(key), quoted));
	}
	return true;
}

bool lt_recording_set_take(const char *path, const char *key, cJSON *value, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *owned = value;
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_recording_open(path, err);

	/* Opened as a recording only to refuse what is none. */
	if (!recording) {
		return false;
	}
	manifest = lt_entries_open(path, &entries, err) ? lt_entries_manifest(&entries, err) : NULL;
	if (!manifest || !check_names(entries.zip, err) ||
			!check_member(manifest, key, owned, err)) {
		return lt_err_prefix(err, "recording %s", path);
	}
	lt_json_set_take(manifest, key, LT_STEAL(owned));
	return lt_zip_set_manifest(path, manifest, NULL, err);
}

/* --- clip --- */

struct clip {
	const struct lt_edit_opts *opts;
	const struct lt_entries *entries;
	struct lt_recording *recording;
	int64_t start_s, end_s;
	struct lt_new_archive out;
};

static bool is_in_clip(const struct clip *clip, const struct lt_entry_frame *frame)
{
	return !frame->is_hidden && frame->time_s >= clip->start_s && frame->time_s < clip->end_s;
}

static bool has_key_at_start(const struct clip *clip)
{
	for (size_t i = 0; i < clip->entries->count; i++) {
		const struct lt_entry_frame *frame = &clip->entries->frames[i];

		if (frame->is_key && frame->time_s == clip->start_s) {
			return true;
		}
	}
	return false;
}

static bool add_start(struct clip *clip, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *state = NULL;
	char name[LT_FRAME_NAME_MAX];

	if (has_key_at_start(clip)) {
		return true;
	}
	state = lt_recording_state_at(clip->recording, clip->start_s, err);
	if (!state) {
		return false;
	}
	lt_frame_name(clip->start_s, true, name);
	return lt_new_archive_add_json(&clip->out, name, state, clip->start_s, err);
}

/* Frames of one kind in order of time, without unpacking them. */
static bool copy_kind(struct clip *clip, bool is_key, struct lt_err *err)
{
	const struct lt_entries *entries = clip->entries;
	size_t before = is_key ? 0 : entries->count;

	for (size_t i = 0; i < entries->count; i++) {
		const struct lt_entry_frame *frame = &entries->frames[i];
		char name[LT_FRAME_NAME_MAX];

		if (frame->is_key == is_key && is_in_clip(clip, frame)) {
			lt_frame_name(frame->time_s, is_key, name);
			if (!lt_new_archive_copy(
					    &clip->out, entries->zip, frame->entry, name, err)) {
				return false;
			}
		}
		if (!go_on(clip->opts, before + i + 1, 2 * entries->count, err)) {
			return false;
		}
	}
	return true;
}

static bool add_clip_manifest(struct clip *clip, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = cJSON_Duplicate(lt_recording_manifest(clip->recording), true);

	lt_json_set_take(manifest, "startTime",
			lt_json_new_int(lt_recording_first(clip->recording)));
	return lt_new_archive_add_json(&clip->out, LT_MANIFEST_NAME, manifest, clip->start_s, err);
}

static bool check_range(struct clip *clip, struct lt_err *err)
{
	int64_t first = lt_recording_first(clip->recording);
	int64_t last = lt_recording_last(clip->recording);

	/* Before the first frame there is nothing to show. */
	clip->start_s = LT_MAX(clip->start_s, first);
	if (clip->start_s > last || clip->end_s <= clip->start_s) {
		return lt_err_set(err, LT_E_INVALID,
				"no frame in that range: the recording is from @%lld to @%lld",
				(long long)first, (long long)last);
	}
	return true;
}

bool lt_recording_clip(
		const struct lt_edit_opts *opts, int64_t start_s, int64_t end_s, struct lt_err *err)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_recording_open(opts->in_path, err);
	struct clip clip = { opts, &entries, recording, start_s, end_s, { 0 } };

	if (!recording) {
		return false;
	}
	if (!lt_entries_open(opts->in_path, &entries, err)) {
		return lt_err_prefix(err, "recording %s", opts->in_path);
	}
	bool ok = check_range(&clip, err) &&
			lt_new_archive_open(&clip.out, opts->out_path, LT_RECORDING_MODE,
					opts->replace, err) &&
			add_start(&clip, err) && copy_kind(&clip, true, err) &&
			copy_kind(&clip, false, err) && add_clip_manifest(&clip, err) &&
			lt_new_archive_commit(&clip.out, err);
	lt_new_archive_finish(&clip.out);
	return ok;
}

/* --- convert --- */

static const struct lt_entry_frame *first_key(const struct lt_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->frames[i].is_key) {
			return &entries->frames[i];
		}
	}
	return NULL;
}

/* Of last change, which archives have in local time and in steps of two seconds. */
static bool date_of(const struct lt_zip *zip, int64_t entry, int64_t *ret_s, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_zip_info info;
	struct tm tm;
	time_t stored;

	if (!lt_zip_read_packed(zip, entry, &info, &packed, err)) {
		return lt_err_prefix(err, "first key frame");
	}
	stored = (time_t)info.time_s;
	gmtime_r(&stored, &tm);
	tm.tm_isdst = -1;
	*ret_s = (int64_t)mktime(&tm);
	return *ret_s >= 0 ||
			lt_err_set(err, LT_E_FORMAT, "the first key frame has no date of ours");
}

bool lt_convert_start(const struct lt_entries *entries, const cJSON *manifest, int64_t *ret_start_s,
		enum lt_start_source *ret_source, struct lt_err *err)
{
	const struct lt_entry_frame *key = first_key(entries);
	const cJSON *version = lt_json_get(manifest, "version");
	const cJSON *start = lt_json_get(manifest, "startTime");
	int64_t date_s = 0;

	if (version) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_json_print(&text, version, LT_JSON_COMPACT);
		return lt_err_set(err, LT_E_INVALID,
				"version %s already: only recordings made before version 1 are converted",
				text.p);
	}
	if (!key) {
		return lt_err_set(err, LT_E_FORMAT, "no key frame");
	}
	if (key->time_s >= MISUNDERSTOOD_NUMBER && cJSON_IsNumber(start) &&
			start->valuedouble >= 0 &&
			start->valuedouble <= (double)LT_FRAME_TIME_MAX) {
		*ret_start_s = (int64_t)floor(start->valuedouble);
		*ret_source = LT_START_MANIFEST;
		return true;
	}
	if (!date_of(entries->zip, key->entry, &date_s, err)) {
		return false;
	}
	*ret_start_s = date_s - key->time_s;
	*ret_source = LT_START_ARCHIVE;
	return true;
}

static bool convert_kind(const struct lt_edit_opts *opts, const struct lt_entries *entries,
		bool is_key, int64_t start_s, struct lt_new_archive *out, struct lt_err *err)
{
	size_t before = is_key ? 0 : entries->count;

	for (size_t i = 0; i < entries->count; i++) {
		const struct lt_entry_frame *frame = &entries->frames[i];
		int64_t time_s = start_s + frame->time_s;
		char name[LT_FRAME_NAME_MAX];

		if (frame->is_key == is_key && !frame->is_hidden) {
			if (time_s < 0 || time_s > LT_FRAME_TIME_MAX) {
				return lt_err_set(err, LT_E_FORMAT, "frame %lld: no time of ours",
						(long long)frame->time_s);
			}
			lt_frame_name(time_s, is_key, name);
			if (!lt_new_archive_copy(out, entries->zip, frame->entry, name, err)) {
				return false;
			}
		}
		if (!go_on(opts, before + i + 1, 2 * entries->count, err)) {
			return false;
		}
	}
	return true;
}

bool lt_convert(const struct lt_edit_opts *opts, const struct lt_entries *entries,
		const cJSON *manifest, int64_t start_s, struct lt_err *err)
{
	LT_AUTO(lt_new_archive_finish) struct lt_new_archive out = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *converted = cJSON_Duplicate(manifest, true);

	cJSON_DeleteItemFromObjectCaseSensitive(converted, "startTime");
	lt_json_set_take(converted, "version", lt_json_new_int(LT_RECORDING_VERSION));
	return lt_new_archive_open(&out, opts->out_path, LT_RECORDING_MODE, opts->replace, err) &&
			convert_kind(opts, entries, true, start_s, &out, err) &&
			convert_kind(opts, entries, false, start_s, &out, err) &&
			lt_new_archive_add_json(&out, LT_MANIFEST_NAME, converted, start_s, err) &&
			lt_new_archive_commit(&out, err);
}
