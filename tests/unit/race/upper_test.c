#include "race/upper.h"
#include "support/test.h"

static void text_of_every_script_becomes_upper_case(void **state)
{
	static const struct {
		const char *text, *upper;
	} cases[] = {
		{ "", "" },
		{ "Car 7: drive-through!", "CAR 7: DRIVE-THROUGH!" },
		{ "Straße", "STRASSE" },
		{ "é ÿ µ", "É Ÿ Μ" },
		{ "żółć ı ŉ", "ŻÓŁĆ I ʼN" },
		{ "ǆ ǅ", "Ǆ Ǆ" },
		{ "ελληνικός \u0390", "ΕΛΛΗΝΙΚΌΣ \u0399\u0308\u0301" },
		{ "штраф ђ", "ШТРАФ Ђ" },
		{ "հայերեն և", "ՀԱՅԵՐԵՆ ԵՒ" },
		{ "ქართული", "ᲥᲐᲠᲗᲣᲚᲘ" },
		{ "ﬁnish ﬃ", "FINISH FFI" },
		{ "山田 太郎 🏎", "山田 太郎 🏎" },
		{ "𐐨", "𐐀" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_buf out = { 0 };

		lt_buf_add_c(&out, ">");
		lt_upper(&out, lt_str_from(cases[i].text));

		assert_string_equal(out.p + 1, cases[i].upper);
		lt_buf_finish(&out);
	}
}

static void bad_bytes_become_replacement_characters(void **state)
{
	struct lt_buf out = { 0 };
	(void)state;

	lt_upper(&out, LT_STR("a\xC3"));

	assert_str_equal(lt_buf_str(&out), "A\uFFFD");
	lt_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_every_script_becomes_upper_case),
		cmocka_unit_test(bad_bytes_become_replacement_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
