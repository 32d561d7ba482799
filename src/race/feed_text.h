/*
 * What feeds write, as text: the tables behind "lt.text/1" (livetiming_plugin.h,
 * struct lt_text_ext). Pure.
 */
#ifndef LT_RACE_FEED_TEXT_H
#define LT_RACE_FEED_TEXT_H

#include "livetiming_plugin.h"

extern const struct lt_text_ext lt_text_table;

size_t lt_feed_decode(struct lt_str bytes, uint32_t encoding, char *buf, size_t buf_size);
void lt_control_parse(struct lt_str text, struct lt_control_text *ret);

#endif
