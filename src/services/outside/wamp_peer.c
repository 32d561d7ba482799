#include "services/outside/wamp_peer.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/table.h"
#include "router/wamp_msg.h"

#define NESTING        512
#define ITERATIONS_MAX 10000000
#define KEYLEN_MAX     64
#define SLOTS_MAX      64

enum state { CLOSED, OPENING, JOINED, LEAVING };

/* A subscription or registration of this session. */
struct slot {
	char *name;
	bool is_procedure;
	uint64_t request, id; /* id 0: not answered yet */
	lt_peer_event_fn event;
	lt_peer_invocation_fn invocation;
};

struct lt_peer {
	struct lt_peer_env env;
	char *realm, *authid, *agent;
	bool is_ours;
	struct lt_buf secret;
	enum state state;
	uint64_t request;
	struct slot slots[SLOTS_MAX];
	size_t slot_count, pending;
	struct lt_msg_scratch scratch;
};

struct lt_peer *lt_peer_create(const struct lt_peer_env *env)
{
	struct lt_peer *peer = lt_zalloc(sizeof(*peer));

	peer->env = *env;
	peer->realm = lt_strdup(env->realm);
	peer->authid = lt_strdup(env->authid);
	peer->agent = lt_strdup(env->agent);
	lt_buf_add_str(&peer->secret, env->secret);
	return peer;
}

static void forget_session(struct lt_peer *peer)
{
	for (size_t i = 0; i < peer->slot_count; i++) {
		lt_free(peer->slots[i].name);
	}
	peer->slot_count = peer->pending = 0;
	peer->request = 0;
	peer->state = CLOSED;
}

void lt_peer_destroy(struct lt_peer *peer)
{
	if (peer == NULL) {
		return;
	}
	forget_session(peer);
	if (peer->secret.p != NULL) {
		explicit_bzero(peer->secret.p, peer->secret.n);
	}
	lt_buf_finish(&peer->secret);
	lt_msg_scratch_finish(&peer->scratch);
	lt_free(peer->realm);
	lt_free(peer->authid);
	lt_free(peer->agent);
	lt_free(peer);
}

/* --- sending --- */

static void send_fields(struct lt_peer *peer, const struct lt_field *fields, size_t count,
		struct lt_str args, struct lt_str kwargs)
{
	struct lt_body body = {
		.serializer = &lt_serializer_json,
		.args = args.n > 0 ? args : (struct lt_str){ NULL, 0 },
		.kwargs = kwargs.n > 0 ? kwargs : (struct lt_str){ NULL, 0 },
	};
	struct lt_payload *payload = lt_msg_encode(&lt_serializer_json, fields, count, &body);

	peer->env.send(peer->env.arg, lt_payload_message(payload));
	lt_payload_unref(payload);
}

#define NOTHING ((struct lt_str){ NULL, 0 })

void lt_peer_open(struct lt_peer *peer)
{
	LT_AUTO(cJSON_Delete) cJSON *details = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	static const char roles[] = "{\"publisher\":{},\"subscriber\":{},\"callee\":{}}";

	forget_session(peer);
	peer->state = OPENING;
	lt_json_add_c(details, "agent", peer->agent);
	lt_json_set_take(details, "roles", lt_json_parse(LT_STR(roles), NULL));
	cJSON *methods = cJSON_AddArrayToObject(details, "authmethods");

	if (peer->secret.n > 0) {
		cJSON_AddItemToArray(methods, cJSON_CreateString("wampcra"));
		lt_json_add_c(details, "authid", peer->authid);
	} else {
		cJSON_AddItemToArray(methods, cJSON_CreateString("anonymous"));
	}
	lt_json_print(&text, details, LT_JSON_UTF8);
	struct lt_field fields[] = { lt_field_int(LT_WAMP_HELLO),
		lt_field_text(lt_str_from(peer->realm)), lt_field_json(lt_buf_str(&text)) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), NOTHING, NOTHING);
}

void lt_peer_lost(struct lt_peer *peer)
{
	forget_session(peer);
}

bool lt_peer_is_joined(const struct lt_peer *peer)
{
	return peer->state == JOINED;
}

static struct slot *add_slot(struct lt_peer *peer, const char *name, bool is_procedure)
{
	struct slot *slot = &peer->slots[peer->slot_count];

	if (peer->state != JOINED || peer->slot_count == SLOTS_MAX) {
		return NULL;
	}
	*slot = (struct slot){
		.name = lt_strdup(name), .is_procedure = is_procedure, .request = ++peer->request
	};
	peer->slot_count++;
	peer->pending++;
	return slot;
}

static void send_request(struct lt_peer *peer, enum lt_wamp_code code, const struct slot *slot,
		struct lt_str options)
{
	struct lt_field fields[] = { lt_field_int(code), lt_field_int(slot->request),
		lt_field_json(options), lt_field_text(lt_str_from(slot->name)) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), NOTHING, NOTHING);
}

void lt_peer_subscribe(struct lt_peer *peer, const char *topic, lt_peer_event_fn fn)
{
	struct slot *slot = add_slot(peer, topic, false);

	if (slot != NULL) {
		slot->event = fn;
		send_request(peer, LT_WAMP_SUBSCRIBE, slot, LT_STR("{}"));
	}
}

void lt_peer_register(struct lt_peer *peer, const char *procedure, lt_peer_invocation_fn fn)
{
	struct slot *slot = add_slot(peer, procedure, true);

	if (slot != NULL) {
		slot->invocation = fn;
		send_request(peer, LT_WAMP_REGISTER, slot, LT_STR("{\"force_reregister\":true}"));
	}
}

void lt_peer_publish(struct lt_peer *peer, struct lt_str topic, bool retain, struct lt_str args)
{
	if (peer->state != JOINED) {
		return;
	}
	struct lt_field fields[] = { lt_field_int(LT_WAMP_PUBLISH), lt_field_int(++peer->request),
		lt_field_json(retain ? LT_STR("{\"retain\":true}") : LT_STR("{}")),
		lt_field_text(topic) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), args, NOTHING);
}

void lt_peer_yield(
		struct lt_peer *peer, uint64_t invocation, struct lt_str args, struct lt_str kwargs)
{
	if (peer->state != JOINED) {
		return;
	}
	struct lt_field fields[] = { lt_field_int(LT_WAMP_YIELD), lt_field_int(invocation),
		lt_field_json(LT_STR("{}")) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), args, kwargs);
}

void lt_peer_error(struct lt_peer *peer, uint64_t invocation, const char *uri, struct lt_str args)
{
	if (peer->state != JOINED) {
		return;
	}
	struct lt_field fields[] = { lt_field_int(LT_WAMP_ERROR), lt_field_int(LT_WAMP_INVOCATION),
		lt_field_int(invocation), lt_field_json(LT_STR("{}")),
		lt_field_text(lt_str_from(uri)) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), args, NOTHING);
}

void lt_peer_goodbye(struct lt_peer *peer)
{
	struct lt_field fields[] = { lt_field_int(LT_WAMP_GOODBYE), lt_field_json(LT_STR("{}")),
		lt_field_text(LT_STR("wamp.close.close_realm")) };

	if (peer->state == JOINED) {
		peer->state = LEAVING;
		send_fields(peer, fields, LT_ARRAY_LEN(fields), NOTHING, NOTHING);
	}
}

/* --- the end of a session --- */

static void end(struct lt_peer *peer, const struct lt_err *reason)
{
	forget_session(peer);
	peer->env.ended(peer->env.arg, reason);
}

static void end_broken(struct lt_peer *peer, const char *why)
{
	struct lt_err err;

	lt_err_set(&err, LT_E_FORMAT, "the router broke the protocol: %s", why);
	end(peer, &err);
}

static bool is_refusal(struct lt_str uri)
{
	static const char *const uris[] = { "wamp.error.authentication_denied",
		"wamp.error.authentication_failed", "wamp.error.no_such_principal",
		"wamp.error.no_such_role", "wamp.error.not_authorized",
		"wamp.error.authorization_failed", "wamp.error.no_matching_auth_method",
		"wamp.error.no_auth_method", "wamp.error.no_such_realm" };

	for (size_t i = 0; i < LT_ARRAY_LEN(uris); i++) {
		if (lt_str_eq_c(uri, uris[i])) {
			return true;
		}
	}
	return false;
}

static void on_abort(struct lt_peer *peer, const struct lt_msg *msg)
{
	LT_AUTO(cJSON_Delete) cJSON *details = lt_json_parse(msg->details, NULL);
	struct lt_str sentence = { NULL, 0 };
	char uri[LT_QUOTE_MAX], text[LT_QUOTE_MAX];
	struct lt_err err;

	lt_json_opt_str(details, "message", &sentence, NULL);
	lt_err_set(&err, is_refusal(msg->uri) ? LT_E_DENIED : LT_E_UNAVAILABLE,
			"the router refused the session: %s%s%s", lt_str_quote(msg->uri, uri),
			sentence.n ? " " : "", sentence.n ? lt_str_quote(sentence, text) : "");
	end(peer, &err);
}

static void on_goodbye(struct lt_peer *peer, const struct lt_msg *msg)
{
	char uri[LT_QUOTE_MAX];
	struct lt_err err;

	lt_err_set(&err, LT_E_UNAVAILABLE, "the router ended the session: %s",
			lt_str_quote(msg->uri, uri));
	if (peer->state == JOINED) {
		struct lt_field fields[] = { lt_field_int(LT_WAMP_GOODBYE),
			lt_field_json(LT_STR("{}")),
			lt_field_text(LT_STR("wamp.close.goodbye_and_out")) };

		send_fields(peer, fields, LT_ARRAY_LEN(fields), NOTHING, NOTHING);
	}
	end(peer, &err);
}

/* --- joining --- */

static bool derive(const cJSON *extra, struct lt_str secret, struct lt_buf *key, struct lt_err *err)
{
	struct lt_str salt = { NULL, 0 };
	int64_t iterations = 1000, keylen = 32;
	uint8_t bytes[KEYLEN_MAX];

	if (!lt_json_opt_str(extra, "salt", &salt, err) ||
			!lt_json_opt_int(
					extra, "iterations", 1, ITERATIONS_MAX, &iterations, err) ||
			!lt_json_opt_int(extra, "keylen", 1, KEYLEN_MAX, &keylen, err)) {
		return false;
	}
	if (salt.n == 0) {
		lt_buf_add_str(key, secret);
		return true;
	}
	if (!lt_pbkdf2_sha256(secret, salt, (uint32_t)iterations, bytes, (size_t)keylen, err)) {
		return false;
	}
	lt_base64_encode(key, bytes, (size_t)keylen);
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

bool lt_peer_sign(struct lt_str secret, struct lt_str extra, struct lt_buf *ret_signature,
		struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(extra, err);
	struct lt_buf key = { 0 };
	uint8_t mac[LT_SHA256_BYTES];
	struct lt_str challenge;
	bool ok = json != NULL && lt_json_get_str(json, "challenge", &challenge, err) &&
			derive(json, secret, &key, err);

	if (ok) {
		lt_hmac_sha256(lt_buf_str(&key), challenge, mac);
		lt_base64_encode(ret_signature, mac, sizeof(mac));
	}
	if (key.p != NULL) {
		explicit_bzero(key.p, key.n);
	}
	lt_buf_finish(&key);
	return ok;
}

static void on_challenge(struct lt_peer *peer, const struct lt_msg *msg)
{
	LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };
	struct lt_err err;

	if (!lt_str_eq_c(msg->uri, "wampcra") || peer->secret.n == 0) {
		end_broken(peer, "a challenge that was not offered");
		return;
	}
	if (!lt_peer_sign(lt_buf_str(&peer->secret), msg->details, &signature, &err)) {
		lt_err_prefix(&err, "challenge of the router");
		end(peer, &err);
		return;
	}
	struct lt_field fields[] = { lt_field_int(LT_WAMP_AUTHENTICATE),
		lt_field_text(lt_buf_str(&signature)), lt_field_json(LT_STR("{}")) };

	send_fields(peer, fields, LT_ARRAY_LEN(fields), NOTHING, NOTHING);
}

/* --- requests and what follows --- */

static struct slot *find_slot(struct lt_peer *peer, bool is_procedure, bool by_request, uint64_t id)
{
	for (size_t i = 0; i < peer->slot_count; i++) {
		struct slot *slot = &peer->slots[i];

		if (slot->is_procedure == is_procedure &&
				(by_request ? slot->request == id && slot->id == 0
					    : slot->id == id)) {
			return slot;
		}
	}
	return NULL;
}

static void one_answered(struct lt_peer *peer)
{
	if (--peer->pending == 0) {
		peer->env.settled(peer->env.arg);
	}
}

static void on_granted(struct lt_peer *peer, const struct lt_msg *msg, bool is_procedure)
{
	struct slot *slot = find_slot(peer, is_procedure, true, msg->id);

	if (slot == NULL) {
		end_broken(peer, "an answer to nothing");
		return;
	}
	slot->id = msg->target;
	one_answered(peer);
}

static void on_error(struct lt_peer *peer, const struct lt_msg *msg)
{
	bool is_procedure = msg->request_type == LT_WAMP_REGISTER;
	struct slot *slot = find_slot(peer, is_procedure, true, msg->id);

	if (slot == NULL || (!is_procedure && msg->request_type != LT_WAMP_SUBSCRIBE)) {
		return; /* publications are not acknowledged, so that it concerns nothing of ours */
	}
	LT_AUTO(lt_free) char *uri = lt_str_dup(msg->uri);

	slot->id = UINT64_MAX; /* answered, and matches nothing */
	peer->env.refused(peer->env.arg, slot->name, uri);
	if (peer->state == JOINED) {
		one_answered(peer);
	}
}

static void on_event(struct lt_peer *peer, const struct lt_msg *msg)
{
	struct slot *slot = find_slot(peer, false, false, msg->id);

	if (slot != NULL) {
		struct lt_peer_event event = { .topic = lt_str_from(slot->name),
			.args = msg->body.args };

		slot->event(peer->env.arg, &event);
	}
}

static void on_invocation(struct lt_peer *peer, const struct lt_msg *msg)
{
	struct slot *slot = find_slot(peer, true, false, msg->target);

	if (slot == NULL) {
		lt_peer_error(peer, msg->id, "wamp.error.no_such_procedure", NOTHING);
		return;
	}
	struct lt_peer_invocation invocation = { .id = msg->id,
		.procedure = lt_str_from(slot->name),
		.args = msg->body.args,
		.kwargs = msg->body.kwargs };

	slot->invocation(peer->env.arg, &invocation);
}

static void note_router(struct lt_peer *peer, struct lt_str details)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(details, NULL);
	struct lt_str agent = { "", 0 };

	lt_json_opt_str(json, "agent", &agent, NULL);
	peer->is_ours = lt_str_starts(agent, LT_STR("livetimingd-"));
}

bool lt_peer_is_ours(const struct lt_peer *peer)
{
	return peer->is_ours;
}

static void receive_joined(struct lt_peer *peer, const struct lt_msg *msg)
{
	switch (msg->code) {
	case LT_WAMP_SUBSCRIBED:
		on_granted(peer, msg, false);
		break;
	case LT_WAMP_REGISTERED:
		on_granted(peer, msg, true);
		break;
	case LT_WAMP_ERROR:
		on_error(peer, msg);
		break;
	case LT_WAMP_EVENT:
		on_event(peer, msg);
		break;
	case LT_WAMP_INVOCATION:
		on_invocation(peer, msg);
		break;
	case LT_WAMP_INTERRUPT:
	case LT_WAMP_UNREGISTERED: /* another session has taken the name over */
	case LT_WAMP_UNSUBSCRIBED:
		break;
	default:
		end_broken(peer, "a message out of turn");
		break;
	}
}

void lt_peer_receive(struct lt_peer *peer, struct lt_str message)
{
	struct lt_msg msg;
	struct lt_err err;

	if (peer->state == CLOSED) {
		return;
	}
	if (lt_str_starts(message, LT_STR("[67,0,"))) {
		return; /* a revoked registration: its id is 0, which no request has */
	}
	if (!lt_msg_decode(&lt_serializer_json, message, NESTING, &peer->scratch, &msg, &err)) {
		lt_err_prefix(&err, "the router broke the protocol");
		end(peer, &err);
	} else if (msg.code == LT_WAMP_ABORT) {
		on_abort(peer, &msg);
	} else if (msg.code == LT_WAMP_GOODBYE) {
		on_goodbye(peer, &msg);
	} else if (peer->state == JOINED) {
		receive_joined(peer, &msg);
	} else if (peer->state == LEAVING) {
		return; /* on its way when we said GOODBYE */
	} else if (msg.code == LT_WAMP_CHALLENGE) {
		on_challenge(peer, &msg);
	} else if (msg.code == LT_WAMP_WELCOME) {
		peer->state = JOINED;
		note_router(peer, msg.details);
		peer->env.joined(peer->env.arg, msg.id);
	} else {
		end_broken(peer, "a message before WELCOME");
	}
}
