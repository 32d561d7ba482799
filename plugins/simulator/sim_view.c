#include <stdio.h>
#include <stdlib.h>

#include "sim_int.h"

const char *const sim_track_headings[SIM_TRACK_DATA] = { "Air temp", "Track temp", "Humidity",
	"Wind", "Pressure" };

static const char *const tyres[] = { "S", "M", "H" };

static void fill_row(const struct sim *sim, const struct sim_car *car, struct sim_row *row)
{
	*row = (struct sim_row){ .car = (int32_t)(car - sim->cars),
		.num = car->num,
		.class_name = sim->opts.classes[car->cls],
		.team = car->team,
		.driver = car->drivers[car->driver],
		.model = car->model,
		.tyre = tyres[car->tyre],
		.state = car->state,
		.pits = car->pits };
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

	view->race = sim->race;
	view->flag = sim->flag;
	view->now_ms = sim->now_ms;
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
		fill_row(sim, order[i], &view->rows[i]);
	}
	fill_track_data(sim);
	return view;
}
