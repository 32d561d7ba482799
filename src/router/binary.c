#include "router/binary.h"

#include "router/transcode.h"

/* An open-ended container counts down from here: even, and beyond any message. */
#define OPEN_ENDED   0xfffffffeU
#define MESSAGE_MAX  0x7fffffffU
#define SAFE_INTEGER 9007199254740992.0 /* 2^53 */

uint64_t lt_binary_get(const char *bytes, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++) {
		value = value << 8 | (uint8_t)bytes[i];
	}
	return value;
}

void lt_binary_put(struct lt_buf *out, uint64_t value, size_t width)
{
	char bytes[8];

	for (size_t i = 0; i < width; i++) {
		bytes[i] = (char)(value >> (8 * (width - 1 - i)));
	}
	lt_buf_add(out, bytes, width);
}

bool lt_binary_take(struct lt_str *rest, uint64_t n, struct lt_str *ret, struct lt_err *err)
{
	if (n > rest->n) {
		return lt_err_set(err, LT_E_FORMAT, "the message ends inside of a value");
	}
	*ret = (struct lt_str){ rest->p, (size_t)n };
	*rest = lt_str_skip(*rest, (size_t)n);
	return true;
}

bool lt_float_is_integer(double number, int64_t *ret)
{
	bool wide = (number >= 4294967296.0 && number <= SAFE_INTEGER) ||
			(number < -2147483648.0 && number >= -SAFE_INTEGER);

	if (!wide || (double)(int64_t)number != number) {
		return false;
	}
	*ret = (int64_t)number;
	return true;
}

/* --- walk --- */

static bool get_bit(const uint64_t *bits, uint32_t at)
{
	return bits[at / 64] >> (at % 64) & 1;
}

static void set_bit(uint64_t *bits, uint32_t at, bool on)
{
	uint64_t bit = (uint64_t)1 << (at % 64);

	bits[at / 64] = on ? bits[at / 64] | bit : bits[at / 64] & ~bit;
}

static bool push(struct lt_walk *walk, const struct lt_item *item, struct lt_err *err)
{
	bool dict = item->kind == LT_ITEM_DICT;
	uint32_t most = LT_MIN(walk->nesting, (uint32_t)LT_JSON_DEPTH_MAX);

	if (walk->depth >= most) {
		return lt_err_set(err, LT_E_LIMIT, "nested deeper than %u levels", most);
	}
	/* Each element takes a byte at least. */
	if (!item->indefinite && item->n > walk->rest.n / (dict ? 2 : 1)) {
		return lt_err_set(err, LT_E_FORMAT, "the message ends inside of a value");
	}
	set_bit(walk->dicts, walk->depth, dict);
	set_bit(walk->open_ended, walk->depth, item->indefinite);
	walk->left[walk->depth++] = item->indefinite ? OPEN_ENDED : (uint32_t)item->n << dict;
	return true;
}

/* The item at hand stands at the top level of what is open. False: it may not. */
static bool place(struct lt_walk *walk, const struct lt_item *item, struct lt_err *err)
{
	uint32_t top = walk->depth - 1;
	bool key = get_bit(walk->dicts, top) && walk->left[top] % 2 == 0;

	if (item->kind == LT_ITEM_END) {
		if (!get_bit(walk->open_ended, top) ||
				(get_bit(walk->dicts, top) && walk->left[top] % 2 != 0)) {
			return lt_err_set(err, LT_E_FORMAT, "a break where a value was expected");
		}
		walk->depth--;
		return true;
	}
	if (key && item->kind != LT_ITEM_TEXT) {
		return lt_err_set(err, LT_E_FORMAT, "keys must be texts");
	}
	walk->left[top]--;
	return true;
}

bool lt_walk_next(struct lt_walk *walk, struct lt_item *ret, struct lt_err *err)
{
	if (walk->depth > 0 && walk->left[walk->depth - 1] == 0) {
		walk->depth--;
		*ret = (struct lt_item){ .kind = LT_ITEM_END };
		return true;
	}
	if (!walk->format->read(&walk->rest, ret, err)) {
		return false;
	}
	if (walk->depth > 0) {
		if (!place(walk, ret, err)) {
			return false;
		}
	} else if (ret->kind == LT_ITEM_END) {
		return lt_err_set(err, LT_E_FORMAT, "a break without a list");
	}
	return (ret->kind != LT_ITEM_LIST && ret->kind != LT_ITEM_DICT) || push(walk, ret, err);
}

/* Step over the rest of a value whose first item opened a container. */
static bool skip_members(struct lt_reader *reader, const struct lt_item *item, bool *ret_empty,
		struct lt_err *err)
{
	struct lt_walk walk = {
		.format = reader->binary, .rest = reader->rest, .nesting = reader->nesting
	};
	struct lt_item inner;

	if (!push(&walk, item, err)) {
		return false;
	}
	*ret_empty = true;
	while (walk.depth > 0) {
		if (!lt_walk_next(&walk, &inner, err)) {
			return false;
		}
		*ret_empty = *ret_empty && walk.depth == 0;
	}
	reader->rest = walk.rest;
	return true;
}

/* --- serializer table --- */

bool lt_binary_open(struct lt_reader *reader, const struct lt_binary *format, struct lt_str message,
		uint32_t nesting, struct lt_err *err)
{
	struct lt_item item;

	reader->binary = format;
	reader->rest = message;
	if (message.n > MESSAGE_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "the message is too long");
	}
	if (!format->read(&reader->rest, &item, err)) {
		return false;
	}
	if (item.kind != LT_ITEM_LIST) {
		return lt_err_set(err, LT_E_FORMAT, "a message must be a list");
	}
	if (nesting == 0) {
		return lt_err_set(err, LT_E_LIMIT, "nested deeper than 0 levels");
	}
	reader->nesting = LT_MIN(nesting, (uint32_t)LT_JSON_DEPTH_MAX) - 1;
	reader->indefinite = item.indefinite;
	reader->left = item.n;
	return true;
}

/* Is the next item the end of what is open-ended? */
static bool at_break(const struct lt_reader *reader)
{
	struct lt_str ahead = reader->rest;
	struct lt_item item;

	return reader->binary->read(&ahead, &item, NULL) && item.kind == LT_ITEM_END;
}

bool lt_binary_more(struct lt_reader *reader)
{
	return reader->indefinite ? !at_break(reader) : reader->left > 0;
}

bool lt_binary_next(struct lt_reader *reader, struct lt_element *ret, struct lt_err *err)
{
	static const enum lt_element_kind kinds[] = {
		[LT_ITEM_NULL] = LT_ELEMENT_NULL,
		[LT_ITEM_BOOL] = LT_ELEMENT_BOOL,
		[LT_ITEM_UINT] = LT_ELEMENT_NUMBER,
		[LT_ITEM_NEGATIVE] = LT_ELEMENT_NUMBER,
		[LT_ITEM_BIG] = LT_ELEMENT_NUMBER,
		[LT_ITEM_FLOAT] = LT_ELEMENT_NUMBER,
		[LT_ITEM_TEXT] = LT_ELEMENT_TEXT,
		[LT_ITEM_BYTES] = LT_ELEMENT_BYTES,
		[LT_ITEM_LIST] = LT_ELEMENT_LIST,
		[LT_ITEM_DICT] = LT_ELEMENT_DICT,
	};
	const char *from = reader->rest.p;
	struct lt_item item;
	int64_t integer;

	if (!reader->binary->read(&reader->rest, &item, err)) {
		return false;
	}
	if (item.kind == LT_ITEM_END) {
		return lt_err_set(err, LT_E_FORMAT, "a break where a value was expected");
	}
	*ret = (struct lt_element){ .kind = kinds[item.kind], .escaped = item.chunked };
	if (item.kind == LT_ITEM_LIST || item.kind == LT_ITEM_DICT) {
		if (!skip_members(reader, &item, &ret->empty, err)) {
			return false;
		}
	} else if (item.kind == LT_ITEM_BOOL) {
		ret->integer = item.n;
	} else if (item.kind == LT_ITEM_UINT && item.n <= (UINT64_C(1) << 53)) {
		ret->kind = LT_ELEMENT_INT;
		ret->integer = item.n;
	} else if (item.kind == LT_ITEM_FLOAT && lt_float_is_integer(item.number, &integer) &&
			integer > 0) {
		ret->kind = LT_ELEMENT_INT;
		ret->integer = (uint64_t)integer;
	}
	ret->raw = (struct lt_str){ from, (size_t)(reader->rest.p - from) };
	reader->left -= !reader->indefinite;
	return true;
}

bool lt_binary_close(struct lt_reader *reader, struct lt_err *err)
{
	struct lt_item item;

	if (reader->indefinite && !reader->binary->read(&reader->rest, &item, err)) {
		return false;
	}
	if (reader->rest.n > 0) {
		return lt_err_set(err, LT_E_FORMAT, "%zu bytes behind the message", reader->rest.n);
	}
	return true;
}

struct lt_str lt_binary_text(const struct lt_binary *format, const struct lt_element *element,
		struct lt_buf *scratch)
{
	struct lt_str rest = element->raw;
	struct lt_item item = { 0 };
	size_t at = scratch->n;

	format->read(&rest, &item, NULL);
	if (!item.chunked) {
		return item.bytes;
	}
	lt_cbor_join(item.bytes, scratch);
	return lt_str_skip(lt_buf_str(scratch), at);
}

void lt_binary_head(const struct lt_binary *format, struct lt_buf *out,
		const struct lt_field *fields, size_t count, size_t total)
{
	format->write(out, &(struct lt_item){ .kind = LT_ITEM_LIST, .n = total });
	for (size_t i = 0; i < count; i++) {
		switch (fields[i].kind) {
		case LT_FIELD_INT:
			format->write(out,
					&(struct lt_item){ .kind = LT_ITEM_UINT,
							.n = fields[i].integer });
			break;
		case LT_FIELD_TEXT:
			format->write(out,
					&(struct lt_item){ .kind = LT_ITEM_TEXT,
							.bytes = fields[i].text });
			break;
		case LT_FIELD_JSON:
			if (!lt_transcode(NULL, fields[i].text, format, out, NULL)) {
				format->write(out, &(struct lt_item){ .kind = LT_ITEM_DICT });
			}
			break;
		}
	}
}
