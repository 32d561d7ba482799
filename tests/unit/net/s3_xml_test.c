#include "net/s3_xml.h"
#include "support/test.h"

static void the_next_element_of_a_name_and_what_is_behind_it(void **state)
{
	struct lt_str rest = LT_STR("<a><Key>x</Key><Keys>no</Keys><Key>y</Key></a>"), inside;

	(void)state;
	assert_true(lt_s3_xml_next(&rest, "Key", &inside));
	assert_str_equal(inside, "x");
	assert_true(lt_s3_xml_next(&rest, "Key", &inside));
	assert_str_equal(inside, "y");
	assert_false(lt_s3_xml_next(&rest, "Key", &inside));
}

static void what_is_not_closed_is_no_element(void **state)
{
	static const char *const texts[] = { "", "<Key>", "<Key", "Key", "<Key>x</key>",
		"</Key><Key>", "<Key>x<Key>" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lt_str rest = lt_str_from(texts[i]), inside;

		assert_false(lt_s3_xml_next(&rest, "Key", &inside));
	}
}

static void references_are_resolved_and_others_stay(void **state)
{
	static const char *const cases[][2] = {
		{ "a&amp;b&lt;c&gt;&quot;&apos;", "a&b<c>\"'" },
		{ "&#65;&#x41;&#xe9;", "AA\xc3\xa9" },
		{ "&none;&;& &#;&#x;&#0;&#99999999;", "&none;&;& &#;&#x;&#0;&#99999999;" },
		{ "plain &amp", "plain &amp" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lt_buf text = { 0 };

		lt_s3_xml_text(&text, lt_str_from(cases[i][0]));
		assert_str_equal(lt_buf_str(&text), cases[i][1]);
		lt_buf_finish(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_element_of_a_name_and_what_is_behind_it),
		cmocka_unit_test(what_is_not_closed_is_no_element),
		cmocka_unit_test(references_are_resolved_and_others_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
