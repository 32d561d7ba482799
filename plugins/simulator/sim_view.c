#include <stdio.h>
#include <stdlib.h>

#include "sim_int.h"

const char *const sim_track_headings[SIM_TRACK_DATA] = { "Air temp", "Track temp", "Humidity",
	"Wind", "Pressure" };
/* A longer time says nothing: both cars have stopped for good. */
#define GAP_MAX_MS 600000

static const char *const tyres[] = { "S", "M", "H" };

/* Time at which a car passed line `progress`; -1 when not (any more) known. */
static int64_t crossed_ms(const struct sim_car *car, int32_t progress)
{
	if (progress > car->progress || progress <= car->progress - SIM_RING || progress < 0) {
		return -1;
	}
	return car->cross_ms[progress % SIM_RING];
}

/*
 * Distance of `car` to one in front of it, taken at the last line that `car`
 * passed, and growing while it is overdue at the next one: a long stop shows
 * before it ends. Lapped means that the other had passed that line once more by then.
 */
static struct sim_gap gap_to(const struct sim_car *car, const struct sim_car *front, int64_t now_ms)
{
	struct sim_gap gap = { -1, 0 };
	int64_t own = crossed_ms(car, car->progress), other = crossed_ms(front, car->progress);
	int64_t next = crossed_ms(front, car->progress + 1);

	if (other < 0) {
		gap.laps = front->laps - car->laps;
		return gap;
	}
	for (int32_t p = car->progress + SIM_SECTORS; p <= front->progress; p += SIM_SECTORS) {
		/* A car that stands still is passed without crossing a line itself. */
		bool still = car->state == SIM_RET || car->state == SIM_STOP ||
				car->state == SIM_PIT || car->state == SIM_FIN;

		if (still || crossed_ms(front, p) <= own) {
			gap.laps++;
		}
	}
	if (gap.laps == 0 && own >= other && own - other < GAP_MAX_MS) {
		gap.ms = own - other;
		if (next >= 0 && now_ms - next > gap.ms) {
			gap.ms = now_ms - next;
		}
	}
	return gap;
}

static struct sim_time time_of(int64_t ms, int64_t own_best_ms, int64_t best_ms)
{
	struct sim_time time = { ms, SIM_MARK_NONE };

	if (ms >= 0 && ms == best_ms) {
		time.mark = SIM_MARK_SB_NEW;
	} else if (ms >= 0 && ms == own_best_ms) {
		time.mark = SIM_MARK_PB;
	}
	return time;
}

static void fill_row(const struct sim *sim, const struct sim_car *car, struct sim_row *row)
{
	row->num = car->num;
	row->class_name = sim->opts.classes[car->cls];
	row->team = car->team;
	row->driver = car->drivers[car->driver];
	row->car = car->model;
	row->tyre = tyres[car->tyre];
	row->state = car->state;
	row->laps = car->laps;
	row->pits = car->pits;
	for (int s = 0; s < SIM_SECTORS; s++) {
		row->sector[s] = time_of(
				car->sector_ms[s], car->sector_best_ms[s], sim->sector_best_ms[s]);
		if (car->sector_ms[s] >= 0 && car->sector_lap[s] < car->laps &&
				car->progress % SIM_SECTORS != 0) {
			row->sector[s].mark = SIM_MARK_OLD;
		}
	}
	row->last = time_of(car->last_ms, car->best_ms, sim->best_ms);
	row->best.ms = car->best_ms;
	row->best.mark = car->best_ms >= 0 && car->best_ms == sim->best_ms ? SIM_MARK_SB
									   : SIM_MARK_NONE;
}

static int compare_cars(const void *a, const void *b)
{
	const struct sim_car *const *left = a, *const *right = b;

	return sim_is_ahead(*left, *right) ? -1 : 1;
}

/* Slowly changing weather: noise between points ten minutes apart. */
static int64_t weather(const struct sim *sim, uint64_t kind, int64_t span)
{
	uint64_t base = sim_mix(sim_mix(sim->opts.seed, (uint64_t)sim->race), kind);
	int64_t step = 600000, k = sim->now_ms / step, rest = sim->now_ms % step;
	int64_t from = (int64_t)(sim_mix(base, (uint64_t)k) % (uint64_t)span);
	int64_t to = (int64_t)(sim_mix(base, (uint64_t)k + 1) % (uint64_t)span);

	return from + (to - from) * rest / step;
}

static void fill_track_data(struct sim *sim)
{
	struct sim_view *view = &sim->view;
	int air = (int)(180 + weather(sim, 101, 60));
	int track = air + (int)(60 + weather(sim, 102, 90));
	const size_t size = sizeof(view->track_data[0]);

	snprintf(view->track_data[0], size, "%d.%d°C", air / 10, air % 10);
	snprintf(view->track_data[1], size, "%d.%d°C", track / 10, track % 10);
	snprintf(view->track_data[2], size, "%d%%", (int)(45 + weather(sim, 103, 30)));
	snprintf(view->track_data[3], size, "%d km/h", (int)(2 + weather(sim, 104, 20)));
	snprintf(view->track_data[4], size, "%d mbar", (int)(1006 + weather(sim, 105, 14)));
}

const struct sim_view *sim_look(struct sim *sim)
{
	struct sim_view *view = &sim->view;
	const struct sim_car *order[SIM_CARS_MAX];
	int32_t in_class[SIM_CLASSES_MAX] = { 0 };

	view->race = sim->race;
	view->flag = sim->flag;
	view->elapsed_ms = sim->now_ms > SIM_GRID_MS ? sim->now_ms - SIM_GRID_MS : 0;
	if (view->elapsed_ms > sim->opts.duration_ms) {
		view->elapsed_ms = sim->opts.duration_ms;
	}
	view->remain_ms = sim->opts.duration_ms - view->elapsed_ms;
	view->row_count = (size_t)sim->opts.cars;
	for (size_t i = 0; i < view->row_count; i++) {
		order[i] = &sim->cars[i];
	}
	qsort(order, view->row_count, sizeof(*order), compare_cars);
	for (size_t i = 0; i < view->row_count; i++) {
		struct sim_row *row = &view->rows[i];

		fill_row(sim, order[i], row);
		row->pic = ++in_class[order[i]->cls];
		row->gap = row->interval = (struct sim_gap){ -1, 0 };
		if (i > 0 && sim->flag != SIM_FLAG_NONE) {
			row->gap = gap_to(order[i], order[0], sim->now_ms);
			row->interval = gap_to(order[i], order[i - 1], sim->now_ms);
		}
	}
	fill_track_data(sim);
	return view;
}
