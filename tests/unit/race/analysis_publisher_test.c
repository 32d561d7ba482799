#include "base/alloc.h"
#include "race/analysis/publisher.h"
#include "support/analysis_golden.h"
#include "support/golden.h"
#include "support/test.h"

#define SECOND     ((int64_t)LT_US_PER_S)
#define UUID       "abc"
#define STATE(row) "{\"cars\":[" row "],\"session\":{\"flagState\":\"green\"}}"

struct fixture {
	struct lt_analysis *analysis;
	struct lt_analysis_publisher *publisher;
	struct lt_wall now;
	cJSON *events; /* {"at", "topic", "retain_option", "message"} */
};

static void note_event(void *arg, const struct lt_analysis_event *event)
{
	struct fixture *f = arg;
	cJSON *args = lt_json_parse(event->args, NULL), *note = cJSON_CreateObject();

	assert_int_equal(cJSON_GetArraySize(args), 1);
	lt_json_add_float(note, "at", (double)f->now.us / LT_US_PER_S);
	lt_json_add_str(note, "topic", event->topic);
	lt_json_add_bool(note, "retain_option", event->retain);
	lt_json_set_take(note, "message", cJSON_DetachItemFromArray(args, 0));
	cJSON_Delete(args);
	cJSON_AddItemToArray(f->events, note);
}

static void set_up(struct fixture *f, const cJSON *col_spec, const char *uuid, double interval_s)
{
	*f = (struct fixture){ .events = cJSON_CreateArray() };
	f->analysis = lt_analysis_create(col_spec);
	f->publisher = lt_analysis_publisher_create(
			f->analysis, lt_str_from(uuid), interval_s, note_event, f);
}

static void tear_down(struct fixture *f)
{
	lt_analysis_publisher_destroy(f->publisher);
	lt_analysis_destroy(f->analysis);
	cJSON_Delete(f->events);
}

static void set_up_cars(struct fixture *f)
{
	cJSON *spec = json_of("[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Last\",\"time\"]]");

	set_up(f, spec, UUID, 1);
	cJSON_Delete(spec);
}

static void start_at(struct fixture *f, int64_t us)
{
	f->now.us = us;
	lt_analysis_publisher_start(f->publisher, f->now);
}

static int64_t tick_at(struct fixture *f, int64_t us)
{
	f->now.us = us;
	return lt_analysis_publisher_tick(f->publisher, f->now).us;
}

static void update_at(struct fixture *f, int64_t us, const char *state_text)
{
	cJSON *state = json_of(state_text);

	f->now.us = us;
	assert_true(lt_analysis_publisher_update(f->publisher, state, NULL, f->now, NULL));
	cJSON_Delete(state);
}

/* Events of a key; *ret_last is the last of them, or NULL. */
static int count_events(const struct fixture *f, const char *key, const cJSON **ret_last)
{
	const cJSON *event;
	char topic[128];
	int count = 0;

	snprintf(topic, sizeof(topic), "livetiming.analysis/" UUID "/%s", key);
	*ret_last = NULL;
	cJSON_ArrayForEach(event, f->events) {
		if (strcmp(lt_json_get(event, "topic")->valuestring, topic) == 0) {
			*ret_last = lt_json_get(event, "message");
			count++;
		}
	}
	return count;
}

/* --- reference data --- */

/* Between two frames the original looks once a second. */
static void tick_between(struct fixture *f, int64_t from_us, int64_t to_us)
{
	for (int64_t us = from_us + SECOND; us < to_us; us += SECOND) {
		tick_at(f, us);
	}
}

static void play(struct fixture *f, const cJSON *frames, const cJSON *messages, double offset_s)
{
	const cJSON *frame, *step = messages ? messages->child : NULL;

	cJSON_ArrayForEach(frame, frames) {
		double time_s = lt_json_get(frame, "t")->valuedouble + offset_s;
		const cJSON *block = step ? lt_json_get(step, "messages")
					  : lt_json_get(frame, "new_messages");

		f->now.us = (int64_t)(time_s * LT_US_PER_S);
		lt_analysis_publisher_update(
				f->publisher, lt_json_get(frame, "state"), block, f->now, NULL);
		if (step && frame->next) {
			double next_s = lt_json_get(frame->next, "t")->valuedouble + offset_s;

			tick_between(f, f->now.us, (int64_t)(next_s * LT_US_PER_S));
		}
		step = step ? step->next : NULL;
	}
}

/* The order is that of each topic; ours is checked to be that of all of them together. */
static void a_race_is_published_as_by_the_original(void **state)
{
	char name[GOLDEN_NAME_MAX];
	(void)state;

	for (const char *const *set = golden_sets; *set; set++) {
		cJSON *manifest = golden_json(golden_name(name, *set, "manifest.json"));
		cJSON *frames = golden_lines(golden_name(name, *set, "frames.jsonl"));
		cJSON *messages = golden_lines(golden_name(name, *set, "messages.jsonl"));
		cJSON *expected = golden_gzip_lines(
				golden_name(name, *set, "analysis_publish.jsonl.gz"));
		double first_s = lt_json_get(frames->child, "t")->valuedouble;
		struct fixture f;
		const cJSON *event, *mine;

		set_up(&f, lt_json_get(manifest, "colSpec"),
				lt_json_get(manifest, "uuid")->valuestring,
				lt_json_get(manifest, "pollInterval")->valuedouble);
		start_at(&f, (int64_t)((first_s - 1.5) * LT_US_PER_S));
		play(&f, frames, messages, 0.5);

		mine = f.events->child;
		cJSON_ArrayForEach(event, expected) {
			assert_analysis_equal(mine, event, *set);
			mine = mine->next;
		}
		assert_null(mine);
		tear_down(&f);
		cJSON_Delete(manifest);
		cJSON_Delete(frames);
		cJSON_Delete(messages);
		cJSON_Delete(expected);
	}
}

/* There the initial publication is left out, and times are whole numbers. */
static void hand_made_cases_are_published_as_by_the_original(void **state)
{
	cJSON *cases = golden_json("golden/analysis_cases.json");
	const cJSON *entry, *expected;
	(void)state;

	cJSON_ArrayForEach(entry, cases) {
		const char *case_name = lt_json_get(entry, "name")->valuestring;
		char uuid[64];
		struct fixture f;

		snprintf(uuid, sizeof(uuid), "edge-%s", case_name);
		set_up(&f, lt_json_get(entry, "colSpec"), uuid, 1);
		start_at(&f, 0);
		cJSON_Delete(f.events);
		f.events = cJSON_CreateArray();
		play(&f, lt_json_get(entry, "frames"), NULL, 0);

		const cJSON *mine = f.events->child;
		cJSON_ArrayForEach(expected, lt_json_get(entry, "published")) {
			assert_non_null(mine);
			assert_true(cJSON_GetArrayItem(expected, 0)->valuedouble ==
					lt_json_get(mine, "at")->valuedouble);
			assert_string_equal(lt_json_get(mine, "topic")->valuestring,
					cJSON_GetArrayItem(expected, 1)->valuestring);
			assert_json_equal(lt_json_get(lt_json_get(mine, "message"), "payload"),
					cJSON_GetArrayItem(expected, 2), case_name);
			mine = mine->next;
		}
		assert_null(mine);
		tear_down(&f);
	}
	cJSON_Delete(cases);
}

/* --- rules --- */

static void starting_publishes_the_whole_data(void **state)
{
	struct fixture f;
	const cJSON *message;
	(void)state;
	set_up_cars(&f);

	start_at(&f, 100 * SECOND);

	assert_int_equal(cJSON_GetArraySize(f.events), 7);
	assert_int_equal(count_events(&f, "car_messages", &message), 1);
	tear_down(&f);
}

static void nothing_is_sent_before_the_start_and_all_of_it_then(void **state)
{
	struct fixture f;
	const cJSON *message;
	(void)state;
	set_up_cars(&f);

	update_at(&f, 100 * SECOND, STATE("[\"7\",\"RUN\",[\"\",\"\"]]"));
	tick_at(&f, 101 * SECOND);
	int before = cJSON_GetArraySize(f.events);
	start_at(&f, 102 * SECOND);

	assert_int_equal(before, 0);
	assert_int_equal(count_events(&f, "static", &message), 1);
	assert_non_null(lt_json_get(lt_json_get(message, "payload"), "7"));
	assert_int_equal(count_events(&f, "stint/7", &message), 1);
	tear_down(&f);
}

static void a_key_waits_until_more_than_ten_seconds_have_passed(void **state)
{
	struct fixture f;
	const cJSON *message;
	(void)state;
	set_up_cars(&f);
	start_at(&f, 100 * SECOND);

	update_at(&f, 101 * SECOND, STATE("[\"7\",\"RUN\",[\"\",\"\"]]"));
	int64_t next_us = tick_at(&f, 110 * SECOND);
	int at_ten = count_events(&f, "static", &message);
	tick_at(&f, next_us);

	assert_int_equal(next_us, 110 * SECOND + 1);
	assert_int_equal(at_ten, 1);
	assert_int_equal(count_events(&f, "static", &message), 2);
	assert_true(tick_at(&f, 200 * SECOND) == INT64_MAX);
	tear_down(&f);
}

static void a_longer_poll_interval_is_the_interval(void **state)
{
	struct fixture f;
	const cJSON *message;
	cJSON *spec = json_of("[[\"Num\",\"text\"]]");
	(void)state;
	set_up(&f, spec, UUID, 30);
	start_at(&f, 100 * SECOND);

	update_at(&f, 101 * SECOND, STATE("[\"7\"]"));
	int64_t next_us = tick_at(&f, 120 * SECOND);

	assert_int_equal(count_events(&f, "static", &message), 1);
	assert_int_equal(next_us, 130 * SECOND + 1);
	tear_down(&f);
	cJSON_Delete(spec);
}

static void waiting_data_is_replaced_by_newer_data(void **state)
{
	struct fixture f;
	const cJSON *message;
	(void)state;
	set_up_cars(&f);
	start_at(&f, 100 * SECOND);
	update_at(&f, 101 * SECOND, STATE("[\"7\",\"RUN\",[\"\",\"\"]]"));
	update_at(&f, 112 * SECOND, STATE("[\"7\",\"RUN\",[81.5,\"\"]]"));

	update_at(&f, 113 * SECOND, STATE("[\"7\",\"RUN\",[82.5,\"\"]]"));
	update_at(&f, 114 * SECOND, STATE("[\"7\",\"RUN\",[83.5,\"\"]]"));
	tick_at(&f, 123 * SECOND);

	assert_int_equal(count_events(&f, "lap/7", &message), 2);
	cJSON *lap = cJSON_GetArrayItem(lt_json_get(lt_json_get(message, "payload"), "7"), 1);
	assert_true(lap->valuedouble == 114);
	tear_down(&f);
}

static void all_but_lap_and_stint_are_retained(void **state)
{
	struct fixture f;
	const cJSON *event;
	(void)state;
	set_up_cars(&f);

	start_at(&f, 100 * SECOND);
	update_at(&f, 101 * SECOND, STATE("[\"7\",\"RUN\",[\"\",\"\"]]"));

	cJSON_ArrayForEach(event, f.events) {
		const char *topic = lt_json_get(event, "topic")->valuestring;
		struct lt_str key = lt_str_from(strrchr(topic, '/') + 1);
		bool is_whole = lt_str_eq_c(key, "lap") || lt_str_eq_c(key, "stint");
		const cJSON *message = lt_json_get(event, "message");

		assert_int_equal(cJSON_IsTrue(lt_json_get(event, "retain_option")), !is_whole);
		assert_int_equal(cJSON_IsTrue(lt_json_get(message, "date")), !is_whole);
		assert_null(lt_json_get(message, "retain"));
	}
	tear_down(&f);
}

static void what_a_topic_may_not_contain_is_percent_encoded(void **state)
{
	static const struct {
		const char *row, *key, *number;
	} cases[] = {
		{ "[\"7 #2\",\"RUN\"]", "stint/7%20%232", "7 #2" },
		{ "[\"7.\",\"RUN\"]", "stint/7%2E", "7." },
		{ "[\"1..5\",\"RUN\"]", "stint/1%2E.5", "1..5" },
		{ "[\"50%\",\"RUN\"]", "stint/50%25", "50%" },
		{ "[\"\\u00a07\",\"RUN\"]", "stint/%C2%A07",
				"\xc2\xa0"
				"7" },
		{ "[7.5,\"RUN\"]", "stint/7.5", "7.5" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct fixture f;
		const cJSON *message;
		char text[160];
		set_up_cars(&f);
		start_at(&f, 100 * SECOND);

		snprintf(text, sizeof(text), STATE("%s"), cases[i].row);
		update_at(&f, 101 * SECOND, text);

		assert_int_equal(count_events(&f, cases[i].key, &message), 1);
		assert_non_null(lt_json_get(lt_json_get(message, "payload"), cases[i].number));
		tear_down(&f);
	}
}

static void after_a_stop_changes_wait_for_the_next_start(void **state)
{
	struct fixture f;
	const cJSON *message;
	(void)state;
	set_up_cars(&f);
	start_at(&f, 100 * SECOND);

	lt_analysis_publisher_stop(f.publisher);
	update_at(&f, 120 * SECOND, STATE("[\"7\",\"RUN\",[\"\",\"\"]]"));
	int stopped = count_events(&f, "stint/7", &message);
	start_at(&f, 130 * SECOND);

	assert_int_equal(stopped, 0);
	assert_int_equal(count_events(&f, "stint/7", &message), 1);
	assert_int_equal(count_events(&f, "static", &message), 2);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_race_is_published_as_by_the_original),
		cmocka_unit_test(hand_made_cases_are_published_as_by_the_original),
		cmocka_unit_test(starting_publishes_the_whole_data),
		cmocka_unit_test(nothing_is_sent_before_the_start_and_all_of_it_then),
		cmocka_unit_test(a_key_waits_until_more_than_ten_seconds_have_passed),
		cmocka_unit_test(a_longer_poll_interval_is_the_interval),
		cmocka_unit_test(waiting_data_is_replaced_by_newer_data),
		cmocka_unit_test(all_but_lap_and_stint_are_retained),
		cmocka_unit_test(what_a_topic_may_not_contain_is_percent_encoded),
		cmocka_unit_test(after_a_stop_changes_wait_for_the_next_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
