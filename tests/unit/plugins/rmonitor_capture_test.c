#include <cjson/cJSON.h>

#include "rm_feed.h"
#include "support/test.h"

static const char *const captures[] = { "samples/rmonitor/orbits_mock_session.txt",
	"samples/rmonitor/sebring_2009_alms_session_4.txt",
	"samples/rmonitor/saturday_8h_start_2025.stamped.txt",
	"samples/rmonitor/barber_2025_8h_finish_with_reset.stamped.txt",
	"samples/synthetic/synth71.rmonitor.txt" };
#define CAPTURE_COUNT (sizeof(captures) / sizeof(captures[0]))

static void play(struct feed *feed, const char *name)
{
	struct rm_opts opts = { .kind = RM_SESSION_AUTO };
	size_t n;
	char *text = read_shared(name, &n);

	feed_open(feed, &opts);
	feed_text(feed, text, n);
	free(text);
}

static int64_t number(const cJSON *object, const char *name)
{
	return (int64_t)cJSON_GetObjectItem(object, name)->valuedouble;
}

static const char *text_in(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItem(object, name)->valuestring;
}

static enum rm_flag flag_named(const char *name)
{
	return strcmp(name, "Green") == 0             ? RM_FLAG_GREEN
			: strcmp(name, "Yellow") == 0 ? RM_FLAG_YELLOW
						      : RM_FLAG_FINISH;
}

static void check_laps(struct feed *feed, const cJSON *car)
{
	const cJSON *entry;
	int64_t total = 0;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItem(car, "lap_times")) {
		int32_t lap = (int32_t)cJSON_GetArrayItem(entry, 0)->valuedouble;
		struct lt_field_lap found = { .size = sizeof(found) };

		assert_true(rm_model_lap(feed->model, text_in(car, "reg"), lap, &found));
		assert_int_equal(found.lap_ms, cJSON_GetArrayItem(entry, 1)->valuedouble);
		assert_int_equal(found.flag, flag_named(cJSON_GetArrayItem(entry, 2)->valuestring));
		assert_true(found.total_ms > total);
		total = found.total_ms;
	}
}

static void the_synthetic_race_comes_out_as_its_truth(void **state)
{
	size_t n;
	char *text = read_shared("samples/synthetic/synth71.truth.json", &n);
	cJSON *truth = cJSON_Parse(text);
	const cJSON *cars = cJSON_GetObjectItem(truth, "cars"), *leader = cars->child;
	const cJSON *before = NULL, *car;
	struct feed feed;
	const struct rm_view *view;
	size_t i = 0;

	(void)state;
	play(&feed, "samples/synthetic/synth71.rmonitor.txt");
	view = rm_model_view(feed.model);

	assert_int_equal(feed.damaged, 0);
	assert_string_equal(view->description, text_in(truth, "session"));
	assert_int_equal(view->run, number(truth, "run"));
	assert_string_equal(view->track_name, text_in(truth, "track"));
	assert_true(view->is_race);
	assert_int_equal(view->row_count, cJSON_GetArraySize(cars));
	cJSON_ArrayForEach(car, cars) {
		const struct rm_row *row = &view->rows[i++];

		assert_string_equal(row->reg, text_in(car, "reg"));
		assert_string_equal(row->num, text_in(car, "num"));
		assert_string_equal(row->class_name, text_in(car, "cls"));
		assert_string_equal(row->driver, text_in(car, "driver"));
		assert_int_equal(row->in_field.laps, number(car, "laps"));
		assert_int_equal(row->in_field.total_ms, number(car, "total_ms"));
		assert_int_equal(row->in_field.last.ms, number(car, "last_ms"));
		assert_int_equal(row->in_field.best.ms, number(car, "best_ms"));
		assert_int_equal(row->in_field.best_lap, number(car, "best_lap"));
		check_laps(&feed, car);
		if (before != NULL) {
			int64_t down = number(leader, "laps") - row->in_field.laps;
			int64_t down_ahead = number(before, "laps") - row->in_field.laps;

			assert_int_equal(row->in_field.gap.laps, down);
			assert_int_equal(row->in_field.interval.laps, down_ahead);
			assert_int_equal(row->in_field.gap.ms,
					down > 0 ? -1
						 : row->in_field.total_ms -
									number(leader, "total_ms"));
			assert_int_equal(row->in_field.interval.ms,
					down_ahead > 0 ? -1
						       : row->in_field.total_ms -
									number(before, "total_ms"));
		}
		before = car;
	}

	feed_close(&feed);
	cJSON_Delete(truth);
	free(text);
}

static void real_captures_give_sane_results(void **state)
{
	static const struct {
		int records, damaged, sessions;
		size_t rows;
		bool is_race, has_pits;
		const char *description;
	} expected[CAPTURE_COUNT] = {
		{ 584, 0, 0, 6, true, false, "Test Race" },
		{ 16411, 0, 0, 24, false, true, "Test Session 4" },
		{ 3219, 0, 0, 52, true, false, "Saturday 8 Hour" },
		{ 9257, 0, 0, 59, true, false, "Barber - Saturday - 8 Hour" },
		{ 2661, 0, 0, 14, true, false, "Race 1 - 10 minutes" },
	};

	(void)state;
	for (size_t i = 0; i < CAPTURE_COUNT; i++) {
		struct feed feed;
		const struct rm_view *view;

		play(&feed, captures[i]);
		view = rm_model_view(feed.model);

		print_message("%s: %d records, %d damaged, %d ignored, %zu rows, %d published\n",
				captures[i], feed.records, feed.damaged, feed.ignored,
				view->row_count, feed.published);
		assert_int_equal(feed.records, expected[i].records);
		assert_int_equal(feed.damaged, expected[i].damaged);
		assert_int_equal(feed.sessions, expected[i].sessions);
		assert_int_equal(view->row_count, expected[i].rows);
		assert_int_equal(view->is_race, expected[i].is_race);
		assert_int_equal(view->has_pits, expected[i].has_pits);
		assert_string_equal(view->description, expected[i].description);
		assert_true(feed.published > 100);
		feed_close(&feed);
	}
}

static void check_view(const struct rm_view *view)
{
	for (size_t i = 0; i < view->row_count; i++) {
		const struct rm_row *row = &view->rows[i];

		assert_true(row->reg[0] != '\0' && row->in_field.position_in_class >= 1);
		assert_true(row->in_field.gap.ms >= -1 && row->in_field.gap.laps >= 0);
		assert_true(row->in_field.last.ms >= -1 && row->in_field.best.ms >= -1);
	}
}

/* Deterministic damage: bytes changed, dropped, doubled; about one in `rate`. */
static size_t corrupt(const char *text, size_t n, char *out, unsigned rate, uint64_t *seed)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t z = *seed += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z ^= z >> 27;
		if (z % rate != 0) {
			out[at++] = text[i];
			continue;
		}
		switch (z >> 40 & 3) {
		case 0:
			out[at++] = (char)(z >> 48);
			break;
		case 1:
			break; /* a line end lost merges lines, others cut them */
		case 2:
			out[at++] = '\n';
			break;
		default:
			out[at++] = text[i];
			out[at++] = text[i];
			break;
		}
	}
	return at;
}

static void corrupted_captures_never_break_anything(void **state)
{
	static const unsigned rates[] = { 5, 40, 400 };

	(void)state;
	for (size_t i = 0; i < CAPTURE_COUNT; i++) {
		size_t n;
		char *text = read_shared(captures[i], &n), *bad = malloc(2 * n);

		for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
			uint64_t seed = i * 100 + r;
			struct rm_opts opts = { .kind = RM_SESSION_AUTO };
			struct feed feed;

			feed_open(&feed, &opts);
			feed_text(&feed, bad, corrupt(text, n, bad, rates[r], &seed));

			assert_true(feed.damaged > 0);
			check_view(rm_model_view(feed.model));
			feed_close(&feed);
		}
		free(bad);
		free(text);
	}
}

static void joining_in_the_middle_of_a_line_costs_that_line_only(void **state)
{
	struct rm_opts opts = { .kind = RM_SESSION_AUTO };
	struct feed feed;
	size_t n;
	char *text = read_shared("samples/synthetic/synth71.rmonitor.txt", &n);
	const char *last_refresh = NULL;

	(void)state;
	for (const char *p = text; (p = strstr(p + 1, "$B,27")) != NULL;) {
		last_refresh = p;
	}
	feed_open(&feed, &opts);
	feed_text(&feed, last_refresh - 7, n - (size_t)(last_refresh - 7 - text));

	assert_int_equal(feed.ignored, 1);
	assert_int_equal(feed.damaged, 0);
	assert_int_equal(rm_model_view(feed.model)->row_count, 14);
	assert_string_equal(rm_model_view(feed.model)->rows[0].reg, "43X");
	feed_close(&feed);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_synthetic_race_comes_out_as_its_truth),
		cmocka_unit_test(real_captures_give_sane_results),
		cmocka_unit_test(corrupted_captures_never_break_anything),
		cmocka_unit_test(joining_in_the_middle_of_a_line_costs_that_line_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
