#include "router/request.h"

#include <inttypes.h>

#include "router/realm.h"

/* One request on its way. */
struct request {
	struct lt_realm *realm;
	struct lt_member *member;
	const struct lt_msg *msg;
};

static void send_take(const struct request *request, struct lt_payload *payload)
{
	request->member->ops->send(request->member, payload, 0);
	lt_payload_unref(payload);
}

/* [code, request] or [code, request, id] */
static void reply(const struct request *request, uint64_t code, uint64_t id)
{
	const struct lt_field fields[] = { lt_field_int(code), lt_field_int(request->msg->id),
		lt_field_int(id) };

	send_take(request, lt_msg_encode(request->member->serializer, fields, id ? 3 : 2, NULL));
}

static void reply_error(const struct request *request, const struct lt_err *err)
{
	send_take(request,
			lt_msg_error(request->member->serializer, request->msg->code,
					request->msg->id,
					lt_wamp_error_uri(request->msg->code, err->code),
					err->msg));
}

static void on_publish(const struct request *request, struct lt_err *err)
{
	struct lt_publish_options options;
	struct lt_publication publication = {
		.topic = request->msg->uri, .options = &options, .body = &request->msg->body
	};
	uint64_t id;
	bool good = lt_publish_options_read(request->msg->details, &options, err) &&
			lt_broker_publish(request->realm->broker, request->member, &publication,
					&id, err);

	if (!options.acknowledge) {
		return; /* no reply ever, not even to a mistake */
	}
	if (good) {
		reply(request, LT_WAMP_PUBLISHED, id);
	} else {
		reply_error(request, err);
	}
}

static void on_subscribe(const struct request *request, struct lt_err *err)
{
	struct lt_broker *broker = request->realm->broker;
	struct lt_subscribe_options options;
	uint64_t id;

	if (!lt_subscribe_options_read(request->msg->details, &options, err) ||
			!lt_broker_subscribe(broker, request->member, request->msg->uri,
					(enum lt_match)options.match, &id, err)) {
		reply_error(request, err);
		return;
	}
	reply(request, LT_WAMP_SUBSCRIBED, id);
	if (options.get_retained) {
		lt_broker_replay(broker, request->member, id);
	}
}

static void on_unsubscribe(const struct request *request, struct lt_err *err)
{
	if (lt_broker_unsubscribe(
			    request->realm->broker, request->member, request->msg->target, err)) {
		reply(request, LT_WAMP_UNSUBSCRIBED, 0);
	} else {
		reply_error(request, err);
	}
}

static void on_call(const struct request *request, struct lt_err *err)
{
	struct lt_call_options options;
	const struct lt_call_request call = { .request = request->msg->id,
		.procedure = request->msg->uri,
		.options = &options,
		.body = &request->msg->body };

	if (!lt_call_options_read(request->msg->details, &options, err) ||
			!lt_dealer_call(request->realm->dealer, request->member, &call, err)) {
		reply_error(request, err);
	}
}

static void on_cancel(const struct request *request, struct lt_err *err)
{
	struct lt_cancel_options options;

	if (!lt_cancel_options_read(request->msg->details, &options, err)) {
		reply_error(request, err);
		return;
	}
	lt_dealer_cancel(request->realm->dealer, request->member, request->msg->id,
			(enum lt_cancel_mode)options.mode);
}

static void on_register(const struct request *request, struct lt_err *err)
{
	struct lt_register_options options;
	uint64_t id;

	if (lt_register_options_read(request->msg->details, &options, err) &&
			lt_dealer_register(request->realm->dealer, request->member,
					request->msg->uri, &options, &id, err)) {
		reply(request, LT_WAMP_REGISTERED, id);
	} else {
		reply_error(request, err);
	}
}

static void on_unregister(const struct request *request, struct lt_err *err)
{
	if (lt_dealer_unregister(
			    request->realm->dealer, request->member, request->msg->target, err)) {
		reply(request, LT_WAMP_UNREGISTERED, 0);
	} else {
		reply_error(request, err);
	}
}

/* A badly typed option of an answer counts as absent: the caller must get its answer. */
static void on_yield(const struct request *request)
{
	struct lt_yield_options options;

	lt_yield_options_read(request->msg->details, &options, NULL);
	lt_dealer_yield(request->realm->dealer, request->member, request->msg->id, &options,
			&request->msg->body);
}

static void on_error(const struct request *request)
{
	struct lt_yield_options options;

	lt_yield_options_read(request->msg->details, &options, NULL);

	const struct lt_callee_error error = { .invocation = request->msg->id,
		.uri = request->msg->uri,
		.passthru = &options.passthru,
		.body = &request->msg->body };

	lt_dealer_error(request->realm->dealer, request->member, &error);
}

bool lt_request_handle(struct lt_realm *realm, struct lt_member *member, const struct lt_msg *msg,
		struct lt_err *err)
{
	const struct request request = { realm, member, msg };

	switch (msg->code) {
	case LT_WAMP_PUBLISH:
		on_publish(&request, err);
		return true;
	case LT_WAMP_SUBSCRIBE:
		on_subscribe(&request, err);
		return true;
	case LT_WAMP_UNSUBSCRIBE:
		on_unsubscribe(&request, err);
		return true;
	case LT_WAMP_CALL:
		on_call(&request, err);
		return true;
	case LT_WAMP_CANCEL:
		on_cancel(&request, err);
		return true;
	case LT_WAMP_REGISTER:
		on_register(&request, err);
		return true;
	case LT_WAMP_UNREGISTER:
		on_unregister(&request, err);
		return true;
	case LT_WAMP_YIELD:
		on_yield(&request);
		return true;
	case LT_WAMP_ERROR:
		if (msg->request_type == LT_WAMP_INVOCATION) {
			on_error(&request);
			return true;
		}
		return lt_err_set(err, LT_E_FORMAT, "ERROR: only answers to INVOCATION are known");
	default:
		return lt_err_set(err, LT_E_FORMAT, "message code %" PRIu64 " is not expected here",
				msg->code);
	}
}
