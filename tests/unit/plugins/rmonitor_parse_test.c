#include "race/feed_text.h"
#include "rmonitor/rm_parse.h"
#include "support/test.h"

static struct rm_record record;

static enum rm_result parse_bytes(const char *line, size_t n, uint32_t encoding)
{
	const struct rm_decoder decoder = { .text = &lt_text_table, .encoding = encoding };

	return rm_parse(&decoder, line, n, &record);
}

static enum rm_result parse(const char *line)
{
	return parse_bytes(line, strlen(line), LT_ENCODING_AUTO);
}

static void every_record_of_the_documents_is_read(void **state)
{
	static const struct {
		const char *line;
		enum rm_kind kind;
		size_t count;
		const char *first, *last;
	} cases[] = {
		{ "$F,14,\"00:12:45\",\"13:34:23\",\"00:09:47\",\"Green \"", RM_HEARTBEAT, 5, "14",
				"Green" },
		{ "$A,\"1234BE\",\"12X\",52474,\"John\",\"Johnson\",\"USA\",5", RM_COMPETITOR, 7,
				"1234BE", "5" },
		{ "$COMP,\"1234BE\",\"12X\",5,\"John\",\"Johnson\",\"USA\",\"CAMEL\"",
				RM_COMPETITOR_DETAIL, 7, "1234BE", "CAMEL" },
		{ "$B,5,\"Friday free practice\"", RM_RUN, 2, "5", "Friday free practice" },
		{ "$C,5,\"Formula 3000\"", RM_CLASS, 2, "5", "Formula 3000" },
		{ "$E,\"TRACKLENGTH\",\"2.500\"", RM_SETTING, 2, "TRACKLENGTH", "2.500" },
		{ "$G,3,\"1234BE\",14,\"01:12:47.872\"", RM_RACE_ORDER, 4, "3", "01:12:47.872" },
		{ "$H,2,\"1234BE\",3,\"00:02:17.872\"", RM_BEST_ORDER, 4, "2", "00:02:17.872" },
		{ "$I,\"16:36:08.000\",\"12 jan 01\"", RM_INIT, 2, "16:36:08.000", "12 jan 01" },
		{ "$J,\"1234BE\",\"00:02:03.826\",\"01:42:17.672\"", RM_PASSING, 3, "1234BE",
				"01:42:17.672" },
		{ "$COR,\"123BE\",\"658\",2,\"00:00:35.272\",\"+00:00:00.012\"", RM_CORRECTION, 5,
				"123BE", "+00:00:00.012" },
		{ "$L,\"13\",\"P2\",\"POP\",\"01/27/2009\",\"10:10:20.589\",1,\"PC\"", RM_LINE, 7,
				"13", "PC" },
		{ "$T,\"Circuit of the Americas\",\"COTA\",\"3.40\",1,\"S01\",\"T1\",\"T2\",3375",
				RM_TRACK, 8, "Circuit of the Americas", "3375" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].line), RM_OK);
		assert_int_equal(record.kind, cases[i].kind);
		assert_int_equal(record.count, cases[i].count);
		assert_string_equal(record.field[0], cases[i].first);
		assert_string_equal(record.field[record.count - 1], cases[i].last);
	}
}

static void a_comma_inside_quotes_is_text(void **state)
{
	(void)state;
	assert_int_equal(parse("$C,5,\"GT3, Pro-Am\""), RM_OK);

	assert_int_equal(record.count, 2);
	assert_string_equal(record.field[1], "GT3, Pro-Am");
}

static void spaces_and_line_ends_around_fields_are_dropped(void **state)
{
	(void)state;
	assert_int_equal(parse(" $I, \"00:00:00\" , \" 0/0/0000 \" \r\r\n"), RM_OK);

	assert_string_equal(record.field[0], "00:00:00");
	assert_string_equal(record.field[1], "0/0/0000");
}

static void missing_fields_are_empty_and_surplus_ones_harmless(void **state)
{
	char line[400] = "$G,1";

	(void)state;
	assert_int_equal(parse(line), RM_OK);
	assert_string_equal(record.field[1], "");
	assert_string_equal(record.field[RM_FIELDS_MAX - 1], "");
	for (int i = 0; i < 60; i++) {
		strcat(line, ",\"x\"");
	}
	assert_int_equal(parse(line), RM_OK);
	assert_int_equal(record.count, RM_FIELDS_MAX);
}

static void what_is_no_record_is_ignored(void **state)
{
	static const char *const lines[] = { "", "hello", "0:35.604\"", "$", "$ZZ,1", "$GG,1",
		"$SP,1,\"3\",2,\"00:01:00.000\"", "$RMS,\"race\"", "\xef\xbb\xbf", "#$G,1" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i]), RM_IGNORED);
	}
}

static void a_damaged_record_is_told_from_an_unknown_one(void **state)
{
	static const char *const lines[] = { "$G,1,\"3", "$G,1,\"3\",1,\"00:00:35.604\"$H,1,\"3\"",
		"$J,\"3\",\"00:00:$F,9999,\"00:00:00\"", "$C,5,GT\"3\"", "$C,5,\"GT\"3" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i]), RM_DAMAGED);
	}
}

static void a_line_over_the_limit_is_damaged(void **state)
{
	char *line = malloc(RM_LINE_MAX + 2);

	(void)state;
	memset(line, 'x', RM_LINE_MAX + 1);
	memcpy(line, "$C,5,", 5);

	assert_int_equal(parse_bytes(line, RM_LINE_MAX, LT_ENCODING_AUTO), RM_OK);
	assert_int_equal(parse_bytes(line, RM_LINE_MAX + 1, LT_ENCODING_AUTO), RM_DAMAGED);
	free(line);
}

static void texts_are_utf8_else_windows_1252(void **state)
{
	static const struct {
		const char *line;
		uint32_t encoding;
		const char *text;
	} cases[] = {
		{ "\xef\xbb\xbf$C,1,\"M\xc3\xbcller\"", LT_ENCODING_AUTO, "Müller" },
		{ "$C,1,\"M\xfcller\"", LT_ENCODING_AUTO, "Müller" },
		{ "$C,1,\"\x80 \x99\"", LT_ENCODING_AUTO, "€ ™" },
		{ "$C,1,\"M\xc3\xbcller\"", LT_ENCODING_WINDOWS_1252, "MÃ¼ller" },
		{ "$C,1,\"M\xfcller\"", LT_ENCODING_UTF8, "M\xef\xbf\xbdller" },
		{ "$C,1,\"a\xed\xa0\x80\"", LT_ENCODING_UTF8,
				"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "$C,1,\"a\x01\x7f"
		  "b\"",
				LT_ENCODING_AUTO, "a  b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse_bytes(cases[i].line, strlen(cases[i].line),
						 cases[i].encoding),
				RM_OK);
		assert_string_equal(record.field[1], cases[i].text);
	}
}

static void times_are_whole_milliseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = { { "00:00:35.604", 35604 }, { "00:01:00", 60000 }, { "01:12:47.872", 4367872 },
		{ "100:00:00.5", 360000500 }, { "0:00:01.25", 1250 }, { "00:59:59.999", 3599999 },
		{ "", -1 }, { "12", -1 }, { "00:60:00", -1 }, { "00:00:61", -1 }, { "00:00:1", -1 },
		{ "00:00:10.", -1 }, { "00:00:10.1234", -1 }, { "00:00:10x", -1 },
		{ "-00:00:10", -1 }, { "99999999999:00:00", -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(rm_time_ms(cases[i].text), cases[i].ms);
	}
	assert_int_equal(rm_signed_time_ms("+00:00:00.012"), 12);
	assert_int_equal(rm_signed_time_ms("-00:00:01.012"), -1012);
	assert_int_equal(rm_signed_time_ms("rubbish"), 0);
}

static void numbers_are_decimal_and_bounded(void **state)
{
	(void)state;
	assert_int_equal(rm_number("9999"), 9999);
	assert_int_equal(rm_number(""), -1);
	assert_int_equal(rm_number("-1"), -1);
	assert_int_equal(rm_number("1x"), -1);
	assert_int_equal(rm_number("9999999999"), -1);
}

static void stamps_of_captures_are_unix_milliseconds(void **state)
{
	static const struct {
		const char *line;
		int64_t ms;
	} cases[] = { { "##1970-01-01 00:00:00.001", 1 },
		{ "\xef\xbb\xbf##2025-04-26 13:58:48.222\r", 1745675928222 },
		{ "##2024-02-29 00:00:00.000|kind", 1709164800000 }, { "##", -1 },
		{ "##2025-13-26 13:58:48.222", -1 }, { "##yesterday", -1 }, { "$F,1", -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(rm_stamp_ms(cases[i].line, strlen(cases[i].line)), cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_of_the_documents_is_read),
		cmocka_unit_test(a_comma_inside_quotes_is_text),
		cmocka_unit_test(spaces_and_line_ends_around_fields_are_dropped),
		cmocka_unit_test(missing_fields_are_empty_and_surplus_ones_harmless),
		cmocka_unit_test(what_is_no_record_is_ignored),
		cmocka_unit_test(a_damaged_record_is_told_from_an_unknown_one),
		cmocka_unit_test(a_line_over_the_limit_is_damaged),
		cmocka_unit_test(texts_are_utf8_else_windows_1252),
		cmocka_unit_test(times_are_whole_milliseconds),
		cmocka_unit_test(numbers_are_decimal_and_bounded),
		cmocka_unit_test(stamps_of_captures_are_unix_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
