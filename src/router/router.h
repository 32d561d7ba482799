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

#include "base/histogram.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/str.h"

struct lt_guard;
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
	uint32_t testaments;              /* per session; together no larger than a message [64] */
	uint32_t uri_bytes;               /* [1024] */
	uint32_t nesting;                 /* JSON depth [512] */
	uint32_t connections;             /* all listeners [20000] */
	uint32_t connections_per_address; /* 0: no bound */
	uint32_t hello_timeout_ms; /* connection without HELLO, challenge without answer [30000] */
	uint32_t ping_interval_ms; /* idle connection; dropped after two unanswered [30000] */
	/* Messages of one session; 0: no bound. Of role anonymous; 0: as the others. */
	uint32_t messages_per_s, messages_per_s_anonymous;
	uint32_t message_burst; /* at once, before the rate counts [two seconds' worth] */
};

/* What is switched on or off; all false is the default. */
struct lt_switches {
	bool no_ticket;       /* ticket is not offered as a method */
	bool strict_uris;     /* sessions on connections: components of [0-9a-z_] alone */
	bool anonymous_count; /* role anonymous may call wamp.session.count */
};

/* A bound that was met, for lt_router_stats.limit_hits. */
enum lt_limit {
	LT_LIMIT_MESSAGE_BYTES, /* connections ended for a message over the bound */
	LT_LIMIT_QUEUE_BYTES,   /* connections ended because they did not read */
	LT_LIMIT_NESTING,
	LT_LIMIT_URI,
	LT_LIMIT_SUBSCRIPTIONS,
	LT_LIMIT_REGISTRATIONS,
	LT_LIMIT_CALLS,
	LT_LIMIT_TESTAMENTS,
	LT_LIMIT_RATE,
	LT_LIMIT_HELLO_TIMEOUT,
	LT_LIMIT_HANDSHAKE_TIMEOUT,
	LT_LIMIT_PING_TIMEOUT,
	LT_LIMIT_CONNECTIONS,
	LT_LIMIT_CONNECTIONS_PER_ADDRESS,
	LT_LIMITS_COUNT,
};
extern const char *const lt_limit_names[LT_LIMITS_COUNT]; /* "message_bytes" ... */

struct lt_router_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	const char *agent; /* WELCOME.Details.agent: "livetimingd-0.1.0" */
	const char *node;  /* name of this node, for the meta API; NULL: it is the only one */
	struct lt_limits limits;
	struct lt_switches switches;
	const char *tls_cert, *tls_key; /* PEM files for the ",tls" listeners, or NULL */
};

/* Defaults in place of the zeros. */
void lt_limits_fill(struct lt_limits *limits);

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
 * Procedures under this prefix are to be called, or registered, by the role
 * "services" alone, and by roles with a rule that begins with it. Before
 * sessions join.
 */
#define LT_RESERVE_CALL     1u
#define LT_RESERVE_REGISTER 2u
void lt_router_reserve(struct lt_router *router, struct lt_str prefix, unsigned reserved);

/* Names that exist for the role "services" and admitted sessions alone (guard.h). Borrowed. */
struct lt_guard *lt_router_guard(struct lt_router *router);

/*
 * A principal. Plain: salt is empty, iterations 0. Salted: `secret` is the
 * base64 text of the derived key, which is what the file stores. The ticket is
 * the secret unless another is given; a salted principal has none then. Secrets
 * are copied and wiped on destroy.
 */
#define LT_METHOD_WAMPCRA 1u
#define LT_METHOD_TICKET  2u
struct lt_principal {
	const char *authid, *role;
	struct lt_str secret;
	struct lt_str salt;
	uint32_t iterations, keylen;
	struct lt_str ticket; /* empty: none of its own */
	unsigned methods;     /* set of LT_METHOD_*; 0: all */
};
bool lt_router_add_principal(
		struct lt_router *router, const struct lt_principal *principal, struct lt_err *err);

/*
 * Other permissions (texts as above, in order, instead of all before) and other
 * principals, while sessions go on. Sessions keep their roles, and have the new
 * rights of these. All or nothing.
 */
struct lt_access {
	const struct lt_str *permissions;
	size_t permission_count;
	const struct lt_principal *principals;
	size_t principal_count;
};
/* Could these permissions be set? */
bool lt_router_check_permissions(struct lt_str json, struct lt_err *err);
bool lt_router_set_access(
		struct lt_router *router, const struct lt_access *access, struct lt_err *err);

/* Other limits and switches, for what happens from now on. Bounds of memory that is set aside at
 * the start (connections, message_bytes, retained_*) stay. */
void lt_router_set_limits(struct lt_router *router, const struct lt_limits *limits,
		const struct lt_switches *switches);

/*
 * Open a listener: "127.0.0.1:8080", "[::]:8080", "unix:/path": WebSocket at
 * /ws and /, HTTP at the same address through lt_router_http. With TLS:
 * "[::]:8443,tls". RawSocket: "rs:127.0.0.1:8081", "rs:unix:/path". Stale unix
 * sockets are replaced; the error names address and reason ("address already
 * in use"). Port 0 picks a free one.
 */
bool lt_router_listen(struct lt_router *router, struct lt_str address, struct lt_err *err);

/*
 * Read certificate and key again. Sessions stay; new connections get the new
 * certificate. On failure err says why, and the old one stays in use.
 */
bool lt_router_reload_tls(struct lt_router *router, struct lt_err *err);
/* The same with other files. */
bool lt_router_set_tls(
		struct lt_router *router, const char *cert, const char *key, struct lt_err *err);

/* Listener i in the form it was given, with its port ("127.0.0.1:40001"), or NULL. Borrowed. */
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
	uint64_t sessions_killed, testaments_published;
	uint64_t limit_hits[LT_LIMITS_COUNT]; /* indexed by enum lt_limit */
	struct lt_histogram call_us;          /* from CALL to the last answer; lt_histogram_us */
	struct lt_histogram queue_bytes;      /* of a connection about to be written; ..._bytes */
	/* From the first message queued for anybody to the last write of that round. */
	struct lt_histogram fanout_us;
};
void lt_router_report(const struct lt_router *router, struct lt_router_stats *ret_stats);

/* Joined sessions by role and by transport; names are borrowed for the call of fn. */
typedef void (*lt_router_count_fn)(void *arg, const char *name, uint64_t sessions);
void lt_router_count_roles(const struct lt_router *router, lt_router_count_fn fn, void *arg);
void lt_router_count_transports(const struct lt_router *router, lt_router_count_fn fn, void *arg);

#endif
