/*
 * What message.c and the generators share. A generator looks at a step between
 * two states and appends messages to a block; when it fails, its block is thrown
 * away and the others go on.
 */
#ifndef LT_RACE_MESSAGE_GENERATOR_H
#define LT_RACE_MESSAGE_GENERATOR_H

#include <stdint.h>

#include "base/json.h"
#include "race/column.h"

/* A row of the new state and the one row of the old state that is the same car. Borrowed. */
struct lt_car_pair {
	const cJSON *old_row;
	const cJSON *new_row;
};

struct lt_message_step {
	const cJSON *old_state, *new_state;
	struct lt_columns columns;
	int64_t now_s;
	/* Set by lt_car_pairs_find, in the order of the new state; owned by the step. */
	struct lt_car_pair *pairs;
	size_t pair_count;
	bool pairs_found;
};

typedef bool lt_message_generator(struct lt_message_step *step, cJSON *block, struct lt_err *err);

lt_message_generator lt_message_flag;
lt_message_generator lt_message_slow_zone;
lt_message_generator lt_message_pits;
lt_message_generator lt_message_driver;
lt_message_generator lt_message_fast_lap;

/*
 * Pair the cars of both states, once a step: equal number, car and class. A car
 * with no or more than one old row has no pair. Without a number column there
 * are none at all.
 */
bool lt_car_pairs_find(struct lt_message_step *step, struct lt_err *err);

/* A message of four elements; owns `category`; a NULL type is null. The caller owns the result. */
cJSON *lt_message_new_take(int64_t now_s, cJSON *category, struct lt_str text, const char *type);

#endif
