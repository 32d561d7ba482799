#include "peer.h"

static uint64_t register_at(struct peer *peer, const char *options, const char *procedure)
{
	char text[400];
	unsigned long long id = 0;

	snprintf(text, sizeof(text), "[64,1,%s,\"%s\"]", options, procedure);
	say(peer, text);
	assert_int_equal(sscanf(next_message(peer), "[65,1,%llu]", &id), 1);
	return id;
}

/* INVOCATION [68, invocation, registration, rest */
static void expect_invocation(
		struct peer *peer, uint64_t invocation, uint64_t registration, const char *rest)
{
	char text[400];

	snprintf(text, sizeof(text), "[68,%llu,%llu,%s", (unsigned long long)invocation,
			(unsigned long long)registration, rest);
	expect(peer, text);
}

static void a_call_is_invoked_and_answered_unchanged(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	uint64_t id = register_at(callee, "{}", "p");

	say(caller, "[48,9007199254740992,{},\"p\",[1.0],{\"k\":2}]");
	expect_invocation(callee, 1, id, "{},[1.0],{\"k\":2}]");
	say(callee, "[70,1,{},[\"r\"],{\"s\":3}]");

	expect(caller, "[50,9007199254740992,{},[\"r\"],{\"s\":3}]");
}

static void invocation_ids_count_per_callee(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	uint64_t id = register_at(callee, "{}", "p");

	for (unsigned i = 1; i <= 3; i++) {
		say_id(caller, "[48,%id,{},\"p\"]", 100 + i);
		expect_invocation(callee, i, id, "{}]");
	}
}

static void an_error_of_the_callee_reaches_the_caller(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,7,{},\"p\"]");
	say(callee, "[8,68,1,{},\"my.error\",[1],{\"a\":2}]");
	say(callee, "[70,1,{},[\"late\"]]");

	expect(caller, "[8,48,7,{},\"my.error\",[1],{\"a\":2}]");
	expect_silence(caller);
	assert_false(callee->closed);
}

static void mistakes_get_their_error_uris(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t id = register_at(a, "{}", "p");

	say(a, "[64,2,{},\"p\"]");
	say(b, "[64,3,{},\"p\"]");
	say_id(b, "[66,4,%id]", id);
	say(b, "[48,5,{},\"q\"]");
	say(b, "[48,6,{},\"bad..uri\"]");
	say(b, "[64,7,{},\"wamp.x\"]");
	say(b, "[64,8,{\"invoke\":\"all\"},\"x\"]");
	say(b, "[48,9,{\"timeout\":-1},\"p\"]");
	say(b, "[49,10,{\"mode\":\"gently\"}]");
	say(b, "[64,11,{\"force_reregister\":1},\"p\"]");

	expect_error(a, "64,2", "wamp.error.procedure_already_exists");
	expect_error(b, "64,3", "wamp.error.procedure_already_exists");
	expect_error(b, "66,4", "wamp.error.no_such_registration");
	expect_error(b, "48,5", "wamp.error.no_such_procedure");
	expect_error(b, "48,6", "wamp.error.invalid_uri");
	expect_error(b, "64,7", "wamp.error.not_authorized");
	expect_error(b, "64,8", "wamp.error.invalid_argument");
	expect_error(b, "48,9", "wamp.error.invalid_argument");
	expect_error(b, "49,10", "wamp.error.invalid_argument");
	expect_error(b, "64,11", "wamp.error.invalid_argument");
}

static void force_reregister_replaces_and_the_old_owner_cannot_undo_it(void **state)
{
	struct peer *old = join_anonymous(*state), *new = join_anonymous(*state);
	struct peer *caller = join_anonymous(*state);
	uint64_t first = register_at(old, "{}", "p");
	uint64_t second = register_at(new, "{\"force_reregister\":true}", "p");
	char revocation[100];

	snprintf(revocation, sizeof(revocation), "[67,0,{\"registration\":%llu,",
			(unsigned long long)first);
	expect_start(old, revocation);
	vanish(old);
	say(caller, "[48,1,{},\"p\"]");

	expect_invocation(new, 1, second, "{}]");
}

static void a_session_may_replace_its_own_registration(void **state)
{
	struct peer *a = join_anonymous(*state);
	uint64_t first = register_at(a, "{}", "p");

	say(a, "[64,1,{\"force_reregister\":true},\"p\"]");
	say_id(a, "[66,2,%id]", first);

	expect_start(a, "[67,0,");
	expect_start(a, "[65,1,");
	expect_error(a, "66,2", "wamp.error.no_such_registration");
}

static void pending_callers_are_told_when_the_callee_leaves(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,7,{},\"p\"]");
	vanish(callee);
	say(caller, "[48,8,{},\"p\"]");

	expect_error(caller, "48,7", "wamp.error.canceled");
	expect_error(caller, "48,8", "wamp.error.no_such_procedure");
}

static void the_callee_is_interrupted_when_the_caller_leaves(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,7,{},\"p\"]");
	next_message(callee);
	vanish(caller);
	expect(callee, "[69,1,{\"mode\":\"killnowait\"}]");
	say(callee, "[70,1,{}]");

	expect_silence(callee);
	assert_false(callee->closed);
}

static void a_running_invocation_outlives_its_registration(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	uint64_t id = register_at(callee, "{}", "p");

	say(caller, "[48,7,{},\"p\"]");
	say_id(callee, "[66,2,%id]", id);
	say(callee, "[70,1,{}]");

	expect(caller, "[50,7,{}]");
}

static void only_the_invoked_callee_may_answer(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	struct peer *other = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,7,{},\"p\"]");
	say(other, "[70,1,{},[\"forged\"]]");
	say(other, "[8,68,1,{},\"a.b\"]");

	expect_silence(caller);
}

static void cancel_follows_its_mode(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,1,{},\"p\"]");
	say(caller, "[48,2,{},\"p\"]");
	say(caller, "[48,3,{},\"p\"]");
	callee->read = callee->count;
	say(caller, "[49,1,{\"mode\":\"skip\"}]");
	say(caller, "[49,2,{}]");
	say(caller, "[49,3,{\"mode\":\"kill\"}]");
	say(caller, "[49,3,{\"mode\":\"kill\"}]");
	say(caller, "[49,99,{}]");

	expect_error(caller, "48,1", "wamp.error.canceled");
	expect_error(caller, "48,2", "wamp.error.canceled");
	expect_silence(caller);
	expect(callee, "[69,2,{\"mode\":\"killnowait\"}]");
	expect(callee, "[69,3,{\"mode\":\"kill\"}]");
	expect_silence(callee);
	say(callee, "[8,68,3,{},\"my.end\",[1]]");
	expect(caller, "[8,48,3,{},\"my.end\",[1]]");
}

static void a_call_times_out_and_progress_restarts_the_clock(void **state)
{
	struct fixture *f = *state;
	struct peer *callee = join_anonymous(f), *caller = join_anonymous(f);
	uint64_t id = register_at(callee, "{}", "p");

	say(caller, "[48,1,{\"timeout\":1000,\"receive_progress\":true},\"p\"]");
	lt_fake_advance(f->loop, 900);
	say(callee, "[70,1,{\"progress\":true},[1]]");
	lt_fake_advance(f->loop, 900);
	expect(caller, "[50,1,{\"progress\":true},[1]]");
	expect_silence(caller);
	lt_fake_advance(f->loop, 200);

	expect_error(caller, "48,1", "wamp.error.timeout");
	expect_invocation(callee, 1, id, "{\"receive_progress\":true}]");
	expect(callee, "[69,1,{\"mode\":\"killnowait\"}]");
}

static void progress_nobody_asked_for_is_dropped(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(caller, "[48,1,{},\"p\"]");
	say(callee, "[70,1,{\"progress\":true},[1]]");
	expect_silence(caller);
	say(callee, "[70,1,{},[2]]");

	expect(caller, "[50,1,{},[2]]");
}

static void the_caller_is_told_only_on_disclosure(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	uint64_t id = register_at(callee, "{}", "p");
	char piece[60];

	register_at(callee, "{\"disclose_caller\":true}", "q");
	snprintf(piece, sizeof(piece), "{\"caller\":%llu,", (unsigned long long)caller->id);
	say(caller, "[48,1,{\"x\":1},\"p\"]");
	say(caller, "[48,2,{\"disclose_me\":true},\"p\"]");
	say(caller, "[48,3,{},\"q\"]");

	expect_invocation(callee, 1, id, "{}]");
	expect_member(callee, piece);
	expect_member(callee, piece);
}

static void round_robin_goes_in_order_of_registration(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	struct peer *caller = join_anonymous(*state);
	uint64_t id = register_at(a, "{\"invoke\":\"roundrobin\"}", "p");

	assert_int_equal(register_at(b, "{\"invoke\":\"roundrobin\"}", "p"), id);
	say(b, "[64,1,{\"invoke\":\"random\"},\"p\"]");
	expect_error(b, "64,1", "wamp.error.procedure_already_exists");
	say(caller, "[48,1,{},\"p\"]");
	say(caller, "[48,2,{},\"p\"]");
	say(caller, "[48,3,{},\"p\"]");

	expect_invocation(a, 1, id, "{}]");
	expect_invocation(b, 1, id, "{}]");
	expect_invocation(a, 2, id, "{}]");
	expect_silence(b);
}

static void the_best_pattern_is_called_and_told_the_procedure(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);
	uint64_t wildcard = register_at(callee, "{\"match\":\"wildcard\"}", "a..c");
	uint64_t prefix = register_at(callee, "{\"match\":\"prefix\"}", "a.b");
	uint64_t all = register_at(callee, "{\"match\":\"prefix\"}", "");

	(void)all;
	say(caller, "[48,1,{},\"a.bx\"]");
	say(caller, "[48,2,{},\"wamp.session.kill\"]");

	expect_invocation(callee, 1, prefix, "{\"procedure\":\"a.bx\"}]");
	expect_silence(callee);
	expect_error(caller, "48,2", "wamp.error.not_authorized");
	assert_int_not_equal(wildcard, prefix);
}

static int setup_small(void **state)
{
	return setup_router(state, OPEN_PERMISSIONS,
			(struct lt_limits){ .registrations = 1, .calls = 1 });
}

static void registrations_and_calls_have_limits(void **state)
{
	struct peer *callee = join_anonymous(*state), *caller = join_anonymous(*state);

	register_at(callee, "{}", "p");
	say(callee, "[64,2,{},\"q\"]");
	say(caller, "[48,1,{},\"p\"]");
	say(caller, "[48,2,{},\"p\"]");

	expect_error(callee, "64,2", "wamp.error.limit_exceeded");
	expect_error(caller, "48,2", "wamp.error.limit_exceeded");
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, setup_open, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(a_call_is_invoked_and_answered_unchanged),
		OPEN(invocation_ids_count_per_callee),
		OPEN(an_error_of_the_callee_reaches_the_caller),
		OPEN(mistakes_get_their_error_uris),
		OPEN(force_reregister_replaces_and_the_old_owner_cannot_undo_it),
		OPEN(a_session_may_replace_its_own_registration),
		OPEN(pending_callers_are_told_when_the_callee_leaves),
		OPEN(the_callee_is_interrupted_when_the_caller_leaves),
		OPEN(a_running_invocation_outlives_its_registration),
		OPEN(only_the_invoked_callee_may_answer),
		OPEN(cancel_follows_its_mode),
		OPEN(a_call_times_out_and_progress_restarts_the_clock),
		OPEN(progress_nobody_asked_for_is_dropped),
		OPEN(the_caller_is_told_only_on_disclosure),
		OPEN(round_robin_goes_in_order_of_registration),
		OPEN(the_best_pattern_is_called_and_told_the_procedure),
		cmocka_unit_test_setup_teardown(
				registrations_and_calls_have_limits, setup_small, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
