#include "services/plugin/plugin_state.h"

#include <math.h>

#include "race/column.h"
#include "race/flag.h"

#define POLL_INTERVAL_MAX_S 3600.0
#define COLUMNS_MAX         256

void lt_copy_sized(void *ours, size_t our_size, const void *theirs)
{
	uint32_t size;

	memcpy(&size, theirs, sizeof(size));
	memset(ours, 0, our_size);
	memcpy(ours, theirs, LT_MIN(our_size, (size_t)size));
}

cJSON *lt_plugin_text(struct lt_str text)
{
	if (text.p == NULL) {
		text = LT_STR("");
	}
	if (lt_utf8_valid(text)) {
		return lt_json_new_str(text);
	}
	LT_AUTO(lt_buf_finish) struct lt_buf clean = { 0 };

	while (text.n > 0) {
		size_t n = lt_utf8_prefix(text);

		lt_buf_add(&clean, text.p, n);
		text = lt_str_skip(text, n);
		if (text.n > 0) {
			lt_buf_add_utf8(&clean, 0xFFFD);
			text = lt_str_skip(text, 1);
		}
	}
	return lt_json_new_str(lt_buf_str(&clean));
}

static void add_text(cJSON *array, const char *text)
{
	cJSON_AddItemToArray(array, lt_plugin_text(lt_str_from(text)));
}

static cJSON *column_spec(const struct lt_column *columns, size_t count)
{
	cJSON *spec = cJSON_CreateArray();

	for (size_t i = 0; i < count; i++) {
		cJSON *column = cJSON_CreateArray();

		add_text(column, columns[i].title);
		add_text(column, columns[i].type);
		if (columns[i].description != NULL) {
			add_text(column, columns[i].description);
		}
		cJSON_AddItemToArray(spec, column);
	}
	return spec;
}

static cJSON *poll_interval(double seconds)
{
	if (seconds == 0) {
		return lt_json_new_int(1);
	}
	return floor(seconds) == seconds ? lt_json_new_int((int64_t)seconds)
					 : lt_json_new_float(seconds);
}

cJSON *lt_plugin_description(const struct lt_service_info *theirs, struct lt_err *err)
{
	struct lt_service_info info;

	lt_copy_sized(&info, sizeof(info), theirs);
	if (!(info.poll_interval_s >= 0 && info.poll_interval_s <= POLL_INTERVAL_MAX_S)) {
		lt_err_set(err, LT_E_INVALID, "a poll interval of %g s", info.poll_interval_s);
		return NULL;
	}
	if (info.column_count == 0 || info.column_count > COLUMNS_MAX) {
		lt_err_set(err, LT_E_INVALID, "a column specification of %zu columns",
				info.column_count);
		return NULL;
	}
	cJSON *description = cJSON_CreateObject();

	lt_json_set_take(description, "name", lt_plugin_text(info.name));
	lt_json_set_take(description, "description", lt_plugin_text(info.description));
	lt_json_set_take(description, "colSpec", column_spec(info.columns, info.column_count));
	cJSON *headings = cJSON_AddArrayToObject(description, "trackDataSpec");

	for (size_t i = 0; i < info.track_data_count; i++) {
		cJSON_AddItemToArray(headings, lt_plugin_text(info.track_data[i]));
	}
	lt_json_set_take(description, "pollInterval", poll_interval(info.poll_interval_s));
	if (info.source_name.n > 0) {
		cJSON *source = cJSON_AddArrayToObject(description, "source");

		cJSON_AddItemToArray(source, lt_plugin_text(info.source_name));
		cJSON_AddItemToArray(source, lt_plugin_text(info.source_url));
	}
	return description;
}

cJSON *lt_plugin_attribution(const char *attribution)
{
	if (attribution == NULL || *attribution == '\0') {
		return NULL;
	}
	const char *url = strstr(attribution, " http");
	struct lt_str name = lt_str_from(attribution);
	cJSON *source = cJSON_CreateArray();

	if (url != NULL) {
		name.n = (size_t)(url - attribution);
	}
	cJSON_AddItemToArray(source, lt_plugin_text(name));
	add_text(source, url ? url + 1 : "");
	return source;
}

static cJSON *time_cell(const struct lt_cell *cell)
{
	static const char *const flags[] = { "", "pb", "sb", "sb-new", "old" };
	cJSON *time = cJSON_CreateArray();

	cJSON_AddItemToArray(time,
			isfinite(cell->d) && cell->d >= 0 ? lt_json_new_float(cell->d)
							  : cJSON_CreateString(""));
	add_text(time, cell->flag < LT_ARRAY_LEN(flags) ? flags[cell->flag] : "");
	return time;
}

static cJSON *cell_value(const struct lt_cell *cell, struct lt_err *err)
{
	switch (cell->kind) {
	case LT_CELL_NULL:
		return cJSON_CreateNull();
	case LT_CELL_INT:
		return lt_json_new_int(cell->i);
	case LT_CELL_NUMBER:
		return isfinite(cell->d) ? lt_json_new_float(cell->d) : cJSON_CreateNull();
	case LT_CELL_TEXT:
		return lt_plugin_text(cell->s);
	case LT_CELL_TIME:
		return time_cell(cell);
	case LT_CELL_JSON:
		return lt_json_parse(cell->s, err);
	default:
		lt_err_set(err, LT_E_INVALID, "unknown kind %u", cell->kind);
		return NULL;
	}
}

cJSON *lt_plugin_row(const struct lt_cell *cells, size_t count, struct lt_err *err)
{
	cJSON *row = cJSON_CreateArray();

	if (count > COLUMNS_MAX) {
		lt_err_set(err, LT_E_LIMIT, "a row of %zu cells", count);
		cJSON_Delete(row);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		cJSON *value = cell_value(&cells[i], err);

		if (value == NULL) {
			lt_err_prefix(err, "cell %zu", i);
			cJSON_Delete(row);
			return NULL;
		}
		cJSON_AddItemToArray(row, value);
	}
	return row;
}

static bool add_extra(cJSON *session, struct lt_str extra_json, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *extra = lt_json_parse(extra_json, err);

	if (extra != NULL && !cJSON_IsObject(extra)) {
		return lt_err_set(err, LT_E_FORMAT, "extra_json: not an object");
	}
	if (extra == NULL) {
		return lt_err_prefix(err, "extra_json");
	}
	while (extra->child != NULL) {
		cJSON *member = cJSON_DetachItemViaPointer(extra, extra->child);
		char *key = member->string;

		member->string = NULL;
		lt_json_set_take(session, key, member);
		cJSON_free(key);
	}
	return true;
}

cJSON *lt_plugin_session(const struct lt_session_info *theirs, struct lt_err *err)
{
	struct lt_session_info info;
	cJSON *session;

	lt_copy_sized(&info, sizeof(info), theirs);
	if (info.flag >= LT_FLAG_COUNT) {
		lt_err_set(err, LT_E_INVALID, "unknown flag %u", info.flag);
		return NULL;
	}
	session = cJSON_CreateObject();
	lt_json_add_c(session, "flagState", lt_flag_name((enum lt_flag)info.flag));
	if (isfinite(info.time_elapsed_s) && info.time_elapsed_s >= 0) {
		lt_json_add_float(session, "timeElapsed", info.time_elapsed_s);
	}
	if (isfinite(info.time_remain_s) && info.time_remain_s >= 0) {
		lt_json_add_float(session, "timeRemain", info.time_remain_s);
	}
	if (info.laps_remain >= 0) {
		lt_json_add_int(session, "lapsRemain", info.laps_remain);
	}
	if (info.track_data != NULL) {
		cJSON *texts = cJSON_AddArrayToObject(session, "trackData");

		for (size_t i = 0; i < info.track_data_count; i++) {
			cJSON_AddItemToArray(texts, lt_plugin_text(info.track_data[i]));
		}
	}
	if (info.extra_json.n > 0 && !add_extra(session, info.extra_json, err)) {
		cJSON_Delete(session);
		return NULL;
	}
	return session;
}

cJSON *lt_plugin_message(const struct lt_message_info *theirs, int64_t now_s)
{
	struct lt_message_info info;
	cJSON *message = cJSON_CreateArray();

	lt_copy_sized(&info, sizeof(info), theirs);
	cJSON_AddItemToArray(message, lt_json_new_int(info.time_s != 0 ? info.time_s : now_s));
	cJSON_AddItemToArray(message, lt_plugin_text(info.category));
	cJSON_AddItemToArray(message, lt_plugin_text(info.text));
	cJSON_AddItemToArray(message, info.type.p ? lt_plugin_text(info.type) : cJSON_CreateNull());
	if (info.car.p != NULL) {
		cJSON_AddItemToArray(message, lt_plugin_text(info.car));
	}
	return message;
}

bool lt_plugin_cell_fits(const struct lt_cell *cell, const char *type)
{
	double number;

	if (cell->kind == LT_CELL_NULL || cell->kind == LT_CELL_JSON) {
		return true;
	}
	if (strcmp(type, "time") == 0) {
		return cell->kind == LT_CELL_TIME || (cell->kind == LT_CELL_TEXT && cell->s.n == 0);
	}
	if (strcmp(type, "numeric") == 0) {
		return cell->kind == LT_CELL_INT || cell->kind == LT_CELL_NUMBER ||
				(cell->kind == LT_CELL_TEXT &&
						(cell->s.n == 0 ||
								lt_parse_double(cell->s, &number,
										NULL)));
	}
	return cell->kind != LT_CELL_TIME;
}
