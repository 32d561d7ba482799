/*
 * Which messages belong to the race as a whole, and which to a car. A message
 * is [time, category, text, type] with a fifth element naming a car.
 */
#ifndef LT_RACE_ANALYSIS_MESSAGES_H
#define LT_RACE_ANALYSIS_MESSAGES_H

#include "race/analysis/texts.h"

/* Messages of the race: blocks as they came, the newest block first when written. */
struct lt_race_messages {
	struct lt_texts blocks; /* each the texts of one update, joined by commas; oldest first */
};

void lt_race_messages_finish(struct lt_race_messages *messages);

/* Keep those without a car and without a driver change in them; true if there were any. */
bool lt_race_messages_add(struct lt_race_messages *messages, const cJSON *new_messages);

/* {"messages": [message, ...]} */
void lt_race_messages_write(struct lt_buf *buf, const struct lt_race_messages *messages);

/*
 * Text that names the car of a message of a car, onto `number`; false for a
 * message that no car keeps (no car, pit, out, not a message at all).
 */
bool lt_message_car_number(const cJSON *message, struct lt_buf *number);

#endif
