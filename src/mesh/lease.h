/*
 * A role of which the mesh has one: who has it claims it again and again, and
 * another takes over when that ends, within LT_BUS_LEASE_MS and a claim.
 *
 * Without the bus nobody can know who has it. Then a role that may be had
 * twice (recording) is taken by everybody, and any other stays with whom it
 * was; a node that has not seen the bus since its start takes both. That the
 * bus does not answer takes no role away: only another holder does. So in a
 * partition there is one on each side, and when it heals one of them is told
 * to let go.
 */
#ifndef LT_MESH_LEASE_H
#define LT_MESH_LEASE_H

#include "base/log.h"
#include "base/loop.h"
#include "mesh/bus.h"

struct lt_lease;

#define LT_LEASE_CLAIM_MS 1500

struct lt_lease_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_bus *bus;
	const char *key;    /* of the role; a word */
	const char *holder; /* this run of this node */
	bool may_be_twice;
	/* It is ours from now on, or not any more. Not from inside a call. */
	void (*changed)(void *arg, bool is_ours);
	void *arg;
};

/* Texts are copied. It is not ours in the beginning. */
struct lt_lease *lt_lease_create(const struct lt_lease_env *env);
void lt_lease_destroy(struct lt_lease *lease); /* the bus has been stopped; NULL is fine */

void lt_lease_start(struct lt_lease *lease);
void lt_lease_stop(struct lt_lease *lease); /* gives it up; `changed` is not called any more */
void lt_lease_bus(struct lt_lease *lease, bool is_up);

bool lt_lease_is_ours(const struct lt_lease *lease);
/* Who has it as far as is known: a holder, or "". Borrowed. */
const char *lt_lease_holder(const struct lt_lease *lease);

#endif
