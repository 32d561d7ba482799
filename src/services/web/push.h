/*
 * POST /push/NAME-OR-UUID: a message for a service (plugin_ext_inbox.c), from
 * whoever has its token: Authorization: Bearer TOKEN. The body is the JSON that
 * the service's plugin takes (docs/push.md).
 *
 *   200 {"ok": true, ...}   taken
 *   400 {"error": sentence} not taken, and why: the sentence names the field
 *   401 {"error": ...}      without the right token
 *   404, 413, 415, 429 (with Retry-After), 503
 *
 * The message goes to the service as a call of livetiming.push.UUID, so services
 * in processes of their own, here or elsewhere, are reached as well.
 */
#ifndef LT_SERVICES_WEB_PUSH_H
#define LT_SERVICES_WEB_PUSH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct lt_push;
struct lt_router;

struct lt_push_env {
	struct lt_router *router; /* with the realm LT_REALM; outlives it */
	/* UUID of the service of this name; borrowed until the next turn. False: no such one. */
	bool (*find)(void *arg, struct lt_str name, struct lt_str *ret_uuid, struct lt_err *err);
	void *arg;
};

/* Reserves the procedures for the role "services": before sessions join. */
struct lt_push *lt_push_create(const struct lt_push_env *env);
void lt_push_destroy(struct lt_push *push); /* stops first; NULL is fine */

/* Join the realm, add the route. */
bool lt_push_start(struct lt_push *push, struct lt_err *err);
/* Remove the route; messages on their way are answered with 503. */
void lt_push_stop(struct lt_push *push);

#endif
