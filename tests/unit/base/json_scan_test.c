#include "base/alloc.h"
#include "base/json_scan.h"
#include "support/test.h"

static bool scan_document(
		struct lt_str text, uint32_t depth, struct lt_json_slice *slice, struct lt_err *err)
{
	struct lt_json_scan scan;

	return lt_json_scan_init(&scan, text, depth, err) &&
			lt_json_scan_value(&scan, slice, err) && lt_json_scan_end(&scan, err);
}

static void valid_documents_pass_and_give_their_bytes(void **state)
{
	static const struct {
		const char *text, *raw;
		enum lt_json_kind kind;
	} cases[] = {
		{ "null", "null", LT_JSON_NULL },
		{ " true\n", "true", LT_JSON_TRUE },
		{ "\tfalse", "false", LT_JSON_FALSE },
		{ "0", "0", LT_JSON_NUMBER },
		{ "-0", "-0", LT_JSON_NUMBER },
		{ "-12.50e+7 ", "-12.50e+7", LT_JSON_NUMBER },
		{ "1E5", "1E5", LT_JSON_NUMBER },
		{ "1e-05", "1e-05", LT_JSON_NUMBER },
		{ "\"\"", "\"\"", LT_JSON_STRING },
		{ "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
				"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", LT_JSON_STRING },
		{ "\"\xC3\xA9 long enough to be read sixteen bytes a step\"",
				"\"\xC3\xA9 long enough to be read sixteen bytes a step\"",
				LT_JSON_STRING },
		{ "[]", "[]", LT_JSON_ARRAY },
		{ " [ ] ", "[ ]", LT_JSON_ARRAY },
		{ "{}", "{}", LT_JSON_OBJECT },
		{ "{ \"a\" : [ 1 , { } , [ ] ] , \"b\" : null }",
				"{ \"a\" : [ 1 , { } , [ ] ] , \"b\" : null }", LT_JSON_OBJECT },
		{ "[[[]],{\"a\":{}},[1,[2],3]]", "[[[]],{\"a\":{}},[1,[2],3]]", LT_JSON_ARRAY },
		{ "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", LT_JSON_OBJECT },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		struct lt_json_slice slice;

		if (!scan_document(lt_str_from(cases[i].text), 512, &slice, &err)) {
			fail_msg("%s: %s", cases[i].text, err.msg);
		}
		assert_int_equal(slice.kind, cases[i].kind);
		assert_str_equal(slice.raw, cases[i].raw);
	}
}

static void broken_documents_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "byte 0: expected a value, found the end" },
		{ "  ", "byte 2: expected a value, found the end" },
		{ "nul", "byte 3: expected null, found the end" },
		{ "nulL", "byte 3: expected null, found \"L\"" },
		{ "True", "byte 0: expected a value, found \"T\"" },
		{ "NaN", "byte 0: expected a value, found \"N\"" },
		{ "Infinity", "byte 0: expected a value, found \"I\"" },
		{ "-Infinity", "byte 1: expected a digit, found \"I\"" },
		{ "01", "byte 1: expected no digit after a leading zero, found \"1\"" },
		{ "-", "byte 1: expected a digit, found the end" },
		{ "+1", "byte 0: expected a value, found \"+\"" },
		{ ".5", "byte 0: expected a value, found \".\"" },
		{ "1.", "byte 2: expected a digit, found the end" },
		{ "1.e5", "byte 2: expected a digit, found \"e\"" },
		{ "1e", "byte 2: expected a digit, found the end" },
		{ "1e+", "byte 3: expected a digit, found the end" },
		{ "0x1", "byte 1: expected the end, found \"x\"" },
		{ "'a'", "byte 0: expected a value, found \"'\"" },
		{ "\"a", "byte 2: expected the rest of a string, found the end" },
		{ "\"a\nb\"", "byte 2: expected the rest of a string, found \"\\x0a\"" },
		{ "\"a\\\"", "byte 4: expected the rest of a string, found the end" },
		{ "\"\\x41\"", "byte 2: expected an escape letter, found \"x\"" },
		{ "\"\\", "byte 2: expected an escape letter, found the end" },
		{ "\"\\u12g4\"", "byte 5: expected a hexadecimal digit, found \"g\"" },
		{ "\"\\u12", "byte 5: expected a hexadecimal digit, found the end" },
		{ "\"0123456789abcdef0123\t\"",
				"byte 21: expected the rest of a string, found \"\\x09\"" },
		{ "[", "byte 1: expected a value, found the end" },
		{ "]", "byte 0: expected a value, found \"]\"" },
		{ "[1", "byte 2: expected ',' or ']', found the end" },
		{ "[1,]", "byte 3: expected a value, found \"]\"" },
		{ "[,1]", "byte 1: expected a value, found \",\"" },
		{ "[1 2]", "byte 3: expected ',' or ']', found \"2\"" },
		{ "[1}", "byte 2: expected ',' or ']', found \"}\"" },
		{ "[}", "byte 1: expected a value, found \"}\"" },
		{ "{", "byte 1: expected a member name, found the end" },
		{ "{]", "byte 1: expected a member name, found \"]\"" },
		{ "{a:1}", "byte 1: expected a member name, found \"a\"" },
		{ "{\"a\"}", "byte 4: expected ':', found \"}\"" },
		{ "{\"a\" 1}", "byte 5: expected ':', found \"1\"" },
		{ "{\"a\":}", "byte 5: expected a value, found \"}\"" },
		{ "{\"a\":1,}", "byte 7: expected a member name, found \"}\"" },
		{ "{\"a\":1]", "byte 6: expected ',' or '}', found \"]\"" },
		{ "{\"a\":[1}", "byte 7: expected ',' or ']', found \"}\"" },
		{ "{1:2}", "byte 1: expected a member name, found \"1\"" },
		{ "1 2", "byte 2: expected the end, found \"2\"" },
		{ "[]]", "byte 2: expected the end, found \"]\"" },
		{ "[1]//x", "byte 3: expected the end, found \"/\"" },
		{ "/*x*/1", "byte 0: expected a value, found \"/\"" },
		{ "\xEF\xBB\xBF[]", "byte 0: expected a value, found \"\\xef\"" },
		{ "\v1", "byte 0: expected a value, found \"\\x0b\"" },
		{ "\"\xC3\"", "byte 1: not well-formed UTF-8" },
		{ "\"a\xED\xA0\x80\"", "byte 2: not well-formed UTF-8" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		struct lt_json_slice slice;

		if (scan_document(lt_str_from(cases[i].text), 512, &slice, &err)) {
			fail_msg("accepted: %s", cases[i].text);
		}
		assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(err.code, LT_E_FORMAT);
	}
}

/* Copies without a terminator in memory of the exact size: the sanitizer sees reads past the end.
 */
static void every_beginning_of_a_document_is_refused(void **state)
{
	static const char text[] =
			"{\"a\":[1.5e-3,\"\\u00e9\\n\xC3\xA9\",true,false,null,{\"b\":-0}],"
			"\"c\":\"0123456789abcdef0123456789\"}";
	(void)state;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = malloc(n ? n : 1);
		struct lt_err err = { 0 };
		struct lt_json_slice slice;
		assert_non_null(copy);
		memcpy(copy, text, n);

		assert_false(scan_document((struct lt_str){ copy, n }, 512, &slice, &err));
		assert_true(strncmp(err.msg, "byte ", 5) == 0);
		free(copy);
	}
}

static void zero_bytes_are_refused_anywhere(void **state)
{
	static const struct lt_str cases[] = {
		{ "\0", 1 },
		{ "1\0", 2 },
		{ "[\0]", 3 },
		{ "\"\0\"", 3 },
		{ "\"\\\0\"", 4 },
		{ "{\"a\"\0:1}", 8 },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_json_slice slice;
		assert_false(scan_document(cases[i], 512, &slice, NULL));
	}
}

static void nesting_is_bounded_exactly(void **state)
{
	(void)state;

	for (int object = 0; object < 2; object++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		struct lt_err err = { 0 };
		struct lt_json_slice slice;

		for (int i = 0; i < 512; i++) {
			lt_buf_add_c(&text, object ? "{\"a\":" : "[");
		}
		lt_buf_add_char(&text, '1');
		for (int i = 0; i < 512; i++) {
			lt_buf_add_char(&text, object ? '}' : ']');
		}
		assert_true(scan_document(lt_buf_str(&text), 512, &slice, NULL));
		assert_false(scan_document(lt_buf_str(&text), 511, &slice, &err));
		assert_int_equal(err.code, LT_E_LIMIT);
		assert_string_equal(err.msg,
				object ? "byte 2555: nested deeper than 511 levels"
				       : "byte 511: nested deeper than 511 levels");
	}
}

static void a_million_brackets_are_refused_without_harm(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	struct lt_json_slice slice;
	(void)state;
	for (int i = 0; i < 1000000; i++) {
		lt_buf_add_char(&text, '[');
	}

	/* A caller's larger bound is cut to the scanner's own. */
	assert_false(scan_document(lt_buf_str(&text), 4000000, &slice, &err));
	assert_string_equal(err.msg, "byte 512: nested deeper than 512 levels");
}

static void depth_zero_takes_scalars_only(void **state)
{
	struct lt_json_slice slice;
	(void)state;

	assert_true(scan_document(LT_STR("1"), 0, &slice, NULL));
	assert_false(scan_document(LT_STR("[]"), 0, &slice, NULL));
}

static void mixed_nesting_keeps_brackets_apart(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_json_slice slice;
	(void)state;
	for (int i = 0; i < 100; i++) {
		lt_buf_add_c(&text, i % 3 ? "[" : "{\"a\":");
	}
	lt_buf_add_char(&text, '1');
	for (int i = 99; i >= 0; i--) {
		lt_buf_add_char(&text, i % 3 ? ']' : '}');
	}

	assert_true(scan_document(lt_buf_str(&text), 512, &slice, NULL));
	text.p[text.n - 50] = text.p[text.n - 50] == ']' ? '}' : ']';
	assert_false(scan_document(lt_buf_str(&text), 512, &slice, NULL));
}

static void arrays_are_walked_element_by_element(void **state)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;
	const char *const expected[] = { "16", "{\"a\": [1]}", "\"t,]\"", "[ ]" };
	size_t count = 0;
	(void)state;

	assert_true(lt_json_scan_init(
			&scan, LT_STR(" [16 , {\"a\": [1]}, \"t,]\",[ ] ] "), 512, NULL));
	assert_true(lt_json_scan_enter(&scan, LT_JSON_ARRAY, NULL));
	while (lt_json_scan_more(&scan)) {
		assert_true(lt_json_scan_value(&scan, &slice, NULL));
		assert_true(count < LT_ARRAY_LEN(expected));
		assert_str_equal(slice.raw, expected[count]);
		count++;
	}

	assert_int_equal(count, LT_ARRAY_LEN(expected));
	assert_true(lt_json_scan_leave(&scan, NULL));
	assert_true(lt_json_scan_end(&scan, NULL));
}

static void objects_are_walked_member_by_member_and_nest(void **state)
{
	struct lt_json_scan scan;
	struct lt_json_slice key, value;
	enum lt_json_kind kind;
	struct lt_err err = { 0 };
	(void)state;

	assert_true(lt_json_scan_init(
			&scan, LT_STR("{\"a\":{},\"b\\n\" : [],\"c\":3}"), 512, &err));
	assert_true(lt_json_scan_enter(&scan, LT_JSON_OBJECT, &err));
	assert_true(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_key(&scan, &key, &err));
	assert_str_equal(lt_json_slice_plain(&key), "a");
	assert_true(lt_json_scan_peek(&scan, &kind, &err));
	assert_int_equal(kind, LT_JSON_OBJECT);
	assert_true(lt_json_scan_enter(&scan, LT_JSON_OBJECT, &err));
	assert_false(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_leave(&scan, &err));
	assert_true(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_key(&scan, &key, &err));
	assert_true(key.escaped);
	assert_true(lt_json_scan_enter(&scan, LT_JSON_ARRAY, &err));
	assert_false(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_leave(&scan, &err));
	assert_true(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_key(&scan, &key, &err));
	assert_true(lt_json_scan_value(&scan, &value, &err));
	assert_str_equal(value.raw, "3");
	assert_false(lt_json_scan_more(&scan));
	assert_true(lt_json_scan_leave(&scan, &err));
	assert_true(lt_json_scan_end(&scan, &err));
}

/* The loop that the header shows, with its one check at the end. */
static bool walk_array(struct lt_str text, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;

	if (!lt_json_scan_init(&scan, text, 512, err)) {
		return false;
	}
	lt_json_scan_enter(&scan, LT_JSON_ARRAY, err);
	while (lt_json_scan_more(&scan)) {
		lt_json_scan_value(&scan, &slice, err);
	}
	lt_json_scan_leave(&scan, err);
	return lt_json_scan_end(&scan, err);
}

static void a_walk_reports_its_first_error(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "byte 0: expected '[', found \"{\"" },
		{ "[1,]", "byte 3: expected a value, found \"]\"" },
		{ "[,]", "byte 1: expected a value, found \",\"" },
		{ "[1 2]", "byte 3: expected ',' or ']', found \"2\"" },
		{ "[1", "byte 2: expected ',' or ']', found the end" },
		{ "[", "byte 1: expected a value, found the end" },
		{ "[1}", "byte 2: expected ',' or ']', found \"}\"" },
		{ "[x,y]", "byte 1: expected a value, found \"x\"" },
		{ "[[1],[2}]", "byte 7: expected ',' or ']', found \"}\"" },
		{ "[1],", "byte 3: expected the end, found \",\"" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(walk_array(lt_str_from(cases[i].text), &err));
		assert_string_equal(err.msg, cases[i].message);
	}
	assert_true(walk_array(LT_STR("[1,2]"), NULL));
}

static struct lt_json_slice string_slice(const char *text)
{
	struct lt_json_slice slice;

	assert_true(scan_document(lt_str_from(text), 0, &slice, NULL));
	return slice;
}

static void string_escapes_are_decoded(void **state)
{
	static const struct {
		const char *text;
		struct lt_str decoded;
	} cases[] = {
		{ "\"plain\"", { "plain", 5 } },
		{ "\"\"", { "", 0 } },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", { "\"\\/\b\f\n\r\t", 8 } },
		{ "\"a\\u00e9\\u20AC\"", { "a\xC3\xA9\xE2\x82\xAC", 6 } },
		{ "\"\\ud83c\\udfc1!\"", { "\xF0\x9F\x8F\x81!", 5 } },
		{ "\"x\\u0000y\"", { "x\0y", 3 } },
		{ "\"\\ud83c\"", { "\xEF\xBF\xBD", 3 } },
		{ "\"\\udfc1\"", { "\xEF\xBF\xBD", 3 } },
		{ "\"\\ud83cx\"", { "\xEF\xBF\xBDx", 4 } },
		{ "\"\\ud83c\\n\"", { "\xEF\xBF\xBD\n", 4 } },
		{ "\"\\ud83c\\u0041\"",
				{ "\xEF\xBF\xBD"
				  "A",
						4 } },
		{ "\"\\ud83c\\ud83c\\udfc1\"", { "\xEF\xBF\xBD\xF0\x9F\x8F\x81", 7 } },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
		struct lt_json_slice slice = string_slice(cases[i].text);

		lt_json_slice_text(&slice, &buf);

		assert_int_equal(slice.escaped, strchr(cases[i].text, '\\') != NULL);
		assert_true(lt_str_eq(lt_buf_str(&buf), cases[i].decoded));
	}
}

static void ids_are_integers_up_to_two_to_the_53rd(void **state)
{
	static const char *const bad[] = { "-1", "-0", "1.0", "1e3", "9007199254740993",
		"99999999999999999999", "\"1\"", "null", "true" };
	uint64_t value = 0;
	(void)state;

	struct lt_json_slice slice = string_slice("9007199254740992");
	assert_true(lt_json_slice_u53(&slice, &value));
	assert_true(value == (uint64_t)1 << 53);
	slice = string_slice("0");
	assert_true(lt_json_slice_u53(&slice, &value));
	assert_true(value == 0);
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		slice = string_slice(bad[i]);
		assert_false(lt_json_slice_u53(&slice, &value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_documents_pass_and_give_their_bytes),
		cmocka_unit_test(broken_documents_are_refused_with_the_place),
		cmocka_unit_test(every_beginning_of_a_document_is_refused),
		cmocka_unit_test(zero_bytes_are_refused_anywhere),
		cmocka_unit_test(nesting_is_bounded_exactly),
		cmocka_unit_test(a_million_brackets_are_refused_without_harm),
		cmocka_unit_test(depth_zero_takes_scalars_only),
		cmocka_unit_test(mixed_nesting_keeps_brackets_apart),
		cmocka_unit_test(arrays_are_walked_element_by_element),
		cmocka_unit_test(objects_are_walked_member_by_member_and_nest),
		cmocka_unit_test(a_walk_reports_its_first_error),
		cmocka_unit_test(string_escapes_are_decoded),
		cmocka_unit_test(ids_are_integers_up_to_two_to_the_53rd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
