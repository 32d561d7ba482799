/* Closed names: what carries one, who passes, and what the realm shows of it. */
#include "base/alloc.h"
#include "base/json.h"
#include "router/guard.h"
#include "router/local.h"
#include "router/router.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define NAME "a1b2-c3"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_guard *guard;
	struct lt_local *service, *viewer;
	int events;
	char error[80];
	int results;
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR("timing"), NULL));
	f->guard = lt_router_guard(f->router);
	lt_guard_announce(f->guard, "livetiming.control", "private");
	f->service = lt_local_join(f->router, LT_STR("timing"), "service", "services", NULL);
	f->viewer = lt_local_join(f->router, LT_STR("timing"), "viewer", "anonymous", NULL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_local_leave(f->service);
	lt_local_leave(f->viewer);
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void on_event(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;

	(void)event;
	f->events++;
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	snprintf(f->error, sizeof(f->error), "%s", result->ok ? "" : result->error);
	f->results++;
}

static void answer(void *arg, const struct lt_invocation *invocation)
{
	struct fixture *f = arg;

	lt_local_yield(f->service, invocation->id, LT_STR("[1]"));
}

static void publish(struct fixture *f, const char *topic, bool retain, const char *args)
{
	assert_true(lt_local_publish(
			f->service, lt_str_from(topic), retain, lt_str_from(args), NULL));
	lt_fake_settle(f->loop);
}

static const char *call(struct fixture *f, struct lt_local *caller, const char *procedure)
{
	assert_true(lt_local_call(
			caller, lt_str_from(procedure), LT_STR("[]"), 0, on_result, f, NULL));
	lt_fake_settle(f->loop);
	return f->error;
}

static void a_name_is_found_between_delimiters_from_the_third_part_on(void **state)
{
	static const struct {
		const char *uri;
		bool is_locked;
	} cases[] = {
		{ "livetiming.service." NAME, true },
		{ "livetiming.delta." NAME, true },
		{ "livetiming.service.requestState." NAME, true },
		{ "livetiming.analysis/" NAME "/lap/7", true },
		{ "livetiming.service." NAME ".more", true },
		{ "livetiming.service." NAME "x", false },
		{ "livetiming.service.x" NAME, false },
		{ "livetiming.service.x" NAME "." NAME, true },
		{ "livetiming.service.other1", false },
		{ NAME, false },
		{ "livetiming." NAME, false },
		{ "livetiming.service.", false },
		{ "", false },
	};
	struct fixture *f = *state;

	assert_true(lt_guard_close(f->guard, LT_STR(NAME), NULL));

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		if ((lt_guard_find(f->guard, lt_str_from(cases[i].uri)) != NULL) !=
				cases[i].is_locked) {
			fail_msg("%s", cases[i].uri);
		}
	}
}

static void a_name_that_could_be_a_common_word_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	assert_false(lt_guard_close(f->guard, LT_STR("requestState"), &err));
	assert_int_equal(err.code, LT_E_INVALID);
	assert_false(lt_guard_close(f->guard, LT_STR(""), &err));
}

static void events_of_a_closed_name_reach_nobody_but_services(void **state)
{
	struct fixture *f = *state;

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	lt_local_subscribe(f->viewer, LT_STR("livetiming.service." NAME), LT_MATCH_EXACT, true,
			on_event, f, NULL);
	lt_local_subscribe(
			f->viewer, LT_STR("livetiming."), LT_MATCH_PREFIX, true, on_event, f, NULL);
	lt_local_subscribe(f->viewer, LT_STR("livetiming.."), LT_MATCH_WILDCARD, true, on_event, f,
			NULL);
	publish(f, "livetiming.service." NAME, true, "[1]");
	publish(f, "livetiming.analysis/" NAME "/lap", true, "[1]");
	assert_int_equal(f->events, 0);

	struct lt_local *dvr = lt_local_join(f->router, LT_STR("timing"), "dvr", "services", NULL);
	lt_local_subscribe(dvr, LT_STR("livetiming.service."), LT_MATCH_PREFIX, true, on_event, f,
			NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(f->events, 1);
	lt_local_leave(dvr);
}

static void a_retained_event_of_a_closed_name_is_not_replayed(void **state)
{
	struct fixture *f = *state;

	publish(f, "livetiming.service." NAME, true, "[1]");
	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	lt_local_subscribe(f->viewer, LT_STR("livetiming.service."), LT_MATCH_PREFIX, true,
			on_event, f, NULL);
	lt_local_subscribe(f->viewer, LT_STR("livetiming.service." NAME), LT_MATCH_EXACT, true,
			on_event, f, NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(f->events, 0);
}

static void an_admitted_session_gets_events_until_the_name_is_closed_anew(void **state)
{
	struct fixture *f = *state;

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	publish(f, "livetiming.service." NAME, true, "[1]");
	assert_true(lt_guard_admit(f->guard, LT_STR(NAME), lt_local_id(f->viewer)));
	lt_local_subscribe(f->viewer, LT_STR("livetiming.service." NAME), LT_MATCH_EXACT, true,
			on_event, f, NULL);
	lt_fake_settle(f->loop);
	assert_int_equal(f->events, 1);
	publish(f, "livetiming.service." NAME, true, "[2]");
	assert_int_equal(f->events, 2);

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	publish(f, "livetiming.service." NAME, true, "[3]");

	assert_int_equal(f->events, 2);
}

static void an_admission_ends_with_its_session(void **state)
{
	struct fixture *f = *state;

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	uint64_t id = lt_local_id(f->viewer);

	assert_true(lt_guard_admit(f->guard, LT_STR(NAME), id));
	assert_true(lt_guard_is_admitted(f->guard, LT_STR(NAME), id));
	lt_local_leave(f->viewer);
	f->viewer = NULL;

	assert_false(lt_guard_is_admitted(f->guard, LT_STR(NAME), id));
}

static void nobody_is_admitted_to_a_name_that_is_open(void **state)
{
	struct fixture *f = *state;

	assert_false(lt_guard_admit(f->guard, LT_STR(NAME), 7));
}

static void a_procedure_of_a_closed_name_does_not_exist_for_others(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	assert_true(lt_local_register(f->service, LT_STR("livetiming.service.requestState." NAME),
			true, answer, f, &id, NULL));
	assert_string_equal(call(f, f->viewer, "livetiming.service.requestState." NAME), "");
	lt_guard_close(f->guard, LT_STR(NAME), NULL);

	struct lt_err err = { 0 };
	bool queued = lt_local_call(f->viewer, LT_STR("livetiming.service.requestState." NAME),
			LT_STR("[]"), 0, on_result, f, &err);
	lt_fake_settle(f->loop);

	assert_true(!queued ? err.code == LT_E_NOT_FOUND
			    : strcmp(f->error, "wamp.error.no_such_procedure") == 0);
	assert_string_equal(call(f, f->service, "livetiming.service.requestState." NAME), "");
	lt_guard_open(f->guard, LT_STR(NAME));
	assert_string_equal(call(f, f->viewer, "livetiming.service.requestState." NAME), "");
}

static void an_announcement_that_mentions_a_closed_name_is_for_services_alone(void **state)
{
	struct fixture *f = *state;

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	lt_guard_admit(f->guard, LT_STR(NAME), lt_local_id(f->viewer));
	lt_local_subscribe(f->viewer, LT_STR("livetiming."), LT_MATCH_PREFIX, false, on_event, f,
			NULL);
	publish(f, "livetiming.control", false, "[{\"uuid\":\"" NAME "\"}]");
	assert_int_equal(f->events, 0);
	publish(f, "livetiming.control", false, "[{\"uuid\":\"other\"}]");

	assert_int_equal(f->events, 1);
}

static void announcements_are_read_in_every_serialization(void **state)
{
	static const struct {
		const char *args;
		bool is_locked;
	} cases[] = {
		{ "[{\"uuid\": \"" NAME "\"}]", true },
		{ "[{\"uuid\":\"x\"},{\"uuid\":\"" NAME "\"}]", true },
		{ "\x91\x81\xa4uuid\xa7" NAME, true },
		{ "\x91\x81\xa4uuid\xd9\x07" NAME, true },
		{ "\x81\xa1\x64uuid\x67" NAME, true },
		{ "\x81\xa1\x64uuid\x78\x07" NAME, true },
		{ "[{\"uuid\":\"" NAME "x\"}]", false },
		{ "[{\"name\":\"" NAME "\"}]", false },
		{ "[{\"uuid\":\"x\",\"private\":true}]", true },
		{ "[{\"uuid\":\"x\",\"private\": true}]", true },
		{ "[{\"uuid\":\"x\",\"private\":false}]", false },
		{ "\x91\x81\xa7private\xc3", true },
		{ "\x81\xa1\x67private\xf5", true },
		{ "[{\"uuid\"", false },
		{ "uuid", false },
		{ "private", false },
		{ "", false },
	};
	struct fixture *f = *state;

	lt_guard_close(f->guard, LT_STR(NAME), NULL);
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		if ((lt_guard_find_event(f->guard, LT_STR("livetiming.control"),
				     lt_str_from(cases[i].args)) != NULL) != cases[i].is_locked) {
			fail_msg("%s", cases[i].args);
		}
	}
}

static void a_reserved_procedure_needs_a_rule_of_its_own(void **state)
{
	static const char permissions[] =
			"{\"roles\":{\"desk\":{\"permissions\":[{\"uri\":\"livetiming.desk.\","
			"\"match\":\"prefix\",\"allow\":{\"call\":true}}]},"
			"\"guest\":{\"permissions\":[{\"uri\":\"livetiming.\",\"match\":\"prefix\","
			"\"allow\":{\"call\":true,\"register\":true}}]}}}";
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	uint64_t id;

	lt_router_reserve(f->router, LT_STR("livetiming.desk."),
			LT_RESERVE_CALL | LT_RESERVE_REGISTER);
	lt_router_reserve(f->router, LT_STR("livetiming.private."), LT_RESERVE_REGISTER);
	assert_true(lt_router_set_permissions(f->router, LT_STR(permissions), NULL));
	struct lt_local *desk = lt_local_join(f->router, LT_STR("timing"), "d", "desk", NULL);
	struct lt_local *guest = lt_local_join(f->router, LT_STR("timing"), "g", "guest", NULL);

	lt_local_register(f->service, LT_STR("livetiming.desk.rename"), true, answer, f, &id, NULL);
	lt_local_register(
			f->service, LT_STR("livetiming.private.open"), true, answer, f, &id, NULL);

	assert_string_equal(call(f, desk, "livetiming.desk.rename"), "");
	assert_string_equal(call(f, guest, "livetiming.private.open"), "");
	assert_false(lt_local_call(guest, LT_STR("livetiming.desk.rename"), LT_STR("[]"), 0,
			on_result, f, &err));
	assert_int_equal(err.code, LT_E_DENIED);
	assert_false(lt_local_call(f->viewer, LT_STR("livetiming.desk.rename"), LT_STR("[]"), 0,
			on_result, f, &err));
	assert_int_equal(err.code, LT_E_DENIED);
	assert_false(lt_local_register(
			guest, LT_STR("livetiming.private.open"), true, answer, f, &id, &err));
	assert_int_equal(err.code, LT_E_DENIED);
	lt_local_leave(desk);
	lt_local_leave(guest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_found_between_delimiters_from_the_third_part_on),
		TEST(a_name_that_could_be_a_common_word_is_refused),
		TEST(events_of_a_closed_name_reach_nobody_but_services),
		TEST(a_retained_event_of_a_closed_name_is_not_replayed),
		TEST(an_admitted_session_gets_events_until_the_name_is_closed_anew),
		TEST(an_admission_ends_with_its_session),
		TEST(nobody_is_admitted_to_a_name_that_is_open),
		TEST(a_procedure_of_a_closed_name_does_not_exist_for_others),
		TEST(an_announcement_that_mentions_a_closed_name_is_for_services_alone),
		TEST(announcements_are_read_in_every_serialization),
		TEST(a_reserved_procedure_needs_a_rule_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
