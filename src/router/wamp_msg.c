#include "router/wamp_msg.h"

#include <inttypes.h>

#include "base/base.h"
#include "base/json.h"
#include "router/transcode.h"

/*
 * Elements behind the code: i id, t request type, d dict, u text; '*' is
 * arguments and keyword arguments, both optional.
 */
struct shape {
	enum lt_wamp_code code;
	bool router_only;
	const char *name, *elements;
};

static const struct shape shapes[] = {
	{ LT_WAMP_HELLO, false, "HELLO", "ud" },
	{ LT_WAMP_WELCOME, true, "WELCOME", "id" },
	{ LT_WAMP_ABORT, false, "ABORT", "du*" },
	{ LT_WAMP_CHALLENGE, true, "CHALLENGE", "ud" },
	{ LT_WAMP_AUTHENTICATE, false, "AUTHENTICATE", "ud" },
	{ LT_WAMP_GOODBYE, false, "GOODBYE", "du" },
	{ LT_WAMP_ERROR, false, "ERROR", "tidu*" },
	{ LT_WAMP_PUBLISH, false, "PUBLISH", "idu*" },
	{ LT_WAMP_PUBLISHED, true, "PUBLISHED", "ii" },
	{ LT_WAMP_SUBSCRIBE, false, "SUBSCRIBE", "idu" },
	{ LT_WAMP_SUBSCRIBED, true, "SUBSCRIBED", "ii" },
	{ LT_WAMP_UNSUBSCRIBE, false, "UNSUBSCRIBE", "ii" },
	{ LT_WAMP_UNSUBSCRIBED, true, "UNSUBSCRIBED", "i" },
	{ LT_WAMP_EVENT, true, "EVENT", "iid*" },
	{ LT_WAMP_CALL, false, "CALL", "idu*" },
	{ LT_WAMP_CANCEL, false, "CANCEL", "id" },
	{ LT_WAMP_RESULT, true, "RESULT", "id*" },
	{ LT_WAMP_REGISTER, false, "REGISTER", "idu" },
	{ LT_WAMP_REGISTERED, true, "REGISTERED", "ii" },
	{ LT_WAMP_UNREGISTER, false, "UNREGISTER", "ii" },
	{ LT_WAMP_UNREGISTERED, true, "UNREGISTERED", "i" },
	{ LT_WAMP_INVOCATION, true, "INVOCATION", "iid*" },
	{ LT_WAMP_INTERRUPT, true, "INTERRUPT", "id" },
	{ LT_WAMP_YIELD, false, "YIELD", "id*" },
};

static const struct shape *find_shape(uint64_t code)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(shapes); i++) {
		if (shapes[i].code == code) {
			return &shapes[i];
		}
	}
	return NULL;
}

void lt_msg_scratch_finish(struct lt_msg_scratch *scratch)
{
	lt_buf_finish(&scratch->uri);
	lt_buf_finish(&scratch->details);
}

bool lt_wamp_is_router_only(uint64_t code)
{
	const struct shape *shape = find_shape(code);

	return shape && shape->router_only;
}

/* Where a message is being taken apart. */
struct decoder {
	const struct lt_serializer *serializer;
	struct lt_reader reader;
	struct lt_msg_scratch *scratch;
	const struct shape *shape;
	struct lt_msg *msg;
};

static bool decode_id(struct decoder *d, const struct lt_element *element, struct lt_err *err)
{
	uint64_t *to = d->msg->id == 0 ? &d->msg->id : &d->msg->target;

	if (element->kind != LT_ELEMENT_INT || element->integer < 1 ||
			element->integer > LT_WAMP_ID_MAX) {
		return lt_err_set(err, LT_E_FORMAT, "%s: an id must be an integer from 1 to 2^53",
				d->shape->name);
	}
	*to = element->integer;
	return true;
}

static bool decode_dict(struct decoder *d, const struct lt_element *element, struct lt_err *err)
{
	if (element->kind != LT_ELEMENT_DICT) {
		return lt_err_set(err, LT_E_FORMAT, "%s: options or details must be a dict",
				d->shape->name);
	}
	if (element->empty) {
		d->msg->details = LT_STR("{}");
	} else if (d->serializer->values) {
		if (!lt_transcode(d->serializer->values, element->raw, NULL, &d->scratch->details,
				    err)) {
			return false;
		}
		d->msg->details = lt_buf_str(&d->scratch->details);
	} else {
		d->msg->details = element->raw;
	}
	return true;
}

static bool decode_field(
		struct decoder *d, char type, const struct lt_element *element, struct lt_err *err)
{
	switch (type) {
	case 'i':
		return decode_id(d, element, err);
	case 'd':
		return decode_dict(d, element, err);
	case 't':
		if (element->kind != LT_ELEMENT_INT) {
			return lt_err_set(err, LT_E_FORMAT,
					"%s: the request type must be an integer", d->shape->name);
		}
		d->msg->request_type = element->integer;
		return true;
	default:
		if (element->kind != LT_ELEMENT_TEXT) {
			return lt_err_set(err, LT_E_FORMAT, "%s: a string was expected",
					d->shape->name);
		}
		d->msg->uri = d->serializer->text(element, &d->scratch->uri);
		return true;
	}
}

static bool decode_body(struct decoder *d, struct lt_err *err)
{
	struct lt_element args, kwargs;
	struct lt_body *body = &d->msg->body;

	if (!d->serializer->more(&d->reader)) {
		return true;
	}
	if (!d->serializer->next(&d->reader, &args, err)) {
		return false;
	}
	if (args.kind != LT_ELEMENT_LIST) {
		return lt_err_set(err, LT_E_FORMAT, "%s: arguments must be a list", d->shape->name);
	}
	if (!args.empty) {
		body->args = args.raw;
	}
	if (!d->serializer->more(&d->reader)) {
		return true;
	}
	if (!d->serializer->next(&d->reader, &kwargs, err)) {
		return false;
	}
	if (kwargs.kind != LT_ELEMENT_DICT) {
		return lt_err_set(err, LT_E_FORMAT, "%s: keyword arguments must be a dict",
				d->shape->name);
	}
	if (!kwargs.empty) {
		body->args = args.raw;
		body->kwargs = kwargs.raw;
	}
	return true;
}

static bool decode_elements(struct decoder *d, struct lt_err *err)
{
	const struct lt_serializer *serializer = d->serializer;
	struct lt_element element;

	if (!serializer->more(&d->reader)) {
		/* Also where the list is broken at once: close tells, but a code is missing anyway.
		 */
		return lt_err_set(err, LT_E_FORMAT, "the message has no code");
	}
	if (!serializer->next(&d->reader, &element, err)) {
		return false;
	}
	if (element.kind != LT_ELEMENT_INT) {
		return lt_err_set(err, LT_E_FORMAT, "the message code must be an integer");
	}
	d->msg->code = element.integer;
	d->shape = find_shape(element.integer);
	if (!d->shape) {
		return lt_err_set(
				err, LT_E_FORMAT, "unknown message code %" PRIu64, element.integer);
	}
	for (const char *type = d->shape->elements; *type; type++) {
		if (*type == '*') {
			return decode_body(d, err);
		}
		if (!serializer->more(&d->reader)) {
			return lt_err_set(err, LT_E_FORMAT, "%s: too few elements", d->shape->name);
		}
		if (!serializer->next(&d->reader, &element, err) ||
				!decode_field(d, *type, &element, err)) {
			return false;
		}
	}
	return true;
}

bool lt_msg_decode(const struct lt_serializer *serializer, struct lt_str message, uint32_t nesting,
		struct lt_msg_scratch *scratch, struct lt_msg *ret_msg, struct lt_err *err)
{
	struct lt_msg msg = { .body = { .serializer = serializer } };
	struct decoder d = { .serializer = serializer, .scratch = scratch, .msg = &msg };

	lt_buf_clear(&scratch->uri);
	lt_buf_clear(&scratch->details);
	if (!serializer->open(&d.reader, message, nesting, err)) {
		return lt_err_prefix(err, "malformed message");
	}
	if (!decode_elements(&d, err)) {
		return false;
	}
	if (serializer->more(&d.reader)) {
		return lt_err_set(err, LT_E_FORMAT, "%s: too many elements", d.shape->name);
	}
	if (!serializer->close(&d.reader, err)) {
		return lt_err_prefix(err, "malformed message");
	}
	*ret_msg = msg;
	return true;
}

struct lt_body lt_body_convert(const struct lt_body *body, const struct lt_serializer *serializer,
		struct lt_buf *args, struct lt_buf *kwargs)
{
	struct lt_body converted = *body;
	struct lt_str *const values[] = { &converted.args, &converted.kwargs };
	struct lt_buf *const to[] = { args, kwargs };

	converted.serializer = serializer;
	if (body->serializer->values == serializer->values) {
		return converted;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(values); i++) {
		/* What a peer sent was validated; it fails for what a module in process made up. */
		if (values[i]->p &&
				!lt_transcode(body->serializer->values, *values[i],
						serializer->values, to[i], NULL)) {
			lt_buf_add_str(to[i], i == 0 ? serializer->empty_list : LT_STR(""));
		}
		if (values[i]->p) {
			*values[i] = lt_buf_str(to[i]);
		}
	}
	return converted;
}

struct lt_body lt_forms_get(struct lt_forms *forms, const struct lt_body *body,
		const struct lt_serializer *serializer)
{
	struct lt_body *form = &forms->bodies[serializer->index];

	if (body->serializer->values == serializer->values) {
		return lt_body_convert(body, serializer, NULL, NULL);
	}
	if (!form->serializer) {
		*form = lt_body_convert(body, serializer, &forms->args[serializer->index],
				&forms->kwargs[serializer->index]);
		forms->bytes += form->args.n + form->kwargs.n;
	}
	return *form;
}

void lt_forms_finish(struct lt_forms *forms)
{
	for (size_t i = 0; i < LT_SERIALIZERS_MAX; i++) {
		lt_buf_finish(&forms->args[i]);
		lt_buf_finish(&forms->kwargs[i]);
		forms->bodies[i] = (struct lt_body){ 0 };
	}
	forms->bytes = 0;
}

struct lt_payload *lt_msg_encode(const struct lt_serializer *serializer,
		const struct lt_field *fields, size_t count, const struct lt_body *body)
{
	LT_AUTO(lt_buf_finish) struct lt_buf head = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf kwargs = { 0 };
	struct lt_body none = { .serializer = serializer };
	struct lt_body own = lt_body_convert(body ? body : &none, serializer, &args, &kwargs);
	size_t extra = own.kwargs.p ? 2 : own.args.p ? 1 : 0;
	struct lt_str parts[6];
	size_t n = 0;

	serializer->head(&head, fields, count, count + extra);
	parts[n++] = lt_buf_str(&head);
	if (extra > 0) {
		parts[n++] = serializer->separator;
		parts[n++] = own.args.p ? own.args : serializer->empty_list;
	}
	if (extra > 1) {
		parts[n++] = serializer->separator;
		parts[n++] = own.kwargs;
	}
	parts[n++] = serializer->terminator;
	return lt_payload_create_parts(parts, n, serializer->binary);
}

const char *lt_wamp_error_uri(uint64_t request_type, enum lt_errc code)
{
	switch (code) {
	case LT_E_URI:
		return "wamp.error.invalid_uri";
	case LT_E_DENIED:
		return "wamp.error.not_authorized";
	case LT_E_LIMIT:
		return "wamp.error.limit_exceeded";
	case LT_E_EXISTS:
		return "wamp.error.procedure_already_exists";
	case LT_E_NOT_FOUND:
		return request_type == LT_WAMP_UNSUBSCRIBE ? "wamp.error.no_such_subscription"
				: request_type == LT_WAMP_UNREGISTER
				? "wamp.error.no_such_registration"
				: "wamp.error.no_such_procedure";
	case LT_E_TIMEOUT:
		return "wamp.error.timeout";
	case LT_E_UNAVAILABLE:
		return "wamp.error.canceled";
	case LT_E_NONE:
	case LT_E_INVALID:
	case LT_E_FORMAT:
	case LT_E_IO:
		break;
	}
	return "wamp.error.invalid_argument";
}

struct lt_payload *lt_msg_error(const struct lt_serializer *serializer, uint64_t request_type,
		uint64_t request, const char *uri, const char *sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	struct lt_body body = { .serializer = &lt_serializer_json };
	const struct lt_field fields[] = { lt_field_int(LT_WAMP_ERROR), lt_field_int(request_type),
		lt_field_int(request), lt_field_json(LT_STR("{}")),
		lt_field_text(lt_str_from(uri)) };

	if (sentence) {
		lt_buf_add_char(&args, '[');
		lt_json_write_str(&args, lt_str_from(sentence));
		lt_buf_add_char(&args, ']');
		body.args = lt_buf_str(&args);
	}
	return lt_msg_encode(serializer, fields, LT_ARRAY_LEN(fields), &body);
}
