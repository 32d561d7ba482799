#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "sim_int.h"

/* A lap's shares of the sectors, in thousandths. */
static const int64_t sector_share[SIM_SECTORS] = { 286, 421, 293 };

bool sim_opts_classes(struct sim_opts *opts, const char *text)
{
	opts->class_count = 0;
	for (;;) {
		size_t n;

		text += strspn(text, " ");
		n = strcspn(text, ",");
		if (n == 0 || n >= SIM_CLASS_LEN || opts->class_count == SIM_CLASSES_MAX) {
			return false;
		}
		memcpy(opts->classes[opts->class_count], text, n);
		opts->classes[opts->class_count++][n] = '\0';
		if (text[n] == '\0') {
			return true;
		}
		text += n + 1;
	}
}

int64_t sim_period_ms(const struct sim_opts *opts)
{
	return SIM_GRID_MS + opts->duration_ms + SIM_FINISH_MS + opts->break_ms;
}

bool sim_is_racing(const struct sim_car *car)
{
	return car->state == SIM_RUN || car->state == SIM_OUT;
}

bool sim_is_ahead(const struct sim_car *a, const struct sim_car *b)
{
	if (a->progress != b->progress) {
		return a->progress > b->progress;
	}
	return a->line_ms != b->line_ms ? a->line_ms < b->line_ms : a->grid < b->grid;
}

int32_t sim_leader(const struct sim *sim)
{
	int32_t leader = -1;

	for (int32_t i = 0; i < sim->opts.cars; i++) {
		if (sim->cars[i].state == SIM_RET || sim->cars[i].state == SIM_NOT_STARTED) {
			continue;
		}
		if (leader < 0 || sim_is_ahead(&sim->cars[i], &sim->cars[leader])) {
			leader = i;
		}
	}
	return leader;
}

/* What this car would need for the sector on an empty track. */
static int64_t clear_sector_ms(struct sim_car *car, int32_t sector)
{
	int64_t lap = car->pace_ms + car->driver_ms[car->driver];
	int64_t share;

	/* Fuel burns off for eight laps, then the tyres give up slowly; cold tyres at first. */
	lap += car->stint < 8 ? 250 - 25 * (int64_t)car->stint : 30 * ((int64_t)car->stint - 8);
	lap += car->stint == 0 ? 1100 : 0;
	lap += car->tyre * 90;
	share = lap * sector_share[sector] / 1000;
	/* Two draws make small deviations likely and large ones rare. */
	share += sim_range(&car->rng, -110, 130) + sim_range(&car->rng, -110, 150);
	if (sim_below(&car->rng, 220) == 0) {
		share += sim_range(&car->rng, 900, 5200); /* a mistake */
	}
	return share;
}

/* Does i have to wait behind a car of its class that it would overtake in this sector? */
static int64_t held_up_until(struct sim *sim, struct sim_car *car, int64_t arrival)
{
	for (int32_t i = 0; i < sim->opts.cars; i++) {
		const struct sim_car *other = &sim->cars[i];

		if (other == car || !sim_is_racing(other) || other->progress != car->progress ||
				other->next_ms < arrival || other->next_ms > arrival + 2500) {
			continue;
		}
		if (other->cls == car->cls ? sim_below(&car->rng, 100) < 62
					   : sim_below(&car->rng, 100) < 15) {
			return other->next_ms + sim_range(&car->rng, 160, 620);
		}
	}
	return arrival;
}

/* Arrival at the next line under the safety car: in the queue, nobody overtakes. */
static int64_t queue_arrival(
		struct sim *sim, const struct sim_car *car, int32_t sector, int64_t arrival)
{
	int32_t leader = sim_leader(sim);
	int64_t *latest = &sim->queue_ms[sector];

	if (leader >= 0 && &sim->cars[leader] == car) {
		int64_t slow = car->sector_from_ms + car->pace_ms * sector_share[sector] / 640;

		arrival = slow > arrival ? slow : arrival;
	}
	if (*latest > arrival - 1300 && *latest < arrival + 60000) {
		arrival = *latest + 900 + (car->pace_ms + *latest) % 500;
	}
	*latest = arrival > *latest ? arrival : *latest;
	return arrival;
}

static void begin_sector(struct sim *sim, struct sim_car *car, int32_t sector)
{
	int64_t from = sim->now_ms, took = clear_sector_ms(car, sector), arrival;

	car->sector_from_ms = from;
	arrival = from + took * sim_flag_percent(sim->flag) / 100;
	if (sim->flag == SIM_FLAG_SC) {
		arrival = queue_arrival(sim, car, sector, arrival);
	} else if (sim->flag != SIM_FLAG_FCY) {
		arrival = held_up_until(sim, car, arrival);
	}
	car->next = sector == SIM_SECTORS - 1 ? SIM_EV_LAP : SIM_EV_SECTOR;
	car->next_ms = arrival;
	if (sector == SIM_SECTORS - 1 && car->pit_this_lap) {
		car->next = SIM_EV_PIT_IN;
		car->next_ms = from + (arrival - from) * SIM_PIT_ENTRY_PCT / 100;
	}
}

/* The line at the end of `sector` is passed. */
static void pass_line(struct sim *sim, struct sim_car *car, int32_t sector)
{
	struct sim_line line = { .race = sim->race,
		.at_ms = sim->now_ms,
		.car = (int32_t)(car - sim->cars),
		.sector = sector + 1,
		.sector_ms = sim->now_ms - car->sector_from_ms,
		.lap_ms = sector == SIM_SECTORS - 1 ? sim->now_ms - car->lap_from_ms : -1 };

	car->progress++;
	car->line_ms = sim->now_ms;
	if (sim->passed) {
		sim->passed(sim->passed_arg, &line);
	}
}

static bool wants_to_pit(struct sim *sim, const struct sim_car *car)
{
	int64_t left = SIM_GRID_MS + sim->opts.duration_ms - sim->now_ms;
	bool cheap = sim->flag == SIM_FLAG_FCY || sim->flag == SIM_FLAG_SC;

	if (sim->flag == SIM_FLAG_RED) {
		return true;
	}
	if (left < 240000 || sim->chequered) {
		return false;
	}
	return car->stint_laps + 1 >= car->stint_target ||
			(cheap && car->stint_laps * 100 > car->stint_target * 65);
}

/* How long it stands and rolls in the lane from the line on; also what changes there. */
static int64_t pit_service(struct sim *sim, struct sim_car *car)
{
	int64_t rolls = sim_range(&car->rng, 15000, 18500), stands;

	if (sim->flag == SIM_FLAG_RED) {
		/* Everybody waits for the restart and leaves in order of arrival. */
		stands = sim->clear_ms - sim->now_ms + 1500 * (int64_t)sim->released++;
		return (stands > rolls ? stands : rolls) + 2000;
	}
	car->pits++;
	stands = sim_range(&car->rng, 30000, 41000);
	if (car->pits % 2 == 0 || sim_below(&car->rng, 3) == 0) {
		car->driver = (car->driver + 1) % SIM_DRIVERS;
		stands += sim_range(&car->rng, 2500, 9000);
	}
	if (sim_below(&car->rng, 45) == 0) {
		stands += sim_range(&car->rng, 60000, 480000); /* into the garage */
		sim_say(sim, "Car %s pushed into the garage", car->num);
	}
	car->tyre = (int32_t)sim_below(&car->rng, 3);
	car->stint = 0;
	car->stint_laps = 0;
	car->stint_target = (int32_t)sim_range(&car->rng, 11, 14);
	return rolls + stands;
}

static void complete_lap(struct sim *sim, struct sim_car *car)
{
	int64_t end = SIM_GRID_MS + sim->opts.duration_ms;

	pass_line(sim, car, SIM_SECTORS - 1);
	car->laps++;
	car->stint++;
	car->stint_laps++;
	car->lap_from_ms = car->sector_from_ms = sim->now_ms;
	if (!sim->chequered && sim->now_ms >= end && &sim->cars[sim_leader(sim)] == car) {
		sim_control_chequered(sim);
	}
	if (sim->chequered) {
		car->state = SIM_FIN;
		car->next = SIM_EV_NONE;
	} else if (car->state == SIM_PIT) {
		car->next = SIM_EV_PIT_OUT;
		car->next_ms = sim->now_ms + pit_service(sim, car);
	} else {
		car->state = SIM_RUN;
		begin_sector(sim, car, 0);
	}
}

static void end_sector(struct sim *sim, struct sim_car *car)
{
	int32_t sector = car->progress % SIM_SECTORS;

	pass_line(sim, car, sector);
	car->state = SIM_RUN;
	if (sector == SIM_SECTORS - 2) {
		car->pit_this_lap = wants_to_pit(sim, car);
	}
	begin_sector(sim, car, sector + 1);
}

static void leave_pits(struct sim *sim, struct sim_car *car)
{
	int64_t stopped_from = car->sector_from_ms;

	car->state = SIM_OUT;
	car->pit_this_lap = false;
	begin_sector(sim, car, 0);
	/* The lane covered some of the sector; its time began at the line in the lane. */
	car->next_ms -= (car->next_ms - sim->now_ms) / 6;
	car->sector_from_ms = stopped_from;
}

static void step_car(struct sim *sim, struct sim_car *car)
{
	switch (car->next) {
	case SIM_EV_NONE:
		break;
	case SIM_EV_SECTOR:
		end_sector(sim, car);
		break;
	case SIM_EV_PIT_IN:
		car->state = SIM_PIT;
		car->next = SIM_EV_LAP;
		car->next_ms = sim->now_ms + sim_range(&car->rng, 8500, 10500);
		break;
	case SIM_EV_LAP:
		complete_lap(sim, car);
		break;
	case SIM_EV_PIT_OUT:
		leave_pits(sim, car);
		break;
	case SIM_EV_RESUME:
		car->state = SIM_RUN;
		car->next = car->resume_next;
		car->next_ms = sim->now_ms + car->resume_rest_ms;
		break;
	case SIM_EV_RETIRE:
		car->state = SIM_RET;
		car->next = SIM_EV_NONE;
		sim_say(sim, "Car %s retired", car->num);
		break;
	}
}

/* All cars leave the grid one after the other, as they cross the line. */
static void start_race(struct sim *sim)
{
	for (int32_t i = 0; i < sim->opts.cars; i++) {
		struct sim_car *car = &sim->cars[i];

		car->state = SIM_RUN;
		begin_sector(sim, car, 0);
		/* A standing field takes a while to come up to speed. */
		car->next_ms += 2500 + 420 * (int64_t)car->grid;
		car->lap_from_ms = sim->now_ms;
		car->line_ms = sim->now_ms + car->grid;
	}
}

/* Whoever is still out when the finish is closed has finished where he is. */
static void close_finish(struct sim *sim)
{
	if (!sim->chequered) {
		sim_control_chequered(sim);
	}
	for (int32_t i = 0; i < sim->opts.cars; i++) {
		if (sim->cars[i].state != SIM_RET) {
			sim->cars[i].state = SIM_FIN;
		}
		sim->cars[i].next = SIM_EV_NONE;
	}
}

static void begin_race(struct sim *sim, int64_t race)
{
	sim->race = race;
	sim->now_ms = 0;
	sim->text_count = 0;
	sim_field_make(sim);
	sim_control_begin(sim);
}

struct sim *sim_create(const struct sim_opts *opts, sim_line_fn passed, void *arg)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (sim != NULL) {
		sim->opts = *opts;
		sim->passed = passed;
		sim->passed_arg = arg;
		begin_race(sim, 0);
	}
	return sim;
}

void sim_destroy(struct sim *sim)
{
	free(sim);
}

/* The car whose event comes first; the lower index when two come together. */
static int32_t next_car(const struct sim *sim)
{
	int32_t first = -1;

	for (int32_t i = 0; i < sim->opts.cars; i++) {
		if (sim->cars[i].next != SIM_EV_NONE &&
				(first < 0 || sim->cars[i].next_ms < sim->cars[first].next_ms)) {
			first = i;
		}
	}
	return first;
}

/* Process the next event if it is due by t_ms. */
static bool step(struct sim *sim, int64_t t_ms)
{
	int32_t car = next_car(sim);
	int64_t car_ms = car >= 0 ? sim->cars[car].next_ms : INT64_MAX;
	int64_t finish_ms = SIM_GRID_MS + sim->opts.duration_ms + SIM_FINISH_MS;

	if (car >= 0 && finish_ms <= t_ms && car_ms >= finish_ms) {
		sim->now_ms = finish_ms;
		close_finish(sim);
		return true;
	}
	if (sim->control_ms <= car_ms && sim->control_ms <= t_ms) {
		bool starts = sim->flag == SIM_FLAG_NONE;

		sim->now_ms = sim->control_ms;
		sim_control_step(sim);
		if (starts) {
			start_race(sim);
		}
		return true;
	}
	if (car_ms > t_ms) {
		return false;
	}
	sim->now_ms = car_ms;
	step_car(sim, &sim->cars[car]);
	return true;
}

bool sim_advance(struct sim *sim, int64_t t_ms, int32_t event_max)
{
	int64_t race = t_ms / sim_period_ms(&sim->opts);
	int64_t in_race_ms = t_ms % sim_period_ms(&sim->opts);

	if (t_ms < 0 || race < sim->race) {
		return true;
	}
	if (race > sim->race) {
		begin_race(sim, race);
	}
	while (event_max-- > 0) {
		if (!step(sim, in_race_ms)) {
			if (in_race_ms > sim->now_ms) {
				sim->now_ms = in_race_ms;
			}
			return true;
		}
	}
	return false;
}

const char *sim_next_text(struct sim *sim)
{
	const char *text;

	if (sim->text_count == 0) {
		return NULL;
	}
	text = sim->texts[sim->text_head];
	sim->text_head = (sim->text_head + 1) % SIM_TEXTS;
	sim->text_count--;
	return text;
}
