#include "store/recording_analysis.h"

#include <math.h>

#include "race/analysis/analysis.h"
#include "race/column.h"

LT_DEFINE_AUTO(struct lt_analysis, lt_analysis_destroy);

/* Time of a message; -INFINITY: it has none. */
static double time_of(const cJSON *message)
{
	const cJSON *time = lt_cell_at(message, 0);

	return cJSON_IsNumber(time) ? time->valuedouble : -INFINITY;
}

static double newest_time(const cJSON *messages)
{
	double newest = -INFINITY;
	const cJSON *message;

	cJSON_ArrayForEach(message, messages) {
		newest = fmax(newest, time_of(message));
	}
	return newest;
}

/*
 * As in difference frames: new is what is newer than everything in the frame
 * before. NULL: nothing. The caller owns the list, which holds copies.
 */
static cJSON *new_messages(const cJSON *messages, double newest_before)
{
	cJSON *list = NULL;
	const cJSON *message;

	cJSON_ArrayForEach(message, messages) {
		if (time_of(message) > newest_before) {
			list = list ? list : cJSON_CreateArray();
			cJSON_AddItemToArray(list, cJSON_Duplicate(message, true));
		}
	}
	return list;
}

static bool walk(struct lt_recording *recording, struct lt_analysis *analysis,
		lt_recording_progress_fn *progress, void *arg, struct lt_recording_losses *losses,
		struct lt_err *err)
{
	size_t count;
	const int64_t *times = lt_recording_times(recording, &count);
	double newest = -INFINITY;

	for (size_t i = 0; i < count; i++) {
		const cJSON *state = lt_recording_frame(recording, i, err);
		struct lt_err loss;

		if (!state) {
			return false;
		}
		const cJSON *messages = lt_json_get(state, "messages");
		LT_AUTO(cJSON_Delete) cJSON *added = new_messages(messages, newest);
		newest = newest_time(messages);
		if (!lt_analysis_update(
				    analysis, state, lt_number_from_s(times[i]), added, &loss) &&
				losses->count++ == 0) {
			losses->first_s = times[i];
			losses->first = loss;
		}
		if (progress && !progress(arg, i + 1, count)) {
			return lt_err_set(err, LT_E_UNAVAILABLE, "the analysis was stopped");
		}
	}
	return true;
}

static cJSON *service_of(const struct lt_recording *recording)
{
	cJSON *service = cJSON_Duplicate(lt_recording_manifest(recording), true);
	int64_t first_s = lt_recording_first(recording);

	lt_json_set_take(service, "startTime", lt_json_new_int(first_s));
	lt_json_set_take(service, "duration",
			lt_json_new_float((double)(lt_recording_last(recording) - first_s)));
	return service;
}

bool lt_recording_analyse(struct lt_recording *recording, lt_recording_progress_fn *progress,
		void *arg, struct lt_buf *buf, struct lt_recording_losses *ret_losses,
		struct lt_err *err)
{
	const cJSON *manifest = lt_recording_manifest(recording);
	LT_AUTO(lt_analysis_destroy)
	struct lt_analysis *analysis = lt_analysis_create(lt_json_get(manifest, "colSpec"));
	struct lt_recording_losses losses = { 0 };
	size_t count;

	if (!walk(recording, analysis, progress, arg, &losses, err)) {
		return false;
	}
	lt_recording_times(recording, &count);
	const cJSON *last = lt_recording_frame(recording, count - 1, err);
	if (!last) {
		return false;
	}
	LT_AUTO(cJSON_Delete) cJSON *service = service_of(recording);
	lt_buf_add_c(buf, "{\"state\":");
	lt_json_print(buf, last, LT_JSON_COMPACT);
	lt_buf_add_char(buf, ',');
	lt_analysis_write_members(analysis, buf);
	lt_buf_add_c(buf, ",\"service\":");
	lt_json_print(buf, service, LT_JSON_COMPACT);
	lt_buf_add_char(buf, '}');
	if (ret_losses) {
		*ret_losses = losses;
	}
	return true;
}
