/*
 * Inside of the broker: broker.c (who is subscribed to what), broker_publish.c
 * (events on their way to them).
 */
#ifndef LT_ROUTER_BROKER_PRIV_H
#define LT_ROUTER_BROKER_PRIV_H

#include "router/broker.h"
#include "router/core.h"
#include "router/match.h"

/* Membership of one member in one subscription. */
struct lt_subscriber {
	UT_hash_handle hh;
	struct {
		struct lt_member *member;
		uint64_t subscription;
	} key;
	struct lt_subscription *subscription;
	size_t at;                         /* place in subscription->entries */
	struct lt_subscriber *prev, *next; /* of the member */
};

/* The entries lie in one array: delivery walks it and touches nothing else of ours. */
struct lt_subscription_entry {
	struct lt_member *member;
	struct lt_subscriber *subscriber;
};

struct lt_subscription {
	UT_hash_handle hh;
	uint64_t id;
	struct lt_str pattern; /* owned */
	enum lt_match match;
	bool is_meta; /* the pattern begins with "wamp." */
	struct lt_wall created;
	struct lt_subscription_entry *entries;
	size_t count, capacity;
};

struct lt_realm_listener;

struct lt_broker {
	struct lt_core *core;
	struct lt_match_index *index;
	struct lt_subscription *subscriptions; /* by id */
	struct lt_subscriber *subscribers;     /* by member and subscription */
	struct lt_retained_store *retained;
	const struct lt_realm_listener *link; /* to other nodes; NULL: there are none */
	uint64_t last_id, meta_count;
};

/* NULL when the member does not have this subscription. */
struct lt_subscriber *lt_broker_find_subscriber(
		struct lt_broker *broker, struct lt_member *member, uint64_t subscription);

#endif
