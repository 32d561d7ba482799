/*
 * Closed names: whatever carries one of them in its URI (topics, procedures),
 * and announcements that mention one, is for the role "services" and for the
 * sessions that were admitted; for all others it does not exist. Roles and
 * their permissions say who may do what kind of thing; this says who may know
 * of one thing among equals.
 *
 * A name is carried by a URI when it stands there between '.' or '/', from the
 * third part on ("livetiming.service.NAME", "livetiming.analysis/NAME/lap"), so
 * no name closes what is common to all. An announcement (an event of a topic
 * that was named as such) mentions a name as a text behind "uuid", in any
 * serialization. Pure; sessions are known by their ids.
 */
#ifndef LT_ROUTER_GUARD_H
#define LT_ROUTER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_guard;
struct lt_lock;
struct lt_member;

struct lt_guard *lt_guard_create(void);
void lt_guard_destroy(struct lt_guard *guard); /* NULL is fine */

/*
 * Close a name, or send away who was admitted to one that is closed.
 *
 * Errors     LT_E_INVALID it is empty, too long, or could be a part of a common URI (a name has
 *            a digit in it, and no '.' or '/'); LT_E_LIMIT too many
 */
bool lt_guard_close(struct lt_guard *guard, struct lt_str name, struct lt_err *err);
void lt_guard_open(struct lt_guard *guard, struct lt_str name);

/* False: the name is not closed, or too many sessions are admitted. */
bool lt_guard_admit(struct lt_guard *guard, struct lt_str name, uint64_t session);
bool lt_guard_is_admitted(const struct lt_guard *guard, struct lt_str name, uint64_t session);
void lt_guard_leave(struct lt_guard *guard, uint64_t session); /* the session ended */

/*
 * Events of this topic are announcements: one that mentions a closed name, or
 * in which the member `closed_by` is true, is for services alone. closed_by
 * NULL: none. At most 8 topics; texts are copied.
 */
void lt_guard_announce(struct lt_guard *guard, const char *topic, const char *closed_by);

/* The lock on a procedure, on an event (args in any serialization): NULL: it is open. */
const struct lt_lock *lt_guard_find(const struct lt_guard *guard, struct lt_str uri);
const struct lt_lock *lt_guard_find_event(
		const struct lt_guard *guard, struct lt_str topic, struct lt_str args);

/* The closed name; "" for the lock on announcements, which have several. Borrowed. */
struct lt_str lt_lock_name(const struct lt_lock *lock);

bool lt_lock_passes(const struct lt_lock *lock, const struct lt_member *member); /* NULL: open */

#endif
