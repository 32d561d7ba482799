#include <inttypes.h>

#include "simulator/sim.h"
#include "support/test.h"

#define MINUTE 60000
#define ALL    INT32_MAX

static struct sim_opts options_with(uint64_t seed, int32_t cars)
{
	struct sim_opts opts = {
		.seed = seed, .cars = cars, .duration_ms = 120 * MINUTE, .break_ms = MINUTE
	};

	assert_true(sim_opts_classes(&opts, "Hypercar,LMP2,GT3"));
	return opts;
}

static void mix(uint64_t *hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n-- > 0) {
		*hash = (*hash ^ *p++) * 1099511628211u;
	}
}

/* Digest of everything that the screen shows. */
static uint64_t digest(const struct sim_view *view)
{
	uint64_t hash = 14695981039346656037u;

	mix(&hash, &view->race, sizeof(view->race));
	mix(&hash, &view->flag, sizeof(view->flag));
	mix(&hash, &view->elapsed_ms, sizeof(view->elapsed_ms));
	for (size_t i = 0; i < view->row_count; i++) {
		const struct sim_row *row = &view->rows[i];

		mix(&hash, row->num, strlen(row->num));
		mix(&hash, row->driver, strlen(row->driver));
		mix(&hash, &row->state, sizeof(row->state));
		mix(&hash, &row->laps, sizeof(row->laps));
		mix(&hash, &row->gap.ms, sizeof(row->gap.ms));
		mix(&hash, &row->interval.ms, sizeof(row->interval.ms));
		mix(&hash, &row->last.ms, sizeof(row->last.ms));
		for (int s = 0; s < SIM_SECTORS; s++) {
			mix(&hash, &row->sector[s].ms, sizeof(row->sector[s].ms));
			mix(&hash, &row->sector[s].mark, sizeof(row->sector[s].mark));
		}
	}
	return hash;
}

static void the_same_seed_gives_the_same_race_however_it_is_asked(void **state)
{
	struct sim_opts opts = options_with(71, 60);
	struct sim *once = sim_create(&opts), *often = sim_create(&opts);
	int64_t end = 90 * MINUTE + 123;

	(void)state;
	for (int64_t t = 0; t < end; t += 777) {
		sim_advance(often, t, ALL);
		sim_look(often);
	}
	sim_advance(often, end, ALL);
	while (!sim_advance(once, end, 100)) {
	}

	assert_int_equal(digest(sim_look(once)), digest(sim_look(often)));
	sim_destroy(once);
	sim_destroy(often);
}

static void another_seed_gives_another_race(void **state)
{
	struct sim_opts a = options_with(1, 20), b = options_with(2, 20);
	struct sim *first = sim_create(&a), *second = sim_create(&b);

	(void)state;
	sim_advance(first, 10 * MINUTE, ALL);
	sim_advance(second, 10 * MINUTE, ALL);

	assert_true(digest(sim_look(first)) != digest(sim_look(second)));
	sim_destroy(first);
	sim_destroy(second);
}

static void jumping_to_a_later_race_is_the_same_as_living_through_the_first(void **state)
{
	struct sim_opts opts = options_with(5, 12);
	int64_t t = sim_period_ms(&opts) + 20 * MINUTE;
	struct sim *jumped = sim_create(&opts), *lived = sim_create(&opts);

	(void)state;
	for (int64_t at = 0; at < t; at += MINUTE) {
		sim_advance(lived, at, ALL);
	}
	sim_advance(lived, t, ALL);
	sim_advance(jumped, t, ALL);

	assert_int_equal(sim_look(jumped)->race, 1);
	assert_int_equal(digest(sim_look(jumped)), digest(sim_look(lived)));
	sim_destroy(jumped);
	sim_destroy(lived);
}

static void a_past_time_changes_nothing(void **state)
{
	struct sim_opts opts = options_with(5, 12);
	struct sim *sim = sim_create(&opts);
	uint64_t before;

	(void)state;
	sim_advance(sim, 20 * MINUTE, ALL);
	before = digest(sim_look(sim));

	assert_true(sim_advance(sim, 10 * MINUTE, ALL));
	assert_true(sim_advance(sim, -5, ALL));

	assert_int_equal(digest(sim_look(sim)), before);
	sim_destroy(sim);
}

static void check_row(const struct sim_view *view, size_t i)
{
	const struct sim_row *row = &view->rows[i];

	assert_true(row->laps >= 0 && row->pic >= 1 && row->num[0] != '\0');
	assert_true(row->gap.ms >= -1 && row->gap.laps >= 0);
	if (row->best.ms >= 0) {
		assert_in_range(row->best.ms, 92000, 140000);
		assert_true(row->last.ms >= row->best.ms);
	}
	if (i > 0) {
		assert_true(row->laps <= view->rows[i - 1].laps);
	}
}

static void every_moment_of_a_race_makes_sense(void **state)
{
	struct sim_opts opts = options_with(71, 40);
	struct sim *sim = sim_create(&opts);
	unsigned flags = 0, states = 0;

	(void)state;
	for (int64_t t = 0; t < sim_period_ms(&opts); t += 5000) {
		const struct sim_view *view;

		assert_true(sim_advance(sim, t, ALL));
		view = sim_look(sim);
		assert_int_equal(view->row_count, 40);
		assert_int_equal(view->elapsed_ms + view->remain_ms, opts.duration_ms);
		flags |= 1u << view->flag;
		for (size_t i = 0; i < view->row_count; i++) {
			check_row(view, i);
			states |= 1u << view->rows[i].state;
		}
	}

	assert_true(flags & 1u << SIM_FLAG_NONE);
	assert_true(flags & 1u << SIM_FLAG_GREEN);
	assert_true(flags & 1u << SIM_FLAG_CHEQUERED);
	assert_true(states & 1u << SIM_NOT_STARTED);
	assert_true(states & 1u << SIM_PIT);
	assert_true(states & 1u << SIM_OUT);
	assert_true(states & 1u << SIM_STOP);
	sim_destroy(sim);
}

static void gaps_on_the_lead_lap_never_shrink_down_the_order(void **state)
{
	struct sim_opts opts = options_with(71, 40);
	struct sim *sim = sim_create(&opts);
	size_t compared = 0;

	(void)state;
	for (int64_t t = 10 * MINUTE; t < 60 * MINUTE; t += 5000) {
		const struct sim_view *view;
		int64_t before_ms = 0;

		assert_true(sim_advance(sim, t, ALL));
		view = sim_look(sim);
		for (size_t i = 1; i < view->row_count && view->rows[i].gap.laps == 0; i++) {
			if (view->rows[i].gap.ms < 0) {
				continue;
			}
			assert_true(view->rows[i].gap.ms >= before_ms);
			before_ms = view->rows[i].gap.ms;
			compared++;
		}
	}

	assert_true(compared > 1000);
	sim_destroy(sim);
}

static void all_flags_come_up_within_some_races(void **state)
{
	struct sim_opts opts = options_with(3, 10);
	struct sim *sim = sim_create(&opts);
	unsigned flags = 0;

	(void)state;
	for (int64_t t = 0; t < 12 * sim_period_ms(&opts); t += 20000) {
		sim_advance(sim, t, ALL);
		flags |= 1u << sim_look(sim)->flag;
	}

	assert_int_equal(flags, (1u << (SIM_FLAG_CHEQUERED + 1)) - 1);
	sim_destroy(sim);
}

static void every_car_is_classified_at_the_end_of_the_race(void **state)
{
	struct sim_opts opts = options_with(9, 30);
	struct sim *sim = sim_create(&opts);
	const struct sim_view *view;

	(void)state;
	sim_advance(sim, sim_period_ms(&opts) - 1, ALL);
	view = sim_look(sim);

	assert_int_equal(view->flag, SIM_FLAG_CHEQUERED);
	for (size_t i = 0; i < view->row_count; i++) {
		assert_true(view->rows[i].state == SIM_FIN || view->rows[i].state == SIM_RET);
	}
	assert_int_equal(view->rows[0].state, SIM_FIN);
	assert_in_range(view->rows[0].laps, 60, 76);
	sim_destroy(sim);
}

static void drivers_change_at_pit_stops_only(void **state)
{
	struct sim_opts opts = options_with(71, 20);
	struct sim *sim = sim_create(&opts);
	char driver[SIM_NAME_LEN] = "", num[8] = "";
	int changes = 0, pits = 0;

	(void)state;
	for (int64_t t = MINUTE; t < 110 * MINUTE; t += 1000) {
		const struct sim_view *view;

		sim_advance(sim, t, ALL);
		view = sim_look(sim);
		if (num[0] == '\0') {
			snprintf(num, sizeof(num), "%s", view->rows[0].num);
		}
		for (size_t i = 0; i < view->row_count; i++) {
			const struct sim_row *row = &view->rows[i];

			if (strcmp(row->num, num) != 0) {
				continue;
			}
			if (driver[0] != '\0' && strcmp(driver, row->driver) != 0) {
				assert_int_equal(row->state, SIM_PIT);
				assert_int_equal(row->pits, pits + 1);
				changes++;
			}
			pits = row->pits;
			snprintf(driver, sizeof(driver), "%s", row->driver);
		}
	}

	assert_true(changes > 0);
	sim_destroy(sim);
}

static void exactly_one_car_holds_the_session_best(void **state)
{
	struct sim_opts opts = options_with(71, 60);
	struct sim *sim = sim_create(&opts);
	const struct sim_view *view;
	int64_t best = INT64_MAX, marked = -1;

	(void)state;
	sim_advance(sim, 40 * MINUTE, ALL);
	view = sim_look(sim);
	for (size_t i = 0; i < view->row_count; i++) {
		if (view->rows[i].best.ms >= 0 && view->rows[i].best.ms < best) {
			best = view->rows[i].best.ms;
		}
		if (view->rows[i].best.mark == SIM_MARK_SB) {
			assert_int_equal(marked, -1);
			marked = view->rows[i].best.ms;
		}
	}

	assert_int_equal(marked, best);
	sim_destroy(sim);
}

static void race_control_speaks_in_order_and_is_bounded(void **state)
{
	struct sim_opts opts = options_with(71, 20);
	struct sim *sim = sim_create(&opts);
	int texts = 1;

	(void)state;
	sim_advance(sim, MINUTE, ALL);
	assert_string_equal(sim_next_text(sim), "Race started");
	sim_advance(sim, sim_period_ms(&opts) - 1, ALL);
	while (sim_next_text(sim) != NULL) {
		texts++;
	}

	assert_in_range(texts, 5, 33);
	sim_destroy(sim);
}

static void class_lists_are_checked(void **state)
{
	static const struct {
		const char *text;
		int32_t count; /* 0: refused */
	} cases[] = { { "GT3", 1 }, { "Hypercar, LMP2,GT3", 3 }, { "a,b,c,d,e,f", 6 },
		{ "a,b,c,d,e,f,g", 0 }, { "", 0 }, { "a,,b", 0 }, { "a,", 0 },
		{ "exactlysixteenby", 0 }, { "fifteen letters", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_opts opts = { .seed = 1 };
		bool accepted = sim_opts_classes(&opts, cases[i].text);

		assert_int_equal(accepted, cases[i].count > 0);
		if (accepted) {
			assert_int_equal(opts.class_count, cases[i].count);
		}
	}
}

static void the_smallest_and_the_largest_field_run(void **state)
{
	static const int32_t sizes[] = { SIM_CARS_MIN, SIM_CARS_MAX };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sim_opts opts = options_with(4, sizes[i]);
		struct sim *sim = sim_create(&opts);

		sim_advance(sim, 3 * sim_period_ms(&opts) - 1, ALL);
		assert_int_equal(sim_look(sim)->row_count, sizes[i]);
		assert_true(sim_look(sim)->rows[0].laps > 0);
		sim_destroy(sim);
	}
}

static void events_of_one_call_are_limited(void **state)
{
	struct sim_opts opts = options_with(4, 60);
	struct sim *sim = sim_create(&opts);

	(void)state;
	assert_false(sim_advance(sim, 60 * MINUTE, 50));
	assert_true(sim_look(sim)->elapsed_ms < MINUTE);

	sim_destroy(sim);
	sim_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_gives_the_same_race_however_it_is_asked),
		cmocka_unit_test(another_seed_gives_another_race),
		cmocka_unit_test(jumping_to_a_later_race_is_the_same_as_living_through_the_first),
		cmocka_unit_test(a_past_time_changes_nothing),
		cmocka_unit_test(every_moment_of_a_race_makes_sense),
		cmocka_unit_test(gaps_on_the_lead_lap_never_shrink_down_the_order),
		cmocka_unit_test(all_flags_come_up_within_some_races),
		cmocka_unit_test(every_car_is_classified_at_the_end_of_the_race),
		cmocka_unit_test(drivers_change_at_pit_stops_only),
		cmocka_unit_test(exactly_one_car_holds_the_session_best),
		cmocka_unit_test(race_control_speaks_in_order_and_is_bounded),
		cmocka_unit_test(class_lists_are_checked),
		cmocka_unit_test(the_smallest_and_the_largest_field_run),
		cmocka_unit_test(events_of_one_call_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
