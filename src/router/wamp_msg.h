/*
 * WAMP messages: heads, field checks and encoding over a serializer table.
 * Pure. A decoded message borrows from its input and from the scratch given;
 * its arguments are validated slices in the sender's format, never a tree.
 *
 * What counts as malformed (docs/router.md): anything but a list of the right
 * length with elements of the right types, ids outside 1..2^53, bytes behind
 * the message. Unknown codes are malformed too.
 */
#ifndef LT_ROUTER_WAMP_MSG_H
#define LT_ROUTER_WAMP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "router/payload.h"
#include "router/serializer.h"

#define LT_WAMP_ID_MAX (UINT64_C(1) << 53)

enum lt_wamp_code {
	LT_WAMP_HELLO = 1,
	LT_WAMP_WELCOME = 2,
	LT_WAMP_ABORT = 3,
	LT_WAMP_CHALLENGE = 4,
	LT_WAMP_AUTHENTICATE = 5,
	LT_WAMP_GOODBYE = 6,
	LT_WAMP_ERROR = 8,
	LT_WAMP_PUBLISH = 16,
	LT_WAMP_PUBLISHED = 17,
	LT_WAMP_SUBSCRIBE = 32,
	LT_WAMP_SUBSCRIBED = 33,
	LT_WAMP_UNSUBSCRIBE = 34,
	LT_WAMP_UNSUBSCRIBED = 35,
	LT_WAMP_EVENT = 36,
	LT_WAMP_CALL = 48,
	LT_WAMP_CANCEL = 49,
	LT_WAMP_RESULT = 50,
	LT_WAMP_REGISTER = 64,
	LT_WAMP_REGISTERED = 65,
	LT_WAMP_UNREGISTER = 66,
	LT_WAMP_UNREGISTERED = 67,
	LT_WAMP_INVOCATION = 68,
	LT_WAMP_INTERRUPT = 69,
	LT_WAMP_YIELD = 70,
};

/*
 * Arguments as they came: p NULL is absent. Empty ones at the end are absent
 * too; args are there whenever kwargs are.
 */
struct lt_body {
	const struct lt_serializer *serializer;
	struct lt_str args, kwargs;
};

struct lt_msg {
	uint64_t code;
	uint64_t request_type; /* of ERROR */
	uint64_t id;           /* first id: request, or the session of WELCOME */
	uint64_t target;       /* second id: subscription, registration, publication */
	struct lt_str details; /* options, details or extra: a JSON object, validated */
	struct lt_str uri;     /* realm, topic, procedure, reason; signature of AUTHENTICATE */
	struct lt_body body;
};

/* What decoding may need beside the input; reusable, lt_msg_scratch_finish frees. */
struct lt_msg_scratch {
	struct lt_buf uri, details;
};
void lt_msg_scratch_finish(struct lt_msg_scratch *scratch);

/* Is this a code that only routers send (2, 4, 17, 33 ...)? */
bool lt_wamp_is_router_only(uint64_t code);

/* Errors: LT_E_FORMAT, with a sentence that can be shown to the peer. */
bool lt_msg_decode(const struct lt_serializer *serializer, struct lt_str message, uint32_t nesting,
		struct lt_msg_scratch *scratch, struct lt_msg *ret_msg, struct lt_err *err);

/* Fields of an outgoing head. */
static inline struct lt_field lt_field_int(uint64_t value)
{
	return (struct lt_field){ .kind = LT_FIELD_INT, .integer = value };
}
static inline struct lt_field lt_field_text(struct lt_str text)
{
	return (struct lt_field){ .kind = LT_FIELD_TEXT, .text = text };
}
static inline struct lt_field lt_field_json(struct lt_str json)
{
	return (struct lt_field){ .kind = LT_FIELD_JSON, .text = json };
}

/*
 * A message ready to send: head fields, then the body (NULL: none), transcoded
 * when it is in another format. The caller owns one reference.
 */
struct lt_payload *lt_msg_encode(const struct lt_serializer *serializer,
		const struct lt_field *fields, size_t count, const struct lt_body *body);

/* Body in another format. Converted texts are appended to the two buffers. */
struct lt_body lt_body_convert(const struct lt_body *body, const struct lt_serializer *serializer,
		struct lt_buf *args, struct lt_buf *kwargs);

/*
 * One body in every format that a receiver asked for, converted when first
 * asked for. Zero-initialised is empty. What get returns borrows from `forms`,
 * or from the body where the format is its own.
 */
struct lt_forms {
	struct lt_body bodies[LT_SERIALIZERS_MAX]; /* serializer NULL: not converted yet */
	struct lt_buf args[LT_SERIALIZERS_MAX], kwargs[LT_SERIALIZERS_MAX];
	size_t bytes; /* of all conversions */
};
struct lt_body lt_forms_get(struct lt_forms *forms, const struct lt_body *body,
		const struct lt_serializer *serializer);
void lt_forms_finish(struct lt_forms *forms); /* leaves it empty */

/* Error URI for a failed request of this kind: the one table from lt_errc to WAMP. */
const char *lt_wamp_error_uri(uint64_t request_type, enum lt_errc code);

/* ERROR [8, type, request, {}, uri, [sentence]]; sentence NULL leaves the arguments out. */
struct lt_payload *lt_msg_error(const struct lt_serializer *serializer, uint64_t request_type,
		uint64_t request, const char *uri, const char *sentence);

#endif
