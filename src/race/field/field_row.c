/* A car as a viewer sees it: gaps, class position, marks. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "race/field/field_int.h"

static const struct lt_field_gap no_gap = { .ms = LT_NO_TIME };

static bool moves(const struct lt_field *field, const struct lt_field_car *car)
{
	uint32_t state = lt_field_state_of(field, car);

	return !field->is_over &&
			(state == LT_CAR_RUN || state == LT_CAR_PIT || state == LT_CAR_OUT);
}

/* Nothing is to be expected of it any more. */
static bool is_done(const struct lt_field *field, const struct lt_field_car *car)
{
	uint32_t state = lt_field_state_of(field, car);

	return state == LT_CAR_RET || state == LT_CAR_FIN;
}

/* Laps of `front` that it finished before `own_ms`, beyond the line that the car has reached. */
static int32_t laps_ahead(const struct lt_field *field, const struct lt_field_car *front,
		int32_t line, int64_t own_ms)
{
	int32_t laps = 0;

	for (line += field->lines; line <= front->progress; line += field->lines) {
		int64_t ms = lt_field_cross_of(front, line);

		laps += ms != LT_NO_TIME && ms <= own_ms;
	}
	return laps;
}

/*
 * Distance to a car in front, in a race. A car that has not yet crossed is not
 * a lap down: compare at its last line, and count the laps by which the other
 * was ahead at that moment.
 */
static struct lt_field_gap race_gap(const struct lt_field *field, const struct lt_field_car *car,
		const struct lt_field_car *front)
{
	struct lt_field_gap gap = no_gap;
	int32_t behind = front->laps - car->laps;
	int64_t own_ms = lt_field_cross_of(car, car->progress);
	int64_t front_ms = lt_field_cross_of(front, car->progress);
	int64_t next_ms = lt_field_cross_of(front, car->progress + 1);

	if (behind > 0 && (!moves(field, car) || front_ms < 0 || own_ms < 0)) {
		gap.laps = behind;
		return gap;
	}
	if (front_ms < 0 || own_ms < 0 || behind < 0) {
		return gap;
	}
	gap.laps = laps_ahead(field, front, car->progress, own_ms);
	/* More than the lap that it is on: it lost laps since its last crossing. */
	gap.laps = LT_MAX(gap.laps, behind - 1);
	if (gap.laps > 0 || own_ms < front_ms) {
		return gap;
	}
	gap.ms = own_ms - front_ms;
	if (field->live_gaps && !is_done(field, car) && field->has_started && next_ms >= 0 &&
			!field->is_over) {
		gap.ms = LT_MAX(gap.ms, field->now_ms - field->started_ms - next_ms);
	}
	return gap;
}

static struct lt_field_gap best_gap(
		const struct lt_field_car *car, const struct lt_field_car *front)
{
	struct lt_field_gap gap = no_gap;

	if (car->best_ms >= 0 && front->best_ms >= 0 && car->best_ms >= front->best_ms) {
		gap.ms = car->best_ms - front->best_ms;
	}
	return gap;
}

static struct lt_field_gap gap_to(const struct lt_field *field, const struct lt_field_car *car,
		const struct lt_field_car *front)
{
	if (!front) {
		return no_gap;
	}
	return field->kind == LT_FIELD_RACE ? race_gap(field, car, front) : best_gap(car, front);
}

static void fill_gaps(const struct lt_field *field, size_t index, struct lt_field_row *row)
{
	const struct lt_field_car *car = field->ordered[index];
	const struct lt_field_car *leader = NULL, *before = NULL;

	row->position_in_class = 1;
	for (size_t i = 0; i < index; i++) {
		if (strcmp(field->ordered[i]->text[LT_TEXT_CLASS], car->text[LT_TEXT_CLASS]) == 0) {
			leader = leader ? leader : field->ordered[i];
			before = field->ordered[i];
			row->position_in_class++;
		}
	}
	row->class_gap = gap_to(field, car, leader);
	row->class_interval = gap_to(field, car, before);
	row->gap = car->has_gap ? car->gap
				: gap_to(field, car, index > 0 ? field->ordered[0] : NULL);
	row->interval = car->has_interval
			? car->interval
			: gap_to(field, car, index > 0 ? field->ordered[index - 1] : NULL);
}

static int64_t best_of(const struct lt_field *field, int32_t sector)
{
	int64_t best = LT_NO_TIME;

	for (size_t i = 0; i < field->ordered_count; i++) {
		int64_t ms = sector < 0 ? field->ordered[i]->best_ms
					: field->ordered[i]->sector[sector].best_ms;

		if (ms != LT_NO_TIME && (best == LT_NO_TIME || ms < best)) {
			best = ms;
		}
	}
	return best;
}

static uint32_t mark_of(int64_t ms, int64_t own_best_ms, int64_t best_ms)
{
	if (ms == LT_NO_TIME || ms != own_best_ms) {
		return LT_TIME_PLAIN;
	}
	return ms == best_ms ? LT_TIME_SB_NEW : LT_TIME_PB;
}

static void fill_sectors(const struct lt_field *field, const struct lt_field_car *car,
		struct lt_field_row *row)
{
	for (uint32_t i = 0; i < LT_FIELD_SECTORS_MAX; i++) {
		const struct lt_field_sector *sector = &car->sector[i];
		int64_t best_ms = i < field->sectors ? best_of(field, (int32_t)i) : LT_NO_TIME;
		/* A sector of the lap before, when this lap has sectors already. */
		bool is_old = sector->lap <= car->laps && car->progress > car->laps * field->lines;

		row->sector[i].ms = sector->ms;
		row->sector[i].mark = is_old && sector->ms != LT_NO_TIME
				? LT_TIME_OLD
				: mark_of(sector->ms, sector->best_ms, best_ms);
		row->best_sector[i].ms = sector->best_ms;
		row->best_sector[i].mark =
				sector->best_ms != LT_NO_TIME && sector->best_ms == best_ms
				? LT_TIME_SB
				: LT_TIME_PLAIN;
	}
}

static void fill_times(const struct lt_field *field, const struct lt_field_car *car,
		struct lt_field_row *row)
{
	int64_t best_ms = best_of(field, -1);

	row->last.ms = car->last_ms;
	row->last.mark = car->last_is_void ? LT_TIME_PLAIN
					   : mark_of(car->last_ms, car->best_ms, best_ms);
	row->best.ms = car->best_ms;
	row->best.mark = car->best_ms != LT_NO_TIME && car->best_ms == best_ms ? LT_TIME_SB
									       : LT_TIME_PLAIN;
	fill_sectors(field, car, row);
}

static int32_t number_of(const struct lt_field *field, const struct lt_field_car *car)
{
	for (size_t i = 0; i < field->slot_count; i++) {
		if (field->slots[i] == car) {
			return (int32_t)i;
		}
	}
	return LT_NO_CAR;
}

int32_t lt_field_row(struct lt_field *field, size_t index, struct lt_field_row *ret)
{
	struct lt_field_row row = { .size = ret->size };
	const struct lt_field_car *car;

	if (index >= field->ordered_count) {
		return -1;
	}
	car = field->ordered[index];
	row.car = number_of(field, car);
	row.position = (int32_t)index + 1;
	row.laps = car->laps;
	row.pits = car->pits;
	row.best_lap = car->best_lap;
	row.driver_changes = car->driver_changes;
	row.state = lt_field_state_of(field, car);
	row.in_pits = car->in_pits;
	row.total_ms = car->total_ms;
	fill_times(field, car, &row);
	fill_gaps(field, index, &row);
	for (size_t i = 0; i < LT_TEXT_COUNT; i++) {
		row.text[i] = lt_text_n(car->text[i], strlen(car->text[i]));
	}
	/* A plugin of an older day has a shorter row. */
	memcpy(ret, &row, LT_MIN((size_t)ret->size, sizeof(row)));
	return 0;
}

struct lt_cell lt_field_gap_cell(const struct lt_field_gap *gap, char scratch[24])
{
	if (gap->laps > 0) {
		snprintf(scratch, 24, gap->laps == 1 ? "%d lap" : "%d laps", (int)gap->laps);
		return (struct lt_cell){ .kind = LT_CELL_TEXT,
			.s = lt_text_n(scratch, strlen(scratch)) };
	}
	if (gap->ms == LT_NO_TIME) {
		return (struct lt_cell){ .kind = LT_CELL_TEXT, .s = LT_LITERAL("") };
	}
	return (struct lt_cell){ .kind = LT_CELL_NUMBER, .d = (double)gap->ms / 1000.0 };
}
