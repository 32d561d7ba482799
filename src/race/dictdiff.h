/*
 * Differences between JSON values as the recordings hold them: a list of
 * ["change", path, [old, new]], ["add", path, [[key, value], ...]] and
 * ["remove", path, [[key, old], ...]].
 */
#ifndef LT_RACE_DICTDIFF_H
#define LT_RACE_DICTDIFF_H

#include "base/json.h"

/* Apply `diff` to *value (which may be replaced when the path is the root). */
bool lt_dictdiff_apply(cJSON **value, const cJSON *diff, struct lt_err *err);

#endif
