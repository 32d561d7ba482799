#include "peer.h"

#define VIOLATION "wamp.error.protocol_violation"

static void hello_is_answered_with_welcome_and_what_works(void **state)
{
	struct peer *peer = connect_peer(*state);
	const char *message;

	say(peer, HELLO ",\"authid\":\"services\",\"authrole\":\"services\"}]");
	message = next_message(peer);

	assert_non_null(strstr(message, "\"realm\":\"timing\""));
	assert_non_null(strstr(message, "\"authrole\":\"anonymous\""));
	assert_non_null(strstr(message, "\"authmethod\":\"anonymous\""));
	assert_non_null(strstr(message, "\"agent\":\"test-1\""));
	assert_non_null(strstr(message, "\"event_retention\":true"));
	assert_null(strstr(message, "\"authid\":\"services\""));
	assert_non_null(strstr(message, "\"registration_meta_api\":true"));
	assert_null(strstr(message, "sharded"));
}

static void null_authmethods_count_as_absent(void **state)
{
	struct peer *peer = connect_peer(*state);

	say(peer, HELLO ",\"authmethods\":null,\"authextra\":null,\"authid\":null}]");

	expect_start(peer, "[2,");
}

static void an_unknown_realm_is_refused(void **state)
{
	struct peer *peer = connect_peer(*state);

	say(peer, "[1,\"other\",{\"roles\":{\"caller\":{}}}]");

	expect_abort(peer, "wamp.error.no_such_realm");
}

static void hello_needs_a_role_and_right_types(void **state)
{
	static const char *const bad[] = {
		"[1,\"timing\",{}]",
		"[1,\"timing\",{\"roles\":{}}]",
		"[1,\"timing\",{\"roles\":[]}]",
		"[1,\"timing\",{\"roles\":{\"caller\":1}}]",
		"[1,\"timing\",{\"roles\":{\"caller\":{}},\"authmethods\":\"anonymous\"}]",
		"[1,\"timing\",{\"roles\":{\"caller\":{}},\"authmethods\":[1]}]",
		"[1,\"timing\",{\"roles\":{\"caller\":{}},\"authid\":7}]",
		"[1,7,{\"roles\":{\"caller\":{}}}]",
		"[1,\"timing\",[]]",
		"[1,\"timing\"]",
		"[1,\"timing\",{\"roles\":{\"caller\":{}}},1]",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct peer *peer = connect_peer(*state);

		say(peer, bad[i]);
		expect_abort(peer, VIOLATION);
	}
}

static void hello_with_a_huge_authid_is_refused(void **state)
{
	struct peer *peer = connect_peer(*state);
	LT_AUTO(lt_buf_finish) struct lt_buf hello = { 0 };

	lt_buf_add_c(&hello, HELLO ",\"authmethods\":[\"wampcra\"],\"authid\":\"");
	for (int i = 0; i < 257; i++) {
		lt_buf_add_char(&hello, 'x');
	}
	lt_buf_add_c(&hello, "\"}]");

	say(peer, hello.p);

	expect_abort(peer, VIOLATION);
}

static void any_other_first_message_is_a_violation(void **state)
{
	static const char *const first[] = { "[5,\"x\",{}]", "[6,{},\"a.b\"]", "[16,1,{},\"t\"]",
		"[32,1,{},\"t\"]", "[48,1,{},\"p\"]", "[64,1,{},\"p\"]", "[2,1,{}]", "[99,1]" };

	for (size_t i = 0; i < LT_ARRAY_LEN(first); i++) {
		struct peer *peer = connect_peer(*state);

		say(peer, first[i]);
		expect_abort(peer, VIOLATION);
		assert_int_equal(peer->reason, LT_CLOSE_PROTOCOL);
	}
}

static void a_second_hello_is_a_violation(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, HELLO "}]");

	expect_abort(peer, VIOLATION);
}

static void malformed_messages_in_an_open_session_are_violations(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"nonsense",
		"{}",
		"1",
		"[]",
		"[",
		"[16",
		"[16,1,{},\"t\"",
		"[\"16\"]",
		"[16.5,1,{},\"t\"]",
		"[-16]",
		"[null]",
		"[true,1,{},\"t\"]",
		"[7,1]",
		"[1000000]",
		"[16,1,{},\"t\"] x",
		"[16,1,{},\"t\"][16,1,{},\"t\"]",
		"[16,1,{},\"t\",]",
		"[16,0,{},\"t\"]",
		"[16,-1,{},\"t\"]",
		"[16,1.5,{},\"t\"]",
		"[16,9007199254740993,{},\"t\"]",
		"[16,9007199254740994,{},\"t\"]",
		"[16,\"1\",{},\"t\"]",
		"[16,null,{},\"t\"]",
		"[16,1,[],\"t\"]",
		"[16,1,null,\"t\"]",
		"[16,1,\"x\",\"t\"]",
		"[16,1,{},7]",
		"[16,1,{},null]",
		"[16,1,{},[\"t\"]]",
		"[16,1,{},\"t\",{}]",
		"[16,1,{},\"t\",1]",
		"[16,1,{},\"t\",null]",
		"[16,1,{},\"t\",[],[]]",
		"[16,1,{},\"t\",[],1]",
		"[16,1,{},\"t\",[],{},1]",
		"[16,1,{}]",
		"[16,1]",
		"[16]",
		"[32,1,{}]",
		"[32,1,{},\"t\",[]]",
		"[34,1]",
		"[34,1,0]",
		"[34,1,\"1\"]",
		"[34,1,2,3]",
		"[48,1,{}]",
		"[48,1,{},{}]",
		"[49,1]",
		"[49,1,[]]",
		"[64,1,{},1]",
		"[66,1,{}]",
		"[70,1]",
		"[70,1,{},1]",
		"[8,48,1,{},\"a.b\"]",
		"[8,\"68\",1,{},\"a.b\"]",
		"[8,68,1,{}]",
		"[8,68,1,{},1]",
		"[6,{}]",
		"[6,\"a.b\",{}]",
		"[3,{}]",
		"[2,1,{}]",
		"[4,\"x\",{}]",
		"[17,1,1]",
		"[33,1,1]",
		"[35,1]",
		"[36,1,1,{}]",
		"[50,1,{}]",
		"[65,1,1]",
		"[67,1]",
		"[68,1,1,{}]",
		"[69,1,{}]",
		"[5,\"x\",{}]",
		"[16,1,{},\"\xff\"]",
		"[16,1,{},\"\xc0\x80\"]",
		"[16,1,{},\"t\",[\"\xed\xa0\x80\"]]",
		"[16,1,{},\"t\",[01]]",
		"[16,1,{},\"t\",[NaN]]",
		"[16,1,{},\"t\",[\"\n\"]]",
		"\xef\xbb\xbf[16,1,{},\"t\"]",
		"[16,1,{/**/},\"t\"]",
		"[16,1,{'a':1},\"t\"]",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct peer *peer = join_anonymous(*state);

		say(peer, bad[i]);
		if (!peer->closed) {
			fail_msg("accepted: %s", bad[i]);
		}
		expect_abort(peer, VIOLATION);
		vanish(peer);
		((struct fixture *)*state)->peer_count--;
		for (int m = 0; m < peer->count; m++) {
			lt_free(peer->messages[m]);
			lt_payload_unref(peer->payloads[m]);
		}
		lt_free(peer);
	}
}

static void deep_nesting_is_a_violation_and_legal_depth_is_not(void **state)
{
	struct peer *peer = join_anonymous(*state);
	struct lt_buf text = { 0 };

	for (int depth = 500; depth <= 100000; depth += 99500) {
		lt_buf_clear(&text);
		lt_buf_add_c(&text, "[16,1,{\"acknowledge\":true},\"t\",");
		for (int i = 0; i < depth; i++) {
			lt_buf_add_char(&text, '[');
		}
		for (int i = 0; i < depth; i++) {
			lt_buf_add_char(&text, ']');
		}
		lt_buf_add_char(&text, ']');
		say_bytes(peer, lt_buf_str(&text));
	}
	lt_buf_finish(&text);

	expect_start(peer, "[17,1,");
	expect_abort(peer, VIOLATION);
}

static void a_binary_frame_on_a_text_protocol_is_a_violation(void **state)
{
	struct peer *peer = join_anonymous(*state);

	lt_session_receive(peer->base.session, LT_STR("[16,1,{},\"t\"]"), true);

	expect_abort(peer, VIOLATION);
}

static void what_was_pipelined_behind_an_abort_has_no_effect(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);

	say(b, "[32,1,{},\"t\"]");
	next_message(b);
	say(a, "[]");
	say(a, "[16,1,{},\"t\"]");

	expect_silence(b);
	expect_abort(a, VIOLATION);
	expect_silence(a);
}

static void goodbye_is_answered_and_then_nothing_more_comes(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);

	say(b, "[32,1,{},\"t\"]");
	next_message(b);
	say(b, "[6,{},\"wamp.close.close_realm\"]");
	say(a, "[16,1,{},\"t\"]");

	expect(b, "[6,{},\"wamp.close.goodbye_and_out\"]");
	expect_silence(b);
	assert_int_equal(b->reason, LT_CLOSE_NORMAL);
}

static void abort_of_the_client_has_no_answer(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[3,{},\"a.b\"]");

	expect_silence(peer);
	assert_true(peer->closed);
}

static void a_connection_without_hello_ends(void **state)
{
	struct fixture *f = *state;
	struct peer *silent = connect_peer(f), *joined = join_anonymous(f);

	lt_fake_advance(f->loop, 30001);

	expect_abort(silent, "wamp.error.timeout");
	assert_false(joined->closed);
}

static void a_challenge_without_answer_ends(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = connect_peer(f);

	say(peer, HELLO ",\"authmethods\":[\"wampcra\"],\"authid\":\"services\"}]");
	lt_fake_advance(f->loop, 30001);

	expect_start(peer, "[4,\"wampcra\",");
	expect_abort(peer, "wamp.error.timeout");
}

static void while_challenged_only_authenticate_or_abort_is_heard(void **state)
{
	static const char *const bad[] = { HELLO "}]", "[16,1,{},\"t\"]", "[6,{},\"a.b\"]",
		"[32,1,{},\"t\"]" };

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct peer *peer = connect_peer(*state);

		say(peer, HELLO ",\"authmethods\":[\"wampcra\"],\"authid\":\"services\"}]");
		next_message(peer);
		say(peer, bad[i]);
		expect_abort(peer, VIOLATION);
	}
}

static void ended(void *arg)
{
	*(bool *)arg = true;
}

static void stopping_says_goodbye_to_all(void **state)
{
	struct fixture *f = *state;
	struct peer *open = join_anonymous(f), *fresh = connect_peer(f);
	bool done = false;

	lt_router_stop(f->router, 100, ended, &done);

	expect(open, "[6,{},\"wamp.close.system_shutdown\"]");
	expect_abort(fresh, "wamp.close.system_shutdown");
	assert_int_equal(open->reason, LT_CLOSE_SHUTDOWN);
	assert_true(done);
}

static void anonymous_sessions_subscribe_and_call_but_nothing_else(void **state)
{
	struct peer *peer = join_anonymous(*state);

	say(peer, "[32,1,{},\"t\"]");
	say(peer, "[48,2,{},\"p\"]");
	say(peer, "[16,3,{\"acknowledge\":true,\"retain\":true},\"t\"]");
	say(peer, "[64,4,{\"force_reregister\":true},\"p\"]");
	say(peer, "[48,5,{},\"wamp.session.kill\"]");
	say(peer, "[32,6,{},\"wamp.session.on_join\"]");
	say(peer, "[32,7,{\"match\":\"prefix\"},\"wamp.\"]");
	say(peer, "[32,8,{\"match\":\"prefix\"},\"\"]");

	expect_start(peer, "[33,1,");
	expect_error(peer, "48,2", "wamp.error.no_such_procedure");
	expect_error(peer, "16,3", "wamp.error.not_authorized");
	expect_error(peer, "64,4", "wamp.error.not_authorized");
	expect_error(peer, "48,5", "wamp.error.not_authorized");
	expect_error(peer, "32,6", "wamp.error.not_authorized");
	expect_error(peer, "32,7", "wamp.error.not_authorized");
	expect_start(peer, "[33,8,");
}

#define OPEN(test)    cmocka_unit_test_setup_teardown(test, setup_open, teardown)
#define DEFAULT(test) cmocka_unit_test_setup_teardown(test, setup_default, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEFAULT(hello_is_answered_with_welcome_and_what_works),
		OPEN(null_authmethods_count_as_absent),
		OPEN(an_unknown_realm_is_refused),
		OPEN(hello_needs_a_role_and_right_types),
		OPEN(hello_with_a_huge_authid_is_refused),
		OPEN(any_other_first_message_is_a_violation),
		OPEN(a_second_hello_is_a_violation),
		OPEN(malformed_messages_in_an_open_session_are_violations),
		OPEN(deep_nesting_is_a_violation_and_legal_depth_is_not),
		OPEN(a_binary_frame_on_a_text_protocol_is_a_violation),
		OPEN(what_was_pipelined_behind_an_abort_has_no_effect),
		OPEN(goodbye_is_answered_and_then_nothing_more_comes),
		OPEN(abort_of_the_client_has_no_answer),
		OPEN(a_connection_without_hello_ends),
		OPEN(a_challenge_without_answer_ends),
		OPEN(while_challenged_only_authenticate_or_abort_is_heard),
		OPEN(stopping_says_goodbye_to_all),
		DEFAULT(anonymous_sessions_subscribe_and_call_but_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
