/*
 * Another node as a member of the realm: callee for what is registered there,
 * caller for what its sessions call here. One on each side make a link, over
 * which go WAMP messages in JSON, sender and receiver being equals:
 *
 *   REGISTER [64, id, options, uri]             my callees take calls; id is mine
 *   UNREGISTER [66, id, id]                     they do not any more
 *   UNREGISTERED [67, id]                       yours were taken from you by force
 *   INVOCATION [68, call, id, details, ...]     call of your registration
 *   INTERRUPT [69, call, options]               cancel it
 *   RESULT, ERROR [50, call, ...] [8, 48, ...]  its outcome; results may be progressive
 *
 * Messages must arrive in order and completely; where that breaks, both sides
 * leave and join anew, and all calls under way end in wamp.error.canceled.
 */
#ifndef LT_ROUTER_REMOTE_H
#define LT_ROUTER_REMOTE_H

#include <stdbool.h>

#include "base/str.h"
#include "router/meta_event.h"

struct lt_remote;
struct lt_router;

struct lt_remote_env {
	struct lt_router *router;
	struct lt_str realm;
	const char *node; /* its name; copied */
	/*
	 * Send to the other side; from inside of the router, so it must not call
	 * back. false: the message is too large, or the link is broken, which its
	 * owner learns by itself.
	 */
	bool (*send)(void *arg, struct lt_str message, struct lt_err *err);
	void *arg;
};

/* Errors: LT_E_NOT_FOUND no such realm. */
struct lt_remote *lt_remote_join(const struct lt_remote_env *env, struct lt_err *err);
void lt_remote_leave(struct lt_remote *remote); /* frees; NULL is fine */

/* A message of the other side. Errors: LT_E_FORMAT, and it did nothing. */
bool lt_remote_receive(struct lt_remote *remote, struct lt_str message, struct lt_err *err);

/* Tell the other side of a registration of this node, and of its end. */
void lt_remote_offer(struct lt_remote *remote, const struct lt_pattern_view *registration);
void lt_remote_withdraw(struct lt_remote *remote, uint64_t registration);

#endif
