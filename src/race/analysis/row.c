#include "race/analysis/row.h"

#include <math.h>

#include "base/alloc.h"
#include "race/column.h"

#define LAPS_MAX 9007199254740992.0 /* what a double counts without gaps */

static void set_offset(struct lt_row_layout *layout, int column, size_t offset)
{
	if (column >= 0 && column < layout->count) {
		layout->offsets[column] = (short)offset;
	}
}

void lt_row_layout_init(struct lt_row_layout *layout, const cJSON *col_spec)
{
	struct lt_columns columns;

	lt_columns_find(col_spec, &columns);
	layout->count = cJSON_IsArray(col_spec) ? cJSON_GetArraySize(col_spec) : 0;
	layout->offsets = lt_calloc((size_t)layout->count + 1, sizeof(*layout->offsets));
	for (int i = 0; i < layout->count; i++) {
		layout->offsets[i] = -1;
	}
	set_offset(layout, columns.num, offsetof(struct lt_row, num));
	set_offset(layout, columns.state, offsetof(struct lt_row, state));
	set_offset(layout, columns.class_, offsetof(struct lt_row, class_));
	set_offset(layout, columns.team, offsetof(struct lt_row, team));
	set_offset(layout, columns.driver, offsetof(struct lt_row, driver));
	set_offset(layout, columns.car, offsetof(struct lt_row, car));
	set_offset(layout, columns.laps, offsetof(struct lt_row, laps));
	set_offset(layout, columns.gap, offsetof(struct lt_row, gap));
	set_offset(layout, columns.last_lap, offsetof(struct lt_row, last_lap));
}

void lt_row_layout_finish(struct lt_row_layout *layout)
{
	lt_free(layout->offsets);
	*layout = (struct lt_row_layout){ 0 };
}

bool lt_row_read(const struct lt_row_layout *layout, const cJSON *row, struct lt_row *ret_row)
{
	const cJSON *cell = cJSON_IsArray(row) ? row->child : NULL;

	*ret_row = (struct lt_row){ .gap_laps = -1 };
	for (int i = 0; cell && i < layout->count; i++, cell = cell->next) {
		if (layout->offsets[i] >= 0 && !cJSON_IsNull(cell)) {
			*(const cJSON **)(void *)((char *)ret_row + layout->offsets[i]) = cell;
		}
	}
	return cJSON_IsArray(row);
}

bool lt_number_text(const cJSON *cell, struct lt_buf *number)
{
	lt_buf_clear(number);
	if (cJSON_IsString(cell)) {
		lt_buf_add_c(number, cell->valuestring);
		return cell->valuestring[0] != '\0';
	}
	lt_number_write(number, lt_number_from_json(cell));
	return cJSON_IsNumber(cell);
}

bool lt_row_number(const struct lt_row *row, struct lt_buf *number)
{
	return lt_number_text(row->num, number) &&
			!(cJSON_IsNumber(row->num) && row->num->valuedouble == 0);
}

static bool is_text(const cJSON *cell, const char *text)
{
	return cJSON_IsString(cell) && strcmp(cell->valuestring, text) == 0;
}

bool lt_state_is_fuel(const cJSON *state)
{
	return is_text(state, "FUEL");
}

bool lt_state_is_pits(const cJSON *state)
{
	return is_text(state, "PIT") || lt_state_is_fuel(state) || is_text(state, "N/S") ||
			is_text(state, "FIN");
}

const cJSON *lt_row_lap_time(const struct lt_row *row)
{
	return cJSON_IsArray(row->last_lap) ? row->last_lap->child : row->last_lap;
}

static struct lt_number number_or_text(const cJSON *cell)
{
	struct lt_number number = lt_number_from_json(cell);

	if (cJSON_IsString(cell)) {
		struct lt_str text = lt_str_trim(lt_str_from(cell->valuestring));

		number.is_set = number.is_float = lt_parse_double(text, &number.value, NULL);
	}
	return number;
}

struct lt_number lt_lap_seconds(const cJSON *time)
{
	struct lt_number seconds = number_or_text(time);

	seconds.is_set = seconds.is_set && seconds.value != 0;
	return seconds;
}

int64_t lt_row_lap_count(const struct lt_row *row)
{
	struct lt_number laps = number_or_text(row->laps);
	/* A text "0" is not empty; the number 0 is. */
	bool is_empty = cJSON_IsNumber(row->laps) && laps.value == 0;

	if (laps.is_set && !is_empty && fabs(laps.value) <= LAPS_MAX) {
		return (int64_t)floor(laps.value);
	}
	return row->gap_laps;
}

int64_t lt_gap_laps(const cJSON *gap)
{
	struct lt_str text = cJSON_IsString(gap) ? lt_str_from(gap->valuestring) : LT_STR("");
	size_t digits = 0;
	int64_t laps;

	if (!lt_str_starts(text, LT_STR("("))) {
		return -1;
	}
	text = lt_str_skip(text, 1);
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') {
		digits++;
	}
	if (!lt_str_starts(lt_str_skip(text, digits), LT_STR(" lap")) ||
			!lt_parse_i64((struct lt_str){ text.p, digits }, 0, (int64_t)LAPS_MAX,
					&laps, NULL)) {
		return -1;
	}
	return laps;
}
