/*
 * What a joined session on a connection may ask for: turns decoded messages
 * into calls of broker and dealer, and their results into answers.
 */
#ifndef LT_ROUTER_REQUEST_H
#define LT_ROUTER_REQUEST_H

#include "router/member.h"
#include "router/wamp_msg.h"

struct lt_realm;

/* Returns false when the message must not come from a client here: the session must end. */
bool lt_request_handle(struct lt_realm *realm, struct lt_member *member, const struct lt_msg *msg,
		struct lt_err *err);

#endif
