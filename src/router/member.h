/*
 * A member of a realm as broker and dealer see it: a joined session, on a
 * socket (session.c) or in process (local.c), which embeds this struct, fills
 * the first part and keeps it unchanged until lt_realm_leave.
 */
#ifndef LT_ROUTER_MEMBER_H
#define LT_ROUTER_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "router/payload.h"

struct lt_call;
struct lt_callee;
struct lt_member;
struct lt_role;
struct lt_serializer;
struct lt_subscriber;
struct lt_testament;

struct lt_member_ops {
	/*
	 * Queue a message for this member; takes its own reference. Never calls
	 * back into broker or dealer. conflate: as in struct lt_peer_ops.
	 */
	void (*send)(struct lt_member *member, struct lt_payload *payload, uint64_t conflate);
	/* Told of each session that leaves the realm; NULL: not interested. */
	void (*left)(struct lt_member *member, uint64_t session);
	/* End the session with GOODBYE; it has left when this returns. NULL: it cannot be ended. */
	void (*kill)(struct lt_member *member, struct lt_str reason, struct lt_str message);
	/* A registration was taken from it. NULL: it is sent UNREGISTERED if it knows that. */
	void (*revoked)(struct lt_member *member, uint64_t registration);
};

/* What the session announced as callee. */
enum lt_feature {
	LT_FEATURE_PROGRESS = 1,   /* progressive_call_results */
	LT_FEATURE_CANCEL = 2,     /* call_canceling */
	LT_FEATURE_REVOCATION = 4, /* registration_revocation */
};

/* Who calls, where a member calls for somebody else. Borrowed for the call. */
struct lt_identity {
	uint64_t session;
	struct lt_str authid, role, address;
	bool in_process;
};

struct lt_member {
	const struct lt_member_ops *ops;
	const struct lt_serializer *serializer;
	const struct lt_role *role;
	const char *authid;     /* owned by the embedding session */
	const char *authmethod; /* static: "anonymous", "wampcra", "ticket", "local" */
	const char *transport;  /* static: "websocket" ... */
	const char *address;    /* of the peer; owned by the embedding session; "" in process */
	uint64_t id;
	const char *node;  /* another node, for which it stands (remote.h); NULL: it is of this one
			    */
	unsigned features; /* set of enum lt_feature */
	bool in_process;

	UT_hash_handle hh;                             /* private to the realm */
	struct lt_member *watcher_prev, *watcher_next; /* of those with ops->left; likewise */

	struct lt_subscriber *subscriptions; /* private to the broker */
	uint32_t subscription_count;

	struct lt_callee *registrations; /* private to the dealer */
	struct lt_call *calls;           /* it waits for */
	struct lt_call *invocations;     /* others wait for it */
	uint32_t registration_count, call_count;
	uint64_t last_invocation;

	struct lt_testament *testaments; /* private to testament.c */
	uint32_t testament_count;
	size_t testament_bytes;
};

/* A part of the router, as modules in process and other nodes are: not a client. */
static inline bool lt_member_is_own(const struct lt_member *member)
{
	return member->in_process || member->node;
}

#endif
