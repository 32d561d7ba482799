/*
 * CBOR (RFC 8949), wamp.2.cbor: lengths definite and indefinite, floating
 * point of all sizes. Tags are skipped, except that those of big integers
 * make numbers of byte strings. Undefined and unassigned simple values are
 * null. What is written is the shortest form with definite lengths.
 */
#include <math.h>

#include "router/binary.h"

enum major { UINT, NEGATIVE, BYTES, TEXT, LIST, DICT, TAG, OTHER };

#define INDEFINITE   31
#define FALSE        20
#define TRUE         21
#define NIL          22
#define HALF         25
#define TAG_POSITIVE 2
#define TAG_NEGATIVE 3

struct head {
	unsigned major, minor;
	uint64_t n; /* the argument */
};

static bool read_head(struct lt_str *rest, struct head *ret, struct lt_err *err)
{
	struct lt_str bytes;

	if (!lt_binary_take(rest, 1, &bytes, err)) {
		return false;
	}
	ret->major = (uint8_t)bytes.p[0] >> 5;
	ret->minor = (uint8_t)bytes.p[0] & 31;
	ret->n = ret->minor;
	if (ret->minor < 24) {
		return true;
	}
	if (ret->minor < 28) {
		size_t width = (size_t)1 << (ret->minor - 24);

		if (!lt_binary_take(rest, width, &bytes, err)) {
			return false;
		}
		ret->n = lt_binary_get(bytes.p, width);
		return true;
	}
	ret->n = 0;
	if (ret->minor == INDEFINITE && ret->major != UINT && ret->major != NEGATIVE &&
			ret->major != TAG) {
		return true;
	}
	return lt_err_set(err, LT_E_FORMAT, "0x%02x begins no value", (uint8_t)bytes.p[0]);
}

static bool take_string(struct lt_str *rest, unsigned major, uint64_t n, struct lt_str *ret,
		struct lt_err *err)
{
	if (!lt_binary_take(rest, n, ret, err)) {
		return false;
	}
	return major != TEXT || lt_utf8_valid(*ret) ||
			lt_err_set(err, LT_E_FORMAT, "a text is not well-formed UTF-8");
}

/* Definite strings of the same kind up to a break; each is well-formed by itself. */
static bool read_chunks(
		struct lt_str *rest, unsigned major, struct lt_item *item, struct lt_err *err)
{
	const char *from = rest->p;
	struct lt_str chunk;
	struct head head;

	item->chunked = true;
	for (;;) {
		const char *here = rest->p;

		if (!read_head(rest, &head, err)) {
			return false;
		}
		if (head.major == OTHER && head.minor == INDEFINITE) {
			item->bytes = (struct lt_str){ from, (size_t)(here - from) };
			return true;
		}
		if (head.major != major || head.minor == INDEFINITE) {
			return lt_err_set(err, LT_E_FORMAT, "a string has a piece of another kind");
		}
		if (!take_string(rest, major, head.n, &chunk, err)) {
			return false;
		}
	}
}

void lt_cbor_join(struct lt_str chunks, struct lt_buf *out)
{
	struct head head;
	struct lt_str chunk;

	while (chunks.n > 0 && read_head(&chunks, &head, NULL) &&
			lt_binary_take(&chunks, head.n, &chunk, NULL)) {
		lt_buf_add_str(out, chunk);
	}
}

static double half_to_double(uint64_t bits)
{
	int exponent = (int)(bits >> 10 & 31);
	double mantissa = (double)(bits & 1023), magnitude;

	if (exponent == 0) {
		magnitude = ldexp(mantissa, -24);
	} else if (exponent < 31) {
		magnitude = ldexp(mantissa + 1024, exponent - 25);
	} else {
		magnitude = mantissa > 0 ? (double)NAN : (double)INFINITY;
	}
	return bits & 0x8000 ? -magnitude : magnitude;
}

/* Simple values, floating point, break. */
static bool set_other(struct lt_item *item, const struct head *head, struct lt_err *err)
{
	uint32_t bits32 = (uint32_t)head->n;
	float single;

	item->kind = LT_ITEM_NULL;
	if (head->minor == FALSE || head->minor == TRUE) {
		item->kind = LT_ITEM_BOOL;
		item->n = head->minor == TRUE;
	} else if (head->minor == 24 && head->n < 32) {
		return lt_err_set(err, LT_E_FORMAT, "a simple value in a longer form");
	} else if (head->minor == INDEFINITE) {
		item->kind = LT_ITEM_END;
	} else if (head->minor >= HALF) {
		item->kind = LT_ITEM_FLOAT;
		if (head->minor == HALF) {
			item->number = half_to_double(head->n);
		} else if (head->minor == HALF + 1) {
			memcpy(&single, &bits32, sizeof(single));
			item->number = (double)single;
		} else {
			memcpy(&item->number, &head->n, sizeof(item->number));
		}
	}
	return true;
}

static bool read_string(struct lt_str *rest, const struct head *head, struct lt_item *item,
		struct lt_err *err)
{
	item->kind = head->major == TEXT ? LT_ITEM_TEXT : LT_ITEM_BYTES;
	return head->minor == INDEFINITE
			? read_chunks(rest, head->major, item, err)
			: take_string(rest, head->major, head->n, &item->bytes, err);
}

static bool read(struct lt_str *rest, struct lt_item *ret, struct lt_err *err)
{
	struct head head;
	uint64_t tag = 0;
	bool tagged = false;

	*ret = (struct lt_item){ 0 };
	for (;;) {
		if (!read_head(rest, &head, err)) {
			return false;
		}
		if (head.major != TAG) {
			break;
		}
		tag = head.n;
		tagged = true;
	}
	ret->n = head.n;
	switch ((enum major)head.major) {
	case UINT:
		ret->kind = LT_ITEM_UINT;
		return true;
	case NEGATIVE:
		ret->kind = LT_ITEM_NEGATIVE;
		return true;
	case BYTES:
	case TEXT:
		if (!read_string(rest, &head, ret, err)) {
			return false;
		}
		if (head.major == BYTES && (tag == TAG_POSITIVE || tag == TAG_NEGATIVE)) {
			ret->kind = LT_ITEM_BIG;
			ret->negative = tag == TAG_NEGATIVE;
		}
		return true;
	case LIST:
	case DICT:
		ret->kind = head.major == LIST ? LT_ITEM_LIST : LT_ITEM_DICT;
		ret->indefinite = head.minor == INDEFINITE;
		return true;
	case TAG:
	case OTHER:
		break;
	}
	if (tagged && head.minor == INDEFINITE) {
		return lt_err_set(err, LT_E_FORMAT, "a tag without a value");
	}
	return set_other(ret, &head, err);
}

/* --- output --- */

static void write_head(struct lt_buf *out, enum major major, uint64_t n)
{
	unsigned first = (unsigned)major << 5;

	if (n < 24) {
		lt_buf_add_char(out, (char)(first | (unsigned)n));
		return;
	}

	unsigned power = n <= UINT8_MAX ? 0 : n <= UINT16_MAX ? 1 : n <= UINT32_MAX ? 2 : 3;

	lt_buf_add_char(out, (char)(first | (24 + power)));
	lt_binary_put(out, n, (size_t)1 << power);
}

/* The half that is exactly this number, if there is one. Not for NaN. */
static bool single_to_half(uint32_t bits, uint32_t *ret)
{
	uint32_t sign = bits >> 16 & 0x8000, mantissa = bits & 0x7fffff;
	int exponent = (int)(bits >> 23 & 255) - 127;
	uint32_t shift = 13;

	if ((bits & 0x7fffffff) == 0) {
		*ret = sign;
		return true;
	}
	if (exponent == 128) {
		*ret = sign | 0x7c00;
		return true;
	}
	if (exponent > 15 || exponent < -24) {
		return false;
	}
	if (exponent < -14) { /* without the bit that is understood */
		mantissa |= 0x800000;
		shift += (uint32_t)(-14 - exponent);
		*ret = sign | mantissa >> shift;
	} else {
		*ret = sign | (uint32_t)(exponent + 15) << 10 | mantissa >> shift;
	}
	return (mantissa & ((1U << shift) - 1)) == 0;
}

static void write_float(struct lt_buf *out, double number)
{
	float single = (float)number;
	uint32_t bits32, half;
	uint64_t bits;

	memcpy(&bits32, &single, sizeof(bits32));
	if (isnan(number)) {
		lt_buf_add(out, "\xf9\x7e\x00", 3);
	} else if ((double)single != number) {
		memcpy(&bits, &number, sizeof(bits));
		lt_buf_add_char(out, (char)0xfb);
		lt_binary_put(out, bits, 8);
	} else if (single_to_half(bits32, &half)) {
		lt_buf_add_char(out, (char)0xf9);
		lt_binary_put(out, half, 2);
	} else {
		lt_buf_add_char(out, (char)0xfa);
		lt_binary_put(out, bits32, 4);
	}
}

static void write(struct lt_buf *out, const struct lt_item *item)
{
	switch (item->kind) {
	case LT_ITEM_NULL:
		write_head(out, OTHER, NIL);
		break;
	case LT_ITEM_BOOL:
		write_head(out, OTHER, item->n ? TRUE : FALSE);
		break;
	case LT_ITEM_UINT:
		write_head(out, UINT, item->n);
		break;
	case LT_ITEM_NEGATIVE:
		write_head(out, NEGATIVE, item->n);
		break;
	case LT_ITEM_FLOAT:
		write_float(out, item->number);
		break;
	case LT_ITEM_BIG:
		write_head(out, TAG, item->negative ? TAG_NEGATIVE : TAG_POSITIVE);
		write_head(out, BYTES, item->bytes.n);
		lt_buf_add_str(out, item->bytes);
		break;
	case LT_ITEM_TEXT:
	case LT_ITEM_BYTES:
		write_head(out, item->kind == LT_ITEM_TEXT ? TEXT : BYTES, item->bytes.n);
		lt_buf_add_str(out, item->bytes);
		break;
	case LT_ITEM_LIST:
		write_head(out, LIST, item->n);
		break;
	case LT_ITEM_DICT:
		write_head(out, DICT, item->n);
		break;
	case LT_ITEM_END:
		break;
	}
}

/* --- table --- */

static const struct lt_binary format = { .read = read, .write = write };

static bool cbor_open(struct lt_reader *reader, struct lt_str message, uint32_t nesting,
		struct lt_err *err)
{
	return lt_binary_open(reader, &format, message, nesting, err);
}

static struct lt_str cbor_text(const struct lt_element *element, struct lt_buf *scratch)
{
	return lt_binary_text(&format, element, scratch);
}

static void cbor_head(struct lt_buf *out, const struct lt_field *fields, size_t count, size_t total)
{
	lt_binary_head(&format, out, fields, count, total);
}

const struct lt_serializer lt_serializer_cbor = {
	.subprotocol = "wamp.2.cbor",
	.index = 2,
	.binary = true,
	.values = &format,
	.open = cbor_open,
	.more = lt_binary_more,
	.next = lt_binary_next,
	.close = lt_binary_close,
	.text = cbor_text,
	.head = cbor_head,
	.separator = { "", 0 },
	.terminator = { "", 0 },
	.empty_list = { "\x80", 1 },
};
