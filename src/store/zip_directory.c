#include "store/zip_directory.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"

#define END_BYTES       22
#define END64_BYTES     56
#define LOCATOR_BYTES   20
#define ITEM_BYTES      46
#define COMMENT_MAX     UINT16_MAX
#define ENCRYPTED       1u
#define ZIP64_EXTRA     1
#define NAME_MAX_BYTES  1024 /* mean of an entry; bounds what is read at once */
#define DIRECTORY_EXTRA (1u << 20)

/* Where the directory is, as the end of the archive says. */
struct end {
	uint64_t entries, bytes, offset;
};

static uint64_t get(const char *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i-- > 0;) {
		value = value << 8 | (uint8_t)at[i];
	}
	return value;
}

bool lt_zip_read_at(int fd, uint64_t offset, size_t n, struct lt_buf *buf, struct lt_err *err)
{
	size_t got = 0;

	if (offset > INT64_MAX - n) {
		return lt_err_set(err, LT_E_FORMAT, "an offset is out of range");
	}
	lt_buf_reserve(buf, n);
	while (got < n) {
		ssize_t part = pread(fd, buf->p + buf->n + got, n - got, (off_t)(offset + got));

		if (part < 0 && errno == EINTR) {
			continue;
		}
		if (part < 0) {
			return lt_err_errno(err, "cannot be read");
		}
		if (part == 0) {
			return lt_err_set(err, LT_E_FORMAT, "it ends too early");
		}
		got += (size_t)part;
	}
	buf->n += n;
	buf->p[buf->n] = '\0';
	return true;
}

/* --- the end of the archive --- */

/* The last record whose comment reaches to the end of the file; NULL: none. */
static const char *find_end(const struct lt_buf *tail)
{
	for (size_t i = tail->n >= END_BYTES ? tail->n - END_BYTES + 1 : 0; i-- > 0;) {
		const char *at = tail->p + i;

		if (memcmp(at, "PK\5\6", 4) == 0 && get(at + 20, 2) == tail->n - i - END_BYTES) {
			return at;
		}
	}
	return NULL;
}

/* The numbers that do not fit into the old record. `here` is where that one is. */
static bool read_end64(int fd, uint64_t here, struct end *end, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf locator = { 0 }, record = { 0 };

	if (here < LOCATOR_BYTES ||
			!lt_zip_read_at(fd, here - LOCATOR_BYTES, LOCATOR_BYTES, &locator, err)) {
		return lt_err_set(err, LT_E_FORMAT, "its end is incomplete");
	}
	if (memcmp(locator.p, "PK\6\7", 4) != 0) {
		return true; /* full to the brim without the larger record */
	}
	uint64_t offset = get(locator.p + 8, 8);
	if (offset > here || !lt_zip_read_at(fd, offset, END64_BYTES, &record, err) ||
			memcmp(record.p, "PK\6\6", 4) != 0) {
		return lt_err_set(err, LT_E_FORMAT, "its end is incomplete");
	}
	*end = (struct end){
		.entries = get(record.p + 32, 8),
		.bytes = get(record.p + 40, 8),
		.offset = get(record.p + 48, 8),
	};
	return true;
}

static bool read_end(struct lt_zip_directory *directory, int fd, int64_t file_bytes,
		struct end *ret_end, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf tail = { 0 };
	uint64_t size = (uint64_t)file_bytes;
	size_t n = (size_t)LT_MIN(size, (uint64_t)(END_BYTES + COMMENT_MAX));

	if (!lt_zip_read_at(fd, size - n, n, &tail, err)) {
		return false;
	}
	const char *at = find_end(&tail);
	if (!at) {
		return lt_err_set(err, LT_E_FORMAT, "it has no end");
	}
	uint64_t here = size - n + (uint64_t)(at - tail.p);
	*ret_end = (struct end){
		.entries = get(at + 10, 2),
		.bytes = get(at + 12, 4),
		.offset = get(at + 16, 4),
	};
	lt_buf_add(&directory->comment, at + END_BYTES, get(at + 20, 2));
	if ((ret_end->entries == UINT16_MAX || ret_end->bytes == UINT32_MAX ||
			    ret_end->offset == UINT32_MAX) &&
			!read_end64(fd, here, ret_end, err)) {
		return false;
	}
	return (ret_end->offset <= here && ret_end->bytes <= here - ret_end->offset) ||
			lt_err_set(err, LT_E_FORMAT, "its directory is not where its end says");
}

/* --- entries --- */

/* 64-bit numbers come in this order, each only where the old field is full. */
static bool read_extra(struct lt_zip_item *item, struct lt_str extra)
{
	uint64_t *const fields[] = { &item->raw_bytes, &item->packed_bytes, &item->offset };

	while (extra.n >= 4) {
		uint64_t id = get(extra.p, 2), n = get(extra.p + 2, 2);
		struct lt_str value = lt_str_skip(extra, 4);

		if (n > value.n) {
			return false;
		}
		extra = lt_str_skip(value, n);
		value.n = n;
		for (size_t i = 0; id == ZIP64_EXTRA && i < LT_ARRAY_LEN(fields); i++) {
			if (*fields[i] != UINT32_MAX) {
				continue;
			}
			if (value.n < 8) {
				return false;
			}
			*fields[i] = get(value.p, 8);
			value = lt_str_skip(value, 8);
		}
	}
	return true;
}

/* One entry from the front of *rest. */
static bool read_item(struct lt_str *rest, struct lt_zip_item *item)
{
	const char *at = rest->p;

	if (rest->n < ITEM_BYTES || memcmp(at, "PK\1\2", 4) != 0) {
		return false;
	}
	size_t name_n = get(at + 28, 2), extra_n = get(at + 30, 2), comment_n = get(at + 32, 2);
	if (rest->n - ITEM_BYTES < name_n + extra_n + comment_n) {
		return false;
	}
	*item = (struct lt_zip_item){
		.name = { at + ITEM_BYTES, name_n },
		.raw_bytes = get(at + 24, 4),
		.packed_bytes = get(at + 20, 4),
		.offset = get(at + 42, 4),
		.raw_crc = (uint32_t)get(at + 16, 4),
		.dos_time = (uint32_t)get(at + 12, 4),
		.method = (uint16_t)get(at + 10, 2),
		.is_encrypted = get(at + 8, 2) & ENCRYPTED,
	};
	*rest = lt_str_skip(*rest, ITEM_BYTES + name_n + extra_n + comment_n);
	return read_extra(item, (struct lt_str){ at + ITEM_BYTES + name_n, extra_n });
}

static bool read_items(struct lt_zip_directory *directory, uint64_t entries, struct lt_err *err)
{
	struct lt_str rest = lt_buf_str(&directory->bytes);

	directory->items = lt_calloc(entries + 1, sizeof(*directory->items));
	for (; directory->count < entries; directory->count++) {
		if (!read_item(&rest, &directory->items[directory->count])) {
			return lt_err_set(err, LT_E_FORMAT, "entry %zu of its directory is damaged",
					directory->count);
		}
	}
	if (rest.n > 0) {
		return lt_err_set(err, LT_E_FORMAT, "its directory is longer than its end says");
	}
	/* What is behind a name has been read by now, so a terminator can go there. */
	for (size_t i = 0; i < directory->count; i++) {
		struct lt_str name = directory->items[i].name;

		directory->bytes.p[name.p - directory->bytes.p + (ptrdiff_t)name.n] = '\0';
	}
	return true;
}

bool lt_zip_directory_read(struct lt_zip_directory *directory, int fd, int64_t file_bytes,
		size_t entries_max, struct lt_err *err)
{
	struct end end = { 0, 0, 0 };

	*directory = (struct lt_zip_directory){ .count = 0 };
	if (!read_end(directory, fd, file_bytes, &end, err)) {
		return false;
	}
	if (end.entries > entries_max) {
		return lt_err_set(err, LT_E_LIMIT, "over %zu entries", entries_max);
	}
	if (end.bytes / NAME_MAX_BYTES > end.entries + DIRECTORY_EXTRA / NAME_MAX_BYTES) {
		return lt_err_set(err, LT_E_LIMIT, "its directory is too large");
	}
	return lt_zip_read_at(fd, end.offset, end.bytes, &directory->bytes, err) &&
			read_items(directory, end.entries, err);
}

void lt_zip_directory_finish(struct lt_zip_directory *directory)
{
	lt_free(directory->items);
	lt_buf_finish(&directory->bytes);
	lt_buf_finish(&directory->comment);
	*directory = (struct lt_zip_directory){ .count = 0 };
}
