#include "router/match.h"
#include "router/trie.h"
#include "support/test.h"

/* The index keeps values without looking at them. */
static void *text(const char *literal)
{
	return (void *)(uintptr_t)literal;
}

static void append(void *arg, void *value)
{
	strcat(arg, value);
	strcat(arg, " ");
}

static void every_matching_pattern_is_found(void **state)
{
	struct lt_match_index *index = lt_match_create();
	char found[200] = "";

	(void)state;
	lt_match_set(index, LT_STR("a.b.c"), LT_MATCH_EXACT, text("exact"));
	lt_match_set(index, LT_STR(""), LT_MATCH_PREFIX, text("all"));
	lt_match_set(index, LT_STR("a.b"), LT_MATCH_PREFIX, text("a.b*"));
	lt_match_set(index, LT_STR("a.bx"), LT_MATCH_PREFIX, text("a.bx*"));
	lt_match_set(index, LT_STR("a..c"), LT_MATCH_WILDCARD, text("a..c"));
	lt_match_set(index, LT_STR(".."), LT_MATCH_WILDCARD, text(".."));
	lt_match_set(index, LT_STR("."), LT_MATCH_WILDCARD, text("."));
	lt_match_each(index, LT_STR("a.b.c"), append, found);

	assert_string_equal(found, "exact all a.b* a..c .. ");
	lt_match_destroy(index);
}

static void the_best_is_exact_then_longest_prefix_then_first_fixed_part(void **state)
{
	struct lt_match_index *index = lt_match_create();

	(void)state;
	lt_match_set(index, LT_STR("a..c.d"), LT_MATCH_WILDCARD, text("w1"));
	lt_match_set(index, LT_STR("a.b..d"), LT_MATCH_WILDCARD, text("w2"));
	assert_string_equal(lt_match_best(index, LT_STR("a.b.c.d")), "w2");
	lt_match_set(index, LT_STR("a"), LT_MATCH_PREFIX, text("p1"));
	lt_match_set(index, LT_STR("a.b.c"), LT_MATCH_PREFIX, text("p2"));
	assert_string_equal(lt_match_best(index, LT_STR("a.b.c.d")), "p2");
	lt_match_set(index, LT_STR("a.b.c.d"), LT_MATCH_EXACT, text("e"));
	assert_string_equal(lt_match_best(index, LT_STR("a.b.c.d")), "e");
	lt_match_remove(index, LT_STR("a.b.c.d"), LT_MATCH_EXACT);
	lt_match_remove(index, LT_STR("a.b.c"), LT_MATCH_PREFIX);
	assert_string_equal(lt_match_best(index, LT_STR("a.b.c.d")), "p1");
	lt_match_remove(index, LT_STR("a"), LT_MATCH_PREFIX);
	lt_match_remove(index, LT_STR("a.b..d"), LT_MATCH_WILDCARD);
	assert_string_equal(lt_match_best(index, LT_STR("a.b.c.d")), "w1");
	lt_match_remove(index, LT_STR("a..c.d"), LT_MATCH_WILDCARD);

	assert_null(lt_match_best(index, LT_STR("a.b.c.d")));
	lt_match_destroy(index);
}

/* Random sets of short keys against a plain array: set, remove, get, both walks. */
static void a_trie_agrees_with_a_plain_list(void **state)
{
	enum { KEYS = 85 };
	static char keys[KEYS][4];
	bool there[KEYS] = { false };
	struct lt_trie *trie = lt_trie_create();
	uint32_t seed = 12345;
	int n = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) { /* all texts over {a,b,c,d} of length 0 to 3 */
		int length = i == 0 ? 0 : i < 5 ? 1 : i < 21 ? 2 : 3;

		n = i - (length == 0 ? 0 : length == 1 ? 1 : length == 2 ? 5 : 21);
		for (int c = length - 1; c >= 0; c--, n /= 4) {
			keys[i][c] = (char)('a' + n % 4);
		}
	}
	for (int round = 0; round < 5000; round++) {
		seed = seed * 1664525 + 1013904223;

		int i = (int)(seed >> 16) % KEYS, probe = (int)(seed >> 8) % KEYS;
		char expected[600] = "", found[600] = "";
		size_t at = 0, expected_count = 0, found_count = 0;

		there[i] = !there[i];
		if (there[i]) {
			lt_trie_set(trie, lt_str_from(keys[i]), keys[i]);
		} else {
			lt_trie_remove(trie, lt_str_from(keys[i]));
		}
		for (int k = 0; k < KEYS; k++) {
			assert_ptr_equal(lt_trie_get(trie, lt_str_from(keys[k])),
					there[k] ? keys[k] : NULL);
			if (there[k] &&
					lt_str_starts(lt_str_from(keys[probe]),
							lt_str_from(keys[k]))) {
				append(expected, keys[k]);
			}
			expected_count += there[k] &&
					lt_str_starts(lt_str_from(keys[k]),
							lt_str_from(keys[probe]));
		}
		lt_trie_each_prefix_of(trie, lt_str_from(keys[probe]), append, found);
		assert_string_equal(found, expected);
		found[0] = '\0';
		lt_trie_each_under(trie, lt_str_from(keys[probe]), append, found);
		for (at = 0; found[at]; at++) {
			found_count += found[at] == ' ';
		}
		assert_int_equal(found_count, expected_count);
	}
	lt_trie_destroy(trie);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_matching_pattern_is_found),
		cmocka_unit_test(the_best_is_exact_then_longest_prefix_then_first_fixed_part),
		cmocka_unit_test(a_trie_agrees_with_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
