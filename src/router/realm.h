/*
 * A realm: its members, broker and dealer. Members are embedded in sessions,
 * which own them; the realm only links them.
 */
#ifndef LT_ROUTER_REALM_H
#define LT_ROUTER_REALM_H

#include <stdint.h>

#include "base/str.h"
#include "router/broker.h"
#include "router/dealer.h"
#include "router/member.h"

struct lt_realm {
	struct lt_realm *prev, *next; /* of the router */
	struct lt_core *core;
	char *name;
	struct lt_broker *broker;
	struct lt_dealer *dealer;
	struct lt_member *members;  /* by id; private */
	struct lt_member *watchers; /* who want to know who leaves; private */
};

struct lt_realm *lt_realm_create(struct lt_core *core, struct lt_str name);
void lt_realm_destroy(struct lt_realm *realm); /* all members have left; NULL is fine */

struct lt_realm *lt_realm_find(const struct lt_core *core, struct lt_str name); /* or NULL */

/* A random id that no member has. */
uint64_t lt_realm_new_id(const struct lt_realm *realm, struct lt_core *core);

/* The member of this id or NULL. */
struct lt_member *lt_realm_member(const struct lt_realm *realm, uint64_t id);

/* Each member; fn may end the one that it is called with. */
void lt_realm_each(const struct lt_realm *realm, lt_member_fn fn, void *arg);

void lt_realm_join(struct lt_realm *realm, struct lt_member *member);

/* Ends all that the member has, publishes its testaments and tells those who watch. */
void lt_realm_leave(struct lt_realm *realm, struct lt_member *member);

void lt_realm_report(const struct lt_realm *realm, struct lt_router_stats *ret_stats);

#endif
