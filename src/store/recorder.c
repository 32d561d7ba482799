#include "store/recorder.h"

#include <assert.h>

#include "base/alloc.h"
#include "race/frame_diff.h"
#include "race/state.h"

struct lt_recorder {
	struct lt_journal *journal;
	cJSON *manifest; /* as written */
	cJSON *last;     /* state of the last frame; NULL: the next one has to be a key frame */
	cJSON *base; /* of the frame before that; NULL: likewise for a second state of its time */
	size_t frames;
	int64_t first_s, last_s;
	bool is_ended;
};

LT_DEFINE_AUTO(struct lt_recorder, lt_recorder_close);

static const struct lt_fileops *or_system(const struct lt_fileops *ops)
{
	return ops ? ops : &lt_fileops_system;
}

struct lt_recorder *lt_recorder_begin(
		const char *path, const struct lt_fileops *ops, struct lt_err *err)
{
	struct lt_journal *journal = lt_journal_create(path, or_system(ops), err);

	if (!journal) {
		return NULL;
	}
	struct lt_recorder *recorder = lt_zalloc(sizeof(*recorder));
	recorder->journal = journal;
	return recorder;
}

/* The states are not rebuilt: the first frame after a restart is a key frame. */
static bool take_over(struct lt_recorder *recorder, const struct lt_journal_reader *reader,
		struct lt_err *err)
{
	const struct lt_record *frames = lt_journal_reader_frames(reader, &recorder->frames);
	const cJSON *manifest = lt_journal_reader_manifest(reader);
	struct lt_journal_report report;

	lt_journal_reader_report(reader, &report);
	if (report.ended) {
		return lt_err_set(err, LT_E_INVALID, "%s is complete",
				lt_journal_path(recorder->journal));
	}
	if (recorder->frames > 0) {
		recorder->first_s = frames[0].time_s;
		recorder->last_s = frames[recorder->frames - 1].time_s;
	}
	recorder->manifest = manifest ? cJSON_Duplicate(manifest, true) : NULL;
	return true;
}

struct lt_recorder *lt_recorder_resume(
		const char *path, const struct lt_fileops *ops, struct lt_err *err)
{
	LT_AUTO(lt_recorder_close) struct lt_recorder *recorder = lt_zalloc(sizeof(*recorder));
	struct lt_journal_reader *reader;

	recorder->journal = lt_journal_open(path, or_system(ops), &reader, err);
	if (!recorder->journal) {
		return NULL;
	}
	bool ok = take_over(recorder, reader, err);
	lt_journal_reader_close(reader);
	return ok ? LT_STEAL(recorder) : NULL;
}

void lt_recorder_close(struct lt_recorder *recorder)
{
	if (!recorder) {
		return;
	}
	lt_journal_close(recorder->journal);
	cJSON_Delete(recorder->manifest);
	cJSON_Delete(recorder->last);
	cJSON_Delete(recorder->base);
	lt_free(recorder);
}

static bool append_json(struct lt_recorder *recorder, enum lt_record_kind kind, int64_t time_s,
		const cJSON *value, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_packed packed = { 0 };
	bool ok;

	assert(!recorder->is_ended);
	if (value) {
		lt_json_print(&text, value, LT_JSON_SPACED);
	}
	if (!lt_frame_pack(lt_buf_str(&text), &packed, err)) {
		return false;
	}
	ok = lt_journal_append(recorder->journal, kind, time_s, &packed, err);
	lt_buf_finish(&packed.bytes);
	return ok;
}

static bool check_time(int64_t time_s, struct lt_err *err)
{
	return (time_s >= 0 && time_s <= LT_FRAME_TIME_MAX) ||
			lt_err_set(err, LT_E_INVALID, "%lld is not the time of a frame",
					(long long)time_s);
}

bool lt_recorder_set_manifest(struct lt_recorder *recorder, const cJSON *manifest, int64_t now_s,
		struct lt_err *err)
{
	if (!cJSON_IsObject(manifest)) {
		return lt_err_set(err, LT_E_FORMAT, "a manifest is not an object");
	}
	int64_t start_s = recorder->frames > 0 ? recorder->first_s : now_s;
	if (!check_time(start_s, err)) {
		return false;
	}
	LT_AUTO(cJSON_Delete) cJSON *copy = cJSON_Duplicate(manifest, true);
	lt_json_set_take(copy, "startTime", lt_json_new_int(start_s));
	if (recorder->manifest && lt_json_equal(copy, recorder->manifest)) {
		return true;
	}
	if (!append_json(recorder, LT_RECORD_MANIFEST, start_s, copy, err)) {
		return false;
	}
	cJSON_Delete(recorder->manifest);
	recorder->manifest = LT_STEAL(copy);
	return true;
}

/* Small steps back of a sender's clock are no reason to lose a state. */
static bool frame_time(const struct lt_recorder *recorder, int64_t time_s, int64_t *ret_time_s,
		struct lt_err *err)
{
	if (!check_time(time_s, err)) {
		return false;
	}
	*ret_time_s = time_s;
	if (recorder->frames == 0 || time_s >= recorder->last_s) {
		return true;
	}
	if (recorder->last_s - time_s > LT_RECORDER_BACK_MAX_S) {
		return lt_err_set(err, LT_E_INVALID, "the time went back by %lld s",
				(long long)(recorder->last_s - time_s));
	}
	*ret_time_s = recorder->last_s;
	return true;
}

/* Number `frame` of the recording, as key frame or difference from `base`. */
static bool append_frame(struct lt_recorder *recorder, size_t frame, int64_t time_s,
		const cJSON *base, const cJSON *state, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *difference = NULL;

	if (base && frame % LT_KEY_FRAME_PERIOD != 0) {
		difference = lt_frame_diff(base, state);
	}
	return append_json(recorder, difference ? LT_RECORD_DIFFERENCE : LT_RECORD_KEY, time_s,
			difference ? difference : state, err);
}

bool lt_recorder_add(struct lt_recorder *recorder, int64_t time_s, const cJSON *state,
		struct lt_err *err)
{
	if (!lt_state_check(state, err) || !frame_time(recorder, time_s, &time_s, err)) {
		return false;
	}
	bool is_again = recorder->frames > 0 && time_s == recorder->last_s;
	size_t frame = is_again ? recorder->frames - 1 : recorder->frames;
	if (!append_frame(recorder, frame, time_s, is_again ? recorder->base : recorder->last,
			    state, err)) {
		return false;
	}
	if (!is_again) {
		cJSON_Delete(recorder->base);
		recorder->base = LT_STEAL(recorder->last);
		recorder->frames++;
	}
	cJSON_Delete(recorder->last);
	recorder->last = cJSON_Duplicate(state, true);
	recorder->first_s = recorder->frames == 1 ? time_s : recorder->first_s;
	recorder->last_s = time_s;
	return true;
}

bool lt_recorder_end(struct lt_recorder *recorder, struct lt_err *err)
{
	if (!append_json(recorder, LT_RECORD_END, recorder->last_s, NULL, err)) {
		return false;
	}
	recorder->is_ended = true;
	return lt_journal_sync(recorder->journal, err);
}

void lt_recorder_report(const struct lt_recorder *recorder, struct lt_recorder_report *ret)
{
	*ret = (struct lt_recorder_report){
		.frames = recorder->frames,
		.first_s = recorder->first_s,
		.last_s = recorder->last_s,
		.bytes = lt_journal_bytes(recorder->journal),
		.manifest = recorder->manifest,
	};
}

const struct lt_journal *lt_recorder_journal(const struct lt_recorder *recorder)
{
	return recorder->journal;
}
