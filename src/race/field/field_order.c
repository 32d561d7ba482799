/* Who is where: order and states. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "race/field/field_int.h"

#define STOP_AFTER_MS 180000 /* under green, without a sign of life */

int64_t lt_field_cross_of(const struct lt_field_car *car, int32_t line)
{
	return line > 0 && line <= car->progress && line < car->cross_size ? car->cross[line]
									   : LT_NO_TIME;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Unknown times are last. */
static int compare_times(int64_t a, int64_t b)
{
	return compare_numbers(a == LT_NO_TIME ? INT64_MAX : a, b == LT_NO_TIME ? INT64_MAX : b);
}

static int compare_progress(const struct lt_field_car *a, const struct lt_field_car *b)
{
	int order = compare_numbers(b->laps, a->laps);

	if (order == 0) {
		order = compare_numbers(b->progress, a->progress);
	}
	if (order == 0) {
		order = compare_times(
				a->progress > 0 ? lt_field_cross_of(a, a->progress) : a->total_ms,
				b->progress > 0 ? lt_field_cross_of(b, b->progress) : b->total_ms);
	}
	/* The same time to the millisecond: who was told first was first. */
	if (order == 0 && a->line_serial != b->line_serial) {
		order = a->line_serial < b->line_serial ? -1 : 1;
	}
	return order ? order : strcmp(a->key, b->key);
}

/* What the feed says comes first; cars that it gives no position come last. */
static int compare_positions(const struct lt_field_car *a, const struct lt_field_car *b)
{
	return compare_numbers(a->position ? a->position : INT32_MAX,
			b->position ? b->position : INT32_MAX);
}

static int compare_in_race(const void *left, const void *right)
{
	const struct lt_field_car *const *a = left, *const *b = right;
	int order = compare_positions(*a, *b);

	return order ? order : compare_progress(*a, *b);
}

static int compare_timed(const void *left, const void *right)
{
	const struct lt_field_car *const *a = left, *const *b = right;
	int order = compare_positions(*a, *b);

	if (order == 0) {
		order = compare_times((*a)->best_ms, (*b)->best_ms);
	}
	return order ? order : compare_progress(*a, *b);
}

struct lt_field_car *lt_field_leader(const struct lt_field *field)
{
	struct lt_field_car *leader = NULL;

	for (size_t i = 0; i < field->slot_count; i++) {
		struct lt_field_car *car = field->slots[i];

		if (car && (car->position > 0 || car->laps > 0) &&
				(!leader || compare_in_race(&car, &leader) < 0)) {
			leader = car;
		}
	}
	return leader;
}

size_t lt_field_order(struct lt_field *field, int64_t now_ms)
{
	lt_field_pass_time(field, now_ms);
	lt_field_settle_pits(field);
	field->ordered_count = 0;
	for (size_t i = 0; i < field->slot_count; i++) {
		if (field->slots[i]) {
			field->ordered[field->ordered_count++] = field->slots[i];
		}
	}
	if (field->ordered_count > 1) {
		qsort(field->ordered, field->ordered_count, sizeof(struct lt_field_car *),
				field->kind == LT_FIELD_RACE ? compare_in_race : compare_timed);
	}
	return field->ordered_count;
}

/*
 * What became of a car that was not seen to finish, when all is over: in a race
 * whose finish was seen it stopped somewhere. In practice many cars are in the
 * paddock by then, and a finish that nobody saw proves nothing.
 */
static uint32_t end_state(const struct lt_field *field)
{
	return field->kind == LT_FIELD_RACE && field->is_finish_open ? LT_CAR_STOP : LT_CAR_FIN;
}

uint32_t lt_field_state_of(const struct lt_field *field, const struct lt_field_car *car)
{
	int64_t limit_ms = LT_MAX(car->last_ms * 22 / 10, STOP_AFTER_MS);

	if (car->state != LT_CAR_AUTO) {
		return car->state;
	}
	if (car->is_finished) {
		return LT_CAR_FIN;
	}
	if (car->in_pits) {
		return LT_CAR_PIT;
	}
	if (field->green_ms - car->moved_green_ms > limit_ms) {
		return LT_CAR_STOP;
	}
	if (field->is_over) {
		return end_state(field);
	}
	return car->is_out ? LT_CAR_OUT : LT_CAR_RUN;
}
