/*
 * The frames of a recording, finished or in progress, as a browser reads them
 * (docs/live-protocol.md, section 2): in chunks of about a minute that begin
 * with a key frame, with what happened in them, and with the analysis as it was
 * at a time. Blocking; one thread at a time.
 */
#ifndef LT_STORE_TIMELINE_H
#define LT_STORE_TIMELINE_H

#include "base/json.h"

struct lt_timeline;

#define LT_TIMELINE_CHUNK_S         60
#define LT_TIMELINE_CHUNK_BYTES_MAX (48u * 1024 * 1024) /* of JSON */
#define LT_TIMELINE_MESSAGES_MAX    50000
#define LT_TIMELINE_CHECKPOINTS     8

/*
 * An archive of version 1. Errors: LT_E_NOT_FOUND no such file, LT_E_UNSUPPORTED
 * of before version 1, others: damaged.
 */
struct lt_timeline *lt_timeline_open_recording(const char *path, struct lt_err *err);
/* A journal that is, or was, being written. */
struct lt_timeline *lt_timeline_open_journal(const char *path, struct lt_err *err);
void lt_timeline_close(struct lt_timeline *timeline);

/* Look for frames that were added to a journal. */
bool lt_timeline_refresh(struct lt_timeline *timeline, struct lt_err *err);

struct lt_timeline_span {
	size_t frames; /* 0: the rest means nothing */
	int64_t first_s, last_s;
};
struct lt_timeline_span lt_timeline_span(const struct lt_timeline *timeline);

const cJSON *lt_timeline_manifest(const struct lt_timeline *timeline); /* or NULL; borrowed */

/* First second of each chunk, ascending; borrowed until refresh. */
const int64_t *lt_timeline_starts(const struct lt_timeline *timeline, size_t *ret_count);

/*
 * Append the chunk that begins at start_s: {"start", "closed", "frames": [...]}.
 * Errors: LT_E_NOT_FOUND none begins there; LT_E_FORMAT, LT_E_IO, LT_E_LIMIT.
 */
bool lt_timeline_write_chunk(const struct lt_timeline *timeline, int64_t start_s, bool *ret_closed,
		struct lt_buf *buf, struct lt_err *err);

/* --- what takes long: call until `done` --- */

/* How much of it is done, 0 to 1. */
struct lt_timeline_progress {
	bool done;
	double share;
};

/*
 * Read on, for what happened, up to `frames` frames. Once done, what the writers
 * below give is complete up to the frames there are.
 */
bool lt_timeline_walk(struct lt_timeline *timeline, size_t frames, struct lt_timeline_progress *ret,
		struct lt_err *err);
/* Members of moments.json and messages.json, as in "flags":[...],..., without braces. */
void lt_timeline_write_moments(const struct lt_timeline *timeline, struct lt_buf *buf);
void lt_timeline_write_messages(const struct lt_timeline *timeline, struct lt_buf *buf);

/*
 * Run the analyser on to time at_s, up to `frames` frames. When done the seven
 * parts are appended to buf as one object. Goes on from the nearest of a few
 * earlier results. LT_E_NOT_FOUND: before the start.
 */
bool lt_timeline_analyse(struct lt_timeline *timeline, int64_t at_s, size_t frames,
		struct lt_timeline_progress *ret, struct lt_buf *buf, struct lt_err *err);

#endif
