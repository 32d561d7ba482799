/*
 * The seam between sessions and connections. A transport (transport_ws.c,
 * later RawSocket) owns the connection and embeds a struct lt_peer; the session
 * layer decides what to say and never sees a socket. Both directions:
 *
 *   transport -> session   lt_session_create, lt_session_receive, lt_session_peer_gone
 *   session -> transport   peer->ops
 *
 * Order of events on a connection: lt_session_create when the handshake is
 * done; lt_session_receive for each whole message; lt_session_peer_gone
 * exactly once when the connection is gone, after which neither side touches
 * the other. ops never call back into the session before returning.
 */
#ifndef LT_ROUTER_TRANSPORT_H
#define LT_ROUTER_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "router/payload.h"

struct lt_router;
struct lt_session;
struct lt_peer;
struct lt_serializer;

/* Why a connection ends; the transport maps it to its own close codes. */
enum lt_close_reason {
	LT_CLOSE_NORMAL,   /* goodbye said: WebSocket 1000 */
	LT_CLOSE_PROTOCOL, /* 1002 */
	LT_CLOSE_POLICY,   /* refused, timed out, too slow: 1008 */
	LT_CLOSE_TOO_BIG,  /* 1009 */
	LT_CLOSE_SHUTDOWN, /* 1001 */
};

struct lt_peer_ops {
	/*
	 * Queue a message; takes its own reference. Nothing is written from here:
	 * what was queued in this turn of the loop leaves together at its end.
	 * conflate: 0, or the subscription id of a topic with retention: a peer
	 * whose queue is over its soft limit drops older queued messages with the
	 * same value first (newest wins). Over the hard limit the peer is ended.
	 */
	void (*send)(struct lt_peer *peer, struct lt_payload *payload, uint64_t conflate);

	/* Write what is queued, then close; gives up flushing after 10 s. */
	void (*close)(struct lt_peer *peer, enum lt_close_reason reason, const char *text);
};

struct lt_peer {
	const struct lt_peer_ops *ops;
	const char *transport; /* static: "websocket", "websocket+tls", "rawsocket", "local" */
	char address[64];      /* printable peer address, for logs and wamp.session.get */
	struct lt_session *session;
};

/*
 * A connection is ready to speak with this serializer (chosen from the
 * subprotocols). The session is owned by the router and bound to the peer
 * until lt_session_peer_gone.
 */
struct lt_session *lt_session_create(struct lt_router *router, struct lt_peer *peer,
		const struct lt_serializer *serializer);

/* One whole message, borrowed for the call. `binary`: kind of frame it came in. */
void lt_session_receive(struct lt_session *session, struct lt_str message, bool binary);

void lt_session_peer_gone(struct lt_session *session);

/* Serializer for a WebSocket subprotocol ("wamp.2.json") or NULL. Static. */
const struct lt_serializer *lt_serializer_find(struct lt_str subprotocol);
const char *lt_serializer_subprotocol(const struct lt_serializer *serializer);
bool lt_serializer_is_binary(const struct lt_serializer *serializer);

#endif
