/*
 * Common Timing Data states as JSON trees; see message.h for the shape.
 */
#ifndef LT_RACE_STATE_H
#define LT_RACE_STATE_H

#include "base/json.h"

/* {"messages": [], "cars": [], "session": {"flagState": "green", "timeElapsed": 0, "timeRemain":
 * 0}}; owned. */
cJSON *lt_state_initial(void);

/* Cars is a list of lists, session an object, messages a list of lists when present; err names the
 * place. */
bool lt_state_check(const cJSON *state, struct lt_err *err);

/*
 * Apply a difference frame {"cars": DIFF, "session": DIFF, "messages": [...],
 * "highlight": [...]} to a state in place (formats: docs/recordings.md). On an
 * error the state may be partly changed and must not be used.
 */
bool lt_state_apply(cJSON *state, const cJSON *difference_frame, struct lt_err *err);

#endif
