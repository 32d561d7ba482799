/*
 * Testaments: what the router publishes in the name of a session when it has
 * ended, however it ended: "this service died" for free. Sessions do not
 * outlive their connection here, so the scopes "detached" and "destroyed" fall
 * due together, in this order.
 *
 * Bounded per session in number (lt_limits.testaments) and in bytes: together
 * no more than one message may have.
 */
#ifndef LT_ROUTER_TESTAMENT_H
#define LT_ROUTER_TESTAMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_broker;
struct lt_core;
struct lt_member;

enum lt_testament_scope { LT_SCOPE_DETACHED, LT_SCOPE_DESTROYED };

/* All texts are copied; args, kwargs and options are JSON, empty or p NULL when absent. */
struct lt_testament_value {
	struct lt_str topic, args, kwargs, options;
	enum lt_testament_scope scope;
};

/* Errors: LT_E_URI, LT_E_DENIED may not publish there, LT_E_INVALID options, LT_E_LIMIT. */
bool lt_testament_add(struct lt_core *core, struct lt_broker *broker, struct lt_member *member,
		const struct lt_testament_value *value, struct lt_err *err);

/* Forget those of a scope; returns how many there were. */
uint32_t lt_testament_flush(struct lt_member *member, enum lt_testament_scope scope);

/* The session has ended: publish and forget all. */
void lt_testament_execute(struct lt_core *core, struct lt_broker *broker, struct lt_member *member);

#endif
