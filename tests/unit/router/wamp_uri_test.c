#include "router/wamp_uri.h"
#include "support/test.h"

static void uris_are_checked_by_the_loose_rule(void **state)
{
	static const struct {
		struct lt_str uri;
		enum lt_match match;
		bool good;
	} table[] = {
		{ LT_STR("a"), LT_MATCH_EXACT, true },
		{ LT_STR("livetiming.analysis/0-1/lap"), LT_MATCH_EXACT, true },
		{ LT_STR("\xc3\x9c"
			 "ber.Alles-1"),
				LT_MATCH_EXACT, true },
		{ LT_STR(""), LT_MATCH_EXACT, false }, { LT_STR("."), LT_MATCH_EXACT, false },
		{ LT_STR(".a"), LT_MATCH_EXACT, false }, { LT_STR("a."), LT_MATCH_EXACT, false },
		{ LT_STR("a..b"), LT_MATCH_EXACT, false }, { LT_STR("a b"), LT_MATCH_EXACT, false },
		{ LT_STR("a\tb"), LT_MATCH_PREFIX, false },
		{ LT_STR("a\0b"), LT_MATCH_EXACT, false }, { LT_STR("a#b"), LT_MATCH_EXACT, false },
		{ LT_STR("a\xc2\xa0"
			 "b"),
				LT_MATCH_EXACT, false },
		{ LT_STR("a\xe2\x80\x83"
			 "b"),
				LT_MATCH_EXACT, false },
		{ LT_STR("a\x7f"), LT_MATCH_EXACT, false }, { LT_STR(""), LT_MATCH_PREFIX, true },
		{ LT_STR("livetiming.service."), LT_MATCH_PREFIX, true },
		{ LT_STR("a..b"), LT_MATCH_WILDCARD, true },
		{ LT_STR("a.b.c.d.e.f.g.h.i.j.k"), LT_MATCH_EXACT, false }, /* over 20 bytes */
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(table); i++) {
		struct lt_err err = { 0 };
		size_t max = i + 1 == LT_ARRAY_LEN(table) ? 20 : 100;

		if (lt_uri_check(table[i].uri, table[i].match, max, &err) != table[i].good) {
			fail_msg("row %zu: %s", i, err.msg);
		}
		assert_int_equal(err.code, table[i].good ? LT_E_NONE : LT_E_URI);
	}
}

static void components_are_bounded(void **state)
{
	char many[400] = "a";

	(void)state;
	for (int i = 0; i < LT_URI_COMPONENTS_MAX; i++) {
		strcat(many, ".a");
	}

	assert_false(lt_uri_check(lt_str_from(many), LT_MATCH_EXACT, 1024, NULL));
	many[strlen(many) - 2] = '\0';
	assert_true(lt_uri_check(lt_str_from(many), LT_MATCH_EXACT, 1024, NULL));
}

static void patterns_match_as_their_policy_says(void **state)
{
	(void)state;
	assert_true(lt_uri_matches(LT_STR("emergency"), LT_MATCH_PREFIX, LT_STR("emergency-low")));
	assert_false(lt_uri_matches(LT_STR("a.b"), LT_MATCH_EXACT, LT_STR("a.B")));
	assert_true(lt_uri_matches(LT_STR("a..c"), LT_MATCH_WILDCARD, LT_STR("a.b.c")));
	assert_false(lt_uri_matches(LT_STR("a..c"), LT_MATCH_WILDCARD, LT_STR("a.b.b.c")));
	assert_false(lt_uri_matches(LT_STR("a..c"), LT_MATCH_WILDCARD, LT_STR("a.b")));
	assert_str_equal(lt_uri_fixed_part(LT_STR("a..c"), LT_MATCH_WILDCARD), "a.");
	assert_str_equal(lt_uri_fixed_part(LT_STR(".c"), LT_MATCH_WILDCARD), "");
}

static void what_begins_with_wamp_is_reserved(void **state)
{
	(void)state;
	assert_true(lt_uri_is_reserved(LT_STR("wamp.session.count")));
	assert_false(lt_uri_is_reserved(LT_STR("wampum")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris_are_checked_by_the_loose_rule),
		cmocka_unit_test(components_are_bounded),
		cmocka_unit_test(patterns_match_as_their_policy_says),
		cmocka_unit_test(what_begins_with_wamp_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
