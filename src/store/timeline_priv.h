/*
 * Inside of the timeline: timeline.c (frames and chunks), timeline_walk.c (what
 * happened), timeline_analysis.c (the analysis as it was).
 */
#ifndef LT_STORE_TIMELINE_PRIV_H
#define LT_STORE_TIMELINE_PRIV_H

#include "race/analysis/analysis.h"
#include "race/analysis/row.h"
#include "store/entries.h"
#include "store/journal.h"
#include "store/timeline.h"

struct lt_timeline_frame {
	int64_t time_s;
	size_t place; /* entry of the archive, or index of the journal's frame */
	bool is_key;
};

/* A state that is read forwards. */
struct lt_timeline_cursor {
	cJSON *state; /* of the frame before `next`; NULL: none yet */
	size_t next;
	bool may_have_messages; /* that frame may have brought some; else it has none */
};

struct lt_timeline_walker {
	struct lt_timeline_cursor cursor;
	struct lt_row_layout layout;
	bool has_layout;
	cJSON *flags, *leaders, *laps, *moments, *messages;
	size_t message_count;
	cJSON *seen;   /* messages of the state when there were new ones last; NULL: none yet */
	cJSON *finish; /* the last chequered flag among the moments; borrowed */
	bool has_started;
	int64_t lap;
	int64_t end_s;
};

struct lt_timeline_checkpoint {
	int64_t at_s;
	size_t next;
	double newest;
	struct lt_buf saved;
};

struct lt_timeline_run {
	struct lt_analysis *analysis; /* NULL: none under way */
	struct lt_timeline_cursor cursor;
	double newest; /* time of the newest message */
	int64_t saved_s;
	struct lt_timeline_checkpoint checkpoints[LT_TIMELINE_CHECKPOINTS + 1]; /* by time */
	size_t checkpoint_count;
};

struct lt_timeline {
	struct lt_entries entries;        /* zip NULL: a journal */
	struct lt_journal_reader *reader; /* NULL: an archive */
	cJSON *manifest;                  /* of an archive */
	struct lt_timeline_frame *frames;
	size_t count;
	size_t settled; /* of these, the last of a journal may still be replaced */
	int64_t *starts;
	size_t start_count;
	struct lt_timeline_walker walker;
	struct lt_timeline_run run;
};

/* Append a frame as it is stored, which need not be JSON. */
bool lt_timeline_read(const struct lt_timeline *timeline, size_t index, struct lt_buf *buf,
		struct lt_err *err);
/* Take in the next frame. */
bool lt_timeline_step(const struct lt_timeline *timeline, struct lt_timeline_cursor *cursor,
		struct lt_err *err);
void lt_timeline_cursor_finish(struct lt_timeline_cursor *cursor);

void lt_timeline_walker_finish(struct lt_timeline_walker *walker);
void lt_timeline_run_finish(struct lt_timeline_run *run);

#endif
