/*
 * What MessagePack and CBOR have in common: a message is a row of items, each
 * with a head that says its kind and length. A format reads and writes single
 * items (struct lt_binary); everything about their order is decided here, once:
 * nesting, the members of containers, which keys are allowed, where a message
 * ends. Nothing is allocated for a value and nothing recurses; a declared
 * length is compared with the bytes that are there before anything else.
 *
 * What both formats allow and we do not: dict keys that are no text (WAMP has
 * none), text that is not well-formed UTF-8. So whatever was accepted once can
 * be written in every other format.
 *
 * Why not libmpack and libcbor: the router needs slices of the message, not
 * trees (and libcbor 0.8 allocates whatever the head of an array declares). As
 * readers of single items they check neither UTF-8, nesting, keys nor the place
 * of a break, so the walk below would be needed all the same, and what they
 * would save are two functions that read a head. They are the judges of the
 * tests instead.
 */
#ifndef LT_ROUTER_BINARY_H
#define LT_ROUTER_BINARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "router/serializer.h"

enum lt_item_kind {
	LT_ITEM_NULL,
	LT_ITEM_BOOL,     /* n is 0 or 1 */
	LT_ITEM_UINT,     /* n */
	LT_ITEM_NEGATIVE, /* -1 - n */
	LT_ITEM_BIG,      /* integers of more than 64 bits, see bignum.h */
	LT_ITEM_FLOAT,    /* number */
	LT_ITEM_TEXT,     /* bytes, well-formed UTF-8 */
	LT_ITEM_BYTES,    /* bytes */
	LT_ITEM_LIST,     /* n elements follow */
	LT_ITEM_DICT,     /* n pairs of key and value follow */
	LT_ITEM_END,      /* of a list or dict; of an indefinite one in the message itself */
};

struct lt_item {
	enum lt_item_kind kind;
	bool indefinite; /* list, dict: n is not known, END tells */
	bool chunked;    /* text, bytes, big: `bytes` are encoded strings, to be joined */
	bool negative;   /* big: the value is -1 - magnitude */
	uint64_t n;
	double number;
	struct lt_str bytes; /* borrowed; of a big its magnitude, big-endian */
};

/* One format. All integers that are read are checked, what is written is the shortest form. */
struct lt_binary {
	/* Take the item in front of `rest`. Errors: LT_E_FORMAT. */
	bool (*read)(struct lt_str *rest, struct lt_item *ret, struct lt_err *err);
	/* Append an item: never chunked nor indefinite; END is nothing. */
	void (*write)(struct lt_buf *out, const struct lt_item *item);
};

/* Append what the strings contain. Chunks occur in CBOR alone. */
void lt_cbor_join(struct lt_str chunks, struct lt_buf *out);

/*
 * Item by item through one value, with an END behind each container. Fill in
 * format, rest and nesting; zero is right for the others, which are private.
 * The value is over when depth is 0 again.
 */
struct lt_walk {
	const struct lt_binary *format;
	struct lt_str rest;
	uint32_t nesting; /* how deep containers may be, at most LT_JSON_DEPTH_MAX */
	uint32_t depth;
	uint32_t left[LT_JSON_DEPTH_MAX]; /* keys and values that are missing */
	uint64_t dicts[LT_JSON_DEPTH_MAX / 64], open_ended[LT_JSON_DEPTH_MAX / 64];
};
/* Errors: LT_E_FORMAT; LT_E_LIMIT nested too deeply. The walk is over then. */
bool lt_walk_next(struct lt_walk *walk, struct lt_item *ret, struct lt_err *err);

/* The functions of a serializer table, but for the format. */
bool lt_binary_open(struct lt_reader *reader, const struct lt_binary *format, struct lt_str message,
		uint32_t nesting, struct lt_err *err);
bool lt_binary_more(struct lt_reader *reader);
bool lt_binary_next(struct lt_reader *reader, struct lt_element *ret, struct lt_err *err);
bool lt_binary_close(struct lt_reader *reader, struct lt_err *err);
struct lt_str lt_binary_text(const struct lt_binary *format, const struct lt_element *element,
		struct lt_buf *scratch);
void lt_binary_head(const struct lt_binary *format, struct lt_buf *out,
		const struct lt_field *fields, size_t count, size_t total);

/*
 * JavaScript has one kind of number, and its encoders write integers of more
 * than 32 bits as floating point. Such a float is an integer to us, as long as
 * it is exact: 2^32..2^53, or below -2^31 down to -2^53.
 */
bool lt_float_is_integer(double number, int64_t *ret);

/* Big-endian integers. */
uint64_t lt_binary_get(const char *bytes, size_t width);
void lt_binary_put(struct lt_buf *out, uint64_t value, size_t width);
/* The first `n` bytes of rest, or an error. */
bool lt_binary_take(struct lt_str *rest, uint64_t n, struct lt_str *ret, struct lt_err *err);

#endif
