/*
 * What all parts of one router share: created by router.c, borrowed by
 * everything else in this layer. Nobody outside the layer includes this.
 */
#ifndef LT_ROUTER_CORE_H
#define LT_ROUTER_CORE_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "router/local.h"
#include "router/router.h"
#include "router/wamp_msg.h"

struct lt_auth;
struct lt_authz;
struct lt_guard;
struct lt_member;
struct lt_realm;
struct lt_role;

/* Joined sessions of one kind of transport. */
#define LT_TRANSPORTS_MAX 8
struct lt_transport_count {
	const char *name; /* static; NULL: the entry is free */
	uint64_t sessions;
};

struct lt_core {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_limits limits; /* defaults filled in */
	struct lt_switches switches;
	char *agent, *node; /* node NULL: it is the only one */
	struct lt_authz *authz;
	struct lt_auth *auth;
	struct lt_guard *guard;        /* closed names, in all realms */
	struct lt_realm *realms;       /* list */
	struct lt_session *sessions;   /* list of socket sessions, whatever their state */
	struct lt_msg_scratch scratch; /* for decoding one message of a socket session */
	struct lt_router_stats stats;  /* the counters among them */
	struct lt_transport_count transports[LT_TRANSPORTS_MAX];
};

struct lt_core *lt_router_core(struct lt_router *router);

/* What a member needs that comes by no socket. NULL: one of the two is not configured. */
struct lt_realm *lt_core_find_seat(struct lt_core *core, struct lt_str realm_name,
		struct lt_str role_name, const struct lt_role **ret_role, struct lt_err *err);

/*
 * As lt_uri_check with the router's bounds, and strictly where that is
 * configured. Modules in process are exempt from that: their names are fixed.
 */
bool lt_core_check_uri(struct lt_core *core, const struct lt_member *member, struct lt_str uri,
		enum lt_match match, struct lt_err *err);

#endif
