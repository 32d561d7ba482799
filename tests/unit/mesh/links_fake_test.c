#include "unit/mesh/mesh_fixture.h"

/* A session at a node that registered "p" with these options. */
static struct peer *callee_at(struct mesh *m, int node, const char *options)
{
	struct peer *peer = join_at(m, node);
	char text[200];

	snprintf(text, sizeof(text), "[64,1,%s,\"p\"]", options);
	say(peer, text);
	expect_start(peer, "[65,1,");
	lt_fake_settle(m->loop);
	return peer;
}

static uint64_t registration_of(const struct peer *callee)
{
	unsigned long long id = 0;

	assert_int_equal(sscanf(callee->messages[1], "[65,1,%llu]", &id), 1);
	return id;
}

/* The id of the invocation that comes next; `rest` is what follows the registration. */
static unsigned long long expect_invocation(struct peer *callee, const char *rest)
{
	const char *message = next_message(callee);
	unsigned long long id = 0, registration = 0;
	int at = 0;

	if (sscanf(message, "[68,%llu,%llu,%n", &id, &registration, &at) < 2) {
		fail_msg("expected an INVOCATION, got %s", message);
	}
	if (rest) {
		assert_string_equal(message + at, rest);
	}
	return id;
}

static void answer(struct mesh *m, struct peer *callee, const char *format, uint64_t invocation)
{
	say_id(callee, format, invocation);
	lt_fake_settle(m->loop);
}

static void call(struct mesh *m, struct peer *caller, const char *message)
{
	say(caller, message);
	lt_fake_settle(m->loop);
}

/* --- calls --- */

static void a_call_reaches_the_callee_at_another_node_and_its_result_comes_back(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{},\"p\",[1],{\"k\":2}]");
	answer(m, callee, "[70,%id,{},[3],{\"r\":4}]",
			expect_invocation(callee, "{},[1],{\"k\":2}]"));
	expect(caller, "[50,7,{},[3],{\"r\":4}]");
	expect_silence(caller);
}

static void an_error_keeps_its_name_and_arguments(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{},\"p\"]");
	answer(m, callee, "[8,68,%id,{},\"my.error\",[1],{\"k\":2}]",
			expect_invocation(callee, "{}]"));
	expect(caller, "[8,48,7,{},\"my.error\",[1],{\"k\":2}]");
}

static void results_may_be_progressive(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);
	unsigned long long id;

	call(m, caller, "[48,7,{\"receive_progress\":true},\"p\"]");
	id = expect_invocation(callee, "{\"receive_progress\":true}]");
	answer(m, callee, "[70,%id,{\"progress\":true},[1]]", id);
	answer(m, callee, "[70,%id,{\"progress\":true},[2]]", id);
	answer(m, callee, "[70,%id,{},[3]]", id);
	expect(caller, "[50,7,{\"progress\":true},[1]]");
	expect(caller, "[50,7,{\"progress\":true},[2]]");
	expect(caller, "[50,7,{},[3]]");
}

static void a_cancel_reaches_the_callee_in_its_mode(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);
	unsigned long long id;
	char text[80];

	call(m, caller, "[48,7,{},\"p\"]");
	id = expect_invocation(callee, "{}]");
	call(m, caller, "[49,7,{\"mode\":\"kill\"}]");
	snprintf(text, sizeof(text), "[69,%llu,{\"mode\":\"kill\"}]", id);
	expect(callee, text);
	expect_silence(caller); /* until the callee has ended it */
	answer(m, callee, "[8,68,%id,{},\"wamp.error.canceled\"]", id);
	expect(caller, "[8,48,7,{},\"wamp.error.canceled\"]");

	call(m, caller, "[48,8,{},\"p\"]");
	expect_invocation(callee, "{}]");
	call(m, caller, "[49,8,{\"mode\":\"killnowait\"}]");
	expect_error(caller, "48,8", "wamp.error.canceled");
	expect_start(callee, "[69,");
}

static void a_timeout_ends_the_call_and_is_told_to_the_callee(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{\"timeout\":500},\"p\"]");
	expect_invocation(callee, "{}]");
	lt_fake_advance(m->loop, 500);
	expect_error(caller, "48,7", "wamp.error.timeout");
	expect_start(callee, "[69,");
}

static void the_callee_learns_who_calls_as_if_it_were_here(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);
	char text[100];

	call(m, caller, "[48,7,{\"disclose_me\":true},\"p\"]");
	snprintf(text, sizeof(text), "{\"caller\":%llu,\"caller_authid\":\"",
			(unsigned long long)caller->id);
	expect_member(callee, text);
	assert_null(strstr(callee->messages[2], "local_"));
}

static void note_invocation(void *arg, const struct lt_invocation *invocation)
{
	char *text = arg;

	snprintf(text, 200, "%.*s %llu %.*s", LT_STR_ARG(invocation->caller_role),
			(unsigned long long)invocation->origin.session,
			LT_STR_ARG(invocation->origin.address));
}

static void a_module_in_process_learns_who_really_calls(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[1].f.router, REALM, "x", "services", NULL);
	struct peer *caller = join_at(m, 0);
	char seen[200] = "", wanted[200];

	lt_local_register(local, LT_STR("p"), true, note_invocation, seen, NULL, NULL);
	lt_fake_settle(m->loop);
	call(m, caller, "[48,7,{},\"p\"]");
	snprintf(wanted, sizeof(wanted), "anonymous %llu 127.0.0.1",
			(unsigned long long)caller->id);
	assert_string_equal(seen, wanted);
	lt_local_leave(local);
}

static void nobody_there_is_answered_at_once(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	say_id(callee, "[66,2,%id]", registration_of(callee));
	lt_fake_settle(m->loop);
	call(m, caller, "[48,7,{},\"p\"]");
	expect_error(caller, "48,7", "wamp.error.no_such_procedure");
}

static void a_callee_that_leaves_ends_its_calls(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{},\"p\"]");
	vanish(callee);
	lt_fake_settle(m->loop);
	expect_error(caller, "48,7", "wamp.error.canceled");
}

static void a_caller_that_leaves_interrupts_the_callee(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{},\"p\"]");
	expect_invocation(callee, NULL);
	vanish(caller);
	lt_fake_settle(m->loop);
	expect_start(callee, "[69,");
}

static void messages_too_large_for_the_bus_end_the_call_with_an_error(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);
	char large[2000];

	bus_memory_limit(m->nodes[0].bus, 1000);
	bus_memory_limit(m->nodes[1].bus, 1000);
	snprintf(large, sizeof(large), "[48,7,{},\"p\",[\"%01500d\"]]", 7);
	call(m, caller, large);
	expect_error(caller, "48,7", "wamp.error.payload_size_exceeded");
	call(m, caller, "[48,8,{},\"p\"]");
	snprintf(large, sizeof(large), "[70,%llu,{},[\"%01500d\"]]",
			expect_invocation(callee, "{}]"), 7);
	call(m, callee, large);
	expect_error(caller, "48,8", "wamp.error.payload_size_exceeded");
	call(m, caller, "[48,9,{},\"p\"]");
	answer(m, callee, "[70,%id,{},[1]]", expect_invocation(callee, "{}]"));
	expect(caller, "[50,9,{},[1]]");
}

/* --- registrations --- */

static void patterns_are_called_at_other_nodes_with_the_procedure_told(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = join_at(m, 1), *caller = join_at(m, 0);

	say(callee, "[64,1,{\"match\":\"prefix\"},\"a.b\"]");
	expect_start(callee, "[65,1,");
	lt_fake_settle(m->loop);
	call(m, caller, "[48,7,{},\"a.b.c\",[1]]");
	answer(m, callee, "[70,%id,{},[2]]",
			expect_invocation(callee, "{\"procedure\":\"a.b.c\"},[1]]"));
	expect(caller, "[50,7,{},[2]]");
}

static void a_shared_registration_is_shared_between_nodes(void **state)
{
	struct mesh *m = *state;
	struct peer *here = callee_at(m, 0, "{\"invoke\":\"roundrobin\"}");
	struct peer *there = callee_at(m, 1, "{\"invoke\":\"roundrobin\"}");
	struct peer *caller = join_at(m, 0);

	for (int i = 1; i <= 4; i++) {
		char text[60];

		snprintf(text, sizeof(text), "[48,%d,{},\"p\",[%d]]", i, i);
		call(m, caller, text);
	}
	expect_invocation(here, "{},[1]]");
	expect_invocation(here, "{},[3]]");
	expect_silence(here);
	expect_invocation(there, "{},[2]]");
	expect_invocation(there, "{},[4]]");
	expect_silence(there);
}

static void a_procedure_taken_at_another_node_is_taken(void **state)
{
	struct mesh *m = *state;
	struct peer *other = join_at(m, 0);

	callee_at(m, 1, "{}");
	say(other, "[64,1,{},\"p\"]");
	expect_error(other, "64,1", "wamp.error.procedure_already_exists");
}

static void force_takes_a_procedure_from_another_node_and_tells_its_callee(void **state)
{
	struct mesh *m = *state;
	struct peer *old = callee_at(m, 1, "{}"), *caller = join_at(m, 1);
	struct peer *new = callee_at(m, 0, "{\"force_reregister\":true}");

	expect_start(old, "[67,0,{\"registration\":");
	call(m, caller, "[48,7,{},\"p\"]");
	expect_invocation(new, "{}]");
	expect_silence(old);
}

static void on_local_call(void *arg, const struct lt_invocation *invocation)
{
	(void)invocation;
	++*(int *)arg;
}

static void modules_of_each_node_stand_beside_each_other_and_its_own_is_called(void **state)
{
	struct mesh *m = *state;
	struct lt_local *locals[2];
	struct peer *caller = join_at(m, 1);
	int calls[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		locals[i] = lt_local_join(m->nodes[i].f.router, REALM, "x", "services", NULL);
		assert_true(lt_local_register(locals[i], LT_STR("p"), true, on_local_call,
				&calls[i], NULL, NULL));
		lt_fake_settle(m->loop);
	}
	call(m, caller, "[48,7,{},\"p\"]");
	assert_int_equal(calls[1], 1);
	lt_local_leave(locals[1]);
	call(m, caller, "[48,8,{},\"p\"]");
	lt_fake_settle(m->loop);
	assert_int_equal(calls[0], 1);
	lt_local_leave(locals[0]);
}

static void a_node_that_comes_later_can_call_what_was_registered_before(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller;

	start_node(m, 2);
	lt_fake_settle(m->loop);
	caller = join_at(m, 2);
	call(m, caller, "[48,7,{},\"p\"]");
	expect_invocation(callee, "{}]");
}

/* --- who is where --- */

static void the_meta_api_says_which_node(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[0].f.router, REALM, "x", "services", NULL);
	struct peer *asker = join_services(&m->nodes[0].f);
	unsigned long long callee = 0;

	callee_at(m, 1, "{}");
	say_id(asker, "[48,1,{},\"wamp.session.get\",[%id]]", asker->id);
	expect_member(asker, "\"node\":\"a\"");
	say(asker, "[48,2,{},\"wamp.registration.lookup\",[\"p\"]]");
	assert_int_equal(sscanf(next_message(asker), "[50,2,{},[%llu]]", &callee), 1);
	say_id(asker, "[48,3,{},\"wamp.registration.list_callees\",[%id]]", callee);
	assert_int_equal(sscanf(next_message(asker), "[50,3,{},[[%llu]]]", &callee), 1);
	say_id(asker, "[48,4,{},\"wamp.session.get\",[%id]]", callee);
	expect_member(asker, "\"node\":\"b\"");
	say(asker, "[48,5,{},\"wamp.session.count\"]");
	expect(asker, "[50,5,{},[1]]"); /* nodes are no sessions */
	lt_local_leave(local);
}

/* --- faults --- */

static void a_node_that_says_goodbye_is_gone_at_once(void **state)
{
	struct mesh *m = *state;
	struct peer *caller = join_at(m, 0);

	callee_at(m, 1, "{}");
	call(m, caller, "[48,7,{},\"p\"]");
	stop_node(m, 1);
	lt_fake_settle(m->loop);
	expect_error(caller, "48,7", "wamp.error.canceled");
	call(m, caller, "[48,8,{},\"p\"]");
	expect_error(caller, "48,8", "wamp.error.no_such_procedure");
}

static void a_node_that_dies_is_gone_after_six_seconds(void **state)
{
	struct mesh *m = *state;
	struct peer *caller = join_at(m, 0);

	callee_at(m, 1, "{}");
	call(m, caller, "[48,7,{},\"p\"]");
	kill_node(m, 1);
	lt_fake_advance(m->loop, LT_NODES_GONE_MS - LT_NODES_BEAT_MS);
	expect_silence(caller);
	lt_fake_advance(m->loop, 2 * LT_NODES_BEAT_MS);
	expect_error(caller, "48,7", "wamp.error.canceled");
	assert_int_equal(stats_of(m, 0).nodes, 0);
}

static void a_node_started_again_takes_the_place_of_its_last_run_at_once(void **state)
{
	struct mesh *m = *state;
	struct peer *caller = join_at(m, 0);

	callee_at(m, 1, "{}");
	call(m, caller, "[48,7,{},\"p\"]");
	kill_node(m, 1);
	lt_fake_advance(m->loop, 10);
	start_node(m, 1);
	lt_fake_settle(m->loop);
	expect_error(caller, "48,7", "wamp.error.canceled");
	assert_int_equal(stats_of(m, 0).nodes, 1);
	assert_int_equal(stats_of(m, 0).linked, 1);
}

static void of_two_nodes_with_one_name_the_later_counts(void **state)
{
	struct mesh *m = *state;

	names[2] = "b";
	lt_fake_advance(m->loop, 10);
	start_node(m, 2);
	names[2] = "c";
	lt_fake_advance(m->loop, 2 * LT_NODES_BEAT_MS);
	assert_int_equal(stats_of(m, 0).nodes, 1);
	assert_int_equal(stats_of(m, 2).linked, 1); /* with the one of another name */
}

static void a_lost_call_is_noticed_and_the_link_begins_anew(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	bus_memory_lose(m->nodes[1].bus, ".to.", 1);
	call(m, caller, "[48,7,{},\"p\"]");
	expect_silence(caller);
	lt_fake_advance(m->loop, LT_NODES_BEAT_MS);
	expect_error(caller, "48,7", "wamp.error.canceled");
	expect_silence(callee);
	call(m, caller, "[48,8,{},\"p\"]");
	answer(m, callee, "[70,%id,{},[1]]", expect_invocation(callee, "{}]"));
	expect(caller, "[50,8,{},[1]]");
}

static void a_lost_result_is_noticed_by_the_next_message(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);
	unsigned long long id;

	call(m, caller, "[48,7,{},\"p\"]");
	call(m, caller, "[48,8,{},\"p\"]");
	id = expect_invocation(callee, "{}]");
	bus_memory_lose(m->nodes[0].bus, ".to.", 1);
	answer(m, callee, "[70,%id,{},[1]]", id);
	answer(m, callee, "[70,%id,{},[2]]", expect_invocation(callee, "{}]"));
	expect_error(caller, "48,7", "wamp.error.canceled");
	expect_error(caller, "48,8", "wamp.error.canceled");
	lt_fake_settle(m->loop);
	assert_int_equal(stats_of(m, 0).linked, 1);
	assert_int_equal(stats_of(m, 1).linked, 1);
}

static void a_link_stands_whatever_is_lost_while_it_begins(void **state)
{
	struct mesh *m = *state;

	for (unsigned lost = 1; lost < 8; lost++) {
		start_node(m, 2);
		bus_memory_lose(m->nodes[2].bus, ".to.", lost);
		lt_fake_advance(m->loop, 4 * LT_NODES_BEAT_MS);
		assert_int_equal(stats_of(m, 2).linked, 2);
		assert_int_equal(stats_of(m, 0).linked, 2);
		stop_node(m, 2);
		lt_fake_settle(m->loop);
	}
}

static void without_the_bus_calls_to_other_nodes_end_and_come_back_with_it(void **state)
{
	struct mesh *m = *state;
	struct peer *callee = callee_at(m, 1, "{}"), *caller = join_at(m, 0);

	call(m, caller, "[48,7,{},\"p\"]");
	expect_invocation(callee, "{}]");
	bus_memory_set_up(m->nodes[0].bus, false);
	lt_fake_settle(m->loop);
	expect_error(caller, "48,7", "wamp.error.canceled");
	call(m, caller, "[48,8,{},\"p\"]");
	expect_error(caller, "48,8", "wamp.error.no_such_procedure");
	bus_memory_set_up(m->nodes[0].bus, true);
	lt_fake_settle(m->loop);
	call(m, caller, "[48,9,{},\"p\"]");
	expect_start(callee, "[69,"); /* of the first call */
	answer(m, callee, "[70,%id,{},[1]]", expect_invocation(callee, "{}]"));
	expect(caller, "[50,9,{},[1]]");
}

static void two_that_could_not_see_each_other_may_both_have_a_procedure(void **state)
{
	struct mesh *m = *state;
	struct peer *here, *there, *caller = join_at(m, 0);

	bus_memory_set_up(m->nodes[0].bus, false);
	lt_fake_settle(m->loop);
	here = callee_at(m, 0, "{}");
	there = callee_at(m, 1, "{}");
	bus_memory_set_up(m->nodes[0].bus, true);
	lt_fake_settle(m->loop);
	call(m, caller, "[48,7,{},\"p\"]");
	expect_invocation(here, "{}]");
	vanish(here);
	lt_fake_settle(m->loop);
	expect_error(caller, "48,7", "wamp.error.canceled");
	call(m, caller, "[48,8,{},\"p\"]");
	expect_invocation(there, "{}]");
}

int main(void)
{
#define MESH(test) cmocka_unit_test_setup_teardown(test, setup_mesh, teardown_mesh)
	const struct CMUnitTest tests[] = {
		MESH(a_call_reaches_the_callee_at_another_node_and_its_result_comes_back),
		MESH(an_error_keeps_its_name_and_arguments),
		MESH(results_may_be_progressive),
		MESH(a_cancel_reaches_the_callee_in_its_mode),
		MESH(a_timeout_ends_the_call_and_is_told_to_the_callee),
		MESH(the_callee_learns_who_calls_as_if_it_were_here),
		MESH(a_module_in_process_learns_who_really_calls),
		MESH(nobody_there_is_answered_at_once),
		MESH(a_callee_that_leaves_ends_its_calls),
		MESH(a_caller_that_leaves_interrupts_the_callee),
		MESH(messages_too_large_for_the_bus_end_the_call_with_an_error),
		MESH(patterns_are_called_at_other_nodes_with_the_procedure_told),
		MESH(a_shared_registration_is_shared_between_nodes),
		MESH(a_procedure_taken_at_another_node_is_taken),
		MESH(force_takes_a_procedure_from_another_node_and_tells_its_callee),
		MESH(modules_of_each_node_stand_beside_each_other_and_its_own_is_called),
		MESH(a_node_that_comes_later_can_call_what_was_registered_before),
		MESH(the_meta_api_says_which_node),
		MESH(a_node_that_says_goodbye_is_gone_at_once),
		MESH(a_node_that_dies_is_gone_after_six_seconds),
		MESH(a_node_started_again_takes_the_place_of_its_last_run_at_once),
		MESH(of_two_nodes_with_one_name_the_later_counts),
		MESH(a_lost_call_is_noticed_and_the_link_begins_anew),
		MESH(a_lost_result_is_noticed_by_the_next_message),
		MESH(a_link_stands_whatever_is_lost_while_it_begins),
		MESH(without_the_bus_calls_to_other_nodes_end_and_come_back_with_it),
		MESH(two_that_could_not_see_each_other_may_both_have_a_procedure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
