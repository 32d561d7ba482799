/* The delta stream in a real router: who gets which state, as a difference or whole. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"
#include "race/delta.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/delta/deltas.h"
#include "support/golden.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define CALLERS 1000
#define WAITING 16 /* states that may wait for a worker */

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_deltas *deltas;
	struct lt_local *viewer;
	struct lt_timing_observer own; /* of the service "own1" */
	int events, answers, refusals;
	struct lt_buf event, answer; /* args of the last one */
	char error[80];
	bool differ; /* two answers did */
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR(LT_REALM), NULL));
	f->viewer = lt_local_join(f->router, LT_STR(LT_REALM), "viewer", "services", NULL);
	f->deltas = lt_deltas_create(&(struct lt_deltas_env){
			.loop = f->loop, .random = f->random, .router = f->router });
	assert_true(lt_deltas_start(f->deltas, NULL));
	lt_fake_settle(f->loop);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_deltas_destroy(f->deltas);
	lt_local_leave(f->viewer);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_buf_finish(&f->event);
	lt_buf_finish(&f->answer);
	lt_free(f);
	return 0;
}

/* --- a service --- */

static void start_own(struct fixture *f)
{
	struct lt_timing_watcher watcher = lt_deltas_watcher(f->deltas);
	struct lt_timing_about about = { .uuid = LT_STR("own1") };

	f->own = (struct lt_timing_observer){ 0 };
	assert_true(watcher.attach(watcher.arg, &about, &f->own, NULL));
}

/* Twenty cars, so that a difference is shorter. */
static void write_state(struct lt_buf *buf, int n)
{
	lt_buf_add_c(buf, "{\"cars\":[");
	for (int i = 0; i < 20; i++) {
		lt_buf_printf(buf, "%s[\"%d\",\"RUN\",\"Driver %d\"]", i ? "," : "", i, i);
	}
	lt_buf_printf(buf, "],\"session\":{\"n\":%d},\"messages\":[],\"highlight\":[]}", n);
}

static void publish_own(struct fixture *f, int n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	write_state(&text, n);
	f->own.published(f->own.arg, lt_buf_str(&text), 1000 * n);
}

static void publish_own_now(struct fixture *f, int n)
{
	publish_own(f, n);
	lt_fake_settle(f->loop);
}

/* As the directory does; uuid NULL: nothing is listed. */
static void list(struct fixture *f, const char *uuid)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 }, listing = { 0 };

	lt_buf_add_char(&listing, '[');
	if (uuid) {
		lt_buf_printf(&listing, "{\"uuid\":\"%s\",\"name\":\"n\"}", uuid);
	}
	lt_buf_add_char(&listing, ']');
	lt_envelope_write(&args, LT_MSG_DIRECTORY_LISTING, lt_loop_wall(f->loop), true,
			lt_buf_str(&listing));
	assert_true(lt_local_publish(
			f->viewer, LT_STR(LT_TOPIC_DIRECTORY), true, lt_buf_str(&args), NULL));
	lt_fake_settle(f->loop);
}

static void publish_foreign(struct fixture *f, int n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 }, text = { 0 };

	write_state(&text, n);
	lt_envelope_write(
			&args, LT_MSG_SERVICE_DATA, lt_loop_wall(f->loop), true, lt_buf_str(&text));
	assert_true(lt_local_publish(f->viewer, LT_STR(LT_TOPIC_SERVICE "other1"), true,
			lt_buf_str(&args), NULL));
	lt_fake_settle(f->loop);
}

/* --- a viewer --- */

static void on_event(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;

	f->events++;
	lt_buf_clear(&f->event);
	lt_buf_add_str(&f->event, event->args);
}

static void watch(struct fixture *f, const char *uuid)
{
	char topic[80];

	snprintf(topic, sizeof(topic), "livetiming.delta.%s", uuid);
	assert_true(lt_local_subscribe(
			f->viewer, lt_str_from(topic), LT_MATCH_EXACT, true, on_event, f, NULL));
	lt_fake_settle(f->loop);
}

static void on_answer(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	if (!result->ok) {
		f->refusals++;
		snprintf(f->error, sizeof(f->error), "%s", result->error);
		return;
	}
	f->differ |= f->answers++ > 0 && !lt_str_eq(lt_buf_str(&f->answer), result->args);
	lt_buf_clear(&f->answer);
	lt_buf_add_str(&f->answer, result->args);
}

static void ask_keyframe(struct fixture *f, const char *uuid)
{
	char procedure[80];

	snprintf(procedure, sizeof(procedure), "livetiming.delta.keyframe.%s", uuid);
	assert_true(lt_local_call(
			f->viewer, lt_str_from(procedure), LT_STR("[]"), 0, on_answer, f, NULL));
}

static void expect_no_keyframe(struct fixture *f, const char *uuid)
{
	int before = f->refusals;

	ask_keyframe(f, uuid);
	lt_fake_settle(f->loop);
	assert_int_equal(f->refusals, before + 1);
	assert_string_equal(f->error, "wamp.error.no_such_procedure");
}

/* The one argument; owned. */
static cJSON *argument(const struct lt_buf *args)
{
	LT_AUTO(cJSON_Delete) cJSON *list = lt_json_parse(lt_buf_str(args), NULL);

	assert_int_equal(cJSON_GetArraySize(list), 1);
	return cJSON_DetachItemFromArray(list, 0);
}

static int seq_of(const cJSON *message)
{
	return lt_json_get(message, "seq")->valueint;
}

static int n_of(const cJSON *message)
{
	return lt_json_get(lt_json_get(lt_json_get(message, "state"), "session"), "n")->valueint;
}

static void expect_figure(const struct fixture *f, const char *name, int value)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char line[100];

	lt_deltas_write_metrics(f->deltas, &text);
	lt_buf_add_char(&text, '\0');
	snprintf(line, sizeof(line), "\n%s %d\n", name, value);
	assert_non_null(strstr(text.p, line));
}

/* --- tests --- */

static void the_first_state_is_whole_and_the_next_a_difference_of_the_same_epoch(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	publish_own_now(f, 1);
	LT_AUTO(cJSON_Delete) cJSON *first = argument(&f->event);
	publish_own_now(f, 2);
	LT_AUTO(cJSON_Delete) cJSON *second = argument(&f->event);

	assert_int_equal(f->events, 2);
	assert_int_equal(seq_of(first), 1);
	assert_int_equal(n_of(first), 1);
	assert_int_equal(seq_of(second), 2);
	assert_int_equal(lt_json_get(second, "date")->valueint, 2000);
	assert_null(lt_json_get(second, "state"));
	assert_non_null(lt_json_get(second, "diff"));
	assert_true(lt_json_equal(lt_json_get(first, "epoch"), lt_json_get(second, "epoch")));
}

static void who_comes_late_begins_with_the_newest_state_whole(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	for (int n = 1; n <= 5; n++) {
		publish_own_now(f, n);
	}
	watch(f, "own1");
	LT_AUTO(cJSON_Delete) cJSON *first = argument(&f->event);

	assert_int_equal(f->events, 1);
	assert_int_equal(seq_of(first), 5);
	assert_int_equal(n_of(first), 5);
}

static void a_thousand_who_ask_for_the_keyframe_get_the_one_that_was_made(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	publish_own_now(f, 1);
	publish_own_now(f, 2);
	for (int i = 0; i < CALLERS; i++) {
		ask_keyframe(f, "own1");
	}
	lt_fake_settle(f->loop);
	LT_AUTO(cJSON_Delete) cJSON *answer = argument(&f->answer);

	assert_int_equal(f->answers, CALLERS);
	assert_false(f->differ);
	assert_int_equal(seq_of(answer), 2);
	assert_int_equal(n_of(answer), 2);
	expect_figure(f, "livetiming_delta_keyframe_calls_total", CALLERS);
	expect_figure(f, "livetiming_delta_states_total", 1);
	expect_figure(f, "livetiming_delta_differences_total", 1);
}

static void before_the_first_state_there_is_no_keyframe(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	expect_no_keyframe(f, "own1");
	watch(f, "own1");
	assert_int_equal(f->events, 0);
}

static void a_service_that_ends_leaves_neither_state_nor_procedure(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	publish_own_now(f, 1);
	f->own.stopped(f->own.arg);
	lt_fake_settle(f->loop);

	expect_no_keyframe(f, "own1");
	watch(f, "own1");
	assert_int_equal(f->events, 0);
}

static void a_service_that_starts_again_has_another_epoch(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	publish_own_now(f, 1);
	LT_AUTO(cJSON_Delete) cJSON *before = argument(&f->event);
	f->own.stopped(f->own.arg);
	start_own(f);
	publish_own_now(f, 2);
	LT_AUTO(cJSON_Delete) cJSON *after = argument(&f->event);

	assert_int_equal(seq_of(after), 1);
	assert_int_equal(n_of(after), 2);
	assert_false(lt_json_equal(lt_json_get(before, "epoch"), lt_json_get(after, "epoch")));
}

static void a_service_that_ends_while_a_state_is_worked_on_is_gone(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	publish_own(f, 1);
	publish_own(f, 2);
	f->own.stopped(f->own.arg);
	lt_fake_settle(f->loop);

	assert_int_equal(f->events, 0);
	expect_no_keyframe(f, "own1");
}

static void nothing_is_published_after_the_stop(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	publish_own(f, 1);
	lt_deltas_stop(f->deltas);
	lt_fake_settle(f->loop);
	publish_own_now(f, 2);

	assert_int_equal(f->events, 0);
	f->own.stopped(f->own.arg);
}

static void of_states_that_come_too_fast_the_newest_are_kept_and_follow_each_other(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	for (int n = 1; n <= 3 * WAITING; n++) {
		publish_own(f, n);
	}
	lt_fake_settle(f->loop);
	ask_keyframe(f, "own1");
	lt_fake_settle(f->loop);
	LT_AUTO(cJSON_Delete) cJSON *answer = argument(&f->answer);

	/* the one that is worked on, and those that wait */
	assert_int_equal(f->events, 1 + WAITING);
	assert_int_equal(seq_of(answer), 1 + WAITING);
	assert_int_equal(n_of(answer), 3 * WAITING);
}

static void a_state_that_is_none_is_left_out_and_the_next_one_follows(void **state)
{
	static const char *const broken[] = { "", "{", "[]", "7", "{\"cars\":7}",
		"{\"cars\":[],\"session\":[]}" };
	struct fixture *f = *state;

	start_own(f);
	watch(f, "own1");
	publish_own_now(f, 1);
	for (size_t i = 0; i < LT_ARRAY_LEN(broken); i++) {
		f->own.published(f->own.arg, lt_str_from(broken[i]), 5);
		lt_fake_settle(f->loop);
	}
	assert_int_equal(f->events, 1);
	publish_own_now(f, 2);
	LT_AUTO(cJSON_Delete) cJSON *last = argument(&f->event);

	assert_int_equal(f->events, 2);
	assert_int_equal(seq_of(last), 2);
}

static void a_service_of_others_is_followed_while_it_is_listed(void **state)
{
	struct fixture *f = *state;

	publish_foreign(f, 1);
	expect_no_keyframe(f, "other1");
	list(f, "other1");
	watch(f, "other1");
	assert_int_equal(f->events, 1); /* what its topic had */
	publish_foreign(f, 2);
	LT_AUTO(cJSON_Delete) cJSON *second = argument(&f->event);
	assert_int_equal(seq_of(second), 2);
	assert_non_null(lt_json_get(second, "diff"));

	list(f, NULL);
	publish_foreign(f, 3);
	assert_int_equal(f->events, 2);
	expect_no_keyframe(f, "other1");
}

static void a_listing_does_not_end_services_of_this_daemon(void **state)
{
	struct fixture *f = *state;

	start_own(f);
	publish_own_now(f, 1);
	list(f, NULL);
	ask_keyframe(f, "own1");
	lt_fake_settle(f->loop);

	assert_int_equal(f->answers, 1);
}

static void a_service_of_this_daemon_takes_the_place_of_another(void **state)
{
	struct fixture *f = *state;
	struct lt_timing_watcher watcher = lt_deltas_watcher(f->deltas);
	struct lt_timing_about about = { .uuid = LT_STR("other1") };

	list(f, "other1");
	watch(f, "other1");
	publish_foreign(f, 1);
	assert_int_equal(f->events, 1);
	assert_true(watcher.attach(watcher.arg, &about, &f->own, NULL));
	lt_fake_settle(f->loop);
	publish_foreign(f, 2);
	assert_int_equal(f->events, 1);
	publish_own_now(f, 3);

	LT_AUTO(cJSON_Delete) cJSON *event = argument(&f->event);
	assert_int_equal(f->events, 2);
	assert_int_equal(n_of(event), 3);
	f->own.stopped(f->own.arg);
}

static void odd_listings_and_states_of_others_are_no_harm(void **state)
{
	static const char *const odd[] = { "", "[]", "[7]", "[{}]",
		"[{\"msgClass\":7,\"date\":1,\"payload\":[{}, 7, {\"uuid\":\"\"}]}]" };
	struct fixture *f = *state;

	list(f, "other1");
	watch(f, "other1");
	for (size_t i = 0; i < LT_ARRAY_LEN(odd); i++) {
		struct lt_err ignored;

		lt_local_publish(f->viewer, LT_STR(LT_TOPIC_SERVICE "other1"), false,
				lt_str_from(odd[i]), &ignored);
		lt_fake_settle(f->loop);
	}
	publish_foreign(f, 1);

	assert_int_equal(f->events, 1);
}

int main(void)
{
	lt_alloc_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_state_is_whole_and_the_next_a_difference_of_the_same_epoch),
		TEST(who_comes_late_begins_with_the_newest_state_whole),
		TEST(a_thousand_who_ask_for_the_keyframe_get_the_one_that_was_made),
		TEST(before_the_first_state_there_is_no_keyframe),
		TEST(a_service_that_ends_leaves_neither_state_nor_procedure),
		TEST(a_service_that_starts_again_has_another_epoch),
		TEST(a_service_that_ends_while_a_state_is_worked_on_is_gone),
		TEST(nothing_is_published_after_the_stop),
		TEST(of_states_that_come_too_fast_the_newest_are_kept_and_follow_each_other),
		TEST(a_state_that_is_none_is_left_out_and_the_next_one_follows),
		TEST(a_service_of_others_is_followed_while_it_is_listed),
		TEST(a_listing_does_not_end_services_of_this_daemon),
		TEST(a_service_of_this_daemon_takes_the_place_of_another),
		TEST(odd_listings_and_states_of_others_are_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
