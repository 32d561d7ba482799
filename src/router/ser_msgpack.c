/*
 * MessagePack, wamp.2.msgpack. Extension types, of which WAMP has none, pass
 * as they are between sessions of this format; elsewhere their data are bytes,
 * but for what JavaScript encoders write for undefined, which is null.
 */
#include "router/binary.h"

/* First bytes; the fixed forms below 0xc0 and from 0xe0 hold their value. */
enum {
	NIL = 0xc0,
	FALSE = 0xc2,
	TRUE = 0xc3,
	BIN8 = 0xc4, /* and two more, each double the width */
	EXT8 = 0xc7,
	FLOAT32 = 0xca,
	FLOAT64 = 0xcb,
	UINT8 = 0xcc,
	INT8 = 0xd0,
	FIXEXT1 = 0xd4, /* and four more */
	STR8 = 0xd9,
	LIST16 = 0xdc,
	DICT16 = 0xde,
};

static bool read_uint(struct lt_str *rest, size_t width, uint64_t *ret, struct lt_err *err)
{
	struct lt_str bytes;

	if (!lt_binary_take(rest, width, &bytes, err)) {
		return false;
	}
	*ret = lt_binary_get(bytes.p, width);
	return true;
}

static bool read_text(struct lt_str *rest, uint64_t n, struct lt_item *item, struct lt_err *err)
{
	item->kind = LT_ITEM_TEXT;
	if (!lt_binary_take(rest, n, &item->bytes, err)) {
		return false;
	}
	return lt_utf8_valid(item->bytes) ||
			lt_err_set(err, LT_E_FORMAT, "a text is not well-formed UTF-8");
}

/* A string of which `width` bytes tell the length. */
static bool read_long_text(
		struct lt_str *rest, size_t width, struct lt_item *item, struct lt_err *err)
{
	uint64_t n;

	return read_uint(rest, width, &n, err) && read_text(rest, n, item, err);
}

static bool read_bytes(struct lt_str *rest, size_t width, struct lt_item *item, struct lt_err *err)
{
	uint64_t n;

	item->kind = LT_ITEM_BYTES;
	return read_uint(rest, width, &n, err) && lt_binary_take(rest, n, &item->bytes, err);
}

static bool read_container(struct lt_str *rest, enum lt_item_kind kind, size_t width,
		struct lt_item *item, struct lt_err *err)
{
	item->kind = kind;
	return read_uint(rest, width, &item->n, err);
}

/* Behind the length: a type and the data. */
static bool read_extension(
		struct lt_str *rest, uint64_t n, struct lt_item *item, struct lt_err *err)
{
	uint64_t type;

	item->kind = LT_ITEM_BYTES;
	if (!read_uint(rest, 1, &type, err) || !lt_binary_take(rest, n, &item->bytes, err)) {
		return false;
	}
	if (type == 0 && n == 1 && item->bytes.p[0] == 0) {
		item->kind = LT_ITEM_NULL;
	}
	return true;
}

static bool read_long_extension(
		struct lt_str *rest, size_t width, struct lt_item *item, struct lt_err *err)
{
	uint64_t n;

	return read_uint(rest, width, &n, err) && read_extension(rest, n, item, err);
}

static void set_signed(struct lt_item *item, uint64_t bits, size_t width)
{
	uint64_t sign = UINT64_C(1) << (8 * width - 1);
	bool negative = bits & sign;

	item->kind = negative ? LT_ITEM_NEGATIVE : LT_ITEM_UINT;
	/* -1 - n turns the bits over; those above the width are not there */
	item->n = negative ? ~bits & (sign - 1) : bits;
}

static bool read_number(
		struct lt_str *rest, uint8_t first, struct lt_item *item, struct lt_err *err)
{
	size_t width = first == FLOAT32    ? 4
			: first == FLOAT64 ? 8
					   : (size_t)1 << (first - (first < INT8 ? UINT8 : INT8));
	uint64_t bits;

	if (!read_uint(rest, width, &bits, err)) {
		return false;
	}
	if (first == FLOAT32) {
		uint32_t bits32 = (uint32_t)bits;
		float single;

		memcpy(&single, &bits32, sizeof(single));
		item->kind = LT_ITEM_FLOAT;
		item->number = (double)single;
	} else if (first == FLOAT64) {
		item->kind = LT_ITEM_FLOAT;
		memcpy(&item->number, &bits, sizeof(item->number));
	} else if (first < INT8) {
		item->kind = LT_ITEM_UINT;
		item->n = bits;
	} else {
		set_signed(item, bits, width);
	}
	return true;
}

static bool read_fixed(struct lt_str *rest, uint8_t first, struct lt_item *item, struct lt_err *err)
{
	if (first < 0x80) {
		item->kind = LT_ITEM_UINT;
		item->n = first;
	} else if (first >= 0xe0) {
		item->kind = LT_ITEM_NEGATIVE;
		item->n = 0xffU - first;
	} else if (first < 0xa0) {
		item->kind = first < 0x90 ? LT_ITEM_DICT : LT_ITEM_LIST;
		item->n = first & 0x0f;
	} else {
		return read_text(rest, first & 0x1f, item, err);
	}
	return true;
}

static bool read(struct lt_str *rest, struct lt_item *ret, struct lt_err *err)
{
	struct lt_str head;

	*ret = (struct lt_item){ 0 };
	if (!lt_binary_take(rest, 1, &head, err)) {
		return false;
	}

	uint8_t first = (uint8_t)head.p[0];

	switch (first) {
	case NIL:
		ret->kind = LT_ITEM_NULL;
		return true;
	case FALSE:
	case TRUE:
		ret->kind = LT_ITEM_BOOL;
		ret->n = first == TRUE;
		return true;
	case BIN8:
	case BIN8 + 1:
	case BIN8 + 2:
		return read_bytes(rest, (size_t)1 << (first - BIN8), ret, err);
	case EXT8:
	case EXT8 + 1:
	case EXT8 + 2:
		return read_long_extension(rest, (size_t)1 << (first - EXT8), ret, err);
	case FLOAT32:
	case FLOAT64:
	case UINT8:
	case UINT8 + 1:
	case UINT8 + 2:
	case UINT8 + 3:
	case INT8:
	case INT8 + 1:
	case INT8 + 2:
	case INT8 + 3:
		return read_number(rest, first, ret, err);
	case FIXEXT1:
	case FIXEXT1 + 1:
	case FIXEXT1 + 2:
	case FIXEXT1 + 3:
	case FIXEXT1 + 4:
		return read_extension(rest, UINT64_C(1) << (first - FIXEXT1), ret, err);
	case STR8:
	case STR8 + 1:
	case STR8 + 2:
		return read_long_text(rest, (size_t)1 << (first - STR8), ret, err);
	case LIST16:
	case LIST16 + 1:
		return read_container(rest, LT_ITEM_LIST, first == LIST16 ? 2 : 4, ret, err);
	case DICT16:
	case DICT16 + 1:
		return read_container(rest, LT_ITEM_DICT, first == DICT16 ? 2 : 4, ret, err);
	case 0xc1:
		return lt_err_set(err, LT_E_FORMAT, "0xc1 begins no value");
	default:
		return read_fixed(rest, first, ret, err);
	}
}

/* --- output --- */

static void put(struct lt_buf *out, int first, uint64_t value, size_t width)
{
	lt_buf_add_char(out, (char)first);
	lt_binary_put(out, value, width);
}

static void write_uint(struct lt_buf *out, uint64_t n)
{
	if (n < 0x80) {
		lt_buf_add_char(out, (char)n);
	} else if (n <= UINT8_MAX) {
		put(out, UINT8, n, 1);
	} else if (n <= UINT16_MAX) {
		put(out, UINT8 + 1, n, 2);
	} else if (n <= UINT32_MAX) {
		put(out, UINT8 + 2, n, 4);
	} else {
		put(out, UINT8 + 3, n, 8);
	}
}

static void write_float(struct lt_buf *out, double number)
{
	float single = (float)number;
	uint32_t bits32;
	uint64_t bits;

	if ((double)single == number) {
		memcpy(&bits32, &single, sizeof(bits32));
		put(out, FLOAT32, bits32, 4);
	} else {
		memcpy(&bits, &number, sizeof(bits));
		put(out, FLOAT64, bits, 8);
	}
}

static void write_negative(struct lt_buf *out, uint64_t n)
{
	if (n < 0x20) {
		lt_buf_add_char(out, (char)~n);
	} else if (n <= INT8_MAX) {
		put(out, INT8, ~n, 1);
	} else if (n <= INT16_MAX) {
		put(out, INT8 + 1, ~n, 2);
	} else if (n <= INT32_MAX) {
		put(out, INT8 + 2, ~n, 4);
	} else if (n <= INT64_MAX) {
		put(out, INT8 + 3, ~n, 8);
	} else {
		write_float(out, -1.0 - (double)n);
	}
}

/* `fixed` holds lengths below `fixed_end`; first8 and first16 are the longer forms, -1: none. */
static void write_length(struct lt_buf *out, uint64_t n, int fixed, uint64_t fixed_end, int first8,
		int first16)
{
	if (n < fixed_end) {
		lt_buf_add_char(out, (char)(fixed | (int)n));
	} else if (n <= UINT8_MAX && first8 >= 0) {
		put(out, first8, n, 1);
	} else if (n <= UINT16_MAX) {
		put(out, first16, n, 2);
	} else {
		put(out, first16 + 1, n, 4);
	}
}

static void write(struct lt_buf *out, const struct lt_item *item)
{
	switch (item->kind) {
	case LT_ITEM_NULL:
		lt_buf_add_char(out, (char)NIL);
		break;
	case LT_ITEM_BOOL:
		lt_buf_add_char(out, (char)(item->n ? TRUE : FALSE));
		break;
	case LT_ITEM_UINT:
		write_uint(out, item->n);
		break;
	case LT_ITEM_NEGATIVE:
		write_negative(out, item->n);
		break;
	case LT_ITEM_BIG: /* there are no such integers here: the nearest number */
	case LT_ITEM_FLOAT:
		write_float(out, item->number);
		break;
	case LT_ITEM_TEXT:
		write_length(out, item->bytes.n, 0xa0, 32, STR8, STR8 + 1);
		lt_buf_add_str(out, item->bytes);
		break;
	case LT_ITEM_BYTES:
		write_length(out, item->bytes.n, 0, 0, BIN8, BIN8 + 1);
		lt_buf_add_str(out, item->bytes);
		break;
	case LT_ITEM_LIST:
		write_length(out, item->n, 0x90, 16, -1, LIST16);
		break;
	case LT_ITEM_DICT:
		write_length(out, item->n, 0x80, 16, -1, DICT16);
		break;
	case LT_ITEM_END:
		break;
	}
}

/* --- table --- */

static const struct lt_binary format = { .read = read, .write = write };

static bool msgpack_open(struct lt_reader *reader, struct lt_str message, uint32_t nesting,
		struct lt_err *err)
{
	return lt_binary_open(reader, &format, message, nesting, err);
}

static struct lt_str msgpack_text(const struct lt_element *element, struct lt_buf *scratch)
{
	return lt_binary_text(&format, element, scratch);
}

static void msgpack_head(
		struct lt_buf *out, const struct lt_field *fields, size_t count, size_t total)
{
	lt_binary_head(&format, out, fields, count, total);
}

const struct lt_serializer lt_serializer_msgpack = {
	.subprotocol = "wamp.2.msgpack",
	.index = 1,
	.binary = true,
	.values = &format,
	.open = msgpack_open,
	.more = lt_binary_more,
	.next = lt_binary_next,
	.close = lt_binary_close,
	.text = msgpack_text,
	.head = msgpack_head,
	.separator = { "", 0 },
	.terminator = { "", 0 },
	.empty_list = { "\x90", 1 },
};
