/*
 * Events between nodes as bytes. Pure.
 *
 *   {"node":"edge1","run":"9f...","seq":12,"at":1763990000000000,"topic":"...", ...}\n
 *   EVENT as WAMP has it, in the serialization of the publisher
 *   a second EVENT, where what is retained is not what is delivered
 *
 * Members of the head: node, run (who published: a name, and an id of that run
 * of it), seq (of that run, from 1; 0: repeated, it may have been sent before),
 * at (when, in microseconds since 1970, later than any event of the topic that
 * the publisher knew), topic, and where they apply: retain, gone (the retained
 * event is to be forgotten; nothing follows the head), closed (the closed name
 * in the topic), format ("wamp.2.msgpack"; absent: JSON), bytes (of the first
 * EVENT, where a second follows), and the black and white lists of PUBLISH.
 */
#ifndef LT_MESH_MESH_EVENT_H
#define LT_MESH_MESH_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "router/options.h"
#include "router/realm_link.h"

#define LT_MESH_NODE_BYTES 64 /* of a name */

struct lt_mesh_event {
	struct lt_str node, run;
	uint64_t seq;
	int64_t at_us;
	bool is_gone;
	struct lt_link_event event;
};

/* What a read event borrows from; zero-initialised; reusable, finish frees. */
struct lt_mesh_event_scratch {
	cJSON *head;
	struct lt_str lists[LT_LISTS];
	struct lt_buf list_texts[LT_LISTS];
	struct lt_buf disclosure;
	struct lt_msg_scratch msg, kept;
};
void lt_mesh_event_scratch_finish(struct lt_mesh_event_scratch *scratch);

void lt_mesh_event_write(struct lt_buf *buf, const struct lt_mesh_event *event);

/* Errors: LT_E_FORMAT. */
bool lt_mesh_event_read(struct lt_str bytes, struct lt_mesh_event_scratch *scratch,
		struct lt_mesh_event *ret, struct lt_err *err);

#endif
