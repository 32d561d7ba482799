/* gzip for HTTP bodies, over zlib (which stays in this file). */
#ifndef LT_SERVICES_WEB_GZIP_H
#define LT_SERVICES_WEB_GZIP_H

#include <stdbool.h>

#include "base/str.h"

/* Append `data` as one gzip member. Takes about 25 ms a MB: use a worker for what may be large. */
void lt_gzip(struct lt_buf *buf, struct lt_str data);

/* Does an Accept-Encoding value (p NULL: absent) allow gzip? "gzip;q=0" does not. */
bool lt_gzip_is_accepted(struct lt_str accept_encoding);

#endif
