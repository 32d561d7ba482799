/* Bounds of sessions and switches: what happens at each, and that it is counted. */
#include "peer.h"

static uint64_t hits(struct fixture *f, enum lt_limit limit)
{
	struct lt_router_stats stats;

	lt_router_report(f->router, &stats);
	return stats.limit_hits[limit];
}

static int setup_small(void **state)
{
	return setup_router(state, OPEN_PERMISSIONS,
			(struct lt_limits){ .subscriptions = 2,
					.registrations = 2,
					.calls = 2,
					.uri_bytes = 8,
					.nesting = 6 });
}

static void subscriptions_are_bounded(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[32,1,{},\"a\"]");
	say(peer, "[32,2,{},\"b\"]");
	say(peer, "[32,3,{},\"a\"]");
	say(peer, "[32,4,{},\"c\"]");

	expect(peer, "[33,1,1]");
	expect(peer, "[33,2,2]");
	expect(peer, "[33,3,1]");
	expect_error(peer, "32,4", "wamp.error.limit_exceeded");
	assert_int_equal(hits(*state, LT_LIMIT_SUBSCRIPTIONS), 1);
}

static void registrations_are_bounded(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[64,1,{},\"a\"]");
	say(peer, "[64,2,{},\"b\"]");
	say(peer, "[64,3,{},\"c\"]");

	expect(peer, "[65,1,1]");
	expect(peer, "[65,2,2]");
	expect_error(peer, "64,3", "wamp.error.limit_exceeded");
	assert_int_equal(hits(*state, LT_LIMIT_REGISTRATIONS), 1);
}

static void calls_in_flight_are_bounded(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	say(callee, "[64,1,{},\"a\"]");
	say(caller, "[48,1,{},\"a\"]");
	say(caller, "[48,2,{},\"a\"]");
	say(caller, "[48,3,{},\"a\"]");
	expect_error(caller, "48,3", "wamp.error.limit_exceeded");
	say(callee, "[70,1,{}]");
	expect(caller, "[50,1,{}]");
	say(caller, "[48,4,{},\"a\"]");

	expect_silence(caller);
	assert_int_equal(hits(*state, LT_LIMIT_CALLS), 1);
}

static void long_uris_are_invalid(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[32,1,{},\"12345678\"]");
	say(peer, "[32,2,{},\"123456789\"]");

	expect(peer, "[33,1,1]");
	expect_error(peer, "32,2", "wamp.error.invalid_uri");
	assert_int_equal(hits(*state, LT_LIMIT_URI), 1);
}

static void deep_nesting_ends_the_session(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[16,1,{},\"a\",[[[[[1]]]]]]");
	expect_silence(peer);
	say(peer, "[16,1,{},\"a\",[[[[[[1]]]]]]]");

	expect_abort(peer, "wamp.error.protocol_violation");
	assert_int_equal(hits(*state, LT_LIMIT_NESTING), 1);
}

static void a_silent_connection_is_counted(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = connect_peer(f);

	lt_fake_advance(f->loop, 30000);

	expect_abort(peer, "wamp.error.timeout");
	assert_int_equal(hits(f, LT_LIMIT_HELLO_TIMEOUT), 1);
}

/* --- rate --- */

static int setup_rate(void **state)
{
	return setup_router(state, OPEN_PERMISSIONS,
			(struct lt_limits){ .messages_per_s = 10, .message_burst = 5 });
}

static int setup_rate_anonymous(void **state)
{
	return setup_router(state, NULL, (struct lt_limits){ .messages_per_s_anonymous = 10 });
}

static void say_often(struct peer *peer, int times)
{
	for (int i = 0; i < times && !peer->closed; i++) {
		say(peer, "[49,1,{}]");
	}
}

static void a_burst_passes_and_one_more_does_not(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say_often(peer, 5);
	expect_silence(peer);
	say_often(peer, 1);

	expect_abort(peer, "wamp.error.limit_exceeded");
	assert_int_equal(peer->reason, LT_CLOSE_POLICY);
	assert_int_equal(hits(*state, LT_LIMIT_RATE), 1);
}

static void the_rate_itself_passes_for_ever(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = join_anonymous(f);

	say_often(peer, 5);
	for (int i = 0; i < 100; i++) {
		lt_fake_advance(f->loop, 100);
		say_often(peer, 1);
	}

	expect_silence(peer);
}

static void a_pause_does_not_save_up_more_than_a_burst(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = join_anonymous(f);

	lt_fake_advance(f->loop, 60000);
	say_often(peer, 6);

	expect_abort(peer, "wamp.error.limit_exceeded");
}

static void the_rate_of_anonymous_sessions_binds_no_others(void **state)
{
	struct peer *guest = join_anonymous(*state), *services = join_services(*state);

	say_often(services, 100);
	expect_silence(services);
	say_often(guest, 20);
	expect_silence(guest);
	say_often(guest, 1);

	expect_abort(guest, "wamp.error.limit_exceeded");
}

static void without_a_rate_nothing_is_bounded(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say_often(peer, 100000);

	expect_silence(peer);
}

/* --- strict URIs --- */

static int setup_strict(void **state)
{
	return setup_full(state, OPEN_PERMISSIONS, (struct lt_limits){ 0 },
			(struct lt_switches){ .strict_uris = true });
}

static void strict_uris_bind_every_request_of_a_connection(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[32,1,{},\"a.b_2\"]");
	say(peer, "[32,2,{},\"a.B\"]");
	say(peer, "[64,3,{},\"a/b\"]");
	say(peer, "[48,4,{},\"a-b\"]");
	say(peer, "[16,5,{\"acknowledge\":true},\"\\u00e9\"]");
	say(peer, "[32,6,{\"match\":\"prefix\"},\"a.\"]");

	expect(peer, "[33,1,1]");
	expect_error(peer, "32,2", "wamp.error.invalid_uri");
	expect_error(peer, "64,3", "wamp.error.invalid_uri");
	expect_error(peer, "48,4", "wamp.error.invalid_uri");
	expect_error(peer, "16,5", "wamp.error.invalid_uri");
	expect(peer, "[33,6,2]");
}

static void strict_uris_leave_modules_alone(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_local *local = lt_local_join(f->router, REALM, "module", "services", &err);

	assert_true(lt_local_publish(local, LT_STR("a/B"), false, LT_STR("[]"), &err));

	lt_local_leave(local);
}

#define TEST(setup, test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(setup_small, subscriptions_are_bounded),
		TEST(setup_small, registrations_are_bounded),
		TEST(setup_small, calls_in_flight_are_bounded),
		TEST(setup_small, long_uris_are_invalid),
		TEST(setup_small, deep_nesting_ends_the_session),
		TEST(setup_small, a_silent_connection_is_counted),
		TEST(setup_rate, a_burst_passes_and_one_more_does_not),
		TEST(setup_rate, the_rate_itself_passes_for_ever),
		TEST(setup_rate, a_pause_does_not_save_up_more_than_a_burst),
		TEST(setup_rate_anonymous, the_rate_of_anonymous_sessions_binds_no_others),
		TEST(setup_open, without_a_rate_nothing_is_bounded),
		TEST(setup_strict, strict_uris_bind_every_request_of_a_connection),
		TEST(setup_strict, strict_uris_leave_modules_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
