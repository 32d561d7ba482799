/*
 * A realm over several nodes: carries the events of this node's sessions to
 * the others and theirs to here, keeps the retained events of all alike, and
 * links the nodes for calls (nodes.h). docs/mesh.md tells what holds and what
 * becomes of it under each fault.
 *
 *   <prefix>.live.<topic>   events
 *   <prefix>.kept.<topic>   events that are retained, and their end; stored by the bus
 *
 * Events of one run of a node are numbered. What came before is dropped; a gap,
 * and every new connection of the bus, makes the node read anew what is stored,
 * and say anew what it has itself. Local sessions never wait for the bus.
 */
#ifndef LT_MESH_BRIDGE_H
#define LT_MESH_BRIDGE_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "mesh/bus.h"
#include "mesh/nodes.h"

struct lt_bridge;
struct lt_router;

struct lt_bridge_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_random *random;
	struct lt_router *router; /* with its realm */
	struct lt_str realm;
	struct lt_bus *bus; /* borrowed; not started */
	const char *prefix, *node, *role;
	/* Topics that each node has for itself: they are not carried. Ends with NULL. */
	const char *const *home_topics;
	/* A name that is closed at another node is to be closed here. NULL: nobody cares. */
	void (*closed)(void *arg, struct lt_str name);
	/* The bus came or went: leases hang on it. NULL: nobody cares. */
	void (*state)(void *arg, bool is_up);
	void *arg;
};

struct lt_bridge_stats {
	uint64_t events_out, events_in;
	uint64_t duplicates; /* dropped: they had been here */
	uint64_t gaps;       /* events that did not come */
	uint64_t refused;    /* events that the bus did not take */
	uint64_t broken;     /* messages that could not be understood */
	uint64_t replays;
	uint64_t kept;          /* topics with retained events, of all nodes */
	uint32_t nodes, linked; /* others */
	bool is_current;        /* what is stored has been read since the bus came */
};

struct lt_bridge *lt_bridge_create(const struct lt_bridge_env *env);
void lt_bridge_destroy(struct lt_bridge *bridge); /* NULL is fine */

/* Start the bus and listen to the realm. Errors: LT_E_NOT_FOUND no such realm. */
bool lt_bridge_start(struct lt_bridge *bridge, struct lt_err *err);
/* Say goodbye, stop the bus; `done` within the time of lt_bus_stop. */
void lt_bridge_stop(struct lt_bridge *bridge, void (*done)(void *arg), void *arg);

const char *lt_bridge_run(const struct lt_bridge *bridge);
void lt_bridge_report(const struct lt_bridge *bridge, struct lt_bridge_stats *ret);
void lt_bridge_each_node(const struct lt_bridge *bridge,
		void (*fn)(void *arg, const struct lt_node_view *view), void *arg);

#endif
