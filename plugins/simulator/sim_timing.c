#include "sim_timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_timing {
	const struct lt_field_ext *ext;
	struct lt_field *field;
	int64_t period_ms;
	int64_t race;               /* that the field is of; -1: none yet */
	int32_t cars[SIM_CARS_MAX]; /* of the field, by the sim's number */
	int32_t car_count;
};

struct sim_timing *sim_timing_create(const struct lt_field_ext *ext, const struct sim_opts *opts)
{
	struct lt_field_opts field = { .size = sizeof(field),
		.kind = LT_FIELD_RACE,
		.sectors = SIM_SECTORS,
		.cars_max = SIM_CARS_MAX,
		.live_gaps = 1 };
	struct sim_timing *timing = calloc(1, sizeof(*timing));

	if (timing == NULL) {
		return NULL;
	}
	timing->ext = ext;
	timing->field = ext->open(&field);
	if (timing->field == NULL) {
		free(timing);
		return NULL;
	}
	timing->period_ms = sim_period_ms(opts);
	timing->car_count = opts->cars;
	timing->race = -1;
	return timing;
}

void sim_timing_destroy(struct sim_timing *timing)
{
	if (timing != NULL) {
		timing->ext->close(timing->field);
		free(timing);
	}
}

/* Another race: no results yet. The field's clock goes on from race to race. */
static void enter_race(struct sim_timing *timing, int64_t race)
{
	char key[12];

	if (timing->race == race) {
		return;
	}
	timing->race = race;
	timing->ext->clear(timing->field, 0);
	for (int32_t i = 0; i < timing->car_count; i++) {
		snprintf(key, sizeof(key), "%d", (int)i);
		timing->cars[i] = timing->ext->car(timing->field, lt_text_n(key, strlen(key)));
	}
}

static int64_t clock_of(const struct sim_timing *timing, int64_t race_ms)
{
	return timing->race * timing->period_ms + race_ms;
}

void sim_timing_on_line(void *arg, const struct sim_line *line)
{
	struct sim_timing *timing = arg;
	int64_t total_ms = line->at_ms - SIM_GRID_MS;
	struct lt_field_lap lap = {
		.size = sizeof(lap), .lap_ms = line->lap_ms, .total_ms = total_ms
	};

	enter_race(timing, line->race);
	timing->ext->sector(timing->field, timing->cars[line->car], (uint32_t)line->sector,
			line->sector_ms, total_ms, clock_of(timing, line->at_ms));
	if (line->sector == SIM_SECTORS) {
		timing->ext->lap(timing->field, timing->cars[line->car], &lap,
				clock_of(timing, line->at_ms));
	}
}

static void set_row(struct sim_timing *timing, const struct sim_row *row, int32_t position)
{
	static const uint32_t states[] = { [SIM_NOT_STARTED] = LT_CAR_STOP,
		[SIM_RUN] = LT_CAR_RUN,
		[SIM_PIT] = LT_CAR_PIT,
		[SIM_OUT] = LT_CAR_OUT,
		[SIM_STOP] = LT_CAR_STOP,
		[SIM_RET] = LT_CAR_RET,
		[SIM_FIN] = LT_CAR_FIN };
	const struct {
		uint32_t what;
		const char *text;
	} texts[] = { { LT_TEXT_NUM, row->num }, { LT_TEXT_CLASS, row->class_name },
		{ LT_TEXT_TEAM, row->team }, { LT_TEXT_DRIVER, row->driver },
		{ LT_TEXT_CAR, row->model }, { LT_TEXT_TYRE, row->tyre } };
	int32_t car = timing->cars[row->car];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		timing->ext->set_text(timing->field, car, texts[i].what,
				lt_text_n(texts[i].text, strlen(texts[i].text)));
	}
	timing->ext->set_position(timing->field, car, position);
	timing->ext->set_state(timing->field, car, states[row->state]);
	timing->ext->set_pits(timing->field, car, row->pits);
}

void sim_timing_look(struct sim_timing *timing, const struct sim_view *view)
{
	enter_race(timing, view->race);
	for (size_t i = 0; i < view->row_count; i++) {
		set_row(timing, &view->rows[i], (int32_t)i + 1);
	}
	timing->ext->order(timing->field, clock_of(timing, view->now_ms));
}

void sim_timing_row(struct sim_timing *timing, size_t i, struct lt_field_row *ret_row)
{
	*ret_row = (struct lt_field_row){ .size = sizeof(*ret_row) };
	timing->ext->row(timing->field, i, ret_row);
}
