#include "net/s3_xml.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

bool lt_s3_xml_next(struct lt_str *rest, const char *name, struct lt_str *ret)
{
	char open[64], close[64];
	const char *begin, *end;
	size_t left;

	snprintf(open, sizeof(open), "<%s>", name);
	snprintf(close, sizeof(close), "</%s>", name);
	begin = rest->n ? memmem(rest->p, rest->n, open, strlen(open)) : NULL;
	if (!begin) {
		return false;
	}
	begin += strlen(open);
	left = rest->n - (size_t)(begin - rest->p);
	end = memmem(begin, left, close, strlen(close));
	if (!end) {
		return false;
	}
	*ret = (struct lt_str){ begin, (size_t)(end - begin) };
	*rest = lt_str_skip(*rest, (size_t)(end - rest->p) + strlen(close));
	return true;
}

/* "#38" or "#x26"; 0: it is none. */
static uint32_t number_of(struct lt_str name)
{
	int64_t value = 0;

	if (name.n > 2 && name.p[1] == 'x') {
		for (size_t i = 2; i < name.n && i < 8; i++) {
			const char *digit = strchr("0123456789abcdef", name.p[i] | 0x20);

			if (!digit || !*digit) {
				return 0;
			}
			value = value * 16 + (digit - "0123456789abcdef");
		}
	} else if (!lt_parse_i64(lt_str_skip(name, 1), 1, 0x10ffff, &value, NULL)) {
		return 0;
	}
	return value <= 0x10ffff ? (uint32_t)value : 0;
}

static void add_reference(struct lt_buf *buf, struct lt_str name)
{
	static const struct {
		const char *name;
		char value;
	} known[] = { { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
		{ "amp", '&' } };
	uint32_t number = name.n > 1 && name.p[0] == '#' ? number_of(name) : 0;

	for (size_t i = 0; i < LT_ARRAY_LEN(known); i++) {
		if (lt_str_eq_c(name, known[i].name)) {
			lt_buf_add_char(buf, known[i].value);
			return;
		}
	}
	if (number > 0) {
		lt_buf_add_utf8(buf, number);
	} else {
		lt_buf_add_char(buf, '&');
		lt_buf_add_str(buf, name);
		lt_buf_add_char(buf, ';');
	}
}

void lt_s3_xml_text(struct lt_buf *buf, struct lt_str inside)
{
	for (size_t i = 0; i < inside.n; i++) {
		const char *end = inside.p[i] == '&'
				? memchr(inside.p + i, ';', LT_MIN(inside.n - i, 12))
				: NULL;

		if (!end) {
			lt_buf_add_char(buf, inside.p[i]);
			continue;
		}
		add_reference(buf,
				(struct lt_str){ inside.p + i + 1,
						(size_t)(end - inside.p) - i - 1 });
		i = (size_t)(end - inside.p);
	}
}
