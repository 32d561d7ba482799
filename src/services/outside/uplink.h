/*
 * The place of a service process in the realm of a router elsewhere.
 *
 * In the process the service runs as it does in the daemon: with sessions in a
 * realm of its own, which nobody else sees. The uplink joins that realm and the
 * router's, and carries over what is the service's: its manifest and states, its
 * analysis, the calls of its procedures, and the question of a directory for
 * manifests. So there is one timing service for all homes, and what waits while
 * the router is away are the retained events of the realm: of each topic the
 * newest, and nothing else.
 *
 * At each joining: the procedures are registered (force_reregister), then the
 * manifest and the newest state and analysis go out, once. After it what changes
 * goes out as it comes; when the connection does not keep up, of each topic only
 * the newest waits. Nothing goes out twice.
 */
#ifndef LT_SERVICES_OUTSIDE_UPLINK_H
#define LT_SERVICES_OUTSIDE_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/str.h"

struct lt_router;
struct lt_uplink;
struct lt_ws_hub;

/* Texts are copied, the rest is borrowed. */
struct lt_uplink_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_ws_hub *ws_hub;
	struct lt_router *router; /* of the process; has the realm and the role "services" */
	const char *url, *authid;
	struct lt_str secret;    /* p NULL: joins as anonymous */
	const char *uuid;        /* of the service */
	const cJSON *manifest;   /* if it was said already; copied; NULL: it will be */
	const int64_t *waits_ms; /* borrowed; NULL: those of net/backoff.h */
	size_t waits_n;
	/*
	 * The router does not let us in, or does not let us serve, and never has:
	 * trying again would not help. Called at the end of a turn.
	 */
	void (*refused)(void *arg, const char *reason);
	void *arg;
};

/* LT_E_INVALID: no such URL. Opens nothing. */
struct lt_uplink *lt_uplink_create(const struct lt_uplink_env *env, struct lt_err *err);
void lt_uplink_destroy(struct lt_uplink *uplink); /* NULL is fine */

bool lt_uplink_start(struct lt_uplink *uplink, struct lt_err *err);

/* Send what waits, say GOODBYE, end: `done` is called once, within about 2 s. */
void lt_uplink_stop(struct lt_uplink *uplink, void (*done)(void *arg), void *arg);

bool lt_uplink_is_joined(const struct lt_uplink *uplink);

#endif
