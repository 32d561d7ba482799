/* Output of json.h: trees and pieces to text, the way the original's writer does it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static const char hex[] = "0123456789abcdef";

/* --- texts --- */

static void write_unit(struct lt_buf *buf, uint32_t unit)
{
	char text[6] = { '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
		hex[unit & 15] };

	lt_buf_add(buf, text, sizeof(text));
}

static void write_escape(struct lt_buf *buf, uint32_t c)
{
	static const char letters[] = "btnvfr"; /* from U+0008; \v is no JSON escape */

	if (c == '"' || c == '\\' || (c >= '\b' && c <= '\r' && c != '\v')) {
		char text[2] = { '\\', c < ' ' ? letters[c - '\b'] : (char)c };

		lt_buf_add(buf, text, sizeof(text));
	} else if (c >= 0x10000) {
		write_unit(buf, 0xD800 + ((c - 0x10000) >> 10));
		write_unit(buf, 0xDC00 + ((c - 0x10000) & 0x3FF));
	} else {
		write_unit(buf, c);
	}
}

static void write_text(struct lt_buf *buf, struct lt_str text, bool ascii)
{
	size_t at = 0;

	lt_buf_reserve(buf, text.n + 2);
	lt_buf_add_char(buf, '"');
	while (at < text.n) {
		size_t from = at;

		while (at < text.n && text.p[at] >= ' ' && text.p[at] < 0x7F && text.p[at] != '"' &&
				text.p[at] != '\\') {
			at++;
		}
		lt_buf_add(buf, text.p + from, at - from);
		if (at == text.n) {
			break;
		}
		uint32_t c;
		at += lt_utf8_next(lt_str_skip(text, at), &c);
		/* Of ASCII characters DEL alone is escaped in one style and plain in the other. */
		if (!ascii && c >= 0x7F) {
			lt_buf_add_utf8(buf, c);
		} else {
			write_escape(buf, c);
		}
	}
	lt_buf_add_char(buf, '"');
}

void lt_json_write_str(struct lt_buf *buf, struct lt_str text)
{
	write_text(buf, text, false);
}

void lt_json_write_ascii(struct lt_buf *buf, struct lt_str text)
{
	write_text(buf, text, true);
}

/* --- numbers --- */

/* At least `width` digits. */
static void write_digits(struct lt_buf *buf, uint64_t value, size_t width)
{
	char digits[24];
	size_t at = sizeof(digits);

	while (value > 0 || sizeof(digits) - at < width) {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	}
	lt_buf_add(buf, digits + at, sizeof(digits) - at);
}

/* Timing values have few decimals: when the value is the nearest to n/1000, those digits are it. */
static bool write_thousandths(struct lt_buf *buf, double magnitude)
{
	if (magnitude >= 1e12) {
		return false;
	}
	double scaled = rint(magnitude * 1000);
	if (scaled / 1000 != magnitude) {
		return false;
	}
	uint64_t thousandths = (uint64_t)scaled;
	uint64_t fraction = thousandths % 1000;
	size_t width = 3;
	while (width > 1 && fraction % 10 == 0) {
		fraction /= 10;
		width--;
	}
	write_digits(buf, thousandths / 1000, 1);
	lt_buf_add_char(buf, '.');
	write_digits(buf, fraction, width);
	return true;
}

static bool reads_back(const char *text, double magnitude)
{
	return strtod(text, NULL) == magnitude;
}

/*
 * Fewest digits that read back as the value, as "d.ddde[+-]x". 15 digits always
 * survive, except in subnormal numbers, where fewer than that are significant.
 */
static void shortest_digits(double magnitude, char text[32])
{
	for (int precision = magnitude < 2.3e-308 ? 0 : 14; precision <= 16; precision++) {
		snprintf(text, 32, "%.*e", precision, magnitude);
		if (reads_back(text, magnitude)) {
			return;
		}
		/*
		 * Numbers under a power of two lie twice as close as those above
		 * it: then of two neighbours of 16 digits the lower, though as
		 * near, is another number's and only the upper one is ours.
		 */
		if (precision == 15 && text[16] < '9') {
			text[16]++;
			if (reads_back(text, magnitude)) {
				return;
			}
		}
	}
}

/* Digits d1d2... with the point after the first `point` of them (which may be 0 or less). */
static void write_positional(struct lt_buf *buf, struct lt_str digits, int point)
{
	if (point <= 0) {
		lt_buf_add_c(buf, "0.");
		for (int i = point; i < 0; i++) {
			lt_buf_add_char(buf, '0');
		}
		lt_buf_add_str(buf, digits);
		return;
	}
	for (size_t i = 0; i < LT_MAX(digits.n, (size_t)point); i++) {
		if (i == (size_t)point) {
			lt_buf_add_char(buf, '.');
		}
		lt_buf_add_char(buf, i < digits.n ? digits.p[i] : '0');
	}
	if (digits.n <= (size_t)point) {
		lt_buf_add_c(buf, ".0");
	}
}

void lt_json_write_double(struct lt_buf *buf, double value)
{
	char text[32];
	char digits[32];
	size_t count = 0;
	double magnitude = fabs(value);

	if (!isfinite(value)) {
		lt_buf_add_c(buf, "null");
		return;
	}
	if (signbit(value)) {
		lt_buf_add_char(buf, '-');
	}
	if (write_thousandths(buf, magnitude)) {
		return;
	}
	shortest_digits(magnitude, text);
	const char *mark = strchr(text, 'e');
	for (const char *p = text; p < mark; p++) {
		if (*p != '.') {
			digits[count++] = *p;
		}
	}
	while (count > 1 && digits[count - 1] == '0') {
		count--;
	}
	int exponent = (int)strtol(mark + 1, NULL, 10);
	/* The original's bounds for positional notation. */
	if (exponent >= -4 && exponent < 16) {
		write_positional(buf, (struct lt_str){ digits, count }, exponent + 1);
		return;
	}
	lt_buf_add(buf, digits, 1);
	if (count > 1) {
		lt_buf_add_char(buf, '.');
		lt_buf_add(buf, digits + 1, count - 1);
	}
	lt_buf_printf(buf, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void write_number(struct lt_buf *buf, const cJSON *item)
{
	double value = item->valuedouble;

	if (lt_json_is_float(item) || !isfinite(value)) {
		lt_json_write_double(buf, value);
		return;
	}
	if (value < 0) {
		lt_buf_add_char(buf, '-');
	}
	if (fabs(value) < 1e18) {
		write_digits(buf, (uint64_t)fabs(value), 1);
	} else {
		lt_buf_printf(buf, "%.0f", fabs(value));
	}
}

/* --- trees --- */

static void write_value(
		struct lt_buf *buf, const cJSON *item, enum lt_json_style style, size_t depth);

static void break_line(struct lt_buf *buf, enum lt_json_style style, size_t depth)
{
	if (style == LT_JSON_INDENTED) {
		lt_buf_add_char(buf, '\n');
		for (size_t i = 0; i < depth; i++) {
			lt_buf_add(buf, "  ", 2);
		}
	}
}

/* Recursion is as deep as the tree, which the parser bounds; cJSON_Delete does the same. */
static void write_container(
		struct lt_buf *buf, const cJSON *item, enum lt_json_style style, size_t depth)
{
	bool object = cJSON_IsObject(item);
	bool ascii = style != LT_JSON_UTF8;
	const char *colon = style == LT_JSON_SPACED || style == LT_JSON_INDENTED ? ": " : ":";
	const char *comma = style == LT_JSON_SPACED ? ", " : ",";
	const cJSON *child;

	lt_buf_add_char(buf, object ? '{' : '[');
	cJSON_ArrayForEach(child, item) {
		if (child != item->child) {
			lt_buf_add_c(buf, comma);
		}
		break_line(buf, style, depth + 1);
		if (object) {
			write_text(buf, lt_str_from(child->string), ascii);
			lt_buf_add_c(buf, colon);
		}
		write_value(buf, child, style, depth + 1);
	}
	if (item->child) {
		break_line(buf, style, depth);
	}
	lt_buf_add_char(buf, object ? '}' : ']');
}

static void write_value(
		struct lt_buf *buf, const cJSON *item, enum lt_json_style style, size_t depth)
{
	if (cJSON_IsArray(item) || cJSON_IsObject(item)) {
		write_container(buf, item, style, depth);
	} else if (cJSON_IsString(item)) {
		write_text(buf, lt_str_from(item->valuestring), style != LT_JSON_UTF8);
	} else if (cJSON_IsNumber(item)) {
		write_number(buf, item);
	} else if (cJSON_IsBool(item)) {
		lt_buf_add_c(buf, cJSON_IsTrue(item) ? "true" : "false");
	} else if (cJSON_IsRaw(item)) {
		lt_buf_add_c(buf, item->valuestring);
	} else {
		lt_buf_add_c(buf, "null");
	}
}

void lt_json_print(struct lt_buf *buf, const cJSON *value, enum lt_json_style style)
{
	write_value(buf, value, style, 0);
}
