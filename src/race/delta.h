/*
 * Differences between published states, for the delta stream
 * (docs/live-protocol.md): as a difference frame of a recording (frame_diff.h),
 * with other members of a state besides, without old values, and without parts
 * in which nothing changed. Pure.
 */
#ifndef LT_RACE_DELTA_H
#define LT_RACE_DELTA_H

#include "base/json.h"

/* Give a state (checked with lt_state_check) the lists that readers may count on. */
void lt_delta_complete(cJSON *state);

/*
 * The difference that leads a reader who shows *shown exactly to `state`; both
 * are complete. *shown, which may be NULL, becomes `state`, which is taken. NULL:
 * a reader needs the whole state. The caller owns the result.
 */
cJSON *lt_delta_step_take(cJSON **shown, cJSON *state);

/* What a reader does. On an error the state may be partly changed and must not be used. */
bool lt_delta_apply(cJSON *state, const cJSON *diff, struct lt_err *err);

#endif
