#include "multiloop/ml_parse.h"
#include "support/test.h"

static struct ml_record record;

static enum ml_result parse(const char *line)
{
	char copy[512];
	size_t n = strlen(line);

	assert_true(n < sizeof(copy));
	for (size_t i = 0; i <= n; i++) {
		copy[i] = line[i] == '|' ? '\xA6' : line[i];
	}
	return ml_parse(lt_text_n(copy, n), '$', &record);
}

static void assert_field(struct lt_str field, const char *text)
{
	assert_int_equal(field.n, strlen(text));
	assert_memory_equal(field.p, text, field.n);
}

static void a_record_has_its_header_and_its_fields(void **state)
{
	static const char line[] = "$H\xA6N\xA6"
				   "2F4\xA6Q1\xA6G\xA6"
				   "685E9B2F\xA6"
				   "9A0AB\xA6"
				   "0\xA6"
				   "D42B4";

	(void)state;
	assert_int_equal(ml_parse(lt_text_n(line, sizeof(line) - 1), '$', &record), ML_OK);

	assert_int_equal(record.command, 'H');
	assert_int_equal(record.type, 'N');
	assert_int_equal(record.sequence, 0x2F4);
	assert_field(record.preamble, "Q1");
	assert_int_equal(record.count, 5);
	assert_field(record.field[0], "G");
	assert_int_equal(ml_hex(record.field[2]), 630955);
	assert_field(record.field[4], "D42B4");
	assert_int_equal(record.field[5].n, 0);
}

static void separators_of_relays_are_read(void **state)
{
	static const char utf8[] = "$A\xC2\xA6N\xC2\xA6"
				   "1\xC2\xA6Q1\xC2\xA6"
				   "1\xC2\xA6"
				   "A\xC2\xA6U\xC2\xA6"
				   "0\xC2\xA6H\xC3\xA6k";
	static const char lost[] = "$A\xEF\xBF\xBDN\xEF\xBF\xBD"
				   "1\xEF\xBF\xBDQ1\xEF\xBF\xBD"
				   "1\xEF\xBF\xBD"
				   "A\xEF\xBF\xBDU\xEF\xBF\xBD"
				   "0\xEF\xBF\xBDx";

	(void)state;
	assert_int_equal(ml_parse(lt_text_n(utf8, sizeof(utf8) - 1), '$', &record), ML_OK);
	assert_int_equal(record.count, 5);
	assert_field(record.field[4], "H\xC3\xA6k"); /* its last letter but one ends with A6 */
	assert_int_equal(ml_parse(lt_text_n(lost, sizeof(lost) - 1), '$', &record), ML_OK);
	assert_int_equal(record.count, 5);
}

static void another_leading_character_or_none_can_be_set(void **state)
{
	static const char hash[] = "#V\xA6R\xA6"
				   "1\xA6Q1\xA6"
				   "1\xA6"
				   "5\xA6x";

	(void)state;
	assert_int_equal(ml_parse(lt_text_n(hash, sizeof(hash) - 1), '#', &record), ML_OK);
	assert_int_equal(ml_parse(lt_text_n(hash + 1, sizeof(hash) - 2), '\0', &record), ML_OK);
	assert_int_equal(ml_parse(lt_text_n(hash, sizeof(hash) - 1), '$', &record), ML_IGNORED);
}

static void every_record_of_the_documentation_is_read(void **state)
{
	static const char *const lines[] = { "$H|N|2F4|Q1|G|685E9B2F|9A0AB|0|D42B4",
		"$C|U|80004|Q1|C|0|8|4|83DDF|1CB83|T|1CB83|4|2E6A|0|649|0|C|1CB83|Unknown|G|1|0|9|0",
		"$L|N|EF325|Q1|89|5|SF|A|9B82E|G|T", "$S|N|F3170000|Q1|99|EF317|S1|2DF3C0E|7C07|5",
		"$T|R|22|Q1|Watkins Glen|WGI|3.4|4|S1|0|SF|IM1|S2|0|IM1|IM3|S3|0|IM3|SF|Spd|1438|IM1|IM2",
		"$R|R|400004C7|Q1|Watkins Glen Hoosier Super Tour||Grp 2 FA FC Qual 1|Q|685ECBB8",
		"$F|R|5|Q1|K|0|D7108|6|6088A|1|0|1|00|1|81.63", "$V|R|1|Q1|1|5|Multiloop feed",
		"$I|N|1|Q1|89|5|9B82E", "$N|N|1|Q1|89|5|4|9B82E|1",
		"$A|N|1|Q1|1|A|U|685E9B2F|hello", "$E|R|1|Q1|89|5|Ann Able|1|2|FA|Saloon|7" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]) != ML_OK) {
			fail_msg("%s", lines[i]);
		}
	}
}

static void surplus_fields_and_line_ends_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(parse("\xEF\xBB\xBF$I|N|1|Q1|89|5|9B82E|new|newer\r"), ML_OK);
	assert_int_equal(ml_hex(record.field[2]), 0x9B82E);
}

static void a_line_cut_at_any_place_is_damaged_or_ignored(void **state)
{
	static const char *const lines[] = {
		"$C|U|80004|Q1|C|0|8|4|83DDF|1CB83|T|1CB83|4|2E6A|0|649|0|C|1CB83|Unknown|G|1|0|9|",
		"$L|N|EF325|Q1|89|5|SF|A|9B82E|G|", "$H|N|2F4|Q1|G|685E9B2F|9A0AB|0",
		"$E|R|1|Q1|89|5|Ann Able|1|2|FA|Saloon"
	};
	char cut[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t n = 0; n < strlen(lines[i]); n++) {
			snprintf(cut, sizeof(cut), "%.*s", (int)n, lines[i]);
			if (parse(cut) == ML_OK) {
				fail_msg("%s was read", cut);
			}
		}
	}
}

static void a_line_joined_to_another_at_any_place_is_damaged(void **state)
{
	static const char line[] =
			"$C|U|8|Q1|C|0|8|4|83DDF|1CB83|T|1CB83|4|2E6A|0|649|0|C|1CB83|Unknown|G|1|0|9|0";
	char joined[400];

	(void)state;
	for (size_t n = 3; n < sizeof(line) - 1; n++) {
		snprintf(joined, sizeof(joined), "%.*s%s", (int)n, line, line);
		if (parse(joined) == ML_OK) {
			fail_msg("%s was read", joined);
		}
	}
}

static void fields_that_make_no_sense_are_damaged(void **state)
{
	static const char *const lines[] = { "$H|N|2F4|Q1|X|685E9B2F|9A0AB|0|D42B4",
		"$H|N|2F4|Q1|G|685E9B2F|soon|0|D42B4", "$H|Z|2F4|Q1|G|685E9B2F|9A0AB|0|D42B4",
		"$H|N|-1|Q1|G|685E9B2F|9A0AB|0|D42B4", "$H|N|2F4|Q1|G|685E9B2F||0|D42B4",
		"$L|N|EF325|Q1|89|5|SF|A|9B82E|G|X", "$L|N|EF325|Q1|89||SF|A|9B82E|G|T",
		"$S|N|1|Q1|99|EF317|S1|2DF3C0E|1234567890123|5",
		"$T|R|22|Q1|Glen|WGI|3.4|FFFFFF|S1|0|SF|IM1", "$E|R|1|Q1|89|5|A|1|FF|FA|Saloon|7" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]) != ML_DAMAGED) {
			fail_msg("%s", lines[i]);
		}
	}
}

static void what_is_no_record_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(parse(""), ML_IGNORED);
	assert_int_equal(parse("$"), ML_IGNORED);
	assert_int_equal(parse("$$"), ML_IGNORED);
	assert_int_equal(parse("hello"), ML_IGNORED);
	assert_int_equal(parse("$Q|N|1|Q1|x"), ML_IGNORED);
	assert_int_equal(parse("$COMP,1,2"), ML_IGNORED);
}

static void numbers_are_hexadecimal(void **state)
{
	(void)state;
	assert_int_equal(ml_hex(LT_LITERAL("4CAD63")), 5025123);
	assert_int_equal(ml_hex(LT_LITERAL("91")), 145);
	assert_int_equal(ml_hex(LT_LITERAL("ffffffffffff")), 0xFFFFFFFFFFFF);
	assert_int_equal(ml_hex(LT_LITERAL("")), ML_NO_NUMBER);
	assert_int_equal(ml_hex(LT_LITERAL("1g")), -2);
	assert_int_equal(ml_hex(LT_LITERAL("1000000000000")), -2);
	assert_true(ml_decimal(LT_LITERAL("2.31")) == 2.31);
	assert_true(ml_decimal(LT_LITERAL("1e9")) < 0);
	assert_true(ml_decimal(LT_LITERAL("1.2.3")) < 0);
	assert_true(ml_decimal(LT_LITERAL("")) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_its_header_and_its_fields),
		cmocka_unit_test(separators_of_relays_are_read),
		cmocka_unit_test(another_leading_character_or_none_can_be_set),
		cmocka_unit_test(every_record_of_the_documentation_is_read),
		cmocka_unit_test(surplus_fields_and_line_ends_are_ignored),
		cmocka_unit_test(a_line_cut_at_any_place_is_damaged_or_ignored),
		cmocka_unit_test(a_line_joined_to_another_at_any_place_is_damaged),
		cmocka_unit_test(fields_that_make_no_sense_are_damaged),
		cmocka_unit_test(what_is_no_record_is_ignored),
		cmocka_unit_test(numbers_are_hexadecimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
