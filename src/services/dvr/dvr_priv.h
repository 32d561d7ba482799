/*
 * Inside of the DVR: dvr.c (services, events, rules), dvr_leftover.c (what an
 * earlier run left), dvr_report.c (what it tells).
 */
#ifndef LT_SERVICES_DVR_DVR_PRIV_H
#define LT_SERVICES_DVR_DVR_PRIV_H

#include "base/table.h"
#include "services/dvr/dvr.h"
#include "services/dvr/recording_lane.h"
#include "store/recorder.h"

struct lt_local;

/* A service that is known, recorded or not. */
struct lt_dvr_service {
	UT_hash_handle hh;
	char *uuid;
	cJSON *manifest; /* NULL: not heard yet */
	struct lt_wall manifest_at;
	struct lt_lane *lane;              /* its recording; NULL: none now */
	int64_t active_s;                  /* of our clock, last state */
	bool wants_analysis;               /* all of it is asked for with the next state */
	bool is_listed;                    /* in the last listing */
	struct lt_live_finished *finished; /* newest first; NULL: none since the start */
	size_t finished_count;
};

/* A recording that is to be finished; one at a time is. */
struct lt_dvr_finish {
	struct lt_lane *lane;
	bool is_started;
	struct lt_dvr_finish *prev, *next;
};

/* A call for all analysis data, under way. */
struct lt_dvr_question {
	struct lt_dvr *dvr;
	char *uuid;
	struct lt_dvr_question *prev, *next;
};

struct lt_dvr_scan; /* of the temporary directory, in flight */

struct lt_dvr {
	struct lt_dvr_env env;
	char *temp_dir, *done_dir;
	struct lt_local *local; /* NULL: not started, or stopped */
	struct lt_dvr_service *services;
	struct lt_dvr_finish *finishing;
	struct lt_dvr_question *questions;
	struct lt_timer scan_timer;
	struct lt_dvr_scan *leftover; /* not NULL: new recordings are held until it is done */
	bool is_stopping, is_standby, too_many;
	size_t lanes; /* that exist */
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct lt_deferred stopped_call;
	uint64_t kept, discarded, resumed;
	uint64_t ended_bytes, ended_frames, ended_lost; /* of recordings that are no more */
};

/* The service of this uuid, made when there is none; NULL when there are too many. */
struct lt_dvr_service *lt_dvr_service(struct lt_dvr *dvr, struct lt_str uuid);
struct lt_lane *lt_dvr_new_lane(struct lt_dvr *dvr, struct lt_str uuid, bool is_held);
void lt_dvr_finish_lane(struct lt_dvr *dvr, struct lt_lane *lane);
bool lt_dvr_same_recording(const cJSON *manifest, const cJSON *other);

/* Look, on a worker, at what is left; ends in lt_dvr_leftover_done. */
void lt_dvr_leftover_start(struct lt_dvr *dvr);
void lt_dvr_leftover_forget(struct lt_dvr *dvr); /* the DVR goes before the worker is done */
/* New recordings may begin. */
void lt_dvr_release(struct lt_dvr *dvr);

#endif
