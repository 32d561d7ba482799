#include "router/transport.h"
#include "router/wamp_msg.h"
#include "support/test.h"

static void the_largest_id_is_mirrored_digit_for_digit(void **state)
{
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(&lt_serializer_json,
			LT_STR(" [34 , 9007199254740992,9007199254740991 ] "), 64, &scratch, &msg,
			&err));

	const struct lt_field fields[] = { lt_field_int(msg.id), lt_field_int(msg.target) };
	struct lt_payload *payload = lt_msg_encode(&lt_serializer_json, fields, 2, NULL);

	assert_str_equal(lt_payload_message(payload), "[9007199254740992,9007199254740991]");
	lt_payload_unref(payload);
	lt_msg_scratch_finish(&scratch);
}

static void escapes_in_uris_are_decoded(void **state)
{
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(&lt_serializer_json, LT_STR("[32,1,{},\"a\\u002eb\\u00e9\"]"), 64,
			&scratch, &msg, &err));

	assert_str_equal(msg.uri, "a.b\xc3\xa9");
	lt_msg_scratch_finish(&scratch);
}

static void arguments_are_slices_of_the_input(void **state)
{
	const char *text = "[16,1,{},\"t\",[1, 2],{}]";
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_json, lt_str_from(text), 64, &scratch, &msg, &err));

	assert_ptr_equal(msg.body.args.p, text + 13);
	assert_int_equal(msg.body.args.n, 6);
	assert_null(msg.body.kwargs.p);
	lt_msg_scratch_finish(&scratch);
}

static void each_mistake_has_its_sentence(void **state)
{
	static const char *const table[][2] = {
		{ "[]", "the message has no code" },
		{ "[\"a\"]", "the message code must be an integer" },
		{ "[77]", "unknown message code 77" },
		{ "[32,1,{}]", "SUBSCRIBE: too few elements" },
		{ "[32,1,{},\"t\",1]", "SUBSCRIBE: too many elements" },
		{ "[32,0,{},\"t\"]", "SUBSCRIBE: an id must be an integer from 1 to 2^53" },
		{ "[32,1,1,\"t\"]", "SUBSCRIBE: options or details must be a dict" },
		{ "[32,1,{},1]", "SUBSCRIBE: a string was expected" },
		{ "[16,1,{},\"t\",1]", "PUBLISH: arguments must be a list" },
		{ "[16,1,{},\"t\",[],1]", "PUBLISH: keyword arguments must be a dict" },
		{ "[8,true,1,{},\"t\"]", "ERROR: the request type must be an integer" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct lt_msg_scratch scratch = { 0 };
		struct lt_msg msg;
		struct lt_err err;

		assert_false(lt_msg_decode(&lt_serializer_json, lt_str_from(table[i][0]), 64,
				&scratch, &msg, &err));
		assert_string_equal(err.msg, table[i][1]);
		assert_int_equal(err.code, LT_E_FORMAT);
		lt_msg_scratch_finish(&scratch);
	}
}

static void the_frame_header_stands_before_the_message(void **state)
{
	static const struct {
		size_t n, header;
	} table[] = { { 0, 2 }, { 125, 2 }, { 126, 4 }, { 65535, 4 }, { 65536, 10 } };
	static char text[65536];

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct lt_payload *payload =
				lt_payload_create((struct lt_str){ text, table[i].n }, i % 2 == 1);
		struct lt_str frame = lt_payload_ws_frame(payload);
		const unsigned char *header = (const unsigned char *)frame.p;

		assert_int_equal(frame.n, table[i].n + table[i].header);
		assert_int_equal(header[0], i % 2 == 1 ? 0x82 : 0x81);
		assert_int_equal(header[1],
				table[i].header == 2                   ? table[i].n
						: table[i].header == 4 ? 126
								       : 127);
		assert_int_equal(header[table[i].header - 1], table[i].n & 0xff);
		lt_payload_unref(payload);
	}
}

static void only_known_subprotocols_are_found(void **state)
{
	const struct lt_serializer *json = lt_serializer_find(LT_STR("wamp.2.json"));

	(void)state;
	assert_string_equal(lt_serializer_subprotocol(json), "wamp.2.json");
	assert_false(lt_serializer_is_binary(json));
	assert_null(lt_serializer_find(LT_STR("wamp.2.ubjson")));
	assert_null(lt_serializer_find(LT_STR("wamp.2.jso")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_id_is_mirrored_digit_for_digit),
		cmocka_unit_test(escapes_in_uris_are_decoded),
		cmocka_unit_test(arguments_are_slices_of_the_input),
		cmocka_unit_test(each_mistake_has_its_sentence),
		cmocka_unit_test(the_frame_header_stands_before_the_message),
		cmocka_unit_test(only_known_subprotocols_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
