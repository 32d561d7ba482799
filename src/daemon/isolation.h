/*
 * Services in processes of their own (services/outside/child.h), as the daemon
 * has them: they join by RawSocket on a unix socket beside the control socket,
 * opened when the first one starts, with a secret that is made for this run of
 * the daemon and known to nobody else. Wiring alone.
 */
#ifndef LT_DAEMON_ISOLATION_H
#define LT_DAEMON_ISOLATION_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/conf.h"

struct lt_children;
struct lt_isolation;
struct lt_router;

/* Borrowed. */
struct lt_isolation_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_router *router;
	const struct lt_daemon_conf *conf;
};

struct lt_isolation *lt_isolation_create(const struct lt_isolation_env *env);
void lt_isolation_destroy(struct lt_isolation *isolation); /* after the services; NULL is fine */

struct lt_children *lt_isolation_children(struct lt_isolation *isolation);

struct lt_principal;

/* The one that children join as, borrowed; false: none has been started yet. */
bool lt_isolation_principal(
		const struct lt_isolation *isolation, struct lt_principal *ret_principal);

#endif
