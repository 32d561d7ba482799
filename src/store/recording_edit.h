/*
 * New recordings from old ones: a part of one, one of before version 1, one
 * with another manifest. The frames are copied as they are packed. The result
 * appears whole or not at all (new_archive.h). Blocking.
 */
#ifndef LT_STORE_RECORDING_EDIT_H
#define LT_STORE_RECORDING_EDIT_H

#include "store/entries.h"
#include "store/recording_analysis.h"

struct lt_edit_opts {
	const char *in_path, *out_path;
	bool replace;                       /* out_path may exist */
	lt_recording_progress_fn *progress; /* may be NULL */
	void *arg;
};

/*
 * Put a member into the manifest, in place of the one of that key or at the
 * end, and rewrite the archive in place, the manifest last. Owns value from the
 * call on. Refused: what would make the recording unreadable, and archives with
 * entries whose names lead out of a directory.
 */
bool lt_recording_set_take(const char *path, const char *key, cJSON *value, struct lt_err *err);

/*
 * The frames with start_s <= time < end_s: key frames first, then differences,
 * then the manifest with startTime of the original. Where start_s has no key
 * frame one is made; a difference of that time stays beside it, and no reader
 * applies it. LT_E_INVALID when no frame is left.
 */
bool lt_recording_clip(const struct lt_edit_opts *opts, int64_t start_s, int64_t end_s,
		struct lt_err *err);

/* Where the start of a recording of before version 1 is known from. */
enum lt_start_source { LT_START_ARCHIVE, LT_START_MANIFEST };

/*
 * Unix seconds of the moment from which its frames count. From the date of the
 * first key frame in the archive less its number, as the original has it; but a
 * first number of 60 or more the original misunderstands, and there the
 * startTime of the manifest is used if it has one. Errors: it has a version, no
 * key frame, no date.
 */
bool lt_convert_start(const struct lt_entries *entries, const cJSON *manifest, int64_t *ret_start_s,
		enum lt_start_source *ret_source, struct lt_err *err);

/* A recording of version 1 from one of before it, opened as `entries`. */
bool lt_convert(const struct lt_edit_opts *opts, const struct lt_entries *entries,
		const cJSON *manifest, int64_t start_s, struct lt_err *err);

#endif
