#include "router/router.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/auth.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/guard.h"
#include "router/listeners.h"
#include "router/member.h"
#include "router/realm.h"
#include "router/session.h"
#include "router/wamp_uri.h"

#define MIB (1024 * 1024)

struct lt_router {
	struct lt_core core;
	struct lt_router_env env; /* with the limits in force; the listeners borrow it */
	struct lt_listeners *listeners;
};

const char *const lt_limit_names[LT_LIMITS_COUNT] = {
	[LT_LIMIT_MESSAGE_BYTES] = "message_bytes",
	[LT_LIMIT_QUEUE_BYTES] = "queue_bytes",
	[LT_LIMIT_NESTING] = "nesting",
	[LT_LIMIT_URI] = "uri",
	[LT_LIMIT_SUBSCRIPTIONS] = "subscriptions",
	[LT_LIMIT_REGISTRATIONS] = "registrations",
	[LT_LIMIT_CALLS] = "calls",
	[LT_LIMIT_TESTAMENTS] = "testaments",
	[LT_LIMIT_RATE] = "rate",
	[LT_LIMIT_HELLO_TIMEOUT] = "hello_timeout",
	[LT_LIMIT_HANDSHAKE_TIMEOUT] = "handshake_timeout",
	[LT_LIMIT_PING_TIMEOUT] = "ping_timeout",
	[LT_LIMIT_CONNECTIONS] = "connections",
	[LT_LIMIT_CONNECTIONS_PER_ADDRESS] = "connections_per_address",
};

void lt_limits_fill(struct lt_limits *limits)
{
	static const struct lt_limits defaults = {
		.message_bytes = 4 * MIB,
		.queue_bytes = 8 * MIB,
		.queue_soft_bytes = 1 * MIB,
		.retained_bytes = 256 * MIB,
		.retained_topics = 65536,
		.subscriptions = 4096,
		.registrations = 4096,
		.calls = 1024,
		.testaments = 64,
		.uri_bytes = 1024,
		.nesting = 512,
		.connections = 20000,
		.hello_timeout_ms = 30000,
		.ping_interval_ms = 30000,
	};

#define FILL(member) (limits->member = limits->member ? limits->member : defaults.member)
	FILL(message_bytes);
	FILL(queue_bytes);
	FILL(queue_soft_bytes);
	FILL(retained_bytes);
	FILL(retained_topics);
	FILL(subscriptions);
	FILL(registrations);
	FILL(calls);
	FILL(testaments);
	FILL(uri_bytes);
	FILL(nesting);
	FILL(connections);
	FILL(hello_timeout_ms);
	FILL(ping_interval_ms);
#undef FILL
}

struct lt_router *lt_router_create(const struct lt_router_env *env)
{
	struct lt_router *router = lt_zalloc(sizeof(*router));
	struct lt_core *core = &router->core;

	router->env = *env;
	lt_limits_fill(&router->env.limits);
	core->loop = env->loop;
	core->random = env->random;
	core->log = env->log;
	core->limits = router->env.limits;
	core->switches = env->switches;
	core->agent = lt_strdup(env->agent ? env->agent : "livetimingd");
	router->env.agent = core->agent;
	core->node = env->node ? lt_strdup(env->node) : NULL;
	core->authz = lt_authz_create();
	core->guard = lt_guard_create();
	core->auth = lt_auth_create(env->random, !env->switches.no_ticket);
	router->listeners = lt_listeners_create(router, &router->env);
	return router;
}

void lt_router_destroy(struct lt_router *router)
{
	struct lt_core *core = &router->core;

	if (!router) {
		return;
	}
	lt_listeners_destroy(router->listeners);
	while (core->realms) {
		struct lt_realm *realm = core->realms;

		assert(!realm->members); /* modules leave before the router goes */
		DL_DELETE(core->realms, realm);
		lt_realm_destroy(realm);
	}
	lt_auth_destroy(core->auth);
	lt_authz_destroy(core->authz);
	lt_guard_destroy(core->guard);
	lt_msg_scratch_finish(&core->scratch);
	lt_free(core->agent);
	lt_free(core->node);
	lt_free(router);
}

void lt_router_reserve(struct lt_router *router, struct lt_str prefix, unsigned reserved)
{
	lt_authz_reserve(router->core.authz, prefix, reserved);
}

struct lt_guard *lt_router_guard(struct lt_router *router)
{
	return router->core.guard;
}

struct lt_core *lt_router_core(struct lt_router *router)
{
	return &router->core;
}

struct lt_realm *lt_core_find_seat(struct lt_core *core, struct lt_str realm_name,
		struct lt_str role_name, const struct lt_role **ret_role, struct lt_err *err)
{
	struct lt_realm *realm = lt_realm_find(core, realm_name);

	*ret_role = lt_authz_role(core->authz, role_name);
	if (!realm || !*ret_role) {
		lt_err_set(err, LT_E_NOT_FOUND, "%s \"%.*s\" is not configured",
				realm ? "role" : "realm",
				LT_STR_ARG(realm ? role_name : realm_name));
		return NULL;
	}
	return realm;
}

bool lt_core_check_uri(struct lt_core *core, const struct lt_member *member, struct lt_str uri,
		enum lt_match match, struct lt_err *err)
{
	if (uri.n > core->limits.uri_bytes) {
		core->stats.limit_hits[LT_LIMIT_URI]++;
	}
	return lt_uri_check(uri, match, core->limits.uri_bytes, err) &&
			(!core->switches.strict_uris || lt_member_is_own(member) ||
					lt_uri_check_strict(uri, err));
}

const struct lt_limits *lt_router_limits(const struct lt_router *router)
{
	return &router->core.limits;
}

bool lt_router_add_realm(struct lt_router *router, struct lt_str name, struct lt_err *err)
{
	if (!lt_uri_check(name, LT_MATCH_EXACT, router->core.limits.uri_bytes, err)) {
		return lt_err_prefix(err, "realm");
	}
	if (lt_realm_find(&router->core, name)) {
		return lt_err_set(err, LT_E_EXISTS, "realm %.*s exists already", LT_STR_ARG(name));
	}

	struct lt_realm *realm = lt_realm_create(&router->core, name);

	DL_APPEND(router->core.realms, realm);
	return true;
}

bool lt_router_set_permissions(struct lt_router *router, struct lt_str json, struct lt_err *err)
{
	return lt_authz_load(router->core.authz, json, err);
}

bool lt_router_add_principal(
		struct lt_router *router, const struct lt_principal *principal, struct lt_err *err)
{
	if (!principal->role || !lt_authz_role(router->core.authz, lt_str_from(principal->role))) {
		return lt_err_set(err, LT_E_NOT_FOUND, "principal %s: role %s is not configured",
				principal->authid ? principal->authid : "",
				principal->role ? principal->role : "");
	}
	return lt_auth_add(router->core.auth, principal, err);
}

static bool check_principals(
		const struct lt_authz *authz, const struct lt_access *access, struct lt_err *err)
{
	for (size_t i = 0; i < access->principal_count; i++) {
		const struct lt_principal *principal = &access->principals[i];

		if (!lt_auth_check(principal, err)) {
			return false;
		}
		if (!lt_authz_role(authz, lt_str_from(principal->role))) {
			return lt_err_set(err, LT_E_NOT_FOUND,
					"principal %s: role %s is not configured",
					principal->authid, principal->role);
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(access->principals[j].authid, principal->authid) == 0) {
				return lt_err_set(err, LT_E_EXISTS, "principal %s exists already",
						principal->authid);
			}
		}
	}
	return true;
}

bool lt_router_check_permissions(struct lt_str json, struct lt_err *err)
{
	struct lt_authz *trial = lt_authz_create();
	bool ok = lt_authz_load(trial, json, err);

	lt_authz_destroy(trial);
	return ok;
}

bool lt_router_set_access(
		struct lt_router *router, const struct lt_access *access, struct lt_err *err)
{
	struct lt_authz *trial = lt_authz_create();
	bool ok = lt_authz_replace(trial, access->permissions, access->permission_count, err) &&
			check_principals(trial, access, err) &&
			lt_authz_replace(router->core.authz, access->permissions,
					access->permission_count, err);

	lt_authz_destroy(trial);
	if (ok) {
		lt_auth_replace(router->core.auth, access->principals, access->principal_count);
	}
	return ok;
}

void lt_router_set_limits(struct lt_router *router, const struct lt_limits *limits,
		const struct lt_switches *switches)
{
	struct lt_limits fresh = *limits;

	lt_limits_fill(&fresh);
	fresh.connections = router->core.limits.connections;
	fresh.message_bytes = router->core.limits.message_bytes;
	fresh.retained_bytes = router->core.limits.retained_bytes;
	fresh.retained_topics = router->core.limits.retained_topics;
	router->core.limits = router->env.limits = fresh;
	router->core.switches = router->env.switches = *switches;
	lt_auth_set_tickets(router->core.auth, !switches->no_ticket);
}

bool lt_router_set_tls(
		struct lt_router *router, const char *cert, const char *key, struct lt_err *err)
{
	return lt_listeners_set_tls(router->listeners, cert, key, err);
}

bool lt_router_listen(struct lt_router *router, struct lt_str address, struct lt_err *err)
{
	return lt_listeners_open(router->listeners, address, err);
}

bool lt_router_reload_tls(struct lt_router *router, struct lt_err *err)
{
	return lt_listeners_reload_tls(router->listeners, err);
}

const char *lt_router_listener(const struct lt_router *router, size_t i)
{
	return lt_listeners_address(router->listeners, i);
}

void lt_router_stop(struct lt_router *router, uint32_t grace_ms, void (*done)(void *arg), void *arg)
{
	struct lt_session *session = router->core.sessions;

	/* A session ends only in a callback of its transport, so the list holds still. */
	for (; session; session = lt_session_next(session)) {
		lt_session_shutdown(session);
	}
	lt_listeners_stop(router->listeners, grace_ms, done, arg);
}

struct lt_http *lt_router_http(struct lt_router *router)
{
	return lt_listeners_http(router->listeners);
}

void lt_router_report(const struct lt_router *router, struct lt_router_stats *ret_stats)
{
	const struct lt_realm *realm;

	*ret_stats = router->core.stats;
	DL_FOREACH(router->core.realms, realm) {
		lt_realm_report(realm, ret_stats);
	}
	lt_listeners_report(router->listeners, ret_stats);
	ret_stats->limit_hits[LT_LIMIT_QUEUE_BYTES] = ret_stats->slow_peers_ended;
}

void lt_router_count_roles(const struct lt_router *router, lt_router_count_fn fn, void *arg)
{
	lt_authz_count(router->core.authz, fn, arg);
}

void lt_router_count_transports(const struct lt_router *router, lt_router_count_fn fn, void *arg)
{
	const struct lt_transport_count *counts = router->core.transports;

	for (size_t i = 0; i < LT_TRANSPORTS_MAX && counts[i].name; i++) {
		fn(arg, counts[i].name, counts[i].sessions);
	}
}
