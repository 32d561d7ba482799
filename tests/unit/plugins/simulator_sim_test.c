#include <inttypes.h>

#include "race/field/field.h"
#include "simulator/sim_timing.h"
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

/* A simulation with its timing. */
struct race {
	struct sim *sim;
	struct sim_timing *timing;
	const struct sim_view *view; /* as it was last looked at */
};

static struct race race_with(const struct sim_opts *opts)
{
	struct race race = { .timing = sim_timing_create(&lt_field_table, opts) };

	race.sim = sim_create(opts, sim_timing_on_line, race.timing);
	return race;
}

static void race_end(struct race *race)
{
	sim_destroy(race->sim);
	sim_timing_destroy(race->timing);
}

static void look(struct race *race)
{
	race->view = sim_look(race->sim);
	sim_timing_look(race->timing, race->view);
}

static void look_at(struct race *race, int64_t t_ms)
{
	assert_true(sim_advance(race->sim, t_ms, ALL));
	look(race);
}

static struct lt_field_row row_at(const struct race *race, size_t i)
{
	struct lt_field_row row;

	sim_timing_row(race->timing, i, &row);
	return row;
}

static void mix(uint64_t *hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n-- > 0) {
		*hash = (*hash ^ *p++) * 1099511628211u;
	}
}

/* Digest of everything that the screen shows. */
static uint64_t digest(struct race *race)
{
	uint64_t hash = 14695981039346656037u;

	look(race);
	mix(&hash, &race->view->race, sizeof(race->view->race));
	mix(&hash, &race->view->flag, sizeof(race->view->flag));
	mix(&hash, &race->view->elapsed_ms, sizeof(race->view->elapsed_ms));
	for (size_t i = 0; i < race->view->row_count; i++) {
		struct lt_field_row row = row_at(race, i);
		const int64_t numbers[] = { race->view->rows[i].state, row.laps, row.gap.ms,
			row.interval.ms, row.last.ms, row.last.mark, row.best.ms,
			row.position_in_class };

		mix(&hash, row.text[LT_TEXT_NUM].p, row.text[LT_TEXT_NUM].n);
		mix(&hash, row.text[LT_TEXT_DRIVER].p, row.text[LT_TEXT_DRIVER].n);
		mix(&hash, numbers, sizeof(numbers));
		for (int s = 0; s < SIM_SECTORS; s++) {
			mix(&hash, &row.sector[s].ms, sizeof(row.sector[s].ms));
			mix(&hash, &row.sector[s].mark, sizeof(row.sector[s].mark));
		}
	}
	return hash;
}

static void the_same_seed_gives_the_same_race_however_it_is_asked(void **state)
{
	struct sim_opts opts = options_with(71, 60);
	struct race once = race_with(&opts), often = race_with(&opts);
	int64_t end = 90 * MINUTE + 123;

	(void)state;
	for (int64_t t = 0; t < end; t += 777) {
		look_at(&often, t);
	}
	look_at(&often, end);
	while (!sim_advance(once.sim, end, 100)) {
	}

	assert_int_equal(digest(&once), digest(&often));
	race_end(&once);
	race_end(&often);
}

static void another_seed_gives_another_race(void **state)
{
	struct sim_opts a = options_with(1, 20), b = options_with(2, 20);
	struct race first = race_with(&a), second = race_with(&b);

	(void)state;
	look_at(&first, 10 * MINUTE);
	look_at(&second, 10 * MINUTE);

	assert_true(digest(&first) != digest(&second));
	race_end(&first);
	race_end(&second);
}

static void jumping_to_a_later_race_is_the_same_as_living_through_the_first(void **state)
{
	struct sim_opts opts = options_with(5, 12);
	int64_t t = sim_period_ms(&opts) + 20 * MINUTE;
	struct race jumped = race_with(&opts), lived = race_with(&opts);

	(void)state;
	for (int64_t at = 0; at < t; at += MINUTE) {
		look_at(&lived, at);
	}
	look_at(&lived, t);
	look_at(&jumped, t);

	assert_int_equal(jumped.view->race, 1);
	assert_int_equal(digest(&jumped), digest(&lived));
	race_end(&jumped);
	race_end(&lived);
}

static void a_past_time_changes_nothing(void **state)
{
	struct sim_opts opts = options_with(5, 12);
	struct race race = race_with(&opts);
	uint64_t before;

	(void)state;
	look_at(&race, 20 * MINUTE);
	before = digest(&race);

	assert_true(sim_advance(race.sim, 10 * MINUTE, ALL));
	assert_true(sim_advance(race.sim, -5, ALL));

	assert_int_equal(digest(&race), before);
	race_end(&race);
}

static void check_row(const struct race *race, size_t i)
{
	struct lt_field_row row = row_at(race, i);

	assert_str_equal(row.text[LT_TEXT_NUM], race->view->rows[i].num);
	assert_int_equal(row.position, i + 1);
	assert_true(row.laps >= 0 && row.position_in_class >= 1 && row.text[LT_TEXT_NUM].n > 0);
	assert_true(row.gap.ms >= -1 && row.gap.laps >= 0);
	assert_true(row.gap.ms < 20 * MINUTE);
	if (row.best.ms >= 0) {
		assert_in_range(row.best.ms, 92000, 140000);
		assert_true(row.last.ms >= row.best.ms);
	}
	if (i > 0) {
		assert_true(row.laps <= row_at(race, i - 1).laps);
	}
}

static void every_moment_of_a_race_makes_sense(void **state)
{
	struct sim_opts opts = options_with(71, 40);
	struct race race = race_with(&opts);
	unsigned flags = 0, states = 0;

	(void)state;
	for (int64_t t = 0; t < sim_period_ms(&opts); t += 5000) {
		look_at(&race, t);
		assert_int_equal(race.view->row_count, 40);
		assert_int_equal(race.view->elapsed_ms + race.view->remain_ms, opts.duration_ms);
		flags |= 1u << race.view->flag;
		for (size_t i = 0; i < race.view->row_count; i++) {
			check_row(&race, i);
			states |= 1u << race.view->rows[i].state;
		}
	}

	assert_true(flags & 1u << SIM_FLAG_NONE);
	assert_true(flags & 1u << SIM_FLAG_GREEN);
	assert_true(flags & 1u << SIM_FLAG_CHEQUERED);
	assert_true(states & 1u << SIM_NOT_STARTED);
	assert_true(states & 1u << SIM_PIT);
	assert_true(states & 1u << SIM_OUT);
	assert_true(states & 1u << SIM_STOP);
	race_end(&race);
}

static void gaps_on_the_lead_lap_never_shrink_down_the_order(void **state)
{
	struct sim_opts opts = options_with(71, 40);
	struct race race = race_with(&opts);
	size_t compared = 0;

	(void)state;
	for (int64_t t = 10 * MINUTE; t < 60 * MINUTE; t += 5000) {
		int64_t before_ms = 0;

		look_at(&race, t);
		for (size_t i = 1; i < race.view->row_count && row_at(&race, i).gap.laps == 0;
				i++) {
			int64_t gap_ms = row_at(&race, i).gap.ms;

			if (gap_ms < 0) {
				continue;
			}
			assert_true(gap_ms >= before_ms);
			before_ms = gap_ms;
			compared++;
		}
	}

	assert_true(compared > 1000);
	race_end(&race);
}

static void a_new_race_begins_without_times(void **state)
{
	struct sim_opts opts = options_with(71, 12);
	struct race race = race_with(&opts);

	(void)state;
	look_at(&race, 30 * MINUTE);
	assert_true(row_at(&race, 0).best.ms > 0);
	look_at(&race, sim_period_ms(&opts) + 1000);

	assert_int_equal(row_at(&race, 0).best.ms, LT_NO_TIME);
	assert_int_equal(row_at(&race, 0).laps, 0);
	assert_int_equal(row_at(&race, 11).gap.ms, LT_NO_TIME);
	race_end(&race);
}

static void all_flags_come_up_within_some_races(void **state)
{
	struct sim_opts opts = options_with(3, 10);
	struct sim *sim = sim_create(&opts, NULL, NULL);
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
	struct race race = race_with(&opts);

	(void)state;
	look_at(&race, sim_period_ms(&opts) - 1);

	assert_int_equal(race.view->flag, SIM_FLAG_CHEQUERED);
	for (size_t i = 0; i < race.view->row_count; i++) {
		assert_true(race.view->rows[i].state == SIM_FIN ||
				race.view->rows[i].state == SIM_RET);
	}
	assert_int_equal(race.view->rows[0].state, SIM_FIN);
	assert_in_range(row_at(&race, 0).laps, 60, 76);
	race_end(&race);
}

static void drivers_change_at_pit_stops_only(void **state)
{
	struct sim_opts opts = options_with(71, 20);
	struct sim *sim = sim_create(&opts, NULL, NULL);
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
	struct race race = race_with(&opts);
	int64_t best = INT64_MAX, marked = -1;

	(void)state;
	look_at(&race, 40 * MINUTE);
	for (size_t i = 0; i < race.view->row_count; i++) {
		struct lt_field_row row = row_at(&race, i);

		if (row.best.ms >= 0 && row.best.ms < best) {
			best = row.best.ms;
		}
		if (row.best.mark == LT_TIME_SB) {
			assert_int_equal(marked, -1);
			marked = row.best.ms;
		}
	}

	assert_int_equal(marked, best);
	race_end(&race);
}

static void race_control_speaks_in_order_and_is_bounded(void **state)
{
	struct sim_opts opts = options_with(71, 20);
	struct sim *sim = sim_create(&opts, NULL, NULL);
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
		struct race race = race_with(&opts);

		look_at(&race, 3 * sim_period_ms(&opts) - 1);
		assert_int_equal(race.view->row_count, sizes[i]);
		assert_true(row_at(&race, 0).laps > 0);
		race_end(&race);
	}
}

static void events_of_one_call_are_limited(void **state)
{
	struct sim_opts opts = options_with(4, 60);
	struct sim *sim = sim_create(&opts, NULL, NULL);

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
		cmocka_unit_test(a_new_race_begins_without_times),
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
