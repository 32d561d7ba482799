/*
 * One wire format. A format is one file with one such table: a reader that
 * walks the elements of a message without building a tree, and a writer for
 * message heads. Everything that is decided about a message (wamp_msg.c) is
 * decided once, over this table; transcode.h converts values between formats.
 *
 * Options and details are JSON texts inside the router, whatever the format:
 * they are small and rarely there. Arguments stay in the sender's format.
 */
#ifndef LT_ROUTER_SERIALIZER_H
#define LT_ROUTER_SERIALIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_scan.h"
#include "base/str.h"

/* More formats than there will be: arrays of encoded forms are indexed by lt_serializer.index. */
#define LT_SERIALIZERS_MAX 4

struct lt_binary;

/* Behind each message of a batch; no JSON text contains it (Batched WebSocket Transport). */
#define LT_BATCH_END 0x1e

enum lt_element_kind {
	LT_ELEMENT_NULL,
	LT_ELEMENT_BOOL,
	LT_ELEMENT_INT,    /* 0..2^53, in `integer` */
	LT_ELEMENT_NUMBER, /* any other number */
	LT_ELEMENT_TEXT,
	LT_ELEMENT_BYTES,
	LT_ELEMENT_LIST,
	LT_ELEMENT_DICT,
};

/* One element of a message: borrows from it. */
struct lt_element {
	enum lt_element_kind kind;
	bool empty;   /* list or dict without members */
	bool escaped; /* text whose bytes are not the text itself */
	uint64_t integer;
	struct lt_str raw; /* the encoded value, validated */
};

/* Position in a message; private to the format, which uses what it needs. */
struct lt_reader {
	struct lt_json_scan scan;
	const struct lt_binary *binary;
	struct lt_str rest;
	uint64_t left; /* elements, unless indefinite */
	uint32_t nesting;
	bool indefinite;
};

/* One element of an outgoing head. */
enum lt_field_kind { LT_FIELD_INT, LT_FIELD_TEXT, LT_FIELD_JSON };
struct lt_field {
	enum lt_field_kind kind;
	uint64_t integer;
	struct lt_str text; /* plain text, or a JSON value that is transcoded */
};

struct lt_serializer {
	const char *subprotocol; /* "wamp.2.json" */
	unsigned index;          /* below LT_SERIALIZERS_MAX, unique */
	bool binary;             /* kind of frame */
	bool batched;            /* a frame holds several messages, LT_BATCH_END behind each */
	/* How values are encoded, NULL: as JSON. Formats with the same one share them. */
	const struct lt_binary *values;

	/* A message is one list and nothing behind it; nesting is bounded. */
	bool (*open)(struct lt_reader *reader, struct lt_str message, uint32_t nesting,
			struct lt_err *err);
	bool (*more)(struct lt_reader *reader);
	bool (*next)(struct lt_reader *reader, struct lt_element *ret, struct lt_err *err);
	bool (*close)(struct lt_reader *reader, struct lt_err *err);

	/* The text of a TEXT element: borrowed from the message, or from `scratch`. */
	struct lt_str (*text)(const struct lt_element *element, struct lt_buf *scratch);

	/*
	 * Append the beginning of a list of `total` elements and its first
	 * `count`. What follows are encoded values, each after `separator`, and
	 * `terminator` at the end.
	 */
	void (*head)(struct lt_buf *out, const struct lt_field *fields, size_t count, size_t total);
	struct lt_str separator, terminator;
	struct lt_str empty_list; /* arguments, when only keyword arguments are there */
};

extern const struct lt_serializer lt_serializer_json;
extern const struct lt_serializer lt_serializer_json_batched;
extern const struct lt_serializer lt_serializer_msgpack;
extern const struct lt_serializer lt_serializer_cbor;

#endif
