#include <errno.h>

#include "base/alloc.h"
#include "base/str.h"
#include "support/test.h"

static void slices_compare_by_bytes_and_length(void **state)
{
	(void)state;

	assert_true(lt_str_eq(LT_STR("pit"), LT_STR("pit")));
	assert_true(lt_str_eq((struct lt_str){ NULL, 0 }, LT_STR("")));
	assert_false(lt_str_eq(LT_STR("pit"), LT_STR("pi")));
	assert_false(lt_str_eq(LT_STR("a\0b"), LT_STR("a\0c")));
	assert_true(lt_str_eq_c(LT_STR("pit"), "pit"));
	assert_false(lt_str_eq_c(LT_STR("pit"), "pits"));
	assert_true(lt_str_cmp(LT_STR("a"), LT_STR("ab")) < 0);
	assert_true(lt_str_cmp(LT_STR("b"), LT_STR("ab")) > 0);
	assert_true(lt_str_cmp(LT_STR("\xC3\xA9"), LT_STR("z")) > 0);
	assert_int_equal(lt_str_cmp(LT_STR("ab"), LT_STR("ab")), 0);
}

static void prefixes_and_suffixes_are_found(void **state)
{
	(void)state;

	assert_true(lt_str_starts(LT_STR("livetiming.x"), LT_STR("livetiming.")));
	assert_true(lt_str_starts(LT_STR("x"), (struct lt_str){ NULL, 0 }));
	assert_false(lt_str_starts(LT_STR("live"), LT_STR("livetiming.")));
	assert_true(lt_str_ends(LT_STR("a.zip"), LT_STR(".zip")));
	assert_false(lt_str_ends(LT_STR("zip"), LT_STR(".zip")));
}

static void trim_cuts_blanks_at_both_ends_only(void **state)
{
	(void)state;

	assert_str_equal(lt_str_trim(LT_STR(" \t a b\r\n")), "a b");
	assert_str_equal(lt_str_trim(LT_STR(" \n ")), "");
	assert_str_equal(lt_str_trim((struct lt_str){ NULL, 0 }), "");
}

static void skip_stops_at_the_end(void **state)
{
	(void)state;

	assert_str_equal(lt_str_skip(LT_STR("abc"), 2), "c");
	assert_str_equal(lt_str_skip(LT_STR("abc"), 9), "");
}

static void split_yields_every_part_also_empty_ones(void **state)
{
	struct lt_str rest = LT_STR("a,,b,");
	(void)state;

	assert_str_equal(lt_str_split(&rest, ','), "a");
	assert_str_equal(lt_str_split(&rest, ','), "");
	assert_str_equal(lt_str_split(&rest, ','), "b");
	assert_non_null(rest.p);
	assert_str_equal(lt_str_split(&rest, ','), "");
	assert_null(rest.p);
}

static void split_of_text_without_separator_is_one_part(void **state)
{
	struct lt_str rest = LT_STR("abc");
	(void)state;

	assert_str_equal(lt_str_split(&rest, ','), "abc");
	assert_null(rest.p);
}

static void quote_escapes_what_could_harm_a_terminal_and_cuts(void **state)
{
	char buf[LT_QUOTE_MAX];
	char longest[300];
	(void)state;
	memset(longest, 'x', sizeof(longest));

	assert_string_equal(lt_str_quote(LT_STR("a\"\\\x1b\xff\0"), buf),
			"\"a\\\"\\\\\\x1b\\xff\\x00\"");
	lt_str_quote((struct lt_str){ longest, sizeof(longest) }, buf);
	assert_int_equal(strlen(buf), LT_QUOTE_MAX - 1);
	assert_string_equal(buf + strlen(buf) - 5, "x...\"");
	memset(longest, 1, sizeof(longest));
	lt_str_quote((struct lt_str){ longest, sizeof(longest) }, buf);
	assert_true(strlen(buf) < LT_QUOTE_MAX);
}

static void integers_parse_over_their_whole_range(void **state)
{
	int64_t value = 0;
	uint64_t natural = 0;
	(void)state;

	assert_true(lt_parse_i64(
			LT_STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &value, NULL));
	assert_true(value == INT64_MIN);
	assert_true(lt_parse_i64(
			LT_STR("9223372036854775807"), INT64_MIN, INT64_MAX, &value, NULL));
	assert_true(value == INT64_MAX);
	assert_true(lt_parse_i64(LT_STR("-007"), -7, 7, &value, NULL));
	assert_int_equal(value, -7);
	assert_true(lt_parse_u64(LT_STR("18446744073709551615"), UINT64_MAX, &natural, NULL));
	assert_true(natural == UINT64_MAX);
}

static void bad_integers_are_refused_with_the_text(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "\"\" is not a whole number" },
		{ "-", "\"-\" is not a whole number" },
		{ "+1", "\"+1\" is not a whole number" },
		{ " 1", "\" 1\" is not a whole number" },
		{ "1x", "\"1x\" is not a whole number" },
		{ "1.0", "\"1.0\" is not a whole number" },
		{ "0x10", "\"0x10\" is not a whole number" },
		{ "--1", "\"--1\" is not a whole number" },
		{ "11", "\"11\" is not between -5 and 10" },
		{ "-6", "\"-6\" is not between -5 and 10" },
		{ "-9223372036854775809", "\"-9223372036854775809\" is not between -5 and 10" },
		{ "99999999999999999999999",
				"\"99999999999999999999999\" is not between -5 and 10" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		int64_t value = 77;

		assert_false(lt_parse_i64(lt_str_from(cases[i].text), -5, 10, &value, &err));
		assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(err.code, LT_E_INVALID);
		assert_int_equal(value, 77);
	}
}

static void bad_naturals_are_refused(void **state)
{
	struct lt_err err = { 0 };
	uint64_t value = 0;
	(void)state;

	assert_false(lt_parse_u64(LT_STR("-1"), 10, &value, &err));
	assert_string_equal(err.msg, "\"-1\" is not a whole number");
	assert_false(lt_parse_u64(LT_STR("11"), 10, &value, &err));
	assert_string_equal(err.msg, "\"11\" is more than 10");
	assert_false(lt_parse_u64(LT_STR("18446744073709551616"), UINT64_MAX, &value, &err));
}

static void doubles_parse_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "nan", "inf", "1e999", "0x1p3", "1.2.3",
		"--1", "1,5", "e5" };
	double value = 0;
	(void)state;

	assert_true(lt_parse_double(LT_STR("-90.125e1"), &value, NULL));
	assert_true(value == -901.25);
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct lt_err err = { 0 };
		assert_false(lt_parse_double(lt_str_from(bad[i]), &value, &err));
		assert_int_equal(err.code, LT_E_INVALID);
	}
}

static void booleans_have_their_words(void **state)
{
	static const char *const yes[] = { "1", "true", "yes", "on", "TRUE" };
	static const char *const no[] = { "0", "false", "no", "off", "Off" };
	struct lt_err err = { 0 };
	bool value = false;
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(yes); i++) {
		assert_true(lt_parse_bool(lt_str_from(yes[i]), &value, NULL));
		assert_true(value);
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(no); i++) {
		assert_true(lt_parse_bool(lt_str_from(no[i]), &value, NULL));
		assert_false(value);
	}
	assert_false(lt_parse_bool(LT_STR("maybe"), &value, &err));
	assert_string_equal(err.msg, "\"maybe\" is neither yes nor no");
	assert_false(lt_parse_bool(LT_STR(""), &value, &err));
}

static void utf8_faults_are_found_where_they_are(void **state)
{
	static const struct {
		const char *text;
		size_t n, valid;
	} cases[] = {
		{ "", 0, 0 },
		{ "plain", 5, 5 },
		{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8F\x81", 9, 9 },
		{ "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF", 10, 10 },
		{ "a\xC0\xAF", 3, 1 },        /* overlong, two bytes */
		{ "\xE0\x9F\xBF", 3, 0 },     /* overlong, three bytes */
		{ "\xF0\x8F\xBF\xBF", 4, 0 }, /* overlong, four bytes */
		{ "ab\xED\xA0\x80", 5, 2 },   /* surrogate */
		{ "\xF4\x90\x80\x80", 4, 0 }, /* beyond U+10FFFF */
		{ "\xF5\x80\x80\x80", 4, 0 }, /* no such lead byte */
		{ "\x80", 1, 0 },             /* continuation alone */
		{ "ab\xC3", 3, 2 },           /* cut */
		{ "\xF0\x9F\x8F", 3, 0 },     /* cut */
		{ "\xE2\x82\x41", 3, 0 },     /* broken off */
		{ "0123456789012345678901234567890\xC3\xA9", 33, 33 },
		{ "0123456789012345678901234567890123456789\xFF", 41, 40 },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_str text = { cases[i].text, cases[i].n };
		assert_int_equal(lt_utf8_prefix(text), cases[i].valid);
		assert_int_equal(lt_utf8_valid(text), cases[i].valid == cases[i].n);
	}
}

static void every_character_survives_encoding_and_decoding(void **state)
{
	(void)state;

	for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
		uint32_t decoded = 0;
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;

		lt_buf_add_utf8(&buf, c);

		assert_true(lt_utf8_valid(lt_buf_str(&buf)));
		assert_int_equal(lt_utf8_next(lt_buf_str(&buf), &decoded), buf.n);
		assert_int_equal(decoded, surrogate ? 0xFFFD : c);
	}
}

static void ill_formed_bytes_decode_one_by_one(void **state)
{
	uint32_t c = 0;
	(void)state;

	assert_int_equal(lt_utf8_next(LT_STR("\xED\xA0\x80"), &c), 1);
	assert_int_equal(c, 0xFFFD);
}

static void buffers_grow_and_stay_terminated(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	for (int i = 0; i < 1000; i++) {
		lt_buf_add_char(&buf, 'x');
		assert_int_equal(buf.p[buf.n], '\0');
	}
	lt_buf_printf(&buf, "%s-%0500d", "tail", 7);

	assert_int_equal(buf.n, 1000 + 5 + 500);
	assert_int_equal(strlen(buf.p), buf.n);
	assert_string_equal(buf.p + buf.n - 2, "07");
}

static void an_empty_piece_still_terminates(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;

	lt_buf_add_str(&buf, (struct lt_str){ NULL, 0 });

	assert_int_equal(buf.n, 0);
	assert_string_equal(buf.p, "");
}

static void the_front_can_be_removed(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;
	lt_buf_remove_front(&buf, 5);
	lt_buf_add_c(&buf, "abcdef");

	lt_buf_remove_front(&buf, 2);
	assert_string_equal(buf.p, "cdef");
	lt_buf_remove_front(&buf, 99);
	assert_int_equal(buf.n, 0);
	assert_string_equal(buf.p, "");
}

static void clear_keeps_the_memory(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	(void)state;
	lt_buf_add_c(&buf, "abc");
	size_t cap = buf.cap;

	lt_buf_clear(&buf);

	assert_int_equal(buf.n, 0);
	assert_int_equal(buf.cap, cap);
	assert_string_equal(buf.p, "");
}

static void steal_moves_the_text_out(void **state)
{
	struct lt_buf buf = { 0 };
	(void)state;
	lt_buf_add_c(&buf, "abc");

	char *text = lt_buf_steal(&buf);
	char *nothing = lt_buf_steal(&buf);

	assert_string_equal(text, "abc");
	assert_string_equal(nothing, "");
	assert_null(buf.p);
	lt_free(text);
	lt_free(nothing);
}

static void errors_gather_context_from_outside_in(void **state)
{
	struct lt_err err = { 0 };
	(void)state;

	assert_false(lt_err_set(&err, LT_E_FORMAT, "not an %s", "object"));
	assert_false(lt_err_prefix(&err, "recording %s", "a.zip"));

	assert_int_equal(err.code, LT_E_FORMAT);
	assert_string_equal(err.msg, "recording a.zip: not an object");
	assert_false(lt_err_set(NULL, LT_E_FORMAT, "nobody listens"));
	assert_false(lt_err_prefix(NULL, "nobody listens"));
	assert_false(lt_err_errno(NULL, "nobody listens"));
}

static void errors_of_the_system_have_a_class(void **state)
{
	static const struct {
		int number;
		enum lt_errc code;
	} cases[] = {
		{ ENOENT, LT_E_NOT_FOUND },
		{ EEXIST, LT_E_EXISTS },
		{ EACCES, LT_E_DENIED },
		{ EPERM, LT_E_DENIED },
		{ ETIMEDOUT, LT_E_TIMEOUT },
		{ ECONNREFUSED, LT_E_UNAVAILABLE },
		{ ENOSPC, LT_E_IO },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };
		char expected[200];
		snprintf(expected, sizeof(expected), "open x: %s", strerror(cases[i].number));

		errno = cases[i].number;
		assert_false(lt_err_errno(&err, "open %s", "x"));

		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.msg, expected);
	}
}

static void long_errors_are_cut_at_a_character(void **state)
{
	struct lt_err err = { 0 };
	char text[400];
	(void)state;
	/* "é" over and over, so that with an odd start one character crosses the end. */
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		text[i] = i % 2 ? '\xA9' : '\xC3';
	}
	text[sizeof(text) - 2] = '\0';

	for (int shift = 0; shift < 2; shift++) {
		lt_err_set(&err, LT_E_FORMAT, "%s%s", shift ? "x" : "", text);
		assert_true(lt_utf8_valid(lt_str_from(err.msg)));
		assert_true(strlen(err.msg) >= 238);
		lt_err_prefix(&err, "y");
		assert_true(lt_utf8_valid(lt_str_from(err.msg)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_compare_by_bytes_and_length),
		cmocka_unit_test(prefixes_and_suffixes_are_found),
		cmocka_unit_test(trim_cuts_blanks_at_both_ends_only),
		cmocka_unit_test(skip_stops_at_the_end),
		cmocka_unit_test(split_yields_every_part_also_empty_ones),
		cmocka_unit_test(split_of_text_without_separator_is_one_part),
		cmocka_unit_test(quote_escapes_what_could_harm_a_terminal_and_cuts),
		cmocka_unit_test(integers_parse_over_their_whole_range),
		cmocka_unit_test(bad_integers_are_refused_with_the_text),
		cmocka_unit_test(bad_naturals_are_refused),
		cmocka_unit_test(doubles_parse_whole_or_not_at_all),
		cmocka_unit_test(booleans_have_their_words),
		cmocka_unit_test(utf8_faults_are_found_where_they_are),
		cmocka_unit_test(every_character_survives_encoding_and_decoding),
		cmocka_unit_test(ill_formed_bytes_decode_one_by_one),
		cmocka_unit_test(buffers_grow_and_stay_terminated),
		cmocka_unit_test(an_empty_piece_still_terminates),
		cmocka_unit_test(the_front_can_be_removed),
		cmocka_unit_test(clear_keeps_the_memory),
		cmocka_unit_test(steal_moves_the_text_out),
		cmocka_unit_test(errors_gather_context_from_outside_in),
		cmocka_unit_test(errors_of_the_system_have_a_class),
		cmocka_unit_test(long_errors_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
