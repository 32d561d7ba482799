/*
 * One side of the link to another node (nodes.h): numbers of both sides and
 * of messages, and the remote (remote.h) while it stands.
 */
#ifndef LT_MESH_NODE_LINK_H
#define LT_MESH_NODE_LINK_H

#include "base/log.h"
#include "base/random.h"
#include "mesh/bus.h"

struct lt_node_link;
struct lt_router;

struct lt_node_link_env {
	struct lt_log log;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_str realm;
	struct lt_bus *bus;
	const char *prefix;
	const char *head;       /* members of every head, without braces */
	const char *node, *run; /* of the other side */
};

/* Texts are borrowed for as long as the link lives. */
struct lt_node_link *lt_node_link_create(const struct lt_node_link_env *env);
void lt_node_link_destroy(struct lt_node_link *link); /* ends it; NULL is fine */

bool lt_node_link_is_up(const struct lt_node_link *link);

/* Begin, anew if it stood: all calls over it end. */
void lt_node_link_begin(struct lt_node_link *link);
/* It has begun but does not stand: say so again. */
void lt_node_link_nudge(struct lt_node_link *link);
void lt_node_link_end(struct lt_node_link *link); /* without telling the other side */

/* From the other side: numbers, and a message (n 0: none). */
struct lt_node_link_numbers {
	uint64_t ours, theirs, n; /* as the sender says: of itself, of us, of the message */
};
void lt_node_link_message(struct lt_node_link *link, const struct lt_node_link_numbers *numbers,
		struct lt_str message);

/* What the other side says of the link: numbers, and how many messages it has sent. */
void lt_node_link_check(struct lt_node_link *link, const struct lt_node_link_numbers *numbers);
void lt_node_link_numbers(const struct lt_node_link *link, struct lt_node_link_numbers *ret);

struct lt_remote *lt_node_link_remote(struct lt_node_link *link); /* NULL: it does not stand */

#endif
