/*
 * What all parts of one router share: created by router.c, borrowed by
 * everything else in this layer. Nobody outside the layer includes this.
 */
#ifndef LT_ROUTER_CORE_H
#define LT_ROUTER_CORE_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "router/router.h"
#include "router/wamp_msg.h"

struct lt_auth;
struct lt_authz;
struct lt_realm;

struct lt_core {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_limits limits; /* defaults filled in */
	char *agent;
	struct lt_authz *authz;
	struct lt_auth *auth;
	struct lt_realm *realms;       /* list */
	struct lt_session *sessions;   /* list of socket sessions, whatever their state */
	struct lt_msg_scratch scratch; /* for decoding one message of a socket session */
	struct lt_router_stats stats;  /* the counters among them */
};

struct lt_core *lt_router_core(struct lt_router *router);

#endif
