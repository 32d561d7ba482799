/*
 * Validating JSON scanner for text that is looked at and passed on, not turned
 * into a tree: it yields slices of the input. Strict RFC 8259: no comments, no
 * trailing commas, no NaN, no raw control characters, no byte order mark, no
 * leading zeros, well-formed UTF-8, one document. Nesting is bounded and
 * handled without recursion. json.c builds its trees on this scanner.
 *
 *   struct lt_json_scan scan;
 *   if (!lt_json_scan_init(&scan, text, LT_JSON_DEPTH_MAX, err)) ...
 *   lt_json_scan_enter(&scan, LT_JSON_ARRAY, err);
 *   while (lt_json_scan_more(&scan))            // false at the closing bracket and on error
 *           lt_json_scan_value(&scan, &slice, err);
 *   lt_json_scan_leave(&scan, err); lt_json_scan_end(&scan, err);
 */
#ifndef LT_BASE_JSON_SCAN_H
#define LT_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LT_JSON_DEPTH_MAX 512

enum lt_json_kind {
	LT_JSON_NULL,
	LT_JSON_FALSE,
	LT_JSON_TRUE,
	LT_JSON_NUMBER,
	LT_JSON_STRING,
	LT_JSON_ARRAY,
	LT_JSON_OBJECT,
};

/* One value: its kind and its bytes, with quotes or brackets, without surrounding whitespace. */
struct lt_json_slice {
	enum lt_json_kind kind;
	bool escaped; /* strings: contains a backslash */
	struct lt_str raw;
};

struct lt_json_scan {
	const char *p, *end;       /* private */
	const char *start;         /* private; offsets in errors */
	uint32_t depth, max_depth; /* private */
	bool first;                /* private; no element of this container read yet */
	bool failed;               /* private */
	/* private; bit d: the container at depth d is an object */
	uint64_t objects[LT_JSON_DEPTH_MAX / 64];
};

/*
 * Checks UTF-8 of the whole text, then positions before its value. Borrows
 * text. max_depth is at most LT_JSON_DEPTH_MAX: scalars need 0, "[]" needs 1.
 *
 * Errors name the byte offset. The first error is final: every later call on
 * the scan fails and leaves its err alone, so a loop may check at the end.
 */
bool lt_json_scan_init(struct lt_json_scan *scan, struct lt_str text, uint32_t max_depth,
		struct lt_err *err);

/* Kind of the value that follows, without consuming it. */
bool lt_json_scan_peek(struct lt_json_scan *scan, enum lt_json_kind *ret_kind, struct lt_err *err);

/* Validate and step over one whole value. */
bool lt_json_scan_value(
		struct lt_json_scan *scan, struct lt_json_slice *ret_slice, struct lt_err *err);

/*
 * Step into an array or object; more: is there another element (or member),
 * called once before each; key: a member's name, the value comes next; leave:
 * past the closing bracket, which must be there (more returned false).
 */
bool lt_json_scan_enter(struct lt_json_scan *scan, enum lt_json_kind kind, struct lt_err *err);
bool lt_json_scan_more(struct lt_json_scan *scan);
bool lt_json_scan_key(struct lt_json_scan *scan, struct lt_json_slice *ret_key, struct lt_err *err);
bool lt_json_scan_leave(struct lt_json_scan *scan, struct lt_err *err);

/* Nothing but whitespace may follow. */
bool lt_json_scan_end(struct lt_json_scan *scan, struct lt_err *err);

/*
 * Text of a string slice, escapes decoded, appended to buf; lone surrogates
 * become U+FFFD. "\u0000" gives a zero byte.
 */
void lt_json_slice_text(const struct lt_json_slice *slice, struct lt_buf *buf);
/* Without escapes: the bytes between the quotes. Check slice->escaped first. */
struct lt_str lt_json_slice_plain(const struct lt_json_slice *slice);
/* An integer without fraction or exponent, 0..2^53; false for anything else. */
bool lt_json_slice_u53(const struct lt_json_slice *slice, uint64_t *ret_value);

#endif
