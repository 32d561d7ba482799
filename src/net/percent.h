/*
 * Percent-encoding (RFC 3986, as RFC 5849 wants it): everything but letters,
 * digits and "-._~" becomes %XX in upper case. Pure.
 */
#ifndef LT_NET_PERCENT_H
#define LT_NET_PERCENT_H

#include "base/str.h"

void lt_percent_encode(struct lt_buf *buf, struct lt_str text);

/* %XX back to bytes; a '%' without two digits stays. With plus_is_space as in forms. */
void lt_percent_decode(struct lt_buf *buf, struct lt_str text, bool plus_is_space);

#endif
