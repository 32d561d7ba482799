/* A stand-in for "lt.text/1": bytes as they are, Latin-1 for what is no ASCII, "car N" found. */
#ifndef LT_TESTS_UNIT_PLUGINS_FAKE_TEXT_H
#define LT_TESTS_UNIT_PLUGINS_FAKE_TEXT_H

#include <string.h>

#include <livetiming/plugin.h>

static inline size_t fake_decode(struct lt_str bytes, uint32_t encoding, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes.n && n + 3 < size; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (c < 0x80 || encoding == LT_ENCODING_UTF8) {
			buf[n++] = (char)c;
		} else {
			buf[n++] = (char)(0xC0 | c >> 6);
			buf[n++] = (char)(0x80 | (c & 0x3F));
		}
	}
	buf[n] = '\0';
	return n;
}

static inline void fake_parse_control(struct lt_str text, struct lt_control_text *ret)
{
	const char *car = memmem(text.p, text.n, "car ", 4);

	if (car != NULL) {
		ret->car = lt_text_n(car + 4, strspn(car + 4, "0123456789"));
	}
}

static const struct lt_text_ext fake_text = { sizeof(fake_text), 0, fake_decode,
	fake_parse_control };

#endif
