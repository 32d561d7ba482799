#include "store/zip_writer.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/frame.h"

#define FLUSH_BYTES    (256u * 1024)
#define NAME_IS_UTF8   (1u << 11)
#define VERSION_PLAIN  20
#define VERSION_ZIP64  45
#define MADE_ON_UNIX   (3u << 8)
#define FILE_ATTRIBUTE ((uint32_t)(S_IFREG | 0644) << 16)
#define MAX16          UINT16_MAX
#define MAX32          UINT32_MAX

struct lt_zip_writer {
	const struct lt_fileops *ops;
	char *path;
	int fd;
	bool is_finished;
	uint64_t written; /* given to the system, without what is in `out` */
	uint64_t entries;
	struct lt_buf out;
	struct lt_buf directory;
};

LT_DEFINE_AUTO(struct lt_zip_writer, lt_zip_writer_destroy);

static void put(struct lt_buf *buf, uint64_t value, size_t bytes)
{
	uint8_t text[8];

	for (size_t i = 0; i < bytes; i++) {
		text[i] = (uint8_t)(value >> (8 * i));
	}
	lt_buf_add(buf, text, bytes);
}

static void put16(struct lt_buf *buf, uint64_t value)
{
	put(buf, value, 2);
}

static void put32(struct lt_buf *buf, uint64_t value)
{
	put(buf, value, 4);
}

static void put64(struct lt_buf *buf, uint64_t value)
{
	put(buf, value, 8);
}

static bool write_now(struct lt_zip_writer *writer, struct lt_str bytes, struct lt_err *err)
{
	if (!lt_fileops_write_all(writer->ops, writer->fd, bytes)) {
		return lt_err_errno(err, "cannot write %s", writer->path);
	}
	writer->written += bytes.n;
	return true;
}

static bool flush(struct lt_zip_writer *writer, struct lt_err *err)
{
	bool ok = write_now(writer, lt_buf_str(&writer->out), err);

	lt_buf_clear(&writer->out);
	return ok;
}

static uint64_t offset_of_next(const struct lt_zip_writer *writer)
{
	return writer->written + writer->out.n;
}

struct lt_zip_writer *lt_zip_writer_open(
		const char *path, unsigned mode, const struct lt_fileops *ops, struct lt_err *err)
{
	LT_AUTO(lt_zip_writer_destroy) struct lt_zip_writer *writer = lt_zalloc(sizeof(*writer));

	writer->ops = ops;
	writer->path = lt_strdup(path);
	writer->fd = ops->open(ops->arg, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (writer->fd < 0) {
		lt_err_errno(err, "cannot create %s", path);
		return NULL;
	}
	if (fchmod(writer->fd, mode) < 0) {
		lt_err_errno(err, "cannot create %s", path);
		return NULL;
	}
	return LT_STEAL(writer);
}

/* Date and time of DOS, as one number; what lies outside of its years is moved to their border. */
static uint32_t dos_time(int64_t time_s)
{
	time_t seconds = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 207) {
		return 0xFF9FBF7D; /* 2107-12-31 23:59:58 */
	}
	if (tm.tm_year < 80) {
		return 0x00210000; /* 1980-01-01 00:00:00 */
	}
	return (uint32_t)(tm.tm_year - 80) << 25 | (uint32_t)(tm.tm_mon + 1) << 21 |
			(uint32_t)tm.tm_mday << 16 | (uint32_t)tm.tm_hour << 11 |
			(uint32_t)tm.tm_min << 5 | (uint32_t)tm.tm_sec / 2;
}

/* What local header and directory have in common. */
static void put_common(struct lt_buf *buf, const struct lt_zip_entry *entry, unsigned version,
		size_t extra_bytes)
{
	put16(buf, version);
	put16(buf, NAME_IS_UTF8);
	put16(buf, entry->method);
	put32(buf, dos_time(entry->time_s));
	put32(buf, entry->raw_crc);
	put32(buf, entry->packed.n);
	put32(buf, entry->raw_bytes);
	put16(buf, entry->name.n);
	put16(buf, extra_bytes);
}

static void add_to_directory(
		struct lt_zip_writer *writer, const struct lt_zip_entry *entry, uint64_t offset)
{
	struct lt_buf *buf = &writer->directory;
	bool is_far = offset >= MAX32;
	unsigned version = is_far ? VERSION_ZIP64 : VERSION_PLAIN;

	lt_buf_add(buf, "PK\1\2", 4);
	put16(buf, MADE_ON_UNIX | version);
	put_common(buf, entry, version, is_far ? 12 : 0);
	put16(buf, 0); /* comment */
	put16(buf, 0); /* disk */
	put16(buf, 0); /* internal attributes */
	put32(buf, FILE_ATTRIBUTE);
	put32(buf, is_far ? MAX32 : offset);
	lt_buf_add_str(buf, entry->name);
	if (is_far) {
		put16(buf, 1);
		put16(buf, 8);
		put64(buf, offset);
	}
}

bool lt_zip_writer_add(
		struct lt_zip_writer *writer, const struct lt_zip_entry *entry, struct lt_err *err)
{
	uint64_t offset = offset_of_next(writer);

	assert(!writer->is_finished && entry->name.n < MAX16 && entry->packed.n < MAX32);
	lt_buf_add(&writer->out, "PK\3\4", 4);
	put_common(&writer->out, entry, VERSION_PLAIN, 0);
	lt_buf_add_str(&writer->out, entry->name);
	add_to_directory(writer, entry, offset);
	writer->entries++;
	if (entry->packed.n >= FLUSH_BYTES) {
		return flush(writer, err) && write_now(writer, entry->packed, err);
	}
	lt_buf_add_str(&writer->out, entry->packed);
	return writer->out.n < FLUSH_BYTES || flush(writer, err);
}

static void put_end64(struct lt_buf *buf, uint64_t entries, uint64_t start, uint64_t bytes)
{
	uint64_t here = start + bytes;

	lt_buf_add(buf, "PK\6\6", 4);
	put64(buf, 44); /* bytes that follow */
	put16(buf, MADE_ON_UNIX | VERSION_ZIP64);
	put16(buf, VERSION_ZIP64);
	put32(buf, 0); /* this disk, that of the directory */
	put32(buf, 0);
	put64(buf, entries);
	put64(buf, entries);
	put64(buf, bytes);
	put64(buf, start);
	lt_buf_add(buf, "PK\6\7", 4);
	put32(buf, 0);
	put64(buf, here);
	put32(buf, 1); /* disks */
}

bool lt_zip_writer_add_text(struct lt_zip_writer *writer, struct lt_str name, struct lt_str text,
		int64_t time_s, struct lt_err *err)
{
	struct lt_packed packed;
	bool ok;

	if (!lt_frame_pack(text, &packed, err)) {
		return lt_err_prefix(err, "%.*s", LT_STR_ARG(name));
	}
	struct lt_zip_entry entry = {
		.name = name,
		.method = LT_ZIP_DEFLATED,
		.raw_crc = packed.raw_crc,
		.raw_bytes = packed.raw_bytes,
		.packed = lt_buf_str(&packed.bytes),
		.time_s = time_s,
	};
	ok = lt_zip_writer_add(writer, &entry, err);
	lt_buf_finish(&packed.bytes);
	return ok;
}

bool lt_zip_writer_finish(struct lt_zip_writer *writer, struct lt_str comment, struct lt_err *err)
{
	uint64_t start = offset_of_next(writer), bytes = writer->directory.n;
	struct lt_buf *buf = &writer->out;

	assert(comment.n < MAX16);
	lt_buf_add_str(buf, lt_buf_str(&writer->directory));
	if (writer->entries >= MAX16 || start >= MAX32 || bytes >= MAX32) {
		put_end64(buf, writer->entries, start, bytes);
	}
	lt_buf_add(buf, "PK\5\6", 4);
	put32(buf, 0); /* disks */
	put16(buf, LT_MIN(writer->entries, MAX16));
	put16(buf, LT_MIN(writer->entries, MAX16));
	put32(buf, LT_MIN(bytes, MAX32));
	put32(buf, LT_MIN(start, MAX32));
	put16(buf, comment.n);
	lt_buf_add_str(buf, comment);
	if (!flush(writer, err)) {
		return false;
	}
	if (writer->ops->sync(writer->ops->arg, writer->fd) < 0) {
		return lt_err_errno(err, "cannot sync %s", writer->path);
	}
	writer->is_finished = true;
	return true;
}

void lt_zip_writer_destroy(struct lt_zip_writer *writer)
{
	if (!writer) {
		return;
	}
	if (writer->fd >= 0) {
		close(writer->fd);
		if (!writer->is_finished) {
			writer->ops->unlink(writer->ops->arg, writer->path);
		}
	}
	lt_buf_finish(&writer->out);
	lt_buf_finish(&writer->directory);
	lt_free(writer->path);
	lt_free(writer);
}
