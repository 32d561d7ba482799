/*
 * The cells of a car that the analysis looks at, found in one walk over its
 * row, and what can be read from them without knowing the past. All borrowed.
 */
#ifndef LT_RACE_ANALYSIS_ROW_H
#define LT_RACE_ANALYSIS_ROW_H

#include "race/analysis/number.h"

/* A cell is NULL when its column is missing, the row too short, or the value null. */
struct lt_row {
	const cJSON *num, *state, *class_, *team, *driver, *car, *laps, *gap, *last_lap;
	int64_t gap_laps; /* lap count from the gap column of this row or one above; -1: none */
};

/* Which cell each column is; made once from a column specification. */
struct lt_row_layout {
	short *offsets; /* in struct lt_row, by column; -1: not looked at */
	int count;
};

void lt_row_layout_init(struct lt_row_layout *layout, const cJSON *col_spec);
void lt_row_layout_finish(struct lt_row_layout *layout);

/* False when the row is not a list. */
bool lt_row_read(const struct lt_row_layout *layout, const cJSON *row, struct lt_row *ret_row);

/*
 * Number of the car as text, as it names its data; false for a car without one
 * (missing, null, "", 0, or neither a text nor a number).
 */
bool lt_row_number(const struct lt_row *row, struct lt_buf *number);
bool lt_number_text(const cJSON *cell, struct lt_buf *number);

/* PIT, FUEL, N/S or FIN. */
bool lt_state_is_pits(const cJSON *state);
bool lt_state_is_fuel(const cJSON *state);

/* The first element of the last lap's cell, or the cell itself; NULL: none. */
const cJSON *lt_row_lap_time(const struct lt_row *row);

/* Seconds of a lap time: a number, or the text of one. Unset: empty, 0 or something else. */
struct lt_number lt_lap_seconds(const cJSON *time);

/* Lap count that the Laps column or else the gap column gives; -1: neither. */
int64_t lt_row_lap_count(const struct lt_row *row);

/* N of a gap that begins with "(N lap"; -1: it does not. */
int64_t lt_gap_laps(const cJSON *gap);

#endif
