/*
 * Writes a zip archive of entries that are packed already, in one pass: local
 * headers, central directory, and the 64-bit records when there are over 65,534
 * entries or 4 GiB. libzip cannot take packed entries, which is the whole
 * point: finalising a day's recording must not pack it a second time.
 * Blocking; belongs on a worker.
 */
#ifndef LT_STORE_ZIP_WRITER_H
#define LT_STORE_ZIP_WRITER_H

#include "store/fileops.h"

#define LT_ZIP_STORED   0
#define LT_ZIP_DEFLATED 8

struct lt_zip_entry {
	struct lt_str name; /* UTF-8, under 64 KiB */
	uint16_t method;
	uint32_t raw_crc;
	uint32_t raw_bytes;
	struct lt_str packed; /* under 4 GiB */
	int64_t time_s;       /* of last change; stored as UTC with a step of two seconds */
};

struct lt_zip_writer;

/* Create or empty the file at `path`, with this mode whatever the umask. */
struct lt_zip_writer *lt_zip_writer_open(
		const char *path, unsigned mode, const struct lt_fileops *ops, struct lt_err *err);

/* After an error only destroy is useful. The entry is borrowed for the call. */
bool lt_zip_writer_add(
		struct lt_zip_writer *writer, const struct lt_zip_entry *entry, struct lt_err *err);

/* The same for a text that is packed here. Errors of packing name the entry. */
bool lt_zip_writer_add_text(struct lt_zip_writer *writer, struct lt_str name, struct lt_str text,
		int64_t time_s, struct lt_err *err);

/* Write the directory with an archive comment (under 64 KiB) and sync the file. */
bool lt_zip_writer_finish(struct lt_zip_writer *writer, struct lt_str comment, struct lt_err *err);

/* Removes the file unless it was finished. */
void lt_zip_writer_destroy(struct lt_zip_writer *writer);

#endif
