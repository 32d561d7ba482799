/*
 * Upper case of text in any script, without regard to the locale: full mapping
 * of Unicode, so that one character can become up to three ("ß" is "SS").
 */
#ifndef LT_RACE_UPPER_H
#define LT_RACE_UPPER_H

#include "base/str.h"

/* Append the upper case of UTF-8 text; ill-formed bytes become U+FFFD. */
void lt_upper(struct lt_buf *buf, struct lt_str text);

#endif
