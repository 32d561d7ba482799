#include "mesh/nkey.h"
#include "support/test.h"

/* Made for this test: the bytes 1 to 32, and what they are the secret of. */
#define SEED   "SUAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IC5CQ"
#define PUBLIC "UB43KVROR7TFJ6KAPCYRF2FJROTZAH4FHLTJLPWX4DRZCC5NASLGJBFE"

static void the_public_key_of_a_seed(void **state)
{
	char public[LT_NKEY_TEXT];
	struct lt_err err = { 0 };

	(void)state;
	if (!lt_nkey_public(LT_STR(SEED), public, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(public, PUBLIC);
}

static void the_seed_is_found_in_a_file_with_other_lines(void **state)
{
	(void)state;
	assert_str_equal(lt_nkey_find_seed(LT_STR("# mine\n\n  " SEED "\r\nx\n")), SEED);
	assert_str_equal(lt_nkey_find_seed(LT_STR("")), "");
	assert_str_equal(lt_nkey_find_seed(LT_STR("UABC\n")), "");
}

static void what_is_no_seed_of_a_user_is_refused_without_repeating_it(void **state)
{
	static const char *const bad[] = { "", "SU", "S", SEED "A",
		/* a wrong checksum, a character that is none, lower case, a seed of an account */
		"SUAACAQDBQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IC5CQ",
		"SUAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IC5C1",
		"suaacaqdaqcqmbyibefawdanbyhraeiscmkbkfqxdamrugy4dupb6ic5cq",
		"SAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IFO3A" };
	char public[LT_NKEY_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lt_err err = { 0 };

		assert_false(lt_nkey_public(lt_str_from(bad[i]), public, &err));
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_true(bad[i][0] == '\0' || strlen(bad[i]) < 5 || !strstr(err.msg, bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_public_key_of_a_seed),
		cmocka_unit_test(the_seed_is_found_in_a_file_with_other_lines),
		cmocka_unit_test(what_is_no_seed_of_a_user_is_refused_without_repeating_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
