/*
 * The whole of an analysis as JSON, and back:
 *
 * {"version": 1, "updates": n, "time": t, "flag": n, "leaderLap": n,
 *  "flagStats": [[flag, start lap, start time], ...],
 *  "messages": [[message, ...], ...]     one list an update, oldest first
 *  "cars": [{"number", "key": texts, "class", "static", "drivers": [...],
 *            "messages": [...], "currentLap", "lapsRecorded", "worstFlag": n,
 *            "lastPass": t or null, "seenIn": n, "old": [state, laps, lap time, driver],
 *            "stints": [[start lap, start time, end lap, end time, driver, running,
 *                        [[seconds, flag], ...]], ...]}, ...]}
 */
#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "race/analysis/analysis_state.h"
#include "race/flag.h"

#define FORMAT_VERSION 1
#define COUNT_MAX      9007199254740992 /* 2^53 */
#define STINT_PARTS    7

/* --- saving --- */

static void write_old_cells(struct lt_buf *buf, const struct lt_car *car)
{
	const cJSON *cells[] = { car->old_state, car->old_laps, car->old_lap_time,
		car->old_driver };

	for (size_t i = 0; i < LT_ARRAY_LEN(cells); i++) {
		LT_AUTO(lt_free) char *text = lt_text_of(cells[i]);

		lt_buf_add_char(buf, i > 0 ? ',' : '[');
		lt_buf_add_c(buf, text);
	}
	lt_buf_add_char(buf, ']');
}

static void write_stint(struct lt_buf *buf, const struct lt_stint *stint)
{
	lt_buf_printf(buf, "[%" PRId64 ",", stint->start_lap);
	lt_number_write(buf, stint->start_time);
	lt_buf_printf(buf, ",%" PRId64 ",", stint->end_lap);
	lt_number_write(buf, stint->end_time);
	lt_buf_printf(buf, ",%d,%s,[", stint->driver, stint->is_running ? "true" : "false");
	for (size_t i = 0; i < stint->lap_count; i++) {
		const struct lt_lap *lap = &stint->laps[i];

		lt_buf_add_c(buf, i > 0 ? ",[" : "[");
		lt_number_write(buf, (struct lt_number){ lap->seconds, lap->is_float, true });
		lt_buf_printf(buf, ",%d]", lap->flag);
	}
	lt_buf_add_c(buf, "]]");
}

static void write_car(struct lt_buf *buf, const struct lt_car *car)
{
	lt_buf_add_c(buf, "{\"number\":");
	lt_json_write_ascii(buf, lt_str_from(car->number));
	lt_buf_add_c(buf, ",\"key\":");
	lt_json_write_ascii(buf, lt_str_from(car->key));
	lt_buf_printf(buf, ",\"class\":%s,\"static\":%s,\"drivers\":[", car->class_, car->fixed);
	lt_texts_write(buf, &car->drivers);
	lt_buf_add_c(buf, "],\"messages\":[");
	lt_texts_write(buf, &car->messages);
	lt_buf_printf(buf,
			"],\"currentLap\":%" PRId64 ",\"lapsRecorded\":%" PRId64
			",\"worstFlag\":%d,\"lastPass\":",
			car->current_lap, car->laps_recorded, car->worst_flag);
	lt_number_write(buf, car->last_pass);
	lt_buf_printf(buf, ",\"seenIn\":%" PRId64 ",\"old\":", car->seen_in);
	write_old_cells(buf, car);
	lt_buf_add_c(buf, ",\"stints\":[");
	for (size_t i = 0; i < car->stint_count; i++) {
		if (i > 0) {
			lt_buf_add_char(buf, ',');
		}
		write_stint(buf, &car->stints[i]);
	}
	lt_buf_add_c(buf, "]}");
}

static void write_periods(struct lt_buf *buf, const struct lt_session_stats *stats)
{
	for (size_t i = 0; i < stats->count; i++) {
		const struct lt_flag_period *period = &stats->periods[i];

		lt_buf_printf(buf, "%s[%d,%" PRId64 ",", i > 0 ? "," : "", period->flag,
				period->start_lap);
		lt_number_write(buf, period->start_time);
		lt_buf_add_char(buf, ']');
	}
}

void lt_analysis_save(const struct lt_analysis *analysis, struct lt_buf *buf)
{
	const struct lt_texts *blocks = &analysis->messages.blocks;

	lt_buf_printf(buf, "{\"version\":%d,\"updates\":%" PRId64 ",\"time\":", FORMAT_VERSION,
			analysis->updates);
	lt_number_write(buf, analysis->time);
	lt_buf_printf(buf, ",\"flag\":%d,\"leaderLap\":%" PRId64 ",\"flagStats\":[", analysis->flag,
			analysis->session.leader_lap);
	write_periods(buf, &analysis->session);
	lt_buf_add_c(buf, "],\"messages\":[");
	for (size_t i = 0; i < blocks->count; i++) {
		lt_buf_printf(buf, "%s[%s]", i > 0 ? "," : "", blocks->items[i]);
	}
	lt_buf_add_c(buf, "],\"cars\":[");
	for (size_t i = 0; i < lt_car_list_count(analysis->cars); i++) {
		if (i > 0) {
			lt_buf_add_char(buf, ',');
		}
		write_car(buf, lt_car_list_at(analysis->cars, i));
	}
	lt_buf_add_c(buf, "]}");
}

/* --- loading --- */

static bool get_flag(const cJSON *object, const char *key, int *ret, struct lt_err *err)
{
	int64_t value;

	if (!lt_json_get_int(object, key, 0, LT_FLAG_COUNT - 1, &value, err)) {
		return false;
	}
	*ret = (int)value;
	return true;
}

static bool get_list(const cJSON *object, const char *key, const cJSON **ret, struct lt_err *err)
{
	*ret = lt_json_get(object, key);
	return cJSON_IsArray(*ret) || lt_err_set(err, LT_E_FORMAT, "\"%s\": not a list", key);
}

/* Whole numbers of lists; `ok` gathers what was wrong. */
static int64_t whole_at(const cJSON *list, int index, int64_t min, int64_t max, bool *ok)
{
	const cJSON *item = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, index) : NULL;
	double value = item && cJSON_IsNumber(item) ? item->valuedouble : NAN;

	/* Also false for NAN. */
	if (!(value >= (double)min && value <= (double)max && value == floor(value))) {
		*ok = false;
		return min;
	}
	return (int64_t)value;
}

/* A number or null. */
static struct lt_number number_at(const cJSON *list, int index, bool *ok)
{
	const cJSON *item = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, index) : NULL;

	*ok = *ok && item && (cJSON_IsNumber(item) || cJSON_IsNull(item));
	return lt_number_from_json(item);
}

static bool load_laps(struct lt_stint *stint, const cJSON *laps)
{
	const cJSON *lap;
	bool ok = cJSON_IsArray(laps);

	cJSON_ArrayForEach(lap, laps) {
		struct lt_number seconds = number_at(lap, 0, &ok);
		int flag = (int)whole_at(lap, 1, 0, LT_FLAG_COUNT - 1, &ok);

		ok = ok && seconds.is_set;
		lt_stint_add_lap(stint, seconds, flag);
	}
	return ok;
}

static bool load_stint(struct lt_car *car, const cJSON *item, bool is_last)
{
	int drivers = (int)car->drivers.count;
	struct lt_stint *stint = lt_car_add_stint(car);
	bool ok = cJSON_IsArray(item) && cJSON_GetArraySize(item) == STINT_PARTS;

	stint->start_lap = whole_at(item, 0, -COUNT_MAX, COUNT_MAX, &ok);
	stint->start_time = number_at(item, 1, &ok);
	stint->end_lap = whole_at(item, 2, -COUNT_MAX, COUNT_MAX, &ok);
	stint->end_time = number_at(item, 3, &ok);
	stint->driver = (int)whole_at(item, 4, -1, drivers - 1, &ok);
	stint->is_running = ok && cJSON_IsTrue(cJSON_GetArrayItem(item, 5));
	return ok && (is_last || !stint->is_running) &&
			load_laps(stint, cJSON_GetArrayItem(item, 6));
}

static bool load_stints(struct lt_car *car, const cJSON *saved, struct lt_err *err)
{
	const cJSON *list, *item;

	if (!get_list(saved, "stints", &list, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, list) {
		if (!load_stint(car, item, !item->next)) {
			return lt_err_set(err, LT_E_FORMAT, "stint %zu is malformed",
					car->stint_count);
		}
	}
	return true;
}

static bool load_texts(
		struct lt_texts *texts, const cJSON *saved, const char *key, struct lt_err *err)
{
	const cJSON *list, *item;

	if (!get_list(saved, key, &list, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, list) {
		lt_texts_add(texts, item);
	}
	return true;
}

static cJSON *old_cell(const cJSON *list, int index)
{
	const cJSON *cell = cJSON_GetArrayItem(list, index);

	return cell && !cJSON_IsNull(cell) ? cJSON_Duplicate(cell, true) : NULL;
}

static bool load_old_cells(struct lt_car *car, const cJSON *saved, struct lt_err *err)
{
	const cJSON *list;

	if (!get_list(saved, "old", &list, err)) {
		return false;
	}
	car->old_state = old_cell(list, 0);
	car->old_laps = old_cell(list, 1);
	car->old_lap_time = old_cell(list, 2);
	car->old_driver = old_cell(list, 3);
	return true;
}

static bool load_names(struct lt_car *car, const cJSON *saved, struct lt_err *err)
{
	struct lt_str number, key;
	const cJSON *fixed;

	if (!lt_json_get_str(saved, "number", &number, err) ||
			!lt_json_get_str(saved, "key", &key, err) ||
			!get_list(saved, "static", &fixed, err)) {
		return false;
	}
	car->number = lt_str_dup(number);
	car->key = lt_str_dup(key);
	car->class_ = lt_text_of(lt_json_get(saved, "class"));
	car->fixed = lt_text_of(fixed);
	return true;
}

static bool load_car(struct lt_car *car, const cJSON *saved, int64_t updates, struct lt_err *err)
{
	car->last_pass = lt_number_from_json(lt_json_get(saved, "lastPass"));
	return load_names(car, saved, err) && load_texts(&car->drivers, saved, "drivers", err) &&
			load_texts(&car->messages, saved, "messages", err) &&
			lt_json_get_int(saved, "currentLap", -COUNT_MAX, COUNT_MAX,
					&car->current_lap, err) &&
			lt_json_get_int(saved, "lapsRecorded", 0, COUNT_MAX, &car->laps_recorded,
					err) &&
			get_flag(saved, "worstFlag", &car->worst_flag, err) &&
			lt_json_get_int(saved, "seenIn", LT_NEVER, updates, &car->seen_in, err) &&
			load_old_cells(car, saved, err) && load_stints(car, saved, err);
}

static bool load_cars(struct lt_analysis *analysis, const cJSON *saved, struct lt_err *err)
{
	const cJSON *list, *item;
	size_t index = 0;

	if (!get_list(saved, "cars", &list, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, list) {
		struct lt_car *car = lt_car_create_empty();
		bool ok = load_car(car, item, analysis->updates, err);

		if (ok && !lt_car_list_add(analysis->cars, car)) {
			ok = lt_err_set(err, LT_E_FORMAT, "its key occurs twice");
		}
		if (!ok) {
			lt_car_destroy(car);
			return lt_err_prefix(err, "cars[%zu]", index);
		}
		index++;
	}
	return true;
}

static bool load_periods(struct lt_session_stats *stats, const cJSON *saved, struct lt_err *err)
{
	const cJSON *list, *item;
	bool ok = true;

	if (!get_list(saved, "flagStats", &list, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, list) {
		struct lt_flag_period period = {
			.flag = (int)whole_at(item, 0, 0, LT_FLAG_COUNT - 1, &ok),
			.start_lap = whole_at(item, 1, 0, COUNT_MAX, &ok),
			.start_time = number_at(item, 2, &ok),
		};

		lt_session_stats_add(stats, period);
	}
	return ok || lt_err_set(err, LT_E_FORMAT, "\"flagStats\": a period is malformed");
}

static bool load_messages(struct lt_race_messages *messages, const cJSON *saved, struct lt_err *err)
{
	const cJSON *list, *block;

	if (!get_list(saved, "messages", &list, err)) {
		return false;
	}
	cJSON_ArrayForEach(block, list) {
		if (!lt_race_messages_add(messages, block)) {
			return lt_err_set(err, LT_E_FORMAT, "\"messages\": a block is malformed");
		}
	}
	return true;
}

bool lt_analysis_load(struct lt_analysis *analysis, const cJSON *saved, struct lt_err *err)
{
	int64_t version;

	if (!lt_json_get_int(saved, "version", FORMAT_VERSION, FORMAT_VERSION, &version, err) ||
			!lt_json_get_int(saved, "updates", 0, COUNT_MAX, &analysis->updates, err) ||
			!get_flag(saved, "flag", &analysis->flag, err) ||
			!lt_json_get_int(saved, "leaderLap", 0, COUNT_MAX,
					&analysis->session.leader_lap, err)) {
		return false;
	}
	analysis->time = lt_number_from_json(lt_json_get(saved, "time"));
	return load_periods(&analysis->session, saved, err) &&
			load_messages(&analysis->messages, saved, err) &&
			load_cars(analysis, saved, err);
}
