#include "race/flag.h"

#include <assert.h>

static const char *const names[LT_FLAG_COUNT] = {
	[LT_NONE] = "none",
	[LT_GREEN] = "green",
	[LT_WHITE] = "white",
	[LT_CHEQUERED] = "chequered",
	[LT_YELLOW] = "yellow",
	[LT_FCY] = "fcy",
	[LT_CODE_60] = "code_60",
	[LT_VSC] = "vsc",
	[LT_SC] = "sc",
	[LT_CAUTION] = "caution",
	[LT_RED] = "red",
	[LT_SLOW_ZONE] = "slow_zone",
	[LT_CODE_60_ZONE] = "code_60_zone",
};

const char *lt_flag_name(enum lt_flag flag)
{
	assert((unsigned)flag < LT_FLAG_COUNT);
	return names[flag];
}

/* `lower` is in lower case. */
static bool equals_ignoring_case(struct lt_str text, struct lt_str lower)
{
	if (text.n != lower.n) {
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c - 'A' + 'a');
		}
		if (c != lower.p[i]) {
			return false;
		}
	}
	return true;
}

bool lt_flag_parse(struct lt_str name, enum lt_flag *ret_flag)
{
	for (unsigned i = 0; i < LT_FLAG_COUNT; i++) {
		if (equals_ignoring_case(name, lt_str_from(names[i]))) {
			*ret_flag = (enum lt_flag)i;
			return true;
		}
	}
	return false;
}
