/*
 * Does a difference belong to a value? A difference holds what it takes away,
 * so one that was made from another value can be told, which is how a missing
 * or misplaced frame of a recording is found. Pure.
 */
#ifndef LT_RACE_DICTDIFF_CHECK_H
#define LT_RACE_DICTDIFF_CHECK_H

#include "base/json.h"

/*
 * LT_E_FORMAT with the first place where the value is not what the difference
 * was made from. Its form is not checked: lt_dictdiff_apply does that.
 */
bool lt_dictdiff_check(const cJSON *value, const cJSON *diff, struct lt_err *err);

#endif
