/*
 * Calls of lt.field/1 in any order with any values: the bytes are read as
 * "function car value value" again and again. Whatever a plugin says, rows
 * stay in order, numbers stay within bounds, and marks belong to best times.
 */
#include "race/field/field.h"

#include <string.h>

#include "fuzz.h"

#define CARS 8

struct input {
	const uint8_t *p, *end;
};

static uint8_t next_byte(struct input *input)
{
	return input->p < input->end ? *input->p++ : 0;
}

/* Small numbers mostly; the edges now and then. */
static int64_t next_number(struct input *input)
{
	static const int64_t edges[] = { LT_NO_TIME, 0, INT64_MAX, INT64_MIN, INT32_MAX,
		INT32_MIN };
	uint8_t first = next_byte(input);

	return first < 240 ? first * 250 + next_byte(input)
			   : edges[first % (sizeof(edges) / sizeof(edges[0]))];
}

static const struct lt_field_ext *const api = &lt_field_table;

static void call_lap(
		struct lt_field *field, uint8_t what, int32_t car, struct input *input, int64_t now)
{
	struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = (int32_t)next_number(input) % 50,
		.lap_ms = next_number(input),
		.total_ms = next_number(input),
		.is_void = next_byte(input) % 2 };
	struct lt_field_gap gap = { .ms = lap.lap_ms, .laps = (int32_t)lap.total_ms };

	switch (what % 6) {
	case 0:
		api->lap(field, car, &lap, now);
		break;
	case 1:
		api->set_lap(field, car, &lap);
		break;
	case 2:
		api->set_count(field, car, lap.lap, lap.total_ms);
		break;
	case 3:
		api->void_lap(field, car, lap.lap);
		break;
	case 4:
		api->set_best(field, car, lap.lap, lap.lap_ms);
		break;
	default:
		api->set_gap(field, car, lap.is_void ? NULL : &gap, lap.lap % 2 ? NULL : &gap);
	}
}

static void call(
		struct lt_field *field, uint8_t what, int32_t car, struct input *input, int64_t now)
{
	int64_t a = next_number(input), b = next_number(input);
	char text[2] = { (char)('A' + (uint8_t)a % 3), 0 };

	switch (what % 16) {
	case 0:
		api->sector(field, car, (uint32_t)a % 6, b, now, now);
		break;
	case 1:
		api->pit(field, car, (uint32_t)a % 4, now);
		break;
	case 2:
		api->cross(field, car, now);
		break;
	case 3:
		api->set_text(field, car, (uint32_t)b % 10, lt_text_n(text, 1));
		break;
	case 4:
		api->set_position(field, car, (int32_t)a);
		break;
	case 5:
		api->set_state(field, car, (uint32_t)a % 9);
		break;
	case 6:
		api->set_pits(field, car, (int32_t)a);
		break;
	case 7:
		api->set_last(field, car, a);
		break;
	case 8:
		api->set_flag(field, (uint32_t)a % 20, now);
		break;
	case 9:
		api->set_over(field, (uint32_t)a % 2);
		break;
	case 10:
		api->set_clock(field, (uint32_t)a % 3, b, (uint32_t)a % 2, now);
		api->clock(field, (uint32_t)b % 3, now);
		break;
	case 11:
		api->remove(field, car);
		break;
	case 12:
		if ((uint8_t)a % 8 == 0) {
			api->clear(field, (uint32_t)b % 2);
			api->set_kind(field, (uint32_t)a % 2);
		}
		break;
	default:
		call_lap(field, what / 16, car, input, now);
	}
}

static void check_row(const struct lt_field_row *row, size_t i)
{
	assert(row->position == (int32_t)i + 1);
	assert(row->position_in_class >= 1 && row->position_in_class <= row->position);
	assert(row->state <= LT_CAR_RET && row->in_pits <= 1);
	assert(row->last.ms >= LT_NO_TIME && row->best.ms >= LT_NO_TIME);
	assert(row->last.mark != LT_TIME_SB_NEW || row->last.ms == row->best.ms);
	assert(row->gap.laps == 0 || row->gap.ms == LT_NO_TIME || row->gap.ms >= 0);
	for (size_t s = 0; s < 3; s++) {
		assert(row->sector[s].mark <= LT_TIME_OLD);
		assert(row->sector[s].ms == LT_NO_TIME || row->best_sector[s].ms != LT_NO_TIME);
	}
}

static void check(struct lt_field *field, int64_t now)
{
	size_t n = api->order(field, now);
	int32_t seen[CARS] = { 0 };
	char scratch[24];

	assert(n <= CARS);
	for (size_t i = 0; i < n; i++) {
		struct lt_field_row row = { .size = sizeof(row) };
		struct lt_field_lap lap = { .size = sizeof(lap) };

		assert(api->row(field, i, &row) == 0);
		check_row(&row, i);
		assert(row.car >= 0 && row.car < CARS && seen[row.car]++ == 0);
		api->lap_of(field, row.car, row.laps, &lap);
		api->gap_cell(&row.gap, scratch);
	}
	assert(api->row(field, n, &(struct lt_field_row){ .size = sizeof(struct lt_field_row) }) !=
			0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input input = { bytes, bytes + n };
	uint8_t first = next_byte(&input);
	struct lt_field *field =
			api->open(&(struct lt_field_opts){ .size = sizeof(struct lt_field_opts),
					.kind = first % 2,
					.sectors = 3,
					.cars_max = CARS,
					.pit_settle_ms = first & 2 ? 2000 : 0,
					.live_gaps = first & 4 ? 1 : 0 });
	int64_t now = 1000;

	while (input.p < input.end) {
		uint8_t what = next_byte(&input), who = next_byte(&input);
		char key[2] = { (char)('a' + who % (CARS + 2)), 0 };
		int32_t car = who >= 250 ? (int32_t)who - 252 : api->car(field, lt_text_n(key, 1));

		now += who / 10 * 100;
		call(field, what, car, &input, now);
		if (what % 4 == 0) {
			check(field, now);
		}
	}
	check(field, now);
	api->close(field);
	return 0;
}
