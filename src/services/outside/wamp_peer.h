/*
 * The client's half of a WAMP session over JSON: joining with WAMP-CRA or as
 * anonymous, subscribing, publishing, and answering calls. Pure: whole messages
 * come in and go out, whatever carries them; no clock, no socket.
 *
 * A peer joins many times: lt_peer_open after each connection, lt_peer_lost
 * after each loss. What was subscribed and registered belongs to one session
 * and is asked for again by the owner, in `joined`. Requests are answered in any
 * order; a refusal is told by name. Nothing that the router sends is trusted:
 * messages out of turn, unknown ids and malformed texts end the session.
 */
#ifndef LT_SERVICES_OUTSIDE_WAMP_PEER_H
#define LT_SERVICES_OUTSIDE_WAMP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_peer;

/* Borrowed for the call. */
struct lt_peer_event {
	struct lt_str topic; /* as it was subscribed */
	struct lt_str args;  /* JSON; empty: none */
};
typedef void (*lt_peer_event_fn)(void *arg, const struct lt_peer_event *event);

struct lt_peer_invocation {
	uint64_t id;
	struct lt_str procedure;
	struct lt_str args, kwargs; /* JSON; empty: none */
};
typedef void (*lt_peer_invocation_fn)(void *arg, const struct lt_peer_invocation *invocation);

/* Texts are copied; all functions are required. */
struct lt_peer_env {
	const char *realm, *authid, *agent;
	struct lt_str secret; /* p NULL: joins as anonymous */
	void (*send)(void *arg, struct lt_str message);
	void (*joined)(void *arg, uint64_t session);
	/* All that was asked for since `joined` has been answered. */
	void (*settled)(void *arg);
	/* A request was refused; the session goes on. */
	void (*refused)(void *arg, const char *what, const char *uri);
	/*
	 * The router or a broken message ended the session: close the connection.
	 * LT_E_DENIED: the router does not let this authid and secret in.
	 */
	void (*ended)(void *arg, const struct lt_err *reason);
	void *arg;
};

struct lt_peer *lt_peer_create(const struct lt_peer_env *env);
void lt_peer_destroy(struct lt_peer *peer); /* NULL is fine; wipes the secret */

void lt_peer_open(struct lt_peer *peer);                           /* connected: says HELLO */
void lt_peer_lost(struct lt_peer *peer);                           /* forgets the session */
void lt_peer_receive(struct lt_peer *peer, struct lt_str message); /* one whole message */
bool lt_peer_is_joined(const struct lt_peer *peer);
/* Is the router one of ours, by what it said in WELCOME? */
bool lt_peer_is_ours(const struct lt_peer *peer);

/* The rest is for a joined peer; otherwise nothing happens. */

void lt_peer_subscribe(struct lt_peer *peer, const char *topic, lt_peer_event_fn fn);
/* With force_reregister. */
void lt_peer_register(struct lt_peer *peer, const char *procedure, lt_peer_invocation_fn fn);
/* Without acknowledgement. args: a JSON array. */
void lt_peer_publish(struct lt_peer *peer, struct lt_str topic, bool retain, struct lt_str args);
void lt_peer_yield(struct lt_peer *peer, uint64_t invocation, struct lt_str args,
		struct lt_str kwargs);
void lt_peer_error(struct lt_peer *peer, uint64_t invocation, const char *uri, struct lt_str args);
void lt_peer_goodbye(struct lt_peer *peer);

/*
 * The key that answers a challenge: the secret, or for a salted principal the
 * base64 text of what is derived from it. extra: CHALLENGE.Extra. The signature
 * is appended to ret_signature.
 */
bool lt_peer_sign(struct lt_str secret, struct lt_str extra, struct lt_buf *ret_signature,
		struct lt_err *err);

#endif
