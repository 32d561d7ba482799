/*
 * A realm seen from who carries it to other nodes (src/mesh): what is
 * published and registered here by sessions of this node is told, and what
 * comes from other nodes is put in. At most one listener per realm.
 *
 * Its callbacks come from inside of publishing and registering: they must not
 * call the router. Everything is borrowed for the call. What other nodes say
 * was checked there: roles, permissions and options.
 */
#ifndef LT_ROUTER_REALM_LINK_H
#define LT_ROUTER_REALM_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "router/meta_event.h"
#include "router/wamp_msg.h"

struct lt_router;

/* A publication between nodes. */
struct lt_link_event {
	struct lt_str topic;
	uint64_t publication;
	struct lt_str disclosure;   /* members of EVENT.Details, a comma before each */
	const struct lt_str *lists; /* LT_LISTS black and white lists, as options.h has them */
	bool retain;
	bool is_quiet;        /* received: only retained, delivered to nobody */
	struct lt_body body;  /* what is delivered */
	struct lt_body kept;  /* what is retained in its place; serializer NULL: the same */
	struct lt_str closed; /* told: the closed name in the topic (guard.h); n 0: none */
};

struct lt_realm_listener {
	void (*event)(void *arg, const struct lt_link_event *event);
	void (*unretained)(void *arg, struct lt_str topic);
	/* The first callee of this node, the last one: `id` is of this node. */
	void (*registered)(void *arg, const struct lt_pattern_view *registration);
	void (*unregistered)(void *arg, uint64_t id);
	void *arg;
};

/* Borrowed until it is replaced; NULL: nobody listens. Errors: LT_E_NOT_FOUND no such realm. */
bool lt_realm_link_set(struct lt_router *router, struct lt_str realm,
		const struct lt_realm_listener *listener, struct lt_err *err);

/* Retain and deliver to all who match. Errors: LT_E_URI, LT_E_INVALID a wrong list. */
bool lt_realm_link_receive(struct lt_router *router, struct lt_str realm,
		const struct lt_link_event *event, struct lt_err *err);

/* Forget a retained event; the listener is not told. */
void lt_realm_link_forget(struct lt_router *router, struct lt_str realm, struct lt_str topic);

/* The arguments of a retained event in JSON; false: the topic has none. Borrowed until it
 * changes. */
bool lt_realm_link_kept(struct lt_router *router, struct lt_str realm, struct lt_str topic,
		struct lt_body *ret);

/* Each registration that has a callee of this node. */
void lt_realm_link_each_registration(
		struct lt_router *router, struct lt_str realm, lt_pattern_fn fn, void *arg);

#endif
