#include "store/zip_scan.h"

#include <zlib.h>

#include "base/alloc.h"
#include "store/frame.h"
#include "store/recording_zip.h"
#include "store/zip_directory.h"
#include "store/zip_writer.h"

#define HEADER_BYTES     30
#define SIGNATURE        "PK\3\4"
#define DESCRIPTOR       "PK\7\10"
#define HAS_DESCRIPTOR   (1u << 3)
#define IS_ENCRYPTED     (1u << 0)
#define VERSION_MAX      63
#define EXTRA_ZIP64      1
#define UNKNOWN32        UINT32_MAX
#define INFLATE_STEP     65536
#define DESCRIPTOR_BYTES 12

static uint64_t get(const char *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i-- > 0;) {
		value = value << 8 | (unsigned char)at[i];
	}
	return value;
}

/* Sizes of over 4 GiB stand in the extra field. */
static void read_zip64(struct lt_str extra, uint64_t *raw, uint64_t *packed)
{
	while (extra.n >= 4) {
		size_t n = (size_t)get(extra.p + 2, 2);

		if (n > extra.n - 4) {
			return;
		}
		if (get(extra.p, 2) == EXTRA_ZIP64 && n >= 16) {
			*raw = get(extra.p + 4, 8);
			*packed = get(extra.p + 12, 8);
			return;
		}
		extra = lt_str_skip(extra, 4 + n);
	}
}

/*
 * Unpack, to find the end of the packed bytes: what the header says about it
 * may be wrong or missing, and a wrong end would swallow the next entry.
 */
static bool measure(struct lt_zip_found *found, struct lt_str rest, struct lt_err *err)
{
	union {
		const char *from;
		unsigned char *to; /* zlib only reads */
	} input = { .from = rest.p };
	LT_AUTO(lt_free) unsigned char *step = lt_alloc(INFLATE_STEP);
	z_stream stream = { .next_in = input.to, .avail_in = (uInt)LT_MIN(rest.n, UINT32_MAX) };
	uint32_t crc = 0;
	int result = Z_OK;

	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
		lt_oom();
	}
	while (result == Z_OK && stream.total_out <= (size_t)LT_ZIP_ENTRY_MAX) {
		stream.next_out = step;
		stream.avail_out = INFLATE_STEP;
		result = inflate(&stream, Z_NO_FLUSH);
		crc = (uint32_t)crc32_z(crc, step, INFLATE_STEP - stream.avail_out);
	}
	inflateEnd(&stream);
	if (stream.total_out > (size_t)LT_ZIP_ENTRY_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "over %u bytes", LT_ZIP_ENTRY_MAX);
	}
	if (result == Z_BUF_ERROR) {
		return lt_err_set(err, LT_E_FORMAT, "the file ends in the middle of it");
	}
	if (result != Z_STREAM_END) {
		return lt_err_set(err, LT_E_FORMAT, "cannot be unpacked");
	}
	found->packed = (struct lt_str){ rest.p, stream.total_in };
	found->raw_bytes = (uint32_t)stream.total_out;
	found->raw_crc = crc;
	return true;
}

/* The checksum in a descriptor behind the packed bytes, which may have a signature. */
static bool check_descriptor(
		const struct lt_zip_found *found, struct lt_str rest, struct lt_err *err)
{
	rest = lt_str_skip(rest, found->packed.n);
	rest = lt_str_skip(rest, lt_str_starts(rest, LT_STR(DESCRIPTOR)) ? 4 : 0);
	return (rest.n >= DESCRIPTOR_BYTES && get(rest.p, 4) == found->raw_crc) ||
			lt_err_set(err, LT_E_FORMAT, "its checksum is wrong");
}

bool lt_zip_found_unpack(const struct lt_zip_found *found, struct lt_buf *buf, struct lt_err *err)
{
	if (found->method == LT_ZIP_DEFLATED) {
		return lt_frame_unpack(found->packed, found->raw_bytes, found->raw_crc, buf, err);
	}
	if (found->packed.n != found->raw_bytes || lt_crc32(found->packed) != found->raw_crc) {
		return lt_err_set(err, LT_E_FORMAT, "its checksum is wrong");
	}
	lt_buf_add_str(buf, found->packed);
	return true;
}

/* What follows the name. Sets the rest of found, or says why not. */
static bool read_content(struct lt_zip_found *found, const char *header, struct lt_str extra,
		struct lt_str rest, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
	uint64_t raw = get(header + 22, 4), packed = get(header + 18, 4);
	uint32_t crc = (uint32_t)get(header + 14, 4);
	unsigned flags = (unsigned)get(header + 6, 2);

	if (raw == UNKNOWN32 || packed == UNKNOWN32) {
		read_zip64(extra, &raw, &packed);
	}
	if (flags & IS_ENCRYPTED) {
		return lt_err_set(err, LT_E_FORMAT, "it is encrypted");
	}
	if (raw > (size_t)LT_ZIP_ENTRY_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "over %u bytes", LT_ZIP_ENTRY_MAX);
	}
	if (found->method == LT_ZIP_DEFLATED) {
		if (!measure(found, rest, err)) {
			return false;
		}
		if ((flags & HAS_DESCRIPTOR) && packed == 0) {
			return check_descriptor(found, rest, err);
		}
		return (found->raw_crc == crc && found->raw_bytes == raw) ||
				lt_err_set(err, LT_E_FORMAT, "its checksum is wrong");
	}
	if (packed > rest.n) {
		return lt_err_set(err, LT_E_FORMAT, "the file ends in the middle of it");
	}
	found->packed = (struct lt_str){ rest.p, (size_t)packed };
	found->raw_bytes = (uint32_t)raw;
	found->raw_crc = crc;
	return lt_zip_found_unpack(found, &content, err);
}

/* A local header at the beginning of `rest`? Anything may look like its first four bytes. */
static bool is_header(struct lt_str rest)
{
	uint64_t method, name_bytes;

	if (rest.n < HEADER_BYTES || !lt_str_starts(rest, LT_STR(SIGNATURE))) {
		return false;
	}
	method = get(rest.p + 8, 2);
	name_bytes = get(rest.p + 26, 2);
	return get(rest.p + 4, 1) <= VERSION_MAX &&
			(method == LT_ZIP_STORED || method == LT_ZIP_DEFLATED) && name_bytes > 0 &&
			name_bytes <= rest.n - HEADER_BYTES;
}

/*
 * Returns where to go on: behind the content, or, when something is broken,
 * right behind the signature, since any length in the header may be wrong.
 */
static size_t read_entry(const struct lt_zip_scan *scan, struct lt_zip_found *ret)
{
	struct lt_str rest = lt_str_skip(scan->bytes, scan->at);
	const char *header = rest.p;
	size_t name_bytes = (size_t)get(header + 26, 2), extra_bytes = (size_t)get(header + 28, 2);
	struct lt_str extra;

	*ret = (struct lt_zip_found){
		.name = { header + HEADER_BYTES, name_bytes },
		.method = (uint16_t)get(header + 8, 2),
		.time_s = lt_zip_unix_time((uint32_t)get(header + 10, 4)),
	};
	rest = lt_str_skip(rest, HEADER_BYTES + name_bytes);
	extra = (struct lt_str){ rest.p, LT_MIN(extra_bytes, rest.n) };
	rest = lt_str_skip(rest, extra.n);
	ret->is_whole = read_content(ret, header, extra, rest, &ret->why);
	return ret->is_whole ? (size_t)(ret->packed.p + ret->packed.n - scan->bytes.p)
			     : scan->at + strlen(SIGNATURE);
}

bool lt_zip_scan_next(struct lt_zip_scan *scan, struct lt_zip_found *ret)
{
	while (scan->at < scan->bytes.n) {
		struct lt_str rest = lt_str_skip(scan->bytes, scan->at);
		const char *found = memmem(rest.p, rest.n, SIGNATURE, strlen(SIGNATURE));

		if (!found) {
			break;
		}
		scan->at = (size_t)(found - scan->bytes.p);
		if (is_header(lt_str_skip(scan->bytes, scan->at))) {
			scan->at = read_entry(scan, ret);
			return true;
		}
		scan->at += strlen(SIGNATURE);
	}
	scan->at = scan->bytes.n;
	return false;
}
