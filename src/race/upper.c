#include "race/upper.h"

#include <stdlib.h>

#include "race/upper_table.h"

static int compare_range(const void *key, const void *element)
{
	uint32_t c = *(const uint32_t *)key;
	const struct upper_range *range = element;

	return c < range->first ? -1 : c > range->last;
}

static int compare_special(const void *key, const void *element)
{
	uint32_t c = *(const uint32_t *)key;
	const struct upper_special *special = element;

	return c < special->from ? -1 : c > special->from;
}

static void add_upper(struct lt_buf *buf, uint32_t c)
{
	const struct upper_special *special = bsearch(&c, upper_specials,
			LT_ARRAY_LEN(upper_specials), sizeof(upper_specials[0]), compare_special);
	const struct upper_range *range;

	if (special) {
		for (size_t i = 0; i < LT_ARRAY_LEN(special->to) && special->to[i]; i++) {
			lt_buf_add_utf8(buf, special->to[i]);
		}
		return;
	}
	range = bsearch(&c, upper_ranges, LT_ARRAY_LEN(upper_ranges), sizeof(upper_ranges[0]),
			compare_range);
	if (range && (c - range->first) % range->step == 0) {
		c = (uint32_t)((int32_t)c + range->offset);
	}
	lt_buf_add_utf8(buf, c);
}

void lt_upper(struct lt_buf *buf, struct lt_str text)
{
	lt_buf_reserve(buf, text.n);
	while (text.n > 0) {
		uint32_t c;

		text = lt_str_skip(text, lt_utf8_next(text, &c));
		if (c < 0x80) {
			lt_buf_add_char(buf, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
		} else {
			add_upper(buf, c);
		}
	}
}
