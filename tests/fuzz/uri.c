/* "kind pattern LF uri": the index of patterns agrees with the plain comparison. */
#include "fuzz.h"
#include "router/match.h"
#include "router/wamp_uri.h"

static void note(void *arg, void *value)
{
	(void)value;
	*(bool *)arg = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str rest = fuzz_text(bytes, n), pattern;
	struct lt_match_index *index;
	bool found = false;
	struct lt_err err;
	int value = 0;

	if (n == 0 || !lt_utf8_valid(rest)) {
		return 0;
	}
	enum lt_match match = (enum lt_match)(bytes[0] % 3);

	rest = lt_str_skip(rest, 1);
	pattern = lt_str_split(&rest, '\n');
	lt_uri_check_strict(pattern, &err);
	if (!rest.p || !lt_uri_check(pattern, match, 1024, &err) ||
			!lt_uri_check(rest, LT_MATCH_EXACT, 1024, &err)) {
		return 0;
	}
	index = lt_match_create();
	lt_match_set(index, pattern, match, &value);
	lt_match_each(index, rest, note, &found);
	assert(found == lt_uri_matches(pattern, match, rest));
	assert(found == (lt_match_best(index, rest) != NULL));
	assert(!found || lt_str_starts(rest, lt_uri_fixed_part(pattern, match)));
	lt_match_remove(index, pattern, match);
	assert(!lt_match_best(index, rest));
	lt_match_destroy(index);
	return 0;
}
