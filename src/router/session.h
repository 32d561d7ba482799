/*
 * Sessions on connections: the state machine from HELLO to the end
 * (docs/router.md). lt_session_create, _receive and _peer_gone stand in
 * transport.h; this is what the facade needs beside them.
 *
 *   new -> [challenged ->] open -> closing
 *
 * A session that has said ABORT or GOODBYE is closing: it has left its realm,
 * ignores what it is sent and waits for the transport to let go.
 */
#ifndef LT_ROUTER_SESSION_H
#define LT_ROUTER_SESSION_H

#include "router/transport.h"

/* GOODBYE wamp.close.system_shutdown (or ABORT before WELCOME), then close. */
void lt_session_shutdown(struct lt_session *session);

/* Next of the router's list of sessions, or NULL. */
struct lt_session *lt_session_next(const struct lt_session *session);

#endif
