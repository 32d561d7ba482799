#include "services/delta/delta_work.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "race/delta.h"
#include "race/envelope.h"
#include "race/lzstring.h"
#include "race/state.h"

#define STATE_BYTES_MAX (16u * 1024 * 1024)

void lt_delta_input_free(struct lt_delta_input *input)
{
	if (input) {
		lt_buf_finish(&input->text);
		lt_free(input);
	}
}

void lt_delta_work_finish(struct lt_delta_work *work)
{
	cJSON_Delete(LT_STEAL(work->shown));
	lt_delta_input_free(LT_STEAL(work->input));
	lt_buf_finish(&work->event);
	lt_buf_finish(&work->keyframe);
}

/* --- reading --- */

static cJSON *unpack(const cJSON *payload, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	return lt_lzstring_decompress(
			       &text, lt_str_from(payload->valuestring), STATE_BYTES_MAX, err)
			? lt_json_parse(lt_buf_str(&text), err)
			: NULL;
}

/* The date as it stands in the envelope, in milliseconds; `otherwise` without a good one. */
static int64_t date_of(const cJSON *args, int64_t otherwise)
{
	const cJSON *date = lt_json_get(cJSON_GetArrayItem(args, 0), "date");

	return cJSON_IsNumber(date) && date->valuedouble > 0 && date->valuedouble < 1e16
			? (int64_t)date->valuedouble
			: otherwise;
}

static cJSON *read_event(const struct lt_delta_input *input, int64_t *ret_date, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(lt_buf_str(&input->text), err);
	struct lt_envelope envelope;

	if (!args ||
			!lt_envelope_read(args, (struct lt_wall){ input->date_ms * LT_US_PER_MS },
					&envelope, err)) {
		return NULL;
	}
	*ret_date = date_of(args, input->date_ms);
	if (envelope.msg_class == LT_MSG_SERVICE_DATA) {
		return cJSON_Duplicate(envelope.payload, true);
	}
	if (envelope.msg_class == LT_MSG_SERVICE_DATA_COMPRESSED &&
			cJSON_IsString(envelope.payload)) {
		return unpack(envelope.payload, err);
	}
	lt_err_set(err, LT_E_FORMAT, "message class %d with no state in it",
			(int)envelope.msg_class);
	return NULL;
}

static cJSON *read_state(const struct lt_delta_input *input, int64_t *ret_date, struct lt_err *err)
{
	cJSON *state;

	*ret_date = input->date_ms;
	state = input->is_event ? read_event(input, ret_date, err)
				: lt_json_parse(lt_buf_str(&input->text), err);
	if (state && !lt_state_check(state, err)) {
		cJSON_Delete(state);
		return NULL;
	}
	return state;
}

/* --- writing --- */

static void write_args(struct lt_buf *buf, const struct lt_delta_work *work, int64_t date_ms,
		const char *key, const cJSON *value)
{
	lt_buf_printf(buf, "[{\"epoch\":\"%s\",\"seq\":%" PRIu64 ",\"date\":%" PRId64 ",\"%s\":",
			work->epoch, work->seq, date_ms, key);
	lt_json_print(buf, value, LT_JSON_UTF8);
	lt_buf_add_c(buf, "}]");
}

void lt_delta_work_run(struct lt_delta_work *work)
{
	struct lt_delta_input *input = LT_STEAL(work->input);
	int64_t date_ms;
	cJSON *state = read_state(input, &date_ms, &work->err);

	lt_delta_input_free(input);
	lt_buf_clear(&work->event);
	lt_buf_clear(&work->keyframe);
	if (!state) {
		return;
	}
	lt_delta_complete(state);
	work->seq++;
	LT_AUTO(cJSON_Delete) cJSON *diff = lt_delta_step_take(&work->shown, state);

	write_args(&work->keyframe, work, date_ms, "state", work->shown);
	if (diff) {
		write_args(&work->event, work, date_ms, "diff", diff);
	}
	work->is_difference = diff && work->event.n < work->keyframe.n;
	if (!work->is_difference) {
		lt_buf_clear(&work->event);
		lt_buf_add_str(&work->event, lt_buf_str(&work->keyframe));
	}
}
