/*
 * The nodes of the mesh and the links between them. Each node says every two
 * seconds that it is there; one that was silent for six, or said goodbye, is
 * gone. Between each two of them is a link, which carries what remote.h has:
 * numbered in both directions, so that a message that was lost is noticed, by
 * the next one or by what the other side says it has sent. Then both sides
 * begin anew.
 *
 *   <prefix>.nodes      {"node","run","role","since","seq","links":{run:[ours,theirs,sent]}}
 *                       or with "bye":true
 *   <prefix>.to.<run>   {"node","run","role","since","ours","theirs","n"}\n and a message of
 *                       remote.h; without one: how a link begins
 *
 * A side of a link has a number, drawn anew whenever it begins. "ours" is that
 * of the sender, "theirs" what it knows of the receiver (0: nothing). A message
 * counts when both are right. A node that hears another say something else than
 * what it knows begins anew.
 *
 * Runs, not names, are the identities: a node that was started again is another
 * one, and of two with the same name the one started later counts.
 */
#ifndef LT_MESH_NODES_H
#define LT_MESH_NODES_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "mesh/bus.h"
#include "router/meta_event.h"

struct lt_nodes;
struct lt_router;

#define LT_NODES_BEAT_MS 2000
#define LT_NODES_GONE_MS 6000
#define LT_RUN_TEXT      24

/* One node as others see it. */
struct lt_node_view {
	const char *node, *run, *role;
	bool is_linked;
	int64_t silent_ms;
};

struct lt_nodes_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_str realm;
	struct lt_bus *bus;
	const char *prefix, *node, *role;
	uint64_t (*last_seq)(void *arg); /* of the events that this node has sent */
	/* Another node says that its last event was `seq`. */
	void (*heard)(void *arg, struct lt_str run, uint64_t seq);
	void (*gone)(void *arg, struct lt_str run); /* a node is */
	void *arg;
};

/* Texts are copied. */
struct lt_nodes *lt_nodes_create(const struct lt_nodes_env *env);
void lt_nodes_destroy(struct lt_nodes *nodes); /* NULL is fine */

const char *lt_nodes_run(const struct lt_nodes *nodes); /* id of this run of this node */

void lt_nodes_up(struct lt_nodes *nodes);      /* the bus is; links begin */
void lt_nodes_down(struct lt_nodes *nodes);    /* all links end */
void lt_nodes_goodbye(struct lt_nodes *nodes); /* tell the others, and end all links */

/* A message below <prefix>.nodes or <prefix>.to. False: it was none that can be understood. */
bool lt_nodes_message(
		struct lt_nodes *nodes, const struct lt_bus_message *message, struct lt_err *err);

/* Is this run of a node there, or this one? */
bool lt_nodes_has(const struct lt_nodes *nodes, struct lt_str run);
/* Of all nodes that are there, is this the one that cleans up? */
bool lt_nodes_is_first(const struct lt_nodes *nodes);

void lt_nodes_registered(struct lt_nodes *nodes, const struct lt_pattern_view *registration);
void lt_nodes_unregistered(struct lt_nodes *nodes, uint64_t registration);

/* This node is not among them. */
void lt_nodes_each(const struct lt_nodes *nodes,
		void (*fn)(void *arg, const struct lt_node_view *view), void *arg);

#endif
