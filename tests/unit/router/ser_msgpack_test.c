#include <mpack.h>

#include "router/options.h"
#include "value.h"

#define FORMAT lt_serializer_msgpack.values

static void every_form_of_the_specification_is_read(void **state)
{
	static const char *const table[][2] = {
		{ "00", "0" },
		{ "7f", "127" },
		{ "e0", "-32" },
		{ "ff", "-1" },
		{ "c0", "null" },
		{ "c2", "false" },
		{ "c3", "true" },
		{ "cc ff", "255" },
		{ "cd ffff", "65535" },
		{ "ce ffffffff", "4294967295" },
		{ "cf ffffffffffffffff", "18446744073709551615" },
		{ "cc 05", "5" },
		{ "d0 80", "-128" },
		{ "d0 7f", "127" },
		{ "d1 8000", "-32768" },
		{ "d2 80000000", "-2147483648" },
		{ "d3 8000000000000000", "-9223372036854775808" },
		{ "d3 0020000000000000", "9007199254740992" },
		{ "ca 3fc00000", "1.5" },
		{ "cb 3ff199999999999a", "1.1" },
		{ "cb 7ff0000000000000", "null" },
		{ "ca 7fc00000", "null" },
		{ "cb 4340000000000000", "9007199254740992" },
		{ "cb 4340000000000001", "9007199254740994.0" },
		{ "cb c1e0000000200000", "-2147483649" },
		{ "a0", "\"\"" },
		{ "a3 e282ac", "\"\xe2\x82\xac\"" },
		{ "d9 01 61", "\"a\"" },
		{ "da 0001 61", "\"a\"" },
		{ "db 00000001 61", "\"a\"" },
		{ "c4 03 000102", "\"\\u0000AAEC\"" },
		{ "c5 0000", "\"\\u0000\"" },
		{ "c6 00000001 ff", "\"\\u0000/w==\"" },
		{ "90", "[]" },
		{ "92 01 90", "[1,[]]" },
		{ "dc 0001 01", "[1]" },
		{ "dd 00000002 01 02", "[1,2]" },
		{ "80", "{}" },
		{ "82 a161 01 a162 81 a163 c0", "{\"a\":1,\"b\":{\"c\":null}}" },
		{ "de 0001 a161 01", "{\"a\":1}" },
		{ "df 00000001 a161 91 01", "{\"a\":[1]}" },
		{ "d4 00 00", "null" },
		{ "d4 05 ff", "\"\\u0000/w==\"" },
		{ "d5 01 0001", "\"\\u0000AAE=\"" },
		{ "d6 ff 00000000", "\"\\u0000AAAAAA==\"" },
		{ "d7 01 0000000000000000", "\"\\u0000AAAAAAAAAAA=\"" },
		{ "d8 01 00000000000000000000000000000000", "\"\\u0000AAAAAAAAAAAAAAAAAAAAAA==\"" },
		{ "c7 00 05", "\"\\u0000\"" },
		{ "c8 0001 05 ff", "\"\\u0000/w==\"" },
		{ "c9 00000001 05 ff", "\"\\u0000/w==\"" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_json(FORMAT, table[i][0], table[i][1]);
	}
}

static void values_are_written_in_their_shortest_form(void **state)
{
	static const char *const table[][2] = {
		{ "0", "00" },
		{ "-0", "00" },
		{ "127", "7f" },
		{ "128", "cc80" },
		{ "256", "cd0100" },
		{ "65536", "ce00010000" },
		{ "4294967296", "cf0000000100000000" },
		{ "18446744073709551615", "cfffffffffffffffff" },
		{ "18446744073709551616", "ca5f800000" },
		{ "-1", "ff" },
		{ "-32", "e0" },
		{ "-33", "d0df" },
		{ "-128", "d080" },
		{ "-129", "d1ff7f" },
		{ "-32769", "d2ffff7fff" },
		{ "-2147483649", "d3ffffffff7fffffff" },
		{ "-9223372036854775808", "d38000000000000000" },
		{ "-9223372036854775809", "cadf000000" },
		{ "1.0", "ca3f800000" },
		{ "1.1", "cb3ff199999999999a" },
		{ "-0.0", "ca80000000" },
		{ "1e999", "ca7f800000" },
		{ "null", "c0" },
		{ "false", "c2" },
		{ "true", "c3" },
		{ "\"\"", "a0" },
		{ "\"\\u00e9\"", "a2c3a9" },
		{ "\"\\ud800\"", "a3efbfbd" },
		{ "\"\\u0000AAEC\"", "c403000102" },
		{ "\"\\u0000a?\"", "a300613f" },
		{ "\"0123456789012345678901234567890\"",
				"bf30313233343536373839303132333435363738393031323334353637383930" },
		{ "\"01234567890123456789012345678901\"",
				"d920303132333435363738393031323334353637383930313233343536373839"
				"3031" },
		{ "[]", "90" },
		{ "[[1],{}]", "92910180" },
		{ "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14]", "9f000102030405060708090a0b0c0d0e" },
		{ "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]",
				"dc0010000102030405060708090a0b0c0d0e0f" },
		{ "{\"a\":{\"b\":[null]},\"a\":2}", "82a16181a16291c0a16102" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_hex(FORMAT, table[i][0], table[i][1]);
	}
}

static void lengths_of_16_and_32_bits_are_written(void **state)
{
	static const size_t sizes[] = { 255, 256, 65535, 65536 };
	static const char *const heads[] = { "d9ff", "da0100", "daffff", "db00010000" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(sizes); i++) {
		struct lt_buf text = { 0 }, bytes = { 0 }, head;

		lt_buf_add_char(&text, '"');
		for (size_t j = 0; j < sizes[i]; j++) {
			lt_buf_add_char(&text, 'x');
		}
		lt_buf_add_char(&text, '"');
		assert_true(lt_transcode(NULL, lt_buf_str(&text), FORMAT, &bytes, NULL));
		head = from_hex(heads[i]);

		assert_int_equal(bytes.n, head.n + sizes[i]);
		assert_memory_equal(bytes.p, head.p, head.n);
		lt_buf_finish(&text);
		lt_buf_finish(&bytes);
		lt_buf_finish(&head);
	}
}

static void a_message_is_taken_apart_without_copying_its_arguments(void **state)
{
	struct lt_buf bytes = from_hex("96 10 01 81 a6 72657461696e c3 a3 612e62 92 01 c4 01 ff "
				       "81 a1 6b 02");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch, &msg, &err));

	assert_int_equal(msg.code, LT_WAMP_PUBLISH);
	assert_int_equal(msg.id, 1);
	assert_str_equal(msg.details, "{\"retain\":true}");
	assert_str_equal(msg.uri, "a.b");
	assert_ptr_equal(msg.body.args.p, bytes.p + 16);
	assert_int_equal(msg.body.args.n, 5);
	assert_int_equal(msg.body.kwargs.n, 4);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void an_option_that_is_nil_or_undefined_is_absent(void **state)
{
	struct lt_buf bytes = from_hex("94 20 01 82 a5 6d61746368 c0 ac 6765745f7265746169 6e6564 "
				       "d40000 a1 61");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_subscribe_options options;
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch, &msg, &err));

	assert_true(lt_subscribe_options_read(msg.details, &options, &err));
	assert_int_equal(options.match, LT_MATCH_EXACT);
	assert_false(options.get_retained);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void large_ids_that_javascript_wrote_as_floats_are_ids(void **state)
{
	struct lt_buf bytes = from_hex("93 22 cf0020000000000000 cb4340000000000000");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch, &msg, NULL));

	assert_int_equal(msg.id, LT_WAMP_ID_MAX);
	assert_int_equal(msg.target, LT_WAMP_ID_MAX);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void an_event_is_written_with_the_body_of_another_format(void **state)
{
	const struct lt_body body = { .serializer = &lt_serializer_json,
		.args = LT_STR("[1,\"\\u0000AQ==\"]"),
		.kwargs = LT_STR("{\"a\":1.5}") };
	const struct lt_field fields[] = { lt_field_int(36), lt_field_int(300), lt_field_int(5),
		lt_field_json(LT_STR("{\"topic\":\"t\"}")), lt_field_text(LT_STR("u")) };
	struct lt_payload *payload =
			lt_msg_encode(&lt_serializer_msgpack, fields, LT_ARRAY_LEN(fields), &body);
	struct lt_buf hex = to_hex(lt_payload_message(payload));

	(void)state;
	assert_string_equal(hex.p, "9724cd012c0581a5746f706963a174a1759201c4010181a161ca3fc00000");
	lt_buf_finish(&hex);
	lt_payload_unref(payload);
}

static void keyword_arguments_alone_follow_an_empty_list(void **state)
{
	const struct lt_body body = { .serializer = &lt_serializer_json,
		.kwargs = LT_STR("{\"a\":1}") };
	const struct lt_field fields[] = { lt_field_int(1) };
	struct lt_payload *payload = lt_msg_encode(&lt_serializer_msgpack, fields, 1, &body);
	struct lt_buf hex = to_hex(lt_payload_message(payload));

	(void)state;
	assert_string_equal(hex.p, "93019081a16101");
	lt_buf_finish(&hex);
	lt_payload_unref(payload);
}

static void each_mistake_has_its_sentence(void **state)
{
	static const char *const table[][2] = {
		{ "", "ends inside of a value" },
		{ "c1", "0xc1 begins no value" },
		{ "90", "the message has no code" },
		{ "80", "a message must be a list" },
		{ "a161", "a message must be a list" },
		{ "91 a161", "the message code must be an integer" },
		{ "91 c3", "the message code must be an integer" },
		{ "91 ff", "the message code must be an integer" },
		{ "91 4d", "unknown message code 77" },
		{ "92 20 01", "SUBSCRIBE: too few elements" },
		{ "94 20 a131 80 a161", "SUBSCRIBE: an id must be an integer" },
		{ "94 20 00 80 a161", "SUBSCRIBE: an id must be an integer" },
		{ "94 20 ff 80 a161", "SUBSCRIBE: an id must be an integer" },
		{ "94 20 cf0020000000000001 80 a161", "SUBSCRIBE: an id must be an integer" },
		{ "94 20 ca3f800000 80 a161", "SUBSCRIBE: an id must be an integer" },
		{ "94 20 01 90 a161", "SUBSCRIBE: options or details must be a dict" },
		{ "94 20 01 c0 a161", "SUBSCRIBE: options or details must be a dict" },
		{ "94 20 01 80 c40161", "SUBSCRIBE: a string was expected" },
		{ "94 20 01 80 01", "SUBSCRIBE: a string was expected" },
		{ "95 20 01 80 a161 90", "SUBSCRIBE: too many elements" },
		{ "95 10 01 80 a161 80", "PUBLISH: arguments must be a list" },
		{ "96 10 01 80 a161 90 90", "PUBLISH: keyword arguments must be a dict" },
		{ "95 08 a130 01 80 a161", "ERROR: the request type must be an integer" },
		{ "94 20 01 80 a161 c0", "1 bytes behind the message" },
		{ "94 20 01 81 01 02 a161", "keys must be texts" },
		{ "95 10 01 80 a161 91 81 c0 02", "keys must be texts" },
		{ "94 20 01 80 a1ff", "not well-formed UTF-8" },
		{ "94 20 01 80 a3eda080", "not well-formed UTF-8" },
		{ "95 10 01 80 a161 91 a2c080", "not well-formed UTF-8" },
		{ "95 10 01 80 a161 91 81 a1ff 01", "not well-formed UTF-8" },
		{ "95 10 01 80 a161 91 c1", "0xc1 begins no value" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct lt_buf bytes = from_hex(table[i][0]);

		expect_refused(&lt_serializer_msgpack, lt_buf_str(&bytes), table[i][1]);
		lt_buf_finish(&bytes);
	}
}

static void declared_lengths_beyond_the_message_are_refused(void **state)
{
	static const char *const table[] = { "ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff",
		"c9ffffffff00", "dcffff00", "deffff00", "91ddfffffffe0000", "92 a5 61" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_broken_hex(FORMAT, table[i], "ends inside of a value");
	}
}

static void a_message_cut_anywhere_is_refused(void **state)
{
	struct lt_buf bytes = from_hex("96 10 cf0000000100000000 81 a6 72657461696e c3 a3 612e62 "
				       "98 01 c4 01 ff da0001 61 cb3ff199999999999a d1 8000 c7 01 "
				       "05 00 dc0001 c0 de0001 a161 02 81 a1 6b ca3f800000");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch, &msg, NULL));
	for (size_t n = 0; n < bytes.n; n++) {
		/* a copy of exactly this size, so that a sanitizer sees reads beyond it */
		char *cut = lt_str_dup((struct lt_str){ bytes.p, n });

		assert_false(lt_msg_decode(&lt_serializer_msgpack, (struct lt_str){ cut, n }, 64,
				&scratch, &msg, NULL));
		lt_free(cut);
	}
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void nesting_is_bounded(void **state)
{
	static const char openers[] = { (char)0x91, (char)0x81 };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(openers); i++) {
		struct lt_buf bytes = from_hex("95 10 01 80 a161 91");
		struct lt_msg_scratch scratch = { 0 };
		struct lt_msg msg;
		struct lt_err err;

		for (int depth = 0; depth < 100000; depth++) {
			lt_buf_add_char(&bytes, openers[i]);
			if (i == 1) {
				lt_buf_add(&bytes, "\xa1k", 2);
			}
		}
		assert_false(lt_msg_decode(&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch,
				&msg, &err));
		assert_int_equal(err.code, LT_E_LIMIT);
		assert_false(lt_msg_decode(&lt_serializer_msgpack, lt_buf_str(&bytes), 100000,
				&scratch, &msg, &err));
		assert_int_equal(err.code, LT_E_LIMIT);
		lt_msg_scratch_finish(&scratch);
		lt_buf_finish(&bytes);
	}
}

static void nesting_up_to_the_bound_passes(void **state)
{
	struct lt_buf bytes = from_hex("95 10 01 80 a161");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	for (int depth = 1; depth < 63; depth++) {
		lt_buf_add_char(&bytes, (char)0x91);
	}
	lt_buf_add_char(&bytes, (char)0x90);
	assert_true(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 64, &scratch, &msg, &err));
	assert_false(lt_msg_decode(
			&lt_serializer_msgpack, lt_buf_str(&bytes), 63, &scratch, &msg, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

/* Values as libmpack sees them, with END left out since it does not tell. */
static void assert_same_token(const struct lt_item *item, const mpack_token_t *token)
{
	switch (item->kind) {
	case LT_ITEM_NULL:
		assert_int_equal(token->type, MPACK_TOKEN_NIL);
		break;
	case LT_ITEM_BOOL:
		assert_int_equal(token->type, MPACK_TOKEN_BOOLEAN);
		assert_int_equal(mpack_unpack_boolean(*token), item->n);
		break;
	case LT_ITEM_UINT:
		assert_int_equal(token->type, MPACK_TOKEN_UINT);
		assert_true(mpack_unpack_uint(*token) == item->n);
		break;
	case LT_ITEM_NEGATIVE:
		assert_int_equal(token->type, MPACK_TOKEN_SINT);
		assert_true(mpack_unpack_sint(*token) == -1 - (int64_t)item->n);
		break;
	case LT_ITEM_FLOAT:
		assert_int_equal(token->type, MPACK_TOKEN_FLOAT);
		assert_true(mpack_unpack_float_fast(*token) == item->number);
		break;
	case LT_ITEM_TEXT:
	case LT_ITEM_BYTES:
		assert_int_equal(token->type,
				item->kind == LT_ITEM_TEXT ? MPACK_TOKEN_STR : MPACK_TOKEN_BIN);
		assert_int_equal(token->length, item->bytes.n);
		break;
	case LT_ITEM_LIST:
	case LT_ITEM_DICT:
		assert_int_equal(token->type,
				item->kind == LT_ITEM_LIST ? MPACK_TOKEN_ARRAY : MPACK_TOKEN_MAP);
		assert_int_equal(token->length, item->n);
		break;
	case LT_ITEM_BIG:
	case LT_ITEM_END:
		fail();
	}
}

static void libmpack_reads_what_we_write_as_we_do(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct lt_buf json = { 0 }, bytes = { 0 };
		mpack_tokbuf_t tokbuf = MPACK_TOKBUF_INITIAL_VALUE;
		struct lt_walk walk = { .format = FORMAT, .nesting = LT_JSON_DEPTH_MAX };
		mpack_token_t token;
		struct lt_item item;
		struct lt_err err;

		add_random_json(&json, &random, 5);
		assert_true(lt_transcode(NULL, lt_buf_str(&json), FORMAT, &bytes, &err));
		const char *p = bytes.p;
		size_t n = bytes.n;

		walk.rest = lt_buf_str(&bytes);
		do {
			assert_true(lt_walk_next(&walk, &item, &err));
			if (item.kind == LT_ITEM_END) {
				continue;
			}
			assert_int_equal(mpack_read(&tokbuf, &p, &n, &token), MPACK_OK);
			assert_same_token(&item, &token);
			while (token.type != MPACK_TOKEN_CHUNK && item.bytes.n > 0) {
				assert_int_equal(mpack_read(&tokbuf, &p, &n, &token), MPACK_OK);
				assert_int_equal(token.type, MPACK_TOKEN_CHUNK);
				assert_memory_equal(
						token.data.chunk_ptr, item.bytes.p, token.length);
			}
		} while (walk.depth > 0);
		assert_int_equal(n, 0);
		lt_buf_finish(&json);
		lt_buf_finish(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_the_specification_is_read),
		cmocka_unit_test(values_are_written_in_their_shortest_form),
		cmocka_unit_test(lengths_of_16_and_32_bits_are_written),
		cmocka_unit_test(a_message_is_taken_apart_without_copying_its_arguments),
		cmocka_unit_test(an_option_that_is_nil_or_undefined_is_absent),
		cmocka_unit_test(large_ids_that_javascript_wrote_as_floats_are_ids),
		cmocka_unit_test(an_event_is_written_with_the_body_of_another_format),
		cmocka_unit_test(keyword_arguments_alone_follow_an_empty_list),
		cmocka_unit_test(each_mistake_has_its_sentence),
		cmocka_unit_test(declared_lengths_beyond_the_message_are_refused),
		cmocka_unit_test(a_message_cut_anywhere_is_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(nesting_up_to_the_bound_passes),
		cmocka_unit_test(libmpack_reads_what_we_write_as_we_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
