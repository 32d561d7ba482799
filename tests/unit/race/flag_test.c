#include "race/flag.h"
#include "support/golden.h"
#include "support/test.h"

static void flags_have_the_names_and_order_of_the_original(void **state)
{
	cJSON *network = golden_json("golden/network.json");
	const cJSON *entry;
	int count = 0;
	(void)state;

	cJSON_ArrayForEach(entry, lt_json_get(network, "flags")) {
		const cJSON *name = cJSON_GetArrayItem(entry, 0);
		enum lt_flag flag;

		assert_true(lt_flag_parse(lt_str_from(name->valuestring), &flag));

		assert_int_equal(flag, cJSON_GetArrayItem(entry, 1)->valueint);
		assert_string_equal(lt_flag_name(flag), name->valuestring);
		count++;
	}
	assert_int_equal(count, LT_FLAG_COUNT);
	cJSON_Delete(network);
}

static void flag_names_are_read_without_regard_to_case(void **state)
{
	enum lt_flag flag = LT_NONE;
	(void)state;

	assert_true(lt_flag_parse(LT_STR("Code_60_ZONE"), &flag));

	assert_int_equal(flag, LT_CODE_60_ZONE);
}

static void unknown_flag_names_are_refused(void **state)
{
	static const char *const bad[] = { "", "purple", "gree", "greenx", "code-60", " green" };
	enum lt_flag flag = LT_RED;
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		assert_false(lt_flag_parse(lt_str_from(bad[i]), &flag));
	}
	assert_int_equal(flag, LT_RED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_have_the_names_and_order_of_the_original),
		cmocka_unit_test(flag_names_are_read_without_regard_to_case),
		cmocka_unit_test(unknown_flag_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
