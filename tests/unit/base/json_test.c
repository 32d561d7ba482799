#include <math.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "support/test.h"

static cJSON *parse(const char *text)
{
	struct lt_err err = { 0 };
	cJSON *tree = lt_json_parse(lt_str_from(text), &err);

	if (!tree) {
		fail_msg("%s: %s", text, err.msg);
	}
	return tree;
}

static void assert_prints(const cJSON *tree, enum lt_json_style style, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

	lt_json_print(&buf, tree, style);
	assert_string_equal(buf.p, expected);
}

static void assert_round_trip(const char *text, const char *expected)
{
	LT_AUTO(cJSON_Delete) cJSON *tree = parse(text);

	assert_prints(tree, LT_JSON_SPACED, expected);
}

static void trees_print_as_the_original_writes_them(void **state)
{
	static const char *const cases[][2] = {
		{ "null", "null" },
		{ "[true,false]", "[true, false]" },
		{ "{}", "{}" },
		{ "[ ]", "[]" },
		{ "{\"a\":[1,{\"b\":\"c\"}],\"d\":null}",
				"{\"a\": [1, {\"b\": \"c\"}], \"d\": null}" },
		{ "\"\xC3\xA9\xF0\x9F\x8F\x81\x7F\"", "\"\\u00e9\\ud83c\\udfc1\\u007f\"" },
		{ "\"\\u0001\\b\\t\\n\\u000b\\f\\r\\/\\\"\\\\\"",
				"\"\\u0001\\b\\t\\n\\u000b\\f\\r/\\\"\\\\\"" },
		{ "\"\\ud83c\"", "\"\\ufffd\"" },
		{ "\"a\\u0000b\"", "\"a\\ufffdb\"" },
		{ "{\"k\\u0000\\u00e9\":1}", "{\"k\\ufffd\\u00e9\": 1}" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_round_trip(cases[i][0], cases[i][1]);
	}
}

static void numbers_keep_their_kind_and_print_shortest(void **state)
{
	static const char *const cases[][2] = {
		{ "90", "90" },
		{ "90.0", "90.0" },
		{ "-0", "0" },
		{ "-0.0", "-0.0" },
		{ "0e5", "0.0" },
		{ "1e2", "100.0" },
		{ "90.123", "90.123" },
		{ "90.5", "90.5" },
		{ "-90.120", "-90.12" },
		{ "1699999998.5", "1699999998.5" },
		{ "0.1", "0.1" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "0.001", "0.001" },
		{ "0.0001", "0.0001" },
		{ "0.00012345", "0.00012345" },
		{ "0.00001", "1e-05" },
		{ "1.5e-7", "1.5e-07" },
		{ "9999999999999998.0", "9999999999999998.0" },
		{ "1e15", "1000000000000000.0" },
		{ "1e16", "1e+16" },
		{ "123456789012345678.0", "1.2345678901234568e+17" },
		{ "1.7976931348623157e308", "1.7976931348623157e+308" },
		{ "2.2250738585072014e-308", "2.2250738585072014e-308" },
		{ "5e-324", "5e-324" },
		{ "1e-400", "0.0" },
		{ "3.141592653589793", "3.141592653589793" },
		{ "5.684341886080802e-14", "5.684341886080802e-14" }, /* 2^-44 */
		{ "5.960464477539063e-08", "5.960464477539063e-08" }, /* 2^-24 */
		{ "6.386688990511104e+293", "6.386688990511104e+293" },
		{ "9007199254740992", "9007199254740992" },
		{ "-9007199254740991", "-9007199254740991" },
		{ "1000000000000000", "1000000000000000" },
		{ "1700000000123456", "1700000000123456" },
		{ "4294967296", "4294967296" },
		{ "100000000000000000000", "100000000000000000000" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_round_trip(cases[i][0], cases[i][1]);
	}
}

static void every_double_reads_back_as_it_was(void **state)
{
	uint64_t pattern = 0x9E3779B97F4A7C15U;
	(void)state;

	for (int i = 0; i < 20000; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
		double value;

		pattern = pattern * 6364136223846793005U + 1442695040888963407U;
		/* Bit patterns over all exponents, and amounts with few decimals. */
		if (i % 2) {
			memcpy(&value, &pattern, sizeof(value));
		} else {
			value = (double)(pattern >> 24) / 1000;
		}
		if (!isfinite(value)) {
			continue;
		}
		lt_json_write_double(&buf, value);
		LT_AUTO(cJSON_Delete) cJSON *back = parse(buf.p);
		assert_true(lt_json_is_float(back));
		assert_memory_equal(&back->valuedouble, &value, sizeof(value));
	}
}

static void the_float_mark_survives_duplication(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *tree = parse("{\"a\":[90.0,90],\"b\":1.0}");
	(void)state;

	LT_AUTO(cJSON_Delete) cJSON *copy = cJSON_Duplicate(tree, true);

	assert_prints(copy, LT_JSON_COMPACT, "{\"a\":[90.0,90],\"b\":1.0}");
	assert_true(lt_json_is_float(lt_json_get(copy, "b")));
	assert_false(lt_json_is_float(cJSON_GetArrayItem(lt_json_get(copy, "a"), 1)));
}

static void numbers_of_cjson_itself_print_too(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *tree = cJSON_CreateArray();
	(void)state;

	cJSON_AddItemToArray(tree, cJSON_CreateNumber(2));
	cJSON_AddItemToArray(tree, cJSON_CreateNumber(2.5));
	cJSON_AddItemToArray(tree, cJSON_CreateNumber((double)INFINITY));
	cJSON_AddItemToArray(tree, cJSON_CreateNumber((double)NAN));
	cJSON_AddItemToArray(tree, cJSON_CreateRaw("{\"raw\":1}"));

	assert_prints(tree, LT_JSON_COMPACT, "[2,2.5,null,null,{\"raw\":1}]");
	assert_true(lt_json_is_float(cJSON_GetArrayItem(tree, 1)));
	assert_false(lt_json_is_float(NULL));
}

static void styles_differ_in_blanks_and_characters(void **state)
{
	LT_AUTO(cJSON_Delete)
	cJSON *tree = parse("{\"\xC3\xA9\":[1,\"\x7F\\n\"],\"b\":{},\"c\":[]}");
	(void)state;

	assert_prints(tree, LT_JSON_SPACED,
			"{\"\\u00e9\": [1, \"\\u007f\\n\"], \"b\": {}, \"c\": []}");
	assert_prints(tree, LT_JSON_COMPACT, "{\"\\u00e9\":[1,\"\\u007f\\n\"],\"b\":{},\"c\":[]}");
	assert_prints(tree, LT_JSON_UTF8, "{\"\xC3\xA9\":[1,\"\x7F\\n\"],\"b\":{},\"c\":[]}");
	assert_prints(tree, LT_JSON_INDENTED,
			"{\n  \"\\u00e9\": [\n    1,\n    \"\\u007f\\n\"\n  ],\n  \"b\": {},\n"
			"  \"c\": []\n}");
}

static void ill_formed_text_still_prints_as_json(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *text = lt_json_new_str(LT_STR("a\xFF\0b"));
	(void)state;

	assert_prints(text, LT_JSON_SPACED, "\"a\\ufffd\\ufffdb\"");
	assert_prints(text, LT_JSON_UTF8,
			"\"a\xEF\xBF\xBD\xEF\xBF\xBD"
			"b\"");
}

static void pieces_print_without_a_tree(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_json_write_str(&buf, LT_STR("\xC3\xA9\0\""));
	lt_json_write_ascii(&buf, LT_STR("\xC3\xA9\0"));
	lt_json_write_double(&buf, 90);

	assert_string_equal(buf.p, "\"\xC3\xA9\\u0000\\\"\"\"\\u00e9\\u0000\"90.0");
}

static void broken_text_is_refused_with_the_place(void **state)
{
	static const char *const cases[][2] = {
		{ "", "byte 0: expected a value, found the end" },
		{ "[1,]", "byte 3: expected a value, found \"]\"" },
		{ "{\"a\":1,}", "byte 7: expected a member name, found \"}\"" },
		{ "{\"a\":[1,{\"b\":\"c\"}", "byte 17: expected ',' or ']', found the end" },
		{ "{\"a\":", "byte 5: expected a value, found the end" },
		{ "{\"a\"", "byte 4: expected ':', found the end" },
		{ "{\"a\":tru}", "byte 8: expected true, found \"}\"" },
		{ "[1}", "byte 2: expected ',' or ']', found \"}\"" },
		{ "[] x", "byte 3: expected the end, found \"x\"" },
		{ "[NaN]", "byte 1: expected a value, found \"N\"" },
		{ "[1e999]", "byte 1: number \"1e999\" is out of range" },
		{ "[\"\xFF\"]", "byte 2: not well-formed UTF-8" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_null(lt_json_parse(lt_str_from(cases[i][0]), &err));
		assert_string_equal(err.msg, cases[i][1]);
		assert_int_equal(err.code, LT_E_FORMAT);
	}
}

static void nesting_is_bounded(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	(void)state;
	for (int i = 0; i < LT_JSON_DEPTH_MAX; i++) {
		lt_buf_add_char(&text, '[');
	}
	for (int i = 0; i < LT_JSON_DEPTH_MAX; i++) {
		lt_buf_add_char(&text, ']');
	}

	LT_AUTO(cJSON_Delete) cJSON *tree = lt_json_parse(lt_buf_str(&text), &err);
	assert_non_null(tree);
	assert_prints(tree, LT_JSON_COMPACT, text.p);
	memset(text.p, '[', text.n);
	assert_null(lt_json_parse(lt_buf_str(&text), &err));
	assert_int_equal(err.code, LT_E_LIMIT);
}

static void a_repeated_member_has_its_first_place_and_last_value(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"a\":1,\"a\":2}", "{\"a\": 2}" },
		{ "{\"a\":1,\"b\":2,\"a\":3,\"c\":4,\"b\":5}", "{\"a\": 3, \"b\": 5, \"c\": 4}" },
		{ "{\"b\":1,\"a\":1,\"a\":2,\"a\":[3]}", "{\"b\": 1, \"a\": [3]}" },
		{ "{\"a\":{\"x\":1,\"x\":2},\"A\":1}", "{\"a\": {\"x\": 2}, \"A\": 1}" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_round_trip(cases[i][0], cases[i][1]);
	}
}

static void an_object_merged_to_its_end_still_takes_members(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *tree = parse("{\"a\":1,\"b\":2,\"b\":3,\"a\":4}");
	(void)state;

	lt_json_add_int(tree, "c", 5);

	assert_prints(tree, LT_JSON_COMPACT, "{\"a\":4,\"b\":3,\"c\":5}");
}

static void builders_make_typed_members(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *object = cJSON_CreateObject();
	(void)state;

	lt_json_add_int(object, "id", (int64_t)1 << 53);
	lt_json_add_float(object, "lap", 90);
	lt_json_add_str(object, "s", LT_STR("x"));
	lt_json_add_c(object, "c", "y");
	lt_json_add_bool(object, "b", true);

	assert_prints(object, LT_JSON_COMPACT,
			"{\"id\":9007199254740992,\"lap\":90.0,\"s\":\"x\",\"c\":\"y\",\"b\":true}");
}

static void set_adds_or_replaces_in_place(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *object = parse("{\"a\":1,\"b\":2}");
	(void)state;

	lt_json_set_take(object, "a", lt_json_new_str(LT_STR("new")));
	lt_json_set_take(object, "b", lt_json_new_int(3));
	lt_json_set_take(object, "B", lt_json_new_int(4));

	assert_prints(object, LT_JSON_COMPACT, "{\"a\":\"new\",\"b\":3,\"B\":4}");
}

static void get_is_exact_and_takes_anything(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *object = parse("{\"Key\":1,\"key\":2}");
	LT_AUTO(cJSON_Delete) cJSON *array = parse("[1]");
	(void)state;

	assert_int_equal(lt_json_get(object, "key")->valueint, 2);
	assert_null(lt_json_get(object, "KEY"));
	assert_null(lt_json_get(array, "key"));
	assert_null(lt_json_get(NULL, "key"));
}

#define MEMBERS                                                                                    \
	"{\"s\":\"text\",\"i\":42,\"f\":42.0,\"h\":0.5,\"big\":9007199254740994,\"n\":null,"       \
	"\"b\":true,\"a\":[],\"o\":{}}"

static void required_members_are_read(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *object = parse(MEMBERS);
	struct lt_str text;
	int64_t number = 0;
	bool flag = false;
	(void)state;

	assert_true(lt_json_get_str(object, "s", &text, NULL));
	assert_str_equal(text, "text");
	assert_true(lt_json_get_int(object, "i", 42, 42, &number, NULL));
	assert_int_equal(number, 42);
	assert_true(lt_json_get_int(object, "f", 0, 100, &number, NULL));
	assert_true(lt_json_get_bool(object, "b", &flag, NULL));
	assert_true(flag);
}

static void wrong_members_are_named_with_what_was_found(void **state)
{
	static const struct {
		char want; /* s, i, b */
		const char *key, *message;
	} cases[] = {
		{ 's', "x", "\"x\" is missing" },
		{ 's', "i", "\"i\": expected a text, found a number" },
		{ 's', "n", "\"n\": expected a text, found null" },
		{ 's', "a", "\"a\": expected a text, found an array" },
		{ 'i', "x", "\"x\" is missing" },
		{ 'i', "s", "\"s\": expected a whole number, found a text" },
		{ 'i', "h", "\"h\": expected a whole number, found a number" },
		{ 'i', "i", "\"i\": 42 is not between 0 and 41" },
		{ 'i', "big", "\"big\": 9007199254740994 is not between 0 and 41" },
		{ 'b', "x", "\"x\" is missing" },
		{ 'b', "i", "\"i\": expected true or false, found a number" },
		{ 'b', "o", "\"o\": expected true or false, found an object" },
	};
	LT_AUTO(cJSON_Delete) cJSON *object = parse(MEMBERS);
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		struct lt_str text;
		int64_t number;
		bool flag;
		bool ok = cases[i].want == 's' ? lt_json_get_str(object, cases[i].key, &text, &err)
				: cases[i].want == 'i'
				? lt_json_get_int(object, cases[i].key, 0, 41, &number, &err)
				: lt_json_get_bool(object, cases[i].key, &flag, &err);

		assert_false(ok);
		assert_string_equal(err.msg, cases[i].message);
	}
}

static void members_are_wanted_of_objects_only(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *array = parse("[1]");
	struct lt_err err = { 0 };
	struct lt_str text;
	(void)state;

	assert_false(lt_json_get_str(array, "k", &text, &err));
	assert_string_equal(err.msg, "expected an object with \"k\", found an array");
	assert_false(lt_json_get_str(NULL, "k", &text, &err));
	assert_string_equal(err.msg, "expected an object with \"k\", found nothing");
	assert_false(lt_json_opt_str(array, "k", &text, &err));
}

static void optional_members_may_be_absent_or_null_but_not_wrong(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *object = parse(MEMBERS);
	struct lt_str text = LT_STR("default");
	int64_t number = 7;
	bool flag = true;
	(void)state;

	assert_true(lt_json_opt_str(object, "x", &text, NULL));
	assert_true(lt_json_opt_str(object, "n", &text, NULL));
	assert_true(lt_json_opt_int(object, "n", 0, 1, &number, NULL));
	assert_true(lt_json_opt_bool(object, "x", &flag, NULL));
	assert_true(lt_json_opt_bool(NULL, "x", &flag, NULL));
	assert_str_equal(text, "default");
	assert_int_equal(number, 7);
	assert_true(flag);
	assert_false(lt_json_opt_str(object, "i", &text, NULL));
	assert_false(lt_json_opt_int(object, "i", 0, 1, &number, NULL));
	assert_false(lt_json_opt_bool(object, "s", &flag, NULL));
	assert_true(lt_json_opt_int(object, "i", 0, 50, &number, NULL));
	assert_int_equal(number, 42);
}

static void equality_is_that_of_the_original(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "1", "1.0", true },
		{ "1", "true", true },
		{ "0", "false", true },
		{ "0", "-0.0", true },
		{ "2", "true", false },
		{ "1", "2", false },
		{ "0.1", "0.10000000000000002", false },
		{ "0", "null", false },
		{ "false", "null", false },
		{ "null", "null", true },
		{ "1", "\"1\"", false },
		{ "\"a\"", "\"a\"", true },
		{ "\"a\"", "\"A\"", false },
		{ "\"\"", "null", false },
		{ "[]", "{}", false },
		{ "[]", "[]", true },
		{ "[1,2]", "[1,2]", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1]", "[1,2]", false },
		{ "[1,2]", "[1]", false },
		{ "{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":true}", true },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", false },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"c\":2,\"b\":3}", false },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(cJSON_Delete) cJSON *a = parse(cases[i].a);
		LT_AUTO(cJSON_Delete) cJSON *b = parse(cases[i].b);

		assert_int_equal(lt_json_equal(a, b), cases[i].equal);
		assert_int_equal(lt_json_equal(b, a), cases[i].equal);
	}
}

static void nothing_equals_only_nothing(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *null = parse("null");
	(void)state;

	assert_true(lt_json_equal(NULL, NULL));
	assert_false(lt_json_equal(null, NULL));
	assert_false(lt_json_equal(NULL, null));
}

static void files_are_read_and_faults_name_them(void **state)
{
	char path[] = "/tmp/lt_json_test_XXXXXX";
	struct lt_err err = { 0 };
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	(void)state;
	assert_non_null(file);
	fputs("{\"a\": 1,}", file);
	fclose(file);

	assert_null(lt_json_parse_file(path, 100, &err));
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "byte 8: expected a member name"));
	assert_null(lt_json_parse_file(path, 3, &err));
	assert_true(lt_file_replace(path, LT_STR("{\"a\": 1}"), 0600, NULL));
	LT_AUTO(cJSON_Delete) cJSON *tree = lt_json_parse_file(path, 100, &err);
	assert_non_null(tree);
	assert_int_equal(lt_json_get(tree, "a")->valueint, 1);
	remove(path);
	assert_null(lt_json_parse_file(path, 100, &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
}

/* States as the original's recording tool wrote them. */
static void a_state_that_the_original_wrote_prints_as_the_same_bytes(void **state)
{
	static const char *const names[] = {
		"golden/s11-wec-8x5m/rectool/show_abs.json",
		"golden/s11-wec-8x5m/rectool/show_rel.json",
		"golden/s22-club-14x12m/rectool/show_abs.json",
		"golden/s22-club-14x12m/rectool/show_rel.json",
		"golden/s33-tsnl-10x8m/rectool/show_abs.json",
		"golden/s33-tsnl-10x8m/rectool/show_rel.json",
		"golden/s44-nonum-5x3m/rectool/show_abs.json",
		"golden/s44-nonum-5x3m/rectool/show_rel.json",
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf printed = { 0 };
		char *path = shared_path(names[i]);

		assert_true(lt_file_read(path, 1 << 22, &content, NULL));
		free(path);
		LT_AUTO(cJSON_Delete) cJSON *tree = lt_json_parse(lt_buf_str(&content), NULL);
		assert_non_null(tree);
		lt_json_print(&printed, tree, LT_JSON_SPACED);
		assert_true(lt_str_eq(lt_buf_str(&printed), lt_str_trim(lt_buf_str(&content))));
	}
}

static void every_golden_frame_survives_printing_and_parsing(void **state)
{
	char *path = shared_path("golden/s11-wec-8x5m/frames.jsonl");
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
	size_t frames = 0;
	(void)state;
	assert_true(lt_file_read(path, 1 << 26, &content, NULL));
	free(path);

	struct lt_str rest = lt_buf_str(&content);
	while (rest.p) {
		struct lt_str line = lt_str_split(&rest, '\n');
		LT_AUTO(lt_buf_finish) struct lt_buf utf8 = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf spaced = { 0 };

		if (line.n == 0) {
			continue;
		}
		LT_AUTO(cJSON_Delete) cJSON *tree = lt_json_parse(line, NULL);
		assert_non_null(tree);
		lt_json_print(&utf8, tree, LT_JSON_UTF8);
		assert_true(lt_str_eq(lt_buf_str(&utf8), line));
		lt_json_print(&spaced, tree, LT_JSON_SPACED);
		LT_AUTO(cJSON_Delete) cJSON *back = lt_json_parse(lt_buf_str(&spaced), NULL);
		assert_true(lt_json_equal(tree, back));
		frames++;
	}
	assert_true(frames > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_print_as_the_original_writes_them),
		cmocka_unit_test(numbers_keep_their_kind_and_print_shortest),
		cmocka_unit_test(every_double_reads_back_as_it_was),
		cmocka_unit_test(the_float_mark_survives_duplication),
		cmocka_unit_test(numbers_of_cjson_itself_print_too),
		cmocka_unit_test(styles_differ_in_blanks_and_characters),
		cmocka_unit_test(ill_formed_text_still_prints_as_json),
		cmocka_unit_test(pieces_print_without_a_tree),
		cmocka_unit_test(broken_text_is_refused_with_the_place),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(a_repeated_member_has_its_first_place_and_last_value),
		cmocka_unit_test(an_object_merged_to_its_end_still_takes_members),
		cmocka_unit_test(builders_make_typed_members),
		cmocka_unit_test(set_adds_or_replaces_in_place),
		cmocka_unit_test(get_is_exact_and_takes_anything),
		cmocka_unit_test(required_members_are_read),
		cmocka_unit_test(wrong_members_are_named_with_what_was_found),
		cmocka_unit_test(members_are_wanted_of_objects_only),
		cmocka_unit_test(optional_members_may_be_absent_or_null_but_not_wrong),
		cmocka_unit_test(equality_is_that_of_the_original),
		cmocka_unit_test(nothing_equals_only_nothing),
		cmocka_unit_test(files_are_read_and_faults_name_them),
		cmocka_unit_test(a_state_that_the_original_wrote_prints_as_the_same_bytes),
		cmocka_unit_test(every_golden_frame_survives_printing_and_parsing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
