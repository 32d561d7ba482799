/*
 * Takes private things out of raw captures. A filter is lines of text:
 *
 *   # names of drivers
 *   ^(\$A,"[^"]*","[^"]*",[0-9]*),"[^"]*","[^"]*" => \1,"Driver","Name"
 *   drop http
 *
 * "PATTERN => TEXT" replaces every match of an extended regular expression
 * (POSIX) in a line of the input; \1 to \9 in the text are its groups, \\ is a
 * backslash. "drop KIND" leaves out the records of a kind. Rules work in order.
 *
 * Lines are put together where a feed cut them in the middle: what is behind
 * the last line end of a record goes to the stream's next one. Binary messages
 * and datagrams have no lines: they pass as they are, or are dropped.
 */
#ifndef LT_STORE_RAW_FILTER_H
#define LT_STORE_RAW_FILTER_H

#include "store/raw_capture.h"

struct lt_raw_filter;

/* Errors: LT_E_FORMAT with the number of the line. */
struct lt_raw_filter *lt_raw_filter_create(struct lt_str rules, struct lt_err *err);
void lt_raw_filter_destroy(struct lt_raw_filter *filter); /* NULL is fine */

/* Append to out what becomes of a record: none, one, or two. */
void lt_raw_filter_apply(struct lt_raw_filter *filter, const struct lt_raw_record *record,
		struct lt_buf *out);
/* At the end: what is left of lines. at_us: of the last record. */
void lt_raw_filter_end(struct lt_raw_filter *filter, int64_t at_us, struct lt_buf *out);

/* How often the rules replaced something, or dropped a record. */
uint64_t lt_raw_filter_hits(const struct lt_raw_filter *filter);

#endif
