#include "router/meta.h"

#include "router/realm.h"
#include "router/wamp_msg.h"

bool lt_meta_arg_id(const struct lt_meta_request *request, int i, uint64_t *ret, struct lt_err *err)
{
	const cJSON *item = cJSON_GetArrayItem(request->args, i);

	if (!cJSON_IsNumber(item) || lt_json_is_float(item) || item->valuedouble < 1 ||
			item->valuedouble > (double)LT_WAMP_ID_MAX) {
		return lt_err_set(err, LT_E_INVALID, "argument %d must be an id", i);
	}
	*ret = (uint64_t)item->valuedouble;
	return true;
}

static const struct lt_meta_procedure *find_procedure(struct lt_str name)
{
	static const struct lt_meta_procedure *const tables[] = { lt_meta_session_procedures,
		lt_meta_pattern_procedures };

	for (size_t i = 0; i < LT_ARRAY_LEN(tables); i++) {
		for (const struct lt_meta_procedure *p = tables[i]; p->name; p++) {
			if (lt_str_eq_c(name, p->name)) {
				return p;
			}
		}
	}
	return NULL;
}

static void send_answer(struct lt_meta_request *meta, const struct lt_call_request *request)
{
	struct lt_member *caller = meta->caller;
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	struct lt_body body = { .serializer = &lt_serializer_json };
	const struct lt_field fields[] = { lt_field_int(LT_WAMP_RESULT),
		lt_field_int(request->request), lt_field_json(LT_STR("{}")) };
	struct lt_payload *payload;

	if (meta->error) {
		payload = lt_msg_error(caller->serializer, LT_WAMP_CALL, request->request,
				meta->error, meta->sentence);
	} else {
		if (meta->result.n > 0) {
			lt_buf_add_char(&args, '[');
			lt_buf_add_str(&args, lt_buf_str(&meta->result));
			lt_buf_add_char(&args, ']');
			body.args = lt_buf_str(&args);
		}
		payload = lt_msg_encode(caller->serializer, fields, LT_ARRAY_LEN(fields), &body);
	}
	caller->ops->send(caller, payload, 0);
	lt_payload_unref(payload);
}

bool lt_meta_call(struct lt_realm *realm, struct lt_member *caller,
		const struct lt_call_request *request, struct lt_err *err)
{
	const struct lt_meta_procedure *procedure = find_procedure(request->procedure);
	LT_AUTO(lt_buf_finish) struct lt_buf args_buf = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf kwargs_buf = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	LT_AUTO(cJSON_Delete) cJSON *kwargs = NULL;
	struct lt_meta_request meta = { .realm = realm, .caller = caller };
	struct lt_body body;
	bool good;

	if (!procedure) {
		return lt_err_set(err, LT_E_NOT_FOUND, "no such procedure");
	}
	body = lt_body_convert(request->body, &lt_serializer_json, &args_buf, &kwargs_buf);
	args = body.args.p ? lt_json_parse(body.args, err) : NULL;
	kwargs = body.kwargs.p ? lt_json_parse(body.kwargs, err) : NULL;
	meta.args = args;
	meta.kwargs = kwargs;
	meta.args_json = body.args;
	meta.kwargs_json = body.kwargs;
	good = procedure->fn(&meta, err);
	if (good) {
		send_answer(&meta, request);
	}
	lt_buf_finish(&meta.result);
	return good;
}
