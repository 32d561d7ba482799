/*
 * POST /call: one WAMP call over plain HTTP, as Crossbar's REST caller has it.
 *
 *   {"procedure": "com.example.add", "args": [1, 2], "kwargs": {}}
 *   -> 200 {"args": [3], "kwargs": {}}
 *   -> 200 {"error": "wamp.error.no_such_procedure", "args": ["..."], "kwargs": {}}
 *
 * args and kwargs may be absent or null. An error of the call is an answer like
 * any other (200); 400, 411 and 413 mean that the request itself is wrong, 503
 * that the router stops. All calls are made by one session in process with role
 * anonymous, so they may do what an anonymous peer may.
 */
#ifndef LT_ROUTER_HTTP_CALL_H
#define LT_ROUTER_HTTP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_http_call;
struct lt_router;

struct lt_http_call_opts {
	struct lt_router *router; /* outlives it */
	const char *realm;        /* copied */
	size_t body_bytes;        /* longer requests are refused [1 MiB] */
	uint32_t timeout_ms;      /* of a call [30000] */
};

struct lt_http_call *lt_http_call_create(const struct lt_http_call_opts *opts);
void lt_http_call_destroy(struct lt_http_call *bridge); /* stops first; NULL is fine */

/* Join the realm, add the route. */
bool lt_http_call_start(struct lt_http_call *bridge, struct lt_err *err);
/* Remove the route; calls that run are answered with 503. */
void lt_http_call_stop(struct lt_http_call *bridge);

#endif
