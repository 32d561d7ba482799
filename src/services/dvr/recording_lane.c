#include "services/dvr/recording_lane.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "services/dvr/recording_work.h"

/* A disk that hangs must not fill the memory: what comes on top is lost, and said. */
#define WAITING_MAX_OPS   5000
#define WAITING_MAX_BYTES (32u * 1024 * 1024)

struct lt_lane {
	struct lt_lane_env env;
	struct lt_rec_work work;   /* the worker's while is_busy */
	struct lt_rec_op *batch;   /* likewise */
	struct lt_rec_op *waiting; /* for the next batch */
	size_t waiting_ops, waiting_bytes;
	bool is_busy, is_held, is_resumed;
	bool is_public;
	bool is_ending; /* nothing may be added any more */
	bool is_abandoned;
	bool is_refused; /* the disk refused the end: waits for a retry */
	bool was_full;
	struct lt_err trouble; /* as it was logged; code LT_E_NONE: none */
	struct lt_recorder_report report;
	char *journal; /* path, as of the last batch; NULL: none */
	uint64_t lost, lost_when_well;
	struct lt_deferred start; /* at the end of the turn: one batch for what comes together */
};

struct lt_lane *lt_lane_create(const struct lt_lane_env *env, const struct lt_lane_opts *opts)
{
	struct lt_lane *lane = lt_zalloc(sizeof(*lane));

	lane->env = *env;
	lane->is_held = opts->is_held;
	lane->work = (struct lt_rec_work){
		.temp_dir = lt_strdup(env->temp_dir),
		.done_dir = lt_strdup(env->done_dir),
		.min_duration_s = env->min_duration_s,
		.sync_interval_s = env->sync_interval_s,
		.uuid = lt_str_dup(opts->uuid),
		.stem = opts->file_stem ? lt_strdup(opts->file_stem) : NULL,
	};
	return lane;
}

static void free_ops(struct lt_rec_op *ops)
{
	struct lt_rec_op *op, *next;

	DL_FOREACH_SAFE(ops, op, next) {
		DL_DELETE(ops, op);
		lt_rec_op_free(op);
	}
}

static void free_lane(struct lt_lane *lane)
{
	lt_deferred_cancel(&lane->start);
	free_ops(lane->batch);
	free_ops(lane->waiting);
	lt_rec_work_finish(&lane->work);
	lt_free(lane->journal);
	lt_free(lane);
}

/* --- what a batch led to --- */

static void report_end(struct lt_lane *lane)
{
	const struct lt_rec_work *work = &lane->work;
	char uuid[LT_LOG_VALUE_MAX], name[LT_LOG_VALUE_MAX];

	lt_log_value(lt_str_from(work->uuid), uuid);
	if (work->has_no_manifest) {
		lt_log(&lane->env.log, LT_WARN,
				"recording without a manifest is kept as hidden, set its name by hand",
				"uuid=%s", uuid);
	}
	if (work->is_kept) {
		lt_log(&lane->env.log, LT_INFO, "recording kept", "uuid=%s file=%s frames=%zu",
				uuid, lt_log_value(lt_str_from(work->name), name),
				work->report.frames);
	} else if (work->discarded != NULL && work->journal_path != NULL) {
		lt_log(&lane->env.log, LT_INFO, "recording thrown away",
				"uuid=%s reason=\"%s\" seconds=%" PRId64, uuid, work->discarded,
				work->report.last_s - work->report.first_s);
	}
}

/* One line when the disk begins to refuse, one when it takes again. */
static void report_trouble(struct lt_lane *lane)
{
	const struct lt_rec_work *work = &lane->work;
	bool is_bad = work->err.code != LT_E_NONE, was_bad = lane->trouble.code != LT_E_NONE;
	char uuid[LT_LOG_VALUE_MAX], reason[LT_LOG_VALUE_MAX];

	lt_log_value(lt_str_from(work->uuid), uuid);
	if (is_bad && !was_bad) {
		lt_log(&lane->env.log, LT_ERROR,
				"recording cannot be written, states are lost until it can",
				"uuid=%s reason=%s", uuid,
				lt_log_value(lt_str_from(work->err.msg), reason));
	} else if (was_bad && !is_bad) {
		lt_log(&lane->env.log, LT_INFO, "recording is written again",
				"uuid=%s lost=%" PRIu64, uuid, lane->lost - lane->lost_when_well);
	}
	if (!is_bad) {
		lane->lost_when_well = lane->lost;
	}
	lane->trouble = work->err;
	if (work->bad.code != LT_E_NONE) {
		lt_log(&lane->env.log, LT_WARN, "what came for a recording could not be used",
				"uuid=%s reason=%s", uuid,
				lt_log_value(lt_str_from(work->bad.msg), reason));
	}
}

static void run_batch(void *arg)
{
	struct lt_lane *lane = arg;

	lt_rec_work_run(&lane->work, &lane->batch);
}

static void turn_back(struct lt_lane *lane)
{
	DL_CONCAT(lane->batch, lane->waiting);
	lane->waiting = LT_STEAL(lane->batch);
	if (lane->env.turned_back != NULL && !lane->is_ending) {
		lane->env.turned_back(lane->env.arg, lane);
		return;
	}
	/* the recording is at its end, or has no other to go to */
	struct lt_rec_op *op = lane->waiting;

	DL_DELETE(lane->waiting, op);
	lt_rec_op_free(op);
	lane->lost++;
}

static void note_journal(struct lt_lane *lane)
{
	lt_free(lane->journal);
	lane->journal = lane->work.journal_path ? lt_strdup(lane->work.journal_path) : NULL;
}

static void begin_batch(void *arg);

static void batch_done(void *arg)
{
	struct lt_lane *lane = arg;
	struct lt_rec_work *work = &lane->work;

	lane->is_busy = false;
	if (lane->is_abandoned) {
		free_lane(lane);
		return;
	}
	lane->lost += work->lost;
	lane->report = work->report;
	note_journal(lane);
	report_trouble(lane);
	if (work->is_ended) {
		enum lt_lane_end end = work->is_kept ? LT_LANE_KEPT
				: work->discarded    ? LT_LANE_DISCARDED
						     : LT_LANE_LEFT;

		report_end(lane);
		lane->env.ended(lane->env.arg, lane, end);
		free_lane(lane);
		return;
	}
	if (work->turned_back) {
		turn_back(lane);
	} else if (lane->batch != NULL) {
		lane->is_refused = true;
		return;
	}
	if (lane->waiting != NULL) {
		lt_loop_defer(lane->env.loop, &lane->start, begin_batch, lane);
	}
}

static void begin_batch(void *arg)
{
	struct lt_lane *lane = arg;

	if (lane->is_busy || lane->is_held || (lane->batch == NULL && lane->waiting == NULL)) {
		return;
	}
	DL_CONCAT(lane->batch, lane->waiting);
	lane->waiting = NULL;
	lane->waiting_ops = lane->waiting_bytes = 0;
	lane->was_full = false;
	lane->is_busy = true;
	lane->is_refused = false;
	lt_loop_work(lane->env.loop, run_batch, batch_done, lane);
}

/* --- telling it --- */

static bool is_full(struct lt_lane *lane)
{
	char uuid[LT_LOG_VALUE_MAX];

	if (lane->waiting_ops < WAITING_MAX_OPS && lane->waiting_bytes < WAITING_MAX_BYTES) {
		return false;
	}
	lane->lost++;
	if (!lane->was_full) {
		lane->was_full = true;
		lt_log(&lane->env.log, LT_ERROR, "the disk is too slow, states are not recorded",
				"uuid=%s", lt_log_value(lt_str_from(lane->work.uuid), uuid));
	}
	return true;
}

static void push(struct lt_lane *lane, struct lt_rec_op *op)
{
	DL_APPEND(lane->waiting, op);
	lane->waiting_ops++;
	lane->waiting_bytes += op->text.n;
	lt_loop_defer(lane->env.loop, &lane->start, begin_batch, lane);
}

static struct lt_rec_op *new_op(enum lt_rec_op_kind kind, struct lt_str text, struct lt_wall now)
{
	struct lt_rec_op *op = lt_zalloc(sizeof(*op));

	op->kind = kind;
	op->now_us = now.us;
	lt_buf_add_str(&op->text, text);
	return op;
}

void lt_lane_add_event(struct lt_lane *lane, struct lt_str args, struct lt_wall now)
{
	if (!is_full(lane)) {
		push(lane, new_op(LT_REC_EVENT, args, now));
	}
}

void lt_lane_add_state(struct lt_lane *lane, struct lt_str state, struct lt_wall now)
{
	if (!is_full(lane)) {
		push(lane, new_op(LT_REC_STATE, state, now));
	}
}

void lt_lane_add_analysis(
		struct lt_lane *lane, struct lt_str key, struct lt_str args, struct lt_wall now)
{
	struct lt_rec_op *op;

	if (!is_full(lane)) {
		op = new_op(LT_REC_ANALYSIS, args, now);
		op->key = lt_str_dup(key);
		push(lane, op);
	}
}

static struct lt_wall now_of(const struct lt_lane *lane)
{
	return lt_loop_wall(lane->env.loop);
}

void lt_lane_set_analysis(struct lt_lane *lane, struct lt_str args)
{
	if (!is_full(lane)) {
		push(lane, new_op(LT_REC_ANALYSIS_WHOLE, args, now_of(lane)));
	}
}

void lt_lane_set_manifest(struct lt_lane *lane, const cJSON *manifest, struct lt_wall now)
{
	struct lt_rec_op *op = new_op(LT_REC_MANIFEST, LT_STR(""), now);

	op->manifest = cJSON_Duplicate(manifest, true);
	lane->is_public = !cJSON_IsTrue(lt_json_get(manifest, "private"));
	push(lane, op);
}

static void end_with(struct lt_lane *lane, enum lt_rec_op_kind kind)
{
	lane->is_ending = true;
	push(lane, new_op(kind, LT_STR(""), now_of(lane)));
}

void lt_lane_finish(struct lt_lane *lane)
{
	end_with(lane, LT_REC_FINISH);
}

void lt_lane_retry(struct lt_lane *lane)
{
	if (lane->is_refused) {
		lt_loop_defer(lane->env.loop, &lane->start, begin_batch, lane);
	}
}

void lt_lane_leave(struct lt_lane *lane)
{
	if (lane->is_refused) {
		free_ops(LT_STEAL(lane->batch));
	}
	lane->is_held = false;
	end_with(lane, LT_REC_LEAVE);
}

void lt_lane_abandon(struct lt_lane *lane)
{
	lt_deferred_cancel(&lane->start);
	if (lane->is_busy) {
		lane->is_abandoned = true;
	} else {
		free_lane(lane);
	}
}

void lt_lane_resume_take(struct lt_lane *lane, struct lt_recorder *recorder, const char *path)
{
	lane->work.recorder = recorder;
	lane->work.journal_path = lt_strdup(path);
	lane->work.is_resumed = lane->is_resumed = true;
	lt_recorder_report(recorder, &lane->report);
	lane->is_public = lane->report.manifest != NULL &&
			!cJSON_IsTrue(lt_json_get(lane->report.manifest, "private"));
	lane->report.manifest = NULL;
	note_journal(lane);
}

void lt_lane_set_complete(struct lt_lane *lane, const char *path)
{
	lane->work.journal_path = lt_strdup(path);
	lane->work.is_resumed = lane->is_resumed = true;
}

void lt_lane_release(struct lt_lane *lane)
{
	lane->is_held = false;
	lt_loop_defer(lane->env.loop, &lane->start, begin_batch, lane);
}

void lt_lane_move(struct lt_lane *from, struct lt_lane *to)
{
	struct lt_rec_op *op, *next;

	DL_FOREACH_SAFE(from->waiting, op, next) {
		DL_DELETE(from->waiting, op);
		push(to, op);
	}
	from->waiting_ops = from->waiting_bytes = 0;
}

/* --- what it says --- */

void lt_lane_report(const struct lt_lane *lane, struct lt_lane_report *ret_report)
{
	*ret_report = (struct lt_lane_report){ .frames = lane->report.frames,
		.first_s = lane->report.first_s,
		.last_s = lane->report.last_s,
		.bytes = lane->report.bytes,
		.lost = lane->lost,
		.waiting = lane->waiting_ops,
		.is_resumed = lane->is_resumed,
		.is_finishing = lane->is_ending,
		.is_public = lane->is_public,
		.trouble = lane->trouble.code != LT_E_NONE ? lane->trouble.msg : NULL };
}

struct lt_str lt_lane_uuid(const struct lt_lane *lane)
{
	return lt_str_from(lane->work.uuid);
}

const char *lt_lane_journal(const struct lt_lane *lane)
{
	return lane->journal;
}

const char *lt_lane_archive(const struct lt_lane *lane)
{
	return lane->work.name;
}
