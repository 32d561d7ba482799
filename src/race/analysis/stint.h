/*
 * A stint: what a car does between two stops, with the laps in it. As JSON:
 *
 *   [start_lap, start_time, end_lap, end_time, in_progress, driver_index,
 *    best_lap, yellow_laps, average, [[laptime, flag], ...]]
 *
 * Times are unix seconds, lap times seconds; flags are numbers (race/flag.h).
 */
#ifndef LT_RACE_ANALYSIS_STINT_H
#define LT_RACE_ANALYSIS_STINT_H

#include "race/analysis/number.h"

struct lt_lap {
	double seconds;
	bool is_float;
	uint8_t flag; /* the worst one seen during the lap */
};

struct lt_stint {
	int64_t start_lap;
	struct lt_number start_time;
	int64_t end_lap; /* of a finished one */
	struct lt_number end_time;
	int driver; /* index in the drivers of the car, -1: none */
	bool is_running;
	struct lt_lap *laps;
	size_t lap_count, lap_cap;
};

void lt_stint_finish(struct lt_stint *stint); /* frees the laps */
void lt_stint_add_lap(struct lt_stint *stint, struct lt_number seconds, int flag);

/* A running stint has no end of its own: it shows that of its car. */
void lt_stint_write(struct lt_buf *buf, const struct lt_stint *stint, int64_t current_lap,
		struct lt_number current_time);

#endif
