/*
 * The content of a difference frame of a recording: {"cars": DIFF, "session":
 * DIFF, "messages": [...], "highlight": [...]}, which lt_state_apply (state.h)
 * takes. Pure.
 */
#ifndef LT_RACE_FRAME_DIFF_H
#define LT_RACE_FRAME_DIFF_H

#include "base/json.h"

/*
 * The difference that leads every known reader from `old_state` to `new_state`
 * (both checked with lt_state_check). "messages" are those in front of the old
 * list; that is what the original writes, and includes messages of the second
 * of the newest old one, which the original loses.
 *
 * Returns NULL when only a key frame can do that: a list became shorter (the
 * browser's reader leaves a hole there), or the messages are not new ones in
 * front of the old. The caller owns the result.
 */
cJSON *lt_frame_diff(const cJSON *old_state, const cJSON *new_state);

#endif
