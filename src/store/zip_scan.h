/*
 * Finds the entries of a zip archive by their local headers, without its
 * directory: for archives that are cut off or damaged. Nothing in the bytes is
 * trusted; an entry counts as whole only when it unpacks to what its header
 * (or the descriptor behind it) says. Pure: works on bytes in memory.
 */
#ifndef LT_STORE_ZIP_SCAN_H
#define LT_STORE_ZIP_SCAN_H

#include <stdint.h>

#include "base/str.h"

/* An entry; slices are borrowed from the bytes that are scanned. */
struct lt_zip_found {
	struct lt_str name;
	uint16_t method; /* as zip_writer.h has it */
	uint32_t raw_crc, raw_bytes;
	struct lt_str packed;
	int64_t time_s; /* of last change, taken for UTC */
	bool is_whole;  /* false: cut off or damaged; the members above but the name mean nothing */
	struct lt_err why;
};

struct lt_zip_scan {
	struct lt_str bytes;
	size_t at;
};

/* The next entry, whole or not; false: there is none. Begin with at = 0. */
bool lt_zip_scan_next(struct lt_zip_scan *scan, struct lt_zip_found *ret);

/* Append the content of a whole entry to buf. */
bool lt_zip_found_unpack(const struct lt_zip_found *found, struct lt_buf *buf, struct lt_err *err);

#endif
