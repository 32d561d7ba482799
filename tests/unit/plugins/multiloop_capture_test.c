#include <cjson/cJSON.h>

#include "ml_feed.h"

/* A file of the reference data, with its size; freed by the caller. */
static char *read_shared(const char *name, size_t *ret_n)
{
	char *path = shared_path(name), *text;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*ret_n = (size_t)ftell(file);
	rewind(file);
	text = malloc(*ret_n + 1);
	assert_int_equal(fread(text, 1, *ret_n, file), *ret_n);
	text[*ret_n] = '\0';
	fclose(file);
	free(path);
	return text;
}

static int64_t number(const cJSON *object, const char *name)
{
	return (int64_t)cJSON_GetObjectItem(object, name)->valuedouble;
}

static const char *text_in(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItem(object, name)->valuestring;
}

static void assert_text(struct lt_str text, const char *expected)
{
	assert_int_equal(text.n, strlen(expected));
	assert_memory_equal(text.p, expected, text.n);
}

static uint32_t flag_named(const char *name)
{
	return strcmp(name, "Green") == 0             ? LT_FLAG_GREEN
			: strcmp(name, "Yellow") == 0 ? LT_FLAG_YELLOW
						      : LT_FLAG_CHEQUERED;
}

static void check_laps(struct ml_feed *feed, const cJSON *car, int32_t index)
{
	const cJSON *entry;
	int64_t total = 0;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItem(car, "lap_times")) {
		int32_t n = (int32_t)cJSON_GetArrayItem(entry, 0)->valuedouble;
		struct lt_field_lap lap = { .size = sizeof(lap) };

		assert_int_equal(lt_field_table.lap_of(ml_model_field(feed->model), index, n, &lap),
				0);
		assert_int_equal(lap.lap_ms, cJSON_GetArrayItem(entry, 1)->valuedouble);
		assert_int_equal(lap.flag, flag_named(cJSON_GetArrayItem(entry, 2)->valuestring));
		assert_true(lap.total_ms > total);
		total = lap.total_ms;
	}
}

static void check_gap(const struct lt_field_gap *gap, const cJSON *car, const cJSON *front)
{
	int64_t down = number(front, "laps") - number(car, "laps");

	assert_int_equal(gap->laps, down);
	assert_int_equal(gap->ms,
			down > 0 ? LT_NO_TIME
				 : number(car, "total_ms") - number(front, "total_ms"));
}

static void check_truth(struct ml_feed *feed, const cJSON *truth)
{
	const cJSON *cars = cJSON_GetObjectItem(truth, "cars"), *before = NULL, *car;
	struct ml_view view = ml_model_view(feed->model, feed->now_ms);
	struct lt_field_row row = { .size = sizeof(row) };
	size_t i = 0;

	assert_string_equal(view.run, text_in(truth, "session"));
	assert_string_equal(view.track, text_in(truth, "track"));
	assert_true(view.is_race);
	assert_false(view.is_waiting);
	cJSON_ArrayForEach(car, cars) {
		assert_int_equal(lt_field_table.row(ml_model_field(feed->model), i++, &row), 0);
		assert_text(row.text[LT_TEXT_NUM], text_in(car, "num"));
		assert_text(row.text[LT_TEXT_CLASS], text_in(car, "cls"));
		assert_text(row.text[LT_TEXT_DRIVER], text_in(car, "driver"));
		assert_int_equal(row.position, number(car, "pos"));
		assert_int_equal(row.laps, number(car, "laps"));
		assert_int_equal(row.total_ms, number(car, "total_ms"));
		assert_int_equal(row.last.ms, number(car, "last_ms"));
		assert_int_equal(row.best.ms, number(car, "best_ms"));
		assert_int_equal(row.best_lap, number(car, "best_lap"));
		assert_int_equal(row.pits, number(car, "stops"));
		check_laps(feed, car, row.car);
		if (before != NULL) {
			check_gap(&row.gap, car, cars->child);
			check_gap(&row.interval, car, before);
		}
		before = car;
	}
	assert_int_not_equal(lt_field_table.row(ml_model_field(feed->model), i, &row), 0);
}

struct race {
	char *text, *truth_text;
	size_t n;
	cJSON *truth;
	struct ml_feed feed;
};

static struct race open_race(void)
{
	struct race race = { 0 };
	struct ml_opts opts = ml_test_opts();
	size_t n;

	race.truth_text = read_shared("samples/synthetic/synth71.truth.json", &n);
	race.truth = cJSON_Parse(race.truth_text);
	race.text = read_shared("samples/synthetic/synth71.multiloop.txt", &race.n);
	race.feed = ml_feed_open(&opts);
	return race;
}

static void close_race(struct race *race)
{
	ml_feed_close(&race->feed);
	cJSON_Delete(race->truth);
	free(race->truth_text);
	free(race->text);
}

static void the_synthetic_race_comes_out_as_its_truth(void **state)
{
	struct race race = open_race();

	(void)state;
	ml_feed_text(&race.feed, race.text, race.n);

	check_truth(&race.feed, race.truth);
	assert_int_equal(ml_model_counts(race.feed.model)->damaged, 0);
	assert_int_equal(ml_model_counts(race.feed.model)->ignored, 0);
	assert_int_equal(race.feed.sessions, 0);
	close_race(&race);
}

/* Ranks, laps and flags of the truth; what a lost line costs is the laps it held. */
static void lines_that_are_damaged_change_no_result(void **state)
{
	struct race race = open_race();
	struct ml_feed *feed = &race.feed;
	const char *p = race.text, *end;
	unsigned seed = 71;
	int added = 0;

	(void)state;
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		size_t n = (size_t)(end - p);
		char broken[2 * ML_LINE_MAX];

		feed->now_ms += memcmp(p, "$H", 2) == 0 ? 1000 : 0;
		seed = seed * 1103515245u + 12345u;
		if (seed >> 16 & 1) { /* a line cut, then joined to the whole one; and a late one */
			size_t cut = 3 + (seed >> 17) % (n - 3);

			memcpy(broken, p, cut);
			memcpy(broken + cut, p, n);
			ml_feed_bytes(feed, broken, cut + n);
			added++;
		}
		ml_feed_bytes(feed, p, n);
	}

	check_truth(feed, race.truth);
	assert_true(added > 500);
	assert_int_equal(ml_model_counts(feed->model)->damaged, added);
	close_race(&race);
}

static void lines_that_come_twice_and_late_change_no_result(void **state)
{
	struct race race = open_race();
	struct ml_feed *feed = &race.feed;
	const char *late[40] = { NULL }, *p = race.text, *end;
	size_t late_n[40] = { 0 }, at = 0;

	(void)state;
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		size_t n = (size_t)(end - p);

		feed->now_ms += memcmp(p, "$H", 2) == 0 ? 1000 : 0;
		ml_feed_bytes(feed, p, n);
		if (memcmp(p, "$H", 2) == 0) {
			continue;
		}
		ml_feed_bytes(feed, p, n);
		if (late[at] != NULL) { /* one from forty lines ago */
			ml_feed_bytes(feed, late[at], late_n[at]);
		}
		late[at] = p;
		late_n[at] = n;
		at = (at + 1) % 40;
	}

	check_truth(feed, race.truth);
	close_race(&race);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_synthetic_race_comes_out_as_its_truth),
		cmocka_unit_test(lines_that_are_damaged_change_no_result),
		cmocka_unit_test(lines_that_come_twice_and_late_change_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
