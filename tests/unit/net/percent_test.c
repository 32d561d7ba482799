#include "base/alloc.h"
#include "net/percent.h"
#include "support/test.h"

static void everything_but_unreserved_characters_is_encoded(void **state)
{
	static const char *const cases[][2] = {
		{ "azAZ09-._~", "azAZ09-._~" },
		{ " !\"#$%&'()*+,/:;=?@[]",
				"%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%"
				"40%5B%5D" },
		{ "\xe2\x98\x83", "%E2%98%83" },
		{ "\x01\x7f", "%01%7F" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

		lt_percent_encode(&buf, lt_str_from(cases[i][0]));

		assert_string_equal(buf.p, cases[i][1]);
	}
}

static void decoding_takes_what_is_well_formed(void **state)
{
	static const struct {
		const char *text, *plain;
		bool plus;
	} cases[] = {
		{ "a%20b%2b", "a b+", false },
		{ "a+b", "a+b", false },
		{ "a+b", "a b", true },
		{ "100%", "100%", false },
		{ "%4", "%4", false },
		{ "%zz%41", "%zzA", false },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

		lt_percent_decode(&buf, lt_str_from(cases[i].text), cases[i].plus);

		assert_str_equal(lt_buf_str(&buf), cases[i].plain);
	}
}

static void every_byte_comes_back(void **state)
{
	char bytes[256];
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf plain = { 0 };
	(void)state;

	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
	}
	lt_percent_encode(&text, (struct lt_str){ bytes, sizeof(bytes) });
	lt_percent_decode(&plain, lt_buf_str(&text), true);

	assert_int_equal(plain.n, sizeof(bytes));
	assert_memory_equal(plain.p, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_but_unreserved_characters_is_encoded),
		cmocka_unit_test(decoding_takes_what_is_well_formed),
		cmocka_unit_test(every_byte_comes_back),
	};

	return cmocka_run_group_tests_name("net/percent", tests, NULL, NULL);
}
