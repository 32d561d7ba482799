/*
 * What feeds write, as text: the tables behind "lt.text/1" (livetiming_plugin.h,
 * struct lt_text_ext). Pure.
 */
#ifndef LT_RACE_FEED_TEXT_H
#define LT_RACE_FEED_TEXT_H

#include "livetiming_plugin.h"

extern const struct lt_text_ext lt_text_table;

size_t lt_feed_decode(struct lt_str bytes, uint32_t encoding, char *buf, size_t buf_size);

/*
 * English, without regard to case or marks. Careful on purpose: what is announced
 * but not yet so ("VSC ENDING", "SAFETY CAR IN THIS LAP"), what a car did under a
 * flag, and what no phrase matches is LT_CONTROL_INFO. Any bytes are fine; what
 * stands behind the first LT_CONTROL_TEXT_MAX bytes is not looked at. ret->size
 * says how much of it the caller has; ret->car points into the text.
 */
#define LT_CONTROL_TEXT_MAX 500
void lt_control_parse(struct lt_str text, struct lt_control_text *ret);

#endif
