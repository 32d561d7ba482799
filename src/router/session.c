#include "router/session.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/json.h"
#include "router/auth.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/realm.h"
#include "router/request.h"

#define VIOLATION        "wamp.error.protocol_violation"
#define AUTHID_BYTES_MAX 256 /* kept, and sent back, before anybody has proved anything */

/* What works is what is announced. */
#define ROLES                                                                                      \
	"{\"broker\":{\"features\":{\"subscriber_blackwhite_listing\":true,"                       \
	"\"publisher_exclusion\":true,\"publisher_identification\":true,"                          \
	"\"pattern_based_subscription\":true,\"event_retention\":true,"                            \
	"\"subscription_meta_api\":true,\"session_meta_api\":true,"                                \
	"\"payload_passthru_mode\":true}},"                                                        \
	"\"dealer\":{\"features\":{\"progressive_call_results\":true,\"call_canceling\":true,"     \
	"\"call_timeout\":true,\"caller_identification\":true,\"shared_registration\":true,"       \
	"\"pattern_based_registration\":true,\"registration_revocation\":true,"                    \
	"\"registration_meta_api\":true,\"session_meta_api\":true,\"testament_meta_api\":true,"    \
	"\"payload_passthru_mode\":true}}}"

enum state { STATE_NEW, STATE_CHALLENGED, STATE_OPEN, STATE_CLOSING };

struct lt_session {
	struct lt_member member;
	enum state state;
	struct lt_core *core;
	struct lt_peer *peer;
	struct lt_realm *realm; /* NULL before HELLO */
	struct lt_auth_attempt attempt;
	struct lt_timer timer;          /* for HELLO, then for AUTHENTICATE */
	int64_t message_interval_us;    /* by the rate; 0: no bound */
	int64_t paid_until_us;          /* the messages so far, at the rate, reach to here */
	struct lt_session *prev, *next; /* of core->sessions */
};

static void member_send(struct lt_member *member, struct lt_payload *payload, uint64_t conflate)
{
	struct lt_session *session = lt_container_of(member, struct lt_session, member);

	if (session->state != STATE_CLOSING) {
		session->peer->ops->send(session->peer, payload, conflate);
	}
}

static void send_fields(struct lt_session *session, const struct lt_field *fields, size_t count)
{
	struct lt_payload *payload = lt_msg_encode(session->member.serializer, fields, count, NULL);

	session->peer->ops->send(session->peer, payload, 0);
	lt_payload_unref(payload);
}

/* Leave the realm and let the transport flush and close. */
static void close_session(struct lt_session *session, enum lt_close_reason reason, const char *text)
{
	bool was_open = session->state == STATE_OPEN;

	session->state = STATE_CLOSING;
	lt_timer_cancel(&session->timer);
	if (was_open) {
		lt_realm_leave(session->realm, &session->member);
	}
	session->peer->ops->close(session->peer, reason, text);
}

/* ABORT and GOODBYE look alike: [code, {"message": sentence}, uri]. */
static void send_ending(struct lt_session *session, uint64_t code, struct lt_str uri,
		struct lt_str sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	lt_buf_add_char(&details, '{');
	if (sentence.n > 0) {
		lt_buf_add_c(&details, "\"message\":");
		lt_json_write_str(&details, sentence);
	}
	lt_buf_add_char(&details, '}');

	const struct lt_field fields[] = { lt_field_int(code), lt_field_json(lt_buf_str(&details)),
		lt_field_text(uri) };

	send_fields(session, fields, LT_ARRAY_LEN(fields));
}

static void member_kill(struct lt_member *member, struct lt_str reason, struct lt_str message)
{
	struct lt_session *session = lt_container_of(member, struct lt_session, member);

	send_ending(session, LT_WAMP_GOODBYE, reason, message);
	close_session(session, LT_CLOSE_NORMAL, "killed");
}

static const struct lt_member_ops member_ops = { .send = member_send, .kill = member_kill };

static void abort_session(struct lt_session *session, const char *uri, const char *sentence)
{
	bool violation = strcmp(uri, VIOLATION) == 0;
	char address[LT_LOG_VALUE_MAX], reason[LT_LOG_VALUE_MAX];

	if (violation) {
		session->core->stats.protocol_errors++;
	}
	lt_log(&session->core->log, LT_DEBUG, "session aborted", "peer=%s error=%s reason=%s",
			lt_log_value(lt_str_from(session->peer->address), address), uri,
			lt_log_value(lt_str_from(sentence), reason));
	send_ending(session, LT_WAMP_ABORT, lt_str_from(uri), lt_str_from(sentence));
	close_session(session, violation ? LT_CLOSE_PROTOCOL : LT_CLOSE_POLICY, uri);
}

static void on_timer(void *arg)
{
	struct lt_session *session = arg;

	session->core->stats.limit_hits[LT_LIMIT_HELLO_TIMEOUT]++;
	abort_session(session, "wamp.error.timeout", "nobody said HELLO or AUTHENTICATE in time");
}

static void arm_timer(struct lt_session *session)
{
	lt_timer_once(&session->timer, session->core->loop, session->core->limits.hello_timeout_ms,
			on_timer, session);
}

struct lt_session *lt_session_create(struct lt_router *router, struct lt_peer *peer,
		const struct lt_serializer *serializer)
{
	struct lt_session *session = lt_zalloc(sizeof(*session));

	session->core = lt_router_core(router);
	session->peer = peer;
	session->member.ops = &member_ops;
	session->member.serializer = serializer;
	DL_APPEND(session->core->sessions, session);
	arm_timer(session);
	return session;
}

void lt_session_peer_gone(struct lt_session *session)
{
	if (session->state == STATE_OPEN) {
		session->state = STATE_CLOSING;
		lt_realm_leave(session->realm, &session->member);
	}
	lt_timer_cancel(&session->timer);
	DL_DELETE(session->core->sessions, session);
	lt_auth_attempt_finish(&session->attempt);
	lt_free(session);
}

struct lt_session *lt_session_next(const struct lt_session *session)
{
	return session->next;
}

void lt_session_shutdown(struct lt_session *session)
{
	if (session->state == STATE_CLOSING) {
		return;
	}
	send_ending(session, session->state == STATE_OPEN ? LT_WAMP_GOODBYE : LT_WAMP_ABORT,
			LT_STR("wamp.close.system_shutdown"), LT_STR(""));
	close_session(session, LT_CLOSE_SHUTDOWN, "wamp.close.system_shutdown");
}

/* --- rate --- */

static uint32_t rate_of(const struct lt_session *session)
{
	const struct lt_limits *limits = &session->core->limits;

	return lt_role_is_anonymous(session->member.role) && limits->messages_per_s_anonymous > 0
			? limits->messages_per_s_anonymous
			: limits->messages_per_s;
}

static void set_rate(struct lt_session *session)
{
	uint32_t rate = rate_of(session);

	session->message_interval_us = rate > 0 ? LT_MAX(1000000 / rate, 1) : 0;
	session->paid_until_us = 0;
}

/*
 * A token bucket, kept as the time up to which the messages so far would last
 * at the rate: it may lie ahead of now by as much as a burst is worth.
 */
static bool is_too_fast(struct lt_session *session)
{
	int64_t interval = session->message_interval_us, now, burst;

	if (interval == 0) {
		return false;
	}
	now = lt_loop_now(session->core->loop).us;
	burst = session->core->limits.message_burst > 0
			? session->core->limits.message_burst * interval
			: 2 * 1000000;
	session->paid_until_us = LT_MAX(session->paid_until_us, now) + interval;
	return session->paid_until_us - now > burst;
}

static void welcome(struct lt_session *session)
{
	struct lt_member *member = &session->member;
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	member->role = lt_authz_role(session->core->authz, lt_str_from(session->attempt.role));
	if (!member->role) {
		abort_session(session, "wamp.error.no_such_role", "the role is not configured");
		return;
	}
	member->authid = session->attempt.authid.p;
	member->authmethod = session->attempt.method->name;
	member->transport = session->peer->transport;
	member->address = session->peer->address;
	set_rate(session);
	lt_timer_cancel(&session->timer);
	session->state = STATE_OPEN;
	lt_realm_join(session->realm, member);
	session->core->stats.sessions_total++;

	lt_buf_add_c(&details, "{\"realm\":");
	lt_json_write_str(&details, lt_str_from(session->realm->name));
	lt_buf_add_c(&details, ",\"authid\":");
	lt_json_write_str(&details, lt_str_from(member->authid));
	lt_buf_add_c(&details, ",\"authrole\":");
	lt_json_write_str(&details, lt_str_from(lt_role_name(member->role)));
	lt_buf_printf(&details, ",\"authmethod\":\"%s\",\"authprovider\":\"static\",\"agent\":",
			member->authmethod);
	lt_json_write_str(&details, lt_str_from(session->core->agent));
	lt_buf_add_c(&details, ",\"roles\":" ROLES "}");

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_WELCOME), lt_field_int(member->id),
		lt_field_json(lt_buf_str(&details)) };

	send_fields(session, fields, LT_ARRAY_LEN(fields));
}

static void refuse(struct lt_session *session)
{
	session->core->stats.auth_failures++;
	abort_session(session, session->attempt.refusal, "authentication failed");
}

static unsigned read_features(const cJSON *roles)
{
	const cJSON *features = lt_json_get(lt_json_get(roles, "callee"), "features");
	unsigned set = 0;

	set |= cJSON_IsTrue(lt_json_get(features, "progressive_call_results")) ? LT_FEATURE_PROGRESS
									       : 0;
	set |= cJSON_IsTrue(lt_json_get(features, "call_canceling")) ? LT_FEATURE_CANCEL : 0;
	set |= cJSON_IsTrue(lt_json_get(features, "registration_revocation"))
			? LT_FEATURE_REVOCATION
			: 0;
	return set;
}

/* HELLO.Details has a role that exists, and what else it has is of the right type. */
static bool check_details(const cJSON *details, struct lt_err *err)
{
	static const char *const names[] = { "publisher", "subscriber", "caller", "callee" };
	const cJSON *roles = lt_json_get(details, "roles");
	const cJSON *authmethods = lt_json_get(details, "authmethods"), *method;
	struct lt_str authid = { 0 };
	bool has_role = false;

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		const cJSON *role = lt_json_get(roles, names[i]);

		if (role && !cJSON_IsObject(role)) {
			return lt_err_set(err, LT_E_FORMAT, "HELLO: role %s must be a dict",
					names[i]);
		}
		has_role |= role != NULL;
	}
	if (!has_role) {
		return lt_err_set(err, LT_E_FORMAT, "HELLO: no role was announced");
	}
	if (authmethods && !cJSON_IsArray(authmethods) && !cJSON_IsNull(authmethods)) {
		return lt_err_set(err, LT_E_FORMAT, "HELLO: authmethods must be a list");
	}
	cJSON_ArrayForEach(method, authmethods) {
		if (!cJSON_IsString(method)) {
			return lt_err_set(err, LT_E_FORMAT, "HELLO: authmethods must be strings");
		}
	}
	if (!lt_json_opt_str(details, "authid", &authid, err)) {
		return lt_err_prefix(err, "HELLO");
	}
	return authid.n <= AUTHID_BYTES_MAX ||
			lt_err_set(err, LT_E_LIMIT, "HELLO: authid: at most %d bytes",
					AUTHID_BYTES_MAX);
}

static void on_hello(struct lt_session *session, const struct lt_msg *msg)
{
	struct lt_err err;
	LT_AUTO(cJSON_Delete) cJSON *details = lt_json_parse(msg->details, &err);
	struct lt_auth_hello hello = { .now = lt_loop_wall(session->core->loop) };

	if (!details || !check_details(details, &err)) {
		abort_session(session, VIOLATION, err.msg);
		return;
	}
	session->realm = lt_realm_find(session->core, msg->uri);
	if (!session->realm) {
		abort_session(session, "wamp.error.no_such_realm", "no such realm");
		return;
	}
	session->member.features = read_features(lt_json_get(details, "roles"));
	session->member.id = lt_realm_new_id(session->realm, session->core);
	hello.session = session->member.id;
	hello.authmethods = lt_json_get(details, "authmethods");
	lt_json_opt_str(details, "authid", &hello.authid, &err);
	switch (lt_auth_begin(session->core->auth, &hello, &session->attempt)) {
	case LT_AUTH_ACCEPT:
		welcome(session);
		break;
	case LT_AUTH_REFUSE:
		refuse(session);
		break;
	case LT_AUTH_CHALLENGE: {
		const struct lt_field fields[] = { lt_field_int(LT_WAMP_CHALLENGE),
			lt_field_text(lt_str_from(session->attempt.method->name)),
			lt_field_json(lt_buf_str(&session->attempt.extra)) };

		session->state = STATE_CHALLENGED;
		arm_timer(session);
		send_fields(session, fields, LT_ARRAY_LEN(fields));
		break;
	}
	}
}

static void on_authenticate(struct lt_session *session, const struct lt_msg *msg)
{
	if (lt_auth_finish(&session->attempt, msg->uri) == LT_AUTH_ACCEPT) {
		welcome(session);
	} else {
		refuse(session);
	}
}

static void on_open_message(struct lt_session *session, const struct lt_msg *msg)
{
	struct lt_err err;

	if (msg->code == LT_WAMP_GOODBYE) {
		send_ending(session, LT_WAMP_GOODBYE, LT_STR("wamp.close.goodbye_and_out"),
				LT_STR(""));
		close_session(session, LT_CLOSE_NORMAL, "goodbye");
	} else if (!lt_request_handle(session->realm, &session->member, msg, &err)) {
		abort_session(session, VIOLATION, err.msg);
	}
}

static void receive_one(struct lt_session *session, struct lt_str message)
{
	struct lt_err err;
	struct lt_msg msg;

	if (!lt_msg_decode(session->member.serializer, message, session->core->limits.nesting,
			    &session->core->scratch, &msg, &err)) {
		session->core->stats.limit_hits[LT_LIMIT_NESTING] += err.code == LT_E_LIMIT;
		abort_session(session, VIOLATION, err.msg);
		return;
	}
	if (msg.code == LT_WAMP_ABORT) {
		close_session(session, LT_CLOSE_NORMAL, "aborted by the peer");
	} else if (session->state == STATE_OPEN && is_too_fast(session)) {
		session->core->stats.limit_hits[LT_LIMIT_RATE]++;
		abort_session(session, "wamp.error.limit_exceeded",
				"too many messages in too short a time");
	} else if (session->state == STATE_OPEN) {
		on_open_message(session, &msg);
	} else if (session->state == STATE_NEW && msg.code == LT_WAMP_HELLO) {
		on_hello(session, &msg);
	} else if (session->state == STATE_CHALLENGED && msg.code == LT_WAMP_AUTHENTICATE) {
		on_authenticate(session, &msg);
	} else {
		abort_session(session, VIOLATION,
				session->state == STATE_NEW ? "HELLO must come first"
							    : "AUTHENTICATE was expected");
	}
}

/* Batched WebSocket Transport: one or more messages, each with its end mark. */
static void receive_batch(struct lt_session *session, struct lt_str batch)
{
	if (batch.n == 0 || batch.p[batch.n - 1] != LT_BATCH_END) {
		abort_session(session, VIOLATION, "a batch must end with 0x1e");
		return;
	}
	batch.n--;
	while (batch.p && session->state != STATE_CLOSING) {
		receive_one(session, lt_str_split(&batch, LT_BATCH_END));
	}
}

void lt_session_receive(struct lt_session *session, struct lt_str message, bool binary)
{
	const struct lt_serializer *serializer = session->member.serializer;

	if (session->state == STATE_CLOSING) {
		return;
	}
	if (binary != serializer->binary) {
		abort_session(session, VIOLATION, "the message came in the wrong kind of frame");
	} else if (serializer->batched) {
		receive_batch(session, message);
	} else {
		receive_one(session, message);
	}
}
