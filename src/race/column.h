/*
 * Column specification of a service: a JSON array of [title, type] or
 * [title, type, description]. A column is recognised by its title alone
 * ("Lap" counts as Laps). Pure lookups over the borrowed array.
 */
#ifndef LT_RACE_COLUMN_H
#define LT_RACE_COLUMN_H

#include <stddef.h>

#include "base/json.h"

/* Index of the columns that the generators and the analysis look at; -1: not there. */
struct lt_columns {
	int num, state, class_, team, driver, car, laps, gap, interval, last_lap, best_lap, pits;
};

void lt_columns_find(const cJSON *col_spec, struct lt_columns *ret_columns);

/* Cell of a row, or NULL when index is -1 or the row is too short. Borrowed. */
const cJSON *lt_cell_at(const cJSON *row, int index);

/* Is it a list of [title, type] or [title, type, description], all texts? err names the entry. */
bool lt_col_spec_check(const cJSON *col_spec, struct lt_err *err);

#endif
