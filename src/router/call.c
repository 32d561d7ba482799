#include "router/call.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/json.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/wamp_uri.h"

struct key {
	struct lt_member *member;
	uint64_t id;
};

struct lt_call {
	struct lt_calls *calls;
	struct key caller, callee; /* request id, invocation id */
	UT_hash_handle by_caller, by_callee;
	struct lt_call *caller_prev, *caller_next; /* of the caller */
	struct lt_call *callee_prev, *callee_next; /* of the callee */
	struct lt_timer timer;
	uint64_t timeout_ms;
	int64_t begun_us; /* of the clock, not of the turn: many calls end within one */
	bool wants_progress, killed;
};

struct lt_calls {
	struct lt_core *core;
	struct lt_call *by_caller, *by_callee;
};

struct lt_calls *lt_calls_create(struct lt_core *core)
{
	struct lt_calls *calls = lt_zalloc(sizeof(*calls));

	calls->core = core;
	return calls;
}

void lt_calls_destroy(struct lt_calls *calls)
{
	lt_free(calls);
}

static struct key make_key(struct lt_member *member, uint64_t id)
{
	struct key key;

	memset(&key, 0, sizeof(key));
	key.member = member;
	key.id = id;
	return key;
}

static struct lt_call *find_by_caller(
		struct lt_calls *calls, struct lt_member *caller, uint64_t request)
{
	struct key key = make_key(caller, request);
	struct lt_call *found = NULL;

	HASH_FIND(by_caller, calls->by_caller, &key, sizeof(key), found);
	return found;
}

static struct lt_call *find_by_callee(
		struct lt_calls *calls, struct lt_member *callee, uint64_t invocation)
{
	struct key key = make_key(callee, invocation);
	struct lt_call *found = NULL;

	HASH_FIND(by_callee, calls->by_callee, &key, sizeof(key), found);
	return found;
}

static void insert(struct lt_calls *calls, struct lt_call *call)
{
	call->begun_us = lt_clock_mono().us;
	HASH_ADD(by_caller, calls->by_caller, caller, sizeof(call->caller), call);
	HASH_ADD(by_callee, calls->by_callee, callee, sizeof(call->callee), call);
	DL_APPEND2(call->caller.member->calls, call, caller_prev, caller_next);
	DL_APPEND2(call->callee.member->invocations, call, callee_prev, callee_next);
	call->caller.member->call_count++;
}

static void end(struct lt_call *call)
{
	struct lt_calls *calls = call->calls;

	lt_timer_cancel(&call->timer);
	lt_histogram_add(&calls->core->stats.call_us, lt_histogram_us,
			lt_clock_mono().us - call->begun_us);
	HASH_DELETE(by_caller, calls->by_caller, call);
	HASH_DELETE(by_callee, calls->by_callee, call);
	DL_DELETE2(call->caller.member->calls, call, caller_prev, caller_next);
	DL_DELETE2(call->callee.member->invocations, call, callee_prev, callee_next);
	call->caller.member->call_count--;
	lt_free(call);
}

static void send_take(struct lt_member *member, struct lt_payload *payload)
{
	member->ops->send(member, payload, 0);
	lt_payload_unref(payload);
}

/* Collects members of a dict, each with a comma in front; returns the dict. */
static struct lt_str close_dict(struct lt_buf *members)
{
	if (members->n == 0) {
		return LT_STR("{}");
	}
	members->p[0] = '{';
	lt_buf_add_char(members, '}');
	return lt_buf_str(members);
}

static void send_error(const struct lt_call *call, const char *uri, const char *sentence)
{
	struct lt_member *caller = call->caller.member;

	send_take(caller,
			lt_msg_error(caller->serializer, LT_WAMP_CALL, call->caller.id, uri,
					sentence));
}

static void send_interrupt(const struct lt_call *call, enum lt_cancel_mode mode)
{
	struct lt_member *callee = call->callee.member;
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	lt_buf_printf(&details, "{\"mode\":\"%s\"}", lt_cancel_mode_names[mode]);

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_INTERRUPT),
		lt_field_int(call->callee.id), lt_field_json(lt_buf_str(&details)) };

	send_take(callee, lt_msg_encode(callee->serializer, fields, LT_ARRAY_LEN(fields), NULL));
}

static bool can_cancel(const struct lt_call *call)
{
	return call->callee.member->features & LT_FEATURE_CANCEL;
}

static void on_timeout(void *arg)
{
	struct lt_call *call = arg;

	send_error(call, "wamp.error.timeout", "the call took too long");
	if (can_cancel(call)) {
		send_interrupt(call, LT_CANCEL_KILLNOWAIT);
	}
	end(call);
}

static void arm(struct lt_call *call)
{
	if (call->timeout_ms > 0) {
		lt_timer_once(&call->timer, call->calls->core->loop, (int64_t)call->timeout_ms,
				on_timeout, call);
	}
}

static struct lt_identity identity_of(
		const struct lt_member *caller, const struct lt_call_request *request)
{
	if (request->on_behalf) {
		return *request->on_behalf;
	}
	return (struct lt_identity){ .session = caller->id,
		.authid = lt_str_from(caller->authid),
		.role = lt_str_from(lt_role_name(caller->role)),
		.address = lt_str_from(caller->address),
		.in_process = caller->in_process };
}

/* For modules in process and other nodes alone: who really calls. Names that no other callee gets.
 */
static void write_origin(struct lt_buf *details, const struct lt_identity *caller)
{
	lt_buf_printf(details, ",\"local_session\":%" PRIu64 ",\"local_authid\":", caller->session);
	lt_json_write_str(details, caller->authid);
	lt_buf_add_c(details, ",\"local_address\":");
	lt_json_write_str(details, caller->address);
	lt_buf_printf(details, ",\"local_process\":%s", caller->in_process ? "true" : "false");
}

static void send_invocation(const struct lt_call *call, const struct lt_call_request *request,
		const struct lt_invoke_target *target)
{
	struct lt_member *callee = target->callee;
	const struct lt_identity caller = identity_of(call->caller.member, request);
	bool is_trusted = lt_member_is_own(callee);
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	if (target->tell_procedure) {
		lt_buf_add_c(&details, ",\"procedure\":");
		lt_json_write_str(&details, request->procedure);
	}
	if (call->wants_progress && (callee->features & LT_FEATURE_PROGRESS)) {
		lt_buf_add_c(&details, ",\"receive_progress\":true");
	}
	if (target->disclose) {
		lt_buf_printf(&details,
				",\"caller\":%" PRIu64 ",\"caller_authid\":", caller.session);
		lt_json_write_str(&details, caller.authid);
	}
	if (target->disclose || is_trusted) {
		lt_buf_add_c(&details, ",\"caller_authrole\":");
		lt_json_write_str(&details, caller.role);
	}
	if (is_trusted) {
		write_origin(&details, &caller);
	}
	lt_passthru_write(&request->options->passthru, &details);

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_INVOCATION),
		lt_field_int(call->callee.id), lt_field_int(target->registration),
		lt_field_json(close_dict(&details)) };

	send_take(callee,
			lt_msg_encode(callee->serializer, fields, LT_ARRAY_LEN(fields),
					request->body));
}

bool lt_calls_begin(struct lt_calls *calls, struct lt_member *caller,
		const struct lt_call_request *request, const struct lt_invoke_target *target,
		struct lt_err *err)
{
	/* a node calls for many sessions, which have their bounds there */
	if (!caller->node && caller->call_count >= calls->core->limits.calls) {
		calls->core->stats.limit_hits[LT_LIMIT_CALLS]++;
		return lt_err_set(err, LT_E_LIMIT, "a session waits for at most %" PRIu32 " calls",
				calls->core->limits.calls);
	}
	if (find_by_caller(calls, caller, request->request)) {
		return lt_err_set(err, LT_E_INVALID, "a call with this request id is running");
	}

	struct lt_call *call = lt_zalloc(sizeof(*call));

	call->calls = calls;
	call->caller = make_key(caller, request->request);
	call->callee = make_key(target->callee, ++target->callee->last_invocation);
	call->wants_progress = request->options->receive_progress;
	call->timeout_ms = request->options->timeout_ms;
	insert(calls, call);
	arm(call);
	calls->core->stats.calls++;
	send_invocation(call, request, target);
	return true;
}

void lt_calls_cancel(struct lt_calls *calls, struct lt_member *caller, uint64_t request,
		enum lt_cancel_mode mode)
{
	struct lt_call *call = find_by_caller(calls, caller, request);

	if (!call || call->killed) {
		return;
	}
	if (!can_cancel(call)) {
		mode = LT_CANCEL_SKIP;
	}
	if (mode != LT_CANCEL_SKIP) {
		send_interrupt(call, mode);
	}
	if (mode == LT_CANCEL_KILL) {
		call->killed = true;
		return;
	}
	send_error(call, "wamp.error.canceled", "the call was canceled");
	end(call);
}

void lt_calls_yield(struct lt_calls *calls, struct lt_member *callee, uint64_t invocation,
		const struct lt_yield_options *options, const struct lt_body *body)
{
	struct lt_call *call = find_by_callee(calls, callee, invocation);
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	if (!call || (options->progress && !call->wants_progress)) {
		return;
	}

	struct lt_member *caller = call->caller.member;

	if (options->progress) {
		lt_buf_add_c(&details, ",\"progress\":true");
	}
	lt_passthru_write(&options->passthru, &details);

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_RESULT),
		lt_field_int(call->caller.id), lt_field_json(close_dict(&details)) };

	send_take(caller, lt_msg_encode(caller->serializer, fields, LT_ARRAY_LEN(fields), body));
	if (options->progress) {
		arm(call); /* the clock restarts at each */
	} else {
		end(call);
	}
}

void lt_calls_error(struct lt_calls *calls, struct lt_member *callee,
		const struct lt_callee_error *error)
{
	struct lt_call *call = find_by_callee(calls, callee, error->invocation);
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };
	struct lt_str uri = error->uri;

	if (!call) {
		return;
	}
	/* The call must end, also when the callee names its error badly. */
	if (!lt_uri_check(uri, LT_MATCH_EXACT, calls->core->limits.uri_bytes, NULL)) {
		uri = LT_STR("wamp.error.invalid_uri");
	}

	struct lt_member *caller = call->caller.member;

	lt_passthru_write(error->passthru, &details);

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_ERROR), lt_field_int(LT_WAMP_CALL),
		lt_field_int(call->caller.id), lt_field_json(close_dict(&details)),
		lt_field_text(uri) };

	send_take(caller,
			lt_msg_encode(caller->serializer, fields, LT_ARRAY_LEN(fields),
					error->body));
	end(call);
}

void lt_calls_leave(struct lt_calls *calls, struct lt_member *member)
{
	(void)calls;
	while (member->calls) {
		struct lt_call *call = member->calls;

		if (call->callee.member != member && !call->killed && can_cancel(call)) {
			send_interrupt(call, LT_CANCEL_KILLNOWAIT);
		}
		end(call);
	}
	while (member->invocations) {
		struct lt_call *call = member->invocations;

		send_error(call, "wamp.error.canceled", "the callee left");
		end(call);
	}
}
