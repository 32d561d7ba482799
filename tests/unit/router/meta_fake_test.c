/* The meta API: what the router tells about sessions, subscriptions and registrations. */
#include "peer.h"

#define CALL(request, name, rest) "[48," #request ",{},\"wamp." name "\"" rest "]"

/* A whole message with %id for an id. */
static void expect_id(struct peer *peer, const char *format, uint64_t id)
{
	const char *mark = strstr(format, "%id");
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add(&text, format, (size_t)(mark - format));
	lt_buf_printf(&text, "%llu%s", (unsigned long long)id, mark + 3);
	expect(peer, text.p);
}

/* --- permissions --- */

static void anonymous_sessions_reach_nothing_of_it(void **state)
{
	static const char *const names[] = { "session.count", "session.list", "session.get",
		"session.kill", "session.kill_all", "session.add_testament", "subscription.list",
		"registration.list", "nothing.of.the.kind" };
	struct peer *peer = join_anonymous(*state);

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		char text[200], request[24];

		snprintf(text, sizeof(text), "[48,%zu,{},\"wamp.%s\",[1]]", i + 1, names[i]);
		say(peer, text);
		snprintf(request, sizeof(request), "48,%zu", i + 1);
		expect_error(peer, request, "wamp.error.not_authorized");
	}
	say(peer, "[32,20,{},\"wamp.session.on_join\"]");
	expect_error(peer, "32,20", "wamp.error.not_authorized");
}

static void the_count_can_be_opened_to_anonymous_sessions(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, CALL(1, "session.count", ""));
	say(peer, CALL(2, "session.list", ""));

	expect(peer, "[50,1,{},[1]]");
	expect_error(peer, "48,2", "wamp.error.not_authorized");
}

static int setup_count(void **state)
{
	return setup_switches(state, (struct lt_switches){ .anonymous_count = true });
}

static void unknown_procedures_do_not_exist(void **state)
{
	struct peer *peer = join_services(*state);

	say(peer, CALL(1, "session.nothing", ""));

	expect_error(peer, "48,1", "wamp.error.no_such_procedure");
}

/* --- sessions --- */

static void count_and_list_take_roles(void **state)
{
	struct peer *admin = join_services(*state), *other = join_anonymous(*state);

	say(admin, CALL(1, "session.count", ""));
	say(admin, CALL(2, "session.count", ",[[\"anonymous\"]]"));
	say(admin, CALL(3, "session.list", ",[[\"anonymous\"]]"));
	say(admin, CALL(4, "session.list", ",[[]]"));
	say(admin, CALL(5, "session.count", ",[null]"));

	expect(admin, "[50,1,{},[2]]");
	expect(admin, "[50,2,{},[1]]");
	expect_id(admin, "[50,3,{},[[%id]]]", other->id);
	expect(admin, "[50,4,{},[[]]]");
	expect(admin, "[50,5,{},[2]]");
}

static void modules_in_process_are_not_counted_or_killed(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_local *local = lt_local_join(f->router, REALM, "module", "services", &err);
	struct peer *admin = join_services(f);

	say(admin, CALL(1, "session.count", ""));
	say(admin, CALL(2, "session.kill_all", ""));
	say_id(admin, "[48,3,{},\"wamp.session.kill\",[%id]]", lt_local_id(local));
	say_id(admin, "[48,4,{},\"wamp.session.get\",[%id]]", lt_local_id(local));

	expect(admin, "[50,1,{},[1]]");
	expect(admin, "[50,2,{},[0]]");
	expect_error(admin, "48,3", "wamp.error.no_such_session");
	expect_member(admin, "\"type\":\"local\"");
	lt_local_leave(local);
}

static void get_describes_a_session(void **state)
{
	struct peer *admin = join_services(*state);
	char text[400];

	say_id(admin, "[48,1,{},\"wamp.session.get\",[%id]]", admin->id);
	say(admin, CALL(2, "session.get", ",[77]"));

	snprintf(text, sizeof(text),
			"[50,1,{},[{\"session\":%llu,\"authid\":\"services\",\"authrole\":\"services\","
			"\"authmethod\":\"ticket\",\"authprovider\":\"static\",\"transport\":"
			"{\"type\":\"test\",\"protocol\":\"wamp.2.json\",\"peer\":\"127.0.0.1\"}}]]",
			(unsigned long long)admin->id);
	expect(admin, text);
	expect_error(admin, "48,2", "wamp.error.no_such_session");
}

static void kill_says_goodbye_with_reason_and_message(void **state)
{
	struct peer *admin = join_services(*state), *a = join_anonymous(*state);
	struct peer *b = join_anonymous(*state);

	say_id(admin, "[48,1,{},\"wamp.session.kill\",[%id]]", a->id);
	say_id(admin, "[48,2,{},\"wamp.session.kill\",[%id],{\"reason\":\"a.reason\",\"message\":\"off\"}]",
			b->id);

	expect(admin, "[50,1,{}]");
	expect(admin, "[50,2,{}]");
	expect(a, "[6,{},\"wamp.close.killed\"]");
	expect(b, "[6,{\"message\":\"off\"},\"a.reason\"]");
	assert_true(a->closed && b->closed);
	say(a, "[32,1,{},\"t\"]");
	expect_silence(a);
}

static void kill_spares_its_caller_and_needs_a_good_reason(void **state)
{
	struct peer *admin = join_services(*state), *other = join_anonymous(*state);

	say_id(admin, "[48,1,{},\"wamp.session.kill\",[%id]]", admin->id);
	say(admin, CALL(2, "session.kill", ",[5]"));
	say_id(admin, "[48,3,{},\"wamp.session.kill\",[%id],{\"reason\":\"a..b\"}]", other->id);
	say(admin, CALL(4, "session.kill_all", ",[],{\"reason\":\"no good\"}"));
	say(admin, CALL(5, "session.kill_all", ",[],{\"reason\":5}"));

	expect_error(admin, "48,1", "wamp.error.no_such_session");
	expect_error(admin, "48,2", "wamp.error.no_such_session");
	expect_error(admin, "48,3", "wamp.error.invalid_uri");
	expect_error(admin, "48,4", "wamp.error.invalid_uri");
	expect_error(admin, "48,5", "wamp.error.invalid_argument");
	expect_silence(other);
}

static void many_are_killed_by_authid_role_or_all(void **state)
{
	struct peer *admin = join_services(*state), *twin = join_services(*state);
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);

	say(admin, CALL(1, "session.kill_by_authid", ",[\"services\"]"));
	say(admin, CALL(2, "session.kill_by_authrole", ",[\"anonymous\"]"));
	twin->read = twin->count - 1;
	expect_id(admin, "[50,1,{},[[%id]]]", twin->id);
	expect(admin, "[50,2,{},[2]]");
	expect(twin, "[6,{},\"wamp.close.killed\"]");
	expect(a, "[6,{},\"wamp.close.killed\"]");
	expect(b, "[6,{},\"wamp.close.killed\"]");

	struct peer *c = join_anonymous(*state);

	say(admin, CALL(3, "session.kill_all", ",[],{\"reason\":\"a.b\"}"));
	expect(admin, "[50,3,{},[1]]");
	expect(c, "[6,{},\"a.b\"]");
	say(admin, CALL(4, "session.kill_by_authid", ",[\"nobody\"]"));
	expect(admin, "[50,4,{},[[]]]");
}

static void a_killed_callee_fails_the_calls_that_wait_for_it(void **state)
{
	struct peer *admin = join_services(*state), *callee = join_services(*state);

	say(callee, "[64,1,{},\"p\"]");
	say(admin, "[48,1,{},\"p\"]");
	say_id(admin, "[48,2,{},\"wamp.session.kill\",[%id]]", callee->id);

	expect_error(admin, "48,1", "wamp.error.canceled");
	expect(admin, "[50,2,{}]");
}

static void bad_arguments_are_refused(void **state)
{
	static const char *const bad[] = {
		"session.count\",[5]",
		"session.count\",[[1]]",
		"session.list\",[\"anonymous\"]",
		"session.get\"",
		"session.get\",[\"1\"]",
		"session.get\",[1.5]",
		"session.get\",[0]",
		"session.get\",[-1]",
		"session.kill\",[null]",
		"session.kill_by_authid\",[7]",
		"session.kill_by_authrole\"",
		"session.add_testament\"",
		"session.add_testament\",[\"t\",[]]",
		"session.add_testament\",[\"t\",{},[]]",
		"session.add_testament\",[\"t\",[],{}],{\"scope\":\"never\"}",
		"session.add_testament\",[\"t\",[],{}],{\"publish_options\":[]}",
		"session.add_testament\",[\"t\",[],{}],{\"publish_options\":{\"retain\":1}}",
		"session.flush_testaments\",[\"never\"]",
		"subscription.get\",[\"x\"]",
		"subscription.lookup\",[1]",
		"subscription.lookup\",[\"t\",{\"match\":\"some\"}]",
		"subscription.lookup\",[\"t\",[]]",
		"subscription.match\"",
		"subscription.list_subscribers\"",
		"registration.count_callees\",[{}]",
		"registration.match\",[null]",
	};
	struct peer *peer = join_services(*state);

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		char text[300], request[24];

		snprintf(text, sizeof(text), "[48,%zu,{},\"wamp.%s]", i + 1, bad[i]);
		say(peer, text);
		snprintf(request, sizeof(request), "48,%zu", i + 1);
		expect_error(peer, request, "wamp.error.invalid_argument");
	}
}

static void joins_and_leaves_are_told(void **state)
{
	struct peer *admin = join_services(*state);

	say(admin, "[32,1,{},\"wamp.session.on_join\"]");
	say(admin, "[32,2,{},\"wamp.session.on_leave\"]");
	expect(admin, "[33,1,1]");
	expect(admin, "[33,2,2]");

	struct peer *other = join_anonymous(*state);
	struct peer *refused = connect_peer(*state);

	expect_member(admin, "\"authmethod\":\"anonymous\"");
	vanish(other);
	expect_member(admin, ",\"anonymous\"]]");
	say(refused, "[1,\"nowhere\",{\"roles\":{\"caller\":{}}}]");
	vanish(refused);
	expect_silence(admin);
}

static void a_catch_all_does_not_hear_who_comes(void **state)
{
	struct peer *peer = join_anonymous(*state), *admin = join_services(*state);

	say(peer, "[32,1,{\"match\":\"prefix\"},\"\"]");
	say(admin, "[32,1,{\"match\":\"prefix\"},\"\"]");
	say(admin, "[32,2,{},\"wamp.session.on_join\"]");
	expect(peer, "[33,1,1]");
	expect(admin, "[33,1,1]");
	expect(admin, "[33,2,2]");

	join_anonymous(*state);

	expect_silence(peer);
	expect_start(admin, "[36,2,");
	expect_silence(admin);
}

/* --- subscriptions --- */

static void subscriptions_can_be_looked_up(void **state)
{
	struct peer *admin = join_services(*state), *other = join_anonymous(*state);

	say(other, "[32,1,{},\"a.b\"]");
	say(other, "[32,2,{\"match\":\"prefix\"},\"a.\"]");
	say(other, "[32,3,{\"match\":\"wildcard\"},\"a..c\"]");
	say(admin, CALL(1, "subscription.list", ""));
	say(admin, CALL(2, "subscription.lookup", ",[\"a.b\"]"));
	say(admin, CALL(3, "subscription.lookup", ",[\"a.\",{\"match\":\"prefix\"}]"));
	say(admin, CALL(4, "subscription.lookup", ",[\"a.c\"]"));
	say(admin, CALL(5, "subscription.match", ",[\"a.b\"]"));
	say(admin, CALL(6, "subscription.get", ",[2]"));
	say(admin, CALL(7, "subscription.list_subscribers", ",[1]"));
	say(admin, CALL(8, "subscription.count_subscribers", ",[1]"));
	say(admin, CALL(9, "subscription.get", ",[99]"));
	say(admin, CALL(10, "subscription.list_subscribers", ",[99]"));
	say(admin, CALL(11, "subscription.count_subscribers", ",[99]"));
	say(admin, CALL(12, "subscription.match", ",[\"x\"]"));

	expect(admin, "[50,1,{},[{\"exact\":[1],\"prefix\":[2],\"wildcard\":[3]}]]");
	expect(admin, "[50,2,{},[1]]");
	expect(admin, "[50,3,{},[2]]");
	expect(admin, "[50,4,{},[null]]");
	expect(admin, "[50,5,{},[[1,2]]]");
	expect(admin,
			"[50,6,{},[{\"id\":2,\"created\":\"2026-05-16T13:00:00.000Z\",\"uri\":\"a.\","
			"\"match\":\"prefix\"}]]");
	expect_id(admin, "[50,7,{},[[%id]]]", other->id);
	expect(admin, "[50,8,{},[1]]");
	expect_error(admin, "48,9", "wamp.error.no_such_subscription");
	expect_error(admin, "48,10", "wamp.error.no_such_subscription");
	expect_error(admin, "48,11", "wamp.error.no_such_subscription");
	expect(admin, "[50,12,{},[[]]]");
}

/* The topic of the next EVENT, which must end so. */
static void expect_news(struct peer *peer, const char *topic, const char *args)
{
	const char *message = next_message(peer);
	char piece[200];

	snprintf(piece, sizeof(piece), "{\"topic\":\"wamp.%s\"}", topic);
	if (!strstr(message, piece) || !strstr(message, args)) {
		fail_msg("expected %s %s in %s", piece, args, message);
	}
}

static void subscriptions_are_told_in_order_also_on_disconnect(void **state)
{
	struct peer *admin = join_services(*state), *a = join_anonymous(*state);
	struct peer *b = join_anonymous(*state);
	char args[100];

	say(admin, "[32,1,{\"match\":\"prefix\"},\"wamp.subscription.\"]");
	expect(admin, "[33,1,1]");
	say(a, "[32,1,{},\"t\"]");
	say(b, "[32,1,{},\"t\"]");
	say(a, "[34,2,2]");
	vanish(b);

	snprintf(args, sizeof(args), "[%llu,{\"id\":2,", (unsigned long long)a->id);
	expect_news(admin, "subscription.on_create", args);
	snprintf(args, sizeof(args), "[%llu,2]", (unsigned long long)a->id);
	expect_news(admin, "subscription.on_subscribe", args);
	snprintf(args, sizeof(args), "[%llu,2]", (unsigned long long)b->id);
	expect_news(admin, "subscription.on_subscribe", args);
	snprintf(args, sizeof(args), "[%llu,2]", (unsigned long long)a->id);
	expect_news(admin, "subscription.on_unsubscribe", args);
	snprintf(args, sizeof(args), "[%llu,2]", (unsigned long long)b->id);
	expect_news(admin, "subscription.on_unsubscribe", args);
	expect_news(admin, "subscription.on_delete", args);
	expect_silence(admin);
}

/* --- registrations --- */

static void registrations_can_be_looked_up(void **state)
{
	struct peer *admin = join_services(*state), *callee = join_services(*state);

	say(callee, "[64,1,{},\"a.b\"]");
	say(callee, "[64,2,{\"match\":\"prefix\",\"invoke\":\"roundrobin\"},\"a.\"]");
	say(admin, CALL(1, "registration.list", ""));
	say(admin, CALL(2, "registration.lookup", ",[\"a.b\"]"));
	say(admin, CALL(3, "registration.lookup", ",[\"a.\",{\"match\":\"prefix\"}]"));
	say(admin, CALL(4, "registration.match", ",[\"a.x\"]"));
	say(admin, CALL(5, "registration.match", ",[\"x\"]"));
	say(admin, CALL(6, "registration.get", ",[2]"));
	say(admin, CALL(7, "registration.list_callees", ",[1]"));
	say(admin, CALL(8, "registration.count_callees", ",[1]"));
	say(admin, CALL(9, "registration.get", ",[99]"));

	expect(admin, "[50,1,{},[{\"exact\":[1],\"prefix\":[2],\"wildcard\":[]}]]");
	expect(admin, "[50,2,{},[1]]");
	expect(admin, "[50,3,{},[2]]");
	expect(admin, "[50,4,{},[2]]");
	expect(admin, "[50,5,{},[null]]");
	expect(admin,
			"[50,6,{},[{\"id\":2,\"created\":\"2026-05-16T13:00:00.000Z\",\"uri\":\"a.\","
			"\"match\":\"prefix\",\"invoke\":\"roundrobin\"}]]");
	expect_id(admin, "[50,7,{},[[%id]]]", callee->id);
	expect(admin, "[50,8,{},[1]]");
	expect_error(admin, "48,9", "wamp.error.no_such_registration");
}

static void registrations_are_told_in_order(void **state)
{
	struct peer *admin = join_services(*state), *callee = join_services(*state);
	char args[100];

	say(admin, "[32,1,{\"match\":\"prefix\"},\"wamp.registration.\"]");
	expect(admin, "[33,1,1]");
	say(callee, "[64,1,{},\"p\"]");
	vanish(callee);

	snprintf(args, sizeof(args), "[%llu,{\"id\":1,", (unsigned long long)callee->id);
	expect_news(admin, "registration.on_create", args);
	snprintf(args, sizeof(args), "[%llu,1]", (unsigned long long)callee->id);
	expect_news(admin, "registration.on_register", args);
	expect_news(admin, "registration.on_unregister", args);
	expect_news(admin, "registration.on_delete", args);
	expect_silence(admin);
}

/* --- testaments --- */

static void testaments_are_published_when_the_session_ends(void **state)
{
	struct peer *dying = join_services(*state), *heir = join_anonymous(*state);

	say(heir, "[32,1,{},\"t\"]");
	expect(heir, "[33,1,1]");
	say(dying, CALL(1, "session.add_testament", ",[\"t\",[9007199254740993,1.50],{\"k\":1}]"));
	say(dying, CALL(2, "session.add_testament", ",[\"t\",[2],{}],{\"scope\":\"detached\"}"));
	expect(dying, "[50,1,{}]");
	expect(dying, "[50,2,{}]");
	expect_silence(heir);
	vanish(dying);

	expect_member(heir, ",{},[2]]");
	expect_member(heir, ",{},[9007199254740993,1.50],{\"k\":1}]");
	expect_silence(heir);
}

static void testaments_take_options_of_publish(void **state)
{
	struct peer *dying = join_services(*state), *late;

	say(dying,
			CALL(1, "session.add_testament",
					",[\"t\",[1],{}],{\"publish_options\":{\"retain\":true,"
					"\"disclose_me\":true}}"));
	vanish(dying);
	late = join_anonymous(*state);
	say(late, "[32,1,{\"get_retained\":true},\"t\"]");

	expect(late, "[33,1,1]");
	expect_member(late, "\"publisher_authid\":\"services\"");
}

static void flushed_testaments_are_forgotten(void **state)
{
	struct peer *dying = join_services(*state), *heir = join_anonymous(*state);

	say(heir, "[32,1,{},\"t\"]");
	expect(heir, "[33,1,1]");
	say(dying, CALL(1, "session.add_testament", ",[\"t\",[1],{}]"));
	say(dying, CALL(2, "session.add_testament", ",[\"t\",[2],{}],{\"scope\":\"detached\"}"));
	say(dying, CALL(3, "session.flush_testaments", ",[],{\"scope\":\"destroyed\"}"));
	say(dying, CALL(4, "session.flush_testaments", ""));
	dying->read += 2;
	expect(dying, "[50,3,{},[1]]");
	expect(dying, "[50,4,{},[0]]");
	vanish(dying);

	expect_member(heir, "[2]");
	expect_silence(heir);
}

static void a_testament_needs_the_right_to_publish(void **state)
{
	struct peer *peer = join_services(*state);

	say(peer, CALL(1, "session.add_testament", ",[\"wamp.x\",[],{}]"));
	say(peer, CALL(2, "session.add_testament", ",[\"a..b\",[],{}]"));

	expect_error(peer, "48,1", "wamp.error.not_authorized");
	expect_error(peer, "48,2", "wamp.error.invalid_uri");
}

static void testaments_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = join_services(f);
	struct lt_router_stats stats;

	for (int i = 0; i < 2; i++) {
		say(peer, CALL(1, "session.add_testament", ",[\"t\",[],{}]"));
		expect(peer, "[50,1,{}]");
	}
	say(peer, CALL(2, "session.add_testament", ",[\"t\",[],{}]"));

	expect_error(peer, "48,2", "wamp.error.limit_exceeded");
	lt_router_report(f->router, &stats);
	assert_int_equal(stats.limit_hits[LT_LIMIT_TESTAMENTS], 1);
}

static int setup_two_testaments(void **state)
{
	return setup_router(state, NULL, (struct lt_limits){ .testaments = 2 });
}

/* --- figures --- */

static void count_name(void *arg, const char *name, uint64_t sessions)
{
	lt_buf_printf(arg, "%s %llu,", name, (unsigned long long)sessions);
}

static void sessions_are_counted_by_role_and_transport(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	join_services(f);
	vanish(join_anonymous(f));
	join_anonymous(f);
	lt_router_count_roles(f->router, count_name, &text);
	lt_router_count_transports(f->router, count_name, &text);

	assert_non_null(strstr(text.p, "anonymous 1,"));
	assert_non_null(strstr(text.p, "services 1,"));
	assert_non_null(strstr(text.p, "test 2,"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_default, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(anonymous_sessions_reach_nothing_of_it),
		cmocka_unit_test_setup_teardown(the_count_can_be_opened_to_anonymous_sessions,
				setup_count, teardown),
		TEST(unknown_procedures_do_not_exist),
		TEST(count_and_list_take_roles),
		TEST(modules_in_process_are_not_counted_or_killed),
		TEST(get_describes_a_session),
		TEST(kill_says_goodbye_with_reason_and_message),
		TEST(kill_spares_its_caller_and_needs_a_good_reason),
		TEST(many_are_killed_by_authid_role_or_all),
		TEST(a_killed_callee_fails_the_calls_that_wait_for_it),
		TEST(bad_arguments_are_refused),
		TEST(joins_and_leaves_are_told),
		TEST(a_catch_all_does_not_hear_who_comes),
		TEST(subscriptions_can_be_looked_up),
		TEST(subscriptions_are_told_in_order_also_on_disconnect),
		TEST(registrations_can_be_looked_up),
		TEST(registrations_are_told_in_order),
		TEST(testaments_are_published_when_the_session_ends),
		TEST(testaments_take_options_of_publish),
		TEST(flushed_testaments_are_forgotten),
		TEST(a_testament_needs_the_right_to_publish),
		cmocka_unit_test_setup_teardown(
				testaments_are_bounded, setup_two_testaments, teardown),
		TEST(sessions_are_counted_by_role_and_transport),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
