/*
 * Records the states of one service into a journal: every tenth frame is a key
 * frame, the others are differences. There is never more than one frame of a
 * time: a later state of the same second takes the place of the earlier one.
 * A key frame is also written where a difference could not lead every reader
 * to the state (frame_diff.h).
 *
 * Owner: whoever began it; one thread at a time. What may be called where:
 *
 *   on the loop     lt_recorder_add, lt_recorder_set_manifest, lt_recorder_report:
 *                   difference, packing and one write(2), 0.4 ms for 60 cars
 *   on a worker     begin, resume, end (they read directories and sync); close
 *                   is fine on both
 *
 * Adding does not sync. For what is to survive a power cut, take a descriptor on
 * the loop every few seconds (lt_journal_dup_fd of lt_recorder_journal) and give
 * it to lt_journal_sync_fd on a worker.
 *
 * A failed write leaves recorder and journal as they were, so the caller can
 * report it and go on calling with each new state: recording resumes as soon
 * as there is room, with a right difference to the last frame written.
 */
#ifndef LT_STORE_RECORDER_H
#define LT_STORE_RECORDER_H

#include "store/journal.h"

#define LT_KEY_FRAME_PERIOD 10

/* A sender's clock may go back this much: the state then takes the time of the frame before. */
#define LT_RECORDER_BACK_MAX_S 60

struct lt_recorder;

/* A new journal; `ops` NULL is the system. */
struct lt_recorder *lt_recorder_begin(
		const char *path, const struct lt_fileops *ops, struct lt_err *err);

/*
 * Go on with a journal of an earlier run, repaired first. Refuses one that was
 * ended (LT_E_INVALID): that one is to be finalised.
 */
struct lt_recorder *lt_recorder_resume(
		const char *path, const struct lt_fileops *ops, struct lt_err *err);

/* Closes the journal and leaves it where it is. */
void lt_recorder_close(struct lt_recorder *recorder);

/*
 * Remember the manifest (the last one counts). Like the original, "startTime"
 * becomes the time of the first frame, or `now_s` when there is none yet. One
 * equal to the last is not written again.
 */
bool lt_recorder_set_manifest(struct lt_recorder *recorder, const cJSON *manifest, int64_t now_s,
		struct lt_err *err);

/*
 * Add a state of a time in unix seconds; borrowed. Errors: LT_E_FORMAT not a
 * state, LT_E_INVALID the time is no time or went back by over
 * LT_RECORDER_BACK_MAX_S (begin a new recording then), LT_E_LIMIT too large,
 * LT_E_IO the disk.
 */
bool lt_recorder_add(struct lt_recorder *recorder, int64_t time_s, const cJSON *state,
		struct lt_err *err);

/* Mark as complete and sync; nothing can be added after. Then close and finalise. */
bool lt_recorder_end(struct lt_recorder *recorder, struct lt_err *err);

struct lt_recorder_report {
	size_t frames;
	int64_t first_s, last_s; /* valid with frames */
	int64_t bytes;           /* of the journal */
	const cJSON *manifest;   /* borrowed until the next set; NULL: none yet */
};

void lt_recorder_report(const struct lt_recorder *recorder, struct lt_recorder_report *ret);

const struct lt_journal *lt_recorder_journal(const struct lt_recorder *recorder);

#endif
