#include "router/bignum.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

#define DIGITS_MAX 156 /* of 512 bits, a sign and a terminator */

/* limbs = limbs * factor + more, least significant first. False: it does not fit. */
static bool multiply_add(uint32_t limbs[LT_BIG_BYTES / 4], uint32_t factor, uint32_t more)
{
	uint64_t carry = more;

	for (size_t i = 0; i < LT_BIG_BYTES / 4; i++) {
		carry += (uint64_t)limbs[i] * factor;
		limbs[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return carry == 0;
}

/* Remainder of the division by 10. */
static char divide(uint32_t limbs[LT_BIG_BYTES / 4])
{
	uint64_t rest = 0;

	for (size_t i = LT_BIG_BYTES / 4; i-- > 0;) {
		rest = rest << 32 | limbs[i];
		limbs[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
	return (char)rest;
}

static bool is_zero(const uint32_t limbs[LT_BIG_BYTES / 4])
{
	for (size_t i = 0; i < LT_BIG_BYTES / 4; i++) {
		if (limbs[i]) {
			return false;
		}
	}
	return true;
}

/* "-123" of a magnitude of at most LT_BIG_BYTES. Returns where it begins in `text`. */
static const char *to_decimal(struct lt_str magnitude, bool negative, char text[DIGITS_MAX + 2])
{
	uint32_t limbs[LT_BIG_BYTES / 4] = { 0 };
	size_t at = DIGITS_MAX + 1;
	bool overflow = false;

	for (size_t i = 0; i < magnitude.n; i++) {
		multiply_add(limbs, 256, (uint8_t)magnitude.p[i]);
	}
	if (negative) {
		overflow = !multiply_add(limbs, 1, 1); /* -2^512 */
	}
	text[at] = '\0';
	if (overflow) {
		/* the digits of 2^512 are those of 2^512 - 1 with the last one greater */
		memset(limbs, 0xff, sizeof(limbs));
	}
	do {
		text[--at] = (char)('0' + divide(limbs));
	} while (!is_zero(limbs));
	text[DIGITS_MAX] = (char)(text[DIGITS_MAX] + overflow);
	if (negative) {
		text[--at] = '-';
	}
	return text + at;
}

static double nearest(struct lt_str magnitude, bool negative)
{
	char text[DIGITS_MAX + 2];
	struct lt_str top = { magnitude.p, LT_MIN(magnitude.n, (size_t)LT_BIG_BYTES) };
	size_t below = magnitude.n - top.n;

	/* 2^1024 is beyond every number; the bits below the top 512 do not count */
	return ldexp(strtod(to_decimal(top, negative, text), NULL),
			(int)(8 * LT_MIN(below, (size_t)128)));
}

void lt_big_settle(struct lt_item *item)
{
	while (item->bytes.n > 0 && item->bytes.p[0] == 0) {
		item->bytes = lt_str_skip(item->bytes, 1);
	}
	if (item->bytes.n <= 8) {
		item->kind = item->negative ? LT_ITEM_NEGATIVE : LT_ITEM_UINT;
		item->n = lt_binary_get(item->bytes.p, item->bytes.n);
		return;
	}
	item->number = nearest(item->bytes, item->negative);
	item->kind = item->bytes.n > LT_BIG_BYTES ? LT_ITEM_FLOAT : LT_ITEM_BIG;
}

void lt_big_parse(struct lt_str digits, uint8_t room[LT_BIG_BYTES], struct lt_item *ret)
{
	uint32_t limbs[LT_BIG_BYTES / 4] = { 0 };
	bool fits = true, negative = digits.p[0] == '-';

	*ret = (struct lt_item){ .kind = LT_ITEM_BIG, .negative = negative };
	for (size_t i = negative; fits && i < digits.n; i++) {
		fits = multiply_add(limbs, 10, (uint32_t)(digits.p[i] - '0'));
	}
	if (!fits) {
		char *text = lt_str_dup(digits);

		ret->kind = LT_ITEM_FLOAT;
		ret->number = strtod(text, NULL);
		lt_free(text);
		return;
	}
	for (size_t i = 0; negative; i++) { /* minus one: -1 - magnitude is the value */
		if (limbs[i]--) {
			break;
		}
	}
	for (size_t i = 0; i < LT_BIG_BYTES; i++) {
		room[LT_BIG_BYTES - 1 - i] = (uint8_t)(limbs[i / 4] >> (8 * (i % 4)));
	}
	ret->bytes = (struct lt_str){ (const char *)room, LT_BIG_BYTES };
	lt_big_settle(ret);
}

void lt_big_print(const struct lt_item *item, struct lt_buf *out)
{
	char text[DIGITS_MAX + 2];

	lt_buf_add_c(out, to_decimal(item->bytes, item->negative, text));
}
