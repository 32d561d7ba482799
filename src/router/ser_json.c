/*
 * The JSON wire format, wamp.2.json: the message is scanned once and stays as
 * it came. Its batched form differs in what stands behind a message.
 */
#include <inttypes.h>

#include "base/json.h"
#include "router/serializer.h"

static bool json_open(struct lt_reader *reader, struct lt_str message, uint32_t nesting,
		struct lt_err *err)
{
	return lt_json_scan_init(&reader->scan, message, nesting, err) &&
			lt_json_scan_enter(&reader->scan, LT_JSON_ARRAY, err);
}

static bool json_more(struct lt_reader *reader)
{
	return lt_json_scan_more(&reader->scan);
}

/* A validated list or dict has members unless only whitespace stands between its brackets. */
static bool is_empty(struct lt_str raw)
{
	for (size_t i = 1; i + 1 < raw.n; i++) {
		if (!strchr(" \t\r\n", raw.p[i])) {
			return false;
		}
	}
	return true;
}

static bool json_next(struct lt_reader *reader, struct lt_element *ret, struct lt_err *err)
{
	struct lt_json_slice slice;

	if (!lt_json_scan_value(&reader->scan, &slice, err)) {
		return false;
	}
	*ret = (struct lt_element){ .raw = slice.raw };
	switch (slice.kind) {
	case LT_JSON_NULL:
		ret->kind = LT_ELEMENT_NULL;
		break;
	case LT_JSON_FALSE:
	case LT_JSON_TRUE:
		ret->kind = LT_ELEMENT_BOOL;
		ret->integer = slice.kind == LT_JSON_TRUE;
		break;
	case LT_JSON_NUMBER:
		ret->kind = lt_json_slice_u53(&slice, &ret->integer) ? LT_ELEMENT_INT
								     : LT_ELEMENT_NUMBER;
		break;
	case LT_JSON_STRING:
		ret->kind = LT_ELEMENT_TEXT;
		ret->escaped = slice.escaped;
		break;
	case LT_JSON_ARRAY:
		ret->kind = LT_ELEMENT_LIST;
		ret->empty = is_empty(slice.raw);
		break;
	case LT_JSON_OBJECT:
		ret->kind = LT_ELEMENT_DICT;
		ret->empty = is_empty(slice.raw);
		break;
	}
	return true;
}

static bool json_close(struct lt_reader *reader, struct lt_err *err)
{
	return lt_json_scan_leave(&reader->scan, err) && lt_json_scan_end(&reader->scan, err);
}

static struct lt_str json_text(const struct lt_element *element, struct lt_buf *scratch)
{
	struct lt_json_slice slice = { LT_JSON_STRING, element->escaped, element->raw };

	if (!element->escaped) {
		return lt_json_slice_plain(&slice);
	}

	size_t at = scratch->n;

	lt_json_slice_text(&slice, scratch);
	return lt_str_skip(lt_buf_str(scratch), at);
}

static void json_head(struct lt_buf *out, const struct lt_field *fields, size_t count, size_t total)
{
	(void)total;
	for (size_t i = 0; i < count; i++) {
		lt_buf_add_char(out, i == 0 ? '[' : ',');
		switch (fields[i].kind) {
		case LT_FIELD_INT:
			lt_buf_printf(out, "%" PRIu64, fields[i].integer);
			break;
		case LT_FIELD_TEXT:
			lt_json_write_str(out, fields[i].text);
			break;
		case LT_FIELD_JSON:
			lt_buf_add_str(out, fields[i].text);
			break;
		}
	}
}

const struct lt_serializer lt_serializer_json = {
	.subprotocol = "wamp.2.json",
	.index = 0,
	.binary = false,
	.open = json_open,
	.more = json_more,
	.next = json_next,
	.close = json_close,
	.text = json_text,
	.head = json_head,
	.separator = { ",", 1 },
	.terminator = { "]", 1 },
	.empty_list = { "[]", 2 },
};

const struct lt_serializer lt_serializer_json_batched = {
	.subprotocol = "wamp.2.json.batched",
	.index = 3,
	.binary = false,
	.batched = true,
	.open = json_open,
	.more = json_more,
	.next = json_next,
	.close = json_close,
	.text = json_text,
	.head = json_head,
	.separator = { ",", 1 },
	.terminator = { "]\x1e", 2 },
	.empty_list = { "[]", 2 },
};
