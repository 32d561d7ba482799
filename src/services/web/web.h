/*
 * HTTP for people and tools, on the router's listeners.
 *
 *   GET /                    viewer page (web_static.h), also for /service/UUID and so on
 *   GET /directory.json      [manifest, ...] of the services that are not hidden
 *   GET /state/UUID.json     state of a service, at most a second old
 *   GET /relays              {"args": [{"ws://this-host/ws": connections}]}, for old clients
 *   GET /health              {"status", "live", "ready", "reason"?, "version", "uptime_s", ...}
 *   GET /healthz             "ok" while the loop turns; also /health/live
 *   GET /readyz              "ready", or 503 with the reason; also /health/ready
 *
 * The documents have strong ETags, Cache-Control for a CDN, CORS and a gzip
 * form. The states come from livetiming.service.requestState.UUID, so those of
 * remote services are served as well.
 */
#ifndef LT_SERVICES_WEB_WEB_H
#define LT_SERVICES_WEB_WEB_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_http_req;
struct lt_router;
struct lt_web;

/* All borrowed; they outlive the module. */
struct lt_web_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router; /* with the realm LT_REALM */
	const char *dir;          /* of the page */
	const char *version;
	bool trust_proxy; /* believe X-Forwarded-Proto */
	/* Private services: 200, or the status to refuse a request with. NULL: there are none. */
	bool (*is_closed)(void *arg, struct lt_str uuid);
	int (*gate)(void *arg, struct lt_str uuid, struct lt_http_req *req);
	void *private_arg;
	const char *frame_ancestors; /* who may frame /embed/ and /overlay/: "'none'", "*", origins
				      */
	const char *connect_to;      /* a server that has recordings; NULL: this one has */
	/* Why viewers should be sent elsewhere, one sentence, static; NULL: they should not.
	   NULL function: never. */
	const char *(*trouble)(void *arg);
	void *arg;
};

struct lt_web *lt_web_create(const struct lt_web_env *env);
void lt_web_destroy(struct lt_web *web); /* stops first; NULL is fine */

/* Read the page (blocking), join the realm, add the routes. Without a page it serves the rest. */
bool lt_web_start(struct lt_web *web, struct lt_err *err);
void lt_web_stop(struct lt_web *web);

/* From now on the daemon is not ready: it is about to end. */
void lt_web_drain(struct lt_web *web);

#endif
