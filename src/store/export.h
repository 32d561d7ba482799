/*
 * A recording as rows of a table, for spreadsheets and scripts: laps and
 * stints (from the analysis), or the states. A row is a JSON object whose
 * members are the columns, in order; all rows of a table have the same.
 *
 *   laps    number, class, team, car, driver, stint, lap, laptime (s), flag
 *   stints  number, class, team, car, stint, driver, start_lap, start_time,
 *           end_lap, end_time (unix s), in_progress, laps, best_lap, average
 *           (s or null), yellow_laps
 *   cars    time (unix s), flag, position, then the columns of the service: a
 *           row for each car in each frame; of a cell [value, mark] the value
 *   states  time, and the members of the state: a row for each frame
 */
#ifndef LT_STORE_EXPORT_H
#define LT_STORE_EXPORT_H

#include "store/recording_analysis.h"

enum lt_export_table { LT_EXPORT_LAPS, LT_EXPORT_STINTS, LT_EXPORT_CARS, LT_EXPORT_STATES };

struct lt_export_opts {
	enum lt_export_table table;
	/* A row, borrowed for the call; false stops. */
	bool (*row)(void *arg, const cJSON *row, struct lt_err *err);
	lt_recording_progress_fn *progress; /* may be NULL */
	void *arg;
};

bool lt_export(struct lt_recording *recording, const struct lt_export_opts *opts,
		struct lt_err *err);

/* Titles of the columns as a list of texts; the caller owns it. */
cJSON *lt_export_columns(const struct lt_recording *recording, enum lt_export_table table);

#endif
