#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

bool lt_str_eq(struct lt_str a, struct lt_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool lt_str_eq_c(struct lt_str a, const char *b)
{
	return lt_str_eq(a, lt_str_from(b));
}

bool lt_str_starts(struct lt_str s, struct lt_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool lt_str_ends(struct lt_str s, struct lt_str suffix)
{
	return s.n >= suffix.n &&
			(suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

int lt_str_cmp(struct lt_str a, struct lt_str b)
{
	size_t common = LT_MIN(a.n, b.n);
	int order = common ? memcmp(a.p, b.p, common) : 0;

	if (order != 0) {
		return order;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct lt_str lt_str_trim(struct lt_str s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

struct lt_str lt_str_skip(struct lt_str s, size_t n)
{
	n = LT_MIN(n, s.n);
	return (struct lt_str){ n ? s.p + n : s.p, s.n - n };
}

struct lt_str lt_str_split(struct lt_str *s, char sep)
{
	const char *at = s->n ? memchr(s->p, sep, s->n) : NULL;
	struct lt_str part = *s;

	if (!at) {
		*s = (struct lt_str){ NULL, 0 };
		return part;
	}
	part.n = (size_t)(at - part.p);
	*s = lt_str_skip(*s, part.n + 1);
	return part;
}

char *lt_str_dup(struct lt_str s)
{
	char *copy = lt_alloc(s.n + 1);

	if (s.n) {
		memcpy(copy, s.p, s.n);
	}
	copy[s.n] = '\0';
	return copy;
}

const char *lt_str_quote(struct lt_str s, char buf[LT_QUOTE_MAX])
{
	static const char hex[] = "0123456789abcdef";
	/* Behind the text: an ellipsis, a quote and the terminator. */
	const size_t room = LT_QUOTE_MAX - 5;
	size_t n = 0;

	buf[n++] = '"';
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = c >= ' ' && c < 0x7F && c != '"' && c != '\\';
		size_t need = plain ? 1 : (c == '"' || c == '\\') ? 2 : 4;

		if (n + need > room) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		if (need > 1) {
			buf[n++] = '\\';
		}
		if (need == 4) {
			buf[n++] = 'x';
			buf[n++] = hex[c >> 4];
			buf[n++] = hex[c & 15];
		} else {
			buf[n++] = (char)c;
		}
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}

/* Decimal digits and nothing else; overflow is reported as `too_large`. */
static bool parse_digits(struct lt_str s, uint64_t *ret, bool *ret_too_large)
{
	uint64_t value = 0;

	*ret_too_large = false;
	if (s.n == 0) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
		if (__builtin_mul_overflow(value, 10U, &value) ||
				__builtin_add_overflow(value, (unsigned)(s.p[i] - '0'), &value)) {
			*ret_too_large = true;
			value = UINT64_MAX / 10;
		}
	}
	*ret = value;
	return true;
}

bool lt_parse_u64(struct lt_str s, uint64_t max, uint64_t *ret, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	uint64_t value;
	bool too_large;

	if (!parse_digits(s, &value, &too_large)) {
		return lt_err_set(err, LT_E_INVALID, "%s is not a whole number",
				lt_str_quote(s, quoted));
	}
	if (too_large || value > max) {
		return lt_err_set(err, LT_E_INVALID, "%s is more than %llu",
				lt_str_quote(s, quoted), (unsigned long long)max);
	}
	*ret = value;
	return true;
}

bool lt_parse_i64(struct lt_str s, int64_t min, int64_t max, int64_t *ret, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t magnitude;
	bool too_large;

	if (!parse_digits(lt_str_skip(s, negative), &magnitude, &too_large)) {
		return lt_err_set(err, LT_E_INVALID, "%s is not a whole number",
				lt_str_quote(s, quoted));
	}
	too_large = too_large || magnitude > (uint64_t)INT64_MAX + negative;
	/* Negated as unsigned, so that the least value does not overflow. */
	int64_t value = too_large ? 0 : (int64_t)(negative ? 0 - magnitude : magnitude);
	if (too_large || value < min || value > max) {
		return lt_err_set(err, LT_E_INVALID, "%s is not between %lld and %lld",
				lt_str_quote(s, quoted), (long long)min, (long long)max);
	}
	*ret = value;
	return true;
}

bool lt_parse_double(struct lt_str s, double *ret, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	char text[128];
	char *end = text;
	double value = 0;

	/* strtod also takes blanks, hexadecimal, "inf" and "nan": those are refused here. */
	bool plain = s.n > 0 && s.n < sizeof(text);
	for (size_t i = 0; plain && i < s.n; i++) {
		char c = s.p[i];
		plain = (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' ||
				c == 'E';
	}
	if (plain) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		value = strtod(text, &end);
	}
	if (!plain || end != text + s.n || !isfinite(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s is not a number", lt_str_quote(s, quoted));
	}
	*ret = value;
	return true;
}

bool lt_parse_bool(struct lt_str s, bool *ret, struct lt_err *err)
{
	static const char *const words[][2] = {
		{ "0", "1" },
		{ "false", "true" },
		{ "no", "yes" },
		{ "off", "on" },
	};
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(words); i++) {
		for (int value = 0; value < 2; value++) {
			const char *word = words[i][value];

			if (s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0) {
				*ret = value;
				return true;
			}
		}
	}
	return lt_err_set(err, LT_E_INVALID, "%s is neither yes nor no", lt_str_quote(s, quoted));
}

/* Length of the well-formed sequence at p, which starts with a byte above 0x7F; 0 if there is none.
 */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char lead = p[0];
	size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	/* Bounds of the second byte shut out overlong forms, surrogates and beyond U+10FFFF. */
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

	if (lead < 0xC2 || lead > 0xF4 || n < length || p[1] < low || p[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < length; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
	}
	return length;
}

size_t lt_utf8_prefix(struct lt_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t at = 0;

	while (at < s.n) {
		/* Most text is ASCII: 32 bytes a step while that lasts. */
		while (s.n - at >= 32) {
			uint64_t words[4];

			memcpy(words, p + at, sizeof(words));
			if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080U) {
				break;
			}
			at += 32;
		}
		size_t stop = LT_MIN(s.n, at + 32);
		while (at < stop) {
			size_t length = p[at] < 0x80 ? 1 : utf8_sequence(p + at, s.n - at);

			if (length == 0) {
				return at;
			}
			at += length;
		}
	}
	return at;
}

size_t lt_utf8_next(struct lt_str s, uint32_t *ret_codepoint)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t length = p[0] < 0x80 ? 1 : utf8_sequence(p, s.n);

	if (length == 0) {
		*ret_codepoint = 0xFFFD;
		return 1;
	}
	/* The lead byte has 7, 5, 4 or 3 bits of the character, each other byte 6. */
	uint32_t c = length == 1 ? p[0] : p[0] & (0xFFU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		c = c << 6 | (p[i] & 0x3FU);
	}
	*ret_codepoint = c;
	return length;
}

bool lt_utf8_valid(struct lt_str s)
{
	return lt_utf8_prefix(s) == s.n;
}

void lt_buf_finish(struct lt_buf *buf)
{
	lt_free(buf->p);
	*buf = (struct lt_buf){ 0 };
}

void lt_buf_clear(struct lt_buf *buf)
{
	buf->n = 0;
	if (buf->p) {
		buf->p[0] = '\0';
	}
}

/* Room for `extra` more bytes and the terminator; grows by half, so appending is linear. */
void lt_buf_reserve(struct lt_buf *buf, size_t extra)
{
	size_t need;

	if (__builtin_add_overflow(buf->n, extra, &need) || need > SIZE_MAX / 2) {
		lt_oom();
	}
	need++;
	if (need <= buf->cap) {
		return;
	}
	size_t cap = LT_MAX(need, buf->cap + buf->cap / 2);
	cap = LT_MAX(cap, (size_t)64);
	buf->p = lt_realloc(buf->p, cap);
	buf->cap = cap;
	buf->p[buf->n] = '\0';
}

void lt_buf_add(struct lt_buf *buf, const void *bytes, size_t n)
{
	lt_buf_reserve(buf, n);
	if (n) {
		memcpy(buf->p + buf->n, bytes, n);
	}
	buf->n += n;
	buf->p[buf->n] = '\0';
}

void lt_buf_add_str(struct lt_buf *buf, struct lt_str s)
{
	lt_buf_add(buf, s.p, s.n);
}

void lt_buf_add_c(struct lt_buf *buf, const char *text)
{
	lt_buf_add(buf, text, strlen(text));
}

void lt_buf_add_char(struct lt_buf *buf, char c)
{
	lt_buf_add(buf, &c, 1);
}

void lt_buf_add_utf8(struct lt_buf *buf, uint32_t codepoint)
{
	uint32_t c = codepoint;
	unsigned char bytes[4];
	size_t n = 0;

	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
		c = 0xFFFD;
	}
	if (c < 0x80) {
		bytes[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		bytes[n++] = (unsigned char)(0xC0 | c >> 6);
	} else if (c < 0x10000) {
		bytes[n++] = (unsigned char)(0xE0 | c >> 12);
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
	} else {
		bytes[n++] = (unsigned char)(0xF0 | c >> 18);
		bytes[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
		bytes[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
	}
	if (c >= 0x80) {
		bytes[n++] = (unsigned char)(0x80 | (c & 0x3F));
	}
	lt_buf_add(buf, bytes, n);
}

void lt_buf_printf(struct lt_buf *buf, const char *fmt, ...)
{
	va_list args;
	int n;

	lt_buf_reserve(buf, 64);
	va_start(args, fmt);
	n = vsnprintf(buf->p + buf->n, buf->cap - buf->n, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= buf->cap - buf->n) {
		lt_buf_reserve(buf, (size_t)n);
		va_start(args, fmt);
		n = vsnprintf(buf->p + buf->n, buf->cap - buf->n, fmt, args);
		va_end(args);
	}
	if (n > 0) {
		buf->n += (size_t)n;
	}
	buf->p[buf->n] = '\0';
}

void lt_buf_remove_front(struct lt_buf *buf, size_t n)
{
	if (n == 0) {
		return;
	}
	n = LT_MIN(n, buf->n);
	buf->n -= n;
	if (buf->n) {
		memmove(buf->p, buf->p + n, buf->n);
	}
	if (buf->p) {
		buf->p[buf->n] = '\0';
	}
}

char *lt_buf_steal(struct lt_buf *buf)
{
	char *text = buf->p ? buf->p : lt_strdup("");

	*buf = (struct lt_buf){ 0 };
	return text;
}
