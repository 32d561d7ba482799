#include "router/remote.h"

#include <assert.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "base/json.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/realm.h"

#define ROLE "services" /* what it may do was decided by the node of each session */

/* A registration of the other node: its id there, and here. */
struct offer {
	UT_hash_handle by_theirs, by_ours;
	uint64_t theirs, ours;
};

/* An invocation that could not be sent, to be answered when the dealer is not at work. */
struct failure {
	struct failure *next;
	uint64_t invocation;
	const char *uri;
};

struct lt_remote {
	struct lt_member member;
	struct lt_remote_env env;
	struct lt_core *core;
	struct lt_realm *realm;
	char *node;
	struct offer *by_theirs, *by_ours;
	struct failure *failures;
	struct lt_deferred deferred;
	struct lt_msg_scratch scratch;
};

static struct offer *find_theirs(struct lt_remote *remote, uint64_t id)
{
	struct offer *found = NULL;

	HASH_FIND(by_theirs, remote->by_theirs, &id, sizeof(id), found);
	return found;
}

static struct offer *find_ours(struct lt_remote *remote, uint64_t id)
{
	struct offer *found = NULL;

	HASH_FIND(by_ours, remote->by_ours, &id, sizeof(id), found);
	return found;
}

static void add_offer(struct lt_remote *remote, uint64_t theirs, uint64_t ours)
{
	struct offer *offer = lt_zalloc(sizeof(*offer));

	offer->theirs = theirs;
	offer->ours = ours;
	HASH_ADD(by_theirs, remote->by_theirs, theirs, sizeof(theirs), offer);
	HASH_ADD(by_ours, remote->by_ours, ours, sizeof(ours), offer);
}

static void drop_offer(struct lt_remote *remote, struct offer *offer)
{
	assert(remote->by_theirs && remote->by_ours);
	HASH_DELETE(by_theirs, remote->by_theirs, offer);
	HASH_DELETE(by_ours, remote->by_ours, offer);
	lt_free(offer);
}

/* --- to the other side --- */

static bool send_fields(struct lt_remote *remote, const struct lt_field *fields, size_t count,
		const struct lt_body *body, struct lt_err *err)
{
	struct lt_payload *payload = lt_msg_encode(&lt_serializer_json, fields, count, body);
	bool ok = remote->env.send(remote->env.arg, lt_payload_message(payload), err);

	lt_payload_unref(payload);
	return ok;
}

static const char *failure_uri(const struct lt_err *err)
{
	return err->code == LT_E_INVALID ? "wamp.error.payload_size_exceeded"
					 : "wamp.error.canceled";
}

static void send_failure(struct lt_remote *remote, uint64_t call, const char *uri)
{
	const struct lt_field fields[] = { lt_field_int(LT_WAMP_ERROR), lt_field_int(LT_WAMP_CALL),
		lt_field_int(call), lt_field_json(LT_STR("{}")), lt_field_text(lt_str_from(uri)) };

	send_fields(remote, fields, LT_ARRAY_LEN(fields), NULL, NULL);
}

static void answer_failures(void *arg)
{
	struct lt_remote *remote = arg;
	const struct lt_passthru passthru = { 0 };
	const struct lt_body body = { .serializer = &lt_serializer_json,
		.args = LT_STR("[\"the call did not reach the node of its callee\"]") };

	while (remote->failures) {
		struct failure *failure = remote->failures;
		const struct lt_callee_error error = { failure->invocation,
			lt_str_from(failure->uri), &passthru, &body };

		LL_DELETE(remote->failures, failure);
		lt_free(failure);
		lt_dealer_error(remote->realm->dealer, &remote->member, &error);
	}
}

static void note_failure(struct lt_remote *remote, uint64_t invocation, const char *uri)
{
	struct failure *failure = lt_zalloc(sizeof(*failure));

	failure->invocation = invocation;
	failure->uri = uri;
	LL_PREPEND(remote->failures, failure);
	lt_loop_defer(remote->core->loop, &remote->deferred, answer_failures, remote);
}

static void send_invocation(struct lt_remote *remote, const struct lt_msg *msg)
{
	const struct offer *offer = find_ours(remote, msg->target);
	struct lt_err err = { 0 };
	const struct lt_field fields[] = { lt_field_int(LT_WAMP_INVOCATION), lt_field_int(msg->id),
		lt_field_int(offer ? offer->theirs : 0), lt_field_json(msg->details) };

	if (!offer || !send_fields(remote, fields, LT_ARRAY_LEN(fields), &msg->body, &err)) {
		note_failure(remote, msg->id, failure_uri(&err));
	}
}

static void member_send(struct lt_member *member, struct lt_payload *payload, uint64_t conflate)
{
	struct lt_remote *remote = lt_container_of(member, struct lt_remote, member);
	struct lt_str message = lt_payload_message(payload);
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err = { 0 };

	(void)conflate;
	if (lt_msg_decode(&lt_serializer_json, message, LT_JSON_DEPTH_MAX, &scratch, &msg, NULL)) {
		if (msg.code == LT_WAMP_INVOCATION) {
			send_invocation(remote, &msg);
		} else if (!remote->env.send(remote->env.arg, message, &err) &&
				(msg.code == LT_WAMP_RESULT || msg.code == LT_WAMP_ERROR)) {
			send_failure(remote, msg.id, failure_uri(&err));
		}
	}
	lt_msg_scratch_finish(&scratch);
}

static void member_revoked(struct lt_member *member, uint64_t registration)
{
	struct lt_remote *remote = lt_container_of(member, struct lt_remote, member);
	struct offer *offer = find_ours(remote, registration);

	if (offer) {
		const struct lt_field fields[] = { lt_field_int(LT_WAMP_UNREGISTERED),
			lt_field_int(offer->theirs) };

		drop_offer(remote, offer);
		send_fields(remote, fields, LT_ARRAY_LEN(fields), NULL, NULL);
	}
}

void lt_remote_offer(struct lt_remote *remote, const struct lt_pattern_view *registration)
{
	static const char *const match_names[] = { "exact", "prefix", "wildcard" };
	LT_AUTO(lt_buf_finish) struct lt_buf options = { 0 };

	lt_buf_printf(&options, "{\"match\":\"%s\",\"invoke\":\"%s\"}",
			match_names[registration->match], registration->invoke);

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_REGISTER),
		lt_field_int(registration->id), lt_field_json(lt_buf_str(&options)),
		lt_field_text(registration->uri) };

	send_fields(remote, fields, LT_ARRAY_LEN(fields), NULL, NULL);
}

void lt_remote_withdraw(struct lt_remote *remote, uint64_t registration)
{
	const struct lt_field fields[] = { lt_field_int(LT_WAMP_UNREGISTER),
		lt_field_int(registration), lt_field_int(registration) };

	send_fields(remote, fields, LT_ARRAY_LEN(fields), NULL, NULL);
}

/* --- from the other side --- */

static bool on_register(struct lt_remote *remote, const struct lt_msg *msg, struct lt_err *err)
{
	struct lt_register_options options;
	uint64_t ours;

	if (find_theirs(remote, msg->id)) {
		return lt_err_set(err, LT_E_FORMAT, "registration %" PRIu64 " came twice", msg->id);
	}
	if (!lt_register_options_read(msg->details, &options, err) ||
			!lt_dealer_register(remote->realm->dealer, &remote->member, msg->uri,
					&options, &ours, err)) {
		return false;
	}
	add_offer(remote, msg->id, ours);
	return true;
}

static void on_unregister(struct lt_remote *remote, uint64_t theirs)
{
	struct offer *offer = find_theirs(remote, theirs);

	if (offer) { /* else taken by force meanwhile */
		lt_dealer_unregister(remote->realm->dealer, &remote->member, offer->ours, NULL);
		drop_offer(remote, offer);
	}
}

/* Texts of `ret` borrow from `details`. */
static struct lt_identity read_identity(const cJSON *details)
{
	struct lt_identity identity = {
		.authid = LT_STR(""), .role = LT_STR(""), .address = LT_STR("")
	};
	int64_t session = 0;

	lt_json_opt_int(details, "local_session", 1, LT_WAMP_ID_MAX, &session, NULL);
	lt_json_opt_str(details, "local_authid", &identity.authid, NULL);
	lt_json_opt_str(details, "local_address", &identity.address, NULL);
	lt_json_opt_str(details, "caller_authrole", &identity.role, NULL);
	lt_json_opt_bool(details, "local_process", &identity.in_process, NULL);
	identity.session = (uint64_t)session;
	return identity;
}

static void on_invocation(struct lt_remote *remote, const struct lt_msg *msg)
{
	LT_AUTO(cJSON_Delete) cJSON *details = lt_json_parse(msg->details, NULL);
	const struct lt_identity identity = read_identity(details);
	struct lt_str procedure = LT_STR("");
	struct lt_call_options options;
	struct lt_err err = { 0 };

	lt_json_opt_str(details, "procedure", &procedure, NULL);
	lt_call_options_read(msg->details, &options, NULL);
	options.timeout_ms = 0; /* kept by the node of the caller */
	options.disclose_me = lt_json_get(details, "caller") != NULL;

	const struct lt_call_request request = { .request = msg->id,
		.procedure = procedure,
		.options = &options,
		.body = &msg->body,
		.on_behalf = &identity };

	if (!lt_dealer_call_here(
			    remote->realm->dealer, &remote->member, msg->target, &request, &err)) {
		send_failure(remote, msg->id, lt_wamp_error_uri(LT_WAMP_CALL, err.code));
	}
}

static void on_outcome(struct lt_remote *remote, const struct lt_msg *msg)
{
	struct lt_yield_options options;

	lt_yield_options_read(msg->details, &options, NULL);
	if (msg->code == LT_WAMP_RESULT) {
		lt_dealer_yield(remote->realm->dealer, &remote->member, msg->id, &options,
				&msg->body);
		return;
	}

	const struct lt_callee_error error = { .invocation = msg->id,
		.uri = msg->uri,
		.passthru = &options.passthru,
		.body = &msg->body };

	lt_dealer_error(remote->realm->dealer, &remote->member, &error);
}

static void on_interrupt(struct lt_remote *remote, const struct lt_msg *msg)
{
	struct lt_cancel_options options;

	lt_cancel_options_read(msg->details, &options, NULL);
	lt_dealer_cancel(remote->realm->dealer, &remote->member, msg->id,
			(enum lt_cancel_mode)options.mode);
}

bool lt_remote_receive(struct lt_remote *remote, struct lt_str message, struct lt_err *err)
{
	struct lt_msg msg;

	if (!lt_msg_decode(&lt_serializer_json, message, LT_JSON_DEPTH_MAX, &remote->scratch, &msg,
			    err)) {
		return false;
	}
	switch (msg.code) {
	case LT_WAMP_REGISTER:
		return on_register(remote, &msg, err);
	case LT_WAMP_UNREGISTER:
		on_unregister(remote, msg.target);
		return true;
	case LT_WAMP_UNREGISTERED:
		lt_dealer_revoke(remote->realm->dealer, msg.id);
		return true;
	case LT_WAMP_INVOCATION:
		on_invocation(remote, &msg);
		return true;
	case LT_WAMP_INTERRUPT:
		on_interrupt(remote, &msg);
		return true;
	case LT_WAMP_RESULT:
	case LT_WAMP_ERROR:
		on_outcome(remote, &msg);
		return true;
	default:
		return lt_err_set(err, LT_E_FORMAT, "nodes do not send messages of code %" PRIu64,
				msg.code);
	}
}

/* --- life --- */

static const struct lt_member_ops member_ops = { .send = member_send, .revoked = member_revoked };

struct lt_remote *lt_remote_join(const struct lt_remote_env *env, struct lt_err *err)
{
	struct lt_core *core = lt_router_core(env->router);
	const struct lt_role *role;
	struct lt_realm *realm = lt_core_find_seat(core, env->realm, LT_STR(ROLE), &role, err);
	struct lt_remote *remote;

	if (!realm) {
		return NULL;
	}
	remote = lt_zalloc(sizeof(*remote));
	remote->env = *env;
	remote->core = core;
	remote->realm = realm;
	remote->node = lt_strdup(env->node);
	remote->member.ops = &member_ops;
	remote->member.serializer = &lt_serializer_json;
	remote->member.role = role;
	remote->member.authid = remote->node;
	remote->member.authmethod = "mesh";
	remote->member.transport = "mesh";
	remote->member.address = "";
	remote->member.node = remote->node;
	remote->member.features = LT_FEATURE_PROGRESS | LT_FEATURE_CANCEL | LT_FEATURE_REVOCATION;
	remote->member.id = lt_realm_new_id(realm, core);
	lt_realm_join(realm, &remote->member);
	return remote;
}

void lt_remote_leave(struct lt_remote *remote)
{
	struct offer *offer, *next;

	if (!remote) {
		return;
	}
	lt_realm_leave(remote->realm, &remote->member);
	HASH_ITER(by_theirs, remote->by_theirs, offer, next) {
		drop_offer(remote, offer);
	}
	while (remote->failures) {
		struct failure *failure = remote->failures;

		LL_DELETE(remote->failures, failure);
		lt_free(failure);
	}
	lt_deferred_cancel(&remote->deferred);
	lt_msg_scratch_finish(&remote->scratch);
	lt_free(remote->node);
	lt_free(remote);
}
