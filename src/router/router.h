/*
 * Facade of the WAMP router: realms, roles, principals, limits, listeners and
 * figures. Knows nothing of motorsport. Wire behaviour: docs/router.md.
 *
 * Created without I/O; lt_router_listen opens sockets; lt_router_stop says
 * GOODBYE (wamp.close.system_shutdown) to all and closes within its grace
 * time; destroy frees.
 */
#ifndef LT_ROUTER_ROUTER_H
#define LT_ROUTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/str.h"

struct lt_router;
struct lt_http;

/* Bounds; zero means the default in brackets. */
struct lt_limits {
	size_t message_bytes;             /* one message [4 MiB] */
	size_t queue_bytes;               /* queued for one connection before it is ended [8 MiB] */
	size_t queue_soft_bytes;          /* ... before retained topics conflate [1 MiB] */
	size_t retained_bytes;            /* all retained events of a realm [256 MiB] */
	uint32_t retained_topics;         /* [65536] */
	uint32_t subscriptions;           /* per session [4096] */
	uint32_t registrations;           /* per session [4096] */
	uint32_t calls;                   /* outstanding per session [1024] */
	uint32_t uri_bytes;               /* [1024] */
	uint32_t nesting;                 /* JSON depth [512] */
	uint32_t connections;             /* all listeners [20000] */
	uint32_t connections_per_address; /* 0: no bound */
	uint32_t hello_timeout_ms; /* connection without HELLO, challenge without answer [30000] */
	uint32_t ping_interval_ms; /* idle connection; dropped after two unanswered [30000] */
};

struct lt_router_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	const char *agent; /* WELCOME.Details.agent: "livetimingd-0.1.0" */
	struct lt_limits limits;
};

struct lt_router *lt_router_create(const struct lt_router_env *env);
void lt_router_destroy(struct lt_router *router);

/* The limits in force, defaults filled in. */
const struct lt_limits *lt_router_limits(const struct lt_router *router);

/* Realms are configured, never made by a client's HELLO. */
bool lt_router_add_realm(struct lt_router *router, struct lt_str name, struct lt_err *err);

/*
 * Roles and permissions: JSON in the shape that Crossbar users know,
 * {"roles": {"anonymous": {"permissions": [{"uri": "", "match": "prefix",
 *   "allow": {"call": true, "register": false, "publish": false, "subscribe": true},
 *   "disclose": {"caller": false, "publisher": false}}]}}}
 * The most specific rule that matches decides (exact, longest prefix, wildcard).
 * Without a call the two roles of the original are in force: anonymous may call
 * and subscribe but touch nothing under "wamp."; services may do everything.
 */
bool lt_router_set_permissions(struct lt_router *router, struct lt_str json, struct lt_err *err);

/*
 * A principal for WAMP-CRA. Plain: salt is empty, iterations 0. Salted: `secret`
 * is the base64 text of the derived key, which is what the file stores. The
 * secret is copied and wiped on destroy.
 */
struct lt_principal {
	const char *authid, *role;
	struct lt_str secret;
	struct lt_str salt;
	uint32_t iterations, keylen;
};
bool lt_router_add_principal(
		struct lt_router *router, const struct lt_principal *principal, struct lt_err *err);

/*
 * Open a listener: "127.0.0.1:8080", "[::]:8080", "unix:/path". WebSocket at
 * /ws and /, HTTP at the same address through lt_router_http. Stale unix
 * sockets are replaced; the error names address and reason ("address already
 * in use"). Port 0 picks a free one.
 */
bool lt_router_listen(struct lt_router *router, struct lt_str address, struct lt_err *err);

/* Address of listener i as it can be connected to ("127.0.0.1:40001"), or NULL. Borrowed. */
const char *lt_router_listener(const struct lt_router *router, size_t i);

/* GOODBYE to every session, close everything; `done` is called once when all are gone. */
void lt_router_stop(
		struct lt_router *router, uint32_t grace_ms, void (*done)(void *arg), void *arg);

/* HTTP on the same listeners: register routes there. Owned by the router. */
struct lt_http *lt_router_http(struct lt_router *router);

/* Figures for metrics and `livetimingctl status`. */
struct lt_router_stats {
	uint64_t connections, sessions, subscriptions, registrations, retained_topics,
			retained_bytes;
	uint64_t sessions_total, events_published, events_sent, calls, bytes_sent, bytes_received;
	uint64_t slow_peers_ended, events_conflated, protocol_errors, auth_failures;
};
void lt_router_report(const struct lt_router *router, struct lt_router_stats *ret_stats);

#endif
