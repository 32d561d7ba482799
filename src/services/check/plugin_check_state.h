/*
 * Is a published state what its description promises? Pure.
 */
#ifndef LT_SERVICES_PLUGIN_CHECK_STATE_H
#define LT_SERVICES_PLUGIN_CHECK_STATE_H

#include "base/json.h"

enum lt_check_verdict { LT_CHECK_OK, LT_CHECK_WARNING, LT_CHECK_FAILED };

#define LT_CHECK_STATE_TEXT 240

/*
 * description   {"colSpec", "trackDataSpec", ...} as the host has it; NULL fails
 * state         {"cars", "session"}
 * ret_text      on anything but OK, the first and worst problem with its place:
 *               car 3 ("71"), column "Last": expected [seconds, mark], not "fast"
 */
enum lt_check_verdict lt_check_state(
		const cJSON *description, const cJSON *state, char ret_text[LT_CHECK_STATE_TEXT]);

#endif
