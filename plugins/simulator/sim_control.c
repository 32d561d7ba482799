#include <stdarg.h>
#include <stdio.h>

#include "sim_int.h"

/* One kind of incident: its flag, how often of 100, how long, and whether the car is out. */
struct incident {
	enum sim_flag flag;
	int32_t share;
	int64_t min_ms, max_ms;
	int32_t retires_of_100;
};
static const struct incident incidents[] = {
	{ SIM_FLAG_YELLOW, 40, 35000, 90000, 4 },
	{ SIM_FLAG_SLOW_ZONE, 20, 120000, 240000, 12 },
	{ SIM_FLAG_FCY, 20, 150000, 270000, 25 },
	{ SIM_FLAG_SC, 16, 330000, 560000, 35 },
	{ SIM_FLAG_RED, 4, 420000, 720000, 50 },
};

void sim_say(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->text_count == SIM_TEXTS) {
		sim->text_head = (sim->text_head + 1) % SIM_TEXTS;
		sim->text_count--;
	}
	va_start(args, format);
	vsnprintf(sim->texts[(sim->text_head + sim->text_count++) % SIM_TEXTS], SIM_TEXT_LEN,
			format, args);
	va_end(args);
}

int64_t sim_flag_percent(enum sim_flag flag)
{
	switch (flag) {
	case SIM_FLAG_NONE:
	case SIM_FLAG_GREEN:
		return 100;
	case SIM_FLAG_YELLOW:
		return 102;
	case SIM_FLAG_SLOW_ZONE:
		return 106;
	case SIM_FLAG_FCY:
		return 175;
	case SIM_FLAG_SC:
		return 120; /* catching up with the queue; its head is slower */
	case SIM_FLAG_RED:
		return 160;
	case SIM_FLAG_CHEQUERED:
		return 100;
	}
	return 100;
}

/* Everybody on the track slows down or speeds up where he is. */
static void set_flag(struct sim *sim, enum sim_flag flag)
{
	int64_t old_percent = sim_flag_percent(sim->flag), new_percent = sim_flag_percent(flag);

	sim->flag = flag;
	for (int32_t i = 0; i < sim->opts.cars; i++) {
		struct sim_car *car = &sim->cars[i];

		if (sim_is_racing(car) && car->next != SIM_EV_NONE) {
			int64_t rest = car->next_ms - sim->now_ms;

			car->next_ms = sim->now_ms + rest * new_percent / old_percent;
		}
	}
	for (int32_t line = 0; line < SIM_SECTORS; line++) {
		sim->queue_ms[line] = 0;
	}
}

/* The next trouble, if it can be over before the end. */
static void plan_incident(struct sim *sim)
{
	int64_t end = SIM_GRID_MS + sim->opts.duration_ms;

	sim->control_ms = sim->now_ms + sim_range(&sim->rng, 150000, 720000);
	if (sim->control_ms > end - 900000) {
		sim->control_ms = INT64_MAX;
	}
	sim->clear_ms = INT64_MAX;
}

void sim_control_begin(struct sim *sim)
{
	sim->rng.s = sim_mix(sim_mix(sim->opts.seed, (uint64_t)sim->race), 0x666c6167);
	sim->flag = SIM_FLAG_NONE;
	sim->chequered = false;
	sim->control_ms = SIM_GRID_MS;
	sim->clear_ms = INT64_MAX;
	sim->released = 0;
}

/* A car of those on the track, or -1. */
static int32_t pick_car(struct sim *sim)
{
	int64_t n = sim->opts.cars, first = sim_below(&sim->rng, n);

	for (int64_t i = 0; i < n; i++) {
		int32_t index = (int32_t)((first + i) % n);
		const struct sim_car *car = &sim->cars[index];

		if (sim_is_racing(car) && car->laps > 0 && car->next != SIM_EV_NONE) {
			return index;
		}
	}
	return -1;
}

static void stop_car(struct sim *sim, struct sim_car *car, int32_t retires_of_100)
{
	bool retires = sim_below(&sim->rng, 100) < retires_of_100;

	car->resume_next = car->next;
	car->resume_rest_ms = car->next_ms - sim->now_ms;
	car->state = SIM_STOP;
	car->next = retires ? SIM_EV_RETIRE : SIM_EV_RESUME;
	car->next_ms = sim->now_ms + sim_range(&sim->rng, 18000, 60000);
}

static void announce(struct sim *sim, enum sim_flag flag, const char *num)
{
	int turn = (int)sim_range(&sim->rng, 1, 17);

	sim_say(sim, "Car %s stopped at turn %d", num, turn);
	switch (flag) {
	case SIM_FLAG_SLOW_ZONE:
		sim_say(sim, "Slow zone turn %d to turn %d", turn, turn + 2);
		break;
	case SIM_FLAG_FCY:
		sim_say(sim, "Full course yellow in 10 seconds");
		break;
	case SIM_FLAG_SC:
		sim_say(sim, "Safety car deployed - no overtaking");
		break;
	case SIM_FLAG_RED:
		sim_say(sim, "Session stopped - barrier repair at turn %d", turn);
		break;
	case SIM_FLAG_NONE:
	case SIM_FLAG_GREEN:
	case SIM_FLAG_YELLOW:
	case SIM_FLAG_CHEQUERED:
		break;
	}
}

static void begin_incident(struct sim *sim)
{
	int64_t draw = sim_below(&sim->rng, 100);
	const struct incident *kind = incidents;
	int32_t index = pick_car(sim);

	while (draw >= kind->share) {
		draw -= kind->share;
		kind++;
	}
	if (index < 0) {
		plan_incident(sim);
		return;
	}
	set_flag(sim, kind->flag);
	stop_car(sim, &sim->cars[index], kind->retires_of_100);
	announce(sim, kind->flag, sim->cars[index].num);
	sim->clear_ms = sim->control_ms =
			sim->now_ms + sim_range(&sim->rng, kind->min_ms, kind->max_ms);
	sim->released = 0;
}

void sim_control_step(struct sim *sim)
{
	if (sim->flag == SIM_FLAG_NONE) {
		set_flag(sim, SIM_FLAG_GREEN);
		sim_say(sim, "Race started");
		plan_incident(sim);
	} else if (sim->flag == SIM_FLAG_GREEN) {
		begin_incident(sim);
	} else {
		if (sim->flag == SIM_FLAG_SC || sim->flag == SIM_FLAG_RED) {
			sim_say(sim,
					sim->flag == SIM_FLAG_SC ? "Safety car in - green flag"
								 : "Race resumed");
		} else {
			sim_say(sim, "Track clear");
		}
		set_flag(sim, SIM_FLAG_GREEN);
		plan_incident(sim);
	}
}

void sim_control_chequered(struct sim *sim)
{
	set_flag(sim, SIM_FLAG_CHEQUERED);
	sim->chequered = true;
	sim->control_ms = sim->clear_ms = INT64_MAX;
	sim_say(sim, "Chequered flag");
}
