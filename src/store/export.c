#include "store/export.h"

#include "race/column.h"
#include "race/flag.h"

#define YELLOW_PART 7
#define LAPS_PART   9

struct export
{
	const struct lt_export_opts *opts;
	struct lt_err *err;
	const cJSON *fixed, *drivers; /* of the analysis: by number */
};

static const char *const lap_columns[] = { "number", "class", "team", "car", "driver", "stint",
	"lap", "laptime", "flag" };
static const char *const stint_columns[] = { "number", "class", "team", "car", "stint", "driver",
	"start_lap", "start_time", "end_lap", "end_time", "in_progress", "laps", "best_lap",
	"average", "yellow_laps" };
static const char *const car_columns[] = { "time", "flag", "position" };
static const char *const state_columns[] = { "time", "cars", "session", "messages", "highlight" };

/* A copy, null for what is not there; in a cell of value and mark the value. */
static void add_copy(cJSON *row, const char *key, const cJSON *value)
{
	if (cJSON_IsArray(value)) {
		value = value->child;
	}
	cJSON_AddItemToObject(row, key, value ? cJSON_Duplicate(value, true) : cJSON_CreateNull());
}

static bool give_take(const struct export *export, cJSON *row)
{
	bool ok = export->opts->row(export->opts->arg, row, export->err);

	cJSON_Delete(row);
	return ok;
}

/* --- laps and stints --- */

/* {"number", "class", "team", "car"} */
static cJSON *begin_row(const struct export *export, const char *number)
{
	cJSON *row = cJSON_CreateObject();
	const cJSON *fixed = lt_json_get(export->fixed, number);

	lt_json_add_c(row, "number", number);
	for (int i = 0; i < 3; i++) {
		add_copy(row, lap_columns[i + 1], lt_cell_at(fixed, i));
	}
	return row;
}

static void add_driver(
		const struct export *export, cJSON *row, const char *number, const cJSON *stint)
{
	const cJSON *index = lt_cell_at(stint, 5);

	add_copy(row, "driver",
			lt_cell_at(lt_json_get(export->drivers, number),
					cJSON_IsNumber(index) ? (int)index->valuedouble : -1));
}

static bool give_laps(const struct export *export, const char *number, int nth, const cJSON *stint)
{
	const cJSON *start = lt_cell_at(stint, 0), *lap;
	int64_t n = cJSON_IsNumber(start) ? (int64_t)start->valuedouble : 1;

	cJSON_ArrayForEach(lap, lt_cell_at(stint, LAPS_PART)) {
		const cJSON *flag = lt_cell_at(lap, 1);
		cJSON *row = begin_row(export, number);

		add_driver(export, row, number, stint);
		lt_json_add_int(row, "stint", nth);
		lt_json_add_int(row, "lap", n++);
		add_copy(row, "laptime", lt_cell_at(lap, 0));
		lt_json_add_c(row, "flag",
				lt_flag_name(cJSON_IsNumber(flag) ? (enum lt_flag)flag->valueint
								  : LT_NONE));
		if (!give_take(export, row)) {
			return false;
		}
	}
	return true;
}

static bool give_stint(const struct export *export, const char *number, int nth, const cJSON *stint)
{
	cJSON *row = begin_row(export, number);

	lt_json_add_int(row, "stint", nth);
	add_driver(export, row, number, stint);
	for (int i = 0; i < 4; i++) {
		add_copy(row, stint_columns[6 + i], lt_cell_at(stint, i));
	}
	add_copy(row, "in_progress", lt_cell_at(stint, 4));
	lt_json_add_int(row, "laps", cJSON_GetArraySize(lt_cell_at(stint, LAPS_PART)));
	add_copy(row, "best_lap", lt_cell_at(stint, 6));
	add_copy(row, "average", lt_cell_at(stint, 8));
	add_copy(row, "yellow_laps", lt_cell_at(stint, YELLOW_PART));
	return give_take(export, row);
}

static bool give_any(const struct export *export, const char *number, int nth, const cJSON *stint)
{
	return export->opts->table == LT_EXPORT_LAPS ? give_laps(export, number, nth, stint)
						     : give_stint(export, number, nth, stint);
}

/* The finished stints of each car, then the running one. */
static bool give_cars(const struct export *export, const cJSON *analysis)
{
	const cJSON *car, *stint;

	cJSON_ArrayForEach(car, export->fixed) {
		const char *number = car->string;
		const cJSON *running =
				lt_cell_at(lt_json_get(lt_json_get(analysis, "lap"), number), 0);
		int nth = 0;

		cJSON_ArrayForEach(stint, lt_json_get(lt_json_get(analysis, "stint"), number)) {
			if (!give_any(export, number, ++nth, stint)) {
				return false;
			}
		}
		if (cJSON_IsArray(running) && !give_any(export, number, ++nth, running)) {
			return false;
		}
	}
	return true;
}

static bool export_analysis(
		struct lt_recording *recording, struct export *export, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *analysis = NULL;

	if (!lt_recording_analyse(recording, export->opts->progress, export->opts->arg, &text, NULL,
			    err)) {
		return false;
	}
	analysis = lt_json_parse(lt_buf_str(&text), err);
	if (!analysis) {
		return lt_err_prefix(err, "analysis");
	}
	export->fixed = lt_json_get(analysis, "static");
	export->drivers = lt_json_get(analysis, "driver");
	return give_cars(export, analysis);
}

/* --- states --- */

static bool give_state(const struct export *export, int64_t time_s, const cJSON *state)
{
	cJSON *row = cJSON_CreateObject();
	const cJSON *member;

	lt_json_add_int(row, "time", time_s);
	cJSON_ArrayForEach(member, state) {
		cJSON_AddItemToObject(row, member->string, cJSON_Duplicate(member, true));
	}
	return give_take(export, row);
}

static bool give_rows(const struct export *export, const cJSON *col_spec, int64_t time_s,
		const cJSON *state)
{
	const cJSON *car, *column;
	const cJSON *flag = lt_json_get(lt_json_get(state, "session"), "flagState");
	int64_t position = 1;

	cJSON_ArrayForEach(car, lt_json_get(state, "cars")) {
		cJSON *row = cJSON_CreateObject();
		int i = 0;

		lt_json_add_int(row, "time", time_s);
		add_copy(row, "flag", flag);
		lt_json_add_int(row, "position", position++);
		cJSON_ArrayForEach(column, col_spec) {
			const cJSON *title = lt_cell_at(column, 0);

			add_copy(row, cJSON_IsString(title) ? title->valuestring : "",
					lt_cell_at(car, i++));
		}
		if (!give_take(export, row)) {
			return false;
		}
	}
	return true;
}

static bool export_frames(
		struct lt_recording *recording, const struct export *export, struct lt_err *err)
{
	const struct lt_export_opts *opts = export->opts;
	const cJSON *col_spec = lt_json_get(lt_recording_manifest(recording), "colSpec");
	size_t count;
	const int64_t *times = lt_recording_times(recording, &count);

	for (size_t i = 0; i < count; i++) {
		const cJSON *state = lt_recording_frame(recording, i, err);

		if (!state) {
			return false;
		}
		if (!(opts->table == LT_EXPORT_CARS ? give_rows(export, col_spec, times[i], state)
						    : give_state(export, times[i], state))) {
			return false;
		}
		if (opts->progress && !opts->progress(opts->arg, i + 1, count)) {
			return lt_err_set(err, LT_E_UNAVAILABLE, "interrupted");
		}
	}
	return true;
}

bool lt_export(struct lt_recording *recording, const struct lt_export_opts *opts,
		struct lt_err *err)
{
	struct export export = { .opts = opts, .err = err };

	if (opts->table == LT_EXPORT_LAPS || opts->table == LT_EXPORT_STINTS) {
		return export_analysis(recording, &export, err);
	}
	return export_frames(recording, &export, err);
}

cJSON *lt_export_columns(const struct lt_recording *recording, enum lt_export_table table)
{
	static const struct {
		const char *const *titles;
		size_t n;
	} tables[] = {
		[LT_EXPORT_LAPS] = { lap_columns, LT_ARRAY_LEN(lap_columns) },
		[LT_EXPORT_STINTS] = { stint_columns, LT_ARRAY_LEN(stint_columns) },
		[LT_EXPORT_CARS] = { car_columns, LT_ARRAY_LEN(car_columns) },
		[LT_EXPORT_STATES] = { state_columns, LT_ARRAY_LEN(state_columns) },
	};
	cJSON *columns = cJSON_CreateArray();
	const cJSON *column;

	for (size_t i = 0; i < tables[table].n; i++) {
		cJSON_AddItemToArray(columns, cJSON_CreateString(tables[table].titles[i]));
	}
	if (table == LT_EXPORT_CARS) {
		cJSON_ArrayForEach(
				column, lt_json_get(lt_recording_manifest(recording), "colSpec")) {
			const cJSON *title = lt_cell_at(column, 0);

			cJSON_AddItemToArray(columns,
					cJSON_CreateString(cJSON_IsString(title)
									? title->valuestring
									: ""));
		}
	}
	return columns;
}
