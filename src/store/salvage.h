/*
 * Saves what can be saved of a damaged recording, or of a journal, into a new
 * archive. An archive is searched entry by entry, so it may lack its directory;
 * kept is what is whole and can be applied: a difference behind a lost frame
 * would lead to wrong states and is left out, up to the next key frame. In a
 * damaged file one that does not follow from the frame before it is taken for a
 * sign of such a loss. The input is only read. Blocking.
 */
#ifndef LT_STORE_SALVAGE_H
#define LT_STORE_SALVAGE_H

#include "store/journal.h"
#include "store/recording_analysis.h"

struct lt_salvage_opts {
	const char *in_path, *out_path;
	bool replace;          /* out_path may exist */
	const cJSON *manifest; /* instead of that in the file; borrowed; NULL: that */
	/* Told of each thing that is not kept: its name, and why. */
	void (*lost)(void *arg, const char *where, const char *what);
	lt_recording_progress_fn *progress; /* may be NULL */
	void *arg;
};

enum lt_manifest_source { LT_MANIFEST_FOUND, LT_MANIFEST_GIVEN, LT_MANIFEST_MADE };

struct lt_salvage_report {
	size_t kept, lost; /* frames */
	int64_t first_s, last_s;
	enum lt_manifest_source manifest; /* MADE: a new one, with nothing but a uuid and names */
};

/* LT_E_FORMAT when there is nothing to save: out_path is not written then. */
bool lt_salvage(const struct lt_salvage_opts *opts, struct lt_salvage_report *ret_report,
		struct lt_err *err);

/* Does the file begin like a journal? */
bool lt_is_journal(const char *path);

/* Append the JSON of a frame of a journal to buf. */
bool lt_journal_read_frame(const struct lt_journal_reader *reader, const struct lt_record *frame,
		struct lt_buf *buf, struct lt_err *err);

#endif
