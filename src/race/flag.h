/*
 * Flags in their numeric order; "yellow" laps are those with LT_YELLOW or more.
 */
#ifndef LT_RACE_FLAG_H
#define LT_RACE_FLAG_H

#include <stdbool.h>

#include "base/str.h"

enum lt_flag {
	LT_NONE,
	LT_GREEN,
	LT_WHITE,
	LT_CHEQUERED,
	LT_YELLOW,
	LT_FCY,
	LT_CODE_60,
	LT_VSC,
	LT_SC,
	LT_CAUTION,
	LT_RED,
	LT_SLOW_ZONE,
	LT_CODE_60_ZONE,
	LT_FLAG_COUNT,
};

/* "code_60"; static. */
const char *lt_flag_name(enum lt_flag flag);

/* Looked up without regard to ASCII case; false for an unknown name. */
bool lt_flag_parse(struct lt_str name, enum lt_flag *ret_flag);

#endif
