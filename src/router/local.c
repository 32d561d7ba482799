/*
 * A session in process is a WAMP client without a connection: what broker and
 * dealer send it are the very messages that JSON sessions get, shared with
 * them, queued here and decoded at the end of the turn.
 */
#include "router/local.h"

#include "base/alloc.h"
#include "base/json.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/realm.h"

struct handler {
	UT_hash_handle hh;
	uint64_t id;       /* subscription, registration, or request of a call */
	struct lt_str uri; /* owned */
	lt_event_fn on_event;
	lt_invocation_fn on_invocation;
	lt_result_fn on_result;
	void *arg;
};

/* What waits for delivery: a message, or news of a session that left. */
struct item {
	struct item *prev, *next;
	struct lt_payload *payload; /* NULL: a session left */
	uint64_t session;
};

struct lt_local {
	struct lt_member member;
	struct lt_core *core;
	struct lt_realm *realm;
	char *authid;
	struct handler *subscriptions, *registrations, *calls;
	uint64_t last_request;
	struct item *queue;
	struct lt_deferred deferred;
	bool delivering, left; /* left while delivering: freed when that is over */
	void (*on_leave)(void *arg, uint64_t session);
	void *on_leave_arg;
};

static struct handler *find(struct handler *table, uint64_t id)
{
	struct handler *found = NULL;

	HASH_FIND(hh, table, &id, sizeof(id), found);
	return found;
}

static struct handler *insert(struct handler **table, uint64_t id, struct lt_str uri)
{
	struct handler *handler = lt_zalloc(sizeof(*handler));

	handler->id = id;
	handler->uri = (struct lt_str){ lt_str_dup(uri), uri.n };
	HASH_ADD(hh, *table, id, sizeof(handler->id), handler);
	return handler;
}

static void drop(struct handler **table, struct handler *handler)
{
	HASH_DEL(*table, handler);
	lt_free((void *)(uintptr_t)handler->uri.p);
	lt_free(handler);
}

static void drop_all(struct handler **table)
{
	struct handler *handler, *next;

	HASH_ITER(hh, *table, handler, next) {
		drop(table, handler);
	}
}

static void free_local(struct lt_local *local)
{
	while (local->queue) {
		struct item *item = local->queue;

		DL_DELETE(local->queue, item);
		lt_payload_unref(item->payload);
		lt_free(item);
	}
	drop_all(&local->subscriptions);
	drop_all(&local->registrations);
	drop_all(&local->calls);
	lt_deferred_cancel(&local->deferred);
	lt_free(local->authid);
	lt_free(local);
}

static void on_event(struct lt_local *local, const struct lt_msg *msg)
{
	const struct handler *handler = find(local->subscriptions, msg->id);
	struct lt_event event = { .subscription = msg->id,
		.publication = msg->target,
		.args = msg->body.args,
		.kwargs = msg->body.kwargs };
	LT_AUTO(cJSON_Delete) cJSON *details = NULL;
	LT_AUTO(lt_free) char *topic = NULL;
	int64_t publisher = 0;

	if (!handler) {
		return;
	}
	/* Copied: the callback may unsubscribe and go on reading. */
	topic = lt_str_dup(handler->uri);
	event.topic = (struct lt_str){ topic, handler->uri.n };
	if (msg->details.n > 2) {
		details = lt_json_parse(msg->details, NULL);
		lt_json_opt_str(details, "topic", &event.topic, NULL);
		lt_json_opt_bool(details, "retained", &event.retained, NULL);
		lt_json_opt_int(details, "publisher", 1, LT_WAMP_ID_MAX, &publisher, NULL);
		lt_json_opt_str(details, "publisher_authid", &event.publisher_authid, NULL);
		lt_json_opt_str(details, "publisher_authrole", &event.publisher_role, NULL);
		event.publisher = (uint64_t)publisher;
	}
	handler->on_event(handler->arg, &event);
}

static void read_origin(const cJSON *details, struct lt_origin *ret)
{
	int64_t session = 0;

	lt_json_opt_int(details, "local_session", 1, LT_WAMP_ID_MAX, &session, NULL);
	lt_json_opt_str(details, "local_authid", &ret->authid, NULL);
	lt_json_opt_str(details, "local_address", &ret->address, NULL);
	lt_json_opt_bool(details, "local_process", &ret->in_process, NULL);
	ret->session = (uint64_t)session;
}

static void on_invocation(struct lt_local *local, const struct lt_msg *msg)
{
	const struct handler *handler = find(local->registrations, msg->target);
	struct lt_invocation invocation = {
		.id = msg->id, .args = msg->body.args, .kwargs = msg->body.kwargs
	};
	LT_AUTO(cJSON_Delete) cJSON *details = lt_json_parse(msg->details, NULL);
	LT_AUTO(lt_free) char *procedure = NULL;
	int64_t caller = 0;

	if (!handler) { /* unregistered since it was queued */
		lt_local_error(local, msg->id, "wamp.error.no_such_procedure",
				"the procedure was unregistered");
		return;
	}
	procedure = lt_str_dup(handler->uri);
	invocation.procedure = (struct lt_str){ procedure, handler->uri.n };
	lt_json_opt_str(details, "procedure", &invocation.procedure, NULL);
	lt_json_opt_int(details, "caller", 1, LT_WAMP_ID_MAX, &caller, NULL);
	lt_json_opt_str(details, "caller_authrole", &invocation.caller_role, NULL);
	invocation.caller = (uint64_t)caller;
	read_origin(details, &invocation.origin);
	handler->on_invocation(handler->arg, &invocation);
}

static void on_result(struct lt_local *local, const struct lt_msg *msg)
{
	struct handler *handler = find(local->calls, msg->id);
	LT_AUTO(lt_free) char *error = NULL;

	if (!handler) {
		return;
	}
	if (msg->code == LT_WAMP_ERROR) {
		error = lt_str_dup(msg->uri);
	}

	const struct lt_result result = {
		.ok = !error, .error = error, .args = msg->body.args, .kwargs = msg->body.kwargs
	};
	lt_result_fn fn = handler->on_result;
	void *arg = handler->arg;

	drop(&local->calls, handler);
	fn(arg, &result);
}

static void deliver_one(struct lt_local *local, const struct item *item)
{
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;

	if (!item->payload) {
		if (local->on_leave) {
			local->on_leave(local->on_leave_arg, item->session);
		}
		return;
	}
	if (lt_msg_decode(&lt_serializer_json, lt_payload_message(item->payload), LT_JSON_DEPTH_MAX,
			    &scratch, &msg, NULL)) {
		if (msg.code == LT_WAMP_EVENT) {
			on_event(local, &msg);
		} else if (msg.code == LT_WAMP_INVOCATION) {
			on_invocation(local, &msg);
		} else if (msg.code == LT_WAMP_RESULT || msg.code == LT_WAMP_ERROR) {
			on_result(local, &msg);
		}
	}
	lt_msg_scratch_finish(&scratch);
}

static void deliver(void *arg)
{
	struct lt_local *local = arg;

	local->delivering = true;
	while (local->queue && !local->left) {
		struct item *item = local->queue;

		DL_DELETE(local->queue, item);
		deliver_one(local, item);
		lt_payload_unref(item->payload);
		lt_free(item);
	}
	local->delivering = false;
	if (local->left) {
		free_local(local);
	}
}

static void enqueue_take(struct lt_local *local, struct lt_payload *payload, uint64_t session)
{
	struct item *item = lt_zalloc(sizeof(*item));

	item->payload = payload;
	item->session = session;
	DL_APPEND(local->queue, item);
	if (!local->delivering) {
		lt_loop_defer(local->core->loop, &local->deferred, deliver, local);
	}
}

static void member_send(struct lt_member *member, struct lt_payload *payload, uint64_t conflate)
{
	(void)conflate; /* delivered at the end of this turn: nothing piles up */
	enqueue_take(lt_container_of(member, struct lt_local, member), lt_payload_ref(payload), 0);
}

static void member_left(struct lt_member *member, uint64_t session)
{
	struct lt_local *local = lt_container_of(member, struct lt_local, member);

	if (local->on_leave) {
		enqueue_take(local, NULL, session);
	}
}

static const struct lt_member_ops member_ops = { .send = member_send, .left = member_left };

struct lt_local *lt_local_join(struct lt_router *router, struct lt_str realm_name,
		const char *authid, const char *role_name, struct lt_err *err)
{
	struct lt_core *core = lt_router_core(router);
	const struct lt_role *role;
	struct lt_realm *realm =
			lt_core_find_seat(core, realm_name, lt_str_from(role_name), &role, err);

	if (!realm) {
		return NULL;
	}

	struct lt_local *local = lt_zalloc(sizeof(*local));

	local->core = core;
	local->realm = realm;
	local->authid = lt_strdup(authid);
	local->member.ops = &member_ops;
	local->member.serializer = &lt_serializer_json;
	local->member.role = role;
	local->member.authid = local->authid;
	local->member.authmethod = "local";
	local->member.transport = "local";
	local->member.address = "";
	local->member.in_process = true;
	local->member.id = lt_realm_new_id(realm, core);
	lt_realm_join(realm, &local->member);
	core->stats.sessions_total++;
	return local;
}

void lt_local_leave(struct lt_local *local)
{
	if (!local || local->left) {
		return;
	}
	lt_realm_leave(local->realm, &local->member);
	local->left = true;
	if (!local->delivering) {
		free_local(local);
	}
}

uint64_t lt_local_id(const struct lt_local *local)
{
	return local->member.id;
}

bool lt_local_is_in_process(const struct lt_local *local, uint64_t session)
{
	const struct lt_member *member = lt_realm_member(local->realm, session);

	return member && member->in_process;
}

uint64_t lt_local_subscribe(struct lt_local *local, struct lt_str topic, enum lt_match match,
		bool get_retained, lt_event_fn fn, void *arg, struct lt_err *err)
{
	struct handler *handler;
	uint64_t id;

	if (!lt_broker_subscribe(local->realm->broker, &local->member, topic, match, &id, err)) {
		return 0;
	}
	handler = find(local->subscriptions, id);
	if (!handler) {
		handler = insert(&local->subscriptions, id, topic);
	}
	handler->on_event = fn;
	handler->arg = arg;
	if (get_retained) {
		lt_broker_replay(local->realm->broker, &local->member, id);
	}
	return id;
}

bool lt_local_retained_age(const struct lt_local *local, struct lt_str topic, int64_t *ret_us)
{
	struct lt_mono at;

	if (!lt_broker_retained_at(local->realm->broker, topic, &at)) {
		return false;
	}
	*ret_us = lt_loop_now(local->core->loop).us - at.us;
	return true;
}

bool lt_local_unsubscribe(struct lt_local *local, uint64_t subscription, struct lt_err *err)
{
	struct handler *handler = find(local->subscriptions, subscription);

	if (handler) {
		drop(&local->subscriptions, handler);
	}
	return lt_broker_unsubscribe(local->realm->broker, &local->member, subscription, err);
}

/* Arguments from a module; an empty array is as good as none. */
static struct lt_body body_of(struct lt_str args)
{
	struct lt_body body = { .serializer = &lt_serializer_json };

	if (args.n > 0 && !lt_str_eq_c(args, "[]")) {
		body.args = args;
	}
	return body;
}

bool lt_local_publish(struct lt_local *local, struct lt_str topic, bool retain, struct lt_str args,
		struct lt_err *err)
{
	const struct lt_publish_options options = { .exclude_me = true, .retain = retain };
	const struct lt_body body = body_of(args);
	const struct lt_publication publication = {
		.topic = topic, .options = &options, .body = &body
	};
	uint64_t id;

	return lt_broker_publish(local->realm->broker, &local->member, &publication, &id, err);
}

bool lt_local_publish_lazy(struct lt_local *local, struct lt_str topic, lt_encode_fn encode,
		void (*release)(void *arg), void *arg, struct lt_err *err)
{
	const struct lt_publish_options options = { .exclude_me = true, .retain = true };
	const struct lt_publication publication = {
		.topic = topic, .options = &options, .lazy = { encode, release, arg }
	};
	uint64_t id;

	return lt_broker_publish(local->realm->broker, &local->member, &publication, &id, err);
}

bool lt_local_publish_keeping(struct lt_local *local, struct lt_str topic, struct lt_str args,
		const struct lt_local_kept *kept, struct lt_err *err)
{
	const struct lt_publish_options options = { .exclude_me = true, .retain = true };
	const struct lt_body body = body_of(args);
	const struct lt_publication publication = {
		.topic = topic,
		.options = &options,
		.body = &body,
		.keeps = { kept->encode, kept->release, kept->arg },
	};
	uint64_t id;

	return lt_broker_publish(local->realm->broker, &local->member, &publication, &id, err);
}

void lt_local_unretain(struct lt_local *local, struct lt_str topic)
{
	lt_broker_unretain(local->realm->broker, topic);
}

bool lt_local_register(struct lt_local *local, struct lt_str procedure, bool force,
		lt_invocation_fn fn, void *arg, uint64_t *ret_registration, struct lt_err *err)
{
	const struct lt_register_options options = { .force_reregister = force };
	struct handler *handler;
	uint64_t id;

	if (!lt_dealer_register(
			    local->realm->dealer, &local->member, procedure, &options, &id, err)) {
		return false;
	}
	handler = insert(&local->registrations, id, procedure);
	handler->on_invocation = fn;
	handler->arg = arg;
	if (ret_registration) {
		*ret_registration = id;
	}
	return true;
}

bool lt_local_unregister(struct lt_local *local, uint64_t registration, struct lt_err *err)
{
	struct handler *handler = find(local->registrations, registration);

	if (handler) {
		drop(&local->registrations, handler);
	}
	return lt_dealer_unregister(local->realm->dealer, &local->member, registration, err);
}

void lt_local_yield(struct lt_local *local, uint64_t invocation, struct lt_str args)
{
	const struct lt_yield_options options = { 0 };
	const struct lt_body body = body_of(args);

	lt_dealer_yield(local->realm->dealer, &local->member, invocation, &options, &body);
}

void lt_local_error(struct lt_local *local, uint64_t invocation, const char *uri, const char *text)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	const struct lt_passthru passthru = { 0 };

	lt_buf_add_char(&args, '[');
	lt_json_write_str(&args, lt_str_from(text));
	lt_buf_add_char(&args, ']');

	const struct lt_body body = body_of(lt_buf_str(&args));
	const struct lt_callee_error error = { .invocation = invocation,
		.uri = lt_str_from(uri),
		.passthru = &passthru,
		.body = &body };

	lt_dealer_error(local->realm->dealer, &local->member, &error);
}

/* The outcome of a call that never began, by the same way as any other. */
static void fail_call(struct lt_local *local, uint64_t request, const struct lt_err *err)
{
	enqueue_take(local,
			lt_msg_error(&lt_serializer_json, LT_WAMP_CALL, request,
					lt_wamp_error_uri(LT_WAMP_CALL, err->code), err->msg),
			0);
}

bool lt_local_call(struct lt_local *local, struct lt_str procedure, struct lt_str args,
		uint32_t timeout_ms, lt_result_fn fn, void *arg, struct lt_err *err)
{
	const struct lt_local_call call = {
		.procedure = procedure, .args = args, .timeout_ms = timeout_ms, .fn = fn, .arg = arg
	};

	return lt_local_call_full(local, &call, NULL, err);
}

bool lt_local_call_full(struct lt_local *local, const struct lt_local_call *call,
		uint64_t *ret_call, struct lt_err *err)
{
	const struct lt_call_options options = { .timeout_ms = call->timeout_ms };
	struct lt_body body = body_of(call->args);
	const struct lt_call_request request = { .request = ++local->last_request,
		.procedure = call->procedure,
		.options = &options,
		.body = &body };
	struct lt_err failure;
	struct handler *handler = insert(&local->calls, request.request, call->procedure);

	if (call->kwargs.n > 0 && !lt_str_eq_c(call->kwargs, "{}")) {
		body.kwargs = call->kwargs;
	}
	handler->on_result = call->fn;
	handler->arg = call->arg;
	if (ret_call) {
		*ret_call = request.request;
	}
	if (lt_dealer_call(local->realm->dealer, &local->member, &request, &failure)) {
		return true;
	}
	if (failure.code == LT_E_NOT_FOUND) {
		fail_call(local, request.request, &failure);
		return true;
	}
	drop(&local->calls, handler);
	return lt_err_set(err, failure.code, "%s", failure.msg);
}

void lt_local_cancel(struct lt_local *local, uint64_t call)
{
	struct handler *handler = find(local->calls, call);

	if (handler) {
		drop(&local->calls, handler);
		lt_dealer_cancel(local->realm->dealer, &local->member, call, LT_CANCEL_KILLNOWAIT);
	}
}

void lt_local_on_leave(struct lt_local *local, void (*fn)(void *arg, uint64_t session), void *arg)
{
	local->on_leave = fn;
	local->on_leave_arg = arg;
}
