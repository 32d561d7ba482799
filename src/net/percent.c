#include "net/percent.h"

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~';
}

void lt_percent_encode(struct lt_buf *buf, struct lt_str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_unreserved(c)) {
			lt_buf_add_char(buf, (char)c);
		} else {
			lt_buf_add_char(buf, '%');
			lt_buf_add_char(buf, digits[c >> 4]);
			lt_buf_add_char(buf, digits[c & 15]);
		}
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void lt_percent_decode(struct lt_buf *buf, struct lt_str text, bool plus_is_space)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%' && text.n - i > 2 && hex_digit(text.p[i + 1]) >= 0 &&
				hex_digit(text.p[i + 2]) >= 0) {
			lt_buf_add_char(buf,
					(char)(hex_digit(text.p[i + 1]) * 16 +
							hex_digit(text.p[i + 2])));
			i += 2;
		} else {
			lt_buf_add_char(buf, plus_is_space && c == '+' ? ' ' : c);
		}
	}
}
