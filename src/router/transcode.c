#include "router/transcode.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/json.h"
#include "router/bignum.h"

/* Which of the open containers are dicts. */
struct levels {
	uint32_t depth;
	uint64_t dicts[LT_JSON_DEPTH_MAX / 64];
};

static void levels_push(struct levels *levels, bool dict)
{
	uint64_t bit = (uint64_t)1 << (levels->depth % 64);
	uint64_t *word = &levels->dicts[levels->depth / 64];

	*word = dict ? *word | bit : *word & ~bit;
	levels->depth++;
}

static bool in_dict(const struct levels *levels)
{
	uint32_t top = levels->depth - 1;

	return levels->depth > 0 && (levels->dicts[top / 64] >> (top % 64) & 1);
}

/* --- where items come from --- */

struct source {
	const struct lt_binary *format; /* NULL: JSON */
	struct lt_walk walk;
	struct lt_json_scan scan;
	struct levels levels; /* of JSON */
	bool has_key;         /* of JSON: the value of a member comes next */
	bool skims;           /* of JSON: only kinds are wanted, not what texts and numbers say */
	struct lt_buf text;   /* joined or unescaped; of the latest item */
	struct lt_buf bytes;  /* decoded from base64; likewise */
	uint8_t big[LT_BIG_BYTES];
};

static bool source_init(struct source *source, const struct lt_binary *format, struct lt_str value,
		struct lt_err *err)
{
	source->format = format;
	source->levels.depth = 0;
	source->has_key = false;
	if (format) {
		source->walk.format = format;
		source->walk.rest = value;
		source->walk.nesting = LT_JSON_DEPTH_MAX;
		source->walk.depth = 0;
		return true;
	}
	return lt_json_scan_init(&source->scan, value, LT_JSON_DEPTH_MAX, err);
}

static uint32_t source_depth(const struct source *source)
{
	return source->format ? source->walk.depth : source->levels.depth;
}

/* Nothing may stand behind the value. */
static bool source_end(struct source *source, struct lt_err *err)
{
	if (!source->format) {
		return lt_json_scan_end(&source->scan, err);
	}
	return source->walk.rest.n == 0 ||
			lt_err_set(err, LT_E_FORMAT, "%zu bytes behind the value",
					source->walk.rest.n);
}

static void json_text(struct source *source, const struct lt_json_slice *slice, struct lt_item *ret)
{
	*ret = (struct lt_item){ .kind = LT_ITEM_TEXT };
	if (slice->escaped && !source->skims) {
		lt_buf_clear(&source->text);
		lt_json_slice_text(slice, &source->text);
		ret->bytes = lt_buf_str(&source->text);
	} else {
		ret->bytes = lt_json_slice_plain(slice);
	}
}

/* A string that begins with U+0000 and goes on in base64 is a row of bytes. */
static void json_string(
		struct source *source, const struct lt_json_slice *slice, struct lt_item *ret)
{
	json_text(source, slice, ret);
	if (source->skims || ret->bytes.n == 0 || ret->bytes.p[0] != '\0') {
		return;
	}
	lt_buf_clear(&source->bytes);
	if (lt_base64_decode(&source->bytes, lt_str_skip(ret->bytes, 1), NULL)) {
		ret->kind = LT_ITEM_BYTES;
		ret->bytes = lt_buf_str(&source->bytes);
	}
}

static bool is_integer(struct lt_str number)
{
	for (size_t i = 0; i < number.n; i++) {
		if (number.p[i] == '.' || (number.p[i] | 0x20) == 'e') {
			return false;
		}
	}
	return true;
}

static void json_number(struct source *source, struct lt_str number, struct lt_item *ret)
{
	bool negative = number.p[0] == '-';

	*ret = (struct lt_item){ .kind = LT_ITEM_UINT };
	if (source->skims) {
		return;
	}
	if (!is_integer(number)) {
		lt_buf_clear(&source->text);
		lt_buf_add_str(&source->text, number);
		ret->kind = LT_ITEM_FLOAT;
		ret->number = strtod(source->text.p, NULL);
	} else if (!lt_parse_u64(lt_str_skip(number, negative), UINT64_MAX, &ret->n, NULL)) {
		lt_big_parse(number, source->big, ret);
	} else if (negative && ret->n > 0) {
		ret->kind = LT_ITEM_NEGATIVE;
		ret->n--;
	}
}

static bool json_value(struct source *source, struct lt_item *ret, struct lt_err *err)
{
	struct lt_json_slice slice;
	enum lt_json_kind kind;

	if (!lt_json_scan_peek(&source->scan, &kind, err)) {
		return false;
	}
	if (kind == LT_JSON_ARRAY || kind == LT_JSON_OBJECT) {
		bool dict = kind == LT_JSON_OBJECT;

		*ret = (struct lt_item){ .kind = dict ? LT_ITEM_DICT : LT_ITEM_LIST,
			.indefinite = true };
		if (!lt_json_scan_enter(&source->scan, kind, err)) {
			return false;
		}
		levels_push(&source->levels, dict);
		return true;
	}
	if (!lt_json_scan_value(&source->scan, &slice, err)) {
		return false;
	}
	if (kind == LT_JSON_STRING) {
		json_string(source, &slice, ret);
	} else if (kind == LT_JSON_NUMBER) {
		json_number(source, slice.raw, ret);
	} else {
		*ret = (struct lt_item){ .kind = kind == LT_JSON_NULL ? LT_ITEM_NULL : LT_ITEM_BOOL,
			.n = kind == LT_JSON_TRUE };
	}
	return true;
}

static bool json_next(struct source *source, struct lt_item *ret, struct lt_err *err)
{
	struct lt_json_slice key;

	if (source->has_key) {
		source->has_key = false;
	} else if (source->levels.depth > 0) {
		if (!lt_json_scan_more(&source->scan)) {
			source->levels.depth--;
			*ret = (struct lt_item){ .kind = LT_ITEM_END };
			return lt_json_scan_leave(&source->scan, err);
		}
		if (in_dict(&source->levels)) {
			if (!lt_json_scan_key(&source->scan, &key, err)) {
				return false;
			}
			source->has_key = true;
			json_text(source, &key, ret);
			return true;
		}
	}
	return json_value(source, ret, err);
}

static bool source_next(struct source *source, struct lt_item *ret, struct lt_err *err)
{
	if (!source->format) {
		return json_next(source, ret, err);
	}
	if (!lt_walk_next(&source->walk, ret, err)) {
		return false;
	}
	if (ret->chunked) {
		lt_buf_clear(&source->text);
		lt_cbor_join(ret->bytes, &source->text);
		ret->bytes = lt_buf_str(&source->text);
		ret->chunked = false;
	}
	if (ret->kind == LT_ITEM_BIG) {
		lt_big_settle(ret);
	}
	return true;
}

static void source_finish(struct source *source)
{
	lt_buf_finish(&source->text);
	lt_buf_finish(&source->bytes);
}

/* --- JSON output --- */

struct json_sink {
	struct lt_buf *out;
	struct levels levels;
	bool first;   /* nothing written in this container yet */
	bool has_key; /* the value of a member comes next */
};

static void write_integer(struct lt_buf *out, bool negative, uint64_t n)
{
	if (!negative) {
		lt_buf_printf(out, "%" PRIu64, n);
	} else if (n < UINT64_MAX) {
		lt_buf_printf(out, "-%" PRIu64, n + 1);
	} else {
		lt_buf_add_c(out, "-18446744073709551616");
	}
}

static void write_float(struct lt_buf *out, double number)
{
	int64_t integer;

	if (lt_float_is_integer(number, &integer)) {
		lt_buf_printf(out, "%" PRId64, integer);
	} else {
		lt_json_write_double(out, number);
	}
}

static void write_scalar(struct lt_buf *out, const struct lt_item *item)
{
	switch (item->kind) {
	case LT_ITEM_BOOL:
		lt_buf_add_c(out, item->n ? "true" : "false");
		break;
	case LT_ITEM_UINT:
	case LT_ITEM_NEGATIVE:
		write_integer(out, item->kind == LT_ITEM_NEGATIVE, item->n);
		break;
	case LT_ITEM_BIG:
		lt_big_print(item, out);
		break;
	case LT_ITEM_FLOAT:
		write_float(out, item->number);
		break;
	case LT_ITEM_TEXT:
		lt_json_write_str(out, item->bytes);
		break;
	case LT_ITEM_BYTES:
		lt_buf_add_c(out, "\"\\u0000");
		lt_base64_encode(out, item->bytes.p, item->bytes.n);
		lt_buf_add_char(out, '"');
		break;
	case LT_ITEM_NULL:
	case LT_ITEM_LIST:
	case LT_ITEM_DICT:
	case LT_ITEM_END:
		lt_buf_add_c(out, "null");
		break;
	}
}

static void write_json(struct json_sink *sink, const struct lt_item *item)
{
	if (item->kind == LT_ITEM_END) {
		lt_buf_add_char(sink->out, in_dict(&sink->levels) ? '}' : ']');
		sink->levels.depth--;
		sink->first = false;
		return;
	}
	if (sink->has_key) {
		lt_buf_add_char(sink->out, ':');
	} else if (sink->levels.depth > 0 && !sink->first) {
		lt_buf_add_char(sink->out, ',');
	}
	sink->has_key = in_dict(&sink->levels) && !sink->has_key;
	sink->first = false;
	if (item->kind == LT_ITEM_LIST || item->kind == LT_ITEM_DICT) {
		bool dict = item->kind == LT_ITEM_DICT;

		lt_buf_add_char(sink->out, dict ? '{' : '[');
		levels_push(&sink->levels, dict);
		sink->first = true;
	} else {
		write_scalar(sink->out, item);
	}
}

static bool to_json(struct source *source, struct lt_buf *out, struct lt_err *err)
{
	struct json_sink sink = { .out = out };
	struct lt_item item;

	do {
		if (!source_next(source, &item, err)) {
			return false;
		}
		write_json(&sink, &item);
	} while (source_depth(source) > 0);
	return true;
}

/* --- binary output --- */

/* How many items each container has, in the order in which they begin: uint32_t. */
static bool count_members(struct source *source, struct lt_buf *counts, struct lt_err *err)
{
	uint32_t open[LT_JSON_DEPTH_MAX] = { 0 }, depth = 0;
	const uint32_t none = 0;
	struct lt_item item;

	do {
		if (!source_next(source, &item, err)) {
			return false;
		}
		if (item.kind == LT_ITEM_END) {
			depth--;
			continue;
		}
		if (depth > 0) {
			assert(counts->p);
			uint32_t *count = (uint32_t *)(void *)counts->p + open[depth - 1];
			++*count;
		}
		if (item.kind == LT_ITEM_LIST || item.kind == LT_ITEM_DICT) {
			open[depth++] = (uint32_t)(counts->n / sizeof(none));
			lt_buf_add(counts, &none, sizeof(none));
		}
	} while (source_depth(source) > 0);
	return true;
}

static bool to_binary(struct source *source, const struct lt_binary *to,
		const struct lt_buf *counts, struct lt_buf *out, struct lt_err *err)
{
	const uint32_t *count = (const uint32_t *)(const void *)counts->p;
	struct lt_item item;

	do {
		if (!source_next(source, &item, err)) {
			return false;
		}
		if (item.kind == LT_ITEM_LIST || item.kind == LT_ITEM_DICT) {
			assert(count); /* counted in the first pass */
			item.n = *count++ / (item.kind == LT_ITEM_DICT ? 2 : 1);
			item.indefinite = false;
		}
		to->write(out, &item);
	} while (source_depth(source) > 0);
	return true;
}

bool lt_transcode(const struct lt_binary *from, struct lt_str value, const struct lt_binary *to,
		struct lt_buf *out, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf counts = { 0 };
	struct source source = { .text = { 0 } };
	size_t before = out->n;
	bool good = source_init(&source, from, value, err);

	/* What comes is about as long as what goes. */
	lt_buf_reserve(out, value.n);
	if (good && to) {
		source.skims = true;
		good = count_members(&source, &counts, err) &&
				source_init(&source, from, value, err);
		source.skims = false;
		good = good && to_binary(&source, to, &counts, out, err);
	} else if (good) {
		good = to_json(&source, out, err);
	}
	good = good && source_end(&source, err);
	if (!good) {
		out->n = before;
	}
	source_finish(&source);
	return good;
}
