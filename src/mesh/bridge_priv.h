/* Inside of the bridge: bridge.c (life, this node's events), bridge_in.c (others'). */
#ifndef LT_MESH_BRIDGE_PRIV_H
#define LT_MESH_BRIDGE_PRIV_H

#include "base/table.h"
#include "mesh/bridge.h"
#include "mesh/kept.h"
#include "router/realm_link.h"

/* How far the events of one run of a node have come. */
struct lt_bridge_origin {
	UT_hash_handle hh;
	char *run;
	uint64_t last_seq;   /* 0: none yet */
	struct lt_mono gone; /* us -1: it is there */
};

struct lt_bridge {
	struct lt_bridge_env env;
	char *prefix, *node;
	struct lt_realm_listener listener;
	struct lt_nodes *nodes;
	struct lt_kept *kept;
	struct lt_bridge_origin *origins; /* by run */
	struct lt_mesh_event_scratch scratch;
	struct lt_bridge_stats stats;
	uint64_t last_seq; /* of this node's events */
	uint64_t round;    /* of replays */
	bool is_up, is_replaying, replay_again, is_listening;
	struct lt_timer more;        /* of saying anew */
	struct lt_timer retry, tidy; /* of a replay that failed; of what is long gone */
	struct lt_mono told_broken;
};

/* Does each node have this topic for itself? */
bool lt_bridge_is_home(const struct lt_bridge *bridge, struct lt_str topic);

/* A message below <prefix>.live or <prefix>.kept. */
void lt_bridge_on_event(struct lt_bridge *bridge, const struct lt_bus_message *message);

/* The last event of a run was this one. */
void lt_bridge_heard(struct lt_bridge *bridge, struct lt_str run, uint64_t seq);
void lt_bridge_node_gone(struct lt_bridge *bridge, struct lt_str run);

void lt_bridge_want_replay(struct lt_bridge *bridge);
void lt_bridge_replayed(struct lt_bridge *bridge, bool ok);

/* Every minute: forget runs that are long gone, and what is left of them. */
void lt_bridge_tidy(void *arg);
void lt_bridge_free_origins(struct lt_bridge *bridge);

/* A message that was not understood; told once a minute. */
void lt_bridge_broken(struct lt_bridge *bridge, const struct lt_err *err);

#endif
