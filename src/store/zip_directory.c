#include "store/zip_directory.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <time.h>
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
#define PART_BYTES      (64u * 1024) /* read and checked at a time */

/* Where the directory is, as the end of the archive says. */
struct end {
	uint64_t entries, bytes, offset;
};

/* Numbers are little-endian and anywhere. */
static uint16_t get16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static uint32_t get32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
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

		if (memcmp(at, "PK\5\6", 4) == 0 && get16(at + 20) == tail->n - i - END_BYTES) {
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
	uint64_t offset = get64(locator.p + 8);
	if (offset > here || !lt_zip_read_at(fd, offset, END64_BYTES, &record, err) ||
			memcmp(record.p, "PK\6\6", 4) != 0) {
		return lt_err_set(err, LT_E_FORMAT, "its end is incomplete");
	}
	*end = (struct end){
		.entries = get64(record.p + 32),
		.bytes = get64(record.p + 40),
		.offset = get64(record.p + 48),
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
		.entries = get16(at + 10),
		.bytes = get32(at + 12),
		.offset = get32(at + 16),
	};
	lt_buf_add(&directory->comment, at + END_BYTES, get16(at + 20));
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
		size_t id = get16(extra.p), n = get16(extra.p + 2);
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
			*fields[i] = get64(value.p);
			value = lt_str_skip(value, 8);
		}
	}
	return true;
}

/* The part of fixed size of an entry; false: its extra fields make no sense. */
static bool decode_item(const char *at, struct lt_zip_item *item)
{
	size_t name_n = get16(at + 28), extra_n = get16(at + 30);

	*item = (struct lt_zip_item){
		.raw_bytes = get32(at + 24),
		.packed_bytes = get32(at + 20),
		.offset = get32(at + 42),
		.raw_crc = get32(at + 16),
		.dos_time = get32(at + 12),
		.method = get16(at + 10),
		.is_encrypted = get16(at + 8) & ENCRYPTED,
	};
	return extra_n == 0 ||
			read_extra(item, (struct lt_str){ at + ITEM_BYTES + name_n, extra_n });
}

/* The whole entry at the front of `rest`: its bytes; 0: it is damaged, or not all of it is here. */
static size_t check_item(struct lt_str rest, uint64_t *ret_raw_bytes)
{
	const char *at = rest.p;
	struct lt_zip_item item;

	if (rest.n < ITEM_BYTES || memcmp(at, "PK\1\2", 4) != 0) {
		return 0;
	}
	size_t extra_n = get16(at + 30);
	size_t n = ITEM_BYTES + get16(at + 28) + extra_n + get16(at + 32);
	if (n > rest.n) {
		return 0;
	}
	*ret_raw_bytes = get32(at + 24);
	if (extra_n > 0) {
		if (!decode_item(at, &item)) {
			return 0;
		}
		*ret_raw_bytes = item.raw_bytes;
	}
	return n;
}

/* Step over the entries from *at on that are here by now. */
static void find_items(struct lt_zip_directory *directory, uint64_t entries, size_t *at)
{
	struct lt_str all = lt_buf_str(&directory->bytes);
	uint64_t raw_bytes;
	size_t n;

	for (; directory->count < entries; directory->count++) {
		n = check_item((struct lt_str){ all.p + *at, all.n - *at }, &raw_bytes);
		if (n == 0) {
			return;
		}
		directory->places[directory->count] = (uint32_t)*at;
		directory->raw_bytes_max = LT_MAX(directory->raw_bytes_max, raw_bytes);
		*at += n;
	}
}

/*
 * Each entry is checked here and decoded when somebody asks: of a day, few are
 * asked for. In small parts: the system reads ahead while they are checked, and
 * what was just copied is near.
 */
static bool read_items(struct lt_zip_directory *directory, int fd, const struct end *end,
		struct lt_err *err)
{
	struct lt_buf *bytes = &directory->bytes;
	size_t at = 0;

	directory->places = lt_reallocarray(NULL, end->entries + 1, sizeof(*directory->places));
	lt_buf_reserve(bytes, end->bytes);
	while (bytes->n < end->bytes) {
		if (!lt_zip_read_at(fd, end->offset + bytes->n,
				    LT_MIN(end->bytes - bytes->n, PART_BYTES), bytes, err)) {
			return false;
		}
		find_items(directory, end->entries, &at);
	}
	if (directory->count < end->entries) {
		return lt_err_set(err, LT_E_FORMAT, "entry %zu of its directory is damaged",
				directory->count);
	}
	return at == bytes->n ||
			lt_err_set(err, LT_E_FORMAT, "its directory is longer than its end says");
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
	return read_items(directory, fd, &end, err);
}

static const char *item_at(const struct lt_zip_directory *directory, size_t index)
{
	assert(index < directory->count);
	return directory->bytes.p + directory->places[index];
}

struct lt_str lt_zip_directory_name(const struct lt_zip_directory *directory, size_t index)
{
	const char *at = item_at(directory, index);

	return (struct lt_str){ at + ITEM_BYTES, get16(at + 28) };
}

struct lt_zip_item lt_zip_directory_item(const struct lt_zip_directory *directory, size_t index)
{
	struct lt_zip_item item;
	bool ok = decode_item(item_at(directory, index), &item);

	assert(ok); /* seen when the directory was read */
	(void)ok;
	return item;
}

void lt_zip_directory_finish(struct lt_zip_directory *directory)
{
	lt_free(directory->places);
	lt_buf_finish(&directory->bytes);
	lt_buf_finish(&directory->comment);
	*directory = (struct lt_zip_directory){ .count = 0 };
}

int64_t lt_zip_unix_time(uint32_t dos)
{
	struct tm tm = {
		.tm_year = (int)(dos >> 25) + 80,
		.tm_mon = (int)(dos >> 21 & 15) - 1,
		.tm_mday = (int)(dos >> 16 & 31),
		.tm_hour = (int)(dos >> 11 & 31),
		.tm_min = (int)(dos >> 5 & 63),
		.tm_sec = (int)(dos & 31) * 2,
	};

	return (int64_t)timegm(&tm);
}
