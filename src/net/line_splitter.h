/*
 * Bytes to lines. A line ends with LF; carriage returns before it belong to
 * the ending (LF, CRLF, CR CR LF). Blank lines are skipped. A line over the
 * limit is dropped and counted, and the next one is read as usual. Pure.
 *
 *   lt_line_splitter_feed(&splitter, bytes);
 *   while (lt_line_splitter_next(&splitter, &line)) { ... }
 */
#ifndef LT_NET_LINE_SPLITTER_H
#define LT_NET_LINE_SPLITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LT_LINE_MAX_DEFAULT 8192

/* Set line_max and skip_bom, leave the rest zero. */
struct lt_line_splitter {
	size_t line_max; /* bytes without the ending; 0: LT_LINE_MAX_DEFAULT */
	bool skip_bom;   /* drop a UTF-8 byte order mark at the start of the stream */
	uint64_t dropped;

	struct lt_str input;   /* private from here: fed and not read yet */
	struct lt_buf partial; /* a line whose end has not come; given out by next */
	bool partial_is_given; /* the caller has it: clear before going on */
	bool is_dropping;      /* until the next line end */
	bool is_past_start;
};

void lt_line_splitter_finish(struct lt_line_splitter *splitter);

/* Borrows `bytes` until next has returned false; the rest of the last feed is read first. */
void lt_line_splitter_feed(struct lt_line_splitter *splitter, struct lt_str bytes);

/* The next line, borrowed until the following call; false when more bytes are needed. */
bool lt_line_splitter_next(struct lt_line_splitter *splitter, struct lt_str *ret_line);

/* At the end of a file: what stands behind the last line end, if anything. */
bool lt_line_splitter_last(struct lt_line_splitter *splitter, struct lt_str *ret_line);

/* A new stream: forget a half line. The count of dropped lines stays. */
void lt_line_splitter_reset(struct lt_line_splitter *splitter);

#endif
