#include "race/column.h"

#include <string.h>

static const struct {
	const char *title;
	size_t slot; /* offset of an int in struct lt_columns */
} titles[] = {
	{ "Num", offsetof(struct lt_columns, num) },
	{ "State", offsetof(struct lt_columns, state) },
	{ "Class", offsetof(struct lt_columns, class_) },
	{ "Team", offsetof(struct lt_columns, team) },
	{ "Driver", offsetof(struct lt_columns, driver) },
	{ "Car", offsetof(struct lt_columns, car) },
	{ "Laps", offsetof(struct lt_columns, laps) },
	{ "Lap", offsetof(struct lt_columns, laps) },
	{ "Gap", offsetof(struct lt_columns, gap) },
	{ "Int", offsetof(struct lt_columns, interval) },
	{ "Last", offsetof(struct lt_columns, last_lap) },
	{ "Best", offsetof(struct lt_columns, best_lap) },
	{ "Pits", offsetof(struct lt_columns, pits) },
};

static int *slot_of(struct lt_columns *columns, size_t offset)
{
	return (int *)(void *)((char *)columns + offset);
}

/* The first column of a title counts. */
static void note_column(struct lt_columns *columns, const char *title, int index)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(titles); i++) {
		int *slot = slot_of(columns, titles[i].slot);

		if (strcmp(title, titles[i].title) == 0) {
			*slot = *slot < 0 ? index : *slot;
			return;
		}
	}
}

void lt_columns_find(const cJSON *col_spec, struct lt_columns *ret_columns)
{
	const cJSON *column;
	int index = 0;

	for (size_t i = 0; i < LT_ARRAY_LEN(titles); i++) {
		*slot_of(ret_columns, titles[i].slot) = -1;
	}
	if (!cJSON_IsArray(col_spec)) {
		return;
	}
	cJSON_ArrayForEach(column, col_spec) {
		const cJSON *title = lt_cell_at(column, 0);

		if (cJSON_IsString(title)) {
			note_column(ret_columns, title->valuestring, index);
		}
		index++;
	}
}

const cJSON *lt_cell_at(const cJSON *row, int index)
{
	return index >= 0 && cJSON_IsArray(row) ? cJSON_GetArrayItem(row, index) : NULL;
}

static bool check_column(const cJSON *column, int index, struct lt_err *err)
{
	const cJSON *part;
	int parts = cJSON_IsArray(column) ? cJSON_GetArraySize(column) : 0;

	if (parts != 2 && parts != 3) {
		return lt_err_set(err, LT_E_INVALID,
				"column %d: not a list of title, type and perhaps a description",
				index);
	}
	cJSON_ArrayForEach(part, column) {
		if (!cJSON_IsString(part)) {
			return lt_err_set(err, LT_E_INVALID,
					"column %d: title, type and description must be texts",
					index);
		}
	}
	return true;
}

bool lt_col_spec_check(const cJSON *col_spec, struct lt_err *err)
{
	const cJSON *column;
	int index = 0;

	if (!cJSON_IsArray(col_spec)) {
		return lt_err_set(err, LT_E_INVALID, "column specification: not a list");
	}
	cJSON_ArrayForEach(column, col_spec) {
		if (!check_column(column, index++, err)) {
			return false;
		}
	}
	return true;
}
