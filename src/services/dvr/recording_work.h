/*
 * The worker's side of a recording lane (recording_lane.h): what is done to
 * journal, archive and analysis file. Blocking; one thread at a time, and
 * nothing here touches the loop.
 */
#ifndef LT_SERVICES_DVR_RECORDING_WORK_H
#define LT_SERVICES_DVR_RECORDING_WORK_H

#include "base/json.h"
#include "store/recorder.h"

enum lt_rec_op_kind {
	LT_REC_EVENT,
	LT_REC_STATE,
	LT_REC_ANALYSIS,
	LT_REC_ANALYSIS_WHOLE,
	LT_REC_MANIFEST,
	LT_REC_FINISH,
	LT_REC_LEAVE,
};

struct lt_rec_op {
	enum lt_rec_op_kind kind;
	char *key; /* of analysis data */
	struct lt_buf text;
	cJSON *manifest;
	int64_t now_us;
	struct lt_rec_op *prev, *next;
};
void lt_rec_op_free(struct lt_rec_op *op);

struct lt_rec_work {
	/* Given; texts are owned. */
	char *temp_dir, *done_dir;
	int64_t min_duration_s, sync_interval_s;
	char *uuid, *stem; /* stem NULL: the archive is named by the uuid */

	/* Between batches; owned. */
	struct lt_recorder *recorder; /* NULL: no state yet, or the journal is complete */
	char *journal_path;           /* NULL: no journal */
	bool is_resumed;
	cJSON *manifest;
	int64_t manifest_s;
	bool manifest_is_due; /* not in the journal yet */
	cJSON *analysis;      /* {key: {...}}; NULL: none came */
	cJSON *state;         /* the last one */
	int64_t synced_s;     /* of the clock, when the journal was last synced */

	/* Of the last batch. */
	struct lt_err err;     /* the last disk error; code LT_E_NONE: none */
	struct lt_err bad;     /* the last text that could not be used */
	uint64_t lost;         /* states that were not written */
	bool turned_back;      /* stopped at a state that is too old for this recording */
	bool is_ended;         /* finished, thrown away, or left */
	bool is_kept;          /* an archive was made */
	bool has_no_manifest;  /* which then has one of ours */
	char *name;            /* of the archive; owned */
	const char *discarded; /* why; NULL: was not. Static. */
	struct lt_recorder_report report;
};

/*
 * Do the operations of the list, in order, and free them; what is left in the
 * list was not done: a state that turned back and all behind it, or a finish
 * that the disk refused.
 */
void lt_rec_work_run(struct lt_rec_work *work, struct lt_rec_op **ops);
void lt_rec_work_finish(struct lt_rec_work *work);

#endif
