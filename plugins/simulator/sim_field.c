#include <stdio.h>
#include <string.h>

#include "sim_int.h"

#define COUNT(list) ((int64_t)(sizeof(list) / sizeof((list)[0])))

/* All people, teams, cars and places are invented. */
static const char *const first_names[] = { "Ada", "Bruno", "Carla", "Dario", "Elin", "Felix",
	"Greta", "Hugo", "Ines", "Jonas", "Kaya", "Liam", "Mira", "Nico", "Olga", "Pablo", "Quinn",
	"Rosa", "Sven", "Tara", "Ugo", "Vera", "Wim", "Yara", "Zoran", "Aiko", "Ben", "Chloé",
	"Dmitri", "Emre", "Freya", "Gil" };
static const char *const last_names[] = { "Albrecht", "Bellini", "Castell", "Dufour", "Eriksen",
	"Farkas", "Gallagher", "Holm", "Ivarsson", "Jansen", "Keller", "Lindqvist", "Marchetti",
	"Novak", "Okafor", "Pereira", "Quist", "Rosberger", "Santoro", "Takeda", "Ulrich", "Vidal",
	"Westwood", "Yilmaz", "Zeller", "Moreau", "Sørensen", "Müllner", "Castaño", "Byrne",
	"Hartley-Cole", "van Houten", "de Wael", "Karlsen", "Ostrov", "Penrose", "Rask", "Tamm" };
static const char *const team_first[] = { "Apex", "Blue Ridge", "Crimson", "Delta", "Evergreen",
	"Falcon", "Granite", "Harbour", "Iron Bridge", "Jade", "Kestrel", "Lakeside", "Meridian",
	"Northgate", "Orchard", "Pinnacle", "Quartz", "Redwood", "Silverline", "Torrent", "Union",
	"Valiant", "Westfield", "Zenith" };
static const char *const team_last[] = { "Racing", "Motorsport", "Autosport", "Competition",
	"Engineering", "Performance", "Squadra", "GP" };
static const char *const models[SIM_CLASSES_MAX][4] = {
	{ "Aurel AH1", "Vantor LMX", "Solis Hyper V8", "Koba HX-6" },
	{ "Orbis 07", "Orbis 07", "Lindar P217", "Orbis 07" },
	{ "Vantor GT3 Evo", "Stallion GT3", "Bergmann 9R", "Aurel Coupé GT3" },
	{ "Bergmann Cayo GT4", "Stallion GT4", "Marlin S4", "Koba Sport GT4" },
	{ "Solis Cup", "Solis Cup", "Marlin Cup", "Koba Cup" },
	{ "Marlin TCR", "Koba TCR", "Solis R TCR", "Aurel A3 TCR" },
};
static const char *const places[] = { "Marlow Ridge", "Costa Brisa", "Lake Arden", "Nordvik",
	"Monte Fiore", "Sable Creek", "Hohenwald", "Port Ellery" };

/* SplitMix64: any seed is good, and streams of different seeds are independent. */
static uint64_t next_u64(struct sim_rng *rng)
{
	uint64_t z = rng->s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t sim_mix(uint64_t a, uint64_t b)
{
	struct sim_rng rng = { a ^ (b * 0xd6e8feb86659fd93u + 0x2545f4914f6cdd1du) };

	return next_u64(&rng);
}

int64_t sim_below(struct sim_rng *rng, int64_t n)
{
	return (int64_t)(next_u64(rng) % (uint64_t)n);
}

int64_t sim_range(struct sim_rng *rng, int64_t low, int64_t high)
{
	return low + sim_below(rng, high - low + 1);
}

void sim_event_name(const struct sim *sim, int64_t race, char *ret_name, size_t size)
{
	int64_t first = (int64_t)(sim->opts.seed % (uint64_t)COUNT(places));
	const char *place = places[(first + race) % COUNT(places)];
	int64_t minutes = sim->opts.duration_ms / 60000;

	if (minutes % 60 == 0) {
		snprintf(ret_name, size, "%d %s of %s", (int)(minutes / 60),
				minutes == 60 ? "Hour" : "Hours", place);
	} else {
		snprintf(ret_name, size, "%d Minutes of %s", (int)minutes, place);
	}
}

static bool number_is_taken(const struct sim *sim, int32_t count, const char *num)
{
	for (int32_t i = 0; i < count; i++) {
		if (strcmp(sim->cars[i].num, num) == 0) {
			return true;
		}
	}
	return false;
}

static void name_entry(const struct sim *sim, struct sim_rng *rng, int32_t i, struct sim_car *car)
{
	int64_t team = sim_below(rng, COUNT(team_first));

	do {
		snprintf(car->num, sizeof(car->num), "%d", (int)sim_range(rng, 1, 199));
	} while (number_is_taken(sim, i, car->num));
	snprintf(car->team, sizeof(car->team), "%s %s", team_first[team],
			team_last[sim_below(rng, COUNT(team_last))]);
	snprintf(car->model, sizeof(car->model), "%s", models[car->cls][sim_below(rng, 4)]);
	for (int d = 0; d < SIM_DRIVERS; d++) {
		snprintf(car->drivers[d], sizeof(car->drivers[d]), "%s %s",
				first_names[sim_below(rng, COUNT(first_names))],
				last_names[sim_below(rng, COUNT(last_names))]);
	}
}

/* Lap time of the fastest car of a class: 1:35 for the first class to 1:48 for the last. */
static int64_t class_pace_ms(const struct sim *sim, int32_t cls)
{
	int32_t steps = sim->opts.class_count > 1 ? sim->opts.class_count - 1 : 1;

	return 95200 + 12600 * (int64_t)cls / steps;
}

/* Faster cars in front, with the accidents of qualifying. */
static void draw_grid(struct sim *sim, struct sim_rng *rng)
{
	int64_t lap_ms[SIM_CARS_MAX];
	int32_t n = sim->opts.cars;

	for (int32_t i = 0; i < n; i++) {
		lap_ms[i] = (sim->cars[i].pace_ms + sim_below(rng, 700)) * SIM_CARS_MAX + i;
	}
	for (int32_t i = 0; i < n; i++) {
		sim->cars[i].grid = 0;
		for (int32_t j = 0; j < n; j++) {
			sim->cars[i].grid += lap_ms[j] < lap_ms[i];
		}
	}
}

/* The entry list is that of the seed for all races; form and grid are the race's own. */
void sim_field_make(struct sim *sim)
{
	struct sim_rng entry = { sim_mix(sim->opts.seed, 0x656e747279) };
	struct sim_rng form = { sim_mix(sim->opts.seed, (uint64_t)sim->race) };

	memset(sim->cars, 0, sizeof(sim->cars));
	for (int32_t i = 0; i < sim->opts.cars; i++) {
		struct sim_car *car = &sim->cars[i];

		/* Classes in turn, one more share for the last: the customer cars. */
		car->cls = i % (sim->opts.class_count + 1);
		if (car->cls >= sim->opts.class_count) {
			car->cls = sim->opts.class_count - 1;
		}
		name_entry(sim, &entry, i, car);
		car->pace_ms = class_pace_ms(sim, car->cls) + sim_below(&entry, 1100);
		for (int d = 0; d < SIM_DRIVERS; d++) {
			car->driver_ms[d] = sim_below(&entry, 350 + 250 * car->cls);
		}
		car->pace_ms += sim_below(&form, 400);
		car->driver = (int32_t)sim_below(&form, SIM_DRIVERS);
		car->rng.s = sim_mix(sim_mix(sim->opts.seed, (uint64_t)sim->race), (uint64_t)i + 7);
		car->tyre = (int32_t)sim_below(&form, 3);
		/* The first stint differs most, so that stops do not come all at once. */
		car->stint_target = (int32_t)sim_range(&form, 8, 15);
	}
	draw_grid(sim, &form);
}
