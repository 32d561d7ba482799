/*
 * One car over the race: laps, stints, drivers, messages, and what its row
 * looked like in the update before. The analysis owns it and hands it a row in
 * each update in which it is on the screen.
 */
#ifndef LT_RACE_ANALYSIS_CAR_H
#define LT_RACE_ANALYSIS_CAR_H

#include "race/analysis/row.h"
#include "race/analysis/stint.h"
#include "race/analysis/texts.h"

#define LT_NEVER (-1)

struct lt_car {
	char *number; /* as messages and rows name it */
	char *key;    /* as its data is named: the number, except for a second car of that number */
	char *class_; /* JSON, when it was first seen */
	char *fixed;  /* JSON: [class, team, car], when it was first seen */
	struct lt_texts drivers;  /* in order of appearance */
	struct lt_texts messages; /* oldest first */
	struct lt_stint *stints;  /* only the last one can be running */
	size_t stint_count, stint_cap;
	int64_t current_lap;
	int64_t laps_recorded;
	int worst_flag; /* since the last completed lap */
	struct lt_number last_pass;

	/* The row of the last update in which the car was there; owned copies, NULL for null. */
	int64_t seen_in; /* number of that update, LT_NEVER */
	cJSON *old_state, *old_laps, *old_lap_time, *old_driver;
};

/* What an update is about. */
struct lt_moment {
	int64_t number; /* of the update: 0, 1, ... */
	struct lt_number time;
	int flag;
};

/* A car as it is first seen; owns key. */
struct lt_car *lt_car_create(const char *number, char *key_take, const struct lt_row *row);
struct lt_car *lt_car_create_empty(void);
void lt_car_destroy(struct lt_car *car);

/* Steps of an update, in this order; each returns whether its part of the data changed. */
bool lt_car_update_driver(
		struct lt_car *car, const struct lt_row *row, const struct lt_moment *now);
bool lt_car_update_lap(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now);
bool lt_car_update_stint(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now);
/* Remember the row for the next update. */
void lt_car_keep_row(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now);

/* The stint that is running, or NULL. */
const struct lt_stint *lt_car_running(const struct lt_car *car);
struct lt_stint *lt_car_add_stint(struct lt_car *car);

/* [running stint or null, last_pass] and [finished stint, ...] */
void lt_car_write_lap(struct lt_buf *buf, const struct lt_car *car, struct lt_number current_time);
void lt_car_write_stints(struct lt_buf *buf, const struct lt_car *car);

#endif
