#include <stdio.h>

#include "base/crypto.h"
#include "base/json.h"
#include "services/outside/router_link.h"
#include "services/outside/wamp_peer.h"
#include "support/test.h"

/* A peer whose messages are kept, and what it told. */
struct fixture {
	struct lt_peer *peer;
	struct lt_buf sent; /* all messages, a line each */
	char last[1024];
	int joined, settled, refused, ended, events, invocations;
	uint64_t session, invocation;
	char reason[256], event[256];
	enum lt_errc code;
};

static void send_message(void *arg, struct lt_str message)
{
	struct fixture *f = arg;

	snprintf(f->last, sizeof(f->last), "%.*s", LT_STR_ARG(message));
	lt_buf_add_str(&f->sent, message);
	lt_buf_add_char(&f->sent, '\n');
}

static void on_joined(void *arg, uint64_t session)
{
	struct fixture *f = arg;

	f->joined++;
	f->session = session;
}

static void on_settled(void *arg)
{
	((struct fixture *)arg)->settled++;
}

static void on_refused(void *arg, const char *what, const char *uri)
{
	struct fixture *f = arg;

	f->refused++;
	snprintf(f->reason, sizeof(f->reason), "%s %s", what, uri);
}

static void on_ended(void *arg, const struct lt_err *reason)
{
	struct fixture *f = arg;

	f->ended++;
	f->code = reason->code;
	snprintf(f->reason, sizeof(f->reason), "%s", reason->msg);
}

static void on_event(void *arg, const struct lt_peer_event *event)
{
	struct fixture *f = arg;

	f->events++;
	snprintf(f->event, sizeof(f->event), "%.*s %.*s", LT_STR_ARG(event->topic),
			LT_STR_ARG(event->args));
}

static void on_invocation(void *arg, const struct lt_peer_invocation *invocation)
{
	struct fixture *f = arg;

	f->invocations++;
	f->invocation = invocation->id;
	lt_peer_yield(f->peer, invocation->id, LT_STR("[true]"), (struct lt_str){ NULL, 0 });
}

static void make(struct fixture *f, const char *secret)
{
	f->peer = lt_peer_create(&(struct lt_peer_env){ .realm = "timing",
			.authid = "services",
			.agent = "test",
			.secret = lt_str_from(secret),
			.send = send_message,
			.joined = on_joined,
			.settled = on_settled,
			.refused = on_refused,
			.ended = on_ended,
			.arg = f });
	lt_peer_open(f->peer);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make(f, "secret");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_peer_destroy(f->peer);
	lt_buf_finish(&f->sent);
	free(f);
	return 0;
}

static void receive(struct fixture *f, const char *message)
{
	lt_peer_receive(f->peer, lt_str_from(message));
}

static void join(struct fixture *f)
{
	receive(f, "[2,4711,{\"realm\":\"timing\",\"roles\":{}}]");
	assert_int_equal(f->joined, 1);
}

static void hello_offers_wampcra_with_a_secret(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(f->last, "[1,\"timing\",{"));
	assert_non_null(strstr(f->last, "\"authmethods\":[\"wampcra\"]"));
	assert_non_null(strstr(f->last, "\"authid\":\"services\""));
	assert_null(strstr(f->last, "secret"));
}

static void hello_without_a_secret_is_anonymous(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	make(&f, NULL);
	assert_non_null(strstr(f.last, "\"authmethods\":[\"anonymous\"]"));
	receive(&f, "[4,\"wampcra\",{\"challenge\":\"x\"}]");
	assert_int_equal(f.ended, 1); /* which was not offered */
	lt_peer_destroy(f.peer);
	lt_buf_finish(&f.sent);
}

/* HMAC-SHA256 of the challenge, computed by other means. */
static void a_challenge_is_signed_with_the_secret(void **state)
{
	struct fixture *f = *state;

	receive(f, "[4,\"wampcra\",{\"challenge\":\"{\\\"nonce\\\":\\\"n\\\"}\"}]");
	assert_string_equal(f->last, "[5,\"mAPI+SWuavf+1vWb6zmwMp+jcr2YN1UQbB1c4ly6ei4=\",{}]");
}

static void a_salted_secret_is_derived_first(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf plain = { 0 }, salted = { 0 };
	struct lt_err err;

	(void)state;
	assert_true(lt_peer_sign(LT_STR("secret"), LT_STR("{\"challenge\":\"c\"}"), &plain, &err));
	assert_true(lt_peer_sign(LT_STR("secret"),
			LT_STR("{\"challenge\":\"c\",\"salt\":\"salt123\",\"iterations\":1000,\"keylen\":32}"),
			&salted, &err));
	assert_string_equal(plain.p, "7wBrZbjOSciRR5VUJ45H59dnNefd1jkvxoNCMi8548Q=");
	assert_string_equal(salted.p, "A296+PVa7nbpbivA6npK5A8O8CiAvXF/OZ26wfIC9MA=");
}

static void a_challenge_that_cannot_be_signed_ends_the_session(void **state)
{
	static const char *const extras[] = { "{}", "{\"challenge\":5}",
		"{\"challenge\":\"c\",\"salt\":\"s\",\"iterations\":0}",
		"{\"challenge\":\"c\",\"salt\":\"s\",\"keylen\":1000000}" };
	struct lt_err err;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(extras); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };

		assert_false(lt_peer_sign(
				LT_STR("secret"), lt_str_from(extras[i]), &signature, &err));
	}
}

static void requests_are_settled_when_all_are_answered(void **state)
{
	struct fixture *f = *state;

	join(f);
	lt_peer_register(f->peer, "a.b", on_invocation);
	assert_string_equal(f->last, "[64,1,{\"force_reregister\":true},\"a.b\"]");
	lt_peer_subscribe(f->peer, "c.d", on_event);
	assert_string_equal(f->last, "[32,2,{},\"c.d\"]");
	receive(f, "[33,2,20]");
	assert_int_equal(f->settled, 0);
	receive(f, "[65,1,10]");
	assert_int_equal(f->settled, 1);
}

static void events_and_invocations_come_by_their_ids(void **state)
{
	struct fixture *f = *state;

	join(f);
	lt_peer_register(f->peer, "a.b", on_invocation);
	lt_peer_subscribe(f->peer, "c.d", on_event);
	receive(f, "[65,1,10]");
	receive(f, "[33,2,20]");
	receive(f, "[36,20,5,{},[1,\"x\"]]");
	receive(f, "[36,99,5,{},[1]]");
	assert_int_equal(f->events, 1);
	assert_string_equal(f->event, "c.d [1,\"x\"]");
	receive(f, "[68,77,10,{}]");
	assert_int_equal(f->invocations, 1);
	assert_string_equal(f->last, "[70,77,{},[true]]");
	receive(f, "[68,78,11,{}]");
	assert_non_null(strstr(f->last, "[8,68,78,{},\"wamp.error.no_such_procedure\"]"));
}

static void a_refused_request_is_told_and_the_session_goes_on(void **state)
{
	struct fixture *f = *state;

	join(f);
	lt_peer_register(f->peer, "a.b", on_invocation);
	receive(f, "[8,64,1,{},\"wamp.error.not_authorized\"]");
	assert_int_equal(f->refused, 1);
	assert_string_equal(f->reason, "a.b wamp.error.not_authorized");
	assert_int_equal(f->settled, 1);
	assert_true(lt_peer_is_joined(f->peer));
}

static void publications_carry_the_wish_to_be_retained(void **state)
{
	struct fixture *f = *state;

	join(f);
	lt_peer_publish(f->peer, LT_STR("a.b"), true, LT_STR("[{\"x\":1}]"));
	assert_string_equal(f->last, "[16,1,{\"retain\":true},\"a.b\",[{\"x\":1}]]");
	lt_peer_publish(f->peer, LT_STR("a.b"), false, LT_STR("[]"));
	assert_string_equal(f->last, "[16,2,{},\"a.b\",[]]");
}

static void nothing_is_sent_before_welcome_and_after_the_loss(void **state)
{
	struct fixture *f = *state;
	size_t before = f->sent.n;

	lt_peer_publish(f->peer, LT_STR("a.b"), false, LT_STR("[]"));
	lt_peer_subscribe(f->peer, "c.d", on_event);
	assert_int_equal(f->sent.n, before);
	join(f);
	lt_peer_lost(f->peer);
	lt_peer_publish(f->peer, LT_STR("a.b"), false, LT_STR("[]"));
	assert_int_equal(f->sent.n, before);
}

static void an_abort_for_a_wrong_secret_is_a_denial(void **state)
{
	struct fixture *f = *state;

	receive(f, "[3,{\"message\":\"no\"},\"wamp.error.authentication_denied\"]");
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->code, LT_E_DENIED);
	assert_non_null(strstr(f->reason, "authentication_denied"));
}

static void goodbye_is_answered_and_ends_the_session(void **state)
{
	struct fixture *f = *state;

	join(f);
	receive(f, "[6,{},\"wamp.close.system_shutdown\"]");
	assert_string_equal(f->last, "[6,{},\"wamp.close.goodbye_and_out\"]");
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->code, LT_E_UNAVAILABLE);
}

static void what_no_router_says_ends_the_session(void **state)
{
	static const char *const messages[] = { "", "{", "[]", "[1]", "[36,1]", "[2,4712,{}]",
		"[33,9,9]", "[16,1,{},\"a.b\"]", "[99]", "[36,\"x\",1,{}]" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(messages); i++) {
		f->ended = f->joined = 0;
		lt_peer_open(f->peer);
		join(f);
		receive(f, messages[i]);
		assert_int_equal(f->ended, 1);
		assert_false(lt_peer_is_joined(f->peer));
	}
}

static void a_session_can_be_joined_again_after_a_loss(void **state)
{
	struct fixture *f = *state;

	join(f);
	lt_peer_subscribe(f->peer, "c.d", on_event);
	lt_peer_lost(f->peer);
	lt_peer_open(f->peer);
	f->joined = 0;
	join(f);
	lt_peer_subscribe(f->peer, "c.d", on_event);
	assert_string_equal(f->last, "[32,1,{},\"c.d\"]");
}

static void rawsocket_urls_are_hosts_or_paths(void **state)
{
	static const struct {
		const char *text, *host, *path;
		uint16_t port;
	} urls[] = { { "rs://h:9000", "h", NULL, 9000 }, { "rs://h:9000/", "h", NULL, 9000 },
		{ "rs://10.0.0.1", "10.0.0.1", NULL, 8081 }, { "rs://[::1]:5", "::1", NULL, 5 },
		{ "rs://unix:/run/x.sock", NULL, "/run/x.sock", 0 },
		{ "rs:unix:/run/x.sock", NULL, "/run/x.sock", 0 } };
	struct lt_err err;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(urls); i++) {
		struct lt_raw_url url;

		assert_true(lt_raw_url_parse(lt_str_from(urls[i].text), &url, &err));
		if (urls[i].path) {
			assert_string_equal(url.path, urls[i].path);
		} else {
			assert_string_equal(url.host, urls[i].host);
			assert_int_equal(url.port, urls[i].port);
		}
		lt_raw_url_finish(&url);
	}
}

static void broken_rawsocket_urls_are_refused(void **state)
{
	static const char *const urls[] = { "", "rs:", "rs://", "rs://:5", "rs://h:0",
		"rs://h:99999", "rs://h:x", "rs://[::1", "rs://[::1]x", "rs://unix:", "rss://h:1" };
	struct lt_err err;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(urls); i++) {
		struct lt_raw_url url;

		assert_false(lt_raw_url_parse(lt_str_from(urls[i]), &url, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				hello_offers_wampcra_with_a_secret, setup, teardown),
		cmocka_unit_test(hello_without_a_secret_is_anonymous),
		cmocka_unit_test_setup_teardown(
				a_challenge_is_signed_with_the_secret, setup, teardown),
		cmocka_unit_test(a_salted_secret_is_derived_first),
		cmocka_unit_test(a_challenge_that_cannot_be_signed_ends_the_session),
		cmocka_unit_test_setup_teardown(
				requests_are_settled_when_all_are_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
				events_and_invocations_come_by_their_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_refused_request_is_told_and_the_session_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
				publications_carry_the_wish_to_be_retained, setup, teardown),
		cmocka_unit_test_setup_teardown(
				nothing_is_sent_before_welcome_and_after_the_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(
				an_abort_for_a_wrong_secret_is_a_denial, setup, teardown),
		cmocka_unit_test_setup_teardown(
				goodbye_is_answered_and_ends_the_session, setup, teardown),
		cmocka_unit_test_setup_teardown(
				what_no_router_says_ends_the_session, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_session_can_be_joined_again_after_a_loss, setup, teardown),
		cmocka_unit_test(rawsocket_urls_are_hosts_or_paths),
		cmocka_unit_test(broken_rawsocket_urls_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
