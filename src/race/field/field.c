#include "race/field/field.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/str.h"
#include "race/field/field_int.h"

static struct lt_field *field_open(const struct lt_field_opts *opts)
{
	struct lt_field *field = lt_zalloc(sizeof(*field));

	field->kind = opts->kind;
	field->pit_settle_ms = LT_HAS(opts, pit_settle_ms) ? opts->pit_settle_ms : 0;
	field->live_gaps = LT_HAS(opts, live_gaps) && opts->live_gaps;
	field->sectors = LT_MIN(opts->sectors, LT_FIELD_SECTORS_MAX);
	field->lines = field->sectors > 0 ? (int32_t)field->sectors : 1;
	field->cars_max = opts->cars_max ? LT_MIN(opts->cars_max, LT_FIELD_CARS_MAX)
					 : LT_FIELD_CARS_DEFAULT;
	field->slots = lt_zalloc(field->cars_max * sizeof(struct lt_field_car *));
	field->ordered = lt_zalloc(field->cars_max * sizeof(struct lt_field_car *));
	field->clocks[0].ms = field->clocks[1].ms = LT_NO_TIME;
	return field;
}

static void free_car(struct lt_field_car *car)
{
	if (car) {
		lt_free(car->cross);
		lt_free(car->kept);
		lt_free(car);
	}
}

static void field_close(struct lt_field *field)
{
	if (!field) {
		return;
	}
	for (size_t i = 0; i < field->slot_count; i++) {
		free_car(field->slots[i]);
	}
	lt_free(field->slots);
	lt_free(field->ordered);
	lt_free(field);
}

static void field_clear(struct lt_field *field, uint32_t keep_cars)
{
	field->ordered_count = 0;
	field->is_over = field->is_finish_open = field->has_started = false;
	field->clocks[0].ms = field->clocks[1].ms = LT_NO_TIME;
	for (size_t i = 0; i < field->slot_count; i++) {
		if (!keep_cars) {
			free_car(field->slots[i]);
			field->slots[i] = NULL;
		} else if (field->slots[i]) {
			lt_field_forget_results(field, field->slots[i]);
		}
	}
	if (!keep_cars) {
		field->slot_count = 0;
	}
}

static void field_set_kind(struct lt_field *field, uint32_t kind)
{
	field->kind = kind;
}

/* --- cars --- */

struct lt_field_car *lt_field_find_car(const struct lt_field *field, int32_t car)
{
	return car >= 0 && (size_t)car < field->slot_count ? field->slots[car] : NULL;
}

static int32_t field_find(const struct lt_field *field, struct lt_str key)
{
	for (size_t i = 0; i < field->slot_count; i++) {
		const struct lt_field_car *car = field->slots[i];

		if (car && strlen(car->key) == key.n && memcmp(car->key, key.p, key.n) == 0) {
			return (int32_t)i;
		}
	}
	return LT_NO_CAR;
}

static int32_t field_car(struct lt_field *field, struct lt_str key)
{
	int32_t found = field_find(field, key);
	size_t slot = 0;

	if (found != LT_NO_CAR || key.n == 0 || key.n > LT_FIELD_KEY_MAX ||
			memchr(key.p, '\0', key.n)) {
		return key.n ? found : LT_NO_CAR;
	}
	while (slot < field->slot_count && field->slots[slot]) {
		slot++;
	}
	if (slot == field->cars_max) {
		return LT_NO_CAR;
	}
	struct lt_field_car *car = lt_zalloc(sizeof(*car));

	memcpy(car->key, key.p, key.n);
	lt_field_forget_results(field, car);
	field->slots[slot] = car;
	field->slot_count = LT_MAX(field->slot_count, slot + 1);
	return (int32_t)slot;
}

static void field_remove(struct lt_field *field, int32_t number)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		field->slots[number] = NULL;
		field->ordered_count = 0; /* it may stand there */
		free_car(car);
	}
}

/* The same name but for case and blanks: a feed that spells it in two ways changes no driver. */
static bool is_same_name(const char *a, const char *b)
{
	for (;;) {
		while (*a == ' ') {
			a++;
		}
		while (*b == ' ') {
			b++;
		}
		if (*a == '\0' || strncasecmp(a, b, 1) != 0) {
			return *a == *b;
		}
		a++;
		b++;
	}
}

static void field_set_text(
		struct lt_field *field, int32_t number, uint32_t what, struct lt_str text)
{
	struct lt_field_car *car = lt_field_find_car(field, number);
	char copy[LT_FIELD_TEXT_MAX + 1] = "";

	if (!car || what >= LT_TEXT_COUNT) {
		return;
	}
	text.n = LT_MIN(text.n, (size_t)LT_FIELD_TEXT_MAX);
	text.n = lt_utf8_prefix(text);
	memcpy(copy, text.p ? text.p : "", text.n);
	if (what == LT_TEXT_DRIVER) {
		if (copy[0] == '\0' || is_same_name(car->text[what], copy)) {
			return;
		}
		car->driver_changes += car->text[what][0] != '\0';
	}
	memcpy(car->text[what], copy, sizeof(copy));
}

/* --- what the feed knows better --- */

static void field_set_best(struct lt_field *field, int32_t number, int32_t lap, int64_t ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		car->best_lap = lap;
		car->best_ms = lt_field_sane_ms(ms);
	}
}

static void field_set_last(struct lt_field *field, int32_t number, int64_t ms)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		car->last_ms = lt_field_sane_ms(ms);
		car->last_is_void = false;
	}
}

static void field_set_position(struct lt_field *field, int32_t number, int32_t position)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		car->position = LT_MAX(position, 0);
	}
}

static void field_set_pits(struct lt_field *field, int32_t number, int32_t pits)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		car->pits = LT_MAX(pits, 0);
	}
}

static void field_set_state(struct lt_field *field, int32_t number, uint32_t state)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (car) {
		car->state = state <= LT_CAR_RET ? state : LT_CAR_AUTO;
	}
}

/* A distance that somebody may have meant. */
static struct lt_field_gap sane_gap(const struct lt_field_gap *gap)
{
	return (struct lt_field_gap){ .ms = gap->ms == 0 ? 0 : lt_field_sane_ms(gap->ms),
		.laps = LT_MAX(gap->laps, 0) };
}

static void field_set_gap(struct lt_field *field, int32_t number, const struct lt_field_gap *gap,
		const struct lt_field_gap *interval)
{
	struct lt_field_car *car = lt_field_find_car(field, number);

	if (!car) {
		return;
	}
	car->has_gap = gap != NULL;
	car->has_interval = interval != NULL;
	if (gap) {
		car->gap = sane_gap(gap);
	}
	if (interval) {
		car->interval = sane_gap(interval);
	}
}

static void field_set_over(struct lt_field *field, uint32_t is_over)
{
	field->is_over = is_over != 0;
}

/* --- clocks --- */

static void field_set_clock(
		struct lt_field *field, uint32_t which, int64_t ms, uint32_t runs, int64_t now_ms)
{
	if (which <= LT_CLOCK_REMAIN) {
		field->clocks[which] = (struct lt_field_clock){
			.ms = ms == 0 ? 0 : lt_field_sane_ms(ms),
			.at_ms = now_ms,
			.runs = runs != 0,
		};
	}
}

static int64_t field_clock(const struct lt_field *field, uint32_t which, int64_t now_ms)
{
	const struct lt_field_clock *clock;
	int64_t since;

	if (which > LT_CLOCK_REMAIN || field->clocks[which].ms == LT_NO_TIME) {
		return LT_NO_TIME;
	}
	clock = &field->clocks[which];
	since = clock->runs ? LT_MAX(now_ms - clock->at_ms, 0) : 0;
	return which == LT_CLOCK_ELAPSED ? clock->ms + since : LT_MAX(clock->ms - since, 0);
}

const struct lt_field_ext lt_field_table = {
	.size = sizeof(lt_field_table),
	.open = field_open,
	.close = field_close,
	.clear = field_clear,
	.set_kind = field_set_kind,
	.car = field_car,
	.find = field_find,
	.remove = field_remove,
	.set_text = field_set_text,
	.lap = lt_field_lap,
	.cross = lt_field_cross,
	.set_lap = lt_field_set_lap,
	.void_lap = lt_field_void_lap,
	.sector = lt_field_sector,
	.seen = lt_field_seen,
	.pit = lt_field_pit,
	.set_best = field_set_best,
	.set_last = field_set_last,
	.set_position = field_set_position,
	.set_pits = field_set_pits,
	.set_state = field_set_state,
	.set_gap = field_set_gap,
	.set_flag = lt_field_set_flag,
	.set_over = field_set_over,
	.set_clock = field_set_clock,
	.clock = field_clock,
	.order = lt_field_order,
	.row = lt_field_row,
	.lap_of = lt_field_lap_of,
	.gap_cell = lt_field_gap_cell,
	.set_count = lt_field_set_count,
};
