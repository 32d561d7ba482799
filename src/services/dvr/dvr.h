/*
 * Records every service of the realm, its own and foreign ones.
 *
 * It listens to livetiming.service.* (classes 4 and 8) and livetiming.analysis*,
 * and learns manifests from the control and directory channels. A recording
 * begins with the first state of a service. It ends when no state has come for
 * idle_s (looked at every scan_s), and when the name or description of the
 * service changes, which begins a new one. It is then kept as UUID.zip (second
 * ones UUID_1.zip, ...) with UUID.json, the analysis, beside it; or thrown away
 * when it is shorter than min_duration_s or its last manifest has doNotRecord.
 *
 * Recordings survive the daemon: what an earlier run left in temp_dir (or a
 * DVR of the original, as directories) is continued when it is younger than
 * resume_s and its service goes on, and finished otherwise.
 *
 * Differences from the original, each on purpose: plain states are recorded; a
 * manifest alone opens no recording; the second part of a recording that was
 * split has a manifest at once; one without any manifest is kept as hidden;
 * silence is measured by our clock and not the sender's; analyses of several
 * recordings are never mixed up; a restart goes on.
 *
 * The loop only copies texts (recording_lane.h does the work on workers).
 */
#ifndef LT_SERVICES_DVR_DVR_H
#define LT_SERVICES_DVR_DVR_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "services/dvr/live_recording.h"

struct lt_dvr;
struct lt_router;

/* The original's thresholds. */
#define LT_DVR_MIN_DURATION_S 600
#define LT_DVR_IDLE_S         60
#define LT_DVR_SCAN_S         60
/* Ours. */
#define LT_DVR_RESUME_S 3600
#define LT_DVR_SYNC_S   10

struct lt_dvr_thresholds {
	int64_t min_duration_s, idle_s, scan_s, resume_s, sync_s;
};

/* Borrowed: loop, router. Texts are copied. */
struct lt_dvr_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router; /* with the realm LT_REALM and the role services */
	const char *temp_dir, *done_dir;
	struct lt_dvr_thresholds thresholds;
	/* Did an operator close this service, whatever its manifest says? NULL: none is. */
	bool (*is_closed)(void *arg, struct lt_str uuid);
	void *arg;
	bool is_standby; /* until lt_dvr_set_active says otherwise */
};

struct lt_dvr *lt_dvr_create(const struct lt_dvr_env *env);
void lt_dvr_destroy(struct lt_dvr *dvr); /* what is being written is finished by itself */

/* The session of a service has ended: its next state begins a new recording. */
void lt_dvr_split(struct lt_dvr *dvr, struct lt_str uuid);

/*
 * Record, or stand by: another node records. What is being recorded when it
 * ends is finished as if its service had fallen silent; what begins is recorded
 * from the next state on.
 */
void lt_dvr_set_active(struct lt_dvr *dvr, bool is_active);

/* Joins the realm and looks at what is left of an earlier run. */
bool lt_dvr_start(struct lt_dvr *dvr, struct lt_err *err);

/* Hears nothing more and leaves all journals for the next run. `done` is called once, later. */
void lt_dvr_stop(struct lt_dvr *dvr, void (*done)(void *arg), void *arg);

struct lt_dvr_stats {
	size_t recording, finishing;
	size_t in_trouble;                 /* of these, the disk refuses */
	uint64_t kept, discarded, resumed; /* since the start */
	uint64_t frames, lost, bytes;      /* of those in progress */
	/* Since the start, with what was there when a recording was gone on with. */
	uint64_t frames_total, lost_total, bytes_total;
};
void lt_dvr_report(const struct lt_dvr *dvr, struct lt_dvr_stats *ret_stats);

/* Where the recording of a service is, an lt_live_recording_fn with the DVR as its argument. */
bool lt_dvr_live(void *dvr, struct lt_str uuid, struct lt_live_recording *ret);

/* The same for Prometheus. */
void lt_dvr_write_metrics(const struct lt_dvr *dvr, struct lt_buf *buf);

/*
 * Those in progress, owned: [{"uuid", "name", "description", "frames",
 * "startTime", "duration", "bytes", "lost", "resumed", "status", "reason"?}]
 * status: "recording", "finishing", "failing" (reason says why).
 */
cJSON *lt_dvr_list(const struct lt_dvr *dvr);

#endif
