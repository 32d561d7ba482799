/*
 * Reading a zip archive whose names and sizes nobody can be trusted with: the
 * only way in. Entries are known by index; nothing
 * is ever written to a path from an archive. Blocking, one thread at a time.
 */
#ifndef LT_STORE_RECORDING_ZIP_H
#define LT_STORE_RECORDING_ZIP_H

#include <stdint.h>

#include "base/str.h"

struct lt_zip;

#define LT_ZIP_ENTRY_MAX   (64u * 1024 * 1024)
#define LT_ZIP_ENTRIES_MAX 1000000

/* NULL and err for anything but a regular file that is a zip with a sane number of entries. */
struct lt_zip *lt_zip_open(const char *path, struct lt_err *err);
void lt_zip_close(struct lt_zip *zip);

int64_t lt_zip_count(const struct lt_zip *zip);

/* Name as stored, in the order of the archive; borrowed; empty for an entry without one. */
struct lt_str lt_zip_name(const struct lt_zip *zip, int64_t index);

/* Size from the directory of the archive; refuses more than LT_ZIP_ENTRY_MAX. */
bool lt_zip_check_size(const struct lt_zip *zip, int64_t index, struct lt_err *err);

/* Append the content of an entry: its checksum, and the size that was promised, are checked. */
bool lt_zip_read(const struct lt_zip *zip, int64_t index, struct lt_buf *buf, struct lt_err *err);

/* What a copy of an entry needs to know, beside its packed bytes. */
struct lt_zip_info {
	uint16_t method;
	uint32_t raw_crc, raw_bytes;
	int64_t time_s; /* as stored, taken for UTC */
};

/* Append the packed bytes of an entry, not verified. Refuses encrypted ones and large ones. */
bool lt_zip_read_packed(const struct lt_zip *zip, int64_t index, struct lt_zip_info *ret_info,
		struct lt_buf *buf, struct lt_err *err);

struct lt_str lt_zip_comment(const struct lt_zip *zip); /* of the archive; borrowed */

#endif
