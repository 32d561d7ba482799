#include "store/frame.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <zlib.h>

#include "base/alloc.h"

#define DIGITS_MIN 5
#define DIGITS_MAX 11
#define LEVEL      6
#define MEM_LEVEL  8

void lt_frame_name(int64_t time_s, bool is_key, char buf[LT_FRAME_NAME_MAX])
{
	assert(time_s >= 0 && time_s <= LT_FRAME_TIME_MAX);
	snprintf(buf, LT_FRAME_NAME_MAX, "%0*lld%s.json", DIGITS_MAX, (long long)time_s,
			is_key ? "" : "i");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Eight decimal digits at once, since whoever opens a day's recording has 86,400 names to read. */
static bool eight_digits(const char *at, int64_t *ret)
{
	uint64_t text;

	memcpy(&text, at, sizeof(text));
	text = le64toh(text);
	/* '0' to '9' are 0x30 to 0x39: the high half is 3, also with 6 added. */
	if (((text & (text + UINT64_C(0x0606060606060606))) & UINT64_C(0xF0F0F0F0F0F0F0F0)) !=
			UINT64_C(0x3030303030303030)) {
		return false;
	}
	/* Neighbours become numbers of two, then four, then eight digits; the first is lowest. */
	text &= UINT64_C(0x0F0F0F0F0F0F0F0F);
	text = (text * 10 + (text >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
	text = (text * 100 + (text >> 16)) & UINT64_C(0x0000FFFF0000FFFF);
	*ret = (int64_t)((text * 10000 + (text >> 32)) & UINT32_MAX);
	return true;
}

bool lt_frame_parse_name(struct lt_str name, int64_t *ret_time_s, bool *ret_is_key)
{
	size_t digits = 0;
	int64_t time_s = 0;

	if (name.n >= 8 && eight_digits(name.p, &time_s)) {
		digits = 8;
	}
	/* Eleven digits cannot overflow. */
	for (; digits < name.n && digits <= DIGITS_MAX && is_digit(name.p[digits]); digits++) {
		time_s = time_s * 10 + (name.p[digits] - '0');
	}
	if (digits < DIGITS_MIN || digits > DIGITS_MAX) {
		return false;
	}
	const char *rest = name.p + digits;
	size_t rest_n = name.n - digits;
	bool is_key = rest_n == 5 && memcmp(rest, ".json", 5) == 0;
	if (!is_key && !(rest_n == 6 && memcmp(rest, "i.json", 6) == 0)) {
		return false;
	}
	*ret_time_s = time_s;
	*ret_is_key = is_key;
	return true;
}

uint32_t lt_crc32(struct lt_str bytes)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)bytes.p, bytes.n);
}

/* zlib's input is not const in its oldest form; it only reads. */
static unsigned char *input_of(struct lt_str bytes)
{
	union {
		const char *from;
		unsigned char *to;
	} cast = { .from = bytes.p };

	return cast.to;
}

bool lt_frame_pack(struct lt_str raw, struct lt_packed *ret, struct lt_err *err)
{
	z_stream stream = { 0 };

	if (raw.n > LT_FRAME_BYTES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "a frame of %zu bytes is over %u", raw.n,
				LT_FRAME_BYTES_MAX);
	}
	if (deflateInit2(&stream, LEVEL, Z_DEFLATED, -MAX_WBITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
			Z_OK) {
		lt_oom();
	}
	*ret = (struct lt_packed){ .raw_bytes = (uint32_t)raw.n, .raw_crc = lt_crc32(raw) };
	lt_buf_reserve(&ret->bytes, deflateBound(&stream, raw.n));
	stream.next_in = input_of(raw);
	stream.avail_in = (uInt)raw.n;
	stream.next_out = (unsigned char *)ret->bytes.p;
	stream.avail_out = (uInt)ret->bytes.cap;
	int result = deflate(&stream, Z_FINISH);
	assert(result == Z_STREAM_END);
	ret->bytes.n = stream.total_out;
	deflateEnd(&stream);
	return true;
}

bool lt_frame_unpack(struct lt_str packed, uint32_t raw_bytes, uint32_t raw_crc, struct lt_buf *buf,
		struct lt_err *err)
{
	z_stream stream = { 0 };
	int result;

	if (raw_bytes > LT_FRAME_BYTES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "a frame of %u bytes is over %u", raw_bytes,
				LT_FRAME_BYTES_MAX);
	}
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
		lt_oom();
	}
	lt_buf_reserve(buf, (size_t)raw_bytes + 1);
	stream.next_in = input_of(packed);
	stream.avail_in = (uInt)packed.n;
	stream.next_out = (unsigned char *)buf->p + buf->n;
	stream.avail_out = raw_bytes + 1; /* one more, to notice what is too long */
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	if (result != Z_STREAM_END || stream.total_out != raw_bytes) {
		return lt_err_set(err, LT_E_FORMAT, "cannot be unpacked");
	}
	if (lt_crc32((struct lt_str){ buf->p + buf->n, raw_bytes }) != raw_crc) {
		return lt_err_set(err, LT_E_FORMAT, "its checksum is wrong");
	}
	buf->n += raw_bytes;
	buf->p[buf->n] = '\0';
	return true;
}
