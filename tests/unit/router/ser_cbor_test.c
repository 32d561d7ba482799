#include <cbor.h>

#include "router/options.h"
#include "value.h"

#define FORMAT lt_serializer_cbor.values

/* RFC 8949, appendix A, as JSON. */
static void the_examples_of_the_rfc_are_read(void **state)
{
	static const char *const table[][2] = {
		{ "00", "0" },
		{ "01", "1" },
		{ "0a", "10" },
		{ "17", "23" },
		{ "1818", "24" },
		{ "1819", "25" },
		{ "1864", "100" },
		{ "1903e8", "1000" },
		{ "1a000f4240", "1000000" },
		{ "1b000000e8d4a51000", "1000000000000" },
		{ "1bffffffffffffffff", "18446744073709551615" },
		{ "c249010000000000000000", "18446744073709551616" },
		{ "3bffffffffffffffff", "-18446744073709551616" },
		{ "c349010000000000000000", "-18446744073709551617" },
		{ "20", "-1" },
		{ "29", "-10" },
		{ "3863", "-100" },
		{ "3903e7", "-1000" },
		{ "f90000", "0.0" },
		{ "f98000", "-0.0" },
		{ "f93c00", "1.0" },
		{ "fb3ff199999999999a", "1.1" },
		{ "f93e00", "1.5" },
		{ "f97bff", "65504.0" },
		{ "fa47c35000", "100000.0" },
		{ "fa7f7fffff", "3.4028234663852886e+38" },
		{ "fb7e37e43c8800759c", "1e+300" },
		{ "f90001", "5.960464477539063e-08" },
		{ "f90400", "6.103515625e-05" },
		{ "f9c400", "-4.0" },
		{ "fbc010666666666666", "-4.1" },
		{ "f97c00", "null" },
		{ "f97e00", "null" },
		{ "f9fc00", "null" },
		{ "fa7f800000", "null" },
		{ "fa7fc00000", "null" },
		{ "faff800000", "null" },
		{ "fb7ff0000000000000", "null" },
		{ "fb7ff8000000000000", "null" },
		{ "fbfff0000000000000", "null" },
		{ "f4", "false" },
		{ "f5", "true" },
		{ "f6", "null" },
		{ "f7", "null" },
		{ "f0", "null" },
		{ "f8ff", "null" },
		{ "c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\"" },
		{ "c11a514b67b0", "1363896240" },
		{ "c1fb41d452d9ec200000", "1363896240.5" },
		{ "d74401020304", "\"\\u0000AQIDBA==\"" },
		{ "d818456449455446", "\"\\u0000ZElFVEY=\"" },
		{ "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
				"\"http://www.example.com\"" },
		{ "40", "\"\\u0000\"" },
		{ "4401020304", "\"\\u0000AQIDBA==\"" },
		{ "60", "\"\"" },
		{ "6161", "\"a\"" },
		{ "6449455446", "\"IETF\"" },
		{ "62225c", "\"\\\"\\\\\"" },
		{ "62c3bc", "\"\xc3\xbc\"" },
		{ "63e6b0b4", "\"\xe6\xb0\xb4\"" },
		{ "64f0908591", "\"\xf0\x90\x85\x91\"" },
		{ "80", "[]" },
		{ "83010203", "[1,2,3]" },
		{ "8301820203820405", "[1,[2,3],[4,5]]" },
		{ "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
				"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
				"25]" },
		{ "a0", "{}" },
		{ "a26161016162820203", "{\"a\":1,\"b\":[2,3]}" },
		{ "826161a161626163", "[\"a\",{\"b\":\"c\"}]" },
		{ "a56161614161626142616361436164614461656145",
				"{\"a\":\"A\",\"b\":\"B\",\"c\":\"C\",\"d\":\"D\",\"e\":\"E\"}" },
		{ "5f42010243030405ff", "\"\\u0000AQIDBAU=\"" },
		{ "7f657374726561646d696e67ff", "\"streaming\"" },
		{ "9fff", "[]" },
		{ "9f018202039f0405ffff", "[1,[2,3],[4,5]]" },
		{ "9f01820203820405ff", "[1,[2,3],[4,5]]" },
		{ "83018202039f0405ff", "[1,[2,3],[4,5]]" },
		{ "83019f0203ff820405", "[1,[2,3],[4,5]]" },
		{ "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
				"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
				"25]" },
		{ "bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}" },
		{ "826161bf61626163ff", "[\"a\",{\"b\":\"c\"}]" },
		{ "bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_json(FORMAT, table[i][0], table[i][1]);
	}
}

static void unusual_but_well_formed_items_are_read(void **state)
{
	static const char *const table[][2] = {
		{ "1800", "0" },
		{ "1b0000000000000005", "5" },
		{ "d9d9f7 81 01", "[1]" },
		{ "c0 c1 c2 01", "1" },
		{ "c2 40", "0" },
		{ "c3 40", "-1" },
		{ "c2 43 000005", "5" },
		{ "c3 48 ffffffffffffffff", "-18446744073709551616" },
		{ "c2 5f 45 0100000000 44 00000000 ff", "18446744073709551616" },
		{ "5fff", "\"\\u0000\"" },
		{ "7fff", "\"\"" },
		{ "7f 60 61 61 60 ff", "\"a\"" },
		{ "a1 7f 6161 6162 ff 01", "{\"ab\":1}" },
		{ "a1 c0 6161 01", "{\"a\":1}" },
		{ "bf ff", "{}" },
		{ "fb 4340000000000000", "9007199254740992" },
		{ "fb c1e0000000200000", "-2147483649" },
		{ "d9012c d81e 82 01 03", "[1,3]" },
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
		{ "23", "17" },
		{ "24", "1818" },
		{ "1000", "1903e8" },
		{ "1000000", "1a000f4240" },
		{ "1000000000000", "1b000000e8d4a51000" },
		{ "18446744073709551615", "1bffffffffffffffff" },
		{ "18446744073709551616", "c249010000000000000000" },
		{ "-1", "20" },
		{ "-18446744073709551616", "3bffffffffffffffff" },
		{ "-18446744073709551617", "c349010000000000000000" },
		{ "0.0", "f90000" },
		{ "-0.0", "f98000" },
		{ "1.0", "f93c00" },
		{ "1.1", "fb3ff199999999999a" },
		{ "65504.0", "f97bff" },
		{ "65505.0", "fa477fe100" },
		{ "100000.0", "fa47c35000" },
		{ "3.4028234663852886e+38", "fa7f7fffff" },
		{ "1e+300", "fb7e37e43c8800759c" },
		{ "5.960464477539063e-08", "f90001" },
		{ "2.9802322387695312e-08", "fa33000000" },
		{ "6.103515625e-05", "f90400" },
		{ "6.097555160522461e-05", "f903ff" },
		{ "-4.0", "f9c400" },
		{ "1e999", "f97c00" },
		{ "null", "f6" },
		{ "true", "f5" },
		{ "false", "f4" },
		{ "\"\\u0000AQIDBA==\"", "4401020304" },
		{ "\"\\ud800\\udd51\"", "64f0908591" },
		{ "[1,[2,3],[4,5]]", "8301820203820405" },
		{ "{\"a\":1,\"b\":[2,3]}", "a26161016162820203" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_hex(FORMAT, table[i][0], table[i][1]);
	}
}

static void items_that_are_not_well_formed_are_refused(void **state)
{
	static const char *const table[][2] = {
		{ "1c", "0x1c begins no value" },
		{ "1f", "0x1f begins no value" },
		{ "3f", "0x3f begins no value" },
		{ "df00", "0xdf begins no value" },
		{ "7e", "0x7e begins no value" },
		{ "fc", "0xfc begins no value" },
		{ "f818", "a simple value in a longer form" },
		{ "f81f", "a simple value in a longer form" },
		{ "ff", "a break without a list" },
		{ "c1ff", "a tag without a value" },
		{ "81ff", "a break where a value was expected" },
		{ "8201ff", "a break where a value was expected" },
		{ "a1ff00", "a break where a value was expected" },
		{ "a16161ff", "a break where a value was expected" },
		{ "bf6161ff", "a break where a value was expected" },
		{ "9f c1ff", "a tag without a value" },
		{ "5f00ff", "a string has a piece of another kind" },
		{ "5f6161ff", "a string has a piece of another kind" },
		{ "7f4161ff", "a string has a piece of another kind" },
		{ "5f5f4100ffff", "a string has a piece of another kind" },
		{ "7fc06161ff", "a string has a piece of another kind" },
		{ "7f 61c3 61bc ff", "not well-formed UTF-8" },
		{ "61ff", "not well-formed UTF-8" },
		{ "a1 61ff 01", "not well-formed UTF-8" },
		{ "a1 01 02", "keys must be texts" },
		{ "a1 4161 02", "keys must be texts" },
		{ "bf f6 02 ff", "keys must be texts" },
		{ "a1 80 02", "keys must be texts" },
		{ "0000", "1 bytes behind the value" },
		{ "", "ends inside of a value" },
		{ "c1", "ends inside of a value" },
		{ "9f", "ends inside of a value" },
		{ "bf6161", "ends inside of a value" },
		{ "5f", "ends inside of a value" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_broken_hex(FORMAT, table[i][0], table[i][1]);
	}
}

static void declared_lengths_beyond_the_message_are_refused(void **state)
{
	static const char *const table[] = { "9bffffffffffffffff", "bbffffffffffffffff",
		"bb7fffffffffffffff", "5bffffffffffffffff", "7bffffffffffffffff00",
		"7f7bffffffffffffffff00", "82 01", "a2 6161 01 6162", "9a00010000 00" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		expect_broken_hex(FORMAT, table[i], "ends inside of a value");
	}
}

static void a_message_of_indefinite_length_is_taken_apart(void **state)
{
	struct lt_buf bytes =
			from_hex("d9d9f7 9f 10 c0 01 bf 66 72657461696e f5 ff 7f 61 61 62 2e62 "
				 "ff 9f 01 ff bf ff ff");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_cbor, lt_buf_str(&bytes), 64, &scratch, &msg, &err));

	assert_int_equal(msg.code, LT_WAMP_PUBLISH);
	assert_int_equal(msg.id, 1);
	assert_str_equal(msg.details, "{\"retain\":true}");
	assert_str_equal(msg.uri, "a.b");
	assert_int_equal(msg.body.args.n, 3);
	assert_null(msg.body.kwargs.p);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void an_option_that_is_null_or_undefined_is_absent(void **state)
{
	struct lt_buf bytes = from_hex(
			"84 1820 01 a2 65 6d61746368 f7 6c 6765745f7265746169 6e6564 f6 61 61");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_subscribe_options options;
	struct lt_msg msg;
	struct lt_err err;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_cbor, lt_buf_str(&bytes), 64, &scratch, &msg, &err));

	assert_true(lt_subscribe_options_read(msg.details, &options, &err));
	assert_int_equal(options.match, LT_MATCH_EXACT);
	assert_false(options.get_retained);
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void each_mistake_has_its_sentence(void **state)
{
	static const char *const table[][2] = {
		{ "80", "the message has no code" },
		{ "9fff", "the message has no code" },
		{ "a0", "a message must be a list" },
		{ "6161", "a message must be a list" },
		{ "81 6161", "the message code must be an integer" },
		{ "81 f5", "the message code must be an integer" },
		{ "81 184d", "unknown message code 77" },
		{ "9f 1820 01 ff", "SUBSCRIBE: too few elements" },
		{ "84 1820 6131 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 00 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 20 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 f93c00 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 c24101 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 1b0020000000000001 a0 6161", "SUBSCRIBE: an id must be an integer" },
		{ "84 1820 01 80 6161", "SUBSCRIBE: options or details must be a dict" },
		{ "84 1820 01 a0 4161", "SUBSCRIBE: a string was expected" },
		{ "85 1820 01 a0 6161 80", "SUBSCRIBE: too many elements" },
		{ "9f 1820 01 a0 6161 80 ff", "SUBSCRIBE: too many elements" },
		{ "85 10 01 a0 6161 a0", "PUBLISH: arguments must be a list" },
		{ "86 10 01 a0 6161 80 80", "PUBLISH: keyword arguments must be a dict" },
		{ "84 1820 01 a0 6161 f6", "1 bytes behind the message" },
		{ "9f 1820 01 a0 6161 ff ff", "1 bytes behind the message" },
		{ "84 1820 01 a0 ff", "a break where a value was expected" },
		{ "85 10 01 a0 6161 81 a1 f6 02", "keys must be texts" },
		{ "85 10 01 a0 6161 9f", "ends inside of a value" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct lt_buf bytes = from_hex(table[i][0]);

		expect_refused(&lt_serializer_cbor, lt_buf_str(&bytes), table[i][1]);
		lt_buf_finish(&bytes);
	}
}

static void a_message_cut_anywhere_is_refused(void **state)
{
	struct lt_buf bytes =
			from_hex("d9d9f7 9f 10 1b0000000100000000 a1 66 72657461696e f5 63 "
				 "612e62 9f 01 5f 41 ff 42 0102 ff 7f 61 61 ff "
				 "fb3ff199999999999a 3903e7 c2 49 010000000000000000 d7 41 00 "
				 "f8ff 81 f6 bf 6161 02 ff ff a1 61 6b fa3f800000 ff");
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;

	(void)state;
	assert_true(lt_msg_decode(
			&lt_serializer_cbor, lt_buf_str(&bytes), 64, &scratch, &msg, NULL));
	for (size_t n = 0; n < bytes.n; n++) {
		char *cut = lt_str_dup((struct lt_str){ bytes.p, n });

		assert_false(lt_msg_decode(&lt_serializer_cbor, (struct lt_str){ cut, n }, 64,
				&scratch, &msg, NULL));
		lt_free(cut);
	}
	lt_msg_scratch_finish(&scratch);
	lt_buf_finish(&bytes);
}

static void nesting_is_bounded(void **state)
{
	static const char *const openers[] = { "81", "9f", "a1 61 6b", "bf 61 6b", "c1 81" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(openers); i++) {
		struct lt_buf bytes = from_hex("85 10 01 a0 6161 81"),
			      opener = from_hex(openers[i]);
		struct lt_msg_scratch scratch = { 0 };
		struct lt_msg msg;
		struct lt_err err;

		for (int depth = 0; depth < 100000; depth++) {
			lt_buf_add_str(&bytes, lt_buf_str(&opener));
		}
		assert_false(lt_msg_decode(&lt_serializer_cbor, lt_buf_str(&bytes), 100000,
				&scratch, &msg, &err));
		assert_int_equal(err.code, LT_E_LIMIT);
		lt_msg_scratch_finish(&scratch);
		lt_buf_finish(&bytes);
		lt_buf_finish(&opener);
	}
}

static void a_hundred_thousand_tags_are_one_value(void **state)
{
	struct lt_buf bytes = { 0 }, json = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++) {
		lt_buf_add_char(&bytes, (char)0xc1);
	}
	lt_buf_add_char(&bytes, 7);

	assert_true(lt_transcode(FORMAT, lt_buf_str(&bytes), NULL, &json, NULL));

	assert_str_equal(lt_buf_str(&json), "7");
	lt_buf_finish(&bytes);
	lt_buf_finish(&json);
}

/* --- libcbor as the judge: does its tree say what our items say? --- */

static void assert_same(struct lt_walk *walk, const cbor_item_t *theirs);

static void assert_same_string(const struct lt_item *ours, const cbor_item_t *theirs)
{
	bool text = ours->kind == LT_ITEM_TEXT;

	assert_int_equal(cbor_typeof(theirs), text ? CBOR_TYPE_STRING : CBOR_TYPE_BYTESTRING);
	assert_int_equal(text ? cbor_string_length(theirs) : cbor_bytestring_length(theirs),
			ours->bytes.n);
	if (ours->bytes.n > 0) {
		assert_memory_equal(
				text ? cbor_string_handle(theirs) : cbor_bytestring_handle(theirs),
				ours->bytes.p, ours->bytes.n);
	}
}

static void assert_same_container(
		struct lt_walk *walk, const struct lt_item *ours, const cbor_item_t *theirs)
{
	struct lt_item end;

	if (ours->kind == LT_ITEM_LIST) {
		assert_int_equal(cbor_array_size(theirs), ours->n);
		for (size_t i = 0; i < ours->n; i++) {
			assert_same(walk, cbor_array_handle(theirs)[i]);
		}
	} else {
		assert_int_equal(cbor_map_size(theirs), ours->n);
		for (size_t i = 0; i < ours->n; i++) {
			assert_same(walk, cbor_map_handle(theirs)[i].key);
			assert_same(walk, cbor_map_handle(theirs)[i].value);
		}
	}
	assert_true(lt_walk_next(walk, &end, NULL));
	assert_int_equal(end.kind, LT_ITEM_END);
}

static void assert_same(struct lt_walk *walk, const cbor_item_t *theirs)
{
	struct lt_item ours;

	assert_true(lt_walk_next(walk, &ours, NULL));
	switch (ours.kind) {
	case LT_ITEM_NULL:
		assert_true(cbor_is_null(theirs));
		break;
	case LT_ITEM_BOOL:
		assert_true(cbor_is_bool(theirs));
		assert_int_equal(cbor_get_bool(theirs), ours.n);
		break;
	case LT_ITEM_UINT:
	case LT_ITEM_NEGATIVE:
		assert_int_equal(cbor_isa_negint(theirs), ours.kind == LT_ITEM_NEGATIVE);
		assert_true(cbor_get_int(theirs) == ours.n);
		break;
	case LT_ITEM_FLOAT:
		assert_true(cbor_float_get_float(theirs) == ours.number);
		break;
	case LT_ITEM_TEXT:
	case LT_ITEM_BYTES:
		assert_same_string(&ours, theirs);
		break;
	case LT_ITEM_LIST:
	case LT_ITEM_DICT:
		assert_same_container(walk, &ours, theirs);
		break;
	case LT_ITEM_BIG:
	case LT_ITEM_END:
		fail();
	}
}

static void libcbor_reads_what_we_write_as_we_do(void **state)
{
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct lt_buf json = { 0 }, bytes = { 0 };
		struct lt_walk walk = { .format = FORMAT, .nesting = LT_JSON_DEPTH_MAX };
		struct cbor_load_result result;

		add_random_json(&json, &random, 5);
		assert_true(lt_transcode(NULL, lt_buf_str(&json), FORMAT, &bytes, NULL));

		cbor_item_t *theirs = cbor_load((cbor_data)bytes.p, bytes.n, &result);
		walk.rest = lt_buf_str(&bytes);
		assert_non_null(theirs);
		assert_int_equal(result.read, bytes.n);
		assert_same(&walk, theirs);
		cbor_decref(&theirs);
		lt_buf_finish(&json);
		lt_buf_finish(&bytes);
	}
}

/* Tags and simple values without a meaning: well-formed to us, an error to libcbor. */
static bool libcbor_lacks(struct lt_str bytes)
{
	struct lt_walk walk = { .format = FORMAT, .rest = bytes, .nesting = LT_JSON_DEPTH_MAX };
	struct lt_item item;

	do {
		for (struct lt_str at = walk.rest; at.n > 0 && (uint8_t)at.p[0] >> 5 == 6;
				at = lt_str_skip(at, 1)) {
			if ((uint8_t)at.p[0] > 0xc5 && (uint8_t)at.p[0] < 0xd5) {
				return true;
			}
		}
		if (!lt_walk_next(&walk, &item, NULL)) {
			return false;
		}
		if (item.kind == LT_ITEM_NULL && (walk.rest.p[-1] & 0xfe) != 0xf6) {
			return true;
		}
	} while (walk.depth > 0);
	return false;
}

/* Only asked where we accept: it allocates whatever the head of an array declares. */
static void what_libcbor_cannot_read_we_refuse(void **state)
{
	uint64_t random = 3;
	int refused = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct lt_buf json = { 0 }, bytes = { 0 }, text = { 0 };
		struct cbor_load_result result;

		add_random_json(&json, &random, 3);
		lt_transcode(NULL, lt_buf_str(&json), FORMAT, &bytes, NULL);
		bytes.p[next_random(&random) % bytes.n] = (char)next_random(&random);

		if (!lt_transcode(FORMAT, lt_buf_str(&bytes), NULL, &text, NULL)) {
			refused++;
		} else if (!libcbor_lacks(lt_buf_str(&bytes))) {
			cbor_item_t *theirs = cbor_load((cbor_data)bytes.p, bytes.n, &result);

			assert_non_null(theirs);
			assert_int_equal(result.read, bytes.n);
			cbor_decref(&theirs);
		}
		lt_buf_finish(&json);
		lt_buf_finish(&bytes);
		lt_buf_finish(&text);
	}
	assert_true(refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_are_read),
		cmocka_unit_test(unusual_but_well_formed_items_are_read),
		cmocka_unit_test(values_are_written_in_their_shortest_form),
		cmocka_unit_test(items_that_are_not_well_formed_are_refused),
		cmocka_unit_test(declared_lengths_beyond_the_message_are_refused),
		cmocka_unit_test(a_message_of_indefinite_length_is_taken_apart),
		cmocka_unit_test(an_option_that_is_null_or_undefined_is_absent),
		cmocka_unit_test(each_mistake_has_its_sentence),
		cmocka_unit_test(a_message_cut_anywhere_is_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(a_hundred_thousand_tags_are_one_value),
		cmocka_unit_test(libcbor_reads_what_we_write_as_we_do),
		cmocka_unit_test(what_libcbor_cannot_read_we_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
