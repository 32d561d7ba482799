/*
 * Message generators: what changed between two states, in words.
 *
 * A state is {"cars": [[cell, ...], ...], "session": {"flagState": "green",
 * ...}, "messages": [...], "highlight": [...]}. A message is [time (integer
 * unix seconds), category, text, type] with a fifth element naming the car: the
 * first cell of its row. Exactly the rules of the original, including the
 * order; a generator that fails loses its own messages only. Pure.
 */
#ifndef LT_RACE_MESSAGE_H
#define LT_RACE_MESSAGE_H

#include <stdint.h>

#include "base/json.h"

/* "1:29.123" appended to buf: minutes, seconds with three decimals; no hours. */
void lt_format_time(struct lt_buf *buf, double seconds);

#define LT_MESSAGES_DEFAULT   1u /* flag, pits and state, driver change, fast lap */
#define LT_MESSAGES_SLOW_ZONE 2u

/*
 * Messages between two states, in generator order. `failed`, if not NULL, is
 * told the name of each generator that could not do its work, with the reason.
 * The caller owns the array.
 */
cJSON *lt_messages_generate(const cJSON *old_state, const cJSON *new_state, const cJSON *col_spec,
		int64_t now_s, unsigned generators,
		void (*failed)(void *arg, const char *generator, const char *why), void *arg);

/* Race control: the message of one text (upper case, car number found in it). Owned. */
cJSON *lt_message_race_control(struct lt_str text, int64_t now_s);

#define LT_MESSAGES_MAX 100

/*
 * Put `block` in front of the messages of the state before, cut to
 * LT_MESSAGES_MAX, and set "messages" and "highlight" (the distinct fifth
 * elements of the block) of new_state. Owns `block` from the call on.
 */
void lt_messages_apply_take(cJSON *new_state, const cJSON *old_state, cJSON *block);

#endif
