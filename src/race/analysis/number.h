/*
 * A number as JSON wrote it: 90 and 90.0 are different texts, and an analysis
 * gives back what it got. Unset is null.
 */
#ifndef LT_RACE_ANALYSIS_NUMBER_H
#define LT_RACE_ANALYSIS_NUMBER_H

#include "base/clock.h"
#include "base/json.h"

struct lt_number {
	double value;
	bool is_float;
	bool is_set;
};

/* Anything but a number is unset; item may be NULL. */
struct lt_number lt_number_from_json(const cJSON *item);

/* Time of an update: whole seconds from a recording, the clock in a live service. */
struct lt_number lt_number_from_s(int64_t time_s);
struct lt_number lt_number_from_wall(struct lt_wall time);

void lt_number_write(struct lt_buf *buf, struct lt_number number);

#endif
