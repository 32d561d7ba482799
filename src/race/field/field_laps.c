/* Laps, sectors, pit stops and the finish, as they happen. */
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"
#include "race/field/field_int.h"

#define COUNT_MAX 1000000 /* laps: what is more is a mistake */
/* Flags come once a second: the chequered one can trail the leader by so much. */
#define FINISH_SLACK_MS 1500

void lt_field_pass_time(struct lt_field *field, int64_t now_ms)
{
	now_ms = LT_MIN(now_ms, LT_FIELD_MS_MAX * 1000);
	if (field->now_ms > 0 && now_ms > field->now_ms && field->flag == LT_FLAG_GREEN) {
		field->green_ms += now_ms - field->now_ms;
	}
	field->now_ms = LT_MAX(field->now_ms, now_ms);
}

void lt_field_forget_results(struct lt_field *field, struct lt_field_car *car)
{
	lt_free(car->cross);
	lt_free(car->kept);
	car->cross = NULL;
	car->kept = NULL;
	car->cross_size = car->kept_size = car->progress = 0;
	car->line_serial = 0;
	car->position = car->laps = car->best_lap = car->pits = car->driver_changes = 0;
	car->total_ms = car->last_ms = car->best_ms = car->crossed_ms = LT_NO_TIME;
	car->moved_green_ms = field->green_ms;
	car->crossed_flag = field->flag;
	car->last_is_void = car->has_gap = car->has_interval = false;
	car->in_pits = car->is_out = car->is_finished = car->pit_claim = false;
	car->state = LT_CAR_AUTO;
	for (size_t i = 0; i < LT_FIELD_SECTORS_MAX; i++) {
		car->sector[i] = (struct lt_field_sector){ LT_NO_TIME, LT_NO_TIME, 0 };
	}
}

/* --- pits --- */

static void settle_car(const struct lt_field *field, struct lt_field_car *car)
{
	if (car->pit_claim == car->in_pits ||
			field->now_ms - car->pit_claim_ms < (int64_t)field->pit_settle_ms) {
		return;
	}
	car->in_pits = car->pit_claim;
	car->is_out = !car->in_pits;
	car->pits += car->in_pits;
}

void lt_field_settle_pits(struct lt_field *field)
{
	for (size_t i = 0; i < field->slot_count; i++) {
		if (field->slots[i]) {
			settle_car(field, field->slots[i]);
		}
	}
}

void lt_field_pit(struct lt_field *field, int32_t number, uint32_t where, int64_t now_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);
	bool is_in = where == LT_PIT_IN;

	if (!car) {
		return;
	}
	lt_field_seen(field, number, now_ms);
	settle_car(field, car); /* what was claimed before may have lasted long enough */
	if (where == LT_PIT_LEFT && !car->in_pits && !car->pit_claim) {
		car->is_out = true;
	}
	if (car->pit_claim != is_in) {
		car->pit_claim = is_in;
		car->pit_claim_ms = now_ms;
	}
	settle_car(field, car);
}

/* --- crossings --- */

static void pass_line(
		struct lt_field *field, struct lt_field_car *car, int32_t line, int64_t total_ms)
{
	if (line <= 0 || line > LT_FIELD_LAPS_MAX * field->lines) {
		return;
	}
	if (line >= car->cross_size) {
		int32_t size = line + 32 * field->lines;

		car->cross = lt_realloc(car->cross, (size_t)size * sizeof(*car->cross));
		for (; car->cross_size < size; car->cross_size++) {
			car->cross[car->cross_size] = LT_NO_TIME;
		}
	}
	car->cross[line] = total_ms;
	car->line_serial = ++field->line_serial;
}

/* Laps beyond this one were edited away. */
static void forget_beyond(struct lt_field *field, struct lt_field_car *car, int32_t lap)
{
	for (int32_t line = LT_MAX(lap, 0) * field->lines + 1; line < car->cross_size; line++) {
		car->cross[line] = LT_NO_TIME;
	}
	for (int32_t i = LT_MAX(lap, 0) + 1; i < car->kept_size; i++) {
		car->kept[i] = (struct lt_field_lap_kept){ .lap_ms = LT_NO_TIME };
	}
	car->progress = lap * field->lines;
}

static void keep_lap(struct lt_field_car *car, int32_t lap, const struct lt_field_lap *given)
{
	if (lap <= 0 || lap > LT_FIELD_LAPS_MAX) {
		return;
	}
	if (lap >= car->kept_size) {
		int32_t size = lap + 32;

		car->kept = lt_realloc(car->kept, (size_t)size * sizeof(*car->kept));
		for (; car->kept_size < size; car->kept_size++) {
			car->kept[car->kept_size] =
					(struct lt_field_lap_kept){ .lap_ms = LT_NO_TIME };
		}
	}
	if (lt_field_sane_ms(given->lap_ms) != LT_NO_TIME) {
		car->kept[lap] = (struct lt_field_lap_kept){
			.lap_ms = given->lap_ms,
			.flag = car->crossed_flag,
			.is_void = given->is_void != 0,
		};
	}
}

void lt_field_cross(struct lt_field *field, int32_t number, int64_t now_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car) {
		return;
	}
	lt_field_pass_time(field, now_ms);
	settle_car(field, car);
	if (!car->in_pits) {
		car->is_out = false; /* its out lap is over */
	}
	car->crossed_ms = now_ms;
	car->moved_green_ms = field->green_ms;
	car->crossed_flag = field->flag;
	if (field->flag == LT_FLAG_CHEQUERED) {
		field->is_finish_open = field->is_finish_open || field->kind != LT_FIELD_RACE ||
				lt_field_leader(field) == car;
		car->is_finished = car->is_finished || field->is_finish_open;
	}
}

void lt_field_set_count(struct lt_field *field, int32_t number, int32_t laps, int64_t total_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car) {
		return;
	}
	laps = LT_MAX(LT_MIN(laps, COUNT_MAX), -COUNT_MAX);
	/* No lap at all hides them: feeds say so while they are repeating what there is. */
	if (laps > 0 && laps < car->laps) {
		forget_beyond(field, car, laps);
	}
	if (laps != car->laps || car->progress < laps * field->lines) {
		car->progress = laps * field->lines;
	}
	car->laps = laps;
	car->total_ms = lt_field_sane_ms(total_ms);
	pass_line(field, car, laps * field->lines, car->total_ms);
}

void lt_field_set_lap(struct lt_field *field, int32_t number, const struct lt_field_lap *lap)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car) {
		return;
	}
	int32_t count = lap->lap ? LT_MAX(LT_MIN(lap->lap, COUNT_MAX), -COUNT_MAX)
				 : LT_MIN(car->laps + 1, COUNT_MAX);
	int64_t lap_ms = lt_field_sane_ms(lap->lap_ms);

	lt_field_set_count(field, number, count, lap->total_ms);
	keep_lap(car, count, lap);
	if (lap_ms == LT_NO_TIME) {
		return;
	}
	car->last_ms = lap_ms;
	car->last_is_void = lap->is_void != 0;
	if (!lap->is_void && (car->best_ms == LT_NO_TIME || lap_ms < car->best_ms)) {
		car->best_ms = lap_ms;
		car->best_lap = count;
	}
}

void lt_field_lap(struct lt_field *field, int32_t number, const struct lt_field_lap *lap,
		int64_t now_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car) {
		return;
	}
	lt_field_pass_time(field, now_ms);
	car->crossed_flag = field->flag;
	lt_field_set_lap(field, number, lap);
	if (car->total_ms != LT_NO_TIME) {
		field->started_ms = now_ms - car->total_ms;
		field->has_started = true;
	}
	lt_field_cross(field, number, now_ms);
}

void lt_field_void_lap(struct lt_field *field, int32_t number, int32_t lap)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car || lap <= 0 || lap >= car->kept_size) {
		return;
	}
	car->kept[lap].is_void = true;
	car->last_is_void = car->last_is_void || lap == car->laps;
	if (car->best_lap != lap) {
		return;
	}
	car->best_ms = LT_NO_TIME;
	car->best_lap = 0;
	for (int32_t i = 1; i < car->kept_size; i++) {
		const struct lt_field_lap_kept *kept = &car->kept[i];

		if (kept->lap_ms > 0 && !kept->is_void &&
				(car->best_ms == LT_NO_TIME || kept->lap_ms < car->best_ms)) {
			car->best_ms = kept->lap_ms;
			car->best_lap = i;
		}
	}
}

void lt_field_sector(struct lt_field *field, int32_t number, uint32_t n, int64_t ms,
		int64_t total_ms, int64_t now_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car || n == 0 || n > field->sectors) {
		return;
	}
	lt_field_seen(field, number, now_ms);
	struct lt_field_sector *sector = &car->sector[n - 1];

	ms = lt_field_sane_ms(ms);
	if (ms != LT_NO_TIME) {
		sector->ms = ms;
		sector->lap = car->laps + 1;
		if (sector->best_ms == LT_NO_TIME || ms < sector->best_ms) {
			sector->best_ms = ms;
		}
	}
	if (n < field->sectors) { /* the last one ends at start/finish, where the lap counts */
		car->progress = LT_MAX(car->progress, car->laps * field->lines + (int32_t)n);
		pass_line(field, car, car->laps * field->lines + (int32_t)n,
				lt_field_sane_ms(total_ms));
	}
}

void lt_field_seen(struct lt_field *field, int32_t number, int64_t now_ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		lt_field_pass_time(field, now_ms);
		car->moved_green_ms = field->green_ms;
	}
}

int32_t lt_field_lap_of(
		const struct lt_field *field, int32_t number, int32_t lap, struct lt_field_lap *ret)
{
	const struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car || lap <= 0 || lap > car->laps) {
		return -1;
	}
	struct lt_field_lap found = {
		.size = ret->size,
		.lap = lap,
		.lap_ms = lap < car->kept_size ? car->kept[lap].lap_ms : LT_NO_TIME,
		.total_ms = lt_field_cross_of(car, lap * field->lines),
		.is_void = lap < car->kept_size && car->kept[lap].is_void,
		.flag = lap < car->kept_size ? car->kept[lap].flag : LT_FLAG_NONE,
	};
	if (found.lap_ms == LT_NO_TIME && found.total_ms == LT_NO_TIME) {
		return -1;
	}
	/* A plugin of an older day has a shorter struct. */
	memcpy(ret, &found, LT_MIN((size_t)ret->size, sizeof(found)));
	return 0;
}

/* --- flag --- */

void lt_field_set_flag(struct lt_field *field, uint32_t flag, int64_t now_ms)
{
	bool begins_finish = flag == LT_FLAG_CHEQUERED && field->flag != LT_FLAG_CHEQUERED;

	lt_field_pass_time(field, now_ms);
	field->flag = flag;
	if (!begins_finish || field->kind != LT_FIELD_RACE) {
		return;
	}
	struct lt_field_car *leader = lt_field_leader(field);

	if (leader && leader->crossed_ms != LT_NO_TIME &&
			now_ms - leader->crossed_ms <= FINISH_SLACK_MS) {
		field->is_finish_open = leader->is_finished = true;
	}
}
