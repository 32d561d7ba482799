/*
 * Frames of a recording as they are stored: their names in an archive or
 * directory, and their JSON packed by raw deflate, which is the form that both
 * the journal and the zip hold, so that finalising copies and does not pack.
 * A key frame is a whole state; a difference frame cannot stand alone.
 */
#ifndef LT_STORE_FRAME_H
#define LT_STORE_FRAME_H

#include <stdint.h>

#include "base/str.h"

#define LT_FRAME_TIME_MAX  INT64_C(99999999999) /* unix seconds; eleven digits */
#define LT_FRAME_BYTES_MAX (64u * 1024 * 1024)  /* of JSON; what readers accept */

/* "01700000000.json", "01700000000i.json" for a difference. */
#define LT_FRAME_NAME_MAX 24
void lt_frame_name(int64_t time_s, bool is_key, char buf[LT_FRAME_NAME_MAX]);

/* The whole name counts: 5 to 11 digits, "i" for a difference frame, ".json". */
bool lt_frame_parse_name(struct lt_str name, int64_t *ret_time_s, bool *ret_is_key);

struct lt_packed {
	struct lt_buf bytes; /* raw deflate */
	uint32_t raw_bytes;
	uint32_t raw_crc; /* CRC-32 of the JSON, as a zip has it */
};

/* Errors: LT_E_LIMIT over LT_FRAME_BYTES_MAX. On success finish ret->bytes with lt_buf_finish. */
bool lt_frame_pack(struct lt_str raw, struct lt_packed *ret, struct lt_err *err);

/* Append the JSON to buf; size and checksum are verified, and no more than raw_bytes unpacked. */
bool lt_frame_unpack(struct lt_str packed, uint32_t raw_bytes, uint32_t raw_crc, struct lt_buf *buf,
		struct lt_err *err);

uint32_t lt_crc32(struct lt_str bytes);

#endif
