/*
 * Publish and subscribe of one realm: subscriptions by pattern, delivery, and
 * retained events. Knows members (member.h), not connections. Checks URIs and
 * permissions itself, so that sessions in process and on sockets are equal.
 */
#ifndef LT_ROUTER_BROKER_H
#define LT_ROUTER_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "router/member.h"
#include "router/meta_event.h"
#include "router/options.h"
#include "router/retained.h"

struct lt_broker;
struct lt_core;
struct lt_link_event;
struct lt_realm_listener;
struct lt_router_stats;

struct lt_broker *lt_broker_create(struct lt_core *core);
void lt_broker_destroy(struct lt_broker *broker); /* members have left; NULL is fine */

/*
 * Subscribe to a pattern. Repeating a (pattern, policy) gives the subscription
 * that the member already has. Sends nothing: the caller says SUBSCRIBED, then
 * calls lt_broker_replay when retained events were asked for.
 *
 * Errors     LT_E_URI, LT_E_DENIED, LT_E_LIMIT too many subscriptions
 */
bool lt_broker_subscribe(struct lt_broker *broker, struct lt_member *member, struct lt_str pattern,
		enum lt_match match, uint64_t *ret_subscription, struct lt_err *err);

/* Send the member the retained events of a subscription that it has. */
void lt_broker_replay(struct lt_broker *broker, struct lt_member *member, uint64_t subscription);

/* Errors: LT_E_NOT_FOUND not a subscription of this member. */
bool lt_broker_unsubscribe(struct lt_broker *broker, struct lt_member *member,
		uint64_t subscription, struct lt_err *err);

/*
 * Publish to all who match. `body` is borrowed; in JSON when lazy.encode is
 * set, in which case it is ignored. `lazy` and `keeps` are released also on
 * failure.
 *
 * Errors     LT_E_URI, LT_E_DENIED, LT_E_INVALID a wrong list
 */
struct lt_publication {
	struct lt_str topic;
	const struct lt_publish_options *options;
	const struct lt_body *body;
	struct lt_lazy lazy;
	struct lt_lazy keeps; /* with retain: what late subscribers get instead of `body` */
};
bool lt_broker_publish(struct lt_broker *broker, struct lt_member *publisher,
		const struct lt_publication *publication, uint64_t *ret_publication,
		struct lt_err *err);

/* May the member publish there? Errors: LT_E_URI, LT_E_DENIED. */
bool lt_broker_check_publish(struct lt_broker *broker, const struct lt_member *publisher,
		struct lt_str topic, struct lt_err *err);

/* News of the router itself, to subscriptions under "wamp." alone; args is a JSON list. */
bool lt_broker_has_meta_subscribers(const struct lt_broker *broker);
void lt_broker_publish_meta(struct lt_broker *broker, const char *topic, struct lt_str args);

/* For the meta API: one by id, one by pattern, all, those a topic reaches, members of one. */
bool lt_broker_get(const struct lt_broker *broker, uint64_t id, struct lt_pattern_view *ret);
bool lt_broker_lookup(const struct lt_broker *broker, struct lt_str pattern, enum lt_match match,
		struct lt_pattern_view *ret);
void lt_broker_each(const struct lt_broker *broker, lt_pattern_fn fn, void *arg);
void lt_broker_each_match(
		const struct lt_broker *broker, struct lt_str topic, lt_pattern_fn fn, void *arg);
void lt_broker_each_subscriber(
		const struct lt_broker *broker, uint64_t id, lt_member_fn fn, void *arg);

/* When the retained event of a topic was published; false: it has none. */
bool lt_broker_retained_at(
		const struct lt_broker *broker, struct lt_str topic, struct lt_mono *ret_at);

/* Forget the retained event of a topic. */
void lt_broker_unretain(struct lt_broker *broker, struct lt_str topic);

/* Who carries events to other nodes and back (realm_link.h); NULL: nobody. */
void lt_broker_set_link(struct lt_broker *broker, const struct lt_realm_listener *link);
bool lt_broker_receive(
		struct lt_broker *broker, const struct lt_link_event *event, struct lt_err *err);
void lt_broker_forget(struct lt_broker *broker, struct lt_str topic);
/* The arguments of the retained event; false: it has none. Borrowed until the topic changes. */
bool lt_broker_kept(struct lt_broker *broker, struct lt_str topic,
		const struct lt_serializer *serializer, struct lt_body *ret);

/* Name of this node; NULL: it is the only one. */
const char *lt_broker_node(const struct lt_broker *broker);

/* The member leaves: all its subscriptions end. */
void lt_broker_leave(struct lt_broker *broker, struct lt_member *member);

/* Adds subscriptions, retained_topics, retained_bytes. */
void lt_broker_report(const struct lt_broker *broker, struct lt_router_stats *ret_stats);

#endif
