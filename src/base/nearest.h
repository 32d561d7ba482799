/*
 * "Did you mean": the known name that is nearest to a mistyped one. Pure.
 */
#ifndef LT_BASE_NEAREST_H
#define LT_BASE_NEAREST_H

#include "base/str.h"

/* Zero-initialised; offer every candidate, then read `best` (NULL: nothing is near enough). */
struct lt_nearest {
	struct lt_str wanted; /* set by the caller */
	const char *best;     /* borrowed from the candidates */
	size_t distance;      /* private */
};

void lt_nearest_offer(struct lt_nearest *nearest, const char *candidate);

#endif
