/*
 * One recording on its way to the disk. Whatever it is told is done on a
 * worker, in the order in which it was told, one batch at a time: unpacking of
 * states, differences, packing, writing, and in the end the archive. So the
 * loop only ever copies a text, and a slow disk delays nothing but recordings.
 *
 * The journal is made with the first state. When the disk refuses, that is
 * logged once, and every further state is tried until it is recorded again.
 *
 * Owner: whoever made it, on the loop. It frees itself after `ended`, which is
 * called exactly once after lt_lane_finish or lt_lane_leave; no state may be
 * added after those two.
 */
#ifndef LT_SERVICES_DVR_RECORDING_LANE_H
#define LT_SERVICES_DVR_RECORDING_LANE_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_lane;
struct lt_recorder;

enum lt_lane_end {
	LT_LANE_KEPT,      /* an archive was made */
	LT_LANE_DISCARDED, /* too short, not to be recorded, or nothing in it */
	LT_LANE_LEFT,      /* the journal stays where it is */
};

struct lt_lane_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *temp_dir;   /* of the journal; copied */
	const char *done_dir;   /* of the archive; copied */
	int64_t min_duration_s; /* shorter ones are thrown away */
	/* At most this long between a state and its being safe from a power cut. */
	int64_t sync_interval_s;
	/*
	 * A state whose time went back too far for this recording: the texts, from
	 * that one on, belong in a new one. May be NULL: they are dropped.
	 */
	void (*turned_back)(void *arg, struct lt_lane *lane);
	void (*ended)(void *arg, struct lt_lane *lane, enum lt_lane_end end);
	void *arg;
};

struct lt_lane_opts {
	struct lt_str uuid;
	const char *file_stem; /* of journal and archive, copied; NULL: the uuid */
	bool is_held;          /* does nothing until lt_lane_release */
};

struct lt_lane *lt_lane_create(const struct lt_lane_env *env, const struct lt_lane_opts *opts);

/* Go on with a journal of an earlier run; before anything was done. Takes the recorder. */
void lt_lane_resume_take(struct lt_lane *lane, struct lt_recorder *recorder, const char *path);
/* A journal that is complete and has only to be finished. */
void lt_lane_set_complete(struct lt_lane *lane, const char *path);
void lt_lane_release(struct lt_lane *lane);

/* Arguments of an event of livetiming.service.UUID, class 4 or 8. */
void lt_lane_add_event(struct lt_lane *lane, struct lt_str args, struct lt_wall now);
/* A plain state. */
void lt_lane_add_state(struct lt_lane *lane, struct lt_str state, struct lt_wall now);
/* Arguments of an event of analysis data: its members replace those of `key`. */
void lt_lane_add_analysis(
		struct lt_lane *lane, struct lt_str key, struct lt_str args, struct lt_wall now);
/* All analysis data, a list with one object: replaces what there is. */
void lt_lane_set_analysis(struct lt_lane *lane, struct lt_str args);
void lt_lane_set_manifest(struct lt_lane *lane, const cJSON *manifest, struct lt_wall now);

/* Make the archive, or throw it away. When the disk refuses, again with lt_lane_retry. */
void lt_lane_finish(struct lt_lane *lane);
void lt_lane_retry(struct lt_lane *lane); /* harmless while it is at work */

/* Leave the journal for the next run. */
void lt_lane_leave(struct lt_lane *lane);

/* Nobody follows it any more: freed now, or after what is being written, without calls. */
void lt_lane_abandon(struct lt_lane *lane);

/* From `from`, in its turned_back: move what it could not take to the end of `to`. */
void lt_lane_move(struct lt_lane *from, struct lt_lane *to);

struct lt_lane_report {
	size_t frames;
	int64_t first_s, last_s; /* valid with frames */
	int64_t bytes;
	uint64_t lost; /* states that could not be written */
	size_t waiting;
	bool is_resumed, is_finishing;
	bool is_public;      /* its manifest is known, and not of a private service */
	const char *trouble; /* why nothing is written now; NULL: all is well */
};
void lt_lane_report(const struct lt_lane *lane, struct lt_lane_report *ret_report);
struct lt_str lt_lane_uuid(const struct lt_lane *lane);
/* Path of the journal; NULL: none yet. Borrowed. */
const char *lt_lane_journal(const struct lt_lane *lane);
/* In `ended`, of one that was kept: file name of the archive. Borrowed. */
const char *lt_lane_archive(const struct lt_lane *lane);

#endif
