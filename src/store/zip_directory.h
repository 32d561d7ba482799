/*
 * The directory at the end of a zip archive, read in one go: a day's recording
 * has 86,401 entries, and a viewer who asks for one state of it should not wait
 * for a general library to take in each of them. Nothing in it is trusted.
 */
#ifndef LT_STORE_ZIP_DIRECTORY_H
#define LT_STORE_ZIP_DIRECTORY_H

#include <stdint.h>

#include "base/str.h"

struct lt_zip_item {
	uint64_t raw_bytes, packed_bytes;
	uint64_t offset; /* of the local header */
	uint32_t raw_crc;
	uint32_t dos_time;
	uint16_t method;
	bool is_encrypted;
};

struct lt_zip_directory {
	uint32_t *places; /* of the entries in `bytes`, in the order of the archive */
	size_t count;
	uint64_t raw_bytes_max; /* of any entry */
	struct lt_buf bytes;    /* as stored */
	struct lt_buf comment;
};

/*
 * Of the archive in an open file of that size, with at most `entries_max`
 * entries. Errors: LT_E_FORMAT, LT_E_LIMIT, LT_E_IO. Free with
 * lt_zip_directory_finish, also after an error.
 */
bool lt_zip_directory_read(struct lt_zip_directory *directory, int fd, int64_t file_bytes,
		size_t entries_max, struct lt_err *err);
void lt_zip_directory_finish(struct lt_zip_directory *directory);

/* Name as stored; borrowed. */
struct lt_str lt_zip_directory_name(const struct lt_zip_directory *directory, size_t index);
struct lt_zip_item lt_zip_directory_item(const struct lt_zip_directory *directory, size_t index);

/* Date and time of DOS, with a step of two seconds, taken for UTC. */
int64_t lt_zip_unix_time(uint32_t dos);

/* Append exactly n bytes of a file from an offset on. */
bool lt_zip_read_at(int fd, uint64_t offset, size_t n, struct lt_buf *buf, struct lt_err *err);

#endif
