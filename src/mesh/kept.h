/*
 * What this node knows of the retained events of all nodes: whose is the
 * newest of each topic, and when it was published. The events themselves are
 * the realm's. Two nodes that know of the same events agree on the newest:
 * that of the later time, and of the greater run where times are equal. Times
 * are those of the publishers' clocks, but later than any event of the topic
 * that the publisher knew, so that a clock which is behind loses no event.
 *
 * Pure. Borrowed texts are valid until the entry changes.
 */
#ifndef LT_MESH_KEPT_H
#define LT_MESH_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "mesh/mesh_event.h"

struct lt_kept;

enum lt_kept_state {
	LT_KEPT_HERE, /* the realm has the event */
	/* Not of the last replay: no longer stored, so forgotten here. Should it come again, it is
	 * known. */
	LT_KEPT_SWEPT,
	LT_KEPT_GONE, /* its publisher had it forgotten */
};

struct lt_kept_entry {
	const char *topic, *run;
	int64_t at_us;
	enum lt_kept_state state;
	bool is_own;
	bool is_due;         /* own, and the bus did not take it yet */
	uint64_t round;      /* the replay in which it was last seen */
	struct lt_buf about; /* private: how it is said again */
};

/* `run` is that of this node; copied. */
struct lt_kept *lt_kept_create(const char *run);
void lt_kept_destroy(struct lt_kept *kept);

/* The entry of a topic, or NULL. */
struct lt_kept_entry *lt_kept_find(const struct lt_kept *kept, struct lt_str topic);

/* The time of a new event of this node: `now_us`, or later. */
int64_t lt_kept_stamp(const struct lt_kept *kept, struct lt_str topic, int64_t now_us);

/* How an event of another node stands to what is known. */
enum lt_kept_order { LT_KEPT_NEWER, LT_KEPT_SAME, LT_KEPT_OLDER };
enum lt_kept_order lt_kept_compare(const struct lt_kept *kept, const struct lt_mesh_event *event);

/* Make this event the newest of its topic. `body` and `kept` of the event are not used. */
struct lt_kept_entry *lt_kept_set(struct lt_kept *kept, const struct lt_mesh_event *event);

/* The event of this node as it is to be sent again, without bodies. Borrows from the entry. */
bool lt_kept_again(const struct lt_kept_entry *entry, struct lt_mesh_event_scratch *scratch,
		struct lt_mesh_event *ret);

/* Each entry; fn may not add any. */
void lt_kept_each(const struct lt_kept *kept, void (*fn)(void *arg, struct lt_kept_entry *entry),
		void *arg);

/* Forget what is gone or swept and older than this. */
void lt_kept_prune(struct lt_kept *kept, int64_t before_us);

size_t lt_kept_count(const struct lt_kept *kept);

#endif
