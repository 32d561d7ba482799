#include "services/dvr/recording_work.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "race/envelope.h"
#include "race/lzstring.h"
#include "store/finalise.h"
#include "store/recording.h"
#include "store/recording_analysis.h"
#include "store/tempdir.h"

#define NAMES_MAX 1000 /* of archives with a name that was given */

void lt_rec_op_free(struct lt_rec_op *op)
{
	lt_free(op->key);
	lt_buf_finish(&op->text);
	cJSON_Delete(op->manifest);
	lt_free(op);
}

void lt_rec_work_finish(struct lt_rec_work *work)
{
	lt_recorder_close(work->recorder);
	lt_free(work->temp_dir);
	lt_free(work->done_dir);
	lt_free(work->uuid);
	lt_free(work->stem);
	lt_free(work->journal_path);
	cJSON_Delete(work->manifest);
	cJSON_Delete(work->analysis);
	cJSON_Delete(work->state);
	lt_free(work->name);
}

/* --- states --- */

/* The state of an event, owned, and its time; NULL for an event that carries none. */
static cJSON *unpack_event(const struct lt_rec_op *op, int64_t *ret_time_s, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(lt_buf_str(&op->text), err);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_envelope envelope;

	if (args == NULL ||
			!lt_envelope_read(args, (struct lt_wall){ op->now_us }, &envelope, err)) {
		return NULL;
	}
	*ret_time_s = envelope.date_s;
	if (envelope.msg_class == LT_MSG_SERVICE_DATA) {
		return cJSON_Duplicate(envelope.payload, true);
	}
	if (envelope.msg_class != LT_MSG_SERVICE_DATA_COMPRESSED ||
			!cJSON_IsString(envelope.payload)) {
		lt_err_set(err, LT_E_FORMAT, "message class %d with no state in it",
				(int)envelope.msg_class);
		return NULL;
	}
	if (!lt_lzstring_decompress(&text, lt_str_from(envelope.payload->valuestring),
			    LT_FRAME_BYTES_MAX, err)) {
		return NULL;
	}
	return lt_json_parse(lt_buf_str(&text), err);
}

static bool begin(struct lt_rec_work *work, struct lt_err *err)
{
	struct lt_str stem = lt_str_from(work->stem ? work->stem : work->uuid);

	lt_free(work->journal_path);
	work->journal_path = lt_tempdir_journal(work->temp_dir, stem, err);
	if (work->journal_path != NULL) {
		work->recorder = lt_recorder_begin(work->journal_path, NULL, err);
	}
	if (work->recorder == NULL) {
		lt_free(work->journal_path);
		work->journal_path = NULL;
	}
	return work->recorder != NULL;
}

static bool write_manifest(struct lt_rec_work *work, struct lt_err *err)
{
	if (work->manifest_is_due &&
			!lt_recorder_set_manifest(
					work->recorder, work->manifest, work->manifest_s, err)) {
		return false;
	}
	work->manifest_is_due = false;
	return true;
}

static bool is_of_disk(const struct lt_err *err)
{
	return err->code != LT_E_FORMAT && err->code != LT_E_INVALID && err->code != LT_E_LIMIT;
}

static void lose(struct lt_rec_work *work, const struct lt_err *err, bool is_of_disk_now)
{
	work->lost++;
	if (is_of_disk_now) {
		work->err = *err;
	} else {
		work->bad = *err;
	}
}

/* When viewers were told is in the name of the frame. */
static void strip(cJSON *state)
{
	cJSON_DeleteItemFromObjectCaseSensitive(state, "lastUpdated");
}

/* False: the state is too old for this recording, and was not used up. */
static bool add_state_take(struct lt_rec_work *work, cJSON *fresh, int64_t time_s)
{
	LT_AUTO(cJSON_Delete) cJSON *state = fresh;
	struct lt_recorder_report report;
	struct lt_err err = { 0 };

	if (work->recorder == NULL && !begin(work, &err)) {
		lose(work, &err, true);
		return true;
	}
	lt_recorder_report(work->recorder, &report);
	if (report.frames > 0 && time_s < report.last_s - LT_RECORDER_BACK_MAX_S) {
		return false;
	}
	strip(state);
	if (!write_manifest(work, &err)) {
		lose(work, &err, is_of_disk(&err));
		return true;
	}
	if (!lt_recorder_add(work->recorder, time_s, state, &err)) {
		lose(work, &err, is_of_disk(&err));
		return true;
	}
	work->err = (struct lt_err){ 0 };
	cJSON_Delete(work->state);
	work->state = LT_STEAL(state);
	return true;
}

static bool add_frame(struct lt_rec_work *work, const struct lt_rec_op *op)
{
	int64_t time_s = op->now_us / LT_US_PER_S;
	struct lt_err err = { 0 };
	cJSON *state = op->kind == LT_REC_EVENT ? unpack_event(op, &time_s, &err)
						: lt_json_parse(lt_buf_str(&op->text), &err);

	if (state == NULL) {
		lose(work, &err, false);
		return true;
	}
	return add_state_take(work, state, time_s);
}

/* --- analysis and manifest --- */

static cJSON *section(struct lt_rec_work *work, const char *key)
{
	cJSON *found;

	if (work->analysis == NULL) {
		work->analysis = cJSON_CreateObject();
	}
	found = lt_json_get(work->analysis, key);
	return found != NULL ? found : cJSON_AddObjectToObject(work->analysis, key);
}

static void add_analysis(struct lt_rec_work *work, const struct lt_rec_op *op)
{
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(lt_buf_str(&op->text), &work->bad);
	struct lt_envelope envelope;
	const cJSON *member;

	if (args == NULL ||
			!lt_envelope_read(args, (struct lt_wall){ op->now_us }, &envelope,
					&work->bad) ||
			envelope.msg_class != LT_MSG_ANALYSIS_DATA ||
			!cJSON_IsObject(envelope.payload)) {
		return;
	}
	cJSON *into = section(work, op->key);

	cJSON_ArrayForEach(member, envelope.payload) {
		lt_json_set_take(into, member->string, cJSON_Duplicate(member, true));
	}
}

static void set_analysis(struct lt_rec_work *work, const struct lt_rec_op *op)
{
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(lt_buf_str(&op->text), NULL);

	if (cJSON_IsArray(args) && cJSON_IsObject(args->child)) {
		cJSON_Delete(work->analysis);
		work->analysis = cJSON_DetachItemViaPointer(args, args->child);
	}
}

static void set_manifest(struct lt_rec_work *work, struct lt_rec_op *op)
{
	cJSON_Delete(work->manifest);
	work->manifest = LT_STEAL(op->manifest);
	work->manifest_s = op->now_us / LT_US_PER_S;
	work->manifest_is_due = true;
}

/* --- the end --- */

/* What a recording gets whose service never said what it is: to be set by hand later. */
static void make_manifest(struct lt_rec_work *work)
{
	cJSON *manifest = cJSON_CreateObject();

	lt_json_add_c(manifest, "uuid", work->uuid);
	lt_json_add_c(manifest, "name", "Unknown service");
	lt_json_add_c(manifest, "serviceClass", "unknown");
	lt_json_add_c(manifest, "description", "recorded without a manifest");
	cJSON_AddArrayToObject(manifest, "colSpec");
	cJSON_AddArrayToObject(manifest, "trackDataSpec");
	lt_json_add_bool(manifest, "hidden", true);
	work->manifest = manifest;
	work->manifest_is_due = true;
	work->has_no_manifest = true;
}

static cJSON *make_analysis(const struct lt_rec_work *work)
{
	cJSON *whole = cJSON_CreateObject();
	const cJSON *member;

	lt_json_set_take(whole, "service", cJSON_Duplicate(work->manifest, true));
	lt_json_set_take(whole, "state", cJSON_Duplicate(work->state, true));
	cJSON_ArrayForEach(member, work->analysis) {
		lt_json_set_take(whole, member->string, cJSON_Duplicate(member, true));
	}
	return whole;
}

/* What came over the network was lost in a restart: made again from the archive. */
static bool analyse_archive(const struct lt_rec_work *work, struct lt_err *err)
{
	LT_AUTO(lt_free) char *zip = lt_path_join(work->done_dir, work->name);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, beside = { 0 };
	struct lt_recording *recording = lt_recording_open(zip, err);
	bool ok = recording != NULL &&
			lt_recording_analyse(recording, NULL, NULL, &text, NULL, err);

	lt_recording_close(recording);
	lt_buf_add(&beside, zip, strlen(zip) - strlen(".zip"));
	lt_buf_add_c(&beside, ".json");
	return ok &&
			lt_fileops_replace(&lt_fileops_system, beside.p, lt_buf_str(&text),
					LT_RECORDING_MODE, err);
}

static bool finalise(struct lt_rec_work *work, struct lt_err *err)
{
	bool is_partial = work->state == NULL || (work->is_resumed && work->analysis == NULL);
	LT_AUTO(cJSON_Delete) cJSON *analysis = is_partial ? NULL : make_analysis(work);
	struct lt_finalise_opts opts = { .journal_path = work->journal_path,
		.directory = work->done_dir,
		.analysis = analysis };
	bool ok = false;

	for (unsigned copy = 0; !ok && copy < NAMES_MAX; copy++) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		if (work->stem != NULL) {
			lt_buf_add_c(&name, work->stem);
			if (copy > 0) {
				lt_buf_printf(&name, "_%u", copy);
			}
			lt_buf_add_c(&name, ".zip");
			opts.file_name = name.p;
			opts.analysis = NULL;
		}
		ok = lt_finalise(&opts, &work->name, err);
		if (!ok && (work->stem == NULL || err->code != LT_E_EXISTS)) {
			return false;
		}
	}
	work->is_kept = ok;
	if (ok && is_partial && work->stem == NULL) {
		/* the archive is safe: a failure here is told, and the analysis can be made later
		 */
		analyse_archive(work, &work->bad);
	}
	return ok;
}

static bool discard(struct lt_rec_work *work, const char *why, struct lt_err *err)
{
	work->discarded = why;
	if (work->journal_path != NULL && unlink(work->journal_path) != 0) {
		return lt_err_errno(err, "cannot remove %s", work->journal_path);
	}
	return true;
}

/* Let nobody add to the journal any more, and close it. */
static bool end_journal(struct lt_rec_work *work, struct lt_err *err)
{
	if (work->recorder == NULL) {
		return true;
	}
	lt_recorder_report(work->recorder, &work->report);
	if (work->manifest == NULL && work->report.manifest != NULL) {
		work->manifest = cJSON_Duplicate(work->report.manifest, true);
	}
	if (work->manifest == NULL) {
		make_manifest(work);
	}
	if (!write_manifest(work, err) || !lt_recorder_end(work->recorder, err)) {
		return false;
	}
	lt_recorder_close(LT_STEAL(work->recorder));
	work->report.manifest = NULL;
	return true;
}

/* Frames and manifest of a journal that an earlier run completed. */
static bool look_into(struct lt_rec_work *work, struct lt_err *err)
{
	struct lt_journal_reader *reader;
	const struct lt_record *frames;

	if (work->report.frames > 0 || work->journal_path == NULL) {
		return true;
	}
	reader = lt_journal_reader_open(work->journal_path, err);
	if (reader == NULL) {
		return false;
	}
	frames = lt_journal_reader_frames(reader, &work->report.frames);
	if (work->report.frames > 0) {
		work->report.first_s = frames[0].time_s;
		work->report.last_s = frames[work->report.frames - 1].time_s;
	}
	if (work->manifest == NULL && lt_journal_reader_manifest(reader) != NULL) {
		work->manifest = cJSON_Duplicate(lt_journal_reader_manifest(reader), true);
	}
	lt_journal_reader_close(reader);
	return true;
}

static bool end(struct lt_rec_work *work, struct lt_err *err)
{
	const char *why = NULL;

	if (work->journal_path == NULL) {
		work->discarded = "nothing was recorded";
		return true;
	}
	if (!end_journal(work, err) || !look_into(work, err)) {
		return false;
	}
	if (work->report.frames == 0) {
		why = "nothing was recorded";
	} else if (work->report.last_s - work->report.first_s < work->min_duration_s) {
		why = "too short";
	} else if (work->stem == NULL && /* a file that was asked for by name is wanted */
			cJSON_IsTrue(lt_json_get(work->manifest, "doNotRecord"))) {
		why = "marked as not to be recorded";
	}
	/* An archive may be there, made by a run that died before it removed the journal. */
	if (why != NULL && !lt_finalise_is_published(work->journal_path, work->done_dir)) {
		return discard(work, why, err);
	}
	return finalise(work, err);
}

static void sync_now(struct lt_rec_work *work)
{
	int fd = work->recorder ? lt_journal_dup_fd(lt_recorder_journal(work->recorder)) : -1;

	if (fd >= 0 && !lt_journal_sync_fd(fd, &work->err)) {
		lt_err_prefix(&work->err, "journal");
	}
}

/* --- batches --- */

static bool run_one(struct lt_rec_work *work, struct lt_rec_op *op)
{
	struct lt_err err = { 0 };

	switch (op->kind) {
	case LT_REC_EVENT:
	case LT_REC_STATE:
		work->turned_back = !add_frame(work, op);
		return !work->turned_back;
	case LT_REC_ANALYSIS:
		add_analysis(work, op);
		return true;
	case LT_REC_ANALYSIS_WHOLE:
		set_analysis(work, op);
		return true;
	case LT_REC_MANIFEST:
		set_manifest(work, op);
		return true;
	case LT_REC_FINISH:
		work->is_ended = end(work, &err);
		work->err = err;
		return work->is_ended;
	case LT_REC_LEAVE:
		sync_now(work);
		work->is_ended = true;
		return true;
	}
	return true;
}

void lt_rec_work_run(struct lt_rec_work *work, struct lt_rec_op **ops)
{
	struct lt_rec_op *op, *next;
	int64_t now_s = 0;

	work->bad = (struct lt_err){ 0 };
	work->lost = 0;
	work->turned_back = false;
	DL_FOREACH_SAFE(*ops, op, next) {
		now_s = op->now_us / LT_US_PER_S;
		if (!run_one(work, op)) {
			break;
		}
		DL_DELETE(*ops, op);
		lt_rec_op_free(op);
	}
	if (work->recorder == NULL) {
		return;
	}
	if (now_s - work->synced_s >= work->sync_interval_s) {
		work->synced_s = now_s;
		sync_now(work);
	}
	lt_recorder_report(work->recorder, &work->report);
	work->report.manifest = NULL; /* belongs to the recorder */
}
