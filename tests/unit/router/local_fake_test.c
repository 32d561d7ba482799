#include "peer.h"

struct seen {
	int events, invocations, results, leaves;
	char text[4][200];
	uint64_t invocation, left;
	struct lt_local *local; /* leaves in the callback when set */
	int encoded, released;
};

static struct lt_local *join(struct fixture *f)
{
	struct lt_err err;
	struct lt_local *local = lt_local_join(f->router, REALM, "directory", "services", &err);

	assert_non_null(local);
	return local;
}

static void note(char *to, struct lt_str topic, struct lt_str args)
{
	snprintf(to, 200, "%.*s %.*s", LT_STR_ARG(topic), LT_STR_ARG(args));
}

static void on_event(void *arg, const struct lt_event *event)
{
	struct seen *seen = arg;

	note(seen->text[seen->events++ % 4], event->topic, event->args);
	if (seen->local) {
		lt_local_leave(LT_STEAL(seen->local));
	}
}

static void on_invocation(void *arg, const struct lt_invocation *invocation)
{
	struct seen *seen = arg;

	seen->invocation = invocation->id;
	note(seen->text[seen->invocations++ % 4], invocation->procedure, invocation->caller_role);
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct seen *seen = arg;

	note(seen->text[seen->results++ % 4], lt_str_from(result->ok ? "ok" : result->error),
			result->args);
}

static void on_leave(void *arg, uint64_t session)
{
	struct seen *seen = arg;

	seen->leaves++;
	seen->left = session;
}

static void encode(void *arg, struct lt_buf *buf)
{
	((struct seen *)arg)->encoded++;
	lt_buf_add_c(buf, "[\"lazy\"]");
}

static void release(void *arg)
{
	((struct seen *)arg)->released++;
}

static void events_arrive_at_the_end_of_the_turn_in_order(void **state)
{
	struct fixture *f = *state;
	struct lt_local *a = join(f), *b = join(f);
	struct seen seen = { 0 };

	assert_true(lt_local_subscribe(
			b, LT_STR("t"), LT_MATCH_PREFIX, false, on_event, &seen, NULL));
	assert_true(lt_local_publish(a, LT_STR("t.1"), false, LT_STR("[1]"), NULL));
	assert_true(lt_local_publish(a, LT_STR("t.2"), false, LT_STR("[]"), NULL));
	assert_int_equal(seen.events, 0);
	lt_fake_settle(f->loop);

	assert_int_equal(seen.events, 2);
	assert_string_equal(seen.text[0], "t.1 [1]");
	assert_string_equal(seen.text[1], "t.2 ");
	lt_local_leave(a);
	lt_local_leave(b);
}

static void local_and_socket_sessions_hear_each_other(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *peer = join_anonymous(f);
	struct seen seen = { 0 };

	lt_local_subscribe(local, LT_STR("a"), LT_MATCH_EXACT, false, on_event, &seen, NULL);
	say(peer, "[32,1,{},\"b\"]");
	next_message(peer);
	say(peer, "[16,1,{},\"a\",[1]]");
	lt_local_publish(local, LT_STR("b"), false, LT_STR("[2]"), NULL);
	lt_fake_settle(f->loop);

	assert_string_equal(seen.text[0], "a [1]");
	expect_member(peer, "{},[2]]");
	lt_local_leave(local);
}

static void a_retained_event_reaches_a_local_subscriber(void **state)
{
	struct fixture *f = *state;
	struct lt_local *a = join(f), *b = join(f);
	struct seen seen = { 0 };

	lt_local_publish(a, LT_STR("t"), true, LT_STR("[1]"), NULL);
	lt_local_subscribe(b, LT_STR("t"), LT_MATCH_EXACT, true, on_event, &seen, NULL);
	lt_fake_settle(f->loop);
	assert_string_equal(seen.text[0], "t [1]");
	lt_local_unretain(a, LT_STR("t"));
	lt_local_subscribe(b, LT_STR("t"), LT_MATCH_EXACT, true, on_event, &seen, NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(seen.events, 1);
	lt_local_leave(a);
	lt_local_leave(b);
}

static void a_lazy_value_is_encoded_once_when_first_wanted(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *peer = join_anonymous(f);
	struct seen seen = { 0 };

	lt_local_publish_lazy(local, LT_STR("t"), encode, release, &seen, NULL);
	lt_local_publish_lazy(local, LT_STR("t"), encode, release, &seen, NULL);
	assert_int_equal(seen.encoded, 0);
	assert_int_equal(seen.released, 1);
	say(peer, "[32,1,{\"get_retained\":true},\"t\"]");
	say(peer, "[32,2,{\"get_retained\":true},\"t\"]");

	next_message(peer);
	expect_member(peer, "{\"retained\":true},[\"lazy\"]]");
	next_message(peer);
	expect_member(peer, "{\"retained\":true},[\"lazy\"]]");
	assert_int_equal(seen.encoded, 1);
	assert_int_equal(seen.released, 2);
	lt_local_publish_lazy(local, LT_STR("t"), encode, release, &seen, NULL);
	expect_member(peer, "{},[\"lazy\"]]");
	assert_int_equal(seen.encoded, 2);
	assert_int_equal(seen.released, 3);
	lt_local_leave(local);
}

static void differences_go_to_those_who_listen_and_the_whole_to_those_who_come(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *early = join_anonymous(f), *late = join_anonymous(f);
	struct seen seen = { 0 };
	const struct lt_local_kept kept = { encode, release, &seen };

	say(early, "[32,1,{\"get_retained\":true},\"t\"]");
	next_message(early);
	lt_local_publish_keeping(local, LT_STR("t"), LT_STR("[\"diff\"]"), &kept, NULL);
	expect_member(early, "{},[\"diff\"]]");
	assert_int_equal(seen.encoded, 0);
	say(late, "[32,1,{\"get_retained\":true},\"t\"]");
	next_message(late);
	expect_member(late, "{\"retained\":true},[\"lazy\"]]");

	assert_int_equal(seen.encoded, 1);
	assert_false(lt_local_publish_keeping(
			local, LT_STR("wamp.t"), LT_STR("[]"), &kept, &(struct lt_err){ 0 }));
	assert_int_equal(seen.released, 2);
	lt_local_leave(local);
}

static void a_refused_lazy_value_is_released(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct seen seen = { 0 };
	struct lt_err err;

	assert_false(lt_local_publish_lazy(local, LT_STR("a..b"), encode, release, &seen, &err));

	assert_int_equal(err.code, LT_E_URI);
	assert_int_equal(seen.released, 1);
	lt_local_leave(local);
}

static void calls_to_modules_are_answered_and_tell_the_role(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *peer = join_anonymous(f);
	struct seen seen = { 0 };

	lt_local_register(local, LT_STR("p"), false, on_invocation, &seen, NULL, NULL);
	say(peer, "[48,1,{},\"p\"]");
	lt_fake_settle(f->loop);
	assert_string_equal(seen.text[0], "p anonymous");
	lt_local_yield(local, seen.invocation, LT_STR("[true]"));
	say(peer, "[48,2,{},\"p\"]");
	lt_fake_settle(f->loop);
	lt_local_error(local, seen.invocation, "wamp.error.invalid_argument", "bad");

	expect(peer, "[50,1,{},[true]]");
	expect(peer, "[8,48,2,{},\"wamp.error.invalid_argument\",[\"bad\"]]");
	lt_local_leave(local);
}

static void a_call_of_a_module_ends_exactly_once(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *peer = join_anonymous(f);
	struct seen seen = { 0 };
	struct lt_err err;

	(void)peer;
	assert_true(lt_local_call(local, LT_STR("none"), LT_STR("[]"), 0, on_result, &seen, &err));
	assert_false(lt_local_call(local, LT_STR("a..b"), LT_STR("[]"), 0, on_result, &seen, &err));
	assert_int_equal(err.code, LT_E_URI);
	lt_local_register(local, LT_STR("slow"), false, on_invocation, &seen, NULL, NULL);
	assert_true(lt_local_call(local, LT_STR("slow"), LT_STR(""), 50, on_result, &seen, &err));
	assert_int_equal(seen.results, 0);
	lt_fake_advance(f->loop, 100);
	lt_local_yield(local, seen.invocation, LT_STR("[1]"));
	lt_fake_settle(f->loop);

	assert_int_equal(seen.results, 2);
	assert_non_null(strstr(seen.text[1], "wamp.error.timeout"));
	lt_local_leave(local);
}

static void a_module_may_leave_in_its_own_callback(void **state)
{
	struct fixture *f = *state;
	struct lt_local *a = join(f);
	struct seen seen = { .local = join(f) };

	lt_local_subscribe(seen.local, LT_STR("t"), LT_MATCH_EXACT, false, on_event, &seen, NULL);
	lt_local_publish(a, LT_STR("t"), false, LT_STR("[1]"), NULL);
	lt_local_publish(a, LT_STR("t"), false, LT_STR("[2]"), NULL);
	lt_fake_settle(f->loop);

	assert_int_equal(seen.events, 1);
	lt_local_leave(a);
}

static void leaving_sessions_are_told(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = join(f);
	struct peer *peer = join_anonymous(f);
	struct seen seen = { 0 };

	lt_local_on_leave(local, on_leave, &seen);
	vanish(peer);
	assert_int_equal(seen.leaves, 0);
	lt_fake_settle(f->loop);

	assert_int_equal(seen.leaves, 1);
	assert_int_equal(seen.left, peer->id);
	lt_local_leave(local);
}

static void joining_needs_a_known_realm_and_role(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	assert_null(lt_local_join(f->router, LT_STR("x"), "a", "services", &err));
	assert_null(lt_local_join(f->router, REALM, "a", "x", &err));
	assert_string_equal(err.msg, "role \"x\" is not configured");
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, setup_open, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(events_arrive_at_the_end_of_the_turn_in_order),
		OPEN(local_and_socket_sessions_hear_each_other),
		OPEN(a_retained_event_reaches_a_local_subscriber),
		OPEN(a_lazy_value_is_encoded_once_when_first_wanted),
		OPEN(differences_go_to_those_who_listen_and_the_whole_to_those_who_come),
		OPEN(a_refused_lazy_value_is_released),
		OPEN(calls_to_modules_are_answered_and_tell_the_role),
		OPEN(a_call_of_a_module_ends_exactly_once),
		OPEN(a_module_may_leave_in_its_own_callback),
		OPEN(leaving_sessions_are_told),
		OPEN(joining_needs_a_known_realm_and_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
