/*
 * Raw captures: what a service's input said, byte for byte and with its time,
 * so that a race can be run through the same plugin again (docs/raw-captures.md
 * has the format).
 *
 *   LTRAW 1 {"plugin":"rmonitor", ...}
 *   +1234567 1 data 27
 *   $F,9999,"00:05:00",...
 *
 * A record is a line (microseconds since the start, stream, kind, bytes, and an
 * attribute for some kinds), its bytes, and a line end. Files are only ever
 * appended to; one that was cut at any byte gives all whole records.
 *
 * Reading blocks: for workers and for livetimingctl.
 */
#ifndef LT_STORE_RAW_CAPTURE_H
#define LT_STORE_RAW_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#define LT_RAW_BYTES_MAX   (16u << 20) /* of one record */
#define LT_RAW_HEADER_MAX  (64u << 10)
#define LT_RAW_STREAMS_MAX 64u

enum lt_raw_kind {
	LT_RAW_OPEN,   /* bytes: {"type": "lines", "to": "host:port"} */
	LT_RAW_UP,     /* connected */
	LT_RAW_DOWN,   /* bytes: the reason */
	LT_RAW_DATA,   /* of a TCP stream, as it came in */
	LT_RAW_FROM,   /* a datagram; attribute: "address:port" of the sender */
	LT_RAW_TEXT,   /* a message of a WebSocket */
	LT_RAW_BINARY, /* the same */
	LT_RAW_HTTP,   /* an answer; attribute: its status, 0: none, and bytes are the reason */
	LT_RAW_KIND_COUNT,
};

/* "data"; static. */
const char *lt_raw_kind_name(enum lt_raw_kind kind);

/* Texts are borrowed. */
struct lt_raw_record {
	int64_t at_us;   /* since the start of the capture */
	uint32_t stream; /* 1, 2, ... in the order of opening */
	enum lt_raw_kind kind;
	struct lt_str attribute; /* without blanks; empty: none */
	struct lt_str bytes;
	uint64_t offset; /* of its first byte in the file; when read */
};

/* Append to a buffer what goes to the file. */
void lt_raw_write_header(struct lt_buf *buf, const cJSON *header);
void lt_raw_write_record(struct lt_buf *buf, const struct lt_raw_record *record);

struct lt_raw_reader;

/* Errors: LT_E_IO; LT_E_FORMAT not a raw capture, or of a later version. */
struct lt_raw_reader *lt_raw_open(const char *path, struct lt_err *err);
void lt_raw_close(struct lt_raw_reader *reader); /* NULL is fine */

/* Borrowed until close. */
const cJSON *lt_raw_header(const struct lt_raw_reader *reader);

enum lt_raw_result {
	LT_RAW_GOT,
	LT_RAW_END,
	LT_RAW_CUT, /* the file ends inside a record: what a crash leaves */
	LT_RAW_BAD, /* err has the place; nothing can be read behind it */
};

/* The next record, borrowed until the next call. */
enum lt_raw_result lt_raw_next(
		struct lt_raw_reader *reader, struct lt_raw_record *ret_record, struct lt_err *err);

#endif
