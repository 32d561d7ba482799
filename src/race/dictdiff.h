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

/*
 * What makes `new_value` of `old_value`: entry for entry the difference that the
 * original writes. Numbers (and booleans) within a relative 2^-52 of each other
 * are equal, so 1, 1.0 and true give no entry. Both trees are borrowed and at
 * most as deep as the parser allows. The caller owns the list.
 */
cJSON *lt_dictdiff_make(const cJSON *old_value, const cJSON *new_value);

/*
 * Does the difference take elements off a list? The original's reader in the
 * browser leaves holes there, so a writer prefers a key frame.
 */
bool lt_dictdiff_shortens_list(const cJSON *diff);

#endif
