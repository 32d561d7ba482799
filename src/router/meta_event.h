/*
 * What the router itself publishes about sessions, subscriptions and
 * registrations. Only subscriptions whose own URI begins with "wamp." hear of
 * it: a catch-all pattern does not tell who connects. Without such a
 * subscription nothing is built.
 */
#ifndef LT_ROUTER_META_EVENT_H
#define LT_ROUTER_META_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"
#include "router/local.h"

struct lt_broker;
struct lt_member;

/* A subscription or registration as the meta API shows it; borrowed for the call. */
struct lt_pattern_view {
	uint64_t id;
	struct lt_str uri;
	enum lt_match match;
	const char *invoke; /* policy of a registration; NULL: a subscription */
	struct lt_wall created;
	size_t count; /* of subscribers or callees */
};
typedef void (*lt_pattern_fn)(void *arg, const struct lt_pattern_view *view);
typedef void (*lt_member_fn)(void *arg, struct lt_member *member);

/* {"id", "created", "uri", "match", "invoke"?, "node"?}; node NULL: it is the only one. */
void lt_meta_write_pattern(
		struct lt_buf *buf, const struct lt_pattern_view *view, const char *node);

/* {"session", "authid", "authrole", "authmethod", "authprovider", "transport", "node"?} */
void lt_meta_write_session(struct lt_buf *buf, const struct lt_member *member, const char *node);

/* Events of a subscription or registration: [session, dict] and [session, id]. */
void lt_meta_emit_create(struct lt_broker *broker, const struct lt_member *member,
		const struct lt_pattern_view *view);
enum lt_meta_news { LT_META_ADDED, LT_META_REMOVED, LT_META_DELETED };
void lt_meta_emit(struct lt_broker *broker, const struct lt_member *member,
		const struct lt_pattern_view *view, enum lt_meta_news news);

/* wamp.session.on_join and on_leave; modules in process come and go unheard. */
void lt_meta_emit_join(struct lt_broker *broker, const struct lt_member *member);
void lt_meta_emit_leave(struct lt_broker *broker, const struct lt_member *member);

#endif
