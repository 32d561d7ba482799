/*
 * A service without a router: its own WebSocket server for its viewers. Every
 * message is the text of [topic, envelope], with the topics and envelopes that a
 * router would carry; each goes to every client. When a client comes, the
 * manifest, the state and all analysis are said again, to all.
 *
 * Like the uplink it has a session in the realm of the process, so the service
 * does not know where it is.
 */
#ifndef LT_SERVICES_OUTSIDE_STANDALONE_H
#define LT_SERVICES_OUTSIDE_STANDALONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_router;
struct lt_standalone;

/* Borrowed, the texts are copied. */
struct lt_standalone_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router; /* of the process; has the realm and the role "services" */
	const char *uuid;
	const cJSON *manifest; /* if it was said already; copied; NULL: it will be */
	uint16_t port;         /* 0: any */
};

struct lt_standalone *lt_standalone_create(const struct lt_standalone_env *env);
void lt_standalone_destroy(struct lt_standalone *standalone); /* NULL is fine */

/* Listen; the port that it is then. */
bool lt_standalone_start(struct lt_standalone *standalone, struct lt_err *err);
uint16_t lt_standalone_port(const struct lt_standalone *standalone);

#endif
