#include "race/feed_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"

/* Windows-1252, 0x80 to 0x9f; unassigned bytes are taken as control characters are in Latin-1. */
static const uint16_t cp1252[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c,
	0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

/* UTF-8 of a code point below 0x10000. */
static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* The character at the start: its bytes as text, in out; returns how many bytes it took. */
static size_t next_character(struct lt_str bytes, bool is_utf8, char out[4], size_t *ret_n)
{
	unsigned char first = (unsigned char)bytes.p[0];
	uint32_t c = first >= 0x80 && first < 0xa0 ? cp1252[first - 0x80] : first;
	size_t taken = 1;

	if (is_utf8 && first >= 0x80) {
		size_t length = lt_utf8_next(bytes, &c);

		if (length > 1) {
			memcpy(out, bytes.p, length);
			*ret_n = length;
			return length;
		}
		c = 0xfffd;
	}
	*ret_n = encode(c < 0x20 || c == 0x7f ? ' ' : c, out);
	return taken;
}

size_t lt_feed_decode(struct lt_str bytes, uint32_t encoding, char *buf, size_t buf_size)
{
	bool is_utf8 = encoding == LT_ENCODING_UTF8 ||
			(encoding == LT_ENCODING_AUTO && lt_utf8_valid(bytes));
	size_t written = 0;

	if (buf_size == 0) {
		return 0;
	}
	while (bytes.n > 0) {
		char text[4];
		size_t n = 0, taken = next_character(bytes, is_utf8, text, &n);

		if (written + n >= buf_size) {
			break;
		}
		memcpy(buf + written, text, n);
		written += n;
		bytes = lt_str_skip(bytes, taken);
	}
	buf[written] = '\0';
	return written;
}

const struct lt_text_ext lt_text_table = {
	.size = sizeof(lt_text_table),
	.decode = lt_feed_decode,
	.parse_control = lt_control_parse,
};
