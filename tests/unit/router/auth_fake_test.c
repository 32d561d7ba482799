#include "base/crypto.h"
#include "peer.h"

/* The text of CHALLENGE.Extra.challenge, owned; whole message in ret_message. */
static char *challenge_of(struct peer *peer, cJSON **ret_message)
{
	*ret_message = lt_json_parse(lt_str_from(next_message(peer)), NULL);
	assert_non_null(*ret_message);
	assert_int_equal(cJSON_GetArrayItem(*ret_message, 0)->valueint, 4);
	assert_string_equal(cJSON_GetArrayItem(*ret_message, 1)->valuestring, "wampcra");

	const cJSON *extra = cJSON_GetArrayItem(*ret_message, 2);

	return lt_strdup(lt_json_get(extra, "challenge")->valuestring);
}

static void authenticate(
		struct peer *peer, const char *key, const char *challenge, const char *junk)
{
	struct lt_buf text = { 0 };
	uint8_t mac[LT_SHA256_BYTES];

	lt_hmac_sha256(lt_str_from(key), lt_str_from(challenge), mac);
	lt_buf_add_c(&text, "[5,\"");
	lt_base64_encode(&text, mac, sizeof(mac));
	lt_buf_printf(&text, "%s\",{}]", junk);
	say_bytes(peer, lt_buf_str(&text));
	lt_buf_finish(&text);
}

static struct peer *challenged(
		struct fixture *f, const char *authid, char **ret_challenge, cJSON **ret_message)
{
	struct peer *peer = connect_peer(f);
	char hello[400];

	snprintf(hello, sizeof(hello),
			"%s,\"authmethods\":[\"scram\",\"wampcra\",\"anonymous\"],"
			"\"authid\":\"%s\"}]",
			HELLO, authid);
	say(peer, hello);
	*ret_challenge = challenge_of(peer, ret_message);
	return peer;
}

static void the_right_signature_makes_a_session_of_the_principal(void **state)
{
	LT_AUTO(lt_free) char *text = NULL;
	LT_AUTO(cJSON_Delete) cJSON *message = NULL;
	struct peer *peer = challenged(*state, "services", &text, &message);
	LT_AUTO(cJSON_Delete) cJSON *challenge = lt_json_parse(lt_str_from(text), NULL);
	char welcome[60];

	assert_string_equal(lt_json_get(challenge, "authrole")->valuestring, "services");
	assert_int_equal(strlen(lt_json_get(challenge, "nonce")->valuestring), 32);
	assert_string_equal(lt_json_get(challenge, "timestamp")->valuestring,
			"2026-05-16T13:00:00.000Z");
	authenticate(peer, "secret", text, "");

	snprintf(welcome, sizeof(welcome), "[2,%.0f,",
			lt_json_get(challenge, "session")->valuedouble);
	expect_start(peer, welcome);
	assert_non_null(strstr(peer->messages[peer->count - 1], "\"authrole\":\"services\""));
	assert_non_null(strstr(peer->messages[peer->count - 1], "\"authid\":\"services\""));
}

static void anything_else_is_denied(void **state)
{
	static const char *const keys[] = { "Secret", "", "secret" };
	static const char *const junk[] = { "", "", "x" };
	struct lt_router_stats stats;

	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		LT_AUTO(lt_free) char *text = NULL;
		LT_AUTO(cJSON_Delete) cJSON *message = NULL;
		struct peer *peer = challenged(*state, "services", &text, &message);

		authenticate(peer, keys[i], text, junk[i]);
		expect_abort(peer, "wamp.error.authentication_denied");
		say(peer, "[16,1,{\"acknowledge\":true},\"t\"]");
		expect_silence(peer);
	}
	lt_router_report(((struct fixture *)*state)->router, &stats);
	assert_int_equal(stats.auth_failures, 3);
	assert_int_equal(stats.sessions, 0);
}

static void an_unknown_authid_is_challenged_alike_and_denied(void **state)
{
	LT_AUTO(lt_free) char *text = NULL;
	LT_AUTO(cJSON_Delete) cJSON *message = NULL;
	struct peer *peer = challenged(*state, "nobody", &text, &message);

	authenticate(peer, "secret", text, "");

	assert_non_null(strstr(text, "\"authrole\":\"services\""));
	expect_abort(peer, "wamp.error.authentication_denied");
}

static void a_salted_principal_signs_with_the_derived_key(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_buf key = { 0 };
	uint8_t derived[32];
	LT_AUTO(lt_free) char *text = NULL;
	LT_AUTO(cJSON_Delete) cJSON *message = NULL;

	assert_true(lt_pbkdf2_sha256(LT_STR("pw"), LT_STR("salt123"), 1000, derived, 32, &err));
	lt_base64_encode(&key, derived, sizeof(derived));

	const struct lt_principal salted = { .authid = "ext",
		.role = "services",
		.secret = lt_buf_str(&key),
		.salt = LT_STR("salt123"),
		.iterations = 1000,
		.keylen = 32 };

	assert_true(lt_router_add_principal(f->router, &salted, &err));

	struct peer *peer = challenged(f, "ext", &text, &message);
	const cJSON *extra = cJSON_GetArrayItem(message, 2);

	assert_string_equal(lt_json_get(extra, "salt")->valuestring, "salt123");
	assert_int_equal(lt_json_get(extra, "iterations")->valueint, 1000);
	assert_int_equal(lt_json_get(extra, "keylen")->valueint, 32);
	authenticate(peer, key.p, text, "");
	expect_start(peer, "[2,");
	lt_buf_finish(&key);
}

static void an_unknown_authid_keeps_its_false_salt(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	const struct lt_principal salted = { .authid = "ext",
		.role = "services",
		.secret = LT_STR("key"),
		.salt = LT_STR("salt123"),
		.iterations = 1000,
		.keylen = 32 };
	char *salts[2];

	assert_true(lt_router_add_principal(f->router, &salted, &err));
	for (int i = 0; i < 2; i++) {
		LT_AUTO(lt_free) char *text = NULL;
		LT_AUTO(cJSON_Delete) cJSON *message = NULL;

		challenged(f, "nobody", &text, &message);
		salts[i] = lt_strdup(
				lt_json_get(cJSON_GetArrayItem(message, 2), "salt")->valuestring);
	}

	assert_string_equal(salts[0], salts[1]);
	lt_free(salts[0]);
	lt_free(salts[1]);
}

static void wampcra_without_authid_is_refused(void **state)
{
	struct peer *peer = connect_peer(*state);

	say(peer, HELLO ",\"authmethods\":[\"wampcra\"]}]");

	expect_abort(peer, "wamp.error.authentication_failed");
}

static void unknown_methods_alone_are_refused(void **state)
{
	struct peer *peer = connect_peer(*state);

	say(peer, HELLO ",\"authmethods\":[\"scram\",\"ANONYMOUS\"]}]");

	expect_abort(peer, "wamp.error.no_matching_auth_method");
}

/* Ask to join with a ticket; returns the peer that was challenged. */
static struct peer *asked_for_ticket(struct fixture *f, const char *authid)
{
	struct peer *peer = connect_peer(f);
	char hello[400];

	snprintf(hello, sizeof(hello), HELLO ",\"authmethods\":[\"ticket\"],\"authid\":\"%s\"}]",
			authid);
	say(peer, hello);
	expect(peer, "[4,\"ticket\",{}]");
	return peer;
}

static void the_secret_is_the_ticket_unless_there_is_another(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	const struct lt_principal own = { .authid = "own",
		.role = "services",
		.secret = LT_STR("secret"),
		.ticket = LT_STR("other") };
	const struct {
		const char *authid, *answer, *start;
	} cases[] = {
		{ "services", "[5,\"secret\",{}]", "[2," },
		{ "services", "[5,\"secret2\",{}]", "[3," },
		{ "services", "[5,\"secre\",{}]", "[3," },
		{ "services", "[5,\"\",{}]", "[3," },
		{ "own", "[5,\"other\",{}]", "[2," },
		{ "own", "[5,\"secret\",{}]", "[3," },
	};

	assert_true(lt_router_add_principal(f->router, &own, &err));
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct peer *peer = asked_for_ticket(f, cases[i].authid);

		say(peer, cases[i].answer);
		expect_start(peer, cases[i].start);
	}
}

static void a_ticket_of_nobody_is_denied_like_a_wrong_one(void **state)
{
	struct peer *peer = asked_for_ticket(*state, "nobody");

	say(peer, "[5,\"secret\",{}]");

	expect_abort(peer, "wamp.error.authentication_denied");
}

static void a_salted_principal_has_no_ticket_of_its_secret(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	const struct lt_principal salted = { .authid = "ext",
		.role = "services",
		.secret = LT_STR("key"),
		.salt = LT_STR("salt"),
		.iterations = 1000,
		.keylen = 32 };

	assert_true(lt_router_add_principal(f->router, &salted, &err));

	struct peer *peer = asked_for_ticket(f, "ext");

	say(peer, "[5,\"key\",{}]");
	expect_abort(peer, "wamp.error.authentication_denied");
}

static void a_principal_uses_only_its_methods(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	const struct lt_principal signing = { .authid = "signs",
		.role = "services",
		.secret = LT_STR("secret"),
		.methods = LT_METHOD_WAMPCRA };

	assert_true(lt_router_add_principal(f->router, &signing, &err));

	struct peer *peer = asked_for_ticket(f, "signs");

	say(peer, "[5,\"secret\",{}]");
	expect_abort(peer, "wamp.error.authentication_denied");
}

static void tickets_can_be_turned_off(void **state)
{
	struct peer *peer = connect_peer(*state);

	say(peer, HELLO ",\"authmethods\":[\"ticket\"],\"authid\":\"services\"}]");

	expect_abort(peer, "wamp.error.no_matching_auth_method");
}

static int setup_no_ticket(void **state)
{
	return setup_switches(state, (struct lt_switches){ .no_ticket = true });
}

static void a_principal_needs_a_known_role_and_a_sound_secret(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	const struct lt_principal no_role = { .authid = "a", .role = "x", .secret = LT_STR("s") };
	const struct lt_principal no_secret = { .authid = "a", .role = "services" };
	const struct lt_principal weak = { .authid = "a",
		.role = "services",
		.secret = LT_STR("s"),
		.salt = LT_STR("salt"),
		.iterations = 999,
		.keylen = 32 };
	const struct lt_principal twice = {
		.authid = "services", .role = "services", .secret = LT_STR("s")
	};

	assert_false(lt_router_add_principal(f->router, &no_role, &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
	assert_false(lt_router_add_principal(f->router, &no_secret, &err));
	assert_false(lt_router_add_principal(f->router, &weak, &err));
	assert_false(lt_router_add_principal(f->router, &twice, &err));
	assert_int_equal(err.code, LT_E_EXISTS);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_default, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_signature_makes_a_session_of_the_principal),
		TEST(anything_else_is_denied),
		TEST(an_unknown_authid_is_challenged_alike_and_denied),
		TEST(a_salted_principal_signs_with_the_derived_key),
		TEST(an_unknown_authid_keeps_its_false_salt),
		TEST(wampcra_without_authid_is_refused),
		TEST(unknown_methods_alone_are_refused),
		TEST(the_secret_is_the_ticket_unless_there_is_another),
		TEST(a_ticket_of_nobody_is_denied_like_a_wrong_one),
		TEST(a_salted_principal_has_no_ticket_of_its_secret),
		TEST(a_principal_uses_only_its_methods),
		cmocka_unit_test_setup_teardown(
				tickets_can_be_turned_off, setup_no_ticket, teardown),
		TEST(a_principal_needs_a_known_role_and_a_sound_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
