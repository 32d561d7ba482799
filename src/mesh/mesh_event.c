#include "mesh/mesh_event.h"

#include <inttypes.h>

#include "base/base.h"
#include "router/serializer.h"

/* "seq" and "at" go through JSON numbers, which are exact to here. */
#define NUMBER_MAX (INT64_C(1) << 53)

static const char *const list_names[LT_LISTS] = {
	[LT_LIST_EXCLUDE] = "exclude",
	[LT_LIST_ELIGIBLE] = "eligible",
	[LT_LIST_EXCLUDE_AUTHID] = "exclude_authid",
	[LT_LIST_ELIGIBLE_AUTHID] = "eligible_authid",
	[LT_LIST_EXCLUDE_AUTHROLE] = "exclude_authrole",
	[LT_LIST_ELIGIBLE_AUTHROLE] = "eligible_authrole",
};

static const struct lt_serializer *const formats[] = { &lt_serializer_json, &lt_serializer_msgpack,
	&lt_serializer_cbor };

void lt_mesh_event_scratch_finish(struct lt_mesh_event_scratch *scratch)
{
	cJSON_Delete(scratch->head);
	for (size_t i = 0; i < LT_LISTS; i++) {
		lt_buf_finish(&scratch->list_texts[i]);
	}
	lt_buf_finish(&scratch->disclosure);
	lt_msg_scratch_finish(&scratch->msg);
	lt_msg_scratch_finish(&scratch->kept);
	*scratch = (struct lt_mesh_event_scratch){ 0 };
}

/* --- write --- */

/* Formats that encode values alike are one. */
static const struct lt_serializer *format_of(const struct lt_body *body)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(formats); i++) {
		if (body->serializer && formats[i]->values == body->serializer->values) {
			return formats[i];
		}
	}
	return &lt_serializer_json;
}

static struct lt_payload *encode(const struct lt_link_event *event, const struct lt_body *body,
		const struct lt_serializer *format)
{
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	lt_buf_add_char(&details, '{');
	lt_buf_add_str(&details, lt_str_skip(event->disclosure, 1));
	lt_buf_add_char(&details, '}');

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_EVENT), lt_field_int(1),
		lt_field_int(event->publication), lt_field_json(lt_buf_str(&details)) };

	return lt_msg_encode(format, fields, LT_ARRAY_LEN(fields), body);
}

static void write_head(struct lt_buf *buf, const struct lt_mesh_event *event)
{
	const struct lt_link_event *link = &event->event;

	lt_buf_add_c(buf, "{\"node\":");
	lt_json_write_str(buf, event->node);
	lt_buf_add_c(buf, ",\"run\":");
	lt_json_write_str(buf, event->run);
	lt_buf_printf(buf, ",\"seq\":%" PRIu64 ",\"at\":%" PRId64 ",\"topic\":", event->seq,
			event->at_us);
	lt_json_write_str(buf, link->topic);
	lt_buf_add_c(buf, link->retain ? ",\"retain\":true" : "");
	lt_buf_add_c(buf, event->is_gone ? ",\"gone\":true" : "");
	if (link->closed.n > 0) {
		lt_buf_add_c(buf, ",\"closed\":");
		lt_json_write_str(buf, link->closed);
	}
	for (size_t i = 0; link->lists && i < LT_LISTS; i++) {
		if (link->lists[i].p) {
			lt_buf_printf(buf, ",\"%s\":", list_names[i]);
			lt_buf_add_str(buf, link->lists[i]);
		}
	}
}

void lt_mesh_event_write(struct lt_buf *buf, const struct lt_mesh_event *event)
{
	const struct lt_serializer *format = format_of(&event->event.body);
	struct lt_payload *first, *second = NULL;

	write_head(buf, event);
	if (event->is_gone) {
		lt_buf_add_c(buf, "}\n");
		return;
	}
	first = encode(&event->event, &event->event.body, format);
	if (format != &lt_serializer_json) {
		lt_buf_printf(buf, ",\"format\":\"%s\"", format->subprotocol);
	}
	if (event->event.kept.serializer) {
		second = encode(&event->event, &event->event.kept, format);
		lt_buf_printf(buf, ",\"bytes\":%zu", lt_payload_message(first).n);
	}
	lt_buf_add_c(buf, "}\n");
	lt_buf_add_str(buf, lt_payload_message(first));
	lt_payload_unref(first);
	if (second) {
		lt_buf_add_str(buf, lt_payload_message(second));
		lt_payload_unref(second);
	}
}

/* --- read --- */

static bool read_lists(struct lt_mesh_event_scratch *scratch, struct lt_err *err)
{
	for (size_t i = 0; i < LT_LISTS; i++) {
		const cJSON *list = lt_json_get(scratch->head, list_names[i]);

		lt_buf_clear(&scratch->list_texts[i]);
		scratch->lists[i] = (struct lt_str){ 0 };
		if (list && !cJSON_IsArray(list)) {
			return lt_err_set(err, LT_E_FORMAT, "%s: expected a list", list_names[i]);
		}
		if (list) {
			lt_json_print(&scratch->list_texts[i], list, LT_JSON_UTF8);
			scratch->lists[i] = lt_buf_str(&scratch->list_texts[i]);
		}
	}
	return true;
}

static bool read_head(struct lt_str text, struct lt_mesh_event_scratch *scratch,
		struct lt_mesh_event *ret, struct lt_err *err)
{
	int64_t seq = 0;

	cJSON_Delete(scratch->head);
	scratch->head = lt_json_parse(text, err);
	if (!scratch->head || !lt_json_get_str(scratch->head, "node", &ret->node, err) ||
			!lt_json_get_str(scratch->head, "run", &ret->run, err) ||
			!lt_json_get_int(scratch->head, "seq", 0, NUMBER_MAX, &seq, err) ||
			!lt_json_get_int(scratch->head, "at", 0, NUMBER_MAX, &ret->at_us, err) ||
			!lt_json_get_str(scratch->head, "topic", &ret->event.topic, err) ||
			!lt_json_opt_bool(scratch->head, "retain", &ret->event.retain, err) ||
			!lt_json_opt_bool(scratch->head, "gone", &ret->is_gone, err) ||
			!lt_json_opt_str(scratch->head, "closed", &ret->event.closed, err) ||
			!read_lists(scratch, err)) {
		return false;
	}
	if (ret->node.n == 0 || ret->node.n > LT_MESH_NODE_BYTES || ret->run.n == 0 ||
			ret->run.n > LT_MESH_NODE_BYTES) {
		return lt_err_set(err, LT_E_FORMAT, "node, run: expected 1 to %d bytes",
				LT_MESH_NODE_BYTES);
	}
	ret->seq = (uint64_t)seq;
	ret->event.lists = scratch->lists;
	return true;
}

static bool find_format(
		const cJSON *head, const struct lt_serializer **ret_format, struct lt_err *err)
{
	struct lt_str name = { 0 };

	*ret_format = &lt_serializer_json;
	if (!lt_json_opt_str(head, "format", &name, err)) {
		return false;
	}
	if (!name.p) {
		return true;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(formats); i++) {
		if (lt_str_eq_c(name, formats[i]->subprotocol)) {
			*ret_format = formats[i];
			return true;
		}
	}
	return lt_err_set(err, LT_E_FORMAT, "format: not known here");
}

static bool read_event(const struct lt_serializer *format, struct lt_str bytes,
		struct lt_msg_scratch *scratch, struct lt_msg *ret, struct lt_err *err)
{
	if (!lt_msg_decode(format, bytes, LT_JSON_DEPTH_MAX, scratch, ret, err)) {
		return false;
	}
	return ret->code == LT_WAMP_EVENT || lt_err_set(err, LT_E_FORMAT, "expected an EVENT");
}

bool lt_mesh_event_read(struct lt_str bytes, struct lt_mesh_event_scratch *scratch,
		struct lt_mesh_event *ret, struct lt_err *err)
{
	struct lt_str rest = bytes, head = lt_str_split(&rest, '\n');
	const struct lt_serializer *format;
	struct lt_msg msg;
	int64_t first;

	*ret = (struct lt_mesh_event){ 0 };
	if (!read_head(head, scratch, ret, err) || !find_format(scratch->head, &format, err)) {
		return lt_err_prefix(err, "head");
	}
	if (ret->is_gone) {
		return true;
	}
	first = rest.p ? (int64_t)rest.n : 0;
	if (!lt_json_opt_int(scratch->head, "bytes", 0, first, &first, err) ||
			!read_event(format, (struct lt_str){ rest.p, (size_t)first }, &scratch->msg,
					&msg, err)) {
		return lt_err_prefix(err, "event");
	}
	ret->event.publication = msg.target;
	ret->event.body = msg.body;
	lt_buf_clear(&scratch->disclosure);
	if (msg.details.n > 2) {
		lt_buf_add_char(&scratch->disclosure, ',');
		lt_buf_add(&scratch->disclosure, msg.details.p + 1, msg.details.n - 2);
		ret->event.disclosure = lt_buf_str(&scratch->disclosure);
	}
	rest = lt_str_skip(rest, (size_t)first);
	if (rest.n > 0) {
		if (!read_event(format, rest, &scratch->kept, &msg, err)) {
			return lt_err_prefix(err, "retained event");
		}
		ret->event.kept = msg.body;
	}
	return true;
}
