#include "race/envelope.h"

#include <inttypes.h>
#include <math.h>

/* Milliseconds that a double holds exactly; no clock gets there. */
#define DATE_MAX_MS 9007199254740992.0

void lt_envelope_write(struct lt_buf *buf, enum lt_msg_class msg_class, struct lt_wall date,
		bool retain, struct lt_str payload_json)
{
	lt_buf_reserve(buf, payload_json.n + 96);
	lt_buf_printf(buf, "[{\"msgClass\":%d,\"date\":%" PRId64 ",\"payload\":", (int)msg_class,
			lt_wall_ms(date));
	lt_buf_add_str(buf, payload_json);
	lt_buf_add_c(buf, retain ? ",\"retain\":true}]" : "}]");
}

static bool read_date(
		const cJSON *date, struct lt_wall now, int64_t *ret_date_s, struct lt_err *err)
{
	*ret_date_s = lt_wall_s(now);
	if (!date || cJSON_IsNull(date) || cJSON_IsBool(date)) {
		return true;
	}
	if (!cJSON_IsNumber(date) || fabs(date->valuedouble) > DATE_MAX_MS) {
		return lt_err_set(err, LT_E_FORMAT, "date: not a time in milliseconds");
	}
	int64_t seconds = (int64_t)(date->valuedouble / 1000);
	if (seconds != 0) {
		*ret_date_s = seconds;
	}
	return true;
}

bool lt_envelope_read(
		const cJSON *args, struct lt_wall now, struct lt_envelope *ret, struct lt_err *err)
{
	const cJSON *envelope = cJSON_IsArray(args) ? args->child : NULL;
	const cJSON *payload = lt_json_get(envelope, "payload");
	int64_t msg_class, date_s;

	if (!cJSON_IsObject(envelope)) {
		return lt_err_set(err, LT_E_FORMAT, "the first argument is not an envelope");
	}
	if (!lt_json_get_int(envelope, "msgClass", LT_MSG_INITIALISE_DIRECTORY,
			    LT_MSG_RECORDING_LISTING, &msg_class, err) ||
			!read_date(lt_json_get(envelope, "date"), now, &date_s, err)) {
		return lt_err_prefix(err, "envelope");
	}
	if (!payload) {
		return lt_err_set(err, LT_E_FORMAT, "envelope: payload: missing");
	}
	*ret = (struct lt_envelope){
		.msg_class = (enum lt_msg_class)msg_class,
		.date_s = date_s,
		.retain = cJSON_IsTrue(lt_json_get(envelope, "retain")),
		.payload = payload,
	};
	return true;
}
