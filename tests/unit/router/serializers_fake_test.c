/* One router, sessions of every format: what is converted, and how often. */
#include "peer.h"
#include "router/wamp_msg.h"
#include "value.h"

static const struct lt_serializer *const formats[] = { &lt_serializer_json, &lt_serializer_msgpack,
	&lt_serializer_cbor };

static struct peer *connect_as(struct fixture *f, const struct lt_serializer *serializer)
{
	static const struct lt_peer_ops ops = { .send = peer_send, .close = peer_close };
	struct peer *peer = lt_zalloc(sizeof(*peer));

	peer->base.ops = &ops;
	peer->base.transport = "test";
	peer->base.session = lt_session_create(f->router, &peer->base, serializer);
	f->peers[f->peer_count++] = peer;
	return peer;
}

/* Say a message given as JSON in the peer's own format. */
static void say_as(struct peer *peer, const struct lt_serializer *serializer, const char *json)
{
	struct lt_buf bytes = { 0 };

	if (serializer->values) {
		assert_true(lt_transcode(
				NULL, lt_str_from(json), serializer->values, &bytes, NULL));
	} else {
		lt_buf_add_c(&bytes, json);
	}
	lt_session_receive(peer->base.session, lt_buf_str(&bytes), serializer->binary);
	lt_buf_finish(&bytes);
}

/* What it heard next, as JSON. */
static struct lt_buf hear_as(struct peer *peer, const struct lt_serializer *serializer)
{
	struct lt_buf json = { 0 };

	if (peer->read == peer->count) {
		lt_buf_add_c(&json, "(nothing)");
		return json;
	}
	struct lt_str message = lt_payload_message(peer->payloads[peer->read++]);

	if (serializer->values) {
		assert_true(lt_transcode(serializer->values, message, NULL, &json, NULL));
	} else {
		lt_buf_add_str(&json, message);
	}
	return json;
}

static void expect_as(
		struct peer *peer, const struct lt_serializer *serializer, const char *pattern)
{
	struct lt_buf json = hear_as(peer, serializer);

	if (!strstr(json.p, pattern)) {
		fail_msg("%s: expected %s in %s", serializer->subprotocol, pattern, json.p);
	}
	lt_buf_finish(&json);
}

static struct peer *join_as(struct fixture *f, const struct lt_serializer *serializer)
{
	struct peer *peer = connect_as(f, serializer);

	say_as(peer, serializer, HELLO "}]");
	expect_as(peer, serializer, "[2,");
	return peer;
}

static struct lt_local *publisher(struct fixture *f)
{
	struct lt_local *local = lt_local_join(f->router, REALM, "test", "services", NULL);

	assert_non_null(local);
	return local;
}

static void an_event_is_equal_in_every_format(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = publisher(f);
	struct peer *peers[LT_ARRAY_LEN(formats)];

	for (size_t i = 0; i < LT_ARRAY_LEN(formats); i++) {
		peers[i] = join_as(f, formats[i]);
		say_as(peers[i], formats[i], "[32,1,{},\"a.b\"]");
		expect_as(peers[i], formats[i], "[33,1,");
	}
	lt_local_publish(local, LT_STR("a.b"), false,
			LT_STR("[1,-2,1.5,90.0,\"\xc3\xa9\",null,true,{\"k\":[\"\\u0000AQ==\"]}]"),
			NULL);

	for (size_t i = 0; i < LT_ARRAY_LEN(formats); i++) {
		expect_as(peers[i], formats[i],
				",{},[1,-2,1.5,90.0,\"\xc3\xa9\",null,true,"
				"{\"k\":[\"\\u0000AQ==\"]}]]");
	}
	lt_local_leave(local);
}

static void subscribers_of_one_format_share_one_message(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = publisher(f);
	struct peer *one = join_as(f, &lt_serializer_cbor), *two = join_as(f, &lt_serializer_cbor);

	say_as(one, &lt_serializer_cbor, "[32,1,{},\"a.b\"]");
	say_as(two, &lt_serializer_cbor, "[32,1,{},\"a.b\"]");
	lt_local_publish(local, LT_STR("a.b"), false, LT_STR("[1]"), NULL);

	assert_int_equal(one->count, two->count);
	assert_ptr_equal(one->payloads[one->count - 1], two->payloads[two->count - 1]);
	lt_local_leave(local);
}

static void a_retained_event_is_kept_in_each_format_that_was_asked_for(void **state)
{
	struct fixture *f = *state;
	struct lt_local *local = publisher(f);
	struct lt_router_stats before = { 0 }, once = { 0 }, twice = { 0 };
	struct peer *peer = join_as(f, &lt_serializer_msgpack);

	lt_local_publish(local, LT_STR("a.b"), true, LT_STR("[[1,2,3]]"), NULL);
	lt_router_report(f->router, &before);
	say_as(peer, &lt_serializer_msgpack,
			"[32,1,{\"match\":\"prefix\",\"get_retained\":true},\"a.\"]");
	lt_router_report(f->router, &once);
	say_as(peer, &lt_serializer_msgpack,
			"[32,2,{\"match\":\"prefix\",\"get_retained\":true},\"a\"]");
	lt_router_report(f->router, &twice);

	assert_true(once.retained_bytes > before.retained_bytes);
	assert_int_equal(once.retained_bytes, twice.retained_bytes);
	expect_as(peer, &lt_serializer_msgpack, "[33,1,");
	expect_as(peer, &lt_serializer_msgpack, "{\"topic\":\"a.b\",\"retained\":true},[[1,2,3]]]");
	expect_as(peer, &lt_serializer_msgpack, "[33,2,");
	expect_as(peer, &lt_serializer_msgpack, "{\"topic\":\"a.b\",\"retained\":true},[[1,2,3]]]");
	lt_local_leave(local);
}

static void a_binary_message_in_a_text_frame_ends_the_session(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = join_as(f, &lt_serializer_cbor);
	struct lt_buf bytes = from_hex("84 1820 01 a0 6161");

	lt_session_receive(peer->base.session, lt_buf_str(&bytes), false);

	expect_as(peer, &lt_serializer_cbor, "wamp.error.protocol_violation");
	assert_true(peer->closed);
	lt_buf_finish(&bytes);
}

static void a_batch_is_several_messages(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = connect_as(f, &lt_serializer_json_batched);

	say(peer, HELLO "}]\x1e[32,1,{},\"a\"]\x1e[32,2,{},\"b\"]\x1e");

	expect_start(peer, "[2,");
	expect_start(peer, "[33,1,");
	const char *last = next_message(peer);
	assert_memory_equal(last, "[33,2,", 6);
	assert_int_equal(last[strlen(last) - 1], 0x1e);
	assert_false(peer->closed);
}

static void a_batch_that_is_empty_or_has_no_end_is_a_violation(void **state)
{
	static const char *const table[] = { "", "\x1e", "[32,1,{},\"a\"]",
		"[32,1,{},\"a\"]\x1e\x1e", "[32,1,{},\"a\"]\x1e[32,1", "[32,1,{},\"a\"]\x18" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct peer *peer = connect_as(f, &lt_serializer_json_batched);

		say(peer, HELLO "}]\x1e");
		say(peer, table[i]);

		assert_true(peer->closed);
		assert_int_equal(peer->reason, LT_CLOSE_PROTOCOL);
	}
}

static void nothing_behind_an_abort_in_a_batch_takes_effect(void **state)
{
	struct fixture *f = *state;
	struct peer *peer = connect_as(f, &lt_serializer_json_batched);

	say(peer, "[32,1,{},\"a\"]\x1e" HELLO "}]\x1e");

	expect_abort(peer, "wamp.error.protocol_violation");
	expect_silence(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				an_event_is_equal_in_every_format, setup_open, teardown),
		cmocka_unit_test_setup_teardown(
				subscribers_of_one_format_share_one_message, setup_open, teardown),
		cmocka_unit_test_setup_teardown(
				a_retained_event_is_kept_in_each_format_that_was_asked_for,
				setup_open, teardown),
		cmocka_unit_test_setup_teardown(a_binary_message_in_a_text_frame_ends_the_session,
				setup_open, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_several_messages, setup_open, teardown),
		cmocka_unit_test_setup_teardown(a_batch_that_is_empty_or_has_no_end_is_a_violation,
				setup_open, teardown),
		cmocka_unit_test_setup_teardown(nothing_behind_an_abort_in_a_batch_takes_effect,
				setup_open, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
