#include "value.h"

#define MSGPACK lt_serializer_msgpack.values
#define CBOR    lt_serializer_cbor.values

static struct lt_buf convert(
		const struct lt_binary *from, struct lt_str value, const struct lt_binary *to)
{
	struct lt_buf out = { 0 };
	struct lt_err err = { 0 };

	if (!lt_transcode(from, value, to, &out, &err)) {
		fail_msg("%s", err.msg);
	}
	return out;
}

/* From `a` to `b` and back: the same bytes. */
static void expect_round_trip(
		const struct lt_binary *a, struct lt_str value, const struct lt_binary *b)
{
	struct lt_buf there = convert(a, value, b);
	struct lt_buf back = convert(b, lt_buf_str(&there), a);

	if (!lt_str_eq(lt_buf_str(&back), value)) {
		fail_msg("%.*s came back as %.*s", LT_STR_ARG(value),
				LT_STR_ARG(lt_buf_str(&back)));
	}
	lt_buf_finish(&there);
	lt_buf_finish(&back);
}

static void json_comes_back_from_messagepack(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct lt_buf json = { 0 };

		add_random_json(&json, &random, 6);
		expect_round_trip(NULL, lt_buf_str(&json), MSGPACK);
		lt_buf_finish(&json);
	}
}

static void json_comes_back_from_cbor(void **state)
{
	uint64_t random = 12;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct lt_buf json = { 0 };

		add_random_json(&json, &random, 6);
		expect_round_trip(NULL, lt_buf_str(&json), CBOR);
		lt_buf_finish(&json);
	}
}

static void messagepack_comes_back_from_cbor_and_the_reverse(void **state)
{
	uint64_t random = 13;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct lt_buf json = { 0 };

		add_random_json(&json, &random, 6);
		struct lt_buf msgpack = convert(NULL, lt_buf_str(&json), MSGPACK);
		struct lt_buf cbor = convert(NULL, lt_buf_str(&json), CBOR);

		expect_round_trip(MSGPACK, lt_buf_str(&msgpack), CBOR);
		expect_round_trip(CBOR, lt_buf_str(&cbor), MSGPACK);
		lt_buf_finish(&json);
		lt_buf_finish(&msgpack);
		lt_buf_finish(&cbor);
	}
}

static void a_text_that_looks_like_bytes_stays_text_between_binary_formats(void **state)
{
	struct lt_buf bytes = from_hex("92 a5 00 41414543 c4 01 ff");
	struct lt_buf cbor = convert(MSGPACK, lt_buf_str(&bytes), CBOR);
	struct lt_buf hex = to_hex(lt_buf_str(&cbor));

	(void)state;
	assert_string_equal(hex.p,
			"826500414145"
			"4341ff");
	lt_buf_finish(&bytes);
	lt_buf_finish(&cbor);
	lt_buf_finish(&hex);
}

static void indefinite_lengths_become_definite(void **state)
{
	struct lt_buf bytes = from_hex("9f 9f ff bf 61 61 5f 41 01 41 02 ff 61 62 01 ff ff");
	struct lt_buf msgpack = convert(CBOR, lt_buf_str(&bytes), MSGPACK);
	struct lt_buf hex = to_hex(lt_buf_str(&msgpack));

	(void)state;
	assert_string_equal(hex.p, "929082a161c4020102a16201");
	lt_buf_finish(&bytes);
	lt_buf_finish(&msgpack);
	lt_buf_finish(&hex);
}

static void numbers_that_are_no_numbers_stay_so_between_binary_formats(void **state)
{
	struct lt_buf bytes = from_hex("83 f97e00 f97c00 f9fc00");
	struct lt_buf msgpack = convert(CBOR, lt_buf_str(&bytes), MSGPACK);
	struct lt_buf back = convert(MSGPACK, lt_buf_str(&msgpack), CBOR);

	(void)state;
	assert_int_equal(back.n, bytes.n);
	assert_memory_equal(back.p, bytes.p, bytes.n);
	lt_buf_finish(&bytes);
	lt_buf_finish(&msgpack);
	lt_buf_finish(&back);
}

/* 2^512 and its neighbours: the greatest that is exact. */
#define TWO_512_LESS_1                                                                             \
	"134078079299425970995740249982058461274793658205923933777235614437217640300735"           \
	"46976801874298166903427690031858186486050853753882811946569946433649006084095"
#define TWO_512                                                                                    \
	"134078079299425970995740249982058461274793658205923933777235614437217640300735"           \
	"46976801874298166903427690031858186486050853753882811946569946433649006084096"

static void integers_of_512_bits_are_exact_in_cbor(void **state)
{
	static const char *const table[] = {
		"18446744073709551616",
		"-18446744073709551617",
		"340282366920938463463374607431768211456",
		"-340282366920938463463374607431768211456",
		"100000000000000000000000000000000000000000000000001",
		TWO_512_LESS_1,
		"-" TWO_512_LESS_1,
		"-" TWO_512,
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		if (i < LT_ARRAY_LEN(table) - 1) {
			expect_round_trip(NULL, lt_str_from(table[i]), CBOR);
		}
	}

	/* -2^512 is -1 - (2^512 - 1) */
	struct lt_buf bytes = from_hex("c3 5840"), json;

	for (int i = 0; i < 64; i++) {
		lt_buf_add_char(&bytes, (char)0xff);
	}
	json = convert(CBOR, lt_buf_str(&bytes), NULL);
	assert_str_equal(lt_buf_str(&json), "-" TWO_512);
	lt_buf_finish(&bytes);
	lt_buf_finish(&json);
}

static void longer_integers_are_floating_point(void **state)
{
	(void)state;
	expect_hex(CBOR, TWO_512, "fb5ff0000000000000");
	expect_hex(MSGPACK, "340282366920938463463374607431768211456", "cb47f0000000000000");
	expect_hex(MSGPACK, "-36893488147419103232", "cae0000000");
	/* 2^520, 2^1024 */
	struct lt_buf bytes = from_hex("c2 5842 01"), json;

	for (int i = 0; i < 65; i++) {
		lt_buf_add_char(&bytes, 0);
	}
	json = convert(CBOR, lt_buf_str(&bytes), NULL);
	assert_str_equal(lt_buf_str(&json), "3.432398830065305e+156");
	lt_buf_finish(&bytes);
	lt_buf_finish(&json);
	bytes = from_hex("c3 590081 01");
	for (int i = 0; i < 128; i++) {
		lt_buf_add_char(&bytes, 0);
	}
	json = convert(CBOR, lt_buf_str(&bytes), NULL);
	assert_str_equal(lt_buf_str(&json), "null");
	lt_buf_finish(&bytes);
	lt_buf_finish(&json);
}

static void a_million_digits_take_no_time(void **state)
{
	struct lt_buf json = { 0 }, bytes;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		lt_buf_add_char(&json, '7');
	}
	bytes = convert(NULL, lt_buf_str(&json), CBOR);
	struct lt_buf hex = to_hex(lt_buf_str(&bytes));

	assert_string_equal(hex.p, "f97c00");
	lt_buf_finish(&json);
	lt_buf_finish(&bytes);
	lt_buf_finish(&hex);
}

static void json_that_is_broken_is_refused_and_nothing_is_written(void **state)
{
	static const char *const table[] = { "", "[", "[1,]", "{\"a\"}", "{\"a\":}", "[1]x", "nul",
		"[NaN]", "{1:2}", "\"\xff\"", "[1 2]", "01", "\"\\u12\"" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		const struct lt_binary *const formats[] = { MSGPACK, CBOR };

		for (size_t j = 0; j < LT_ARRAY_LEN(formats); j++) {
			struct lt_buf out = { 0 };
			struct lt_err err;

			lt_buf_add_c(&out, "before");
			assert_false(lt_transcode(
					NULL, lt_str_from(table[i]), formats[j], &out, &err));
			assert_int_equal(err.code, LT_E_FORMAT);
			assert_str_equal(lt_buf_str(&out), "before");
			lt_buf_finish(&out);
		}
	}
}

static void values_cut_anywhere_are_refused(void **state)
{
	const struct lt_str json =
			LT_STR("[{\"a\":[1.5,\"\\u0000AQ==\",{\"b\":null}]},-70000,\"x\"]");
	const struct lt_binary *const formats[] = { NULL, MSGPACK, CBOR };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(formats); i++) {
		const struct lt_binary *to = formats[i] == CBOR ? MSGPACK : CBOR;
		struct lt_buf value = { 0 }, out = { 0 };

		if (formats[i]) {
			lt_transcode(NULL, json, formats[i], &value, NULL);
		} else {
			lt_buf_add_str(&value, json);
		}
		for (size_t n = 0; n < value.n; n++) {
			char *cut = lt_str_dup((struct lt_str){ value.p, n });

			assert_false(lt_transcode(
					formats[i], (struct lt_str){ cut, n }, to, &out, NULL));
			assert_int_equal(out.n, 0);
			lt_free(cut);
		}
		lt_buf_finish(&value);
		lt_buf_finish(&out);
	}
}

static void nesting_is_bounded(void **state)
{
	struct lt_buf json = { 0 }, out = { 0 };
	struct lt_err err;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		lt_buf_add_char(&json, '[');
	}
	assert_false(lt_transcode(NULL, lt_buf_str(&json), CBOR, &out, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	lt_buf_finish(&json);
	lt_buf_finish(&out);
}

static void the_deepest_value_is_converted(void **state)
{
	struct lt_buf json = { 0 };

	(void)state;
	for (int i = 0; i < LT_JSON_DEPTH_MAX; i++) {
		lt_buf_add_char(&json, '[');
	}
	for (int i = 0; i < LT_JSON_DEPTH_MAX; i++) {
		lt_buf_add_char(&json, ']');
	}
	expect_round_trip(NULL, lt_buf_str(&json), CBOR);
	expect_round_trip(NULL, lt_buf_str(&json), MSGPACK);
	lt_buf_finish(&json);
}

static void a_body_is_converted_once_for_each_format(void **state)
{
	const struct lt_body body = { .serializer = &lt_serializer_json, .args = LT_STR("[1]") };
	struct lt_forms forms = { 0 };
	struct lt_body first, second, batched;

	(void)state;
	first = lt_forms_get(&forms, &body, &lt_serializer_cbor);
	second = lt_forms_get(&forms, &body, &lt_serializer_cbor);
	batched = lt_forms_get(&forms, &body, &lt_serializer_json_batched);

	assert_ptr_equal(first.args.p, second.args.p);
	assert_ptr_equal(batched.args.p, body.args.p); /* untouched */
	assert_int_equal(forms.bytes, 2);
	assert_null(first.kwargs.p);
	lt_forms_finish(&forms);
}

static void a_body_that_is_no_value_becomes_no_arguments(void **state)
{
	const struct lt_body body = { .serializer = &lt_serializer_json, .args = LT_STR("[1") };
	struct lt_forms forms = { 0 };
	struct lt_body form = lt_forms_get(&forms, &body, &lt_serializer_msgpack);

	(void)state;
	assert_str_equal(form.args, "\x90");
	lt_forms_finish(&forms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_comes_back_from_messagepack),
		cmocka_unit_test(json_comes_back_from_cbor),
		cmocka_unit_test(messagepack_comes_back_from_cbor_and_the_reverse),
		cmocka_unit_test(a_text_that_looks_like_bytes_stays_text_between_binary_formats),
		cmocka_unit_test(indefinite_lengths_become_definite),
		cmocka_unit_test(numbers_that_are_no_numbers_stay_so_between_binary_formats),
		cmocka_unit_test(integers_of_512_bits_are_exact_in_cbor),
		cmocka_unit_test(longer_integers_are_floating_point),
		cmocka_unit_test(a_million_digits_take_no_time),
		cmocka_unit_test(json_that_is_broken_is_refused_and_nothing_is_written),
		cmocka_unit_test(values_cut_anywhere_are_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(the_deepest_value_is_converted),
		cmocka_unit_test(a_body_is_converted_once_for_each_format),
		cmocka_unit_test(a_body_that_is_no_value_becomes_no_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
