/*
 * Private to ws_client.c and ws_hub.c: the libwebsockets context that all
 * WebSocket clients of the daemon share.
 */
#ifndef LT_NET_WS_HUB_H
#define LT_NET_WS_HUB_H

#include <libwebsockets.h>

#include "net/ws_client.h"

#define LT_WS_RX_BYTES 16384
#define LT_WS_PROTOCOL "lt-ws-client" /* name of the one entry of `protocols` */

struct lt_ws_hub {
	struct lt_net_env env;
	char *ca_file;
	struct lws_context *context; /* NULL until the first client starts, and at the end */
	struct lws_vhost *vhost;
	size_t clients_n;
	int end_turns;
};

/* Make the context unless it is there. protocols: static, of the clients. */
bool lt_ws_hub_open(
		struct lt_ws_hub *hub, const struct lws_protocols *protocols, struct lt_err *err);

#endif
