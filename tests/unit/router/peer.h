/*
 * A router without sockets for tests: peers that speak raw JSON and record
 * what they are sent, on the fake loop. The listeners are stand-ins.
 */
#ifndef LT_TESTS_UNIT_ROUTER_PEER_H
#define LT_TESTS_UNIT_ROUTER_PEER_H

#include "base/alloc.h"
#include "base/json.h"
#include "base/loop.h"
#include "router/core.h"
#include "router/http_req.h"
#include "router/listeners.h"
#include "router/local.h"
#include "router/router.h"
#include "router/transport.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define PEER_MESSAGES 64
#define REALM         LT_STR("timing")
#define HELLO                                                                                      \
	"[1,\"timing\",{\"roles\":{\"publisher\":{},\"subscriber\":{},\"caller\":{},"              \
	"\"callee\":{\"features\":{\"call_canceling\":true,"                                       \
	"\"progressive_call_results\":true,\"registration_revocation\":true}}}"

struct peer {
	struct lt_peer base;
	char *messages[PEER_MESSAGES];
	uint64_t conflate[PEER_MESSAGES];
	struct lt_payload *payloads[PEER_MESSAGES];
	int count, read;
	bool closed, gone;
	enum lt_close_reason reason;
	uint64_t id; /* from WELCOME */
};

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct peer *peers[64];
	int peer_count;
};

/* --- stand-ins for what owns sockets --- */
struct lt_listeners *lt_listeners_create(struct lt_router *router, const struct lt_router_env *env)
{
	(void)router;
	return (struct lt_listeners *)lt_http_create(env->loop); /* routes need no sockets */
}
void lt_listeners_destroy(struct lt_listeners *listeners)
{
	lt_http_destroy((struct lt_http *)listeners);
}
bool lt_listeners_open(struct lt_listeners *listeners, struct lt_str address, struct lt_err *err)
{
	(void)listeners;
	(void)address;
	return lt_err_set(err, LT_E_UNAVAILABLE, "no sockets here");
}
const char *lt_listeners_address(const struct lt_listeners *listeners, size_t i)
{
	(void)listeners;
	(void)i;
	return NULL;
}
struct lt_http *lt_listeners_http(struct lt_listeners *listeners)
{
	return (struct lt_http *)listeners;
}
void lt_listeners_stop(struct lt_listeners *listeners, uint32_t grace_ms, void (*done)(void *arg),
		void *arg)
{
	(void)listeners;
	(void)grace_ms;
	done(arg);
}
bool lt_listeners_reload_tls(struct lt_listeners *listeners, struct lt_err *err)
{
	(void)listeners;
	return lt_err_set(err, LT_E_UNAVAILABLE, "no sockets here");
}
bool lt_listeners_set_tls(struct lt_listeners *listeners, const char *cert, const char *key,
		struct lt_err *err)
{
	(void)cert;
	(void)key;
	return lt_listeners_reload_tls(listeners, err);
}
void lt_listeners_report(const struct lt_listeners *listeners, struct lt_router_stats *ret_stats)
{
	(void)listeners;
	(void)ret_stats;
}

/* --- peers --- */
static inline void peer_send(struct lt_peer *base, struct lt_payload *payload, uint64_t conflate)
{
	struct peer *peer = lt_container_of(base, struct peer, base);

	assert_false(peer->closed);
	assert_true(peer->count < PEER_MESSAGES);
	peer->messages[peer->count] = lt_str_dup(lt_payload_message(payload));
	peer->payloads[peer->count] = lt_payload_ref(payload);
	peer->conflate[peer->count++] = conflate;
}

static inline void peer_close(struct lt_peer *base, enum lt_close_reason reason, const char *text)
{
	struct peer *peer = lt_container_of(base, struct peer, base);

	(void)text;
	assert_false(peer->closed);
	peer->closed = true;
	peer->reason = reason;
}

static inline struct peer *connect_peer(struct fixture *f)
{
	static const struct lt_peer_ops ops = { .send = peer_send, .close = peer_close };
	struct peer *peer = lt_zalloc(sizeof(*peer));

	peer->base.ops = &ops;
	peer->base.transport = "test";
	strcpy(peer->base.address, "127.0.0.1");
	peer->base.session = lt_session_create(
			f->router, &peer->base, lt_serializer_find(LT_STR("wamp.2.json")));
	f->peers[f->peer_count++] = peer;
	return peer;
}

static inline void say_bytes(struct peer *peer, struct lt_str message)
{
	lt_session_receive(peer->base.session, message, false);
}

static inline void say(struct peer *peer, const char *message)
{
	say_bytes(peer, lt_str_from(message));
}

/* Message with %llu for an id. */
static inline void say_id(struct peer *peer, const char *format, uint64_t id)
{
	struct lt_buf text = { 0 };
	const char *mark = strstr(format, "%id");

	assert_non_null(mark);
	lt_buf_add(&text, format, (size_t)(mark - format));
	lt_buf_printf(&text, "%llu", (unsigned long long)id);
	lt_buf_add_c(&text, mark + 3);
	say_bytes(peer, lt_buf_str(&text));
	lt_buf_finish(&text);
}

static inline void vanish(struct peer *peer)
{
	if (!peer->gone) {
		peer->gone = true;
		lt_session_peer_gone(peer->base.session);
	}
}

static inline const char *next_message(struct peer *peer)
{
	return peer->read < peer->count ? peer->messages[peer->read++] : "(nothing)";
}

static inline void expect(struct peer *peer, const char *message)
{
	assert_string_equal(next_message(peer), message);
}

static inline void expect_start(struct peer *peer, const char *start)
{
	const char *message = next_message(peer);

	if (strncmp(message, start, strlen(start)) != 0) {
		fail_msg("expected %s..., got %s", start, message);
	}
}

static inline void expect_silence(struct peer *peer)
{
	expect(peer, "(nothing)");
}

/* ERROR of this request, whatever its sentence. */
static inline void expect_error(struct peer *peer, const char *type_and_request, const char *uri)
{
	char start[200];

	snprintf(start, sizeof(start), "[8,%s,{},\"%s\"", type_and_request, uri);
	expect_start(peer, start);
}

static inline void expect_abort(struct peer *peer, const char *uri)
{
	const char *message = next_message(peer);

	assert_true(strncmp(message, "[3,{", 4) == 0);
	if (!strstr(message, uri)) {
		fail_msg("expected ABORT %s, got %s", uri, message);
	}
	assert_true(peer->closed);
}

static inline void expect_member(struct peer *peer, const char *piece)
{
	const char *message = next_message(peer);

	if (!strstr(message, piece)) {
		fail_msg("expected %s in %s", piece, message);
	}
}

static inline struct peer *join_anonymous(struct fixture *f)
{
	struct peer *peer = connect_peer(f);
	unsigned long long id = 0;

	say(peer, HELLO "}]");
	assert_int_equal(sscanf(next_message(peer), "[2,%llu,", &id), 1);
	peer->id = id;
	return peer;
}

/* A session with all rights, by its ticket. */
static inline struct peer *join_services(struct fixture *f)
{
	struct peer *peer = connect_peer(f);
	unsigned long long id = 0;

	say(peer, HELLO ",\"authmethods\":[\"ticket\"],\"authid\":\"services\"}]");
	expect(peer, "[4,\"ticket\",{}]");
	say(peer, "[5,\"secret\",{}]");
	assert_int_equal(sscanf(next_message(peer), "[2,%llu,", &id), 1);
	peer->id = id;
	return peer;
}

/* The fixture opens everything to anonymous sessions where asked. */
static inline int setup_full(void **state, const char *permissions, struct lt_limits limits,
		struct lt_switches switches)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err;
	const struct lt_principal services = {
		.authid = "services", .role = "services", .secret = LT_STR("secret")
	};

	f->loop = lt_loop_create(&err);
	f->random = lt_random_create(7, &err);

	const struct lt_router_env env = {
		.loop = f->loop,
		.random = f->random,
		.agent = "test-1",
		.limits = limits,
		.switches = switches,
	};

	f->router = lt_router_create(&env);
	assert_true(lt_router_add_realm(f->router, REALM, &err));
	assert_true(lt_router_add_principal(f->router, &services, &err));
	if (permissions) {
		assert_true(lt_router_set_permissions(f->router, lt_str_from(permissions), &err));
	}
	*state = f;
	return 0;
}

static inline int setup_router(void **state, const char *permissions, struct lt_limits limits)
{
	return setup_full(state, permissions, limits, (struct lt_switches){ 0 });
}

static inline int setup_switches(void **state, struct lt_switches switches)
{
	return setup_full(state, NULL, (struct lt_limits){ 0 }, switches);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < f->peer_count; i++) {
		vanish(f->peers[i]);
		for (int m = 0; m < f->peers[i]->count; m++) {
			lt_free(f->peers[i]->messages[m]);
			lt_payload_unref(f->peers[i]->payloads[m]);
		}
		lt_free(f->peers[i]);
	}
	lt_fake_settle(f->loop);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

#define OPEN_PERMISSIONS                                                                           \
	"{\"roles\":{\"anonymous\":{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\","          \
	"\"allow\":{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}}]}}}"

static inline int setup_open(void **state)
{
	return setup_router(state, OPEN_PERMISSIONS, (struct lt_limits){ 0 });
}

static inline int setup_default(void **state)
{
	return setup_router(state, NULL, (struct lt_limits){ 0 });
}

#endif
